// SPDX-License-Identifier: Apache-2.0
#include "protocol/panel_request.h"

#include "core/event_names.h"
#include "core/span.h"

static const tam_panel_request requests[] = {
#define TAM_PANEL_REQUEST(name, action, verb, reads, answer, events, states)   \
  {TAM_NAME_##name, verb, TAM_PANEL_##action, reads},
#include "protocol/panel_request.def"
};

const tam_panel_request *tam_panel_request_find(tam_span name) {
  for (size_t i = 0; i < sizeof(requests) / sizeof(requests[0]); i++) {
    if (tam_span_is(name, requests[i].name)) {
      return &requests[i];
    }
  }
  return NULL;
}

static const char *const foreign[] = {
#define TAM_PANEL_FOREIGN(name) TAM_NAME_##name,
#include "protocol/panel_request.def"
};

int tam_panel_request_is_foreign(tam_span name) {
  size_t i = 0;
  while (i < sizeof(foreign) / sizeof(foreign[0]) &&
         !tam_span_is(name, foreign[i])) {
    i++;
  }
  return i < sizeof(foreign) / sizeof(foreign[0]) ||
         tam_span_starts_with(name, TAM_SPAN(TAM_PANEL_FOREIGN_PREFIX));
}
