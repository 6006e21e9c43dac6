// SPDX-License-Identifier: Apache-2.0
// Percent-encoding of every byte there is.
#include "core/percent.h"

#include "check.h"

// The unreserved characters, as RFC 3986 lists them.
static const char unreserved[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                 "abcdefghijklmnopqrstuvwxyz"
                                 "0123456789-._~";

static void test_every_byte(void) {
  for (unsigned value = 0; value < 256; value++) {
    uint8_t byte = (uint8_t)value;
    uint8_t space[8];
    char expected[8];
    int is_plain = byte != 0 && strchr(unreserved, (int)value) != NULL;
    snprintf(expected, sizeof(expected), is_plain ? "%c" : "%%%02X", value);
    tam_buf to;
    tam_buf_init_fixed(&to, space, sizeof(space));
    tam_percent_encode(&to, (tam_span){&byte, 1}, 0);
    CHECK_INT(to.error, 0);
    CHECK(tam_span_eq(tam_buf_span(&to), tam_span_of(expected)));
  }
}

static void test_a_byte_that_stays_plain(void) {
  uint8_t space[32];
  tam_buf to;
  tam_buf_init_fixed(&to, space, sizeof(space));
  tam_percent_encode(&to, TAM_SPAN("a/b c\0/"), '/');
  CHECK_SPAN(tam_buf_span(&to), "a/b%20c%00/");
}

static void test_digits(void) {
  static const char digits[] = "0123456789abcdef";
  int found = 0;
  for (unsigned value = 0; value < 256; value++) {
    found += tam_hex_digit((uint8_t)value) >= 0;
  }
  CHECK_INT(found, 10 + 6 + 6);
  for (int i = 0; i < 16; i++) {
    uint8_t byte = (uint8_t)digits[i];
    CHECK_INT(tam_hex_digit(byte), i);
    CHECK_INT(tam_hex_digit(i < 10 ? byte : (uint8_t)(byte - 'a' + 'A')), i);
  }
}

int main(void) {
  RUN(test_every_byte);
  RUN(test_a_byte_that_stays_plain);
  RUN(test_digits);
  return check_finish();
}
