// SPDX-License-Identifier: Apache-2.0
// All models of the store, for those who list them or look for room.
#ifndef TAM_STORE_MODELS_H
#define TAM_STORE_MODELS_H

#include "core/repo_id.h"
#include "store/phase.h"

// The most models that are listed; beyond it nobody looks.
#define TAM_MODELS_MAX 4096

// The longest text about all of them.
#define TAM_MODELS_JSON_MAX (UINT32_C(8) << 20)

typedef struct tam_model {
  uint8_t repo[TAM_REPO_ID_MAX];
  uint8_t repo_len;
  uint8_t is_pinned;
  uint8_t has_revision;
  uint8_t is_old;      // files of it were stored by TabAgent
  uint32_t old_dtypes; // of those, as bits 1U << tam_dtype
  double used_ms;      // 0: never
  double bytes;        // of its complete files, each content once
} tam_model;

typedef struct tam_models {
  tam_model *list;
  size_t count;
  tam_buf rows; // the beginning of a row for each revision: the place of its
                // model, a blank, JSON, a line feed
  uint32_t row_count;
  tam_buf row_bytes; // of each, a double: contents that no other row counts
  tam_buf json;      // the rows
  tam_buf seen;      // the contents of the model at |seen_of|, see models.c
  const tam_model *seen_of;
  unsigned waiting; // lists that are still being read
} tam_models;

void tam_models_init(tam_models *models, const tam_mem *mem);
void tam_models_free(tam_models *models, const tam_mem *mem);

// Reads all models. What it asks for is reported to the second function, which
// returns DONE at the end.
int tam_models_ask(tam_store_op *op);
int tam_models_on_storage(tam_store_op *op, const tam_storage_report *report);

// Sorts the models so that those come first that would be given up first: the
// least recently used ones, never a pinned one and never |keep|. Returns how
// many of them make up |bytes|, all that may go when they do not.
size_t tam_models_evict(tam_models *models, tam_span keep, double bytes);

// Append the keys of what is known of a model besides its files.
void tam_models_append_used_key(tam_span repo, tam_buf *key);
void tam_models_append_pin_key(tam_span repo, tam_buf *key);

// Puts the time of its latest use into |batch|.
void tam_models_put_used(tam_span repo, double now_ms, tam_batch *batch);

#endif // TAM_STORE_MODELS_H
