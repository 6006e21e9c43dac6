// SPDX-License-Identifier: Apache-2.0
// The growing buffer: its cap, its sticky error, and no leak when memory is
// short; and sizes that would overflow.
#include "core/buf.h"
#include "core/mem.h"

#include "check.h"

static void grows_and_keeps(void) {
  check_heap heap = {0};
  tam_mem mem = check_heap_mem(&heap);
  tam_buf buf;
  tam_buf_init(&buf, &mem, 100000);
  for (int i = 0; i < 10000; i++) {
    tam_buf_append(&buf, TAM_SPAN("abcd"));
    tam_buf_append_byte(&buf, (uint8_t)i);
  }
  tam_span all = tam_buf_span(&buf);
  CHECK_INT(buf.error, 0);
  CHECK_INT(all.len, 50000);
  for (size_t i = 0; i < 10000; i++) {
    CHECK_SPAN(tam_span_head(tam_span_from(all, i * 5), 4), "abcd");
    CHECK_INT(all.ptr[i * 5 + 4], (uint8_t)i);
  }
  tam_buf_free(&buf);
  CHECK_INT(tam_buf_span(&buf).len, 0);
  CHECK_INT(heap.live, 0);
}

static void cap_is_sticky(void) {
  check_heap heap = {0};
  tam_mem mem = check_heap_mem(&heap);
  tam_buf buf;
  tam_buf_init(&buf, &mem, 5);
  tam_buf_append(&buf, TAM_SPAN("abc"));
  tam_buf_append(&buf, TAM_SPAN("def"));
  CHECK_INT(buf.error, TAM_ERR_TOO_LARGE);
  tam_buf_append_byte(&buf, 'x');
  CHECK_INT(buf.error, TAM_ERR_TOO_LARGE);
  CHECK_SPAN(tam_buf_span(&buf), "abc");
  tam_buf_reset(&buf);
  CHECK_INT(buf.error, 0);
  tam_buf_append(&buf, TAM_SPAN("12345"));
  CHECK_SPAN(tam_buf_span(&buf), "12345");
  tam_buf_free(&buf);
  CHECK_INT(heap.live, 0);
}

static void fixed_memory_stays_put(void) {
  uint8_t bytes[4];
  tam_buf buf;
  tam_buf_init_fixed(&buf, bytes, sizeof(bytes));
  tam_buf_append(&buf, TAM_SPAN("abcd"));
  CHECK_INT(buf.error, 0);
  CHECK(tam_buf_span(&buf).ptr == bytes);
  tam_buf_append_byte(&buf, 'e');
  CHECK_INT(buf.error, TAM_ERR_TOO_LARGE);
  CHECK_SPAN(tam_buf_span(&buf), "abcd");
}

// Memory that is given out once, so that what was freed can be looked at.
static uint8_t arena[4096];
static size_t arena_used;

static void *arena_malloc(size_t size, void *user_data) {
  (void)user_data;
  if (size > sizeof(arena) - arena_used) {
    return NULL;
  }
  arena_used += size;
  return arena + arena_used - size;
}

static void arena_free(void *ptr, void *user_data) {
  (void)ptr;
  (void)user_data;
}

static int arena_has(const char *text) {
  for (size_t i = 0; i + strlen(text) <= sizeof(arena); i++) {
    if (memcmp(arena + i, text, strlen(text)) == 0) {
      return 1;
    }
  }
  return 0;
}

static void secrets_are_overwritten(void) {
  tam_mem mem = {NULL, arena_malloc, NULL, arena_free};
  uint8_t rest[300] = {0};
  tam_buf buf;
  tam_buf_init(&buf, &mem, sizeof(arena));
  tam_buf_wipe(&buf); // nothing there
  tam_buf_append_text(&buf, "hf_secret");
  tam_buf_append(&buf, (tam_span){rest, sizeof(rest)}); // it moves
  CHECK_INT(memcmp(buf.data, "hf_secret", 9), 0);
  CHECK(buf.data != arena);
  CHECK(arena_has("secret"));
  CHECK_INT(arena[0], 0); // where it was before
  tam_buf_wipe(&buf);
  CHECK_INT(buf.len, 0);
  CHECK_INT(buf.capacity, 0);
  CHECK(!arena_has("secret"));
}

static void no_memory(void) {
  size_t fail_at = 0;
  int error = TAM_ERR_OUT_OF_MEMORY;
  while (error != 0) {
    check_heap heap = {0};
    tam_mem mem = check_heap_mem(&heap);
    tam_buf buf;
    heap.fail_at = ++fail_at;
    tam_buf_init(&buf, &mem, 100000);
    for (int i = 0; i < 3000; i++) {
      tam_buf_append(&buf, TAM_SPAN("0123456789"));
    }
    error = buf.error;
    CHECK(error == 0 || error == TAM_ERR_OUT_OF_MEMORY);
    CHECK(error != 0 || buf.len == 30000);
    tam_buf_free(&buf);
    CHECK_INT(heap.live, 0);
  }
  CHECK(fail_at > 2);
}

static void sizes_do_not_overflow(void) {
  check_heap heap = {0};
  tam_mem mem = check_heap_mem(&heap);
  CHECK(tam_mem_calloc(&mem, SIZE_MAX / 2, 3) == NULL);
  CHECK(tam_mem_realloc(&mem, NULL, SIZE_MAX / 4 + 2, 4) == NULL);
  CHECK_INT(heap.allocations, 0);
  uint8_t *zeros = tam_mem_calloc(&mem, 3, 4);
  CHECK(zeros != NULL && zeros[0] == 0 && zeros[11] == 0);
  tam_mem_free(&mem, zeros);
  tam_mem_free(&mem, NULL);
  CHECK_INT(heap.live, 0);
}

static void check_words(const char *said, size_t max, const char *shown) {
  tam_mem mem = tam_mem_default();
  tam_buf buf;
  tam_buf_init(&buf, &mem, 1000);
  tam_buf_append_quote(&buf, tam_span_of(said), max);
  CHECK(tam_span_is(tam_buf_span(&buf), shown));
  tam_buf_free(&buf);
}

static void words_of_others(void) {
  check_words("", 9, "");
  check_words("Netz\xc3\xbc"
              "berlauf \xff\"",
              99,
              "Netz\xc3\xbc"
              "berlauf ?\"");
  check_words("\xe4\xb8\xad\xe6\x96\x87", 99, "\xe4\xb8\xad\xe6\x96\x87");
  check_words("\xe4\xb8\xad\xe6\x96\x87", 5, "\xe4\xb8\xad");
  check_words("\xf0\x9f\x98\x80!", 99, "\xf0\x9f\x98\x80!");
  check_words("a\nb\x7f"
              "c\xc2\x9f",
              99, "a?b?c??");
  check_words("\xc2\xa0\xc3\xbf", 99, "\xc2\xa0\xc3\xbf");
  // Broken off, too long, a half of a pair, beyond the last character.
  check_words("\xe4\xb8", 99, "??");
  check_words("\xc0\xaf", 99, "??");
  check_words("\xe0\x80\xaf", 99, "???");
  check_words("\xed\xa0\x80", 99, "???");
  check_words("\xf4\x90\x80\x80", 99, "????");
  check_words("\xf8\x88\x80\x80", 99, "????");
  check_words("\xbf", 99, "?");
}

int main(void) {
  RUN(grows_and_keeps);
  RUN(cap_is_sticky);
  RUN(fixed_memory_stays_put);
  RUN(secrets_are_overwritten);
  RUN(no_memory);
  RUN(sizes_do_not_overflow);
  RUN(words_of_others);
  return check_finish();
}
