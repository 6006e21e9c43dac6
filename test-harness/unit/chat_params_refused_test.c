// SPDX-License-Identifier: Apache-2.0
// Parameters of the chat that are not understood are refused by name, wherever
// the request stands in the queue, and without an effect on others.
#include "chat_world.h"

#define REFUSED CODE("invalid_params")

static void refuse(chat_host *host, const char *message, const char *why) {
  const char *last = chat_host_do(host, message, HELLO);
  expect(last, REFUSED);
  expect(last, "\"stage\":\"params\"");
  expect(last, why);
}

static void test_names(void) {
  chat_host host;
  world_begin(&host, CHAT_LLAMA);
  refuse(&host, MESSAGE("generate", "\"setings\":{}"),
         "\"setings: expected no parameter of this name\"");
  refuse(&host, MESSAGE("generate", "\"temperature\":1"),
         "\"temperature: expected no parameter of this name\"");
  refuse(&host, LOAD_WITH(",\"model\":1"),
         "\"model: expected no parameter of this name\"");
  refuse(&host, MESSAGE("reset", "\"x\":1"),
         "\"x: expected no parameter of this name\"");
  refuse(&host, MESSAGE("stop", "\"x\":1"),
         "\"x: expected no parameter of this name\"");
  refuse(&host, MESSAGE("state", "\"x\":1"),
         "\"x: expected no parameter of this name\"");
  refuse(&host, MESSAGE("settings", "\"x\":1"),
         "\"x: expected no parameter of this name\"");
  refuse(&host, MESSAGE("updateSettings", "\"x\":1"),
         "\"x: expected no parameter of this name\"");
  chat_host_free(&host);
}

static void test_all_names_are_known(void) {
  chat_host host;
  world_begin(&host, CHAT_LLAMA);
  expect(chat_host_do(&host,
                      ASK_WITH("\"max_new_tokens\":2",
                               ",\"chatId\":\"a\",\"messageId\":"
                               "\"b\",\"tools\":[],\"overflow\":\"error\""),
                      HELLO),
         DONE);
  expect(chat_host_do(&host,
                      LOAD_WITH(",\"dtype\":\"q4\",\"task\":"
                                "\"text-generation\",\"loadId\":\"x\","
                                "\"device\":\"wasm\",\"revision\":null"),
                      NULL),
         LOADED);
  chat_host_free(&host);
}

// Beside the name of the request there are others.
static void test_style_without_params(void) {
  chat_host host;
  world_begin(&host, CHAT_LLAMA);
  expect(chat_host_do(&host,
                      "{\"type\":\"generate\",\"id\":1,\"other\":2,"
                      "\"settings\":{\"max_new_tokens\":2}}",
                      HELLO),
         "\"stopReason\":\"length\"");
  chat_host_free(&host);
}

static void test_kinds(void) {
  chat_host host;
  world_begin(&host, CHAT_LLAMA);
  refuse(&host, MESSAGE("generate", "\"settings\":[]"),
         "\"settings: expected an object\"");
  refuse(&host, MESSAGE("updateSettings", "\"settings\":1"),
         "\"settings: expected an object\"");
  refuse(&host, MESSAGE("updateSettings", "\"settings\":{\"top_p\":2}"),
         "top_p");
  refuse(&host, MESSAGE("updateSettings", "\"settings\":{\"json_mode\":1}"),
         "\"json_mode: expected true or false\"");
  refuse(&host, MESSAGE("settings", "\"modelId\":1"),
         "\"modelId: expected a short string\"");
  refuse(&host, MESSAGE("settings", "\"dtype\":\"q4\""),
         "\"dtype: expected a modelId beside it\"");
  refuse(&host, MESSAGE("generate", "\"chatId\":1"),
         "\"chatId: expected a string\"");
  refuse(&host, MESSAGE("generate", "\"messageId\":{}"),
         "\"messageId: expected a string\"");
  refuse(&host, MESSAGE("generate", "\"tools\":{}"),
         "\"tools: expected a list\"");
  expect(chat_host_do(&host, MESSAGE("generate", "\"overflow\":\"x\""), HELLO),
         "\"overflow: expected error, dropOldest or middleOut\"");
  expect(chat_host_do(&host, MESSAGE("generate", "\"overflow\":null"), HELLO),
         DONE);
  refuse(&host, MESSAGE("load", "\"modelId\":7"),
         "\"modelId: expected a short string\"");
  refuse(&host, MESSAGE("load", ""), "modelId: expected the id");
  refuse(&host, LOAD_WITH(",\"device\":\"gpu\""),
         "\"device: expected auto, webgpu or wasm\"");
  expect(chat_host_do(&host, LOAD_WITH(",\"task\":\"translation\""), NULL),
         CODE("unsupported_task"));
  chat_host_free(&host);
}

// Who is refused has nothing to do with what is under way.
static void test_an_answer_under_way(void) {
  static char long_id[1200];
  chat_host host;
  world_begin(&host, CHAT_LLAMA);
  memset(long_id, 0, sizeof(long_id));
  strcpy(long_id, "{\"action\":\"generate\",\"params\":{\"chatId\":\"");
  memset(long_id + strlen(long_id), 'x', 1100);
  strcat(long_id, "\"}}");
  const char *refused[] = {MESSAGE("generate", "\"x\":1"),
                           MESSAGE("generate", "\"tools\":1"), long_id};
  for (size_t i = 0; i < 3; i++) {
    for (int after = 1; after < 12; after++) {
      uint32_t op = chat_host_start(&host, ASK("\"max_new_tokens\":5"), HELLO);
      for (int step = 0; step < after; step++) {
        (void)chat_host_step(&host);
      }
      expect(chat_host_end_of(&host, chat_host_start(&host, refused[i], HELLO)),
             REFUSED);
      chat_host_run(&host);
      check_greedy(&host, chat_host_end_of(&host, op), HELLO, 5);
    }
  }
  chat_host_free(&host);
}

int main(void) {
  RUN(test_names);
  RUN(test_all_names_are_known);
  RUN(test_style_without_params);
  RUN(test_kinds);
  RUN(test_an_answer_under_way);
  return check_finish();
}
