// SPDX-License-Identifier: Apache-2.0
// The resumable JSON scanner: its tokens, what it accepts and rejects and
// where, at every way to cut the input into two, and into single bytes.
#include "check.h"
#include "core/json_scan.h"

#define TEXT_MAX 16

// The tokens of a document in a short form: { } [ ] as they are, t f n for
// literals, k:text; for keys, s:text; for strings and #text; for numbers (! for
// texts that are too long).
typedef struct trace {
  char text[1024];
  size_t len;
  int error;
  double offset;
} trace;

static void trace_add(trace *out, const char *text, size_t len) {
  if (len < sizeof(out->text) - out->len) {
    memcpy(out->text + out->len, text, len);
    out->len += len;
  }
}

static void trace_text(trace *out, tam_json_scan *scan, const char *prefix) {
  tam_span text;
  trace_add(out, prefix, strlen(prefix));
  if (tam_json_scan_text(scan, TEXT_MAX, &text)) {
    trace_add(out, (const char *)text.ptr, text.len);
  } else {
    trace_add(out, "!", 1);
  }
  trace_add(out, ";", 1);
}

static void trace_token(trace *out, tam_json_scan *scan, int token) {
  static const char plain[] = ".....tfn{[}]";
  switch (token) {
  case TAM_JSON_KEY:
    trace_text(out, scan, "k:");
    break;
  case TAM_JSON_STRING:
    trace_text(out, scan, "s:");
    break;
  case TAM_JSON_NUMBER:
    trace_text(out, scan, "#");
    break;
  default:
    trace_add(out, &plain[token + 1], 1);
    break;
  }
}

static int trace_piece(trace *out, tam_json_scan *scan, tam_span piece) {
  int token;
  // A copy of its own size: reading beyond its end is noticed by ASAN.
  uint8_t *copy = malloc(piece.len + 1);
  memcpy(copy, piece.ptr, piece.len);
  tam_json_scan_input(scan, (tam_span){copy, piece.len});
  while ((token = tam_json_scan_next(scan)) > 0) {
    trace_token(out, scan, token);
  }
  free(copy);
  return token;
}

// Scans |text| in pieces of |first|, then |step| bytes.
static trace trace_of(tam_span text, size_t first, size_t step) {
  uint8_t scratch[TEXT_MAX * TAM_JSON_ESCAPE_RATIO];
  tam_json_scan scan;
  trace out = {0};
  size_t at = 0;
  size_t len = first;
  tam_json_scan_init(&scan, scratch, sizeof(scratch));
  while (at < text.len && out.error == 0) {
    tam_span piece = tam_span_head(tam_span_from(text, at), len);
    out.error = trace_piece(&out, &scan, piece);
    at += piece.len;
    len = step;
  }
  if (out.error == 0) {
    out.error = tam_json_scan_end(&scan);
  }
  out.offset = tam_json_scan_offset(&scan);
  return out;
}

// |text| gives |tokens| and |error| at |offset|, however it is cut.
static void check_scan(tam_span text, const char *tokens, int error,
                       double offset) {
  for (size_t first = 1; first <= text.len; first++) {
    for (size_t step = 1; step <= text.len; step += text.len) {
      trace out = trace_of(text, first, step);
      tam_span got = {(const uint8_t *)out.text, out.len};
      CHECK(tam_span_eq(got, tam_span_of(tokens)));
      CHECK_INT(out.error, error);
      CHECK(out.offset == offset);
    }
  }
}

#define ACCEPTED(literal, tokens)                                              \
  check_scan(TAM_SPAN(literal), tokens, 0, (double)sizeof(literal) - 1)
#define REJECTED(literal, tokens, error, offset)                               \
  check_scan(TAM_SPAN(literal), tokens, TAM_ERR_##error, offset)

static void test_tokens(void) {
  ACCEPTED("[]", "[]");
  ACCEPTED("{}", "{}");
  ACCEPTED(" [ 1 , -2.5e+3 ] ", "[#1;#-2.5e+3;]");
  ACCEPTED("{\"a\":true,\"b\":[false,null]}", "{k:a;tk:b;[fn]}");
  ACCEPTED("\t\r\n\"x\" ", "s:x;");
  ACCEPTED("[{},{\"a\":{}},[[]]]", "[{}{k:a;{}}[[]]]");
  ACCEPTED("true", "t");
}

static void test_number_that_ends_the_document(void) {
  // Nothing tells that it is complete but the end, so it is no token.
  ACCEPTED("12", "");
  ACCEPTED("-0.5e-7", "");
  ACCEPTED("0 ", "#0;");
}

static void test_byte_order_mark(void) {
  ACCEPTED("\xef\xbb\xbf[1]", "[#1;]");
  REJECTED("\xef\xbb[1]", "", JSON_SYNTAX, 2);
  REJECTED("\xef\xbb\xbf\xef\xbb\xbf[]", "", JSON_SYNTAX, 3);
  REJECTED("[\xef\xbb\xbf]", "[", JSON_SYNTAX, 1);
  REJECTED("\xef\xbb\xbf", "", JSON_TRUNCATED, 3);
}

static void test_escapes(void) {
  ACCEPTED("[\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"]", "[s:\"\\/\b\f\n\r\t;]");
  ACCEPTED("[\"\\u0041\\u00e9\\u20AC\"]", "[s:A\xc3\xa9\xe2\x82\xac;]");
  ACCEPTED("[\"\\ud83d\\ude00\"]", "[s:\xf0\x9f\x98\x80;]");
  ACCEPTED("{\"\\u006b\":0}", "{k:k;#0;}");
  REJECTED("[\"\\x41\"]", "[", JSON_SYNTAX, 3);
  REJECTED("[\"\\u00g0\"]", "[", JSON_SYNTAX, 6);
}

static void test_lone_surrogates_are_replaced(void) {
  ACCEPTED("[\"\\ud83d\"]", "[s:\xef\xbf\xbd;]");
  ACCEPTED("[\"\\ude00x\"]", "[s:\xef\xbf\xbdx;]");
  ACCEPTED("[\"\\ud83d\\n\"]", "[s:\xef\xbf\xbd\n;]");
  ACCEPTED("[\"\\ud83d\\ud83d\\ude00\"]", "[s:\xef\xbf\xbd\xf0\x9f\x98\x80;]");
}

static void test_utf8(void) {
  ACCEPTED("[\"\xc2\x80\xdf\xbf\"]", "[s:\xc2\x80\xdf\xbf;]");
  ACCEPTED("[\"\xe0\xa0\x80\xed\x9f\xbf\"]", "[s:\xe0\xa0\x80\xed\x9f\xbf;]");
  ACCEPTED("[\"\xf0\x90\x80\x80\xf4\x8f\xbf\xbf\"]",
           "[s:\xf0\x90\x80\x80\xf4\x8f\xbf\xbf;]");
  REJECTED("[\"\x80\"]", "[", JSON_UTF8, 2);
  REJECTED("[\"\xc1\xbf\"]", "[", JSON_UTF8, 2);
  REJECTED("[\"\xe0\x9f\xbf\"]", "[", JSON_UTF8, 3);
  REJECTED("[\"\xed\xa0\x80\"]", "[", JSON_UTF8, 3);
  REJECTED("[\"\xf0\x8f\xbf\xbf\"]", "[", JSON_UTF8, 3);
  REJECTED("[\"\xf4\x90\x80\x80\"]", "[", JSON_UTF8, 3);
  REJECTED("[\"\xf5\x80\x80\x80\"]", "[", JSON_UTF8, 2);
  REJECTED("[\"\xe2\x82\"]", "[", JSON_UTF8, 4);
}

static void test_bad_numbers(void) {
  REJECTED("[01]", "[#0;", JSON_SYNTAX, 2);
  REJECTED("[-]", "[", JSON_SYNTAX, 2);
  REJECTED("[1.]", "[", JSON_SYNTAX, 3);
  REJECTED("[.5]", "[", JSON_SYNTAX, 1);
  REJECTED("[1e]", "[", JSON_SYNTAX, 3);
  REJECTED("[1e+]", "[", JSON_SYNTAX, 4);
  REJECTED("[+1]", "[", JSON_SYNTAX, 1);
  REJECTED("[0x1]", "[#0;", JSON_SYNTAX, 2);
  REJECTED("[NaN]", "[", JSON_SYNTAX, 1);
}

static void test_bad_structure(void) {
  REJECTED("[1,]", "[#1;", JSON_SYNTAX, 3);
  REJECTED("[,1]", "[", JSON_SYNTAX, 1);
  REJECTED("{\"a\":1,}", "{k:a;#1;", JSON_SYNTAX, 7);
  REJECTED("{a:1}", "{", JSON_SYNTAX, 1);
  REJECTED("{\"a\" 1}", "{k:a;", JSON_SYNTAX, 5);
  REJECTED("[1}", "[#1;", JSON_SYNTAX, 2);
  REJECTED("{]", "{", JSON_SYNTAX, 1);
  REJECTED("[] x", "[]", JSON_SYNTAX, 3);
  REJECTED("[\"a\nb\"]", "[", JSON_SYNTAX, 3);
  REJECTED("[tru]", "[", JSON_SYNTAX, 4);
  REJECTED("[\0]", "[", JSON_SYNTAX, 1);
}

static void test_truncation(void) {
  REJECTED(" ", "", JSON_TRUNCATED, 1);
  REJECTED("[1, ", "[#1;", JSON_TRUNCATED, 4);
  REJECTED("[\"a", "[", JSON_TRUNCATED, 3);
  REJECTED("{\"a\":", "{k:a;", JSON_TRUNCATED, 5);
  REJECTED("-", "", JSON_TRUNCATED, 1);
  REJECTED("tru", "", JSON_TRUNCATED, 3);
}

static void test_empty_document_is_truncated(void) {
  trace out = trace_of(TAM_SPAN_NONE, 1, 1);
  CHECK_INT(out.error, TAM_ERR_JSON_TRUNCATED);
}

static void test_text_longer_than_wanted(void) {
  ACCEPTED("[\"0123456789abcdef\"]", "[s:0123456789abcdef;]");
  ACCEPTED("[\"0123456789abcdefg\"]", "[s:!;]");
  ACCEPTED("[\"\\u0030123456789abcdef\"]", "[s:0123456789abcdef;]");
  ACCEPTED("[\"\\u0030123456789abcdefg\"]", "[s:!;]");
  // Longer than the scratch buffer.
  ACCEPTED("[\"0123456789012345678901234567890123456789012345678901234567890"
           "12345678901234567890123456789012345678901234567890\"]",
           "[s:!;]");
}

static void nest(uint8_t *text, size_t depth) {
  memset(text, '[', depth);
  memset(text + depth, ']', depth);
}

static void test_depth(void) {
  static uint8_t text[2 * (TAM_JSON_DEPTH_MAX + 1)];
  tam_json_scan scan;
  size_t depth = TAM_JSON_DEPTH_MAX;
  tam_json_scan_init(&scan, NULL, 0);
  nest(text, depth);
  tam_json_scan_input(&scan, (tam_span){text, 2 * depth});
  while (tam_json_scan_next(&scan) > 0) {
  }
  CHECK_INT(tam_json_scan_end(&scan), 0);
  nest(text, ++depth);
  tam_json_scan_reset(&scan);
  tam_json_scan_input(&scan, (tam_span){text, 2 * depth});
  while (tam_json_scan_next(&scan) > 0) {
  }
  CHECK_INT(tam_json_scan_end(&scan), TAM_ERR_JSON_DEPTH);
  CHECK(tam_json_scan_offset(&scan) == TAM_JSON_DEPTH_MAX);
}

static void test_errors_are_sticky(void) {
  tam_json_scan scan;
  tam_json_scan_init(&scan, NULL, 0);
  tam_json_scan_input(&scan, TAM_SPAN("[}"));
  CHECK_INT(tam_json_scan_next(&scan), TAM_JSON_ARRAY);
  CHECK_INT(tam_json_scan_next(&scan), TAM_ERR_JSON_SYNTAX);
  tam_json_scan_input(&scan, TAM_SPAN("]"));
  CHECK_INT(tam_json_scan_next(&scan), TAM_ERR_JSON_SYNTAX);
  CHECK_INT(tam_json_scan_end(&scan), TAM_ERR_JSON_SYNTAX);
  tam_json_scan_reset(&scan);
  tam_json_scan_input(&scan, TAM_SPAN("[]"));
  CHECK_INT(tam_json_scan_next(&scan), TAM_JSON_ARRAY);
}

// Counts the tokens of {"a":<value>,"b":1} when the value of "a" is skipped,
// with a cut behind |first| bytes.
static int tokens_with_skip(tam_span text, size_t first) {
  tam_json_scan scan;
  int count = 0;
  int token;
  tam_json_scan_init(&scan, NULL, 0);
  for (int i = 0; i < 2; i++) {
    tam_json_scan_input(&scan, i == 0 ? tam_span_head(text, first)
                                      : tam_span_from(text, first));
    while ((token = tam_json_scan_next(&scan)) > 0) {
      count++;
      if (count == 2) {
        CHECK_INT(token, TAM_JSON_KEY);
        tam_json_scan_skip(&scan);
      }
    }
    CHECK_INT(token, 0);
  }
  CHECK_INT(tam_json_scan_end(&scan), 0);
  return count;
}

static void test_skipped_values_are_silent(void) {
  static const char *const texts[] = {
      "{\"a\":1,\"b\":1}",
      "{\"a\":\"\\u0041 long \\n text\",\"b\":1}",
      "{\"a\":{\"x\":[1,{\"y\":{}}],\"z\":null},\"b\":1}",
      "{\"a\":[[],[[2]],{}],\"b\":1}",
      "{\"a\":true,\"b\":1}",
  };
  for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
    tam_span text = tam_span_of(texts[i]);
    for (size_t first = 0; first <= text.len; first++) {
      CHECK_INT(tokens_with_skip(text, first), 5); // { a b 1 }
    }
  }
}

static void test_skipping_the_rest_of_a_container(void) {
  tam_json_scan scan;
  tam_json_scan_init(&scan, NULL, 0);
  tam_json_scan_input(&scan, TAM_SPAN("[[1,[2],{\"a\":3}],4]"));
  CHECK_INT(tam_json_scan_next(&scan), TAM_JSON_ARRAY);
  CHECK_INT(tam_json_scan_next(&scan), TAM_JSON_ARRAY);
  tam_json_scan_skip(&scan);
  CHECK_INT(tam_json_scan_next(&scan), TAM_JSON_NUMBER);
  CHECK_INT(tam_json_scan_next(&scan), TAM_JSON_ARRAY_END);
  CHECK_INT(tam_json_scan_next(&scan), TAM_JSON_MORE);
  CHECK_INT(tam_json_scan_end(&scan), 0);
}

static void test_skipped_values_are_validated(void) {
  tam_json_scan scan;
  tam_json_scan_init(&scan, NULL, 0);
  tam_json_scan_input(&scan, TAM_SPAN("{\"a\":[1,}]}"));
  CHECK_INT(tam_json_scan_next(&scan), TAM_JSON_OBJECT);
  CHECK_INT(tam_json_scan_next(&scan), TAM_JSON_KEY);
  tam_json_scan_skip(&scan);
  CHECK_INT(tam_json_scan_next(&scan), TAM_ERR_JSON_SYNTAX);
}

int main(void) {
  RUN(test_tokens);
  RUN(test_number_that_ends_the_document);
  RUN(test_byte_order_mark);
  RUN(test_escapes);
  RUN(test_lone_surrogates_are_replaced);
  RUN(test_utf8);
  RUN(test_bad_numbers);
  RUN(test_bad_structure);
  RUN(test_truncation);
  RUN(test_empty_document_is_truncated);
  RUN(test_text_longer_than_wanted);
  RUN(test_depth);
  RUN(test_errors_are_sticky);
  RUN(test_skipped_values_are_silent);
  RUN(test_skipping_the_rest_of_a_container);
  RUN(test_skipped_values_are_validated);
  return check_finish();
}
