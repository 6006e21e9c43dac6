// SPDX-License-Identifier: Apache-2.0
#include "chat/saved_settings.h"

#include "chat/generation_rules.h"
#include "chat/json_walk.h"
#include "core/json_write.h"
#include "core/names.h"

// The settings of one scope; a request carries no more.
#define TEXT_MAX TAM_JSON_TREE_LEN_MAX

#define NAME_MAX 512

// What TabAgent's objects call settings, and what says which are meant.
#define SETTINGS "inferenceSettings"
#define ENABLED  "enabled"

// No parameters of the generation: they are meant as they are.
static const char of_prompt[] = "system_prompt\0"
                                "json_mode\0";

void tam_saved_settings_init(tam_saved_settings *self, const tam_mem *mem) {
  for (size_t i = 0; i < TAM_SETTINGS_SCOPES; i++) {
    tam_buf_init(&self->texts[i], mem, TEXT_MAX);
  }
  tam_buf_init(&self->model, mem, NAME_MAX);
  tam_buf_init(&self->dtype, mem, NAME_MAX);
  self->is_known = 0;
  self->is_stale = 0;
}

void tam_saved_settings_free(tam_saved_settings *self) {
  for (size_t i = 0; i < TAM_SETTINGS_SCOPES; i++) {
    tam_buf_free(&self->texts[i]);
  }
  tam_buf_free(&self->model);
  tam_buf_free(&self->dtype);
}

void tam_saved_settings_forget(tam_saved_settings *self) {
  self->is_known = 0;
  self->is_stale = 1;
}

void tam_saved_settings_begin(tam_saved_settings *self) {
  self->is_stale = 0;
}

int tam_saved_settings_has(const tam_saved_settings *self,
                           tam_settings_scope scope) {
  return self->is_known &&
         tam_span_eq(tam_buf_span(&self->model), scope.model) &&
         tam_span_eq(tam_buf_span(&self->dtype), scope.dtype);
}

// ---------------------------------------------------------------------------
// Reading. Objects are raw text: others have written them, too.

static int is_object(tam_span value) {
  return value.len > 0 && value.ptr[0] == '{';
}

static tam_span member_of(tam_span object, const char *name) {
  return is_object(object) ? tam_json_walk_member(object, name) : TAM_SPAN_NONE;
}

// Returns 1 when |name|, a key or a raw string, names |dtype|; TabAgent calls
// q8 by the name of its files, too.
static int is_dtype(tam_span name, tam_span dtype) {
  if (name.len > 1 && name.ptr[0] == '"') {
    name = (tam_span){name.ptr + 1, name.len - 2};
  }
  return tam_span_eq(name, dtype) ||
         (tam_span_is(name, "quantized") && tam_span_is(dtype, "q8"));
}

// Returns the value of the member whose raw key is |name|.
static tam_span find(tam_span object, tam_span name) {
  tam_json_walk walk;
  tam_span key;
  tam_span value;
  tam_span found = TAM_SPAN_NONE;
  if (is_object(object)) {
    tam_json_walk_begin(&walk, object);
    while (tam_json_walk_next(&walk, &key, &value)) {
      found = tam_span_eq(key, name) ? value : found;
    }
  }
  return found;
}

// Returns the settings of |dtype|: those under its name, where TabAgent writes
// them, or else those of a graph in it.
static tam_span settings_of_dtype(tam_span quants, tam_span dtype) {
  tam_json_walk walk;
  tam_span key;
  tam_span value;
  tam_span found = member_of(find(quants, dtype), SETTINGS);
  if (is_object(found) || !is_object(quants)) {
    return found;
  }
  tam_json_walk_begin(&walk, quants);
  while (tam_json_walk_next(&walk, &key, &value)) {
    tam_span settings = member_of(value, SETTINGS);
    if (is_object(settings) &&
        (is_dtype(key, dtype) || is_dtype(member_of(value, "dtype"), dtype))) {
      found = settings;
    }
  }
  return found;
}

static tam_span settings_of(tam_span object, tam_settings_scope scope) {
  return scope.model.len == 0 ? object
         : scope.dtype.len == 0
             ? member_of(object, SETTINGS)
             : settings_of_dtype(member_of(object, "quants"), scope.dtype);
}

static int is_meant(tam_span enabled, tam_span name, tam_span value) {
  if (tam_span_is(name, "id") || tam_span_is(name, ENABLED) ||
      tam_span_is(value, "null")) {
    return 0;
  }
  tam_span word = find(enabled, name);
  return tam_names_find(of_prompt, name) >= 0 || tam_span_is(word, "true") ||
         (tam_span_is(name, "do_sample") && !tam_span_is(word, "false"));
}

void tam_saved_settings_write(tam_span object, tam_settings_scope scope,
                              tam_buf *json) {
  tam_json_walk walk;
  tam_span key;
  tam_span value;
  tam_span settings = settings_of(object, scope);
  tam_span enabled = member_of(settings, ENABLED);
  tam_json_write_object_begin(json);
  if (is_object(settings)) {
    tam_json_walk_begin(&walk, settings);
    while (tam_json_walk_next(&walk, &key, &value)) {
      if (is_meant(enabled, key, value)) {
        tam_json_write_raw(
            json, (tam_span){key.ptr - 1, key.len + 2}); // with its quotes
        tam_buf_append_byte(json, ':');
        tam_json_write_raw(json, value);
      }
    }
  }
  tam_json_write_object_end(json);
}

static int take(tam_saved_settings *self, size_t place,
                tam_settings_scope scope, tam_span object) {
  tam_buf_reset(&self->texts[place]);
  tam_saved_settings_write(object, scope, &self->texts[place]);
  return self->texts[place].error;
}

int tam_saved_settings_take(tam_saved_settings *self, tam_settings_scope scope,
                            tam_span object) {
  tam_settings_scope all = {TAM_SPAN_NONE, TAM_SPAN_NONE};
  tam_settings_scope model = {scope.model, TAM_SPAN_NONE};
  self->is_known = 0;
  if (scope.model.len == 0) {
    return take(self, 0, all, object);
  }
  int error = take(self, 1, model, object);
  if (error == 0) {
    error = take(self, 2, scope, object);
  }
  tam_buf_reset(&self->model);
  tam_buf_reset(&self->dtype);
  tam_buf_append(&self->model, scope.model);
  tam_buf_append(&self->dtype, scope.dtype);
  if (error == 0) {
    error = self->model.error != 0 ? self->model.error : self->dtype.error;
  }
  self->is_known = error == 0 && !self->is_stale;
  return error;
}

// ---------------------------------------------------------------------------
// Writing

static void write_value(const tam_json_node *node, tam_buf *json);

static void write_members(const tam_json_node *object, tam_buf *json) {
  const tam_json_node *at = tam_json_get_first(object);
  for (; at != NULL; at = tam_json_get_next(at)) {
    tam_json_write_string(json, tam_json_get_key(at));
    tam_buf_append_byte(json, ':');
    write_value(at, json);
  }
}

static void write_list(const tam_json_node *list, tam_buf *json) {
  const tam_json_node *at = tam_json_get_first(list);
  tam_json_write_array_begin(json);
  for (; at != NULL; at = tam_json_get_next(at)) {
    write_value(at, json);
  }
  tam_json_write_array_end(json);
}

// Trees are at most 64 deep (see core/json_tree.h).
static void write_value(const tam_json_node *node, tam_buf *json) {
  uint8_t digits[64];
  tam_buf number;
  switch (tam_json_get_kind(node)) {
  case TAM_JSON_KIND_BOOL:
    tam_json_write_bool(json, tam_json_get_bool(node));
    break;
  case TAM_JSON_KIND_NUMBER:
    tam_buf_init_fixed(&number, digits, sizeof(digits));
    tam_generation_append_number(&number, tam_json_get_number(node));
    tam_json_write_raw(json, tam_buf_span(&number));
    break;
  case TAM_JSON_KIND_STRING:
    tam_json_write_string(json, tam_json_get_string(node));
    break;
  case TAM_JSON_KIND_ARRAY:
    write_list(node, json);
    break;
  case TAM_JSON_KIND_OBJECT:
    tam_json_write_object_begin(json);
    write_members(node, json);
    tam_json_write_object_end(json);
    break;
  default:
    tam_json_write_null(json);
    break;
  }
}

void tam_saved_settings_write_change(const tam_json_node *settings,
                                     tam_buf *json) {
  const tam_json_node *at = tam_json_get_first(settings);
  tam_json_write_object_begin(json);
  tam_json_write_member_begin(json, ENABLED);
  for (; at != NULL; at = tam_json_get_next(at)) {
    if (tam_names_find(of_prompt, tam_json_get_key(at)) < 0 &&
        !tam_span_is(tam_json_get_key(at), ENABLED)) {
      tam_json_write_string(json, tam_json_get_key(at));
      tam_buf_append_text(json, tam_json_get_kind(at) == TAM_JSON_KIND_NULL
                                    ? ":null"
                                    : ":true");
    }
  }
  // What the caller says of it himself counts.
  write_members(tam_json_get_member(settings, TAM_SPAN(ENABLED)), json);
  tam_json_write_object_end(json);
  for (at = tam_json_get_first(settings); at != NULL;
       at = tam_json_get_next(at)) {
    if (!tam_span_is(tam_json_get_key(at), ENABLED)) {
      tam_json_write_string(json, tam_json_get_key(at));
      tam_buf_append_byte(json, ':');
      write_value(at, json);
    }
  }
  tam_json_write_object_end(json);
}

// An entry of a dtype is one only with these members.
static void write_new_quant(tam_span dtype, tam_buf *json) {
  tam_json_write_key(json, "files");
  tam_json_write_array_begin(json);
  tam_json_write_string(json, dtype);
  tam_json_write_array_end(json);
  tam_json_write_name_member(json, "status", "available");
  tam_json_write_string_member(json, "dtype", dtype);
  tam_json_write_key(json, "hasExternalData");
  tam_json_write_bool(json, 0);
}

void tam_saved_settings_write_patch(tam_span object, tam_settings_scope scope,
                                    tam_span change, tam_buf *json) {
  if (scope.model.len == 0) {
    tam_json_write_raw(json, change);
    return;
  }
  tam_json_write_object_begin(json);
  tam_json_write_number_member(json, "manifestVersion", 1);
  if (scope.dtype.len == 0) {
    tam_json_write_key(json, SETTINGS);
    tam_json_write_raw(json, change);
  }
  tam_json_write_member_begin(json, "quants"); // what is there stays
  if (scope.dtype.len > 0) {
    tam_json_write_string(json, scope.dtype);
    tam_buf_append_byte(json, ':');
    tam_json_write_object_begin(json);
    if (!is_object(find(member_of(object, "quants"), scope.dtype))) {
      write_new_quant(scope.dtype, json);
    }
    tam_json_write_key(json, SETTINGS);
    tam_json_write_raw(json, change);
    tam_json_write_object_end(json);
  }
  tam_json_write_object_end(json);
  tam_json_write_object_end(json);
}
