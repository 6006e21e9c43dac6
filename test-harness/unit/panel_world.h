// SPDX-License-Identifier: Apache-2.0
// TabAgent's panel with the made-up model of chat_host.h: what it says, what it
// is answered, and what all hear.
#ifndef TAM_TEST_PANEL_WORLD_H
#define TAM_TEST_PANEL_WORLD_H

#include "chat/chat.h"
#include "chat_world.h"

#define PANEL(type, members) "{\"type\":\"" type "\",\"payload\":{" members "}}"
#define BARE(type)           "{\"type\":\"" type "\"}"
#define INIT_OF(dtype)                                                         \
  PANEL("init", "\"modelId\":\"" CHAT_HOST_MODEL "\",\"dtype\":\"" dtype       \
                "\",\"task\":\"text-generation\",\"loadId\":\"L1\"")
#define ASK_IN(chat)                                                           \
  "\"chatId\":\"c1\",\"messageId\":\"m1\",\"messages\":[" USER(                \
      chat) "],"                                                               \
            "\"options\":{\"max_new_tokens\":3,\"system_prompt\":\"s\"}"

#define GOOD "{\"success\":true}"

#define LAST                                                                   \
  "{\"repoId\":\"" CHAT_HOST_MODEL "\",\"quantPath\":\"q4\",\"loadedAt\":17}"

// Starts the operation of |message|; somebody hears what all hear.
static inline uint32_t say(chat_host *host, const char *message) {
  tam_buf_reset(&host->said);
  CHECK_INT(chat_host_command(host, message, TAM_COMMAND_FLAG_BROADCAST), 0);
  return host->last_op;
}

// Lets it come to its end, and returns what it is answered.
static inline const char *ask(chat_host *host, const char *message) {
  uint32_t op = say(host, message);
  chat_host_run(host);
  return chat_host_end_of(host, op);
}

static inline void expect_answer(const char *answer, const char *expected) {
  check_count++;
  if (answer == NULL || strcmp(answer, expected) != 0) {
    check_failures++;
    printf("answered %s, expected %s\n", answer == NULL ? "nothing" : answer,
           expected);
  }
}

// What all heard since the last request.
static inline const char *heard(chat_host *host) {
  tam_buf_append_byte(&host->said, 0);
  host->said.len--;
  return (const char *)host->said.data;
}

// Insists that |first| was heard, and |second| behind it.
static inline void expect_order(const char *text, const char *first,
                                const char *second) {
  const char *at = strstr(text, first);
  CHECK(at != NULL && strstr(at, second) != NULL);
}

static inline void begin(chat_host *host) {
  memset(host, 0, sizeof(*host));
  CHECK_INT(chat_host_init(host, CHAT_LLAMA), 0);
}

// ---------------------------------------------------------------------------
// States

static const char *const state_names[TAM_CHAT_STATE_COUNT] = {
    "\"unloaded\"", "\"loading\"", "\"ready\"", "\"generating\""};

static inline tam_chat_state state_of(chat_host *host) {
  CHECK_INT(chat_host_command(host, STATE, 0), 0);
  unsigned state = 0;
  while (strstr(host->last, state_names[state]) == NULL) {
    state++;
  }
  return (tam_chat_state)state;
}

// Brings a fresh host into |state|; nothing is answered to what it ordered.
static inline void bring(chat_host *host, tam_chat_state state) {
  begin(host);
  if (state != TAM_CHAT_UNLOADED) {
    (void)say(host, INIT_OF("q4"));
  }
  if (state == TAM_CHAT_READY || state == TAM_CHAT_GENERATING) {
    chat_host_run(host);
  }
  if (state == TAM_CHAT_GENERATING) {
    (void)say(host, PANEL("generate", ASK_IN("hello")));
  }
  CHECK_INT(state_of(host), state);
}

// Answers what is ordered until |verb| is, and returns that order.
static inline const char *next_order(chat_host *host, const char *verb) {
  char wanted[64];
  snprintf(wanted, sizeof(wanted), "{\"do\":\"%s\"", verb);
  while (host->order_count > 0 &&
         strstr(host->orders[0].text, wanted) == NULL) {
    (void)chat_host_step(host);
  }
  return host->order_count == 0 ? "" : host->orders[0].text;
}

// Has |run| meet each allocation that fails, sometimes with all behind it,
// until none is left; returns how many there were.
static inline size_t count_failing(int (*run)(size_t nth, int fail_after)) {
  size_t nth = 1;
  while (run(nth, 0)) {
    if (nth % 4 == 0) {
      (void)run(nth, 1);
    }
    nth++;
  }
  return nth - 1;
}

#endif // TAM_TEST_PANEL_WORLD_H
