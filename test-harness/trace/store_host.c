// SPDX-License-Identifier: Apache-2.0
#include "store_host.h"

#include "core/hex.h"
#include "core/json_tree.h"
#include "core/json_write.h"
#include "store/content_hash.h"

// Room for a page of the tree.
#define PAGE_MAX 65536

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

static char *copy_text(tam_span text) {
  char *copy = malloc(text.len + 1);
  if (text.len > 0) {
    memcpy(copy, text.ptr, text.len);
  }
  copy[text.len] = '\0';
  return copy;
}

static void replace_text(char **ptext, tam_span text) {
  free(*ptext);
  *ptext = copy_text(text);
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
  entry.key = copy_text(tam_span_of(key));
  entry.bytes = (uint8_t *)copy_text(bytes);
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

static kept_bytes *find_kept(const store_host *host, uint32_t request) {
  for (size_t i = 0; i < host->kept_count; i++) {
    if (host->kept[i].request == request) {
      return &host->kept[i];
    }
  }
  return NULL;
}

static void keep(store_host *host, uint32_t request, tam_span bytes) {
  host->kept = grow(host->kept, host->kept_count, sizeof(*host->kept));
  host->kept[host->kept_count++] =
      (kept_bytes){request, (uint8_t *)copy_text(bytes), bytes.len};
}

static void forget(store_host *host, uint32_t request) {
  kept_bytes *kept = find_kept(host, request);
  if (kept != NULL) {
    free(kept->bytes);
    *kept = host->kept[--host->kept_count];
  }
}

// ---------------------------------------------------------------------------
// Actions

static void take_order(store_host *host, const tam_action *action) {
  host_order order = {
      .request = action->request,
      .op = action->op,
      .is_store = action->kind == TAM_ACTION_STORE,
      .flags = action->flags,
      .text = copy_text(action->first),
      .text_len = action->first.len,
      .bytes = (uint8_t *)copy_text(action->second),
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
  char *text = copy_text(action->first);
  char *after;
  size_t at = strtoul(text, &after, 10);
  size_t len = strtoul(after, &after, 10);
  if (kept == NULL || *after != '\0' || len == 0 || at + len > kept->size) {
    fake_host_broken("what is delivered is a part of what was read");
  }
  free(text);
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
  case TAM_ACTION_FORGET:
    take_abort(host, action->request);
    break;
  case TAM_ACTION_DELIVER:
    take_deliver(host, action);
    break;
  case TAM_ACTION_MESSAGE:
    replace_text((action->flags & TAM_MESSAGE_FLAG_TERMINAL) != 0
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

static void feed(store_host *host, tam_event event) {
  int error = fake_host_feed(&host->host, &event);
  if (error != 0 && error != TAM_ERR_OUT_OF_MEMORY) {
    fprintf(stderr, "event %d: %s\n", (int)event.kind, tam_strerror(error));
    fake_host_broken("what the host reports is legal");
  }
}

static size_t piece_of(const store_host *host) {
  return host->piece == 0 || host->piece > TAM_EVENT_PAYLOAD_MAX
             ? TAM_EVENT_PAYLOAD_MAX
             : host->piece;
}

// Whether |request| still waits for its answer: events may have ended it.
static int is_live(const store_host *host, uint32_t request) {
  return fake_host_order(&host->host, request) != 0;
}

static void feed_bytes(store_host *host, tam_event_kind kind, uint32_t request,
                       tam_span bytes) {
  size_t piece = piece_of(host);
  while (bytes.len > 0 && is_live(host, request)) {
    feed(host, (tam_event){.kind = kind,
                           .request = request,
                           .payload = tam_span_head(bytes, piece)});
    bytes = tam_span_from(bytes, piece);
  }
}

// ---------------------------------------------------------------------------
// Answers of the storage

static void end_store(store_host *host, uint32_t request, int found) {
  if (is_live(host, request)) {
    feed(host, (tam_event){.kind = TAM_EVENT_STORE_END,
                           .request = request,
                           .status = (uint32_t)found});
  }
}

static void answer_value(store_host *host, uint32_t request, tam_span bytes) {
  feed_bytes(host, TAM_EVENT_STORE_DATA, request, bytes);
  end_store(host, request, 1);
}

// Answers "list" and "keys".
static void answer_entries(store_host *host, uint32_t request,
                           const char *store, const char *prefix,
                           int with_values) {
  for (size_t i = 0; i < host->entry_count; i++) {
    const stored_entry *entry = &host->entries[i];
    if (strcmp(entry->store, store) != 0 ||
        strncmp(entry->key, prefix, strlen(prefix)) != 0 ||
        !is_live(host, request)) {
      continue;
    }
    feed(host, (tam_event){.kind = TAM_EVENT_STORE_KEY,
                           .request = request,
                           .status = with_values ? (uint32_t)entry->size : 0,
                           .payload = tam_span_of(entry->key)});
    if (with_values) {
      feed_bytes(host, TAM_EVENT_STORE_DATA, request,
                 (tam_span){entry->bytes, entry->size});
      if (entry->size == 0 && is_live(host, request)) {
        // As the real host does.
        feed(host,
             (tam_event){.kind = TAM_EVENT_STORE_DATA, .request = request});
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

static void answer_read(store_host *host, uint32_t request,
                        const tam_json_node *order) {
  tam_span whole = TAM_SPAN_NONE;
  int is_there = 0;
  if (tam_json_get_member(order, TAM_SPAN("body")) != NULL) {
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
  uint8_t *copy = (uint8_t *)copy_text(
      tam_span_head(tam_span_from(whole, from), to - from));
  if (tam_json_get_member(order, TAM_SPAN("keep")) != NULL) {
    keep(host, request, (tam_span){copy, to - from});
  }
  answer_value(host, request, (tam_span){copy, to - from});
  free(copy);
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
  if (tam_json_get_member(change, TAM_SPAN("body")) != NULL) {
    const kept_bytes *kept =
        find_kept(host, (uint32_t)number_of(change, "body", 0));
    if (kept == NULL) {
      fake_host_broken("what is written is kept");
    }
    store_host_put(host, store, key, (tam_span){kept->bytes, kept->size}, 1);
    return;
  }
  if (tam_json_get_member(change, TAM_SPAN("from")) != NULL) {
    const stored_entry *from =
        store_host_find(host, "files", text_of(change, "from"));
    if (from == NULL) {
      fake_host_broken("what is moved is there");
    }
    uint8_t *copy = (uint8_t *)copy_text((tam_span){from->bytes, from->size});
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
    feed(host, (tam_event){.kind = TAM_EVENT_STORE_FAIL,
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
                   text_of(root, "prefix"), 1);
  } else if (strcmp(verb, "keys") == 0) {
    answer_entries(host, order->request, "files", text_of(root, "prefix"), 0);
  } else if (strcmp(verb, "read") == 0) {
    answer_read(host, order->request, root);
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
// Answers of the Hub

static void feed_head(store_host *host, uint32_t request, uint32_t status,
                      const char *headers) {
  if (is_live(host, request)) {
    feed(host, (tam_event){.kind = TAM_EVENT_HTTP_HEAD,
                           .request = request,
                           .status = status,
                           .payload = tam_span_of(headers)});
  }
}

// Feeds a body, which is kept when the order says so.
static void feed_body(store_host *host, const host_order *order,
                      tam_span body) {
  uint32_t request = order->request;
  if (!is_live(host, request)) {
    return;
  }
  if ((order->flags & TAM_FETCH_FLAG_KEEP) == 0) {
    feed_bytes(host, TAM_EVENT_HTTP_DATA, request, body);
    return;
  }
  size_t piece = piece_of(host);
  for (size_t at = 0; at < body.len && is_live(host, request); at += piece) {
    size_t len = body.len - at < piece ? body.len - at : piece;
    if ((order->flags & TAM_FETCH_FLAG_WHOLE) == 0) {
      feed(host, (tam_event){.kind = TAM_EVENT_HTTP_KEPT,
                             .request = request,
                             .status = (uint32_t)len});
    }
  }
}

static void end_body(store_host *host, const host_order *order, tam_span body) {
  uint32_t request = order->request;
  if (!is_live(host, request)) {
    return;
  }
  int is_kept = (order->flags & TAM_FETCH_FLAG_KEEP) != 0;
  if (is_kept) {
    keep(host, request, body);
  }
  feed(host, (tam_event){.kind = TAM_EVENT_HTTP_END,
                         .request = request,
                         .status = is_kept ? (uint32_t)body.len : 0});
}

static void break_off(store_host *host, uint32_t request) {
  if (is_live(host, request)) {
    feed(host, (tam_event){.kind = TAM_EVENT_HTTP_FAIL,
                           .request = request,
                           .payload = TAM_SPAN("the connection was reset")});
  }
}

static void answer_text(store_host *host, const host_order *order,
                        const char *headers, tam_span text) {
  feed_head(host, order->request, 200, headers);
  feed_body(host, order, text);
  end_body(host, order, text);
}

static void answer_revision(store_host *host, const host_order *order) {
  char text[128];
  snprintf(text, sizeof(text), "{\"sha\":\"%s\",\"pipeline_tag\":\"x\"}",
           host->commits[host->main].sha);
  answer_text(host, order, "", tam_span_of(text));
}

static hub_commit *find_commit(store_host *host, const char *sha) {
  for (size_t i = 0; i < host->commit_count; i++) {
    if (strncmp(host->commits[i].sha, sha, 40) == 0) {
      return &host->commits[i];
    }
  }
  return NULL;
}

// Writes the digests by which the Hub names the content of |file|.
static void write_digests(const hub_file *file, tam_buf *json) {
  uint8_t digest[TAM_CONTENT_DIGEST_MAX];
  uint8_t text[2 * TAM_CONTENT_DIGEST_MAX];
  tam_content_hash hash;
  uint8_t algorithm =
      file->is_lfs ? TAM_FILE_HASH_SHA256 : TAM_FILE_HASH_GIT_SHA1;
  size_t size = tam_file_hash_digest_size(algorithm);
  tam_content_hash_init(&hash, algorithm, file->size);
  tam_content_hash_update(&hash, (tam_span){file->bytes, file->size});
  tam_content_hash_final(&hash, digest);
  tam_hex_write(text, (tam_span){digest, size});
  if (!file->is_lfs) {
    tam_json_write_string_member(json, "oid", (tam_span){text, 2 * size});
    return;
  }
  tam_json_write_name_member(json, "oid",
                             "0000000000000000000000000000000000000000");
  tam_json_write_member_begin(json, "lfs");
  tam_json_write_string_member(json, "oid", (tam_span){text, 2 * size});
  tam_json_write_number_member(json, "size", (double)file->size);
  tam_json_write_object_end(json);
}

static void answer_tree(store_host *host, const host_order *order,
                        const hub_commit *commit) {
  const char *cursor = strstr(order->text, "&cursor=");
  size_t from = cursor == NULL ? 0 : strtoul(cursor + 8, NULL, 10);
  size_t to = host->tree_page == 0 ? commit->count : from + host->tree_page;
  tam_mem mem = tam_mem_default();
  char link[256] = "";
  tam_buf json;
  tam_buf_init(&json, &mem, PAGE_MAX);
  tam_json_write_array_begin(&json);
  for (size_t i = from; i < to && i < commit->count; i++) {
    const hub_file *file = &commit->files[i];
    tam_json_write_object_begin(&json);
    tam_json_write_name_member(&json, "type", "file");
    tam_json_write_name_member(&json, "path", file->path);
    tam_json_write_number_member(&json, "size", (double)file->size);
    write_digests(file, &json);
    tam_json_write_object_end(&json);
  }
  tam_json_write_array_end(&json);
  if (to < commit->count || host->is_tree_endless) {
    snprintf(link, sizeof(link),
             "link: <https://elsewhere.test/x?cursor=%zu>; rel=\"next\"\r\n",
             to);
  }
  answer_text(host, order, link, tam_buf_span(&json));
  tam_buf_free(&json);
}

// What of |file| is asked for, and how the head of the answer says so.
static uint32_t read_range(const host_order *order, const hub_file *file,
                           size_t *pfrom, size_t *pto, char *headers) {
  const char *range = strstr((const char *)order->bytes, "range: bytes=");
  const char *etag = strstr((const char *)order->bytes, "if-range: ");
  char mine[64];
  int len = snprintf(mine, sizeof(mine), "\"%02x%zu\"",
                     file->size > 0 ? file->bytes[0] : 0, file->size);
  *pfrom = 0;
  *pto = file->size;
  if (range == NULL ||
      (etag != NULL && strncmp(etag + 10, mine, (size_t)len) != 0)) {
    sprintf(headers, "etag: %s\r\n", mine);
    return 200;
  }
  char *after;
  *pfrom = strtoul(range + 13, &after, 10);
  *pto = strtoul(after + 1, NULL, 10) + 1;
  if (*after != '-' || *pto > file->size || *pfrom >= *pto) {
    fake_host_broken("parts that are asked for are parts of the file");
  }
  sprintf(headers, "etag: %s\r\ncontent-range: bytes %zu-%zu/%zu\r\n", mine,
          *pfrom, *pto - 1, file->size);
  return 206;
}

static void refuse(store_host *host, const host_order *order, uint32_t status,
                   const char *headers) {
  feed_head(host, order->request, status, headers);
  end_body(host, order, TAM_SPAN_NONE);
}

// Returns 1 when the fault is the whole answer.
static int answer_fault(store_host *host, const host_order *order,
                        hub_fault fault) {
  switch (fault) {
  case HUB_FAULT_RESET:
    break_off(host, order->request);
    return 1;
  case HUB_FAULT_NOT_FOUND:
    refuse(host, order, 404, "x-error-code: EntryNotFound\r\n");
    return 1;
  case HUB_FAULT_GATED:
    refuse(host, order, 403, "x-error-code: GatedRepo\r\n");
    return 1;
  case HUB_FAULT_FORBIDDEN:
    refuse(host, order, 403, "");
    return 1;
  case HUB_FAULT_SERVER:
    refuse(host, order, 500, "");
    return 1;
  case HUB_FAULT_LIMIT:
    refuse(host, order, 429, "ratelimit: \"resolvers\";r=0;t=30\r\n");
    return 1;
  case HUB_FAULT_SILENT:
    return 1;
  default:
    return 0;
  }
}

static void answer_part(store_host *host, const host_order *order,
                        const hub_file *file, hub_fault fault) {
  char headers[256];
  size_t from;
  size_t to;
  uint32_t status = read_range(order, file, &from, &to, headers);
  if (fault == HUB_FAULT_WHOLE) {
    status = 200;
    from = 0;
    to = file->size;
  } else if (fault == HUB_FAULT_OTHER_PART && status == 206) {
    sprintf(headers, "content-range: bytes %zu-%zu/%zu\r\n", from + 1, to,
            file->size);
  }
  uint8_t *copy = (uint8_t *)copy_text(tam_span_head(
      tam_span_from((tam_span){file->bytes, file->size}, from), to - from));
  size_t len = to - from;
  if (fault == HUB_FAULT_FLIP && len > 0) {
    copy[len / 2] ^= 1;
  }
  len += fault == HUB_FAULT_LONG; // the byte of the terminator
  len -= fault == HUB_FAULT_SHORT && len > 0;
  tam_span body = {copy, len};
  feed_head(host, order->request, status, headers);
  if (fault == HUB_FAULT_BREAK) {
    feed_body(host, order, tam_span_head(body, len / 2));
    break_off(host, order->request);
  } else {
    feed_body(host, order, body);
    end_body(host, order, body);
  }
  host->file_bytes += len;
  free(copy);
}

static void answer_file(store_host *host, const host_order *order,
                        hub_fault fault) {
  const char *sha = strstr(order->text, "/resolve/");
  hub_commit *commit = sha == NULL ? NULL : find_commit(host, sha + 9);
  const hub_file *file =
      commit == NULL ? NULL : store_host_find_file(commit, sha + 9 + 41);
  if (file == NULL) {
    fake_host_broken("files are asked for that the commit has");
  }
  replace_text(&host->url, tam_span_of(order->text));
  replace_text(&host->headers, (tam_span){order->bytes, order->bytes_len});
  answer_part(host, order, file, fault);
}

static void answer_fetch(store_host *host, const host_order *order) {
  const char *path = order->text + strlen(STORE_HOST_URL);
  int is_api = strncmp(path, "/api/models/" STORE_HOST_MODEL "/", 23) == 0;
  hub_fault fault = is_api ? host->api_fault : HUB_FAULT_NONE;
  host->fetches++;
  host->file_fetches += !is_api;
  if (host->fault != NULL && !is_api) {
    fault = host->fault(host, order->text, host->file_fetches);
  }
  if (strstr(path, "&cursor=") != NULL && host->later_page_fault != 0) {
    fault = host->later_page_fault;
  }
  if (host->is_offline) {
    fault = HUB_FAULT_RESET;
  }
  if (answer_fault(host, order, fault)) {
    return;
  }
  if (!is_api) {
    answer_file(host, order, fault);
    return;
  }
  const char *tree = strstr(path, "/tree/");
  if (fault == HUB_FAULT_BREAK) {
    feed_head(host, order->request, 200, "");
    feed_body(host, order, TAM_SPAN("[{\"type\":\"fi"));
    break_off(host, order->request);
  } else if (tree == NULL) {
    answer_revision(host, order);
  } else {
    answer_tree(host, order, find_commit(host, tree + 6));
  }
}

hub_fault store_host_file_fault(store_host *host, const char *url,
                                unsigned nth) {
  (void)url;
  return nth >= host->fault_from && nth <= host->fault_to ? host->fault_kind
                                                          : HUB_FAULT_NONE;
}

// ---------------------------------------------------------------------------
// Running

// Whether another operation holds the lock that |order| wants: it waits then.
static int is_locked(const store_host *host, const host_order *order) {
  if (!order->is_store || strstr(order->text, "{\"do\":\"lock\"") == NULL) {
    return 0;
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
      feed(host, (tam_event){.kind = TAM_EVENT_PULL, .op = op->number});
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
      answer_fetch(host, &order);
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
  feed(host, (tam_event){.kind = TAM_EVENT_TIMER});
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
  feed(host, (tam_event){.kind = TAM_EVENT_COMMAND,
                         .op = host->last_op,
                         .payload = tam_span_of(message)});
  return host->last_op;
}

const char *store_host_do(store_host *host, const char *message) {
  replace_text(&host->last, TAM_SPAN(""));
  host->served_len = 0;
  (void)store_host_start(host, message);
  store_host_run(host);
  return host->last;
}

// ---------------------------------------------------------------------------
// The Hub's files

hub_file *store_host_find_file(hub_commit *commit, const char *path) {
  for (size_t i = 0; i < commit->count; i++) {
    if (strcmp(commit->files[i].path, path) == 0) {
      return &commit->files[i];
    }
  }
  return NULL;
}

void store_host_add_file(store_host *host, const char *path, size_t size,
                         unsigned seed, int is_lfs) {
  hub_commit *commit = &host->commits[host->commit_count - 1];
  hub_file *file = store_host_find_file(commit, path);
  if (file == NULL) {
    file = &commit->files[commit->count++];
    memset(file, 0, sizeof(*file));
    snprintf(file->path, sizeof(file->path), "%s", path);
  }
  free(file->bytes);
  file->bytes = malloc(size + 1);
  file->size = size;
  file->is_lfs = is_lfs;
  for (size_t i = 0; i < size; i++) {
    seed = seed * 1103515245U + 12345U;
    file->bytes[i] = (uint8_t)(seed >> 16);
  }
}

hub_commit *store_host_add_commit(store_host *host, const char *sha) {
  hub_commit *commit = &host->commits[host->commit_count];
  memset(commit, 0, sizeof(*commit));
  snprintf(commit->sha, sizeof(commit->sha), "%s", sha);
  host->main = host->commit_count++;
  if (host->main > 0) {
    const hub_commit *before = commit - 1;
    for (size_t i = 0; i < before->count; i++) {
      const hub_file *file = &before->files[i];
      commit->files[i] = *file;
      commit->files[i].bytes =
          (uint8_t *)copy_text((tam_span){file->bytes, file->size});
    }
    commit->count = before->count;
  }
  return commit;
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
  for (size_t i = 0; i < host->commit_count; i++) {
    for (size_t j = 0; j < host->commits[i].count; j++) {
      free(host->commits[i].files[j].bytes);
    }
  }
  free(host->orders);
  free(host->entries);
  free(host->kept);
  free(host->last);
  free(host->progress);
  free(host->served);
  free(host->url);
  free(host->headers);
}
