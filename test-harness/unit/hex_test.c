// SPDX-License-Identifier: Apache-2.0
// Hexadecimal text: every byte there and back, and every text that is refused.
#include "core/hex.h"

#include "check.h"

static void writing(void) {
  const uint8_t bytes[] = {0x00, 0x09, 0x0a, 0x9f, 0xa0, 0xff};
  uint8_t text[] = "------------!";
  tam_hex_write(text, (tam_span){bytes, sizeof(bytes)});
  CHECK(memcmp(text, "00090a9fa0ff!", sizeof(text)) == 0);
  tam_hex_write(text, TAM_SPAN_NONE);
  CHECK(memcmp(text, "00090a9fa0ff!", sizeof(text)) == 0);
}

static void there_and_back(void) {
  for (int i = 0; i < 256; i++) {
    uint8_t byte = (uint8_t)i;
    uint8_t text[2];
    uint8_t back = (uint8_t)~i;
    tam_hex_write(text, (tam_span){&byte, 1});
    CHECK(tam_hex_read((tam_span){text, 2}, &back, 1) && back == byte);
  }
}

// Of all pairs of bytes, those of the sixteen digits are read.
static void pairs(void) {
  static const char digits[] = "0123456789abcdef";
  for (int i = 0; i < 65536; i++) {
    const uint8_t text[2] = {(uint8_t)(i >> 8), (uint8_t)i};
    const char *high = text[0] != 0 ? strchr(digits, text[0]) : NULL;
    const char *low = text[1] != 0 ? strchr(digits, text[1]) : NULL;
    uint8_t byte = 0;
    int is_read = tam_hex_read((tam_span){text, 2}, &byte, 1);
    CHECK(is_read == (high != NULL && low != NULL));
    CHECK(!is_read || byte == (high - digits) * 16 + (low - digits));
  }
}

static void lengths(void) {
  uint8_t bytes[4] = {0};
  CHECK(tam_hex_read(TAM_SPAN("0001ff"), bytes, 3));
  CHECK(bytes[0] == 0 && bytes[1] == 1 && bytes[2] == 0xff && bytes[3] == 0);
  CHECK(!tam_hex_read(TAM_SPAN("0001f"), bytes, 3));
  CHECK(!tam_hex_read(TAM_SPAN("0001f"), bytes, 2));
  CHECK(!tam_hex_read(TAM_SPAN("0001ff0"), bytes, 3));
  CHECK(!tam_hex_read(TAM_SPAN("0001ff00"), bytes, 3));
  CHECK(!tam_hex_read(TAM_SPAN(""), bytes, 1));
  CHECK(!tam_hex_read(TAM_SPAN("00"), bytes, 0));
  CHECK(tam_hex_read(TAM_SPAN_NONE, bytes, 0));
  // A length whose double does not fit.
  CHECK(!tam_hex_read(TAM_SPAN_NONE, bytes, SIZE_MAX / 2 + 1));
}

int main(void) {
  RUN(writing);
  RUN(there_and_back);
  RUN(pairs);
  RUN(lengths);
  return check_finish();
}
