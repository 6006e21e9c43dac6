// SPDX-License-Identifier: Apache-2.0
// The transactions of a download: chunks, the journals that mention them, and
// in the one that completes a file what makes it visible.
#ifndef TAM_STORE_TRANSFER_WRITE_H
#define TAM_STORE_TRANSFER_WRITE_H

#include "store/store_op.h"

// Writes what there is to write, if anything. At most one transaction is under
// way, so that each journal is true. Errors: OUT_OF_MEMORY, TOO_LARGE.
int tam_transfers_write(tam_store_op *op);

// Takes in that the transaction is durable. Returns 0, or HASH_MISMATCH when it
// threw away a file that was wrong twice.
int tam_transfers_on_written(tam_store_op *op);

// Deletes all that is stored of |transfer|, with |batch|.
void tam_transfer_put_away(tam_store_op *op, const tam_transfer *transfer,
                           tam_batch *batch);

// Puts the record of |revision|, one of the operation, into |batch|.
void tam_revision_put(tam_store_op *op, const tam_revision *revision,
                      tam_batch *batch);

#endif // TAM_STORE_TRANSFER_WRITE_H
