// SPDX-License-Identifier: Apache-2.0
// Deleting really deletes: the keys of the repository are listed and those go
// that belong to what is given up, however they came to be there.
#include "core/json_write.h"
#include "store/file_select.h"
#include "store/store_op.h"
#include "store/transfer_write.h"
#include "store/verbs.h"

// The steps: which keys are being listed.
enum { STEP_CONTENTS = 1, STEP_JOURNALS, STEP_REVISIONS, STEP_WRITE };

static int list_keys(tam_store_op *op, uint32_t step, const char *prefix) {
  tam_buf text;
  tam_buf_init(&text, op->store->host.mem, TAM_STORAGE_KEY_MAX);
  tam_buf_append_text(&text, prefix);
  tam_buf_append(&text, op->params.model);
  uint32_t request = tam_storage_keys(
      op->store->storage, tam_store_op_owner(op, step), tam_buf_span(&text));
  tam_buf_free(&text);
  return tam_store_op_asked(request);
}

// Returns 1 when |text| begins with the repository and then something that
// cannot belong to the name of another one.
static int is_of_model(const tam_store_op *op, tam_span text) {
  tam_span model = op->params.model;
  return tam_span_starts_with(text, model) && text.len > model.len &&
         (text.ptr[model.len] == '/' || text.ptr[model.len] == '@');
}

// Cuts "_chunk_<n>" or ":manifest" off a key; what is left is its group.
static tam_span group_of(tam_span key) {
  static const char manifest[] = ":manifest";
  size_t len = key.len;
  if (tam_span_ends_with(key, TAM_SPAN(":manifest"))) {
    return tam_span_head(key, len - (sizeof(manifest) - 1));
  }
  while (len > 0 && key.ptr[len - 1] >= '0' && key.ptr[len - 1] <= '9') {
    len--;
  }
  tam_span head = tam_span_head(key, len);
  return tam_span_ends_with(head, TAM_SPAN(TAM_KEY_CHUNK))
             ? tam_span_head(head, len - (sizeof(TAM_KEY_CHUNK) - 1))
             : key;
}

// Returns 1 when a file of |revision| that stays has its content in |group|.
static int revision_keeps(tam_store_op *op, const tam_revision *revision,
                          tam_span group) {
  for (size_t i = 0; i < revision->count; i++) {
    const tam_revision_file *file = &revision->files[i];
    if ((file->flags & TAM_REVISION_FILE_WANTED) != 0) {
      tam_buf_reset(&op->body);
      tam_revision_append_group(revision, file, &op->body);
      if (tam_span_eq(tam_buf_span(&op->body), group)) {
        return 1;
      }
    }
  }
  return 0;
}

static int is_kept(tam_store_op *op, tam_span group) {
  if (op->has_revision && revision_keeps(op, &op->revision, group)) {
    return 1;
  }
  for (size_t i = 0; i < op->stored_count; i++) {
    if (revision_keeps(op, &op->stored[i], group)) {
      return 1;
    }
  }
  return 0;
}

static void on_key(tam_store_op *op, const tam_storage_report *report) {
  tam_span text = report->key;
  if (report->tag == STEP_JOURNALS) {
    text = tam_span_from(text, sizeof(TAM_KEY_FILE) - 1);
  } else if (report->tag == STEP_REVISIONS) {
    text = tam_span_from(text, sizeof(TAM_KEY_REVISION) - 1);
  }
  if (!is_of_model(op, text)) {
    return;
  }
  int is_content = report->tag == STEP_CONTENTS;
  int stays = report->tag == STEP_REVISIONS
                  ? op->params.dtype.len > 0
                  : is_kept(op, is_content ? group_of(text) : text);
  if (!stays) {
    tam_batch_delete(&op->batch, TAM_STORE_FILES, report->key);
  }
}

// ---------------------------------------------------------------------------
// What is given up

// Wants nothing but what the dtypes need that stay.
static void give_up_dtype(tam_store_op *op, tam_revision *revision) {
  revision->dtypes &= ~(1U << op->dtype);
  tam_store_op_choose_dtypes(revision, revision->dtypes);
  for (size_t i = 0; i < revision->count; i++) {
    tam_revision_file *file = &revision->files[i];
    if ((file->flags & TAM_REVISION_FILE_CHOSEN) == 0) {
      file->flags &=
          (uint8_t) ~(TAM_REVISION_FILE_WANTED | TAM_REVISION_FILE_COMPLETE);
    }
  }
  tam_revision_put(op, revision, &op->batch);
}

static void give_up_all(tam_revision *revision) {
  for (size_t i = 0; i < revision->count; i++) {
    revision->files[i].flags = 0;
  }
}

static void give_up(tam_store_op *op) {
  for (size_t i = 0; i < op->stored_count; i++) {
    tam_revision *revision = &op->stored[i];
    if (op->params.dtype.len == 0) {
      give_up_all(revision);
    } else if (tam_file_select_dtype(op->params.dtype,
                                     tam_file_select_available(revision),
                                     &op->dtype) == 0) {
      give_up_dtype(op, revision);
    }
  }
}

// TabAgent's panel shows what is there by this.
static void put_status(tam_store_op *op) {
  tam_batch_delete(&op->batch, TAM_STORE_MANIFEST, op->params.model);
}

static int delete_start(tam_store_op *op) {
  tam_batch_init(&op->batch, op->store->host.mem);
  op->has_batch = 1;
  give_up(op);
  return list_keys(op, STEP_CONTENTS, "");
}

static int write_batch(tam_store_op *op) {
  if (op->params.dtype.len == 0) {
    uint8_t text[TAM_STORE_KEY_MAX];
    tam_buf key;
    tam_buf_init_fixed(&key, text, sizeof(text));
    tam_models_append_used_key(op->params.model, &key);
    tam_batch_delete(&op->batch, TAM_STORE_FILES, tam_buf_span(&key));
    tam_buf_reset(&key);
    tam_models_append_pin_key(op->params.model, &key);
    tam_batch_delete(&op->batch, TAM_STORE_FILES, tam_buf_span(&key));
    put_status(op);
  }
  return tam_store_op_asked(tam_storage_write(
      op->store->storage, tam_store_op_owner(op, STEP_WRITE), &op->batch));
}

static int on_end(tam_store_op *op, uint32_t step) {
  switch (step) {
  case STEP_CONTENTS:
    return list_keys(op, STEP_JOURNALS, TAM_KEY_FILE);
  case STEP_JOURNALS:
    return list_keys(op, STEP_REVISIONS, TAM_KEY_REVISION);
  case STEP_REVISIONS:
    return write_batch(op);
  default:
    return TAM_PHASE_DONE;
  }
}

static int delete_on_storage(tam_store_op *op,
                             const tam_storage_report *report) {
  if (report->kind == TAM_STORAGE_FAILED) {
    return tam_store_op_storage_failed(op, report);
  }
  if (report->kind == TAM_STORAGE_KEY) {
    on_key(op, report);
    return TAM_PHASE_WAIT;
  }
  return on_end(op, report->tag);
}

const tam_phase tam_delete_phase = {
    .stage = "delete",
    .start = delete_start,
    .on_storage = delete_on_storage,
};
