// SPDX-License-Identifier: Apache-2.0
// Models for the tests of the scanner of graphs, and what feeds it.
#ifndef TAM_TEST_ONNX_FILE_H
#define TAM_TEST_ONNX_FILE_H

#include "chat/onnx_graph.h"

#include "onnx_bytes.h"

#define FILE_NAME TAM_SPAN("model.onnx")

// A file: its bytes, with a hole of zeros that are nowhere.
typedef struct onnx_file {
  tam_buf bytes;
  uint64_t hole_at;
  uint64_t hole_len;
} onnx_file;

static inline uint64_t file_size(const onnx_file *file) {
  return file->bytes.len + file->hole_len;
}

static inline uint8_t file_byte(const onnx_file *file, uint64_t at) {
  if (at < file->hole_at || file->hole_len == 0) {
    return file->bytes.data[at];
  }
  return at - file->hole_at < file->hole_len
             ? 0
             : file->bytes.data[at - file->hole_len];
}

// How bytes are handed over, and what it took.
typedef struct feeding {
  size_t first; // bytes of the first piece; 0: as all
  size_t step;  // bytes of the others; 0: all that are wanted
  uint64_t bytes;
  uint64_t rounds;
} feeding;

// Feeds |graph| until it wants no more; returns 0 or the error.
static inline int feed_file(tam_onnx_graph *graph, const onnx_file *file,
                            feeding *how) {
  uint64_t from;
  uint64_t to;
  int result;
  while ((result = tam_onnx_graph_wants(graph, &from, &to)) > 0) {
    CHECK(from < to && to <= file_size(file));
    CHECK(to - from <= TAM_ONNX_WINDOW_MAX);
    uint64_t len = to - from;
    size_t limit = how->rounds == 0 && how->first > 0 ? how->first : how->step;
    if (limit > 0 && len > limit) {
      len = limit;
    }
    // Memory of its own size, so that reading beyond it is noticed.
    uint8_t *copy = malloc((size_t)len);
    for (uint64_t i = 0; i < len; i++) {
      copy[i] = file_byte(file, from + i);
    }
    tam_onnx_graph_feed(graph, (tam_span){copy, (size_t)len});
    free(copy);
    how->bytes += len;
    how->rounds++;
  }
  return result;
}

// Reads the next piece of a recipe, which begins behind |text|, into |numbers|.
// Returns what is behind it, or NULL when the recipe ends.
static inline const char *take_piece(const char *text,
                                     unsigned long long numbers[3]) {
  for (int i = 0; i < 3; i++) {
    char *end;
    if (*text == ']' || text[1] == ']') {
      CHECK_INT(i, 0);
      return NULL;
    }
    numbers[i] = strtoull(text + 1, &end, 10);
    CHECK(*end == ',' || *end == ']');
    text = end;
  }
  return text;
}

// Follows the recipe of |graph| on |file|, which has no hole.
static inline tam_buf small_graph(const tam_onnx_graph *graph,
                                  const onnx_file *file, const tam_mem *mem) {
  tam_buf pieces = onnx_begin(mem);
  tam_buf bytes = onnx_begin(mem);
  tam_buf small = onnx_begin(mem);
  tam_onnx_graph_write(graph, &pieces, &bytes);
  tam_buf_append_byte(&pieces, 0);
  const char *text = (const char *)pieces.data;
  unsigned long long numbers[3];
  size_t used = 0;
  while ((text = take_piece(text, numbers)) != NULL) {
    CHECK(numbers[0] <= numbers[1] && numbers[1] <= file->bytes.len);
    tam_buf_append(&small, (tam_span){file->bytes.data + numbers[0],
                                      (size_t)(numbers[1] - numbers[0])});
    tam_buf_append(&small,
                   tam_span_head(tam_span_from(tam_buf_span(&bytes), used),
                                 (size_t)numbers[2]));
    used += (size_t)numbers[2];
  }
  CHECK_INT(used, bytes.len);
  tam_buf_free(&pieces);
  tam_buf_free(&bytes);
  return small;
}

static inline tam_onnx_graph *graph_of(const onnx_file *file,
                                       const tam_mem *mem) {
  tam_onnx_graph *graph = NULL;
  CHECK_INT(tam_onnx_graph_new(&graph, file_size(file), FILE_NAME, mem), 0);
  return graph;
}

// Scans |model| and checks that |expected| comes of it. Frees both.
static inline void check_small(tam_buf model, tam_buf expected) {
  onnx_file file = {model, 0, 0};
  feeding how = {0};
  tam_onnx_graph *graph = graph_of(&file, model.mem);
  CHECK_INT(feed_file(graph, &file, &how), 0);
  tam_buf small = small_graph(graph, &file, model.mem);
  CHECK(tam_span_eq(tam_buf_span(&small), tam_buf_span(&expected)));
  tam_onnx_graph_del(graph);
  tam_buf_free(&small);
  tam_buf_free(&model);
  tam_buf_free(&expected);
}

// Scans |file| and returns the error.
static inline int scan_error(const onnx_file *file) {
  feeding how = {0};
  tam_onnx_graph *graph = graph_of(file, file->bytes.mem);
  int error = feed_file(graph, file, &how);
  tam_onnx_graph_del(graph);
  return error;
}

// The same of |model|, which is freed.
static inline int model_error(tam_buf model) {
  onnx_file file = {model, 0, 0};
  int error = scan_error(&file);
  tam_buf_free(&model);
  return error;
}

static inline size_t find_raw(const tam_buf *model, size_t len) {
  for (size_t at = 0; at + len <= model->len; at++) {
    size_t i = 0;
    while (i < len && model->data[at + i] == (uint8_t)(i * 7 + 9)) {
      i++;
    }
    if (i == len) {
      return at;
    }
  }
  CHECK(0);
  return 0;
}

// A model with one tensor of |raw_len| bytes, external at |offset| when that is
// not 0; |behind| as in a file that was loaded and saved: a field behind the
// data says that it lies here.
static inline tam_buf one_tensor(const tam_mem *mem, size_t raw_len,
                                 size_t offset, int behind) {
  tam_buf graph = onnx_begin(mem);
  tam_buf tensor = tensor_begin(mem, "w");
  if (offset == 0) {
    put_raw(&tensor, raw_len);
  }
  if (behind) {
    put_number(&tensor, 14, 0);
  }
  if (offset > 0) {
    put_external(&tensor, FILE_NAME, offset, raw_len);
  }
  put_text(&graph, 2, TAM_SPAN("main"));
  put_message(&graph, 5, tensor);
  put_text(&graph, 10, TAM_SPAN("behind the tensors"));
  return model_of(graph);
}

// A graph with a tensor, and |inner| in a node; |list|: in a list of graphs.
// The data lies at |offset| when that is not 0.
static inline tam_buf nest(tam_buf inner, int list, size_t offset) {
  tam_buf graph = onnx_begin(inner.mem);
  tam_buf node = onnx_begin(inner.mem);
  tam_buf attribute = onnx_begin(inner.mem);
  tam_buf tensor = tensor_begin(inner.mem, "outer");
  put_text(&attribute, 1, TAM_SPAN("then_branch"));
  put_message(&attribute, list ? 11 : 6, inner);
  put_number(&attribute, 20, 5);
  put_text(&node, 1, TAM_SPAN("condition"));
  put_message(&node, 5, attribute);
  put_text(&node, 4, TAM_SPAN("If"));
  put_message(&graph, 1, node);
  if (offset == 0) {
    put_raw(&tensor, 3000);
  } else {
    put_external(&tensor, FILE_NAME, offset, 3000);
  }
  put_message(&graph, 5, tensor);
  return graph;
}

static inline tam_buf inner_graph(const tam_mem *mem, size_t offset) {
  tam_buf graph = onnx_begin(mem);
  tam_buf tensor = tensor_begin(mem, "inner");
  if (offset == 0) {
    put_raw(&tensor, 2000);
  } else {
    put_external(&tensor, FILE_NAME, offset, 2000);
  }
  put_message(&graph, 5, tensor);
  return graph;
}

#endif // TAM_TEST_ONNX_FILE_H
