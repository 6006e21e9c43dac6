// SPDX-License-Identifier: Apache-2.0
#include "core/names.h"

#include "core/span.h"

// How a text may go with a name. (A pointer to the comparison would cost more:
// functions that are pointed at cannot take their spans in registers.)
typedef enum match { MATCH_END, MATCH_WITHIN } match;

static int is_match(match how, tam_span text, tam_span name) {
  switch (how) {
  case MATCH_END:
    return tam_span_ends_with(text, name);
  default:
    return tam_span_find_nocase(text, name) < text.len;
  }
}

static int find(match how, const char *names, tam_span text) {
  for (int place = 0; *names != '\0'; place++) {
    tam_span name = tam_span_of(names);
    if (is_match(how, text, name)) {
      return place;
    }
    names += name.len + 1;
  }
  return -1;
}

const char *tam_names_at(const char *names, size_t place) {
  for (; place > 0; place--) {
    names += tam_text_len(names) + 1;
  }
  return names;
}

int tam_names_find(const char *names, tam_span name) {
  for (int place = 0; *names != '\0'; place++) {
    if (tam_span_is(name, names)) {
      return place;
    }
    names += tam_text_len(names) + 1;
  }
  return -1;
}

int tam_names_find_end(const char *names, tam_span text) {
  return find(MATCH_END, names, text);
}

int tam_names_find_within(const char *names, tam_span text) {
  return find(MATCH_WITHIN, names, text);
}
