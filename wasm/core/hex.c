// SPDX-License-Identifier: Apache-2.0
#include "core/hex.h"

// Returns the value of |digit|, or a negative number.
static int value_of(uint8_t digit) {
  if (digit >= '0' && digit <= '9') {
    return digit - '0';
  }
  return digit >= 'a' && digit <= 'f' ? digit - 'a' + 10 : -1;
}

static uint8_t digit_of(unsigned value) {
  return (uint8_t)(value < 10 ? '0' + value : 'a' - 10 + value);
}

void tam_hex_write(uint8_t *text, tam_span bytes) {
  for (size_t i = 0; i < bytes.len; i++) {
    text[2 * i] = digit_of(bytes.ptr[i] >> 4);
    text[2 * i + 1] = digit_of(bytes.ptr[i] & 15);
  }
}

int tam_hex_read(tam_span text, uint8_t *bytes, size_t len) {
  if (text.len % 2 != 0 || text.len / 2 != len) {
    return 0;
  }
  for (size_t i = 0; i < len; i++) {
    int value = value_of(text.ptr[2 * i]) * 16 | value_of(text.ptr[2 * i + 1]);
    if (value < 0) {
      return 0;
    }
    bytes[i] = (uint8_t)value;
  }
  return 1;
}
