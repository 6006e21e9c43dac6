// SPDX-License-Identifier: Apache-2.0
// The scanner decides what is JSON, cJSON only builds the tree: it would let
// control characters, leading zeros and broken UTF-8 pass.
#include "core/json_tree.h"

#include "core/json_scan.h"
#include "core/json_text.h"
#include "core/mem.h"
#include "core/number.h"
#include "core/span.h"

#include "cJSON.h"

#include <string.h>

_Static_assert(CJSON_NESTING_LIMIT == TAM_JSON_TREE_DEPTH_MAX,
               "cJSON is built with another depth limit");

// --- What cJSON is compiled to call in place of malloc, free, realloc, strtod
// and strncmp. It has no context to hand on: the allocator is set for the
// length of a call. (realloc serves cJSON's printer only, which is not linked.)

void *tam_json_tree_malloc(size_t size);
void *tam_json_tree_realloc(void *ptr, size_t size);
void tam_json_tree_release(void *ptr);
double tam_json_tree_strtod(const char *text, char **pend);
int tam_json_tree_strncmp(const char *a, const char *b, size_t len);

static const tam_mem *active_mem;
static int active_failed; // an allocation of the present call failed

// In front of each block stands its size, so that it can be wiped.
typedef union block {
  size_t size;
  double align;
} block;

void *tam_json_tree_malloc(size_t size) {
  block *head = tam_mem_malloc(active_mem, sizeof(*head) + size);
  if (head == NULL) {
    active_failed = 1;
    return NULL;
  }
  head->size = size;
  return head + 1;
}

void *tam_json_tree_realloc(void *ptr, size_t size) {
  (void)ptr;
  (void)size;
  return NULL;
}

void tam_json_tree_release(void *ptr) {
  if (ptr != NULL) {
    block *head = (block *)ptr - 1;
    tam_mem_wipe(ptr, head->size);
    tam_mem_free(active_mem, head);
  }
}

static void activate(const tam_mem *mem) {
  active_mem = mem;
  active_failed = 0;
}

static void deactivate(void) {
  active_mem = NULL;
}

// |text| is a number, ends with NUL, and has passed the grammar: all of it is
// read.
double tam_json_tree_strtod(const char *text, char **pend) {
  tam_span number = tam_span_of(text);
  // strtod's interface drops the const of |text|; a plain cast would warn.
  memcpy(pend, &(const char *){text + number.len}, sizeof(*pend));
  return tam_number_of(number);
}

// cJSON asks only whether |len| bytes, none of them NUL, are the same.
int tam_json_tree_strncmp(const char *a, const char *b, size_t len) {
  return !tam_span_eq((tam_span){(const uint8_t *)a, len},
                      (tam_span){(const uint8_t *)b, len});
}

// --- Validation

static int check_grammar(tam_span text) {
  int token;
  tam_json_scan scan;
  tam_json_scan_init(&scan, NULL, 0);
  tam_json_scan_input(&scan, text);
  while ((token = tam_json_scan_next(&scan)) > 0) {
    if (scan.depth > TAM_JSON_TREE_DEPTH_MAX) {
      return TAM_ERR_JSON_DEPTH;
    }
  }
  return token < 0 ? token : tam_json_scan_end(&scan);
}

// Replaces the escapes in |text|, which is valid JSON, that cJSON cannot take.
// Backslashes occur only in strings, so there is no need to find these.
static void replace_escapes(uint8_t *text, size_t len) {
  for (uint8_t *at = text; at < text + len; at++) {
    if (*at != '\\') {
      continue;
    }
    at++;
    if (*at == 'u') {
      const uint8_t *next = at - 1;
      uint32_t character = tam_json_unicode_escape(&next, text + len);
      if (character == 0 || character == 0xfffd) {
        memcpy(at + 1, character == 0 ? "0001" : "fffd", 4);
      }
      at += next - at - 1;
    }
  }
}

// --- Trees

int tam_json_tree_parse(tam_json_node **proot, tam_span text,
                        const tam_mem *mem) {
  *proot = NULL;
  if (text.len > TAM_JSON_TREE_LEN_MAX) {
    return TAM_ERR_TOO_LARGE;
  }
  int error = check_grammar(text);
  if (error != 0) {
    return error;
  }
  activate(mem);
  uint8_t *copy = tam_json_tree_malloc(text.len);
  if (copy != NULL) {
    memcpy(copy, text.ptr, text.len);
    replace_escapes(copy, text.len);
    *proot = cJSON_ParseWithLengthOpts((const char *)copy, text.len, NULL, 0);
    tam_json_tree_release(copy);
  }
  deactivate();
  if (*proot == NULL) {
    return active_failed ? TAM_ERR_OUT_OF_MEMORY : TAM_ERR_UNEXPECTED_SHAPE;
  }
  return 0;
}

void tam_json_tree_free(tam_json_node *root, const tam_mem *mem) {
  activate(mem);
  cJSON_Delete(root);
  deactivate();
}

// --- Getters

tam_json_kind tam_json_get_kind(const tam_json_node *node) {
  // cJSON's types are bits, from cJSON_False to cJSON_Object.
  static const uint8_t kinds[] = {
      TAM_JSON_KIND_BOOL,   TAM_JSON_KIND_BOOL,   TAM_JSON_KIND_NULL,
      TAM_JSON_KIND_NUMBER, TAM_JSON_KIND_STRING, TAM_JSON_KIND_ARRAY,
      TAM_JSON_KIND_OBJECT,
  };
  if (node == NULL) {
    return TAM_JSON_KIND_MISSING;
  }
  return (tam_json_kind)kinds[__builtin_ctz((unsigned)node->type)];
}

const tam_json_node *tam_json_get_member(const tam_json_node *object,
                                         tam_span key) {
  const tam_json_node *found = NULL;
  if (tam_json_get_kind(object) != TAM_JSON_KIND_OBJECT) {
    return NULL;
  }
  for (const tam_json_node *i = object->child; i != NULL; i = i->next) {
    if (tam_span_eq(tam_json_get_key(i), key)) {
      found = i;
    }
  }
  return found;
}

const tam_json_node *tam_json_get_first(const tam_json_node *container) {
  return container == NULL ? NULL : container->child;
}

const tam_json_node *tam_json_get_next(const tam_json_node *node) {
  return node == NULL ? NULL : node->next;
}

const char *tam_json_get_key_text(const tam_json_node *node) {
  return node == NULL || node->string == NULL ? "" : node->string;
}

const char *tam_json_get_text(const tam_json_node *node) {
  return tam_json_get_kind(node) != TAM_JSON_KIND_STRING ? ""
                                                         : node->valuestring;
}

double tam_json_get_number(const tam_json_node *node) {
  return tam_json_get_kind(node) == TAM_JSON_KIND_NUMBER ? node->valuedouble
                                                         : 0;
}

int tam_json_get_bool(const tam_json_node *node) {
  return node != NULL && (node->type & 0xff) == cJSON_True;
}
