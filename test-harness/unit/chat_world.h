// SPDX-License-Identifier: Apache-2.0
// Requests of a chat, what must come of them by the made-up model of
// chat_host.h, and questions about it, for the tests of the chat's operations.
#ifndef TAM_TEST_CHAT_WORLD_H
#define TAM_TEST_CHAT_WORLD_H

#include "chat_host.h"

#include "core/json_tree.h"

#define MESSAGE(action, members)                                               \
  "{\"action\":\"" action "\",\"id\":7,\"params\":{" members "}}"

#define LOAD_WITH(members)                                                     \
  MESSAGE("load", "\"modelId\":\"" CHAT_HOST_MODEL "\"" members)
#define LOAD  LOAD_WITH("")
#define STOP  MESSAGE("stop", "")
#define RESET MESSAGE("reset", "")
#define STATE MESSAGE("state", "")

#define ASK_WITH(settings, members)                                            \
  MESSAGE("generate", "\"settings\":{" settings "}" members)
#define ASK(settings) ASK_WITH(settings, "")

#define USER(text)      "{\"role\":\"user\",\"content\":\"" text "\"}"
#define ASSISTANT(text) "{\"role\":\"assistant\",\"content\":\"" text "\"}"
#define HELLO           "[" USER("hello") "]"

#define DONE       "\"action\":\"generate:done\""
#define LOADED     "\"action\":\"load:done\""
#define STOPPED    "\"stopReason\":\"stopped\""
#define NO_MEMORY  "\"code\":\"out_of_memory\""
#define CODE(name) "\"code\":\"" name "\""

#define TOKENS_MAX 512

static inline void expect(const char *text, const char *part) {
  check_count++;
  if (text == NULL || strstr(text, part) == NULL) {
    check_failures++;
    printf("\"%s\" is not in %.3000s\n", part, text == NULL ? "-" : text);
  }
}

static inline void expect_not(const char *text, const char *part) {
  check_count++;
  if (text == NULL || strstr(text, part) != NULL) {
    check_failures++;
    printf("\"%s\" is in %.3000s\n", part, text == NULL ? "-" : text);
  }
}

// A host with a loaded model.
static inline void world_begin(chat_host *host, chat_kind kind) {
  memset(host, 0, sizeof(*host));
  CHECK_INT(chat_host_init(host, kind), 0);
  expect(chat_host_do(host, LOAD, NULL), LOADED);
}

// Returns the string |name| of a message, unescaped; the caller frees it.
static inline char *text_of(const char *message, const char *name) {
  tam_mem mem = tam_mem_default();
  tam_json_node *root = NULL;
  CHECK_INT(tam_json_tree_parse(&root, tam_span_of(message), &mem), 0);
  const char *text =
      tam_json_get_text(tam_json_get_member(root, tam_span_of(name)));
  char *copy = malloc(strlen(text) + 1);
  memcpy(copy, text, strlen(text) + 1);
  tam_json_tree_free(root, &mem);
  return copy;
}

static inline double number_of(const char *message, const char *name) {
  tam_mem mem = tam_mem_default();
  tam_json_node *root = NULL;
  CHECK_INT(tam_json_tree_parse(&root, tam_span_of(message), &mem), 0);
  double number =
      tam_json_get_number(tam_json_get_member(root, tam_span_of(name)));
  tam_json_tree_free(root, &mem);
  return number;
}

static inline void expect_text(const char *message, const char *name,
                               const char *expected) {
  char *text = text_of(message, name);
  check_count++;
  if (strcmp(text, expected) != 0) {
    check_failures++;
    printf("%s is \"%s\", expected \"%s\"\n", name, text, expected);
  }
  free(text);
}

static inline int32_t best_of(const float *logits) {
  int32_t best = 0;
  for (int32_t i = 1; i < CHAT_VOCAB; i++) {
    best = logits[i] > logits[best] ? i : best;
  }
  return best;
}

// The tokens that the decoder begins with, and what the encoder reads.
typedef struct world_prompt {
  int32_t tokens[TOKENS_MAX];
  size_t count;
  int32_t source[TOKENS_MAX];
  tam_span source_bytes;
} world_prompt;

static inline void prompt_of(world_prompt *prompt, const chat_host *host,
                             const char *chat) {
  memset(prompt, 0, sizeof(*prompt));
  prompt->count = chat_host_render(chat, prompt->tokens, TOKENS_MAX);
  if (host->kind == CHAT_ENCODER) {
    memcpy(prompt->source, prompt->tokens, sizeof(prompt->source));
    prompt->source_bytes = (tam_span){(const uint8_t *)prompt->source,
                                      prompt->count * sizeof(int32_t)};
    prompt->tokens[0] = CHAT_PAD;
    prompt->count = 1;
  }
}

// What the model answers, the best token at a time, at most |max| of them.
// Returns how many those are, the end token among them.
static inline size_t greedy(const chat_host *host, const char *chat,
                            int32_t *answer, size_t max) {
  world_prompt prompt;
  prompt_of(&prompt, host, chat);
  size_t count = 0;
  while (count < max && (count == 0 || answer[count - 1] != CHAT_EOS)) {
    float logits[CHAT_VOCAB];
    chat_host_logits(host, prompt.source_bytes, prompt.tokens,
                     prompt.count + count, logits);
    answer[count] = best_of(logits);
    prompt.tokens[prompt.count + count] = answer[count];
    count++;
  }
  return count;
}

// Holds the |message| about the answer to |chat| to what the model says.
static inline void check_greedy(const chat_host *host, const char *message,
                                const char *chat, size_t max) {
  int32_t tokens[TOKENS_MAX];
  size_t count = greedy(host, chat, tokens, max);
  char *text = chat_host_decode(tokens, count, 0);
  expect(message, DONE);
  expect_text(message, "output", text);
  CHECK_INT(number_of(message, "newTokens"), count);
  expect(message, tokens[count - 1] == CHAT_EOS ? "\"stopReason\":\"eos\""
                                                : "\"stopReason\":\"length\"");
  free(text);
}

// Has the model answer |text|.
static inline void script(chat_host *host, const char *text) {
  static int32_t tokens[TOKENS_MAX];
  host->script = tokens;
  host->script_len = strlen(text);
  for (size_t i = 0; i < host->script_len; i++) {
    tokens[i] = (uint8_t)text[i];
  }
}

#endif // TAM_TEST_CHAT_WORLD_H
