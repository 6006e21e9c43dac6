// SPDX-License-Identifier: Apache-2.0
// What the caller of an operation hears.
#include "core/json_write.h"
#include "store/store_op.h"
#include "store/verbs.h"

#include <string.h>

// Progress is said at most ten times in any second: nine times at this pace,
// and once at the end, which does not wait.
#define PROGRESS_PERIOD_MS 112.0

// ---------------------------------------------------------------------------
// Progress

// The transfer that people look at: one whose bytes come, or that is hashed, or
// the first that is not complete; NULL when all are.
static const tam_transfer *current_transfer(const tam_store_op *op) {
  const tam_transfers *all = &op->transfers;
  for (size_t i = 0; i < TAM_TRANSFER_SLOTS; i++) {
    if (all->slots[i].state == TAM_SLOT_FETCHING) {
      return all->slots[i].transfer;
    }
  }
  if (all->hashing != NULL) {
    return all->hashing;
  }
  for (size_t i = 0; i < all->count; i++) {
    if (!all->list[i].is_complete) {
      return &all->list[i];
    }
  }
  return NULL;
}

static tam_span current_file(const tam_store_op *op) {
  const tam_transfer *transfer =
      *op->phase == &tam_verify_phase &&
              op->verification.file < op->transfers.count
          ? &op->transfers.list[op->verification.file]
          : current_transfer(op);
  return transfer == NULL
             ? TAM_SPAN_NONE
             : tam_revision_text(&op->revision,
                                 op->revision.files[transfer->file].path);
}

static const char *progress_phase(const tam_store_op *op) {
  if (*op->phase == &tam_queue_phase || *op->phase == &tam_lock_phase) {
    return "waiting";
  }
  return *op->phase == &tam_verify_phase ||
                 tam_transfers_stored(op) == op->total_bytes
             ? "verify"
             : "download";
}

static uint64_t loaded_bytes(const tam_store_op *op) {
  return *op->phase == &tam_verify_phase ? op->verification.bytes
                                         : tam_transfers_loaded(op);
}

static void write_transfer(const tam_store_op *op, tam_buf *json) {
  const tam_transfers *all = &op->transfers;
  double left = (double)(op->total_bytes - op->news.said_loaded);
  tam_json_write_known_member(json, "file", current_file(op));
  tam_json_write_number_member(json, "loaded", (double)op->news.said_loaded);
  tam_json_write_number_member(json, "total", (double)op->total_bytes);
  tam_json_write_number_member(json, "bytesPerSecond", all->rate);
  tam_json_write_key(json, "etaMs");
  if (all->rate > 0) {
    tam_json_write_number(json, left / all->rate * 1000);
  } else {
    tam_json_write_null(json);
  }
}

double tam_store_progress_deadline(const tam_store_op *op) {
  return op->speaker.is_quiet || op->verb->is_serving || !op->news.has_progress
             ? -1
             : op->news.said_at_ms + PROGRESS_PERIOD_MS;
}

// ---------------------------------------------------------------------------
// What TabAgent's panel hears: messages that belong to no request

static int broadcast(tam_store_op *op, tam_buf *json) {
  tam_json_write_object_end(json);
  int error = tam_action_queue_put(op->store->host.queue, TAM_ACTION_MESSAGE, 0,
                                   0, json);
  tam_buf_free(json);
  return error;
}

static void broadcast_begin(tam_store_op *op, const char *type, tam_buf *json) {
  tam_buf_init(json, op->store->host.mem, TAM_STORE_TEXT_MAX);
  tam_json_write_object_begin(json);
  tam_json_write_name_member(json, "type", type);
  tam_json_write_number_member(json, "protocolVersion", TAM_PROTOCOL_VERSION);
}

// The bar of the panel: |status| is one of LoadingStatusTypes.
static int say_loading(tam_store_op *op, const char *status) {
  tam_buf json;
  double share = op->total_bytes > 0
                     ? (double)op->news.said_loaded / (double)op->total_bytes
                     : 1;
  if (op->speaker.is_quiet || !op->verb->is_queued || op->verb->is_part) {
    return 0;
  }
  broadcast_begin(op, "modelWorkerLoadingProgress", &json);
  tam_json_write_member_begin(&json, "payload");
  tam_json_write_name_member(&json, "status", status);
  tam_json_write_string_member(&json, "modelId", op->params.model);
  tam_json_write_number_member(&json, "progress",
                               (double)(uint32_t)(share * 100));
  write_transfer(op, &json);
  if (op->why.len > 0) {
    tam_json_write_string_member(&json, "error", tam_buf_span(&op->why));
  }
  tam_json_write_object_end(&json);
  return broadcast(op, &json);
}

// One for all that the operation changed in TabAgent's manifest.
static void say_manifest_updated(tam_store_op *op) {
  tam_buf json;
  if (op->news.has_changed_manifest && !op->speaker.is_quiet) {
    broadcast_begin(op, "manifestUpdated", &json);
    (void)broadcast(op, &json);
  }
}

// ---------------------------------------------------------------------------
// Progress of an operation

int tam_store_say_progress(tam_store_op *op, int is_last) {
  double now_ms = op->store->now_ms;
  int is_due = op->news.has_progress &&
               now_ms >= op->news.said_at_ms + PROGRESS_PERIOD_MS;
  if (op->speaker.is_quiet || op->verb->is_serving || (!is_last && !is_due)) {
    return 0;
  }
  op->news.has_progress = 0;
  // What was said stays true: bytes of a body that broke off come again.
  uint64_t loaded = loaded_bytes(op);
  if (loaded > op->news.said_loaded) {
    op->news.said_loaded = loaded < op->total_bytes ? loaded : op->total_bytes;
  }
  tam_buf json;
  tam_speaker_begin(&op->speaker, TAM_ANSWER_PROGRESS, now_ms, &json);
  tam_json_write_name_member(&json, "phase", progress_phase(op));
  write_transfer(op, &json);
  int error = tam_speaker_say(&op->speaker, TAM_ANSWER_PROGRESS, &json);
  if (error == 0) {
    error = say_loading(op, op->news.said_at_ms == 0 ? "initiate" : "progress");
  }
  op->news.said_at_ms = now_ms;
  return error;
}

// ---------------------------------------------------------------------------
// The end

int tam_store_send_done(tam_store_op *op) {
  tam_buf json;
  tam_speaker_begin(&op->speaker, TAM_ANSWER_DONE, op->store->now_ms, &json);
  if (op->verb->write_done != NULL) {
    op->verb->write_done(op, &json);
  }
  say_manifest_updated(op);
  (void)say_loading(op, op->transfers.fetched_bytes == 0 ? "cached" : "done");
  return tam_speaker_say(&op->speaker, TAM_ANSWER_DONE, &json);
}

void tam_store_send_error(tam_store_op *op, int error) {
  tam_buf room;
  tam_buf_init(&room, op->store->host.mem, TAM_MODELS_JSON_MAX);
  if (error == TAM_ERR_QUOTA_EXCEEDED) {
    tam_store_write_room(op, &room);
  }
  tam_failure failure = {
      .error = error,
      .stage = op->is_prepared ? (*op->phase)->stage : "params",
      .message = op->why.len > 0 ? tam_buf_span(&op->why)
                                 : TAM_SPAN("the operation could not go on"),
      .model = op->params.model,
      .status = op->status,
      .is_retryable = tam_error_is_retryable(error),
      .remedy = op->remedy != NULL ? op->remedy : tam_error_remedy(error),
      .more = room.error == 0 ? tam_buf_span(&room) : TAM_SPAN_NONE,
  };
  say_manifest_updated(op);
  (void)say_loading(op, "error");
  tam_speaker_fail(&op->speaker, &failure, op->store->now_ms);
  tam_buf_free(&room);
}
