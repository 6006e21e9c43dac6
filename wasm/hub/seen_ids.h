// SPDX-License-Identifier: Apache-2.0
// Which ids a listing has already shown: keyset paging repeats rows when
// scores move between two pages.
#ifndef TAM_HUB_SEEN_IDS_H
#define TAM_HUB_SEEN_IDS_H

#include "tam.h"

typedef struct tam_seen_ids {
  const tam_mem *mem;
  uint64_t *hashes; // 0: the slot is free
  size_t capacity;  // a power of two, at least twice the ids
  uint64_t seed;
} tam_seen_ids;

// Prepares a set for at most |max| ids. |seed| keeps the hashes unguessable.
// Errors: OUT_OF_MEMORY.
int tam_seen_ids_init(tam_seen_ids *seen, size_t max, uint64_t seed,
                      const tam_mem *mem);
void tam_seen_ids_free(tam_seen_ids *seen);

// Adds |id|. Returns 1 when it was new, 0 when it had been seen.
int tam_seen_ids_add(tam_seen_ids *seen, tam_span id);

// Returns 1 when |id| has been added, else 0.
int tam_seen_ids_has(const tam_seen_ids *seen, tam_span id);

#endif // TAM_HUB_SEEN_IDS_H
