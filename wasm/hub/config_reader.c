// SPDX-License-Identifier: Apache-2.0
// Theory of operation
// -------------------
// |context| names the object or array that the tokens are in; there is one
// function per context. Members that do not count are skipped at their key,
// values of the wrong kind at their first token. A member that comes again
// replaces what it said before, as in JSON.parse.
#include "hub/config_reader.h"

#include "core/span.h"
#include "hub/config_fast.h"

#include <string.h>

enum {
  CONTEXT_CONFIG = 0,
  CONTEXT_ARCHITECTURES,
  CONTEXT_AUTO_MAP,
  CONTEXT_TEXT_CONFIG,
  CONTEXT_TEXT_ARCHITECTURES
};

// Returns |field| when |key| is |name|, which is of the same length.
static tam_config_field field_if(tam_span key, const char *name,
                                 tam_config_field field) {
  tam_span wanted = {(const uint8_t *)name, key.len};
  return tam_span_eq(key, wanted) ? field : TAM_CONFIG_FIELD_OTHER;
}

// The length alone rules out most keys.
tam_config_field tam_config_field_of(tam_span key) {
  switch (key.len) {
  case 8:
    return field_if(key, "auto_map", TAM_CONFIG_FIELD_AUTO_MAP);
  case 10:
    return key.ptr[0] == 'm'
               ? field_if(key, "model_type", TAM_CONFIG_FIELD_MODEL_TYPE)
               : field_if(key, "is_decoder", TAM_CONFIG_FIELD_IS_DECODER);
  case 11:
    return field_if(key, "text_config", TAM_CONFIG_FIELD_TEXT_CONFIG);
  case 13:
    return field_if(key, "architectures", TAM_CONFIG_FIELD_ARCHITECTURES);
  default:
    return TAM_CONFIG_FIELD_OTHER;
  }
}

unsigned tam_auto_map_bit(tam_span key) {
  if (tam_span_eq(key, TAM_SPAN("AutoModelForCausalLM"))) {
    return TAM_AUTO_MAP_CAUSAL_LM;
  }
  if (tam_span_eq(key, TAM_SPAN("AutoModelForSeq2SeqLM"))) {
    return TAM_AUTO_MAP_SEQ2SEQ;
  }
  return 0;
}

// Returns where name |index| of the digest is.
static tam_span *name_at(tam_config_digest *digest, size_t index) {
  switch (index) {
  case TAM_CONFIG_MODEL_TYPE:
    return &digest->model_type;
  case TAM_CONFIG_TEXT_MODEL_TYPE:
    return &digest->text_model_type;
  case TAM_CONFIG_TEXT_ARCHITECTURE:
    return &digest->text_architecture;
  default:
    return &digest->architectures[index - TAM_CONFIG_ARCHITECTURE];
  }
}

// Moves name |index| into the reader's own memory.
static void name_save(tam_config_reader *reader, size_t index) {
  tam_span *name = name_at(reader->digest, index);
  if (name->len != 0 && name->ptr != reader->saved[index]) {
    tam_text_copy(reader->saved[index], *name);
    name->ptr = reader->saved[index];
  }
}

// Sets name |index| to the text of the last token, or to none if |token| is
// not a string or too long.
static void name_take(tam_config_reader *reader, tam_json_scan *scan, int token,
                      size_t index) {
  tam_span *name = name_at(reader->digest, index);
  if (token != TAM_JSON_STRING ||
      !tam_json_scan_text(scan, TAM_CONFIG_NAME_MAX, name)) {
    *name = TAM_SPAN_NONE;
  }
  name_save(reader, index);
}

// Adds the text of the last token to the architectures of the context.
static void architecture_take(tam_config_reader *reader, tam_json_scan *scan,
                              int token) {
  tam_config_digest *digest = reader->digest;
  if (reader->context == CONTEXT_TEXT_CONFIG ||
      reader->context == CONTEXT_TEXT_ARCHITECTURES) {
    if (digest->text_architecture.len == 0) {
      name_take(reader, scan, token, TAM_CONFIG_TEXT_ARCHITECTURE);
    }
    return;
  }
  if (digest->architecture_count < TAM_ARCHITECTURES_MAX) {
    size_t index = TAM_CONFIG_ARCHITECTURE + digest->architecture_count;
    name_take(reader, scan, token, index);
    digest->architecture_count += name_at(digest, index)->len != 0;
  }
}

// A container that nobody wants to look into.
static void skip_container(tam_json_scan *scan, int token) {
  if (token == TAM_JSON_OBJECT || token == TAM_JSON_ARRAY) {
    tam_json_scan_skip(scan);
  }
}

// The value of "architectures": a list, or (tolerated) a single name.
static void take_architectures(tam_config_reader *reader, tam_json_scan *scan,
                               int token) {
  int in_text = reader->context == CONTEXT_TEXT_CONFIG;
  if (in_text) {
    reader->digest->text_architecture = TAM_SPAN_NONE;
  } else {
    reader->digest->architecture_count = 0;
  }
  if (token == TAM_JSON_ARRAY) {
    reader->context =
        in_text ? CONTEXT_TEXT_ARCHITECTURES : CONTEXT_ARCHITECTURES;
    return;
  }
  architecture_take(reader, scan, token);
  skip_container(scan, token);
}

static void take_auto_map(tam_config_reader *reader, tam_json_scan *scan,
                          int token) {
  reader->digest->auto_map = 0;
  if (token == TAM_JSON_OBJECT) {
    reader->digest->auto_map = TAM_AUTO_MAP_PRESENT;
    reader->context = CONTEXT_AUTO_MAP;
    return;
  }
  skip_container(scan, token);
}

static void take_text_config(tam_config_reader *reader, tam_json_scan *scan,
                             int token) {
  reader->digest->text_model_type = TAM_SPAN_NONE;
  reader->digest->text_architecture = TAM_SPAN_NONE;
  if (token == TAM_JSON_OBJECT) {
    reader->context = CONTEXT_TEXT_CONFIG;
    return;
  }
  skip_container(scan, token);
}

// Takes a key: remembers what it means, skips the value when it is nothing.
static void take_key(tam_config_reader *reader, tam_json_scan *scan) {
  tam_span key;
  reader->field = TAM_CONFIG_FIELD_OTHER;
  if (tam_json_scan_text(scan, TAM_CONFIG_NAME_MAX, &key)) {
    reader->field = (uint8_t)tam_config_field_of(key);
  }
  if (reader->field == TAM_CONFIG_FIELD_OTHER) {
    tam_json_scan_skip(scan);
  }
}

static void take_config_value(tam_config_reader *reader, tam_json_scan *scan,
                              int token) {
  switch (reader->field) {
  case TAM_CONFIG_FIELD_ARCHITECTURES:
    take_architectures(reader, scan, token);
    return;
  case TAM_CONFIG_FIELD_AUTO_MAP:
    take_auto_map(reader, scan, token);
    return;
  case TAM_CONFIG_FIELD_TEXT_CONFIG:
    take_text_config(reader, scan, token);
    return;
  case TAM_CONFIG_FIELD_IS_DECODER:
    reader->digest->is_decoder = token == TAM_JSON_TRUE;
    break;
  default:
    name_take(reader, scan, token, TAM_CONFIG_MODEL_TYPE);
    break;
  }
  skip_container(scan, token);
}

static void take_text_value(tam_config_reader *reader, tam_json_scan *scan,
                            int token) {
  if (reader->field == TAM_CONFIG_FIELD_ARCHITECTURES) {
    take_architectures(reader, scan, token);
    return;
  }
  if (reader->field == TAM_CONFIG_FIELD_MODEL_TYPE) {
    name_take(reader, scan, token, TAM_CONFIG_TEXT_MODEL_TYPE);
  }
  skip_container(scan, token);
}

static void in_auto_map(tam_config_reader *reader, tam_json_scan *scan,
                        int token) {
  if (token == TAM_JSON_OBJECT_END) {
    reader->context = CONTEXT_CONFIG;
    return;
  }
  tam_span key;
  if (tam_json_scan_text(scan, TAM_CONFIG_NAME_MAX, &key)) {
    reader->digest->auto_map |= tam_auto_map_bit(key);
  }
  tam_json_scan_skip(scan);
}

static void in_architectures(tam_config_reader *reader, tam_json_scan *scan,
                             int token) {
  if (token == TAM_JSON_ARRAY_END) {
    reader->context = reader->context == CONTEXT_ARCHITECTURES
                          ? CONTEXT_CONFIG
                          : CONTEXT_TEXT_CONFIG;
    return;
  }
  architecture_take(reader, scan, token);
  skip_container(scan, token);
}

static void in_text_config(tam_config_reader *reader, tam_json_scan *scan,
                           int token) {
  if (token == TAM_JSON_OBJECT_END) {
    reader->context = CONTEXT_CONFIG;
  } else if (token == TAM_JSON_KEY) {
    take_key(reader, scan);
  } else {
    take_text_value(reader, scan, token);
  }
}

static int in_config(tam_config_reader *reader, tam_json_scan *scan,
                     int token) {
  if (token == TAM_JSON_OBJECT_END) {
    return 1;
  }
  if (token == TAM_JSON_KEY) {
    take_key(reader, scan);
  } else {
    take_config_value(reader, scan, token);
  }
  return 0;
}

void tam_config_reader_init(tam_config_reader *reader,
                            tam_config_digest *digest) {
  reader->digest = digest;
  memset(digest, 0, sizeof(*digest));
}

void tam_config_reader_clear(tam_config_reader *reader) {
  if (reader->digest->present) {
    memset(reader->digest, 0, sizeof(*reader->digest));
  }
}

void tam_config_reader_begin(tam_config_reader *reader) {
  tam_config_reader_clear(reader);
  reader->digest->present = 1;
  reader->context = CONTEXT_CONFIG;
}

int tam_config_reader_take(tam_config_reader *reader, tam_json_scan *scan,
                           int token) {
  switch (reader->context) {
  case CONTEXT_ARCHITECTURES:
  case CONTEXT_TEXT_ARCHITECTURES:
    in_architectures(reader, scan, token);
    return 0;
  case CONTEXT_AUTO_MAP:
    in_auto_map(reader, scan, token);
    return 0;
  case CONTEXT_TEXT_CONFIG:
    in_text_config(reader, scan, token);
    return 0;
  default:
    return in_config(reader, scan, token);
  }
}

void tam_config_reader_walk(tam_config_reader *reader, tam_json_scan *scan) {
  const uint8_t *at;
  const uint8_t *end;
  const uint8_t *guard;
  do {
    if (reader->context != CONTEXT_CONFIG ||
        !tam_json_scan_walk(scan, &at, &guard)) {
      return;
    }
    end = tam_config_fast_members(reader->digest, at, guard);
    tam_json_scan_advance(scan, end);
  } while (end != at);
}

void tam_config_reader_save(tam_config_reader *reader) {
  size_t count = TAM_CONFIG_ARCHITECTURE + reader->digest->architecture_count;
  for (size_t i = 0; i < count; i++) {
    name_save(reader, i);
  }
}
