// SPDX-License-Identifier: Apache-2.0
#include "chat/sampler.h"

#include "chat/candidate_list.h"
#include "core/mem.h"

// Logits whose exponentials are added up together.
#define PART 512

// top_h looks at so many of the best.
#define TOP_H_COUNT 100

// What the terms of an entropy may differ from it by, relatively.
#define TOP_H_ROUNDING 1e-6

// How much lower than computed a bound for candidates is set: what is let in
// too much is dropped by the exact filter.
#define SLACK 0.99

int32_t tam_candidate_token(tam_candidate candidate) {
  return (int32_t) ~(uint32_t)candidate;
}

float tam_candidate_logit(tam_candidate candidate) {
  return tam_logit_of(candidate);
}

// -----------------------------------------------------------------------------
// What the filters measure

static void set_measures(tam_sampler *self, tam_exp_sum sum) {
  self->total = sum.total;
  self->entropy = tam_log(sum.total) - sum.weighted / sum.total;
}

static void measure(tam_sampler *self) {
  tam_exp_sum sum = {0, 0};
  tam_candidate best = 0;
  for (size_t i = 0; i < self->count; i++) {
    best = self->candidates[i] > best ? self->candidates[i] : best;
  }
  self->max = tam_logit_of(best);
  float logits[PART];
  for (size_t i = 0; i < self->count; i += PART) {
    size_t len = tam_candidates_get_logits(self, i, PART, logits);
    tam_exp_sum part = tam_float_sum_weighted(logits, len, self->max, 1);
    sum.total += part.total;
    sum.weighted += part.weighted;
  }
  set_measures(self, sum);
}

// -----------------------------------------------------------------------------
// Filters

// Walks down the best while their share of the entropy is not used up.
static void filter_top_h(tam_sampler *self) {
  tam_candidates_keep_best(self, TOP_H_COUNT, 0);
  measure(self);
  double left = self->rules.top_h * self->entropy;
  tam_candidate last = ~(tam_candidate)0;
  for (size_t walked = 0; walked < self->count; walked++) {
    tam_candidate next = 0;
    for (size_t i = 0; i < self->count; i++) {
      tam_candidate candidate = self->candidates[i];
      next = candidate < last && candidate > next ? candidate : next;
    }
    double d = (double)(tam_logit_of(next) - self->max);
    double p = (double)tam_exp_float((float)d) / self->total;
    left -= p > 0 ? p * (tam_log(self->total) - d) : 0;
    if (walked > 0 && (left < -TOP_H_ROUNDING * self->entropy || p == 0)) {
      break;
    }
    last = next;
  }
  tam_candidate_search how = {0, 0, 0, 0, 0};
  tam_candidates_drop_below(self, &how, last);
}

// Keeps the best until their mass is |part| of all, by rank or by distance from
// what is typical, and |keep| of them at least.
static void filter_mass(tam_sampler *self, double part, int is_typical) {
  double centre =
      is_typical ? tam_log(self->total) + (double)self->max - self->entropy : 0;
  tam_candidate_search how = {part * self->total, 1, is_typical, centre, 0};
  uint64_t least = tam_candidates_find_last(self, &how);
  if (self->rules.keep > 1) {
    tam_candidate_search count = {(double)self->rules.keep, 0, is_typical,
                                  centre, 0};
    uint64_t must = tam_candidates_find_last(self, &count);
    least = must < least ? must : least;
  }
  tam_candidates_drop_below(self, &how, least);
}

// Drops what is less than |least| times as likely as the best, except the
// |keep| best.
static void filter_mass_below(tam_sampler *self, double least, unsigned stop) {
  uint64_t must = tam_candidates_find_count(self, self->rules.keep, stop);
  size_t kept = 0;
  for (size_t i = 0; i < self->count; i++) {
    tam_candidate candidate = self->candidates[i];
    double e = (double)tam_exp_float(tam_logit_of(candidate) - self->max);
    self->candidates[kept] = candidate;
    kept += e >= least || candidate >= must;
  }
  self->count = kept;
}

static double eta_of(const tam_sampler *self) {
  double epsilon = self->rules.eta_cutoff;
  double root = tam_power(epsilon, 0.5) * tam_exp(-self->entropy);
  return epsilon < root ? epsilon : root;
}

// The filters whose first one may have to look at a whole vocabulary.
typedef enum filter {
  FILTER_TOP_P = 0,
  FILTER_MIN_P,
  FILTER_TYPICAL,
  FILTER_EPSILON,
  FILTER_ETA,
  FILTER_NONE
} filter;

static int is_on(const tam_sampler_rules *rules, filter which) {
  switch (which) {
  case FILTER_TOP_P:
    return rules->top_p < 1;
  case FILTER_MIN_P:
    return rules->min_p > 0;
  case FILTER_TYPICAL:
    return rules->typical_p < 1;
  case FILTER_EPSILON:
    return rules->epsilon_cutoff > 0;
  case FILTER_ETA:
    return rules->eta_cutoff > 0;
  default:
    return 1;
  }
}

static filter next_filter(const tam_sampler *self, filter which) {
  while (!is_on(&self->rules, which)) {
    which++;
  }
  return which;
}

static void run_filter(tam_sampler *self, filter which) {
  const tam_sampler_rules *rules = &self->rules;
  switch (which) {
  case FILTER_TOP_P:
    filter_mass(self, rules->top_p, 0);
    break;
  case FILTER_MIN_P:
    filter_mass_below(self, rules->min_p, 0);
    break;
  case FILTER_TYPICAL:
    filter_mass(self, rules->typical_p, 1);
    break;
  case FILTER_EPSILON:
    filter_mass_below(self, rules->epsilon_cutoff * self->total, 32);
    break;
  default:
    filter_mass_below(self, eta_of(self) * self->total, 32);
  }
}

// Returns e^(logit - max) below which top_p drops everything: all that are less
// likely do not reach the mass that it drops together. That is so for the share
// of one in that mass, and often for more.
static double top_p_bound(const tam_sampler *self, const double *tails,
                          size_t count) {
  double dropped = (1 - self->rules.top_p) * self->total;
  double bound = dropped / (double)count;
  for (int i = 0; i < TAM_EXP_TAILS; i++) {
    double each = (double)TAM_EXP_TAIL_BOUND(i);
    if (tails[i] < dropped * SLACK && each > bound) {
      bound = each;
    }
  }
  return bound;
}

// Measures the |logits| as |which|, the first filter, needs it. Returns
// e^(logit - max) below which it drops everything.
static double measure_for(tam_sampler *self, filter which, const float *logits,
                          size_t count, float max) {
  float scale = 1 / self->temperature;
  if (which == FILTER_TOP_P) {
    double tails[TAM_EXP_TAILS];
    self->total = tam_float_sum_tails(logits, count, max, scale, tails);
    return top_p_bound(self, tails, count);
  }
  set_measures(self, tam_float_sum_weighted(logits, count, max, scale));
  switch (which) {
  case FILTER_MIN_P:
    return self->rules.min_p;
  case FILTER_EPSILON:
    return self->rules.epsilon_cutoff * self->total;
  case FILTER_ETA:
    return eta_of(self) * self->total;
  default:
    return 0;
  }
}

// Replaces infinity; returns the largest logit, after that.
static float tame(float *logits, size_t count) {
  float max = tam_float_max(logits, count);
  for (size_t i = 0; i < count && max > TAM_FLOAT_MAX; i++) {
    if (logits[i] > TAM_FLOAT_MAX) {
      logits[i] = TAM_FLOAT_MAX;
    }
  }
  return max > TAM_FLOAT_MAX ? TAM_FLOAT_MAX : max;
}

// Takes what can survive |which|, the first filter, and measures the whole.
static int take_for(tam_sampler *self, filter which, float *logits,
                    size_t count) {
  float max = tame(logits, count);
  self->count = 0;
  if (max < -TAM_FLOAT_MAX) {
    return 0;
  }
  self->max = tam_sampler_cool(self, max);
  if (self->max >= TAM_FLOAT_MAX || self->max <= -TAM_FLOAT_MAX) {
    // Several may have come to the end of the floats.
    int error = tam_candidates_take_from(self, logits, count, -TAM_FLOAT_MAX);
    if (error == 0) {
      measure(self);
    }
    return error;
  }
  double bound = measure_for(self, which, logits, count, max) * SLACK;
  double least = bound > 0
                     ? (double)max + (double)self->temperature * tam_log(bound)
                     : (double)-TAM_FLOAT_MAX;
  least = least > (double)max ? (double)max : least;
  least = least < (double)-TAM_FLOAT_MAX ? (double)-TAM_FLOAT_MAX : least;
  int error = tam_candidates_take_from(self, logits, count, (float)least);
  if (error == 0 && self->count < self->rules.keep) {
    error = tam_candidates_take_top(self, logits, count, self->rules.keep);
  }
  return error;
}

int tam_sampler_filter(tam_sampler *self, float *logits, size_t count) {
  const tam_sampler_rules *rules = &self->rules;
  filter which = next_filter(self, FILTER_TOP_P);
  if (rules->top_h == 0 && rules->top_k == 0) {
    int error = take_for(self, which, logits, count);
    if (error != 0 || self->count == 0 || which == FILTER_NONE) {
      return error;
    }
    run_filter(self, which);
    which = next_filter(self, which + 1);
  } else {
    size_t k = rules->top_k > rules->keep ? rules->top_k : rules->keep;
    int error = tam_candidates_take_top(self, logits, count,
                                        rules->top_h > 0 ? TOP_H_COUNT : k);
    if (error != 0 || self->count == 0) {
      return error;
    }
    if (rules->top_h > 0) {
      filter_top_h(self);
      tam_candidates_keep_best(self, rules->top_k > 0 ? k : self->count, 32);
    }
  }
  for (; which != FILTER_NONE; which = next_filter(self, which + 1)) {
    measure(self);
    run_filter(self, which);
  }
  measure(self);
  return 0;
}

int tam_sampler_take_best(tam_sampler *self, const float *logits, size_t count,
                          size_t k) {
  int error = tam_candidates_take_top(self, logits, count, k);
  if (error == 0 && self->count > 0) {
    tam_candidates_keep_best(self, k, 0);
    measure(self);
  }
  return error;
}

// -----------------------------------------------------------------------------

int tam_sampler_init(tam_sampler *self, const tam_sampler_rules *rules,
                     const tam_mem *mem) {
  memset(self, 0, sizeof(*self));
  self->mem = mem;
  self->rules = *rules;
  // Not below the least normal float, so that its inverse is finite.
  double least = 1.17549435e-38;
  self->temperature =
      (float)(rules->temperature > least ? rules->temperature : least);
  self->bins = tam_mem_malloc(mem, TAM_CANDIDATE_BINS * sizeof(*self->bins));
  return self->bins != NULL ? 0 : TAM_ERR_OUT_OF_MEMORY;
}

void tam_sampler_free(tam_sampler *self) {
  if (self->mem != NULL) {
    tam_mem_free(self->mem, self->candidates);
    tam_mem_free(self->mem, self->bins);
  }
  memset(self, 0, sizeof(*self));
}

// A number in [0, 1) with all the bits of a double.
static double draw_unit(tam_random *random) {
  uint64_t high = tam_random_next(random);
  uint64_t bits = high << 21 | tam_random_next(random) >> 11;
  return (double)bits / 9007199254740992.0;
}

// A draw that goes through the logits part by part: only the one that has what
// is drawn is looked at one by one.
typedef struct draw {
  double left; // of the mass before what is drawn
  float max;
  float scale;
} draw;

// Returns which of the |count| logits is drawn, or -1 when it is behind them.
// The last part has what rounding leaves.
static int32_t draw_part(draw *self, const float *logits, size_t count,
                         int is_last) {
  double part = tam_float_sum_exp(logits, count, self->max, self->scale);
  int32_t drawn = -1;
  if (self->left >= part && !is_last) {
    self->left -= part;
    return -1;
  }
  for (size_t i = 0; i < count && self->left >= 0; i++) {
    float d = (logits[i] - self->max) * self->scale;
    double e = (double)tam_exp_float(d);
    if (e > 0) {
      drawn = (int32_t)i;
      self->left -= e;
    }
  }
  return drawn;
}

int32_t tam_sampler_draw(const tam_sampler *self, tam_random *random) {
  draw state = {draw_unit(random) * self->total, self->max, 1};
  float logits[PART];
  for (size_t i = 0; i < self->count; i += PART) {
    size_t len = tam_candidates_get_logits(self, i, PART, logits);
    int32_t drawn = draw_part(&state, logits, len, i + len == self->count);
    if (drawn >= 0) {
      return tam_candidate_token(self->candidates[i + (size_t)drawn]);
    }
  }
  return self->count > 0 ? tam_candidate_token(self->candidates[0]) : -1;
}

int32_t tam_sampler_draw_any(const tam_sampler *self, float *logits,
                             size_t count, tam_random *random) {
  draw state = {draw_unit(random), tame(logits, count), 1 / self->temperature};
  if (state.max < -TAM_FLOAT_MAX) {
    return -1;
  }
  state.left *= tam_float_sum_exp(logits, count, state.max, state.scale);
  for (size_t i = 0; i < count; i += PART) {
    size_t len = count - i < PART ? count - i : PART;
    int32_t drawn = draw_part(&state, logits + i, len, i + len == count);
    if (drawn >= 0) {
      return (int32_t)i + drawn;
    }
  }
  // Rounding has left a rest that nothing takes.
  return tam_sampler_best(logits, count);
}

int tam_sampler_is_plain(const tam_sampler *self) {
  return self->rules.top_h == 0 && self->rules.top_k == 0 &&
         next_filter(self, FILTER_TOP_P) == FILTER_NONE;
}

int32_t tam_sampler_best(const float *logits, size_t count) {
  float max = tam_float_max(logits, count);
  if (!(max >= -TAM_FLOAT_MAX)) {
    return -1;
  }
  size_t i = tam_float_find_from(logits, 0, count, max);
  while (logits[i] != max) {
    i++;
  }
  return (int32_t)i;
}

double tam_sampler_log_total(const tam_sampler *self) {
  return (double)self->max + tam_log(self->total);
}
