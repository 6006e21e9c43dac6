// SPDX-License-Identifier: Apache-2.0
#include "core/repo_id.h"

#include "core/span.h"

// What a byte of an id is, in the upper half of an entry, and after what it may
// stand, in the lower one. An id has one or two parts of letters, digits and
// '_', with '-' or '.' between them, but never two of those in a row that are
// the same. What may begin a part may stand after a slash.
enum {
  WORD = 1,
  DASH = 2,
  DOT = 4,
  SLASH = 8,
  W = WORD << 4 | WORD | DASH | DOT | SLASH
};
#define ID_FIRST '-'
// clang-format off
static const uint8_t id_bytes['z' + 1 - ID_FIRST] = {
    DASH << 4 | WORD | DOT, DOT << 4 | WORD | DASH, SLASH << 4 | WORD,
    W, W, W, W, W, W, W, W, W, W,          // digits
    0, 0, 0, 0, 0, 0, 0,
    W, W, W, W, W, W, W, W, W, W, W, W, W, // capitals
    W, W, W, W, W, W, W, W, W, W, W, W, W,
    0, 0, 0, 0, W, 0,                      // '_'
    W, W, W, W, W, W, W, W, W, W, W, W, W, // small letters
    W, W, W, W, W, W, W, W, W, W, W, W, W,
};
// clang-format on

// There is no branch that depends on a byte: where the separators are cannot be
// foreseen.
int tam_repo_id_read(tam_span id, size_t *pslash) {
  size_t slash = 0;
  unsigned slashes = 0;
  unsigned before = SLASH;
  unsigned is_bad = 0;
  for (size_t i = 0; i < id.len; i++) {
    unsigned place = (unsigned)id.ptr[i] - ID_FIRST;
    unsigned entry =
        id_bytes[place < sizeof(id_bytes) ? place : '@' - ID_FIRST];
    unsigned is_slash = entry >> 7;
    is_bad |= (entry & before) == 0;
    slashes += is_slash;
    slash += i & (0 - (size_t)is_slash);
    before = entry >> 4;
  }
  slash = slashes == 0 ? id.len : slash;
  *pslash = slash;
  size_t name_len = slash < id.len ? id.len - slash - 1 : 0;
  return !is_bad && slashes <= 1 && before == WORD &&
         slash <= TAM_REPO_NAME_MAX && name_len <= TAM_REPO_NAME_MAX &&
         !tam_span_ends_with(id, TAM_SPAN(".git")) &&
         !tam_span_ends_with(id, TAM_SPAN(".ipynb"));
}

int tam_repo_id_is_valid(tam_span id) {
  size_t slash;
  return tam_repo_id_read(id, &slash);
}
