// SPDX-License-Identifier: Apache-2.0
// The only file that names the C library's allocator.
#include "core/mem.h"

#include <stdlib.h>
#include <string.h>

static void *default_malloc(size_t size, void *user_data) {
  (void)user_data;
  return malloc(size);
}

static void *default_realloc(void *ptr, size_t size, void *user_data) {
  (void)user_data;
  return realloc(ptr, size);
}

static void default_free(void *ptr, void *user_data) {
  (void)user_data;
  free(ptr);
}

tam_mem tam_mem_default(void) {
  tam_mem mem = {NULL, default_malloc, default_realloc, default_free};
  return mem;
}

void *tam_mem_malloc(const tam_mem *mem, size_t size) {
  return mem->malloc(size, mem->user_data);
}

void *tam_mem_calloc(const tam_mem *mem, size_t count, size_t size) {
  if (size != 0 && count > SIZE_MAX / size) {
    return NULL;
  }
  void *ptr = tam_mem_malloc(mem, count * size);
  if (ptr != NULL) {
    memset(ptr, 0, count * size);
  }
  return ptr;
}

void *tam_mem_realloc(const tam_mem *mem, void *ptr, size_t count,
                      size_t size) {
  if (size != 0 && count > SIZE_MAX / size) {
    return NULL;
  }
  return mem->realloc(ptr, count * size, mem->user_data);
}

void tam_mem_wipe(void *ptr, size_t size) {
  if (size > 0) {
    memset(ptr, 0, size);
    // The compiler has to assume that this reads the zeros.
    __asm__ volatile("" : : "r"(ptr) : "memory");
  }
}

void tam_mem_free(const tam_mem *mem, void *ptr) {
  if (ptr != NULL) {
    mem->free(ptr, mem->user_data);
  }
}
