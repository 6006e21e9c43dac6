// SPDX-License-Identifier: Apache-2.0
// Git's names of contents: those that "Pro Git" and everybody's repositories
// show, and what `git hash-object` says.
#include "hash_checks.h"

#include "store/git_blob.h"

HASH_OPS(sha1, SHA1);

static int has_name(tam_span content, const char *name) {
  hash_object hash = hash_stale();
  tam_git_blob_init(&hash.sha1, content.len);
  tam_sha1_update(&hash.sha1, content);
  return hash_ends_as(&ops, &hash, name);
}

static void known_names(void) {
  CHECK(has_name(TAM_SPAN_NONE, "e69de29bb2d1d6434b8b29ae775ad8c2e48c5391"));
  CHECK(has_name(TAM_SPAN("hello\n"),
                 "ce013625030ba8dba906f756967f9e9ca394464a"));
  CHECK(has_name(TAM_SPAN("test content\n"),
                 "d670460b4b4aece5915caf5c68d12f560a9fe3e4"));
  CHECK(has_name(TAM_SPAN("what is up, doc?"),
                 "bd9dbf5aae1a3862dd1526723246b20206e5fc37"));
}

static void many_digits(void) {
  static uint8_t letters[70000];
  memset(letters, 'a', sizeof(letters));
  CHECK(has_name((tam_span){letters, sizeof(letters)},
                 "a4468a72cf236519af2d10907beb2b1877bfc244"));
}

// What is hashed before the content is text with a zero byte.
static void beginnings(void) {
  hash_object hash = hash_stale();
  tam_git_blob_init(&hash.sha1, 0);
  CHECK(tam_sha1_len(&hash.sha1) == 7);
  CHECK(hash_ends_as(&ops, &hash, hash_whole(&ops, TAM_SPAN("blob 0\0"), 1)));
  tam_git_blob_init(&hash.sha1, UINT64_MAX);
  CHECK(hash_ends_as(
      &ops, &hash,
      hash_whole(&ops, TAM_SPAN("blob 18446744073709551615\0"), 1)));
}

int main(void) {
  RUN(known_names);
  RUN(many_digits);
  RUN(beginnings);
  return check_finish();
}
