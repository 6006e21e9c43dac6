// SPDX-License-Identifier: Apache-2.0
// What the user can do about a listing that failed.
#include "hub/list_chat_models.h"

// A server in trouble may recover; a question that was refused stays refused.
static int is_refusal(uint32_t status) {
  return status >= 400 && status < 500;
}

static const char *listing_remedy(uint32_t status) {
  if (status == 401 || status == 403) {
    return "Give an access token that may read this.";
  }
  return is_refusal(status)
             ? "Check the query, the cursor and the Hub's address."
             : "Check the connection to the Hub and try again.";
}

void tam_list_find_remedy(tam_failure *failure) {
  failure->is_retryable = 1;
  switch (failure->error) {
  case TAM_ERR_BUSY:
    failure->remedy = "Wait for a running listing to end.";
    break;
  case TAM_ERR_OUT_OF_MEMORY:
    failure->remedy = "Ask for fewer candidates or close other tabs.";
    break;
  case TAM_ERR_LISTING_FAILED:
    failure->is_retryable = !is_refusal(failure->status);
    failure->remedy = listing_remedy(failure->status);
    break;
  default:
    failure->is_retryable = 0;
    failure->remedy = failure->error == TAM_ERR_INVALID_PARAMS
                          ? "Correct the named parameter."
                          : NULL;
  }
}
