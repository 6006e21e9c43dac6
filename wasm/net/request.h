// SPDX-License-Identifier: Apache-2.0
// One request of the pool with everything it will ever need, so that retries,
// timeouts and aborts need no further memory.
#ifndef TAM_NET_REQUEST_H
#define TAM_NET_REQUEST_H

#include "net/net.h"

typedef enum tam_request_state {
  TAM_REQUEST_WAITING = 0, // wait: a slot, the bucket's limit
  TAM_REQUEST_DELAYED,     // wait: the time of the next attempt
  TAM_REQUEST_SENT,        // wait: the head of the answer, or the timeout
  TAM_REQUEST_BODY,        // wait: the body, or the timeout
  TAM_REQUEST_DEAD         // wait: the host takes the abort action
} tam_request_state;

// A ring through a head that is in no request.
typedef struct tam_request_queue {
  struct tam_request_queue *next;
  struct tam_request_queue *previous;
} tam_request_queue;

struct tam_net_op;

typedef struct tam_request {
  tam_request_queue link;   // in the queue it stands in; must come first
  struct tam_request *twin; // the same request, sent again for being late
  struct tam_net_op *op;
  tam_request_state state;
  uint32_t id;   // of the present attempt; the next one gets another
  uint32_t kept; // bytes of its body that the host has told of
  unsigned failures;
  double sent_at_ms;
  double due_ms;          // DELAYED, SENT, BODY: the time to look at it again
  double give_up_at_ms;   // SENT, BODY: the attempt's timeout
  tam_net_request source; // the texts stand behind this
  tam_action_node fetch;
  tam_action_node abort;
} tam_request;

// Creates a request from |source|, whose texts are copied. Returns NULL when
// memory is short.
tam_request *tam_request_new(const tam_net_request *source, const tam_mem *mem);

// Overwrites the URL and the headers: they may hold a token.
void tam_request_wipe(tam_request *self);

// Takes |header|, a whole line, out of the headers.
void tam_request_drop_header(tam_request *self, tam_span header);

// Wipes and frees |self|, which must be in no queue.
void tam_request_del(tam_request *self, const tam_mem *mem);

void tam_request_queue_init(tam_request_queue *queue);

// Returns the first request, or NULL.
tam_request *tam_request_queue_first(const tam_request_queue *queue);

// Puts |self|, which must be in no queue, in front of |next|: a link of another
// request, or the queue itself, which stands for its end.
void tam_request_enqueue(tam_request *self, tam_request_queue *next);

// Puts |self|, which must be in no queue, into one that is in the order of
// |due_ms|. Late times are found fast.
void tam_request_enqueue_by_due(tam_request *self, tam_request_queue *queue);

// Takes |self| out of the queue in which it must be.
void tam_request_dequeue(tam_request *self);

#endif // TAM_NET_REQUEST_H
