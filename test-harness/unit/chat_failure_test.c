// SPDX-License-Identifier: Apache-2.0
// Every order of loading and answering fails, or is answered with what makes no
// sense. Each operation ends with one word, and the next one works.
#include "chat_scenarios.h"

static void fail_order(const scenario *test, unsigned at, const char *words,
                       const char *code) {
  chat_host host;
  begin(&host, test);
  host.fail_order = at;
  host.fail_words = words;
  talk(&host, test);
  int is_failed = 0;
  for (uint32_t op = 1; op <= host.last_op; op++) {
    is_failed |= strstr(chat_host_end_of(&host, op), code) != NULL;
    is_failed |= strstr(chat_host_end_of(&host, op), "warning") != NULL;
  }
  CHECK(is_failed || host.is_forgiven);
  check_after(&host);
  chat_host_free(&host);
}

static void test_failed_orders(void) {
  for (size_t i = 0; i < SCENARIOS; i++) {
    unsigned orders;
    (void)events_of(&scenarios[i], &orders);
    for (unsigned at = 1; at <= orders; at++) {
      fail_order(&scenarios[i], at, "Error: it \xff\n is broken",
                 CODE("runtime_failed"));
      fail_order(&scenarios[i], at, "out_of_memory: no room", NO_MEMORY);
      fail_order(&scenarios[i], at, "", CODE("runtime_failed"));
    }
  }
}

static void test_lies(void) {
  for (size_t i = 0; i < SCENARIOS; i++) {
    unsigned orders;
    (void)events_of(&scenarios[i], &orders);
    for (unsigned at = 1; at <= orders; at++) {
      // Of the scenarios behind the first a third has to do: it takes long.
      for (chat_lie lie = i == 0 ? CHAT_LIE_NOT_JSON : 1 + at % 3;
           lie < CHAT_LIE_COUNT; lie += i == 0 ? 1 : 3) {
        chat_host host;
        begin(&host, &scenarios[i]);
        host.lie_order = at;
        host.lie = lie;
        talk(&host, &scenarios[i]);
        // What a load was told stays so as long as the model.
        expect(chat_host_do(&host, RESET, NULL), "\"reset:done\"");
        check_after(&host);
        chat_host_free(&host);
      }
    }
  }
}

int main(void) {
  RUN(test_failed_orders);
  RUN(test_lies);
  return check_finish();
}
