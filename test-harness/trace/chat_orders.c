// SPDX-License-Identifier: Apache-2.0
// The half of the host of chat_host.h that has files and a tokenizer.
#include "chat_host_parts.h"

#define JSON_MAX 4096

// ---------------------------------------------------------------------------
// Text

static const char *const specials[] = {"<bos>",    "<eos>",    "<think>",
                                       "</think>", "<answer>", "<pad>"};

// Returns the length of the character that |bytes| begin with, or 0 and in
// |*pbad| how many bytes are none (as the platform's decoder counts them).
static size_t char_len(const uint8_t *bytes, size_t count, size_t *pbad) {
  uint8_t first = bytes[0];
  size_t len = first < 0x80                     ? 1
               : first >= 0xc2 && first <= 0xdf ? 2
               : first >= 0xe0 && first <= 0xef ? 3
               : first >= 0xf0 && first <= 0xf4 ? 4
                                                : 0;
  *pbad = 1;
  for (size_t i = 1; i < len; i++) {
    uint8_t low = i > 1           ? 0x80
                  : first == 0xe0 ? 0xa0
                  : first == 0xf0 ? 0x90
                                  : 0x80;
    uint8_t high = i > 1           ? 0xbf
                   : first == 0xed ? 0x9f
                   : first == 0xf4 ? 0x8f
                                   : 0xbf;
    if (i >= count || bytes[i] < low || bytes[i] > high) {
      *pbad = i;
      return 0;
    }
  }
  return len;
}

char *chat_host_decode(const int32_t *tokens, size_t count, int with_special) {
  uint8_t *bytes = malloc(count * 8 + 1);
  size_t len = 0;
  for (size_t i = 0; i < count; i++) {
    if (tokens[i] >= 0 && tokens[i] < CHAT_BOS) {
      bytes[len++] = (uint8_t)tokens[i];
    } else if (with_special && tokens[i] >= CHAT_BOS &&
               tokens[i] < CHAT_VOCAB) {
      const char *name = specials[tokens[i] - CHAT_BOS];
      memcpy(bytes + len, name, strlen(name));
      len += strlen(name);
    }
  }
  char *text = malloc(len * 3 + 1);
  size_t out = 0;
  size_t bad;
  for (size_t at = 0; at < len;) {
    size_t good = char_len(bytes + at, len - at, &bad);
    memcpy(text + out, good > 0 ? (const char *)bytes + at : "\xef\xbf\xbd",
           good > 0 ? good : 3);
    out += good > 0 ? good : 3;
    at += good > 0 ? good : bad;
  }
  text[out] = '\0';
  free(bytes);
  return text;
}

// Appends the bytes of the JSON text that begins at |at|; escapes stay.
static const char *render_text(const char *at, int32_t *tokens, size_t *pcount,
                               size_t max) {
  for (; *at != '\0' && *at != '"'; at++) {
    if (*pcount < max) {
      tokens[(*pcount)++] = (uint8_t)*at;
    }
    if (*at == '\\' && at[1] != '\0' && *pcount < max) {
      tokens[(*pcount)++] = (uint8_t) * ++at;
    }
  }
  return at;
}

size_t chat_host_render(const char *messages, int32_t *tokens, size_t max) {
  static const char role[] = "\"role\":\"";
  static const char content[] = "\"content\":\"";
  size_t count = 0;
  if (max == 0) {
    return 0;
  }
  tokens[count++] = CHAT_BOS;
  const char *at = messages;
  if (*at == '"') { // a text, without a chat
    (void)render_text(at + 1, tokens, &count, max);
    return count;
  }
  while ((at = strstr(at, role)) != NULL) {
    char who = at[sizeof(role) - 1];
    at = strstr(at, content);
    if (at == NULL) {
      break;
    }
    at = render_text(at + sizeof(content) - 1, tokens, &count, max);
    if (count < max) {
      tokens[count++] = who == 'u' ? CHAT_ANSWER : who == 'a' ? CHAT_EOS : '\n';
    }
  }
  return count;
}

// ---------------------------------------------------------------------------
// Orders

static void answer_download(chat_host *host, const chat_order *order) {
  char json[JSON_MAX];
  size_t len = (size_t)snprintf(json, sizeof(json),
                                "{\"commit\":\"" CHAT_HOST_COMMIT
                                "\",\"dtype\":\"q4\",\"files\":[");
  for (size_t i = 0; i < host->file_count; i++) {
    len += (size_t)snprintf(json + len, sizeof(json) - len, "%s\"%s\"",
                            i == 0 ? "" : ",", host->files[i].path);
  }
  (void)snprintf(json + len, sizeof(json) - len, "]}");
  chat_host_progress(host, order, "{\"file\":\"a\",\"loaded\":5,\"total\":10}");
  host->host.now_ms += 150;
  chat_host_progress(host, order,
                     "{\"file\":\"a\",\"loaded\":10,\"total\":10}");
  chat_host_end(host, order, json);
}

static void answer_open(chat_host *host, const chat_order *order,
                        const tam_json_node *root) {
  char json[64];
  const char *path = chat_text(root, "path");
  chat_host_require(host,
                    strcmp(chat_text(root, "modelId"), CHAT_HOST_MODEL) == 0,
                    "files are those of the model");
  for (size_t i = 0; i < host->file_count; i++) {
    if (strcmp(host->files[i].path, path) == 0) {
      chat_host_make(host, order, FAKE_MADE_FILE)->file = host->files[i];
      (void)snprintf(json, sizeof(json), "{\"bytes\":%zu}",
                     host->files[i].size);
      chat_host_end(host, order, json);
      return;
    }
  }
  chat_host_fail(host, order, "not_found: there is no such file");
}

static int is_json(const chat_thing *file) {
  return tam_span_ends_with(tam_span_of(file->file.path), TAM_SPAN(".json"));
}

static void answer_read(chat_host *host, const chat_order *order,
                        const tam_json_node *root) {
  const chat_thing *thing =
      chat_host_thing(host, chat_number(root, "file"), FAKE_MADE_FILE);
  double from = chat_number(root, "from");
  double to = chat_number(root, "to");
  chat_host_require(host, from >= 0 && from <= to, "a range is a range");
  if (thing == NULL || !(from >= 0 && from <= to)) {
    chat_host_fail(host, order, "x");
    return;
  }
  size_t size = thing->file.size;
  size_t start = from < (double)size ? (size_t)from : size;
  size_t end = to < (double)size ? (size_t)to : size;
  chat_host_data(host, order, 0,
                 (tam_span){thing->file.bytes + start, end - start},
                 is_json(thing) ? CHAT_DATA_BYTES : CHAT_DATA_WHOLE);
  chat_host_end(host, order, "");
}

// Puts the pieces together.
static void answer_splice(chat_host *host, const chat_order *order,
                          const tam_json_node *root) {
  const chat_thing *from =
      chat_host_thing(host, chat_number(root, "file"), FAKE_MADE_FILE);
  if (from == NULL) {
    chat_host_fail(host, order, "x");
    return;
  }
  chat_file whole = from->file;
  chat_thing *thing = chat_host_make(host, order, FAKE_MADE_FILE);
  uint8_t *bytes = malloc(whole.size + order->bytes_len + 1);
  size_t len = 0;
  size_t used = 0;
  const tam_json_node *at =
      tam_json_get_first(tam_json_get_member(root, TAM_SPAN("pieces")));
  while (at != NULL) {
    double numbers[3] = {0, 0, 0};
    for (int i = 0; i < 3 && at != NULL; i++) {
      numbers[i] = tam_json_get_number(at);
      at = tam_json_get_next(at);
    }
    size_t start = (size_t)numbers[0];
    size_t end = (size_t)numbers[1];
    size_t fresh = (size_t)numbers[2];
    chat_host_require(host,
                      start <= end && end <= whole.size &&
                          fresh <= order->bytes_len - used,
                      "pieces are pieces");
    memcpy(bytes + len, whole.bytes + start, end - start);
    len += end - start;
    memcpy(bytes + len, order->bytes + used, fresh);
    len += fresh;
    used += fresh;
  }
  chat_host_require(host, used == order->bytes_len && len < whole.size,
                    "the small graph is smaller, and of all its bytes");
  thing->is_owned = 1;
  thing->file.bytes = bytes;
  thing->file.size = len;
  chat_host_end(host, order, "");
}

static void answer_tokenizer(chat_host *host, const chat_order *order) {
  char json[JSON_MAX];
  chat_host_make(host, order, FAKE_MADE_TOKENIZER);
  chat_host_data(host, order, 0,
                 TAM_SPAN("256 <bos>\n257 <eos>\n258 <think>\n"
                          "259 </think>\n260 <answer>\n261 <pad>\n"),
                 CHAT_DATA_TEXT);
  (void)snprintf(json, sizeof(json),
                 "{\"tokenizerClass\":\"Fake\",\"maxLength\":300,"
                 "\"cleansUp\":false,\"templates\":%s,"
                 "\"bosId\":256,\"eosId\":257,\"padId\":null,\"unkId\":null}",
                 host->has_no_template ? "[]" : "[\"default\",\"tool_use\"]");
  chat_host_end(host, order, json);
}

// Orders with a long text are not parsed: these are what is looked for.
static double number_behind(const char *text, const char *key) {
  const char *at = strstr(text, key);
  return at == NULL ? -1 : strtod(at + strlen(key), NULL);
}

// Makes tokens of a chat, or of a text alone, which are behind |key|.
static void answer_render(chat_host *host, const chat_order *order,
                          const char *key) {
  (void)chat_host_thing(host, number_behind(order->text, "\"tokenizer\":"),
                        FAKE_MADE_TOKENIZER);
  const char *chat = strstr(order->text, key);
  size_t max = order->text_len + 1;
  int32_t *tokens = malloc(max * sizeof(*tokens));
  size_t count =
      chat == NULL ? 0 : chat_host_render(chat + strlen(key), tokens, max);
  tam_span bytes = {(const uint8_t *)tokens, count * sizeof(*tokens)};
  const size_t most = TAM_EVENT_RUNTIME_PAYLOAD_MAX;
  while (bytes.len > most) {
    chat_host_data(host, order, 0, tam_span_head(bytes, most), CHAT_DATA_BYTES);
    bytes = tam_span_from(bytes, most);
  }
  chat_host_data(host, order, 0, bytes, CHAT_DATA_BYTES);
  chat_host_end(host, order, "");
  free(tokens);
}

static void answer_decode(chat_host *host, const chat_order *order) {
  (void)chat_host_thing(host, number_behind(order->text, "\"tokenizer\":"),
                        FAKE_MADE_TOKENIZER);
  const char *at = strstr(order->text, "\"ids\":[");
  int32_t *tokens = malloc(order->text_len * sizeof(*tokens));
  size_t count = 0;
  at = at == NULL ? "" : at + 7;
  while (*at == '-' || (*at >= '0' && *at <= '9')) {
    char *end;
    tokens[count++] = (int32_t)strtol(at, &end, 10);
    at = *end == ',' ? end + 1 : end;
  }
  char *text = chat_host_decode(tokens, count,
                                strstr(order->text, "\"special\":true") != 0);
  chat_host_data(host, order, 0, tam_span_of(text), CHAT_DATA_TEXT);
  chat_host_end(host, order, "");
  free(text);
  free(tokens);
}

static void keep_text(char **pkept, const char *text) {
  free(*pkept);
  *pkept = malloc(strlen(text) + 1);
  memcpy(*pkept, text, strlen(text) + 1);
}

// The store: what it holds are knobs; a patch is kept, and not applied.
static void answer_ask(chat_host *host, const chat_order *order,
                       const tam_json_node *root) {
  const tam_json_node *params = tam_json_get_member(root, TAM_SPAN("params"));
  const char *rows = strstr(order->text, "\"rows\":");
  const char *id = chat_text(params, "id");
  const char *object = *id == '\0'                           ? host->manifest
                       : strcmp(id, "tabagent:devices") == 0 ? host->devices
                                                             : host->settings;
  if (strcmp(chat_text(root, "action"), "noteLoad") == 0) {
    keep_text(&host->status, order->text);
    chat_host_end(host, order, "{\"action\":\"noteLoad:done\"}");
    return;
  }
  if (rows != NULL) {
    keep_text(&host->patch, rows);
  }
  chat_host_require(host,
                    tam_json_get_bool(tam_json_get_member(
                        params, TAM_SPAN("input"))) == (rows != NULL),
                    "rows are announced");
  size_t size = (object == NULL ? 0 : strlen(object)) + 64;
  char *json = malloc(size);
  (void)snprintf(json, size, "{\"action\":\"x:done\",\"object\":%s}",
                 object == NULL ? "null" : object);
  chat_host_end(host, order, json);
  free(json);
}

static void answer_tree(chat_host *host, const chat_order *order,
                        const tam_json_node *root) {
  const char *verb = chat_text(root, "do");
  if (strcmp(verb, "download") == 0) {
    answer_download(host, order);
  } else if (strcmp(verb, "ask") == 0) {
    answer_ask(host, order, root);
  } else if (strcmp(verb, "open") == 0) {
    answer_open(host, order, root);
  } else if (strcmp(verb, "read") == 0) {
    answer_read(host, order, root);
  } else if (strcmp(verb, "splice") == 0) {
    answer_splice(host, order, root);
  } else if (strcmp(verb, "tokenizer") == 0) {
    answer_tokenizer(host, order);
  } else if (!chat_host_answer_run(host, order, root)) {
    chat_host_require(host, 0, "an order is of a known kind");
  }
}

void chat_host_answer(chat_host *host, const chat_order *order) {
  tam_mem mem = tam_mem_default();
  tam_json_node *root = NULL;
  tam_span text = {(const uint8_t *)order->text, order->text_len};
  if (tam_span_starts_with(text, TAM_SPAN("{\"do\":\"render\""))) {
    answer_render(host, order, "\"messages\":");
  } else if (tam_span_starts_with(text, TAM_SPAN("{\"do\":\"encode\""))) {
    answer_render(host, order, "\"text\":");
  } else if (tam_span_starts_with(text, TAM_SPAN("{\"do\":\"decode\""))) {
    answer_decode(host, order);
  } else {
    chat_host_require(host, tam_json_tree_parse(&root, text, &mem) == 0,
                      "an order is JSON");
    answer_tree(host, order, root);
    tam_json_tree_free(root, &mem);
  }
}
