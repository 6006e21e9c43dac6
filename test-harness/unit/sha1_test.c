// SPDX-License-Identifier: Apache-2.0
// SHA-1: published examples, every cut, states that are saved, hostile ones.
#include "hash_checks.h"

HASH_OPS(sha1, SHA1);

// The examples of FIPS 180 (one block, two blocks, a million letters) and of
// NIST's "Cryptographic Standards and Guidelines" collection.
static void published_examples(void) {
  hash_check_vector(&ops, TAM_SPAN(""),
                    "da39a3ee5e6b4b0d3255bfef95601890afd80709");
  hash_check_vector(&ops, TAM_SPAN("abc"),
                    "a9993e364706816aba3e25717850c26c9cd0d89d");
  hash_check_vector(
      &ops,
      TAM_SPAN("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq"),
      "84983e441c3bd26ebaae4aa1f95129e5e54670f1");
  hash_check_vector(
      &ops,
      TAM_SPAN("abcdefghbcdefghicdefghijdefghijkefghijklfghijklmghijklmnhijklmn"
               "oijklmnopjklmnopqklmnopqrlmnopqrsmnopqrstnopqrstu"),
      "a49b2446a02c645bf419f995b67091253a04a259");
  uint8_t letters[1000];
  memset(letters, 'a', sizeof(letters));
  CHECK(strcmp(hash_whole(&ops, (tam_span){letters, sizeof(letters)}, 1000),
               "34aa973cd4c4daa4f61eeb2bdbad27316534016f") == 0);
}

// Lengths around which the padding changes its shape. The digests are those of
// sha1sum (GNU coreutils).
static void block_borders(void) {
  hash_check_letters(&ops, 55, "c1c8bbdc22796e28c0e15163d20899b65621d65a");
  hash_check_letters(&ops, 56, "c2db330f6083854c99d4b5bfb6e8f29f201be699");
  hash_check_letters(&ops, 57, "f08f24908d682555111be7ff6f004e78283d989a");
  hash_check_letters(&ops, 63, "03f09f5b158a7a8cdad920bddc29b81c18a551f5");
  hash_check_letters(&ops, 64, "0098ba824b5c16427bd7a1122a5a442a25ec644d");
  hash_check_letters(&ops, 65, "11655326c708d70319be2610e8a57d9a5b959d3b");
  hash_check_letters(&ops, 119, "ee971065aaa017e0632a8ca6c77bb3bf8b1dfc56");
  hash_check_letters(&ops, 120, "f34c1488385346a55709ba056ddd08280dd4c6d6");
  hash_check_letters(&ops, 121, "fa6b5a6f8ac27182f838fe7841ec6d2aef3ade29");
  hash_check_letters(&ops, 127, "89d95fa32ed44a7c610b7ee38517ddf57e0bb975");
  hash_check_letters(&ops, 128, "ad5b3fdbcb526778c2839d2f151ea753995e26a0");
  hash_check_letters(&ops, 129, "d96debf1bdcbc896e6c134ea76e8141f40d78536");
}

static void splits(void) {
  hash_check_splits(&ops);
}

static void resume(void) {
  hash_check_resume(&ops);
}

// The form of a saved state is a promise: journals hold it. The hash values are
// the initial one of FIPS 180-4, 5.3.1, and the one after the first block that
// NIST's example for two blocks shows.
static void saved_form(void) {
  hash_check_saved(&ops, TAM_SPAN("abc"),
                   "01010300"
                   "0000000000000003"
                   "67452301efcdab8998badcfe10325476c3d2e1f0",
                   TAM_SPAN("abc"));
  hash_check_saved(
      &ops,
      TAM_SPAN("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq"
               "\x80\0\0\0\0\0\0\0"),
      "01010000"
      "0000000000000040"
      "f4286818c37b27ae0408f581846771484a566572",
      TAM_SPAN_NONE);
}

static void hostile_states(void) {
  hash_check_sizes(&ops);
  hash_check_bits(&ops);
  hash_check_versions(&ops);
  hash_check_lengths(&ops);
}

// The digest was computed by a plain reading of the standard in another
// language: the hash value of one block, 0x80 and 2^35 as length in bits.
static void long_messages(void) {
  hash_check_long(&ops, "8aed1e1f06660956344d44af126fda5d6a789a43");
}

int main(void) {
  RUN(published_examples);
  RUN(block_borders);
  RUN(splits);
  RUN(resume);
  RUN(saved_form);
  RUN(hostile_states);
  RUN(long_messages);
  return check_finish();
}
