// SPDX-License-Identifier: Apache-2.0
// The text of the message is decoded, what it says stays as it is written
// there: a string of JSON inside of it is a string of JSON outside as well.
#include "chat/scraped_content.h"

#include "chat/json_walk.h"
#include "core/json_text.h"
#include "core/names.h"
#include "core/number.h"

#define FENCE     TAM_SPAN("```json")
#define FENCE_END TAM_SPAN("```")

// Any of these says that it is a scraper's.
static const char marks[] = "extractedAt\0"
                            "wordCount\0"
                            "readingTime\0"
                            "segments\0"
                            "images\0"
                            "links\0";
#define MARK_COUNT 6

static int is_surrogate(const uint8_t *escape) {
  return escape[1] == 'u' && (escape[2] | 0x20) == 'd' && escape[3] >= '8';
}

// Decodes |raw| into |out|. Surrogates stay escapes, for UTF-8 has none: in the
// JSON that the text is they say the same.
static void decode(tam_span raw, tam_buf *out) {
  size_t at = 0;
  while (at < raw.len) {
    size_t plain = tam_span_find_byte(tam_span_from(raw, at), '\\');
    tam_buf_append(out, tam_span_head(tam_span_from(raw, at), plain));
    at += plain;
    if (at == raw.len) {
      return;
    }
    tam_span escape =
        tam_span_head(tam_span_from(raw, at), raw.ptr[at + 1] == 'u' ? 6 : 2);
    uint8_t text[4];
    if (is_surrogate(escape.ptr)) {
      tam_buf_append(out, escape);
    } else {
      size_t len = tam_json_unescape(escape, text, sizeof(text));
      tam_buf_append(out, (tam_span){text, len});
    }
    at += escape.len;
  }
}

// Returns the object that |text| is, in a code fence or alone, or nothing.
static tam_span object_in(tam_span text) {
  text = tam_span_trim(text);
  if (tam_span_starts_with(text, FENCE) &&
      tam_span_ends_with(text, FENCE_END) &&
      text.len >= FENCE.len + FENCE_END.len) {
    text = tam_span_from(text, FENCE.len);
    text = tam_span_trim(tam_span_head(text, text.len - FENCE_END.len));
  }
  int is_object = text.len > 0 && text.ptr[0] == '{' &&
                  tam_json_container_len(text) == text.len;
  return is_object ? text : TAM_SPAN_NONE;
}

// Returns 1 when |value| counts as true in JavaScript.
static int is_truthy(tam_span value) {
  if (value.len == 0 || tam_span_is(value, "\"\"") ||
      tam_span_is(value, "null") || tam_span_is(value, "false")) {
    return 0;
  }
  int is_number =
      value.ptr[0] == '-' || (value.ptr[0] >= '0' && value.ptr[0] <= '9');
  return !is_number || tam_number_of(value) != 0;
}

static int is_scraped(tam_span object) {
  if (tam_json_raw_is(tam_json_walk_member(object, "method"),
                      "tempTabExecuteScript")) {
    return 1;
  }
  for (size_t i = 0; i < MARK_COUNT; i++) {
    if (is_truthy(tam_json_walk_member(object, tam_names_at(marks, i)))) {
      return 1;
    }
  }
  return 0;
}

// Returns what the member |name| of |object| is as text, raw and without
// quotes; nothing when it does not count as true, or is no text.
static tam_span text_of(tam_span object, const char *name) {
  tam_span value = tam_json_walk_member(object, name);
  if (!is_truthy(value) || value.ptr[0] == '{' || value.ptr[0] == '[') {
    return TAM_SPAN_NONE;
  }
  return value.ptr[0] == '"'
             ? tam_span_head(tam_span_from(value, 1), value.len - 2)
             : value;
}

int tam_scraped_content_rewrite(tam_span content, tam_buf *scratch,
                                tam_buf *out) {
  tam_buf_reset(scratch);
  decode(tam_span_head(tam_span_from(content, 1), content.len - 2), scratch);
  tam_span object = object_in(tam_buf_span(scratch));
  if (scratch->error != 0 || object.len == 0 || !is_scraped(object)) {
    return 0;
  }
  tam_span title = text_of(object, "title");
  tam_span text = text_of(object, "text");
  tam_buf_append_text(out, "\"Title: ");
  tam_buf_append(out, title.len > 0 ? title : TAM_SPAN("Untitled"));
  tam_buf_append_text(out, "\\nURL: ");
  tam_buf_append(out, text_of(object, "url"));
  tam_buf_append_text(out, "\\nContent: ");
  tam_buf_append(out, text.len > 0 ? text : text_of(object, "content"));
  tam_buf_append_byte(out, '"');
  return 1;
}
