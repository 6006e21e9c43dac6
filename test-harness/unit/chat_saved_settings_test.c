// SPDX-License-Identifier: Apache-2.0
// Settings that are saved by scope: what a patch makes of them, to the last
// digit, and memory that runs out.
#include "chat/saved_settings.h"

#include "check.h"

static const tam_settings_scope all_models = {{NULL, 0}, {NULL, 0}};

static tam_settings_scope scope_of(const char *model, const char *dtype) {
  return (tam_settings_scope){tam_span_of(model), tam_span_of(dtype)};
}

// Lays |patch| over what is saved for |scope|, and saves it.
static int patch(tam_saved_settings *saved, tam_settings_scope scope,
                 const char *text) {
  tam_json_node *root = NULL;
  tam_buf json;
  tam_buf_init(&json, saved->mem, TAM_JSON_TREE_LEN_MAX);
  int error = tam_json_tree_parse(&root, tam_span_of(text), saved->mem);
  if (error == 0) {
    tam_saved_settings_write_patched(saved, scope, root, &json);
    error = json.error;
  }
  if (error == 0) {
    error = tam_saved_settings_put(saved, scope, tam_buf_span(&json));
  }
  tam_json_tree_free(root, saved->mem);
  tam_buf_free(&json);
  return error;
}

static void test_patches(void) {
  tam_mem mem = tam_mem_default();
  tam_saved_settings saved;
  tam_saved_settings_init(&saved, &mem);
  CHECK_SPAN(tam_saved_settings_get(&saved, all_models), "{}");
  CHECK_INT(patch(&saved, all_models,
                  "{\"top_p\":0.0001,\"stop_strings\":[\"a\\n\",\"\\u00e9\"],"
                  "\"logit_bias\":{\"5\":-1.5},\"json_mode\":true}"),
            0);
  CHECK_SPAN(tam_saved_settings_get(&saved, all_models),
             "{\"top_p\":0.0001,\"stop_strings\":[\"a\\u000a\",\"\xc3\xa9\"],"
             "\"logit_bias\":{\"5\":-1.5},\"json_mode\":true}");
  CHECK_INT(patch(&saved, all_models,
                  "{\"stop_strings\":null,\"logit_bias\":null,\"top_p\":0.25}"),
            0);
  CHECK_SPAN(tam_saved_settings_get(&saved, all_models),
             "{\"json_mode\":true,\"top_p\":0.25}");
  tam_saved_settings_free(&saved);
}

static void test_scopes(void) {
  tam_mem mem = tam_mem_default();
  tam_saved_settings saved;
  tam_saved_settings_init(&saved, &mem);
  CHECK_INT(patch(&saved, scope_of("a/b", ""), "{\"top_k\":1}"), 0);
  CHECK_INT(patch(&saved, scope_of("a/b", "q4"), "{\"top_k\":2}"), 0);
  CHECK_SPAN(tam_saved_settings_get(&saved, all_models), "{}");
  CHECK_SPAN(tam_saved_settings_get(&saved, scope_of("a/b", "")),
             "{\"top_k\":1}");
  CHECK_SPAN(tam_saved_settings_get(&saved, scope_of("a/b", "q4")),
             "{\"top_k\":2}");
  CHECK_SPAN(tam_saved_settings_get(&saved, scope_of("a/c", "q4")), "{}");
  char model[] = "a/aa";
  for (int i = 2; i < TAM_SAVED_SCOPES_MAX; i++) {
    model[2] = (char)('a' + i / 20);
    model[3] = (char)('a' + i % 20);
    CHECK_INT(patch(&saved, scope_of(model, ""), "{}"), 0);
  }
  CHECK_INT(patch(&saved, scope_of("a/z", ""), "{}"), TAM_ERR_TOO_LARGE);
  CHECK_INT(patch(&saved, scope_of("a/b", ""), "{\"top_k\":3}"), 0);
  tam_saved_settings_free(&saved);
}

// Whatever fails, what was saved before stays.
static void test_memory(void) {
  size_t count = 0;
  int error = TAM_ERR_OUT_OF_MEMORY;
  for (size_t fail = 1; error != 0; fail++) {
    check_heap heap = {0};
    tam_mem mem = check_heap_mem(&heap);
    tam_saved_settings saved;
    tam_saved_settings_init(&saved, &mem);
    CHECK_INT(patch(&saved, all_models, "{\"top_k\":1}"), 0);
    heap.fail_at = heap.allocations + fail;
    error = patch(&saved, all_models, "{\"top_p\":0.5}");
    if (error == 0) {
      error = patch(&saved, scope_of("a/b", "q4"), "{\"top_k\":2}");
    }
    heap.fail_at = 0;
    CHECK(error == 0 || error == TAM_ERR_OUT_OF_MEMORY);
    tam_span kept = tam_saved_settings_get(&saved, all_models);
    CHECK(tam_span_eq(kept, TAM_SPAN("{\"top_k\":1}")) ||
          tam_span_eq(kept, TAM_SPAN("{\"top_k\":1,\"top_p\":0.5}")));
    tam_saved_settings_free(&saved);
    CHECK_INT(heap.live, 0);
    count++;
  }
  CHECK(count > 5);
}

int main(void) {
  RUN(test_patches);
  RUN(test_scopes);
  RUN(test_memory);
  return check_finish();
}
