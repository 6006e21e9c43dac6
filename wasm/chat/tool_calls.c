// SPDX-License-Identifier: Apache-2.0
// A reader takes text off the front of a span and returns 1, or it fails and
// returns 0; a block that fails is taken back as a whole.
#include "chat/tool_calls.h"

#include "chat/json_walk.h"
#include "chat/python_call.h"
#include "core/json_text.h"
#include "core/json_write.h"
#include "core/names.h"

// Where calls may begin, and what may end them.
static const char opening[] = "<tool_call>\0"
                              "<function=\0"
                              "<|python_tag|>\0"
                              "[TOOL_CALLS]\0"
                              "<|tool_call|>\0"
                              "<|tool_call_start|>\0";

static const char closing[] = "</tool_call>\0"
                              "</function>\0"
                              "<|eom_id|>\0"
                              "[/TOOL_CALLS]\0"
                              "<|/tool_call|>\0"
                              "<|tool_call_end|>\0";

#define TAG_FUNCTION 1
#define TAG_COUNT    6

typedef struct calls_reader {
  tam_span rest;
  tam_buf *calls;
  size_t count;
} calls_reader;

// ---------------------------------------------------------------------------
// Text

static void skip_blanks(calls_reader *reader) {
  size_t len = 0;
  while (len < reader->rest.len && reader->rest.ptr[len] <= ' ') {
    len++;
  }
  reader->rest = tam_span_from(reader->rest, len);
}

static int take_text(calls_reader *reader, tam_span text) {
  if (!tam_span_starts_with(reader->rest, text)) {
    return 0;
  }
  reader->rest = tam_span_from(reader->rest, text.len);
  return 1;
}

static int begins_with(const calls_reader *reader, uint8_t byte) {
  return reader->rest.len > 0 && reader->rest.ptr[0] == byte;
}

// Takes everything before |end|, and |end|.
static int take_until(calls_reader *reader, tam_span end, tam_span *ptext) {
  for (size_t at = 0; at + end.len <= reader->rest.len; at++) {
    if (tam_span_starts_with(tam_span_from(reader->rest, at), end)) {
      *ptext = tam_span_head(reader->rest, at);
      reader->rest = tam_span_from(reader->rest, at + end.len);
      return 1;
    }
  }
  return 0;
}

static tam_span take_container(calls_reader *reader) {
  tam_span value =
      tam_span_head(reader->rest, tam_json_container_len(reader->rest));
  reader->rest = tam_span_from(reader->rest, value.len);
  return value;
}

static int is_object(tam_span value) {
  return value.len > 0 && value.ptr[0] == '{';
}

// ---------------------------------------------------------------------------
// One call

// Writes the beginning of a call up to its arguments. |name| is raw, between
// quotes.
static void write_head(calls_reader *reader, tam_span name) {
  tam_json_write_object_begin(reader->calls);
  tam_json_write_key(reader->calls, "name");
  tam_json_write_raw(reader->calls, name);
  tam_json_write_key(reader->calls, "arguments");
}

static void write_end(calls_reader *reader) {
  tam_json_write_object_end(reader->calls);
  reader->count++;
}

// Appends the text of the raw string |value|, which has to be an object.
static int write_object_in_string(tam_buf *calls, tam_span value) {
  size_t start = calls->len;
  uint8_t *text = tam_buf_grow(calls, value.len);
  if (text == NULL) {
    return 1; // the buffer's error says it
  }
  tam_span raw = tam_span_head(tam_span_from(value, 1), value.len - 2);
  size_t len = tam_json_unescape(raw, text, value.len);
  calls->len = start + len;
  return is_object((tam_span){text, len}) &&
         tam_json_container_len((tam_span){text, len}) == len;
}

static int write_arguments(tam_buf *calls, tam_span value) {
  if (value.len == 0 || tam_span_is(value, "null")) {
    tam_json_write_raw(calls, TAM_SPAN("{}"));
    return 1;
  }
  if (value.ptr[0] == '"') {
    return write_object_in_string(calls, value);
  }
  tam_json_write_raw(calls, value);
  return is_object(value);
}

// |object| is {"name", "arguments" or "parameters"}, or has that as "function".
static int read_object(calls_reader *reader, tam_span object) {
  if (!is_object(object)) {
    return 0;
  }
  tam_span function = tam_json_walk_member(object, "function");
  if (is_object(function)) {
    object = function;
  }
  tam_span name = tam_json_walk_member(object, "name");
  tam_span arguments = tam_json_walk_member(object, "arguments");
  if (arguments.len == 0) {
    arguments = tam_json_walk_member(object, "parameters");
  }
  if (name.len <= 2 || name.ptr[0] != '"') {
    return 0;
  }
  write_head(reader, name);
  int is_good = write_arguments(reader->calls, arguments);
  write_end(reader);
  return is_good;
}

// name{...}
static int read_named(calls_reader *reader) {
  size_t len = tam_python_name_len(reader->rest);
  tam_span name = tam_span_head(reader->rest, len);
  reader->rest = tam_span_from(reader->rest, len);
  (void)take_text(reader, TAM_SPAN("[ARGS]"));
  skip_blanks(reader);
  tam_span arguments = take_container(reader);
  if (len == 0 || !is_object(arguments)) {
    return 0;
  }
  tam_json_write_object_begin(reader->calls);
  tam_json_write_string_member(reader->calls, "name", name);
  tam_json_write_key(reader->calls, "arguments");
  tam_json_write_raw(reader->calls, arguments);
  write_end(reader);
  return 1;
}

// <parameter=a>value</parameter>...: a value that is no JSON is a text.
static int read_parameters(calls_reader *reader) {
  tam_span name;
  tam_span value;
  tam_json_write_object_begin(reader->calls);
  while (take_text(reader, TAM_SPAN("<parameter="))) {
    if (!take_until(reader, TAM_SPAN(">"), &name) ||
        !take_until(reader, TAM_SPAN("</parameter>"), &value)) {
      return 0;
    }
    value = tam_span_trim(value);
    tam_json_write_string(reader->calls, name);
    tam_buf_append_byte(reader->calls, ':');
    if (tam_json_check(value) == 0) {
      tam_json_write_raw(reader->calls, value);
    } else {
      tam_json_write_string(reader->calls, value);
    }
    skip_blanks(reader);
  }
  tam_json_write_object_end(reader->calls);
  return 1;
}

// name>{...}</function>, or name>parameters</function>.
static int read_function(calls_reader *reader) {
  tam_span name;
  if (!take_until(reader, TAM_SPAN(">"), &name) ||
      tam_python_name_len(name) != name.len || name.len == 0) {
    return 0;
  }
  skip_blanks(reader);
  tam_json_write_object_begin(reader->calls);
  tam_json_write_string_member(reader->calls, "name", name);
  tam_json_write_key(reader->calls, "arguments");
  tam_span object = take_container(reader);
  if (is_object(object)) {
    tam_json_write_raw(reader->calls, object);
  } else if (object.len > 0 || !read_parameters(reader)) {
    return 0;
  }
  write_end(reader);
  return 1;
}

// ---------------------------------------------------------------------------
// Blocks

static int read_list(calls_reader *reader) {
  tam_json_walk walk;
  tam_span key;
  tam_span value;
  tam_span list = take_container(reader);
  if (list.len == 0) {
    return tam_python_calls_read(&reader->rest, reader->calls, &reader->count);
  }
  tam_json_walk_begin(&walk, list);
  while (tam_json_walk_next(&walk, &key, &value)) {
    if (!read_object(reader, value)) {
      return 0;
    }
  }
  return 1;
}

static int read_objects(calls_reader *reader) {
  while (begins_with(reader, '{')) {
    if (!read_object(reader, take_container(reader))) {
      return 0;
    }
    skip_blanks(reader);
    if (take_text(reader, TAM_SPAN(";")) || take_text(reader, TAM_SPAN(","))) {
      skip_blanks(reader);
    }
  }
  return 1;
}

// Reads what is behind an opening tag.
static int read_block(calls_reader *reader) {
  skip_blanks(reader);
  if (take_text(reader, TAM_SPAN("<function="))) {
    int is_good = read_function(reader);
    skip_blanks(reader);
    (void)take_text(reader, TAM_SPAN("</function>"));
    return is_good;
  }
  if (begins_with(reader, '[')) {
    return read_list(reader);
  }
  return begins_with(reader, '{') ? read_objects(reader) : read_named(reader);
}

static int read_tagged(calls_reader *reader, size_t tag) {
  tam_span open = tam_span_of(tam_names_at(opening, tag));
  reader->rest = tam_span_from(reader->rest, open.len);
  int is_good =
      tag == TAG_FUNCTION ? read_function(reader) : read_block(reader);
  calls_reader behind = *reader;
  skip_blanks(&behind);
  if (take_text(&behind, tam_span_of(tam_names_at(closing, tag)))) {
    *reader = behind;
  }
  return is_good;
}

// Returns the opening tag that |text| begins with, or -1.
static int tag_of(tam_span text) {
  for (size_t tag = 0; tag < TAG_COUNT; tag++) {
    if (tam_span_starts_with(text, tam_span_of(tam_names_at(opening, tag)))) {
      return (int)tag;
    }
  }
  return -1;
}

// Reads a block of |tag| (-1: without one); after a failure nothing has
// happened.
static int try_block(calls_reader *reader, int tag) {
  calls_reader before = *reader;
  size_t len = reader->calls->len;
  int is_good =
      tag >= 0 ? read_tagged(reader, (size_t)tag) : read_block(reader);
  if (tag < 0 && is_good) {
    skip_blanks(reader);
    is_good = reader->rest.len == 0;
  }
  if (!is_good || reader->count == before.count) {
    *reader = before;
    reader->calls->len = len;
    return 0;
  }
  return 1;
}

size_t tam_tool_calls_read(tam_span text, int with_bare, tam_buf *calls,
                           tam_buf *rest) {
  calls_reader reader = {text, calls, 0};
  if (with_bare && try_block(&reader, -1)) {
    return reader.count;
  }
  while (reader.rest.len > 0) {
    int tag = tag_of(reader.rest);
    if (tag < 0 || !try_block(&reader, tag)) {
      tam_buf_append_byte(rest, reader.rest.ptr[0]);
      reader.rest = tam_span_from(reader.rest, 1);
    }
  }
  return reader.count;
}
