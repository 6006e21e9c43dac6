// SPDX-License-Identifier: Apache-2.0
// The parameters of the store's operations. Which of them an operation needs is
// its own business; here is checked that what is there makes sense.
#ifndef TAM_STORE_PARAMS_H
#define TAM_STORE_PARAMS_H

#include "core/buf.h"
#include "core/json_tree.h"

// The longest text of all parameters together.
#define TAM_STORE_TEXT_MAX 16384

typedef struct tam_store_params {
  tam_buf text;   // what the spans point into; wiped, for it may hold a token
  tam_span model; // modelId: an id of a repository; empty: not given
  tam_span dtype; // empty: not given
  tam_span revision; // a branch, a tag or a commit; "main" when not given
  tam_span token;    // hfToken: visible ASCII; empty: none
  tam_span url;      // of fetchFile
  tam_span method;   // of fetchFile; "GET" when not given
  tam_span range;    // of fetchFile: the value of the header; empty: none
  tam_span if_none_match;
  tam_span if_range;
  tam_span id;           // of a download in the queue
  double priority;       // of a download: the higher goes first; 0
  int pinned;            // of pinModel
  int keep_partial;      // of cancelDownload; 1 when not given
  int only_cached;       // of fetchFile and ensureModel: nothing is fetched
  int repair;            // of verifyModel, openFile; 1 when not given
  int verify;            // of openFile: read all of it; 1 when not given
  int is_input;          // the bytes come from the caller, not from the Hub
  int unlimited_storage; // of doctor: the permission; -1 when not given
  tam_span commit;       // of importModel; empty: not given
  tam_span task;         // of importModel: the repository's pipeline_tag
  int failed;            // of noteLoad: the model could not be loaded
  // Of doctor: what the host found out; NULL: nothing. Valid in the call.
  const tam_json_node *facts;
  tam_span path; // of openFile: in the repository; empty: not given
} tam_store_params;

// Reads |params|, an object or NULL. An unknown name in it is wrong when it is
// |strict|; else other things stand beside the parameters. Whatever it returns,
// |self| must be freed.
// Returns 0, OUT_OF_MEMORY, or INVALID_PARAMS: |why| says which one is wrong.
int tam_store_params_parse(tam_store_params *self, const tam_json_node *params,
                           int strict, tam_buf *why, const tam_mem *mem);

// Puts another id in the place of |model|. Errors: TOO_LARGE.
int tam_store_params_set_model(tam_store_params *self, tam_span model);

void tam_store_params_free(tam_store_params *self);

#endif // TAM_STORE_PARAMS_H
