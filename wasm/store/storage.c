// SPDX-License-Identifier: Apache-2.0
#include "store/storage.h"

#include "core/json_write.h"
#include "core/mem.h"
#include "core/names.h"
#include "net/net.h"

#include <string.h>

// The text of a request that is no transaction: two keys, each byte of them
// escaped.
#define JSON_MAX (12 * TAM_STORAGE_KEY_MAX + 256)

typedef enum request_kind {
  REQUEST_PLAIN = 0, // its data is one value, reported with its end
  REQUEST_LIST,      // keys with values
  REQUEST_KEYS,      // keys
  REQUEST_CONTENT,   // its data is reported as it comes
  REQUEST_LOCK       // stays when it has ended, until it is dropped
} request_kind;

typedef struct storage_request {
  struct storage_request *next;
  uint32_t id;
  tam_storage_owner owner;
  request_kind kind;
  int is_held;      // a lock that was got
  int error;        // OUT_OF_MEMORY: an entry was lost
  size_t entry_len; // of the value that belongs to |key|
  tam_buf key;
  tam_buf value;
  // Memory for telling the host that it is over: that must not fail.
  tam_action_node *farewell;
} storage_request;

struct tam_storage {
  const tam_mem *mem;
  tam_action_queue *queue;
  storage_request *first;
  storage_request *done; // ended, but its report is still being read
  uint32_t id_min;
  uint32_t id_max;
  uint32_t last_id;
};

int tam_storage_new(tam_storage **pstorage, tam_action_queue *queue,
                    uint32_t id_min, uint32_t id_max, const tam_mem *mem) {
  tam_storage *storage = tam_mem_calloc(mem, 1, sizeof(*storage));
  if (storage == NULL) {
    return TAM_ERR_OUT_OF_MEMORY;
  }
  storage->mem = mem;
  storage->queue = queue;
  storage->id_min = storage->last_id = id_min;
  storage->id_max = id_max;
  *pstorage = storage;
  return 0;
}

static void request_del(tam_storage *storage, storage_request *self) {
  if (self != NULL) {
    tam_buf_free(&self->key);
    tam_buf_free(&self->value);
    tam_mem_free(storage->mem, self->farewell);
    tam_mem_free(storage->mem, self);
  }
}

void tam_storage_del(tam_storage *storage) {
  if (storage == NULL) {
    return;
  }
  while (storage->first != NULL) {
    storage_request *self = storage->first;
    storage->first = self->next;
    request_del(storage, self);
  }
  request_del(storage, storage->done);
  tam_mem_free(storage->mem, storage);
}

// ---------------------------------------------------------------------------
// Submitting

static storage_request *
request_new(tam_storage *storage, tam_storage_owner owner, request_kind kind) {
  storage_request *self = tam_mem_calloc(storage->mem, 1, sizeof(*self));
  tam_action_node *farewell = tam_action_node_new(storage->mem, 0);
  if (self == NULL || farewell == NULL) {
    tam_mem_free(storage->mem, self);
    tam_mem_free(storage->mem, farewell);
    return NULL;
  }
  self->farewell = farewell;
  self->owner = owner;
  self->kind = kind;
  tam_buf_init(&self->key, storage->mem, TAM_STORAGE_KEY_MAX);
  tam_buf_init(&self->value, storage->mem, TAM_STORAGE_RECORD_MAX);
  storage->last_id =
      storage->last_id == storage->id_max ? storage->id_min : storage->last_id;
  self->id = ++storage->last_id;
  return self;
}

// Queues the action of |self|, which is taken over also on failure.
static uint32_t request_submit(tam_storage *storage, storage_request *self,
                               const tam_buf *json, tam_span bytes) {
  tam_action_node *node =
      json->error == 0
          ? tam_action_node_new(storage->mem, json->len + bytes.len)
          : NULL;
  if (node == NULL) {
    request_del(storage, self);
    return 0;
  }
  uint8_t *text = (uint8_t *)(node + 1);
  memcpy(text, json->data, json->len);
  node->action.first.len = json->len;
  if (bytes.len > 0) {
    memcpy(text + json->len, bytes.ptr, bytes.len);
    node->action.second = (tam_span){text + json->len, bytes.len};
  }
  node->action.kind = TAM_ACTION_STORE;
  node->action.op = self->owner.op;
  node->action.request = self->id;
  self->next = storage->first;
  storage->first = self;
  tam_action_queue_push(storage->queue, node);
  return self->id;
}

// Begins the text of a request.
static void json_begin(tam_storage *storage, tam_buf *json, const char *verb) {
  tam_buf_init(json, storage->mem, JSON_MAX);
  tam_json_write_object_begin(json);
  tam_json_write_name_member(json, "do", verb);
}

static uint32_t submit_json(tam_storage *storage, storage_request *self,
                            tam_buf *json) {
  uint32_t id = 0;
  tam_json_write_object_end(json);
  if (self != NULL) {
    id = request_submit(storage, self, json, TAM_SPAN_NONE);
  }
  tam_buf_free(json);
  return id;
}

// What a request says besides its verb; NULL and empty: nothing.
typedef struct request_text {
  const char *verb;
  const char *store;
  const char *member;
  tam_span text;
} request_text;

static uint32_t submit(tam_storage *storage, tam_storage_owner owner,
                       request_kind kind, const request_text *request) {
  tam_buf json;
  json_begin(storage, &json, request->verb);
  if (request->store != NULL) {
    tam_json_write_name_member(&json, "store", request->store);
  }
  if (request->member != NULL) {
    tam_json_write_string_member(&json, request->member, request->text);
  }
  return submit_json(storage, request_new(storage, owner, kind), &json);
}

uint32_t tam_storage_get(tam_storage *storage, tam_storage_owner owner,
                         const char *store, tam_span key) {
  request_text text = {"get", store, "key", key};
  return submit(storage, owner, REQUEST_PLAIN, &text);
}

uint32_t tam_storage_list(tam_storage *storage, tam_storage_owner owner,
                          const char *store, tam_span prefix) {
  request_text text = {"list", store, "prefix", prefix};
  return submit(storage, owner, REQUEST_LIST, &text);
}

uint32_t tam_storage_keys(tam_storage *storage, tam_storage_owner owner,
                          tam_span prefix) {
  request_text text = {"keys", NULL, "prefix", prefix};
  return submit(storage, owner, REQUEST_KEYS, &text);
}

uint32_t tam_storage_keys_ending(tam_storage *storage, tam_storage_owner owner,
                                 tam_span suffix) {
  tam_buf json;
  json_begin(storage, &json, "keys");
  tam_json_write_name_member(&json, "prefix", "");
  tam_json_write_string_member(&json, "suffix", suffix);
  return submit_json(storage, request_new(storage, owner, REQUEST_KEYS), &json);
}

uint32_t tam_storage_size(tam_storage *storage, tam_storage_owner owner,
                          tam_span key) {
  request_text text = {"size", NULL, "key", key};
  return submit(storage, owner, REQUEST_PLAIN, &text);
}

uint32_t tam_storage_estimate(tam_storage *storage, tam_storage_owner owner) {
  request_text text = {"estimate", NULL, NULL, TAM_SPAN_NONE};
  return submit(storage, owner, REQUEST_PLAIN, &text);
}

uint32_t tam_storage_lock(tam_storage *storage, tam_storage_owner owner,
                          tam_span name) {
  request_text text = {"lock", NULL, "name", name};
  return submit(storage, owner, REQUEST_LOCK, &text);
}

static uint32_t submit_read(tam_storage *storage, tam_storage_owner owner,
                            tam_span key, const uint64_t *range, int is_kept) {
  tam_buf json;
  json_begin(storage, &json, "read");
  tam_json_write_string_member(&json, "key", key);
  tam_json_write_number_member(&json, "from", (double)range[0]);
  tam_json_write_number_member(&json, "to", (double)range[1]);
  if (is_kept) {
    tam_json_write_key(&json, "keep");
    tam_json_write_bool(&json, 1);
  }
  return submit_json(storage, request_new(storage, owner, REQUEST_CONTENT),
                     &json);
}

uint32_t tam_storage_read(tam_storage *storage, tam_storage_owner owner,
                          tam_span key, uint64_t from, uint64_t to) {
  uint64_t range[] = {from, to};
  return submit_read(storage, owner, key, range, 0);
}

uint32_t tam_storage_read_and_keep(tam_storage *storage,
                                   tam_storage_owner owner, tam_span key,
                                   uint64_t from, uint64_t to) {
  uint64_t range[] = {from, to};
  return submit_read(storage, owner, key, range, 1);
}

uint32_t tam_storage_read_body(tam_storage *storage, tam_storage_owner owner,
                               uint32_t body) {
  tam_buf json;
  json_begin(storage, &json, "read");
  tam_json_write_number_member(&json, "body", body);
  return submit_json(storage, request_new(storage, owner, REQUEST_CONTENT),
                     &json);
}

uint32_t tam_storage_open(tam_storage *storage, tam_storage_owner owner,
                          tam_span prefix, uint64_t chunk_size, uint64_t size) {
  tam_buf json;
  json_begin(storage, &json, "open");
  tam_json_write_string_member(&json, "prefix", prefix);
  tam_json_write_number_member(&json, "chunk", (double)chunk_size);
  tam_json_write_number_member(&json, "size", (double)size);
  return submit_json(storage, request_new(storage, owner, REQUEST_PLAIN),
                     &json);
}

uint32_t tam_storage_read_opened(tam_storage *storage, tam_storage_owner owner,
                                 uint64_t from, uint64_t to) {
  tam_buf json;
  json_begin(storage, &json, "read");
  tam_json_write_key(&json, "opened");
  tam_json_write_bool(&json, 1);
  tam_json_write_number_member(&json, "from", (double)from);
  tam_json_write_number_member(&json, "to", (double)to);
  return submit_json(storage, request_new(storage, owner, REQUEST_CONTENT),
                     &json);
}

uint32_t tam_storage_write(tam_storage *storage, tam_storage_owner owner,
                           const tam_batch *batch) {
  tam_buf json;
  uint32_t id = 0;
  storage_request *self = request_new(storage, owner, REQUEST_PLAIN);
  tam_buf_init(&json, storage->mem, batch->json.len + 64);
  tam_buf_append_text(&json, "{\"do\":\"write\",\"batch\":[");
  tam_buf_append(&json, tam_buf_span(&batch->json));
  tam_buf_append_text(&json, "]}");
  if (self != NULL && batch->json.error == 0 && batch->bytes.error == 0) {
    id = request_submit(storage, self, &json, tam_buf_span(&batch->bytes));
  } else {
    request_del(storage, self);
  }
  tam_buf_free(&json);
  return id;
}

// ---------------------------------------------------------------------------
// Dropping

static void tell_host(tam_storage *storage, tam_action_kind kind,
                      storage_request *self) {
  tam_action_node *node = self->farewell;
  self->farewell = NULL;
  node->action.kind = kind;
  node->action.op = self->owner.op;
  node->action.request = self->id;
  tam_action_queue_push(storage->queue, node);
}

static storage_request **find_link(tam_storage *storage, uint32_t id) {
  storage_request **plink = &storage->first;
  while (*plink != NULL && (*plink)->id != id) {
    plink = &(*plink)->next;
  }
  return plink;
}

static void drop_at(tam_storage *storage, storage_request **plink) {
  storage_request *self = *plink;
  *plink = self->next;
  tell_host(storage, TAM_ACTION_ABORT, self);
  request_del(storage, self);
}

void tam_storage_drop(tam_storage *storage, uint32_t request) {
  storage_request **plink = find_link(storage, request);
  if (*plink != NULL) {
    drop_at(storage, plink);
  }
}

void tam_storage_close_op(tam_storage *storage, uint32_t op) {
  storage_request **plink = &storage->first;
  while (*plink != NULL) {
    if ((*plink)->owner.op == op) {
      drop_at(storage, plink);
    } else {
      plink = &(*plink)->next;
    }
  }
}

void tam_storage_forget(tam_storage *storage, uint32_t request) {
  storage_request *self = storage->done;
  if (self != NULL && self->id == request && self->farewell != NULL) {
    tell_host(storage, TAM_ACTION_FORGET, self);
  }
}

// ---------------------------------------------------------------------------
// Events

// What the platforms call what can be told apart: browsers, Node, and the two
// executors themselves.
static int error_of(tam_span words) {
  static const int errors[] = {
      TAM_ERR_QUOTA_EXCEEDED, TAM_ERR_QUOTA_EXCEEDED, TAM_ERR_QUOTA_EXCEEDED,
      TAM_ERR_STORE_BLOCKED,  TAM_ERR_STORE_CLOSED,   TAM_ERR_STORE_UNAVAILABLE,
  };
  tam_span name = tam_span_head(words, tam_span_find_byte(words, ':'));
  int place = tam_names_find("QuotaExceededError\0"
                             "ENOSPC\0"
                             "EDQUOT\0"
                             "BlockedError\0"
                             "ClosedError\0"
                             "UnavailableError\0",
                             name);
  return place < 0 ? TAM_ERR_STORE_FAILED : errors[place];
}

// Reports the entry of a list whose value is complete. What is longer than a
// key or a record may be is none of ours.
static void report_entry(storage_request *self, tam_storage_report *report) {
  if (self->key.error == TAM_ERR_OUT_OF_MEMORY ||
      self->value.error == TAM_ERR_OUT_OF_MEMORY) {
    self->error = TAM_ERR_OUT_OF_MEMORY;
  }
  if (self->key.error == 0 && self->value.error == 0 &&
      self->value.len == self->entry_len) {
    report->kind =
        self->kind == REQUEST_KEYS ? TAM_STORAGE_KEY : TAM_STORAGE_VALUE;
    report->key = tam_buf_span(&self->key);
    report->data = tam_buf_span(&self->value);
  }
}

static void on_key(storage_request *self, const tam_event *event,
                   tam_storage_report *report) {
  tam_buf_reset(&self->key);
  tam_buf_reset(&self->value);
  tam_buf_append(&self->key, event->payload);
  self->entry_len = self->kind == REQUEST_KEYS ? 0 : event->status;
  report_entry(self, report);
}

static void on_data(storage_request *self, const tam_event *event,
                    tam_storage_report *report) {
  if (self->kind == REQUEST_CONTENT) {
    report->kind = TAM_STORAGE_DATA;
    report->data = event->payload;
    return;
  }
  tam_buf_append(&self->value, event->payload);
  // An empty value was reported with its key.
  if (self->kind == REQUEST_LIST && event->payload.len > 0) {
    report_entry(self, report);
  }
}

// Takes |self| out of the list; a lock that was got stays in it.
static void retire(tam_storage *storage, storage_request *self) {
  *find_link(storage, self->id) = self->next;
  storage->done = self;
}

static void on_end(tam_storage *storage, storage_request *self,
                   const tam_event *event, tam_storage_report *report) {
  int error = self->kind == REQUEST_PLAIN ? self->value.error : self->error;
  report->kind = error != 0 ? TAM_STORAGE_FAILED : TAM_STORAGE_END;
  report->error = error;
  report->found = event->status != 0;
  report->key = tam_buf_span(&self->key);
  report->data = tam_buf_span(&self->value);
  self->is_held = self->kind == REQUEST_LOCK;
  if (!self->is_held) {
    retire(storage, self);
  }
}

// Whether an event of |kind| is a part of the answer to |self|.
static int is_legal(const storage_request *self, tam_event_kind kind) {
  switch (kind) {
  case TAM_EVENT_STORE_KEY:
    return self->kind == REQUEST_LIST || self->kind == REQUEST_KEYS;
  case TAM_EVENT_STORE_DATA:
    return self->kind != REQUEST_LOCK && self->kind != REQUEST_KEYS;
  default:
    return !self->is_held;
  }
}

int tam_storage_feed(tam_storage *storage, const tam_event *event,
                     tam_storage_report *preport) {
  memset(preport, 0, sizeof(*preport));
  request_del(storage, storage->done);
  storage->done = NULL;
  storage_request *self = *find_link(storage, event->request);
  if (self == NULL) {
    return 0;
  }
  if (!is_legal(self, event->kind)) {
    return TAM_ERR_INVALID_STATE;
  }
  preport->op = self->owner.op;
  preport->tag = self->owner.tag;
  preport->request = self->id;
  switch (event->kind) {
  case TAM_EVENT_STORE_KEY:
    on_key(self, event, preport);
    return 0;
  case TAM_EVENT_STORE_DATA:
    on_data(self, event, preport);
    return 0;
  case TAM_EVENT_STORE_END:
    on_end(storage, self, event, preport);
    return 0;
  case TAM_EVENT_STORE_FAIL:
    preport->kind = TAM_STORAGE_FAILED;
    preport->error = error_of(event->payload);
    preport->data = event->payload;
    retire(storage, self);
    return 0;
  default:
    return TAM_ERR_INVALID_ARGUMENT;
  }
}
