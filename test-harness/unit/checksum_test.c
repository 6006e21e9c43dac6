// SPDX-License-Identifier: Apache-2.0
// XXH64: the values that its author and others published, and that it does not
// matter how the bytes are cut. hash.test.js compares it with another
// implementation.
#include "core/checksum.h"

#include "check.h"

#define MESSAGE_LEN 222

// The bytes that xxhsum tests itself with.
static tam_span message(void) {
  static uint8_t bytes[MESSAGE_LEN];
  uint64_t generator = 2654435761U;
  for (size_t i = 0; i < MESSAGE_LEN; i++) {
    bytes[i] = (uint8_t)(generator >> 56);
    generator *= UINT64_C(11400714785074694797);
  }
  return (tam_span){bytes, MESSAGE_LEN};
}

// The table of xxhsum, with seed 0.
static void test_the_values_of_xxhsum(void) {
  static const struct {
    size_t len;
    uint64_t sum;
  } rows[] = {
      {0, UINT64_C(0xEF46DB3751D8E999)},   {1, UINT64_C(0xE934A84ADB052768)},
      {4, UINT64_C(0x9136A0DCA57457EE)},   {14, UINT64_C(0x8282DCC4994E35C8)},
      {222, UINT64_C(0xB641AE8CB691C174)},
  };
  for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
    CHECK(tam_checksum_of(tam_span_head(message(), rows[i].len)) ==
          rows[i].sum);
  }
}

static void test_published_values(void) {
  CHECK(tam_checksum_of(TAM_SPAN_NONE) == UINT64_C(0xEF46DB3751D8E999));
  CHECK(tam_checksum_of(TAM_SPAN("a")) == UINT64_C(0xD24EC4F1A98C6E5B));
  CHECK(tam_checksum_of(TAM_SPAN("abc")) == UINT64_C(0x44BC2CF5AD770999));
  CHECK(tam_checksum_of(TAM_SPAN("xxhash")) == UINT64_C(0x32DD38952C4BC720));
  CHECK(tam_checksum_of(TAM_SPAN("Nobody inspects the spammish repetition")) ==
        UINT64_C(0xFBCEA83C8A378BF1));
}

// Updates with a copy of its own size, so that ASAN sees any byte too far.
static void update_copy(tam_checksum *sum, tam_span piece) {
  uint8_t *copy = piece.len > 0 ? malloc(piece.len) : NULL;
  if (copy != NULL) {
    memcpy(copy, piece.ptr, piece.len);
  }
  tam_checksum_update(sum, (tam_span){copy, piece.len});
  free(copy);
}

// However the message is cut in three, some of them empty, the sum is that of
// the whole; looking at it in between changes nothing.
static void test_every_cut(void) {
  const tam_span text = message();
  for (size_t first = 0; first <= text.len; first++) {
    for (size_t second = first; second <= text.len; second++) {
      tam_checksum sum;
      memset(&sum, 0xa5, sizeof(sum));
      tam_checksum_init(&sum);
      update_copy(&sum, tam_span_head(text, first));
      CHECK(first != 14 ||
            tam_checksum_final(&sum) == UINT64_C(0x8282DCC4994E35C8));
      update_copy(&sum,
                  tam_span_head(tam_span_from(text, first), second - first));
      update_copy(&sum, tam_span_from(text, second));
      CHECK(sum.len == MESSAGE_LEN);
      CHECK(tam_checksum_final(&sum) == UINT64_C(0xB641AE8CB691C174));
    }
  }
}

// Whatever bit is flipped, the sum is another one.
static void test_every_bit_counts(void) {
  uint8_t bytes[MESSAGE_LEN];
  memcpy(bytes, message().ptr, MESSAGE_LEN);
  for (size_t bit = 0; bit < 8 * sizeof(bytes); bit++) {
    bytes[bit / 8] ^= (uint8_t)(1U << bit % 8);
    CHECK(tam_checksum_of((tam_span){bytes, sizeof(bytes)}) !=
          UINT64_C(0xB641AE8CB691C174));
    bytes[bit / 8] ^= (uint8_t)(1U << bit % 8);
  }
}

int main(void) {
  RUN(test_the_values_of_xxhsum);
  RUN(test_published_values);
  RUN(test_every_cut);
  RUN(test_every_bit_counts);
  return check_finish();
}
