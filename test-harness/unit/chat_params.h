// SPDX-License-Identifier: Apache-2.0
// Parameters of a generation from JSON, for the tests of what uses them.
#ifndef TAM_TEST_CHAT_PARAMS_H
#define TAM_TEST_CHAT_PARAMS_H

#include "chat/generation_params.h"

#include "check.h"

// Merges the JSON |text| as |layer|; returns what the merging does.
static inline int chat_params_merge(tam_generation_params *params,
                                    tam_params_layer layer, const char *text,
                                    tam_buf *why, const tam_mem *mem) {
  tam_json_node *root = NULL;
  int error = tam_json_tree_parse(&root, tam_span_of(text), mem);
  if (error == 0) {
    error = tam_generation_params_merge(params, layer, root, why);
  }
  tam_json_tree_free(root, mem);
  return error;
}

// Makes |params| what the request |text| asks of a model with an end token.
static inline int chat_params_init(tam_generation_params *params,
                                   const char *text, const tam_mem *mem) {
  tam_buf why;
  tam_generation_facts facts = {0, 1, 0};
  tam_buf_init(&why, mem, 4096);
  tam_generation_params_init(params, mem);
  int error =
      chat_params_merge(params, TAM_PARAMS_LAYER_REQUEST, text, &why, mem);
  if (error == 0) {
    error = tam_generation_params_settle(params, &facts, &why);
  }
  tam_buf_free(&why);
  return error;
}

#endif // TAM_TEST_CHAT_PARAMS_H
