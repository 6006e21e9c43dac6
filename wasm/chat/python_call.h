// SPDX-License-Identifier: Apache-2.0
// Calls that are written as in Python: [name(a=1, b='x'), other()].
#ifndef TAM_CHAT_PYTHON_CALL_H
#define TAM_CHAT_PYTHON_CALL_H

#include "core/buf.h"

// The deepest nesting of lists and dictionaries in an argument.
#define TAM_PYTHON_DEPTH_MAX 16

// Returns the length of the name of a function that |text| begins with; dots
// and hyphens are part of it.
size_t tam_python_name_len(tam_span text);

// Takes a list of calls off the front of |*ptext|, writes each as the object
// {"name", "arguments"} and counts it. Returns 0 when it is malformed; then
// some may have been written.
int tam_python_calls_read(tam_span *ptext, tam_buf *calls, size_t *pcount);

#endif // TAM_CHAT_PYTHON_CALL_H
