// SPDX-License-Identifier: Apache-2.0
#include "chat/load.h"

#include "chat/broadcast.h"
#include "chat/chat_op.h"
#include "core/mem.h"
#include "core/model_files.h"
#include "core/names.h"
#include "core/repo_id.h"

#include <string.h>

// The longest dtype, revision and load id.
#define NAME_MAX 512

// Versions of browser and package, and what a driver calls itself; the reason
// of a failure.
#define MACHINE_MAX 1024
#define REASON_MAX  TAM_CHAT_WHY_MAX

#define PATHS_MAX (UINT32_C(1) << 20)

// ---------------------------------------------------------------------------
// Parameters

static const char tasks[] = "text-generation\0"
                            "text2text-generation\0"
                            "image-text-to-text\0";

static const char devices[] = "auto\0"
                              "webgpu\0"
                              "wasm\0";

// Copies the string |name|. Returns 0, or INVALID_PARAMS: it is something else.
static int read_text(tam_chat_op *op, const tam_json_node *params,
                     const char *name, tam_buf *text) {
  const tam_json_node *node = tam_json_get_member(params, tam_span_of(name));
  tam_json_kind kind = tam_json_get_kind(node);
  if (kind == TAM_JSON_KIND_MISSING || kind == TAM_JSON_KIND_NULL) {
    return 0;
  }
  tam_buf_append(text, tam_json_get_string(node));
  if (kind != TAM_JSON_KIND_STRING || text->error == TAM_ERR_TOO_LARGE) {
    tam_buf_append_text(&op->why, name);
    tam_buf_append_text(&op->why, ": expected a short string");
    return TAM_ERR_INVALID_PARAMS;
  }
  return text->error;
}

static int check_model(tam_chat_op *op, const tam_buf *id) {
  return tam_repo_id_is_valid(tam_buf_span(id))
             ? 0
             : tam_chat_op_fail(op, TAM_ERR_INVALID_PARAMS,
                                "modelId: expected the id of a repository");
}

static int check_task(tam_chat_op *op, const tam_buf *task) {
  return task->len == 0 || tam_names_find(tasks, tam_buf_span(task)) >= 0
             ? 0
             : tam_chat_op_fail(op, TAM_ERR_UNSUPPORTED_TASK,
                                "task: expected text-generation, "
                                "text2text-generation or image-text-to-text");
}

// Older panels name a dtype by the file that it stands for, or by its end.
static void settle_dtype(const tam_buf *asked, tam_buf *dtype) {
  tam_span text = tam_buf_span(asked);
  tam_buf_append(dtype, tam_span_ends_with(text, TAM_SPAN(".onnx"))
                            ? tam_span_of(tam_dtype_name(tam_file_dtype(text)))
                        : tam_span_is(text, tam_dtype_file_end(TAM_DTYPE_Q8))
                            ? tam_span_of(tam_dtype_name(TAM_DTYPE_Q8))
                            : text);
}

static int read_device(tam_chat_op *op, const tam_json_node *params) {
  tam_buf name;
  uint8_t text[NAME_MAX];
  tam_buf_init_fixed(&name, text, sizeof(text));
  int error = read_text(op, params, "device", &name);
  int place = name.len == 0 ? 0 : tam_names_find(devices, tam_buf_span(&name));
  if (error == 0 && place < 0) {
    error = tam_chat_op_fail(op, TAM_ERR_INVALID_PARAMS,
                             "device: expected auto, webgpu or wasm");
  }
  op->load->device = (tam_device)place;
  return error;
}

static int read_params(tam_chat_op *op, const tam_json_node *params) {
  tam_chat_load *load = op->load;
  tam_chat_model *model = load->model;
  const struct {
    const char *name;
    tam_buf *text;
  } texts[] = {
      {"modelId", &model->id},        {"task", &model->task},
      {"loadId", &load->load_id},     {"revision", &load->revision},
      {"dtype", &model->asked_dtype},
  };
  int error = 0;
  for (size_t i = 0; error == 0 && i < sizeof(texts) / sizeof(texts[0]); i++) {
    error = read_text(op, params, texts[i].name, texts[i].text);
  }
  if (error == 0) {
    error = check_model(op, &model->id);
  }
  if (error == 0) {
    error = check_task(op, &model->task);
  }
  if (error == 0) {
    tam_buf_append(&load->asked_id, tam_buf_span(&model->id));
    settle_dtype(&model->asked_dtype, &load->dtype);
    error =
        load->asked_id.error != 0 ? load->asked_id.error : load->dtype.error;
  }
  return error != 0 ? error : read_device(op, params);
}

int tam_chat_load_prepare(tam_chat_op *op, const tam_chat_request *request) {
  const tam_mem *mem = op->chat->host.mem;
  tam_chat_load *load = tam_mem_calloc(mem, 1, sizeof(*load));
  if (load == NULL) {
    return TAM_ERR_OUT_OF_MEMORY;
  }
  op->load = load;
  tam_buf_init(&load->dtype, mem, NAME_MAX);
  tam_buf_init(&load->revision, mem, NAME_MAX);
  tam_buf_init(&load->load_id, mem, NAME_MAX);
  tam_buf_init(&load->asked_id, mem, TAM_REPO_ID_MAX);
  tam_buf_init(&load->paths, mem, PATHS_MAX);
  tam_buf_init(&load->machine, mem, MACHINE_MAX);
  for (size_t i = 0; i < TAM_RUNG_COUNT; i++) {
    tam_buf_init(&load->reasons[i], mem, REASON_MAX);
  }
  load->model = tam_chat_model_new(mem);
  return load->model == NULL ? TAM_ERR_OUT_OF_MEMORY
                             : read_params(op, request->params);
}

void tam_chat_load_del(tam_chat_load *load, tam_chat *chat) {
  if (load == NULL) {
    return;
  }
  tam_chat_model_del(load->model, chat);
  tam_onnx_graph_del(load->scan);
  tam_buf_free(&load->dtype);
  tam_buf_free(&load->revision);
  tam_buf_free(&load->load_id);
  tam_buf_free(&load->asked_id);
  tam_buf_free(&load->paths);
  tam_buf_free(&load->machine);
  for (size_t i = 0; i < TAM_RUNG_COUNT; i++) {
    tam_buf_free(&load->reasons[i]);
  }
  tam_json_tree_free(load->memory, chat->host.mem);
  tam_mem_free(chat->host.mem, load);
}

int tam_chat_load_find(const tam_chat_load *load, tam_span path) {
  for (size_t i = 0; i < load->file_count; i++) {
    if (tam_span_eq(load->files[i], path)) {
      return (int)i;
    }
  }
  return -1;
}

// ---------------------------------------------------------------------------
// Failure

// What the dtype is called: that which was found, or that which was asked for,
// if it names one.
static tam_span dtype_of(const tam_chat_load *load) {
  tam_span asked = tam_buf_span(&load->dtype);
  return load->model->dtype.len > 0 ? tam_buf_span(&load->model->dtype)
         : tam_span_eq(asked, TAM_SPAN("auto")) ? TAM_SPAN_NONE
                                                : asked;
}

int tam_chat_load_order_status(tam_chat_op *op, int has_failed) {
  const tam_chat_load *load = op->load;
  tam_buf *order = tam_chat_op_order(op, "ask");
  tam_json_write_name_member(order, "action", "noteLoad");
  tam_json_write_member_begin(order, "params");
  tam_json_write_string_member(order, "modelId",
                               tam_buf_span(&load->model->id));
  tam_json_write_string_member(order, "dtype", dtype_of(load));
  tam_json_write_key(order, "failed");
  tam_json_write_bool(order, has_failed);
  tam_json_write_object_end(order);
  return tam_chat_op_submit(op, TAM_SPAN_NONE);
}

int tam_chat_load_fail(tam_chat_op *op, int error) {
  tam_chat_load *load = op->load;
  if (error == TAM_ERR_CANCELLED || error == TAM_ERR_NOT_STORED) {
    return error; // that says nothing of the model
  }
  if (load->error != 0) {
    return load->error; // it cannot be noted
  }
  load->error = error;
  // What is under way is of no use any more.
  tam_runtime_close_op(op->chat->runtime, op->speaker.op);
  return op->is_prepared && load->model != NULL && dtype_of(load).len > 0 &&
                 tam_chat_load_order_status(op, 1) == TAM_CHAT_WAIT
             ? TAM_CHAT_WAIT
             : error;
}

// ---------------------------------------------------------------------------
// Messages

static void write_who(const tam_chat_op *op, tam_span id, tam_buf *json) {
  const tam_chat_load *load = op->load;
  tam_json_write_string_member(json, "modelId", id);
  if (load->load_id.len > 0) {
    tam_json_write_string_member(json, "loadId", tam_buf_span(&load->load_id));
  }
}

int tam_chat_load_say(tam_chat_op *op, double progress, tam_span file,
                      double loaded, double total) {
  tam_chat_load *load = op->load;
  double now_ms = op->chat->now_ms;
  int is_first = load->said_at_ms == 0;
  const char *status = is_first          ? "initiate"
                       : progress >= 100 ? "done"
                                         : "progress";
  if ((op->speaker.is_quiet && !op->is_broadcast) ||
      (!is_first && progress <= load->progress) ||
      (!is_first && now_ms < load->said_at_ms + TAM_CHAT_PROGRESS_PERIOD_MS &&
       progress < 100)) {
    return 0;
  }
  load->progress = progress;
  load->said_at_ms = now_ms;
  int error = tam_broadcast_loading(op, status, file, loaded, total);
  // Whoever asked for an answer wants to hear of nothing else.
  if (error != 0 || op->speaker.is_quiet || op->answer != NULL) {
    return error;
  }
  tam_buf json;
  tam_speaker_begin(&op->speaker, TAM_ANSWER_PROGRESS, now_ms, &json);
  tam_json_write_name_member(&json, "status", status);
  tam_json_write_number_member(&json, "progress", progress);
  tam_json_write_string_member(&json, "file", file);
  if (total > 0) {
    tam_json_write_number_member(&json, "loaded", loaded);
    tam_json_write_number_member(&json, "total", total);
  }
  write_who(op, tam_buf_span(&load->model->id), &json);
  if (op->answer != NULL) {
    tam_buf_free(&json); // an answer that goes on says nothing of its load
    return 0;
  }
  return tam_speaker_say(&op->speaker, TAM_ANSWER_PROGRESS, &json);
}

void tam_chat_load_write_done(tam_chat_op *op, tam_buf *json) {
  const tam_chat_model *model = op->chat->model;
  write_who(op, tam_buf_span(&model->id), json);
  tam_json_write_string_member(json, "dtype", tam_buf_span(&model->dtype));
  tam_json_write_string_member(json, "commit", tam_buf_span(&model->commit));
  tam_json_write_string_member(json, "task", tam_buf_span(&model->task));
  tam_json_write_string_member(json, "executionProvider",
                               tam_buf_span(&model->provider));
  tam_json_write_number_member(json, "threads", model->threads);
  tam_json_write_number_member(json, "contextLength",
                               (double)model->context_length);
  if (model->warning.len > 0) {
    tam_json_write_string_member(json, "warning",
                                 tam_buf_span(&model->warning));
  }
}
