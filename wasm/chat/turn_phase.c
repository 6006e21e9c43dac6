// SPDX-License-Identifier: Apache-2.0
#include "chat/chat_op.h"

// There is one set of sessions, and one cache that the next turn of a chat
// wants to find: whoever came first has both.
static int turn_start(tam_chat_op *op) {
  const tam_chat_op *other = op->chat->first;
  while (other != op && (other->is_ended || !other->verb->takes_turn)) {
    other = other->next;
  }
  op->turn_ms = op->chat->now_ms;
  return other == op ? TAM_CHAT_NEXT : TAM_CHAT_WAIT;
}

const tam_chat_phase tam_chat_turn_phase = {
    .stage = "waiting",
    .start = turn_start,
    .advance = turn_start,
};
