// SPDX-License-Identifier: Apache-2.0
// The pace of requests towards a server that refuses some without saying how
// many it would take: the rate is learned from the refusals.
#ifndef TAM_NET_PACER_H
#define TAM_NET_PACER_H

typedef struct tam_pacer {
  double rate_per_s;   // requests started per second; 0: as fast as they come
  double floor_per_s;  // the last refusal does not lower it further
  double next_ms;      // no request starts before
  double active_at_ms; // the last request, or refusal
  int is_slow_start;   // the limit has been met only once: search quickly
  // Accepted requests are counted from refusal to refusal, by the time at
  // which the server saw them.
  double began_at_ms; // the last refusal; 0: there has been no request yet
  unsigned accepted;  // since then
  double span_ms;     // between the last two refusals
  unsigned accepted_in_span;
} tam_pacer;

void tam_pacer_init(tam_pacer *pacer);

// A request goes out at |now_ms|.
void tam_pacer_on_start(tam_pacer *pacer, double now_ms);

// The server accepted the request sent at |sent_ms|; the answer came at
// |now_ms|.
void tam_pacer_on_accepted(tam_pacer *pacer, double sent_ms, double now_ms);

// The server refused the request sent at |sent_ms|: slow down. Refusals of
// requests that were sent before the last one was known do not count.
void tam_pacer_on_refused(tam_pacer *pacer, double sent_ms, double now_ms);

// Returns the time, ms since the epoch, before which no request should start.
double tam_pacer_ready_at(const tam_pacer *pacer);

#endif // TAM_NET_PACER_H
