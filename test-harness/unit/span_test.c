// SPDX-License-Identifier: Apache-2.0
// Text as pointer and length: the borders (empty, too short, too far).
#include "core/span.h"

#include "check.h"

static void equality(void) {
  CHECK(tam_span_eq(TAM_SPAN("abc"), TAM_SPAN("abc")));
  CHECK(!tam_span_eq(TAM_SPAN("abc"), TAM_SPAN("abd")));
  CHECK(!tam_span_eq(TAM_SPAN("abc"), TAM_SPAN("ab")));
  CHECK(tam_span_eq(TAM_SPAN_NONE, TAM_SPAN("")));
  CHECK(!tam_span_eq(TAM_SPAN("Abc"), TAM_SPAN("abc")));
  CHECK(tam_span_eq_nocase(TAM_SPAN("Retry-After"), TAM_SPAN("retry-AFTER")));
  CHECK(!tam_span_eq_nocase(TAM_SPAN("@"), TAM_SPAN("`")));
  CHECK(!tam_span_eq_nocase(TAM_SPAN("abc"), TAM_SPAN("ab")));
  CHECK(!tam_span_eq(TAM_SPAN("12345678 "), TAM_SPAN("12345678.")));
  CHECK(tam_span_is(TAM_SPAN("mit"), "mit"));
  CHECK(tam_span_is(TAM_SPAN(""), ""));
  CHECK(!tam_span_is(TAM_SPAN("mi"), "mit"));
  CHECK(!tam_span_is(TAM_SPAN("mit\0"), "mit"));
  CHECK(!tam_span_is(TAM_SPAN("mix"), "mit"));
}

static void prefixes_and_suffixes(void) {
  CHECK(tam_span_starts_with(TAM_SPAN("onnx/model"), TAM_SPAN("onnx/")));
  CHECK(tam_span_starts_with(TAM_SPAN("a"), TAM_SPAN_NONE));
  CHECK(!tam_span_starts_with(TAM_SPAN("on"), TAM_SPAN("onnx")));
  CHECK(tam_span_ends_with(TAM_SPAN("model.onnx"), TAM_SPAN(".onnx")));
  CHECK(tam_span_ends_with(TAM_SPAN("a"), TAM_SPAN_NONE));
  CHECK(!tam_span_ends_with(TAM_SPAN("onnx"), TAM_SPAN(".onnx")));
}

static void searching(void) {
  CHECK_INT(tam_span_find_nocase(TAM_SPAN("a Next b"), TAM_SPAN("next")), 2);
  CHECK_INT(tam_span_find_nocase(TAM_SPAN("nexnext"), TAM_SPAN("next")), 3);
  CHECK_INT(tam_span_find_nocase(TAM_SPAN("nex"), TAM_SPAN("next")), 3);
  CHECK_INT(tam_span_find_byte(TAM_SPAN("a/b/c"), '/'), 1);
  CHECK_INT(tam_span_find_byte(TAM_SPAN("abc"), '/'), 3);
  CHECK_INT(tam_span_find_byte(TAM_SPAN_NONE, '/'), 0);
}

static void cutting(void) {
  CHECK_SPAN(tam_span_from(TAM_SPAN("abc"), 1), "bc");
  CHECK_SPAN(tam_span_from(TAM_SPAN("abc"), 3), "");
  CHECK_SPAN(tam_span_from(TAM_SPAN("abc"), 9), "");
  CHECK_SPAN(tam_span_head(TAM_SPAN("abc"), 2), "ab");
  CHECK_SPAN(tam_span_head(TAM_SPAN("abc"), 9), "abc");
  CHECK_SPAN(tam_span_trim(TAM_SPAN(" \t a b\r\n")), "a b");
  CHECK_SPAN(tam_span_trim(TAM_SPAN(" \t\r\n")), "");
}

static void whole_numbers(void) {
  double value = -1;
  CHECK(tam_span_to_uint(TAM_SPAN("0"), &value) && value == 0);
  CHECK(tam_span_to_uint(TAM_SPAN("007"), &value) && value == 7);
  CHECK(tam_span_to_uint(TAM_SPAN("9007199254740991"), &value) &&
        value == 9007199254740991.0);
  CHECK(!tam_span_to_uint(TAM_SPAN("9007199254740992"), &value));
  CHECK(!tam_span_to_uint(TAM_SPAN("99999999999999999999999"), &value));
  CHECK(!tam_span_to_uint(TAM_SPAN(""), &value));
  CHECK(!tam_span_to_uint(TAM_SPAN("-1"), &value));
  CHECK(!tam_span_to_uint(TAM_SPAN("1.5"), &value));
  CHECK(!tam_span_to_uint(TAM_SPAN("1 "), &value));
}

// Equal text gives equal hashes, wherever it lies; seed, length and every byte
// count.
static void hashes(void) {
  char copy[] = "xorg/model";
  tam_span moved = {(const uint8_t *)copy + 1, 9};
  uint64_t hash = tam_span_hash(TAM_SPAN("org/model"), 1);
  CHECK(tam_span_hash(moved, 1) == hash);
  CHECK(tam_span_hash(moved, 2) != hash);
  CHECK(tam_span_hash(TAM_SPAN("org/mode"), 1) != hash);
  CHECK(tam_span_hash(TAM_SPAN("org/model\0"), 1) != hash);
  for (size_t i = 1; i < sizeof(copy) - 1; i++) {
    copy[i] ^= 1;
    CHECK(tam_span_hash(moved, 1) != hash);
    copy[i] ^= 1;
  }
}

int main(void) {
  RUN(equality);
  RUN(prefixes_and_suffixes);
  RUN(searching);
  RUN(cutting);
  RUN(whole_numbers);
  RUN(hashes);
  return check_finish();
}
