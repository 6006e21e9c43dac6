// SPDX-License-Identifier: Apache-2.0
#include "core/event.h"

void tam_event_begin(tam_buf *json, const char *type) {
  tam_json_write_object_begin(json);
  tam_json_write_name_member(json, "type", type);
  tam_json_write_number_member(json, "protocolVersion", TAM_PROTOCOL_VERSION);
}

int tam_event_send(tam_action_queue *queue, uint32_t flags, tam_buf *json) {
  tam_json_write_object_end(json);
  int error = tam_action_queue_put(queue, TAM_ACTION_MESSAGE, 0, flags, json);
  tam_buf_free(json);
  return error;
}
