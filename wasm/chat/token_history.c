// SPDX-License-Identifier: Apache-2.0
#include "chat/token_history.h"

#include "core/mem.h"

#include <string.h>

// The least room that is made for an answer.
#define ROOM_MIN 64

static size_t seen_words(const tam_token_history *self) {
  return (self->vocab + 31) / 32;
}

// Gives the array at |*parray| room for |count| entries of |size| bytes.
static int grow(const tam_mem *mem, void **parray, size_t count, size_t size) {
  void *array = tam_mem_realloc(mem, *parray, count, size);
  if (array == NULL) {
    return TAM_ERR_OUT_OF_MEMORY;
  }
  *parray = array;
  return 0;
}

// Makes room for |need| tokens. What grew before an error stays as it is: the
// capacity is what all arrays have at least.
static int reserve(tam_token_history *self, size_t need) {
  if (need <= self->capacity) {
    return 0;
  }
  size_t capacity = need + need / 2 + ROOM_MIN;
  void *tokens = self->tokens;
  void *unique = self->unique;
  void *counts = self->counts;
  int error = grow(self->mem, &tokens, capacity, sizeof(*self->tokens));
  if (error == 0) {
    error = grow(self->mem, &unique, capacity, sizeof(*self->unique));
  }
  if (error == 0) {
    error = grow(self->mem, &counts, capacity, sizeof(*self->counts));
  }
  self->tokens = tokens;
  self->unique = unique;
  self->counts = counts;
  self->capacity = error == 0 ? capacity : self->capacity;
  return error;
}

static int is_known(const tam_token_history *self, int32_t token) {
  return token >= 0 && (size_t)token < self->vocab;
}

static void mark_seen(tam_token_history *self, int32_t token) {
  uint32_t bit = 1U << (token & 31);
  uint32_t *word = &self->seen[token >> 5];
  if ((*word & bit) == 0) {
    *word |= bit;
    self->unique[self->unique_len++] = token;
  }
}

// The answer's different tokens are few enough to look through.
static void count_token(tam_token_history *self, int32_t token) {
  size_t i = 0;
  while (i < self->counts_len && self->counts[i].token != token) {
    i++;
  }
  if (i == self->counts_len) {
    self->counts[self->counts_len++] = (tam_token_count){token, 0};
  }
  self->counts[i].count++;
}

int tam_token_history_init(tam_token_history *self, const int32_t *prompt,
                           size_t len, size_t vocab, const tam_mem *mem) {
  memset(self, 0, sizeof(*self));
  self->mem = mem;
  self->vocab = vocab;
  self->seen = tam_mem_calloc(mem, seen_words(self), sizeof(*self->seen));
  if (self->seen == NULL || reserve(self, len) != 0) {
    return TAM_ERR_OUT_OF_MEMORY;
  }
  for (size_t i = 0; i < len; i++) {
    self->tokens[i] = prompt[i];
    if (is_known(self, prompt[i])) {
      mark_seen(self, prompt[i]);
    }
  }
  self->len = len;
  self->prompt_len = len;
  return 0;
}

void tam_token_history_free(tam_token_history *self) {
  if (self->mem != NULL) {
    tam_mem_free(self->mem, self->tokens);
    tam_mem_free(self->mem, self->seen);
    tam_mem_free(self->mem, self->unique);
    tam_mem_free(self->mem, self->counts);
  }
  memset(self, 0, sizeof(*self));
}

int tam_token_history_append(tam_token_history *self, int32_t token) {
  int error = reserve(self, self->len + 1);
  if (error != 0) {
    return error;
  }
  self->tokens[self->len++] = token;
  if (is_known(self, token)) {
    mark_seen(self, token);
    count_token(self, token);
  }
  return 0;
}

int tam_token_history_copy(tam_token_history *self,
                           const tam_token_history *from) {
  int error = reserve(self, from->len);
  if (error != 0) {
    return error;
  }
  if (from->len > 0) {
    memcpy(self->tokens, from->tokens, from->len * sizeof(*self->tokens));
    memcpy(self->unique, from->unique,
           from->unique_len * sizeof(*self->unique));
    memcpy(self->counts, from->counts,
           from->counts_len * sizeof(*self->counts));
  }
  memcpy(self->seen, from->seen, seen_words(self) * sizeof(*self->seen));
  self->len = from->len;
  self->prompt_len = from->prompt_len;
  self->unique_len = from->unique_len;
  self->counts_len = from->counts_len;
  return 0;
}
