// SPDX-License-Identifier: Apache-2.0
// One table says which parameters there are; one function per kind reads them.
#include "chat/generation_params.h"

#include "chat/float_math.h"
#include "chat/generation_rules.h"
#include "chat/stop_strings.h"
#include "core/json_write.h"
#include "core/names.h"

#include <string.h>

// Lists and texts come from documents of at most 64 KiB, three of them. Reasons
// of ignored parameters are longer than these.
#define LISTS_MAX   (1U << 20)
#define IGNORED_MAX (1U << 20)

// How much of a wrong text or an unknown name is quoted.
#define QUOTE_MAX 80

// The largest power of ten that a double holds exactly, and the most places
// that are written behind a point rather than as an exponent.
#define POWER_MAX  22
#define PLACES_MAX 16

// Smaller numbers are raised to this, so that the powers above hold some twelve
// digits of them.
#define TINY 1e-10

// 2^53: beyond it not every whole number is a double.
#define SEED_MAX 9007199254740992.0

// -----------------------------------------------------------------------------
// The tables

#define ANY  TAM_PARAM_ANY
#define MANY TAM_PARAM_MANY
#define ROWS TAM_GENERATION_ROWS_MAX

const tam_param_rule tam_param_rules[TAM_PARAM_COUNT] = {
#define TAM_PARAM(name, text, kind, min, max, initial, needs)                  \
  {min, max, initial, TAM_PARAM_KIND_##kind, TAM_PARAM_NEEDS_##needs},
#include "chat/generation_param.def"
#undef TAM_PARAM
};

const char tam_param_names[] =
#define TAM_PARAM(name, text, kind, min, max, initial, needs) text "\0"
#include "chat/generation_param.def"
#undef TAM_PARAM
    ;

// Another name of STOP_STRINGS.
#define STOP_NAME "stop"

// What the reference knows and this program does not do, by reason.
static const char *const refused[][2] = {
    {"output_attentions\0output_hidden_states\0output_logits\0",
     "the exported graph has no such output"},
    {"penalty_alpha\0constraints\0force_words_ids\0forced_decoder_ids\0"
     "dola_layers\0",
     "removed from the reference"},
    {"prefix_allowed_tokens_fn\0logits_processor\0stopping_criteria\0"
     "streamer\0",
     "a function cannot be part of a message"},
    {"watermarking_config\0prompt_lookup_num_tokens\0assistant_model\0"
     "low_memory\0cache_implementation\0negative_prompt_ids\0",
     "not supported"},
};

// Settings that belong to the prompt, and are read there.
static const char of_prompt[] = "system_prompt\0"
                                "json_mode\0"
                                "enabled\0";

const char *tam_param_name(tam_param param) {
  return tam_names_at(tam_param_names, param);
}

void tam_generation_params_init(tam_generation_params *self,
                                const tam_mem *mem) {
  memset(self, 0, sizeof(*self));
  tam_buf_init(&self->words, mem, LISTS_MAX);
  tam_buf_init(&self->text, mem, LISTS_MAX);
  tam_buf_init(&self->ignored, mem, IGNORED_MAX);
  for (int i = 0; i < TAM_PARAM_COUNT; i++) {
    self->values[i].number = (double)tam_param_rules[i].initial;
  }
}

void tam_generation_params_free(tam_generation_params *self) {
  tam_buf_free(&self->words);
  tam_buf_free(&self->text);
  tam_buf_free(&self->ignored);
}

// -----------------------------------------------------------------------------
// Saying what is wrong

void tam_generation_ignore(tam_generation_params *self, tam_span name,
                           const char *reason) {
  tam_buf *json = &self->ignored;
  tam_json_write_object_begin(json);
  tam_json_write_string_member(json, "name",
                               tam_span_head_utf8(name, QUOTE_MAX));
  tam_json_write_name_member(json, "reason", reason);
  tam_json_write_object_end(json);
}

// Appends |digits| with a point before the last |places|.
static void append_decimal(tam_buf *buf, uint64_t digits, size_t places) {
  uint8_t text[24];
  size_t at = sizeof(text);
  while (digits != 0 || sizeof(text) - at <= places) {
    text[--at] = (uint8_t)('0' + digits % 10);
    digits /= 10;
  }
  size_t point = sizeof(text) - places;
  tam_buf_append(buf, (tam_span){text + at, point - at});
  if (places > 0) {
    tam_buf_append_byte(buf, '.');
    tam_buf_append(buf, (tam_span){text + point, places});
  }
}

// Powers of ten up to the 22nd are exact, so a short decimal is found as the
// fraction that gives the very same double.
void tam_generation_append_number(tam_buf *buf, double value) {
  double size = value < 0 ? -value : value;
  double power = 1;
  size_t places = 0;
  int exponent = 0;
  for (; size / power >= SEED_MAX; power *= 10) {
    exponent++;
  }
  size /= power;
  power = 1;
  for (; size > 0 && size < TINY; size *= 10) {
    exponent--;
  }
  double digits = (double)(uint64_t)(size + 0.5);
  while (digits / power != size && digits < SEED_MAX / 16 &&
         places < POWER_MAX) {
    power *= 10;
    places++;
    digits = (double)(uint64_t)(size * power + 0.5);
  }
  if (places > PLACES_MAX || exponent < 0) {
    exponent -= (int)places;
    places = 0;
  }
  uint64_t shown = (uint64_t)digits;
  for (; exponent != 0 && shown != 0 && shown % 10 == 0; shown /= 10) {
    exponent++;
  }
  if (value < 0) {
    tam_buf_append_byte(buf, '-');
  }
  append_decimal(buf, shown, places);
  if (exponent != 0) {
    tam_buf_append_byte(buf, 'e');
    tam_text_append_number(buf, exponent);
  }
}

static void append_number_range(tam_buf *buf, const tam_param_rule *rule) {
  int is_above = rule->kind == TAM_PARAM_KIND_ABOVE;
  int is_whole = rule->kind == TAM_PARAM_KIND_COUNT ||
                 rule->kind == TAM_PARAM_KIND_ID ||
                 rule->kind == TAM_PARAM_KIND_IDS;
  if (rule->min <= -TAM_PARAM_ANY) {
    tam_buf_append_text(buf, "a finite number");
    return;
  }
  tam_buf_append_text(buf, is_whole ? "a whole number " : "a number ");
  tam_buf_append_text(buf, is_above ? "above " : "from ");
  tam_generation_append_number(buf, (double)rule->min);
  if (rule->max < TAM_PARAM_ANY) {
    tam_buf_append_text(buf, is_above                             ? " up to "
                             : rule->kind == TAM_PARAM_KIND_BELOW ? " to below "
                                                                  : " to ");
    tam_generation_append_number(buf, (double)rule->max);
  } else if (!is_above) {
    tam_buf_append_text(buf, " on");
  }
}

void tam_generation_append_range(tam_buf *buf, const tam_param_rule *rule) {
  const char *text = NULL;
  switch (rule->kind) {
  case TAM_PARAM_KIND_BOOL:
    text = "true or false";
    break;
  case TAM_PARAM_KIND_SEED:
    text = "a whole number from 0 to 9007199254740992 or a list of 16 bytes";
    break;
  case TAM_PARAM_KIND_EARLY:
    text = "true, false or \"never\"";
    break;
  case TAM_PARAM_KIND_SEQUENCE_BIAS:
    text = "a list of [[token id, ...], finite number]";
    break;
  case TAM_PARAM_KIND_LOGIT_BIAS:
    text = "an object of token ids and finite numbers";
    break;
  case TAM_PARAM_KIND_BAD_WORDS:
    text = "a list of lists of token ids";
    break;
  case TAM_PARAM_KIND_DECAY:
    text = "a list of a whole number from 0 on and a number above 0";
    break;
  case TAM_PARAM_KIND_TEXTS:
    text = "a text or a list of up to 64 texts, none of them empty";
    break;
  default:
    append_number_range(buf, rule);
    if (rule->kind == TAM_PARAM_KIND_IDS) {
      tam_buf_append_text(buf, " or a list of them");
    }
    return;
  }
  tam_buf_append_text(buf, text);
}

static void append_quote(tam_buf *why, const tam_json_node *value) {
  static const char *const words[] = {"nothing", "null",     "true",     "",
                                      "",        "an array", "an object"};
  tam_json_kind kind = tam_json_get_kind(value);
  if (kind == TAM_JSON_KIND_NUMBER) {
    double number = tam_json_get_number(value);
    if (number >= -1e300 && number <= 1e300) {
      tam_generation_append_number(why, number);
    } else {
      tam_buf_append_text(why, "too large a number");
    }
  } else if (kind == TAM_JSON_KIND_STRING) {
    tam_buf_append_byte(why, '"');
    tam_buf_append(why,
                   tam_span_head_utf8(tam_json_get_string(value), QUOTE_MAX));
    tam_buf_append_byte(why, '"');
  } else if (kind == TAM_JSON_KIND_BOOL && !tam_json_get_bool(value)) {
    tam_buf_append_text(why, "false");
  } else {
    tam_buf_append_text(why, words[kind]);
  }
}

// -----------------------------------------------------------------------------
// One function per kind. Each returns 1 when the value is allowed.

static int read_number(const tam_json_node *node, double min, double max,
                       double *pnumber) {
  *pnumber = tam_json_get_number(node);
  return tam_json_get_kind(node) == TAM_JSON_KIND_NUMBER && *pnumber >= min &&
         *pnumber <= max;
}

static int read_whole(const tam_json_node *node, double min, double max,
                      double *pnumber) {
  return read_number(node, min, max, pnumber) &&
         *pnumber == (double)(int64_t)*pnumber;
}

static int read_bounded(const tam_json_node *node, const tam_param_rule *rule,
                        double *pnumber) {
  double min = (double)rule->min;
  double max = (double)rule->max;
  return read_number(node, min, max, pnumber) &&
         !(rule->kind == TAM_PARAM_KIND_ABOVE && *pnumber == min) &&
         !(rule->kind == TAM_PARAM_KIND_BELOW && *pnumber == max);
}

static void add_word(tam_generation_params *self, uint32_t word) {
  tam_buf_append_u32(&self->words, word);
}

static int add_id(tam_generation_params *self, const tam_json_node *node) {
  double id = 0;
  int is_read = read_whole(node, 0, (double)TAM_PARAM_MANY, &id);
  add_word(self, is_read ? (uint32_t)id : 0);
  return is_read;
}

// Adds the ids of the array |node|; stores how many.
static int add_ids(tam_generation_params *self, const tam_json_node *node,
                   uint32_t *pcount) {
  int is_read = tam_json_get_kind(node) == TAM_JSON_KIND_ARRAY;
  for (const tam_json_node *at = tam_json_get_first(node);
       at != NULL && is_read; at = tam_json_get_next(at)) {
    is_read = add_id(self, at);
    ++*pcount;
  }
  return is_read;
}

static int read_ids(tam_generation_params *self, const tam_json_node *node) {
  uint32_t count = 0;
  return tam_json_get_kind(node) == TAM_JSON_KIND_NUMBER
             ? add_id(self, node)
             : add_ids(self, node, &count);
}

static uint32_t bits_of(float number) {
  uint32_t bits;
  memcpy(&bits, &number, sizeof(bits));
  return bits;
}

// Adds a sequence: its length, its ids, the bias.
static int add_sequence(tam_generation_params *self, const tam_json_node *ids,
                        double bias) {
  size_t at = self->words.len;
  uint32_t count = 0;
  add_word(self, 0);
  int is_read = add_ids(self, ids, &count) && count > 0;
  if (self->words.error == 0) {
    memcpy(self->words.data + at, &count, sizeof(count));
  }
  add_word(self, bits_of((float)bias));
  return is_read;
}

static int read_sequences(tam_generation_params *self,
                          const tam_json_node *node, int is_biased) {
  double any = (double)TAM_PARAM_ANY;
  int is_read = tam_json_get_kind(node) == TAM_JSON_KIND_ARRAY;
  for (const tam_json_node *at = tam_json_get_first(node);
       at != NULL && is_read; at = tam_json_get_next(at)) {
    const tam_json_node *ids = is_biased ? tam_json_get_first(at) : at;
    double bias = (double)-__builtin_inff();
    if (is_biased) {
      const tam_json_node *second = tam_json_get_next(ids);
      is_read = tam_json_get_kind(at) == TAM_JSON_KIND_ARRAY &&
                read_number(second, -any, any, &bias) &&
                tam_json_get_next(second) == NULL;
    }
    is_read = is_read && add_sequence(self, ids, bias);
  }
  return is_read;
}

static int read_logit_bias(tam_generation_params *self,
                           const tam_json_node *node) {
  double any = (double)TAM_PARAM_ANY;
  int is_read = tam_json_get_kind(node) == TAM_JSON_KIND_OBJECT;
  for (const tam_json_node *at = tam_json_get_first(node);
       at != NULL && is_read; at = tam_json_get_next(at)) {
    double id = 0;
    double bias = 0;
    is_read = tam_span_to_uint(tam_json_get_key(at), &id) &&
              id <= (double)TAM_PARAM_MANY && read_number(at, -any, any, &bias);
    if (is_read) {
      add_word(self, 1);
      add_word(self, (uint32_t)id);
      add_word(self, bits_of((float)bias));
    }
  }
  return is_read;
}

// The start is the value's number, the factor its only word.
static int read_decay(tam_generation_params *self, const tam_json_node *node,
                      double *pstart) {
  const tam_json_node *start = tam_json_get_first(node);
  const tam_json_node *factor = tam_json_get_next(start);
  double value = 0;
  int is_read = tam_json_get_kind(node) == TAM_JSON_KIND_ARRAY &&
                read_whole(start, 0, (double)TAM_PARAM_MANY, pstart) &&
                read_number(factor, 0, (double)TAM_PARAM_ANY, &value) &&
                value > 0 && tam_json_get_next(factor) == NULL;
  uint64_t bits;
  memcpy(&bits, &value, sizeof(bits));
  add_word(self, (uint32_t)bits);
  add_word(self, (uint32_t)(bits >> 32));
  return is_read;
}

static int add_text(tam_generation_params *self, const tam_json_node *node) {
  tam_span text = tam_json_get_string(node);
  add_word(self, (uint32_t)self->text.len);
  add_word(self, (uint32_t)text.len);
  tam_buf_append(&self->text, text);
  return tam_json_get_kind(node) == TAM_JSON_KIND_STRING && text.len > 0;
}

static int read_texts(tam_generation_params *self, const tam_json_node *node) {
  if (tam_json_get_kind(node) != TAM_JSON_KIND_ARRAY) {
    return add_text(self, node);
  }
  int left = TAM_STOP_STRINGS_MAX;
  int is_read = 1;
  for (const tam_json_node *at = tam_json_get_first(node);
       at != NULL && is_read; at = tam_json_get_next(at)) {
    is_read = left-- > 0 && add_text(self, at);
  }
  return is_read;
}

static int read_seed(tam_generation_params *self, const tam_json_node *node) {
  uint8_t seed[sizeof(self->seed)] = {0};
  double number = 0;
  size_t len = 0;
  if (read_whole(node, 0, SEED_MAX, &number)) {
    uint64_t bits = (uint64_t)number;
    for (; len < sizeof(bits); len++) {
      seed[len] = (uint8_t)(bits >> (8 * len));
    }
  } else {
    const tam_json_node *at = tam_json_get_first(node);
    for (; at != NULL && len < sizeof(seed) && read_whole(at, 0, 255, &number);
         at = tam_json_get_next(at)) {
      seed[len++] = (uint8_t)number;
    }
    if (at != NULL || len < sizeof(seed) ||
        tam_json_get_kind(node) != TAM_JSON_KIND_ARRAY) {
      return 0;
    }
  }
  memcpy(self->seed, seed, sizeof(seed));
  return 1;
}

static int read_early(const tam_json_node *node, double *pnumber) {
  if (tam_json_get_kind(node) == TAM_JSON_KIND_BOOL) {
    *pnumber = tam_json_get_bool(node);
    return 1;
  }
  *pnumber = TAM_EARLY_STOPPING_NEVER;
  return tam_span_eq(tam_json_get_string(node), TAM_SPAN("never"));
}

// Reads |node| into |self| and |*pnumber|.
static int read_value(tam_generation_params *self, const tam_param_rule *rule,
                      const tam_json_node *node, double *pnumber) {
  switch (rule->kind) {
  case TAM_PARAM_KIND_BOOL:
    *pnumber = tam_json_get_bool(node);
    return tam_json_get_kind(node) == TAM_JSON_KIND_BOOL;
  case TAM_PARAM_KIND_COUNT:
  case TAM_PARAM_KIND_ID:
    return read_whole(node, (double)rule->min, (double)rule->max, pnumber);
  case TAM_PARAM_KIND_IDS:
    return read_ids(self, node);
  case TAM_PARAM_KIND_SEED:
    return read_seed(self, node);
  case TAM_PARAM_KIND_EARLY:
    return read_early(node, pnumber);
  case TAM_PARAM_KIND_SEQUENCE_BIAS:
    return read_sequences(self, node, 1);
  case TAM_PARAM_KIND_LOGIT_BIAS:
    return read_logit_bias(self, node);
  case TAM_PARAM_KIND_BAD_WORDS:
    return read_sequences(self, node, 0);
  case TAM_PARAM_KIND_DECAY:
    return read_decay(self, node, pnumber);
  case TAM_PARAM_KIND_TEXTS:
    return read_texts(self, node);
  default:
    return read_bounded(node, rule, pnumber);
  }
}

// -----------------------------------------------------------------------------
// Merging

static int list_error(const tam_generation_params *self) {
  int error = self->words.error != 0 ? self->words.error : self->text.error;
  return error != 0 ? error : self->ignored.error;
}

static int merge_param(tam_generation_params *self, tam_params_layer layer,
                       tam_param param, const tam_json_node *node,
                       tam_buf *why) {
  const tam_param_rule *rule = &tam_param_rules[param];
  tam_param_value value = {0, (uint32_t)(self->words.len / 4), 0,
                           (uint8_t)layer};
  int is_read = read_value(self, rule, node, &value.number);
  if (list_error(self) != 0) {
    return list_error(self);
  }
  value.count = (uint32_t)(self->words.len / 4) - value.start;
  if (is_read) {
    self->values[param] = value;
    return 0;
  }
  if (layer < TAM_PARAMS_LAYER_REQUEST) {
    tam_generation_ignore(
        self, tam_json_get_key(node),
        layer == TAM_PARAMS_LAYER_MODEL
            ? "the value in generation_config.json is not valid"
            : "the saved value is not valid");
    return self->ignored.error;
  }
  tam_buf_append(why, tam_json_get_key(node));
  tam_buf_append_text(why, " is ");
  append_quote(why, node);
  tam_buf_append_text(why, ", but must be ");
  tam_generation_append_range(why, rule);
  return TAM_ERR_INVALID_PARAMS;
}

// Returns 1 when |node| asks for nothing.
static int is_off(const tam_json_node *node) {
  tam_json_kind kind = tam_json_get_kind(node);
  return kind == TAM_JSON_KIND_STRING
             ? tam_json_get_string(node).len == 0
             : tam_json_get_number(node) == 0 && !tam_json_get_bool(node) &&
                   tam_json_get_first(node) == NULL;
}

static void refuse(tam_generation_params *self, const tam_json_node *node) {
  tam_span name = tam_json_get_key(node);
  if (tam_names_find(of_prompt, name) >= 0) {
    return;
  }
  for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
    if (tam_names_find(refused[i][0], name) >= 0) {
      if (!is_off(node)) {
        tam_generation_ignore(self, name, refused[i][1]);
      }
      return;
    }
  }
  tam_generation_ignore(self, name, "no parameter of this name");
}

int tam_generation_params_merge(tam_generation_params *self,
                                tam_params_layer layer,
                                const tam_json_node *object, tam_buf *why) {
  int error = 0;
  for (const tam_json_node *at = tam_json_get_first(object);
       at != NULL && error == 0; at = tam_json_get_next(at)) {
    tam_span name = tam_json_get_key(at);
    int param = tam_span_eq(name, TAM_SPAN(STOP_NAME))
                    ? TAM_PARAM_STOP_STRINGS
                    : tam_names_find(tam_param_names, name);
    if (tam_json_get_kind(at) == TAM_JSON_KIND_NULL) {
      continue;
    }
    if (param >= 0) {
      error = merge_param(self, layer, (tam_param)param, at, why);
    } else if (layer != TAM_PARAMS_LAYER_MODEL) {
      refuse(self, at);
      error = self->ignored.error;
    }
  }
  return error;
}

void tam_generation_params_set_seed(tam_generation_params *self,
                                    const uint8_t seed[16]) {
  if (self->values[TAM_PARAM_SEED].layer == TAM_PARAMS_LAYER_DEFAULT) {
    memcpy(self->seed, seed, sizeof(self->seed));
  }
}

// -----------------------------------------------------------------------------
// Reading what was merged

double tam_generation_params_get(const tam_generation_params *self,
                                 tam_param param) {
  return self->values[param].number;
}

int tam_generation_params_is_given(const tam_generation_params *self,
                                   tam_param param) {
  return self->values[param].layer != TAM_PARAMS_LAYER_DEFAULT;
}

// The words of a value. (They are aligned: nothing else is in the buffer.)
static const int32_t *words_of(const tam_generation_params *self,
                               const tam_param_value *value) {
  const void *words =
      value->count > 0 ? self->words.data + (size_t)value->start * 4 : NULL;
  return words;
}

tam_token_span tam_generation_params_ids(const tam_generation_params *self,
                                         tam_param param) {
  const tam_param_value *value = &self->values[param];
  return (tam_token_span){words_of(self, value), value->count};
}

tam_token_span tam_generation_params_eos(const tam_generation_params *self,
                                         tam_token_span model) {
  const tam_param_value *value = &self->values[TAM_PARAM_EOS_TOKEN_ID];
  return value->count > 0 || value->layer > TAM_PARAMS_LAYER_MODEL
             ? tam_generation_params_ids(self, TAM_PARAM_EOS_TOKEN_ID)
             : model;
}

int tam_generation_params_next_sequence(const tam_generation_params *self,
                                        tam_param param, size_t *pat,
                                        tam_biased_sequence *sequence) {
  tam_token_span words = tam_generation_params_ids(self, param);
  if (*pat >= words.len) {
    return 0;
  }
  size_t len = (size_t)words.ids[*pat];
  sequence->tokens = (tam_token_span){words.ids + *pat + 1, len};
  memcpy(&sequence->bias, words.ids + *pat + 1 + len, sizeof(sequence->bias));
  *pat += len + 2;
  return 1;
}

size_t tam_generation_params_stop_count(const tam_generation_params *self) {
  return self->values[TAM_PARAM_STOP_STRINGS].count / 2;
}

tam_span tam_generation_params_stop(const tam_generation_params *self,
                                    size_t i) {
  const int32_t *words =
      words_of(self, &self->values[TAM_PARAM_STOP_STRINGS]) + 2 * i;
  return (tam_span){self->text.data + words[0], (size_t)words[1]};
}

int tam_generation_params_decay(const tam_generation_params *self,
                                double *pstart, double *pfactor) {
  const tam_param_value *value =
      &self->values[TAM_PARAM_EXPONENTIAL_DECAY_LENGTH_PENALTY];
  if (value->layer == TAM_PARAMS_LAYER_DEFAULT) {
    return 0;
  }
  *pstart = value->number;
  memcpy(pfactor, words_of(self, value), sizeof(*pfactor));
  return 1;
}
