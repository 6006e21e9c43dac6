// SPDX-License-Identifier: Apache-2.0
// Sends the messages of one operation: numbers them, and keeps memory aside so
// that the terminal one can always be sent.
#ifndef TAM_CORE_SPEAKER_H
#define TAM_CORE_SPEAKER_H

#include "core/action_queue.h"
#include "core/answer.h"

// The longest message. An answer has at most 16 MiB of text; progress of 5,000
// models has about 1 MB, and 28 MB with the longest names that a hostile Hub
// can send, each character escaped.
#define TAM_SPEAKER_MESSAGE_MAX (UINT32_C(32) << 20)

typedef struct tam_speaker {
  tam_action_queue *queue;
  const char *action;    // names the messages: "load:done"
  uint32_t op;           // the host's number of the operation
  uint32_t seq;          // of the next message
  uint32_t again_seq;    // messages below it were sent before a kill
  int is_quiet;          // nobody listens to progress
  tam_envelope envelope; // its texts lie below
  tam_buf id;
  tam_buf members; // of the envelope, for a panel
  tam_action_node *last_words;
} tam_speaker;

// Makes |self| ready. |action| is a constant, |envelope| is copied. |self| must
// be freed in any case. Errors: OUT_OF_MEMORY, TOO_LARGE (texts of |envelope|).
int tam_speaker_init(tam_speaker *self, tam_action_queue *queue,
                     const char *action, uint32_t op,
                     const tam_envelope *envelope, const tam_mem *mem);
void tam_speaker_free(tam_speaker *self);

// Begins a message of |kind| in |json|, which it initialises: writes name, id,
// number and time. The caller writes further members; in the older style those
// of a DONE are put into an object "result".
void tam_speaker_begin(const tam_speaker *self, tam_answer kind, double now_ms,
                       tam_buf *json);

// Completes and queues a message of |kind|, and frees |json|. Errors: that of
// |json|, OUT_OF_MEMORY; nothing is queued then.
int tam_speaker_say(tam_speaker *self, tam_answer kind, tam_buf *json);

// The same for a message that says only that the operation goes on: it is
// marked "resumed", and uses up no number.
int tam_speaker_say_standing(tam_speaker *self, tam_buf *json);

// Sends the terminal error. It cannot fail: when memory is short the members
// |failure->more| are left out.
void tam_speaker_fail(tam_speaker *self, const tam_failure *failure,
                      double now_ms);

#endif // TAM_CORE_SPEAKER_H
