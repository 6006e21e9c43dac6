// SPDX-License-Identifier: Apache-2.0
#include "store/block_hash.h"

#include "core/span.h"

#include <string.h>

#define BLOCK TAM_BLOCK_HASH_BLOCK_SIZE

// Where the length in bits stands in the last block.
#define LENGTH_AT (BLOCK - 8)

// The fields of a saved state.
enum {
  SAVED_VERSION = 0,
  SAVED_ALGORITHM = 1,
  SAVED_PENDING = 2,
  SAVED_ZERO = 3,
  SAVED_LEN = 4,
  SAVED_VALUE = 12
};

static void store_be32(uint8_t *bytes, uint32_t word) {
  for (int i = 3; i >= 0; i--) {
    bytes[i] = (uint8_t)word;
    word >>= 8;
  }
}

static void store_be64(uint8_t *bytes, uint64_t number) {
  store_be32(bytes, (uint32_t)(number >> 32));
  store_be32(bytes + 4, (uint32_t)number);
}

static void store_words(uint8_t *bytes, const uint32_t *words, size_t count) {
  for (size_t i = 0; i < count; i++) {
    store_be32(bytes + 4 * i, words[i]);
  }
}

void tam_block_hash_read_words(uint32_t *words, const uint8_t *bytes,
                               size_t count) {
  do {
    *words++ = (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 |
               (uint32_t)bytes[2] << 8 | bytes[3];
    bytes += 4;
  } while (--count > 0);
}

static size_t pending_of(const tam_block_hash *hash) {
  return (size_t)(hash->len % BLOCK);
}

void tam_block_hash_init(tam_block_hash *hash,
                         const tam_block_hash_kind *kind) {
  hash->len = 0;
  memcpy(hash->value, kind->initial, sizeof(hash->value));
}

void tam_block_hash_update(tam_block_hash *hash,
                           const tam_block_hash_kind *kind, tam_span bytes) {
  if (bytes.len == 0) { // perhaps without an address
    return;
  }
  size_t pending = pending_of(hash);
  hash->len += bytes.len;
  if (pending > 0) {
    tam_span head = tam_span_head(bytes, BLOCK - pending);
    memcpy(hash->block + pending, head.ptr, head.len);
    if (pending + head.len < BLOCK) {
      return;
    }
    kind->compress(hash->value, hash->block, 1);
    bytes = tam_span_from(bytes, head.len);
  }
  kind->compress(hash->value, bytes.ptr, bytes.len / BLOCK);
  bytes = tam_span_from(bytes, bytes.len / BLOCK * BLOCK);
  memcpy(hash->block, bytes.ptr, bytes.len);
}

// FIPS 180-4, 5.1.1: a one, as few zeros as fill a block, the length in bits.
void tam_block_hash_final(tam_block_hash *hash, const tam_block_hash_kind *kind,
                          uint8_t *digest) {
  size_t end = pending_of(hash);
  hash->block[end++] = 0x80;
  memset(hash->block + end, 0, BLOCK - end);
  if (end > LENGTH_AT) {
    kind->compress(hash->value, hash->block, 1);
    memset(hash->block, 0, BLOCK);
  }
  store_be64(hash->block + LENGTH_AT, hash->len * 8);
  kind->compress(hash->value, hash->block, 1);
  store_words(digest, hash->value, kind->words);
}

void tam_block_hash_save(const tam_block_hash *hash,
                         const tam_block_hash_kind *kind, uint8_t *saved) {
  size_t pending = pending_of(hash);
  saved[SAVED_VERSION] = TAM_BLOCK_HASH_VERSION;
  saved[SAVED_ALGORITHM] = kind->algorithm;
  saved[SAVED_PENDING] = (uint8_t)pending;
  saved[SAVED_ZERO] = 0;
  store_be64(saved + SAVED_LEN, hash->len);
  store_words(saved + SAVED_VALUE, hash->value, kind->words);
  uint8_t *block = saved + SAVED_VALUE + (size_t)4 * kind->words;
  memcpy(block, hash->block, pending);
  memset(block + pending, 0, BLOCK - pending);
}

// Whether a message can have the state |hash|.
static int is_possible(const tam_block_hash *hash,
                       const tam_block_hash_kind *kind) {
  if (hash->len < BLOCK) { // the hash value is still the one it began with
    return memcmp(hash->value, kind->initial, sizeof(hash->value)) == 0;
  }
  return hash->len <= TAM_BLOCK_HASH_LEN_MAX;
}

// Version, algorithm, the number of pending bytes and the zeros are what save
// writes, or the state is not one of ours.
int tam_block_hash_load(tam_block_hash *hash, const tam_block_hash_kind *kind,
                        tam_span saved) {
  if (saved.len != (size_t)TAM_BLOCK_HASH_SAVED_SIZE(kind->words)) {
    return TAM_ERR_INVALID_ARGUMENT;
  }
  uint8_t again[TAM_BLOCK_HASH_SAVED_SIZE(TAM_BLOCK_HASH_WORDS_MAX)];
  uint32_t len[2];
  tam_block_hash loaded;
  tam_block_hash_init(&loaded, kind); // for the words that SHA-1 has not
  tam_block_hash_read_words(len, saved.ptr + SAVED_LEN, 2);
  loaded.len = (uint64_t)len[0] << 32 | len[1];
  tam_block_hash_read_words(loaded.value, saved.ptr + SAVED_VALUE, kind->words);
  memcpy(loaded.block, saved.ptr + saved.len - BLOCK, BLOCK);
  tam_block_hash_save(&loaded, kind, again);
  if (memcmp(again, saved.ptr, saved.len) != 0 || !is_possible(&loaded, kind)) {
    return TAM_ERR_INVALID_ARGUMENT;
  }
  *hash = loaded;
  return 0;
}
