// SPDX-License-Identifier: Apache-2.0
// What an operation keeps while it waits for its turn.
#ifndef TAM_STORE_QUEUE_PHASE_H
#define TAM_STORE_QUEUE_PHASE_H

#include <stdint.h>

// Of the queue and lock phases. Whoever ends an operation forgets the lock.
typedef struct tam_turn {
  uint32_t lock;        // request of the lock, 0: not held
  int has_said_waiting; // the caller knows that it waits
  int has_looked_again; // for what a download was storing meanwhile
  double look_at_ms;    // for what another context has stored meanwhile
} tam_turn;

#endif // TAM_STORE_QUEUE_PHASE_H
