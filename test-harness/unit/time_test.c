// SPDX-License-Identifier: Apache-2.0
// Times against values worked out elsewhere (date -u -d TEXT +%s).
#include "check.h"

#include "core/time.h"

static void test_times(void) {
  CHECK(tam_time_of(TAM_SPAN("1970-01-01T00:00:00.000Z")) == 0);
  CHECK(tam_time_of(TAM_SPAN("1970-01-01T00:00:00.001Z")) == 1);
  CHECK(tam_time_of(TAM_SPAN("2000-02-29T23:59:59.999Z")) == 951868799999.0);
  CHECK(tam_time_of(TAM_SPAN("2024-02-29T12:34:56Z")) == 1709210096000.0);
  CHECK(tam_time_of(TAM_SPAN("2024-03-01T00:00:00.000Z")) == 1709251200000.0);
  CHECK(tam_time_of(TAM_SPAN("2100-02-28T00:00:00.000Z")) == 4107456000000.0);
  CHECK(tam_time_of(TAM_SPAN("2100-03-01T00:00:00.000Z")) == 4107542400000.0);
  CHECK(tam_time_of(TAM_SPAN("9999-12-31T23:59:59.999Z")) == 253402300799999.0);
}

static void test_what_is_no_time(void) {
  static const char *const others[] = {
      "",
      "Z",
      "2024",
      "2024-02-29",
      "2024-02-29T12:34:56",
      "2024-02-29T12:34:56.789",
      "2024-02-29T12:34:56.7890Z",
      "2024-02-29T12:34:56,789Z",
      "2024-02-29T12:34:56.78ZZ",
      "2024-02-29t12:34:56.789z",
      "2024-02-29 12:34:56.789Z",
      "+024-02-29T12:34:56.789Z",
      "2024-00-29T12:34:56.789Z",
      "2024-13-29T12:34:56.789Z",
      "2024-02-00T12:34:56.789Z",
      "2024-02-32T12:34:56.789Z",
      "2024-02-29T24:00:00.000Z",
      "2024-02-29T12:60:56.789Z",
      "2024-02-29T12:34:60.789Z",
      "1969-12-31T23:59:59.999Z",
      "0000-01-01T00:00:00.000Z",
  };
  for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
    CHECK(tam_time_of(tam_span_of(others[i])) == -1);
  }
}

int main(void) {
  test_times();
  test_what_is_no_time();
  return 0;
}
