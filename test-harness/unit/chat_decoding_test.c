// SPDX-License-Identifier: Apache-2.0
// Whole decodings without beams: lengths, ends, several rows, seeds, scores,
// guidance, and everything that is called at the wrong time.
#include "chat/decoding.h"

#include "chat/float_math.h"
#include "chat_model.h"

#define VOCAB 12

static const int32_t prompt[] = {1, 5, 3};
static const int32_t eos[] = {7, 2};

typedef struct bench {
  tam_generation_params params;
  tam_decoding *decoding;
  chat_model model;
} bench;

static const tam_decoding_setup usual = {.prompt = {prompt, 3},
                                         .vocab = VOCAB,
                                         .eos = {eos, 2},
                                         .pad = 9,
                                         .start_ms = 1000};

static int bench_init(bench *self, const char *request,
                      tam_decoding_setup setup, const tam_mem *mem) {
  memset(self, 0, sizeof(*self));
  int error = chat_params_init(&self->params, request, mem);
  setup.params = &self->params;
  if (error == 0) {
    error = tam_decoding_new(&self->decoding, &setup, mem);
  }
  if (error == 0) {
    chat_model_init(&self->model, VOCAB, 3, self->decoding, setup.prompt);
  }
  return error;
}

static void bench_free(bench *self) {
  tam_decoding_del(self->decoding);
  tam_generation_params_free(&self->params);
}

static int run(bench *self) {
  int status = 0;
  while (status == 0) {
    status = chat_model_step(&self->model, self->decoding, 1000);
  }
  return status;
}

// The most likely token that is not |except|.
static int32_t likeliest(const chat_model *model, int32_t last, size_t len,
                         int32_t except) {
  float logits[CHAT_MODEL_VOCAB_MAX];
  int32_t best = -1;
  chat_model_logits(model, last, len, logits);
  for (int32_t i = 0; i < VOCAB; i++) {
    if (i != except && (best < 0 || logits[i] > logits[best])) {
      best = i;
    }
  }
  return best;
}

static void greedy(void) {
  tam_mem mem = tam_mem_default();
  for (uint32_t seed = 0; seed < 50; seed++) {
    bench it;
    CHECK_INT(bench_init(&it, "{\"max_new_tokens\":30}", usual, &mem), 0);
    it.model.seed = seed;
    CHECK_INT(tam_decoding_rows(it.decoding), 1);
    CHECK_INT(run(&it), 1);
    tam_decoding_result result = tam_decoding_sequence(it.decoding, 0);
    int32_t last = prompt[2];
    CHECK(result.tokens.len > 0);
    for (size_t i = 0; i < result.tokens.len; i++) {
      CHECK_INT(result.tokens.ids[i], likeliest(&it.model, last, 3 + i, -1));
      last = result.tokens.ids[i];
      int is_end = last == eos[0] || last == eos[1];
      CHECK_INT(is_end,
                result.reason == TAM_END_EOS && i + 1 == result.tokens.len);
    }
    CHECK(result.reason == TAM_END_EOS || result.tokens.len == 30);
    CHECK(result.score == 0);
    CHECK_INT(chat_model_step(&it.model, it.decoding, 0),
              TAM_ERR_INVALID_STATE);
    bench_free(&it);
  }
}

// The tokens of prompt and answer together when no end token comes.
static size_t max_length(const char *request, tam_decoding_setup setup) {
  tam_mem mem = tam_mem_default();
  bench it;
  setup.eos = (tam_token_span){NULL, 0};
  CHECK_INT(bench_init(&it, request, setup, &mem), 0);
  CHECK_INT(run(&it), 1);
  tam_decoding_result result = tam_decoding_sequence(it.decoding, 0);
  CHECK_INT(result.reason, TAM_END_LENGTH);
  size_t length = setup.prompt.len + result.tokens.len;
  bench_free(&it);
  return length;
}

static int refusal(const char *request, tam_decoding_setup setup) {
  tam_mem mem = tam_mem_default();
  bench it;
  int error = bench_init(&it, request, setup, &mem);
  CHECK(it.decoding == NULL);
  bench_free(&it);
  return error;
}

static void lengths(void) {
  tam_decoding_setup setup = usual;
  CHECK_INT(max_length("{}", setup), 23);
  CHECK_INT(max_length("{\"max_length\":5}", setup), 5);
  CHECK_INT(max_length("{\"max_length\":5,\"max_new_tokens\":7}", setup), 10);
  CHECK_INT(refusal("{\"max_length\":3}", setup), TAM_ERR_INVALID_PARAMS);
  setup.context_len = 8;
  CHECK_INT(max_length("{}", setup), 8);
  CHECK_INT(max_length("{\"max_new_tokens\":100}", setup), 8);
  CHECK_INT(max_length("{\"max_new_tokens\":4}", setup), 7);
  setup.context_len = 3;
  CHECK_INT(refusal("{}", setup), TAM_ERR_TOO_LARGE);
  setup = usual;
  setup.prompt.len = 0;
  CHECK_INT(refusal("{}", setup), TAM_ERR_INVALID_ARGUMENT);
  setup = usual;
  setup.vocab = 0;
  CHECK_INT(refusal("{}", setup), TAM_ERR_INVALID_ARGUMENT);
}

// Without an end in sight the length decides, to the token.
static void whole_length(void) {
  tam_mem mem = tam_mem_default();
  bench it;
  CHECK_INT(bench_init(&it, "{\"suppress_tokens\":[2,7],\"max_new_tokens\":17}",
                       usual, &mem),
            0);
  CHECK_INT(run(&it), 1);
  CHECK_INT(tam_decoding_sequence(it.decoding, 0).tokens.len, 17);
  CHECK_INT(tam_decoding_sequence(it.decoding, 0).reason, TAM_END_LENGTH);
  bench_free(&it);
}

// The request's own end and padding stand over the model's.
static void ends_of_request(void) {
  tam_mem mem = tam_mem_default();
  bench it;
  CHECK_INT(bench_init(&it, "{\"max_new_tokens\":1}", usual, &mem), 0);
  CHECK_INT(run(&it), 1);
  int32_t first = tam_decoding_sequence(it.decoding, 0).tokens.ids[0];
  bench_free(&it);
  char request[80];
  snprintf(request, sizeof(request), "{\"eos_token_id\":%d}", (int)first);
  CHECK_INT(bench_init(&it, request, usual, &mem), 0);
  CHECK_INT(run(&it), 1);
  CHECK_INT(tam_decoding_sequence(it.decoding, 0).reason, TAM_END_EOS);
  CHECK_INT(tam_decoding_sequence(it.decoding, 0).tokens.len, 1);
  bench_free(&it);
  snprintf(request, sizeof(request),
           "{\"eos_token_id\":%d,\"suppress_tokens\":[%d]}", (int)first,
           (int)first);
  CHECK_INT(bench_init(&it, request, usual, &mem), 0);
  CHECK_INT(chat_model_step(&it.model, it.decoding, 0), 0);
  CHECK_INT(it.model.rows[0][3], likeliest(&it.model, prompt[2], 3, first));
  bench_free(&it);
}

// Rows end at their own time and are padded from then on.
static void rows(void) {
  static const char request[] =
      "{\"do_sample\":true,\"num_return_sequences\":5,\"seed\":4,"
      "\"max_new_tokens\":25,\"temperature\":3,\"top_k\":0}";
  tam_mem mem = tam_mem_default();
  bench it;
  CHECK_INT(bench_init(&it, request, usual, &mem), 0);
  CHECK_INT(tam_decoding_rows(it.decoding), 5);
  size_t done_at[5] = {0};
  int status = 0;
  for (size_t step = 1; status == 0; step++) {
    status = chat_model_step(&it.model, it.decoding, 0);
    for (size_t i = 0; i < 5; i++) {
      CHECK_INT(tam_decoding_parents(it.decoding)[i], i);
      if (done_at[i] != 0) {
        CHECK_INT(tam_decoding_tokens(it.decoding)[i], 9);
      } else if (tam_decoding_is_row_done(it.decoding, i)) {
        done_at[i] = step;
      }
    }
  }
  CHECK_INT(status, 1);
  CHECK_INT(tam_decoding_sequences(it.decoding), 5);
  int differences = 0;
  for (size_t i = 0; i < 5; i++) {
    tam_decoding_result each = tam_decoding_sequence(it.decoding, i);
    CHECK_INT(each.tokens.len, done_at[i]);
    CHECK_INT(memcmp(each.tokens.ids, it.model.rows[i] + 3,
                     each.tokens.len * sizeof(*each.tokens.ids)),
              0);
    differences += done_at[i] != done_at[0];
  }
  CHECK(differences > 0);
  bench_free(&it);
}

// Writes the tokens of all rows that |request| gives behind each other.
static size_t tokens_of(const char *request, int32_t *out) {
  tam_mem mem = tam_mem_default();
  bench it;
  size_t len = 0;
  CHECK_INT(bench_init(&it, request, usual, &mem), 0);
  CHECK_INT(run(&it), 1);
  for (size_t i = 0; i < tam_decoding_sequences(it.decoding); i++) {
    tam_token_span tokens = tam_decoding_sequence(it.decoding, i).tokens;
    memcpy(out + len, tokens.ids, tokens.len * sizeof(*out));
    len += tokens.len;
  }
  bench_free(&it);
  return len;
}

static void seeds(void) {
  int32_t a[200];
  int32_t b[200];
  static const char *const requests[] = {
      "{\"do_sample\":true,\"num_return_sequences\":3,\"seed\":%d}",
      "{\"do_sample\":true,\"temperature\":2,\"num_beams\":3,\"seed\":%d}",
      "{\"do_sample\":true,\"temperature\":2,\"top_k\":0,\"seed\":%d}",
  };
  for (size_t i = 0; i < 3; i++) {
    char one[120];
    char two[120];
    snprintf(one, sizeof(one), requests[i], 1);
    snprintf(two, sizeof(two), requests[i], 2);
    size_t len = tokens_of(one, a);
    CHECK_INT(tokens_of(one, b), len);
    CHECK_INT(memcmp(a, b, len * sizeof(*a)), 0);
    size_t other = tokens_of(two, b);
    CHECK(other != len || memcmp(a, b, len * sizeof(*a)) != 0);
  }
}

// The sum of the logarithms of the tokens' probabilities, after the filters.
static void scores(void) {
  static const struct {
    const char *request;
    double temperature;
  } cases[] = {
      {"{\"output_scores\":true,\"max_new_tokens\":6}", 1},
      {"{\"output_scores\":true,\"do_sample\":true,\"temperature\":1.5,"
       "\"top_k\":0,\"seed\":3}",
       1.5},
      {"{\"output_scores\":true,\"do_sample\":true,\"temperature\":1.5,"
       "\"top_k\":12,\"seed\":3}",
       1.5},
  };
  tam_mem mem = tam_mem_default();
  for (size_t i = 0; i < 3; i++) {
    bench it;
    CHECK_INT(bench_init(&it, cases[i].request, usual, &mem), 0);
    CHECK_INT(run(&it), 1);
    tam_decoding_result result = tam_decoding_sequence(it.decoding, 0);
    double sum = 0;
    int32_t last = prompt[2];
    for (size_t k = 0; k < result.tokens.len; k++) {
      float logits[CHAT_MODEL_VOCAB_MAX];
      double total = 0;
      chat_model_logits(&it.model, last, 3 + k, logits);
      for (size_t n = 0; n < VOCAB; n++) {
        total += tam_exp((double)logits[n] / cases[i].temperature);
      }
      last = result.tokens.ids[k];
      sum += (double)logits[last] / cases[i].temperature - tam_log(total);
    }
    CHECK(result.score - sum < 1e-4 && sum - result.score < 1e-4);
    CHECK(sum < 0);
    bench_free(&it);
  }
}

static void early_ends(void) {
  tam_mem mem = tam_mem_default();
  bench it;
  static const char request[] = "{\"do_sample\":true,\"num_return_sequences\":"
                                "3,\"suppress_tokens\":[2,7],"
                                "\"max_time\":0.5,\"max_new_tokens\":40}";
  CHECK_INT(bench_init(&it, request, usual, &mem), 0);
  CHECK_INT(chat_model_step(&it.model, it.decoding, 1000), 0);
  CHECK_INT(tam_decoding_stop_row(it.decoding, 1, TAM_END_STOP), 0);
  CHECK_INT(tam_decoding_stop_row(it.decoding, 1, TAM_END_STOPPED), 0);
  CHECK_INT(tam_decoding_is_row_done(it.decoding, 1), 1);
  CHECK_INT(chat_model_step(&it.model, it.decoding, 1499), 0);
  CHECK_INT(chat_model_step(&it.model, it.decoding, 1500), 1);
  CHECK_INT(tam_decoding_sequence(it.decoding, 0).reason, TAM_END_TIME);
  CHECK_INT(tam_decoding_sequence(it.decoding, 0).tokens.len, 3);
  CHECK_INT(tam_decoding_sequence(it.decoding, 1).reason, TAM_END_STOP);
  CHECK_INT(tam_decoding_sequence(it.decoding, 1).tokens.len, 1);
  bench_free(&it);
  CHECK_INT(bench_init(&it, request, usual, &mem), 0);
  CHECK_INT(tam_decoding_stop(it.decoding, TAM_END_STOPPED), 0);
  CHECK_INT(tam_decoding_is_done(it.decoding), 1);
  CHECK_INT(tam_decoding_sequence(it.decoding, 2).tokens.len, 0);
  CHECK_INT(tam_decoding_sequence(it.decoding, 2).reason, TAM_END_STOPPED);
  bench_free(&it);
}

static void wrong_calls(void) {
  tam_mem mem = tam_mem_default();
  float logits[VOCAB] = {1, 2, 3};
  bench it;
  CHECK_INT(bench_init(&it,
                       "{\"do_sample\":true,\"num_return_sequences\":2,"
                       "\"suppress_tokens\":[2,7]}",
                       usual, &mem),
            0);
  tam_decoding *self = it.decoding;
  CHECK_INT(tam_decoding_step(self, 0), TAM_ERR_INVALID_STATE);
  CHECK_INT(tam_decoding_take_logits(self, 0, logits, VOCAB - 1),
            TAM_ERR_INVALID_ARGUMENT);
  CHECK_INT(tam_decoding_take_logits(self, 2, logits, VOCAB),
            TAM_ERR_INVALID_ARGUMENT);
  CHECK_INT(tam_decoding_take_logits(self, 1, logits, VOCAB),
            TAM_ERR_INVALID_STATE);
  CHECK_INT(tam_decoding_take_unconditional(self, 0, logits, VOCAB),
            TAM_ERR_INVALID_STATE);
  CHECK_INT(tam_decoding_take_logits(self, 0, logits, VOCAB), 0);
  CHECK_INT(tam_decoding_take_logits(self, 0, logits, VOCAB),
            TAM_ERR_INVALID_STATE);
  CHECK_INT(tam_decoding_take_logits(self, 1, logits, VOCAB),
            TAM_ERR_INVALID_STATE);
  CHECK_INT(tam_decoding_step(self, 0), 0);
  CHECK_INT(tam_decoding_take_logits(self, 1, logits, VOCAB),
            TAM_ERR_INVALID_STATE);
  CHECK_INT(tam_decoding_take_logits(self, 0, logits, VOCAB), 0);
  CHECK_INT(tam_decoding_step(self, 0), TAM_ERR_INVALID_STATE);
  CHECK_INT(tam_decoding_take_logits(self, 1, logits, VOCAB), 0);
  CHECK_INT(tam_decoding_step(self, 0), 0);
  bench_free(&it);
}

// Nothing can be chosen: everything is banned, or the logits are broken.
static void no_choice(void) {
  static const char *const requests[] = {
      "{}",
      "{\"do_sample\":true}",
      "{\"do_sample\":true,\"top_k\":0}",
      "{\"do_sample\":true,\"top_k\":0,\"top_p\":0.5}",
      "{\"num_beams\":2}",
      "{\"num_beams\":2,\"do_sample\":true}"};
  tam_mem mem = tam_mem_default();
  for (size_t i = 0; i < sizeof(requests) / sizeof(requests[0]); i++) {
    bench it;
    float broken[VOCAB];
    for (size_t k = 0; k < VOCAB; k++) {
      broken[k] = k % 2 ? __builtin_nanf("") : -__builtin_inff();
    }
    CHECK_INT(bench_init(&it, requests[i], usual, &mem), 0);
    CHECK_INT(tam_decoding_take_logits(it.decoding, 0, broken, VOCAB),
              TAM_ERR_UNEXPECTED_SHAPE);
    bench_free(&it);
    // One of them is enough.
    CHECK_INT(bench_init(&it, requests[i], usual, &mem), 0);
    broken[3] = -900;
    CHECK_INT(tam_decoding_take_logits(it.decoding, 0, broken, VOCAB), 0);
    CHECK_INT(tam_decoding_step(it.decoding, 0), 0);
    CHECK_INT(tam_decoding_tokens(it.decoding)[0], 3);
    bench_free(&it);
  }
}

// With the second run's logits all equal, a scale above 1 changes no order but
// makes the likely more so; without them nothing is taken.
static void guided(void) {
  tam_mem mem = tam_mem_default();
  bench it;
  float logits[VOCAB] = {0};
  float other[VOCAB] = {0};
  CHECK_INT(bench_init(&it, "{\"guidance_scale\":3}", usual, &mem), 0);
  CHECK_INT(tam_decoding_is_guided(it.decoding), 1);
  CHECK_INT(tam_decoding_take_logits(it.decoding, 0, logits, VOCAB),
            TAM_ERR_INVALID_STATE);
  // 4 is likely without the prompt as well, 6 is what the prompt makes likely.
  logits[4] = 5;
  logits[6] = 4;
  other[4] = 5;
  CHECK_INT(tam_decoding_take_unconditional(it.decoding, 0, other, VOCAB), 0);
  CHECK_INT(tam_decoding_take_logits(it.decoding, 0, logits, VOCAB), 0);
  CHECK_INT(tam_decoding_step(it.decoding, 0), 0);
  CHECK_INT(tam_decoding_tokens(it.decoding)[0], 6);
  CHECK_INT(tam_decoding_take_logits(it.decoding, 0, logits, VOCAB),
            TAM_ERR_INVALID_STATE);
  bench_free(&it);
}

static int live(const tam_mem *mem, const char *request) {
  bench it;
  int status = bench_init(&it, request, usual, mem);
  if (status == 0) {
    status = run(&it);
  }
  bench_free(&it);
  return status;
}

static void failing_memory(void) {
  static const char *const requests[] = {
      ("{\"guidance_scale\":2,\"encoder_repetition_penalty\":2,"
       "\"suppress_tokens\":[2,7],\"max_new_tokens\":40}"),
      ("{\"do_sample\":true,\"num_return_sequences\":3,\"top_p\":0.9,"
       "\"top_k\":0,\"suppress_tokens\":[2,7],\"max_new_tokens\":60}")};
  for (size_t i = 0; i < 2; i++) {
    check_allocations(live, requests[i], 1);
  }
}

int main(void) {
  RUN(greedy);
  RUN(lengths);
  RUN(whole_length);
  RUN(ends_of_request);
  RUN(rows);
  RUN(seeds);
  RUN(scores);
  RUN(early_ends);
  RUN(wrong_calls);
  RUN(no_choice);
  RUN(guided);
  RUN(failing_memory);
  return check_finish();
}
