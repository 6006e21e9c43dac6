// SPDX-License-Identifier: Apache-2.0
// Percent-encoding of every byte there is, and back.
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

static void test_decoding_every_byte(void) {
  for (unsigned value = 0; value < 256; value++) {
    char upper[4];
    char lower[4];
    snprintf(upper, sizeof(upper), "%%%02X", value);
    snprintf(lower, sizeof(lower), "%%%02x", value);
    CHECK_INT(tam_percent_byte_at(tam_span_of(upper), 0), value);
    CHECK_INT(tam_percent_byte_at(tam_span_of(lower), 0), value);
  }
}

static void test_what_is_no_escape(void) {
  static const char *const texts[] = {"",    "%",   "%4",  "a41", "%4g", "%g4",
                                      "%/4", "%:4", "%@4", "%4`", "% 4", "%%4"};
  for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
    CHECK_INT(tam_percent_byte_at(tam_span_of(texts[i]), 0), -1);
  }
  CHECK_INT(tam_percent_byte_at(TAM_SPAN("a%41"), 1), 'A');
  CHECK_INT(tam_percent_byte_at(TAM_SPAN("a%41"), 0), -1);
  CHECK_INT(tam_percent_byte_at(TAM_SPAN("a%41"), 2), -1);
  CHECK_INT(tam_percent_byte_at(TAM_SPAN("a%41"), 4), -1);
}

int main(void) {
  RUN(test_every_byte);
  RUN(test_a_byte_that_stays_plain);
  RUN(test_decoding_every_byte);
  RUN(test_what_is_no_escape);
  return check_finish();
}
