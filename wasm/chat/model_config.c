// SPDX-License-Identifier: Apache-2.0
#include "chat/model_config.h"

#include "core/names.h"
#include "core/number.h"

#include <string.h>

#define ID_MAX 2147483647.0

// ---------------------------------------------------------------------------
// Reading. |context| names the object or list that the tokens are in. Members
// that do not count are skipped at their key; a member that comes again
// replaces what it said before.

enum {
  IN_NOTHING = 0, // before the document
  IN_CONFIG,
  IN_TEXT_CONFIG,
  IN_JS_CONFIG, // transformers.js_config
  IN_DTYPES,    // a dtype for each file
  IN_EXTERNAL,  // numbers of files for each file
  IN_EOS,       // a list of ids
  IN_EOS_PLURAL,
  IN_NOTHING_MORE // behind the document
};

static const char keys[] =
#define TAM_MODEL_NUMBER(name, key) key "\0"
#include "chat/model_config_number.def"
#undef TAM_MODEL_NUMBER
    "eos_token_id\0"
    "eos_token_ids\0"
    "multi_query\0"
    "model_type\0"
    "text_config\0"
    "transformers.js_config\0";

enum {
  KEY_OTHER = -1,
  KEY_EOS = TAM_MODEL_NUMBER_COUNT,
  KEY_EOS_PLURAL,
  KEY_MULTI_QUERY,
  KEY_MODEL_TYPE,
  KEY_TEXT_CONFIG,
  KEY_JS_CONFIG
};

// The members of transformers.js_config, and those files whose dtype counts.
static const char js_keys[] = "dtype\0"
                              "use_external_data_format\0";
static const char decoders[] = "model\0"
                               "decoder_model_merged\0";

enum { KEY_DTYPE = 0, KEY_EXTERNAL };

static void clear_section(tam_model_config *config, size_t section) {
  for (size_t i = 0; i < TAM_MODEL_NUMBER_COUNT; i++) {
    config->sections[section].numbers[i] = -1;
  }
  config->sections[section].eos.count = 0;
  config->sections[section].eos_plural.count = 0;
}

void tam_model_config_init(tam_model_config *config) {
  memset(config, 0, sizeof(*config));
  for (size_t i = 0; i < TAM_MODEL_SECTION_COUNT; i++) {
    clear_section(config, i);
  }
}

void tam_model_config_scan_init(tam_model_config_scan *scan,
                                tam_model_section section,
                                tam_model_config *config) {
  scan->config = config;
  scan->section = section;
  scan->context = IN_NOTHING;
  scan->key = KEY_OTHER;
  tam_json_scan_init(&scan->json, scan->scratch, sizeof(scan->scratch));
}

static tam_model_section section_of(const tam_model_config_scan *scan,
                                    uint8_t context) {
  return context == IN_TEXT_CONFIG ? TAM_MODEL_TEXT_CONFIG : scan->section;
}

// Returns the number that |token| is, or |otherwise| when it is none or
// negative.
static double number_of(tam_model_config_scan *scan, int token,
                        double otherwise) {
  tam_span text;
  if (token != TAM_JSON_NUMBER ||
      !tam_json_scan_text(&scan->json, TAM_MODEL_NAME_MAX, &text)) {
    return otherwise;
  }
  double value = tam_number_of(text);
  return value >= 0 ? value : otherwise;
}

static void take_name(tam_model_config_scan *scan, int token, uint8_t *name,
                      uint8_t *plen) {
  tam_span text;
  *plen = 0;
  if (token == TAM_JSON_STRING &&
      tam_json_scan_text(&scan->json, TAM_MODEL_NAME_MAX, &text)) {
    tam_text_copy(name, text);
    *plen = (uint8_t)text.len;
  }
}

static int is_id(double value) {
  return value >= 0 && value <= ID_MAX && value == (double)(int32_t)value;
}

static void add_id(tam_model_config_scan *scan, int token,
                   tam_token_ids *list) {
  double id = number_of(scan, token, -1);
  if (is_id(id) && list->count < TAM_MODEL_EOS_MAX) {
    list->ids[list->count++] = (int32_t)id;
  }
}

static tam_token_ids *id_list(const tam_model_config_scan *scan,
                              uint8_t context, int is_plural) {
  tam_model_section section = section_of(scan, context);
  return is_plural ? &scan->config->sections[section].eos_plural
                   : &scan->config->sections[section].eos;
}

// Returns the context that a container of |token| opens, or the present one.
static uint8_t context_of(const tam_model_config_scan *scan, int token) {
  int is_top = scan->context == IN_CONFIG && scan->section == TAM_MODEL_CONFIG;
  if (token == TAM_JSON_OBJECT && is_top && scan->key == KEY_TEXT_CONFIG) {
    return IN_TEXT_CONFIG;
  }
  if (token == TAM_JSON_OBJECT && is_top && scan->key == KEY_JS_CONFIG) {
    return IN_JS_CONFIG;
  }
  if (token == TAM_JSON_OBJECT && scan->context == IN_JS_CONFIG) {
    return scan->key == KEY_DTYPE ? IN_DTYPES : IN_EXTERNAL;
  }
  if (token == TAM_JSON_ARRAY && scan->context <= IN_TEXT_CONFIG &&
      (scan->key == KEY_EOS || scan->key == KEY_EOS_PLURAL)) {
    return scan->key == KEY_EOS ? IN_EOS : IN_EOS_PLURAL;
  }
  return scan->context;
}

static void take_model_value(tam_model_config_scan *scan, int token) {
  tam_model_config *config = scan->config;
  tam_model_section section = section_of(scan, scan->context);
  if (scan->key < TAM_MODEL_NUMBER_COUNT) {
    config->sections[section].numbers[scan->key] = number_of(scan, token, -1);
    return;
  }
  if (scan->key == KEY_EOS || scan->key == KEY_EOS_PLURAL) {
    tam_token_ids *list =
        id_list(scan, scan->context, scan->key == KEY_EOS_PLURAL);
    list->count = 0;
    add_id(scan, token, list);
    return;
  }
  if (section == TAM_MODEL_GENERATION) {
    return;
  }
  if (scan->key == KEY_TEXT_CONFIG && section == TAM_MODEL_CONFIG) {
    clear_section(config, TAM_MODEL_TEXT_CONFIG);
  } else if (scan->key == KEY_MULTI_QUERY) {
    config->is_multi_query = token == TAM_JSON_TRUE;
  } else if (scan->key == KEY_MODEL_TYPE && section == TAM_MODEL_CONFIG) {
    take_name(scan, token, config->model_type, &config->model_type_len);
  } else if (scan->key == KEY_MODEL_TYPE) {
    take_name(scan, token, config->text_model_type,
              &config->text_model_type_len);
  }
}

static void take_js_value(tam_model_config_scan *scan, int token) {
  tam_model_config *config = scan->config;
  if (scan->context == IN_DTYPES ||
      (scan->context == IN_JS_CONFIG && scan->key == KEY_DTYPE)) {
    take_name(scan, token, config->dtype, &config->dtype_len);
    return;
  }
  double files = number_of(scan, token, token == TAM_JSON_TRUE);
  if (files > config->external_files) {
    config->external_files = files;
  }
}

static void take_value(tam_model_config_scan *scan, int token) {
  uint8_t context = context_of(scan, token);
  if (scan->context == IN_EOS || scan->context == IN_EOS_PLURAL) {
    add_id(scan, token,
           id_list(scan, scan->behind, scan->context == IN_EOS_PLURAL));
  } else if (scan->context >= IN_JS_CONFIG) {
    take_js_value(scan, token);
  } else {
    take_model_value(scan, token);
  }
  if (context != scan->context) {
    scan->behind = scan->context;
    scan->context = context;
  } else if (token == TAM_JSON_OBJECT || token == TAM_JSON_ARRAY) {
    tam_json_scan_skip(&scan->json);
  }
}

static void take_key(tam_model_config_scan *scan) {
  tam_span key;
  scan->key = KEY_OTHER;
  if (!tam_json_scan_text(&scan->json, TAM_MODEL_NAME_MAX, &key)) {
    // Longer than all that count.
  } else if (scan->context <= IN_TEXT_CONFIG) {
    scan->key = tam_names_find(keys, key);
  } else if (scan->context == IN_JS_CONFIG) {
    scan->key = tam_names_find(js_keys, key);
  } else if (scan->context == IN_EXTERNAL ||
             tam_names_find(decoders, key) >= 0) {
    scan->key = 0; // each counts
  }
  if (scan->key == KEY_OTHER) {
    tam_json_scan_skip(&scan->json);
  }
}

// The object or list has ended that the tokens were in.
static void leave(tam_model_config_scan *scan) {
  switch (scan->context) {
  case IN_CONFIG:
    scan->context = IN_NOTHING_MORE;
    break;
  case IN_DTYPES:
  case IN_EXTERNAL:
    scan->context = IN_JS_CONFIG;
    break;
  case IN_EOS:
  case IN_EOS_PLURAL:
    scan->context = scan->behind;
    break;
  default:
    scan->context = IN_CONFIG;
    break;
  }
}

static int take_token(tam_model_config_scan *scan, int token) {
  if (scan->context == IN_NOTHING) {
    scan->context = IN_CONFIG;
    return token == TAM_JSON_OBJECT ? 0 : TAM_ERR_UNEXPECTED_SHAPE;
  }
  if (token == TAM_JSON_KEY) {
    take_key(scan);
  } else if (token == TAM_JSON_OBJECT_END || token == TAM_JSON_ARRAY_END) {
    leave(scan);
  } else {
    take_value(scan, token);
  }
  return 0;
}

int tam_model_config_scan_feed(tam_model_config_scan *scan, tam_span piece) {
  int token;
  tam_json_scan *json = &scan->json;
  if (json->error != 0) {
    return json->error;
  }
  if (tam_json_scan_offset(json) + (double)piece.len >
      TAM_MODEL_CONFIG_BYTES_MAX) {
    json->error = TAM_ERR_TOO_LARGE;
    return json->error;
  }
  tam_json_scan_input(json, piece);
  while ((token = tam_json_scan_next(json)) > 0) {
    int error = take_token(scan, token);
    if (error != 0) {
      json->error = error;
    }
  }
  return token;
}

int tam_model_config_scan_end(tam_model_config_scan *scan) {
  int error = tam_json_scan_end(&scan->json);
  if (error == 0 && scan->context == IN_NOTHING) {
    return TAM_ERR_UNEXPECTED_SHAPE; // a number alone
  }
  return error;
}

// ---------------------------------------------------------------------------
// What follows

// Returns |number|: that of config.json, or else of its text_config; -1 when
// both have none.
static double config_number(const tam_model_config *config,
                            tam_model_number number) {
  double value = config->sections[TAM_MODEL_CONFIG].numbers[number];
  return value >= 0 ? value
                    : config->sections[TAM_MODEL_TEXT_CONFIG].numbers[number];
}

static int32_t id_of(const tam_model_config *config, tam_model_number number,
                     int32_t otherwise) {
  double id = config->sections[TAM_MODEL_GENERATION].numbers[number];
  if (id < 0) {
    id = config_number(config, number);
  }
  return is_id(id) ? (int32_t)id : otherwise;
}

// The id that a tokenizer of the class has when nobody says it, or -1.
static int32_t eos_of_class(tam_span name) {
  if (tam_span_find_nocase(name, TAM_SPAN("llamatokenizer")) < name.len) {
    return 2;
  }
  if (tam_span_find_nocase(name, TAM_SPAN("gpt2tokenizer")) < name.len) {
    return 50256;
  }
  return -1;
}

static void find_eos(const tam_model_config *config,
                     const tam_tokenizer_facts *tokenizer,
                     tam_token_ids *peos) {
  static const tam_model_section order[] = {
      TAM_MODEL_GENERATION, TAM_MODEL_CONFIG, TAM_MODEL_TEXT_CONFIG};
  peos->count = 0;
  for (size_t i = 0; i < TAM_MODEL_SECTION_COUNT && peos->count == 0; i++) {
    const tam_token_ids *eos = &config->sections[order[i]].eos;
    *peos = eos->count > 0 ? *eos : config->sections[order[i]].eos_plural;
  }
  int32_t id = tokenizer->eos >= 0 ? tokenizer->eos
                                   : eos_of_class(tokenizer->tokenizer_class);
  if (peos->count == 0 && id >= 0) {
    peos->ids[0] = id;
    peos->count = 1;
  }
}

void tam_model_config_ids(const tam_model_config *config,
                          const tam_tokenizer_facts *tokenizer,
                          tam_model_ids *pids) {
  find_eos(config, tokenizer, &pids->eos);
  pids->pad = id_of(config, TAM_MODEL_PAD, tokenizer->pad);
  if (pids->pad < 0 && pids->eos.count > 0) {
    pids->pad = pids->eos.ids[0];
  }
  pids->bos = id_of(config, TAM_MODEL_BOS, tokenizer->bos);
  pids->decoder_start = id_of(config, TAM_MODEL_DECODER_START, pids->bos);
  pids->forced_bos = id_of(config, TAM_MODEL_FORCED_BOS, -1);
  pids->forced_eos = id_of(config, TAM_MODEL_FORCED_EOS, -1);
}

double tam_model_config_context(const tam_model_config *config) {
  for (int section = TAM_MODEL_CONFIG; section <= TAM_MODEL_TEXT_CONFIG;
       section++) {
    for (int i = TAM_MODEL_MAX_POSITION_EMBEDDINGS;
         i <= TAM_MODEL_CONTEXT_LENGTH; i++) {
      if (config->sections[section].numbers[i] > 0) {
        return config->sections[section].numbers[i];
      }
    }
  }
  return 0;
}

// Returns the first of |count| numbers that is there, or 0.
static double first_of(const tam_model_config *config,
                       const tam_model_number *numbers, size_t count) {
  for (size_t i = 0; i < count; i++) {
    double value = config_number(config, numbers[i]);
    if (value > 0) {
      return value;
    }
  }
  return 0;
}

#define FIRST_OF(config, ...)                                                  \
  first_of(config, (const tam_model_number[]){__VA_ARGS__},                    \
           sizeof((const tam_model_number[]){__VA_ARGS__}) /                   \
               sizeof(tam_model_number))

static double ratio(double a, double b) {
  return b > 0 ? a / b : 0;
}

static void find_attention(const tam_model_config *config,
                           tam_model_shape *shape) {
  shape->heads = FIRST_OF(config, TAM_MODEL_DECODER_ATTENTION_HEADS,
                          TAM_MODEL_NUM_ATTENTION_HEADS, TAM_MODEL_N_HEAD,
                          TAM_MODEL_NUM_HEADS);
  shape->encoder_heads = FIRST_OF(config, TAM_MODEL_ENCODER_ATTENTION_HEADS);
  if (shape->encoder_heads == 0) {
    shape->encoder_heads = shape->heads;
  }
  shape->kv_heads =
      FIRST_OF(config, TAM_MODEL_NUM_KEY_VALUE_HEADS, TAM_MODEL_NUM_KV_HEADS);
  if (shape->kv_heads == 0) {
    shape->kv_heads = config->is_multi_query ? 1 : shape->heads;
  }
  shape->hidden = FIRST_OF(config, TAM_MODEL_HIDDEN_SIZE, TAM_MODEL_N_EMBD,
                           TAM_MODEL_D_MODEL);
  double head_dim = FIRST_OF(config, TAM_MODEL_HEAD_DIM, TAM_MODEL_D_KV);
  shape->head_dim =
      head_dim > 0 ? head_dim : ratio(shape->hidden, shape->heads);
  shape->encoder_head_dim =
      head_dim > 0 ? head_dim : ratio(shape->hidden, shape->encoder_heads);
}

static void find_mamba(const tam_model_config *config, tam_model_shape *shape) {
  shape->ssm_groups =
      FIRST_OF(config, TAM_MODEL_MAMBA_N_GROUPS, TAM_MODEL_N_GROUPS);
  shape->ssm_state =
      FIRST_OF(config, TAM_MODEL_MAMBA_D_STATE, TAM_MODEL_SSM_STATE_SIZE);
  shape->ssm_conv =
      FIRST_OF(config, TAM_MODEL_MAMBA_D_CONV, TAM_MODEL_CONV_KERNEL);
  shape->ssm_heads =
      FIRST_OF(config, TAM_MODEL_MAMBA_N_HEADS, TAM_MODEL_MAMBA_NUM_HEADS);
  shape->ssm_head_dim =
      FIRST_OF(config, TAM_MODEL_MAMBA_D_HEAD, TAM_MODEL_MAMBA_HEAD_DIM);
  shape->ssm_inner = FIRST_OF(config, TAM_MODEL_MAMBA_D_SSM);
  if (shape->ssm_inner == 0) {
    shape->ssm_inner = FIRST_OF(config, TAM_MODEL_MAMBA_EXPAND) * shape->hidden;
  }
  if (shape->ssm_inner == 0) {
    shape->ssm_inner = shape->ssm_heads * shape->ssm_head_dim;
  }
}

void tam_model_config_shape(const tam_model_config *config,
                            tam_model_shape *pshape) {
  memset(pshape, 0, sizeof(*pshape));
  find_attention(config, pshape);
  find_mamba(config, pshape);
  pshape->conv_cache = FIRST_OF(config, TAM_MODEL_CONV_L_CACHE);
  pshape->linear_conv = FIRST_OF(config, TAM_MODEL_LINEAR_CONV_KERNEL_DIM);
  pshape->linear_key_heads = FIRST_OF(config, TAM_MODEL_LINEAR_NUM_KEY_HEADS);
  pshape->linear_value_heads =
      FIRST_OF(config, TAM_MODEL_LINEAR_NUM_VALUE_HEADS);
  pshape->linear_key_dim = FIRST_OF(config, TAM_MODEL_LINEAR_KEY_HEAD_DIM);
  pshape->linear_value_dim = FIRST_OF(config, TAM_MODEL_LINEAR_VALUE_HEAD_DIM);
}
