// SPDX-License-Identifier: Apache-2.0
// The state of one operation, shared by the phases and by nobody else. What
// only some of them need stands in the header of those.
#ifndef TAM_STORE_STORE_OP_H
#define TAM_STORE_STORE_OP_H

#include "core/speaker.h"
#include "store/legacy_phase.h"
#include "store/listing_phase.h"
#include "store/manage_phase.h"
#include "store/models.h"
#include "store/params.h"
#include "store/plan_phase.h"
#include "store/queue_phase.h"
#include "store/serve_phase.h"
#include "store/store.h"
#include "store/store_key.h"
#include "store/store_messages.h"
#include "store/transfers.h"

// The most stored revisions of one repository that an operation looks at; more
// than anybody keeps of a model.
#define TAM_STORED_REVISIONS_MAX 32

// The longest sentence about an error.
#define TAM_STORE_WHY_MAX 512

struct tam_store {
  tam_store_host host;
  tam_storage *storage;
  tam_store_op *first;  // in the order of their start
  uint64_t used_hash;   // of the model whose use was noted last,
  double used_again_ms; // which need not be noted again until then
  int is_line_slow;     // it was, the last time that anybody looked
  double now_ms;
};

struct tam_store_op {
  tam_store *store;
  tam_store_op *next;
  const tam_store_verb *verb;
  const tam_phase *const *phase; // the present one, and those after it
  tam_speaker speaker;
  tam_news news;
  tam_store_params params;
  int is_prepared; // they make sense
  int is_outside;  // whole bodies lie outside of the host's memory
  int is_renamed;  // the caller spells the repository otherwise
  int is_ended;
  tam_buf why;        // what went wrong, for people
  uint32_t status;    // the Hub's answer behind it
  const char *remedy; // what the user can do; NULL: what fits the error
  double started_ms;

  // The result of each phase, for those after it: which revision, which files
  // of it, what is stored of them, what else there is.
  tam_revision revision; // in work
  int has_revision;
  tam_revision stored[TAM_STORED_REVISIONS_MAX]; // the repository's others
  size_t stored_count;
  char commit[TAM_COMMIT_SIZE + 1]; // that was found; empty: not yet
  tam_dtype dtype;                  // that was chosen
  uint64_t total_bytes;             // of the chosen files
  tam_transfers transfers;
  tam_room room;
  tam_models models;
  tam_buf rows;    // a list as JSON: that the caller hands in, or is told
  int has_rows;    // that were handed in: all of them
  tam_batch batch; // that a phase fills over several answers

  // What the phases of one kind keep for themselves.
  tam_turn turn;
  tam_listing listing;
  tam_legacy legacy;
  tam_verification verification;
  tam_serving serving;

  // Texts that functions return, and one to compare a text with.
  uint8_t group_text[TAM_STORE_GROUP_MAX];
  uint8_t key_text[TAM_STORE_KEY_MAX];
  tam_buf scratch;
};

// --- store.c

// Ends the operation with its last message: |error|, or 0 for success.
void tam_store_op_end(tam_store_op *op, int error);

// Returns |error|, having noted |text| (may be NULL) about it.
int tam_store_op_fail(tam_store_op *op, int error, const char *text);

// Return the error of a report, having noted what happened.
int tam_store_op_net_failed(tam_store_op *op, const tam_net_report *report);
int tam_store_op_storage_failed(tam_store_op *op,
                                const tam_storage_report *report);

// Adds |words|, what the platform says of a connection that failed, to what
// happened; a token never goes with them.
void tam_store_op_append_words(tam_store_op *op, tam_span words);

tam_storage_owner tam_store_op_owner(const tam_store_op *op, uint32_t tag);

// Returns WAIT, or OUT_OF_MEMORY when |request| is 0.
int tam_store_op_asked(uint32_t request);

// Submits |batch|, which is freed. Returns WAIT, or OUT_OF_MEMORY.
int tam_store_op_write(tam_store_op *op, tam_batch *batch);

// For phases that end with their transaction.
int tam_store_op_on_written(tam_store_op *op, const tam_storage_report *report);

// Begins the operation again, once, about |repo|: it is the repository that the
// caller means, in the Hub's spelling. Returns what the first phase does.
int tam_store_op_rename(tam_store_op *op, tam_span repo);

// Lets the operation send requests; it may be called again. Errors: BUSY,
// OUT_OF_MEMORY.
int tam_store_op_open_net(tam_store_op *op);

// Appends the header with the caller's token or that of whoever is logged in,
// if there is one.
void tam_store_op_append_token(const tam_store_op *op, tam_buf *headers);

// Return the group of a file of the revision in work, and the keys of its
// records. Valid until the next call of one of these.
tam_span tam_store_op_group(tam_store_op *op, const tam_transfer *transfer);
tam_span tam_store_op_file_key(tam_store_op *op, const tam_transfer *transfer);
tam_span tam_store_op_chunk_key(tam_store_op *op, const tam_transfer *transfer,
                                uint32_t chunk);
tam_span tam_store_op_manifest_key(tam_store_op *op,
                                   const tam_transfer *transfer);
tam_span tam_store_op_revision_key(tam_store_op *op, tam_span repo,
                                   tam_span commit);

// Returns what the keys of the model that begin with |kind| begin with; those
// of others may, too. Valid as long.
tam_span tam_store_op_prefix(tam_store_op *op, const char *kind);

// Frees what the phases found out about revisions and files.
void tam_store_op_free_stored(tam_store_op *op);

// --- publish_phase.c

// Puts into |batch| what TabAgent's manifest says of the dtype in work.
void tam_store_op_put_manifest(tam_store_op *op, const char *status,
                               tam_batch *batch);

#endif // TAM_STORE_STORE_OP_H
