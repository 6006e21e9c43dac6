// SPDX-License-Identifier: Apache-2.0
// Any bytes as an .onnx file: no crash, the same recipe however the file is
// cut, never a file outside the folder, and in the small graph nothing is left
// to do.
#include "chat/onnx_graph.h"

#include "scan_split.h"

// The longest small graph: it is shorter than the input.
#define SMALL_MAX (UINT32_C(1) << 24)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

// Feeds |file| in pieces of the lengths that |split| repeats; NULL: in pieces
// as they are wanted.
static int feed_file(tam_onnx_graph *graph, tam_span file,
                     const uint8_t *split) {
  uint64_t from;
  uint64_t to;
  int result;
  for (size_t i = 0; (result = tam_onnx_graph_wants(graph, &from, &to)) > 0;
       i++) {
    TAM_ASSERT(from < to && to <= file.len);
    tam_span piece =
        tam_span_head(tam_span_from(file, (size_t)from), (size_t)(to - from));
    if (split != NULL) {
      piece = tam_span_head(piece, 1 + (size_t)split[i % SPLIT_LEN]);
    }
    uint8_t *copy = malloc(piece.len);
    TAM_ASSERT(copy != NULL);
    memcpy(copy, piece.ptr, piece.len);
    tam_onnx_graph_feed(graph, (tam_span){copy, piece.len});
    free(copy);
  }
  return result;
}

static tam_onnx_graph *scan_file(tam_span file, const uint8_t *split,
                                 const tam_mem *mem, int *perror) {
  tam_onnx_graph *graph;
  int error = tam_onnx_graph_new(&graph, file.len, TAM_SPAN("model.onnx"), mem);
  TAM_ASSERT(error == 0);
  *perror = feed_file(graph, file, split);
  return graph;
}

// Returns the small graph, by its |pieces|, numbers that |inserted| goes
// between.
static tam_buf follow(tam_span pieces, tam_span inserted, tam_span file,
                      const tam_mem *mem) {
  tam_buf small;
  size_t numbers[3] = {0, 0, 0};
  size_t place = 0;
  tam_buf_init(&small, mem, SMALL_MAX);
  for (size_t i = 1; i < pieces.len; i++) {
    uint8_t byte = pieces.ptr[i];
    if (byte >= '0' && byte <= '9') {
      numbers[place] = numbers[place] * 10 + byte - '0';
    } else {
      place++; // at "," and "]"
    }
    if (place == 3) {
      TAM_ASSERT(numbers[0] <= numbers[1] && numbers[1] <= file.len);
      TAM_ASSERT(numbers[2] <= inserted.len);
      tam_buf_append(
          &small, (tam_span){file.ptr + numbers[0], numbers[1] - numbers[0]});
      tam_buf_append(&small, tam_span_head(inserted, numbers[2]));
      inserted = tam_span_from(inserted, numbers[2]);
      memset(numbers, 0, sizeof(numbers));
      place = 0;
    }
  }
  TAM_ASSERT(place == 0);
  TAM_ASSERT(inserted.len == 0 && small.error == 0);
  return small;
}

static void check_files(const tam_onnx_graph *graph) {
  tam_span name;
  for (size_t i = 0; (name = tam_onnx_graph_get_file(graph, i)).len > 0; i++) {
    TAM_ASSERT(i < TAM_ONNX_FILES_MAX);
    TAM_ASSERT(tam_onnx_location_check(name) == 0);
  }
}

// Writes the recipe of |graph| and returns the small graph.
static tam_buf small_of(const tam_onnx_graph *graph, tam_span file,
                        scan_result *result, const tam_mem *mem) {
  tam_buf pieces;
  tam_buf bytes;
  tam_buf_init(&pieces, mem, SMALL_MAX);
  tam_buf_init(&bytes, mem, SMALL_MAX);
  tam_onnx_graph_write(graph, &pieces, &bytes);
  hash_text(result, tam_buf_span(&pieces));
  hash_text(result, tam_buf_span(&bytes));
  tam_buf small =
      follow(tam_buf_span(&pieces), tam_buf_span(&bytes), file, mem);
  TAM_ASSERT(small.len <= file.len);
  tam_buf_free(&pieces);
  tam_buf_free(&bytes);
  return small;
}

// The small graph is a graph of the same size, with one more file at most.
static void check_small(const tam_buf *small, const tam_mem *mem) {
  int error;
  tam_onnx_graph *graph = scan_file(tam_buf_span(small), NULL, mem, &error);
  TAM_ASSERT(error == 0 || error == TAM_ERR_GRAPH_TOO_LARGE);
  if (error == 0) {
    scan_result ignored = {0, 0, 0};
    tam_buf again = small_of(graph, tam_buf_span(small), &ignored, mem);
    TAM_ASSERT(again.len == small->len);
    tam_buf_free(&again);
  }
  tam_onnx_graph_del(graph);
}

static scan_result scan(tam_span file, const uint8_t *split) {
  tam_mem mem = tam_mem_default();
  scan_result result = {0, 0, 0};
  tam_onnx_graph *graph = scan_file(file, split, &mem, &result.error);
  check_files(graph);
  if (result.error == 0) {
    tam_buf small = small_of(graph, file, &result, &mem);
    check_small(&small, &mem);
    tam_buf_free(&small);
  }
  tam_onnx_graph_del(graph);
  return result;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  if (size < SPLIT_LEN) {
    return 0;
  }
  tam_span file = {data + SPLIT_LEN, size - SPLIT_LEN};
  scan_result whole = scan(file, NULL);
  scan_result pieces = scan(file, data);
  assert_same(&whole, &pieces);
  return 0;
}
