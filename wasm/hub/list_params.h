// SPDX-License-Identifier: Apache-2.0
// The parameters of listChatModels: defaults, ranges, and the sentence that
// tells a caller what was wrong.
#ifndef TAM_HUB_LIST_PARAMS_H
#define TAM_HUB_LIST_PARAMS_H

#include "core/buf.h"
#include "core/json_tree.h"

// Rows listed at the most: the worker plan's limit, ten pages of 500.
#define TAM_LIST_ROWS_MAX 5000

// Config requests in flight at the most; browsers open far fewer sockets.
#define TAM_LIST_CONCURRENCY_MAX 64

// Rows per page: the Hub honours 1000 but times out on large rows, so a page
// starts at half of that and is halved again when the Hub gives up.
#define TAM_LIST_PAGE_MAX     1000
#define TAM_LIST_PAGE_DEFAULT 500

// The longest wait for an answer, in ms: ten minutes.
#define TAM_LIST_TIMEOUT_MAX_MS 600000

// The longest text parameter, in bytes; a cursor is the longest (about 200).
#define TAM_LIST_TEXT_MAX 2048

// Filters of one query.
#define TAM_LIST_FILTERS_MAX 16

// For which survivors a configuration file is fetched.
typedef enum tam_fetch_configs {
  TAM_FETCH_CONFIGS_MISSING = 0, // those whose row carries none
  TAM_FETCH_CONFIGS_ALL,
  TAM_FETCH_CONFIGS_NEVER
} tam_fetch_configs;

typedef struct tam_list_params {
  uint32_t max_candidates;
  uint32_t concurrency;
  uint32_t timeout_ms;
  uint32_t max_listing;
  uint32_t page_size;
  double max_parameters; // -1: no cap
  int require_onnx;
  int debug;
  tam_fetch_configs fetch_configs;
  tam_span token; // empty: none
  tam_span cursor;
  tam_span search;
  tam_span author;
  tam_span pipeline_tag;
  tam_span sort;
  tam_span filters[TAM_LIST_FILTERS_MAX];
  size_t filter_count;
  tam_buf text; // holds the strings; has a token in it: wiped when freed
} tam_list_params;

// Reads |params| (NULL: all defaults) into |list|. Unknown names are errors
// when |is_strict|, ignored otherwise (parameters spread over a message stand
// among fields of other meaning). Returns 0, OUT_OF_MEMORY, or INVALID_PARAMS
// with a sentence in |why| that names the field, the value and what is
// allowed. |list| must be freed in every case.
int tam_list_params_parse(tam_list_params *list, const tam_json_node *params,
                          int is_strict, tam_buf *why, const tam_mem *mem);

// Wipes and frees the strings.
void tam_list_params_free(tam_list_params *list);

#endif // TAM_HUB_LIST_PARAMS_H
