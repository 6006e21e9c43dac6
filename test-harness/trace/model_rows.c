// SPDX-License-Identifier: Apache-2.0
#define _DEFAULT_SOURCE // timegm
#include "model_rows.h"

#include "core/json_write.h"
#include "core/model_files.h"
#include "hub/model_table.h"

#include <stdio.h>
#include <string.h>

// Where each field of a row is, in words.
enum {
#define TAM_MODEL_FIELD(name, words)                                           \
  FIELD_##name, FIELD_##name##_LAST = FIELD_##name + (words)-1,
  TAM_MODEL_FIELDS
#undef TAM_MODEL_FIELD
      ROW_WORDS
};

typedef struct table {
  tam_span bytes;
  uint32_t row_count;
  uint32_t word_count;
  uint32_t string_count;
  uint32_t blob_len;
  size_t at; // the row, in words from the start
  int is_broken;
} table;

static uint32_t word_at(table *t, size_t index) {
  uint32_t word = 0;
  if ((index + 1) * sizeof(word) > t->bytes.len) {
    t->is_broken = 1;
    return 0;
  }
  memcpy(&word, t->bytes.ptr + index * sizeof(word), sizeof(word));
  return word;
}

static double number_at(table *t, size_t index) {
  double number = 0;
  if ((index + 2) * sizeof(uint32_t) > t->bytes.len) {
    t->is_broken = 1;
    return 0;
  }
  memcpy(&number, t->bytes.ptr + index * sizeof(uint32_t), sizeof(number));
  return number;
}

static tam_span string_of(table *t, uint32_t number) {
  size_t offsets = TAM_MODEL_TABLE_HEADER_WORDS + t->word_count;
  size_t blob = (offsets + t->string_count) * sizeof(uint32_t);
  if (number == 0 || number > t->string_count) {
    t->is_broken |= number != 0;
    return TAM_SPAN_NONE;
  }
  uint32_t end = word_at(t, offsets + number - 1);
  uint32_t begin = number == 1 ? 0 : word_at(t, offsets + number - 2);
  if (begin >= end || end > t->blob_len) {
    t->is_broken = 1;
    return TAM_SPAN_NONE;
  }
  return (tam_span){t->bytes.ptr + blob + begin, end - begin};
}

static void write_string(tam_buf *w, const char *key, tam_span text) {
  tam_json_write_key(w, key);
  if (text.len > 0) {
    tam_json_write_string(w, text);
  } else {
    tam_json_write_null(w);
  }
}

static void write_known_string(tam_buf *w, const char *key, tam_span text) {
  if (text.len > 0) {
    tam_json_write_string_member(w, key, text);
  }
}

static void write_known_number(tam_buf *w, const char *key, double number) {
  if (number >= 0) {
    tam_json_write_number_member(w, key, number);
  }
}

// Writes the strings of the list at |*pindex| and steps over it.
static void write_list(table *t, tam_buf *w, size_t *pindex) {
  uint32_t count = word_at(t, (*pindex)++);
  tam_json_write_array_begin(w);
  for (uint32_t i = 0; i < count && !t->is_broken; i++) {
    tam_json_write_string(w, string_of(t, word_at(t, (*pindex)++)));
  }
  tam_json_write_array_end(w);
}

static size_t list_end(table *t, size_t index) {
  return index + 1 + word_at(t, index);
}

static void write_error(table *t, tam_buf *w) {
  tam_span message = string_of(t, word_at(t, t->at + FIELD_FETCH_MESSAGE));
  uint32_t status = word_at(t, t->at + FIELD_FETCH_STATUS_CODE);
  if (message.len == 0) {
    return;
  }
  tam_json_write_key(w, "fetchError");
  tam_json_write_object_begin(w);
  if (status != 0) {
    tam_json_write_number_member(w, "statusCode", status);
  }
  tam_json_write_string_member(w, "message", message);
  tam_json_write_object_end(w);
}

static void write_gated(table *t, tam_buf *w) {
  tam_json_write_key(w, "gated");
  switch (word_at(t, t->at + FIELD_GATED)) {
  case TAM_GATED_FALSE:
    tam_json_write_bool(w, 0);
    break;
  case TAM_GATED_AUTO:
    tam_json_write_string(w, TAM_SPAN("auto"));
    break;
  default:
    tam_json_write_string(w, TAM_SPAN("manual"));
  }
}

// Writes the variants at |index|; returns where the row ends.
static size_t write_variants(table *t, tam_buf *w, size_t index) {
  uint32_t count = word_at(t, index++);
  tam_json_write_key(w, "variants");
  tam_json_write_array_begin(w);
  for (uint32_t i = 0; i < count && !t->is_broken; i++) {
    tam_json_write_object_begin(w);
    tam_json_write_name_member(w, "dtype",
                               tam_dtype_name((tam_dtype)word_at(t, index++)));
    tam_json_write_key(w, "files");
    write_list(t, w, &index);
    tam_json_write_object_end(w);
  }
  tam_json_write_array_end(w);
  return index;
}

// The part of the entry that comes from fields.
static void write_verdict(table *t, tam_buf *w) {
  tam_json_write_string_member(
      w, "classification",
      tam_span_of(tam_classification_name(
          (tam_classification)word_at(t, t->at + FIELD_CLASSIFICATION))));
  tam_json_write_string_member(
      w, "confidence",
      tam_span_of(tam_confidence_name(
          (tam_confidence)word_at(t, t->at + FIELD_CONFIDENCE))));
  tam_json_write_string_member(
      w, "fetchStatus",
      tam_span_of(tam_fetch_status_name(
          (tam_fetch_status)word_at(t, t->at + FIELD_FETCH_STATUS))));
  write_error(t, w);
  write_gated(t, w);
}

static void write_counts(table *t, tam_buf *w) {
  write_known_string(w, "license",
                     string_of(t, word_at(t, t->at + FIELD_LICENSE)));
  write_known_number(w, "parameters", number_at(t, t->at + FIELD_PARAMETERS));
  write_known_number(w, "lastModified",
                     number_at(t, t->at + FIELD_LAST_MODIFIED));
  tam_json_write_number_member(w, "downloads",
                               number_at(t, t->at + FIELD_DOWNLOADS));
  tam_json_write_number_member(w, "likes", number_at(t, t->at + FIELD_LIKES));
}

static void write_row(table *t, tam_buf *w) {
  size_t tags = t->at + ROW_WORDS;
  size_t architectures = list_end(t, tags);
  size_t why = list_end(t, architectures);
  tam_json_write_object_begin(w);
  tam_span id = string_of(t, word_at(t, t->at + FIELD_ID));
  size_t slash = tam_span_find_byte(id, '/');
  write_string(w, "id", id);
  write_string(w, "name", slash < id.len ? tam_span_from(id, slash + 1) : id);
  write_string(w, "pipeline_tag",
               string_of(t, word_at(t, t->at + FIELD_PIPELINE_TAG)));
  if (word_at(t, tags) > 0) {
    size_t index = tags;
    tam_json_write_key(w, "tags");
    write_list(t, w, &index);
  }
  write_string(w, "model_type",
               string_of(t, word_at(t, t->at + FIELD_MODEL_TYPE)));
  tam_json_write_key(w, "architectures");
  if (word_at(t, architectures) > 0) {
    size_t index = architectures;
    write_list(t, w, &index);
  } else {
    tam_json_write_null(w);
  }
  write_verdict(t, w);
  write_counts(t, w);
  size_t end = write_variants(t, w, list_end(t, why));
  tam_json_write_key(w, "why");
  write_list(t, w, &why);
  tam_json_write_object_end(w);
  t->at = end;
}

int model_rows_to_json(tam_span bytes, tam_buf *json) {
  table t = {.bytes = bytes, .at = TAM_MODEL_TABLE_HEADER_WORDS};
  t.row_count = word_at(&t, 0);
  t.word_count = word_at(&t, 1);
  t.string_count = word_at(&t, 2);
  t.blob_len = word_at(&t, 3);
  size_t words =
      TAM_MODEL_TABLE_HEADER_WORDS + (size_t)t.word_count + t.string_count;
  if (t.is_broken || words * sizeof(uint32_t) + t.blob_len != bytes.len) {
    return 0;
  }
  tam_json_write_array_begin(json);
  for (uint32_t i = 0; i < t.row_count && !t.is_broken; i++) {
    write_row(&t, json);
  }
  tam_json_write_array_end(json);
  return !t.is_broken && t.at == TAM_MODEL_TABLE_HEADER_WORDS + t.word_count;
}
