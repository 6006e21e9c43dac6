// SPDX-License-Identifier: Apache-2.0
// What people do with stored models.
#ifndef TAM_STORE_MANAGE_PHASE_H
#define TAM_STORE_MANAGE_PHASE_H

#include "store/revision.h"

// Of the verify phase.
typedef struct tam_verification {
  size_t file; // the chunk that is being read
  uint32_t chunk;
  uint64_t bytes;   // that were read
  uint32_t damaged; // chunks that were found
} tam_verification;

// Chooses the files that |dtypes| (bits 1U << tam_dtype) need, as far as they
// are available.
void tam_store_op_choose_dtypes(tam_revision *revision, unsigned dtypes);

#endif // TAM_STORE_MANAGE_PHASE_H
