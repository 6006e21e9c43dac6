// SPDX-License-Identifier: Apache-2.0
// The pacer finds the rate of a server that has one, from refusals alone.
#include "check.h"

#include "net/pacer.h"

static void test_unpaced(void) {
  tam_pacer pacer;
  tam_pacer_init(&pacer);
  for (int i = 0; i < 100; i++) {
    CHECK(tam_pacer_ready_at(&pacer) <= 1000);
    tam_pacer_on_start(&pacer, 1000);
    tam_pacer_on_accepted(&pacer, 1000, 1000);
  }
}

// A hundred requests accepted within a second, then a refusal.
static tam_pacer pacer_after_refusal(void) {
  tam_pacer pacer;
  tam_pacer_init(&pacer);
  for (int i = 0; i < 100; i++) {
    tam_pacer_on_start(&pacer, 10 * i + 1000);
    tam_pacer_on_accepted(&pacer, 10 * i + 1000, 10 * i + 1000);
  }
  tam_pacer_on_refused(&pacer, 2000, 2000);
  return pacer;
}

static void test_slow_start(void) {
  tam_pacer pacer = pacer_after_refusal();
  CHECK(pacer.rate_per_s == 50);
  CHECK(tam_pacer_ready_at(&pacer) == 2000);
  tam_pacer_on_start(&pacer, 2000);
  CHECK(tam_pacer_ready_at(&pacer) == 2020);
  double now_ms = 2000;
  while (now_ms < 3000) {
    now_ms = tam_pacer_ready_at(&pacer);
    tam_pacer_on_start(&pacer, now_ms);
  }
  CHECK(pacer.rate_per_s > 57 && pacer.rate_per_s < 59);
}

static void test_answers_under_way(void) {
  // Seen by the server before the refusal, known only after it.
  tam_pacer pacer = pacer_after_refusal();
  tam_pacer_on_accepted(&pacer, 1900, 2050);
  CHECK(pacer.rate_per_s == 50.5);
  tam_pacer_on_accepted(&pacer, 1990, 2050);
  CHECK(pacer.rate_per_s == 50.5);
  CHECK(pacer.accepted == 1);
}

static void test_pause_counts_one_second(void) {
  tam_pacer pacer = pacer_after_refusal();
  tam_pacer_on_start(&pacer, 2000);
  tam_pacer_on_start(&pacer, 302000);
  CHECK(pacer.began_at_ms == 301000);
  CHECK(pacer.rate_per_s > 57 && pacer.rate_per_s < 58);
}

static void test_few_were_sent(void) {
  tam_pacer pacer = pacer_after_refusal();
  double now_ms = 2000;
  for (int i = 0; i < 10; i++) {
    now_ms += 1000;
    tam_pacer_on_start(&pacer, now_ms);
    tam_pacer_on_accepted(&pacer, now_ms, now_ms);
  }
  double rate_per_s = pacer.rate_per_s;
  CHECK(rate_per_s > 190);
  tam_pacer_on_refused(&pacer, now_ms, now_ms);
  CHECK(pacer.rate_per_s == rate_per_s / 4);
}

// A bucket of |burst| tokens that gains |rate| a second; every request is
// answered at once, and 300 ms pass after a refusal. Returns the share of
// refused requests in |seconds|.
static double play_bucket(tam_pacer *pacer, double burst, double rate,
                          int seconds) {
  double tokens = burst;
  double now_ms = 1000;
  int sent = 0;
  int refused = 0;
  while (now_ms < seconds * 1000.0) {
    double next_ms = tam_pacer_ready_at(pacer);
    next_ms = next_ms > now_ms + 5 ? next_ms : now_ms + 5;
    tokens += rate * (next_ms - now_ms) / 1000;
    tokens = tokens < burst ? tokens : burst;
    now_ms = next_ms;
    tam_pacer_on_start(pacer, now_ms);
    sent++;
    if (tokens >= 1) {
      tokens--;
      tam_pacer_on_accepted(pacer, now_ms, now_ms);
    } else {
      refused++;
      tam_pacer_on_refused(pacer, now_ms, now_ms);
      now_ms += 300;
      tokens += rate * 0.3;
    }
  }
  return (double)refused / sent;
}

static void test_finds_the_rate(void) {
  static const double rates[] = {5, 30, 60};
  for (size_t i = 0; i < sizeof(rates) / sizeof(rates[0]); i++) {
    tam_pacer pacer;
    tam_pacer_init(&pacer);
    double refused = play_bucket(&pacer, 20, rates[i], 120);
    CHECK(refused < 0.02);
    CHECK(pacer.rate_per_s < 1.4 * rates[i]);
  }
}

int main(void) {
  RUN(test_unpaced);
  RUN(test_slow_start);
  RUN(test_answers_under_way);
  RUN(test_pause_counts_one_second);
  RUN(test_few_were_sent);
  RUN(test_finds_the_rate);
  return check_finish();
}
