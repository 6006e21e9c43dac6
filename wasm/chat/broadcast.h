// SPDX-License-Identifier: Apache-2.0
// What TabAgent's panel hears of loads and answers: messages that belong to no
// request. They are written only when somebody listens.
#ifndef TAM_CHAT_BROADCAST_H
#define TAM_CHAT_BROADCAST_H

#include "chat/chat_op.h"

// The bar of the panel; |status| is one of LoadingStatusTypes, |total| 0 when
// nothing is fetched. Errors, as of all of these: OUT_OF_MEMORY.
int tam_broadcast_loading(tam_chat_op *op, const char *status, tam_span file,
                          double loaded, double total);

// What whoever outlives this process has to know: which model was loaded last,
// which one is being loaded, and which one comes back with the next request for
// an answer. If a load never ends, it brought the process down; until it does,
// no model comes back by itself.
typedef enum tam_remember {
  TAM_REMEMBER_LOADING = 0,
  TAM_REMEMBER_LOADED,
  TAM_REMEMBER_FAILED,
  TAM_REMEMBER_GONE // what was loaded does not come back by itself
} tam_remember;

int tam_broadcast_remember(tam_chat_op *op, tam_remember what);

// The model of the chat can be used.
int tam_broadcast_ready(tam_chat_op *op);

// The event of the operation's verb, without a payload.
int tam_broadcast_event(tam_chat_op *op);

// A piece of an answer; an empty one, of an answer that goes on; and its end.
int tam_broadcast_token(tam_chat_op *op, tam_span text);
int tam_broadcast_standing(tam_chat_op *op);
int tam_broadcast_answer(tam_chat_op *op);

// The operation has failed with |error|; op->why says how. It is told as far as
// memory goes.
void tam_broadcast_failure(tam_chat_op *op, int error);

#endif // TAM_CHAT_BROADCAST_H
