// SPDX-License-Identifier: Apache-2.0
#include "core/span.h"

#include <string.h>

static uint8_t lower(uint8_t byte) {
  return byte >= 'A' && byte <= 'Z' ? (uint8_t)(byte + ('a' - 'A')) : byte;
}

static int is_blank(uint8_t byte) {
  return byte == ' ' || byte == '\t' || byte == '\r' || byte == '\n';
}

size_t tam_text_len(const char *text) {
  size_t len = 0;
  while (text[len] != '\0') {
    len++;
  }
  return len;
}

static uint64_t load_word(const uint8_t *at) {
  uint64_t word;
  memcpy(&word, at, sizeof(word));
  return word;
}

// The functions below take eight bytes at a time, the last eight overlapping
// the ones before; only shorter texts are taken byte by byte. In WebAssembly
// the C library would do that for all, or leave to the host, which costs more
// than what a usual text needs.
#define WORD sizeof(uint64_t)

static int bytes_eq(const uint8_t *a, const uint8_t *b, size_t len) {
  if (len < WORD) {
    while (len > 0 && *a == *b) {
      a++;
      b++;
      len--;
    }
    return len == 0;
  }
  size_t last = len - WORD;
  for (size_t at = 0; at < last; at += WORD) {
    if (load_word(a + at) != load_word(b + at)) {
      return 0;
    }
  }
  return load_word(a + last) == load_word(b + last);
}

void tam_text_copy(uint8_t *to, tam_span text) {
  size_t len = text.len;
  if (len < WORD) {
    for (size_t at = 0; at < len; at++) {
      to[at] = text.ptr[at];
    }
    return;
  }
  size_t last = len - WORD;
  for (size_t at = 0; at < last; at += WORD) {
    memcpy(to + at, text.ptr + at, WORD);
  }
  memcpy(to + last, text.ptr + last, WORD);
}

int tam_span_eq(tam_span a, tam_span b) {
  return a.len == b.len && bytes_eq(a.ptr, b.ptr, a.len);
}

int tam_span_is(tam_span text, const char *name) {
  size_t at = 0;
  while (at < text.len && name[at] != '\0' &&
         text.ptr[at] == (uint8_t)name[at]) {
    at++;
  }
  return at == text.len && name[at] == '\0';
}

int tam_span_eq_nocase(tam_span a, tam_span b) {
  if (a.len != b.len) {
    return 0;
  }
  for (size_t i = 0; i < a.len; i++) {
    if (lower(a.ptr[i]) != lower(b.ptr[i])) {
      return 0;
    }
  }
  return 1;
}

int tam_span_starts_with(tam_span text, tam_span prefix) {
  return text.len >= prefix.len && bytes_eq(text.ptr, prefix.ptr, prefix.len);
}

int tam_span_ends_with(tam_span text, tam_span suffix) {
  return text.len >= suffix.len &&
         bytes_eq(text.ptr + (text.len - suffix.len), suffix.ptr, suffix.len);
}

// Returns the first four bytes at |at| without what tells small letters from
// capitals.
static uint32_t load_caseless(const uint8_t *at) {
  uint32_t word;
  memcpy(&word, at, sizeof(word));
  return word & 0xdfdfdfdfU;
}

size_t tam_span_find(tam_span text, tam_span needle) {
  size_t at = 0;
  while (at < text.len &&
         !tam_span_starts_with(tam_span_from(text, at), needle)) {
    at++;
  }
  return at;
}

size_t tam_span_find_nocase(tam_span text, tam_span needle) {
  // Most places are ruled out by their first letters, whatever their case.
  int is_long = needle.len >= sizeof(uint32_t);
  uint32_t first = is_long ? load_caseless(needle.ptr) : 0;
  for (size_t at = 0; at + needle.len <= text.len; at++) {
    if ((!is_long || load_caseless(text.ptr + at) == first) &&
        tam_span_eq_nocase((tam_span){text.ptr + at, needle.len}, needle)) {
      return at;
    }
  }
  return text.len;
}

size_t tam_span_find_byte(tam_span text, uint8_t byte) {
  size_t at = 0;
  while (at < text.len && text.ptr[at] != byte) {
    at++;
  }
  return at;
}

tam_span tam_span_head_utf8(tam_span text, size_t len) {
  if (len < text.len) {
    // A byte 10xxxxxx continues the character before it.
    while (len > 0 && (text.ptr[len] & 0xc0) == 0x80) {
      len--;
    }
  }
  return tam_span_head(text, len);
}

tam_span tam_span_trim(tam_span text) {
  for (; text.len > 0 && is_blank(text.ptr[0]); text.len--) {
    text.ptr++;
  }
  while (text.len > 0 && is_blank(text.ptr[text.len - 1])) {
    text.len--;
  }
  return text;
}

int tam_span_is_visible_ascii(tam_span text) {
  for (size_t i = 0; i < text.len; i++) {
    if (text.ptr[i] <= ' ' || text.ptr[i] >= 0x7f) {
      return 0;
    }
  }
  return 1;
}

int tam_span_to_uint(tam_span text, double *pvalue) {
  const uint64_t max = (1ULL << 53) - 1;
  uint64_t value = 0;
  for (size_t i = 0; i < text.len; i++) {
    uint8_t digit = (uint8_t)(text.ptr[i] - '0');
    if (digit > 9 || value > (max - digit) / 10) {
      return 0;
    }
    value = value * 10 + digit;
  }
  *pvalue = (double)value;
  return text.len > 0;
}

static const uint64_t hash_prime = 0x9e3779b97f4a7c15ULL;

static uint64_t hash_word(uint64_t hash, uint64_t word) {
  hash = (hash ^ word) * hash_prime;
  return hash ^ (hash >> 32);
}

// FNV-1a over eight bytes at a time, finished with the mixer of MurmurHash3
// (public domain constants), so that every input bit reaches every output bit.
uint64_t tam_span_hash(tam_span text, uint64_t seed) {
  uint64_t hash = seed ^ (text.len * hash_prime);
  uint64_t rest = 0;
  if (text.len < WORD) {
    for (size_t i = 0; i < text.len; i++) {
      rest |= (uint64_t)text.ptr[i] << (8 * i);
    }
  } else {
    size_t last = text.len - WORD;
    for (size_t at = 0; at < last; at += WORD) {
      hash = hash_word(hash, load_word(text.ptr + at));
    }
    rest = load_word(text.ptr + last);
  }
  hash = hash_word(hash, rest);
  hash ^= hash >> 33;
  hash *= 0xff51afd7ed558ccdULL;
  return hash ^ (hash >> 33);
}
