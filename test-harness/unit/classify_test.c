// SPDX-License-Identifier: Apache-2.0
#include "check.h"

#include "hub/classify.h"

// What is known about a model; what is left out is absent.
typedef struct model_facts {
  const char *architecture;
  const char *model_type;
  const char *text_architecture;
  const char *text_model_type;
  unsigned auto_map;
  int is_decoder;
  const char *id;
  const char *pipeline_tag;
  const char *library_name;
  const char *tags[3];
  int gated;
  int auth_denied;
} model_facts;

// The verdict, and all its evidence as on the wire, separated by blanks.
typedef struct verdict_case {
  model_facts facts;
  tam_classification classification;
  tam_confidence confidence;
  const char *why;
} verdict_case;

static tam_span optional(const char *text) {
  return text == NULL ? TAM_SPAN_NONE : tam_span_of(text);
}

static void digest_facts(const model_facts *facts, tam_config_digest *config) {
  memset(config, 0, sizeof(*config));
  config->model_type = optional(facts->model_type);
  if (facts->architecture != NULL) {
    config->architectures[0] = tam_span_of(facts->architecture);
    config->architecture_count = 1;
  }
  config->auto_map = facts->auto_map;
  config->is_decoder = facts->is_decoder;
  config->text_model_type = optional(facts->text_model_type);
  config->text_architecture = optional(facts->text_architecture);
  config->present = facts->architecture != NULL || facts->model_type != NULL ||
                    facts->text_architecture != NULL ||
                    facts->text_model_type != NULL || facts->auto_map != 0;
}

static void classify_facts(const model_facts *facts, tam_verdict *verdict) {
  tam_config_digest config;
  digest_facts(facts, &config);
  tam_span tags[3];
  tam_classify_input input;
  memset(&input, 0, sizeof(input));
  input.config = &config;
  input.id = optional(facts->id);
  input.pipeline_tag = optional(facts->pipeline_tag);
  input.library_name = optional(facts->library_name);
  input.tags = tags;
  while (input.tag_count < 3 && facts->tags[input.tag_count] != NULL) {
    tags[input.tag_count] = tam_span_of(facts->tags[input.tag_count]);
    input.tag_count++;
  }
  input.gated = facts->gated;
  input.auth_denied = facts->auth_denied;
  tam_classify(&input, verdict);
}

static void write_why(const tam_verdict *verdict, char *text, size_t room) {
  size_t len = 0;
  for (size_t i = 0; i < verdict->why_count; i++) {
    tam_span value = verdict->why[i].value;
    len +=
        (size_t)snprintf(text + len, room - len, "%s%s%s%.*s", i > 0 ? " " : "",
                         verdict->why[i].rule, value.len > 0 ? "=" : "",
                         (int)value.len, (const char *)value.ptr);
  }
}

static void check_verdicts(const verdict_case *cases, size_t count) {
  for (size_t i = 0; i < count; i++) {
    tam_verdict verdict;
    char why[1024] = "";
    classify_facts(&cases[i].facts, &verdict);
    write_why(&verdict, why, sizeof(why));
    if (strcmp(why, cases[i].why) != 0) {
      printf("why is \"%s\", expected \"%s\"\n", why, cases[i].why);
    }
    CHECK(strcmp(why, cases[i].why) == 0);
    CHECK_INT(verdict.classification, cases[i].classification);
    CHECK_INT(verdict.confidence, cases[i].confidence);
  }
}

#define CHECK_VERDICTS(cases)                                                  \
  check_verdicts(cases, sizeof(cases) / sizeof(*cases))

#define GEN     TAM_CLASS_GEN
#define ENCODER TAM_CLASS_ENCODER
#define UNKNOWN TAM_CLASS_UNKNOWN
#define LOCKED  TAM_CLASS_AUTH_PROTECTED
#define HIGH    TAM_CONFIDENCE_HIGH
#define MEDIUM  TAM_CONFIDENCE_MEDIUM
#define LOW     TAM_CONFIDENCE_LOW

static void test_class_tells_the_head(void) {
  static const verdict_case cases[] = {
      {{.architecture = "Qwen3ForCausalLM", .model_type = "qwen3"},
       GEN,
       HIGH,
       "architecture=Qwen3ForCausalLM"},
      {{.architecture = "NewForCausalLM", .model_type = "new"},
       GEN,
       HIGH,
       "architecture=NewForCausalLM"},
      {{.architecture = "GPT2LMHeadModel"},
       GEN,
       HIGH,
       "architecture=GPT2LMHeadModel"},
      {{.architecture = "T5ForConditionalGeneration", .model_type = "t5"},
       GEN,
       HIGH,
       "architecture=T5ForConditionalGeneration"},
      {{.architecture = "MarianMTModel", .model_type = "marian"},
       GEN,
       HIGH,
       "architecture=MarianMTModel"},
      {{.architecture = "GPT2ForSequenceClassification", .model_type = "gpt2"},
       ENCODER,
       HIGH,
       "architecture=GPT2ForSequenceClassification"},
      {{.architecture = "NewForMaskedLM"},
       ENCODER,
       HIGH,
       "architecture=NewForMaskedLM"},
      {{.architecture = "T5EncoderModel", .model_type = "t5"},
       ENCODER,
       HIGH,
       "architecture=T5EncoderModel"},
      {{.architecture = "NewForTextToSpeech"},
       UNKNOWN,
       HIGH,
       "not-text-generation architecture=NewForTextToSpeech"},
  };
  CHECK_VERDICTS(cases);
}

static void test_listed_classes_beat_their_ends(void) {
  static const verdict_case cases[] = {
      {{.architecture = "ChatGLMModel", .model_type = "chatglm"},
       GEN,
       HIGH,
       "architecture=ChatGLMModel"},
      {{.architecture = "UltravoxModel", .model_type = "ultravox"},
       GEN,
       HIGH,
       "architecture=UltravoxModel"},
      {{.architecture = "EncoderDecoderModel", .model_type = "encoder-decoder"},
       GEN,
       HIGH,
       "architecture=EncoderDecoderModel"},
      {{.architecture = "GraniteSpeechForConditionalGeneration"},
       GEN,
       HIGH,
       "architecture=GraniteSpeechForConditionalGeneration"},
      {{.architecture = "SeamlessM4TForTextToText",
        .model_type = "seamless_m4t"},
       GEN,
       HIGH,
       "architecture=SeamlessM4TForTextToText"},
      {{.architecture = "WhisperForConditionalGeneration"},
       UNKNOWN,
       HIGH,
       "not-text-generation architecture=WhisperForConditionalGeneration"},
      {{.architecture = "VisionEncoderDecoderModel"},
       UNKNOWN,
       HIGH,
       "not-text-generation architecture=VisionEncoderDecoderModel"},
      {{.architecture = "ClvpModelForConditionalGeneration",
        .model_type = "clvp"},
       ENCODER,
       HIGH,
       "architecture=ClvpModelForConditionalGeneration"},
      {{.architecture = "FSMTModel", .model_type = "fsmt"},
       ENCODER,
       HIGH,
       "architecture=FSMTModel"},
      {{.architecture = "ReformerModelWithLMHead", .model_type = "reformer"},
       GEN,
       HIGH,
       "architecture=ReformerModelWithLMHead"},
  };
  CHECK_VERDICTS(cases);
}

static void test_headless_classes_embed(void) {
  static const verdict_case cases[] = {
      {{.architecture = "Qwen3Model", .model_type = "qwen3"},
       ENCODER,
       HIGH,
       "architecture=Qwen3Model"},
      {{.architecture = "BertModel", .model_type = "bert"},
       ENCODER,
       HIGH,
       "architecture=BertModel"},
      {{.architecture = "NewModel", .model_type = "new"},
       ENCODER,
       MEDIUM,
       "architecture=NewModel"},
      {{.architecture = "VitsModel", .model_type = "vits"},
       UNKNOWN,
       HIGH,
       "not-text-generation model_type=vits"},
      // Custom code may end so and generate, and the row knows better.
      {{.architecture = "NewModel", .auto_map = TAM_AUTO_MAP_PRESENT},
       UNKNOWN,
       LOW,
       "unknown-architecture=NewModel"},
      {{.architecture = "NewChatModel",
        .auto_map = TAM_AUTO_MAP_PRESENT | TAM_AUTO_MAP_CAUSAL_LM},
       GEN,
       MEDIUM,
       "auto_map=AutoModelForCausalLM"},
      {{.architecture = "NewModel", .pipeline_tag = "text-generation"},
       GEN,
       MEDIUM,
       "pipeline_tag=text-generation"},
  };
  CHECK_VERDICTS(cases);
}

static void test_other_families_are_no_text_generation(void) {
  static const verdict_case cases[] = {
      {{.architecture = "Speech2TextForConditionalGeneration",
        .model_type = "speech_to_text"},
       UNKNOWN,
       HIGH,
       "not-text-generation model_type=speech_to_text"},
      {{.architecture = "MusicgenForConditionalGeneration",
        .model_type = "musicgen"},
       UNKNOWN,
       HIGH,
       "not-text-generation model_type=musicgen"},
      {{.architecture = "PatchTSTForPrediction", .model_type = "patchtst"},
       UNKNOWN,
       HIGH,
       "not-text-generation model_type=patchtst"},
      {{.model_type = "whisper"},
       UNKNOWN,
       HIGH,
       "not-text-generation model_type=whisper"},
      // Unknown types whose class speaks of sound, and known ones that chat.
      {{.architecture = "NewSpeechForConditionalGeneration"},
       UNKNOWN,
       MEDIUM,
       "not-text-generation architecture=NewSpeechForConditionalGeneration"},
      {{.architecture = "NewTTSForCausalLM", .model_type = "new_tts"},
       UNKNOWN,
       MEDIUM,
       "not-text-generation architecture=NewTTSForCausalLM"},
      {{.architecture = "NewSpeechForConditionalGeneration",
        .model_type = "granite_speech_plus"},
       GEN,
       HIGH,
       "architecture=NewSpeechForConditionalGeneration"},
  };
  CHECK_VERDICTS(cases);
}

static void test_bert_family_needs_a_decoder(void) {
  static const verdict_case cases[] = {
      {{.architecture = "BertLMHeadModel",
        .model_type = "bert",
        .is_decoder = 1},
       GEN,
       HIGH,
       "is_decoder=true architecture=BertLMHeadModel"},
      {{.architecture = "RobertaForCausalLM",
        .model_type = "roberta",
        .is_decoder = 1},
       GEN,
       HIGH,
       "is_decoder=true architecture=RobertaForCausalLM"},
      {{.architecture = "RobertaForCausalLM", .model_type = "roberta"},
       ENCODER,
       MEDIUM,
       "not-a-decoder architecture=RobertaForCausalLM"},
      {{.architecture = "RobertaForCausalLM",
        .model_type = "roberta",
        .pipeline_tag = "text-generation"},
       GEN,
       MEDIUM,
       "pipeline_tag=text-generation architecture=RobertaForCausalLM"},
      {{.architecture = "RobertaForCausalLM",
        .model_type = "roberta",
        .pipeline_tag = "fill-mask"},
       ENCODER,
       MEDIUM,
       "not-a-decoder architecture=RobertaForCausalLM"},
      {{.architecture = "XLMWithLMHeadModel", .model_type = "xlm"},
       ENCODER,
       MEDIUM,
       "not-a-decoder architecture=XLMWithLMHeadModel"},
      {{.architecture = "FlaubertWithLMHeadModel", .model_type = "flaubert"},
       ENCODER,
       MEDIUM,
       "not-a-decoder architecture=FlaubertWithLMHeadModel"},
      // Without a causal class is_decoder means nothing.
      {{.architecture = "BertForMaskedLM",
        .model_type = "bert",
        .is_decoder = 1},
       ENCODER,
       HIGH,
       "architecture=BertForMaskedLM"},
      {{.model_type = "bert", .is_decoder = 1},
       ENCODER,
       HIGH,
       "model_type=bert"},
  };
  CHECK_VERDICTS(cases);
}

static void test_class_beats_type(void) {
  static const verdict_case cases[] = {
      {{.architecture = "AlbertForCausalLM", .model_type = "albert"},
       GEN,
       MEDIUM,
       "architecture=AlbertForCausalLM"},
      {{.architecture = "LlamaForTokenClassification", .model_type = "llama"},
       ENCODER,
       HIGH,
       "architecture=LlamaForTokenClassification"},
  };
  CHECK_VERDICTS(cases);
}

static void test_type_tells_when_no_class_does(void) {
  static const verdict_case cases[] = {
      {{.model_type = "llama"}, GEN, HIGH, "model_type=llama"},
      {{.model_type = "gpt-neo"}, GEN, HIGH, "model_type=gpt-neo"},
      {{.model_type = "vit"}, ENCODER, HIGH, "model_type=vit"},
      {{.model_type = "qwen3", .architecture = "Qwen3Strange"},
       GEN,
       HIGH,
       "model_type=qwen3"},
      {{.model_type = "Llama"}, UNKNOWN, LOW, "unknown-model_type=Llama"},
      {{.architecture = "GPT2"}, GEN, HIGH, "architecture=GPT2"},
      {{.architecture = "GPT_NEO"}, GEN, HIGH, "architecture=GPT_NEO"},
      {{.architecture = "bert"}, ENCODER, HIGH, "architecture=bert"},
      {{.architecture = "Strange", .model_type = "odd"},
       UNKNOWN,
       LOW,
       "unknown-architecture=Strange unknown-model_type=odd"},
  };
  CHECK_VERDICTS(cases);
}

// The lists that listChatModels began with still hold.
static void test_the_first_lists_hold(void) {
  static const char *const allowed[] = {"gpt2", "gptj",    "gpt_neox", "llama",
                                        "qwen", "mistral", "phi",      "gpt",
                                        "t5",   "bart",    "pegasus"};
  static const char *const denied[] = {
      "bert",       "roberta",  "distilbert",
      "electra",    "albert",   "deberta",
      "mobilebert", "convbert", "sentence-transformers"};
  tam_verdict verdict;
  for (size_t i = 0; i < sizeof(allowed) / sizeof(*allowed); i++) {
    classify_facts(&(model_facts){.model_type = allowed[i]}, &verdict);
    CHECK_INT(verdict.classification, GEN);
    CHECK_INT(verdict.confidence, HIGH);
  }
  for (size_t i = 0; i < sizeof(denied) / sizeof(*denied); i++) {
    classify_facts(&(model_facts){.model_type = denied[i]}, &verdict);
    CHECK_INT(verdict.classification, ENCODER);
    CHECK_INT(verdict.confidence, HIGH);
  }
}

static void test_custom_code_and_nested_text(void) {
  static const verdict_case cases[] = {
      {{.model_type = "odd", .auto_map = TAM_AUTO_MAP_CAUSAL_LM},
       GEN,
       MEDIUM,
       "auto_map=AutoModelForCausalLM"},
      {{.model_type = "odd", .auto_map = TAM_AUTO_MAP_SEQ2SEQ},
       GEN,
       MEDIUM,
       "auto_map=AutoModelForSeq2SeqLM"},
      {{.model_type = "odd", .auto_map = TAM_AUTO_MAP_PRESENT},
       UNKNOWN,
       LOW,
       "unknown-model_type=odd"},
      {{.model_type = "vit", .auto_map = TAM_AUTO_MAP_CAUSAL_LM},
       ENCODER,
       HIGH,
       "model_type=vit"},
      {{.model_type = "odd_vl", .text_model_type = "qwen3"},
       GEN,
       MEDIUM,
       "text_config.model_type=qwen3"},
      {{.text_architecture = "LlamaForCausalLM", .text_model_type = "odd"},
       GEN,
       MEDIUM,
       "text_config.architecture=LlamaForCausalLM"},
      {{.text_architecture = "LlamaModel", .text_model_type = "bert"},
       ENCODER,
       MEDIUM,
       "text_config.model_type=bert"},
      {{.text_model_type = "odd"}, UNKNOWN, LOW, "no-evidence"},
  };
  CHECK_VERDICTS(cases);
}

static void test_row_tells_when_no_config_does(void) {
  static const verdict_case cases[] = {
      {{.pipeline_tag = "text-generation"},
       GEN,
       MEDIUM,
       "pipeline_tag=text-generation"},
      {{.pipeline_tag = "fill-mask", .library_name = "setfit"},
       ENCODER,
       MEDIUM,
       "pipeline_tag=fill-mask"},
      {{.pipeline_tag = "text-to-image"},
       UNKNOWN,
       MEDIUM,
       "not-text-generation pipeline_tag=text-to-image"},
      {{.pipeline_tag = "no-such-task", .library_name = "timm"},
       ENCODER,
       MEDIUM,
       "library_name=timm"},
      {{.library_name = "diffusers"},
       UNKNOWN,
       MEDIUM,
       "not-text-generation library_name=diffusers"},
      {{.tags = {"bert", "text-generation"}}, GEN, LOW, "tag=text-generation"},
      {{.tags = {"gpt2", "spacy"}}, ENCODER, LOW, "tag=spacy"},
      {{.tags = {"audio", "gpt2"}}, GEN, LOW, "tag=gpt2"},
      {{.tags = {"en", "audio"}},
       UNKNOWN,
       LOW,
       "not-text-generation tag=audio"},
      {{.id = "owner/distilbert-gpt"}, ENCODER, LOW, "name=bert"},
      {{.id = "owner/My-LLaMA-2"}, GEN, LOW, "name=llama"},
      {{.id = "bert/something"}, UNKNOWN, LOW, "no-evidence"},
      {{.id = "gpt2"}, GEN, LOW, "name=gpt"},
      {{.id = "gpt2", .model_type = "odd"},
       UNKNOWN,
       LOW,
       "unknown-model_type=odd"},
      {{.id = NULL}, UNKNOWN, LOW, "no-evidence"},
  };
  CHECK_VERDICTS(cases);
}

static void test_row_overrules_generating_classes(void) {
  static const verdict_case cases[] = {
      {{.architecture = "Qwen3ForCausalLM",
        .model_type = "qwen3",
        .pipeline_tag = "feature-extraction"},
       ENCODER,
       HIGH,
       "pipeline_tag=feature-extraction architecture=Qwen3ForCausalLM"},
      {{.architecture = "Qwen3ForCausalLM", .pipeline_tag = "text-ranking"},
       ENCODER,
       HIGH,
       "pipeline_tag=text-ranking architecture=Qwen3ForCausalLM"},
      {{.model_type = "mistral", .pipeline_tag = "sentence-similarity"},
       ENCODER,
       HIGH,
       "pipeline_tag=sentence-similarity model_type=mistral"},
      {{.architecture = "GemmaForCausalLM",
        .pipeline_tag = "text-classification"},
       ENCODER,
       HIGH,
       "pipeline_tag=text-classification architecture=GemmaForCausalLM"},
      {{.architecture = "LlamaForCausalLM", .pipeline_tag = "text-to-speech"},
       UNKNOWN,
       HIGH,
       "not-text-generation pipeline_tag=text-to-speech "
       "architecture=LlamaForCausalLM"},
      {{.architecture = "Qwen2ForCausalLM",
        .library_name = "sentence-transformers"},
       ENCODER,
       HIGH,
       "library_name=sentence-transformers architecture=Qwen2ForCausalLM"},
      {{.architecture = "Qwen2ForCausalLM",
        .tags = {"mteb", "sentence-transformers"}},
       ENCODER,
       HIGH,
       "tag=sentence-transformers architecture=Qwen2ForCausalLM"},
      {{.architecture = "Qwen2ForCausalLM",
        .tags = {"text-embeddings-inference", "sentence-similarity"}},
       ENCODER,
       HIGH,
       "tag=text-embeddings-inference architecture=Qwen2ForCausalLM"},
      {{.auto_map = TAM_AUTO_MAP_CAUSAL_LM,
        .pipeline_tag = "feature-extraction"},
       ENCODER,
       MEDIUM,
       "pipeline_tag=feature-extraction auto_map=AutoModelForCausalLM"},
      {{.architecture = "Qwen3ForCausalLM", .id = "a/Qwen3-Embedding-0.6B"},
       ENCODER,
       MEDIUM,
       "name=embedding architecture=Qwen3ForCausalLM"},
      {{.architecture = "Qwen3ForCausalLM", .id = "a/Qwen3-Reranker-ONNX"},
       ENCODER,
       MEDIUM,
       "name=reranker architecture=Qwen3ForCausalLM"},
  };
  CHECK_VERDICTS(cases);
}

static void test_row_does_not_overrule_for_less(void) {
  static const verdict_case cases[] = {
      {{.architecture = "Qwen3ForCausalLM", .pipeline_tag = "fill-mask"},
       GEN,
       HIGH,
       "architecture=Qwen3ForCausalLM"},
      {{.architecture = "GraniteSpeechForConditionalGeneration",
        .pipeline_tag = "automatic-speech-recognition"},
       GEN,
       HIGH,
       "architecture=GraniteSpeechForConditionalGeneration"},
      {{.architecture = "Qwen3ForCausalLM", .library_name = "diffusers"},
       GEN,
       HIGH,
       "architecture=Qwen3ForCausalLM"},
      {{.architecture = "Qwen3ForCausalLM",
        .tags = {"text-embeddings-inference", "text-generation"}},
       GEN,
       HIGH,
       "architecture=Qwen3ForCausalLM"},
      {{.architecture = "Qwen3ForCausalLM", .tags = {"feature-extraction"}},
       GEN,
       HIGH,
       "architecture=Qwen3ForCausalLM"},
      {{.architecture = "BertForMaskedLM", .pipeline_tag = "text-to-speech"},
       ENCODER,
       HIGH,
       "architecture=BertForMaskedLM"},
      {{.architecture = "Qwen3ForCausalLM",
        .id = "a/Qwen3-Reranker-0.6B",
        .pipeline_tag = "text-generation"},
       GEN,
       HIGH,
       "architecture=Qwen3ForCausalLM"},
      {{.architecture = "Qwen3ForCausalLM", .id = "reranker/bert-style"},
       GEN,
       HIGH,
       "architecture=Qwen3ForCausalLM"},
  };
  CHECK_VERDICTS(cases);
}

static void test_closed_models(void) {
  static const verdict_case cases[] = {
      {{.auth_denied = 1}, LOCKED, HIGH, "auth-denied"},
      {{.auth_denied = 1, .pipeline_tag = "text-generation"},
       LOCKED,
       HIGH,
       "auth-denied"},
      {{.gated = 1, .id = "meta/llama"}, LOCKED, MEDIUM, "gated"},
      {{.gated = 1, .model_type = "odd"},
       UNKNOWN,
       LOW,
       "unknown-model_type=odd"},
      {{.gated = 1, .model_type = "llama"}, GEN, HIGH, "model_type=llama"},
      {{.gated = 1, .pipeline_tag = "text-generation"},
       GEN,
       MEDIUM,
       "pipeline_tag=text-generation"},
  };
  CHECK_VERDICTS(cases);
}

static void test_an_absent_config_is_not_read(void) {
  tam_config_digest config;
  memset(&config, 0, sizeof(config));
  config.model_type = TAM_SPAN("llama");
  tam_classify_input input;
  memset(&input, 0, sizeof(input));
  tam_verdict verdict;
  input.config = &config;
  tam_classify(&input, &verdict);
  CHECK_INT(verdict.classification, UNKNOWN);
  input.config = NULL;
  tam_classify(&input, &verdict);
  CHECK_INT(verdict.classification, UNKNOWN);
  CHECK_INT(verdict.why_count, 1);
}

static void test_names(void) {
  CHECK(strcmp(tam_classification_name(GEN), "gen") == 0);
  CHECK(strcmp(tam_classification_name(ENCODER), "encoder") == 0);
  CHECK(strcmp(tam_classification_name(UNKNOWN), "unknown") == 0);
  CHECK(strcmp(tam_classification_name(LOCKED), "auth-protected") == 0);
  CHECK(strcmp(tam_confidence_name(LOW), "low") == 0);
  CHECK(strcmp(tam_confidence_name(MEDIUM), "medium") == 0);
  CHECK(strcmp(tam_confidence_name(HIGH), "high") == 0);
}

int main(void) {
  RUN(test_class_tells_the_head);
  RUN(test_listed_classes_beat_their_ends);
  RUN(test_headless_classes_embed);
  RUN(test_other_families_are_no_text_generation);
  RUN(test_bert_family_needs_a_decoder);
  RUN(test_class_beats_type);
  RUN(test_type_tells_when_no_class_does);
  RUN(test_the_first_lists_hold);
  RUN(test_custom_code_and_nested_text);
  RUN(test_row_tells_when_no_config_does);
  RUN(test_row_overrules_generating_classes);
  RUN(test_row_does_not_overrule_for_less);
  RUN(test_closed_models);
  RUN(test_an_absent_config_is_not_read);
  RUN(test_names);
  return check_finish();
}
