// SPDX-License-Identifier: Apache-2.0
// The rules are applied one after the other to the whole text, so a later one
// sees what an earlier one made. Here each is a stage that hands its bytes to
// the next. What a stage holds back is the beginning of its pattern, so that a
// count is all it has to remember.
#include "chat/text_cleanup.h"

#include <string.h>

// Every pattern begins with a blank, has no other one but at its end, and so
// cannot begin again within itself.
static const char patterns[TAM_TEXT_CLEANUP_RULES][5] = {
    " .", " ?", " !", " ,", " ' ", " n't", " 'm", " 's", " 've", " 're"};

// The rule whose replacement has no blank at the end either.
#define RULE_QUOTE 4

static void put(tam_text_cleanup *cleanup, size_t rule, uint8_t byte,
                tam_buf *out);

// Hands the first |len| bytes of the pattern of |rule|, from |start| on, to the
// next stage.
static void put_pattern(tam_text_cleanup *cleanup, size_t rule, size_t start,
                        size_t len, tam_buf *out) {
  for (size_t i = start; i < len; i++) {
    put(cleanup, rule + 1, (uint8_t)patterns[rule][i], out);
  }
}

static void put(tam_text_cleanup *cleanup, size_t rule, uint8_t byte,
                tam_buf *out) {
  if (rule == TAM_TEXT_CLEANUP_RULES) {
    tam_buf_append_byte(out, byte);
    return;
  }
  const char *pattern = patterns[rule];
  size_t seen = cleanup->seen[rule];
  if (seen > 0 && (uint8_t)pattern[seen] != byte) {
    cleanup->seen[rule] = 0;
    put_pattern(cleanup, rule, 0, seen, out);
    seen = 0;
  }
  if ((uint8_t)pattern[seen] != byte) {
    put(cleanup, rule + 1, byte, out);
    return;
  }
  seen++;
  if (pattern[seen] == 0) {
    put_pattern(cleanup, rule, 1, rule == RULE_QUOTE ? 2 : seen, out);
    seen = 0;
  }
  cleanup->seen[rule] = (uint8_t)seen;
}

void tam_text_cleanup_init(tam_text_cleanup *cleanup) {
  memset(cleanup, 0, sizeof(*cleanup));
}

void tam_text_cleanup_push(tam_text_cleanup *cleanup, tam_span piece,
                           tam_buf *out) {
  for (size_t i = 0; i < piece.len; i++) {
    put(cleanup, 0, piece.ptr[i], out);
  }
}

void tam_text_cleanup_end(tam_text_cleanup *cleanup, tam_buf *out) {
  for (size_t rule = 0; rule < TAM_TEXT_CLEANUP_RULES; rule++) {
    size_t seen = cleanup->seen[rule];
    cleanup->seen[rule] = 0;
    put_pattern(cleanup, rule, 0, seen, out);
  }
}
