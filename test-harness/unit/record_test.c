// SPDX-License-Identifier: Apache-2.0
// The frame of records: one written by hand, every length and every flipped bit
// of it, and readers that ask for more than there is.
#include "store/record.h"

#include "core/checksum.h"

#include "check.h"

#define VERSION 3

// 7, 258, 0x0102030405060708, "ab"; the checksum is xxhash-wasm's.
static const uint8_t good[] = {
    0xc1, 1,    3,                               // frame
    7,    2,    1,    0,    0,                   // u8, u32
    8,    7,    6,    5,    4,    3,    2,    1, // u64
    2,    0,    0,    0,    'a',  'b',           // text
    0x25, 0x1b, 0x25, 0xa9, 0x57, 0x8b, 0x7a, 0x75};

static void test_writing(void) {
  uint8_t space[sizeof(good)];
  tam_buf record;
  tam_buf_init_fixed(&record, space, sizeof(space));
  for (int again = 0; again < 2; again++) {
    tam_record_begin(&record, TAM_RECORD_FILE, VERSION);
    tam_record_put_u8(&record, 7);
    tam_record_put_u32(&record, 258);
    tam_record_put_u64(&record, UINT64_C(0x0102030405060708));
    tam_record_put_text(&record, TAM_SPAN("ab"));
    tam_record_end(&record);
    CHECK_INT(record.error, 0);
    CHECK(tam_span_eq(tam_buf_span(&record), (tam_span){good, sizeof(good)}));
  }
}

static void test_writing_beyond_the_cap(void) {
  for (size_t room = 0; room < sizeof(good); room++) {
    uint8_t space[sizeof(good)];
    tam_buf record;
    tam_buf_init_fixed(&record, space, room);
    tam_record_begin(&record, TAM_RECORD_FILE, VERSION);
    tam_record_put_u8(&record, 7);
    tam_record_put_u32(&record, 258);
    tam_record_put_u64(&record, UINT64_C(0x0102030405060708));
    tam_record_put_text(&record, TAM_SPAN("ab"));
    tam_record_end(&record);
    CHECK_INT(record.error, TAM_ERR_TOO_LARGE);
  }
}

static void test_reading(void) {
  tam_record_reader reader;
  CHECK_INT(tam_record_open(&reader, (tam_span){good, sizeof(good)},
                            TAM_RECORD_FILE, VERSION),
            0);
  CHECK_INT(tam_record_get_u8(&reader), 7);
  CHECK_INT(tam_record_get_u32(&reader), 258);
  CHECK_INT(tam_record_get_u64(&reader), INT64_C(0x0102030405060708));
  CHECK_SPAN(tam_record_get_text(&reader, 2), "ab");
  CHECK_INT(tam_record_close(&reader), 0);
}

static void test_what_is_not_ours(void) {
  static const struct {
    uint8_t head[3];
    uint8_t sum[TAM_CHECKSUM_SIZE]; // xxhash-wasm's
    int error;
  } rows[] = {
      {{0xc1, 2, 3},
       {0x74, 0xa7, 0xde, 0xbe, 0x9b, 0xeb, 0xcb, 0xb3},
       TAM_ERR_INVALID_ARGUMENT},
      {{0xc1, 1, 2},
       {0xdb, 0x28, 0x35, 0x75, 0x2c, 0xe8, 0x59, 0xb7},
       TAM_ERR_INVALID_ARGUMENT},
      {{0xc1, 1, 4},
       {0xc3, 0x9b, 0x82, 0x22, 0x9d, 0xf3, 0x70, 0xb0},
       TAM_ERR_UNEXPECTED_SHAPE},
      {{0xc0, 1, 3},
       {0x27, 0x3b, 0x0b, 0x27, 0xc0, 0xf3, 0x7e, 0x0a},
       TAM_ERR_INVALID_ARGUMENT},
  };
  for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
    uint8_t record[sizeof(good)];
    tam_record_reader reader;
    memcpy(record, good, sizeof(good));
    memcpy(record, rows[i].head, 3);
    memcpy(record + sizeof(good) - 8, rows[i].sum, 8);
    CHECK_INT(tam_record_open(&reader, (tam_span){record, sizeof(record)},
                              TAM_RECORD_FILE, VERSION),
              rows[i].error);
    CHECK_INT(tam_record_get_u8(&reader), 0);
    CHECK_INT(tam_record_close(&reader), rows[i].error);
  }
}

// Opens |bytes| from a copy without a byte to spare.
static int open_copy(const uint8_t *bytes, size_t len) {
  tam_record_reader reader;
  uint8_t *copy = len > 0 ? malloc(len) : NULL;
  if (copy != NULL) {
    memcpy(copy, bytes, len);
  }
  int error =
      tam_record_open(&reader, (tam_span){copy, len}, TAM_RECORD_FILE, VERSION);
  CHECK_INT(reader.error, error);
  free(copy);
  return error;
}

static void test_damage(void) {
  uint8_t record[sizeof(good) + 9] = {0};
  memcpy(record, good, sizeof(good));
  for (size_t len = 0; len <= sizeof(record); len++) {
    CHECK_INT(open_copy(record, len),
              len == sizeof(good) ? 0 : TAM_ERR_INVALID_ARGUMENT);
  }
  for (size_t bit = 0; bit < 8 * sizeof(good); bit++) {
    record[bit / 8] ^= (uint8_t)(1U << bit % 8);
    CHECK_INT(open_copy(record, sizeof(good)), TAM_ERR_INVALID_ARGUMENT);
    record[bit / 8] ^= (uint8_t)(1U << bit % 8);
  }
}

// Returns a reader of the good record, behind its |skipped| first bytes.
static tam_record_reader reader_behind(size_t skipped) {
  tam_record_reader reader;
  CHECK_INT(tam_record_open(&reader, (tam_span){good, sizeof(good)},
                            TAM_RECORD_FILE, VERSION),
            0);
  CHECK_INT(tam_record_get_bytes(&reader, skipped).len, skipped);
  return reader;
}

// Nothing comes after an error, and it stays.
static void check_failed(tam_record_reader *reader) {
  CHECK_INT(reader->error, TAM_ERR_INVALID_ARGUMENT);
  CHECK_INT(tam_record_get_u8(reader), 0);
  CHECK_INT(tam_record_get_text(reader, 9).len, 0);
  CHECK_INT(tam_record_get_bytes(reader, 0).len, 0);
  CHECK_INT(tam_record_close(reader), TAM_ERR_INVALID_ARGUMENT);
}

static void test_reading_too_much(void) {
  tam_record_reader reader = reader_behind(13);
  CHECK_INT(tam_record_get_text(&reader, 1).len, 0); // "ab" is too long
  check_failed(&reader);
  reader = reader_behind(19);
  CHECK_INT(tam_record_get_u8(&reader), 0);
  check_failed(&reader);
  reader = reader_behind(16);
  CHECK_INT(tam_record_get_u32(&reader), 0);
  check_failed(&reader);
  reader = reader_behind(12);
  CHECK_INT(tam_record_get_u64(&reader), 0);
  check_failed(&reader);
  reader = reader_behind(5);
  CHECK_INT(tam_record_get_text(&reader, SIZE_MAX).len, 0); // 0x05060708
  check_failed(&reader);
  reader = reader_behind(0);
  CHECK_INT(tam_record_get_bytes(&reader, 20).len, 0);
  check_failed(&reader);
  reader = reader_behind(0);
  CHECK_INT(tam_record_get_bytes(&reader, SIZE_MAX).len, 0);
  check_failed(&reader);
}

static void test_reading_too_little(void) {
  tam_record_reader reader = reader_behind(18);
  CHECK_INT(tam_record_close(&reader), TAM_ERR_INVALID_ARGUMENT);
  reader = reader_behind(19);
  CHECK_INT(tam_record_close(&reader), 0);
}

int main(void) {
  RUN(test_writing);
  RUN(test_writing_beyond_the_cap);
  RUN(test_reading);
  RUN(test_what_is_not_ours);
  RUN(test_damage);
  RUN(test_reading_too_much);
  RUN(test_reading_too_little);
  return check_finish();
}
