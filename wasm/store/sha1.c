// SPDX-License-Identifier: Apache-2.0
// The names of functions and variables are those of FIPS 180-4, 4.1.1 and
// 6.1.2.
#include "store/sha1.h"

// Rounds come in four stages with a function and a constant each.
#define STAGE_ROUNDS 20

// FIPS 180-4, 4.2.1.
static const uint32_t K[4] = {0x5a827999, 0x6ed9eba1, 0x8f1bbcdc, 0xca62c1d6};

// The function of |stage|: Ch, Parity, Maj, Parity.
TAM_INLINE uint32_t f_of(int stage, uint32_t x, uint32_t y, uint32_t z) {
  switch (stage) {
  case 0:
    return z ^ (x & (y ^ z));
  case 2:
    return y ^ ((x ^ y) & (y ^ z));
  default:
    return x ^ y ^ z;
  }
}

// Returns the word of the message schedule at |w| and computes the one that
// stands sixteen further on.
TAM_INLINE uint32_t schedule(uint32_t *w) {
  w[16] = tam_rotate_left(w[13] ^ w[8] ^ w[2] ^ w[0], 1);
  return w[0];
}

// Loops test at their end for the reason that sha256.c gives. Only small files
// are hashed this way, so nothing is unrolled.
static void compress_block(uint32_t *value, const uint8_t *block) {
  uint32_t w[4 * STAGE_ROUNDS + 16]; // the last sixteen are not needed
  tam_block_hash_read_words(w, block, 16);
  uint32_t a = value[0];
  uint32_t b = value[1];
  uint32_t c = value[2];
  uint32_t d = value[3];
  uint32_t e = value[4];
  uint32_t *at = w;
  int stage = 0;
  do {
    const uint32_t *end = at + STAGE_ROUNDS;
    do {
      uint32_t temp = tam_rotate_left(a, 5) + f_of(stage, b, c, d) + e +
                      K[stage] + schedule(at);
      e = d;
      d = c;
      c = tam_rotate_left(b, 30);
      b = a;
      a = temp;
    } while (++at < end);
  } while (++stage < 4);
  value[0] += a;
  value[1] += b;
  value[2] += c;
  value[3] += d;
  value[4] += e;
}

static void compress(uint32_t *value, const uint8_t *blocks, size_t count) {
  for (; count > 0; count--) {
    compress_block(value, blocks);
    blocks += TAM_BLOCK_HASH_BLOCK_SIZE;
  }
}

// FIPS 180-4, 5.3.1.
static const tam_block_hash_kind kind = {
    compress,
    {0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476, 0xc3d2e1f0, 0, 0, 0},
    TAM_SHA1_SIZE / 4,
    TAM_BLOCK_HASH_SHA1};

void tam_sha1_init(tam_sha1 *sha) {
  tam_block_hash_init(&sha->hash, &kind);
}

void tam_sha1_update(tam_sha1 *sha, tam_span bytes) {
  tam_block_hash_update(&sha->hash, &kind, bytes);
}

void tam_sha1_final(tam_sha1 *sha, uint8_t digest[TAM_SHA1_SIZE]) {
  tam_block_hash_final(&sha->hash, &kind, digest);
}

void tam_sha1_save(const tam_sha1 *sha, uint8_t saved[TAM_SHA1_SAVED_SIZE]) {
  tam_block_hash_save(&sha->hash, &kind, saved);
}

int tam_sha1_load(tam_sha1 *sha, tam_span saved) {
  return tam_block_hash_load(&sha->hash, &kind, saved);
}

uint64_t tam_sha1_len(const tam_sha1 *sha) {
  return sha->hash.len;
}
