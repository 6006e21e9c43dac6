// SPDX-License-Identifier: Apache-2.0
// Ways to cut a document into pieces, for the tests of the scanners. Each piece
// is a copy of its own size, so that reading beyond it is noticed by ASAN.
#ifndef TAM_TEST_SCAN_PIECES_H
#define TAM_TEST_SCAN_PIECES_H

#include "check.h"

// The walk over whole values keeps away from the end of a piece: blanks behind
// a document let it see all of the document.
#define PADDING 512

typedef int (*feed_function)(void *scan, tam_span piece);

static inline int feed_copy(feed_function feed, void *scan, tam_span piece) {
  uint8_t *copy = malloc(piece.len + 1);
  if (piece.len > 0) {
    memcpy(copy, piece.ptr, piece.len);
  }
  int error = feed(scan, (tam_span){copy, piece.len});
  memset(copy, 0x5a, piece.len);
  free(copy);
  return error;
}

// Feeds |text| in a piece of |first| bytes and pieces of |step| bytes.
static inline int feed_pieces(feed_function feed, void *scan, tam_span text,
                              size_t first, size_t step) {
  int error = 0;
  for (size_t at = 0, len = first; at < text.len && error == 0; len = step) {
    tam_span piece = tam_span_head(tam_span_from(text, at), len);
    error = feed_copy(feed, scan, piece);
    at += len;
  }
  return error;
}

// Returns |text| with blanks behind it; the caller frees it.
static inline tam_span padded(tam_span text) {
  uint8_t *copy = malloc(text.len + PADDING);
  memcpy(copy, text.ptr, text.len);
  memset(copy + text.len, ' ', PADDING);
  return (tam_span){copy, text.len + PADDING};
}

#endif // TAM_TEST_SCAN_PIECES_H
