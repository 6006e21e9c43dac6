// SPDX-License-Identifier: Apache-2.0
// A host with stored files, a tokenizer and a network, all made up: it carries
// out what the chat orders until nothing is left to do, so that whole
// operations run in one call. It keeps caches of its own: which tokens each row
// holds. Every run is held to them: cache, masks, positions, what is kept. The
// logits depend on all tokens so far, so that an answer is right only when they
// all were there; chat_host_logits tells them to whoever wants to know. Knobs
// decide which answers fail, or are none. fake_host.h holds the manager to its
// promises meanwhile.
#ifndef TAM_TRACE_CHAT_HOST_H
#define TAM_TRACE_CHAT_HOST_H

#include "fake_host.h"

#include "core/buf.h"

#define CHAT_HOST_MODEL  "owner/name"
#define CHAT_HOST_COMMIT "00112233445566778899aabbccddeeff00112233"

// A token is a byte, or one of these.
enum {
  CHAT_BOS = 256,
  CHAT_EOS,
  CHAT_THINK,
  CHAT_THINK_END,
  CHAT_ANSWER, // stands behind what a user says
  CHAT_PAD,
  CHAT_VOCAB
};

// The most tokens of a row.
#define CHAT_TOKENS_MAX 2048

// The conventions of graphs.
typedef enum chat_kind {
  CHAT_LLAMA = 0,
  CHAT_HALF,      // float16, ids of 32 bits, one cache for a layer
  CHAT_CONV,      // a state that cannot be cut
  CHAT_ENCODER,   // encoder and merged decoder
  CHAT_EMBEDDING, // ids become vectors in a graph of their own
  CHAT_SINGLE,    // one row, one token at a time
  CHAT_KIND_COUNT
} chat_kind;

typedef enum chat_webgpu {
  CHAT_WEBGPU_NONE = 0,
  CHAT_WEBGPU_GOOD,
  CHAT_WEBGPU_FAILS, // no session can be made
  CHAT_WEBGPU_FLAT   // all logits are the same
} chat_webgpu;

// What an answer can be instead of the right one.
typedef enum chat_lie {
  CHAT_LIE_NONE = 0,
  CHAT_LIE_NOT_JSON,
  CHAT_LIE_EMPTY,
  CHAT_LIE_ARRAY,
  CHAT_LIE_WRONG_TYPES, // the members are there, and of other types
  CHAT_LIE_NEGATIVE,
  CHAT_LIE_HUGE,
  CHAT_LIE_NO_DATA,
  CHAT_LIE_DATA_TWICE,
  CHAT_LIE_SHORT_DATA,
  CHAT_LIE_LONG_DATA,
  CHAT_LIE_NOISE, // the data has the right length
  CHAT_LIE_NAN,
  CHAT_LIE_FLAT,
  CHAT_LIE_ROW,
  CHAT_LIE_PROGRESS,   // nobody asked for it
  CHAT_LIE_STRAY_DATA, // data where there is none
  CHAT_LIE_COUNT
} chat_lie;

typedef struct chat_file {
  char path[64];
  uint8_t *bytes;
  size_t size;
} chat_file;

// Something that the runtime holds.
typedef struct chat_thing {
  uint32_t request;
  fake_made kind;
  chat_file file;  // of a file
  int is_owned;    // its bytes are the thing's own
  size_t session;  // its place in the model
  int is_webgpu;   // the session runs there
  int32_t *tokens; // of a cache: rows of CHAT_TOKENS_MAX
  size_t rows;
  size_t len;      // of each row
  int32_t *source; // that the encoder has read
  size_t source_len;
  int has_source;
  int32_t *vectors; // tokens that were embedded
  size_t vectors_len;
} chat_thing;

typedef struct chat_order {
  uint32_t request;
  uint32_t op;
  char *text;
  size_t text_len;
  uint8_t *bytes;
  size_t bytes_len;
} chat_order;

// The last word of an operation.
typedef struct chat_end {
  uint32_t op;
  char *text;
} chat_end;

typedef struct chat_host chat_host;

// Is called before the event |strike_at|, counted from 1.
typedef void (*chat_host_strike)(chat_host *host);

struct chat_host {
  fake_host host;

  // Knobs.
  chat_kind kind;
  chat_webgpu webgpu;
  int has_no_template;
  uint32_t seed;         // of the logits
  const int32_t *script; // what the model wants to answer; NULL: anything
  size_t script_len;
  int has_no_f16;        // of WebGPU
  int threads;           // of WebAssembly; 0: it has none
  int threads_fail;      // no session can be made with them
  const char *devices;   // what the store keeps of failures; NULL: nothing
  const char *settings;  // the object of all models' settings; NULL: none
  const char *manifest;  // TabAgent's about the model; NULL: none
  size_t piece;          // bytes of a DATA of files and tokens; 0: all
  unsigned fail_order;   // the order, counted from 1, that fails
  const char *fail_text; // those that have this in them fail; NULL: none
  const char *fail_words;
  int fail_all; // and all behind it
  chat_lie lie; // the answer to the order |lie_order|
  unsigned lie_order;
  size_t strike_at;
  chat_host_strike strike;
  int is_late;       // what was dropped is reported all the same
  int is_hostile;    // others feed events, too: orders need not make sense
  double latency_ms; // passes before each answer

  // What there is.
  chat_file files[8];
  size_t file_count;
  chat_thing *things;
  size_t thing_count;
  chat_order *orders;
  size_t order_count;
  const chat_order *present; // that is being answered

  // What happened.
  char *patch;       // the latest that was handed in to the store, or NULL
  int is_forgiven;   // one failed that an operation can do without
  char *status;      // the latest noteLoad, or NULL
  unsigned done;     // orders that were answered
  size_t events;     // of the runtime
  unsigned runs;     // of the decoder
  size_t run_tokens; // that went through the decoder, of all rows
  uint32_t last_op;
  char *last; // the latest terminal message
  char *progress;
  size_t progress_count;
  tam_buf said;    // what all heard, a line for each message
  tam_buf content; // parts of the answer since the last start
  tam_buf reasoning;
  double percent; // of the load |percent_of|, as said last
  uint32_t percent_of;
  chat_end *ends;
  size_t end_count;
  int is_gone; // the manager was deleted
  tam_mem mem; // of the host itself
};

// Makes a host whose model is of |kind|. Set other knobs afterwards; |heap| of
// the inner host before.
int chat_host_init(chat_host *host, chat_kind kind);

// Deletes it all. What runs comes to its end first.
void chat_host_free(chat_host *host);

// Deletes the manager in the midst of things.
void chat_host_dispose(chat_host *host);

// Writes the files of the model.
void chat_host_put_files(chat_host *host);

// Replaces a stored file, or adds one. Things made of it before are gone.
void chat_host_set_file(chat_host *host, const char *path, tam_span bytes);

// Starts the operation of |message|; |chat| (NULL: none) is the text of the
// request. Returns its number.
uint32_t chat_host_start(chat_host *host, const char *message,
                         const char *chat);

// The same for the command alone, and for a piece of the text; with |bytes|
// NULL the text is complete. Return what the manager returned.
int chat_host_command(chat_host *host, const char *message, uint32_t flags);
int chat_host_text(chat_host *host, uint32_t op, const char *bytes, size_t len);

// Answers one order. Returns 0 when there is none.
int chat_host_step(chat_host *host);

// Answers all of them.
void chat_host_run(chat_host *host);

// Starts an operation and lets it come to its end. Returns the terminal
// message, which is valid until the next one.
const char *chat_host_do(chat_host *host, const char *message,
                         const char *chat);

// Returns the terminal message of |op|, or NULL.
const char *chat_host_end_of(const chat_host *host, uint32_t op);

void chat_host_cancel(chat_host *host, uint32_t op);

// What the model says after |count| tokens; |source| is what its encoder read.
void chat_host_logits(const chat_host *host, tam_span source,
                      const int32_t *tokens, size_t count, float *logits);

// Writes the tokens of a chat as the template has it, {role, content} pairs, or
// of a text alone, which begins with a quotation mark.
// Returns how many; there is room for |max|.
size_t chat_host_render(const char *messages, int32_t *tokens, size_t max);

// The text of |tokens|, as a whole; the caller frees it.
char *chat_host_decode(const int32_t *tokens, size_t count, int with_special);

#endif // TAM_TRACE_CHAT_HOST_H
