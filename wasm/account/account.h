// SPDX-License-Identifier: Apache-2.0
// Who is logged in at the Hub: asks it whose a token is, and keeps the token
// for the requests of others, in memory only.
//
// There is one login at a time: another one, and a logout, ends it with
// "cancelled". What went wrong keeps who was logged in before.
#ifndef TAM_ACCOUNT_ACCOUNT_H
#define TAM_ACCOUNT_ACCOUNT_H

#include "core/action_queue.h"
#include "core/answer.h"
#include "core/json_tree.h"
#include "net/net.h"
#include "net/token.h"

// What the account works with; everything outlives it.
typedef struct tam_account_host {
  const tam_mem *mem;
  tam_action_queue *queue;
  tam_net *net;
  tam_token *token; // kept here, read by others
  tam_span hub_url; // without a trailing slash
} tam_account_host;

typedef enum tam_account_verb {
  TAM_ACCOUNT_NONE = 0,
  // {token, check, name, role}: asks the Hub whose the token is, and keeps it
  // when it is good: {name, role}, null where the Hub does not say. With check
  // false it is kept unasked, for whoever has asked before and says what came
  // of it.
  TAM_ACCOUNT_LOGIN,
  // Forgets the token. No request that goes out afterwards has it, also none of
  // operations that began before.
  TAM_ACCOUNT_LOGOUT,
  // {account: {name, role}}, as the login told, or {account: null}: nobody is
  // logged in. The Hub is not asked.
  TAM_ACCOUNT_WHO
} tam_account_verb;

// Returns the verb called |name|, or NONE.
tam_account_verb tam_account_find_verb(tam_span name);

// A request; everything in it is borrowed for the call.
typedef struct tam_account_request {
  uint32_t op;
  tam_envelope envelope;
  const tam_json_node *params;
  int params_are_nested; // they stand alone: what is unknown is wrong
  // The request that waits for a login, JSON; empty: none. It is asked for
  // (TAM_ACTION_REQUEST) once the token is kept.
  tam_span then;
} tam_account_request;

typedef struct tam_account tam_account;

// Creates the account. Errors: OUT_OF_MEMORY.
int tam_account_new(tam_account **paccount, const tam_account_host *host);

// Frees the account and forgets the token, without a word; NULL is allowed.
void tam_account_del(tam_account *account);

// Starts |verb|. Whatever happens, exactly one terminal message follows.
// Errors: OUT_OF_MEMORY, when not even that is possible.
int tam_account_start(tam_account *account, tam_account_verb verb,
                      const tam_account_request *request, double now_ms);

// Takes in a report of the request pool about the login that is under way.
void tam_account_on_net(tam_account *account, const tam_net_report *report,
                        double now_ms);

// Ends the login that is under way with "cancelled".
void tam_account_cancel(tam_account *account, double now_ms);

// Returns 1 when |op| is the login that is under way.
int tam_account_has_op(const tam_account *account, uint32_t op);

// Returns how many operations have not ended: 1 or 0.
size_t tam_account_busy(const tam_account *account);

#endif // TAM_ACCOUNT_ACCOUNT_H
