// SPDX-License-Identifier: Apache-2.0
// Reads the response headers that matter out of a header block.
#ifndef TAM_NET_HEADERS_H
#define TAM_NET_HEADERS_H

#include "tam.h"

// What X-Error-Code said, as far as it makes a difference.
typedef enum tam_hub_error {
  TAM_HUB_ERROR_NONE = 0,
  TAM_HUB_ERROR_GATED_REPO,
  TAM_HUB_ERROR_REPO_NOT_FOUND,
  TAM_HUB_ERROR_REVISION_NOT_FOUND,
  TAM_HUB_ERROR_ENTRY_NOT_FOUND
} tam_hub_error;

// Numbers are -1 and spans empty when the header is absent or unreadable.
typedef struct tam_headers {
  tam_span next_url;     // Link with rel="next"
  double rate_remaining; // RateLimit r
  double rate_reset_s;   // RateLimit t, seconds
  double rate_window_s;  // RateLimit-Policy w, seconds
  double retry_after_s;  // Retry-After as seconds; dates are ignored
  tam_hub_error hub_error;
  tam_span etag;         // ETag as it stands, quotes and all
  double content_length; // Content-Length
  double range_start;    // Content-Range: first byte, ...
  double range_end;      // ... the one behind the last, ...
  double range_size;     // ... and the size of the whole
} tam_headers;

// Parses |block| ("name: value\r\n" lines). Never fails: what cannot be read
// is absent. The spans point into |block|.
void tam_headers_parse(tam_span block, tam_headers *headers);

#endif // TAM_NET_HEADERS_H
