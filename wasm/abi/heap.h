// SPDX-License-Identifier: Apache-2.0
// The allocator of the module. Everything the core allocates comes from here,
// so the module carries no malloc of a C library.
#ifndef TAM_ABI_HEAP_H
#define TAM_ABI_HEAP_H

#include "tam.h"

// Returns the allocator over the module's linear memory. Blocks are aligned to
// 16 bytes. Memory grows by what is needed and never shrinks; freed blocks are
// used again for the same size class.
const tam_mem *tam_heap_mem(void);

#endif // TAM_ABI_HEAP_H
