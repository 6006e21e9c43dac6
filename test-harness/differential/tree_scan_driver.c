// SPDX-License-Identifier: Apache-2.0
// Lets JavaScript ask what pages of the tree API say. A question on standard
// input is the length of the page in four bytes, lowest first, four bytes that
// say how it is cut (repeated, each one less than the length of a piece), and
// the page. The answer on standard output has a line per file and flaw and one
// with the error, and ends with NUL.
#include "core/hex.h"
#include "store/tree_scan.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SPLIT_LEN 4
#define HEAD_LEN  (4 + SPLIT_LEN)

static void print_path(tam_span path) {
  putchar(' ');
  fwrite(path.ptr, 1, path.len, stdout);
  putchar('\n');
}

static int on_file(void *user_data, const tam_tree_file *file) {
  char digest[2 * TAM_SHA256_SIZE + 1] = "";
  (void)user_data;
  tam_hex_write((uint8_t *)digest, file->digest);
  printf("%s %llu %s", file->digest_kind == TAM_TREE_SHA256 ? "sha256" : "git",
         (unsigned long long)file->size, digest);
  print_path(file->path);
  return 0;
}

static int on_flaw(void *user_data, tam_tree_flaw flaw, tam_span path) {
  static const char *const names[] = {"type", "path", "size", "digest"};
  (void)user_data;
  printf("no %s", names[flaw]);
  print_path(path);
  return 0;
}

// Feeds a copy of |piece| without a byte to spare, which is gone afterwards.
static int feed(tam_tree_scan *scan, tam_span piece) {
  uint8_t *copy = malloc(piece.len);
  if (copy == NULL) {
    return TAM_ERR_OUT_OF_MEMORY;
  }
  memcpy(copy, piece.ptr, piece.len);
  int error = tam_tree_scan_feed(scan, (tam_span){copy, piece.len});
  memset(copy, 0x5a, piece.len);
  free(copy);
  return error;
}

static void answer(tam_tree_scan *scan, tam_span page, const uint8_t *split) {
  int error = 0;
  tam_tree_scan_reset(scan);
  for (size_t i = 0; page.len > 0 && error == 0; i++) {
    size_t len = 1 + (size_t)split[i % SPLIT_LEN];
    error = feed(scan, tam_span_head(page, len));
    page = tam_span_from(page, len);
  }
  error = tam_tree_scan_end(scan);
  printf("%d\n", error);
  putchar('\0');
}

// Answers the next question. Returns 0 when there is none.
static int answer_next(tam_tree_scan *scan) {
  uint8_t head[HEAD_LEN];
  if (fread(head, 1, HEAD_LEN, stdin) != HEAD_LEN) {
    return 0;
  }
  size_t len = head[0] | (size_t)head[1] << 8 | (size_t)head[2] << 16 |
               (size_t)head[3] << 24;
  uint8_t *page = malloc(len + 1);
  int is_whole = page != NULL && fread(page, 1, len, stdin) == len;
  if (is_whole) {
    answer(scan, (tam_span){page, len}, head + 4);
  }
  free(page);
  return is_whole;
}

int main(void) {
  tam_mem mem = tam_mem_default();
  tam_tree_sink sink = {on_file, on_flaw, NULL};
  tam_tree_scan *scan;
  if (tam_tree_scan_new(&scan, &sink, &mem) != 0) {
    return 1;
  }
  while (answer_next(scan)) {
  }
  tam_tree_scan_del(scan);
  return feof(stdin) ? 0 : 1;
}
