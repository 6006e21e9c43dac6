// SPDX-License-Identifier: Apache-2.0
// What the settings of a request do to its answer: each answer is the one that
// a calculation apart from the engine gives, or is bound to be.
#include "chat_world.h"

#include <math.h>

#define BEAMS 3

// ---------------------------------------------------------------------------
// Calculations

// Makes logarithms of probabilities of |logits|.
static void log_softmax(const float *logits, double *logs) {
  double max = logits[best_of(logits)];
  double sum = 0;
  for (int i = 0; i < CHAT_VOCAB; i++) {
    sum += exp(logits[i] - max);
  }
  for (int i = 0; i < CHAT_VOCAB; i++) {
    logs[i] = logits[i] - max - log(sum);
  }
}

typedef struct beam {
  int32_t tokens[TOKENS_MAX];
  size_t count; // with the prompt
  double score;
} beam;

// Keeps the |BEAMS| best continuations; there is no end token among them (the
// test sees to that).
static void search_step(const chat_host *host, tam_span source, beam *beams,
                        size_t *pcount) {
  static beam next[BEAMS + 1];
  size_t found = 0;
  for (size_t i = 0; i < *pcount; i++) {
    float logits[CHAT_VOCAB];
    double logs[CHAT_VOCAB];
    chat_host_logits(host, source, beams[i].tokens, beams[i].count, logits);
    log_softmax(logits, logs);
    for (int32_t token = 0; token < CHAT_VOCAB; token++) {
      double score = beams[i].score + logs[token];
      size_t at = found;
      while (at > 0 && next[at - 1].score < score) {
        at--;
      }
      if (at < BEAMS && token != CHAT_EOS) {
        found += found < BEAMS;
        memmove(&next[at + 1], &next[at], (found - at - 1) * sizeof(beam));
        next[at] = beams[i];
        next[at].tokens[next[at].count++] = token;
        next[at].score = score;
      }
    }
  }
  memcpy(beams, next, found * sizeof(beam));
  *pcount = found;
}

static void test_beams(void) {
  static beam beams[BEAMS];
  for (chat_kind kind = CHAT_LLAMA; kind < CHAT_SINGLE; kind++) {
    chat_host host;
    world_begin(&host, kind);
    for (host.seed = 0; host.seed < 10; host.seed++) {
      world_prompt prompt;
      prompt_of(&prompt, &host, HELLO);
      memcpy(beams[0].tokens, prompt.tokens, sizeof(prompt.tokens));
      beams[0].count = prompt.count;
      beams[0].score = 0;
      size_t count = 1;
      for (int i = 0; i < 4; i++) {
        search_step(&host, prompt.source_bytes, beams, &count);
      }
      const char *last =
          chat_host_do(&host,
                       ASK("\"max_new_tokens\":4,\"num_beams\":3,"
                           "\"suppress_tokens\":[257],\"length_penalty\":0"),
                       HELLO);
      char *text = chat_host_decode(beams[0].tokens + prompt.count, 4, 0);
      expect(last, DONE);
      expect_text(last, "text", text);
      free(text);
    }
    chat_host_free(&host);
  }
}

static void test_guidance(void) {
  for (chat_kind kind = CHAT_LLAMA; kind < CHAT_KIND_COUNT; kind++) {
    chat_host host;
    world_begin(&host, kind);
    for (host.seed = 0; host.seed < 10 && kind != CHAT_ENCODER; host.seed++) {
      world_prompt prompt;
      prompt_of(&prompt, &host, HELLO);
      size_t start = prompt.count;
      for (int i = 0; i < 6 && prompt.tokens[prompt.count - 1] != CHAT_EOS;
           i++) {
        float with[CHAT_VOCAB];
        float without[CHAT_VOCAB];
        double logs[2][CHAT_VOCAB];
        chat_host_logits(&host, TAM_SPAN_NONE, prompt.tokens, prompt.count,
                         with);
        chat_host_logits(&host, TAM_SPAN_NONE, prompt.tokens + start - 1,
                         prompt.count - start + 1, without);
        log_softmax(with, logs[0]);
        log_softmax(without, logs[1]);
        int32_t best = 0;
        double best_score = -INFINITY;
        for (int32_t token = 0; token < CHAT_VOCAB; token++) {
          double score =
              logs[1][token] + 1.7 * (logs[0][token] - logs[1][token]);
          best = score > best_score ? token : best;
          best_score = score > best_score ? score : best_score;
        }
        prompt.tokens[prompt.count++] = best;
      }
      char *text =
          chat_host_decode(prompt.tokens + start, prompt.count - start, 0);
      const char *last = chat_host_do(
          &host, ASK("\"max_new_tokens\":6,\"guidance_scale\":1.7"), HELLO);
      expect_text(last, "text", text);
      free(text);
    }
    const char *last = chat_host_do(
        &host, ASK("\"max_new_tokens\":5,\"guidance_scale\":1.7"), HELLO);
    if (kind == CHAT_ENCODER) {
      check_greedy(&host, last, HELLO, 5);
      expect(last, "{\"name\":\"guidance_scale\",\"reason\":\"the model has "
                   "an encoder\"}");
    }
    chat_host_free(&host);
  }
}

// Several rows, with and without guidance; the host holds their caches to what
// it knows.
static void test_sequences(void) {
  static const char *const settings[] = {
      ASK("\"max_new_tokens\":8,\"do_sample\":true,\"top_k\":0,\"seed\":1,"
          "\"num_return_sequences\":4"),
      ASK("\"max_new_tokens\":8,\"do_sample\":true,\"seed\":1,"
          "\"num_return_sequences\":4,\"guidance_scale\":3"),
      ASK("\"max_new_tokens\":8,\"num_beams\":4,\"num_return_sequences\":4,"
          "\"guidance_scale\":3"),
      ASK("\"max_new_tokens\":8,\"num_beams\":4,\"num_return_sequences\":4,"
          "\"num_beam_groups\":2,\"diversity_penalty\":0.5"),
  };
  for (chat_kind kind = CHAT_LLAMA; kind < CHAT_SINGLE; kind++) {
    chat_host host;
    world_begin(&host, kind);
    for (size_t i = 0; i < 4; i++) {
      const char *last = chat_host_do(&host, settings[i], HELLO);
      size_t count = 0;
      expect(last, DONE);
      const char *at = strstr(last, "\"sequences\":[");
      CHECK(at != NULL);
      while (at != NULL && (at = strstr(at, "\"score\":")) != NULL) {
        at++;
        count++;
      }
      CHECK_INT(count, 4);
    }
    chat_host_free(&host);
  }
}

static void test_one_row_only(void) {
  chat_host host;
  world_begin(&host, CHAT_SINGLE);
  const char *last = chat_host_do(&host, ASK("\"num_beams\":2"), HELLO);
  expect(last, CODE("invalid_params"));
  expect(last, "the graph of the model takes one row");
  last = chat_host_do(&host, ASK("\"max_new_tokens\":2"), HELLO);
  check_greedy(&host, last, HELLO, 2);
  chat_host_free(&host);
}

static char *sample(chat_host *host, const char *message) {
  const char *last = chat_host_do(host, message, HELLO);
  expect(last, DONE);
  return text_of(last, "text");
}

static void test_seed(void) {
#define SAMPLE(seed)                                                           \
  ASK("\"max_new_tokens\":20,\"do_sample\":true,\"top_k\":0,"                  \
      "\"temperature\":3" seed)
  chat_host host;
  world_begin(&host, CHAT_LLAMA);
  char *first = sample(&host, SAMPLE(",\"seed\":5"));
  char *same = sample(&host, SAMPLE(",\"seed\":5"));
  char *other = sample(&host, SAMPLE(",\"seed\":6"));
  char *any = sample(&host, SAMPLE(""));
  char *again = sample(&host, SAMPLE(""));
  CHECK(strcmp(first, same) == 0);
  CHECK(strcmp(first, other) != 0);
  CHECK(strcmp(any, again) != 0);
  free(first);
  free(same);
  free(other);
  free(any);
  free(again);
  const char *last = chat_host_do(
      &host, ASK("\"max_new_tokens\":20,\"do_sample\":true,\"temperature\":0"),
      HELLO);
  check_greedy(&host, last, HELLO, 20);
  chat_host_free(&host);
}

// ---------------------------------------------------------------------------
// Text

typedef struct text_case {
  const char *script;
  const char *message;
  const char *text;
  const char *more; // a part of the end
} text_case;

static const text_case text_cases[] = {
    {"hello STOP world",
     ASK("\"max_new_tokens\":40,\"stop_strings\":[\"never\",\"STOP\"]"),
     "hello ", "\"stopReason\":\"stop\""},
    {"hello STO", ASK("\"max_new_tokens\":40,\"stop_strings\":[\"STOP\"]"),
     "hello STO", "\"stopReason\":\"eos\""},
    {"\xe4\xbd\xa0\xe5\xa5\xbd \xf0\x9f\x98\x80!", ASK("\"max_new_tokens\":40"),
     "\xe4\xbd\xa0\xe5\xa5\xbd \xf0\x9f\x98\x80!", "\"stopReason\":\"eos\""},
    // Cut in the middle of a character.
    {"a\xf0\x9f\x98\x80", ASK("\"max_new_tokens\":3"), "a\xef\xbf\xbd",
     "\"stopReason\":\"length\""},
    {"<think>why not</think>yes", ASK("\"max_new_tokens\":40"), "yes",
     "\"reasoning\":\"why not\""},
    {"Sure: {\"a\": [1, 2]} and more",
     ASK("\"max_new_tokens\":60,\"json_mode\":true"), "{\"a\": [1, 2]}",
     "\"stopReason\":\"stop\""},
    {"{\"a\": [1, \"x", ASK("\"max_new_tokens\":60,\"json_mode\":true"),
     "{\"a\": [1, \"x\"]}", "\"stopReason\":\"eos\""},
    {"no object", ASK("\"max_new_tokens\":60,\"json_mode\":true"), "null",
     "\"stopReason\":\"eos\""},
    {"hm<tool_call>{\"name\":\"f\",\"arguments\":{\"a\":1}}</tool_call>",
     ASK_WITH("\"max_new_tokens\":90", ",\"tools\":[{}]"), "hm",
     "\"toolCalls\":[{\"name\":\"f\",\"arguments\":{\"a\":1}}]"},
    {"{\"name\":\"f\",\"parameters\":{}}",
     ASK_WITH("\"max_new_tokens\":90", ",\"tools\":[{}]"), "",
     "\"toolCalls\":[{\"name\":\"f\",\"arguments\":{}}]"},
    {"{\"name\":\"f\",\"parameters\":{}}", ASK("\"max_new_tokens\":90"),
     "{\"name\":\"f\",\"parameters\":{}}", "\"stopReason\":\"eos\""},
};

static void test_texts(void) {
  for (chat_kind kind = CHAT_LLAMA; kind < CHAT_KIND_COUNT; kind++) {
    chat_host host;
    world_begin(&host, kind);
    for (size_t i = 0; i < sizeof(text_cases) / sizeof(text_cases[0]); i++) {
      script(&host, text_cases[i].script);
      const char *last = chat_host_do(&host, text_cases[i].message, HELLO);
      expect(last, DONE);
      expect_text(last, "text", text_cases[i].text);
      expect(last, text_cases[i].more);
      // What was said on the way is the same, but for calls of tools.
      tam_buf_append_byte(&host.content, 0);
      CHECK(strstr(last, "toolCalls") != NULL ||
            strcmp((const char *)host.content.data, text_cases[i].text) == 0);
    }
    chat_host_free(&host);
  }
}

// A model that says anything at all: what is shown is JSON all the same.
static void test_json_of_anything(void) {
  tam_mem mem = tam_mem_default();
  chat_host host;
  world_begin(&host, CHAT_LLAMA);
  for (host.seed = 0; host.seed < 200; host.seed++) {
    char *text = sample(
        &host,
        ASK("\"max_new_tokens\":40,\"json_mode\":true,"
            "\"do_sample\":true,\"top_k\":0,\"logit_bias\":"
            "{\"123\":9,\"34\":8,\"91\":8,\"44\":8,\"125\":7,\"58\":8}"));
    tam_json_node *root = NULL;
    CHECK_INT(tam_json_tree_parse(&root, tam_span_of(text), &mem), 0);
    tam_json_tree_free(root, &mem);
    free(text);
  }
  chat_host_free(&host);
}

// ---------------------------------------------------------------------------
// Limits

static void test_max_time(void) {
  chat_host host;
  world_begin(&host, CHAT_LLAMA);
  script(&host, "a very long answer that takes its time");
  host.latency_ms = 100;
  const char *last =
      chat_host_do(&host, ASK("\"max_new_tokens\":40,\"max_time\":1.5"), HELLO);
  expect(last, "\"stopReason\":\"time\"");
  // Two orders for each token, and some before.
  CHECK(number_of(last, "newTokens") >= 4 && number_of(last, "newTokens") <= 8);
  chat_host_free(&host);
}

#define LONG                                                                   \
  "a text of a hundred characters, which has nothing to say, but that "        \
  "it is as long as this, and not shorter."

static void test_overflow(void) {
#define LONG_CHAT                                                              \
  "[" USER("1" LONG) "," ASSISTANT("2" LONG) "," USER("3" LONG) "," ASSISTANT( \
      "4" LONG) "," USER("5" LONG) "," ASSISTANT("6" LONG) "," USER("7" LONG) "]"
  chat_host host;
  world_begin(&host, CHAT_LLAMA);
  size_t one = sizeof(LONG) - 1 + 1 + 1; // with its number and end
  char words[100];
  snprintf(words, sizeof(words), "the chat has %zu tokens", 1 + 7 * one);
  const char *last = chat_host_do(
      &host, ASK_WITH("\"max_new_tokens\":9", ",\"overflow\":\"error\""),
      LONG_CHAT);
  expect(last, CODE("context_overflow"));
  expect(last, words);
  expect(last, "391 fit into the context of 400");
  last = chat_host_do(&host, ASK("\"max_new_tokens\":9"), LONG_CHAT);
  expect(last, CODE("context_overflow"));
  last = chat_host_do(
      &host, ASK_WITH("\"max_new_tokens\":9", ",\"overflow\":\"dropOldest\""),
      LONG_CHAT);
  check_greedy(
      &host, last,
      "[" USER("5" LONG) "," ASSISTANT("6" LONG) "," USER("7" LONG) "]", 9);
  expect(last, "\"droppedMessages\":4");
  last = chat_host_do(
      &host, ASK_WITH("\"max_new_tokens\":9", ",\"overflow\":\"middleOut\""),
      LONG_CHAT);
  check_greedy(
      &host, last,
      "[" USER("1" LONG) "," ASSISTANT("2" LONG) "," USER("7" LONG) "]", 9);
  expect(last, "\"droppedMessages\":4");
  chat_host_free(&host);
}

// The answer of a chat that fills the context ends with it.
static void test_context(void) {
  chat_host host;
  world_begin(&host, CHAT_LLAMA);
  static int32_t forever[400];
  for (size_t i = 0; i < 400; i++) {
    forever[i] = 'z';
  }
  host.script = forever;
  host.script_len = 400;
  const char *last = chat_host_do(&host, ASK("\"max_new_tokens\":1000"), HELLO);
  expect(last, "\"stopReason\":\"length\"");
  CHECK_INT(number_of(last, "newTokens"), 400 - 7);
  chat_host_free(&host);
}

int main(void) {
  RUN(test_beams);
  RUN(test_guidance);
  RUN(test_sequences);
  RUN(test_one_row_only);
  RUN(test_seed);
  RUN(test_texts);
  RUN(test_json_of_anything);
  RUN(test_max_time);
  RUN(test_overflow);
  RUN(test_context);
  return check_finish();
}
