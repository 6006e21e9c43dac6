// SPDX-License-Identifier: Apache-2.0
// The table holds a hash of each word instead of its text, which takes a third
// of the space. A word that is in no table is taken for one of them with a
// probability of one in six million.
#include "hub/known_word.h"

static const uint32_t hashes[] = {
#define GROUP(kind, head, weight, ...) __VA_ARGS__
#include "hub/model_word.def"
#include "hub/row_word.def"
#undef GROUP
};

// The hashes stand in groups of words that mean the same.
typedef struct group {
  uint16_t count;
  uint8_t kind; // a tam_word_kind
  tam_known_word meaning;
} group;

enum { HINT = 0, BEATS_GEN };

static const group groups[] = {
#define GROUP(kind, head, weight, ...)                                         \
  {sizeof((uint32_t[]){__VA_ARGS__}) / sizeof(uint32_t),                       \
   TAM_WORD_##kind,                                                            \
   {TAM_HEAD_##head, weight}},
#include "hub/model_word.def"
#include "hub/row_word.def"
#undef GROUP
};

// FNV-1a (Fowler, Noll, Vo), 32 bits.
static uint32_t hash_of(tam_span word) {
  uint32_t hash = 0x811c9dc5U;
  for (size_t i = 0; i < word.len; i++) {
    uint8_t byte = word.ptr[i] == '-' ? '_' : word.ptr[i];
    hash = (hash ^ byte) * 0x01000193U;
  }
  return hash;
}

const tam_known_word *tam_known_word_find(tam_word_kind kind, tam_span word) {
  static const tam_known_word unknown = {TAM_HEAD_UNKNOWN, HINT};
  if (word.len == 0) { // most rows leave something out
    return &unknown;
  }
  const uint32_t hash = hash_of(word);
  const uint32_t *at = hashes;
  for (const group *i = groups; at < hashes + sizeof(hashes) / sizeof(*hashes);
       i++) {
    const uint32_t *end = at + i->count;
    for (; i->kind == kind && at < end; at++) {
      if (*at == hash) {
        return &i->meaning;
      }
    }
    at = end;
  }
  return &unknown;
}
