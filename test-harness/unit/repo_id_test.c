// SPDX-License-Identifier: Apache-2.0
// What can name a repository of the Hub, and what cannot.
#include "core/repo_id.h"

#include "check.h"

#include <stdlib.h>
#include <string.h>

static void test_ids(void) {
  static const char *const valid[] = {
      "gpt2",          "owner/name", "a/b",    "Owner_1/na.me-2",
      "a/b.gitignore", "x/y.git.z",  "a/b-.c", "_/_"};
  static const char *const invalid[] = {
      "",      "/",     "a/",    "/b",      "a/b/c",     "a//b",
      "a b/c", "a/b?c", "a/b#c", "a/b%2fc", "a\\b",      "n\xc3\xa9/x",
      "a/..",  "../a",  "a/.",   "a/b..c",  "a/b--c",    "-a/b",
      "a-/b",  "a/.b",  "a/b.",  "a/b.git", "a/b.ipynb", "x.git",
      "a/b\n", "a:b/c", "a@b/c"};
  for (size_t i = 0; i < sizeof(valid) / sizeof(*valid); i++) {
    CHECK_INT(tam_repo_id_is_valid(tam_span_of(valid[i])), 1);
  }
  for (size_t i = 0; i < sizeof(invalid) / sizeof(*invalid); i++) {
    CHECK_INT(tam_repo_id_is_valid(tam_span_of(invalid[i])), 0);
  }
  CHECK_INT(tam_repo_id_is_valid(TAM_SPAN("a/b\0c")), 0);
}

static void test_lengths(void) {
  uint8_t id[97 + 1 + 97];
  memset(id, 'a', sizeof(id));
  CHECK_INT(tam_repo_id_is_valid((tam_span){id, 96}), 1);
  CHECK_INT(tam_repo_id_is_valid((tam_span){id, 97}), 0);
  id[96] = '/';
  CHECK_INT(tam_repo_id_is_valid((tam_span){id, 96 + 1 + 96}), 1);
  CHECK_INT(tam_repo_id_is_valid((tam_span){id, 96 + 1 + 97}), 0);
  id[96] = 'a';
  id[97] = '/';
  CHECK_INT(tam_repo_id_is_valid((tam_span){id, 97 + 1 + 96}), 0);
}

static void test_the_place_of_the_slash(void) {
  size_t slash;
  CHECK_INT(tam_repo_id_read(TAM_SPAN("owner/name"), &slash), 1);
  CHECK_INT(slash, 5);
  CHECK_INT(tam_repo_id_read(TAM_SPAN("gpt2"), &slash), 1);
  CHECK_INT(slash, 4);
}

static int is_word(uint8_t byte) {
  return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') ||
         (byte >= '0' && byte <= '9') || byte == '_';
}

// The rule for the owner or the name.
static int is_part(const uint8_t *part, size_t len) {
  for (size_t i = 0; i < len; i++) {
    int is_joint = part[i] == '-' || part[i] == '.';
    if (!is_word(part[i]) &&
        (!is_joint || i == 0 || i + 1 == len || part[i] == part[i - 1])) {
      return 0;
    }
  }
  return len > 0 && len <= 96;
}

static int is_id(const uint8_t *id, size_t len) {
  const uint8_t *slash = memchr(id, '/', len);
  if (slash == NULL) {
    return is_part(id, len);
  }
  size_t owner_len = (size_t)(slash - id);
  return is_part(id, owner_len) && is_part(slash + 1, len - owner_len - 1);
}

// Ids of one length, with a pair of bytes at every place.
static void check_pair(size_t len, uint8_t first, uint8_t second) {
  uint8_t *id = malloc(len); // of this size: nothing behind it may be read
  for (size_t at = 0; at + 1 < len; at++) {
    memset(id, 'm', len);
    id[len / 3] = '/';
    id[at] = first;
    id[at + 1] = second;
    size_t slash;
    int is_valid = tam_repo_id_read((tam_span){id, len}, &slash);
    CHECK_INT(is_valid, is_id(id, len));
    if (is_valid) {
      const uint8_t *found = memchr(id, '/', len);
      CHECK_INT(slash, found == NULL ? len : (size_t)(found - id));
    }
  }
  free(id);
}

// However many bytes are looked at together, each counts.
static void test_every_place(void) {
  static const size_t lengths[] = {2, 15, 16, 17, 32, 33, 48, 63, 64, 65, 80};
  static const uint8_t bytes[] = {'a', 'z',  'A', 'Z',  '0',  '9',  '_', '-',
                                  '.', '/',  '`', '{',  '@',  '[',  ':', ',',
                                  0,   0x20, '~', 0x7f, 0x80, 0xad, 0xff};
  for (size_t i = 0; i < sizeof(lengths) / sizeof(*lengths); i++) {
    for (size_t a = 0; a < sizeof(bytes); a++) {
      for (size_t b = 0; b < sizeof(bytes); b++) {
        check_pair(lengths[i], bytes[a], bytes[b]);
      }
    }
  }
}

int main(void) {
  RUN(test_ids);
  RUN(test_lengths);
  RUN(test_the_place_of_the_slash);
  RUN(test_every_place);
  return check_finish();
}
