// SPDX-License-Identifier: Apache-2.0
// The generator against the sequence that its authors publish for the demo
// seed (state 42, stream 54), and the range of the fractions.
#include "core/random.h"

#include "check.h"

static void published_sequence(void) {
  static const uint32_t expected[] = {0xa15c02b7, 0x7b47f409, 0xba1d3330,
                                      0x83d2f293, 0xbfa4784b, 0xcbed606e};
  const uint8_t seed[16] = {42, 0, 0, 0, 0, 0, 0, 0, 54};
  tam_random random;
  tam_random_init(&random, seed);
  for (size_t i = 0; i < sizeof(expected) / sizeof(expected[0]); i++) {
    CHECK_INT(tam_random_next(&random), expected[i]);
  }
}

static void fractions(void) {
  const uint8_t seed[16] = {7};
  tam_random random;
  double sum = 0;
  tam_random_init(&random, seed);
  for (int i = 0; i < 100000; i++) {
    double value = tam_random_unit(&random);
    CHECK(value >= 0 && value < 1);
    sum += value;
  }
  // The mean of 100,000 has a standard deviation of 0.0009.
  CHECK(sum > 49500 && sum < 50500);
}

int main(void) {
  RUN(published_sequence);
  RUN(fractions);
  return check_finish();
}
