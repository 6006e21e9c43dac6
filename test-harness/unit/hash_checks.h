// SPDX-License-Identifier: Apache-2.0
// What every hash that can stop and go on must do, for the tests of SHA-1 and
// SHA-256: each names its functions once with HASH_OPS.
#ifndef TAM_TEST_HASH_CHECKS_H
#define TAM_TEST_HASH_CHECKS_H

#include "check.h"

#include "core/hex.h"
#include "store/sha1.h"
#include "store/sha256.h"

typedef union hash_object {
  tam_sha1 sha1;
  tam_sha256 sha256;
} hash_object;

typedef struct hash_ops {
  void (*init)(void *hash);
  void (*update)(void *hash, tam_span bytes);
  void (*final)(void *hash, uint8_t *digest);
  void (*save)(const void *hash, uint8_t *saved);
  int (*load)(void *hash, tam_span saved);
  uint64_t (*len)(const void *hash);
  size_t digest_size;
  size_t saved_size;
} hash_ops;

// Defines |ops|, the functions tam_<name>_...
#define HASH_OPS(name, NAME)                                                   \
  static void op_init(void *hash) {                                            \
    tam_##name##_init(hash);                                                   \
  }                                                                            \
  static void op_update(void *hash, tam_span bytes) {                          \
    tam_##name##_update(hash, bytes);                                          \
  }                                                                            \
  static void op_final(void *hash, uint8_t *digest) {                          \
    tam_##name##_final(hash, digest);                                          \
  }                                                                            \
  static void op_save(const void *hash, uint8_t *saved) {                      \
    tam_##name##_save(hash, saved);                                            \
  }                                                                            \
  static int op_load(void *hash, tam_span saved) {                             \
    return tam_##name##_load(hash, saved);                                     \
  }                                                                            \
  static uint64_t op_len(const void *hash) {                                   \
    return tam_##name##_len(hash);                                             \
  }                                                                            \
  static const hash_ops ops = {                                                \
      op_init, op_update, op_final,          op_save,                          \
      op_load, op_len,    TAM_##NAME##_SIZE, TAM_##NAME##_SAVED_SIZE}

// A message of several blocks whose bytes all differ from their neighbours.
#define MESSAGE_LEN 200

// Room for any digest and any saved state.
#define DIGEST_MAX TAM_SHA256_SIZE
#define SAVED_MAX  TAM_SHA256_SAVED_SIZE

// Where the fields of a saved state stand, as block_hash.h says.
#define SAVED_LEN_AT   4
#define SAVED_VALUE_AT 12

static inline tam_span hash_message(void) {
  static uint8_t message[MESSAGE_LEN];
  for (size_t i = 0; i < MESSAGE_LEN; i++) {
    message[i] = (uint8_t)(i * 7 + 3);
  }
  return (tam_span){message, MESSAGE_LEN};
}

// An object in which nothing is set yet.
static inline hash_object hash_stale(void) {
  hash_object hash;
  memset(&hash, 0xa5, sizeof(hash));
  return hash;
}

// Updates with a copy of its own size, so that ASAN sees any byte too far.
static inline void hash_update_copy(const hash_ops *ops, hash_object *hash,
                                    tam_span piece) {
  uint8_t *copy = piece.len > 0 ? malloc(piece.len) : NULL;
  if (copy != NULL) {
    memcpy(copy, piece.ptr, piece.len);
  }
  ops->update(hash, (tam_span){copy, piece.len});
  free(copy);
}

static inline tam_span hash_slice(tam_span text, size_t from, size_t to) {
  return tam_span_head(tam_span_from(text, from), to - from);
}

// Returns 1 when ending the message gives the digest |hex|.
static inline int hash_ends_as(const hash_ops *ops, hash_object *hash,
                               const char *hex) {
  uint8_t digest[DIGEST_MAX];
  uint8_t text[2 * DIGEST_MAX];
  ops->final(hash, digest);
  tam_hex_write(text, (tam_span){digest, ops->digest_size});
  return tam_span_eq((tam_span){text, 2 * ops->digest_size}, tam_span_of(hex));
}

// Returns the digest of |text| |times| times over as hexadecimal text with NUL.
static inline const char *hash_whole(const hash_ops *ops, tam_span text,
                                     int times) {
  static uint8_t hex[2 * DIGEST_MAX + 1];
  uint8_t digest[DIGEST_MAX];
  hash_object hash = hash_stale();
  ops->init(&hash);
  for (int i = 0; i < times; i++) {
    ops->update(&hash, text);
  }
  ops->final(&hash, digest);
  tam_hex_write(hex, (tam_span){digest, ops->digest_size});
  hex[2 * ops->digest_size] = 0;
  return (const char *)hex;
}

// |text| has the digest |hex|, whole and byte by byte.
static inline void hash_check_vector(const hash_ops *ops, tam_span text,
                                     const char *hex) {
  CHECK(strcmp(hash_whole(ops, text, 1), hex) == 0);
  hash_object hash = hash_stale();
  ops->init(&hash);
  for (size_t i = 0; i < text.len; i++) {
    hash_update_copy(ops, &hash, hash_slice(text, i, i + 1));
    CHECK(ops->len(&hash) == i + 1);
  }
  CHECK(hash_ends_as(ops, &hash, hex));
}

// |len| times 'a' have the digest |hex|.
static inline void hash_check_letters(const hash_ops *ops, size_t len,
                                      const char *hex) {
  uint8_t text[MESSAGE_LEN];
  memset(text, 'a', sizeof(text));
  hash_check_vector(ops, tam_span_head((tam_span){text, sizeof(text)}, len),
                    hex);
}

// However the message is cut in three, some of them empty, the digest is that
// of the whole.
static inline void hash_check_splits(const hash_ops *ops) {
  const tam_span text = hash_message();
  char expected[2 * DIGEST_MAX + 1];
  strcpy(expected, hash_whole(ops, text, 1));
  for (size_t first = 0; first <= text.len; first++) {
    for (size_t second = first; second <= text.len; second++) {
      hash_object hash = hash_stale();
      ops->init(&hash);
      hash_update_copy(ops, &hash, hash_slice(text, 0, first));
      hash_update_copy(ops, &hash, hash_slice(text, first, second));
      hash_update_copy(ops, &hash, hash_slice(text, second, text.len));
      CHECK(hash_ends_as(ops, &hash, expected));
    }
  }
}

// Returns the state after the first |len| bytes of the message.
static inline hash_object hash_after(const hash_ops *ops, size_t len) {
  hash_object hash = hash_stale();
  ops->init(&hash);
  ops->update(&hash, hash_slice(hash_message(), 0, len));
  return hash;
}

// A state that is saved at any byte goes on in another object, and saving does
// not disturb the one that is saved.
static inline void hash_check_resume(const hash_ops *ops) {
  const tam_span text = hash_message();
  char expected[2 * DIGEST_MAX + 1];
  strcpy(expected, hash_whole(ops, text, 1));
  for (size_t at = 0; at <= text.len; at++) {
    uint8_t *saved = malloc(ops->saved_size);
    hash_object hash = hash_after(ops, at);
    ops->save(&hash, saved);
    hash_object resumed = hash_stale();
    CHECK_INT(ops->load(&resumed, (tam_span){saved, ops->saved_size}), 0);
    CHECK(ops->len(&resumed) == at);
    free(saved);
    ops->update(&resumed, tam_span_from(text, at));
    CHECK(hash_ends_as(ops, &resumed, expected));
    ops->update(&hash, tam_span_from(text, at));
    CHECK(hash_ends_as(ops, &hash, expected));
  }
}

// Returns 1 when |saved| is refused and leaves an object as it was.
static inline int hash_refuses(const hash_ops *ops, const uint8_t *saved,
                               size_t len) {
  hash_object hash = hash_after(ops, 100);
  const hash_object before = hash;
  uint8_t *copy = malloc(len + 1);
  memcpy(copy, saved, len);
  int error = ops->load(&hash, (tam_span){copy, len});
  free(copy);
  return error == TAM_ERR_INVALID_ARGUMENT &&
         memcmp(&hash, &before, sizeof(hash)) == 0;
}

// Returns 1 when |saved| is taken up and gives itself back.
static inline int hash_accepts(const hash_ops *ops, const uint8_t *saved) {
  uint8_t again[SAVED_MAX];
  hash_object hash = hash_stale();
  int error = ops->load(&hash, (tam_span){saved, ops->saved_size});
  if (error == 0) {
    ops->save(&hash, again);
  }
  return error == 0 && memcmp(again, saved, ops->saved_size) == 0;
}

// Writes |len| and the number of pending bytes that goes with it.
static inline void hash_set_len(uint8_t *saved, uint64_t len) {
  for (int i = 0; i < 8; i++) {
    saved[SAVED_LEN_AT + i] = (uint8_t)(len >> (56 - 8 * i));
  }
  saved[2] = (uint8_t)(len % TAM_BLOCK_HASH_BLOCK_SIZE);
}

static inline void hash_check_sizes(const hash_ops *ops) {
  uint8_t saved[SAVED_MAX + 1] = {0};
  hash_object hash = hash_after(ops, 70);
  ops->save(&hash, saved);
  for (size_t len = 0; len <= ops->saved_size + 1; len++) {
    CHECK(hash_refuses(ops, saved, len) == (len != ops->saved_size));
  }
  hash = hash_after(ops, 1);
  CHECK_INT(ops->load(&hash, TAM_SPAN_NONE), TAM_ERR_INVALID_ARGUMENT);
}

// The bits of a state after 70 bytes that may be otherwise: the hash value, the
// six pending bytes, and the length where neither its rest modulo 64 changes
// nor it becomes too large or too small.
static inline int hash_bit_is_free(const hash_ops *ops, size_t bit) {
  size_t value_at = (size_t)8 * SAVED_VALUE_AT;
  size_t block_at = value_at + 8 * ops->digest_size;
  if (bit < value_at) {
    size_t weight = value_at - 1 - (bit / 8 * 8 + 7 - bit % 8);
    return bit >= (size_t)8 * SAVED_LEN_AT && weight > 6 && weight < 53;
  }
  return bit < block_at + (size_t)8 * 6;
}

// Whatever bit of a saved state is turned over, it is refused, or it is the one
// form of another state.
static inline void hash_check_bits(const hash_ops *ops) {
  uint8_t saved[SAVED_MAX];
  hash_object hash = hash_after(ops, 70);
  ops->save(&hash, saved);
  for (size_t bit = 0; bit < 8 * ops->saved_size; bit++) {
    saved[bit / 8] ^= (uint8_t)(1 << bit % 8);
    CHECK_INT(hash_accepts(ops, saved), hash_bit_is_free(ops, bit));
    CHECK_INT(hash_refuses(ops, saved, ops->saved_size),
              !hash_bit_is_free(ops, bit));
    saved[bit / 8] ^= (uint8_t)(1 << bit % 8);
  }
}

static inline void hash_check_versions(const hash_ops *ops) {
  uint8_t saved[SAVED_MAX];
  hash_object hash = hash_after(ops, 70);
  ops->save(&hash, saved);
  for (int field = 0; field < 4; field++) {
    uint8_t right = saved[field];
    for (int other = 0; other < 256; other++) {
      saved[field] = (uint8_t)other;
      CHECK(hash_refuses(ops, saved, ops->saved_size) == (other != right));
    }
    saved[field] = right;
  }
}

static inline void hash_check_lengths(const hash_ops *ops) {
  const uint64_t max = ((uint64_t)1 << 53) - 1;
  uint8_t saved[SAVED_MAX];
  hash_object hash = hash_after(ops, 128);
  ops->save(&hash, saved);
  hash_set_len(saved, 0); // a hash value that does not come from nothing
  CHECK(hash_refuses(ops, saved, ops->saved_size));
  hash_set_len(saved, 63);
  CHECK(hash_refuses(ops, saved, ops->saved_size));
  hash_set_len(saved, 64);
  CHECK(hash_accepts(ops, saved));
  hash_set_len(saved, max);
  CHECK(hash_accepts(ops, saved));
  hash_set_len(saved, max + 1);
  CHECK(hash_refuses(ops, saved, ops->saved_size));
  hash_set_len(saved, UINT64_MAX);
  CHECK(hash_refuses(ops, saved, ops->saved_size));
}

// A state of 2^32 bytes, made up with the initial hash value: the length in
// bits needs more than 32 bits. |hex| is the digest.
static inline void hash_check_long(const hash_ops *ops, const char *hex) {
  uint8_t saved[SAVED_MAX];
  hash_object hash = hash_after(ops, 0);
  ops->save(&hash, saved);
  hash_set_len(saved, (uint64_t)1 << 32);
  CHECK_INT(ops->load(&hash, (tam_span){saved, ops->saved_size}), 0);
  CHECK(hash_ends_as(ops, &hash, hex));
}

// The saved state after |text| is |head| (to the end of the hash value, as
// hexadecimal text), |pending| and zeros.
static inline void hash_check_saved(const hash_ops *ops, tam_span text,
                                    const char *head, tam_span pending) {
  uint8_t saved[SAVED_MAX];
  uint8_t expected[SAVED_MAX] = {0};
  const size_t head_len = SAVED_VALUE_AT + ops->digest_size;
  CHECK(tam_hex_read(tam_span_of(head), expected, head_len));
  tam_text_copy(expected + head_len, pending);
  hash_object hash = hash_stale();
  ops->init(&hash);
  ops->update(&hash, text);
  ops->save(&hash, saved);
  CHECK_INT(ops->saved_size, head_len + TAM_BLOCK_HASH_BLOCK_SIZE);
  CHECK(memcmp(saved, expected, ops->saved_size) == 0);
}

#endif // TAM_TEST_HASH_CHECKS_H
