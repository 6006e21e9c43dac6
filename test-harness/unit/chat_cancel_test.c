// SPDX-License-Identifier: Apache-2.0
// At every step of loading and answering somebody stops it, releases the model,
// loads another one, or takes the manager away. Each operation ends with one
// word, and the next one works.
#include "chat_scenarios.h"

static void cancel_all(chat_host *host) {
  for (uint32_t op = 1; op <= host->last_op; op++) {
    chat_host_cancel(host, op);
  }
}

static void cancel_first(chat_host *host) {
  uint32_t op = 1;
  while (op < host->last_op && chat_host_end_of(host, op) != NULL) {
    op++;
  }
  chat_host_cancel(host, op);
}

static void stop(chat_host *host) {
  char *last = host->last;
  (void)last;
  expect(chat_host_end_of(host, chat_host_start(host, STOP, NULL)),
         "\"stop:done\"");
}

static void reset(chat_host *host) {
  (void)chat_host_start(host, RESET, NULL);
}

static void load_again(chat_host *host) {
  (void)chat_host_start(host, LOAD_WITH(",\"dtype\":\"q8\""), NULL);
}

static void strike_everywhere(chat_host_strike strike, int is_late) {
  for (size_t i = 0; i < SCENARIOS; i++) {
    unsigned orders;
    size_t events = events_of(&scenarios[i], &orders);
    for (size_t at = 1; at <= events; at++) {
      chat_host host;
      begin(&host, &scenarios[i]);
      host.strike_at = at;
      host.strike = strike;
      host.is_late = is_late;
      talk(&host, &scenarios[i]);
      CHECK(host.events >= at);
      check_after(&host);
      chat_host_free(&host);
    }
  }
}

static void test_cancel(void) {
  strike_everywhere(cancel_all, 0);
  strike_everywhere(cancel_first, 0);
}

static void test_events_of_what_was_dropped(void) {
  strike_everywhere(cancel_all, 1);
}

static void test_stop(void) {
  strike_everywhere(stop, 0);
}

static void test_reset(void) {
  strike_everywhere(reset, 0);
}

static void test_another_model(void) {
  strike_everywhere(load_again, 0);
}

static void test_dispose(void) {
  for (size_t i = 0; i < SCENARIOS; i++) {
    unsigned orders;
    size_t events = events_of(&scenarios[i], &orders);
    for (size_t at = 1; at <= events; at++) {
      chat_host host;
      begin(&host, &scenarios[i]);
      host.strike_at = at;
      host.strike = chat_host_dispose;
      talk(&host, &scenarios[i]);
      CHECK(host.is_gone);
      chat_host_free(&host);
    }
  }
}

int main(void) {
  RUN(test_cancel);
  RUN(test_events_of_what_was_dropped);
  RUN(test_stop);
  RUN(test_reset);
  RUN(test_another_model);
  RUN(test_dispose);
  return check_finish();
}
