// SPDX-License-Identifier: Apache-2.0
// Each read_* function is called at the first byte of a value and returns the
// byte behind it, or NULL. Before it reads, it forgets what an earlier member
// of the same name said; so a member that turns out to be uncertain half way
// can be read again from tokens.
#include "hub/config_fast.h"

#include "core/json_skip.h"
#include "core/span.h"
#include "hub/config_reader.h"

#include <string.h>

// What is being read: the configuration itself or its text_config.
typedef struct config_walk {
  tam_config_digest *digest;
  const uint8_t *guard;
  int in_text;
} config_walk;

// Reads a string into |*pname|; anything else is no name.
static const uint8_t *read_name(const config_walk *walk, const uint8_t *at,
                                tam_span *pname) {
  *pname = TAM_SPAN_NONE;
  if (*at != '"') {
    return tam_json_skip_value(at, walk->guard);
  }
  at = tam_json_text(at, walk->guard, pname);
  if (pname->len == 0 || pname->len > TAM_CONFIG_NAME_MAX) {
    *pname = TAM_SPAN_NONE;
  }
  return at;
}

// Reads a name and adds it to the architectures when there is room.
static const uint8_t *read_architecture(const config_walk *walk,
                                        const uint8_t *at) {
  tam_config_digest *digest = walk->digest;
  tam_span name;
  at = read_name(walk, at, &name);
  if (name.len == 0) {
    return at;
  }
  if (!walk->in_text) {
    if (digest->architecture_count < TAM_ARCHITECTURES_MAX) {
      digest->architectures[digest->architecture_count++] = name;
    }
  } else if (digest->text_architecture.len == 0) {
    digest->text_architecture = name;
  }
  return at;
}

static const uint8_t *read_architectures(const config_walk *walk,
                                         const uint8_t *at) {
  if (walk->in_text) {
    walk->digest->text_architecture = TAM_SPAN_NONE;
  } else {
    walk->digest->architecture_count = 0;
  }
  if (*at != '[') {
    return read_architecture(walk, at);
  }
  at = tam_json_space(at + 1);
  while (at != NULL && *at != ']') {
    at = read_architecture(walk, at);
    at = tam_json_comma(at, walk->guard, ']');
  }
  return tam_json_behind(at);
}

static const uint8_t *read_auto_map(const config_walk *walk,
                                    const uint8_t *at) {
  walk->digest->auto_map = 0;
  if (*at != '{') {
    return tam_json_skip_value(at, walk->guard);
  }
  walk->digest->auto_map = TAM_AUTO_MAP_PRESENT;
  at = tam_json_space(at + 1);
  while (at != NULL && *at != '}') {
    tam_span key;
    at = tam_json_member(at, walk->guard, &key);
    if (at != NULL) {
      walk->digest->auto_map |= tam_auto_map_bit(key);
      at = tam_json_skip_value(at, walk->guard);
      at = tam_json_comma(at, walk->guard, '}');
    }
  }
  return tam_json_behind(at);
}

static const uint8_t *read_true(const config_walk *walk, const uint8_t *at,
                                int *pflag) {
  *pflag = *at == 't';
  return tam_json_skip_value(at, walk->guard);
}

static const uint8_t *read_text_config(const config_walk *walk,
                                       const uint8_t *at);

// Returns 1 when the first eight bytes of |key| are those of |name|.
TAM_INLINE int begins_as(const uint8_t *key, const char *name) {
  uint64_t a;
  uint64_t b;
  memcpy(&a, key, sizeof(a));
  memcpy(&b, name, sizeof(b));
  return a == b;
}

// Returns what the member |key| means. Nearly all mean nothing: they are told
// by one branch, where their lengths would lead into many directions.
TAM_INLINE tam_config_field field_of(tam_span key) {
  const uint8_t *ptr = key.ptr; // inside: more bytes follow
  int is_known = begins_as(ptr, "model_type") | begins_as(ptr, "is_decoder") |
                 begins_as(ptr, "text_config") | begins_as(ptr, "auto_map") |
                 begins_as(ptr, "architectures");
  return is_known ? tam_config_field_of(key) : TAM_CONFIG_FIELD_OTHER;
}

// Reads the member at |at|, its key first.
static const uint8_t *read_member(const config_walk *walk, const uint8_t *at) {
  tam_config_digest *digest = walk->digest;
  const uint8_t *end = tam_json_string_end(at, walk->guard);
  if (end == NULL) {
    return NULL;
  }
  tam_span key = {at + 1, (size_t)(end - (at + 1))};
  at = tam_json_colon(end + 1);
  if (at == NULL) {
    return NULL;
  }
  tam_config_field field = field_of(key);
  if (field == TAM_CONFIG_FIELD_OTHER) {
    return tam_json_skip_value(at, walk->guard);
  }
  if (field == TAM_CONFIG_FIELD_MODEL_TYPE) {
    return read_name(walk, at,
                     walk->in_text ? &digest->text_model_type
                                   : &digest->model_type);
  }
  if (field == TAM_CONFIG_FIELD_ARCHITECTURES) {
    return read_architectures(walk, at);
  }
  if (walk->in_text) {
    return tam_json_skip_value(at, walk->guard);
  }
  switch (field) {
  case TAM_CONFIG_FIELD_AUTO_MAP:
    return read_auto_map(walk, at);
  case TAM_CONFIG_FIELD_IS_DECODER:
    return read_true(walk, at, &digest->is_decoder);
  case TAM_CONFIG_FIELD_TEXT_CONFIG:
    return read_text_config(walk, at);
  default:
    return tam_json_skip_value(at, walk->guard);
  }
}

// Reads all members of the object at |at|.
static const uint8_t *read_object(const config_walk *walk, const uint8_t *at) {
  at = tam_json_space(at + 1);
  while (at != NULL && *at != '}') {
    at = read_member(walk, at);
    at = tam_json_next(at, walk->guard, '}');
  }
  return tam_json_behind(at);
}

static const uint8_t *read_text_config(const config_walk *walk,
                                       const uint8_t *at) {
  const config_walk inner = {walk->digest, walk->guard, 1};
  walk->digest->text_model_type = TAM_SPAN_NONE;
  walk->digest->text_architecture = TAM_SPAN_NONE;
  if (*at != '{') {
    return tam_json_skip_value(at, walk->guard);
  }
  return read_object(&inner, at);
}

const uint8_t *tam_config_fast_object(tam_config_digest *digest,
                                      const uint8_t *at, const uint8_t *guard) {
  const config_walk walk = {digest, guard, 0};
  memset(digest, 0, sizeof(*digest));
  digest->present = 1;
  return read_object(&walk, at);
}

const uint8_t *tam_config_fast_members(tam_config_digest *digest,
                                       const uint8_t *at,
                                       const uint8_t *guard) {
  const config_walk walk = {digest, guard, 0};
  tam_json_gap gap = TAM_JSON_GAP_USUAL;
  for (;;) {
    const uint8_t *next = tam_json_gap_next(&gap, at, guard);
    if (next == NULL || *next == '}') {
      return at;
    }
    next = read_member(&walk, next);
    if (next == NULL) {
      return at;
    }
    at = next;
  }
}
