// SPDX-License-Identifier: Apache-2.0
// The window is guessed right from accepted and refused requests alone.
#include "check.h"

#include "net/window_guess.h"

#include <math.h>

static void accept_many(tam_window_guess *guess, double now_ms, int count) {
  for (int i = 0; i < count; i++) {
    tam_window_guess_on_accepted(guess, now_ms, 1);
  }
}

// Two hundred requests, refusals until 100 s, and the first one accepted
// again.
static tam_window_guess guess_after_first_window(void) {
  tam_window_guess guess;
  tam_window_guess_init(&guess);
  accept_many(&guess, 1000, 200);
  tam_window_guess_on_refused(&guess, 2000);
  tam_window_guess_on_refused(&guess, 50000);
  accept_many(&guess, 100000, 1);
  return guess;
}

static void test_no_idea(void) {
  tam_window_guess guess;
  tam_window_guess_init(&guess);
  CHECK(tam_window_guess_budget(&guess, 9, 0) == INFINITY);
  accept_many(&guess, 1000, 200);
  tam_window_guess_on_refused(&guess, 2000);
  CHECK(tam_window_guess_refused_ms(&guess, 2500) == 500);
  CHECK(!tam_window_guess_is_exhausted(&guess, 2500));
  // Refusals that end soon come from a limit on the rate.
  accept_many(&guess, 2600, 1);
  CHECK(tam_window_guess_refused_ms(&guess, 2700) == 0);
  CHECK(tam_window_guess_budget(&guess, 9, 2700) == INFINITY);
}

static void test_began_with_first_request(void) {
  tam_window_guess guess;
  tam_window_guess_init(&guess);
  accept_many(&guess, 1000, 200);
  CHECK(guess.reset_before_ms == 301000);
  tam_window_guess_on_refused(&guess, 2000);
  tam_window_guess_on_refused(&guess, 30000);
  // That is not certain enough to rely on.
  CHECK(!tam_window_guess_is_exhausted(&guess, 30000));
  accept_many(&guess, 301000, 1);
  CHECK_INT(guess.trust, TAM_WINDOW_SEEN);
  CHECK(guess.quota == 200);
  CHECK(guess.reset_before_ms == 601000);
}

static void test_began_otherwise(void) {
  // Still refused when the window should have ended.
  tam_window_guess guess;
  tam_window_guess_init(&guess);
  accept_many(&guess, 1000, 200);
  tam_window_guess_on_refused(&guess, 250000);
  tam_window_guess_on_refused(&guess, 301000);
  accept_many(&guess, 330000, 1);
  CHECK(guess.reset_before_ms == 630000);
}

static void test_reset_is_noticed(void) {
  tam_window_guess guess = guess_after_first_window();
  CHECK(guess.reset_before_ms == 400000);
  CHECK_INT(guess.trust, TAM_WINDOW_SEEN);
  CHECK(guess.quota == 200);
  CHECK(tam_window_guess_budget(&guess, 9, 100000) == 190);
  CHECK(!tam_window_guess_is_exhausted(&guess, 100000));
}

static void test_confirmed(void) {
  tam_window_guess guess = guess_after_first_window();
  accept_many(&guess, 101000, 199);
  CHECK(tam_window_guess_budget(&guess, 0, 101000) == 0);
  CHECK(!tam_window_guess_is_exhausted(&guess, 101000));
  tam_window_guess_on_refused(&guess, 102000);
  CHECK(tam_window_guess_is_exhausted(&guess, 102000));
  CHECK(!tam_window_guess_is_exhausted(&guess, 400000));
  // The next window needs no refusal to be known as used up.
  accept_many(&guess, 401000, 200);
  CHECK(guess.reset_before_ms == 700000);
  CHECK(tam_window_guess_is_exhausted(&guess, 402000));
}

static void test_refuted(void) {
  tam_window_guess guess = guess_after_first_window();
  accept_many(&guess, 101000, 200);
  CHECK(tam_window_guess_budget(&guess, 9, 101000) == INFINITY);
  // Refusals that go on for a second within a window mean its end.
  accept_many(&guess, 102000, 299);
  tam_window_guess_on_refused(&guess, 103000);
  CHECK(!tam_window_guess_is_exhausted(&guess, 103000));
  tam_window_guess_on_refused(&guess, 104500);
  CHECK(tam_window_guess_is_exhausted(&guess, 104500));
  CHECK(guess.quota == 500);
}

static void test_idle_windows(void) {
  tam_window_guess guess = guess_after_first_window();
  // Three windows later the phase is still known.
  accept_many(&guess, 100000 + 3.5 * 300000, 1);
  CHECK(guess.reset_before_ms == 100000 + 4 * 300000);
  CHECK(guess.accepted == 1);
}

static void test_late_and_lost(void) {
  tam_window_guess guess;
  tam_window_guess_init(&guess);
  accept_many(&guess, 1000, 10);
  tam_window_guess_on_refused(&guess, 1000);
  // An accepted request from before the refusal is counted but proves nothing.
  tam_window_guess_on_accepted(&guess, 9000, 0);
  tam_window_guess_on_loss(&guess);
  CHECK(guess.accepted == 12);
  CHECK(tam_window_guess_refused_ms(&guess, 9000) == 8000);
}

int main(void) {
  RUN(test_no_idea);
  RUN(test_began_with_first_request);
  RUN(test_began_otherwise);
  RUN(test_reset_is_noticed);
  RUN(test_confirmed);
  RUN(test_refuted);
  RUN(test_idle_windows);
  RUN(test_late_and_lost);
  return check_finish();
}
