// SPDX-License-Identifier: Apache-2.0
// Any bytes as a page of the tree API: no crash, only files that can be named,
// and the same reports and error whether the page comes whole or in pieces. One
// byte of the input chooses the report that fails.
#include "store/tree_scan.h"

#include "../scan_split.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

// What the sink of one scan has seen.
typedef struct tree_sink {
  scan_result result;
  int left; // reports until one fails; 0: none does
} tree_sink;

static int report(tree_sink *sink, tam_span path) {
  hash_text(&sink->result, path);
  return sink->left > 0 && --sink->left == 0 ? TAM_ERR_CANCELLED : 0;
}

static int on_file(void *user_data, const tam_tree_file *file) {
  tree_sink *sink = user_data;
  TAM_ASSERT(tam_hub_path_check(file->path) == 0);
  TAM_ASSERT(file->size <= TAM_FILE_SIZE_MAX);
  TAM_ASSERT(
      file->digest.len ==
      (file->digest_kind == TAM_TREE_SHA256 ? TAM_SHA256_SIZE : TAM_SHA1_SIZE));
  hash_number(&sink->result, (double)file->size);
  hash_text(&sink->result, file->digest);
  return report(sink, file->path);
}

static int on_flaw(void *user_data, tam_tree_flaw flaw, tam_span path) {
  tree_sink *sink = user_data;
  TAM_ASSERT(flaw == TAM_TREE_FLAW_TYPE ||
             (flaw == TAM_TREE_FLAW_PATH) == (path.len == 0));
  TAM_ASSERT(path.len == 0 || tam_hub_path_check(path) == 0);
  hash_number(&sink->result, flaw);
  return report(sink, path);
}

static int feed(void *scan, tam_span piece) {
  return tam_tree_scan_feed(scan, piece);
}

// Scans |text| in pieces, or whole when |split| is NULL; report |fail_at|
// fails.
static scan_result scan_tree(tam_span text, const uint8_t *split,
                             uint8_t fail_at) {
  tam_mem mem = tam_mem_default();
  tree_sink seen = {{0, 0, 0}, fail_at};
  tam_tree_sink sink = {on_file, on_flaw, &seen};
  tam_tree_scan *scan;
  int error = tam_tree_scan_new(&scan, &sink, &mem);
  TAM_ASSERT(error == 0);
  if (split == NULL) {
    tam_tree_scan_feed(scan, text);
  } else {
    feed_split(feed, scan, text, split);
  }
  seen.result.error = tam_tree_scan_end(scan);
  seen.result.offset = tam_tree_scan_offset(scan);
  tam_tree_scan_del(scan);
  return seen.result;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  if (size < SPLIT_LEN + 1) {
    return 0;
  }
  uint8_t fail_at = data[SPLIT_LEN];
  tam_span text = {data + SPLIT_LEN + 1, size - SPLIT_LEN - 1};
  scan_result whole = scan_tree(text, NULL, fail_at);
  scan_result pieces = scan_tree(text, data, fail_at);
  assert_same(&whole, &pieces);
  return 0;
}
