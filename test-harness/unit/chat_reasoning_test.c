// SPDX-License-Identifier: Apache-2.0
// Answers of the families of models, each cut into pieces of every size. In the
// expected text a part of reasoning is in (), a call in [].
#include "chat/reasoning.h"

#include "check.h"

#include <string.h>

// In |text| a special token is between two bytes '\1'.
typedef struct reasoning_case {
  const char *prompt;
  int with_tools;
  const char *text;
  const char *parts;
} reasoning_case;

static const reasoning_case cases[] = {
    {"", 0, "Hello", "Hello"},
    {"", 0, "", ""},
    {"", 0, "<think>\nhm\n</think>\n\nYes", "(hm\n)Yes"},
    {"", 0, "<think></think>Yes", "Yes"},
    {"", 0, "<think>a</think><think>b</think>c", "(ab)c"},
    {"", 0, " \n<think>a</think>b\n<think>c</think>d", " \n(a)b\n(c)d"},
    {"", 0, "<thinking>a</think></thinking>b", "(a</think>)b"},
    {"", 0, "<thought>a</thought>b", "(a)b"},
    {"", 0, "<reasoning>a</reasoning>b", "(a)b"},
    {"", 0, "<seed:think>a</seed:think>b", "(a)b"},
    {"", 0, "[THINK]a[/THINK]b", "(a)b"},
    {"", 0, "<|begin_of_thought|>a<|end_of_thought|>b", "(a)b"},
    {"", 0,
     "\xe2\x97\x81think\xe2\x96\xb7"
     "a\xe2\x97\x81/think\xe2\x96\xb7"
     "b",
     "(a)b"},
    {"", 0, "\1<|START_THINKING|>\1a\1<|END_THINKING|>\1b", "(a)b"},
    {"", 0, "\1<|channel>\1thought\na\1<channel|>\1b", "(a)b"},
    // Prose about tags, and what only looks like one.
    {"", 0, "the <think> tag", "the <think> tag"},
    {"", 0, "<thin", "<thin"},
    {"", 0, "<<think>a</think>", "<<think>a</think>"},
    {"", 0, "<thinker>", "<thinker>"},
    {"", 0, "a </think> b", "a </think> b"},
    {"", 0, "<think>a", "(a)"},
    {"", 0, "<think>a</thin", "(a</thin)"},
    // The prompt has opened the tag.
    {"Assistant: <think>\n", 0, "\nhm</think>\nYes", "(hm)Yes"},
    {"Assistant: <think>\n\n</think>\n\n", 0, "Yes", "Yes"},
    {"[THINK]", 0, "hm[/THINK]Yes", "(hm)Yes"},
    // Calls.
    {"", 1, "Wait. <tool_call>{}</tool_call>\n<tool_call>1</tool_call>",
     "Wait. [<tool_call>{}</tool_call>]\n[<tool_call>1</tool_call>]"},
    {"", 0, "<tool_call>{}</tool_call>", "<tool_call>{}</tool_call>"},
    {"", 0, "a\1[TOOL_CALLS]\1f{}\1[TOOL_CALLS]\1g{}", "a[[TOOL_CALLS]f{}g{}]"},
    {"", 0, "\1<|python_tag|>\1{}", "[<|python_tag|>{}]"},
    // Messages of gpt-oss.
    {"", 0,
     "\1<|channel|>\1analysis\1<|message|>\1hm\1<|end|>\1\1<|start|>\1"
     "assistant\1<|channel|>\1final\1<|message|>\1Yes\1<|return|>\1",
     "(hm)Yes"},
    {"", 0,
     "<|channel|>commentary to=functions.get_time "
     "<|constrain|>json<|message|>{\"zone\":1}<|call|>",
     "[<function=get_time>{\"zone\":1}</function>]"},
    {"", 0, "\1<|channel|>\1commentary\1<|message|>\1I look it up.",
     "I look it up."},
    {"", 0, "\1<|channel|>\1analysis to=browser.find\1<|message|>\1{}",
     "[<function=browser.find>{}</function>]"},
    // A token that is a mark elsewhere is nothing here.
    {"", 0, "a\1<|end|>\1b", "ab"},
};

static void push_marked(tam_reasoning *reasoning, tam_span text, size_t step,
                        tam_text_parts *parts) {
  while (text.len > 0) {
    size_t len = tam_span_find_byte(text, 1);
    for (size_t at = 0; at < len; at += step) {
      size_t rest = len - at < step ? len - at : step;
      tam_reasoning_push(reasoning,
                         tam_span_head(tam_span_from(text, at), rest), parts);
    }
    text = tam_span_from(text, len + 1);
    if (text.len == 0) {
      return;
    }
    len = tam_span_find_byte(text, 1);
    int tag = tam_reasoning_tag_of(tam_span_head(text, len));
    CHECK(tag > 0);
    tam_reasoning_push_tag(reasoning, tag, parts);
    text = tam_span_from(text, len + 1);
  }
}

static void write_parts(const tam_text_parts *parts, tam_buf *out) {
  static const char *const begin[] = {"", "(", "["};
  static const char *const end[] = {"", ")", "]"};
  for (size_t i = 0; i < tam_text_parts_count(parts); i++) {
    tam_text_kind kind;
    tam_span text = tam_text_parts_at(parts, i, &kind);
    CHECK(text.len > 0);
    tam_buf_append_text(out, begin[kind]);
    tam_buf_append(out, text);
    tam_buf_append_text(out, end[kind]);
  }
}

static void check_case(const reasoning_case *a, size_t step) {
  check_heap heap = {0};
  tam_mem mem = check_heap_mem(&heap);
  tam_text_parts parts;
  tam_reasoning reasoning;
  tam_buf out;
  tam_text_parts_init(&parts, &mem, 1000);
  tam_buf_init(&out, &mem, 1000);
  tam_reasoning_init(&reasoning,
                     tam_reasoning_opened_by(tam_span_of(a->prompt)),
                     a->with_tools);
  push_marked(&reasoning, tam_span_of(a->text), step, &parts);
  tam_reasoning_end(&reasoning, &parts);
  write_parts(&parts, &out);
  CHECK_INT(tam_text_parts_error(&parts), 0);
  if (!tam_span_eq(tam_buf_span(&out), tam_span_of(a->parts))) {
    printf("%s: %.*s\n", a->text, (int)out.len, (const char *)out.data);
    CHECK(0);
  }
  tam_buf_free(&out);
  tam_text_parts_free(&parts);
  CHECK_INT(heap.live, 0);
}

static void test_cases(void) {
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
    for (size_t step = 1; step <= 40; step++) {
      check_case(&cases[i], step);
    }
  }
}

// What cannot be a tag is shown at once.
static void test_nothing_is_held_without_need(void) {
  tam_mem mem = tam_mem_default();
  tam_text_parts parts;
  tam_reasoning reasoning;
  tam_text_parts_init(&parts, &mem, 100);
  tam_reasoning_init(&reasoning, 0, 0);
  tam_reasoning_push(&reasoning, TAM_SPAN("if a <"), &parts);
  CHECK_SPAN(tam_buf_span(&parts.text), "if a <");
  tam_reasoning_push(&reasoning, TAM_SPAN("\n<t"), &parts);
  CHECK_SPAN(tam_buf_span(&parts.text), "if a <\n");
  tam_reasoning_push(&reasoning, TAM_SPAN("d>"), &parts);
  CHECK_SPAN(tam_buf_span(&parts.text), "if a <\n<td>");
  tam_text_parts_free(&parts);
}

static void test_tags_of_tokens(void) {
  CHECK_INT(tam_reasoning_tag_of(TAM_SPAN("<|eot_id|>")), 0);
  CHECK_INT(tam_reasoning_tag_of(TAM_SPAN("")), 0);
  CHECK(tam_reasoning_tag_of(TAM_SPAN("</think>")) > 0);
  CHECK(tam_reasoning_tag_of(TAM_SPAN("<|message|>")) > 0);
}

// A header of any length is cut, not written beyond its room.
static void test_long_header(void) {
  tam_mem mem = tam_mem_default();
  tam_text_parts parts;
  tam_reasoning reasoning;
  tam_text_parts_init(&parts, &mem, 100);
  tam_reasoning_init(&reasoning, 0, 0);
  tam_reasoning_push(&reasoning, TAM_SPAN("<|channel|>analysis "), &parts);
  for (int i = 0; i < 1000; i++) {
    tam_reasoning_push(&reasoning, TAM_SPAN("x"), &parts);
  }
  tam_reasoning_push(&reasoning, TAM_SPAN("<|message|>hm"), &parts);
  tam_reasoning_end(&reasoning, &parts);
  tam_text_kind kind;
  CHECK_SPAN(tam_text_parts_at(&parts, 0, &kind), "hm");
  CHECK_INT(kind, TAM_TEXT_REASONING);
  tam_text_parts_free(&parts);
}

int main(void) {
  RUN(test_cases);
  RUN(test_nothing_is_held_without_need);
  RUN(test_tags_of_tokens);
  RUN(test_long_header);
  return check_finish();
}
