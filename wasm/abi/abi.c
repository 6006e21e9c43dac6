// SPDX-License-Identifier: Apache-2.0
// The exported functions: the public interface with its spans and structs taken
// apart into numbers, which is all that WebAssembly can pass. docs/abi.md
// describes them for hosts.
#include "abi/abi.h"

#include "abi/action_record.h"
#include "abi/heap.h"
#include "core/mem.h"

#include <stddef.h>
#include <string.h>

// An action is handed out as it stands: its members are the words.
#define IS_WORD(member, word)                                                  \
  _Static_assert(offsetof(tam_action, member) == 4 * TAM_ACTION_WORD_##word,   \
                 "an action has another layout than its record")
IS_WORD(kind, KIND);
IS_WORD(op, OP);
IS_WORD(request, REQUEST);
IS_WORD(flags, FLAGS);
IS_WORD(first.ptr, FIRST_PTR);
IS_WORD(first.len, FIRST_LEN);
IS_WORD(second.ptr, SECOND_PTR);
IS_WORD(second.len, SECOND_LEN);

uint32_t tam_abi_version(void) {
  return TAM_ABI_VERSION;
}

void *tam_abi_alloc(uint32_t len) {
  return tam_mem_malloc(tam_heap_mem(), len);
}

void tam_abi_free(void *ptr) {
  tam_mem_free(tam_heap_mem(), ptr);
}

tam_manager *tam_abi_manager_new(const uint8_t *hub_url, uint32_t hub_url_len,
                                 const uint8_t *seed) {
  tam_config config = {{hub_url, hub_url_len}, {0}};
  tam_manager *manager = NULL;
  memcpy(config.seed, seed, sizeof(config.seed));
  (void)tam_manager_new(&manager, &config, tam_heap_mem());
  return manager;
}

void tam_abi_manager_del(tam_manager *manager) {
  tam_manager_del(manager);
}

uint8_t *tam_abi_in_buf(tam_manager *manager, uint32_t len) {
  return tam_manager_in_buf(manager, len);
}

int32_t tam_abi_feed(tam_manager *manager, uint32_t kind, uint32_t op,
                     uint32_t request, uint32_t status, uint32_t flags,
                     uint32_t len, double now_ms) {
  tam_event event = {
      (tam_event_kind)kind, op, request, status, flags, {NULL, 0}};
  if (len > 0) {
    event.payload.ptr = tam_manager_in_buf(manager, len);
    event.payload.len = len;
    if (event.payload.ptr == NULL) {
      return TAM_ERR_INVALID_ARGUMENT;
    }
  }
  return tam_manager_feed(manager, &event, now_ms);
}

const tam_action *tam_abi_next(tam_manager *manager) {
  return tam_manager_next(manager);
}

double tam_abi_deadline(tam_manager *manager, double now_ms) {
  return tam_manager_deadline(manager, now_ms);
}

uint32_t tam_abi_busy(tam_manager *manager) {
  return (uint32_t)tam_manager_busy(manager);
}
