// SPDX-License-Identifier: Apache-2.0
// The journal of one file: what it must be, which of its chunks are stored, and
// what was found out about them.
//
// The chunks at the start of the file that have been hashed leave two things.
// The state of the file's hash behind each: so hashing goes on where it
// stopped, and later any one chunk can be verified alone, because from the
// state before it its bytes must lead to the state behind it. And a checksum of
// each block of TAM_CHECK_BLOCK_SIZE bytes: so a part of the file can be
// checked whenever it is read, without its chunk.
#ifndef TAM_STORE_FILE_RECORD_H
#define TAM_STORE_FILE_RECORD_H

#include "store/chunk_map.h"
#include "store/content_hash.h"

// The bytes that a checksum covers. Blocks are counted from the start of their
// chunk; the last one of a chunk may be shorter.
#define TAM_CHECK_BLOCK_SIZE (UINT32_C(1) << 20)

// The most blocks of a file: 2 TiB. It keeps a size that is a lie from taking
// more than 16 MiB of memory.
#define TAM_CHECK_BLOCKS_MAX (UINT32_C(1) << 21)

// The longest ETag that is kept, in bytes. Those of the Hub have some 70.
#define TAM_FILE_ETAG_MAX 256

// The longest record in bytes.
#define TAM_FILE_RECORD_MAX                                                    \
  (TAM_CHUNK_RECORD_MAX + TAM_CHUNKS_MAX * TAM_CONTENT_SAVED_MAX +             \
   TAM_CHECK_BLOCKS_MAX * 8 + TAM_FILE_ETAG_MAX + 64)

// Flags.
#define TAM_FILE_COMPLETE 0x01U // all is stored, and its digest is right

// Read the fields at will. |flags| and the chunks of |chunks| are the caller's
// to change (before it removes a hashed chunk it calls
// tam_file_record_forget_from); all else is changed by the functions only.
typedef struct tam_file_record {
  const tam_mem *mem;
  uint8_t algorithm; // a tam_file_hash
  uint8_t flags;
  // What the digest must be; zeros behind its end.
  uint8_t digest[TAM_CONTENT_DIGEST_MAX];
  tam_chunk_map chunks;
  uint32_t hashed; // chunks, from the first on; all of them are stored
  tam_buf states;  // saved states, one for each of them
  tam_buf sums;    // checksums in 8 bytes each, of all their blocks; behind
                   // them perhaps some of a chunk in work
  uint8_t etag[TAM_FILE_ETAG_MAX];
  uint16_t etag_len; // in bytes; 0: none
} tam_file_record;

// Makes |record| that of a file of |size| bytes, of which nothing is stored. It
// comes in chunks of |chunk_size| bytes, and its |algorithm| must give
// |digest|, which is as long as the algorithm says. |mem| is kept. Whatever it
// returns, tam_file_record_free may be called. Returns 0 or
// * INVALID_ARGUMENT: |algorithm| is no tam_file_hash, or |chunk_size| is none
//   (see tam_chunk_map_init);
// * TOO_LARGE: there would be too many bytes, chunks or blocks;
// * OUT_OF_MEMORY.
int tam_file_record_init(tam_file_record *record, uint64_t size,
                         uint64_t chunk_size, uint8_t algorithm,
                         const uint8_t *digest, const tam_mem *mem);

void tam_file_record_free(tam_file_record *record);

// Keeps |etag|. Returns 0, or TOO_LARGE when it is longer than
// TAM_FILE_ETAG_MAX bytes; the old one stays then.
int tam_file_record_set_etag(tam_file_record *record, tam_span etag);

// Returns the ETag; it is empty when there is none.
tam_span tam_file_record_etag(const tam_file_record *record);

// Writes |record| into |buf|, which is emptied, as a record of store/record.h.
// Errors are those of |buf|.
void tam_file_record_save(const tam_file_record *record, tam_buf *buf);

// Makes |record| what was saved as |saved|, which is used during the call only.
// |mem| is kept. Whatever it returns, tam_file_record_free may be called.
// What is loaded is consistent: every state is one that the hash can have
// behind its chunk. Returns 0 or
// * UNEXPECTED_SHAPE: the record is one of a newer program;
// * INVALID_ARGUMENT: it is damaged, or something else;
// * OUT_OF_MEMORY.
int tam_file_record_load(tam_file_record *record, tam_span saved,
                         const tam_mem *mem);

// Returns the number of blocks of |chunk|.
uint32_t tam_file_record_blocks(const tam_file_record *record, uint32_t chunk);

// Forgets what was found out about |chunk| and all behind it, and that the file
// is complete.
void tam_file_record_forget_from(tam_file_record *record, uint32_t chunk);

// Returns 1 when all chunks are hashed and the digest is what it must be, else
// 0. The digest of an empty file is that of nothing.
int tam_file_record_check(const tam_file_record *record);

// Returns 1 when |sum| is the checksum of block |block| of |chunk|, else 0,
// also when the chunk is not hashed: nothing is known about it then.
int tam_file_record_has_sum(const tam_file_record *record, uint32_t chunk,
                            uint32_t block, uint64_t sum);

// ---------------------------------------------------------------------------
// For store/file_hasher.c

// Begins |hash| where |chunk| begins, which is at most the number of hashed
// chunks.
void tam_file_record_begin_hash(const tam_file_record *record, uint32_t chunk,
                                tam_content_hash *hash);

// Returns the saved state behind |chunk|, which is hashed.
tam_span tam_file_record_state(const tam_file_record *record, uint32_t chunk);

// Returns the length in bytes of the checksums of all chunks before |chunk|,
// which is at most the number of chunks.
size_t tam_file_record_sums_before(const tam_file_record *record,
                                   uint32_t chunk);

// Drops what |states| and |sums| have beyond the hashed chunks.
void tam_file_record_trim(tam_file_record *record);

#endif // TAM_STORE_FILE_RECORD_H
