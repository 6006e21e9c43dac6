// SPDX-License-Identifier: Apache-2.0
// An answer that outlives the program: what is written down of it while it is
// made, and how it goes on.
//
// The head is what does not change: of which model, and the text of the chat,
// or once it is known the tokens that were made of it. The rest is what was
// chosen and said so far. Whoever goes on chooses the same tokens once more for
// their text, marks what was said before, and has the model run over all of
// them. Both are bytes of this program's own version; whoever keeps them
// looks after that, and that they are whole.
#ifndef TAM_CHAT_SAVED_ANSWER_H
#define TAM_CHAT_SAVED_ANSWER_H

#include "chat/decoding.h"
#include "chat/saved_settings.h"
#include "core/json_tree.h"

typedef struct tam_saved_answer {
  tam_buf bytes;  // what the spans point into
  int is_there;   // the answer goes on
  int has_tokens; // they are known; else the text is
  tam_span model; // parameters of its load as JSON; empty: none was loaded
  tam_span text;  // of the chat
  tam_span settings[TAM_SETTINGS_SCOPES]; // that were saved then
  tam_token_span tokens;                  // that the decoder began with
  tam_token_span source;                  // of the encoder
  uint8_t seed[16];
  uint32_t has_system;
  uint32_t is_json;
  uint32_t has_tools;
  uint32_t opened;
  uint32_t dropped; // messages

  uint32_t seq; // messages before this one were said
  tam_token_span chosen;
  tam_decoding_state state; // behind them
  double elapsed_ms;        // since the turn began
  double first_ms;          // likewise, to the first token
} tam_saved_answer;

void tam_saved_answer_init(tam_saved_answer *self, const tam_mem *mem);
void tam_saved_answer_free(tam_saved_answer *self);

// Reads copies of |head| and |rest|, which may be empty: nothing was chosen.
// Errors: INVALID_ARGUMENT (they are none), OUT_OF_MEMORY.
int tam_saved_answer_read(tam_saved_answer *self, tam_span head, tam_span rest);

// Append what |self| says to |head| and |rest|.
void tam_saved_answer_write_head(const tam_saved_answer *self, tam_buf *head);
void tam_saved_answer_write_rest(const tam_saved_answer *self, tam_buf *rest);

#endif // TAM_CHAT_SAVED_ANSWER_H
