// SPDX-License-Identifier: Apache-2.0
// From what the user says to tokens that fit into the model's context.
#include "chat/answer.h"
#include "chat/run.h"
#include "core/mem.h"
#include "core/names.h"

// The longest list of messages on its way to the template.
#define MESSAGES_MAX (UINT32_C(16) << 20)

// The least tokens that an answer must have room for, when nobody says how long
// it may be.
#define ANSWER_MIN 1

// The text of two ids with their names.
#define FORCED_TOKENS_MAX 128

// The end of a rendered prompt in which a tag of reasoning may stand open.
#define TAIL_TOKENS 16

// How much of a type that is not known a message quotes.
#define TYPE_QUOTE_MAX 40

typedef enum prompt_step {
  STEP_RENDER = 0, // messages, or a text, become tokens
  STEP_TAIL        // the end of the prompt is looked at as text
} prompt_step;

// ---------------------------------------------------------------------------
// Settings

static int parse_request(tam_chat_op *op) {
  tam_chat_answer *answer = op->answer;
  int error = tam_json_tree_parse(&answer->root, tam_buf_span(&answer->request),
                                  op->chat->host.mem);
  answer->params = answer->root;
  return error;
}

// Returns what the request says of the prompt, or else what was saved.
static const tam_json_node *setting(const tam_chat_answer *answer,
                                    const char *name) {
  const tam_json_node *node = tam_json_get_member(
      tam_json_get_member(answer->params, TAM_SPAN("settings")),
      tam_span_of(name));
  for (size_t i = TAM_SETTINGS_SCOPES; node == NULL && i-- > 0;) {
    node = tam_json_get_member(answer->saved[i], tam_span_of(name));
  }
  return node;
}

// Lays settings over those that are there.
static int merge_text(tam_chat_op *op, tam_params_layer layer, tam_span text,
                      tam_json_node **proot) {
  int error = tam_json_tree_parse(proot, text, op->chat->host.mem);
  return error != 0 ? error
                    : tam_generation_params_merge(&op->answer->settings, layer,
                                                  *proot, &op->why);
}

// Lays the defaults of the request, and what was saved for the model that
// answers, over the settings.
static int merge_saved(tam_chat_op *op) {
  tam_chat_answer *answer = op->answer;
  const tam_chat *chat = op->chat;
  int error = 0;
  if (answer->defaults.len > 0) {
    tam_json_node *defaults = NULL;
    error = merge_text(op, TAM_PARAMS_LAYER_SAVED, answer->defaults, &defaults);
    tam_json_tree_free(defaults, chat->host.mem);
  }
  for (size_t i = 0; error == 0 && i < TAM_SETTINGS_SCOPES; i++) {
    tam_span text = answer->before.has_tokens
                        ? answer->before.settings[i]
                        : tam_buf_span(&chat->saved.texts[i]);
    answer->saved_len[i] = text.len;
    tam_buf_append(&answer->saved_texts, text);
    error =
        answer->saved_texts.error != 0
            ? answer->saved_texts.error
            : merge_text(op, TAM_PARAMS_LAYER_SAVED, text, &answer->saved[i]);
  }
  return error;
}

static void write_id(tam_buf *json, const char *key, int32_t id) {
  if (id >= 0) {
    tam_json_write_number_member(json, key, id);
  }
}

// Lays the model's own defaults over those of the reference. As there, a model
// without generation_config.json has the forced tokens of its config.json.
static int merge_model(tam_chat_op *op) {
  const tam_chat_model *model = op->chat->model;
  const tam_buf *file = &model->generation_config;
  uint8_t bytes[FORCED_TOKENS_MAX];
  tam_buf forced;
  tam_buf_init_fixed(&forced, bytes, sizeof(bytes));
  tam_json_write_object_begin(&forced);
  write_id(&forced, "forced_bos_token_id", model->ids.forced_bos);
  write_id(&forced, "forced_eos_token_id", model->ids.forced_eos);
  tam_json_write_object_end(&forced);
  if (file->error != 0) { // it is longer than any request may be
    return 0;
  }
  tam_json_node *defaults = NULL;
  int error =
      merge_text(op, TAM_PARAMS_LAYER_MODEL,
                 tam_buf_span(file->len > 0 ? file : &forced), &defaults);
  tam_json_tree_free(defaults, op->chat->host.mem);
  return error;
}

// Lays the model's own defaults, saved settings and the request's settings over
// those of the reference, in this order.
static int merge_settings(tam_chat_op *op) {
  tam_chat_answer *answer = op->answer;
  const tam_chat_model *model = op->chat->model;
  tam_generation_params_init(&answer->settings, op->chat->host.mem);
  answer->has_settings = 1;
  int error = merge_model(op);
  if (error == 0) {
    error = merge_saved(op);
  }
  if (error == 0) {
    error = tam_generation_params_merge(
        &answer->settings, TAM_PARAMS_LAYER_REQUEST,
        tam_json_get_member(answer->params, TAM_SPAN("settings")), &op->why);
  }
  tam_generation_params_set_seed(&answer->settings, answer->seed);
  tam_generation_facts facts = {
      .vocab = model->vocab,
      .has_end = model->ids.eos.count > 0,
      .is_encoder = tam_chat_model_has_encoder(model),
  };
  return error != 0 ? error
                    : tam_generation_params_settle(&answer->settings, &facts,
                                                   &op->why);
}

// ---------------------------------------------------------------------------
// The chat

static int read_policy(tam_chat_op *op, tam_prompt_policy *policy) {
  const tam_json_node *node =
      tam_json_get_member(op->answer->params, TAM_SPAN("overflow"));
  // Old panels send the whole chat each time, and cannot shorten it.
  *policy =
      op->answer->defaults.len > 0 ? TAM_PROMPT_DROP_OLDEST : TAM_PROMPT_ERROR;
  tam_json_kind kind = tam_json_get_kind(node);
  if (kind == TAM_JSON_KIND_MISSING || kind == TAM_JSON_KIND_NULL) {
    return 0;
  }
  int place = tam_names_find(TAM_PROMPT_POLICIES, tam_json_get_string(node));
  if (place < 0) {
    return tam_chat_op_fail(op, TAM_ERR_INVALID_PARAMS,
                            "overflow: expected error, dropOldest or "
                            "middleOut");
  }
  *policy = (tam_prompt_policy)place;
  return 0;
}

// Names the part of a content that is no text.
static void append_part(tam_chat_op *op) {
  const tam_prompt *prompt = &op->answer->prompt;
  if (!prompt->has_flaw) {
    return;
  }
  tam_buf_append_text(&op->why, ".content[");
  tam_text_append_number(&op->why, (double)prompt->flaw.index);
  tam_buf_append_text(&op->why, "]");
  if (prompt->flaw.type.len > 0) {
    tam_buf_append_text(&op->why, " of the type ");
    tam_buf_append_quote(&op->why, prompt->flaw.type, TYPE_QUOTE_MAX);
  }
}

static tam_span system_setting(const tam_chat_answer *answer) {
  return tam_json_get_string(setting(answer, "system_prompt"));
}

// One of blanks says nothing; it stands for none, not for the usual one.
static int is_blank(tam_span system) {
  return tam_span_trim(system).len == 0;
}

static void note_prompt(tam_chat_op *op) {
  tam_chat_answer *answer = op->answer;
  const char *unused = op->chat->model->templates.len == 0
                           ? "the model has no chat template"
                       : answer->has_system ? NULL
                                            : "the chat has a system prompt";
  tam_span system = system_setting(answer);
  tam_generation_params_note_prompt(&answer->settings, answer->is_json,
                                    is_blank(system) ? TAM_SPAN_NONE : system,
                                    unused);
}

// Without a template there are no roles, so nothing may be added.
static int read_prompt(tam_chat_op *op) {
  tam_chat_answer *answer = op->answer;
  tam_prompt_setup setup = {.policy = TAM_PROMPT_ERROR};
  answer->is_json = tam_json_get_bool(setting(answer, "json_mode"));
  if (op->chat->model->templates.len > 0) {
    setup.system = system_setting(answer);
    setup.with_default = answer->defaults.len > 0;
    setup.json = answer->is_json;
  }
  answer->has_tools = tam_json_get_first(tam_json_get_member(
                          answer->params, TAM_SPAN("tools"))) != NULL;
  setup.with_parts = tam_chat_model_template_wants_parts(
      op->chat->model,
      tam_chat_model_template(op->chat->model, answer->has_tools));
  int error = read_policy(op, &setup.policy);
  if (error == 0) {
    error = tam_prompt_feed(&answer->prompt, tam_buf_span(&op->text));
  }
  if (error == 0) {
    error = tam_prompt_end(&answer->prompt, &setup);
  }
  answer->has_system = !is_blank(setup.system) && answer->prompt.system.len > 0;
  if (error == TAM_ERR_INVALID_PARAMS && answer->prompt.problem != NULL) {
    tam_chat_op_fail(op, error, "messages[");
    tam_text_append_number(&op->why, (double)answer->prompt.problem_index);
    tam_buf_append_text(&op->why, "]");
    append_part(op);
    tam_buf_append_text(&op->why, " ");
    tam_buf_append_text(&op->why, answer->prompt.problem);
    return error;
  }
  if (error == TAM_ERR_TOO_LARGE) {
    return tam_chat_op_fail(op, error,
                            "messages: a chat has at most 16384 messages, and "
                            "8 MiB of text");
  }
  if (error != 0 && !tam_error_is_fatal(error) && op->why.len == 0) {
    return tam_chat_op_fail(op, TAM_ERR_INVALID_PARAMS,
                            "messages: expected a list of messages");
  }
  return error;
}

// Without a template there is no chat: the model continues a text, or reads it
// with its encoder.
static int order_encode(tam_chat_op *op) {
  tam_chat_answer *answer = op->answer;
  const tam_chat_model *model = op->chat->model;
  tam_span text = tam_prompt_last_text(&answer->prompt);
  if (text.len == 0 || (!tam_chat_model_has_encoder(model) &&
                        tam_prompt_messages(&answer->prompt) > 1)) {
    return tam_chat_op_fail(op, TAM_ERR_TEMPLATE_FAILED,
                            "the model has no chat template: it can only go on "
                            "with a single text");
  }
  tam_buf *order = tam_chat_op_order(op, "encode");
  tam_json_write_number_member(order, "tokenizer", model->tokenizer);
  tam_json_write_key(order, "text");
  tam_json_write_raw(order, text);
  tam_json_write_key(order, "special");
  tam_json_write_bool(order, 1);
  return tam_chat_op_submit(op, TAM_SPAN_NONE);
}

// The template is for chats with or without tools.
static int order_render(tam_chat_op *op) {
  tam_chat_answer *answer = op->answer;
  const tam_chat_model *model = op->chat->model;
  tam_buf_reset(&answer->tokens);
  answer->rendered = 0;
  answer->step = STEP_RENDER;
  if (model->templates.len == 0) {
    return order_encode(op);
  }
  tam_buf messages;
  tam_buf_init(&messages, op->chat->host.mem, MESSAGES_MAX);
  tam_prompt_write(&answer->prompt, &messages);
  tam_buf *order = tam_chat_op_order(op, "render");
  tam_json_write_number_member(order, "tokenizer", model->tokenizer);
  tam_json_write_string_member(
      order, "template", tam_chat_model_template(model, answer->has_tools));
  tam_json_write_key(order, "messages");
  tam_json_write_raw(order, tam_buf_span(&messages));
  tam_json_write_key(order, "tools");
  tam_json_write_bool(order, answer->has_tools);
  int error = messages.error;
  tam_buf_free(&messages);
  return error != 0 ? error : tam_chat_op_submit(op, TAM_SPAN_NONE);
}

// How long a prompt may be: the answer needs room, too.
static size_t prompt_limit(const tam_chat_op *op) {
  const tam_chat_answer *answer = op->answer;
  size_t context = op->chat->model->context_length;
  double wanted = tam_generation_params_is_given(&answer->settings,
                                                 TAM_PARAM_MAX_NEW_TOKENS)
                      ? tam_generation_params_get(&answer->settings,
                                                  TAM_PARAM_MAX_NEW_TOKENS)
                      : ANSWER_MIN;
  // An answer that wants half of the context or more gets what is left.
  size_t room = wanted < (double)context / 2 ? (size_t)wanted : context / 2;
  return context - (room > ANSWER_MIN ? room : ANSWER_MIN);
}

static int overflow(tam_chat_op *op, size_t count, size_t limit) {
  tam_chat_op_fail(op, TAM_ERR_CONTEXT_OVERFLOW, "the chat has ");
  tam_text_append_number(&op->why, (double)count);
  tam_buf_append_text(&op->why, " tokens; with room for the answer ");
  tam_text_append_number(&op->why, (double)limit);
  tam_buf_append_text(&op->why, " fit into the context of ");
  tam_text_append_number(&op->why, op->chat->model->context_length);
  return TAM_ERR_CONTEXT_OVERFLOW;
}

// Where a template ends with the tag that opens the reasoning, the answer
// begins inside of it.
static int order_tail(tam_chat_op *op) {
  tam_chat_answer *answer = op->answer;
  size_t count = tam_answer_count(&answer->tokens);
  size_t from = count > TAIL_TOKENS ? count - TAIL_TOKENS : 0;
  tam_buf *order = tam_chat_op_order(op, "decode");
  tam_json_write_number_member(order, "tokenizer", op->chat->model->tokenizer);
  tam_json_write_key(order, "special");
  tam_json_write_bool(order, 1);
  tam_json_write_key(order, "ids");
  tam_json_write_array_begin(order);
  for (size_t i = from; i < count; i++) {
    tam_json_write_number(order, tam_answer_ids(&answer->tokens)[i]);
  }
  tam_json_write_array_end(order);
  answer->step = STEP_TAIL;
  return tam_chat_op_submit(op, TAM_SPAN_NONE);
}

// ---------------------------------------------------------------------------
// What the decoder begins with

static void begin_with_encoder(tam_chat_answer *answer,
                               const tam_chat_model *model) {
  tam_buf_append(&answer->source, tam_buf_span(&answer->tokens));
  tam_buf_reset(&answer->tokens);
  double start = tam_generation_params_get(&answer->settings,
                                           TAM_PARAM_DECODER_START_TOKEN_ID);
  tam_buf_append_u32(
      &answer->tokens,
      (uint32_t)(start >= 0 ? (int32_t)start : model->ids.decoder_start));
}

static int begin_decoding(tam_chat_op *op) {
  tam_chat_answer *answer = op->answer;
  const tam_chat_model *model = op->chat->model;
  if (tam_chat_model_has_encoder(model) && !answer->before.has_tokens) {
    begin_with_encoder(answer, model);
  }
  tam_decoding_setup setup = {
      .params = &answer->settings,
      .prompt = {tam_answer_ids(&answer->tokens),
                 tam_answer_count(&answer->tokens)},
      .encoder = {tam_answer_ids(&answer->source),
                  tam_answer_count(&answer->source)},
      .vocab = model->vocab,
      .eos = {model->ids.eos.ids, model->ids.eos.count},
      .pad = model->ids.pad,
      .context_len = model->context_length,
      .start_ms = op->turn_ms,
  };
  int error =
      answer->source.error != 0 ? answer->source.error
      : answer->tokens.error != 0
          ? answer->tokens.error
          : tam_decoding_new(&answer->decoding, &setup, op->chat->host.mem);
  if (error == TAM_ERR_INVALID_PARAMS) {
    return tam_chat_op_fail(op, error,
                            "max_length: the prompt alone is as long");
  }
  if (error == 0 && tam_decoding_rows(answer->decoding) > 1 &&
      !tam_run_can_gather(model)) {
    return tam_chat_op_fail(op, TAM_ERR_INVALID_PARAMS,
                            "num_beams and num_return_sequences: the graph of "
                            "the model takes one row");
  }
  if (error == 0) {
    error = tam_answer_begin_text(op);
  }
  return error != 0 ? error : TAM_CHAT_NEXT;
}

static int rendered(tam_chat_op *op) {
  tam_chat_answer *answer = op->answer;
  size_t count = answer->rendered / sizeof(int32_t);
  size_t limit = prompt_limit(op);
  if (count == 0) {
    return tam_chat_op_fail(op, TAM_ERR_TEMPLATE_FAILED,
                            "the chat template made no text of the chat");
  }
  int result = tam_prompt_fit(&answer->prompt, count, limit);
  if (result == TAM_ERR_CONTEXT_OVERFLOW) {
    return overflow(op, count, limit);
  }
  return result < 0 ? result : result > 0 ? order_render(op) : order_tail(op);
}

// ---------------------------------------------------------------------------
// The phase

// For an answer that goes on: the tokens are those from before the kill, and
// the time of the kill does not count.
static int begin_again(tam_chat_op *op) {
  tam_chat_answer *answer = op->answer;
  const tam_saved_answer *before = &answer->before;
  answer->is_json = before->is_json != 0;
  answer->has_system = before->has_system != 0;
  note_prompt(op);
  answer->has_tools = before->has_tools != 0;
  answer->opened = (int)before->opened;
  op->turn_ms = op->chat->now_ms - before->elapsed_ms;
  if (before->chosen.len > 0) {
    answer->first_ms = op->turn_ms + before->first_ms;
    answer->last_ms = op->chat->now_ms;
  }
  tam_answer_append(&answer->tokens, before->tokens);
  tam_answer_append(&answer->source, before->source);
  return begin_decoding(op);
}

static int prompt_start(tam_chat_op *op) {
  tam_chat_answer *answer = op->answer;
  if (!op->has_text) {
    return TAM_CHAT_WAIT;
  }
  if (op->chat->model == NULL) {
    return tam_chat_op_fail(op, TAM_ERR_NO_MODEL, "no model is loaded");
  }
  int error = parse_request(op);
  if (error == 0) {
    error = merge_settings(op);
  }
  if (error == 0 && answer->before.has_tokens) {
    return begin_again(op);
  }
  tam_prompt_init(&answer->prompt, op->chat->host.mem);
  answer->has_prompt = 1;
  if (error == 0) {
    error = read_prompt(op);
  }
  if (error != 0) {
    return error;
  }
  note_prompt(op);
  return order_render(op);
}

// More tokens than any context holds are counted but not kept: turns may be
// dropped yet.
static int take_tokens(tam_chat_answer *answer, tam_span data) {
  answer->rendered += data.len;
  tam_buf_append(&answer->tokens, data);
  return answer->tokens.error == TAM_ERR_TOO_LARGE ? 0 : answer->tokens.error;
}

static int prompt_on_runtime(tam_chat_op *op,
                             const tam_runtime_report *report) {
  tam_chat_answer *answer = op->answer;
  switch (report->kind) {
  case TAM_RUNTIME_FAILED:
    return tam_chat_op_runtime_failed(op, report);
  case TAM_RUNTIME_DATA:
    if (answer->step == STEP_TAIL) {
      answer->opened = tam_reasoning_opened_by(report->data);
      return TAM_CHAT_WAIT;
    }
    return take_tokens(answer, report->data);
  case TAM_RUNTIME_END:
    return answer->step == STEP_RENDER ? rendered(op) : begin_decoding(op);
  default:
    return TAM_CHAT_WAIT;
  }
}

const tam_chat_phase tam_chat_prompt_phase = {
    .stage = "prompt",
    .start = prompt_start,
    .on_runtime = prompt_on_runtime,
    .on_text = prompt_start,
};
