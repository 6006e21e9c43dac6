// SPDX-License-Identifier: Apache-2.0
// Any bytes as a listing page: no crash, and the same rows and error whether
// the page comes whole (and is walked over) or in pieces.
#include "hub/listing_scan.h"
#include "scan_split.h"

static void hash_spans(scan_result *result, const tam_span *spans,
                       size_t count) {
  hash_number(result, (double)count);
  for (size_t i = 0; i < count; i++) {
    hash_text(result, spans[i]);
  }
}

static void hash_config(scan_result *result, const tam_config_digest *config) {
  hash_number(result, config->present);
  hash_text(result, config->model_type);
  hash_spans(result, config->architectures, config->architecture_count);
  hash_number(result, config->auto_map);
  hash_number(result, config->is_decoder);
  hash_text(result, config->text_model_type);
  hash_text(result, config->text_architecture);
}

static int on_row(void *user_data, const tam_listing_row *row) {
  scan_result *result = user_data;
  hash_text(result, row->id);
  hash_text(result, row->pipeline_tag);
  hash_text(result, row->library_name);
  hash_text(result, row->last_modified);
  hash_number(result, row->downloads);
  hash_number(result, row->likes);
  hash_number(result, row->parameters);
  hash_number(result, row->gated);
  hash_number(result, row->is_disabled);
  hash_number(result, row->has_siblings);
  hash_number(result, row->file_kinds);
  hash_spans(result, row->tags, row->tag_count);
  hash_spans(result, row->onnx_files, row->onnx_file_count);
  hash_config(result, &row->config);
  return 0;
}

static int feed(void *scan, tam_span piece) {
  return tam_listing_scan_feed(scan, piece);
}

static scan_result scan_page(tam_span text, const uint8_t *split) {
  tam_mem mem = tam_mem_default();
  scan_result result = {0, 0, 0};
  tam_listing_scan *scan;
  int error = tam_listing_scan_new(&scan, on_row, &result, &mem);
  TAM_ASSERT(error == 0);
  if (split == NULL) {
    tam_listing_scan_feed(scan, text);
  } else {
    feed_split(feed, scan, text, split);
  }
  result.error = tam_listing_scan_end(scan);
  result.offset = tam_listing_scan_offset(scan);
  tam_listing_scan_del(scan);
  return result;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  check_split(scan_page, data, size);
  return 0;
}
