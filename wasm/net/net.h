// SPDX-License-Identifier: Apache-2.0
// All requests of the manager: who may start when, what is tried again, and
// what the owner gets to hear. Retries, timeouts and rate limits end here; the
// owner sees one response or one final error per request.
#ifndef TAM_NET_NET_H
#define TAM_NET_NET_H

#include "core/action_queue.h"
#include "core/random.h"
#include "net/headers.h"
#include "tam.h"

// The most operations at a time. A library that loads a model asks for some
// twenty files at once; the number keeps the round robin between them short.
#define TAM_OPS_MAX 64

// The most requests that may be queued or under way: three times the largest
// listing, at about half a kilobyte each.
#define TAM_NET_REQUESTS_MAX 16384

// The largest number of a request; those above are the storage's.
#define TAM_NET_ID_MAX 0x7fffffffU

// The longest URL and header block in bytes: what common servers accept.
#define TAM_NET_URL_MAX     8192
#define TAM_NET_HEADERS_MAX 8192

// The Hub's rate-limit buckets; each has its own window.
typedef enum tam_bucket {
  TAM_BUCKET_API = 0,
  TAM_BUCKET_RESOLVERS,
  TAM_BUCKET_COUNT
} tam_bucket;

// Returns the bucket's name as the Hub spells it: "api", "resolvers".
const char *tam_bucket_name(tam_bucket bucket);

typedef struct tam_net tam_net;

typedef struct tam_net_request {
  uint32_t op;  // the operation that owns the request
  uint32_t tag; // the owner's own number, handed back in every report
  tam_bucket bucket;
  tam_span url;      // copied
  tam_span headers;  // header block to send, copied; wiped when freed
  uint32_t flags;    // TAM_FETCH_FLAG_*
  double timeout_ms; // see |streamed|
  // 1: for long answers; |timeout_ms| is the longest time without progress. A
  // timeout or a status 504 is final, because asking for the same again would
  // end the same way: the owner may ask for less. 0: for short answers;
  // |timeout_ms| is the longest time for the whole answer, but when the
  // bucket's other answers came much faster, all attempts except the last are
  // given up earlier, and at the end of an operation a late one is sent twice.
  // Either way the body is handed on as it arrives.
  int streamed;
  // The request gives up after this many attempts (at least 1) that ended in a
  // transient error: status 408 or 5xx, no connection, broken off, timeout. A
  // 429 is not an attempt: however often it comes, the request goes out again.
  unsigned attempts_max;
} tam_net_request;

// What the owner hears.
typedef enum tam_net_report_kind {
  TAM_NET_NOTHING = 0,
  TAM_NET_STARTED,     // the request went out, perhaps not for the first time
  TAM_NET_HEAD,        // final status and headers; body and end follow
  TAM_NET_DATA,        // a piece of the body, or of a kept one its length
  TAM_NET_END,         // the answer is complete; the request is gone
  TAM_NET_RESTART,     // after HEAD: the body broke off and will begin anew
  TAM_NET_FAILED,      // no usable answer; the request is gone; see |error|
  TAM_NET_REFUSED,     // the answer was 429; the request goes out again later
  TAM_NET_RATE_LIMITED // requests of |op| must wait for |bucket|
} tam_net_report_kind;

typedef struct tam_net_report {
  tam_net_report_kind kind;
  uint32_t op;
  uint32_t tag;        // not of RATE_LIMITED
  uint32_t status;     // HEAD; FAILED with HTTP_STATUS
  tam_headers headers; // HEAD
  tam_span data;       // DATA; FAILED with NETWORK: the platform's words
  uint32_t kept;       // DATA, END of a kept body: bytes of the piece, of all;
                       // FAILED: bytes that are kept of what has come
  uint32_t request;    // END, FAILED of a kept body: under this they are kept
  int error;           // FAILED: TIMEOUT, NETWORK, HTTP_STATUS
  double duration_ms;  // END: from the last start to the end
  tam_bucket bucket;   // RATE_LIMITED
  double reset_at_ms;  // RATE_LIMITED
} tam_net_report;

// Creates the pool. Actions go to |queue|, jitter comes from |random|; both
// must outlive the pool. Errors: OUT_OF_MEMORY.
int tam_net_new(tam_net **pnet, tam_action_queue *queue, tam_random *random,
                const tam_mem *mem);

// Frees the pool; nothing is reported and nothing is aborted.
void tam_net_del(tam_net *net);

// Admits requests of |op| (not 0), at most |concurrency| (at least 1) in flight
// at the same time; for an operation that is open, changes the number. Errors:
// BUSY (more than TAM_OPS_MAX operations).
int tam_net_open_op(tam_net *net, uint32_t op, unsigned concurrency);

// Drops every request of |op| without a report; those in flight are aborted.
// Cannot fail: all memory it needs was taken at submit.
void tam_net_close_op(tam_net *net, uint32_t op);

// Queues a request. It starts at the next advance when limits allow; requests
// of an operation to the same bucket start in the order of submission, except
// that those which are tried again go first. The API bucket goes before the
// other: its pages decide what else is to be fetched. Errors: OUT_OF_MEMORY,
// INVALID_STATE (|op| is not open), TOO_LARGE (URL or headers beyond their
// caps), BUSY (too many requests).
int tam_net_submit(tam_net *net, const tam_net_request *request);

// Drops the requests of |op| with |tag| without a report; aborts them when
// they are in flight. Takes time in proportion to the requests of |op|.
void tam_net_cancel(tam_net *net, uint32_t op, uint32_t tag);

// Takes |header|, a whole line, out of every request, so that none which goes
// out from now on has it. Nothing of it stays in the requests.
void tam_net_drop_header(tam_net *net, tam_span header);

// Tells the pool of an HTTP event. Stores what the owner has to know into
// |*preport| (NOTHING when nothing). Returns 0, also for events of requests
// that are gone. Errors: INVALID_STATE (a second head, a body before the head),
// INVALID_ARGUMENT (not an HTTP event).
int tam_net_feed(tam_net *net, const tam_event *event, double now_ms,
                 tam_net_report *preport);

// Does what the time and the limits allow: starts requests, times them out,
// announces rate limits. Stores one report; call again until it is NOTHING.
void tam_net_advance(tam_net *net, double now_ms, tam_net_report *preport);

// Returns the time, ms since the epoch, at which advance has something to do,
// or -1.
double tam_net_deadline(const tam_net *net);

#endif // TAM_NET_NET_H
