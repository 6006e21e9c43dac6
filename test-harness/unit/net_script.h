// SPDX-License-Identifier: Apache-2.0
// The request pool, told as scripts: each step is an event at a time and the
// reports and actions that must follow, written as text.
#ifndef TAM_TEST_NET_SCRIPT_H
#define TAM_TEST_NET_SCRIPT_H

#include "check.h"

#include "core/action_queue.h"
#include "core/random.h"
#include "net/net.h"

#include <stdarg.h>

// A pool with all that it needs, a clock, and what it did in the present step.
typedef struct world {
  check_heap heap;
  tam_mem mem;
  tam_action_queue queue;
  tam_random random;
  tam_net *net;
  double now_ms;
  char log[4096];
  size_t log_len;
} world;

static const uint8_t seed[16] = "net-test";

// Makes the pool; the allocation number |fail_at| fails, if it is not 0.
// Returns what tam_net_new returned.
static inline int world_init(world *w, size_t fail_at) {
  memset(w, 0, sizeof(*w));
  w->heap.fail_at = fail_at;
  w->mem = check_heap_mem(&w->heap);
  tam_action_queue_init(&w->queue, &w->mem);
  tam_random_init(&w->random, seed);
  return tam_net_new(&w->net, &w->queue, &w->random, &w->mem);
}

// Ends the pool and checks that nothing is left of it.
static inline void world_free(world *w) {
  tam_net_del(w->net);
  CHECK(w->queue.first == NULL);
  tam_action_queue_free(&w->queue);
  CHECK_INT(w->heap.live, 0);
}

// Adds to what the step did.
static inline void say(world *w, const char *format, ...) {
  va_list args;
  va_start(args, format);
  size_t room = sizeof(w->log) - w->log_len;
  int len = vsnprintf(w->log + w->log_len, room, format, args);
  va_end(args);
  w->log_len += (size_t)len < room ? (size_t)len : room - 1;
}

// The same for a report: "head:1.7=200" is one of operation 1 with tag 7.
static inline void say_report(world *w, const tam_net_report *report) {
  static const char *const names[] = {"",       "start",   "head",
                                      "data",   "end",     "restart",
                                      "failed", "refused", "limited"};
  say(w, "%s%s", w->log_len > 0 ? " " : "", names[report->kind]);
  if (report->kind == TAM_NET_RATE_LIMITED) {
    say(w, ":%u:%s", report->op, tam_bucket_name(report->bucket));
    return;
  }
  say(w, ":%u.%u", report->op, report->tag);
  switch (report->kind) {
  case TAM_NET_HEAD:
    say(w, "=%u", report->status);
    break;
  case TAM_NET_DATA:
    say(w, "=%.*s", (int)report->data.len, (const char *)report->data.ptr);
    break;
  case TAM_NET_FAILED:
    say(w, "=%s", tam_strerror(report->error));
    if (report->status != 0) {
      say(w, "/%u", report->status);
    }
    if (report->data.len > 0) {
      say(w, "(%.*s)", (int)report->data.len, (const char *)report->data.ptr);
    }
    break;
  default:
    break;
  }
}

// What the host does after each event: advance until nothing happens, take
// all actions.
static inline void settle(world *w) {
  tam_net_report report;
  for (tam_net_advance(w->net, w->now_ms, &report);
       report.kind != TAM_NET_NOTHING;
       tam_net_advance(w->net, w->now_ms, &report)) {
    say_report(w, &report);
  }
  const tam_action *action;
  while ((action = tam_action_queue_pop(&w->queue)) != NULL) {
    say(w, "%s%s#%u", w->log_len > 0 ? " " : "",
        action->kind == TAM_ACTION_FETCH ? "fetch" : "abort", action->request);
  }
}

// Submits a request as a page (|streamed|) or a file. Returns what the pool
// returned, as the next one does.
static inline int submit(world *w, uint32_t op, uint32_t tag, int streamed) {
  tam_net_request request = {
      .op = op,
      .tag = tag,
      .bucket = streamed ? TAM_BUCKET_API : TAM_BUCKET_RESOLVERS,
      .url = TAM_SPAN("https://hub.test/file"),
      .headers = TAM_SPAN("authorization: Bearer secret\r\n"),
      .timeout_ms = 10000,
      .streamed = streamed,
      .attempts_max = 3};
  return tam_net_submit(w->net, &request);
}

// Feeds the HTTP event that is named by |kind|.
static inline int feed(world *w, const char *kind, uint32_t request,
                       uint32_t status, const char *payload) {
  static const struct {
    const char *name;
    tam_event_kind kind;
  } kinds[] = {{"head", TAM_EVENT_HTTP_HEAD},
               {"data", TAM_EVENT_HTTP_DATA},
               {"end", TAM_EVENT_HTTP_END},
               {"fail", TAM_EVENT_HTTP_FAIL}};
  tam_event event = {
      .request = request, .status = status, .payload = tam_span_of(payload)};
  for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
    if (strcmp(kinds[i].name, kind) == 0) {
      event.kind = kinds[i].kind;
    }
  }
  tam_net_report report;
  int result = tam_net_feed(w->net, &event, w->now_ms, &report);
  if (report.kind != TAM_NET_NOTHING) {
    say_report(w, &report);
  }
  return result;
}

// An event, and what must follow from it.
typedef struct step {
  double now_ms;
  const char *event; // "open", "submit", "stream", "close", "cancel", "wait",
                     // or an HTTP event
  uint32_t a;        // operation, or request
  uint32_t b;        // concurrency, tag or status
  const char *payload;
  const char *expected;
} step;

static inline void perform(world *w, const step *s) {
  w->now_ms = s->now_ms;
  if (strcmp(s->event, "open") == 0) {
    CHECK_INT(tam_net_open_op(w->net, s->a, s->b), 0);
  } else if (strcmp(s->event, "submit") == 0) {
    CHECK_INT(submit(w, s->a, s->b, 0), 0);
  } else if (strcmp(s->event, "stream") == 0) {
    CHECK_INT(submit(w, s->a, s->b, 1), 0);
  } else if (strcmp(s->event, "close") == 0) {
    tam_net_close_op(w->net, s->a);
  } else if (strcmp(s->event, "cancel") == 0) {
    tam_net_cancel(w->net, s->a, s->b);
  } else if (strcmp(s->event, "wait") != 0) {
    CHECK_INT(feed(w, s->event, s->a, s->b, s->payload), 0);
  }
}

// Plays |steps| in a world that exists, or in one of their own.
static inline void play_on(world *w, const char *name, const step *steps,
                           size_t count) {
  for (size_t i = 0; i < count; i++) {
    w->log_len = 0;
    w->log[0] = '\0';
    perform(w, &steps[i]);
    settle(w);
    check_count++;
    if (strcmp(w->log, steps[i].expected) != 0) {
      check_failures++;
      printf("%s step %zu (%s at %g):\n  got      \"%s\"\n  expected \"%s\"\n",
             name, i, steps[i].event, steps[i].now_ms, w->log,
             steps[i].expected);
    }
  }
}

static inline void play(const char *name, const step *steps, size_t count) {
  world w;
  CHECK_INT(world_init(&w, 0), 0);
  play_on(&w, name, steps, count);
  world_free(&w);
}

#define PLAY(steps) play(#steps, steps, sizeof(steps) / sizeof(steps[0]))

// The headers that tell of |r| requests left for |t| seconds.
#define WINDOW(r, t) "RateLimit: \"resolvers\";r=" #r ";t=" #t

#endif // TAM_TEST_NET_SCRIPT_H
