// SPDX-License-Identifier: Apache-2.0
#include "protocol/message.h"

#include "core/json_scan.h"
#include "core/json_write.h"
#include "core/names.h"

#include <string.h>

static tam_request_name name_of(tam_span text) {
  // Older clients cancel under other names.
  switch (tam_names_find("listChatModels\0"
                         "resumeJobs\0"
                         "cancelListChatModels\0"
                         "cancelLoadChatModels\0"
                         "cancelLoad\0",
                         text)) {
  case -1:
    return TAM_REQUEST_UNKNOWN;
  case 0:
    return TAM_REQUEST_LIST_CHAT_MODELS;
  case 1:
    return TAM_REQUEST_RESUME_JOBS;
  default:
    return TAM_REQUEST_CANCEL_LIST_CHAT_MODELS;
  }
}

// The longest number that can be an id: what JavaScript writes has at most 24
// characters.
#define NUMBER_MAX 64U

// Returns how the number under |name| in the object |text|, which has been
// parsed before, is spelled: an id has to come back as it went out, to the last
// digit. Empty when it is too long.
static tam_span find_number(tam_span text, tam_span name) {
  uint8_t scratch[NUMBER_MAX * TAM_JSON_ESCAPE_RATIO];
  tam_json_scan scan;
  tam_span key;
  tam_span number = TAM_SPAN_NONE;
  tam_json_scan_init(&scan, scratch, sizeof(scratch));
  tam_json_scan_input(&scan, text);
  (void)tam_json_scan_next(&scan); // the object begins
  while (tam_json_scan_next(&scan) == TAM_JSON_KEY) {
    if (!tam_json_scan_text(&scan, NUMBER_MAX, &key) ||
        !tam_span_eq(key, name)) {
      tam_json_scan_skip(&scan);
      continue;
    }
    number = TAM_SPAN_NONE; // of several members the last one counts
    int token = tam_json_scan_next(&scan);
    if (token == TAM_JSON_NUMBER &&
        !tam_json_scan_text(&scan, NUMBER_MAX, &number)) {
      number = TAM_SPAN_NONE;
    } else if (token == TAM_JSON_OBJECT || token == TAM_JSON_ARRAY) {
      tam_json_scan_skip(&scan);
    }
  }
  return number;
}

static int message_read_id(tam_message *message, tam_span text,
                           const char **pwhy) {
  const tam_json_node *id = tam_json_get_member(message->root, TAM_SPAN("id"));
  switch (tam_json_get_kind(id)) {
  case TAM_JSON_KIND_STRING:
    tam_json_write_string(&message->id, tam_json_get_string(id));
    break;
  case TAM_JSON_KIND_NUMBER:
    tam_buf_append(&message->id, find_number(text, TAM_SPAN("id")));
    break;
  case TAM_JSON_KIND_MISSING:
  case TAM_JSON_KIND_NULL:
    tam_json_write_null(&message->id);
    break;
  default:
    *pwhy = "id must be a string or a number";
    return TAM_ERR_MALFORMED_MESSAGE;
  }
  int error = message->id.error;
  if (error == TAM_ERR_TOO_LARGE || (error == 0 && message->id.len == 0)) {
    *pwhy = "id must be at most 500 bytes, a number at most 64";
    return TAM_ERR_MALFORMED_MESSAGE;
  }
  message->envelope.id = tam_buf_span(&message->id);
  return error;
}

static int message_read_name(tam_message *message, const char **pwhy) {
  const tam_json_node *name =
      tam_json_get_member(message->root, TAM_SPAN("action"));
  if (name == NULL) {
    name = tam_json_get_member(message->root, TAM_SPAN("type"));
    message->envelope.is_type_style = 1;
  }
  if (tam_json_get_kind(name) != TAM_JSON_KIND_STRING) {
    *pwhy = "a message needs an action or a type, a string";
    return TAM_ERR_MALFORMED_MESSAGE;
  }
  message->name_text = tam_json_get_string(name);
  message->name = name_of(message->name_text);
  message->verb = tam_store_find_verb(message->name_text);
  if (message->verb != NULL) {
    message->name = TAM_REQUEST_STORE;
  }
  message->chat_verb = tam_chat_find_verb(message->name_text);
  if (message->chat_verb != NULL) {
    message->name = TAM_REQUEST_CHAT;
  }
  return 0;
}

static void message_read_params(tam_message *message) {
  const tam_json_node *nested =
      tam_json_get_member(message->root, TAM_SPAN("params"));
  message->params_are_nested = nested != NULL;
  message->params = nested != NULL ? nested : message->root;
  message->is_resumed =
      tam_json_get_bool(tam_json_get_member(message->root, TAM_SPAN("resume")));
  message->is_restored = tam_json_get_bool(
      tam_json_get_member(message->root, TAM_SPAN("restore")));
}

int tam_message_parse(tam_message *message, tam_span text, const char **pwhy,
                      const tam_mem *mem) {
  memset(message, 0, sizeof(*message));
  tam_buf_init(&message->id, mem, TAM_MESSAGE_ID_MAX);
  message->envelope.id = TAM_SPAN("null");
  *pwhy = "the message is not JSON";
  int error = tam_json_tree_parse(&message->root, text, mem);
  if (error != 0) {
    return error;
  }
  if (tam_json_get_kind(message->root) != TAM_JSON_KIND_OBJECT) {
    *pwhy = "a message is an object";
    return TAM_ERR_MALFORMED_MESSAGE;
  }
  error = message_read_id(message, text, pwhy);
  if (error == 0) {
    error = message_read_name(message, pwhy);
  }
  message_read_params(message);
  return error;
}

void tam_message_free(tam_message *message, const tam_mem *mem) {
  tam_json_tree_free(message->root, mem);
  tam_buf_free(&message->id);
}
