// SPDX-License-Identifier: Apache-2.0
// What SHA-1 and SHA-256 have in common (FIPS 180-4): blocks of 64 bytes, words
// of 32 bits with the highest byte first, the same padding, and a state that
// can be written down and taken up again.
//
// A saved state, in version 1:
//
//   offset  size
//        0     1  version, 1
//        1     1  algorithm, a tam_block_hash_algorithm
//        2     1  number of pending bytes: what is hashed already, modulo 64
//        3     1  0
//        4     8  number of bytes hashed, highest byte first
//       12    4n  the hash value so far: n words, highest byte first
//  12 + 4n    64  the pending bytes of the unfinished block, then zeros
//
// One state has one form: what tam_block_hash_load accepts, it gives back byte
// for byte when it is saved.
#ifndef TAM_STORE_BLOCK_HASH_H
#define TAM_STORE_BLOCK_HASH_H

#include "core/simd.h"
#include "tam.h"

#define TAM_BLOCK_HASH_BLOCK_SIZE 64
#define TAM_BLOCK_HASH_WORDS_MAX  8
#define TAM_BLOCK_HASH_VERSION    1

// The most bytes that a state to be loaded may have hashed: what JavaScript
// counts exactly. From there on nobody hashes as far as 2^61 bytes, where the
// number of bits would no longer fit its 64 bits.
#define TAM_BLOCK_HASH_LEN_MAX (((uint64_t)1 << 53) - 1)

// The size of a saved state whose hash value has |words| words.
#define TAM_BLOCK_HASH_SAVED_SIZE(words)                                       \
  (12 + 4 * (words) + TAM_BLOCK_HASH_BLOCK_SIZE)

// The numbers are stored and never change.
typedef enum tam_block_hash_algorithm {
  TAM_BLOCK_HASH_SHA1 = 1,
  TAM_BLOCK_HASH_SHA256 = 2
} tam_block_hash_algorithm;

// In what the algorithms differ.
typedef struct tam_block_hash_kind {
  // Takes |count| blocks into the hash value.
  void (*compress)(uint32_t *value, const uint8_t *blocks, size_t count);
  uint32_t initial[TAM_BLOCK_HASH_WORDS_MAX];
  uint8_t words;     // of the hash value and the digest
  uint8_t algorithm; // a tam_block_hash_algorithm
} tam_block_hash_kind;

typedef struct tam_block_hash {
  uint64_t len; // bytes hashed so far
  uint32_t value[TAM_BLOCK_HASH_WORDS_MAX];
  uint8_t block[TAM_BLOCK_HASH_BLOCK_SIZE]; // the first len % 64 are pending
} tam_block_hash;

// Begins a message.
void tam_block_hash_init(tam_block_hash *hash, const tam_block_hash_kind *kind);

// Goes on with |bytes|, any number of them, which are borrowed until return.
void tam_block_hash_update(tam_block_hash *hash,
                           const tam_block_hash_kind *kind, tam_span bytes);

// Ends the message and writes its digest, 4 bytes for each word of |kind|.
// After that only init and load are legal.
void tam_block_hash_final(tam_block_hash *hash, const tam_block_hash_kind *kind,
                          uint8_t *digest);

// Writes the state to |saved|, TAM_BLOCK_HASH_SAVED_SIZE(kind->words) bytes.
void tam_block_hash_save(const tam_block_hash *hash,
                         const tam_block_hash_kind *kind, uint8_t *saved);

// Takes up the state in |saved|. Returns 0, or INVALID_ARGUMENT when its size,
// version or algorithm is another one, its numbers contradict each other or it
// was never written by save; |hash| is unchanged then. A damaged hash value or
// pending byte cannot be noticed here: it leads to a wrong digest.
int tam_block_hash_load(tam_block_hash *hash, const tam_block_hash_kind *kind,
                        tam_span saved);

// Reads |count| words at |bytes|, at least one, highest byte first.
void tam_block_hash_read_words(uint32_t *words, const uint8_t *bytes,
                               size_t count);

// Returns |x| rotated to the left by |count|, 1 to 31.
TAM_INLINE uint32_t tam_rotate_left(uint32_t x, unsigned count) {
  return x << count | x >> (32 - count);
}

#endif // TAM_STORE_BLOCK_HASH_H
