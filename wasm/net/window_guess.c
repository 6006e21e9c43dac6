// SPDX-License-Identifier: Apache-2.0
// Theory of operation. A limit that refuses everything for many seconds is a
// fixed window that is used up. It is assumed to have begun with the first
// request, until a request accepted after such a time shows when the next one
// began, and so when that will end. How many requests the last window took is
// the first guess at the quota, though others may have used part of it: when
// the guess is reached, one request at a time goes out. A refusal at that point
// confirms the guess; later windows stop there without a refusal. An accepted
// request refutes it.
#include "net/window_guess.h"

#include <math.h>
#include <stdint.h>

// The length of the Hub's windows. With a server whose windows are shorter a
// client that cannot read headers waits longer than it must.
#define WINDOW_MS 300000.0

// Limits on the rate of requests let some through again within a second or
// two; refusals that last longer mean a window.
#define REFUSED_LONG_MS  5000.0
#define REFUSED_AGAIN_MS 1000.0

void tam_window_guess_init(tam_window_guess *guess) {
  *guess = (tam_window_guess){.quota = INFINITY, .refused_at_ms = -1};
}

static int guess_is_running(const tam_window_guess *guess, double now_ms) {
  return now_ms < guess->reset_before_ms;
}

// Notices that a window has begun, now that a request was accepted after
// |refused_ms| of refusals.
static void guess_notice_reset(tam_window_guess *guess, double refused_ms,
                               double now_ms) {
  int is_long = refused_ms > REFUSED_LONG_MS;
  double late_ms = now_ms - guess->reset_before_ms;
  if (late_ms < 0 && !is_long) {
    return;
  }
  if (is_long && guess->trust != TAM_WINDOW_CONFIRMED) {
    guess->trust = TAM_WINDOW_SEEN;
    guess->quota = guess->accepted;
  }
  guess->accepted = 0;
  if (guess->reset_before_ms > 0 && late_ms >= 0 &&
      (!is_long || late_ms < REFUSED_LONG_MS)) {
    // As expected, or unnoticed: windows follow each other without a gap.
    double windows = (double)(uint32_t)(late_ms / WINDOW_MS) + 1;
    guess->reset_before_ms += windows * WINDOW_MS;
  } else {
    guess->reset_before_ms = now_ms + WINDOW_MS;
  }
}

void tam_window_guess_on_accepted(tam_window_guess *guess, double now_ms,
                                  int is_news) {
  if (is_news) {
    guess_notice_reset(guess, tam_window_guess_refused_ms(guess, now_ms),
                       now_ms);
    guess->refused_at_ms = -1;
  }
  guess->accepted++;
  if (guess->accepted > guess->quota) {
    guess->quota = INFINITY;
    guess->trust = TAM_WINDOW_SEEN;
  }
}

void tam_window_guess_on_loss(tam_window_guess *guess) {
  guess->accepted++;
}

void tam_window_guess_on_refused(tam_window_guess *guess, double now_ms) {
  if (guess->refused_at_ms < 0) {
    guess->refused_at_ms = now_ms;
  }
  if (guess->trust != TAM_WINDOW_ASSUMED && guess_is_running(guess, now_ms) &&
      (guess->accepted >= guess->quota ||
       tam_window_guess_refused_ms(guess, now_ms) > REFUSED_AGAIN_MS)) {
    guess->quota = guess->accepted;
    guess->trust = TAM_WINDOW_CONFIRMED;
  }
}

double tam_window_guess_refused_ms(const tam_window_guess *guess,
                                   double now_ms) {
  return guess->refused_at_ms < 0 ? 0 : now_ms - guess->refused_at_ms;
}

double tam_window_guess_budget(const tam_window_guess *guess,
                               unsigned unanswered, double now_ms) {
  if (!guess_is_running(guess, now_ms)) {
    return INFINITY;
  }
  return guess->quota - guess->accepted - unanswered;
}

int tam_window_guess_is_exhausted(const tam_window_guess *guess,
                                  double now_ms) {
  return guess->trust == TAM_WINDOW_CONFIRMED &&
         tam_window_guess_budget(guess, 0, now_ms) <= 0;
}
