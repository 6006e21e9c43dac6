// SPDX-License-Identifier: Apache-2.0
// When the next request of one bucket may go out: the server's window where
// its headers can be read, a learned pace where they cannot, pauses with a
// probe behind them, and fewer requests at once while refusals persist.
// Numbers in, numbers out; nothing here knows requests.
#ifndef TAM_NET_RATE_LIMIT_H
#define TAM_NET_RATE_LIMIT_H

#include "core/random.h"
#include "net/pacer.h"
#include "net/rate_window.h"
#include "net/window_guess.h"

typedef enum tam_rate_limit_state {
  TAM_RATE_LIMIT_OPEN = 0,
  TAM_RATE_LIMIT_PAUSED, // wait: resume_at_ms, then one request as a probe
  TAM_RATE_LIMIT_PROBING // wait: the answer to the probe
} tam_rate_limit_state;

typedef struct tam_rate_limit {
  tam_rate_limit_state state;
  double resume_at_ms;    // end of the pause, or of the last one
  double strike_pause_ms; // after the last of the refusals in a row that no
                          // header explained; 0: there was none
  unsigned in_flight_max; // 0: no limit but the caller's
  unsigned in_flight_top; // the most there were; in_flight_max ends up here
  unsigned refusals;      // that came soon after each other
  double eased_at_ms;     // the last refusal, or when in_flight_max rose last
  tam_rate_window window; // what the headers say
  tam_window_guess guess; // and when they say nothing
  tam_pacer pacer;
} tam_rate_limit;

typedef struct tam_rate_answer {
  double sent_ms;
  double now_ms;
  uint32_t status;
  const tam_headers *headers;
} tam_rate_answer;

void tam_rate_limit_init(tam_rate_limit *limit);

// Returns the time, ms since the epoch, from which one more request may go
// out; INFINITY when only an answer can change that.
double tam_rate_limit_ready_at(const tam_rate_limit *limit, double now_ms);

// A request goes out at |now_ms|, which tam_rate_limit_ready_at allowed.
void tam_rate_limit_on_start(tam_rate_limit *limit, double now_ms);

// The head of an answer arrived.
void tam_rate_limit_on_answer(tam_rate_limit *limit,
                              const tam_rate_answer *answer,
                              tam_random *random);

// The request sent at |sent_ms| ended at |now_ms| before an answer came.
void tam_rate_limit_on_loss(tam_rate_limit *limit, double sent_ms,
                            double now_ms, tam_random *random);

#endif // TAM_NET_RATE_LIMIT_H
