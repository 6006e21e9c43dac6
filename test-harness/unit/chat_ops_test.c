// SPDX-License-Identifier: Apache-2.0
// Whole operations of the chat on a made-up model, each with the one answer
// that the model's logits allow: loading, and answers token by token.
#include "chat_world.h"

// ---------------------------------------------------------------------------
// Loading

static void test_load(void) {
  for (chat_kind kind = CHAT_LLAMA; kind < CHAT_KIND_COUNT; kind++) {
    chat_host host;
    world_begin(&host, kind);
    expect(host.last, "\"modelId\":\"" CHAT_HOST_MODEL "\"");
    expect(host.last, "\"dtype\":\"q4\"");
    expect(host.last, "\"commit\":\"" CHAT_HOST_COMMIT "\"");
    expect(host.last, "\"executionProvider\":\"wasm\"");
    expect(host.last, "\"contextLength\":400");
    expect_not(host.last, "warning");
    CHECK_INT(host.percent, 100);
    CHECK_INT(fake_host_made(&host.host, FAKE_MADE_SESSION),
              kind == CHAT_ENCODER || kind == CHAT_EMBEDDING ? 2 : 1);
    CHECK_INT(fake_host_made(&host.host, FAKE_MADE_TOKENIZER), 1);
    CHECK_INT(fake_host_made(&host.host, FAKE_MADE_CACHE), 0);
    chat_host_free(&host);
  }
}

static void test_load_again(void) {
  chat_host host;
  world_begin(&host, CHAT_LLAMA);
  unsigned orders = host.done;
  expect(chat_host_do(&host, LOAD, NULL), LOADED);
  expect(chat_host_do(&host, LOAD_WITH(",\"dtype\":\"q4\""), NULL), LOADED);
  expect(chat_host_do(&host, LOAD_WITH(",\"device\":\"wasm\""), NULL), LOADED);
  CHECK_INT(host.done, orders);
  // A name of a revision may have moved; the same name again means the same.
  expect(chat_host_do(&host, LOAD_WITH(",\"revision\":\"main\""), NULL),
         LOADED);
  unsigned named = host.done;
  CHECK(named > orders);
  expect(chat_host_do(&host, LOAD_WITH(",\"revision\":\"main\""), NULL),
         LOADED);
  CHECK_INT(host.done, named);
  // Another dtype is another model: the host has that one only.
  expect(chat_host_do(&host, LOAD_WITH(",\"dtype\":\"fp16\""), NULL), LOADED);
  // The old one's memory is given back in between: one order more.
  CHECK_INT(host.done, named + orders + 1);
  chat_host_free(&host);
}

// A model that cannot be had is no reason to lose the one that is there. It is
// released before anything of another is made.
static void test_load_another(void) {
  chat_host host;
  world_begin(&host, CHAT_LLAMA);
  size_t things = host.thing_count;
  host.fail_text = "\"do\":\"download\"";
  host.fail_words = "not_found: no such repository";
  const char *last =
      chat_host_do(&host, MESSAGE("load", "\"modelId\":\"a/b\""), NULL);
  expect(last, CODE("not_found"));
  expect(last, "\"stage\":\"download\"");
  expect(last, "\"no such repository\"");
  CHECK_INT(host.thing_count, things);
  expect(chat_host_do(&host, ASK("\"max_new_tokens\":2"), HELLO),
         "\"stopReason\":\"length\"");
  host.fail_text = "\"do\":\"open\"";
  host.fail_words = "store_failed: no disk";
  expect(chat_host_do(&host, MESSAGE("load", "\"modelId\":\"a/b\""), NULL),
         CODE("store_failed"));
  CHECK_INT(host.thing_count, 0);
  expect(chat_host_do(&host, ASK(""), HELLO), CODE("no_model"));
  host.fail_text = NULL;
  expect(chat_host_do(&host, LOAD, NULL), LOADED);
  chat_host_free(&host);
}

static void test_state(void) {
  chat_host host;
  memset(&host, 0, sizeof(host));
  CHECK_INT(chat_host_init(&host, CHAT_LLAMA), 0);
  expect(chat_host_do(&host, STATE, NULL), "\"state\":\"unloaded\"");
  (void)chat_host_start(&host, LOAD, NULL);
  (void)chat_host_start(&host, STATE, NULL);
  expect(host.last, "\"state\":\"loading\"");
  chat_host_run(&host);
  expect(chat_host_do(&host, STATE, NULL), "\"state\":\"ready\"");
  (void)chat_host_start(&host, ASK(""), HELLO);
  (void)chat_host_start(&host, STATE, NULL);
  expect(host.last, "\"state\":\"generating\"");
  expect(host.last, "\"busy\":true");
  chat_host_run(&host);
  expect(chat_host_do(&host, RESET, NULL), "\"reset:done\"");
  CHECK_INT(host.thing_count, 0);
  expect(chat_host_do(&host, STATE, NULL), "\"state\":\"unloaded\"");
  chat_host_free(&host);
}

static void test_devices(void) {
  static const struct {
    chat_webgpu webgpu;
    const char *message;
    const char *end;
  } cases[] = {
      {CHAT_WEBGPU_GOOD, LOAD, "\"executionProvider\":\"webgpu\""},
      {CHAT_WEBGPU_FAILS, LOAD, "\"executionProvider\":\"wasm\""},
      {CHAT_WEBGPU_FAILS, LOAD,
       "\"warning\":\"webgpu was not used: Error: no device\""},
      {CHAT_WEBGPU_FLAT, LOAD, "\"executionProvider\":\"wasm\""},
      {CHAT_WEBGPU_FLAT, LOAD,
       "\"warning\":\"webgpu was not used: the device computes no sensible "
       "numbers\""},
      {CHAT_WEBGPU_GOOD, LOAD_WITH(",\"device\":\"wasm\""),
       "\"executionProvider\":\"wasm\""},
      {CHAT_WEBGPU_NONE, LOAD_WITH(",\"device\":\"webgpu\""),
       "\"there is no WebGPU here\""},
      {CHAT_WEBGPU_FAILS, LOAD_WITH(",\"device\":\"webgpu\""),
       CODE("runtime_failed")},
      {CHAT_WEBGPU_FLAT, LOAD_WITH(",\"device\":\"webgpu\""),
       CODE("runtime_failed")},
  };
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
    for (chat_kind kind = CHAT_LLAMA; kind < CHAT_KIND_COUNT; kind++) {
      chat_host host;
      memset(&host, 0, sizeof(host));
      CHECK_INT(chat_host_init(&host, kind), 0);
      host.webgpu = cases[i].webgpu;
      const char *last = chat_host_do(&host, cases[i].message, NULL);
      expect(last, cases[i].end);
      if (strstr(last, LOADED) != NULL) {
        check_greedy(&host,
                     chat_host_do(&host, ASK("\"max_new_tokens\":5"), HELLO),
                     HELLO, 5);
      }
      chat_host_free(&host);
    }
  }
}

// Takes the file |path| out of the repository.
static void remove_file(chat_host *host, const char *path) {
  for (size_t i = 0; i < host->file_count; i++) {
    if (strcmp(host->files[i].path, path) == 0) {
      strcpy(host->files[i].path, "README.md");
    }
  }
}

// What a repository lacks, or has in a state that cannot be read.
static void test_stored_files(void) {
  static const struct {
    const char *path;
    const char *bytes; // NULL: it is not there
    const char *end;
  } cases[] = {
      {"config.json", "{\"a\":", CODE("json_truncated")},
      {"config.json", "{\"a\":", "config.json of the model cannot be read"},
      {"generation_config.json", "[", "generation_config.json of the model"},
      {"config.json", NULL, LOADED},
      {"generation_config.json", NULL, LOADED},
      {"tokenizer_config.json", NULL, LOADED},
      {"tokenizer.json", NULL, "the repository has no tokenizer.json"},
      {"onnx/model_q4.onnx", "not a graph", "cannot be read as an ONNX graph"},
      {"onnx/model_q4.onnx", NULL, CODE("unsupported_graph")},
      {"onnx/weights.onnx_data", NULL,
       "wants a file that the repository does not have: weights.onnx_data"},
  };
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
    chat_host host;
    memset(&host, 0, sizeof(host));
    CHECK_INT(chat_host_init(&host, CHAT_LLAMA), 0);
    if (cases[i].bytes != NULL) {
      chat_host_set_file(&host, cases[i].path, tam_span_of(cases[i].bytes));
    } else {
      remove_file(&host, cases[i].path);
    }
    expect(chat_host_do(&host, LOAD, NULL), cases[i].end);
    CHECK((host.thing_count > 0) == (strstr(host.last, LOADED) != NULL));
    chat_host_free(&host);
  }
}

static void test_data_in_pieces(void) {
  for (size_t piece = 1; piece < 9; piece++) {
    chat_host host;
    memset(&host, 0, sizeof(host));
    CHECK_INT(chat_host_init(&host, CHAT_LLAMA), 0);
    host.piece = piece;
    expect(chat_host_do(&host, LOAD, NULL), "\"contextLength\":400");
    check_greedy(&host, chat_host_do(&host, ASK("\"max_new_tokens\":5"), HELLO),
                 HELLO, 5);
    chat_host_free(&host);
  }
}

// ---------------------------------------------------------------------------
// Answers

static void test_greedy(void) {
  for (chat_kind kind = CHAT_LLAMA; kind < CHAT_KIND_COUNT; kind++) {
    chat_host host;
    world_begin(&host, kind);
    for (host.seed = 0; host.seed < 20; host.seed++) {
      const char *last =
          chat_host_do(&host, ASK("\"max_new_tokens\":30"), HELLO);
      check_greedy(&host, last, HELLO, 30);
    }
    chat_host_free(&host);
  }
}

// A model without a template goes on with a text, or has read it.
// Old models have the ids of forced tokens in config.json. As in the reference,
// they count when there is no generation_config.json.
static void test_forced_tokens(void) {
  static const char config[] =
      "{\"model_type\":\"llama\",\"max_position_embeddings\":400,"
      "\"vocab_size\":262,\"hidden_size\":16,\"num_attention_heads\":2,"
      "\"num_key_value_heads\":2,\"num_hidden_layers\":1,\"bos_token_id\":256,"
      "\"eos_token_id\":257,\"forced_bos_token_id\":65,"
      "\"forced_eos_token_id\":66}";
  static const char forced_bos[] = "\"forced_bos_token_id\":65";
  static const char forced_eos[] = "\"forced_eos_token_id\":[66]";
  chat_host host;
  memset(&host, 0, sizeof(host));
  CHECK_INT(chat_host_init(&host, CHAT_LLAMA), 0);
  chat_host_set_file(&host, "config.json", tam_span_of(config));
  expect(chat_host_do(&host, LOAD, NULL), LOADED);
  const char *last = chat_host_do(&host, ASK("\"max_new_tokens\":3"), HELLO);
  expect_not(last, forced_bos);
  expect_not(last, forced_eos);
  remove_file(&host, "generation_config.json");
  expect(chat_host_do(&host, RESET, NULL), "reset:done");
  expect(chat_host_do(&host, LOAD, NULL), LOADED);
  last = chat_host_do(&host, ASK("\"max_new_tokens\":3"), HELLO);
  expect(last, forced_bos);
  expect(last, forced_eos);
  last = chat_host_do(
      &host, ASK("\"max_new_tokens\":3,\"forced_bos_token_id\":67"), HELLO);
  expect(last, "\"forced_bos_token_id\":67");
  chat_host_free(&host);
}

static void test_no_template(void) {
  for (chat_kind kind = CHAT_LLAMA; kind < CHAT_KIND_COUNT; kind++) {
    chat_host host;
    memset(&host, 0, sizeof(host));
    CHECK_INT(chat_host_init(&host, kind), 0);
    host.has_no_template = 1;
    expect(chat_host_do(&host, LOAD, NULL), LOADED);
    const char *last =
        chat_host_do(&host, ASK("\"max_new_tokens\":5"), "\"once upon\"");
    check_greedy(&host, last, "\"once upon\"", 5);
    last = chat_host_do(&host, ASK("\"max_new_tokens\":5"),
                        "[" USER("a") "," ASSISTANT("b") "," USER("c") "]");
    if (kind == CHAT_ENCODER) {
      check_greedy(&host, last, "\"c\"", 5);
    } else {
      expect(last, CODE("template_failed"));
    }
    chat_host_free(&host);
  }
}

// Nothing beyond the end token, which is no text.
static void test_end(void) {
  chat_host host;
  world_begin(&host, CHAT_LLAMA);
  script(&host, "hi");
  const char *last = chat_host_do(&host, ASK("\"max_new_tokens\":30"), HELLO);
  expect_text(last, "text", "hi");
  expect(last, "\"stopReason\":\"eos\"");
  expect(last, "\"promptTokens\":7");
  expect(last, "\"newTokens\":3");
  CHECK(tam_span_is(tam_buf_span(&host.content), "hi"));
  chat_host_free(&host);
}

// What a prompt has goes through the network once, in parts of 256 tokens.
static void test_long_prompts(void) {
  static char chat[400];
  for (chat_kind kind = CHAT_LLAMA; kind < CHAT_KIND_COUNT; kind++) {
    chat_host host;
    world_begin(&host, kind);
    for (size_t len = 253; len <= 256; len++) {
      memset(chat, 0, sizeof(chat));
      strcpy(chat, "[{\"role\":\"user\",\"content\":\"");
      memset(chat + strlen(chat), 'y', len);
      strcat(chat, "\"}]");
      host.runs = 0;
      host.run_tokens = 0;
      const char *last = chat_host_do(
          &host, ASK("\"max_new_tokens\":2,\"use_cache\":false"), chat);
      check_greedy(&host, last, chat, 2);
      if (kind != CHAT_ENCODER) {
        CHECK_INT(host.runs, kind == CHAT_SINGLE ? len + 3
                             : len + 2 > 256     ? 3
                                                 : 2);
        CHECK_INT(host.run_tokens, len + 2 + 1);
      }
    }
    chat_host_free(&host);
  }
}

// ---------------------------------------------------------------------------
// The cache

static void ask_turn(chat_host *host, const char *message, const char *chat,
                     size_t reused) {
  const char *last = chat_host_do(host, message, chat);
  check_greedy(host, last, chat, 6);
  CHECK_INT(number_of(last, "reusedTokens"), reused);
}

#define TURN_OF(id) ASK_WITH("\"max_new_tokens\":6", ",\"chatId\":\"" id "\"")
#define TURN        TURN_OF("a")

static void test_turns(void) {
  for (chat_kind kind = CHAT_LLAMA; kind < CHAT_KIND_COUNT; kind++) {
    int can_reuse = kind != CHAT_ENCODER;
    int can_cut = can_reuse && kind != CHAT_CONV;
    chat_host host;
    world_begin(&host, kind);
    script(&host, "good");
    ask_turn(&host, TURN, HELLO, 0);
    // All of the first turn, with its answer, but for the end token.
    ask_turn(&host, TURN,
             "[" USER("hello") "," ASSISTANT("good") "," USER("more") "]",
             can_reuse ? 7 + 4 : 0);
    // The same prompt once more: its last token is run, for its logits.
    ask_turn(&host, TURN,
             "[" USER("hello") "," ASSISTANT("good") "," USER("more") "]",
             can_cut ? 7 + 5 + 5 - 1 : 0);
    // An answer that was edited: up to the first other token.
    ask_turn(&host, TURN,
             "[" USER("hello") "," ASSISTANT("goat") "," USER("more") "]",
             can_cut ? 7 + 2 : 0);
    // Another chat, and back.
    ask_turn(&host, TURN_OF("b"), HELLO, 0);
    ask_turn(&host, TURN, HELLO, 0);
    ask_turn(&host,
             ASK_WITH("\"max_new_tokens\":6,\"use_cache\":false",
                      ",\"chatId\":\"a\""),
             HELLO, 0);
    chat_host_free(&host);
  }
}

// A cache of several rows is none for the next turn.
static void test_turn_after_rows(void) {
  chat_host host;
  world_begin(&host, CHAT_LLAMA);
  script(&host, "good");
  expect(chat_host_do(&host,
                      ASK_WITH("\"max_new_tokens\":6,\"num_beams\":2",
                               ",\"chatId\":\"a\""),
                      HELLO),
         DONE);
  ask_turn(&host, TURN, HELLO, 0);
  ask_turn(&host, TURN, HELLO, 7 - 1);
  chat_host_free(&host);
}

// What was stopped has left a cache that says what it holds.
static void test_turn_after_stop(void) {
  for (chat_kind kind = CHAT_LLAMA; kind < CHAT_KIND_COUNT; kind++) {
    for (unsigned steps = 1; steps < 14; steps++) {
      chat_host host;
      world_begin(&host, kind);
      uint32_t op = chat_host_start(&host, TURN, HELLO);
      for (unsigned i = 0; i < steps; i++) {
        (void)chat_host_step(&host);
      }
      (void)chat_host_start(&host, STOP, NULL);
      chat_host_run(&host);
      expect(chat_host_end_of(&host, op), DONE);
      const char *last = chat_host_do(&host, TURN, HELLO);
      check_greedy(&host, last, HELLO, 6);
      chat_host_free(&host);
    }
  }
}

// ---------------------------------------------------------------------------
// Many at a time

static void test_queue(void) {
  chat_host host;
  world_begin(&host, CHAT_LLAMA);
  uint32_t first = host.last_op + 1;
  for (int i = 0; i < 64; i++) {
    (void)chat_host_start(&host, ASK("\"max_new_tokens\":2"), HELLO);
  }
  (void)chat_host_start(&host, ASK("\"max_new_tokens\":2"), HELLO);
  expect(host.last, CODE("busy"));
  expect(host.last, "\"retryable\":true");
  chat_host_run(&host);
  CHECK_INT(host.end_count, 1 + 64 + 1);
  for (uint32_t op = first; op < first + 64; op++) {
    check_greedy(&host, chat_host_end_of(&host, op), HELLO, 2);
    // The refused one was heard first, behind the load.
    CHECK_INT(host.ends[op - first + 2].op, op);
  }
  chat_host_free(&host);
}

// A text may come while others are answered; one beyond the cap ends its own
// request only.
static void test_texts_in_pieces(void) {
  chat_host host;
  world_begin(&host, CHAT_LLAMA);
  uint32_t running = chat_host_start(&host, ASK("\"max_new_tokens\":9"), HELLO);
  CHECK_INT(chat_host_command(&host, ASK("\"max_new_tokens\":3"), 1), 0);
  uint32_t op = host.last_op;
  for (const char *at = HELLO; *at != '\0'; at++) {
    CHECK_INT(chat_host_text(&host, op, at, 1), 0);
    (void)chat_host_step(&host);
  }
  chat_host_run(&host);
  CHECK(chat_host_end_of(&host, op) == NULL);
  CHECK_INT(chat_host_text(&host, op, NULL, 0), 0);
  CHECK_INT(chat_host_text(&host, op, NULL, 0), TAM_ERR_INVALID_STATE);
  CHECK_INT(chat_host_text(&host, op, "x", 1), TAM_ERR_INVALID_STATE);
  chat_host_run(&host);
  check_greedy(&host, chat_host_end_of(&host, running), HELLO, 9);
  check_greedy(&host, chat_host_end_of(&host, op), HELLO, 3);
  chat_host_free(&host);
}

static void test_longest_texts(void) {
  const size_t most = (size_t)8 << 20;
  chat_host host;
  world_begin(&host, CHAT_LLAMA);
  char *chat = malloc(most + 2);
  memset(chat, 'z', most + 1);
  memcpy(chat, "\"", 1);
  chat[most - 1] = '"';
  chat[most] = '\0';
  uint32_t running = chat_host_start(&host, ASK("\"max_new_tokens\":3"), HELLO);
  uint32_t longest = chat_host_start(&host, ASK(""), chat);
  memcpy(chat + most, "\n", 2);
  uint32_t longer = chat_host_start(&host, ASK(""), chat);
  expect(chat_host_end_of(&host, longer), CODE("too_large"));
  expect(chat_host_end_of(&host, longer), "at most 8 MiB");
  chat_host_run(&host);
  check_greedy(&host, chat_host_end_of(&host, running), HELLO, 3);
  expect(chat_host_end_of(&host, longest), CODE("context_overflow"));
  // Its characters and two tokens around them.
  expect(chat_host_end_of(&host, longest), "the chat has 8388608 tokens");
  free(chat);
  chat_host_free(&host);
}

int main(void) {
  RUN(test_load);
  RUN(test_load_again);
  RUN(test_load_another);
  RUN(test_state);
  RUN(test_devices);
  RUN(test_stored_files);
  RUN(test_data_in_pieces);
  RUN(test_greedy);
  RUN(test_forced_tokens);
  RUN(test_no_template);
  RUN(test_end);
  RUN(test_long_prompts);
  RUN(test_turns);
  RUN(test_turn_after_rows);
  RUN(test_turn_after_stop);
  RUN(test_queue);
  RUN(test_texts_in_pieces);
  RUN(test_longest_texts);
  return check_finish();
}
