// SPDX-License-Identifier: Apache-2.0
#include "hub/listing_build.h"

#include "core/names.h"
#include "core/number.h"
#include "core/span.h"

#include <stddef.h>
#include <string.h>

// The largest count: beyond it a double has no room for every integer.
#define COUNT_MAX 9007199254740991.0

tam_row_field tam_row_field_of(tam_span key) {
  static const struct {
    tam_span name;
    tam_row_field field;
  } fields[] = {
#define FIELD(name, kind, index)                                               \
  {                                                                            \
    {(const uint8_t *)(name), sizeof(name) - 1}, {                             \
      TAM_ROW_KIND_##kind, (index)                                             \
    }                                                                          \
  }
      FIELD("id", TEXT, TAM_ROW_ID),
      FIELD("modelId", TEXT, TAM_ROW_MODEL_ID),
      FIELD("pipeline_tag", TEXT, TAM_ROW_PIPELINE_TAG),
      FIELD("library_name", TEXT, TAM_ROW_LIBRARY_NAME),
      FIELD("lastModified", TEXT, TAM_ROW_LAST_MODIFIED),
      FIELD("downloads", NUMBER, TAM_ROW_DOWNLOADS),
      FIELD("likes", NUMBER, TAM_ROW_LIKES),
      FIELD("safetensors", TOTAL, TAM_ROW_SAFETENSORS_TOTAL),
      FIELD("gguf", TOTAL, TAM_ROW_GGUF_TOTAL),
      FIELD("disabled", FLAG, TAM_ROW_DISABLED),
      FIELD("gated", GATED, 0),
      FIELD("tags", TAGS, 0),
      FIELD("siblings", SIBLINGS, 0),
      FIELD("config", CONFIG, 0),
#undef FIELD
  };
  for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
    if (key.len == fields[i].name.len && tam_span_eq(key, fields[i].name)) {
      return fields[i].field;
    }
  }
  return (tam_row_field){TAM_ROW_KIND_OTHER, 0};
}

tam_gated tam_row_gated_of(tam_span text) {
  return (tam_gated)(1 + tam_names_find("auto\0"
                                        "manual\0",
                                        text));
}

double tam_row_count_of(tam_span text) {
  double count = tam_number_of(text);
  int is_count = text.len > 0 && count >= 0 && count <= COUNT_MAX &&
                 count == (double)(uint64_t)count;
  return is_count ? count + 0.0 : -1; // + 0.0 turns -0 into 0
}

void tam_listing_build_init(tam_listing_build *build) {
  memset(build, 0, sizeof(*build));
  build->row.tags = build->tags;
  build->row.onnx_files = build->onnx_files;
  tam_config_reader_init(&build->config, &build->row.config);
}

void tam_listing_build_reset(tam_listing_build *build) {
  memset(build, 0, offsetof(tam_listing_build, numbers));
  for (size_t i = 0; i < TAM_ROW_NUMBER_COUNT; i++) {
    build->numbers[i] = -1;
  }
  tam_config_reader_clear(&build->config);
}

void tam_listing_build_set_text(tam_listing_build *build, unsigned index,
                                tam_span text) {
  build->texts[index] = tam_listing_build_keep(build, text);
}

void tam_listing_build_begin_tags(tam_listing_build *build) {
  build->tag_count = 0;
  build->saved_tag_count = 0;
}

void tam_listing_build_begin_siblings(tam_listing_build *build, int is_array) {
  build->has_siblings = is_array;
  build->file_kinds = 0;
  build->onnx_file_count = 0;
  build->saved_onnx_file_count = 0;
}

static void text_save(tam_listing_build *build, tam_span *text) {
  tam_text_copy(build->saved + build->saved_len, *text);
  text->ptr = build->saved + build->saved_len;
  build->saved_len += text->len;
}

static int is_saved(const tam_listing_build *build, tam_span text) {
  return text.len == 0 || (text.ptr >= build->saved &&
                           text.ptr < build->saved + TAM_ROW_TEXT_MAX);
}

void tam_listing_build_save(tam_listing_build *build) {
  for (size_t i = 0; i < TAM_ROW_TEXT_COUNT; i++) {
    if (!is_saved(build, build->texts[i])) {
      text_save(build, &build->texts[i]);
    }
  }
  for (; build->saved_tag_count < build->tag_count; build->saved_tag_count++) {
    text_save(build, &build->tags[build->saved_tag_count]);
  }
  for (; build->saved_onnx_file_count < build->onnx_file_count;
       build->saved_onnx_file_count++) {
    text_save(build, &build->onnx_files[build->saved_onnx_file_count]);
  }
  tam_config_reader_save(&build->config);
}

const tam_listing_row *tam_listing_build_row(tam_listing_build *build) {
  const double *numbers = build->numbers;
  tam_listing_row *row = &build->row;
  row->id = build->texts[TAM_ROW_ID].len != 0 ? build->texts[TAM_ROW_ID]
                                              : build->texts[TAM_ROW_MODEL_ID];
  row->pipeline_tag = build->texts[TAM_ROW_PIPELINE_TAG];
  row->library_name = build->texts[TAM_ROW_LIBRARY_NAME];
  row->last_modified = build->texts[TAM_ROW_LAST_MODIFIED];
  row->downloads = numbers[TAM_ROW_DOWNLOADS];
  row->likes = numbers[TAM_ROW_LIKES];
  row->parameters = numbers[TAM_ROW_SAFETENSORS_TOTAL] >= 0
                        ? numbers[TAM_ROW_SAFETENSORS_TOTAL]
                        : numbers[TAM_ROW_GGUF_TOTAL];
  row->gated = build->gated;
  row->is_disabled = build->flags[TAM_ROW_DISABLED];
  row->has_siblings = build->has_siblings;
  row->file_kinds = build->file_kinds;
  row->tag_count = build->tag_count;
  row->onnx_file_count = build->onnx_file_count;
  return row;
}
