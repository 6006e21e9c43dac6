// SPDX-License-Identifier: Apache-2.0
// The wait before the next attempt doubles, is capped and varies.
#include "check.h"

#include "net/backoff.h"

static const uint8_t seed[16] = "backoff";

static void test_range(void) {
  static const struct {
    unsigned failures;
    double full_ms;
  } cases[] = {{1, 100},   {2, 200},   {3, 400},           {7, 6400},
               {8, 10000}, {9, 10000}, {UINT32_MAX, 10000}};
  tam_random random;
  tam_random_init(&random, seed);
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
    for (int draw = 0; draw < 100; draw++) {
      double delay_ms = tam_backoff_delay(cases[i].failures, &random);
      CHECK(delay_ms >= cases[i].full_ms / 2);
      CHECK(delay_ms < cases[i].full_ms);
    }
  }
}

static void test_jitter(void) {
  tam_random random;
  tam_random_init(&random, seed);
  double sum = 0;
  for (int draw = 0; draw < 10000; draw++) {
    sum += tam_backoff_delay(1, &random);
  }
  CHECK(sum / 10000 > 74 && sum / 10000 < 76);
}

int main(void) {
  RUN(test_range);
  RUN(test_jitter);
  return check_finish();
}
