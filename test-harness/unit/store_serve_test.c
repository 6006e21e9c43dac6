// SPDX-License-Identifier: Apache-2.0
// The head of the answers that the store serves, against RFC 9110: ranges,
// conditions, methods, types; and which URLs are its business.
#include "store_model.h"

// The graph: two blocks and a part of one.
#define SIZE      2500000
#define SIZE_TEXT "2500000"

typedef struct range_case {
  const char *range;
  unsigned status;
  size_t from; // what is served
  size_t to;
  const char *content_range; // NULL: none
} range_case;

// RFC 9110: 14.1.1 (units), 14.1.2 (byte ranges), 14.2
// (Range), 15.3.7, 15.5.17.
static const range_case ranges[] = {
    {"bytes=0-0", 206, 0, 1, "bytes 0-0/" SIZE_TEXT},
    {"bytes=0-499", 206, 0, 500, "bytes 0-499/" SIZE_TEXT},
    {"bytes=500-999", 206, 500, 1000, "bytes 500-999/" SIZE_TEXT},
    {"bytes=1048575-1048576", 206, 1048575, 1048577,
     "bytes 1048575-1048576/" SIZE_TEXT},
    {"bytes=-500", 206, SIZE - 500, SIZE, "bytes 2499500-2499999/" SIZE_TEXT},
    {"bytes=2499999-", 206, SIZE - 1, SIZE, "bytes 2499999-2499999/" SIZE_TEXT},
    {"bytes=0-", 206, 0, SIZE, "bytes 0-2499999/" SIZE_TEXT},
    {"bytes=2000000-9999999", 206, 2000000, SIZE,
     "bytes 2000000-2499999/" SIZE_TEXT},
    // A suffix that is longer than the file is the file.
    {"bytes=-9999999", 206, 0, SIZE, "bytes 0-2499999/" SIZE_TEXT},
    // Numbers beyond all files are numbers.
    {"bytes=2000000-99999999999999999999999999", 206, 2000000, SIZE,
     "bytes 2000000-2499999/" SIZE_TEXT},
    {"bytes=-99999999999999999999999999", 206, 0, SIZE,
     "bytes 0-2499999/" SIZE_TEXT},
    // Cannot be satisfied.
    {"bytes=2500000-", 416, 0, 0, "bytes */" SIZE_TEXT},
    {"bytes=2500000-2500001", 416, 0, 0, "bytes */" SIZE_TEXT},
    {"bytes=-0", 416, 0, 0, "bytes */" SIZE_TEXT},
    {"bytes=99999999999999999999999999-", 416, 0, 0, "bytes */" SIZE_TEXT},
    // Invalid, or more than the store does: ignored.
    {"bytes=99999999999999999999999999-5", 200, 0, SIZE, NULL},
    {"bytes=5-2", 200, 0, SIZE, NULL},
    {"bytes=", 200, 0, SIZE, NULL},
    {"bytes=-", 200, 0, SIZE, NULL},
    {"bytes=a-b", 200, 0, SIZE, NULL},
    {"bytes=1-2,5-6", 200, 0, SIZE, NULL},
    {"bytes=1-2x", 200, 0, SIZE, NULL},
    {"bytes=+1-2", 200, 0, SIZE, NULL},
    {"bytes=1.0-2", 200, 0, SIZE, NULL},
    {"lines=0-1", 200, 0, SIZE, NULL},
    {"0-1", 200, 0, SIZE, NULL},
    {"", 200, 0, SIZE, NULL},
};

static void expect_status(const store_host *host, unsigned status) {
  char text[64];
  snprintf(text, sizeof(text), "\"status\":%u,", status);
  expect(host->progress, text);
}

static void expect_length(const store_host *host, size_t length) {
  char text[64];
  snprintf(text, sizeof(text), "\"content-length\":%zu", length);
  expect(host->progress, text);
}

static void check_range(store_host *host, const range_case *test) {
  char message[512];
  snprintf(message, sizeof(message), FETCH_WITH(GRAPH, ",\"range\":\"%s\""),
           test->range);
  const hub_file *file = hub_file_of(host, GRAPH);
  expect(store_host_do(host, message), "\"outcome\":\"file\"");
  expect_status(host, test->status);
  expect(host->progress, "\"accept-ranges\":\"bytes\"");
  if (test->content_range != NULL) {
    char text[128];
    snprintf(text, sizeof(text), "\"content-range\":\"%s\"",
             test->content_range);
    expect(host->progress, text);
  } else {
    expect_not(host->progress, "content-range");
  }
  if (test->status != 416) {
    expect_length(host, test->to - test->from);
  }
  CHECK_INT(host->served_len, test->to - test->from);
  CHECK(host->served_len != test->to - test->from || host->served_len == 0 ||
        memcmp(host->served, file->bytes + test->from, host->served_len) == 0);
}

static void serve_begin(store_host *host) {
  model_begin(host, SIZE);
  expect(store_host_do(host, DOWNLOAD), "\"download:done\"");
}

static void test_ranges(void) {
  store_host host;
  serve_begin(&host);
  for (size_t i = 0; i < sizeof(ranges) / sizeof(ranges[0]); i++) {
    check_range(&host, &ranges[i]);
  }
  store_host_free(&host);
}

// Ranges are defined for GET only (RFC 9110, 14.2).
static void test_head(void) {
  store_host host;
  serve_begin(&host);
  store_host_do(&host, FETCH_WITH(GRAPH, ",\"method\":\"HEAD\""));
  expect_status(&host, 200);
  expect_length(&host, SIZE);
  CHECK_INT(host.served_len, 0);
  store_host_do(&host, FETCH_WITH(GRAPH, ",\"method\":\"HEAD\","
                                         "\"range\":\"bytes=0-1\""));
  expect_status(&host, 200);
  expect_length(&host, SIZE);
  store_host_free(&host);
}

// The digest of the bytes, so that who has them needs not read them again.
static void test_condition(void) {
  store_host host;
  serve_begin(&host);
  store_host_do(&host, FETCH(GRAPH));
  const char *etag = strstr(host.progress, "\"etag\":\"\\\"");
  CHECK(etag != NULL);
  char message[512];
  snprintf(message, sizeof(message),
           FETCH_WITH(GRAPH, ",\"range\":\"bytes=0-1\",\"ifNoneMatch\":"
                             "\"\\\"%.64s\\\"\""),
           etag == NULL ? "" : etag + 10);
  expect(store_host_do(&host, message), "\"outcome\":\"file\"");
  expect_status(&host, 304);
  expect(host.progress, "\"etag\"");
  expect_not(host.progress, "content-length");
  CHECK_INT(host.served_len, 0);
  store_host_do(&host, FETCH_WITH(GRAPH, ",\"ifNoneMatch\":\"\\\"x\\\"\""));
  expect_status(&host, 200);
  store_host_free(&host);
}

static void test_types(void) {
  static const char *const types[][2] = {
      {"config.json", "application/json"},
      {GRAPH, "application/octet-stream"},
      {"README.md", "text/plain; charset=utf-8"},
  };
  store_host host;
  serve_begin(&host);
  for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
    char message[512];
    char type[64];
    snprintf(message, sizeof(message), FETCH_WITH("%s", ""), types[i][0]);
    snprintf(type, sizeof(type), "\"content-type\":\"%s\"", types[i][1]);
    expect(store_host_do(&host, message), "\"outcome\":\"file\"");
    expect(host.progress, type);
    expect(host.progress, "\"x-repo-commit\":\"" STORE_HOST_COMMIT "\"");
  }
  store_host_free(&host);
}

// A file without bytes has a head like any other.
static void test_empty_file(void) {
  static const struct {
    const char *range;
    unsigned status;
  } cases[] = {{"", 200}, {"bytes=0-", 416}, {"bytes=0-0", 416}};
  store_host host;
  model_begin(&host, 1000);
  store_host_add_file(&host, "merges.txt", 0, 1, 0);
  expect(store_host_do(&host, DOWNLOAD), "\"download:done\"");
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
    char message[512];
    snprintf(message, sizeof(message),
             FETCH_WITH("merges.txt", ",\"range\":\"%s\""), cases[i].range);
    expect(store_host_do(&host, message), "\"outcome\":\"file\"");
    expect_status(&host, cases[i].status);
    CHECK_INT(host.served_len, 0);
  }
  store_host_free(&host);
}

// What is not stored is downloaded once and served; what nobody has is absent;
// everything else is for the network.
static void test_outcomes(void) {
  static const struct {
    const char *members;
    const char *outcome;
    unsigned fetches; // of files
  } cases[] = {
      {"\"url\":\"" URL("config.json") "\",\"onlyCached\":true", "miss", 0},
      {"\"url\":\"" URL("config.json") "\",\"method\":\"HEAD\"", "pass", 0},
      {"\"url\":\"" URL("config.json") "\",\"range\":\"bytes=0-1\"", "pass", 0},
      {"\"url\":\"" URL("config.json") "\",\"method\":\"POST\"", "pass", 0},
      {"\"url\":\"https://elsewhere.test/a/b/resolve/main/c\"", "pass", 0},
      {"\"url\":\"" STORE_HOST_URL "/api/models/a/b\"", "pass", 0},
      {"\"url\":\"\"", "pass", 0},
      {"\"url\":\"" URL("config.json") "\"", "file", 1},
      {"\"url\":\"" URL("config.json") "\"", "file", 1},
      {"\"url\":\"" URL("config.json") "\",\"range\":\"bytes=0-1\"", "file", 1},
      {"\"url\":\"" URL("none.json") "\"", "absent", 1},
      {"\"url\":\"" URL("none.json") "\",\"onlyCached\":true", "absent", 1},
  };
  store_host host;
  model_begin(&host, 1000);
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
    char message[512];
    char outcome[64];
    snprintf(message, sizeof(message), MESSAGE("fetchFile", "%s"),
             cases[i].members);
    snprintf(outcome, sizeof(outcome), "\"outcome\":\"%s\"", cases[i].outcome);
    expect(store_host_do(&host, message), outcome);
    CHECK_INT(host.file_fetches, cases[i].fetches);
  }
  store_host_free(&host);
}

// A refusal of the Hub is for whoever asked. Whoever did not say who asks may
// have somebody ask who does.
static void test_refused(void) {
  store_host host;
  model_begin(&host, 1000);
  host.api_fault = HUB_FAULT_GATED;
  expect(store_host_do(&host, FETCH("config.json")), "\"outcome\":\"refused\"");
  expect(store_host_do(&host, FETCH_AS("config.json", "hf_own")),
         "\"outcome\":\"pass\"");
  host.api_fault = HUB_FAULT_NONE;
  host.fault = store_host_file_fault;
  host.fault_kind = HUB_FAULT_GATED;
  host.fault_to = UINT32_MAX;
  expect(store_host_do(&host, FETCH("config.json")), "\"outcome\":\"refused\"");
  expect(store_host_do(&host, STORE_FILE("config.json")),
         "\"outcome\":\"refused\"");
  store_host_free(&host);
}

// A file that somebody else will serve is downloaded once, and not served here.
static void test_store_file(void) {
  store_host host;
  model_begin(&host, 1000);
  for (int i = 0; i < 2; i++) {
    expect(store_host_do(&host, STORE_FILE(GRAPH)), "\"outcome\":\"file\"");
    CHECK_INT(host.served_len, 0);
    CHECK_INT(host.file_fetches, 1);
  }
  expect(store_host_do(&host, STORE_FILE("none.json")),
         "\"outcome\":\"absent\"");
  expect(store_host_do(&host, FETCH(GRAPH)), "\"outcome\":\"file\"");
  CHECK_INT(host.served_len, 1000);
  CHECK_INT(host.file_fetches, 1);
  store_host_free(&host);
}

// Without a network there is nothing that could be stored.
static void test_store_file_offline(void) {
  store_host host;
  model_begin(&host, 1000);
  host.api_fault = HUB_FAULT_RESET;
  expect(store_host_do(&host, STORE_FILE(GRAPH)), "\"code\":\"network\"");
  store_host_free(&host);
}

// Two that want the same file at once share one download.
static void test_shared_miss(void) {
  store_host host;
  model_begin(&host, 1000);
  host.order = 1;
  store_host_start(&host, FETCH(GRAPH));
  for (int i = 0; i < 6; i++) {
    store_host_step(&host);
  }
  store_host_start(&host, FETCH(GRAPH));
  store_host_run(&host);
  CHECK_INT(host.file_fetches, 1);
  CHECK_INT(host.served_len, 2000);
  store_host_free(&host);
}

// While another context has the lock, it is looked for the file now and then,
// and nothing is left of a look.
static void test_locked_elsewhere(void) {
  store_host host;
  model_begin(&host, 1000);
  host.is_locked_elsewhere = 1;
  store_host_start(&host, FETCH(GRAPH));
  for (int i = 0; i < 50; i++) {
    store_host_step(&host);
  }
  double from_ms = host.host.now_ms;
  unsigned orders = host.storage_orders;
  size_t live = host.host.heap.live;
  for (int i = 0; i < 500; i++) {
    store_host_step(&host);
  }
  CHECK(host.storage_orders > orders + 50);
  CHECK(host.host.now_ms > from_ms + 60000);
  CHECK(host.host.heap.live < live + 10);
  CHECK_INT(host.fetches, 0);
  host.is_locked_elsewhere = 0;
  store_host_run(&host);
  CHECK_INT(host.file_fetches, 1);
  CHECK_INT(host.served_len, 1000);
  store_host_free(&host);
}

int main(void) {
  RUN(test_ranges);
  RUN(test_head);
  RUN(test_condition);
  RUN(test_types);
  RUN(test_empty_file);
  RUN(test_outcomes);
  RUN(test_refused);
  RUN(test_store_file);
  RUN(test_store_file_offline);
  RUN(test_shared_miss);
  RUN(test_locked_elsewhere);
  return check_finish();
}
