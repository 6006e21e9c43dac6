// SPDX-License-Identifier: Apache-2.0
#include "store/content_hash.h"

#include "store/git_blob.h"

#include <string.h>

int tam_file_hash_is_known(uint8_t algorithm) {
  return algorithm == TAM_FILE_HASH_SHA256 ||
         algorithm == TAM_FILE_HASH_GIT_SHA1;
}

size_t tam_file_hash_digest_size(uint8_t algorithm) {
  return algorithm == TAM_FILE_HASH_SHA256 ? TAM_SHA256_SIZE : TAM_SHA1_SIZE;
}

size_t tam_file_hash_saved_size(uint8_t algorithm) {
  return algorithm == TAM_FILE_HASH_SHA256 ? TAM_SHA256_SAVED_SIZE
                                           : TAM_SHA1_SAVED_SIZE;
}

void tam_content_hash_init(tam_content_hash *hash, uint8_t algorithm,
                           uint64_t size) {
  hash->algorithm = algorithm;
  if (algorithm == TAM_FILE_HASH_SHA256) {
    tam_sha256_init(&hash->state.sha256);
  } else {
    tam_git_blob_init(&hash->state.sha1, size);
  }
}

void tam_content_hash_update(tam_content_hash *hash, tam_span bytes) {
  if (hash->algorithm == TAM_FILE_HASH_SHA256) {
    tam_sha256_update(&hash->state.sha256, bytes);
  } else {
    tam_sha1_update(&hash->state.sha1, bytes);
  }
}

void tam_content_hash_final(tam_content_hash *hash,
                            uint8_t digest[TAM_CONTENT_DIGEST_MAX]) {
  memset(digest, 0, TAM_CONTENT_DIGEST_MAX);
  if (hash->algorithm == TAM_FILE_HASH_SHA256) {
    tam_sha256_final(&hash->state.sha256, digest);
  } else {
    tam_sha1_final(&hash->state.sha1, digest);
  }
}

void tam_content_hash_save(const tam_content_hash *hash, uint8_t *saved) {
  if (hash->algorithm == TAM_FILE_HASH_SHA256) {
    tam_sha256_save(&hash->state.sha256, saved);
  } else {
    tam_sha1_save(&hash->state.sha1, saved);
  }
}

int tam_content_hash_load(tam_content_hash *hash, uint8_t algorithm,
                          tam_span saved) {
  hash->algorithm = algorithm;
  return algorithm == TAM_FILE_HASH_SHA256
             ? tam_sha256_load(&hash->state.sha256, saved)
             : tam_sha1_load(&hash->state.sha1, saved);
}

uint64_t tam_content_hash_len(const tam_content_hash *hash) {
  return hash->algorithm == TAM_FILE_HASH_SHA256
             ? tam_sha256_len(&hash->state.sha256)
             : tam_sha1_len(&hash->state.sha1);
}
