// SPDX-License-Identifier: Apache-2.0
#include "chat/beam_search.h"

#include "chat/float_math.h"
#include "core/mem.h"

#include <string.h>

#define DEAD ((double)-__builtin_inff())

// -----------------------------------------------------------------------------

int tam_beam_search_init(tam_beam_search *self,
                         const tam_beam_search_setup *setup,
                         const tam_mem *mem) {
  memset(self, 0, sizeof(*self));
  self->mem = mem;
  self->setup = *setup;
  self->is_improving = 1;
  // Enough for all beams to go on even when each of them offers all its end
  // tokens.
  size_t per_beam = setup->eos.len > 1 ? 1 + setup->eos.len : 2;
  self->candidates_max = per_beam * setup->beams;
  self->candidates =
      tam_mem_calloc(mem, self->candidates_max, sizeof(*self->candidates));
  self->scores = tam_mem_calloc(mem, setup->beams, sizeof(*self->scores));
  self->tokens = tam_mem_calloc(mem, setup->beams, sizeof(*self->tokens));
  self->parents = tam_mem_calloc(mem, setup->beams, sizeof(*self->parents));
  self->finished = tam_mem_calloc(mem, setup->beams, sizeof(*self->finished));
  if (self->candidates == NULL || self->scores == NULL ||
      self->tokens == NULL || self->parents == NULL || self->finished == NULL) {
    return TAM_ERR_OUT_OF_MEMORY;
  }
  for (size_t i = 1; i < setup->beams; i++) {
    self->scores[i] = DEAD;
  }
  return 0;
}

void tam_beam_search_free(tam_beam_search *self) {
  if (self->mem != NULL) {
    for (size_t i = 0; self->finished != NULL && i < self->finished_len; i++) {
      tam_mem_free(self->mem, self->finished[i].tokens);
    }
    tam_mem_free(self->mem, self->candidates);
    tam_mem_free(self->mem, self->scores);
    tam_mem_free(self->mem, self->tokens);
    tam_mem_free(self->mem, self->parents);
    tam_mem_free(self->mem, self->finished);
  }
  memset(self, 0, sizeof(*self));
}

int tam_beam_search_is_alive(const tam_beam_search *self, size_t beam) {
  return !self->is_done && self->scores[beam] > DEAD;
}

void tam_beam_search_offer(tam_beam_search *self,
                           const tam_beam_candidate *candidate) {
  size_t at = self->candidates_len;
  if (at == self->candidates_max) {
    if (!(candidate->rank > self->candidates[at - 1].rank)) {
      return;
    }
    at--;
  } else {
    self->candidates_len++;
  }
  for (; at > 0 && candidate->rank > self->candidates[at - 1].rank; at--) {
    self->candidates[at] = self->candidates[at - 1];
  }
  self->candidates[at] = *candidate;
}

// -----------------------------------------------------------------------------
// Finished answers

static double score_of(const tam_beam_search *self, double score, size_t len) {
  double length = len > 0 ? (double)len : 1;
  return score / tam_power(length, self->setup.length_penalty);
}

static int is_full(const tam_beam_search *self) {
  return self->finished_len == self->setup.beams;
}

// Adds the first |len| of |tokens|, and |last| unless it is negative, to the
// finished answers, if |score| is among the best.
static int finish(tam_beam_search *self, double score, tam_token_span tokens,
                  int32_t last, tam_end_reason reason) {
  size_t at = self->finished_len;
  if (is_full(self) && !(score > self->finished[at - 1].score)) {
    return 0;
  }
  tam_hypothesis fresh = {score, NULL, tokens.len, reason};
  fresh.tokens =
      tam_mem_calloc(self->mem, tokens.len + 1, sizeof(*fresh.tokens));
  if (fresh.tokens == NULL) {
    return TAM_ERR_OUT_OF_MEMORY;
  }
  if (tokens.len > 0) {
    memcpy(fresh.tokens, tokens.ids, tokens.len * sizeof(*fresh.tokens));
  }
  if (last >= 0) {
    fresh.tokens[fresh.len++] = last;
  }
  if (is_full(self)) {
    at--;
    tam_mem_free(self->mem, self->finished[at].tokens);
  } else {
    self->finished_len++;
  }
  for (; at > 0 && score > self->finished[at - 1].score; at--) {
    self->finished[at] = self->finished[at - 1];
  }
  self->finished[at] = fresh;
  return 0;
}

static tam_token_span answer_of(const tam_token_history *history) {
  return (tam_token_span){history->tokens + history->prompt_len,
                          history->len - history->prompt_len};
}

// -----------------------------------------------------------------------------
// A step

static tam_end_reason reason_of(const tam_beam_search *self, int32_t token,
                                size_t len) {
  for (size_t i = 0; i < self->setup.eos.len; i++) {
    if (self->setup.eos.ids[i] == token) {
      return TAM_END_EOS;
    }
  }
  return len >= self->setup.max_new ? TAM_END_LENGTH : TAM_END_NONE;
}

// Only complete candidates count that are among the first ones, as many as
// there are beams.
static int finish_candidates(tam_beam_search *self,
                             const tam_token_history *beams, size_t len) {
  if (!self->is_improving || (is_full(self) && self->setup.early_stopping ==
                                                   TAM_EARLY_STOPPING_TRUE)) {
    return 0;
  }
  int error = 0;
  for (size_t i = 0; i < self->candidates_len && i < self->setup.beams; i++) {
    const tam_beam_candidate *each = &self->candidates[i];
    tam_end_reason reason = reason_of(self, each->token, len);
    if (reason != TAM_END_NONE && error == 0) {
      error = finish(self, score_of(self, each->score, len),
                     answer_of(&beams[each->parent]), each->token, reason);
    }
  }
  return error;
}

// Makes the best candidates that are not complete the running beams. A
// candidate that was taken gets the rank of the dead.
static void choose_running(tam_beam_search *self, size_t len) {
  for (size_t i = 0; i < self->setup.beams; i++) {
    tam_beam_candidate *best = NULL;
    for (size_t k = 0; k < self->candidates_len; k++) {
      tam_beam_candidate *each = &self->candidates[k];
      if (each->rank > DEAD && (best == NULL || each->score > best->score) &&
          reason_of(self, each->token, len) == TAM_END_NONE) {
        best = each;
      }
    }
    self->scores[i] = best != NULL ? best->score : DEAD;
    self->tokens[i] = best != NULL ? best->token : self->setup.pad;
    self->parents[i] = best != NULL ? best->parent : 0;
    if (best != NULL) {
      best->rank = DEAD;
    }
  }
}

static double best_running(const tam_beam_search *self) {
  double best = DEAD;
  for (size_t i = 0; i < self->setup.beams; i++) {
    best = self->scores[i] > best ? self->scores[i] : best;
  }
  return best;
}

// Checks after |len| tokens whether the search is over.
static void judge(tam_beam_search *self, size_t len) {
  int is_never = self->setup.early_stopping == TAM_EARLY_STOPPING_NEVER &&
                 self->setup.length_penalty > 0;
  double best = best_running(self);
  double hope = score_of(self, best, is_never ? self->setup.max_new : len);
  if (is_full(self) && !(hope > self->finished[self->finished_len - 1].score)) {
    self->is_improving = 0;
  }
  self->is_done =
      best == DEAD || !self->is_improving ||
      (is_full(self) && self->setup.early_stopping == TAM_EARLY_STOPPING_TRUE);
}

int tam_beam_search_step(tam_beam_search *self,
                         const tam_token_history *beams) {
  size_t len = beams->len - beams->prompt_len + 1;
  int error = finish_candidates(self, beams, len);
  choose_running(self, len);
  self->candidates_len = 0;
  judge(self, len);
  return error != 0 ? error : self->is_done;
}

// Makes what |beam| has so far a finished answer.
static int retire(tam_beam_search *self, size_t beam,
                  const tam_token_history *history, tam_end_reason reason) {
  tam_token_span answer = answer_of(history);
  double score = score_of(self, self->scores[beam], answer.len);
  self->scores[beam] = DEAD;
  return finish(self, score, answer, -1, reason);
}

int tam_beam_search_end_beam(tam_beam_search *self, size_t beam,
                             const tam_token_history *history,
                             tam_end_reason reason) {
  int error = retire(self, beam, history, reason);
  judge(self, history->len - history->prompt_len);
  return error;
}

int tam_beam_search_end(tam_beam_search *self,
                        const tam_token_history *histories,
                        tam_end_reason reason) {
  int error = 0;
  for (size_t i = 0; i < self->setup.beams && error == 0; i++) {
    if (tam_beam_search_is_alive(self, i)) {
      error = retire(self, i, &histories[i], reason);
    }
  }
  self->is_done = 1;
  return error;
}
