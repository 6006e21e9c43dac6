// SPDX-License-Identifier: Apache-2.0
// Saved settings: they lie in the store, where others read and write them, too.
// An answer reads them when they are not known yet; those who ask for them or
// change them read what is there now.
#include "chat/answer.h"
#include "chat/generation_params.h"
#include "chat/json_walk.h"
#include "chat/model.h"
#include "chat/settings.h"
#include "core/mem.h"

// The longest modelId and dtype.
#define NAME_MAX 512

// ---------------------------------------------------------------------------
// Asking the store

// Begins to ask for what holds the settings for |scope|. The caller may add
// members.
static tam_buf *ask(tam_chat_op *op, tam_settings_scope scope, int changes) {
  tam_buf *order = tam_chat_op_order(op, "ask");
  tam_json_write_name_member(order, "action", "sharedObject");
  tam_json_write_member_begin(order, "params");
  if (scope.model.len > 0) {
    tam_json_write_string_member(order, "modelId", scope.model);
  } else {
    tam_json_write_name_member(order, "id", "InferenceSettings");
  }
  if (changes) {
    tam_json_write_key(order, "input");
    tam_json_write_bool(order, 1);
  }
  tam_json_write_object_end(order);
  return order;
}

// Stores the object that the store has sent into |*pobject|; nothing when there
// is none. Errors: UNEXPECTED_SHAPE.
static int take_object(const tam_runtime_report *report, tam_span *pobject) {
  tam_span answer = tam_span_trim(report->data);
  *pobject = TAM_SPAN_NONE;
  if (answer.len == 0 || answer.ptr[0] != '{' ||
      tam_json_container_len(answer) != answer.len) {
    return TAM_ERR_UNEXPECTED_SHAPE;
  }
  tam_span object = tam_json_walk_member(answer, "object");
  if (object.len > 0 && object.ptr[0] == '{') {
    *pobject = object;
  }
  return 0;
}

// ---------------------------------------------------------------------------
// Those of an answer

static const tam_settings_scope all_models;

static tam_settings_scope scope_of(const tam_chat_model *model) {
  return (tam_settings_scope){tam_buf_span(&model->id),
                              tam_buf_span(&model->dtype)};
}

static int saved_start(tam_chat_op *op) {
  const tam_chat_model *model = op->chat->model;
  if (model == NULL ||
      tam_saved_settings_has(&op->chat->saved, scope_of(model))) {
    return TAM_CHAT_NEXT;
  }
  op->answer->step = 0;
  tam_saved_settings_begin(&op->chat->saved);
  (void)ask(op, all_models, 0);
  return tam_chat_op_submit(op, TAM_SPAN_NONE);
}

static int saved_on_runtime(tam_chat_op *op, const tam_runtime_report *report) {
  tam_span object;
  if (report->kind == TAM_RUNTIME_FAILED) {
    return tam_chat_op_runtime_failed(op, report);
  }
  if (report->kind != TAM_RUNTIME_END) {
    return TAM_CHAT_WAIT;
  }
  tam_settings_scope scope =
      op->answer->step == 0 ? all_models : scope_of(op->chat->model);
  int error = take_object(report, &object);
  if (error == 0) {
    error = tam_saved_settings_take(&op->chat->saved, scope, object);
  }
  if (error != 0 || op->answer->step == 1) {
    return error != 0 ? error : TAM_CHAT_NEXT;
  }
  op->answer->step = 1;
  (void)ask(op, scope_of(op->chat->model), 0);
  return tam_chat_op_submit(op, TAM_SPAN_NONE);
}

const tam_chat_phase tam_chat_saved_phase = {
    .stage = "settings",
    .start = saved_start,
    .on_runtime = saved_on_runtime,
};

// ---------------------------------------------------------------------------
// Parameters of those who ask for them or change them

// Copies the string |name|. Returns 0, or INVALID_PARAMS: it is something else.
static int read_name(tam_chat_op *op, const tam_json_node *params,
                     const char *name, tam_buf *text) {
  const tam_json_node *node = tam_json_get_member(params, tam_span_of(name));
  tam_json_kind kind = tam_json_get_kind(node);
  tam_buf_append(text, tam_json_get_string(node));
  if ((kind == TAM_JSON_KIND_STRING || kind == TAM_JSON_KIND_MISSING ||
       kind == TAM_JSON_KIND_NULL) &&
      text->error != TAM_ERR_TOO_LARGE) {
    return text->error;
  }
  tam_buf_append_text(&op->why, name);
  tam_buf_append_text(&op->why, ": expected a short string");
  return TAM_ERR_INVALID_PARAMS;
}

int tam_chat_settings_prepare(tam_chat_op *op,
                              const tam_chat_request *request) {
  const tam_mem *mem = op->chat->host.mem;
  tam_chat_settings *settings = tam_mem_calloc(mem, 1, sizeof(*settings));
  if (settings == NULL) {
    return TAM_ERR_OUT_OF_MEMORY;
  }
  op->settings = settings;
  tam_buf_init(&settings->model, mem, NAME_MAX);
  tam_buf_init(&settings->dtype, mem, NAME_MAX);
  tam_buf_init(&settings->change, mem, 2 * TAM_JSON_TREE_LEN_MAX);
  int error = read_name(op, request->params, "modelId", &settings->model);
  if (error == 0) {
    error = read_name(op, request->params, "dtype", &settings->dtype);
  }
  if (error == 0 && settings->dtype.len > 0 && settings->model.len == 0) {
    return tam_chat_op_fail(op, TAM_ERR_INVALID_PARAMS,
                            "dtype: expected a modelId beside it");
  }
  return error;
}

void tam_chat_settings_del(tam_chat_settings *settings, tam_chat *chat) {
  if (settings != NULL) {
    tam_buf_free(&settings->model);
    tam_buf_free(&settings->dtype);
    tam_buf_free(&settings->change);
    tam_mem_free(chat->host.mem, settings);
  }
}

// Says whether the values are in their ranges.
static int check(tam_chat_op *op, const tam_json_node *values) {
  tam_generation_params params;
  tam_generation_params_init(&params, op->chat->host.mem);
  int error = tam_generation_params_merge(&params, TAM_PARAMS_LAYER_REQUEST,
                                          values, &op->why);
  tam_generation_params_free(&params);
  return error != 0 ? error : tam_chat_check_prompt_settings(op, values);
}

int tam_chat_update_settings_prepare(tam_chat_op *op,
                                     const tam_chat_request *request) {
  const tam_json_node *values =
      tam_json_get_member(request->params, TAM_SPAN("settings"));
  int error = tam_chat_settings_prepare(op, request);
  if (error == 0 && tam_json_get_kind(values) != TAM_JSON_KIND_OBJECT) {
    return tam_chat_op_fail(op, TAM_ERR_INVALID_PARAMS,
                            "settings: expected an object");
  }
  if (error == 0) {
    error = check(op, values);
  }
  if (error == 0) {
    tam_saved_settings_write_change(values, &op->settings->change);
    error = op->settings->change.error;
  }
  return error;
}

int tam_chat_forget_settings_prepare(tam_chat_op *op,
                                     const tam_chat_request *request) {
  (void)request;
  tam_saved_settings_forget(&op->chat->saved);
  return 0;
}

// ---------------------------------------------------------------------------
// Reading, and changing what was read

static tam_settings_scope wanted_scope(const tam_chat_op *op) {
  return (tam_settings_scope){tam_buf_span(&op->settings->model),
                              tam_buf_span(&op->settings->dtype)};
}

static int settings_start(tam_chat_op *op) {
  (void)ask(op, wanted_scope(op), 0);
  return tam_chat_op_submit(op, TAM_SPAN_NONE);
}

// Somebody else may have written meanwhile: only the change is written, not the
// object that was read.
static int write_change(tam_chat_op *op, tam_span object) {
  tam_buf *change = &op->settings->change;
  tam_buf *order = ask(op, wanted_scope(op), 1);
  tam_json_write_key(order, "rows");
  tam_json_write_array_begin(order);
  tam_saved_settings_write_patch(object, wanted_scope(op), tam_buf_span(change),
                                 order);
  tam_json_write_array_end(order);
  tam_buf_reset(change); // once
  return tam_chat_op_submit(op, TAM_SPAN_NONE);
}

// Returns 1 when there is room for the change.
static int fits(tam_chat_op *op) {
  return op->text.len + op->settings->change.len <= TAM_JSON_TREE_LEN_MAX;
}

static int settings_on_runtime(tam_chat_op *op,
                               const tam_runtime_report *report) {
  tam_span object;
  if (report->kind == TAM_RUNTIME_FAILED) {
    return tam_chat_op_runtime_failed(op, report);
  }
  if (report->kind != TAM_RUNTIME_END) {
    return TAM_CHAT_WAIT;
  }
  int error = take_object(report, &object);
  tam_buf_reset(&op->text);
  tam_saved_settings_write(object, wanted_scope(op), &op->text);
  if (error != 0 || op->text.error != 0) {
    return error != 0 ? error : op->text.error;
  }
  if (op->settings->change.len == 0) {
    tam_saved_settings_forget(&op->chat->saved);
    return TAM_CHAT_NEXT;
  }
  return fits(op) ? write_change(op, object)
                  : tam_chat_op_fail(op, TAM_ERR_TOO_LARGE,
                                     "the settings are too long together");
}

const tam_chat_phase tam_chat_settings_phase = {
    .stage = "settings",
    .start = settings_start,
    .on_runtime = settings_on_runtime,
};

void tam_chat_write_settings(tam_chat_op *op, tam_buf *json) {
  tam_json_write_key(json, "settings");
  tam_json_write_raw(json, tam_buf_span(&op->text));
}
