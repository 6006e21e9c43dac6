// SPDX-License-Identifier: Apache-2.0
// Percentiles of known samples, and the timeouts that follow from them.
#include "check.h"

#include "net/latency.h"

static void add_many(tam_latency *latency, double duration_ms, int count) {
  for (int i = 0; i < count; i++) {
    tam_latency_add(latency, duration_ms);
  }
}

static void test_percentile(void) {
  tam_latency latency = {0};
  CHECK(tam_latency_percentile(&latency, 98) == 0);
  for (int ms = 1; ms <= 500; ms++) {
    tam_latency_add(&latency, ms);
  }
  // A slot is at most an eighth wide, and its upper end is returned.
  static const unsigned percents[] = {1, 10, 50, 90, 98, 100};
  for (size_t i = 0; i < sizeof(percents) / sizeof(percents[0]); i++) {
    double exact_ms = 5.0 * percents[i];
    double ms = tam_latency_percentile(&latency, percents[i]);
    CHECK(ms > exact_ms && ms <= exact_ms * 1.13 + 1);
  }
}

static void test_extremes(void) {
  tam_latency latency = {0};
  tam_latency_add(&latency, 0);
  tam_latency_add(&latency, -5);
  CHECK(tam_latency_percentile(&latency, 100) == 1);
  tam_latency_add(&latency, 1e300);
  CHECK(tam_latency_percentile(&latency, 100) == 262144);
  CHECK_INT(latency.total, 3);
}

static void test_timeout(void) {
  tam_latency latency = {0};
  CHECK(tam_latency_timeout(&latency, 10000) == 2000);
  CHECK(tam_latency_timeout(&latency, 500) == 500);
  add_many(&latency, 80, 19);
  CHECK(tam_latency_timeout(&latency, 10000) == 2000);
  add_many(&latency, 80, 1);
  CHECK(tam_latency_timeout(&latency, 10000) == 600);
  CHECK(tam_latency_timeout(&latency, 300) == 300);
  add_many(&latency, 400, 5);
  double timeout_ms = tam_latency_timeout(&latency, 10000);
  CHECK(timeout_ms > 1000 && timeout_ms <= 1130);
  CHECK(tam_latency_timeout(&latency, 900) == 900);
}

static void test_forgets(void) {
  tam_latency latency = {0};
  add_many(&latency, 100, 5000);
  CHECK(latency.total <= TAM_LATENCY_SAMPLES_MAX);
  add_many(&latency, 1000, 2000);
  CHECK(tam_latency_percentile(&latency, 50) > 1000);
}

int main(void) {
  RUN(test_percentile);
  RUN(test_extremes);
  RUN(test_timeout);
  RUN(test_forgets);
  return check_finish();
}
