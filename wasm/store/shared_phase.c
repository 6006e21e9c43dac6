// SPDX-License-Identifier: Apache-2.0
// The objects that TabAgent and this program share: what TabAgent's manifest
// says of a model, and settings. Whoever wants one read gets its text; whoever
// wants one changed hands in a merge patch, so that nobody's change is lost.
#include "store/shared_phase.h"
#include "core/json_tree.h"
#include "core/json_write.h"
#include "core/names.h"
#include "store/file_select.h"
#include "store/store_op.h"

// The longest object.
#define OBJECT_MAX (UINT32_C(1) << 20)

static const char *store_of(const tam_store_op *op) {
  return op->params.model.len > 0 ? TAM_STORE_MANIFEST : TAM_STORE_SETTINGS;
}

static tam_span key_of(const tam_store_op *op) {
  return op->params.model.len > 0 ? op->params.model : op->params.id;
}

static int read_object(tam_store_op *op) {
  tam_buf_reset(&op->rows);
  return tam_store_op_asked(tam_storage_get(
      op->store->storage, tam_store_op_owner(op, 0), store_of(op), key_of(op)));
}

// What is handed in is a list, of one patch.
static int shared_go_on(tam_store_op *op) {
  tam_batch batch;
  if (!op->params.is_input) {
    return read_object(op);
  }
  if (!op->has_rows) {
    return TAM_PHASE_WAIT;
  }
  if (op->rows.error != 0 || op->rows.len < 2) {
    return tam_store_op_fail(op, TAM_ERR_INVALID_PARAMS,
                             "listing: expected one patch");
  }
  tam_batch_init(&batch, op->store->host.mem);
  tam_batch_merge(&batch, store_of(op), key_of(op),
                  (tam_span){op->rows.data + 1, op->rows.len - 2});
  op->news.has_changed_manifest = op->params.model.len > 0;
  op->params.is_input = 0; // it is read now
  return tam_store_op_write(op, &batch);
}

static int shared_start(tam_store_op *op) {
  if (key_of(op).len == 0) {
    return tam_store_op_fail(op, TAM_ERR_INVALID_PARAMS,
                             "id: expected the name of an object");
  }
  return shared_go_on(op);
}

static int shared_on_storage(tam_store_op *op,
                             const tam_storage_report *report) {
  if (report->kind == TAM_STORAGE_FAILED) {
    return tam_store_op_storage_failed(op, report);
  }
  if (op->rows.len > 0) { // the patch was written
    return read_object(op);
  }
  if (report->data.len > OBJECT_MAX) {
    return TAM_ERR_TOO_LARGE;
  }
  tam_buf_append(&op->rows, report->data);
  return op->rows.error != 0 ? op->rows.error : TAM_PHASE_DONE;
}

const tam_phase tam_shared_phase = {
    .stage = "store",
    .start = shared_start,
    .on_storage = shared_on_storage,
    .on_rows = shared_go_on,
};

// ---------------------------------------------------------------------------
// The status of a dtype in TabAgent's manifest

// The patch of the dtypes of a model whose status changes.
#define PATCH_MAX 65536

static int is_meant(const tam_store_op *op, const tam_json_node *quant,
                    const char *from, const char *to) {
  tam_dtype named = TAM_DTYPE_COUNT;
  tam_span status =
      tam_json_get_string(tam_json_get_member(quant, TAM_SPAN("status")));
  tam_span dtype =
      tam_json_get_string(tam_json_get_member(quant, TAM_SPAN("dtype")));
  (void)tam_file_select_dtype(dtype, TAM_DTYPES_ALL, &named);
  return (from == NULL ? !tam_span_is(status, to)
                       : tam_names_find(from, status) >= 0) &&
         (op->params.dtype.len == 0 || named == op->dtype);
}

// An entry that cannot be read is left alone: it is not ours alone.
int tam_store_op_put_statuses(tam_store_op *op, tam_span repo, tam_span text,
                              const char *from, const char *to) {
  const tam_mem *mem = op->store->host.mem;
  tam_json_node *root = NULL;
  tam_buf patch;
  int is_changed = 0;
  int error = tam_json_tree_parse(&root, text, mem);
  tam_buf_init(&patch, mem, PATCH_MAX);
  tam_json_write_object_begin(&patch);
  tam_json_write_member_begin(&patch, "quants");
  const tam_json_node *quants = tam_json_get_member(root, TAM_SPAN("quants"));
  for (const tam_json_node *at = tam_json_get_first(quants); at != NULL;
       at = tam_json_get_next(at)) {
    if (is_meant(op, at, from, to)) {
      tam_json_write_string(&patch, tam_json_get_key(at));
      tam_buf_append_byte(&patch, ':');
      tam_json_write_object_begin(&patch);
      tam_json_write_name_member(&patch, "status", to);
      tam_json_write_object_end(&patch);
      is_changed = 1;
    }
  }
  tam_json_write_object_end(&patch);
  tam_json_write_object_end(&patch);
  if (patch.error == TAM_ERR_OUT_OF_MEMORY) {
    error = patch.error;
  } else if (is_changed && patch.error == 0) {
    tam_batch_merge(&op->batch, TAM_STORE_MANIFEST, repo, tam_buf_span(&patch));
    op->news.has_changed_manifest = 1;
  }
  tam_buf_free(&patch);
  tam_json_tree_free(root, mem);
  return error == TAM_ERR_OUT_OF_MEMORY ? error : 0;
}

// What became of loading a dtype. One that nobody knows is no dtype of the
// manifest either.
static int status_start(tam_store_op *op) {
  if (op->params.dtype.len == 0 ||
      tam_file_select_dtype(op->params.dtype, TAM_DTYPES_ALL, &op->dtype) !=
          0) {
    return TAM_PHASE_DONE;
  }
  return tam_store_op_asked(
      tam_storage_get(op->store->storage, tam_store_op_owner(op, 0),
                      TAM_STORE_MANIFEST, op->params.model));
}

static int status_on_storage(tam_store_op *op,
                             const tam_storage_report *report) {
  if (report->kind == TAM_STORAGE_FAILED) {
    return tam_store_op_storage_failed(op, report);
  }
  if (op->news.has_changed_manifest || !report->found) {
    return TAM_PHASE_DONE;
  }
  int error =
      op->params.failed
          ? tam_store_op_put_statuses(op, op->params.model, report->data, NULL,
                                      "failed")
          : tam_store_op_put_statuses(op, op->params.model, report->data,
                                      "failed\0", "downloaded");
  if (error != 0 || !op->news.has_changed_manifest) {
    return error != 0 ? error : TAM_PHASE_DONE;
  }
  return tam_store_op_write(op, &op->batch);
}

const tam_phase tam_status_phase = {
    .stage = "store",
    .start = status_start,
    .on_storage = status_on_storage,
};
