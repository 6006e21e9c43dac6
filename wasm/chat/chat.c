// SPDX-License-Identifier: Apache-2.0
// The list of operations: hands each what concerns it, and moves it from phase
// to phase.
#include "chat/chat.h"

#include "chat/answer.h"
#include "chat/broadcast.h"
#include "chat/chat_op.h"
#include "chat/load.h"
#include "chat/model.h"
#include "core/mem.h"
#include "core/names.h"

// What the platform says of an error is quoted up to this length.
#define WORDS_MAX 400

// Platforms lose promises: a read whose reader was collected, a worker that
// died. So an order that brings nothing for this long has failed. The slowest
// orders are a session of gigabytes, and a part of a prompt on a weak machine;
// both take less. Somebody who wants an answer to stop waits no longer than for
// one pass.
#define PATIENCE_MS          120000.0
#define PATIENCE_STOPPING_MS 10000.0

int tam_chat_new(tam_chat **pchat, const tam_chat_host *host) {
  tam_chat *chat = tam_mem_calloc(host->mem, 1, sizeof(*chat));
  if (chat == NULL) {
    return TAM_ERR_OUT_OF_MEMORY;
  }
  chat->host = *host;
  tam_saved_settings_init(&chat->saved, host->mem);
  tam_buf_init(&chat->released, host->mem, TAM_JSON_TREE_LEN_MAX);
  int error = tam_runtime_new(&chat->runtime, host->queue, host->mem);
  if (error != 0) {
    tam_chat_del(chat);
    return error;
  }
  *pchat = chat;
  return 0;
}

// ---------------------------------------------------------------------------
// Operations

static void op_del(tam_chat_op *op) {
  tam_chat_load_del(op->load, op->chat);
  tam_chat_answer_del(op->answer, op->chat);
  tam_chat_settings_del(op->settings, op->chat);
  tam_speaker_free(&op->speaker);
  tam_buf_free(&op->text);
  tam_buf_free(&op->why);
  tam_mem_free(op->chat->host.mem, op);
}

static void say_failure(tam_chat_op *op, int error) {
  tam_broadcast_failure(op, error);
  tam_failure failure = {
      .error = error,
      .stage = op->is_prepared ? (*op->phase)->stage : "params",
      .message = op->why.len > 0 ? tam_buf_span(&op->why)
                                 : TAM_SPAN("the operation could not go on"),
      .is_retryable = tam_error_is_retryable(error),
      .remedy = tam_error_remedy(error),
  };
  tam_speaker_fail(&op->speaker, &failure, op->chat->now_ms);
}

static int say_done(tam_chat_op *op) {
  tam_buf json;
  int error = op->answer != NULL        ? tam_broadcast_answer(op)
              : op->load != NULL        ? tam_broadcast_ready(op)
              : op->verb->event != NULL ? tam_broadcast_event(op)
                                        : 0;
  if (error != 0) {
    return error;
  }
  tam_speaker_begin(&op->speaker, TAM_ANSWER_DONE, op->chat->now_ms, &json);
  if (op->verb->write_done != NULL && !op->speaker.envelope.is_panel) {
    op->verb->write_done(op, &json);
  }
  return tam_speaker_say(&op->speaker, TAM_ANSWER_DONE, &json);
}

// Returns 1 when |op| may be changing the model's cache.
static int uses_cache(const tam_chat_op *op) {
  return op->answer != NULL && op->answer->cache != 0;
}

// |op| failed, and with it what it ran on.
static void give_up(tam_chat_op *op, int error) {
  tam_chat *chat = op->chat;
  int is_gone = error == TAM_ERR_WORKER_DIED ||
                (error == TAM_ERR_DEVICE_LOST && uses_cache(op));
  int is_deleted = op->answer != NULL && error == TAM_ERR_NOT_STORED;
  if (is_gone || is_deleted) {
    tam_chat_model_del(chat->model, chat); // only a load makes it anew
    chat->model = NULL;
    tam_buf_reset(&chat->released);
    (void)tam_broadcast_remember(op, TAM_REMEMBER_GONE);
  } else if (uses_cache(op)) {
    // The pass that was under way may still change it.
    tam_chat_model_drop_cache(chat->model, chat);
  }
}

static void op_end(tam_chat_op *op, int error) {
  tam_chat *chat = op->chat;
  tam_runtime_close_op(chat->runtime, op->speaker.op);
  if (op->speaker.seq < op->speaker.again_seq) {
    op->speaker.seq = op->speaker.again_seq; // it ended before it went on
  }
  if (error != 0) {
    give_up(op, error);
  }
  if (error == 0) {
    error = say_done(op);
  }
  if (error != 0) {
    say_failure(op, error);
  }
  op->is_ended = 1;
}

// Does what follows from a step of the present phase.
static void op_settle(tam_chat_op *op, int result) {
  while (result == TAM_CHAT_NEXT && op->phase[1] != NULL) {
    op->phase++;
    op->waits_for = 0;
    result = (*op->phase)->start(op);
  }
  if (result < 0 && op->load != NULL) {
    result = tam_chat_load_fail(op, result);
  }
  if (result != TAM_CHAT_WAIT) {
    op_end(op, result < 0 ? result : 0);
  }
}

// Returns 1 when |op| has failed, and only waits until that is noted.
static int has_failed(const tam_chat_op *op) {
  return op->load != NULL && op->load->error != 0;
}

int tam_chat_op_fail(tam_chat_op *op, int error, const char *text) {
  tam_buf_reset(&op->why);
  tam_buf_append_text(&op->why, text);
  return error;
}

int tam_chat_op_runtime_failed(tam_chat_op *op,
                               const tam_runtime_report *report) {
  tam_buf_reset(&op->why);
  tam_buf_append_quote(&op->why, report->data, WORDS_MAX);
  return report->error;
}

tam_buf *tam_chat_op_order(tam_chat_op *op, const char *verb) {
  return tam_runtime_begin(op->chat->runtime, verb);
}

// Gives the host the full time again: it has a new order, or has shown that it
// works on the present one.
static void be_patient(tam_chat_op *op) {
  int is_stopping = (op->answer != NULL && op->answer->is_stopping) ||
                    (op->load != NULL && op->load->error != 0);
  op->patient_ms =
      op->chat->now_ms + (is_stopping ? PATIENCE_STOPPING_MS : PATIENCE_MS);
}

static int submitted(tam_chat_op *op, uint32_t request) {
  op->waits_for = request;
  be_patient(op);
  return request == 0 ? TAM_ERR_OUT_OF_MEMORY : TAM_CHAT_WAIT;
}

int tam_chat_op_submit(tam_chat_op *op, tam_span bytes) {
  return submitted(
      op, tam_runtime_submit(op->chat->runtime, op->speaker.op, bytes));
}

int tam_chat_op_make(tam_chat_op *op, tam_span bytes) {
  return submitted(op,
                   tam_runtime_make(op->chat->runtime, op->speaker.op, bytes));
}

// ---------------------------------------------------------------------------
// Starting

static tam_chat_op *op_new(tam_chat *chat, const tam_chat_verb *verb,
                           const tam_chat_request *request) {
  const tam_mem *mem = chat->host.mem;
  tam_chat_op *op = tam_mem_calloc(mem, 1, sizeof(*op));
  if (op == NULL) {
    return NULL;
  }
  op->chat = chat;
  op->verb = verb;
  op->phase = verb->phases;
  op->started_ms = chat->now_ms;
  tam_buf_init(&op->text, mem, TAM_CHAT_TEXT_MAX);
  tam_buf_init(&op->why, mem, TAM_CHAT_WHY_MAX);
  if (tam_speaker_init(&op->speaker, chat->host.queue, verb->name, request->op,
                       &request->envelope, mem) != 0) {
    op_del(op);
    return NULL;
  }
  op->speaker.is_quiet = request->envelope.is_panel ||
                         (request->flags & TAM_COMMAND_FLAG_QUIET) != 0;
  tam_buf_append(&op->text, request->chat);
  op->has_text = (request->flags & TAM_COMMAND_FLAG_LISTING) == 0;
  if (verb->again != NULL && request->saved_head.len > 0) {
    op->phase = verb->again;
    op->has_text = 1;
  }
  op->is_broadcast = (request->flags & TAM_COMMAND_FLAG_BROADCAST) != 0;
  return op;
}

// Returns 1 for the name of a member that the chat may be in: it has been taken
// out of the parameters, so it comes a second time.
static int is_chat_member(const tam_chat_op *op, tam_span name) {
  return tam_chat_verb_has_chat(op->verb) &&
         tam_names_find(TAM_CHAT_MEMBERS, name) >= 0;
}

static int check_names(tam_chat_op *op, const tam_chat_request *request) {
  const tam_json_node *at = tam_json_get_first(request->params);
  for (; request->params_are_nested && at != NULL; at = tam_json_get_next(at)) {
    if (tam_names_find(op->verb->params, tam_json_get_key(at)) < 0) {
      tam_buf_append(&op->why, tam_json_get_key(at));
      tam_buf_append_text(
          &op->why, is_chat_member(op, tam_json_get_key(at))
                        ? ": the chat is there already; give one of messages, "
                          "message and input"
                        : ": expected no parameter of this name");
      return TAM_ERR_INVALID_PARAMS;
    }
  }
  return 0;
}

// Returns 0, or why the operation cannot begin.
static int op_prepare(tam_chat_op *op, const tam_chat_request *request) {
  if (op->verb->is_limited && tam_chat_busy(op->chat) > TAM_CHAT_OPS_MAX) {
    return tam_chat_op_fail(op, TAM_ERR_BUSY, "too many requests wait");
  }
  int error = op->text.error != 0 ? op->text.error : check_names(op, request);
  if (error == 0 && op->verb->prepare != NULL) {
    error = op->verb->prepare(op, request);
  }
  op->is_prepared = error == 0;
  return error;
}

int tam_chat_start(tam_chat *chat, const tam_chat_verb *verb,
                   const tam_chat_request *request, double now_ms) {
  chat->now_ms = now_ms;
  tam_chat_op *op = op_new(chat, verb, request);
  if (op == NULL) {
    return TAM_ERR_OUT_OF_MEMORY;
  }
  tam_chat_op **plink = &chat->first; // the newest stands last
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

static tam_chat_op *find_op(const tam_chat *chat, uint32_t number) {
  tam_chat_op *op = chat->first;
  while (op != NULL && (op->speaker.op != number || op->is_ended)) {
    op = op->next;
  }
  return op;
}

int tam_chat_has_op(const tam_chat *chat, uint32_t op) {
  return find_op(chat, op) != NULL;
}

int tam_chat_has_id(const tam_chat *chat, tam_span id) {
  const tam_chat_op *op = chat->first;
  while (op != NULL &&
         (op->is_ended || !tam_span_eq(op->speaker.envelope.id, id))) {
    op = op->next;
  }
  return op != NULL;
}

static int on_runtime(tam_chat *chat, const tam_event *event) {
  tam_runtime_report report;
  int error = tam_runtime_feed(chat->runtime, event, &report);
  if (error != 0 || report.kind == TAM_RUNTIME_NOTHING) {
    return error;
  }
  tam_chat_op *op = find_op(chat, report.op);
  if (op != NULL) {
    be_patient(op);
  }
  if (report.kind == TAM_RUNTIME_PROGRESS && op != NULL &&
      *op->phase != &tam_chat_download_phase) {
    return 0; // nobody else has asked for it
  }
  if (op != NULL && has_failed(op)) {
    if (report.request == op->waits_for && report.kind >= TAM_RUNTIME_END) {
      op_end(op, op->load->error);
    }
    return 0;
  }
  if (op != NULL && (*op->phase)->on_runtime != NULL) {
    op_settle(op, (*op->phase)->on_runtime(op, &report));
  }
  return 0;
}

// The text of a request may come before the phase that needs it, and is
// gathered in the operation.
static int on_text(tam_chat_op *op, const tam_event *event) {
  if (op->answer != NULL && op->answer->before.is_there) {
    return 0; // it is known
  }
  if (op->has_text) {
    return TAM_ERR_INVALID_STATE;
  }
  if (event->kind == TAM_EVENT_LISTING_DATA) {
    tam_buf_append(&op->text, event->payload);
    return 0;
  }
  op->has_text = 1;
  if (op->text.error != 0) {
    op_settle(op, tam_chat_op_fail(op, op->text.error,
                                   "the text of a request has at most 8 MiB"));
  } else if ((*op->phase)->on_text != NULL) {
    op_settle(op, (*op->phase)->on_text(op));
  }
  return 0;
}

// An answer, running or waiting, ends with the text so far.
static int on_cancel(tam_chat_op *op) {
  if (op->patient_ms > op->chat->now_ms + PATIENCE_STOPPING_MS) {
    op->patient_ms = op->chat->now_ms + PATIENCE_STOPPING_MS;
  }
  op_settle(op, op->answer != NULL
                    ? tam_chat_answer_stop(op)
                    : tam_chat_op_fail(op, TAM_ERR_CANCELLED,
                                       "the operation was cancelled"));
  return 0;
}

void tam_chat_stop_all(tam_chat *chat, const tam_chat_op *but, int with_loads) {
  for (tam_chat_op *op = chat->first; op != NULL; op = op->next) {
    if (op != but && !op->is_ended &&
        (op->answer != NULL || (with_loads && op->load != NULL))) {
      (void)on_cancel(op);
    }
  }
}

int tam_chat_feed(tam_chat *chat, const tam_event *event, double now_ms) {
  chat->now_ms = now_ms;
  tam_chat_op *op = find_op(chat, event->op);
  switch (event->kind) {
  case TAM_EVENT_CANCEL:
    return op == NULL ? TAM_ERR_INVALID_STATE : on_cancel(op);
  case TAM_EVENT_LISTING_DATA:
  case TAM_EVENT_LISTING_END:
    return op == NULL ? TAM_ERR_INVALID_STATE : on_text(op, event);
  default:
    return on_runtime(chat, event);
  }
}

// ---------------------------------------------------------------------------
// Time

// Returns 1 when there was something to forget.
static int reap(tam_chat *chat) {
  int is_any = 0;
  tam_chat_op **plink = &chat->first;
  while (*plink != NULL) {
    tam_chat_op *op = *plink;
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

static void advance_op(tam_chat_op *op) {
  if (!op->is_ended && (*op->phase)->advance != NULL) {
    op_settle(op, (*op->phase)->advance(op));
  }
  if (!op->is_ended && op->patient_ms > 0 &&
      op->chat->now_ms >= op->patient_ms && has_failed(op)) {
    op_end(op, op->load->error);
  }
  if (!op->is_ended && op->patient_ms > 0 &&
      op->chat->now_ms >= op->patient_ms) {
    op_settle(op, tam_chat_op_fail(op, TAM_ERR_TIMEOUT,
                                   "ONNX Runtime or the tokenizer does not "
                                   "answer"));
  }
}

void tam_chat_advance(tam_chat *chat, double now_ms) {
  chat->now_ms = now_ms;
  do {
    for (tam_chat_op *op = chat->first; op != NULL; op = op->next) {
      advance_op(op);
    }
  } while (reap(chat));
}

double tam_chat_deadline(const tam_chat *chat) {
  double at_ms = -1;
  for (const tam_chat_op *op = chat->first; op != NULL; op = op->next) {
    if (!op->is_ended && op->patient_ms > 0 &&
        (at_ms < 0 || op->patient_ms < at_ms)) {
      at_ms = op->patient_ms;
    }
  }
  return at_ms;
}

size_t tam_chat_busy(const tam_chat *chat) {
  size_t count = 0;
  for (const tam_chat_op *op = chat->first; op != NULL; op = op->next) {
    count += !op->is_ended;
  }
  return count;
}

int tam_chat_is_loaded(const tam_chat *chat, tam_span model, tam_span dtype) {
  const tam_chat_model *loaded = chat->model;
  return loaded != NULL &&
         (tam_span_eq(model, tam_buf_span(&loaded->asked_id)) ||
          tam_span_eq(model, tam_buf_span(&loaded->id))) &&
         (dtype.len == 0 || tam_span_eq(dtype, tam_buf_span(&loaded->dtype)));
}

void tam_chat_del(tam_chat *chat) {
  if (chat == NULL) {
    return;
  }
  for (tam_chat_op *op = chat->first; op != NULL; op = op->next) {
    op->is_ended = 1;
  }
  (void)reap(chat);
  tam_chat_model_del(chat->model, chat);
  tam_buf_free(&chat->released);
  tam_runtime_del(chat->runtime);
  tam_saved_settings_free(&chat->saved);
  tam_mem_free(chat->host.mem, chat);
}
