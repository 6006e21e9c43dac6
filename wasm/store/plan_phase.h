// SPDX-License-Identifier: Apache-2.0
// Which files an operation is about, and whether there is room for them.
#ifndef TAM_STORE_PLAN_PHASE_H
#define TAM_STORE_PLAN_PHASE_H

#include "store/phase.h"

// What the room and evict phases found out.
typedef struct tam_room {
  double free_bytes;  // -1: not known
  double quota_bytes; // likewise
  double usage_bytes; // likewise
  int persisted;      // 1, 0, or -1: not known
  size_t evict_count; // models, the first ones, that would make room
} tam_room;

// Makes transfers of the chosen files. Errors: OUT_OF_MEMORY, TOO_LARGE.
int tam_store_op_take_chosen(tam_store_op *op);

// Returns how many bytes of the chosen files are not stored, and whether there
// is room for them.
uint64_t tam_store_op_needed(const tam_store_op *op);
int tam_store_op_fits(const tam_store_op *op);

#endif // TAM_STORE_PLAN_PHASE_H
