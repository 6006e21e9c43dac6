// SPDX-License-Identifier: Apache-2.0
#include "net/backoff.h"

double tam_backoff_delay(unsigned failures, tam_random *random) {
  double delay_ms = TAM_BACKOFF_BASE_MS;
  for (unsigned i = 1; i < failures && delay_ms < TAM_BACKOFF_MAX_MS; i++) {
    delay_ms *= 2;
  }
  if (delay_ms > TAM_BACKOFF_MAX_MS) {
    delay_ms = TAM_BACKOFF_MAX_MS;
  }
  return delay_ms * (0.5 + 0.5 * tam_random_unit(random));
}
