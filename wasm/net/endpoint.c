// SPDX-License-Identifier: Apache-2.0
#include "net/endpoint.h"

#include "core/span.h"

int tam_endpoint_is_valid(tam_span url) {
  int is_http = tam_span_starts_with(url, TAM_SPAN("http://"));
  int is_https = tam_span_starts_with(url, TAM_SPAN("https://"));
  size_t host = is_https ? 8 : 7;
  if ((!is_http && !is_https) || url.len <= host ||
      url.len > TAM_ENDPOINT_MAX || url.ptr[host] == '/') {
    return 0;
  }
  for (const char *denied = "?#@\\"; *denied != '\0'; denied++) {
    if (tam_span_find_byte(url, (uint8_t)*denied) < url.len) {
      return 0;
    }
  }
  return tam_span_is_visible_ascii(url);
}

int tam_mirrors_are_valid(tam_span mirrors) {
  int is_valid = mirrors.len <= TAM_MIRRORS_MAX;
  int has_more = 1;
  while (is_valid && has_more) {
    size_t end = tam_span_find_byte(mirrors, '\n');
    is_valid = tam_endpoint_is_valid(tam_span_head(mirrors, end));
    has_more = end < mirrors.len;
    mirrors = tam_span_from(mirrors, end + 1);
  }
  return is_valid;
}
