// SPDX-License-Identifier: Apache-2.0
// Serves a file as HTTP would: what its head says, then its bytes, as fast as
// they are read. Every block is checked before it is handed on. One that is
// damaged or gone sends the operation back to fetch its chunk again; who reads
// notices nothing but a pause.
#include "core/hex.h"
#include "core/json_write.h"
#include "core/names.h"
#include "core/percent.h"
#include "store/store_op.h"
#include "store/verbs.h"

#include <math.h>
#include <string.h>

#define NOT_MODIFIED          304
#define RANGE_NOT_SATISFIABLE 416

// How often it is written down that a model is in use.
#define USE_PERIOD_MS 60000.0

// "offset length" of a piece.
#define PLACE_MAX 48

// ---------------------------------------------------------------------------
// Which file

static int is_head(const tam_store_op *op) {
  return tam_span_eq(op->params.method, TAM_SPAN("HEAD"));
}

static int url_start(tam_store_op *op) {
  int is_read = is_head(op) || tam_span_eq(op->params.method, TAM_SPAN("GET"));
  if (!is_read ||
      tam_hub_file_parse(&op->serving.file, op->serving.text,
                         op->store->host.hub_url, op->params.url) <= 0) {
    op->serving.outcome = TAM_OUTCOME_PASS;
    return TAM_PHASE_END;
  }
  if (!op->is_renamed) {
    op->params.model = op->serving.file.repo;
  }
  op->params.revision = op->serving.file.revision;
  return TAM_PHASE_DONE;
}

const tam_phase tam_url_phase = {.stage = "url", .start = url_start};

// Returns 1 when it is known that the repository has no such file.
static int is_absent(const tam_store_op *op) {
  return op->has_revision && op->transfers.count == 0 &&
         (op->revision.flags & TAM_REVISION_LISTED) != 0;
}

static int end_as(tam_store_op *op, tam_outcome outcome) {
  op->serving.outcome = outcome;
  return TAM_PHASE_END;
}

// What is stored and complete is served without a look at the network.
static int hit_start(tam_store_op *op) {
  if (is_absent(op)) {
    return end_as(op, TAM_OUTCOME_ABSENT);
  }
  if (op->transfers.count == 1 && op->transfers.list[0].is_complete) {
    while (*op->phase != &tam_unlock_phase) {
      op->phase++;
    }
    return TAM_PHASE_DONE;
  }
  if (op->params.only_cached) {
    return end_as(op, TAM_OUTCOME_MISS);
  }
  // Who wants to know of a file, or a part of it, does not ask for gigabytes.
  return op->params.range.len > 0 || is_head(op) ? end_as(op, TAM_OUTCOME_PASS)
                                                 : TAM_PHASE_DONE;
}

const tam_phase tam_hit_phase = {.stage = "store", .start = hit_start};

// After the Hub was asked: a file that is not in its list is served by it, if
// by anybody.
static int found_start(tam_store_op *op) {
  if (op->transfers.count == 1) {
    return TAM_PHASE_DONE;
  }
  return end_as(op, is_absent(op) ? TAM_OUTCOME_ABSENT : TAM_OUTCOME_PASS);
}

const tam_phase tam_found_phase = {.stage = "store", .start = found_start};

// Somebody else will serve it.
static int kept_start(tam_store_op *op) {
  op->serving.outcome = TAM_OUTCOME_FILE;
  return TAM_PHASE_DONE;
}

const tam_phase tam_kept_phase = {.stage = "store", .start = kept_start};

// ---------------------------------------------------------------------------
// The head

// Cuts a number off |*ptext|; -1 when there is none. One that is longer than
// any file is beyond all of them.
static double cut_number(tam_span *ptext) {
  size_t len = 0;
  double number;
  while (len < ptext->len && ptext->ptr[len] >= '0' && ptext->ptr[len] <= '9') {
    len++;
  }
  if (!tam_span_to_uint(tam_span_head(*ptext, len), &number)) {
    number = len == 0 ? -1 : INFINITY;
  }
  *ptext = tam_span_from(*ptext, len);
  return number;
}

// Reads "bytes=first-last", "bytes=first-" or "bytes=-length" (RFC 9110, 14.2)
// into what is served. Returns the status; a range that is none of these, or
// several, is left aside, as the standard allows; and so is any for HEAD.
static uint32_t read_range(tam_store_op *op, uint64_t size) {
  tam_span text = op->params.range;
  op->serving.to = size;
  if (is_head(op) || !tam_span_starts_with(text, TAM_SPAN("bytes="))) {
    return 200;
  }
  text = tam_span_from(text, sizeof("bytes=") - 1);
  double first = cut_number(&text);
  if (text.len == 0 || text.ptr[0] != '-') {
    return 200;
  }
  text = tam_span_from(text, 1);
  double last = cut_number(&text);
  if (text.len > 0 || (first < 0 && last < 0) || (last >= 0 && first > last)) {
    return 200;
  }
  if (first >= (double)size || (first < 0 && last == 0) || size == 0) {
    return RANGE_NOT_SATISFIABLE;
  }
  if (first < 0) {
    op->serving.at = last >= (double)size ? 0 : size - (uint64_t)last;
  } else {
    op->serving.at = (uint64_t)first;
    op->serving.to =
        last >= 0 && last < (double)size ? (uint64_t)last + 1 : size;
  }
  return 206;
}

static const char *content_type(tam_span path) {
  int place = tam_names_find_end(".json\0"
                                 ".txt\0"
                                 ".md\0"
                                 ".jinja\0",
                                 path);
  if (place < 0) {
    return "application/octet-stream";
  }
  return place == 0 ? "application/json" : "text/plain; charset=utf-8";
}

// The digest is the strongest name that a content can have.
static void append_etag(const tam_file_record *record, tam_buf *etag) {
  tam_buf_append_byte(etag, '"');
  size_t size = tam_file_hash_digest_size(record->algorithm);
  uint8_t *digits = tam_buf_grow(etag, 2 * size);
  tam_hex_write(digits, (tam_span){record->digest, size});
  tam_buf_append_byte(etag, '"');
}

static void write_headers(const tam_store_op *op, tam_span etag,
                          tam_buf *json) {
  const tam_revision *revision = &op->revision;
  double size = (double)op->transfers.list[0].record.chunks.size;
  int has_body = op->serving.status == 200 || op->serving.status == 206;
  tam_json_write_member_begin(json, "headers");
  tam_json_write_name_member(json, "accept-ranges", "bytes");
  if (!op->serving.is_unverified) { // else both are made up
    tam_json_write_string_member(json, "etag", etag);
    tam_json_write_string_member(json, "x-repo-commit",
                                 tam_revision_text(revision, revision->commit));
  }
  if (has_body) {
    tam_json_write_name_member(json, "content-type",
                               content_type(op->serving.file.path));
    tam_json_write_number_member(json, "content-length",
                                 (double)(op->serving.to - op->serving.at));
  }
  if (op->serving.status == 206) {
    tam_json_write_key(json, "content-range");
    tam_buf_append_text(json, "\"bytes ");
    tam_text_append_number(json, (double)op->serving.at);
    tam_buf_append_byte(json, '-');
    tam_text_append_number(json, (double)op->serving.to - 1);
    tam_buf_append_byte(json, '/');
    tam_text_append_number(json, size);
    tam_buf_append_byte(json, '"');
  } else if (op->serving.status == RANGE_NOT_SATISFIABLE) {
    tam_json_write_key(json, "content-range");
    tam_buf_append_text(json, "\"bytes */");
    tam_text_append_number(json, size);
    tam_buf_append_byte(json, '"');
  }
  tam_json_write_object_end(json);
}

// Says what the head of the answer is. It is no progress that can be left out.
static int say_head(tam_store_op *op, tam_span etag) {
  tam_buf json;
  tam_speaker_begin(&op->speaker, TAM_ANSWER_PROGRESS, op->store->now_ms,
                    &json);
  tam_json_write_number_member(&json, "status", op->serving.status);
  write_headers(op, etag, &json);
  return tam_speaker_say(&op->speaker, TAM_ANSWER_PROGRESS, &json);
}

// Returns 1 when the caller has the content already (RFC 9110, 13.1.2). That
// none of our names is a part of another, and none is weak, makes it simple.
static int is_known_to_caller(const tam_store_op *op, tam_span etag) {
  tam_span known = op->params.if_none_match;
  return tam_span_eq(tam_span_trim(known), TAM_SPAN("*")) ||
         (!op->serving.is_unverified &&
          tam_span_find_nocase(known, etag) < known.len);
}

static int begin(tam_store_op *op) {
  const tam_file_record *record = &op->transfers.list[0].record;
  uint8_t text[2 * TAM_CONTENT_DIGEST_MAX + 2];
  tam_buf etag;
  tam_buf_init_fixed(&etag, text, sizeof(text));
  append_etag(record, &etag);
  if (op->params.if_range.len > 0 &&
      !tam_span_eq(op->params.if_range, tam_buf_span(&etag))) {
    op->params.range = TAM_SPAN_NONE; // a part of another content
  }
  op->serving.status = read_range(op, record->chunks.size);
  if (is_known_to_caller(op, tam_buf_span(&etag))) {
    op->serving.status = NOT_MODIFIED;
  }
  op->serving.has_head = 1;
  op->serving.outcome = TAM_OUTCOME_FILE;
  // A short file does not wait for a reader, who may want the head only.
  op->serving.is_pulled |=
      op->serving.to - op->serving.at <= TAM_CHECK_BLOCK_SIZE;
  tam_net_close_op(op->store->host.net, op->speaker.op);
  return say_head(op, tam_buf_span(&etag));
}

// ---------------------------------------------------------------------------
// The bytes

static int is_body_over(const tam_store_op *op) {
  return op->serving.status >= 300 || op->serving.at >= op->serving.to ||
         is_head(op);
}

// Reads the block in which the next byte is.
static int read_block(tam_store_op *op) {
  tam_transfer *transfer = &op->transfers.list[0];
  const tam_chunk_map *chunks = &transfer->record.chunks;
  uint32_t chunk = (uint32_t)(op->serving.at / chunks->chunk_size);
  uint64_t start = tam_chunk_map_start(chunks, chunk);
  uint64_t length = tam_chunk_map_length(chunks, chunk);
  uint64_t from =
      (op->serving.at - start) / TAM_CHECK_BLOCK_SIZE * TAM_CHECK_BLOCK_SIZE;
  uint64_t to = from + TAM_CHECK_BLOCK_SIZE;
  op->serving.chunk = chunk;
  op->serving.block_at = start + from;
  op->serving.block_len = (uint32_t)((to < length ? to : length) - from);
  op->serving.block_read = 0;
  tam_checksum_init(&op->serving.block_sum);
  op->serving.reading = tam_storage_read_and_keep(
      op->store->storage, tam_store_op_owner(op, 0),
      op->serving.is_at_address ? tam_store_op_address_key(op, transfer)
                                : tam_store_op_chunk_key(op, transfer, chunk),
      from, from + op->serving.block_len);
  return tam_store_op_asked(op->serving.reading);
}

static int serve_go_on(tam_store_op *op) {
  if (is_body_over(op)) {
    return TAM_PHASE_DONE;
  }
  if (!op->serving.is_pulled || op->serving.reading != 0) {
    return TAM_PHASE_WAIT;
  }
  op->serving.is_pulled = 0;
  return read_block(op);
}

int tam_store_op_note_use(tam_store_op *op) {
  tam_store *store = op->store;
  tam_batch batch;
  uint64_t hash = tam_span_hash(op->params.model, 0);
  if (op->serving.is_unverified ||
      (store->used_hash == hash && store->now_ms < store->used_again_ms)) {
    return 0;
  }
  store->used_hash = hash;
  store->used_again_ms = store->now_ms + USE_PERIOD_MS;
  tam_batch_init(&batch, store->host.mem);
  tam_models_put_used(op->params.model, store->now_ms, &batch);
  op->serving.noting = tam_storage_write(
      store->storage, tam_store_op_owner(op, TAM_STORE_TAG_USED), &batch);
  tam_batch_free(&batch);
  return op->serving.noting == 0 ? TAM_ERR_OUT_OF_MEMORY : 0;
}

static int serve_start(tam_store_op *op) {
  int error = op->serving.has_head ? 0 : begin(op);
  if (error == 0) {
    error = tam_store_op_note_use(op);
  }
  return error != 0 ? error : serve_go_on(op);
}

static int serve_on_pull(tam_store_op *op) {
  return serve_go_on(op);
}

// Under the lock, what is stored was read anew. What somebody has deleted in
// the meantime does not come back because of a reader.
static int lost_start(tam_store_op *op) {
  tam_transfer *transfer = op->transfers.list;
  if (op->transfers.count == 0 || (transfer->record.chunks.stored == 0 &&
                                   (op->revision.files[transfer->file].flags &
                                    TAM_REVISION_FILE_WANTED) == 0)) {
    return tam_store_op_fail(op, TAM_ERR_NOT_STORED,
                             "the file was deleted while it was read");
  }
  tam_transfer_lose(transfer, op->serving.chunk);
  return TAM_PHASE_DONE;
}

const tam_phase tam_lost_phase = {.stage = "serve", .start = lost_start};

int tam_store_op_repair(tam_store_op *op, const tam_phase *const *phases) {
  if (++op->serving.repairs > op->transfers.list[0].record.chunks.count) {
    return tam_store_op_fail(
        op, TAM_ERR_STORE_DAMAGED,
        "the storage does not give back what it was given");
  }
  // Not what the label stands for by now.
  tam_span commit = tam_revision_text(&op->revision, op->revision.commit);
  memcpy(op->commit, commit.ptr, TAM_COMMIT_SIZE);
  op->params.revision =
      (tam_span){(const uint8_t *)op->commit, TAM_COMMIT_SIZE};
  // No other phase expects to hear of this.
  tam_storage_drop(op->store->storage, op->serving.noting);
  op->phase = phases;
  return (*op->phase)->start(op);
}

// The chunk is not what it was: it is fetched again, and the file goes on being
// served from where it is.
static int repair(tam_store_op *op) {
  static const tam_phase *const phases[] = {TAM_STORE_REPAIR_PHASES,
                                            &tam_serve_phase, NULL};
  if (op->params.only_cached || op->serving.is_unverified) {
    return tam_store_op_fail(op, TAM_ERR_STORE_DAMAGED,
                             "a stored chunk is damaged");
  }
  op->serving.is_pulled = 1; // the block is still owed
  return tam_store_op_repair(op, phases);
}

static int deliver(tam_store_op *op, uint32_t request) {
  uint64_t end = op->serving.block_at + op->serving.block_len;
  uint64_t to = end < op->serving.to ? end : op->serving.to;
  uint8_t text[PLACE_MAX];
  tam_buf place;
  tam_buf_init_fixed(&place, text, sizeof(text));
  tam_text_append_number(&place,
                         (double)(op->serving.at - op->serving.block_at));
  tam_buf_append_byte(&place, ' ');
  tam_text_append_number(&place, (double)(to - op->serving.at));
  int is_last = to == op->serving.to;
  int error = tam_action_queue_put_request(
      op->store->host.queue, TAM_ACTION_DELIVER, op->speaker.op, request,
      is_last ? TAM_DELIVER_FLAG_LAST : 0, &place);
  op->serving.at = to;
  if (error != 0) {
    tam_storage_forget(op->store->storage, request);
    return error;
  }
  return serve_go_on(op);
}

static int serve_on_storage(tam_store_op *op,
                            const tam_storage_report *report) {
  const tam_file_record *record = &op->transfers.list[0].record;
  if (report->tag == TAM_STORE_TAG_USED) {
    return TAM_PHASE_WAIT;
  }
  switch (report->kind) {
  case TAM_STORAGE_DATA:
    tam_checksum_update(&op->serving.block_sum, report->data);
    op->serving.block_read += (uint32_t)report->data.len;
    return TAM_PHASE_WAIT;
  case TAM_STORAGE_FAILED:
    return tam_store_op_storage_failed(op, report);
  default:
    break;
  }
  uint64_t start = tam_chunk_map_start(&record->chunks, op->serving.chunk);
  uint32_t block =
      (uint32_t)((op->serving.block_at - start) / TAM_CHECK_BLOCK_SIZE);
  op->serving.reading = 0;
  if (report->found && op->serving.block_read == op->serving.block_len &&
      (op->serving.is_unverified ||
       tam_file_record_has_sum(record, op->serving.chunk, block,
                               tam_checksum_final(&op->serving.block_sum)))) {
    return deliver(op, report->request);
  }
  tam_storage_forget(op->store->storage, report->request);
  return repair(op);
}

const tam_phase tam_serve_phase = {
    .stage = "serve",
    .start = serve_start,
    .on_storage = serve_on_storage,
    .on_pull = serve_on_pull,
};
