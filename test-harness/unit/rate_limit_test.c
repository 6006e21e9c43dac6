// SPDX-License-Identifier: Apache-2.0
// When a bucket is ready: pauses, probes, budgets and fewer requests at once,
// with made-up answers at made-up times.
#include "check.h"

#include "net/rate_limit.h"

// The longest jitter after the end of a pause.
#define JITTER_MS 200

typedef struct server {
  tam_rate_limit limit;
  tam_random random;
} server;

static server server_of(uint8_t number) {
  uint8_t seed[16] = "rate-limit";
  server s;
  seed[15] = number;
  tam_rate_limit_init(&s.limit);
  tam_random_init(&s.random, seed);
  return s;
}

static server server_new(void) {
  return server_of(0);
}

static void start(server *s, double now_ms) {
  CHECK(tam_rate_limit_ready_at(&s->limit, now_ms) <= now_ms);
  tam_rate_limit_on_start(&s->limit, now_ms);
}

static void answer(server *s, double sent_ms, double now_ms, uint32_t status,
                   const char *block) {
  tam_headers headers;
  tam_headers_parse(tam_span_of(block), &headers);
  tam_rate_answer answer = {sent_ms, now_ms, status, &headers};
  tam_rate_limit_on_answer(&s->limit, &answer, &s->random);
}

static int is_between(double value, double low, double high) {
  return value >= low && value <= high;
}

static void test_exhausted_window(void) {
  server s = server_new();
  start(&s, 1000);
  start(&s, 1000);
  answer(&s, 1000, 1100, 200, "RateLimit: \"api\";r=1;t=10");
  // One is left and one is under way.
  CHECK(tam_rate_limit_ready_at(&s.limit, 1100) == 11100);
  CHECK_INT(s.limit.state, TAM_RATE_LIMIT_OPEN);
  answer(&s, 1000, 1200, 200, "RateLimit: \"api\";r=0;t=10");
  CHECK_INT(s.limit.state, TAM_RATE_LIMIT_PAUSED);
  double ready_ms = tam_rate_limit_ready_at(&s.limit, 1200);
  CHECK(is_between(ready_ms, 11100, 11100 + JITTER_MS));
  // One probe, and nobody else before its answer.
  start(&s, 11300);
  CHECK_INT(s.limit.state, TAM_RATE_LIMIT_PROBING);
  CHECK(tam_rate_limit_ready_at(&s.limit, 11300) == INFINITY);
  answer(&s, 11300, 11400, 200, "RateLimit: \"api\";r=499;t=300");
  CHECK_INT(s.limit.state, TAM_RATE_LIMIT_OPEN);
  CHECK(tam_rate_limit_ready_at(&s.limit, 11400) <= 11400);
}

static void test_refused_with_headers(void) {
  server s = server_new();
  start(&s, 1000);
  answer(&s, 1000, 1100, 429, "RateLimit: \"api\";r=0;t=10");
  CHECK_INT(s.limit.state, TAM_RATE_LIMIT_PAUSED);
  CHECK(s.limit.strike_pause_ms == 0);
  CHECK(is_between(s.limit.resume_at_ms, 11100, 11100 + JITTER_MS));
}

// Clients that wait for the same reset return one after the other, in all of
// the time that the jitter has.
static void test_jitter(void) {
  double first_ms = INFINITY;
  double last_ms = 0;
  for (uint8_t client = 0; client < 32; client++) {
    server s = server_of(client);
    start(&s, 1000);
    answer(&s, 1000, 1100, 429, "RateLimit: \"api\";r=0;t=10");
    double ready_ms = tam_rate_limit_ready_at(&s.limit, 1100);
    CHECK(is_between(ready_ms, 11100, 11100 + JITTER_MS));
    first_ms = ready_ms < first_ms ? ready_ms : first_ms;
    last_ms = ready_ms > last_ms ? ready_ms : last_ms;
  }
  CHECK(first_ms < 11100 + JITTER_MS / 4.0);
  CHECK(last_ms > 11100 + JITTER_MS * 3 / 4.0);
}

static void test_strikes(void) {
  static const double pauses_ms[] = {300, 3000, 30000, 30000};
  server s = server_new();
  double now_ms = 1000;
  for (size_t i = 0; i < sizeof(pauses_ms) / sizeof(pauses_ms[0]); i++) {
    start(&s, now_ms);
    answer(&s, now_ms, now_ms + 100, 429, "");
    double pause_ms = s.limit.resume_at_ms - (now_ms + 100);
    CHECK(is_between(pause_ms, pauses_ms[i], pauses_ms[i] + JITTER_MS));
    now_ms = s.limit.resume_at_ms;
  }
  // In the end a third of the time since the first refusal.
  start(&s, now_ms);
  answer(&s, now_ms, 181100, 429, "");
  CHECK(is_between(s.limit.resume_at_ms, 241100, 241100 + JITTER_MS));
  now_ms = s.limit.resume_at_ms;
  start(&s, now_ms);
  answer(&s, now_ms, now_ms + 100, 200, "");
  CHECK_INT(s.limit.state, TAM_RATE_LIMIT_OPEN);
  CHECK(s.limit.strike_pause_ms == 0);
}

// A pause that would end near the guessed reset lasts until then.
static void test_pause_until_reset(void) {
  server s = server_new();
  start(&s, 1000);
  answer(&s, 1000, 1100, 200, "");
  start(&s, 300600);
  answer(&s, 300600, 300700, 429, "");
  CHECK(is_between(s.limit.resume_at_ms, 301100, 301100 + JITTER_MS));
}

static void test_old_news(void) {
  server s = server_new();
  start(&s, 1000);
  start(&s, 1000);
  start(&s, 1000);
  answer(&s, 1000, 1100, 429, "");
  double resume_ms = s.limit.resume_at_ms;
  answer(&s, 1000, 1150, 429, "");
  answer(&s, 1000, 1160, 200, "");
  CHECK(s.limit.strike_pause_ms == 300);
  CHECK(s.limit.resume_at_ms == resume_ms);
  CHECK_INT(s.limit.state, TAM_RATE_LIMIT_PAUSED);
}

static void test_retry_after(void) {
  server s = server_new();
  start(&s, 1000);
  answer(&s, 1000, 1100, 429, "Retry-After: 7");
  CHECK(is_between(s.limit.resume_at_ms, 8100, 8100 + JITTER_MS));
  start(&s, 9000);
  answer(&s, 9000, 9100, 429, "Retry-After: 999999999");
  CHECK(is_between(s.limit.resume_at_ms, 3609100, 3609100 + JITTER_MS));
}

static void test_another_limit_bites(void) {
  // Refused although the window is open: slow down as without headers.
  server s = server_new();
  start(&s, 1000);
  answer(&s, 1000, 1100, 429, "RateLimit: \"api\";r=400;t=100");
  CHECK(s.limit.strike_pause_ms == 300);
  CHECK(s.limit.resume_at_ms < 1700);
  CHECK(s.limit.pacer.rate_per_s > 0);
}

static void test_lost_probe(void) {
  server s = server_new();
  start(&s, 1000);
  answer(&s, 1000, 1100, 429, "");
  double probe_ms = s.limit.resume_at_ms;
  start(&s, probe_ms);
  CHECK(tam_rate_limit_ready_at(&s.limit, 9000) == INFINITY);
  tam_rate_limit_on_loss(&s.limit, probe_ms, 9000, &s.random);
  // The next request is the next probe.
  start(&s, 9000);
  CHECK(tam_rate_limit_ready_at(&s.limit, 9000) == INFINITY);
  answer(&s, 9000, 9100, 404, "");
  CHECK_INT(s.limit.state, TAM_RATE_LIMIT_OPEN);
}

static void test_fewer_at_once(void) {
  server s = server_new();
  for (int i = 0; i < 12; i++) {
    start(&s, 1000);
  }
  for (int i = 0; i < 10; i++) {
    CHECK_INT(s.limit.in_flight_max, 0);
    answer(&s, 1000, 1100 + i, 429, "");
  }
  CHECK_INT(s.limit.in_flight_max, 6);
  // The other two, then one answer every five seconds without a refusal.
  answer(&s, 1000, 1200, 200, "");
  answer(&s, 1000, 1200, 200, "");
  for (int i = 1; i <= 7; i++) {
    double now_ms = 2000 + 5000 * i;
    start(&s, now_ms);
    answer(&s, now_ms, now_ms + 100, 200, "");
    CHECK_INT(s.limit.in_flight_max, i < 7 ? 6 + i : 0);
  }
}

static void test_guessed_window(void) {
  server s = server_new();
  double now_ms = 1000;
  for (int i = 0; i < 5; i++) {
    start(&s, now_ms);
    answer(&s, now_ms, now_ms + 50, 200, "");
  }
  while (now_ms < 60000) {
    start(&s, now_ms);
    answer(&s, now_ms, now_ms + 50, 429, "");
    now_ms = s.limit.resume_at_ms;
  }
  // The window is open again; five requests, then one at a time.
  for (int i = 0; i < 5; i++) {
    start(&s, now_ms);
    answer(&s, now_ms, now_ms + 50, 200, "");
    now_ms += 1000;
  }
  start(&s, now_ms);
  CHECK(tam_rate_limit_ready_at(&s.limit, now_ms + 5000) == INFINITY);
  answer(&s, now_ms, now_ms + 50, 429, "");
  CHECK_INT(s.limit.state, TAM_RATE_LIMIT_PAUSED);
  CHECK(is_between(s.limit.resume_at_ms, now_ms + 290000, now_ms + 300000));
}

int main(void) {
  RUN(test_exhausted_window);
  RUN(test_refused_with_headers);
  RUN(test_jitter);
  RUN(test_strikes);
  RUN(test_pause_until_reset);
  RUN(test_old_news);
  RUN(test_retry_after);
  RUN(test_another_limit_bites);
  RUN(test_lost_probe);
  RUN(test_fewer_at_once);
  RUN(test_guessed_window);
  return check_finish();
}
