// SPDX-License-Identifier: Apache-2.0
#include "trace_file.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// The longest trace in bytes.
#define FILE_MAX (1U << 20)

#define FENCE "```"

typedef struct loader {
  trace *self;
  const char *path;
  unsigned number;    // of the line
  int is_inside;      // of a trace block
  trace_entry *entry; // that indented lines belong to
} loader;

static void *must(void *memory) {
  if (memory == NULL) {
    fprintf(stderr, "out of memory\n");
    abort();
  }
  return memory;
}

static char *copy_text(const char *text, size_t len) {
  char *copy = must(malloc(len + 1));
  memcpy(copy, text, len);
  copy[len] = '\0';
  return copy;
}

static void entry_init(trace_entry *entry, const loader *load, const char *text,
                       size_t len) {
  memset(entry, 0, sizeof(*entry));
  entry->line = copy_text(text, len);
  entry->body = copy_text("", 0);
  entry->number = load->number;
}

static void entry_free(trace_entry *entry) {
  free(entry->line);
  free(entry->body);
}

// Adds a line to the body of |entry|.
static void entry_extend(trace_entry *entry, const char *text, size_t len) {
  size_t newline = entry->body_len > 0;
  entry->body = must(realloc(entry->body, entry->body_len + newline + len + 1));
  if (newline) {
    entry->body[entry->body_len++] = '\n';
  }
  memcpy(entry->body + entry->body_len, text, len);
  entry->body_len += len;
  entry->body[entry->body_len] = '\0';
}

static void add_event(loader *load, const char *text, size_t len) {
  trace *self = load->self;
  size_t size = (self->step_count + 1) * sizeof(*self->steps);
  self->steps = must(realloc(self->steps, size));
  trace_step *step = &self->steps[self->step_count++];
  memset(step, 0, sizeof(*step));
  entry_init(&step->event, load, text, len);
  load->entry = &step->event;
}

static int add_action(loader *load, const char *text, size_t len) {
  if (load->self->step_count == 0) {
    return 0;
  }
  trace_step *step = &load->self->steps[load->self->step_count - 1];
  size_t size = (step->action_count + 1) * sizeof(*step->actions);
  step->actions = must(realloc(step->actions, size));
  load->entry = &step->actions[step->action_count++];
  entry_init(load->entry, load, text, len);
  return 1;
}

static int starts_with(const char *text, size_t len, const char *prefix) {
  return len >= strlen(prefix) && memcmp(text, prefix, strlen(prefix)) == 0;
}

static int take_block_line(loader *load, const char *text, size_t len) {
  if (len == 0) {
    return 1;
  }
  if (starts_with(text, len, "> ")) {
    add_event(load, text + 2, len - 2);
    return 1;
  }
  if (starts_with(text, len, "< ")) {
    return add_action(load, text + 2, len - 2);
  }
  if (starts_with(text, len, "  ") && load->entry != NULL) {
    entry_extend(load->entry, text + 2, len - 2);
    return 1;
  }
  return 0;
}

static int take_line(loader *load, const char *text, size_t len) {
  if (starts_with(text, len, FENCE)) {
    load->is_inside = starts_with(text, len, FENCE "trace");
    load->entry = NULL;
    return 1;
  }
  return !load->is_inside || take_block_line(load, text, len);
}

static int take_lines(loader *load, const char *text, size_t len) {
  while (len > 0) {
    const char *end = memchr(text, '\n', len);
    size_t line = end == NULL ? len : (size_t)(end - text);
    load->number++;
    if (!take_line(load, text, line)) {
      printf("%s:%u: not an event, an action or a line of one\n", load->path,
             load->number);
      return 0;
    }
    size_t used = end == NULL ? line : line + 1;
    text += used;
    len -= used;
  }
  if (load->self->step_count == 0) {
    printf("%s: there is no trace in it\n", load->path);
  }
  return load->self->step_count > 0;
}

int trace_load(trace *self, const char *path) {
  memset(self, 0, sizeof(*self));
  FILE *file = fopen(path, "rb");
  if (file == NULL) {
    printf("%s: cannot be opened\n", path);
    return 0;
  }
  char *text = must(malloc(FILE_MAX));
  size_t len = fread(text, 1, FILE_MAX, file);
  fclose(file);
  loader load = {self, path, 0, 0, NULL};
  int is_good = take_lines(&load, text, len);
  free(text);
  return is_good;
}

void trace_free(trace *self) {
  for (size_t i = 0; i < self->step_count; i++) {
    trace_step *step = &self->steps[i];
    for (size_t k = 0; k < step->action_count; k++) {
      entry_free(&step->actions[k]);
    }
    entry_free(&step->event);
    free(step->actions);
  }
  free(self->steps);
}
