// SPDX-License-Identifier: Apache-2.0
// The names of functions and variables are those of FIPS 180-4, 4.1.2 and
// 6.2.2.
#include "store/sha256.h"

#include <string.h>

// FIPS 180-4, 4.2.2: the first 32 bits of the fractional parts of the cube
// roots of the first 64 primes.
static const uint32_t K[64] = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1,
    0x923f82a4, 0xab1c5ed5, 0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3,
    0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174, 0xe49b69c1, 0xefbe4786,
    0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147,
    0x06ca6351, 0x14292967, 0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13,
    0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85, 0xa2bfe8a1, 0xa81a664b,
    0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a,
    0x5b9cca4f, 0x682e6ff3, 0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208,
    0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2};

TAM_INLINE uint32_t rotr(uint32_t x, unsigned count) {
  return tam_rotate_left(x, 32 - count);
}

TAM_INLINE uint32_t big_sigma0(uint32_t x) {
  return rotr(x, 2) ^ rotr(x, 13) ^ rotr(x, 22);
}

TAM_INLINE uint32_t big_sigma1(uint32_t x) {
  return rotr(x, 6) ^ rotr(x, 11) ^ rotr(x, 25);
}

TAM_INLINE uint32_t ch(uint32_t x, uint32_t y, uint32_t z) {
  return z ^ (x & (y ^ z));
}

// Four neighbours of the message schedule at once, by an extension of C that
// GCC and clang have: SIMD instructions where there are any. A fifth faster
// than one word at a time.
typedef uint32_t words4 __attribute__((vector_size(16)));

TAM_INLINE words4 load4(const uint32_t *w) {
  words4 x;
  memcpy(&x, w, sizeof(x));
  return x;
}

TAM_INLINE words4 rotr4(words4 x, unsigned count) {
  return x >> count | x << (32 - count);
}

TAM_INLINE words4 sigma0(words4 x) {
  return rotr4(x, 7) ^ rotr4(x, 18) ^ x >> 3;
}

TAM_INLINE words4 sigma1(words4 x) {
  return rotr4(x, 17) ^ rotr4(x, 19) ^ x >> 10;
}

// Computes the four words of the message schedule that stand sixteen behind
// those at |w|. The last two need the first two.
TAM_INLINE void schedule4(uint32_t *w) {
  words4 x = load4(w) + sigma0(load4(w + 1)) + load4(w + 9);
  const words4 before = sigma1(load4(w + 12));
  x += (words4){before[2], before[3], 0, 0};
  const words4 first = sigma1(x);
  x += (words4){0, 0, first[0], first[1]};
  memcpy(w + 16, &x, sizeof(x));
}

// Round |t|. Instead of moving all eight variables by one, the next round is
// called with their names moved. Maj(a, b, c) is b ^ ((a ^ b) & (b ^ c)), and
// b ^ c is what a ^ b was a round ago: |*pb_xor_c|.
TAM_INLINE void round_of(size_t t, const uint32_t *w, uint32_t a, uint32_t b,
                         uint32_t *pd, uint32_t e, uint32_t f, uint32_t g,
                         uint32_t *ph, uint32_t *pb_xor_c) {
  uint32_t t1 = *ph + big_sigma1(e) + ch(e, f, g) + K[t] + w[t];
  uint32_t a_xor_b = a ^ b;
  *pd += t1;
  *ph = t1 + big_sigma0(a) + (b ^ (a_xor_b & *pb_xor_c));
  *pb_xor_c = a_xor_b;
}

TAM_INLINE void swap(uint32_t *px, uint32_t *py) {
  uint32_t x = *px;
  *px = *py;
  *py = x;
}

// Optimising for size, clang neither unrolls a loop nor moves its test to the
// end, so both is written out. More than four rounds as one step, with the
// schedule in local variables, are two to seven times the code and no faster.
static void compress_block(uint32_t *value, const uint8_t *block) {
  uint32_t w[64 + 16]; // the last sixteen are computed for nothing
  tam_block_hash_read_words(w, block, 16);
  uint32_t a = value[0];
  uint32_t b = value[1];
  uint32_t c = value[2];
  uint32_t d = value[3];
  uint32_t e = value[4];
  uint32_t f = value[5];
  uint32_t g = value[6];
  uint32_t h = value[7];
  uint32_t b_xor_c = b ^ c;
  size_t t = 0;
  do {
    schedule4(w + t);
    round_of(t, w, a, b, &d, e, f, g, &h, &b_xor_c);
    round_of(t + 1, w, h, a, &c, d, e, f, &g, &b_xor_c);
    round_of(t + 2, w, g, h, &b, c, d, e, &f, &b_xor_c);
    round_of(t + 3, w, f, g, &a, b, c, d, &e, &b_xor_c);
    swap(&a, &e);
    swap(&b, &f);
    swap(&c, &g);
    swap(&d, &h);
    t += 4;
  } while (t < 64);
  value[0] += a;
  value[1] += b;
  value[2] += c;
  value[3] += d;
  value[4] += e;
  value[5] += f;
  value[6] += g;
  value[7] += h;
}

static void compress(uint32_t *value, const uint8_t *blocks, size_t count) {
  for (; count > 0; count--) {
    compress_block(value, blocks);
    blocks += TAM_BLOCK_HASH_BLOCK_SIZE;
  }
}

// FIPS 180-4, 5.3.3: the first 32 bits of the fractional parts of the square
// roots of the first eight primes.
static const tam_block_hash_kind kind = {compress,
                                         {0x6a09e667, 0xbb67ae85, 0x3c6ef372,
                                          0xa54ff53a, 0x510e527f, 0x9b05688c,
                                          0x1f83d9ab, 0x5be0cd19},
                                         TAM_SHA256_SIZE / 4,
                                         TAM_BLOCK_HASH_SHA256};

void tam_sha256_init(tam_sha256 *sha) {
  tam_block_hash_init(&sha->hash, &kind);
}

void tam_sha256_update(tam_sha256 *sha, tam_span bytes) {
  tam_block_hash_update(&sha->hash, &kind, bytes);
}

void tam_sha256_final(tam_sha256 *sha, uint8_t digest[TAM_SHA256_SIZE]) {
  tam_block_hash_final(&sha->hash, &kind, digest);
}

void tam_sha256_save(const tam_sha256 *sha,
                     uint8_t saved[TAM_SHA256_SAVED_SIZE]) {
  tam_block_hash_save(&sha->hash, &kind, saved);
}

int tam_sha256_load(tam_sha256 *sha, tam_span saved) {
  return tam_block_hash_load(&sha->hash, &kind, saved);
}

uint64_t tam_sha256_len(const tam_sha256 *sha) {
  return sha->hash.len;
}
