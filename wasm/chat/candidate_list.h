// SPDX-License-Identifier: Apache-2.0
// The candidates of a sampler: taken from a row of logits, ranked, dropped.
// Private to the sampler.
#ifndef TAM_CHAT_CANDIDATE_LIST_H
#define TAM_CHAT_CANDIDATE_LIST_H

#include "chat/float_math.h"
#include "chat/sampler.h"
#include "core/simd.h"

#include <string.h>

// Bins in which ranks are counted.
#define TAM_CANDIDATE_BINS 2048

// How candidates are ranked, and what is counted of them.
typedef struct tam_candidate_search {
  double target;  // what is kept reaches it
  int is_mass;    // e^(logit - max) counts, else 1
  int is_typical; // ranked by the distance from |centre|, the least first
  double centre;
  unsigned stop; // the lowest bit that matters
} tam_candidate_search;

// The logit of which |order| is the number in the order of the floats.
TAM_INLINE float tam_logit_of_order(uint32_t order) {
  float value;
  uint32_t bits = order >> 31 != 0 ? order & 0x7fffffffU : ~order;
  memcpy(&value, &bits, sizeof(value));
  return value;
}

TAM_INLINE float tam_logit_of(tam_candidate candidate) {
  return tam_logit_of_order((uint32_t)(candidate >> 32));
}

// Puts what is infinite back to the ends of the finite.
TAM_INLINE float tam_logit_clamp(float logit) {
  logit = logit > TAM_FLOAT_MAX ? TAM_FLOAT_MAX : logit;
  return logit < -TAM_FLOAT_MAX ? -TAM_FLOAT_MAX : logit;
}

// Divides by the temperature.
TAM_INLINE float tam_sampler_cool(const tam_sampler *self, float logit) {
  return tam_logit_clamp(tam_logit_clamp(logit) / self->temperature);
}

// Makes the logits of |least| or more the candidates. Returns 0 or
// OUT_OF_MEMORY.
int tam_candidates_take_from(tam_sampler *self, const float *logits,
                             size_t count, float least);

// Makes the best |k| logits, 1 or more, and those equal to the last of them the
// candidates. Returns 0 or OUT_OF_MEMORY.
int tam_candidates_take_top(tam_sampler *self, const float *logits,
                            size_t count, size_t k);

// Copies the logits of up to |max| candidates from |from| on; returns how many.
size_t tam_candidates_get_logits(const tam_sampler *self, size_t from,
                                 size_t max, float *logits);

// Returns the least rank that stays: candidates stay while those before them
// are not yet the target. Returns 0, which keeps all, when it is not reached.
uint64_t tam_candidates_find_last(tam_sampler *self,
                                  const tam_candidate_search *how);

// Returns the least rank of the best |k|; |stop| 32 lets equal logits stay
// together.
uint64_t tam_candidates_find_count(tam_sampler *self, size_t k, unsigned stop);

// Drops the candidates whose rank is below |least|.
void tam_candidates_drop_below(tam_sampler *self,
                               const tam_candidate_search *how, uint64_t least);

// Keeps the best |k|, and with |stop| 32 those equal to the last of them.
void tam_candidates_keep_best(tam_sampler *self, size_t k, unsigned stop);

#endif // TAM_CHAT_CANDIDATE_LIST_H
