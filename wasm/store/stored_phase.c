// SPDX-License-Identifier: Apache-2.0
// Reads the stored revisions of the repository, and chooses the one that the
// caller means as far as that can be told without asking the Hub.
#include "store/store_op.h"
#include "store/verbs.h"

// The tag of the second look: under which names there are revisions.
#define TAG_NAMES 1

// What an earlier run of the phase found may have changed since.
static int stored_start(tam_store_op *op) {
  tam_store_op_free_stored(op);
  tam_span prefix =
      tam_store_op_revision_key(op, op->params.model, TAM_SPAN_NONE);
  return tam_store_op_asked(tam_storage_list(
      op->store->storage, tam_store_op_owner(op, 0), TAM_STORE_FILES, prefix));
}

// A damaged record is as good as none: what it says can be asked for again.
static int on_value(tam_store_op *op, const tam_storage_report *report) {
  if (op->stored_count == TAM_STORED_REVISIONS_MAX) {
    return TAM_PHASE_WAIT;
  }
  tam_revision *revision = &op->stored[op->stored_count];
  int error = tam_revision_load(revision, report->data, op->store->host.mem);
  if (error != 0 || !tam_span_eq(tam_revision_text(revision, revision->repo),
                                 op->params.model)) {
    tam_revision_free(revision);
    return error == TAM_ERR_OUT_OF_MEMORY ? error : TAM_PHASE_WAIT;
  }
  op->stored_count++;
  return TAM_PHASE_WAIT;
}

// The Hub does not tell names apart by their case: no two repositories differ
// in it only.
static int on_name(tam_store_op *op, tam_span key) {
  tam_span repo = tam_span_from(key, sizeof(TAM_KEY_REVISION) - 1);
  repo = tam_span_head(repo, tam_span_find_byte(repo, '@'));
  if (tam_span_eq_nocase(repo, op->params.model) &&
      !tam_span_eq(repo, op->params.model)) {
    tam_buf_reset(&op->scratch);
    tam_buf_append(&op->scratch, repo);
  }
  return TAM_PHASE_WAIT;
}

static int on_end(tam_store_op *op, uint32_t tag) {
  if (tag == TAG_NAMES) {
    return op->scratch.len > 0 || op->scratch.error != 0
               ? tam_store_op_rename(op, tam_buf_span(&op->scratch))
               : TAM_PHASE_DONE;
  }
  if (op->stored_count > 0 || op->is_renamed) {
    return TAM_PHASE_DONE;
  }
  tam_buf_reset(&op->scratch);
  return tam_store_op_asked(tam_storage_keys(op->store->storage,
                                             tam_store_op_owner(op, TAG_NAMES),
                                             TAM_SPAN(TAM_KEY_REVISION)));
}

static int stored_on_storage(tam_store_op *op,
                             const tam_storage_report *report) {
  switch (report->kind) {
  case TAM_STORAGE_VALUE:
    return on_value(op, report);
  case TAM_STORAGE_KEY:
    return on_name(op, report->key);
  case TAM_STORAGE_FAILED:
    return tam_store_op_storage_failed(op, report);
  default:
    return on_end(op, report->tag);
  }
}

const tam_phase tam_stored_phase = {
    .stage = "store",
    .start = stored_start,
    .on_storage = stored_on_storage,
};
