// SPDX-License-Identifier: Apache-2.0
// Which chunks of a file are stored. All chunks are equally long but the last,
// which is what is left; an empty file has none. Chunks are numbered from 0.
#ifndef TAM_STORE_CHUNK_MAP_H
#define TAM_STORE_CHUNK_MAP_H

#include "core/buf.h"

// The longest file in bytes, 2^53 - 1: JavaScript counts in doubles, and beyond
// they skip numbers.
#define TAM_FILE_SIZE_MAX ((UINT64_C(1) << 53) - 1)

// The length of a chunk in bytes. A shorter chunk than the shortest costs more
// transactions than it saves bytes when a transfer breaks off. The unit is a
// block of SHA-1 and SHA-256, so that no chunk begins inside of one.
#define TAM_CHUNK_SIZE_UNIT    64
#define TAM_CHUNK_SIZE_MIN     (UINT32_C(1) << 20)
#define TAM_CHUNK_SIZE_DEFAULT (UINT32_C(1) << 24)

// The most chunks of a file: 1 TiB in chunks of the default length. It keeps a
// size that is a lie from taking more than 8 KiB of memory and of each record.
#define TAM_CHUNKS_MAX (UINT32_C(1) << 16)

// The longest record of tam_chunk_map_save in bytes.
#define TAM_CHUNK_RECORD_MAX (21 + TAM_CHUNKS_MAX / 8)

// Read the fields at will; only the functions change them.
typedef struct tam_chunk_map {
  const tam_mem *mem;
  uint8_t *bits;       // one per chunk, the lowest first; NULL without chunks
  uint64_t size;       // of the file in bytes
  uint64_t chunk_size; // in bytes
  uint32_t count;      // chunks of the file
  uint32_t stored;     // chunks that are stored
} tam_chunk_map;

// Some chunks in a row.
typedef struct tam_chunk_run {
  uint32_t first;
  uint32_t count;
} tam_chunk_run;

// Makes |map| that of a file of |size| bytes in chunks of |chunk_size| bytes,
// of which none is stored. |mem| is kept. Whatever it returns,
// tam_chunk_map_free may be called. Returns 0 or
// * INVALID_ARGUMENT: the file is longer than |chunk_size|, which is no
// multiple
//   of TAM_CHUNK_SIZE_UNIT from TAM_CHUNK_SIZE_MIN on; a file that is one chunk
//   may have any;
// * TOO_LARGE: |size| or |chunk_size| is above TAM_FILE_SIZE_MAX, or there
// would
//   be more than TAM_CHUNKS_MAX chunks;
// * OUT_OF_MEMORY.
int tam_chunk_map_init(tam_chunk_map *map, uint64_t size, uint64_t chunk_size,
                       const tam_mem *mem);

// Frees the bits; |map| has no chunks afterwards.
void tam_chunk_map_free(tam_chunk_map *map);

// Returns where |chunk| begins in the file, in bytes; the size of the file for
// every number that is not below the count.
uint64_t tam_chunk_map_start(const tam_chunk_map *map, uint32_t chunk);

// Returns the length of |chunk| in bytes; 0 for every number that is not below
// the count.
uint64_t tam_chunk_map_length(const tam_chunk_map *map, uint32_t chunk);

// Marks |chunk| as stored. Returns 1 when it was not before, 0 when it was, or
// INVALID_ARGUMENT when there is no such chunk.
int tam_chunk_map_add(tam_chunk_map *map, uint32_t chunk);

// Marks |chunk| as missing, because it is damaged or gone. Returns 1 when it
// was stored before, 0 when it was not, or INVALID_ARGUMENT when there is no
// such chunk.
int tam_chunk_map_remove(tam_chunk_map *map, uint32_t chunk);

// Returns 1 when |chunk| is stored; 0 when it is not, or when there is no such
// chunk.
int tam_chunk_map_has(const tam_chunk_map *map, uint32_t chunk);

// Returns the bytes that are stored, wherever they are.
uint64_t tam_chunk_map_bytes(const tam_chunk_map *map);

// Finds the first missing chunk that is not before |from|, a chunk, and stores
// it with the missing ones right behind it into |*prun|. A caller that gives
// parts of a run to several connections goes on behind what it gave away.
// Returns 1, or 0 when nothing is missing from there on; |*prun| is unchanged
// then.
int tam_chunk_map_next_missing(const tam_chunk_map *map, uint32_t from,
                               tam_chunk_run *prun);

// Returns how many bytes tam_chunk_map_save appends.
uint32_t tam_chunk_map_saved_size(const tam_chunk_map *map);

// Appends |map| to |record|, as what tam_chunk_map_load reads:
//
//   byte 0      version, 1
//   bytes 1-8   size of the file, lowest byte first
//   bytes 9-16  size of a chunk, lowest byte first
//   bytes 17-20 number of stored chunks, lowest byte first
//   bytes 21-   the bits, lowest first; those behind the last chunk are 0
//
// Errors are those of |record|.
void tam_chunk_map_save(const tam_chunk_map *map, tam_buf *record);

// Makes |map| what was saved as |record|, which is used during the call only.
// |mem| is kept. Whatever it returns, tam_chunk_map_free may be called; after
// an error |map| has no chunks. Returns 0 or
// * UNEXPECTED_SHAPE: the first byte is that of another version, so it may be
//   the record of a newer program;
// * INVALID_ARGUMENT: the record is damaged: shorter or longer than its sizes
//   say, with sizes beyond the caps, with another number of stored chunks than
//   it says, or with bits behind the last chunk;
// * OUT_OF_MEMORY.
int tam_chunk_map_load(tam_chunk_map *map, tam_span record, const tam_mem *mem);

#endif // TAM_STORE_CHUNK_MAP_H
