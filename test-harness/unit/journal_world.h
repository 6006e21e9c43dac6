// SPDX-License-Identifier: Apache-2.0
// Programs that keep a journal, one life after the other, on a storage in
// memory.
#ifndef TAM_TEST_JOURNAL_WORLD_H
#define TAM_TEST_JOURNAL_WORLD_H

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

static inline void shelf_put(shelf *self, const char *key, tam_span bytes) {
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

static inline void shelf_delete(shelf *self, const char *key) {
  for (size_t i = 0; i < self->count; i++) {
    if (strcmp(self->entries[i].key, key) == 0) {
      free(self->entries[i].bytes);
      self->entries[i] = self->entries[--self->count];
      return;
    }
  }
}

static inline void shelf_free(shelf *self) {
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
  int is_hostile;         // it holds what nobody has written
  uint32_t answer;        // the operation that answers
  char *heard[HEARD_MAX]; // what it has said, by number
  unsigned again[HEARD_MAX];
  size_t heard_count;
  unsigned ends;
  unsigned completed; // said to all that it is complete
  unsigned standing;  // said that it goes on, before anything else
  char shown[256];    // pieces of answers that all have heard
} life;

static inline char *copy_of(tam_span text) {
  char *copy = malloc(text.len + 1);
  tam_text_copy((uint8_t *)copy, text);
  copy[text.len] = '\0';
  return copy;
}

static inline void take_event(life *self, const char *text) {
  self->completed += strstr(text, "\"generationComplete\"") != NULL;
  const char *token = strstr(text, "\"token\":\"");
  if (token != NULL) {
    token += strlen("\"token\":\"");
    strncat(self->shown, token, strcspn(token, "\""));
  }
}

static inline void take_said(life *self, const tam_action *action) {
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

static inline void on_life_action(void *user_data, const tam_action *action) {
  life *self = user_data;
  if (action->kind == TAM_ACTION_MESSAGE && !self->is_hostile) {
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

static inline void feed_store(life *self, tam_event_kind kind, uint32_t request,
                              uint32_t status, tam_span payload) {
  tam_event event = {
      .kind = kind, .request = request, .status = status, .payload = payload};
  if (fake_host_order(&self->host.host, request) != 0) {
    int error = fake_host_feed(&self->host.host, &event);
    CHECK(error == 0 || error == TAM_ERR_OUT_OF_MEMORY);
  }
}

static inline void do_write(life *self, const tam_json_node *order,
                            tam_span bytes) {
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

static inline void do_list(life *self, const char *prefix, uint32_t request) {
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
static inline int store_step(life *self) {
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

static inline void life_begin(life *self, const scenario *test, shelf *kept) {
  memset(self, 0, sizeof(*self));
  begin(&self->host, test);
  self->shelf = kept;
  self->inner = self->host.host.on_action;
  self->host.host.on_action = on_life_action;
  self->host.host.user_data = self;
}

// It is killed: what was not written is gone.
static inline void life_end(life *self) {
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
static inline int time_step(life *self) {
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

static inline void run_all(life *self) {
  while (chat_host_step(&self->host) || store_step(self) || time_step(self)) {
  }
}

// Does up to |steps| steps. The storage gets its turn after every |pace| of the
// chat, and before everything else with 0.
static inline void run_some(life *self, size_t steps, size_t pace) {
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

static inline void ask_with_journal(life *self, const char *message,
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
static inline void first_life(life *self, const scenario *test, shelf *kept,
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
static inline int next_life(life *self, const scenario *test, shelf *kept) {
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

#endif // TAM_TEST_JOURNAL_WORLD_H
