// SPDX-License-Identifier: Apache-2.0
// Every convention of inputs and outputs that exporters use, as onnxruntime-web
// describes them, and what is made of it.
#include "session_notation.h"

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
     "logits:float16,320 cut gather"},

    {"one row, one token, present_key_values", TAM_SESSION_DECODER,
     "decoder_input_ids:int64[1,1] decoder_attention_mask:int64[1,t] "
     "past_key_values.0.key:float32[1,2,past,8] ",
     "scores:float32[1,1,320] present_key_values.0.key:float32[1,2,t,8] "
     "attentions:float32[1,2,1,t] ",
     "decoder_input_ids=ids:int64/2 decoder_attention_mask=mask:int64/2 ",
     "past_key_values.0.key<-present_key_values.0.key:kv:float32[1,2,0,8]"
     "b0s2 ",
     "scores:float32,320 cut gather rows1 tokens1"},
};

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

int main(void) {
  RUN(test_conventions);
  RUN(test_orders_for_the_host);
  RUN(test_what_other_sessions_hand_on);
  return check_finish();
}
