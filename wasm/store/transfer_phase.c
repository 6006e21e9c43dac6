// SPDX-License-Identifier: Apache-2.0
// Downloads, stores and verifies the chosen files.
//
//             fill           head, body          commit
//   missing --------> FETCHING ------> KEPT --------------> stored
//      ^                 |                                     |
//      +---- DELAYED <---+ any failure                         | hash, in order
//                                                              v
//   published <------------ digest agrees <----------- all chunks hashed
//                                                              |
//             fetched again, chunk by chunk <--- it does not --+
//
// Chunks arrive in any order; the hash follows the first gap and reads what was
// stored, so it vouches for what a reader will get. Every transaction takes the
// bodies that are there and the journals that mention them. What limits the
// bytes in memory are the slots: a body that is not written blocks its slot.
//
// Nobody counts attempts. As long as new bytes come, are hashed or are written,
// the download goes on; when nothing of that happened for PATIENCE_MS, the
// latest error ends it. What is stored stays.
#include "core/mem.h"
#include "net/backoff.h"
#include "store/store_op.h"
#include "store/transfer_http.h"
#include "store/transfer_write.h"
#include "store/verbs.h"

#include <string.h>

// How long a download may make no progress at all. Connections that are gone
// for a tunnel or a lift come back; after a minute people want to hear it.
#define PATIENCE_MS 60000.0

// The rate is measured over this time, the first one over less, and a new value
// counts for a third.
#define RATE_PERIOD_MS 500.0
#define RATE_FIRST_MS  150.0
#define RATE_SHARE     0.3

// The first chunk comes alone, as a whole, and shows how fast the line is:
// three at once that were counted as they come would lie in the memory of a
// fast page. When there is no answer for so long, the others do not wait for
// it.
#define PROBE_SILENT_MS 1000.0

// No piece of a body that is counted as it comes is so long.
#define PROBE_BYTES_MIN (UINT32_C(4) << 20)

// ---------------------------------------------------------------------------
// Progress

static int is_probing(const tam_transfers *all) {
  return all->probe_at_ms > 0 && !all->is_probed;
}

void tam_transfers_note_progress(tam_store_op *op) {
  op->news.has_progress = 1;
  if (op->store->now_ms > op->transfers.progress_at_ms) {
    op->transfers.progress_at_ms = op->store->now_ms;
  }
}

void tam_transfers_note_bytes(tam_store_op *op, uint32_t bytes) {
  tam_transfers *all = &op->transfers;
  double now_ms = op->store->now_ms;
  double period_ms = now_ms - all->rate_at_ms;
  all->fetched_bytes += bytes;
  op->news.has_progress = 1;
  // What came as a whole tells enough, however short it took.
  if (period_ms >= (all->rate > 0 ? RATE_PERIOD_MS : RATE_FIRST_MS) ||
      (is_probing(all) && bytes > PROBE_BYTES_MIN)) {
    double rate =
        (double)(all->fetched_bytes - all->rate_bytes) * 1000 / (period_ms + 1);
    all->rate =
        all->rate > 0 ? all->rate + RATE_SHARE * (rate - all->rate) : rate;
    all->rate_at_ms = now_ms;
    all->rate_bytes = all->fetched_bytes;
    all->is_probed = all->probe_at_ms > 0;
  }
}

// ---------------------------------------------------------------------------
// Slots

static int has_slot(const tam_store_op *op, const tam_transfer *transfer) {
  for (size_t i = 0; i < TAM_TRANSFER_SLOTS; i++) {
    const tam_slot *slot = &op->transfers.slots[i];
    if (slot->state != TAM_SLOT_FREE && slot->transfer == transfer) {
      return 1;
    }
  }
  return 0;
}

static int is_taken(const tam_store_op *op, const tam_transfer *transfer,
                    uint32_t chunk) {
  for (size_t i = 0; i < TAM_TRANSFER_SLOTS; i++) {
    const tam_slot *slot = &op->transfers.slots[i];
    if (slot->state != TAM_SLOT_FREE && slot->transfer == transfer &&
        slot->chunk == chunk) {
      return 1;
    }
  }
  return 0;
}

// Finds the next chunk of |transfer| that has to be fetched. What is fetched
// again goes one by one: it is hashed before the next one.
static int next_chunk(const tam_store_op *op, const tam_transfer *transfer,
                      uint32_t *pchunk) {
  const tam_file_record *record = &transfer->record;
  tam_chunk_run run = {0, 0};
  if (transfer->is_complete || transfer->is_verified) {
    return 0;
  }
  if (transfer->is_refetch) {
    *pchunk = record->hashed;
    return record->hashed < record->chunks.count && !has_slot(op, transfer);
  }
  while (tam_chunk_map_next_missing(&record->chunks, run.first + run.count,
                                    &run)) {
    for (uint32_t i = 0; i < run.count; i++) {
      if (!is_taken(op, transfer, run.first + i)) {
        *pchunk = run.first + i;
        return 1;
      }
    }
  }
  return 0;
}

// Returns 1 when a chunk of a large file is on its way.
static int has_chunk_in_flight(const tam_store_op *op) {
  for (size_t i = 0; i < TAM_TRANSFER_SLOTS; i++) {
    const tam_slot *slot = &op->transfers.slots[i];
    if ((slot->state == TAM_SLOT_FETCHING || slot->state == TAM_SLOT_DELAYED) &&
        slot->transfer->record.chunks.count > 1) {
      return 1;
    }
  }
  return 0;
}

// Returns 1 when a chunk may be asked for: the first one, to find out how fast
// the line is, or any when that is known, or when the first came at once.
static int probe(tam_store_op *op) {
  tam_transfers *all = &op->transfers;
  double now_ms = op->store->now_ms;
  if (all->probe_at_ms == 0) {
    all->probe_at_ms = now_ms;
    all->rate = 0;
    all->rate_at_ms = now_ms;
    all->rate_bytes = all->fetched_bytes;
    return 1;
  }
  all->is_probed |=
      now_ms - all->probe_at_ms >= PROBE_SILENT_MS || !has_chunk_in_flight(op);
  return all->is_probed;
}

static int fill_slot(tam_store_op *op, tam_slot *slot) {
  const tam_transfers *all = &op->transfers;
  for (size_t i = 0; i < all->count; i++) {
    tam_transfer *transfer = &all->list[i];
    uint32_t chunk;
    if (next_chunk(op, transfer, &chunk)) {
      if (transfer->record.chunks.count > 1 && !probe(op)) {
        return 0;
      }
      slot->transfer = transfer;
      slot->chunk = chunk;
      slot->is_probe = transfer->record.chunks.count > 1 && is_probing(all) &&
                       !op->params.is_input;
      return tam_slot_fetch(op, slot);
    }
  }
  return 0;
}

// Returns how many slots may be filled.
static size_t slots_max(const tam_store_op *op) {
  if (op->params.is_input) { // it comes in one row
    return 1;
  }
  return op->is_outside && op->transfers.rate >= TAM_WHOLE_RATE_MIN
             ? TAM_TRANSFER_SLOTS
             : TAM_TRANSFER_SLOTS_FEW;
}

// Returns 1 when another slot may be filled. On a line that has become slow
// there may be more than that for a while: those that fail are tried again.
static int has_room(const tam_store_op *op) {
  size_t count = 0;
  for (size_t i = 0; i < TAM_TRANSFER_SLOTS; i++) {
    count += op->transfers.slots[i].state != TAM_SLOT_FREE;
  }
  return !op->transfers.is_paused && count < slots_max(op);
}

static int fill_slots(tam_store_op *op) {
  int error = 0;
  for (size_t i = 0; i < TAM_TRANSFER_SLOTS && error == 0; i++) {
    tam_slot *slot = &op->transfers.slots[i];
    if (slot->state == TAM_SLOT_FREE && has_room(op)) {
      error = fill_slot(op, slot);
    } else if (slot->state == TAM_SLOT_DELAYED &&
               slot->retry_at_ms <= op->store->now_ms) {
      error = tam_slot_fetch(op, slot);
    } else if (slot->state == TAM_SLOT_FETCHING && slot->probe_until_ms > 0 &&
               slot->probe_until_ms <= op->store->now_ms) {
      op->transfers.is_probed = 1;
      error = tam_slot_fetch_slowly(op, slot);
    }
  }
  return error;
}

void tam_slot_free(tam_store_op *op, tam_slot *slot) {
  tam_slot_forget(op, slot);
  tam_mem_free(op->store->host.mem, slot->forget);
  memset(slot, 0, sizeof(*slot));
}

int tam_slot_retry(tam_store_op *op, tam_slot *slot, int error, uint32_t status,
                   tam_span words) {
  tam_transfers *all = &op->transfers;
  double now_ms = op->store->now_ms;
  all->error = error;
  // What is handed in cannot be asked for twice.
  if (op->params.is_input || now_ms - all->progress_at_ms >= PATIENCE_MS) {
    op->status = status;
    tam_store_op_fail(op, error,
                      op->params.is_input ? "the bytes handed in broke off"
                                          : "the download made no progress");
    tam_store_op_append_words(op, words);
    return error;
  }
  slot->received = slot->kept;
  slot->state = TAM_SLOT_DELAYED;
  slot->retry_at_ms =
      now_ms + tam_backoff_delay(all->failures, op->store->host.random);
  all->failures++;
  return 0;
}

// ---------------------------------------------------------------------------
// Hashing

static int begin_read(tam_store_op *op, tam_transfer *transfer,
                      tam_slot *checking) {
  tam_transfers *all = &op->transfers;
  tam_storage *storage = op->store->storage;
  tam_storage_owner owner = tam_store_op_owner(op, TAM_TRANSFER_TAG_READ);
  int error = tam_file_hasher_begin(&all->hasher, &transfer->record);
  if (error != 0) {
    return error;
  }
  all->hashing = transfer;
  all->checking = checking;
  all->hashed = 0;
  if (checking != NULL) {
    all->reading = tam_storage_read_body(storage, owner, checking->body);
  } else {
    uint32_t chunk = transfer->record.hashed;
    all->reading = tam_storage_read(
        storage, owner, tam_store_op_chunk_key(op, transfer, chunk), 0,
        tam_chunk_map_length(&transfer->record.chunks, chunk));
  }
  return all->reading == 0 ? TAM_ERR_OUT_OF_MEMORY : 0;
}

// Reads the next chunk that can be hashed, if none is being read.
static int hash_next(tam_store_op *op) {
  tam_transfers *all = &op->transfers;
  if (all->reading != 0) {
    return 0;
  }
  for (size_t i = 0; i < TAM_TRANSFER_SLOTS; i++) {
    if (all->slots[i].state == TAM_SLOT_CHECKING) {
      return begin_read(op, all->slots[i].transfer, &all->slots[i]);
    }
  }
  for (size_t i = 0; i < all->count; i++) {
    tam_transfer *transfer = &all->list[i];
    const tam_file_record *record = &transfer->record;
    if (!transfer->is_refetch && !transfer->is_complete &&
        tam_chunk_map_has(&record->chunks, record->hashed) &&
        !is_taken(op, transfer, record->hashed)) {
      return begin_read(op, transfer, NULL);
    }
  }
  return 0;
}

// Returns 1 when the chunk that was hashed last is what was stored before.
static int is_as_suspected(const tam_transfer *transfer) {
  const tam_file_record *record = &transfer->record;
  size_t from = tam_file_record_sums_before(record, record->hashed - 1);
  size_t to = tam_file_record_sums_before(record, record->hashed);
  return to <= transfer->suspects.len &&
         memcmp(transfer->suspects.data + from, record->sums.data + from,
                to - from) == 0;
}

static int on_read_end(tam_store_op *op, int found) {
  tam_transfers *all = &op->transfers;
  tam_transfer *transfer = all->hashing;
  tam_slot *slot = all->checking;
  int result = found ? tam_file_hasher_end(&all->hasher) : 0;
  all->reading = 0;
  all->hashing = NULL;
  all->checking = NULL;
  all->hashed = 0;
  if (result < 0) {
    return result;
  }
  transfer->unsaved += result;
  if (result == 0 && ++transfer->lost > transfer->record.chunks.count) {
    return tam_store_op_fail(
        op, TAM_ERR_STORE_DAMAGED,
        "the storage does not give back what it was given");
  }
  if (slot == NULL) {
    if (result == 0) { // it cannot be read as a whole
      tam_transfer_lose(transfer, transfer->record.hashed);
    }
  } else if (result == 0 || is_as_suspected(transfer)) {
    tam_slot_free(op, slot);
  } else {
    slot->state = TAM_SLOT_KEPT;
  }
  return 0;
}

// ---------------------------------------------------------------------------
// The whole file

// All chunks are there and the digest is wrong. The Hub says nothing about
// parts, so every chunk is fetched once more; those that come the same are not
// written again.
static int begin_refetch(tam_transfer *transfer) {
  tam_file_record *record = &transfer->record;
  transfer->is_refetch = 1;
  transfer->suspects = record->sums;
  tam_buf_init(&record->sums, record->mem, transfer->suspects.max);
  tam_file_record_forget_from(record, 0);
  return 0;
}

// What TabAgent stored is another content, or was never right.
static int begin_anew(tam_store_op *op, tam_transfer *transfer) {
  const tam_revision_file *file = &op->revision.files[transfer->file];
  transfer->is_adopted = 0;
  transfer->unsaved = 0;
  tam_file_record_free(&transfer->record);
  return tam_file_record_init(&transfer->record, file->size,
                              TAM_CHUNK_SIZE_DEFAULT, file->algorithm,
                              file->digest, op->store->host.mem);
}

// Draws the conclusion about a file of which every chunk is hashed.
static int conclude(tam_store_op *op, tam_transfer *transfer) {
  const tam_file_record *record = &transfer->record;
  if (transfer->is_complete || transfer->is_verified ||
      record->hashed < record->chunks.count || has_slot(op, transfer)) {
    return 0;
  }
  if (tam_file_record_check(record)) {
    transfer->is_verified = 1;
    return 0;
  }
  if (transfer->is_adopted) {
    return begin_anew(op, transfer);
  }
  if (!transfer->is_refetch && !op->params.is_input) {
    return begin_refetch(transfer);
  }
  transfer->is_wrong = 1;
  return 0;
}

static int is_over(const tam_store_op *op) {
  for (size_t i = 0; i < op->transfers.count; i++) {
    if (!op->transfers.list[i].is_complete) {
      return 0;
    }
  }
  return 1;
}

// Does whatever can be done now.
static int work(tam_store_op *op) {
  tam_transfers *all = &op->transfers;
  int error = 0;
  for (size_t i = 0; i < all->count && error == 0; i++) {
    error = conclude(op, &all->list[i]);
  }
  if (error == 0) {
    error = hash_next(op);
  }
  if (error == 0 && all->write == 0) {
    error = tam_transfers_write(op);
  }
  if (error == 0) {
    error = fill_slots(op);
  }
  if (error == 0 && is_over(op)) {
    error = tam_store_say_progress(op, 1);
    return error != 0 ? error : TAM_PHASE_DONE;
  }
  return error != 0 ? error : tam_store_say_progress(op, 0);
}

// ---------------------------------------------------------------------------
// The phase

static int transfer_start(tam_store_op *op) {
  tam_transfers *all = &op->transfers;
  all->progress_at_ms = op->store->now_ms;
  op->news.has_progress = 1;
  all->rate_at_ms = op->store->now_ms;
  if (all->fetched_bytes == 0) {
    all->resumed_bytes = tam_transfers_stored(op);
  }
  return work(op);
}

static int transfer_on_net(tam_store_op *op, const tam_net_report *report) {
  if (report->kind == TAM_NET_RATE_LIMITED) {
    // To wait for the Hub is no lack of progress.
    op->transfers.progress_at_ms = report->reset_at_ms;
    return TAM_PHASE_WAIT;
  }
  int error = tam_slot_on_net(op, &op->transfers.slots[report->tag], report);
  return error != 0 ? error : work(op);
}

static int transfer_on_storage(tam_store_op *op,
                               const tam_storage_report *report) {
  tam_transfers *all = &op->transfers;
  int error = 0;
  if (report->kind == TAM_STORAGE_FAILED) {
    return tam_store_op_storage_failed(op, report);
  }
  if (report->tag == TAM_TRANSFER_TAG_READ) {
    if (report->kind == TAM_STORAGE_DATA) {
      tam_file_hasher_update(&all->hasher, report->data);
      all->hashed += (uint32_t)report->data.len;
      tam_transfers_note_progress(op);
      return TAM_PHASE_WAIT;
    }
    error = on_read_end(op, report->found);
  } else {
    tam_transfers_note_progress(op);
    error = tam_transfers_on_written(op);
  }
  return error != 0 ? error : work(op);
}

static int transfer_advance(tam_store_op *op) {
  tam_transfers *all = &op->transfers;
  all->is_probed |= is_probing(all) &&
                    op->store->now_ms >= all->probe_at_ms + PROBE_SILENT_MS;
  int error = fill_slots(op);
  return error != 0 ? error : tam_store_say_progress(op, 0);
}

static double transfer_deadline(const tam_store_op *op) {
  const tam_transfers *all = &op->transfers;
  double at_ms = tam_store_progress_deadline(op);
  if (is_probing(all) &&
      (at_ms < 0 || all->probe_at_ms + PROBE_SILENT_MS < at_ms)) {
    at_ms = all->probe_at_ms + PROBE_SILENT_MS;
  }
  for (size_t i = 0; i < TAM_TRANSFER_SLOTS; i++) {
    const tam_slot *slot = &op->transfers.slots[i];
    if (slot->state == TAM_SLOT_DELAYED &&
        (at_ms < 0 || slot->retry_at_ms < at_ms)) {
      at_ms = slot->retry_at_ms;
    }
    if (slot->state == TAM_SLOT_FETCHING && slot->probe_until_ms > 0 &&
        (at_ms < 0 || slot->probe_until_ms < at_ms)) {
      at_ms = slot->probe_until_ms;
    }
  }
  return at_ms;
}

const tam_phase tam_transfer_phase = {
    .stage = "download",
    .start = transfer_start,
    .on_net = transfer_on_net,
    .on_storage = transfer_on_storage,
    .advance = transfer_advance,
    .deadline = transfer_deadline,
};
