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

// One that was deleted is not fetched again, nor tried again.
static void test_was_deleted(void) {
  chat_host host;
  begin_released(&host);
  uint32_t op = say(&host, ANSWER);
  expect(next_order(&host, "download"), "\"onlyCached\":true");
  host.fail_order = host.done + 1;
  host.fail_words = "not_stored: it is no longer in the store";
  chat_host_run(&host);
  expect_answer(chat_host_end_of(&host, op),
                "{\"success\":false,\"code\":\"not_stored\",\"error\":"
                "\"it is no longer in the store\"}");
  expect(heard(&host), "\"session\":{\"model\":null}");
  host.fail_order = 0;
  expect(ask(&host, ANSWER), "no_model");
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

// ---------------------------------------------------------------------------
// The model that another life of the program had

#define KNOWN                                                                  \
  "\"session\":{\"model\":{\"modelId\":\"" CHAT_HOST_MODEL                     \
  "\",\"dtype\":\"q4\"}}"
#define NONE "\"session\":{\"model\":null}"

#define CONFIGURE(model)                                                       \
  PANEL("tabagent:configure", "\"unloadAfterIdleMs\":600000,\"model\":" model)

static void test_comes_back_in_another_life(void) {
  chat_host host;
  begin(&host);
  expect_answer(ask(&host, CONFIGURE("{\"modelId\":\"" CHAT_HOST_MODEL
                                     "\",\"dtype\":\"q4\"}")),
                GOOD);
  CHECK_INT(state_of(&host), TAM_CHAT_UNLOADED); // as long as nobody asks
  CHECK_INT(host.order_count, 0);
  expect_answer(ask(&host, ANSWER), GOOD);
  expect_order(heard(&host), "\"type\":\"workerReady\"",
               "\"type\":\"generationComplete\"");
  chat_host_free(&host);
}

// While it is loaded nobody may take it for one that can be loaded: that may be
// what brings the process down.
static void test_is_remembered(void) {
  chat_host host;
  begin(&host);
  (void)say(&host, INIT_OF("q4"));
  (void)next_order(&host, "download");
  expect(heard(&host), NONE);
  expect_not(heard(&host), KNOWN);
  chat_host_run(&host);
  expect_order(heard(&host), NONE, KNOWN);
  (void)ask(&host, BARE("tabagent:suspend")); // nothing new
  expect_not(heard(&host), "\"session\"");
  (void)ask(&host, ANSWER);
  expect_order(heard(&host), NONE, KNOWN);
  expect_answer(ask(&host, BARE("reset")), GOOD);
  expect(heard(&host), NONE);
  expect_answer(ask(&host, BARE("reset")), GOOD);
  expect_not(heard(&host), "\"session\"");
  chat_host_free(&host);
}

// A load that fails leaves the model that was there, or none.
static void test_is_remembered_as_far_as_it_is_there(void) {
  static const struct {
    const char *verb;
    const char *expected;
  } cases[] = {{"download", KNOWN}, {"session", NONE}};
  for (size_t i = 0; i < 2; i++) {
    chat_host host;
    bring(&host, TAM_CHAT_READY);
    uint32_t op = say(&host, INIT_OF("fp16"));
    (void)next_order(&host, cases[i].verb);
    tam_buf_reset(&host.said);
    chat_host_cancel(&host, op);
    chat_host_run(&host);
    expect(heard(&host), cases[i].expected);
    chat_host_free(&host);
  }
}

// Of a load that runs, one that is refused or that waits says nothing.
static void test_another_load_fails(void) {
  chat_host host;
  begin(&host);
  (void)say(&host, INIT_OF("q4"));
  (void)next_order(&host, "tokenizer");
  uint32_t waiting = say(&host, INIT_OF("fp16"));
  chat_host_cancel(&host, waiting);
  CHECK_INT(chat_host_command(&host, PANEL("init", "\"modelId\":\"../x\""),
                              TAM_COMMAND_FLAG_BROADCAST),
            0);
  expect(heard(&host), "\"type\":\"error\"");
  expect_not(heard(&host), "\"loading\"");
  expect_not(heard(&host), "\"session\"");
  chat_host_free(&host);
}

// The worker dies of the next order to |verb|: the model does not come back.
static void expect_death_at(chat_host *host, const char *verb) {
  (void)say(host, ANSWER);
  (void)next_order(host, verb);
  host->fail_order = host->done + 1;
  host->fail_words = "worker_died: it died";
  chat_host_run(host);
  host->fail_order = 0;
  expect(heard(host), NONE);
  expect(ask(host, ANSWER), "\"code\":\"no_model\"");
}

static void test_worker_dies(void) {
  chat_host host;
  begin_released(&host);
  expect_answer(ask(&host, ANSWER), GOOD); // it has come back before
  expect_death_at(&host, "run");
  chat_host_free(&host);
  begin_released(&host);
  expect_death_at(&host, "session"); // and comes back
  chat_host_free(&host);
}

static void test_what_is_no_model(void) {
  static const char *const models[] = {
      CONFIGURE("null"), CONFIGURE("7"), CONFIGURE("{}"),
      CONFIGURE("{\"modelId\":\"../x\",\"dtype\":\"q4\"}"),
      CONFIGURE("{\"modelId\":7,\"dtype\":\"q4\"}")};
  for (size_t i = 0; i < sizeof(models) / sizeof(models[0]); i++) {
    chat_host host;
    begin(&host);
    expect_answer(ask(&host, models[i]), GOOD);
    expect(ask(&host, ANSWER), "\"code\":\"no_model\"");
    chat_host_free(&host);
  }
}

// Nor does one come back instead of one that was wanted since.
static void test_another_is_wanted(void) {
  chat_host host;
  begin(&host);
  uint32_t op = say(&host, INIT_OF("fp16"));
  (void)next_order(&host, "download");
  CHECK_INT(chat_host_command(
                &host, CONFIGURE("{\"modelId\":\"a/b\",\"dtype\":\"q4\"}"), 0),
            0);
  chat_host_cancel(&host, op);
  chat_host_run(&host);
  expect(ask(&host, ANSWER), "\"code\":\"no_model\"");
  chat_host_free(&host);
}

// One that is there is the right one.
static void test_is_there_already(void) {
  chat_host host;
  bring(&host, TAM_CHAT_READY);
  expect_answer(ask(&host, CONFIGURE("{\"modelId\":\"owner/other\","
                                     "\"dtype\":\"q8\"}")),
                GOOD);
  expect_answer(ask(&host, ANSWER), GOOD);
  expect_not(heard(&host), "workerReady");
  chat_host_free(&host);
}

// ---------------------------------------------------------------------------

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
  RUN(test_was_deleted);
  RUN(test_stops);
  RUN(test_does_not_come_back);
  RUN(test_comes_back_in_another_life);
  RUN(test_is_remembered);
  RUN(test_is_remembered_as_far_as_it_is_there);
  RUN(test_another_load_fails);
  RUN(test_worker_dies);
  RUN(test_what_is_no_model);
  RUN(test_another_is_wanted);
  RUN(test_is_there_already);
  RUN(test_memory_may_be_short);
  return check_finish();
}
