// SPDX-License-Identifier: Apache-2.0
// What the fuzz targets of the scanners share: the first bytes of the input
// choose how the rest is cut, and results are compared by a hash.
#ifndef TAM_FUZZ_SCAN_SPLIT_H
#define TAM_FUZZ_SCAN_SPLIT_H

#include "core/span.h"
#include "core/trap.h"

#include <stdlib.h>
#include <string.h>

// How many bytes of the input choose the pieces.
#define SPLIT_LEN 4

// Blanks behind the document let the walk over whole values see all of it.
#define PADDING 512

typedef int (*feed_function)(void *scan, tam_span piece);

// What a scan gave: equal for equal documents, however they are cut.
typedef struct scan_result {
  int error;
  double offset;
  uint64_t hash;
} scan_result;

static inline void hash_text(scan_result *result, tam_span text) {
  result->hash = tam_span_hash(text, result->hash + 1);
}

static inline void hash_number(scan_result *result, double number) {
  hash_text(result, (tam_span){(const uint8_t *)&number, sizeof(number)});
}

// Feeds |text| in pieces of the lengths that |split| repeats, each a copy of
// its own size, so that reading beyond it is noticed.
static inline int feed_split(feed_function feed, void *scan, tam_span text,
                             const uint8_t *split) {
  int error = 0;
  for (size_t at = 0, i = 0; at < text.len && error == 0; i++) {
    size_t len = 1 + (size_t)split[i % SPLIT_LEN];
    tam_span piece = tam_span_head(tam_span_from(text, at), len);
    uint8_t *copy = malloc(piece.len);
    TAM_ASSERT(copy != NULL);
    memcpy(copy, piece.ptr, piece.len);
    error = feed(scan, (tam_span){copy, piece.len});
    memset(copy, 0x5a, piece.len);
    free(copy);
    at += piece.len;
  }
  return error;
}

// The same result but for the blanks behind the document.
static inline void assert_same(const scan_result *a, const scan_result *b) {
  TAM_ASSERT(a->error == b->error);
  TAM_ASSERT(a->hash == b->hash);
  TAM_ASSERT(a->error == 0 || a->offset == b->offset);
}

// Scans |text| in pieces, or whole when |split| is NULL.
typedef scan_result (*scan_function)(tam_span text, const uint8_t *split);

// Has |scan| read the document that the input |data| brings both ways.
static inline void check_split(scan_function scan, const uint8_t *data,
                               size_t size) {
  if (size < SPLIT_LEN) {
    return;
  }
  tam_span text = {data + SPLIT_LEN, size - SPLIT_LEN};
  uint8_t *copy = malloc(text.len + PADDING);
  TAM_ASSERT(copy != NULL);
  memcpy(copy, text.ptr, text.len);
  memset(copy + text.len, ' ', PADDING);
  tam_span wide = {copy, text.len + PADDING};
  scan_result whole = scan(wide, NULL);
  scan_result pieces = scan(wide, data);
  assert_same(&whole, &pieces);
  free(copy);
}

#endif // TAM_FUZZ_SCAN_SPLIT_H
