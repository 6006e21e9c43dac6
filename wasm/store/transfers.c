// SPDX-License-Identifier: Apache-2.0
#include "store/transfers.h"

#include "core/mem.h"
#include "store/store_op.h"

#include <string.h>

static const tam_revision_file *file_of(const tam_store_op *op,
                                        const tam_transfer *transfer) {
  return &op->revision.files[transfer->file];
}

// Puts |transfer| behind all that are not larger.
static void insert(tam_store_op *op, size_t file) {
  tam_transfers *all = &op->transfers;
  size_t at = all->count++;
  uint64_t size = op->revision.files[file].size;
  while (at > 0 && file_of(op, &all->list[at - 1])->size > size) {
    all->list[at] = all->list[at - 1];
    at--;
  }
  memset(&all->list[at], 0, sizeof(all->list[at]));
  tam_buf_init(&all->list[at].suspects, op->store->host.mem, 0);
  all->list[at].file = file;
  op->total_bytes += size;
}

int tam_transfers_init(tam_store_op *op) {
  const tam_revision *revision = &op->revision;
  size_t count = 0;
  for (size_t i = 0; i < revision->count; i++) {
    count += (revision->files[i].flags & TAM_REVISION_FILE_CHOSEN) != 0;
  }
  op->transfers.list = tam_mem_calloc(op->store->host.mem, count + 1,
                                      sizeof(*op->transfers.list));
  if (op->transfers.list == NULL) {
    return TAM_ERR_OUT_OF_MEMORY;
  }
  for (size_t i = 0; i < revision->count; i++) {
    if ((revision->files[i].flags & TAM_REVISION_FILE_CHOSEN) != 0) {
      insert(op, i);
    }
  }
  return 0;
}

static void forget_body(tam_store_op *op, tam_slot *slot) {
  if (slot->body == 0) {
    return;
  }
  slot->forget->action.kind = TAM_ACTION_FORGET;
  slot->forget->action.op = op->speaker.op;
  slot->forget->action.request = slot->body;
  tam_action_queue_push(op->store->host.queue, slot->forget);
  slot->forget = NULL;
  slot->body = 0;
}

void tam_slot_forget(tam_store_op *op, tam_slot *slot) {
  forget_body(op, slot);
  while (slot->parts != NULL) {
    tam_action_node *part = slot->parts;
    slot->parts = part->next;
    tam_action_queue_push(op->store->host.queue, part);
  }
  slot->kept = 0;
}

void tam_slot_keep_part(tam_store_op *op, tam_slot *slot, uint32_t request,
                        uint32_t bytes) {
  tam_action_node **plink = &slot->parts;
  slot->body = request;
  if (bytes < TAM_TRANSFER_PART_MIN || slot->transfer->is_refetch) {
    forget_body(op, slot);
    return;
  }
  while (*plink != NULL) {
    plink = &(*plink)->next;
  }
  *plink = slot->forget;
  slot->forget->action.kind = TAM_ACTION_FORGET;
  slot->forget->action.op = op->speaker.op;
  slot->forget->action.request = request;
  slot->forget->next = NULL;
  slot->forget = NULL;
  slot->body = 0;
  slot->kept += bytes;
}

void tam_transfers_forget(tam_store_op *op) {
  for (size_t i = 0; i < TAM_TRANSFER_SLOTS; i++) {
    tam_slot_forget(op, &op->transfers.slots[i]);
  }
}

void tam_transfers_free(tam_store_op *op) {
  tam_transfers *all = &op->transfers;
  const tam_mem *mem = op->store->host.mem;
  for (size_t i = 0; i < all->count; i++) {
    if (all->list[i].has_record) {
      tam_file_record_free(&all->list[i].record);
    }
    tam_mem_free(mem, all->list[i].seen);
    tam_buf_free(&all->list[i].suspects);
  }
  for (size_t i = 0; i < TAM_TRANSFER_SLOTS; i++) {
    tam_mem_free(mem, all->slots[i].forget);
    all->slots[i].forget = NULL;
    while (all->slots[i].parts != NULL) {
      tam_action_node *part = all->slots[i].parts;
      all->slots[i].parts = part->next;
      tam_mem_free(mem, part);
    }
  }
  tam_mem_free(mem, all->list);
  all->list = NULL;
  all->count = 0;
}

tam_transfer *tam_transfers_find(tam_store_op *op, tam_span group,
                                 const tam_transfer *after) {
  size_t from = after == NULL ? 0 : (size_t)(after - op->transfers.list) + 1;
  for (size_t i = from; i < op->transfers.count; i++) {
    tam_transfer *transfer = &op->transfers.list[i];
    const tam_revision_file *file = file_of(op, transfer);
    // Most groups end with the path: that is quickly compared.
    if ((file->group.len > 0 ||
         tam_span_ends_with(group,
                            tam_revision_text(&op->revision, file->path))) &&
        tam_span_eq(tam_store_op_group(op, transfer), group)) {
      return transfer;
    }
  }
  return NULL;
}

void tam_transfer_lose(tam_transfer *transfer, uint32_t chunk) {
  if (chunk < transfer->record.hashed) {
    tam_file_record_forget_from(&transfer->record, chunk);
  }
  transfer->record.flags &= (uint8_t)~TAM_FILE_COMPLETE;
  transfer->is_complete = 0;
  transfer->is_verified = 0;
  (void)tam_chunk_map_remove(&transfer->record.chunks, chunk);
}

uint64_t tam_transfers_stored(const tam_store_op *op) {
  uint64_t bytes = 0;
  for (size_t i = 0; i < op->transfers.count; i++) {
    const tam_transfer *transfer = &op->transfers.list[i];
    if (transfer->has_record) {
      bytes += tam_chunk_map_bytes(&transfer->record.chunks);
    }
  }
  return bytes;
}

uint64_t tam_transfers_loaded(const tam_store_op *op) {
  uint64_t bytes = tam_transfers_stored(op);
  for (size_t i = 0; i < TAM_TRANSFER_SLOTS; i++) {
    const tam_slot *slot = &op->transfers.slots[i];
    // A chunk that is being written counts as stored already.
    if (slot->state != TAM_SLOT_FREE && slot->state != TAM_SLOT_WRITING &&
        !slot->transfer->is_refetch) {
      bytes += slot->received;
    }
  }
  return bytes;
}
