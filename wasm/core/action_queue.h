// SPDX-License-Identifier: Apache-2.0
// The queue of actions that wait for the host: an intrusive list, so that
// putting something into it cannot fail.
#ifndef TAM_CORE_ACTION_QUEUE_H
#define TAM_CORE_ACTION_QUEUE_H

#include "core/buf.h"

// An action with its link. Whoever owns the memory sets |action| and pushes
// the node. |owned| nodes come from tam_action_node_new and are freed by the
// queue once the host is done with them.
typedef struct tam_action_node {
  tam_action action;
  struct tam_action_node *next;
  struct tam_action_node *previous;
  int is_queued;
  int owned;
} tam_action_node;

typedef struct tam_action_queue {
  const tam_mem *mem;
  tam_action_node *first;
  tam_action_node *last;
  tam_action_node *shown; // an owned node whose action the host is looking at
} tam_action_queue;

// Makes |queue| empty. |mem| is kept.
void tam_action_queue_init(tam_action_queue *queue, const tam_mem *mem);

// Frees every owned node.
void tam_action_queue_free(tam_action_queue *queue);

// Creates an owned node whose |first| span has room for |len| bytes behind the
// node itself. Returns NULL when memory is short.
tam_action_node *tam_action_node_new(const tam_mem *mem, size_t len);

// Appends an owned action of |kind| for |op| whose first span is a copy of
// |text|. Errors: the one of |text|, OUT_OF_MEMORY (nothing is queued).
int tam_action_queue_put(tam_action_queue *queue, tam_action_kind kind,
                         uint32_t op, uint32_t flags, const tam_buf *text);

// The same for an action about |request|.
int tam_action_queue_put_request(tam_action_queue *queue, tam_action_kind kind,
                                 uint32_t op, uint32_t request, uint32_t flags,
                                 const tam_buf *text);

// Appends |node|, which must not be queued.
void tam_action_queue_push(tam_action_queue *queue, tam_action_node *node);

// Takes |node| out when it is queued; else nothing. Does not free it.
void tam_action_queue_remove(tam_action_queue *queue, tam_action_node *node);

// Removes and returns the first action, or NULL. It stays valid until the next
// call of this function, for embedded nodes as long as their owner lives.
const tam_action *tam_action_queue_pop(tam_action_queue *queue);

// Frees the owned node handed out by the last pop, if any.
void tam_action_queue_release(tam_action_queue *queue);

#endif // TAM_CORE_ACTION_QUEUE_H
