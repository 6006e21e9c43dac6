// SPDX-License-Identifier: Apache-2.0
#include "check.h"

#include "core/model_files.h"
#include "core/names.h"
#include "hub/prefilter.h"

static const tam_prefilter strict = {1, 1e9};
static const tam_prefilter lenient = {0, -1};

// A row that passes every rule.
static tam_listing_row good_row(void) {
  tam_listing_row row;
  memset(&row, 0, sizeof(row));
  row.id = TAM_SPAN("owner/model");
  row.pipeline_tag = TAM_SPAN("text-generation");
  row.parameters = 1e9;
  row.has_siblings = 1;
  row.file_kinds = TAM_FILE_TOKENIZER | TAM_FILE_ONNX;
  return row;
}

static void test_a_good_row_passes(void) {
  tam_listing_row row = good_row();
  CHECK_INT(tam_prefilter_apply(&strict, &row), TAM_DROP_NONE);
  row.gated = TAM_GATED_MANUAL;
  CHECK_INT(tam_prefilter_apply(&strict, &row), TAM_DROP_NONE);
}

static void test_ids_that_name_no_repository_drop(void) {
  tam_listing_row row = good_row();
  row.id = TAM_SPAN("a/b/c");
  CHECK_INT(tam_prefilter_apply(&lenient, &row), TAM_DROP_INVALID_ID);
  row.id = TAM_SPAN_NONE;
  CHECK_INT(tam_prefilter_apply(&lenient, &row), TAM_DROP_INVALID_ID);
}

static void test_disabled_rows_drop(void) {
  tam_listing_row row = good_row();
  row.is_disabled = 1;
  CHECK_INT(tam_prefilter_apply(&lenient, &row), TAM_DROP_UNAVAILABLE);
}

static void test_tasks_of_encoders_drop(void) {
  static const char *const denied[] = {"feature-extraction", "fill-mask",
                                       "sentence-similarity", "masked-lm"};
  static const char *const passed[] = {
      "",           "text-generation", "text-ranking", "text-classification",
      "fill-masks", "Fill-Mask"};
  tam_listing_row row = good_row();
  for (size_t i = 0; i < sizeof(denied) / sizeof(*denied); i++) {
    row.pipeline_tag = tam_span_of(denied[i]);
    CHECK_INT(tam_prefilter_apply(&lenient, &row), TAM_DROP_PIPELINE_TAG);
  }
  for (size_t i = 0; i < sizeof(passed) / sizeof(*passed); i++) {
    row.pipeline_tag = tam_span_of(passed[i]);
    CHECK_INT(tam_prefilter_apply(&lenient, &row), TAM_DROP_NONE);
  }
}

static void test_ids_of_encoders_drop(void) {
  static const char *const denied[] = {
      "sentence-transformers/all-MiniLM-L6-v2", "x/sentence-transformers-y",
      "Xenova/Sentence-Transformers_z", "cross-encoder/ms-marco-MiniLM-L6"};
  static const char *const passed[] = {
      "x/sentence-transformer", "cross-encoder", "x/Qwen3-Reranker-0.6B"};
  tam_listing_row row = good_row();
  for (size_t i = 0; i < sizeof(denied) / sizeof(*denied); i++) {
    row.id = tam_span_of(denied[i]);
    CHECK_INT(tam_prefilter_apply(&lenient, &row), TAM_DROP_ID_PATTERN);
  }
  for (size_t i = 0; i < sizeof(passed) / sizeof(*passed); i++) {
    row.id = tam_span_of(passed[i]);
    CHECK_INT(tam_prefilter_apply(&lenient, &row), TAM_DROP_NONE);
  }
}

static void test_missing_files_drop(void) {
  tam_listing_row row = good_row();
  row.file_kinds = TAM_FILE_ONNX | TAM_FILE_CONFIG;
  CHECK_INT(tam_prefilter_apply(&lenient, &row), TAM_DROP_NO_TOKENIZER);
  row.file_kinds = TAM_FILE_TOKENIZER | TAM_FILE_ONNX_DATA;
  CHECK_INT(tam_prefilter_apply(&strict, &row), TAM_DROP_NO_ONNX);
  CHECK_INT(tam_prefilter_apply(&lenient, &row), TAM_DROP_NONE);
}

static void test_unknown_files_are_not_missing(void) {
  tam_listing_row row = good_row();
  row.has_siblings = 0;
  row.file_kinds = 0;
  CHECK_INT(tam_prefilter_apply(&strict, &row), TAM_DROP_NONE);
}

static void test_large_models_drop(void) {
  tam_listing_row row = good_row();
  row.parameters = 1e9 + 1;
  CHECK_INT(tam_prefilter_apply(&strict, &row), TAM_DROP_TOO_LARGE);
  CHECK_INT(tam_prefilter_apply(&lenient, &row), TAM_DROP_NONE);
  row.parameters = -1;
  CHECK_INT(tam_prefilter_apply(&strict, &row), TAM_DROP_NONE);
}

static void test_the_first_rule_counts(void) {
  tam_listing_row row = good_row();
  row.id = TAM_SPAN("sentence-transformers/..");
  row.is_disabled = 1;
  row.pipeline_tag = TAM_SPAN("fill-mask");
  row.file_kinds = 0;
  row.parameters = 1e12;
  CHECK_INT(tam_prefilter_apply(&strict, &row), TAM_DROP_INVALID_ID);
  row.id = TAM_SPAN("sentence-transformers/x");
  CHECK_INT(tam_prefilter_apply(&strict, &row), TAM_DROP_UNAVAILABLE);
  row.is_disabled = 0;
  CHECK_INT(tam_prefilter_apply(&strict, &row), TAM_DROP_PIPELINE_TAG);
  row.pipeline_tag = TAM_SPAN_NONE;
  CHECK_INT(tam_prefilter_apply(&strict, &row), TAM_DROP_ID_PATTERN);
  row.id = TAM_SPAN("x");
  CHECK_INT(tam_prefilter_apply(&strict, &row), TAM_DROP_NO_TOKENIZER);
  row.file_kinds = TAM_FILE_TOKENIZER;
  CHECK_INT(tam_prefilter_apply(&strict, &row), TAM_DROP_NO_ONNX);
  row.file_kinds |= TAM_FILE_ONNX;
  CHECK_INT(tam_prefilter_apply(&strict, &row), TAM_DROP_TOO_LARGE);
}

static void test_drop_names(void) {
  static const char *const names[TAM_DROP_COUNT] = {
      "none",         "invalid-id",    "duplicate",    "unavailable",
      "pipeline-tag", "id-pattern",    "no-tokenizer", "no-onnx",
      "too-large",    "max-candidates"};
  for (unsigned drop = 0; drop < TAM_DROP_COUNT; drop++) {
    CHECK(strcmp(tam_names_at(tam_drop_names, drop), names[drop]) == 0);
  }
  CHECK_INT(*tam_names_at(tam_drop_names, TAM_DROP_COUNT), 0);
}

static void test_preference_of_tasks(void) {
  static const char *const ranked[] = {
      "text-generation", "image-text-to-text", "text2text-generation",
      "conversational",  "summarization",      "",
      "text-ranking"};
  for (size_t i = 1; i < sizeof(ranked) / sizeof(*ranked); i++) {
    CHECK(tam_pipeline_preference(tam_span_of(ranked[i - 1])) <
          tam_pipeline_preference(tam_span_of(ranked[i])));
  }
  CHECK_INT(tam_pipeline_preference(TAM_SPAN("text-generation")), 0);
  CHECK_INT(tam_pipeline_preference(TAM_SPAN("translation")),
            tam_pipeline_preference(TAM_SPAN("summarization")));
  CHECK_INT(tam_pipeline_preference(TAM_SPAN_NONE),
            tam_pipeline_preference(TAM_SPAN("")));
}

int main(void) {
  RUN(test_a_good_row_passes);
  RUN(test_ids_that_name_no_repository_drop);
  RUN(test_disabled_rows_drop);
  RUN(test_tasks_of_encoders_drop);
  RUN(test_ids_of_encoders_drop);
  RUN(test_missing_files_drop);
  RUN(test_unknown_files_are_not_missing);
  RUN(test_large_models_drop);
  RUN(test_the_first_rule_counts);
  RUN(test_drop_names);
  RUN(test_preference_of_tasks);
  return check_finish();
}
