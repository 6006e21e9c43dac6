// SPDX-License-Identifier: Apache-2.0
// What the caller of an operation hears.
#ifndef TAM_STORE_STORE_MESSAGES_H
#define TAM_STORE_STORE_MESSAGES_H

#include "store/phase.h"

// What there is to say, and what was said.
typedef struct tam_news {
  int has_progress;         // since it was said
  int has_changed_manifest; // TabAgent's
  uint64_t said_loaded;
  double said_at_ms;
} tam_news;

// Queues the terminal message. Errors: OUT_OF_MEMORY.
int tam_store_send_done(tam_store_op *op);

// Queues the terminal error. Cannot fail.
void tam_store_send_error(tam_store_op *op, int error);

// Says how far the operation is, when there is news and it is time to, or when
// |is_last|. Errors: OUT_OF_MEMORY.
int tam_store_say_progress(tam_store_op *op, int is_last);

// Returns when the next progress may be said.
double tam_store_progress_deadline(const tam_store_op *op);

#endif // TAM_STORE_STORE_MESSAGES_H
