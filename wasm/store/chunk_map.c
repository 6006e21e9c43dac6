// SPDX-License-Identifier: Apache-2.0
#include "store/chunk_map.h"

#include "core/mem.h"

#include <string.h>

#define VERSION      1
#define HEADER_BYTES 21

_Static_assert(TAM_CHUNK_RECORD_MAX == HEADER_BYTES + TAM_CHUNKS_MAX / 8,
               "the longest record is a header and all bits");

// ---------------------------------------------------------------------------
// Bits

static size_t bits_len(uint32_t count) {
  return ((size_t)count + 7) / 8;
}

static unsigned bit_get(const uint8_t *bits, uint32_t at) {
  return (unsigned)bits[at / 8] >> (at % 8) & 1U;
}

// Returns the first place from |at| on, below |count|, whose bit is |value|;
// else |count|.
static uint32_t bits_find(const uint8_t *bits, uint32_t at, uint32_t count,
                          unsigned value) {
  uint8_t none = value != 0 ? 0 : 0xff; // a byte without such a bit
  while (at < count && bit_get(bits, at) != value) {
    // After a whole byte of them the next byte decides.
    at += at % 8 == 0 && bits[at / 8] == none ? 8 : 1;
  }
  return at < count ? at : count;
}

static uint32_t bits_sum(const uint8_t *bits, uint32_t count) {
  uint32_t sum = 0;
  for (uint32_t at = 0; at < count; at++) {
    sum += bit_get(bits, at);
  }
  return sum;
}

// ---------------------------------------------------------------------------
// Life

static int is_chunk_size(uint64_t chunk_size, uint64_t size) {
  return chunk_size >= size || (chunk_size >= TAM_CHUNK_SIZE_MIN &&
                                chunk_size % TAM_CHUNK_SIZE_UNIT == 0);
}

// Sets everything but the bits. Returns 0, INVALID_ARGUMENT or TOO_LARGE.
static int map_measure(tam_chunk_map *map, uint64_t size, uint64_t chunk_size,
                       const tam_mem *mem) {
  memset(map, 0, sizeof(*map));
  map->mem = mem;
  if (!is_chunk_size(chunk_size, size)) {
    return TAM_ERR_INVALID_ARGUMENT;
  }
  // An empty file has no chunks, of whatever size, perhaps 0.
  uint64_t count = size > 0 ? (size - 1) / chunk_size + 1 : 0;
  if (size > TAM_FILE_SIZE_MAX || chunk_size > TAM_FILE_SIZE_MAX ||
      count > TAM_CHUNKS_MAX) {
    return TAM_ERR_TOO_LARGE;
  }
  map->size = size;
  map->chunk_size = chunk_size;
  map->count = (uint32_t)count;
  return 0;
}

static int map_allocate(tam_chunk_map *map) {
  if (map->count == 0) {
    return 0;
  }
  map->bits = tam_mem_calloc(map->mem, bits_len(map->count), 1);
  if (map->bits == NULL) {
    tam_chunk_map_free(map);
    return TAM_ERR_OUT_OF_MEMORY;
  }
  return 0;
}

int tam_chunk_map_init(tam_chunk_map *map, uint64_t size, uint64_t chunk_size,
                       const tam_mem *mem) {
  int error = map_measure(map, size, chunk_size, mem);
  return error != 0 ? error : map_allocate(map);
}

void tam_chunk_map_free(tam_chunk_map *map) {
  tam_mem_free(map->mem, map->bits);
  const tam_mem *mem = map->mem;
  memset(map, 0, sizeof(*map));
  map->mem = mem;
}

// ---------------------------------------------------------------------------
// Chunks

uint64_t tam_chunk_map_start(const tam_chunk_map *map, uint32_t chunk) {
  return chunk < map->count ? chunk * map->chunk_size : map->size;
}

uint64_t tam_chunk_map_length(const tam_chunk_map *map, uint32_t chunk) {
  uint64_t left = map->size - tam_chunk_map_start(map, chunk);
  return left < map->chunk_size ? left : map->chunk_size;
}

int tam_chunk_map_has(const tam_chunk_map *map, uint32_t chunk) {
  return chunk < map->count && bit_get(map->bits, chunk) != 0;
}

int tam_chunk_map_add(tam_chunk_map *map, uint32_t chunk) {
  if (chunk >= map->count) {
    return TAM_ERR_INVALID_ARGUMENT;
  }
  int is_new = bit_get(map->bits, chunk) == 0;
  map->bits[chunk / 8] |= (uint8_t)(1U << (chunk % 8));
  map->stored += (uint32_t)is_new;
  return is_new;
}

int tam_chunk_map_remove(tam_chunk_map *map, uint32_t chunk) {
  if (chunk >= map->count) {
    return TAM_ERR_INVALID_ARGUMENT;
  }
  int was_stored = bit_get(map->bits, chunk) != 0;
  map->bits[chunk / 8] &= (uint8_t) ~(1U << (chunk % 8));
  map->stored -= (uint32_t)was_stored;
  return was_stored;
}

uint64_t tam_chunk_map_bytes(const tam_chunk_map *map) {
  if (map->stored == 0) {
    return 0;
  }
  // Only the last chunk may be shorter than the others.
  uint32_t last = map->count - 1;
  uint32_t full = map->stored - bit_get(map->bits, last);
  uint64_t rest =
      tam_chunk_map_has(map, last) ? tam_chunk_map_length(map, last) : 0;
  return full * map->chunk_size + rest;
}

int tam_chunk_map_next_missing(const tam_chunk_map *map, uint32_t from,
                               tam_chunk_run *prun) {
  uint32_t first = bits_find(map->bits, from, map->count, 0);
  if (first == map->count) {
    return 0;
  }
  prun->first = first;
  prun->count = bits_find(map->bits, first, map->count, 1) - first;
  return 1;
}

// ---------------------------------------------------------------------------
// Record

static void put_number(uint8_t *at, uint64_t value, size_t len) {
  for (size_t i = 0; i < len; i++) {
    at[i] = (uint8_t)(value >> (8 * i));
  }
}

static uint64_t get_number(const uint8_t *at, size_t len) {
  uint64_t value = 0;
  for (size_t i = 0; i < len; i++) {
    value |= (uint64_t)at[i] << (8 * i);
  }
  return value;
}

uint32_t tam_chunk_map_saved_size(const tam_chunk_map *map) {
  return HEADER_BYTES + (uint32_t)bits_len(map->count);
}

void tam_chunk_map_save(const tam_chunk_map *map, tam_buf *record) {
  size_t len = bits_len(map->count);
  uint8_t header[HEADER_BYTES] = {VERSION};
  put_number(header + 1, map->size, 8);
  put_number(header + 9, map->chunk_size, 8);
  put_number(header + 17, map->stored, 4);
  tam_buf_append(record, (tam_span){header, sizeof(header)});
  tam_buf_append(record, (tam_span){map->bits, len});
}

// Reads all but the bits of |record|, and checks what can be checked.
static int header_load(tam_chunk_map *map, tam_span record,
                       const tam_mem *mem) {
  if (record.len < HEADER_BYTES) {
    return TAM_ERR_INVALID_ARGUMENT;
  }
  uint64_t size = get_number(record.ptr + 1, 8);
  uint64_t chunk_size = get_number(record.ptr + 9, 8);
  if (map_measure(map, size, chunk_size, mem) != 0 ||
      record.len - HEADER_BYTES != bits_len(map->count)) {
    return TAM_ERR_INVALID_ARGUMENT;
  }
  map->stored = (uint32_t)get_number(record.ptr + 17, 4);
  const uint8_t *bits = record.ptr + HEADER_BYTES;
  uint32_t places = (uint32_t)bits_len(map->count) * 8;
  // As many as the record says, and none of them behind the last chunk.
  return bits_sum(bits, map->count) == map->stored &&
                 bits_find(bits, map->count, places, 1) == places
             ? 0
             : TAM_ERR_INVALID_ARGUMENT;
}

int tam_chunk_map_load(tam_chunk_map *map, tam_span record,
                       const tam_mem *mem) {
  memset(map, 0, sizeof(*map));
  map->mem = mem;
  if (record.len > 0 && record.ptr[0] != VERSION) {
    return TAM_ERR_UNEXPECTED_SHAPE;
  }
  int error = header_load(map, record, mem);
  if (error == 0) {
    error = map_allocate(map);
  }
  if (error != 0) {
    tam_chunk_map_free(map);
    return error;
  }
  if (map->count > 0) {
    memcpy(map->bits, record.ptr + HEADER_BYTES, bits_len(map->count));
  }
  return 0;
}
