// SPDX-License-Identifier: Apache-2.0
#include "store/params.h"

#include "core/names.h"
#include "core/repo_id.h"
#include "store/hub_file.h"

#include <math.h>
#include <string.h>

// The longest token, as for a listing.
#define TOKEN_MAX 4096

// A priority beyond this has no meaning.
#define PRIORITY_MAX 1e9

typedef enum param_kind {
  PARAM_TEXT = 0,
  PARAM_MODEL,
  PARAM_REVISION,
  PARAM_TOKEN,
  PARAM_NUMBER,
  PARAM_BOOL,
  PARAM_TREE
} param_kind;

typedef struct param_rule {
  uint16_t offset; // in tam_store_params
  uint8_t kind;    // a param_kind
} param_rule;

#define FIELD(name) offsetof(tam_store_params, name)

static const char param_names[] = "modelId\0"
                                  "dtype\0"
                                  "revision\0"
                                  "hfToken\0"
                                  "url\0"
                                  "method\0"
                                  "range\0"
                                  "ifNoneMatch\0"
                                  "ifRange\0"
                                  "id\0"
                                  "priority\0"
                                  "pinned\0"
                                  "keepPartial\0"
                                  "onlyCached\0"
                                  "repair\0"
                                  "input\0"
                                  "commit\0"
                                  "task\0"
                                  "unlimitedStorage\0"
                                  "path\0"
                                  "facts\0"
                                  "verify\0"
                                  "failed\0";

// In the order of the names.
static const param_rule param_rules[] = {
    {FIELD(model), PARAM_MODEL},
    {FIELD(dtype), PARAM_TEXT},
    {FIELD(revision), PARAM_REVISION},
    {FIELD(token), PARAM_TOKEN},
    {FIELD(url), PARAM_TEXT},
    {FIELD(method), PARAM_TEXT},
    {FIELD(range), PARAM_TEXT},
    {FIELD(if_none_match), PARAM_TEXT},
    {FIELD(if_range), PARAM_TEXT},
    {FIELD(id), PARAM_TEXT},
    {FIELD(priority), PARAM_NUMBER},
    {FIELD(pinned), PARAM_BOOL},
    {FIELD(keep_partial), PARAM_BOOL},
    {FIELD(only_cached), PARAM_BOOL},
    {FIELD(repair), PARAM_BOOL},
    {FIELD(is_input), PARAM_BOOL},
    {FIELD(commit), PARAM_TEXT},
    {FIELD(task), PARAM_TEXT},
    {FIELD(unlimited_storage), PARAM_BOOL},
    {FIELD(path), PARAM_TEXT},
    {FIELD(facts), PARAM_TREE},
    {FIELD(verify), PARAM_BOOL},
    {FIELD(failed), PARAM_BOOL},
};

// Copies |text| behind the other texts.
static tam_span keep_text(tam_store_params *self, tam_span text) {
  size_t at = self->text.len;
  tam_buf_append(&self->text, text);
  return self->text.error != 0 ? TAM_SPAN_NONE
                               : (tam_span){self->text.data + at, text.len};
}

// Returns what is expected of |text| when it is something else, or NULL.
static const char *text_flaw(param_kind kind, tam_span text) {
  switch (kind) {
  case PARAM_MODEL:
    return tam_repo_id_is_valid(text)
               ? NULL
               : "the id of a repository, \"owner/name\"";
  case PARAM_REVISION: {
    tam_hub_file file = {TAM_SPAN("a/b"), text, TAM_SPAN("c")};
    return tam_hub_file_check(&file) == 0 ? NULL
                                          : "a branch, a tag or a commit";
  }
  case PARAM_TOKEN:
    return text.len <= TOKEN_MAX && tam_span_is_visible_ascii(text)
               ? NULL
               : "an access token of the Hub";
  default:
    return NULL;
  }
}

static const char *read_text(tam_store_params *self, const param_rule *rule,
                             const tam_json_node *value) {
  if (tam_json_get_kind(value) != TAM_JSON_KIND_STRING) {
    return "a string";
  }
  tam_span text = tam_json_get_string(value);
  const char *flaw = text_flaw((param_kind)rule->kind, text);
  if (flaw == NULL) {
    *(tam_span *)(void *)((uint8_t *)self + rule->offset) =
        keep_text(self, text);
  }
  return flaw;
}

// Returns what is expected of the value, or NULL when it was read.
static const char *read_param(tam_store_params *self, const param_rule *rule,
                              const tam_json_node *value) {
  uint8_t *field = (uint8_t *)self + rule->offset;
  tam_json_kind kind = tam_json_get_kind(value);
  if (kind == TAM_JSON_KIND_NULL) {
    return NULL;
  }
  if (rule->kind == PARAM_TREE) {
    *(const tam_json_node **)(void *)field = value;
    return NULL;
  }
  if (rule->kind == PARAM_BOOL) {
    *(int *)(void *)field = tam_json_get_bool(value);
    return kind == TAM_JSON_KIND_BOOL ? NULL : "true or false";
  }
  if (rule->kind == PARAM_NUMBER) {
    double number = tam_json_get_number(value);
    *(double *)(void *)field = number;
    return kind == TAM_JSON_KIND_NUMBER && fabs(number) <= PRIORITY_MAX
               ? NULL
               : "a number";
  }
  return read_text(self, rule, value);
}

// Whether |value| is the request's own id, which stands beside parameters that
// are not nested.
static int is_request_id(const param_rule *rule, const tam_json_node *value) {
  return rule->offset == FIELD(id) &&
         tam_json_get_kind(value) == TAM_JSON_KIND_NUMBER;
}

// Takes |params| for an object that may have other members as well: the name
// of the request and its id stand beside them in one of the two styles.
int tam_store_params_parse(tam_store_params *self, const tam_json_node *params,
                           int strict, tam_buf *why, const tam_mem *mem) {
  memset(self, 0, sizeof(*self));
  self->keep_partial = 1;
  self->repair = 1;
  self->verify = 1;
  self->unlimited_storage = -1;
  tam_buf_init(&self->text, mem, TAM_STORE_TEXT_MAX);
  // At once: a buffer that grows would move the texts, and leave copies of the
  // token behind.
  if (tam_buf_grow(&self->text, TAM_STORE_TEXT_MAX) == NULL) {
    return self->text.error;
  }
  tam_buf_reset(&self->text);
  self->revision = TAM_SPAN("main");
  self->method = TAM_SPAN("GET");
  for (const tam_json_node *at = tam_json_get_first(params); at != NULL;
       at = tam_json_get_next(at)) {
    int place = tam_names_find(param_names, tam_json_get_key(at));
    const char *expected = NULL;
    if (place < 0) {
      expected = strict ? "no parameter of this name" : NULL;
    } else if (strict || !is_request_id(&param_rules[place], at)) {
      expected = read_param(self, &param_rules[place], at);
    }
    if (expected != NULL) {
      tam_buf_append(why, tam_json_get_key(at));
      tam_buf_append_text(why, ": expected ");
      tam_buf_append_text(why, expected);
      return TAM_ERR_INVALID_PARAMS;
    }
  }
  if (self->text.error == TAM_ERR_TOO_LARGE) {
    tam_buf_append_text(why, "the parameters are too long together");
    return TAM_ERR_INVALID_PARAMS;
  }
  return self->text.error;
}

int tam_store_params_set_model(tam_store_params *self, tam_span model) {
  tam_span kept = keep_text(self, model);
  if (self->text.error == 0) {
    self->model = kept;
  }
  return self->text.error;
}

void tam_store_params_free(tam_store_params *self) {
  tam_buf_wipe(&self->text);
}
