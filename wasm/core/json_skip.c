// SPDX-License-Identifier: Apache-2.0
#include "core/json_skip.h"

// The deepest nesting that is walked here; a bit of an integer per level.
#define DEPTH_MAX 32

// Blanks in a row that are walked here.
#define BLANKS_MAX 32

static int is_digit(uint8_t byte) {
  return (uint8_t)(byte - '0') <= 9;
}

static int is_continuation(uint8_t byte) {
  return (byte & 0xc0) == 0x80;
}

const uint8_t *tam_json_guard(const uint8_t *start, const uint8_t *end) {
  if (end - start <= TAM_JSON_MARGIN) {
    return start;
  }
  const uint8_t *at = end - TAM_JSON_MARGIN;
  while (at > start && *at != '"') {
    at--;
  }
  return at;
}

// Other blanks than a line break and up to fifteen spaces behind it.
static const uint8_t *skip_more_blanks(const uint8_t *at) {
  const uint8_t *end = at + BLANKS_MAX;
  while (at < end &&
         (*at == ' ' || *at == '\n' || *at == '\r' || *at == '\t')) {
    at++;
  }
  return at;
}

const uint8_t *tam_json_skip_blanks(const uint8_t *at) {
  if (*at == ' ' && at[1] > ' ') {
    return at + 1; // the usual one behind a colon
  }
  if (*at == '\n') {
    const uint8_t *text = tam_json_indented(at + 1);
    if (*text > ' ') {
      return text;
    }
  }
  return skip_more_blanks(at);
}

// Returns the byte behind the non-ASCII character at |at|, or NULL when it is
// malformed: too long a form, a surrogate, or above U+10FFFF.
static const uint8_t *skip_character(const uint8_t *at) {
  uint8_t lead = at[0];
  if (lead < 0xe0) {
    return lead >= 0xc2 && is_continuation(at[1]) ? at + 2 : NULL;
  }
  uint8_t min = lead == 0xe0 ? 0xa0 : lead == 0xf0 ? 0x90 : 0x80;
  uint8_t max = lead == 0xed ? 0x9f : lead == 0xf4 ? 0x8f : 0xbf;
  if (at[1] < min || at[1] > max || !is_continuation(at[2])) {
    return NULL;
  }
  if (lead < 0xf0) {
    return at + 3;
  }
  return lead <= 0xf4 && is_continuation(at[3]) ? at + 4 : NULL;
}

static int is_hex(uint8_t byte) {
  uint8_t letter = byte | 0x20;
  return is_digit(byte) || (letter >= 'a' && letter <= 'f');
}

// Returns the byte behind the escape sequence at |at|, or NULL.
static const uint8_t *skip_escape(const uint8_t *at) {
  switch (at[1]) {
  case 'n':
  case '"':
  case '\\':
  case '/':
  case 'b':
  case 'f':
  case 'r':
  case 't':
    return at + 2;
  case 'u':
    return is_hex(at[2]) && is_hex(at[3]) && is_hex(at[4]) && is_hex(at[5])
               ? at + 6
               : NULL;
  default:
    return NULL;
  }
}

// Characters cannot pass the guard: it is not a byte of any.
static const uint8_t *skip_characters(const uint8_t *at) {
  do {
    at = skip_character(at);
  } while (at != NULL && *at >= 0x80);
  return at;
}

const uint8_t *tam_json_text_rest(const uint8_t *at) {
  do {
    at = tam_json_plain_end(at);
    if (*at < 0x80) {
      return *at == '"' ? at : NULL;
    }
    at = skip_characters(at);
  } while (at != NULL);
  return NULL;
}

const uint8_t *tam_json_text(const uint8_t *at, const uint8_t *guard,
                             tam_span *ptext) {
  const uint8_t *end =
      *at == '"' && at < guard ? tam_json_text_rest(at + 1) : NULL;
  if (end == NULL || end >= guard) {
    return NULL;
  }
  *ptext = (tam_span){at + 1, (size_t)(end - (at + 1))};
  return end + 1;
}

// Returns what follows the escape or the non-ASCII characters at |at|, or NULL.
static const uint8_t *skip_special(const uint8_t *at) {
  if (*at == '\\') {
    return skip_escape(at);
  }
  return *at >= 0x80 ? skip_characters(at) : NULL;
}

// Escapes come in crowds (chat templates): all that lie in the same 32 bytes
// are taken from one mask.
const uint8_t *tam_json_skip_string(const uint8_t *at, const uint8_t *guard) {
  while (at <= guard) {
    const uint8_t *next = at + 32;
    uint64_t mask = tam_json_stop_mask32(at);
    while (mask != 0) {
      const uint8_t *special = at + __builtin_ctzll(mask);
      if (*special == '"') {
        return special < guard ? special + 1 : NULL;
      }
      const uint8_t *end = skip_special(special);
      if (end == NULL || end > guard) {
        return NULL; // an escaped quote may have been the guard
      }
      if (end >= at + 32) {
        next = end;
        break;
      }
      mask &= UINT64_MAX << (end - at);
    }
    at = next;
  }
  return NULL;
}

// tam_json_comma for a place inside.
static const uint8_t *skip_comma(const uint8_t *at, uint8_t close) {
  at = tam_json_space(at);
  if (*at == ',') {
    at = tam_json_space(at + 1);
    return *at != close ? at : NULL;
  }
  return *at == close ? at : NULL;
}

const uint8_t *tam_json_comma(const uint8_t *at, const uint8_t *guard,
                              uint8_t close) {
  return at != NULL && at < guard ? skip_comma(at, close) : NULL;
}

void tam_json_gap_learn(tam_json_gap *gap, const uint8_t *at,
                        const uint8_t *close, const uint8_t *end) {
  size_t len = (size_t)(end - at);
  if (len <= TAM_JSON_GAP_MAX) {
    memcpy(gap->text, at, sizeof(gap->text));
    gap->mask = UINT64_MAX >> (64 - len);
    gap->len = (uint32_t)len;
    gap->close = (uint32_t)(close - at);
  }
}

const uint8_t *tam_json_gap_find(tam_json_gap *gap, const uint8_t *at,
                                 const uint8_t *guard, uint8_t close) {
  const uint8_t *next = tam_json_comma(at, guard, close);
  if (next != NULL && *next == '"') {
    tam_json_gap_learn(gap, at, at, next + 1);
  }
  return next;
}

const uint8_t *tam_json_member(const uint8_t *at, const uint8_t *guard,
                               tam_span *pkey) {
  const uint8_t *end = tam_json_string_end(at, guard);
  if (end == NULL) {
    return NULL;
  }
  *pkey = (tam_span){at + 1, (size_t)(end - (at + 1))};
  return tam_json_colon(end + 1);
}

static const uint8_t *skip_number(const uint8_t *at) {
  at += *at == '-';
  unsigned count = tam_json_digits(at);
  if (count == 0 || (count > 1 && *at == '0')) {
    return NULL;
  }
  at += count;
  if (*at == '.') {
    count = tam_json_digits(at + 1);
    if (count == 0) {
      return NULL;
    }
    at += 1 + count;
  }
  if ((*at | 0x20) == 'e') {
    at++;
    at += *at == '+' || *at == '-';
    count = tam_json_digits(at);
    if (count == 0) {
      return NULL;
    }
    at += count;
  }
  // It may go on behind a guard, or with more digits than are walked here.
  return *at != '"' && !is_digit(*at) ? at : NULL;
}

// Returns 1 when the four bytes at |at| are those of |word|.
TAM_INLINE int is_word(const uint8_t *at, const char *word) {
  uint32_t a;
  uint32_t b;
  memcpy(&a, at, sizeof(a));
  memcpy(&b, word, sizeof(b));
  return a == b;
}

static const uint8_t *skip_scalar(const uint8_t *at, const uint8_t *guard) {
  if (is_digit(*at)) { // the most frequent ones, before a jump to anywhere
    return skip_number(at);
  }
  switch (*at) {
  case '"':
    return tam_json_skip_string(at + 1, guard);
  case 't':
    return is_word(at, "true") ? at + 4 : NULL;
  case 'n':
    return is_word(at, "null") ? at + 4 : NULL;
  case 'f':
    return is_word(at + 1, "alse") ? at + 5 : NULL;
  default:
    return skip_number(at);
  }
}

// |at| is the first byte of a member or element; in an object the key comes
// first. Returns where the value begins, or NULL.
TAM_INLINE const uint8_t *skip_key(const uint8_t *at, const uint8_t *guard,
                                   int in_object) {
  if (!in_object) {
    return at;
  }
  const uint8_t *end = tam_json_string_end(at, guard);
  if (end == NULL) {
    return NULL;
  }
  // As usual, or as in files for people.
  if (end[1] == ':' && end[2] > ' ') {
    return end + 2;
  }
  return tam_json_colon(end + 1);
}

// Returns the byte behind the scalar at |at|, or NULL.
TAM_INLINE const uint8_t *skip_short(const uint8_t *at, const uint8_t *guard) {
  if (*at == '"') {
    const uint8_t *end = tam_json_plain_end(at + 1);
    if (*end == '"' && end < guard) {
      return end + 1;
    }
  }
  return skip_scalar(at, guard);
}

// Walks over an array or object. |objects| has a bit per level, the innermost
// lowest: 1 for an object.
static const uint8_t *skip_container(const uint8_t *at, const uint8_t *guard) {
  uint32_t objects = 0;
  unsigned depth = 0;
  for (;;) {
    // At a value.
    if (*at == '{' || *at == '[') {
      if (depth++ == DEPTH_MAX) {
        return NULL;
      }
      objects = objects << 1 | (*at == '{');
      at = tam_json_space(at + 1);
      if (*at != '}' && *at != ']') {
        at = skip_key(at, guard, objects & 1U);
        if (at == NULL || at >= guard) {
          return NULL;
        }
        continue;
      }
    } else {
      at = tam_json_next(skip_short(at, guard), guard,
                         (objects & 1U) ? '}' : ']');
      if (at == NULL) {
        return NULL;
      }
    }
    // At the end of a container, or at the next member or element.
    while (*at == ((objects & 1U) ? '}' : ']')) {
      at++;
      objects >>= 1;
      if (--depth == 0) {
        return at;
      }
      at = tam_json_next(at, guard, (objects & 1U) ? '}' : ']');
      if (at == NULL) {
        return NULL;
      }
    }
    at = skip_key(at, guard, objects & 1U);
    if (at == NULL || at >= guard) {
      return NULL;
    }
  }
}

const uint8_t *tam_json_skip_value(const uint8_t *at, const uint8_t *guard) {
  if (*at == '{' || *at == '[') {
    return skip_container(at, guard);
  }
  return skip_scalar(at, guard);
}
