// SPDX-License-Identifier: Apache-2.0
// Theory of operation
//
//   OPEN -- window used up, or 429 --> PAUSED -- time --> PROBING
//    ^                                   ^                   |  |
//    |                                   +------- 429 -------+  |
//    +------------------- any other answer ---------------------+
//
// A 429 that the window explains waits for the window's reset. One that it
// does not explain (no header can be read, or requests are left and another
// limit bites) waits for Retry-After or a time that grows with each strike,
// and slows the pacer down. Refusals of requests that were sent before the
// pause began are old news.
#include "net/rate_limit.h"

// The first pause after an unexplained refusal, and its growth from strike to
// strike up to a tenth of the Hub's window. Then each pause is a share of the
// time since the first refusal, so that the end of a window, whenever it comes,
// costs few probes and is noticed not much too late; at most a whole window.
#define PAUSE_BASE_MS 300.0
#define PAUSE_GROWTH  10.0
#define PAUSE_LONG_MS 30000.0
#define PAUSE_MAX_MS  300000.0
#define PAUSE_DIVISOR 3.0

// A pause is prolonged by up to this factor when the window is guessed to end
// then.
#define PAUSE_STRETCH 1.5

// Pauses end up to this much late, so that clients that wait for the same
// reset do not return in the same millisecond.
#define JITTER_MS 200.0

// This many refusals halve the number of requests in flight, unless ...
#define REFUSALS_MAX 10U

// ... this time passes between two of them. The number rises by one after each
// such time.
#define EASE_MS 5000.0

void tam_rate_limit_init(tam_rate_limit *limit) {
  *limit = (tam_rate_limit){0};
  tam_rate_window_init(&limit->window);
  tam_window_guess_init(&limit->guess);
  tam_pacer_init(&limit->pacer);
}

static double max(double a, double b) {
  return a > b ? a : b;
}

static double min(double a, double b) {
  return a < b ? a : b;
}

// Returns when the windows, told or guessed, let one more request through.
static double limit_window_ready_at(const tam_rate_limit *limit,
                                    double now_ms) {
  unsigned unanswered = limit->window.unanswered;
  if (tam_rate_window_budget(&limit->window, now_ms) < 1) {
    return limit->window.reset_before_ms;
  }
  if (tam_window_guess_budget(&limit->guess, unanswered, now_ms) >= 1) {
    return now_ms;
  }
  if (limit->guess.trust == TAM_WINDOW_CONFIRMED) {
    return limit->guess.reset_before_ms;
  }
  return unanswered == 0 ? now_ms : INFINITY;
}

double tam_rate_limit_ready_at(const tam_rate_limit *limit, double now_ms) {
  if (limit->state == TAM_RATE_LIMIT_PAUSED) {
    return limit->resume_at_ms;
  }
  if (limit->state == TAM_RATE_LIMIT_PROBING ||
      (limit->in_flight_max != 0 &&
       limit->window.unanswered >= limit->in_flight_max)) {
    return INFINITY;
  }
  return max(tam_pacer_ready_at(&limit->pacer),
             limit_window_ready_at(limit, now_ms));
}

void tam_rate_limit_on_start(tam_rate_limit *limit, double now_ms) {
  tam_rate_window_on_start(&limit->window);
  if (limit->window.unanswered > limit->in_flight_top) {
    limit->in_flight_top = limit->window.unanswered;
  }
  tam_pacer_on_start(&limit->pacer, now_ms);
  if (limit->state == TAM_RATE_LIMIT_PAUSED) {
    limit->state = TAM_RATE_LIMIT_PROBING;
  }
}

static void limit_pause(tam_rate_limit *limit, double until_ms,
                        tam_random *random) {
  if (limit->state == TAM_RATE_LIMIT_PAUSED &&
      until_ms <= limit->resume_at_ms) {
    return;
  }
  limit->state = TAM_RATE_LIMIT_PAUSED;
  limit->resume_at_ms = until_ms + JITTER_MS * tam_random_unit(random);
}

// Returns when the window ends that is used up for certain, 0 when none is.
static double limit_exhausted_until(const tam_rate_limit *limit,
                                    double now_ms) {
  if (tam_rate_window_is_exhausted(&limit->window, now_ms)) {
    return limit->window.reset_before_ms;
  }
  if (tam_window_guess_is_exhausted(&limit->guess, now_ms)) {
    return limit->guess.reset_before_ms;
  }
  return 0;
}

static void limit_pause_if_exhausted(tam_rate_limit *limit, double now_ms,
                                     tam_random *random) {
  double until_ms = limit_exhausted_until(limit, now_ms);
  if (until_ms > 0) {
    limit_pause(limit, until_ms, random);
  }
}

// Returns how long to wait after a refusal that may be one in a row.
static double limit_strike_pause_ms(const tam_rate_limit *limit,
                                    double now_ms) {
  const tam_window_guess *guess = &limit->guess;
  double refused_ms = tam_window_guess_refused_ms(guess, now_ms);
  double pause_ms = max(limit->strike_pause_ms,
                        min(refused_ms / PAUSE_DIVISOR, PAUSE_MAX_MS));
  double left_ms = guess->reset_before_ms - now_ms;
  return left_ms > 0 && left_ms < pause_ms * PAUSE_STRETCH ? left_ms : pause_ms;
}

// Counts a refusal and halves the requests in flight when there are many.
static void limit_count_refusal(tam_rate_limit *limit, double now_ms) {
  limit->eased_at_ms = now_ms;
  if (++limit->refusals < REFUSALS_MAX) {
    return;
  }
  limit->refusals = 0;
  if (limit->in_flight_max == 0) {
    limit->in_flight_max = limit->in_flight_top;
  }
  limit->in_flight_max = (limit->in_flight_max + 1) / 2;
}

static void limit_ease(tam_rate_limit *limit, double now_ms) {
  if (now_ms - limit->eased_at_ms < EASE_MS) {
    return;
  }
  limit->eased_at_ms = now_ms;
  limit->refusals = 0;
  if (limit->in_flight_max != 0 &&
      ++limit->in_flight_max > limit->in_flight_top) {
    limit->in_flight_max = 0;
  }
}

static void limit_on_strike(tam_rate_limit *limit,
                            const tam_rate_answer *answer, tam_random *random) {
  double now_ms = answer->now_ms;
  if (limit->strike_pause_ms <= 0) {
    limit->strike_pause_ms = PAUSE_BASE_MS;
    tam_pacer_on_refused(&limit->pacer, answer->sent_ms, now_ms);
  } else {
    limit->strike_pause_ms =
        min(limit->strike_pause_ms * PAUSE_GROWTH, PAUSE_LONG_MS);
  }
  double asked_s = min(answer->headers->retry_after_s, TAM_RATE_WINDOW_MAX_S);
  double pause_ms = max(asked_s * 1000, limit_strike_pause_ms(limit, now_ms));
  limit_pause(limit, now_ms + pause_ms, random);
}

static void limit_on_refused(tam_rate_limit *limit,
                             const tam_rate_answer *answer,
                             tam_random *random) {
  if (limit->window.remaining < 0) {
    tam_window_guess_on_refused(&limit->guess, answer->now_ms);
  }
  if (limit_exhausted_until(limit, answer->now_ms) == 0) {
    limit_on_strike(limit, answer, random);
  }
}

static void limit_on_accepted(tam_rate_limit *limit,
                              const tam_rate_answer *answer, int is_news) {
  tam_pacer_on_accepted(&limit->pacer, answer->sent_ms, answer->now_ms);
  limit_ease(limit, answer->now_ms);
  if (is_news) {
    limit->strike_pause_ms = 0;
  }
  if (limit->window.remaining < 0) {
    tam_window_guess_on_accepted(&limit->guess, answer->now_ms, is_news);
  }
}

void tam_rate_limit_on_answer(tam_rate_limit *limit,
                              const tam_rate_answer *answer,
                              tam_random *random) {
  tam_rate_window_on_answer(&limit->window, answer->sent_ms, answer->now_ms,
                            answer->headers);
  int is_news = answer->sent_ms >= limit->resume_at_ms;
  int is_probe = is_news && limit->state == TAM_RATE_LIMIT_PROBING;
  if (is_probe) {
    limit->state = TAM_RATE_LIMIT_OPEN;
  }
  if (answer->status != 429) {
    limit_on_accepted(limit, answer, is_news);
  } else {
    if (!is_probe) {
      limit_count_refusal(limit, answer->now_ms);
    }
    if (is_news) {
      limit_on_refused(limit, answer, random);
    }
  }
  limit_pause_if_exhausted(limit, answer->now_ms, random);
}

void tam_rate_limit_on_loss(tam_rate_limit *limit, double sent_ms,
                            double now_ms, tam_random *random) {
  tam_rate_window_on_loss(&limit->window, now_ms);
  tam_window_guess_on_loss(&limit->guess);
  if (limit->state == TAM_RATE_LIMIT_PROBING &&
      sent_ms >= limit->resume_at_ms) {
    // The probe told nothing: the next request is another one.
    limit->state = TAM_RATE_LIMIT_PAUSED;
  }
  limit_pause_if_exhausted(limit, now_ms, random);
}
