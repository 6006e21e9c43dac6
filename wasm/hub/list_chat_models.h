// SPDX-License-Identifier: Apache-2.0
// listChatModels: pages of the Hub in, classified chat models out.
//
//   PAGES or SUPPLIED -> CONFIGS -> ENDED
//
// Every operation ends with exactly one terminal message, whatever happens.
#ifndef TAM_HUB_LIST_CHAT_MODELS_H
#define TAM_HUB_LIST_CHAT_MODELS_H

#include "core/action_queue.h"
#include "core/answer.h"
#include "core/random.h"
#include "hub/list_params.h"
#include "net/net.h"
#include "net/token.h"

// The name of the operation in its messages.
#define TAM_LIST_ACTION "listChatModels"

// What the operation works with; everything outlives it.
typedef struct tam_list_host {
  const tam_mem *mem;
  tam_action_queue *queue;
  tam_net *net;
  tam_random *random;
  tam_span hub_url;       // without a trailing slash
  const tam_token *token; // of whoever is logged in
} tam_list_host;

typedef struct tam_list_request {
  uint32_t op;             // number given by the host
  tam_envelope envelope;   // whom to answer, copied
  uint32_t flags;          // TAM_COMMAND_FLAG_*
  tam_list_params *params; // moved into the operation, also on failure
} tam_list_request;

typedef struct tam_list_op tam_list_op;

// Creates and starts an operation. Stores it into |*pop|. Errors:
// OUT_OF_MEMORY, BUSY, TOO_LARGE (the parameters make no address): nothing was
// started and nothing will be said.
int tam_list_op_new(tam_list_op **pop, const tam_list_host *host,
                    const tam_list_request *request, double now_ms);

// Frees |op|; its requests are dropped and aborted.
void tam_list_op_del(tam_list_op *op);

// Takes in bytes of the supplied rows, and their end. Errors: INVALID_STATE.
int tam_list_op_feed_rows(tam_list_op *op, tam_span rows, double now_ms);
int tam_list_op_end_rows(tam_list_op *op, double now_ms);

// Takes in a report of the request pool.
void tam_list_op_on_report(tam_list_op *op, const tam_net_report *report,
                           double now_ms);

// Ends the operation with "cancelled": aborts and last message at once.
void tam_list_op_cancel(tam_list_op *op, double now_ms);

// Sends progress that is due.
void tam_list_op_advance(tam_list_op *op, double now_ms);

// Returns when advance has something to do, ms since the epoch, or -1.
double tam_list_op_deadline(const tam_list_op *op);

// Returns 1 when the terminal message is out.
int tam_list_op_is_ended(const tam_list_op *op);

uint32_t tam_list_op_number(const tam_list_op *op);

// Returns the caller's id as JSON text.
tam_span tam_list_op_id(const tam_list_op *op);

// Completes |failure| by whether the same request may succeed later, and what
// the user can do.
void tam_list_find_remedy(tam_failure *failure);

// Queues the terminal error of a request that never became an operation.
// Errors: OUT_OF_MEMORY.
int tam_list_refuse(const tam_list_host *host, const tam_list_request *request,
                    int error, tam_span message, double now_ms);

#endif // TAM_HUB_LIST_CHAT_MODELS_H
