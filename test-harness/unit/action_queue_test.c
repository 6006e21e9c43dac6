// SPDX-License-Identifier: Apache-2.0
// The queue of actions: order, removal at every place, and who frees what.
#include "core/action_queue.h"

#include "check.h"

typedef struct fixture {
  check_heap heap;
  tam_mem mem;
  tam_action_queue queue;
} fixture;

static void start(fixture *f) {
  memset(f, 0, sizeof(*f));
  f->mem = check_heap_mem(&f->heap);
  tam_action_queue_init(&f->queue, &f->mem);
}

static void first_in_first_out(void) {
  fixture f;
  tam_action_node nodes[3] = {0};
  start(&f);
  for (uint32_t i = 0; i < 3; i++) {
    nodes[i].action.op = i + 1;
    tam_action_queue_push(&f.queue, &nodes[i]);
  }
  for (uint32_t i = 0; i < 3; i++) {
    CHECK(tam_action_queue_pop(&f.queue) == &nodes[i].action);
  }
  CHECK(tam_action_queue_pop(&f.queue) == NULL);
}

static void removal_at_every_place(void) {
  for (uint32_t removed = 0; removed < 3; removed++) {
    fixture f;
    tam_action_node nodes[3] = {0};
    start(&f);
    for (size_t i = 0; i < 3; i++) {
      tam_action_queue_push(&f.queue, &nodes[i]);
    }
    tam_action_queue_remove(&f.queue, &nodes[removed]);
    tam_action_queue_remove(&f.queue, &nodes[removed]);
    for (uint32_t i = 0; i < 3; i++) {
      if (i != removed) {
        CHECK(tam_action_queue_pop(&f.queue) == &nodes[i].action);
      }
    }
    CHECK(tam_action_queue_pop(&f.queue) == NULL);
    tam_action_queue_push(&f.queue, &nodes[removed]);
    CHECK(tam_action_queue_pop(&f.queue) == &nodes[removed].action);
  }
}

// An owned node lives as long as the host may look at its action.
static void owned_nodes_are_freed(void) {
  fixture f;
  start(&f);
  for (int i = 0; i < 3; i++) {
    tam_action_queue_push(&f.queue, tam_action_node_new(&f.mem, 8));
  }
  const tam_action *action = tam_action_queue_pop(&f.queue);
  CHECK_INT(action->first.len, 8);
  CHECK_INT(f.heap.live, 3);
  tam_action_queue_pop(&f.queue);
  CHECK_INT(f.heap.live, 2);
  tam_action_queue_release(&f.queue);
  CHECK_INT(f.heap.live, 1);
  tam_action_queue_free(&f.queue);
  CHECK_INT(f.heap.live, 0);
}

static void no_memory(void) {
  fixture f;
  start(&f);
  f.heap.fail_at = 1;
  CHECK(tam_action_node_new(&f.mem, 8) == NULL);
  CHECK_INT(f.heap.live, 0);
}

int main(void) {
  RUN(first_in_first_out);
  RUN(removal_at_every_place);
  RUN(owned_nodes_are_freed);
  RUN(no_memory);
  return check_finish();
}
