// SPDX-License-Identifier: Apache-2.0
// What the module exports to JavaScript, besides its memory.
#ifndef TAM_ABI_ABI_H
#define TAM_ABI_ABI_H

#include "tam.h"

// Returns TAM_ABI_VERSION; a host refuses a module of another version.
uint32_t tam_abi_version(void);

// Return memory of |len| bytes inside the module (NULL when there is none), for
// arguments of tam_abi_manager_new, and give it back.
void *tam_abi_alloc(uint32_t len);
void tam_abi_free(void *ptr);

// Creates a manager for the endpoint |hub_url| with the 16 bytes of |seed|.
// Returns NULL when the endpoint is not an http or https URL or memory is
// short.
tam_manager *tam_abi_manager_new(const uint8_t *hub_url, uint32_t hub_url_len,
                                 const uint8_t *seed);

// Frees |manager|, which may be NULL.
void tam_abi_manager_del(tam_manager *manager);

// See tam_manager_in_buf.
uint8_t *tam_abi_in_buf(tam_manager *manager, uint32_t len);

// Feeds an event whose payload is the first |len| bytes of the input buffer.
// Returns 0 or a negative tam_error; see tam_manager_feed.
int32_t tam_abi_feed(tam_manager *manager, uint32_t kind, uint32_t op,
                     uint32_t request, uint32_t status, uint32_t flags,
                     uint32_t len, double now_ms);

// Returns the next action as eight words (kind, op, request, flags, address and
// length of the first span, address and length of the second), or NULL. Valid
// until the next call with |manager|.
const tam_action *tam_abi_next(tam_manager *manager);

// See tam_manager_deadline and tam_manager_busy.
double tam_abi_deadline(tam_manager *manager, double now_ms);
uint32_t tam_abi_busy(tam_manager *manager);

#endif // TAM_ABI_ABI_H
