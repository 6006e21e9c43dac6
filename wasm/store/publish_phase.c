// SPDX-License-Identifier: Apache-2.0
// What is written about a revision besides its files: before the first byte
// that they are wanted, after the last one that the revision is the one to use.
#include "core/json_write.h"
#include "store/store_op.h"
#include "store/transfer_write.h"
#include "store/verbs.h"

// The patch of TabAgent's manifest: the files of one dtype.
#define PATCH_MAX (UINT32_C(1) << 20)

// ---------------------------------------------------------------------------
// TabAgent's manifest

// TabAgent knows a dtype by its first graph.
static const tam_revision_file *main_graph(const tam_store_op *op) {
  for (size_t i = 0; i < op->revision.count; i++) {
    const tam_revision_file *file = &op->revision.files[i];
    if ((file->flags & TAM_REVISION_FILE_CHOSEN) != 0 &&
        (tam_file_kind(tam_revision_text(&op->revision, file->path)) &
         TAM_FILE_ONNX) != 0) {
      return file;
    }
  }
  return NULL;
}

static void write_quant(const tam_store_op *op, const char *status,
                        tam_buf *patch) {
  int has_data = 0;
  tam_json_write_key(patch, "files");
  tam_json_write_array_begin(patch);
  for (size_t i = 0; i < op->revision.count; i++) {
    const tam_revision_file *file = &op->revision.files[i];
    if ((file->flags & TAM_REVISION_FILE_CHOSEN) != 0) {
      tam_json_write_string(patch,
                            tam_revision_text(&op->revision, file->path));
      has_data |= (tam_file_kind(tam_revision_text(&op->revision, file->path)) &
                   TAM_FILE_ONNX_DATA) != 0;
    }
  }
  tam_json_write_array_end(patch);
  tam_json_write_name_member(patch, "status", status);
  tam_json_write_name_member(patch, "dtype", tam_dtype_name(op->dtype));
  tam_json_write_key(patch, "hasExternalData");
  tam_json_write_bool(patch, has_data);
}

void tam_store_op_put_manifest(tam_store_op *op, const char *status,
                               tam_batch *batch) {
  const tam_revision_file *graph = main_graph(op);
  tam_buf patch;
  if (graph == NULL) {
    return;
  }
  tam_buf_init(&patch, op->store->host.mem, PATCH_MAX);
  tam_json_write_object_begin(&patch);
  tam_json_write_string_member(&patch, "repo", op->params.model);
  tam_json_write_number_member(&patch, "manifestVersion", 1);
  if (op->revision.task.len > 0) {
    tam_json_write_string_member(
        &patch, "task", tam_revision_text(&op->revision, op->revision.task));
  }
  tam_json_write_member_begin(&patch, "quants");
  tam_json_write_string(&patch, tam_revision_text(&op->revision, graph->path));
  tam_buf_append_byte(&patch, ':');
  tam_json_write_object_begin(&patch);
  write_quant(op, status, &patch);
  tam_json_write_object_end(&patch);
  tam_json_write_object_end(&patch);
  tam_json_write_object_end(&patch);
  tam_batch_merge(batch, TAM_STORE_MANIFEST, op->params.model,
                  tam_buf_span(&patch));
  op->news.has_changed_manifest = 1;
  if (patch.error != 0) {
    batch->json.error = patch.error;
  }
  tam_buf_free(&patch);
}

// ---------------------------------------------------------------------------
// Before the first byte

static int is_same_label(const tam_store_op *op, const tam_revision *other) {
  return tam_span_eq(tam_revision_text(other, other->label),
                     tam_revision_text(&op->revision, op->revision.label));
}

static int has_current(const tam_store_op *op) {
  for (size_t i = 0; i < op->stored_count; i++) {
    if ((op->stored[i].flags & TAM_REVISION_CURRENT) != 0 &&
        is_same_label(op, &op->stored[i])) {
      return 1;
    }
  }
  return 0;
}

static int begin_start(tam_store_op *op) {
  tam_batch batch;
  for (size_t i = 0; i < op->revision.count; i++) {
    tam_revision_file *file = &op->revision.files[i];
    if ((file->flags & TAM_REVISION_FILE_CHOSEN) != 0) {
      file->flags |= TAM_REVISION_FILE_WANTED;
    }
  }
  if (!has_current(op)) {
    op->revision.flags |= TAM_REVISION_CURRENT;
  }
  if (op->verb->has_dtype) {
    op->revision.dtypes |= 1U << op->dtype;
  }
  tam_batch_init(&batch, op->store->host.mem);
  tam_revision_put(op, &op->revision, &batch);
  if (op->verb->has_dtype) {
    tam_store_op_put_manifest(op, "available", &batch);
  }
  return tam_store_op_write(op, &batch);
}

const tam_phase tam_begin_phase = {
    .stage = "store",
    .start = begin_start,
    .on_storage = tam_store_op_on_written,
};

// ---------------------------------------------------------------------------
// After the last byte

// Makes the revision the one of its label; the one before it stays for a way
// back.
static void switch_to(tam_store_op *op, tam_batch *batch) {
  for (size_t i = 0; i < op->stored_count; i++) {
    tam_revision *other = &op->stored[i];
    if (is_same_label(op, other) &&
        (other->flags & (TAM_REVISION_CURRENT | TAM_REVISION_PREVIOUS)) != 0) {
      int was_current = (other->flags & TAM_REVISION_CURRENT) != 0;
      other->flags &= (uint8_t) ~(TAM_REVISION_CURRENT | TAM_REVISION_PREVIOUS);
      other->flags |= was_current ? TAM_REVISION_PREVIOUS : 0;
      tam_revision_put(op, other, batch);
    }
  }
  op->revision.flags |= TAM_REVISION_CURRENT;
  op->revision.flags &= (uint8_t)~TAM_REVISION_PREVIOUS;
}

// An update is one of every dtype of the model.
static void put_manifests(tam_store_op *op, tam_batch *batch) {
  if (op->verb->has_dtype) {
    tam_store_op_put_manifest(op, "downloaded", batch);
    return;
  }
  for (int dtype = 0; dtype < TAM_DTYPE_COUNT; dtype++) {
    if ((op->revision.dtypes & (1U << dtype)) != 0) {
      op->dtype = (tam_dtype)dtype;
      tam_store_op_choose_dtypes(&op->revision, 1U << dtype);
      tam_store_op_put_manifest(op, "downloaded", batch);
    }
  }
}

static int publish_start(tam_store_op *op) {
  tam_batch batch;
  tam_batch_init(&batch, op->store->host.mem);
  if ((op->revision.flags & TAM_REVISION_CURRENT) == 0) {
    switch_to(op, &batch);
  }
  tam_revision_put(op, &op->revision, &batch);
  tam_models_put_used(op->params.model, op->store->now_ms, &batch);
  put_manifests(op, &batch);
  return tam_store_op_write(op, &batch);
}

const tam_phase tam_publish_phase = {
    .stage = "store",
    .start = publish_start,
    .on_storage = tam_store_op_on_written,
};
