// SPDX-License-Identifier: Apache-2.0
// A small module that lets JavaScript run a decoding alone, for the benchmark.
// A request and the tokens of a prompt go into module_request and module_row,
// then a row of logits at a time.
#include "chat/decoding.h"

#include <emscripten.h>

#define ROW_MAX     262144
#define REQUEST_MAX 4096

static float row[ROW_MAX];
static uint8_t request[REQUEST_MAX];
static tam_generation_params params;
static tam_decoding *decoding;
static size_t vocab;

// Returns where the next row goes.
EMSCRIPTEN_KEEPALIVE float *module_row(void) {
  return row;
}

EMSCRIPTEN_KEEPALIVE uint8_t *module_request(void) {
  return request;
}

// Forgets the decoding there is and begins another, of |count| logits a row.
// Returns 0 or an error.
EMSCRIPTEN_KEEPALIVE int module_begin(size_t request_len, size_t prompt_len,
                                      size_t count) {
  static const int32_t eos[] = {2};
  static const tam_generation_facts facts = {0, 1, 0};
  static tam_mem mem;
  tam_json_node *root = NULL;
  tam_buf why;
  mem = tam_mem_default();
  tam_decoding_del(decoding);
  decoding = NULL;
  tam_generation_params_init(&params, &mem);
  tam_buf_init(&why, &mem, REQUEST_MAX);
  int error =
      tam_json_tree_parse(&root, (tam_span){request, request_len}, &mem);
  if (error == 0) {
    error = tam_generation_params_merge(&params, TAM_PARAMS_LAYER_REQUEST, root,
                                        &why);
  }
  if (error == 0) {
    error = tam_generation_params_settle(&params, &facts, &why);
  }
  tam_json_tree_free(root, &mem);
  vocab = count;
  tam_decoding_setup setup = {
      .params = &params,
      .prompt = {(const int32_t *)(const void *)row, prompt_len},
      .vocab = count,
      .eos = {eos, 1},
      .pad = -1};
  return error != 0 ? error : tam_decoding_new(&decoding, &setup, &mem);
}

// Takes the row and returns the token that follows, or an error.
EMSCRIPTEN_KEEPALIVE int module_step(void) {
  int status = tam_decoding_take_logits(decoding, 0, row, vocab);
  if (status == 0) {
    status = tam_decoding_step(decoding, 0);
  }
  return status < 0 ? status : tam_decoding_tokens(decoding)[0];
}
