// SPDX-License-Identifier: Apache-2.0
#include "hub/prefilter.h"

#include "core/names.h"
#include "core/span.h"
#include "hub/model_files.h"

// Tasks whose models encode; nobody chats with them.
static const char *const denied_tags[] = {"feature-extraction", "fill-mask",
                                          "sentence-similarity", "masked-lm"};

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

// Longest owner or name of a repository, a rule of the Hub.
#define REPO_NAME_MAX 96

static int has_denied_tag(tam_span tag) {
  for (size_t i = 0; i < sizeof(denied_tags) / sizeof(*denied_tags); i++) {
    if (tam_span_is(tag, denied_tags[i])) {
      return 1;
    }
  }
  return 0;
}

static int has_denied_id(tam_span id) {
  size_t slash = tam_span_find_byte(id, '/');
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
  if (!tam_repo_id_is_valid(row->id)) {
    return TAM_DROP_INVALID_ID;
  }
  if (row->is_disabled) {
    return TAM_DROP_UNAVAILABLE;
  }
  if (has_denied_tag(row->pipeline_tag)) {
    return TAM_DROP_PIPELINE_TAG;
  }
  if (has_denied_id(row->id)) {
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

// The letters, digits and '_', a bit for each byte.
static int is_word_byte(uint8_t byte) {
  static const uint32_t words[8] = {0, 0x03ff0000, 0x87fffffe, 0x07fffffe};
  return (int)(words[byte / 32] >> (byte % 32)) & 1;
}

// A part of an id: letters, digits, '_', and '-' or '.' between them, but
// never two of those in a row that are the same.
static int is_repo_name(tam_span name) {
  if (name.len == 0 || name.len > REPO_NAME_MAX || !is_word_byte(name.ptr[0]) ||
      !is_word_byte(name.ptr[name.len - 1])) {
    return 0;
  }
  for (size_t i = 1; i < name.len; i++) {
    uint8_t byte = name.ptr[i];
    if (!is_word_byte(byte) &&
        ((byte != '-' && byte != '.') || byte == name.ptr[i - 1])) {
      return 0;
    }
  }
  return 1;
}

int tam_repo_id_is_valid(tam_span id) {
  if (tam_span_ends_with(id, TAM_SPAN(".git")) ||
      tam_span_ends_with(id, TAM_SPAN(".ipynb"))) {
    return 0;
  }
  size_t slash = tam_span_find_byte(id, '/');
  if (slash == id.len) {
    return is_repo_name(id);
  }
  return is_repo_name(tam_span_head(id, slash)) &&
         is_repo_name(tam_span_from(id, slash + 1));
}

unsigned tam_pipeline_preference(tam_span pipeline_tag) {
  int place = tam_names_find("text-generation\0"
                             "image-text-to-text\0"
                             "text2text-generation\0"
                             "conversational\0"
                             "summarization\0"
                             "translation\0",
                             pipeline_tag);
  if (place < 0) {
    return pipeline_tag.len == 0 ? PREFERENCE_NONE : PREFERENCE_OTHER;
  }
  return place < PREFERENCE_LAST ? (unsigned)place : PREFERENCE_LAST;
}
