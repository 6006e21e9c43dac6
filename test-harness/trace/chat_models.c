// SPDX-License-Identifier: Apache-2.0
// The models that chat_host.h plays: files, what their sessions say of
// themselves, and what an engine has to make of that, by the conventions of
// exporters.
#include "chat_host_parts.h"

#include "../unit/onnx_bytes.h"

// Weights inside of a graph, enough of them to be moved out.
#define WEIGHTS 2000

#define VALUE(name, type, shape)                                               \
  "{\"name\":\"" name "\",\"type\":\"" type "\",\"shape\":[" shape "]}"
#define PLAIN "\"batch_size\",\"sequence_length\""
#define TOTAL "\"batch_size\",\"past_sequence_length + sequence_length\""
#define KV    "\"batch_size\",2,\"past_sequence_length\",8"
#define KV_TO "\"batch_size\",2,\"past_sequence_length + sequence_length\",8"

#define KEY      "past_key_values.0.key"
#define VALUE_OF "past_key_values.0.value"
#define KV_IN    VALUE(KEY, "float32", KV) "," VALUE(VALUE_OF, "float32", KV)
#define KV_OUT                                                                 \
  VALUE("present.0.key", "float32", KV_TO)                                     \
  "," VALUE("present.0.value", "float32", KV_TO)
#define KV_KEEP                                                                \
  "\"present.0.key\":\"" KEY "\",\"present.0.value\":\"" VALUE_OF "\""
#define KV_EMPTY                                                               \
  "{\"name\":\"" KEY "\",\"type\":\"float32\",\"dims\":[1,2,0,8]},"            \
  "{\"name\":\"" VALUE_OF "\",\"type\":\"float32\",\"dims\":[1,2,0,8]}"
#define KV_AXES(axis) "\"" KEY "\":" axis ",\"" VALUE_OF "\":" axis

#define FEEDS                                                                  \
  VALUE("input_ids", "int64", PLAIN)                                           \
  "," VALUE("attention_mask", "int64", TOTAL) "," VALUE("position_ids",        \
                                                        "int64", PLAIN)
#define LOGITS VALUE("logits", "float32", PLAIN ",262")
#define SESSION(inputs, outputs)                                               \
  "{\"inputs\":[" inputs "],\"outputs\":[" outputs "]}"
#define THREE_FEEDS "input_ids attention_mask position_ids "

#define CONFIG(more)                                                           \
  "{\"model_type\":\"llama\",\"max_position_embeddings\":400,"                 \
  "\"vocab_size\":262,\"hidden_size\":16,\"num_attention_heads\":2,"           \
  "\"num_key_value_heads\":2,\"num_hidden_layers\":1,"                         \
  "\"bos_token_id\":256,\"eos_token_id\":257" more "}"

#define T5(part, side) "past_key_values.0." part "." side
#define T5_KV(part, past)                                                      \
  VALUE(T5(part, "key"), "float32", "\"batch_size\",2,\"" past "\",8")         \
  "," VALUE(T5(part, "value"), "float32", "\"batch_size\",2,\"" past "\",8")
#define T5_OUT(part, past)                                                     \
  VALUE("present.0." part ".key", "float32",                                   \
        "\"batch_size\",2,\"" past "\",8")                                     \
  "," VALUE("present.0." part ".value", "float32",                             \
            "\"batch_size\",2,\"" past "\",8")
#define T5_KEEP(part)                                                          \
  "\"present.0." part                                                          \
  ".key\":\"" T5(part, "key") "\",\"present.0." part                           \
                              ".value\":\"" T5(part, "value") "\""
#define T5_EMPTY(part)                                                         \
  "{\"name\":\"" T5(                                                           \
      part, "key") "\",\"type\":\"float32\",\"dims\":[1,2,0,8]}"               \
                   ",{\"name\":\"" T5(                                         \
                       part,                                                   \
                       "value") "\",\"type\":\"float32\",\"dims\":[1,2,0,8]}"
#define T5_AXES(part, axis)                                                    \
  "\"" T5(part, "key") "\":" axis ",\"" T5(part, "value") "\":" axis

const chat_model chat_models[] = {
    {
        .config = CONFIG(""),
        .graphs = {{
            .path = "onnx/model_q4.onnx",
            .metadata = SESSION(FEEDS "," KV_IN, LOGITS "," KV_OUT),
            .feeds = THREE_FEEDS,
            .ids = "int64",
            .keep_first = "{" KV_KEEP "}",
            .keep_later = "{" KV_KEEP "}",
        }},
        .count = 1,
        .cache = "[" KV_EMPTY "]",
        .cut_axes = "{" KV_AXES("2") "}",
        .gather_axes = "{" KV_AXES("0") "}",
    },
    {
        .config = CONFIG(""),
        .graphs = {{
            .path = "onnx/model_q4.onnx",
            .metadata = SESSION(
                VALUE("input_ids", "int32", PLAIN) "," VALUE(
                    "attention_mask", "int32",
                    TOTAL) "," VALUE("past_0", "float16",
                                     "2,\"batch\",2,\"past_seq_len\",8"),
                VALUE("logits", "float16", PLAIN ",262") "," VALUE(
                    "present_0", "float16",
                    "2,\"batch\",2,\"total_seq_len\",8")),
            .feeds = "input_ids attention_mask ",
            .ids = "int32",
            .keep_first = "{\"present_0\":\"past_0\"}",
            .keep_later = "{\"present_0\":\"past_0\"}",
        }},
        .count = 1,
        .cache = "[{\"name\":\"past_0\",\"type\":\"float16\","
                 "\"dims\":[2,1,2,0,8]}]",
        .cut_axes = "{\"past_0\":3}",
        .gather_axes = "{\"past_0\":1}",
    },
    {
        .config = CONFIG(""),
        .graphs = {{
            .path = "onnx/model_q4.onnx",
            .metadata =
                SESSION(FEEDS "," KV_IN "," VALUE("past_conv.1", "float32",
                                                  "\"batch_size\",16,3"),
                        LOGITS "," KV_OUT "," VALUE("present_conv.1", "float32",
                                                    "\"batch_size\",16,3")),
            .feeds = THREE_FEEDS,
            .ids = "int64",
            .keep_first = "{" KV_KEEP ",\"present_conv.1\":\"past_conv.1\"}",
            .keep_later = "{" KV_KEEP ",\"present_conv.1\":\"past_conv.1\"}",
        }},
        .count = 1,
        .cache = "[" KV_EMPTY ",{\"name\":\"past_conv.1\",\"type\":"
                 "\"float32\",\"dims\":[1,16,3]}]",
        .cut_axes = "none",
        .gather_axes = "{" KV_AXES("0") ",\"past_conv.1\":0}",
    },
    {
        .config = CONFIG(",\"is_encoder_decoder\":true,"
                         "\"decoder_start_token_id\":261,"
                         "\"pad_token_id\":261"),
        .graphs =
            {{
                 .path = "onnx/encoder_model_q4.onnx",
                 .metadata = SESSION(
                     VALUE("input_ids", "int64",
                           "\"batch_size\",\"encoder_sequence_"
                           "length\"") "," VALUE("attention_"
                                                 "mask",
                                                 "int64",
                                                 "\"batch_"
                                                 "size\","
                                                 "\"encoder_"
                                                 "sequence_"
                                                 "length\""),
                     VALUE("last_hidden_state", "float32",
                           "\"batch_size\",\"encoder_sequence_"
                           "length\",16")),
                 .feeds = "input_ids attention_mask ",
                 .ids = "int64",
                 .keep_first =
                     "{\"last_hidden_state\":\"encoder_hidden_states\"}",
                 .keep_later =
                     "{\"last_hidden_state\":\"encoder_hidden_states\"}",
             },
             {
                 .path = "onnx/decoder_model_merged_q4.onnx",
                 .metadata = SESSION(
                     VALUE("encoder_attention_mask", "int64", "\"batch_size\",\"encoder_sequence_length\"") "," VALUE(
                         "input_ids", "int64",
                         PLAIN) "," VALUE("encoder_hidden_states", "float32",
                                          "\"batch_size\",\"encoder_sequence_"
                                          "length\",16") "," T5_KV("decoder",
                                                                   "past_"
                                                                   "decoder_"
                                                                   "sequence_"
                                                                   "length") "," T5_KV("encoder",
                                                                                       "encoder_sequence_length_out") "," VALUE("use_cache_branch",
                                                                                                                                "bool",
                                                                                                                                "1"),
                     LOGITS "," T5_OUT("decoder", "out") "," T5_OUT(
                         "encoder", "encoder_sequence_length_out")),
                 .feeds = "encoder_attention_mask input_ids use_cache_branch ",
                 .ids = "int64",
                 .keep_first =
                     "{" T5_KEEP("decoder") "," T5_KEEP("encoder") "}",
                 .keep_later = "{" T5_KEEP("decoder") "}",
             }},
        .count = 2,
        .cache = "[" T5_EMPTY("decoder") "," T5_EMPTY("encoder") "]",
        .cut_axes = "none",
        .gather_axes =
            "{" T5_AXES("decoder", "0") "," T5_AXES("encoder", "0") "}",
    },
    {
        .config = CONFIG(""),
        .graphs =
            {{
                 .path = "onnx/embed_tokens_q4.onnx",
                 .metadata =
                     SESSION(VALUE("input_ids", "int64", PLAIN),
                             VALUE("inputs_embeds", "float32", PLAIN ",16")),
                 .feeds = "input_ids ",
                 .ids = "int64",
                 .keep_first = "{\"inputs_embeds\":\"inputs_embeds\"}",
                 .keep_later = "{\"inputs_embeds\":\"inputs_embeds\"}",
             },
             {
                 .path = "onnx/decoder_model_merged_q4.onnx",
                 .metadata = SESSION(
                     VALUE("inputs_embeds", "float32", PLAIN ",16") "," VALUE(
                         "attention_mask", "int64",
                         TOTAL) "," VALUE("position_ids", "int64",
                                          PLAIN) "," KV_IN,
                     LOGITS "," KV_OUT),
                 .feeds = "attention_mask position_ids ",
                 .ids = "int64",
                 .keep_first = "{" KV_KEEP "}",
                 .keep_later = "{" KV_KEEP "}",
             }},
        .count = 2,
        .cache = "[" KV_EMPTY "]",
        .cut_axes = "{" KV_AXES("2") "}",
        .gather_axes = "{" KV_AXES("0") "}",
    },
    {
        .config = CONFIG(""),
        .graphs = {{
            .path = "onnx/model_q4.onnx",
            .metadata = SESSION(
                VALUE("input_ids", "int64", "1,1") "," VALUE("attention_mask", "int64", "1,\"past_sequence_length + 1\"") "," VALUE(
                    "position_ids", "int64",
                    "1,1") "," VALUE(KEY, "float32",
                                     "1,2,\"past_sequence_length\",8") "," VALUE(VALUE_OF,
                                                                                 "float32",
                                                                                 "1,2,\"past_sequence_length\",8"),
                VALUE("logits", "float32", "1,1,262") "," KV_OUT),
            .feeds = THREE_FEEDS,
            .ids = "int64",
            .keep_first = "{" KV_KEEP "}",
            .keep_later = "{" KV_KEEP "}",
        }},
        .count = 1,
        .cache = "[" KV_EMPTY "]",
        .cut_axes = "{" KV_AXES("2") "}",
        .gather_axes = "none",
    },
};

void chat_host_set_file(chat_host *host, const char *path, tam_span bytes) {
  size_t at = 0;
  while (at < host->file_count && strcmp(host->files[at].path, path) != 0) {
    at++;
  }
  chat_file *file = &host->files[at];
  if (at == host->file_count) {
    host->file_count++;
  }
  snprintf(file->path, sizeof(file->path), "%s", path);
  free(file->bytes);
  file->bytes = malloc(bytes.len + 1);
  file->size = bytes.len;
  tam_text_copy(file->bytes, bytes);
}

// A graph with weights inside of it and beside it.
static void put_graph(chat_host *host, const char *path, const char *beside) {
  tam_mem mem = tam_mem_default();
  tam_buf graph = onnx_begin(&mem);
  tam_buf inside = tensor_begin(&mem, "inside");
  put_raw(&inside, WEIGHTS);
  put_message(&graph, 5, inside);
  if (beside != NULL) {
    tam_buf outside = tensor_begin(&mem, "outside");
    put_external(&outside, tam_span_of(beside), 0, 64);
    put_message(&graph, 5, outside);
  }
  tam_buf model = model_of(graph);
  chat_host_set_file(host, path, tam_buf_span(&model));
  tam_buf_free(&model);
}

void chat_host_put_files(chat_host *host) {
  static const uint8_t weights[64];
  const chat_model *model = &chat_models[host->kind];
  chat_host_set_file(host, "config.json", tam_span_of(model->config));
  chat_host_set_file(host, "generation_config.json",
                     TAM_SPAN("{\"eos_token_id\":[257]}"));
  chat_host_set_file(host, "tokenizer.json", TAM_SPAN("{}"));
  chat_host_set_file(host, "tokenizer_config.json", TAM_SPAN("{}"));
  for (size_t i = 0; i < model->count; i++) {
    put_graph(host, model->graphs[i].path, i == 0 ? "weights.onnx_data" : NULL);
  }
  chat_host_set_file(host, "onnx/weights.onnx_data",
                     (tam_span){weights, sizeof(weights)});
}
