// SPDX-License-Identifier: Apache-2.0
// Hashes one chunk of a file, whose bytes come in pieces: the hash of the whole
// file and the checksums of the blocks, side by side. It either finds out what
// the record does not know yet, or checks whether a chunk still is what it was.
//
//     tam_file_hasher_begin(&hasher, record);
//     for each piece of the chunk: tam_file_hasher_update(&hasher, piece);
//     result = tam_file_hasher_end(&hasher);
#ifndef TAM_STORE_FILE_HASHER_H
#define TAM_STORE_FILE_HASHER_H

#include "core/checksum.h"
#include "store/file_record.h"

// Plain data: there is nothing to free, and it may be left at any time.
typedef struct tam_file_hasher {
  tam_file_record *record;
  uint32_t chunk;
  uint8_t is_check;
  uint8_t is_damaged;    // sticky
  uint64_t left;         // bytes of the chunk that have not come yet
  tam_content_hash hash; // of the file up to here
  tam_checksum sum;      // of the block
  size_t sum_at;         // where it stands among the checksums
} tam_file_hasher;

// Begins the first chunk of |record| that is not hashed; its number is
// hasher->chunk. Until the end |record| must stay, and nothing else may change
// what is hashed of it. Returns 0, or INVALID_STATE when that chunk is not
// stored or there is none.
int tam_file_hasher_begin(tam_file_hasher *hasher, tam_file_record *record);

// Begins to check |chunk| of |record|, which is not changed. Returns 0, or
// INVALID_STATE when the chunk is not hashed, so that there is nothing to
// compare with.
int tam_file_hasher_begin_check(tam_file_hasher *hasher,
                                tam_file_record *record, uint32_t chunk);

// Takes the next |bytes| of the chunk, any number of them, which are borrowed
// until return.
void tam_file_hasher_update(tam_file_hasher *hasher, tam_span bytes);

// Ends the chunk. Returns 1 when all is well: the record has one hashed chunk
// more, or the one that was checked is what it was. Else nothing is changed:
// * 0: the chunk is damaged: there were more or fewer bytes than it has, or,
//   when it was checked, other ones;
// * OUT_OF_MEMORY.
int tam_file_hasher_end(tam_file_hasher *hasher);

#endif // TAM_STORE_FILE_HASHER_H
