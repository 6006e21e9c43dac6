// SPDX-License-Identifier: Apache-2.0
// Opens a stored file for a caller who takes it as a Blob. The host has it open
// before it is checked, so what is checked is what the caller gets, whatever
// becomes of the records behind it.
#include "store/store_op.h"
#include "store/verbs.h"

static const tam_chunk_map *chunks_of(const tam_store_op *op) {
  return &op->transfers.list[0].record.chunks;
}

static int open_start(tam_store_op *op) {
  uint8_t text[TAM_STORE_KEY_MAX];
  tam_buf prefix;
  if (op->transfers.count == 0 || !op->transfers.list[0].is_complete) {
    return tam_store_op_fail(op, TAM_ERR_NOT_STORED,
                             "the file is not in the store");
  }
  const tam_chunk_map *chunks = chunks_of(op);
  op->serving.is_opened = 0;
  op->serving.at = 0;
  op->serving.chunk = 0;
  tam_buf_init_fixed(&prefix, text, sizeof(text));
  tam_buf_append(&prefix, tam_store_op_group(op, &op->transfers.list[0]));
  tam_buf_append_text(&prefix, TAM_KEY_CHUNK);
  op->serving.reading =
      tam_storage_open(op->store->storage, tam_store_op_owner(op, 0),
                       tam_buf_span(&prefix), chunks->chunk_size, chunks->size);
  return tam_store_op_asked(op->serving.reading);
}

// The chunk is fetched again, and the file opened anew.
static int repair(tam_store_op *op) {
  static const tam_phase *const phases[] = {TAM_STORE_REPAIR_PHASES,
                                            &tam_open_phase, NULL};
  return op->params.repair ? tam_store_op_repair(op, phases)
                           : tam_store_op_fail(op, TAM_ERR_STORE_DAMAGED,
                                               "a stored chunk is damaged");
}

// Reads the next chunk.
static int check_next(tam_store_op *op) {
  const tam_chunk_map *chunks = chunks_of(op);
  if (!op->params.verify || op->serving.chunk == chunks->count) {
    return TAM_PHASE_DONE;
  }
  tam_checksum_init(&op->serving.block_sum);
  op->serving.reading = tam_storage_read_opened(
      op->store->storage, tam_store_op_owner(op, 0), op->serving.at,
      op->serving.at + tam_chunk_map_length(chunks, op->serving.chunk));
  return tam_store_op_asked(op->serving.reading);
}

// The host says which content is not as it should be.
static int on_opened(tam_store_op *op, const tam_storage_report *report) {
  double chunk = 0;
  op->serving.is_opened = report->found;
  if (report->found) {
    int error = tam_store_op_note_use(op);
    return error != 0 ? error : check_next(op);
  }
  (void)tam_span_to_uint(report->data, &chunk);
  if (chunk < chunks_of(op)->count) {
    op->serving.chunk = (uint32_t)chunk;
  }
  return repair(op);
}

// Takes in bytes of the chunk. Returns 0 when they are not what was stored.
static int check_bytes(tam_store_op *op, tam_span bytes) {
  const tam_file_record *record = &op->transfers.list[0].record;
  uint64_t start = tam_chunk_map_start(&record->chunks, op->serving.chunk);
  uint64_t length = tam_chunk_map_length(&record->chunks, op->serving.chunk);
  while (bytes.len > 0) {
    uint64_t at = op->serving.at - start;
    uint64_t block = at / TAM_CHECK_BLOCK_SIZE;
    uint64_t end = (block + 1) * TAM_CHECK_BLOCK_SIZE;
    end = end < length ? end : length;
    if (at >= end) {
      return 0; // more than was asked for
    }
    tam_span part = tam_span_head(bytes, (size_t)(end - at));
    tam_checksum_update(&op->serving.block_sum, part);
    op->serving.at += part.len;
    bytes = tam_span_from(bytes, part.len);
    if (at + part.len == end) {
      if (!tam_file_record_has_sum(
              record, op->serving.chunk, (uint32_t)block,
              tam_checksum_final(&op->serving.block_sum))) {
        return 0;
      }
      tam_checksum_init(&op->serving.block_sum);
    }
  }
  return 1;
}

static int open_on_storage(tam_store_op *op, const tam_storage_report *report) {
  const tam_chunk_map *chunks = chunks_of(op);
  if (report->tag == TAM_STORE_TAG_USED) {
    return TAM_PHASE_WAIT;
  }
  if (report->kind == TAM_STORAGE_FAILED) {
    return tam_store_op_storage_failed(op, report);
  }
  if (!op->serving.is_opened) {
    return on_opened(op, report);
  }
  if (report->kind == TAM_STORAGE_DATA) {
    if (check_bytes(op, report->data)) {
      return TAM_PHASE_WAIT;
    }
    tam_storage_drop(op->store->storage, op->serving.reading);
    return repair(op);
  }
  if (!report->found ||
      op->serving.at != tam_chunk_map_start(chunks, op->serving.chunk) +
                            tam_chunk_map_length(chunks, op->serving.chunk)) {
    return repair(op);
  }
  op->serving.chunk++;
  return check_next(op);
}

const tam_phase tam_open_phase = {
    .stage = "open",
    .start = open_start,
    .on_storage = open_on_storage,
};
