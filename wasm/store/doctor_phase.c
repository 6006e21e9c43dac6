// SPDX-License-Identifier: Apache-2.0
// Looks whether the storage can be relied on, and says what to do where it
// cannot.
#include "store/doctor_phase.h"
#include "core/json_write.h"
#include "store/store_op.h"
#include "store/verbs.h"

// Written, read and deleted: what a store has to be able to do.
#define PROBE_KEY   TAM_SPAN("tabagent:probe")
#define PROBE_VALUE TAM_SPAN("probe")

// A small model in its smallest dtype.
#define ROOM_MIN_BYTES 1e9

enum { STEP_WRITE = 1, STEP_READ, STEP_DELETE };

void tam_store_write_check(tam_store_op *op, const char *check, int is_ok,
                           tam_span message, const char *fix) {
  tam_json_write_object_begin(&op->rows);
  tam_json_write_name_member(&op->rows, "check", check);
  tam_json_write_key(&op->rows, "ok");
  tam_json_write_bool(&op->rows, is_ok);
  tam_json_write_string_member(&op->rows, "message", message);
  tam_json_write_known_member(&op->rows, "fix",
                              is_ok ? TAM_SPAN_NONE : tam_span_of(fix));
  tam_json_write_object_end(&op->rows);
}

static int change_probe(tam_store_op *op, uint32_t step) {
  tam_batch batch;
  tam_batch_init(&batch, op->store->host.mem);
  if (step == STEP_WRITE) {
    tam_batch_put(&batch, PROBE_KEY, PROBE_VALUE);
  } else {
    tam_batch_delete(&batch, TAM_STORE_FILES, PROBE_KEY);
  }
  uint32_t request = tam_storage_write(op->store->storage,
                                       tam_store_op_owner(op, step), &batch);
  tam_batch_free(&batch);
  return tam_store_op_asked(request);
}

static int probe_start(tam_store_op *op) {
  return change_probe(op, STEP_WRITE);
}

// Nothing else can be said of a storage that does not work.
static int probe_failed(tam_store_op *op, const tam_storage_report *report) {
  (void)tam_store_op_storage_failed(op, report);
  tam_store_write_check(
      op, "storage", 0, tam_buf_span(&op->why),
      report->error == TAM_ERR_STORE_BLOCKED
          ? "Close the other tabs of the extension."
          : "Leave the private window, allow site data, or free space.");
  return TAM_PHASE_END;
}

static int probe_on_storage(tam_store_op *op,
                            const tam_storage_report *report) {
  if (report->kind == TAM_STORAGE_FAILED) {
    return probe_failed(op, report);
  }
  switch (report->tag) {
  case STEP_WRITE:
    return tam_store_op_asked(tam_storage_get(op->store->storage,
                                              tam_store_op_owner(op, STEP_READ),
                                              TAM_STORE_FILES, PROBE_KEY));
  case STEP_READ:
    if (!tam_span_eq(report->data, PROBE_VALUE)) {
      tam_store_write_check(
          op, "storage", 0,
          TAM_SPAN("the storage does not give back what it was given"),
          "Clear the site data of the extension.");
      return TAM_PHASE_END;
    }
    return change_probe(op, STEP_DELETE);
  default:
    tam_store_write_check(op, "storage", 1, TAM_SPAN("models can be stored"),
                          "");
    return TAM_PHASE_DONE;
  }
}

const tam_phase tam_probe_phase = {
    .stage = "doctor",
    .start = probe_start,
    .on_storage = probe_on_storage,
};

// Appends |bytes| as people say it: 42 MB, 4.2 GB, 42 GB.
static void append_size(tam_buf *text, double bytes) {
  uint64_t tenths = (uint64_t)(bytes / 1e8); // of a GB
  int is_large = tenths >= 10;
  tam_text_append_number(
      text, (double)(is_large ? tenths / 10 : (uint64_t)(bytes / 1e6)));
  if (is_large && tenths < 100) {
    tam_buf_append_byte(text, '.');
    tam_buf_append_byte(text, (uint8_t)('0' + tenths % 10));
  }
  tam_buf_append_text(text, is_large ? " GB" : " MB");
}

// What the estimate says; the phase before this one asked for it.
static int diagnose_start(tam_store_op *op) {
  uint8_t text[TAM_STORE_WHY_MAX];
  tam_buf message;
  tam_buf_init_fixed(&message, text, sizeof(text));
  if (op->room.free_bytes < 0) {
    tam_buf_append_text(&message, "the platform does not say how much room "
                                  "there is");
  } else {
    append_size(&message, op->room.free_bytes);
    tam_buf_append_text(&message, " are free");
  }
  tam_store_write_check(
      op, "room",
      op->room.free_bytes < 0 || op->room.free_bytes >= ROOM_MIN_BYTES,
      tam_buf_span(&message), "Delete models or free disk space.");
  int is_extension = op->params.unlimited_storage >= 0;
  // With unlimitedStorage the browser evicts nothing, whatever it calls that.
  int is_kept = op->room.persisted != 0 || op->params.unlimited_storage > 0;
  tam_store_write_check(
      op, "persistence", is_kept,
      is_kept ? TAM_SPAN("models are not deleted unless somebody asks")
              : TAM_SPAN("the browser may delete models when space is "
                         "short"),
      is_extension ? "Ask for the permission unlimitedStorage in the manifest."
                   : "Call navigator.storage.persist() when the user has "
                     "clicked: the browser may ask.");
  if (is_extension) {
    int is_unlimited = op->params.unlimited_storage > 0;
    tam_store_write_check(
        op, "unlimitedStorage", is_unlimited,
        is_unlimited ? TAM_SPAN("the permission is there")
                     : TAM_SPAN("the permission is missing"),
        "Add \"unlimitedStorage\" to the permissions of the manifest.");
  }
  return TAM_PHASE_DONE;
}

const tam_phase tam_diagnose_phase = {.stage = "doctor",
                                      .start = diagnose_start};
