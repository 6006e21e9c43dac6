// SPDX-License-Identifier: Apache-2.0
// The slot of a duration is made of its highest bit and the three bits below
// it; durations under 16 ms have a slot each.
#include "net/latency.h"

#define SUB_BITS  3U
#define SUB_SLOTS (1U << SUB_BITS)

// The longest duration of the last slot.
#define LONGEST_MS 262143U

static unsigned slot_of(double duration_ms) {
  if (!(duration_ms > 0)) {
    return 0;
  }
  uint32_t ms = duration_ms < LONGEST_MS ? (uint32_t)duration_ms : LONGEST_MS;
  unsigned shift = 31U - SUB_BITS - (unsigned)__builtin_clz(ms | SUB_SLOTS);
  return shift * SUB_SLOTS + (ms >> shift);
}

// Returns the first duration beyond |slot|.
static uint32_t slot_end(unsigned slot) {
  unsigned next = slot + 1;
  unsigned shift = next < 2 * SUB_SLOTS ? 0 : next / SUB_SLOTS - 1;
  return (next - shift * SUB_SLOTS) << shift;
}

static void latency_halve(tam_latency *latency) {
  latency->total = 0;
  for (unsigned slot = 0; slot < TAM_LATENCY_SLOTS; slot++) {
    latency->counts[slot] /= 2;
    latency->total += latency->counts[slot];
  }
}

void tam_latency_add(tam_latency *latency, double duration_ms) {
  if (latency->total >= TAM_LATENCY_SAMPLES_MAX) {
    latency_halve(latency);
  }
  latency->counts[slot_of(duration_ms)]++;
  latency->total++;
}

uint32_t tam_latency_percentile(const tam_latency *latency, unsigned percent) {
  if (latency->total == 0) {
    return 0;
  }
  uint32_t seen = 0;
  unsigned slot = 0;
  for (; slot < TAM_LATENCY_SLOTS - 1; slot++) {
    seen += latency->counts[slot];
    if (seen * 100 >= latency->total * percent) {
      break;
    }
  }
  return slot_end(slot);
}

double tam_latency_timeout(const tam_latency *latency, double limit_ms) {
  uint32_t timeout_ms = TAM_LATENCY_TIMEOUT_START_MS;
  if (latency->total >= TAM_LATENCY_SAMPLES_MIN) {
    timeout_ms = tam_latency_percentile(latency, 98) * 5 / 2;
    if (timeout_ms < TAM_LATENCY_TIMEOUT_MIN_MS) {
      timeout_ms = TAM_LATENCY_TIMEOUT_MIN_MS;
    }
  }
  return timeout_ms < limit_ms ? timeout_ms : limit_ms;
}
