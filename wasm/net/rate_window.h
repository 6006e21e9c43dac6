// SPDX-License-Identifier: Apache-2.0
// One fixed window of requests, as the server's RateLimit headers describe it:
// how many requests are left and when the window ends.
#ifndef TAM_NET_RATE_WINDOW_H
#define TAM_NET_RATE_WINDOW_H

#include "net/headers.h"

#include <math.h>

// A window is never believed to end later than this, in seconds, whatever a
// header says: twelve of the Hub's windows.
#define TAM_RATE_WINDOW_MAX_S 3600.0

typedef struct tam_rate_window {
  double remaining;       // fewest requests left that an answer showed; -1:
                          // nothing is known
  double reset_after_ms;  // the window ends after this time ...
  double reset_before_ms; // ... and not after this one
  unsigned unanswered;    // requests under way; the server may or may not have
                          // counted them already
  unsigned lost;          // requests that ended without an answer since ...
  double lost_at_ms;      // ... and may have been counted all the same
} tam_rate_window;

void tam_rate_window_init(tam_rate_window *window);

// A request goes out.
void tam_rate_window_on_start(tam_rate_window *window);

// The request sent at |sent_ms| was answered at |now_ms| with |headers|.
void tam_rate_window_on_answer(tam_rate_window *window, double sent_ms,
                               double now_ms, const tam_headers *headers);

// A request ended at |now_ms| without an answer.
void tam_rate_window_on_loss(tam_rate_window *window, double now_ms);

// Returns how many more requests may go out at |now_ms|, INFINITY when nothing
// is known.
double tam_rate_window_budget(const tam_rate_window *window, double now_ms);

// Returns 1 when the window is known to be used up at |now_ms|, else 0.
int tam_rate_window_is_exhausted(const tam_rate_window *window, double now_ms);

#endif // TAM_NET_RATE_WINDOW_H
