// SPDX-License-Identifier: Apache-2.0
// The state of one operation, shared by the phases and by nobody else.
#ifndef TAM_CHAT_CHAT_OP_H
#define TAM_CHAT_CHAT_OP_H

#include "chat/chat.h"
#include "chat/phase.h"
#include "chat/run.h"
#include "chat/saved_settings.h"
#include "core/speaker.h"

// The longest text of a request in bytes: a chat of some million words.
#define TAM_CHAT_TEXT_MAX (UINT32_C(8) << 20)

// The longest sentence about an error.
#define TAM_CHAT_WHY_MAX 512

// Messages of progress come at most this often, but for those with tokens.
#define TAM_CHAT_PROGRESS_PERIOD_MS 100.0

typedef struct tam_chat_load tam_chat_load;
typedef struct tam_chat_answer tam_chat_answer;
typedef struct tam_chat_settings tam_chat_settings;

struct tam_chat_verb {
  const char *name;                    // of its messages
  const tam_chat_phase *const *phases; // ends with NULL
  const tam_chat_phase *const *again;  // when it goes on; NULL: it cannot
  const char *params;                  // names of those that it takes
  // Makes what the operation needs of its parameters: 0 or an error.
  int (*prepare)(tam_chat_op *op, const tam_chat_request *request);
  // Writes the members of the terminal message; NULL: there are none.
  void (*write_done)(tam_chat_op *op, tam_buf *json);
  const char *event;  // that all hear of when it is done, or NULL
  uint8_t has_chat;   // its request has the text of a chat
  uint8_t takes_turn; // one such operation runs at a time
  uint8_t is_limited; // only so many of them may wait
};

struct tam_chat {
  tam_chat_host host;
  tam_runtime *runtime;
  tam_chat_op *first;       // in the order of their start
  tam_chat_model *model;    // that is loaded, or NULL
  tam_saved_settings saved; // for the model that is loaded
  // Parameters of the load of a model that is not there, but comes back when
  // somebody needs it; empty: none does.
  tam_buf released;
  double now_ms;
};

struct tam_chat_op {
  tam_chat *chat;
  tam_chat_op *next;
  const tam_chat_verb *verb;
  const tam_chat_phase *const *phase; // the present one, and those after it
  tam_speaker speaker;
  tam_buf text; // of the request
  int has_text; // 1: |text| is complete
  tam_buf why;  // what went wrong, for people
  int is_prepared;
  int is_broadcast; // somebody listens to messages for everybody
  int is_ended;
  double started_ms;
  double turn_ms;     // when its turn began
  double patient_ms;  // the order that runs fails after this time; 0: none does
  uint32_t waits_for; // the order that was submitted last, or 0

  tam_run run; // the pass that is under way, or was last

  tam_chat_load *load;         // of an operation that loads
  tam_chat_answer *answer;     // of one that generates
  tam_chat_settings *settings; // of one that tells or changes them
};

// Sets |text| as the sentence about |error|, and returns |error|.
int tam_chat_op_fail(tam_chat_op *op, int error, const char *text);

// The same for an order that failed.
int tam_chat_op_runtime_failed(tam_chat_op *op,
                               const tam_runtime_report *report);

// Begins an order for the operation.
tam_buf *tam_chat_op_order(tam_chat_op *op, const char *verb);

// Submit the order with |bytes| behind it, and store its number in
// op->waits_for; with make, what the order makes is known by that number.
// Return WAIT or OUT_OF_MEMORY.
int tam_chat_op_submit(tam_chat_op *op, tam_span bytes);
int tam_chat_op_make(tam_chat_op *op, tam_span bytes);

// Ends the answers of all operations except |but| with the text so far; with
// |with_loads|, ends loads as well.
void tam_chat_stop_all(tam_chat *chat, const tam_chat_op *but, int with_loads);

// --- reload_phase.c

// Writes the parameters of a load of the model that a request for an answer
// runs on, whether it is there or has to come back; null: there is none.
void tam_chat_write_wanted(const tam_chat *chat, tam_buf *json);

// --- control_phase.c

void tam_chat_write_state(tam_chat_op *op, tam_buf *json);

// --- settings_phase.c

int tam_chat_settings_prepare(tam_chat_op *op, const tam_chat_request *request);
int tam_chat_update_settings_prepare(tam_chat_op *op,
                                     const tam_chat_request *request);
void tam_chat_settings_del(tam_chat_settings *settings, tam_chat *chat);
void tam_chat_write_settings(tam_chat_op *op, tam_buf *json);

// Forgets the saved settings, which somebody else has changed: they are read
// again when they are needed.
int tam_chat_forget_settings_prepare(tam_chat_op *op,
                                     const tam_chat_request *request);

// --- load.c

int tam_chat_load_prepare(tam_chat_op *op, const tam_chat_request *request);
void tam_chat_load_write_done(tam_chat_op *op, tam_buf *json);
void tam_chat_load_del(tam_chat_load *load, tam_chat *chat);

// --- answer.c

int tam_chat_answer_prepare(tam_chat_op *op, const tam_chat_request *request);
void tam_chat_answer_write_done(tam_chat_op *op, tam_buf *json);
void tam_chat_answer_del(tam_chat_answer *answer, tam_chat *chat);

// Returns 0, or INVALID_PARAMS: a setting of the prompt is of another kind.
int tam_chat_check_prompt_settings(tam_chat_op *op,
                                   const tam_json_node *settings);

// Ends the answer of |op| with the text so far.
int tam_chat_answer_stop(tam_chat_op *op);

// --- wake_phase.c

// Reads what the answer goes on from. Errors: INVALID_ARGUMENT, OUT_OF_MEMORY.
int tam_chat_wake_prepare(tam_chat_op *op, const tam_chat_request *request);

#endif // TAM_CHAT_CHAT_OP_H
