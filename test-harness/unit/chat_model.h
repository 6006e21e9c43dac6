// SPDX-License-Identifier: Apache-2.0
// A model for the tests of decoding: the logits of the next token depend on the
// last token and on the number of tokens. Follows the rows by the tokens and
// parents of each step, as the engine does.
#ifndef TAM_TEST_CHAT_MODEL_H
#define TAM_TEST_CHAT_MODEL_H

#include "chat/decoding.h"

#include "chat_params.h"

#define CHAT_MODEL_VOCAB_MAX 64
#define CHAT_MODEL_LEN_MAX   64

typedef struct chat_model {
  size_t vocab;
  uint32_t seed;
  size_t steps; // that were run
  size_t rows_len;
  int32_t rows[TAM_GENERATION_ROWS_MAX][CHAT_MODEL_LEN_MAX];
  size_t lens[TAM_GENERATION_ROWS_MAX];
} chat_model;

// Fills |logits| for what follows |last|, the token at |len| - 1.
static inline void chat_model_logits(const chat_model *self, int32_t last,
                                     size_t len, float *logits) {
  for (size_t i = 0; i < self->vocab; i++) {
    uint32_t x = self->seed * 2654435761U + (uint32_t)last * 40503U +
                 (uint32_t)len * 977U + (uint32_t)i * 7919U;
    x ^= x >> 15;
    x *= 0x2c1b3c6dU;
    x ^= x >> 12;
    x *= 0x297a2d39U;
    x ^= x >> 15;
    logits[i] = (float)(x >> 8) / 16777216.0F * 6 - 3;
  }
}

// Runs the model for each row that is not done, and a step at |now_ms|. Returns
// what the step returns, or the first error.
static inline int chat_model_step(chat_model *self, tam_decoding *decoding,
                                  double now_ms) {
  float logits[CHAT_MODEL_VOCAB_MAX];
  size_t count = self->steps == 0 ? 1 : self->rows_len;
  for (size_t i = 0; i < count; i++) {
    if (tam_decoding_is_row_done(decoding, i)) {
      continue;
    }
    size_t len = self->lens[i];
    chat_model_logits(self, self->rows[i][len - 1], len, logits);
    if (tam_decoding_is_guided(decoding)) {
      float other[CHAT_MODEL_VOCAB_MAX] = {0};
      int error =
          tam_decoding_take_unconditional(decoding, i, other, self->vocab);
      if (error != 0) {
        return error;
      }
    }
    int error = tam_decoding_take_logits(decoding, i, logits, self->vocab);
    if (error != 0) {
      return error;
    }
  }
  int status = tam_decoding_step(decoding, now_ms);
  if (status < 0) {
    return status;
  }
  chat_model old = *self;
  for (size_t i = 0; i < self->rows_len; i++) {
    size_t parent = tam_decoding_parents(decoding)[i];
    memcpy(self->rows[i], old.rows[parent], sizeof(self->rows[i]));
    self->lens[i] = old.lens[parent];
    self->rows[i][self->lens[i]++] = tam_decoding_tokens(decoding)[i];
  }
  self->steps++;
  return status;
}

// Begins with |prompt|.
static inline void chat_model_init(chat_model *self, size_t vocab,
                                   uint32_t seed, const tam_decoding *decoding,
                                   tam_token_span prompt) {
  memset(self, 0, sizeof(*self));
  self->vocab = vocab;
  self->seed = seed;
  self->rows_len = tam_decoding_rows(decoding);
  for (size_t i = 0; i < self->rows_len; i++) {
    memcpy(self->rows[i], prompt.ids, prompt.len * sizeof(*prompt.ids));
    self->lens[i] = prompt.len;
  }
}

#endif // TAM_TEST_CHAT_MODEL_H
