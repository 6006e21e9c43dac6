// SPDX-License-Identifier: Apache-2.0
// The model store: plans, downloads, verifies and serves the files of models.
//
// Nothing is kept in memory between two operations. Each one reads the records
// that it needs, decides, and writes transactions, so that another tab, a
// killed process or a restored backup can change what is stored at any time.
//
// An operation is a list of phases (store/phase.h). Every operation ends with
// exactly one terminal message, whatever happens.
#ifndef TAM_STORE_STORE_H
#define TAM_STORE_STORE_H

#include "core/action_queue.h"
#include "core/answer.h"
#include "core/json_tree.h"
#include "core/random.h"
#include "net/net.h"
#include "net/token.h"

// The most operations at a time. A large file that is served and not read is
// one, with some 20 KB; a library that loads a model has twenty.
#define TAM_STORE_OPS_MAX 256

// What the store works with; everything outlives it.
typedef struct tam_store_host {
  const tam_mem *mem;
  tam_action_queue *queue;
  tam_net *net;
  tam_random *random;
  tam_span hub_url;       // without a trailing slash
  tam_span mirrors;       // likewise, a line for each; may be empty
  const tam_token *token; // of whoever is logged in
} tam_store_host;

// What can be asked of the store; see store/verbs.c.
typedef struct tam_store_verb tam_store_verb;

// Returns the verb whose message has |name|, or NULL.
const tam_store_verb *tam_store_find_verb(tam_span name);

typedef struct tam_store_request {
  uint32_t op;                 // number given by the host
  tam_envelope envelope;       // whom to answer, copied
  uint32_t flags;              // TAM_COMMAND_FLAG_*
  const tam_json_node *params; // may be NULL; needed during the call only
  int params_are_nested;       // they stand alone: what is unknown is wrong
  int is_paused;               // a download that somebody has to resume
} tam_store_request;

typedef struct tam_store tam_store;

// Creates the store. Errors: OUT_OF_MEMORY.
int tam_store_new(tam_store **pstore, const tam_store_host *host);

// Frees the store and what runs in it; nothing is reported.
void tam_store_del(tam_store *store);

// Starts an operation. Wrong parameters become its terminal message. Errors:
// OUT_OF_MEMORY: nothing was started and nothing will be said.
int tam_store_start(tam_store *store, const tam_store_verb *verb,
                    const tam_store_request *request, double now_ms);

// Takes in a report of the request pool, if it is about an operation of the
// store.
void tam_store_on_net(tam_store *store, const tam_net_report *report,
                      double now_ms);

// Takes in a STORE event, or PULL, or CANCEL. Errors: INVALID_STATE (PULL and
// CANCEL: no such operation).
int tam_store_feed(tam_store *store, const tam_event *event, double now_ms);

// Does what the time allows, and forgets operations that have ended.
void tam_store_advance(tam_store *store, double now_ms);

// Returns when advance has something to do, ms since the epoch, or -1.
double tam_store_deadline(const tam_store *store);

// Returns 1 when |op| is the number of an operation that has not ended.
int tam_store_has_op(const tam_store *store, uint32_t op);

// Returns 1 when an operation that has not ended is known to its caller as
// |id|, JSON text.
int tam_store_has_id(const tam_store *store, tam_span id);

// Returns 1 when |op| is a download that is paused.
int tam_store_is_paused(const tam_store *store, uint32_t op);

// Returns how many operations have not ended.
size_t tam_store_busy(const tam_store *store);

#endif // TAM_STORE_STORE_H
