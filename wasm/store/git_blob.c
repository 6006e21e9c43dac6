// SPDX-License-Identifier: Apache-2.0
#include "store/git_blob.h"

#include "core/span.h"

// The digits of the largest 64-bit number and the zero byte.
#define SIZE_TEXT_MAX (20 + 1)

void tam_git_blob_init(tam_sha1 *sha, uint64_t size_bytes) {
  uint8_t text[SIZE_TEXT_MAX];
  size_t at = sizeof(text);
  text[--at] = 0;
  do {
    text[--at] = (uint8_t)('0' + size_bytes % 10);
    size_bytes /= 10;
  } while (size_bytes > 0);
  tam_sha1_init(sha);
  tam_sha1_update(sha, TAM_SPAN("blob "));
  tam_sha1_update(sha, (tam_span){text + at, sizeof(text) - at});
}
