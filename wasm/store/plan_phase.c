// SPDX-License-Identifier: Apache-2.0
// Finds out what has to be fetched: the files that a dtype needs, what is
// stored of them, and whether the rest fits.
#include "core/json_tree.h"
#include "core/mem.h"
#include "store/file_select.h"
#include "store/store_op.h"
#include "store/verbs.h"

#include <string.h>

// Chunks beyond those that a file has, of which it is noted that they are
// there.
#define SEEN_SPARE 16

enum { TAG_JOURNALS = 1, TAG_KEYS };

// ---------------------------------------------------------------------------
// Which files

// Of a file that is stored already, under another revision, no second copy is
// made.
static int share_file(tam_store_op *op, tam_revision_file *file) {
  for (size_t i = 0; i < op->stored_count; i++) {
    const tam_revision *stored = &op->stored[i];
    for (size_t j = 0; j < stored->count; j++) {
      const tam_revision_file *other = &stored->files[j];
      if ((other->flags & TAM_REVISION_FILE_COMPLETE) != 0 &&
          tam_revision_file_is_same(other, file)) {
        tam_buf_reset(&op->scratch);
        tam_revision_append_group(stored, other, &op->scratch);
        if (op->scratch.error != 0) {
          return op->scratch.error;
        }
        return tam_revision_set_group(&op->revision, file,
                                      tam_buf_span(&op->scratch));
      }
    }
  }
  return 0;
}

int tam_store_op_take_chosen(tam_store_op *op) {
  int error = 0;
  for (size_t i = 0; i < op->revision.count && error == 0; i++) {
    tam_revision_file *file = &op->revision.files[i];
    if ((file->flags & TAM_REVISION_FILE_CHOSEN) != 0 &&
        (file->flags & TAM_REVISION_FILE_COMPLETE) == 0 &&
        file->group.len == 0) {
      error = share_file(op, file);
    }
  }
  if (error == 0) {
    error = tam_transfers_init(op);
  }
  return error != 0 ? error : TAM_PHASE_DONE;
}

// Names the dtypes that there are.
static int no_such_dtype(tam_store_op *op, unsigned available) {
  const char *separator = "";
  tam_buf_reset(&op->why);
  tam_buf_append_text(&op->why, available == 0
                                    ? "the repository has no ONNX graph"
                                    : "the repository has these dtypes: ");
  for (int dtype = 0; dtype < TAM_DTYPE_COUNT; dtype++) {
    if ((available & (1U << dtype)) != 0) {
      tam_buf_append_text(&op->why, separator);
      tam_buf_append_text(&op->why, tam_dtype_name((tam_dtype)dtype));
      separator = ", ";
    }
  }
  return TAM_ERR_DTYPE_UNAVAILABLE;
}

// Returns the dtypes of which all files are complete, as bits.
static unsigned complete_dtypes(tam_revision *revision) {
  unsigned complete =
      revision->dtypes |
      tam_file_select_flagged(revision, TAM_REVISION_FILE_COMPLETE);
  for (int dtype = 0; dtype < TAM_DTYPE_COUNT; dtype++) {
    tam_revision_choose_none(revision);
    tam_file_select(revision, (tam_dtype)dtype);
    for (size_t i = 0; i < revision->count; i++) {
      unsigned flags = revision->files[i].flags;
      if ((flags & TAM_REVISION_FILE_CHOSEN) != 0 &&
          (flags & TAM_REVISION_FILE_COMPLETE) == 0) {
        complete &= ~(1U << dtype);
      }
    }
  }
  return complete;
}

// Chooses the dtype that is wanted: of several that will do, one that is stored
// does best. Returns 0, or DTYPE_UNAVAILABLE.
static int choose_dtype(tam_store_op *op, unsigned available,
                        unsigned complete) {
  tam_span wanted = op->params.dtype;
  int has_several = tam_span_find_byte(wanted, ',') < wanted.len;
  return has_several && tam_file_select_dtype(wanted, complete, &op->dtype) == 0
             ? 0
             : tam_file_select_dtype(wanted, available, &op->dtype);
}

static int take_dtype(tam_store_op *op) {
  tam_revision_choose_none(&op->revision);
  tam_file_select(&op->revision, op->dtype);
  return tam_store_op_take_chosen(op);
}

static int select_start(tam_store_op *op) {
  unsigned available = tam_file_select_available(&op->revision);
  unsigned complete = available & complete_dtypes(&op->revision);
  return choose_dtype(op, available, complete) != 0
             ? no_such_dtype(op, available)
             : take_dtype(op);
}

const tam_phase tam_select_phase = {.stage = "plan", .start = select_start};

// Chooses the files of the dtype, if they are complete.
static int select_stored_start(tam_store_op *op) {
  if (!op->has_revision || (op->revision.flags & TAM_REVISION_LISTED) == 0) {
    return TAM_PHASE_DONE;
  }
  unsigned available = tam_file_select_available(&op->revision);
  unsigned complete = available & complete_dtypes(&op->revision);
  return choose_dtype(op, available, complete) == 0 &&
                 (complete & (1U << op->dtype)) != 0
             ? take_dtype(op)
             : TAM_PHASE_DONE;
}

const tam_phase tam_select_stored_phase = {.stage = "plan",
                                           .start = select_stored_start};

// What was chosen is there: that is all. Else the store and the Hub are asked
// as if nothing had been looked at.
static int enough_start(tam_store_op *op) {
  size_t complete = 0;
  for (size_t i = 0; i < op->transfers.count; i++) {
    complete += op->transfers.list[i].is_complete != 0;
  }
  if (complete > 0 && complete == op->transfers.count) {
    return TAM_PHASE_END;
  }
  if (op->params.only_cached) {
    return tam_store_op_fail(op, TAM_ERR_NOT_STORED,
                             "the model is no longer in the store");
  }
  tam_store_op_free_stored(op);
  return TAM_PHASE_DONE;
}

const tam_phase tam_enough_phase = {.stage = "plan", .start = enough_start};

// Chooses the one file that is asked for.
static int select_file_start(tam_store_op *op) {
  if (!op->has_revision) {
    return TAM_PHASE_DONE;
  }
  tam_revision_file *file =
      tam_revision_find(&op->revision, op->serving.file.path);
  tam_revision_choose_none(&op->revision);
  if (file != NULL) {
    file->flags |= TAM_REVISION_FILE_CHOSEN;
  }
  return tam_store_op_take_chosen(op);
}

const tam_phase tam_select_file_phase = {.stage = "plan",
                                         .start = select_file_start};

// Chooses all files that are complete.
static int select_complete_start(tam_store_op *op) {
  tam_revision_choose_none(&op->revision);
  for (size_t i = 0; i < op->revision.count; i++) {
    tam_revision_file *file = &op->revision.files[i];
    if ((file->flags & TAM_REVISION_FILE_COMPLETE) != 0) {
      file->flags |= TAM_REVISION_FILE_CHOSEN;
    }
  }
  return tam_store_op_take_chosen(op);
}

const tam_phase tam_select_complete_phase = {.stage = "plan",
                                             .start = select_complete_start};

// ---------------------------------------------------------------------------
// What is stored of them

static int journals_start(tam_store_op *op) {
  if (op->transfers.count == 0) {
    return TAM_PHASE_DONE;
  }
  return tam_store_op_asked(
      tam_storage_list(op->store->storage, tam_store_op_owner(op, TAG_JOURNALS),
                       TAM_STORE_FILES, tam_store_op_prefix(op, TAM_KEY_FILE)));
}

// Says whether the journal is about the content that the revision names.
static int is_about(const tam_file_record *record,
                    const tam_revision_file *file) {
  return record->chunks.size == file->size &&
         record->algorithm == file->algorithm &&
         memcmp(record->digest, file->digest, sizeof(record->digest)) == 0;
}

// A damaged journal, or that of another content, is as good as none.
static int load_journal(tam_store_op *op, tam_transfer *transfer,
                        tam_span saved) {
  int error =
      tam_file_record_load(&transfer->record, saved, op->store->host.mem);
  if (error == 0 &&
      is_about(&transfer->record, &op->revision.files[transfer->file])) {
    transfer->has_record = 1;
    return 0;
  }
  tam_file_record_free(&transfer->record);
  return error == TAM_ERR_OUT_OF_MEMORY ? error : 0;
}

static int on_journal(tam_store_op *op, const tam_storage_report *report) {
  tam_span group = tam_span_from(report->key, sizeof(TAM_KEY_FILE) - 1);
  tam_transfer *transfer = NULL;
  int error = 0;
  while (error == 0 &&
         (transfer = tam_transfers_find(op, group, transfer)) != NULL) {
    if (!transfer->has_record) {
      error = load_journal(op, transfer, report->data);
    }
  }
  return error != 0 ? error : TAM_PHASE_WAIT;
}

static int begin_record(tam_store_op *op, tam_transfer *transfer) {
  const tam_revision_file *file = &op->revision.files[transfer->file];
  int error = tam_file_record_init(&transfer->record, file->size,
                                   TAM_CHUNK_SIZE_DEFAULT, file->algorithm,
                                   file->digest, op->store->host.mem);
  transfer->has_record = 1;
  return error;
}

static int begin_records(tam_store_op *op) {
  const tam_mem *mem = op->store->host.mem;
  for (size_t i = 0; i < op->transfers.count; i++) {
    tam_transfer *transfer = &op->transfers.list[i];
    int error = transfer->has_record ? 0 : begin_record(op, transfer);
    if (error != 0) {
      return error;
    }
    // TabAgent may have cut the file into more chunks than we do.
    transfer->seen_count = 2 * transfer->record.chunks.count + SEEN_SPARE;
    transfer->seen = tam_mem_calloc(mem, transfer->seen_count, 1);
    if (transfer->seen == NULL) {
      return TAM_ERR_OUT_OF_MEMORY;
    }
  }
  return 0;
}

// A journal may claim chunks that somebody has deleted. Their keys tell.
static int ask_keys(tam_store_op *op) {
  return tam_store_op_asked(tam_storage_keys(op->store->storage,
                                             tam_store_op_owner(op, TAG_KEYS),
                                             tam_store_op_prefix(op, "")));
}

// Reads "<group>_chunk_<n>".
static int on_key(tam_store_op *op, tam_span key) {
  tam_span group;
  double chunk;
  tam_transfer *transfer = NULL;
  if (!tam_store_key_read_chunk(key, &group, &chunk)) {
    return TAM_PHASE_WAIT;
  }
  while ((transfer = tam_transfers_find(op, group, transfer)) != NULL) {
    if (chunk < transfer->seen_count) {
      transfer->seen[(size_t)chunk] = 1;
    }
  }
  return TAM_PHASE_WAIT;
}

// From the first chunk that is gone on, what was found out is worth nothing:
// the chunk may come back as another one.
static void settle(tam_store_op *op, tam_transfer *transfer) {
  tam_file_record *record = &transfer->record;
  for (uint32_t i = 0; i < record->chunks.count; i++) {
    if (!transfer->seen[i] && tam_chunk_map_has(&record->chunks, i)) {
      tam_transfer_lose(transfer, i);
    }
  }
  transfer->is_complete =
      (record->flags & TAM_FILE_COMPLETE) != 0 && tam_file_record_check(record);
  if (!transfer->is_complete) {
    record->flags &= (uint8_t)~TAM_FILE_COMPLETE;
    op->revision.files[transfer->file].flags &=
        (uint8_t)~TAM_REVISION_FILE_COMPLETE;
  } else {
    op->revision.files[transfer->file].flags |= TAM_REVISION_FILE_COMPLETE;
  }
}

static int journals_on_end(tam_store_op *op, uint32_t tag) {
  if (tag == TAG_JOURNALS) {
    int error = begin_records(op);
    return error != 0 ? error : ask_keys(op);
  }
  for (size_t i = 0; i < op->transfers.count && !op->verb->is_verify; i++) {
    settle(op, &op->transfers.list[i]);
  }
  return TAM_PHASE_DONE;
}

static int journals_on_storage(tam_store_op *op,
                               const tam_storage_report *report) {
  switch (report->kind) {
  case TAM_STORAGE_VALUE:
    return on_journal(op, report);
  case TAM_STORAGE_KEY:
    return on_key(op, report->key);
  case TAM_STORAGE_FAILED:
    return tam_store_op_storage_failed(op, report);
  default:
    return journals_on_end(op, report->tag);
  }
}

const tam_phase tam_journals_phase = {
    .stage = "plan",
    .start = journals_start,
    .on_storage = journals_on_storage,
};

// ---------------------------------------------------------------------------
// Whether they are still there

// So often a download begins again because somebody deletes what it stores.
#define DELETIONS_MAX 3

static int confirm_start(tam_store_op *op) {
  for (size_t i = 0; i < op->transfers.count; i++) {
    tam_transfer *transfer = &op->transfers.list[i];
    memset(transfer->seen, 0, transfer->seen_count);
  }
  return ask_keys(op);
}

static int confirm_end(tam_store_op *op) {
  int is_complete = 1;
  for (size_t i = 0; i < op->transfers.count; i++) {
    settle(op, &op->transfers.list[i]);
    is_complete &= op->transfers.list[i].is_complete;
  }
  if (is_complete) {
    return TAM_PHASE_DONE;
  }
  if (++op->transfers.deletions > DELETIONS_MAX) {
    return tam_store_op_fail(op, TAM_ERR_STORE_CLOSED,
                             "somebody deletes what is being stored");
  }
  op->phase--; // to the transfers
  return (*op->phase)->start(op);
}

static int confirm_on_storage(tam_store_op *op,
                              const tam_storage_report *report) {
  switch (report->kind) {
  case TAM_STORAGE_KEY:
    return on_key(op, report->key);
  case TAM_STORAGE_FAILED:
    return tam_store_op_storage_failed(op, report);
  default:
    return confirm_end(op);
  }
}

const tam_phase tam_confirm_phase = {
    .stage = "store",
    .start = confirm_start,
    .on_storage = confirm_on_storage,
};

// ---------------------------------------------------------------------------
// Whether the rest fits

static int room_start(tam_store_op *op) {
  return tam_store_op_asked(
      tam_storage_estimate(op->store->storage, tam_store_op_owner(op, 0)));
}

static double read_bytes(const tam_json_node *root, tam_span name) {
  const tam_json_node *value = tam_json_get_member(root, name);
  return tam_json_get_kind(value) == TAM_JSON_KIND_NUMBER
             ? tam_json_get_number(value)
             : -1;
}

// An estimate that cannot be read, or is not given, forbids nothing.
static int read_estimate(tam_store_op *op, tam_span text) {
  tam_json_node *root = NULL;
  int error = tam_json_tree_parse(&root, text, op->store->host.mem);
  const tam_json_node *persisted =
      tam_json_get_member(root, TAM_SPAN("persisted"));
  op->room.usage_bytes = read_bytes(root, TAM_SPAN("usage"));
  op->room.quota_bytes = read_bytes(root, TAM_SPAN("quota"));
  op->room.persisted = tam_json_get_kind(persisted) == TAM_JSON_KIND_BOOL
                           ? tam_json_get_bool(persisted)
                           : -1;
  if (op->room.quota_bytes >= 0 && op->room.usage_bytes >= 0) {
    double free_bytes = op->room.quota_bytes - op->room.usage_bytes;
    op->room.free_bytes = free_bytes > 0 ? free_bytes : 0;
  }
  tam_json_tree_free(root, op->store->host.mem);
  return error == TAM_ERR_OUT_OF_MEMORY ? error : TAM_PHASE_DONE;
}

static int room_on_storage(tam_store_op *op, const tam_storage_report *report) {
  return report->kind == TAM_STORAGE_FAILED
             ? tam_store_op_storage_failed(op, report)
             : read_estimate(op, report->data);
}

const tam_phase tam_room_phase = {
    .stage = "plan",
    .start = room_start,
    .on_storage = room_on_storage,
};

uint64_t tam_store_op_needed(const tam_store_op *op) {
  return op->total_bytes - tam_transfers_stored(op);
}

int tam_store_op_fits(const tam_store_op *op) {
  return op->room.free_bytes < 0 ||
         (double)tam_store_op_needed(op) <= op->room.free_bytes;
}

// Only where there is too little room it matters who could make some.
static int evict_start(tam_store_op *op) {
  return tam_store_op_fits(op) ? TAM_PHASE_DONE : tam_models_ask(op);
}

static int evict_on_storage(tam_store_op *op,
                            const tam_storage_report *report) {
  int result = tam_models_on_storage(op, report);
  if (result == TAM_PHASE_DONE) {
    double missing = (double)tam_store_op_needed(op) - op->room.free_bytes;
    op->room.evict_count =
        tam_models_evict(&op->models, op->params.model, missing);
  }
  return result;
}

const tam_phase tam_evict_phase = {
    .stage = "plan",
    .start = evict_start,
    .on_storage = evict_on_storage,
};

static int fit_start(tam_store_op *op) {
  return tam_store_op_fits(op)
             ? TAM_PHASE_DONE
             : tam_store_op_fail(op, TAM_ERR_QUOTA_EXCEEDED,
                                 "the model does not fit into the storage");
}

const tam_phase tam_fit_phase = {.stage = "plan", .start = fit_start};
