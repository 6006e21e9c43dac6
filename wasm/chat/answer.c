// SPDX-License-Identifier: Apache-2.0
#include "chat/answer.h"

#include "chat/broadcast.h"
#include "chat/tool_calls.h"
#include "core/mem.h"
#include "core/names.h"

// The longest id of a chat.
#define CHAT_ID_MAX 1024

// In the order of tam_end_reason.
static const char reasons[] = "none\0"
                              "eos\0"
                              "length\0"
                              "time\0"
                              "stop\0"
                              "stopped\0";

// ---------------------------------------------------------------------------
// Parameters

// What a parameter is, when it is given.
typedef struct param_type {
  const char *name;
  tam_json_kind kind;
  const char *expected; // what is said when it is anything else
} param_type;

static const param_type param_types[] = {
    {"chatId", TAM_JSON_KIND_STRING, "chatId: expected a string"},
    {"settings", TAM_JSON_KIND_OBJECT, "settings: expected an object"},
    {"messageId", TAM_JSON_KIND_STRING, "messageId: expected a string"},
    {"tools", TAM_JSON_KIND_ARRAY, "tools: expected a list"},
    {NULL, TAM_JSON_KIND_NULL, NULL},
};

// The others are looked at in chat/generation_params.h.
static const param_type prompt_types[] = {
    {"system_prompt", TAM_JSON_KIND_STRING, "system_prompt: expected a string"},
    {"json_mode", TAM_JSON_KIND_BOOL, "json_mode: expected true or false"},
    {NULL, TAM_JSON_KIND_NULL, NULL},
};

// Returns 0, or INVALID_PARAMS: a member of |object| is something else.
static int check_types(tam_chat_op *op, const tam_json_node *object,
                       const param_type *types) {
  for (; types->name != NULL; types++) {
    tam_json_kind kind = tam_json_get_kind(
        tam_json_get_member(object, tam_span_of(types->name)));
    if (kind != types->kind && kind != TAM_JSON_KIND_MISSING &&
        kind != TAM_JSON_KIND_NULL) {
      return tam_chat_op_fail(op, TAM_ERR_INVALID_PARAMS, types->expected);
    }
  }
  return 0;
}

int tam_chat_check_prompt_settings(tam_chat_op *op,
                                   const tam_json_node *settings) {
  return check_types(op, settings, prompt_types);
}

// ---------------------------------------------------------------------------
// Life

// Drawn before anything is written down of the answer: whoever goes on draws
// the same tokens, even when nothing was said.
static void draw_seed(tam_chat_op *op) {
  tam_chat_answer *answer = op->answer;
  for (size_t i = 0; i < sizeof(answer->seed); i++) {
    answer->seed[i] = answer->before.is_there
                          ? answer->before.seed[i]
                          : (uint8_t)tam_random_next(op->chat->host.random);
  }
}

int tam_chat_answer_prepare(tam_chat_op *op, const tam_chat_request *request) {
  const tam_json_node *params = request->params;
  const tam_mem *mem = op->chat->host.mem;
  tam_chat_answer *answer = tam_mem_calloc(mem, 1, sizeof(*answer));
  if (answer == NULL) {
    return TAM_ERR_OUT_OF_MEMORY;
  }
  op->answer = answer;
  answer->defaults = request->defaults;
  size_t tokens_max = TAM_CHAT_CONTEXT_MAX * sizeof(int32_t);
  tam_buf_init(&answer->request, mem, TAM_JSON_TREE_LEN_MAX);
  tam_buf_init(&answer->chat_id, mem, CHAT_ID_MAX);
  tam_buf_init(&answer->message_id, mem, CHAT_ID_MAX);
  tam_buf_init(&answer->tokens, mem, tokens_max);
  tam_buf_init(&answer->source, mem, tokens_max);
  tam_buf_init(&answer->fresh_tokens, mem, tokens_max);
  tam_buf_init(&answer->texts.content, mem, TAM_ANSWER_TEXT_MAX);
  tam_buf_init(&answer->texts.reasoning, mem, TAM_ANSWER_TEXT_MAX);
  tam_buf_init(&answer->texts.output, mem, TAM_ANSWER_TEXT_MAX);
  tam_buf_init(&answer->texts.tools, mem, TAM_ANSWER_TEXT_MAX);
  tam_buf_init(&answer->sequences, mem, TAM_ANSWER_TEXT_MAX);
  tam_buf_init(&answer->saved_texts, mem, TAM_ANSWER_TEXT_MAX);
  tam_saved_answer_init(&answer->before, mem);
  tam_buf_append(&answer->request, request->text);
  tam_buf_append(&answer->message_id, tam_json_get_string(tam_json_get_member(
                                          params, TAM_SPAN("messageId"))));
  tam_buf_append(&answer->chat_id, tam_json_get_string(tam_json_get_member(
                                       params, TAM_SPAN("chatId"))));
  if (answer->chat_id.error == TAM_ERR_TOO_LARGE ||
      answer->message_id.error == TAM_ERR_TOO_LARGE) {
    return tam_chat_op_fail(op, TAM_ERR_INVALID_PARAMS,
                            "chatId and messageId: expected short strings");
  }
  int error = answer->chat_id.error != 0 ? answer->chat_id.error
                                         : answer->message_id.error;
  if (error == 0) {
    error = check_types(op, params, param_types);
  }
  if (error == 0) {
    error = tam_chat_check_prompt_settings(
        op, tam_json_get_member(params, TAM_SPAN("settings")));
  }
  if (error == 0 && request->saved_head.len > 0) {
    error = tam_chat_wake_prepare(op, request);
  }
  draw_seed(op);
  return error != 0 ? error : answer->request.error;
}

void tam_chat_answer_del(tam_chat_answer *answer, tam_chat *chat) {
  if (answer == NULL) {
    return;
  }
  tam_buf *bufs[] = {
      &answer->request,       &answer->chat_id,         &answer->message_id,
      &answer->tokens,        &answer->source,          &answer->fresh_tokens,
      &answer->texts.content, &answer->texts.reasoning, &answer->texts.output,
      &answer->texts.tools,   &answer->sequences,       &answer->saved_texts,
  };
  for (size_t i = 0; i < sizeof(bufs) / sizeof(bufs[0]); i++) {
    tam_buf_free(bufs[i]);
  }
  if (answer->has_settings) {
    tam_generation_params_free(&answer->settings);
  }
  if (answer->has_stream) {
    tam_text_stream_free(&answer->stream);
  }
  for (size_t i = 0; i < answer->row_stream_count; i++) {
    tam_text_stream_free(&answer->row_streams[i]);
  }
  tam_mem_free(chat->host.mem, answer->row_streams);
  if (answer->has_prompt) {
    tam_prompt_free(&answer->prompt);
  }
  tam_saved_answer_free(&answer->before);
  tam_decoding_del(answer->decoding);
  tam_json_tree_free(answer->root, chat->host.mem);
  for (size_t i = 0; i < TAM_SETTINGS_SCOPES; i++) {
    tam_json_tree_free(answer->saved[i], chat->host.mem);
  }
  tam_mem_free(chat->host.mem, answer);
}

// ---------------------------------------------------------------------------
// Messages

size_t tam_answer_dropped(const tam_chat_answer *answer) {
  return answer->has_prompt ? tam_prompt_dropped(&answer->prompt)
                            : answer->before.dropped;
}

double tam_answer_rate(const tam_chat_answer *answer) {
  double passed_ms = answer->last_ms - answer->first_ms;
  return answer->new_tokens > 1 && passed_ms > 0
             ? (double)(answer->new_tokens - 1) * 1000 / passed_ms
             : 0;
}

static void write_tokens(const tam_buf *tokens, tam_buf *json) {
  tam_json_write_key(json, "tokenIds");
  tam_json_write_array_begin(json);
  for (size_t i = 0; i < tam_answer_count(tokens); i++) {
    tam_json_write_number(json, tam_answer_ids(tokens)[i]);
  }
  tam_json_write_array_end(json);
}

static void write_part(const tam_chat_op *op, tam_span text, const char *kind,
                       tam_buf *json) {
  const tam_chat_answer *answer = op->answer;
  tam_speaker_begin(&op->speaker, TAM_ANSWER_PROGRESS, op->chat->now_ms, json);
  tam_json_write_string_member(json, "text", text);
  tam_json_write_name_member(json, "kind", kind);
  write_tokens(&answer->fresh_tokens, json);
  tam_json_write_number_member(json, "numTokens", (double)answer->new_tokens);
  tam_json_write_number_member(json, "tokensPerSecond",
                               tam_answer_rate(answer));
}

static int say_part(tam_chat_op *op, tam_span text, const char *kind) {
  tam_speaker *speaker = &op->speaker;
  int is_again = speaker->seq < speaker->again_seq;
  int error = 0;
  if (!speaker->is_quiet) {
    tam_buf json;
    write_part(op, text, kind, &json);
    error = tam_speaker_say(speaker, TAM_ANSWER_PROGRESS, &json);
  } else if (speaker->envelope.is_panel) {
    speaker->seq++; // all hear of it: it must not be said to them again
  }
  tam_buf_reset(&op->answer->fresh_tokens);
  return error != 0 || is_again ? error : tam_broadcast_token(op, text);
}

int tam_answer_say_standing(tam_chat_op *op) {
  tam_chat_answer *answer = op->answer;
  int error = 0;
  answer->new_tokens = answer->before.chosen.len;
  if (!op->speaker.is_quiet) {
    tam_buf json;
    write_part(op, TAM_SPAN_NONE, "content", &json);
    error = tam_speaker_say_standing(&op->speaker, &json);
  }
  if (error == 0) {
    error = tam_broadcast_standing(op);
  }
  answer->new_tokens = 0; // they are yet to be made again
  return error;
}

int tam_answer_say(tam_chat_op *op) {
  tam_chat_answer *answer = op->answer;
  tam_text_parts *parts = &answer->stream.parts;
  int error = tam_text_parts_error(parts);
  for (size_t i = 0; error == 0 && i < tam_text_parts_count(parts); i++) {
    tam_text_kind kind;
    tam_span text = tam_text_parts_at(parts, i, &kind);
    tam_buf *whole = kind == TAM_TEXT_CONTENT     ? &answer->texts.content
                     : kind == TAM_TEXT_REASONING ? &answer->texts.reasoning
                                                  : &answer->texts.tools;
    tam_buf_append(whole, text);
    tam_buf_append(&answer->texts.output, text);
    error = whole->error != 0 ? whole->error : answer->texts.output.error;
    if (error == 0 && kind != TAM_TEXT_TOOL) {
      error = say_part(op, text,
                       kind == TAM_TEXT_CONTENT ? "content" : "reasoning");
    }
  }
  tam_text_parts_reset(parts);
  return error;
}

int tam_answer_say_rest(tam_chat_op *op) {
  return op->answer->fresh_tokens.len > 0
             ? say_part(op, TAM_SPAN_NONE, "content")
             : 0;
}

static int init_stream(tam_chat_op *op, tam_text_stream *stream) {
  tam_chat_answer *answer = op->answer;
  const tam_chat_model *model = op->chat->model;
  const tam_generation_params *settings = &answer->settings;
  tam_span stops[TAM_STOP_STRINGS_MAX];
  tam_text_stream_setup setup = {
      .cleanup = model->cleans_up,
      .with_tools = answer->has_tools,
      .opened = answer->opened,
      .json = answer->is_json,
      .stops = stops,
      .stop_count = tam_generation_params_stop_count(settings),
  };
  for (size_t i = 0; i < setup.stop_count; i++) {
    stops[i] = tam_generation_params_stop(settings, i);
  }
  int error = tam_text_stream_init(stream, &setup, op->chat->host.mem);
  return error == TAM_ERR_TOO_LARGE
             ? tam_chat_op_fail(op, TAM_ERR_INVALID_PARAMS,
                                "stop_strings: one has at most 1024 bytes")
             : error;
}

int tam_answer_begin_text(tam_chat_op *op) {
  tam_chat_answer *answer = op->answer;
  if (answer->has_stream) {
    tam_text_stream_free(&answer->stream);
  }
  answer->has_stream = 1;
  return init_stream(op, &answer->stream);
}

// Beams are no answers before the search is over.
int tam_answer_begin_rows(tam_chat_op *op) {
  tam_chat_answer *answer = op->answer;
  const tam_generation_params *settings = &answer->settings;
  size_t rows = tam_decoding_rows(answer->decoding);
  int error = 0;
  if (answer->row_streams != NULL ||
      tam_generation_params_get(settings, TAM_PARAM_NUM_BEAMS) > 1 ||
      (tam_generation_params_stop_count(settings) == 0 && !answer->is_json)) {
    return 0;
  }
  answer->row_streams =
      tam_mem_calloc(op->chat->host.mem, rows, sizeof(*answer->row_streams));
  if (answer->row_streams == NULL) {
    return TAM_ERR_OUT_OF_MEMORY;
  }
  for (; error == 0 && answer->row_stream_count < rows;
       answer->row_stream_count++) {
    error = init_stream(op, &answer->row_streams[answer->row_stream_count]);
  }
  return error;
}

int tam_answer_take_sequence(tam_chat_op *op, size_t place,
                             const tam_decoding_result *result) {
  tam_chat_answer *answer = op->answer;
  tam_text_parts *parts = &answer->stream.parts;
  tam_buf text;
  tam_buf_init(&text, op->chat->host.mem, TAM_ANSWER_TEXT_MAX);
  for (size_t i = 0; i < tam_text_parts_count(parts); i++) {
    tam_text_kind kind;
    tam_span part = tam_text_parts_at(parts, i, &kind);
    if (kind == TAM_TEXT_CONTENT) {
      tam_buf_append(&text, part);
    }
  }
  tam_json_write_object_begin(&answer->sequences);
  tam_json_write_string_member(&answer->sequences, "text", tam_buf_span(&text));
  tam_json_write_number_member(&answer->sequences, "score", result->score);
  tam_json_write_object_end(&answer->sequences);
  int error = text.error != 0 ? text.error : answer->sequences.error;
  tam_buf_free(&text);
  if (error == 0 && place == 0) {
    answer->new_tokens = result->tokens.len;
    tam_buf_append(&answer->fresh_tokens,
                   (tam_span){(const uint8_t *)result->tokens.ids,
                              result->tokens.len * sizeof(int32_t)});
    error = answer->fresh_tokens.error != 0 ? answer->fresh_tokens.error
                                            : tam_answer_say(op);
    error = error != 0 ? error : tam_answer_say_rest(op);
  }
  tam_text_parts_reset(parts);
  return error;
}

static void write_settings(const tam_chat_answer *answer, tam_buf *json) {
  tam_json_write_key(json, "effective");
  if (answer->has_settings) {
    tam_generation_params_write_effective(&answer->settings, json);
  } else { // it was stopped before they mattered
    tam_json_write_raw(json, TAM_SPAN("{}"));
  }
  tam_json_write_key(json, "ignored");
  if (answer->has_settings) {
    tam_generation_params_write_ignored(&answer->settings, json);
  } else {
    tam_json_write_raw(json, TAM_SPAN("[]"));
  }
}

int tam_answer_take_logits(tam_chat_op *op, const tam_runtime_report *report,
                           int is_uncond) {
  tam_decoding *decoding = op->answer->decoding;
  float *logits;
  size_t count;
  int error = tam_run_logits(op, report, &logits, &count);
  if (error == 0) {
    error = is_uncond ? tam_decoding_take_unconditional(decoding, report->row,
                                                        logits, count)
                      : tam_decoding_take_logits(decoding, report->row, logits,
                                                 count);
  }
  return error == TAM_ERR_UNEXPECTED_SHAPE
             ? tam_chat_op_fail(op, error,
                                "no token can be chosen: all are banned, or "
                                "the logits are no numbers")
             : error;
}

int tam_chat_answer_stop(tam_chat_op *op) {
  tam_chat_answer *answer = op->answer;
  answer->is_stopping = 1;
  if (answer->decoding != NULL) {
    return TAM_CHAT_WAIT; // a pass is under way: it changes the cache
  }
  answer->reason = TAM_END_STOPPED;
  return TAM_CHAT_END;
}

// Takes the calls of tools out of the answer. Blocks that are none stay text.
static void take_tools(tam_chat_answer *answer, tam_buf *json) {
  tam_answer_texts *texts = &answer->texts;
  int is_bare = texts->tools.len == 0;
  const tam_buf *from = is_bare ? &texts->content : &texts->tools;
  tam_buf calls;
  tam_buf rest;
  tam_buf_init(&calls, from->mem, TAM_ANSWER_TEXT_MAX);
  tam_buf_init(&rest, from->mem, TAM_ANSWER_TEXT_MAX);
  size_t count =
      tam_tool_calls_read(tam_buf_span(from), is_bare, &calls, &rest);
  if (is_bare && count > 0) {
    tam_buf_reset(&texts->content);
  }
  if (!is_bare || count > 0) {
    tam_buf_append(&texts->content, tam_buf_span(&rest));
  }
  if (count > 0) {
    tam_json_write_key(json, "toolCalls");
    tam_json_write_array_begin(json);
    tam_json_write_raw(json, tam_buf_span(&calls));
    tam_json_write_array_end(json);
  }
  if (calls.error != 0 || rest.error != 0 || texts->content.error != 0) {
    json->error = TAM_ERR_OUT_OF_MEMORY;
  }
  tam_buf_free(&calls);
  tam_buf_free(&rest);
}

void tam_chat_answer_write_done(tam_chat_op *op, tam_buf *json) {
  tam_chat_answer *answer = op->answer;
  const tam_answer_texts *texts = &answer->texts;
  if (answer->has_tools || texts->tools.len > 0) {
    take_tools(answer, json);
  }
  tam_json_write_string_member(json, "text", tam_buf_span(&texts->content));
  tam_json_write_string_member(json, "output", tam_buf_span(&texts->output));
  if (texts->reasoning.len > 0) {
    tam_json_write_string_member(json, "reasoning",
                                 tam_buf_span(&texts->reasoning));
  }
  tam_json_write_name_member(json, "stopReason",
                             tam_names_at(reasons, answer->reason));
  size_t prompt = answer->source.len > 0
                      ? tam_answer_count(&answer->source)
                      : tam_answer_count(&answer->tokens) - answer->restored;
  tam_json_write_number_member(json, "promptTokens", (double)prompt);
  tam_json_write_number_member(json, "newTokens", (double)answer->new_tokens);
  tam_json_write_number_member(json, "reusedTokens",
                               (double)answer->reused_tokens);
  tam_json_write_number_member(json, "droppedMessages",
                               (double)tam_answer_dropped(answer));
  tam_json_write_number_member(
      json, "timeToFirstTokenMs",
      answer->first_ms > 0 ? answer->first_ms - op->turn_ms : 0);
  tam_json_write_number_member(json, "tokensPerSecond",
                               tam_answer_rate(answer));
  write_settings(answer, json);
  if (answer->sequences.len > 0) {
    tam_json_write_key(json, "sequences");
    tam_json_write_array_begin(json);
    tam_json_write_raw(json, tam_buf_span(&answer->sequences));
    tam_json_write_array_end(json);
  }
}
