// SPDX-License-Identifier: Apache-2.0
// The tokens of a row and what is counted of them, copies, and memory that runs
// out.
#include "chat/token_history.h"

#include "check.h"

static const int32_t prompt[] = {5, 2, 5, 99, -1, 31, 32};

static int is_seen(const tam_token_history *history, int32_t token) {
  int count = 0;
  for (size_t i = 0; i < history->unique_len; i++) {
    count += history->unique[i] == token;
  }
  return count;
}

static uint32_t count_of(const tam_token_history *history, int32_t token) {
  uint32_t count = 0;
  for (size_t i = 0; i < history->counts_len; i++) {
    count += history->counts[i].token == token ? history->counts[i].count : 0;
  }
  return count;
}

// Tokens beyond the vocabulary (99, -1) are kept, but not counted.
static void counts(void) {
  tam_mem mem = tam_mem_default();
  tam_token_history history;
  CHECK_INT(tam_token_history_init(&history, prompt, 7, 33, &mem), 0);
  CHECK_INT(history.len, 7);
  CHECK_INT(history.unique_len, 4);
  CHECK_INT(history.counts_len, 0);
  CHECK_INT(is_seen(&history, 5), 1);
  CHECK_INT(is_seen(&history, 32), 1);
  CHECK_INT(tam_token_history_append(&history, 5), 0);
  CHECK_INT(tam_token_history_append(&history, 7), 0);
  CHECK_INT(tam_token_history_append(&history, 7), 0);
  CHECK_INT(tam_token_history_append(&history, 33), 0);
  CHECK_INT(history.len, 11);
  CHECK_INT(history.tokens[10], 33);
  CHECK_INT(history.unique_len, 5);
  CHECK_INT(is_seen(&history, 7), 1);
  CHECK_INT(count_of(&history, 5), 1);
  CHECK_INT(count_of(&history, 7), 2);
  CHECK_INT(count_of(&history, 2), 0);
  tam_token_history_free(&history);
}

// A copy is the same, and then its own.
static void copies(void) {
  tam_mem mem = tam_mem_default();
  tam_token_history a;
  tam_token_history b;
  CHECK_INT(tam_token_history_init(&a, prompt, 7, 33, &mem), 0);
  CHECK_INT(tam_token_history_init(&b, NULL, 0, 33, &mem), 0);
  for (int i = 0; i < 200; i++) {
    CHECK_INT(tam_token_history_append(&a, i % 20), 0);
  }
  CHECK_INT(tam_token_history_copy(&b, &a), 0);
  CHECK_INT(tam_token_history_append(&a, 30), 0);
  CHECK_INT(b.len, 207);
  CHECK_INT(b.prompt_len, 7);
  CHECK_INT(memcmp(a.tokens, b.tokens, 207 * sizeof(*a.tokens)), 0);
  CHECK_INT(count_of(&b, 19), 10);
  CHECK_INT(is_seen(&b, 19), 1);
  CHECK_INT(is_seen(&b, 30), 0);
  CHECK_INT(tam_token_history_append(&b, 30), 0);
  CHECK_INT(is_seen(&b, 30), 1);
  tam_token_history_free(&a);
  tam_token_history_free(&b);
}

// Returns the first error of a life in which history grows and is copied.
static int live(const tam_mem *mem, const char *request) {
  (void)request;
  tam_token_history a;
  tam_token_history b;
  int error = tam_token_history_init(&a, prompt, 7, 33, mem);
  int second = tam_token_history_init(&b, prompt, 7, 33, mem);
  error = error != 0 ? error : second;
  for (int i = 0; i < 300 && error == 0; i++) {
    size_t len = a.len;
    error = tam_token_history_append(&a, i % 33);
    CHECK(a.len == len + (error == 0));
  }
  if (error == 0) {
    error = tam_token_history_copy(&b, &a);
    CHECK(b.len == (error == 0 ? 307U : 7U));
  }
  tam_token_history_free(&a);
  tam_token_history_free(&b);
  return error;
}

static void failing_memory(void) {
  check_allocations(live, NULL, 0);
}

int main(void) {
  RUN(counts);
  RUN(copies);
  RUN(failing_memory);
  return check_finish();
}
