// SPDX-License-Identifier: Apache-2.0
// Size classes with a free list each, four to a doubling: a request is rounded
// up by a fifth at the most. Nothing is merged: the core asks for the same few
// sizes again and again, and a class never holds more than it held at its peak.
#include "abi/heap.h"

#include <string.h>

#define PAGE_SIZE   65536U
#define HEADER_SIZE 16U // keeps blocks aligned
#define CLASS_COUNT 128U

// The largest block: beyond it the sum with the header could overflow.
#define BLOCK_MAX 0x40000000U

typedef struct block {
  uint32_t size_class;
  struct block *next; // in the free list
} block;

extern uint8_t __heap_base; // where static data and stack end

static block *free_lists[CLASS_COUNT];
static uint8_t *top; // of the memory handed out so far

// Classes 4k to 4k+3 hold 16, 20, 24 and 28 times 2^k bytes.
static uint32_t class_of(uint32_t size) {
  if (size <= 16) {
    return 0;
  }
  uint32_t last = size - 1;
  uint32_t shift = 27U - (uint32_t)__builtin_clz(last);
  return shift * 4 + ((last >> (shift + 2)) & 3U) + 1;
}

static uint32_t class_size(uint32_t size_class) {
  return (4 + (size_class & 3U)) << (size_class / 4 + 2);
}

static int heap_grow(const uint8_t *end) {
  uintptr_t have = (uintptr_t)__builtin_wasm_memory_size(0) * PAGE_SIZE;
  if ((uintptr_t)end <= have) {
    return 1;
  }
  uintptr_t pages = ((uintptr_t)end - have + PAGE_SIZE - 1) / PAGE_SIZE;
  return __builtin_wasm_memory_grow(0, pages) != SIZE_MAX;
}

// Takes fresh memory for a block of |size_class|.
static block *heap_extend(uint32_t size_class) {
  if (top == NULL) {
    top = (uint8_t *)(((uintptr_t)&__heap_base + HEADER_SIZE - 1) &
                      ~(uintptr_t)(HEADER_SIZE - 1));
  }
  uint32_t size =
      (class_size(size_class) + HEADER_SIZE - 1) & ~(HEADER_SIZE - 1);
  uint8_t *end = top + HEADER_SIZE + size;
  if (end < top || !heap_grow(end)) {
    return NULL;
  }
  block *fresh = (block *)(void *)top;
  fresh->size_class = size_class;
  top = end;
  return fresh;
}

static block *block_of(void *ptr) {
  return (block *)(void *)((uint8_t *)ptr - HEADER_SIZE);
}

static void *heap_malloc(size_t size, void *user_data) {
  (void)user_data;
  if (size > BLOCK_MAX) {
    return NULL;
  }
  uint32_t size_class = class_of((uint32_t)size);
  block *found = free_lists[size_class];
  if (found != NULL) {
    free_lists[size_class] = found->next;
  } else {
    found = heap_extend(size_class);
  }
  return found == NULL ? NULL : (uint8_t *)found + HEADER_SIZE;
}

static void heap_free(void *ptr, void *user_data) {
  (void)user_data;
  block *freed = block_of(ptr);
  freed->next = free_lists[freed->size_class];
  free_lists[freed->size_class] = freed;
}

static void *heap_realloc(void *ptr, size_t size, void *user_data) {
  if (ptr == NULL) {
    return heap_malloc(size, user_data);
  }
  size_t have = class_size(block_of(ptr)->size_class);
  if (size <= have) {
    return ptr;
  }
  void *fresh = heap_malloc(size, user_data);
  if (fresh != NULL) {
    memcpy(fresh, ptr, have);
    heap_free(ptr, user_data);
  }
  return fresh;
}

const tam_mem *tam_heap_mem(void) {
  static const tam_mem mem = {NULL, heap_malloc, heap_realloc, heap_free};
  return &mem;
}
