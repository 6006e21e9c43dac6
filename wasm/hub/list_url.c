// SPDX-License-Identifier: Apache-2.0
#include "hub/list_url.h"

#include "core/json_write.h"
#include "core/names.h"
#include "core/percent.h"
#include "core/span.h"

#define LISTING_PATH TAM_SPAN("/api/models?")

// What a row must carry so that nothing has to be fetched for it. With
// "expand" the Hub sends these keys and no others.
#define EXPAND                                                                 \
  "config\0"                                                                   \
  "disabled\0"                                                                 \
  "downloads\0"                                                                \
  "gated\0"                                                                    \
  "lastModified\0"                                                             \
  "library_name\0"                                                             \
  "likes\0"                                                                    \
  "pipeline_tag\0"                                                             \
  "safetensors\0"                                                              \
  "siblings\0"                                                                 \
  "tags\0"

static void append_param(tam_buf *url, const char *name, tam_span value) {
  if (value.len > 0) {
    tam_buf_append_byte(url, '&');
    tam_buf_append_text(url, name);
    tam_buf_append_byte(url, '=');
    tam_percent_encode(url, value, 0);
  }
}

void tam_list_url_first(tam_buf *url, tam_span hub_url,
                        const tam_list_params *params, uint32_t limit) {
  tam_buf_append(url, hub_url);
  tam_buf_append(url, LISTING_PATH);
  tam_buf_append_text(url, "limit=");
  tam_text_append_number(url, limit);
  for (size_t i = 0; i < params->filter_count; i++) {
    append_param(url, "filter", params->filters[i]);
  }
  append_param(url, "search", params->search);
  append_param(url, "author", params->author);
  append_param(url, "pipeline_tag", params->pipeline_tag);
  append_param(url, "sort", params->sort);
  for (const char *key = EXPAND; *key != '\0'; key = tam_names_at(key, 1)) {
    append_param(url, "expand", tam_span_of(key));
  }
  append_param(url, "cursor", params->cursor);
}

// Cuts the next "name=value" off |*pquery|; returns 0 when there is none.
TAM_SPAN_INLINE int query_next(tam_span *pquery, tam_span *pname,
                               tam_span *pvalue) {
  if (pquery->len == 0) {
    return 0;
  }
  size_t end = tam_span_find_byte(*pquery, '&');
  tam_span pair = tam_span_head(*pquery, end);
  *pquery = tam_span_from(*pquery, end + 1);
  size_t equals = tam_span_find_byte(pair, '=');
  *pname = tam_span_head(pair, equals);
  *pvalue = tam_span_from(pair, equals + 1);
  return 1;
}

TAM_SPAN_INLINE tam_span query_of(tam_span url) {
  return tam_span_from(url, tam_span_find_byte(url, '?') + 1);
}

void tam_list_url_with_limit(tam_buf *url, tam_span page_url, uint32_t limit) {
  tam_span query = query_of(page_url);
  tam_span name;
  tam_span value;
  tam_buf_append(url, tam_span_head(page_url, page_url.len - query.len));
  tam_buf_append_text(url, "limit=");
  tam_text_append_number(url, limit);
  while (query_next(&query, &name, &value)) {
    if (!tam_span_eq(name, TAM_SPAN("limit"))) {
      tam_buf_append_byte(url, '&');
      tam_buf_append(url, name);
      tam_buf_append_byte(url, '=');
      tam_buf_append(url, value);
    }
  }
}

// Returns where the path of an absolute or relative |url| begins.
static size_t path_start(tam_span url) {
  size_t host = tam_span_find_byte(url, ':') + 3;
  if (!tam_span_ends_with(tam_span_head(url, host), TAM_SPAN("://"))) {
    return 0;
  }
  return host + tam_span_find_byte(tam_span_from(url, host), '/');
}

int tam_list_url_next(tam_buf *url, tam_span hub_url, tam_span link) {
  tam_span path = tam_span_from(link, path_start(link));
  // The Hub may be a mirror in a folder.
  tam_span prefix = tam_span_from(hub_url, path_start(hub_url));
  if (tam_span_starts_with(path, prefix)) {
    path = tam_span_from(path, prefix.len);
  }
  if (!tam_span_starts_with(path, LISTING_PATH) ||
      !tam_span_is_visible_ascii(path)) {
    return 0;
  }
  tam_buf_append(url, hub_url);
  tam_buf_append(url, path);
  return 1;
}

static void append_decoded(tam_buf *text, tam_span encoded) {
  for (size_t i = 0; i < encoded.len; i++) {
    int escaped = tam_percent_byte_at(encoded, i);
    if (escaped >= 0) {
      tam_buf_append_byte(text, (uint8_t)escaped);
      i += 2;
    } else {
      tam_buf_append_byte(text, encoded.ptr[i]);
    }
  }
}

void tam_list_url_cursor(tam_buf *cursor, tam_span page_url) {
  tam_span query = query_of(page_url);
  tam_span name;
  tam_span value;
  while (query_next(&query, &name, &value)) {
    if (tam_span_eq(name, TAM_SPAN("cursor"))) {
      append_decoded(cursor, value);
      if (!tam_span_is_visible_ascii(tam_buf_span(cursor))) {
        cursor->len = 0;
      }
      return;
    }
  }
}

void tam_list_url_file(tam_buf *url, tam_span hub_url, tam_span id,
                       tam_span path) {
  tam_buf_append(url, hub_url);
  tam_buf_append_byte(url, '/');
  tam_percent_encode(url, id, '/');
  tam_buf_append_text(url, "/resolve/main/");
  tam_percent_encode(url, path, '/');
}
