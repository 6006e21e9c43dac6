// SPDX-License-Identifier: Apache-2.0
// Configurations as the families have them (the members that matter), in pieces
// of every size; and documents that are odd or hostile.
#include "chat/model_config.h"

#include "check.h"

#include <stdlib.h>

// Reads |text| in pieces of |step| bytes, each a copy of its own size.
static int read(tam_model_config *config, tam_model_section section,
                tam_span text, size_t step) {
  tam_model_config_scan *scan = malloc(sizeof(*scan));
  int error = 0;
  tam_model_config_scan_init(scan, section, config);
  for (size_t at = 0; at < text.len && error == 0; at += step) {
    tam_span piece = tam_span_head(tam_span_from(text, at), step);
    uint8_t *copy = malloc(piece.len);
    memcpy(copy, piece.ptr, piece.len);
    error = tam_model_config_scan_feed(scan, (tam_span){copy, piece.len});
    free(copy);
  }
  if (error == 0) {
    error = tam_model_config_scan_end(scan);
  }
  free(scan);
  return error;
}

static tam_model_config config;
static tam_model_ids ids;
static tam_model_shape shape;

static const tam_tokenizer_facts no_tokenizer = {-1, -1, -1, {NULL, 0}};

// Reads both documents and finds what follows.
static void find(const char *text, const char *generation, size_t step,
                 const tam_tokenizer_facts *tokenizer) {
  tam_model_config_init(&config);
  CHECK_INT(read(&config, TAM_MODEL_CONFIG, tam_span_of(text), step), 0);
  if (generation != NULL) {
    tam_span document = tam_span_of(generation);
    CHECK_INT(read(&config, TAM_MODEL_GENERATION, document, step), 0);
  }
  tam_model_config_ids(&config, tokenizer, &ids);
  tam_model_config_shape(&config, &shape);
}

static tam_span model_type(void) {
  return (tam_span){config.model_type, config.model_type_len};
}

static void test_llama(void) {
  for (size_t step = 1; step < 300; step++) {
    find("{\"architectures\":[\"LlamaForCausalLM\"],\"bos_token_id\":128000,"
         "\"eos_token_id\":[128001,128008,128009],\"head_dim\":64,"
         "\"hidden_size\":2048,\"max_position_embeddings\":131072,"
         "\"model_type\":\"llama\",\"num_attention_heads\":32,"
         "\"num_hidden_layers\":16,\"num_key_value_heads\":8,"
         "\"rope_scaling\":{\"head_dim\":1,\"x\":[[1],{\"eos_token_id\":3}]},"
         "\"vocab_size\":128256,\"transformers.js_config\":{"
         "\"dtype\":\"q4f16\",\"kv_cache_dtype\":{\"q4f16\":\"float16\"},"
         "\"use_external_data_format\":{\"model.onnx\":2,"
         "\"model_fp16.onnx\":true}}}",
         NULL, step, &no_tokenizer);
    CHECK_SPAN(model_type(), "llama");
    CHECK_INT(ids.eos.count, 3);
    CHECK_INT(ids.eos.ids[0], 128001);
    CHECK_INT(ids.eos.ids[2], 128009);
    CHECK_INT(ids.pad, 128001);
    CHECK_INT(ids.bos, 128000);
    CHECK_INT(ids.forced_bos, -1);
    CHECK_INT(ids.forced_eos, -1);
    CHECK_INT(tam_model_config_context(&config), 131072);
    CHECK_INT(shape.heads, 32);
    CHECK_INT(shape.kv_heads, 8);
    CHECK_INT(shape.hidden, 2048);
    CHECK_INT(shape.head_dim, 64);
    CHECK_INT(shape.conv_cache, 0);
    CHECK_SPAN(((tam_span){config.dtype, config.dtype_len}), "q4f16");
    CHECK_INT(config.external_files, 2);
  }
}

static void test_gpt2(void) {
  find("{\"model_type\":\"gpt2\",\"n_ctx\":512,\"n_embd\":768,\"n_head\":12,"
       "\"n_layer\":12,\"n_positions\":1024}",
       NULL, 1000,
       &(tam_tokenizer_facts){-1, -1, -1, TAM_SPAN("GPT2TokenizerFast")});
  CHECK_INT(ids.eos.count, 1);
  CHECK_INT(ids.eos.ids[0], 50256);
  CHECK_INT(ids.pad, 50256);
  CHECK_INT(ids.bos, -1);
  CHECK_INT(tam_model_config_context(&config), 1024);
  CHECK_INT(shape.kv_heads, 12);
  CHECK_INT(shape.head_dim, 64);
}

static void test_encoder_decoder(void) {
  find("{\"model_type\":\"t5\",\"is_encoder_decoder\":true,\"d_model\":512,"
       "\"d_kv\":64,\"num_heads\":6,\"num_layers\":8,\"num_decoder_layers\":7,"
       "\"decoder_start_token_id\":0,\"pad_token_id\":0,\"eos_token_id\":1}",
       NULL, 1000, &no_tokenizer);
  CHECK_INT(ids.decoder_start, 0);
  CHECK_INT(ids.pad, 0);
  CHECK_INT(shape.heads, 6);
  CHECK_INT(shape.encoder_heads, 6);
  CHECK_INT(shape.head_dim, 64);
  CHECK_INT(tam_model_config_context(&config), 0);

  find("{\"model_type\":\"bart\",\"is_encoder_decoder\":true,\"d_model\":768,"
       "\"decoder_attention_heads\":12,\"encoder_attention_heads\":16,"
       "\"decoder_layers\":6,\"num_hidden_layers\":5,\"bos_token_id\":0,"
       "\"forced_bos_token_id\":0,\"forced_eos_token_id\":2}",
       NULL, 1000, &no_tokenizer);
  CHECK_INT(shape.head_dim, 64);
  CHECK_INT(shape.encoder_head_dim, 48);
  CHECK_INT(ids.forced_bos, 0);
  CHECK_INT(ids.forced_eos, 2);
  CHECK_INT(ids.decoder_start, 0); // nobody says it: bos
}

static void test_nested(void) {
  find("{\"model_type\":\"gemma3\",\"text_config\":{\"eos_token_id\":9},"
       "\"eos_token_id\":[1,106],\"text_config\":{\"model_type\":"
       "\"gemma3_text\",\"hidden_size\":2560,\"num_attention_heads\":8,"
       "\"num_key_value_heads\":4,\"head_dim\":256,\"num_hidden_layers\":34,"
       "\"max_position_embeddings\":32768,\"bos_token_id\":2},"
       "\"vision_config\":{\"hidden_size\":1152}}",
       NULL, 7, &no_tokenizer);
  CHECK_SPAN(model_type(), "gemma3");
  CHECK_SPAN(((tam_span){config.text_model_type, config.text_model_type_len}),
             "gemma3_text");
  CHECK_INT(ids.eos.count, 2);
  CHECK_INT(ids.bos, 2);
  CHECK_INT(shape.hidden, 2560);
  CHECK_INT(shape.head_dim, 256);
  CHECK_INT(shape.kv_heads, 4);
  CHECK_INT(tam_model_config_context(&config), 32768);
  CHECK_INT(config.sections[TAM_MODEL_TEXT_CONFIG].eos.count, 0); // replaced
}

static void test_states(void) {
  find("{\"model_type\":\"lfm2\",\"conv_L_cache\":3,\"hidden_size\":1024}",
       NULL, 1000, &no_tokenizer);
  CHECK_INT(shape.conv_cache, 3);
  find("{\"model_type\":\"falcon_h1\",\"mamba_d_ssm\":1536,"
       "\"mamba_n_groups\":1,\"mamba_d_state\":128,\"mamba_d_conv\":4,"
       "\"mamba_n_heads\":24,\"mamba_d_head\":64}",
       NULL, 1000, &no_tokenizer);
  CHECK_INT(shape.ssm_inner, 1536);
  CHECK_INT(shape.ssm_groups, 1);
  CHECK_INT(shape.ssm_state, 128);
  CHECK_INT(shape.ssm_conv, 4);
  CHECK_INT(shape.ssm_heads, 24);
  CHECK_INT(shape.ssm_head_dim, 64);
  find("{\"hidden_size\":768,\"mamba_expand\":2}", NULL, 1000, &no_tokenizer);
  CHECK_INT(shape.ssm_inner, 1536);
  find("{\"mamba_num_heads\":10,\"mamba_head_dim\":8,\"conv_kernel\":4,"
       "\"n_groups\":8,\"ssm_state_size\":16}",
       NULL, 1000, &no_tokenizer);
  CHECK_INT(shape.ssm_inner, 80);
  CHECK_INT(shape.ssm_conv, 4);
  CHECK_INT(shape.ssm_groups, 8);
  CHECK_INT(shape.ssm_state, 16);
  find("{\"linear_conv_kernel_dim\":4,\"linear_num_value_heads\":32,"
       "\"linear_num_key_heads\":16,\"linear_key_head_dim\":128,"
       "\"linear_value_head_dim\":127}",
       NULL, 1000, &no_tokenizer);
  CHECK_INT(shape.linear_conv, 4);
  CHECK_INT(shape.linear_value_heads, 32);
  CHECK_INT(shape.linear_key_heads, 16);
  CHECK_INT(shape.linear_key_dim, 128);
  CHECK_INT(shape.linear_value_dim, 127);
  find("{\"n_head\":16,\"multi_query\":true,\"n_embd\":2048}", NULL, 1000,
       &no_tokenizer);
  CHECK_INT(shape.kv_heads, 1);
  CHECK_INT(shape.head_dim, 128);
}

// The first that has an id says it.
static void test_order_of_ids(void) {
  const tam_tokenizer_facts tokenizer = {50, 51, 52,
                                         TAM_SPAN("LlamaTokenizerFast")};
  find("{\"eos_token_id\":10,\"pad_token_id\":11,\"bos_token_id\":12,"
       "\"text_config\":{\"eos_token_id\":20}}",
       "{\"eos_token_id\":[30,31],\"pad_token_id\":null,\"text_config\":"
       "{\"bos_token_id\":7},\"temperature\":0.6}",
       3, &tokenizer);
  CHECK_INT(ids.eos.count, 2);
  CHECK_INT(ids.eos.ids[1], 31);
  CHECK_INT(ids.pad, 11);
  CHECK_INT(ids.bos, 12);

  find("{\"eos_token_id\":null,\"text_config\":{\"eos_token_id\":20}}", "{}", 3,
       &tokenizer);
  CHECK_INT(ids.eos.ids[0], 20);
  CHECK_INT(ids.pad, 51);
  CHECK_INT(ids.bos, 52);

  find("{\"eos_token_ids\":[40,41],\"text_config\":{\"eos_token_id\":20}}",
       "{}", 3, &tokenizer);
  CHECK_INT(ids.eos.ids[0], 40);

  // Of equal members the last one counts; generation_config.json has no parts.
  find("{\"eos_token_id\":1,\"eos_token_id\":[2]}",
       "{\"text_config\":{\"bos_token_id\":7}}", 3, &tokenizer);
  CHECK_INT(ids.eos.count, 1);
  CHECK_INT(ids.eos.ids[0], 2);
  CHECK_INT(ids.bos, 52);

  find("{}", NULL, 3, &tokenizer);
  CHECK_INT(ids.eos.ids[0], 50);
  find("{}", NULL, 3,
       &(tam_tokenizer_facts){-1, -1, -1, TAM_SPAN("LlamaTokenizerFast")});
  CHECK_INT(ids.eos.ids[0], 2);
  CHECK_INT(ids.pad, 2);
  find("{}", NULL, 3, &no_tokenizer);
  CHECK_INT(ids.eos.count, 0);
  CHECK_INT(ids.pad, -1);
}

static void test_odd_values(void) {
  find("{\"eos_token_id\":[-1,\"2\",2.5,3,{\"a\":4},[5],4294967296],"
       "\"hidden_size\":\"64\",\"n_embd\":-3,\"d_model\":32,"
       "\"bos_token_id\":[1],\"model_type\":7,\"is_encoder_decoder\":1,"
       "\"transformers.js_config\":{\"dtype\":{\"embed_tokens\":\"fp32\","
       "\"decoder_model_merged\":\"q4\",\"vision_encoder\":\"q8\"},"
       "\"use_external_data_format\":true}}",
       NULL, 5, &no_tokenizer);
  CHECK_INT(ids.eos.count, 1);
  CHECK_INT(ids.eos.ids[0], 3);
  CHECK_INT(ids.bos, -1);
  CHECK_INT(shape.hidden, 32);
  CHECK_INT(model_type().len, 0);
  CHECK_SPAN(((tam_span){config.dtype, config.dtype_len}), "q4");
  CHECK_INT(config.external_files, 1);
  // Escaped keys are the same keys.
  find("{\"hidden\\u005fsize\":5}", NULL, 5, &no_tokenizer);
  CHECK_INT(shape.hidden, 5);
}

static void test_many_ids(void) {
  char text[1000] = "{\"eos_token_id\":[0";
  for (int i = 0; i < 100; i++) {
    strcat(text, ",77");
  }
  strcat(text, "]}");
  find(text, NULL, 50, &no_tokenizer);
  CHECK_INT(ids.eos.count, TAM_MODEL_EOS_MAX);
}

static void test_errors(void) {
  static const struct {
    const char *text;
    int error;
  } cases[] = {
      {"", TAM_ERR_JSON_TRUNCATED},
      {"{", TAM_ERR_JSON_TRUNCATED},
      {"{\"a\":1", TAM_ERR_JSON_TRUNCATED},
      {"[]", TAM_ERR_UNEXPECTED_SHAPE},
      {"7", TAM_ERR_UNEXPECTED_SHAPE},
      {"\"x\"", TAM_ERR_UNEXPECTED_SHAPE},
      {"{\"a\":}", TAM_ERR_JSON_SYNTAX},
      {"{}x", TAM_ERR_JSON_SYNTAX},
      {"{\"a\":\"\xff\"}", TAM_ERR_JSON_UTF8},
  };
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
    for (size_t step = 1; step < 9; step++) {
      tam_model_config_init(&config);
      CHECK_INT(
          read(&config, TAM_MODEL_CONFIG, tam_span_of(cases[i].text), step),
          cases[i].error);
    }
  }
}

static void test_too_large(void) {
  uint8_t *blanks = malloc(TAM_MODEL_CONFIG_BYTES_MAX + 1);
  memset(blanks, ' ', TAM_MODEL_CONFIG_BYTES_MAX + 1);
  memcpy(blanks, "{}", 2);
  tam_span text = {blanks, TAM_MODEL_CONFIG_BYTES_MAX + 1};
  tam_model_config_init(&config);
  CHECK_INT(read(&config, TAM_MODEL_CONFIG, text, 65536), TAM_ERR_TOO_LARGE);
  text.len--;
  CHECK_INT(read(&config, TAM_MODEL_CONFIG, text, 65536), 0);
  free(blanks);
}

int main(void) {
  RUN(test_llama);
  RUN(test_gpt2);
  RUN(test_encoder_decoder);
  RUN(test_nested);
  RUN(test_states);
  RUN(test_order_of_ids);
  RUN(test_odd_values);
  RUN(test_many_ids);
  RUN(test_errors);
  RUN(test_too_large);
  return check_finish();
}
