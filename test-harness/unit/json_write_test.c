// SPDX-License-Identifier: Apache-2.0
// The JSON writer: commas, escapes, numbers; and what it writes is read back
// by the parser.
#include "core/json_tree.h"
#include "core/json_write.h"

#include "check.h"

#include <math.h>

#define TEXT_MAX 1024

typedef struct fixture {
  uint8_t text[TEXT_MAX];
  tam_buf buf;
} fixture;

static void start(fixture *f) {
  tam_buf_init_fixed(&f->buf, f->text, TEXT_MAX);
}

static void nesting_and_commas(void) {
  fixture f;
  start(&f);
  tam_json_write_object_begin(&f.buf);
  tam_json_write_key(&f.buf, "list");
  tam_json_write_array_begin(&f.buf);
  tam_json_write_null(&f.buf);
  tam_json_write_bool(&f.buf, 1);
  tam_json_write_array_begin(&f.buf);
  tam_json_write_array_end(&f.buf);
  tam_json_write_bool(&f.buf, 0);
  tam_json_write_array_end(&f.buf);
  tam_json_write_string_member(&f.buf, "text", TAM_SPAN("a"));
  tam_json_write_key(&f.buf, "raw");
  tam_json_write_raw(&f.buf, TAM_SPAN("{\"b\":1}"));
  tam_json_write_number_member(&f.buf, "last", 2);
  tam_json_write_object_end(&f.buf);
  CHECK_SPAN(tam_buf_span(&f.buf),
             "{\"list\":[null,true,[],false],\"text\":\"a\","
             "\"raw\":{\"b\":1},\"last\":2}");
}

static void numbers(void) {
  static const struct {
    double value;
    const char *text;
  } cases[] = {{0, "0"},
               {-1, "-1"},
               {1234567890123.0, "1234567890123"},
               {9007199254740992.0, "9007199254740992"},
               {-9007199254740992.0, "-9007199254740992"},
               {9007199254740994.0, "null"},
               {0.5, "0.5"},
               {-2.25, "-2.25"},
               {1.9996, "2.0"},
               {NAN, "null"},
               {(double)INFINITY, "null"},
               {-(double)INFINITY, "null"}};
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
    fixture f;
    start(&f);
    tam_json_write_number(&f.buf, cases[i].value);
    int is_equal =
        tam_span_eq(tam_buf_span(&f.buf), tam_span_of(cases[i].text));
    if (!is_equal) {
      printf("%s: %.*s\n", cases[i].text, (int)f.buf.len, f.text);
    }
    CHECK(is_equal);
  }
}

// Every byte below 128, and text beyond, comes back as it was.
static void strings_survive(void) {
  fixture f;
  check_heap heap = {0};
  tam_mem mem = check_heap_mem(&heap);
  uint8_t text[130];
  for (size_t i = 1; i < 128; i++) {
    text[i - 1] = (uint8_t)i;
  }
  memcpy(text + 127, "\xe2\x82\xac", 3);
  tam_span all = {text, sizeof(text)};
  start(&f);
  tam_json_write_string(&f.buf, all);

  tam_json_node *root = NULL;
  CHECK_INT(tam_json_tree_parse(&root, tam_buf_span(&f.buf), &mem), 0);
  CHECK(tam_span_eq(tam_json_get_string(root), all));
  tam_json_tree_free(root, &mem);
  CHECK_INT(heap.live, 0);
}

static void overflow_is_sticky(void) {
  uint8_t text[4];
  tam_buf buf;
  tam_buf_init_fixed(&buf, text, sizeof(text));
  tam_json_write_string(&buf, TAM_SPAN("too long"));
  CHECK_INT(buf.error, TAM_ERR_TOO_LARGE);
}

static void counts_under_a_prefix(void) {
  static const uint32_t counts[] = {3, 0, 4294967295U};
  fixture f;
  start(&f);
  tam_json_write_object_begin(&f.buf);
  tam_json_write_member_begin(&f.buf, "all");
  tam_json_write_counts(&f.buf, "", "a\0b\0", counts);
  tam_json_write_counts(&f.buf, "x.", "a\0b\0c\0", counts);
  tam_json_write_object_end(&f.buf);
  tam_json_write_member_begin(&f.buf, "none");
  tam_json_write_object_end(&f.buf);
  tam_json_write_object_end(&f.buf);
  CHECK_SPAN(tam_buf_span(&f.buf),
             "{\"all\":{\"a\":3,\"b\":0,\"x.a\":3,\"x.b\":0,"
             "\"x.c\":4294967295},\"none\":{}}");
}

int main(void) {
  RUN(nesting_and_commas);
  RUN(numbers);
  RUN(strings_survive);
  RUN(overflow_is_sticky);
  RUN(counts_under_a_prefix);
  return check_finish();
}
