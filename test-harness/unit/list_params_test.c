// SPDX-License-Identifier: Apache-2.0
// The parameters of listChatModels: defaults, caps, limits, and the care taken
// with tokens. What the messages say is in trace/invalid-params.md.
#include "hub/list_params.h"

#include "check.h"

typedef struct parsed {
  check_heap heap;
  tam_mem mem;
  tam_json_node *root;
  tam_list_params params;
  tam_buf why;
  int error;
} parsed;

static void parse(parsed *self, const char *json, int is_strict) {
  memset(self, 0, sizeof(*self));
  self->mem = check_heap_mem(&self->heap);
  tam_buf_init(&self->why, &self->mem, 2048);
  if (json != NULL) {
    CHECK_INT(tam_json_tree_parse(&self->root, tam_span_of(json), &self->mem),
              0);
  }
  self->error = tam_list_params_parse(&self->params, self->root, is_strict,
                                      &self->why, &self->mem);
}

static void parsed_free(parsed *self) {
  tam_list_params_free(&self->params);
  tam_json_tree_free(self->root, &self->mem);
  tam_buf_free(&self->why);
  CHECK_INT(self->heap.live, 0);
}

static int error_of(const char *json) {
  parsed self;
  parse(&self, json, 1);
  int error = self.error;
  CHECK((error != 0) == (self.why.len > 0));
  parsed_free(&self);
  return error;
}

static void check_defaults(const tam_list_params *params) {
  CHECK(params->max_candidates == 250);
  CHECK(params->concurrency == 12);
  CHECK(params->timeout_ms == 10000);
  CHECK(params->max_listing == 5000);
  CHECK(params->page_size == 500);
  CHECK(params->max_parameters == -1);
  CHECK_INT(params->require_onnx, 1);
  CHECK_INT(params->debug, 0);
  CHECK_INT(params->fetch_configs, TAM_FETCH_CONFIGS_MISSING);
  CHECK_SPAN(params->token, "");
  CHECK_SPAN(params->cursor, "");
  CHECK_INT(params->filter_count, 1);
  CHECK_SPAN(params->filters[0], "onnx");
  CHECK_SPAN(params->sort, "downloads");
}

static void test_defaults(void) {
  static const char *const texts[] = {
      NULL, "null", "{}",
      "{\"hfToken\":null,\"cursor\":null,\"maxParameters\":null,"
      "\"listing\":null,\"query\":null}"};
  for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
    parsed self;
    parse(&self, texts[i], 1);
    CHECK_INT(self.error, 0);
    check_defaults(&self.params);
    parsed_free(&self);
  }
}

static void test_everything_set(void) {
  parsed self;
  parse(&self,
        "{\"maxCandidates\":1,\"concurrency\":64,\"timeoutMs\":600000,"
        "\"maxListing\":1,\"pageSize\":1000,\"maxParameters\":0,"
        "\"requireOnnx\":false,\"debug\":true,\"fetchConfigs\":\"never\","
        "\"hfToken\":\"hf_abc\",\"cursor\":\"c=\",\"query\":{"
        "\"search\":\"s\",\"author\":\"a\",\"pipeline_tag\":\"p\","
        "\"sort\":\"trendingScore\",\"filter\":[\"x\",\"y\"]}}",
        1);
  const tam_list_params *params = &self.params;
  CHECK_INT(self.error, 0);
  CHECK(params->max_candidates == 1);
  CHECK(params->concurrency == 64);
  CHECK(params->timeout_ms == 600000);
  CHECK(params->max_listing == 1);
  CHECK(params->page_size == 1000);
  CHECK(params->max_parameters == 0);
  CHECK_INT(params->require_onnx, 0);
  CHECK_INT(params->debug, 1);
  CHECK_INT(params->fetch_configs, TAM_FETCH_CONFIGS_NEVER);
  CHECK_SPAN(params->token, "hf_abc");
  CHECK_SPAN(params->cursor, "c=");
  CHECK_SPAN(params->search, "s");
  CHECK_SPAN(params->author, "a");
  CHECK_SPAN(params->pipeline_tag, "p");
  CHECK_SPAN(params->sort, "trendingScore");
  CHECK_INT(params->filter_count, 2);
  CHECK_SPAN(params->filters[1], "y");
  parsed_free(&self);
}

// The listing has a hard cap; more is a wish, not a mistake.
static void test_listing_is_capped(void) {
  parsed self;
  parse(&self, "{\"maxListing\":1000000}", 1);
  CHECK_INT(self.error, 0);
  CHECK(self.params.max_listing == 5000);
  parsed_free(&self);
}

static void test_names(void) {
  CHECK_INT(error_of("{\"maxlisting\":1}"), TAM_ERR_INVALID_PARAMS);
  CHECK_INT(error_of("{\"query\":{\"Search\":\"x\"}}"), TAM_ERR_INVALID_PARAMS);
  parsed self;
  parse(&self, "{\"action\":\"listChatModels\",\"debug\":true}", 0);
  CHECK_INT(self.error, 0);
  CHECK_INT(self.params.debug, 1);
  parsed_free(&self);
}

// A text one byte longer than allowed, in a parameter of this name.
static int error_of_long(const char *before, size_t len, const char *after) {
  char *json = malloc(len + 100);
  size_t at = (size_t)sprintf(json, "%s", before);
  memset(json + at, 'x', len);
  strcpy(json + at + len, after);
  int error = error_of(json);
  free(json);
  return error;
}

static void test_long_texts(void) {
  CHECK_INT(error_of_long("{\"cursor\":\"", 2048, "\"}"), 0);
  CHECK_INT(error_of_long("{\"cursor\":\"", 2049, "\"}"),
            TAM_ERR_INVALID_PARAMS);
  CHECK_INT(error_of_long("{\"hfToken\":\"", 2048, "\"}"), 0);
  CHECK_INT(error_of_long("{\"hfToken\":\"", 2049, "\"}"),
            TAM_ERR_INVALID_PARAMS);
  CHECK_INT(error_of_long("{\"query\":{\"filter\":\"", 2049, "\"}}"),
            TAM_ERR_INVALID_PARAMS);
}

static void test_filters(void) {
  CHECK_INT(error_of("{\"query\":{\"filter\":\"\"}}"), TAM_ERR_INVALID_PARAMS);
  CHECK_INT(error_of("{\"query\":{\"filter\":[]}}"), 0);
  CHECK_INT(error_of("{\"query\":{\"filter\":[1,2,3,4]}}"),
            TAM_ERR_INVALID_PARAMS);
  CHECK_INT(error_of("{\"query\":{\"filter\":[\"1\",\"2\",\"3\",\"4\",\"5\","
                     "\"6\",\"7\",\"8\",\"9\",\"10\",\"11\",\"12\",\"13\","
                     "\"14\",\"15\",\"16\"]}}"),
            0);
  CHECK_INT(error_of("{\"query\":{\"filter\":[\"1\",\"2\",\"3\",\"4\",\"5\","
                     "\"6\",\"7\",\"8\",\"9\",\"10\",\"11\",\"12\",\"13\","
                     "\"14\",\"15\",\"16\",\"17\"]}}"),
            TAM_ERR_INVALID_PARAMS);
}

// Freed memory must not show the token: an allocator that looks.
static char freed_text[65536];
static size_t freed_len;

static void looking_free(void *ptr, void *user_data) {
  check_block *block = (check_block *)ptr - 1;
  if (block->size > 1000 && block->size <= sizeof(freed_text)) {
    freed_len = block->size;
    memcpy(freed_text, ptr, block->size);
  }
  check_heap_free(ptr, user_data);
}

static int holds(const char *bytes, size_t len, const char *text) {
  size_t size = strlen(text);
  for (size_t i = 0; i + size <= len; i++) {
    if (memcmp(bytes + i, text, size) == 0) {
      return 1;
    }
  }
  return 0;
}

static void test_a_token_is_wiped(void) {
  check_heap heap = {0};
  tam_mem mem = check_heap_mem(&heap);
  mem.free = looking_free;
  tam_json_node *root = NULL;
  tam_list_params params;
  tam_buf why;
  tam_buf_init(&why, &mem, 2048);
  CHECK_INT(
      tam_json_tree_parse(&root, TAM_SPAN("{\"hfToken\":\"hf_secret\"}"), &mem),
      0);
  CHECK_INT(tam_list_params_parse(&params, root, 1, &why, &mem), 0);
  freed_len = 0;
  tam_list_params_free(&params);
  CHECK(freed_len > 0);
  CHECK(!holds(freed_text, freed_len, "hf_secret"));
  tam_json_tree_free(root, &mem);
  tam_buf_free(&why);
  CHECK_INT(heap.live, 0);
}

int main(void) {
  RUN(test_defaults);
  RUN(test_everything_set);
  RUN(test_listing_is_capped);
  RUN(test_names);
  RUN(test_long_texts);
  RUN(test_filters);
  RUN(test_a_token_is_wiped);
  return check_finish();
}
