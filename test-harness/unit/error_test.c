// SPDX-License-Identifier: Apache-2.0
// Names of errors, and which of them are fatal.
#include "tam.h"

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

int main(void) {
  RUN(names);
  RUN(fatality);
  return check_finish();
}
