// SPDX-License-Identifier: Apache-2.0
// The files of an operation on their way into the store: which chunks are in
// flight, kept, hashed and written. One object of the operation, which the plan
// fills, the transfer phase works off and the messages read.
#ifndef TAM_STORE_TRANSFERS_H
#define TAM_STORE_TRANSFERS_H

#include "store/file_hasher.h"
#include "store/phase.h"

// Chunks in flight, kept or being written, of one operation. FEW: on a slow
// line, or where each is a chunk of the host's memory. Two saturate most lines;
// the third goes on while another is written. On a line as fast as the database
// more of them keep it busy; more than six connections no browser opens.
#define TAM_TRANSFER_SLOTS     6
#define TAM_TRANSFER_SLOTS_FEW 3

// One wanted file.
typedef struct tam_transfer {
  size_t file;            // its place in the revision
  tam_file_record record; // what is stored of it
  uint32_t seen_count;
  uint8_t *seen;        // a byte per chunk: its content is there
  int has_record;       // |record| is initialised
  int is_verified;      // all bytes agree, but that is not written yet
  int is_complete;      // it is
  int is_adopted;       // its chunks were stored by TabAgent
  int has_old_manifest; // TabAgent's readers believe in its chunks
  int unsaved;          // chunks whose states are not in the stored record
  int is_refetch;       // its hash was wrong: everything is fetched again
  tam_buf suspects;     // and compared with these checksums of blocks
  int is_wrong;         // and is wrong again
  uint32_t lost;        // chunks that were written and could not be read
} tam_transfer;

typedef enum tam_slot_state {
  TAM_SLOT_FREE = 0,
  TAM_SLOT_DELAYED,  // wait: the time of the next attempt
  TAM_SLOT_FETCHING, // wait: the body
  TAM_SLOT_CHECKING, // wait: the kept body is hashed
  TAM_SLOT_KEPT,     // wait: the next transaction
  TAM_SLOT_WRITING   // wait: its end
} tam_slot_state;

typedef struct tam_slot {
  tam_slot_state state;
  tam_transfer *transfer;
  uint32_t chunk;
  uint32_t received;      // bytes of the body so far
  uint32_t reached;       // the most that any attempt has received
  int is_probe;           // it shows how fast the line is
  double probe_until_ms;  // when it must be there as a whole, 0: no such time
  int is_slow;            // it did not come as a whole within the time
  tam_action_node *parts; // that came before the last attempts broke off, as
                          // what has them forgotten
  uint32_t kept;          // bytes of them
  uint32_t body; // request under which the host keeps it, 0: it does not
  tam_action_node *forget; // memory for having it forgotten, which cannot fail
  int has_if_range;        // was sent
  int has_head;            // the answer has begun
  double retry_at_ms;
} tam_slot;

// Tags of the storage requests of the transfer phase.
enum { TAM_TRANSFER_TAG_READ = 1, TAM_TRANSFER_TAG_WRITE };

typedef struct tam_transfers {
  tam_slot slots[TAM_TRANSFER_SLOTS];
  tam_transfer *list; // in the order in which they are fetched
  size_t count;
  uint32_t write;   // request of the transaction under way, 0: none
  uint32_t reading; // request that reads a chunk to hash it, 0: none
  tam_file_hasher hasher;
  tam_slot *checking;    // whose body is read; NULL: a stored chunk is
  tam_transfer *hashing; // of which a chunk is read
  uint32_t hashed;       // bytes of it so far
  int is_paused;
  unsigned deletions;    // of what was stored, noticed at the end
  int without_if_range;  // a server or a browser does not take it
  unsigned odd_answers;  // in a row
  unsigned endpoint;     // 0: the Hub, else the number of a mirror
  unsigned failures;     // of requests, in a row
  double progress_at_ms; // bytes came, or were hashed or written
  double rate;           // bytes per second; 0: not known yet
  double probe_at_ms;    // a first chunk was asked for; 0: not yet
  int is_probed;         // it is known how fast the line is with chunks
  double rate_at_ms;
  uint64_t rate_bytes;    // fetched by then
  uint64_t fetched_bytes; // from the network
  uint64_t resumed_bytes; // that were there before
  int error;              // the latest of a request
} tam_transfers;

// Makes the list of the chosen files of the revision, the smallest first: a
// model can be looked at before its weights are there. Errors: OUT_OF_MEMORY.
int tam_transfers_init(tam_store_op *op);

// Tells the host to forget the body of |slot|, or of all, and its parts, as far
// as it keeps them.
void tam_slot_forget(tam_store_op *op, tam_slot *slot);
void tam_transfers_forget(tam_store_op *op);

// What is shorter is fetched again sooner than it is written down.
#define TAM_TRANSFER_PART_MIN (UINT32_C(64) << 10)

// The body of |request| broke off, the host keeps |bytes| of it: the next
// attempt goes on behind them, when they are worth it.
void tam_slot_keep_part(tam_store_op *op, tam_slot *slot, uint32_t request,
                        uint32_t bytes);
void tam_transfers_free(tam_store_op *op);

// Returns the first transfer behind |after| (NULL: of all) whose content is in
// |group|, or NULL: files with the same content may share one.
tam_transfer *tam_transfers_find(tam_store_op *op, tam_span group,
                                 const tam_transfer *after);

// Forgets |chunk|, which turned out to be damaged or gone, and with it that the
// file is complete.
void tam_transfer_lose(tam_transfer *transfer, uint32_t chunk);

// Returns how many bytes of all files are stored, and how many of them or on
// their way.
uint64_t tam_transfers_stored(const tam_store_op *op);
uint64_t tam_transfers_loaded(const tam_store_op *op);

#endif // TAM_STORE_TRANSFERS_H
