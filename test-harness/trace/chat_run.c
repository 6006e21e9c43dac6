// SPDX-License-Identifier: Apache-2.0
// The half of the host of chat_host.h that has sessions and caches. Its own
// idea of a cache, the tokens of each row, says what every run has to bring.
#include "chat_host_parts.h"

// What a model wants to answer stands out this much.
#define WISH 64

// A prime above the vocabulary: logits of a row are all different.
#define PRIME 263

static uint32_t mix(uint32_t x) {
  x ^= x >> 15;
  x *= 0x2c1b3c6dU;
  x ^= x >> 12;
  x *= 0x297a2d39U;
  return x ^ x >> 15;
}

// How many tokens the answer has so far.
static size_t answered(const int32_t *tokens, size_t count) {
  size_t at = count;
  while (at > 0 && tokens[at - 1] != CHAT_ANSWER) {
    at--;
  }
  return at > 0 ? count - at : count - 1;
}

void chat_host_logits(const chat_host *host, tam_span source,
                      const int32_t *tokens, size_t count, float *logits) {
  uint32_t hash = mix(host->seed + 1);
  for (size_t i = 0; i < source.len; i++) {
    hash = mix(hash * 31 + source.ptr[i]);
  }
  for (size_t i = 0; i < count; i++) {
    hash = mix(hash * 31 + (uint32_t)tokens[i] + 7);
  }
  uint32_t factor = hash % (PRIME - 1) + 1;
  uint32_t offset = mix(hash + 5) % PRIME;
  for (uint32_t i = 0; i < CHAT_VOCAB; i++) {
    // Sixteenths: half precision has them all.
    logits[i] = ((float)((factor * i + offset) % PRIME) - 131) / 16;
  }
  size_t place = answered(tokens, count);
  if (host->script != NULL && place <= host->script_len) {
    logits[place < host->script_len ? host->script[place] : CHAT_EOS] += WISH;
  }
}

// ---------------------------------------------------------------------------
// What a run brings

typedef struct pass {
  chat_host *host;
  const chat_graph *graph;
  chat_thing *cache;
  int is_encoder;
  int32_t *ids; // rows of |count|
  size_t rows;
  size_t count;
} pass;

static int is_name(const char *text, const char *name) {
  return strcmp(text, name) == 0;
}

static size_t size_of(const char *type) {
  return is_name(type, "int64") ? 8 : is_name(type, "int32") ? 4 : 1;
}

static int64_t value_at(const uint8_t *bytes, size_t size, size_t place) {
  int64_t wide = 0;
  int32_t narrow = 0;
  if (size == sizeof(wide)) {
    memcpy(&wide, bytes + place * size, size);
    return wide;
  }
  if (size == sizeof(narrow)) {
    memcpy(&narrow, bytes + place * size, size);
    return narrow;
  }
  return bytes[place];
}

// The dimension |place| of a feed, 0 where there is none.
static size_t dim_of(const tam_json_node *feed, size_t place) {
  const tam_json_node *at =
      tam_json_get_first(tam_json_get_member(feed, TAM_SPAN("dims")));
  for (; at != NULL && place > 0; place--) {
    at = tam_json_get_next(at);
  }
  return (size_t)tam_json_get_number(at);
}

// What each feed has to hold.
static int64_t expected_at(const pass *run, const char *name, size_t column) {
  if (is_name(name, "position_ids")) {
    return (int64_t)(run->cache->len + column);
  }
  return is_name(name, "use_cache_branch") ? run->cache->len > 0 : 1;
}

static size_t expected_columns(const pass *run, const char *name) {
  return is_name(name, "use_cache_branch")         ? 1
         : is_name(name, "encoder_attention_mask") ? run->cache->source_len
         : is_name(name, "attention_mask") && !run->is_encoder
             ? run->cache->len + run->count
             : run->count;
}

static void take_ids(pass *run, const tam_json_node *feed, const uint8_t *bytes,
                     size_t size) {
  run->rows = dim_of(feed, 0);
  run->count = dim_of(feed, 1);
  chat_host_require(run->host,
                    run->host->kind != CHAT_SINGLE ||
                        (run->rows == 1 && run->count == 1),
                    "a graph of fixed sizes has them");
  size_t all = run->rows * run->count;
  run->ids = malloc(all * sizeof(*run->ids) + 1);
  for (size_t i = 0; i < all; i++) {
    run->ids[i] = (int32_t)value_at(bytes, size, i);
  }
}

static void check_feed(const pass *run, const tam_json_node *feed,
                       const uint8_t *bytes, size_t size) {
  const char *name = chat_text(feed, "name");
  int is_switch = is_name(name, "use_cache_branch");
  size_t rows = is_switch ? 1 : dim_of(feed, 0);
  size_t columns = is_switch ? dim_of(feed, 0) : dim_of(feed, 1);
  chat_host_require(run->host, is_switch || rows == run->rows,
                    "all feeds have the same rows");
  chat_host_require(run->host, columns == expected_columns(run, name),
                    "a feed has a value for each token that it is about");
  for (size_t i = 0; i < rows * columns; i++) {
    chat_host_require(run->host,
                      value_at(bytes, size, i) ==
                          expected_at(run, name, i % columns),
                      "a feed says what is so");
  }
}

// Goes through the feeds twice: the ids tell what the others must be.
static int take_feeds(pass *run, const chat_order *order,
                      const tam_json_node *root) {
  char names[256] = "";
  const tam_json_node *feeds = tam_json_get_member(root, TAM_SPAN("feeds"));
  for (int is_second = 0; is_second < 2; is_second++) {
    const tam_json_node *at = tam_json_get_first(feeds);
    for (; at != NULL; at = tam_json_get_next(at)) {
      const char *name = chat_text(at, "name");
      const char *type = chat_text(at, "type");
      size_t from = (size_t)chat_number(at, "at");
      size_t len = (size_t)chat_number(at, "bytes");
      size_t size = size_of(type);
      size_t all = size * dim_of(at, 0) *
                   (is_name(name, "use_cache_branch") ? 1 : dim_of(at, 1));
      chat_host_require(run->host,
                        from <= order->bytes_len &&
                            len <= order->bytes_len - from && len == all,
                        "the bytes of a feed are there");
      chat_host_require(run->host,
                        is_name(type, is_name(name, "use_cache_branch")
                                          ? "bool"
                                          : run->graph->ids),
                        "a feed has the type of its input");
      if (is_second) {
        strncat(names, name, sizeof(names) - strlen(names) - 2);
        strcat(names, " ");
      }
      if (is_name(name, "input_ids") && !is_second) {
        take_ids(run, at, order->bytes + from, size);
      } else if (!is_name(name, "input_ids") && is_second) {
        check_feed(run, at, order->bytes + from, size);
      }
    }
    if (!is_second && run->ids == NULL) { // they were embedded before
      run->rows = run->cache->rows;
      run->count = run->cache->vectors_len / run->cache->rows;
      run->ids = run->cache->vectors;
      run->cache->vectors = NULL;
      chat_host_require(run->host, run->ids != NULL,
                        "vectors come before the decoder");
    }
  }
  return is_name(names, run->graph->feeds);
}

// ---------------------------------------------------------------------------
// Runs

// Returns 1 when |order| has the member |name| with exactly |json|.
static int has_json(const chat_order *order, const char *name,
                    const char *json) {
  char text[1024];
  (void)snprintf(text, sizeof(text), "\"%s\":%s", name, json);
  return strstr(order->text, text) != NULL;
}

static uint16_t half_of(float value) {
  union {
    float number;
    uint32_t bits;
  } both = {.number = value};
  if (value == 0) {
    return 0;
  }
  return (uint16_t)(both.bits >> 16 & 0x8000U) |
         (uint16_t)(((both.bits >> 23 & 0xffU) - 112) << 10) |
         (uint16_t)(both.bits >> 13 & 0x3ffU);
}

static void tell_logits(chat_host *host, const chat_order *order,
                        const chat_thing *session, uint32_t request,
                        size_t rows) {
  for (size_t row = 0; row < rows; row++) {
    // The things move when orders make some: the cache is looked up again.
    const chat_thing *cache = NULL;
    for (size_t i = 0; i < host->thing_count && cache == NULL; i++) {
      cache = host->things[i].request == request ? &host->things[i] : NULL;
    }
    if (cache == NULL) {
      return; // it was dropped meanwhile
    }
    float logits[CHAT_VOCAB];
    uint16_t halves[CHAT_VOCAB];
    chat_host_logits(host,
                     (tam_span){(const uint8_t *)cache->source,
                                cache->source_len * sizeof(int32_t)},
                     cache->tokens + row * CHAT_TOKENS_MAX, cache->len, logits);
    for (size_t i = 0; i < CHAT_VOCAB; i++) {
      logits[i] = session->is_webgpu && host->webgpu == CHAT_WEBGPU_FLAT
                      ? 0
                      : logits[i];
      halves[i] = half_of(logits[i]);
    }
    int is_half = host->kind == CHAT_HALF;
    chat_host_data(host, order, (uint32_t)row,
                   is_half
                       ? (tam_span){(const uint8_t *)halves, sizeof(halves)}
                       : (tam_span){(const uint8_t *)logits, sizeof(logits)},
                   CHAT_DATA_LOGITS);
  }
}

static void put_tokens(const pass *run) {
  chat_thing *cache = run->cache;
  int fits =
      run->rows == cache->rows && cache->len + run->count <= CHAT_TOKENS_MAX;
  chat_host_require(run->host, run->rows == cache->rows,
                    "a run has the rows of its cache");
  chat_host_require(run->host, fits, "the tests know short texts only");
  for (size_t row = 0; fits && row < run->rows; row++) {
    memcpy(cache->tokens + row * CHAT_TOKENS_MAX + cache->len,
           run->ids + row * run->count, run->count * sizeof(int32_t));
  }
  cache->len += fits ? run->count : 0;
}

// A graph that is no decoder: what it computes is kept.
static void run_first(pass *run, const chat_order *order) {
  chat_thing *cache = run->cache;
  chat_host_require(run->host, has_json(order, "keep", run->graph->keep_first),
                    "what the first graph computes is kept");
  chat_host_require(run->host, strstr(order->text, "\"take\":\"") == NULL,
                    "only logits are taken");
  if (run->is_encoder) {
    free(cache->source);
    cache->source = run->ids;
    cache->source_len = run->count;
    cache->has_source = 1;
  } else {
    free(cache->vectors);
    cache->vectors = run->ids;
    cache->vectors_len = run->rows * run->count;
  }
  run->ids = NULL;
}

static int run_decoder(pass *run, const chat_order *order) {
  chat_host *host = run->host;
  int takes = has_json(order, "take", "\"logits\"");
  chat_host_require(host,
                    has_json(order, "keep",
                             run->cache->len == 0 ? run->graph->keep_first
                                                  : run->graph->keep_later),
                    "what goes on is kept");
  chat_host_require(host, host->kind != CHAT_ENCODER || run->cache->has_source,
                    "the encoder goes first");
  chat_host_require(host, takes || strstr(order->text, "\"take\":\"") == NULL,
                    "logits are what is taken");
  put_tokens(run);
  host->runs++;
  host->run_tokens += run->rows * run->count;
  return takes;
}

static void answer_run(chat_host *host, const chat_order *order,
                       const tam_json_node *root) {
  chat_thing *found =
      chat_host_thing(host, chat_number(root, "session"), FAKE_MADE_SESSION);
  chat_thing *cache =
      chat_host_thing(host, chat_number(root, "cache"), FAKE_MADE_CACHE);
  if (found == NULL || cache == NULL) {
    chat_host_fail(host, order, "x");
    return;
  }
  chat_thing session = *found;
  const chat_model *model = &chat_models[host->kind];
  int is_decoder = session.session + 1 == model->count;
  pass run = {.host = host,
              .graph = &model->graphs[session.session],
              .cache = cache,
              .is_encoder = host->kind == CHAT_ENCODER && !is_decoder};
  chat_host_require(host, take_feeds(&run, order, root),
                    "every input has its feed");
  int takes = 0;
  size_t rows = cache->rows;
  uint32_t request = cache->request;
  if (is_decoder) {
    takes = run_decoder(&run, order);
  } else {
    run_first(&run, order);
  }
  free(run.ids);
  if (takes) {
    tell_logits(host, order, &session, request, rows);
  }
  chat_host_end(host, order, "");
}

// ---------------------------------------------------------------------------
// Sessions and caches

static void answer_session(chat_host *host, const chat_order *order,
                           const tam_json_node *root) {
  const chat_model *model = &chat_models[host->kind];
  size_t place = 0;
  for (size_t i = 0; i < host->thing_count; i++) {
    place += host->things[i].kind == FAKE_MADE_SESSION;
  }
  chat_host_require(host, place < model->count, "a model has its sessions");
  (void)chat_host_thing(host, chat_number(root, "graph"), FAKE_MADE_FILE);
  const tam_json_node *at =
      tam_json_get_first(tam_json_get_member(root, TAM_SPAN("external")));
  for (; at != NULL; at = tam_json_get_next(at)) {
    (void)chat_host_thing(host, chat_number(at, "file"), FAKE_MADE_FILE);
  }
  int is_webgpu = has_json(order, "providers", "[\"webgpu\"]");
  chat_host_require(host,
                    is_webgpu ? host->webgpu != CHAT_WEBGPU_NONE
                              : has_json(order, "providers", "[\"wasm\"]"),
                    "a provider is there");
  double threads = chat_number(root, "threads");
  chat_host_require(host,
                    threads >= 1 && (threads < 2 || threads <= host->threads),
                    "threads are there");
  if ((is_webgpu && host->webgpu == CHAT_WEBGPU_FAILS) ||
      (!is_webgpu && threads > 1 && host->threads_fail) ||
      place >= model->count) {
    chat_host_fail(host, order, "Error: no device");
    return;
  }
  chat_thing *thing = chat_host_make(host, order, FAKE_MADE_SESSION);
  thing->session = place;
  thing->is_webgpu = is_webgpu;
  chat_host_end(host, order, model->graphs[place].metadata);
}

static void answer_cache(chat_host *host, const chat_order *order) {
  chat_host_require(host,
                    has_json(order, "tensors", chat_models[host->kind].cache),
                    "an empty cache has the tensors of the model");
  chat_thing *cache = chat_host_make(host, order, FAKE_MADE_CACHE);
  cache->rows = 1;
  cache->tokens = malloc(CHAT_TOKENS_MAX * sizeof(int32_t));
  chat_host_end(host, order, "");
}

static void answer_cut(chat_host *host, const chat_order *order,
                       const tam_json_node *root) {
  chat_thing *cache =
      chat_host_thing(host, chat_number(root, "cache"), FAKE_MADE_CACHE);
  double to = chat_number(root, "to");
  chat_host_require(host,
                    has_json(order, "axes", chat_models[host->kind].cut_axes),
                    "what can be cut is cut, along the tokens");
  if (cache != NULL) {
    chat_host_require(host, to >= 0 && to < (double)cache->len,
                      "a cut makes it shorter");
    cache->len = to >= 0 && to < (double)cache->len ? (size_t)to : cache->len;
  }
  chat_host_end(host, order, "");
}

static void answer_gather(chat_host *host, const chat_order *order,
                          const tam_json_node *root) {
  chat_thing *cache =
      chat_host_thing(host, chat_number(root, "cache"), FAKE_MADE_CACHE);
  const tam_json_node *at =
      tam_json_get_first(tam_json_get_member(root, TAM_SPAN("rows")));
  chat_host_require(
      host, has_json(order, "axes", chat_models[host->kind].gather_axes),
      "all of a cache is gathered, along the rows");
  int32_t *tokens = NULL;
  size_t rows = 0;
  for (; cache != NULL && at != NULL; at = tam_json_get_next(at)) {
    size_t row = (size_t)tam_json_get_number(at);
    chat_host_require(host, row < cache->rows, "a row is one of the cache");
    row = row < cache->rows ? row : 0;
    tokens = realloc(tokens, (rows + 1) * CHAT_TOKENS_MAX * sizeof(*tokens));
    memcpy(tokens + rows * CHAT_TOKENS_MAX,
           cache->tokens + row * CHAT_TOKENS_MAX, cache->len * sizeof(*tokens));
    rows++;
  }
  if (rows > 0) {
    free(cache->tokens);
    cache->tokens = tokens;
    cache->rows = rows;
  }
  chat_host_end(host, order, "");
}

static void answer_device(chat_host *host, const chat_order *order) {
  char json[256];
  (void)snprintf(
      json, sizeof(json),
      "{\"webgpu\":%s%s%s,\"isolated\":%s,\"cores\":%d,"
      "\"software\":\"1.0 browser\"}",
      host->webgpu == CHAT_WEBGPU_NONE ? "null" : "{\"features\":[\"x\"",
      host->webgpu == CHAT_WEBGPU_NONE || host->has_no_f16 ? ""
                                                           : ",\"shader-f16\"",
      host->webgpu == CHAT_WEBGPU_NONE ? "" : "],\"driver\":\"d\"}",
      host->threads > 0 ? "true" : "false",
      host->threads > 0 ? host->threads : 8);
  chat_host_end(host, order, json);
}

int chat_host_answer_run(chat_host *host, const chat_order *order,
                         const tam_json_node *root) {
  const char *verb = chat_text(root, "do");
  if (is_name(verb, "device")) {
    answer_device(host, order);
  } else if (is_name(verb, "rest")) {
    chat_host_require(host, host->thing_count == 0,
                      "what is there does not rest");
    chat_host_end(host, order, "");
  } else if (is_name(verb, "session")) {
    answer_session(host, order, root);
  } else if (is_name(verb, "cache")) {
    answer_cache(host, order);
  } else if (is_name(verb, "run")) {
    answer_run(host, order, root);
  } else if (is_name(verb, "cut")) {
    answer_cut(host, order, root);
  } else if (is_name(verb, "gather")) {
    answer_gather(host, order, root);
  } else {
    return 0;
  }
  return 1;
}
