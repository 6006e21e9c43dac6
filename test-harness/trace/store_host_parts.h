// SPDX-License-Identifier: Apache-2.0
// What the two halves of the host of store_host.h, storage and Hub, share.
#ifndef TAM_TRACE_STORE_HOST_PARTS_H
#define TAM_TRACE_STORE_HOST_PARTS_H

#include "store_host.h"

// Returns a copy of |text| with a NUL behind it; the caller frees it.
char *store_host_copy_text(tam_span text);

// Puts such a copy in the place of |*ptext|.
void store_host_replace_text(char **ptext, tam_span text);

// Feeds an event, which must be legal.
void store_host_feed(store_host *host, tam_event event);

// Returns 1 while |request| waits for its answer: events may have ended it.
int store_host_is_live(const store_host *host, uint32_t request);

// Returns the most bytes of an event.
size_t store_host_piece_of(const store_host *host);

// Feeds |bytes| in pieces.
void store_host_feed_bytes(store_host *host, tam_event_kind kind,
                           uint32_t request, tam_span bytes);

// Keeps |bytes| under |request|.
void store_host_keep(store_host *host, uint32_t request, tam_span bytes);

// Answers a request to the Hub.
void store_host_answer_fetch(store_host *host, const host_order *order);

#endif // TAM_TRACE_STORE_HOST_PARTS_H
