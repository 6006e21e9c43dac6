// SPDX-License-Identifier: Apache-2.0
// What looks like a token, and into which headers it goes.
#include "check.h"

#include "net/token.h"

static int is_valid(const char *text) {
  return tam_token_is_valid(tam_span_of(text));
}

static void test_shape(void) {
  CHECK(is_valid("hf_a"));
  CHECK(is_valid("hf_AbCdEfGhIjKlMnOpQrStUvWxYz01234567"));
  CHECK(is_valid("hf_oauth_eyJhbGciOiJFZERTQSJ9.eyJz-Y29w_ZSI.QQ"));
  const char *const others[] = {
      "",        "hf_",         "hf",     "HF_a",   "Hf_a",    "api_a",
      " hf_a",   "hf_a ",       "hf_a\n", "hf_a b", "hf_a\r",  "Bearer hf_a",
      "hf_a\"b", "hf_\x7f",     "hf_a/b", "hf_a@b", "hf_a[b",  "hf_a`b",
      "hf_a{b",  "hf_\xc3\xa9", "hf_a:b", "hf_a,b", "hf_a\x01"};
  for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
    CHECK(!is_valid(others[i]));
  }
  CHECK(!tam_token_is_valid((tam_span){(const uint8_t *)"hf_a\0b", 6}));
}

static void test_longest(void) {
  uint8_t text[TAM_TOKEN_MAX + 1];
  memset(text, 'a', sizeof(text));
  memcpy(text, "hf_", 3);
  CHECK(tam_token_is_valid((tam_span){text, TAM_TOKEN_MAX}));
  CHECK(!tam_token_is_valid((tam_span){text, TAM_TOKEN_MAX + 1}));
  tam_token token = {.len = 0};
  uint8_t line[TAM_TOKEN_HEADER_MAX];
  tam_buf header;
  tam_buf_init_fixed(&header, line, sizeof(line));
  tam_token_keep(&token, (tam_span){text, TAM_TOKEN_MAX});
  tam_token_append_header(&token, TAM_SPAN_NONE, &header);
  CHECK_INT(header.error, 0);
  CHECK_INT(header.len, 24 + TAM_TOKEN_MAX);
}

static void check_header(const tam_token *token, tam_span own,
                         const char *expected) {
  uint8_t line[256];
  tam_buf header;
  tam_buf_init_fixed(&header, line, sizeof(line));
  tam_token_append_header(token, own, &header);
  CHECK(tam_span_eq(tam_buf_span(&header), tam_span_of(expected)));
}

static void test_header(void) {
  tam_token token = {.len = 0};
  tam_span own = TAM_SPAN("hf_own");
  check_header(&token, TAM_SPAN_NONE, "");
  check_header(&token, own, "authorization: Bearer hf_own\r\n");
  tam_token_keep(&token, TAM_SPAN("hf_kept_long"));
  tam_token_keep(&token, TAM_SPAN("hf_kept"));
  check_header(&token, TAM_SPAN_NONE, "authorization: Bearer hf_kept\r\n");
  check_header(&token, own, "authorization: Bearer hf_own\r\n");
  tam_token_forget(&token);
  check_header(&token, TAM_SPAN_NONE, "");
  for (size_t i = 0; i < sizeof(token.text); i++) {
    CHECK_INT(token.text[i], 0);
  }
}

static void test_is_within(void) {
  tam_token token = {.len = 0};
  tam_span words = TAM_SPAN("bad header hf_kept hf_own");
  CHECK(!tam_token_is_within(&token, TAM_SPAN_NONE, words));
  tam_token_keep(&token, TAM_SPAN("hf_kept"));
  CHECK(tam_token_is_within(&token, TAM_SPAN_NONE, words));
  CHECK(tam_token_is_within(&token, TAM_SPAN("hf_own"), words));
  CHECK(!tam_token_is_within(&token, TAM_SPAN("hf_ow2"), words));
  CHECK(!tam_token_is_within(&token, TAM_SPAN_NONE, TAM_SPAN("hf_kep")));
  CHECK(!tam_token_is_within(&token, TAM_SPAN_NONE, TAM_SPAN_NONE));
}

int main(void) {
  RUN(test_shape);
  RUN(test_longest);
  RUN(test_header);
  RUN(test_is_within);
  return check_finish();
}
