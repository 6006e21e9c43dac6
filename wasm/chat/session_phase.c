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
  return (load->devices & (1U << TAM_DEVICE_WEBGPU)) != 0 ? TAM_DEVICE_WEBGPU
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

// The device cannot run the model: goes on with the next one, if there is one.
static int step_down(tam_chat_op *op, int error) {
  tam_chat_load *load = op->load;
  tam_chat_model *model = load->model;
  tam_device device = device_of(load);
  load->devices &= ~(1U << device);
  if (load->devices == 0) {
    release_sessions(op);
    return error;
  }
  tam_buf_append_text(&model->warning, provider_of(device));
  tam_buf_append_text(&model->warning, " was not used: ");
  tam_buf_append(&model->warning, tam_buf_span(&op->why));
  if (model->warning.error == TAM_ERR_OUT_OF_MEMORY) {
    return model->warning.error;
  }
  tam_buf_reset(&op->why);
  return TAM_CHAT_NEXT; // begin again
}

static int session_start(tam_chat_op *op) {
  int error =
      tam_chat_load_say(op, PROGRESS_SESSIONS, TAM_SPAN("session"), 0, 0);
  op->load->step = 0;
  tam_chat_op_order(op, "device");
  return error != 0 ? error : tam_chat_op_submit(op, TAM_SPAN_NONE);
}

static int take_device(tam_chat_op *op, tam_span facts) {
  tam_chat_load *load = op->load;
  tam_json_node *root = NULL;
  const tam_mem *mem = op->chat->host.mem;
  int error = tam_json_tree_parse(&root, facts, mem);
  int has_webgpu =
      tam_json_get_bool(tam_json_get_member(root, TAM_SPAN("webgpu")));
  tam_json_tree_free(root, mem);
  unsigned wanted = load->device == TAM_DEVICE_AUTO
                        ? (1U << TAM_DEVICE_WEBGPU) | (1U << TAM_DEVICE_WASM)
                        : 1U << load->device;
  load->devices = has_webgpu ? wanted : wanted & ~(1U << TAM_DEVICE_WEBGPU);
  if (error == 0 && load->devices == 0) {
    return tam_chat_op_fail(op, TAM_ERR_RUNTIME_FAILED,
                            "there is no WebGPU here");
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
  if (op->load->devices == 0) {
    return take_device(op, report->data);
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

// Devices have been seen that compute, without any error, nothing of use.
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

static int finish_load(tam_chat_op *op) {
  tam_chat *chat = op->chat;
  tam_chat_load *load = op->load;
  tam_chat_model *model = load->model;
  tam_chat_model_drop_cache(model, chat);
  model->device = device_of(load);
  tam_buf_append_text(&model->provider, provider_of(model->device));
  if (model->task.len == 0) {
    tam_buf_append_text(&model->task, tam_chat_model_has_encoder(model)
                                          ? "text2text-generation"
                                          : "text-generation");
  }
  if (model->provider.error != 0 || model->task.error != 0) {
    return TAM_ERR_OUT_OF_MEMORY;
  }
  int error = tam_chat_load_say(op, 100, TAM_SPAN("session"), 0, 0);
  if (error == 0) {
    chat->model = model;
    load->model = NULL;
  }
  return error != 0 ? error : TAM_CHAT_NEXT;
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
    return finish_load(op);
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
