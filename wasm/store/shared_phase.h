// SPDX-License-Identifier: Apache-2.0
// What TabAgent's manifest says of the dtypes of a model.
#ifndef TAM_STORE_SHARED_PHASE_H
#define TAM_STORE_SHARED_PHASE_H

#include "store/phase.h"

// The statuses in TabAgent's manifest of what is stored.
#define TAM_STATUSES_STORED "downloaded\0failed\0"

// Puts into the operation's batch that the dtype in work (all, when the caller
// names none) has the status |to| in the manifest of |repo|, whose text is
// |text|, where it is one of |from|, names as in core/names.h; NULL: any other.
// Errors: OUT_OF_MEMORY.
int tam_store_op_put_statuses(tam_store_op *op, tam_span repo, tam_span text,
                              const char *from, const char *to);

#endif // TAM_STORE_SHARED_PHASE_H
