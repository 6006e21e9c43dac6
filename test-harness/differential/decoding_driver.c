// SPDX-License-Identifier: Apache-2.0
// Lets JavaScript ask what becomes of logits. A question on standard input is
// eight numbers of 32 bits (what is asked, the lengths of what follows:
// request, prompt, answer so far, end tokens; the size of the vocabulary,
// max_length, and the seed of the toy model), the request as JSON, the three
// lists of tokens, and for all but "decode" the logits. Answers end with NUL:
//   process  the changed logits, as eight hexadecimal digits each
//   filter   the tokens that are kept
//   decode   a line for each sequence: score, reason and tokens
// or "error" and the code.
#include "chat/decoding.h"
#include "chat/logits_process.h"
#include "chat/sampler.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PROCESS, FILTER, DECODE };

typedef struct question {
  uint32_t what;
  uint32_t request_len;
  uint32_t prompt_len;
  uint32_t answer_len;
  uint32_t eos_len;
  uint32_t vocab;
  uint32_t max_length;
  uint32_t seed;
  char *request;
  int32_t *tokens; // prompt and answer
  int32_t *eos;
  float *logits;
} question;

static void *read_bytes(size_t size) {
  void *bytes = malloc(size + 1);
  if (bytes == NULL || fread(bytes, 1, size, stdin) != size) {
    exit(1);
  }
  return bytes;
}

static int read_question(question *self) {
  if (fread(self, 4, 8, stdin) != 8) {
    return 0;
  }
  self->request = read_bytes(self->request_len);
  self->tokens = read_bytes((self->prompt_len + self->answer_len) * 4);
  self->eos = read_bytes(self->eos_len * 4);
  self->logits = read_bytes(self->what == DECODE ? 0 : self->vocab * 4);
  return 1;
}

static int read_params(const question *self, tam_generation_params *params,
                       const tam_mem *mem) {
  tam_json_node *root = NULL;
  tam_buf why;
  tam_generation_facts facts = {self->vocab, 1, 0};
  tam_span text = {(const uint8_t *)self->request, self->request_len};
  tam_buf_init(&why, mem, 4096);
  tam_generation_params_init(params, mem);
  int error = tam_json_tree_parse(&root, text, mem);
  if (error == 0) {
    error = tam_generation_params_merge(params, TAM_PARAMS_LAYER_REQUEST, root,
                                        &why);
  }
  if (error == 0) {
    error = tam_generation_params_settle(params, &facts, &why);
  }
  tam_json_tree_free(root, mem);
  tam_buf_free(&why);
  return error;
}

static int answer_process(question *self, const tam_generation_params *params,
                          const tam_mem *mem) {
  tam_token_history history;
  tam_logits_process process;
  tam_logits_process_setup setup = {
      params,    {self->eos, self->eos_len}, {self->tokens, self->prompt_len},
      {NULL, 0}, self->max_length,           self->vocab};
  int error = tam_token_history_init(&history, self->tokens, self->prompt_len,
                                     self->vocab, mem);
  for (size_t i = 0; i < self->answer_len && error == 0; i++) {
    error =
        tam_token_history_append(&history, self->tokens[self->prompt_len + i]);
  }
  if (error == 0) {
    error = tam_logits_process_init(&process, &setup, mem);
    if (error == 0) {
      tam_logits_process_apply(&process, &history, self->logits);
    }
    tam_logits_process_free(&process);
  }
  tam_token_history_free(&history);
  for (size_t i = 0; i < self->vocab && error == 0; i++) {
    uint32_t bits;
    memcpy(&bits, &self->logits[i], sizeof(bits));
    printf("%08x", (unsigned)bits);
  }
  return error;
}

static double get(const tam_generation_params *params, tam_param param) {
  return tam_generation_params_get(params, param);
}

static int answer_filter(question *self, const tam_generation_params *params,
                         const tam_mem *mem) {
  tam_sampler sampler;
  tam_sampler_rules rules = {get(params, TAM_PARAM_TEMPERATURE),
                             get(params, TAM_PARAM_TOP_H),
                             (size_t)get(params, TAM_PARAM_TOP_K),
                             get(params, TAM_PARAM_TOP_P),
                             get(params, TAM_PARAM_MIN_P),
                             get(params, TAM_PARAM_TYPICAL_P),
                             get(params, TAM_PARAM_EPSILON_CUTOFF),
                             get(params, TAM_PARAM_ETA_CUTOFF),
                             self->max_length};
  int error = tam_sampler_init(&sampler, &rules, mem);
  if (error == 0) {
    error = tam_sampler_filter(&sampler, self->logits, self->vocab);
  }
  for (size_t i = 0; i < sampler.count && error == 0; i++) {
    printf("%s%d", i > 0 ? " " : "",
           (int)tam_candidate_token(sampler.candidates[i]));
  }
  tam_sampler_free(&sampler);
  return error;
}

typedef struct text {
  int32_t tokens[512];
  size_t len;
} text;

static text rows[TAM_GENERATION_ROWS_MAX];
static text parents[TAM_GENERATION_ROWS_MAX];

// The toy model: what follows depends on the last two tokens and on the length.
static void run_model(const question *self, const text *row) {
  uint32_t last = (uint32_t)row->tokens[row->len - 1];
  uint32_t before = row->len > 1 ? (uint32_t)row->tokens[row->len - 2] : 0;
  for (uint32_t i = 0; i < self->vocab; i++) {
    uint32_t x = self->seed * 2654435761U + last * 40503U + before * 31337U +
                 (uint32_t)row->len * 977U + i * 7919U;
    x ^= x >> 15;
    x *= 0x2c1b3c6dU;
    x ^= x >> 12;
    x *= 0x297a2d39U;
    x ^= x >> 15;
    self->logits[i] = (float)(x >> 8) / 16777216.0F * 6 - 3;
  }
}

static int step(const question *self, tam_decoding *decoding, int is_first) {
  size_t count = tam_decoding_rows(decoding);
  int status = 0;
  for (size_t i = 0; i < (is_first ? 1 : count) && status == 0; i++) {
    if (!tam_decoding_is_row_done(decoding, i)) {
      run_model(self, &rows[i]);
      status = tam_decoding_take_logits(decoding, i, self->logits, self->vocab);
    }
  }
  status = status == 0 ? tam_decoding_step(decoding, 0) : status;
  memcpy(parents, rows, sizeof(rows));
  for (size_t i = 0; i < count && status >= 0; i++) {
    rows[i] = parents[tam_decoding_parents(decoding)[i]];
    rows[i].tokens[rows[i].len++] = tam_decoding_tokens(decoding)[i];
  }
  return status;
}

static int answer_decode(question *self, const tam_generation_params *params,
                         const tam_mem *mem) {
  tam_decoding *decoding = NULL;
  tam_decoding_setup setup = {.params = params,
                              .prompt = {self->tokens, self->prompt_len},
                              .vocab = self->vocab,
                              .eos = {self->eos, self->eos_len},
                              .pad = -1};
  free(self->logits);
  self->logits = malloc(self->vocab * sizeof(float));
  int status = tam_decoding_new(&decoding, &setup, mem);
  for (size_t i = 0; i < TAM_GENERATION_ROWS_MAX; i++) {
    memcpy(rows[i].tokens, self->tokens, self->prompt_len * 4);
    rows[i].len = self->prompt_len;
  }
  for (int is_first = 1; status == 0; is_first = 0) {
    status = step(self, decoding, is_first);
  }
  size_t count = status == 1 ? tam_decoding_sequences(decoding) : 0;
  for (size_t i = 0; i < count; i++) {
    tam_decoding_result each = tam_decoding_sequence(decoding, i);
    printf("%.9g %d", each.score, (int)each.reason);
    for (size_t k = 0; k < each.tokens.len; k++) {
      printf(" %d", (int)each.tokens.ids[k]);
    }
    putchar('\n');
  }
  tam_decoding_del(decoding);
  return status < 0 ? status : 0;
}

static void answer(question *self) {
  tam_mem mem = tam_mem_default();
  tam_generation_params params;
  int error = read_params(self, &params, &mem);
  if (error == 0) {
    error = self->what == PROCESS  ? answer_process(self, &params, &mem)
            : self->what == FILTER ? answer_filter(self, &params, &mem)
                                   : answer_decode(self, &params, &mem);
  }
  if (error != 0) {
    printf("error %d", error);
  }
  putchar('\0');
  tam_generation_params_free(&params);
  free(self->request);
  free(self->tokens);
  free(self->eos);
  free(self->logits);
}

int main(void) {
  static question each;
  while (read_question(&each)) {
    answer(&each);
  }
  return 0;
}
