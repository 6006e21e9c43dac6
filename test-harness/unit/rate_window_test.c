// SPDX-License-Identifier: Apache-2.0
// The window that RateLimit headers describe: budget and reset time from
// answers that overtake each other, cross a reset or get lost.
#include "check.h"

#include "net/rate_window.h"

static void answer(tam_rate_window *window, double sent_ms, double now_ms,
                   double remaining, double reset_s) {
  tam_headers headers;
  tam_headers_parse(TAM_SPAN_NONE, &headers);
  headers.rate_remaining = remaining;
  headers.rate_reset_s = reset_s;
  tam_rate_window_on_answer(window, sent_ms, now_ms, &headers);
}

static tam_rate_window window_with(unsigned unanswered) {
  tam_rate_window window;
  tam_rate_window_init(&window);
  for (unsigned i = 0; i < unanswered; i++) {
    tam_rate_window_on_start(&window);
  }
  return window;
}

static void test_unknown(void) {
  tam_rate_window window = window_with(2);
  CHECK(tam_rate_window_budget(&window, 0) == INFINITY);
  answer(&window, 0, 100, -1, -1);
  CHECK(tam_rate_window_budget(&window, 100) == INFINITY);
  CHECK(!tam_rate_window_is_exhausted(&window, 100));
}

static void test_budget(void) {
  tam_rate_window window = window_with(4);
  answer(&window, 0, 100, 10, 60);
  CHECK(tam_rate_window_budget(&window, 100) == 7);
  // An older answer that comes later shows a higher number.
  answer(&window, 0, 110, 11, 60);
  CHECK(tam_rate_window_budget(&window, 110) == 8);
  answer(&window, 0, 120, 2, 60);
  CHECK(tam_rate_window_budget(&window, 120) == 1);
  answer(&window, 0, 130, 0, 60);
  CHECK(tam_rate_window_budget(&window, 130) == 0);
  CHECK(tam_rate_window_is_exhausted(&window, 130));
}

static void test_reset_interval(void) {
  // The reset is at 60,400; each answer rounds the seconds up.
  tam_rate_window window = window_with(3);
  answer(&window, 0, 100, 9, 61);
  CHECK(window.reset_after_ms == 60000);
  CHECK(window.reset_before_ms == 61100);
  answer(&window, 300, 380, 8, 61);
  CHECK(window.reset_after_ms == 60300);
  CHECK(window.reset_before_ms == 61100);
  answer(&window, 380, 460, 7, 60);
  CHECK(window.reset_after_ms == 60300);
  CHECK(window.reset_before_ms == 60460);
}

static void test_next_window(void) {
  tam_rate_window window = window_with(4);
  answer(&window, 0, 100, 0, 10);
  CHECK(tam_rate_window_is_exhausted(&window, 10099));
  CHECK(!tam_rate_window_is_exhausted(&window, 10100));
  CHECK(tam_rate_window_budget(&window, 10100) == INFINITY);
  answer(&window, 10100, 10200, 499, 300);
  CHECK(tam_rate_window_budget(&window, 10200) == 497);
  // A latecomer from the old window changes nothing.
  answer(&window, 0, 10300, 0, 1);
  CHECK(tam_rate_window_budget(&window, 10300) == 498);
}

static void test_loss(void) {
  tam_rate_window window = window_with(3);
  answer(&window, 0, 100, 2, 60);
  tam_rate_window_on_loss(&window, 200);
  // The lost request may have been counted, the other is under way.
  CHECK(tam_rate_window_budget(&window, 200) == 0);
  CHECK(!tam_rate_window_is_exhausted(&window, 200));
  tam_rate_window_on_loss(&window, 300);
  CHECK(tam_rate_window_is_exhausted(&window, 300));
  // An answer to a request that was sent before the loss does not tell.
  tam_rate_window_on_start(&window);
  answer(&window, 250, 400, 1, 60);
  CHECK(tam_rate_window_is_exhausted(&window, 400));
  tam_rate_window_on_start(&window);
  answer(&window, 400, 500, 1, 60);
  CHECK(tam_rate_window_budget(&window, 500) == 1);
}

static void test_reset_within_window(void) {
  tam_rate_window window = window_with(1);
  tam_headers headers;
  tam_headers_parse(TAM_SPAN("RateLimit: \"api\";r=0;t=900\r\n"
                             "RateLimit-Policy: \"x\";\"api\";q=500;w=300"),
                    &headers);
  tam_rate_window_on_answer(&window, 0, 100, &headers);
  CHECK(window.reset_before_ms == 300100);
}

static void test_absurd_reset(void) {
  tam_rate_window window = window_with(1);
  answer(&window, 0, 100, 0, 9e15);
  CHECK(window.reset_before_ms == TAM_RATE_WINDOW_MAX_S * 1000 + 100);
}

int main(void) {
  RUN(test_unknown);
  RUN(test_budget);
  RUN(test_reset_interval);
  RUN(test_next_window);
  RUN(test_loss);
  RUN(test_reset_within_window);
  RUN(test_absurd_reset);
  return check_finish();
}
