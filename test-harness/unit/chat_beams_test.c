// SPDX-License-Identifier: Apache-2.0
// Beams: as many as there are beginnings find what trying everything finds;
// groups, draws without putting back, and ends before the end.
#include "chat/float_math.h"
#include "chat_model.h"

#define VOCAB 3
#define DEPTH 3
#define ALL   64

static const int32_t prompt[] = {1, 0};
static const int32_t eos[] = {2};

typedef struct sequence {
  double score;
  int32_t tokens[DEPTH];
  size_t len;
} sequence;

typedef struct all_sequences {
  sequence list[ALL];
  size_t len;
} all_sequences;

// The logarithms of the probabilities of what follows |last|.
static void log_probabilities(const chat_model *model, int32_t last, size_t len,
                              double *out) {
  float logits[CHAT_MODEL_VOCAB_MAX];
  double total = 0;
  chat_model_logits(model, last, len, logits);
  for (size_t i = 0; i < model->vocab; i++) {
    total += tam_exp((double)logits[i]);
  }
  for (size_t i = 0; i < model->vocab; i++) {
    out[i] = (double)logits[i] - tam_log(total);
  }
}

// Adds each way on from |begun|, depth first.
static void try_all(const chat_model *model, sequence begun, double sum,
                    double length_penalty, all_sequences *out) {
  double next[VOCAB];
  int32_t last = begun.len > 0 ? begun.tokens[begun.len - 1] : prompt[1];
  log_probabilities(model, last, 2 + begun.len, next);
  for (int32_t token = 0; token < VOCAB; token++) {
    sequence longer = begun;
    longer.tokens[longer.len++] = token;
    if (token != eos[0] && longer.len < DEPTH) {
      try_all(model, longer, sum + next[token], length_penalty, out);
      continue;
    }
    longer.score =
        (sum + next[token]) / tam_power((double)longer.len, length_penalty);
    size_t at = out->len++;
    for (; at > 0 && out->list[at - 1].score < longer.score; at--) {
      out->list[at] = out->list[at - 1];
    }
    out->list[at] = longer;
  }
}

static tam_decoding *start(tam_generation_params *params, const char *request,
                           const int32_t *ends, size_t ends_len,
                           const tam_mem *mem) {
  tam_decoding *self = NULL;
  int error = chat_params_init(params, request, mem);
  tam_decoding_setup setup = {.params = params,
                              .prompt = {prompt, 2},
                              .vocab = VOCAB,
                              .eos = {ends, ends_len},
                              .pad = -1};
  if (error == 0) {
    error = tam_decoding_new(&self, &setup, mem);
  }
  return error == 0 ? self : NULL;
}

static int is_near(double a, double b) {
  return a - b < 1e-5 && b - a < 1e-5;
}

static int is_same(tam_decoding_result got, const sequence *wanted) {
  return got.tokens.len == wanted->len && is_near(got.score, wanted->score) &&
         memcmp(got.tokens.ids, wanted->tokens,
                wanted->len * sizeof(*wanted->tokens)) == 0;
}

// Runs to the end; returns the last status.
static int run(chat_model *model, tam_decoding *decoding) {
  int status = 0;
  while (status == 0) {
    status = chat_model_step(model, decoding, 0);
  }
  return status;
}

static void exhaustive(void) {
  static const struct {
    const char *request;
    double length_penalty;
  } cases[] = {
      {"{\"num_beams\":64,\"num_return_sequences\":7,\"max_new_tokens\":3}", 1},
      {"{\"num_beams\":64,\"num_return_sequences\":7,\"max_new_tokens\":3,"
       "\"length_penalty\":0}",
       0},
      {"{\"num_beams\":64,\"num_return_sequences\":7,\"max_new_tokens\":3,"
       "\"length_penalty\":-1.5,\"early_stopping\":\"never\"}",
       -1.5},
      {"{\"num_beams\":64,\"num_return_sequences\":7,\"max_new_tokens\":3,"
       "\"length_penalty\":2,\"early_stopping\":true,"
       "\"renormalize_logits\":true}",
       2},
  };
  tam_mem mem = tam_mem_default();
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
    for (uint32_t seed = 0; seed < 30; seed++) {
      static chat_model model;
      all_sequences all = {.len = 0};
      sequence nothing = {0, {0}, 0};
      tam_generation_params params;
      tam_decoding *self = start(&params, cases[i].request, eos, 1, &mem);
      chat_model_init(&model, VOCAB, seed, self, (tam_token_span){prompt, 2});
      CHECK_INT(run(&model, self), 1);
      try_all(&model, nothing, 0, cases[i].length_penalty, &all);
      CHECK_INT(tam_decoding_sequences(self), 7);
      for (size_t k = 0; k < 7; k++) {
        CHECK(is_same(tam_decoding_sequence(self, k), &all.list[k]));
        CHECK_INT(tam_decoding_sequence(self, k).reason,
                  all.list[k].tokens[all.list[k].len - 1] == eos[0]
                      ? TAM_END_EOS
                      : TAM_END_LENGTH);
      }
      tam_decoding_del(self);
      tam_generation_params_free(&params);
    }
  }
}

// More beams than there are beginnings: the rest wait until there are enough.
static void dead_beams_come_alive(void) {
  tam_mem mem = tam_mem_default();
  static chat_model model;
  tam_generation_params params;
  tam_decoding *self = start(&params,
                             "{\"num_beams\":5,\"num_return_sequences\":5,"
                             "\"max_new_tokens\":2}",
                             NULL, 0, &mem);
  chat_model_init(&model, VOCAB, 5, self, (tam_token_span){prompt, 2});
  CHECK_INT(chat_model_step(&model, self, 0), 0);
  // Three tokens can begin: two beams have none, and are not asked again.
  CHECK_INT(tam_decoding_is_row_done(self, 2), 0);
  CHECK_INT(tam_decoding_is_row_done(self, 3), 1);
  CHECK_INT(tam_decoding_is_row_done(self, 4), 1);
  CHECK_INT(chat_model_step(&model, self, 0), 1);
  CHECK_INT(tam_decoding_sequences(self), 5);
  double last = 0;
  for (size_t i = 0; i < 5; i++) {
    tam_decoding_result each = tam_decoding_sequence(self, i);
    double first[VOCAB];
    double second[VOCAB];
    log_probabilities(&model, 0, 2, first);
    log_probabilities(&model, each.tokens.ids[0], 3, second);
    CHECK(is_near(each.score * 2,
                  first[each.tokens.ids[0]] + second[each.tokens.ids[1]]));
    CHECK(i == 0 || each.score <= last);
    last = each.score;
  }
  tam_decoding_del(self);
  tam_generation_params_free(&params);
}

// Two groups of one beam: the second sees what the first has chosen in the same
// step, however late that would otherwise be its own choice.
static void groups(void) {
  tam_mem mem = tam_mem_default();
  int differences = 0;
  for (uint32_t seed = 0; seed < 40; seed++) {
    static chat_model model;
    tam_generation_params params;
    tam_decoding *self =
        start(&params,
              "{\"num_beams\":2,\"num_beam_groups\":2,\"max_new_tokens\":3,"
              "\"diversity_penalty\":1.5,\"num_return_sequences\":2}",
              NULL, 0, &mem);
    chat_model_init(&model, VOCAB, seed, self, (tam_token_span){prompt, 2});
    int32_t lasts[2] = {0, 0};
    for (size_t step = 0; step < 3; step++) {
      int32_t wanted[2];
      for (int group = 0; group < 2; group++) {
        double next[VOCAB];
        log_probabilities(&model, lasts[group], 2 + step, next);
        if (group == 1) {
          next[wanted[0]] -= 1.5;
        }
        wanted[group] = 0;
        for (int32_t i = 1; i < VOCAB; i++) {
          wanted[group] = next[i] > next[wanted[group]] ? i : wanted[group];
        }
      }
      differences += wanted[0] != wanted[1];
      CHECK_INT(chat_model_step(&model, self, 0), step == 2);
      CHECK_INT(model.rows[0][2 + step], step == 2 ? 0 : wanted[0]);
      CHECK_INT(model.rows[1][2 + step], step == 2 ? 0 : wanted[1]);
      memcpy(lasts, wanted, sizeof(lasts));
    }
    CHECK_INT(tam_decoding_sequences(self), 2);
    CHECK(tam_decoding_sequence(self, 0).score >=
          tam_decoding_sequence(self, 1).score);
    tam_decoding_del(self);
    tam_generation_params_free(&params);
  }
  CHECK(differences > 20);
}

// A dead beam has chosen nothing: each token counts once, so that the second
// group ranks them as the first one does.
static void dead_beams_choose_nothing(void) {
  tam_mem mem = tam_mem_default();
  static chat_model model;
  tam_generation_params params;
  tam_decoding *self =
      start(&params,
            "{\"num_beams\":10,\"num_beam_groups\":2,\"max_new_tokens\":3,"
            "\"diversity_penalty\":50}",
            NULL, 0, &mem);
  chat_model_init(&model, VOCAB, 8, self, (tam_token_span){prompt, 2});
  CHECK_INT(chat_model_step(&model, self, 0), 0);
  for (size_t i = 0; i < VOCAB; i++) {
    CHECK_INT(model.rows[5 + i][2], model.rows[i][2]);
  }
  tam_decoding_del(self);
  tam_generation_params_free(&params);
}

// Of what luck has chosen, the beams go on in the order of their scores.
static void drawn_beams_are_ranked(void) {
  tam_mem mem = tam_mem_default();
  int differences = 0;
  for (int seed = 0; seed < 60; seed++) {
    static chat_model model;
    char request[120];
    double next[VOCAB];
    tam_generation_params params;
    snprintf(request, sizeof(request),
             "{\"num_beams\":2,\"do_sample\":true,\"seed\":%d,\"top_k\":0}",
             seed);
    tam_decoding *self = start(&params, request, NULL, 0, &mem);
    chat_model_init(&model, VOCAB, 4, self, (tam_token_span){prompt, 2});
    CHECK_INT(chat_model_step(&model, self, 0), 0);
    log_probabilities(&model, 0, 2, next);
    CHECK(next[model.rows[0][2]] > next[model.rows[1][2]]);
    CHECK_INT(chat_model_step(&model, self, 0), 0);
    differences += model.rows[0][2] != model.rows[1][2];
    tam_decoding_del(self);
    tam_generation_params_free(&params);
  }
  CHECK(differences > 0);
}

// Without a penalty every group finds the same.
static void equal_groups(void) {
  tam_mem mem = tam_mem_default();
  static chat_model model;
  tam_generation_params params;
  tam_decoding *self =
      start(&params,
            "{\"num_beams\":6,\"num_beam_groups\":3,\"max_new_tokens\":5,"
            "\"num_return_sequences\":6}",
            eos, 1, &mem);
  chat_model_init(&model, VOCAB, 77, self, (tam_token_span){prompt, 2});
  CHECK_INT(run(&model, self), 1);
  CHECK_INT(tam_decoding_sequences(self), 6);
  for (size_t i = 0; i < 6; i++) {
    tam_decoding_result a = tam_decoding_sequence(self, i);
    tam_decoding_result b = tam_decoding_sequence(self, i / 3 * 3);
    CHECK(a.score == b.score);
    CHECK_INT(a.tokens.len, b.tokens.len);
  }
  tam_decoding_del(self);
  tam_generation_params_free(&params);
}

// Two of three tokens are drawn without putting back: how often each pair comes
// follows from the probabilities.
static void draws_without_putting_back(void) {
  enum { ROUNDS = 20000 };
  tam_mem mem = tam_mem_default();
  static chat_model model;
  int counts[VOCAB] = {0}; // by the token that is left out
  double next[VOCAB];
  for (uint32_t seed = 0; seed < ROUNDS; seed++) {
    char request[160];
    tam_generation_params params;
    snprintf(request, sizeof(request),
             "{\"num_beams\":2,\"do_sample\":true,\"top_k\":0,\"seed\":%u,"
             "\"max_new_tokens\":1,\"num_return_sequences\":2}",
             (unsigned)seed);
    tam_decoding *self = start(&params, request, NULL, 0, &mem);
    chat_model_init(&model, VOCAB, 4, self, (tam_token_span){prompt, 2});
    CHECK_INT(run(&model, self), 1);
    int32_t a = tam_decoding_sequence(self, 0).tokens.ids[0];
    int32_t b = tam_decoding_sequence(self, 1).tokens.ids[0];
    CHECK(a != b);
    counts[3 - a - b]++;
    tam_decoding_del(self);
    tam_generation_params_free(&params);
  }
  log_probabilities(&model, 0, 2, next);
  double sum = 0;
  for (int out = 0; out < VOCAB; out++) {
    double a = tam_exp(next[(out + 1) % 3]);
    double b = tam_exp(next[(out + 2) % 3]);
    double expected = (a * b / (1 - a) + a * b / (1 - b)) * ROUNDS;
    CHECK(expected > 100);
    sum += (counts[out] - expected) * (counts[out] - expected) / expected;
  }
  CHECK(sum < 13.8); // two degrees of freedom, once in a thousand
}

// A stop string ends one beam; time ends all, with what they have.
static void early_ends(void) {
  tam_mem mem = tam_mem_default();
  static chat_model model;
  tam_generation_params params;
  tam_decoding *self = start(&params,
                             "{\"num_beams\":3,\"num_return_sequences\":3,"
                             "\"max_new_tokens\":6,\"max_time\":1}",
                             NULL, 0, &mem);
  chat_model_init(&model, VOCAB, 11, self, (tam_token_span){prompt, 2});
  CHECK_INT(chat_model_step(&model, self, 0), 0);
  CHECK_INT(chat_model_step(&model, self, 0), 0);
  int32_t first[2] = {model.rows[1][2], model.rows[1][3]};
  CHECK_INT(tam_decoding_stop_row(self, 1, TAM_END_STOP), 0);
  CHECK_INT(tam_decoding_is_row_done(self, 1), 1);
  CHECK_INT(tam_decoding_is_done(self), 0);
  CHECK_INT(chat_model_step(&model, self, 999), 0);
  CHECK_INT(tam_decoding_is_row_done(self, 1), 0); // another goes on there
  CHECK_INT(chat_model_step(&model, self, 1000), 1);
  CHECK_INT(tam_decoding_sequences(self), 3);
  int stopped = 0;
  for (size_t i = 0; i < 3; i++) {
    tam_decoding_result each = tam_decoding_sequence(self, i);
    if (each.reason == TAM_END_STOP) {
      stopped++;
      CHECK_INT(each.tokens.len, 2);
      CHECK_INT(memcmp(each.tokens.ids, first, sizeof(first)), 0);
    } else {
      CHECK_INT(each.reason, TAM_END_TIME);
      CHECK_INT(each.tokens.len, 4);
    }
  }
  CHECK(stopped <= 1);
  CHECK_INT(chat_model_step(&model, self, 1001), TAM_ERR_INVALID_STATE);
  tam_decoding_del(self);
  tam_generation_params_free(&params);
}

// Stopped before anything came: one empty answer.
static void stopped_at_once(void) {
  tam_mem mem = tam_mem_default();
  tam_generation_params params;
  tam_decoding *self = start(&params, "{\"num_beams\":3}", eos, 1, &mem);
  CHECK_INT(tam_decoding_stop(self, TAM_END_STOPPED), 0);
  CHECK_INT(tam_decoding_is_done(self), 1);
  CHECK_INT(tam_decoding_sequences(self), 1);
  CHECK_INT(tam_decoding_sequence(self, 0).tokens.len, 0);
  CHECK_INT(tam_decoding_sequence(self, 0).reason, TAM_END_STOPPED);
  tam_decoding_del(self);
  tam_generation_params_free(&params);
}

static int live(const tam_mem *mem, const char *request) {
  static chat_model model;
  tam_generation_params params;
  tam_decoding *self = start(&params, request, eos, 1, mem);
  int status = self != NULL ? 0 : TAM_ERR_OUT_OF_MEMORY;
  if (self != NULL) {
    chat_model_init(&model, VOCAB, 3, self, (tam_token_span){prompt, 2});
    status = run(&model, self);
  }
  tam_decoding_del(self);
  tam_generation_params_free(&params);
  return status;
}

static void failing_memory(void) {
  static const char *const requests[] = {
      ("{\"num_beams\":4,\"num_beam_groups\":2,\"max_new_tokens\":40,"
       "\"diversity_penalty\":1}"),
      "{\"num_beams\":3,\"do_sample\":true,\"max_new_tokens\":20}"};
  for (size_t i = 0; i < 2; i++) {
    check_allocations(live, requests[i], 1);
  }
}

int main(void) {
  RUN(exhaustive);
  RUN(dead_beams_come_alive);
  RUN(groups);
  RUN(dead_beams_choose_nothing);
  RUN(drawn_beams_are_ranked);
  RUN(equal_groups);
  RUN(draws_without_putting_back);
  RUN(early_ends);
  RUN(stopped_at_once);
  RUN(failing_memory);
  return check_finish();
}
