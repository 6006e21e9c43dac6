// SPDX-License-Identifier: Apache-2.0
// The manager from outside: which event is legal in which state, what a
// thousand runs leave behind, and the limits of its arguments. Conversations
// are in trace/.
#include "fake_host.h"

#include <math.h>

#define HUB_URL "https://hub.test"

// ---------------------------------------------------------------------------
// States and events

typedef enum state {
  STATE_NOTHING = 0, // no operation
  STATE_SENT,        // a page was asked for
  STATE_BODY,        // its head has come
  STATE_DELAYED,     // it failed and will be asked for again
  STATE_PAUSED,      // the Hub's budget is used up
  STATE_SUPPLIED,    // rows come from the caller
  STATE_CONFIGS,     // a configuration was asked for
  STATE_CONFIG_BODY, // its head has come
  STATE_ENDED,       // the last message is out
  STATE_COUNT
} state;

typedef enum kind {
  KIND_COMMAND = 0, // with the number of the operation
  KIND_OTHER,       // a command with another number
  KIND_ZERO,        // a command with the number 0
  KIND_ROWS,
  KIND_ROWS_END,
  KIND_HEAD, // of the newest request
  KIND_DATA,
  KIND_END,
  KIND_FAIL,
  KIND_STRANGER, // the head of a request that never was
  KIND_TIMER,
  KIND_CANCEL,
  KIND_UNKNOWN, // an event that does not exist
  KIND_LONG,    // a payload above the cap
  KIND_COUNT
} kind;

#define LIST "{\"action\":\"listChatModels\",\"id\":\"a\"}"

static tam_event event_of(kind which, uint32_t request) {
  static const uint8_t much[TAM_EVENT_PAYLOAD_MAX + 1];
  const tam_event events[KIND_COUNT] = {
      [KIND_COMMAND] = {.kind = TAM_EVENT_COMMAND,
                        .op = 1,
                        .payload = TAM_SPAN(LIST)},
      [KIND_OTHER] = {.kind = TAM_EVENT_COMMAND,
                      .op = 2,
                      .payload = TAM_SPAN("{\"action\":\"unknown\"}")},
      [KIND_ZERO] = {.kind = TAM_EVENT_COMMAND, .payload = TAM_SPAN(LIST)},
      [KIND_ROWS] = {.kind = TAM_EVENT_LISTING_DATA,
                     .op = 1,
                     .payload = TAM_SPAN("[")},
      [KIND_ROWS_END] = {.kind = TAM_EVENT_LISTING_END, .op = 1},
      [KIND_HEAD] = {.kind = TAM_EVENT_HTTP_HEAD,
                     .request = request,
                     .status = 200},
      [KIND_DATA] = {.kind = TAM_EVENT_HTTP_DATA,
                     .request = request,
                     .payload = TAM_SPAN("[")},
      [KIND_END] = {.kind = TAM_EVENT_HTTP_END, .request = request},
      [KIND_FAIL] = {.kind = TAM_EVENT_HTTP_FAIL, .request = request},
      [KIND_STRANGER] = {.kind = TAM_EVENT_HTTP_HEAD,
                         .request = 12345,
                         .status = 200},
      [KIND_TIMER] = {.kind = TAM_EVENT_TIMER},
      [KIND_CANCEL] = {.kind = TAM_EVENT_CANCEL, .op = 1},
      [KIND_UNKNOWN] = {.kind = (tam_event_kind)77, .op = 1},
      [KIND_LONG] = {.kind = TAM_EVENT_HTTP_DATA,
                     .request = request,
                     .payload = {much, sizeof(much)}},
  };
  return events[which];
}

static uint32_t newest_request(const fake_host *host) {
  return host->request_count == 0 ? 0
                                  : host->requests[host->request_count - 1].id;
}

static void feed(fake_host *host, tam_event event) {
  CHECK_INT(fake_host_feed(host, &event), 0);
}

static void feed_kind(fake_host *host, kind which) {
  feed(host, event_of(which, newest_request(host)));
}

// Brings a fresh manager into |where|, as operation 1.
static void bring(fake_host *host, state where) {
  tam_event supplied = event_of(KIND_COMMAND, 0);
  supplied.flags = TAM_COMMAND_FLAG_LISTING;
  tam_event row = event_of(KIND_ROWS, 0);
  row.payload = TAM_SPAN("[{\"id\":\"org/one\"}]");
  tam_event refused = {.kind = TAM_EVENT_HTTP_HEAD, .status = 429};
  switch (where) {
  case STATE_NOTHING:
  case STATE_COUNT:
    return;
  case STATE_SUPPLIED:
    feed(host, supplied);
    return;
  case STATE_CONFIGS:
  case STATE_CONFIG_BODY:
    feed(host, supplied);
    feed(host, row);
    feed_kind(host, KIND_ROWS_END);
    break;
  default:
    feed_kind(host, KIND_COMMAND);
  }
  if (where == STATE_BODY || where == STATE_CONFIG_BODY) {
    feed_kind(host, KIND_HEAD);
  } else if (where == STATE_DELAYED) {
    feed_kind(host, KIND_FAIL);
  } else if (where == STATE_PAUSED) {
    refused.request = newest_request(host);
    feed(host, refused);
  } else if (where == STATE_ENDED) {
    feed_kind(host, KIND_CANCEL);
  }
}

// What each event returns in each state, in the order of the kinds: nothing for
// ".", INVALID_STATE for "S", INVALID_ARGUMENT for "A".
static const char *const table[STATE_COUNT] = {
    [STATE_NOTHING] = "..ASS......SAA", [STATE_SENT] = "A.ASS.SS....AA",
    [STATE_BODY] = "A.ASSS......AA",    [STATE_DELAYED] = "A.ASS.......AA",
    [STATE_PAUSED] = "A.ASS.......AA",  [STATE_SUPPLIED] = "A.A.........AA",
    [STATE_CONFIGS] = "A.ASS.SS....AA", [STATE_CONFIG_BODY] = "A.ASSS......AA",
    [STATE_ENDED] = "..ASS......SAA",
};

static int error_of(char letter) {
  return letter == 'S'   ? TAM_ERR_INVALID_STATE
         : letter == 'A' ? TAM_ERR_INVALID_ARGUMENT
                         : 0;
}

typedef struct picture {
  size_t live;
  size_t live_bytes;
  size_t busy;
  double deadline;
} picture;

static picture picture_of(const fake_host *host) {
  picture result = {host->heap.live, host->heap.live_bytes,
                    tam_manager_busy(host->manager),
                    tam_manager_deadline(host->manager, host->now_ms)};
  return result;
}

// Counts what the manager does.
static void count_action(void *user_data, const tam_action *action) {
  size_t *pcount = user_data;
  (void)action;
  (*pcount)++;
}

// An event that is refused, or ignored, changes nothing that can be seen.
static void check_pair(state where, kind which) {
  size_t actions = 0;
  fake_host host = {0};
  host.on_action = count_action;
  host.user_data = &actions;
  CHECK_INT(fake_host_init(&host, HUB_URL), 0);
  bring(&host, where);
  feed_kind(&host, KIND_TIMER); // the host has taken all actions by now
  picture before = picture_of(&host);
  actions = 0;
  tam_event event = event_of(which, newest_request(&host));
  int result = fake_host_feed(&host, &event);
  int expected = error_of(table[where][which]);
  check_count++;
  if (result != expected) {
    check_failures++;
    printf("state %d, event %d: returned %s, expected %s\n", (int)where,
           (int)which, tam_strerror(result), tam_strerror(expected));
  }
  int is_late =
      which >= KIND_HEAD && which <= KIND_FAIL &&
      (where == STATE_DELAYED || where == STATE_PAUSED || where == STATE_ENDED);
  if (expected != 0 || is_late || which == KIND_STRANGER) {
    picture after = picture_of(&host);
    CHECK(memcmp(&before, &after, sizeof(before)) == 0);
    CHECK_INT(actions, 0);
  }
  fake_host_finish(&host);
  fake_host_free(&host);
}

static void test_every_event_in_every_state(void) {
  for (int where = 0; where < STATE_COUNT; where++) {
    for (int which = 0; which < KIND_COUNT; which++) {
      check_pair((state)where, (kind)which);
    }
  }
}

static void test_deletion_in_every_state(void) {
  for (int where = 0; where < STATE_COUNT; where++) {
    fake_host host = {0};
    CHECK_INT(fake_host_init(&host, HUB_URL), 0);
    bring(&host, (state)where);
    fake_host_free(&host);
  }
}

// ---------------------------------------------------------------------------
// Many runs

static void run_listing(fake_host *host, int is_cancelled) {
  tam_event head = event_of(KIND_HEAD, 0);
  tam_event data = event_of(KIND_DATA, 0);
  feed_kind(host, KIND_COMMAND);
  feed_kind(host, KIND_HEAD);
  data.request = newest_request(host);
  data.payload = TAM_SPAN("[{\"id\":\"org/one\"},{\"id\":\"org/two\","
                          "\"config\":{\"model_type\":\"llama\"}}]");
  feed(host, data);
  feed_kind(host, KIND_END);
  head.request = newest_request(host);
  data.request = newest_request(host);
  data.payload = TAM_SPAN("{\"model_type\":\"bert\"}");
  feed(host, head);
  feed(host, data);
  feed_kind(host, is_cancelled ? KIND_CANCEL : KIND_END);
  CHECK_INT(tam_manager_busy(host->manager), 0);
  host->now_ms += 1000;
}

static void test_a_thousand_runs_leave_nothing(void) {
  fake_host host = {0};
  CHECK_INT(fake_host_init(&host, HUB_URL), 0);
  host.now_ms = 1e12; // so that all times have the same number of digits
  run_listing(&host, 0);
  run_listing(&host, 1);
  size_t live = host.heap.live;
  size_t live_bytes = host.heap.live_bytes;
  size_t peak_bytes = host.heap.peak_bytes;
  for (int i = 0; i < 1000; i++) {
    run_listing(&host, i % 2);
  }
  CHECK_INT(host.heap.live, live);
  CHECK_INT(host.heap.live_bytes, live_bytes);
  CHECK_INT(host.heap.peak_bytes, peak_bytes);
  CHECK(tam_manager_deadline(host.manager, host.now_ms) == -1);
  fake_host_finish(&host);
  fake_host_free(&host);
}

// ---------------------------------------------------------------------------
// Arguments

static int error_of_url(const char *url) {
  tam_manager *manager = NULL;
  tam_mem mem = tam_mem_default();
  tam_config config = {tam_span_of(url), {0}};
  int error = tam_manager_new(&manager, &config, &mem);
  tam_manager_del(manager);
  return error;
}

static void test_endpoints(void) {
  static const char *const good[] = {"https://huggingface.co",
                                     "https://huggingface.co/",
                                     "http://localhost:8080", "http://[::1]:1"};
  static const char *const bad[] = {"",
                                    "https://",
                                    "https:///x",
                                    "ftp://hub.test",
                                    "hub.test",
                                    "https://a b",
                                    "https://a?x=1",
                                    "https://a#x",
                                    "https://u@a",
                                    "https://a\\b",
                                    "https://\xc3\xa9",
                                    "HTTPS://hub.test",
                                    "https://a\n"};
  for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
    CHECK_INT(error_of_url(good[i]), 0);
  }
  for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
    CHECK_INT(error_of_url(bad[i]), TAM_ERR_INVALID_ARGUMENT);
  }
  tam_manager_del(NULL);
}

static void test_creation_needs_memory(void) {
  int error = TAM_ERR_OUT_OF_MEMORY;
  for (size_t i = 1; error != 0; i++) {
    fake_host host = {0};
    host.heap.fail_at = i;
    error = fake_host_init(&host, HUB_URL);
    CHECK(error == 0 || error == TAM_ERR_OUT_OF_MEMORY);
    fake_host_free(&host);
  }
}

static void test_input_buffer(void) {
  fake_host host = {0};
  CHECK_INT(fake_host_init(&host, HUB_URL), 0);
  size_t max = TAM_EVENT_RUNTIME_PAYLOAD_MAX;
  CHECK(tam_manager_in_buf(host.manager, max + 1) == NULL);
  CHECK(tam_manager_in_buf(host.manager, max) != NULL);
  uint8_t *at = tam_manager_in_buf(host.manager, TAM_EVENT_PAYLOAD_MAX);
  CHECK(at != NULL);
  memcpy(at, LIST, sizeof(LIST) - 1);
  tam_event event = event_of(KIND_COMMAND, 0);
  event.payload.ptr = at;
  feed(&host, event);
  CHECK_INT(host.request_count, 1);
  fake_host_finish(&host);
  fake_host_free(&host);
}

// Time that runs backwards stands still instead.
static void test_time_does_not_run_backwards(void) {
  fake_host host = {0};
  CHECK_INT(fake_host_init(&host, HUB_URL), 0);
  host.now_ms = 5000;
  feed_kind(&host, KIND_COMMAND);
  host.now_ms = 0;
  feed_kind(&host, KIND_TIMER);
  CHECK(tam_manager_deadline(host.manager, 0) == 10000);
  CHECK(tam_manager_deadline(host.manager, 4000) == 6000);
  CHECK(tam_manager_deadline(host.manager, 10000) == 0);
  CHECK(tam_manager_deadline(host.manager, 20000) == 0);
  // A clock that is broken for a moment.
  host.now_ms = NAN;
  feed_kind(&host, KIND_TIMER);
  host.now_ms = INFINITY;
  feed_kind(&host, KIND_TIMER);
  host.now_ms = 4000;
  feed_kind(&host, KIND_TIMER);
  CHECK(tam_manager_deadline(host.manager, 4000) == 6000);
  host.now_ms = 20000;
  fake_host_finish(&host);
  fake_host_free(&host);
}

// The code of the only message.
typedef struct answer {
  char text[4096];
} answer;

static void keep_message(void *user_data, const tam_action *action) {
  answer *kept = user_data;
  if (action->kind == TAM_ACTION_MESSAGE) {
    snprintf(kept->text, sizeof(kept->text), "%.*s", (int)action->first.len,
             (const char *)action->first.ptr);
  }
}

// Each text is within its cap, but together they make no address.
static void test_a_query_that_is_too_long(void) {
  static char command[20000];
  answer last = {{0}};
  fake_host host = {0};
  host.on_action = keep_message;
  host.user_data = &last;
  CHECK_INT(fake_host_init(&host, HUB_URL), 0);
  char blanks[2049];
  memset(blanks, ' ', 2048);
  blanks[2048] = '\0';
  snprintf(command, sizeof(command),
           "{\"action\":\"listChatModels\",\"id\":\"a\",\"params\":{\"query\":"
           "{\"search\":\"%s\",\"author\":\"%s\"}}}",
           blanks, blanks);
  tam_event event = event_of(KIND_COMMAND, 0);
  event.payload = tam_span_of(command);
  feed(&host, event);
  CHECK(strstr(last.text, "\"code\":\"invalid_params\"") != NULL);
  CHECK(strstr(last.text, "query") != NULL);
  fake_host_finish(&host);
  fake_host_free(&host);
}

int main(void) {
  RUN(test_every_event_in_every_state);
  RUN(test_deletion_in_every_state);
  RUN(test_a_thousand_runs_leave_nothing);
  RUN(test_endpoints);
  RUN(test_creation_needs_memory);
  RUN(test_input_buffer);
  RUN(test_time_does_not_run_backwards);
  RUN(test_a_query_that_is_too_long);
  return check_finish();
}
