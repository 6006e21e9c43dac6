// SPDX-License-Identifier: Apache-2.0
#include "hub/classify.h"

#include "core/names.h"
#include "core/span.h"
#include "hub/model_class.h"

// ---------------------------------------------------------------------------
// What a row tells apart from its configuration

enum { HINT = 0, BEATS_GEN };

#define PIPELINE_TAG(word, head, weight)
#define LIBRARY(word, head, weight)
#define TOPIC(word, head)
#define NAME_PART(text, head, weight) text "\0"
static const char name_parts[] =
#include "hub/row_hint.def"
    ;
#undef NAME_PART
#define NAME_PART(text, head, weight) {TAM_HEAD_##head, weight},
static const tam_known_word name_meanings[] = {
#include "hub/row_hint.def"
};
#undef PIPELINE_TAG
#undef LIBRARY
#undef TOPIC
#undef NAME_PART

// Returns the place of the first part of the name in |id| that tells something,
// or -1.
static int find_name_part(tam_span id) {
  size_t slash = tam_span_find_byte(id, '/');
  tam_span name = slash < id.len ? tam_span_from(id, slash + 1) : id;
  return tam_names_find_within(name_parts, name);
}

static tam_span name_part_at(int place) {
  return tam_span_of(tam_names_at(name_parts, (size_t)place));
}

static const tam_known_word *task_of(const tam_classify_input *input) {
  return tam_known_word_find(TAM_WORD_TASK, input->pipeline_tag);
}

static int has_tag(const tam_classify_input *input, tam_span tag) {
  for (size_t i = 0; i < input->tag_count; i++) {
    if (tam_span_eq(input->tags[i], tag)) {
      return 1;
    }
  }
  return 0;
}

// ---------------------------------------------------------------------------
// Verdicts

static void because(tam_verdict *verdict, const char *rule, tam_span value) {
  if (verdict->why_count < TAM_WHY_MAX) {
    verdict->why[verdict->why_count++] = (tam_why){rule, value};
  }
}

static void decide(tam_verdict *verdict, tam_classification classification,
                   tam_confidence confidence) {
  verdict->classification = classification;
  verdict->confidence = confidence;
  verdict->why_count = 0;
}

// Decides by |head|, which is not UNKNOWN.
static void decide_by_head(tam_verdict *verdict, tam_head head,
                           tam_confidence confidence) {
  if (head == TAM_HEAD_OTHER) {
    decide(verdict, TAM_CLASS_UNKNOWN, confidence);
    because(verdict, "not-text-generation", TAM_SPAN_NONE);
  } else {
    decide(verdict, head == TAM_HEAD_GEN ? TAM_CLASS_GEN : TAM_CLASS_ENCODER,
           confidence);
  }
}

// ---------------------------------------------------------------------------
// By the configuration. These functions return 1 when they could decide.

// The longest model type that a class may be called by.
#define TYPE_NAME_MAX 64

static tam_head type_head(tam_span model_type) {
  return tam_known_word_find(TAM_WORD_TYPE, model_type)->head;
}

// Some configurations call their class by the model type, in any case.
static tam_head type_head_nocase(tam_span name) {
  uint8_t lower[TYPE_NAME_MAX];
  if (name.len > sizeof(lower)) {
    return TAM_HEAD_UNKNOWN;
  }
  for (size_t i = 0; i < name.len; i++) {
    uint8_t byte = name.ptr[i];
    lower[i] = byte >= 'A' && byte <= 'Z' ? (uint8_t)(byte | 0x20) : byte;
  }
  return type_head((tam_span){lower, name.len});
}

// A class that serves masked and causal checkpoints alike: the configuration
// tells, but listings leave "is_decoder" out, so the row's task may.
static void decide_decoder(const tam_classify_input *input, tam_span class_name,
                           tam_verdict *verdict) {
  if (input->config->is_decoder) {
    decide(verdict, TAM_CLASS_GEN, TAM_CONFIDENCE_HIGH);
    because(verdict, "is_decoder", TAM_SPAN("true"));
  } else if (task_of(input)->head == TAM_HEAD_GEN) {
    decide(verdict, TAM_CLASS_GEN, TAM_CONFIDENCE_MEDIUM);
    because(verdict, "pipeline_tag", input->pipeline_tag);
  } else {
    decide(verdict, TAM_CLASS_ENCODER, TAM_CONFIDENCE_MEDIUM);
    because(verdict, "not-a-decoder", TAM_SPAN_NONE);
  }
  because(verdict, "architecture", class_name);
}

// The end of the class name promises text.
static void decide_generating_class(const tam_classify_input *input,
                                    tam_span class_name, tam_head type_head,
                                    tam_verdict *verdict) {
  if (type_head == TAM_HEAD_ENCODER_OR_GEN) {
    decide_decoder(input, class_name, verdict);
    return;
  }
  tam_head head = TAM_HEAD_GEN;
  tam_confidence confidence = TAM_CONFIDENCE_HIGH;
  if (type_head == TAM_HEAD_ENCODER) { // class beats type, but one is wrong
    confidence = TAM_CONFIDENCE_MEDIUM;
  } else if (type_head == TAM_HEAD_UNKNOWN &&
             tam_model_class_is_about_sound(class_name)) {
    head = TAM_HEAD_OTHER;
    confidence = TAM_CONFIDENCE_MEDIUM;
  }
  decide_by_head(verdict, head, confidence);
  because(verdict, "architecture", class_name);
}

static int decide_by_class(const tam_classify_input *input, tam_head type_head,
                           tam_verdict *verdict) {
  tam_span name = input->config->architectures[0];
  tam_head head = tam_model_class_head(name);
  int is_listed = tam_model_class_is_listed(name);
  if (head == TAM_HEAD_UNKNOWN || (type_head == TAM_HEAD_OTHER && !is_listed)) {
    return 0;
  }
  if (head == TAM_HEAD_BASE) { // hidden states of a known type: an embedder
    if (type_head == TAM_HEAD_UNKNOWN || type_head == TAM_HEAD_OTHER) {
      return 0;
    }
    head = TAM_HEAD_ENCODER;
  }
  if (head == TAM_HEAD_ENCODER_OR_GEN) {
    decide_decoder(input, name, verdict);
  } else if (head == TAM_HEAD_GEN && !is_listed) {
    decide_generating_class(input, name, type_head, verdict);
  } else {
    decide_by_head(verdict, head, TAM_CONFIDENCE_HIGH);
    because(verdict, "architecture", name);
  }
  return 1;
}

static int decide_by_type(const tam_config_digest *config, tam_head type_head,
                          tam_verdict *verdict) {
  if (type_head != TAM_HEAD_UNKNOWN) {
    decide_by_head(verdict, type_head, TAM_CONFIDENCE_HIGH);
    because(verdict, "model_type", config->model_type);
    return 1;
  }
  tam_head head = config->architecture_count > 0
                      ? type_head_nocase(config->architectures[0])
                      : TAM_HEAD_UNKNOWN;
  if (head != TAM_HEAD_UNKNOWN) {
    decide_by_head(verdict, head, TAM_CONFIDENCE_HIGH);
    because(verdict, "architecture", config->architectures[0]);
    return 1;
  }
  return 0;
}

static int decide_by_auto_map(const tam_config_digest *config,
                              tam_verdict *verdict) {
  if ((config->auto_map & (TAM_AUTO_MAP_CAUSAL_LM | TAM_AUTO_MAP_SEQ2SEQ)) ==
      0) {
    return 0;
  }
  decide(verdict, TAM_CLASS_GEN, TAM_CONFIDENCE_MEDIUM);
  because(verdict, "auto_map",
          (config->auto_map & TAM_AUTO_MAP_CAUSAL_LM) != 0
              ? TAM_SPAN("AutoModelForCausalLM")
              : TAM_SPAN("AutoModelForSeq2SeqLM"));
  return 1;
}

// What the language half of a multimodal model generates, the whole does.
static int decide_by_text_config(const tam_config_digest *config,
                                 tam_verdict *verdict) {
  tam_head head = tam_model_class_head(config->text_architecture);
  if (head == TAM_HEAD_GEN || head == TAM_HEAD_ENCODER) {
    decide_by_head(verdict, head, TAM_CONFIDENCE_MEDIUM);
    because(verdict, "text_config.architecture", config->text_architecture);
    return 1;
  }
  head = type_head(config->text_model_type);
  if (head != TAM_HEAD_UNKNOWN) {
    decide_by_head(verdict, head, TAM_CONFIDENCE_MEDIUM);
    because(verdict, "text_config.model_type", config->text_model_type);
    return 1;
  }
  return 0;
}

static int decide_by_config(const tam_classify_input *input,
                            tam_verdict *verdict) {
  const tam_config_digest *config = input->config;
  tam_head head = type_head(config->model_type);
  return (config->architecture_count > 0 &&
          decide_by_class(input, head, verdict)) ||
         decide_by_type(config, head, verdict) ||
         decide_by_auto_map(config, verdict) ||
         decide_by_text_config(config, verdict);
}

// ---------------------------------------------------------------------------
// By what the row says

// Decides by |word|, which the row names as its |rule|.
static int decide_by_word(tam_word_kind kind, const char *rule, tam_span word,
                          tam_confidence confidence, tam_verdict *verdict) {
  tam_head head = tam_known_word_find(kind, word)->head;
  if (head == TAM_HEAD_UNKNOWN) {
    return 0;
  }
  decide_by_head(verdict, head, confidence);
  because(verdict, rule, word);
  return 1;
}

// A class of an unknown type that ends in "Model" names no head. Custom code
// may end so and generate.
static int decide_by_headless_class(const tam_config_digest *config,
                                    tam_verdict *verdict) {
  if (config->architecture_count == 0 || config->auto_map != 0 ||
      tam_model_class_head(config->architectures[0]) != TAM_HEAD_BASE) {
    return 0;
  }
  decide(verdict, TAM_CLASS_ENCODER, TAM_CONFIDENCE_MEDIUM);
  because(verdict, "architecture", config->architectures[0]);
  return 1;
}

// Tags repeat the task, the library and the model type of the row.
static int decide_by_tags(const tam_classify_input *input,
                          tam_verdict *verdict) {
  for (tam_word_kind kind = TAM_WORD_TASK; kind <= TAM_WORD_TOPIC; kind++) {
    for (size_t i = 0; i < input->tag_count; i++) {
      if (decide_by_word(kind, "tag", input->tags[i], TAM_CONFIDENCE_LOW,
                         verdict)) {
        return 1;
      }
    }
  }
  return 0;
}

static int decide_by_name(tam_span id, tam_verdict *verdict) {
  int part = find_name_part(id);
  if (part < 0) {
    return 0;
  }
  decide_by_head(verdict, name_meanings[part].head, TAM_CONFIDENCE_LOW);
  because(verdict, "name", name_part_at(part));
  return 1;
}

static int decide_by_row(const tam_classify_input *input,
                         tam_verdict *verdict) {
  return decide_by_word(TAM_WORD_TASK, "pipeline_tag", input->pipeline_tag,
                        TAM_CONFIDENCE_MEDIUM, verdict) ||
         decide_by_headless_class(input->config, verdict) ||
         decide_by_word(TAM_WORD_LIBRARY, "library_name", input->library_name,
                        TAM_CONFIDENCE_MEDIUM, verdict) ||
         decide_by_tags(input, verdict);
}

// ---------------------------------------------------------------------------

// Turns the verdict GEN into what |head| says, for the reason given first.
static void overrule(tam_verdict *verdict, tam_head head, const char *rule,
                     tam_span value) {
  tam_why before = verdict->why[0];
  decide_by_head(verdict, head, verdict->confidence);
  because(verdict, rule, value);
  because(verdict, before.rule, before.value);
}

static int is_embedding_by_tags(const tam_classify_input *input) {
  return has_tag(input, TAM_SPAN("text-embeddings-inference")) &&
         (has_tag(input, TAM_SPAN("sentence-similarity")) ||
          has_tag(input, TAM_SPAN("feature-extraction")) ||
          has_tag(input, TAM_SPAN("text-ranking")));
}

static void overrule_gen_by_name(tam_span id, tam_verdict *verdict) {
  int part = find_name_part(id);
  if (part >= 0 && name_meanings[part].beats_gen) {
    verdict->confidence = TAM_CONFIDENCE_MEDIUM;
    overrule(verdict, name_meanings[part].head, "name", name_part_at(part));
  }
}

// Embedders, rankers and voices are published on generating networks, under
// their classes: then the row tells.
static void overrule_gen(const tam_classify_input *input,
                         tam_verdict *verdict) {
  const tam_known_word *task = task_of(input);
  const tam_known_word *library =
      tam_known_word_find(TAM_WORD_LIBRARY, input->library_name);
  if (task->beats_gen) {
    overrule(verdict, task->head, "pipeline_tag", input->pipeline_tag);
  } else if (library->beats_gen) {
    overrule(verdict, library->head, "library_name", input->library_name);
  } else if (has_tag(input, TAM_SPAN("sentence-transformers"))) {
    overrule(verdict, TAM_HEAD_ENCODER, "tag",
             TAM_SPAN("sentence-transformers"));
  } else if (is_embedding_by_tags(input)) {
    overrule(verdict, TAM_HEAD_ENCODER, "tag",
             TAM_SPAN("text-embeddings-inference"));
  } else if (task->head == TAM_HEAD_UNKNOWN) {
    overrule_gen_by_name(input->id, verdict);
  }
}

// Names what nobody knows. A model without such names may tell by its own.
static void decide_unknown(const tam_classify_input *input,
                           tam_verdict *verdict) {
  const tam_config_digest *config = input->config;
  decide(verdict, TAM_CLASS_UNKNOWN, TAM_CONFIDENCE_LOW);
  if (config->architecture_count > 0) {
    because(verdict, "unknown-architecture", config->architectures[0]);
  }
  if (config->model_type.len > 0) {
    because(verdict, "unknown-model_type", config->model_type);
  }
  if (verdict->why_count == 0 && !decide_by_name(input->id, verdict)) {
    because(verdict, "no-evidence", TAM_SPAN_NONE);
  }
}

static void classify(const tam_classify_input *input, tam_verdict *verdict) {
  if (input->auth_denied) {
    decide(verdict, TAM_CLASS_AUTH_PROTECTED, TAM_CONFIDENCE_HIGH);
    because(verdict, "auth-denied", TAM_SPAN_NONE);
  } else if (decide_by_config(input, verdict) ||
             decide_by_row(input, verdict)) {
    if (verdict->classification == TAM_CLASS_GEN) {
      overrule_gen(input, verdict);
    }
  } else if (input->gated && !input->config->present) {
    decide(verdict, TAM_CLASS_AUTH_PROTECTED, TAM_CONFIDENCE_MEDIUM);
    because(verdict, "gated", TAM_SPAN_NONE);
  } else {
    decide_unknown(input, verdict);
  }
}

void tam_classify(const tam_classify_input *input, tam_verdict *verdict) {
  static const tam_config_digest no_config;
  tam_classify_input known = *input;
  if (known.config == NULL || !known.config->present) {
    known.config = &no_config;
  }
  classify(&known, verdict);
}

const char tam_classification_names[] = "unknown\0"
                                        "gen\0"
                                        "encoder\0"
                                        "auth-protected\0";

const char *tam_classification_name(tam_classification classification) {
  return tam_names_at(tam_classification_names, classification);
}

const char *tam_confidence_name(tam_confidence confidence) {
  return tam_names_at("low\0"
                      "medium\0"
                      "high\0",
                      confidence);
}
