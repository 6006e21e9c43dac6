// SPDX-License-Identifier: Apache-2.0
// The parameters of the store's operations: each kind with values that make
// sense and such that do not, and what is said about these.
#include "check.h"
#include "store/params.h"

typedef struct fixture {
  check_heap heap;
  tam_mem mem;
  tam_json_node *root;
  tam_store_params params;
  tam_buf why;
  int error;
} fixture;

static void parse_with(fixture *self, const char *json, size_t fail) {
  memset(self, 0, sizeof(*self));
  self->mem = check_heap_mem(&self->heap);
  CHECK_INT(tam_json_tree_parse(&self->root, tam_span_of(json), &self->mem), 0);
  tam_buf_init(&self->why, &self->mem, 4096);
  self->heap.fail_at = fail == 0 ? 0 : self->heap.allocations + fail;
  self->error = tam_store_params_parse(&self->params, self->root, 0, &self->why,
                                       &self->mem);
  self->heap.fail_at = 0;
}

static void parse(fixture *self, const char *json) {
  parse_with(self, json, 0);
}

static void end(fixture *self) {
  tam_store_params_free(&self->params);
  tam_buf_free(&self->why);
  tam_json_tree_free(self->root, &self->mem);
  CHECK_INT(self->heap.live, 0);
}

static void test_defaults(void) {
  static const char *const texts[] = {
      "{}",
      "{\"unknown\":{\"modelId\":1}}",
      "{\"modelId\":null,\"dtype\":null,\"revision\":null,\"hfToken\":null,"
      "\"url\":null,\"method\":null,\"range\":null,\"ifNoneMatch\":null,"
      "\"id\":null,\"priority\":null,\"pinned\":null,\"keepPartial\":null,"
      "\"onlyCached\":null,\"repair\":null}",
  };
  for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
    fixture self;
    parse(&self, texts[i]);
    CHECK_INT(self.error, 0);
    CHECK_INT(self.params.model.len, 0);
    CHECK_INT(self.params.dtype.len, 0);
    CHECK_SPAN(self.params.revision, "main");
    CHECK_INT(self.params.token.len, 0);
    CHECK_SPAN(self.params.method, "GET");
    CHECK_INT(self.params.range.len, 0);
    CHECK(self.params.priority == 0);
    CHECK_INT(self.params.pinned, 0);
    CHECK_INT(self.params.keep_partial, 1);
    CHECK_INT(self.params.only_cached, 0);
    CHECK_INT(self.params.repair, 1);
    end(&self);
  }
}

static void test_values(void) {
  fixture self;
  parse(
      &self,
      "{\"modelId\":\"o/n\",\"dtype\":\"q4\",\"revision\":\"refs/pr/1\","
      "\"hfToken\":\"hf_x\",\"url\":\"u\",\"method\":\"HEAD\",\"range\":\"r\","
      "\"ifNoneMatch\":\"\\\"e\\\"\",\"id\":\"i\",\"priority\":-1.5,"
      "\"pinned\":true,\"keepPartial\":false,\"onlyCached\":true,"
      "\"repair\":false}");
  CHECK_INT(self.error, 0);
  CHECK_SPAN(self.params.model, "o/n");
  CHECK_SPAN(self.params.dtype, "q4");
  CHECK_SPAN(self.params.revision, "refs/pr/1");
  CHECK_SPAN(self.params.token, "hf_x");
  CHECK_SPAN(self.params.url, "u");
  CHECK_SPAN(self.params.method, "HEAD");
  CHECK_SPAN(self.params.range, "r");
  CHECK_SPAN(self.params.if_none_match, "\"e\"");
  CHECK_SPAN(self.params.id, "i");
  CHECK(self.params.priority == -1.5);
  CHECK_INT(self.params.pinned, 1);
  CHECK_INT(self.params.keep_partial, 0);
  CHECK_INT(self.params.only_cached, 1);
  CHECK_INT(self.params.repair, 0);
  end(&self);
}

static void test_wrong(void) {
  static const struct {
    const char *json;
    const char *why;
  } cases[] = {
      {"{\"modelId\":5}", "modelId: expected a string"},
      {"{\"modelId\":[]}", "modelId: expected a string"},
      {"{\"modelId\":\"\"}",
       "modelId: expected the id of a repository, \"owner/name\""},
      {"{\"modelId\":\"a/b/c\"}",
       "modelId: expected the id of a repository, \"owner/name\""},
      {"{\"modelId\":\"../b\"}",
       "modelId: expected the id of a repository, \"owner/name\""},
      {"{\"revision\":\"\"}", "revision: expected a branch, a tag or a commit"},
      {"{\"revision\":\"a/../b\"}",
       "revision: expected a branch, a tag or a commit"},
      {"{\"hfToken\":\"a b\"}", "hfToken: expected an access token of the Hub"},
      {"{\"hfToken\":\"a\\r\\nx: y\"}",
       "hfToken: expected an access token of the Hub"},
      {"{\"dtype\":4}", "dtype: expected a string"},
      {"{\"url\":true}", "url: expected a string"},
      {"{\"priority\":\"1\"}", "priority: expected a number"},
      {"{\"priority\":1e10}", "priority: expected a number"},
      {"{\"pinned\":1}", "pinned: expected true or false"},
      {"{\"repair\":\"true\"}", "repair: expected true or false"},
      {"{\"modelId\":\"a/b\",\"onlyCached\":{}}",
       "onlyCached: expected true or false"},
  };
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
    fixture self;
    parse(&self, cases[i].json);
    CHECK_INT(self.error, TAM_ERR_INVALID_PARAMS);
    check_count++;
    if (!tam_span_is(tam_buf_span(&self.why), cases[i].why)) {
      check_failures++;
      printf("%.*s is not %s\n", (int)self.why.len, (char *)self.why.data,
             cases[i].why);
    }
    end(&self);
  }
}

// Texts have a common cap, the token one of its own.
static void test_lengths(void) {
  static const struct {
    const char *name;
    size_t len;
    int error;
  } cases[] = {
      {"hfToken", 4096, 0},
      {"hfToken", 4097, TAM_ERR_INVALID_PARAMS},
      {"url", TAM_STORE_TEXT_MAX, 0},
      {"url", TAM_STORE_TEXT_MAX + 1, TAM_ERR_INVALID_PARAMS},
      {"revision", 255, 0},
      {"revision", 256, TAM_ERR_INVALID_PARAMS},
  };
  static char json[TAM_STORE_TEXT_MAX + 64];
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
    fixture self;
    int len = sprintf(json, "{\"%s\":\"", cases[i].name);
    memset(json + len, 'x', cases[i].len);
    sprintf(json + len + cases[i].len, "\"}");
    parse(&self, json);
    CHECK_INT(self.error, cases[i].error);
    CHECK((self.why.len > 0) == (cases[i].error != 0));
    end(&self);
  }
}

// The texts stay where they are, whatever is missing.
static void test_memory(void) {
  static char json[8192];
  int len = sprintf(json, "{\"modelId\":\"owner/name\",\"hfToken\":\"");
  memset(json + len, 'x', 4000);
  sprintf(json + len + 4000, "\",\"url\":\"u\"}");
  for (size_t nth = 1; nth < 8; nth++) {
    fixture self;
    parse_with(&self, json, nth);
    if (self.error == 0) {
      CHECK_SPAN(self.params.model, "owner/name");
      CHECK_SPAN(self.params.url, "u");
      CHECK(nth > 1);
    } else {
      CHECK_INT(self.error, TAM_ERR_OUT_OF_MEMORY);
    }
    end(&self);
  }
}

int main(void) {
  RUN(test_defaults);
  RUN(test_values);
  RUN(test_wrong);
  RUN(test_lengths);
  RUN(test_memory);
  return check_finish();
}
