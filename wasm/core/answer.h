// SPDX-License-Identifier: Apache-2.0
// What all messages to a caller have in common, and how an error looks.
#ifndef TAM_CORE_ANSWER_H
#define TAM_CORE_ANSWER_H

#include "core/json_write.h"

// The longest id of a caller as JSON text; the terminal message in memory that
// was set aside must hold it.
#define TAM_CALLER_ID_MAX 512

typedef enum tam_answer {
  TAM_ANSWER_PROGRESS = 0,
  TAM_ANSWER_DONE,
  TAM_ANSWER_ERROR
} tam_answer;

// To whom the messages of a request go, and in which style.
typedef struct tam_envelope {
  tam_span id;       // the caller's id as JSON text
  int is_type_style; // messages are named by "type" instead of "action"
  // The request came from TabAgent's panel. It gets one answer: {success:
  // true}, or {success: false, error, code}. Everything else is broadcast.
  int is_panel;
  // Further members of the panel's answer, as JSON text: after success, and
  // after a failure. With |failed|, a failure is told as a success, too.
  tam_span done;
  tam_span failed;
  uint32_t first_seq; // number of the first message; not 0 after a kill
} tam_envelope;

// What a terminal error tells.
typedef struct tam_failure {
  int error;
  const char *stage;  // what was being done: "params", "listing", ...
  tam_span message;   // for people
  tam_span model;     // the repository it is about, may be empty
  uint32_t status;    // the Hub's answer behind it, 0: none
  int is_retryable;   // the same request may succeed later
  const char *remedy; // what the user can do, NULL: nothing
  tam_span more;      // further members as JSON text, may be empty
} tam_failure;

// Returns 1 when the same request may succeed later, without any change.
int tam_error_is_retryable(int error);

// Returns what the user can do about |error|, or NULL.
const char *tam_error_remedy(int error);

// Opens a message object and writes its name, id and version; a panel's has
// none of them.
void tam_answer_open(tam_buf *json, const tam_envelope *envelope,
                     tam_span name);

// The same for a message of the operation |action|, which is named
// "<action>:progress", ":done" or ":error", with its number and time.
void tam_answer_begin(tam_buf *json, const tam_envelope *envelope,
                      const char *action, tam_answer kind, uint32_t seq,
                      double now_ms);

// Writes the members of a terminal error: model, code, message, stage, status,
// retryable, and what the user can do. Old clients read the sentence under
// "error".
void tam_answer_write_error(tam_buf *json, const tam_envelope *envelope,
                            const tam_failure *failure);

#endif // TAM_CORE_ANSWER_H
