// SPDX-License-Identifier: Apache-2.0
#include "trace_match.h"

#include <stdlib.h>
#include <string.h>

#define ANYTHING "[[*]]"

void trace_compact_json(char *text) {
  int is_string = 0;
  char *to = text;
  for (const char *at = text; *at != '\0'; at++) {
    if (is_string && *at == '\\' && at[1] != '\0') {
      *to++ = *at++;
    } else if (*at == '"') {
      is_string = !is_string;
    } else if (!is_string && strchr(" \t\r\n", *at) != NULL) {
      continue;
    }
    *to++ = *at;
  }
  *to = '\0';
}

// Reads "[[1..2.5]]" at |pattern|; returns what follows it, or NULL.
static const char *read_range(const char *pattern, double *pmin, double *pmax) {
  char *end = NULL;
  if (strncmp(pattern, "[[", 2) != 0) {
    return NULL;
  }
  // "1..2" would be read as the number "1." and the rest: cut it first.
  const char *dots = strstr(pattern, "..");
  const char *close = strstr(pattern, "]]");
  if (dots == NULL || close == NULL || dots > close || dots - pattern > 30) {
    return NULL;
  }
  char low[32] = {0};
  memcpy(low, pattern + 2, (size_t)(dots - pattern) - 2);
  *pmin = strtod(low, &end);
  *pmax = strtod(dots + 2, &end);
  return end == close ? close + 2 : NULL;
}

static int match_range(const char *rest, double min, double max,
                       const char *text) {
  char *end = NULL;
  double number = strtod(text, &end);
  return end != text && number >= min && number <= max &&
         trace_match(rest, end);
}

int trace_match(const char *pattern, const char *text) {
  double min = 0;
  double max = 0;
  for (; *pattern != '\0'; pattern++, text++) {
    if (strncmp(pattern, ANYTHING, strlen(ANYTHING)) == 0) {
      const char *rest = pattern + strlen(ANYTHING);
      while (!trace_match(rest, text)) {
        if (*text++ == '\0') {
          return 0;
        }
      }
      return 1;
    }
    const char *rest = read_range(pattern, &min, &max);
    if (rest != NULL) {
      return match_range(rest, min, max, text);
    }
    if (*pattern != *text) {
      return 0;
    }
  }
  return *text == '\0';
}
