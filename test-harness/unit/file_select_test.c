// SPDX-License-Identifier: Apache-2.0
// Which files a dtype needs: lists of files by hand. file-select.test.js draws
// many more.
#include "store/file_select.h"

#include "check.h"

#define COMMIT   "0123456789abcdef0123456789abcdef01234567"
#define BIT(end) (1U << TAM_DTYPE_##end)

// A list of files, and of those the dtype needs, each name before a blank.
typedef struct list_case {
  const char *files;
  tam_dtype dtype;
  unsigned available;
  const char *wanted;
} list_case;

static void add_files(tam_revision *revision, tam_span files) {
  static const uint8_t digest[TAM_SHA1_SIZE];
  while (files.len > 0) {
    size_t len = tam_span_find_byte(files, ' ');
    tam_tree_file file = {tam_span_head(files, len),
                          1,
                          TAM_TREE_GIT_BLOB,
                          {digest, sizeof(digest)}};
    CHECK_INT(tam_revision_add_file(revision, &file), 0);
    files = tam_span_from(files, len + 1);
  }
}

static void init(tam_revision *revision, const char *files,
                 const tam_mem *mem) {
  CHECK_INT(tam_revision_init(revision, TAM_SPAN("a/b"), TAM_SPAN(COMMIT),
                              TAM_SPAN("main"), mem),
            0);
  add_files(revision, tam_span_of(files));
}

// Writes the wanted files to |text|, each before a blank.
static void wanted_of(const tam_revision *revision, char *text, size_t size) {
  size_t len = 0;
  text[0] = '\0';
  for (uint32_t i = 0; i < revision->count; i++) {
    tam_span path = tam_revision_text(revision, revision->files[i].path);
    if ((revision->files[i].flags & TAM_REVISION_FILE_CHOSEN) != 0) {
      len += (size_t)snprintf(text + len, size - len, "%.*s ", (int)path.len,
                              (const char *)path.ptr);
    }
  }
}

static void check_lists(const list_case *cases, size_t count) {
  for (size_t i = 0; i < count; i++) {
    tam_mem mem = tam_mem_default();
    tam_revision revision;
    char wanted[1024];
    init(&revision, cases[i].files, &mem);
    CHECK_INT(tam_file_select_available(&revision), cases[i].available);
    tam_file_select(&revision, cases[i].dtype);
    wanted_of(&revision, wanted, sizeof(wanted));
    CHECK(strcmp(wanted, cases[i].wanted) == 0);
    if (strcmp(wanted, cases[i].wanted) != 0) {
      printf("%s: %s\n", cases[i].files, wanted);
    }
    tam_revision_free(&revision);
  }
}

#define CHECK_LISTS(cases) check_lists(cases, sizeof(cases) / sizeof(*cases))

static void test_one_graph(void) {
  static const list_case cases[] = {
      {"onnx/model.onnx onnx/model_q4.onnx ", TAM_DTYPE_Q4, BIT(FP32) | BIT(Q4),
       "onnx/model_q4.onnx "},
      {"onnx/model.onnx onnx/model_q4.onnx ", TAM_DTYPE_FP32,
       BIT(FP32) | BIT(Q4), "onnx/model.onnx "},
      {"onnx/model_quantized.onnx onnx/model_q4f16.onnx ", TAM_DTYPE_Q8,
       BIT(Q8) | BIT(Q4F16), "onnx/model_quantized.onnx "},
      // model alone, beside others of its dtype
      {"onnx/model_fp16.onnx onnx/decoder_model_fp16.onnx "
       "onnx/decoder_with_past_model_fp16.onnx onnx/my_model_fp16.onnx ",
       TAM_DTYPE_FP16, BIT(FP16), "onnx/model_fp16.onnx "},
      {"onnx/model_O2.onnx onnx/model.onnx ", TAM_DTYPE_FP32, BIT(FP32),
       "onnx/model.onnx "},
  };
  CHECK_LISTS(cases);
}

// Whatever else a repository has, programs above all, stays there.
static void test_programs(void) {
  static const list_case cases[] = {
      {"config.json modeling_x.py tokenization_x.py onnx/model.js model.mjs "
       "model.wasm onnx/model.onnx onnx/ops.so custom_generate/generate.py "
       "index.html tokenizer.json ",
       TAM_DTYPE_FP32, BIT(FP32),
       "config.json onnx/model.onnx tokenizer.json "},
  };
  CHECK_LISTS(cases);
}

static void test_decoders(void) {
  static const list_case cases[] = {
      {"onnx/decoder_model_merged_q4.onnx onnx/decoder_model_q4.onnx "
       "onnx/decoder_with_past_model_q4.onnx onnx/embed_tokens_q4.onnx "
       "onnx/encoder_model_q4.onnx onnx/encoder_model.onnx onnx/model_q4.onnx "
       "onnx/vision_encoder_q4.onnx onnx/audio_encoder_q4.onnx ",
       TAM_DTYPE_Q4, BIT(FP32) | BIT(Q4),
       "onnx/decoder_model_merged_q4.onnx onnx/embed_tokens_q4.onnx "
       "onnx/encoder_model_q4.onnx "},
      {"onnx/decoder_model_merged.onnx onnx/decoder_model.onnx "
       "onnx/encoder_model.onnx onnx/encoder_model_q4.onnx ",
       TAM_DTYPE_FP32, BIT(FP32) | BIT(Q4),
       "onnx/decoder_model_merged.onnx onnx/encoder_model.onnx "},
      // merged in another dtype only
      {"onnx/decoder_model_merged.onnx onnx/decoder_model_int8.onnx "
       "onnx/encoder_model_int8.onnx ",
       TAM_DTYPE_INT8, BIT(FP32) | BIT(INT8),
       "onnx/decoder_model_int8.onnx onnx/encoder_model_int8.onnx "},
      // and in another folder
      {"onnx/model.onnx onnx/old/decoder_model_merged.onnx "
       "decoder_model_merged.onnx ",
       TAM_DTYPE_FP32, BIT(FP32), "onnx/model.onnx "},
  };
  CHECK_LISTS(cases);
}

static void test_folders(void) {
  static const list_case cases[] = {
      {"model_q4.onnx onnx/model.onnx ", TAM_DTYPE_FP32, BIT(FP32),
       "onnx/model.onnx "},
      {"a/model_q4.onnx model.onnx onnx/notes.txt ", TAM_DTYPE_FP32, BIT(FP32),
       "model.onnx "},
      {"onnx/deep/model.onnx a/model_q4.onnx ", TAM_DTYPE_FP32, BIT(FP32),
       "onnx/deep/model.onnx "},
      {"a/model_q4.onnx a/model.onnx b/model.onnx ", TAM_DTYPE_FP32,
       BIT(FP32) | BIT(Q4), "a/model.onnx "},
      {"ONNX/model.onnx ", TAM_DTYPE_FP32, BIT(FP32), "ONNX/model.onnx "},
      {"onnx/model.onnx_data config.json ", TAM_DTYPE_FP32, 0, "config.json "},
      {"", TAM_DTYPE_FP32, 0, ""},
  };
  CHECK_LISTS(cases);
}

static void test_external_data(void) {
  static const list_case cases[] = {
      {"onnx/model.onnx onnx/model.onnx_data onnx/model.onnx_data_1 "
       "onnx/model.onnx_data_23 onnx/model.onnx.data onnx/model_q4.onnx "
       "onnx/model_q4.onnx_data model.onnx_data onnx/my_model.onnx_data ",
       TAM_DTYPE_FP32, BIT(FP32) | BIT(Q4),
       "onnx/model.onnx onnx/model.onnx_data onnx/model.onnx_data_1 "
       "onnx/model.onnx_data_23 onnx/model.onnx.data "},
      {"onnx/model.onnx onnx/model.onnx_data1 onnx/model.onnx_data_ "
       "onnx/model.onnx_data_x onnx/model.onnx_dat onnx/model.onnx_1 "
       "onnx/model_data onnx/model.onnx_data_1_2 onnx/model.onnx_DATA ",
       TAM_DTYPE_FP32, BIT(FP32), "onnx/model.onnx "},
      // data before its graph, and of each graph
      {"a.onnx_data b.onnx_data a.onnx b.onnx c.onnx_data ", TAM_DTYPE_FP32,
       BIT(FP32), "a.onnx_data b.onnx_data a.onnx b.onnx "},
      {"config.json config.json_data 1 _1 _data .data ", TAM_DTYPE_FP32, 0,
       "config.json "},
      {"A.ONNX A.ONNX_data ", TAM_DTYPE_FP32, BIT(FP32), "A.ONNX A.ONNX_data "},
  };
  CHECK_LISTS(cases);
}

static void test_companions(void) {
  static const list_case cases[] = {
      {"config.json generation_config.json genai_config.json tokenizer.json "
       "tokenizer_config.json special_tokens_map.json added_tokens.json "
       "vocab.json vocab.txt merges.txt tokenizer.model spiece.model "
       "sentencepiece.bpe.model chat_template.jinja chat_template.json ",
       TAM_DTYPE_FP32, 0,
       "config.json generation_config.json genai_config.json tokenizer.json "
       "tokenizer_config.json special_tokens_map.json added_tokens.json "
       "vocab.json vocab.txt merges.txt tokenizer.model spiece.model "
       "sentencepiece.bpe.model chat_template.jinja chat_template.json "},
      {".gitattributes README.md quantize_config.json onnx/config.json "
       "Config.json pytorch_model.bin source.spm vocab.bpe "
       "preprocessor_config.json onnx/tokenizer.json config.json.bak ",
       TAM_DTYPE_FP32, 0, ""},
  };
  CHECK_LISTS(cases);
}

// A model may be wanted in several dtypes.
static void test_several_dtypes(void) {
  tam_mem mem = tam_mem_default();
  tam_revision revision;
  char wanted[256];
  init(&revision,
       "model.onnx model_q4.onnx model_q4.onnx_data model_fp16.onnx ", &mem);
  revision.files[3].flags = TAM_REVISION_FILE_COMPLETE;
  tam_file_select(&revision, TAM_DTYPE_FP32);
  tam_file_select(&revision, TAM_DTYPE_Q4);
  wanted_of(&revision, wanted, sizeof(wanted));
  CHECK(strcmp(wanted, "model.onnx model_q4.onnx model_q4.onnx_data ") == 0);
  CHECK_INT(revision.files[3].flags, TAM_REVISION_FILE_COMPLETE);
  tam_revision_free(&revision);
}

static int dtype_of(const char *name, unsigned available) {
  tam_dtype dtype = TAM_DTYPE_COUNT;
  int error = tam_file_select_dtype(tam_span_of(name), available, &dtype);
  CHECK((error == 0) == (dtype != TAM_DTYPE_COUNT));
  return error != 0 ? error : (int)dtype;
}

static void test_names_of_dtypes(void) {
  static const char *const names[] = {"fp32",  "fp16", "q8",    "int8",
                                      "uint8", "q4",   "q4f16", "q2",
                                      "q2f16", "q1",   "q1f16", "bnb4"};
  for (int i = 0; i < TAM_DTYPE_COUNT; i++) {
    CHECK_INT(dtype_of(names[i], 1U << i), i);
    CHECK_INT(dtype_of(names[i], 0xfff), i);
    CHECK_INT(dtype_of(names[i], 0xfff & ~(1U << i)), TAM_ERR_INVALID_PARAMS);
  }
  CHECK_INT(dtype_of("quantized", BIT(Q8)), TAM_DTYPE_Q8);
  CHECK_INT(dtype_of("quantized", BIT(Q4)), TAM_ERR_INVALID_PARAMS);
  CHECK_INT(dtype_of("Q4", BIT(Q4)), TAM_ERR_INVALID_PARAMS);
  CHECK_INT(dtype_of("q", 0xfff), TAM_ERR_INVALID_PARAMS);
  CHECK_INT(dtype_of("q4 ", 0xfff), TAM_ERR_INVALID_PARAMS);
  CHECK_INT(dtype_of("q4f16,q4,auto", 0xfff), TAM_DTYPE_Q4F16);
  CHECK_INT(dtype_of("q4f16,q4,auto", BIT(Q8) | BIT(Q4)), TAM_DTYPE_Q4);
  CHECK_INT(dtype_of("q4f16,q4,auto", BIT(Q8) | BIT(FP32)), TAM_DTYPE_Q8);
  CHECK_INT(dtype_of("q4f16,q4", BIT(Q8)), TAM_ERR_INVALID_PARAMS);
}

static void test_the_first_dtype(void) {
  static const tam_dtype order[] = {
      TAM_DTYPE_Q8,    TAM_DTYPE_Q4,    TAM_DTYPE_Q4F16, TAM_DTYPE_INT8,
      TAM_DTYPE_UINT8, TAM_DTYPE_FP16,  TAM_DTYPE_Q2,    TAM_DTYPE_Q2F16,
      TAM_DTYPE_Q1,    TAM_DTYPE_Q1F16, TAM_DTYPE_BNB4,  TAM_DTYPE_FP32};
  unsigned available = 0xfff;
  for (size_t i = 0; i < TAM_DTYPE_COUNT; i++) {
    CHECK_INT(dtype_of("auto", available), order[i]);
    CHECK_INT(dtype_of("", available), order[i]);
    available &= ~(1U << order[i]);
  }
  CHECK_INT(dtype_of("auto", 0), TAM_ERR_INVALID_PARAMS);
  CHECK_INT(dtype_of("", 0), TAM_ERR_INVALID_PARAMS);
}

int main(void) {
  RUN(test_one_graph);
  RUN(test_programs);
  RUN(test_decoders);
  RUN(test_folders);
  RUN(test_external_data);
  RUN(test_companions);
  RUN(test_several_dtypes);
  RUN(test_names_of_dtypes);
  RUN(test_the_first_dtype);
  return check_finish();
}
