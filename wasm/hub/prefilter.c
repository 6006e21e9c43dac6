// SPDX-License-Identifier: Apache-2.0
#include "hub/prefilter.h"

#include "core/model_files.h"
#include "core/repo_id.h"
#include "core/span.h"

// A name in a list.
#define NAME(text)                                                             \
  { (const uint8_t *)(text), sizeof(text) - 1 }

// Tasks whose models encode; nobody chats with them.
static const tam_span denied_tags[] = {
    NAME("feature-extraction"), NAME("fill-mask"), NAME("sentence-similarity"),
    NAME("masked-lm")};

// Ids whose models embed or rank, whatever else their row says. Only what
// cannot be part of a chat model's name belongs here: all other cases are for
// the classifier, which shows its verdict instead of hiding the row.
#define DENIED_OWNER_END TAM_SPAN("cross-encoder")
#define DENIED_PART      TAM_SPAN("sentence-transformers")

// Places after the first few tasks: the last ones that are told apart, rows
// without a task, other tasks.
#define PREFERENCE_LAST  4
#define PREFERENCE_NONE  5
#define PREFERENCE_OTHER 6

// Returns the place of |text| in a list of |count| names, or |count|.
static size_t place_of(tam_span text, const tam_span *names, size_t count) {
  size_t place = 0;
  while (place < count &&
         !(text.len == names[place].len && tam_span_eq(text, names[place]))) {
    place++;
  }
  return place;
}

static int has_denied_tag(tam_span tag) {
  size_t count = sizeof(denied_tags) / sizeof(*denied_tags);
  return place_of(tag, denied_tags, count) < count;
}

// |slash| is the place of the slash in |id|, or its length.
static int has_denied_id(tam_span id, size_t slash) {
  tam_span owner = slash < id.len ? tam_span_head(id, slash) : TAM_SPAN_NONE;
  // A shorter owner has nothing from there on.
  tam_span end = tam_span_from(owner, owner.len - DENIED_OWNER_END.len);
  return tam_span_eq_nocase(end, DENIED_OWNER_END) ||
         tam_span_find_nocase(id, DENIED_PART) < id.len;
}

// Without a list of files nothing can be missing from it.
static int lacks_file(const tam_listing_row *row, unsigned kind) {
  return row->has_siblings && (row->file_kinds & kind) == 0;
}

tam_drop tam_prefilter_apply(const tam_prefilter *prefilter,
                             const tam_listing_row *row) {
  size_t slash;
  if (!tam_repo_id_read(row->id, &slash)) {
    return TAM_DROP_INVALID_ID;
  }
  if (row->is_disabled) {
    return TAM_DROP_UNAVAILABLE;
  }
  if (has_denied_tag(row->pipeline_tag)) {
    return TAM_DROP_PIPELINE_TAG;
  }
  if (has_denied_id(row->id, slash)) {
    return TAM_DROP_ID_PATTERN;
  }
  if (lacks_file(row, TAM_FILE_TOKENIZER)) {
    return TAM_DROP_NO_TOKENIZER;
  }
  if (prefilter->require_onnx && lacks_file(row, TAM_FILE_ONNX)) {
    return TAM_DROP_NO_ONNX;
  }
  if (prefilter->max_parameters >= 0 &&
      row->parameters > prefilter->max_parameters) {
    return TAM_DROP_TOO_LARGE;
  }
  return TAM_DROP_NONE;
}

const char tam_drop_names[] = "none\0"
                              "invalid-id\0"
                              "duplicate\0"
                              "unavailable\0"
                              "pipeline-tag\0"
                              "id-pattern\0"
                              "no-tokenizer\0"
                              "no-onnx\0"
                              "too-large\0"
                              "max-candidates\0";

unsigned tam_pipeline_preference(tam_span pipeline_tag) {
  static const tam_span tags[] = {
      NAME("text-generation"),      NAME("image-text-to-text"),
      NAME("text2text-generation"), NAME("conversational"),
      NAME("summarization"),        NAME("translation")};
  const size_t count = sizeof(tags) / sizeof(*tags);
  size_t place = place_of(pipeline_tag, tags, count);
  if (place == count) {
    return pipeline_tag.len == 0 ? PREFERENCE_NONE : PREFERENCE_OTHER;
  }
  return place < PREFERENCE_LAST ? (unsigned)place : PREFERENCE_LAST;
}
