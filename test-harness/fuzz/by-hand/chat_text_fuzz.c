// SPDX-License-Identifier: Apache-2.0
// Any bytes as the tokens of an answer: no crash, the same parts however the
// tokens are grouped, JSON in JSON mode, and calls of tools that are JSON or
// none. A byte is a token; some are tags.
#include "chat/json_walk.h"
#include "chat/text_stream.h"
#include "chat/tool_calls.h"

#include "../scan_split.h"

#define OUT_MAX (1U << 20)

// Tokens of these bytes are tags, when tags are wanted.
#define TAG_BYTE_MAX 39

// Options.
#define WITH_CLEANUP 1U
#define WITH_TOOLS   2U
#define WITH_JSON    4U
#define WITH_STOPS   8U
#define WITH_TAGS    16U
#define IS_OPENED    32U

static void drain(tam_text_stream *stream) {
  const int32_t *ids;
  size_t count;
  while (tam_text_stream_wants(stream, &ids, &count)) {
    uint8_t *text = malloc(count * 2);
    size_t len = 0;
    TAM_ASSERT(text != NULL);
    for (size_t i = 0; i < count; i++) {
      if (ids[i] >= 0x80) { // as in Latin-1: hosts give well-formed UTF-8
        text[len++] = (uint8_t)(0xc0 | ids[i] >> 6);
      }
      text[len++] = (uint8_t)(ids[i] >= 0x80 ? 0x80 | (ids[i] & 0x3f) : ids[i]);
    }
    TAM_ASSERT(tam_text_stream_take(stream, (tam_span){text, len}) == 0);
    free(text);
  }
}

static void push_all(tam_text_stream *stream, tam_span text, unsigned options,
                     const uint8_t *split) {
  size_t left = 0;
  for (size_t i = 0, group = 0; i < text.len; i++) {
    uint8_t byte = text.ptr[i];
    int is_tag = (options & WITH_TAGS) != 0 && byte > 0 &&
                 byte <= TAG_BYTE_MAX && byte != '\n' && byte != ' ' &&
                 byte != '"';
    if (left == 0) {
      left = split != NULL ? 1 + (size_t)split[group++ % SPLIT_LEN] : 1;
    }
    TAM_ASSERT(tam_text_stream_push(stream, byte, is_tag ? byte : 0) == 0);
    left--;
    if (left == 0) {
      drain(stream);
    }
    if (tam_text_stream_is_done(stream) != TAM_TEXT_GOES_ON) {
      return;
    }
  }
}

// Streams |text| and appends the parts to |out|: each byte behind its kind.
static void run(tam_span text, unsigned options, const uint8_t *split,
                tam_buf *out) {
  static const tam_span stops[] = {{(const uint8_t *)"aab", 3},
                                   {(const uint8_t *)"\n\n\n", 3}};
  tam_mem mem = tam_mem_default();
  tam_text_stream stream;
  tam_text_stream_setup setup = {(options & WITH_CLEANUP) != 0,
                                 (options & WITH_TOOLS) != 0,
                                 (options & IS_OPENED) != 0,
                                 (options & WITH_JSON) != 0,
                                 stops,
                                 (options & WITH_STOPS) != 0 ? 2 : 0};
  TAM_ASSERT(tam_text_stream_init(&stream, &setup, &mem) == 0);
  push_all(&stream, text, options, split);
  tam_text_stream_finish(&stream);
  drain(&stream);
  // A text that is not JSON may hold back more than the cap.
  (void)tam_text_stream_end(&stream);
  for (size_t i = 0; i < tam_text_parts_count(&stream.parts); i++) {
    tam_text_kind kind;
    tam_span part = tam_text_parts_at(&stream.parts, i, &kind);
    for (size_t at = 0; at < part.len; at++) {
      tam_buf_append_byte(out, (uint8_t)kind);
      tam_buf_append_byte(out, part.ptr[at]);
    }
  }
  TAM_ASSERT(out->error == 0);
  tam_text_stream_free(&stream);
}

// Appends the bytes of |kind| of what run has written.
static void pick(const tam_buf *parts, tam_text_kind kind, tam_buf *out) {
  for (size_t i = 0; i < parts->len; i += 2) {
    if (parts->data[i] == (uint8_t)kind) {
      tam_buf_append_byte(out, parts->data[i + 1]);
    }
  }
}

static void check_calls(tam_span text, int with_bare) {
  tam_mem mem = tam_mem_default();
  tam_buf calls;
  tam_buf rest;
  tam_buf_init(&calls, &mem, OUT_MAX);
  tam_buf_init(&rest, &mem, OUT_MAX);
  tam_buf_append_byte(&calls, '[');
  size_t count = tam_tool_calls_read(text, with_bare, &calls, &rest);
  tam_buf_append_byte(&calls, ']');
  TAM_ASSERT(calls.error == 0 && rest.error == 0);
  TAM_ASSERT(count > 0 || tam_span_eq(tam_buf_span(&rest), text));
  TAM_ASSERT((count == 0) == (calls.len == 2));
  tam_buf_free(&calls);
  tam_buf_free(&rest);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  if (size <= SPLIT_LEN) {
    return 0;
  }
  tam_mem mem = tam_mem_default();
  unsigned options = data[SPLIT_LEN];
  tam_span text = {data + SPLIT_LEN + 1, size - SPLIT_LEN - 1};
  tam_buf single;
  tam_buf groups;
  tam_buf content;
  tam_buf_init(&single, &mem, OUT_MAX);
  tam_buf_init(&groups, &mem, OUT_MAX);
  tam_buf_init(&content, &mem, OUT_MAX);
  run(text, options, NULL, &single);
  run(text, options, data, &groups);
  TAM_ASSERT(tam_span_eq(tam_buf_span(&single), tam_buf_span(&groups)));
  pick(&single, TAM_TEXT_CONTENT, &content);
  if ((options & WITH_JSON) != 0) {
    TAM_ASSERT(tam_json_check(tam_buf_span(&content)) == 0);
  }
  check_calls(text, (options & WITH_TOOLS) != 0);
  tam_buf_free(&single);
  tam_buf_free(&groups);
  tam_buf_free(&content);
  return 0;
}
