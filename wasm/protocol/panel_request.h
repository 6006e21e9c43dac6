// SPDX-License-Identifier: Apache-2.0
// Which messages TabAgent's panel sends; see protocol/panel_request.def.
#ifndef TAM_PROTOCOL_PANEL_REQUEST_H
#define TAM_PROTOCOL_PANEL_REQUEST_H

#include "tam.h"

typedef enum tam_panel_action {
  TAM_PANEL_VERB = 0,
  TAM_PANEL_NOTHING, // there is nothing to do
  TAM_PANEL_RELAY,   // all hear it
  TAM_PANEL_STATE,
  TAM_PANEL_READY,
  TAM_PANEL_RESTORE,
  TAM_PANEL_MEMORY,
  TAM_PANEL_POPUP_CREATED,
  TAM_PANEL_POPUP_OF_TAB,
  TAM_PANEL_CONNECTED,
  TAM_PANEL_DISCONNECTED,
  TAM_PANEL_PONG,
  TAM_PANEL_CONFIGURE,
  TAM_PANEL_RELEASE
} tam_panel_action;

typedef struct tam_panel_request {
  const char *name;
  const char *verb; // or NULL
  uint8_t action;   // a tam_panel_action
  uint8_t reads_payload;
} tam_panel_request;

// Returns the request called |name|, or NULL. Static.
const tam_panel_request *tam_panel_request_find(tam_span name);

// Returns 1 when messages of the type |name| are for other parts of TabAgent:
// they must get no answer.
int tam_panel_request_is_foreign(tam_span name);

// What begins so is of the database.
#define TAM_PANEL_FOREIGN_PREFIX "Db"

// TabAgent's own defaults: those that it really sends to the model. They stand
// behind saved settings.
#define TAM_PANEL_DEFAULTS                                                     \
  "{\"temperature\":0.2,\"max_new_tokens\":1024,\"top_k\":3,"                  \
  "\"do_sample\":true}"

#endif // TAM_PROTOCOL_PANEL_REQUEST_H
