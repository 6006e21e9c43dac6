// SPDX-License-Identifier: Apache-2.0
// XXH64 (of the xxHash specification 0.1.1, with seed 0) of bytes that come in
// pieces. It notices bits that were flipped by accident, at many times the
// speed of SHA-256; it is no protection against people who forge data.
#ifndef TAM_CORE_CHECKSUM_H
#define TAM_CORE_CHECKSUM_H

#include "tam.h"

#define TAM_CHECKSUM_SIZE        8
#define TAM_CHECKSUM_STRIPE_SIZE 32

// Plain data: a copy is a second, independent sum with the same beginning.
typedef struct tam_checksum {
  uint64_t len; // bytes so far
  uint64_t lanes[4];
  uint8_t stripe[TAM_CHECKSUM_STRIPE_SIZE]; // the first len % 32 are pending
} tam_checksum;

// Begins a sum.
void tam_checksum_init(tam_checksum *sum);

// Goes on with |bytes|, any number of them, which are borrowed until return.
void tam_checksum_update(tam_checksum *sum, tam_span bytes);

// Returns the sum of all bytes so far. More bytes may follow.
uint64_t tam_checksum_final(const tam_checksum *sum);

// Returns the sum of |bytes|.
uint64_t tam_checksum_of(tam_span bytes);

#endif // TAM_CORE_CHECKSUM_H
