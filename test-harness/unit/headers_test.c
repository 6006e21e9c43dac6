// SPDX-License-Identifier: Apache-2.0
// Header blocks as the Hub, its proxies and an enemy send them.
#include "check.h"

#include "net/headers.h"

static tam_headers parse(const char *block) {
  tam_headers headers;
  tam_headers_parse(tam_span_of(block), &headers);
  return headers;
}

static void test_hub_answer(void) {
  tam_headers headers =
      parse("Content-Type: application/json; charset=utf-8\r\n"
            "RateLimit: \"api\";r=499;t=289\r\n"
            "RateLimit-Policy: \"fixed window\";\"api\";q=500;w=300\r\n"
            "Link: <https://huggingface.co/api/models?limit=100&"
            "cursor=eyJfaWQiOiI2In0%3D>; rel=\"next\"\r\n"
            "X-Error-Code: GatedRepo\r\n");
  CHECK(headers.rate_remaining == 499);
  CHECK(headers.rate_reset_s == 289);
  CHECK(headers.rate_window_s == 300);
  CHECK(headers.retry_after_s == -1);
  CHECK_INT(headers.hub_error, TAM_HUB_ERROR_GATED_REPO);
  CHECK_SPAN(headers.next_url, "https://huggingface.co/api/models?limit=100&"
                               "cursor=eyJfaWQiOiI2In0%3D");
}

static void test_absent(void) {
  tam_headers headers = parse("");
  CHECK(headers.rate_remaining == -1);
  CHECK(headers.rate_reset_s == -1);
  CHECK(headers.rate_window_s == -1);
  CHECK(headers.retry_after_s == -1);
  CHECK_INT(headers.next_url.len, 0);
  CHECK_INT(headers.hub_error, TAM_HUB_ERROR_NONE);
}

static void test_link(void) {
  static const struct {
    const char *block;
    const char *next_url;
  } cases[] = {
      {"link: <a>; rel=next", "a"},
      {"LINK: <a>;REL=Next\n", "a"},
      {"link: <a>;rel=\"next\"\r\n", "a"},
      {"link: <a> ; title=\"x, y; z\" ; rel=\"next\"\r\n", "a"},
      {"link: <p>; rel=\"prev\", <n>; rel=\"next\"\r\n", "n"},
      {"link: <p>; rel=\"prev\"\r\nlink: <n>; rel=\"next\"\r\n", "n"},
      {"link: <a,b;c=d>; rel=\"next\"\r\n", "a,b;c=d"},
      {"link: <a>; rel=\"next\", <b>; rel=\"next\"\r\n", "a"},
      {"link: <a>; rel=\"nextish\"\r\n", ""},
      {"link: <a>; title=\"rel=next\"\r\n", ""},
      {"link: a; rel=next\r\n", ""},
      {"link: <>; rel=next\r\n", ""},
      {"link: <a; rel=next\r\n", ""},
      {"link: <a>; rel=\"next\r\n", ""},
      {"link: <a>\r\n", ""},
      {"linked: <a>; rel=next\r\n", ""},
  };
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
    tam_headers headers = parse(cases[i].block);
    CHECK(tam_span_eq(headers.next_url, tam_span_of(cases[i].next_url)));
  }
}

static void test_rate_limit_forms(void) {
  static const struct {
    const char *block;
    double remaining;
    double reset_s;
  } cases[] = {
      {"ratelimit:\"api\";r=0;t=12", 0, 12},
      {"RateLimit: \"a;r=7\";t=3;r=5", 5, 3},
      {"RateLimit: \"api\"; r=5 ; t=3", 5, 3},
      {"RateLimit: \"first\";r=5;t=3, \"second\";r=1;t=1", 5, 3},
      {"RateLimit: \"api\";r=-1;t=3", -1, 3},
      {"RateLimit: \"api\";r=1e9;t=0x10", -1, -1},
      {"RateLimit: \"api\";r=99999999999999999999;t=", -1, -1},
      {"RateLimit: \"api\";r", -1, -1},
      {"RateLimit: \"api;r=1;t=2", -1, -1},
      {"RateLimit: \"", -1, -1},
      {"RateLimit", -1, -1},
  };
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
    tam_headers headers = parse(cases[i].block);
    CHECK(headers.rate_remaining == cases[i].remaining);
    CHECK(headers.rate_reset_s == cases[i].reset_s);
  }
}

static void test_numbers(void) {
  CHECK(parse("Retry-After: 120\r\n").retry_after_s == 120);
  CHECK(parse("Retry-After: Wed, 21 Oct 2026 07:28:00 GMT").retry_after_s ==
        -1);
  CHECK(parse("Retry-After: soon\r\nRetry-After: 5\r\n").retry_after_s == 5);
  CHECK(parse("Retry-After:\r\n").retry_after_s == -1);
}

static void test_error_codes(void) {
  CHECK_INT(parse("x-error-code: RepoNotFound").hub_error,
            TAM_HUB_ERROR_REPO_NOT_FOUND);
  CHECK_INT(parse("X-Error-Code: RevisionNotFound").hub_error,
            TAM_HUB_ERROR_REVISION_NOT_FOUND);
  CHECK_INT(parse("X-Error-Code: EntryNotFound").hub_error,
            TAM_HUB_ERROR_ENTRY_NOT_FOUND);
  CHECK_INT(parse("X-Error-Code: Other").hub_error, TAM_HUB_ERROR_NONE);
}

int main(void) {
  RUN(test_hub_answer);
  RUN(test_absent);
  RUN(test_link);
  RUN(test_rate_limit_forms);
  RUN(test_numbers);
  RUN(test_error_codes);
  return check_finish();
}
