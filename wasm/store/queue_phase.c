// SPDX-License-Identifier: Apache-2.0
// What stands between a request and its work: the queue of downloads, and the
// lock that keeps two contexts from writing the same repository's records.
#include "store/store_op.h"
#include "store/transfers.h"
#include "store/verbs.h"

#define LOCK_PREFIX "tabagent:"

#define LOCK_SILENCE_MS 300.0

// A download in another context has the lock as long as it takes, and nobody
// says which of its files are there: so often whoever wants one looks. It reads
// a few records.
#define LOOK_PERIOD_MS 2000.0

// ---------------------------------------------------------------------------
// The queue: one download at a time, so that the first one is complete soonest

static int goes_before(const tam_store_op *other, const tam_store_op *op) {
  int is_waiting = *other->phase == &tam_queue_phase;
  if (other == op || other->is_ended || !other->verb->is_queued ||
      other->transfers.is_paused) {
    return 0;
  }
  if (!is_waiting) {
    return 1; // it runs
  }
  if (other->params.priority != op->params.priority) {
    return other->params.priority > op->params.priority;
  }
  return other->speaker.op < op->speaker.op;
}

// Says once that the operation waits.
static int say_waiting(tam_store_op *op) {
  if (op->turn.has_said_waiting) {
    return TAM_PHASE_WAIT;
  }
  op->turn.has_said_waiting = 1;
  return tam_store_say_progress(op, 1);
}

static int queue_look(tam_store_op *op) {
  if (op->transfers.is_paused) {
    return TAM_PHASE_WAIT;
  }
  for (const tam_store_op *other = op->store->first; other != NULL;
       other = other->next) {
    if (goes_before(other, op)) {
      return say_waiting(op);
    }
  }
  return TAM_PHASE_DONE;
}

const tam_phase tam_queue_phase = {
    .stage = "queue", .start = queue_look, .advance = queue_look};

// ---------------------------------------------------------------------------
// The lock

// Returns the download of the model that is under way here, or NULL.
static const tam_store_op *find_download(const tam_store_op *op) {
  const tam_store_op *other = op->store->first;
  while (other != NULL &&
         !(other->verb->is_queued && !other->is_ended &&
           *other->phase == &tam_transfer_phase &&
           tam_span_eq(other->params.model, op->params.model))) {
    other = other->next;
  }
  return other;
}

// Returns what the download does about the file that |op| serves, or NULL.
static const tam_transfer *find_transfer(const tam_store_op *download,
                                         const tam_store_op *op) {
  const tam_revision *revision = &download->revision;
  for (size_t i = 0; i < download->transfers.count; i++) {
    const tam_transfer *transfer = &download->transfers.list[i];
    if (tam_span_eq(
            tam_revision_text(revision, revision->files[transfer->file].path),
            op->serving.file.path)) {
      return transfer;
    }
  }
  return NULL;
}

// Returns 1 for a file of which nothing is out yet: it may come from anywhere.
// Later the lock is for a repair, and nothing can stand in for that.
static int is_before_head(const tam_store_op *op) {
  return op->verb->is_serving && !op->serving.has_head;
}

// A download holds the lock as long as it takes. The network has the files that
// it does not fetch, too; whoever hands one in wants to have it stored.
static int is_elsewhere(const tam_store_op *op) {
  const tam_store_op *download =
      is_before_head(op) && !op->verb->is_storing && !op->params.is_input
          ? find_download(op)
          : NULL;
  return download != NULL && find_transfer(download, op) == NULL;
}

static int lock_start(tam_store_op *op) {
  if (is_elsewhere(op)) {
    op->serving.outcome = TAM_OUTCOME_PASS;
    return TAM_PHASE_END;
  }
  uint8_t text[TAM_REPO_ID_MAX + sizeof(LOCK_PREFIX)];
  tam_buf name;
  tam_buf_init_fixed(&name, text, sizeof(text));
  tam_buf_append_text(&name, LOCK_PREFIX);
  tam_buf_append(&name, op->params.model);
  op->turn.look_at_ms = op->store->now_ms + LOOK_PERIOD_MS;
  op->turn.lock = tam_storage_lock(
      op->store->storage, tam_store_op_owner(op, 0), tam_buf_span(&name));
  return op->turn.lock == 0 ? TAM_ERR_OUT_OF_MEMORY : TAM_PHASE_WAIT;
}

// The download has stored the file: it can be served now.
static int is_there(const tam_store_op *op) {
  const tam_store_op *download =
      is_before_head(op) && !op->turn.has_looked_again ? find_download(op)
                                                       : NULL;
  const tam_transfer *transfer =
      download != NULL ? find_transfer(download, op) : NULL;
  return transfer != NULL && transfer->is_complete;
}

static int is_time_to_look(const tam_store_op *op) {
  return is_before_head(op) && op->store->now_ms >= op->turn.look_at_ms;
}

// Whoever waits longer than a moment shall hear it.
static int lock_advance(tam_store_op *op) {
  int has_it = is_there(op);
  if (has_it || is_time_to_look(op)) {
    op->turn.has_looked_again |= has_it;
    tam_storage_drop(op->store->storage, op->turn.lock);
    op->turn.lock = 0;
    op->phase = op->verb->phases;
    return (*op->phase)->start(op);
  }
  return op->store->now_ms >= op->started_ms + LOCK_SILENCE_MS ? say_waiting(op)
                                                               : TAM_PHASE_WAIT;
}

static double lock_deadline(const tam_store_op *op) {
  if (is_before_head(op)) {
    return op->turn.look_at_ms;
  }
  return op->turn.has_said_waiting || op->speaker.is_quiet
             ? -1
             : op->started_ms + LOCK_SILENCE_MS;
}

static int lock_on_storage(tam_store_op *op, const tam_storage_report *report) {
  return report->kind == TAM_STORAGE_FAILED
             ? tam_store_op_storage_failed(op, report)
             : TAM_PHASE_DONE;
}

const tam_phase tam_lock_phase = {
    .stage = "lock",
    .start = lock_start,
    .advance = lock_advance,
    .deadline = lock_deadline,
    .on_storage = lock_on_storage,
};

static int unlock_start(tam_store_op *op) {
  if (op->turn.lock != 0) {
    tam_storage_drop(op->store->storage, op->turn.lock);
    op->turn.lock = 0;
  }
  return TAM_PHASE_DONE;
}

const tam_phase tam_unlock_phase = {.stage = "lock", .start = unlock_start};
