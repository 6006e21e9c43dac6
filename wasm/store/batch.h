// SPDX-License-Identifier: Apache-2.0
// What one transaction of the storage writes: all of it or nothing. A failed
// allocation shows when the batch is submitted.
#ifndef TAM_STORE_BATCH_H
#define TAM_STORE_BATCH_H

#include "core/action_queue.h"

// The most bytes of records in one transaction: those of a revision with the
// most files, and of its journals.
#define TAM_BATCH_BYTES_MAX (UINT32_C(16) << 20)

// The object stores, by the names that TabAgent gave them.
#define TAM_STORE_FILES    "files"
#define TAM_STORE_MANIFEST "manifest"
#define TAM_STORE_SETTINGS "inferenceSettings"

typedef struct tam_batch {
  tam_buf json;  // the operations, see store/storage.h
  tam_buf bytes; // of records, one after the other
} tam_batch;

void tam_batch_init(tam_batch *batch, const tam_mem *mem);
void tam_batch_free(tam_batch *batch);

// Writes |bytes| as the record |key| of "files".
void tam_batch_put(tam_batch *batch, tam_span key, tam_span bytes);

// Writes |bytes| as the content |key| of "files": a Blob of |type|.
void tam_batch_put_content(tam_batch *batch, tam_span key, tam_span bytes,
                           const char *type);

// Writes the bodies that the host keeps of the requests that |parts| are about
// (NULL: none), and behind them that of |request|, as the content |key|.
void tam_batch_put_bodies(tam_batch *batch, tam_span key,
                          const tam_action_node *parts, uint32_t request);

// Makes the content under |from| that of |key|, and deletes it there.
void tam_batch_move(tam_batch *batch, tam_span key, tam_span from);

// Deletes the entry |key| of |store|, if it is there.
void tam_batch_delete(tam_batch *batch, const char *store, tam_span key);

// Applies |patch|, a JSON merge patch (RFC 7386), to the object |key| of
// |store|, which is one of the two that hold objects.
void tam_batch_merge(tam_batch *batch, const char *store, tam_span key,
                     tam_span patch);

#endif // TAM_STORE_BATCH_H
