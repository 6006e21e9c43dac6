// SPDX-License-Identifier: Apache-2.0
// Collects the config digest from the tokens of one configuration object: a
// whole config.json or the "config" of a listing row.
#ifndef TAM_HUB_CONFIG_READER_H
#define TAM_HUB_CONFIG_READER_H

#include "core/json_scan.h"
#include "hub/config_digest.h"

// The names of a digest, as indices: what |saved| of the reader has room for.
enum {
  TAM_CONFIG_MODEL_TYPE = 0,
  TAM_CONFIG_TEXT_MODEL_TYPE,
  TAM_CONFIG_TEXT_ARCHITECTURE,
  TAM_CONFIG_ARCHITECTURE, // the first of them
  TAM_CONFIG_NAME_COUNT = TAM_CONFIG_ARCHITECTURE + TAM_ARCHITECTURES_MAX
};

// The members of a configuration that count.
typedef enum tam_config_field {
  TAM_CONFIG_FIELD_OTHER = 0,
  TAM_CONFIG_FIELD_MODEL_TYPE,
  TAM_CONFIG_FIELD_ARCHITECTURES,
  TAM_CONFIG_FIELD_AUTO_MAP,
  TAM_CONFIG_FIELD_IS_DECODER,
  TAM_CONFIG_FIELD_TEXT_CONFIG
} tam_config_field;

// Returns what the member |key| of a configuration means.
tam_config_field tam_config_field_of(tam_span key);

// Returns the TAM_AUTO_MAP_ bit of the auto_map member |key|, or 0.
unsigned tam_auto_map_bit(tam_span key);

typedef struct tam_config_reader {
  tam_config_digest *digest;
  uint8_t context; // which object or array the tokens are in
  uint8_t field;   // of the last key
  uint8_t saved[TAM_CONFIG_NAME_COUNT][TAM_CONFIG_NAME_MAX];
} tam_config_reader;

// Makes |reader| fill |digest|, in which there is no configuration yet.
void tam_config_reader_init(tam_config_reader *reader,
                            tam_config_digest *digest);

// Forgets everything: there is no configuration.
void tam_config_reader_clear(tam_config_reader *reader);

// A configuration object begins: its '{' was the last token.
void tam_config_reader_begin(tam_config_reader *reader);

// Takes the next |token| of |scan|. Returns 1 when it was the last one of the
// configuration, else 0.
int tam_config_reader_take(tam_config_reader *reader, tam_json_scan *scan,
                           int token);

// Walks from where |scan| stands over all further members that lie whole in
// the present piece, when that is possible. Never necessary, but fast.
void tam_config_reader_walk(tam_config_reader *reader, tam_json_scan *scan);

// Copies the names that still lie in the piece, which is about to go away.
void tam_config_reader_save(tam_config_reader *reader);

#endif // TAM_HUB_CONFIG_READER_H
