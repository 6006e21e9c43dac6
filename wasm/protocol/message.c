// SPDX-License-Identifier: Apache-2.0
#include "protocol/message.h"

#include "chat/json_walk.h"
#include "core/event_names.h"
#include "core/json_text.h"
#include "core/json_write.h"
#include "core/names.h"

#include <string.h>

// The longest number that can be an id: what JavaScript writes has at most 24
// characters.
#define NUMBER_MAX 64U

// The longest name of a request that is known, with room to spare.
#define NAME_MAX 64U

static const char names[] = "listChatModels\0"
                            "resumeJobs\0"
                            // Older clients cancel under other names.
                            "cancelListChatModels\0"
                            "cancelLoadChatModels\0"
                            "cancelLoad\0";

// ---------------------------------------------------------------------------
// Which request it is

static tam_span member(tam_span object, const char *name) {
  return tam_json_walk_member(object, name);
}

static int is_nothing(tam_span raw) {
  return raw.len == 0 || tam_span_is(raw, "null");
}

static void find_verb(tam_message *message, tam_span name) {
  int place = tam_names_find(names, name);
  message->verb = tam_store_find_verb(name);
  message->chat_verb = tam_chat_find_verb(name);
  message->account_verb = tam_account_find_verb(name);
  message->name = place == 0              ? TAM_REQUEST_LIST_CHAT_MODELS
                  : place == 1            ? TAM_REQUEST_RESUME_JOBS
                  : place > 1             ? TAM_REQUEST_CANCEL_LIST_CHAT_MODELS
                  : message->verb != NULL ? TAM_REQUEST_STORE
                  : message->chat_verb != NULL ? TAM_REQUEST_CHAT
                  : message->account_verb != TAM_ACCOUNT_NONE
                      ? TAM_REQUEST_ACCOUNT
                      : TAM_REQUEST_UNKNOWN;
}

static void find_panel_request(tam_message *message, tam_span name) {
  tam_envelope *envelope = &message->envelope;
  const tam_panel_request *panel = tam_panel_request_find(name);
  message->panel = panel;
  envelope->is_panel = 1;
  envelope->is_type_style = 0;
  if (panel == NULL) {
    message->name = tam_panel_request_is_foreign(name) ? TAM_REQUEST_FOREIGN
                                                       : TAM_REQUEST_UNKNOWN;
  } else if (panel->verb == NULL) {
    message->name = TAM_REQUEST_PANEL;
  } else {
    find_verb(message, tam_span_of(panel->verb));
  }
}

// |name| is the raw text of a string.
static void find_request(tam_message *message, tam_span text, tam_span name) {
  uint8_t decoded[NAME_MAX];
  tam_span raw = tam_span_head(tam_span_from(name, 1), name.len - 2);
  size_t len = tam_json_unescape(raw, decoded, sizeof(decoded));
  tam_span known = {decoded, len == SIZE_MAX ? 0 : len};
  tam_envelope *envelope = &message->envelope;
  find_verb(message, known);
  if (!envelope->is_panel && !envelope->is_type_style) {
    return;
  }
  int has_payload = !is_nothing(member(text, "payload"));
  int is_known = message->name != TAM_REQUEST_UNKNOWN;
  if (tam_panel_request_find(known) != NULL
          ? envelope->is_panel || has_payload || !is_known
          : envelope->is_panel && !is_known) {
    find_panel_request(message, known);
  } else {
    envelope->is_panel = 0;
    envelope->is_type_style = 1;
  }
}

static int message_read_name(tam_message *message, tam_span text,
                             const char **pwhy) {
  tam_span name = member(text, "action");
  if (name.len == 0) {
    name = member(text, "type");
    message->envelope.is_panel = is_nothing(member(text, "id"));
    message->envelope.is_type_style = !message->envelope.is_panel;
  }
  if (name.len == 0 || name.ptr[0] != '"') {
    *pwhy = "a message needs an action or a type, a string";
    return TAM_ERR_MALFORMED_MESSAGE;
  }
  find_request(message, text, name);
  return 0;
}

// ---------------------------------------------------------------------------
// Its parameters, and its chat

// Finds the object in which the parameters stand.
static int find_params(tam_message *message, tam_span text, const char **pwhy) {
  int is_panel = message->envelope.is_panel;
  tam_span nested = member(text, is_panel ? "payload" : "params");
  message->params_are_nested = !is_panel && nested.len > 0;
  message->params_text = nested.len > 0 ? nested : text;
  if (!is_panel || nested.len == 0) {
    return 0;
  }
  if (is_nothing(nested)) {
    message->params_text = text;
  } else if (nested.ptr[0] != '{' && message->panel != NULL &&
             message->panel->reads_payload) {
    *pwhy = "payload: expected an object";
    return TAM_ERR_MALFORMED_MESSAGE;
  }
  return 0;
}

static tam_span find_chat(tam_span params) {
  const char *at = TAM_CHAT_MEMBERS;
  tam_span found = TAM_SPAN_NONE;
  for (; found.len == 0 && *at != '\0'; at += tam_text_len(at) + 1) {
    found = member(params, at);
  }
  return found;
}

// Writes |object| without the member whose value is |but|. What the panel calls
// options are settings.
static void write_without(tam_span object, tam_span but, int is_panel,
                          tam_buf *json) {
  tam_json_walk walk;
  tam_span key;
  tam_span value;
  int is_first = 1;
  tam_buf_append_byte(json, '{');
  tam_json_walk_begin(&walk, object);
  while (tam_json_walk_next(&walk, &key, &value)) {
    if (value.ptr == but.ptr) {
      continue;
    }
    if (is_panel && tam_json_raw_is(key, "options")) {
      key = TAM_SPAN("settings");
    }
    tam_buf_append(json, is_first ? TAM_SPAN("\"") : TAM_SPAN(",\""));
    tam_buf_append(json, key);
    tam_buf_append(json, TAM_SPAN("\":"));
    tam_buf_append(json, value);
    is_first = 0;
  }
  tam_buf_append_byte(json, '}');
}

// Takes the chat out of |*ptext|.
static void message_cut(tam_message *message, tam_span *ptext) {
  tam_span params = tam_span_trim(message->params_text);
  tam_buf *rest = &message->rest;
  if (!tam_chat_verb_has_chat(message->chat_verb) || params.ptr[0] != '{') {
    return;
  }
  size_t before = (size_t)(params.ptr - ptext->ptr);
  message->chat = find_chat(params);
  tam_buf_append(rest, tam_span_head(*ptext, before));
  write_without(params, message->chat, message->envelope.is_panel, rest);
  size_t end = rest->len;
  tam_buf_append(rest, tam_span_from(*ptext, before + params.len));
  *ptext = tam_buf_span(rest);
  message->params_text =
      tam_span_head(tam_span_from(*ptext, before), end - before);
}

static void message_read_params(tam_message *message) {
  const tam_json_node *root = message->root;
  const tam_json_node *nested = tam_json_get_member(
      root,
      message->envelope.is_panel ? TAM_SPAN("payload") : TAM_SPAN("params"));
  int is_there = message->envelope.is_panel
                     ? tam_json_get_kind(nested) == TAM_JSON_KIND_OBJECT
                     : nested != NULL;
  message->params = is_there ? nested : root;
  message->is_resumed =
      tam_json_get_bool(tam_json_get_member(root, TAM_SPAN("resume")));
  message->is_restored =
      tam_json_get_bool(tam_json_get_member(root, TAM_SPAN("restore")));
}

// ---------------------------------------------------------------------------
// The whole

// An id has to come back as it went out, to the last digit.
static int message_read_id(tam_message *message, tam_span text,
                           const char **pwhy) {
  const tam_json_node *id = tam_json_get_member(message->root, TAM_SPAN("id"));
  tam_span raw = member(text, "id");
  switch (tam_json_get_kind(id)) {
  case TAM_JSON_KIND_STRING:
    tam_json_write_string(&message->id, tam_json_get_string(id));
    break;
  case TAM_JSON_KIND_NUMBER:
    tam_buf_append(&message->id, raw.len > NUMBER_MAX ? TAM_SPAN_NONE : raw);
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

static int message_read_tree(tam_message *message, tam_span text,
                             const char **pwhy, const tam_mem *mem) {
  int error = message->rest.error;
  if (error == 0) {
    error = tam_json_tree_parse(&message->root, text, mem);
  }
  if (error == TAM_ERR_TOO_LARGE) {
    *pwhy = "besides its chat a request has at most 65536 bytes";
  }
  return error;
}

int tam_message_parse(tam_message *message, tam_span text, const char **pwhy,
                      const tam_mem *mem) {
  memset(message, 0, sizeof(*message));
  tam_buf_init(&message->id, mem, TAM_CALLER_ID_MAX);
  tam_buf_init(&message->rest, mem, TAM_JSON_TREE_LEN_MAX);
  message->envelope.id = TAM_SPAN("null");
  *pwhy = "the message is not JSON";
  int error = tam_json_check(text);
  if (error != 0) {
    return error;
  }
  if (tam_span_starts_with(text, TAM_SPAN("\xef\xbb\xbf"))) {
    text = tam_span_from(text, 3);
  }
  text = tam_span_trim(text);
  if (text.ptr[0] != '{') {
    *pwhy = "a message is an object";
    return TAM_ERR_MALFORMED_MESSAGE;
  }
  // What is wrong with the name is said to whoever has the id.
  int name_error = message_read_name(message, text, pwhy);
  if (name_error == 0) {
    name_error = find_params(message, text, pwhy);
  }
  const char *why = "the message is not JSON";
  tam_span rest = text;
  if (name_error == 0) {
    message_cut(message, &rest);
  }
  error = message_read_tree(message, rest, &why, mem);
  if (error == 0) {
    error = message_read_id(message, text, &why);
  }
  if (error != 0) {
    *pwhy = why;
    return error;
  }
  const char *name =
      message->envelope.is_type_style || message->envelope.is_panel ? "type"
                                                                    : "action";
  message->name_text = tam_json_get_string(
      tam_json_get_member(message->root, tam_span_of(name)));
  message_read_params(message);
  return name_error;
}

void tam_message_free(tam_message *message, const tam_mem *mem) {
  tam_json_tree_free(message->root, mem);
  tam_buf_free(&message->id);
  tam_buf_wipe(&message->rest); // a token may be in it
}
