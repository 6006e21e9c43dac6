// SPDX-License-Identifier: Apache-2.0
// One entry of a Hub listing, reduced to the fields that matter. The scanner
// fills it, the operation judges it, and nothing else of the entry is kept.
#ifndef TAM_HUB_LISTING_ROW_H
#define TAM_HUB_LISTING_ROW_H

#include "hub/config_digest.h"
#include "tam.h"

// The longest field kept, in bytes. Measured ids end at 257, file names at
// 248, tags at 96. A longer id makes the row unusable (id.len is 0), a longer
// file name or tag is left out, other longer fields are treated as absent.
#define TAM_ROW_STRING_MAX 1024

// Tags kept per row (measured maximum 127).
#define TAM_ROW_TAGS_MAX 256

// ONNX files kept per row: eight dtypes of a few graphs with their external
// data need under a hundred; a repository with thousands is not one model.
#define TAM_ROW_ONNX_FILES_MAX 256

typedef enum tam_gated {
  TAM_GATED_FALSE = 0,
  TAM_GATED_AUTO,
  TAM_GATED_MANUAL
} tam_gated;

// Numbers are -1 and spans empty when the field is absent, null or not of the
// expected kind. Text is decoded UTF-8 (escapes resolved, lone surrogates
// replaced by U+FFFD). When a key occurs twice the last one wins.
typedef struct tam_listing_row {
  tam_span id; // "id", else "modelId"
  tam_span pipeline_tag;
  tam_span library_name;
  tam_span last_modified; // ISO 8601, as sent
  double downloads;
  double likes;
  double parameters; // safetensors.total, else gguf.total
  tam_gated gated;
  int is_disabled;
  int has_siblings;    // the row has a "siblings" array
  unsigned file_kinds; // union of tam_file_kind over all siblings
  const tam_span *tags;
  size_t tag_count;
  const tam_span *onnx_files; // siblings of kind ONNX or ONNX_DATA
  size_t onnx_file_count;
  tam_config_digest config; // the row's "config", .present = 0 without one
} tam_listing_row;

#endif // TAM_HUB_LISTING_ROW_H
