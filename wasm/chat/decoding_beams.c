// SPDX-License-Identifier: Apache-2.0
// The rows of a group offer candidates, and when the last of them has, the
// group chooses; so a later group sees what the earlier ones chose.
#include "chat/decoding_state.h"

#include "chat/float_math.h"
#include "core/mem.h"

#include <string.h>

int tam_decoding_is_beam_alive(const tam_decoding *self, size_t row) {
  return tam_beam_search_is_alive(&self->groups[row / self->group_size],
                                  row % self->group_size);
}

// Makes less likely what earlier groups have chosen in this step.
static void diversify(const tam_decoding *self, size_t group, float *logits) {
  float penalty = (float)tam_decoding_get(self, TAM_PARAM_DIVERSITY_PENALTY);
  for (size_t i = 0; i < group * self->group_size && penalty > 0; i++) {
    int32_t token = self->rows[i].token;
    if (tam_decoding_is_beam_alive(self, i) && (size_t)token < self->vocab) {
      logits[token] -= penalty;
    }
  }
}

// Returns noise with Gumbel's distribution. The largest of several scores with
// such noise added is a draw by their exponentials; the largest few are draws
// without putting back.
static double draw_noise(tam_random *random) {
  double unit = (tam_random_next(random) + 0.5) / 4294967296.0;
  return -tam_log(-tam_log(unit));
}

static void offer_candidates(tam_decoding *self, size_t group, size_t beam) {
  tam_beam_search *search = &self->groups[group];
  int is_renormalized =
      tam_decoding_get(self, TAM_PARAM_RENORMALIZE_LOGITS) != 0;
  double total = is_renormalized && self->sampler.count > 0
                     ? tam_sampler_log_total(&self->sampler)
                     : 0;
  for (size_t i = 0; i < self->sampler.count; i++) {
    tam_candidate each = self->sampler.candidates[i];
    double score =
        search->scores[beam] - total + (double)tam_candidate_logit(each);
    double noise = self->is_sampling ? draw_noise(&self->random) : 0;
    tam_beam_candidate candidate = {score, score + noise,
                                    tam_candidate_token(each), (uint32_t)beam};
    tam_beam_search_offer(search, &candidate);
  }
}

static int offer_row(tam_decoding *self, size_t row, float *logits) {
  size_t group = row / self->group_size;
  tam_beam_search *search = &self->groups[group];
  int is_renormalized =
      tam_decoding_get(self, TAM_PARAM_RENORMALIZE_LOGITS) != 0;
  if (is_renormalized && !self->is_sampling) {
    tam_logits_normalize(logits, self->vocab);
  }
  int error = self->is_sampling
                  ? tam_sampler_filter(&self->sampler, logits, self->vocab)
                  : tam_sampler_take_best(&self->sampler, logits, self->vocab,
                                          search->candidates_max);
  if (error == 0) {
    offer_candidates(self, group, row % self->group_size);
  }
  return error;
}

// Puts the histories of |group| together anew.
static int gather(tam_decoding *self, size_t group) {
  size_t start = group * self->group_size;
  tam_beam_search *search = &self->groups[group];
  for (size_t i = start; i < start + self->group_size; i++) {
    int32_t token = search->tokens[i - start];
    size_t parent = start + search->parents[i - start];
    int error =
        tam_token_history_copy(&self->next[i], &self->histories[parent]);
    if (error == 0) {
      error = tam_token_history_append(&self->next[i], token);
    }
    if (error != 0) {
      return error;
    }
    self->rows[i].token = token;
    self->rows[i].is_taken = 1;
    self->parents[i] = (uint32_t)parent;
  }
  for (size_t i = start; i < start + self->group_size; i++) {
    tam_token_history old = self->histories[i];
    self->histories[i] = self->next[i];
    self->next[i] = old;
  }
  return 0;
}

// Lets |group| choose among what its rows have offered.
static int choose_beams(tam_decoding *self, size_t group) {
  tam_beam_search *search = &self->groups[group];
  if (search->candidates_len == 0) {
    return TAM_ERR_UNEXPECTED_SHAPE;
  }
  int status =
      tam_beam_search_step(search, &self->histories[group * self->group_size]);
  return status < 0 ? status : gather(self, group);
}

// Returns 1 when a row of |group| from |row| on still has to offer.
static int waits_for_more(const tam_decoding *self, size_t group, size_t row) {
  size_t end = (group + 1) * self->group_size;
  for (size_t i = row; i < end && !self->is_first; i++) {
    if (tam_decoding_is_beam_alive(self, i)) {
      return 1;
    }
  }
  return 0;
}

int tam_decoding_take_beam(tam_decoding *self, size_t row, float *logits) {
  size_t group = row / self->group_size;
  tam_logits_normalize(logits, self->vocab);
  diversify(self, group, logits);
  tam_logits_process_apply(&self->process, &self->histories[row], logits);
  int error = offer_row(self, row, logits);
  self->rows[row].is_taken = 1;
  if (error != 0 || waits_for_more(self, group, row + 1)) {
    return error;
  }
  return choose_beams(self, group);
}

// All groups choose from the first logits, but each of them changes the logits
// in its own way.
int tam_decoding_take_first_beams(tam_decoding *self, float *logits) {
  if (self->groups_len == 1) {
    return tam_decoding_take_beam(self, 0, logits);
  }
  float *copy = tam_mem_calloc(&self->mem, self->vocab, sizeof(*copy));
  if (copy == NULL) {
    return TAM_ERR_OUT_OF_MEMORY;
  }
  int error = 0;
  for (size_t group = 0; group < self->groups_len && error == 0; group++) {
    memcpy(copy, logits, self->vocab * sizeof(*copy));
    error = tam_decoding_take_beam(self, group * self->group_size, copy);
  }
  tam_mem_free(&self->mem, copy);
  return error;
}

// Returns the answer with the place |i| among those of all groups.
const tam_hypothesis *tam_decoding_find_answer(const tam_decoding *self,
                                               size_t i) {
  size_t heads[TAM_GENERATION_ROWS_MAX] = {0};
  const tam_hypothesis *best = NULL;
  for (size_t left = i + 1; left > 0; left--) {
    size_t from = self->groups_len;
    best = NULL;
    for (size_t group = 0; group < self->groups_len; group++) {
      const tam_beam_search *search = &self->groups[group];
      const tam_hypothesis *head = &search->finished[heads[group]];
      if (heads[group] < search->finished_len &&
          (best == NULL || head->score > best->score)) {
        best = head;
        from = group;
      }
    }
    if (best == NULL) {
      return NULL;
    }
    heads[from]++;
  }
  return best;
}
