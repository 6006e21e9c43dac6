// SPDX-License-Identifier: Apache-2.0
// Saved settings in the objects of TabAgent: which of them are meant, where
// those of a dtype lie, what a change makes of an object, and memory that runs
// out.
#include "chat/saved_settings.h"

#include "check.h"

static const tam_settings_scope all_models = {{NULL, 0}, {NULL, 0}};

static tam_settings_scope scope_of(const char *model, const char *dtype) {
  return (tam_settings_scope){tam_span_of(model), tam_span_of(dtype)};
}

static void check_read(const char *object, tam_settings_scope scope,
                       const char *expected) {
  tam_mem mem = tam_mem_default();
  tam_buf json;
  tam_buf_init(&json, &mem, 65536);
  tam_saved_settings_write(tam_span_of(object), scope, &json);
  CHECK(tam_span_is(tam_buf_span(&json), expected));
  tam_buf_free(&json);
}

static void test_meant(void) {
  check_read("", all_models, "{}");
  check_read("{\"id\":\"InferenceSettings\"}", all_models, "{}");
  // As TabAgent writes them since it knows which are meant.
  check_read("{\"id\":\"InferenceSettings\",\"temperature\":0.2,"
             "\"max_length\":8192,\"do_sample\":true,\"top_k\":3,"
             "\"bad_words_ids\":null,\"json_mode\":false,"
             "\"system_prompt\":\"a \\u0000 \\ud800 \\\"b\\\"\","
             "\"enabled\":{\"temperature\":true,\"max_length\":false,"
             "\"top_k\":true,\"bad_words_ids\":true}}",
             all_models,
             "{\"temperature\":0.2,\"do_sample\":true,\"top_k\":3,"
             "\"json_mode\":false,"
             "\"system_prompt\":\"a \\u0000 \\ud800 \\\"b\\\"\"}");
  // As it wrote them before.
  check_read("{\"id\":\"InferenceSettings\",\"temperature\":0.7,"
             "\"do_sample\":true,\"attention_mask\":true,\"batch_size\":1,"
             "\"threads\":2,\"eos_token_id\":null,\"prefix\":null,"
             "\"system_prompt\":\"x\"}",
             all_models, "{\"do_sample\":true,\"system_prompt\":\"x\"}");
  check_read("{\"do_sample\":true,\"enabled\":{\"do_sample\":false}}",
             all_models, "{}");
  check_read("{\"top_k\":3,\"enabled\":[\"top_k\"]}", all_models, "{}");
  check_read("{ \"top_k\" : 3 , \"enabled\" : { \"top_k\" : true } }",
             all_models, "{\"top_k\":3}");
}

static void test_scopes(void) {
  static const char manifest[] =
      "{\"repo\":\"a/b\",\"manifestVersion\":1,\"inferenceSettings\":"
      "{\"top_k\":1,\"enabled\":{\"top_k\":true}},\"quants\":{"
      "\"onnx/model_q4.onnx\":{\"files\":[\"x\"],\"status\":\"downloaded\","
      "\"dtype\":\"q4\",\"inferenceSettings\":{\"top_k\":2,"
      "\"enabled\":{\"top_k\":true}}},"
      "\"onnx/model_fp16.onnx\":{\"dtype\":\"fp16\"},"
      "\"fp16\":{\"inferenceSettings\":{\"top_k\":4,"
      "\"enabled\":{\"top_k\":true}}},"
      "\"onnx/model_quantized.onnx\":{\"dtype\":\"quantized\","
      "\"inferenceSettings\":{\"do_sample\":true}},"
      "\"q4f16\":5}}";
  check_read(manifest, scope_of("a/b", ""), "{\"top_k\":1}");
  check_read(manifest, scope_of("a/b", "q4"), "{\"top_k\":2}");
  check_read(manifest, scope_of("a/b", "onnx/model_q4.onnx"), "{\"top_k\":2}");
  check_read(manifest, scope_of("a/b", "fp16"), "{\"top_k\":4}");
  check_read(manifest, scope_of("a/b", "q8"), "{\"do_sample\":true}");
  check_read(manifest, scope_of("a/b", "q4f16"), "{}");
  check_read("{\"quants\":[]}", scope_of("a/b", "q4"), "{}");
  check_read("", scope_of("a/b", "q4"), "{}");
}

// What is under the dtype's own name counts, wherever it stands.
static void test_own_name_first(void) {
  check_read("{\"quants\":{\"q4\":{\"inferenceSettings\":"
             "{\"json_mode\":true}},\"m.onnx\":{\"dtype\":\"q4\","
             "\"inferenceSettings\":{\"json_mode\":false}}}}",
             scope_of("a/b", "q4"), "{\"json_mode\":true}");
}

static void check_patch(const char *object, tam_settings_scope scope,
                        const char *settings, const char *expected) {
  tam_mem mem = tam_mem_default();
  tam_json_node *root = NULL;
  tam_buf change;
  tam_buf json;
  tam_buf_init(&change, &mem, 65536);
  tam_buf_init(&json, &mem, 65536);
  CHECK_INT(tam_json_tree_parse(&root, tam_span_of(settings), &mem), 0);
  tam_saved_settings_write_change(root, &change);
  tam_saved_settings_write_patch(tam_span_of(object), scope,
                                 tam_buf_span(&change), &json);
  CHECK(tam_span_is(tam_buf_span(&json), expected));
  tam_json_tree_free(root, &mem);
  tam_buf_free(&change);
  tam_buf_free(&json);
}

static void test_patches(void) {
  check_patch("", all_models,
              "{\"top_p\":0.0001,\"stop_strings\":[\"a\\n\",\"\\u00e9\"],"
              "\"logit_bias\":{\"5\":-1.5},\"json_mode\":true,\"top_k\":null}",
              "{\"enabled\":{\"top_p\":true,\"stop_strings\":true,"
              "\"logit_bias\":true,\"top_k\":null},\"top_p\":0.0001,"
              "\"stop_strings\":[\"a\\u000a\",\"\xc3\xa9\"],"
              "\"logit_bias\":{\"5\":-1.5},\"json_mode\":true,"
              "\"top_k\":null}");
  // A panel that says itself which are meant.
  check_patch("", all_models,
              "{\"top_k\":5,\"enabled\":{\"top_k\":false,\"top_p\":true}}",
              "{\"enabled\":{\"top_k\":true,\"top_k\":false,\"top_p\":true},"
              "\"top_k\":5}");
  check_patch("", scope_of("a/b", ""), "{\"top_k\":5}",
              "{\"manifestVersion\":1,\"inferenceSettings\":{\"enabled\":"
              "{\"top_k\":true},\"top_k\":5},\"quants\":{}}");
  static const char entry[] =
      "{\"manifestVersion\":1,\"quants\":{\"q4\":{\"files\":[\"q4\"],"
      "\"status\":\"available\",\"dtype\":\"q4\",\"hasExternalData\":false,"
      "\"inferenceSettings\":{\"enabled\":{},\"json_mode\":false}}}}";
  check_patch("", scope_of("a/b", "q4"), "{\"json_mode\":false}", entry);
  check_patch("{\"quants\":{\"q4\":7}}", scope_of("a/b", "q4"),
              "{\"json_mode\":false}", entry);
  check_patch("{\"quants\":{\"q4\":{\"status\":\"downloaded\"}}}",
              scope_of("a/b", "q4"), "{\"json_mode\":false}",
              "{\"manifestVersion\":1,\"quants\":{\"q4\":{"
              "\"inferenceSettings\":{\"enabled\":{},"
              "\"json_mode\":false}}}}");
}

static void test_known(void) {
  tam_mem mem = tam_mem_default();
  tam_saved_settings saved;
  tam_settings_scope scope = scope_of("a/b", "q4");
  tam_saved_settings_init(&saved, &mem);
  CHECK(!tam_saved_settings_has(&saved, scope));
  tam_saved_settings_begin(&saved);
  CHECK_INT(tam_saved_settings_take(&saved, all_models,
                                    TAM_SPAN("{\"do_sample\":true}")),
            0);
  CHECK(!tam_saved_settings_has(&saved, scope));
  CHECK_INT(tam_saved_settings_take(&saved, scope, TAM_SPAN_NONE), 0);
  CHECK(tam_saved_settings_has(&saved, scope));
  CHECK(!tam_saved_settings_has(&saved, scope_of("a/b", "q8")));
  CHECK(!tam_saved_settings_has(&saved, scope_of("a/c", "q4")));
  CHECK_SPAN(tam_buf_span(&saved.texts[0]), "{\"do_sample\":true}");
  CHECK_SPAN(tam_buf_span(&saved.texts[2]), "{}");
  // Changed in the midst of reading: what was read may be older.
  tam_saved_settings_begin(&saved);
  CHECK_INT(tam_saved_settings_take(&saved, all_models, TAM_SPAN_NONE), 0);
  tam_saved_settings_forget(&saved);
  CHECK_INT(tam_saved_settings_take(&saved, scope, TAM_SPAN_NONE), 0);
  CHECK(!tam_saved_settings_has(&saved, scope));
  tam_saved_settings_free(&saved);
}

static void test_memory(void) {
  size_t count = 0;
  int error = TAM_ERR_OUT_OF_MEMORY;
  for (size_t fail = 1; error != 0; fail++) {
    check_heap heap = {0};
    tam_mem mem = check_heap_mem(&heap);
    tam_saved_settings saved;
    tam_saved_settings_init(&saved, &mem);
    heap.fail_at = fail;
    error = tam_saved_settings_take(&saved, all_models, TAM_SPAN_NONE);
    if (error == 0) {
      error =
          tam_saved_settings_take(&saved, scope_of("a/b", "q4"), TAM_SPAN_NONE);
    }
    CHECK(error == 0 || error == TAM_ERR_OUT_OF_MEMORY);
    CHECK(saved.is_known == (error == 0));
    tam_saved_settings_free(&saved);
    CHECK_INT(heap.live, 0);
    count++;
  }
  CHECK_INT(count, 6); // three texts, two names, and none that fails
}

int main(void) {
  RUN(test_meant);
  RUN(test_scopes);
  RUN(test_own_name_first);
  RUN(test_patches);
  RUN(test_known);
  RUN(test_memory);
  return check_finish();
}
