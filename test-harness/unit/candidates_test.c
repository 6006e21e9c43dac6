// SPDX-License-Identifier: Apache-2.0
// The best of many rows: which stay, in which order, and that a row is copied
// with everything it points to.
#include "hub/candidates.h"

#include "check.h"

static tam_listing_row row_of(const char *id, const char *pipeline_tag,
                              double downloads, double likes) {
  tam_listing_row row;
  memset(&row, 0, sizeof(row));
  row.id = tam_span_of(id);
  row.pipeline_tag = tam_span_of(pipeline_tag);
  row.downloads = downloads;
  row.likes = likes;
  return row;
}

static void offer(tam_candidates *set, tam_listing_row row, uint32_t order) {
  CHECK_INT(tam_candidates_offer(set, &row, order), 0);
}

static void test_rank(void) {
  check_heap heap = {0};
  tam_mem mem = check_heap_mem(&heap);
  tam_candidates set;
  CHECK_INT(tam_candidates_init(&set, 10, &mem), 0);
  offer(&set, row_of("other", "any-to-any", 1e6, 9), 0);
  offer(&set, row_of("later", "text-generation", 5, 1), 1);
  offer(&set, row_of("none", "", 1e6, 9), 2);
  offer(&set, row_of("unknown-count", "text-generation", -1, -1), 3);
  offer(&set, row_of("liked", "text-generation", 5, 2), 4);
  offer(&set, row_of("loaded", "text-generation", 6, 0), 5);
  offer(&set, row_of("earlier", "text-generation", 5, 1), 6);
  tam_candidates_sort(&set);
  static const char *const expected[] = {
      "loaded", "liked", "later", "earlier", "unknown-count", "none", "other"};
  CHECK_INT(set.count, 7);
  for (size_t i = 0; i < set.count; i++) {
    CHECK(tam_span_eq(set.items[i]->row.id, tam_span_of(expected[i])));
  }
  CHECK_INT(set.turned_away, 0);
  tam_candidates_free(&set);
  CHECK_INT(heap.live, 0);
}

// The order of downloads 0..999 in steps that visit every number once.
static uint32_t shuffled(uint32_t i) {
  return i * 617 % 1000;
}

static void test_the_best_stay(void) {
  check_heap heap = {0};
  tam_mem mem = check_heap_mem(&heap);
  tam_candidates set;
  CHECK_INT(tam_candidates_init(&set, 10, &mem), 0);
  for (uint32_t i = 0; i < 1000; i++) {
    offer(&set, row_of("a/b", "", shuffled(i), 0), i);
  }
  size_t blocks = heap.live;
  CHECK_INT(set.count, 10);
  CHECK_INT(set.turned_away, 990);
  tam_candidates_sort(&set);
  for (size_t i = 0; i < set.count; i++) {
    CHECK_INT(set.items[i]->row.downloads, 999 - i);
  }
  CHECK_INT(blocks, 11); // the set itself and ten rows
  tam_candidates_free(&set);
  CHECK_INT(heap.live, 0);
}

static void test_a_worse_row_costs_nothing(void) {
  check_heap heap = {0};
  tam_mem mem = check_heap_mem(&heap);
  tam_candidates set;
  CHECK_INT(tam_candidates_init(&set, 1, &mem), 0);
  offer(&set, row_of("a/best", "", 10, 0), 0);
  size_t allocations = heap.allocations;
  offer(&set, row_of("a/worse", "", 9, 0), 1);
  offer(&set, row_of("a/same", "", 10, 0), 2);
  CHECK_INT(heap.allocations, allocations);
  CHECK_INT(set.turned_away, 2);
  CHECK_SPAN(set.items[0]->row.id, "a/best");
  tam_candidates_free(&set);
}

// Offers a row whose every text lies in memory that is gone afterwards.
static void offer_short_lived_row(tam_candidates *set) {
  char text[] = "ownermodeltagfilellamaLlamaForCausalLM2024libtextgen";
  const uint8_t *at = (const uint8_t *)text;
  tam_span tags[] = {{at + 10, 3}, {at, 5}};
  tam_span files[] = {{at + 13, 4}};
  tam_listing_row row = row_of("", "", 0, 0);
  row.id = (tam_span){at, 10};
  row.pipeline_tag = (tam_span){at + 44, 4};
  row.library_name = (tam_span){at + 41, 3};
  row.last_modified = (tam_span){at + 38, 4};
  row.tags = tags;
  row.tag_count = 2;
  row.onnx_files = files;
  row.onnx_file_count = 1;
  row.config.present = 1;
  row.config.model_type = (tam_span){at + 17, 5};
  row.config.architectures[0] = (tam_span){at + 22, 16};
  row.config.architecture_count = 1;
  row.config.text_model_type = (tam_span){at + 5, 5};
  CHECK_INT(tam_candidates_offer(set, &row, 7), 0);
  memset(text, '#', sizeof(text));
  memset(tags, 0, sizeof(tags));
  memset(files, 0, sizeof(files));
}

static void test_a_row_is_copied_deeply(void) {
  check_heap heap = {0};
  tam_mem mem = check_heap_mem(&heap);
  tam_candidates set;
  CHECK_INT(tam_candidates_init(&set, 3, &mem), 0);
  offer_short_lived_row(&set);
  const tam_listing_row *row = &set.items[0]->row;
  CHECK_SPAN(row->id, "ownermodel");
  CHECK_SPAN(row->tags[0], "tag");
  CHECK_SPAN(row->tags[1], "owner");
  CHECK_SPAN(row->onnx_files[0], "file");
  CHECK_SPAN(row->library_name, "4li");
  CHECK_SPAN(row->config.model_type, "llama");
  CHECK_SPAN(row->config.architectures[0], "LlamaForCausalLM");
  CHECK_SPAN(row->config.text_model_type, "model");
  CHECK_SPAN(row->config.text_architecture, "");
  CHECK_INT(set.items[0]->rank.order, 7);
  CHECK(set.items[0]->fetch_ms == -1);
  tam_candidates_free(&set);
  CHECK_INT(heap.live, 0);
}

static void test_a_fetched_configuration_replaces_the_row_s(void) {
  check_heap heap = {0};
  tam_mem mem = check_heap_mem(&heap);
  tam_candidates set;
  CHECK_INT(tam_candidates_init(&set, 1, &mem), 0);
  offer_short_lived_row(&set);
  tam_config_digest config;
  memset(&config, 0, sizeof(config));
  config.present = 1;
  config.model_type = TAM_SPAN("bert");
  CHECK_INT(tam_candidate_set_config(set.items[0], &config), 0);
  CHECK_SPAN(set.items[0]->row.config.model_type, "bert");
  CHECK_INT(set.items[0]->row.config.architecture_count, 0);
  config.model_type = TAM_SPAN_NONE;
  config.auto_map = TAM_AUTO_MAP_CAUSAL_LM;
  CHECK_INT(tam_candidate_set_config(set.items[0], &config), 0);
  CHECK_INT(set.items[0]->row.config.auto_map, TAM_AUTO_MAP_CAUSAL_LM);
  CHECK_SPAN(set.items[0]->row.config.model_type, "");
  tam_candidates_free(&set);
  CHECK_INT(heap.live, 0);
}

static void test_memory_may_be_short(void) {
  check_heap heap = {.fail_at = 1};
  tam_mem mem = check_heap_mem(&heap);
  tam_candidates set;
  CHECK_INT(tam_candidates_init(&set, 3, &mem), TAM_ERR_OUT_OF_MEMORY);
  tam_candidates_free(&set);
  CHECK_INT(tam_candidates_init(&set, 1, &mem), 0);
  offer(&set, row_of("a/kept", "", 1, 0), 0);
  heap.fail_at = heap.allocations + 1;
  tam_listing_row better = row_of("a/better", "", 2, 0);
  CHECK_INT(tam_candidates_offer(&set, &better, 1), TAM_ERR_OUT_OF_MEMORY);
  CHECK_SPAN(set.items[0]->row.id, "a/kept");
  CHECK_INT(set.turned_away, 0);
  tam_candidates_free(&set);
  CHECK_INT(heap.live, 0);
}

int main(void) {
  RUN(test_rank);
  RUN(test_the_best_stay);
  RUN(test_a_worse_row_costs_nothing);
  RUN(test_a_row_is_copied_deeply);
  RUN(test_a_fetched_configuration_replaces_the_row_s);
  RUN(test_memory_may_be_short);
  return check_finish();
}
