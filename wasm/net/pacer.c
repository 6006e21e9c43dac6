// SPDX-License-Identifier: Apache-2.0
// Theory of operation. Until the first refusal nothing is paced. Then the rate
// is half of what the server had accepted and grows quickly, like the slow
// start of TCP, yet not so quickly that the next refusal hits many requests at
// once.
//
// A server that refuses has just run out of tokens. What it accepts between
// two refusals is therefore what its limit allows in that time, pauses
// included. From the second refusal on the rate is a little less than that
// and creeps up, which costs a refusal now and then; faster after a long time
// without one. Answers that were under way when the refusal arrived still count
// for the time before it.
#include "net/pacer.h"

#define CUT_FIRST 0.5
#define CUT_LATER 0.97

// Growth per second.
#define GROWTH_SLOW_START 0.15
#define GROWTH            0.003
#define GROWTH_QUIET      0.04
#define QUIET_MS          60000.0

// Few requests may have been accepted because few were sent, so a refusal
// never lowers the rate to less than this share of it, nor to a standstill.
#define FLOOR_SHARE     0.25
#define FLOOR_MIN_PER_S 1.0

void tam_pacer_init(tam_pacer *pacer) {
  *pacer = (tam_pacer){0};
}

// Returns when the server saw a request, as well as a client can tell.
static double seen_at(double sent_ms, double now_ms) {
  return (sent_ms + now_ms) / 2;
}

static double pacer_growth(const tam_pacer *pacer, double now_ms) {
  if (pacer->is_slow_start) {
    return GROWTH_SLOW_START;
  }
  return now_ms - pacer->began_at_ms > QUIET_MS ? GROWTH_QUIET : GROWTH;
}

void tam_pacer_on_start(tam_pacer *pacer, double now_ms) {
  if (pacer->began_at_ms <= 0) {
    pacer->began_at_ms = now_ms;
  }
  if (pacer->rate_per_s <= 0) {
    return;
  }
  // A long pause teaches nothing: only its first second counts.
  double passed_ms = now_ms - pacer->active_at_ms;
  if (passed_ms > 1000) {
    pacer->began_at_ms += passed_ms - 1000;
    passed_ms = 1000;
  }
  pacer->active_at_ms = now_ms;
  pacer->rate_per_s *= 1 + pacer_growth(pacer, now_ms) * passed_ms / 1000;
  double from_ms = pacer->next_ms > now_ms ? pacer->next_ms : now_ms;
  pacer->next_ms = from_ms + 1000 / pacer->rate_per_s;
}

static void pacer_measure(tam_pacer *pacer) {
  double cut = pacer->is_slow_start ? CUT_FIRST : CUT_LATER;
  double rate = 0;
  if (pacer->span_ms > 0) {
    rate = cut * pacer->accepted_in_span * 1000 / pacer->span_ms;
  }
  pacer->rate_per_s = rate > pacer->floor_per_s ? rate : pacer->floor_per_s;
}

void tam_pacer_on_accepted(tam_pacer *pacer, double sent_ms, double now_ms) {
  if (seen_at(sent_ms, now_ms) >= pacer->began_at_ms) {
    pacer->accepted++;
  } else if (pacer->rate_per_s > 0) {
    pacer->accepted_in_span++;
    pacer_measure(pacer);
  }
}

void tam_pacer_on_refused(tam_pacer *pacer, double sent_ms, double now_ms) {
  double refused_at_ms = seen_at(sent_ms, now_ms);
  pacer->is_slow_start = pacer->rate_per_s <= 0;
  pacer->floor_per_s = pacer->rate_per_s * FLOOR_SHARE;
  if (pacer->floor_per_s < FLOOR_MIN_PER_S) {
    pacer->floor_per_s = FLOOR_MIN_PER_S;
  }
  pacer->span_ms = refused_at_ms - pacer->began_at_ms;
  pacer->accepted_in_span = pacer->accepted;
  pacer->began_at_ms = refused_at_ms;
  pacer->accepted = 0;
  pacer->active_at_ms = now_ms;
  pacer->next_ms = now_ms;
  pacer_measure(pacer);
}

double tam_pacer_ready_at(const tam_pacer *pacer) {
  return pacer->next_ms;
}
