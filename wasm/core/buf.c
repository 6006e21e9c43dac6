// SPDX-License-Identifier: Apache-2.0
#include "core/buf.h"

#include "core/mem.h"

#include <string.h>

// The first allocation: most messages fit.
#define BUF_CAPACITY_MIN 256U

void tam_buf_init(tam_buf *buf, const tam_mem *mem, size_t max) {
  memset(buf, 0, sizeof(*buf));
  buf->mem = mem;
  buf->max = max;
}

void tam_buf_init_fixed(tam_buf *buf, uint8_t *data, size_t capacity) {
  tam_buf_init(buf, NULL, capacity);
  buf->data = data;
  buf->capacity = capacity;
}

void tam_buf_free(tam_buf *buf) {
  if (buf->mem == NULL) {
    return;
  }
  tam_mem_free(buf->mem, buf->data);
  tam_buf_init(buf, buf->mem, buf->max);
}

void tam_buf_wipe(tam_buf *buf) {
  tam_mem_wipe(buf->data, buf->capacity);
  tam_buf_free(buf);
}

void tam_buf_reset(tam_buf *buf) {
  buf->len = 0;
  buf->error = 0;
}

// Makes room for |need| bytes in all; returns 0 when memory is short.
static int buf_reserve(tam_buf *buf, size_t need) {
  size_t capacity =
      buf->capacity < BUF_CAPACITY_MIN ? BUF_CAPACITY_MIN : buf->capacity;
  while (capacity < need) {
    capacity *= 2;
  }
  if (capacity > buf->max) {
    capacity = buf->max;
  }
  uint8_t *data = tam_mem_malloc(buf->mem, capacity);
  if (data == NULL) {
    buf->error = TAM_ERR_OUT_OF_MEMORY;
    return 0;
  }
  // Not realloc: the old bytes may hold a token, and are wiped.
  if (buf->data != NULL) {
    memcpy(data, buf->data, buf->len);
    tam_buf_wipe(buf);
  }
  buf->data = data;
  buf->capacity = capacity;
  return 1;
}

uint8_t *tam_buf_grow(tam_buf *buf, size_t len) {
  size_t start = buf->len;
  if (buf->error != 0) {
    return NULL;
  }
  if (len > buf->max - start) {
    buf->error = TAM_ERR_TOO_LARGE;
    return NULL;
  }
  // Memory is made even for no bytes: NULL would mean failure.
  if ((buf->data == NULL || start + len > buf->capacity) &&
      !buf_reserve(buf, start + len)) {
    return NULL;
  }
  buf->len = start + len;
  return buf->data + start;
}

void tam_buf_append(tam_buf *buf, tam_span text) {
  if (text.len == 0) {
    return;
  }
  uint8_t *at = tam_buf_grow(buf, text.len);
  if (at != NULL) {
    memcpy(at, text.ptr, text.len);
  }
}

// Returns the length in bytes of the character that |text| begins with, or 0
// when that is not UTF-8 or a control character.
static size_t printable_len(tam_span text) {
  // By the number of bytes: no smaller code may be written with as many.
  static const uint32_t least[] = {0, ' ', 0xa0, 0x800, 0x10000};
  uint32_t code = text.ptr[0];
  size_t len = code < 0x80 ? 1 : code < 0xe0 ? 2 : code < 0xf0 ? 3 : 4;
  if ((code >= 0x7f && code < 0xc0) || len > text.len) {
    return 0;
  }
  code &= len == 1 ? 0x7fU : 0xffU >> (len + 1);
  for (size_t i = 1; i < len; i++) {
    if ((text.ptr[i] & 0xc0) != 0x80) {
      return 0;
    }
    code = code << 6 | (text.ptr[i] & 0x3fU);
  }
  return code < least[len] || code > 0x10ffff || (code >> 11) == 0x1b ? 0 : len;
}

void tam_buf_append_quote(tam_buf *buf, tam_span text, size_t max) {
  text = tam_span_head_utf8(text, max);
  while (text.len > 0) {
    size_t len = printable_len(text);
    tam_buf_append(buf, len > 0 ? tam_span_head(text, len) : TAM_SPAN("?"));
    text = tam_span_from(text, len > 0 ? len : 1);
  }
}

void tam_buf_append_text(tam_buf *buf, const char *text) {
  tam_buf_append(buf, tam_span_of(text));
}

void tam_buf_append_byte(tam_buf *buf, uint8_t byte) {
  uint8_t *at = tam_buf_grow(buf, 1);
  if (at != NULL) {
    *at = byte;
  }
}

void tam_buf_append_u32(tam_buf *buf, uint32_t value) {
  tam_buf_append(buf, (tam_span){(const uint8_t *)&value, sizeof(value)});
}
