// SPDX-License-Identifier: Apache-2.0
// What changes logits: the values worked out by hand from the formulas of the
// reference, the edges of every rule, and the order of the rules.
#include "chat/logits_process.h"

#include "chat_params.h"

#define INF  __builtin_inff()
#define NONE __builtin_nanf("")
#define MAX  3.402823466e38F

#define VOCAB 6

static const float six[VOCAB] = {2, 1, 0.5F, 0, -1, -1};

typedef struct bench {
  tam_mem mem;
  tam_generation_params params;
  tam_logits_process process;
  tam_token_history history;
  float logits[VOCAB];
} bench;

static const int32_t eos[] = {4, 5};

static tam_token_span span_of(const int32_t *ids, size_t len) {
  return (tam_token_span){ids, len};
}

// A row with |prompt| of which the last |answer_len| tokens are the answer.
static int bench_init(bench *self, const char *params, tam_token_span tokens,
                      size_t answer_len, tam_token_span encoder,
                      const tam_mem *mem) {
  memset(self, 0, sizeof(*self));
  self->mem = *mem;
  memcpy(self->logits, six, sizeof(six));
  size_t prompt_len = tokens.len - answer_len;
  int error = chat_params_init(&self->params, params, &self->mem);
  tam_logits_process_setup setup = {
      &self->params, {eos, 2}, span_of(tokens.ids, prompt_len),
      encoder,       10,       VOCAB};
  if (error == 0) {
    error = tam_logits_process_init(&self->process, &setup, &self->mem);
  }
  if (error == 0) {
    error = tam_token_history_init(&self->history, tokens.ids, prompt_len,
                                   VOCAB, &self->mem);
  }
  for (size_t i = prompt_len; i < tokens.len && error == 0; i++) {
    error = tam_token_history_append(&self->history, tokens.ids[i]);
  }
  return error;
}

static void bench_free(bench *self) {
  tam_token_history_free(&self->history);
  tam_logits_process_free(&self->process);
  tam_generation_params_free(&self->params);
}

static int is_near(float actual, float expected) {
  float off = actual - expected;
  return actual == expected || (off < 6e-5F && off > -6e-5F);
}

static int check_row(const float *actual, const float *expected) {
  int is_same = 1;
  for (size_t i = 0; i < VOCAB; i++) {
    is_same = is_same && is_near(actual[i], expected[i]);
  }
  for (size_t i = 0; i < VOCAB && !is_same; i++) {
    printf("%zu: %g, expected %g\n", i, (double)actual[i], (double)expected[i]);
  }
  return is_same;
}

#define IDS(...)                                                               \
  span_of((const int32_t[]){__VA_ARGS__},                                      \
          sizeof((const int32_t[]){__VA_ARGS__}) / sizeof(int32_t))

// Checks what |params| make of |input| after |tokens|, the last |answer_len| of
// which are the answer.
#define CHECK_FROM(input, params, tokens, answer_len, ...)                     \
  do {                                                                         \
    tam_mem mem_ = tam_mem_default();                                          \
    bench bench_;                                                              \
    CHECK_INT(bench_init(&bench_, params, tokens, answer_len,                  \
                         span_of(NULL, 0), &mem_),                             \
              0);                                                              \
    memcpy(bench_.logits, input, sizeof(bench_.logits));                       \
    tam_logits_process_apply(&bench_.process, &bench_.history, bench_.logits); \
    CHECK(check_row(bench_.logits, (const float[VOCAB]){__VA_ARGS__}));        \
    bench_free(&bench_);                                                       \
  } while (0)

#define CHECK_ROW(params, tokens, answer_len, ...)                             \
  CHECK_FROM(six, params, tokens, answer_len, __VA_ARGS__)

static void nothing(void) {
  CHECK_ROW("{}", IDS(0, 1, 2), 0, 2, 1, 0.5F, 0, -1, -1);
}

// Once per token, however often it occurs; 0 is divided, like what is above it.
static void repetition(void) {
  CHECK_ROW("{\"repetition_penalty\":1.5}", IDS(0, 3, 4, 0, 4), 2, 1.3333F, 1,
            0.5F, 0, -1.5F, -1);
  CHECK_ROW("{\"repetition_penalty\":0.5}", IDS(0, 4), 0, 4, 1, 0.5F, 0, -0.5F,
            -1);
  CHECK_ROW("{\"encoder_repetition_penalty\":1.5}", IDS(0, 4, 1), 1, 3, 1, 0.5F,
            0, -0.6667F, -1);
  float bare[VOCAB] = {INF, -INF, NONE, 0, 0, 0};
  CHECK_FROM(bare, "{\"repetition_penalty\":2,\"remove_invalid_values\":true}",
             IDS(0, 1, 2), 0, MAX, -MAX, 0, 0, 0, 0);
}

// Presence counts once, frequency as often as it occurs, in the answer only.
static void presence_and_frequency(void) {
  CHECK_ROW("{\"presence_penalty\":0.5,\"frequency_penalty\":0.25}",
            IDS(0, 1, 1, 2, 1), 3, 2, 0, -0.25F, 0, -1, -1);
  CHECK_ROW("{\"frequency_penalty\":-1}", IDS(0, 3, 3), 2, 2, 1, 0.5F, 2, -1,
            -1);
  CHECK_ROW("{\"logit_bias\":{\"0\":-100,\"5\":3}}", IDS(1), 0, -98, 1, 0.5F, 0,
            -1, 2);
  // After the repetition penalty: (2 / 2) - 1 - 3.
  CHECK_ROW("{\"repetition_penalty\":2,\"presence_penalty\":1,"
            "\"logit_bias\":{\"0\":-3}}",
            IDS(3, 0), 1, -3, 1, 0.5F, 0, -1, -1);
}

static void ngrams(void) {
  CHECK_ROW("{\"no_repeat_ngram_size\":1}", IDS(0, 3), 0, -INF, 1, 0.5F, -INF,
            -1, -1);
  CHECK_ROW("{\"no_repeat_ngram_size\":2}", IDS(1, 2, 3, 1, 4, 1), 3, 2, 1,
            -INF, 0, -INF, -1);
  CHECK_ROW("{\"no_repeat_ngram_size\":3}", IDS(1, 2, 3, 1, 2), 0, 2, 1, 0.5F,
            -INF, -1, -1);
  CHECK_ROW("{\"no_repeat_ngram_size\":3}", IDS(3, 2, 3, 1, 2), 0, 2, 1, 0.5F,
            0, -1, -1);
  // One trigram that overlaps itself.
  CHECK_ROW("{\"no_repeat_ngram_size\":3}", IDS(1, 1, 1), 0, 2, -INF, 0.5F, 0,
            -1, -1);
  CHECK_ROW("{\"no_repeat_ngram_size\":4}", IDS(1, 1), 0, 2, 1, 0.5F, 0, -1,
            -1);
  // n-grams of the prompt only: that of the answer (1 3) does not count.
  CHECK_ROW("{\"encoder_no_repeat_ngram_size\":2}", IDS(1, 2, 1, 3, 1), 2, 2, 1,
            -INF, 0, -1, -1);
}

static void biases(void) {
  CHECK_ROW("{\"sequence_bias\":[[[0],1],[[0],2],[[1,2],5],[[3,2],5]]}",
            IDS(0, 1), 0, 5, 1, 5.5F, 0, -1, -1);
  // A sequence as long as the context counts, a longer one does not.
  CHECK_ROW("{\"sequence_bias\":[[[1,2],5],[[0,1,2],7]]}", IDS(0, 1), 0, 2, 1,
            5.5F, 0, -1, -1);
  CHECK_ROW("{\"sequence_bias\":[[[0,1,2],7]]}", IDS(3, 0, 1), 0, 2, 1, 7.5F, 0,
            -1, -1);
  // A lone end token (4) is exempt, one behind another token is not.
  CHECK_ROW("{\"bad_words_ids\":[[0],[4],[1,5],[2,3]]}", IDS(0, 1), 0, -INF, 1,
            0.5F, 0, -1, -INF);
}

static void lengths(void) {
  CHECK_ROW("{\"min_length\":4}", IDS(0, 1, 2), 0, 2, 1, 0.5F, 0, -INF, -INF);
  CHECK_ROW("{\"min_length\":3}", IDS(0, 1, 2), 0, 2, 1, 0.5F, 0, -1, -1);
  CHECK_ROW("{\"min_new_tokens\":2}", IDS(0, 1, 2), 1, 2, 1, 0.5F, 0, -INF,
            -INF);
  CHECK_ROW("{\"min_new_tokens\":2}", IDS(0, 1, 2), 2, 2, 1, 0.5F, 0, -1, -1);
  // P 3, L 7: two beyond the start; 1.5^2 - 1 of the size is added.
  CHECK_ROW("{\"exponential_decay_length_penalty\":[2,1.5]}",
            IDS(0, 0, 0, 1, 1, 1, 1), 4, 2, 1, 0.5F, 0, 0.25F, 0.25F);
  CHECK_ROW("{\"exponential_decay_length_penalty\":[2,1.5]}",
            IDS(0, 0, 0, 1, 1), 2, 2, 1, 0.5F, 0, -1, -1);
}

static void forced(void) {
  CHECK_ROW("{\"forced_bos_token_id\":2}", IDS(0), 0, -INF, -INF, 0, -INF, -INF,
            -INF);
  CHECK_ROW("{\"forced_bos_token_id\":2}", IDS(0, 1), 0, 2, 1, 0.5F, 0, -1, -1);
  // max_length is 10: the tenth token is forced.
  CHECK_ROW("{\"forced_eos_token_id\":[3,5]}", IDS(0, 0, 0, 0, 0, 0, 0, 0, 0),
            3, -INF, -INF, -INF, 0, -INF, 0);
  CHECK_ROW("{\"forced_eos_token_id\":3}", IDS(0, 0, 0, 0, 0, 0, 0, 0), 3, 2, 1,
            0.5F, 0, -1, -1);
  CHECK_ROW("{\"suppress_tokens\":[0,2]}", IDS(0, 1), 1, -INF, 1, -INF, 0, -1,
            -1);
  CHECK_ROW("{\"begin_suppress_tokens\":[0]}", IDS(0, 1), 0, -INF, 1, 0.5F, 0,
            -1, -1);
  CHECK_ROW("{\"begin_suppress_tokens\":[0]}", IDS(0, 1), 1, 2, 1, 0.5F, 0, -1,
            -1);
  // Behind a forced first token the beginning is one later.
  CHECK_ROW("{\"begin_suppress_tokens\":[0],\"forced_bos_token_id\":2}",
            IDS(1, 2), 1, -INF, 1, 0.5F, 0, -1, -1);
  CHECK_ROW("{\"begin_suppress_tokens\":[0],\"forced_bos_token_id\":2}", IDS(1),
            0, -INF, -INF, 0, -INF, -INF, -INF);
}

// Bans before remove_invalid_values become numbers, later ones stay.
static void order(void) {
  CHECK_ROW("{\"bad_words_ids\":[[0]],\"suppress_tokens\":[1],"
            "\"remove_invalid_values\":true}",
            IDS(3), 0, -MAX, -INF, 0.5F, 0, -1, -1);
  // A bias before the penalty: (2 + 2) / 2.
  CHECK_ROW("{\"sequence_bias\":[[[0],2]],\"repetition_penalty\":2}", IDS(0), 0,
            2, 1, 0.5F, 0, -1, -1);
}

// The encoder's input is what the encoder's penalties look at.
static void encoder(void) {
  tam_mem mem = tam_mem_default();
  bench it;
  CHECK_INT(bench_init(&it,
                       "{\"encoder_repetition_penalty\":2,"
                       "\"encoder_no_repeat_ngram_size\":2}",
                       IDS(0, 1), 1, IDS(2, 1, 3, 77), &mem),
            0);
  tam_logits_process_apply(&it.process, &it.history, it.logits);
  CHECK(check_row(it.logits, (const float[]){2, 2, 1, -INF, -1, -1}));
  bench_free(&it);
  // The decoder has fewer tokens than the beginning of an n-gram.
  CHECK_INT(bench_init(&it, "{\"encoder_no_repeat_ngram_size\":3}", IDS(1), 0,
                       IDS(2, 1, 3), &mem),
            0);
  tam_logits_process_apply(&it.process, &it.history, it.logits);
  CHECK(check_row(it.logits, six));
  bench_free(&it);
}

static void guidance(void) {
  tam_mem mem = tam_mem_default();
  bench it;
  float flat[VOCAB] = {7, 7, 7, 7, 7, 7};
  CHECK_INT(bench_init(&it, "{\"guidance_scale\":2}", IDS(0), 0,
                       span_of(NULL, 0), &mem),
            0);
  tam_logits_process_guide(&it.process, it.logits, flat, VOCAB);
  CHECK(check_row(it.logits, (const float[]){0.5876F, -1.4124F, -2.4124F,
                                             -3.4124F, -5.4124F, -5.4124F}));
  bench_free(&it);
}

static void normalize(void) {
  float three[3] = {2, 1, 0.5F};
  tam_logits_normalize(three, 3);
  CHECK(is_near(three[0], -0.4644F));
  CHECK(is_near(three[1], -1.4644F));
  CHECK(is_near(three[2], -1.9644F));
  float odd[4] = {NONE, -INF, 5, 5};
  tam_logits_normalize(odd, 4);
  CHECK(odd[0] != odd[0]);
  CHECK(odd[1] == -INF);
  CHECK(is_near(odd[2], -0.693147F));
  float none[2] = {-INF, NONE};
  tam_logits_normalize(none, 2);
  CHECK(none[0] == -INF);
}

static int live(const tam_mem *mem, const char *request) {
  bench it;
  int error = bench_init(&it, request, IDS(0, 1), 1, span_of(NULL, 0), mem);
  bench_free(&it);
  return error;
}

static void failing_memory(void) {
  check_allocations(
      live, "{\"encoder_repetition_penalty\":2,\"suppress_tokens\":[1]}", 0);
}

int main(void) {
  RUN(nothing);
  RUN(repetition);
  RUN(presence_and_frequency);
  RUN(ngrams);
  RUN(biases);
  RUN(lengths);
  RUN(forced);
  RUN(order);
  RUN(encoder);
  RUN(guidance);
  RUN(normalize);
  RUN(failing_memory);
  return check_finish();
}
