// SPDX-License-Identifier: Apache-2.0
// What comes from outside: messages that are wrong, and such as are for others,
// the two names of two styles, messages in pieces, and little memory.
#include "panel_world.h"

// ---------------------------------------------------------------------------
// Messages that are wrong, and those of others

static void test_wrong_messages(void) {
  static const struct {
    const char *message;
    const char *answer;
  } cases[] = {
      {BARE("makeTea"), "{\"success\":false,\"code\":\"unknown_message\","
                        "\"error\":\"no request of this name is known\"}"},
      {"{\"type\":7}", "{\"success\":false,\"code\":\"malformed_message\","
                       "\"error\":\"a message needs an action or a type, a "
                       "string\"}"},
      {"{\"type\":\"init\",\"payload\":[]}",
       "{\"success\":false,\"code\":\"malformed_message\",\"error\":\"payload: "
       "expected an object\"}"},
      {BARE("init"), "{\"success\":false,\"code\":\"invalid_params\",\"error\":"
                     "\"modelId: expected the id of a repository\"}"},
      {"{\"type\":\"init\",\"payload\":null}",
       "{\"success\":false,\"code\":\"invalid_params\",\"error\":\"modelId: "
       "expected the id of a repository\"}"},
      {PANEL("init", "\"modelId\":{}"),
       "{\"success\":false,\"code\":\"invalid_params\",\"error\":\"modelId: "
       "expected a short string\"}"},
      {PANEL("init", "\"modelId\":\"a/b\",\"task\":\"fill-mask\""),
       "{\"success\":false,\"code\":\"unsupported_task\",\"error\":\"task: "
       "expected text-generation, text2text-generation or "
       "image-text-to-text\"}"},
      {BARE("uiPong"), "{\"success\":false,\"code\":\"invalid_params\","
                       "\"error\":\"senderId: expected a string\"}"},
      {PANEL("generate", "\"messages\":7"), "\"code\":\"no_model\""},
      {PANEL("generate", "\"chatId\":7,\"messages\":[]"),
       "{\"success\":false,\"code\":\"invalid_params\",\"error\":\"chatId: "
       "expected a string\"}"},
      {PANEL("huggingfaceLogin", "\"token\":\"hf_secret\\u00e4\""),
       "{\"success\":false,\"code\":\"invalid_params\""},
  };
  chat_host host;
  begin(&host);
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
    const char *answer = ask(&host, cases[i].message);
    expect(answer, cases[i].answer);
    expect_not(answer, "hf_secret");
    expect_not(answer, "\"id\"");
  }
  chat_host_free(&host);
}

static void test_not_ours(void) {
  static const char *const messages[] = {
      BARE("DbGetSessionRequest"),
      BARE("DbCreateSessionResponse"),
      BARE("DbWorkerError"),
      BARE("scrapeRequest"),
      BARE("getLogEntries"),
      BARE("native_host_message"),
      PANEL("saveLastChatSession", "\"sessionId\":\"s\""),
      PANEL("memoryStats", "\"usedJSHeapSize\":1"),
      PANEL("workerReady", ""),
      PANEL("error", "\"error\":\"x\""),
      BARE("uiPing"),
      BARE("tabagent:remember"),
  };
  chat_host host;
  begin(&host);
  for (size_t i = 0; i < sizeof(messages) / sizeof(messages[0]); i++) {
    CHECK_INT(chat_host_command(&host, messages[i], TAM_COMMAND_FLAG_BROADCAST),
              TAM_ERR_NOT_OURS);
    CHECK(chat_host_end_of(&host, host.last_op) == NULL);
    CHECK_INT(host.said.len, 0);
  }
  // With an id it is somebody who wants an answer.
  (void)chat_host_do(&host, "{\"type\":\"DbWorkerError\",\"id\":1}", NULL);
  expect(host.last, "\"code\":\"unknown_message\"");
  chat_host_free(&host);
}

// The two names that mean something in two styles.
static void test_styles(void) {
  chat_host host;
  bring(&host, TAM_CHAT_READY);
  expect(chat_host_do(&host, "{\"type\":\"reset\",\"id\":\"x\"}", NULL),
         "{\"type\":\"response\",\"id\":\"x\"");
  expect_answer(ask(&host, "{\"type\":\"reset\",\"id\":\"x\",\"payload\":{}}"),
                GOOD);
  expect_answer(ask(&host, "{\"type\":\"resetWorker\",\"id\":5}"), GOOD);
  expect(chat_host_do(&host, "{\"action\":\"reset\"}", NULL),
         "\"action\":\"reset:done\"");
  expect(chat_host_do(&host, "{\"action\":\"init\"}", NULL),
         "{\"action\":\"init\",\"id\":null");
  chat_host_free(&host);
}

// ---------------------------------------------------------------------------
// Messages in pieces

static int feed_piece(chat_host *host, uint32_t op, tam_span piece,
                      uint32_t flags) {
  tam_event event = {.kind = TAM_EVENT_COMMAND,
                     .op = op,
                     .flags = flags | TAM_COMMAND_FLAG_BROADCAST,
                     .payload = piece};
  return fake_host_feed(&host->host, &event);
}

static void test_pieces(void) {
  static const char message[] = PANEL(
      "generate", "\"messages\":[" USER(
                      "a\\u0000b\\ud800c") "],"
                                           "\"options\":{\"max_new_tokens\":2,"
                                           "\"system_prompt\":\"s\"}");
  tam_span whole = TAM_SPAN(message);
  chat_host host;
  bring(&host, TAM_CHAT_READY);
  for (size_t cut = 1; cut < whole.len; cut += 7) {
    uint32_t op = ++host.last_op;
    CHECK_INT(
        feed_piece(&host, op, tam_span_head(whole, cut), TAM_COMMAND_FLAG_MORE),
        0);
    CHECK_INT(tam_manager_busy(host.host.manager), 1);
    // Nobody else comes in between.
    CHECK_INT(feed_piece(&host, op + 1, whole, 0), TAM_ERR_INVALID_STATE);
    CHECK_INT(feed_piece(&host, op, tam_span_from(whole, cut), 0), 0);
    // The text goes to the template as it came.
    expect(next_order(&host, "render"), "a\\u0000b\\ud800c");
    chat_host_run(&host);
    expect_answer(chat_host_end_of(&host, op), GOOD);
  }
  chat_host_free(&host);
}

static void test_pieces_cancelled(void) {
  chat_host host;
  begin(&host);
  uint32_t op = ++host.last_op;
  CHECK_INT(feed_piece(&host, op, TAM_SPAN("{\"type\":"), 16), 0);
  chat_host_cancel(&host, op);
  expect(chat_host_end_of(&host, op), "\"code\":\"cancelled\"");
  CHECK_INT(tam_manager_busy(host.host.manager), 0);
  expect_answer(ask(&host, BARE("reset")), GOOD);
  // Nor does it need memory.
  op = ++host.last_op;
  CHECK_INT(feed_piece(&host, op, TAM_SPAN("{\"type\":"), 16), 0);
  host.host.heap.fail_at = host.host.heap.allocations + 1;
  host.host.heap.fail_after = 1;
  chat_host_cancel(&host, op);
  host.host.heap.fail_at = 0;
  host.host.heap.fail_after = 0;
  expect_answer(chat_host_end_of(&host, op),
                "{\"success\":false,\"code\":\"cancelled\",\"error\":\"the "
                "message did not become complete\"}");
  // Nor does a part of one stay behind when all ends.
  CHECK_INT(feed_piece(&host, ++host.last_op, TAM_SPAN("{\"type\":"), 16), 0);
  chat_host_free(&host);
}

static void test_too_long(void) {
  static uint8_t piece[TAM_EVENT_PAYLOAD_MAX];
  static const char *const heads[] = {
      "{\"type\":\"generate\",\"payload\":{\"messages\":[\"",
      "{\"action\":\"generate\",\"id\":1,\"params\":{\"messages\":[\""};
  static const char *const answers[] = {
      "{\"success\":false,\"code\":\"too_large\",\"error\":\"a message has at "
      "most 8 MiB\"}",
      "{\"action\":\"command:error\",\"id\":null,\"protocolVersion\":1,\"seq\":"
      "0,\"ts\":1000000,\"code\":\"too_large\",\"message\":\"a message has at "
      "most 8 MiB\""};
  memset(piece, 'x', sizeof(piece));
  chat_host host;
  begin(&host);
  for (size_t i = 0; i < 2; i++) {
    uint32_t op = ++host.last_op;
    CHECK_INT(feed_piece(&host, op, tam_span_of(heads[i]), 16), 0);
    for (size_t at = 0; at < TAM_COMMAND_MAX; at += sizeof(piece)) {
      CHECK_INT(feed_piece(&host, op, (tam_span){piece, sizeof(piece)}, 16), 0);
    }
    CHECK_INT(feed_piece(&host, op, TAM_SPAN("\"]}}"), 0), 0);
    expect(chat_host_end_of(&host, op), answers[i]);
  }
  expect_answer(ask(&host, BARE("reset")), GOOD);
  chat_host_free(&host);
}

// Besides its chat a request is short.
static void test_long_rest(void) {
  static char text[TAM_EVENT_PAYLOAD_MAX + 64];
  chat_host host;
  begin(&host);
  int head = snprintf(text, sizeof(text),
                      "{\"type\":\"init\",\"payload\":{"
                      "\"modelId\":\"");
  memset(text + head, 'x', TAM_EVENT_PAYLOAD_MAX);
  strcpy(text + head + TAM_EVENT_PAYLOAD_MAX, "\"}}");
  uint32_t op = ++host.last_op;
  tam_span whole = tam_span_of(text);
  CHECK_INT(feed_piece(&host, op, tam_span_head(whole, 60000), 16), 0);
  CHECK_INT(feed_piece(&host, op, tam_span_from(whole, 60000), 0), 0);
  expect_answer(chat_host_end_of(&host, op),
                "{\"success\":false,\"code\":\"too_large\",\"error\":\"besides "
                "its chat a request has at most 65536 bytes\"}");
  chat_host_free(&host);
}

// ---------------------------------------------------------------------------
// Memory

// A conversation in which the |nth| allocation fails. Returns 0 when there are
// fewer.
static int fail_memory(size_t nth, int fail_after) {
  static const char *const talk[] = {
      INIT_OF("q4"),
      PANEL("generate", ASK_IN("hello")),
      BARE("getModelWorkerState"),
      PANEL("restoreLastState", "\"lastLoadedModel\":" LAST),
      BARE("clearCache"),
      PANEL("uiConnected", "\"senderId\":\"x\",\"context\":\"MainUI\""),
      PANEL("tabagent:configure", ""),
      PANEL("setEnvConfig", "\"a\":1"),
      BARE("makeTea"),
      BARE("tabagent:suspend"),
      PANEL("restoreLastState", "\"lastLoadedModel\":" LAST),
      BARE("reset"),
  };
  chat_host host;
  begin(&host);
  check_heap *heap = &host.host.heap;
  heap->fail_after = fail_after;
  heap->fail_at = heap->allocations + nth;
  for (size_t i = 0; i < sizeof(talk) / sizeof(talk[0]); i++) {
    int error = chat_host_command(&host, talk[i], TAM_COMMAND_FLAG_BROADCAST);
    CHECK(error == 0 || error == TAM_ERR_OUT_OF_MEMORY);
    chat_host_run(&host);
    // Who is told nothing was told that it could not be accepted.
    CHECK((chat_host_end_of(&host, host.last_op) == NULL) == (error != 0));
  }
  int is_failed = heap->allocations >= heap->fail_at;
  heap->fail_at = 0;
  heap->fail_after = 0;
  expect_answer(ask(&host, INIT_OF("q4")), GOOD);
  expect_answer(ask(&host, PANEL("generate", ASK_IN("hello"))), GOOD);
  chat_host_free(&host);
  return is_failed;
}

static void test_memory_may_be_short(void) {
  CHECK(count_failing(fail_memory) > 299);
}

int main(void) {
  RUN(test_wrong_messages);
  RUN(test_not_ours);
  RUN(test_styles);
  RUN(test_pieces);
  RUN(test_pieces_cancelled);
  RUN(test_too_long);
  RUN(test_long_rest);
  RUN(test_memory_may_be_short);
  return check_finish();
}
