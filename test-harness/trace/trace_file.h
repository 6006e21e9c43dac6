// SPDX-License-Identifier: Apache-2.0
// Reads a trace: a Markdown file whose fenced "trace" blocks, taken together,
// are one conversation between host and manager. README.md describes the
// language.
#ifndef TAM_TRACE_TRACE_FILE_H
#define TAM_TRACE_TRACE_FILE_H

#include "tam.h"

// One event or action: its first line without the leading mark, and the
// indented lines below it, joined by newlines.
typedef struct trace_entry {
  char *line;
  char *body; // NUL-terminated behind |body_len| bytes
  size_t body_len;
  unsigned number; // of the line in the file
} trace_entry;

// An event and what it must cause.
typedef struct trace_step {
  trace_entry event;
  trace_entry *actions;
  size_t action_count;
} trace_step;

typedef struct trace {
  trace_step *steps;
  size_t step_count;
} trace;

// Reads |path|. Returns 0 and prints why when it cannot be read or has a line
// that does not belong; |trace| must be freed in every case.
int trace_load(trace *self, const char *path);
void trace_free(trace *self);

#endif // TAM_TRACE_TRACE_FILE_H
