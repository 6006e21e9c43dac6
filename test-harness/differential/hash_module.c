// SPDX-License-Identifier: Apache-2.0
// A small module that lets JavaScript run the hashes alone: the differential
// test compares them with Node's, the benchmark measures them. Bytes and saved
// states go into module_input; digests, saved states and text come out of
// module_output.
#include "core/checksum.h"
#include "core/hex.h"
#include "store/git_blob.h"
#include "store/sha1.h"
#include "store/sha256.h"

#include <emscripten.h>

// Large enough for a saved state, and for the text of a digest.
#define OUTPUT_MAX 256

static uint8_t input[TAM_EVENT_PAYLOAD_MAX];
static uint8_t output[OUTPUT_MAX];
static tam_sha256 sha256;
static tam_sha1 sha1;
static tam_checksum checksum;

// Returns where the next piece (at most TAM_EVENT_PAYLOAD_MAX bytes) goes.
EMSCRIPTEN_KEEPALIVE uint8_t *module_input(void) {
  return input;
}

EMSCRIPTEN_KEEPALIVE const uint8_t *module_output(void) {
  return output;
}

static tam_span piece(size_t len) {
  return (tam_span){input, len};
}

// Writes a digest as text and returns the length of the text.
static size_t write_digest(const uint8_t *digest, size_t len) {
  tam_hex_write(output, (tam_span){digest, len});
  return 2 * len;
}

// ---------------------------------------------------------------------------
// SHA-256

EMSCRIPTEN_KEEPALIVE void module_sha256_init(void) {
  tam_sha256_init(&sha256);
}

EMSCRIPTEN_KEEPALIVE void module_sha256_update(size_t len) {
  tam_sha256_update(&sha256, piece(len));
}

EMSCRIPTEN_KEEPALIVE size_t module_sha256_final(void) {
  uint8_t digest[TAM_SHA256_SIZE];
  tam_sha256_final(&sha256, digest);
  return write_digest(digest, sizeof(digest));
}

EMSCRIPTEN_KEEPALIVE size_t module_sha256_save(void) {
  tam_sha256_save(&sha256, output);
  return TAM_SHA256_SAVED_SIZE;
}

EMSCRIPTEN_KEEPALIVE int module_sha256_load(size_t len) {
  return tam_sha256_load(&sha256, piece(len));
}

// ---------------------------------------------------------------------------
// SHA-1, of a message or of a file's content as git names it

EMSCRIPTEN_KEEPALIVE void module_sha1_init(void) {
  tam_sha1_init(&sha1);
}

EMSCRIPTEN_KEEPALIVE void module_git_blob_init(double size_bytes) {
  tam_git_blob_init(&sha1, (uint64_t)size_bytes);
}

EMSCRIPTEN_KEEPALIVE void module_sha1_update(size_t len) {
  tam_sha1_update(&sha1, piece(len));
}

EMSCRIPTEN_KEEPALIVE size_t module_sha1_final(void) {
  uint8_t digest[TAM_SHA1_SIZE];
  tam_sha1_final(&sha1, digest);
  return write_digest(digest, sizeof(digest));
}

EMSCRIPTEN_KEEPALIVE size_t module_sha1_save(void) {
  tam_sha1_save(&sha1, output);
  return TAM_SHA1_SAVED_SIZE;
}

EMSCRIPTEN_KEEPALIVE int module_sha1_load(size_t len) {
  return tam_sha1_load(&sha1, piece(len));
}

// ---------------------------------------------------------------------------
// XXH64

EMSCRIPTEN_KEEPALIVE void module_xxh64_init(void) {
  tam_checksum_init(&checksum);
}

EMSCRIPTEN_KEEPALIVE void module_xxh64_update(size_t len) {
  tam_checksum_update(&checksum, piece(len));
}

// The text has the highest digit first, as everybody writes it.
EMSCRIPTEN_KEEPALIVE size_t module_xxh64_final(void) {
  uint64_t sum = tam_checksum_final(&checksum);
  uint8_t bytes[TAM_CHECKSUM_SIZE];
  for (size_t i = sizeof(bytes); i-- > 0; sum >>= 8) {
    bytes[i] = (uint8_t)sum;
  }
  return write_digest(bytes, sizeof(bytes));
}
