// SPDX-License-Identifier: Apache-2.0
// What can be asked of the store: each verb is a list of phases and the
// contents of its terminal message.
#ifndef TAM_STORE_VERBS_H
#define TAM_STORE_VERBS_H

#include "core/buf.h"
#include "store/phase.h"

struct tam_store_verb {
  const char *name;               // of its messages
  const tam_phase *const *phases; // ends with NULL
  // Writes the members of the terminal message; NULL: there are none.
  void (*write_done)(const tam_store_op *op, tam_buf *json);
  uint8_t needs_model; // modelId must be given
  uint8_t has_dtype;   // it stores a dtype, not single files
  uint8_t is_queued;   // it is a download of the queue
  uint8_t is_part;     // of a load, which tells the panel how far it is
  uint8_t is_serving;  // a refusal of the Hub is for whoever asked
  uint8_t is_storing;  // what others serve, it only stores
  uint8_t takes_rows;  // the caller hands in a list of files
  uint8_t takes_facts; // the host says what it found out
  uint8_t is_verify;   // damage is looked for, not settled beforehand
};

// Writes what is known about the room for the chosen files.
void tam_store_write_room(const tam_store_op *op, tam_buf *json);

#endif // TAM_STORE_VERBS_H
