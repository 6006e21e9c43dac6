// SPDX-License-Identifier: Apache-2.0
// Requests to the storage of the host, be it IndexedDB or a directory. Every
// request ends with one report, END or FAILED; before it come what it reads.
//
// The host gets each as JSON in a STORE action:
//
//   {"do":"get","store":s,"key":k}      the record k of the object store s
//   {"do":"list","store":s,"prefix":p}  all records whose key begins with p
//   {"do":"keys","prefix":p}            their keys only, of "files"; with
//                                       "suffix":s those that end so
//   {"do":"size","key":k}               the bytes of the content k, in digits
//   {"do":"read","key":k,"from":a,"to":b}  the bytes a to b of the content k;
//                                       "keep":true: for DELIVER, too
//   {"do":"read","body":n}              the bytes of the body kept of request n
//   {"do":"open","prefix":p,"chunk":c,"size":n}  the contents p0, p1, ... of c
//                                       bytes each, the last one of fewer, n
//                                       bytes in all, become a Blob that is
//                                       kept until the operation ends
//   {"do":"read","opened":true,"from":a,"to":b}  the bytes a to b of it
//   {"do":"write","batch":[...]}        one transaction, see store/batch.h
//   {"do":"estimate"}                   {"usage","quota","persisted"} as JSON
//   {"do":"lock","name":n}              ends when no other context holds it
//
// A read ends with found = 0 when the content is missing or shorter; so does an
// open when one of the contents is missing or has another length, and its data
// is the number of that one in digits. A lock is held until it is released.
#ifndef TAM_STORE_STORAGE_H
#define TAM_STORE_STORAGE_H

#include "core/action_queue.h"
#include "store/batch.h"

// The longest record.
#define TAM_STORAGE_RECORD_MAX (UINT32_C(4) << 20)

// Requests of the store have numbers above TAM_NET_ID_MAX up to this one; those
// of the journal are above it, up to the other.
#define TAM_STORAGE_ID_MAX 0xafffffffU
#define TAM_JOURNAL_ID_MAX 0xbfffffffU

// The longest key in bytes: two paths of a repository and what stands around.
#define TAM_STORAGE_KEY_MAX 4096

typedef struct tam_storage tam_storage;

typedef enum tam_storage_report_kind {
  TAM_STORAGE_NOTHING = 0,
  TAM_STORAGE_VALUE, // of "list": a key and its record, whole
  TAM_STORAGE_KEY,   // of "keys"
  TAM_STORAGE_DATA,  // of "read": a piece
  TAM_STORAGE_END,   // of the others with what they asked for
  TAM_STORAGE_FAILED
} tam_storage_report_kind;

// Spans are valid until the next call with the storage.
typedef struct tam_storage_report {
  tam_storage_report_kind kind;
  uint32_t op;
  uint32_t tag;
  uint32_t request;
  tam_span key;  // VALUE, KEY
  tam_span data; // VALUE, DATA, END; FAILED: the platform's words
  int found;     // END
  int error;     // FAILED: STORE_FAILED, QUOTA_EXCEEDED, STORE_BLOCKED,
                 // STORE_CLOSED, STORE_UNAVAILABLE, TOO_LARGE, OUT_OF_MEMORY
} tam_storage_report;

// Who asks: the operation, and its own number for the request, which comes back
// in every report.
typedef struct tam_storage_owner {
  uint32_t op;
  uint32_t tag;
} tam_storage_owner;

// Creates the storage; actions go to |queue|, which outlives it. Requests get
// numbers above |id_min| up to |id_max|.
int tam_storage_new(tam_storage **pstorage, tam_action_queue *queue,
                    uint32_t id_min, uint32_t id_max, const tam_mem *mem);
void tam_storage_del(tam_storage *storage);

// Submit a request. Return its number, or 0 when memory is short.
uint32_t tam_storage_get(tam_storage *storage, tam_storage_owner owner,
                         const char *store, tam_span key);
uint32_t tam_storage_list(tam_storage *storage, tam_storage_owner owner,
                          const char *store, tam_span prefix);
uint32_t tam_storage_keys(tam_storage *storage, tam_storage_owner owner,
                          tam_span prefix);
uint32_t tam_storage_keys_ending(tam_storage *storage, tam_storage_owner owner,
                                 tam_span suffix);
uint32_t tam_storage_size(tam_storage *storage, tam_storage_owner owner,
                          tam_span key);
uint32_t tam_storage_read(tam_storage *storage, tam_storage_owner owner,
                          tam_span key, uint64_t from, uint64_t to);
uint32_t tam_storage_read_and_keep(tam_storage *storage,
                                   tam_storage_owner owner, tam_span key,
                                   uint64_t from, uint64_t to);
uint32_t tam_storage_read_body(tam_storage *storage, tam_storage_owner owner,
                               uint32_t body);
uint32_t tam_storage_open(tam_storage *storage, tam_storage_owner owner,
                          tam_span prefix, uint64_t chunk_size, uint64_t size);
uint32_t tam_storage_read_opened(tam_storage *storage, tam_storage_owner owner,
                                 uint64_t from, uint64_t to);
uint32_t tam_storage_write(tam_storage *storage, tam_storage_owner owner,
                           const tam_batch *batch);
uint32_t tam_storage_estimate(tam_storage *storage, tam_storage_owner owner);
uint32_t tam_storage_lock(tam_storage *storage, tam_storage_owner owner,
                          tam_span name);

// Ends |request| without a report, or releases the lock that it got. The host
// hears of it; a transaction may have been written all the same.
void tam_storage_drop(tam_storage *storage, uint32_t request);

// Drops every request of |op| and releases its locks.
void tam_storage_close_op(tam_storage *storage, uint32_t op);

// Tells the host to forget the bytes that |request| has read to be kept: it is
// the one whose END is being reported.
void tam_storage_forget(tam_storage *storage, uint32_t request);

// Takes in a STORE event. Stores what the owner has to know into |*preport|,
// NOTHING when nothing: events of dropped requests race with ABORT. Entries of
// a list whose key or value is longer than ours are left out. Errors:
// INVALID_STATE (no such event belongs to the answer; nothing is changed),
// INVALID_ARGUMENT (not a STORE event).
int tam_storage_feed(tam_storage *storage, const tam_event *event,
                     tam_storage_report *preport);

#endif // TAM_STORE_STORAGE_H
