// SPDX-License-Identifier: Apache-2.0
// What parameters mean together, and what is said about them afterwards.
#include "chat/generation_rules.h"
#include "core/json_write.h"

static tam_span name_of(tam_param param) {
  return tam_span_of(tam_param_name(param));
}

static int number_of(const tam_generation_params *self, tam_param param) {
  return (int)tam_generation_params_get(self, param);
}

static void reset(tam_generation_params *self, tam_param param) {
  self->values[param] =
      (tam_param_value){(double)tam_param_rules[param].initial, 0, 0, 0};
}

// Puts |param| back and says so, when it was set to anything else.
static void ignore(tam_generation_params *self, tam_param param,
                   const char *reason) {
  const tam_param_value *value = &self->values[param];
  int is_other = value->count > 0 || param == TAM_PARAM_SEED ||
                 value->number != (double)tam_param_rules[param].initial;
  if (value->layer > TAM_PARAMS_LAYER_MODEL && is_other) {
    tam_generation_ignore(self, name_of(param), reason);
  }
  reset(self, param);
}

// -----------------------------------------------------------------------------
// What does not go together

typedef struct conflict {
  tam_param param;
  const char *rule; // NULL: none
} conflict;

static conflict find_conflict(const tam_generation_params *self) {
  int beams = number_of(self, TAM_PARAM_NUM_BEAMS);
  int groups = number_of(self, TAM_PARAM_NUM_BEAM_GROUPS);
  int rows = number_of(self, TAM_PARAM_NUM_RETURN_SEQUENCES);
  int is_sampling = number_of(self, TAM_PARAM_DO_SAMPLE);
  if (beams > 1 && beams % groups != 0) {
    return (conflict){TAM_PARAM_NUM_BEAM_GROUPS, "a divisor of num_beams"};
  }
  if (beams > 1 && groups > 1 && is_sampling) {
    return (conflict){TAM_PARAM_NUM_BEAM_GROUPS, "1 when do_sample is true"};
  }
  if (beams > 1 && rows > beams) {
    return (conflict){TAM_PARAM_NUM_RETURN_SEQUENCES, "at most num_beams"};
  }
  if (beams == 1 && !is_sampling && rows > 1) {
    return (conflict){TAM_PARAM_NUM_RETURN_SEQUENCES,
                      "1 without do_sample and beams"};
  }
  return (conflict){TAM_PARAM_COUNT, NULL};
}

// What comes from the model's file gives way; else the request is wrong.
static int settle_conflicts(tam_generation_params *self, tam_buf *why) {
  for (;;) {
    conflict found = find_conflict(self);
    if (found.rule == NULL) {
      return 0;
    }
    if (self->values[found.param].layer == TAM_PARAMS_LAYER_MODEL) {
      tam_generation_ignore(self, name_of(found.param),
                            "the value in generation_config.json does not go "
                            "with the other parameters");
      reset(self, found.param);
      continue;
    }
    tam_buf_append(why, name_of(found.param));
    tam_buf_append_text(why, " is ");
    tam_generation_append_number(why,
                                 tam_generation_params_get(self, found.param));
    tam_buf_append_text(why, ", but must be ");
    tam_buf_append_text(why, found.rule);
    return TAM_ERR_INVALID_PARAMS;
  }
}

// -----------------------------------------------------------------------------
// Ids that the model does not have

static int is_within(tam_token_span ids, size_t vocab) {
  for (size_t i = 0; i < ids.len; i++) {
    if ((size_t)ids.ids[i] >= vocab) {
      return 0;
    }
  }
  return 1;
}

static int has_known_ids(const tam_generation_params *self, tam_param param,
                         size_t vocab) {
  size_t at = 0;
  tam_biased_sequence sequence;
  switch (tam_param_rules[param].kind) {
  case TAM_PARAM_KIND_ID:
    return tam_generation_params_get(self, param) < (double)vocab;
  case TAM_PARAM_KIND_IDS:
    return is_within(tam_generation_params_ids(self, param), vocab);
  case TAM_PARAM_KIND_SEQUENCE_BIAS:
  case TAM_PARAM_KIND_LOGIT_BIAS:
  case TAM_PARAM_KIND_BAD_WORDS:
    while (tam_generation_params_next_sequence(self, param, &at, &sequence)) {
      if (!is_within(sequence.tokens, vocab)) {
        return 0;
      }
    }
    return 1;
  default:
    return 1;
  }
}

static int settle_ids(tam_generation_params *self, size_t vocab, tam_buf *why) {
  for (tam_param param = 0; param < TAM_PARAM_COUNT && vocab > 0; param++) {
    if (has_known_ids(self, param, vocab)) {
      continue;
    }
    if (self->values[param].layer == TAM_PARAMS_LAYER_MODEL) {
      tam_generation_ignore(self, name_of(param),
                            "generation_config.json names a token that the "
                            "model does not have");
      reset(self, param);
      continue;
    }
    tam_buf_append(why, name_of(param));
    tam_buf_append_text(why, " names a token that the model does not have: ids "
                             "are from 0 to ");
    tam_generation_append_number(why, (double)(vocab - 1));
    return TAM_ERR_INVALID_PARAMS;
  }
  return 0;
}

// -----------------------------------------------------------------------------
// Modes

// Divided by less, logits come to the end of the floats and are alike there,
// while only the best of them could be drawn: what is colder counts as 0.
#define TEMPERATURE_MIN 1e-30

// Returns why |param| has no meaning, or NULL.
static const char *find_lack(const tam_generation_params *self,
                             const tam_generation_facts *facts,
                             tam_param param) {
  int is_cold = tam_generation_params_get(self, TAM_PARAM_TEMPERATURE) == 0;
  switch (tam_param_rules[param].needs) {
  case TAM_PARAM_NEEDS_SAMPLE:
    if (number_of(self, TAM_PARAM_DO_SAMPLE) ||
        param == TAM_PARAM_TEMPERATURE) {
      return NULL;
    }
    return is_cold ? "needs do_sample with a temperature above 0"
                   : "needs do_sample";
  case TAM_PARAM_NEEDS_BEAMS:
    return number_of(self, TAM_PARAM_NUM_BEAMS) > 1 ? NULL
                                                    : "needs num_beams above 1";
  case TAM_PARAM_NEEDS_GROUPS:
    return number_of(self, TAM_PARAM_NUM_BEAM_GROUPS) > 1
               ? NULL
               : "needs num_beam_groups above 1";
  case TAM_PARAM_NEEDS_END:
    return tam_generation_params_eos(
               self, (tam_token_span){NULL, (size_t)facts->has_end})
                       .len > 0
               ? NULL
               : "there is no end token";
  case TAM_PARAM_NEEDS_ENCODER:
    return facts->is_encoder ? NULL : "the model has no encoder";
  case TAM_PARAM_NEEDS_NO_ENCODER: // nothing is left without the prompt
    return facts->is_encoder ? "the model has an encoder" : NULL;
  default:
    return NULL;
  }
}

static void settle_lengths(tam_generation_params *self) {
  const tam_param_value *all = &self->values[TAM_PARAM_MAX_LENGTH];
  const tam_param_value *added = &self->values[TAM_PARAM_MAX_NEW_TOKENS];
  if (all->layer == TAM_PARAMS_LAYER_DEFAULT ||
      added->layer == TAM_PARAMS_LAYER_DEFAULT) {
    return;
  }
  if (all->layer > added->layer) {
    reset(self, TAM_PARAM_MAX_NEW_TOKENS);
  } else {
    ignore(self, TAM_PARAM_MAX_LENGTH, "max_new_tokens is given");
  }
}

static void settle_modes(tam_generation_params *self,
                         const tam_generation_facts *facts) {
  tam_param_value *temperature = &self->values[TAM_PARAM_TEMPERATURE];
  if (temperature->number < TEMPERATURE_MIN) {
    temperature->number = 0;
    self->values[TAM_PARAM_DO_SAMPLE].number = 0;
  }
  for (tam_param param = 0; param < TAM_PARAM_COUNT; param++) {
    const char *lack = find_lack(self, facts, param);
    if (lack != NULL) {
      ignore(self, param, lack);
    }
  }
  // Only now: a temperature of 0 had to be seen until here, and stays, because
  // it is what turned sampling off.
  if (!number_of(self, TAM_PARAM_DO_SAMPLE) &&
      tam_generation_params_get(self, TAM_PARAM_TEMPERATURE) != 0) {
    ignore(self, TAM_PARAM_TEMPERATURE, "needs do_sample");
  }
}

int tam_generation_params_settle(tam_generation_params *self,
                                 const tam_generation_facts *facts,
                                 tam_buf *why) {
  settle_lengths(self);
  settle_modes(self, facts);
  int error = settle_conflicts(self, why);
  if (error == 0) {
    error = settle_ids(self, facts->vocab, why);
  }
  return error != 0 ? error : self->ignored.error;
}

// -----------------------------------------------------------------------------
// Writing

void tam_generation_params_note_prompt(tam_generation_params *self, int is_json,
                                       tam_span system, const char *unused) {
  self->is_json = is_json;
  self->system = unused == NULL ? system : TAM_SPAN_NONE;
  if (unused != NULL && system.len > 0) {
    tam_generation_ignore(self, TAM_SPAN("system_prompt"), unused);
  }
}

static void write_number(tam_buf *json, double number) {
  tam_json_write_raw(json, TAM_SPAN_NONE);
  tam_generation_append_number(json, number);
}

static void write_ids(tam_buf *json, tam_token_span ids) {
  tam_json_write_array_begin(json);
  for (size_t i = 0; i < ids.len; i++) {
    write_number(json, ids.ids[i]);
  }
  tam_json_write_array_end(json);
}

static void write_sequences(tam_buf *json, const tam_generation_params *self,
                            tam_param param) {
  int is_biased = param == TAM_PARAM_SEQUENCE_BIAS;
  size_t at = 0;
  tam_biased_sequence sequence;
  tam_json_write_array_begin(json);
  while (tam_generation_params_next_sequence(self, param, &at, &sequence)) {
    if (is_biased) {
      tam_json_write_array_begin(json);
    }
    write_ids(json, sequence.tokens);
    if (is_biased) {
      write_number(json, (double)sequence.bias);
      tam_json_write_array_end(json);
    }
  }
  tam_json_write_array_end(json);
}

static void write_logit_bias(tam_buf *json, const tam_generation_params *self) {
  size_t at = 0;
  tam_biased_sequence one;
  tam_json_write_object_begin(json);
  while (tam_generation_params_next_sequence(self, TAM_PARAM_LOGIT_BIAS, &at,
                                             &one)) {
    tam_json_write_raw(json, TAM_SPAN("\""));
    tam_text_append_number(json, one.tokens.ids[0]);
    tam_buf_append_text(json, "\":");
    write_number(json, (double)one.bias);
  }
  tam_json_write_object_end(json);
}

static void write_decay(tam_buf *json, const tam_generation_params *self) {
  double start = 0;
  double factor = 0;
  tam_generation_params_decay(self, &start, &factor);
  tam_json_write_array_begin(json);
  write_number(json, start);
  write_number(json, factor);
  tam_json_write_array_end(json);
}

static void write_stops(tam_buf *json, const tam_generation_params *self) {
  tam_json_write_array_begin(json);
  for (size_t i = 0; i < tam_generation_params_stop_count(self); i++) {
    tam_json_write_string(json, tam_generation_params_stop(self, i));
  }
  tam_json_write_array_end(json);
}

static void write_seed(tam_buf *json, const tam_generation_params *self) {
  tam_json_write_array_begin(json);
  for (size_t i = 0; i < sizeof(self->seed); i++) {
    write_number(json, self->seed[i]);
  }
  tam_json_write_array_end(json);
}

static void write_value(tam_buf *json, const tam_generation_params *self,
                        tam_param param) {
  double number = tam_generation_params_get(self, param);
  switch (tam_param_rules[param].kind) {
  case TAM_PARAM_KIND_BOOL:
    tam_json_write_bool(json, number != 0);
    break;
  case TAM_PARAM_KIND_EARLY:
    tam_json_write_raw(json, number == TAM_EARLY_STOPPING_NEVER
                                 ? TAM_SPAN("\"never\"")
                             : number != 0 ? TAM_SPAN("true")
                                           : TAM_SPAN("false"));
    break;
  case TAM_PARAM_KIND_IDS:
    write_ids(json, tam_generation_params_ids(self, param));
    break;
  case TAM_PARAM_KIND_SEQUENCE_BIAS:
  case TAM_PARAM_KIND_BAD_WORDS:
    write_sequences(json, self, param);
    break;
  case TAM_PARAM_KIND_LOGIT_BIAS:
    write_logit_bias(json, self);
    break;
  case TAM_PARAM_KIND_DECAY:
    write_decay(json, self);
    break;
  case TAM_PARAM_KIND_TEXTS:
    write_stops(json, self);
    break;
  case TAM_PARAM_KIND_SEED:
    write_seed(json, self);
    break;
  default:
    write_number(json, number);
  }
}

// Defaults that shape every answer of their mode are said as well.
static int is_shown(const tam_generation_params *self, tam_param param) {
  int is_sampling = number_of(self, TAM_PARAM_DO_SAMPLE);
  return tam_generation_params_is_given(self, param) ||
         param == TAM_PARAM_DO_SAMPLE ||
         (is_sampling && (param == TAM_PARAM_TEMPERATURE ||
                          param == TAM_PARAM_TOP_K || param == TAM_PARAM_SEED));
}

void tam_generation_params_write_effective(const tam_generation_params *self,
                                           tam_buf *json) {
  tam_json_write_object_begin(json);
  for (tam_param param = 0; param < TAM_PARAM_COUNT; param++) {
    if (is_shown(self, param)) {
      tam_json_write_key(json, tam_param_name(param));
      write_value(json, self, param);
    }
  }
  if (self->system.len > 0) {
    tam_json_write_string_member(json, "system_prompt", self->system);
  }
  if (self->is_json) {
    tam_json_write_key(json, "json_mode");
    tam_json_write_bool(json, 1);
  }
  tam_json_write_object_end(json);
}

void tam_generation_params_write_ignored(const tam_generation_params *self,
                                         tam_buf *json) {
  tam_json_write_array_begin(json);
  tam_json_write_raw(json, tam_buf_span(&self->ignored));
  tam_json_write_array_end(json);
}
