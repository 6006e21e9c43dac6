// SPDX-License-Identifier: Apache-2.0
// The journal of a file and what is hashed into it: a file in chunks of several
// sizes, by both algorithms, in pieces, with the journal saved and loaded in
// between; chunks and blocks that were changed; and damaged records.
#include "store/file_hasher.h"
#include "store/record.h"

#include "core/hex.h"

#include "check.h"

#define MIB UINT64_C(1048576)

// The file: what `seq 400000` prints. The digests are those of sha256sum and of
// git hash-object.
#define FILE_LEN 2688895
#define FILE_SHA256                                                            \
  "88d1bf216a4a23b8ef0ad575bf91511a3929458e2babeed31ff8a89f7c5dbac3"
#define FILE_GIT "ae0715e278927251f2d83900494713eae23bafc3"

static uint8_t file_bytes[FILE_LEN + 1]; // and a NUL

static void make_file(void) {
  size_t len = 0;
  for (int i = 1; i <= 400000; i++) {
    len += (size_t)snprintf((char *)file_bytes + len, sizeof(file_bytes) - len,
                            "%d\n", i);
  }
  CHECK_INT(len, FILE_LEN);
}

static tam_span file_slice(uint64_t from, uint64_t len) {
  tam_span file = {file_bytes, FILE_LEN};
  return tam_span_head(tam_span_from(file, (size_t)from), (size_t)len);
}

typedef struct setup {
  uint8_t algorithm;
  const char *digest;
  uint64_t chunk_size;
} setup;

static const setup setups[] = {
    {TAM_FILE_HASH_SHA256, FILE_SHA256, MIB},
    {TAM_FILE_HASH_SHA256, FILE_SHA256, MIB + 64},
    {TAM_FILE_HASH_SHA256, FILE_SHA256, FILE_LEN},
    {TAM_FILE_HASH_GIT_SHA1, FILE_GIT, MIB},
    {TAM_FILE_HASH_GIT_SHA1, FILE_GIT, 2 * MIB + 128},
    {TAM_FILE_HASH_GIT_SHA1, FILE_GIT, TAM_CHUNK_SIZE_DEFAULT},
};
#define SETUPS (sizeof(setups) / sizeof(*setups))

static void read_digest(uint8_t *digest, const char *hex) {
  CHECK(tam_hex_read(tam_span_of(hex), digest, strlen(hex) / 2));
}

// Makes |record| that of the file with all chunks stored.
static int init(tam_file_record *record, const setup *how, const tam_mem *mem) {
  uint8_t digest[TAM_CONTENT_DIGEST_MAX];
  read_digest(digest, how->digest);
  int error = tam_file_record_init(record, FILE_LEN, how->chunk_size,
                                   how->algorithm, digest, mem);
  for (uint32_t i = 0; i < record->chunks.count; i++) {
    CHECK_INT(tam_chunk_map_add(&record->chunks, i), 1);
  }
  return error;
}

static tam_span chunk_of(const tam_file_record *record, uint32_t chunk) {
  return file_slice(tam_chunk_map_start(&record->chunks, chunk),
                    tam_chunk_map_length(&record->chunks, chunk));
}

static void update(tam_file_hasher *hasher, tam_span bytes, size_t step) {
  for (; bytes.len > 0; bytes = tam_span_from(bytes, step)) {
    tam_file_hasher_update(hasher, tam_span_head(bytes, step));
  }
}

// Hashes the next chunk in pieces of |step| bytes.
static int hash_next(tam_file_record *record, size_t step) {
  tam_file_hasher hasher;
  int error = tam_file_hasher_begin(&hasher, record);
  if (error != 0) {
    return error;
  }
  CHECK_INT(hasher.chunk, record->hashed);
  update(&hasher, chunk_of(record, hasher.chunk), step);
  return tam_file_hasher_end(&hasher);
}

static int check_chunk(tam_file_record *record, uint32_t chunk, tam_span bytes,
                       size_t step) {
  tam_file_hasher hasher;
  int error = tam_file_hasher_begin_check(&hasher, record, chunk);
  if (error != 0) {
    return error;
  }
  update(&hasher, bytes, step);
  return tam_file_hasher_end(&hasher);
}

static void init_hashed(tam_file_record *record, const setup *how,
                        const tam_mem *mem) {
  CHECK_INT(init(record, how, mem), 0);
  for (uint32_t i = 0; i < record->chunks.count; i++) {
    CHECK_INT(hash_next(record, 65536), 1);
  }
}

static tam_buf save(const tam_file_record *record, const tam_mem *mem) {
  tam_buf buf;
  tam_buf_init(&buf, mem, TAM_FILE_RECORD_MAX);
  tam_file_record_save(record, &buf);
  CHECK_INT(buf.error, 0);
  return buf;
}

// Saves |record| and makes it what comes back.
static void reload(tam_file_record *record, const tam_mem *mem) {
  tam_buf saved = save(record, mem);
  tam_file_record_free(record);
  CHECK_INT(tam_file_record_load(record, tam_buf_span(&saved), mem), 0);
  tam_buf again = save(record, mem);
  CHECK(tam_span_eq(tam_buf_span(&saved), tam_buf_span(&again)));
  tam_buf_free(&saved);
  tam_buf_free(&again);
}

// ---------------------------------------------------------------------------
// Hashing

static void check_hashing(const setup *how, size_t step) {
  check_heap heap = {0};
  tam_mem mem = check_heap_mem(&heap);
  tam_file_record record;
  CHECK_INT(init(&record, how, &mem), 0);
  for (uint32_t i = 0; i < record.chunks.count; i++) {
    CHECK_INT(tam_file_record_check(&record), 0);
    CHECK_INT(record.hashed, i);
    CHECK_INT(hash_next(&record, step), 1);
    reload(&record, &mem);
  }
  CHECK_INT(record.hashed, record.chunks.count);
  CHECK_INT(tam_file_record_check(&record), 1);
  CHECK_INT(hash_next(&record, step), TAM_ERR_INVALID_STATE);
  record.digest[7] ^= 1;
  CHECK_INT(tam_file_record_check(&record), 0);
  tam_file_record_free(&record);
  CHECK_INT(heap.live, 0);
}

static void test_hashing(void) {
  for (size_t i = 0; i < SETUPS; i++) {
    check_hashing(&setups[i], 65536);
    check_hashing(&setups[i], 60001);
    check_hashing(&setups[i], FILE_LEN);
  }
  check_hashing(&setups[1], 63);
}

static void test_an_empty_file(void) {
  static const setup rows[] = {
      {TAM_FILE_HASH_SHA256,
       "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855", 0},
      {TAM_FILE_HASH_GIT_SHA1, "e69de29bb2d1d6434b8b29ae775ad8c2e48c5391",
       TAM_CHUNK_SIZE_DEFAULT},
  };
  for (size_t i = 0; i < 2; i++) {
    tam_mem mem = tam_mem_default();
    uint8_t digest[TAM_CONTENT_DIGEST_MAX];
    tam_file_record record;
    tam_file_hasher hasher;
    read_digest(digest, rows[i].digest);
    CHECK_INT(tam_file_record_init(&record, 0, rows[i].chunk_size,
                                   rows[i].algorithm, digest, &mem),
              0);
    CHECK_INT(tam_file_hasher_begin(&hasher, &record), TAM_ERR_INVALID_STATE);
    CHECK_INT(tam_file_record_check(&record), 1);
    CHECK_INT(tam_file_record_blocks(&record, 0), 0);
    CHECK_INT(tam_file_record_has_sum(&record, 0, 0, 0), 0);
    reload(&record, &mem);
    CHECK_INT(tam_file_record_check(&record), 1);
    record.digest[19] ^= 0x80;
    CHECK_INT(tam_file_record_check(&record), 0);
    tam_file_record_free(&record);
  }
}

// Chunks are hashed in their order, and only when they are stored.
static void test_chunks_that_are_missing(void) {
  tam_mem mem = tam_mem_default();
  tam_file_record record;
  tam_file_hasher hasher;
  CHECK_INT(init(&record, &setups[0], &mem), 0);
  CHECK_INT(tam_chunk_map_remove(&record.chunks, 1), 1);
  CHECK_INT(hash_next(&record, 65536), 1);
  CHECK_INT(tam_file_hasher_begin(&hasher, &record), TAM_ERR_INVALID_STATE);
  CHECK_INT(tam_file_hasher_begin_check(&hasher, &record, 1),
            TAM_ERR_INVALID_STATE);
  CHECK_INT(tam_file_record_check(&record), 0);
  reload(&record, &mem);
  CHECK_INT(tam_chunk_map_add(&record.chunks, 1), 1);
  CHECK_INT(hash_next(&record, 65536), 1);
  CHECK_INT(hash_next(&record, 65536), 1);
  CHECK_INT(tam_file_record_check(&record), 1);
  tam_file_record_free(&record);
}

// The digest of what there is does not do for the whole.
static void test_a_digest_of_the_beginning(void) {
  tam_mem mem = tam_mem_default();
  tam_file_record record;
  tam_content_hash hash;
  CHECK_INT(init(&record, &setups[0], &mem), 0);
  CHECK_INT(hash_next(&record, 65536), 1);
  tam_file_record_begin_hash(&record, 1, &hash);
  tam_content_hash_final(&hash, record.digest);
  CHECK_INT(tam_file_record_check(&record), 0);
  tam_file_record_free(&record);
}

// A chunk that is not as long as it must be adds nothing.
static void check_wrong_length(const setup *how, size_t len) {
  tam_mem mem = tam_mem_default();
  tam_file_record record;
  tam_file_hasher hasher;
  CHECK_INT(init(&record, how, &mem), 0);
  tam_buf before = save(&record, &mem);
  CHECK_INT(tam_file_hasher_begin(&hasher, &record), 0);
  update(&hasher, file_slice(0, len), 65536);
  CHECK_INT(tam_file_hasher_end(&hasher), 0);
  tam_buf after = save(&record, &mem);
  CHECK(tam_span_eq(tam_buf_span(&before), tam_buf_span(&after)));
  for (uint32_t i = 0; i < record.chunks.count; i++) {
    CHECK_INT(hash_next(&record, 65536), 1);
  }
  CHECK_INT(tam_file_record_check(&record), 1);
  tam_buf_free(&before);
  tam_buf_free(&after);
  tam_file_record_free(&record);
}

static void test_chunks_of_another_length(void) {
  check_wrong_length(&setups[1], 0);
  check_wrong_length(&setups[1], 1);
  check_wrong_length(&setups[1], MIB);
  check_wrong_length(&setups[1], MIB + 63);
  check_wrong_length(&setups[1], MIB + 65);
  check_wrong_length(&setups[1], FILE_LEN);
}

// A chunk that is left in the middle leaves nothing: neither in what is saved
// nor for the one that begins again.
static void test_a_chunk_that_is_left(void) {
  tam_mem mem = tam_mem_default();
  tam_file_record record;
  tam_file_hasher hasher;
  CHECK_INT(init(&record, &setups[4], &mem), 0);
  tam_buf before = save(&record, &mem);
  CHECK_INT(tam_file_hasher_begin(&hasher, &record), 0);
  update(&hasher, file_slice(7, 3 * MIB / 2), 65536);
  tam_buf after = save(&record, &mem);
  CHECK(tam_span_eq(tam_buf_span(&before), tam_buf_span(&after)));
  CHECK_INT(hash_next(&record, 65536), 1);
  CHECK_INT(hash_next(&record, 65536), 1);
  CHECK_INT(tam_file_record_check(&record), 1);
  CHECK_INT(check_chunk(&record, 0, chunk_of(&record, 0), 4096), 1);
  tam_buf_free(&before);
  tam_buf_free(&after);
  tam_file_record_free(&record);
}

// ---------------------------------------------------------------------------
// Checking

static void test_checking_chunks(void) {
  for (size_t i = 0; i < SETUPS; i++) {
    tam_mem mem = tam_mem_default();
    tam_file_record record;
    init_hashed(&record, &setups[i], &mem);
    tam_buf before = save(&record, &mem);
    for (uint32_t chunk = 0; chunk < record.chunks.count; chunk++) {
      tam_span bytes = chunk_of(&record, chunk);
      size_t start = (size_t)(bytes.ptr - file_bytes);
      CHECK_INT(check_chunk(&record, chunk, bytes, 65536), 1);
      for (size_t at = 0; at < bytes.len; at += bytes.len / 3 - 1) {
        file_bytes[start + at] ^= 0x10;
        CHECK_INT(check_chunk(&record, chunk, bytes, 65536), 0);
        file_bytes[start + at] ^= 0x10;
      }
      CHECK_INT(check_chunk(&record, chunk, tam_span_head(bytes, bytes.len - 1),
                            65536),
                0);
      bytes.len++; // of the next chunk, or the NUL
      CHECK_INT(check_chunk(&record, chunk, bytes, 65536), 0);
    }
    CHECK_INT(check_chunk(&record, record.chunks.count, TAM_SPAN_NONE, 1),
              TAM_ERR_INVALID_STATE);
    tam_buf after = save(&record, &mem);
    CHECK(tam_span_eq(tam_buf_span(&before), tam_buf_span(&after)));
    tam_buf_free(&before);
    tam_buf_free(&after);
    tam_file_record_free(&record);
  }
}

// Each of the two is enough to notice that a chunk is not what it was.
static void test_states_and_checksums_are_both_compared(void) {
  tam_mem mem = tam_mem_default();
  tam_file_record record;
  init_hashed(&record, &setups[1], &mem);
  tam_span bytes = chunk_of(&record, 1);
  for (size_t sum = 2; sum < 4; sum++) {
    record.sums.data[8 * sum] ^= 1;
    CHECK_INT(check_chunk(&record, 1, bytes, 65536), 0);
    record.sums.data[8 * sum] ^= 1;
  }
  record.states.data[(size_t)2 * TAM_SHA256_SAVED_SIZE - 70] ^= 1;
  CHECK_INT(check_chunk(&record, 1, bytes, 65536), 0);
  CHECK_INT(check_chunk(&record, 0, chunk_of(&record, 0), 65536), 1);
  tam_file_record_free(&record);
}

// Whether |bytes| are block |block| of |chunk|.
static int has_block(const tam_file_record *record, uint32_t chunk,
                     uint32_t block, tam_span bytes) {
  return tam_file_record_has_sum(record, chunk, block, tam_checksum_of(bytes));
}

static void check_blocks(const tam_file_record *record, uint32_t chunk) {
  tam_span bytes = chunk_of(record, chunk);
  uint32_t count = 0;
  for (; bytes.len > 0; bytes = tam_span_from(bytes, MIB)) {
    tam_span block = tam_span_head(bytes, MIB);
    uint8_t *last = file_bytes + (block.ptr - file_bytes) + block.len - 1;
    CHECK_INT(has_block(record, chunk, count, block), 1);
    CHECK_INT(has_block(record, chunk, count + 1, block), 0);
    *last ^= 1;
    CHECK_INT(has_block(record, chunk, count, block), 0);
    *last ^= 1;
    block.len--;
    CHECK_INT(has_block(record, chunk, count, block), 0);
    block.len += 2;
    CHECK_INT(has_block(record, chunk, count, block), 0);
    count++;
  }
  CHECK_INT(tam_file_record_blocks(record, chunk), count);
  CHECK_INT(has_block(record, chunk, count, bytes), 0);
  CHECK_INT(has_block(record, chunk, UINT32_MAX, bytes), 0);
}

static void test_checking_blocks(void) {
  for (size_t i = 0; i < SETUPS; i++) {
    tam_mem mem = tam_mem_default();
    tam_file_record record;
    CHECK_INT(init(&record, &setups[i], &mem), 0);
    for (uint32_t chunk = 0; chunk < record.chunks.count; chunk++) {
      tam_span first = tam_span_head(chunk_of(&record, chunk), MIB);
      CHECK_INT(has_block(&record, chunk, 0, first), 0);
      CHECK_INT(hash_next(&record, 65536), 1);
      check_blocks(&record, chunk);
    }
    reload(&record, &mem);
    for (uint32_t chunk = 0; chunk < record.chunks.count; chunk++) {
      check_blocks(&record, chunk);
    }
    CHECK_INT(has_block(&record, record.chunks.count, 0, TAM_SPAN_NONE), 0);
    tam_file_record_free(&record);
  }
}

static void test_forgetting(void) {
  for (uint32_t from = 0; from <= 4; from++) {
    tam_mem mem = tam_mem_default();
    tam_file_record record;
    init_hashed(&record, &setups[1], &mem);
    CHECK_INT(record.hashed, 3);
    record.flags = TAM_FILE_COMPLETE | 0x80;
    tam_file_record_forget_from(&record, from);
    CHECK_INT(record.flags, 0x80);
    CHECK_INT(record.hashed, from < 3 ? from : 3);
    CHECK_INT(tam_file_record_check(&record), from >= 3);
    for (uint32_t chunk = 0; chunk < record.hashed; chunk++) {
      CHECK_INT(check_chunk(&record, chunk, chunk_of(&record, chunk), 65536),
                1);
    }
    reload(&record, &mem);
    while (record.hashed < 3) {
      CHECK_INT(hash_next(&record, 65536), 1);
    }
    CHECK_INT(tam_file_record_check(&record), 1);
    check_blocks(&record, 2);
    tam_file_record_free(&record);
  }
}

// ---------------------------------------------------------------------------
// Records

static const uint8_t some_digest[TAM_CONTENT_DIGEST_MAX] = {1, 2, 3, 4, 5};

static void test_etag(void) {
  tam_mem mem = tam_mem_default();
  uint8_t longest[TAM_FILE_ETAG_MAX + 1];
  tam_file_record record;
  memset(longest, 'x', sizeof(longest));
  CHECK_INT(init(&record, &setups[0], &mem), 0);
  CHECK_INT(tam_file_record_etag(&record).len, 0);
  CHECK_INT(tam_file_record_set_etag(&record, TAM_SPAN("\"abc\"")), 0);
  reload(&record, &mem);
  CHECK_SPAN(tam_file_record_etag(&record), "\"abc\"");
  CHECK_INT(
      tam_file_record_set_etag(&record, (tam_span){longest, sizeof(longest)}),
      TAM_ERR_TOO_LARGE);
  CHECK_SPAN(tam_file_record_etag(&record), "\"abc\"");
  tam_span cap = {longest, TAM_FILE_ETAG_MAX};
  CHECK_INT(tam_file_record_set_etag(&record, cap), 0);
  reload(&record, &mem);
  CHECK(tam_span_eq(tam_file_record_etag(&record), cap));
  CHECK_INT(tam_file_record_set_etag(&record, TAM_SPAN_NONE), 0);
  reload(&record, &mem);
  CHECK_INT(tam_file_record_etag(&record).len, 0);
  tam_file_record_free(&record);
}

static void test_sizes(void) {
  static const struct {
    uint64_t size;
    uint64_t chunk_size;
    uint8_t algorithm;
    int error;
  } rows[] = {
      {UINT64_C(1) << 40, TAM_CHUNK_SIZE_DEFAULT, TAM_FILE_HASH_SHA256, 0},
      {(UINT64_C(1) << 40) + 1, TAM_CHUNK_SIZE_DEFAULT, TAM_FILE_HASH_SHA256,
       TAM_ERR_TOO_LARGE},
      {UINT64_C(1) << 41, UINT64_C(1) << 41, TAM_FILE_HASH_SHA256, 0},
      {(UINT64_C(1) << 41) + 1, UINT64_C(1) << 42, TAM_FILE_HASH_SHA256,
       TAM_ERR_TOO_LARGE},
      {TAM_FILE_SIZE_MAX, TAM_FILE_SIZE_MAX, TAM_FILE_HASH_SHA256,
       TAM_ERR_TOO_LARGE},
      {5 * MIB, MIB + 1, TAM_FILE_HASH_GIT_SHA1, TAM_ERR_INVALID_ARGUMENT},
      {5, MIB, 0, TAM_ERR_INVALID_ARGUMENT},
      {5, MIB, 3, TAM_ERR_INVALID_ARGUMENT},
      {5, MIB, 255, TAM_ERR_INVALID_ARGUMENT},
  };
  for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
    check_heap heap = {0};
    tam_mem mem = check_heap_mem(&heap);
    tam_file_record record;
    CHECK_INT(tam_file_record_init(&record, rows[i].size, rows[i].chunk_size,
                                   rows[i].algorithm, some_digest, &mem),
              rows[i].error);
    CHECK(heap.peak_bytes <= 8192);
    tam_file_record_free(&record);
    CHECK_INT(heap.live, 0);
  }
}

// What a record is made of, in pieces that a test may spoil.
typedef struct parts {
  uint8_t version;
  uint8_t algorithm;
  tam_span etag;
  tam_span map;
  uint32_t hashed;
  tam_span states;
  tam_span sums;
} parts;

// A chunk map of 2 chunks of 1 MiB, both stored.
static const uint8_t map_bytes[] = {1,    0, 0, 0x20, 0, 0, 0, 0, 0, 0, 0,
                                    0x10, 0, 0, 0,    0, 0, 2, 0, 0, 0, 3};

// A state of SHA-256 after 1 MiB: no pending bytes, any hash value.
static const uint8_t state_bytes[TAM_SHA256_SAVED_SIZE] = {
    1, 2, 0, 0, 0, 0, 0, 0, 0, 0x10, 0, 0, 9, 9, 9, 9};

static const uint8_t sum_bytes[8] = {1, 2, 3, 4, 5, 6, 7, 8};

static parts good_parts(void) {
  parts good = {1,
                TAM_FILE_HASH_SHA256,
                TAM_SPAN("tag"),
                {map_bytes, sizeof(map_bytes)},
                1,
                {state_bytes, sizeof(state_bytes)},
                {sum_bytes, sizeof(sum_bytes)}};
  return good;
}

// Writes the record of |of|; returns what loading says.
static int load_parts(const parts *of, tam_buf *saved) {
  check_heap heap = {0};
  tam_mem mem = check_heap_mem(&heap);
  tam_file_record record;
  tam_record_begin(saved, TAM_RECORD_FILE, of->version);
  tam_record_put_u8(saved, of->algorithm);
  tam_record_put_u8(saved, 0x81);
  tam_buf_append(saved, (tam_span){some_digest, sizeof(some_digest)});
  tam_record_put_text(saved, of->etag);
  tam_record_put_text(saved, of->map);
  tam_record_put_u32(saved, of->hashed);
  tam_buf_append(saved, of->states);
  tam_buf_append(saved, of->sums);
  tam_record_end(saved);
  int error = tam_file_record_load(&record, tam_buf_span(saved), &mem);
  CHECK(error == 0 || heap.live == 0);
  tam_file_record_free(&record);
  CHECK_INT(heap.live, 0);
  return error;
}

static void test_a_record(void) {
  tam_mem mem = tam_mem_default();
  uint8_t space[512];
  tam_buf saved;
  tam_file_record record;
  parts good = good_parts();
  tam_buf_init_fixed(&saved, space, sizeof(space));
  CHECK_INT(load_parts(&good, &saved), 0);
  CHECK_INT(tam_file_record_load(&record, tam_buf_span(&saved), &mem), 0);
  CHECK_INT(record.algorithm, TAM_FILE_HASH_SHA256);
  CHECK_INT(record.flags, 0x81);
  CHECK(memcmp(record.digest, some_digest, sizeof(some_digest)) == 0);
  CHECK_SPAN(tam_file_record_etag(&record), "tag");
  CHECK_INT(record.chunks.size, 2 * MIB);
  CHECK_INT(record.chunks.stored, 2);
  CHECK_INT(record.hashed, 1);
  CHECK_INT(record.states.len, sizeof(state_bytes));
  CHECK_INT(record.sums.len, sizeof(sum_bytes));
  tam_buf again = save(&record, &mem);
  CHECK(tam_span_eq(tam_buf_span(&again), tam_buf_span(&saved)));
  tam_buf_free(&again);
  tam_file_record_free(&record);
}

static void test_damaged_records(void) {
  uint8_t space[1024];
  uint8_t bytes[TAM_SHA256_SAVED_SIZE];
  tam_buf saved;
  parts bad = good_parts();
  tam_buf_init_fixed(&saved, space, sizeof(space));
  bad.version = 2;
  CHECK_INT(load_parts(&bad, &saved), TAM_ERR_UNEXPECTED_SHAPE);
  bad = good_parts();
  bad.version = 0;
  CHECK_INT(load_parts(&bad, &saved), TAM_ERR_INVALID_ARGUMENT);
  bad = good_parts();
  bad.algorithm = 0;
  CHECK_INT(load_parts(&bad, &saved), TAM_ERR_INVALID_ARGUMENT);
  bad.algorithm = 3;
  CHECK_INT(load_parts(&bad, &saved), TAM_ERR_INVALID_ARGUMENT);
  bad = good_parts();
  memset(bytes, 'x', sizeof(bytes));
  uint8_t etag[TAM_FILE_ETAG_MAX + 1] = {0};
  bad.etag = (tam_span){etag, sizeof(etag)};
  CHECK_INT(load_parts(&bad, &saved), TAM_ERR_INVALID_ARGUMENT);
  bad = good_parts();
  bad.map.len--;
  CHECK_INT(load_parts(&bad, &saved), TAM_ERR_INVALID_ARGUMENT);
  bad = good_parts();
  bad.hashed = 0; // something left
  CHECK_INT(load_parts(&bad, &saved), TAM_ERR_INVALID_ARGUMENT);
  bad.hashed = 2; // something missing
  CHECK_INT(load_parts(&bad, &saved), TAM_ERR_INVALID_ARGUMENT);
  bad.hashed = 3;
  CHECK_INT(load_parts(&bad, &saved), TAM_ERR_INVALID_ARGUMENT);
  bad.hashed = UINT32_MAX;
  CHECK_INT(load_parts(&bad, &saved), TAM_ERR_INVALID_ARGUMENT);
  bad = good_parts();
  memcpy(bytes, state_bytes, sizeof(bytes));
  bad.states.ptr = bytes;
  bytes[9] = 0x20; // a state of 2 MiB
  CHECK_INT(load_parts(&bad, &saved), TAM_ERR_INVALID_ARGUMENT);
  bytes[9] = 0x10;
  bytes[1] = 1; // of SHA-1
  CHECK_INT(load_parts(&bad, &saved), TAM_ERR_INVALID_ARGUMENT);
}

// What is hashed is stored.
static void test_a_hashed_chunk_that_is_missing(void) {
  uint8_t space[512];
  uint8_t map[sizeof(map_bytes)];
  tam_buf saved;
  parts bad = good_parts();
  tam_buf_init_fixed(&saved, space, sizeof(space));
  memcpy(map, map_bytes, sizeof(map));
  map[17] = 1; // one stored chunk
  map[21] = 2; // the second
  bad.map.ptr = map;
  CHECK_INT(load_parts(&bad, &saved), TAM_ERR_INVALID_ARGUMENT);
  map[21] = 1;
  CHECK_INT(load_parts(&bad, &saved), 0);
}

// A size that is a lie does not make us allocate.
static void test_a_record_of_a_huge_file(void) {
  static const uint8_t map[] = {1, 0, 0, 0, 0, 0, 4, 0, 0, 0, 0,
                                0, 0, 0, 4, 0, 0, 0, 0, 0, 0, 0}; // 2^42, whole
  uint8_t space[512];
  tam_buf saved;
  parts bad = good_parts();
  tam_buf_init_fixed(&saved, space, sizeof(space));
  bad.map = (tam_span){map, sizeof(map)};
  bad.hashed = 0;
  bad.states = TAM_SPAN_NONE;
  bad.sums = TAM_SPAN_NONE;
  CHECK_INT(load_parts(&bad, &saved), TAM_ERR_INVALID_ARGUMENT);
}

// ---------------------------------------------------------------------------
// Memory

static int work_through(const setup *how, check_heap *heap) {
  tam_mem mem = check_heap_mem(heap);
  tam_file_record record;
  tam_file_record loaded;
  tam_buf saved;
  tam_buf_init(&saved, &mem, TAM_FILE_RECORD_MAX);
  int error = init(&record, how, &mem);
  while (error >= 0 && record.hashed < record.chunks.count) {
    error = hash_next(&record, 65536);
  }
  if (error >= 0) {
    CHECK_INT(tam_file_record_check(&record), 1);
    tam_file_record_save(&record, &saved);
    error = saved.error;
  }
  if (error == 0) {
    error = tam_file_record_load(&loaded, tam_buf_span(&saved), &mem);
    CHECK_INT(tam_file_record_check(&loaded), error == 0);
    tam_file_record_free(&loaded);
  }
  tam_buf_free(&saved);
  tam_file_record_free(&record);
  CHECK_INT(heap->live, 0);
  return error;
}

static void test_memory_may_be_short(void) {
  check_heap whole = {0};
  CHECK_INT(work_through(&setups[1], &whole), 0);
  for (size_t i = 1; i <= whole.allocations; i++) {
    check_heap heap = {.fail_at = i, .fail_after = 1};
    CHECK_INT(work_through(&setups[1], &heap), TAM_ERR_OUT_OF_MEMORY);
  }
}

// After a chunk for which memory was short, it can be hashed again.
static void test_memory_may_come_back(void) {
  for (size_t i = 2; i <= 3; i++) {
    check_heap heap = {.fail_at = i};
    tam_mem mem = check_heap_mem(&heap);
    tam_file_record record;
    CHECK_INT(init(&record, &setups[1], &mem), 0);
    CHECK_INT(hash_next(&record, 65536), TAM_ERR_OUT_OF_MEMORY);
    CHECK_INT(record.hashed, 0);
    while (record.hashed < record.chunks.count) {
      CHECK_INT(hash_next(&record, 65536), 1);
    }
    CHECK_INT(tam_file_record_check(&record), 1);
    CHECK_INT(check_chunk(&record, 0, chunk_of(&record, 0), 65536), 1);
    tam_file_record_free(&record);
    CHECK_INT(heap.live, 0);
  }
}

int main(void) {
  make_file();
  RUN(test_hashing);
  RUN(test_an_empty_file);
  RUN(test_chunks_that_are_missing);
  RUN(test_a_digest_of_the_beginning);
  RUN(test_chunks_of_another_length);
  RUN(test_a_chunk_that_is_left);
  RUN(test_checking_chunks);
  RUN(test_states_and_checksums_are_both_compared);
  RUN(test_checking_blocks);
  RUN(test_forgetting);
  RUN(test_etag);
  RUN(test_sizes);
  RUN(test_a_record);
  RUN(test_damaged_records);
  RUN(test_a_hashed_chunk_that_is_missing);
  RUN(test_a_record_of_a_huge_file);
  RUN(test_memory_may_be_short);
  RUN(test_memory_may_come_back);
  return check_finish();
}
