// SPDX-License-Identifier: Apache-2.0
// The set of ids that a listing has shown: each one is new exactly once.
#include "hub/seen_ids.h"

#include "check.h"

#define IDS 5000

static tam_span id_of(char *text, size_t size, unsigned number) {
  int len = snprintf(text, size, "owner-%u/model-%u", number % 7, number);
  return (tam_span){(const uint8_t *)text, (size_t)len};
}

static void test_each_id_is_new_once(void) {
  check_heap heap = {0};
  tam_mem mem = check_heap_mem(&heap);
  tam_seen_ids seen;
  char text[64];
  int news = 0;
  int repeats = 0;
  CHECK_INT(tam_seen_ids_init(&seen, IDS, 42, &mem), 0);
  for (unsigned i = 0; i < IDS; i++) {
    news += tam_seen_ids_add(&seen, id_of(text, sizeof(text), i));
    repeats += tam_seen_ids_add(&seen, id_of(text, sizeof(text), i / 2));
  }
  CHECK_INT(news, IDS);
  CHECK_INT(repeats, 0);
  tam_seen_ids_free(&seen);
  CHECK_INT(heap.live, 0);
}

static void test_asking_adds_nothing(void) {
  tam_mem mem = tam_mem_default();
  tam_seen_ids seen;
  CHECK_INT(tam_seen_ids_init(&seen, 1, 0, &mem), 0);
  CHECK_INT(tam_seen_ids_has(&seen, TAM_SPAN("a/b")), 0);
  CHECK_INT(tam_seen_ids_add(&seen, TAM_SPAN("a/b")), 1);
  CHECK_INT(tam_seen_ids_has(&seen, TAM_SPAN("a/b")), 1);
  CHECK_INT(tam_seen_ids_has(&seen, TAM_SPAN("A/b")), 0);
  CHECK_INT(tam_seen_ids_has(&seen, TAM_SPAN_NONE), 0);
  tam_seen_ids_free(&seen);
}

static void test_memory_may_be_short(void) {
  check_heap heap = {.fail_at = 1};
  tam_mem mem = check_heap_mem(&heap);
  tam_seen_ids seen;
  CHECK_INT(tam_seen_ids_init(&seen, IDS, 0, &mem), TAM_ERR_OUT_OF_MEMORY);
  tam_seen_ids_free(&seen);
  CHECK_INT(heap.live, 0);
}

int main(void) {
  RUN(test_each_id_is_new_once);
  RUN(test_asking_adds_nothing);
  RUN(test_memory_may_be_short);
  return check_finish();
}
