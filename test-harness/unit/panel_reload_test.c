// SPDX-License-Identifier: Apache-2.0
// A model that was released because nobody needed it comes back with the first
// request that does, whatever happens on the way.
#include "panel_world.h"

#define ANSWER PANEL("generate", ASK_IN("hello"))

// A host whose model was released for want of memory.
static void begin_released(chat_host *host) {
  bring(host, TAM_CHAT_READY);
  expect_answer(ask(host, BARE("tabagent:memoryPressure")), GOOD);
  CHECK_INT(host->thing_count, 0);
  CHECK_INT(state_of(host), TAM_CHAT_UNLOADED);
}

static void test_comes_back(void) {
  chat_host host;
  begin_released(&host);
  uint32_t op = say(&host, ANSWER);
  CHECK_INT(state_of(&host), TAM_CHAT_LOADING);
  (void)next_order(&host, "render");
  CHECK_INT(state_of(&host), TAM_CHAT_GENERATING);
  chat_host_run(&host);
  expect_answer(chat_host_end_of(&host, op), GOOD);
  const char *said = heard(&host);
  expect_order(said,
               "\"loading\":{\"repoId\":\"" CHAT_HOST_MODEL
               "\",\"quantPath\":\"q4\"",
               "\"lastLoadedModel\":");
  expect_order(said, "\"progress\":100", "\"type\":\"workerReady\"");
  expect_order(said, "\"type\":\"workerReady\"", "\"generationUpdate\"");
  expect_order(said, "\"generationUpdate\"", "\"generationComplete\"");
  // It is there now: the next answer loads nothing.
  expect_answer(ask(&host, ANSWER), GOOD);
  expect_not(heard(&host), "workerReady");
  chat_host_free(&host);
}

// Nor does who asks in our own style hear of a load.
static void test_is_silent(void) {
  chat_host host;
  begin_released(&host);
  check_greedy(&host, chat_host_do(&host, ASK("\"max_new_tokens\":4"), HELLO),
               HELLO, 4);
  CHECK(host.progress != NULL && strstr(host.progress, "\"progress\"") == NULL);
  CHECK_INT(host.percent, 0);
  chat_host_free(&host);
}

static void test_fails(void) {
  chat_host host;
  begin_released(&host);
  uint32_t op = say(&host, ANSWER);
  (void)next_order(&host, "download");
  host.fail_order = host.done + 1;
  host.fail_words = "network: offline";
  chat_host_run(&host);
  expect_answer(chat_host_end_of(&host, op),
                "{\"success\":false,\"code\":\"network\",\"error\":"
                "\"offline\"}");
  const char *said = heard(&host);
  expect_order(said, "\"status\":\"error\"", "\"type\":\"generationError\"");
  expect(said, "\"loading\":null");
  expect_not(said, "workerReady");
  host.fail_order = 0;
  expect_answer(ask(&host, ANSWER), GOOD); // the network is back
  chat_host_free(&host);
}

static void test_stops(void) {
  static const char *const verbs[] = {"download", "tokenizer", "session",
                                      "run"};
  for (size_t i = 0; i < 4; i++) {
    chat_host host;
    begin_released(&host);
    uint32_t op = say(&host, ANSWER);
    (void)next_order(&host, verbs[i]);
    CHECK_INT(chat_host_command(&host, BARE("stopGeneration"), 0), 0);
    chat_host_run(&host);
    expect_answer(chat_host_end_of(&host, op), GOOD);
    expect_order(heard(&host), "\"loading\":null", "\"generationStopped\"");
    CHECK_INT(fake_host_made(&host.host, FAKE_MADE_SESSION), 0);
    expect_answer(ask(&host, ANSWER), GOOD);
    chat_host_free(&host);
  }
}

// What somebody has reset, or replaced, does not come back.
static void test_does_not_come_back(void) {
  chat_host host;
  begin_released(&host);
  expect_answer(ask(&host, BARE("reset")), GOOD);
  expect(ask(&host, ANSWER), "\"code\":\"no_model\"");
  chat_host_free(&host);
  begin_released(&host);
  (void)say(&host, INIT_OF("fp16"));
  (void)next_order(&host, "download");
  host.fail_order = host.done + 1;
  host.fail_words = "network: offline";
  chat_host_run(&host);
  host.fail_order = 0;
  expect(ask(&host, ANSWER), "\"code\":\"no_model\"");
  chat_host_free(&host);
}

static int fail_memory(size_t nth, int fail_after) {
  chat_host host;
  bring(&host, TAM_CHAT_READY);
  check_heap *heap = &host.host.heap;
  heap->fail_after = fail_after;
  heap->fail_at = heap->allocations + nth;
  (void)chat_host_command(&host, BARE("tabagent:suspend"), 0);
  (void)chat_host_command(&host, ANSWER, TAM_COMMAND_FLAG_BROADCAST);
  chat_host_run(&host);
  int is_failed = heap->allocations >= heap->fail_at;
  heap->fail_at = 0;
  heap->fail_after = 0;
  expect_answer(ask(&host, INIT_OF("q4")), GOOD);
  expect_answer(ask(&host, ANSWER), GOOD);
  chat_host_free(&host);
  return is_failed;
}

static void test_memory_may_be_short(void) {
  CHECK(count_failing(fail_memory) > 149);
}

int main(void) {
  RUN(test_comes_back);
  RUN(test_is_silent);
  RUN(test_fails);
  RUN(test_stops);
  RUN(test_does_not_come_back);
  RUN(test_memory_may_be_short);
  return check_finish();
}
