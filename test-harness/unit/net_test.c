// SPDX-License-Identifier: Apache-2.0
// The request pool: who may start when, what is tried again, and what the owner
// hears. How long it waits for an answer is in net_timeout_test.c.
#include "net_script.h"

static void test_answer(void) {
  static const step plain[] = {
      {0, "open", 1, 2, "", ""},
      {0, "submit", 1, 7, "", "start:1.7 fetch#1"},
      {50, "head", 1, 200, "", "head:1.7=200"},
      {60, "data", 1, 0, "abc", "data:1.7=abc"},
      {70, "end", 1, 0, "", "end:1.7"},
      {80, "end", 1, 0, "", ""},
  };
  static const step statuses[] = {
      {0, "open", 1, 9, "", ""},
      {0, "submit", 1, 1, "", "start:1.1 fetch#1"},
      {0, "submit", 1, 2, "", "start:1.2 fetch#2"},
      {0, "submit", 1, 3, "", "start:1.3 fetch#3"},
      {0, "submit", 1, 4, "", "start:1.4 fetch#4"},
      {9, "head", 1, 401, "", "head:1.1=401"},
      {9, "head", 2, 403, "", "head:1.2=403"},
      {9, "head", 3, 404, "", "head:1.3=404"},
      {9, "head", 4, 304, "", "head:1.4=304"},
  };
  PLAY(plain);
  PLAY(statuses);
}

static void test_concurrency(void) {
  static const step limited[] = {
      {0, "open", 1, 2, "", ""},
      {0, "submit", 1, 1, "", "start:1.1 fetch#1"},
      {0, "submit", 1, 2, "", "start:1.2 fetch#2"},
      {0, "submit", 1, 3, "", ""},
      {0, "submit", 1, 4, "", ""},
      {10, "head", 2, 200, "", "head:1.2=200"},
      {20, "end", 2, 0, "", "end:1.2 start:1.3 fetch#3"},
      {30, "fail", 1, 0, "reset", "start:1.4 fetch#4"},
      {30, "open", 1, 3, "", ""},
      {200, "wait", 0, 0, "", "start:1.1 fetch#5"},
  };
  static const step fair[] = {
      {0, "open", 1, 1, "", ""},
      {0, "open", 2, 1, "", ""},
      {0, "submit", 1, 1, "", "start:1.1 fetch#1"},
      {0, "submit", 1, 2, "", ""},
      {0, "submit", 2, 1, "", "start:2.1 fetch#2"},
      {0, "submit", 2, 2, "", ""},
      {9, "head", 1, 200, "", "head:1.1=200"},
      {9, "head", 2, 200, "", "head:2.1=200"},
      {9, "end", 2, 0, "", "end:2.1 start:2.2 fetch#3"},
      {9, "end", 1, 0, "", "end:1.1 start:1.2 fetch#4"},
  };
  static const step pages_first[] = {
      {0, "open", 1, 1, "", ""},
      {0, "submit", 1, 1, "", "start:1.1 fetch#1"},
      {0, "submit", 1, 2, "", ""},
      {0, "stream", 1, 3, "", ""},
      {0, "fail", 1, 0, "", "start:1.3 fetch#2"},
      {0, "cancel", 1, 3, "", "start:1.2 abort#2 fetch#3"},
  };
  PLAY(limited);
  PLAY(fair);
  PLAY(pages_first);
}

static void test_transient_errors(void) {
  static const step retried[] = {
      {0, "open", 1, 1, "", ""},
      {0, "submit", 1, 1, "", "start:1.1 fetch#1"},
      {9, "head", 1, 503, "", "abort#1"},
      {9, "end", 1, 0, "", ""},
      {48, "wait", 0, 0, "", ""},
      {120, "wait", 0, 0, "", "start:1.1 fetch#2"},
      {130, "fail", 2, 0, "reset", ""},
      {340, "wait", 0, 0, "", "start:1.1 fetch#3"},
      {350, "head", 3, 200, "", "head:1.1=200"},
      {350, "end", 3, 0, "", "end:1.1"},
  };
  static const step used_up[] = {
      {0, "open", 1, 1, "", ""},
      {0, "submit", 1, 1, "", "start:1.1 fetch#1"},
      {0, "head", 1, 500, "", "abort#1"},
      {200, "wait", 0, 0, "", "start:1.1 fetch#2"},
      {200, "head", 2, 408, "", "abort#2"},
      {400, "wait", 0, 0, "", "start:1.1 fetch#3"},
      {400, "head", 3, 502, "", "failed:1.1=http_status/502 abort#3"},
  };
  static const step no_network[] = {
      {0, "open", 1, 1, "", ""},
      {0, "submit", 1, 1, "", "start:1.1 fetch#1"},
      {0, "fail", 1, 0, "offline", ""},
      {200, "wait", 0, 0, "", "start:1.1 fetch#2"},
      {200, "fail", 2, 0, "offline", ""},
      {400, "wait", 0, 0, "", "start:1.1 fetch#3"},
      {400, "fail", 3, 0, "offline", "failed:1.1=network(offline)"},
  };
  static const step asked_to_wait[] = {
      {0, "open", 1, 1, "", ""},
      {0, "submit", 1, 1, "", "start:1.1 fetch#1"},
      {0, "head", 1, 503, "Retry-After: 5", "abort#1"},
      {4999, "wait", 0, 0, "", ""},
      {5000, "wait", 0, 0, "", "start:1.1 fetch#2"},
      {5000, "head", 2, 503, "Retry-After: 86400", "abort#2"},
      {64999, "wait", 0, 0, "", ""},
      {65000, "wait", 0, 0, "", "start:1.1 fetch#3"},
  };
  PLAY(retried);
  PLAY(used_up);
  PLAY(no_network);
  PLAY(asked_to_wait);
}

static void test_broken_body(void) {
  static const step short_answer[] = {
      {0, "open", 1, 1, "", ""},
      {0, "submit", 1, 1, "", "start:1.1 fetch#1"},
      {9, "head", 1, 200, "", "head:1.1=200"},
      {9, "data", 1, 0, "half", "data:1.1=half"},
      {9, "fail", 1, 0, "reset", "restart:1.1"},
      {200, "wait", 0, 0, "", "start:1.1 fetch#2"},
      {200, "head", 2, 200, "", "head:1.1=200"},
      {200, "data", 1, 0, "late", ""},
      {200, "data", 2, 0, "whole", "data:1.1=whole"},
      {200, "end", 2, 0, "", "end:1.1"},
  };
  static const step streamed[] = {
      {0, "open", 1, 1, "", ""},
      {0, "stream", 1, 1, "", "start:1.1 fetch#1"},
      {0, "head", 1, 200, "", "head:1.1=200"},
      {0, "fail", 1, 0, "reset", "restart:1.1"},
      {200, "wait", 0, 0, "", "start:1.1 fetch#2"},
      {200, "head", 2, 200, "", "head:1.1=200"},
      {200, "fail", 2, 0, "reset", "restart:1.1"},
      {400, "wait", 0, 0, "", "start:1.1 fetch#3"},
      {400, "head", 3, 200, "", "head:1.1=200"},
      {400, "fail", 3, 0, "reset", "failed:1.1=network(reset)"},
  };
  PLAY(short_answer);
  PLAY(streamed);
}

static void test_rate_limit(void) {
  static const step refused[] = {
      {0, "open", 1, 2, "", ""},
      {0, "submit", 1, 1, "", "start:1.1 fetch#1"},
      {0, "submit", 1, 2, "", "start:1.2 fetch#2"},
      {0, "submit", 1, 3, "", ""},
      {9, "head", 1, 429, WINDOW(0, 60),
       "refused:1.1 limited:1:resolvers abort#1"},
      {9, "head", 2, 429, WINDOW(0, 60), "refused:1.2 abort#2"},
      {60000, "wait", 0, 0, "", ""},
      // The refused ones go first.
      {60300, "wait", 0, 0, "", "start:1.2 fetch#3"},
      {60400, "head", 3, 200, WINDOW(9, 300), "head:1.2=200 start:1.1 fetch#4"},
      {60400, "end", 3, 0, "", "end:1.2 start:1.3 fetch#5"},
  };
  static const step emptied[] = {
      {0, "open", 1, 9, "", ""},
      {0, "submit", 1, 1, "", "start:1.1 fetch#1"},
      {9, "head", 1, 200, WINDOW(1, 60), "head:1.1=200"},
      {9, "end", 1, 0, "", "end:1.1"},
      {9, "submit", 1, 2, "", "start:1.2 fetch#2"},
      {9, "submit", 1, 3, "", ""},
      {9, "head", 2, 200, WINDOW(0, 60), "head:1.2=200 limited:1:resolvers"},
      {9, "end", 2, 0, "", "end:1.2"},
      // The other bucket is not concerned.
      {9, "stream", 1, 4, "", "start:1.4 fetch#3"},
      {9, "fail", 3, 0, "", ""},
      {9, "cancel", 1, 4, "", ""},
      {60300, "wait", 0, 0, "", "start:1.3 fetch#4"},
  };
  static const step shared[] = {
      {0, "open", 1, 9, "", ""},
      {0, "open", 2, 9, "", ""},
      {0, "submit", 1, 1, "", "start:1.1 fetch#1"},
      {9, "head", 1, 429, "", "refused:1.1 limited:1:resolvers abort#1"},
      {9, "submit", 2, 1, "", "limited:2:resolvers"},
      {9, "submit", 2, 2, "", ""},
      {600, "wait", 0, 0, "", "start:2.1 fetch#2"},
      {700, "head", 2, 200, "", "head:2.1=200"},
      // Slowly at first, and in turn.
      {1700, "wait", 0, 0, "", "start:1.1 fetch#3"},
      {2600, "wait", 0, 0, "", "start:2.2 restart:2.1 fetch#4 abort#2"},
  };
  PLAY(refused);
  PLAY(emptied);
  PLAY(shared);
}

static void test_cancel(void) {
  static const step waiting[] = {
      {0, "open", 1, 1, "", ""},   {0, "submit", 1, 1, "", "start:1.1 fetch#1"},
      {0, "submit", 1, 2, "", ""}, {0, "submit", 1, 3, "", ""},
      {0, "cancel", 1, 2, "", ""}, {0, "cancel", 1, 9, "", ""},
      {0, "cancel", 9, 1, "", ""}, {0, "fail", 1, 0, "", "start:1.3 fetch#2"},
  };
  static const step sent[] = {
      {0, "open", 1, 1, "", ""},
      {0, "submit", 1, 1, "", "start:1.1 fetch#1"},
      {0, "submit", 1, 2, "", ""},
      {0, "cancel", 1, 1, "", "start:1.2 abort#1 fetch#2"},
      {0, "head", 1, 200, "", ""},
      {0, "head", 2, 200, "", "head:1.2=200"},
      {0, "cancel", 1, 2, "", "abort#2"},
      {0, "data", 2, 0, "x", ""},
      {0, "end", 2, 0, "", ""},
  };
  static const step delayed[] = {
      {0, "open", 1, 1, "", ""},
      {0, "submit", 1, 1, "", "start:1.1 fetch#1"},
      {0, "fail", 1, 0, "", ""},
      {0, "cancel", 1, 1, "", ""},
      {9000, "wait", 0, 0, "", ""},
  };
  static const step closed[] = {
      {0, "open", 1, 3, "", ""},
      {0, "open", 2, 3, "", ""},
      {0, "submit", 1, 1, "", "start:1.1 fetch#1"},
      {0, "submit", 1, 2, "", "start:1.2 fetch#2"},
      {0, "submit", 2, 1, "", "start:2.1 fetch#3"},
      {0, "submit", 1, 3, "", "start:1.3 fetch#4"},
      {0, "submit", 1, 4, "", ""},
      {0, "fail", 2, 0, "", "start:1.4 fetch#5"},
      {0, "close", 1, 0, "", "abort#1 abort#4 abort#5"},
      {0, "close", 7, 0, "", ""},
      {9, "head", 3, 200, "", "head:2.1=200"},
      {9000, "end", 3, 0, "", "end:2.1"},
  };
  PLAY(waiting);
  PLAY(sent);
  PLAY(delayed);
  PLAY(closed);
}

// A fetch that the host has not taken yet is taken back, not aborted.
static void test_cancel_before_fetch(void) {
  world w;
  tam_net_report report;
  CHECK_INT(world_init(&w, 0), 0);
  CHECK_INT(tam_net_open_op(w.net, 1, 1), 0);
  CHECK_INT(submit(&w, 1, 1, 0), 0);
  tam_net_advance(w.net, 0, &report);
  CHECK_INT(report.kind, TAM_NET_STARTED);
  tam_net_cancel(w.net, 1, 1);
  CHECK(tam_action_queue_pop(&w.queue) == NULL);
  world_free(&w);
}

// A request that is gone stays in memory until the host took its abort, and
// no longer; its token is gone at once.
static void test_memory_of_aborted(void) {
  world w;
  CHECK_INT(world_init(&w, 0), 0);
  CHECK_INT(tam_net_open_op(w.net, 1, 1), 0);
  CHECK_INT(submit(&w, 1, 1, 0), 0);
  tam_net_report report;
  tam_net_advance(w.net, 0, &report);
  const tam_action *fetch = tam_action_queue_pop(&w.queue);
  tam_span headers = fetch->second;
  CHECK_SPAN(headers, "authorization: Bearer secret\r\n");
  tam_net_close_op(w.net, 1);
  CHECK_INT(w.heap.live, 2);
  for (size_t i = 0; i < headers.len; i++) {
    CHECK_INT(headers.ptr[i], 0);
  }
  const tam_action *abort = tam_action_queue_pop(&w.queue);
  CHECK_INT(abort->kind, TAM_ACTION_ABORT);
  tam_net_advance(w.net, 0, &report);
  CHECK_INT(w.heap.live, 1);
  world_free(&w);
}

// However long a server refuses everything, it is asked once per window.
static void test_refused_for_ever(void) {
  world w;
  CHECK_INT(world_init(&w, 0), 0);
  CHECK_INT(tam_net_open_op(w.net, 1, 1), 0);
  CHECK_INT(submit(&w, 1, 1, 0), 0);
  settle(&w);
  double longest_ms = 0;
  for (uint32_t attempt = 1; attempt <= 100; attempt++) {
    double sent_ms = w.now_ms;
    w.log_len = 0;
    CHECK_INT(feed(&w, "head", attempt, 429, ""), 0);
    settle(&w);
    w.now_ms = tam_net_deadline(w.net);
    settle(&w);
    CHECK(strstr(w.log, "start:1.1") != NULL);
    longest_ms =
        w.now_ms - sent_ms > longest_ms ? w.now_ms - sent_ms : longest_ms;
  }
  CHECK(longest_ms >= 300000 && longest_ms < 300300);
  tam_net_close_op(w.net, 1);
  settle(&w);
  world_free(&w);
}

static void test_deadline(void) {
  world w;
  CHECK_INT(world_init(&w, 0), 0);
  CHECK(tam_net_deadline(w.net) == -1);
  CHECK_INT(tam_net_open_op(w.net, 1, 1), 0);
  CHECK_INT(submit(&w, 1, 1, 0), 0);
  CHECK_INT(submit(&w, 1, 2, 0), 0);
  CHECK(tam_net_deadline(w.net) == 0);
  settle(&w);
  // The slot is taken: only the timeout is to come.
  CHECK(tam_net_deadline(w.net) == 2000);
  w.now_ms = 100;
  CHECK_INT(feed(&w, "head", 1, 429, WINDOW(0, 60)), 0);
  settle(&w);
  double resume_ms = tam_net_deadline(w.net);
  CHECK(resume_ms >= 60100 && resume_ms <= 60300);
  w.now_ms = resume_ms;
  settle(&w);
  world_free(&w);
}

static void test_illegal(void) {
  world w;
  CHECK_INT(world_init(&w, 0), 0);
  CHECK_INT(submit(&w, 1, 1, 0), TAM_ERR_INVALID_STATE);
  CHECK_INT(submit(&w, 0, 1, 0), TAM_ERR_INVALID_STATE);
  for (uint32_t op = 1; op <= TAM_OPS_MAX; op++) {
    CHECK_INT(tam_net_open_op(w.net, op, 1), 0);
  }
  CHECK_INT(tam_net_open_op(w.net, TAM_OPS_MAX + 1, 1), TAM_ERR_BUSY);
  CHECK_INT(submit(&w, 1, 1, 0), 0);
  settle(&w);
  CHECK_INT(feed(&w, "data", 1, 0, "x"), TAM_ERR_INVALID_STATE);
  CHECK_INT(feed(&w, "end", 1, 0, ""), TAM_ERR_INVALID_STATE);
  CHECK_INT(feed(&w, "head", 1, 200, ""), 0);
  CHECK_INT(feed(&w, "head", 1, 200, ""), TAM_ERR_INVALID_STATE);
  CHECK_INT(feed(&w, "nonsense", 1, 0, ""), TAM_ERR_INVALID_ARGUMENT);
  CHECK_INT(feed(&w, "end", 1, 0, ""), 0);
  static const uint8_t text[TAM_NET_URL_MAX + 1];
  tam_net_request request = {.op = 1, .url = {text, sizeof(text)}};
  CHECK_INT(tam_net_submit(w.net, &request), TAM_ERR_TOO_LARGE);
  request.url.len = 1;
  request.headers = (tam_span){text, TAM_NET_HEADERS_MAX + 1};
  CHECK_INT(tam_net_submit(w.net, &request), TAM_ERR_TOO_LARGE);
  request.headers.len = 0;
  for (int i = 0; i < TAM_NET_REQUESTS_MAX; i++) {
    CHECK_INT(tam_net_submit(w.net, &request), 0);
  }
  CHECK_INT(tam_net_submit(w.net, &request), TAM_ERR_BUSY);
  world_free(&w);
}

// A run with every kind of ending in which the allocation number |fail_at|
// fails. Returns 1 when it did not get that far.
static int run_with_failing_memory(size_t fail_at, int fail_after) {
  world w;
  if (world_init(&w, fail_at) != 0) {
    CHECK_INT(w.heap.live, 0);
    return 0;
  }
  w.heap.fail_after = fail_after;
  CHECK_INT(tam_net_open_op(w.net, 1, 3), 0);
  int submitted = 0;
  for (uint32_t tag = 1; tag <= 40; tag++) {
    int result = submit(&w, 1, tag, tag % 4 == 0);
    CHECK(result == 0 || result == TAM_ERR_OUT_OF_MEMORY);
    submitted += result == 0;
  }
  // Ids are given in order; each gets the answer that its number says.
  for (uint32_t id = 1; id < 100; id++) {
    w.log_len = 0;
    settle(&w);
    w.now_ms += 100;
    static const uint32_t statuses[] = {200, 200, 503, 404, 200, 429, 0};
    uint32_t status = statuses[id % 7];
    if (status != 0) {
      feed(&w, "head", id, status, WINDOW(300, 300));
      feed(&w, "end", id, 0, "");
    } else {
      feed(&w, "fail", id, 0, "");
    }
  }
  tam_net_close_op(w.net, 1);
  int is_done = w.heap.allocations < fail_at;
  CHECK(!is_done || submitted == 40);
  world_free(&w);
  return is_done;
}

static void test_failing_memory(void) {
  for (int fail_after = 0; fail_after <= 1; fail_after++) {
    size_t fail_at = 1;
    while (!run_with_failing_memory(fail_at, fail_after)) {
      fail_at++;
    }
    CHECK(fail_at > 40);
  }
}

int main(void) {
  RUN(test_answer);
  RUN(test_concurrency);
  RUN(test_transient_errors);
  RUN(test_broken_body);
  RUN(test_rate_limit);
  RUN(test_cancel);
  RUN(test_cancel_before_fetch);
  RUN(test_memory_of_aborted);
  RUN(test_refused_for_ever);
  RUN(test_deadline);
  RUN(test_illegal);
  RUN(test_failing_memory);
  return check_finish();
}
