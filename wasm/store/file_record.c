// SPDX-License-Identifier: Apache-2.0
#include "store/file_record.h"

#include "core/checksum.h"
#include "store/record.h"

#include <string.h>

#define VERSION 1

// ---------------------------------------------------------------------------
// Blocks

// Returns the number of blocks of |len| bytes.
static uint64_t blocks_of(uint64_t len) {
  return (len + TAM_CHECK_BLOCK_SIZE - 1) / TAM_CHECK_BLOCK_SIZE;
}

uint32_t tam_file_record_blocks(const tam_file_record *record, uint32_t chunk) {
  return (uint32_t)blocks_of(tam_chunk_map_length(&record->chunks, chunk));
}

// Returns the number of blocks of the first |chunks| chunks.
static uint64_t blocks_before(const tam_file_record *record, uint32_t chunks) {
  if (chunks == 0) {
    return 0;
  }
  // Only the last chunk may be shorter than the others.
  return (chunks - 1) * blocks_of(tam_chunk_map_length(&record->chunks, 0)) +
         blocks_of(tam_chunk_map_length(&record->chunks, chunks - 1));
}

size_t tam_file_record_sums_before(const tam_file_record *record,
                                   uint32_t chunk) {
  return (size_t)blocks_before(record, chunk) * TAM_CHECKSUM_SIZE;
}

static size_t saved_size(const tam_file_record *record) {
  return tam_file_hash_saved_size(record->algorithm);
}

tam_span tam_file_record_state(const tam_file_record *record, uint32_t chunk) {
  tam_span states = tam_buf_span(&record->states);
  return tam_span_head(tam_span_from(states, chunk * saved_size(record)),
                       saved_size(record));
}

// ---------------------------------------------------------------------------
// Life

// Sets everything that needs no memory.
static void record_clear(tam_file_record *record, const tam_mem *mem) {
  memset(record, 0, sizeof(*record));
  record->mem = mem;
  record->chunks.mem = mem;
  tam_buf_init(&record->states, mem,
               (size_t)TAM_CHUNKS_MAX * TAM_CONTENT_SAVED_MAX);
  tam_buf_init(&record->sums, mem,
               (size_t)TAM_CHECK_BLOCKS_MAX * TAM_CHECKSUM_SIZE);
}

static void take_digest(tam_file_record *record, const uint8_t *digest) {
  tam_text_copy(record->digest, (tam_span){digest, tam_file_hash_digest_size(
                                                       record->algorithm)});
}

static int blocks_check(const tam_file_record *record) {
  return blocks_before(record, record->chunks.count) <= TAM_CHECK_BLOCKS_MAX
             ? 0
             : TAM_ERR_TOO_LARGE;
}

int tam_file_record_init(tam_file_record *record, uint64_t size,
                         uint64_t chunk_size, uint8_t algorithm,
                         const uint8_t *digest, const tam_mem *mem) {
  record_clear(record, mem);
  if (!tam_file_hash_is_known(algorithm)) {
    return TAM_ERR_INVALID_ARGUMENT;
  }
  record->algorithm = algorithm;
  take_digest(record, digest);
  int error = tam_chunk_map_init(&record->chunks, size, chunk_size, mem);
  return error != 0 ? error : blocks_check(record);
}

void tam_file_record_free(tam_file_record *record) {
  tam_chunk_map_free(&record->chunks);
  tam_buf_free(&record->states);
  tam_buf_free(&record->sums);
  record_clear(record, record->mem);
}

int tam_file_record_set_etag(tam_file_record *record, tam_span etag) {
  if (etag.len > TAM_FILE_ETAG_MAX) {
    return TAM_ERR_TOO_LARGE;
  }
  tam_text_copy(record->etag, etag);
  record->etag_len = (uint16_t)etag.len;
  return 0;
}

tam_span tam_file_record_etag(const tam_file_record *record) {
  return (tam_span){record->etag, record->etag_len};
}

// ---------------------------------------------------------------------------
// Hashed chunks

void tam_file_record_begin_hash(const tam_file_record *record, uint32_t chunk,
                                tam_content_hash *hash) {
  tam_content_hash_init(hash, record->algorithm, record->chunks.size);
  if (chunk > 0) {
    // No error: the state was checked when it was loaded.
    (void)tam_content_hash_load(hash, record->algorithm,
                                tam_file_record_state(record, chunk - 1));
  }
}

void tam_file_record_trim(tam_file_record *record) {
  record->states.len = record->hashed * saved_size(record);
  record->states.error = 0;
  record->sums.len = tam_file_record_sums_before(record, record->hashed);
  record->sums.error = 0;
}

void tam_file_record_forget_from(tam_file_record *record, uint32_t chunk) {
  record->flags &= (uint8_t)~TAM_FILE_COMPLETE;
  if (chunk < record->hashed) {
    record->hashed = chunk;
  }
  tam_file_record_trim(record);
}

int tam_file_record_check(const tam_file_record *record) {
  tam_content_hash hash;
  uint8_t digest[TAM_CONTENT_DIGEST_MAX];
  if (record->hashed < record->chunks.count) {
    return 0;
  }
  tam_file_record_begin_hash(record, record->hashed, &hash);
  tam_content_hash_final(&hash, digest);
  return memcmp(digest, record->digest, sizeof(digest)) == 0;
}

int tam_file_record_has_sum(const tam_file_record *record, uint32_t chunk,
                            uint32_t block, uint64_t sum) {
  if (chunk >= record->hashed ||
      block >= tam_file_record_blocks(record, chunk)) {
    return 0;
  }
  size_t at = tam_file_record_sums_before(record, chunk) + block * sizeof(sum);
  return memcmp(record->sums.data + at, &sum, sizeof(sum)) == 0;
}

// ---------------------------------------------------------------------------
// Saved form: algorithm, flags, digest, ETag, chunk map as a text, number of
// hashed chunks, their states and checksums

void tam_file_record_save(const tam_file_record *record, tam_buf *buf) {
  const size_t digest_len = tam_file_hash_digest_size(record->algorithm);
  const size_t sums_len = tam_file_record_sums_before(record, record->hashed);
  tam_record_begin(buf, TAM_RECORD_FILE, VERSION);
  tam_record_put_u8(buf, record->algorithm);
  tam_record_put_u8(buf, record->flags);
  tam_buf_append(buf, (tam_span){record->digest, digest_len});
  tam_record_put_text(buf, tam_file_record_etag(record));
  tam_record_put_u32(buf, tam_chunk_map_saved_size(&record->chunks));
  tam_chunk_map_save(&record->chunks, buf);
  tam_record_put_u32(buf, record->hashed);
  tam_buf_append(buf, tam_buf_span(&record->states));
  tam_buf_append(buf, tam_span_head(tam_buf_span(&record->sums), sums_len));
  tam_record_end(buf);
}

// Reads what stands before the chunk map.
static int load_head(tam_file_record *record, tam_record_reader *reader) {
  record->algorithm = tam_record_get_u8(reader);
  record->flags = tam_record_get_u8(reader);
  if (!tam_file_hash_is_known(record->algorithm)) {
    return TAM_ERR_INVALID_ARGUMENT;
  }
  tam_span digest = tam_record_get_bytes(
      reader, tam_file_hash_digest_size(record->algorithm));
  tam_text_copy(record->digest, digest);
  return tam_file_record_set_etag(
      record, tam_record_get_text(reader, TAM_FILE_ETAG_MAX));
}

// Returns 1 when every state is one that the hash can have behind its chunk.
static int states_are_good(const tam_file_record *record) {
  tam_content_hash hash;
  tam_content_hash_init(&hash, record->algorithm, record->chunks.size);
  const uint64_t before = tam_content_hash_len(&hash);
  for (uint32_t i = 0; i < record->hashed; i++) {
    if (tam_content_hash_load(&hash, record->algorithm,
                              tam_file_record_state(record, i)) != 0 ||
        tam_content_hash_len(&hash) - before !=
            tam_chunk_map_start(&record->chunks, i + 1)) {
      return 0;
    }
  }
  return 1;
}

// Reads what stands behind the chunk map.
static int load_hashed(tam_file_record *record, tam_record_reader *reader) {
  tam_chunk_run missing = {record->chunks.count, 0};
  (void)tam_chunk_map_next_missing(&record->chunks, 0, &missing);
  record->hashed = tam_record_get_u32(reader);
  if (record->hashed > missing.first) {
    return TAM_ERR_INVALID_ARGUMENT;
  }
  size_t sums_len = tam_file_record_sums_before(record, record->hashed);
  tam_buf_append(
      &record->states,
      tam_record_get_bytes(reader, record->hashed * saved_size(record)));
  tam_buf_append(&record->sums, tam_record_get_bytes(reader, sums_len));
  int error = tam_record_close(reader);
  if (error == 0) {
    error =
        record->states.error != 0 ? record->states.error : record->sums.error;
  }
  if (error == 0 && !states_are_good(record)) {
    error = TAM_ERR_INVALID_ARGUMENT;
  }
  return error;
}

static int load_record(tam_file_record *record, tam_record_reader *reader) {
  int error = load_head(record, reader);
  tam_span map = tam_record_get_text(reader, TAM_CHUNK_RECORD_MAX);
  if (error == 0) {
    error = reader->error;
  }
  if (error == 0) {
    error = tam_chunk_map_load(&record->chunks, map, record->mem);
  }
  if (error == 0 && blocks_check(record) != 0) {
    error = TAM_ERR_INVALID_ARGUMENT;
  }
  return error != 0 ? error : load_hashed(record, reader);
}

int tam_file_record_load(tam_file_record *record, tam_span saved,
                         const tam_mem *mem) {
  tam_record_reader reader;
  record_clear(record, mem);
  int error = tam_record_open(&reader, saved, TAM_RECORD_FILE, VERSION);
  if (error == 0) {
    error = load_record(record, &reader);
  }
  if (error != 0) {
    tam_file_record_free(record);
  }
  return error;
}
