// SPDX-License-Identifier: Apache-2.0
#include "core/percent.h"

static int is_unreserved(uint8_t byte) {
  return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') ||
         (byte >= '0' && byte <= '9') || byte == '-' || byte == '.' ||
         byte == '_' || byte == '~';
}

void tam_percent_encode(tam_buf *to, tam_span text, uint8_t also_plain) {
  static const char hex[] = "0123456789ABCDEF";
  for (size_t i = 0; i < text.len; i++) {
    uint8_t byte = text.ptr[i];
    if (is_unreserved(byte) || (also_plain != 0 && byte == also_plain)) {
      tam_buf_append_byte(to, byte);
    } else {
      tam_buf_append_byte(to, '%');
      tam_buf_append_byte(to, (uint8_t)hex[byte >> 4]);
      tam_buf_append_byte(to, (uint8_t)hex[byte & 15]);
    }
  }
}

// Returns the value of the hexadecimal digit |byte|, or -1 when it is none.
static int digit_value(uint8_t byte) {
  if (byte >= '0' && byte <= '9') {
    return byte - '0';
  }
  if (byte >= 'A' && byte <= 'F') {
    return byte - 'A' + 10;
  }
  return byte >= 'a' && byte <= 'f' ? byte - 'a' + 10 : -1;
}

int tam_percent_byte_at(tam_span text, size_t offset) {
  if (text.len < 3 || offset > text.len - 3 || text.ptr[offset] != '%') {
    return -1;
  }
  int high = digit_value(text.ptr[offset + 1]);
  int low = digit_value(text.ptr[offset + 2]);
  return high < 0 || low < 0 ? -1 : high * 16 + low;
}
