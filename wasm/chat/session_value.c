// SPDX-License-Identifier: Apache-2.0
#include "chat/session_value.h"

#include "core/mem.h"
#include "core/names.h"

// The longest name of an input or output; exporters' are below 50 bytes.
#define NAME_LEN_MAX 256U

// A larger number is none.
#define SIZE_MAX_SENSIBLE 2147483647.0

// In the order of tam_element.
static const char element_names[] = "float32\0"
                                    "float16\0"
                                    "int64\0"
                                    "int32\0"
                                    "bool\0";

static int read_shape(tam_session_value *info, const tam_json_node *shape) {
  if (tam_json_get_kind(shape) != TAM_JSON_KIND_ARRAY) {
    return TAM_ERR_UNEXPECTED_SHAPE;
  }
  for (const tam_json_node *dim = tam_json_get_first(shape); dim != NULL;
       dim = tam_json_get_next(dim)) {
    if (info->rank == TAM_SESSION_RANK_MAX) {
      return TAM_ERR_UNEXPECTED_SHAPE;
    }
    double size = tam_json_get_number(dim);
    int is_size = tam_json_get_kind(dim) == TAM_JSON_KIND_NUMBER && size >= 0 &&
                  size <= SIZE_MAX_SENSIBLE;
    info->dims[info->rank] =
        is_size ? (uint32_t)size : TAM_SESSION_SIZE_UNKNOWN;
    info->symbols[info->rank++] = tam_json_get_string(dim);
  }
  return 0;
}

static int read_value(tam_session_value *info, const tam_json_node *node) {
  tam_span type =
      tam_json_get_string(tam_json_get_member(node, TAM_SPAN("type")));
  info->name = tam_json_get_string(tam_json_get_member(node, TAM_SPAN("name")));
  info->element = tam_names_find(element_names, type);
  if (info->name.len == 0 || info->name.len > NAME_LEN_MAX) {
    return TAM_ERR_UNEXPECTED_SHAPE;
  }
  return read_shape(info, tam_json_get_member(node, TAM_SPAN("shape")));
}

int tam_session_values_read(const tam_json_node *metadata, tam_span key,
                            tam_session_value **pvalues, size_t *pcount,
                            const tam_mem *mem) {
  const tam_json_node *first =
      tam_json_get_first(tam_json_get_member(metadata, key));
  size_t count = 0;
  int error = 0;
  for (const tam_json_node *node = first; node != NULL;
       node = tam_json_get_next(node)) {
    count++;
  }
  if (count == 0 || count > TAM_SESSION_VALUES_MAX) {
    return TAM_ERR_UNEXPECTED_SHAPE;
  }
  *pvalues = tam_mem_calloc(mem, count, sizeof(**pvalues));
  if (*pvalues == NULL) {
    return TAM_ERR_OUT_OF_MEMORY;
  }
  for (const tam_json_node *node = first; node != NULL && error == 0;
       node = tam_json_get_next(node)) {
    error = read_value(&(*pvalues)[(*pcount)++], node);
  }
  return error;
}

const char *tam_element_name(tam_element element) {
  return tam_names_at(element_names, element);
}

int tam_element_is_float(int element) {
  return element == TAM_ELEMENT_FLOAT32 || element == TAM_ELEMENT_FLOAT16;
}
