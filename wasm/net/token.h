// SPDX-License-Identifier: Apache-2.0
// The access token of whoever is logged in, for requests to the Hub that bring
// none of their own. It leaves this object in headers only.
#ifndef TAM_NET_TOKEN_H
#define TAM_NET_TOKEN_H

#include "core/buf.h"

// The longest token that is kept. The Hub's have 37 bytes, those of an OAuth
// login some hundreds.
#define TAM_TOKEN_MAX 2048

// The longest header with it.
#define TAM_TOKEN_HEADER_MAX (TAM_TOKEN_MAX + 32)

// The most bytes that are quoted of what a platform says.
#define TAM_TOKEN_WORDS_MAX 160

typedef struct tam_token {
  size_t len; // 0: nobody is logged in
  uint8_t text[TAM_TOKEN_MAX];
} tam_token;

// Returns 1 when |text| looks like a token of the Hub: "hf_", then letters,
// digits and "_-.", and not too long.
int tam_token_is_valid(tam_span text);

// Keeps |text|, which must be valid, instead of what was kept.
void tam_token_keep(tam_token *self, tam_span text);

// Forgets what is kept; nothing of it stays in memory.
void tam_token_forget(tam_token *self);

TAM_SPAN_INLINE tam_span tam_token_text(const tam_token *self) {
  return (tam_span){self->text, self->len};
}

// Appends the header of a request that brings |own|; when that is empty, with
// the token that is kept, if there is one. |headers| must not move what it has.
void tam_token_append_header(const tam_token *self, tam_span own,
                             tam_buf *headers);

// Returns 1 when |text|, which somebody else wrote, has the token in it: that
// of a request that brings |own|, as above.
int tam_token_is_within(const tam_token *self, tam_span own, tam_span text);

// Appends |words|, what the platform says of a connection that failed, to the
// sentence |text|, up to a length. Nothing when there are none, or when they
// have the token in them, as above.
void tam_token_append_words(const tam_token *self, tam_span own, tam_span words,
                            tam_buf *text);

#endif // TAM_NET_TOKEN_H
