// SPDX-License-Identifier: Apache-2.0
// Loads a model again that was released because nobody needed it: whoever asks
// need not know that.
#include "chat/broadcast.h"
#include "chat/chat_op.h"
#include "chat/load.h"
#include "chat/model.h"

// The parameters of a load: an id and a dtype, each byte escaped.
#define PARAMS_MAX 8192

void tam_chat_unload(tam_chat *chat) {
  tam_buf *json = &chat->released;
  tam_buf_reset(json);
  tam_json_write_object_begin(json);
  tam_json_write_string_member(json, "modelId",
                               tam_buf_span(&chat->model->asked_id));
  tam_json_write_string_member(json, "dtype",
                               tam_chat_model_said_dtype(chat->model));
  tam_json_write_object_end(json);
  if (json->error != 0) { // then it does not come back by itself
    tam_buf_reset(json);
  }
  tam_chat_model_del(chat->model, chat);
  chat->model = NULL;
}

static int reload_start(tam_chat_op *op) {
  tam_chat *chat = op->chat;
  tam_json_node *params = NULL;
  if (chat->model != NULL || chat->released.len == 0) {
    while (op->phase[1] != &tam_chat_saved_phase) {
      op->phase++;
    }
    return TAM_CHAT_NEXT;
  }
  int error = tam_json_tree_parse(&params, tam_buf_span(&chat->released),
                                  chat->host.mem);
  if (error == 0) {
    const tam_chat_request request = {.params = params};
    error = tam_chat_load_prepare(op, &request);
  }
  tam_json_tree_free(params, chat->host.mem);
  return error != 0 ? error : TAM_CHAT_NEXT;
}

const tam_chat_phase tam_chat_reload_phase = {
    .stage = "reload",
    .start = reload_start,
};

static int reloaded_start(tam_chat_op *op) {
  int error = tam_broadcast_ready(op);
  tam_chat_load_del(op->load, op->chat);
  op->load = NULL;
  return error != 0 ? error : TAM_CHAT_NEXT;
}

const tam_chat_phase tam_chat_reloaded_phase = {
    .stage = "reload",
    .start = reloaded_start,
};
