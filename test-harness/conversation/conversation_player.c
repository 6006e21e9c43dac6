// SPDX-License-Identifier: Apache-2.0
// Plays conversations of TabAgent's panel: conversation_player FILE...
//
// Each is played with the made-up model of chat_host.h and compared with what
// it expects; then with every allocation failing in turn, which must cost no
// more than the operation in work. With --show the messages are printed
// instead; with --record all events, for other builds of the core. README.md
// describes the language.
#include "chat_host.h"
#include "trace_file.h"
#include "trace_match.h"

typedef struct log_entry {
  char *text;
  size_t step;
} log_entry;

typedef struct player {
  chat_host host;
  fake_host_on_action inner; // of the host itself
  const trace *script;
  size_t step;
  log_entry *log;
  size_t log_count;
  int is_recording;
  int is_tolerant; // what cannot be played is passed over
  int is_broken;
} player;

// The longest text that a model is told to say.
#define SCRIPT_MAX 256

// ---------------------------------------------------------------------------
// The log

static char *copy_text(const char *text) {
  char *copy = malloc(strlen(text) + 1);
  return strcpy(copy, text);
}

static void log_text(player *self, const char *text) {
  self->log = realloc(self->log, (self->log_count + 1) * sizeof(*self->log));
  self->log[self->log_count++] = (log_entry){copy_text(text), self->step};
}

static void on_action(void *user_data, const tam_action *action) {
  player *self = user_data;
  if (action->kind == TAM_ACTION_MESSAGE ||
      action->kind == TAM_ACTION_REQUEST) {
    const char *kind = action->kind == TAM_ACTION_REQUEST          ? "request"
                       : action->flags & TAM_MESSAGE_FLAG_TERMINAL ? "terminal"
                       : action->flags & TAM_MESSAGE_FLAG_CHANNEL  ? "channel"
                                                                   : "message";
    size_t size = action->first.len + 64;
    char *text = malloc(size);
    snprintf(text, size, "%s %u %.*s", kind, action->op, (int)action->first.len,
             (const char *)action->first.ptr);
    trace_compact_json(text);
    log_text(self, text);
    free(text);
  }
  self->inner(&self->host, action);
}

// Writes the event as JSON, its payload in hexadecimal digits.
static void on_event(void *user_data, const tam_event *event, double now_ms) {
  const player *self = user_data;
  if (!self->is_recording) {
    return;
  }
  printf("{\"step\":%zu,\"now\":%.17g,\"kind\":%d,\"op\":%u,\"request\":%u,"
         "\"status\":%u,\"flags\":%u,\"payload\":\"",
         self->step, now_ms, (int)event->kind, event->op, event->request,
         event->status, event->flags);
  for (size_t i = 0; i < event->payload.len; i++) {
    printf("%02x", event->payload.ptr[i]);
  }
  printf("\"}\n");
}

// ---------------------------------------------------------------------------
// The script

static void complain(player *self, const char *what) {
  if (!self->is_tolerant) {
    printf("line %u: %s: %s\n", self->script->steps[self->step].event.number,
           self->script->steps[self->step].event.line, what);
    self->is_broken = 1;
  }
}

static void feed(player *self, const tam_event *event) {
  char text[64];
  int result = fake_host_feed(&self->host.host, event);
  if (result != 0) {
    snprintf(text, sizeof(text), "returns %s", tam_strerror(result));
    log_text(self, text);
  }
}

static void play_at(player *self, const trace_entry *entry, const char *rest) {
  (void)entry;
  self->host.host.now_ms = strtod(rest, NULL);
}

static void play_timer(player *self, const trace_entry *entry,
                       const char *rest) {
  fake_host *host = &self->host.host;
  (void)entry;
  double wanted = strtod(rest, NULL);
  double deadline = tam_manager_deadline(host->manager, host->now_ms);
  char text[64];
  if (deadline < 0 || host->now_ms + deadline != wanted) {
    snprintf(text, sizeof(text), "the timer is wanted in %.0f ms", deadline);
    complain(self, text);
  }
  host->now_ms = wanted;
  feed(self, &(tam_event){.kind = TAM_EVENT_TIMER});
}

// No timer is wanted at all.
static void play_rest(player *self, const trace_entry *entry,
                      const char *rest) {
  const fake_host *host = &self->host.host;
  (void)entry;
  (void)rest;
  if (tam_manager_deadline(host->manager, host->now_ms) >= 0) {
    complain(self, "a timer is wanted");
  }
}

static void play_command(player *self, const trace_entry *entry,
                         const char *rest) {
  char *after = NULL;
  tam_event event = {.kind = TAM_EVENT_COMMAND,
                     .flags = TAM_COMMAND_FLAG_BROADCAST};
  event.op = (uint32_t)strtoul(rest, &after, 10);
  tam_span text = {(const uint8_t *)entry->body, entry->body_len};
  size_t piece = text.len;
  if (strncmp(after, " in pieces of ", 14) == 0) {
    piece = strtoul(after + 14, NULL, 10);
  }
  do {
    event.payload = tam_span_head(text, piece);
    text = tam_span_from(text, piece);
    event.flags &= ~TAM_COMMAND_FLAG_MORE;
    event.flags |= text.len > 0 ? TAM_COMMAND_FLAG_MORE : 0;
    feed(self, &event);
  } while (text.len > 0);
}

static void play_cancel(player *self, const trace_entry *entry,
                        const char *rest) {
  (void)entry;
  feed(self, &(tam_event){.kind = TAM_EVENT_CANCEL,
                          .op = (uint32_t)strtoul(rest, NULL, 10)});
}

// Does what is ordered, up to the next order called |verb|.
static void run_to(player *self, const char *verb) {
  chat_host *host = &self->host;
  char wanted[64];
  snprintf(wanted, sizeof(wanted), "{\"do\":\"%s\"", verb);
  while (host->order_count > 0 &&
         strstr(host->orders[0].text, wanted) == NULL) {
    (void)chat_host_step(host);
  }
  if (host->order_count == 0) {
    complain(self, "no such order is given");
  }
}

static void play_run(player *self, const trace_entry *entry, const char *rest) {
  (void)entry;
  if (strncmp(rest, " to ", 4) == 0) {
    run_to(self, rest + 4);
  } else {
    chat_host_run(&self->host);
  }
}

static void play_fail(player *self, const trace_entry *entry,
                      const char *rest) {
  run_to(self, rest);
  self->host.fail_order = self->host.done + 1;
  self->host.fail_words = entry->body;
}

static void play_says(player *self, const trace_entry *entry,
                      const char *rest) {
  static int32_t tokens[SCRIPT_MAX];
  size_t len = entry->body_len < SCRIPT_MAX ? entry->body_len : SCRIPT_MAX;
  (void)rest;
  for (size_t i = 0; i < len; i++) {
    tokens[i] = (uint8_t)entry->body[i];
  }
  self->host.script = tokens;
  self->host.script_len = len;
}

static const struct {
  const char *name;
  void (*play)(player *self, const trace_entry *entry, const char *rest);
} verbs[] = {
    {"at ", play_at},         {"timer ", play_timer},
    {"no timer", play_rest},  {"command ", play_command},
    {"cancel ", play_cancel}, {"run", play_run},
    {"fail ", play_fail},     {"model says", play_says},
};

static void play_step(player *self, const trace_entry *entry) {
  for (size_t i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++) {
    size_t len = strlen(verbs[i].name);
    if (strncmp(entry->line, verbs[i].name, len) == 0) {
      verbs[i].play(self, entry, entry->line + len);
      return;
    }
  }
  complain(self, "there is no such event");
}

static int play(player *self, const trace *script) {
  self->script = script;
  int error = chat_host_init(&self->host, CHAT_LLAMA);
  self->inner = self->host.host.on_action;
  self->host.host.on_action = on_action;
  self->host.host.user_data = self;
  self->host.host.on_event = on_event;
  self->host.host.event_data = self;
  self->host.host.now_ms = 0;
  for (self->step = 0; error == 0 && self->step < script->step_count;
       self->step++) {
    play_step(self, &script->steps[self->step].event);
  }
  self->is_recording = 0;
  return error;
}

static void player_free(player *self) {
  if (self->host.host.manager == NULL) { // it could not be made
    chat_host_dispose(&self->host);
  }
  chat_host_free(&self->host);
  for (size_t i = 0; i < self->log_count; i++) {
    free(self->log[i].text);
  }
  free(self->log);
}

// ---------------------------------------------------------------------------
// Comparing

static char *text_of(const trace_entry *entry) {
  size_t size = strlen(entry->line) + entry->body_len + 2;
  char *text = malloc(size);
  snprintf(text, size, "%s %s", entry->line, entry->body);
  trace_compact_json(text);
  return text;
}

static void report(const char *path, unsigned line, const char *expected,
                   const char *actual) {
  printf("%s:%u:\n  expected %s\n  got      %s\n", path, line, expected,
         actual);
}

static int is_step_as_expected(const char *path, const player *self,
                               size_t step, size_t *pat) {
  const trace_step *wanted = &self->script->steps[step];
  for (size_t i = 0; i < wanted->action_count; i++, (*pat)++) {
    char *pattern = text_of(&wanted->actions[i]);
    int is_there = *pat < self->log_count && self->log[*pat].step == step;
    char *actual = copy_text(is_there ? self->log[*pat].text : "nothing");
    trace_compact_json(actual);
    int is_match = trace_match(pattern, actual);
    if (!is_match) {
      report(path, wanted->actions[i].number, pattern, actual);
    }
    free(pattern);
    free(actual);
    if (!is_match) {
      return 0;
    }
  }
  if (*pat < self->log_count && self->log[*pat].step == step) {
    report(path, wanted->event.number, "nothing more", self->log[*pat].text);
    return 0;
  }
  return 1;
}

static int is_as_expected(const char *path, const player *self) {
  size_t at = 0;
  int is_good = !self->is_broken;
  for (size_t i = 0; is_good && i < self->script->step_count; i++) {
    is_good = is_step_as_expected(path, self, i, &at);
  }
  if (is_good && tam_manager_busy(self->host.host.manager) != 0) {
    printf("%s: the conversation stops before the end\n", path);
    return 0;
  }
  return is_good;
}

static void show(const player *self) {
  size_t at = 0;
  for (size_t i = 0; i < self->script->step_count; i++) {
    printf("> %s\n", self->script->steps[i].event.line);
    for (; at < self->log_count && self->log[at].step == i; at++) {
      printf("< %s\n", self->log[at].text);
    }
  }
}

// Whatever fails: promises are kept, nothing leaks, everything ends.
static void fail_memory(const trace *script, size_t count) {
  for (size_t i = 1; i <= count; i++) {
    player self = {.is_tolerant = 1};
    self.host.host.heap.fail_at = i;
    self.host.host.heap.fail_after = i % 4 == 0;
    (void)play(&self, script);
    self.host.host.heap.fail_at = 0;
    player_free(&self);
  }
}

static int check(const char *path, const char *option) {
  trace script;
  int is_good = trace_load(&script, path);
  if (is_good) {
    player self = {.is_recording = strcmp(option, "--record") == 0};
    (void)play(&self, &script);
    size_t allocations = self.host.host.heap.allocations;
    if (strcmp(option, "--show") == 0) {
      show(&self);
    } else if (option[0] == '\0') {
      is_good = is_as_expected(path, &self);
    }
    player_free(&self);
    if (is_good && option[0] == '\0') {
      fail_memory(&script, allocations);
      printf("ok %s: %zu allocations\n", path, allocations);
    }
  }
  trace_free(&script);
  return is_good;
}

int main(int argc, char **argv) {
  int has_option = argc > 1 && strncmp(argv[1], "--", 2) == 0;
  int failures = argc < 2;
  for (int i = 1 + has_option; i < argc; i++) {
    failures += !check(argv[i], has_option ? argv[1] : "");
  }
  return failures == 0 ? 0 : 1;
}
