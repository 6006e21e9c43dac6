// SPDX-License-Identifier: Apache-2.0
#include "chat/saved_answer.h"

#include "chat/chat_op.h"
#include "core/mem.h"

#include <string.h>

// All that is written down of an answer: the text of the chat or its tokens,
// and those of the answer.
#define BYTES_MAX (TAM_CHAT_TEXT_MAX + (UINT32_C(16) << 20))

enum { TEXT_MODEL = 0, TEXT_CHAT, TEXT_SETTINGS, TEXT_COUNT = 5 };

// The texts follow, in the order of their lengths, and before them the tokens,
// which so lie where numbers may.
typedef struct head_frame {
  uint32_t has_tokens;
  uint32_t has_system;
  uint32_t is_json;
  uint32_t has_tools;
  uint32_t opened;
  uint32_t dropped;
  uint32_t tokens_len;
  uint32_t source_len;
  uint32_t text_len[TEXT_COUNT];
  uint8_t seed[16];
} head_frame;

// The tokens follow.
typedef struct rest_frame {
  tam_decoding_state state;
  double elapsed_ms;
  double first_ms;
  uint32_t seq;
  uint32_t chosen_len;
} rest_frame;

void tam_saved_answer_init(tam_saved_answer *self, const tam_mem *mem) {
  memset(self, 0, sizeof(*self));
  tam_buf_init(&self->bytes, mem, BYTES_MAX);
}

void tam_saved_answer_free(tam_saved_answer *self) {
  tam_buf_free(&self->bytes);
}

// ---------------------------------------------------------------------------
// Reading

// Takes |len| bytes from |rest|; fewer when there are no more.
static tam_span take(tam_span *rest, size_t len) {
  tam_span bytes = tam_span_head(*rest, len);
  *rest = tam_span_from(*rest, bytes.len);
  return bytes;
}

static tam_token_span take_tokens(tam_span *rest, size_t len) {
  tam_span bytes = take(rest, len * sizeof(int32_t));
  return (tam_token_span){(const int32_t *)(const void *)bytes.ptr,
                          bytes.len / sizeof(int32_t)};
}

static int read_head(tam_saved_answer *self, tam_span head) {
  head_frame frame;
  if (head.len < sizeof(frame)) {
    return TAM_ERR_INVALID_ARGUMENT;
  }
  memcpy(&frame, take(&head, sizeof(frame)).ptr, sizeof(frame));
  uint64_t wanted =
      ((uint64_t)frame.tokens_len + frame.source_len) * sizeof(int32_t);
  for (size_t i = 0; i < TEXT_COUNT; i++) {
    wanted += frame.text_len[i];
  }
  if (wanted != head.len || (frame.has_tokens && frame.tokens_len == 0)) {
    return TAM_ERR_INVALID_ARGUMENT;
  }
  self->has_tokens = frame.has_tokens != 0;
  self->has_system = frame.has_system;
  self->is_json = frame.is_json;
  self->has_tools = frame.has_tools;
  self->opened = frame.opened;
  self->dropped = frame.dropped;
  memcpy(self->seed, frame.seed, sizeof(self->seed));
  self->tokens = take_tokens(&head, frame.tokens_len);
  self->source = take_tokens(&head, frame.source_len);
  self->model = take(&head, frame.text_len[TEXT_MODEL]);
  self->text = take(&head, frame.text_len[TEXT_CHAT]);
  for (size_t i = 0; i < TAM_SETTINGS_SCOPES; i++) {
    self->settings[i] = take(&head, frame.text_len[TEXT_SETTINGS + i]);
  }
  return 0;
}

static int read_rest(tam_saved_answer *self, tam_span rest) {
  rest_frame frame;
  if (rest.len == 0) {
    return 0;
  }
  if (rest.len < sizeof(frame)) {
    return TAM_ERR_INVALID_ARGUMENT;
  }
  memcpy(&frame, take(&rest, sizeof(frame)).ptr, sizeof(frame));
  if ((uint64_t)frame.chosen_len * sizeof(int32_t) != rest.len ||
      (!self->has_tokens && frame.chosen_len > 0)) {
    return TAM_ERR_INVALID_ARGUMENT;
  }
  self->seq = frame.seq;
  self->state = frame.state;
  self->elapsed_ms = frame.elapsed_ms;
  self->first_ms = frame.first_ms;
  self->chosen = take_tokens(&rest, frame.chosen_len);
  return 0;
}

int tam_saved_answer_read(tam_saved_answer *self, tam_span head,
                          tam_span rest) {
  // The rest goes first: the lengths of the head's texts may be odd.
  size_t rest_len = (rest.len + 7) & ~(size_t)7;
  uint8_t *bytes = tam_buf_grow(&self->bytes, rest_len + head.len);
  if (bytes == NULL) {
    return self->bytes.error == TAM_ERR_TOO_LARGE ? TAM_ERR_INVALID_ARGUMENT
                                                  : self->bytes.error;
  }
  memset(bytes, 0, rest_len);
  tam_text_copy(bytes, rest);
  tam_text_copy(bytes + rest_len, head);
  int error = read_head(self, (tam_span){bytes + rest_len, head.len});
  if (error == 0) {
    error = read_rest(self, (tam_span){bytes, rest.len});
  }
  self->is_there = error == 0;
  return error;
}

// ---------------------------------------------------------------------------
// Writing

static void put(tam_buf *buf, const void *bytes, size_t size) {
  tam_buf_append(buf, (tam_span){bytes, size});
}

static void put_tokens(tam_buf *buf, tam_token_span tokens) {
  put(buf, tokens.ids, tokens.len * sizeof(*tokens.ids));
}

void tam_saved_answer_write_head(const tam_saved_answer *self, tam_buf *head) {
  head_frame frame = {
      .has_tokens = (uint32_t)self->has_tokens,
      .has_system = self->has_system,
      .is_json = self->is_json,
      .has_tools = self->has_tools,
      .opened = self->opened,
      .dropped = self->dropped,
      .tokens_len = (uint32_t)self->tokens.len,
      .source_len = (uint32_t)self->source.len,
      .text_len = {(uint32_t)self->model.len, (uint32_t)self->text.len},
  };
  for (size_t i = 0; i < TAM_SETTINGS_SCOPES; i++) {
    frame.text_len[TEXT_SETTINGS + i] = (uint32_t)self->settings[i].len;
  }
  memcpy(frame.seed, self->seed, sizeof(frame.seed));
  put(head, &frame, sizeof(frame));
  put_tokens(head, self->tokens);
  put_tokens(head, self->source);
  tam_buf_append(head, self->model);
  tam_buf_append(head, self->text);
  for (size_t i = 0; i < TAM_SETTINGS_SCOPES; i++) {
    tam_buf_append(head, self->settings[i]);
  }
}

void tam_saved_answer_write_rest(const tam_saved_answer *self, tam_buf *rest) {
  rest_frame frame = {
      .state = self->state,
      .elapsed_ms = self->elapsed_ms,
      .first_ms = self->first_ms,
      .seq = self->seq,
      .chosen_len = (uint32_t)self->chosen.len,
  };
  put(rest, &frame, sizeof(frame));
  put_tokens(rest, self->chosen);
}
