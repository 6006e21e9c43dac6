// SPDX-License-Identifier: Apache-2.0
// Memory: thin calls through a tam_mem, and sizes that cannot overflow.
#ifndef TAM_CORE_MEM_H
#define TAM_CORE_MEM_H

#include "tam.h"

// Returns |size| fresh bytes, or NULL. The contents are undefined.
void *tam_mem_malloc(const tam_mem *mem, size_t size);

// Returns |count| * |size| zeroed bytes, or NULL, also when the product
// overflows.
void *tam_mem_calloc(const tam_mem *mem, size_t count, size_t size);

// Resizes |ptr| (may be NULL) to |count| * |size| bytes. Returns NULL, and
// leaves |ptr| as it was, when memory is short or the product overflows.
void *tam_mem_realloc(const tam_mem *mem, void *ptr, size_t count, size_t size);

// Overwrites the |size| bytes at |ptr| with zeros; NULL is allowed for none. A
// plain memset before a free would be optimised away.
void tam_mem_wipe(void *ptr, size_t size);

// Frees |ptr|; NULL is allowed.
void tam_mem_free(const tam_mem *mem, void *ptr);

#endif // TAM_CORE_MEM_H
