// SPDX-License-Identifier: Apache-2.0
#include "chat/broadcast.h"

#include "chat/answer.h"
#include "chat/load.h"

// Begins a message for all, up to the inside of its payload. Returns 0 when
// nobody listens.
static int begin(tam_chat_op *op, const char *type, tam_buf *json) {
  if (!op->is_broadcast) {
    return 0;
  }
  tam_buf_init(json, op->chat->host.mem, TAM_SPEAKER_MESSAGE_MAX);
  tam_json_write_object_begin(json);
  tam_json_write_name_member(json, "type", type);
  tam_json_write_number_member(json, "protocolVersion", TAM_PROTOCOL_VERSION);
  tam_json_write_member_begin(json, "payload");
  return 1;
}

static int send(tam_chat_op *op, tam_buf *json) {
  tam_json_write_object_end(json);
  tam_json_write_object_end(json);
  int error = tam_action_queue_put(op->chat->host.queue, TAM_ACTION_MESSAGE, 0,
                                   0, json);
  tam_buf_free(json);
  return error;
}

static void write_load(const tam_chat_op *op, tam_buf *json) {
  const tam_chat_load *load = op->load;
  tam_json_write_string_member(json, "modelId", tam_buf_span(&load->asked_id));
  if (load->load_id.len > 0) {
    tam_json_write_string_member(json, "loadId", tam_buf_span(&load->load_id));
  }
}

int tam_broadcast_loading(tam_chat_op *op, const char *status, double progress,
                          tam_span file) {
  tam_buf json;
  if (!begin(op, "modelWorkerLoadingProgress", &json)) {
    return 0;
  }
  tam_json_write_name_member(&json, "status", status);
  tam_json_write_number_member(&json, "progress", progress);
  tam_json_write_string_member(&json, "file", file);
  write_load(op, &json);
  return send(op, &json);
}

int tam_broadcast_ready(tam_chat_op *op) {
  const tam_chat_model *model = op->chat->model;
  tam_buf json;
  if (!begin(op, "workerReady", &json)) {
    return 0;
  }
  tam_json_write_string_member(&json, "modelId", tam_buf_span(&model->id));
  tam_json_write_string_member(&json, "dtype", tam_buf_span(&model->dtype));
  tam_json_write_string_member(&json, "task", tam_buf_span(&model->task));
  tam_json_write_string_member(&json, "executionProvider",
                               tam_buf_span(&model->provider));
  if (model->warning.len > 0) {
    tam_json_write_string_member(&json, "warning",
                                 tam_buf_span(&model->warning));
  }
  return send(op, &json);
}

// Whose answer it is. An old panel looks at both.
static void write_whose(const tam_chat_answer *answer, tam_buf *json) {
  tam_json_write_known_member(json, "chatId", tam_buf_span(&answer->chat_id));
  tam_json_write_known_member(json, "messageId",
                              tam_buf_span(&answer->message_id));
}

static void write_rate(const tam_chat_answer *answer, tam_buf *json) {
  tam_json_write_number_member(json, "numTokens", (double)answer->new_tokens);
  tam_json_write_number_member(json, "tps", tam_answer_rate(answer));
}

int tam_broadcast_token(tam_chat_op *op, tam_span text) {
  tam_buf json;
  if (!begin(op, "generationUpdate", &json)) {
    return 0;
  }
  write_whose(op->answer, &json);
  tam_json_write_string_member(&json, "token", text);
  write_rate(op->answer, &json);
  return send(op, &json);
}

int tam_broadcast_answer(tam_chat_op *op) {
  const tam_chat_answer *answer = op->answer;
  tam_buf json;
  if (!begin(op,
             answer->reason == TAM_END_STOPPED ? "generationStopped"
                                               : "generationComplete",
             &json)) {
    return 0;
  }
  write_whose(answer, &json);
  tam_json_write_string_member(&json, "generatedText",
                               tam_buf_span(&answer->texts.content));
  tam_json_write_string_member(&json, "output",
                               tam_buf_span(&answer->texts.output));
  write_rate(answer, &json);
  return send(op, &json);
}

void tam_broadcast_failure(tam_chat_op *op) {
  tam_buf json;
  const char *type =
      op->answer == NULL ? "modelWorkerLoadingProgress" : "generationError";
  if ((op->load == NULL && op->answer == NULL) || !begin(op, type, &json)) {
    return;
  }
  if (op->answer == NULL) {
    tam_json_write_name_member(&json, "status", "error");
    write_load(op, &json);
  } else {
    write_whose(op->answer, &json);
  }
  tam_json_write_string_member(&json, "error", tam_buf_span(&op->why));
  (void)send(op, &json);
}
