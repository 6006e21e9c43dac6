// SPDX-License-Identifier: Apache-2.0
#include "store/verbs.h"

#include "core/hex.h"
#include "core/json_write.h"
#include "core/names.h"
#include "store/store_op.h"

// ---------------------------------------------------------------------------
// What the terminal messages say

static void write_bytes(tam_buf *json, const char *key, double bytes) {
  tam_json_write_key(json, key);
  if (bytes < 0) {
    tam_json_write_null(json);
  } else {
    tam_json_write_number(json, bytes);
  }
}

static void write_commit(const tam_store_op *op, tam_buf *json) {
  const tam_revision *revision = &op->revision;
  tam_json_write_string_member(json, "modelId", op->params.model);
  tam_json_write_string_member(json, "commit",
                               tam_revision_text(revision, revision->commit));
}

static void write_digest(const tam_revision_file *file, tam_buf *json) {
  uint8_t text[2 * TAM_CONTENT_DIGEST_MAX];
  if (file->algorithm == TAM_FILE_HASH_SHA256) {
    tam_hex_write(text, (tam_span){file->digest, TAM_SHA256_SIZE});
    tam_json_write_string_member(json, "sha256",
                                 (tam_span){text, 2 * TAM_SHA256_SIZE});
  }
}

static void write_files(const tam_store_op *op, tam_buf *json) {
  tam_json_write_key(json, "files");
  tam_json_write_array_begin(json);
  for (size_t i = 0; i < op->transfers.count; i++) {
    const tam_transfer *transfer = &op->transfers.list[i];
    const tam_revision_file *file = &op->revision.files[transfer->file];
    tam_json_write_object_begin(json);
    tam_json_write_string_member(json, "path",
                                 tam_revision_text(&op->revision, file->path));
    tam_json_write_number_member(json, "bytes", (double)file->size);
    write_digest(file, json);
    tam_json_write_number_member(
        json, "cachedBytes",
        (double)tam_chunk_map_bytes(&transfer->record.chunks));
    tam_json_write_object_end(json);
  }
  tam_json_write_array_end(json);
}

void tam_store_write_room(const tam_store_op *op, tam_buf *json) {
  tam_json_write_number_member(json, "totalBytes", (double)op->total_bytes);
  tam_json_write_number_member(json, "neededBytes",
                               (double)tam_store_op_needed(op));
  write_bytes(json, "freeBytes", op->room.free_bytes);
  write_bytes(json, "quotaBytes", op->room.quota_bytes);
  tam_json_write_key(json, "fits");
  tam_json_write_bool(json, tam_store_op_fits(op));
  tam_json_write_key(json, "evict");
  tam_json_write_array_begin(json);
  for (size_t i = 0; i < op->room.evict_count; i++) {
    const tam_model *model = &op->models.list[i];
    tam_json_write_string(json, (tam_span){model->repo, model->repo_len});
  }
  tam_json_write_array_end(json);
}

static void write_plan(const tam_store_op *op, tam_buf *json) {
  write_commit(op, json);
  tam_json_write_name_member(json, "dtype", tam_dtype_name(op->dtype));
  write_files(op, json);
  tam_store_write_room(op, json);
}

static void write_download(const tam_store_op *op, tam_buf *json) {
  const tam_transfers *all = &op->transfers;
  write_commit(op, json);
  tam_json_write_known_member(
      json, "dtype",
      tam_span_of(op->verb->takes_rows ? "" : tam_dtype_name(op->dtype)));
  write_files(op, json);
  tam_json_write_number_member(json, "bytes", (double)op->total_bytes);
  tam_json_write_key(json, "fromCache");
  tam_json_write_bool(json, all->fetched_bytes == 0);
  tam_json_write_number_member(json, "resumedBytes",
                               (double)all->resumed_bytes);
  tam_json_write_number_member(json, "fetchedBytes",
                               (double)all->fetched_bytes);
  tam_json_write_number_member(json, "durationMs",
                               op->store->now_ms - op->started_ms);
}

static void write_models(const tam_store_op *op, tam_buf *json) {
  tam_json_write_key(json, "models");
  tam_json_write_array_begin(json);
  tam_json_write_raw(json, tam_buf_span(&op->models.json));
  tam_json_write_array_end(json);
}

// The files in the form in which the Hub lists them.
static void write_tree_row(const tam_revision *revision,
                           const tam_revision_file *file, tam_buf *json) {
  uint8_t text[2 * TAM_CONTENT_DIGEST_MAX];
  size_t size = tam_file_hash_digest_size(file->algorithm);
  tam_span digest = {text, 2 * size};
  tam_hex_write(text, (tam_span){file->digest, size});
  tam_json_write_object_begin(json);
  tam_json_write_name_member(json, "type", "file");
  tam_json_write_string_member(json, "path",
                               tam_revision_text(revision, file->path));
  tam_json_write_number_member(json, "size", (double)file->size);
  if (file->algorithm == TAM_FILE_HASH_SHA256) {
    tam_json_write_member_begin(json, "lfs");
    tam_json_write_string_member(json, "oid", digest);
    tam_json_write_number_member(json, "size", (double)file->size);
    tam_json_write_object_end(json);
  } else {
    tam_json_write_string_member(json, "oid", digest);
  }
  tam_json_write_object_end(json);
}

static void write_export(const tam_store_op *op, tam_buf *json) {
  const tam_revision *revision = &op->revision;
  write_commit(op, json);
  tam_json_write_string_member(json, "revision",
                               tam_revision_text(revision, revision->label));
  tam_json_write_string_member(json, "task",
                               tam_revision_text(revision, revision->task));
  tam_json_write_number_member(json, "dtypes", revision->dtypes);
  tam_json_write_key(json, "files");
  tam_json_write_array_begin(json);
  for (size_t i = 0; i < op->transfers.count; i++) {
    write_tree_row(revision, &revision->files[op->transfers.list[i].file],
                   json);
  }
  tam_json_write_array_end(json);
}

static void write_downloads(const tam_store_op *op, tam_buf *json) {
  tam_json_write_key(json, "downloads");
  tam_json_write_array_begin(json);
  tam_json_write_raw(json, tam_buf_span(&op->rows));
  tam_json_write_array_end(json);
}

static void write_checks(const tam_store_op *op, tam_buf *json) {
  tam_json_write_key(json, "checks");
  tam_json_write_array_begin(json);
  tam_json_write_raw(json, tam_buf_span(&op->rows));
  tam_json_write_array_end(json);
}

static void write_storage(const tam_store_op *op, tam_buf *json) {
  write_bytes(json, "usedBytes", op->room.usage_bytes);
  write_bytes(json, "quotaBytes", op->room.quota_bytes);
  tam_json_write_key(json, "persisted");
  if (op->room.persisted < 0) {
    tam_json_write_null(json);
  } else {
    tam_json_write_bool(json, op->room.persisted);
  }
}

static void write_verify(const tam_store_op *op, tam_buf *json) {
  uint32_t repaired = op->params.repair ? op->verification.damaged : 0;
  tam_json_write_key(json, "ok");
  tam_json_write_bool(json, repaired == op->verification.damaged);
  tam_json_write_key(json, "damaged");
  tam_json_write_array_begin(json);
  tam_json_write_raw(json, tam_buf_span(&op->rows));
  tam_json_write_array_end(json);
  tam_json_write_number_member(json, "repaired", repaired);
}

static void write_update(const tam_store_op *op, tam_buf *json) {
  const tam_revision *revision = &op->revision;
  tam_json_write_string_member(
      json, "current",
      (tam_span){(const uint8_t *)op->commit, TAM_COMMIT_SIZE});
  tam_json_write_string_member(json, "latest",
                               tam_revision_text(revision, revision->commit));
  tam_json_write_number_member(json, "changedBytes", (double)op->total_bytes);
}

static void write_rollback(const tam_store_op *op, tam_buf *json) {
  tam_json_write_string_member(
      json, "commit", (tam_span){(const uint8_t *)op->commit, TAM_COMMIT_SIZE});
}

static void write_shared(const tam_store_op *op, tam_buf *json) {
  tam_json_write_key(json, "object");
  if (op->rows.len > 0) {
    tam_json_write_raw(json, tam_buf_span(&op->rows));
  } else {
    tam_json_write_null(json);
  }
}

static void write_opened(const tam_store_op *op, tam_buf *json) {
  write_commit(op, json);
  tam_json_write_number_member(json, "bytes", (double)op->total_bytes);
}

static void write_outcome(const tam_store_op *op, tam_buf *json) {
  tam_json_write_name_member(json, "outcome",
                             tam_names_at("pass\0"
                                          "file\0"
                                          "absent\0"
                                          "miss\0"
                                          "refused\0",
                                          op->serving.outcome));
}

// ---------------------------------------------------------------------------
// The phases

#define PHASES(name, ...)                                                      \
  static const tam_phase *const name[] = {__VA_ARGS__, NULL}

PHASES(plan_phases, &tam_stored_phase, &tam_commit_phase, &tam_tree_phase,
       &tam_select_phase, &tam_journals_phase, &tam_room_phase,
       &tam_evict_phase);

PHASES(download_phases, &tam_queue_phase, &tam_lock_phase, &tam_stored_phase,
       &tam_commit_phase, &tam_tree_phase, &tam_select_phase,
       &tam_journals_phase, &tam_adopt_phase, &tam_room_phase, &tam_evict_phase,
       &tam_fit_phase, &tam_begin_phase, &tam_transfer_phase,
       &tam_confirm_phase, &tam_publish_phase, &tam_sweep_phase);

// What is stored will do, whatever the Hub has by now: no request, no lock, and
// no turn in the queue comes before the model.
PHASES(ensure_phases, &tam_stored_phase, &tam_known_phase,
       &tam_select_stored_phase, &tam_journals_phase, &tam_enough_phase,
       &tam_queue_phase, &tam_lock_phase, &tam_stored_phase, &tam_commit_phase,
       &tam_tree_phase, &tam_select_phase, &tam_journals_phase,
       &tam_adopt_phase, &tam_room_phase, &tam_evict_phase, &tam_fit_phase,
       &tam_begin_phase, &tam_transfer_phase, &tam_confirm_phase,
       &tam_publish_phase, &tam_sweep_phase);

PHASES(update_phases, &tam_queue_phase, &tam_lock_phase, &tam_stored_phase,
       &tam_commit_phase, &tam_tree_phase, &tam_compare_phase,
       &tam_select_dtypes_phase, &tam_journals_phase, &tam_room_phase,
       &tam_evict_phase, &tam_fit_phase, &tam_begin_phase, &tam_transfer_phase,
       &tam_confirm_phase, &tam_publish_phase, &tam_sweep_phase);

PHASES(check_phases, &tam_stored_phase, &tam_commit_phase, &tam_tree_phase,
       &tam_compare_phase);

// What is stored is served at once; else the second half fetches it, having
// looked again when it has the lock, for somebody else may have been faster.
#define FETCH_PHASES                                                           \
  &tam_url_phase, &tam_stored_phase, &tam_known_phase, &tam_select_file_phase, \
      &tam_journals_phase, &tam_hit_phase, &tam_lock_phase, &tam_stored_phase, \
      &tam_known_phase, &tam_commit_phase, &tam_tree_phase,                    \
      &tam_select_file_phase, &tam_found_phase, &tam_journals_phase,           \
      &tam_adopt_phase, &tam_begin_phase, &tam_transfer_phase,                 \
      &tam_unlock_phase

PHASES(fetch_phases, FETCH_PHASES, &tam_serve_phase);
PHASES(store_file_phases, FETCH_PHASES, &tam_kept_phase);

PHASES(open_phases, &tam_stored_phase, &tam_known_phase, &tam_need_phase,
       &tam_select_file_phase, &tam_journals_phase, &tam_open_phase);

PHASES(verify_phases, &tam_lock_phase, &tam_stored_phase, &tam_known_phase,
       &tam_need_phase, &tam_select_complete_phase, &tam_journals_phase,
       &tam_verify_phase, &tam_transfer_phase);

PHASES(delete_phases, &tam_lock_phase, &tam_stored_phase, &tam_delete_phase);
PHASES(rollback_phases, &tam_lock_phase, &tam_stored_phase, &tam_known_phase,
       &tam_need_phase, &tam_rollback_phase);
PHASES(pin_phases, &tam_stored_phase, &tam_known_phase, &tam_need_phase,
       &tam_pin_phase);
PHASES(clear_phases, &tam_clear_phase);
PHASES(downloads_phases, &tam_downloads_phase);
PHASES(pause_phases, &tam_pause_phase);
PHASES(resume_phases, &tam_resume_phase);
PHASES(cancel_phases, &tam_cancel_phase);
PHASES(export_phases, &tam_stored_phase, &tam_known_phase, &tam_need_phase,
       &tam_select_complete_phase);
PHASES(import_phases, &tam_lock_phase, &tam_stored_phase, &tam_rows_phase,
       &tam_journals_phase, &tam_room_phase, &tam_evict_phase, &tam_fit_phase,
       &tam_begin_phase, &tam_transfer_phase, &tam_confirm_phase,
       &tam_publish_phase);
PHASES(import_files_phases, &tam_lock_phase, &tam_stored_phase,
       &tam_commit_phase, &tam_tree_phase, &tam_rows_phase, &tam_journals_phase,
       &tam_room_phase, &tam_evict_phase, &tam_fit_phase, &tam_begin_phase,
       &tam_transfer_phase, &tam_confirm_phase, &tam_publish_phase);
PHASES(doctor_phases, &tam_probe_phase, &tam_room_phase, &tam_diagnose_phase);
PHASES(models_phases, &tam_models_phase);
PHASES(storage_phases, &tam_room_phase);
PHASES(shared_phases, &tam_shared_phase);
PHASES(note_load_phases, &tam_status_phase);

static const tam_store_verb verbs[] = {
    {.name = "plan",
     .phases = plan_phases,
     .write_done = write_plan,
     .needs_model = 1},
    {.name = "download",
     .phases = download_phases,
     .write_done = write_download,
     .needs_model = 1,
     .has_dtype = 1,
     .is_queued = 1},
    {.name = "ensureModel",
     .phases = ensure_phases,
     .write_done = write_download,
     .needs_model = 1,
     .has_dtype = 1,
     .is_queued = 1,
     .is_part = 1},
    {.name = "updateModel",
     .phases = update_phases,
     .write_done = write_download,
     .needs_model = 1,
     .is_queued = 1},
    {.name = "checkForUpdate",
     .phases = check_phases,
     .write_done = write_update,
     .needs_model = 1},
    {.name = "rollbackModel",
     .phases = rollback_phases,
     .write_done = write_rollback,
     .needs_model = 1},
    {.name = "verifyModel",
     .phases = verify_phases,
     .write_done = write_verify,
     .needs_model = 1,
     .is_verify = 1},
    {.name = "deleteModel", .phases = delete_phases, .needs_model = 1},
    {.name = "pinModel", .phases = pin_phases, .needs_model = 1},
    {.name = "exportModel",
     .phases = export_phases,
     .write_done = write_export,
     .needs_model = 1},
    {.name = "importModel",
     .phases = import_phases,
     .write_done = write_download,
     .needs_model = 1,
     .takes_rows = 1},
    {.name = "importFiles",
     .phases = import_files_phases,
     .write_done = write_download,
     .needs_model = 1,
     .takes_rows = 1},
    {.name = "doctor",
     .phases = doctor_phases,
     .write_done = write_checks,
     .takes_facts = 1},
    {.name = "clearStore", .phases = clear_phases},
    {.name = "downloads",
     .phases = downloads_phases,
     .write_done = write_downloads},
    {.name = "pauseDownload", .phases = pause_phases},
    {.name = "resumeDownload", .phases = resume_phases},
    {.name = "cancelDownload", .phases = cancel_phases},
    {.name = "models", .phases = models_phases, .write_done = write_models},
    {.name = "storage", .phases = storage_phases, .write_done = write_storage},
    {.name = "sharedObject",
     .phases = shared_phases,
     .write_done = write_shared,
     .takes_rows = 1},
    {.name = "noteLoad", .phases = note_load_phases, .needs_model = 1},
    {.name = "fetchFile",
     .phases = fetch_phases,
     .write_done = write_outcome,
     .is_serving = 1},
    {.name = "storeFile",
     .phases = store_file_phases,
     .write_done = write_outcome,
     .is_serving = 1,
     .is_storing = 1},
    {.name = "openFile",
     .phases = open_phases,
     .write_done = write_opened,
     .needs_model = 1},
};

const tam_store_verb *tam_store_find_verb(tam_span name) {
  for (size_t i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++) {
    if (tam_span_is(name, verbs[i].name)) {
      return &verbs[i];
    }
  }
  return NULL;
}
