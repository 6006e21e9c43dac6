// SPDX-License-Identifier: Apache-2.0
// Parameters of a generation: layers, ranges and what is said about wrong
// values, what depends on each other, and the two reports.
#include "chat_params.h"

typedef struct bench {
  tam_generation_params params;
  tam_buf why;
  tam_buf json;
  tam_mem mem;
} bench;

static void bench_init(bench *self, const tam_mem *mem) {
  self->mem = *mem;
  tam_generation_params_init(&self->params, &self->mem);
  tam_buf_init(&self->why, &self->mem, 4096);
  tam_buf_init(&self->json, &self->mem, 1U << 16);
}

static void bench_free(bench *self) {
  tam_generation_params_free(&self->params);
  tam_buf_free(&self->why);
  tam_buf_free(&self->json);
}

// Merges up to three layers (NULL: none) and settles.
static int merge_all(bench *self, const char *model, const char *saved,
                     const char *request, tam_generation_facts facts) {
  const char *const texts[] = {NULL, model, saved, request};
  int error = 0;
  for (int i = TAM_PARAMS_LAYER_MODEL; i <= TAM_PARAMS_LAYER_REQUEST; i++) {
    if (texts[i] != NULL && error == 0) {
      error = chat_params_merge(&self->params, (tam_params_layer)i, texts[i],
                                &self->why, &self->mem);
    }
  }
  return error != 0
             ? error
             : tam_generation_params_settle(&self->params, &facts, &self->why);
}

static const tam_generation_facts usual = {100, 1, 0};

// Checks both reports on three layers.
#define CHECK_REPORT(model, saved, request, effective, ignored)                \
  do {                                                                         \
    tam_mem mem_ = tam_mem_default();                                          \
    bench it_;                                                                 \
    bench_init(&it_, &mem_);                                                   \
    CHECK_INT(merge_all(&it_, model, saved, request, usual), 0);               \
    CHECK_SPAN(tam_buf_span(&it_.why), "");                                    \
    tam_generation_params_write_effective(&it_.params, &it_.json);             \
    CHECK_SPAN(tam_buf_span(&it_.json), effective);                            \
    tam_buf_reset(&it_.json);                                                  \
    tam_generation_params_write_ignored(&it_.params, &it_.json);               \
    CHECK_SPAN(tam_buf_span(&it_.json), ignored);                              \
    bench_free(&it_);                                                          \
  } while (0)

// Checks that |request| is refused, and what is said.
#define CHECK_REFUSED(request, says)                                           \
  do {                                                                         \
    tam_mem mem_ = tam_mem_default();                                          \
    bench it_;                                                                 \
    bench_init(&it_, &mem_);                                                   \
    CHECK_INT(merge_all(&it_, NULL, NULL, request, usual),                     \
              TAM_ERR_INVALID_PARAMS);                                         \
    CHECK_SPAN(tam_buf_span(&it_.why), says);                                  \
    bench_free(&it_);                                                          \
  } while (0)

#define SEEDED(text) text ",\"seed\":[0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0]}"

static void defaults(void) {
  tam_mem mem = tam_mem_default();
  bench it;
  bench_init(&it, &mem);
  CHECK(tam_generation_params_get(&it.params, TAM_PARAM_TOP_K) == 50);
  CHECK(tam_generation_params_get(&it.params, TAM_PARAM_TEMPERATURE) == 1);
  CHECK(tam_generation_params_get(&it.params, TAM_PARAM_TOP_P) == 1);
  CHECK(tam_generation_params_get(&it.params, TAM_PARAM_NUM_BEAMS) == 1);
  CHECK(tam_generation_params_get(&it.params, TAM_PARAM_USE_CACHE) == 1);
  CHECK(tam_generation_params_get(&it.params, TAM_PARAM_FORCED_BOS_TOKEN_ID) ==
        -1);
  CHECK(!tam_generation_params_is_given(&it.params, TAM_PARAM_TOP_K));
  bench_free(&it);
  CHECK_REPORT(NULL, NULL, "{}", "{\"do_sample\":false}", "[]");
  CHECK_REPORT(NULL, NULL, "{\"do_sample\":true}",
               SEEDED("{\"do_sample\":true,\"temperature\":1,\"top_k\":50"),
               "[]");
}

// A later layer wins; null is nothing; lists are replaced as a whole.
static void layers(void) {
  CHECK_REPORT("{\"do_sample\":true,\"top_p\":0.5,\"top_k\":20,\"min_p\":0.1}",
               "{\"top_p\":0.6,\"top_k\":30,\"typical_p\":null}",
               "{\"top_p\":0.7,\"top_k\":null}",
               SEEDED("{\"do_sample\":true,\"temperature\":1,\"top_k\":30,"
                      "\"top_p\":0.7,\"min_p\":0.1"),
               "[]");
  CHECK_REPORT("{\"suppress_tokens\":[1,2,3]}", NULL,
               "{\"suppress_tokens\":[7]}",
               "{\"do_sample\":false,\"suppress_tokens\":[7]}", "[]");
}

// generation_config.json: unknown names are normal, wrong values are ignored.
static void model_layer(void) {
  CHECK_REPORT("{\"_from_model_config\":true,\"transformers_version\":\"4.1\","
               "\"top_k\":-1,\"penalty_alpha\":0.6,\"temperature\":\"warm\","
               "\"pad_token_id\":0,\"eos_token_id\":[1,2],"
               "\"begin_suppress_tokens\":[5,500],\"num_return_sequences\":3}",
               NULL, "{}",
               "{\"do_sample\":false,\"eos_token_id\":[1,2],"
               "\"pad_token_id\":0}",
               "[{\"name\":\"top_k\",\"reason\":\"the value in "
               "generation_config.json is not valid\"},"
               "{\"name\":\"temperature\",\"reason\":\"the value in "
               "generation_config.json is not valid\"},"
               "{\"name\":\"num_return_sequences\",\"reason\":\"the value in "
               "generation_config.json does not go with the other "
               "parameters\"},"
               "{\"name\":\"begin_suppress_tokens\",\"reason\":"
               "\"generation_config.json names a token that the model does not "
               "have\"}]");
}

static void greedy(void) {
  CHECK_REPORT(NULL, NULL, "{\"do_sample\":true,\"temperature\":0}",
               "{\"do_sample\":false,\"temperature\":0}", "[]");
  CHECK_REPORT(NULL, NULL, "{\"do_sample\":true,\"temperature\":1e-40}",
               "{\"do_sample\":false,\"temperature\":0}", "[]");
  CHECK_REPORT(NULL, NULL,
               "{\"do_sample\":true,\"temperature\":0,\"top_p\":0.5}",
               "{\"do_sample\":false,\"temperature\":0}",
               "[{\"name\":\"top_p\",\"reason\":\"needs do_sample with a "
               "temperature above 0\"}]");
  // What is set to its default, and what the model's file says, is no news.
  CHECK_REPORT("{\"top_p\":0.8}", NULL,
               "{\"top_k\":5,\"temperature\":0.7,\"min_p\":0,\"seed\":7,"
               "\"length_penalty\":2,\"diversity_penalty\":1,"
               "\"decoder_start_token_id\":4}",
               "{\"do_sample\":false}",
               "[{\"name\":\"top_k\",\"reason\":\"needs do_sample\"},"
               "{\"name\":\"seed\",\"reason\":\"needs do_sample\"},"
               "{\"name\":\"diversity_penalty\",\"reason\":\"needs "
               "num_beam_groups above 1\"},"
               "{\"name\":\"length_penalty\",\"reason\":\"needs num_beams "
               "above 1\"},"
               "{\"name\":\"decoder_start_token_id\",\"reason\":\"the model "
               "has no encoder\"},"
               "{\"name\":\"temperature\",\"reason\":\"needs do_sample\"}]");
}

static void lengths(void) {
  CHECK_REPORT("{\"max_length\":20}", NULL, "{\"max_new_tokens\":5}",
               "{\"do_sample\":false,\"max_new_tokens\":5}", "[]");
  CHECK_REPORT(NULL, NULL, "{\"max_length\":20,\"max_new_tokens\":5}",
               "{\"do_sample\":false,\"max_new_tokens\":5}",
               "[{\"name\":\"max_length\",\"reason\":\"max_new_tokens is "
               "given\"}]");
  // What the request says is not undone by the model's file.
  CHECK_REPORT("{\"max_new_tokens\":5}", NULL, "{\"max_length\":20}",
               "{\"do_sample\":false,\"max_length\":20}", "[]");
}

static void all_kinds(void) {
  CHECK_REPORT(
      NULL, NULL,
      "{\"num_beams\":4,\"num_beam_groups\":2,\"diversity_penalty\":0.0003,"
      "\"length_penalty\":-1.25,\"early_stopping\":\"never\","
      "\"sequence_bias\":[[[1,2],-2.5],[[3],4]],\"logit_bias\":{\"9\":-100},"
      "\"bad_words_ids\":[[1],[2,3]],\"forced_eos_token_id\":7,"
      "\"exponential_decay_length_penalty\":[3,1.0625],\"stop\":\"a\\\"b\","
      "\"max_time\":1e30,\"repetition_penalty\":1e-9}",
      "{\"do_sample\":false,\"num_beams\":4,\"num_beam_groups\":2,"
      "\"diversity_penalty\":0.0003,\"length_penalty\":-1.25,"
      "\"early_stopping\":\"never\",\"sequence_bias\":[[[1,2],-2.5],[[3],4]],"
      "\"repetition_penalty\":0.000000001,\"logit_bias\":{\"9\":-100},"
      "\"bad_words_ids\":[[1],[2,3]],\"forced_eos_token_id\":[7],"
      "\"exponential_decay_length_penalty\":[3,1.0625],"
      "\"max_time\":1e30,\"stop_strings\":[\"a\\\"b\"]}",
      "[]");
  CHECK_REPORT(NULL, NULL,
               "{\"do_sample\":true,\"seed\":258,\"stop_strings\":[\"x\","
               "\"yy\"],\"top_k\":0,\"temperature\":0.2}",
               "{\"do_sample\":true,\"temperature\":0.2,\"top_k\":0,"
               "\"seed\":[2,1,0,0,0,0,0,0,0,0,0,0,0,0,0,0],"
               "\"stop_strings\":[\"x\",\"yy\"]}",
               "[]");
  CHECK_REPORT(NULL, NULL,
               "{\"do_sample\":true,"
               "\"seed\":[1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,255]}",
               "{\"do_sample\":true,\"temperature\":1,\"top_k\":50,"
               "\"seed\":[1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,255]}",
               "[]");
}

// However large or small: as JSON that reads back as the same number.
static void numbers(void) {
  CHECK_REPORT(NULL, NULL,
               "{\"length_penalty\":-1.5e30,\"num_beams\":2,"
               "\"repetition_penalty\":1e-300,"
               "\"encoder_repetition_penalty\":1.25e-25,"
               "\"presence_penalty\":1e-20,\"frequency_penalty\":-2.5e-7}",
               "{\"do_sample\":false,\"num_beams\":2,"
               "\"length_penalty\":-15e29,"
               "\"encoder_repetition_penalty\":125e-27,"
               "\"repetition_penalty\":1e-300,\"presence_penalty\":1e-20,"
               "\"frequency_penalty\":-0.00000025}",
               "[]");
  CHECK_REPORT(NULL, NULL,
               "{\"repetition_penalty\":2.5e-22,"
               "\"presence_penalty\":1.23456789e-17}",
               "{\"do_sample\":false,\"repetition_penalty\":25e-23,"
               "\"presence_penalty\":123456789e-25}",
               "[]");
  CHECK_REFUSED("{\"max_new_tokens\":1e20}",
                "max_new_tokens is 1e20, but must be a whole number from 1 to "
                "16777216");
}

static void ignored_names(void) {
  CHECK_REPORT(
      NULL, NULL,
      "{\"output_attentions\":true,\"output_hidden_states\":false,"
      "\"penalty_alpha\":0.6,\"constraints\":null,\"force_words_ids\":[[1]],"
      "\"forced_decoder_ids\":[],\"watermarking_config\":{\"bias\":1},"
      "\"prefix_allowed_tokens_fn\":\"f\",\"system_prompt\":\"x\","
      "\"enabled\":{},\"json_mode\":true,\"topp\":1,\"batch_size\":0}",
      "{\"do_sample\":false}",
      "[{\"name\":\"output_attentions\",\"reason\":\"the exported graph has no "
      "such output\"},"
      "{\"name\":\"penalty_alpha\",\"reason\":\"removed from the reference\"},"
      "{\"name\":\"force_words_ids\",\"reason\":\"removed from the "
      "reference\"},"
      "{\"name\":\"watermarking_config\",\"reason\":\"not supported\"},"
      "{\"name\":\"prefix_allowed_tokens_fn\",\"reason\":\"a function cannot "
      "be part of a message\"},"
      "{\"name\":\"topp\",\"reason\":\"no parameter of this name\"},"
      "{\"name\":\"batch_size\",\"reason\":\"no parameter of this name\"}]");
}

static void refused(void) {
  CHECK_REFUSED("{\"temperature\":-0.5}",
                "temperature is -0.5, but must be a number from 0 on");
  CHECK_REFUSED("{\"temperature\":\"0.5\"}",
                "temperature is \"0.5\", but must be a number from 0 on");
  CHECK_REFUSED("{\"temperature\":1e39}",
                "temperature is 1e39, but must be a number "
                "from 0 on");
  CHECK_REFUSED("{\"top_p\":1.01}",
                "top_p is 1.01, but must be a number from 0 to 1");
  CHECK_REFUSED("{\"typical_p\":0}",
                "typical_p is 0, but must be a number above 0 up to 1");
  CHECK_REFUSED("{\"epsilon_cutoff\":1}",
                "epsilon_cutoff is 1, but must be a number from 0 to below 1");
  CHECK_REFUSED("{\"repetition_penalty\":0}",
                "repetition_penalty is 0, but must be a number above 0");
  CHECK_REFUSED("{\"guidance_scale\":true}",
                "guidance_scale is true, but must be a finite number");
  CHECK_REFUSED("{\"top_k\":2.5}", "top_k is 2.5, but must be a whole number "
                                   "from 0 to 16777216");
  CHECK_REFUSED("{\"num_beams\":65}",
                "num_beams is 65, but must be a whole number from 1 to 64");
  CHECK_REFUSED("{\"max_new_tokens\":0}", "max_new_tokens is 0, but must be a "
                                          "whole number from 1 to 16777216");
  CHECK_REFUSED("{\"do_sample\":1}",
                "do_sample is 1, but must be true or false");
  CHECK_REFUSED("{\"seed\":[1,2]}",
                "seed is an array, but must be a whole number from 0 to "
                "9007199254740992 or a list of 16 bytes");
  CHECK_REFUSED("{\"seed\":-1}",
                "seed is -1, but must be a whole number from 0 to "
                "9007199254740992 or a list of 16 bytes");
  CHECK_REFUSED("{\"early_stopping\":\"always\"}",
                "early_stopping is \"always\", but must be true, false or "
                "\"never\"");
  CHECK_REFUSED("{\"sequence_bias\":[[1,2]]}",
                "sequence_bias is an array, but must be a list of [[token id, "
                "...], finite number]");
  CHECK_REFUSED("{\"logit_bias\":{\"x\":1}}",
                "logit_bias is an object, but must be an object of token ids "
                "and finite numbers");
  CHECK_REFUSED("{\"bad_words_ids\":[[]]}",
                "bad_words_ids is an array, but must be a list of lists of "
                "token ids");
  CHECK_REFUSED("{\"exponential_decay_length_penalty\":[1,0]}",
                "exponential_decay_length_penalty is an array, but must be a "
                "list of a whole number from 0 on and a number above 0");
  CHECK_REFUSED("{\"stop\":[\"\"]}",
                "stop is an array, but must be a text or a list of up to 64 "
                "texts, none of them empty");
  CHECK_REFUSED("{\"suppress_tokens\":[-1]}",
                "suppress_tokens is an array, but must be a whole number from "
                "0 to 16777216 or a list of them");
}

static void refused_together(void) {
  CHECK_REFUSED("{\"num_return_sequences\":2}",
                "num_return_sequences is 2, but must be 1 without do_sample "
                "and beams");
  CHECK_REFUSED("{\"num_return_sequences\":3,\"num_beams\":2}",
                "num_return_sequences is 3, but must be at most num_beams");
  CHECK_REFUSED("{\"num_beam_groups\":3,\"num_beams\":4}",
                "num_beam_groups is 3, but must be a divisor of num_beams");
  CHECK_REFUSED("{\"num_beam_groups\":2,\"num_beams\":4,\"do_sample\":true}",
                "num_beam_groups is 2, but must be 1 when do_sample is true");
  CHECK_REFUSED("{\"logit_bias\":{\"100\":1}}",
                "logit_bias names a token that the model does not have: ids "
                "are from 0 to 99");
  CHECK_REFUSED("{\"forced_bos_token_id\":100}",
                "forced_bos_token_id names a token that the model does not "
                "have: ids are from 0 to 99");
}

// Without an end token, what is about it has no meaning.
static void no_end(void) {
  tam_mem mem = tam_mem_default();
  tam_generation_facts facts = {0, 0, 1};
  bench it;
  bench_init(&it, &mem);
  CHECK_INT(merge_all(&it, NULL, NULL,
                      "{\"min_new_tokens\":3,\"decoder_start_token_id\":4}",
                      facts),
            0);
  CHECK(tam_generation_params_get(&it.params, TAM_PARAM_MIN_NEW_TOKENS) == 0);
  CHECK(tam_generation_params_get(&it.params,
                                  TAM_PARAM_DECODER_START_TOKEN_ID) == 4);
  tam_generation_params_write_ignored(&it.params, &it.json);
  CHECK_SPAN(tam_buf_span(&it.json), "[{\"name\":\"min_new_tokens\",\"reason\":"
                                     "\"there is no end token\"}]");
  bench_free(&it);
}

static void host_seed(void) {
  tam_mem mem = tam_mem_default();
  const uint8_t seed[16] = {9, 8, 7};
  bench it;
  bench_init(&it, &mem);
  CHECK_INT(merge_all(&it, NULL, NULL, "{\"do_sample\":true}", usual), 0);
  tam_generation_params_set_seed(&it.params, seed);
  CHECK_INT(it.params.seed[1], 8);
  bench_free(&it);
  bench_init(&it, &mem);
  CHECK_INT(
      merge_all(&it, NULL, NULL, "{\"do_sample\":true,\"seed\":1}", usual), 0);
  tam_generation_params_set_seed(&it.params, seed);
  CHECK_INT(it.params.seed[0], 1);
  bench_free(&it);
}

static int live(const tam_mem *mem, const char *request) {
  bench it;
  bench_init(&it, mem);
  int error = merge_all(&it, NULL, NULL, request, usual);
  bench_free(&it);
  return error;
}

static void failing_memory(void) {
  check_allocations(live,
                    "{\"suppress_tokens\":[1,2],\"stop\":[\"one\",\"two\"],"
                    "\"nothing\":1,\"sequence_bias\":[[[1,2],3]],\"top_k\":4}",
                    0);
}

int main(void) {
  RUN(defaults);
  RUN(layers);
  RUN(model_layer);
  RUN(greedy);
  RUN(lengths);
  RUN(all_kinds);
  RUN(numbers);
  RUN(ignored_names);
  RUN(refused);
  RUN(refused_together);
  RUN(no_end);
  RUN(host_seed);
  RUN(failing_memory);
  return check_finish();
}
