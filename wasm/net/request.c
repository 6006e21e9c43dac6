// SPDX-License-Identifier: Apache-2.0
#include "net/request.h"

#include "core/mem.h"
#include "core/span.h"

#include <string.h>

static size_t request_text_len(const tam_net_request *source) {
  return source->url.len + source->headers.len;
}

TAM_SPAN_INLINE tam_span copy_span(uint8_t *to, tam_span text) {
  if (text.len > 0) {
    memcpy(to, text.ptr, text.len);
  }
  return (tam_span){to, text.len};
}

tam_request *tam_request_new(const tam_net_request *source,
                             const tam_mem *mem) {
  tam_request *self =
      tam_mem_malloc(mem, sizeof(*self) + request_text_len(source));
  if (self == NULL) {
    return NULL;
  }
  memset(self, 0, sizeof(*self));
  uint8_t *text = (uint8_t *)(self + 1);
  self->source = *source;
  self->source.url = copy_span(text, source->url);
  self->source.headers = copy_span(text + source->url.len, source->headers);
  self->fetch.action.kind = TAM_ACTION_FETCH;
  self->fetch.action.op = source->op;
  self->fetch.action.flags = source->flags;
  self->fetch.action.first = self->source.url;
  self->fetch.action.second = self->source.headers;
  self->abort.action.kind = TAM_ACTION_ABORT;
  self->abort.action.op = source->op;
  return self;
}

void tam_request_wipe(tam_request *self) {
  tam_mem_wipe(self + 1, request_text_len(&self->source));
}

void tam_request_drop_header(tam_request *self, tam_span header) {
  tam_span *headers = &self->source.headers;
  size_t at = tam_span_find(*headers, header);
  if (at == headers->len) {
    return;
  }
  uint8_t *text = (uint8_t *)(self + 1) + self->source.url.len;
  size_t rest = headers->len - at - header.len;
  memmove(text + at, text + at + header.len, rest);
  headers->len -= header.len;
  tam_mem_wipe(text + headers->len, header.len);
  self->fetch.action.second = *headers;
}

void tam_request_del(tam_request *self, const tam_mem *mem) {
  tam_request_wipe(self);
  tam_mem_free(mem, self);
}

void tam_request_queue_init(tam_request_queue *queue) {
  queue->next = queue;
  queue->previous = queue;
}

tam_request *tam_request_queue_first(const tam_request_queue *queue) {
  return queue->next == queue ? NULL : (tam_request *)queue->next;
}

void tam_request_enqueue(tam_request *self, tam_request_queue *next) {
  self->link.next = next;
  self->link.previous = next->previous;
  next->previous->next = &self->link;
  next->previous = &self->link;
}

void tam_request_enqueue_by_due(tam_request *self, tam_request_queue *queue) {
  tam_request_queue *next = queue;
  while (next->previous != queue &&
         ((tam_request *)next->previous)->due_ms > self->due_ms) {
    next = next->previous;
  }
  tam_request_enqueue(self, next);
}

void tam_request_dequeue(tam_request *self) {
  self->link.next->previous = self->link.previous;
  self->link.previous->next = self->link.next;
}
