// SPDX-License-Identifier: Apache-2.0
#include "store/transfer_http.h"

#include "core/json_write.h"
#include "net/endpoint.h"
#include "store/hub_file.h"

#include <string.h>

// The longest time without progress of one request.
#define TIMEOUT_MS 20000.0

// Within this time after its head the first chunk is there on such a line. If
// not, it is begun again, so that people see it come.
#define PROBE_MS 1000.0

// Short bodies are taken as a whole on any line.
#define WHOLE_LENGTH_MAX (UINT32_C(256) << 10)

// How often in a row a server may send something else than what was asked for
// (the whole file, another part, too much or too little of it), or refuse
// without saying that it is the user who is refused: a signed address has run
// out, a server of many is confused.
#define ODD_ANSWERS_MAX 4

#define HEADERS_MAX (TAM_STORE_TEXT_MAX + 512)

// How much of the path of a file a message quotes.
#define PATH_QUOTE_MAX 200

static int is_partial(const tam_slot *slot) {
  return slot->transfer->record.chunks.count > 1 || slot->kept > 0;
}

static uint32_t slot_length(const tam_slot *slot) {
  return (uint32_t)tam_chunk_map_length(&slot->transfer->record.chunks,
                                        slot->chunk);
}

static uint32_t slot_tag(const tam_store_op *op, const tam_slot *slot) {
  return (uint32_t)(slot - op->transfers.slots);
}

static void append_range(const tam_store_op *op, tam_slot *slot,
                         tam_buf *headers) {
  const tam_file_record *record = &slot->transfer->record;
  uint64_t start = tam_chunk_map_start(&record->chunks, slot->chunk);
  uint64_t end = start + slot_length(slot);
  tam_span etag = tam_file_record_etag(record);
  tam_buf_append_text(headers, "range: bytes=");
  tam_text_append_number(headers, (double)(start + slot->kept));
  tam_buf_append_byte(headers, '-');
  tam_text_append_number(headers, (double)(end - 1));
  tam_buf_append_text(headers, "\r\n");
  slot->has_if_range = etag.len > 0 && !op->transfers.without_if_range;
  if (slot->has_if_range) {
    tam_buf_append_text(headers, "if-range: ");
    tam_buf_append(headers, etag);
    tam_buf_append_text(headers, "\r\n");
  }
}

_Static_assert(TAM_ENDPOINT_MAX + TAM_HUB_FILE_URL_MAX <= TAM_NET_URL_MAX,
               "there is a file that cannot be asked for");

// ---------------------------------------------------------------------------
// Endpoints: a mirror may have any bytes, for the hash decides

static unsigned endpoint_count(const tam_store_op *op) {
  tam_span mirrors = op->store->host.mirrors;
  unsigned count = 1;
  while (mirrors.len > 0) {
    count++;
    mirrors = tam_span_from(mirrors, tam_span_find_byte(mirrors, '\n') + 1);
  }
  return count;
}

static tam_span endpoint_of(const tam_store_op *op) {
  tam_span mirrors = op->store->host.mirrors;
  if (op->transfers.endpoint == 0) {
    return op->store->host.hub_url;
  }
  for (unsigned i = 1; i < op->transfers.endpoint; i++) {
    mirrors = tam_span_from(mirrors, tam_span_find_byte(mirrors, '\n') + 1);
  }
  return tam_span_head(mirrors, tam_span_find_byte(mirrors, '\n'));
}

static void next_endpoint(tam_store_op *op) {
  op->transfers.endpoint = (op->transfers.endpoint + 1) % endpoint_count(op);
}

// ---------------------------------------------------------------------------
// The request

// What the caller hands in has addresses of its own, which the host knows.
static int append_url(const tam_store_op *op, const tam_slot *slot,
                      tam_buf *url) {
  const tam_revision *revision = &op->revision;
  tam_hub_file file = {
      tam_revision_text(revision, revision->repo),
      tam_revision_text(revision, revision->commit),
      tam_revision_text(revision, revision->files[slot->transfer->file].path),
  };
  if (op->params.is_input) {
    tam_buf_append_text(url, TAM_INPUT_URL);
    tam_buf_append(url, file.path);
    return url->error;
  }
  return tam_hub_file_append_url(url, endpoint_of(op), &file);
}

int tam_slot_fetch(tam_store_op *op, tam_slot *slot) {
  uint32_t length = slot_length(slot) - slot->kept;
  double rate = op->transfers.rate;
  if (rate > 0) {
    op->store->is_line_slow = rate < TAM_WHOLE_RATE_MIN;
  }
  slot->is_probe &= !slot->is_slow && !op->store->is_line_slow;
  int is_whole =
      !slot->is_slow && (slot->is_probe || rate >= TAM_WHOLE_RATE_MIN ||
                         length <= WHOLE_LENGTH_MAX);
  tam_buf url;
  tam_buf headers;
  tam_buf_init(&url, op->store->host.mem, TAM_NET_URL_MAX);
  tam_buf_init(&headers, op->store->host.mem, HEADERS_MAX);
  int error = append_url(op, slot, &url);
  if (tam_buf_grow(&headers, HEADERS_MAX) != NULL) {
    tam_buf_reset(&headers); // a token is not moved about
  }
  if (op->transfers.endpoint == 0) {
    tam_store_op_append_token(op, &headers);
  }
  if (is_partial(slot)) {
    append_range(op, slot, &headers);
  }
  tam_net_request request = {
      .op = op->speaker.op,
      .tag = slot_tag(op, slot),
      .bucket = TAM_BUCKET_RESOLVERS,
      .url = tam_buf_span(&url),
      .headers = tam_buf_span(&headers),
      .flags = TAM_FETCH_FLAG_KEEP | (is_whole ? TAM_FETCH_FLAG_WHOLE : 0),
      .timeout_ms = op->params.is_input ? TAM_INPUT_PATIENCE_MS : TIMEOUT_MS,
      .streamed = 1,
      .attempts_max = 1,
  };
  slot->received = slot->kept;
  slot->has_head = 0;
  slot->probe_until_ms = 0;
  slot->state = TAM_SLOT_FETCHING;
  if (slot->forget == NULL) {
    slot->forget = tam_action_node_new(op->store->host.mem, 0);
  }
  if (error == 0) {
    error = slot->forget == NULL ? TAM_ERR_OUT_OF_MEMORY : headers.error;
  }
  if (error == 0) {
    error = tam_store_op_open_net(op);
  }
  if (error == 0) {
    error = tam_net_submit(op->store->host.net, &request);
  }
  tam_buf_free(&url);
  tam_buf_wipe(&headers);
  return error;
}

int tam_slot_fetch_slowly(tam_store_op *op, tam_slot *slot) {
  tam_net_cancel(op->store->host.net, op->speaker.op, slot_tag(op, slot));
  op->store->is_line_slow = 1;
  slot->is_slow = 1;
  return tam_slot_fetch(op, slot);
}

// ---------------------------------------------------------------------------
// The answer

// Gives the present answer up and tries again.
static int reject(tam_store_op *op, tam_slot *slot, int error,
                  uint32_t status) {
  tam_net_cancel(op->store->host.net, op->speaker.op, slot_tag(op, slot));
  return tam_slot_retry(op, slot, error, status, TAM_SPAN_NONE);
}

// The answer is odd; too many of them in a row are an |error|.
static int on_odd_answer(tam_store_op *op, tam_slot *slot, uint32_t status,
                         int error, const char *text) {
  if (++op->transfers.odd_answers < ODD_ANSWERS_MAX) {
    return reject(op, slot, error, status);
  }
  op->status = status;
  return tam_store_op_fail(op, error, text);
}

// The whole file where a part was asked for: its bytes are other ones, even if
// they may be the same file. With If-Range that is how a server says that the
// ETag has changed.
static int on_whole_file(tam_store_op *op, tam_slot *slot) {
  tam_slot_forget(op, slot);
  (void)tam_file_record_set_etag(&slot->transfer->record, TAM_SPAN_NONE);
  return on_odd_answer(op, slot, 200, TAM_ERR_RANGE_UNSUPPORTED,
                       "the server sends whole files only");
}

static int is_asked_range(const tam_slot *slot, const tam_headers *headers) {
  const tam_chunk_map *chunks = &slot->transfer->record.chunks;
  double start = (double)tam_chunk_map_start(chunks, slot->chunk);
  double end = start + slot_length(slot);
  // A page may not see the header; then length and hash have to do.
  return headers->range_start < 0 ||
         (headers->range_start == start + slot->kept &&
          headers->range_end == end &&
          (headers->range_size < 0 ||
           headers->range_size == (double)chunks->size));
}

static int on_part(tam_store_op *op, tam_slot *slot,
                   const tam_net_report *report) {
  if (!is_asked_range(slot, &report->headers)) {
    tam_slot_forget(op, slot);
    return on_odd_answer(op, slot, report->status, TAM_ERR_UNEXPECTED_SHAPE,
                         "the server sends other parts than those asked for");
  }
  // Longer than what is kept of an ETag: it is done without.
  (void)tam_file_record_set_etag(&slot->transfer->record, report->headers.etag);
  return 0;
}

// An answer without the file. The Hub says why it refuses; a refusal without a
// reason comes from the server behind it, whose signed address has run out.
static int on_refusal(tam_store_op *op, tam_slot *slot,
                      const tam_net_report *report) {
  uint32_t status = report->status;
  if (op->transfers.endpoint != 0) { // a mirror need not have everything
    next_endpoint(op);
    return reject(op, slot, TAM_ERR_HTTP_STATUS, status);
  }
  if (status == 404 || report->headers.hub_error != TAM_HUB_ERROR_NONE) {
    return tam_store_op_net_failed(op, report);
  }
  int error = status == 401 || status == 403 ? TAM_ERR_UNAUTHORIZED
                                             : TAM_ERR_HTTP_STATUS;
  return on_odd_answer(op, slot, status, error,
                       "the server refuses to send the file");
}

// From here on it is the line that takes time, not the server.
static void begin_rate(tam_store_op *op, tam_slot *slot) {
  tam_transfers *all = &op->transfers;
  double now_ms = op->store->now_ms;
  if (all->rate <= 0) {
    all->rate_at_ms = now_ms;
    all->rate_bytes = all->fetched_bytes;
  }
  if (slot->is_probe) {
    slot->probe_until_ms = now_ms + PROBE_MS;
  }
}

// A head alone is no progress: servers that send nothing else are given up.
static int on_head(tam_store_op *op, tam_slot *slot,
                   const tam_net_report *report) {
  begin_rate(op, slot);
  slot->has_head = 1;
  if (report->status == 206 && is_partial(slot)) {
    return on_part(op, slot, report);
  }
  if (report->status != 200) {
    return on_refusal(op, slot, report);
  }
  // Of a file that comes as a whole the length is looked at when it is there.
  return is_partial(slot) ? on_whole_file(op, slot) : 0;
}

// Bytes that an earlier attempt has received too are no progress: a connection
// that always breaks at the same place would never be given up.
static void note_bytes(tam_store_op *op, tam_slot *slot, uint32_t bytes) {
  slot->received += bytes;
  tam_transfers_note_bytes(op, bytes);
  if (slot->received > slot->reached) {
    slot->reached = slot->received;
    tam_transfers_note_progress(op);
  }
}

// What is handed in cannot be asked for twice.
static int on_odd_input(tam_store_op *op, const tam_slot *slot) {
  const tam_revision *revision = &op->revision;
  tam_span path =
      tam_revision_text(revision, revision->files[slot->transfer->file].path);
  tam_store_op_fail(op, 0, "a file was handed in that has another length: ");
  tam_buf_append_quote(&op->why, path, PATH_QUOTE_MAX);
  return TAM_ERR_UNEXPECTED_SHAPE;
}

static int on_odd_length(tam_store_op *op, tam_slot *slot) {
  tam_slot_forget(op, slot);
  return op->params.is_input
             ? on_odd_input(op, slot)
             : on_odd_answer(op, slot, 0, TAM_ERR_UNEXPECTED_SHAPE,
                             "the server sends the file in another length");
}

static int on_bytes(tam_store_op *op, tam_slot *slot, uint32_t bytes) {
  note_bytes(op, slot, bytes);
  return slot->received <= slot_length(slot) ? 0 : on_odd_length(op, slot);
}

static int on_end(tam_store_op *op, tam_slot *slot,
                  const tam_net_report *report) {
  slot->body = report->request;
  note_bytes(op, slot, report->kept - (slot->received - slot->kept));
  if (slot->received != slot_length(slot)) {
    return on_odd_length(op, slot);
  }
  op->transfers.odd_answers = 0;
  op->transfers.failures = 0;
  slot->state = slot->transfer->is_refetch ? TAM_SLOT_CHECKING : TAM_SLOT_KEPT;
  return 0;
}

// A page may send If-Range only where the server allows it; without that the
// browser reports a failed connection. It may be a failed connection.
static int on_failed(tam_store_op *op, tam_slot *slot,
                     const tam_net_report *report) {
  next_endpoint(op);
  if (report->error == TAM_ERR_NETWORK) {
    op->transfers.without_if_range = slot->has_if_range;
  }
  slot->is_slow |= report->error == TAM_ERR_TIMEOUT;
  if (report->kept > 0) {
    tam_slot_keep_part(op, slot, report->request, report->kept);
  } else if (slot->has_head) {
    slot->is_slow = 1; // of a body that comes as a whole nothing is kept
  }
  return tam_slot_retry(op, slot, report->error, report->status, report->data);
}

int tam_slot_on_net(tam_store_op *op, tam_slot *slot,
                    const tam_net_report *report) {
  switch (report->kind) {
  case TAM_NET_HEAD:
    return on_head(op, slot, report);
  case TAM_NET_DATA:
    return on_bytes(op, slot, report->kept);
  case TAM_NET_END:
    return on_end(op, slot, report);
  case TAM_NET_FAILED:
    return on_failed(op, slot, report);
  default:
    return 0;
  }
}
