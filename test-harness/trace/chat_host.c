// SPDX-License-Identifier: Apache-2.0
#include "chat_host_parts.h"

// More steps than any test needs: an operation that is still at work then will
// not come to an end.
#define STEPS_MAX 100000

#define TEXT_MAX (UINT32_C(32) << 20)

static void *grow(void *list, size_t count, size_t size) {
  list = realloc(list, (count + 1) * size);
  if (list == NULL) {
    fake_host_broken("the tests have memory");
  }
  return list;
}

static char *copy_text(tam_span text) {
  char *copy = malloc(text.len + 1);
  tam_text_copy((uint8_t *)copy, text);
  copy[text.len] = '\0';
  return copy;
}

void chat_host_require(const chat_host *host, int kept, const char *promise) {
  if (!kept && !host->is_hostile) {
    if (host->present != NULL) {
      fprintf(stderr, "%.2000s\n", host->present->text);
    }
    fake_host_broken(promise);
  }
}

double chat_number(const tam_json_node *node, const char *name) {
  return tam_json_get_number(tam_json_get_member(node, tam_span_of(name)));
}

const char *chat_text(const tam_json_node *node, const char *name) {
  return tam_json_get_text(tam_json_get_member(node, tam_span_of(name)));
}

// ---------------------------------------------------------------------------
// Things

chat_thing *chat_host_thing(chat_host *host, double request, fake_made kind) {
  for (size_t i = 0; i < host->thing_count; i++) {
    if ((double)host->things[i].request == request &&
        host->things[i].kind == kind) {
      return &host->things[i];
    }
  }
  chat_host_require(host, 0, "an order names what is there");
  return NULL;
}

chat_thing *chat_host_make(chat_host *host, const chat_order *order,
                           fake_made kind) {
  host->things = grow(host->things, host->thing_count, sizeof(*host->things));
  chat_thing *thing = &host->things[host->thing_count++];
  memset(thing, 0, sizeof(*thing));
  thing->request = order->request;
  thing->kind = kind;
  return thing;
}

void chat_host_release(chat_thing *thing) {
  if (thing->is_owned) {
    free(thing->file.bytes);
  }
  free(thing->tokens);
  free(thing->source);
  free(thing->vectors);
}

static void free_order(chat_order *order) {
  free(order->text);
  free(order->bytes);
}

static chat_order remove_order(chat_host *host, size_t at) {
  chat_order order = host->orders[at];
  host->order_count--;
  memmove(&host->orders[at], &host->orders[at + 1],
          (host->order_count - at) * sizeof(order));
  return order;
}

// ---------------------------------------------------------------------------
// Actions

static void take_order(chat_host *host, const tam_action *action) {
  chat_order order = {
      .request = action->request,
      .op = action->op,
      .text = copy_text(action->first),
      .text_len = action->first.len,
      .bytes = (uint8_t *)copy_text(action->second),
      .bytes_len = action->second.len,
  };
  host->orders = grow(host->orders, host->order_count, sizeof(*host->orders));
  host->orders[host->order_count++] = order;
}

static void take_abort(chat_host *host, uint32_t request) {
  for (size_t i = 0; i < host->order_count; i++) {
    if (host->orders[i].request == request) {
      chat_order order = remove_order(host, i);
      free_order(&order);
      break;
    }
  }
  for (size_t i = 0; i < host->thing_count; i++) {
    if (host->things[i].request == request) {
      chat_host_release(&host->things[i]);
      host->things[i] = host->things[--host->thing_count];
      break;
    }
  }
}

// What is said of a load never goes back; parts of an answer are put together.
static void take_progress(chat_host *host, uint32_t op, tam_span text) {
  tam_mem mem = tam_mem_default();
  tam_json_node *message = NULL;
  host->progress_count++;
  free(host->progress);
  host->progress = copy_text(text);
  if (tam_json_tree_parse(&message, text, &mem) != 0) {
    return; // it is long
  }
  const tam_json_node *percent =
      tam_json_get_member(message, TAM_SPAN("progress"));
  const char *kind = chat_text(message, "kind");
  if (percent != NULL) {
    double value = tam_json_get_number(percent);
    if (host->percent_of != op) {
      host->percent_of = op;
      host->percent = 0;
    }
    chat_host_require(host,
                      tam_json_get_kind(percent) == TAM_JSON_KIND_NUMBER &&
                          value >= host->percent && value <= 100,
                      "progress goes from 0 to 100 and never back");
    host->percent = value;
  } else {
    tam_buf_append_text(strcmp(kind, "content") == 0 ? &host->content
                                                     : &host->reasoning,
                        chat_text(message, "text"));
  }
  tam_json_tree_free(message, &mem);
}

static void take_end(chat_host *host, const tam_action *action) {
  free(host->last);
  host->last = copy_text(action->first);
  host->ends = grow(host->ends, host->end_count, sizeof(*host->ends));
  host->ends[host->end_count++] =
      (chat_end){action->op, copy_text(action->first)};
}

static void on_action(void *user_data, const tam_action *action) {
  chat_host *host = user_data;
  switch (action->kind) {
  case TAM_ACTION_RUNTIME:
    take_order(host, action);
    break;
  case TAM_ACTION_ABORT:
    take_abort(host, action->request);
    break;
  case TAM_ACTION_MESSAGE:
    if (action->op == 0) {
      tam_buf_append(&host->said, action->first);
      tam_buf_append_byte(&host->said, '\n');
    } else if ((action->flags & TAM_MESSAGE_FLAG_TERMINAL) != 0) {
      take_end(host, action);
    } else {
      take_progress(host, action->op, action->first);
    }
    break;
  default:
    break;
  }
}

// ---------------------------------------------------------------------------
// Events

static int is_live(const chat_host *host, const chat_order *order) {
  return !host->is_gone &&
         (host->is_late || fake_host_order(&host->host, order->request));
}

static void feed(chat_host *host, const chat_order *order, tam_event_kind kind,
                 uint32_t status, tam_span payload) {
  host->events++;
  if (host->events == host->strike_at) {
    host->strike(host);
  }
  if (!is_live(host, order)) {
    return;
  }
  // Memory of its own size, which may be written to.
  uint8_t *copy = malloc(payload.len > 0 ? payload.len : 1);
  tam_text_copy(copy, payload);
  tam_event event = {.kind = kind,
                     .request = order->request,
                     .status = status,
                     .payload = {copy, payload.len}};
  int error = fake_host_feed(&host->host, &event);
  free(copy);
  chat_host_require(host, error == 0 || error == TAM_ERR_OUT_OF_MEMORY,
                    "what the host reports is legal");
}

static chat_lie lie_of(const chat_host *host) {
  return host->done == host->lie_order ? host->lie : CHAT_LIE_NONE;
}

static void feed_pieces(chat_host *host, const chat_order *order, uint32_t row,
                        tam_span bytes, int is_whole) {
  size_t piece = is_whole || host->piece == 0 ? bytes.len : host->piece;
  do {
    feed(host, order, TAM_EVENT_RUNTIME_DATA, row, tam_span_head(bytes, piece));
    bytes = tam_span_from(bytes, piece < bytes.len ? piece : bytes.len);
  } while (bytes.len > 0);
}

static void spoil(chat_lie lie, uint8_t *bytes, size_t len, int is_logits) {
  float value = lie == CHAT_LIE_FLAT ? 1 : (float)strtod("nan", NULL);
  if (lie == CHAT_LIE_NOISE) {
    memset(bytes, 0xfe, len);
  } else if (is_logits && (lie == CHAT_LIE_NAN || lie == CHAT_LIE_FLAT)) {
    for (size_t i = 0; i + sizeof(value) <= len; i += sizeof(value)) {
      memcpy(bytes + i, &value, sizeof(value));
    }
  }
}

void chat_host_data(chat_host *host, const chat_order *order, uint32_t row,
                    tam_span bytes, chat_data kind) {
  chat_lie lie = lie_of(host);
  int is_logits = kind == CHAT_DATA_LOGITS;
  int is_whole = kind != CHAT_DATA_BYTES;
  uint8_t *copy = malloc(bytes.len + 7);
  memset(copy, 'x', bytes.len + 7);
  tam_text_copy(copy, bytes);
  if (kind != CHAT_DATA_TEXT) {
    spoil(lie, copy, bytes.len, is_logits);
  } else if (lie == CHAT_LIE_NOISE) {
    memset(copy, '\n', bytes.len);
  }
  tam_span data = {copy, bytes.len};
  if (lie == CHAT_LIE_SHORT_DATA) {
    data.len = kind == CHAT_DATA_TEXT ? 0 : data.len - (data.len > 0);
  } else if (lie == CHAT_LIE_LONG_DATA) {
    data.len += is_logits ? 4 : 7;
  }
  if (lie != CHAT_LIE_NO_DATA) {
    feed_pieces(host, order, lie == CHAT_LIE_ROW ? 99 : row, data, is_whole);
  }
  if (lie == CHAT_LIE_DATA_TWICE) {
    feed_pieces(host, order, row, data, is_whole);
  }
  free(copy);
}

void chat_host_progress(chat_host *host, const chat_order *order,
                        const char *json) {
  feed(host, order, TAM_EVENT_RUNTIME_PROGRESS, 0, tam_span_of(json));
}

// The END instead of the right one.
static const char *lie_at_end(chat_lie lie, const char *json) {
  switch (lie) {
  case CHAT_LIE_NOT_JSON:
    return "{\"a\":";
  case CHAT_LIE_EMPTY:
    return "";
  case CHAT_LIE_ARRAY:
    return "[1,\"x\",null]";
  case CHAT_LIE_WRONG_TYPES:
    return "{\"commit\":7,\"dtype\":[],\"files\":{\"a\":1},\"bytes\":\"x\","
           "\"webgpu\":\"yes\",\"inputs\":7,\"outputs\":{\"a\":{}},"
           "\"templates\":\"x\",\"eosId\":\"x\",\"maxLength\":{}}";
  case CHAT_LIE_NEGATIVE:
    return "{\"commit\":\"\",\"dtype\":\"\",\"files\":[\"\",\"\"],"
           "\"bytes\":-5,\"webgpu\":-1,\"inputs\":[],\"outputs\":[],"
           "\"templates\":[],\"eosId\":-7,\"maxLength\":-1}";
  case CHAT_LIE_HUGE:
    return "{\"commit\":\"x\",\"dtype\":\"x\",\"files\":[1e999],"
           "\"bytes\":1e300,\"webgpu\":1e300,\"inputs\":[{\"name\":\"x\","
           "\"type\":\"float32\",\"shape\":[1e300,-1,5,5,5,5,5,5]}],"
           "\"outputs\":[1e300],\"templates\":[1e300],\"eosId\":1e300,"
           "\"bosId\":4294967296,\"maxLength\":1e300}";
  default:
    return json;
  }
}

void chat_host_end(chat_host *host, const chat_order *order, const char *json) {
  chat_lie lie = lie_of(host);
  if (lie == CHAT_LIE_PROGRESS) {
    chat_host_progress(host, order, "{\"loaded\":5,\"total\":1}");
  }
  if (lie == CHAT_LIE_STRAY_DATA) {
    feed(host, order, TAM_EVENT_RUNTIME_DATA, 0, TAM_SPAN("0123"));
  }
  feed(host, order, TAM_EVENT_RUNTIME_END, 0,
       tam_span_of(lie_at_end(lie, json)));
}

void chat_host_fail(chat_host *host, const chat_order *order,
                    const char *words) {
  feed(host, order, TAM_EVENT_RUNTIME_FAIL, 0, tam_span_of(words));
}

int chat_host_step(chat_host *host) {
  if (host->order_count == 0 || host->is_gone) {
    return 0;
  }
  chat_order order = remove_order(host, 0);
  host->done++;
  host->host.now_ms += host->latency_ms;
  if ((host->fail_order != 0 &&
       (host->done == host->fail_order ||
        (host->fail_all && host->done > host->fail_order))) ||
      (host->fail_text != NULL && strstr(order.text, host->fail_text) != 0)) {
    host->is_forgiven |= strstr(order.text, "tabagent:devices") != NULL ||
                         strstr(order.text, "noteLoad") != NULL;
    chat_host_fail(host, &order, host->fail_words);
  } else {
    host->present = &order;
    chat_host_answer(host, &order);
    host->present = NULL;
  }
  free_order(&order);
  return 1;
}

void chat_host_run(chat_host *host) {
  for (size_t i = 0; chat_host_step(host); i++) {
    if (i == STEPS_MAX) {
      fprintf(stderr, "%.2000s\n", host->orders[0].text);
      fake_host_broken("an operation comes to its end");
    }
  }
}

// ---------------------------------------------------------------------------
// Operations

int chat_host_command(chat_host *host, const char *message, uint32_t flags) {
  tam_event event = {.kind = TAM_EVENT_COMMAND,
                     .op = ++host->last_op,
                     .flags = flags,
                     .payload = tam_span_of(message)};
  tam_buf_reset(&host->content);
  tam_buf_reset(&host->reasoning);
  return fake_host_feed(&host->host, &event);
}

int chat_host_text(chat_host *host, uint32_t op, const char *bytes,
                   size_t len) {
  tam_event event = {.kind = bytes == NULL ? TAM_EVENT_LISTING_END
                                           : TAM_EVENT_LISTING_DATA,
                     .op = op,
                     .payload = {(const uint8_t *)bytes, len}};
  return fake_host_feed(&host->host, &event);
}

uint32_t chat_host_start(chat_host *host, const char *message,
                         const char *chat) {
  int error = chat_host_command(host, message,
                                chat == NULL ? 0 : TAM_COMMAND_FLAG_LISTING);
  uint32_t op = host->last_op;
  if (error != 0) {
    free(host->last);
    host->last = copy_text(TAM_SPAN_NONE);
    return op;
  }
  size_t len = chat == NULL ? 0 : strlen(chat);
  for (size_t at = 0; at < len && chat_host_end_of(host, op) == NULL;
       at += TAM_EVENT_PAYLOAD_MAX) {
    size_t rest = len - at;
    (void)chat_host_text(host, op, chat + at,
                         rest < TAM_EVENT_PAYLOAD_MAX ? rest
                                                      : TAM_EVENT_PAYLOAD_MAX);
  }
  if (chat != NULL && chat_host_end_of(host, op) == NULL) {
    (void)chat_host_text(host, op, NULL, 0);
  }
  return op;
}

const char *chat_host_do(chat_host *host, const char *message,
                         const char *chat) {
  (void)chat_host_start(host, message, chat);
  chat_host_run(host);
  return host->last;
}

const char *chat_host_end_of(const chat_host *host, uint32_t op) {
  for (size_t i = 0; i < host->end_count; i++) {
    if (host->ends[i].op == op) {
      return host->ends[i].text;
    }
  }
  return NULL;
}

void chat_host_cancel(chat_host *host, uint32_t op) {
  tam_event event = {.kind = TAM_EVENT_CANCEL, .op = op};
  (void)fake_host_feed(&host->host, &event);
}

// ---------------------------------------------------------------------------
// Life

int chat_host_init(chat_host *host, chat_kind kind) {
  check_heap heap = host->host.heap;
  memset(host, 0, sizeof(*host));
  host->kind = kind;
  host->mem = tam_mem_default();
  host->host.heap = heap;
  host->host.on_action = on_action;
  host->host.user_data = host;
  tam_buf_init(&host->said, &host->mem, TEXT_MAX);
  tam_buf_init(&host->content, &host->mem, TEXT_MAX);
  tam_buf_init(&host->reasoning, &host->mem, TEXT_MAX);
  chat_host_put_files(host);
  int error = fake_host_init(&host->host, "https://hub.test");
  host->host.now_ms = 1e6;
  return error;
}

void chat_host_dispose(chat_host *host) {
  fake_host_free(&host->host);
  host->is_gone = 1;
}

void chat_host_free(chat_host *host) {
  if (!host->is_gone) {
    host->host.heap.fail_at = 0;
    chat_host_run(host);
    fake_host_finish(&host->host);
    chat_host_dispose(host);
  }
  for (size_t i = 0; i < host->order_count; i++) {
    free_order(&host->orders[i]);
  }
  for (size_t i = 0; i < host->thing_count; i++) {
    chat_host_release(&host->things[i]);
  }
  for (size_t i = 0; i < host->end_count; i++) {
    free(host->ends[i].text);
  }
  for (size_t i = 0; i < host->file_count; i++) {
    free(host->files[i].bytes);
  }
  free(host->orders);
  free(host->things);
  free(host->ends);
  free(host->last);
  free(host->progress);
  free(host->patch);
  tam_buf_free(&host->said);
  free(host->status);
  tam_buf_free(&host->content);
  tam_buf_free(&host->reasoning);
}
