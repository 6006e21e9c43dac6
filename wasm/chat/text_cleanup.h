// SPDX-License-Identifier: Apache-2.0
// Takes the blanks away that tokenizers of words leave before punctuation and
// contractions ("do n't ." becomes "don't."), in text that comes in pieces.
// Joined, the pieces are what clean_up_tokenization_spaces makes of the whole.
#ifndef TAM_CHAT_TEXT_CLEANUP_H
#define TAM_CHAT_TEXT_CLEANUP_H

#include "core/buf.h"

#define TAM_TEXT_CLEANUP_RULES 10

typedef struct tam_text_cleanup {
  // How much of the pattern of each rule was seen and is held back.
  uint8_t seen[TAM_TEXT_CLEANUP_RULES];
} tam_text_cleanup;

// Makes |cleanup| ready for a text.
void tam_text_cleanup_init(tam_text_cleanup *cleanup);

// Appends to |out| what |piece| adds to the clean text. At most the beginning
// of a pattern (" n", say) is held back.
void tam_text_cleanup_push(tam_text_cleanup *cleanup, tam_span piece,
                           tam_buf *out);

// Appends what is still held back: the text is complete.
void tam_text_cleanup_end(tam_text_cleanup *cleanup, tam_buf *out);

#endif // TAM_CHAT_TEXT_CLEANUP_H
