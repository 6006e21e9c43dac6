// SPDX-License-Identifier: Apache-2.0
// What a session says about its inputs and outputs.
#ifndef TAM_CHAT_SESSION_VALUE_H
#define TAM_CHAT_SESSION_VALUE_H

#include "core/json_tree.h"

// The most inputs, and the most outputs. A model of 100 layers has 400 caches
// when keys and values of an encoder are among them.
#define TAM_SESSION_VALUES_MAX 1024

// The most dimensions of a value. Caches have up to five.
#define TAM_SESSION_RANK_MAX 6

// The size of a dimension that the session does not tell. onnxruntime-web says
// 2^32 - 1 for one without a name.
#define TAM_SESSION_SIZE_UNKNOWN UINT32_MAX

// The element types that are understood.
typedef enum tam_element {
  TAM_ELEMENT_FLOAT32 = 0,
  TAM_ELEMENT_FLOAT16,
  TAM_ELEMENT_INT64,
  TAM_ELEMENT_INT32,
  TAM_ELEMENT_BOOL
} tam_element;

// An input or output. The texts are those of the metadata.
typedef struct tam_session_value {
  tam_span name;
  int element; // a tam_element; -1: another one
  uint32_t rank;
  uint32_t dims[TAM_SESSION_RANK_MAX];
  tam_span symbols[TAM_SESSION_RANK_MAX]; // names of dimensions, or empty
} tam_session_value;

// Reads the list |key| of |metadata| into |*pvalues|, which the caller frees,
// also after an error. Errors: UNEXPECTED_SHAPE, OUT_OF_MEMORY.
int tam_session_values_read(const tam_json_node *metadata, tam_span key,
                            tam_session_value **pvalues, size_t *pcount,
                            const tam_mem *mem);

// Returns 1 when |element| is float32 or float16.
int tam_element_is_float(int element);

// Returns the name of |element|, as ONNX Runtime calls it.
const char *tam_element_name(tam_element element);

#endif // TAM_CHAT_SESSION_VALUE_H
