// SPDX-License-Identifier: Apache-2.0
// The end of everything that a host has begun.
#include "fake_host.h"

static void promise(int kept, const char *text) {
  if (!kept) {
    fake_host_broken(text);
  }
}

void fake_host_finish(fake_host *host) {
  for (size_t i = 0; i < host->op_count; i++) {
    tam_event cancel = {.kind = TAM_EVENT_CANCEL, .op = host->ops[i].number};
    if (host->ops[i].is_accepted && host->ops[i].terminals == 0) {
      promise(fake_host_feed(host, &cancel) == 0, "what runs can be cancelled");
    }
  }
  if (tam_manager_busy(host->manager) > 0) { // the journal loses its patience
    host->now_ms += 60000;
    tam_event timer = {.kind = TAM_EVENT_TIMER};
    promise(fake_host_feed(host, &timer) == 0, "a timer is legal");
  }
  for (size_t i = 0; i < host->op_count; i++) {
    promise(
        host->ops[i].terminals == (unsigned)host->ops[i].is_accepted,
        "a command taken ends with one terminal message, another with none");
  }
  promise(tam_manager_busy(host->manager) == 0,
          "the manager forgets what has ended");
}
