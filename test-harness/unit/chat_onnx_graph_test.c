// SPDX-License-Identifier: Apache-2.0
// Small graphs of hand-made .onnx files: what becomes external and what stays,
// and which files are named.
#include "onnx_file.h"

// ---------------------------------------------------------------------------
// What becomes external

static void test_raw_data_becomes_external(void) {
  tam_mem mem = tam_mem_default();
  size_t lengths[] = {1024, 1025, 16384, 100000};
  for (size_t i = 0; i < 4; i++) {
    for (int behind = 0; behind < 2; behind++) {
      tam_buf model = one_tensor(&mem, lengths[i], 0, behind);
      size_t raw = find_raw(&model, lengths[i]);
      check_small(model, one_tensor(&mem, lengths[i], raw, behind));
    }
  }
}

static void test_short_data_stays(void) {
  tam_mem mem = tam_mem_default();
  check_small(one_tensor(&mem, 1023, 0, 0), one_tensor(&mem, 1023, 0, 0));
  check_small(one_tensor(&mem, 0, 0, 1), one_tensor(&mem, 0, 0, 1));
}

static void test_subgraphs(void) {
  tam_mem mem = tam_mem_default();
  for (int list = 0; list < 2; list++) {
    tam_buf model = model_of(nest(inner_graph(&mem, 0), list, 0));
    size_t inner = find_raw(&model, 2000);
    size_t outer = find_raw(&model, 3000);
    CHECK(inner < outer);
    check_small(model, model_of(nest(inner_graph(&mem, inner), list, outer)));
  }
}

// A graph of what stays as it is.
static tam_buf untouched(const tam_mem *mem) {
  tam_buf graph = onnx_begin(mem);
  tam_buf floats = tensor_begin(mem, "typed");
  put_text(&floats, 4, (tam_span){(const uint8_t *)FILE_NAME.ptr, 8});
  tam_buf values = onnx_begin(mem);
  memset(tam_buf_grow(&values, 5000), 7, 5000);
  put_message(&floats, 7, values);
  put_message(&graph, 5, floats);

  tam_buf constant = tensor_begin(mem, "constant");
  put_raw(&constant, 2500);
  tam_buf attribute = onnx_begin(mem);
  put_message(&attribute, 5, constant);
  tam_buf node = onnx_begin(mem);
  put_message(&node, 5, attribute);
  put_message(&graph, 1, node);

  // A sparse initialiser, and fields that nobody knows, of each wire type.
  tam_buf sparse = onnx_begin(mem);
  put_message(&sparse, 1, tensor_begin(mem, "sparse"));
  put_message(&graph, 15, sparse);
  put_number(&graph, 1000, UINT64_MAX);
  put_varint(&graph, 900 << 3 | 1);
  tam_buf_append(&graph, TAM_SPAN("8 bytes."));
  put_varint(&graph, 901 << 3 | 5);
  tam_buf_append(&graph, TAM_SPAN("4 by"));
  // The number of a tensor, but not of its wire type.
  put_number(&graph, 5, 5000);
  return graph;
}

static void test_everything_else_stays(void) {
  tam_mem mem = tam_mem_default();
  check_small(model_of(untouched(&mem)), model_of(untouched(&mem)));
  // Also around and beside something that changes.
  tam_buf model = model_of(nest(untouched(&mem), 0, 0));
  size_t raw = find_raw(&model, 3000);
  check_small(model, model_of(nest(untouched(&mem), 0, raw)));
}

// Data of which somebody says, and not says, that it is elsewhere.
static void test_data_with_a_reference_stays(void) {
  tam_mem mem = tam_mem_default();
  tam_buf models[2];
  for (int i = 0; i < 2; i++) {
    tam_buf graph = onnx_begin(&mem);
    tam_buf tensor = tensor_begin(&mem, "w");
    put_raw(&tensor, 2000);
    put_entry(&tensor, TAM_SPAN("location"), TAM_SPAN("elsewhere"));
    put_message(&graph, 5, tensor);
    models[i] = model_of(graph);
  }
  check_small(models[0], models[1]);
}

// Behind the data of a weight, ranges are short.
static void test_weights_are_not_read(void) {
  tam_mem mem = tam_mem_default();
  tam_buf graph = onnx_begin(&mem);
  for (int i = 0; i < 8; i++) {
    tam_buf tensor = tensor_begin(&mem, "w");
    put_raw(&tensor, 200000);
    put_message(&graph, 5, tensor);
  }
  onnx_file file = {model_of(graph), 0, 0};
  feeding how = {0};
  tam_onnx_graph *scan = graph_of(&file, &mem);
  CHECK_INT(feed_file(scan, &file, &how), 0);
  CHECK(how.bytes < 9 * 5000);
  tam_onnx_graph_del(scan);
  tam_buf_free(&file.bytes);
}

// Where everything is read, ranges are long.
static void test_few_ranges(void) {
  tam_mem mem = tam_mem_default();
  tam_buf graph = onnx_begin(&mem);
  for (int i = 0; i < 1100; i++) {
    tam_buf tensor = tensor_begin(&mem, "w");
    put_raw(&tensor, 1000);
    put_message(&graph, 5, tensor);
  }
  onnx_file file = {model_of(graph), 0, 0};
  feeding how = {0};
  tam_onnx_graph *scan = graph_of(&file, &mem);
  CHECK_INT(feed_file(scan, &file, &how), 0);
  CHECK(how.rounds < 30); // 18 of the longest, and some before
  tam_onnx_graph_del(scan);
  tam_buf_free(&file.bytes);
}

// Other programs write numbers longer than they need to.
static void test_lengths_with_spare_bytes(void) {
  tam_mem mem = tam_mem_default();
  tam_buf tensor = tensor_begin(&mem, "w");
  put_raw(&tensor, 2000);
  tam_buf graph = onnx_begin(&mem);
  put_varint(&graph, 5 << 3 | 2);
  tam_buf_append_byte(&graph, (uint8_t)(0x80 | (tensor.len & 0x7f)));
  tam_buf_append_byte(&graph, (uint8_t)(0x80 | tensor.len >> 7));
  tam_buf_append(&graph, TAM_SPAN("\x80\x80"));
  tam_buf_append_byte(&graph, 0);
  tam_buf_append(&graph, tam_buf_span(&tensor));
  tam_buf_free(&tensor);
  tam_buf model = model_of(graph);
  size_t raw = find_raw(&model, 2000);

  tam_buf expected = onnx_begin(&mem);
  tensor = tensor_begin(&mem, "w");
  put_external(&tensor, FILE_NAME, raw, 2000);
  put_message(&expected, 5, tensor);
  check_small(model, model_of(expected));
}

// The bytes of the graph that a recipe makes.
static long long recipe_size(tam_buf *pieces) {
  long long size = 0;
  unsigned long long numbers[3];
  tam_buf_append_byte(pieces, 0);
  const char *text = (const char *)pieces->data;
  while ((text = take_piece(text, numbers)) != NULL) {
    size += (long long)(numbers[1] - numbers[0] + numbers[2]);
  }
  return size;
}

static void test_a_weight_of_many_gigabytes(void) {
  tam_mem mem = tam_mem_default();
  uint64_t hole = UINT64_C(5) << 30;
  // The lengths of all messages count the hole.
  tam_buf tensor = tensor_begin(&mem, "w");
  put_head(&tensor, 9, hole);
  tam_buf graph = onnx_begin(&mem);
  put_head(&graph, 5, tensor.len + hole);
  tam_buf_append(&graph, tam_buf_span(&tensor));
  tam_buf_free(&tensor);
  onnx_file file = {onnx_begin(&mem), 0, hole};
  put_head(&file.bytes, 7, graph.len + hole + 6);
  tam_buf_append(&file.bytes, tam_buf_span(&graph));
  tam_buf_free(&graph);
  file.hole_at = file.bytes.len;
  put_text(&file.bytes, 2, TAM_SPAN("main"));

  feeding how = {0};
  tam_onnx_graph *scan = graph_of(&file, &mem);
  CHECK_INT(feed_file(scan, &file, &how), 0);
  // A first look and one behind the data.
  CHECK(how.bytes < 5000);
  tam_buf pieces = onnx_begin(&mem);
  tam_buf bytes = onnx_begin(&mem);
  tam_onnx_graph_write(scan, &pieces, &bytes);
  tam_buf entry = onnx_begin(&mem);
  put_external(&entry, FILE_NAME, file.hole_at, hole);
  tam_span inserted = tam_buf_span(&bytes);
  CHECK(tam_span_ends_with(inserted, tam_buf_span(&entry)));
  // The head of the data goes, and two lengths of 5 bytes take one.
  CHECK_INT(recipe_size(&pieces),
            (long long)(file.bytes.len + entry.len) - 6 - 2 * 4);
  tam_buf_free(&entry);
  tam_buf_free(&pieces);
  tam_buf_free(&bytes);
  tam_onnx_graph_del(scan);
  tam_buf_free(&file.bytes);
}

// ---------------------------------------------------------------------------
// Files that are external already

// A model with a tensor at |location|; |swapped|: values before their keys.
static tam_buf located(const tam_mem *mem, tam_span location, int swapped) {
  tam_buf tensor = tensor_begin(mem, "w");
  tam_buf entry = onnx_begin(mem);
  put_entry(&tensor, TAM_SPAN("offset"), TAM_SPAN("4096"));
  put_text(&entry, swapped ? 2 : 1, swapped ? location : TAM_SPAN("location"));
  put_text(&entry, swapped ? 1 : 2, swapped ? TAM_SPAN("location") : location);
  put_message(&tensor, 13, entry);
  put_entry(&tensor, TAM_SPAN("a key of more than sixteen bytes"),
            TAM_SPAN("location"));
  put_number(&tensor, 14, 1);
  tam_buf graph = onnx_begin(mem);
  put_message(&graph, 5, tensor);
  return model_of(graph);
}

static void test_files_are_named(void) {
  tam_mem mem = tam_mem_default();
  tam_buf graph = onnx_begin(&mem);
  static const char *const names[] = {"model.onnx_data", "./model.onnx_data_1",
                                      "model.onnx_data", "weights/q.bin"};
  for (size_t i = 0; i < 4; i++) {
    tam_buf tensor = tensor_begin(&mem, "w");
    put_external(&tensor, tam_span_of(names[i]), 0, 5000);
    put_message(&graph, 5, tensor);
  }
  onnx_file file = {model_of(graph), 0, 0};
  feeding how = {0};
  tam_onnx_graph *scan = graph_of(&file, &mem);
  CHECK_INT(feed_file(scan, &file, &how), 0);
  CHECK_SPAN(tam_onnx_graph_get_file(scan, 0), "model.onnx_data");
  CHECK_SPAN(tam_onnx_graph_get_file(scan, 1), "model.onnx_data_1");
  CHECK_SPAN(tam_onnx_graph_get_file(scan, 2), "weights/q.bin");
  CHECK_SPAN(tam_onnx_graph_get_file(scan, 3), "");
  tam_onnx_graph_del(scan);
  tam_buf_free(&file.bytes);
}

static void test_files_that_must_not_be_named(void) {
  tam_mem mem = tam_mem_default();
  static const char *const names[] = {"",
                                      "/etc/passwd",
                                      "../secret",
                                      "a/../b",
                                      "a//b",
                                      "a/",
                                      "..",
                                      ".",
                                      "a/.",
                                      "C:/x",
                                      "a\\b",
                                      "file:x",
                                      "a\nb",
                                      "a\x7f",
                                      "././a",
                                      "./",
                                      "*/_ORT_MEM_ADDR_/*"};
  for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
    tam_span name = tam_span_of(names[i]);
    CHECK_INT(model_error(located(&mem, name, 0)), TAM_ERR_MALFORMED_GRAPH);
    CHECK_INT(model_error(located(&mem, name, 1)), TAM_ERR_MALFORMED_GRAPH);
    tam_onnx_graph *graph = NULL;
    CHECK_INT(tam_onnx_graph_new(&graph, 10, name, &mem),
              TAM_ERR_INVALID_ARGUMENT);
    CHECK(graph == NULL);
  }
  CHECK_INT(model_error(located(&mem, TAM_SPAN(".../a..b/.c"), 0)), 0);
  CHECK_INT(model_error(located(&mem, TAM_SPAN("x\xc3\xa9"), 1)), 0);
}

static void test_the_longest_name(void) {
  tam_mem mem = tam_mem_default();
  uint8_t name[TAM_ONNX_LOCATION_MAX + 1];
  memset(name, 'n', sizeof(name));
  tam_span longest = {name, TAM_ONNX_LOCATION_MAX};
  tam_span longer = {name, TAM_ONNX_LOCATION_MAX + 1};
  CHECK_INT(model_error(located(&mem, longest, 0)), 0);
  CHECK_INT(model_error(located(&mem, longer, 0)), TAM_ERR_MALFORMED_GRAPH);
  CHECK_INT(tam_onnx_location_check(longest), 0);
  CHECK_INT(tam_onnx_location_check(longer), TAM_ERR_INVALID_ARGUMENT);
}

static void test_external_without_a_file(void) {
  tam_mem mem = tam_mem_default();
  tam_buf tensor = tensor_begin(&mem, "w");
  put_entry(&tensor, TAM_SPAN("offset"), TAM_SPAN("0"));
  put_number(&tensor, 14, 1);
  tam_buf graph = onnx_begin(&mem);
  put_message(&graph, 5, tensor);
  CHECK_INT(model_error(model_of(graph)), TAM_ERR_MALFORMED_GRAPH);
}

static void test_the_cap_of_files(void) {
  tam_mem mem = tam_mem_default();
  for (int files = 128; files <= 129; files++) {
    tam_buf graph = onnx_begin(&mem);
    for (int i = 0; i < files; i++) {
      char name[24];
      snprintf(name, sizeof(name), "data_%d", i);
      tam_buf tensor = tensor_begin(&mem, "w");
      put_external(&tensor, tam_span_of(name), 0, 5000);
      put_message(&graph, 5, tensor);
    }
    CHECK_INT(model_error(model_of(graph)),
              files == 128 ? 0 : TAM_ERR_GRAPH_TOO_LARGE);
  }
}

int main(void) {
  RUN(test_raw_data_becomes_external);
  RUN(test_short_data_stays);
  RUN(test_subgraphs);
  RUN(test_everything_else_stays);
  RUN(test_data_with_a_reference_stays);
  RUN(test_weights_are_not_read);
  RUN(test_few_ranges);
  RUN(test_lengths_with_spare_bytes);
  RUN(test_a_weight_of_many_gigabytes);
  RUN(test_files_are_named);
  RUN(test_files_that_must_not_be_named);
  RUN(test_the_longest_name);
  RUN(test_external_without_a_file);
  RUN(test_the_cap_of_files);
  return check_finish();
}
