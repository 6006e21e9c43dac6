// SPDX-License-Identifier: Apache-2.0
// The ladder of devices: which there are, which of them is worth a try, and
// what is kept of those that failed.
//
//   webgpu with f16 > webgpu > wasm with threads > wasm
//
// The first two differ in the dtype that suits them. Where the caller names
// none, what is stored is taken rather than anything else; only then the best
// for the device.
#include "chat/chat_op.h"
#include "chat/load.h"

// More threads than this make a small model no faster.
#define THREADS_MAX 4

enum { STEP_DEVICE = 0, STEP_MEMORY };

static tam_device_case case_of(const tam_chat_load *load, tam_span dtype) {
  return (tam_device_case){tam_buf_span(&load->machine),
                           tam_buf_span(&load->model->id), dtype};
}

tam_rung tam_chat_load_rung(const tam_chat_load *load) {
  tam_rung rung = TAM_RUNG_WEBGPU;
  while (rung < TAM_RUNG_WASM && (load->rungs & (1U << rung)) == 0) {
    rung++;
  }
  return rung;
}

unsigned tam_chat_load_threads(const tam_chat_load *load) {
  return (load->rungs & (1U << TAM_RUNG_THREADS)) != 0 ? load->threads : 1;
}

// ---------------------------------------------------------------------------
// What there is

static int device_start(tam_chat_op *op) {
  op->load->step = STEP_DEVICE;
  (void)tam_chat_op_order(op, "device");
  return tam_chat_op_submit(op, TAM_SPAN_NONE);
}

static int has_f16(const tam_json_node *webgpu) {
  const tam_json_node *at =
      tam_json_get_first(tam_json_get_member(webgpu, TAM_SPAN("features")));
  while (at != NULL && !tam_span_is(tam_json_get_string(at), "shader-f16")) {
    at = tam_json_get_next(at);
  }
  return at != NULL;
}

static unsigned threads_of(const tam_json_node *facts) {
  double cores =
      tam_json_get_number(tam_json_get_member(facts, TAM_SPAN("cores")));
  int is_isolated =
      tam_json_get_bool(tam_json_get_member(facts, TAM_SPAN("isolated")));
  return !is_isolated || !(cores > 1) ? 1
         : cores < THREADS_MAX        ? (unsigned)cores
                                      : THREADS_MAX;
}

static int take_facts(tam_chat_op *op, const tam_json_node *facts) {
  tam_chat_load *load = op->load;
  const tam_json_node *webgpu = tam_json_get_member(facts, TAM_SPAN("webgpu"));
  load->has_f16 = has_f16(webgpu);
  load->threads = threads_of(facts);
  load->rungs = load->device == TAM_DEVICE_WEBGPU ? 0 : 1U << TAM_RUNG_WASM;
  if (load->threads > 1) {
    load->rungs |= load->rungs >> 1;
  }
  if (load->device != TAM_DEVICE_WASM &&
      tam_json_get_kind(webgpu) == TAM_JSON_KIND_OBJECT) {
    load->rungs |= 1U << TAM_RUNG_WEBGPU;
  }
  tam_buf_append(&load->machine, tam_json_get_string(tam_json_get_member(
                                     facts, TAM_SPAN("software"))));
  tam_buf_append_byte(&load->machine, ' ');
  tam_buf_append(&load->machine, tam_json_get_string(tam_json_get_member(
                                     webgpu, TAM_SPAN("driver"))));
  if (load->machine.error == TAM_ERR_OUT_OF_MEMORY) {
    return load->machine.error;
  }
  return load->rungs != 0 ? 0
                          : tam_chat_op_fail(op, TAM_ERR_RUNTIME_FAILED,
                                             "there is no WebGPU here");
}

static int order_memory(tam_chat_op *op) {
  op->load->step = STEP_MEMORY;
  tam_buf *order = tam_chat_op_order(op, "ask");
  tam_json_write_name_member(order, "action", "sharedObject");
  tam_json_write_member_begin(order, "params");
  tam_json_write_name_member(order, "id", TAM_DEVICE_MEMORY_ID);
  tam_json_write_object_end(order);
  return tam_chat_op_submit(op, TAM_SPAN_NONE);
}

// When the object cannot be read, nothing is known of failures: all devices are
// tried.
static int take_memory(tam_chat_op *op, const tam_runtime_report *report) {
  int error = report->kind == TAM_RUNTIME_FAILED
                  ? 0
                  : tam_json_tree_parse(&op->load->memory, report->data,
                                        op->chat->host.mem);
  return error == TAM_ERR_OUT_OF_MEMORY ? error : TAM_CHAT_NEXT;
}

static int device_on_runtime(tam_chat_op *op,
                             const tam_runtime_report *report) {
  tam_json_node *facts = NULL;
  const tam_mem *mem = op->chat->host.mem;
  if (report->kind < TAM_RUNTIME_END) {
    return TAM_CHAT_WAIT;
  }
  if (op->load->step == STEP_MEMORY) {
    return take_memory(op, report);
  }
  if (report->kind == TAM_RUNTIME_FAILED) {
    return tam_chat_op_runtime_failed(op, report);
  }
  int error = tam_json_tree_parse(&facts, report->data, mem);
  if (error == 0) {
    error = take_facts(op, facts);
  }
  tam_json_tree_free(facts, mem);
  return error != 0 ? error : order_memory(op);
}

const tam_chat_phase tam_chat_device_phase = {
    .stage = "device",
    .start = device_start,
    .on_runtime = device_on_runtime,
};

// ---------------------------------------------------------------------------
// Which dtype, and which device

static const tam_json_node *object_of(const tam_chat_load *load) {
  return tam_json_get_member(load->memory, TAM_SPAN("object"));
}

static const char *find_failure(const tam_chat_load *load, tam_span dtype,
                                tam_rung rung) {
  tam_device_case what = case_of(load, dtype);
  return tam_device_memory_find(object_of(load), &what, rung);
}

const char *tam_chat_load_dtypes(const tam_chat_load *load) {
  int has_webgpu = (load->rungs & (1U << TAM_RUNG_WEBGPU)) != 0;
  int is_asked = load->device == TAM_DEVICE_WEBGPU;
  if (has_webgpu && load->has_f16 &&
      (is_asked ||
       find_failure(load, TAM_SPAN("q4f16"), TAM_RUNG_WEBGPU) == NULL)) {
    return "q4f16,q4,fp16,auto";
  }
  if (has_webgpu && (is_asked || find_failure(load, TAM_SPAN("q4"),
                                              TAM_RUNG_WEBGPU) == NULL)) {
    return "q4,bnb4,auto";
  }
  return "q8,q4,auto";
}

int tam_chat_load_note_failure(tam_chat_op *op, tam_rung rung) {
  tam_chat_load *load = op->load;
  tam_buf *warning = &load->model->warning;
  load->rungs &= ~(1U << rung);
  tam_buf_append_text(warning, warning->len > 0 ? "; " : "");
  tam_buf_append_text(warning, tam_rung_name(rung));
  tam_buf_append_text(warning, " was not used: ");
  tam_buf_append(warning, tam_buf_span(&op->why));
  return warning->error == TAM_ERR_OUT_OF_MEMORY ? warning->error : 0;
}

// Removes |rung| when a failure of it is known and others are left.
static int pass_over(tam_chat_op *op, tam_rung rung) {
  tam_chat_load *load = op->load;
  tam_span dtype = tam_buf_span(&load->model->dtype);
  unsigned bit = 1U << rung;
  const char *why = find_failure(load, dtype, rung);
  if ((load->rungs & bit) == 0 || (load->rungs & ~bit) == 0) {
    return 0;
  }
  tam_buf_reset(&op->why);
  if (rung == TAM_RUNG_WEBGPU && !load->has_f16 &&
      tam_span_ends_with(dtype, TAM_SPAN("16"))) {
    tam_buf_append_text(&op->why, "the adapter has no shader-f16");
  } else if (why != NULL) {
    tam_buf_append_text(&op->why, "it failed before: ");
    tam_buf_append_text(&op->why, why);
  }
  int error = op->why.len > 0 ? tam_chat_load_note_failure(op, rung) : 0;
  tam_buf_reset(&op->why);
  return error;
}

int tam_chat_load_choose(tam_chat_op *op) {
  int error = pass_over(op, TAM_RUNG_WEBGPU);
  return error != 0 ? error : pass_over(op, TAM_RUNG_THREADS);
}

// ---------------------------------------------------------------------------
// What is kept. The model works whether that succeeds or not.

enum { STEP_DEVICES = 0, STEP_STATUS };

static int finish(tam_chat_op *op) {
  tam_chat *chat = op->chat;
  int error = tam_chat_load_say(op, 100, TAM_SPAN("session"), 0, 0);
  if (error == 0) {
    chat->model = op->load->model;
    op->load->model = NULL;
  }
  return error != 0 ? error : TAM_CHAT_NEXT;
}

static int order_status(tam_chat_op *op) {
  op->load->step = STEP_STATUS;
  return tam_chat_load_order_status(op, 0);
}

static int keep_start(tam_chat_op *op) {
  tam_chat_load *load = op->load;
  tam_span dtype = tam_buf_span(&load->model->dtype);
  tam_rung works = tam_chat_load_rung(load);
  tam_device_case what = case_of(load, dtype);
  tam_span reasons[TAM_RUNG_COUNT];
  int is_any = find_failure(load, dtype, works) != NULL;
  for (size_t i = 0; i < TAM_RUNG_COUNT; i++) {
    reasons[i] = tam_buf_span(&load->reasons[i]);
    is_any |= reasons[i].len > 0;
  }
  if (!is_any) {
    return order_status(op);
  }
  load->step = STEP_DEVICES;
  tam_buf *order = tam_chat_op_order(op, "ask");
  tam_json_write_name_member(order, "action", "sharedObject");
  tam_json_write_member_begin(order, "params");
  tam_json_write_name_member(order, "id", TAM_DEVICE_MEMORY_ID);
  tam_json_write_key(order, "input");
  tam_json_write_bool(order, 1);
  tam_json_write_object_end(order);
  tam_json_write_key(order, "rows");
  tam_json_write_array_begin(order);
  tam_device_memory_write_patch(object_of(load), &what, reasons, works, order);
  tam_json_write_array_end(order);
  return tam_chat_op_submit(op, TAM_SPAN_NONE);
}

static int keep_on_runtime(tam_chat_op *op, const tam_runtime_report *report) {
  if (report->kind < TAM_RUNTIME_END) {
    return TAM_CHAT_WAIT;
  }
  return op->load->step == STEP_DEVICES ? order_status(op) : finish(op);
}

const tam_chat_phase tam_chat_keep_phase = {
    .stage = "session",
    .start = keep_start,
    .on_runtime = keep_on_runtime,
};
