// SPDX-License-Identifier: Apache-2.0
#include "chat/logits_process.h"

#include "chat/float_math.h"

#include <string.h>

#define BANNED (-__builtin_inff())

typedef struct row {
  const tam_logits_process *process;
  const tam_token_history *history;
  float *logits;
  size_t vocab;
} row;

static double get(const row *self, tam_param param) {
  return tam_generation_params_get(self->process->params, param);
}

static int is_token(const row *self, int32_t token) {
  return token >= 0 && (size_t)token < self->vocab;
}

static void set(const row *self, int32_t token, float value) {
  if (is_token(self, token)) {
    self->logits[token] = value;
  }
}

static void set_all(const row *self, tam_token_span tokens, float value) {
  for (size_t i = 0; i < tokens.len; i++) {
    set(self, tokens.ids[i], value);
  }
}

// Bans everything but |tokens|.
static void force(const row *self, tam_token_span tokens) {
  for (size_t i = 0; i < self->vocab; i++) {
    self->logits[i] = BANNED;
  }
  set_all(self, tokens, 0);
}

// -----------------------------------------------------------------------------
// Biases and penalties

// Returns 1 when the history ends with all of |tokens| but the last, and is as
// long as all of them at least.
static int has_prefix(const tam_token_history *history, tam_token_span tokens) {
  size_t len = tokens.len - 1;
  if (len == 0) {
    return 1;
  }
  return tokens.len <= history->len &&
         memcmp(history->tokens + history->len - len, tokens.ids,
                len * sizeof(*tokens.ids)) == 0;
}

static int is_lone_end(const row *self, tam_token_span tokens) {
  tam_token_span eos = self->process->eos;
  for (size_t i = 0; i < eos.len && tokens.len == 1; i++) {
    if (eos.ids[i] == tokens.ids[0]) {
      return 1;
    }
  }
  return 0;
}

static void add_biases(const row *self, tam_param param) {
  size_t at = 0;
  tam_biased_sequence sequence;
  while (tam_generation_params_next_sequence(self->process->params, param, &at,
                                             &sequence)) {
    int32_t last = sequence.tokens.ids[sequence.tokens.len - 1];
    if (is_token(self, last) && has_prefix(self->history, sequence.tokens) &&
        !(param == TAM_PARAM_BAD_WORDS_IDS &&
          is_lone_end(self, sequence.tokens))) {
      self->logits[last] += sequence.bias;
    }
  }
}

// Each different token of |seen| once, however often it occurs.
static void penalize(const row *self, const tam_token_history *seen,
                     float penalty) {
  for (size_t i = 0; i < seen->unique_len; i++) {
    float *logit = &self->logits[seen->unique[i]];
    *logit = *logit < 0 ? *logit * penalty : *logit / penalty;
  }
}

static void penalize_repetition(const row *self) {
  double encoder = get(self, TAM_PARAM_ENCODER_REPETITION_PENALTY);
  double penalty = get(self, TAM_PARAM_REPETITION_PENALTY);
  if (encoder != 1) {
    penalize(self, &self->process->encoder, (float)(1 / encoder));
  }
  if (penalty != 1) {
    penalize(self, self->history, (float)penalty);
  }
}

static void penalize_answer(const row *self) {
  double presence = get(self, TAM_PARAM_PRESENCE_PENALTY);
  double frequency = get(self, TAM_PARAM_FREQUENCY_PENALTY);
  if (presence == 0 && frequency == 0) {
    return;
  }
  for (size_t i = 0; i < self->history->counts_len; i++) {
    tam_token_count count = self->history->counts[i];
    self->logits[count.token] -= (float)(presence + frequency * count.count);
  }
}

// -----------------------------------------------------------------------------
// Repeated n-grams

// Bans what followed the last |size| - 1 tokens of the history wherever they
// occur in the |len| |tokens|. Few places pass the first comparison, that of
// the last of them.
static void ban_repeats(const row *self, const int32_t *tokens, size_t len,
                        size_t size) {
  const tam_token_history *history = self->history;
  size_t prefix = size - 1;
  if (prefix > history->len) {
    return;
  }
  const int32_t *end = history->tokens + history->len;
  int32_t last = prefix > 0 ? end[-1] : 0;
  for (size_t i = prefix; i < len; i++) {
    if (prefix == 0 ||
        (tokens[i - 1] == last && memcmp(tokens + i - prefix, end - prefix,
                                         prefix * sizeof(*tokens)) == 0)) {
      set(self, tokens[i], BANNED);
    }
  }
}

static void ban_ngrams(const row *self) {
  size_t own = (size_t)get(self, TAM_PARAM_NO_REPEAT_NGRAM_SIZE);
  size_t encoder = (size_t)get(self, TAM_PARAM_ENCODER_NO_REPEAT_NGRAM_SIZE);
  if (own > 0) {
    ban_repeats(self, self->history->tokens, self->history->len, own);
  }
  if (encoder > 0) {
    const tam_token_history *input = &self->process->encoder;
    ban_repeats(self, input->tokens, input->len, encoder);
  }
}

// -----------------------------------------------------------------------------
// Length

static void ban_early_end(const row *self) {
  size_t len = self->history->len;
  size_t added = len - self->process->prompt_len;
  if ((double)len < get(self, TAM_PARAM_MIN_LENGTH) ||
      (double)added < get(self, TAM_PARAM_MIN_NEW_TOKENS)) {
    set_all(self, self->process->eos, BANNED);
  }
}

static void force_tokens(const row *self) {
  int32_t bos = (int32_t)get(self, TAM_PARAM_FORCED_BOS_TOKEN_ID);
  tam_token_span eos = tam_generation_params_ids(self->process->params,
                                                 TAM_PARAM_FORCED_EOS_TOKEN_ID);
  if (bos >= 0 && self->history->len == 1) {
    force(self, (tam_token_span){&bos, 1});
  }
  if (eos.len > 0 && self->history->len + 1 == self->process->max_length) {
    force(self, eos);
  }
}

static void remove_invalid(const row *self) {
  for (size_t i = 0; i < self->vocab; i++) {
    float logit = self->logits[i];
    if (!(logit >= -TAM_FLOAT_MAX && logit <= TAM_FLOAT_MAX)) {
      self->logits[i] = logit > 0   ? TAM_FLOAT_MAX
                        : logit < 0 ? -TAM_FLOAT_MAX
                                    : 0;
    }
  }
}

static void raise_end(const row *self) {
  double start = 0;
  double factor = 0;
  if (!tam_generation_params_decay(self->process->params, &start, &factor)) {
    return;
  }
  double over =
      (double)self->history->len - start - (double)self->process->prompt_len;
  for (size_t i = 0; i < self->process->eos.len && over > 0; i++) {
    int32_t end = self->process->eos.ids[i];
    if (is_token(self, end)) {
      double logit = (double)self->logits[end];
      double size = logit < 0 ? -logit : logit;
      self->logits[end] = (float)(logit + size * (tam_power(factor, over) - 1));
    }
  }
}

static void suppress(const row *self) {
  const tam_generation_params *params = self->process->params;
  size_t begin = self->process->prompt_len;
  if (begin <= 1 && get(self, TAM_PARAM_FORCED_BOS_TOKEN_ID) >= 0) {
    begin++;
  }
  set_all(self, tam_generation_params_ids(params, TAM_PARAM_SUPPRESS_TOKENS),
          BANNED);
  if (self->history->len == begin) {
    set_all(self,
            tam_generation_params_ids(params, TAM_PARAM_BEGIN_SUPPRESS_TOKENS),
            BANNED);
  }
}

// -----------------------------------------------------------------------------

int tam_logits_process_init(tam_logits_process *self,
                            const tam_logits_process_setup *setup,
                            const tam_mem *mem) {
  memset(self, 0, sizeof(*self));
  self->params = setup->params;
  self->eos = setup->eos;
  self->prompt_len = setup->prompt.len;
  self->max_length = setup->max_length;
  double penalty = tam_generation_params_get(
      setup->params, TAM_PARAM_ENCODER_REPETITION_PENALTY);
  double ngram = tam_generation_params_get(
      setup->params, TAM_PARAM_ENCODER_NO_REPEAT_NGRAM_SIZE);
  if (penalty == 1 && ngram == 0) {
    return 0;
  }
  tam_token_span input =
      setup->encoder.len > 0 ? setup->encoder : setup->prompt;
  return tam_token_history_init(&self->encoder, input.ids, input.len,
                                setup->vocab, mem);
}

void tam_logits_process_free(tam_logits_process *self) {
  tam_token_history_free(&self->encoder);
}

void tam_logits_process_guide(const tam_logits_process *self, float *logits,
                              float *unconditional, size_t vocab) {
  float scale =
      (float)tam_generation_params_get(self->params, TAM_PARAM_GUIDANCE_SCALE);
  tam_logits_normalize(logits, vocab);
  tam_logits_normalize(unconditional, vocab);
  for (size_t i = 0; i < vocab; i++) {
    logits[i] = scale * (logits[i] - unconditional[i]) + unconditional[i];
  }
}

void tam_logits_process_apply(const tam_logits_process *self,
                              const tam_token_history *history, float *logits) {
  row each = {self, history, logits, history->vocab};
  add_biases(&each, TAM_PARAM_SEQUENCE_BIAS);
  penalize_repetition(&each);
  penalize_answer(&each);
  add_biases(&each, TAM_PARAM_LOGIT_BIAS);
  ban_ngrams(&each);
  add_biases(&each, TAM_PARAM_BAD_WORDS_IDS);
  ban_early_end(&each);
  force_tokens(&each);
  if (get(&each, TAM_PARAM_REMOVE_INVALID_VALUES) != 0) {
    remove_invalid(&each);
  }
  raise_end(&each);
  suppress(&each);
}

void tam_logits_normalize(float *values, size_t count) {
  float max = tam_float_max(values, count);
  if (max >= -TAM_FLOAT_MAX && max <= TAM_FLOAT_MAX) {
    double total = tam_float_sum_exp(values, count, max, 1);
    tam_float_subtract(values, count, (float)((double)max + tam_log(total)));
  }
}
