// SPDX-License-Identifier: Apache-2.0
// One slot and the Hub: which request it sends, and what an answer is worth.
#ifndef TAM_STORE_TRANSFER_HTTP_H
#define TAM_STORE_TRANSFER_HTTP_H

#include "store/store_op.h"

// A line this fast (bytes per second) brings a chunk within a second or two, so
// it can be taken as a whole; on a slower one people want to see it come.
#define TAM_WHOLE_RATE_MIN 16e6

// Asks for the chunk of |slot|. Errors: OUT_OF_MEMORY, BUSY, TOO_LARGE.
int tam_slot_fetch(tam_store_op *op, tam_slot *slot);

// Asks for it again, in pieces that are counted as they come: as a whole it did
// not come in time.
int tam_slot_fetch_slowly(tam_store_op *op, tam_slot *slot);

// Takes in a report about its request. Returns 0, or an error that ends the
// operation: NOT_FOUND, UNAUTHORIZED, RANGE_UNSUPPORTED, and those of
// tam_slot_retry.
int tam_slot_on_net(tam_store_op *op, tam_slot *slot,
                    const tam_net_report *report);

// --- transfer_phase.c

// Lets |slot| try again after a while. Returns 0, or |error| when patience has
// come to its end; what happened then has |words|, the platform's, if any.
int tam_slot_retry(tam_store_op *op, tam_slot *slot, int error, uint32_t status,
                   tam_span words);

// Makes |slot| free and its body forgotten.
void tam_slot_free(tam_store_op *op, tam_slot *slot);

// Notes that the download is nearer to its end than ever before.
void tam_transfers_note_progress(tam_store_op *op);

// Notes that |bytes| came from the network, whether they are of use or not.
void tam_transfers_note_bytes(tam_store_op *op, uint32_t bytes);

#endif // TAM_STORE_TRANSFER_HTTP_H
