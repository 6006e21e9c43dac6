// SPDX-License-Identifier: Apache-2.0
// Small documents as a tree: what is read, what is refused, and that
// no failed allocation leaks.
#include "core/json_tree.h"

#include "check.h"

typedef struct fixture {
  check_heap heap;
  tam_mem mem;
  tam_json_node *root;
} fixture;

static int parse(fixture *f, tam_span text) {
  memset(f, 0, sizeof(*f));
  f->mem = check_heap_mem(&f->heap);
  return tam_json_tree_parse(&f->root, text, &f->mem);
}

static void finish(fixture *f) {
  tam_json_tree_free(f->root, &f->mem);
  CHECK_INT(f->heap.live, 0);
}

static const tam_json_node *member(const tam_json_node *object,
                                   const char *key) {
  return tam_json_get_member(object, tam_span_of(key));
}

static void kinds_and_values(void) {
  fixture f;
  CHECK_INT(parse(&f, TAM_SPAN("{\"text\":\"h\\u00e9\\ud83d\\ude00\\n\","
                               "\"number\":-2.5e1,\"yes\":true,\"no\":false,"
                               "\"none\":null,\"list\":[1,[2]],\"map\":{}}")),
            0);
  CHECK_INT(tam_json_get_kind(f.root), TAM_JSON_KIND_OBJECT);
  CHECK_SPAN(tam_json_get_string(member(f.root, "text")),
             "h\xc3\xa9\xf0\x9f\x98\x80\n");
  CHECK(tam_json_get_number(member(f.root, "number")) == -25.0);
  CHECK_INT(tam_json_get_kind(member(f.root, "number")), TAM_JSON_KIND_NUMBER);
  CHECK_INT(tam_json_get_bool(member(f.root, "yes")), 1);
  CHECK_INT(tam_json_get_bool(member(f.root, "no")), 0);
  CHECK_INT(tam_json_get_kind(member(f.root, "no")), TAM_JSON_KIND_BOOL);
  CHECK_INT(tam_json_get_kind(member(f.root, "none")), TAM_JSON_KIND_NULL);
  CHECK_INT(tam_json_get_kind(member(f.root, "list")), TAM_JSON_KIND_ARRAY);
  CHECK_INT(tam_json_get_kind(member(f.root, "map")), TAM_JSON_KIND_OBJECT);
  finish(&f);
}

static void missing_values(void) {
  fixture f;
  CHECK_INT(parse(&f, TAM_SPAN("{\"a\":\"text\"}")), 0);
  const tam_json_node *missing = member(member(f.root, "b"), "c");
  CHECK(missing == NULL);
  CHECK_INT(tam_json_get_kind(missing), TAM_JSON_KIND_MISSING);
  CHECK_INT(tam_json_get_string(missing).len, 0);
  CHECK(tam_json_get_first(missing) == NULL);
  CHECK(tam_json_get_next(missing) == NULL);
  CHECK(tam_json_get_number(member(f.root, "a")) == 0.0);
  CHECK_INT(tam_json_get_bool(member(f.root, "a")), 0);
  CHECK_INT(tam_json_get_string(f.root).len, 0);
  finish(&f);
}

static void members_are_case_sensitive_and_last_wins(void) {
  fixture f;
  CHECK_INT(parse(&f, TAM_SPAN("{\"key\":1,\"KEY\":2,\"key\":3,\"ke\":4}")), 0);
  CHECK(tam_json_get_number(member(f.root, "key")) == 3.0);
  CHECK(tam_json_get_number(member(f.root, "KEY")) == 2.0);
  CHECK(tam_json_get_number(member(f.root, "ke")) == 4.0);
  CHECK(member(f.root, "Key") == NULL);
  finish(&f);
}

static void iteration(void) {
  fixture f;
  CHECK_INT(parse(&f, TAM_SPAN(" {\"a\":[10,20,30],\"b\":0} ")), 0);
  double sum = 0;
  const tam_json_node *list = tam_json_get_first(f.root);
  CHECK_SPAN(tam_json_get_key(list), "a");
  for (const tam_json_node *i = tam_json_get_first(list); i != NULL;
       i = tam_json_get_next(i)) {
    sum += tam_json_get_number(i);
    CHECK_INT(tam_json_get_key(i).len, 0);
  }
  CHECK(sum == 60.0);
  CHECK_SPAN(tam_json_get_key(tam_json_get_next(list)), "b");
  finish(&f);
}

static void refused_documents(void) {
  static const struct {
    const char *text;
    int error;
  } cases[] = {
      {"", TAM_ERR_JSON_TRUNCATED},
      {"{\"a\":1", TAM_ERR_JSON_TRUNCATED},
      {"{\"a\":1} x", TAM_ERR_JSON_SYNTAX},
      {"[1,]", TAM_ERR_JSON_SYNTAX},
      {"[01]", TAM_ERR_JSON_SYNTAX},
      {"[\"a\tb\"]", TAM_ERR_JSON_SYNTAX},
      {"[\"\xff\"]", TAM_ERR_JSON_UTF8},
  };
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
    fixture f;
    CHECK_INT(parse(&f, tam_span_of(cases[i].text)), cases[i].error);
    CHECK_INT(f.heap.live, 0);
  }
}

static void raw_nul_is_refused(void) {
  fixture f;
  CHECK_INT(parse(&f, TAM_SPAN("[\"a\0b\"]")), TAM_ERR_JSON_SYNTAX);
  CHECK_INT(parse(&f, TAM_SPAN("[1]\0")), TAM_ERR_JSON_SYNTAX);
}

static void text_that_no_c_string_holds_is_replaced(void) {
  static const struct {
    const char *text;
    const char *value;
  } cases[] = {
      {"[\"ab\\u0000\"]", "ab\x01"},
      {"[\"\\u0000\\u0000c\"]", "\x01\x01"
                                "c"},
      {"[\"\\ud800\"]", "\xef\xbf\xbd"},
      {"[\"\\uDBFF\\u0041\"]", "\xef\xbf\xbd"
                               "A"},
      {"[\"\\ud800\\ud83d\\ude00\"]", "\xef\xbf\xbd\xf0\x9f\x98\x80"},
      {"[\"\\ud83d\\ude00\\uDE00\"]", "\xf0\x9f\x98\x80\xef\xbf\xbd"},
      {"[\"\\ufffd\\u00e9\"]", "\xef\xbf\xbd\xc3\xa9"},
  };
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
    fixture f;
    CHECK_INT(parse(&f, tam_span_of(cases[i].text)), 0);
    CHECK(strcmp(tam_json_get_text(tam_json_get_first(f.root)),
                 cases[i].value) == 0);
    finish(&f);
  }
}

static void escaped_backslash_is_no_escape(void) {
  fixture f;
  CHECK_INT(parse(&f, TAM_SPAN("[\"\\\\u0000\\\\\\\\ud800\"]")), 0);
  CHECK_SPAN(tam_json_get_string(tam_json_get_first(f.root)),
             "\\u0000\\\\ud800");
  finish(&f);
}

static void depth_is_capped(void) {
  char text[2 * (TAM_JSON_TREE_DEPTH_MAX + 1)];
  size_t depth = TAM_JSON_TREE_DEPTH_MAX;
  fixture f;
  memset(text, '[', depth);
  memset(text + depth, ']', depth);
  tam_span document = {(const uint8_t *)text, 2 * depth};
  CHECK_INT(parse(&f, document), 0);
  finish(&f);
  memset(text, '[', depth + 1);
  memset(text + depth + 1, ']', depth + 1);
  document.len = 2 * depth + 2;
  CHECK_INT(parse(&f, document), TAM_ERR_JSON_DEPTH);
  CHECK_INT(f.heap.live, 0);
}

static void length_is_capped(void) {
  static char text[TAM_JSON_TREE_LEN_MAX + 1];
  fixture f;
  memset(text, ' ', sizeof(text));
  text[0] = '1';
  tam_span document = {(const uint8_t *)text, sizeof(text)};
  CHECK_INT(parse(&f, document), TAM_ERR_TOO_LARGE);
  document.len--;
  CHECK_INT(parse(&f, document), 0);
  finish(&f);
}

// Fails the first, the second, ... allocation until none is left to fail.
static void no_memory(void) {
  tam_span text = TAM_SPAN("{\"a\":[1,\"two\",{\"three\":3.5}],\"b\":null}");
  int error = TAM_ERR_OUT_OF_MEMORY;
  size_t fail_at = 0;
  while (error == TAM_ERR_OUT_OF_MEMORY) {
    check_heap heap = {0};
    tam_mem mem = check_heap_mem(&heap);
    tam_json_node *root = NULL;
    heap.fail_at = ++fail_at;
    error = tam_json_tree_parse(&root, text, &mem);
    CHECK(error == TAM_ERR_OUT_OF_MEMORY || error == 0);
    tam_json_tree_free(root, &mem);
    CHECK_INT(heap.live, 0);
  }
  CHECK(fail_at > 10);
}

int main(void) {
  RUN(kinds_and_values);
  RUN(missing_values);
  RUN(members_are_case_sensitive_and_last_wins);
  RUN(iteration);
  RUN(refused_documents);
  RUN(raw_nul_is_refused);
  RUN(text_that_no_c_string_holds_is_replaced);
  RUN(escaped_backslash_is_no_escape);
  RUN(depth_is_capped);
  RUN(length_is_capped);
  RUN(no_memory);
  return check_finish();
}
