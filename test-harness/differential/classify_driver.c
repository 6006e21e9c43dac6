// SPDX-License-Identifier: Apache-2.0
// Lets JavaScript ask the prefilter, the file rules and the classifier about
// many rows at once: rows on standard input, answers on standard output. Runs
// natively and inside WebAssembly.
//
// A row is a sequence of fields, a letter and a value ended by NUL, and ends
// with an empty field; see read_field. An answer is a sequence of lines, also
// ended by NUL; see answer.
#include "core/model_files.h"
#include "core/names.h"
#include "core/span.h"
#include "hub/classify.h"
#include "hub/prefilter.h"

#include <stdio.h>
#include <string.h>

// More than any row of the tests has, in tags or files and in bytes.
#define VALUES_MAX 1024
#define ROW_MAX    (1U << 18)

typedef struct question {
  tam_listing_row listing;
  tam_classify_input input;
  tam_prefilter prefilter;
  tam_span tags[VALUES_MAX];
  tam_span files[VALUES_MAX];
  size_t file_count;
} question;

static void question_reset(question *row) {
  memset(row, 0, sizeof(*row));
  row->listing.parameters = -1;
  row->prefilter.max_parameters = -1;
}

static unsigned unsigned_of(tam_span value) {
  double number = 0;
  tam_span_to_uint(value, &number);
  return (unsigned)number;
}

static void append(tam_span *values, size_t *pcount, tam_span value) {
  if (*pcount < VALUES_MAX) {
    values[(*pcount)++] = value;
  }
}

static void read_config_field(tam_config_digest *config, char key,
                              tam_span value) {
  config->present = 1;
  switch (key) {
  case 'm':
    config->model_type = value;
    break;
  case 'a':
    if (config->architecture_count < TAM_ARCHITECTURES_MAX) {
      config->architectures[config->architecture_count++] = value;
    }
    break;
  case 'u':
    config->auto_map = unsigned_of(value);
    break;
  case 'd':
    config->is_decoder = 1;
    break;
  case 'M':
    config->text_model_type = value;
    break;
  case 'A':
    config->text_architecture = value;
    break;
  default: // 'c': a configuration that says nothing
    break;
  }
}

static void read_field(question *row, char key, tam_span value) {
  tam_listing_row *listing = &row->listing;
  switch (key) {
  case 'i':
    listing->id = value;
    break;
  case 'p':
    listing->pipeline_tag = value;
    break;
  case 'l':
    listing->library_name = value;
    break;
  case 't':
    append(row->tags, &listing->tag_count, value);
    break;
  case 'S': // the row has a list of files
    listing->has_siblings = 1;
    break;
  case 'f':
    append(row->files, &row->file_count, value);
    listing->file_kinds |= tam_file_kind(value);
    break;
  case 'n':
    tam_span_to_uint(value, &listing->parameters);
    break;
  case 'D':
    listing->is_disabled = 1;
    break;
  case 'g':
    listing->gated = TAM_GATED_AUTO;
    break;
  case 'x':
    row->input.auth_denied = 1;
    break;
  case 'r':
    row->prefilter.require_onnx = 1;
    break;
  case 's':
    tam_span_to_uint(value, &row->prefilter.max_parameters);
    break;
  default:
    read_config_field(&listing->config, key, value);
  }
}

static void print_span(tam_span text) {
  fwrite(text.ptr, 1, text.len, stdout);
}

// The lines of an answer: drop, preference, dtypes as bits, files as
// "kind:dtype" pairs, classification, confidence, and a piece of evidence on
// each line that follows.
static void answer(question *row) {
  tam_listing_row *listing = &row->listing;
  uint8_t dtypes[TAM_ROW_ONNX_FILES_MAX];
  listing->tags = row->tags;
  printf("%s\n%u\n%u\n",
         tam_names_at(tam_drop_names,
                      tam_prefilter_apply(&row->prefilter, listing)),
         tam_pipeline_preference(listing->pipeline_tag),
         tam_files_dtypes(row->files, row->file_count, dtypes));
  for (size_t i = 0; i < row->file_count; i++) {
    printf("%s%u:%s", i > 0 ? " " : "", tam_file_kind(row->files[i]),
           tam_dtype_name((tam_dtype)dtypes[i]));
  }
  tam_classify_input *input = &row->input;
  input->config = &listing->config;
  input->id = listing->id;
  input->pipeline_tag = listing->pipeline_tag;
  input->library_name = listing->library_name;
  input->tags = row->tags;
  input->tag_count = listing->tag_count;
  input->gated = listing->gated != TAM_GATED_FALSE;
  tam_verdict verdict;
  tam_classify(input, &verdict);
  printf("\n%s\n%s", tam_classification_name(verdict.classification),
         tam_confidence_name(verdict.confidence));
  for (size_t i = 0; i < verdict.why_count; i++) {
    printf("\n%s", verdict.why[i].rule);
    if (verdict.why[i].value.len > 0) {
      putchar('=');
      print_span(verdict.why[i].value);
    }
  }
  putchar('\0');
}

// Reads the next row from standard input into |bytes|. Returns its length, with
// the empty field at its end, or 0 at the end of input or when it is too long.
static size_t read_row(uint8_t bytes[ROW_MAX]) {
  size_t len = 0;
  int byte = getchar();
  while (byte != EOF && len < ROW_MAX) {
    bytes[len++] = (uint8_t)byte;
    if (byte == '\0' && (len == 1 || bytes[len - 2] == '\0')) {
      return len;
    }
    byte = getchar();
  }
  return 0;
}

int main(void) {
  static uint8_t bytes[ROW_MAX];
  static question current;
  for (size_t len = read_row(bytes); len > 0; len = read_row(bytes)) {
    question_reset(&current);
    for (size_t at = 0; at < len - 1;) {
      tam_span rest = {bytes + at, len - at};
      tam_span field = tam_span_head(rest, tam_span_find_byte(rest, '\0'));
      read_field(&current, (char)field.ptr[0], tam_span_from(field, 1));
      at += field.len + 1;
    }
    answer(&current);
  }
  return 0;
}
