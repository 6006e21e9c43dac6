// SPDX-License-Identifier: Apache-2.0
#include "store/transfer_write.h"

#include "core/json_write.h"
#include "core/mem.h"
#include "store/transfer_http.h"

// So many chunks are hashed at the most without their states being saved: what
// has to be hashed again after a crash.
#define UNSAVED_CHUNKS_MAX 8

// Room for what TabAgent's readers want to know of a file.
#define MANIFEST_MAX (3 * TAM_STORAGE_KEY_MAX * 6 + 512)

static void put_chunk(tam_store_op *op, tam_slot *slot, tam_batch *batch) {
  tam_batch_put_bodies(batch,
                       tam_store_op_chunk_key(op, slot->transfer, slot->chunk),
                       slot->parts, slot->body);
  (void)tam_chunk_map_add(&slot->transfer->record.chunks, slot->chunk);
  slot->state = TAM_SLOT_WRITING;
}

static void put_record(tam_store_op *op, tam_transfer *transfer,
                       tam_batch *batch) {
  tam_buf record;
  tam_buf_init(&record, op->store->host.mem, TAM_FILE_RECORD_MAX);
  tam_file_record_save(&transfer->record, &record);
  tam_batch_put(batch, tam_store_op_file_key(op, transfer),
                tam_buf_span(&record));
  if (record.error != 0) {
    batch->bytes.error = record.error;
  }
  transfer->unsaved = 0;
  tam_buf_free(&record);
}

// TabAgent looks a file up by this; for it the file is there from now on.
static void put_manifest(tam_store_op *op, const tam_transfer *transfer,
                         tam_batch *batch) {
  const tam_chunk_map *chunks = &transfer->record.chunks;
  tam_span key = tam_store_op_manifest_key(op, transfer);
  tam_buf json;
  tam_buf_init(&json, op->store->host.mem, MANIFEST_MAX);
  tam_json_write_object_begin(&json);
  tam_json_write_string_member(&json, "chunkGroupId",
                               tam_store_op_group(op, transfer));
  tam_json_write_string_member(&json, "id", key);
  tam_json_write_name_member(&json, "type", "manifest");
  tam_json_write_string_member(
      &json, "fileName",
      tam_revision_text(&op->revision,
                        op->revision.files[transfer->file].path));
  tam_json_write_number_member(&json, "totalChunks", chunks->count);
  tam_json_write_number_member(&json, "chunkSizeUsed",
                               (double)chunks->chunk_size);
  tam_json_write_number_member(&json, "size", (double)chunks->size);
  tam_json_write_name_member(&json, "status", "present");
  tam_json_write_object_end(&json);
  tam_batch_put_content(batch, key, tam_buf_span(&json), "application/json");
  if (json.error != 0) {
    batch->bytes.error = json.error;
  }
  tam_buf_free(&json);
}

void tam_revision_put(tam_store_op *op, const tam_revision *revision,
                      tam_batch *batch) {
  tam_buf record;
  tam_buf_init(&record, op->store->host.mem, TAM_REVISION_RECORD_MAX);
  tam_revision_save(revision, &record);
  tam_span key = tam_store_op_revision_key(
      op, op->params.model, tam_revision_text(revision, revision->commit));
  tam_batch_put(batch, key, tam_buf_span(&record));
  if (record.error != 0) {
    batch->bytes.error = record.error;
  }
  tam_buf_free(&record);
}

void tam_transfer_put_away(tam_store_op *op, const tam_transfer *transfer,
                           tam_batch *batch) {
  for (uint32_t i = 0; i < transfer->record.chunks.count; i++) {
    tam_batch_delete(batch, TAM_STORE_FILES,
                     tam_store_op_chunk_key(op, transfer, i));
  }
  tam_batch_delete(batch, TAM_STORE_FILES, tam_store_op_file_key(op, transfer));
  tam_batch_delete(batch, TAM_STORE_FILES,
                   tam_store_op_manifest_key(op, transfer));
  op->revision.files[transfer->file].flags &=
      (uint8_t)~TAM_REVISION_FILE_COMPLETE;
}

// Returns 1 when a body of |transfer| goes into this transaction.
static int has_body(const tam_store_op *op, const tam_transfer *transfer) {
  for (size_t i = 0; i < TAM_TRANSFER_SLOTS; i++) {
    const tam_slot *slot = &op->transfers.slots[i];
    if (slot->state == TAM_SLOT_WRITING && slot->transfer == transfer) {
      return 1;
    }
  }
  return 0;
}

// Puts what is new about |transfer| into |batch|. Returns 1 when it changes
// whether the file is complete.
static int put_transfer(tam_store_op *op, tam_transfer *transfer,
                        tam_batch *batch) {
  if (transfer->is_wrong) {
    // Whoever tries again begins anew.
    tam_transfer_put_away(op, transfer, batch);
    return 1;
  }
  if (transfer->is_verified && !transfer->is_complete) {
    transfer->record.flags |= TAM_FILE_COMPLETE;
    op->revision.files[transfer->file].flags |= TAM_REVISION_FILE_COMPLETE;
    put_record(op, transfer, batch);
    put_manifest(op, transfer, batch);
    return 1;
  }
  if (has_body(op, transfer) && transfer->has_old_manifest) {
    // Its chunks are being overwritten: TabAgent must not mix the two.
    transfer->has_old_manifest = 0;
    tam_batch_delete(batch, TAM_STORE_FILES,
                     tam_store_op_manifest_key(op, transfer));
  }
  if (has_body(op, transfer) || transfer->unsaved >= UNSAVED_CHUNKS_MAX) {
    put_record(op, transfer, batch);
  }
  return 0;
}

int tam_transfers_write(tam_store_op *op) {
  tam_transfers *all = &op->transfers;
  tam_batch batch;
  int error = 0;
  int is_changed = 0;
  tam_batch_init(&batch, op->store->host.mem);
  for (size_t i = 0; i < TAM_TRANSFER_SLOTS; i++) {
    if (all->slots[i].state == TAM_SLOT_KEPT) {
      put_chunk(op, &all->slots[i], &batch);
    }
  }
  for (size_t i = 0; i < all->count; i++) {
    is_changed |= put_transfer(op, &all->list[i], &batch);
  }
  if (is_changed) {
    tam_revision_put(op, &op->revision, &batch);
  }
  if (batch.json.len > 0 || batch.json.error != 0) {
    all->write = tam_storage_write(
        op->store->storage, tam_store_op_owner(op, TAM_TRANSFER_TAG_WRITE),
        &batch);
    error = all->write == 0 ? TAM_ERR_OUT_OF_MEMORY : 0;
  }
  tam_batch_free(&batch);
  return error;
}

int tam_transfers_on_written(tam_store_op *op) {
  tam_transfers *all = &op->transfers;
  all->write = 0;
  for (size_t i = 0; i < TAM_TRANSFER_SLOTS; i++) {
    if (all->slots[i].state == TAM_SLOT_WRITING) {
      tam_slot_free(op, &all->slots[i]);
    }
  }
  for (size_t i = 0; i < all->count; i++) {
    tam_transfer *transfer = &all->list[i];
    if (transfer->is_wrong) {
      return tam_store_op_fail(op, TAM_ERR_HASH_MISMATCH,
                               "the bytes of the file are not those that the "
                               "Hub vouches for");
    }
    transfer->is_complete |= (transfer->record.flags & TAM_FILE_COMPLETE) != 0;
  }
  return 0;
}
