// SPDX-License-Identifier: Apache-2.0
// Reads a packed table of models back, independently of the code that wrote
// it, as the JSON text of the entries a user gets.
#ifndef TAM_TRACE_MODEL_ROWS_H
#define TAM_TRACE_MODEL_ROWS_H

#include "core/buf.h"

// Appends the models of |table| to |json| as an array of objects, with the
// fields in the order of the documentation. Returns 0 when the table is not
// well formed.
int model_rows_to_json(tam_span table, tam_buf *json);

#endif // TAM_TRACE_MODEL_ROWS_H
