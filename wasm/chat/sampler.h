// SPDX-License-Identifier: Apache-2.0
// Chooses a token from a row of logits: the filters of the Python reference in
// its order, and a draw from what they keep. Of a whole vocabulary only what
// can survive the first filter becomes a candidate; nothing is ever sorted.
//
// Tokens are ranked by logit, equal ones by number, the lower first. A NaN and
// minus infinity are never chosen; infinity counts as the largest float.
#ifndef TAM_CHAT_SAMPLER_H
#define TAM_CHAT_SAMPLER_H

#include "core/random.h"
#include "tam.h"

// The filters, in the order in which they are applied.
typedef struct tam_sampler_rules {
  double temperature;    // above 0; 1: off
  double top_h;          // 0: off
  size_t top_k;          // 0: off
  double top_p;          // 1: off
  double min_p;          // 0: off
  double typical_p;      // 1: off
  double epsilon_cutoff; // 0: off
  double eta_cutoff;     // 0: off
  size_t keep;           // candidates that must stay, 1 or more
} tam_sampler_rules;

// A candidate: the order of its logit above, the order of its number below. The
// greater the value, the better the rank.
typedef uint64_t tam_candidate;

typedef struct tam_sampler_bin {
  double mass;
  size_t count;
} tam_sampler_bin;

typedef struct tam_sampler {
  const tam_mem *mem;
  tam_sampler_rules rules;
  float temperature;
  tam_candidate *candidates; // ascending by token after each filter
  size_t count;
  size_t capacity;
  tam_sampler_bin *bins;
  // Of the distribution that the candidates were taken from: the largest logit,
  // the sum of e^(logit - max), and the entropy in nats.
  float max;
  double total;
  double entropy;
} tam_sampler;

// Whatever it returns, |self| must be freed. Returns 0 or OUT_OF_MEMORY.
int tam_sampler_init(tam_sampler *self, const tam_sampler_rules *rules,
                     const tam_mem *mem);
void tam_sampler_free(tam_sampler *self);

// Applies the filters to the |count| |logits|; what they keep are the
// candidates afterwards, perhaps none. The logits are changed only where they
// are infinite. Returns 0 or OUT_OF_MEMORY.
int tam_sampler_filter(tam_sampler *self, float *logits, size_t count);

// Makes the |k| tokens with the best rank the candidates, or as many as have a
// finite logit; no temperature. Returns 0 or OUT_OF_MEMORY.
int tam_sampler_take_best(tam_sampler *self, const float *logits, size_t count,
                          size_t k);

// Draws one of the candidates by its probability. Returns -1 when there is
// none.
int32_t tam_sampler_draw(const tam_sampler *self, tam_random *random);

// Draws from all |count| |logits|, without a filter and at the temperature of
// the rules. Needs no memory. Returns -1 when none can be drawn.
int32_t tam_sampler_draw_any(const tam_sampler *self, float *logits,
                             size_t count, tam_random *random);

// Returns 1 when no filter is on, so that tam_sampler_draw_any does.
int tam_sampler_is_plain(const tam_sampler *self);

// Returns the token with the best rank, or -1 when none is finite.
int32_t tam_sampler_best(const float *logits, size_t count);

// The token and the logit, after temperature, of a candidate.
int32_t tam_candidate_token(tam_candidate candidate);
float tam_candidate_logit(tam_candidate candidate);

// Returns the logarithm of the sum of the exponentials of the candidates'
// logits; there must be one.
double tam_sampler_log_total(const tam_sampler *self);

#endif // TAM_CHAT_SAMPLER_H
