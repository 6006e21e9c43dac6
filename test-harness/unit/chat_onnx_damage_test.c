// SPDX-License-Identifier: Apache-2.0
// Small graphs at every cut of the file; files that are damaged or made to
// harm.
#include "onnx_file.h"

// ---------------------------------------------------------------------------
// Cuts

// Something of everything.
static tam_buf rich_graph(const tam_mem *mem) {
  tam_buf tensor = tensor_begin(mem, "external");
  put_external(&tensor, TAM_SPAN("model.onnx_data"), 4096, 5000);
  tam_buf graph = nest(nest(inner_graph(mem, 0), 0, 0), 1, 0);
  put_message(&graph, 5, tensor);
  put_text(&graph, 2, TAM_SPAN("main"));
  return graph;
}

static void test_every_split(void) {
  tam_mem mem = tam_mem_default();
  onnx_file file = {model_of(rich_graph(&mem)), 0, 0};
  feeding whole = {0};
  tam_onnx_graph *graph = graph_of(&file, &mem);
  CHECK_INT(feed_file(graph, &file, &whole), 0);
  tam_buf expected = small_graph(graph, &file, &mem);
  CHECK(expected.len < file.bytes.len - 7000);
  tam_onnx_graph_del(graph);
  for (size_t cut = 1; cut <= file.bytes.len; cut++) {
    feeding how = {.first = cut};
    feeding pieces = {.step = cut};
    feeding *ways[] = {&how, &pieces};
    for (int i = 0; i < 2; i++) {
      graph = graph_of(&file, &mem);
      CHECK_INT(feed_file(graph, &file, ways[i]), 0);
      tam_buf small = small_graph(graph, &file, &mem);
      CHECK(tam_span_eq(tam_buf_span(&small), tam_buf_span(&expected)));
      CHECK_SPAN(tam_onnx_graph_get_file(graph, 0), "model.onnx_data");
      tam_buf_free(&small);
      tam_onnx_graph_del(graph);
    }
  }
  tam_buf_free(&expected);
  tam_buf_free(&file.bytes);
}

static void test_every_truncation(void) {
  tam_mem mem = tam_mem_default();
  onnx_file file = {model_of(rich_graph(&mem)), 0, 0};
  size_t len = file.bytes.len;
  // Behind the graph there is one field: tag, length, an empty text and a
  // number of two bytes.
  size_t graph_end = len - (2 + 2 + 2);
  for (size_t cut = 0; cut < len; cut++) {
    file.bytes.len = cut;
    CHECK_INT(scan_error(&file),
              cut == graph_end ? 0 : TAM_ERR_MALFORMED_GRAPH);
  }
  file.bytes.len = len;
  CHECK_INT(scan_error(&file), 0);
  tam_buf_free(&file.bytes);
}

// ---------------------------------------------------------------------------
// Damage and harm

static void test_what_is_not_onnx(void) {
  tam_mem mem = tam_mem_default();
  static const char *const texts[] = {
      "version https://git-lfs.github.com/spec/v1\n",
      "<!doctype html>",
      "{\"error\":\"not found\"}",
      "\x08\x08",                                     // a number and no graph
      "\x3b\x3c",                                     // a group
      "\x02\x00",                                     // field 0
      "\x06",                                         // wire type 6
      "\x38\x07",                                     // the graph as a number
      "\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x01", // a tag without an end
      "\x80\x80\x80\x80\x80\x80\x01", // a field of too large a number
      "\x3a\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", // 2^64 - 1 bytes
      "\x3a\xff\xff\xff\xff\x07",
      "\x3a\x01",
      "\x3a\x02\x2a\x01", // a tensor beyond its graph
      "\x3a\x01\x2a\x00", // its tag at the graph's end
  };
  for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
    tam_buf bytes = onnx_begin(&mem);
    tam_buf_append_text(&bytes, texts[i]);
    CHECK_INT(model_error(bytes), TAM_ERR_MALFORMED_GRAPH);
  }
}

// A number that 32 bits would take for 1.
static void test_a_field_of_too_large_a_number(void) {
  tam_mem mem = tam_mem_default();
  tam_buf model = onnx_begin(&mem);
  put_varint(&model, UINT64_C(1) << 35 | 1 << 3);
  put_varint(&model, 7);
  put_text(&model, 7, TAM_SPAN(""));
  CHECK_INT(model_error(model), TAM_ERR_MALFORMED_GRAPH);
}

// What leaves its message is noticed before it can do harm.
static void test_a_field_beyond_its_message(void) {
  tam_mem mem = tam_mem_default();
  static const uint8_t heads[] = {0x2a, 0x10, 0x11, 0x15};
  for (size_t i = 0; i < sizeof(heads); i++) {
    onnx_file file = {onnx_begin(&mem), 0, 0};
    put_head(&file.bytes, 7, 1);
    tam_buf_append_byte(&file.bytes, heads[i]);
    tam_buf_append(&file.bytes, TAM_SPAN("\xff\xff\xff\xff\xff\x7f behind it"));
    feeding how = {.step = 1};
    tam_onnx_graph *graph = graph_of(&file, &mem);
    CHECK_INT(feed_file(graph, &file, &how), TAM_ERR_MALFORMED_GRAPH);
    CHECK(how.bytes <= 4);
    tam_onnx_graph_del(graph);
    tam_buf_free(&file.bytes);
  }
}

static void test_two_raw_fields(void) {
  tam_mem mem = tam_mem_default();
  tam_buf tensor = tensor_begin(&mem, "w");
  put_raw(&tensor, 10);
  put_raw(&tensor, 2000);
  tam_buf graph = onnx_begin(&mem);
  put_message(&graph, 5, tensor);
  CHECK_INT(model_error(model_of(graph)), TAM_ERR_MALFORMED_GRAPH);
}

// Nothing of an earlier tensor is left for the next one.
static void test_tensors_are_apart(void) {
  tam_mem mem = tam_mem_default();
  tam_buf graph = onnx_begin(&mem);
  tam_buf first = tensor_begin(&mem, "first");
  put_external(&first, TAM_SPAN("data"), 0, 9);
  put_message(&graph, 5, first);
  put_message(&graph, 5, tensor_begin(&mem, "empty"));
  tam_buf last = tensor_begin(&mem, "last");
  put_number(&last, 14, 1);
  put_message(&graph, 5, last);
  CHECK_INT(model_error(model_of(graph)), TAM_ERR_MALFORMED_GRAPH);
}

static void test_the_cap_of_nesting(void) {
  tam_mem mem = tam_mem_default();
  // The model and its graph, three messages for each subgraph, the tensor and
  // an entry.
  int most = (TAM_ONNX_DEPTH_MAX - 4) / 3;
  for (int nested = most; nested <= most + 1; nested++) {
    tam_buf tensor = tensor_begin(&mem, "w");
    put_external(&tensor, TAM_SPAN("data"), 0, 9);
    tam_buf graph = onnx_begin(&mem);
    put_message(&graph, 5, tensor);
    for (int i = 0; i < nested; i++) {
      graph = nest(graph, 0, 0);
    }
    CHECK_INT(model_error(model_of(graph)),
              nested == most ? 0 : TAM_ERR_GRAPH_TOO_LARGE);
  }
}

static void test_the_cap_of_edits(void) {
  tam_mem mem = tam_mem_default();
  // The graph takes one, a tensor two.
  size_t most = (TAM_ONNX_EDITS_MAX - 1) / 2;
  for (size_t tensors = most; tensors <= most + 1; tensors++) {
    tam_buf graph = onnx_begin(&mem);
    for (size_t i = 0; i < tensors; i++) {
      tam_buf tensor = onnx_begin(&mem);
      put_raw(&tensor, TAM_ONNX_RAW_MIN);
      put_message(&graph, 5, tensor);
    }
    CHECK_INT(model_error(model_of(graph)),
              tensors == most ? 0 : TAM_ERR_GRAPH_TOO_LARGE);
  }
}

static void test_a_graph_that_stays_too_large(void) {
  tam_mem mem = tam_mem_default();
  for (uint64_t over = 0; over < 2; over++) {
    onnx_file file = {onnx_begin(&mem), 0, 0};
    put_text(&file.bytes, 7, TAM_SPAN(""));
    // A field of 2^31 - 1 bytes in all, then one byte more.
    file.hole_len = (uint64_t)INT32_MAX - file.bytes.len - 6 + over;
    put_head(&file.bytes, 2, file.hole_len);
    file.hole_at = file.bytes.len;
    CHECK_INT(scan_error(&file), over == 0 ? 0 : TAM_ERR_GRAPH_TOO_LARGE);
    tam_buf_free(&file.bytes);
  }
}

static void test_calls_out_of_turn(void) {
  tam_mem mem = tam_mem_default();
  onnx_file file = {one_tensor(&mem, 2000, 0, 0), 0, 0};
  tam_onnx_graph *graph = graph_of(&file, &mem);
  uint64_t from = 0;
  uint64_t to = 0;
  CHECK_INT(tam_onnx_graph_wants(graph, &from, &to), 1);
  CHECK_INT(from, 0);
  CHECK_INT(to, (long long)file.bytes.len);
  uint8_t more[4096] = {0};
  CHECK_INT(tam_onnx_graph_feed(graph, (tam_span){more, (size_t)to + 1}),
            TAM_ERR_INVALID_ARGUMENT);
  CHECK_INT(tam_onnx_graph_feed(graph, TAM_SPAN_NONE), 0);
  CHECK_INT(tam_onnx_graph_wants(graph, &from, &to), 1);
  CHECK_INT(from, 0);
  feeding how = {0};
  CHECK_INT(feed_file(graph, &file, &how), 0);
  CHECK_INT(tam_onnx_graph_feed(graph, TAM_SPAN("x")),
            TAM_ERR_INVALID_ARGUMENT);
  CHECK_INT(tam_onnx_graph_feed(graph, TAM_SPAN_NONE), 0);
  tam_onnx_graph_del(graph);
  tam_buf_free(&file.bytes);

  tam_buf junk = onnx_begin(&mem);
  tam_buf_append_text(&junk, "\x06junk");
  onnx_file broken = {junk, 0, 0};
  graph = graph_of(&broken, &mem);
  CHECK_INT(feed_file(graph, &broken, &how), TAM_ERR_MALFORMED_GRAPH);
  CHECK_INT(tam_onnx_graph_feed(graph, TAM_SPAN("x")), TAM_ERR_MALFORMED_GRAPH);
  tam_onnx_graph_del(graph);
  tam_onnx_graph_del(NULL);
  tam_buf_free(&junk);
}

static void test_failed_allocations(void) {
  tam_mem plain = tam_mem_default();
  tam_buf graph = rich_graph(&plain);
  // So many tensors that the list of edits grows.
  for (int i = 0; i < 40; i++) {
    tam_buf tensor = tensor_begin(&plain, "w");
    put_raw(&tensor, TAM_ONNX_RAW_MIN);
    put_message(&graph, 5, tensor);
  }
  onnx_file file = {model_of(graph), 0, 0};
  int failures = 0;
  int error = TAM_ERR_OUT_OF_MEMORY;
  for (size_t fail_at = 1; error != 0; fail_at++) {
    check_heap heap = {.fail_at = fail_at, .fail_after = fail_at % 2 == 0};
    tam_mem mem = check_heap_mem(&heap);
    tam_onnx_graph *scan = NULL;
    feeding how = {0};
    error = tam_onnx_graph_new(&scan, file_size(&file), FILE_NAME, &mem);
    if (error == 0) {
      error = feed_file(scan, &file, &how);
    }
    CHECK(error == 0 || error == TAM_ERR_OUT_OF_MEMORY);
    failures += error != 0;
    tam_onnx_graph_del(scan);
    CHECK_INT(heap.live, 0);
  }
  CHECK_INT(failures, 4); // the scanner, edits, more edits, files
  tam_buf_free(&file.bytes);
}

int main(void) {
  RUN(test_every_split);
  RUN(test_every_truncation);
  RUN(test_what_is_not_onnx);
  RUN(test_a_field_of_too_large_a_number);
  RUN(test_a_field_beyond_its_message);
  RUN(test_two_raw_fields);
  RUN(test_tensors_are_apart);
  RUN(test_the_cap_of_nesting);
  RUN(test_the_cap_of_edits);
  RUN(test_a_graph_that_stays_too_large);
  RUN(test_calls_out_of_turn);
  RUN(test_failed_allocations);
  return check_finish();
}
