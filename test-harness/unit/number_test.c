// SPDX-License-Identifier: Apache-2.0
// Numbers against the C library: short ones must be the nearest double, long
// ones may be a few units in the last place away.
#include "core/number.h"
#include "core/random.h"

#include "check.h"

#include <math.h>

// How far a number may be off when it is long or its exponent is large.
#define UNITS_MAX 8

static int64_t bits_of(double value) {
  int64_t bits;
  memcpy(&bits, &value, sizeof(bits));
  return bits;
}

// |text| is one number from end to end: strtod is the oracle. Neighbouring
// doubles of one sign have neighbouring bits.
static void check_within(const char *text, int64_t units) {
  double value = tam_number_of(tam_span_of(text));
  int64_t off = bits_of(value) - bits_of(strtod(text, NULL));
  if (off < -units || off > units) {
    printf("%.60s: %.17g, off by %lld\n", text, value, (long long)off);
  }
  CHECK(off >= -units && off <= units);
}

static void short_numbers(void) {
  static const char *const texts[] = {
      "0",        "-0",     "0.0",    "7",          "-12",
      "3.25",     "0.1",    "1e3",    "1E+3",       "25e-2",
      "-2.5e-1",  "1e22",   "1e-22",  "8.5e15",     "0.000001",
      "0e5",      "0.10",   "1e05",   "1e-7",       "100",
      "100.00e0", "0.5e1",  "-1.5E2", "12345.6789", "1234567",
      "1e00",     "0.0e-0", "999e-3", "1.0",        "123456789012345e22",
      "1e999",    "-1e999", "1e-999", "0e999",      "1e0000001"};
  for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
    check_within(texts[i], 0);
  }
}

static void whole_numbers(void) {
  static const char *const texts[] = {
      "9007199254740991",  "9007199254740992",    "9007199254740993",
      "-9007199254740991", "1234567890123456789", "18446744073709551615"};
  for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
    check_within(texts[i], 1);
  }
  CHECK(tam_number_of(TAM_SPAN("9007199254740991")) == 9007199254740991.0);
}

static void both_ends_of_the_range(void) {
  static const char *const texts[] = {"1.7976931348623150e308",
                                      "2.2250738585072014e-308",
                                      "2.2250738585072011e-308",
                                      "4.9e-324",
                                      "6.631236846766476e-316",
                                      "1e-324",
                                      "1e-400",
                                      "1e309",
                                      "1e400",
                                      "1e999999999999",
                                      "1e-999999999999",
                                      "0e999999999999"};
  for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
    check_within(texts[i], UNITS_MAX);
  }
}

static void endless_numbers(void) {
  char text[2048];
  memset(text, '0', sizeof(text));
  memcpy(text, "9007199254740993.", 17);
  text[1500] = '\0';
  check_within(text, UNITS_MAX);
  memset(text, '9', 1500);
  check_within(text, 0); // infinite
  memcpy(text + 1492, "e-1490", 7);
  check_within(text, UNITS_MAX);
  memset(text, '0', 1500);
  memcpy(text, "0.", 2);
  text[1495] = '7';
  memcpy(text + 1496, "e1490", 6);
  check_within(text, UNITS_MAX);
}

static void random_numbers(void) {
  tam_random random;
  tam_random_init(&random, (const uint8_t *)"0123456789abcdef");
  for (int i = 0; i < 20000; i++) {
    char text[64];
    uint64_t bits =
        (uint64_t)tam_random_next(&random) << 32 | tam_random_next(&random);
    double value;
    memcpy(&value, &bits, sizeof(value));
    if (isfinite(value) && fabs(value) < 1e308) {
      int digits = (int)(tam_random_next(&random) % 20);
      snprintf(text, sizeof(text), "%.*e", digits, value);
      check_within(text, UNITS_MAX);
    }
    snprintf(text, sizeof(text), "%u.%06ue%d",
             tam_random_next(&random) % 1000000U,
             tam_random_next(&random) % 1000000U,
             (int)(tam_random_next(&random) % 32) - 16);
    check_within(text, 0);
  }
}

int main(void) {
  RUN(short_numbers);
  RUN(whole_numbers);
  RUN(both_ends_of_the_range);
  RUN(endless_numbers);
  RUN(random_numbers);
  return check_finish();
}
