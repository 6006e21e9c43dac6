// SPDX-License-Identifier: Apache-2.0
// Deleting really deletes: the keys of the repository are listed and those go
// that belong to what is given up, however they came to be there.
#include "core/json_tree.h"
#include "core/json_write.h"
#include "store/file_select.h"
#include "store/shared_phase.h"
#include "store/store_op.h"
#include "store/transfer_write.h"
#include "store/verbs.h"

// The steps: which keys are being listed.
enum {
  STEP_CONTENTS = 1,
  STEP_JOURNALS,
  STEP_REVISIONS,
  STEP_ADDRESSES,
  STEP_MANIFEST,
  STEP_WRITE
};

static int list_keys(tam_store_op *op, uint32_t step, const char *prefix) {
  return tam_store_op_asked(tam_storage_keys(op->store->storage,
                                             tam_store_op_owner(op, step),
                                             tam_store_op_prefix(op, prefix)));
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
  tam_span group = key;
  double chunk;
  if (tam_span_ends_with(key, TAM_SPAN(TAM_KEY_MANIFEST))) {
    return tam_span_head(key, key.len - (sizeof(TAM_KEY_MANIFEST) - 1));
  }
  (void)tam_store_key_read_chunk(key, &group, &chunk);
  return group;
}

// Returns 1 when a file of |revision| that stays has its content in |group|.
static int revision_keeps(tam_store_op *op, const tam_revision *revision,
                          tam_span group) {
  for (size_t i = 0; i < revision->count; i++) {
    const tam_revision_file *file = &revision->files[i];
    if ((file->flags & TAM_REVISION_FILE_WANTED) != 0) {
      tam_buf_reset(&op->scratch);
      tam_revision_append_group(revision, file, &op->scratch);
      if (op->scratch.error != 0) { // nothing goes that might have to stay
        op->batch.json.error = op->scratch.error;
      }
      if (tam_span_eq(tam_buf_span(&op->scratch), group)) {
        return 1;
      }
    }
  }
  return 0;
}

// Returns 1 for a graph, or a part of one, of the dtype in work.
static int is_of_dtype(const tam_store_op *op, tam_span path) {
  return (tam_file_kind(path) & (TAM_FILE_ONNX | TAM_FILE_ONNX_DATA)) != 0 &&
         tam_file_dtype(path) == op->dtype;
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

// When one dtype is given up: what TabAgent stored of others, about which no
// revision says anything, is not ours to delete.
static int is_of_others(const tam_store_op *op, tam_span path) {
  unsigned is_graph =
      tam_file_kind(path) & (TAM_FILE_ONNX | TAM_FILE_ONNX_DATA);
  return op->params.dtype.len > 0 && !is_of_dtype(op, path) &&
         (is_graph != 0 || op->stored_count == 0);
}

static int stays(tam_store_op *op, uint32_t step, tam_span text) {
  tam_span group = step == STEP_CONTENTS ? group_of(text) : text;
  switch (step) {
  case STEP_REVISIONS:
    return op->params.dtype.len > 0;
  case STEP_ADDRESSES:
    return op->params.dtype.len > 0 && !is_of_dtype(op, text);
  default:
    return is_kept(op, group) || is_of_others(op, group);
  }
}

static void on_key(tam_store_op *op, const tam_storage_report *report) {
  tam_span text = report->key;
  if (report->tag == STEP_JOURNALS) {
    text = tam_span_from(text, sizeof(TAM_KEY_FILE) - 1);
  } else if (report->tag == STEP_REVISIONS) {
    text = tam_span_from(text, sizeof(TAM_KEY_REVISION) - 1);
  } else if (report->tag == STEP_ADDRESSES) {
    text = tam_span_from(text, sizeof(TAM_KEY_ADDRESS) - 1);
  }
  if (!is_of_model(op, text)) {
    return;
  }
  if (!stays(op, report->tag, text)) {
    tam_batch_delete(&op->batch, TAM_STORE_FILES, report->key);
  }
}

// ---------------------------------------------------------------------------
// What is given up

// Wants no longer what only this dtype needs; with the last one goes all.
static void give_up_dtype(tam_store_op *op, tam_revision *revision) {
  unsigned wanted = revision->dtypes |
                    tam_file_select_flagged(revision, TAM_REVISION_FILE_WANTED);
  unsigned left = wanted & ~(1U << op->dtype);
  revision->dtypes &= ~(1U << op->dtype);
  tam_store_op_choose_dtypes(revision, left);
  for (size_t i = 0; i < revision->count; i++) {
    tam_revision_file *file = &revision->files[i];
    tam_span path = tam_revision_text(revision, file->path);
    if ((file->flags & TAM_REVISION_FILE_CHOSEN) == 0 &&
        (left == 0 || is_of_dtype(op, path))) {
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

static int give_up(tam_store_op *op) {
  if (op->params.dtype.len > 0 &&
      tam_file_select_dtype(op->params.dtype, TAM_DTYPES_ALL, &op->dtype) !=
          0) {
    return tam_store_op_fail(op, TAM_ERR_INVALID_PARAMS,
                             "dtype: there is none of this name");
  }
  for (size_t i = 0; i < op->stored_count; i++) {
    tam_revision *revision = &op->stored[i];
    if (op->params.dtype.len == 0) {
      give_up_all(revision);
    } else {
      give_up_dtype(op, revision);
    }
  }
  return 0;
}

// ---------------------------------------------------------------------------
// TabAgent's manifest

static int ask_manifest(tam_store_op *op) {
  return tam_store_op_asked(
      tam_storage_get(op->store->storage, tam_store_op_owner(op, STEP_MANIFEST),
                      TAM_STORE_MANIFEST, op->params.model));
}

static int delete_start(tam_store_op *op) {
  int error = give_up(op);
  return error != 0 ? error : list_keys(op, STEP_CONTENTS, "");
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
  }
  return tam_store_op_asked(tam_storage_write(
      op->store->storage, tam_store_op_owner(op, STEP_WRITE), &op->batch));
}

static int on_end(tam_store_op *op, const tam_storage_report *report) {
  int error = 0;
  switch (report->tag) {
  case STEP_CONTENTS:
    return list_keys(op, STEP_JOURNALS, TAM_KEY_FILE);
  case STEP_JOURNALS:
    return list_keys(op, STEP_REVISIONS, TAM_KEY_REVISION);
  case STEP_REVISIONS:
    return list_keys(op, STEP_ADDRESSES, TAM_KEY_ADDRESS);
  case STEP_ADDRESSES:
    return ask_manifest(op);
  case STEP_MANIFEST:
    if (report->found) {
      error = tam_store_op_put_statuses(op, op->params.model, report->data,
                                        TAM_STATUSES_STORED, "available");
    }
    return error != 0 ? error : write_batch(op);
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
  return on_end(op, report);
}

const tam_phase tam_delete_phase = {
    .stage = "delete",
    .start = delete_start,
    .on_storage = delete_on_storage,
};

// ---------------------------------------------------------------------------
// Sweeping: what was left by revisions that nobody can reach any more. Content
// without a journal is not ours, but TabAgent's, and stays.

static int is_stale(const tam_revision *revision) {
  return (revision->flags & (TAM_REVISION_CURRENT | TAM_REVISION_PREVIOUS)) ==
         0;
}

static int sweep_start(tam_store_op *op) {
  for (size_t i = 0; i < op->stored_count; i++) {
    tam_revision *revision = &op->stored[i];
    if (is_stale(revision)) {
      give_up_all(revision);
      tam_batch_delete(&op->batch, TAM_STORE_FILES,
                       tam_store_op_revision_key(
                           op, op->params.model,
                           tam_revision_text(revision, revision->commit)));
    }
  }
  tam_buf_reset(&op->rows);
  return list_keys(op, STEP_JOURNALS, TAM_KEY_FILE);
}

// Notes the group of a journal that nobody needs.
static void on_journal_key(tam_store_op *op, tam_span key) {
  tam_span group = tam_span_from(key, sizeof(TAM_KEY_FILE) - 1);
  if (is_of_model(op, group) && !is_kept(op, group)) {
    tam_batch_delete(&op->batch, TAM_STORE_FILES, key);
    tam_buf_append(&op->rows, group);
    tam_buf_append_byte(&op->rows, '\n');
  }
}

static int is_noted(const tam_store_op *op, tam_span group) {
  tam_span rest = tam_buf_span(&op->rows);
  while (rest.len > 0) {
    size_t end = tam_span_find_byte(rest, '\n');
    if (tam_span_eq(tam_span_head(rest, end), group)) {
      return 1;
    }
    rest = tam_span_from(rest, end + 1);
  }
  return 0;
}

static int sweep_on_end(tam_store_op *op, uint32_t step) {
  if (step == STEP_JOURNALS && op->rows.len > 0) {
    return list_keys(op, STEP_CONTENTS, "");
  }
  if (step == STEP_WRITE || op->batch.json.len == 0) {
    return TAM_PHASE_DONE;
  }
  return tam_store_op_asked(tam_storage_write(
      op->store->storage, tam_store_op_owner(op, STEP_WRITE), &op->batch));
}

// What cannot be swept now is swept the next time: the download is complete.
static int sweep_on_storage(tam_store_op *op,
                            const tam_storage_report *report) {
  if (report->kind == TAM_STORAGE_FAILED) {
    return TAM_PHASE_DONE;
  }
  if (report->kind != TAM_STORAGE_KEY) {
    return sweep_on_end(op, report->tag);
  }
  if (report->tag == STEP_JOURNALS) {
    on_journal_key(op, report->key);
  } else if (is_noted(op, group_of(report->key))) {
    tam_batch_delete(&op->batch, TAM_STORE_FILES, report->key);
  }
  return TAM_PHASE_WAIT;
}

const tam_phase tam_sweep_phase = {
    .stage = "store",
    .start = sweep_start,
    .on_storage = sweep_on_storage,
};

// ---------------------------------------------------------------------------
// All models

// Returns 1 for what the store or TabAgent keeps of models; "files" has other
// things as well, such as the user's token.
static int is_of_any_model(tam_span key) {
  return tam_span_starts_with(key, TAM_SPAN("tabagent:")) ||
         tam_span_starts_with(key, TAM_SPAN("https://")) ||
         tam_span_starts_with(key, TAM_SPAN("http://")) ||
         tam_span_starts_with(key, TAM_SPAN("chrome-extension://")) ||
         group_of(key).len < key.len;
}

static int clear_start(tam_store_op *op) {
  for (const tam_store_op *other = op->store->first; other != NULL;
       other = other->next) {
    if (other->verb->is_queued && !other->is_ended) {
      return tam_store_op_fail(op, TAM_ERR_BUSY, "a download is running");
    }
  }
  return list_keys(op, STEP_CONTENTS, "");
}

static int clear_on_end(tam_store_op *op, uint32_t step) {
  switch (step) {
  case STEP_CONTENTS:
    return tam_store_op_asked(tam_storage_list(
        op->store->storage, tam_store_op_owner(op, STEP_MANIFEST),
        TAM_STORE_MANIFEST, TAM_SPAN_NONE));
  case STEP_MANIFEST:
    return tam_store_op_asked(tam_storage_write(
        op->store->storage, tam_store_op_owner(op, STEP_WRITE), &op->batch));
  default:
    return TAM_PHASE_DONE;
  }
}

static int clear_on_storage(tam_store_op *op,
                            const tam_storage_report *report) {
  switch (report->kind) {
  case TAM_STORAGE_FAILED:
    return tam_store_op_storage_failed(op, report);
  case TAM_STORAGE_KEY:
    if (is_of_any_model(report->key)) {
      tam_batch_delete(&op->batch, TAM_STORE_FILES, report->key);
    }
    return TAM_PHASE_WAIT;
  case TAM_STORAGE_VALUE:
    return tam_store_op_put_statuses(op, report->key, report->data,
                                     TAM_STATUSES_STORED, "available");
  default:
    return clear_on_end(op, report->tag);
  }
}

const tam_phase tam_clear_phase = {
    .stage = "delete",
    .start = clear_start,
    .on_storage = clear_on_storage,
};
