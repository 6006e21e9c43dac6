// SPDX-License-Identifier: Apache-2.0
#include "net/headers.h"

#include "core/names.h"
#include "core/span.h"

// Cuts the first part off |*prest|, up to a comma or semicolon outside "..."
// and <...>, and returns it without blanks. Lists and parameters are not told
// apart: no header read here needs that.
static tam_span cut_part(tam_span *prest) {
  tam_span rest = *prest;
  int is_quoted = 0;
  size_t at = 0;
  for (; at < rest.len; at++) {
    uint8_t byte = rest.ptr[at];
    if (byte == '"' || byte == '<' || byte == '>') {
      is_quoted = !is_quoted;
    } else if (!is_quoted && (byte == ',' || byte == ';')) {
      break;
    }
  }
  *prest = tam_span_from(rest, at + 1);
  return tam_span_trim(tam_span_head(rest, at));
}

// Keeps the first readable value of what is repeated.
static void read_number(tam_span text, double *pnumber) {
  double number;
  if (*pnumber < 0 && tam_span_to_uint(text, &number)) {
    *pnumber = number;
  }
}

// Reads the parameter with the one-letter |name|: "api";r=499;t=289
static void read_param(tam_span value, uint8_t name, double *pnumber) {
  while (value.len > 0) {
    tam_span part = cut_part(&value);
    if (part.len > 2 && part.ptr[0] == name && part.ptr[1] == '=') {
      read_number(tam_span_from(part, 2), pnumber);
    }
  }
}

// <https://host/path?cursor=x>; rel="next", <...>; rel="prev"
static void read_link(tam_span value, tam_span *purl) {
  tam_span url = TAM_SPAN_NONE;
  while (value.len > 0 && purl->len == 0) {
    tam_span part = cut_part(&value);
    if (part.len > 2 && part.ptr[0] == '<' && part.ptr[part.len - 1] == '>') {
      url = (tam_span){part.ptr + 1, part.len - 2};
    } else if (tam_span_eq_nocase(part, TAM_SPAN("rel=\"next\"")) ||
               tam_span_eq_nocase(part, TAM_SPAN("rel=next"))) {
      *purl = url;
    }
  }
}

// The names are in the order of tam_hub_error.
static tam_hub_error read_error_code(tam_span value) {
  static const char names[] = "GatedRepo\0"
                              "RepoNotFound\0"
                              "RevisionNotFound\0"
                              "EntryNotFound\0";
  return (tam_hub_error)(tam_names_find(names, value) + 1);
}

// Reads "bytes 0-1023/146515"; the size may be "*".
static void read_content_range(tam_span value, tam_headers *headers) {
  if (!tam_span_starts_with(value, TAM_SPAN("bytes "))) {
    return;
  }
  value = tam_span_from(value, sizeof("bytes ") - 1);
  size_t slash = tam_span_find_byte(value, '/');
  tam_span range = tam_span_head(value, slash);
  size_t dash = tam_span_find_byte(range, '-');
  double last;
  read_number(tam_span_from(value, slash + 1), &headers->range_size);
  if (tam_span_to_uint(tam_span_from(range, dash + 1), &last)) {
    read_number(tam_span_head(range, dash), &headers->range_start);
    headers->range_end = last + 1;
  }
}

static void read_header(tam_span name, tam_span value, tam_headers *headers) {
  if (tam_span_eq_nocase(name, TAM_SPAN("link"))) {
    read_link(value, &headers->next_url);
  } else if (tam_span_eq_nocase(name, TAM_SPAN("ratelimit"))) {
    read_param(value, 'r', &headers->rate_remaining);
    read_param(value, 't', &headers->rate_reset_s);
  } else if (tam_span_eq_nocase(name, TAM_SPAN("ratelimit-policy"))) {
    read_param(value, 'w', &headers->rate_window_s);
  } else if (tam_span_eq_nocase(name, TAM_SPAN("retry-after"))) {
    read_number(value, &headers->retry_after_s);
  } else if (tam_span_eq_nocase(name, TAM_SPAN("x-error-code"))) {
    headers->hub_error = read_error_code(value);
  } else if (tam_span_eq_nocase(name, TAM_SPAN("etag"))) {
    headers->etag = value;
  } else if (tam_span_eq_nocase(name, TAM_SPAN("content-length"))) {
    read_number(value, &headers->content_length);
  } else if (tam_span_eq_nocase(name, TAM_SPAN("content-range"))) {
    read_content_range(value, headers);
  }
}

void tam_headers_parse(tam_span block, tam_headers *headers) {
  *headers = (tam_headers){
      .rate_remaining = -1,
      .rate_reset_s = -1,
      .rate_window_s = -1,
      .retry_after_s = -1,
      .content_length = -1,
      .range_start = -1,
      .range_end = -1,
      .range_size = -1,
  };
  while (block.len > 0) {
    size_t end = tam_span_find_byte(block, '\n');
    tam_span line = tam_span_head(block, end);
    size_t colon = tam_span_find_byte(line, ':');
    read_header(tam_span_trim(tam_span_head(line, colon)),
                tam_span_trim(tam_span_from(line, colon + 1)), headers);
    block = tam_span_from(block, end + 1);
  }
}
