// SPDX-License-Identifier: Apache-2.0
// Conversations in the midst of which something happens.
#ifndef TAM_TEST_CHAT_SCENARIOS_H
#define TAM_TEST_CHAT_SCENARIOS_H

#include "chat_world.h"

// What a conversation consists of; every step of it is disturbed.
typedef struct scenario {
  const char *what;
  chat_kind kind;
  chat_webgpu webgpu;
  const char *ask;
  const char *script;
} scenario;

static const scenario scenarios[] = {
    {"greedy", CHAT_LLAMA, CHAT_WEBGPU_NONE, ASK("\"max_new_tokens\":3"), NULL},
    {"half", CHAT_HALF, CHAT_WEBGPU_FLAT, ASK("\"max_new_tokens\":3"), NULL},
    {"beams", CHAT_CONV, CHAT_WEBGPU_FAILS,
     ASK("\"max_new_tokens\":3,\"num_beams\":3,\"num_return_sequences\":2"),
     NULL},
    {"rows", CHAT_LLAMA, CHAT_WEBGPU_NONE,
     ASK("\"max_new_tokens\":4,\"do_sample\":true,\"seed\":1,"
         "\"num_return_sequences\":2,\"stop_strings\":[\"xy\",\"e\"]"),
     NULL},
    {"encoder", CHAT_ENCODER, CHAT_WEBGPU_NONE,
     ASK("\"max_new_tokens\":3,\"guidance_scale\":2"), NULL},
    {"embedding", CHAT_EMBEDDING, CHAT_WEBGPU_GOOD,
     ASK_WITH("\"max_new_tokens\":25,\"stop_strings\":[\"ee\"]",
              ",\"chatId\":\"x\",\"tools\":[{}]"),
     "<think>a</think>b\xc3\xa4 ee"},
};

enum { SCENARIOS = sizeof(scenarios) / sizeof(scenarios[0]) };

static inline void begin(chat_host *host, const scenario *test) {
  memset(host, 0, sizeof(*host));
  CHECK_INT(chat_host_init(host, test->kind), 0);
  host->webgpu = test->webgpu;
  if (test->script != NULL) {
    script(host, test->script);
  }
}

// Both operations, one behind the other, and a second turn.
static inline void talk(chat_host *host, const scenario *test) {
  (void)chat_host_start(host, LOAD, NULL);
  (void)chat_host_start(host, test->ask, HELLO);
  (void)chat_host_start(host, test->ask,
                        "[" USER("hello") "," ASSISTANT("x") "," USER("y") "]");
  chat_host_run(host);
}

// Nothing is in the way any more: everything works.
static inline void check_after(chat_host *host) {
  host->host.heap.fail_at = 0;
  host->host.heap.fail_after = 0;
  host->fail_order = 0;
  host->lie = CHAT_LIE_NONE;
  host->strike_at = 0;
  host->script = NULL;
  expect(chat_host_do(host, LOAD, NULL), LOADED);
  check_greedy(host, chat_host_do(host, ASK("\"max_new_tokens\":5"), HELLO),
               HELLO, 5);
  expect(chat_host_do(host, RESET, NULL), "\"reset:done\"");
  CHECK_INT(host->thing_count, 0);
}

// Returns how many events of the runtime there are when nothing happens.
static inline size_t events_of(const scenario *test, unsigned *porders) {
  chat_host host;
  begin(&host, test);
  talk(&host, test);
  expect(host.last, DONE);
  size_t events = host.events;
  *porders = host.done;
  chat_host_free(&host);
  return events;
}

#endif // TAM_TEST_CHAT_SCENARIOS_H
