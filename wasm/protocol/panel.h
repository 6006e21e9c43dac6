// SPDX-License-Identifier: Apache-2.0
// Answers the requests of TabAgent's panel that start no verb.
#ifndef TAM_PROTOCOL_PANEL_H
#define TAM_PROTOCOL_PANEL_H

#include "protocol/message.h"
#include "protocol/panels.h"

// What it works with; everything outlives the call.
typedef struct tam_panel_host {
  const tam_mem *mem;
  tam_action_queue *queue;
  tam_chat *chat;
  tam_panels *panels;
  double now_ms;
} tam_panel_host;

// Does what |message|, a request of the panel without a verb, asks for, and
// queues the answer, or has the chat give it, as the terminal message of |op|.
// |flags| are TAM_COMMAND_FLAG_*. Errors: OUT_OF_MEMORY; nothing was said then.
int tam_panel_answer(const tam_panel_host *host, const tam_message *message,
                     uint32_t op, uint32_t flags);

// Appends the request that waits for the login |message|, when the panel asks
// for one because it wants a model: that shall be loaded then.
void tam_panel_write_waiting(const tam_message *message, tam_buf *json);

#endif // TAM_PROTOCOL_PANEL_H
