// SPDX-License-Identifier: Apache-2.0
// What changes a row of logits before a token is chosen: guidance, biases,
// penalties, bans and forced tokens, in the order of the Python reference. The
// penalties that it does not know (presence, frequency, logit_bias) follow its
// repetition penalties, so that bans have the last word.
#ifndef TAM_CHAT_LOGITS_PROCESS_H
#define TAM_CHAT_LOGITS_PROCESS_H

#include "chat/generation_params.h"
#include "chat/token_history.h"

typedef struct tam_logits_process {
  const tam_generation_params *params;
  tam_token_span eos;
  size_t prompt_len;
  size_t max_length; // tokens of prompt and answer together
  // What the penalties named after the encoder look at: its input, or the
  // prompt when the model has no encoder.
  tam_token_history encoder;
} tam_logits_process;

typedef struct tam_logits_process_setup {
  const tam_generation_params *params; // kept
  tam_token_span eos;                  // kept
  tam_token_span prompt;               // what the decoder begins with
  tam_token_span encoder;              // input of the encoder; empty: none
  size_t max_length;
  size_t vocab; // logits in a row
} tam_logits_process_setup;

// Whatever it returns, |self| must be freed. Returns 0 or OUT_OF_MEMORY.
int tam_logits_process_init(tam_logits_process *self,
                            const tam_logits_process_setup *setup,
                            const tam_mem *mem);
void tam_logits_process_free(tam_logits_process *self);

// Makes |logits| what guidance_scale makes of them and of those without the
// prompt, |unconditional|. Both have |vocab| entries and are changed.
void tam_logits_process_guide(const tam_logits_process *self, float *logits,
                              float *unconditional, size_t vocab);

// Changes |logits|, one for each token of the vocabulary of |history|.
void tam_logits_process_apply(const tam_logits_process *self,
                              const tam_token_history *history, float *logits);

// Takes from each of the |count| |values| the logarithm of the sum of their
// exponentials: they become logarithms of probabilities. NaN stays; when
// nothing is finite, nothing changes.
void tam_logits_normalize(float *values, size_t count);

#endif // TAM_CHAT_LOGITS_PROCESS_H
