// SPDX-License-Identifier: Apache-2.0
// Theory of operation
// -------------------
// A protobuf message is a list of fields: a tag (field number and wire type),
// then a number, or a length and as many bytes. The scanner takes the file byte
// by byte: |state| says what the byte belongs to. Fields that do not count are
// passed over by moving |position|, which may move beyond the bytes at hand;
// the next wanted range begins there.
//
//   TAG -> NUMBER -> TAG
//       -> LENGTH -> TAG (of the message within, or behind what is skipped)
//                 -> TEXT -> TAG
//
// Messages that count are kept as a stack of frames, down to initialisers:
//
//   MODEL > GRAPH > INITIALIZER > ENTRY
//           GRAPH > NODE > ATTRIBUTE > GRAPH > ...
//                          ATTRIBUTE > CONSTANT > ENTRY
//
// A length can be corrected only when its message has ended, but its edit comes
// before those within: it is reserved when the message begins, and given back
// when nothing was edited within.
//
// A tensor's new fields go to its end. Exporters write data_location = DEFAULT
// behind the data; the last value counts.
#include "chat/onnx_graph.h"

#include "core/json_write.h"
#include "core/mem.h"

#include <string.h>

// Numbers of fields, as onnx.proto has them.
#define MODEL_GRAPH          7U
#define GRAPH_NODE           1U
#define GRAPH_INITIALIZER    5U
#define NODE_ATTRIBUTE       5U
#define ATTRIBUTE_T          5U
#define ATTRIBUTE_G          6U
#define ATTRIBUTE_TENSORS    10U
#define ATTRIBUTE_GRAPHS     11U
#define TENSOR_RAW_DATA      9U
#define TENSOR_EXTERNAL_DATA 13U
#define TENSOR_DATA_LOCATION 14U
#define ENTRY_KEY            1U
#define ENTRY_VALUE          2U

// TensorProto.DataLocation.
#define LOCATION_EXTERNAL 1U

// Wire types.
#define WIRE_NUMBER 0U
#define WIRE_64     1U
#define WIRE_BYTES  2U
#define WIRE_32     5U

// The longest varint of a 64-bit number, in bytes.
#define VARINT_LEN_MAX 10U

// Longer than the one key that counts, "location".
#define KEY_LEN_MAX 15U

// The first range after a jump: enough for the head of the next tensor. Ranges
// that follow one another double.
#define WINDOW_MIN 4096U

// The first allocation of edits.
#define EDITS_MIN 64U

enum { STATE_TAG = 0, STATE_NUMBER, STATE_LENGTH, STATE_TEXT };

typedef enum frame_kind {
  FRAME_NONE = 0,
  FRAME_MODEL,
  FRAME_GRAPH,
  FRAME_NODE,
  FRAME_ATTRIBUTE,
  FRAME_INITIALIZER,
  FRAME_CONSTANT,
  FRAME_ENTRY
} frame_kind;

// A message that the scan is in.
typedef struct frame {
  frame_kind kind;
  uint32_t edit;  // of its length
  uint64_t start; // of its fields
  uint64_t end;
  int64_t growth; // by what was edited within; negative: it shrinks
} frame;

// |removed| bytes at |offset| go. In their place comes nothing, or the number
// |value| when it is not 0, or, when |length| is not 0, a reference to so many
// bytes at |value|.
typedef struct edit {
  uint64_t offset;
  uint64_t removed;
  uint64_t value;
  uint64_t length;
} edit;

// What the tensor in work has said.
typedef struct tensor_facts {
  uint64_t field; // where the field with raw data begins
  uint64_t raw;   // where the data begins
  uint64_t length;
  int has_raw;
  int has_entries;
  uint64_t data_location;
} tensor_facts;

// Text of a protobuf field, or the first bytes of it.
typedef struct text_field {
  size_t len; // of the whole
  uint8_t bytes[TAM_ONNX_LOCATION_MAX];
} text_field;

struct tam_onnx_graph {
  const tam_mem *mem;
  uint64_t size;
  uint64_t position;
  uint32_t window;
  int error; // sticky
  int state;
  int has_graph;
  uint64_t field;  // where it begins
  uint64_t mark;   // where the varint in work begins
  uint64_t varint; // so far
  uint32_t number; // of the field
  uint64_t text_end;
  uint32_t depth; // frames in use; 0: done
  frame frames[TAM_ONNX_DEPTH_MAX];
  tensor_facts tensor;
  text_field key;
  text_field value;
  text_field file; // the value of the key "location"
  edit *edits;
  uint32_t edits_len;
  uint32_t edits_capacity;
  tam_buf files; // of the graph, each with a NUL behind
  uint32_t files_len;
  uint32_t location_len;
  uint8_t location[TAM_ONNX_LOCATION_MAX];
};

// ---------------------------------------------------------------------------
// Names of files

// Returns |location| without "./" before it.
static tam_span location_strip(tam_span location) {
  return tam_span_starts_with(location, TAM_SPAN("./"))
             ? tam_span_from(location, 2)
             : location;
}

// A colon makes a drive or a scheme, a star is in the name by which ONNX
// Runtime knows an address of memory.
static int is_location_byte(uint8_t byte) {
  tam_span refused = TAM_SPAN("\\:*?\"<>|\x7f");
  return byte >= 0x20 && tam_span_find_byte(refused, byte) == refused.len;
}

int tam_onnx_location_check(tam_span location) {
  if (location.len > TAM_ONNX_LOCATION_MAX) {
    return TAM_ERR_INVALID_ARGUMENT;
  }
  for (size_t i = 0; i < location.len; i++) {
    if (!is_location_byte(location.ptr[i])) {
      return TAM_ERR_INVALID_ARGUMENT;
    }
  }
  size_t slash;
  do {
    slash = tam_span_find_byte(location, '/');
    tam_span step = tam_span_head(location, slash);
    if (step.len == 0 || tam_span_is(step, ".") || tam_span_is(step, "..")) {
      return TAM_ERR_INVALID_ARGUMENT;
    }
    int is_last = slash == location.len;
    location = tam_span_from(location, slash + 1);
    if (is_last) {
      return 0;
    }
  } while (1);
}

// Returns the file after the one at |offset| of the list.
static size_t file_next(const tam_onnx_graph *self, size_t offset) {
  tam_span rest = tam_span_from(tam_buf_span(&self->files), offset);
  return offset + tam_span_find_byte(rest, 0) + 1;
}

tam_span tam_onnx_graph_get_file(const tam_onnx_graph *self, size_t place) {
  size_t offset = 0;
  if (place >= self->files_len) {
    return TAM_SPAN_NONE;
  }
  while (place-- > 0) {
    offset = file_next(self, offset);
  }
  tam_span rest = tam_span_from(tam_buf_span(&self->files), offset);
  return tam_span_head(rest, tam_span_find_byte(rest, 0));
}

// Adds the file that the tensor in work names to the list.
static int file_add(tam_onnx_graph *self) {
  tam_span name = {self->file.bytes, self->file.len};
  name = location_strip(name);
  if (self->file.len > TAM_ONNX_LOCATION_MAX ||
      tam_onnx_location_check(name) != 0) {
    return TAM_ERR_MALFORMED_GRAPH;
  }
  for (size_t i = 0; i < self->files_len; i++) {
    if (tam_span_eq(tam_onnx_graph_get_file(self, i), name)) {
      return 0;
    }
  }
  if (self->files_len == TAM_ONNX_FILES_MAX) {
    return TAM_ERR_GRAPH_TOO_LARGE;
  }
  self->files_len++;
  tam_buf_append(&self->files, name);
  tam_buf_append_byte(&self->files, 0);
  return self->files.error;
}

// ---------------------------------------------------------------------------
// Edits

static uint32_t varint_size(uint64_t value) {
  uint32_t size = 1;
  for (; value > 0x7f; value >>= 7) {
    size++;
  }
  return size;
}

static void append_varint(tam_buf *bytes, uint64_t value) {
  for (; value > 0x7f; value >>= 7) {
    tam_buf_append_byte(bytes, (uint8_t)(value | 0x80));
  }
  tam_buf_append_byte(bytes, (uint8_t)value);
}

// Appends the field |number| of bytes up to the bytes themselves.
static void append_field(tam_buf *bytes, uint32_t number, uint64_t len) {
  append_varint(bytes, number << 3 | WIRE_BYTES);
  append_varint(bytes, len);
}

// Appends an entry of external_data. All lengths are below 2^14.
static void append_entry(tam_buf *bytes, const char *key, tam_span value) {
  tam_span name = tam_span_of(key);
  append_field(bytes, TENSOR_EXTERNAL_DATA,
               2 + name.len + 1 + varint_size(value.len) + value.len);
  append_field(bytes, ENTRY_KEY, name.len);
  tam_buf_append(bytes, name);
  append_field(bytes, ENTRY_VALUE, value.len);
  tam_buf_append(bytes, value);
}

static void append_number_entry(tam_buf *bytes, const char *key,
                                uint64_t value) {
  uint8_t digits[24];
  tam_buf text;
  tam_buf_init_fixed(&text, digits, sizeof(digits));
  tam_text_append_number(&text, (double)value);
  append_entry(bytes, key, tam_buf_span(&text));
}

// Appends what |change| inserts.
static void append_edit(const tam_onnx_graph *self, const edit *change,
                        tam_buf *bytes) {
  if (change->length > 0) {
    tam_span location = {self->location, self->location_len};
    append_entry(bytes, "location", location);
    append_number_entry(bytes, "offset", change->value);
    append_number_entry(bytes, "length", change->length);
    append_varint(bytes, TENSOR_DATA_LOCATION << 3 | WIRE_NUMBER);
    append_varint(bytes, LOCATION_EXTERNAL);
  } else if (change->value > 0) {
    append_varint(bytes, change->value);
  }
}

// Returns how many bytes |change| inserts.
static uint64_t edit_size(const tam_onnx_graph *self, const edit *change) {
  uint8_t bytes[TAM_ONNX_LOCATION_MAX + 128];
  tam_buf inserted;
  tam_buf_init_fixed(&inserted, bytes, sizeof(bytes));
  append_edit(self, change, &inserted);
  return inserted.len;
}

// Adds |change| behind the others.
static int edit_push(tam_onnx_graph *self, edit change) {
  if (self->edits_len == self->edits_capacity) {
    uint32_t capacity =
        self->edits_capacity == 0 ? EDITS_MIN : self->edits_capacity * 2;
    if (capacity > TAM_ONNX_EDITS_MAX) {
      return TAM_ERR_GRAPH_TOO_LARGE;
    }
    edit *edits =
        tam_mem_realloc(self->mem, self->edits, capacity, sizeof(*edits));
    if (edits == NULL) {
      return TAM_ERR_OUT_OF_MEMORY;
    }
    self->edits = edits;
    self->edits_capacity = capacity;
  }
  self->edits[self->edits_len++] = change;
  return 0;
}

void tam_onnx_graph_write(const tam_onnx_graph *self, tam_buf *pieces,
                          tam_buf *bytes) {
  uint64_t from = 0;
  tam_json_write_array_begin(pieces);
  for (uint32_t i = 0; i < self->edits_len; i++) {
    const edit *change = &self->edits[i];
    size_t before = bytes->len;
    append_edit(self, change, bytes);
    tam_json_write_number(pieces, (double)from);
    tam_json_write_number(pieces, (double)change->offset);
    tam_json_write_number(pieces, (double)(bytes->len - before));
    from = change->offset + change->removed;
  }
  tam_json_write_number(pieces, (double)from);
  tam_json_write_number(pieces, (double)self->size);
  tam_json_write_number(pieces, 0);
  tam_json_write_array_end(pieces);
}

// ---------------------------------------------------------------------------
// Frames

static frame *frame_top(tam_onnx_graph *self) {
  return &self->frames[self->depth - 1];
}

// Returns the message that the field |number| of |kind| is, or FRAME_NONE.
static frame_kind frame_within(frame_kind kind, uint32_t number) {
  switch (kind) {
  case FRAME_MODEL:
    return number == MODEL_GRAPH ? FRAME_GRAPH : FRAME_NONE;
  case FRAME_GRAPH:
    return number == GRAPH_NODE          ? FRAME_NODE
           : number == GRAPH_INITIALIZER ? FRAME_INITIALIZER
                                         : FRAME_NONE;
  case FRAME_NODE:
    return number == NODE_ATTRIBUTE ? FRAME_ATTRIBUTE : FRAME_NONE;
  case FRAME_ATTRIBUTE:
    return number == ATTRIBUTE_G || number == ATTRIBUTE_GRAPHS ? FRAME_GRAPH
           : number == ATTRIBUTE_T || number == ATTRIBUTE_TENSORS
               ? FRAME_CONSTANT
               : FRAME_NONE;
  case FRAME_INITIALIZER:
  case FRAME_CONSTANT:
    return number == TENSOR_EXTERNAL_DATA ? FRAME_ENTRY : FRAME_NONE;
  default:
    return FRAME_NONE;
  }
}

// Enters the message of |length| bytes at |position|.
static int frame_begin(tam_onnx_graph *self, frame_kind kind, uint64_t length) {
  if (self->depth == TAM_ONNX_DEPTH_MAX) {
    return TAM_ERR_GRAPH_TOO_LARGE;
  }
  edit change = {self->mark, self->position - self->mark, 0, 0};
  frame begun = {kind, self->edits_len, self->position, self->position + length,
                 0};
  self->frames[self->depth++] = begun;
  if (kind == FRAME_GRAPH) {
    self->has_graph = 1;
  } else if (kind == FRAME_INITIALIZER || kind == FRAME_CONSTANT) {
    memset(&self->tensor, 0, sizeof(self->tensor));
    self->file.len = 0;
  } else if (kind == FRAME_ENTRY) {
    self->tensor.has_entries = 1;
    self->key.len = 0;
    self->value.len = 0;
  }
  return edit_push(self, change);
}

static void entry_end(tam_onnx_graph *self) {
  tam_span key = {self->key.bytes, self->key.len};
  if (key.len <= KEY_LEN_MAX && tam_span_is(key, "location")) {
    self->file = self->value;
  }
}

// Decides what becomes of the tensor that |top| is.
static int tensor_end(tam_onnx_graph *self, frame *top) {
  const tensor_facts *tensor = &self->tensor;
  if (tensor->data_location == LOCATION_EXTERNAL) {
    return file_add(self);
  }
  if (top->kind != FRAME_INITIALIZER || !tensor->has_raw ||
      tensor->has_entries || tensor->length < TAM_ONNX_RAW_MIN) {
    return 0;
  }
  uint64_t end = tensor->raw + tensor->length;
  edit raw = {tensor->field, end - tensor->field, 0, 0};
  edit external = {top->end, 0, tensor->raw, tensor->length};
  top->growth = (int64_t)edit_size(self, &external) - (int64_t)raw.removed;
  if (end == top->end) {
    external.offset = raw.offset;
    external.removed = raw.removed;
    return edit_push(self, external);
  }
  int error = edit_push(self, raw);
  return error != 0 ? error : edit_push(self, external);
}

// Corrects the length of |ended|, which lies in |outer|, or takes the edit
// back.
static void frame_close(tam_onnx_graph *self, const frame *ended,
                        frame *outer) {
  if (self->edits_len == ended->edit + 1) {
    self->edits_len--;
    return;
  }
  edit *length = &self->edits[ended->edit];
  length->value =
      (uint64_t)((int64_t)(ended->end - ended->start) + ended->growth);
  outer->growth += ended->growth + (int64_t)varint_size(length->value) -
                   (int64_t)length->removed;
}

static int model_end(tam_onnx_graph *self, const frame *model) {
  uint64_t small = (uint64_t)((int64_t)self->size + model->growth);
  if (!self->has_graph) {
    return TAM_ERR_MALFORMED_GRAPH;
  }
  return small > TAM_ONNX_SIZE_MAX ? TAM_ERR_GRAPH_TOO_LARGE : 0;
}

// Leaves all messages that end here.
static int frames_end(tam_onnx_graph *self) {
  int error = 0;
  while (error == 0 && self->depth > 0 &&
         self->position == frame_top(self)->end) {
    frame *top = frame_top(self);
    self->depth--;
    if (top->kind == FRAME_MODEL) {
      return model_end(self, top);
    }
    if (top->kind == FRAME_ENTRY) {
      entry_end(self);
    } else if (top->kind == FRAME_INITIALIZER || top->kind == FRAME_CONSTANT) {
      error = tensor_end(self, top);
    }
    if (error == 0) {
      frame_close(self, top, frame_top(self));
    }
  }
  return error;
}

// ---------------------------------------------------------------------------
// Fields

// Goes on to the next field, |count| bytes from here.
static int field_skip(tam_onnx_graph *self, uint64_t count) {
  if (count > frame_top(self)->end - self->position) {
    return TAM_ERR_MALFORMED_GRAPH;
  }
  self->position += count;
  self->mark = self->position;
  self->state = STATE_TAG;
  return frames_end(self);
}

static void varint_begin(tam_onnx_graph *self, int state) {
  self->state = state;
  self->mark = self->position;
}

static int on_tag(tam_onnx_graph *self, uint64_t tag) {
  self->field = self->mark;
  self->number = (uint32_t)(tag >> 3);
  if (tag > UINT32_MAX || self->number == 0) {
    return TAM_ERR_MALFORMED_GRAPH;
  }
  switch (tag & 7) {
  case WIRE_NUMBER:
    varint_begin(self, STATE_NUMBER);
    return 0;
  case WIRE_64:
    return field_skip(self, 8);
  case WIRE_BYTES:
    varint_begin(self, STATE_LENGTH);
    return 0;
  case WIRE_32:
    return field_skip(self, 4);
  default:
    return TAM_ERR_MALFORMED_GRAPH;
  }
}

static int is_tensor(const frame *top) {
  return top->kind == FRAME_INITIALIZER || top->kind == FRAME_CONSTANT;
}

static int on_number(tam_onnx_graph *self, uint64_t value) {
  if (is_tensor(frame_top(self)) && self->number == TENSOR_DATA_LOCATION) {
    self->tensor.data_location = value;
  }
  return field_skip(self, 0);
}

static int on_raw_data(tam_onnx_graph *self, uint64_t length) {
  tensor_facts *tensor = &self->tensor;
  // Of two, the first would have to go altogether; nobody writes that.
  if (tensor->has_raw) {
    return TAM_ERR_MALFORMED_GRAPH;
  }
  tensor->has_raw = 1;
  tensor->field = self->field;
  tensor->raw = self->position;
  tensor->length = length;
  return field_skip(self, length);
}

// Returns where the text of the field |number| of an entry goes, or NULL.
static text_field *entry_text(tam_onnx_graph *self) {
  return self->number == ENTRY_KEY     ? &self->key
         : self->number == ENTRY_VALUE ? &self->value
                                       : NULL;
}

static int on_length(tam_onnx_graph *self, uint64_t length) {
  const frame *top = frame_top(self);
  if (length > top->end - self->position) {
    return TAM_ERR_MALFORMED_GRAPH;
  }
  if (is_tensor(top) && self->number == TENSOR_RAW_DATA) {
    return on_raw_data(self, length);
  }
  text_field *text = top->kind == FRAME_ENTRY ? entry_text(self) : NULL;
  if (text != NULL) {
    text->len = length > TAM_ONNX_LOCATION_MAX ? TAM_ONNX_LOCATION_MAX + 1 : 0;
    if (length == 0 || text->len > 0) {
      return field_skip(self, length);
    }
    self->text_end = self->position + length;
    self->state = STATE_TEXT;
    return 0;
  }
  frame_kind within = frame_within(top->kind, self->number);
  if (within == FRAME_NONE) {
    return field_skip(self, length);
  }
  int error = frame_begin(self, within, length);
  return error != 0 ? error : field_skip(self, 0);
}

static int take_text(tam_onnx_graph *self, uint8_t byte) {
  text_field *text = entry_text(self);
  text->bytes[text->len++] = byte;
  return self->position == self->text_end ? field_skip(self, 0) : 0;
}

// Takes a byte of a varint, which begins at |mark|.
static int take_varint(tam_onnx_graph *self, uint8_t byte) {
  uint64_t len = self->position - self->mark;
  if (len == 1) {
    self->varint = 0;
  }
  self->varint |= (uint64_t)(byte & 0x7f) << (7 * (len - 1));
  if (byte > 0x7f) {
    return len == VARINT_LEN_MAX ? TAM_ERR_MALFORMED_GRAPH : 0;
  }
  switch (self->state) {
  case STATE_TAG:
    return on_tag(self, self->varint);
  case STATE_NUMBER:
    return on_number(self, self->varint);
  default:
    return on_length(self, self->varint);
  }
}

static int take_byte(tam_onnx_graph *self, uint8_t byte) {
  if (self->position == frame_top(self)->end) {
    return TAM_ERR_MALFORMED_GRAPH;
  }
  self->position++;
  return self->state == STATE_TEXT ? take_text(self, byte)
                                   : take_varint(self, byte);
}

// ---------------------------------------------------------------------------
// Interface

int tam_onnx_graph_new(tam_onnx_graph **pself, uint64_t size, tam_span location,
                       const tam_mem *mem) {
  if (tam_onnx_location_check(location) != 0) {
    return TAM_ERR_INVALID_ARGUMENT;
  }
  tam_onnx_graph *self = tam_mem_calloc(mem, 1, sizeof(*self));
  if (self == NULL) {
    return TAM_ERR_OUT_OF_MEMORY;
  }
  self->mem = mem;
  self->size = size;
  self->window = WINDOW_MIN;
  self->frames[0].kind = FRAME_MODEL;
  self->frames[0].end = size;
  self->depth = 1;
  self->location_len = (uint32_t)location.len;
  memcpy(self->location, location.ptr, location.len);
  tam_buf_init(&self->files, mem,
               TAM_ONNX_FILES_MAX * (TAM_ONNX_LOCATION_MAX + 1));
  self->error = frames_end(self);
  *pself = self;
  return 0;
}

void tam_onnx_graph_del(tam_onnx_graph *self) {
  if (self != NULL) {
    tam_buf_free(&self->files);
    tam_mem_free(self->mem, self->edits);
    tam_mem_free(self->mem, self);
  }
}

int tam_onnx_graph_wants(const tam_onnx_graph *self, uint64_t *pfrom,
                         uint64_t *pto) {
  if (self->error != 0 || self->depth == 0) {
    return self->error;
  }
  uint64_t left = self->size - self->position;
  *pfrom = self->position;
  *pto = self->position + (left < self->window ? left : self->window);
  return 1;
}

int tam_onnx_graph_feed(tam_onnx_graph *self, tam_span data) {
  uint64_t from = 0;
  uint64_t to = 0;
  int result = tam_onnx_graph_wants(self, &from, &to);
  if (result < 0) {
    return result;
  }
  if (data.len > to - from) {
    return TAM_ERR_INVALID_ARGUMENT;
  }
  to = from + data.len;
  while (self->error == 0 && self->depth > 0 && self->position < to) {
    self->error = take_byte(self, data.ptr[self->position - from]);
  }
  // The file ends, and a field does not.
  if (self->error == 0 && self->depth > 0 && self->position == self->size) {
    self->error = TAM_ERR_MALFORMED_GRAPH;
  }
  if (self->position > to + WINDOW_MIN) {
    self->window = WINDOW_MIN;
  } else if (self->window < TAM_ONNX_WINDOW_MAX) {
    self->window *= 2;
  }
  return self->error;
}
