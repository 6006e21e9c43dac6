// SPDX-License-Identifier: Apache-2.0
// Loads a model again that was released because nobody needed it, or that went
// with the program: whoever asks need not know that.
#include "chat/broadcast.h"
#include "chat/chat_op.h"
#include "chat/load.h"
#include "chat/model.h"
#include "core/repo_id.h"

static void write_load(const tam_chat_wanted *wanted, tam_buf *json) {
  tam_json_write_object_begin(json);
  tam_json_write_string_member(json, "modelId", wanted->model);
  tam_json_write_string_member(json, "dtype", wanted->dtype);
  if (wanted->revision.len > 0) {
    tam_json_write_string_member(json, "revision", wanted->revision);
  }
  tam_json_write_object_end(json);
}

static tam_chat_wanted wanted_of(const tam_chat_model *model) {
  return (tam_chat_wanted){
      .model = tam_buf_span(&model->asked_id),
      .dtype = tam_chat_model_said_dtype(model),
      .revision = tam_buf_span(&model->revision),
  };
}

void tam_chat_write_wanted(const tam_chat *chat, tam_buf *json) {
  if (chat->model != NULL) {
    tam_chat_wanted wanted = wanted_of(chat->model);
    write_load(&wanted, json);
  } else if (chat->released.len > 0) {
    tam_json_write_raw(json, tam_buf_span(&chat->released));
  } else {
    tam_json_write_null(json);
  }
}

static void set_released(tam_chat *chat, const tam_chat_wanted *wanted) {
  tam_buf *json = &chat->released;
  tam_buf_reset(json);
  write_load(wanted, json);
  if (json->error != 0) { // then it does not come back by itself
    tam_buf_reset(json);
  }
}

void tam_chat_unload(tam_chat *chat) {
  tam_chat_wanted wanted = wanted_of(chat->model);
  set_released(chat, &wanted);
  tam_chat_model_del(chat->model, chat);
  chat->model = NULL;
}

void tam_chat_expect(tam_chat *chat, const tam_chat_wanted *wanted) {
  if (chat->model == NULL && tam_chat_busy(chat) == 0 &&
      tam_repo_id_is_valid(wanted->model)) {
    set_released(chat, wanted);
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
