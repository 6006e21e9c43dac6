// SPDX-License-Identifier: Apache-2.0
// The state of an operation that answers a chat, shared by its phases.
#ifndef TAM_CHAT_ANSWER_H
#define TAM_CHAT_ANSWER_H

#include "chat/chat_op.h"
#include "chat/decoding.h"
#include "chat/generation_params.h"
#include "chat/model.h"
#include "chat/prompt.h"
#include "chat/saved_answer.h"
#include "chat/text_stream.h"

// The longest text of an answer in bytes.
#define TAM_ANSWER_TEXT_MAX (UINT32_C(16) << 20)

// The texts of a sequence so far.
typedef struct tam_answer_texts {
  tam_buf content;
  tam_buf reasoning;
  tam_buf output; // everything but tags
  tam_buf tools;  // calls with their tags
} tam_answer_texts;

struct tam_chat_answer {
  tam_buf request;                           // JSON text of its parameters
  tam_span defaults;                         // static: see tam_chat_request
  tam_json_node *root;                       // the same, parsed
  const tam_json_node *params;               // inside |root|
  tam_json_node *saved[TAM_SETTINGS_SCOPES]; // settings, the widest scope first
  tam_buf saved_texts;                       // of which these were made
  size_t saved_len[TAM_SETTINGS_SCOPES];
  tam_generation_params settings;
  int has_settings;
  uint8_t seed[16]; // of what is drawn, unless a setting says another
  tam_prompt prompt;
  int has_prompt;
  int has_tools;
  int has_system;     // the prompt begins with that of the settings
  int is_json;        // the answer shall be JSON
  tam_buf chat_id;    // empty: none
  tam_buf message_id; // likewise

  tam_buf tokens;       // int32_t: those that the decoder begins with
  size_t rendered;      // bytes of all tokens of the prompt, kept or not
  tam_buf source;       // int32_t: those of the encoder; empty: there is none
  size_t reused_tokens; // of the prompt
  unsigned step;        // within a phase

  tam_saved_answer before; // what the answer goes on from, if it does
  size_t repeated;         // tokens from before the kill that have text again
  size_t restored; // tokens at the end of |tokens| that are the answer's

  tam_decoding *decoding;
  tam_buf fresh_tokens;  // int32_t: chosen since the last message
  size_t new_tokens;     // chosen altogether, of the first sequence
  size_t rows;           // of the cache
  uint32_t cache;        // in use; the model's unless |rows| differ
  size_t past;           // tokens that it holds
  uint32_t uncond_cache; // without the prompt, for guidance
  size_t uncond_past;

  int opened; // the tag that the prompt has opened, see chat/reasoning.h
  tam_text_stream stream;
  int has_stream;
  // One for each row, when there are several and their text may end them.
  tam_text_stream *row_streams;
  size_t row_stream_count;
  tam_answer_texts texts;
  tam_buf sequences; // JSON: all of them, when there are several
  size_t sequence;   // or row: of several, the one whose text is being made

  int is_stopping; // somebody wants it to end
  tam_end_reason reason;
  double first_ms; // when the first token was there; 0: not yet
  double last_ms;
};

// --- answer.c

// Returns the tokens of |buf|.
TAM_SPAN_INLINE const int32_t *tam_answer_ids(const tam_buf *buf) {
  return (const int32_t *)(const void *)buf->data;
}
TAM_SPAN_INLINE size_t tam_answer_count(const tam_buf *buf) {
  return buf->len / sizeof(int32_t);
}

// Appends |tokens| to |buf|.
TAM_SPAN_INLINE void tam_answer_append(tam_buf *buf, tam_token_span tokens) {
  tam_buf_append(buf, (tam_span){(const uint8_t *)tokens.ids,
                                 tokens.len * sizeof(*tokens.ids)});
}

// Sends the text and tokens of the answer since the last message.
int tam_answer_say(tam_chat_op *op);

// Sends a part without text: the answer goes on, though its model has to be
// loaded first.
int tam_answer_say_standing(tam_chat_op *op);

// Sends the tokens that have no text, such as the end token, when the answer is
// complete.
int tam_answer_say_rest(tam_chat_op *op);

// Makes the answer's stream ready for the text of a sequence. Errors: those of
// tam_text_stream_init.
int tam_answer_begin_text(tam_chat_op *op);

// Makes a stream ready for each row, when the text of a row may end it before
// the others. Without effect when the streams exist. Errors: as above.
int tam_answer_begin_rows(tam_chat_op *op);

// Adds the text of sequence |place| of several to the result; the first one is
// the answer. Errors: OUT_OF_MEMORY, TOO_LARGE.
int tam_answer_take_sequence(tam_chat_op *op, size_t place,
                             const tam_decoding_result *result);

// Hands a row of logits to the decoding; with |is_uncond|, that of the run
// without the prompt. Returns WAIT or an error.
int tam_answer_take_logits(tam_chat_op *op, const tam_runtime_report *report,
                           int is_uncond);

// Returns how many messages were left out of the prompt.
size_t tam_answer_dropped(const tam_chat_answer *answer);

// Returns tokens per second, not counting the first.
double tam_answer_rate(const tam_chat_answer *answer);

#endif // TAM_CHAT_ANSWER_H
