// SPDX-License-Identifier: Apache-2.0
#include "check.h"

#include "core/model_files.h"

typedef struct kind_case {
  const char *name;
  unsigned kind;
} kind_case;

static void check_kinds(const kind_case *cases, size_t count) {
  for (size_t i = 0; i < count; i++) {
    unsigned kind = tam_file_kind(tam_span_of(cases[i].name));
    if (kind != cases[i].kind) {
      printf("kind of \"%s\"\n", cases[i].name);
    }
    CHECK_INT(kind, cases[i].kind);
  }
}

#define CHECK_KINDS(cases) check_kinds(cases, sizeof(cases) / sizeof(*cases))

static void test_tokenizer_files(void) {
  static const kind_case cases[] = {
      {"tokenizer.json", TAM_FILE_TOKENIZER},
      {"onnx/tokenizer.json", TAM_FILE_TOKENIZER},
      {"Tokenizer.JSON", TAM_FILE_TOKENIZER},
      {"mytokenizer.json", 0},
      {"tokenizer.json.bak", 0},
      {"tokenizer_config.json", 0},
      {"vocab.json", TAM_FILE_TOKENIZER},
      {"vocab.txt", TAM_FILE_TOKENIZER},
      {"vocab.bpe", TAM_FILE_TOKENIZER},
      {"a/b/vocab.tiktoken", TAM_FILE_TOKENIZER},
      {"vocab.", TAM_FILE_TOKENIZER},
      {"vocab.anything", TAM_FILE_TOKENIZER},
      {"subvocab.json", 0},
      {"subvocab.bpe", 0},
      {"vocab.d/notes", 0},
      {"vocab", 0},
      {"merges.txt", TAM_FILE_TOKENIZER},
      {"tok/merges.txt", TAM_FILE_TOKENIZER},
      {"unmerges.txt", 0},
      {"tokenizer.model", TAM_FILE_TOKENIZER},
      {"spiece.model", TAM_FILE_TOKENIZER},
      {"source.spm", TAM_FILE_TOKENIZER},
      {"model", 0},
      {"remodel", 0},
  };
  CHECK_KINDS(cases);
}

static void test_onnx_files(void) {
  static const kind_case cases[] = {
      {"model.onnx", TAM_FILE_ONNX},
      {"onnx/model_q4f16.onnx", TAM_FILE_ONNX},
      {"a/b/c/model.ONNX", TAM_FILE_ONNX},
      {"model.onnx.md", 0},
      {"model.bonnx", 0},
      {"onnx", 0},
      {"model.onnx_data", TAM_FILE_ONNX_DATA},
      {"onnx/model_q4.onnx_data_1", TAM_FILE_ONNX_DATA},
      {"model.onnx_data_12", TAM_FILE_ONNX_DATA},
      {"model.onnx.data", TAM_FILE_ONNX_DATA},
      {"model.onnx_data_", 0},
      {"model.onnx_data1", 0},
      {"model.onnx_data_1a", 0},
      {"model.onnx_1", 0},
      {"model.data", 0},
      {".onnx_data", 0},
  };
  CHECK_KINDS(cases);
}

static void test_other_files(void) {
  static const kind_case cases[] = {
      {"config.json", TAM_FILE_CONFIG},
      {"onnx/config.json", 0},
      {"Config.json", 0},
      {"generation_config.json", 0},
      {"README.md", 0},
      {"model.safetensors", 0},
      {"1", 0},
      {"/", 0},
      {".", 0},
      {"", 0},
  };
  CHECK_KINDS(cases);
}

typedef struct dtype_case {
  const char *name;
  tam_dtype dtype;
} dtype_case;

static void test_dtypes(void) {
  static const dtype_case cases[] = {
      {"onnx/model.onnx", TAM_DTYPE_FP32},
      {"onnx/model_fp16.onnx", TAM_DTYPE_FP16},
      {"onnx/model_quantized.onnx", TAM_DTYPE_Q8},
      {"onnx/model_int8.onnx", TAM_DTYPE_INT8},
      {"onnx/model_uint8.onnx", TAM_DTYPE_UINT8},
      {"onnx/model_q4.onnx", TAM_DTYPE_Q4},
      {"onnx/model_q4f16.onnx", TAM_DTYPE_Q4F16},
      {"onnx/model_q2.onnx", TAM_DTYPE_Q2},
      {"onnx/model_q2f16.onnx", TAM_DTYPE_Q2F16},
      {"onnx/model_q1.onnx", TAM_DTYPE_Q1},
      {"onnx/model_q1f16.onnx", TAM_DTYPE_Q1F16},
      {"onnx/model_bnb4.onnx", TAM_DTYPE_BNB4},
      {"onnx/decoder_model_merged_q4f16.onnx", TAM_DTYPE_Q4F16},
      {"onnx/model_q4.onnx_data", TAM_DTYPE_Q4},
      {"onnx/model_q4.onnx_data_2", TAM_DTYPE_Q4},
      {"onnx/model_fp16.onnx.data", TAM_DTYPE_FP16},
      {"model.onnx_data", TAM_DTYPE_FP32},
      // No suffix that the runtime knows, or not where it looks for one.
      {"onnx/model_q8.onnx", TAM_DTYPE_FP32},
      {"onnx/decoder_model_merged.onnx", TAM_DTYPE_FP32},
      {"onnx/model-q4.onnx", TAM_DTYPE_FP32},
      {"onnx/model_q4_.onnx", TAM_DTYPE_FP32},
      {"weights_q4/model.onnx", TAM_DTYPE_FP32},
      {"q4.onnx", TAM_DTYPE_FP32},
      {".onnx", TAM_DTYPE_FP32},
      {"", TAM_DTYPE_FP32},
  };
  for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
    tam_dtype dtype = tam_file_dtype(tam_span_of(cases[i].name));
    if (dtype != cases[i].dtype) {
      printf("dtype of \"%s\"\n", cases[i].name);
    }
    CHECK_INT(dtype, cases[i].dtype);
  }
}

static void test_dtype_names(void) {
  static const char *const names[TAM_DTYPE_COUNT] = {
      "fp32",  "fp16", "q8",    "int8", "uint8", "q4",
      "q4f16", "q2",   "q2f16", "q1",   "q1f16", "bnb4"};
  for (unsigned dtype = 0; dtype < TAM_DTYPE_COUNT; dtype++) {
    CHECK(strcmp(tam_dtype_name((tam_dtype)dtype), names[dtype]) == 0);
  }
}

static void test_the_ends_of_files(void) {
  for (int i = 0; i < TAM_DTYPE_COUNT; i++) {
    char name[32];
    tam_dtype dtype = (tam_dtype)i;
    const char *end = tam_dtype_file_end(dtype);
    snprintf(name, sizeof(name), "model%s%s.onnx", *end != 0 ? "_" : "", end);
    CHECK_INT(tam_file_dtype(tam_span_of(name)), dtype);
    CHECK_INT(*end != 0, dtype != TAM_DTYPE_FP32);
  }
}

static void test_variants_need_a_graph(void) {
  const tam_span files[] = {
      TAM_SPAN("onnx/model_q4.onnx_data"),
      TAM_SPAN("onnx/model_q4.onnx"),
      TAM_SPAN("onnx/model_fp16.onnx_data"),
      TAM_SPAN("onnx/embed_tokens_quantized.onnx"),
      TAM_SPAN("onnx/decoder_model_merged_quantized.onnx"),
  };
  uint8_t dtypes[5];
  CHECK_INT(tam_files_dtypes(files, 5, dtypes),
            1U << TAM_DTYPE_Q4 | 1U << TAM_DTYPE_Q8);
  CHECK_INT(dtypes[0], TAM_DTYPE_Q4);
  CHECK_INT(dtypes[1], TAM_DTYPE_Q4);
  CHECK_INT(dtypes[2], TAM_DTYPE_FP16);
  CHECK_INT(dtypes[3], TAM_DTYPE_Q8);
  CHECK_INT(dtypes[4], TAM_DTYPE_Q8);
  CHECK_INT(tam_files_dtypes(files, 1, dtypes), 0);
  CHECK_INT(tam_files_dtypes(NULL, 0, dtypes), 0);
}

int main(void) {
  RUN(test_tokenizer_files);
  RUN(test_onnx_files);
  RUN(test_other_files);
  RUN(test_dtypes);
  RUN(test_dtype_names);
  RUN(test_the_ends_of_files);
  RUN(test_variants_need_a_graph);
  return check_finish();
}
