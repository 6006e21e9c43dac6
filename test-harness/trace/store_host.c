// SPDX-License-Identifier: Apache-2.0
#include "store_host_parts.h"

#include "core/buf.h"
#include "core/json_tree.h"

// More steps than any test needs: an operation that is still at work then will
// not come to an end.
#define STEPS_MAX 200000

static void *grow(void *list, size_t count, size_t size) {
  list = realloc(list, (count + 1) * size);
  if (list == NULL) {
    fake_host_broken("the tests have memory");
  }
  return list;
}

char *store_host_copy_text(tam_span text) {
  char *copy = malloc(text.len + 1);
  if (text.len > 0) {
    memcpy(copy, text.ptr, text.len);
  }
  copy[text.len] = '\0';
  return copy;
}

void store_host_replace_text(char **ptext, tam_span text) {
  free(*ptext);
  *ptext = store_host_copy_text(text);
}

// ---------------------------------------------------------------------------
// The storage

stored_entry *store_host_find(const store_host *host, const char *store,
                              const char *key) {
  for (size_t i = 0; i < host->entry_count; i++) {
    stored_entry *entry = &host->entries[i];
    if (strcmp(entry->store, store) == 0 && strcmp(entry->key, key) == 0) {
      return entry;
    }
  }
  return NULL;
}

void store_host_delete(store_host *host, const char *store, const char *key) {
  stored_entry *entry = store_host_find(host, store, key);
  if (entry == NULL) {
    return;
  }
  size_t at = (size_t)(entry - host->entries);
  free(entry->key);
  free(entry->bytes);
  host->entry_count--;
  memmove(entry, entry + 1, (host->entry_count - at) * sizeof(*entry));
}

void store_host_put(store_host *host, const char *store, const char *key,
                    tam_span bytes, int is_content) {
  stored_entry entry = {.size = bytes.len, .is_content = is_content};
  snprintf(entry.store, sizeof(entry.store), "%s", store);
  entry.key = store_host_copy_text(tam_span_of(key));
  entry.bytes = (uint8_t *)store_host_copy_text(bytes);
  store_host_delete(host, store, key);
  host->entries =
      grow(host->entries, host->entry_count, sizeof(*host->entries));
  size_t at = 0;
  while (at < host->entry_count && strcmp(host->entries[at].key, key) < 0) {
    at++;
  }
  memmove(&host->entries[at + 1], &host->entries[at],
          (host->entry_count - at) * sizeof(*host->entries));
  host->entries[at] = entry;
  host->entry_count++;
}

static kept_bytes *find_bytes(kept_bytes *list, size_t count, uint32_t number) {
  for (size_t i = 0; i < count; i++) {
    if (list[i].request == number) {
      return &list[i];
    }
  }
  return NULL;
}

static kept_bytes *find_kept(const store_host *host, uint32_t request) {
  return find_bytes(host->kept, host->kept_count, request);
}

static kept_bytes *find_opened(const store_host *host, uint32_t op) {
  return find_bytes(host->opened, host->opened_count, op);
}

void store_host_keep(store_host *host, uint32_t request, tam_span bytes) {
  host->kept = grow(host->kept, host->kept_count, sizeof(*host->kept));
  host->kept[host->kept_count++] =
      (kept_bytes){request, (uint8_t *)store_host_copy_text(bytes), bytes.len};
}

static void forget(store_host *host, uint32_t request) {
  kept_bytes *kept = find_kept(host, request);
  if (kept != NULL) {
    free(kept->bytes);
    *kept = host->kept[--host->kept_count];
  }
}

// Ends what |op| has opened; when all is well, the caller has it.
static void close_opened(store_host *host, uint32_t op, int is_handed_on) {
  kept_bytes *opened = find_opened(host, op);
  if (opened == NULL) {
    return;
  }
  if (is_handed_on) {
    host->served = grow(host->served, opened->size, 1);
    memcpy(host->served, opened->bytes, opened->size);
    host->served_len = opened->size;
  }
  free(opened->bytes);
  *opened = host->opened[--host->opened_count];
}

// ---------------------------------------------------------------------------
// Actions

static void take_order(store_host *host, const tam_action *action) {
  host_order order = {
      .request = action->request,
      .op = action->op,
      .is_store = action->kind == TAM_ACTION_STORE,
      .flags = action->flags,
      .text = store_host_copy_text(action->first),
      .text_len = action->first.len,
      .bytes = (uint8_t *)store_host_copy_text(action->second),
      .bytes_len = action->second.len,
  };
  host->orders = grow(host->orders, host->order_count, sizeof(*host->orders));
  host->orders[host->order_count++] = order;
}

static host_order remove_order(store_host *host, size_t at) {
  host_order order = host->orders[at];
  host->order_count--;
  memmove(&host->orders[at], &host->orders[at + 1],
          (host->order_count - at) * sizeof(order));
  return order;
}

static void free_order(host_order *order) {
  free(order->text);
  free(order->bytes);
}

static void take_abort(store_host *host, uint32_t request) {
  for (size_t i = 0; i < host->order_count; i++) {
    if (host->orders[i].request == request) {
      host_order order = remove_order(host, i);
      free_order(&order);
      break;
    }
  }
  forget(host, request);
}

static void take_deliver(store_host *host, const tam_action *action) {
  const kept_bytes *kept = find_kept(host, action->request);
  char *text = store_host_copy_text(action->first);
  char *after;
  size_t at = strtoul(text, &after, 10);
  size_t len = strtoul(after, &after, 10);
  int is_part =
      kept != NULL && *after == '\0' && len > 0 && at + len <= kept->size;
  free(text);
  if (!is_part && host->is_hostile) {
    return;
  }
  if (!is_part) {
    fake_host_broken("what is delivered is a part of what was read");
  }
  host->served = grow(host->served, host->served_len + len, 1);
  memcpy(host->served + host->served_len, kept->bytes + at, len);
  host->served_len += len;
  forget(host, action->request);
}

static void on_action(void *user_data, const tam_action *action) {
  store_host *host = user_data;
  switch (action->kind) {
  case TAM_ACTION_FETCH:
  case TAM_ACTION_STORE:
    take_order(host, action);
    break;
  case TAM_ACTION_ABORT:
    if ((action->flags & TAM_FETCH_FLAG_KEEP) != 0) {
      break; // see HUB_FAULT_STALL
    }
    take_abort(host, action->request);
    break;
  case TAM_ACTION_FORGET:
    take_abort(host, action->request);
    break;
  case TAM_ACTION_DELIVER:
    take_deliver(host, action);
    break;
  case TAM_ACTION_MESSAGE:
    if ((action->flags & TAM_MESSAGE_FLAG_TERMINAL) != 0) {
      close_opened(host, action->op,
                   tam_span_find_nocase(action->first, TAM_SPAN("\"code\":")) ==
                       action->first.len);
    }
    store_host_replace_text((action->flags & TAM_MESSAGE_FLAG_TERMINAL) != 0
                                ? &host->last
                                : &host->progress,
                            action->first);
    break;
  default:
    break;
  }
}

// ---------------------------------------------------------------------------
// Events

void store_host_feed(store_host *host, tam_event event) {
  int error = fake_host_feed(&host->host, &event);
  if (error != 0 && error != TAM_ERR_OUT_OF_MEMORY && !host->is_hostile) {
    fprintf(stderr, "event %d: %s\n", (int)event.kind, tam_strerror(error));
    fake_host_broken("what the host reports is legal");
  }
}

size_t store_host_piece_of(const store_host *host) {
  return host->piece == 0 || host->piece > TAM_EVENT_PAYLOAD_MAX
             ? TAM_EVENT_PAYLOAD_MAX
             : host->piece;
}

// Whether |request| still waits for its answer: events may have ended it.
int store_host_is_live(const store_host *host, uint32_t request) {
  return fake_host_order(&host->host, request) != 0;
}

void store_host_feed_bytes(store_host *host, tam_event_kind kind,
                           uint32_t request, tam_span bytes) {
  size_t piece = store_host_piece_of(host);
  while (bytes.len > 0 && store_host_is_live(host, request)) {
    store_host_feed(host, (tam_event){.kind = kind,
                                      .request = request,
                                      .payload = tam_span_head(bytes, piece)});
    bytes = tam_span_from(bytes, piece);
  }
}

// ---------------------------------------------------------------------------
// Answers of the storage

static void end_store(store_host *host, uint32_t request, int found) {
  if (store_host_is_live(host, request)) {
    store_host_feed(host, (tam_event){.kind = TAM_EVENT_STORE_END,
                                      .request = request,
                                      .status = (uint32_t)found});
  }
}

static void answer_value(store_host *host, uint32_t request, tam_span bytes) {
  store_host_feed_bytes(host, TAM_EVENT_STORE_DATA, request, bytes);
  end_store(host, request, 1);
}

// Answers "list" and "keys".
static void answer_entries(store_host *host, uint32_t request,
                           const char *store, const char *prefix,
                           const char *suffix, int with_values) {
  for (size_t i = 0; i < host->entry_count; i++) {
    const stored_entry *entry = &host->entries[i];
    if (strcmp(entry->store, store) != 0 ||
        strncmp(entry->key, prefix, strlen(prefix)) != 0 ||
        !tam_span_ends_with(tam_span_of(entry->key), tam_span_of(suffix)) ||
        !store_host_is_live(host, request)) {
      continue;
    }
    store_host_feed(
        host, (tam_event){.kind = TAM_EVENT_STORE_KEY,
                          .request = request,
                          .status = with_values ? (uint32_t)entry->size : 0,
                          .payload = tam_span_of(entry->key)});
    if (with_values) {
      store_host_feed_bytes(host, TAM_EVENT_STORE_DATA, request,
                            (tam_span){entry->bytes, entry->size});
      if (entry->size == 0 && store_host_is_live(host, request)) {
        // As the real host does.
        store_host_feed(host, (tam_event){.kind = TAM_EVENT_STORE_DATA,
                                          .request = request});
      }
    }
  }
  end_store(host, request, 1);
}

static const char *text_of(const tam_json_node *order, const char *name) {
  return tam_json_get_text(tam_json_get_member(order, tam_span_of(name)));
}

static double number_of(const tam_json_node *order, const char *name,
                        double missing) {
  const tam_json_node *value = tam_json_get_member(order, tam_span_of(name));
  return value == NULL ? missing : tam_json_get_number(value);
}

// Opens a file: its chunks, put together.
static void answer_open(store_host *host, const host_order *order,
                        const tam_json_node *root) {
  char key[1024];
  size_t chunk = (size_t)number_of(root, "chunk", 0);
  size_t size = (size_t)number_of(root, "size", 0);
  uint8_t *bytes = malloc(size + 1);
  for (size_t at = 0; at < size; at += chunk) {
    size_t len = size - at < chunk ? size - at : chunk;
    snprintf(key, sizeof(key), "%s%zu", text_of(root, "prefix"), at / chunk);
    const stored_entry *entry = store_host_find(host, "files", key);
    if (entry == NULL || !entry->is_content || entry->size != len) {
      char text[32];
      snprintf(text, sizeof(text), "%zu", at / chunk);
      free(bytes);
      store_host_feed_bytes(host, TAM_EVENT_STORE_DATA, order->request,
                            tam_span_of(text));
      end_store(host, order->request, 0);
      return;
    }
    memcpy(bytes + at, entry->bytes, len);
  }
  close_opened(host, order->op, 0);
  host->opened = grow(host->opened, host->opened_count, sizeof(*host->opened));
  host->opened[host->opened_count++] = (kept_bytes){order->op, bytes, size};
  end_store(host, order->request, 1);
}

static void answer_read(store_host *host, const host_order *from_order,
                        const tam_json_node *order) {
  uint32_t request = from_order->request;
  tam_span whole = TAM_SPAN_NONE;
  int is_there = 0;
  if (tam_json_get_member(order, TAM_SPAN("opened")) != NULL) {
    const kept_bytes *opened = find_opened(host, from_order->op);
    is_there = opened != NULL;
    if (is_there) {
      whole = (tam_span){opened->bytes, opened->size};
    }
  } else if (tam_json_get_member(order, TAM_SPAN("body")) != NULL) {
    const kept_bytes *kept =
        find_kept(host, (uint32_t)number_of(order, "body", 0));
    is_there = kept != NULL;
    if (is_there) {
      whole = (tam_span){kept->bytes, kept->size};
    }
  } else {
    const stored_entry *entry =
        store_host_find(host, "files", text_of(order, "key"));
    is_there = entry != NULL && entry->is_content;
    if (is_there) {
      whole = (tam_span){entry->bytes, entry->size};
    }
  }
  size_t from = (size_t)number_of(order, "from", 0);
  size_t to = (size_t)number_of(order, "to", (double)whole.len);
  if (!is_there || to > whole.len) {
    end_store(host, request, 0);
    return;
  }
  // A copy: events may have it forgotten or overwritten.
  uint8_t *copy = (uint8_t *)store_host_copy_text(
      tam_span_head(tam_span_from(whole, from), to - from));
  if (tam_json_get_member(order, TAM_SPAN("keep")) != NULL) {
    store_host_keep(host, request, (tam_span){copy, to - from});
  }
  answer_value(host, request, (tam_span){copy, to - from});
  free(copy);
}

// Writes what several requests have brought.
static void write_bodies(store_host *host, const tam_json_node *change,
                         const char *key) {
  tam_mem mem = tam_mem_default();
  tam_buf bytes;
  tam_buf_init(&bytes, &mem, SIZE_MAX / 2);
  const tam_json_node *at =
      tam_json_get_first(tam_json_get_member(change, TAM_SPAN("bodies")));
  for (; at != NULL; at = tam_json_get_next(at)) {
    const kept_bytes *kept = find_kept(host, (uint32_t)tam_json_get_number(at));
    if (kept != NULL) {
      tam_buf_append(&bytes, (tam_span){kept->bytes, kept->size});
    } else if (!host->is_hostile) {
      fake_host_broken("what is written is kept");
    }
  }
  store_host_put(host, "files", key, tam_buf_span(&bytes), 1);
  tam_buf_free(&bytes);
}

// Applies a merge patch as text: what is tested is that it comes.
static void write_change(store_host *host, const tam_json_node *change,
                         tam_span *bytes) {
  const char *kind = text_of(change, "kind");
  const char *store = text_of(change, "store");
  const char *key = text_of(change, "key");
  if (strcmp(kind, "delete") == 0) {
    store_host_delete(host, store, key);
    return;
  }
  if (tam_json_get_member(change, TAM_SPAN("bodies")) != NULL) {
    write_bodies(host, change, key);
    return;
  }
  if (tam_json_get_member(change, TAM_SPAN("from")) != NULL) {
    const stored_entry *from =
        store_host_find(host, "files", text_of(change, "from"));
    if (from == NULL) {
      fake_host_broken("what is moved is there");
    }
    uint8_t *copy =
        (uint8_t *)store_host_copy_text((tam_span){from->bytes, from->size});
    store_host_put(host, store, key, (tam_span){copy, from->size}, 1);
    free(copy);
    return;
  }
  size_t len = (size_t)number_of(change, "bytes", 0);
  if (len > bytes->len) {
    fake_host_broken("a transaction has its bytes with it");
  }
  store_host_put(host, store, key, tam_span_head(*bytes, len),
                 strcmp(kind, "content") == 0);
  *bytes = tam_span_from(*bytes, len);
}

static void answer_size(store_host *host, uint32_t request, const char *key) {
  char text[32];
  const stored_entry *entry = store_host_find(host, "files", key);
  if (entry == NULL) {
    end_store(host, request, 0);
    return;
  }
  snprintf(text, sizeof(text), "%zu", entry->size);
  answer_value(host, request, tam_span_of(text));
}

static void answer_write(store_host *host, const host_order *order,
                         const tam_json_node *root) {
  tam_span bytes = {order->bytes, order->bytes_len};
  const tam_json_node *change =
      tam_json_get_first(tam_json_get_member(root, TAM_SPAN("batch")));
  for (; change != NULL; change = tam_json_get_next(change)) {
    write_change(host, change, &bytes);
  }
  if (bytes.len != 0) {
    fake_host_broken("a transaction has no bytes too many");
  }
  end_store(host, order->request, 1);
}

static void answer_estimate(store_host *host, uint32_t request) {
  char text[128];
  snprintf(text, sizeof(text),
           "{\"usage\":%.0f,\"quota\":%.0f,\"persisted\":true}", host->usage,
           host->quota);
  answer_value(host, request, tam_span_of(host->quota < 0 ? "{}" : text));
}

static int must_fail(const store_host *host) {
  return host->fail_order != 0 &&
         (host->storage_orders == host->fail_order ||
          (host->fail_all && host->storage_orders > host->fail_order));
}

static void answer_store(store_host *host, const host_order *order) {
  tam_mem mem = tam_mem_default();
  tam_json_node *root = NULL;
  host->storage_orders++;
  if (must_fail(host)) {
    store_host_feed(host,
                    (tam_event){.kind = TAM_EVENT_STORE_FAIL,
                                .request = order->request,
                                .payload = tam_span_of(host->fail_words)});
    return;
  }
  if (tam_json_tree_parse(&root,
                          (tam_span){(uint8_t *)order->text, order->text_len},
                          &mem) != 0) {
    fake_host_broken("orders are JSON");
  }
  const char *verb = text_of(root, "do");
  if (strcmp(verb, "list") == 0) {
    answer_entries(host, order->request, text_of(root, "store"),
                   text_of(root, "prefix"), "", 1);
  } else if (strcmp(verb, "keys") == 0) {
    answer_entries(host, order->request, "files", text_of(root, "prefix"),
                   text_of(root, "suffix"), 0);
  } else if (strcmp(verb, "read") == 0) {
    answer_read(host, order, root);
  } else if (strcmp(verb, "open") == 0) {
    answer_open(host, order, root);
  } else if (strcmp(verb, "size") == 0) {
    answer_size(host, order->request, text_of(root, "key"));
  } else if (strcmp(verb, "write") == 0) {
    answer_write(host, order, root);
  } else if (strcmp(verb, "estimate") == 0) {
    answer_estimate(host, order->request);
  } else if (strcmp(verb, "lock") == 0) {
    end_store(host, order->request, 1);
  } else if (strcmp(verb, "get") == 0) {
    const stored_entry *entry =
        store_host_find(host, text_of(root, "store"), text_of(root, "key"));
    if (entry != NULL) {
      answer_value(host, order->request, (tam_span){entry->bytes, entry->size});
    } else {
      end_store(host, order->request, 0);
    }
  } else {
    fake_host_broken("the storage knows the order");
  }
  tam_json_tree_free(root, &mem);
}

// ---------------------------------------------------------------------------
// Running

// Whether another operation holds the lock that |order| wants: it waits then.
static int is_locked(const store_host *host, const host_order *order) {
  if (!order->is_store || strstr(order->text, "{\"do\":\"lock\"") == NULL) {
    return 0;
  }
  if (host->is_locked_elsewhere) {
    return 1;
  }
  for (size_t i = 0; i < host->host.request_count; i++) {
    if (host->host.requests[i].is_held) {
      return 1; // all tests have one repository
    }
  }
  return 0;
}

// Moves orders that cannot be answered now to the end. Returns how many can.
static size_t sort_orders(store_host *host) {
  size_t ready = host->order_count;
  for (size_t i = 0; i < ready;) {
    if (is_locked(host, &host->orders[i])) {
      host_order order = remove_order(host, i);
      host->orders[host->order_count++] = order;
      ready--;
    } else {
      i++;
    }
  }
  return ready;
}

static size_t choose_order(store_host *host, size_t ready) {
  if (host->order <= 1) {
    return host->order == 0 ? 0 : ready - 1;
  }
  host->order = host->order * 1103515245U + 12345U;
  host->order |= 2; // it is no knob of the other kind
  return (host->order >> 16) % ready;
}

// Lets whoever reads what is served have room for more. Returns 0 when nobody
// does.
static int pull(store_host *host) {
  for (size_t i = 0; i < host->host.op_count; i++) {
    const fake_op *op = &host->host.ops[i];
    if (op->is_accepted && op->is_serving && op->terminals == 0 &&
        !op->is_pulled) {
      store_host_feed(host,
                      (tam_event){.kind = TAM_EVENT_PULL, .op = op->number});
      return 1;
    }
  }
  return 0;
}

int store_host_step(store_host *host) {
  size_t ready = sort_orders(host);
  if (ready > 0) {
    host_order order = remove_order(host, choose_order(host, ready));
    host->host.now_ms += host->latency_ms;
    if (order.is_store) {
      answer_store(host, &order);
    } else {
      store_host_answer_fetch(host, &order);
    }
    free_order(&order);
    return 1;
  }
  if (pull(host)) {
    return 1;
  }
  double wait = tam_manager_deadline(host->host.manager, host->host.now_ms);
  if (wait < 0) {
    return 0;
  }
  host->host.now_ms += wait;
  store_host_feed(host, (tam_event){.kind = TAM_EVENT_TIMER});
  return 1;
}

void store_host_run(store_host *host) {
  for (unsigned step = 0; store_host_step(host); step++) {
    if (step == STEPS_MAX) {
      fprintf(stderr, "%s\n", host->progress);
      fake_host_broken("an operation comes to an end");
    }
    if (tam_manager_busy(host->host.manager) == 0 && host->order_count == 0) {
      return;
    }
  }
}

uint32_t store_host_start(store_host *host, const char *message) {
  host->last_op++;
  store_host_feed(host, (tam_event){.kind = TAM_EVENT_COMMAND,
                                    .op = host->last_op,
                                    .payload = tam_span_of(message)});
  return host->last_op;
}

const char *store_host_do(store_host *host, const char *message) {
  store_host_replace_text(&host->last, TAM_SPAN(""));
  host->served_len = 0;
  (void)store_host_start(host, message);
  store_host_run(host);
  return host->last;
}

// ---------------------------------------------------------------------------
// Life

int store_host_init(store_host *host) {
  check_heap heap = host->host.heap;
  memset(host, 0, sizeof(*host));
  host->host.heap = heap;
  host->host.on_action = on_action;
  host->host.user_data = host;
  host->quota = 1e12;
  host->fail_words = "UnknownError: it does not work";
  store_host_add_commit(host, STORE_HOST_COMMIT);
  return fake_host_init(&host->host, STORE_HOST_URL);
}

void store_host_free(store_host *host) {
  if (host->host.manager != NULL) {
    fake_host_finish(&host->host);
  }
  fake_host_free(&host->host);
  while (host->order_count > 0) {
    host_order order = remove_order(host, 0);
    free_order(&order);
  }
  while (host->entry_count > 0) {
    stored_entry *entry = &host->entries[0];
    store_host_delete(host, entry->store, entry->key);
  }
  while (host->kept_count > 0) {
    forget(host, host->kept[0].request);
  }
  while (host->opened_count > 0) {
    close_opened(host, host->opened[0].request, 0);
  }
  for (size_t i = 0; i < host->commit_count; i++) {
    for (size_t j = 0; j < host->commits[i].count; j++) {
      free(host->commits[i].files[j].bytes);
    }
  }
  free(host->orders);
  free(host->entries);
  free(host->kept);
  free(host->opened);
  free(host->last);
  free(host->progress);
  free(host->served);
  free(host->url);
  free(host->headers);
}
