// SPDX-License-Identifier: Apache-2.0
// Saving settings, and telling what was saved.
#include "chat/chat_op.h"
#include "chat/generation_params.h"
#include "chat/model.h"

// Returns 0, or INVALID_PARAMS: |name| is no string.
static int read_name(tam_chat_op *op, const tam_json_node *params,
                     const char *name, tam_span *text) {
  const tam_json_node *node = tam_json_get_member(params, tam_span_of(name));
  tam_json_kind kind = tam_json_get_kind(node);
  *text = tam_json_get_string(node);
  if (kind == TAM_JSON_KIND_STRING || kind == TAM_JSON_KIND_MISSING ||
      kind == TAM_JSON_KIND_NULL) {
    return 0;
  }
  tam_buf_append_text(&op->why, name);
  tam_buf_append_text(&op->why, ": expected a string");
  return TAM_ERR_INVALID_PARAMS;
}

static int read_scope(tam_chat_op *op, const tam_json_node *params,
                      tam_settings_scope *scope) {
  int error = read_name(op, params, "modelId", &scope->model);
  if (error == 0) {
    error = read_name(op, params, "dtype", &scope->dtype);
  }
  if (error == 0 && scope->dtype.len > 0 && scope->model.len == 0) {
    return tam_chat_op_fail(op, TAM_ERR_INVALID_PARAMS,
                            "dtype: expected a modelId beside it");
  }
  return error;
}

int tam_chat_settings_prepare(tam_chat_op *op,
                              const tam_chat_request *request) {
  tam_settings_scope scope;
  int error = read_scope(op, request->params, &scope);
  if (error == 0) {
    tam_buf_append(&op->text, tam_saved_settings_get(&op->chat->saved, scope));
    error = op->text.error;
  }
  return error;
}

// Says whether |text|, a JSON object, has values in their ranges.
static int check(tam_chat_op *op, tam_span text) {
  const tam_mem *mem = op->chat->host.mem;
  tam_generation_params settings;
  tam_json_node *root = NULL;
  int error = tam_json_tree_parse(&root, text, mem);
  tam_generation_params_init(&settings, mem);
  if (error == 0) {
    error = tam_generation_params_merge(&settings, TAM_PARAMS_LAYER_SAVED, root,
                                        &op->why);
  }
  if (error == 0) {
    error = tam_chat_check_prompt_settings(op, root);
  }
  tam_generation_params_free(&settings);
  tam_json_tree_free(root, mem);
  return error;
}

int tam_chat_update_settings_prepare(tam_chat_op *op,
                                     const tam_chat_request *request) {
  tam_saved_settings *saved = &op->chat->saved;
  tam_settings_scope scope;
  const tam_json_node *patch =
      tam_json_get_member(request->params, TAM_SPAN("settings"));
  int error = read_scope(op, request->params, &scope);
  if (error == 0 && tam_json_get_kind(patch) != TAM_JSON_KIND_OBJECT) {
    return tam_chat_op_fail(op, TAM_ERR_INVALID_PARAMS,
                            "settings: expected an object");
  }
  if (error == 0) {
    tam_saved_settings_write_patched(saved, scope, patch, &op->text);
    error = op->text.error;
  }
  if (error == 0) {
    error = check(op, tam_buf_span(&op->text));
  }
  return error != 0
             ? error
             : tam_saved_settings_put(saved, scope, tam_buf_span(&op->text));
}

void tam_chat_write_settings(tam_chat_op *op, tam_buf *json) {
  tam_json_write_key(json, "settings");
  tam_json_write_raw(json, tam_buf_span(&op->text));
}
