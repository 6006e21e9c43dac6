// SPDX-License-Identifier: Apache-2.0
// Orders to the runtime of the host: stored files, the tokenizer, and sessions
// of ONNX Runtime. Every order ends with one report, END or FAILED. What an
// order makes (a file, a tokenizer, a session, a cache) has the number of the
// order and lives until it is dropped.
//
// The host gets each as JSON in a RUNTIME action, with bytes behind it:
//
//   {"do":"download","modelId","dtype","revision","threads":n,"onlyCached"}
//                         stores a model, or with onlyCached finds out whether
//                         it is stored; PROGRESS, then the result of the
//                         store's download. Sessions will want n threads
//   {"do":"open","modelId","commit","path"}   makes a file of a stored one;
//                         {"bytes":n}
//   {"do":"splice","file":n,"pieces":[from,to,count, ...]}  makes a file of
//                         pieces: each is bytes from..to of file n, then the
//                         next count of the bytes behind the order
//   {"do":"read","file":n,"from":a,"to":b}    DATA; of graphs in one piece
//   {"do":"tokenizer","files":{name:n,...}}   makes a tokenizer; DATA: a line
//                         "id text" for each token that is no text; its facts:
//                         {"tokenizerClass","maxLength","cleansUp" as in its
//                         configuration, "templates":[names; a template in a
//                         file of its own has the name of the file],
//                         "partTemplates":[those that show a content that is a
//                         list of parts, and none that is a text],"bosId",
//                         "eosId","padId","unkId"}
//   {"do":"render","tokenizer":n,"template":name,"messages":[...],
//    "tools":bool}        with the tools of the request or without; DATA: the
//    tokens of the rendered chat, 32 bits each
//   {"do":"encode","tokenizer":n,"text":t,"special":bool}  DATA likewise; with
//                         the tokens that the tokenizer puts around it
//   {"do":"decode","tokenizer":n,"ids":[...],"special":bool}  DATA: the text,
//                         with tokens that are no text or without
//   {"do":"ask","action":a,"params":{...},"rows":[...]}  sends a request to
//                         the store, with rows when it takes some; the terminal
//                         message
//   {"do":"device"}       {"webgpu":{"features":[...],"driver":d} or null,
//                         "isolated":bool,"cores":n,"software":versions}
//   {"do":"rest","threads":n}  gives back the memory of everything that was
//                         dropped, as far as that is possible: nothing is made,
//                         and sessions will want n threads
//   {"do":"session","graph":n,"external":[{"path","file":n},...],
//    "providers":[...],"threads":n,"outputs":location}  makes a session whose
//                         outputs stay where it says, if it says so; PROGRESS
//                         when weights are read;
//                         {"inputs":[...],"outputs":[...]}
//   {"do":"cache","tensors":[{"name","type","dims"},...]}  makes a cache of
//                         tensors, by the input that takes them
//   {"do":"run","session":n,"cache":n,"feeds":[{"name","type","dims","at",
//    "bytes"},...],"keep":{output:input,...},"take":output|null}  runs with the
//                         tensors of the cache that it has inputs for and with
//                         feeds from behind the order; kept outputs replace
//                         those of the cache; DATA: the last position of each
//                         row of the output that is taken, |status| the row
//   {"do":"cut","cache":n,"to":length,"axes":{input:axis,...}}
//   {"do":"gather","cache":n,"rows":[...],"axes":{input:axis,...}}
#ifndef TAM_CHAT_RUNTIME_H
#define TAM_CHAT_RUNTIME_H

#include "core/action_queue.h"
#include "core/json_write.h"

// Orders have numbers above this one.
#define TAM_RUNTIME_ID_MIN 0xbfffffffU

typedef struct tam_runtime tam_runtime;

typedef enum tam_runtime_report_kind {
  TAM_RUNTIME_NOTHING = 0,
  TAM_RUNTIME_DATA,
  TAM_RUNTIME_PROGRESS,
  TAM_RUNTIME_END,
  TAM_RUNTIME_FAILED
} tam_runtime_report_kind;

// Valid until the next call with the runtime. The bytes of |data| may be
// changed by whoever gets them.
typedef struct tam_runtime_report {
  tam_runtime_report_kind kind;
  uint32_t op;
  uint32_t request;
  uint32_t row;  // DATA
  tam_span data; // FAILED: what the platform said
  int error;     // FAILED
} tam_runtime_report;

// Creates the runtime; actions go to |queue|, which outlives it.
int tam_runtime_new(tam_runtime **pruntime, tam_action_queue *queue,
                    const tam_mem *mem);
void tam_runtime_del(tam_runtime *runtime);

// Begins the order |verb| and returns its text, to which the caller adds
// members. One order at a time.
tam_buf *tam_runtime_begin(tam_runtime *runtime, const char *verb);

// Submits the order that was begun, with |bytes| behind it, for |op|. Returns
// its number, or 0 when memory is short. With make, what the order makes has
// that number and lives on.
uint32_t tam_runtime_submit(tam_runtime *runtime, uint32_t op, tam_span bytes);
uint32_t tam_runtime_make(tam_runtime *runtime, uint32_t op, tam_span bytes);

// Makes what |request| made outlive its operation.
void tam_runtime_keep(tam_runtime *runtime, uint32_t request);

// Ends |request| without a report, or releases what it made; 0 names none.
void tam_runtime_drop(tam_runtime *runtime, uint32_t request);

// Drops every order of |op| and what they made, but for what is kept.
void tam_runtime_close_op(tam_runtime *runtime, uint32_t op);

// Takes in a RUNTIME event. Stores what the owner has to know into |*preport|,
// NOTHING when nothing: events of dropped orders race with ABORT. Errors:
// INVALID_STATE (the order has ended).
int tam_runtime_feed(tam_runtime *runtime, const tam_event *event,
                     tam_runtime_report *preport);

#endif // TAM_CHAT_RUNTIME_H
