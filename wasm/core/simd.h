// SPDX-License-Identifier: Apache-2.0
// Sixteen bytes at once, in the few operations that a JSON scanner needs. One
// of three implementations is chosen at compile time: WebAssembly SIMD128,
// SSE2, or plain C with the same results.
//
// tam_v16_mask packs the highest bit of every byte into an integer, byte 0 in
// bit 0. Comparisons give 0xff for true and 0 for false.
#ifndef TAM_CORE_SIMD_H
#define TAM_CORE_SIMD_H

#include <stdint.h>
#include <string.h>

// For functions of a few instructions: optimising for size, clang would call
// them.
#define TAM_INLINE static inline __attribute__((always_inline))

#if defined(__wasm_simd128__)

#include <wasm_simd128.h>

typedef v128_t tam_v16;

TAM_INLINE tam_v16 tam_v16_load(const uint8_t *ptr) {
  return wasm_v128_load(ptr);
}

TAM_INLINE tam_v16 tam_v16_splat(uint8_t byte) {
  return wasm_u8x16_splat(byte);
}

TAM_INLINE tam_v16 tam_v16_eq(tam_v16 a, tam_v16 b) {
  return wasm_i8x16_eq(a, b);
}

TAM_INLINE tam_v16 tam_v16_sub(tam_v16 a, tam_v16 b) {
  return wasm_i8x16_sub(a, b);
}

TAM_INLINE tam_v16 tam_v16_xor(tam_v16 a, tam_v16 b) {
  return wasm_v128_xor(a, b);
}

TAM_INLINE tam_v16 tam_v16_or(tam_v16 a, tam_v16 b) {
  return wasm_v128_or(a, b);
}

TAM_INLINE uint32_t tam_v16_mask(tam_v16 a) {
  return (uint32_t)wasm_i8x16_bitmask(a);
}

#elif defined(__SSE2__)

#include <emmintrin.h>

typedef __m128i tam_v16;

TAM_INLINE tam_v16 tam_v16_load(const uint8_t *ptr) {
  return _mm_loadu_si128((const __m128i *)(const void *)ptr);
}

TAM_INLINE tam_v16 tam_v16_splat(uint8_t byte) {
  return _mm_set1_epi8((char)byte);
}

TAM_INLINE tam_v16 tam_v16_eq(tam_v16 a, tam_v16 b) {
  return _mm_cmpeq_epi8(a, b);
}

TAM_INLINE tam_v16 tam_v16_sub(tam_v16 a, tam_v16 b) {
  return _mm_sub_epi8(a, b);
}

TAM_INLINE tam_v16 tam_v16_xor(tam_v16 a, tam_v16 b) {
  return _mm_xor_si128(a, b);
}

TAM_INLINE tam_v16 tam_v16_or(tam_v16 a, tam_v16 b) {
  return _mm_or_si128(a, b);
}

TAM_INLINE uint32_t tam_v16_mask(tam_v16 a) {
  return (uint32_t)_mm_movemask_epi8(a);
}

#else

typedef struct tam_v16 {
  uint8_t byte[16];
} tam_v16;

TAM_INLINE tam_v16 tam_v16_load(const uint8_t *ptr) {
  tam_v16 out;
  memcpy(out.byte, ptr, sizeof(out.byte));
  return out;
}

TAM_INLINE tam_v16 tam_v16_splat(uint8_t byte) {
  tam_v16 out;
  memset(out.byte, byte, sizeof(out.byte));
  return out;
}

TAM_INLINE tam_v16 tam_v16_eq(tam_v16 a, tam_v16 b) {
  for (int i = 0; i < 16; i++) {
    a.byte[i] = a.byte[i] == b.byte[i] ? 0xff : 0;
  }
  return a;
}

TAM_INLINE tam_v16 tam_v16_sub(tam_v16 a, tam_v16 b) {
  for (int i = 0; i < 16; i++) {
    a.byte[i] = (uint8_t)(a.byte[i] - b.byte[i]);
  }
  return a;
}

TAM_INLINE tam_v16 tam_v16_xor(tam_v16 a, tam_v16 b) {
  for (int i = 0; i < 16; i++) {
    a.byte[i] = (uint8_t)(a.byte[i] ^ b.byte[i]);
  }
  return a;
}

TAM_INLINE tam_v16 tam_v16_or(tam_v16 a, tam_v16 b) {
  for (int i = 0; i < 16; i++) {
    a.byte[i] = (uint8_t)(a.byte[i] | b.byte[i]);
  }
  return a;
}

TAM_INLINE uint32_t tam_v16_mask(tam_v16 a) {
  uint32_t mask = 0;
  for (int i = 0; i < 16; i++) {
    mask |= (uint32_t)(a.byte[i] >> 7) << i;
  }
  return mask;
}

#endif

// Returns the number of the lowest bit set in |mask|, which must not be 0.
TAM_INLINE unsigned tam_mask_first(uint32_t mask) {
  return (unsigned)__builtin_ctz(mask);
}

// Loads the constant vector at |ptr| from memory. Left to themselves, compilers
// make it part of the code, and V8 then builds it anew, by three instructions,
// wherever it is used. The empty statement hides from them what |ptr| is.
TAM_INLINE tam_v16 tam_v16_constant(const uint8_t *ptr) {
  __asm__("" : "+r"(ptr));
  return tam_v16_load(ptr);
}

// Sixteen times '"', '\\' and 0x20.
extern const uint8_t tam_json_needles[3][16];

// Returns a bit for each of the sixteen bytes at |ptr| that ends a run of
// plain string text: '"', '\\', a control character, or a byte of a non-ASCII
// character. Only the highest bit of each byte counts in the end: for a byte
// without it, subtracting 0x20 sets it when the byte is a control character.
// (Exclusive or, where inclusive would do, keeps clang from making a slower
// select of it.)
TAM_INLINE uint32_t tam_json_stop_mask(const uint8_t *ptr) {
  tam_v16 text = tam_v16_load(ptr);
  tam_v16 quote = tam_v16_eq(text, tam_v16_constant(tam_json_needles[0]));
  tam_v16 backslash = tam_v16_eq(text, tam_v16_constant(tam_json_needles[1]));
  tam_v16 control = tam_v16_sub(text, tam_v16_constant(tam_json_needles[2]));
  return tam_v16_mask(
      tam_v16_xor(tam_v16_xor(quote, backslash), tam_v16_or(text, control)));
}

// As tam_json_stop_mask, for thirty-two bytes.
TAM_INLINE uint32_t tam_json_stop_mask32(const uint8_t *ptr) {
  return tam_json_stop_mask(ptr) | tam_json_stop_mask(ptr + 16) << 16;
}

#endif // TAM_CORE_SIMD_H
