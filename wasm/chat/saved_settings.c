// SPDX-License-Identifier: Apache-2.0
#include "chat/saved_settings.h"

#include "chat/generation_rules.h"
#include "core/json_write.h"
#include "core/mem.h"

// The settings of one scope; a request carries no more.
#define TEXT_MAX TAM_JSON_TREE_LEN_MAX

#define NAME_MAX 512

typedef struct tam_saved_scope {
  struct tam_saved_scope *next;
  tam_buf model;
  tam_buf dtype;
  tam_buf text;
} saved_scope;

void tam_saved_settings_init(tam_saved_settings *self, const tam_mem *mem) {
  self->mem = mem;
  self->first = NULL;
  self->count = 0;
}

static void scope_del(tam_saved_settings *self, saved_scope *scope) {
  tam_buf_free(&scope->model);
  tam_buf_free(&scope->dtype);
  tam_buf_free(&scope->text);
  tam_mem_free(self->mem, scope);
}

void tam_saved_settings_free(tam_saved_settings *self) {
  while (self->first != NULL) {
    saved_scope *scope = self->first;
    self->first = scope->next;
    scope_del(self, scope);
  }
}

static saved_scope *find(const tam_saved_settings *self,
                         tam_settings_scope scope) {
  saved_scope *at = self->first;
  while (at != NULL && !(tam_span_eq(tam_buf_span(&at->model), scope.model) &&
                         tam_span_eq(tam_buf_span(&at->dtype), scope.dtype))) {
    at = at->next;
  }
  return at;
}

tam_span tam_saved_settings_get(const tam_saved_settings *self,
                                tam_settings_scope scope) {
  const saved_scope *found = find(self, scope);
  return found == NULL ? TAM_SPAN("{}") : tam_buf_span(&found->text);
}

// ---------------------------------------------------------------------------
// Writing

static void write_value(const tam_json_node *node, tam_buf *json);

// Writes the members of |object| that |but| has not.
static void write_members(const tam_json_node *object, const tam_json_node *but,
                          tam_buf *json) {
  const tam_json_node *at = tam_json_get_first(object);
  for (; at != NULL; at = tam_json_get_next(at)) {
    if (tam_json_get_member(but, tam_json_get_key(at)) == NULL &&
        tam_json_get_kind(at) != TAM_JSON_KIND_NULL) {
      tam_json_write_string(json, tam_json_get_key(at));
      tam_buf_append_byte(json, ':');
      write_value(at, json);
    }
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
    write_members(node, NULL, json);
    tam_json_write_object_end(json);
    break;
  default:
    tam_json_write_null(json);
    break;
  }
}

void tam_saved_settings_write_patched(const tam_saved_settings *self,
                                      tam_settings_scope scope,
                                      const tam_json_node *patch,
                                      tam_buf *json) {
  tam_json_node *saved = NULL;
  int error = tam_json_tree_parse(&saved, tam_saved_settings_get(self, scope),
                                  self->mem);
  tam_json_write_object_begin(json);
  write_members(saved, patch, json);
  write_members(patch, NULL, json);
  tam_json_write_object_end(json);
  tam_json_tree_free(saved, self->mem);
  if (error != 0 && json->error == 0) {
    json->error = error;
  }
}

// ---------------------------------------------------------------------------
// Saving

static saved_scope *add(tam_saved_settings *self, tam_settings_scope scope) {
  saved_scope *added = tam_mem_calloc(self->mem, 1, sizeof(*added));
  if (added == NULL) {
    return NULL;
  }
  tam_buf_init(&added->model, self->mem, NAME_MAX);
  tam_buf_init(&added->dtype, self->mem, NAME_MAX);
  tam_buf_init(&added->text, self->mem, TEXT_MAX);
  tam_buf_append(&added->model, scope.model);
  tam_buf_append(&added->dtype, scope.dtype);
  tam_buf_append(&added->text, TAM_SPAN("{}"));
  if (added->model.error != 0 || added->dtype.error != 0 ||
      added->text.error != 0) {
    scope_del(self, added);
    return NULL;
  }
  added->next = self->first;
  self->first = added;
  self->count++;
  return added;
}

int tam_saved_settings_put(tam_saved_settings *self, tam_settings_scope scope,
                           tam_span text) {
  saved_scope *found = find(self, scope);
  tam_buf copy;
  if (found == NULL && self->count == TAM_SAVED_SCOPES_MAX) {
    return TAM_ERR_TOO_LARGE;
  }
  tam_buf_init(&copy, self->mem, TEXT_MAX);
  tam_buf_append(&copy, text);
  if (copy.error == 0 && found == NULL) {
    found = add(self, scope);
  }
  if (copy.error != 0 || found == NULL) {
    int error = copy.error != 0 ? copy.error : TAM_ERR_OUT_OF_MEMORY;
    tam_buf_free(&copy);
    return error;
  }
  tam_buf_free(&found->text);
  found->text = copy;
  return 0;
}
