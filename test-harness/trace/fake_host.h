// SPDX-License-Identifier: Apache-2.0
// A host without a network, for traces, fuzzing and tests of the manager. It
// drains actions after each event as a real host does, and holds the manager
// to every promise that can be checked from outside:
//
//  * one terminal message per accepted command, the last one of its operation
//  * messages are JSON, numbered without gaps, and at most 20 in any second
//  * each candidate is classified once, and the summary counts them; whoever
//    does not listen hears the terminal message only
//  * models come right before the terminal message they belong to, which is
//    not one of an error
//  * a request goes to the Hub, carries a token when the command had one, else
//    only when somebody is logged in; no more run at a time than the command
//    allows
//  * an abort names a request under way; none is left when its operation ends,
//    be it of the network or of the storage, and no lock
//  * what the host keeps for an operation, bodies and bytes that were read, is
//    forgotten or delivered by the end of it
//  * what the runtime made for an operation is released once; what outlives it
//    belongs to the one model that is loaded, and files never do
//  * an event that is refused causes nothing
//  * the journal asks the storage only; its requests and its lock are its own
//  * an operation that waits, waits for something: a request, a timer, rows of
//    its caller, whoever reads what it serves, or an operation before it; and a
//    timer that fired is not asked for again at once
//
// A broken promise stops the program. The manager's allocator is the counting
// one of the unit tests: fail what you like through |heap|.
#ifndef TAM_TRACE_FAKE_HOST_H
#define TAM_TRACE_FAKE_HOST_H

#include "../unit/check.h"
#include "tam.h"

// The most messages of one operation in a second; of an answer each token is
// one.
#define FAKE_HOST_MESSAGES_PER_S 20

// What an order to the runtime makes.
typedef enum fake_made {
  FAKE_MADE_NOTHING = 0,
  FAKE_MADE_FILE,
  FAKE_MADE_TOKENIZER,
  FAKE_MADE_SESSION,
  FAKE_MADE_CACHE
} fake_made;

typedef struct fake_request {
  uint32_t id; // the manager's number; the place in the list is the host's own
  uint32_t op;
  int is_live;
  int is_store; // it is one of the storage
  int is_lock;
  int is_held;    // it is a lock that was got and not released yet
  int is_keep;    // the host keeps what it brings, and ...
  int is_kept;    // ... has it
  int is_runtime; // it is an order to the runtime
  fake_made makes;
  int is_made; // and it is there
} fake_request;

typedef struct fake_op {
  uint32_t number;
  int is_accepted; // its command was taken
  int has_token;
  int wants_rows;      // the caller's rows are not complete
  int is_quiet;        // it asked for no progress
  int is_serving;      // it is a request for a file
  int is_pulled;       // whoever reads the file waits for bytes
  unsigned deliveries; // parts of the file; the first may come unasked
  int is_queued;       // it is a download
  int takes_turn;      // it loads a model, or answers with it
  int is_answer;
  int is_login;
  int is_logout;
  int is_resumed; // it goes on
  double concurrency;
  unsigned in_flight; // requests of both kinds
  unsigned fetches;   // of these, those of the network
  unsigned holds;     // locks, and what is kept for it
  unsigned terminals;
  double messages;
  double classified; // models of which the class was told
  int is_unread;     // a message was too long for the parser
  double said_ms[FAKE_HOST_MESSAGES_PER_S]; // when the latest were said
} fake_op;

// Is told of each action before the next one is taken.
typedef void (*fake_host_on_action)(void *user_data, const tam_action *action);

// Is told of each event before the manager is.
typedef void (*fake_host_on_event)(void *user_data, const tam_event *event,
                                   double now_ms);

typedef struct fake_host {
  check_heap heap;
  tam_mem mem;
  tam_manager *manager;
  double now_ms;
  char hub_url[128];
  fake_request *requests; // every one so far, in the order of their start
  size_t request_count;
  fake_op *ops;    // every command so far
  fake_op journal; // whose requests have no operation
  size_t op_count;
  int is_logged_in;
  char *command; // the pieces of a message so far
  size_t command_len;
  uint32_t command_of; // whose they are; 0: nobody's
  uint32_t models_of;  // an operation whose terminal message must come next
  fake_host_on_action on_action;
  void *user_data;
  fake_host_on_event on_event; // set it after the host was made
  void *event_data;
} fake_host;

// Creates the manager. Returns 0 or the error of tam_manager_new; |host| must
// be freed in every case. Set |heap| to fail before the call, if at all.
int fake_host_init(fake_host *host, const char *hub_url);

// Deletes the manager and insists that no memory is left.
void fake_host_free(fake_host *host);

// Feeds |event| at |now_ms| and drains the actions. Returns what the manager
// returned.
int fake_host_feed(fake_host *host, const tam_event *event);

// Cancels what still runs and insists on one terminal message per command.
void fake_host_finish(fake_host *host);

// Returns the |order|-th request, counted from 1, or NULL.
const fake_request *fake_host_request(const fake_host *host, size_t order);

// Returns the place of the live request |id|, counted from 1, or 0.
size_t fake_host_order(const fake_host *host, uint32_t id);

// Returns the record of the latest command with |number|, or NULL.
const fake_op *fake_host_op(const fake_host *host, uint32_t number);

// Returns how many things of |kind| the runtime holds.
size_t fake_host_made(const fake_host *host, fake_made kind);

// Stops the program because a promise was broken.
_Noreturn void fake_host_broken(const char *promise);

#endif // TAM_TRACE_FAKE_HOST_H
