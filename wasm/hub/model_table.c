// SPDX-License-Identifier: Apache-2.0
#include "hub/model_table.h"

#include "core/mem.h"
#include "core/model_files.h"
#include "core/span.h"
#include "core/time.h"

#include <string.h>

// Caps of the parts; the largest real lists need a tenth.
#define WORDS_MAX (16U << 20)
#define BLOB_MAX  (32U << 20)

// "rule=value" of one piece of evidence.
#define WHY_TEXT_MAX (64 + TAM_ROW_STRING_MAX)

// A power of two above the number of different strings in a usual list.
#define SLOTS 4096U

typedef struct packer {
  tam_buf words;
  tam_buf offsets;
  tam_buf blob;
  uint8_t *at;     // where the next word of the row goes
  uint32_t *slots; // the number of the last string of each hash, 0: none yet
  uint32_t string_count;
} packer;

static int packer_error(const packer *pack) {
  const int error =
      pack->words.error != 0 ? pack->words.error : pack->offsets.error;
  return error != 0 ? error : pack->blob.error;
}

// Room for the words of a row is made before they are written.
static void packer_word(packer *pack, uint32_t word) {
  memcpy(pack->at, &word, sizeof(word));
  pack->at += sizeof(word);
}

static void packer_number(packer *pack, double number) {
  memcpy(pack->at, &number, sizeof(number));
  pack->at += sizeof(number);
}

static tam_span packer_string_at(const packer *pack, uint32_t number) {
  uint32_t bounds[2] = {0, 0}; // where the string before it ends, and its own
  size_t count = number > 1 ? 2 : 1;
  memcpy(bounds + 2 - count, pack->offsets.data + (number - count) * 4,
         count * 4);
  return (tam_span){pack->blob.data + bounds[0], bounds[1] - bounds[0]};
}

// Returns the number of |text|. Of the strings with one hash only the last is
// remembered: a few are packed again, which costs less than a search.
static uint32_t packer_number_of(packer *pack, tam_span text) {
  uint32_t *number = &pack->slots[tam_span_hash(text, 0) % SLOTS];
  if (*number == 0 || !tam_span_eq(packer_string_at(pack, *number), text)) {
    tam_buf_append(&pack->blob, text);
    tam_buf_append_u32(&pack->offsets, (uint32_t)pack->blob.len);
    if (packer_error(pack) != 0) {
      return 0;
    }
    *number = ++pack->string_count;
  }
  return *number;
}

static void packer_string(packer *pack, tam_span text) {
  packer_word(pack, text.len == 0 ? 0 : packer_number_of(pack, text));
}

static void packer_strings(packer *pack, const tam_span *spans, size_t count) {
  packer_word(pack, (uint32_t)count);
  for (size_t i = 0; i < count; i++) {
    packer_string(pack, spans[i]);
  }
}

static void packer_why(packer *pack, const tam_verdict *verdict) {
  uint8_t text[WHY_TEXT_MAX];
  packer_word(pack, (uint32_t)verdict->why_count);
  for (size_t i = 0; i < verdict->why_count; i++) {
    tam_buf line;
    tam_buf_init_fixed(&line, text, sizeof(text));
    tam_buf_append(&line, tam_span_of(verdict->why[i].rule));
    if (verdict->why[i].value.len > 0) {
      tam_buf_append_byte(&line, '=');
      tam_buf_append(&line, verdict->why[i].value);
    }
    packer_string(pack, tam_buf_span(&line));
  }
}

// One variant per dtype that has a graph; its external data goes with it.
static void packer_variants(packer *pack, const tam_listing_row *row) {
  uint8_t dtypes[TAM_ROW_ONNX_FILES_MAX];
  uint32_t files[TAM_DTYPE_COUNT] = {0};
  unsigned graphs =
      tam_files_dtypes(row->onnx_files, row->onnx_file_count, dtypes);
  for (size_t i = 0; i < row->onnx_file_count; i++) {
    files[dtypes[i]]++;
  }
  packer_word(pack, (uint32_t)__builtin_popcount(graphs));
  for (unsigned dtype = 0; dtype < TAM_DTYPE_COUNT; dtype++) {
    if ((graphs & (1U << dtype)) == 0) {
      continue;
    }
    packer_word(pack, dtype);
    packer_word(pack, files[dtype]);
    for (size_t i = 0; i < row->onnx_file_count; i++) {
      if (dtypes[i] == dtype) {
        packer_string(pack, row->onnx_files[i]);
      }
    }
  }
}

// The words that a row takes at most: the fixed part, the lengths of four
// lists, the strings in them, and for each variant its name and length.
static size_t words_max(const tam_candidate *candidate) {
  const tam_listing_row *row = &candidate->row;
  return TAM_MODEL_ROW_WORDS + 4 + row->tag_count +
         row->config.architecture_count + candidate->verdict.why_count +
         row->onnx_file_count + 2 * TAM_DTYPE_COUNT;
}

static void packer_row(packer *pack, const tam_candidate *candidate) {
  const tam_listing_row *row = &candidate->row;
  pack->at = tam_buf_grow(&pack->words, words_max(candidate) * 4);
  if (pack->at == NULL) {
    return;
  }
  packer_string(pack, row->id);
  packer_string(pack, row->pipeline_tag);
  packer_string(pack, row->config.model_type);
  packer_string(pack, tam_row_license(row));
  packer_word(pack, (uint32_t)candidate->verdict.classification);
  packer_word(pack, (uint32_t)candidate->verdict.confidence);
  packer_word(pack, (uint32_t)candidate->fetch_status);
  packer_word(pack, candidate->status_code);
  packer_string(pack, tam_buf_span(&candidate->fetch_message));
  packer_word(pack, (uint32_t)row->gated);
  packer_number(pack, tam_time_of(row->last_modified));
  packer_number(pack, row->parameters);
  packer_number(pack, candidate->rank.downloads);
  packer_number(pack, candidate->rank.likes);
  packer_strings(pack, row->tags, row->tag_count);
  packer_strings(pack, row->config.architectures,
                 row->config.architecture_count);
  packer_why(pack, &candidate->verdict);
  packer_variants(pack, row);
  pack->words.len = (size_t)(pack->at - pack->words.data);
}

static void packer_finish(packer *pack, size_t row_count, tam_buf *table) {
  const uint32_t header[TAM_MODEL_TABLE_HEADER_WORDS] = {
      (uint32_t)row_count,
      (uint32_t)(pack->words.len / sizeof(uint32_t)),
      pack->string_count,
      (uint32_t)pack->blob.len,
  };
  tam_buf_append(table, (tam_span){(const uint8_t *)header, sizeof(header)});
  tam_buf_append(table, tam_buf_span(&pack->words));
  tam_buf_append(table, tam_buf_span(&pack->offsets));
  tam_buf_append(table, tam_buf_span(&pack->blob));
}

int tam_model_table_pack(const tam_candidates *set, tam_buf *table,
                         const tam_mem *mem) {
  packer pack = {.slots = tam_mem_calloc(mem, SLOTS, sizeof(uint32_t))};
  if (pack.slots == NULL) {
    return TAM_ERR_OUT_OF_MEMORY;
  }
  tam_buf_init(&pack.words, mem, WORDS_MAX);
  tam_buf_init(&pack.offsets, mem, WORDS_MAX);
  tam_buf_init(&pack.blob, mem, BLOB_MAX);
  for (size_t i = 0; i < set->count && packer_error(&pack) == 0; i++) {
    packer_row(&pack, set->items[i]);
  }
  int error = packer_error(&pack);
  if (error == 0) {
    packer_finish(&pack, set->count, table);
    error = table->error;
  }
  tam_mem_free(mem, pack.slots);
  tam_buf_free(&pack.words);
  tam_buf_free(&pack.offsets);
  tam_buf_free(&pack.blob);
  return error;
}

// ---------------------------------------------------------------------------
// Fields that need reading

tam_span tam_row_license(const tam_listing_row *row) {
  const tam_span prefix = TAM_SPAN("license:");
  for (size_t i = 0; i < row->tag_count; i++) {
    if (tam_span_starts_with(row->tags[i], prefix)) {
      return tam_span_from(row->tags[i], prefix.len);
    }
  }
  return TAM_SPAN_NONE;
}
