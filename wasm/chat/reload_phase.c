// SPDX-License-Identifier: Apache-2.0
// Loads a model again that was released because nobody needed it, or that went
// with the program: whoever asks need not know that.
#include "chat/broadcast.h"
#include "chat/chat_op.h"
#include "chat/load.h"
#include "chat/model.h"
#include "core/repo_id.h"

static void write_load(tam_span model, tam_span dtype, tam_buf *json) {
  tam_json_write_object_begin(json);
  tam_json_write_string_member(json, "modelId", model);
  tam_json_write_string_member(json, "dtype", dtype);
  tam_json_write_object_end(json);
}

void tam_chat_write_wanted(const tam_chat *chat, tam_buf *json) {
  const tam_chat_model *model = chat->model;
  if (model != NULL) {
    write_load(tam_buf_span(&model->asked_id), tam_chat_model_said_dtype(model),
               json);
  } else if (chat->released.len > 0) {
    tam_json_write_raw(json, tam_buf_span(&chat->released));
  } else {
    tam_json_write_null(json);
  }
}

static void set_released(tam_chat *chat, tam_span model, tam_span dtype) {
  tam_buf *json = &chat->released;
  tam_buf_reset(json);
  write_load(model, dtype, json);
  if (json->error != 0) { // then it does not come back by itself
    tam_buf_reset(json);
  }
}

void tam_chat_unload(tam_chat *chat) {
  const tam_chat_model *model = chat->model;
  set_released(chat, tam_buf_span(&model->asked_id),
               tam_chat_model_said_dtype(model));
  tam_chat_model_del(chat->model, chat);
  chat->model = NULL;
}

void tam_chat_expect(tam_chat *chat, tam_span model, tam_span dtype) {
  if (chat->model == NULL && tam_chat_busy(chat) == 0 &&
      tam_repo_id_is_valid(model)) {
    set_released(chat, model, dtype);
  }
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
  tam_buf_reset(&op->chat->released); // it is there
  int error = tam_broadcast_ready(op);
  tam_chat_load_del(op->load, op->chat);
  op->load = NULL;
  return error != 0 ? error : TAM_CHAT_NEXT;
}

const tam_chat_phase tam_chat_reloaded_phase = {
    .stage = "reload",
    .start = reloaded_start,
};
