// SPDX-License-Identifier: Apache-2.0
#include "replay.h"

#include "model_rows.h"
#include "trace_match.h"

#include <stdarg.h>

// The endpoint of every trace.
#define HUB_URL "https://hub.test"

// The longest list of models as text.
#define MODELS_MAX (1U << 20)

// ---------------------------------------------------------------------------
// The log

static int is_json_entry(const char *text) {
  return strncmp(text, "message", 7) == 0 ||
         strncmp(text, "terminal", 8) == 0 || strncmp(text, "models", 6) == 0 ||
         strncmp(text, "request", 7) == 0;
}

static void log_text(replay *self, const char *format, ...) {
  va_list args;
  va_list again;
  va_start(args, format);
  va_copy(again, args);
  size_t size = (size_t)vsnprintf(NULL, 0, format, args) + 1;
  char *text = malloc(size);
  vsnprintf(text, size, format, again);
  va_end(again);
  va_end(args);
  if (is_json_entry(text)) {
    trace_compact_json(text);
  }
  replay_log *log = &self->log;
  log->texts = realloc(log->texts, (log->count + 1) * sizeof(*log->texts));
  log->steps = realloc(log->steps, (log->count + 1) * sizeof(*log->steps));
  log->texts[log->count] = text;
  log->steps[log->count++] = self->step;
}

char *replay_text_of(const trace_entry *entry) {
  size_t line = strlen(entry->line);
  char *text = malloc(line + 1 + entry->body_len + 1);
  memcpy(text, entry->line, line);
  text[line] = entry->body_len > 0 ? '\n' : '\0';
  memcpy(text + line + 1, entry->body, entry->body_len);
  text[line + 1 + entry->body_len] = '\0';
  if (is_json_entry(text)) {
    trace_compact_json(text);
  }
  return text;
}

static void log_fetch(replay *self, const tam_action *action) {
  char headers[4096] = {0};
  size_t len = 0;
  for (size_t i = 0; i < action->second.len; i++) {
    if (action->second.ptr[i] != '\r') {
      headers[len++] = (char)action->second.ptr[i];
    }
  }
  if (len > 0) { // the newline after the last header
    headers[len - 1] = '\0';
  }
  log_text(self, "fetch %zu of %u %.*s\n%s",
           fake_host_order(&self->host, action->request), action->op,
           (int)action->first.len, (const char *)action->first.ptr, headers);
}

static void log_models(replay *self, const tam_action *action) {
  tam_mem mem = tam_mem_default();
  tam_buf json;
  tam_buf_init(&json, &mem, MODELS_MAX);
  if (!model_rows_to_json(action->first, &json)) {
    fake_host_broken("the table of models is well formed");
  }
  log_text(self, "models %u %.*s", action->op, (int)json.len,
           (const char *)json.data);
  tam_buf_free(&json);
}

static void on_action(void *user_data, const tam_action *action) {
  replay *self = user_data;
  const char *kind =
      (action->flags & TAM_MESSAGE_FLAG_TERMINAL) != 0 ? "terminal" : "message";
  switch (action->kind) {
  case TAM_ACTION_FETCH:
    log_fetch(self, action);
    break;
  case TAM_ACTION_ABORT:
    log_text(self, "abort %zu", fake_host_order(&self->host, action->request));
    break;
  case TAM_ACTION_MODELS:
    log_models(self, action);
    break;
  case TAM_ACTION_REQUEST:
    log_text(self, "request %u %.*s", action->op, (int)action->first.len,
             (const char *)action->first.ptr);
    break;
  default:
    log_text(self, "%s %u %.*s", kind, action->op, (int)action->first.len,
             (const char *)action->first.ptr);
  }
}

// ---------------------------------------------------------------------------
// The script

static void complain(replay *self, const char *what) {
  if (!self->is_tolerant) {
    printf("line %u: %s: %s\n", self->script->steps[self->step].event.number,
           self->script->steps[self->step].event.line, what);
    self->is_broken = 1;
  }
}

static void feed(replay *self, const tam_event *event) {
  int result = fake_host_feed(&self->host, event);
  if (result != 0) {
    log_text(self, "returns %s", tam_strerror(result));
  }
}

// Feeds a body in the pieces that were asked for.
static void feed_body(replay *self, tam_event *event) {
  tam_span rest = event->payload;
  size_t piece = rest.len;
  if (self->cut.piece > 0) {
    piece = self->cut.piece;
  } else if (self->cut.at > 0 && rest.len > 1) {
    piece = 1 + (self->cut.at - 1) % (rest.len - 1);
  }
  do {
    event->payload = tam_span_head(rest, piece);
    feed(self, event);
    rest = tam_span_from(rest, piece);
    if (self->cut.piece == 0) {
      piece = rest.len;
    }
  } while (rest.len > 0);
}

static int hex_value(char digit) {
  const char *digits = "0123456789abcdef";
  const char *found = digit == '\0' ? NULL : strchr(digits, digit);
  return found == NULL ? -1 : (int)(found - digits);
}

// Resolves "\x5b" in a body: bytes that a text file cannot hold.
static size_t resolve_bytes(char *text, size_t len) {
  size_t to = 0;
  for (size_t i = 0; i < len; i++) {
    int is_escape = i + 3 < len && text[i] == '\\' && text[i + 1] == 'x' &&
                    hex_value(text[i + 2]) >= 0 && hex_value(text[i + 3]) >= 0;
    if (is_escape) {
      text[to++] = (char)(hex_value(text[i + 2]) * 16 + hex_value(text[i + 3]));
      i += 3;
    } else {
      text[to++] = text[i];
    }
  }
  return to;
}

// Header lines end in CR LF.
static size_t end_lines(char *to, const char *text, size_t len) {
  size_t at = 0;
  for (size_t i = 0; i <= len && len > 0; i++) {
    if (i == len || text[i] == '\n') {
      to[at++] = '\r';
      to[at++] = '\n';
    } else {
      to[at++] = text[i];
    }
  }
  return at;
}

// Moves time to the end of "100..150", in which the manager must want a timer.
static void play_timer(replay *self, const char *range) {
  const char *dots = strstr(range, "..");
  double from = strtod(range, NULL);
  double to = dots == NULL ? from : strtod(dots + 2, NULL);
  double deadline = tam_manager_deadline(self->host.manager, self->host.now_ms);
  double due = self->host.now_ms + deadline;
  if (deadline < 0) {
    complain(self, "no timer is wanted");
  } else if (due < from || due > to) {
    char text[64];
    snprintf(text, sizeof(text), "the timer is wanted at %.3f", due);
    complain(self, text);
  }
  self->host.now_ms = to;
  tam_event event = {.kind = TAM_EVENT_TIMER};
  feed(self, &event);
}

static void play_command(replay *self, const char *rest, tam_event *event) {
  char *after = NULL;
  event->kind = TAM_EVENT_COMMAND;
  event->op = (uint32_t)strtoul(rest, &after, 10);
  if (strcmp(after, " with rows") == 0) {
    event->flags = TAM_COMMAND_FLAG_LISTING;
  } else if (strcmp(after, " quietly") == 0) {
    event->flags = TAM_COMMAND_FLAG_QUIET;
  }
  feed(self, event);
}

// Events about requests name them by the order of their start.
static void play_http(replay *self, const char *rest, tam_event *event) {
  char *after = NULL;
  size_t order = strtoul(rest, &after, 10);
  const fake_request *request = fake_host_request(&self->host, order);
  if (request == NULL) {
    complain(self, "there is no such request");
    return;
  }
  event->request = request->id;
  event->status = (uint32_t)strtoul(after, &after, 10);
  if (event->kind == TAM_EVENT_HTTP_DATA) {
    feed_body(self, event);
  } else {
    feed(self, event);
  }
}

static void play_rows(replay *self, const char *rest, tam_event *event) {
  event->op = (uint32_t)strtoul(rest, NULL, 10);
  if (event->kind == TAM_EVENT_LISTING_DATA) {
    feed_body(self, event);
  } else {
    feed(self, event);
  }
}

typedef void play_verb(replay *self, const char *rest, tam_event *event);

static const struct {
  const char *name;
  tam_event_kind kind;
  play_verb *play;
} verbs[] = {
    {"command ", TAM_EVENT_COMMAND, play_command},
    {"rows ", TAM_EVENT_LISTING_DATA, play_rows},
    {"rows-end ", TAM_EVENT_LISTING_END, play_rows},
    {"cancel ", TAM_EVENT_CANCEL, play_rows},
    {"head ", TAM_EVENT_HTTP_HEAD, play_http},
    {"data ", TAM_EVENT_HTTP_DATA, play_http},
    {"end ", TAM_EVENT_HTTP_END, play_http},
    {"fail ", TAM_EVENT_HTTP_FAIL, play_http},
};

static void play_verb_of(replay *self, const char *line, tam_event *event) {
  for (size_t i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++) {
    size_t len = strlen(verbs[i].name);
    if (strncmp(line, verbs[i].name, len) == 0) {
      event->kind = verbs[i].kind;
      verbs[i].play(self, line + len, event);
      return;
    }
  }
  complain(self, "there is no such event");
}

static void play_step(replay *self, const trace_entry *entry) {
  if (strncmp(entry->line, "at ", 3) == 0) {
    self->host.now_ms = strtod(entry->line + 3, NULL);
    return;
  }
  if (strncmp(entry->line, "timer ", 6) == 0) {
    play_timer(self, entry->line + 6);
    return;
  }
  char *payload = malloc(2 * entry->body_len + 2);
  size_t len = 0;
  if (strncmp(entry->line, "head ", 5) == 0) {
    len = end_lines(payload, entry->body, entry->body_len);
  } else {
    memcpy(payload, entry->body, entry->body_len);
    len = resolve_bytes(payload, entry->body_len);
  }
  tam_event event = {.payload = {(const uint8_t *)payload, len}};
  play_verb_of(self, entry->line, &event);
  free(payload);
}

int replay_run(replay *self, const trace *script) {
  self->script = script;
  self->host.on_action = on_action;
  self->host.user_data = self;
  int error = fake_host_init(&self->host, HUB_URL);
  for (self->step = 0; error == 0 && self->step < script->step_count;
       self->step++) {
    play_step(self, &script->steps[self->step].event);
  }
  return error;
}

void replay_free(replay *self) {
  fake_host_free(&self->host);
  for (size_t i = 0; i < self->log.count; i++) {
    free(self->log.texts[i]);
  }
  free(self->log.texts);
  free(self->log.steps);
}
