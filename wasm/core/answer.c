// SPDX-License-Identifier: Apache-2.0
#include "core/answer.h"

#include "core/names.h"

// A message quotes values of the caller; this much of it is enough to see
// which, and fits wherever a message is written.
#define MESSAGE_MAX 512

// The longest name of a message.
#define NAME_MAX 64

int tam_error_is_retryable(int error) {
  switch (error) {
  case TAM_ERR_INVALID_ARGUMENT:
  case TAM_ERR_INVALID_PARAMS:
  case TAM_ERR_TOO_LARGE:
  case TAM_ERR_CANCELLED:
  case TAM_ERR_UNKNOWN_MESSAGE:
  case TAM_ERR_NOT_OURS:
  case TAM_ERR_UNKNOWN_JOB:
  case TAM_ERR_MALFORMED_MESSAGE:
  case TAM_ERR_NOT_FOUND:
  case TAM_ERR_UNAUTHORIZED:
  case TAM_ERR_DTYPE_UNAVAILABLE:
  case TAM_ERR_NOT_STORED:
  case TAM_ERR_STORE_UNAVAILABLE:
  case TAM_ERR_RUNTIME_FAILED:
  case TAM_ERR_NO_MODEL:
  case TAM_ERR_UNSUPPORTED_TASK:
  case TAM_ERR_UNSUPPORTED_GRAPH:
  case TAM_ERR_MALFORMED_GRAPH:
  case TAM_ERR_GRAPH_TOO_LARGE:
  case TAM_ERR_CONTEXT_OVERFLOW:
  case TAM_ERR_TEMPLATE_FAILED:
  case TAM_ERR_LOAD_CRASHED:
    return 0;
  default:
    return 1;
  }
}

const char *tam_error_remedy(int error) {
  switch (error) {
  case TAM_ERR_INVALID_PARAMS:
    return "Correct the named parameter.";
  case TAM_ERR_BUSY:
    return "Wait for a running operation to end.";
  case TAM_ERR_NETWORK:
  case TAM_ERR_TIMEOUT:
  case TAM_ERR_HTTP_STATUS:
    return "Check the connection and try again; what is stored is kept.";
  case TAM_ERR_UNAUTHORIZED:
    return "Check the id and the access token. The terms of a gated model have "
           "to be accepted on its page.";
  case TAM_ERR_NOT_FOUND:
    return "Check the id, the revision and the Hub's address.";
  case TAM_ERR_QUOTA_EXCEEDED:
    return "Delete models that are not needed, or ask for unlimitedStorage.";
  case TAM_ERR_DTYPE_UNAVAILABLE:
    return "Choose one of the dtypes that the message names.";
  case TAM_ERR_NOT_STORED:
    return "Download the model first.";
  case TAM_ERR_STORE_BLOCKED:
    return "Close the other tabs of the extension.";
  case TAM_ERR_STORE_UNAVAILABLE:
    return "Leave the private window, or allow site data.";
  case TAM_ERR_HASH_MISMATCH:
    return "Try again later or from another network.";
  case TAM_ERR_NO_MODEL:
    return "Load a model first.";
  case TAM_ERR_DEVICE_LOST:
  case TAM_ERR_WORKER_DIED:
    return "Load the model again.";
  case TAM_ERR_CONTEXT_OVERFLOW:
    return "Shorten the chat, or the answer that it leaves room for.";
  case TAM_ERR_UNSUPPORTED_TASK:
  case TAM_ERR_UNSUPPORTED_GRAPH:
  case TAM_ERR_MALFORMED_GRAPH:
  case TAM_ERR_GRAPH_TOO_LARGE:
    return "Choose another model.";
  case TAM_ERR_TEMPLATE_FAILED:
    return "Give each message a role and a text, or choose another model.";
  case TAM_ERR_LOAD_CRASHED:
  case TAM_ERR_OUT_OF_MEMORY:
    return "Choose a smaller dtype, or close other tabs.";
  default:
    return NULL;
  }
}

void tam_answer_open(tam_buf *json, const tam_envelope *envelope,
                     tam_span name) {
  tam_json_write_object_begin(json);
  if (envelope->is_panel) {
    return;
  }
  tam_json_write_string_member(
      json, envelope->is_type_style ? "type" : "action", name);
  tam_json_write_key(json, "id");
  tam_json_write_raw(json, envelope->id);
  tam_json_write_number_member(json, "protocolVersion", TAM_PROTOCOL_VERSION);
}

static void write_success(tam_buf *json, int is_good, tam_span more) {
  tam_json_write_key(json, "success");
  tam_json_write_bool(json, is_good || more.len > 0);
  if (more.len > 0) {
    tam_json_write_raw(json, more);
  }
}

void tam_answer_begin(tam_buf *json, const tam_envelope *envelope,
                      const char *action, tam_answer kind, uint32_t seq,
                      double now_ms) {
  if (envelope->is_panel) {
    int is_good = kind == TAM_ANSWER_DONE;
    tam_json_write_object_begin(json);
    write_success(json, is_good, is_good ? envelope->done : envelope->failed);
    return;
  }
  uint8_t text[NAME_MAX];
  tam_buf name;
  tam_buf_init_fixed(&name, text, sizeof(text));
  if (envelope->is_type_style) {
    tam_buf_append_text(&name, tam_names_at("progress\0"
                                            "response\0"
                                            "error\0",
                                            kind));
  } else {
    tam_buf_append_text(&name, action);
    tam_buf_append_text(&name, tam_names_at(":progress\0"
                                            ":done\0"
                                            ":error\0",
                                            kind));
  }
  tam_answer_open(json, envelope, tam_buf_span(&name));
  tam_json_write_number_member(json, "seq", (double)envelope->first_seq + seq);
  tam_json_write_number_member(json, "ts", now_ms);
}

void tam_answer_write_error(tam_buf *json, const tam_envelope *envelope,
                            const tam_failure *failure) {
  int is_old = envelope->is_type_style || envelope->is_panel;
  if (failure->model.len > 0 && !envelope->is_panel) {
    tam_json_write_string_member(json, "modelId", failure->model);
  }
  tam_json_write_name_member(json, "code", tam_strerror(failure->error));
  tam_json_write_string_member(
      json, is_old ? "error" : "message",
      tam_span_head_utf8(failure->message, MESSAGE_MAX));
  if (envelope->is_panel) {
    return;
  }
  tam_json_write_name_member(json, "stage", failure->stage);
  if (failure->status != 0) {
    tam_json_write_number_member(json, "status", failure->status);
  }
  tam_json_write_key(json, "retryable");
  tam_json_write_bool(json, failure->is_retryable);
  if (failure->remedy != NULL) {
    tam_json_write_name_member(json, "userAction", failure->remedy);
  }
  if (failure->more.len > 0) {
    tam_json_write_raw(json, failure->more);
  }
}
