// SPDX-License-Identifier: Apache-2.0
// Without beams, each row chooses its token as soon as its logits are there,
// and the step appends it. (With beams: decoding_beams.c.)
#include "chat/decoding_state.h"

#include "chat/float_math.h"
#include "core/mem.h"

#include <string.h>

// Without max_length and max_new_tokens.
#define NEW_TOKENS_DEFAULT 20

double tam_decoding_get(const tam_decoding *self, tam_param param) {
  return tam_generation_params_get(self->params, param);
}

tam_token_span tam_decoding_eos(const tam_decoding *self) {
  return (tam_token_span){self->eos, self->eos_len};
}

// -----------------------------------------------------------------------------
// Creation

static int set_length(tam_decoding *self, const tam_decoding_setup *setup) {
  size_t added = (size_t)tam_decoding_get(self, TAM_PARAM_MAX_NEW_TOKENS);
  size_t all = (size_t)tam_decoding_get(self, TAM_PARAM_MAX_LENGTH);
  if (added > 0 || all == 0) {
    all = setup->prompt.len + (added > 0 ? added : NEW_TOKENS_DEFAULT);
  }
  if (setup->context_len > 0 && setup->prompt.len >= setup->context_len) {
    return TAM_ERR_TOO_LARGE;
  }
  if (setup->context_len > 0 && all > setup->context_len) {
    all = setup->context_len;
  }
  self->max_length = all;
  return setup->prompt.len < all ? 0 : TAM_ERR_INVALID_PARAMS;
}

static int set_eos(tam_decoding *self, const tam_decoding_setup *setup) {
  tam_token_span eos = tam_generation_params_eos(setup->params, setup->eos);
  double pad = tam_decoding_get(self, TAM_PARAM_PAD_TOKEN_ID);
  self->eos = tam_mem_calloc(&self->mem, eos.len + 1, sizeof(*self->eos));
  if (self->eos == NULL) {
    return TAM_ERR_OUT_OF_MEMORY;
  }
  if (eos.len > 0) {
    memcpy(self->eos, eos.ids, eos.len * sizeof(*eos.ids));
  }
  self->eos_len = eos.len;
  self->pad = pad >= 0 ? (int32_t)pad : setup->pad;
  if (self->pad < 0) {
    self->pad = self->eos[0]; // 0 without an end token
  }
  return 0;
}

static void *new_rows(tam_decoding *self, size_t size) {
  return tam_mem_calloc(&self->mem, self->rows_len, size);
}

static int set_histories(tam_decoding *self, tam_token_span prompt) {
  int error = 0;
  for (size_t i = 0; i < self->rows_len && error == 0; i++) {
    error = tam_token_history_init(&self->histories[i], prompt.ids, prompt.len,
                                   self->vocab, &self->mem);
    if (error == 0 && self->groups_len > 0) {
      error = tam_token_history_init(&self->next[i], NULL, 0, self->vocab,
                                     &self->mem);
    }
  }
  return error;
}

static int set_rows(tam_decoding *self, const tam_decoding_setup *setup) {
  size_t beams = (size_t)tam_decoding_get(self, TAM_PARAM_NUM_BEAMS);
  self->rows_len =
      beams > 1
          ? beams
          : (size_t)tam_decoding_get(self, TAM_PARAM_NUM_RETURN_SEQUENCES);
  self->groups_len =
      beams > 1 ? (size_t)tam_decoding_get(self, TAM_PARAM_NUM_BEAM_GROUPS) : 0;
  self->group_size = beams > 1 ? beams / self->groups_len : 1;
  self->rows = new_rows(self, sizeof(*self->rows));
  self->histories = new_rows(self, sizeof(*self->histories));
  self->next = new_rows(self, sizeof(*self->next));
  self->tokens = new_rows(self, sizeof(*self->tokens));
  self->parents = new_rows(self, sizeof(*self->parents));
  if (self->rows == NULL || self->histories == NULL || self->next == NULL ||
      self->tokens == NULL || self->parents == NULL) {
    return TAM_ERR_OUT_OF_MEMORY;
  }
  for (size_t i = 0; i < self->rows_len; i++) {
    self->parents[i] = (uint32_t)i;
  }
  return set_histories(self, setup->prompt);
}

static int set_groups(tam_decoding *self, const tam_decoding_setup *setup) {
  if (self->groups_len == 0) {
    return 0;
  }
  self->groups =
      tam_mem_calloc(&self->mem, self->groups_len, sizeof(*self->groups));
  if (self->groups == NULL) {
    return TAM_ERR_OUT_OF_MEMORY;
  }
  tam_beam_search_setup group = {
      self->group_size,
      tam_decoding_eos(self),
      tam_decoding_get(self, TAM_PARAM_LENGTH_PENALTY),
      (tam_early_stopping)tam_decoding_get(self, TAM_PARAM_EARLY_STOPPING),
      self->max_length - setup->prompt.len,
      self->pad,
  };
  int error = 0;
  for (size_t i = 0; i < self->groups_len && error == 0; i++) {
    error = tam_beam_search_init(&self->groups[i], &group, &self->mem);
  }
  return error;
}

static int set_sampler(tam_decoding *self) {
  size_t keep = 1;
  self->sampler.temperature = 1;
  if (!self->is_sampling && self->groups_len == 0) {
    return 0;
  }
  if (self->groups_len > 0) {
    keep = self->eos_len > 0 ? self->eos_len + 1 : 2;
  }
  tam_sampler_rules rules = {
      tam_decoding_get(self, TAM_PARAM_TEMPERATURE),
      tam_decoding_get(self, TAM_PARAM_TOP_H),
      (size_t)tam_decoding_get(self, TAM_PARAM_TOP_K),
      tam_decoding_get(self, TAM_PARAM_TOP_P),
      tam_decoding_get(self, TAM_PARAM_MIN_P),
      tam_decoding_get(self, TAM_PARAM_TYPICAL_P),
      tam_decoding_get(self, TAM_PARAM_EPSILON_CUTOFF),
      tam_decoding_get(self, TAM_PARAM_ETA_CUTOFF),
      keep,
  };
  if (!self->is_sampling) {
    rules.temperature = 1; // of beams, whose best are taken as they are
  }
  return tam_sampler_init(&self->sampler, &rules, &self->mem);
}

static int set_process(tam_decoding *self, const tam_decoding_setup *setup) {
  tam_logits_process_setup process = {self->params,     tam_decoding_eos(self),
                                      setup->prompt,    setup->encoder,
                                      self->max_length, self->vocab};
  if (tam_decoding_get(self, TAM_PARAM_GUIDANCE_SCALE) != 1) {
    self->unconditional = new_rows(self, self->vocab * sizeof(float));
    if (self->unconditional == NULL) {
      return TAM_ERR_OUT_OF_MEMORY;
    }
  }
  return tam_logits_process_init(&self->process, &process, &self->mem);
}

static int set_all(tam_decoding *self, const tam_decoding_setup *setup) {
  int error = set_length(self, setup);
  if (error == 0) {
    error = set_eos(self, setup);
  }
  if (error == 0) {
    error = set_rows(self, setup);
  }
  if (error == 0) {
    error = set_groups(self, setup);
  }
  if (error == 0) {
    error = set_sampler(self);
  }
  return error != 0 ? error : set_process(self, setup);
}

int tam_decoding_new(tam_decoding **pself, const tam_decoding_setup *setup,
                     const tam_mem *mem) {
  if (setup->prompt.len == 0 || setup->vocab == 0 ||
      setup->vocab > TAM_DECODING_VOCAB_MAX) {
    return TAM_ERR_INVALID_ARGUMENT;
  }
  tam_decoding *self = tam_mem_calloc(mem, 1, sizeof(*self));
  if (self == NULL) {
    return TAM_ERR_OUT_OF_MEMORY;
  }
  self->mem = *mem;
  self->params = setup->params;
  self->vocab = setup->vocab;
  self->is_first = 1;
  self->is_sampling = tam_decoding_get(self, TAM_PARAM_DO_SAMPLE) != 0;
  self->is_scored = tam_decoding_get(self, TAM_PARAM_OUTPUT_SCORES) != 0;
  double seconds = tam_decoding_get(self, TAM_PARAM_MAX_TIME);
  self->end_ms = seconds > 0 ? setup->start_ms + seconds * 1000 : 0;
  tam_random_init(&self->random, setup->params->seed);
  self->settled.random = self->random;
  int error = set_all(self, setup);
  if (error != 0) {
    tam_decoding_del(self);
    return error;
  }
  *pself = self;
  return 0;
}

void tam_decoding_del(tam_decoding *self) {
  if (self == NULL) {
    return;
  }
  for (size_t i = 0; i < self->rows_len; i++) {
    if (self->histories != NULL) {
      tam_token_history_free(&self->histories[i]);
    }
    if (self->next != NULL) {
      tam_token_history_free(&self->next[i]);
    }
  }
  for (size_t i = 0; self->groups != NULL && i < self->groups_len; i++) {
    tam_beam_search_free(&self->groups[i]);
  }
  tam_logits_process_free(&self->process);
  tam_sampler_free(&self->sampler);
  tam_mem mem = self->mem;
  tam_mem_free(&mem, self->rows);
  tam_mem_free(&mem, self->histories);
  tam_mem_free(&mem, self->next);
  tam_mem_free(&mem, self->groups);
  tam_mem_free(&mem, self->tokens);
  tam_mem_free(&mem, self->parents);
  tam_mem_free(&mem, self->eos);
  tam_mem_free(&mem, self->unconditional);
  tam_mem_free(&mem, self);
}

// -----------------------------------------------------------------------------
// Choosing without beams

// Adds the logarithm of the probability of the row's token, when wanted.
static void add_score(tam_decoding *self, decoding_row *row,
                      const float *logits, int is_filtered) {
  if (!self->is_scored) {
    return;
  }
  double logit = (double)logits[row->token];
  double total;
  if (is_filtered) {
    logit /= (double)self->sampler.temperature;
    total = tam_sampler_log_total(&self->sampler);
  } else {
    double temperature = (double)self->sampler.temperature;
    float max = tam_float_max(logits, self->vocab);
    double sum = tam_float_sum_exp(logits, self->vocab, max,
                                   1 / self->sampler.temperature);
    logit /= temperature;
    total = (double)max / temperature + tam_log(sum);
  }
  row->score += logit - total;
}

static int choose(tam_decoding *self, decoding_row *row, float *logits,
                  int is_filtered) {
  row->token = !self->is_sampling ? tam_sampler_best(logits, self->vocab)
               : is_filtered ? tam_sampler_draw(&self->sampler, &self->random)
                             : tam_sampler_draw_any(&self->sampler, logits,
                                                    self->vocab, &self->random);
  if (row->token < 0) {
    return TAM_ERR_UNEXPECTED_SHAPE;
  }
  add_score(self, row, logits, is_filtered);
  row->is_taken = 1;
  return 0;
}

// In the first step all rows choose from the same logits.
static int choose_rows(tam_decoding *self, size_t row, float *logits) {
  int is_filtered = self->is_sampling && !tam_sampler_is_plain(&self->sampler);
  if (is_filtered) {
    int error = tam_sampler_filter(&self->sampler, logits, self->vocab);
    if (error != 0) {
      return error;
    }
  }
  size_t end = self->is_first ? self->rows_len : row + 1;
  int error = 0;
  for (size_t i = row; i < end && error == 0; i++) {
    error = choose(self, &self->rows[i], logits, is_filtered);
  }
  return error;
}

// -----------------------------------------------------------------------------
// Logits

int tam_decoding_is_guided(const tam_decoding *self) {
  return self->unconditional != NULL;
}

int tam_decoding_take_unconditional(tam_decoding *self, size_t row,
                                    const float *logits, size_t count) {
  if (row >= self->rows_len || count != self->vocab) {
    return TAM_ERR_INVALID_ARGUMENT;
  }
  if (!tam_decoding_is_guided(self)) {
    return TAM_ERR_INVALID_STATE;
  }
  memcpy(self->unconditional + row * count, logits, count * sizeof(*logits));
  self->rows[row].has_unconditional = 1;
  return 0;
}

// Returns 1 when a live row before |row| has no logits yet.
static int is_out_of_order(const tam_decoding *self, size_t row) {
  for (size_t i = 0; i < row; i++) {
    if (!self->rows[i].is_taken && !self->rows[i].is_done) {
      return 1;
    }
  }
  return self->is_first && row > 0;
}

int tam_decoding_take_logits(tam_decoding *self, size_t row, float *logits,
                             size_t count) {
  if (row >= self->rows_len || count != self->vocab) {
    return TAM_ERR_INVALID_ARGUMENT;
  }
  if (self->rows[row].is_done) {
    return 0;
  }
  int is_guided = tam_decoding_is_guided(self);
  if (self->rows[row].is_taken || is_out_of_order(self, row) ||
      (is_guided && !self->rows[row].has_unconditional)) {
    return TAM_ERR_INVALID_STATE;
  }
  if (is_guided) {
    tam_logits_process_guide(&self->process, logits,
                             self->unconditional + row * count, count);
    self->rows[row].has_unconditional = 0;
  }
  if (self->groups != NULL) {
    return self->is_first ? tam_decoding_take_first_beams(self, logits)
                          : tam_decoding_take_beam(self, row, logits);
  }
  tam_logits_process_apply(&self->process, &self->histories[row], logits);
  return choose_rows(self, row, logits);
}

// -----------------------------------------------------------------------------
// Steps

static int is_end(const tam_decoding *self, int32_t token) {
  for (size_t i = 0; i < self->eos_len; i++) {
    if (self->eos[i] == token) {
      return 1;
    }
  }
  return 0;
}

static int append(tam_decoding *self, size_t i) {
  decoding_row *row = &self->rows[i];
  tam_token_history *history = &self->histories[i];
  self->tokens[i] = self->pad;
  if (row->is_done) {
    return 0;
  }
  int error = tam_token_history_append(history, row->token);
  if (error != 0) {
    return error;
  }
  self->tokens[i] = row->token;
  if (is_end(self, row->token)) {
    row->reason = TAM_END_EOS;
  } else if (history->len >= self->max_length) {
    row->reason = TAM_END_LENGTH;
  }
  return 0;
}

// Notes which rows are done: until the next step it stays so, whatever a group
// of beams has chosen meanwhile.
static void note_done(tam_decoding *self) {
  for (size_t i = 0; i < self->rows_len; i++) {
    self->rows[i].is_done = self->groups != NULL
                                ? !tam_decoding_is_beam_alive(self, i)
                                : self->rows[i].reason != TAM_END_NONE;
  }
}

// Returns 1 when all logits of this step are there, and any at all.
static int has_all(const tam_decoding *self) {
  int is_any = 0;
  for (size_t i = 0; i < self->rows_len; i++) {
    if (!self->rows[i].is_taken && !self->rows[i].is_done) {
      return 0;
    }
    is_any |= self->rows[i].is_taken;
  }
  return is_any;
}

int tam_decoding_step(tam_decoding *self, double now_ms) {
  if (!has_all(self)) {
    return TAM_ERR_INVALID_STATE;
  }
  int error = 0;
  for (size_t i = 0; i < self->rows_len && error == 0; i++) {
    self->rows[i].is_taken = 0;
    if (self->groups == NULL) {
      error = append(self, i);
    } else {
      self->tokens[i] =
          tam_decoding_is_beam_alive(self, i) ? self->rows[i].token : self->pad;
    }
  }
  if (error != 0) {
    return error;
  }
  self->is_first = 0;
  self->settled = (tam_decoding_state){self->random, self->rows[0].score};
  note_done(self);
  if (self->end_ms > 0 && now_ms >= self->end_ms) {
    error = tam_decoding_stop(self, TAM_END_TIME);
  }
  return error != 0 ? error : tam_decoding_is_done(self);
}

tam_decoding_state tam_decoding_state_of(const tam_decoding *self) {
  return self->settled;
}

int tam_decoding_repeat(tam_decoding *self, int32_t token) {
  self->rows[0].token = token;
  self->is_first = 0;
  int error = append(self, 0);
  note_done(self);
  return error != 0 ? error : tam_decoding_is_done(self);
}

void tam_decoding_restore(tam_decoding *self, const tam_decoding_state *state) {
  self->settled = *state;
  self->random = state->random;
  self->rows[0].score = state->score;
}

size_t tam_decoding_rows(const tam_decoding *self) {
  return self->rows_len;
}

const int32_t *tam_decoding_tokens(const tam_decoding *self) {
  return self->tokens;
}

const uint32_t *tam_decoding_parents(const tam_decoding *self) {
  return self->parents;
}

int tam_decoding_is_row_done(const tam_decoding *self, size_t row) {
  return self->rows[row].is_done;
}

int tam_decoding_is_done(const tam_decoding *self) {
  for (size_t i = 0; i < self->rows_len; i++) {
    if (!self->rows[i].is_done) {
      return 0;
    }
  }
  return 1;
}

int tam_decoding_stop_row(tam_decoding *self, size_t row,
                          tam_end_reason reason) {
  decoding_row *each = &self->rows[row];
  int error = 0;
  if (self->groups == NULL) {
    each->reason = each->reason == TAM_END_NONE ? reason : each->reason;
  } else if (tam_decoding_is_beam_alive(self, row)) {
    error = tam_beam_search_end_beam(&self->groups[row / self->group_size],
                                     row % self->group_size,
                                     &self->histories[row], reason);
  }
  note_done(self);
  return error;
}

int tam_decoding_stop(tam_decoding *self, tam_end_reason reason) {
  int error = 0;
  for (size_t i = 0; i < self->groups_len && error == 0; i++) {
    if (!self->groups[i].is_done) {
      error = tam_beam_search_end(
          &self->groups[i], &self->histories[i * self->group_size], reason);
    }
  }
  for (size_t i = 0; i < self->rows_len && self->groups == NULL; i++) {
    decoding_row *row = &self->rows[i];
    row->reason = row->reason == TAM_END_NONE ? reason : row->reason;
  }
  note_done(self);
  return error;
}

// -----------------------------------------------------------------------------
// Results

size_t tam_decoding_sequences(const tam_decoding *self) {
  if (self->groups == NULL) {
    return self->rows_len;
  }
  size_t wanted =
      (size_t)tam_decoding_get(self, TAM_PARAM_NUM_RETURN_SEQUENCES);
  size_t count = 0;
  for (size_t i = 0; i < self->groups_len; i++) {
    count += self->groups[i].finished_len;
  }
  return count < wanted ? count : wanted;
}

tam_decoding_result tam_decoding_sequence(const tam_decoding *self, size_t i) {
  tam_decoding_result result = {{NULL, 0}, TAM_END_NONE, 0};
  if (self->groups != NULL) {
    const tam_hypothesis *answer = tam_decoding_find_answer(self, i);
    if (answer != NULL) {
      result.tokens = (tam_token_span){answer->tokens, answer->len};
      result.reason = answer->reason;
      result.score = answer->score;
    }
    return result;
  }
  const decoding_row *row = &self->rows[i];
  const tam_token_history *history = &self->histories[i];
  size_t prompt = history->prompt_len;
  result.tokens =
      (tam_token_span){history->tokens + prompt, history->len - prompt};
  result.reason = row->reason;
  result.score = row->score;
  return result;
}
