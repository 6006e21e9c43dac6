// SPDX-License-Identifier: Apache-2.0
// Opens the graphs of a model. Weights inside of one become references to the
// stored file, so that no runtime has to parse them.
#include "chat/chat_op.h"
#include "chat/load.h"
#include "core/model_files.h"
#include "core/names.h"

// The longest list of pieces and bytes of a small graph.
#define PIECES_MAX (UINT32_C(8) << 20)

// The largest file: sizes beyond it are no exact numbers.
#define FILE_MAX 9007199254740992.0

// In the order of tam_session_role. A model has the last ones.
static const char *const graph_names[] = {
    "encoder_model\0",
    "embed_tokens\0",
    "decoder_model_merged\0model\0",
};

static tam_span base_of(tam_span path) {
  size_t slash = path.len;
  while (slash > 0 && path.ptr[slash - 1] != '/') {
    slash--;
  }
  return tam_span_from(path, slash);
}

void tam_chat_load_append_location(const tam_chat_load *load,
                                   const tam_load_graph *graph,
                                   tam_buf *location) {
  tam_buf_append_byte(location, '#');
  tam_buf_append(location, base_of(load->files[graph->file]));
}

// Returns 1 when |path| is a graph called |name|, whatever its dtype.
static int is_graph(tam_span path, tam_span name) {
  tam_span base = base_of(path);
  if (tam_file_kind(path) != TAM_FILE_ONNX ||
      !tam_span_starts_with(base, name)) {
    return 0;
  }
  tam_span rest = tam_span_from(base, name.len);
  return tam_span_starts_with(rest, TAM_SPAN(".")) ||
         tam_span_ends_with(
             tam_span_head(rest, rest.len - 5),
             tam_span_of(tam_dtype_file_end(tam_file_dtype(base))));
}

// Returns the place of the first file that is a graph of one of |names|, in
// their order, or -1.
static int find_graph(const tam_chat_load *load, const char *names) {
  for (; *names != '\0'; names += tam_text_len(names) + 1) {
    for (size_t i = 0; i < load->file_count; i++) {
      if (is_graph(load->files[i], tam_span_of(names))) {
        return (int)i;
      }
    }
  }
  return -1;
}

static void find_graphs(tam_chat_load *load) {
  tam_chat_model *model = load->model;
  for (tam_session_role role = TAM_SESSION_ENCODER; role <= TAM_SESSION_DECODER;
       role++) {
    int file = find_graph(load, graph_names[role]);
    if (file >= 0) {
      load->graphs[model->session_count].file = (size_t)file;
      model->sessions[model->session_count++].role = role;
    }
  }
}

// ---------------------------------------------------------------------------
// One graph after the other

static tam_load_graph *present(tam_chat_op *op) {
  return &op->load->graphs[op->load->step];
}

static int open_graph(tam_chat_op *op) {
  tam_chat_load *load = op->load;
  if (load->step == load->model->session_count) {
    return TAM_CHAT_NEXT;
  }
  return tam_chat_load_open(op, load->files[present(op)->file]);
}

static int graphs_start(tam_chat_op *op) {
  tam_chat_load *load = op->load;
  load->step = 0;
  find_graphs(load);
  size_t count = load->model->session_count;
  if (count == 0 ||
      load->model->sessions[count - 1].role != TAM_SESSION_DECODER) {
    return tam_chat_op_fail(op, TAM_ERR_UNSUPPORTED_GRAPH,
                            "the repository has neither model.onnx nor "
                            "decoder_model_merged.onnx");
  }
  return open_graph(op);
}

static int bad_graph(tam_chat_op *op, int error) {
  if (!tam_error_is_fatal(error)) {
    tam_chat_op_fail(op, error, "");
    tam_buf_append(&op->why, op->load->files[present(op)->file]);
    tam_buf_append_text(&op->why, " cannot be read as an ONNX graph");
  }
  return error;
}

static int take_graph(tam_chat_op *op, const tam_runtime_report *report) {
  tam_chat_load *load = op->load;
  tam_load_graph *graph = present(op);
  tam_json_node *facts = NULL;
  const tam_mem *mem = op->chat->host.mem;
  int error = tam_json_tree_parse(&facts, report->data, mem);
  double size =
      tam_json_get_number(tam_json_get_member(facts, TAM_SPAN("bytes")));
  tam_json_tree_free(facts, mem);
  if (error == 0 && !(size >= 0 && size <= FILE_MAX)) {
    return bad_graph(op, TAM_ERR_UNEXPECTED_SHAPE);
  }
  graph->whole = report->request;
  uint8_t name[TAM_ONNX_LOCATION_MAX];
  tam_buf location;
  tam_buf_init_fixed(&location, name, sizeof(name));
  tam_chat_load_append_location(load, graph, &location);
  return error != 0 ? error
                    : tam_onnx_graph_new(&load->scan, (uint64_t)size,
                                         tam_buf_span(&location), mem);
}

// Notes the external file |name|, which is beside the graph.
static int note_external(tam_chat_op *op, tam_span name) {
  tam_chat_load *load = op->load;
  tam_load_graph *graph = present(op);
  tam_span path = load->files[graph->file];
  size_t folder = path.len - base_of(path).len;
  for (size_t i = 0; i < load->file_count; i++) {
    if (tam_span_eq(tam_span_from(load->files[i], folder), name) &&
        tam_span_starts_with(load->files[i], tam_span_head(path, folder))) {
      graph->external[graph->external_count++].file = i;
      return 0;
    }
  }
  tam_chat_op_fail(op, TAM_ERR_NOT_FOUND,
                   "the graph wants a file that the "
                   "repository does not have: ");
  tam_buf_append(&op->why, name);
  return TAM_ERR_NOT_FOUND;
}

static int order_splice(tam_chat_op *op) {
  const tam_chat_load *load = op->load;
  tam_buf pieces;
  tam_buf bytes;
  tam_buf_init(&pieces, op->chat->host.mem, PIECES_MAX);
  tam_buf_init(&bytes, op->chat->host.mem, PIECES_MAX);
  tam_onnx_graph_write(load->scan, &pieces, &bytes);
  tam_buf *order = tam_chat_op_order(op, "splice");
  tam_json_write_number_member(order, "file", present(op)->whole);
  tam_json_write_key(order, "pieces");
  tam_json_write_raw(order, tam_buf_span(&pieces));
  int error = pieces.error != 0 ? pieces.error : bytes.error;
  int result = error != 0 ? error : tam_chat_op_make(op, tam_buf_span(&bytes));
  tam_buf_free(&pieces);
  tam_buf_free(&bytes);
  return result;
}

// Opens the next file with weights, or makes the small graph, or goes on to the
// next graph.
static int open_external(tam_chat_op *op) {
  tam_chat_load *load = op->load;
  tam_load_graph *graph = present(op);
  for (size_t i = 0; i < graph->external_count; i++) {
    if (graph->external[i].open == 0) {
      return tam_chat_load_open(op, load->files[graph->external[i].file]);
    }
  }
  if (graph->small == 0) {
    return order_splice(op);
  }
  tam_onnx_graph_del(load->scan);
  load->scan = NULL;
  load->step++;
  return open_graph(op);
}

// The graph has been read: what has to be opened beside it?
static int scan_done(tam_chat_op *op) {
  const tam_onnx_graph *scan = op->load->scan;
  int error = 0;
  present(op)->is_scanned = 1;
  for (size_t i = 0; error == 0 && tam_onnx_graph_get_file(scan, i).len > 0;
       i++) {
    error = note_external(op, tam_onnx_graph_get_file(scan, i));
  }
  return error != 0 ? error : open_external(op);
}

// Orders what the scan wants next.
static int read_on(tam_chat_op *op) {
  uint64_t from;
  uint64_t to;
  int wants = tam_onnx_graph_wants(op->load->scan, &from, &to);
  if (wants <= 0) {
    return wants == 0 ? scan_done(op) : bad_graph(op, wants);
  }
  tam_buf *order = tam_chat_op_order(op, "read");
  tam_json_write_number_member(order, "file", present(op)->whole);
  tam_json_write_number_member(order, "from", (double)from);
  tam_json_write_number_member(order, "to", (double)to);
  return tam_chat_op_submit(op, TAM_SPAN_NONE);
}

// What was opened or made, in the order in which that happens.
static int take_made(tam_chat_op *op, const tam_runtime_report *report) {
  tam_load_graph *graph = present(op);
  for (size_t i = 0; i < graph->external_count; i++) {
    if (graph->external[i].open == 0) {
      graph->external[i].open = report->request;
      return open_external(op);
    }
  }
  graph->small = report->request;
  return open_external(op);
}

static int graphs_on_runtime(tam_chat_op *op,
                             const tam_runtime_report *report) {
  tam_chat_load *load = op->load;
  if (report->kind == TAM_RUNTIME_FAILED) {
    return tam_chat_op_runtime_failed(op, report);
  }
  if (report->kind == TAM_RUNTIME_DATA) {
    int error =
        load->scan == NULL ? 0 : tam_onnx_graph_feed(load->scan, report->data);
    return error != 0 ? bad_graph(op, error) : TAM_CHAT_WAIT;
  }
  if (load->scan == NULL) {
    int error = take_graph(op, report);
    return error != 0 ? error : read_on(op);
  }
  return present(op)->is_scanned ? take_made(op, report) : read_on(op);
}

const tam_chat_phase tam_chat_graphs_phase = {
    .stage = "graph",
    .start = graphs_start,
    .on_runtime = graphs_on_runtime,
};
