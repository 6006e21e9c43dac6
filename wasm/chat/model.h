// SPDX-License-Identifier: Apache-2.0
// A loaded model: its sessions, its tokenizer, and what its cache holds.
#ifndef TAM_CHAT_MODEL_H
#define TAM_CHAT_MODEL_H

#include "chat/chat.h"
#include "chat/model_config.h"
#include "chat/runtime.h"
#include "chat/session_plan.h"

// Encoder, embedding and decoder.
#define TAM_CHAT_SESSIONS_MAX 3

// The context of a model that does not say how long it is.
#define TAM_CHAT_CONTEXT_DEFAULT 2048U

// The longest context of a model, in tokens.
#define TAM_CHAT_CONTEXT_MAX (1U << 20)

typedef enum tam_device {
  TAM_DEVICE_AUTO = 0,
  TAM_DEVICE_WEBGPU,
  TAM_DEVICE_WASM
} tam_device;

typedef struct tam_chat_session {
  tam_session_role role;
  uint32_t session;
  tam_session_plan *plan;
} tam_chat_session;

typedef struct tam_chat_model {
  const tam_mem *mem;
  tam_buf id;       // as the Hub knows it
  tam_buf asked_id; // as the caller spelled it
  tam_buf commit;
  tam_buf revision; // as the caller named it; empty: main
  tam_buf dtype;
  tam_buf asked_dtype; // as the caller spelled it; empty: any would do
  tam_buf task;
  tam_buf provider;
  tam_buf warning;
  tam_device device;
  unsigned threads; // of WebAssembly
  tam_model_config config;
  tam_model_ids ids;
  tam_buf generation_config; // its text, empty when there is none
  uint32_t context_length;

  uint32_t tokenizer;
  int cleans_up;     // blanks before punctuation, as words are put together
  tam_buf special;   // int32_t: ids that are no text, ascending
  tam_buf tags;      // of each of them: see tam_reasoning_tag_of
  tam_buf templates; // names, each with a NUL behind
  tam_buf part_templates; // those that want contents as lists of parts

  tam_chat_session sessions[TAM_CHAT_SESSIONS_MAX];
  size_t session_count;
  uint32_t vocab; // entries of a row of logits
  tam_buf wide;   // float: a row of logits that came as halves

  uint32_t cache;  // of the runtime, 0: none
  tam_buf cached;  // int32_t: the tokens that it holds
  tam_buf chat_id; // whose they are
} tam_chat_model;

// Returns an empty model, or NULL.
tam_chat_model *tam_chat_model_new(const tam_mem *mem);

// Frees |model| and releases what the runtime holds of it; NULL is allowed.
void tam_chat_model_del(tam_chat_model *model, tam_chat *chat);

// Takes what the runtime says about the tokenizer. Errors: those of the JSON
// reader, OUT_OF_MEMORY.
int tam_chat_model_take_tokenizer(tam_chat_model *model, tam_span facts);

// Takes tokens that are no text, in ascending order: "id text" lines.
int tam_chat_model_take_special(tam_chat_model *model, tam_span lines);

// Returns 1 when |id| is a token that is no text; |*ptag| is then what
// tam_reasoning_tag_of says of it.
int tam_chat_model_special(const tam_chat_model *model, int32_t id, int *ptag);

// Returns the name of the chat template for a chat: that for tools when it is
// |with_tools|, else that in a file of its own, which newer repositories have,
// else "default".
tam_span tam_chat_model_template(const tam_chat_model *model, int with_tools);

// Returns 1 when the template |name| takes contents as lists of parts only.
int tam_chat_model_template_wants_parts(const tam_chat_model *model,
                                        tam_span name);

// Takes what the runtime says about session |place|: which input means what.
// Errors: UNSUPPORTED_GRAPH, |why| says of which; those of the JSON reader.
int tam_chat_model_plan(tam_chat_model *model, size_t place, tam_span metadata,
                        tam_buf *why);

// Returns the dtype as the caller spelled it: panels compare.
tam_span tam_chat_model_said_dtype(const tam_chat_model *model);

// Returns a token that the model has.
int32_t tam_chat_model_any_token(const tam_chat_model *model);

// Returns 1 when an encoder reads the text first.
int tam_chat_model_has_encoder(const tam_chat_model *model);

// Releases the cache.
void tam_chat_model_drop_cache(tam_chat_model *model, tam_chat *chat);

#endif // TAM_CHAT_MODEL_H
