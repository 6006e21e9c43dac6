// SPDX-License-Identifier: Apache-2.0
// PCG32 (O'Neill, "PCG: A Family of Simple Fast Space-Efficient Statistically
// Good Algorithms for Random Number Generation", 2014), XSH-RR output.
#include "core/random.h"

static uint64_t load64(const uint8_t *bytes) {
  uint64_t value = 0;
  for (int i = 7; i >= 0; i--) {
    value = (value << 8) | bytes[i];
  }
  return value;
}

void tam_random_init(tam_random *random, const uint8_t seed[16]) {
  random->state = 0;
  random->stream = (load64(seed + 8) << 1) | 1U;
  tam_random_next(random);
  random->state += load64(seed);
  tam_random_next(random);
}

uint32_t tam_random_next(tam_random *random) {
  uint64_t state = random->state;
  random->state = state * 6364136223846793005ULL + random->stream;
  uint32_t shifted = (uint32_t)(((state >> 18) ^ state) >> 27);
  uint32_t rotation = (uint32_t)(state >> 59);
  return (shifted >> rotation) | (shifted << ((32U - rotation) & 31U));
}

double tam_random_unit(tam_random *random) {
  return tam_random_next(random) / 4294967296.0;
}
