// SPDX-License-Identifier: Apache-2.0
#include "core/repo_id.h"

#include "core/simd.h"
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

// Looks at the bytes of |id| one by one. Returns 1 when they make up one or two
// parts, and stores where the slash is, or the length. There is no branch that
// depends on a byte: where the separators are cannot be foreseen.
static int read_bytes(tam_span id, size_t *pslash) {
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
  *pslash = slashes == 0 ? id.len : slash;
  return !is_bad && slashes <= 1 && before == WORD;
}

// Returns a bit for each of the sixteen bytes at |at| that is no letter, digit
// or '_'. (What lies |count| bytes from |first| on is less than |count| once
// |first| is subtracted; anything else has its highest bit set, then or after
// another subtraction.)
TAM_INLINE uint64_t not_word(tam_v16 text) {
  tam_v16 small = tam_v16_or(text, tam_v16_splat(0x20));
  tam_v16 letter = tam_v16_sub(small, tam_v16_splat('a'));
  tam_v16 digit = tam_v16_sub(text, tam_v16_splat('0'));
  uint32_t no_letter = tam_v16_mask(
      tam_v16_or(letter, tam_v16_sub(letter, tam_v16_splat(128 + 26))));
  uint32_t no_digit = tam_v16_mask(
      tam_v16_or(digit, tam_v16_sub(digit, tam_v16_splat(128 + 10))));
  return no_letter & no_digit &
         ~tam_v16_mask(tam_v16_eq(text, tam_v16_splat('_')));
}

// As read_bytes, for an id of sixteen to sixty-four bytes: a bit for each.
static int read_bits(tam_span id, size_t *pslash) {
  uint64_t other = 0;
  uint64_t dash = 0;
  uint64_t dot = 0;
  uint64_t slash = 0;
  for (size_t at = 0;; at += 16) {
    size_t from = at + 16 < id.len ? at : id.len - 16; // the last ones overlap
    tam_v16 text = tam_v16_load(id.ptr + from);
    other |= not_word(text) << from;
    dash |= (uint64_t)tam_v16_mask(tam_v16_eq(text, tam_v16_splat('-')))
            << from;
    dot |= (uint64_t)tam_v16_mask(tam_v16_eq(text, tam_v16_splat('.'))) << from;
    slash |= (uint64_t)tam_v16_mask(tam_v16_eq(text, tam_v16_splat('/')))
             << from;
    if (at + 16 >= id.len) {
      break;
    }
  }
  uint64_t is_bad = other ^ (dash | dot | slash);        // no byte of an id
  is_bad |= (dash & dash << 1) | (dot & dot << 1);       // twice the same
  is_bad |= (slash & other << 1) | (other & slash << 1); // no part beside it
  is_bad |= slash & (slash - 1);                         // a second slash
  is_bad |= (other & 1) | (other >> (id.len - 1));       // at an end
  *pslash = slash == 0 ? id.len : (size_t)__builtin_ctzll(slash);
  return is_bad == 0;
}

int tam_repo_id_read(tam_span id, size_t *pslash) {
  int is_id = id.len >= 16 && id.len <= 64 ? read_bits(id, pslash)
                                           : read_bytes(id, pslash);
  size_t slash = *pslash;
  size_t name_len = slash < id.len ? id.len - slash - 1 : 0;
  return is_id && slash <= TAM_REPO_NAME_MAX && name_len <= TAM_REPO_NAME_MAX &&
         !tam_span_ends_with(id, TAM_SPAN(".git")) &&
         !tam_span_ends_with(id, TAM_SPAN(".ipynb"));
}

int tam_repo_id_is_valid(tam_span id) {
  size_t slash;
  return tam_repo_id_read(id, &slash);
}
