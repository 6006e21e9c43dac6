// SPDX-License-Identifier: Apache-2.0
#include "store/record.h"

#include "core/checksum.h"

#include <string.h>

#define MAGIC     0xc1
#define HEAD_SIZE (TAM_RECORD_FRAME_SIZE - TAM_CHECKSUM_SIZE)

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__,
               "numbers are written as they are in memory");

// ---------------------------------------------------------------------------
// Writing

static void put(tam_buf *record, const void *value, size_t size) {
  tam_buf_append(record, (tam_span){value, size});
}

void tam_record_begin(tam_buf *record, tam_record_kind kind, uint8_t version) {
  const uint8_t head[HEAD_SIZE] = {MAGIC, (uint8_t)kind, version};
  tam_buf_reset(record);
  put(record, head, sizeof(head));
}

void tam_record_end(tam_buf *record) {
  tam_record_put_u64(record, tam_checksum_of(tam_buf_span(record)));
}

void tam_record_put_u8(tam_buf *record, uint8_t value) {
  put(record, &value, sizeof(value));
}

void tam_record_put_u32(tam_buf *record, uint32_t value) {
  put(record, &value, sizeof(value));
}

void tam_record_put_u64(tam_buf *record, uint64_t value) {
  put(record, &value, sizeof(value));
}

void tam_record_put_text(tam_buf *record, tam_span text) {
  tam_record_put_u32(record, (uint32_t)text.len);
  tam_buf_append(record, text);
}

// ---------------------------------------------------------------------------
// Reading

static int fail(tam_record_reader *reader, int error) {
  reader->rest = TAM_SPAN_NONE;
  if (reader->error == 0) {
    reader->error = error;
  }
  return error;
}

int tam_record_open(tam_record_reader *reader, tam_span record,
                    tam_record_kind kind, uint8_t version) {
  reader->error = 0;
  if (record.len < TAM_RECORD_FRAME_SIZE) {
    return fail(reader, TAM_ERR_INVALID_ARGUMENT);
  }
  uint64_t sum;
  tam_span text = tam_span_head(record, record.len - TAM_CHECKSUM_SIZE);
  memcpy(&sum, text.ptr + text.len, sizeof(sum));
  if (tam_checksum_of(text) != sum || text.ptr[0] != MAGIC ||
      text.ptr[1] != (uint8_t)kind || text.ptr[2] < version) {
    return fail(reader, TAM_ERR_INVALID_ARGUMENT);
  }
  if (text.ptr[2] > version) {
    return fail(reader, TAM_ERR_UNEXPECTED_SHAPE);
  }
  reader->rest = tam_span_from(text, HEAD_SIZE);
  return 0;
}

tam_span tam_record_get_bytes(tam_record_reader *reader, size_t len) {
  if (len > reader->rest.len) {
    (void)fail(reader, TAM_ERR_INVALID_ARGUMENT);
    return TAM_SPAN_NONE;
  }
  tam_span bytes = tam_span_head(reader->rest, len);
  reader->rest = tam_span_from(reader->rest, len);
  return bytes;
}

static uint64_t get_number(tam_record_reader *reader, size_t size) {
  uint64_t value = 0;
  tam_text_copy((uint8_t *)&value, tam_record_get_bytes(reader, size));
  return value;
}

uint8_t tam_record_get_u8(tam_record_reader *reader) {
  return (uint8_t)get_number(reader, 1);
}

uint32_t tam_record_get_u32(tam_record_reader *reader) {
  return (uint32_t)get_number(reader, 4);
}

uint64_t tam_record_get_u64(tam_record_reader *reader) {
  return get_number(reader, 8);
}

tam_span tam_record_get_text(tam_record_reader *reader, size_t max) {
  size_t len = tam_record_get_u32(reader);
  return tam_record_get_bytes(reader, len <= max ? len : SIZE_MAX);
}

int tam_record_close(tam_record_reader *reader) {
  if (reader->rest.len > 0) {
    return fail(reader, TAM_ERR_INVALID_ARGUMENT);
  }
  return reader->error;
}
