// SPDX-License-Identifier: Apache-2.0
// Every request of TabAgent's panel: what it is answered in each state, what
// all hear, and what becomes of the state. Whole conversations are in
// conversation/.
#include "panel_world.h"

#include "core/event_names.h"
#include "protocol/panel_request.h"

typedef struct request {
  const char *name;
  const char *states;
} request;

static const request requests[] = {
#define TAM_PANEL_REQUEST(name, action, verb, reads, answer, events, states)   \
  {TAM_NAME_##name, states},
#include "protocol/panel_request.def"
};

// A payload with which each request has something to do.
static const char *payload_for(const char *name) {
  static const struct {
    const char *name;
    const char *payload;
  } payloads[] = {
      {"init", "\"modelId\":\"" CHAT_HOST_MODEL "\",\"dtype\":\"fp16\""},
      {"loadModel", "\"modelId\":\"" CHAT_HOST_MODEL "\",\"dtype\":\"fp16\""},
      {"generate", ASK_IN("again")},
      {"sendChatMessage", ASK_IN("again")},
      {"restoreLastState", "\"lastLoadedModel\":{\"repoId\":\"" CHAT_HOST_MODEL
                           "\",\"quantPath\":\"q4\",\"loadedAt\":1}"},
      {"uiConnected", "\"senderId\":\"sidepanel-1\",\"context\":\"MainUI\""},
      {"uiDisconnected", "\"senderId\":\"sidepanel-1\""},
      {"uiPong", "\"senderId\":\"sidepanel-1\""},
  };
  for (size_t i = 0; i < sizeof(payloads) / sizeof(payloads[0]); i++) {
    if (strcmp(payloads[i].name, name) == 0) {
      return payloads[i].payload;
    }
  }
  return "";
}

// What the letters of the table mean, as seen from outside: what is so at once,
// what was so meanwhile, and what is so when everything has come to its end.
static void check_state(const request *one, tam_chat_state from) {
  chat_host host;
  char message[512];
  unsigned visited = 0;
  char letter = one->states[from];
  bring(&host, from);
  snprintf(message, sizeof(message), "{\"type\":\"%s\",\"payload\":{%s}}",
           one->name, payload_for(one->name));
  uint32_t op = say(&host, message);
  tam_chat_state at_once = state_of(&host);
  unsigned seen = at_once == from ? 0 : 1U << at_once;
  tam_chat_state before = at_once;
  while (chat_host_step(&host)) {
    tam_chat_state now = state_of(&host);
    seen |= now == before ? 0 : 1U << now;
    before = now;
  }
  visited = seen;
  tam_chat_state last = state_of(&host);
  const char *end = chat_host_end_of(&host, op);
  int before_failures = check_failures;
  CHECK(end != NULL);
  tam_chat_state rest =
      from == TAM_CHAT_UNLOADED ? TAM_CHAT_UNLOADED : TAM_CHAT_READY;
  switch (letter) {
  case 'x':
    expect(end, "{\"success\":false,\"code\":\"no_model\"");
    CHECK_INT(last, TAM_CHAT_UNLOADED);
    break;
  case 'U':
    CHECK_INT(last, TAM_CHAT_UNLOADED);
    break;
  case 'L':
    CHECK_INT(at_once, TAM_CHAT_LOADING);
    CHECK_INT(last, TAM_CHAT_READY);
    break;
  case 'G':
    CHECK_INT(at_once, TAM_CHAT_GENERATING);
    CHECK_INT(last, TAM_CHAT_READY);
    break;
  case 'l':
    CHECK_INT(at_once, from);
    CHECK(from == TAM_CHAT_LOADING || (visited >> TAM_CHAT_LOADING & 1) != 0);
    CHECK_INT(last, TAM_CHAT_READY);
    break;
  case 'g':
    CHECK_INT(at_once, from);
    CHECK(from == TAM_CHAT_GENERATING ||
          (visited >> TAM_CHAT_GENERATING & 1) != 0);
    CHECK_INT(last, TAM_CHAT_READY);
    break;
  case 'R':
    CHECK_INT(last, TAM_CHAT_READY);
    expect(heard(&host), "\"type\":\"generationStopped\"");
    break;
  default:
    CHECK(letter == '=');
    CHECK_INT(at_once, from);
    CHECK_INT(last, rest);
    break;
  }
  if (check_failures != before_failures) {
    printf("  %s in %s, which is %c\n", one->name, state_names[from], letter);
  }
  chat_host_free(&host);
}

static void test_every_request_in_every_state(void) {
  for (size_t i = 0; i < sizeof(requests) / sizeof(requests[0]); i++) {
    for (unsigned state = 0; state < TAM_CHAT_STATE_COUNT; state++) {
      check_state(&requests[i], (tam_chat_state)state);
    }
  }
}

// ---------------------------------------------------------------------------
// Loading

static void test_init(void) {
  chat_host host;
  begin(&host);
  expect_answer(ask(&host, INIT_OF("q4")), GOOD);
  const char *said = heard(&host);
  expect(said,
         "{\"type\":\"modelWorkerLoadingProgress\",\"protocolVersion\":1,"
         "\"payload\":{\"status\":\"initiate\",\"progress\":0,\"file\":"
         "\"model\",\"modelId\":\"" CHAT_HOST_MODEL "\",\"loadId\":\"L1\"}}");
  expect(said, "{\"type\":\"workerReady\",\"protocolVersion\":1,\"payload\":{"
               "\"modelId\":\"" CHAT_HOST_MODEL "\",\"dtype\":\"q4\",\"task\":"
               "\"text-generation\",\"executionProvider\":\"wasm\"}}");
  expect_order(said,
               "\"loading\":{\"repoId\":\"" CHAT_HOST_MODEL
               "\",\"quantPath\":\"q4\",\"startedAt\":1000000}",
               "\"lastLoadedModel\":{\"repoId\":\"" CHAT_HOST_MODEL
               "\",\"quantPath\":\"q4\",\"loadedAt\":1000150},"
               "\"loading\":null,");
  expect_order(said, "\"status\":\"done\"", "\"type\":\"workerReady\"");
  expect_not(said, "\"type\":\"error\"");
  // Nobody but the panel hears of progress.
  CHECK(host.progress == NULL);
  chat_host_free(&host);
}

// Panels compare what they sent with what they hear.
static void test_names_of_dtypes(void) {
  static const char *const names[] = {"q4", "onnx/model_q4.onnx",
                                      "model_q4.onnx"};
  chat_host host;
  begin(&host);
  char text[256];
  char wanted[64];
  for (size_t i = 0; i < 3; i++) {
    unsigned before = host.done;
    snprintf(
        text, sizeof(text),
        PANEL("init", "\"modelId\":\"" CHAT_HOST_MODEL "\",\"dtype\":\"%s\""),
        names[i]);
    snprintf(wanted, sizeof(wanted), "\"dtype\":\"%s\"", names[i]);
    expect_answer(ask(&host, text), GOOD);
    expect(heard(&host), "\"type\":\"workerReady\"");
    expect(heard(&host), wanted);
    expect(ask(&host, BARE("getModelWorkerState")), wanted);
    CHECK(i == 0 || host.done == before); // the model is the same one
    expect(chat_host_do(&host, STATE, NULL), "\"dtype\":\"q4\"");
  }
  chat_host_free(&host);
  begin(&host);
  (void)say(&host, INIT_OF("quantized"));
  expect(next_order(&host, "download"), "\"dtype\":\"q8\"");
  chat_host_free(&host);
}

static void test_init_fails(void) {
  chat_host host;
  begin(&host);
  host.fail_order = 1;
  host.fail_words = "not_found: no such \"repository\"";
  const char *answer = ask(&host, INIT_OF("q4"));
  expect_answer(answer, "{\"success\":false,\"code\":\"not_found\",\"error\":"
                        "\"no such \\\"repository\\\"\"}");
  const char *said = heard(&host);
  expect(said, "{\"status\":\"error\",\"file\":\"q4\",\"modelId\":"
               "\"" CHAT_HOST_MODEL "\",\"loadId\":\"L1\",\"error\":"
               "\"no such \\\"repository\\\"\"}");
  expect(said, "{\"type\":\"error\",\"protocolVersion\":1,\"payload\":{"
               "\"error\":\"no such \\\"repository\\\"\",\"code\":"
               "\"not_found\"}}");
  expect_not(said, "\"loading\""); // it had not come so far
  expect_not(said, "workerReady");
  expect_not(said, "lastLoadedModel");
  expect_answer(
      ask(&host, BARE("getModelWorkerState")),
      "{\"state\":\"uninitialized\",\"modelId\":null,\"dtype\":null}");
  chat_host_free(&host);
}

static void test_state_is_never_stale(void) {
  chat_host host;
  bring(&host, TAM_CHAT_LOADING);
  expect_answer(ask(&host, BARE("checkBackgroundReady")),
                "{\"success\":true,\"ready\":true,\"message\":\"ready\"}");
  chat_host_free(&host);
  bring(&host, TAM_CHAT_LOADING);
  uint32_t op = say(&host, BARE("getModelWorkerState"));
  expect_answer(chat_host_end_of(&host, op),
                "{\"state\":\"loading_model\",\"modelId\":\"" CHAT_HOST_MODEL
                "\",\"dtype\":\"q4\"}");
  chat_host_run(&host);
  expect_answer(ask(&host, BARE("getModelWorkerState")),
                "{\"state\":\"model_ready\",\"modelId\":\"" CHAT_HOST_MODEL
                "\",\"dtype\":\"q4\"}");
  expect_answer(ask(&host, BARE("reset")), GOOD);
  expect(heard(&host), "{\"type\":\"resetComplete\",\"protocolVersion\":1}");
  CHECK_INT(host.thing_count, 0);
  expect_answer(
      ask(&host, BARE("getModelWorkerState")),
      "{\"state\":\"uninitialized\",\"modelId\":null,\"dtype\":null}");
  chat_host_free(&host);
}

static void test_restore(void) {
  static const char message[] =
      PANEL("restoreLastState",
            "\"lastLoadedModel\":" LAST ",\"lastChatSessionId\":\"s\\u0000\"");
  static const char good[] =
      "{\"success\":true,\"modelRestored\":true,\"lastModel\":" LAST
      ",\"lastChatSession\":\"s\\u0000\",\"currentModel\":{\"id\":"
      "\"" CHAT_HOST_MODEL "\",\"dtype\":\"q4\",\"ready\":true}}";
  chat_host host;
  begin(&host);
  expect_answer(ask(&host, message), good);
  expect(heard(&host), "\"type\":\"workerReady\"");
  expect_answer(ask(&host, message), good); // it is there
  expect_not(heard(&host), "workerReady");
  // What is there counts, not what was.
  expect_answer(ask(&host, INIT_OF("fp16")), GOOD);
  expect(ask(&host, message), "\"currentModel\":{\"id\":\"" CHAT_HOST_MODEL
                              "\",\"dtype\":\"fp16\",\"ready\":true}");
  chat_host_free(&host);
  // A load is on its way: it is waited for, and nothing else is loaded.
  bring(&host, TAM_CHAT_LOADING);
  expect_answer(ask(&host, message), good);
  CHECK_INT(fake_host_made(&host.host, FAKE_MADE_SESSION), 1);
  chat_host_free(&host);
}

static void test_restore_without_a_model(void) {
  chat_host host;
  begin(&host);
  expect_answer(ask(&host, BARE("restoreLastState")),
                "{\"success\":true,\"modelRestored\":false,\"currentModel\":{"
                "\"id\":null,\"dtype\":null,\"ready\":false}}");
  expect_answer(
      ask(&host, PANEL("restoreLastState", "\"lastLoadedModel\":7,"
                                           "\"lastChatSessionId\":null")),
      "{\"success\":true,\"modelRestored\":false,\"lastModel\":7,"
      "\"lastChatSession\":null,\"currentModel\":{"
      "\"id\":null,\"dtype\":null,\"ready\":false}}");
  CHECK_INT(host.done, 0);
  host.fail_order = 1;
  host.fail_words = "not_found: gone";
  expect_answer(
      ask(&host, PANEL("restoreLastState", "\"lastLoadedModel\":" LAST
                                           ",\"lastChatSessionId\":\"s\"")),
      "{\"success\":true,\"modelRestored\":false,\"lastModel\":" LAST
      ",\"lastChatSession\":\"s\",\"currentModel\":{\"id\":null,"
      "\"dtype\":null,\"ready\":false},\"code\":\"not_found\","
      "\"error\":\"gone\"}");
  chat_host_free(&host);
}

// A load that never ended took the process with it: not again by itself.
static void test_restore_after_a_crash(void) {
  chat_host host;
  begin(&host);
  expect(ask(&host, PANEL("restoreLastState",
                          "\"lastLoadedModel\":" LAST ",\"loading\":" LAST)),
         "\"modelRestored\":false");
  CHECK_INT(host.done, 0);
  // Another dtype went down: this one is innocent.
  expect(ask(&host, PANEL("restoreLastState",
                          "\"lastLoadedModel\":" LAST
                          ",\"loading\":{\"repoId\":\"" CHAT_HOST_MODEL
                          "\",\"quantPath\":\"fp16\"}")),
         "\"modelRestored\":true");
  expect_answer(ask(&host, INIT_OF("q4")), GOOD);
  chat_host_free(&host);
}

// ---------------------------------------------------------------------------
// Answering

static void test_generate(void) {
  chat_host host;
  bring(&host, TAM_CHAT_READY);
  script(&host, "all is well");
  expect_answer(
      ask(&host, PANEL("generate", "\"chatId\":\"c1\",\"messageId\":\"m1\","
                                   "\"options\":{\"system_prompt\":\"s\"},"
                                   "\"messages\":[" USER("hello") "]")),
      GOOD);
  const char *said = heard(&host);
  expect(said, "{\"type\":\"generationUpdate\",\"protocolVersion\":1,"
               "\"payload\":{\"chatId\":\"c1\",\"messageId\":\"m1\","
               "\"token\":\"");
  expect_order(said, "\"type\":\"generationUpdate\"",
               "{\"type\":\"generationComplete\",\"protocolVersion\":1,"
               "\"payload\":{\"chatId\":\"c1\",\"messageId\":\"m1\","
               "\"generatedText\":\"all is well\",\"output\":\"all is well\"");
  chat_host_free(&host);
}

static void test_generate_fails(void) {
  chat_host host;
  begin(&host);
  expect_answer(ask(&host, PANEL("generate", ASK_IN("hello"))),
                "{\"success\":false,\"code\":\"no_model\",\"error\":"
                "\"no model is loaded\"}");
  expect(heard(&host), "{\"type\":\"generationError\",\"protocolVersion\":1,"
                       "\"payload\":{\"chatId\":\"c1\",\"messageId\":\"m1\","
                       "\"error\":\"no model is loaded\",\"code\":"
                       "\"no_model\"}}");
  chat_host_free(&host);
}

// What the panel says in other words.
static void test_forms_of_a_chat(void) {
  static const char *const chats[] = {
      "\"messages\":[" USER("hello") "]",
      "\"message\":\"hello\"",
      "\"input\":\"hello\"",
      "\"input\":" USER("hello"),
  };
  int32_t tokens[TOKENS_MAX];
  chat_host host;
  bring(&host, TAM_CHAT_READY);
  size_t count = chat_host_render(HELLO, tokens, TOKENS_MAX);
  CHECK(count > 0);
  for (size_t i = 0; i < sizeof(chats) / sizeof(chats[0]); i++) {
    char text[512];
    // With TabAgent's own system prompt no answer would be the same.
    snprintf(text, sizeof(text),
             "{\"type\":\"sendChatMessage\",\"payload\":{%s,\"options\":{"
             "\"do_sample\":false,\"system_prompt\":\"s\","
             "\"max_new_tokens\":6}}}",
             chats[i]);
    expect_answer(ask(&host, text), GOOD);
    char *decoded;
    int32_t answer[TOKENS_MAX];
    static const char chat[] =
        "[{\"role\":\"system\",\"content\":\"s\"}," USER("hello") "]";
    size_t len = greedy(&host, chat, answer, 6);
    decoded = chat_host_decode(answer, len, 0);
    char wanted[256];
    snprintf(wanted, sizeof(wanted),
             "\"chatId\":null,\"messageId\":null,"
             "\"generatedText\":");
    expect(heard(&host), wanted);
    char *output = NULL;
    const char *at = strstr(heard(&host), "generationComplete");
    CHECK(at != NULL);
    if (at != NULL) {
      const char *from = strstr(at, "\"payload\":") + 10;
      size_t size = strcspn(from, "\n") - 1;
      char *object = malloc(size + 1);
      memcpy(object, from, size);
      object[size] = '\0';
      output = text_of(object, "output");
      CHECK(strcmp(output, decoded) == 0);
      free(object);
    }
    free(output);
    free(decoded);
    // At the top of the message, as older panels sent it.
  }
  chat_host_free(&host);
}

// TabAgent's own settings stand below what is saved, and are for its requests
// only. The room that an answer of 1024 tokens wants shows whether they count:
// at most a half of the context of 400 tokens.
static void test_default_settings(void) {
  char text[1024];
  char chat[512];
  char words[301];
  memset(words, 'w', 300);
  words[300] = '\0';
  snprintf(chat, sizeof(chat), "[{\"role\":\"user\",\"content\":\"%s\"}]",
           words);
  snprintf(text, sizeof(text),
           "{\"type\":\"generate\",\"payload\":{\"messages\":%s,\"options\":{"
           "\"system_prompt\":\"s\"}}}",
           chat);
  chat_host host;
  bring(&host, TAM_CHAT_READY);
  expect(ask(&host, text), "\"code\":\"context_overflow\"");
  expect(chat_host_do(&host, ASK("\"temperature\":0"), chat), DONE);
  // Another page saves settings, and says so.
  host.settings = "{\"id\":\"InferenceSettings\",\"max_new_tokens\":3,"
                  "\"enabled\":{\"max_new_tokens\":true}}";
  expect_answer(ask(&host, BARE("inferenceSettingsUpdate")), GOOD);
  expect_answer(ask(&host, text), GOOD);
  expect(heard(&host), "\"numTokens\":3");
  chat_host_free(&host);
  CHECK(strcmp(TAM_PANEL_DEFAULTS,
               "{\"temperature\":0.2,\"max_new_tokens\":1024,\"top_k\":3,"
               "\"do_sample\":true}") == 0);
}

// A chat without a system prompt gets the product's own; what was said first
// goes when there is no room for it.
static void test_system_prompt_and_length(void) {
  chat_host host;
  bring(&host, TAM_CHAT_READY);
  (void)say(&host, PANEL("generate", "\"messages\":[" USER("hello") "]"));
  expect(next_order(&host, "render"), "You are a helpful assistant");
  chat_host_run(&host);
  (void)say(&host,
            PANEL("generate", "\"messages\":[{\"role\":\"system\","
                              "\"content\":\"mine\"}," USER("hello") "]"));
  expect_not(next_order(&host, "render"), "You are a helpful assistant");
  chat_host_run(&host);
  char text[1024];
  char words[151];
  memset(words, 'w', 150);
  words[150] = '\0';
  snprintf(text, sizeof(text),
           "{\"type\":\"generate\",\"payload\":{\"messages\":[{\"role\":"
           "\"user\",\"content\":\"%s\"}," ASSISTANT(
               "x") ",{\"role\":"
                    "\"user\",\"content\":\"%s\"}],\"options\":{\"max_new_"
                    "tokens\":3,"
                    "\"system_prompt\":\"s\"}}}",
           words, words);
  expect_answer(ask(&host, text), GOOD);
  // Three times as much is too much.
  snprintf(text, sizeof(text),
           "{\"type\":\"generate\",\"payload\":{\"messages\":[{\"role\":"
           "\"user\",\"content\":\"first%s%s\"}," ASSISTANT(
               "x") ",{\"role\":"
                    "\"user\",\"content\":\"%s\"}],\"options\":{\"max_new_"
                    "tokens\":3,"
                    "\"system_prompt\":\"s\"}}}",
           words, words, words);
  (void)say(&host, text);
  expect(next_order(&host, "render"), "first");
  (void)chat_host_step(&host);
  expect_not(next_order(&host, "render"), "first");
  chat_host_run(&host);
  expect_answer(host.last, GOOD);
  chat_host_free(&host);
}

static void test_stop(void) {
  static const char *const stops[] = {BARE("stopGeneration"), BARE("interrupt"),
                                      BARE("interruptGeneration")};
  for (size_t i = 0; i < 3; i++) {
    chat_host host;
    bring(&host, TAM_CHAT_GENERATING);
    uint32_t answer = host.last_op - 1; // behind it the state was asked
    expect_answer(ask(&host, stops[i]), GOOD);
    expect_answer(chat_host_end_of(&host, answer), GOOD);
    expect(heard(&host), "{\"type\":\"generationStopped\"");
    expect_answer(ask(&host, stops[i]), GOOD); // there is nothing to stop
    chat_host_free(&host);
  }
}

static void test_clear_cache(void) {
  chat_host host;
  bring(&host, TAM_CHAT_READY);
  expect_answer(ask(&host, PANEL("generate", ASK_IN("hello"))), GOOD);
  CHECK_INT(fake_host_made(&host.host, FAKE_MADE_CACHE), 1);
  expect_answer(ask(&host, BARE("clearCache")), GOOD);
  expect(heard(&host), "{\"type\":\"cacheCleared\",\"protocolVersion\":1}");
  CHECK_INT(fake_host_made(&host.host, FAKE_MADE_CACHE), 0);
  // It never cuts an answer short.
  uint32_t answer = say(&host, PANEL("generate", ASK_IN("hello")));
  uint32_t clear = say(&host, BARE("clearCache"));
  CHECK(chat_host_end_of(&host, clear) == NULL);
  chat_host_run(&host);
  expect_answer(chat_host_end_of(&host, answer), GOOD);
  expect_answer(chat_host_end_of(&host, clear), GOOD);
  expect_order(heard(&host), "\"type\":\"generationComplete\"",
               "\"type\":\"cacheCleared\"");
  chat_host_free(&host);
}

// ---------------------------------------------------------------------------
// The rest

static void test_relays(void) {
  static const char *const names[] = {"setEnvConfig", "modelSourceSelection",
                                      "googleTermsAccepted",
                                      "mediaPipeModuleReady"};
  chat_host host;
  begin(&host);
  char text[256];
  for (size_t i = 0; i < 4; i++) {
    snprintf(text, sizeof(text),
             "{\"type\":\"%s\",\"payload\": [1, \"\\ud800\"]}", names[i]);
    expect_answer(ask(&host, text), GOOD);
    snprintf(text, sizeof(text),
             "{\"type\":\"%s\",\"protocolVersion\":1,\"payload\":[1, "
             "\"\\ud800\"]}\n",
             names[i]);
    expect_answer(heard(&host), text);
  }
  expect_answer(ask(&host, BARE("manifestUpdated")), GOOD);
  expect_answer(heard(&host),
                "{\"type\":\"manifestUpdated\",\"protocolVersion\":1}\n");
  expect_answer(ask(&host, "{\"type\":\"setBaseUrl\",\"baseUrl\":\"x\"}"),
                GOOD);
  expect_answer(heard(&host), "");
  expect_answer(ask(&host, PANEL("requestMemoryStats", "\"usedJSHeapSize\":5")),
                GOOD);
  expect_answer(heard(&host),
                "{\"type\":\"memoryStats\",\"protocolVersion\":1,\"payload\":{"
                "\"usedJSHeapSize\":5}}\n");
  // Nobody listens.
  CHECK_INT(chat_host_command(&host, BARE("manifestUpdated"), 0), 0);
  expect_answer(host.last, GOOD);
  chat_host_free(&host);
}

static void test_popups(void) {
  chat_host host;
  begin(&host);
  expect_answer(ask(&host, "{\"type\":\"getPopupForTab\",\"tabId\":7}"),
                "{\"popupId\":null}");
  expect_answer(ask(&host, "{\"type\":\"popupCreated\",\"tabId\":7,"
                           "\"popupId\":9}"),
                GOOD);
  expect_answer(ask(&host, PANEL("getPopupForTab", "\"tabId\":7")),
                "{\"popupId\":9}");
  // Which tab is meant is not guessed.
  expect_answer(ask(&host, "{\"type\":\"popupCreated\",\"popupId\":8}"),
                "{\"success\":false,\"code\":\"invalid_params\",\"error\":"
                "\"tabId and popupId: expected numbers\"}");
  expect_answer(ask(&host, "{\"type\":\"getPopupForTab\"}"),
                "{\"popupId\":null}");
  chat_host_free(&host);
}

static void test_panels(void) {
  chat_host host;
  bring(&host, TAM_CHAT_READY);
  expect_answer(ask(&host, "{\"type\":\"uiConnected\",\"payload\":{\"context\":"
                           "\"MainUI\"},\"senderId\":\"sidepanel-x\","
                           "\"timestamp\":1}"),
                GOOD);
  CHECK_INT(tam_manager_deadline(host.host.manager, host.host.now_ms), 120000);
  expect_answer(
      ask(&host, PANEL("uiDisconnected", "\"senderId\":\"sidepanel-x\"")),
      GOOD);
  CHECK_INT(tam_manager_deadline(host.host.manager, host.host.now_ms), 60000);
  tam_buf_reset(&host.said);
  host.host.now_ms += 60000;
  tam_event timer = {.kind = TAM_EVENT_TIMER};
  CHECK_INT(fake_host_feed(&host.host, &timer), 0);
  expect_answer(heard(&host),
                "{\"type\":\"tabagent:idle\",\"protocolVersion\":1}\n"
                "{\"type\":\"resetComplete\",\"protocolVersion\":1}\n");
  CHECK_INT(host.thing_count, 0);
  CHECK_INT(tam_manager_deadline(host.host.manager, host.host.now_ms), -1);
  chat_host_free(&host);
}

static void test_configure(void) {
  static const char *const wrong[] = {
      PANEL("tabagent:configure", "\"unloadGraceMs\":-1"),
      PANEL("tabagent:configure", "\"unloadAfterIdleMs\":\"5\""),
      PANEL("tabagent:configure", "\"unloadAfterIdleMs\":1e999"),
      PANEL("tabagent:configure", "\"suspendAfterMs\":true"),
  };
  chat_host host;
  bring(&host, TAM_CHAT_READY);
  CHECK_INT(tam_manager_deadline(host.host.manager, host.host.now_ms), -1);
  for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
    expect(ask(&host, wrong[i]),
           "\"success\":false,\"code\":\"invalid_params\"");
  }
  CHECK_INT(tam_manager_deadline(host.host.manager, host.host.now_ms), -1);
  expect_answer(
      ask(&host, PANEL("tabagent:configure", "\"unloadAfterIdleMs\":3000,"
                                             "\"unloadGraceMs\":null")),
      GOOD);
  expect_order(heard(&host), "\"type\":\"uiPing\"",
               "{\"type\":\"workerEnvReady\",\"protocolVersion\":1}");
  CHECK_INT(tam_manager_deadline(host.host.manager, host.host.now_ms), 3000);
  expect_answer(
      ask(&host, PANEL("tabagent:configure", "\"suspendAfterMs\":900")), GOOD);
  expect_answer(heard(&host),
                "{\"type\":\"tabagent:busy\",\"protocolVersion\":1}\n");
  CHECK_INT(tam_manager_deadline(host.host.manager, host.host.now_ms), 300);
  chat_host_free(&host);
}

static void test_pressure(void) {
  static const char *const messages[] = {BARE("tabagent:memoryPressure"),
                                         BARE("tabagent:suspend")};
  for (size_t i = 0; i < 2; i++) {
    chat_host host;
    bring(&host, TAM_CHAT_READY);
    expect_answer(ask(&host, messages[i]), GOOD);
    expect_answer(heard(&host),
                  "{\"type\":\"resetComplete\",\"protocolVersion\":1}\n");
    CHECK_INT(host.thing_count, 0);
    chat_host_free(&host);
    bring(&host, TAM_CHAT_GENERATING);
    expect_answer(ask(&host, messages[i]), GOOD);
    expect(heard(&host), "generationComplete");
    CHECK_INT(fake_host_made(&host.host, FAKE_MADE_SESSION), 1);
    chat_host_free(&host);
  }
}

int main(void) {
  RUN(test_every_request_in_every_state);
  RUN(test_init);
  RUN(test_names_of_dtypes);
  RUN(test_init_fails);
  RUN(test_state_is_never_stale);
  RUN(test_restore);
  RUN(test_restore_without_a_model);
  RUN(test_restore_after_a_crash);
  RUN(test_generate);
  RUN(test_generate_fails);
  RUN(test_forms_of_a_chat);
  RUN(test_default_settings);
  RUN(test_system_prompt_and_length);
  RUN(test_stop);
  RUN(test_clear_cache);
  RUN(test_relays);
  RUN(test_popups);
  RUN(test_panels);
  RUN(test_configure);
  RUN(test_pressure);
  return check_finish();
}
