// SPDX-License-Identifier: Apache-2.0
// Open addressing over 64-bit hashes. Two of 5,000 ids share a hash with a
// probability of one in 10^12; the later one would be taken for a repetition.
#include "hub/seen_ids.h"

#include "core/mem.h"
#include "core/span.h"

#include <string.h>

int tam_seen_ids_init(tam_seen_ids *seen, size_t max, uint64_t seed,
                      const tam_mem *mem) {
  memset(seen, 0, sizeof(*seen));
  size_t capacity = 64;
  while (capacity < max * 2) {
    capacity *= 2;
  }
  seen->mem = mem;
  seen->seed = seed;
  seen->capacity = capacity;
  seen->hashes = tam_mem_calloc(mem, capacity, sizeof(*seen->hashes));
  return seen->hashes == NULL ? TAM_ERR_OUT_OF_MEMORY : 0;
}

void tam_seen_ids_free(tam_seen_ids *seen) {
  if (seen->hashes != NULL) {
    tam_mem_free(seen->mem, seen->hashes);
  }
  memset(seen, 0, sizeof(*seen));
}

static uint64_t hash_of(const tam_seen_ids *seen, tam_span id) {
  uint64_t hash = tam_span_hash(id, seen->seed);
  return hash == 0 ? 1 : hash;
}

// Returns the place of |hash|: where it is, or where it belongs.
static uint64_t *seen_find(const tam_seen_ids *seen, uint64_t hash) {
  size_t at = (size_t)hash & (seen->capacity - 1);
  while (seen->hashes[at] != 0 && seen->hashes[at] != hash) {
    at = (at + 1) & (seen->capacity - 1);
  }
  return &seen->hashes[at];
}

int tam_seen_ids_has(const tam_seen_ids *seen, tam_span id) {
  return *seen_find(seen, hash_of(seen, id)) != 0;
}

int tam_seen_ids_add(tam_seen_ids *seen, tam_span id) {
  uint64_t hash = hash_of(seen, id);
  uint64_t *place = seen_find(seen, hash);
  int is_new = *place == 0;
  *place = hash;
  return is_new;
}
