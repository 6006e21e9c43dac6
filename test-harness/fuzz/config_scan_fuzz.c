// SPDX-License-Identifier: Apache-2.0
// Any bytes as a config.json: no crash, and the same digest and error whether
// the document comes whole (and is walked over) or in pieces.
#include "hub/config_scan.h"
#include "scan_split.h"

static void hash_digest(scan_result *result, const tam_config_digest *digest) {
  hash_text(result, digest->model_type);
  for (size_t i = 0; i < digest->architecture_count; i++) {
    hash_text(result, digest->architectures[i]);
  }
  hash_number(result, digest->auto_map);
  hash_number(result, digest->is_decoder);
  hash_text(result, digest->text_model_type);
  hash_text(result, digest->text_architecture);
}

static int feed(void *scan, tam_span piece) {
  return tam_config_scan_feed(scan, piece);
}

static scan_result scan_config(tam_span text, const uint8_t *split) {
  tam_mem mem = tam_mem_default();
  scan_result result = {0, 0, 0};
  tam_config_digest digest;
  tam_config_scan *scan;
  int error = tam_config_scan_new(&scan, &mem);
  TAM_ASSERT(error == 0);
  if (split == NULL) {
    tam_config_scan_feed(scan, text);
  } else {
    feed_split(feed, scan, text, split);
  }
  result.error = tam_config_scan_end(scan, &digest);
  result.offset = tam_config_scan_offset(scan);
  if (result.error == 0) {
    hash_digest(&result, &digest);
  }
  tam_config_scan_del(scan);
  return result;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  check_split(scan_config, data, size);
  return 0;
}
