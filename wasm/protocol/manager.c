// SPDX-License-Identifier: Apache-2.0
// The manager: takes events in, gives them to whom they concern, and lets the
// request pool and the operations act on what changed.
#include "account/account.h"
#include "chat/chat.h"
#include "core/action_queue.h"
#include "core/event.h"
#include "core/event_names.h"
#include "core/json_write.h"
#include "core/mem.h"
#include "core/random.h"
#include "hub/list_chat_models.h"
#include "journal/journal.h"
#include "net/endpoint.h"
#include "net/net.h"
#include "protocol/job_command.h"
#include "protocol/message.h"
#include "protocol/panel.h"
#include "protocol/pieces.h"
#include "store/storage.h"
#include "store/store.h"
#include "tam.h"

#include <math.h>
#include <string.h>

// The most listings at a time; a host runs one or two.
#define LISTINGS_MAX 16

// A sentence about a parameter, and a reply of the manager itself.
#define WHY_MAX   2048
#define NAME_MAX  1024 // of the name of a request that is quoted
#define REPLY_MAX 4096

struct tam_manager {
  tam_mem mem;
  tam_random random;
  tam_action_queue queue;
  tam_net *net;
  tam_buf hub_url;
  tam_buf mirrors;
  tam_list_host host; // what listings get of all that
  tam_store *store;
  tam_chat *chat;
  tam_account *account;
  tam_token token; // of whoever is logged in; read by all, set by |account|
  tam_panels panels;
  tam_pieces pieces;
  tam_journal *journal;
  uint8_t *in_buf;
  size_t in_buf_size;
  tam_list_op *ops[LISTINGS_MAX]; // the first |op_count|, in order of start
  size_t op_count;
  double now_ms;  // of the last event: time does not run backwards
  double host_ms; // the same by the host's clock, which may step back
};

// ---------------------------------------------------------------------------
// Life

static int manager_init(tam_manager *manager, tam_span hub_url,
                        tam_span mirrors) {
  tam_action_queue_init(&manager->queue, &manager->mem);
  tam_buf_init(&manager->hub_url, &manager->mem, TAM_ENDPOINT_MAX);
  tam_buf_append(&manager->hub_url, hub_url);
  tam_buf_init(&manager->mirrors, &manager->mem, TAM_MIRRORS_MAX);
  tam_buf_append(&manager->mirrors, mirrors);
  tam_pieces_init(&manager->pieces, &manager->queue, &manager->mem);
  tam_panels_init(&manager->panels, &manager->queue);
  if (manager->hub_url.error != 0 || manager->mirrors.error != 0) {
    return TAM_ERR_OUT_OF_MEMORY; // their lengths have been checked
  }
  int error = tam_net_new(&manager->net, &manager->queue, &manager->random,
                          &manager->mem);
  manager->host = (tam_list_host){&manager->mem,
                                  &manager->queue,
                                  manager->net,
                                  &manager->random,
                                  tam_buf_span(&manager->hub_url),
                                  &manager->token};
  if (error == 0) {
    tam_store_host host = {&manager->mem,
                           &manager->queue,
                           manager->net,
                           &manager->random,
                           tam_buf_span(&manager->hub_url),
                           tam_buf_span(&manager->mirrors),
                           &manager->token};
    error = tam_store_new(&manager->store, &host);
  }
  if (error == 0) {
    tam_chat_host host = {&manager->mem, &manager->queue, &manager->random};
    error = tam_chat_new(&manager->chat, &host);
  }
  if (error == 0) {
    tam_account_host host = {&manager->mem, &manager->queue, manager->net,
                             &manager->token, tam_buf_span(&manager->hub_url)};
    error = tam_account_new(&manager->account, &host);
  }
  if (error == 0) {
    tam_journal_host host = {&manager->mem, &manager->queue, manager->store,
                             manager->chat};
    error = tam_journal_new(&manager->journal, &host);
  }
  return error;
}

int tam_manager_new(tam_manager **pmanager, const tam_config *config,
                    const tam_mem *mem) {
  size_t end = tam_span_find_byte(config->hub_url, '\n');
  tam_span hub_url = tam_span_head(config->hub_url, end);
  tam_span mirrors = tam_span_from(config->hub_url, end + 1);
  while (hub_url.len > 0 && hub_url.ptr[hub_url.len - 1] == '/') {
    hub_url.len--;
  }
  if (!tam_endpoint_is_valid(hub_url) ||
      (end < config->hub_url.len && !tam_mirrors_are_valid(mirrors))) {
    return TAM_ERR_INVALID_ARGUMENT;
  }
  tam_manager *manager = tam_mem_calloc(mem, 1, sizeof(*manager));
  if (manager == NULL) {
    return TAM_ERR_OUT_OF_MEMORY;
  }
  manager->mem = *mem;
  tam_random_init(&manager->random, config->seed);
  int error = manager_init(manager, hub_url, mirrors);
  if (error != 0) {
    tam_manager_del(manager);
    return error;
  }
  *pmanager = manager;
  return 0;
}

void tam_manager_del(tam_manager *manager) {
  if (manager == NULL) {
    return;
  }
  const tam_mem *mem = &manager->mem; // read before it is freed
  for (size_t i = 0; i < manager->op_count; i++) {
    tam_list_op_del(manager->ops[i]);
  }
  tam_journal_del(manager->journal);
  tam_pieces_end(&manager->pieces);
  tam_store_del(manager->store);
  tam_chat_del(manager->chat);
  tam_account_del(manager->account);
  tam_action_queue_free(&manager->queue);
  tam_net_del(manager->net);
  tam_buf_free(&manager->hub_url);
  tam_buf_free(&manager->mirrors);
  tam_mem_free(mem, manager->in_buf);
  tam_mem_free(mem, manager);
}

uint8_t *tam_manager_in_buf(tam_manager *manager, size_t len) {
  if (len > TAM_EVENT_RUNTIME_PAYLOAD_MAX) {
    return NULL;
  }
  size_t size = len > TAM_EVENT_PAYLOAD_MAX ? len : TAM_EVENT_PAYLOAD_MAX;
  if (manager->in_buf_size < size) {
    tam_mem_free(&manager->mem, manager->in_buf); // what is in it is used
    manager->in_buf = tam_mem_malloc(&manager->mem, size);
    manager->in_buf_size = manager->in_buf == NULL ? 0 : size;
  }
  return manager->in_buf;
}

// ---------------------------------------------------------------------------
// Operations

static tam_list_op *manager_find_op(const tam_manager *manager, uint32_t op) {
  for (size_t i = 0; i < manager->op_count; i++) {
    if (tam_list_op_number(manager->ops[i]) == op) {
      return manager->ops[i];
    }
  }
  return NULL;
}

// Finds the operation that the caller knows as |id|; null names none.
static tam_list_op *manager_find_id(const tam_manager *manager, tam_span id) {
  if (tam_span_eq(id, TAM_SPAN("null"))) {
    return NULL;
  }
  for (size_t i = 0; i < manager->op_count; i++) {
    if (!tam_list_op_is_ended(manager->ops[i]) &&
        tam_span_eq(tam_list_op_id(manager->ops[i]), id)) {
      return manager->ops[i];
    }
  }
  return NULL;
}

static void manager_reap(tam_manager *manager) {
  size_t kept = 0;
  for (size_t i = 0; i < manager->op_count; i++) {
    tam_list_op *op = manager->ops[i];
    if (tam_list_op_is_ended(op)) {
      tam_list_op_del(op);
    } else {
      manager->ops[kept++] = op;
    }
  }
  manager->op_count = kept;
}

static void manager_report(tam_manager *manager, const tam_net_report *report) {
  tam_list_op *op = manager_find_op(manager, report->op);
  if (op != NULL) {
    tam_list_op_on_report(op, report, manager->now_ms);
  } else if (tam_account_has_op(manager->account, report->op)) {
    tam_account_on_net(manager->account, report, manager->now_ms);
  } else {
    tam_store_on_net(manager->store, report, manager->now_ms);
  }
}

static void manager_advance_once(tam_manager *manager) {
  tam_net_report report;
  tam_net_advance(manager->net, manager->now_ms, &report);
  while (report.kind != TAM_NET_NOTHING) {
    manager_report(manager, &report);
    tam_net_advance(manager->net, manager->now_ms, &report);
  }
  for (size_t i = 0; i < manager->op_count; i++) {
    tam_list_op_advance(manager->ops[i], manager->now_ms);
  }
  manager_reap(manager);
  tam_store_advance(manager->store, manager->now_ms);
  tam_chat_advance(manager->chat, manager->now_ms);
  tam_journal_advance(manager->journal, manager->now_ms);
}

// Releases the model that nobody needs any more; panels hear of it as far as
// memory goes.
static void manager_advance_panels(tam_manager *manager) {
  int is_loaded = tam_chat_get_facts(manager->chat).state == TAM_CHAT_READY;
  tam_buf json;
  if (tam_panels_advance(&manager->panels, tam_manager_busy(manager) > 0,
                         is_loaded, manager->now_ms)) {
    tam_chat_unload(manager->chat);
    tam_buf_init(&json, &manager->mem, REPLY_MAX);
    tam_event_begin(&json, TAM_NAME_WORKER_RESET_COMPLETE);
    (void)tam_event_send(&manager->queue, 0, &json);
  }
}

// Lets time and limits have their effect until nothing more happens: requests
// that operations ask for in their turn start in this one.
static void manager_advance(tam_manager *manager) {
  double net_ms;
  do {
    manager_advance_once(manager);
    net_ms = tam_net_deadline(manager->net);
  } while (net_ms >= 0 && net_ms <= manager->now_ms);
  manager_advance_panels(manager);
}

// ---------------------------------------------------------------------------
// Commands

typedef struct host_command {
  uint32_t op;
  uint32_t flags; // TAM_COMMAND_FLAG_*
  const tam_message *message;
  tam_journal_start start; // with what it begins, of a job that goes on
} host_command;

// Begins the answer to a |message| that starts no operation.
static void answer_begin(tam_buf *json, const tam_message *message,
                         const char *type) {
  const tam_envelope *envelope = &message->envelope;
  if (envelope->is_panel) {
    tam_json_write_object_begin(json);
    tam_json_write_key(json, "success");
    tam_json_write_bool(json, 0);
    return;
  }
  tam_span name = envelope->is_type_style || message->name_text.len == 0
                      ? tam_span_of(type)
                      : message->name_text;
  tam_answer_open(json, envelope, tam_span_head_utf8(name, NAME_MAX));
}

static int manager_answer(tam_manager *manager, uint32_t op, tam_buf *json) {
  tam_json_write_object_end(json);
  int error = tam_action_queue_put(&manager->queue, TAM_ACTION_MESSAGE, op,
                                   TAM_MESSAGE_FLAG_TERMINAL, json);
  tam_buf_free(json);
  return error;
}

// Answers a message that is no request: unknown, malformed, not JSON.
static int manager_reject(tam_manager *manager, uint32_t op,
                          const tam_message *message, int error,
                          const char *why) {
  tam_failure failure = {
      .error = error, .stage = "protocol", .message = tam_span_of(why)};
  tam_buf json;
  tam_buf_init(&json, &manager->mem, REPLY_MAX);
  answer_begin(&json, message, "error");
  tam_answer_write_error(&json, &message->envelope, &failure);
  return manager_answer(manager, op, &json);
}

// The answer is queued first, so that a command for which there is no memory
// cancels nothing; but it is heard behind the end of what it cancels.
static int manager_cancel_by_id(tam_manager *manager,
                                const host_command *command) {
  const tam_envelope *envelope = &command->message->envelope;
  tam_list_op *op = manager_find_id(manager, envelope->id);
  tam_buf json;
  tam_buf_init(&json, &manager->mem, REPLY_MAX);
  answer_begin(&json, command->message, "response");
  if (envelope->is_type_style) {
    tam_json_write_member_begin(&json, "result");
  }
  tam_json_write_key(&json, "cancelled");
  tam_json_write_bool(&json, op != NULL);
  if (envelope->is_type_style) {
    tam_json_write_object_end(&json);
  }
  int error = manager_answer(manager, command->op, &json);
  if (error == 0 && op != NULL) {
    tam_action_node *answer = manager->queue.last;
    tam_action_queue_remove(&manager->queue, answer);
    tam_list_op_cancel(op, manager->now_ms);
    tam_action_queue_push(&manager->queue, answer);
  }
  return error;
}

static int manager_start_listing(tam_manager *manager,
                                 const tam_list_request *request) {
  if (manager->op_count == LISTINGS_MAX) {
    tam_list_params_free(request->params);
    return tam_list_refuse(&manager->host, request, TAM_ERR_BUSY,
                           TAM_SPAN("too many listings run"), manager->now_ms);
  }
  tam_list_op *op = NULL;
  int error = tam_list_op_new(&op, &manager->host, request, manager->now_ms);
  if (error == 0) {
    manager->ops[manager->op_count++] = op;
  }
  return error;
}

static int manager_list_chat_models(tam_manager *manager,
                                    const host_command *command) {
  const tam_message *message = command->message;
  tam_list_params params;
  tam_buf why;
  tam_buf_init(&why, &manager->mem, WHY_MAX);
  tam_list_request request = {
      .op = command->op,
      .envelope = message->envelope,
      .flags = command->flags,
      .params = &params,
  };
  request.envelope.first_seq = command->start.first_seq;
  int error =
      tam_list_params_parse(&params, message->params,
                            message->params_are_nested, &why, &manager->mem);
  if (error == 0 && manager_find_id(manager, request.envelope.id) != NULL) {
    tam_buf_append_text(&why, "id is in use by a running listing");
    error = TAM_ERR_INVALID_PARAMS;
  }
  if (error == 0) {
    error = manager_start_listing(manager, &request);
  } else {
    tam_list_params_free(&params);
  }
  if (error == TAM_ERR_TOO_LARGE) {
    tam_buf_append_text(&why, "query and cursor are too long together for "
                              "one address");
    error = TAM_ERR_INVALID_PARAMS;
  }
  if (error == TAM_ERR_INVALID_PARAMS) {
    error = tam_list_refuse(&manager->host, &request, error, tam_buf_span(&why),
                            manager->now_ms);
  }
  tam_buf_free(&why);
  return error;
}

static int manager_start_store(tam_manager *manager,
                               const host_command *command) {
  const tam_message *message = command->message;
  tam_store_request request = {
      command->op,     message->envelope,          command->flags,
      message->params, message->params_are_nested, command->start.is_paused};
  request.envelope.first_seq = command->start.first_seq;
  return tam_store_start(manager->store, message->verb, &request,
                         manager->now_ms);
}

static int manager_start_chat(tam_manager *manager,
                              const host_command *command) {
  const tam_message *message = command->message;
  tam_chat_request request = {
      .op = command->op,
      .envelope = message->envelope,
      .flags = command->flags,
      .params = message->params,
      .params_are_nested = message->params_are_nested,
      .text = message->params_text,
      .chat = message->chat,
      .defaults = message->envelope.is_panel ? TAM_SPAN(TAM_PANEL_DEFAULTS)
                                             : TAM_SPAN_NONE,
      .saved_head = command->start.head,
      .saved_rest = command->start.rest,
  };
  request.envelope.first_seq = command->start.first_seq;
  return tam_chat_start(manager->chat, message->chat_verb, &request,
                        manager->now_ms);
}

static int manager_start_account(tam_manager *manager,
                                 const host_command *command) {
  const tam_message *message = command->message;
  tam_account_request request = {command->op, message->envelope,
                                 message->params, message->params_are_nested};
  return tam_account_start(manager->account, message->account_verb, &request,
                           manager->now_ms);
}

static int manager_answer_panel(tam_manager *manager,
                                const host_command *command) {
  const tam_panel_host host = {&manager->mem, &manager->queue, manager->chat,
                               &manager->panels, manager->now_ms};
  return tam_panel_answer(&host, command->message, command->op, command->flags);
}

static int manager_dispatch(tam_manager *manager, const host_command *command) {
  switch (command->message->name) {
  case TAM_REQUEST_LIST_CHAT_MODELS:
    return manager_list_chat_models(manager, command);
  case TAM_REQUEST_CANCEL_LIST_CHAT_MODELS:
    return manager_cancel_by_id(manager, command);
  case TAM_REQUEST_STORE:
    return manager_start_store(manager, command);
  case TAM_REQUEST_CHAT:
    return manager_start_chat(manager, command);
  case TAM_REQUEST_ACCOUNT:
    return manager_start_account(manager, command);
  case TAM_REQUEST_PANEL:
    return manager_answer_panel(manager, command);
  case TAM_REQUEST_FOREIGN:
    return TAM_ERR_NOT_OURS;
  case TAM_REQUEST_RESUME_JOBS:
    return tam_journal_list(manager->journal, command->op,
                            &command->message->envelope, manager->now_ms);
  default:
    return manager_reject(manager, command->op, command->message,
                          TAM_ERR_UNKNOWN_MESSAGE,
                          "no request of this name is known");
  }
}

// Does what |text| asks for.
static int manager_do(tam_manager *manager, const tam_event *event,
                      tam_span text) {
  tam_message message;
  const char *why;
  int error = tam_message_parse(&message, text, &why, &manager->mem);
  if (error == 0) {
    host_command command = {event->op, event->flags, &message, {0}};
    const tam_job_host host = {&manager->mem,    &manager->queue,
                               manager->journal, manager->store,
                               manager->chat,    manager->now_ms};
    int is_listed = manager_find_id(manager, message.envelope.id) != NULL;
    error =
        tam_job_begin(&host, &message, event, text, is_listed, &command.start);
    if (error == 0) {
      error = manager_dispatch(manager, &command);
    } else if (error > 0) {
      error = 0;
    }
    if (error != 0) {
      tam_journal_forget(manager->journal, event->op);
    }
  } else if (!tam_error_is_fatal(error)) {
    error = manager_reject(manager, event->op, &message, error, why);
  }
  tam_message_free(&message, &manager->mem);
  return error;
}

// Takes a piece of a message; the last one makes it a request.
static int manager_on_piece(tam_manager *manager, const tam_event *event) {
  tam_pieces *pieces = &manager->pieces;
  int result = tam_pieces_take(pieces, event, manager->now_ms);
  if (result <= 0) {
    return result;
  }
  int error = manager_do(manager, event, tam_pieces_text(pieces));
  if (error == TAM_ERR_OUT_OF_MEMORY) {
    tam_pieces_fail(pieces, error, manager->now_ms);
    return 0;
  }
  tam_pieces_end(pieces);
  return error;
}

static int manager_on_command(tam_manager *manager, const tam_event *event) {
  if (event->op == 0 || manager_find_op(manager, event->op) != NULL ||
      tam_store_has_op(manager->store, event->op) ||
      tam_chat_has_op(manager->chat, event->op) ||
      tam_account_has_op(manager->account, event->op) ||
      tam_journal_has_op(manager->journal, event->op)) {
    return TAM_ERR_INVALID_ARGUMENT;
  }
  if (manager->pieces.op != 0 && manager->pieces.op != event->op) {
    return TAM_ERR_INVALID_STATE;
  }
  int is_piece =
      manager->pieces.op != 0 || (event->flags & TAM_COMMAND_FLAG_MORE) != 0;
  int error = is_piece ? manager_on_piece(manager, event)
                       : manager_do(manager, event, event->payload);
  if (manager->in_buf != NULL) { // the message may have had a token in it
    memset(manager->in_buf, 0, TAM_EVENT_PAYLOAD_MAX);
  }
  return error;
}

// ---------------------------------------------------------------------------
// Events

static int manager_on_http(tam_manager *manager, const tam_event *event) {
  tam_net_report report;
  int error = tam_net_feed(manager->net, event, manager->now_ms, &report);
  if (error == 0 && report.kind != TAM_NET_NOTHING) {
    manager_report(manager, &report);
  }
  return error;
}

static int manager_on_op_event(tam_manager *manager, const tam_event *event) {
  if (event->kind == TAM_EVENT_CANCEL &&
      tam_account_has_op(manager->account, event->op)) {
    tam_account_cancel(manager->account, manager->now_ms);
    return 0;
  }
  tam_list_op *op = manager_find_op(manager, event->op);
  if (tam_journal_has_op(manager->journal, event->op)) {
    if (event->kind != TAM_EVENT_CANCEL) {
      return TAM_ERR_INVALID_STATE;
    }
    tam_journal_cancel(manager->journal, event->op, manager->now_ms);
    return 0;
  }
  if (event->kind == TAM_EVENT_CANCEL && event->op != 0 &&
      event->op == manager->pieces.op) {
    tam_pieces_fail(&manager->pieces, TAM_ERR_CANCELLED, manager->now_ms);
    return 0;
  }
  if (op == NULL) {
    return tam_chat_has_op(manager->chat, event->op)
               ? tam_chat_feed(manager->chat, event, manager->now_ms)
               : tam_store_feed(manager->store, event, manager->now_ms);
  }
  switch (event->kind) {
  case TAM_EVENT_LISTING_DATA:
    return tam_list_op_feed_rows(op, event->payload, manager->now_ms);
  case TAM_EVENT_LISTING_END:
    return tam_list_op_end_rows(op, manager->now_ms);
  default:
    tam_list_op_cancel(op, manager->now_ms);
    return 0;
  }
}

static int manager_on_event(tam_manager *manager, const tam_event *event) {
  switch (event->kind) {
  case TAM_EVENT_COMMAND:
    return manager_on_command(manager, event);
  case TAM_EVENT_HTTP_HEAD:
  case TAM_EVENT_HTTP_DATA:
  case TAM_EVENT_HTTP_END:
  case TAM_EVENT_HTTP_FAIL:
  case TAM_EVENT_HTTP_KEPT:
    return manager_on_http(manager, event);
  case TAM_EVENT_STORE_KEY:
  case TAM_EVENT_STORE_DATA:
  case TAM_EVENT_STORE_END:
  case TAM_EVENT_STORE_FAIL:
    return event->request > TAM_STORAGE_ID_MAX
               ? tam_journal_feed(manager->journal, event, manager->now_ms)
               : tam_store_feed(manager->store, event, manager->now_ms);
  case TAM_EVENT_PULL:
    return tam_store_feed(manager->store, event, manager->now_ms);
  case TAM_EVENT_RUNTIME_DATA:
  case TAM_EVENT_RUNTIME_END:
  case TAM_EVENT_RUNTIME_FAIL:
  case TAM_EVENT_RUNTIME_PROGRESS:
    return tam_chat_feed(manager->chat, event, manager->now_ms);
  case TAM_EVENT_LISTING_DATA:
  case TAM_EVENT_LISTING_END:
  case TAM_EVENT_CANCEL:
    return manager_on_op_event(manager, event);
  case TAM_EVENT_TIMER:
    return 0;
  default:
    return TAM_ERR_INVALID_ARGUMENT;
  }
}

// Returns the time at |host_ms| by the host's clock. When that clock has
// stepped back, or tells no time at all, none has passed.
static double manager_time(const tam_manager *manager, double host_ms) {
  double passed_ms = isfinite(host_ms) ? host_ms - manager->host_ms : 0;
  return passed_ms > 0 ? manager->now_ms + passed_ms : manager->now_ms;
}

int tam_manager_feed(tam_manager *manager, const tam_event *event,
                     double now_ms) {
  size_t len_max = event->kind >= TAM_EVENT_RUNTIME_DATA
                       ? TAM_EVENT_RUNTIME_PAYLOAD_MAX
                       : TAM_EVENT_PAYLOAD_MAX;
  if (event->payload.len > len_max) {
    return TAM_ERR_INVALID_ARGUMENT;
  }
  manager->now_ms = manager_time(manager, now_ms);
  if (isfinite(now_ms)) {
    manager->host_ms = now_ms;
  }
  int error = manager_on_event(manager, event);
  if (error == 0) {
    manager_advance(manager);
  }
  return error;
}

const tam_action *tam_manager_next(tam_manager *manager) {
  return tam_journal_next(manager->journal);
}

// The earlier of two times, of which -1 is none.
static double sooner(double a_ms, double b_ms) {
  return a_ms < 0 || (b_ms >= 0 && b_ms < a_ms) ? b_ms : a_ms;
}

double tam_manager_deadline(const tam_manager *manager, double now_ms) {
  double at_ms = tam_net_deadline(manager->net);
  at_ms = sooner(at_ms, tam_store_deadline(manager->store));
  at_ms = sooner(at_ms, tam_chat_deadline(manager->chat));
  at_ms = sooner(at_ms, tam_journal_deadline(manager->journal));
  at_ms = sooner(at_ms, tam_panels_deadline(&manager->panels));
  for (size_t i = 0; i < manager->op_count; i++) {
    at_ms = sooner(at_ms, tam_list_op_deadline(manager->ops[i]));
  }
  if (at_ms < 0) {
    return -1;
  }
  now_ms = manager_time(manager, now_ms);
  return at_ms > now_ms ? at_ms - now_ms : 0;
}

size_t tam_manager_busy(const tam_manager *manager) {
  return manager->op_count + tam_store_busy(manager->store) +
         tam_chat_busy(manager->chat) + tam_account_busy(manager->account) +
         tam_journal_busy(manager->journal) + (manager->pieces.op != 0);
}
