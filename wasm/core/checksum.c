// SPDX-License-Identifier: Apache-2.0
// The names are those of the xxHash specification.
#include "core/checksum.h"

#include "core/simd.h"
#include "core/span.h"

#include <string.h>

#define STRIPE TAM_CHECKSUM_STRIPE_SIZE

// The sum is defined over words with the lowest byte first, as all our targets
// have them.
_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__,
               "words are read from memory as they are");

static const uint64_t PRIME1 = UINT64_C(0x9E3779B185EBCA87);
static const uint64_t PRIME2 = UINT64_C(0xC2B2AE3D27D4EB4F);
static const uint64_t PRIME3 = UINT64_C(0x165667B19E3779F9);
static const uint64_t PRIME4 = UINT64_C(0x85EBCA77C2B2AE63);
static const uint64_t PRIME5 = UINT64_C(0x27D4EB2F165667C5);

TAM_INLINE uint64_t rotate(uint64_t x, unsigned count) {
  return x << count | x >> (64 - count);
}

TAM_INLINE uint64_t word64(const uint8_t *bytes) {
  uint64_t word;
  memcpy(&word, bytes, sizeof(word));
  return word;
}

TAM_INLINE uint64_t word32(const uint8_t *bytes) {
  uint32_t word;
  memcpy(&word, bytes, sizeof(word));
  return word;
}

TAM_INLINE uint64_t round_of(uint64_t lane, uint64_t word) {
  return rotate(lane + word * PRIME2, 31) * PRIME1;
}

// Takes |count| stripes into the lanes. They are four local variables, because
// clang does not unroll a loop over them when it optimises for size.
static void take_stripes(uint64_t *lanes, const uint8_t *at, size_t count) {
  uint64_t a = lanes[0];
  uint64_t b = lanes[1];
  uint64_t c = lanes[2];
  uint64_t d = lanes[3];
  for (; count > 0; count--) {
    a = round_of(a, word64(at));
    b = round_of(b, word64(at + 8));
    c = round_of(c, word64(at + 16));
    d = round_of(d, word64(at + 24));
    at += STRIPE;
  }
  lanes[0] = a;
  lanes[1] = b;
  lanes[2] = c;
  lanes[3] = d;
}

void tam_checksum_init(tam_checksum *sum) {
  sum->len = 0;
  sum->lanes[0] = PRIME1 + PRIME2;
  sum->lanes[1] = PRIME2;
  sum->lanes[2] = 0;
  sum->lanes[3] = 0 - PRIME1;
}

void tam_checksum_update(tam_checksum *sum, tam_span bytes) {
  if (bytes.len == 0) { // perhaps without an address
    return;
  }
  size_t pending = (size_t)(sum->len % STRIPE);
  sum->len += bytes.len;
  if (pending > 0) {
    tam_span head = tam_span_head(bytes, STRIPE - pending);
    memcpy(sum->stripe + pending, head.ptr, head.len);
    if (pending + head.len < STRIPE) {
      return;
    }
    take_stripes(sum->lanes, sum->stripe, 1);
    bytes = tam_span_from(bytes, head.len);
  }
  take_stripes(sum->lanes, bytes.ptr, bytes.len / STRIPE);
  bytes = tam_span_from(bytes, bytes.len / STRIPE * STRIPE);
  memcpy(sum->stripe, bytes.ptr, bytes.len);
}

// Makes one number of the lanes.
static uint64_t converge(const uint64_t *lanes) {
  uint64_t sum = rotate(lanes[0], 1) + rotate(lanes[1], 7) +
                 rotate(lanes[2], 12) + rotate(lanes[3], 18);
  for (int i = 0; i < 4; i++) {
    sum = (sum ^ round_of(0, lanes[i])) * PRIME1 + PRIME4;
  }
  return sum;
}

// Takes the |len| bytes behind the last whole stripe into |sum|.
static uint64_t take_rest(uint64_t sum, const uint8_t *at, size_t len) {
  for (; len >= 8; len -= 8) {
    sum = rotate(sum ^ round_of(0, word64(at)), 27) * PRIME1 + PRIME4;
    at += 8;
  }
  if (len >= 4) {
    sum = rotate(sum ^ word32(at) * PRIME1, 23) * PRIME2 + PRIME3;
    at += 4;
    len -= 4;
  }
  for (; len > 0; len--) {
    sum = rotate(sum ^ *at++ * PRIME5, 11) * PRIME1;
  }
  return sum;
}

uint64_t tam_checksum_final(const tam_checksum *sum) {
  uint64_t result = sum->len < STRIPE ? PRIME5 : converge(sum->lanes);
  result =
      take_rest(result + sum->len, sum->stripe, (size_t)(sum->len % STRIPE));
  result = (result ^ result >> 33) * PRIME2;
  result = (result ^ result >> 29) * PRIME3;
  return result ^ result >> 32;
}

uint64_t tam_checksum_of(tam_span bytes) {
  tam_checksum sum;
  tam_checksum_init(&sum);
  tam_checksum_update(&sum, bytes);
  return tam_checksum_final(&sum);
}
