// SPDX-License-Identifier: Apache-2.0
// Every convention of inputs and outputs that exporters use, as onnxruntime-web
// describes them, and what is made of it. In the tables a value is
//
//   name:type[dimension,...]
//
// with a blank behind; dimensions that begin with a digit are numbers, "?" is
// one without a name, and "+" stands for a blank in a name.
#include "chat/session_plan.h"

#include "core/json_write.h"

#include "check.h"

#define JSON_MAX 65536

// A graph and what is expected of its plan.
typedef struct plan_case {
  const char *what;
  tam_session_role role;
  const char *inputs;
  const char *outputs;
  const char *feeds;  // name=meaning:type/rank, with "*planes"
  const char *caches; // input<-output:kind:type[dims]b<axis>s<axis>
  const char *facts;  // output:type,vocab and what else is so
} plan_case;

#define IDS "input_ids:int64[batch_size,sequence_length] "
#define MASK                                                                   \
  "attention_mask:int64[batch_size,past_sequence_length+++sequence_length] "
#define POSITIONS "position_ids:int64[batch_size,sequence_length] "
#define LOGITS    "logits:float32[batch_size,sequence_length,320] "
#define KV        "[batch_size,2,past_sequence_length,8] "
#define KV_NEXT   "[batch_size,2,past_sequence_length+++sequence_length,8] "

static const plan_case plan_cases[] = {
    {"optimum, decoder only", TAM_SESSION_DECODER,
     IDS MASK POSITIONS "past_key_values.0.key:float32" KV
                        "past_key_values.0.value:float32" KV,
     LOGITS "present.0.key:float32" KV_NEXT "present.0.value:float32" KV_NEXT,
     "input_ids=ids:int64/2 attention_mask=mask:int64/2 "
     "position_ids=positions:int64/2 ",
     "past_key_values.0.key<-present.0.key:kv:float32[1,2,0,8]b0s2 "
     "past_key_values.0.value<-present.0.value:kv:float32[1,2,0,8]b0s2 ",
     "logits:float32,320 cut gather"},

    {"outputs before logits, no positions, float16", TAM_SESSION_DECODER,
     "past_key_values.0.key:float16" KV MASK IDS,
     "present.0.key:float16" KV_NEXT
     "logits:float16[batch_size,sequence_length,vocab_size] ",
     "attention_mask=mask:int64/2 input_ids=ids:int64/2 ",
     "past_key_values.0.key<-present.0.key:kv:float16[1,2,0,8]b0s2 ",
     "logits:float16,0 cut gather"},

    {"num_logits_to_keep", TAM_SESSION_DECODER,
     IDS "num_logits_to_keep:int64[] ",
     "logits:float32[batch_size,num_logits,320] ",
     "input_ids=ids:int64/2 num_logits_to_keep=keep:int64/0 ", "",
     "logits:float32,320 cut gather"},

    {"the same as a list, by its later name", TAM_SESSION_DECODER,
     IDS "logits_to_keep:int32[1] ", LOGITS,
     "input_ids=ids:int64/2 logits_to_keep=keep:int32/1 ", "",
     "logits:float32,320 cut gather"},

    {"symbolic heads and sizes", TAM_SESSION_DECODER,
     IDS "past_key_values.0.key:float32[batch_size,num_heads,"
         "past_sequence_length,head_dim] ",
     LOGITS "present.0.key:float32[batch_size,num_heads,total,head_dim] ",
     "input_ids=ids:int64/2 ",
     "past_key_values.0.key<-present.0.key:kv:float32[1,3,0,16]b0s2 ",
     "logits:float32,320 cut gather"},

    {"dimensions without names", TAM_SESSION_DECODER,
     "input_ids:int64[?,?] past_key_values.0.key:float32[?,?,?,?] ",
     "logits:float32[?,?,?] present.0.key:float32[?,?,?,?] ",
     "input_ids=ids:int64/2 ",
     "past_key_values.0.key<-present.0.key:kv:float32[1,3,0,16]b0s2 ",
     "logits:float32,0 cut gather"},

    {"keys with the sequence before the heads", TAM_SESSION_DECODER,
     IDS "past_key_values.0.key:float32[batch,past_seq_len,num_heads,8] ",
     LOGITS "present.0.key:float32[batch,total_seq_len,num_heads,8] ",
     "input_ids=ids:int64/2 ",
     "past_key_values.0.key<-present.0.key:kv:float32[1,0,3,8]b0s1 ",
     "logits:float32,320 cut gather"},

    {"gpt2 of int32, one cache for a layer", TAM_SESSION_DECODER,
     "input_ids:int32[batch,seq] position_ids:int32[batch,seq] "
     "attention_mask:int32[batch,total] "
     "past_0:float32[2,batch,4,past_seq,8] "
     "past_1:float32[2,batch,4,past_seq,8] ",
     "logits:float32[batch,seq,1000] "
     "present_0:float32[2,batch,4,total_seq,8] "
     "present_1:float32[2,batch,4,total_seq,8] ",
     "input_ids=ids:int32/2 position_ids=positions:int32/2 "
     "attention_mask=mask:int32/2 ",
     "past_0<-present_0:kv:float32[2,1,4,0,8]b1s3 "
     "past_1<-present_1:kv:float32[2,1,4,0,8]b1s3 ",
     "logits:float32,1000 cut gather"},

    {"one cache for a layer, rows first, all symbolic", TAM_SESSION_DECODER,
     IDS "past_0:float32[batch,2,heads,past,size] ",
     LOGITS "present_0:float32[batch,2,heads,total,size] ",
     "input_ids=ids:int64/2 ", "past_0<-present_0:kv:float32[1,2,3,0,16]b0s3 ",
     "logits:float32,320 cut gather"},

    {"gpt_bigcode, key_value of one head", TAM_SESSION_DECODER,
     IDS "past_key_values.0.key_value:float32[batch_size,past_sequence_length,"
         "64] past_key_values.1.key_value:float32[batch_size,"
         "past_sequence_length,two_heads] ",
     LOGITS "present.0.key_value:float32[batch_size,total,64] "
            "present.1.key_value:float32[batch_size,total,64] ",
     "input_ids=ids:int64/2 ",
     "past_key_values.0.key_value<-present.0.key_value:kv:float32[1,0,64]b0s1 "
     "past_key_values.1.key_value<-present.1.key_value:kv:float32[1,0,32]b0s1 ",
     "logits:float32,320 cut gather"},

    {"old bloom, rows of heads", TAM_SESSION_DECODER,
     IDS "past_key_values.0.key:float32[batch_size+x+num_heads,16,"
         "past_sequence_length] "
         "past_key_values.0.value:float32[batch_size+x+num_heads,"
         "past_sequence_length,16] ",
     LOGITS "present.0.key:float32[batch_size+x+num_heads,16,total] "
            "present.0.value:float32[batch_size+x+num_heads,total,16] ",
     "input_ids=ids:int64/2 ",
     "past_key_values.0.key<-present.0.key:kv:float32[3,16,0]b0s2 "
     "past_key_values.0.value<-present.0.value:kv:float32[3,0,16]b0s1 ",
     "logits:float32,320 cut"},

    {"lfm2", TAM_SESSION_DECODER,
     IDS MASK "past_conv.0:float32[batch_size,32,4] "
              "past_key_values.1.key:float32" KV
              "past_conv.2:float32[batch_size,hidden,kernel] ",
     LOGITS "present_conv.0:float32[batch_size,32,4] "
            "present.1.key:float32" KV_NEXT
            "present_conv.2:float32[batch_size,hidden,kernel] ",
     "input_ids=ids:int64/2 attention_mask=mask:int64/2 ",
     "past_conv.0<-present_conv.0:conv:float32[1,32,4]b0s- "
     "past_key_values.1.key<-present.1.key:kv:float32[1,2,0,8]b0s2 "
     "past_conv.2<-present_conv.2:conv:float32[1,48,5]b0s- ",
     "logits:float32,320 gather"},

    {"granite hybrid: convolution and state space", TAM_SESSION_DECODER,
     IDS "past_conv.0:float32[batch_size,a,b] "
         "past_ssm.0:float32[batch_size,a,b,c] "
         "past_ssm.1:float32[batch_size,2,4,8] ",
     LOGITS "present_conv.0:float32[batch_size,a,b] "
            "present_ssm.0:float32[batch_size,a,b,c] "
            "present_ssm.1:float32[batch_size,2,4,8] ",
     "input_ids=ids:int64/2 ",
     "past_conv.0<-present_conv.0:conv:float32[1,48,5]b0s- "
     "past_ssm.0<-present_ssm.0:ssm:float32[1,6,7,9]b0s- "
     "past_ssm.1<-present_ssm.1:ssm:float32[1,2,4,8]b0s- ",
     "logits:float32,320 gather"},

    {"qwen3_next and olmo: linear attention", TAM_SESSION_DECODER,
     IDS "past_conv.0.key:float16[batch_size,16,4] "
         "past_recurrent.0:float16[batch_size,a,b,c] ",
     LOGITS "present_conv.0.key:float16[batch_size,16,4] "
            "present_recurrent.0:float16[batch_size,a,b,c] ",
     "input_ids=ids:int64/2 ",
     "past_conv.0.key<-present_conv.0.key:conv:float16[1,16,4]b0s- "
     "past_recurrent.0<-present_recurrent.0:recurrent:float16[1,10,11,12]b0s- ",
     "logits:float32,320 gather"},

    {"deepseek_v4 and zaya: states of other kinds", TAM_SESSION_DECODER,
     IDS "past_compressor.0:float32[batch_size,n,8] "
         "past_indexer.0:float32[batch_size,4,8] "
         "past_key_values.0.shift_state:float32[batch_size,8] ",
     LOGITS "present_compressor.0:float32[batch_size,n,8] "
            "present_indexer.0:float32[batch_size,4,8] "
            "present.0.shift_state:float32[batch_size,8] ",
     "input_ids=ids:int64/2 ",
     "past_compressor.0<-present_compressor.0:other:float32[1,0,8]b0s- "
     "past_indexer.0<-present_indexer.0:other:float32[1,4,8]b0s- "
     "past_key_values.0.shift_state<-present.0.shift_state:other:float32[1,8]"
     "b0s- ",
     "logits:float32,320 gather"},

    {"qwen3.5: embeddings, positions of images", TAM_SESSION_DECODER,
     "inputs_embeds:float32[batch_size,sequence_length,64] " MASK
     "position_ids:int64[3,batch_size,sequence_length] "
     "past_key_values.0.conv_state:float32[batch_size,32,3] "
     "past_key_values.0.recurrent_state:float32[batch_size,2,8,8] "
     "past_key_values.1.key:float16" KV,
     LOGITS "present.0.conv_state:float32[batch_size,32,3] "
            "present.0.recurrent_state:float32[batch_size,2,8,8] "
            "present.1.key:float16" KV_NEXT,
     "attention_mask=mask:int64/2 position_ids=positions:int64/3*3 ",
     "past_key_values.0.conv_state<-present.0.conv_state:conv:float32[1,32,3]"
     "b0s- "
     "past_key_values.0.recurrent_state<-present.0.recurrent_state:recurrent:"
     "float32[1,2,8,8]b0s- "
     "past_key_values.1.key<-present.1.key:kv:float16[1,2,0,8]b0s2 ",
     "logits:float32,320 gather"},

    {"positions in four planes, in planes without a number",
     TAM_SESSION_DECODER, IDS "position_ids:int32[4,b,s] ", LOGITS,
     "input_ids=ids:int64/2 position_ids=positions:int32/3*4 ", "",
     "logits:float32,320 cut gather"},
    {"the same, not told how many", TAM_SESSION_DECODER,
     IDS "position_ids:int64[planes,b,s] ", LOGITS,
     "input_ids=ids:int64/2 position_ids=positions:int64/3*3 ", "",
     "logits:float32,320 cut gather"},

    {"merged decoder of t5", TAM_SESSION_DECODER,
     "encoder_attention_mask:int64[batch_size,encoder_sequence_length] " IDS
     "encoder_hidden_states:float32[batch_size,encoder_sequence_length,32] "
     "past_key_values.0.decoder.key:float32[batch_size,4,"
     "past_decoder_sequence_length,8] "
     "past_key_values.0.encoder.key:float32[batch_size,4,"
     "encoder_sequence_length_out,8] "
     "past_key_values.1.encoder.value:float32[batch_size,h,"
     "encoder_sequence_length_out,d] use_cache_branch:bool[1] ",
     LOGITS "present.0.decoder.key:float32[batch_size,4,more,8] "
            "present.0.encoder.key:float32[batch_size,4,e,8] "
            "present.1.encoder.value:float32[batch_size,h,e,d] ",
     "encoder_attention_mask=encoder_mask:int64/2 input_ids=ids:int64/2 "
     "use_cache_branch=branch:bool/1 ",
     "past_key_values.0.decoder.key<-present.0.decoder.key:kv:float32[1,4,0,8]"
     "b0s2 "
     "past_key_values.0.encoder.key<-present.0.encoder.key:encoder:float32"
     "[1,4,0,8]b0s2 "
     "past_key_values.1.encoder.value<-present.1.encoder.value:encoder:float32"
     "[1,13,0,14]b0s2 ",
     "logits:float32,320 cut gather"},

    {"encoder", TAM_SESSION_ENCODER,
     "input_ids:int64[batch_size,e] attention_mask:int64[batch_size,e] ",
     "last_hidden_state:float32[batch_size,e,32] ",
     "input_ids=ids:int64/2 attention_mask=mask:int64/2 ", "",
     "last_hidden_state:float32,32 cut gather"},

    {"embedding with an output of another name", TAM_SESSION_EMBEDDING, IDS,
     "embeddings:float16[batch_size,sequence_length,64] ",
     "input_ids=ids:int64/2 ", "", "embeddings:float16,64 cut gather"},

    {"genai: ids of int32, head size not told, logits of the last only",
     TAM_SESSION_DECODER,
     "input_ids:int32[batch_size,sequence_length] "
     "attention_mask:int32[batch_size,total_sequence_length] "
     "past_key_values.0.key:float16[batch_size,2,past_sequence_length,"
     "kv_cache_dim] ",
     "logits:float16[batch_size,1,320] "
     "present.0.key:float16[batch_size,2,total_sequence_length,kv_cache_dim] ",
     "input_ids=ids:int32/2 attention_mask=mask:int32/2 ",
     "past_key_values.0.key<-present.0.key:kv:float16[1,2,0,16]b0s2 ",
     "logits:float16,320 last cut gather"},

    {"one row, one token, present_key_values", TAM_SESSION_DECODER,
     "decoder_input_ids:int64[1,1] decoder_attention_mask:int64[1,t] "
     "past_key_values.0.key:float32[1,2,past,8] ",
     "scores:float32[1,1,320] present_key_values.0.key:float32[1,2,t,8] "
     "attentions:float32[1,2,1,t] ",
     "decoder_input_ids=ids:int64/2 decoder_attention_mask=mask:int64/2 ",
     "past_key_values.0.key<-present_key_values.0.key:kv:float32[1,2,0,8]"
     "b0s2 ",
     "scores:float32,320 last cut gather rows1 tokens1"},
};

// What the configuration says; each number stands in one place.
static const tam_session_sizes plan_sizes = {
    .kv_heads = 3,
    .head_dim = 16,
    .encoder_heads = 13,
    .encoder_head_dim = 14,
    .conv_channels = 48,
    .conv_kernel = 5,
    .ssm_heads = 6,
    .ssm_head_dim = 7,
    .ssm_state = 9,
    .recurrent_heads = 10,
    .recurrent_key_dim = 11,
    .recurrent_value_dim = 12,
};

// ---------------------------------------------------------------------------
// From the notation to metadata

static const char *take_until(const char *text, const char *ends,
                              tam_span *ppart) {
  size_t len = strcspn(text, ends);
  *ppart = (tam_span){(const uint8_t *)text, len};
  return text + len + 1;
}

static void write_name(tam_buf *json, tam_span name) {
  char text[128] = {0};
  CHECK(name.len < sizeof(text));
  for (size_t i = 0; i < name.len; i++) {
    text[i] = name.ptr[i] == '+' ? ' ' : (char)name.ptr[i];
  }
  tam_json_write_string(json, tam_span_of(text));
}

static void write_dim(tam_buf *json, tam_span dim) {
  if (tam_span_is(dim, "?")) {
    tam_json_write_number(json, 4294967295.0);
  } else if (dim.ptr[0] >= '0' && dim.ptr[0] <= '9') {
    tam_json_write_number(json, atoi((const char *)dim.ptr));
  } else {
    write_name(json, dim);
  }
}

static void write_values(tam_buf *json, const char *values) {
  tam_json_write_array_begin(json);
  while (*values != '\0') {
    tam_span part;
    tam_json_write_object_begin(json);
    values = take_until(values, ":", &part);
    tam_json_write_string_member(json, "name", part);
    values = take_until(values, "[", &part);
    tam_json_write_string_member(json, "type", part);
    tam_json_write_key(json, "shape");
    tam_json_write_array_begin(json);
    while (values[-1] != ']') {
      values = take_until(values, ",]", &part);
      if (part.len > 0) {
        write_dim(json, part);
      }
    }
    tam_json_write_array_end(json);
    tam_json_write_object_end(json);
    values++; // the blank
  }
  tam_json_write_array_end(json);
}

static tam_buf metadata_of(const char *inputs, const char *outputs,
                           const tam_mem *mem) {
  tam_buf json;
  tam_buf_init(&json, mem, JSON_MAX);
  tam_json_write_object_begin(&json);
  tam_json_write_key(&json, "inputs");
  write_values(&json, inputs);
  tam_json_write_key(&json, "outputs");
  write_values(&json, outputs);
  tam_json_write_object_end(&json);
  CHECK_INT(json.error, 0);
  return json;
}

// ---------------------------------------------------------------------------
// From the plan to the notation

static void put_text(tam_buf *text, const char *part) {
  tam_buf_append_text(text, part);
}

static void put_number(tam_buf *text, long long number) {
  char digits[24];
  snprintf(digits, sizeof(digits), "%lld", number);
  tam_buf_append_text(text, digits);
}

static void put_feeds(tam_buf *text, const tam_session_plan *plan) {
  static const char *const meanings[] = {"ids",  "mask",   "positions",
                                         "keep", "branch", "encoder_mask"};
  const tam_session_feed *feed;
  for (size_t i = 0; (feed = tam_session_plan_get_feed(plan, i)) != NULL; i++) {
    tam_buf_append(text, feed->name);
    put_text(text, "=");
    put_text(text, meanings[feed->meaning]);
    put_text(text, ":");
    put_text(text, tam_element_name(feed->element));
    put_text(text, "/");
    put_number(text, feed->rank);
    if (feed->planes > 0) {
      put_text(text, "*");
      put_number(text, feed->planes);
    }
    put_text(text, " ");
  }
}

static void put_cache(tam_buf *text, const tam_session_cache *cache) {
  static const char *const kinds[] = {"kv",  "encoder",   "conv",
                                      "ssm", "recurrent", "other"};
  tam_buf_append(text, cache->input);
  put_text(text, "<-");
  tam_buf_append(text, cache->output);
  put_text(text, ":");
  put_text(text, kinds[cache->kind]);
  put_text(text, ":");
  put_text(text, tam_element_name(cache->element));
  for (uint32_t i = 0; i < cache->rank; i++) {
    put_text(text, i == 0 ? "[" : ",");
    put_number(text, cache->dims[i]);
  }
  put_text(text, "]b");
  put_number(text, cache->batch_axis);
  put_text(text, "s");
  if (cache->sequence_axis < 0) {
    put_text(text, "-");
  } else {
    put_number(text, cache->sequence_axis);
  }
  put_text(text, " ");
}

static void put_facts(tam_buf *text, const tam_session_facts *facts) {
  tam_buf_append(text, facts->output);
  put_text(text, ":");
  put_text(text, tam_element_name(facts->element));
  put_text(text, ",");
  put_number(text, facts->vocab);
  put_text(text, facts->is_last_only ? " last" : "");
  put_text(text, facts->can_cut ? " cut" : "");
  put_text(text, facts->can_gather ? " gather" : "");
  if (facts->rows > 0) {
    put_text(text, " rows");
    put_number(text, facts->rows);
  }
  if (facts->tokens > 0) {
    put_text(text, " tokens");
    put_number(text, facts->tokens);
  }
}

// Compares |text|, which is freed, with |expected|.
static void check_text(tam_buf text, const char *what, const char *expected) {
  CHECK_INT(text.error, 0);
  int is_same = tam_span_eq(tam_buf_span(&text), tam_span_of(expected));
  CHECK(is_same);
  if (!is_same) {
    printf("%s:\n  is       %.*s\n  expected %s\n", what, (int)text.len,
           (const char *)text.data, expected);
  }
  tam_buf_free(&text);
}

static tam_buf text_begin(const tam_mem *mem) {
  tam_buf text;
  tam_buf_init(&text, mem, JSON_MAX);
  tam_buf_grow(&text, 0);
  return text;
}

// Makes the plan of |metadata|, which is freed; says why not in |problem|.
static int plan_of(tam_session_plan **pplan, tam_buf metadata,
                   tam_session_role role, tam_buf *problem,
                   const tam_mem *mem) {
  int error = tam_session_plan_new(pplan, tam_buf_span(&metadata), role,
                                   &plan_sizes, problem, mem);
  // A plan that still points there would read this.
  memset(metadata.data, 'x', metadata.len);
  tam_buf_free(&metadata);
  return error;
}

// ---------------------------------------------------------------------------
// Tests

static void check_case(const plan_case *test) {
  check_heap heap = {0};
  tam_mem mem = check_heap_mem(&heap);
  tam_buf problem = text_begin(&mem);
  tam_session_plan *plan = NULL;
  int error = plan_of(&plan, metadata_of(test->inputs, test->outputs, &mem),
                      test->role, &problem, &mem);
  CHECK_INT(error, 0);
  check_text(problem, test->what, "");
  if (error == 0) {
    tam_buf feeds = text_begin(&mem);
    put_feeds(&feeds, plan);
    check_text(feeds, test->what, test->feeds);
    tam_buf caches = text_begin(&mem);
    const tam_session_cache *cache;
    for (size_t i = 0; (cache = tam_session_plan_get_cache(plan, i)) != NULL;
         i++) {
      put_cache(&caches, cache);
    }
    check_text(caches, test->what, test->caches);
    tam_buf facts = text_begin(&mem);
    put_facts(&facts, tam_session_plan_get_facts(plan));
    check_text(facts, test->what, test->facts);
    tam_session_plan_del(plan);
  }
  CHECK_INT(heap.live, 0);
}

static void test_conventions(void) {
  for (size_t i = 0; i < sizeof(plan_cases) / sizeof(*plan_cases); i++) {
    check_case(&plan_cases[i]);
  }
}

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

static void test_orders_for_the_host(void) {
  tam_mem mem = tam_mem_default();
  tam_buf problem = text_begin(&mem);
  tam_session_plan *plan = NULL;
  CHECK_INT(
      plan_of(&plan,
              metadata_of(IDS "past_key_values.0.key:float16" KV
                              "past_key_values.0.encoder.key:float32[b,4,e,8] "
                              "past_\"conv\\.1:float32[b,16,3] ",
                          LOGITS "present.0.key:float16" KV_NEXT
                                 "present.0.encoder.key:float32[b,4,e,8] "
                                 "present_\"conv\\.1:float32[b,16,3] ",
                          &mem),
              TAM_SESSION_DECODER, &problem, &mem),
      0);
  tam_buf json = text_begin(&mem);
  tam_session_plan_write_cache(plan, 2, &json);
  check_text(json, "cache",
             "[{\"name\":\"past_key_values.0.key\",\"type\":\"float16\","
             "\"dims\":[2,2,0,8]},"
             "{\"name\":\"past_key_values.0.encoder.key\",\"type\":\"float32\","
             "\"dims\":[2,4,0,8]},"
             "{\"name\":\"past_\\\"conv\\\\.1\",\"type\":\"float32\","
             "\"dims\":[2,16,3]}]");
  json = text_begin(&mem);
  tam_session_plan_write_keep(plan, 1, &json);
  check_text(json, "first",
             "{\"present.0.key\":\"past_key_values.0.key\","
             "\"present.0.encoder.key\":\"past_key_values.0.encoder.key\","
             "\"present_\\\"conv\\\\.1\":\"past_\\\"conv\\\\.1\"}");
  json = text_begin(&mem);
  tam_session_plan_write_keep(plan, 0, &json);
  check_text(json, "later",
             "{\"present.0.key\":\"past_key_values.0.key\","
             "\"present_\\\"conv\\\\.1\":\"past_\\\"conv\\\\.1\"}");
  json = text_begin(&mem);
  tam_session_plan_write_cut_axes(plan, &json);
  check_text(json, "cut", "{\"past_key_values.0.key\":2}");
  json = text_begin(&mem);
  tam_session_plan_write_gather_axes(plan, &json);
  check_text(json, "gather",
             "{\"past_key_values.0.key\":0,"
             "\"past_key_values.0.encoder.key\":0,"
             "\"past_\\\"conv\\\\.1\":0}");
  tam_session_plan_del(plan);
  tam_buf_free(&problem);
}

static void test_what_other_sessions_hand_on(void) {
  tam_mem mem = tam_mem_default();
  tam_buf problem = text_begin(&mem);
  tam_session_plan *plan = NULL;
  CHECK_INT(plan_of(&plan,
                    metadata_of(IDS, "last_hidden_state:float32[b,s,9] ", &mem),
                    TAM_SESSION_ENCODER, &problem, &mem),
            0);
  tam_buf json = text_begin(&mem);
  tam_session_plan_write_keep(plan, 1, &json);
  check_text(json, "encoder",
             "{\"last_hidden_state\":\"encoder_hidden_states\"}");
  tam_session_plan_del(plan);
  CHECK_INT(plan_of(&plan, metadata_of(IDS, "x:float32[b,s,9] ", &mem),
                    TAM_SESSION_EMBEDDING, &problem, &mem),
            0);
  json = text_begin(&mem);
  tam_session_plan_write_keep(plan, 0, &json);
  check_text(json, "embedding", "{\"x\":\"inputs_embeds\"}");
  tam_session_plan_del(plan);
  tam_buf_free(&problem);
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
  const plan_case *test = &plan_cases[0];
  tam_mem plain = tam_mem_default();
  int failures = 0;
  int error = TAM_ERR_OUT_OF_MEMORY;
  for (size_t fail_at = 1; error != 0; fail_at++) {
    check_heap heap = {.fail_at = fail_at, .fail_after = fail_at % 2 == 0};
    tam_mem mem = check_heap_mem(&heap);
    tam_buf metadata = metadata_of(test->inputs, test->outputs, &plain);
    tam_buf problem = text_begin(&plain);
    tam_session_plan *plan = NULL;
    error = plan_of(&plan, metadata, test->role, &problem, &mem);
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
  RUN(test_conventions);
  RUN(test_refusals);
  RUN(test_sizes_that_nobody_tells);
  RUN(test_roles);
  RUN(test_orders_for_the_host);
  RUN(test_what_other_sessions_hand_on);
  RUN(test_metadata_of_another_shape);
  RUN(test_odd_dimensions);
  RUN(test_caps);
  RUN(test_failed_allocations);
  return check_finish();
}
