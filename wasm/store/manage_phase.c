// SPDX-License-Identifier: Apache-2.0
// What people do with stored models: verify, pin, delete, go back.
#include "core/json_write.h"
#include "core/mem.h"
#include "store/file_select.h"
#include "store/store_op.h"
#include "store/transfer_write.h"
#include "store/verbs.h"

#include <string.h>

// ---------------------------------------------------------------------------
// Who must be there

// Takes the current revision of the model; without one there is no model.
static int need_start(tam_store_op *op) {
  if (op->has_revision) {
    return TAM_PHASE_DONE;
  }
  return tam_store_op_fail(op, TAM_ERR_NOT_STORED,
                           "the model is not in the store");
}

const tam_phase tam_need_phase = {.stage = "store", .start = need_start};

// ---------------------------------------------------------------------------
// Verifying: every chunk is read and compared with what is known of it; one of
// which nothing is known is as good as damaged. What a file has lost is
// forgotten only when all of it was looked at: what is known of the chunks
// behind a damaged one counts until then.

static void note_damage(tam_store_op *op, tam_transfer *transfer,
                        uint32_t chunk) {
  const tam_revision_file *file = &op->revision.files[transfer->file];
  transfer->seen[chunk] = 0;
  op->verification.damaged++;
  tam_json_write_object_begin(&op->rows);
  tam_json_write_string_member(&op->rows, "file",
                               tam_revision_text(&op->revision, file->path));
  tam_json_write_number_member(&op->rows, "chunk", chunk);
  tam_json_write_object_end(&op->rows);
}

static void lose_damaged(tam_transfer *transfer) {
  for (uint32_t i = transfer->record.chunks.count; i > 0; i--) {
    if (!transfer->seen[i - 1]) {
      tam_transfer_lose(transfer, i - 1);
    }
  }
}

static int read_chunk(tam_store_op *op, tam_transfer *transfer) {
  uint32_t chunk = op->verification.chunk;
  int error = tam_file_hasher_begin_check(&op->transfers.hasher,
                                          &transfer->record, chunk);
  if (error != 0) {
    return error;
  }
  return tam_store_op_asked(
      tam_storage_read(op->store->storage, tam_store_op_owner(op, 0),
                       tam_store_op_chunk_key(op, transfer, chunk), 0,
                       tam_chunk_map_length(&transfer->record.chunks, chunk)));
}

// Reads the next chunk that may be damaged. One that nothing is known of, for
// the journal is lost, is as good as damaged.
static int verify_next(tam_store_op *op) {
  while (op->verification.file < op->transfers.count) {
    tam_transfer *transfer = &op->transfers.list[op->verification.file];
    while (op->verification.chunk < transfer->record.chunks.count) {
      if (op->verification.chunk < transfer->record.hashed &&
          transfer->seen[op->verification.chunk]) {
        return read_chunk(op, transfer);
      }
      note_damage(op, transfer, op->verification.chunk++);
    }
    lose_damaged(transfer);
    op->verification.file++;
    op->verification.chunk = 0;
  }
  if (op->rows.error != 0) {
    return op->rows.error;
  }
  return op->params.repair && op->verification.damaged > 0 ? TAM_PHASE_DONE
                                                           : TAM_PHASE_END;
}

static int verify_on_storage(tam_store_op *op,
                             const tam_storage_report *report) {
  tam_transfers *all = &op->transfers;
  if (report->kind == TAM_STORAGE_FAILED) {
    return tam_store_op_storage_failed(op, report);
  }
  if (report->kind == TAM_STORAGE_DATA) {
    tam_file_hasher_update(&all->hasher, report->data);
    op->verification.bytes += report->data.len;
    op->news.has_progress = 1;
    return tam_store_say_progress(op, 0);
  }
  int result = report->found ? tam_file_hasher_end(&all->hasher) : 0;
  if (result == 0) {
    note_damage(op, &all->list[op->verification.file], op->verification.chunk);
  }
  op->verification.chunk++;
  return result < 0 ? result : verify_next(op);
}

const tam_phase tam_verify_phase = {
    .stage = "verify",
    .start = verify_next,
    .on_storage = verify_on_storage,
};

// ---------------------------------------------------------------------------
// Pinning

static int pin_start(tam_store_op *op) {
  uint8_t text[TAM_STORE_KEY_MAX];
  tam_buf key;
  tam_batch batch;
  tam_buf_init_fixed(&key, text, sizeof(text));
  tam_models_append_pin_key(op->params.model, &key);
  tam_batch_init(&batch, op->store->host.mem);
  if (op->params.pinned) {
    tam_batch_put(&batch, tam_buf_span(&key), TAM_SPAN("1"));
  } else {
    tam_batch_delete(&batch, TAM_STORE_FILES, tam_buf_span(&key));
  }
  return tam_store_op_write(op, &batch);
}

const tam_phase tam_pin_phase = {
    .stage = "store",
    .start = pin_start,
    .on_storage = tam_store_op_on_written,
};

// ---------------------------------------------------------------------------
// Going back

static int rollback_start(tam_store_op *op) {
  tam_batch batch;
  for (size_t i = 0; i < op->stored_count; i++) {
    tam_revision *other = &op->stored[i];
    if ((other->flags & TAM_REVISION_PREVIOUS) == 0 ||
        !tam_span_eq(tam_revision_text(other, other->label),
                     tam_revision_text(&op->revision, op->revision.label))) {
      continue;
    }
    op->revision.flags &= (uint8_t)~TAM_REVISION_CURRENT;
    op->revision.flags |= TAM_REVISION_PREVIOUS;
    other->flags &= (uint8_t)~TAM_REVISION_PREVIOUS;
    other->flags |= TAM_REVISION_CURRENT;
    tam_batch_init(&batch, op->store->host.mem);
    tam_revision_put(op, &op->revision, &batch);
    tam_revision_put(op, other, &batch);
    memcpy(op->commit, tam_revision_text(other, other->commit).ptr,
           TAM_COMMIT_SIZE);
    return tam_store_op_write(op, &batch);
  }
  op->remedy = "Name the wanted commit as the revision of a download.";
  return tam_store_op_fail(op, TAM_ERR_NOT_STORED,
                           "there is no earlier revision to go back to: an "
                           "update of the model keeps one");
}

const tam_phase tam_rollback_phase = {
    .stage = "store",
    .start = rollback_start,
    .on_storage = tam_store_op_on_written,
};

// ---------------------------------------------------------------------------
// Updates

// Chooses what the dtypes of the model need in |latest|, and what was wanted of
// |current| one by one. Returns the bytes of those that are not the same.
static uint64_t choose_latest(tam_revision *latest,
                              const tam_revision *current) {
  uint64_t bytes = 0;
  tam_store_op_choose_dtypes(latest, latest->dtypes);
  for (size_t i = 0; i < latest->count; i++) {
    tam_revision_file *now = &latest->files[i];
    const tam_revision_file *old =
        tam_revision_find(current, tam_revision_text(latest, now->path));
    if (old != NULL && (old->flags & TAM_REVISION_FILE_WANTED) != 0) {
      now->flags |= TAM_REVISION_FILE_CHOSEN;
    }
    if ((now->flags & TAM_REVISION_FILE_CHOSEN) != 0 &&
        (old == NULL || !tam_revision_file_is_same(old, now))) {
      bytes += now->size;
    }
  }
  return bytes;
}

// Compares the commit in work with the current one of the label.
static int compare_start(tam_store_op *op) {
  const tam_revision *current = NULL;
  if (op->listing.is_offline) {
    return tam_store_op_fail(
        op, TAM_ERR_NETWORK,
        "the Hub could not be asked for the latest commit");
  }
  for (size_t i = 0; i < op->stored_count; i++) {
    if ((op->stored[i].flags & TAM_REVISION_CURRENT) != 0 &&
        tam_span_eq(tam_revision_text(&op->stored[i], op->stored[i].label),
                    tam_revision_text(&op->revision, op->revision.label))) {
      current = &op->stored[i];
    }
  }
  if (current == NULL) { // the latest one is the current one
    if ((op->revision.flags & TAM_REVISION_CURRENT) == 0) {
      return tam_store_op_fail(op, TAM_ERR_NOT_STORED,
                               "the model is not in the store");
    }
    current = &op->revision;
  }
  memcpy(op->commit, tam_revision_text(current, current->commit).ptr,
         TAM_COMMIT_SIZE);
  op->revision.dtypes |= current->dtypes;
  op->total_bytes = choose_latest(&op->revision, current);
  return TAM_PHASE_DONE;
}

const tam_phase tam_compare_phase = {.stage = "plan", .start = compare_start};

void tam_store_op_choose_dtypes(tam_revision *revision, unsigned dtypes) {
  unsigned available = tam_file_select_available(revision);
  tam_revision_choose_none(revision);
  for (int dtype = 0; dtype < TAM_DTYPE_COUNT; dtype++) {
    if ((dtypes & available & (1U << dtype)) != 0) {
      tam_file_select(revision, (tam_dtype)dtype);
    }
  }
}

// Takes what the comparison has chosen.
static int select_dtypes_start(tam_store_op *op) {
  op->total_bytes = 0;
  return tam_store_op_take_chosen(op);
}

const tam_phase tam_select_dtypes_phase = {.stage = "plan",
                                           .start = select_dtypes_start};
