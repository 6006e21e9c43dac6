// SPDX-License-Identifier: Apache-2.0
// A small module that lets JavaScript run the objects that make text of tokens,
// for text-stream.test.js. Bytes go into module_input; what comes out is at
// module_output.
#include "chat/text_stream.h"

#include "core/trap.h"

#include <emscripten.h>

static uint8_t input[TAM_EVENT_PAYLOAD_MAX];
static tam_mem mem;
static tam_buf output;
static tam_text_cleanup cleanup;
static tam_stop_strings stops;
static tam_json_output json;
static tam_text_stream stream;
static tam_span stop_spans[TAM_STOP_STRINGS_MAX];
static const int32_t *ids;

static tam_span piece(size_t len) {
  return (tam_span){input, len};
}

EMSCRIPTEN_KEEPALIVE void module_init(void) {
  mem = tam_mem_default();
  tam_buf_init(&output, &mem, TAM_TEXT_STREAM_MAX);
  tam_stop_strings_init(&stops, &mem);
  tam_json_output_init(&json, &mem);
}

// Returns where bytes (at most TAM_EVENT_PAYLOAD_MAX) go.
EMSCRIPTEN_KEEPALIVE uint8_t *module_input(void) {
  return input;
}

EMSCRIPTEN_KEEPALIVE const uint8_t *module_output(void) {
  return output.data;
}

// Returns the length of the output, which is forgotten when more comes.
EMSCRIPTEN_KEEPALIVE size_t module_output_len(void) {
  size_t len = output.len;
  TAM_ASSERT(output.error == 0);
  output.len = 0;
  return len;
}

// ---------------------------------------------------------------------------
// One stage alone

EMSCRIPTEN_KEEPALIVE void module_cleanup_begin(void) {
  tam_text_cleanup_init(&cleanup);
}

EMSCRIPTEN_KEEPALIVE int module_cleanup_push(size_t len) {
  tam_text_cleanup_push(&cleanup, piece(len), &output);
  return 0;
}

EMSCRIPTEN_KEEPALIVE void module_cleanup_end(void) {
  tam_text_cleanup_end(&cleanup, &output);
}

EMSCRIPTEN_KEEPALIVE void module_stops_begin(void) {
  tam_stop_strings_free(&stops);
  tam_stop_strings_init(&stops, &mem);
}

EMSCRIPTEN_KEEPALIVE int module_stops_add(size_t len) {
  return tam_stop_strings_add(&stops, piece(len));
}

EMSCRIPTEN_KEEPALIVE int module_stops_push(size_t len) {
  return tam_stop_strings_push(&stops, piece(len), &output);
}

EMSCRIPTEN_KEEPALIVE void module_stops_end(void) {
  tam_stop_strings_end(&stops, &output);
}

EMSCRIPTEN_KEEPALIVE void module_json_begin(void) {
  tam_json_output_free(&json);
  tam_json_output_init(&json, &mem);
}

EMSCRIPTEN_KEEPALIVE int module_json_push(size_t len) {
  return (int)tam_json_output_push(&json, piece(len), &output);
}

EMSCRIPTEN_KEEPALIVE void module_json_end(void) {
  tam_json_output_end(&json, &output);
}

EMSCRIPTEN_KEEPALIVE int module_tag_of(size_t len) {
  return tam_reasoning_tag_of(piece(len));
}

// ---------------------------------------------------------------------------
// All of them

// Begins an answer whose |stop_count| stop strings are in the input, each
// behind a byte with its length.
EMSCRIPTEN_KEEPALIVE int module_stream_begin(int is_cleaned, int with_tools,
                                             int is_json, size_t stop_count) {
  const uint8_t *at = input;
  for (size_t i = 0; i < stop_count; i++) {
    stop_spans[i] = (tam_span){at + 1, *at};
    at += 1 + *at;
  }
  tam_text_stream_setup setup = {is_cleaned, with_tools, 0,
                                 is_json,    stop_spans, stop_count};
  return tam_text_stream_init(&stream, &setup, &mem);
}

EMSCRIPTEN_KEEPALIVE void module_stream_free(void) {
  tam_text_stream_free(&stream);
}

EMSCRIPTEN_KEEPALIVE int module_stream_push(int32_t id, int tag) {
  return tam_text_stream_push(&stream, id, tag);
}

// Returns how many ids at module_stream_ids have to be decoded.
EMSCRIPTEN_KEEPALIVE size_t module_stream_wants(void) {
  size_t count;
  return tam_text_stream_wants(&stream, &ids, &count) ? count : 0;
}

EMSCRIPTEN_KEEPALIVE const int32_t *module_stream_ids(void) {
  return ids;
}

EMSCRIPTEN_KEEPALIVE int module_stream_take(size_t len) {
  return tam_text_stream_take(&stream, piece(len));
}

EMSCRIPTEN_KEEPALIVE int module_stream_done(void) {
  return (int)tam_text_stream_is_done(&stream);
}

EMSCRIPTEN_KEEPALIVE void module_stream_finish(void) {
  tam_text_stream_finish(&stream);
}

EMSCRIPTEN_KEEPALIVE int module_stream_end(void) {
  return tam_text_stream_end(&stream);
}

// Moves the next part to the output and returns its kind, or -1 when there is
// none; the parts are then forgotten. |index| counts from 0.
EMSCRIPTEN_KEEPALIVE int module_stream_part(size_t index) {
  tam_text_kind kind;
  if (index == tam_text_parts_count(&stream.parts)) {
    tam_text_parts_reset(&stream.parts);
    return -1;
  }
  tam_buf_append(&output, tam_text_parts_at(&stream.parts, index, &kind));
  return (int)kind;
}
