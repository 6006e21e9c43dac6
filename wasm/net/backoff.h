// SPDX-License-Identifier: Apache-2.0
// How long to wait before a transient error is tried again.
#ifndef TAM_NET_BACKOFF_H
#define TAM_NET_BACKOFF_H

#include "core/random.h"

// The first wait and the longest one, before jitter, in ms. Short at first
// because most transient errors are gone at once; long enough in the end that
// a server that restarts is not hammered.
#define TAM_BACKOFF_BASE_MS 100.0
#define TAM_BACKOFF_MAX_MS  10000.0

// Returns the milliseconds to wait after |failures| failed attempts (1 or
// more): the base doubled each time, up to the maximum, then 50 to 100 % of
// that, so that requests that failed together do not return together.
double tam_backoff_delay(unsigned failures, tam_random *random);

#endif // TAM_NET_BACKOFF_H
