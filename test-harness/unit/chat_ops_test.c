// SPDX-License-Identifier: Apache-2.0
// Whole operations of the chat on a made-up model, each with the one answer
// that the model's logits allow.
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
              kind >= CHAT_ENCODER ? 2 : 1);
    CHECK_INT(fake_host_made(&host.host, FAKE_MADE_TOKENIZER), 1);
    CHECK_INT(fake_host_made(&host.host, FAKE_MADE_CACHE), 0);
    chat_host_free(&host);
  }
}

static void test_answers(void) {
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

int main(void) {
  RUN(test_load);
  RUN(test_answers);
  return check_finish();
}
