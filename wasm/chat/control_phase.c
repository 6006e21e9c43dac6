// SPDX-License-Identifier: Apache-2.0
// Stop, reset, clearCache and state.
#include "chat/broadcast.h"
#include "chat/chat_op.h"
#include "chat/load.h"
#include "chat/model.h"
#include "core/names.h"

// Answers end with the text so far. When |op| is a reset, loads end as well.
static int stop_start(tam_chat_op *op) {
  tam_chat_stop_all(op->chat, op, op->verb->takes_turn);
  return TAM_CHAT_NEXT;
}

const tam_chat_phase tam_chat_stop_phase = {
    .stage = "stop",
    .start = stop_start,
};

static int reset_start(tam_chat_op *op) {
  tam_chat *chat = op->chat;
  int is_any = chat->model != NULL || chat->released.len > 0;
  tam_chat_model_del(chat->model, chat);
  chat->model = NULL;
  tam_buf_reset(&chat->released); // it shall not come back
  int error = is_any ? tam_broadcast_remember(op, TAM_REMEMBER_GONE) : 0;
  return error != 0 ? error : TAM_CHAT_NEXT;
}

const tam_chat_phase tam_chat_reset_phase = {
    .stage = "reset",
    .start = reset_start,
};

// Its turn has come, so what ran before has ended, and no answer loses its
// cache.
static int clear_cache_start(tam_chat_op *op) {
  tam_chat *chat = op->chat;
  if (chat->model != NULL) {
    tam_chat_model_drop_cache(chat->model, chat);
  }
  return TAM_CHAT_NEXT;
}

const tam_chat_phase tam_chat_clear_cache_phase = {
    .stage = "clearCache",
    .start = clear_cache_start,
};

static int state_start(tam_chat_op *op) {
  (void)op;
  return TAM_CHAT_NEXT;
}

const tam_chat_phase tam_chat_state_phase = {
    .stage = "state",
    .start = state_start,
};

// Returns the operation that has the turn, or NULL.
static const tam_chat_op *at_work(const tam_chat *chat) {
  const tam_chat_op *op = chat->first;
  while (op != NULL && (op->is_ended || !op->verb->takes_turn)) {
    op = op->next;
  }
  return op;
}

tam_chat_facts tam_chat_get_facts(const tam_chat *chat) {
  const tam_chat_op *busy = at_work(chat);
  const tam_chat_model *model = chat->model;
  tam_chat_facts facts = {TAM_CHAT_UNLOADED, TAM_SPAN_NONE, TAM_SPAN_NONE};
  if (busy != NULL && busy->load != NULL && busy->load->model != NULL) {
    facts.state = TAM_CHAT_LOADING;
    facts.model = tam_buf_span(&busy->load->asked_id);
    facts.dtype = tam_buf_span(&busy->load->model->asked_dtype);
  } else if (model != NULL) {
    facts.state = busy != NULL && busy->answer != NULL ? TAM_CHAT_GENERATING
                                                       : TAM_CHAT_READY;
    facts.model = tam_buf_span(&model->asked_id);
    facts.dtype = tam_chat_model_said_dtype(model);
  }
  return facts;
}

void tam_chat_write_state(tam_chat_op *op, tam_buf *json) {
  const tam_chat *chat = op->chat;
  const tam_chat_model *model = chat->model;
  const tam_chat_op *busy = at_work(chat);
  tam_json_write_name_member(json, "state",
                             tam_names_at("unloaded\0"
                                          "loading\0"
                                          "ready\0"
                                          "generating\0",
                                          tam_chat_get_facts(chat).state));
  tam_span none = TAM_SPAN_NONE;
  tam_json_write_known_member(json, "modelId",
                              model == NULL ? none : tam_buf_span(&model->id));
  tam_json_write_known_member(
      json, "dtype", model == NULL ? none : tam_buf_span(&model->dtype));
  tam_json_write_known_member(json, "executionProvider",
                              model == NULL ? none
                                            : tam_buf_span(&model->provider));
  tam_json_write_key(json, "busy");
  tam_json_write_bool(json, busy != NULL);
}
