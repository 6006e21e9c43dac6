// SPDX-License-Identifier: Apache-2.0
// A stored file on its way to whoever asked for it: as an answer, or as a Blob.
#ifndef TAM_STORE_SERVE_PHASE_H
#define TAM_STORE_SERVE_PHASE_H

#include "core/checksum.h"
#include "store/hub_file.h"
#include "store/phase.h"

// How a request for a file ended.
typedef enum tam_outcome {
  TAM_OUTCOME_PASS = 0, // it is not the store's business: ask the network
  TAM_OUTCOME_FILE,     // it was served
  TAM_OUTCOME_ABSENT,   // the repository has no such file
  TAM_OUTCOME_MISS,     // it is not stored, and was not to be fetched
  TAM_OUTCOME_REFUSED   // the Hub wants to know who asks, and nobody said so
} tam_outcome;

// Of the phases url to serve, and of open. Those in between look at |file| to
// choose it; the one that serves what TabAgent stored sets the last two.
typedef struct tam_serving {
  tam_outcome outcome;
  tam_hub_file file; // that is asked for: spans over |text|, or parameters
  uint8_t text[TAM_HUB_FILE_TEXT_MAX];
  uint32_t status;  // of the answer
  int has_head;     // it is out
  int is_opened;    // the host has the file as a Blob
  int is_pulled;    // the reader has room for more
  uint64_t at;      // the next byte
  uint64_t to;      // the byte behind the last one
  unsigned repairs; // so far
  uint32_t noting;  // request that notes the use, 0: none

  uint32_t reading;  // request of a block, or of a chunk when it is a Blob
  uint32_t chunk;    // it lies in
  uint64_t block_at; // in the file
  uint32_t block_len;
  uint32_t block_read; // bytes of it so far
  tam_checksum block_sum;

  int is_unverified; // it cannot be checked
  int is_at_address; // and lies whole under the address of its file
} tam_serving;

// The tag of the request that notes the use; blocks have 0.
#define TAM_STORE_TAG_USED 1

// Notes that the model is in use, once in a while: it is a transaction. Errors:
// OUT_OF_MEMORY.
int tam_store_op_note_use(tam_store_op *op);

// The phases that fetch the chunk in work of the only file again.
#define TAM_STORE_REPAIR_PHASES                                                \
  &tam_lock_phase, &tam_stored_phase, &tam_known_phase, &tam_need_phase,       \
      &tam_select_file_phase, &tam_journals_phase, &tam_lost_phase,            \
      &tam_transfer_phase, &tam_unlock_phase

// Goes on with |phases|, which begin with these. Returns what the first of them
// does, or STORE_DAMAGED when that does not help.
int tam_store_op_repair(tam_store_op *op, const tam_phase *const *phases);

#endif // TAM_STORE_SERVE_PHASE_H
