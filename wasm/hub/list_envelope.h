// SPDX-License-Identifier: Apache-2.0
// What all messages of a listing have in common, and how an error looks.
#ifndef TAM_HUB_LIST_ENVELOPE_H
#define TAM_HUB_LIST_ENVELOPE_H

#include "core/json_write.h"

typedef enum tam_list_message {
  TAM_LIST_MESSAGE_PROGRESS = 0,
  TAM_LIST_MESSAGE_DONE,
  TAM_LIST_MESSAGE_ERROR
} tam_list_message;

// Who is spoken to, and how.
typedef struct tam_list_envelope {
  tam_span id;       // the caller's id as JSON text
  int is_type_style; // messages are named by "type" instead of "action"
} tam_list_envelope;

// What a terminal error tells.
typedef struct tam_list_failure {
  int error;
  const char *stage; // what was being done: "params", "listing", "configs"
  tam_span message;  // for people
  uint32_t status;   // the Hub's answer behind it, 0: none
} tam_list_failure;

// Opens a message object and writes its name, id and version.
void tam_list_write_envelope(tam_buf *json, const tam_list_envelope *envelope,
                             tam_span name);

// The same for a message of a listing, with its number and time.
void tam_list_write_begin(tam_buf *json, const tam_list_envelope *envelope,
                          tam_list_message message, uint32_t seq,
                          double now_ms);

// Writes the members of a terminal error: code, message, stage, status,
// retryable, and what the user can do. Old clients read the sentence under
// "error".
void tam_list_write_error(tam_buf *json, const tam_list_envelope *envelope,
                          const tam_list_failure *failure);

#endif // TAM_HUB_LIST_ENVELOPE_H
