// SPDX-License-Identifier: Apache-2.0
// Lets of a model's answer, which comes in pieces, only that through which
// makes up one JSON object or array. What comes before it (prose, a code fence)
// and after it is dropped. Text is held back while stopping there would leave
// something that cannot be completed: a key without its value, half an escape.
// So the text that was let through can always be closed, wherever it ends. A
// line feed within a text gets the escape that it should have.
#ifndef TAM_CHAT_JSON_OUTPUT_H
#define TAM_CHAT_JSON_OUTPUT_H

#include "core/buf.h"
#include "core/json_scan.h"

// What an answer without any JSON becomes.
#define TAM_JSON_OUTPUT_NONE "null"

// The longest text that is held back: a key, say.
#define TAM_JSON_OUTPUT_HELD_MAX 65536

typedef enum tam_json_output_state {
  TAM_JSON_OUTPUT_SEARCH = 0, // nothing of it came yet
  TAM_JSON_OUTPUT_OPEN,       // the beginning of a value
  TAM_JSON_OUTPUT_COMPLETE,   // a whole value
  TAM_JSON_OUTPUT_BROKEN      // what came next cannot be JSON
} tam_json_output_state;

typedef struct tam_json_output {
  tam_json_output_state state;
  tam_buf held;
  int in_string;  // where the text that was let through ends
  int is_started; // some of it was let through
  tam_json_scan scan;
} tam_json_output;

// Makes |output| ready for an answer. |mem| is kept.
void tam_json_output_init(tam_json_output *output, const tam_mem *mem);

void tam_json_output_free(tam_json_output *output);

// Appends to |out| what |piece| adds. Returns the state: after COMPLETE and
// BROKEN generation should end, everything that follows is dropped. A failed
// allocation breaks the answer and shows in the buffers.
tam_json_output_state tam_json_output_push(tam_json_output *output,
                                           tam_span piece, tam_buf *out);

// Appends what is missing: all that was appended is now a JSON document.
void tam_json_output_end(tam_json_output *output, tam_buf *out);

#endif // TAM_CHAT_JSON_OUTPUT_H
