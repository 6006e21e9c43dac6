// SPDX-License-Identifier: Apache-2.0
// The packed table of models, read back by an independent reader; licenses.
#include "hub/model_table.h"
#include "model_rows.h"

#include "check.h"

#define TABLE_MAX (1U << 20)

static void pack_to_json(const tam_candidates *set, tam_buf *json,
                         const tam_mem *mem) {
  tam_buf table;
  tam_buf_init(&table, mem, TABLE_MAX);
  CHECK_INT(tam_model_table_pack(set, &table, mem), 0);
  CHECK(model_rows_to_json(tam_buf_span(&table), json));
  tam_buf_free(&table);
}

static tam_listing_row full_row(void) {
  static const tam_span tags[] = {
      {(const uint8_t *)"onnx", 4},
      {(const uint8_t *)"license:apache-2.0", 18},
      {(const uint8_t *)"license:mit", 11},
  };
  static const tam_span files[] = {
      {(const uint8_t *)"onnx/model_q4f16.onnx_data", 26},
      {(const uint8_t *)"onnx/model_q4f16.onnx", 21},
      {(const uint8_t *)"onnx/model.onnx", 15},
      {(const uint8_t *)"onnx/model_fp16.onnx_data", 25},
  };
  tam_listing_row row;
  memset(&row, 0, sizeof(row));
  row.id = TAM_SPAN("org/mödel");
  row.pipeline_tag = TAM_SPAN("text-generation");
  row.last_modified = TAM_SPAN("2024-02-29T23:59:59.500Z");
  row.downloads = 4294967297;
  row.likes = -1;
  row.parameters = -1;
  row.gated = TAM_GATED_AUTO;
  row.tags = tags;
  row.tag_count = 3;
  row.onnx_files = files;
  row.onnx_file_count = 4;
  row.config.present = 1;
  row.config.model_type = TAM_SPAN("onnx");
  row.config.architectures[0] = TAM_SPAN("A");
  row.config.architectures[1] = TAM_SPAN("B");
  row.config.architecture_count = 2;
  return row;
}

// Files without a graph make no variant; unknown numbers are left out.
static void test_a_full_row(void) {
  check_heap heap = {0};
  tam_mem mem = check_heap_mem(&heap);
  tam_candidates set;
  tam_buf json;
  tam_buf_init(&json, &mem, TABLE_MAX);
  CHECK_INT(tam_candidates_init(&set, 1, &mem), 0);
  tam_listing_row row = full_row();
  CHECK_INT(tam_candidates_offer(&set, &row, 0), 0);
  tam_candidate *item = set.items[0];
  item->fetch_status = TAM_FETCH_ERROR;
  item->status_code = 500;
  tam_buf_append(&item->fetch_message, TAM_SPAN("no luck"));
  item->verdict.classification = TAM_CLASS_UNKNOWN;
  item->verdict.confidence = TAM_CONFIDENCE_MEDIUM;
  item->verdict.why[0] = (tam_why){"rule", TAM_SPAN("value")};
  item->verdict.why[1] = (tam_why){"alone", TAM_SPAN_NONE};
  item->verdict.why_count = 2;
  pack_to_json(&set, &json, &mem);
  CHECK_SPAN(
      tam_buf_span(&json),
      "[{\"id\":\"org/mödel\",\"name\":\"mödel\","
      "\"pipeline_tag\":\"text-generation\","
      "\"tags\":[\"onnx\",\"license:apache-2.0\",\"license:mit\"],"
      "\"model_type\":\"onnx\",\"architectures\":[\"A\",\"B\"],"
      "\"classification\":\"unknown\",\"confidence\":\"medium\","
      "\"fetchStatus\":\"error\","
      "\"fetchError\":{\"statusCode\":500,\"message\":\"no luck\"},"
      "\"gated\":\"auto\",\"license\":\"apache-2.0\","
      "\"lastModified\":1709251199500,\"downloads\":4294967297,\"likes\":0,"
      "\"variants\":[{\"dtype\":\"fp32\",\"files\":[\"onnx/model.onnx\"]},"
      "{\"dtype\":\"q4f16\",\"files\":[\"onnx/model_q4f16.onnx_data\","
      "\"onnx/model_q4f16.onnx\"]}],\"why\":[\"rule=value\",\"alone\"]}]");
  tam_buf_free(&json);
  tam_candidates_free(&set);
  CHECK_INT(heap.live, 0);
}

static void test_no_rows(void) {
  tam_mem mem = tam_mem_default();
  tam_candidates set;
  tam_buf json;
  tam_buf_init(&json, &mem, TABLE_MAX);
  CHECK_INT(tam_candidates_init(&set, 1, &mem), 0);
  pack_to_json(&set, &json, &mem);
  CHECK_SPAN(tam_buf_span(&json), "[]");
  tam_buf_free(&json);
  tam_candidates_free(&set);
}

// What thousands of rows have in common is packed once, or a few times.
static void test_many_strings(void) {
  tam_mem mem = tam_mem_default();
  tam_candidates set;
  tam_buf table;
  char id[32];
  char type[32];
  tam_buf_init(&table, &mem, TABLE_MAX);
  CHECK_INT(tam_candidates_init(&set, 3000, &mem), 0);
  for (unsigned i = 0; i < 3000; i++) {
    tam_listing_row row;
    memset(&row, 0, sizeof(row));
    snprintf(id, sizeof(id), "%u", i);
    snprintf(type, sizeof(type), "type-%u", i % 15);
    row.id = tam_span_of(id);
    row.config.model_type = tam_span_of(type);
    CHECK_INT(tam_candidates_offer(&set, &row, i), 0);
    set.items[set.count - 1]->verdict.why[0].rule = "same";
    set.items[set.count - 1]->verdict.why_count = 1;
  }
  CHECK_INT(tam_model_table_pack(&set, &table, &mem), 0);
  uint32_t strings = 0;
  memcpy(&strings, table.data + 2 * sizeof(strings), sizeof(strings));
  CHECK(strings >= 3000 + 15 + 1); // ids, types, the reason
  CHECK(strings < 3000 + 1000);
  tam_buf_free(&table);
  tam_candidates_free(&set);
}

static void test_memory_may_be_short(void) {
  check_heap heap = {0};
  tam_mem mem = check_heap_mem(&heap);
  tam_candidates set;
  tam_buf table;
  CHECK_INT(tam_candidates_init(&set, 1, &mem), 0);
  tam_listing_row row = full_row();
  CHECK_INT(tam_candidates_offer(&set, &row, 0), 0);
  size_t before = heap.live;
  int error = TAM_ERR_OUT_OF_MEMORY;
  for (size_t i = 1; error != 0; i++) {
    tam_buf_init(&table, &mem, TABLE_MAX);
    heap.fail_at = heap.allocations + i;
    error = tam_model_table_pack(&set, &table, &mem);
    CHECK(error == 0 || error == TAM_ERR_OUT_OF_MEMORY);
    tam_buf_free(&table);
    CHECK_INT(heap.live, before);
  }
  tam_buf_init(&table, &mem, 10);
  heap.fail_at = 0;
  CHECK_INT(tam_model_table_pack(&set, &table, &mem), TAM_ERR_TOO_LARGE);
  tam_candidates_free(&set);
  CHECK_INT(heap.live, 0);
}

static void test_licenses(void) {
  tam_listing_row row = full_row();
  CHECK_SPAN(tam_row_license(&row), "apache-2.0");
  row.tag_count = 1;
  CHECK_SPAN(tam_row_license(&row), "");
}

int main(void) {
  RUN(test_a_full_row);
  RUN(test_no_rows);
  RUN(test_many_strings);
  RUN(test_memory_may_be_short);
  RUN(test_licenses);
  return check_finish();
}
