// SPDX-License-Identifier: Apache-2.0
// Answers whose program is killed at every step, on a storage in memory that is
// fast, slow, or full. The tokens and texts are those of an answer that nothing
// disturbed, no number comes twice, and there is one last word.
#include "chat_host_parts.h"
#include "chat_scenarios.h"

#include "journal/job_record.h"

// As a panel asks: the chat stands in the message.
#define PANEL_ASK                                                              \
  "{\"type\":\"generate\",\"id\":7,\"payload\":{\"chatId\":\"c\","             \
  "\"messageId\":\"m\",\"options\":{\"max_new_tokens\":3,"                     \
  "\"system_prompt\":\"s\"},\"messages\":" HELLO "}}"
#define LIST        "{\"action\":\"resumeJobs\",\"id\":\"l\"}"
#define ENTRIES_MAX 16
#define ORDERS_MAX  64
#define HEARD_MAX   512

// What survives.
typedef struct shelf {
  struct {
    char key[256];
    uint8_t *bytes;
    size_t len;
  } entries[ENTRIES_MAX];
  size_t count;
} shelf;

static void shelf_put(shelf *self, const char *key, tam_span bytes) {
  size_t i = 0;
  while (i < self->count && strcmp(self->entries[i].key, key) != 0) {
    i++;
  }
  CHECK(i < ENTRIES_MAX);
  if (i == self->count) {
    snprintf(self->entries[i].key, sizeof(self->entries[i].key), "%s", key);
    self->entries[i].bytes = NULL;
    self->count++;
  }
  self->entries[i].bytes = realloc(self->entries[i].bytes, bytes.len + 1);
  tam_text_copy(self->entries[i].bytes, bytes);
  self->entries[i].len = bytes.len;
}

static void shelf_delete(shelf *self, const char *key) {
  for (size_t i = 0; i < self->count; i++) {
    if (strcmp(self->entries[i].key, key) == 0) {
      free(self->entries[i].bytes);
      self->entries[i] = self->entries[--self->count];
      return;
    }
  }
}

static void shelf_free(shelf *self) {
  while (self->count > 0) {
    shelf_delete(self, self->entries[0].key);
  }
}

// One life of the program.
typedef struct life {
  chat_host host;
  fake_host_on_action inner;
  shelf *shelf;
  struct {
    uint32_t request;
    char *text;
    uint8_t *bytes;
    size_t len;
  } orders[ORDERS_MAX];
  size_t order_count;
  int is_full;            // the storage refuses everything
  uint32_t answer;        // the operation that answers
  char *heard[HEARD_MAX]; // what it has said, by number
  unsigned again[HEARD_MAX];
  size_t heard_count;
  unsigned ends;
  unsigned completed; // said to all that it is complete
  unsigned standing;  // said that it goes on, before anything else
  char shown[256];    // pieces of answers that all have heard
} life;

static char *copy_of(tam_span text) {
  char *copy = malloc(text.len + 1);
  tam_text_copy((uint8_t *)copy, text);
  copy[text.len] = '\0';
  return copy;
}

static void take_event(life *self, const char *text) {
  self->completed += strstr(text, "\"generationComplete\"") != NULL;
  const char *token = strstr(text, "\"token\":\"");
  if (token != NULL) {
    token += strlen("\"token\":\"");
    strncat(self->shown, token, strcspn(token, "\""));
  }
}

static void take_said(life *self, const tam_action *action) {
  char *text = copy_of(action->first);
  CHECK_INT(action->request, 0);
  if (action->op == 0) {
    CHECK_INT(action->flags & ~TAM_MESSAGE_FLAG_CHANNEL, 0);
    take_event(self, text);
  } else if (action->flags == TAM_MESSAGE_FLAG_STANDING) {
    CHECK_INT(self->heard_count, 0);
    expect_text(text, "text", "");
    self->standing++;
  } else if (action->op == self->answer) {
    size_t seq = (size_t)number_of(text, "seq");
    CHECK(seq < HEARD_MAX && self->heard[seq] == NULL);
    self->again[seq] = (action->flags & TAM_MESSAGE_FLAG_AGAIN) != 0;
    self->heard[seq] = text;
    self->heard_count = seq + 1;
    self->ends += (action->flags & TAM_MESSAGE_FLAG_TERMINAL) != 0;
    return;
  }
  free(text);
}

static void on_life_action(void *user_data, const tam_action *action) {
  life *self = user_data;
  if (action->kind == TAM_ACTION_MESSAGE) {
    take_said(self, action);
  }
  if (action->kind == TAM_ACTION_STORE) {
    CHECK(action->op == 0 && self->order_count < ORDERS_MAX);
    size_t i = self->order_count++;
    self->orders[i].request = action->request;
    self->orders[i].text = copy_of(action->first);
    self->orders[i].bytes = (uint8_t *)copy_of(action->second);
    self->orders[i].len = action->second.len;
  }
  self->inner(&self->host, action);
}

static void feed_store(life *self, tam_event_kind kind, uint32_t request,
                       uint32_t status, tam_span payload) {
  tam_event event = {
      .kind = kind, .request = request, .status = status, .payload = payload};
  if (fake_host_order(&self->host.host, request) != 0) {
    int error = fake_host_feed(&self->host.host, &event);
    CHECK(error == 0 || error == TAM_ERR_OUT_OF_MEMORY);
  }
}

static void do_write(life *self, const tam_json_node *order, tam_span bytes) {
  const tam_json_node *at =
      tam_json_get_first(tam_json_get_member(order, TAM_SPAN("batch")));
  for (; at != NULL; at = tam_json_get_next(at)) {
    const char *key = chat_text(at, "key");
    if (strcmp(chat_text(at, "kind"), "record") == 0) {
      size_t len = (size_t)chat_number(at, "bytes");
      shelf_put(self->shelf, key, tam_span_head(bytes, len));
      bytes = tam_span_from(bytes, len);
    } else {
      shelf_delete(self->shelf, key);
    }
  }
}

static void do_list(life *self, const char *prefix, uint32_t request) {
  for (size_t i = 0; i < self->shelf->count; i++) {
    const char *key = self->shelf->entries[i].key;
    tam_span bytes = {self->shelf->entries[i].bytes,
                      self->shelf->entries[i].len};
    if (strncmp(key, prefix, strlen(prefix)) == 0) {
      feed_store(self, TAM_EVENT_STORE_KEY, request, (uint32_t)bytes.len,
                 tam_span_of(key));
      feed_store(self, TAM_EVENT_STORE_DATA, request, 0, bytes);
    }
  }
}

// Carries out the oldest order of the journal. Returns 0 when there is none.
static int store_step(life *self) {
  if (self->order_count == 0) {
    return 0;
  }
  uint32_t request = self->orders[0].request;
  char *text = self->orders[0].text;
  uint8_t *bytes = self->orders[0].bytes;
  tam_span data = {bytes, self->orders[0].len};
  self->order_count--;
  memmove(&self->orders[0], &self->orders[1],
          self->order_count * sizeof(self->orders[0]));
  tam_mem mem = tam_mem_default();
  tam_json_node *order = NULL;
  CHECK_INT(tam_json_tree_parse(&order, tam_span_of(text), &mem), 0);
  const char *what = chat_text(order, "do");
  if (self->is_full && strcmp(what, "write") == 0) {
    feed_store(self, TAM_EVENT_STORE_FAIL, request, 0,
               TAM_SPAN("QuotaExceededError: full"));
  } else {
    if (strcmp(what, "write") == 0) {
      do_write(self, order, data);
    } else if (strcmp(what, "list") == 0) {
      do_list(self, chat_text(order, "prefix"), request);
    }
    feed_store(self, TAM_EVENT_STORE_END, request, 1, TAM_SPAN_NONE);
  }
  tam_json_tree_free(order, &mem);
  free(text);
  free(bytes);
  return 1;
}

// ---------------------------------------------------------------------------
// Lives

static void life_begin(life *self, const scenario *test, shelf *kept) {
  memset(self, 0, sizeof(*self));
  begin(&self->host, test);
  self->shelf = kept;
  self->inner = self->host.host.on_action;
  self->host.host.on_action = on_life_action;
  self->host.host.user_data = self;
}

// It is killed: what was not written is gone.
static void life_end(life *self) {
  if (!self->host.is_gone) {
    chat_host_dispose(&self->host);
  }
  chat_host_free(&self->host);
  for (size_t i = 0; i < self->order_count; i++) {
    free(self->orders[i].text);
    free(self->orders[i].bytes);
  }
  for (size_t i = 0; i < self->heard_count; i++) {
    free(self->heard[i]);
  }
}

// What is held back for the pace comes with time. Returns 0 when there is
// nothing.
static int time_step(life *self) {
  fake_host *host = &self->host.host;
  double wait_ms = tam_manager_deadline(host->manager, host->now_ms);
  if (wait_ms < 0 || self->order_count > 0) {
    return 0;
  }
  host->now_ms += wait_ms;
  tam_event timer = {.kind = TAM_EVENT_TIMER};
  CHECK_INT(fake_host_feed(host, &timer), 0);
  return 1;
}

static void run_all(life *self) {
  while (chat_host_step(&self->host) || store_step(self) || time_step(self)) {
  }
}

// Does up to |steps| steps. The storage gets its turn after every |pace| of the
// chat, and before everything else with 0.
static void run_some(life *self, size_t steps, size_t pace) {
  size_t since = 0;
  for (size_t i = 0; i < steps; i++) {
    int is_done = 0;
    if (since >= pace) {
      since = 0;
      is_done = store_step(self);
    }
    if (!is_done) {
      since++;
      is_done =
          chat_host_step(&self->host) || store_step(self) || time_step(self);
    }
    if (!is_done) {
      return;
    }
  }
}

static void ask_with_journal(life *self, const char *message,
                             const char *chat) {
  uint32_t flags = TAM_COMMAND_FLAG_JOURNAL | TAM_COMMAND_FLAG_BROADCAST |
                   (chat == NULL ? 0 : TAM_COMMAND_FLAG_LISTING);
  self->answer = self->host.last_op + 1;
  int error = chat_host_command(&self->host, message, flags);
  if (error == 0 && chat != NULL &&
      chat_host_end_of(&self->host, self->answer) == NULL) {
    (void)chat_host_text(&self->host, self->answer, chat, strlen(chat));
    (void)chat_host_text(&self->host, self->answer, NULL, 0);
  }
}

// Asks in a first life, which ends after |steps| steps.
static void first_life(life *self, const scenario *test, shelf *kept,
                       size_t steps, size_t pace) {
  life_begin(self, test, kept);
  (void)chat_host_start(&self->host, LOAD, NULL);
  (void)chat_host_start(&self->host, LIST, NULL);
  run_all(self);
  ask_with_journal(self, test->ask,
                   strcmp(test->ask, PANEL_ASK) == 0 ? NULL : HELLO);
  run_some(self, steps, pace);
}

// Has it go on; returns 0 when nothing was left.
static int next_life(life *self, const scenario *test, shelf *kept) {
  char message[1024];
  snprintf(message, sizeof(message), "{\"resume\":true,%s", test->ask + 1);
  life_begin(self, test, kept);
  (void)chat_host_start(&self->host, LIST, NULL);
  run_all(self);
  int is_left = strstr(self->host.last, "\"jobs\":[]") == NULL;
  if (is_left) {
    expect(self->host.last, "\"kind\":\"generate\"");
    self->answer = self->host.last_op + 1;
    CHECK_INT(chat_host_command(&self->host, message,
                                TAM_COMMAND_FLAG_JOURNAL |
                                    TAM_COMMAND_FLAG_BROADCAST),
              0);
    run_all(self);
  }
  return is_left;
}

// ---------------------------------------------------------------------------
// What must come of it

// The members that are the same in every life.
static void check_same_message(const char *is, const char *expected) {
  static const char *const names[] = {"text", "output", "kind", "stopReason"};
  static const char *const numbers[] = {"seq", "newTokens", "promptTokens",
                                        "numTokens"};
  for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
    char *text = text_of(expected, names[i]);
    expect_text(is, names[i], text);
    free(text);
  }
  for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
    CHECK(number_of(is, numbers[i]) == number_of(expected, numbers[i]));
  }
}

// The message |seq|, from whichever life has it.
static void check_union(const life *whole, const life *first,
                        const life *next) {
  for (size_t seq = 0; seq < whole->heard_count; seq++) {
    const char *is = seq < first->heard_count  ? first->heard[seq]
                     : seq < next->heard_count ? next->heard[seq]
                                               : NULL;
    CHECK(is != NULL);
    if (is != NULL) {
      check_same_message(is, whole->heard[seq]);
    }
    // What was heard in the first life is at most kept in the next one.
    if (seq < first->heard_count && seq < next->heard_count &&
        next->heard[seq] != NULL) {
      CHECK(next->again[seq]);
    }
  }
  CHECK_INT(next->heard_count, whole->heard_count);
}

// Whatever was not heard stands in the end, which nobody misses.
static void check_events(const life *first, const life *next) {
  CHECK(first->completed <= 1 && next->completed <= 1);
  CHECK(first->completed + next->completed >= 1);
  CHECK_INT(next->standing, next->host.done > 0); // else it had ended
}

static size_t kill_at(const scenario *test, const life *whole, size_t steps,
                      size_t pace) {
  shelf kept = {0};
  life first;
  life next;
  first_life(&first, test, &kept, steps, pace);
  int is_over = first.host.order_count == 0 && first.order_count == 0;
  chat_host_dispose(&first.host);
  if (next_life(&next, test, &kept)) {
    check_union(whole, &first, &next);
    CHECK_INT(next.ends, 1);
    check_events(&first, &next);
  } else {
    CHECK(first.heard_count == 0 || first.heard_count == whole->heard_count);
  }
  CHECK_INT(kept.count, 0);
  life_end(&next);
  life_end(&first);
  shelf_free(&kept);
  return is_over ? 0 : steps + 1;
}

static void test_kill_at_every_step(void) {
  static const size_t paces[] = {0, 1, 5};
  for (size_t i = 0; i < SCENARIOS; i++) {
    shelf kept = {0};
    life whole;
    first_life(&whole, &scenarios[i], &kept, SIZE_MAX, 0);
    CHECK_INT(whole.ends, 1);
    CHECK_INT(kept.count, 0);
    expect(whole.heard[whole.heard_count - 1], DONE);
    for (size_t j = 0; j < sizeof(paces) / sizeof(paces[0]); j++) {
      size_t steps = 0;
      do {
        steps = kill_at(&scenarios[i], &whole, steps, paces[j]);
      } while (steps != 0);
    }
    life_end(&whole);
    shelf_free(&kept);
  }
}

// Nothing is shown twice to those who hear what all hear.
static void test_kill_panel(void) {
  static const scenario test = {
      .kind = CHAT_LLAMA,
      .ask = PANEL_ASK,
      .script = "abc",
  };
  shelf none = {0};
  life whole;
  first_life(&whole, &test, &none, SIZE_MAX, 0);
  CHECK_INT(strlen(whole.shown), 3);
  for (size_t steps = 0; steps < 60; steps++) {
    shelf kept = {0};
    life first;
    life next;
    first_life(&first, &test, &kept, steps, 0);
    chat_host_dispose(&first.host);
    if (next_life(&next, &test, &kept)) {
      size_t len = strlen(whole.shown);
      size_t next_len = strlen(next.shown);
      CHECK(strlen(first.shown) + next_len <= len);
      CHECK(strncmp(whole.shown, first.shown, strlen(first.shown)) == 0);
      CHECK(strcmp(whole.shown + len - next_len, next.shown) == 0);
      CHECK(first.completed + next.completed >= 1);
    }
    life_end(&next);
    life_end(&first);
    shelf_free(&kept);
  }
  life_end(&whole);
  shelf_free(&none);
}

// The program dies with every attempt: the last word goes on counting.
static void test_kill_attempts(void) {
  const scenario *test = &scenarios[0];
  shelf kept = {0};
  life first;
  life last;
  first_life(&first, test, &kept, 0, 0);
  first.host.latency_ms = 50; // parts go out one by one
  while (first.heard_count == 0) {
    run_some(&first, 1, 0);
  }
  CHECK_INT(first.ends, 0);
  chat_host_dispose(&first.host);
  for (int i = 0; i < 2; i++) {
    life next;
    char message[1024];
    life_begin(&next, test, &kept);
    (void)chat_host_start(&next.host, LIST, NULL);
    run_all(&next);
    snprintf(message, sizeof(message), "{\"resume\":true,%s", test->ask + 1);
    next.answer = next.host.last_op + 1;
    (void)chat_host_command(&next.host, message, TAM_COMMAND_FLAG_JOURNAL);
    while (store_step(&next)) {
    }
    CHECK_INT(next.standing, 1);
    CHECK_INT(next.heard_count, 0);
    chat_host_dispose(&next.host);
    life_end(&next);
  }
  CHECK(next_life(&last, test, &kept));
  CHECK_INT(last.heard_count, first.heard_count + 1);
  expect(last.heard[first.heard_count], CODE("load_crashed"));
  CHECK_INT(kept.count, 0);
  life_end(&last);
  life_end(&first);
  shelf_free(&kept);
}

// Two kills: the second while the answer goes on.
static void test_kill_twice(void) {
  const scenario *test = &scenarios[0];
  shelf none = {0};
  life whole;
  first_life(&whole, test, &none, SIZE_MAX, 0);
  for (size_t steps = 0; steps < 60; steps++) {
    shelf kept = {0};
    life first;
    life second;
    life third;
    char message[1024];
    first_life(&first, test, &kept, 9, 0);
    chat_host_dispose(&first.host);
    life_begin(&second, test, &kept);
    (void)chat_host_start(&second.host, LIST, NULL);
    run_all(&second);
    snprintf(message, sizeof(message), "{\"resume\":true,%s", test->ask + 1);
    second.answer = second.host.last_op + 1;
    (void)chat_host_command(&second.host, message, TAM_COMMAND_FLAG_JOURNAL);
    run_some(&second, steps, 0);
    chat_host_dispose(&second.host);
    if (next_life(&third, test, &kept) &&
        strstr(third.heard[third.heard_count - 1], DONE) != NULL) {
      CHECK_INT(third.heard_count, whole.heard_count);
      check_same_message(third.heard[third.heard_count - 1],
                         whole.heard[whole.heard_count - 1]);
    }
    life_end(&third);
    life_end(&second);
    life_end(&first);
    shelf_free(&kept);
  }
  life_end(&whole);
  shelf_free(&none);
}

// A storage that is full, or does not answer, holds nothing back for long.
static void test_bad_storage(void) {
  const scenario *test = &scenarios[0];
  for (int is_silent = 0; is_silent < 2; is_silent++) {
    shelf kept = {0};
    life self;
    life_begin(&self, test, &kept);
    (void)chat_host_start(&self.host, LOAD, NULL);
    (void)chat_host_start(&self.host, LIST, NULL);
    run_all(&self);
    self.is_full = 1;
    ask_with_journal(&self, test->ask, HELLO);
    if (is_silent) {
      chat_host_run(&self.host);
      CHECK_INT(self.ends, 0);
      CHECK(tam_manager_deadline(self.host.host.manager,
                                 self.host.host.now_ms) == 5000);
      self.host.host.now_ms += 5000;
      tam_event timer = {.kind = TAM_EVENT_TIMER};
      CHECK_INT(fake_host_feed(&self.host.host, &timer), 0);
    } else {
      run_all(&self);
    }
    CHECK_INT(self.ends, 1);
    expect(self.host.last, DONE);
    CHECK_INT(kept.count, 0);
    life_end(&self);
    shelf_free(&kept);
  }
}

// ---------------------------------------------------------------------------
// Memory

static int fail_memory(const scenario *test, size_t nth, int fail_after,
                       size_t steps) {
  shelf kept = {0};
  life first;
  life next;
  first_life(&first, test, &kept, steps, 0);
  chat_host_dispose(&first.host);
  life_begin(&next, test, &kept);
  check_heap *heap = &next.host.host.heap;
  heap->fail_after = fail_after;
  heap->fail_at = heap->allocations + nth;
  (void)chat_host_start(&next.host, LIST, NULL);
  run_all(&next);
  char message[1024];
  snprintf(message, sizeof(message), "{\"resume\":true,%s", test->ask + 1);
  (void)chat_host_command(&next.host, message, TAM_COMMAND_FLAG_JOURNAL);
  run_all(&next);
  int is_failed = heap->allocations >= heap->fail_at;
  heap->fail_at = 0;
  fake_host_finish(&next.host.host); // one last word each
  run_all(&next);
  life_end(&next);
  life_end(&first);
  shelf_free(&kept);
  return is_failed;
}

static void test_every_allocation(void) {
  for (size_t i = 0; i < SCENARIOS; i += SCENARIOS - 1) {
    size_t nth = 1;
    while (fail_memory(&scenarios[i], nth, 0, 7)) {
      if (nth % 4 == 0) {
        fail_memory(&scenarios[i], nth, 1, 7);
      }
      nth++;
    }
    CHECK(nth > 200);
  }
}

// ---------------------------------------------------------------------------
// Records

static void test_requests_have_no_secrets(void) {
  static const struct {
    const char *text;
    const char *written;
  } cases[] = {
      {"{\"a\":1.50,\"hfToken\":\"s\",\"b\":[true,null,\"x\"]}",
       "{\"a\":1.50,\"hfToken\":null,\"b\":[true,null,\"x\"]}"},
      {"{\"params\":{\"hf\\u0054oken\":\"s\"},\"token\":{\"a\":[\"s\"]}}",
       "{\"params\":{\"hfToken\":null},\"token\":null}"},
      {"[{\"accessToken\":\"s\"},1e3,\"\\n\"]",
       "[{\"accessToken\":null},1e3,\"\\u000a\"]"},
  };
  tam_mem mem = tam_mem_default();
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
    tam_buf json;
    tam_buf_init(&json, &mem, 1024);
    tam_job_write_request(tam_span_of(cases[i].text), &json, &mem);
    tam_buf_append_byte(&json, 0);
    CHECK_INT(json.error, 0);
    CHECK(strcmp((const char *)json.data, cases[i].written) == 0);
    tam_buf_free(&json);
  }
}

static void test_records(void) {
  tam_mem mem = tam_mem_default();
  tam_buf bytes;
  tam_buf_init(&bytes, &mem, 4096);
  tam_job_record record = {
      .kind = TAM_JOB_LOAD,
      .order = UINT64_C(1) << 40,
      .is_paused = 1,
      .attempts = 2,
      .seq = 77,
      .id = TAM_SPAN("\"id\""),
      .request = TAM_SPAN("{}"),
      .head = TAM_SPAN("head"),
      .last = TAM_SPAN("last"),
  };
  tam_job_record read;
  tam_job_record_write(&record, &bytes);
  CHECK_INT(tam_job_record_read(&read, tam_buf_span(&bytes)), 0);
  CHECK(read.kind == record.kind && read.order == record.order &&
        read.is_paused == 1 && read.attempts == 2 && read.seq == 77 &&
        tam_span_eq(read.id, record.id) &&
        tam_span_eq(read.request, record.request) &&
        tam_span_eq(read.head, record.head) &&
        tam_span_eq(read.last, record.last));
  for (size_t i = 0; i < bytes.len; i++) {
    bytes.data[i] ^= 1;
    CHECK_INT(tam_job_record_read(&read, tam_buf_span(&bytes)),
              TAM_ERR_INVALID_ARGUMENT);
    bytes.data[i] ^= 1;
    CHECK_INT(
        tam_job_record_read(&read, tam_span_head(tam_buf_span(&bytes), i)),
        TAM_ERR_INVALID_ARGUMENT);
  }
  tam_buf_free(&bytes);
}

int main(void) {
  RUN(test_kill_at_every_step);
  RUN(test_kill_panel);
  RUN(test_kill_attempts);
  RUN(test_kill_twice);
  RUN(test_bad_storage);
  RUN(test_every_allocation);
  RUN(test_requests_have_no_secrets);
  RUN(test_records);
  return check_finish();
}
