// SPDX-License-Identifier: Apache-2.0
// Replays traces: trace_runner FILE...
//
// Each is played whole and compared with what it expects; then with every body
// cut in two at every byte, and in pieces of several sizes, which must change
// nothing; then with every allocation failing in turn, once or from there on,
// which must cost no more than the operation in work. With --show the actions
// are printed instead, to see what a trace that is being written really does.
#include "replay.h"
#include "trace_match.h"

// Piece sizes around the widths that a scanner may work in.
static const size_t piece_sizes[] = {1, 2, 3, 5, 7, 8, 15, 16, 17, 31, 33, 64};

// ---------------------------------------------------------------------------
// Whole

static int report(const char *path, unsigned line, const char *expected,
                  const char *actual) {
  printf("%s:%u:\n  expected %s\n  got      %s\n", path, line,
         expected == NULL ? "nothing more" : expected,
         actual == NULL ? "nothing" : actual);
  return 0;
}

// Compares the actions of |step| with |log| from |*pat| on.
static int step_is_as_expected(const char *path, const trace *script,
                               size_t step, const replay_log *log,
                               size_t *pat) {
  const trace_step *wanted = &script->steps[step];
  for (size_t i = 0; i < wanted->action_count; i++) {
    char *pattern = replay_text_of(&wanted->actions[i]);
    int is_there = *pat < log->count && log->steps[*pat] == step;
    int is_match = is_there && trace_match(pattern, log->texts[*pat]);
    if (!is_match) {
      report(path, wanted->actions[i].number, pattern,
             is_there ? log->texts[*pat] : NULL);
    }
    free(pattern);
    if (!is_match) {
      return 0;
    }
    (*pat)++;
  }
  if (*pat < log->count && log->steps[*pat] == step) {
    return report(path, wanted->event.number, NULL, log->texts[*pat]);
  }
  return 1;
}

static int is_as_expected(const char *path, const replay *played) {
  size_t at = 0;
  for (size_t step = 0; step < played->script->step_count; step++) {
    if (!step_is_as_expected(path, played->script, step, &played->log, &at)) {
      return 0;
    }
  }
  if (tam_manager_busy(played->host.manager) != 0) {
    printf("%s: the trace stops before the end\n", path);
    return 0;
  }
  return !played->is_broken;
}

// ---------------------------------------------------------------------------
// In pieces

static int is_same(const char *path, const replay_log *whole,
                   const replay *cut) {
  const replay_log *log = &cut->log;
  for (size_t i = 0; i < whole->count || i < log->count; i++) {
    const char *expected = i < whole->count ? whole->texts[i] : NULL;
    const char *actual = i < log->count ? log->texts[i] : NULL;
    if (expected == NULL || actual == NULL || strcmp(expected, actual) != 0) {
      printf("with bodies in pieces (size %zu, cut %zu):\n", cut->cut.piece,
             cut->cut.at);
      return report(path, 0, expected, actual);
    }
  }
  return 1;
}

static int check_cut(const char *path, const trace *script,
                     const replay_log *whole, replay_cut cut) {
  replay played = {.cut = cut};
  replay_run(&played, script);
  int is_good = is_same(path, whole, &played);
  replay_free(&played);
  return is_good;
}

static size_t longest_body(const trace *script) {
  size_t longest = 0;
  for (size_t i = 0; i < script->step_count; i++) {
    const trace_entry *event = &script->steps[i].event;
    int is_body = strncmp(event->line, "data ", 5) == 0 ||
                  strncmp(event->line, "rows ", 5) == 0;
    if (is_body && event->body_len > longest) {
      longest = event->body_len;
    }
  }
  return longest;
}

static int check_cuts(const char *path, const trace *script,
                      const replay_log *whole) {
  size_t longest = longest_body(script);
  for (size_t at = 1; at < longest; at++) {
    if (!check_cut(path, script, whole, (replay_cut){0, at})) {
      return 0;
    }
  }
  for (size_t i = 0; i < sizeof(piece_sizes) / sizeof(piece_sizes[0]); i++) {
    if (!check_cut(path, script, whole, (replay_cut){piece_sizes[i], 0})) {
      return 0;
    }
  }
  return 1;
}

// ---------------------------------------------------------------------------
// Without memory

static int ends_with_done(const replay *played) {
  const replay_log *log = &played->log;
  return log->count > 0 &&
         strstr(log->texts[log->count - 1], "\"listChatModels:done\"") != NULL;
}

// A manager that was short of memory works again when there is some.
static int is_usable(replay *played) {
  tam_event events[] = {
      {.kind = TAM_EVENT_COMMAND,
       .op = UINT32_MAX,
       .flags = TAM_COMMAND_FLAG_LISTING,
       .payload = TAM_SPAN("{\"action\":\"listChatModels\",\"id\":\"again\"}")},
      {.kind = TAM_EVENT_LISTING_DATA,
       .op = UINT32_MAX,
       .payload = TAM_SPAN("[{\"id\":\"a/b\",\"config\":{}}]")},
      {.kind = TAM_EVENT_LISTING_END, .op = UINT32_MAX},
  };
  for (size_t i = 0; i < sizeof(events) / sizeof(events[0]); i++) {
    if (fake_host_feed(&played->host, &events[i]) != 0) {
      return 0;
    }
  }
  return ends_with_done(played);
}

static int check_failure(const char *path, const trace *script, size_t fail_at,
                         int fail_after) {
  replay played = {.is_tolerant = 1};
  played.host.heap.fail_at = fail_at;
  played.host.heap.fail_after = fail_after;
  int is_good = 1;
  if (replay_run(&played, script) == 0) {
    fake_host_finish(&played.host);
    played.host.heap.fail_at = 0;
    is_good = is_usable(&played);
  }
  replay_free(&played);
  if (!is_good) {
    printf("%s: unusable after allocation %zu failed\n", path, fail_at);
  }
  return is_good;
}

static int check_failures_of_memory(const char *path, const trace *script,
                                    size_t allocations) {
  for (size_t i = 1; i <= allocations; i++) {
    if (!check_failure(path, script, i, 0) ||
        !check_failure(path, script, i, 1)) {
      return 0;
    }
  }
  return 1;
}

// ---------------------------------------------------------------------------

static void show(const replay *played) {
  size_t at = 0;
  for (size_t step = 0; step < played->script->step_count; step++) {
    printf("> %s\n", played->script->steps[step].event.line);
    for (; at < played->log.count && played->log.steps[at] == step; at++) {
      printf("< %s\n", played->log.texts[at]);
    }
  }
}

static int check_trace(const char *path, int is_shown) {
  trace script;
  if (!trace_load(&script, path)) {
    trace_free(&script);
    return 0;
  }
  replay played = {0};
  replay_run(&played, &script);
  size_t allocations = played.host.heap.allocations;
  if (is_shown) {
    show(&played);
  }
  int is_good =
      is_shown || (is_as_expected(path, &played) &&
                   check_cuts(path, &script, &played.log) &&
                   check_failures_of_memory(path, &script, allocations));
  if (is_good && !is_shown) {
    printf("ok %s: %zu cuts, %zu allocations\n", path, longest_body(&script),
           allocations);
  }
  replay_free(&played);
  trace_free(&script);
  return is_good;
}

int main(int argc, char **argv) {
  int is_shown = argc > 1 && strcmp(argv[1], "--show") == 0;
  int failures = argc < 2;
  for (int i = 1 + is_shown; i < argc; i++) {
    failures += !check_trace(argv[i], is_shown);
  }
  return failures == 0 ? 0 : 1;
}
