// SPDX-License-Identifier: Apache-2.0
#include "core/json_text.h"

#define REPLACEMENT_CHARACTER 0xfffdU

static unsigned hex_digit(uint8_t byte) {
  return byte <= '9' ? byte - (unsigned)'0'
                     : ((unsigned)byte | 0x20U) - 'a' + 10;
}

static uint32_t hex4(const uint8_t *at) {
  return hex_digit(at[0]) << 12 | hex_digit(at[1]) << 8 |
         hex_digit(at[2]) << 4 | hex_digit(at[3]);
}

static int is_high_surrogate(uint32_t unit) {
  return (unit & 0xfc00U) == 0xd800U;
}

static int is_low_surrogate(uint32_t unit) {
  return (unit & 0xfc00U) == 0xdc00U;
}

uint32_t tam_json_unicode_escape(const uint8_t **pat, const uint8_t *end) {
  const uint8_t *at = *pat;
  uint32_t high = hex4(at + 2);
  *pat = at + 6;
  if (is_low_surrogate(high)) {
    return REPLACEMENT_CHARACTER;
  }
  if (!is_high_surrogate(high)) {
    return high;
  }
  if (end - at < 12 || at[6] != '\\' || at[7] != 'u') {
    return REPLACEMENT_CHARACTER;
  }
  uint32_t low = hex4(at + 8);
  if (!is_low_surrogate(low)) {
    return REPLACEMENT_CHARACTER;
  }
  *pat = at + 12;
  return 0x10000U + ((high & 0x3ffU) << 10) + (low & 0x3ffU);
}

static uint32_t short_escape(uint8_t letter) {
  switch (letter) {
  case 'b':
    return '\b';
  case 'f':
    return '\f';
  case 'n':
    return '\n';
  case 'r':
    return '\r';
  case 't':
    return '\t';
  default: // a quote, a slash or a backslash stands for itself
    return letter;
  }
}

static size_t utf8_len(uint32_t code) {
  return code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
}

static void utf8_write(uint32_t code, size_t len, uint8_t *out) {
  static const uint8_t lead[5] = {0, 0, 0xc0, 0xe0, 0xf0};
  for (size_t i = len - 1; i > 0; i--) {
    out[i] = (uint8_t)(0x80U | (code & 0x3fU));
    code >>= 6;
  }
  out[0] = (uint8_t)(lead[len] | code);
}

// Reads the escape at |*pat| and moves |*pat| behind it.
static uint32_t read_escape(const uint8_t **pat, const uint8_t *end) {
  if ((*pat)[1] == 'u') {
    return tam_json_unicode_escape(pat, end);
  }
  uint32_t code = short_escape((*pat)[1]);
  *pat += 2;
  return code;
}

size_t tam_json_unescape(tam_span raw, uint8_t *out, size_t max) {
  const uint8_t *at = raw.ptr;
  const uint8_t *end = at + raw.len;
  size_t len = 0;
  while (at != end) {
    if (*at != '\\') {
      if (len == max) {
        return SIZE_MAX;
      }
      out[len++] = *at++;
      continue;
    }
    uint32_t code = read_escape(&at, end);
    size_t code_len = utf8_len(code);
    if (code_len > max - len) {
      return SIZE_MAX;
    }
    utf8_write(code, code_len, out + len);
    len += code_len;
  }
  return len;
}
