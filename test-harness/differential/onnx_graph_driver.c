// SPDX-License-Identifier: Apache-2.0
// Lets JavaScript ask for the small graph of an .onnx file: the name under
// which the file will be found and a line feed, then the file, on standard
// input. The answers on standard output, each with NUL behind: the error, the
// recipe of the small graph, the bytes that it inserts in hexadecimal digits,
// and the files that the graph named before, each with a line feed behind.
#include "chat/onnx_graph.h"

#include <stdio.h>

// More than any file of the tests has.
#define FILE_MAX (UINT32_C(1) << 28)

static void read_input(tam_buf *input) {
  uint8_t bytes[65536];
  size_t len;
  while ((len = fread(bytes, 1, sizeof(bytes), stdin)) > 0) {
    tam_buf_append(input, (tam_span){bytes, len});
  }
}

static int scan(tam_onnx_graph *graph, tam_span file) {
  uint64_t from;
  uint64_t to;
  int result;
  while ((result = tam_onnx_graph_wants(graph, &from, &to)) > 0) {
    tam_span rest = tam_span_from(file, (size_t)from);
    tam_onnx_graph_feed(graph, tam_span_head(rest, (size_t)(to - from)));
  }
  return result;
}

static void print_recipe(const tam_onnx_graph *graph, const tam_mem *mem) {
  tam_buf pieces;
  tam_buf bytes;
  tam_buf_init(&pieces, mem, FILE_MAX);
  tam_buf_init(&bytes, mem, FILE_MAX);
  tam_onnx_graph_write(graph, &pieces, &bytes);
  fwrite(pieces.data, 1, pieces.len, stdout);
  putchar('\0');
  for (size_t i = 0; i < bytes.len; i++) {
    printf("%02x", bytes.data[i]);
  }
  putchar('\0');
  tam_buf_free(&pieces);
  tam_buf_free(&bytes);
}

static void print_files(const tam_onnx_graph *graph) {
  tam_span name;
  for (size_t i = 0; (name = tam_onnx_graph_get_file(graph, i)).len > 0; i++) {
    fwrite(name.ptr, 1, name.len, stdout);
    putchar('\n');
  }
  putchar('\0');
}

int main(void) {
  tam_mem mem = tam_mem_default();
  tam_buf input;
  tam_buf_init(&input, &mem, FILE_MAX);
  read_input(&input);
  tam_span all = tam_buf_span(&input);
  size_t line = tam_span_find_byte(all, '\n');
  tam_span file = tam_span_from(all, line + 1);
  tam_onnx_graph *graph = NULL;
  int error =
      tam_onnx_graph_new(&graph, file.len, tam_span_head(all, line), &mem);
  if (error == 0) {
    error = scan(graph, file);
  }
  printf("%d", error);
  putchar('\0');
  if (error == 0) {
    print_recipe(graph, &mem);
    print_files(graph);
  }
  tam_onnx_graph_del(graph);
  tam_buf_free(&input);
  return 0;
}
