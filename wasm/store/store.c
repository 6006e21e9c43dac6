// SPDX-License-Identifier: Apache-2.0
// The list of operations: hands each what concerns it, and moves it from phase
// to phase.
#include "store/store.h"

#include "core/json_write.h"
#include "core/mem.h"
#include "store/doctor_phase.h"
#include "store/store_op.h"
#include "store/verbs.h"

#include <string.h>

// An answer of the API about one revision: two members.
#define BODY_MAX 65536

// The list of damaged chunks.
#define ROWS_MAX (UINT32_C(4) << 20)

// What the platform says of an error is quoted up to this length.
#define WORDS_MAX 200

int tam_store_new(tam_store **pstore, const tam_store_host *host) {
  tam_store *store = tam_mem_calloc(host->mem, 1, sizeof(*store));
  if (store == NULL) {
    return TAM_ERR_OUT_OF_MEMORY;
  }
  store->host = *host;
  int error = tam_storage_new(&store->storage, host->queue, TAM_NET_ID_MAX,
                              TAM_STORAGE_ID_MAX, host->mem);
  if (error != 0) {
    tam_store_del(store);
    return error;
  }
  *pstore = store;
  return 0;
}

// ---------------------------------------------------------------------------
// Operations

void tam_store_op_free_stored(tam_store_op *op) {
  tam_transfers_free(op);
  for (size_t i = 0; i < op->stored_count; i++) {
    tam_revision_free(&op->stored[i]);
  }
  op->stored_count = 0;
  if (op->has_revision) {
    tam_revision_free(&op->revision);
  }
  op->has_revision = 0;
  op->total_bytes = 0;
}

static void op_del(tam_store_op *op) {
  const tam_mem *mem = op->store->host.mem;
  tam_store_op_free_stored(op);
  tam_models_free(&op->models, mem);
  tam_batch_free(&op->batch);
  tam_tree_scan_del(op->listing.tree);
  tam_buf_free(&op->listing.url);
  tam_buf_free(&op->listing.body);
  tam_buf_free(&op->listing.cursor);
  tam_buf_free(&op->listing.task);
  tam_buf_free(&op->rows);
  tam_store_params_free(&op->params);
  tam_buf_free(&op->why);
  tam_buf_free(&op->scratch);
  tam_speaker_free(&op->speaker);
  tam_mem_free(mem, op);
}

// Ends what the operation asked of the host.
static void op_close(tam_store_op *op) {
  tam_transfers_forget(op);
  tam_net_close_op(op->store->host.net, op->speaker.op);
  tam_storage_close_op(op->store->storage, op->speaker.op);
  op->turn.lock = 0;
}

void tam_store_op_end(tam_store_op *op, int error) {
  op_close(op);
  if (error == 0) {
    error = tam_store_send_done(op);
  }
  if (error != 0) {
    tam_store_send_error(op, error);
  }
  op->is_ended = 1;
}

// Does what follows from a step of the present phase.
static void op_settle(tam_store_op *op, int result) {
  while (result == TAM_PHASE_DONE && op->phase[1] != NULL) {
    op->phase++;
    result = (*op->phase)->start(op);
  }
  if (result != TAM_PHASE_WAIT) {
    tam_store_op_end(op, result < 0 ? result : 0);
  }
}

int tam_store_op_fail(tam_store_op *op, int error, const char *text) {
  if (text != NULL) {
    tam_buf_reset(&op->why);
    tam_buf_append_text(&op->why, text);
  }
  return error;
}

static int refusal_of(const tam_net_report *report) {
  switch (report->headers.hub_error) {
  case TAM_HUB_ERROR_GATED_REPO:
    return TAM_ERR_UNAUTHORIZED;
  case TAM_HUB_ERROR_NONE:
    break;
  default:
    return TAM_ERR_NOT_FOUND;
  }
  if (report->status == 401 || report->status == 403) {
    return TAM_ERR_UNAUTHORIZED;
  }
  return report->status == 404 ? TAM_ERR_NOT_FOUND : TAM_ERR_HTTP_STATUS;
}

static int has_token(const tam_store_op *op) {
  return op->params.token.len > 0 || op->store->host.token->len > 0;
}

// Returns 1 when the Hub may give it to somebody who is logged in.
static int is_refused(const tam_store_op *op, uint32_t status) {
  return (status == 401 || status == 403) && !has_token(op);
}

// Returns what a status means, as far as the Hub tells: to those who may not
// read a private repository it says the same as of one that does not exist.
static const char *explain(const tam_store_op *op,
                           const tam_net_report *report) {
  switch (report->headers.hub_error) {
  case TAM_HUB_ERROR_GATED_REPO:
    return has_token(op)
               ? ": the model is gated, and not open to this token yet"
               : ": the model is gated, and nobody is logged in";
  case TAM_HUB_ERROR_REPO_NOT_FOUND:
    return ": there is no such model";
  case TAM_HUB_ERROR_REVISION_NOT_FOUND:
    return ": the model has no such revision";
  case TAM_HUB_ERROR_ENTRY_NOT_FOUND:
    return ": the model has no such file";
  default:
    return report->status != 401 ? ""
           : has_token(op)
               ? ": there is no such model, or the token may not read it"
               : ": there is no such model, or it is private";
  }
}

// The Hub answered, but not with what was asked for.
static int on_refused(tam_store_op *op, const tam_net_report *report) {
  int error = refusal_of(report);
  op->status = report->status;
  if (op->verb->is_serving && !op->serving.has_head &&
      error != TAM_ERR_HTTP_STATUS) {
    op->serving.outcome =
        is_refused(op, report->status) ? TAM_OUTCOME_REFUSED : TAM_OUTCOME_PASS;
    return TAM_PHASE_END;
  }
  tam_buf_append_text(&op->why, "the Hub answered with status ");
  tam_text_append_number(&op->why, report->status);
  tam_buf_append_text(&op->why, explain(op, report));
  return error;
}

int tam_store_op_net_failed(tam_store_op *op, const tam_net_report *report) {
  tam_buf_reset(&op->why);
  if (report->kind == TAM_NET_HEAD || report->error == TAM_ERR_HTTP_STATUS) {
    return on_refused(op, report);
  }
  tam_buf_append_text(&op->why, report->error == TAM_ERR_TIMEOUT
                                    ? "no answer in time"
                                    : "the connection failed");
  tam_store_op_append_words(op, report->data);
  return report->error;
}

void tam_store_op_append_words(tam_store_op *op, tam_span words) {
  tam_token_append_words(op->store->host.token, op->params.token, words,
                         &op->why);
}

int tam_store_op_storage_failed(tam_store_op *op,
                                const tam_storage_report *report) {
  tam_buf_reset(&op->why);
  tam_buf_append_quote(&op->why, report->data, WORDS_MAX);
  return report->error;
}

tam_storage_owner tam_store_op_owner(const tam_store_op *op, uint32_t tag) {
  return (tam_storage_owner){op->speaker.op, tag};
}

int tam_store_op_asked(uint32_t request) {
  return request == 0 ? TAM_ERR_OUT_OF_MEMORY : TAM_PHASE_WAIT;
}

int tam_store_op_write(tam_store_op *op, tam_batch *batch) {
  uint32_t request =
      tam_storage_write(op->store->storage, tam_store_op_owner(op, 0), batch);
  tam_batch_free(batch);
  return tam_store_op_asked(request);
}

int tam_store_op_on_written(tam_store_op *op,
                            const tam_storage_report *report) {
  return report->kind == TAM_STORAGE_FAILED
             ? tam_store_op_storage_failed(op, report)
             : TAM_PHASE_DONE;
}

int tam_store_op_rename(tam_store_op *op, tam_span repo) {
  int error = tam_store_params_set_model(&op->params, repo);
  if (error != 0) {
    return error;
  }
  // What is held and found is about another name.
  tam_storage_drop(op->store->storage, op->turn.lock);
  op->turn.lock = 0;
  op->is_renamed = 1;
  op->phase = op->verb->phases;
  return (*op->phase)->start(op);
}

int tam_store_op_open_net(tam_store_op *op) {
  int error =
      tam_net_open_op(op->store->host.net, op->speaker.op, TAM_TRANSFER_SLOTS);
  return error == TAM_ERR_BUSY
             ? tam_store_op_fail(op, error,
                                 "too many operations use the network")
             : error;
}

void tam_store_op_append_token(const tam_store_op *op, tam_buf *headers) {
  tam_token_append_header(op->store->host.token, op->params.token, headers);
}

// ---------------------------------------------------------------------------
// Keys

tam_span tam_store_op_group(tam_store_op *op, const tam_transfer *transfer) {
  tam_buf group;
  tam_buf_init_fixed(&group, op->group_text, sizeof(op->group_text));
  tam_revision_append_group(&op->revision, &op->revision.files[transfer->file],
                            &group);
  return tam_buf_span(&group);
}

tam_span tam_store_op_file_key(tam_store_op *op, const tam_transfer *transfer) {
  tam_buf key;
  tam_buf_init_fixed(&key, op->key_text, sizeof(op->key_text));
  tam_store_key_file(&key, tam_store_op_group(op, transfer));
  return tam_buf_span(&key);
}

tam_span tam_store_op_chunk_key(tam_store_op *op, const tam_transfer *transfer,
                                uint32_t chunk) {
  tam_buf key;
  tam_buf_init_fixed(&key, op->key_text, sizeof(op->key_text));
  tam_store_key_chunk(&key, tam_store_op_group(op, transfer), chunk);
  return tam_buf_span(&key);
}

tam_span tam_store_op_manifest_key(tam_store_op *op,
                                   const tam_transfer *transfer) {
  tam_buf key;
  tam_buf_init_fixed(&key, op->key_text, sizeof(op->key_text));
  tam_store_key_manifest(&key, tam_store_op_group(op, transfer));
  return tam_buf_span(&key);
}

tam_span tam_store_op_revision_key(tam_store_op *op, tam_span repo,
                                   tam_span commit) {
  tam_buf key;
  tam_buf_init_fixed(&key, op->key_text, sizeof(op->key_text));
  tam_store_key_revision(&key, repo, commit);
  return tam_buf_span(&key);
}

tam_span tam_store_op_prefix(tam_store_op *op, const char *kind) {
  tam_buf key;
  tam_buf_init_fixed(&key, op->key_text, sizeof(op->key_text));
  tam_buf_append_text(&key, kind);
  tam_buf_append(&key, op->params.model);
  return tam_buf_span(&key);
}

// ---------------------------------------------------------------------------
// Starting

static tam_store_op *op_new(tam_store *store, const tam_store_verb *verb,
                            const tam_store_request *request) {
  const tam_mem *mem = store->host.mem;
  tam_store_op *op = tam_mem_calloc(mem, 1, sizeof(*op));
  if (op == NULL) {
    return NULL;
  }
  op->store = store;
  op->verb = verb;
  op->phase = verb->phases;
  op->is_outside = (request->flags & TAM_COMMAND_FLAG_OUTSIDE) != 0;
  op->started_ms = store->now_ms;
  op->room.free_bytes = -1;
  tam_buf_init(&op->why, mem, TAM_STORE_WHY_MAX);
  tam_buf_init(&op->scratch, mem, TAM_NET_URL_MAX);
  tam_buf_init(&op->listing.url, mem, TAM_NET_URL_MAX);
  tam_buf_init(&op->listing.body, mem, BODY_MAX);
  tam_buf_init(&op->listing.cursor, mem, TAM_NET_URL_MAX);
  tam_buf_init(&op->listing.task, mem, TAM_STORE_WHY_MAX);
  tam_buf_init(&op->rows, mem, ROWS_MAX);
  tam_batch_init(&op->batch, mem);
  tam_models_init(&op->models, mem);
  if (tam_speaker_init(&op->speaker, store->host.queue, verb->name, request->op,
                       &request->envelope, mem) != 0) {
    op_del(op);
    return NULL;
  }
  op->speaker.is_quiet = (request->flags & TAM_COMMAND_FLAG_QUIET) != 0;
  return op;
}

// Returns 0, or why the operation cannot begin.
static int op_prepare(tam_store_op *op, const tam_store_request *request) {
  tam_store *store = op->store;
  int error = tam_store_params_parse(&op->params, request->params,
                                     request->params_are_nested, &op->why,
                                     store->host.mem);
  if (error == 0 && op->verb->needs_model && op->params.model.len == 0) {
    return tam_store_op_fail(op, TAM_ERR_INVALID_PARAMS,
                             "modelId: expected the id of a repository");
  }
  if (error == 0 && tam_store_busy(store) > TAM_STORE_OPS_MAX) {
    error = tam_store_op_fail(op, TAM_ERR_BUSY, "too many operations run");
  }
  op->serving.file.path = op->params.path;
  op->transfers.is_paused = request->is_paused;
  op->is_prepared = error == 0;
  if (error == 0 && op->verb->takes_facts) {
    tam_store_write_facts(op, op->params.facts);
  }
  op->params.facts = NULL; // it is gone with the request
  return error;
}

int tam_store_start(tam_store *store, const tam_store_verb *verb,
                    const tam_store_request *request, double now_ms) {
  store->now_ms = now_ms;
  tam_store_op *op = op_new(store, verb, request);
  if (op == NULL) {
    return TAM_ERR_OUT_OF_MEMORY;
  }
  // The newest stands last: the queue of downloads is in this order.
  tam_store_op **plink = &store->first;
  while (*plink != NULL) {
    plink = &(*plink)->next;
  }
  *plink = op;
  int error = op_prepare(op, request);
  op_settle(op, error != 0 ? error : (*op->phase)->start(op));
  return 0;
}

// ---------------------------------------------------------------------------
// Events

static tam_store_op *find_op(const tam_store *store, uint32_t number) {
  tam_store_op *op = store->first;
  while (op != NULL && (op->speaker.op != number || op->is_ended)) {
    op = op->next;
  }
  return op;
}

int tam_store_has_op(const tam_store *store, uint32_t op) {
  return find_op(store, op) != NULL;
}

void tam_store_on_net(tam_store *store, const tam_net_report *report,
                      double now_ms) {
  store->now_ms = now_ms;
  tam_store_op *op = find_op(store, report->op);
  if (op != NULL && (*op->phase)->on_net != NULL) {
    op_settle(op, (*op->phase)->on_net(op, report));
  }
}

static int on_storage(tam_store *store, const tam_event *event) {
  tam_storage_report report;
  int error = tam_storage_feed(store->storage, event, &report);
  if (error != 0 || report.kind == TAM_STORAGE_NOTHING) {
    return error;
  }
  tam_store_op *op = find_op(store, report.op);
  if (op == NULL || (*op->phase)->on_storage == NULL) {
    return 0;
  }
  op_settle(op, (*op->phase)->on_storage(op, &report));
  return 0;
}

// Takes in what the caller of the operation does. A list of files may come
// before its phase: it waits in the operation.
static int on_caller(tam_store_op *op, const tam_event *event) {
  const tam_phase *phase = *op->phase;
  switch (event->kind) {
  case TAM_EVENT_CANCEL:
    op_settle(op, tam_store_op_fail(op, TAM_ERR_CANCELLED,
                                    "the operation was cancelled"));
    return 0;
  case TAM_EVENT_PULL:
    op->serving.is_pulled = 1;
    if (phase->on_pull != NULL) {
      op_settle(op, phase->on_pull(op));
    }
    return 0;
  default:
    if (!op->verb->takes_rows || op->has_rows) {
      return TAM_ERR_INVALID_STATE;
    }
    if (event->kind == TAM_EVENT_LISTING_DATA) {
      tam_buf_append(&op->rows, event->payload);
    } else {
      op->has_rows = 1;
    }
    if (phase->on_rows != NULL) {
      op_settle(op, phase->on_rows(op));
    }
    return 0;
  }
}

int tam_store_feed(tam_store *store, const tam_event *event, double now_ms) {
  store->now_ms = now_ms;
  tam_store_op *op = find_op(store, event->op);
  switch (event->kind) {
  case TAM_EVENT_CANCEL:
  case TAM_EVENT_PULL:
  case TAM_EVENT_LISTING_DATA:
  case TAM_EVENT_LISTING_END:
    return op == NULL ? TAM_ERR_INVALID_STATE : on_caller(op, event);
  default:
    return on_storage(store, event);
  }
}

// ---------------------------------------------------------------------------
// Time

// Returns 1 when there was something to forget.
static int reap(tam_store *store) {
  int is_any = 0;
  tam_store_op **plink = &store->first;
  while (*plink != NULL) {
    tam_store_op *op = *plink;
    if (op->is_ended) {
      *plink = op->next;
      op_del(op);
      is_any = 1;
    } else {
      plink = &op->next;
    }
  }
  return is_any;
}

// An operation that ends here may be what one before it in the list waits for.
void tam_store_advance(tam_store *store, double now_ms) {
  store->now_ms = now_ms;
  do {
    for (tam_store_op *op = store->first; op != NULL; op = op->next) {
      if (!op->is_ended && (*op->phase)->advance != NULL) {
        op_settle(op, (*op->phase)->advance(op));
      }
    }
  } while (reap(store));
}

double tam_store_deadline(const tam_store *store) {
  double at_ms = -1;
  for (const tam_store_op *op = store->first; op != NULL; op = op->next) {
    double op_ms =
        (*op->phase)->deadline != NULL ? (*op->phase)->deadline(op) : -1;
    if (op_ms >= 0 && (at_ms < 0 || op_ms < at_ms)) {
      at_ms = op_ms;
    }
  }
  return at_ms;
}

int tam_store_has_id(const tam_store *store, tam_span id) {
  const tam_store_op *op = store->first;
  while (op != NULL &&
         (op->is_ended || !tam_span_eq(op->speaker.envelope.id, id))) {
    op = op->next;
  }
  return op != NULL;
}

int tam_store_is_paused(const tam_store *store, uint32_t number) {
  const tam_store_op *op = find_op(store, number);
  return op != NULL && op->transfers.is_paused;
}

size_t tam_store_busy(const tam_store *store) {
  size_t count = 0;
  for (const tam_store_op *op = store->first; op != NULL; op = op->next) {
    count += !op->is_ended;
  }
  return count;
}

void tam_store_del(tam_store *store) {
  if (store == NULL) {
    return;
  }
  for (tam_store_op *op = store->first; op != NULL; op = op->next) {
    op->is_ended = 1;
  }
  (void)reap(store);
  tam_storage_del(store->storage);
  tam_mem_free(store->host.mem, store);
}
