// SPDX-License-Identifier: Apache-2.0
// What comes before the sessions: the files of a model, what its configuration
// says, the tokenizer.
#include "chat/broadcast.h"
#include "chat/chat_op.h"
#include "chat/load.h"
#include "core/mem.h"
#include "core/names.h"

#include <string.h>

// Where the stages of a load begin, in percent. The progress of a download is
// spread between the first two.
#define PROGRESS_DOWNLOAD  25.0
#define PROGRESS_TOKENIZER 90.0

// ---------------------------------------------------------------------------
// The model that was there

static int is_same(const tam_chat_load *load, const tam_chat_model *loaded) {
  const tam_chat_model *wanted = load->model;
  tam_span id = tam_buf_span(&wanted->id);
  tam_span revision = tam_buf_span(&load->revision);
  return (tam_span_eq(id, tam_buf_span(&loaded->id)) ||
          tam_span_eq(id, tam_buf_span(&loaded->asked_id))) &&
         (load->dtype.len == 0 || tam_span_eq(tam_buf_span(&load->dtype),
                                              tam_buf_span(&loaded->dtype))) &&
         (revision.len == 0 ||
          tam_span_eq(revision, tam_buf_span(&loaded->revision)) ||
          tam_span_eq(revision, tam_buf_span(&loaded->commit))) &&
         (load->device == TAM_DEVICE_AUTO || load->device == loaded->device);
}

static int take_text(tam_buf *to, const tam_buf *from) {
  if (from->len > 0) {
    tam_buf_reset(to);
    tam_buf_append(to, tam_buf_span(from));
  }
  return to->error;
}

// Takes the names over: model, dtype and task may be spelled in another way,
// and mean the same.
static int take_names(const tam_chat_load *load, tam_chat_model *loaded) {
  int error = take_text(&loaded->task, &load->model->task);
  if (error == 0) {
    error = take_text(&loaded->asked_id, &load->asked_id);
  }
  return error != 0
             ? error
             : take_text(&loaded->asked_dtype, &load->model->asked_dtype);
}

int tam_chat_load_is_there(const tam_chat_op *op) {
  return op->chat->model != NULL && is_same(op->load, op->chat->model);
}

static int same_start(tam_chat_op *op) {
  tam_chat_model *loaded = op->chat->model;
  tam_buf_reset(&op->chat->released); // this one is wanted now
  if (!tam_chat_load_is_there(op)) {
    return TAM_CHAT_NEXT;
  }
  int error = take_names(op->load, loaded);
  if (error == 0) {
    error = tam_chat_load_say(op, 100, TAM_SPAN("session"), 0, 0);
  }
  return error != 0 ? error : TAM_CHAT_END;
}

const tam_chat_phase tam_chat_same_phase = {
    .stage = "same",
    .start = same_start,
};

// Only after the download: a model that cannot be fetched is no reason to lose
// the one that is loaded. And before the sessions: two models at a time are too
// much for most machines, and what WebAssembly holds of the old one would be
// missing for the new one.
static int replace_start(tam_chat_op *op) {
  tam_chat *chat = op->chat;
  if (chat->model == NULL) {
    return TAM_CHAT_NEXT;
  }
  tam_chat_model_del(chat->model, chat);
  chat->model = NULL;
  tam_buf *order = tam_chat_op_order(op, "rest");
  tam_json_write_number_member(order, "threads",
                               tam_chat_load_threads(op->load));
  return tam_chat_op_submit(op, TAM_SPAN_NONE);
}

// Memory that does not come back is no reason to stop either.
static int replace_on_runtime(tam_chat_op *op,
                              const tam_runtime_report *report) {
  (void)op;
  return report->kind < TAM_RUNTIME_END ? TAM_CHAT_WAIT : TAM_CHAT_NEXT;
}

const tam_chat_phase tam_chat_replace_phase = {
    .stage = "replace",
    .start = replace_start,
    .on_runtime = replace_on_runtime,
};

// ---------------------------------------------------------------------------
// Files

static int download_start(tam_chat_op *op) {
  const tam_chat_load *load = op->load;
  int error = tam_broadcast_remember(op, TAM_REMEMBER_LOADING);
  if (error == 0) {
    error = tam_chat_load_say(op, 0, TAM_SPAN("model"), 0, 0);
  }
  tam_buf *order = tam_chat_op_order(op, "download");
  tam_json_write_string_member(order, "modelId",
                               tam_buf_span(&load->model->id));
  tam_span dtype = load->dtype.len > 0
                       ? tam_buf_span(&load->dtype)
                       : tam_span_of(tam_chat_load_dtypes(load));
  tam_json_write_string_member(order, "dtype", dtype);
  tam_json_write_number_member(order, "threads", tam_chat_load_threads(load));
  if (load->revision.len > 0) {
    tam_json_write_string_member(order, "revision",
                                 tam_buf_span(&load->revision));
  }
  if (op->answer != NULL) { // it comes back for one, unless it was deleted
    tam_json_write_key(order, "onlyCached");
    tam_json_write_bool(order, 1);
  }
  int result = error != 0 ? error : tam_chat_op_submit(op, TAM_SPAN_NONE);
  op->patient_ms = 0; // the store has a patience of its own
  return result;
}

static double number_of(const tam_json_node *object, const char *name) {
  return tam_json_get_number(tam_json_get_member(object, tam_span_of(name)));
}

static int say_download(tam_chat_op *op, const tam_json_node *message) {
  double loaded = number_of(message, "loaded");
  double total = number_of(message, "total");
  double share = total > 0 && loaded > 0 ? loaded / total : 0;
  share = share < 1 ? share : 1;
  return tam_chat_load_say(
      op, PROGRESS_DOWNLOAD + share * (PROGRESS_TOKENIZER - PROGRESS_DOWNLOAD),
      tam_json_get_string(tam_json_get_member(message, TAM_SPAN("file"))),
      loaded, total);
}

// Notes the paths; they lie in a buffer that does not move any more when the
// spans over it are made.
static int take_paths(tam_chat_load *load, const tam_json_node *paths) {
  const tam_json_node *at = tam_json_get_first(paths);
  for (; at != NULL; at = tam_json_get_next(at)) {
    tam_buf_append(&load->paths, tam_json_get_string(at));
    tam_buf_append_byte(&load->paths, 0);
  }
  tam_span rest = tam_buf_span(&load->paths);
  while (rest.len > 0 && load->paths.error == 0) {
    if (load->file_count == TAM_LOAD_FILES_MAX) {
      return TAM_ERR_TOO_LARGE;
    }
    size_t len = tam_span_find_byte(rest, 0);
    load->files[load->file_count++] = tam_span_head(rest, len);
    rest = tam_span_from(rest, len + 1);
  }
  return load->paths.error;
}

static int take_download(tam_chat_op *op, const tam_json_node *result) {
  tam_chat_model *model = op->load->model;
  tam_span id =
      tam_json_get_string(tam_json_get_member(result, TAM_SPAN("modelId")));
  tam_buf_append(&model->asked_id, tam_buf_span(&model->id));
  tam_buf_append(&model->revision, tam_buf_span(&op->load->revision));
  if (id.len > 0) { // the Hub knows it under another name
    tam_buf_reset(&model->id);
    tam_buf_append(&model->id, id);
  }
  tam_buf_append(&model->commit, tam_json_get_string(tam_json_get_member(
                                     result, TAM_SPAN("commit"))));
  tam_buf_append(&model->dtype, tam_json_get_string(tam_json_get_member(
                                    result, TAM_SPAN("dtype"))));
  int error =
      take_paths(op->load, tam_json_get_member(result, TAM_SPAN("files")));
  if (error == 0) {
    error = model->commit.error != 0 ? model->commit.error : model->dtype.error;
  }
  if (error == 0) {
    error = model->asked_id.error != 0 ? model->asked_id.error
                                       : model->revision.error;
  }
  return error != 0 ? error : TAM_CHAT_NEXT;
}

static int download_on_runtime(tam_chat_op *op,
                               const tam_runtime_report *report) {
  op->patient_ms = 0;
  if (report->kind == TAM_RUNTIME_FAILED) {
    return tam_chat_op_runtime_failed(op, report);
  }
  tam_json_node *message = NULL;
  const tam_mem *mem = op->chat->host.mem;
  int result = tam_json_tree_parse(&message, report->data, mem);
  if (result == 0) {
    result = report->kind == TAM_RUNTIME_END ? take_download(op, message)
                                             : say_download(op, message);
  }
  tam_json_tree_free(message, mem);
  return result;
}

const tam_chat_phase tam_chat_download_phase = {
    .stage = "download",
    .start = download_start,
    .on_runtime = download_on_runtime,
};

// ---------------------------------------------------------------------------
// Files that are opened one after the other: those of the configuration, which
// are read, and then those of the tokenizer.

static const char small_files[] = "config.json\0"
                                  "generation_config.json\0"
                                  "tokenizer.json\0"
                                  "tokenizer_config.json\0"
                                  "chat_template.jinja\0";

enum { SMALL_FILES = TAM_LOAD_SMALL_FILES, SMALL_FILES_READ = 2 };

static tam_span small_file(size_t place) {
  return tam_span_of(tam_names_at(small_files, place));
}

// Opens the next file that there is, or goes on.
static int open_next(tam_chat_op *op) {
  tam_chat_load *load = op->load;
  while (load->step < SMALL_FILES &&
         tam_chat_load_find(load, small_file(load->step)) < 0) {
    load->step++; // a repository need not have all of them
  }
  if (load->step == SMALL_FILES) {
    return TAM_CHAT_NEXT;
  }
  return tam_chat_load_open(op, small_file(load->step));
}

int tam_chat_load_open(tam_chat_op *op, tam_span path) {
  const tam_chat_model *model = op->load->model;
  tam_buf *order = tam_chat_op_order(op, "open");
  tam_json_write_string_member(order, "modelId", tam_buf_span(&model->id));
  tam_json_write_string_member(order, "commit", tam_buf_span(&model->commit));
  tam_json_write_string_member(order, "path", path);
  return tam_chat_op_make(op, TAM_SPAN_NONE);
}

static int config_start(tam_chat_op *op) {
  tam_model_config_init(&op->load->model->config);
  op->load->step = 0;
  return open_next(op);
}

// Begins to read the file that was opened last.
static int read_config(tam_chat_op *op, uint32_t file) {
  tam_chat_load *load = op->load;
  tam_model_config_scan_init(&load->config_scan,
                             load->step == 0 ? TAM_MODEL_CONFIG
                                             : TAM_MODEL_GENERATION,
                             &load->model->config);
  tam_buf *order = tam_chat_op_order(op, "read");
  tam_json_write_number_member(order, "file", file);
  tam_json_write_number_member(order, "from", 0);
  tam_json_write_number_member(order, "to", TAM_MODEL_CONFIG_BYTES_MAX);
  return tam_chat_op_submit(op, TAM_SPAN_NONE);
}

static int bad_config(tam_chat_op *op, int error) {
  if (error != 0 && !tam_error_is_fatal(error)) {
    tam_buf_reset(&op->why);
    tam_buf_append(&op->why, small_file(op->load->step));
    tam_buf_append_text(&op->why, " of the model cannot be read");
  }
  return error;
}

// The defaults of a model for its generation are merged with each request, so
// its text is kept, unless it is longer than any request may be.
static int take_config(tam_chat_op *op, tam_span piece) {
  tam_chat_load *load = op->load;
  tam_buf *text = &load->model->generation_config;
  if (load->step == 1) {
    tam_buf_append(text, piece);
    if (text->error == TAM_ERR_OUT_OF_MEMORY) {
      return text->error;
    }
  }
  return bad_config(op, tam_model_config_scan_feed(&load->config_scan, piece));
}

static int config_on_runtime(tam_chat_op *op,
                             const tam_runtime_report *report) {
  tam_chat_load *load = op->load;
  uint32_t *file = &load->open_files[load->step];
  if (report->kind == TAM_RUNTIME_FAILED) {
    return tam_chat_op_runtime_failed(op, report);
  }
  if (report->kind == TAM_RUNTIME_DATA) {
    return *file == 0 ? TAM_CHAT_WAIT : take_config(op, report->data);
  }
  if (*file == 0) { // it is open now
    *file = report->request;
    if (load->step < SMALL_FILES_READ) {
      return read_config(op, *file);
    }
  } else {
    int error = bad_config(op, tam_model_config_scan_end(&load->config_scan));
    if (error != 0) {
      return error;
    }
  }
  load->step++;
  return open_next(op);
}

const tam_chat_phase tam_chat_config_phase = {
    .stage = "config",
    .start = config_start,
    .on_runtime = config_on_runtime,
};

// ---------------------------------------------------------------------------
// The tokenizer

static int tokenizer_start(tam_chat_op *op) {
  tam_chat_load *load = op->load;
  int error = tam_chat_load_say(op, PROGRESS_TOKENIZER,
                                TAM_SPAN("tokenizer.json"), 0, 0);
  if (error != 0) {
    return error;
  }
  if (tam_chat_load_find(load, TAM_SPAN("tokenizer.json")) < 0) {
    return tam_chat_op_fail(op, TAM_ERR_NOT_FOUND,
                            "the repository has no tokenizer.json");
  }
  tam_buf *order = tam_chat_op_order(op, "tokenizer");
  tam_json_write_member_begin(order, "files");
  for (size_t i = SMALL_FILES_READ; i < SMALL_FILES; i++) {
    if (load->open_files[i] != 0) {
      tam_json_write_number_member(order, tam_names_at(small_files, i),
                                   load->open_files[i]);
    }
  }
  tam_json_write_object_end(order);
  return tam_chat_op_make(op, TAM_SPAN_NONE);
}

static int tokenizer_on_runtime(tam_chat_op *op,
                                const tam_runtime_report *report) {
  tam_chat *chat = op->chat;
  tam_chat_model *model = op->load->model;
  if (report->kind == TAM_RUNTIME_FAILED) {
    return tam_chat_op_runtime_failed(op, report);
  }
  if (report->kind == TAM_RUNTIME_DATA) {
    return tam_chat_model_take_special(model, report->data);
  }
  model->tokenizer = report->request;
  tam_runtime_keep(chat->runtime, report->request);
  for (size_t i = 0; i < SMALL_FILES; i++) {
    tam_runtime_drop(chat->runtime, op->load->open_files[i]);
    op->load->open_files[i] = 0;
  }
  int error = tam_chat_model_take_tokenizer(model, report->data);
  return error != 0 ? error : TAM_CHAT_NEXT;
}

const tam_chat_phase tam_chat_tokenizer_phase = {
    .stage = "tokenizer",
    .start = tokenizer_start,
    .on_runtime = tokenizer_on_runtime,
};
