// SPDX-License-Identifier: Apache-2.0
// The queue of downloads as people see it: what waits, runs or is paused, and
// how they change that.
#include "core/json_write.h"
#include "store/store_op.h"
#include "store/transfer_http.h"
#include "store/transfer_write.h"
#include "store/verbs.h"

#include <string.h>

// ---------------------------------------------------------------------------
// Which download

static tam_store_op *find_download(tam_store_op *op) {
  uint8_t text[TAM_CALLER_ID_MAX];
  tam_buf id;
  tam_buf_init_fixed(&id, text, sizeof(text));
  tam_json_write_string(&id, op->params.id);
  for (tam_store_op *other = op->store->first; other != NULL;
       other = other->next) {
    if (other->verb->is_queued && !other->is_ended &&
        tam_span_eq(other->speaker.envelope.id, tam_buf_span(&id))) {
      return other;
    }
  }
  (void)tam_store_op_fail(op, 0, "id: there is no download of this id");
  return NULL;
}

static void write_row(const tam_store_op *op, tam_buf *json) {
  int is_waiting = *op->phase == &tam_queue_phase;
  tam_json_write_object_begin(json);
  tam_json_write_key(json, "id");
  tam_json_write_raw(json, op->speaker.envelope.id);
  tam_json_write_string_member(json, "modelId", op->params.model);
  tam_json_write_known_member(json, "dtype", op->params.dtype);
  tam_json_write_name_member(json, "state",
                             op->transfers.is_paused ? "paused"
                             : is_waiting            ? "queued"
                                                     : "running");
  tam_json_write_number_member(json, "priority", op->params.priority);
  tam_json_write_number_member(json, "loaded",
                               (double)tam_transfers_loaded(op));
  tam_json_write_number_member(json, "total", (double)op->total_bytes);
  tam_json_write_object_end(json);
}

static int downloads_start(tam_store_op *op) {
  for (const tam_store_op *other = op->store->first; other != NULL;
       other = other->next) {
    if (other->verb->is_queued && !other->is_ended) {
      write_row(other, &op->rows);
    }
  }
  return op->rows.error != 0 ? op->rows.error : TAM_PHASE_DONE;
}

const tam_phase tam_downloads_phase = {.stage = "queue",
                                       .start = downloads_start};

// ---------------------------------------------------------------------------
// Pausing

static void stop_requests(tam_store_op *op) {
  for (size_t i = 0; i < TAM_TRANSFER_SLOTS; i++) {
    tam_slot *slot = &op->transfers.slots[i];
    if (slot->state == TAM_SLOT_FETCHING || slot->state == TAM_SLOT_DELAYED) {
      tam_net_cancel(op->store->host.net, op->speaker.op, (uint32_t)i);
      tam_slot_free(op, slot);
    }
  }
}

// Bodies that are there already are still written.
static int pause_start(tam_store_op *op) {
  tam_store_op *download = find_download(op);
  if (download == NULL) {
    return TAM_ERR_INVALID_PARAMS;
  }
  download->transfers.is_paused = 1;
  if (*download->phase == &tam_transfer_phase) {
    stop_requests(download);
  }
  return TAM_PHASE_DONE;
}

const tam_phase tam_pause_phase = {.stage = "queue", .start = pause_start};

// What time there was in the pause is no lack of progress. The download goes on
// at the next advance.
static int resume_start(tam_store_op *op) {
  tam_store_op *download = find_download(op);
  if (download == NULL) {
    return TAM_ERR_INVALID_PARAMS;
  }
  download->transfers.is_paused = 0;
  download->transfers.progress_at_ms = op->store->now_ms;
  return TAM_PHASE_DONE;
}

const tam_phase tam_resume_phase = {.stage = "queue", .start = resume_start};

// ---------------------------------------------------------------------------
// Cancelling

// No tag of the transfer phase.
enum { TAG_DISCARD = 100 };

// Deletes what is not complete; the files that are belong to others as well.
static int discard_start(tam_store_op *op) {
  tam_batch batch;
  tam_batch_init(&batch, op->store->host.mem);
  for (size_t i = 0; i < op->transfers.count; i++) {
    tam_transfer *transfer = &op->transfers.list[i];
    if (!transfer->is_complete) {
      op->revision.files[transfer->file].flags &=
          (uint8_t)~TAM_REVISION_FILE_WANTED;
      tam_transfer_put_away(op, transfer, &batch);
    }
  }
  op->revision.dtypes &= ~(1U << op->dtype);
  tam_revision_put(op, &op->revision, &batch);
  uint32_t request = tam_storage_write(
      op->store->storage, tam_store_op_owner(op, TAG_DISCARD), &batch);
  tam_batch_free(&batch);
  return tam_store_op_asked(request);
}

static int discard_on_storage(tam_store_op *op,
                              const tam_storage_report *report) {
  if (report->tag != TAG_DISCARD) {
    return TAM_PHASE_WAIT; // what the transfer phase had asked for
  }
  return report->kind == TAM_STORAGE_FAILED
             ? tam_store_op_storage_failed(op, report)
             : tam_store_op_fail(op, TAM_ERR_CANCELLED,
                                 "the download was cancelled");
}

static const tam_phase discard_phase = {
    .stage = "download",
    .start = discard_start,
    .on_storage = discard_on_storage,
};

static const tam_phase *const discard_phases[] = {&discard_phase, NULL};

static int cancel_start(tam_store_op *op) {
  tam_store_op *download = find_download(op);
  if (download == NULL) {
    return TAM_ERR_INVALID_PARAMS;
  }
  int is_begun = *download->phase == &tam_transfer_phase;
  if (op->params.keep_partial || !is_begun) {
    tam_store_op_end(download, tam_store_op_fail(download, TAM_ERR_CANCELLED,
                                                 "the download was cancelled"));
    return TAM_PHASE_DONE;
  }
  tam_net_close_op(op->store->host.net, download->speaker.op);
  tam_transfers_forget(download);
  download->phase = discard_phases;
  int result = discard_start(download);
  if (result < 0) {
    tam_store_op_end(download, result);
  }
  return TAM_PHASE_DONE;
}

const tam_phase tam_cancel_phase = {.stage = "queue", .start = cancel_start};
