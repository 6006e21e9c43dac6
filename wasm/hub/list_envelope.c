// SPDX-License-Identifier: Apache-2.0
#include "hub/list_envelope.h"

#include "core/names.h"

// A message quotes values of the caller; this much of it is enough to see
// which, and fits wherever a message is written.
#define MESSAGE_MAX 512

void tam_list_write_envelope(tam_buf *json, const tam_list_envelope *envelope,
                             tam_span name) {
  tam_json_write_object_begin(json);
  tam_json_write_string_member(
      json, envelope->is_type_style ? "type" : "action", name);
  tam_json_write_key(json, "id");
  tam_json_write_raw(json, envelope->id);
  tam_json_write_number_member(json, "protocolVersion", TAM_PROTOCOL_VERSION);
}

void tam_list_write_begin(tam_buf *json, const tam_list_envelope *envelope,
                          tam_list_message message, uint32_t seq,
                          double now_ms) {
  const char *names = envelope->is_type_style ? "progress\0"
                                                "response\0"
                                                "error\0"
                                              : "listChatModels:progress\0"
                                                "listChatModels:done\0"
                                                "listChatModels:error\0";
  tam_list_write_envelope(json, envelope,
                          tam_span_of(tam_names_at(names, message)));
  tam_json_write_number_member(json, "seq", seq);
  tam_json_write_number_member(json, "ts", now_ms);
}

// A server in trouble may recover; a question that was refused stays refused.
static int is_refusal(uint32_t status) {
  return status >= 400 && status < 500;
}

static const char *listing_action(uint32_t status) {
  if (status == 401 || status == 403) {
    return "Give an access token that may read this.";
  }
  return is_refusal(status)
             ? "Check the query, the cursor and the Hub's address."
             : "Check the connection to the Hub and try again.";
}

// Returns what the user can do about it, or NULL when nothing, and stores
// whether the same request may succeed later.
static const char *user_action(const tam_list_failure *failure,
                               int *pretryable) {
  *pretryable = 1;
  switch (failure->error) {
  case TAM_ERR_BUSY:
    return "Wait for a running listing to end.";
  case TAM_ERR_OUT_OF_MEMORY:
    return "Ask for fewer candidates or close other tabs.";
  case TAM_ERR_LISTING_FAILED:
    *pretryable = !is_refusal(failure->status);
    return listing_action(failure->status);
  default:
    *pretryable = 0;
    return failure->error == TAM_ERR_INVALID_PARAMS
               ? "Correct the named parameter."
               : NULL;
  }
}

void tam_list_write_error(tam_buf *json, const tam_list_envelope *envelope,
                          const tam_list_failure *failure) {
  tam_json_write_name_member(json, "code", tam_strerror(failure->error));
  tam_json_write_string_member(
      json, envelope->is_type_style ? "error" : "message",
      tam_span_head_utf8(failure->message, MESSAGE_MAX));
  tam_json_write_name_member(json, "stage", failure->stage);
  if (failure->status != 0) {
    tam_json_write_number_member(json, "status", failure->status);
  }
  int is_retryable;
  const char *action = user_action(failure, &is_retryable);
  tam_json_write_key(json, "retryable");
  tam_json_write_bool(json, is_retryable);
  if (action != NULL) {
    tam_json_write_name_member(json, "userAction", action);
  }
}
