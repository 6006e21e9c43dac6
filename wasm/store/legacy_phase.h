// SPDX-License-Identifier: Apache-2.0
// What TabAgent stored, before this program or beside it.
#ifndef TAM_STORE_LEGACY_PHASE_H
#define TAM_STORE_LEGACY_PHASE_H

#include "store/transfers.h"

// The place that the adopt phase, or the one that serves unverified, has come
// to.
typedef struct tam_legacy {
  size_t file;
  uint32_t chunk;
} tam_legacy;

// Returns the key under which TabAgent stored a whole file: its address at
// huggingface.co. Valid until the scratch text changes.
tam_span tam_store_op_address_key(tam_store_op *op,
                                  const tam_transfer *transfer);

#endif // TAM_STORE_LEGACY_PHASE_H
