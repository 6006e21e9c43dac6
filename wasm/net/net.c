// SPDX-License-Identifier: Apache-2.0
// Theory of operation
//
//            submit
//              |          limits allow            head          end
//   DELAYED    v                                                   (gone)
//     |  +-> WAITING ----------------> SENT ----------> BODY ------->
//     |  |     ^                        | |               |
//     |  +-----|--------- 429 ----------+ |               |
//     +--------+                          |               |
//     ^                                   |               |
//     +---------- transient error --------+---------------+
//
// Each operation has a queue of waiting requests for each bucket. Operations
// with a free slot and a bucket that is ready start requests in turn. Every
// attempt has its own id, so events of an attempt that was given up find
// nothing. Whatever leaves SENT or BODY before its end is aborted, and
// an aborted request that is gone lives on as DEAD until the host has taken
// the abort action out of it.
#include "net/net.h"

#include "core/mem.h"
#include "core/span.h"
#include "net/backoff.h"
#include "net/latency.h"
#include "net/rate_limit.h"
#include "net/request.h"

#include <string.h>

// A Retry-After of an answer other than 429 is obeyed up to this long: an
// attempt costs little, and a server that is down seldom knows better.
#define RETRY_AFTER_MAX_S 60.0

// A short answer later than this share of its predecessors is asked for a
// second time when the operation has nothing else to do.
#define LATE_PERCENT 90U

typedef struct tam_net_op {
  uint32_t id; // 0: the place is free
  unsigned concurrency;
  unsigned in_flight;
  double announced_ms[TAM_BUCKET_COUNT]; // the end of the pause last announced
  tam_request_queue waiting[TAM_BUCKET_COUNT];
} tam_net_op;

typedef struct tam_net_bucket {
  tam_rate_limit limit;
  tam_latency latency;
} tam_net_bucket;

struct tam_net {
  double now_ms;
  const tam_mem *mem;
  tam_action_queue *queue;
  tam_random *random;
  size_t count;              // of requests that are not dead
  size_t turn;               // the operation that is asked first
  uint32_t last_id;          // of an attempt
  tam_request_queue flight;  // the requests sent, and ...
  tam_request_queue delayed; // ... these, in the order of their timers
  tam_request_queue dead;
  tam_net_op ops[TAM_OPS_MAX];
  tam_net_bucket buckets[TAM_BUCKET_COUNT];
};

const char *tam_bucket_name(tam_bucket bucket) {
  return bucket == TAM_BUCKET_API ? "api" : "resolvers";
}

int tam_net_new(tam_net **pnet, tam_action_queue *queue, tam_random *random,
                const tam_mem *mem) {
  tam_net *net = tam_mem_calloc(mem, 1, sizeof(*net));
  if (net == NULL) {
    return TAM_ERR_OUT_OF_MEMORY;
  }
  net->mem = mem;
  net->queue = queue;
  net->random = random;
  for (int bucket = 0; bucket < TAM_BUCKET_COUNT; bucket++) {
    tam_rate_limit_init(&net->buckets[bucket].limit);
    for (size_t op = 0; op < TAM_OPS_MAX; op++) {
      tam_request_queue_init(&net->ops[op].waiting[bucket]);
    }
  }
  tam_request_queue_init(&net->flight);
  tam_request_queue_init(&net->delayed);
  tam_request_queue_init(&net->dead);
  *pnet = net;
  return 0;
}

// ---------------------------------------------------------------------------
// Where a request is

static tam_net_bucket *net_bucket(tam_net *net, const tam_request *item) {
  return &net->buckets[item->source.bucket];
}

static tam_request *net_find(const tam_net *net, uint32_t id) {
  tam_request_queue *at = net->flight.next;
  while (at != &net->flight && ((tam_request *)at)->id != id) {
    at = at->next;
  }
  return at == &net->flight ? NULL : (tam_request *)at;
}

static void net_leave_flight(tam_request *item) {
  item->op->in_flight--;
  tam_request_dequeue(item);
}

// Takes an attempt that brought no complete answer out of the flight.
static void net_lose(tam_net *net, tam_request *item) {
  if (item->state == TAM_REQUEST_SENT) {
    tam_rate_limit_on_loss(&net_bucket(net, item)->limit, item->sent_at_ms,
                           net->now_ms, net->random);
  }
  net_leave_flight(item);
}

// Makes the host forget the present attempt. When it has not even taken the
// fetch action there is nothing to abort. An abort action that still waits
// from an earlier attempt implies exactly that, for actions leave in order.
static void net_abort(tam_net *net, tam_request *item) {
  if (item->fetch.is_queued) {
    tam_action_queue_remove(net->queue, &item->fetch);
    return;
  }
  item->abort.action.request = item->id;
  item->abort.action.flags = 0;
  tam_action_queue_push(net->queue, &item->abort);
}

// Frees a request that is in no queue.
static void net_free(tam_net *net, tam_request *item) {
  if (item->twin != NULL) {
    item->twin->twin = NULL;
  }
  net->count--;
  if (!item->abort.is_queued) {
    tam_request_del(item, net->mem);
    return;
  }
  tam_request_wipe(item);
  item->state = TAM_REQUEST_DEAD;
  tam_request_enqueue(item, &net->dead);
}

// Frees dead requests whose abort action the host has taken.
static void net_bury(tam_net *net) {
  tam_request *item;
  while ((item = tam_request_queue_first(&net->dead)) != NULL &&
         !item->abort.is_queued) {
    tam_request_dequeue(item);
    tam_request_del(item, net->mem);
  }
}

static void net_wait_first(tam_request *item) {
  item->state = TAM_REQUEST_WAITING;
  tam_request_enqueue(item, item->op->waiting[item->source.bucket].next);
}

static void net_drop(tam_net *net, tam_request *item) {
  if (item->state == TAM_REQUEST_SENT || item->state == TAM_REQUEST_BODY) {
    net_lose(net, item);
    net_abort(net, item);
  } else {
    tam_request_dequeue(item);
  }
  net_free(net, item);
}

void tam_net_del(tam_net *net) {
  if (net == NULL) {
    return;
  }
  for (size_t i = 0; i < TAM_OPS_MAX; i++) {
    tam_net_close_op(net, net->ops[i].id);
  }
  tam_request *item;
  while ((item = tam_request_queue_first(&net->dead)) != NULL) {
    tam_action_queue_remove(net->queue, &item->abort);
    net_bury(net);
  }
  tam_mem_free(net->mem, net);
}

// ---------------------------------------------------------------------------
// Operations

static tam_net_op *net_find_op(tam_net *net, uint32_t id) {
  for (size_t i = 0; i < TAM_OPS_MAX; i++) {
    if (net->ops[i].id == id) {
      return &net->ops[i];
    }
  }
  return NULL;
}

int tam_net_open_op(tam_net *net, uint32_t op, unsigned concurrency) {
  tam_net_op *place = net_find_op(net, op);
  if (place == NULL) {
    place = net_find_op(net, 0);
  }
  if (place == NULL) {
    return TAM_ERR_BUSY;
  }
  if (place->id != op) {
    place->id = op;
    memset(place->announced_ms, 0, sizeof(place->announced_ms));
  }
  place->concurrency = concurrency;
  return 0;
}

// Drops the requests of |op| in |queue|: those with |*ptag|, or all of them.
static void net_drop_from(tam_net *net, tam_request_queue *queue,
                          const tam_net_op *op, const uint32_t *ptag) {
  tam_request_queue *next;
  for (tam_request_queue *at = queue->next; at != queue; at = next) {
    tam_request *item = (tam_request *)at;
    next = at->next;
    if (item->op == op && (ptag == NULL || item->source.tag == *ptag)) {
      net_drop(net, item);
    }
  }
}

static void net_drop_all(tam_net *net, tam_net_op *op, const uint32_t *ptag) {
  for (int bucket = 0; bucket < TAM_BUCKET_COUNT; bucket++) {
    net_drop_from(net, &op->waiting[bucket], op, ptag);
  }
  net_drop_from(net, &net->delayed, op, ptag);
  net_drop_from(net, &net->flight, op, ptag);
}

void tam_net_close_op(tam_net *net, uint32_t op) {
  tam_net_op *place = net_find_op(net, op);
  if (place != NULL) {
    net_drop_all(net, place, NULL);
    place->id = 0;
  }
}

void tam_net_cancel(tam_net *net, uint32_t op, uint32_t tag) {
  tam_net_op *place = net_find_op(net, op);
  if (place != NULL) {
    net_drop_all(net, place, &tag);
  }
}

static void drop_header_from(tam_request_queue *queue, tam_span header) {
  for (tam_request_queue *at = queue->next; at != queue; at = at->next) {
    tam_request_drop_header((tam_request *)at, header);
  }
}

void tam_net_drop_header(tam_net *net, tam_span header) {
  for (size_t i = 0; i < TAM_OPS_MAX * TAM_BUCKET_COUNT; i++) {
    drop_header_from(
        &net->ops[i / TAM_BUCKET_COUNT].waiting[i % TAM_BUCKET_COUNT], header);
  }
  drop_header_from(&net->delayed, header);
  drop_header_from(&net->flight, header);
}

int tam_net_submit(tam_net *net, const tam_net_request *source) {
  tam_net_op *op = net_find_op(net, source->op);
  if (source->op == 0 || op == NULL) {
    return TAM_ERR_INVALID_STATE;
  }
  if (source->url.len > TAM_NET_URL_MAX ||
      source->headers.len > TAM_NET_HEADERS_MAX) {
    return TAM_ERR_TOO_LARGE;
  }
  if (net->count >= TAM_NET_REQUESTS_MAX) {
    return TAM_ERR_BUSY;
  }
  tam_request *item = tam_request_new(source, net->mem);
  if (item == NULL) {
    return TAM_ERR_OUT_OF_MEMORY;
  }
  item->op = op;
  tam_request_enqueue(item, &op->waiting[source->bucket]);
  net->count++;
  return 0;
}

// ---------------------------------------------------------------------------
// How an attempt ends

static void report_set(tam_net_report *report, tam_net_report_kind kind,
                       const tam_request *item) {
  report->kind = kind;
  report->op = item->source.op;
  report->tag = item->source.tag;
}

static int request_may_retry(const tam_request *item,
                             const tam_net_report *failure) {
  if (item->source.streamed &&
      (failure->error == TAM_ERR_TIMEOUT || failure->status == 504)) {
    return 0;
  }
  return item->failures + 1 < item->source.attempts_max;
}

static void net_delay(tam_net *net, tam_request *item, double asked_s) {
  double delay_ms = tam_backoff_delay(item->failures, net->random);
  if (asked_s > RETRY_AFTER_MAX_S) {
    asked_s = RETRY_AFTER_MAX_S;
  }
  if (asked_s * 1000 > delay_ms) {
    delay_ms = asked_s * 1000;
  }
  item->state = TAM_REQUEST_DELAYED;
  item->due_ms = net->now_ms + delay_ms;
  tam_request_enqueue_by_due(item, &net->delayed);
}

// Ends an attempt, which has left the flight, with a transient error. |report|
// has its error, status and headers already, if there are any.
static void net_on_failure(tam_net *net, tam_request *item,
                           tam_net_report *report) {
  if (item->twin != NULL) {
    net_free(net, item);
    return;
  }
  if (!request_may_retry(item, report)) {
    report_set(report, TAM_NET_FAILED, item);
    net_free(net, item);
    return;
  }
  if (item->state == TAM_REQUEST_BODY) {
    report_set(report, TAM_NET_RESTART, item);
  }
  item->failures++;
  net_delay(net, item, report->headers.retry_after_s);
}

// ---------------------------------------------------------------------------
// Events

static int is_transient(uint32_t status) {
  return status == 408 || status >= 500;
}

// Ends an attempt that the server refused to look at.
static void net_on_refusal(tam_net *net, tam_request *item,
                           tam_net_report *report) {
  report_set(report, TAM_NET_REFUSED, item);
  if (item->twin != NULL) {
    net_free(net, item);
  } else {
    net_wait_first(item);
  }
}

// Looks at an attempt in flight again after |wait_ms| or at its timeout.
static void net_watch(tam_net *net, tam_request *item, double wait_ms) {
  item->due_ms = net->now_ms + wait_ms;
  if (item->due_ms > item->give_up_at_ms) {
    item->due_ms = item->give_up_at_ms;
  }
  tam_request_enqueue_by_due(item, &net->flight);
}

static void net_on_progress(tam_net *net, tam_request *item) {
  if (item->source.streamed) {
    item->give_up_at_ms = net->now_ms + item->source.timeout_ms;
    tam_request_dequeue(item);
    net_watch(net, item, INFINITY);
  }
}

static int net_on_head(tam_net *net, tam_request *item, const tam_event *event,
                       tam_net_report *report) {
  if (item->state != TAM_REQUEST_SENT) {
    return TAM_ERR_INVALID_STATE;
  }
  uint32_t status = event->status;
  report->status = status;
  tam_headers_parse(event->payload, &report->headers);
  tam_rate_answer answer = {item->sent_at_ms, net->now_ms, status,
                            &report->headers};
  tam_rate_limit_on_answer(&net_bucket(net, item)->limit, &answer, net->random);
  if (status == 429 || is_transient(status)) {
    net_leave_flight(item);
    net_abort(net, item);
    if (status == 429) {
      net_on_refusal(net, item, report);
    } else {
      report->error = TAM_ERR_HTTP_STATUS;
      net_on_failure(net, item, report);
    }
    return 0;
  }
  if (item->twin != NULL) {
    net_drop(net, item->twin);
  }
  item->state = TAM_REQUEST_BODY;
  net_on_progress(net, item);
  report_set(report, TAM_NET_HEAD, item);
  return 0;
}

static void net_on_data(tam_net *net, tam_request *item, tam_span data,
                        uint32_t kept, tam_net_report *report) {
  net_on_progress(net, item);
  item->kept += kept;
  report_set(report, TAM_NET_DATA, item);
  report->data = data;
  report->kept = kept;
}

// Remembers how long a short answer took, or was waited for.
static void net_learn_latency(tam_net *net, const tam_request *item) {
  if (!item->source.streamed) {
    tam_latency_add(&net_bucket(net, item)->latency,
                    net->now_ms - item->sent_at_ms);
  }
}

static void net_on_end(tam_net *net, tam_request *item, uint32_t kept,
                       tam_net_report *report) {
  report_set(report, TAM_NET_END, item);
  report->kept = kept;
  report->request = item->id;
  report->duration_ms = net->now_ms - item->sent_at_ms;
  net_learn_latency(net, item);
  net_leave_flight(item);
  net_free(net, item);
}

static void net_on_fail(tam_net *net, tam_request *item, int error,
                        tam_span words, tam_net_report *report) {
  report->request = item->id;
  report->error = error;
  report->data = words;
  net_lose(net, item);
  net_on_failure(net, item, report);
}

int tam_net_feed(tam_net *net, const tam_event *event, double now_ms,
                 tam_net_report *preport) {
  memset(preport, 0, sizeof(*preport));
  net->now_ms = now_ms;
  tam_request *item = net_find(net, event->request);
  if (item == NULL) {
    return 0;
  }
  if (event->kind == TAM_EVENT_HTTP_HEAD) {
    return net_on_head(net, item, event, preport);
  }
  if (event->kind == TAM_EVENT_HTTP_FAIL) {
    preport->kept = event->status;
    net_on_fail(net, item, TAM_ERR_NETWORK, event->payload, preport);
    return 0;
  }
  if (event->kind != TAM_EVENT_HTTP_DATA && event->kind != TAM_EVENT_HTTP_END &&
      event->kind != TAM_EVENT_HTTP_KEPT) {
    return TAM_ERR_INVALID_ARGUMENT;
  }
  if (item->state != TAM_REQUEST_BODY) {
    return TAM_ERR_INVALID_STATE;
  }
  if (event->kind == TAM_EVENT_HTTP_END) {
    net_on_end(net, item, event->status, preport);
  } else {
    net_on_data(net, item, event->payload, event->status, preport);
  }
  return 0;
}

// ---------------------------------------------------------------------------
// How an attempt begins

// A short answer that is late is asked for again early, unless the last
// attempt would be spent on that, or the server says that there may not be
// enough requests left for all.
static double net_timeout_ms(const tam_net *net, const tam_request *item,
                             const tam_net_bucket *bucket) {
  const tam_net_request *source = &item->source;
  if (source->streamed || item->failures + 1 >= source->attempts_max ||
      tam_rate_window_budget(&bucket->limit.window, net->now_ms) <
          (double)net->count) {
    return source->timeout_ms;
  }
  return tam_latency_timeout(&bucket->latency, source->timeout_ms);
}

// Returns the age in ms at which an attempt counts as late.
static double request_late_ms(const tam_request *item,
                              const tam_net_bucket *bucket) {
  const tam_latency *latency = &bucket->latency;
  if (item->source.streamed || latency->total < TAM_LATENCY_SAMPLES_MIN) {
    return INFINITY;
  }
  return tam_latency_percentile(latency, LATE_PERCENT);
}

// Sends a request that is in no queue.
static void net_send(tam_net *net, tam_request *item) {
  tam_net_bucket *bucket = net_bucket(net, item);
  net->last_id = net->last_id == TAM_NET_ID_MAX ? 1 : net->last_id + 1;
  item->id = net->last_id;
  item->fetch.action.request = item->id;
  item->kept = 0;
  item->state = TAM_REQUEST_SENT;
  item->sent_at_ms = net->now_ms;
  item->give_up_at_ms = net->now_ms + net_timeout_ms(net, item, bucket);
  item->op->in_flight++;
  net_watch(net, item, request_late_ms(item, bucket));
  tam_rate_limit_on_start(&bucket->limit, net->now_ms);
  tam_action_queue_push(net->queue, &item->fetch);
}

// Sends a request that is late a second time when nothing else can be sent;
// whichever answer comes first counts. When memory is short the first one is
// all there is.
static void net_hedge(tam_net *net, tam_request *item) {
  if (item->twin != NULL || item->op->in_flight >= item->op->concurrency ||
      tam_rate_limit_ready_at(&net_bucket(net, item)->limit, net->now_ms) >
          net->now_ms) {
    return;
  }
  tam_request *twin = tam_request_new(&item->source, net->mem);
  if (twin == NULL) {
    return;
  }
  twin->op = item->op;
  twin->failures = item->failures;
  twin->twin = item;
  item->twin = twin;
  net->count++;
  net_send(net, twin);
}

// Returns from when on |op| may start a request to |bucket|; INFINITY when it
// has none, or no free slot.
static double net_ready_at(const tam_net *net, const tam_net_op *op,
                           int bucket) {
  if (op->in_flight >= op->concurrency ||
      tam_request_queue_first(&op->waiting[bucket]) == NULL) {
    return INFINITY;
  }
  return tam_rate_limit_ready_at(&net->buckets[bucket].limit, net->now_ms);
}

// Starts a request of |op|, or announces the pause it has to wait for, once.
// Returns 1 when there is a report.
static int net_start(tam_net *net, tam_net_op *op, tam_net_report *report) {
  for (int i = 0; i < TAM_BUCKET_COUNT; i++) {
    double ready_ms = net_ready_at(net, op, i);
    if (ready_ms <= net->now_ms) {
      tam_request *item = tam_request_queue_first(&op->waiting[i]);
      tam_request_dequeue(item);
      net_send(net, item);
      report_set(report, TAM_NET_STARTED, item);
      return 1;
    }
    if (ready_ms < INFINITY && ready_ms > op->announced_ms[i] &&
        net->buckets[i].limit.state == TAM_RATE_LIMIT_PAUSED) {
      op->announced_ms[i] = ready_ms;
      report->kind = TAM_NET_RATE_LIMITED;
      report->op = op->id;
      report->bucket = (tam_bucket)i;
      report->reset_at_ms = ready_ms;
      return 1;
    }
  }
  return 0;
}

// The operations start one request each in turn. Returns 1 when there is a
// report.
static int net_start_next(tam_net *net, tam_net_report *report) {
  for (size_t i = 0; i < TAM_OPS_MAX; i++) {
    size_t at = (net->turn + i) % TAM_OPS_MAX;
    if (net_start(net, &net->ops[at], report)) {
      if (report->kind == TAM_NET_STARTED) {
        net->turn = at + 1;
      }
      return 1;
    }
  }
  return 0;
}

// ---------------------------------------------------------------------------
// Time

// Returns the request that has to be looked at first, or NULL.
static tam_request *net_first_due(const tam_net *net) {
  tam_request *sent = tam_request_queue_first(&net->flight);
  tam_request *delayed = tam_request_queue_first(&net->delayed);
  if (sent == NULL || (delayed != NULL && delayed->due_ms < sent->due_ms)) {
    return delayed;
  }
  return sent;
}

static void net_on_timer(tam_net *net, tam_request *item,
                         tam_net_report *report) {
  if (item->state == TAM_REQUEST_DELAYED) {
    tam_request_dequeue(item);
    net_wait_first(item);
  } else if (net->now_ms >= item->give_up_at_ms) {
    net_learn_latency(net, item);
    net_abort(net, item);
    if (item->kept > 0) {
      item->abort.action.flags = TAM_FETCH_FLAG_KEEP;
      report->kept = item->kept;
    }
    net_on_fail(net, item, TAM_ERR_TIMEOUT, TAM_SPAN_NONE, report);
  } else {
    if (item->state == TAM_REQUEST_SENT) {
      net_hedge(net, item);
    }
    tam_request_dequeue(item);
    net_watch(net, item, request_late_ms(item, net_bucket(net, item)));
  }
}

void tam_net_advance(tam_net *net, double now_ms, tam_net_report *preport) {
  memset(preport, 0, sizeof(*preport));
  net->now_ms = now_ms;
  net_bury(net);
  while (preport->kind == TAM_NET_NOTHING && !net_start_next(net, preport)) {
    tam_request *item = net_first_due(net);
    if (item == NULL || item->due_ms > now_ms) {
      return;
    }
    net_on_timer(net, item, preport);
  }
}

double tam_net_deadline(const tam_net *net) {
  const tam_request *item = net_first_due(net);
  double due_ms = item != NULL ? item->due_ms : INFINITY;
  for (size_t i = 0; i < TAM_OPS_MAX * TAM_BUCKET_COUNT; i++) {
    double ready_ms = net_ready_at(net, &net->ops[i / TAM_BUCKET_COUNT],
                                   i % TAM_BUCKET_COUNT);
    due_ms = ready_ms < due_ms ? ready_ms : due_ms;
  }
  return due_ms < INFINITY ? due_ms : -1;
}
