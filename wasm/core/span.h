// SPDX-License-Identifier: Apache-2.0
// Text as (pointer, length): comparing, searching, reading numbers.
#ifndef TAM_CORE_SPAN_H
#define TAM_CORE_SPAN_H

#include "tam.h"

// A span over a string literal.
#define TAM_SPAN(literal)                                                      \
  ((tam_span){(const uint8_t *)(literal), sizeof(literal) - 1})

// The empty span.
#define TAM_SPAN_NONE ((tam_span){NULL, 0})

// A call returns a span through memory, which costs more than what these
// functions do.
#define TAM_SPAN_INLINE static inline __attribute__((always_inline))

// Returns the length of the NUL-terminated |text|.
size_t tam_text_len(const char *text);

// Returns a span over the NUL-terminated |text|; for the project's own
// constants, never for input.
TAM_SPAN_INLINE tam_span tam_span_of(const char *text) {
  tam_span span = {(const uint8_t *)text, tam_text_len(text)};
  return span;
}

// Returns 1 when both hold the same bytes.
int tam_span_eq(tam_span a, tam_span b);

// Returns 1 when |text| is the NUL-terminated |name|, a constant. Faster than
// tam_span_eq on the way through a list of names.
int tam_span_is(tam_span text, const char *name);

// Returns 1 when both hold the same bytes, ASCII case ignored.
int tam_span_eq_nocase(tam_span a, tam_span b);

// Return 1 when |text| begins with |prefix|, or ends with |suffix|; bytes are
// compared as they are.
int tam_span_starts_with(tam_span text, tam_span prefix);
int tam_span_ends_with(tam_span text, tam_span suffix);

// Returns the offset of the first |needle| in |text|, or text.len when there
// is none. ASCII case is ignored: |needle| must be lower case.
size_t tam_span_find_nocase(tam_span text, tam_span needle);

// Returns the offset of the first |needle|, which is not empty, in |text|, or
// text.len when there is none.
size_t tam_span_find(tam_span text, tam_span needle);

// Returns the offset of the first |byte| in |text|, or text.len.
size_t tam_span_find_byte(tam_span text, uint8_t byte);

// Returns |text| from |offset| on; empty when |offset| is beyond the end. (The
// address is added up as a number: an empty text may have none.)
TAM_SPAN_INLINE tam_span tam_span_from(tam_span text, size_t offset) {
  size_t skipped = offset < text.len ? offset : text.len;
  tam_span rest = {(const uint8_t *)((uintptr_t)text.ptr + skipped),
                   text.len - skipped};
  return rest;
}

// Returns the first |len| bytes of |text|, or all of it when it is shorter.
TAM_SPAN_INLINE tam_span tam_span_head(tam_span text, size_t len) {
  if (len < text.len) {
    text.len = len;
  }
  return text;
}

// Returns as many of the first |len| bytes of |text|, which is UTF-8, as make
// up whole characters.
tam_span tam_span_head_utf8(tam_span text, size_t len);

// Returns |text| without blanks (space, tab, CR, LF) at both ends.
tam_span tam_span_trim(tam_span text);

// Returns 1 when all bytes are visible ASCII: no blanks, no controls.
int tam_span_is_visible_ascii(tam_span text);

// Reads |text| as a decimal number without sign into |*pvalue|. Returns 1 when
// every byte is a digit, there is at least one and the value is at most
// 2^53 - 1, else 0.
int tam_span_to_uint(tam_span text, double *pvalue);

// Copies |text| to |to|, which must not overlap it. Meant for texts of some ten
// bytes.
void tam_text_copy(uint8_t *to, tam_span text);

// Returns a 64-bit hash of |text| that depends on |seed| (for tables whose
// keys come from the network).
uint64_t tam_span_hash(tam_span text, uint64_t seed);

#endif // TAM_CORE_SPAN_H
