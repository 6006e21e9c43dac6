// SPDX-License-Identifier: Apache-2.0
// The exported functions: the only file that knows it runs in WebAssembly.
// They are the public interface with spans and structs taken apart into
// numbers. docs/abi.md describes them for hosts.
#include "abi/abi.h"

#include "abi/action_record.h"
#include "abi/heap.h"
#include "core/mem.h"

#include <string.h>

typedef struct tam_abi {
  tam_manager *manager;
  uint32_t action[TAM_ACTION_WORD_COUNT]; // as JavaScript reads it
} tam_abi;

static uint32_t address_of(const void *ptr) {
  return (uint32_t)(uintptr_t)ptr;
}

uint32_t tam_abi_version(void) {
  return TAM_ABI_VERSION;
}

void *tam_abi_alloc(uint32_t len) {
  return tam_mem_malloc(tam_heap_mem(), len);
}

void tam_abi_free(void *ptr) {
  tam_mem_free(tam_heap_mem(), ptr);
}

tam_abi *tam_abi_manager_new(const uint8_t *hub_url, uint32_t hub_url_len,
                             const uint8_t *seed) {
  tam_config config = {{hub_url, hub_url_len}, {0}};
  memcpy(config.seed, seed, sizeof(config.seed));
  tam_abi *abi = tam_mem_calloc(tam_heap_mem(), 1, sizeof(*abi));
  if (abi != NULL &&
      tam_manager_new(&abi->manager, &config, tam_heap_mem()) != 0) {
    tam_mem_free(tam_heap_mem(), abi);
    abi = NULL;
  }
  return abi;
}

void tam_abi_manager_del(tam_abi *abi) {
  tam_manager_del(abi->manager);
  tam_mem_free(tam_heap_mem(), abi);
}

uint8_t *tam_abi_in_buf(tam_abi *abi, uint32_t len) {
  return tam_manager_in_buf(abi->manager, len);
}

int32_t tam_abi_feed(tam_abi *abi, uint32_t kind, uint32_t op, uint32_t request,
                     uint32_t status, uint32_t flags, uint32_t len,
                     double now_ms) {
  tam_event event = {
      (tam_event_kind)kind, op, request, status, flags, {NULL, 0}};
  if (len > 0) {
    event.payload.ptr = tam_manager_in_buf(abi->manager, len);
    event.payload.len = len;
    if (event.payload.ptr == NULL) {
      return TAM_ERR_INVALID_ARGUMENT;
    }
  }
  return tam_manager_feed(abi->manager, &event, now_ms);
}

const uint32_t *tam_abi_next(tam_abi *abi) {
  const tam_action *action = tam_manager_next(abi->manager);
  if (action == NULL) {
    return NULL;
  }
  uint32_t *words = abi->action;
  words[TAM_ACTION_WORD_KIND] = (uint32_t)action->kind;
  words[TAM_ACTION_WORD_OP] = action->op;
  words[TAM_ACTION_WORD_REQUEST] = action->request;
  words[TAM_ACTION_WORD_FLAGS] = action->flags;
  words[TAM_ACTION_WORD_FIRST_PTR] = address_of(action->first.ptr);
  words[TAM_ACTION_WORD_FIRST_LEN] = (uint32_t)action->first.len;
  words[TAM_ACTION_WORD_SECOND_PTR] = address_of(action->second.ptr);
  words[TAM_ACTION_WORD_SECOND_LEN] = (uint32_t)action->second.len;
  return words;
}

double tam_abi_deadline(tam_abi *abi, double now_ms) {
  return tam_manager_deadline(abi->manager, now_ms);
}

uint32_t tam_abi_busy(tam_abi *abi) {
  return (uint32_t)tam_manager_busy(abi->manager);
}
