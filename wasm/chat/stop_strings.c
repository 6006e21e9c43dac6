// SPDX-License-Identifier: Apache-2.0
// For each stop string |seen| says how many of its bytes the text ends with
// (as in Knuth, Morris and Pratt). The largest of these is what is held back.
#include "chat/stop_strings.h"

#include <string.h>

void tam_stop_strings_init(tam_stop_strings *stops, const tam_mem *mem) {
  memset(stops, 0, sizeof(*stops));
  tam_buf_init(&stops->texts, mem,
               (size_t)TAM_STOP_STRINGS_MAX * TAM_STOP_STRING_LEN_MAX);
  tam_buf_init(&stops->held, mem, TAM_STOP_STRING_LEN_MAX);
}

void tam_stop_strings_free(tam_stop_strings *stops) {
  tam_buf_free(&stops->texts);
  tam_buf_free(&stops->held);
}

int tam_stop_strings_add(tam_stop_strings *stops, tam_span text) {
  if (text.len == 0) {
    return 0;
  }
  if (stops->count == TAM_STOP_STRINGS_MAX ||
      text.len > TAM_STOP_STRING_LEN_MAX) {
    return TAM_ERR_TOO_LARGE;
  }
  tam_buf_append(&stops->texts, text);
  if (stops->texts.error == 0) {
    stops->len[stops->count++] = (uint16_t)text.len;
  }
  return stops->texts.error;
}

// Returns the longest beginning of |text| that also ends its first |seen|
// bytes, and is shorter.
static size_t border(const uint8_t *text, size_t seen) {
  size_t len = seen - 1;
  while (len > 0 && memcmp(text, text + seen - len, len) != 0) {
    len--;
  }
  return len;
}

// Returns how many bytes of |text| are seen after |byte|.
static size_t advance(const uint8_t *text, size_t seen, uint8_t byte) {
  while (seen > 0 && text[seen] != byte) {
    seen = border(text, seen);
  }
  return text[seen] == byte ? seen + 1 : 0;
}

// Takes |byte|. Returns the length of the stop string that it completes, or 0.
static size_t take_byte(tam_stop_strings *stops, uint8_t byte) {
  const uint8_t *text = stops->texts.data;
  size_t complete = 0;
  for (size_t i = 0; i < stops->count; i++) {
    size_t seen = advance(text, stops->seen[i], byte);
    stops->seen[i] = (uint16_t)seen;
    if (seen == stops->len[i] && seen > complete) {
      complete = seen;
    }
    text += stops->len[i];
  }
  return complete;
}

// Appends the first |len| bytes of what is held back and |piece|.
static void release(const tam_stop_strings *stops, tam_span piece, size_t len,
                    tam_buf *out) {
  tam_span held = tam_span_head(tam_buf_span(&stops->held), len);
  tam_buf_append(out, held);
  tam_buf_append(out, tam_span_head(piece, len - held.len));
}

// Holds the last |len| bytes of what is held back and |piece|.
static void hold(tam_stop_strings *stops, tam_span piece, size_t len) {
  tam_buf *held = &stops->held;
  size_t old = len > piece.len ? len - piece.len : 0;
  if (old > 0) {
    memmove(held->data, held->data + held->len - old, old);
  }
  held->len = old;
  tam_buf_append(held, tam_span_from(piece, piece.len - (len - old)));
}

int tam_stop_strings_push(tam_stop_strings *stops, tam_span piece,
                          tam_buf *out) {
  if (stops->is_found) {
    return 1;
  }
  for (size_t i = 0; i < piece.len; i++) {
    size_t len = take_byte(stops, piece.ptr[i]);
    if (len > 0) {
      stops->is_found = 1;
      release(stops, piece, stops->held.len + i + 1 - len, out);
      return 1;
    }
  }
  size_t keep = 0;
  for (size_t i = 0; i < stops->count; i++) {
    keep = stops->seen[i] > keep ? stops->seen[i] : keep;
  }
  release(stops, piece, stops->held.len + piece.len - keep, out);
  hold(stops, piece, keep);
  return stops->held.error;
}

void tam_stop_strings_end(tam_stop_strings *stops, tam_buf *out) {
  if (!stops->is_found) {
    tam_buf_append(out, tam_buf_span(&stops->held));
  }
  tam_buf_reset(&stops->held);
  memset(stops->seen, 0, sizeof(stops->seen));
}
