// SPDX-License-Identifier: Apache-2.0
// The state of an operation that loads a model, shared by its phases.
#ifndef TAM_CHAT_LOAD_H
#define TAM_CHAT_LOAD_H

#include "chat/chat_op.h"
#include "chat/device_memory.h"
#include "chat/model.h"
#include "chat/onnx_graph.h"

// Configuration and tokenizer.
#define TAM_LOAD_SMALL_FILES 5

// The most files of a model that loading looks at: graphs, parts of their data,
// configuration and tokenizer.
#define TAM_LOAD_FILES_MAX 512

// The most files with external data of one graph that are opened.
#define TAM_LOAD_EXTERNAL_MAX TAM_ONNX_FILES_MAX

// A graph on its way to a session.
typedef struct tam_load_graph {
  size_t file;    // its place among the stored files
  uint32_t whole; // the stored file, opened
  int is_scanned; // it is known which files it needs
  uint32_t small; // the graph without its weights
  struct {
    size_t file;
    uint32_t open;
  } external[TAM_LOAD_EXTERNAL_MAX];
  size_t external_count;
} tam_load_graph;

struct tam_chat_load {
  tam_chat_model *model; // being made; NULL once it is the chat's
  tam_buf dtype;         // that was asked for; empty: any
  tam_buf revision;      // likewise
  tam_buf load_id;       // empty: none
  tam_buf asked_id;      // of the model, as the caller spells it
  tam_device device;

  tam_buf paths; // of the stored files, each behind a NUL
  tam_span files[TAM_LOAD_FILES_MAX];
  size_t file_count;
  uint32_t open_files[TAM_LOAD_SMALL_FILES];

  unsigned step; // within a phase
  tam_model_config_scan config_scan;
  double progress; // 0 to 100, as said last
  double said_at_ms;

  tam_load_graph graphs[TAM_CHAT_SESSIONS_MAX]; // as |model->sessions|
  tam_onnx_graph *scan;                         // of the graph at |step|

  unsigned rungs;        // that are left to try, as bits (1U << tam_rung)
  int has_f16;           // WebGPU has numbers of 16 bits
  unsigned threads;      // of WebAssembly, 1 when it has none
  tam_buf machine;       // versions and driver
  tam_json_node *memory; // answer of the store about failures, or NULL
  tam_buf reasons[TAM_RUNG_COUNT]; // why they failed in this load
  int error;                       // the load has failed, which is being noted
  int32_t trial_token;
  int is_fine; // the logits of the trial were numbers
};

// Reports how far the load has come, in percent; never less than before.
int tam_chat_load_say(tam_chat_op *op, double progress, tam_span file,
                      double loaded, double total);

// Notes in the store whether the dtype could be loaded. Returns WAIT or an
// error.
int tam_chat_load_order_status(tam_chat_op *op, int has_failed);

// The load fails with |error|. Returns WAIT while that is being noted, else the
// error that it ends with.
int tam_chat_load_fail(tam_chat_op *op, int error);

// --- device_phase.c

// Return the device that the load tries at present, and how many threads
// WebAssembly has with it.
tam_rung tam_chat_load_rung(const tam_chat_load *load);
unsigned tam_chat_load_threads(const tam_chat_load *load);

// Returns the dtypes for a load without one, the best for the device first,
// separated by commas.
const char *tam_chat_load_dtypes(const tam_chat_load *load);

// Removes the devices that are known to fail with the model, and adds a
// warning. Errors: OUT_OF_MEMORY.
int tam_chat_load_choose(tam_chat_op *op);

// Removes |rung|, and adds a warning with the operation's reason. Errors:
// OUT_OF_MEMORY.
int tam_chat_load_note_failure(tam_chat_op *op, tam_rung rung);

// --- load_phase.c

// Returns 1 when the wanted model is the one that is loaded.
int tam_chat_load_is_there(const tam_chat_op *op);

// Orders the stored file |path| to be opened. Returns WAIT or an error.
int tam_chat_load_open(tam_chat_op *op, tam_span path);

// Appends the name under which a graph finds its own weights. It is not the
// name of the file: onnxruntime-web refuses references from subgraphs to what
// it takes for a path.
void tam_chat_load_append_location(const tam_chat_load *load,
                                   const tam_load_graph *graph,
                                   tam_buf *location);

// Returns the place of the stored file |path|, or -1.
int tam_chat_load_find(const tam_chat_load *load, tam_span path);

#endif // TAM_CHAT_LOAD_H
