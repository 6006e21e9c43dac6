// SPDX-License-Identifier: Apache-2.0
// How long the request pool waits for an answer, and when it asks for a late
// one a second time.
#include "net_script.h"

static void test_timeouts(void) {
  // Two seconds while nothing is known about the server; the last attempt gets
  // all the time that the owner allows.
  static const step short_answer[] = {
      {0, "open", 1, 1, "", ""},
      {0, "submit", 1, 1, "", "start:1.1 fetch#1"},
      {1999, "wait", 0, 0, "", ""},
      {2000, "wait", 0, 0, "", "abort#1"},
      {2001, "head", 1, 200, "", ""},
      {2200, "wait", 0, 0, "", "start:1.1 fetch#2"},
      {2300, "head", 2, 200, "", "head:1.1=200"},
      {4200, "wait", 0, 0, "", "restart:1.1 abort#2"},
      {4500, "wait", 0, 0, "", "start:1.1 fetch#3"},
      {14499, "wait", 0, 0, "", ""},
      {14500, "wait", 0, 0, "", "failed:1.1=timeout abort#3"},
  };
  static const step streamed[] = {
      {0, "open", 1, 1, "", ""},
      {0, "stream", 1, 1, "", "start:1.1 fetch#1"},
      {9000, "head", 1, 200, "", "head:1.1=200"},
      {18000, "data", 1, 0, "a", "data:1.1=a"},
      {27999, "data", 1, 0, "b", "data:1.1=b"},
      {37998, "wait", 0, 0, "", ""},
      {37999, "wait", 0, 0, "", "failed:1.1=timeout abort#1"},
  };
  static const step gateway_timeout[] = {
      {0, "open", 1, 1, "", ""},
      {0, "stream", 1, 1, "", "start:1.1 fetch#1"},
      {9, "head", 1, 504, "", "failed:1.1=http_status/504 abort#1"},
      {9, "submit", 1, 2, "", "start:1.2 fetch#2"},
      {9, "head", 2, 504, "", "abort#2"},
  };
  PLAY(short_answer);
  PLAY(streamed);
  PLAY(gateway_timeout);
}

// Asking early costs a request. When the server has said that there are fewer
// left than are still to be sent, everyone gets all the time there is.
static void test_timeout_when_requests_are_few(void) {
  static const step few[] = {
      {0, "open", 1, 1, "", ""},
      {0, "submit", 1, 1, "", "start:1.1 fetch#1"},
      {0, "submit", 1, 2, "", ""},
      {0, "submit", 1, 3, "", ""},
      {9, "head", 1, 200, WINDOW(1, 300), "head:1.1=200"},
      {9, "end", 1, 0, "", "end:1.1 start:1.2 fetch#2"},
      {10008, "wait", 0, 0, "", ""},
      {10009, "wait", 0, 0, "", "limited:1:resolvers abort#2"},
  };
  static const step enough[] = {
      {0, "open", 1, 1, "", ""},
      {0, "submit", 1, 1, "", "start:1.1 fetch#1"},
      {0, "submit", 1, 2, "", ""},
      {0, "submit", 1, 3, "", ""},
      {9, "head", 1, 200, WINDOW(2, 300), "head:1.1=200"},
      {9, "end", 1, 0, "", "end:1.1 start:1.2 fetch#2"},
      {2008, "wait", 0, 0, "", ""},
      {2009, "wait", 0, 0, "", "start:1.3 abort#2 fetch#3"},
  };
  PLAY(few);
  PLAY(enough);
}

// The first twenty answers of an operation, each after 50 ms: enough to know
// what is late.
static void answer_twenty(world *w, unsigned concurrency) {
  CHECK_INT(tam_net_open_op(w->net, 1, concurrency), 0);
  for (uint32_t i = 1; i <= 20; i++) {
    CHECK_INT(submit(w, 1, i, 0), 0);
    settle(w);
    w->now_ms += 50;
    CHECK_INT(feed(w, "head", i, 200, WINDOW(400, 300)), 0);
    CHECK_INT(feed(w, "end", i, 0, ""), 0);
  }
}

// An attempt that was given up shows that answers take longer than that. The
// one of 600 ms is in the slot that ends at 640, and all answers but one in
// fifty are to be waited for, 2.5 times as long.
static void test_timeout_teaches(void) {
  static const step slower[] = {
      {1000, "submit", 1, 21, "", "start:1.21 fetch#21"},
      {1599, "wait", 0, 0, "", ""},
      {1600, "wait", 0, 0, "", "abort#21"},
      {1700, "wait", 0, 0, "", "start:1.21 fetch#22"},
      {3299, "wait", 0, 0, "", ""},
      {3300, "wait", 0, 0, "", "abort#22"},
  };
  world w;
  CHECK_INT(world_init(&w, 0), 0);
  answer_twenty(&w, 1);
  play_on(&w, "slower", slower, sizeof(slower) / sizeof(slower[0]));
  world_free(&w);
}

// The second request for a late answer needs a free slot like any other.
static void test_hedge_needs_a_slot(void) {
  static const step alone[] = {
      {1000, "submit", 1, 21, "", "start:1.21 fetch#21"},
      {1500, "wait", 0, 0, "", ""},
      {1510, "head", 21, 200, WINDOW(399, 299), "head:1.21=200"},
      {1510, "end", 21, 0, "", "end:1.21"},
  };
  static const step full[] = {
      {1000, "submit", 1, 21, "", "start:1.21 fetch#21"},
      {1000, "submit", 1, 22, "", "start:1.22 fetch#22"},
      {1500, "wait", 0, 0, "", ""},
      {1510, "head", 21, 200, WINDOW(399, 299), "head:1.21=200"},
      // With the free slot the other one, now very late, is sent again.
      {1510, "end", 21, 0, "", "end:1.21"},
      {1599, "wait", 0, 0, "", "fetch#23"},
  };
  world w;
  CHECK_INT(world_init(&w, 0), 0);
  answer_twenty(&w, 1);
  play_on(&w, "alone", alone, sizeof(alone) / sizeof(alone[0]));
  world_free(&w);
  CHECK_INT(world_init(&w, 0), 0);
  answer_twenty(&w, 2);
  play_on(&w, "full", full, sizeof(full) / sizeof(full[0]));
  world_free(&w);
}

// An answer that is late when nothing else is to do is asked for twice.
static void test_hedge(void) {
  world w;
  CHECK_INT(world_init(&w, 0), 0);
  answer_twenty(&w, 2);
  static const step late[] = {
      {1000, "submit", 1, 21, "", "start:1.21 fetch#21"},
      {1050, "wait", 0, 0, "", ""},
      {1100, "wait", 0, 0, "", "fetch#22"},
      {1110, "head", 22, 200, WINDOW(399, 299), "head:1.21=200 abort#21"},
      {1120, "head", 21, 200, "", ""},
      {1120, "end", 22, 0, "", "end:1.21"},
      // When one of the two fails the other one carries on.
      {2000, "submit", 1, 22, "", "start:1.22 fetch#23"},
      {2100, "wait", 0, 0, "", "fetch#24"},
      {2110, "fail", 24, 0, "reset", ""},
      {2120, "head", 23, 200, WINDOW(398, 298), "head:1.22=200"},
      {2120, "end", 23, 0, "", "end:1.22"},
      {3000, "submit", 1, 23, "", "start:1.23 fetch#25"},
      {3100, "wait", 0, 0, "", "fetch#26"},
      {3110, "head", 25, 429, WINDOW(0, 297), "refused:1.23 abort#25"},
      {3110, "head", 26, 503, "", "abort#26"},
      {3300, "wait", 0, 0, "", "limited:1:resolvers"},
      {4000, "cancel", 1, 23, "", ""},
  };
  play_on(&w, "late", late, sizeof(late) / sizeof(late[0]));
  world_free(&w);
}

int main(void) {
  RUN(test_timeouts);
  RUN(test_timeout_when_requests_are_few);
  RUN(test_timeout_teaches);
  RUN(test_hedge);
  RUN(test_hedge_needs_a_slot);
  return check_finish();
}
