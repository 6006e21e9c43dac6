// SPDX-License-Identifier: Apache-2.0
// What the files of a decoding share: decoding.c is its face, decoding_beams.c
// chooses with beams. Not for others.
#ifndef TAM_CHAT_DECODING_STATE_H
#define TAM_CHAT_DECODING_STATE_H

#include "chat/decoding.h"
#include "chat/logits_process.h"
#include "chat/sampler.h"

typedef struct decoding_row {
  int32_t token;
  int is_taken;          // its logits of this step
  int is_done;           // as of the last step
  int has_unconditional; // the logits of the second run are there
  tam_end_reason reason; // without beams
  double score;          // without beams
} decoding_row;

struct tam_decoding {
  tam_mem mem;
  const tam_generation_params *params;
  int32_t *eos;
  size_t eos_len;
  int32_t pad;
  size_t vocab;
  size_t max_length;
  double end_ms; // of max_time; 0: none
  int is_sampling;
  int is_scored;
  int is_first; // nothing was chosen yet
  size_t group_size;
  size_t groups_len;
  tam_beam_search *groups; // NULL without beams
  decoding_row *rows;
  size_t rows_len;
  tam_token_history *histories; // of the rows
  tam_token_history *next;      // where those of beams are put together
  int32_t *tokens;
  uint32_t *parents;
  float *unconditional; // logits of the second run, row by row
  tam_logits_process process;
  tam_sampler sampler;
  tam_random random;
  tam_decoding_state settled; // as of the last step
};

// Returns the value of a parameter that is a number or a bool.
double tam_decoding_get(const tam_decoding *self, tam_param param);

// Returns the end tokens.
tam_token_span tam_decoding_eos(const tam_decoding *self);

// Returns 1 when |row|, one of beams, goes on.
int tam_decoding_is_beam_alive(const tam_decoding *self, size_t row);

// Takes the logits of |row|, and lets its group choose when it is the last one.
// Returns 0, OUT_OF_MEMORY or UNEXPECTED_SHAPE (nothing can be chosen).
int tam_decoding_take_beam(tam_decoding *self, size_t row, float *logits);

// The same for the first logits, which are those of all groups.
int tam_decoding_take_first_beams(tam_decoding *self, float *logits);

// Returns the finished answer with the place |i| among those of all groups, or
// NULL.
const tam_hypothesis *tam_decoding_find_answer(const tam_decoding *self,
                                               size_t i);

#endif // TAM_CHAT_DECODING_STATE_H
