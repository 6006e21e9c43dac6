// SPDX-License-Identifier: Apache-2.0
// Theory of operation
// -------------------
// A token alone does not say what it stands for: decoders strip the blank that
// the text begins with, join bytes into characters, and put blanks between
// words. So a window of ids is decoded again with each new one, and what is
// behind the part that was handed out is new.
//
// The window must not grow for ever. From WINDOW_MAX ids on, its last few are
// decoded alone; when the text ends in the same CONTEXT_CHARS characters they
// become the window. Why that is exact: what decoders do at the beginning
// (strip blanks, take a first word as it is) is over once there is any text;
// and an unfinished character is at most three bytes, which count as one
// character when they are together and as two when the border cuts them.
//
// While that does not succeed (a hundred tokens without text, say) the window
// stays, and is decoded less and less often: the cost per token stays bounded.
#include "chat/detokenizer.h"

#include <string.h>

#define WINDOW_MAX    16
#define CONTEXT_MIN   4
#define CONTEXT_CHARS 4

// A window longer than this is decoded again only when one id has come for each
// so many in it.
#define PATIENCE 64

#define REPLACEMENT TAM_SPAN("\xef\xbf\xbd")

void tam_detokenizer_init(tam_detokenizer *detok, const tam_mem *mem) {
  memset(detok, 0, sizeof(*detok));
  tam_buf_init(&detok->ids, mem, SIZE_MAX / 2);
  tam_buf_init(&detok->text, mem, TAM_DETOKENIZER_TEXT_MAX);
  detok->next_rebase = WINDOW_MAX;
}

void tam_detokenizer_free(tam_detokenizer *detok) {
  tam_buf_free(&detok->ids);
  tam_buf_free(&detok->text);
}

int tam_detokenizer_push(tam_detokenizer *detok, int32_t id) {
  detok->finished = 0;
  tam_buf_append_u32(&detok->ids, (uint32_t)id);
  return detok->ids.error;
}

void tam_detokenizer_finish(tam_detokenizer *detok) {
  detok->finished = 1;
}

static const int32_t *id_at(const tam_detokenizer *detok, size_t index) {
  return (const int32_t *)(const void *)detok->ids.data + index;
}

int tam_detokenizer_wants(tam_detokenizer *detok, const int32_t **pids,
                          size_t *pcount) {
  size_t count = detok->ids.len / sizeof(int32_t);
  size_t fresh = count - detok->decoded;
  if (detok->context > 0) {
    *pids = id_at(detok, detok->decoded - detok->context);
    *pcount = detok->context;
    return 1;
  }
  if (fresh == 0 || (fresh < detok->decoded / PATIENCE && !detok->finished)) {
    return 0;
  }
  detok->asked = count;
  *pids = id_at(detok, 0);
  *pcount = count;
  return 1;
}

// ---------------------------------------------------------------------------
// A new window

static int is_char_start(uint8_t byte) {
  return (byte & 0xc0U) != 0x80U;
}

// Returns the last CONTEXT_CHARS characters of |text|; empty when it has less.
static tam_span last_chars(tam_span text) {
  size_t chars = 0;
  for (size_t at = text.len; at > 0; at--) {
    chars += (size_t)is_char_start(text.ptr[at - 1]);
    if (chars == CONTEXT_CHARS) {
      return tam_span_from(text, at - 1);
    }
  }
  return TAM_SPAN_NONE;
}

// Makes the last |context| ids, which stand for |text|, the window.
static void rebase(tam_detokenizer *detok, tam_span text) {
  size_t held = detok->text.len - detok->emitted;
  size_t dropped = detok->decoded - detok->context;
  detok->ids.len -= dropped * sizeof(int32_t);
  memmove(detok->ids.data, detok->ids.data + dropped * sizeof(int32_t),
          detok->ids.len);
  memcpy(detok->text.data, text.ptr, text.len); // it is not longer
  detok->text.len = text.len;
  detok->decoded = detok->context;
  detok->emitted = text.len - held;
  detok->next_rebase =
      detok->context * 2 > WINDOW_MAX ? detok->context * 2 : WINDOW_MAX;
  detok->context = 0;
}

static void take_context(tam_detokenizer *detok, tam_span text) {
  tam_span end = last_chars(text);
  tam_span whole = tam_buf_span(&detok->text);
  if (end.len > 0 && text.len <= whole.len && detok->emitted <= whole.len &&
      end.len >= whole.len - detok->emitted && tam_span_ends_with(whole, end)) {
    rebase(detok, text);
    return;
  }
  detok->context *= 2;
  if (detok->context >= detok->decoded) {
    detok->context = 0;
    detok->next_rebase = detok->decoded * 2;
  }
}

// ---------------------------------------------------------------------------
// The window

// Returns how much of |text| later tokens cannot change: an unfinished
// character is shown as U+FFFD.
static size_t certain_len(tam_span text) {
  return tam_span_ends_with(text, REPLACEMENT) ? text.len - REPLACEMENT.len
                                               : text.len;
}

// What was handed out cannot be taken back when a decoder changes the text; but
// no character may be cut.
static size_t next_char(const tam_detokenizer *detok, tam_span text) {
  size_t at = detok->emitted;
  while (at < text.len && !is_char_start(text.ptr[at])) {
    at++;
  }
  return at;
}

static int take_window(tam_detokenizer *detok, tam_span text, tam_buf *out) {
  size_t certain = certain_len(text);
  size_t at = next_char(detok, text);
  tam_buf_reset(&detok->text);
  tam_buf_append(&detok->text, text);
  if (at < certain) {
    tam_buf_append(out, tam_span_from(tam_span_head(text, certain), at));
    at = certain;
  }
  detok->emitted = at;
  detok->decoded = detok->asked;
  if (detok->decoded >= detok->next_rebase) {
    detok->context = CONTEXT_MIN;
  }
  return detok->text.error != 0 ? detok->text.error : out->error;
}

int tam_detokenizer_take(tam_detokenizer *detok, tam_span text, tam_buf *out) {
  if (detok->context > 0) {
    take_context(detok, text);
    return 0;
  }
  return take_window(detok, text, out);
}

void tam_detokenizer_end(tam_detokenizer *detok, tam_buf *out) {
  tam_span text = tam_buf_span(&detok->text);
  tam_buf_append(out, tam_span_from(text, next_char(detok, text)));
  detok->emitted = detok->text.len;
}
