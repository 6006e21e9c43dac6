// SPDX-License-Identifier: Apache-2.0
#include "chat/broadcast.h"

#include "chat/answer.h"
#include "chat/load.h"
#include "core/event.h"
#include "core/event_names.h"

// Begins a message for all, up to the inside of its payload. Returns 0 when
// nobody listens.
static int begin(tam_chat_op *op, const char *type, tam_buf *json) {
  if (!op->is_broadcast) {
    return 0;
  }
  tam_buf_init(json, op->chat->host.mem, TAM_SPEAKER_MESSAGE_MAX);
  tam_event_begin(json, type);
  tam_json_write_member_begin(json, "payload");
  return 1;
}

static int send(tam_chat_op *op, tam_buf *json) {
  tam_json_write_object_end(json);
  return tam_event_send(op->chat->host.queue, 0, json);
}

// The same for a part of an answer, or with TERMINAL for its end: the journal
// looks whose it is, and takes both from it.
static int send_part(tam_chat_op *op, uint32_t flags, tam_buf *json) {
  int error = send(op, json);
  if (error == 0) {
    tam_action *action = &op->chat->host.queue->last->action;
    action->request = op->speaker.op;
    action->flags = flags;
  }
  return error;
}

int tam_broadcast_event(tam_chat_op *op) {
  tam_buf json;
  if (!op->is_broadcast) {
    return 0;
  }
  tam_buf_init(&json, op->chat->host.mem, TAM_SPEAKER_MESSAGE_MAX);
  tam_event_begin(&json, op->verb->event);
  return tam_event_send(op->chat->host.queue, 0, &json);
}

static void write_load(const tam_chat_op *op, tam_buf *json) {
  const tam_chat_load *load = op->load;
  tam_json_write_string_member(json, "modelId", tam_buf_span(&load->asked_id));
  if (load->load_id.len > 0) {
    tam_json_write_string_member(json, "loadId", tam_buf_span(&load->load_id));
  }
}

int tam_broadcast_loading(tam_chat_op *op, const char *status, tam_span file,
                          double loaded, double total) {
  tam_buf json;
  if (!begin(op, TAM_NAME_UI_MODEL_WORKER_LOADING_PROGRESS, &json)) {
    return 0;
  }
  tam_json_write_name_member(&json, "status", status);
  tam_json_write_number_member(&json, "progress", op->load->progress);
  tam_json_write_string_member(&json, "file", file);
  if (total > 0) {
    tam_json_write_number_member(&json, "loaded", loaded);
    tam_json_write_number_member(&json, "total", total);
  }
  write_load(op, &json);
  return send(op, &json);
}

// TabAgent's record of a model, with the time under |when|.
static void write_record(const tam_chat_op *op, const char *key, tam_span dtype,
                         const char *when, tam_buf *json) {
  tam_json_write_member_begin(json, key);
  tam_json_write_string_member(json, "repoId",
                               tam_buf_span(&op->load->asked_id));
  tam_json_write_string_member(json, "quantPath", dtype);
  tam_json_write_number_member(json, when, op->chat->now_ms);
  tam_json_write_object_end(json);
}

int tam_broadcast_remember(tam_chat_op *op, tam_remember what) {
  tam_buf json;
  if (!begin(op, TAM_NAME_HOST_REMEMBER, &json)) {
    return 0;
  }
  if (what == TAM_REMEMBER_LOADED) {
    write_record(op, "lastLoadedModel",
                 tam_chat_model_said_dtype(op->chat->model), "loadedAt", &json);
  }
  if (what == TAM_REMEMBER_LOADING) {
    write_record(op, "loading", tam_buf_span(&op->load->model->asked_dtype),
                 "startedAt", &json);
  } else if (what != TAM_REMEMBER_GONE) {
    tam_json_write_key(&json, "loading");
    tam_json_write_null(&json);
  }
  tam_json_write_member_begin(&json, "session");
  tam_json_write_key(&json, "model");
  if (what == TAM_REMEMBER_LOADING) {
    tam_json_write_null(&json);
  } else {
    tam_chat_write_wanted(op->chat, &json);
  }
  tam_json_write_object_end(&json);
  return send(op, &json);
}

int tam_broadcast_ready(tam_chat_op *op) {
  const tam_chat_model *model = op->chat->model;
  tam_buf json;
  int error = tam_broadcast_remember(op, TAM_REMEMBER_LOADED);
  if (error != 0 || !begin(op, TAM_NAME_WORKER_WORKER_READY, &json)) {
    return error;
  }
  tam_json_write_string_member(&json, "modelId",
                               tam_buf_span(&op->load->asked_id));
  tam_json_write_string_member(&json, "dtype",
                               tam_chat_model_said_dtype(model));
  tam_json_write_string_member(&json, "task", tam_buf_span(&model->task));
  tam_json_write_string_member(&json, "executionProvider",
                               tam_buf_span(&model->provider));
  if (model->warning.len > 0) {
    tam_json_write_string_member(&json, "warning",
                                 tam_buf_span(&model->warning));
  }
  return send(op, &json);
}

// Writes which answer it is. Old panels look at both ids.
static void write_whose(const tam_chat_answer *answer, tam_buf *json) {
  tam_json_write_known_member(json, "chatId", tam_buf_span(&answer->chat_id));
  tam_json_write_known_member(json, "messageId",
                              tam_buf_span(&answer->message_id));
}

static void write_rate(const tam_chat_answer *answer, tam_buf *json) {
  tam_json_write_number_member(json, "numTokens", (double)answer->new_tokens);
  tam_json_write_number_member(json, "tps", tam_answer_rate(answer));
}

// Writes how many tokens there are, and how fast they came.
static void write_count(const tam_chat_answer *answer, tam_buf *json) {
  uint8_t text[64];
  tam_buf count;
  tam_buf_init_fixed(&count, text, sizeof(text));
  tam_text_append_number(&count, (double)answer->new_tokens);
  tam_buf_append_text(&count, " tokens");
  tam_json_write_string_member(json, "message", tam_buf_span(&count));
}

// Returns 0 when nobody listens.
static int write_update(tam_chat_op *op, tam_span text, tam_buf *json) {
  if (!begin(op, TAM_NAME_WORKER_GENERATION_UPDATE, json)) {
    return 0;
  }
  write_whose(op->answer, json);
  tam_json_write_string_member(json, "token", text);
  write_count(op->answer, json);
  write_rate(op->answer, json);
  return 1;
}

int tam_broadcast_token(tam_chat_op *op, tam_span text) {
  tam_buf json;
  return write_update(op, text, &json) ? send_part(op, 0, &json) : 0;
}

int tam_broadcast_standing(tam_chat_op *op) {
  tam_buf json;
  return write_update(op, TAM_SPAN_NONE, &json) ? send(op, &json) : 0;
}

// Returns 1 when the panel was told that a load has begun.
static int is_loading(const tam_chat_op *op) {
  return op->load != NULL && op->load->said_at_ms > 0;
}

int tam_broadcast_answer(tam_chat_op *op) {
  const tam_chat_answer *answer = op->answer;
  tam_buf json;
  if (is_loading(op)) { // it was stopped before its model was there again
    int error = tam_broadcast_remember(op, TAM_REMEMBER_FAILED);
    if (error != 0) {
      return error;
    }
  }
  if (!begin(op,
             answer->reason == TAM_END_STOPPED
                 ? TAM_NAME_WORKER_GENERATION_STOPPED
                 : TAM_NAME_WORKER_GENERATION_COMPLETE,
             &json)) {
    return 0;
  }
  write_whose(answer, &json);
  tam_json_write_string_member(&json, "generatedText",
                               tam_buf_span(&answer->texts.content));
  tam_json_write_string_member(&json, "output",
                               tam_buf_span(&answer->texts.output));
  write_rate(answer, &json);
  return send_part(op, TAM_MESSAGE_FLAG_TERMINAL, &json);
}

// Returns 1 when the model that a panel wants is for those who are logged in,
// and nobody is. A panel that opens with its last model does not ask for that.
static int wants_login(const tam_chat_op *op, int error) {
  const tam_envelope *envelope = &op->speaker.envelope;
  return error == TAM_ERR_UNAUTHORIZED && op->answer == NULL &&
         envelope->is_panel && envelope->failed.len == 0 &&
         op->chat->host.token->len == 0;
}

// What it says back with the token is what it has heard here.
static void say_login(tam_chat_op *op) {
  const tam_chat_load *load = op->load;
  tam_buf json;
  if (!begin(op, TAM_NAME_UI_SHOW_HUGGINGFACE_LOGIN_DIALOG, &json)) {
    return;
  }
  tam_json_write_known_member(&json, "modelPath",
                              tam_buf_span(&load->model->asked_dtype));
  tam_json_write_known_member(&json, "task", tam_buf_span(&load->model->task));
  write_load(op, &json);
  (void)send(op, &json);
}

// Tells the panel of the failure: its progress bar first, then its state.
static void say_load_failed(tam_chat_op *op, int error) {
  tam_span why = tam_buf_span(&op->why);
  tam_buf json;
  if (is_loading(op)) { // else another one may be
    (void)tam_broadcast_remember(op, TAM_REMEMBER_FAILED);
  }
  if (begin(op, TAM_NAME_UI_MODEL_WORKER_LOADING_PROGRESS, &json)) {
    tam_json_write_name_member(&json, "status", TAM_NAME_LOADING_ERROR);
    tam_json_write_string_member(&json, "file", tam_buf_span(&op->load->dtype));
    write_load(op, &json);
    tam_json_write_string_member(&json, "error", why);
    (void)send(op, &json);
  }
  if (error != TAM_ERR_CANCELLED && begin(op, TAM_NAME_WORKER_ERROR, &json)) {
    tam_json_write_string_member(&json, "error", why);
    tam_json_write_name_member(&json, "code", tam_strerror(error));
    (void)send(op, &json);
  }
  if (wants_login(op, error)) {
    say_login(op);
  }
}

void tam_broadcast_failure(tam_chat_op *op, int error) {
  tam_buf json;
  if (op->load != NULL && (op->answer == NULL || is_loading(op))) {
    say_load_failed(op, error);
  }
  if (op->answer != NULL &&
      begin(op, TAM_NAME_WORKER_GENERATION_ERROR, &json)) {
    write_whose(op->answer, &json);
    tam_json_write_string_member(&json, "error", tam_buf_span(&op->why));
    tam_json_write_name_member(&json, "code", tam_strerror(error));
    (void)send_part(op, TAM_MESSAGE_FLAG_TERMINAL, &json);
  }
}
