// SPDX-License-Identifier: Apache-2.0
// The envelope of a request: which one it is, in which of the three styles, for
// whom.
//
//   {action, id, params}  ours
//   {type, id, params}    of older clients of the listing
//   {type, payload}       of TabAgent's panel, which has no ids
//
// Parameters may also stand beside the name. A message with a type is of the
// panel when the panel sends such ones (see protocol/panel_request.def), but
// for the two names that mean something in both styles: with an id and without
// a payload they are of the older one. An unknown type without an id is
// answered as the panel expects.
//
// The text of a chat never becomes a tree: it is cut out of the message as it
// came, so U+0000 and lone surrogates survive, and it may be long.
#ifndef TAM_PROTOCOL_MESSAGE_H
#define TAM_PROTOCOL_MESSAGE_H

#include "account/account.h"
#include "chat/chat.h"
#include "core/answer.h"
#include "core/buf.h"
#include "core/json_tree.h"
#include "protocol/panel_request.h"
#include "store/store.h"

typedef enum tam_request_name {
  TAM_REQUEST_UNKNOWN = 0,
  TAM_REQUEST_LIST_CHAT_MODELS,
  TAM_REQUEST_CANCEL_LIST_CHAT_MODELS,
  TAM_REQUEST_RESUME_JOBS,
  TAM_REQUEST_STORE,   // one of the store's verbs
  TAM_REQUEST_CHAT,    // one of the chat's
  TAM_REQUEST_ACCOUNT, // of the account
  TAM_REQUEST_PANEL,   // of the panel, and none of all these
  TAM_REQUEST_FOREIGN
} tam_request_name;

typedef struct tam_message {
  tam_json_node *root; // of the message without its chat
  tam_request_name name;
  tam_span name_text;             // as sent; valid as long as |root|
  const tam_store_verb *verb;     // of a STORE request
  const tam_chat_verb *chat_verb; // of a CHAT request
  tam_account_verb account_verb;  // of an ACCOUNT request
  const tam_panel_request *panel; // of any request of the panel
  tam_envelope envelope;          // of the answer; without an id until it
                                  // is read
  tam_buf id;                     // JSON text: a string, a number or null
  tam_buf rest;                   // the text without the chat, if it has one
  const tam_json_node *params;    // inside |root|
  int params_are_nested;          // else they stand among the other fields
  tam_span params_text;           // raw, without the chat
  tam_span chat;                  // raw, or empty
  int is_resumed;  // the job goes on that another life of the program began
  int is_restored; // nobody asked for it just now
} tam_message;

// Reads |text|, which is needed as long as |message|; that must be freed in
// every case. Returns 0, or OUT_OF_MEMORY, a JSON_ error, TOO_LARGE, or
// MALFORMED_MESSAGE (not an object with a string "action" or "type", an id of
// another kind, or a payload that is no object); |*pwhy| is then a sentence
// about it.
int tam_message_parse(tam_message *message, tam_span text, const char **pwhy,
                      const tam_mem *mem);
void tam_message_free(tam_message *message, const tam_mem *mem);

#endif // TAM_PROTOCOL_MESSAGE_H
