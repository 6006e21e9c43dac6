// SPDX-License-Identifier: Apache-2.0
#include "core/model_files.h"

#include "core/span.h"

// The functions below see the name of every file of every row: they take
// pointer and length apart, which WebAssembly passes in registers.

static uint8_t lower(uint8_t byte) {
  return byte >= 'A' && byte <= 'Z' ? (uint8_t)(byte | 0x20) : byte;
}

// Returns 1 when |name| ends with |suffix| (lower case), ASCII case of |name|
// ignored.
static int ends_with(const uint8_t *name, size_t len, const char *suffix,
                     size_t suffix_len) {
  if (len < suffix_len) {
    return 0;
  }
  while (suffix_len > 0) {
    if (lower(name[--len]) != (uint8_t)suffix[--suffix_len]) {
      return 0;
    }
  }
  return 1;
}

#define ENDS_WITH(name, len, literal)                                          \
  ends_with(name, len, literal, sizeof(literal) - 1)

// Returns 1 when the last part of the path |name| is |file|.
static int is_file(const uint8_t *name, size_t len, const char *file,
                   size_t file_len) {
  return ends_with(name, len, file, file_len) &&
         (len == file_len || name[len - file_len - 1] == '/');
}

#define IS_FILE(name, len, literal)                                            \
  is_file(name, len, literal, sizeof(literal) - 1)

// Returns 1 for "vocab." with any extension.
static int is_vocabulary(const uint8_t *name, size_t len) {
  while (len > 0 && name[len - 1] != '.' && name[len - 1] != '/') {
    len--;
  }
  return IS_FILE(name, len, "vocab.");
}

// Returns the length of |name| without the number of a part:
// "model.onnx_data_12" becomes "model.onnx_data".
static size_t without_part_number(const uint8_t *name, size_t len) {
  size_t at = len;
  while (at > 0 && name[at - 1] >= '0' && name[at - 1] <= '9') {
    at--;
  }
  return at > 0 && at < len && name[at - 1] == '_' ? at - 1 : len;
}

// Returns the length of what stands before ".onnx_data" and its like, or 0
// when |name| is no such file.
static size_t external_data_stem(const uint8_t *name, size_t len) {
  len = without_part_number(name, len);
  return ENDS_WITH(name, len, ".onnx_data") ||
                 ENDS_WITH(name, len, ".onnx.data")
             ? len - (sizeof(".onnx_data") - 1)
             : 0;
}

static unsigned kind_of_json(const uint8_t *name, size_t len) {
  if (IS_FILE(name, len, "tokenizer.json")) {
    return TAM_FILE_TOKENIZER;
  }
  tam_span file = {name, len};
  return tam_span_eq(file, TAM_SPAN("config.json")) ? TAM_FILE_CONFIG : 0;
}

// Returns the kind of a file that is no vocabulary.
static unsigned kind_by_end(const uint8_t *name, size_t len) {
  switch (lower(name[len - 1])) {
  case 'n':
    return ENDS_WITH(name, len, ".json") ? kind_of_json(name, len) : 0;
  case 'x':
    return ENDS_WITH(name, len, ".onnx") ? TAM_FILE_ONNX : 0;
  case 't':
    return IS_FILE(name, len, "merges.txt") ? TAM_FILE_TOKENIZER : 0;
  case 'l':
    return ENDS_WITH(name, len, ".model") ? TAM_FILE_TOKENIZER : 0;
  case 'm':
    return ENDS_WITH(name, len, ".spm") ? TAM_FILE_TOKENIZER : 0;
  default:
    return external_data_stem(name, len) > 0 ? TAM_FILE_ONNX_DATA : 0;
  }
}

unsigned tam_file_kind(tam_span name) {
  if (name.len == 0) {
    return 0;
  }
  unsigned kind = kind_by_end(name.ptr, name.len);
  return kind == 0 && is_vocabulary(name.ptr, name.len) ? TAM_FILE_TOKENIZER
                                                        : kind;
}

// The ends of file names that stand for the dtypes. Only q8 is not called by
// its end.
static const char dtype_ends[TAM_DTYPE_COUNT][10] = {
    "fp32",  "fp16", "quantized", "int8", "uint8", "q4",
    "q4f16", "q2",   "q2f16",     "q1",   "q1f16", "bnb4"};

const char *tam_dtype_name(tam_dtype dtype) {
  return dtype == TAM_DTYPE_Q8 ? "q8" : dtype_ends[dtype];
}

const char *tam_dtype_file_end(tam_dtype dtype) {
  return dtype == TAM_DTYPE_FP32 ? "" : dtype_ends[dtype];
}

tam_dtype tam_file_dtype(tam_span name) {
  size_t len = external_data_stem(name.ptr, name.len);
  if (len == 0 && ENDS_WITH(name.ptr, name.len, ".onnx")) {
    len = name.len - (sizeof(".onnx") - 1);
  }
  tam_span stem = tam_span_head(name, len);
  size_t at = stem.len;
  while (at > 0 && stem.ptr[at - 1] != '_' && stem.ptr[at - 1] != '/') {
    at--;
  }
  if (at == 0 || stem.ptr[at - 1] == '/') {
    return TAM_DTYPE_FP32;
  }
  tam_span end = tam_span_from(stem, at);
  unsigned dtype = TAM_DTYPE_COUNT - 1;
  while (dtype > TAM_DTYPE_FP32 && !tam_span_is(end, dtype_ends[dtype])) {
    dtype--;
  }
  return (tam_dtype)dtype;
}

unsigned tam_files_dtypes(const tam_span *files, size_t count,
                          uint8_t *dtypes) {
  unsigned graphs = 0;
  for (size_t i = 0; i < count; i++) {
    dtypes[i] = (uint8_t)tam_file_dtype(files[i]);
    if (ENDS_WITH(files[i].ptr, files[i].len, ".onnx")) {
      graphs |= 1U << dtypes[i];
    }
  }
  return graphs;
}
