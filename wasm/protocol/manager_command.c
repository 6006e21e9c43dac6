// SPDX-License-Identifier: Apache-2.0
// Requests: each is read, handed to whom it concerns, or answered.
#include "core/event.h"
#include "core/json_scan.h"
#include "core/json_write.h"
#include "core/mem.h"
#include "protocol/job_command.h"
#include "protocol/manager_state.h"
#include "protocol/message.h"
#include "protocol/panel.h"

#include <string.h>

// A sentence about a parameter, and a reply of the manager itself.
#define WHY_MAX   2048
#define NAME_MAX  1024 // of the name of a request that is quoted
#define REPLY_MAX 4096

// What waits for a login has of its message what may need escapes.
#define WAITING_MAX (TAM_JSON_TREE_LEN_MAX * TAM_JSON_ESCAPE_RATIO)

typedef struct host_command {
  uint32_t op;
  uint32_t flags; // TAM_COMMAND_FLAG_*
  const tam_message *message;
  tam_journal_start start; // with what it begins, of a job that goes on
} host_command;

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

// ---------------------------------------------------------------------------
// Answers of the manager itself

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

// ---------------------------------------------------------------------------
// Starting operations

static int manager_start_listing(tam_manager *manager,
                                 const tam_list_request *request) {
  if (manager->op_count == TAM_LISTINGS_MAX) {
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
  tam_buf then;
  tam_buf_init(&then, &manager->mem, WAITING_MAX);
  if (message->account_verb == TAM_ACCOUNT_LOGIN) {
    tam_panel_write_waiting(message, &then);
  }
  tam_account_request request = {command->op, message->envelope,
                                 message->params, message->params_are_nested,
                                 tam_buf_span(&then)};
  int error = then.error != 0
                  ? then.error
                  : tam_account_start(manager->account, message->account_verb,
                                      &request, manager->now_ms);
  tam_buf_free(&then);
  return error;
}

static int manager_answer_panel(tam_manager *manager,
                                const host_command *command) {
  const tam_panel_host host = {&manager->mem, &manager->queue, manager->chat,
                               &manager->panels, manager->now_ms};
  return tam_panel_answer(&host, command->message, command->op, command->flags);
}

// ---------------------------------------------------------------------------
// Who does what

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

int tam_manager_on_command(tam_manager *manager, const tam_event *event) {
  if (event->op == 0 || tam_manager_find_op(manager, event->op) != NULL ||
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
