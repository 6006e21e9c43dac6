// SPDX-License-Identifier: Apache-2.0
// Small graphs of hand-made .onnx files: what becomes external and what stays,
// at every cut; files that are damaged or made to harm.
#include "chat/onnx_graph.h"

#include "onnx_bytes.h"

static const tam_span FILE_NAME = {(const uint8_t *)"model.onnx", 10};

// A file: its bytes, with a hole of zeros that are nowhere.
typedef struct onnx_file {
  tam_buf bytes;
  uint64_t hole_at;
  uint64_t hole_len;
} onnx_file;

static uint64_t file_size(const onnx_file *file) {
  return file->bytes.len + file->hole_len;
}

static uint8_t file_byte(const onnx_file *file, uint64_t at) {
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
static int feed_file(tam_onnx_graph *graph, const onnx_file *file,
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

// Follows the recipe of |graph| on |file|, which has no hole.
static tam_buf small_graph(const tam_onnx_graph *graph, const onnx_file *file,
                           const tam_mem *mem) {
  tam_buf pieces = onnx_begin(mem);
  tam_buf bytes = onnx_begin(mem);
  tam_buf small = onnx_begin(mem);
  tam_onnx_graph_write(graph, &pieces, &bytes);
  tam_buf_append_byte(&pieces, 0);
  const char *text = (const char *)pieces.data + 1;
  size_t used = 0;
  while (*text != '\0') {
    unsigned long long numbers[3];
    for (int i = 0; i < 3; i++) {
      char *end;
      numbers[i] = strtoull(text, &end, 10);
      CHECK(*end == ',' || *end == ']');
      text = *end == ']' ? "" : end + 1;
    }
    CHECK(numbers[0] <= numbers[1] && numbers[1] <= file->bytes.len);
    tam_buf_append(&small, (tam_span){file->bytes.data + numbers[0],
                                      (size_t)(numbers[1] - numbers[0])});
    tam_buf_append(&small,
                   tam_span_head(tam_span_from(tam_buf_span(&bytes), used),
                                 (size_t)numbers[2]));
    used += (size_t)numbers[2];
  }
  CHECK_INT(used, bytes.len);
  CHECK_INT(small.len, tam_onnx_graph_get_size(graph));
  tam_buf_free(&pieces);
  tam_buf_free(&bytes);
  return small;
}

static tam_onnx_graph *graph_of(const onnx_file *file, const tam_mem *mem) {
  tam_onnx_graph *graph = NULL;
  CHECK_INT(tam_onnx_graph_new(&graph, file_size(file), FILE_NAME, mem), 0);
  return graph;
}

// Scans |model| and checks that |expected| comes of it. Frees both.
static void check_small(tam_buf model, tam_buf expected) {
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
static int scan_error(const onnx_file *file) {
  feeding how = {0};
  tam_onnx_graph *graph = graph_of(file, file->bytes.mem);
  int error = feed_file(graph, file, &how);
  tam_onnx_graph_del(graph);
  return error;
}

// The same of |model|, which is freed.
static int model_error(tam_buf model) {
  onnx_file file = {model, 0, 0};
  int error = scan_error(&file);
  tam_buf_free(&model);
  return error;
}

static size_t find_raw(const tam_buf *model, size_t len) {
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

// ---------------------------------------------------------------------------
// What becomes external

// A model with one tensor of |raw_len| bytes, external at |offset| when that is
// not 0; |behind| as in a file that was loaded and saved: a field behind the
// data says that it lies here.
static tam_buf one_tensor(const tam_mem *mem, size_t raw_len, size_t offset,
                          int behind) {
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

// A graph with a tensor, and |inner| in a node; |list|: in a list of graphs.
// The data lies at |offset| when that is not 0.
static tam_buf nest(tam_buf inner, int list, size_t offset) {
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

static tam_buf inner_graph(const tam_mem *mem, size_t offset) {
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
  CHECK_INT(tam_onnx_graph_get_size(scan),
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
  CHECK_INT(tam_onnx_graph_get_size(scan), (long long)file.bytes.len);
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
