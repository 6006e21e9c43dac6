// SPDX-License-Identifier: Apache-2.0
// The state of one operation, shared by the phases and by nobody else.
#ifndef TAM_STORE_STORE_OP_H
#define TAM_STORE_STORE_OP_H

#include "store/models.h"
#include "store/params.h"
#include "store/phase.h"
#include "store/revision.h"
#include "store/store.h"
#include "store/store_key.h"
#include "store/transfers.h"
#include "store/tree_scan.h"

// The most stored revisions of one repository that an operation looks at; more
// than anybody keeps of a model.
#define TAM_STORED_REVISIONS_MAX 32

// The longest sentence about an error.
#define TAM_STORE_WHY_MAX 512

// How a request for a file ended.
typedef enum tam_outcome {
  TAM_OUTCOME_PASS = 0, // it is not the store's business: ask the network
  TAM_OUTCOME_FILE,     // it was served
  TAM_OUTCOME_ABSENT,   // the repository has no such file
  TAM_OUTCOME_MISS      // it is not stored, and was not to be fetched
} tam_outcome;

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
  uint32_t op;
  uint32_t seq;
  int is_quiet;
  int is_outside; // whole bodies lie outside of the host's memory
  int is_ended;
  int is_prepared; // its parameters make sense
  tam_envelope envelope;
  tam_buf id;
  tam_store_params params;
  tam_buf why;     // what went wrong, for people
  uint32_t status; // the Hub's answer behind it
  double started_ms;

  // What phases leave to those after them.
  uint32_t lock;         // request of the lock, 0: not held
  int has_looked_again;  // for what a download was storing meanwhile
  int is_renamed;        // the caller spells the repository otherwise
  int is_offline;        // the Hub could not be asked
  tam_revision revision; // in work
  int has_revision;
  tam_revision stored[TAM_STORED_REVISIONS_MAX]; // the repository's others
  size_t stored_count;
  char commit[TAM_COMMIT_SIZE + 1]; // that was found; empty: not yet
  tam_buf task;                     // pipeline_tag of the repository
  tam_dtype dtype;                  // that was chosen
  tam_transfers transfers;
  uint64_t total_bytes; // of the chosen files
  double free_bytes;    // -1: not known
  double quota_bytes;   // likewise
  double usage_bytes;   // likewise
  int persisted;        // 1, 0, or -1: not known
  tam_models models;
  size_t evict_count; // models, the first ones, that would make room

  // Of a file that is served.
  tam_outcome outcome;
  tam_hub_file file; // spans over |file_text|
  uint8_t file_text[TAM_HUB_FILE_TEXT_MAX];
  uint32_t http_status;
  int is_serving;    // the head is out
  int is_opened;     // the host has the file as a Blob
  int is_pulled;     // the reader has room for more
  unsigned repairs;  // so far
  uint64_t serve_at; // the next byte
  uint64_t serve_to; // the byte behind the last one
  uint32_t reading;  // request of a block, 0: none
  uint32_t noting;   // request that notes the use, 0: none
  uint32_t block_chunk;
  uint64_t block_at; // in the file
  uint32_t block_len;
  uint32_t block_read; // bytes of it so far
  tam_checksum block_sum;

  // Of what TabAgent stored.
  size_t legacy_file;
  uint32_t legacy_chunk;
  int is_unverified; // what is served cannot be checked
  int is_at_address; // and lies whole under the address of its file

  // Of those that verify and delete.
  size_t verify_file;
  uint32_t verify_chunk;
  uint64_t verified_bytes; // that were read
  uint32_t damaged;        // chunks that were found
  tam_buf rows;            // of them, or of a queue, or handed in, as JSON
  int has_rows;            // that were handed in: all of them
  tam_batch batch;
  int has_batch;

  // Of the listing phases.
  tam_buf body;
  tam_buf url;
  tam_buf next_url; // the cursor of the next page
  tam_tree_scan *tree;
  uint32_t pages;    // of the tree that were asked for
  uint32_t restarts; // of the list, because a later page broke off
  int is_cut;        // there are more files than are listed

  // Of the messages.
  int has_changed_manifest; // TabAgent's
  int has_said_waiting;
  int has_news; // since progress was said
  uint64_t said_loaded;
  double said_at_ms;
  tam_action_node *last_words; // memory for the terminal error

  // Texts that functions return.
  uint8_t group_text[TAM_STORE_GROUP_MAX];
  uint8_t key_text[TAM_STORE_KEY_MAX];
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
tam_span tam_store_op_revision_key(tam_store_op *op, tam_span repo,
                                   tam_span commit);

// Returns what the keys of the model that begin with |kind| begin with; those
// of others may, too. Valid as long.
tam_span tam_store_op_prefix(tam_store_op *op, const char *kind);

// Returns the key under which TabAgent stored a whole file: its address at
// huggingface.co. Valid until the address in work changes.
tam_span tam_store_op_address_key(tam_store_op *op,
                                  const tam_transfer *transfer);

// Takes the revision of the commit that was found, stored or new. Returns DONE
// or an error.
int tam_store_op_take_commit(tam_store_op *op);

// Makes transfers of the chosen files. Errors: OUT_OF_MEMORY, TOO_LARGE.
int tam_store_op_take_chosen(tam_store_op *op);

// Chooses the files that |dtypes| (bits 1U << tam_dtype) need, as far as they
// are available.
void tam_store_op_choose_dtypes(tam_revision *revision, unsigned dtypes);

// Frees what the phases found out about revisions and files.
void tam_store_op_free_stored(tam_store_op *op);

// Returns how many bytes of the chosen files are not stored, and whether there
// is room for them.
uint64_t tam_store_op_needed(const tam_store_op *op);
int tam_store_op_fits(const tam_store_op *op);

// Puts into |batch| what TabAgent's manifest says of the dtype in work.
void tam_store_op_put_manifest(tam_store_op *op, const char *status,
                               tam_batch *batch);

// --- shared_phase.c

// The statuses in TabAgent's manifest of what is stored.
#define TAM_STATUSES_STORED "downloaded\0failed\0"

// Puts into the operation's batch that the dtype in work (all, when the caller
// names none) has the status |to| in the manifest of |repo|, whose text is
// |text|, where it is one of |from|, names as in core/names.h; NULL: any other.
// Errors: OUT_OF_MEMORY.
int tam_store_op_put_statuses(tam_store_op *op, tam_span repo, tam_span text,
                              const char *from, const char *to);

// --- serve_phase.c

// The tag of the request that notes the use; blocks have 0.
#define TAM_STORE_TAG_USED 1

// Notes that the model is in use, once in a while: it is a transaction. Errors:
// OUT_OF_MEMORY.
int tam_store_op_note_use(tam_store_op *op);

// Goes on with |phases|, which fetch the chunk |block_chunk| of the only file
// again. Returns what the first of them does, or STORE_DAMAGED when that does
// not help.
int tam_store_op_repair(tam_store_op *op, const tam_phase *const *phases);

// --- doctor_phase.c

// Adds a finding to those of |op|. |fix| is what to do when it is not ok.
void tam_store_write_check(tam_store_op *op, const char *check, int is_ok,
                           tam_span message, const char *fix);

// --- doctor_facts.c

// Adds the findings about |facts|, an object of the caller (see
// js-bindings/facts.js) or NULL.
void tam_store_write_facts(tam_store_op *op, const tam_json_node *facts);

// --- store_messages.c

// Sets memory aside for the last message. Errors: OUT_OF_MEMORY.
int tam_store_messages_init(tam_store_op *op);

// Queues the terminal message. Errors: OUT_OF_MEMORY.
int tam_store_send_done(tam_store_op *op);

// Queues the terminal error. Cannot fail.
void tam_store_send_error(tam_store_op *op, int error);

// Says how far the operation is, when there is news and it is time to, or when
// |is_last|. Errors: OUT_OF_MEMORY.
int tam_store_say_progress(tam_store_op *op, int is_last);

// Returns when the next progress may be said.
double tam_store_progress_deadline(const tam_store_op *op);

#endif // TAM_STORE_STORE_OP_H
