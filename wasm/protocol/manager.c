// SPDX-License-Identifier: Apache-2.0
// The manager: takes events in, gives them to whom they concern, and lets the
// request pool and the operations act on what changed.
#include "protocol/manager_state.h"

#include "core/event.h"
#include "core/event_names.h"
#include "core/mem.h"
#include "net/endpoint.h"
#include "store/storage.h"

#include <math.h>

// A message to all panels.
#define EVENT_MAX 4096

// ---------------------------------------------------------------------------
// Life

static int manager_init(tam_manager *manager, tam_span hub_url,
                        tam_span mirrors) {
  tam_action_queue_init(&manager->queue, &manager->mem);
  tam_buf_init(&manager->hub_url, &manager->mem, TAM_ENDPOINT_MAX);
  tam_buf_append(&manager->hub_url, hub_url);
  tam_buf_init(&manager->mirrors, &manager->mem, TAM_MIRRORS_MAX);
  tam_buf_append(&manager->mirrors, mirrors);
  tam_pieces_init(&manager->pieces, &manager->queue, &manager->mem);
  tam_panels_init(&manager->panels, &manager->queue);
  if (manager->hub_url.error != 0 || manager->mirrors.error != 0) {
    return TAM_ERR_OUT_OF_MEMORY; // their lengths have been checked
  }
  int error = tam_net_new(&manager->net, &manager->queue, &manager->random,
                          &manager->mem);
  manager->host = (tam_list_host){&manager->mem,
                                  &manager->queue,
                                  manager->net,
                                  &manager->random,
                                  tam_buf_span(&manager->hub_url),
                                  &manager->token};
  if (error == 0) {
    tam_store_host host = {&manager->mem,
                           &manager->queue,
                           manager->net,
                           &manager->random,
                           tam_buf_span(&manager->hub_url),
                           tam_buf_span(&manager->mirrors),
                           &manager->token};
    error = tam_store_new(&manager->store, &host);
  }
  if (error == 0) {
    tam_chat_host host = {&manager->mem, &manager->queue, &manager->random,
                          &manager->token};
    error = tam_chat_new(&manager->chat, &host);
  }
  if (error == 0) {
    tam_account_host host = {&manager->mem, &manager->queue, manager->net,
                             &manager->token, tam_buf_span(&manager->hub_url)};
    error = tam_account_new(&manager->account, &host);
  }
  if (error == 0) {
    tam_journal_host host = {&manager->mem, &manager->queue, manager->store,
                             manager->chat};
    error = tam_journal_new(&manager->journal, &host);
  }
  return error;
}

int tam_manager_new(tam_manager **pmanager, const tam_config *config,
                    const tam_mem *mem) {
  size_t end = tam_span_find_byte(config->hub_url, '\n');
  tam_span hub_url = tam_span_head(config->hub_url, end);
  tam_span mirrors = tam_span_from(config->hub_url, end + 1);
  while (hub_url.len > 0 && hub_url.ptr[hub_url.len - 1] == '/') {
    hub_url.len--;
  }
  if (!tam_endpoint_is_valid(hub_url) ||
      (end < config->hub_url.len && !tam_mirrors_are_valid(mirrors))) {
    return TAM_ERR_INVALID_ARGUMENT;
  }
  tam_manager *manager = tam_mem_calloc(mem, 1, sizeof(*manager));
  if (manager == NULL) {
    return TAM_ERR_OUT_OF_MEMORY;
  }
  manager->mem = *mem;
  tam_random_init(&manager->random, config->seed);
  int error = manager_init(manager, hub_url, mirrors);
  if (error != 0) {
    tam_manager_del(manager);
    return error;
  }
  *pmanager = manager;
  return 0;
}

void tam_manager_del(tam_manager *manager) {
  if (manager == NULL) {
    return;
  }
  const tam_mem *mem = &manager->mem; // read before it is freed
  for (size_t i = 0; i < manager->op_count; i++) {
    tam_list_op_del(manager->ops[i]);
  }
  tam_journal_del(manager->journal);
  tam_pieces_end(&manager->pieces);
  tam_store_del(manager->store);
  tam_chat_del(manager->chat);
  tam_account_del(manager->account);
  tam_action_queue_free(&manager->queue);
  tam_net_del(manager->net);
  tam_buf_free(&manager->hub_url);
  tam_buf_free(&manager->mirrors);
  tam_mem_free(mem, manager->in_buf);
  tam_mem_free(mem, manager);
}

uint8_t *tam_manager_in_buf(tam_manager *manager, size_t len) {
  if (len > TAM_EVENT_RUNTIME_PAYLOAD_MAX) {
    return NULL;
  }
  size_t size = len > TAM_EVENT_PAYLOAD_MAX ? len : TAM_EVENT_PAYLOAD_MAX;
  if (manager->in_buf_size < size) {
    tam_mem_free(&manager->mem, manager->in_buf); // what is in it is used
    manager->in_buf = tam_mem_malloc(&manager->mem, size);
    manager->in_buf_size = manager->in_buf == NULL ? 0 : size;
  }
  return manager->in_buf;
}

// ---------------------------------------------------------------------------
// Operations

tam_list_op *tam_manager_find_op(const tam_manager *manager, uint32_t op) {
  for (size_t i = 0; i < manager->op_count; i++) {
    if (tam_list_op_number(manager->ops[i]) == op) {
      return manager->ops[i];
    }
  }
  return NULL;
}

static void manager_reap(tam_manager *manager) {
  size_t kept = 0;
  for (size_t i = 0; i < manager->op_count; i++) {
    tam_list_op *op = manager->ops[i];
    if (tam_list_op_is_ended(op)) {
      tam_list_op_del(op);
    } else {
      manager->ops[kept++] = op;
    }
  }
  manager->op_count = kept;
}

static void manager_report(tam_manager *manager, const tam_net_report *report) {
  tam_list_op *op = tam_manager_find_op(manager, report->op);
  if (op != NULL) {
    tam_list_op_on_report(op, report, manager->now_ms);
  } else if (tam_account_has_op(manager->account, report->op)) {
    tam_account_on_net(manager->account, report, manager->now_ms);
  } else {
    tam_store_on_net(manager->store, report, manager->now_ms);
  }
}

static void manager_advance_once(tam_manager *manager) {
  tam_net_report report;
  tam_net_advance(manager->net, manager->now_ms, &report);
  while (report.kind != TAM_NET_NOTHING) {
    manager_report(manager, &report);
    tam_net_advance(manager->net, manager->now_ms, &report);
  }
  for (size_t i = 0; i < manager->op_count; i++) {
    tam_list_op_advance(manager->ops[i], manager->now_ms);
  }
  manager_reap(manager);
  tam_store_advance(manager->store, manager->now_ms);
  tam_chat_advance(manager->chat, manager->now_ms);
  tam_journal_advance(manager->journal, manager->now_ms);
}

// Releases the model that nobody needs any more; panels hear of it as far as
// memory goes.
static void manager_advance_panels(tam_manager *manager) {
  int is_loaded = tam_chat_get_facts(manager->chat).state == TAM_CHAT_READY;
  tam_buf json;
  if (tam_panels_advance(&manager->panels, tam_manager_busy(manager) > 0,
                         is_loaded, manager->now_ms)) {
    tam_chat_unload(manager->chat);
    tam_buf_init(&json, &manager->mem, EVENT_MAX);
    tam_event_begin(&json, TAM_NAME_WORKER_RESET_COMPLETE);
    (void)tam_event_send(&manager->queue, 0, &json);
  }
}

// Lets time and limits have their effect until nothing more happens: requests
// that operations ask for in their turn start in this one.
static void manager_advance(tam_manager *manager) {
  double net_ms;
  do {
    manager_advance_once(manager);
    net_ms = tam_net_deadline(manager->net);
  } while (net_ms >= 0 && net_ms <= manager->now_ms);
  manager_advance_panels(manager);
}

// ---------------------------------------------------------------------------
// Events

static int manager_on_http(tam_manager *manager, const tam_event *event) {
  tam_net_report report;
  int error = tam_net_feed(manager->net, event, manager->now_ms, &report);
  if (error == 0 && report.kind != TAM_NET_NOTHING) {
    manager_report(manager, &report);
  }
  return error;
}

static int manager_on_op_event(tam_manager *manager, const tam_event *event) {
  if (event->kind == TAM_EVENT_CANCEL &&
      tam_account_has_op(manager->account, event->op)) {
    tam_account_cancel(manager->account, manager->now_ms);
    return 0;
  }
  tam_list_op *op = tam_manager_find_op(manager, event->op);
  if (tam_journal_has_op(manager->journal, event->op)) {
    if (event->kind != TAM_EVENT_CANCEL) {
      return TAM_ERR_INVALID_STATE;
    }
    tam_journal_cancel(manager->journal, event->op, manager->now_ms);
    return 0;
  }
  if (event->kind == TAM_EVENT_CANCEL && event->op != 0 &&
      event->op == manager->pieces.op) {
    tam_pieces_fail(&manager->pieces, TAM_ERR_CANCELLED, manager->now_ms);
    return 0;
  }
  if (op == NULL) {
    return tam_chat_has_op(manager->chat, event->op)
               ? tam_chat_feed(manager->chat, event, manager->now_ms)
               : tam_store_feed(manager->store, event, manager->now_ms);
  }
  switch (event->kind) {
  case TAM_EVENT_LISTING_DATA:
    return tam_list_op_feed_rows(op, event->payload, manager->now_ms);
  case TAM_EVENT_LISTING_END:
    return tam_list_op_end_rows(op, manager->now_ms);
  default:
    tam_list_op_cancel(op, manager->now_ms);
    return 0;
  }
}

static int manager_on_event(tam_manager *manager, const tam_event *event) {
  switch (event->kind) {
  case TAM_EVENT_COMMAND:
    return tam_manager_on_command(manager, event);
  case TAM_EVENT_HTTP_HEAD:
  case TAM_EVENT_HTTP_DATA:
  case TAM_EVENT_HTTP_END:
  case TAM_EVENT_HTTP_FAIL:
  case TAM_EVENT_HTTP_KEPT:
    return manager_on_http(manager, event);
  case TAM_EVENT_STORE_KEY:
  case TAM_EVENT_STORE_DATA:
  case TAM_EVENT_STORE_END:
  case TAM_EVENT_STORE_FAIL:
    return event->request > TAM_STORAGE_ID_MAX
               ? tam_journal_feed(manager->journal, event, manager->now_ms)
               : tam_store_feed(manager->store, event, manager->now_ms);
  case TAM_EVENT_PULL:
    return tam_store_feed(manager->store, event, manager->now_ms);
  case TAM_EVENT_RUNTIME_DATA:
  case TAM_EVENT_RUNTIME_END:
  case TAM_EVENT_RUNTIME_FAIL:
  case TAM_EVENT_RUNTIME_PROGRESS:
    return tam_chat_feed(manager->chat, event, manager->now_ms);
  case TAM_EVENT_LISTING_DATA:
  case TAM_EVENT_LISTING_END:
  case TAM_EVENT_CANCEL:
    return manager_on_op_event(manager, event);
  case TAM_EVENT_TIMER:
    return 0;
  default:
    return TAM_ERR_INVALID_ARGUMENT;
  }
}

// Returns the time at |host_ms| by the host's clock. When that clock has
// stepped back, or tells no time at all, none has passed.
static double manager_time(const tam_manager *manager, double host_ms) {
  double passed_ms = isfinite(host_ms) ? host_ms - manager->host_ms : 0;
  return passed_ms > 0 ? manager->now_ms + passed_ms : manager->now_ms;
}

int tam_manager_feed(tam_manager *manager, const tam_event *event,
                     double now_ms) {
  size_t len_max = event->kind >= TAM_EVENT_RUNTIME_DATA
                       ? TAM_EVENT_RUNTIME_PAYLOAD_MAX
                       : TAM_EVENT_PAYLOAD_MAX;
  if (event->payload.len > len_max) {
    return TAM_ERR_INVALID_ARGUMENT;
  }
  manager->now_ms = manager_time(manager, now_ms);
  if (isfinite(now_ms)) {
    manager->host_ms = now_ms;
  }
  int error = manager_on_event(manager, event);
  if (error == 0) {
    manager_advance(manager);
  }
  return error;
}

const tam_action *tam_manager_next(tam_manager *manager) {
  return tam_journal_next(manager->journal);
}

// The earlier of two times, of which -1 is none.
static double sooner(double a_ms, double b_ms) {
  return a_ms < 0 || (b_ms >= 0 && b_ms < a_ms) ? b_ms : a_ms;
}

double tam_manager_deadline(const tam_manager *manager, double now_ms) {
  double at_ms = tam_net_deadline(manager->net);
  at_ms = sooner(at_ms, tam_store_deadline(manager->store));
  at_ms = sooner(at_ms, tam_chat_deadline(manager->chat));
  at_ms = sooner(at_ms, tam_journal_deadline(manager->journal));
  at_ms = sooner(at_ms, tam_panels_deadline(&manager->panels));
  for (size_t i = 0; i < manager->op_count; i++) {
    at_ms = sooner(at_ms, tam_list_op_deadline(manager->ops[i]));
  }
  if (at_ms < 0) {
    return -1;
  }
  now_ms = manager_time(manager, now_ms);
  return at_ms > now_ms ? at_ms - now_ms : 0;
}

size_t tam_manager_busy(const tam_manager *manager) {
  return manager->op_count + tam_store_busy(manager->store) +
         tam_chat_busy(manager->chat) + tam_account_busy(manager->account) +
         tam_journal_busy(manager->journal) + (manager->pieces.op != 0);
}
