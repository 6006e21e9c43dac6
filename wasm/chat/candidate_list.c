// SPDX-License-Identifier: Apache-2.0
// All filters but typical_p keep the best of the ranking, typical_p the best of
// another one. So a filter is the search for the last candidate that stays:
// the ranks are read digit by digit, the highest first, and the digit is
// followed in which the wanted number, or mass, of candidates is reached. That
// takes a pass over the candidates per digit, whatever their values are.
#include "chat/candidate_list.h"

#include "core/mem.h"

// A digit of the ranks of many candidates has up to 11 bits, of few 8: then the
// bins are what takes the time.
#define FEW 4096

// Logits that are looked at in one go.
#define BLOCK TAM_FLOAT_BLOCK

// The room for candidates that is made at first.
#define ROOM_MIN 512

// Stretches of a row for each of the best logits that are wanted.
#define STRETCHES 8

// Numbers in the order of the floats. Zero has one sign here.
TAM_INLINE uint32_t order_of(float value) {
  uint32_t bits;
  value += 0.0F;
  memcpy(&bits, &value, sizeof(bits));
  return bits >> 31 != 0 ? ~bits : bits | 0x80000000U;
}

TAM_INLINE tam_candidate candidate_of(float logit, size_t token) {
  return (uint64_t)order_of(logit) << 32 | (uint32_t)~token;
}

// Returns the least logit that the temperature makes |cooled| or more: division
// rounds several to the same value.
static float warm(const tam_sampler *self, float cooled) {
  if (!(cooled > -TAM_FLOAT_MAX)) {
    return -TAM_FLOAT_MAX;
  }
  uint32_t low = order_of(-TAM_FLOAT_MAX);
  uint32_t high = order_of(TAM_FLOAT_MAX);
  while (low < high) {
    uint32_t middle = low + (high - low) / 2;
    if (tam_sampler_cool(self, tam_logit_of_order(middle)) >= cooled) {
      high = middle;
    } else {
      low = middle + 1;
    }
  }
  return tam_logit_of_order(low);
}

static int reserve(tam_sampler *self, size_t need) {
  if (need <= self->capacity) {
    return 0;
  }
  size_t capacity = need + need / 2 + ROOM_MIN;
  void *fresh = tam_mem_realloc(self->mem, self->candidates, capacity,
                                sizeof(*self->candidates));
  if (fresh == NULL) {
    return TAM_ERR_OUT_OF_MEMORY;
  }
  self->candidates = fresh;
  self->capacity = capacity;
  return 0;
}

// -----------------------------------------------------------------------------
// Finding the last one that stays

TAM_INLINE uint64_t rank_of(const tam_candidate_search *how,
                            tam_candidate candidate) {
  if (!how->is_typical) {
    return candidate;
  }
  double distance = (double)tam_logit_of(candidate) - how->centre;
  distance = distance < 0 ? -distance : distance;
  uint64_t bits;
  memcpy(&bits, &distance, sizeof(bits));
  return ~bits;
}

size_t tam_candidates_get_logits(const tam_sampler *self, size_t from,
                                 size_t max, float *logits) {
  size_t count = self->count - from < max ? self->count - from : max;
  for (size_t i = 0; i < count; i++) {
    logits[i] = tam_logit_of(self->candidates[from + i]);
  }
  return count;
}

TAM_INLINE void add_to_bin(tam_sampler_bin *bin, double mass) {
  bin->mass += mass;
  bin->count++;
}

// Counts the digit at |shift| of all candidates.
static void fill_first_bins(tam_sampler *self, const tam_candidate_search *how,
                            unsigned shift) {
  float masses[BLOCK];
  for (size_t i = 0; i < self->count; i += BLOCK) {
    size_t len = tam_candidates_get_logits(self, i, BLOCK, masses);
    for (size_t k = len; k < BLOCK; k++) {
      masses[k] = self->max;
    }
    if (how->is_mass) {
      tam_float_exp(masses, self->max);
    }
    for (size_t k = 0; k < len; k++) {
      uint64_t rank = rank_of(how, self->candidates[i + k]);
      add_to_bin(&self->bins[rank >> shift],
                 how->is_mass ? (double)masses[k] : 1);
    }
  }
}

// Counts the digit at |shift| of the candidates whose rank begins with
// |prefix|.
static void fill_bins(tam_sampler *self, const tam_candidate_search *how,
                      uint64_t prefix, unsigned before, unsigned shift) {
  uint64_t mask = (1U << (before - shift)) - 1;
  memset(self->bins, 0, ((size_t)mask + 1) * sizeof(*self->bins));
  if (before == 64) {
    fill_first_bins(self, how, shift);
    return;
  }
  for (size_t i = 0; i < self->count; i++) {
    uint64_t rank = rank_of(how, self->candidates[i]);
    if (rank >> before == prefix) {
      float logit = tam_logit_of(self->candidates[i]);
      double mass = how->is_mass ? (double)tam_exp_float(logit - self->max) : 1;
      add_to_bin(&self->bins[(rank >> shift) & mask], mass);
    }
  }
}

uint64_t tam_candidates_find_last(tam_sampler *self,
                                  const tam_candidate_search *how) {
  static const uint8_t many[] = {53, 42, 32, 21, 10, 0};
  static const uint8_t few[] = {56, 48, 40, 32, 24, 16, 8, 0};
  uint64_t prefix = 0;
  unsigned before = 64;
  double above = 0;
  for (size_t level = 0; before > how->stop; level++) {
    unsigned shift = self->count < FEW ? few[level] : many[level];
    fill_bins(self, how, prefix, before, shift);
    int is_reached = 0;
    size_t chosen = 0;
    for (size_t i = (size_t)1 << (before - shift); i-- > 0 && !is_reached;) {
      if (self->bins[i].count > 0) {
        chosen = i;
        is_reached = above + self->bins[i].mass >= how->target;
        above += is_reached ? 0 : self->bins[i].mass;
      }
    }
    if (!is_reached && level == 0) {
      return 0;
    }
    prefix = prefix << (before - shift) | chosen;
    before = shift;
    // Where equal logits stay together, the last one is wanted exactly.
    if (self->bins[chosen].count == 1 && how->stop == 0) {
      break;
    }
  }
  return prefix << before;
}

void tam_candidates_drop_below(tam_sampler *self,
                               const tam_candidate_search *how,
                               uint64_t least) {
  size_t kept = 0;
  for (size_t i = 0; i < self->count; i++) {
    tam_candidate candidate = self->candidates[i];
    self->candidates[kept] = candidate;
    kept += rank_of(how, candidate) >= least;
  }
  self->count = kept;
}

uint64_t tam_candidates_find_count(tam_sampler *self, size_t k, unsigned stop) {
  tam_candidate_search how = {(double)k, 0, 0, 0, stop};
  return k < self->count ? tam_candidates_find_last(self, &how) : 0;
}

void tam_candidates_keep_best(tam_sampler *self, size_t k, unsigned stop) {
  tam_candidate_search how = {0, 0, 0, 0, 0};
  tam_candidates_drop_below(self, &how,
                            tam_candidates_find_count(self, k, stop));
}

// -----------------------------------------------------------------------------
// From logits to candidates

TAM_INLINE void take_block(tam_sampler *self, const float *logits, size_t from,
                           size_t to, float least) {
  for (size_t i = from; i < to; i++) {
    float logit = logits[i];
    if (logit >= least) {
      self->candidates[self->count++] =
          candidate_of(tam_sampler_cool(self, logit), i);
    }
  }
}

int tam_candidates_take_from(tam_sampler *self, const float *logits,
                             size_t count, float least) {
  self->count = 0;
  for (size_t i = tam_float_find_from(logits, 0, count, least); i < count;
       i = tam_float_find_from(logits, i + BLOCK, count, least)) {
    if (reserve(self, self->count + BLOCK) != 0) {
      return TAM_ERR_OUT_OF_MEMORY;
    }
    take_block(self, logits, i, i + BLOCK < count ? i + BLOCK : count, least);
  }
  return 0;
}

// Stores a logit that at least |k| reach into |*pleast|: the k-th best of the
// largest ones of many stretches. Few more than |k| reach it as a rule.
static int find_bar(tam_sampler *self, const float *logits, size_t count,
                    size_t k, float *pleast) {
  size_t stretches = STRETCHES * k;
  size_t len = count / stretches;
  *pleast = -TAM_FLOAT_MAX;
  if (len < BLOCK) {
    return 0;
  }
  if (reserve(self, stretches) != 0) {
    return TAM_ERR_OUT_OF_MEMORY;
  }
  for (self->count = 0; self->count < stretches; self->count++) {
    float max = tam_float_max(logits + self->count * len, len);
    self->candidates[self->count] =
        candidate_of(tam_sampler_cool(self, max), self->count);
  }
  *pleast = warm(self, tam_logit_of(tam_candidates_find_count(self, k, 32)));
  return 0;
}

// What reaches the bar goes into a heap of candidates; when that is full, all
// but the best are dropped, and the bar is higher.
int tam_candidates_take_top(tam_sampler *self, const float *logits,
                            size_t count, size_t k) {
  float least;
  size_t room = k < count / 4 ? 4 * k + ROOM_MIN : count + BLOCK;
  if (find_bar(self, logits, count, k, &least) != 0) {
    return TAM_ERR_OUT_OF_MEMORY;
  }
  self->count = 0;
  for (size_t i = tam_float_find_from(logits, 0, count, least); i < count;
       i = tam_float_find_from(logits, i + BLOCK, count, least)) {
    if (self->count + BLOCK > room) {
      uint64_t last = tam_candidates_find_count(self, k, 32);
      tam_candidate_search how = {0, 0, 0, 0, 0};
      tam_candidates_drop_below(self, &how, last);
      least = warm(self, tam_logit_of(last));
      // Many are equal: they all stay.
      room = self->count > room / 2 ? 2 * room : room;
    }
    if (reserve(self, room < count ? room : count + BLOCK) != 0) {
      return TAM_ERR_OUT_OF_MEMORY;
    }
    take_block(self, logits, i, i + BLOCK < count ? i + BLOCK : count, least);
  }
  tam_candidates_keep_best(self, k, 32);
  return 0;
}
