// SPDX-License-Identifier: Apache-2.0
// A message that is longer than an event, on its way: its pieces are put
// together. One at a time. It ends with exactly one word, whatever happens.
#ifndef TAM_PROTOCOL_PIECES_H
#define TAM_PROTOCOL_PIECES_H

#include "core/speaker.h"

typedef struct tam_pieces {
  const tam_mem *mem;
  tam_action_queue *queue;
  uint32_t op; // whose message it is; 0: there is none
  tam_buf text;
  tam_speaker speaker; // has its last word, should it not become complete
} tam_pieces;

void tam_pieces_init(tam_pieces *self, tam_action_queue *queue,
                     const tam_mem *mem);

// Takes a piece, of the message that is there or of a new one. Returns 1 when
// it was the last one: the text is complete, and must be ended. Returns 0 when
// there is more to come, or when the message has failed, which has been said.
// Errors: OUT_OF_MEMORY, for the first piece only.
int tam_pieces_take(tam_pieces *self, const tam_event *event, double now_ms);

// Returns the text that is complete.
tam_span tam_pieces_text(const tam_pieces *self);

// Ends it with |error|, which is said.
void tam_pieces_fail(tam_pieces *self, int error, double now_ms);

// Ends it without a word, if there is one: somebody else answers.
void tam_pieces_end(tam_pieces *self);

#endif // TAM_PROTOCOL_PIECES_H
