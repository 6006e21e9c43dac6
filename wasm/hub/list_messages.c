// SPDX-License-Identifier: Apache-2.0
// What the caller hears. Progress is paced: a message goes out when the
// outbox has a token, else what there is to say waits and is said together.
//
// The pace keeps every second, terminal messages included, within the 20
// messages that a panel is promised: a burst of BURST, REFILL more per second,
// and at the end one message per kind of progress and the last word.
#include "hub/list_op.h"

#include "core/mem.h"
#include "core/names.h"
#include "hub/model_table.h"

#define BURST        5.0
#define REFILL_PER_S 7.0

// The text of TAM_LIST_ERRORS_MAX errors.
#define ERRORS_MAX (TAM_LIST_ERRORS_MAX * 1024U)

// The text of meta: its errors, twice as much under "debug", and numbers.
#define META_MAX (4 * ERRORS_MAX)

// The packed models of a full list: 5,000 rows of a few kilobytes.
#define TABLE_MAX (64U << 20)

// ---------------------------------------------------------------------------
// Parts of messages

// The field that carries what changed.
static void write_delta_key(const tam_list_op *op, tam_buf *json) {
  tam_json_write_key(json,
                     op->speaker.envelope.is_type_style ? "data" : "delta");
}

// ---------------------------------------------------------------------------
// Progress of the listing: what is true when its turn comes

static void write_survivors(const tam_list_op *op, tam_buf *json) {
  tam_json_write_number_member(json, "survivors", (double)op->candidates.count);
}

static void write_delta(tam_list_op *op, tam_buf *json,
                        tam_list_progress kind) {
  unsigned bucket = kind - TAM_LIST_PROGRESS_RATE_LIMITED;
  switch (kind) {
  case TAM_LIST_PROGRESS_PAGE:
    tam_json_write_number_member(json, "pages", op->pages);
    tam_json_write_number_member(json, "fetched", op->rows);
    write_survivors(op, json);
    break;
  case TAM_LIST_PROGRESS_LISTING_DONE:
    tam_json_write_number_member(json, "totalFound", op->rows);
    break;
  case TAM_LIST_PROGRESS_PREFILTERED:
    write_survivors(op, json);
    tam_list_write_dropped(op, json);
    break;
  default:
    tam_json_write_name_member(json, "bucket",
                               tam_bucket_name((tam_bucket)bucket));
    tam_json_write_number_member(json, "resetAtMs",
                                 op->outbox.limited_reset_at_ms[bucket]);
  }
}

// ---------------------------------------------------------------------------
// Progress of single models: written when it happens

static tam_list_items *items_of(tam_list_op *op, tam_list_progress kind) {
  return &op->outbox.items[kind - TAM_LIST_PROGRESS_FETCHING];
}

// Writes an item up to its delta.
static tam_buf *item_begin(tam_list_op *op, tam_list_progress kind,
                           tam_span model) {
  tam_buf *json = &items_of(op, kind)->json;
  tam_json_write_object_begin(json);
  if (model.len > 0) {
    tam_json_write_string_member(json, "modelId", model);
  }
  write_delta_key(op, json);
  return json;
}

static int item_end(tam_list_op *op, tam_list_progress kind) {
  tam_list_items *items = items_of(op, kind);
  tam_json_write_object_end(&items->json);
  items->count++;
  tam_list_say(op, kind);
  return items->json.error;
}

int tam_list_say_fetching(tam_list_op *op, const tam_candidate *candidate) {
  if (op->speaker.is_quiet) {
    return 0;
  }
  tam_json_write_null(
      item_begin(op, TAM_LIST_PROGRESS_FETCHING, candidate->row.id));
  return item_end(op, TAM_LIST_PROGRESS_FETCHING);
}

static void write_architectures(tam_buf *json,
                                const tam_config_digest *config) {
  tam_json_write_key(json, "architectures");
  if (config->architecture_count == 0) {
    tam_json_write_null(json);
    return;
  }
  tam_json_write_array_begin(json);
  for (size_t i = 0; i < config->architecture_count; i++) {
    tam_json_write_string(json, config->architectures[i]);
  }
  tam_json_write_array_end(json);
}

static void write_fetch_error(tam_buf *json, const tam_candidate *candidate) {
  tam_json_write_key(json, "fetchError");
  tam_json_write_object_begin(json);
  if (candidate->status_code != 0) {
    tam_json_write_number_member(json, "statusCode", candidate->status_code);
  }
  tam_json_write_string_member(json, "message",
                               tam_buf_span(&candidate->fetch_message));
  tam_json_write_object_end(json);
}

int tam_list_say_classified(tam_list_op *op, const tam_candidate *candidate) {
  if (op->speaker.is_quiet) {
    return 0;
  }
  const tam_verdict *verdict = &candidate->verdict;
  tam_buf *json =
      item_begin(op, TAM_LIST_PROGRESS_CLASSIFIED, candidate->row.id);
  tam_json_write_object_begin(json);
  tam_json_write_name_member(json, "classification",
                             tam_classification_name(verdict->classification));
  tam_json_write_name_member(json, "confidence",
                             tam_confidence_name(verdict->confidence));
  tam_json_write_known_member(json, "model_type",
                              candidate->row.config.model_type);
  write_architectures(json, &candidate->row.config);
  tam_json_write_name_member(json, "fetchStatus",
                             tam_fetch_status_name(candidate->fetch_status));
  if (candidate->fetch_message.len > 0) {
    write_fetch_error(json, candidate);
  }
  tam_json_write_object_end(json);
  return item_end(op, TAM_LIST_PROGRESS_CLASSIFIED);
}

static void write_error(tam_buf *json, const char *code, tam_span message) {
  tam_json_write_name_member(json, "code", code);
  tam_json_write_string_member(json, "message", message);
}

int tam_list_say_error(tam_list_op *op, tam_span model, const char *code,
                       tam_span message) {
  op->error_count++;
  if (op->error_count > TAM_LIST_ERRORS_MAX) {
    return 0;
  }
  tam_json_write_object_begin(&op->errors);
  if (model.len > 0) {
    tam_json_write_string_member(&op->errors, "modelId", model);
  }
  write_error(&op->errors, code, message);
  tam_json_write_object_end(&op->errors);
  if (op->speaker.is_quiet) {
    return op->errors.error;
  }
  tam_buf *json = item_begin(op, TAM_LIST_PROGRESS_ERROR, model);
  tam_json_write_object_begin(json);
  write_error(json, code, message);
  tam_json_write_object_end(json);
  int error = item_end(op, TAM_LIST_PROGRESS_ERROR);
  return op->errors.error != 0 ? op->errors.error : error;
}

// Writes what |items| holds: one on its own, several as a batch.
static void write_items(tam_list_op *op, tam_buf *json,
                        const tam_list_items *items) {
  tam_span text = tam_buf_span(&items->json);
  if (items->count == 1) { // the members of the item become the message's own
    tam_json_write_raw(json,
                       tam_span_head(tam_span_from(text, 1), text.len - 2));
    return;
  }
  if (op->speaker.envelope.is_type_style) {
    tam_json_write_key(json, "batch");
    tam_json_write_bool(json, 1);
  }
  tam_json_write_key(json,
                     op->speaker.envelope.is_type_style ? "items" : "batch");
  tam_json_write_array_begin(json);
  tam_json_write_raw(json, text);
  tam_json_write_array_end(json);
}

// ---------------------------------------------------------------------------
// The outbox

// Writes the members that tell what has changed. Errors: those of the items.
static int write_progress(tam_list_op *op, tam_buf *json,
                          tam_list_progress kind) {
  if (kind < TAM_LIST_PROGRESS_FETCHING) {
    write_delta_key(op, json);
    tam_json_write_object_begin(json);
    write_delta(op, json, kind);
    tam_json_write_object_end(json);
    return 0;
  }
  tam_list_items *items = items_of(op, kind);
  if (items->json.error != 0) { // the last item is not whole
    return items->json.error;
  }
  write_items(op, json, items);
  tam_buf_reset(&items->json);
  items->count = 0;
  return 0;
}

static int send_progress(tam_list_op *op, tam_list_progress kind,
                         double now_ms) {
  tam_buf json;
  tam_speaker_begin(&op->speaker, TAM_ANSWER_PROGRESS, now_ms, &json);
  tam_json_write_name_member(&json, "status",
                             tam_names_at("listing_page\0"
                                          "listing_done\0"
                                          "prefiltered\0"
                                          "rate_limited\0"
                                          "rate_limited\0"
                                          "config_fetching\0"
                                          "classified\0"
                                          "error\0",
                                          kind));
  int error = write_progress(op, &json, kind);
  if (error != 0) {
    tam_buf_free(&json);
    return error;
  }
  return tam_speaker_say(&op->speaker, TAM_ANSWER_PROGRESS, &json);
}

void tam_list_outbox_init(tam_list_op *op, double now_ms) {
  const tam_mem *mem = op->host.mem;
  op->outbox.tokens = BURST;
  op->outbox.refilled_at_ms = now_ms;
  for (size_t i = 0; i < TAM_LIST_ITEM_KINDS; i++) {
    tam_buf_init(&op->outbox.items[i].json, mem, TAM_SPEAKER_MESSAGE_MAX);
  }
  tam_buf_init(&op->errors, mem, ERRORS_MAX);
}

void tam_list_outbox_free(tam_list_op *op) {
  for (size_t i = 0; i < TAM_LIST_ITEM_KINDS; i++) {
    tam_buf_free(&op->outbox.items[i].json);
  }
  tam_buf_free(&op->errors);
}

void tam_list_say(tam_list_op *op, tam_list_progress kind) {
  if (!op->speaker.is_quiet) {
    op->outbox.pending |= 1U << kind;
  }
}

static void outbox_refill(tam_list_outbox *outbox, double now_ms) {
  double passed_s = (now_ms - outbox->refilled_at_ms) / 1000;
  if (passed_s > 0) {
    outbox->tokens += passed_s * REFILL_PER_S;
    outbox->refilled_at_ms = now_ms;
  }
  if (outbox->tokens > BURST) {
    outbox->tokens = BURST;
  }
}

int tam_list_flush(tam_list_op *op, double now_ms, int everything) {
  tam_list_outbox *outbox = &op->outbox;
  int error = 0;
  outbox_refill(outbox, now_ms);
  while (outbox->pending != 0 && error == 0 &&
         (outbox->tokens >= 1 || everything)) {
    tam_list_progress kind = (tam_list_progress)__builtin_ctz(outbox->pending);
    outbox->pending &= outbox->pending - 1;
    outbox->tokens -= 1;
    error = send_progress(op, kind, now_ms);
  }
  return error;
}

double tam_list_outbox_deadline(const tam_list_op *op) {
  const tam_list_outbox *outbox = &op->outbox;
  if (outbox->pending == 0) {
    return -1;
  }
  double missing = 1 - outbox->tokens;
  return missing <= 0
             ? outbox->refilled_at_ms
             : outbox->refilled_at_ms + missing / REFILL_PER_S * 1000 + 1;
}

// ---------------------------------------------------------------------------
// The last message

int tam_list_send_done(tam_list_op *op, double now_ms) {
  tam_action_queue *queue = op->host.queue;
  tam_buf table;
  tam_buf json;
  tam_buf_init(&table, op->host.mem, TABLE_MAX);
  int error = tam_model_table_pack(&op->candidates, &table, op->host.mem);
  if (error == 0) {
    error = tam_action_queue_put(queue, TAM_ACTION_MODELS, op->speaker.op, 0,
                                 &table);
  }
  tam_buf_free(&table);
  if (error != 0) {
    return error;
  }
  tam_action_node *models = queue->last;
  tam_speaker_begin(&op->speaker, TAM_ANSWER_DONE, now_ms, &json);
  tam_list_write_meta(op, &json, now_ms);
  error = tam_speaker_say(&op->speaker, TAM_ANSWER_DONE, &json);
  if (error != 0) {
    // Models without their message would end up in the one about the error.
    tam_action_queue_remove(queue, models);
    tam_mem_free(op->host.mem, models);
  }
  return error;
}

void tam_list_send_error(tam_list_op *op, int error, tam_span message,
                         double now_ms) {
  int is_refused = error == TAM_ERR_LISTING_FAILED && op->page.status >= 400;
  tam_buf meta;
  tam_buf_init(&meta, op->host.mem, META_MAX);
  tam_list_write_meta(op, &meta, now_ms);
  tam_failure failure = {
      .error = error,
      .stage = op->state == TAM_LIST_STATE_CONFIGS ? "configs" : "listing",
      .message = message,
      .status = is_refused ? op->page.status : 0,
      .more = meta.error == 0 ? tam_buf_span(&meta) : TAM_SPAN_NONE,
  };
  tam_list_find_remedy(&failure);
  tam_speaker_fail(&op->speaker, &failure, now_ms);
  tam_buf_free(&meta);
}
