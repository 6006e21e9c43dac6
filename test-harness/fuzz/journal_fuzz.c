// SPDX-License-Identifier: Apache-2.0
// What a program finds that died in the midst of an answer or a load, changed
// by somebody who knows the form of records: the input says when the first one
// dies, which bytes become others, with the checksum that goes with them, and
// which records there are besides. The next one lists all of it, goes on with
// everything, and afterwards still loads a model and answers right.
#include "../unit/journal_world.h"

#include "core/trap.h"
#include "fuzz_input.h"
#include "record_sum.h"

// Bytes of a record of the input's own, and of its key.
#define TEXT_MAX 2048
#define KEY_MAX  200

// Longer requests are not sent again.
#define REQUEST_MAX 4096

// Jobs that go on: each may run a model.
#define JOBS_MAX 4

// ---------------------------------------------------------------------------
// What is changed

// Replaces |removed| bytes from |at| on of the entry |place|; the checksum is
// right again.
static void edit(shelf *kept, size_t place, size_t at, size_t removed,
                 tam_span added) {
  tam_mem mem = tam_mem_default();
  if (kept->count == 0) {
    return;
  }
  place %= kept->count;
  size_t size = kept->entries[place].len;
  size = size > 8 ? size - 8 : 0; // without the checksum
  tam_span body = {kept->entries[place].bytes, size};
  at = size == 0 ? 0 : at % size;
  removed = removed < size - at ? removed : size - at;
  tam_buf bytes;
  tam_buf_init(&bytes, &mem, SIZE_MAX / 2);
  tam_buf_append(&bytes, tam_span_head(body, at));
  tam_buf_append(&bytes, added);
  tam_buf_append(&bytes, tam_span_from(body, at + removed));
  tam_buf saved = with_sum(bytes.data, bytes.len, &mem);
  shelf_put(kept, kept->entries[place].key, tam_buf_span(&saved));
  tam_buf_free(&saved);
  tam_buf_free(&bytes);
}

static void step_edit(fuzz_input *input, shelf *kept) {
  size_t place = take_byte(input);
  size_t at = take_short(input);
  size_t removed = take_byte(input);
  tam_span added = take_text(input, TEXT_MAX);
  edit(kept, place, at, removed, added);
}

// Keys are text, as the storage has them.
static void step_put(fuzz_input *input, shelf *kept) {
  static const char *const prefixes[] = {TAM_KEY_JOB, TAM_KEY_SAID,
                                         TAM_KEY_CRASHED};
  tam_mem mem = tam_mem_default();
  char key[sizeof(kept->entries[0].key)];
  size_t prefix = take_byte(input) % 3;
  tam_span id = take_text(input, KEY_MAX);
  tam_span text = take_text(input, TEXT_MAX);
  int len = snprintf(key, sizeof(key), "%s%.*s", prefixes[prefix], (int)id.len,
                     (const char *)id.ptr);
  for (int i = 0; i < len; i++) {
    key[i] = (uint8_t)key[i] < 0x80 ? key[i] : '?';
  }
  if (kept->count < ENTRIES_MAX) {
    tam_buf saved = with_sum(text.ptr, text.len, &mem);
    shelf_put(kept, key, tam_buf_span(&saved));
    tam_buf_free(&saved);
  }
}

// ---------------------------------------------------------------------------
// Lives

static void ask_first(life *self, unsigned kind) {
  if (kind == 0) {
    (void)chat_host_command(&self->host, LOAD,
                            TAM_COMMAND_FLAG_JOURNAL |
                                TAM_COMMAND_FLAG_BROADCAST);
    return;
  }
  (void)chat_host_start(&self->host, LOAD, NULL);
  run_all(self);
  if (kind == 1) {
    ask_with_journal(self, PANEL_ASK, NULL);
  } else {
    ask_with_journal(self, scenarios[kind % SCENARIOS].ask, HELLO);
  }
}

// Has the job of |request| go on, as the host does.
static void go_on(life *self, const char *request) {
  char message[REQUEST_MAX + 32];
  if (request[0] == '{' && strlen(request) < REQUEST_MAX) {
    snprintf(message, sizeof(message), "{\"resume\":true%s%s",
             request[1] == '}' ? "" : ",", request + 1);
    (void)chat_host_command(&self->host, message,
                            TAM_COMMAND_FLAG_JOURNAL |
                                TAM_COMMAND_FLAG_BROADCAST);
  }
}

// The host of these tests has no network: listings and downloads stay.
static void go_on_with_all(life *self, const char *list) {
  const char *at = list;
  for (int i = 0; i < JOBS_MAX; i++) {
    at = strstr(at, "\"kind\":\"");
    if (at == NULL) {
      return;
    }
    at += strlen("\"kind\":\"");
    int can_run = strncmp(at, "load", 4) == 0 || strncmp(at, "gen", 3) == 0;
    const char *request = strstr(at, "\"request\":");
    const char *end = request == NULL ? NULL : strstr(request, ",\"lastSeq\"");
    if (can_run && end != NULL) {
      request += strlen("\"request\":");
      char *copy = copy_of(
          (tam_span){(const uint8_t *)request, (size_t)(end - request)});
      go_on(self, copy);
      free(copy);
      run_all(self);
    }
  }
}

static void require(const life *self, const char *part) {
  if (strstr(self->host.last, part) == NULL) {
    fprintf(stderr, "%s\n", self->host.last);
    fake_host_broken(part);
  }
}

static void check_end(life *self) {
  (void)chat_host_start(&self->host, RESET, NULL);
  run_all(self);
  require(self, "\"reset:done\"");
  if (self->host.thing_count != 0) {
    fake_host_broken("a reset releases everything");
  }
  self->host.is_hostile = 0;
  (void)chat_host_start(&self->host, LOAD, NULL);
  run_all(self);
  require(self, LOADED);
  (void)chat_host_start(&self->host, ASK("\"max_new_tokens\":3"), HELLO);
  run_all(self);
  int before = check_failures;
  check_greedy(&self->host, self->host.last, HELLO, 3);
  if (check_failures != before) {
    fake_host_broken("an answer is right");
  }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  fuzz_input input = {data, size};
  shelf kept = {0};
  life first;
  life next;
  unsigned kind = take_byte(&input);
  unsigned steps = take_byte(&input);
  life_begin(&first, &scenarios[kind % SCENARIOS], &kept);
  first.is_hostile = 1; // what it says is looked at elsewhere
  (void)chat_host_start(&first.host, LIST, NULL);
  run_all(&first);
  ask_first(&first, kind % 8);
  run_some(&first, steps, kind / 8 % 4);
  chat_host_dispose(&first.host);
  while (input.left > 0) {
    (take_byte(&input) % 4 == 3 ? step_put : step_edit)(&input, &kept);
  }
  life_begin(&next, &scenarios[kind % SCENARIOS], &kept);
  next.is_hostile = 1;
  next.host.is_hostile = 1; // orders are about what somebody made up
  (void)chat_host_start(&next.host, LIST, NULL);
  run_all(&next);
  char *list = copy_of(tam_span_of(next.host.last));
  go_on_with_all(&next, list);
  free(list);
  check_end(&next);
  life_end(&next);
  life_end(&first);
  shelf_free(&kept);
  return 0;
}
