// SPDX-License-Identifier: Apache-2.0
// Makes the sessions, on the best device that can run them, and tries them.
#include "chat/chat_op.h"
#include "chat/load.h"
#include "chat/run.h"
#include "core/mem.h"
#include "core/names.h"

#include <math.h>

// Where these stages of a load begin, in percent.
#define PROGRESS_SESSIONS 92.0
#define PROGRESS_TRIAL    98.0

static const char *provider_of(tam_device device) {
  return device == TAM_DEVICE_WEBGPU ? "webgpu" : "wasm";
}

static tam_device device_of(const tam_chat_load *load) {
  return tam_chat_load_rung(load) == TAM_RUNG_WEBGPU ? TAM_DEVICE_WEBGPU
                                                     : TAM_DEVICE_WASM;
}

// ---------------------------------------------------------------------------
// Sessions

static tam_span base_of(tam_span path) {
  size_t slash = path.len;
  while (slash > 0 && path.ptr[slash - 1] != '/') {
    slash--;
  }
  return tam_span_from(path, slash);
}

static void write_external(const tam_chat_load *load,
                           const tam_load_graph *graph, tam_buf *order) {
  tam_span path = load->files[graph->file];
  size_t folder = path.len - base_of(path).len;
  uint8_t name[TAM_ONNX_LOCATION_MAX];
  tam_buf location;
  tam_buf_init_fixed(&location, name, sizeof(name));
  tam_chat_load_append_location(load, graph, &location);
  tam_json_write_key(order, "external");
  tam_json_write_array_begin(order);
  tam_json_write_object_begin(order);
  tam_json_write_string_member(order, "path", tam_buf_span(&location));
  tam_json_write_number_member(order, "file", graph->whole);
  tam_json_write_object_end(order);
  for (size_t i = 0; i < graph->external_count; i++) {
    tam_json_write_object_begin(order);
    tam_json_write_string_member(
        order, "path",
        tam_span_from(load->files[graph->external[i].file], folder));
    tam_json_write_number_member(order, "file", graph->external[i].open);
    tam_json_write_object_end(order);
  }
  tam_json_write_array_end(order);
}

static int order_session(tam_chat_op *op) {
  tam_chat_load *load = op->load;
  if (load->step == load->model->session_count) {
    return TAM_CHAT_NEXT;
  }
  const tam_load_graph *graph = &load->graphs[load->step];
  tam_buf *order = tam_chat_op_order(op, "session");
  tam_json_write_number_member(order, "graph", graph->small);
  write_external(load, graph, order);
  tam_json_write_key(order, "providers");
  tam_json_write_array_begin(order);
  tam_json_write_string(order, tam_span_of(provider_of(device_of(load))));
  tam_json_write_array_end(order);
  tam_json_write_number_member(order, "threads", tam_chat_load_threads(load));
  if (device_of(load) == TAM_DEVICE_WEBGPU) {
    // Outputs become inputs of the next pass, and do not leave the device in
    // between.
    tam_json_write_name_member(order, "outputs", "gpu-buffer");
  }
  return tam_chat_op_make(op, TAM_SPAN_NONE);
}

static void release_sessions(tam_chat_op *op) {
  tam_chat_model *model = op->load->model;
  tam_chat_model_drop_cache(model, op->chat);
  for (size_t i = 0; i < model->session_count; i++) {
    tam_runtime_drop(op->chat->runtime, model->sessions[i].session);
    model->sessions[i].session = 0;
    tam_session_plan_del(model->sessions[i].plan);
    model->sessions[i].plan = NULL;
  }
}

// Begins with the best device that is left.
static int begin_sessions(tam_chat_op *op) {
  release_sessions(op);
  op->load->step = 0;
  return order_session(op);
}

// A lost device may be a good one next time, and whether the build of ONNX
// Runtime has a backend at all is found out at once.
static int is_worth_keeping(int error, tam_span why) {
  return error != TAM_ERR_DEVICE_LOST &&
         tam_names_find_within("backend not found\0", why) < 0;
}

// The device cannot run the model: continues with the next one, if there is
// one.
static int step_down(tam_chat_op *op, int error) {
  tam_chat_load *load = op->load;
  tam_rung rung = tam_chat_load_rung(load);
  unsigned bit = 1U << rung;
  if ((load->rungs & ~bit) == 0) {
    release_sessions(op);
    return error;
  }
  if (is_worth_keeping(error, tam_buf_span(&op->why))) {
    tam_buf_append(&load->reasons[rung], tam_buf_span(&op->why));
  }
  int result = tam_chat_load_note_failure(op, rung);
  if (load->reasons[rung].error == TAM_ERR_OUT_OF_MEMORY) {
    result = TAM_ERR_OUT_OF_MEMORY;
  }
  tam_buf_reset(&op->why);
  return result != 0 ? result : TAM_CHAT_NEXT; // begin again
}

static int session_start(tam_chat_op *op) {
  int error =
      tam_chat_load_say(op, PROGRESS_SESSIONS, TAM_SPAN("session"), 0, 0);
  if (error == 0) {
    error = tam_chat_load_choose(op);
  }
  return error != 0 ? error : begin_sessions(op);
}

static int take_session(tam_chat_op *op, const tam_runtime_report *report) {
  tam_chat_load *load = op->load;
  tam_chat_session *session = &load->model->sessions[load->step];
  session->session = report->request;
  tam_runtime_keep(op->chat->runtime, report->request);
  int error =
      tam_chat_model_plan(load->model, load->step, report->data, &op->why);
  load->step++;
  return error != 0 ? error : order_session(op);
}

static int session_on_runtime(tam_chat_op *op,
                              const tam_runtime_report *report) {
  if (report->kind == TAM_RUNTIME_FAILED) {
    int result = step_down(op, tam_chat_op_runtime_failed(op, report));
    return result == TAM_CHAT_NEXT ? begin_sessions(op) : result;
  }
  if (report->kind != TAM_RUNTIME_END) {
    return TAM_CHAT_WAIT;
  }
  return take_session(op, report);
}

const tam_chat_phase tam_chat_session_phase = {
    .stage = "session",
    .start = session_start,
    .on_runtime = session_on_runtime,
};

// ---------------------------------------------------------------------------
// The trial: one token goes through

enum { TRIAL_CACHE = 0, TRIAL_ENCODER, TRIAL_DECODER };

static int trial_start(tam_chat_op *op) {
  int error = tam_chat_load_say(op, PROGRESS_TRIAL, TAM_SPAN("session"), 0, 0);
  op->load->step = TRIAL_CACHE;
  op->load->is_fine = 0;
  return error != 0 ? error : tam_run_order_cache(op, op->load->model);
}

static int run_token(tam_chat_op *op, int is_encoder) {
  tam_chat_load *load = op->load;
  tam_chat_model *model = load->model;
  load->trial_token = tam_chat_model_any_token(model);
  return tam_run_start(op,
                       &(tam_run){
                           .model = model,
                           .cache = model->cache,
                           .tokens = &load->trial_token,
                           .rows = 1,
                           .count = 1,
                           .source = (size_t)tam_chat_model_has_encoder(model),
                           .is_encoder = is_encoder,
                           .takes_logits = !is_encoder,
                       });
}

static int run_next_token(tam_chat_op *op) {
  tam_chat_load *load = op->load;
  load->step =
      load->step == TRIAL_CACHE && tam_chat_model_has_encoder(load->model)
          ? TRIAL_ENCODER
          : TRIAL_DECODER;
  return run_token(op, load->step == TRIAL_ENCODER);
}

// There are devices that report no error and compute nothing useful.
static int check_logits(tam_chat_op *op, const tam_runtime_report *report) {
  float *logits;
  size_t count;
  int error = tam_run_logits(op, report, &logits, &count);
  if (error != 0) {
    return error;
  }
  size_t i = 0;
  int differ = 0;
  for (; i < count && isfinite(logits[i]); i++) {
    differ |= logits[i] != logits[0];
  }
  op->load->is_fine = i == count && differ;
  op->load->model->vocab = (uint32_t)count;
  return TAM_CHAT_WAIT;
}

static int end_trial_well(tam_chat_op *op) {
  tam_chat_load *load = op->load;
  tam_chat_model *model = load->model;
  tam_chat_model_drop_cache(model, op->chat);
  model->device = device_of(load);
  model->threads = tam_chat_load_threads(load);
  tam_buf_append_text(&model->provider, provider_of(model->device));
  if (model->task.len == 0) {
    tam_buf_append_text(&model->task, tam_chat_model_has_encoder(model)
                                          ? "text2text-generation"
                                          : "text-generation");
  }
  return model->provider.error != 0 || model->task.error != 0
             ? TAM_ERR_OUT_OF_MEMORY
             : TAM_CHAT_NEXT;
}

static int trial_failed(tam_chat_op *op, int error) {
  int result = step_down(op, error);
  if (result != TAM_CHAT_NEXT) {
    return result;
  }
  op->phase--; // the sessions once more
  return begin_sessions(op);
}

static int end_trial(tam_chat_op *op) {
  if (op->load->is_fine) {
    return end_trial_well(op);
  }
  return trial_failed(
      op, tam_chat_op_fail(op, TAM_ERR_RUNTIME_FAILED,
                           "the device computes no sensible numbers"));
}

static int trial_on_runtime(tam_chat_op *op, const tam_runtime_report *report) {
  tam_chat_load *load = op->load;
  int result;
  switch (report->kind) {
  case TAM_RUNTIME_FAILED:
    return trial_failed(op, tam_chat_op_runtime_failed(op, report));
  case TAM_RUNTIME_DATA:
    return check_logits(op, report);
  default:
    break;
  }
  if (load->step == TRIAL_CACHE) {
    load->model->cache = report->request;
    tam_runtime_keep(op->chat->runtime, report->request);
    return run_next_token(op);
  }
  result = tam_run_next(op);
  if (result != TAM_CHAT_NEXT) {
    return result;
  }
  return load->step == TRIAL_ENCODER ? run_next_token(op) : end_trial(op);
}

const tam_chat_phase tam_chat_trial_phase = {
    .stage = "trial",
    .start = trial_start,
    .on_runtime = trial_on_runtime,
};
