// SPDX-License-Identifier: Apache-2.0
// Requests to the storage, one by one: their orders, what is reported of the
// answers, and that answers which make no sense change nothing.
#include "check.h"
#include "core/action_queue.h"
#include "net/net.h"
#include "store/storage.h"

static const tam_storage_owner owner = {3, 9};

typedef struct fixture {
  check_heap heap;
  tam_mem mem;
  tam_action_queue queue;
  tam_storage *storage;
  tam_storage_report report;
} fixture;

static void begin(fixture *self) {
  memset(self, 0, sizeof(*self));
  self->mem = check_heap_mem(&self->heap);
  tam_action_queue_init(&self->queue, &self->mem);
  CHECK_INT(tam_storage_new(&self->storage, &self->queue, TAM_NET_ID_MAX,
                            TAM_STORAGE_ID_MAX, &self->mem),
            0);
}

static void end(fixture *self) {
  tam_storage_del(self->storage);
  tam_action_queue_free(&self->queue);
  CHECK_INT(self->heap.live, 0);
}

static int feed(fixture *self, tam_event_kind kind, uint32_t request,
                uint32_t status, tam_span payload) {
  tam_event event = {
      .kind = kind, .request = request, .status = status, .payload = payload};
  return tam_storage_feed(self->storage, &event, &self->report);
}

static int feed_key(fixture *self, uint32_t request, const char *key,
                    uint32_t len) {
  return feed(self, TAM_EVENT_STORE_KEY, request, len, tam_span_of(key));
}

static int feed_data(fixture *self, uint32_t request, const char *data) {
  return feed(self, TAM_EVENT_STORE_DATA, request, 0, tam_span_of(data));
}

static int feed_end(fixture *self, uint32_t request, uint32_t found) {
  return feed(self, TAM_EVENT_STORE_END, request, found, TAM_SPAN_NONE);
}

static void check_order(fixture *self, uint32_t request, const char *json) {
  const tam_action *action = tam_action_queue_pop(&self->queue);
  CHECK(action != NULL && request > TAM_NET_ID_MAX);
  if (action != NULL) {
    CHECK_INT(action->kind, TAM_ACTION_STORE);
    CHECK_INT(action->op, owner.op);
    CHECK_INT(action->request, request);
    check_count++;
    if (!tam_span_is(action->first, json)) {
      check_failures++;
      printf("%.*s is not %s\n", (int)action->first.len,
             (const char *)action->first.ptr, json);
    }
  }
}

static void test_orders(void) {
  fixture self;
  begin(&self);
  tam_storage *storage = self.storage;
  check_order(&self, tam_storage_get(storage, owner, "files", TAM_SPAN("a\"b")),
              "{\"do\":\"get\",\"store\":\"files\",\"key\":\"a\\\"b\"}");
  check_order(&self, tam_storage_list(storage, owner, "manifest", TAM_SPAN("")),
              "{\"do\":\"list\",\"store\":\"manifest\",\"prefix\":\"\"}");
  check_order(&self, tam_storage_keys(storage, owner, TAM_SPAN("a/b")),
              "{\"do\":\"keys\",\"prefix\":\"a/b\"}");
  check_order(&self, tam_storage_keys_ending(storage, owner, TAM_SPAN(":m")),
              "{\"do\":\"keys\",\"prefix\":\"\",\"suffix\":\":m\"}");
  check_order(&self, tam_storage_open(storage, owner, TAM_SPAN("a_"), 16, 40),
              "{\"do\":\"open\",\"prefix\":\"a_\",\"chunk\":16,\"size\":40}");
  check_order(&self, tam_storage_read_opened(storage, owner, 3, 9),
              "{\"do\":\"read\",\"opened\":true,\"from\":3,\"to\":9}");
  check_order(&self, tam_storage_size(storage, owner, TAM_SPAN("k")),
              "{\"do\":\"size\",\"key\":\"k\"}");
  check_order(&self,
              tam_storage_read(storage, owner, TAM_SPAN("k"), 5,
                               UINT64_C(9007199254740991)),
              "{\"do\":\"read\",\"key\":\"k\",\"from\":5,"
              "\"to\":9007199254740991}");
  check_order(
      &self, tam_storage_read_and_keep(storage, owner, TAM_SPAN("k"), 0, 1),
      "{\"do\":\"read\",\"key\":\"k\",\"from\":0,\"to\":1,\"keep\":true}");
  check_order(&self, tam_storage_read_body(storage, owner, 77),
              "{\"do\":\"read\",\"body\":77}");
  check_order(&self, tam_storage_estimate(storage, owner),
              "{\"do\":\"estimate\"}");
  check_order(&self, tam_storage_lock(storage, owner, TAM_SPAN("l")),
              "{\"do\":\"lock\",\"name\":\"l\"}");
  end(&self);
}

// A transaction: its text, and the bytes in the order of the changes.
static void test_batch(void) {
  fixture self;
  begin(&self);
  tam_batch batch;
  tam_action_node second = {.action = {.request = 7}};
  tam_action_node part = {.action = {.request = 9}, .next = &second};
  tam_batch_init(&batch, &self.mem);
  tam_batch_put(&batch, TAM_SPAN("r"), TAM_SPAN("12345"));
  tam_batch_put_bodies(&batch, TAM_SPAN("c"), &part, 8);
  tam_batch_put_content(&batch, TAM_SPAN("m"), TAM_SPAN("{}"), "text/x");
  tam_batch_delete(&batch, "manifest", TAM_SPAN("d"));
  tam_batch_merge(&batch, TAM_STORE_MANIFEST, TAM_SPAN("p"),
                  TAM_SPAN("{\"a\":1}"));
  uint32_t request = tam_storage_write(self.storage, owner, &batch);
  tam_batch_free(&batch);
  const tam_action *action = tam_action_queue_pop(&self.queue);
  CHECK_INT(action->request, request);
  CHECK_SPAN(
      action->first,
      "{\"do\":\"write\",\"batch\":["
      "{\"kind\":\"record\",\"store\":\"files\",\"key\":\"r\",\"bytes\":5},"
      "{\"kind\":\"content\",\"store\":\"files\",\"key\":\"c\","
      "\"bodies\":[9,7,8]},"
      "{\"kind\":\"content\",\"store\":\"files\",\"key\":\"m\","
      "\"type\":\"text/x\",\"bytes\":2},"
      "{\"kind\":\"delete\",\"store\":\"manifest\",\"key\":\"d\"},"
      "{\"kind\":\"merge\",\"store\":\"manifest\",\"key\":\"p\",\"bytes\":7}"
      "]}");
  CHECK_SPAN(action->second, "12345{}{\"a\":1}");
  end(&self);
}

// What did not fit, or found no memory, is not written as if it had.
static void test_broken_batch(void) {
  fixture self;
  begin(&self);
  tam_batch batch;
  tam_batch_init(&batch, &self.mem);
  self.heap.fail_at = self.heap.allocations + 1;
  tam_batch_put(&batch, TAM_SPAN("r"), TAM_SPAN("12345"));
  CHECK_INT(tam_storage_write(self.storage, owner, &batch), 0);
  tam_batch_free(&batch);
  CHECK(tam_action_queue_pop(&self.queue) == NULL);
  end(&self);
}

static void test_value(void) {
  fixture self;
  begin(&self);
  uint32_t id = tam_storage_get(self.storage, owner, "files", TAM_SPAN("k"));
  CHECK_INT(feed_data(&self, id, "ab"), 0);
  CHECK_INT(self.report.kind, TAM_STORAGE_NOTHING);
  CHECK_INT(feed_data(&self, id, "c"), 0);
  CHECK_INT(feed_end(&self, id, 1), 0);
  CHECK_INT(self.report.kind, TAM_STORAGE_END);
  CHECK_INT(self.report.op, 3);
  CHECK_INT(self.report.tag, 9);
  CHECK_INT(self.report.request, id);
  CHECK_INT(self.report.found, 1);
  CHECK_SPAN(self.report.data, "abc");
  // It is over: what comes still is ignored.
  CHECK_INT(feed_data(&self, id, "d"), 0);
  CHECK_INT(self.report.kind, TAM_STORAGE_NOTHING);
  CHECK_INT(feed_end(&self, id, 1), 0);
  CHECK_INT(self.report.kind, TAM_STORAGE_NOTHING);
  id = tam_storage_get(self.storage, owner, "files", TAM_SPAN("k"));
  CHECK_INT(feed_end(&self, id, 0), 0);
  CHECK_INT(self.report.kind, TAM_STORAGE_END);
  CHECK_INT(self.report.found, 0);
  end(&self);
}

static void test_list(void) {
  fixture self;
  begin(&self);
  uint32_t id = tam_storage_list(self.storage, owner, "files", TAM_SPAN(""));
  CHECK_INT(feed_key(&self, id, "one", 3), 0);
  CHECK_INT(self.report.kind, TAM_STORAGE_NOTHING);
  CHECK_INT(feed_data(&self, id, "ab"), 0);
  CHECK_INT(self.report.kind, TAM_STORAGE_NOTHING);
  CHECK_INT(feed_data(&self, id, "c"), 0);
  CHECK_INT(self.report.kind, TAM_STORAGE_VALUE);
  CHECK_SPAN(self.report.key, "one");
  CHECK_SPAN(self.report.data, "abc");
  // An empty value is told once, with its key.
  CHECK_INT(feed_key(&self, id, "two", 0), 0);
  CHECK_INT(self.report.kind, TAM_STORAGE_VALUE);
  CHECK_SPAN(self.report.key, "two");
  CHECK_INT(feed_data(&self, id, ""), 0);
  CHECK_INT(self.report.kind, TAM_STORAGE_NOTHING);
  // One that is shorter or longer than announced is none.
  CHECK_INT(feed_key(&self, id, "three", 2), 0);
  CHECK_INT(feed_data(&self, id, "abc"), 0);
  CHECK_INT(self.report.kind, TAM_STORAGE_NOTHING);
  CHECK_INT(feed_key(&self, id, "four", 2), 0);
  CHECK_INT(feed_data(&self, id, "a"), 0);
  CHECK_INT(feed_end(&self, id, 1), 0);
  CHECK_INT(self.report.kind, TAM_STORAGE_END);
  CHECK_INT(self.report.found, 1);
  end(&self);
}

static void test_keys(void) {
  fixture self;
  begin(&self);
  uint32_t id = tam_storage_keys(self.storage, owner, TAM_SPAN(""));
  CHECK_INT(feed_key(&self, id, "one", 0), 0);
  CHECK_INT(self.report.kind, TAM_STORAGE_KEY);
  CHECK_SPAN(self.report.key, "one");
  CHECK_INT(feed_key(&self, id, "two", 999), 0);
  CHECK_INT(self.report.kind, TAM_STORAGE_KEY);
  CHECK_INT(feed_end(&self, id, 1), 0);
  CHECK_INT(self.report.kind, TAM_STORAGE_END);
  end(&self);
}

// Entries that are none of ours by their length are left out, wherever they
// stand in the list.
static void test_too_long(void) {
  static char text[65536];
  fixture self;
  begin(&self);
  memset(text, 'x', sizeof(text) - 1);
  for (int last = 0; last <= 1; last++) {
    uint32_t id = tam_storage_list(self.storage, owner, "files", TAM_SPAN(""));
    CHECK_INT(feed_key(&self, id, "large", TAM_STORAGE_RECORD_MAX + 65535), 0);
    for (size_t fed = 0; fed <= TAM_STORAGE_RECORD_MAX; fed += 65535) {
      CHECK_INT(feed_data(&self, id, text), 0);
      CHECK_INT(self.report.kind, TAM_STORAGE_NOTHING);
    }
    if (!last) {
      CHECK_INT(feed_key(&self, id, "small", 1), 0);
      CHECK_INT(feed_data(&self, id, "a"), 0);
      CHECK_INT(self.report.kind, TAM_STORAGE_VALUE);
      CHECK_SPAN(self.report.key, "small");
    }
    CHECK_INT(feed_end(&self, id, 1), 0);
    CHECK_INT(self.report.kind, TAM_STORAGE_END);
  }
  uint32_t id = tam_storage_keys(self.storage, owner, TAM_SPAN(""));
  CHECK_INT(feed_key(&self, id, text, 0), 0);
  CHECK_INT(self.report.kind, TAM_STORAGE_NOTHING);
  CHECK_INT(feed_end(&self, id, 1), 0);
  CHECK_INT(self.report.kind, TAM_STORAGE_END);
  // A single value of that length is an error.
  id = tam_storage_get(self.storage, owner, "files", TAM_SPAN("k"));
  for (size_t fed = 0; fed <= TAM_STORAGE_RECORD_MAX; fed += 65535) {
    CHECK_INT(feed_data(&self, id, text), 0);
  }
  CHECK_INT(feed_end(&self, id, 1), 0);
  CHECK_INT(self.report.kind, TAM_STORAGE_FAILED);
  CHECK_INT(self.report.error, TAM_ERR_TOO_LARGE);
  end(&self);
}

// An entry for which there was no memory is missed, even if others follow.
static void test_lost_entry(void) {
  for (size_t nth = 1; nth <= 2; nth++) { // its key, its value
    fixture self;
    begin(&self);
    uint32_t id = tam_storage_list(self.storage, owner, "files", TAM_SPAN(""));
    self.heap.fail_at = self.heap.allocations + nth;
    CHECK_INT(feed_key(&self, id, "one", 1), 0);
    CHECK_INT(feed_data(&self, id, "a"), 0);
    CHECK_INT(self.report.kind, TAM_STORAGE_NOTHING);
    CHECK_INT(feed_key(&self, id, "two", 1), 0);
    CHECK_INT(feed_data(&self, id, "b"), 0);
    CHECK_INT(self.report.kind, TAM_STORAGE_VALUE);
    CHECK_INT(feed_end(&self, id, 1), 0);
    CHECK_INT(self.report.kind, TAM_STORAGE_FAILED);
    CHECK_INT(self.report.error, TAM_ERR_OUT_OF_MEMORY);
    end(&self);
  }
}

static void test_read(void) {
  fixture self;
  begin(&self);
  uint32_t id = tam_storage_read(self.storage, owner, TAM_SPAN("k"), 0, 4);
  CHECK_INT(feed_data(&self, id, "ab"), 0);
  CHECK_INT(self.report.kind, TAM_STORAGE_DATA);
  CHECK_SPAN(self.report.data, "ab");
  CHECK_INT(feed_data(&self, id, "cd"), 0);
  CHECK_SPAN(self.report.data, "cd");
  CHECK_INT(feed_end(&self, id, 1), 0);
  CHECK_INT(self.report.kind, TAM_STORAGE_END);
  CHECK_INT(self.report.data.len, 0);
  end(&self);
}

static const tam_action *skip_to(fixture *self, tam_action_kind kind) {
  const tam_action *action;
  do {
    action = tam_action_queue_pop(&self->queue);
  } while (action != NULL && action->kind != kind);
  return action;
}

// A lock is held until it is dropped, and nothing else happens to it.
static void test_lock(void) {
  fixture self;
  begin(&self);
  uint32_t id = tam_storage_lock(self.storage, owner, TAM_SPAN("l"));
  CHECK_INT(feed_data(&self, id, "a"), TAM_ERR_INVALID_STATE);
  CHECK_INT(feed_end(&self, id, 1), 0);
  CHECK_INT(self.report.kind, TAM_STORAGE_END);
  CHECK_INT(feed_end(&self, id, 1), TAM_ERR_INVALID_STATE);
  CHECK_INT(feed(&self, TAM_EVENT_STORE_FAIL, id, 0, TAM_SPAN("x")),
            TAM_ERR_INVALID_STATE);
  CHECK(skip_to(&self, TAM_ACTION_ABORT) == NULL);
  self.heap.fail_at = self.heap.allocations + 1; // it cannot fail
  self.heap.fail_after = 1;
  tam_storage_drop(self.storage, id);
  const tam_action *action = skip_to(&self, TAM_ACTION_ABORT);
  CHECK(action != NULL && action->request == id);
  CHECK_INT(feed_end(&self, id, 1), 0);
  CHECK_INT(self.report.kind, TAM_STORAGE_NOTHING);
  end(&self);
}

static void test_wrong_order(void) {
  fixture self;
  begin(&self);
  uint32_t id = tam_storage_get(self.storage, owner, "files", TAM_SPAN("k"));
  CHECK_INT(feed_key(&self, id, "k", 0), TAM_ERR_INVALID_STATE);
  id = tam_storage_keys(self.storage, owner, TAM_SPAN(""));
  CHECK_INT(feed_data(&self, id, "k"), TAM_ERR_INVALID_STATE);
  id = tam_storage_read(self.storage, owner, TAM_SPAN("k"), 0, 1);
  CHECK_INT(feed_key(&self, id, "k", 0), TAM_ERR_INVALID_STATE);
  CHECK_INT(feed(&self, TAM_EVENT_TIMER, id, 0, TAM_SPAN_NONE),
            TAM_ERR_INVALID_ARGUMENT);
  CHECK_INT(feed_end(&self, 12345, 1), 0); // nobody asked
  CHECK_INT(self.report.kind, TAM_STORAGE_NOTHING);
  end(&self);
}

static void test_errors(void) {
  static const struct {
    const char *words;
    int error;
  } cases[] = {
      {"QuotaExceededError: full", TAM_ERR_QUOTA_EXCEEDED},
      {"ENOSPC: no space left on device", TAM_ERR_QUOTA_EXCEEDED},
      {"EDQUOT: quota", TAM_ERR_QUOTA_EXCEEDED},
      {"BlockedError: another tab", TAM_ERR_STORE_BLOCKED},
      {"ClosedError: gone", TAM_ERR_STORE_CLOSED},
      {"UnavailableError: private", TAM_ERR_STORE_UNAVAILABLE},
      {"AbortError: x", TAM_ERR_STORE_FAILED},
      {"QuotaExceededErrors: x", TAM_ERR_STORE_FAILED},
      {"QuotaExceededError", TAM_ERR_QUOTA_EXCEEDED},
      {"", TAM_ERR_STORE_FAILED},
  };
  fixture self;
  begin(&self);
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
    uint32_t id = tam_storage_estimate(self.storage, owner);
    CHECK_INT(
        feed(&self, TAM_EVENT_STORE_FAIL, id, 0, tam_span_of(cases[i].words)),
        0);
    CHECK_INT(self.report.kind, TAM_STORAGE_FAILED);
    CHECK_INT(self.report.error, cases[i].error);
    CHECK(tam_span_is(self.report.data, cases[i].words));
  }
  end(&self);
}

// The end of an operation ends what it asked for, and nobody else's.
static void test_close(void) {
  fixture self;
  begin(&self);
  tam_storage_owner other = {4, 0};
  uint32_t lock = tam_storage_lock(self.storage, owner, TAM_SPAN("l"));
  CHECK_INT(feed_end(&self, lock, 1), 0);
  uint32_t read = tam_storage_read(self.storage, owner, TAM_SPAN("k"), 0, 4);
  uint32_t left = tam_storage_estimate(self.storage, other);
  tam_storage_close_op(self.storage, owner.op);
  uint64_t aborted = 0;
  const tam_action *action;
  while ((action = skip_to(&self, TAM_ACTION_ABORT)) != NULL) {
    CHECK_INT(action->op, owner.op);
    aborted += action->request;
  }
  CHECK_INT(aborted, (uint64_t)lock + read);
  CHECK_INT(feed_end(&self, left, 1), 0);
  CHECK_INT(self.report.kind, TAM_STORAGE_END);
  CHECK_INT(self.report.op, 4);
  end(&self);
}

// Bytes that were read to be kept are forgotten during the report only.
static void test_forget(void) {
  fixture self;
  begin(&self);
  uint32_t id =
      tam_storage_read_and_keep(self.storage, owner, TAM_SPAN("k"), 0, 4);
  CHECK_INT(feed_end(&self, id, 1), 0);
  tam_storage_forget(self.storage, id);
  tam_storage_forget(self.storage, id);
  const tam_action *action = skip_to(&self, TAM_ACTION_FORGET);
  CHECK(action != NULL && action->request == id);
  CHECK(skip_to(&self, TAM_ACTION_FORGET) == NULL);
  end(&self);
}

static void test_allocations(void) {
  for (size_t nth = 1; nth <= 20; nth++) {
    fixture self;
    begin(&self);
    self.heap.fail_at = self.heap.allocations + nth;
    uint32_t id =
        tam_storage_read_and_keep(self.storage, owner, TAM_SPAN("k"), 0, 4);
    CHECK((id == 0) == (tam_action_queue_pop(&self.queue) == NULL));
    end(&self);
  }
}

int main(void) {
  RUN(test_orders);
  RUN(test_batch);
  RUN(test_broken_batch);
  RUN(test_value);
  RUN(test_list);
  RUN(test_keys);
  RUN(test_too_long);
  RUN(test_lost_entry);
  RUN(test_read);
  RUN(test_lock);
  RUN(test_wrong_order);
  RUN(test_errors);
  RUN(test_close);
  RUN(test_forget);
  RUN(test_allocations);
  return check_finish();
}
