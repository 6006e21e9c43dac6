// SPDX-License-Identifier: Apache-2.0
// Which chunks of a file are stored: every set of chunks of small files against
// a list of flags, the caps, and records in every state of damage.
#include "store/chunk_map.h"

#include "check.h"

#define MIB   (UINT64_C(1) << 20)
#define OLD   UINT64_C(104857600) // the chunks of TabAgent
#define SMALL 9 // chunks of the files of which every set is tried

// The same as a chunk map, as plainly as it can be said.
typedef struct flag_list {
  uint64_t size;
  uint64_t chunk_size;
  uint32_t count;
  int is_stored[SMALL];
} flag_list;

static uint64_t flags_end(const flag_list *flags, uint32_t chunk) {
  uint64_t end = (uint64_t)(chunk + 1) * flags->chunk_size;
  return end < flags->size ? end : flags->size;
}

static uint64_t flags_len(const flag_list *flags, uint32_t chunk) {
  return flags_end(flags, chunk) - (uint64_t)chunk * flags->chunk_size;
}

static uint64_t flags_bytes(const flag_list *flags) {
  uint64_t bytes = 0;
  for (uint32_t i = 0; i < flags->count; i++) {
    bytes += flags->is_stored[i] ? flags_len(flags, i) : 0;
  }
  return bytes;
}

static int flags_next_missing(const flag_list *flags, uint32_t from,
                              tam_chunk_run *run) {
  while (from < flags->count && flags->is_stored[from]) {
    from++;
  }
  run->first = from;
  run->count = 0;
  while (from < flags->count && !flags->is_stored[from]) {
    from++;
    run->count++;
  }
  return run->count > 0;
}

static void check_map(const tam_chunk_map *map, const flag_list *flags) {
  uint32_t stored = 0;
  CHECK_INT(map->size, flags->size);
  CHECK_INT(map->chunk_size, flags->chunk_size);
  CHECK_INT(map->count, flags->count);
  for (uint32_t i = 0; i < flags->count; i++) {
    stored += (uint32_t)flags->is_stored[i];
    CHECK_INT(tam_chunk_map_has(map, i), flags->is_stored[i]);
    CHECK_INT(tam_chunk_map_start(map, i), (uint64_t)i * flags->chunk_size);
    CHECK_INT(tam_chunk_map_length(map, i), flags_len(flags, i));
  }
  CHECK_INT(map->stored, stored);
  CHECK_INT(tam_chunk_map_bytes(map), flags_bytes(flags));
  for (uint32_t from = 0; from <= flags->count + 1; from++) {
    tam_chunk_run expected;
    tam_chunk_run run = {77, 77};
    int has = flags_next_missing(flags, from, &expected);
    CHECK_INT(tam_chunk_map_next_missing(map, from, &run), has);
    CHECK_INT(run.first, has ? expected.first : 77);
    CHECK_INT(run.count, has ? expected.count : 77);
  }
}

static void check_outside(tam_chunk_map *map) {
  const uint32_t outside[] = {map->count, map->count + 1, map->count + 8,
                              UINT32_MAX};
  for (size_t i = 0; i < sizeof(outside) / sizeof(*outside); i++) {
    CHECK_INT(tam_chunk_map_has(map, outside[i]), 0);
    CHECK_INT(tam_chunk_map_start(map, outside[i]), map->size);
    CHECK_INT(tam_chunk_map_length(map, outside[i]), 0);
    CHECK_INT(tam_chunk_map_add(map, outside[i]), TAM_ERR_INVALID_ARGUMENT);
    CHECK_INT(tam_chunk_map_remove(map, outside[i]), TAM_ERR_INVALID_ARGUMENT);
  }
}

// Saves |map| and loads it as another one.
static void check_saved(const tam_chunk_map *map, const flag_list *flags) {
  check_heap heap = {0};
  tam_mem mem = check_heap_mem(&heap);
  uint8_t space[64];
  tam_buf record;
  tam_chunk_map loaded;
  tam_buf_init_fixed(&record, space, sizeof(space));
  tam_chunk_map_save(map, &record);
  CHECK_INT(record.error, 0);
  CHECK_INT(record.len, tam_chunk_map_saved_size(map));
  CHECK_INT(tam_chunk_map_load(&loaded, tam_buf_span(&record), &mem), 0);
  memset(space, 0xff, sizeof(space)); // the record is not needed any more
  check_map(&loaded, flags);
  tam_chunk_map_free(&loaded);
  CHECK_INT(heap.live, 0);
}

// Reaches every set of chunks: from none, by adding, from all, by removing.
static void check_set(uint64_t size, uint64_t chunk_size, uint32_t count,
                      uint32_t set) {
  check_heap heap = {0};
  tam_mem mem = check_heap_mem(&heap);
  flag_list flags = {size, chunk_size, count, {0}};
  tam_chunk_map map;
  CHECK_INT(tam_chunk_map_init(&map, size, chunk_size, &mem), 0);
  for (uint32_t i = 0; i < count; i++) {
    if ((set >> i & 1) != 0) {
      flags.is_stored[i] = 1;
      CHECK_INT(tam_chunk_map_add(&map, i), 1);
      CHECK_INT(tam_chunk_map_add(&map, i), 0);
    }
  }
  check_map(&map, &flags);
  check_saved(&map, &flags);
  for (uint32_t i = 0; i < count; i++) {
    (void)tam_chunk_map_add(&map, i);
  }
  CHECK_INT(tam_chunk_map_bytes(&map), size);
  for (uint32_t i = count; i-- > 0;) {
    if (!flags.is_stored[i]) {
      CHECK_INT(tam_chunk_map_remove(&map, i), 1);
      CHECK_INT(tam_chunk_map_remove(&map, i), 0);
    }
  }
  check_outside(&map);
  check_map(&map, &flags);
  tam_chunk_map_free(&map);
  CHECK_INT(heap.live, 0);
}

static void test_every_set(void) {
  for (uint32_t count = 1; count <= SMALL; count++) {
    const uint64_t whole = (uint64_t)count * MIB;
    for (uint32_t set = 0; set < UINT32_C(1) << count; set++) {
      check_set(whole, MIB, count, set);
      check_set(whole - 1, MIB, count, set);
      check_set(whole - MIB + 1, MIB, count, set);
      check_set(whole * 64 - 7, 64 * MIB, count, set);
      check_set(whole + count * 64, MIB + 64, count, set);
      check_set(count * OLD - 123, OLD, count, set);
    }
  }
}

static void test_an_empty_file(void) {
  check_heap heap = {.fail_at = 1, .fail_after = 1};
  tam_mem mem = check_heap_mem(&heap);
  tam_chunk_map map;
  flag_list none = {0, TAM_CHUNK_SIZE_DEFAULT, 0, {0}};
  CHECK_INT(tam_chunk_map_init(&map, 0, TAM_CHUNK_SIZE_DEFAULT, &mem), 0);
  check_map(&map, &none);
  check_outside(&map);
  check_saved(&map, &none);
  tam_chunk_map_free(&map);
  CHECK_INT(heap.allocations, 0);
}

static void test_sizes(void) {
  static const struct {
    uint64_t size;
    uint64_t chunk_size;
    int result; // the number of chunks, or an error
  } rows[] = {
      {1, MIB, 1},
      {MIB, MIB, 1},
      {MIB + 1, MIB, 2},
      {UINT64_C(3) << 30, TAM_CHUNK_SIZE_DEFAULT, 192},
      {UINT64_C(3) << 30, OLD, 31},
      {UINT64_C(1) << 36, MIB, 1 << 16},
      {(UINT64_C(1) << 36) + 1, MIB, TAM_ERR_TOO_LARGE},
      {UINT64_C(1) << 40, 16 * MIB, 1 << 16},
      {(UINT64_C(1) << 40) + 1, 16 * MIB, TAM_ERR_TOO_LARGE},
      {(UINT64_C(1) << 53) - 1, UINT64_C(1) << 37, 1 << 16},
      {UINT64_C(1) << 53, UINT64_C(1) << 37, TAM_ERR_TOO_LARGE},
      {UINT64_MAX, MIB, TAM_ERR_TOO_LARGE},
      {UINT64_MAX - MIB + 1, MIB, TAM_ERR_TOO_LARGE},
      {UINT64_MAX, UINT64_MAX - 63, TAM_ERR_TOO_LARGE},
      // Of more than one chunk.
      {MIB, 0, TAM_ERR_INVALID_ARGUMENT},
      {MIB, 1, TAM_ERR_INVALID_ARGUMENT},
      {MIB, MIB / 2, TAM_ERR_INVALID_ARGUMENT},
      {MIB, MIB - 64, TAM_ERR_INVALID_ARGUMENT},
      {2 * MIB, MIB + 1, TAM_ERR_INVALID_ARGUMENT},
      {2 * MIB, MIB + 32, TAM_ERR_INVALID_ARGUMENT},
      {2 * MIB, MIB + 63, TAM_ERR_INVALID_ARGUMENT},
      {2 * MIB, MIB + 64, 2},
      {4 * MIB, 3 * MIB, 2},
      // Of one chunk, or none.
      {1, 0, TAM_ERR_INVALID_ARGUMENT},
      {0, 0, 0},
      {0, 1, 0},
      {1, 1, 1},
      {12345, 12345, 1},
      {12345, 12346, 1},
      {UINT64_C(7000000001), UINT64_C(7000000001), 1},
      {(UINT64_C(1) << 53) - 1, (UINT64_C(1) << 53) - 1, 1},
      {0, UINT64_C(1) << 53, TAM_ERR_TOO_LARGE},
      {1, UINT64_MAX, TAM_ERR_TOO_LARGE},
  };
  for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
    check_heap heap = {0};
    tam_mem mem = check_heap_mem(&heap);
    tam_chunk_map map;
    int error =
        tam_chunk_map_init(&map, rows[i].size, rows[i].chunk_size, &mem);
    CHECK_INT(error == 0 ? (int)map.count : error, rows[i].result);
    tam_chunk_map_free(&map);
    CHECK_INT(heap.live, 0);
    CHECK(heap.peak_bytes <= 8 * 1024);
  }
}

// Positions beyond 4 GiB, runs longer than a byte of bits, and the longest
// record.
static void test_a_large_file(void) {
  tam_mem mem = tam_mem_default();
  const uint64_t size = (UINT64_C(1) << 40) - 5;
  const uint32_t last = TAM_CHUNKS_MAX - 1;
  tam_chunk_run run;
  tam_chunk_map map;
  tam_buf record;
  CHECK_INT(tam_chunk_map_init(&map, size, 16 * MIB, &mem), 0);
  CHECK_INT(tam_chunk_map_start(&map, last), UINT64_C(0xffff000000));
  CHECK_INT(tam_chunk_map_length(&map, last), 16 * MIB - 5);
  CHECK_INT(tam_chunk_map_next_missing(&map, 3, &run), 1);
  CHECK_INT(run.first, 3);
  CHECK_INT(run.count, TAM_CHUNKS_MAX - 3);
  for (uint32_t i = 0; i < TAM_CHUNKS_MAX; i++) {
    if (i != 5000 && (i < 50001 || i > 50100)) {
      (void)tam_chunk_map_add(&map, i);
    }
  }
  CHECK_INT(tam_chunk_map_bytes(&map), size - 101 * 16 * MIB);
  CHECK_INT(tam_chunk_map_next_missing(&map, 5001, &run), 1);
  CHECK_INT(run.first, 50001);
  CHECK_INT(run.count, 100);
  CHECK_INT(tam_chunk_map_next_missing(&map, 50101, &run), 0);
  tam_buf_init(&record, &mem, TAM_CHUNK_RECORD_MAX);
  tam_chunk_map_save(&map, &record);
  CHECK_INT(record.error, 0);
  CHECK_INT(record.len, TAM_CHUNK_RECORD_MAX);
  tam_chunk_map_free(&map);
  CHECK_INT(tam_chunk_map_load(&map, tam_buf_span(&record), &mem), 0);
  CHECK_INT(tam_chunk_map_bytes(&map), size - 101 * 16 * MIB);
  tam_chunk_map_free(&map);
  tam_buf_free(&record);
}

// ---------------------------------------------------------------------------
// Records

// 11 chunks of 16 MiB, the last one 1 byte long; 0, 2, 8 and 10 are stored.
// Written by hand from the description in the header.
static const uint8_t good_record[] = {
    1,    1,   0, 0, 10, 0, 0, 0, 0, // size
    0,    0,   0, 1, 0,  0, 0, 0,    // chunk size
    4,    0,   0, 0,                 // stored
    0x05, 0x05};

static void test_a_record(void) {
  tam_mem mem = tam_mem_default();
  tam_span good = {good_record, sizeof(good_record)};
  uint8_t space[32];
  tam_buf record;
  tam_chunk_map map;
  CHECK_INT(tam_chunk_map_load(&map, good, &mem), 0);
  CHECK_INT(map.size, 10 * 16 * MIB + 1);
  CHECK_INT(map.chunk_size, 16 * MIB);
  CHECK_INT(map.count, 11);
  CHECK_INT(map.stored, 4);
  for (uint32_t i = 0; i < 11; i++) {
    CHECK_INT(tam_chunk_map_has(&map, i),
              i == 0 || i == 2 || i == 8 || i == 10);
  }
  CHECK_INT(tam_chunk_map_bytes(&map), 3 * 16 * MIB + 1);
  tam_buf_init_fixed(&record, space, sizeof(space));
  tam_chunk_map_save(&map, &record);
  CHECK(tam_span_eq(tam_buf_span(&record), good));
  tam_chunk_map_free(&map);
}

// Loads |record| from a copy without a byte to spare; nothing may be left
// behind when that fails.
static int load(tam_chunk_map *map, check_heap *heap, tam_span record) {
  static tam_mem mem;
  mem = check_heap_mem(heap);
  uint8_t *copy = malloc(record.len > 0 ? record.len : 1);
  if (copy == NULL) {
    return TAM_ERR_INTERNAL;
  }
  if (record.len > 0) {
    memcpy(copy, record.ptr, record.len);
  }
  int error = tam_chunk_map_load(map, (tam_span){copy, record.len}, &mem);
  free(copy);
  CHECK(error == 0 || (heap->live == 0 && map->count == 0));
  return error;
}

static void test_records_of_another_length(void) {
  uint8_t longer[sizeof(good_record) + 9] = {0};
  memcpy(longer, good_record, sizeof(good_record));
  for (size_t len = 0; len <= sizeof(longer); len++) {
    check_heap heap = {0};
    tam_chunk_map map;
    CHECK_INT(load(&map, &heap, (tam_span){longer, len}),
              len == sizeof(good_record) ? 0 : TAM_ERR_INVALID_ARGUMENT);
    tam_chunk_map_free(&map);
    CHECK_INT(heap.live, 0);
  }
}

static void test_damaged_records(void) {
  static const struct {
    size_t at;
    uint8_t byte;
    int error;
  } rows[] = {
      {0, 0, TAM_ERR_UNEXPECTED_SHAPE},
      {0, 2, TAM_ERR_UNEXPECTED_SHAPE},
      {1, 0, TAM_ERR_INVALID_ARGUMENT}, // one byte less: the last bit is none
      {1, 2, 0},                        // nobody can tell
      {4, 0, TAM_ERR_INVALID_ARGUMENT},
      {4, 16, TAM_ERR_INVALID_ARGUMENT},
      {7, 0x20, TAM_ERR_INVALID_ARGUMENT}, // 2^53
      {8, 0xff, TAM_ERR_INVALID_ARGUMENT},
      {9, 1, TAM_ERR_INVALID_ARGUMENT},  // chunks that cut a block of the hash
      {9, 64, TAM_ERR_INVALID_ARGUMENT}, // one chunk less
      {12, 0, TAM_ERR_INVALID_ARGUMENT},
      {12, 2, TAM_ERR_INVALID_ARGUMENT},
      {16, 0xff, TAM_ERR_INVALID_ARGUMENT},
      {17, 3, TAM_ERR_INVALID_ARGUMENT},
      {17, 5, TAM_ERR_INVALID_ARGUMENT},
      {20, 1, TAM_ERR_INVALID_ARGUMENT},
      {21, 0x04, TAM_ERR_INVALID_ARGUMENT},
      {21, 0x07, TAM_ERR_INVALID_ARGUMENT},
      {21, 0x50, 0},                        // two others
      {22, 0x09, TAM_ERR_INVALID_ARGUMENT}, // a bit behind the last chunk
      {22, 0x81, TAM_ERR_INVALID_ARGUMENT},
      {22, 0x85, TAM_ERR_INVALID_ARGUMENT},
  };
  for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
    check_heap heap = {0};
    tam_chunk_map map;
    uint8_t record[sizeof(good_record)];
    memcpy(record, good_record, sizeof(record));
    record[rows[i].at] = rows[i].byte;
    CHECK_INT(load(&map, &heap, (tam_span){record, sizeof(record)}),
              rows[i].error);
    tam_chunk_map_free(&map);
    CHECK_INT(heap.live, 0);
  }
}

// With any one or two bytes changed a record is refused, or it is the record of
// what was loaded.
static void check_changed(const uint8_t *bytes, size_t len) {
  check_heap heap = {0};
  tam_chunk_map map;
  tam_span changed = {bytes, len};
  if (load(&map, &heap, changed) == 0) {
    uint8_t space[32];
    tam_buf record;
    tam_buf_init_fixed(&record, space, sizeof(space));
    tam_chunk_map_save(&map, &record);
    CHECK(tam_span_eq(tam_buf_span(&record), changed));
    CHECK(tam_chunk_map_bytes(&map) <= map.size);
    tam_chunk_map_free(&map);
  }
}

static void test_changed_records(void) {
  uint8_t record[sizeof(good_record)];
  memcpy(record, good_record, sizeof(record));
  for (size_t a = 0; a < sizeof(record); a++) {
    for (unsigned byte = 0; byte < 256; byte++) {
      record[a] = (uint8_t)byte;
      check_changed(record, sizeof(record));
      for (size_t b = 0; b < a; b++) {
        for (unsigned bit = 0; bit < 8; bit++) {
          record[b] ^= (uint8_t)(1U << bit);
          check_changed(record, sizeof(record));
          record[b] ^= (uint8_t)(1U << bit);
        }
      }
    }
    record[a] = good_record[a];
  }
}

// A record cannot make us allocate more than it is long.
static void test_a_record_of_a_huge_file(void) {
  static const uint8_t record[] = {1, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
                                   0, 0,    0,    0,    0,    4,    0,
                                   0, 0,    0,    0,    0,    0,    0};
  check_heap heap = {0};
  tam_chunk_map map;
  CHECK_INT(load(&map, &heap, (tam_span){record, sizeof(record)}),
            TAM_ERR_INVALID_ARGUMENT);
  CHECK_INT(heap.allocations, 0);
}

static void test_memory_may_be_short(void) {
  check_heap heap = {.fail_at = 1, .fail_after = 1};
  tam_mem mem = check_heap_mem(&heap);
  tam_span good = {good_record, sizeof(good_record)};
  tam_chunk_map map;
  CHECK_INT(tam_chunk_map_init(&map, MIB, MIB, &mem), TAM_ERR_OUT_OF_MEMORY);
  tam_chunk_map_free(&map);
  CHECK_INT(load(&map, &heap, good), TAM_ERR_OUT_OF_MEMORY);
  tam_chunk_map_free(&map);
  CHECK_INT(heap.live, 0);
}

static void test_a_record_that_does_not_fit(void) {
  tam_mem mem = tam_mem_default();
  uint8_t space[sizeof(good_record) - 1];
  tam_buf record;
  tam_chunk_map map;
  CHECK_INT(tam_chunk_map_load(
                &map, (tam_span){good_record, sizeof(good_record)}, &mem),
            0);
  tam_buf_init_fixed(&record, space, sizeof(space));
  tam_chunk_map_save(&map, &record);
  CHECK_INT(record.error, TAM_ERR_TOO_LARGE);
  tam_chunk_map_free(&map);
}

int main(void) {
  RUN(test_every_set);
  RUN(test_an_empty_file);
  RUN(test_sizes);
  RUN(test_a_large_file);
  RUN(test_a_record);
  RUN(test_records_of_another_length);
  RUN(test_damaged_records);
  RUN(test_changed_records);
  RUN(test_a_record_of_a_huge_file);
  RUN(test_memory_may_be_short);
  RUN(test_a_record_that_does_not_fit);
  return check_finish();
}
