// SPDX-License-Identifier: Apache-2.0
// Answers whose program is killed at every step, on a storage in memory that is
// fast, slow, or full. The tokens and texts are those of an answer that nothing
// disturbed, no number comes twice, and there is one last word.
#include "journal_world.h"

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
  CHECK_INT(tam_job_record_check(&record, &mem), TAM_ERR_INVALID_ARGUMENT);
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

// The host parses what it is told.
static void test_hostile_records(void) {
  static const struct {
    const char *id;
    const char *request;
    uint32_t flags;
    const char *text;
    int result;
  } cases[] = {
      {"\"a\"", "{}", TAM_MESSAGE_FLAG_TERMINAL, "{}", 0},
      {"-7", "{\"a\":[1]}", TAM_MESSAGE_FLAG_TERMINAL, "{}", 0},
      {"a", "{}", TAM_MESSAGE_FLAG_TERMINAL, "{}", TAM_ERR_INVALID_ARGUMENT},
      {"1,2", "{}", TAM_MESSAGE_FLAG_TERMINAL, "{}", TAM_ERR_INVALID_ARGUMENT},
      {"7", "{", TAM_MESSAGE_FLAG_TERMINAL, "{}", TAM_ERR_INVALID_ARGUMENT},
      {"7", "[]", TAM_MESSAGE_FLAG_TERMINAL, "{}", TAM_ERR_INVALID_ARGUMENT},
      {"7", "{}", TAM_MESSAGE_FLAG_TERMINAL, "{\xff}",
       TAM_ERR_INVALID_ARGUMENT},
      {"7", "{}", TAM_MESSAGE_FLAG_TERMINAL, "", TAM_ERR_INVALID_ARGUMENT},
      {"7", "{}", 0, "{}", TAM_ERR_INVALID_ARGUMENT},
      {"7", "{}", TAM_JOB_FLAGS_FOR_ALL, "{}", TAM_ERR_INVALID_ARGUMENT},
  };
  tam_mem mem = tam_mem_default();
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
    tam_buf last;
    tam_buf_init(&last, &mem, 256);
    for (int place = 0; place < 2; place++) {
      tam_buf_append_u32(&last, place == 0 ? 0 : cases[i].flags);
      tam_buf_append_u32(&last, (uint32_t)strlen(cases[i].text));
      tam_buf_append_text(&last, cases[i].text);
    }
    tam_job_record record = {.id = tam_span_of(cases[i].id),
                             .request = tam_span_of(cases[i].request),
                             .last = tam_buf_span(&last)};
    CHECK_INT(tam_job_record_check(&record, &mem), cases[i].result);
    record.last.len--;
    CHECK_INT(tam_job_record_check(&record, &mem), TAM_ERR_INVALID_ARGUMENT);
    tam_buf_free(&last);
  }
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
  RUN(test_hostile_records);
  return check_finish();
}
