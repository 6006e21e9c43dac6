// SPDX-License-Identifier: Apache-2.0
// A small seeded generator, for retry jitter and for sampling: the same seed
// gives the same numbers on every platform. Not for secrets.
#ifndef TAM_CORE_RANDOM_H
#define TAM_CORE_RANDOM_H

#include <stdint.h>

typedef struct tam_random {
  uint64_t state;
  uint64_t stream;
} tam_random;

// Starts the sequence of numbers that belongs to |seed|.
void tam_random_init(tam_random *random, const uint8_t seed[16]);

// Returns the next 32 random bits.
uint32_t tam_random_next(tam_random *random);

// Returns a number in [0, 1).
double tam_random_unit(tam_random *random);

#endif // TAM_CORE_RANDOM_H
