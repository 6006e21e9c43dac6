// SPDX-License-Identifier: Apache-2.0
// The chat: loads one model and answers with it. Requests take turns, first
// come, first served.
#ifndef TAM_CHAT_CHAT_H
#define TAM_CHAT_CHAT_H

#include "core/action_queue.h"
#include "core/answer.h"
#include "core/json_tree.h"
#include "core/random.h"
#include "net/token.h"

// The most loads and answers at a time, including those that wait.
#define TAM_CHAT_OPS_MAX 64

// What the chat works with; everything outlives it.
typedef struct tam_chat_host {
  const tam_mem *mem;
  tam_action_queue *queue;
  tam_random *random;     // of seeds that the caller does not give
  const tam_token *token; // of whoever is logged in
} tam_chat_host;

// A kind of request, found by its name. Static.
typedef struct tam_chat_verb tam_chat_verb;

// Returns the verb called |name|, or NULL.
const tam_chat_verb *tam_chat_find_verb(tam_span name);

// Returns the name of |verb|, which its messages have in every style.
const char *tam_chat_verb_name(const tam_chat_verb *verb);

// Returns 1 when a request of |verb| has a chat among its parameters: the first
// of TAM_CHAT_MEMBERS that is there.
int tam_chat_verb_has_chat(const tam_chat_verb *verb);
#define TAM_CHAT_MEMBERS "messages\0message\0input\0"

// A request; everything in it is borrowed for the call.
typedef struct tam_chat_request {
  uint32_t op;
  tam_envelope envelope;
  uint32_t flags; // TAM_COMMAND_FLAG_*
  const tam_json_node *params;
  int params_are_nested; // nothing else stands beside them: an unknown name is
                         // an error
  tam_span text;         // of the parameters, raw, without the chat
  tam_span chat;         // raw JSON; empty: none
  // A JSON object, static: settings that saved ones override. With it, a chat
  // without a system prompt gets our own, and a chat that is too long loses its
  // oldest turns.
  tam_span defaults;
  // What tam_chat_save_head and _rest have written of an answer that goes on
  // after a kill; empty otherwise.
  tam_span saved_head;
  tam_span saved_rest;
} tam_chat_request;

typedef enum tam_chat_state {
  TAM_CHAT_UNLOADED = 0,
  TAM_CHAT_LOADING,
  TAM_CHAT_READY,
  TAM_CHAT_GENERATING,
  TAM_CHAT_STATE_COUNT
} tam_chat_state;

// What the chat is doing, and with which model: the one that is being loaded,
// or else the one that is loaded. Valid until the next event.
typedef struct tam_chat_facts {
  tam_chat_state state;
  tam_span model; // as whoever loads it spells it; empty: none
  tam_span dtype; // likewise
} tam_chat_facts;

typedef struct tam_chat tam_chat;

// Creates the chat. Errors: OUT_OF_MEMORY.
int tam_chat_new(tam_chat **pchat, const tam_chat_host *host);

// Frees the chat and its operations, without a word; NULL is allowed.
void tam_chat_del(tam_chat *chat);

// Starts |verb|. Whatever happens, exactly one terminal message follows.
// Errors: OUT_OF_MEMORY, when not even that is possible.
int tam_chat_start(tam_chat *chat, const tam_chat_verb *verb,
                   const tam_chat_request *request, double now_ms);

// Takes in an event of the runtime, or CANCEL, LISTING_DATA (the text of the
// request: see chat/prompt.h) and LISTING_END of an operation of the chat.
// Errors: INVALID_STATE.
int tam_chat_feed(tam_chat *chat, const tam_event *event, double now_ms);

// Does what is due at this time, and frees operations that have ended.
void tam_chat_advance(tam_chat *chat, double now_ms);

// Returns the time at which advance is due, or -1.
double tam_chat_deadline(const tam_chat *chat);

// Returns 1 when |op| is an operation of the chat that has not ended.
int tam_chat_has_op(const tam_chat *chat, uint32_t op);

// Returns 1 when an operation that has not ended is known to its caller as
// |id|, JSON text.
int tam_chat_has_id(const tam_chat *chat, tam_span id);

// Returns how many operations have not ended.
size_t tam_chat_busy(const tam_chat *chat);

tam_chat_facts tam_chat_get_facts(const tam_chat *chat);

// Releases the model until the next request for an answer, which loads it
// again. Legal when a model is loaded and nothing runs.
void tam_chat_unload(tam_chat *chat);

// A model as the caller of a load named it. Empty texts: no certain one.
typedef struct tam_chat_wanted {
  tam_span model; // the id of its repository
  tam_span dtype;
  tam_span revision;
} tam_chat_wanted;

// Has the next request for an answer load what is wanted, which another life of
// the program had. Ignored when a model is loaded or something runs, and when
// the model's is no id of a repository.
void tam_chat_expect(tam_chat *chat, const tam_chat_wanted *wanted);

// Returns 1 when |model|, as the caller spells it, is loaded in |dtype|. Empty
// texts stand for any model and any dtype.
int tam_chat_is_loaded(const tam_chat *chat, tam_span model, tam_span dtype);

// ---------------------------------------------------------------------------
// Answers that outlive the program (chat/saved_answer.h)

// Returns a number that grows whenever what tam_chat_save_head writes of the
// answer |op| has changed; 0: the answer cannot go on after a kill yet.
unsigned tam_chat_saved_stage(const tam_chat *chat, uint32_t op);

// Append what is stored of the answer |op|: the head, which seldom changes, and
// the rest, which is stored before every message. Errors show in the buffer.
void tam_chat_save_head(const tam_chat *chat, uint32_t op, tam_buf *head);
void tam_chat_save_rest(const tam_chat *chat, uint32_t op, tam_buf *rest);

// Returns the number of the next message of the answer |op|, all of the others
// being in what save_rest writes.
uint32_t tam_chat_saved_seq(const tam_chat *chat, uint32_t op);

// Returns 1 when the answer |op| has said something that no life of the program
// said before.
int tam_chat_has_gone_on(const tam_chat *chat, uint32_t op);

#endif // TAM_CHAT_CHAT_H
