// SPDX-License-Identifier: Apache-2.0
// Walks over JSON that lies whole in one piece of input. Meant for the common
// case: a function that meets anything odd, or comes near the end of the piece,
// returns NULL, and the resumable scanner takes over from the last place that
// was certain. So these may refuse what is valid; they never accept what is
// not.
//
// No step checks for the end of the piece. Instead a guard is found once per
// piece: a '"' with at least TAM_JSON_MARGIN bytes behind it. A walk through a
// string cannot pass it unseen, and everything between two strings is shorter
// than the margin: so it is enough to compare with the guard before a string
// and once per member or element. "Inside" below means: before the guard. The
// guard need not be part of the text: a string that it would close is refused,
// and so is a number in front of it. So the rest of a piece can be walked over
// in a copy that has a guard put behind it.
#ifndef TAM_CORE_JSON_SKIP_H
#define TAM_CORE_JSON_SKIP_H

#include "core/simd.h"
#include "tam.h"

#include <stddef.h>

// More than what can lie between two comparisons with the guard: a key of
// sixteen bytes, a number of eighty, blanks (at most 32 are skipped at once),
// punctuation, and the sixteen bytes of a last look.
#define TAM_JSON_MARGIN 256

// Returns the guard of the piece [start, end), or |start| when it has none.
const uint8_t *tam_json_guard(const uint8_t *start, const uint8_t *end);

// The slow part of tam_json_space.
const uint8_t *tam_json_skip_blanks(const uint8_t *at);

// Returns the first byte from |at| on that is no blank (after more blanks than
// usual one of them, which nobody expects: the caller then refuses).
TAM_INLINE const uint8_t *tam_json_space(const uint8_t *at) {
  return *at > ' ' ? at : tam_json_skip_blanks(at);
}

// Returns how many digits there are at |at|, at most sixteen.
TAM_INLINE unsigned tam_json_digits(const uint8_t *at) {
  // What is no digit is less than '0', whose difference has its highest bit
  // set, or from '0' + 10 on, where the second difference does not wrap.
  tam_v16 value = tam_v16_sub(tam_v16_load(at), tam_v16_splat('0'));
  tam_v16 other = tam_v16_or(value, tam_v16_sub(value, tam_v16_splat(138)));
  return tam_mask_first(tam_v16_mask(other) | 0x10000U);
}

// Returns the end of the plain text at |at|. Most strings end within the first
// 32 bytes: looking at all of them at once spares a branch that is often
// mispredicted.
TAM_INLINE const uint8_t *tam_json_plain_end(const uint8_t *at) {
  uint32_t mask = tam_json_stop_mask32(at);
  while (mask == 0) {
    at += 32;
    mask = tam_json_stop_mask32(at);
  }
  return at + tam_mask_first(mask);
}

// The slow part of tam_json_text_end: |at| is somewhere in the text, inside.
const uint8_t *tam_json_text_rest(const uint8_t *at);

// Returns the closing quote of the string whose text begins at |at|, or NULL
// when it is not inside, malformed, or has escapes: the bytes are its text.
TAM_INLINE const uint8_t *tam_json_text_end(const uint8_t *at,
                                            const uint8_t *guard) {
  if (at >= guard) {
    return NULL;
  }
  at = tam_json_plain_end(at);
  if (*at != '"') {
    at = tam_json_text_rest(at);
  }
  return at < guard ? at : NULL;
}

// Reads the string at |at| (its opening quote) into |*ptext|. Returns the byte
// behind it, or NULL as tam_json_text_end does, also when it is no string.
const uint8_t *tam_json_text(const uint8_t *at, const uint8_t *guard,
                             tam_span *ptext);

// Returns the byte behind the string whose text begins at |at|, or NULL; it may
// have escapes.
const uint8_t *tam_json_skip_string(const uint8_t *at, const uint8_t *guard);

// Returns the byte behind the value at |at|, or NULL.
const uint8_t *tam_json_skip_value(const uint8_t *at, const uint8_t *guard);

// |at| is behind a member or element (NULL is passed on). Returns where the
// next one begins, or the byte |close| that ends the container, or NULL.
const uint8_t *tam_json_comma(const uint8_t *at, const uint8_t *guard,
                              uint8_t close);

// Returns the byte behind the spaces at |at|, or behind the first sixteen.
TAM_INLINE const uint8_t *tam_json_indented(const uint8_t *at) {
  tam_v16 spaces =
      tam_v16_eq(tam_v16_load(at), tam_v16_constant(tam_json_needles[2]));
  return at + tam_mask_first(~tam_v16_mask(spaces)); // all set: 16
}

// As tam_json_comma, for where speed counts: the usual forms of a comma, with
// nothing or a line break behind it, are walked over without a call.
TAM_INLINE const uint8_t *tam_json_next(const uint8_t *at, const uint8_t *guard,
                                        uint8_t close) {
  if (at != NULL && at < guard && *at == ',') {
    const uint8_t *next = at + 1;
    if (*next == '\n') {
      next = tam_json_indented(next + 1);
    }
    if (*next > ' ' && *next != close) {
      return next;
    }
  }
  return tam_json_comma(at, guard, close);
}

// Stores the key of the member at |at| into |*pkey| and returns where its value
// begins, or NULL.
const uint8_t *tam_json_member(const uint8_t *at, const uint8_t *guard,
                               tam_span *pkey);

// Returns the closing quote of the string at |at| (its opening quote), or NULL
// as tam_json_text_end does, also when it is no string.
TAM_INLINE const uint8_t *tam_json_string_end(const uint8_t *at,
                                              const uint8_t *guard) {
  return *at == '"' ? tam_json_text_end(at + 1, guard) : NULL;
}

// |at| is behind a key. Returns where the value begins, or NULL.
TAM_INLINE const uint8_t *tam_json_colon(const uint8_t *at) {
  if (at[0] == ':' && at[1] == ' ' && at[2] > ' ') {
    return at + 2; // as in files for people
  }
  at = tam_json_space(at);
  return *at == ':' ? tam_json_space(at + 1) : NULL;
}

// Returns the byte behind the one at |at|, a bracket; NULL is passed on.
TAM_INLINE const uint8_t *tam_json_behind(const uint8_t *at) {
  return at != NULL ? at + 1 : NULL;
}

// Returns 1 when |byte| behind a digit belongs to the same number.
TAM_INLINE int tam_json_continues_number(uint8_t byte) {
  return byte == '.' || (byte | 0x20) == 'e' || (uint8_t)(byte - '0') <= 9;
}

// ---------------------------------------------------------------------------
// Gaps: what stands between two items is the same all over a document, in
// whatever form it was written.

// The longest text between two items that is remembered.
#define TAM_JSON_GAP_MAX 48

// What stood between two items last time: commas, brackets, blanks, quotes.
// It begins with what is usual: zeros would be found in a damaged text.
typedef struct tam_json_gap {
  uint8_t text[TAM_JSON_GAP_MAX];
  uint64_t mask; // a bit per byte of |text| that counts
  uint32_t len;
  uint32_t close; // of it, up to where the item before ends
} tam_json_gap;

// Between two members or strings of a document without blanks.
#define TAM_JSON_GAP_USUAL ((tam_json_gap){",\"", 3, 2, 0})

// Returns 1 when the sixteen bytes at |at| and |text| are equal where |mask|
// has bits.
TAM_INLINE int tam_json_is_same(const uint8_t *at, const uint8_t *text,
                                uint32_t mask) {
  tam_v16 same = tam_v16_eq(tam_v16_load(at), tam_v16_load(text));
  return (~tam_v16_mask(same) & mask) == 0;
}

// Returns 1 when |gap| stands at |at|. Whether, not where the walk goes on: the
// processor guesses which branch is taken and goes on at once, but it would
// wait for a choice between two values.
TAM_INLINE int tam_json_gap_is_at(const tam_json_gap *gap, const uint8_t *at) {
  return tam_json_is_same(at, gap->text, (uint32_t)gap->mask & 0xffffU) &&
         (gap->len <= 16 || (tam_json_is_same(at + 16, gap->text + 16,
                                              (uint32_t)gap->mask >> 16) &&
                             tam_json_is_same(at + 32, gap->text + 32,
                                              (uint32_t)(gap->mask >> 32))));
}

// Remembers the text from |at| to |end| when it is short enough; the item
// before it ends at |close|. There are TAM_JSON_GAP_MAX bytes at |at|.
void tam_json_gap_learn(tam_json_gap *gap, const uint8_t *at,
                        const uint8_t *close, const uint8_t *end);

// As tam_json_comma; the gap is remembered when a quote ends it.
const uint8_t *tam_json_gap_find(tam_json_gap *gap, const uint8_t *at,
                                 const uint8_t *guard, uint8_t close);

// |at| is behind a member. Returns the quote of the next one, or what
// tam_json_comma does.
TAM_INLINE const uint8_t *
tam_json_gap_next(tam_json_gap *gap, const uint8_t *at, const uint8_t *guard) {
  return tam_json_gap_is_at(gap, at) && at < guard
             ? at + gap->len - 1
             : tam_json_gap_find(gap, at, guard, '}');
}

#endif // TAM_CORE_JSON_SKIP_H
