// SPDX-License-Identifier: Apache-2.0
// Plays the host's part of a trace and writes down what the manager does.
#ifndef TAM_TRACE_REPLAY_H
#define TAM_TRACE_REPLAY_H

#include "fake_host.h"
#include "trace_file.h"

// What the manager did: for each step of the trace the texts of its actions.
typedef struct replay_log {
  char **texts;
  size_t *steps; // to which step each text belongs
  size_t count;
} replay_log;

// How bodies arrive: whole when both are 0.
typedef struct replay_cut {
  size_t piece; // in pieces of so many bytes
  size_t at;    // in two, cut after so many bytes (modulo their length)
} replay_cut;

typedef struct replay {
  fake_host host;
  const trace *script;
  replay_cut cut;
  replay_log log;
  size_t step;
  int is_tolerant; // memory fails: the script need not fit what happens
  int is_broken;   // the script does not fit
} replay;

// Plays |script|. Set |host.heap|, |cut| and |is_tolerant| before. Returns the
// error of tam_manager_new.
int replay_run(replay *self, const trace *script);
void replay_free(replay *self);

// Returns |entry| as the log would have it: an action that matches it has this
// text. The caller frees it.
char *replay_text_of(const trace_entry *entry);

#endif // TAM_TRACE_REPLAY_H
