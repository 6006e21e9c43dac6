// SPDX-License-Identifier: Apache-2.0
// JSON out of answers: what is shown, how it is closed, when it is over.
#include "chat/json_output.h"

#include "check.h"

typedef struct output_case {
  const char *text;
  const char *shown;
  const char *closed;
  tam_json_output_state state;
} output_case;

#define SEARCH   TAM_JSON_OUTPUT_SEARCH
#define OPEN     TAM_JSON_OUTPUT_OPEN
#define COMPLETE TAM_JSON_OUTPUT_COMPLETE
#define BROKEN   TAM_JSON_OUTPUT_BROKEN

static const output_case cases[] = {
    {"", "", "null", SEARCH},
    {"I cannot.", "", "null", SEARCH},
    {"{}", "{}", "{}", COMPLETE},
    {"{} and more {", "{}", "{}", COMPLETE},
    {"```json\n{\"a\":1}\n```", "{\"a\":1}", "{\"a\":1}", COMPLETE},
    {"see [here]: {\"a\":1}", "{\"a\":1}", "{\"a\":1}", COMPLETE},
    {"{ {\"a\":1}", "{\"a\":1}", "{\"a\":1}", COMPLETE},
    // Cut off.
    {"{", "", "null", OPEN},
    {"{\"a", "", "null", OPEN},
    {"{\"a\":", "", "null", OPEN},
    {"{\"a\":\"", "{\"a\":\"", "{\"a\":\"\"}", OPEN},
    {"{\"a\":\"x\\", "{\"a\":\"x", "{\"a\":\"x\"}", OPEN},
    {"{\"a\":\"x\\u00", "{\"a\":\"x", "{\"a\":\"x\"}", OPEN},
    {"{\"a\":\"x\\u00e9", "{\"a\":\"x\\u00e9", "{\"a\":\"x\\u00e9\"}", OPEN},
    {"{\"a\":\"\xc3\xa9", "{\"a\":\"\xc3\xa9", "{\"a\":\"\xc3\xa9\"}", OPEN},
    {"{\"a\":1,", "{\"a\":1", "{\"a\":1}", OPEN},
    {"{\"a\":1,\"b\"", "{\"a\":1", "{\"a\":1}", OPEN},
    {"{\"a\":1,\"b\":tru", "{\"a\":1", "{\"a\":1}", OPEN},
    {"{\"a\":[1,{\"b\":[", "{\"a\":[1,{\"b\":[", "{\"a\":[1,{\"b\":[]}]}",
     OPEN},
    {"{\"a\":{", "{\"a\":{", "{\"a\":{}}", OPEN},
    {"[-", "", "null", OPEN},
    {"[-1", "[-1", "[-1]", OPEN},
    {"[1.", "[1", "[1]", OPEN},
    {"[1e", "[1", "[1]", OPEN},
    {"[[", "[[", "[[]]", OPEN},
    {"[ ", "", "null", OPEN},
    // Lines as they are, in a text.
    {"{\"a\":\"x\n\ny\"\n}", "{\"a\":\"x\\n\\ny\"\n}", "{\"a\":\"x\\n\\ny\"\n}",
     COMPLETE},
    // Broken.
    {"{\"a\":1,}", "{\"a\":1", "{\"a\":1}", BROKEN},
    {"{\"a\":1 \"b\":2}", "{\"a\":1 ", "{\"a\":1 }", BROKEN},
    {"{\"a\":'x'}", "", "null", SEARCH},
    {"{\"a\":\"x\ty\"}", "{\"a\":\"x", "{\"a\":\"x\"}", BROKEN},
    {"{\"a\nb\":1}", "", "null", SEARCH},
    {"{\"a\":\"x\\\ny\"}", "{\"a\":\"x", "{\"a\":\"x\"}", BROKEN},
    {"{\"a\":01}", "{\"a\":0", "{\"a\":0}", BROKEN},
    {"{\"a\":[1}", "{\"a\":[1", "{\"a\":[1]}", BROKEN},
};

static void check_case(const output_case *a, size_t step) {
  check_heap heap = {0};
  tam_mem mem = check_heap_mem(&heap);
  tam_json_output output;
  tam_buf out;
  tam_span text = tam_span_of(a->text);
  tam_json_output_state state = SEARCH;
  tam_buf_init(&out, &mem, 1000);
  tam_json_output_init(&output, &mem);
  for (size_t at = 0; at < text.len; at += step) {
    tam_span piece = tam_span_head(tam_span_from(text, at), step);
    state = tam_json_output_push(&output, piece, &out);
  }
  CHECK_INT(state, a->state);
  CHECK(tam_span_eq(tam_buf_span(&out), tam_span_of(a->shown)));
  tam_json_output_end(&output, &out);
  if (!tam_span_eq(tam_buf_span(&out), tam_span_of(a->closed))) {
    printf("%s: %.*s\n", a->text, (int)out.len, (const char *)out.data);
    CHECK(0);
  }
  tam_json_output_free(&output);
  tam_buf_free(&out);
  CHECK_INT(heap.live, 0);
}

static void test_cases(void) {
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
    for (size_t step = 1; step <= 24; step++) {
      check_case(&cases[i], step);
    }
  }
}

static void push_many(tam_json_output *output, const char *text, size_t count,
                      tam_buf *out) {
  for (size_t i = 0; i < count; i++) {
    tam_json_output_push(output, tam_span_of(text), out);
  }
}

// Deeper than the scanner goes: what was shown is closed.
static void test_too_deep(void) {
  tam_mem mem = tam_mem_default();
  tam_json_output output;
  tam_buf out;
  tam_buf_init(&out, &mem, 10000);
  tam_json_output_init(&output, &mem);
  push_many(&output, "[", TAM_JSON_DEPTH_MAX + 1, &out);
  CHECK_INT(output.state, BROKEN);
  CHECK_INT(out.len, TAM_JSON_DEPTH_MAX);
  tam_json_output_end(&output, &out);
  CHECK_INT(out.len, 2 * TAM_JSON_DEPTH_MAX);
  CHECK_INT(out.data[out.len - 1], ']');
  tam_json_output_free(&output);
  tam_buf_free(&out);
}

// A key without an end is not held for ever.
static void test_long_key(void) {
  tam_mem mem = tam_mem_default();
  tam_json_output output;
  tam_buf out;
  tam_buf_init(&out, &mem, 1000);
  tam_json_output_init(&output, &mem);
  tam_json_output_push(&output, TAM_SPAN("{\"a\":1,\""), &out);
  push_many(&output, "key ", TAM_JSON_OUTPUT_HELD_MAX / 4, &out);
  CHECK_INT(output.state, BROKEN);
  CHECK_INT(output.held.error, TAM_ERR_TOO_LARGE);
  tam_json_output_end(&output, &out);
  CHECK_SPAN(tam_buf_span(&out), "{\"a\":1}");
  tam_json_output_free(&output);
  tam_buf_free(&out);
}

static void test_failing_allocation(void) {
  check_heap heap = {0};
  tam_mem mem = check_heap_mem(&heap);
  tam_json_output output;
  uint8_t space[100];
  tam_buf out;
  heap.fail_at = 1;
  tam_buf_init_fixed(&out, space, sizeof(space));
  tam_json_output_init(&output, &mem);
  tam_json_output_push(&output, TAM_SPAN("{\"a\":1}"), &out);
  CHECK_INT(output.held.error, TAM_ERR_OUT_OF_MEMORY);
  CHECK_INT(output.state, BROKEN);
  tam_json_output_free(&output);
  CHECK_INT(heap.live, 0);
}

int main(void) {
  RUN(test_cases);
  RUN(test_too_deep);
  RUN(test_long_key);
  RUN(test_failing_allocation);
  return check_finish();
}
