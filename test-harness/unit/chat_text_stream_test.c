// SPDX-License-Identifier: Apache-2.0
// A whole answer through all stages, with a decoder made here: an id is a byte,
// 0 has no text, the first blank is stripped, an unfinished character at the
// end is U+FFFD. Real tokenizers are in
// test-harness/differential/text-stream.test.js.
#include "chat/text_stream.h"

#include "check.h"

#define TEXT_MAX 4096

// Behind it letters are capitals: what a window without it says is wrong.
#define SHIFT 1

// Returns the length of the unfinished character at the end of |text|.
static size_t unfinished(const uint8_t *text, size_t len) {
  size_t back = 1;
  while (back <= len && back < 4 && (text[len - back] & 0xc0) == 0x80) {
    back++;
  }
  if (back > len || text[len - back] < 0xc0) {
    return 0;
  }
  uint8_t lead = text[len - back];
  size_t whole = lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
  return back < whole ? back : 0;
}

static tam_span decode(const int32_t *ids, size_t count, uint8_t *text) {
  size_t len = 0;
  int32_t shift = 0;
  for (size_t i = 0; i < count; i++) {
    if (ids[i] == SHIFT) {
      shift = 0x20;
    } else if (ids[i] != 0 && (i > 0 || ids[i] != ' ')) {
      text[len++] = (uint8_t)(ids[i] - shift);
    }
  }
  size_t rest = unfinished(text, len);
  if (rest > 0) {
    len -= rest;
    memcpy(text + len, "\xef\xbf\xbd", 3);
    len += 3;
  }
  return (tam_span){text, len};
}

static int drain(tam_text_stream *stream) {
  static uint8_t text[TEXT_MAX];
  const int32_t *ids;
  size_t count;
  int error = 0;
  while (error == 0 && tam_text_stream_wants(stream, &ids, &count)) {
    error = tam_text_stream_take(stream, decode(ids, count, text));
  }
  return error;
}

static int push_text(tam_text_stream *stream, tam_span text, size_t step) {
  int error = 0;
  for (size_t i = 0; i < text.len && error == 0; i++) {
    error = tam_text_stream_push(stream, text.ptr[i], 0);
    if (error == 0 && (i + 1) % step == 0) {
      error = drain(stream);
    }
  }
  return error;
}

static int finish(tam_text_stream *stream) {
  tam_text_stream_finish(stream);
  int error = drain(stream);
  int end_error = tam_text_stream_end(stream);
  return error != 0 ? error : end_error;
}

// Streams |text| and writes the parts to |out|: a letter for the kind, the text
// and '|'.
static int run(const tam_text_stream_setup *setup, tam_span text, size_t step,
               const tam_mem *mem, tam_buf *out) {
  tam_text_stream stream;
  int error = tam_text_stream_init(&stream, setup, mem);
  if (error == 0) {
    error = push_text(&stream, text, step);
  }
  if (error == 0) {
    error = finish(&stream);
  }
  for (size_t i = 0; i < tam_text_parts_count(&stream.parts); i++) {
    tam_text_kind kind;
    tam_span part = tam_text_parts_at(&stream.parts, i, &kind);
    tam_buf_append_byte(out, (uint8_t) "CRT"[kind]);
    tam_buf_append(out, part);
    tam_buf_append_byte(out, '|');
  }
  tam_text_stream_free(&stream);
  return error;
}

typedef struct stream_case {
  tam_text_stream_setup setup;
  const char *text;
  const char *parts;
} stream_case;

static const tam_span stops[] = {{(const uint8_t *)"STOP", 4},
                                 {(const uint8_t *)"User:", 5}};

static const stream_case cases[] = {
    {{0},
     " Hello , w\xc3\xb6rld \xf0\x9f\x98\x80!",
     "CHello , w\xc3\xb6rld \xf0\x9f\x98\x80!|"},
    {{.cleanup = 1}, "I do n't , you ' re .", "CI don't, you're.|"},
    {{.stops = stops, .stop_count = 2}, "one\nUser: STOP", "Cone\n|"},
    {{.stops = stops, .stop_count = 2}, "one\nUser", "Cone\nUser|"},
    {{0}, "<think>\nhm\n</think>\n\nYes", "Rhm\n|CYes|"},
    {{.opened = 1}, "hm</think>Yes", "Rhm|CYes|"},
    {{.with_tools = 1},
     "a<tool_call>{}</tool_call>",
     "Ca|T<tool_call>{}</tool_call>|"},
    {{.json = 1},
     "<think>{1}</think>So: {\"a\": [1, 2, 3], \"b\"",
     "R{1}|C{\"a\": [1, 2, 3]}|"},
    {{.json = 1}, "{\"a\":1} That is it. {\"b\":2}", "C{\"a\":1}|"},
    {{.json = 1}, "{\"a\":1}\n<think>more</think>", "C{\"a\":1}|"},
    {{.json = 1}, "no", "Cnull|"},
    {{0}, "", ""},
    {{0},
     "a longer text than a window, so that several follow each other "
     "\xe6\xbc\xa2\xe5\xad\x97 and are 漢字 compared.",
     "Ca longer text than a window, so that several follow each other "
     "\xe6\xbc\xa2\xe5\xad\x97 and are 漢字 compared.|"},
    // Broken for good: it comes out in the end.
    {{0}, "ab\xf0\x9f", "Cab\xef\xbf\xbd|"},
};

static void test_cases(void) {
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
    for (size_t step = 1; step <= 70; step++) {
      check_heap heap = {0};
      tam_mem mem = check_heap_mem(&heap);
      uint8_t space[1000];
      tam_buf out;
      tam_buf_init_fixed(&out, space, sizeof(space));
      CHECK_INT(
          run(&cases[i].setup, tam_span_of(cases[i].text), step, &mem, &out),
          0);
      if (!tam_span_eq(tam_buf_span(&out), tam_span_of(cases[i].parts))) {
        printf("%zu/%zu: %.*s\n", i, step, (int)out.len, (char *)out.data);
        CHECK(0);
      }
      CHECK_INT(heap.live, 0);
    }
  }
}

// What is over is known with the token that ends it.
static void test_done(void) {
  tam_mem mem = tam_mem_default();
  tam_text_stream stream;
  tam_text_stream_setup setup = {.stops = stops, .stop_count = 2};
  CHECK_INT(tam_text_stream_init(&stream, &setup, &mem), 0);
  CHECK_INT(push_text(&stream, TAM_SPAN("xSTO"), 1), 0);
  CHECK_INT(tam_text_stream_is_done(&stream), TAM_TEXT_GOES_ON);
  CHECK_INT(push_text(&stream, TAM_SPAN("P and more"), 1), 0);
  CHECK_INT(tam_text_stream_is_done(&stream), TAM_TEXT_STOP_STRING);
  CHECK_INT(finish(&stream), 0);
  CHECK_SPAN(tam_buf_span(&stream.parts.text), "x");
  tam_text_stream_free(&stream);

  setup = (tam_text_stream_setup){.json = 1};
  CHECK_INT(tam_text_stream_init(&stream, &setup, &mem), 0);
  CHECK_INT(push_text(&stream, TAM_SPAN("{\"a\":[]"), 1), 0);
  CHECK_INT(tam_text_stream_is_done(&stream), TAM_TEXT_GOES_ON);
  CHECK_INT(push_text(&stream, TAM_SPAN("}"), 1), 0);
  CHECK_INT(tam_text_stream_is_done(&stream), TAM_TEXT_JSON);
  tam_text_stream_free(&stream);
}

// A tag that is a token comes after all text before it, also after what the
// earlier stages hold back.
static void test_tags(void) {
  static const char *const tokens[] = {"<|channel|>", "<|message|>", "<|end|>"};
  tam_mem mem = tam_mem_default();
  for (size_t step = 1; step <= 30; step++) {
    tam_text_stream stream;
    int tags[3];
    tam_text_stream_setup setup = {
        .cleanup = 1, .stops = stops, .stop_count = 1};
    for (size_t i = 0; i < 3; i++) {
      tags[i] = tam_reasoning_tag_of(tam_span_of(tokens[i]));
    }
    CHECK_INT(tam_text_stream_init(&stream, &setup, &mem), 0);
    for (int turn = 0; turn < 2; turn++) {
      CHECK_INT(tam_text_stream_push(&stream, 0, tags[0]), 0);
      push_text(&stream, turn == 0 ? TAM_SPAN("analysis") : TAM_SPAN("final"),
                step);
      CHECK_INT(tam_text_stream_push(&stream, 0, tags[1]), 0);
      push_text(&stream, TAM_SPAN("hm STO"), step);
      push_text(&stream, TAM_SPAN(" n"), step);
      CHECK_INT(tam_text_stream_push(&stream, 0, tags[2]), 0);
    }
    CHECK_INT(finish(&stream), 0);
    tam_text_kind kind;
    CHECK_INT(tam_text_parts_count(&stream.parts), 2);
    CHECK_SPAN(tam_text_parts_at(&stream.parts, 0, &kind), "hm STO n");
    CHECK_INT(kind, TAM_TEXT_REASONING);
    CHECK_SPAN(tam_text_parts_at(&stream.parts, 1, &kind), "hm STO n");
    CHECK_INT(kind, TAM_TEXT_CONTENT);
    tam_text_stream_free(&stream);
  }
}

// So long a window is not decoded again for each token, but in the end it is.
static void test_tokens_without_text(void) {
  tam_mem mem = tam_mem_default();
  tam_text_stream stream;
  tam_text_stream_setup setup = {0};
  CHECK_INT(tam_text_stream_init(&stream, &setup, &mem), 0);
  for (int i = 0; i < 1000; i++) {
    CHECK_INT(tam_text_stream_push(&stream, 0, 0), 0);
    CHECK_INT(drain(&stream), 0);
  }
  CHECK_INT(push_text(&stream, TAM_SPAN("x"), 1), 0);
  CHECK_INT(tam_text_parts_count(&stream.parts), 0);
  CHECK_INT(finish(&stream), 0);
  CHECK_SPAN(tam_buf_span(&stream.parts.text), "x");
  tam_text_stream_free(&stream);
}

// A decoder that looks further back than any window: the window stays.
static void test_long_memory(void) {
  tam_mem mem = tam_mem_default();
  tam_text_stream stream;
  tam_text_stream_setup setup = {0};
  CHECK_INT(tam_text_stream_init(&stream, &setup, &mem), 0);
  CHECK_INT(tam_text_stream_push(&stream, SHIFT, 0), 0);
  for (int i = 0; i < 40; i++) {
    CHECK_INT(push_text(&stream, TAM_SPAN("abcd"), 1), 0);
  }
  CHECK_INT(finish(&stream), 0);
  CHECK_INT(stream.parts.text.len, 160);
  for (size_t i = 0; i < stream.parts.text.len; i++) {
    CHECK_INT(stream.parts.text.data[i], "ABCD"[i % 4]);
  }
  tam_text_stream_free(&stream);
}

static void test_too_many_stops(void) {
  tam_span many[TAM_STOP_STRINGS_MAX + 1];
  tam_mem mem = tam_mem_default();
  tam_text_stream stream;
  tam_text_stream_setup setup = {.stops = many,
                                 .stop_count = TAM_STOP_STRINGS_MAX + 1};
  for (size_t i = 0; i <= TAM_STOP_STRINGS_MAX; i++) {
    many[i] = TAM_SPAN("x");
  }
  CHECK_INT(tam_text_stream_init(&stream, &setup, &mem), TAM_ERR_TOO_LARGE);
  tam_text_stream_free(&stream);
}

static void test_failing_allocations(void) {
  tam_text_stream_setup setup = {
      .cleanup = 1, .json = 1, .stops = stops, .stop_count = 2};
  tam_span text = TAM_SPAN("<think>hm STO</think> {\"a key\": [1, 2, 3 ]}");
  for (int after = 0; after < 2; after++) {
    int error = TAM_ERR_OUT_OF_MEMORY;
    for (size_t fail_at = 1; error != 0; fail_at++) {
      check_heap heap = {0};
      tam_mem mem = check_heap_mem(&heap);
      uint8_t space[1000];
      tam_buf out;
      tam_buf_init_fixed(&out, space, sizeof(space));
      heap.fail_at = fail_at;
      heap.fail_after = after;
      error = run(&setup, text, 3, &mem, &out);
      CHECK(error == 0 || error == TAM_ERR_OUT_OF_MEMORY);
      CHECK_INT(heap.live, 0);
      CHECK(error != 0 || heap.allocations < fail_at);
      CHECK(fail_at < 100);
    }
  }
}

int main(void) {
  RUN(test_cases);
  RUN(test_done);
  RUN(test_tags);
  RUN(test_tokens_without_text);
  RUN(test_long_memory);
  RUN(test_too_many_stops);
  RUN(test_failing_allocations);
  return check_finish();
}
