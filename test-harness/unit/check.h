// SPDX-License-Identifier: Apache-2.0
// The unit tests' whole framework: named tests, checks that count and print
// where they failed, and an allocator that knows what is still alive. Runs
// natively and inside WebAssembly.
#ifndef TAM_TEST_CHECK_H
#define TAM_TEST_CHECK_H

#include "core/span.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int check_failures;
static int check_count;

#define CHECK(condition)                                                       \
  do {                                                                         \
    check_count++;                                                             \
    if (!(condition)) {                                                        \
      check_failures++;                                                        \
      printf("%s:%d: failed: %s\n", __FILE__, __LINE__, #condition);           \
    }                                                                          \
  } while (0)

#define CHECK_INT(actual, expected)                                            \
  do {                                                                         \
    long long actual_ = (long long)(actual);                                   \
    long long expected_ = (long long)(expected);                               \
    check_count++;                                                             \
    if (actual_ != expected_) {                                                \
      check_failures++;                                                        \
      printf("%s:%d: %s is %lld, expected %lld\n", __FILE__, __LINE__,         \
             #actual, actual_, expected_);                                     \
    }                                                                          \
  } while (0)

#define CHECK_SPAN(actual, literal)                                            \
  do {                                                                         \
    tam_span actual_ = (actual);                                               \
    check_count++;                                                             \
    if (!tam_span_eq(actual_, TAM_SPAN(literal))) {                            \
      check_failures++;                                                        \
      printf("%s:%d: %s is \"%.*s\", expected \"%s\"\n", __FILE__, __LINE__,   \
             #actual, (int)actual_.len,                                        \
             actual_.len > 0 ? (const char *)actual_.ptr : "", literal);       \
    }                                                                          \
  } while (0)

#define RUN(test)                                                              \
  do {                                                                         \
    int before_ = check_failures;                                              \
    test();                                                                    \
    printf("%s %s\n", check_failures == before_ ? "ok" : "NOT OK", #test);     \
  } while (0)

// Prints the verdict and returns the exit status of the test program.
static inline int check_finish(void) {
  printf("%d checks, %d failures\n", check_count, check_failures);
  return check_failures == 0 && check_count > 0 ? 0 : 1;
}

// An allocator that counts, fails on demand and shows reads of stale memory:
// fresh blocks are filled with 0xa5, freed ones with 0x5a.
typedef struct check_heap {
  size_t live;       // blocks not freed yet
  size_t live_bytes; // their size
  size_t peak_bytes;
  size_t allocations; // malloc and realloc calls so far
  size_t fail_at;     // the allocation, counted from 1, that fails; 0: none
  int fail_after;     // 1: every later one fails as well
} check_heap;

typedef union check_block {
  size_t size;
  max_align_t align;
} check_block;

static inline int check_heap_must_fail(check_heap *heap) {
  heap->allocations++;
  return heap->fail_at != 0 &&
         (heap->allocations == heap->fail_at ||
          (heap->fail_after && heap->allocations > heap->fail_at));
}

static inline void *check_heap_malloc(size_t size, void *user_data) {
  check_heap *heap = user_data;
  if (check_heap_must_fail(heap)) {
    return NULL;
  }
  check_block *block = malloc(sizeof(*block) + size);
  if (block == NULL) {
    return NULL;
  }
  block->size = size;
  memset(block + 1, 0xa5, size);
  heap->live++;
  heap->live_bytes += size;
  if (heap->live_bytes > heap->peak_bytes) {
    heap->peak_bytes = heap->live_bytes;
  }
  return block + 1;
}

static inline void check_heap_free(void *ptr, void *user_data) {
  check_heap *heap = user_data;
  if (ptr == NULL) {
    return;
  }
  check_block *block = (check_block *)ptr - 1;
  heap->live--;
  heap->live_bytes -= block->size;
  memset(ptr, 0x5a, block->size);
  free(block);
}

static inline void *check_heap_realloc(void *ptr, size_t size,
                                       void *user_data) {
  void *fresh = check_heap_malloc(size, user_data);
  if (fresh != NULL && ptr != NULL) {
    size_t old = ((check_block *)ptr - 1)->size;
    memcpy(fresh, ptr, old < size ? old : size);
    check_heap_free(ptr, user_data);
  }
  return fresh;
}

static inline tam_mem check_heap_mem(check_heap *heap) {
  tam_mem mem = {heap, check_heap_malloc, check_heap_realloc, check_heap_free};
  return mem;
}

// A life of some object, which ends with nothing left: 0 or more, or the first
// error.
typedef int (*check_life)(const tam_mem *mem, const char *request);

// Lives |live|, which returns |status|, with each allocation failing, and from
// every other one all.
static inline void check_allocations(check_life live, const char *request,
                                     int status) {
  check_heap all = {0};
  tam_mem mem = check_heap_mem(&all);
  CHECK_INT(live(&mem, request), status);
  CHECK_INT(all.live, 0);
  CHECK(all.allocations > 0);
  for (size_t at = 1; at <= all.allocations; at++) {
    check_heap heap = {.fail_at = at, .fail_after = at % 2 == 0};
    mem = check_heap_mem(&heap);
    CHECK_INT(live(&mem, request), TAM_ERR_OUT_OF_MEMORY);
    CHECK_INT(heap.live, 0);
  }
}

#endif // TAM_TEST_CHECK_H
