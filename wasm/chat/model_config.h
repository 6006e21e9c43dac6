// SPDX-License-Identifier: Apache-2.0
// What config.json and generation_config.json say of a model, read as their
// bytes arrive, and what follows from it together with the tokenizer: token
// ids, the length of the context, the shape of its caches.
#ifndef TAM_CHAT_MODEL_CONFIG_H
#define TAM_CHAT_MODEL_CONFIG_H

#include "core/json_scan.h"
#include "core/span.h"

// The largest document: real ones stay below 100 KB, but for lists of labels.
#define TAM_MODEL_CONFIG_BYTES_MAX (4U << 20)

// The most token ids that end an answer; models have up to five.
#define TAM_MODEL_EOS_MAX 32

// The longest name of a type or dtype in bytes.
#define TAM_MODEL_NAME_MAX 64

typedef enum tam_model_number {
#define TAM_MODEL_NUMBER(name, key) TAM_MODEL_##name,
#include "chat/model_config_number.def"
#undef TAM_MODEL_NUMBER
  TAM_MODEL_NUMBER_COUNT
} tam_model_number;

// Which part of the documents says something.
typedef enum tam_model_section {
  TAM_MODEL_CONFIG = 0,
  TAM_MODEL_TEXT_CONFIG,
  TAM_MODEL_GENERATION,
  TAM_MODEL_SECTION_COUNT
} tam_model_section;

typedef struct tam_token_ids {
  int32_t ids[TAM_MODEL_EOS_MAX];
  size_t count;
} tam_token_ids;

typedef struct tam_model_config {
  struct {
    double numbers[TAM_MODEL_NUMBER_COUNT]; // -1: not there
    tam_token_ids eos;                      // eos_token_id
    tam_token_ids eos_plural;               // eos_token_ids
  } sections[TAM_MODEL_SECTION_COUNT];
  int is_multi_query;
  // The texts are empty when they are not there.
  uint8_t model_type[TAM_MODEL_NAME_MAX];
  uint8_t model_type_len;
  uint8_t text_model_type[TAM_MODEL_NAME_MAX];
  uint8_t text_model_type_len;
  // transformers.js_config: the dtype (for all files, or for the decoder) and
  // the most files of external data that any file has.
  uint8_t dtype[TAM_MODEL_NAME_MAX];
  uint8_t dtype_len;
  double external_files;
} tam_model_config;

// What the tokenizer says; -1 for an id that it has not.
typedef struct tam_tokenizer_facts {
  int32_t eos;
  int32_t pad;
  int32_t bos;
  tam_span tokenizer_class;
} tam_tokenizer_facts;

// The ids that generation uses; -1 for one that nobody names.
typedef struct tam_model_ids {
  tam_token_ids eos; // none: an answer ends by its length only
  int32_t pad;       // the first of |eos| when nobody names it
  int32_t bos;
  int32_t decoder_start; // |bos| when nobody names it
  int32_t forced_bos;
  int32_t forced_eos;
} tam_model_ids;

// The sizes of caches and states; 0 for what is not there.
typedef struct tam_model_shape {
  double heads;
  double encoder_heads;
  double kv_heads;
  double hidden;
  double head_dim;
  double encoder_head_dim;
  double conv_cache; // columns of LFM2's states
  double ssm_inner;  // of Mamba: d_ssm
  double ssm_groups;
  double ssm_state;
  double ssm_conv;
  double ssm_heads;
  double ssm_head_dim;
  double linear_conv;
  double linear_key_heads;
  double linear_value_heads;
  double linear_key_dim;
  double linear_value_dim;
} tam_model_shape;

// Forgets everything: nothing was read.
void tam_model_config_init(tam_model_config *config);

// Stores the ids into |*pids|: of generation_config.json, config.json, its
// text_config and the |tokenizer|, the first that has them.
void tam_model_config_ids(const tam_model_config *config,
                          const tam_tokenizer_facts *tokenizer,
                          tam_model_ids *pids);

// Returns the number of tokens that the model can see, or 0 when it is not
// said.
double tam_model_config_context(const tam_model_config *config);

void tam_model_config_shape(const tam_model_config *config,
                            tam_model_shape *pshape);

// ---------------------------------------------------------------------------
// Reading

typedef struct tam_model_config_scan {
  tam_model_config *config;
  tam_model_section section; // of the document
  uint8_t context;           // what the tokens are in
  uint8_t behind;            // where a list of ids goes back to
  int key;                   // what the next value is
  tam_json_scan json;
  uint8_t scratch[TAM_MODEL_NAME_MAX * TAM_JSON_ESCAPE_RATIO];
} tam_model_config_scan;

// Begins a document: TAM_MODEL_CONFIG or TAM_MODEL_GENERATION. What it says is
// put into |config|, which must outlive the reading.
void tam_model_config_scan_init(tam_model_config_scan *scan,
                                tam_model_section section,
                                tam_model_config *config);

// Reads the next |piece|. Errors, which are sticky: JSON_SYNTAX, JSON_UTF8,
// JSON_DEPTH, TOO_LARGE, UNEXPECTED_SHAPE (no object).
int tam_model_config_scan_feed(tam_model_config_scan *scan, tam_span piece);

// The document is complete. Returns 0, an error of feed or JSON_TRUNCATED; the
// config then has what came before.
int tam_model_config_scan_end(tam_model_config_scan *scan);

#endif // TAM_CHAT_MODEL_CONFIG_H
