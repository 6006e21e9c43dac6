// SPDX-License-Identifier: Apache-2.0
// Decides whether a model generates text, encodes it, or does neither, and
// says why.
//
// The rules, the first that can decide counts:
//  1. A refused configuration is auth-protected, high.
//  2. The class, architectures[0]. Classes listed by full name are what the
//     list says. Otherwise a type known to be about something else than text
//     (rule 3) decides; else the end of the class name: ...ForCausalLM and
//     its like generate, ...ForMaskedLM and its like encode, and a headless
//     ...Model of a known type embeds. All high, but medium when a generating
//     class belongs to an encoding type, and medium and not-text-generation
//     when a generating class of an unknown type speaks of sound.
//     A causal class of a family that is mostly encoders (BERT and its kin)
//     generates when is_decoder is true, high; else the row's task decides,
//     medium; without it the model encodes, medium.
//  3. model_type, by its table; else a class that is a type's name. High.
//  4. auto_map names AutoModelForCausalLM or AutoModelForSeq2SeqLM: generates,
//     medium.
//  5. text_config: its class, else its type, medium.
//  6. The row: its pipeline tag (medium), a headless class of an unknown type
//     without custom code (encodes, medium), its library (medium), its tags
//     (low): as tasks, libraries, types, topics, in this order.
//  7. A gated row without configuration is auth-protected, medium.
//  8. Parts of the model's name, low; not when a class or a type is named that
//     nobody knows.
//  9. Otherwise unknown, low.
// Afterwards a generating verdict of rules 2 to 6 is overruled, its confidence
// kept, by a task or library that people give to embedders, rankers,
// classifiers and voices, by the tag sentence-transformers, or by the tag
// text-embeddings-inference together with an embedding task; in a row without
// a known task also by a name that says embedding or reranker, medium.
//
// A model that is about something else than text is unknown, with the
// confidence of its rule and "not-text-generation" as the first reason.
#ifndef TAM_HUB_CLASSIFY_H
#define TAM_HUB_CLASSIFY_H

#include "hub/config_digest.h"

typedef enum tam_classification {
  TAM_CLASS_UNKNOWN = 0,
  TAM_CLASS_GEN,
  TAM_CLASS_ENCODER,
  TAM_CLASS_AUTH_PROTECTED
} tam_classification;

typedef enum tam_confidence {
  TAM_CONFIDENCE_LOW = 0,
  TAM_CONFIDENCE_MEDIUM,
  TAM_CONFIDENCE_HIGH
} tam_confidence;

// Pieces of evidence a verdict can rest on.
#define TAM_WHY_MAX 3

// One piece: a constant |rule| such as "architecture" or "not-text-generation"
// and the |value| it was applied to (of the input or constant, may be empty).
// On the wire it reads "rule" or "rule=value".
typedef struct tam_why {
  const char *rule;
  tam_span value;
} tam_why;

typedef struct tam_verdict {
  tam_classification classification;
  tam_confidence confidence;
  tam_why why[TAM_WHY_MAX];
  size_t why_count; // at least 1
} tam_verdict;

// What is known about a model. |config| may be absent (present = 0).
typedef struct tam_classify_input {
  const tam_config_digest *config;
  tam_span id;
  tam_span pipeline_tag;
  tam_span library_name;
  const tam_span *tags;
  size_t tag_count;
  int gated;       // the row says so
  int auth_denied; // a 401 or 403 with X-Error-Code GatedRepo
} tam_classify_input;

// Fills |verdict|. Never fails; the spans in |verdict| point into |input|.
void tam_classify(const tam_classify_input *input, tam_verdict *verdict);

// The names of the classifications (see core/names.h).
extern const char tam_classification_names[];

const char *tam_classification_name(tam_classification classification);
const char *tam_confidence_name(tam_confidence confidence);

#endif // TAM_HUB_CLASSIFY_H
