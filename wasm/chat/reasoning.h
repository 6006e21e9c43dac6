// SPDX-License-Identifier: Apache-2.0
// Splits the text of an answer, which comes in pieces, into content, reasoning
// and calls of tools. The tags between them are not shown, and neither are the
// blanks directly behind a tag of reasoning.
//
// As plain text an opening tag of reasoning counts at the beginning of the
// answer or of a line: in the middle of a line it is prose about tags.
#ifndef TAM_CHAT_REASONING_H
#define TAM_CHAT_REASONING_H

#include "chat/text_parts.h"

// The longest tag in bytes.
#define TAM_REASONING_TAG_MAX 32

// The longest header of a message within an answer; what is longer is cut.
#define TAM_REASONING_HEADER_MAX 128

typedef struct tam_reasoning {
  uint8_t state;
  uint8_t pair;          // of tags, in which the text is
  uint8_t with_tools;    // text tags of calls count
  uint8_t is_token;      // what is held came as a tag
  uint8_t at_line_start; // only blanks came since the last line feed
  uint8_t skips_blanks;  // behind a tag
  uint8_t held_len;
  uint8_t header_len;
  uint8_t held[TAM_REASONING_TAG_MAX]; // what could be the beginning of a tag
  uint8_t header[TAM_REASONING_HEADER_MAX];
} tam_reasoning;

// Makes |reasoning| ready for an answer. |opened| is what
// tam_reasoning_opened_by said of the prompt. With |with_tools| tags of calls
// count also when they are plain text.
void tam_reasoning_init(tam_reasoning *reasoning, int opened, int with_tools);

// Returns the number, above 0, of the tag that |prompt| (or the end of it) has
// opened for the answer, or 0.
int tam_reasoning_opened_by(tam_span prompt);

// Adds what |piece| says to |parts|. A call is a part with its tags.
void tam_reasoning_push(tam_reasoning *reasoning, tam_span piece,
                        tam_text_parts *parts);

// Says that a special token came that stands for |tag|. It is not shown,
// whether it counts here or not.
void tam_reasoning_push_tag(tam_reasoning *reasoning, int tag,
                            tam_text_parts *parts);

// Adds what is held back: the text is complete.
void tam_reasoning_end(tam_reasoning *reasoning, tam_text_parts *parts);

// Returns the number, above 0, of the tag that a special token with the text
// |text| stands for, or 0 when it is none.
int tam_reasoning_tag_of(tam_span text);

#endif // TAM_CHAT_REASONING_H
