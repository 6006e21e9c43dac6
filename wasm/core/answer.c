// SPDX-License-Identifier: Apache-2.0
#include "core/answer.h"

#include "core/names.h"

// A message quotes values of the caller; this much of it is enough to see
// which, and fits wherever a message is written.
#define MESSAGE_MAX 512

// The longest name of a message.
#define NAME_MAX 64

void tam_answer_open(tam_buf *json, const tam_envelope *envelope,
                     tam_span name) {
  tam_json_write_object_begin(json);
  tam_json_write_string_member(
      json, envelope->is_type_style ? "type" : "action", name);
  tam_json_write_key(json, "id");
  tam_json_write_raw(json, envelope->id);
  tam_json_write_number_member(json, "protocolVersion", TAM_PROTOCOL_VERSION);
}

void tam_answer_begin(tam_buf *json, const tam_envelope *envelope,
                      const char *action, tam_answer kind, uint32_t seq,
                      double now_ms) {
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
  tam_json_write_number_member(json, "seq", seq);
  tam_json_write_number_member(json, "ts", now_ms);
}

void tam_answer_write_error(tam_buf *json, const tam_envelope *envelope,
                            const tam_failure *failure) {
  tam_json_write_name_member(json, "code", tam_strerror(failure->error));
  tam_json_write_string_member(
      json, envelope->is_type_style ? "error" : "message",
      tam_span_head_utf8(failure->message, MESSAGE_MAX));
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
