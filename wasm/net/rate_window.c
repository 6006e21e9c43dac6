// SPDX-License-Identifier: Apache-2.0
// Theory of operation. The number of requests left is the smallest one any
// answer of this window showed, for answers overtake each other, less the
// requests under way. That counts some requests twice while they are under way
// and is exact when none is.
//
// The time to the reset arrives in whole seconds, rounded up, so each answer
// says only that the reset lies in [sent + t - 1, received + t]. The window
// keeps the intersection of all answers, which soon is narrower than a round
// trip. An answer whose interval lies beyond it speaks of the next window, one
// whose interval lies before it is a latecomer from the last.
#include "net/rate_window.h"

static double min(double a, double b) {
  return a < b ? a : b;
}

static double max(double a, double b) {
  return a > b ? a : b;
}

void tam_rate_window_init(tam_rate_window *window) {
  *window = (tam_rate_window){.remaining = -1};
}

void tam_rate_window_on_start(tam_rate_window *window) {
  window->unanswered++;
}

static void window_merge(tam_rate_window *window, double remaining,
                         double after_ms, double before_ms) {
  if (window->remaining < 0 || after_ms > window->reset_before_ms) {
    window->remaining = remaining;
    window->reset_after_ms = after_ms;
    window->reset_before_ms = before_ms;
    return;
  }
  if (before_ms < window->reset_after_ms) {
    return;
  }
  window->remaining = min(window->remaining, remaining);
  window->reset_after_ms = max(window->reset_after_ms, after_ms);
  window->reset_before_ms = min(window->reset_before_ms, before_ms);
}

void tam_rate_window_on_answer(tam_rate_window *window, double sent_ms,
                               double now_ms, const tam_headers *headers) {
  window->unanswered--;
  if (headers->rate_remaining < 0 || headers->rate_reset_s < 0) {
    return;
  }
  if (sent_ms >= window->lost_at_ms) {
    window->lost = 0;
  }
  double reset_s = min(headers->rate_reset_s, headers->rate_window_s > 0
                                                  ? headers->rate_window_s
                                                  : TAM_RATE_WINDOW_MAX_S);
  window_merge(window, headers->rate_remaining, sent_ms + (reset_s - 1) * 1000,
               now_ms + reset_s * 1000);
}

void tam_rate_window_on_loss(tam_rate_window *window, double now_ms) {
  window->unanswered--;
  window->lost++;
  window->lost_at_ms = now_ms;
}

double tam_rate_window_budget(const tam_rate_window *window, double now_ms) {
  if (window->remaining < 0 || now_ms >= window->reset_before_ms) {
    return INFINITY;
  }
  return window->remaining - window->unanswered - window->lost;
}

int tam_rate_window_is_exhausted(const tam_rate_window *window, double now_ms) {
  return tam_rate_window_budget(window, now_ms) + window->unanswered <= 0;
}
