// SPDX-License-Identifier: Apache-2.0
// What can name a repository of the Hub, and what cannot.
#include "core/repo_id.h"

#include "check.h"

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

int main(void) {
  RUN(test_ids);
  RUN(test_lengths);
  RUN(test_the_place_of_the_slash);
  return check_finish();
}
