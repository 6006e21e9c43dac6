// SPDX-License-Identifier: Apache-2.0
// The row in work: what a member of an entry means, and the memory and caps of
// the text that is kept of it. Text is borrowed from the piece that is being
// scanned as long as the piece is there, and saved when a row goes beyond it.
#ifndef TAM_HUB_LISTING_BUILD_H
#define TAM_HUB_LISTING_BUILD_H

#include "core/model_files.h"
#include "core/simd.h"
#include "core/span.h"
#include "hub/config_reader.h"
#include "hub/listing_row.h"

// Text kept per row, in bytes; what goes beyond it is left out. The measured
// maxima (127 tags, some hundred ONNX files) need less than half.
#define TAM_ROW_TEXT_MAX 32768

typedef enum tam_row_text {
  TAM_ROW_ID = 0,
  TAM_ROW_MODEL_ID,
  TAM_ROW_PIPELINE_TAG,
  TAM_ROW_LIBRARY_NAME,
  TAM_ROW_LAST_MODIFIED,
  TAM_ROW_TEXT_COUNT
} tam_row_text;

typedef enum tam_row_number {
  TAM_ROW_DOWNLOADS = 0,
  TAM_ROW_LIKES,
  TAM_ROW_SAFETENSORS_TOTAL,
  TAM_ROW_GGUF_TOTAL,
  TAM_ROW_NUMBER_COUNT
} tam_row_number;

typedef enum tam_row_flag {
  TAM_ROW_DISABLED = 0,
  TAM_ROW_FLAG_COUNT
} tam_row_flag;

// How the value of a member is read.
typedef enum tam_row_kind {
  TAM_ROW_KIND_OTHER = 0, // skipped
  TAM_ROW_KIND_TEXT,
  TAM_ROW_KIND_NUMBER,
  TAM_ROW_KIND_FLAG,
  TAM_ROW_KIND_GATED,
  TAM_ROW_KIND_TOTAL, // an object whose "total" is the number
  TAM_ROW_KIND_TAGS,
  TAM_ROW_KIND_SIBLINGS,
  TAM_ROW_KIND_CONFIG
} tam_row_kind;

typedef struct tam_row_field {
  uint8_t kind;  // a tam_row_kind
  uint8_t index; // a tam_row_text, tam_row_number or tam_row_flag
} tam_row_field;

typedef struct tam_listing_build {
  // What a new row begins with as zeros, up to |numbers|.
  tam_span texts[TAM_ROW_TEXT_COUNT];
  int flags[TAM_ROW_FLAG_COUNT];
  tam_gated gated;
  int has_siblings;
  unsigned file_kinds;
  size_t tag_count;
  size_t onnx_file_count;
  size_t text_len;  // of all text kept so far, borrowed or saved
  size_t saved_len; // of the part of it in |saved|
  size_t saved_tag_count;
  size_t saved_onnx_file_count;
  double numbers[TAM_ROW_NUMBER_COUNT];
  tam_config_reader config;
  tam_listing_row row;
  tam_span tags[TAM_ROW_TAGS_MAX];
  tam_span onnx_files[TAM_ROW_ONNX_FILES_MAX];
  uint8_t saved[TAM_ROW_TEXT_MAX];
} tam_listing_build;

// Returns what the member |key| of an entry means.
tam_row_field tam_row_field_of(tam_span key);

// Returns what |text| says about gating when it is the value of "gated".
tam_gated tam_row_gated_of(tam_span text);

// Returns the count that the number |text| stands for, or -1 when it is not one
// (negative, a fraction, or above 2^53 - 1).
double tam_row_count_of(tam_span text);

// Makes |build| ready.
void tam_listing_build_init(tam_listing_build *build);

// Begins a new row.
void tam_listing_build_reset(tam_listing_build *build);

// The setters below forget what an earlier member of the same name said. Spans
// are borrowed until tam_listing_build_save.

void tam_listing_build_set_text(tam_listing_build *build, unsigned index,
                                tam_span text);
void tam_listing_build_begin_tags(tam_listing_build *build);

// |is_array|: the value is what it should be.
void tam_listing_build_begin_siblings(tam_listing_build *build, int is_array);

// Copies all borrowed text.
void tam_listing_build_save(tam_listing_build *build);

// The row is complete: returns it, valid until the next reset.
const tam_listing_row *tam_listing_build_row(tam_listing_build *build);

// Returns |text| when it is short enough and the row has room for it, else
// the empty span. Text that is replaced later keeps its room.
TAM_INLINE tam_span tam_listing_build_keep(tam_listing_build *build,
                                           tam_span text) {
  if (text.len > TAM_ROW_STRING_MAX ||
      text.len > TAM_ROW_TEXT_MAX - build->text_len) {
    return TAM_SPAN_NONE;
  }
  build->text_len += text.len;
  return text;
}

// Adds |tag| when there is room.
TAM_INLINE void tam_listing_build_add_tag(tam_listing_build *build,
                                          tam_span tag) {
  size_t count = build->tag_count;
  if (count < TAM_ROW_TAGS_MAX) {
    tag = tam_listing_build_keep(build, tag);
    build->tags[count] = tag;
    build->tag_count = count + (tag.len != 0);
  }
}

// Adds the file |name|, which is of |kind| (see tam_file_kind).
TAM_INLINE void tam_listing_build_add_file(tam_listing_build *build,
                                           tam_span name, unsigned kind) {
  size_t count = build->onnx_file_count;
  build->file_kinds |= kind;
  if ((kind & (TAM_FILE_ONNX | TAM_FILE_ONNX_DATA)) != 0 &&
      count < TAM_ROW_ONNX_FILES_MAX) {
    name = tam_listing_build_keep(build, name);
    build->onnx_files[count] = name;
    build->onnx_file_count = count + (name.len != 0);
  }
}

#endif // TAM_HUB_LISTING_BUILD_H
