// SPDX-License-Identifier: Apache-2.0
// Filters and draws: the sets worked out by hand from the formulas of the
// reference, ties, what is not finite, and the distribution of draws.
#include "chat/sampler.h"

#include "chat/float_math.h"

#include "check.h"

#define INF  __builtin_inff()
#define NONE __builtin_nanf("")
#define MAX  3.402823466e38F

static const float six[] = {2, 1, 0.5F, 0, -1, -1};

static const tam_sampler_rules off = {1, 0, 0, 1, 0, 1, 0, 0, 1};

// Returns what |rules| keep of the |count| |logits|, the first token first, as
// "012"; "?" when the memory ran out.
static const char *kept(tam_sampler_rules rules, const float *logits,
                        size_t count) {
  static char text[64];
  float copy[64];
  tam_mem mem = tam_mem_default();
  tam_sampler sampler;
  size_t len = 0;
  memcpy(copy, logits, count * sizeof(*copy));
  if (tam_sampler_init(&sampler, &rules, &mem) != 0 ||
      tam_sampler_filter(&sampler, copy, count) != 0) {
    return "?";
  }
  for (; len < sampler.count; len++) {
    text[len] = (char)('0' + tam_candidate_token(sampler.candidates[len]));
  }
  text[len] = '\0';
  tam_sampler_free(&sampler);
  return text;
}

#define CHECK_KEPT(logits, expected, ...)                                      \
  do {                                                                         \
    tam_sampler_rules rules_ = off;                                            \
    __VA_ARGS__;                                                               \
    CHECK_SPAN(                                                                \
        tam_span_of(kept(rules_, logits, sizeof(logits) / sizeof(*(logits)))), \
        expected);                                                             \
  } while (0)

static void worked_values(void) {
  CHECK_KEPT(six, "012345", rules_.temperature = 2);
  CHECK_KEPT(six, "012345", rules_.top_k = 5); // a tie at the threshold
  CHECK_KEPT(six, "0123", rules_.top_k = 4);
  CHECK_KEPT(six, "0", rules_.top_k = 1);
  CHECK_KEPT(six, "012345", rules_.top_k = 500);
  CHECK_KEPT(six, "0", rules_.top_p = 0.5);
  CHECK_KEPT(six, "012", rules_.top_p = 0.8);
  CHECK_KEPT(six, "0123", rules_.top_p = 0.9);
  CHECK_KEPT(six, "0", rules_.top_p = 0);
  CHECK_KEPT(six, "012", rules_.min_p = 0.2);
  CHECK_KEPT(six, "0", rules_.min_p = 1);
  CHECK_KEPT(six, "1", rules_.typical_p = 0.2);
  CHECK_KEPT(six, "01", rules_.typical_p = 0.5);
  CHECK_KEPT(six, "0123", rules_.typical_p = 0.9);
  CHECK_KEPT(six, "012", rules_.epsilon_cutoff = 0.1);
  CHECK_KEPT(six, "0", rules_.epsilon_cutoff = 0.9);
  CHECK_KEPT(six, "012345", rules_.eta_cutoff = 0.01);
  CHECK_KEPT(six, "012", rules_.eta_cutoff = 0.1);
  CHECK_KEPT(six, "01", rules_.eta_cutoff = 0.5);
  CHECK_KEPT(six, "0", rules_.top_h = 0.1); // less than the first has
  CHECK_KEPT(six, "0", rules_.top_h = 0.4);
  CHECK_KEPT(six, "01", rules_.top_h = 0.6);
  CHECK_KEPT(six, "012", rules_.top_h = 0.8);
  CHECK_KEPT(six, "012345", rules_.top_h = 1);
  CHECK_KEPT(six, "0", rules_.temperature = 0.5, rules_.top_p = 0.8);
}

// Each filter sees the probabilities of what the ones before it have left.
static void together(void) {
  // Of {0,1,2} the probabilities are .6285, .2312, .1402.
  CHECK_KEPT(six, "01", rules_.top_k = 3, rules_.epsilon_cutoff = 0.2);
  CHECK_KEPT(six, "012", rules_.top_k = 3, rules_.epsilon_cutoff = 0.13);
  // top_h first: {0,1} are left, .7311 and .2689.
  CHECK_KEPT(six, "01", rules_.top_h = 0.6, rules_.epsilon_cutoff = 0.26);
  CHECK_KEPT(six, "0", rules_.top_h = 0.6, rules_.top_k = 1);
  // min_p is relative to the best, which top_p does not change.
  CHECK_KEPT(six, "01", rules_.top_p = 0.8, rules_.min_p = 0.3);
}

// Rounded quotients may be equal where the logits are not.
static void cooled_ties(void) {
  float near[] = {1.5F, 1.5000001F, 1.4999999F, 0};
  CHECK_KEPT(near, "1", rules_.top_k = 1);
  float tiny[] = {3e-45F, 1e-45F, 0, -1};
  CHECK_KEPT(tiny, "012", rules_.top_k = 1, rules_.temperature = 8);
  CHECK_KEPT(tiny, "0", rules_.top_k = 1);
}

static void ties(void) {
  float same[10] = {0};
  CHECK_KEPT(same, "0123456789", rules_.top_k = 1);
  CHECK_KEPT(same, "01234", rules_.top_p = 0.5);
  CHECK_KEPT(same, "0123456789", rules_.min_p = 1);
  CHECK_KEPT(same, "0123456789", rules_.typical_p = 0.1);
  CHECK_KEPT(same, "0123456789", rules_.epsilon_cutoff = 0.1);
  CHECK_KEPT(same, "0123456789", rules_.epsilon_cutoff = 0.11);
  CHECK_KEPT(same, "01234", rules_.top_h = 0.55);
  float zeros[] = {-0.0F, 0, -1};
  CHECK_KEPT(zeros, "01", rules_.top_k = 1);
  // The lower token goes first.
  CHECK_KEPT(zeros, "0", rules_.top_p = 0.1);
}

static void at_least(void) {
  CHECK_KEPT(six, "012", rules_.top_k = 1, rules_.keep = 3);
  CHECK_KEPT(six, "012", rules_.top_p = 0, rules_.keep = 3);
  CHECK_KEPT(six, "012", rules_.min_p = 1, rules_.keep = 3);
  CHECK_KEPT(six, "012", rules_.epsilon_cutoff = 0.9, rules_.keep = 3);
  CHECK_KEPT(six, "01", rules_.eta_cutoff = 0.9, rules_.keep = 2);
  CHECK_KEPT(six, "012", rules_.typical_p = 0.2, rules_.keep = 3);
  CHECK_KEPT(six, "012345", rules_.epsilon_cutoff = 0.9, rules_.keep = 5);
  CHECK_KEPT(six, "012345", rules_.top_p = 0.1, rules_.keep = 50);
}

static void not_finite(void) {
  float odd[] = {NONE, -INF, 1, NONE, 2, -INF};
  CHECK_KEPT(odd, "24", rules_.top_k = 4);
  CHECK_KEPT(odd, "4", rules_.top_p = 0.7);
  CHECK_KEPT(odd, "24", rules_.typical_p = 0.999);
  CHECK_KEPT(odd, "24", rules_.top_h = 1);
  float none[] = {NONE, -INF, -INF};
  CHECK_KEPT(none, "", rules_.top_k = 2);
  CHECK_KEPT(none, "", rules_.top_p = 0.5);
  CHECK_KEPT(none, "", rules_.top_h = 0.5);
  float all[] = {INF, 5, INF, NONE};
  CHECK_KEPT(all, "02", rules_.top_p = 0.9);
  CHECK_KEPT(all, "02", rules_.top_k = 2, rules_.temperature = 0.1);
  float large[] = {MAX, -MAX, 0};
  CHECK_KEPT(large, "0", rules_.top_p = 0.9, rules_.temperature = 0.1);
  CHECK_KEPT(large, "0", rules_.min_p = 0.001);
  CHECK_KEPT(large, "012", rules_.top_k = 3, rules_.temperature = 0.1);
  float one[] = {-3};
  CHECK_KEPT(one, "0", rules_.top_p = 0.1, rules_.typical_p = 0.1,
             rules_.eta_cutoff = 0.9, rules_.top_h = 0.1, rules_.top_k = 9);
}

static void best(void) {
  float odd[] = {NONE, -INF, 1, 7, 2, 7, -INF};
  CHECK_INT(tam_sampler_best(odd, 7), 3);
  CHECK_INT(tam_sampler_best(odd, 2), -1);
  odd[6] = INF;
  CHECK_INT(tam_sampler_best(odd, 7), 6);
  static float row[1000];
  for (size_t at = 0; at < 1000; at += 37) {
    row[at] = (float)at + 1;
    CHECK_INT(tam_sampler_best(row, 1000), at);
  }
}

// The chi-square of |draws| draws against the probabilities of |logits|. Tokens
// for which fewer than 5 are expected are taken together.
static double chi_square(const int *counts, const double *weights, size_t count,
                         int draws) {
  double total = 0;
  double sum = 0;
  double rest = 0;
  double rest_count = 0;
  for (size_t i = 0; i < count; i++) {
    total += weights[i];
  }
  for (size_t i = 0; i < count; i++) {
    double expected = weights[i] / total * draws;
    if (expected < 5) {
      rest += expected;
      rest_count += counts[i];
      continue;
    }
    sum += (counts[i] - expected) * (counts[i] - expected) / expected;
  }
  if (rest > 0) {
    sum += (rest_count - rest) * (rest_count - rest) / rest;
  } else {
    CHECK(rest_count == 0);
  }
  return sum;
}

#define DRAWS  60000
#define TOKENS 20

// 20 tokens, 19 degrees of freedom: 43.8 is passed once in a thousand, and one
// of the seeds may.
static void distribution(void) {
  float logits[TOKENS];
  double weights[TOKENS];
  tam_mem mem = tam_mem_default();
  tam_sampler_rules rules = off;
  rules.temperature = 0.8;
  for (size_t i = 0; i < TOKENS; i++) {
    logits[i] = (float)((i * 7) % TOKENS) / 6;
    weights[i] = tam_exp((double)logits[i] / 0.8);
  }
  int misses = 0;
  for (uint8_t seed = 0; seed < 20; seed++) {
    tam_random random;
    tam_sampler sampler;
    int any[TOKENS] = {0};
    int listed[TOKENS] = {0};
    tam_random_init(&random, (const uint8_t[16]){seed});
    rules.top_k = TOKENS;
    CHECK_INT(tam_sampler_init(&sampler, &rules, &mem), 0);
    CHECK_INT(tam_sampler_filter(&sampler, logits, TOKENS), 0);
    for (int i = 0; i < DRAWS; i++) {
      listed[tam_sampler_draw(&sampler, &random)]++;
      any[tam_sampler_draw_any(&sampler, logits, TOKENS, &random)]++;
    }
    misses += chi_square(listed, weights, TOKENS, DRAWS) > 43.8;
    misses += chi_square(any, weights, TOKENS, DRAWS) > 43.8;
    tam_sampler_free(&sampler);
  }
  CHECK(misses <= 2);
}

// What has no probability is never drawn; over several parts of a row, too.
static void draws(void) {
  static float row[3000];
  tam_mem mem = tam_mem_default();
  tam_random random;
  tam_sampler sampler;
  CHECK_INT(tam_sampler_init(&sampler, &off, &mem), 0);
  tam_random_init(&random, (const uint8_t[16]){3});
  for (size_t i = 0; i < 3000; i++) {
    row[i] = i % 2 ? -INF : NONE;
  }
  CHECK_INT(tam_sampler_draw_any(&sampler, row, 3000, &random), -1);
  row[700] = 1;
  row[2100] = 1;
  int first = 0;
  for (int i = 0; i < 2000; i++) {
    int32_t token = tam_sampler_draw_any(&sampler, row, 3000, &random);
    CHECK(token == 700 || token == 2100);
    first += token == 700;
  }
  CHECK(first > 850 && first < 1150);
  row[9] = INF;
  CHECK_INT(tam_sampler_draw_any(&sampler, row, 3000, &random), 9);
  CHECK(tam_sampler_is_plain(&sampler));
  sampler.count = 0;
  CHECK_INT(tam_sampler_draw(&sampler, &random), -1);
  tam_sampler_free(&sampler);
}

// Exactly k, the lower token first, and the total of their exponentials.
static void take_best(void) {
  float row[] = {1, 3, 3, NONE, 3, 2, -INF};
  tam_mem mem = tam_mem_default();
  tam_sampler sampler;
  CHECK_INT(tam_sampler_init(&sampler, &off, &mem), 0);
  CHECK_INT(tam_sampler_take_best(&sampler, row, 7, 2), 0);
  CHECK_INT(sampler.count, 2);
  CHECK_INT(tam_candidate_token(sampler.candidates[0]), 1);
  CHECK_INT(tam_candidate_token(sampler.candidates[1]), 2);
  CHECK(tam_candidate_logit(sampler.candidates[1]) == 3);
  double off_by = tam_sampler_log_total(&sampler) - 3.6931471805599454;
  CHECK(off_by < 1e-6 && off_by > -1e-6);
  CHECK_INT(tam_sampler_take_best(&sampler, row, 7, 20), 0);
  CHECK_INT(sampler.count, 5);
  tam_sampler_free(&sampler);
}

// Many equal logits: the candidates outgrow the room they had.
static int filter_many(const tam_mem *mem, const char *request) {
  (void)request;
  static float row[20000];
  tam_sampler_rules rules = off;
  rules.top_k = 5;
  rules.typical_p = 0.9;
  for (size_t i = 0; i < 20000; i++) {
    row[i] = i < 6000 ? -1 : 4;
  }
  tam_sampler sampler;
  int error = tam_sampler_init(&sampler, &rules, mem);
  if (error == 0) {
    error = tam_sampler_filter(&sampler, row, 20000);
  }
  CHECK(error != 0 || sampler.count == 14000);
  tam_sampler_free(&sampler);
  return error;
}

static void failing_memory(void) {
  check_allocations(filter_many, NULL, 0);
}

int main(void) {
  RUN(worked_values);
  RUN(together);
  RUN(cooled_ties);
  RUN(ties);
  RUN(at_least);
  RUN(not_finite);
  RUN(best);
  RUN(distribution);
  RUN(draws);
  RUN(take_best);
  RUN(failing_memory);
  return check_finish();
}
