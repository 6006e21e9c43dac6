// SPDX-License-Identifier: Apache-2.0
// The messages of a chat on their way into the template: read from JSON in any
// pieces, completed by a system prompt, and shortened when they are more than
// the model can see. Messages are never decoded: what is written is the raw
// text that came, so U+0000 and lone surrogates survive.
//
//     tam_prompt_feed(prompt, piece); ...
//     error = tam_prompt_end(prompt, &setup);
//     do {
//       tam_prompt_write(prompt, json);
//       tokens = length of the template's text in tokens;
//     } while ((error = tam_prompt_fit(prompt, tokens, limit)) > 0);
#ifndef TAM_CHAT_PROMPT_H
#define TAM_CHAT_PROMPT_H

#include "chat/content_parts.h"

// The longest text of a chat in bytes: some two million tokens.
#define TAM_PROMPT_BYTES_MAX (8U << 20)

// The most messages; the bookkeeping of so many takes 1.5 MB.
#define TAM_PROMPT_MESSAGES_MAX 16384

// What happens to a chat that is too long.
typedef enum tam_prompt_policy {
  TAM_PROMPT_ERROR = 0,   // it is refused
  TAM_PROMPT_DROP_OLDEST, // the oldest turns go
  TAM_PROMPT_MIDDLE_OUT   // the turns in the middle go, the first at last
} tam_prompt_policy;

// Names of the policies, for tam_names_find.
#define TAM_PROMPT_POLICIES "error\0dropOldest\0middleOut\0"

typedef struct tam_prompt_setup {
  tam_span system;  // the system prompt of the settings, may be empty
  int with_default; // the product's own one stands in for an empty one
  int json;         // JSON mode: says so behind any system prompt
  tam_prompt_policy policy;
  int with_parts; // the template wants contents as lists of parts
} tam_prompt_setup;

typedef struct tam_prompt {
  tam_buf text;      // as it came
  tam_buf list;      // of messages
  tam_buf rewritten; // contents that replace those in |text|
  tam_buf system;    // the message that is added, or empty
  tam_prompt_policy policy;
  size_t units;   // turns; the last one is never dropped
  size_t dropped; // of them
  size_t too_few; // the prompt was too long with so many dropped
  size_t enough;  // the prompt fitted with so many dropped
  size_t rounds;  // counts of tokens that have not decided yet
  int is_json;
  int with_parts;
  // What a person is told after INVALID_PARAMS: "messages[", the index, "] "
  // and the problem. Where |has_flaw|, ".content[" and the part stand before
  // it.
  const char *problem;
  size_t problem_index;
  int has_flaw;
  tam_content_flaw flaw; // what is no text
} tam_prompt;

// Makes |prompt| empty. |mem| is kept.
void tam_prompt_init(tam_prompt *prompt, const tam_mem *mem);

void tam_prompt_free(tam_prompt *prompt);

// Adds the next piece of the JSON: a list of messages, one message, or a
// string, which is what a user says. Errors: TOO_LARGE, OUT_OF_MEMORY.
int tam_prompt_feed(tam_prompt *prompt, tam_span piece);

// The JSON is complete. |setup| is not needed afterwards. Errors: JSON_SYNTAX,
// JSON_UTF8, JSON_DEPTH, JSON_TRUNCATED, INVALID_PARAMS (with |problem|),
// TOO_LARGE (messages), OUT_OF_MEMORY.
int tam_prompt_end(tam_prompt *prompt, const tam_prompt_setup *setup);

// Appends the messages that are not dropped to |json|, as a list. Legal after
// end. Errors show in |json|.
void tam_prompt_write(const tam_prompt *prompt, tam_buf *json);

// Returns the text of the last message, as a string of JSON; nothing when it is
// no text. Legal after end.
tam_span tam_prompt_last_text(const tam_prompt *prompt);

// Returns the number of messages, that of the system prompt that was added
// included.
size_t tam_prompt_messages(const tam_prompt *prompt);

// Says that what was written last makes |tokens| tokens, of which at most
// |limit| fit. Returns 0 when that is the prompt: it fits, and with one turn
// more it would not. Returns 1 when it has to be written and counted again, or
// CONTEXT_OVERFLOW: nothing else may be dropped. It takes tokens for as many as
// the bytes would give, so that a few rounds do; asked again and again it comes
// to an end after log2(turns) rounds more.
int tam_prompt_fit(tam_prompt *prompt, size_t tokens, size_t limit);

// Returns the number of messages that are dropped.
size_t tam_prompt_dropped(const tam_prompt *prompt);

#endif // TAM_CHAT_PROMPT_H
