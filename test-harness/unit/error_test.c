// SPDX-License-Identifier: Apache-2.0
// Names of errors, which of them are fatal, and after which the same request
// may succeed.
#include "core/answer.h"

#include "check.h"

static void names(void) {
  CHECK_SPAN(tam_span_of(tam_strerror(0)), "ok");
  CHECK_SPAN(tam_span_of(tam_strerror(TAM_ERR_INVALID_PARAMS)),
             "invalid_params");
  CHECK_SPAN(tam_span_of(tam_strerror(-1)), "unknown");
  CHECK_SPAN(tam_span_of(tam_strerror(1)), "unknown");
}

static void fatality(void) {
  CHECK_INT(tam_error_is_fatal(TAM_ERR_OUT_OF_MEMORY), 1);
  CHECK_INT(tam_error_is_fatal(TAM_ERR_INTERNAL), 1);
  CHECK_INT(tam_error_is_fatal(TAM_ERR_LISTING_FAILED), 0);
  CHECK_INT(tam_error_is_fatal(0), 0);
}

static void whether_to_try_again(void) {
  static const int never[] = {
      TAM_ERR_INVALID_ARGUMENT, TAM_ERR_INVALID_PARAMS,
      TAM_ERR_TOO_LARGE,        TAM_ERR_CANCELLED,
      TAM_ERR_UNKNOWN_MESSAGE,  TAM_ERR_NOT_OURS,
      TAM_ERR_UNKNOWN_JOB,      TAM_ERR_MALFORMED_MESSAGE,
      TAM_ERR_UNAUTHORIZED,     TAM_ERR_NOT_FOUND,
      TAM_ERR_NO_MODEL,         TAM_ERR_MALFORMED_GRAPH,
  };
  static const int later[] = {
      TAM_ERR_INVALID_STATE, TAM_ERR_BUSY,        TAM_ERR_TIMEOUT,
      TAM_ERR_NETWORK,       TAM_ERR_DEVICE_LOST, TAM_ERR_OUT_OF_MEMORY,
  };
  for (size_t i = 0; i < sizeof(never) / sizeof(never[0]); i++) {
    CHECK_INT(tam_error_is_retryable(never[i]), 0);
  }
  for (size_t i = 0; i < sizeof(later) / sizeof(later[0]); i++) {
    CHECK_INT(tam_error_is_retryable(later[i]), 1);
  }
}

int main(void) {
  RUN(names);
  RUN(fatality);
  RUN(whether_to_try_again);
  return check_finish();
}
