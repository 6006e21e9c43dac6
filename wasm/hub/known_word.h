// SPDX-License-Identifier: Apache-2.0
// What the words of a configuration or a row stand for by themselves. The
// words are data: model_word.def is generated from the recorded registries,
// row_word.def from row_hint.def.
#ifndef TAM_HUB_KNOWN_WORD_H
#define TAM_HUB_KNOWN_WORD_H

#include "tam.h"

// What sits on top of a network.
typedef enum tam_head {
  TAM_HEAD_UNKNOWN = 0,    // the word says nothing
  TAM_HEAD_GEN,            // generates text from text (and perhaps more)
  TAM_HEAD_ENCODER,        // encodes, classifies, fills masks
  TAM_HEAD_ENCODER_OR_GEN, // an encoder family with a causal class as well
  TAM_HEAD_BASE,           // nothing: hidden states (classes only)
  TAM_HEAD_OTHER           // speech, images, music, series, or needs them
} tam_head;

// Where a word stands. The first four kinds occur among the tags of a row as
// well, and are looked for in this order there.
typedef enum tam_word_kind {
  TAM_WORD_TASK = 0, // a pipeline tag
  TAM_WORD_LIBRARY,
  TAM_WORD_TYPE, // a model_type
  TAM_WORD_TOPIC,
  TAM_WORD_CLASS // an architecture that the end of its name does not explain
} tam_word_kind;

typedef struct tam_known_word {
  uint8_t head;      // a tam_head
  uint8_t beats_gen; // 1: the word counts more than a generating class
} tam_known_word;

// Returns what |word| stands for; the head is UNKNOWN when it is not in the
// table. '-' and '_' are the same.
const tam_known_word *tam_known_word_find(tam_word_kind kind, tam_span word);

#endif // TAM_HUB_KNOWN_WORD_H
