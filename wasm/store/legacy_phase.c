// SPDX-License-Identifier: Apache-2.0
// What TabAgent stored before: a file in chunks of 100 MiB with a manifest
// under
// "<repo>/<path>:manifest", or as one Blob under its address. Neither says what
// the bytes must be. So they are taken for chunks that are stored but not
// hashed, and the Hub's hash decides: what agrees is as good as downloaded,
// what does not is fetched anew. When the Hub cannot be asked they are served
// as they are, if nothing is missing.
#include "core/json_tree.h"
#include "core/json_write.h"
#include "core/mem.h"
#include "store/store_op.h"
#include "store/verbs.h"

#include <string.h>

enum { STEP_MANIFEST = 1, STEP_ADDRESS, STEP_COPY, STEP_CHUNK };

// Where TabAgent had its files from, whatever the endpoint is now.
#define ADDRESS_ENDPOINT                                                       \
  ((tam_span){(const uint8_t *)TAM_KEY_ADDRESS, sizeof(TAM_KEY_ADDRESS) - 2})

// What a manifest says.
typedef struct legacy_file {
  uint64_t size;
  uint64_t chunk_size;
  uint32_t chunks;
} legacy_file;

static double read_count(const tam_json_node *root, tam_span name) {
  double number = tam_json_get_number(tam_json_get_member(root, name));
  return number >= 0 && number <= (double)TAM_FILE_SIZE_MAX ? number : 0;
}

// Returns 1 when |text| is a manifest that makes sense.
static int read_manifest(const tam_store_op *op, tam_span text,
                         legacy_file *file) {
  const tam_mem *mem = op->store->host.mem;
  tam_json_node *root = NULL;
  (void)tam_json_tree_parse(&root, text, mem);
  file->size = (uint64_t)read_count(root, TAM_SPAN("size"));
  file->chunk_size = (uint64_t)read_count(root, TAM_SPAN("chunkSizeUsed"));
  double chunks = read_count(root, TAM_SPAN("totalChunks"));
  tam_json_tree_free(root, mem);
  if (file->chunk_size == 0 || chunks == 0 || chunks > TAM_CHUNKS_MAX) {
    return 0;
  }
  file->chunks = (uint32_t)chunks;
  return (file->size + file->chunk_size - 1) / file->chunk_size == file->chunks;
}

// ---------------------------------------------------------------------------
// Taking over what the Hub can vouch for

static int is_candidate(const tam_store_op *op, const tam_transfer *transfer) {
  return !transfer->is_complete && transfer->record.chunks.stored == 0 &&
         (op->revision.flags & TAM_REVISION_FIRST) != 0 &&
         op->revision.files[transfer->file].group.len == 0 &&
         transfer->record.chunks.count > 0;
}

tam_span tam_store_op_address_key(tam_store_op *op,
                                  const tam_transfer *transfer) {
  const tam_revision *revision = &op->revision;
  tam_hub_file file = {
      op->params.model, TAM_SPAN("main"),
      tam_revision_text(revision, revision->files[transfer->file].path)};
  tam_buf_reset(&op->scratch);
  (void)tam_hub_file_append_url(&op->scratch, ADDRESS_ENDPOINT, &file);
  return tam_buf_span(&op->scratch);
}

// Asks whether there is a Blob under the address.
static int ask_address(tam_store_op *op, const tam_transfer *transfer) {
  tam_span key = tam_store_op_address_key(op, transfer);
  return op->scratch.error != 0
             ? op->scratch.error
             : tam_store_op_asked(
                   tam_storage_size(op->store->storage,
                                    tam_store_op_owner(op, STEP_ADDRESS), key));
}

// Looks at the next file of which nothing is stored by us.
static int adopt_next(tam_store_op *op) {
  tam_transfers *all = &op->transfers;
  while (op->legacy.file < all->count) {
    const tam_transfer *transfer = &all->list[op->legacy.file];
    if (is_candidate(op, transfer)) {
      return tam_store_op_asked(tam_storage_get(
          op->store->storage, tam_store_op_owner(op, STEP_MANIFEST),
          TAM_STORE_FILES, tam_store_op_manifest_key(op, transfer)));
    }
    op->legacy.file++;
  }
  return TAM_PHASE_DONE;
}

// Takes all chunks for stored. Their lengths are looked at when they are
// hashed.
static int adopt_chunks(tam_store_op *op, tam_transfer *transfer,
                        const legacy_file *legacy) {
  const tam_revision_file *file = &op->revision.files[transfer->file];
  transfer->has_old_manifest = 1;
  if (legacy->size != file->size || legacy->chunks > transfer->seen_count) {
    return 0;
  }
  for (uint32_t i = 0; i < legacy->chunks; i++) {
    if (!transfer->seen[i]) {
      return 0; // it was never complete
    }
  }
  tam_file_record_free(&transfer->record);
  int error = tam_file_record_init(
      &transfer->record, file->size,
      legacy->chunks == 1 ? file->size : legacy->chunk_size, file->algorithm,
      file->digest, op->store->host.mem);
  for (uint32_t i = 0; i < legacy->chunks && error == 0; i++) {
    (void)tam_chunk_map_add(&transfer->record.chunks, i);
  }
  transfer->is_adopted = error == 0;
  return error;
}

static int on_manifest(tam_store_op *op, tam_transfer *transfer,
                       const tam_storage_report *report) {
  legacy_file legacy;
  if (!report->found) {
    return ask_address(op, transfer);
  }
  int error = read_manifest(op, report->data, &legacy)
                  ? adopt_chunks(op, transfer, &legacy)
                  : 0;
  op->legacy.file++;
  return error != 0 ? error : adopt_next(op);
}

// A Blob under an address becomes the only chunk of its file.
static int on_address(tam_store_op *op, tam_transfer *transfer,
                      const tam_storage_report *report) {
  double size = -1;
  const tam_revision_file *file = &op->revision.files[transfer->file];
  if (!report->found || !tam_span_to_uint(report->data, &size) ||
      size != (double)file->size) {
    op->legacy.file++;
    return adopt_next(op);
  }
  legacy_file legacy = {file->size, file->size, 1};
  tam_batch batch;
  transfer->seen[0] = 1;
  int error = adopt_chunks(op, transfer, &legacy);
  transfer->has_old_manifest = 0;
  tam_batch_init(&batch, op->store->host.mem);
  tam_batch_move(&batch, tam_store_op_chunk_key(op, transfer, 0),
                 tam_store_op_address_key(op, transfer));
  uint32_t request = tam_storage_write(
      op->store->storage, tam_store_op_owner(op, STEP_COPY), &batch);
  tam_batch_free(&batch);
  op->legacy.file++;
  return error != 0 ? error : tam_store_op_asked(request);
}

static int adopt_on_storage(tam_store_op *op,
                            const tam_storage_report *report) {
  if (report->kind == TAM_STORAGE_FAILED) {
    return tam_store_op_storage_failed(op, report);
  }
  tam_transfer *transfer = &op->transfers.list[op->legacy.file];
  switch (report->tag) {
  case STEP_MANIFEST:
    return on_manifest(op, transfer, report);
  case STEP_ADDRESS:
    return on_address(op, transfer, report);
  default:
    return adopt_next(op);
  }
}

const tam_phase tam_adopt_phase = {
    .stage = "store",
    .start = adopt_next,
    .on_storage = adopt_on_storage,
};

// ---------------------------------------------------------------------------
// Serving without the Hub

static int ask_chunk(tam_store_op *op) {
  return tam_store_op_asked(tam_storage_size(
      op->store->storage, tam_store_op_owner(op, STEP_CHUNK),
      tam_store_op_chunk_key(op, &op->transfers.list[0], op->legacy.chunk)));
}

// Makes up what is needed to serve the file: a revision with nothing but it.
static int begin_unverified(tam_store_op *op) {
  static const uint8_t nothing[TAM_SHA256_SIZE];
  tam_tree_file file = {
      op->serving.file.path, 0, TAM_TREE_SHA256, {nothing, sizeof(nothing)}};
  memset(op->commit, '0', TAM_COMMIT_SIZE);
  int error = tam_store_op_take_commit(op);
  if (error >= 0) {
    error = tam_revision_add_file(&op->revision, &file);
  }
  if (error == 0) {
    op->revision.files[0].flags = TAM_REVISION_FILE_CHOSEN;
    error = tam_transfers_init(op);
  }
  return error;
}

// TabAgent knew no revision but this one.
static int unverified_start(tam_store_op *op) {
  if (op->has_revision) {
    return TAM_PHASE_DONE;
  }
  int error = tam_span_eq(op->params.revision, TAM_SPAN("main"))
                  ? begin_unverified(op)
                  : op->transfers.error;
  return error != 0
             ? error
             : tam_store_op_asked(tam_storage_get(
                   op->store->storage, tam_store_op_owner(op, STEP_MANIFEST),
                   TAM_STORE_FILES,
                   tam_store_op_manifest_key(op, &op->transfers.list[0])));
}

// Whatever is missing: the Hub would have to be asked, and that has failed.
static int give_up(const tam_store_op *op) {
  return op->transfers.error;
}

static int begin_record(tam_store_op *op, const legacy_file *legacy) {
  tam_transfer *transfer = &op->transfers.list[0];
  tam_revision_file *file = &op->revision.files[0];
  file->size = legacy->size;
  transfer->has_record = 1;
  return tam_file_record_init(
      &transfer->record, legacy->size,
      legacy->chunks == 1 ? legacy->size : legacy->chunk_size, file->algorithm,
      file->digest, op->store->host.mem);
}

static int unverified_on_manifest(tam_store_op *op,
                                  const tam_storage_report *report) {
  legacy_file legacy;
  if (!report->found) {
    return ask_address(op, &op->transfers.list[0]);
  }
  if (!read_manifest(op, report->data, &legacy)) {
    return give_up(op);
  }
  int error = begin_record(op, &legacy);
  return error != 0 ? error : ask_chunk(op);
}

static int unverified_on_address(tam_store_op *op,
                                 const tam_storage_report *report) {
  double size = -1;
  if (!report->found || !tam_span_to_uint(report->data, &size) ||
      size > (double)TAM_FILE_SIZE_MAX) {
    return give_up(op);
  }
  legacy_file legacy = {(uint64_t)size, (uint64_t)size, 1};
  op->serving.is_unverified = 1;
  op->serving.is_at_address = 1;
  int error = begin_record(op, &legacy);
  return error != 0 ? error : TAM_PHASE_DONE;
}

static int unverified_on_chunk(tam_store_op *op,
                               const tam_storage_report *report) {
  const tam_chunk_map *chunks = &op->transfers.list[0].record.chunks;
  double size = -1;
  if (!report->found || !tam_span_to_uint(report->data, &size) ||
      size != (double)tam_chunk_map_length(chunks, op->legacy.chunk)) {
    return give_up(op);
  }
  op->legacy.chunk++;
  op->serving.is_unverified = 1;
  return op->legacy.chunk < chunks->count ? ask_chunk(op) : TAM_PHASE_DONE;
}

static int unverified_on_storage(tam_store_op *op,
                                 const tam_storage_report *report) {
  if (report->kind == TAM_STORAGE_FAILED) {
    return tam_store_op_storage_failed(op, report);
  }
  switch (report->tag) {
  case STEP_MANIFEST:
    return unverified_on_manifest(op, report);
  case STEP_ADDRESS:
    return unverified_on_address(op, report);
  default:
    return unverified_on_chunk(op, report);
  }
}

static const tam_phase unverified_phase = {
    .stage = "store",
    .start = unverified_start,
    .on_storage = unverified_on_storage,
};

const tam_phase *const tam_unverified_phases[] = {
    &unverified_phase, &tam_unlock_phase, &tam_serve_phase, NULL};
