// SPDX-License-Identifier: Apache-2.0
#include "core/names.h"

#include "check.h"

#define NAMES                                                                  \
  "one\0"                                                                      \
  "two\0"                                                                      \
  "twofold\0"                                                                  \
  "Three\0"

static void test_places(void) {
  CHECK(strcmp(tam_names_at(NAMES, 0), "one") == 0);
  CHECK(strcmp(tam_names_at(NAMES, 2), "twofold") == 0);
  CHECK(strcmp(tam_names_at(NAMES, 4), "") == 0);
}

static void test_whole_names(void) {
  CHECK_INT(tam_names_find(NAMES, TAM_SPAN("one")), 0);
  CHECK_INT(tam_names_find(NAMES, TAM_SPAN("twofold")), 2);
  CHECK_INT(tam_names_find(NAMES, TAM_SPAN("Three")), 3);
  CHECK_INT(tam_names_find(NAMES, TAM_SPAN("three")), -1);
  CHECK_INT(tam_names_find(NAMES, TAM_SPAN("tw")), -1);
  CHECK_INT(tam_names_find(NAMES, TAM_SPAN("one\0two")), -1);
  CHECK_INT(tam_names_find(NAMES, TAM_SPAN_NONE), -1);
  CHECK_INT(tam_names_find("", TAM_SPAN("one")), -1);
}

static void test_parts(void) {
  CHECK_INT(tam_names_find_end(NAMES, TAM_SPAN("forty-two")), 1);
  CHECK_INT(tam_names_find_end(NAMES, TAM_SPAN("two-")), -1);
  CHECK_INT(tam_names_find_within(NAMES, TAM_SPAN("A TWOFOLD B")), 1);
  CHECK_INT(tam_names_find_within(NAMES, TAM_SPAN("on e")), -1);
}

int main(void) {
  RUN(test_places);
  RUN(test_whole_names);
  RUN(test_parts);
  return check_finish();
}
