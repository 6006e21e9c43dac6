// SPDX-License-Identifier: Apache-2.0
// What TabAgent's panel hears of loads and answers: messages that belong to no
// request. They are written only when somebody listens.
#ifndef TAM_CHAT_BROADCAST_H
#define TAM_CHAT_BROADCAST_H

#include "chat/chat_op.h"

// The bar of the panel; |status| is one of LoadingStatusTypes. Errors, as of
// all of these: OUT_OF_MEMORY.
int tam_broadcast_loading(tam_chat_op *op, const char *status, double progress,
                          tam_span file);

// The model of the chat can be used.
int tam_broadcast_ready(tam_chat_op *op);

// A piece of an answer, and its end.
int tam_broadcast_token(tam_chat_op *op, tam_span text);
int tam_broadcast_answer(tam_chat_op *op);

// The operation has failed; op->why says how. It is told as far as memory goes.
void tam_broadcast_failure(tam_chat_op *op);

#endif // TAM_CHAT_BROADCAST_H
