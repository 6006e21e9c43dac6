// SPDX-License-Identifier: Apache-2.0
#include "chat/json_walk.h"

#include "core/json_scan.h"
#include "core/json_text.h"

#define NAME_MAX_LEN 31

size_t tam_json_container_len(tam_span text) {
  if (text.len == 0 || (text.ptr[0] != '{' && text.ptr[0] != '[')) {
    return 0;
  }
  tam_json_scan scan;
  int token;
  tam_json_scan_init(&scan, NULL, 0);
  tam_json_scan_input(&scan, text);
  do {
    token = tam_json_scan_next(&scan);
  } while (token > 0 && scan.depth > 0);
  return token > 0 ? (size_t)tam_json_scan_offset(&scan) : 0;
}

int tam_json_check(tam_span text) {
  tam_json_scan scan;
  int token;
  tam_json_scan_init(&scan, NULL, 0);
  tam_json_scan_input(&scan, text);
  do {
    token = tam_json_scan_next(&scan);
  } while (token > 0);
  return token < 0 ? token : tam_json_scan_end(&scan);
}

// ---------------------------------------------------------------------------
// Well-formed text: only the end is checked for.

static int is_blank(uint8_t byte) {
  return byte == ' ' || byte == '\n' || byte == '\r' || byte == '\t';
}

static void skip_blanks(tam_span *ptext) {
  size_t len = 0;
  while (len < ptext->len && is_blank(ptext->ptr[len])) {
    len++;
  }
  *ptext = tam_span_from(*ptext, len);
}

// Returns the length of the string that |text| begins with, with its quotes.
static size_t string_len(tam_span text) {
  size_t at = 1;
  while (at < text.len && text.ptr[at] != '"') {
    at += text.ptr[at] == '\\' ? 2 : 1;
  }
  return at < text.len ? at + 1 : text.len;
}

static size_t nested_len(tam_span text) {
  size_t at = 0;
  size_t depth = 0;
  do {
    uint8_t byte = text.ptr[at];
    depth += byte == '{' || byte == '[';
    depth -= byte == '}' || byte == ']';
    at += byte == '"' ? string_len(tam_span_from(text, at)) : 1;
  } while (depth > 0 && at < text.len);
  return at;
}

static size_t value_len(tam_span text) {
  if (text.len == 0) {
    return 0;
  }
  switch (text.ptr[0]) {
  case '"':
    return string_len(text);
  case '{':
  case '[':
    return nested_len(text);
  default:
    break;
  }
  size_t len = 0;
  while (len < text.len && !is_blank(text.ptr[len]) && text.ptr[len] != ',' &&
         text.ptr[len] != ']' && text.ptr[len] != '}') {
    len++;
  }
  return len;
}

static tam_span take_value(tam_span *ptext) {
  size_t len = value_len(*ptext);
  tam_span value = tam_span_head(*ptext, len);
  *ptext = tam_span_from(*ptext, len);
  return value;
}

static tam_span without_quotes(tam_span value) {
  return value.len >= 2 && value.ptr[0] == '"'
             ? tam_span_head(tam_span_from(value, 1), value.len - 2)
             : value;
}

void tam_json_walk_begin(tam_json_walk *walk, tam_span container) {
  container = tam_span_trim(container);
  walk->is_object = container.len > 0 && container.ptr[0] == '{';
  walk->rest = tam_span_from(container, 1);
}

int tam_json_walk_next(tam_json_walk *walk, tam_span *pkey, tam_span *pvalue) {
  tam_span *rest = &walk->rest;
  skip_blanks(rest);
  if (rest->len > 0 && rest->ptr[0] == ',') {
    *rest = tam_span_from(*rest, 1);
    skip_blanks(rest);
  }
  if (rest->len == 0 || rest->ptr[0] == '}' || rest->ptr[0] == ']') {
    return 0;
  }
  *pkey = TAM_SPAN_NONE;
  if (walk->is_object) {
    *pkey = without_quotes(take_value(rest));
    skip_blanks(rest);
    *rest = tam_span_from(*rest, 1); // the colon
    skip_blanks(rest);
  }
  *pvalue = take_value(rest);
  return 1;
}

tam_span tam_json_walk_member(tam_span object, const char *name) {
  tam_json_walk walk;
  tam_span key;
  tam_span value;
  tam_span found = TAM_SPAN_NONE;
  tam_json_walk_begin(&walk, object);
  while (tam_json_walk_next(&walk, &key, &value)) {
    if (tam_json_raw_is(key, name)) {
      found = value;
    }
  }
  return found;
}

int tam_json_raw_is(tam_span value, const char *name) {
  uint8_t text[NAME_MAX_LEN];
  if (value.len == 0) {
    return 0;
  }
  size_t len = tam_json_unescape(without_quotes(value), text, sizeof(text));
  return len != SIZE_MAX && tam_span_is((tam_span){text, len}, name);
}
