// SPDX-License-Identifier: Apache-2.0
// Reads the stored revisions of the repository, and chooses the one that the
// caller means as far as that can be told without asking the Hub.
#include "store/store_op.h"
#include "store/verbs.h"

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

static int stored_on_storage(tam_store_op *op,
                             const tam_storage_report *report) {
  switch (report->kind) {
  case TAM_STORAGE_VALUE:
    return on_value(op, report);
  case TAM_STORAGE_FAILED:
    return tam_store_op_storage_failed(op, report);
  default:
    return TAM_PHASE_DONE;
  }
}

const tam_phase tam_stored_phase = {
    .stage = "store",
    .start = stored_start,
    .on_storage = stored_on_storage,
};
