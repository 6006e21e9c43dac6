// SPDX-License-Identifier: Apache-2.0
// Answers that go on in another life of the program, and what is written down
// of an answer so that it can.
#include "chat/answer.h"
#include "chat/broadcast.h"
#include "chat/load.h"

// The parameters of a load: an id, a dtype, a commit, each byte escaped.
#define MODEL_MAX 8192

// ---------------------------------------------------------------------------
// Going on

// Prepares the load of the model that gave the answer.
static int prepare_load(tam_chat_op *op, tam_span params) {
  tam_json_node *root = NULL;
  const tam_mem *mem = op->chat->host.mem;
  int error = tam_json_tree_parse(&root, params, mem);
  if (error == 0) {
    tam_chat_request request = {.params = root};
    error = tam_chat_load_prepare(op, &request);
  }
  tam_json_tree_free(root, mem);
  return error;
}

int tam_chat_wake_prepare(tam_chat_op *op, const tam_chat_request *request) {
  tam_saved_answer *before = &op->answer->before;
  int error =
      tam_saved_answer_read(before, request->saved_head, request->saved_rest);
  op->speaker.again_seq = before->seq;
  tam_buf_reset(&op->text); // of the chat, which may have come once more
  if (error == 0) {
    tam_buf_append(&op->text, before->text);
    error = op->text.error;
  }
  if (error == 0) {
    error = tam_answer_say_standing(op);
  }
  return error == 0 && before->model.len > 0 ? prepare_load(op, before->model)
                                             : error;
}

// A request that had only waited takes whatever model is loaded when its turn
// comes.
static int has_model(const tam_chat_op *op) {
  return op->load == NULL || tam_chat_load_is_there(op) ||
         (!op->answer->before.has_tokens && op->chat->model != NULL);
}

static int wake_start(tam_chat_op *op) {
  if (op->answer->is_stopping) {
    op->answer->reason = TAM_END_STOPPED;
    return TAM_CHAT_END;
  }
  if (!has_model(op)) {
    return TAM_CHAT_NEXT;
  }
  tam_chat_load_del(op->load, op->chat); // there is nothing to load
  op->load = NULL;
  while (op->phase[1] != &tam_chat_saved_phase) {
    op->phase++;
  }
  return TAM_CHAT_NEXT;
}

const tam_chat_phase tam_chat_wake_phase = {
    .stage = "wake",
    .start = wake_start,
};

// ---------------------------------------------------------------------------
// Writing down

static const tam_chat_op *find_answer(const tam_chat *chat, uint32_t number) {
  const tam_chat_op *op = chat->first;
  while (op != NULL &&
         (op->speaker.op != number || op->is_ended || op->answer == NULL)) {
    op = op->next;
  }
  return op;
}

// Returns 1 when it is known what the decoder begins with.
static int has_prompt(const tam_chat_op *op) {
  return op->answer->decoding != NULL;
}

unsigned tam_chat_saved_stage(const tam_chat *chat, uint32_t number) {
  const tam_chat_op *op = find_answer(chat, number);
  if (op == NULL || !op->has_text) {
    return 0;
  }
  return has_prompt(op) || op->answer->before.has_tokens ? 2 : 1;
}

uint32_t tam_chat_saved_seq(const tam_chat *chat, uint32_t number) {
  const tam_chat_op *op = find_answer(chat, number);
  if (op == NULL) {
    return 0;
  }
  uint32_t before = op->speaker.again_seq; // there were so many
  return op->speaker.seq > before ? op->speaker.seq : before;
}

int tam_chat_has_gone_on(const tam_chat *chat, uint32_t number) {
  const tam_chat_op *op = find_answer(chat, number);
  return op != NULL && op->speaker.seq > op->speaker.again_seq;
}

static void write_model(const tam_chat_op *op, tam_buf *json) {
  const tam_chat_model *model = op->chat->model;
  const tam_saved_answer *before = &op->answer->before;
  if (model == NULL && before->model.len > 0) {
    tam_buf_append(json, before->model);
    return;
  }
  if (model == NULL) { // a released one comes back for it, in any life
    tam_buf_append(json, tam_buf_span(&op->chat->released));
    return;
  }
  tam_json_write_object_begin(json);
  tam_json_write_string_member(json, "modelId", tam_buf_span(&model->id));
  tam_json_write_string_member(json, "dtype", tam_buf_span(&model->dtype));
  tam_json_write_string_member(json, "revision", tam_buf_span(&model->commit));
  tam_json_write_object_end(json);
}

// What the decoder began with, without what it chose before.
static void take_prompt(const tam_chat_answer *answer,
                        tam_saved_answer *saved) {
  size_t at = 0;
  saved->has_tokens = 1;
  saved->has_system = (uint32_t)answer->has_system;
  saved->is_json = (uint32_t)answer->is_json;
  saved->has_tools = (uint32_t)answer->has_tools;
  saved->opened = (uint32_t)answer->opened;
  saved->dropped = (uint32_t)tam_answer_dropped(answer);
  saved->tokens =
      (tam_token_span){tam_answer_ids(&answer->tokens),
                       tam_answer_count(&answer->tokens) - answer->restored};
  saved->source = (tam_token_span){tam_answer_ids(&answer->source),
                                   tam_answer_count(&answer->source)};
  for (size_t i = 0; i < TAM_SETTINGS_SCOPES; i++) {
    saved->settings[i] =
        tam_span_head(tam_span_from(tam_buf_span(&answer->saved_texts), at),
                      answer->saved_len[i]);
    at += answer->saved_len[i];
  }
}

void tam_chat_save_head(const tam_chat *chat, uint32_t number, tam_buf *head) {
  const tam_chat_op *op = find_answer(chat, number);
  tam_saved_answer saved;
  uint8_t text[MODEL_MAX];
  tam_buf model;
  tam_saved_answer_init(&saved, chat->host.mem);
  tam_buf_init_fixed(&model, text, sizeof(text));
  write_model(op, &model);
  saved.model = tam_buf_span(&model);
  for (size_t i = 0; i < sizeof(saved.seed); i++) {
    saved.seed[i] = op->answer->seed[i];
  }
  if (op->answer->before.is_there && !has_prompt(op)) {
    tam_saved_answer_write_head(&op->answer->before, head);
    return;
  }
  if (has_prompt(op)) {
    take_prompt(op->answer, &saved);
  } else {
    saved.text = tam_buf_span(&op->text);
  }
  tam_saved_answer_write_head(&saved, head);
}

// While tokens from before the kill are repeated, they are still the whole
// answer.
static tam_token_span chosen_of(const tam_chat_answer *answer) {
  return answer->repeated < answer->before.chosen.len
             ? answer->before.chosen
             : tam_decoding_sequence(answer->decoding, 0).tokens;
}

void tam_chat_save_rest(const tam_chat *chat, uint32_t number, tam_buf *rest) {
  const tam_chat_op *op = find_answer(chat, number);
  const tam_chat_answer *answer = op->answer;
  tam_saved_answer saved;
  if (answer->before.is_there && !has_prompt(op)) {
    tam_saved_answer_write_rest(&answer->before, rest);
    return;
  }
  tam_saved_answer_init(&saved, chat->host.mem);
  saved.seq = tam_chat_saved_seq(chat, number);
  if (has_prompt(op)) {
    saved.elapsed_ms = chat->now_ms - op->turn_ms;
    saved.first_ms = answer->first_ms > 0 ? answer->first_ms - op->turn_ms : 0;
  }
  // An answer with several rows begins again: it has sent nothing yet, and the
  // seed is the same.
  if (has_prompt(op) && tam_decoding_rows(answer->decoding) == 1) {
    saved.chosen = chosen_of(answer);
    saved.state = answer->repeated < answer->before.chosen.len
                      ? answer->before.state
                      : tam_decoding_state_of(answer->decoding);
  }
  tam_saved_answer_write_rest(&saved, rest);
}
