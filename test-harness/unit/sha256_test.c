// SPDX-License-Identifier: Apache-2.0
// SHA-256: published examples, every cut, states that are saved, hostile ones.
#include "hash_checks.h"

HASH_OPS(sha256, SHA256);

// The examples of FIPS 180 (one block, two blocks, a million letters) and of
// NIST's "Cryptographic Standards and Guidelines" collection.
static void published_examples(void) {
  hash_check_vector(
      &ops, TAM_SPAN(""),
      "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  hash_check_vector(
      &ops, TAM_SPAN("abc"),
      "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  hash_check_vector(
      &ops,
      TAM_SPAN("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq"),
      "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
  hash_check_vector(
      &ops,
      TAM_SPAN("abcdefghbcdefghicdefghijdefghijkefghijklfghijklmghijklmnhijklmn"
               "oijklmnopjklmnopqklmnopqrlmnopqrsmnopqrstnopqrstu"),
      "cf5b16a778af8380036ce59e7b0492370b249b11e8f07a51afac45037afee9d1");
  uint8_t letters[1000];
  memset(letters, 'a', sizeof(letters));
  CHECK(
      strcmp(
          hash_whole(&ops, (tam_span){letters, sizeof(letters)}, 1000),
          "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0") ==
      0);
}

// Lengths around which the padding changes its shape. The digests are those of
// sha256sum (GNU coreutils).
static void block_borders(void) {
  hash_check_letters(
      &ops, 55,
      "9f4390f8d30c2dd92ec9f095b65e2b9ae9b0a925a5258e241c9f1e910f734318");
  hash_check_letters(
      &ops, 56,
      "b35439a4ac6f0948b6d6f9e3c6af0f5f590ce20f1bde7090ef7970686ec6738a");
  hash_check_letters(
      &ops, 57,
      "f13b2d724659eb3bf47f2dd6af1accc87b81f09f59f2b75e5c0bed6589dfe8c6");
  hash_check_letters(
      &ops, 63,
      "7d3e74a05d7db15bce4ad9ec0658ea98e3f06eeecf16b4c6fff2da457ddc2f34");
  hash_check_letters(
      &ops, 64,
      "ffe054fe7ae0cb6dc65c3af9b61d5209f439851db43d0ba5997337df154668eb");
  hash_check_letters(
      &ops, 65,
      "635361c48bb9eab14198e76ea8ab7f1a41685d6ad62aa9146d301d4f17eb0ae0");
  hash_check_letters(
      &ops, 119,
      "31eba51c313a5c08226adf18d4a359cfdfd8d2e816b13f4af952f7ea6584dcfb");
  hash_check_letters(
      &ops, 120,
      "2f3d335432c70b580af0e8e1b3674a7c020d683aa5f73aaaedfdc55af904c21c");
  hash_check_letters(
      &ops, 121,
      "e9615320128cc7a3d6078e9af05603188e5ccbf0d07d8b735d3df5e8e0c1281f");
  hash_check_letters(
      &ops, 127,
      "c57e9278af78fa3cab38667bef4ce29d783787a2f731d4e12200270f0c32320a");
  hash_check_letters(
      &ops, 128,
      "6836cf13bac400e9105071cd6af47084dfacad4e5e302c94bfed24e013afb73e");
  hash_check_letters(
      &ops, 129,
      "c12cb024a2e5551cca0e08fce8f1c5e314555cc3fef6329ee994a3db752166ae");
}

static void splits(void) {
  hash_check_splits(&ops);
}

static void resume(void) {
  hash_check_resume(&ops);
}

// The form of a saved state is a promise: journals hold it. The hash values are
// the initial one of FIPS 180-4, 5.3.3, and the one after the first block that
// NIST's example for two blocks shows.
static void saved_form(void) {
  hash_check_saved(
      &ops, TAM_SPAN("abc"),
      "01020300"
      "0000000000000003"
      "6a09e667bb67ae853c6ef372a54ff53a510e527f9b05688c1f83d9ab5be0cd19",
      TAM_SPAN("abc"));
  hash_check_saved(
      &ops,
      TAM_SPAN("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq"
               "\x80\0\0\0\0\0\0\0"),
      "01020000"
      "0000000000000040"
      "85e655d6417a17953363376a624cde5c76e09589cac5f811cc4b32c1f20e533a",
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
  hash_check_long(
      &ops, "7ccf0d399639597c6ac9bd868695ea3bdcba23e33da8cb4e089e20cdff2e3300");
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
