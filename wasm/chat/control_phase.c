// SPDX-License-Identifier: Apache-2.0
// Stopping, releasing, and telling what is going on.
#include "chat/chat_op.h"
#include "chat/model.h"

// Answers end with what there is of them; |op| resets, so loads end, too.
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
  tam_chat_model_del(chat->model, chat);
  chat->model = NULL;
  return TAM_CHAT_NEXT;
}

const tam_chat_phase tam_chat_reset_phase = {
    .stage = "reset",
    .start = reset_start,
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

void tam_chat_write_state(tam_chat_op *op, tam_buf *json) {
  const tam_chat *chat = op->chat;
  const tam_chat_model *model = chat->model;
  const tam_chat_op *busy = at_work(chat);
  const char *state = busy != NULL && busy->load != NULL     ? "loading"
                      : busy != NULL && busy->answer != NULL ? "generating"
                      : model != NULL                        ? "ready"
                                                             : "unloaded";
  tam_json_write_name_member(json, "state", state);
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
