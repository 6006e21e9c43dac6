// SPDX-License-Identifier: Apache-2.0
// Writes protobuf by hand, for tests of what reads ONNX.
#ifndef TAM_TEST_ONNX_BYTES_H
#define TAM_TEST_ONNX_BYTES_H

#include "core/buf.h"

#include "check.h"

// Enough for the longest list of the tests.
#define ONNX_BYTES_MAX (UINT32_C(1) << 26)

static inline tam_buf onnx_begin(const tam_mem *mem) {
  tam_buf bytes;
  tam_buf_init(&bytes, mem, ONNX_BYTES_MAX);
  return bytes;
}

static inline void put_varint(tam_buf *bytes, uint64_t value) {
  while (value >= 0x80) {
    tam_buf_append_byte(bytes, (uint8_t)(0x80 | (value & 0x7f)));
    value >>= 7;
  }
  tam_buf_append_byte(bytes, (uint8_t)value);
}

static inline void put_number(tam_buf *bytes, uint32_t field, uint64_t value) {
  put_varint(bytes, (uint64_t)field << 3);
  put_varint(bytes, value);
}

static inline void put_head(tam_buf *bytes, uint32_t field, uint64_t len) {
  put_varint(bytes, (uint64_t)field << 3 | 2);
  put_varint(bytes, len);
}

static inline void put_text(tam_buf *bytes, uint32_t field, tam_span text) {
  put_head(bytes, field, text.len);
  tam_buf_append(bytes, text);
}

// Puts the message |inner| and frees it.
static inline void put_message(tam_buf *bytes, uint32_t field, tam_buf inner) {
  put_text(bytes, field, tam_buf_span(&inner));
  tam_buf_free(&inner);
}

// Puts raw data of |len| bytes.
static inline void put_raw(tam_buf *tensor, size_t len) {
  put_head(tensor, 9, len);
  uint8_t *data = tam_buf_grow(tensor, len);
  CHECK(data != NULL);
  for (size_t i = 0; i < len; i++) {
    data[i] = (uint8_t)(i * 7 + 9);
  }
}

static inline void put_entry(tam_buf *tensor, tam_span key, tam_span value) {
  tam_buf entry = onnx_begin(tensor->mem);
  put_text(&entry, 1, key);
  put_text(&entry, 2, value);
  put_message(tensor, 13, entry);
}

// Puts what makes a tensor external.
static inline void put_external(tam_buf *tensor, tam_span location,
                                uint64_t offset, uint64_t len) {
  char digits[32];
  put_entry(tensor, TAM_SPAN("location"), location);
  snprintf(digits, sizeof(digits), "%llu", (unsigned long long)offset);
  put_entry(tensor, TAM_SPAN("offset"), tam_span_of(digits));
  snprintf(digits, sizeof(digits), "%llu", (unsigned long long)len);
  put_entry(tensor, TAM_SPAN("length"), tam_span_of(digits));
  put_number(tensor, 14, 1);
}

// A tensor with dims, type and name, and nothing in it yet.
static inline tam_buf tensor_begin(const tam_mem *mem, const char *name) {
  tam_buf tensor = onnx_begin(mem);
  put_number(&tensor, 1, 16);
  put_number(&tensor, 2, 1);
  put_text(&tensor, 8, tam_span_of(name));
  return tensor;
}

// A model around |graph|, which is freed.
static inline tam_buf model_of(tam_buf graph) {
  tam_buf model = onnx_begin(graph.mem);
  put_number(&model, 1, 8);
  put_text(&model, 2, TAM_SPAN("a test"));
  put_message(&model, 7, graph);
  tam_buf opset = onnx_begin(graph.mem);
  put_text(&opset, 1, TAM_SPAN(""));
  put_number(&opset, 2, 17);
  put_message(&model, 8, opset);
  return model;
}

#endif // TAM_TEST_ONNX_BYTES_H
