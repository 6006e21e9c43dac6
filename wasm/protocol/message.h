// SPDX-License-Identifier: Apache-2.0
// The envelope of a request: which one it is, in which of the two styles, for
// whom. {action, id, params} and {type, id, params} are both spoken, and the
// parameters may also stand beside the id.
#ifndef TAM_PROTOCOL_MESSAGE_H
#define TAM_PROTOCOL_MESSAGE_H

#include "chat/chat.h"
#include "core/answer.h"
#include "core/buf.h"
#include "core/json_tree.h"
#include "store/store.h"

// The longest id, in bytes of its JSON text.
#define TAM_MESSAGE_ID_MAX 512

typedef enum tam_request_name {
  TAM_REQUEST_UNKNOWN = 0,
  TAM_REQUEST_LIST_CHAT_MODELS,
  TAM_REQUEST_CANCEL_LIST_CHAT_MODELS,
  TAM_REQUEST_RESUME_JOBS,
  TAM_REQUEST_STORE, // one of the store's verbs
  TAM_REQUEST_CHAT   // one of the chat's
} tam_request_name;

typedef struct tam_message {
  tam_json_node *root;
  tam_request_name name;
  tam_span name_text;             // as sent; valid as long as |root|
  const tam_store_verb *verb;     // of a STORE request
  const tam_chat_verb *chat_verb; // of a CHAT request
  tam_envelope envelope;       // of the answer; without an id until it is read
  tam_buf id;                  // JSON text: a string, a number or null
  const tam_json_node *params; // inside |root|
  int params_are_nested;       // else they stand among the other fields
  int is_resumed;  // the job goes on that another life of the program began
  int is_restored; // nobody asked for it just now
} tam_message;

// Reads |text| into |message|, which must be freed in every case. Returns 0,
// or OUT_OF_MEMORY, a JSON_ error, TOO_LARGE, or MALFORMED_MESSAGE (not an
// object with a string "action" or "type", or an id of another kind); |*pwhy|
// is then a sentence about it.
int tam_message_parse(tam_message *message, tam_span text, const char **pwhy,
                      const tam_mem *mem);
void tam_message_free(tam_message *message, const tam_mem *mem);

#endif // TAM_PROTOCOL_MESSAGE_H
