// SPDX-License-Identifier: Apache-2.0
// How long answers take, as a histogram of fixed size, and the timeout that
// follows from it: a request that takes far longer than its predecessors is
// given up long before the caller's own limit.
#ifndef TAM_NET_LATENCY_H
#define TAM_NET_LATENCY_H

#include <stdint.h>

// Eight slots per doubling (9 % wide), up to 262 s.
#define TAM_LATENCY_SLOTS 128

// Fewer answers than this say nothing about the slowest ones.
#define TAM_LATENCY_SAMPLES_MIN 20

// Above this many samples all counts are halved, so that the histogram follows
// a network that changes.
#define TAM_LATENCY_SAMPLES_MAX 1000

// The timeout while there are too few samples, and the smallest one, in ms.
#define TAM_LATENCY_TIMEOUT_START_MS 2000U
#define TAM_LATENCY_TIMEOUT_MIN_MS   600U

// Empty when zeroed.
typedef struct tam_latency {
  uint32_t counts[TAM_LATENCY_SLOTS];
  uint32_t total;
} tam_latency;

// Records that an answer took |duration_ms|, or that none came in that time.
void tam_latency_add(tam_latency *latency, double duration_ms);

// Returns a time in ms that |percent| of the samples did not exceed (accurate
// to a slot, rounded up); 0 without samples.
uint32_t tam_latency_percentile(const tam_latency *latency, unsigned percent);

// Returns the time in ms after which a request should be given up: 2.5 times
// the 98th percentile, at least TAM_LATENCY_TIMEOUT_MIN_MS, at most |limit_ms|.
double tam_latency_timeout(const tam_latency *latency, double limit_ms);

#endif // TAM_NET_LATENCY_H
