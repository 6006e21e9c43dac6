// SPDX-License-Identifier: Apache-2.0
#include "chat/runtime.h"

#include "core/mem.h"
#include "core/names.h"

#include <string.h>

// The longest order: the messages of a chat.
#define ORDER_MAX (UINT32_C(16) << 20)

typedef struct runtime_order {
  struct runtime_order *next;
  uint32_t id;
  uint32_t op; // 0: it is kept
  int makes;   // something that lives on when it has ended
  int has_ended;
  // Memory for telling the host that it is over: that must not fail.
  tam_action_node *farewell;
} runtime_order;

struct tam_runtime {
  const tam_mem *mem;
  tam_action_queue *queue;
  runtime_order *first;
  tam_buf text; // of the order that is being written
  uint32_t last_id;
};

int tam_runtime_new(tam_runtime **pruntime, tam_action_queue *queue,
                    const tam_mem *mem) {
  tam_runtime *runtime = tam_mem_calloc(mem, 1, sizeof(*runtime));
  if (runtime == NULL) {
    return TAM_ERR_OUT_OF_MEMORY;
  }
  runtime->mem = mem;
  runtime->queue = queue;
  runtime->last_id = TAM_RUNTIME_ID_MIN;
  tam_buf_init(&runtime->text, mem, ORDER_MAX);
  *pruntime = runtime;
  return 0;
}

static void order_del(tam_runtime *runtime, runtime_order *self) {
  tam_mem_free(runtime->mem, self->farewell);
  tam_mem_free(runtime->mem, self);
}

void tam_runtime_del(tam_runtime *runtime) {
  if (runtime == NULL) {
    return;
  }
  while (runtime->first != NULL) {
    runtime_order *self = runtime->first;
    runtime->first = self->next;
    order_del(runtime, self);
  }
  tam_buf_free(&runtime->text);
  tam_mem_free(runtime->mem, runtime);
}

tam_buf *tam_runtime_begin(tam_runtime *runtime, const char *verb) {
  tam_buf_reset(&runtime->text);
  tam_json_write_object_begin(&runtime->text);
  tam_json_write_name_member(&runtime->text, "do", verb);
  return &runtime->text;
}

// Returns an order that is not in the list yet, or NULL.
static runtime_order *order_new(tam_runtime *runtime, uint32_t op) {
  runtime_order *self = tam_mem_calloc(runtime->mem, 1, sizeof(*self));
  if (self == NULL) {
    return NULL;
  }
  self->farewell = tam_action_node_new(runtime->mem, 0);
  if (self->farewell == NULL) {
    order_del(runtime, self);
    return NULL;
  }
  runtime->last_id =
      runtime->last_id == UINT32_MAX ? TAM_RUNTIME_ID_MIN : runtime->last_id;
  self->id = ++runtime->last_id;
  self->op = op;
  return self;
}

static uint32_t submit(tam_runtime *runtime, uint32_t op, tam_span bytes,
                       int makes) {
  tam_buf *text = &runtime->text;
  tam_json_write_object_end(text);
  tam_action_node *node =
      text->error == 0
          ? tam_action_node_new(runtime->mem, text->len + bytes.len)
          : NULL;
  runtime_order *self = node == NULL ? NULL : order_new(runtime, op);
  if (self == NULL) {
    tam_mem_free(runtime->mem, node);
    return 0;
  }
  uint8_t *to = (uint8_t *)(node + 1);
  memcpy(to, text->data, text->len);
  node->action.first.len = text->len;
  if (bytes.len > 0) {
    memcpy(to + text->len, bytes.ptr, bytes.len);
    node->action.second = (tam_span){to + text->len, bytes.len};
  }
  node->action.kind = TAM_ACTION_RUNTIME;
  node->action.op = op;
  node->action.request = self->id;
  self->makes = makes;
  self->next = runtime->first;
  runtime->first = self;
  tam_action_queue_push(runtime->queue, node);
  return self->id;
}

uint32_t tam_runtime_submit(tam_runtime *runtime, uint32_t op, tam_span bytes) {
  return submit(runtime, op, bytes, 0);
}

uint32_t tam_runtime_make(tam_runtime *runtime, uint32_t op, tam_span bytes) {
  return submit(runtime, op, bytes, 1);
}

static runtime_order **find_link(tam_runtime *runtime, uint32_t id) {
  runtime_order **plink = &runtime->first;
  while (*plink != NULL && (*plink)->id != id) {
    plink = &(*plink)->next;
  }
  return plink;
}

void tam_runtime_keep(tam_runtime *runtime, uint32_t request) {
  runtime_order *self = *find_link(runtime, request);
  if (self != NULL) {
    self->op = 0;
  }
}

static void drop_at(tam_runtime *runtime, runtime_order **plink) {
  runtime_order *self = *plink;
  *plink = self->next;
  tam_action_node *node = self->farewell;
  self->farewell = NULL;
  node->action.kind = TAM_ACTION_ABORT;
  node->action.op = self->op;
  node->action.request = self->id;
  tam_action_queue_push(runtime->queue, node);
  order_del(runtime, self);
}

void tam_runtime_drop(tam_runtime *runtime, uint32_t request) {
  runtime_order **plink = find_link(runtime, request);
  if (*plink != NULL) {
    drop_at(runtime, plink);
  }
}

void tam_runtime_close_op(tam_runtime *runtime, uint32_t op) {
  runtime_order **plink = &runtime->first;
  while (*plink != NULL) {
    if ((*plink)->op == op) {
      drop_at(runtime, plink);
    } else {
      plink = &(*plink)->next;
    }
  }
}

// ---------------------------------------------------------------------------
// Events

// By these words platforms say that memory is short, and that a device of
// WebGPU is gone.
static const char memory_words[] = "out of memory\0"
                                   "bad_alloc\0"
                                   "memory.grow\0"
                                   "allocation failed\0"
                                   "failed to allocate\0";
static const char lost_words[] = "device lost\0"
                                 "device is lost\0"
                                 "device was lost\0"
                                 "device] is lost\0";

static int error_said(tam_span words) {
  return tam_names_find_within(memory_words, words) >= 0 ? TAM_ERR_OUT_OF_MEMORY
         : tam_names_find_within(lost_words, words) >= 0
             ? TAM_ERR_DEVICE_LOST
             : TAM_ERR_RUNTIME_FAILED;
}

// Returns the error called |name|, or 0.
static int error_named(tam_span name) {
#define TAM_ERROR(symbol, number, wire_name, cause)                            \
  if (tam_span_is(name, wire_name)) {                                          \
    return number;                                                             \
  }
#include "tam_error.def"
#undef TAM_ERROR
  return 0;
}

// Takes "code: message" apart; what has no code is what the platform said.
static void read_failure(tam_span words, tam_runtime_report *report) {
  size_t end = tam_span_find_byte(words, ':');
  int error = error_named(tam_span_head(words, end));
  report->kind = TAM_RUNTIME_FAILED;
  report->error = error != 0 ? error : error_said(words);
  report->data =
      error != 0 ? tam_span_trim(tam_span_from(words, end + 1)) : words;
}

int tam_runtime_feed(tam_runtime *runtime, const tam_event *event,
                     tam_runtime_report *preport) {
  memset(preport, 0, sizeof(*preport));
  runtime_order *self = *find_link(runtime, event->request);
  if (self == NULL) {
    return 0;
  }
  if (self->has_ended) {
    return TAM_ERR_INVALID_STATE;
  }
  preport->op = self->op;
  preport->request = self->id;
  preport->row = event->status;
  preport->data = event->payload;
  switch (event->kind) {
  case TAM_EVENT_RUNTIME_DATA:
    preport->kind = TAM_RUNTIME_DATA;
    break;
  case TAM_EVENT_RUNTIME_PROGRESS:
    preport->kind = TAM_RUNTIME_PROGRESS;
    break;
  case TAM_EVENT_RUNTIME_END:
    preport->kind = TAM_RUNTIME_END;
    self->has_ended = 1;
    break;
  default:
    read_failure(event->payload, preport);
    self->makes = 0;
    break;
  }
  if (preport->kind >= TAM_RUNTIME_END && !self->makes) {
    *find_link(runtime, self->id) = self->next;
    order_del(runtime, self);
  }
  return 0;
}
