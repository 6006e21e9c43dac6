// SPDX-License-Identifier: Apache-2.0
// Messages that belong to no request: {type, protocolVersion, payload}.
#ifndef TAM_CORE_EVENT_H
#define TAM_CORE_EVENT_H

#include "core/action_queue.h"
#include "core/json_write.h"

// Opens the message |type| in |json|. Its payload, if it has one, comes next.
void tam_event_begin(tam_buf *json, const char *type);

// Completes and queues the message, and frees |json|; |flags| are
// TAM_MESSAGE_FLAG_*. Errors: that of |json|, OUT_OF_MEMORY.
int tam_event_send(tam_action_queue *queue, uint32_t flags, tam_buf *json);

#endif // TAM_CORE_EVENT_H
