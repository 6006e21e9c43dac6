// SPDX-License-Identifier: Apache-2.0
// Calls of tools in the forms of the families, and what only looks like one.
#include "chat/tool_calls.h"

#include "chat/python_call.h"

#include "check.h"

typedef struct call_case {
  int with_bare;
  const char *text;
  const char *calls;
  const char *rest;
} call_case;

#define AB "{\"name\":\"f\",\"arguments\":{\"a\": 1}}"

static const call_case cases[] = {
    // Hermes, Qwen.
    {0,
     "<tool_call>\n{\"name\": \"f\", \"arguments\": {\"a\": 1}}\n</tool_call>",
     AB, ""},
    {0,
     "I look. <tool_call>{\"name\":\"f\",\"arguments\":{\"a\": 1}}</tool_call>"
     "<tool_call>{\"arguments\":{},\"name\":\"g\"}</tool_call> Done.",
     AB ",{\"name\":\"g\",\"arguments\":{}}", "I look.  Done."},
    {0, "<tool_call>{\"name\":\"f\",\"arguments\":{\"a\": 1}}", AB, ""},
    {0,
     "<tool_call>{\"name\":\"f\",\"arguments\":\"{\\\"a\\\": 1}\"}</tool_call>",
     AB, ""},
    {0, "<tool_call>{\"name\":\"f\"}</tool_call>",
     "{\"name\":\"f\",\"arguments\":{}}", ""},
    {0, "<tool_call>{\"name\":\"\\ud800\",\"arguments\":{\"x\":\"\\u0000\"}}",
     "{\"name\":\"\\ud800\",\"arguments\":{\"x\":\"\\u0000\"}}", ""},
    {0,
     "<tool_call>{\"name\":1,\"arguments\":[],\"name\":\"f\","
     "\"arguments\":{\"a\": 1}}",
     AB, ""},
    // Llama.
    {0,
     "<|python_tag|>{\"name\":\"f\",\"parameters\":{\"a\": 1}}; "
     "{\"name\":\"g\",\"parameters\":{}}<|eom_id|>",
     AB ",{\"name\":\"g\",\"arguments\":{}}", ""},
    {1, "\n{\"name\":\"f\",\"parameters\":{\"a\": 1}}\n", AB, ""},
    {1,
     "{\"type\":\"function\",\"function\":{\"name\":\"f\","
     "\"parameters\":{\"a\": 1}}}",
     AB, ""},
    {1, "[{\"name\":\"f\",\"arguments\":{\"a\": 1}}]", AB, ""},
    // Mistral.
    {0, "[TOOL_CALLS] [{\"name\":\"f\",\"arguments\":{\"a\": 1}}]", AB, ""},
    {0, "[TOOL_CALLS]f{\"a\": 1}[TOOL_CALLS]g[ARGS]{}",
     AB ",{\"name\":\"g\",\"arguments\":{}}", ""},
    // Functionary, Qwen Coder, what chat/reasoning.h makes of gpt-oss.
    {0, "<function=f>{\"a\": 1}</function>", AB, ""},
    {0,
     "<tool_call>\n<function=f>\n<parameter=a>\n1\n</parameter>\n"
     "<parameter=b>\nx \"y\"\n</parameter>\n</function>\n</tool_call>",
     "{\"name\":\"f\",\"arguments\":{\"a\":1,\"b\":\"x \\\"y\\\"\"}}", ""},
    // Phi, Granite, LFM2.
    {0,
     "<|tool_call|>[{\"name\":\"f\",\"arguments\":{\"a\": 1}}]<|/tool_call|>",
     AB, ""},
    {0,
     "<|tool_call_start|>[f(a=1, b='it\\'s \"x\"', c=[True, None, 1.5]), "
     "g.h(d={'k': -2})]<|tool_call_end|>ok",
     "{\"name\":\"f\",\"arguments\":{\"a\":1,\"b\":\"it's \\\"x\\\"\","
     "\"c\":[true,null,1.5]}},"
     "{\"name\":\"g.h\",\"arguments\":{\"d\":{\"k\":-2}}}",
     "ok"},
    // No calls: everything stays.
    {1, "Hello", "", "Hello"},
    {1, "", "", ""},
    {1, "{\"a\":1}", "", "{\"a\":1}"},
    {1, "{\"name\":\"f\"} is a call", "", "{\"name\":\"f\"} is a call"},
    {0, "{\"name\":\"f\"}", "", "{\"name\":\"f\"}"},
    {0, "<tool_call>{\"name\":\"f\",\"arguments\":{</tool_call>", "",
     "<tool_call>{\"name\":\"f\",\"arguments\":{</tool_call>"},
    {0, "<tool_call>{\"name\":1}</tool_call>", "",
     "<tool_call>{\"name\":1}</tool_call>"},
    {0, "<tool_call>{\"name\":\"f\",\"arguments\":[1]}</tool_call>", "",
     "<tool_call>{\"name\":\"f\",\"arguments\":[1]}</tool_call>"},
    {0, "<tool_call>{\"name\":\"f\",\"arguments\":\"no\"}</tool_call>", "",
     "<tool_call>{\"name\":\"f\",\"arguments\":\"no\"}</tool_call>"},
    {0, "<tool_call>{\"name\":\"f\",\"arguments\":\"{} x\"}</tool_call>", "",
     "<tool_call>{\"name\":\"f\",\"arguments\":\"{} x\"}</tool_call>"},
    {0, "<tool_call>{\"\":1}</tool_call>", "",
     "<tool_call>{\"\":1}</tool_call>"},
    {0, "[TOOL_CALLS][{\"name\":\"f\"},{\"nam\":\"g\"}]", "",
     "[TOOL_CALLS][{\"name\":\"f\"},{\"nam\":\"g\"}]"},
    {0, "<tool_call></tool_call>", "", "<tool_call></tool_call>"},
    {0, "<|python_tag|>print(1)", "", "<|python_tag|>print(1)"},
    {0, "<|tool_call_start|>[f(a=)]", "", "<|tool_call_start|>[f(a=)]"},
    {0, "<|tool_call_start|>[f(a='\\x')]", "",
     "<|tool_call_start|>[f(a='\\x')]"},
    {0, "<|tool_call_start|>[f(a=b)]", "", "<|tool_call_start|>[f(a=b)]"},
    {0, "<|tool_call_start|>[f(1)", "", "<|tool_call_start|>[f(1)"},
    {0, "<function=a b>{}</function>", "", "<function=a b>{}</function>"},
    {0, "<function=f", "", "<function=f"},
};

static size_t read_copy(const call_case *a, tam_buf *calls, tam_buf *rest) {
  // A copy of its own size: reading beyond it is noticed.
  tam_span text = tam_span_of(a->text);
  uint8_t *copy = malloc(text.len + 1);
  memcpy(copy, text.ptr, text.len);
  uint8_t *exact = realloc(copy, text.len > 0 ? text.len : 1);
  text.ptr = exact;
  size_t count = tam_tool_calls_read(text, a->with_bare, calls, rest);
  free(exact);
  return count;
}

static void test_cases(void) {
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
    tam_mem mem = tam_mem_default();
    tam_buf calls;
    tam_buf rest;
    tam_buf_init(&calls, &mem, 1000);
    tam_buf_init(&rest, &mem, 1000);
    tam_buf_append_byte(&calls, '[');
    size_t count = read_copy(&cases[i], &calls, &rest);
    tam_span written = tam_span_from(tam_buf_span(&calls), 1);
    if (!tam_span_eq(written, tam_span_of(cases[i].calls)) ||
        !tam_span_eq(tam_buf_span(&rest), tam_span_of(cases[i].rest))) {
      printf("%s: %.*s and %.*s\n", cases[i].text, (int)calls.len,
             (const char *)calls.data, (int)rest.len, (const char *)rest.data);
      CHECK(0);
    }
    CHECK_INT(count > 0, cases[i].calls[0] != 0);
    tam_buf_free(&calls);
    tam_buf_free(&rest);
  }
}

// Every beginning of every text is read without harm, and what comes out of
// it with and without calls is all of it or JSON.
static void test_every_beginning(void) {
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
    tam_span text = tam_span_of(cases[i].text);
    for (size_t len = 0; len < text.len; len++) {
      uint8_t space[1000];
      uint8_t rest_space[1000];
      tam_buf calls;
      tam_buf rest;
      tam_buf_init_fixed(&calls, space, sizeof(space));
      tam_buf_init_fixed(&rest, rest_space, sizeof(rest_space));
      uint8_t *copy = malloc(len + 1);
      memcpy(copy, text.ptr, len);
      tam_span head = {copy, len};
      tam_buf_append_byte(&calls, '[');
      size_t count =
          tam_tool_calls_read(head, cases[i].with_bare, &calls, &rest);
      CHECK(count > 0 || tam_span_eq(tam_buf_span(&rest), head));
      CHECK(count > 0 || calls.len == 1);
      free(copy);
    }
  }
}

// Returns the number of calls in one whose argument is |depth| lists.
static size_t count_nested(size_t depth) {
  uint8_t text[200];
  uint8_t space[1000];
  tam_buf in;
  tam_buf calls;
  tam_buf rest;
  tam_buf_init_fixed(&in, text, sizeof(text));
  tam_buf_init_fixed(&calls, space, 500);
  tam_buf_init_fixed(&rest, space + 500, 500);
  tam_buf_append_text(&in, "<|tool_call_start|>[f(a=");
  for (size_t i = 0; i < depth * 2; i++) {
    tam_buf_append_byte(&in, i < depth ? '[' : ']');
  }
  tam_buf_append_text(&in, ")]");
  return tam_tool_calls_read(tam_buf_span(&in), 0, &calls, &rest);
}

static void test_deep_nesting(void) {
  CHECK_INT(count_nested(TAM_PYTHON_DEPTH_MAX), 1);
  CHECK_INT(count_nested(TAM_PYTHON_DEPTH_MAX + 1), 0);
}

static void test_failing_allocations(void) {
  for (size_t fail_at = 1; fail_at <= 4; fail_at++) {
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
      check_heap heap = {0};
      tam_mem mem = check_heap_mem(&heap);
      tam_buf calls;
      tam_buf rest;
      heap.fail_at = fail_at;
      tam_buf_init(&calls, &mem, 1000);
      tam_buf_init(&rest, &mem, 1000);
      (void)read_copy(&cases[i], &calls, &rest);
      CHECK(heap.allocations < fail_at || calls.error != 0 || rest.error != 0);
      tam_buf_free(&calls);
      tam_buf_free(&rest);
      CHECK_INT(heap.live, 0);
    }
  }
}

int main(void) {
  RUN(test_cases);
  RUN(test_every_beginning);
  RUN(test_deep_nesting);
  RUN(test_failing_allocations);
  return check_finish();
}
