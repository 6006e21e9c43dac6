// SPDX-License-Identifier: Apache-2.0
// Sessions that no rule explains, and descriptions that are none.
#include "session_notation.h"

// A graph that is refused, and why.
typedef struct refused_case {
  const char *inputs;
  const char *outputs;
  const char *problem;
} refused_case;

static const refused_case refused_cases[] = {
    {IDS "pixel_values:float32[b,3,h,w] ", LOGITS,
     "the input \"pixel_values\" is not understood"},
    {IDS "past_key_values.0.key:float32" KV, LOGITS,
     "the input \"past_key_values.0.key\" is not understood"},
    {IDS "past_key_values.0.key:float32" KV,
     LOGITS "present.1.key:float32" KV_NEXT,
     "the input \"past_key_values.0.key\" is not understood"},
    {"input_ids:float32[b,s] ", LOGITS,
     "the input \"input_ids\" has an element type that is not understood"},
    {"input_ids:int64[s] ", LOGITS,
     "the input \"input_ids\" has a shape that is not understood"},
    {"input_ids:int64[b,128] ", LOGITS,
     "the input \"input_ids\" takes a fixed number of tokens"},
    {IDS "attention_mask:int64[b,1,s,t] ", LOGITS,
     "the input \"attention_mask\" has a shape that is not understood"},
    {IDS "position_ids:int64[5,b,s] ", LOGITS,
     "the input \"position_ids\" has a shape that is not understood"},
    {IDS "position_ids:int64[0,b,s] ", LOGITS,
     "the input \"position_ids\" has a shape that is not understood"},
    {IDS "use_cache_branch:int64[1] ", LOGITS,
     "the input \"use_cache_branch\" has an element type that is not "
     "understood"},
    {IDS "past_key_values.0.key:uint8" KV, LOGITS "present.0.key:uint8" KV_NEXT,
     "the input \"past_key_values.0.key\" has an element type that is not "
     "understood"},
    {IDS "past_key_values.0.key:float32[b,2,512,8] ",
     LOGITS "present.0.key:float32[b,2,512,8] ",
     "the input \"past_key_values.0.key\" is a cache of a fixed length"},
    {IDS "past_key_values.0.key:float32[b,past] ",
     LOGITS "present.0.key:float32[b,total] ",
     "the input \"past_key_values.0.key\" has a shape that is not "
     "understood"},
    {IDS "past_conv.0:float32[b,16,4,n] ",
     LOGITS "present_conv.0:float32[b,16,4,n] ",
     "the input \"past_conv.0\" has a size that is not known"},
    {MASK, LOGITS,
     "the input \"attention_mask\" is there, and none that takes tokens"},
    {IDS, "scores:float32[b,s,9] others:float32[b,s,9] ",
     "the output \"scores\" is not understood"},
    {IDS, "present.0.key:float32[b,s,9] ",
     "the output \"present.0.key\" is not understood"},
    {IDS, "logits:int8[b,s,9] ",
     "the output \"logits\" has a type or shape that is not understood"},
    {IDS, "logits:float32[b,9] ",
     "the output \"logits\" has a type or shape that is not understood"},
};

static void test_refusals(void) {
  for (size_t i = 0; i < sizeof(refused_cases) / sizeof(*refused_cases); i++) {
    const refused_case *test = &refused_cases[i];
    check_heap heap = {0};
    tam_mem mem = check_heap_mem(&heap);
    tam_buf problem = text_begin(&mem);
    tam_session_plan *plan = NULL;
    CHECK_INT(plan_of(&plan, metadata_of(test->inputs, test->outputs, &mem),
                      TAM_SESSION_DECODER, &problem, &mem),
              TAM_ERR_UNSUPPORTED_GRAPH);
    CHECK(plan == NULL);
    check_text(problem, test->problem, test->problem);
    CHECK_INT(heap.live, 0);
  }
}

// Without a configuration there is nothing to fall back on.
static void test_sizes_that_nobody_tells(void) {
  static const char *const inputs[] = {
      "past_key_values.0.key:float32[b,2,past,d] ",
      "past_key_values.0.key:float32[b,h,past,8] ",
      "past_conv.0:float32[b,c,4] ", "past_ssm.0:float32[b,2,2,n] ",
      "past_recurrent.0:float32[b,2,n,2] "};
  static const char *const outputs[] = {
      "present.0.key:float32[b,2,total,d] ",
      "present.0.key:float32[b,h,total,8] ", "present_conv.0:float32[b,c,4] ",
      "present_ssm.0:float32[b,2,2,n] ",
      "present_recurrent.0:float32[b,2,n,2] "};
  static const tam_session_sizes unknown = {0};
  tam_mem mem = tam_mem_default();
  for (size_t i = 0; i < 5; i++) {
    char in[256];
    char out[256];
    snprintf(in, sizeof(in), "%s%s", IDS, inputs[i]);
    snprintf(out, sizeof(out), "%s%s", LOGITS, outputs[i]);
    tam_buf metadata = metadata_of(in, out, &mem);
    tam_buf problem = text_begin(&mem);
    tam_session_plan *plan = NULL;
    CHECK_INT(tam_session_plan_new(&plan, tam_buf_span(&metadata),
                                   TAM_SESSION_DECODER, &unknown, &problem,
                                   &mem),
              TAM_ERR_UNSUPPORTED_GRAPH);
    CHECK(tam_span_ends_with(tam_buf_span(&problem),
                             TAM_SPAN("has a size that is not known")));
    tam_buf_free(&problem);
    tam_buf_free(&metadata);
  }
}

// An encoder must not take what only a decoder is given.
static void test_roles(void) {
  tam_mem mem = tam_mem_default();
  tam_buf problem = text_begin(&mem);
  tam_session_plan *plan = NULL;
  CHECK_INT(plan_of(&plan,
                    metadata_of(IDS "inputs_embeds:float32[b,s,9] ",
                                "last_hidden_state:float32[b,s,9] ", &mem),
                    TAM_SESSION_ENCODER, &problem, &mem),
            TAM_ERR_UNSUPPORTED_GRAPH);
  check_text(problem, "encoder",
             "the input \"inputs_embeds\" is not understood");
}

static void test_metadata_of_another_shape(void) {
  static const char *const texts[] = {
      "[]",
      "{}",
      "{\"inputs\":[],\"outputs\":[]}",
      "{\"inputs\":[1],\"outputs\":[]}",
      "{\"inputs\":[{\"type\":\"int64\",\"shape\":[]}],\"outputs\":[]}",
      "{\"inputs\":[{\"name\":\"\",\"type\":\"int64\",\"shape\":[]}]}",
      "{\"inputs\":[{\"name\":\"input_ids\",\"type\":\"int64\"}]}",
      "{\"inputs\":[{\"name\":\"input_ids\",\"type\":\"int64\","
      "\"shape\":[1,1]}]}",
      "{\"inputs\":[{\"name\":\"input_ids\",\"type\":\"int64\","
      "\"shape\":[1,2,3,4,5,6,7]}],\"outputs\":[]}",
  };
  tam_mem mem = tam_mem_default();
  for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
    tam_buf problem = text_begin(&mem);
    tam_session_plan *plan = NULL;
    CHECK_INT(tam_session_plan_new(&plan, tam_span_of(texts[i]),
                                   TAM_SESSION_DECODER, &plan_sizes, &problem,
                                   &mem),
              TAM_ERR_UNEXPECTED_SHAPE);
    check_text(problem, texts[i], "");
  }
  tam_buf problem = text_begin(&mem);
  tam_session_plan *plan = NULL;
  CHECK_INT(tam_session_plan_new(&plan, TAM_SPAN("{"), TAM_SESSION_DECODER,
                                 &plan_sizes, &problem, &mem),
            TAM_ERR_JSON_TRUNCATED);
  tam_buf_free(&problem);
}

// Dimensions that are no sizes are not known.
static void test_odd_dimensions(void) {
  static const char *const dims[] = {"-1",         "4294967295", "1e20",
                                     "2147483648", "null",       "\"\""};
  tam_mem mem = tam_mem_default();
  for (size_t i = 0; i < sizeof(dims) / sizeof(*dims); i++) {
    char text[512];
    snprintf(
        text, sizeof(text),
        "{\"inputs\":[{\"name\":\"input_ids\",\"type\":\"int64\",\"shape\":"
        "[%s,%s]},{\"name\":\"past_0\",\"type\":\"float32\",\"shape\":"
        "[%s,%s,%s,%s]}],\"outputs\":[{\"name\":\"logits\",\"type\":"
        "\"float32\",\"shape\":[%s,%s,%s]},{\"name\":\"present_0\",\"type\":"
        "\"float32\","
        "\"shape\":[]}]}",
        dims[i], dims[i], dims[i], dims[i], dims[i], dims[i], dims[i], dims[i],
        dims[i]);
    tam_buf problem = text_begin(&mem);
    tam_session_plan *plan = NULL;
    CHECK_INT(tam_session_plan_new(&plan, tam_span_of(text),
                                   TAM_SESSION_DECODER, &plan_sizes, &problem,
                                   &mem),
              0);
    check_text(problem, dims[i], "");
    tam_buf caches = text_begin(&mem);
    put_cache(&caches, tam_session_plan_get_cache(plan, 0));
    check_text(caches, dims[i], "past_0<-present_0:kv:float32[1,3,0,16]b0s2 ");
    tam_buf facts = text_begin(&mem);
    put_facts(&facts, tam_session_plan_get_facts(plan));
    check_text(facts, dims[i], "logits:float32,0 cut gather");
    tam_session_plan_del(plan);
  }
}

// The cap of values, and that of a name.
static void test_caps(void) {
  tam_mem mem = tam_mem_default();
  for (size_t count = 1024; count <= 1025; count++) {
    tam_buf json;
    tam_buf_init(&json, &mem, JSON_MAX);
    tam_buf_append_text(&json, "{\"outputs\":[{\"name\":\"logits\",\"type\":"
                               "\"float32\",\"shape\":[1,1,9]}],\"inputs\":["
                               "{\"name\":\"input_ids\",\"type\":\"int64\","
                               "\"shape\":[1,1]}");
    for (size_t i = 1; i < count; i++) {
      tam_buf_append_text(&json, ",{\"name\":\"inputs_embeds\",\"shape\":[]}");
    }
    tam_buf_append_text(&json, "]}");
    tam_buf problem = text_begin(&mem);
    tam_session_plan *plan = NULL;
    CHECK_INT(plan_of(&plan, json, TAM_SESSION_DECODER, &problem, &mem),
              count == 1024 ? 0 : TAM_ERR_UNEXPECTED_SHAPE);
    tam_session_plan_del(plan);
    tam_buf_free(&problem);
  }
  for (size_t len = 256; len <= 257; len++) {
    tam_buf json;
    tam_buf_init(&json, &mem, JSON_MAX);
    tam_buf_append_text(&json, "{\"inputs\":[{\"name\":\"");
    memset(tam_buf_grow(&json, len), 'n', len);
    tam_buf_append_text(&json, "\",\"type\":\"int64\",\"shape\":[1,1]}],"
                               "\"outputs\":[{\"name\":\"logits\","
                               "\"type\":\"float32\",\"shape\":[]}]}");
    tam_buf problem = text_begin(&mem);
    tam_session_plan *plan = NULL;
    CHECK_INT(plan_of(&plan, json, TAM_SESSION_DECODER, &problem, &mem),
              len == 256 ? TAM_ERR_UNSUPPORTED_GRAPH
                         : TAM_ERR_UNEXPECTED_SHAPE);
    tam_buf_free(&problem);
  }
}

static void test_failed_allocations(void) {
  tam_mem plain = tam_mem_default();
  int failures = 0;
  int error = TAM_ERR_OUT_OF_MEMORY;
  for (size_t fail_at = 1; error != 0; fail_at++) {
    check_heap heap = {.fail_at = fail_at, .fail_after = fail_at % 2 == 0};
    tam_mem mem = check_heap_mem(&heap);
    tam_buf metadata =
        metadata_of(IDS "past_key_values.0.key:float32" KV,
                    LOGITS "present.0.key:float32" KV_NEXT, &plain);
    tam_buf problem = text_begin(&plain);
    tam_session_plan *plan = NULL;
    error = plan_of(&plan, metadata, TAM_SESSION_DECODER, &problem, &mem);
    CHECK(error == 0 || error == TAM_ERR_OUT_OF_MEMORY);
    CHECK((plan == NULL) == (error != 0));
    failures += error != 0;
    tam_session_plan_del(plan);
    tam_buf_free(&problem);
    CHECK_INT(heap.live, 0);
  }
  CHECK(failures >= 6);
}

int main(void) {
  RUN(test_refusals);
  RUN(test_sizes_that_nobody_tells);
  RUN(test_roles);
  RUN(test_metadata_of_another_shape);
  RUN(test_odd_dimensions);
  RUN(test_caps);
  RUN(test_failed_allocations);
  return check_finish();
}
