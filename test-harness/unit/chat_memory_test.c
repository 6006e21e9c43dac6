// SPDX-License-Identifier: Apache-2.0
// Each allocation of loading and answering fails once, and from many on all
// fail. Each operation ends with one word, and the next one works.
#include "chat_scenarios.h"

// Returns 0 when the talk needs fewer allocations.
static int fail_memory(const scenario *test, size_t nth, int fail_after) {
  chat_host host;
  begin(&host, test);
  check_heap *heap = &host.host.heap;
  heap->fail_after = fail_after;
  heap->fail_at = heap->allocations + nth;
  talk(&host, test);
  int is_failed = heap->allocations >= heap->fail_at;
  int is_told = !is_failed;
  for (uint32_t op = 1; op <= host.last_op; op++) {
    const char *end = chat_host_end_of(&host, op);
    // A command for which there is no memory at all is not even begun; and a
    // warning is worth having without its reason.
    is_told |= end == NULL || strstr(end, NO_MEMORY) != NULL ||
               strstr(end, "webgpu was not used: \"") != NULL;
  }
  CHECK(is_told);
  check_after(&host);
  chat_host_free(&host);
  return is_failed;
}

static void test_every_allocation(void) {
  for (size_t i = 0; i < SCENARIOS; i++) {
    size_t nth = 1;
    while (fail_memory(&scenarios[i], nth, 0)) {
      if (nth % 4 == 0) {
        fail_memory(&scenarios[i], nth, 1);
      }
      nth++;
    }
    CHECK(nth > 200);
  }
}

int main(void) {
  RUN(test_every_allocation);
  return check_finish();
}
