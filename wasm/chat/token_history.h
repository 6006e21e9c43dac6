// SPDX-License-Identifier: Apache-2.0
// The tokens of one row of a generation, prompt and answer, with what the
// penalties ask at every step: which tokens occur at all, and how often those
// of the answer do. Kept up to date token by token, so that no step looks at
// the whole sequence again.
#ifndef TAM_CHAT_TOKEN_HISTORY_H
#define TAM_CHAT_TOKEN_HISTORY_H

#include "tam.h"

typedef struct tam_token_count {
  int32_t token;
  uint32_t count;
} tam_token_count;

typedef struct tam_token_history {
  const tam_mem *mem;
  size_t vocab;
  int32_t *tokens; // of the prompt, then of the answer
  size_t len;
  size_t prompt_len;
  uint32_t *seen;  // a bit for each token of the vocabulary
  int32_t *unique; // the tokens seen, each once
  size_t unique_len;
  tam_token_count *counts; // the tokens of the answer, each once
  size_t counts_len;
  size_t capacity; // of tokens, unique and counts
} tam_token_history;

// Makes |self| hold the |len| tokens of |prompt|. |vocab| is the number of
// logits in a row: other tokens may occur, but are not counted. |mem| is kept.
// Whatever it returns, |self| must be freed. Returns 0 or OUT_OF_MEMORY.
int tam_token_history_init(tam_token_history *self, const int32_t *prompt,
                           size_t len, size_t vocab, const tam_mem *mem);
void tam_token_history_free(tam_token_history *self);

// Appends |token| to the answer. Returns 0, or OUT_OF_MEMORY without a change.
int tam_token_history_append(tam_token_history *self, int32_t token);

// Makes |self| hold what |from| does; both were made with the same prompt and
// |vocab|. Returns 0, or OUT_OF_MEMORY without a change.
int tam_token_history_copy(tam_token_history *self,
                           const tam_token_history *from);

#endif // TAM_CHAT_TOKEN_HISTORY_H
