// SPDX-License-Identifier: Apache-2.0
// A growing byte buffer with a cap. Errors are sticky: append freely, check
// once at the end. When it moves to grow, it wipes the bytes it leaves behind.
#ifndef TAM_CORE_BUF_H
#define TAM_CORE_BUF_H

#include "core/span.h"

typedef struct tam_buf {
  const tam_mem *mem; // NULL: the memory is the caller's
  uint8_t *data;
  size_t len;
  size_t capacity;
  size_t max;
  int error; // 0, TOO_LARGE or OUT_OF_MEMORY; the first one wins
} tam_buf;

// Makes |buf| empty. |mem| is kept; |max| is the largest length in bytes.
void tam_buf_init(tam_buf *buf, const tam_mem *mem, size_t max);

// Makes |buf| an empty buffer over the |capacity| bytes at |data|, which the
// caller keeps: it never allocates, and beyond the capacity it is TOO_LARGE.
void tam_buf_init_fixed(tam_buf *buf, uint8_t *data, size_t capacity);

// Frees the bytes; |buf| is empty afterwards and may be used again.
void tam_buf_free(tam_buf *buf);

// Overwrites the bytes, which may hold a secret, and frees them.
void tam_buf_wipe(tam_buf *buf);

// Forgets the contents and the error, keeps the memory.
void tam_buf_reset(tam_buf *buf);

// Makes room for |len| more bytes and returns where they go, or NULL (the
// error is then set). The length grows by |len|; the caller fills the bytes.
uint8_t *tam_buf_grow(tam_buf *buf, size_t len);

// Appends a copy of |text|.
void tam_buf_append(tam_buf *buf, tam_span text);

// Appends at most |max| bytes of |text|, which a platform or a server wrote, to
// a message of ours. Bytes that are not UTF-8, and control characters, become
// question marks.
void tam_buf_append_quote(tam_buf *buf, tam_span text, size_t max);

// Appends |text|, which ends with NUL.
void tam_buf_append_text(tam_buf *buf, const char *text);

void tam_buf_append_byte(tam_buf *buf, uint8_t byte);

// Appends the four bytes of |value| as they lie in memory.
void tam_buf_append_u32(tam_buf *buf, uint32_t value);

// Returns the contents, valid until the next change.
TAM_SPAN_INLINE tam_span tam_buf_span(const tam_buf *buf) {
  tam_span span = {buf->data, buf->len};
  return span;
}

#endif // TAM_CORE_BUF_H
