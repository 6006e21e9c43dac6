// SPDX-License-Identifier: Apache-2.0
#include "store/file_select.h"

#include "core/span.h"

// ---------------------------------------------------------------------------
// Names

static tam_span path_of(const tam_revision *revision, uint32_t i) {
  return tam_revision_text(revision, revision->files[i].path);
}

// Returns the length of the folder of |path|, with its slash; 0 at the root.
static size_t folder_len(tam_span path) {
  size_t len = path.len;
  while (len > 0 && path.ptr[len - 1] != '/') {
    len--;
  }
  return len;
}

static tam_span folder_of(tam_span path) {
  return tam_span_head(path, folder_len(path));
}

static int is_graph_in(tam_span path, tam_span folder) {
  return tam_file_kind(path) == TAM_FILE_ONNX &&
         tam_span_eq(folder_of(path), folder);
}

// Cuts |head| off |*ptext|. Returns 0 when it does not begin with it.
static int cut(tam_span *ptext, tam_span head) {
  int has = tam_span_starts_with(*ptext, head);
  *ptext = tam_span_from(*ptext, has ? head.len : 0);
  return has;
}

// Returns 1 when |path| is "<name>.onnx" in its folder, with the end of |dtype|
// behind the name.
static int is_named(tam_span path, tam_span name, tam_dtype dtype) {
  tam_span rest = tam_span_from(path, folder_len(path));
  tam_span end = tam_span_of(tam_dtype_file_end(dtype));
  return cut(&rest, name) &&
         (end.len == 0 || (cut(&rest, TAM_SPAN("_")) && cut(&rest, end))) &&
         tam_span_is(rest, ".onnx");
}

// Returns |text| without the number of a part: "X_data_12" becomes "X_data".
static tam_span without_part_number(tam_span text) {
  size_t at = text.len;
  while (at > 0 && text.ptr[at - 1] >= '0' && text.ptr[at - 1] <= '9') {
    at--;
  }
  int has_number = at > 0 && at < text.len && text.ptr[at - 1] == '_';
  return has_number ? tam_span_head(text, at - 1) : text;
}

// Returns what stands before "_data" or ".data" and perhaps the number of a
// part: the graph, when |path| is external data. Else nothing.
static tam_span graph_of_data(tam_span path) {
  tam_span text = without_part_number(path);
  int is_data = tam_span_ends_with(text, TAM_SPAN("_data")) ||
                tam_span_ends_with(text, TAM_SPAN(".data"));
  return tam_span_head(text, is_data ? text.len - (sizeof("_data") - 1) : 0);
}

// Returns 1 for configuration and tokenizer at the root.
static int is_companion(tam_span path) {
  static const char *const names[] = {"config.json",
                                      "generation_config.json",
                                      "genai_config.json",
                                      "tokenizer.json",
                                      "tokenizer_config.json",
                                      "special_tokens_map.json",
                                      "added_tokens.json",
                                      "vocab.json",
                                      "vocab.txt",
                                      "merges.txt",
                                      "tokenizer.model",
                                      "spiece.model",
                                      "sentencepiece.bpe.model",
                                      "chat_template.jinja",
                                      "chat_template.json"};
  size_t left = sizeof(names) / sizeof(*names);
  while (left > 0 && !tam_span_is(path, names[left - 1])) {
    left--;
  }
  return left > 0;
}

// ---------------------------------------------------------------------------
// What there is

#define ANY_FLAGS 0U

// Returns the dtypes of the graphs in |folder| that have one of |flags|.
static unsigned dtypes_in(const tam_revision *revision, tam_span folder,
                          unsigned flags) {
  unsigned dtypes = 0;
  for (uint32_t i = 0; i < revision->count; i++) {
    tam_span path = path_of(revision, i);
    int is_meant =
        flags == ANY_FLAGS || (revision->files[i].flags & flags) != 0;
    if (is_meant && is_graph_in(path, folder)) {
      dtypes |= 1U << tam_file_dtype(path);
    }
  }
  return dtypes;
}

// Returns the folder of graphs; the root's when there are none.
static tam_span graph_folder(const tam_revision *revision) {
  if (dtypes_in(revision, TAM_SPAN("onnx/"), ANY_FLAGS) != 0) {
    return TAM_SPAN("onnx/");
  }
  if (dtypes_in(revision, TAM_SPAN_NONE, ANY_FLAGS) != 0) {
    return TAM_SPAN_NONE;
  }
  for (uint32_t i = 0; i < revision->count; i++) {
    tam_span path = path_of(revision, i);
    if (tam_file_kind(path) == TAM_FILE_ONNX) {
      return folder_of(path);
    }
  }
  return TAM_SPAN_NONE;
}

unsigned tam_file_select_available(const tam_revision *revision) {
  return dtypes_in(revision, graph_folder(revision), ANY_FLAGS);
}

unsigned tam_file_select_flagged(const tam_revision *revision, unsigned flags) {
  return dtypes_in(revision, graph_folder(revision), flags);
}

static int read_dtype(tam_span name, unsigned available, tam_dtype *pdtype) {
  static const uint8_t order[TAM_DTYPE_COUNT] = {
      TAM_DTYPE_Q8,    TAM_DTYPE_Q4,    TAM_DTYPE_Q4F16, TAM_DTYPE_INT8,
      TAM_DTYPE_UINT8, TAM_DTYPE_FP16,  TAM_DTYPE_Q2,    TAM_DTYPE_Q2F16,
      TAM_DTYPE_Q1,    TAM_DTYPE_Q1F16, TAM_DTYPE_BNB4,  TAM_DTYPE_FP32};
  int is_auto = name.len == 0 || tam_span_is(name, "auto");
  for (size_t i = 0; i < TAM_DTYPE_COUNT; i++) {
    tam_dtype dtype = (tam_dtype)order[i];
    if ((available >> dtype & 1U) != 0 &&
        (is_auto || tam_span_is(name, tam_dtype_name(dtype)) ||
         (dtype == TAM_DTYPE_Q8 && tam_span_is(name, "quantized")))) {
      *pdtype = dtype;
      return 0;
    }
  }
  return TAM_ERR_INVALID_PARAMS;
}

int tam_file_select_dtype(tam_span name, unsigned available,
                          tam_dtype *pdtype) {
  int error;
  size_t end;
  do {
    end = tam_span_find_byte(name, ',');
    error = read_dtype(tam_span_head(name, end), available, pdtype);
    name = tam_span_from(name, end + 1);
  } while (error != 0 && name.len > 0);
  return error;
}

// ---------------------------------------------------------------------------
// What is needed

// Which of the graphs of a dtype.
typedef enum graph_choice {
  CHOICE_ALL,
  CHOICE_MODEL,
  CHOICE_MERGED
} graph_choice;

static int is_chosen(tam_span path, graph_choice choice, tam_dtype dtype) {
  switch (choice) {
  case CHOICE_MERGED:
    return is_named(path, TAM_SPAN("decoder_model_merged"), dtype) ||
           is_named(path, TAM_SPAN("encoder_model"), dtype) ||
           is_named(path, TAM_SPAN("embed_tokens"), dtype);
  case CHOICE_MODEL:
    return is_named(path, TAM_SPAN("model"), dtype);
  default:
    return tam_file_dtype(path) == dtype;
  }
}

static graph_choice choose(const tam_revision *revision, tam_span folder,
                           tam_dtype dtype) {
  graph_choice choice = CHOICE_ALL;
  for (uint32_t i = 0; i < revision->count; i++) {
    tam_span path = path_of(revision, i);
    if (!is_graph_in(path, folder)) {
      continue;
    }
    if (is_named(path, TAM_SPAN("decoder_model_merged"), dtype)) {
      return CHOICE_MERGED;
    }
    if (is_named(path, TAM_SPAN("model"), dtype)) {
      choice = CHOICE_MODEL;
    }
  }
  return choice;
}

// Returns 1 when |path| is external data of a graph that is wanted.
static int is_wanted_data(const tam_revision *revision, tam_span path) {
  tam_span graph = graph_of_data(path);
  if (tam_file_kind(graph) != TAM_FILE_ONNX) {
    return 0;
  }
  const tam_revision_file *file = tam_revision_find(revision, graph);
  return file != NULL && (file->flags & TAM_REVISION_FILE_CHOSEN) != 0;
}

void tam_file_select(tam_revision *revision, tam_dtype dtype) {
  const tam_span folder = graph_folder(revision);
  const graph_choice choice = choose(revision, folder, dtype);
  for (uint32_t i = 0; i < revision->count; i++) {
    tam_span path = path_of(revision, i);
    if (is_companion(path) ||
        (is_graph_in(path, folder) && is_chosen(path, choice, dtype))) {
      revision->files[i].flags |= TAM_REVISION_FILE_CHOSEN;
    }
  }
  // Data may stand before its graph.
  for (uint32_t i = 0; i < revision->count; i++) {
    if (is_wanted_data(revision, path_of(revision, i))) {
      revision->files[i].flags |= TAM_REVISION_FILE_CHOSEN;
    }
  }
}
