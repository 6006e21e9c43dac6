// SPDX-License-Identifier: Apache-2.0
// A list of pieces of text, each of a kind, in the order in which they came.
#ifndef TAM_CHAT_TEXT_PARTS_H
#define TAM_CHAT_TEXT_PARTS_H

#include "core/buf.h"

typedef enum tam_text_kind {
  TAM_TEXT_CONTENT = 0,
  TAM_TEXT_REASONING,
  TAM_TEXT_TOOL // a call of a tool, for chat/tool_calls.h
} tam_text_kind;

typedef struct tam_text_part {
  uint32_t kind;
  uint32_t len;
} tam_text_part;

typedef struct tam_text_parts {
  tam_buf text; // of all parts
  tam_buf list; // of tam_text_part
} tam_text_parts;

// Makes |parts| empty. |mem| is kept; |max| bytes of text is the most.
void tam_text_parts_init(tam_text_parts *parts, const tam_mem *mem, size_t max);

void tam_text_parts_free(tam_text_parts *parts);

// Forgets the parts, keeps the memory.
void tam_text_parts_reset(tam_text_parts *parts);

// Adds |text|; to the last part, when that is of the same |kind|. An error
// shows in the buffers.
void tam_text_parts_add(tam_text_parts *parts, tam_text_kind kind,
                        tam_span text);

// Returns the number of parts; none is empty.
size_t tam_text_parts_count(const tam_text_parts *parts);

// Returns the text of part |index|, valid until the next change, and stores its
// kind into |*pkind|.
tam_span tam_text_parts_at(const tam_text_parts *parts, size_t index,
                           tam_text_kind *pkind);

// Returns 0, TOO_LARGE or OUT_OF_MEMORY.
int tam_text_parts_error(const tam_text_parts *parts);

#endif // TAM_CHAT_TEXT_PARTS_H
