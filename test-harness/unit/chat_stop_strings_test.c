// SPDX-License-Identifier: Apache-2.0
// Stop strings across pieces: which one ends the text, what is held back, the
// caps, and failing allocations.
#include "chat/stop_strings.h"

#include "check.h"

typedef struct stop_case {
  const char *stops; // separated by '|'
  const char *text;
  const char *shown;
  int found;
} stop_case;

static const stop_case cases[] = {
    {"END", "one END two", "one ", 1},
    {"END", "one EN", "one EN", 0},
    {"aab", "aaab", "a", 1},
    {"abab|b", "xab", "xa", 1},  // the one that ends first
    {"bc|abc", "xabc", "x", 1},  // the longest of two
    {"abcd|bc", "abcd", "a", 1}, // although the other began before
    {"\n\n|User:", "hi\nUser:", "hi\n", 1},
    {"\xc3\xa9", "caf\xc3\xa9!", "caf", 1},
    {"\xc3\xa9", "caf\xc3\xa8!", "caf\xc3\xa8!", 0},
    {"", "nothing", "nothing", 0},
    {"a", "a", "", 1},
};

static void add_all(tam_stop_strings *stops, const char *list) {
  tam_span rest = tam_span_of(list);
  while (rest.len > 0) {
    size_t len = tam_span_find_byte(rest, '|');
    CHECK_INT(tam_stop_strings_add(stops, tam_span_head(rest, len)), 0);
    rest = tam_span_from(rest, len + 1);
  }
}

// Pushes |text| in pieces of |step| bytes.
static void check_case(const stop_case *a, size_t step) {
  check_heap heap = {0};
  tam_mem mem = check_heap_mem(&heap);
  tam_stop_strings stops;
  tam_buf out;
  tam_span text = tam_span_of(a->text);
  int found = 0;
  tam_buf_init(&out, &mem, 100);
  tam_stop_strings_init(&stops, &mem);
  add_all(&stops, a->stops);
  for (size_t at = 0; at < text.len; at += step) {
    tam_span piece = tam_span_head(tam_span_from(text, at), step);
    int result = tam_stop_strings_push(&stops, piece, &out);
    CHECK(result >= found); // once found it stays found
    found = result;
  }
  tam_stop_strings_end(&stops, &out);
  CHECK(tam_span_eq(tam_buf_span(&out), tam_span_of(a->shown)));
  CHECK_INT(found, a->found);
  tam_stop_strings_free(&stops);
  tam_buf_free(&out);
  CHECK_INT(heap.live, 0);
}

static void test_cases(void) {
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
    for (size_t step = 1; step <= 12; step++) {
      check_case(&cases[i], step);
    }
  }
}

static void test_nothing_is_held_without_need(void) {
  tam_mem mem = tam_mem_default();
  tam_stop_strings stops;
  tam_buf out;
  tam_buf_init(&out, &mem, 100);
  tam_stop_strings_init(&stops, &mem);
  add_all(&stops, "abcabd");
  CHECK_INT(tam_stop_strings_push(&stops, TAM_SPAN("xxabcab"), &out), 0);
  CHECK_SPAN(tam_buf_span(&out), "xx");
  CHECK_INT(tam_stop_strings_push(&stops, TAM_SPAN("c"), &out), 0);
  CHECK_SPAN(tam_buf_span(&out), "xxabc");
  CHECK_INT(tam_stop_strings_push(&stops, TAM_SPAN("-"), &out), 0);
  CHECK_SPAN(tam_buf_span(&out), "xxabcabc-");
  tam_stop_strings_free(&stops);
  tam_buf_free(&out);
}

// What comes behind end is another text.
static void test_end_cuts(void) {
  tam_mem mem = tam_mem_default();
  tam_stop_strings stops;
  tam_buf out;
  tam_buf_init(&out, &mem, 100);
  tam_stop_strings_init(&stops, &mem);
  add_all(&stops, "ab");
  CHECK_INT(tam_stop_strings_push(&stops, TAM_SPAN("xa"), &out), 0);
  tam_stop_strings_end(&stops, &out);
  CHECK_INT(tam_stop_strings_push(&stops, TAM_SPAN("b"), &out), 0);
  CHECK_SPAN(tam_buf_span(&out), "xab");
  CHECK_INT(tam_stop_strings_push(&stops, TAM_SPAN("ab"), &out), 1);
  CHECK_SPAN(tam_buf_span(&out), "xab");
  tam_stop_strings_free(&stops);
  tam_buf_free(&out);
}

static void test_caps(void) {
  static uint8_t longest[TAM_STOP_STRING_LEN_MAX + 1];
  tam_mem mem = tam_mem_default();
  tam_stop_strings stops;
  memset(longest, 'x', sizeof(longest));
  tam_stop_strings_init(&stops, &mem);
  tam_span text = {longest, sizeof(longest)};
  CHECK_INT(tam_stop_strings_add(&stops, text), TAM_ERR_TOO_LARGE);
  text.len--;
  for (size_t i = 0; i < TAM_STOP_STRINGS_MAX; i++) {
    CHECK_INT(tam_stop_strings_add(&stops, text), 0);
  }
  CHECK_INT(tam_stop_strings_add(&stops, TAM_SPAN("y")), TAM_ERR_TOO_LARGE);
  CHECK_INT(tam_stop_strings_add(&stops, TAM_SPAN("")), 0);
  tam_stop_strings_free(&stops);
}

static void test_failing_allocations(void) {
  for (size_t fail_at = 1; fail_at <= 3; fail_at++) {
    check_heap heap = {0};
    tam_mem mem = check_heap_mem(&heap);
    tam_stop_strings stops;
    tam_buf out;
    heap.fail_at = fail_at;
    tam_buf_init(&out, &mem, 100);
    tam_stop_strings_init(&stops, &mem);
    int error = tam_stop_strings_add(&stops, TAM_SPAN("ab"));
    if (error == 0) {
      error = tam_stop_strings_push(&stops, TAM_SPAN("xa"), &out);
    }
    CHECK(error == TAM_ERR_OUT_OF_MEMORY || out.error != 0);
    tam_stop_strings_free(&stops);
    tam_buf_free(&out);
    CHECK_INT(heap.live, 0);
  }
}

int main(void) {
  RUN(test_cases);
  RUN(test_nothing_is_held_without_need);
  RUN(test_end_cuts);
  RUN(test_caps);
  RUN(test_failing_allocations);
  return check_finish();
}
