// SPDX-License-Identifier: Apache-2.0
#include "net/token.h"

#include "core/mem.h"

#include <string.h>

static int is_token_byte(uint8_t byte) {
  uint8_t letter = byte | 0x20;
  return (letter >= 'a' && letter <= 'z') || (byte >= '0' && byte <= '9') ||
         byte == '_' || byte == '-' || byte == '.';
}

int tam_token_is_valid(tam_span text) {
  if (!tam_span_starts_with(text, TAM_SPAN("hf_")) || text.len == 3 ||
      text.len > TAM_TOKEN_MAX) {
    return 0;
  }
  for (size_t i = 0; i < text.len; i++) {
    if (!is_token_byte(text.ptr[i])) {
      return 0;
    }
  }
  return 1;
}

void tam_token_keep(tam_token *self, tam_span text) {
  tam_token_forget(self);
  memcpy(self->text, text.ptr, text.len);
  self->len = text.len;
}

void tam_token_forget(tam_token *self) {
  tam_mem_wipe(self, sizeof(*self));
}

// Returns the token of a request that brings |own|.
TAM_SPAN_INLINE tam_span token_of(const tam_token *self, tam_span own) {
  return own.len > 0 ? own : tam_token_text(self);
}

void tam_token_append_header(const tam_token *self, tam_span own,
                             tam_buf *headers) {
  tam_span token = token_of(self, own);
  if (token.len > 0) {
    tam_buf_append_text(headers, "authorization: Bearer ");
    tam_buf_append(headers, token);
    tam_buf_append_text(headers, "\r\n");
  }
}

int tam_token_is_within(const tam_token *self, tam_span own, tam_span text) {
  tam_span token = token_of(self, own);
  return token.len > 0 && tam_span_find(text, token) < text.len;
}

void tam_token_append_words(const tam_token *self, tam_span own, tam_span words,
                            tam_buf *text) {
  if (words.len > 0 && !tam_token_is_within(self, own, words)) {
    tam_buf_append_text(text, ": ");
    tam_buf_append_quote(text, words, TAM_TOKEN_WORDS_MAX);
  }
}
