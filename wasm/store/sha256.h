// SPDX-License-Identifier: Apache-2.0
// SHA-256 (FIPS 180-4) of a message that comes in pieces, with a state that can
// be saved between any two bytes: a download that is resumed does not hash
// again what it has.
#ifndef TAM_STORE_SHA256_H
#define TAM_STORE_SHA256_H

#include "store/block_hash.h"

#define TAM_SHA256_SIZE       32
#define TAM_SHA256_SAVED_SIZE TAM_BLOCK_HASH_SAVED_SIZE(8)

// Plain data: a copy is a second, independent message with the same beginning.
typedef struct tam_sha256 {
  tam_block_hash hash;
} tam_sha256;

// Begins a message.
void tam_sha256_init(tam_sha256 *sha);

// Goes on with |bytes|, any number of them, which are borrowed until return.
void tam_sha256_update(tam_sha256 *sha, tam_span bytes);

// Ends the message and writes its digest. After that only init and load are
// legal.
void tam_sha256_final(tam_sha256 *sha, uint8_t digest[TAM_SHA256_SIZE]);

// Writes the state to |saved|, in the form that block_hash.h describes.
void tam_sha256_save(const tam_sha256 *sha,
                     uint8_t saved[TAM_SHA256_SAVED_SIZE]);

// Takes up the state in |saved|, whose bytes may come from anywhere. Returns 0,
// or INVALID_ARGUMENT when it is not a state of this algorithm and version; the
// object is unchanged then. See tam_block_hash_load for what goes unnoticed.
int tam_sha256_load(tam_sha256 *sha, tam_span saved);

// Returns how many bytes of the message were hashed so far.
uint64_t tam_sha256_len(const tam_sha256 *sha);

#endif // TAM_STORE_SHA256_H
