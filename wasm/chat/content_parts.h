// SPDX-License-Identifier: Apache-2.0
// A content that is a list of parts, as OpenAI's interface has it. A model that
// reads text gets one text.
#ifndef TAM_CHAT_CONTENT_PARTS_H
#define TAM_CHAT_CONTENT_PARTS_H

#include "core/buf.h"

// The first part that is no text.
typedef struct tam_content_flaw {
  size_t index;  // of the part, from 0
  tam_span type; // its "type" as raw JSON; empty: it has none
} tam_content_flaw;

// Appends the texts of |content|, a well-formed list in JSON, to |out|, as one
// string of JSON with a line break between two. A part is an object with the
// |type| "text" and a string |text|. Returns 0, or UNEXPECTED_SHAPE, and
// |*pflaw| says of which part; errors of |out| show in |out|.
int tam_content_parts_join(tam_span content, tam_buf *out,
                           tam_content_flaw *pflaw);

// Appends |content|, a string of JSON, as a list with one part.
void tam_content_parts_wrap(tam_span content, tam_buf *out);

#endif // TAM_CHAT_CONTENT_PARTS_H
