// SPDX-License-Identifier: Apache-2.0
// The token leaves no copy behind: neither in memory that was given back nor in
// the input buffer, however the listing ends; and after a logout nowhere at
// all.
#include "check.h"

#include "tam.h"

#include <stddef.h>

static const char token[] = "hf_neverLeaveThisBehind";

static int has_token(const void *memory, size_t len) {
  const char *at = memory;
  for (size_t i = 0; i + sizeof(token) - 1 <= len; i++) {
    if (memcmp(at + i, token, sizeof(token) - 1) == 0) {
      return 1;
    }
  }
  return 0;
}

// An allocator that looks at what it gets back, and knows what is in use.
typedef union block {
  struct {
    size_t size;
    union block *next;
    union block *previous;
  } in_use;
  max_align_t align;
} block;

static block *blocks;

static void *spy_malloc(size_t size, void *user_data) {
  (void)user_data;
  block *head = malloc(sizeof(*head) + size);
  if (head == NULL) {
    return NULL;
  }
  head->in_use.size = size;
  head->in_use.previous = NULL;
  head->in_use.next = blocks;
  if (blocks != NULL) {
    blocks->in_use.previous = head;
  }
  blocks = head;
  return head + 1;
}

static void spy_free(void *ptr, void *user_data) {
  (void)user_data;
  if (ptr != NULL) {
    block *head = (block *)ptr - 1;
    CHECK(!has_token(ptr, head->in_use.size));
    if (head->in_use.next != NULL) {
      head->in_use.next->in_use.previous = head->in_use.previous;
    }
    if (head->in_use.previous != NULL) {
      head->in_use.previous->in_use.next = head->in_use.next;
    } else {
      blocks = head->in_use.next;
    }
    free(head);
  }
}

static void *spy_realloc(void *ptr, size_t size, void *user_data) {
  void *moved = spy_malloc(size, user_data);
  if (ptr != NULL && moved != NULL) {
    size_t before = ((block *)ptr - 1)->in_use.size;
    memcpy(moved, ptr, before < size ? before : size);
    spy_free(ptr, user_data);
  }
  return moved;
}

// Returns in how many blocks that are in use the token is.
static int count_copies(void) {
  int count = 0;
  for (const block *at = blocks; at != NULL; at = at->in_use.next) {
    count += has_token(at + 1, at->in_use.size);
  }
  return count;
}

// Takes all actions; returns the number of the last request, 0 when there was
// none.
static uint32_t drain(tam_manager *manager, int *pfetches) {
  uint32_t request = 0;
  const tam_action *action;
  while ((action = tam_manager_next(manager)) != NULL) {
    if (action->kind == TAM_ACTION_FETCH) {
      request = action->request;
      *pfetches += has_token(action->second.ptr, action->second.len);
    } else {
      CHECK(!has_token(action->first.ptr, action->first.len));
    }
  }
  return request;
}

static void feed(tam_manager *manager, const tam_event *event) {
  tam_event copy = *event;
  if (copy.payload.len > 0) {
    uint8_t *buf = tam_manager_in_buf(manager, copy.payload.len);
    memcpy(buf, event->payload.ptr, copy.payload.len);
    copy.payload.ptr = buf;
  }
  CHECK_INT(tam_manager_feed(manager, &copy, 1000), 0);
}

// Lists with |params|; |rest| are the events behind the command, each about the
// newest request.
static int run(const char *params, const tam_event *rest, size_t count) {
  const tam_mem mem = {NULL, spy_malloc, spy_realloc, spy_free};
  const tam_config config = {.hub_url = TAM_SPAN("https://hub.test")};
  tam_manager *manager;
  char command[512];
  int fetches = 0;
  snprintf(command, sizeof(command),
           "{\"action\":\"listChatModels\",\"id\":1,\"params\":{"
           "\"hfToken\":\"%s\"%s}}",
           token, params);
  CHECK_INT(tam_manager_new(&manager, &config, &mem), 0);
  feed(manager, &(tam_event){.kind = TAM_EVENT_COMMAND,
                             .op = 1,
                             .payload = tam_span_of(command)});
  CHECK(!has_token(tam_manager_in_buf(manager, 1), TAM_EVENT_PAYLOAD_MAX));
  uint32_t request = drain(manager, &fetches);
  for (size_t i = 0; i < count; i++) {
    tam_event event = rest[i];
    event.op = 1;
    event.request = request;
    feed(manager, &event);
    uint32_t next = drain(manager, &fetches);
    request = next != 0 ? next : request;
  }
  CHECK_INT(tam_manager_busy(manager), 0);
  tam_manager_del(manager);
  return fetches;
}

// ---------------------------------------------------------------------------
// Login

#define LOGIN(more)                                                            \
  "{\"action\":\"login\",\"id\":1,\"params\":{\"token\":"                      \
  "\"hf_neverLeaveThisBehind\"" more "}}"
#define LOGOUT "{\"action\":\"logout\",\"id\":2}"
#define LIST   "{\"action\":\"listChatModels\",\"id\":3}"
#define PLAN   "{\"action\":\"plan\",\"id\":4,\"params\":{\"modelId\":\"a/b\"}}"

typedef struct session {
  tam_manager *manager;
  int fetches;      // with the token
  uint32_t request; // the newest one
} session;

static void session_open(session *s) {
  const tam_mem mem = {NULL, spy_malloc, spy_realloc, spy_free};
  const tam_config config = {.hub_url = TAM_SPAN("https://hub.test")};
  memset(s, 0, sizeof(*s));
  CHECK_INT(tam_manager_new(&s->manager, &config, &mem), 0);
}

static void session_close(session *s) {
  tam_manager_del(s->manager);
  CHECK(blocks == NULL);
}

static void session_feed(session *s, tam_event event) {
  event.request = s->request;
  feed(s->manager, &event);
  uint32_t request = drain(s->manager, &s->fetches);
  s->request = request != 0 ? request : s->request;
}

static void session_command(session *s, uint32_t op, const char *text) {
  session_feed(s, (tam_event){.kind = TAM_EVENT_COMMAND,
                              .op = op,
                              .payload = tam_span_of(text)});
}

#define PAGE "[{\"id\":\"a/b\"},{\"id\":\"a/c\",\"gated\":\"auto\"}]"

static const tam_event head = {.kind = TAM_EVENT_HTTP_HEAD, .status = 200};
static const tam_event page = {
    .kind = TAM_EVENT_HTTP_DATA,
    .payload = {(const uint8_t *)PAGE, sizeof(PAGE) - 1}};
static const tam_event end = {.kind = TAM_EVENT_HTTP_END};
static const tam_event denied = {.kind = TAM_EVENT_HTTP_HEAD, .status = 403};
static const tam_event cancel = {.kind = TAM_EVENT_CANCEL};

static void test_done(void) {
  const tam_event rest[] = {head, page, end, denied, end, denied, end};
  CHECK_INT(run(",\"fetchConfigs\":\"all\",\"concurrency\":1", rest, 7), 3);
}

static void test_cancelled(void) {
  CHECK_INT(run("", &cancel, 1), 1);
  const tam_event rest[] = {head, page, end, denied, cancel};
  CHECK_INT(run(",\"fetchConfigs\":\"all\"", rest, 5), 3);
}

static void test_failed(void) {
  const tam_event rest[] = {denied, end};
  CHECK_INT(run("", rest, 2), 1);
}

static void test_refused(void) {
  CHECK_INT(run(",\"maxCandidates\":0", NULL, 0), 0);
  CHECK_INT(run(",\"query\":{\"search\":\"a\\u0000\"}", NULL, 0), 0);
  CHECK_INT(run(",", NULL, 0), 0);
}

#define WHO                                                                    \
  "{\"name\":\"reader\",\"auth\":{\"accessToken\":{\"role\":\"read\"}}}"

// A body that names the account; one that repeats the token; none at all.
static void login(session *s, const char *body) {
  session_command(s, 1, LOGIN(""));
  CHECK_INT(s->fetches, 1);
  session_feed(s, head);
  session_feed(s, (tam_event){.kind = TAM_EVENT_HTTP_DATA,
                              .payload = tam_span_of(body)});
  memset(tam_manager_in_buf(s->manager, 1), 0, TAM_EVENT_PAYLOAD_MAX);
  session_feed(s, end);
}

static void test_logged_in(void) {
  session s;
  session_open(&s);
  login(&s, WHO);
  CHECK_INT(count_copies(), 1);
  session_command(&s, 3, LIST);
  session_command(&s, 4, PLAN);
  CHECK_INT(s.fetches, 2); // the plan asks the storage first
  // The listing goes on, but no copy of the token is left with it.
  session_command(&s, 2, LOGOUT);
  CHECK_INT(count_copies(), 0);
  CHECK_INT(tam_manager_busy(s.manager), 2);
  session_close(&s);
}

static void test_login_is_dropped(void) {
  session s;
  session_open(&s);
  session_command(&s, 1, LOGIN(""));
  session_feed(&s, (tam_event){.kind = TAM_EVENT_CANCEL, .op = 1});
  CHECK_INT(count_copies(), 0);
  session_command(&s, 1, LOGIN(""));
  session_command(&s, 2, LOGOUT);
  CHECK_INT(count_copies(), 0);
  session_command(&s, 1, LOGIN(",\"check\":false"));
  CHECK_INT(count_copies(), 1);
  session_close(&s); // what is freed is looked at
}

// The buffer that gathers the pieces of a message moves while it grows.
static void test_login_in_pieces(void) {
  static const char begin[] =
      "{\"action\":\"login\",\"id\":1,\"params\":{\"check\":false,\"token\":"
      "\"hf_neverLeaveThisBehind\"";
  char blanks[4096];
  session s;
  memset(blanks, ' ', sizeof(blanks));
  session_open(&s);
  session_feed(&s, (tam_event){.kind = TAM_EVENT_COMMAND,
                               .op = 1,
                               .flags = TAM_COMMAND_FLAG_MORE,
                               .payload = tam_span_of(begin)});
  session_feed(
      &s, (tam_event){.kind = TAM_EVENT_COMMAND,
                      .op = 1,
                      .flags = TAM_COMMAND_FLAG_MORE,
                      .payload = {(const uint8_t *)blanks, sizeof(blanks)}});
  session_command(&s, 1, "}}");
  CHECK_INT(tam_manager_busy(s.manager), 0);
  CHECK_INT(count_copies(), 1);
  session_close(&s);
}

#define PANEL_LOGIN                                                            \
  "{\"type\":\"huggingfaceLogin\",\"payload\":{\"modelId\":\"a/b\","           \
  "\"token\":\"hf_neverLeaveThisBehind\",\"loadId\":\"1\"}}"

// The old panel's way of saying the same.
static void test_panel(void) {
  session s;
  session_open(&s);
  session_command(&s, 1, PANEL_LOGIN);
  CHECK_INT(s.fetches, 1);
  session_feed(&s, head);
  session_feed(
      &s, (tam_event){.kind = TAM_EVENT_HTTP_DATA, .payload = TAM_SPAN(WHO)});
  session_feed(&s, end);
  CHECK_INT(count_copies(), 1);
  session_command(&s, 3, LIST);
  CHECK_INT(s.fetches, 2);
  session_command(&s, 2, "{\"type\":\"huggingfaceLogout\"}");
  CHECK_INT(count_copies(), 0);
  session_close(&s);
}

static void test_login_fails(void) {
  const char *const bodies[] = {"", "{}", "{\"name\":\"",
                                "{\"name\":\"hf_neverLeaveThisBehind\"}",
                                "[\"hf_neverLeaveThisBehind\"]"};
  for (size_t i = 0; i < sizeof(bodies) / sizeof(bodies[0]); i++) {
    session s;
    session_open(&s);
    login(&s, bodies[i]);
    CHECK_INT(tam_manager_busy(s.manager), 0);
    CHECK_INT(count_copies(), 0);
    session_close(&s);
  }
}

int main(void) {
  RUN(test_logged_in);
  RUN(test_login_is_dropped);
  RUN(test_login_in_pieces);
  RUN(test_panel);
  RUN(test_login_fails);
  RUN(test_done);
  RUN(test_cancelled);
  RUN(test_failed);
  RUN(test_refused);
  return check_finish();
}
