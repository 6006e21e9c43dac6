// SPDX-License-Identifier: Apache-2.0
#include "hub/prefilter.h"

#include "core/simd.h"
#include "core/span.h"
#include "hub/model_files.h"

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

// Longest owner or name of a repository, a rule of the Hub.
#define REPO_NAME_MAX 96

// What a byte of an id is, in the upper half of an entry, and after what it may
// stand, in the lower one. An id has one or two parts of letters, digits and
// '_', with '-' or '.' between them, but never two of those in a row that are
// the same. What may begin a part may stand after a slash.
enum {
  WORD = 1,
  DASH = 2,
  DOT = 4,
  SLASH = 8,
  W = WORD << 4 | WORD | DASH | DOT | SLASH
};
#define ID_FIRST '-'
// clang-format off
static const uint8_t id_bytes['z' + 1 - ID_FIRST] = {
    DASH << 4 | WORD | DOT, DOT << 4 | WORD | DASH, SLASH << 4 | WORD,
    W, W, W, W, W, W, W, W, W, W,          // digits
    0, 0, 0, 0, 0, 0, 0,
    W, W, W, W, W, W, W, W, W, W, W, W, W, // capitals
    W, W, W, W, W, W, W, W, W, W, W, W, W,
    0, 0, 0, 0, W, 0,                      // '_'
    W, W, W, W, W, W, W, W, W, W, W, W, W, // small letters
    W, W, W, W, W, W, W, W, W, W, W, W, W,
};
// clang-format on

// Reads an id: stores the place of its slash, or its length when there is none.
// Returns 0 when it is no id. There is no branch that depends on a byte: where
// the separators are cannot be foreseen.
static int repo_id_read(tam_span id, size_t *pslash) {
  size_t slash = 0;
  unsigned slashes = 0;
  unsigned before = SLASH;
  unsigned is_bad = 0;
  for (size_t i = 0; i < id.len; i++) {
    unsigned place = (unsigned)id.ptr[i] - ID_FIRST;
    unsigned entry =
        id_bytes[place < sizeof(id_bytes) ? place : '@' - ID_FIRST];
    unsigned is_slash = entry >> 7;
    is_bad |= (entry & before) == 0;
    slashes += is_slash;
    slash += i & (0 - (size_t)is_slash);
    before = entry >> 4;
  }
  slash = slashes == 0 ? id.len : slash;
  *pslash = slash;
  size_t name_len = slash < id.len ? id.len - slash - 1 : 0;
  return !is_bad && slashes <= 1 && before == WORD && slash <= REPO_NAME_MAX &&
         name_len <= REPO_NAME_MAX &&
         !tam_span_ends_with(id, TAM_SPAN(".git")) &&
         !tam_span_ends_with(id, TAM_SPAN(".ipynb"));
}

int tam_repo_id_is_valid(tam_span id) {
  size_t slash;
  return repo_id_read(id, &slash);
}

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
  if (!repo_id_read(row->id, &slash)) {
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
