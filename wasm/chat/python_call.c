// SPDX-License-Identifier: Apache-2.0
#include "chat/python_call.h"

#include "chat/json_walk.h"
#include "core/json_write.h"

typedef struct python_reader {
  tam_span rest;
  tam_buf *json;
} python_reader;

static int read_value(python_reader *reader, size_t depth);

static int is_name_byte(uint8_t byte) {
  uint8_t letter = (uint8_t)(byte | 0x20);
  return (letter >= 'a' && letter <= 'z') || (byte >= '0' && byte <= '9') ||
         byte == '_' || byte == '.' || byte == '-';
}

size_t tam_python_name_len(tam_span text) {
  size_t len = 0;
  while (len < text.len && is_name_byte(text.ptr[len])) {
    len++;
  }
  return len;
}

static tam_span take(python_reader *reader, size_t len) {
  tam_span text = tam_span_head(reader->rest, len);
  reader->rest = tam_span_from(reader->rest, len);
  return text;
}

// Returns the next byte that is no blank, or 0.
static uint8_t peek(python_reader *reader) {
  size_t len = 0;
  while (len < reader->rest.len && reader->rest.ptr[len] <= ' ') {
    len++;
  }
  (void)take(reader, len);
  return reader->rest.len > 0 ? reader->rest.ptr[0] : 0;
}

static int take_byte(python_reader *reader, uint8_t byte) {
  int is_next = peek(reader) == byte;
  (void)take(reader, (size_t)is_next);
  return is_next;
}

// Reads 'text' or "text". Escapes are those of JSON, and the single quote.
static int read_string(python_reader *reader) {
  uint8_t quote = take(reader, 1).ptr[0];
  tam_span text = reader->rest;
  size_t at = 0;
  tam_buf_append_byte(reader->json, '"');
  while (at < text.len && text.ptr[at] != quote) {
    uint8_t byte = text.ptr[at++];
    if (byte == '\\' && at < text.len) {
      byte = text.ptr[at++];
      if (byte == '\'') {
        tam_buf_append_byte(reader->json, byte);
        continue;
      }
      tam_buf_append_byte(reader->json, '\\');
    } else if (byte == '"') {
      tam_buf_append_byte(reader->json, '\\');
    }
    tam_buf_append_byte(reader->json, byte);
  }
  (void)take(reader, at + 1);
  tam_buf_append_byte(reader->json, '"');
  return at < text.len;
}

// Reads values, or with |is_dict| pairs of them, up to |close|.
static int read_items(python_reader *reader, uint8_t close, int is_dict,
                      size_t depth) {
  (void)take(reader, 1);
  tam_buf_append_byte(reader->json, is_dict ? '{' : '[');
  for (int is_first = 1; !take_byte(reader, close); is_first = 0) {
    if (!is_first) {
      tam_buf_append_byte(reader->json, ',');
      if (!take_byte(reader, ',')) {
        return 0;
      }
    }
    if (!read_value(reader, depth)) {
      return 0;
    }
    if (is_dict) {
      tam_buf_append_byte(reader->json, ':');
      if (!take_byte(reader, ':') || !read_value(reader, depth)) {
        return 0;
      }
    }
  }
  tam_buf_append_byte(reader->json, is_dict ? '}' : ']');
  return 1;
}

// Reads a number or one of the names of values.
static int read_word(python_reader *reader) {
  static const char *const words[][2] = {
      {"True", "true"}, {"False", "false"}, {"None", "null"}};
  tam_span word = take(reader, tam_python_name_len(reader->rest));
  for (size_t i = 0; i < 3; i++) {
    if (tam_span_is(word, words[i][0])) {
      word = tam_span_of(words[i][1]);
    }
  }
  tam_buf_append(reader->json, word);
  return word.len > 0;
}

static int read_value(python_reader *reader, size_t depth) {
  if (depth == TAM_PYTHON_DEPTH_MAX) {
    return 0;
  }
  switch (peek(reader)) {
  case '"':
  case '\'':
    return read_string(reader);
  case '[':
    return read_items(reader, ']', 0, depth + 1);
  case '(':
    return read_items(reader, ')', 0, depth + 1);
  case '{':
    return read_items(reader, '}', 1, depth + 1);
  default:
    return read_word(reader);
  }
}

// Reads (name=value, ...) as an object.
static int read_arguments(python_reader *reader) {
  if (!take_byte(reader, '(')) {
    return 0;
  }
  tam_buf_append_byte(reader->json, '{');
  for (int is_first = 1; !take_byte(reader, ')'); is_first = 0) {
    if (!is_first && !take_byte(reader, ',')) {
      return 0;
    }
    (void)peek(reader);
    tam_span name = take(reader, tam_python_name_len(reader->rest));
    if (name.len == 0 || !take_byte(reader, '=')) {
      return 0;
    }
    tam_json_write_string(reader->json, name);
    tam_buf_append_byte(reader->json, ':');
    if (!read_value(reader, 0)) {
      return 0;
    }
  }
  tam_buf_append_byte(reader->json, '}');
  return 1;
}

// What was copied from Python (numbers, escapes) need not be JSON: the call is
// looked at as a whole in the end.
static int read_call(python_reader *reader) {
  (void)peek(reader);
  size_t start = reader->json->len;
  tam_span name = take(reader, tam_python_name_len(reader->rest));
  tam_json_write_object_begin(reader->json);
  tam_json_write_string_member(reader->json, "name", name);
  tam_json_write_key(reader->json, "arguments");
  if (name.len == 0 || !read_arguments(reader)) {
    return 0;
  }
  tam_json_write_object_end(reader->json);
  tam_span call = tam_span_from(tam_buf_span(reader->json), start);
  if (call.len > 0 && call.ptr[0] == ',') {
    call = tam_span_from(call, 1);
  }
  return tam_json_check(call) == 0;
}

int tam_python_calls_read(tam_span *ptext, tam_buf *calls, size_t *pcount) {
  python_reader reader = {*ptext, calls};
  if (!take_byte(&reader, '[')) {
    return 0;
  }
  for (int is_first = 1; !take_byte(&reader, ']'); is_first = 0) {
    if ((!is_first && !take_byte(&reader, ',')) || !read_call(&reader)) {
      return 0;
    }
    ++*pcount;
  }
  *ptext = reader.rest;
  return 1;
}
