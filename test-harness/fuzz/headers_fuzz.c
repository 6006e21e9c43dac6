// SPDX-License-Identifier: Apache-2.0
// Any bytes as a header block: no read outside the block, and every result is
// either absent or in its range.
#include "core/trap.h"
#include "net/headers.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_number(double number) {
  TAM_ASSERT(number == -1 || (number >= 0 && number <= 9007199254740991.0));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  // A copy of exactly this size, so that the sanitizer sees every overrun.
  uint8_t *copy = malloc(size > 0 ? size : 1);
  if (copy == NULL) {
    return 0;
  }
  memcpy(copy, data, size);
  tam_headers headers;
  tam_headers_parse((tam_span){copy, size}, &headers);
  check_number(headers.rate_remaining);
  check_number(headers.rate_reset_s);
  check_number(headers.rate_window_s);
  check_number(headers.retry_after_s);
  tam_span next_url = headers.next_url;
  TAM_ASSERT(next_url.len == 0 ||
             (next_url.ptr >= copy && next_url.len <= size &&
              next_url.ptr + next_url.len <= copy + size));
  free(copy);
  return 0;
}
