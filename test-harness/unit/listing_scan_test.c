// SPDX-License-Identifier: Apache-2.0
// The listing scanner: what becomes of the members of a row, of rows that are
// odd, and that it does not matter how the page is cut or whether it is walked
// over.
#include "core/model_files.h"
#include "hub/listing_scan.h"
#include "scan_pieces.h"

// The rows of a page in a short form, one after the other.
typedef struct page_text {
  char text[4096];
  size_t rows;
  size_t stop_at; // the row whose report fails
} page_text;

static void put(page_text *out, const char *name, tam_span value) {
  size_t len = strlen(out->text);
  if (value.len > 0) {
    snprintf(out->text + len, sizeof(out->text) - len, "%s=%.*s ", name,
             (int)value.len, (const char *)value.ptr);
  }
}

static void put_number(page_text *out, const char *name, double value) {
  char text[32];
  snprintf(text, sizeof(text), "%.0f", value);
  put(out, name, value >= 0 ? tam_span_of(text) : TAM_SPAN_NONE);
}

static void put_flag(page_text *out, const char *name, int value) {
  put(out, name, value ? TAM_SPAN("1") : TAM_SPAN_NONE);
}

static void put_config(page_text *out, const tam_config_digest *config) {
  put_flag(out, "config", config->present);
  put(out, "type", config->model_type);
  for (size_t i = 0; i < config->architecture_count; i++) {
    put(out, "arch", config->architectures[i]);
  }
}

static int on_row(void *user_data, const tam_listing_row *row) {
  page_text *out = user_data;
  if (++out->rows == out->stop_at) {
    return TAM_ERR_TOO_LARGE;
  }
  put(out, "id", row->id);
  put(out, "task", row->pipeline_tag);
  put(out, "library", row->library_name);
  put(out, "modified", row->last_modified);
  put_number(out, "downloads", row->downloads);
  put_number(out, "likes", row->likes);
  put_number(out, "params", row->parameters);
  put_flag(out, "auto", row->gated == TAM_GATED_AUTO);
  put_flag(out, "manual", row->gated == TAM_GATED_MANUAL);
  put_flag(out, "disabled", row->is_disabled);
  put_flag(out, "files", row->has_siblings);
  put_flag(out, "tokenizer", (row->file_kinds & TAM_FILE_TOKENIZER) != 0);
  for (size_t i = 0; i < row->tag_count; i++) {
    put(out, "tag", row->tags[i]);
  }
  for (size_t i = 0; i < row->onnx_file_count; i++) {
    put(out, "onnx", row->onnx_files[i]);
  }
  put_config(out, &row->config);
  strcat(out->text, "| ");
  return 0;
}

static int feed(void *scan, tam_span piece) {
  return tam_listing_scan_feed(scan, piece);
}

// One scanner for all cuts: what it learns about keys must not show.
static void check_cut(tam_listing_scan *scan, page_text *out, tam_span text,
                      size_t first, size_t step, const char *expected) {
  memset(out, 0, sizeof(*out));
  tam_listing_scan_reset(scan);
  CHECK_INT(feed_pieces(feed, scan, text, first, step), 0);
  CHECK_INT(tam_listing_scan_end(scan), 0);
  CHECK(strcmp(out->text, expected) == 0);
  CHECK(tam_listing_scan_offset(scan) == (double)text.len);
}

// |json| gives the rows |expected|, however it is cut, walked over or not.
static void check_rows(const char *json, const char *expected) {
  tam_mem mem = tam_mem_default();
  page_text out;
  tam_listing_scan *scan;
  tam_span text = tam_span_of(json);
  tam_span wide = padded(text);
  CHECK_INT(tam_listing_scan_new(&scan, on_row, &out, &mem), 0);
  for (size_t first = 1; first <= text.len; first++) {
    check_cut(scan, &out, text, first, text.len, expected);
    check_cut(scan, &out, wide, first, wide.len, expected);
  }
  check_cut(scan, &out, text, 1, 1, expected);
  tam_listing_scan_del(scan);
  free((void *)(uintptr_t)wide.ptr);
}

static void test_a_full_row(void) {
  check_rows(
      "[{\"_id\":\"6a8e\",\"id\":\"o/m\",\"author\":\"o\",\"gated\":\"auto\","
      "\"lastModified\":\"2025-01-02T03:04:05.000Z\",\"likes\":7,"
      "\"trendingScore\":1.5e0,\"private\":false,\"sha\":\"00ff\","
      "\"config\":{\"model_type\":\"llama\",\"architectures\":[\"L\"],"
      "\"tokenizer_config\":{\"chat_template\":\"{% \\\"x\\\" %}\\n\"}},"
      "\"downloads\":123456789,\"tags\":[\"onnx\",\"license:mit\"],"
      "\"pipeline_tag\":\"text-generation\",\"library_name\":\"transformers\","
      "\"safetensors\":{\"parameters\":{\"F16\":5},\"total\":1234567890123},"
      "\"siblings\":[{\"rfilename\":\"README.md\"},{\"rfilename\":"
      "\"onnx/model_q4.onnx\"},{\"rfilename\":\"onnx/model.onnx_data\"},"
      "{\"rfilename\":\"tokenizer.json\"}],\"modelId\":\"o/m\"}]",
      "id=o/m task=text-generation library=transformers "
      "modified=2025-01-02T03:04:05.000Z downloads=123456789 likes=7 "
      "params=1234567890123 auto=1 files=1 tokenizer=1 tag=onnx "
      "tag=license:mit onnx=onnx/model_q4.onnx onnx=onnx/model.onnx_data "
      "config=1 type=llama arch=L | ");
}

static void test_members_are_optional(void) {
  check_rows("[{}]", "| ");
  check_rows("[{\"id\":\"a\"}, {\"id\":\"b\",\"likes\":0}]",
             "id=a | id=b likes=0 | ");
}

static void test_an_empty_page(void) {
  check_rows("[]", "");
  check_rows(" [ ] ", "");
}

static void test_rows_that_are_no_objects(void) {
  check_rows("[1,\"x\",null,[{\"id\":\"no\"}],{\"id\":\"a\"},true]",
             "| | | | id=a | | ");
  check_rows("[[]]", "| ");
  check_rows("[{\"id\":\"a\",\"likes\":3},-1.5e0 , {}]", "id=a likes=3 | | | ");
}

static void test_id_after_other_members_and_model_id(void) {
  check_rows("[{\"siblings\":[{\"rfilename\":\"a.onnx\"}],\"id\":\"late\"}]",
             "id=late files=1 onnx=a.onnx | ");
  check_rows("[{\"modelId\":\"old\"}]", "id=old | ");
  check_rows("[{\"modelId\":\"old\",\"id\":\"new\"}]", "id=new | ");
  check_rows("[{\"id\":null,\"modelId\":\"old\"}]", "id=old | ");
}

static void test_wrong_kinds_are_absent(void) {
  check_rows(
      "[{\"id\":5,\"pipeline_tag\":[\"x\"],\"library_name\":{\"a\":1},"
      "\"lastModified\":true,\"downloads\":\"9\",\"likes\":[1],"
      "\"gated\":true,\"private\":\"true\",\"disabled\":1,\"tags\":\"x\","
      "\"siblings\":{\"rfilename\":\"a.onnx\"},\"config\":[1],"
      "\"safetensors\":5,\"gguf\":{\"total\":\"1\"}}]",
      "| ");
  check_rows("[{\"tags\":[\"a\",1,null,{\"x\":[]},[\"y\"],\"\",\"b\"]}]",
             "tag=a tag=b | ");
  check_rows("[{\"siblings\":[\"a.onnx\",{},{\"rfilename\":null},[],"
             "{\"rfilename\":\"\"},{\"size\":1,\"rfilename\":\"b.onnx\","
             "\"lfs\":{\"size\":2}}]}]",
             "files=1 onnx=b.onnx | ");
}

static void test_nulls_are_absent(void) {
  check_rows("[{\"id\":\"a\",\"pipeline_tag\":null,\"downloads\":null,"
             "\"tags\":null,\"siblings\":null,\"config\":null,\"gated\":null,"
             "\"private\":null,\"gguf\":null}]",
             "id=a | ");
}

static void test_the_last_of_equal_keys_wins(void) {
  check_rows("[{\"id\":\"a\",\"id\":\"b\",\"likes\":1,\"likes\":2}]",
             "id=b likes=2 | ");
  check_rows("[{\"tags\":[\"a\",\"b\"],\"tags\":[\"c\"]}]", "tag=c | ");
  check_rows("[{\"siblings\":[{\"rfilename\":\"tokenizer.json\"},"
             "{\"rfilename\":\"a.onnx\"}],\"siblings\":null}]",
             "| ");
  check_rows("[{\"siblings\":[{\"rfilename\":\"a.onnx\",\"rfilename\":"
             "\"b.onnx\"},{\"rfilename\":\"c.onnx\",\"rfilename\":1}]}]",
             "files=1 onnx=b.onnx | ");
  check_rows("[{\"config\":{\"model_type\":\"x\"},\"config\":{}}]",
             "config=1 | ");
  check_rows("[{\"safetensors\":{\"total\":1,\"total\":2}}]", "params=2 | ");
  check_rows("[{\"disabled\":true,\"disabled\":false,\"gated\":\"manual\","
             "\"gated\":false}]",
             "| ");
}

static void test_flags(void) {
  check_rows("[{\"private\":true,\"disabled\":true,\"gated\":\"manual\"}]",
             "manual=1 disabled=1 | ");
}

static void test_counts(void) {
  check_rows("[{\"downloads\":9007199254740991,\"likes\":9007199254740992}]",
             "downloads=9007199254740991 | ");
  check_rows("[{\"downloads\":1e3,\"likes\":12.0}]",
             "downloads=1000 likes=12 | ");
  check_rows("[{\"downloads\":-0,\"likes\":-0.0}]", "downloads=0 likes=0 | ");
  check_rows("[{\"downloads\":-1,\"likes\":1.5}]", "| ");
  check_rows("[{\"downloads\":12345678,\"likes\":123456789012345}]",
             "downloads=12345678 likes=123456789012345 | ");
  check_rows("[{\"downloads\":1234567890123456,\"likes\":1e400}]",
             "downloads=1234567890123456 | ");
}

static void test_counts_of_every_length(void) {
  char json[128];
  char expected[128];
  for (int digits = 1; digits <= 17; digits++) {
    const char *number = &"12345678912345678"[17 - digits];
    snprintf(json, sizeof(json), "[{\"likes\":%s,\"downloads\":%s}]", number,
             number);
    snprintf(expected, sizeof(expected), "downloads=%s likes=%s | ", number,
             number);
    check_rows(json, digits <= 16 ? expected : "| ");
  }
}

static void test_parameters(void) {
  check_rows("[{\"gguf\":{\"total\":7}}]", "params=7 | ");
  check_rows("[{\"gguf\":{\"total\":7},\"safetensors\":{\"total\":8}}]",
             "params=8 | ");
  check_rows("[{\"safetensors\":{\"parameters\":{\"total\":9}}}]", "| ");
}

static void test_escapes_are_decoded(void) {
  check_rows("[{\"\\u0069d\":\"o\\/m\\u00e9\",\"tags\":[\"\\u4e2d\\n\"],"
             "\"siblings\":[{\"rfilename\":\"\\u0061.onnx\"}],"
             "\"pipeline_tag\":\"\\ud83d\"}]",
             "id=o/m\xc3\xa9 task=\xef\xbf\xbd files=1 tag=\xe4\xb8\xad\n "
             "onnx=a.onnx | ");
}

static void test_non_ascii_text(void) {
  check_rows("[{\"id\":\"o/\xe4\xb8\xad\xe6\x96\x87\",\"tags\":[\"\xc3\xa9\","
             "\"\xf0\x9f\xa4\x97\"]}]",
             "id=o/\xe4\xb8\xad\xe6\x96\x87 tag=\xc3\xa9 "
             "tag=\xf0\x9f\xa4\x97 | ");
}

static void test_pretty_printed(void) {
  check_rows("[\n  {\n    \"id\" : \"a\",\n    \"tags\": [\n      \"x\",\n"
             "      \"y\"\n    ],\n    \"likes\": 3 ,\n    \"siblings\": [\n"
             "      {\n        \"rfilename\": \"vocab.json\"\n      },\n"
             "      { }\n    ]\n  },\r\n\t{ }\n]\n",
             "id=a likes=3 files=1 tokenizer=1 tag=x tag=y | | ");
}

// What is remembered of one form must not be taken for another.
static void test_forms_that_change(void) {
  check_rows(
      "[{\"id\":\"a\",\"tags\":[\"s\",\"t\" ,\"u\",\n\"v\",\n\"w\",\"x\"],"
      "\"likes\":1 , \"siblings\":[{\"rfilename\":\"1.onnx\"},"
      "{\"rfilename\":\"2.onnx\"},{\"rfilename\":\"3.onnx\",\"size\":1},"
      "{\"rfilename\":\"4.onnx\"} , { \"rfilename\" : \"5.onnx\" } , "
      "{ \"rfilename\" : \"6.onnx\" } , { \"rfilename\" : \"7.onnx\"}] , "
      "\"downloads\":2},{\"siblings\":[{\"rfilename\":\"1.onnx\"},"
      "{\"rfilename\":\"x\",\"rfilename\":\"2.onnx\"},{\"rfilename\":"
      "\"3.onnx\"},{\"rfilename\":4},{},{\"other\":\"5.onnx\"}],"
      "\"likes\":3 ,\"downloads\":4}]",
      "id=a downloads=2 likes=1 files=1 tag=s tag=t tag=u tag=v tag=w tag=x "
      "onnx=1.onnx onnx=2.onnx onnx=3.onnx onnx=4.onnx onnx=5.onnx "
      "onnx=6.onnx onnx=7.onnx | downloads=4 likes=3 files=1 onnx=1.onnx "
      "onnx=2.onnx onnx=3.onnx | ");
}

static void test_many_rows_of_the_same_shape(void) {
  check_rows("[{\"id\":\"a\",\"likes\":1},{\"id\":\"b\",\"likes\":2},"
             "{\"likes\":3,\"id\":\"c\"},{\"id\":\"d\"},"
             "{\"a_key_longer_than_a_slot\":[],\"id\":\"e\",\"likes\":5}]",
             "id=a likes=1 | id=b likes=2 | id=c likes=3 | id=d | "
             "id=e likes=5 | ");
}

// A key that is too long to be remembered, because of its blanks, must not lend
// its meaning to the empty key.
static void test_empty_keys_mean_nothing(void) {
  check_rows("[{\"\":\"x\",\"id\":\"a\"},{\"\":[\"x\"],\"id\":\"b\"}]",
             "id=a | id=b | ");
  check_rows("[{\"likes\":1,\"tags\":                              [\"a\"],"
             "\"\":[\"x\"]},{\"tags\":                              [\"b\"],"
             "\"\":[\"x\"],\"likes\":2}]",
             "likes=1 tag=a | likes=2 tag=b | ");
}

// Fills |text| with a row whose file name (|prefix| and padding) has |len|
// bytes.
static void row_with_name(char *text, size_t size, size_t len) {
  char name[TAM_ROW_STRING_MAX + 2];
  memset(name, 'n', sizeof(name));
  memcpy(name + len - 5, ".onnx", 6);
  snprintf(text, size, "[{\"id\":\"a\",\"siblings\":[{\"rfilename\":\"%s\"}]}]",
           name);
}

static size_t onnx_count;

static int on_counted_row(void *user_data, const tam_listing_row *row) {
  (void)user_data;
  onnx_count = row->onnx_file_count;
  return 0;
}

static void check_onnx_count(tam_span text, size_t expected) {
  tam_mem mem = tam_mem_default();
  tam_listing_scan *scan;
  size_t steps[] = {1, 1000, text.len};
  CHECK_INT(tam_listing_scan_new(&scan, on_counted_row, NULL, &mem), 0);
  for (size_t i = 0; i < 3; i++) {
    tam_listing_scan_reset(scan);
    CHECK_INT(feed_pieces(feed, scan, text, steps[i], steps[i]), 0);
    CHECK_INT(tam_listing_scan_end(scan), 0);
    CHECK_INT(onnx_count, expected);
  }
  tam_listing_scan_del(scan);
}

static void test_names_longer_than_the_cap_are_left_out(void) {
  char text[TAM_ROW_STRING_MAX + 512];
  for (size_t over = 0; over < 2; over++) {
    memset(text, ' ', sizeof(text));
    row_with_name(text, sizeof(text), TAM_ROW_STRING_MAX + over);
    text[strlen(text)] = ' ';
    tam_span page = {(const uint8_t *)text, sizeof(text)};
    check_onnx_count(page, 1 - over);
  }
}

// Writes a page with one row of |count| ONNX files, whose names have |len|
// bytes. Returns its length.
static size_t row_with_files(char *text, size_t size, size_t count,
                             size_t len) {
  size_t at = (size_t)snprintf(text, size, "[{\"siblings\":[");
  for (size_t i = 0; i < count; i++) {
    at += (size_t)snprintf(text + at, size - at,
                           "%s{\"rfilename\":\"%0*zu.onnx\"}", i > 0 ? "," : "",
                           (int)len - 5, i);
  }
  at += (size_t)snprintf(text + at, size - at, "]}]%*s", PADDING, "");
  return at;
}

static void test_files_beyond_the_caps_are_left_out(void) {
  static char text[1 << 18];
  size_t len =
      row_with_files(text, sizeof(text), TAM_ROW_ONNX_FILES_MAX + 9, 20);
  tam_span many = {(const uint8_t *)text, len};
  check_onnx_count(many, TAM_ROW_ONNX_FILES_MAX);
  // 32768 bytes of text: 32 names of 1000 bytes fit, the 33rd does not.
  len = row_with_files(text, sizeof(text), 40, 1000);
  tam_span large = {(const uint8_t *)text, len};
  check_onnx_count(large, 32);
}

static unsigned kinds;

static int on_row_with_kinds(void *user_data, const tam_listing_row *row) {
  (void)user_data;
  kinds = row->file_kinds;
  return 0;
}

// What is remembered about the end of a name must hold for every name that ends
// like this: names that differ in front of it come one after the other.
static void test_kinds_of_remembered_names(void) {
  static const char *const names[] = {
      "vocab.json",
      "a/vocab.json",
      "avocab.json",
      "my_vocab.json",
      "vocab.txt",
      "a/b/vocab.txt",
      "a/bvocab.txt",
      "vocab.safetensors",
      "xvocab.safetensors",
      "vocab.an_extension_of_some_length",
      "ocab.an_extension_of_some_length",
      "vocab.12",
      "xvocab.12",
      "vocab.x12",
      "xvocab.x12",
      "b.12",
      "a.b.12",
      "events.out.12.host.0",
      "VOCAB.JSON",
      "tokenizer.json",
      "a/tokenizer.json",
      "xtokenizer.json",
      "Tokenizer.JSON",
      "tokenizer_config.json",
      "config.json",
      "a/config.json",
      "1config.json",
      "generation_config.json",
      "model.onnx",
      "onnx/model.onnx",
      "a.onnx",
      ".onnx",
      "x.ONNX",
      "modelonnx",
      "model.onnx_data",
      "model.onnx.data",
      "xmodel_onnx_data",
      "model.onnx_data_1",
      "model.onnx_data_12",
      "model.onnx_data_123456789012",
      "model.nnx_data_123456789012",
      "model.onnx_data1",
      "model.onnx_data.1",
      "merges.txt",
      "a/merges.txt",
      "amerges.txt",
      "spiece.model",
      ".model",
      "a.spm",
      "aspm",
      "x",
      "xx",
      "_1",
      "1",
      "README.md",
      "a.b.md",
      "model-00001-of-00002.safetensors",
  };
  tam_mem mem = tam_mem_default();
  tam_listing_scan *scan;
  char json[256];
  CHECK_INT(tam_listing_scan_new(&scan, on_row_with_kinds, NULL, &mem), 0);
  for (size_t i = 0; i < 3 * sizeof(names) / sizeof(names[0]); i++) {
    const char *name = names[i % (sizeof(names) / sizeof(names[0]))];
    snprintf(json, sizeof(json),
             "[{\"siblings\":[{\"rfilename\":\"README.md\"},"
             "{\"rfilename\":\"%s\"},{\"rfilename\":\"%s\"}]}]",
             name, name);
    tam_span page = padded(tam_span_of(json));
    tam_listing_scan_reset(scan);
    CHECK_INT(tam_listing_scan_feed(scan, page), 0);
    CHECK_INT(kinds, tam_file_kind(tam_span_of(name)));
    free((void *)(uintptr_t)page.ptr);
  }
  tam_listing_scan_del(scan);
}

static void check_error(tam_span text, int error, double offset) {
  tam_mem mem = tam_mem_default();
  page_text out = {"", 0, 0};
  tam_listing_scan *scan;
  CHECK_INT(tam_listing_scan_new(&scan, on_row, &out, &mem), 0);
  for (size_t first = 1; first <= text.len; first++) {
    tam_listing_scan_reset(scan);
    int result = feed_pieces(feed, scan, text, first, 1);
    CHECK_INT(tam_listing_scan_end(scan), error);
    CHECK(result == 0 || result == error);
    CHECK(tam_listing_scan_offset(scan) == offset);
  }
  tam_listing_scan_del(scan);
}

static void test_errors(void) {
  check_error(TAM_SPAN("[{\"id\":\"a\"},{\"id\":}]"), TAM_ERR_JSON_SYNTAX, 18);
  check_error(TAM_SPAN("[{\"id\":\"a\xc0\"}]"), TAM_ERR_JSON_UTF8, 9);
  check_error(TAM_SPAN("[{\"id\":\"a\"}"), TAM_ERR_JSON_TRUNCATED, 11);
  check_error(TAM_SPAN("[] []"), TAM_ERR_JSON_SYNTAX, 3);
  check_error(TAM_SPAN("12"), TAM_ERR_UNEXPECTED_SHAPE, 2);
}

static void test_other_than_an_array_is_an_error_at_once(void) {
  check_error(TAM_SPAN("{\"error\":\"x\"}"), TAM_ERR_UNEXPECTED_SHAPE, 1);
  check_error(TAM_SPAN(" null "), TAM_ERR_UNEXPECTED_SHAPE, 5);
}

static void check_error_behind_a_walk(const char *json, double offset) {
  tam_mem mem = tam_mem_default();
  page_text out = {"", 0, 0};
  tam_listing_scan *scan;
  tam_span page = padded(tam_span_of(json));
  CHECK_INT(tam_listing_scan_new(&scan, on_row, &out, &mem), 0);
  CHECK_INT(tam_listing_scan_feed(scan, page), TAM_ERR_JSON_SYNTAX);
  CHECK(tam_listing_scan_offset(scan) == offset);
  CHECK_INT(tam_listing_scan_feed(scan, page), TAM_ERR_JSON_SYNTAX);
  tam_listing_scan_reset(scan);
  CHECK_INT(tam_listing_scan_feed(scan, TAM_SPAN("[]")), 0);
  CHECK_INT(tam_listing_scan_end(scan), 0);
  tam_listing_scan_del(scan);
  free((void *)(uintptr_t)page.ptr);
}

static void test_errors_behind_a_walk(void) {
  check_error_behind_a_walk("[{\"id\":\"a\",\"likes\":[1,2,]}]", 24);
  check_error_behind_a_walk("[{\"id\":\"a\"}],{\"id\":\"b\",\"c\":\"d\"}", 12);
  check_error_behind_a_walk("[{\"tags\":[\"a\"}],\"b\"]}]", 13);
}

// The second row of |text| is damaged at |offset|: only the first is reported.
static void check_damaged_row(tam_span text, double offset) {
  tam_mem mem = tam_mem_default();
  tam_listing_scan *scan;
  for (size_t first = 1; first <= text.len; first++) {
    page_text out = {"", 0, 0};
    CHECK_INT(tam_listing_scan_new(&scan, on_row, &out, &mem), 0);
    feed_pieces(feed, scan, text, first, text.len);
    CHECK_INT(tam_listing_scan_end(scan), TAM_ERR_JSON_SYNTAX);
    CHECK(tam_listing_scan_offset(scan) == offset);
    CHECK_INT(out.rows, 1);
    tam_listing_scan_del(scan);
  }
}

// Before anything is remembered, a zero byte must not look like it.
static void test_zero_bytes_between_items(void) {
  check_damaged_row(TAM_SPAN("[{},{\"gguf\":{}\0\"id\":\"a\"}]"), 14);
  check_damaged_row(TAM_SPAN("[{},{\"id\":\"a\"\0\"likes\":1}]"), 13);
  check_damaged_row(TAM_SPAN("[{},{\0\"id\":\"a\"}]"), 5);
  check_damaged_row(TAM_SPAN("[{},{\"tags\":[\"a\"\0\"b\"]}]"), 16);
  check_damaged_row(TAM_SPAN("[{},{\"siblings\":[{\"rfilename\":\"a\"\0}]}]"),
                    33);
}

static void test_the_report_may_stop_the_scan(void) {
  const char *json = "[{\"id\":\"a\"},{\"id\":\"b\"},{\"id\":\"c\"}]";
  tam_mem mem = tam_mem_default();
  page_text out = {"", 0, 2};
  tam_listing_scan *scan;
  tam_span texts[2] = {tam_span_of(json), padded(tam_span_of(json))};
  CHECK_INT(tam_listing_scan_new(&scan, on_row, &out, &mem), 0);
  for (size_t i = 0; i < 2; i++) {
    out.rows = 0;
    tam_listing_scan_reset(scan);
    CHECK_INT(tam_listing_scan_feed(scan, texts[i]), TAM_ERR_TOO_LARGE);
    CHECK_INT(tam_listing_scan_feed(scan, TAM_SPAN(" ")), TAM_ERR_TOO_LARGE);
    CHECK_INT(tam_listing_scan_end(scan), TAM_ERR_TOO_LARGE);
    CHECK_INT(out.rows, 2);
  }
  tam_listing_scan_del(scan);
  free((void *)(uintptr_t)texts[1].ptr);
}

static void test_memory_is_fixed(void) {
  check_heap heap = {.fail_at = 1};
  tam_mem mem = check_heap_mem(&heap);
  tam_listing_scan *scan = NULL;
  static char text[1 << 18];
  CHECK_INT(tam_listing_scan_new(&scan, on_counted_row, NULL, &mem),
            TAM_ERR_OUT_OF_MEMORY);
  CHECK_INT(heap.live, 0);
  CHECK_INT(tam_listing_scan_new(&scan, on_counted_row, NULL, &mem), 0);
  CHECK(heap.live_bytes < 80 * 1024);
  size_t len = row_with_files(text, sizeof(text), 1000, 60);
  tam_span page = {(const uint8_t *)text, len};
  CHECK_INT(feed_pieces(feed, scan, page, 999, 999), 0);
  CHECK_INT(heap.allocations, 2); // the failed one and the scanner
  tam_listing_scan_del(scan);
  CHECK_INT(heap.live, 0);
}

int main(void) {
  RUN(test_a_full_row);
  RUN(test_members_are_optional);
  RUN(test_an_empty_page);
  RUN(test_rows_that_are_no_objects);
  RUN(test_id_after_other_members_and_model_id);
  RUN(test_wrong_kinds_are_absent);
  RUN(test_nulls_are_absent);
  RUN(test_the_last_of_equal_keys_wins);
  RUN(test_flags);
  RUN(test_counts);
  RUN(test_counts_of_every_length);
  RUN(test_parameters);
  RUN(test_escapes_are_decoded);
  RUN(test_non_ascii_text);
  RUN(test_pretty_printed);
  RUN(test_forms_that_change);
  RUN(test_many_rows_of_the_same_shape);
  RUN(test_empty_keys_mean_nothing);
  RUN(test_names_longer_than_the_cap_are_left_out);
  RUN(test_files_beyond_the_caps_are_left_out);
  RUN(test_kinds_of_remembered_names);
  RUN(test_errors);
  RUN(test_other_than_an_array_is_an_error_at_once);
  RUN(test_errors_behind_a_walk);
  RUN(test_zero_bytes_between_items);
  RUN(test_the_report_may_stop_the_scan);
  RUN(test_memory_is_fixed);
  return check_finish();
}
