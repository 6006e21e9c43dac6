// SPDX-License-Identifier: Apache-2.0
// The hash by which the Hub names the content of a file: SHA-256 for files in
// LFS, the name of the git blob for all others.
#ifndef TAM_STORE_CONTENT_HASH_H
#define TAM_STORE_CONTENT_HASH_H

#include "store/sha1.h"
#include "store/sha256.h"

// The numbers are stored and never change.
typedef enum tam_file_hash {
  TAM_FILE_HASH_SHA256 = 1,  // of the bytes
  TAM_FILE_HASH_GIT_SHA1 = 2 // of the git blob, see store/git_blob.h
} tam_file_hash;

// Room for any digest and any saved state.
#define TAM_CONTENT_DIGEST_MAX TAM_SHA256_SIZE
#define TAM_CONTENT_SAVED_MAX  TAM_SHA256_SAVED_SIZE

// Plain data: a copy is a second, independent hash with the same beginning.
typedef struct tam_content_hash {
  uint8_t algorithm; // a tam_file_hash
  union {
    tam_sha256 sha256;
    tam_sha1 sha1;
  } state;
} tam_content_hash;

// Returns 1 when |algorithm| is a tam_file_hash, else 0.
int tam_file_hash_is_known(uint8_t algorithm);

// Return the size of a digest or of a saved state of |algorithm| in bytes.
size_t tam_file_hash_digest_size(uint8_t algorithm);
size_t tam_file_hash_saved_size(uint8_t algorithm);

// Begins a file of |size| bytes.
void tam_content_hash_init(tam_content_hash *hash, uint8_t algorithm,
                           uint64_t size);

// Goes on with |bytes|, any number of them, which are borrowed until return.
void tam_content_hash_update(tam_content_hash *hash, tam_span bytes);

// Ends the file and writes its digest; the rest of |digest| is zeros. After
// that only init and load are legal.
void tam_content_hash_final(tam_content_hash *hash,
                            uint8_t digest[TAM_CONTENT_DIGEST_MAX]);

// Writes the state to |saved|, tam_file_hash_saved_size bytes.
void tam_content_hash_save(const tam_content_hash *hash, uint8_t *saved);

// Takes up the state in |saved|. Returns 0, or INVALID_ARGUMENT when it is no
// state of |algorithm|.
int tam_content_hash_load(tam_content_hash *hash, uint8_t algorithm,
                          tam_span saved);

// Returns how many bytes were hashed so far, with what git hashes before the
// content.
uint64_t tam_content_hash_len(const tam_content_hash *hash);

#endif // TAM_STORE_CONTENT_HASH_H
