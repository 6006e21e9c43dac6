// SPDX-License-Identifier: Apache-2.0
// Finds the first of several stop strings in text that comes in pieces. Text is
// held back only as long as it could be the beginning of one.
#ifndef TAM_CHAT_STOP_STRINGS_H
#define TAM_CHAT_STOP_STRINGS_H

#include "core/buf.h"

// What OpenAI's interface allows is 4; more cost nothing.
#define TAM_STOP_STRINGS_MAX 64

// The longest stop string in bytes: so much text may be held back.
#define TAM_STOP_STRING_LEN_MAX 1024

typedef struct tam_stop_strings {
  tam_buf texts; // all of them, one behind the other
  tam_buf held;  // the end of the text, when it could begin a stop string
  size_t count;
  uint16_t len[TAM_STOP_STRINGS_MAX];
  uint16_t seen[TAM_STOP_STRINGS_MAX]; // so much of it the text ends with
  int is_found;                        // one of them is complete
} tam_stop_strings;

// Makes |stops| empty. |mem| is kept.
void tam_stop_strings_init(tam_stop_strings *stops, const tam_mem *mem);

void tam_stop_strings_free(tam_stop_strings *stops);

// Adds |text|, UTF-8, which is copied; an empty one is ignored. Legal before
// the first push. Errors: TOO_LARGE (too many, or it is too long),
// OUT_OF_MEMORY.
int tam_stop_strings_add(tam_stop_strings *stops, tam_span text);

// Appends to |out| what |piece| adds to the text that is safe to show. Returns
// 1 when a stop string is complete: what |out| has then ends before it, and
// everything after it is ignored. That is the stop string that ends first; of
// those that end together, the longest. Else returns 0, or OUT_OF_MEMORY.
int tam_stop_strings_push(tam_stop_strings *stops, tam_span piece,
                          tam_buf *out);

// Appends what is held back: what comes now, if anything, does not continue it.
void tam_stop_strings_end(tam_stop_strings *stops, tam_buf *out);

#endif // TAM_CHAT_STOP_STRINGS_H
