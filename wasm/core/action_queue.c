// SPDX-License-Identifier: Apache-2.0
#include "core/action_queue.h"

#include "core/mem.h"
#include "core/trap.h"

#include <string.h>

void tam_action_queue_init(tam_action_queue *queue, const tam_mem *mem) {
  memset(queue, 0, sizeof(*queue));
  queue->mem = mem;
}

void tam_action_queue_free(tam_action_queue *queue) {
  tam_action_queue_release(queue);
  while (queue->first != NULL) {
    tam_action_node *node = queue->first;
    tam_action_queue_remove(queue, node);
    if (node->owned) {
      tam_mem_free(queue->mem, node);
    }
  }
}

tam_action_node *tam_action_node_new(const tam_mem *mem, size_t len) {
  tam_action_node *node = tam_mem_malloc(mem, sizeof(*node) + len);
  if (node == NULL) {
    return NULL;
  }
  memset(node, 0, sizeof(*node));
  node->owned = 1;
  node->action.first.ptr = (const uint8_t *)(node + 1);
  node->action.first.len = len;
  return node;
}

int tam_action_queue_put(tam_action_queue *queue, tam_action_kind kind,
                         uint32_t op, uint32_t flags, const tam_buf *text) {
  return tam_action_queue_put_request(queue, kind, op, 0, flags, text);
}

int tam_action_queue_put_request(tam_action_queue *queue, tam_action_kind kind,
                                 uint32_t op, uint32_t request, uint32_t flags,
                                 const tam_buf *text) {
  if (text->error != 0) {
    return text->error;
  }
  tam_action_node *node = tam_action_node_new(queue->mem, text->len);
  if (node == NULL) {
    return TAM_ERR_OUT_OF_MEMORY;
  }
  if (text->len > 0) {
    memcpy(node + 1, text->data, text->len);
  }
  node->action.kind = kind;
  node->action.op = op;
  node->action.request = request;
  node->action.flags = flags;
  tam_action_queue_push(queue, node);
  return 0;
}

void tam_action_queue_push(tam_action_queue *queue, tam_action_node *node) {
  TAM_ASSERT(!node->is_queued);
  node->next = NULL;
  node->previous = queue->last;
  node->is_queued = 1;
  if (queue->last != NULL) {
    queue->last->next = node;
  } else {
    queue->first = node;
  }
  queue->last = node;
}

void tam_action_queue_remove(tam_action_queue *queue, tam_action_node *node) {
  if (!node->is_queued) {
    return;
  }
  if (node->previous != NULL) {
    node->previous->next = node->next;
  } else {
    queue->first = node->next;
  }
  if (node->next != NULL) {
    node->next->previous = node->previous;
  } else {
    queue->last = node->previous;
  }
  node->next = NULL;
  node->previous = NULL;
  node->is_queued = 0;
}

const tam_action *tam_action_queue_pop(tam_action_queue *queue) {
  tam_action_queue_release(queue);
  tam_action_node *node = queue->first;
  if (node == NULL) {
    return NULL;
  }
  tam_action_queue_remove(queue, node);
  if (node->owned) {
    queue->shown = node;
  }
  return &node->action;
}

void tam_action_queue_release(tam_action_queue *queue) {
  tam_mem_free(queue->mem, queue->shown);
  queue->shown = NULL;
}
