// SPDX-License-Identifier: Apache-2.0
#include "chat/run.h"

#include "chat/chat_op.h"
#include "core/json_write.h"

// The values of all feeds of a pass: a mask of the longest context, say.
#define FEEDS_MAX (UINT32_C(64) << 20)

// ---------------------------------------------------------------------------
// Feeds

static size_t element_size(tam_element element) {
  return element == TAM_ELEMENT_INT64   ? 8
         : element == TAM_ELEMENT_INT32 ? 4
                                        : 1;
}

// The value of |column| of |row|. Numbers are little endian everywhere, as in
// WebAssembly.
static int64_t value_of(const tam_run *run, tam_feed_meaning meaning,
                        size_t row, size_t column) {
  switch (meaning) {
  case TAM_FEED_IDS:
    return run->tokens[row * run->count + column];
  case TAM_FEED_POSITIONS:
    return (int64_t)(run->past + column);
  case TAM_FEED_CACHE_BRANCH:
    return run->past > 0;
  default: // a mask, or how many positions get logits
    return 1;
  }
}

// How many columns a row has; a single value has one.
static size_t columns_of(const tam_run *run, tam_feed_meaning meaning) {
  switch (meaning) {
  case TAM_FEED_IDS:
  case TAM_FEED_POSITIONS:
    return run->count;
  case TAM_FEED_MASK:
    return run->past + run->count;
  case TAM_FEED_ENCODER_MASK:
    return run->is_encoder ? run->count : run->source;
  default:
    return 1;
  }
}

static int is_single(const tam_session_feed *feed) {
  return feed->meaning == TAM_FEED_LOGITS_TO_KEEP ||
         feed->meaning == TAM_FEED_CACHE_BRANCH;
}

static void write_dims(const tam_run *run, const tam_session_feed *feed,
                       tam_buf *order) {
  tam_json_write_key(order, "dims");
  tam_json_write_array_begin(order);
  if (feed->planes > 0) {
    tam_json_write_number(order, feed->planes);
  }
  if (!is_single(feed)) {
    tam_json_write_number(order, (double)run->rows);
    tam_json_write_number(order, (double)columns_of(run, feed->meaning));
  } else if (feed->rank > 0) {
    tam_json_write_number(order, 1);
  }
  tam_json_write_array_end(order);
}

static void append_values(const tam_run *run, const tam_session_feed *feed,
                          tam_buf *bytes) {
  size_t size = element_size(feed->element);
  size_t columns = columns_of(run, feed->meaning);
  size_t rows = is_single(feed) ? 1 : run->rows;
  size_t planes = feed->planes > 0 ? feed->planes : 1;
  for (size_t i = 0; i < planes * rows; i++) {
    for (size_t column = 0; column < columns; column++) {
      int64_t value = value_of(run, feed->meaning, i % rows, column);
      tam_buf_append(bytes, (tam_span){(const uint8_t *)&value, size});
    }
  }
}

static void write_feed(const tam_run *run, const tam_session_feed *feed,
                       tam_buf *bytes, tam_buf *order) {
  size_t start = bytes->len;
  append_values(run, feed, bytes);
  tam_json_write_object_begin(order);
  tam_json_write_string_member(order, "name", feed->name);
  tam_json_write_name_member(order, "type", tam_element_name(feed->element));
  write_dims(run, feed, order);
  tam_json_write_number_member(order, "at", (double)start);
  tam_json_write_number_member(order, "bytes", (double)(bytes->len - start));
  tam_json_write_object_end(order);
}

// ---------------------------------------------------------------------------
// Passes

static const tam_chat_session *present(const tam_run *run) {
  return &run->model->sessions[run->place];
}

static int order_run(tam_chat_op *op) {
  const tam_run *run = &op->run;
  const tam_chat_session *session = present(run);
  const tam_session_facts *facts = tam_session_plan_get_facts(session->plan);
  tam_buf bytes;
  tam_buf_init(&bytes, op->chat->host.mem, FEEDS_MAX);
  tam_buf *order = tam_chat_op_order(op, "run");
  tam_json_write_number_member(order, "session", session->session);
  tam_json_write_number_member(order, "cache", run->cache);
  tam_json_write_key(order, "feeds");
  tam_json_write_array_begin(order);
  const tam_session_feed *feed;
  for (size_t i = 0;
       (feed = tam_session_plan_get_feed(session->plan, i)) != NULL; i++) {
    write_feed(run, feed, &bytes, order);
  }
  tam_json_write_array_end(order);
  tam_json_write_key(order, "keep");
  tam_session_plan_write_keep(session->plan, run->past == 0, order);
  if (session->role == TAM_SESSION_DECODER && run->takes_logits) {
    tam_json_write_string_member(order, "take", facts->output);
  }
  int result = bytes.error != 0 ? bytes.error
                                : tam_chat_op_submit(op, tam_buf_span(&bytes));
  tam_buf_free(&bytes);
  return result;
}

// Moves on to the next session that the pass goes through.
static int run_from(tam_chat_op *op, size_t place) {
  tam_run *run = &op->run;
  const tam_chat_model *model = run->model;
  while (place < model->session_count &&
         (model->sessions[place].role == TAM_SESSION_ENCODER) !=
             run->is_encoder) {
    place++;
  }
  run->place = place;
  return place == model->session_count ? TAM_CHAT_NEXT : order_run(op);
}

int tam_run_start(tam_chat_op *op, const tam_run *run) {
  op->run = *run;
  return run_from(op, 0);
}

int tam_run_next(tam_chat_op *op) {
  return run_from(op, op->run.place + 1);
}

// The number that the 16 bits |half| stand for (IEEE 754, binary16).
static float half_to_float(uint16_t half) {
  uint32_t sign = (uint32_t)(half & 0x8000U) << 16;
  uint32_t exponent = (half >> 10) & 31U;
  uint32_t fraction = half & 1023U;
  union {
    uint32_t bits;
    float number;
  } value;
  if (exponent == 0) { // subnormal: a multiple of 2^-24
    value.number = (float)fraction * 0x1p-24F;
    value.bits |= sign;
    return value.number;
  }
  exponent = exponent == 31 ? 255 : exponent + 112;
  value.bits = sign | exponent << 23 | fraction << 13;
  return value.number;
}

// Returns the halves in |data| as floats in the model's memory, or NULL.
static float *widen(tam_chat_model *model, tam_span data) {
  size_t count = data.len / sizeof(uint16_t);
  tam_buf_reset(&model->wide);
  float *wide =
      (float *)(void *)tam_buf_grow(&model->wide, count * sizeof(float));
  for (size_t i = 0; wide != NULL && i < count; i++) {
    wide[i] = half_to_float(
        (uint16_t)(data.ptr[2 * i] | (unsigned)data.ptr[2 * i + 1] << 8));
  }
  return wide;
}

int tam_run_logits(tam_chat_op *op, const tam_runtime_report *report,
                   float **plogits, size_t *pcount) {
  const tam_run *run = &op->run;
  if (!run->takes_logits || run->place == run->model->session_count) {
    return tam_chat_op_fail(op, TAM_ERR_UNEXPECTED_SHAPE,
                            "there are logits that nobody asked for");
  }
  const tam_session_facts *facts =
      tam_session_plan_get_facts(present(run)->plan);
  int is_half = facts->element == TAM_ELEMENT_FLOAT16;
  size_t size = is_half ? sizeof(uint16_t) : sizeof(float);
  tam_span data = report->data;
  if (data.len == 0 || data.len % size != 0 ||
      (facts->vocab != 0 && data.len / size != facts->vocab)) {
    return tam_chat_op_fail(op, TAM_ERR_UNEXPECTED_SHAPE,
                            "the logits are no row of numbers");
  }
  *pcount = data.len / size;
  *plogits = is_half ? widen(run->model, data) : (float *)(uintptr_t)data.ptr;
  return *plogits == NULL ? TAM_ERR_OUT_OF_MEMORY : 0;
}

// ---------------------------------------------------------------------------
// Caches

static const tam_session_plan *decoder_of(const tam_chat_model *model) {
  return model->sessions[model->session_count - 1].plan;
}

int tam_run_order_cache(tam_chat_op *op, const tam_chat_model *model) {
  tam_buf *order = tam_chat_op_order(op, "cache");
  tam_json_write_key(order, "tensors");
  tam_session_plan_write_cache(decoder_of(model), 1, order);
  return tam_chat_op_make(op, TAM_SPAN_NONE);
}

int tam_run_order_cut(tam_chat_op *op, const tam_chat_model *model,
                      uint32_t cache, size_t length) {
  tam_buf *order = tam_chat_op_order(op, "cut");
  tam_json_write_number_member(order, "cache", cache);
  tam_json_write_number_member(order, "to", (double)length);
  tam_json_write_key(order, "axes");
  tam_session_plan_write_cut_axes(decoder_of(model), order);
  return tam_chat_op_submit(op, TAM_SPAN_NONE);
}

int tam_run_order_gather(tam_chat_op *op, const tam_chat_model *model,
                         uint32_t cache, const uint32_t *rows, size_t count) {
  tam_buf *order = tam_chat_op_order(op, "gather");
  tam_json_write_number_member(order, "cache", cache);
  tam_json_write_key(order, "rows");
  tam_json_write_array_begin(order);
  for (size_t i = 0; i < count; i++) {
    tam_json_write_number(order, rows[i]);
  }
  tam_json_write_array_end(order);
  tam_json_write_key(order, "axes");
  tam_session_plan_write_gather_axes(decoder_of(model), order);
  return tam_chat_op_submit(op, TAM_SPAN_NONE);
}

static const tam_session_facts *facts_of(const tam_chat_model *model) {
  return tam_session_plan_get_facts(decoder_of(model));
}

int tam_run_can_cut(const tam_chat_model *model) {
  return facts_of(model)->can_cut;
}

int tam_run_can_gather(const tam_chat_model *model) {
  return facts_of(model)->can_gather && facts_of(model)->rows == 0;
}

int tam_run_is_single(const tam_chat_model *model) {
  return facts_of(model)->tokens == 1;
}
