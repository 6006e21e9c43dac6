// SPDX-License-Identifier: Apache-2.0
// From logits to tokens: one request, from the first row of logits to the
// finished sequences. Knows no model and no text.
//
// A step: for each row that is not done, tam_decoding_take_logits, in ascending
// order of the rows, and some time before it, when guided,
// tam_decoding_take_unconditional; then tam_decoding_step. In the first step
// row 0 stands for all. Afterwards row i continues what row parents[i] was, by
// tokens[i].
#ifndef TAM_CHAT_DECODING_H
#define TAM_CHAT_DECODING_H

#include "chat/beam_search.h"
#include "core/random.h"

// The most logits in a row.
#define TAM_DECODING_VOCAB_MAX (1U << 24)

typedef struct tam_decoding tam_decoding;

typedef struct tam_decoding_setup {
  // Settled, with a seed. Must stay until the decoding is deleted.
  const tam_generation_params *params;
  // What the decoder begins with, one token or more.
  tam_token_span prompt;
  // The input of the encoder; empty when the model has none.
  tam_token_span encoder;
  // Logits in a row: as many as the first row that came has.
  size_t vocab;
  // Of the model; what the parameters say goes first.
  tam_token_span eos;
  int32_t pad; // -1: none
  // Positions that the model has; 0: unknown.
  size_t context_len;
  // When max_time begins.
  double start_ms;
} tam_decoding_setup;

// A finished sequence, valid until the decoding is used again.
typedef struct tam_decoding_result {
  tam_token_span tokens; // without the prompt, with the end token
  tam_end_reason reason;
  // With output_scores, and always with beams: the sum of the logarithms of the
  // tokens' probabilities, with beams by length. Else 0.
  double score;
} tam_decoding_result;

// What decides, besides the tokens so far, how a decoding without beams goes
// on.
typedef struct tam_decoding_state {
  tam_random random;
  double score;
} tam_decoding_state;

// Creates a decoding; all but the parameters is copied. Errors:
// INVALID_ARGUMENT (no prompt, vocab 0 or too large), TOO_LARGE (the prompt
// fills the context), INVALID_PARAMS (it reaches max_length), OUT_OF_MEMORY.
int tam_decoding_new(tam_decoding **pself, const tam_decoding_setup *setup,
                     const tam_mem *mem);

// Frees |self|; NULL is allowed.
void tam_decoding_del(tam_decoding *self);

// Returns the number of rows that are generated side by side.
size_t tam_decoding_rows(const tam_decoding *self);

// Returns 1 when guidance_scale needs the logits of a second run, which begins
// with the last token of the prompt and goes on as the first one does.
int tam_decoding_is_guided(const tam_decoding *self);

// Takes the |count| logits of the second run for |row|, before those of the
// first. Errors: INVALID_ARGUMENT, INVALID_STATE (not guided).
int tam_decoding_take_unconditional(tam_decoding *self, size_t row,
                                    const float *logits, size_t count);

// Takes the |count| logits of |row|, which are changed. Those of a row that is
// done are ignored. Errors: INVALID_ARGUMENT (no such row, or |count| is not
// vocab), INVALID_STATE (taken already, not in order, or not the first row of
// the first step; guided and the second run's are missing), OUT_OF_MEMORY,
// UNEXPECTED_SHAPE (no token can be chosen: everything is banned, minus
// infinity or NaN).
int tam_decoding_take_logits(tam_decoding *self, size_t row, float *logits,
                             size_t count);

// Ends a step. Returns 1 when all rows are done, else 0. Errors: INVALID_STATE
// (logits are missing, or all is done), OUT_OF_MEMORY.
int tam_decoding_step(tam_decoding *self, double now_ms);

// Returns the state behind the last step of a decoding with one row.
tam_decoding_state tam_decoding_state_of(const tam_decoding *self);

// Takes |token|, which was chosen before, in place of a step; one row. Returns
// as tam_decoding_step does. Errors: OUT_OF_MEMORY.
int tam_decoding_repeat(tam_decoding *self, int32_t token);

// Goes on behind the tokens that were repeated.
void tam_decoding_restore(tam_decoding *self, const tam_decoding_state *state);

// Return what the last step decided, one entry for each row. The token of a row
// that was done before is the padding.
const int32_t *tam_decoding_tokens(const tam_decoding *self);
const uint32_t *tam_decoding_parents(const tam_decoding *self);

// Returns 1 when nothing more is wanted of |row|.
int tam_decoding_is_row_done(const tam_decoding *self, size_t row);

// Returns 1 when all rows are done.
int tam_decoding_is_done(const tam_decoding *self);

// Ends |row|: its text has a stop string, or nobody wants more of it. Without
// effect when it is done. Returns 0 or OUT_OF_MEMORY.
int tam_decoding_stop_row(tam_decoding *self, size_t row,
                          tam_end_reason reason);

// Ends all rows. Returns 0 or OUT_OF_MEMORY.
int tam_decoding_stop(tam_decoding *self, tam_end_reason reason);

// Returns the number of sequences: what num_return_sequences asked for, fewer
// when beams were stopped early. Call when all is done.
size_t tam_decoding_sequences(const tam_decoding *self);

// Returns the sequence |i|; with beams the best first.
tam_decoding_result tam_decoding_sequence(const tam_decoding *self, size_t i);

#endif // TAM_CHAT_DECODING_H
