// SPDX-License-Identifier: Apache-2.0
#include "check.h"

#include "hub/model_class.h"

static void test_class_ends(void) {
  static const struct {
    const char *name;
    tam_head head;
  } cases[] = {
      {"XForCausalLM", TAM_HEAD_GEN},
      {"XCausalLM", TAM_HEAD_GEN},
      {"XLMHeadModel", TAM_HEAD_GEN},
      {"XModelWithLMHead", TAM_HEAD_GEN},
      {"XForConditionalGeneration", TAM_HEAD_GEN},
      {"XDoubleHeadsModel", TAM_HEAD_GEN},
      {"XMTModel", TAM_HEAD_GEN},
      {"XForSeq2SeqLM", TAM_HEAD_GEN},
      {"XForVision2Seq", TAM_HEAD_GEN},
      {"XForImageTextToText", TAM_HEAD_GEN},
      {"XForMaskedLM", TAM_HEAD_ENCODER},
      {"XForPreTraining", TAM_HEAD_ENCODER},
      {"XForSequenceClassification", TAM_HEAD_ENCODER},
      {"XForImageClassification", TAM_HEAD_ENCODER},
      {"XForQuestionAnswering", TAM_HEAD_ENCODER},
      {"XForMultipleChoice", TAM_HEAD_ENCODER},
      {"XForNextSentencePrediction", TAM_HEAD_ENCODER},
      {"XForRetrieval", TAM_HEAD_ENCODER},
      {"XForCTC", TAM_HEAD_ENCODER},
      {"XForObjectDetection", TAM_HEAD_ENCODER},
      {"XForSemanticSegmentation", TAM_HEAD_ENCODER},
      {"XForDepthEstimation", TAM_HEAD_ENCODER},
      {"XEncoderModel", TAM_HEAD_ENCODER},
      {"XForTextToSpeech", TAM_HEAD_OTHER},
      {"XForSpeechToText", TAM_HEAD_OTHER},
      {"XForSpeechToSpeech", TAM_HEAD_OTHER},
      {"XForSpeechSeq2Seq", TAM_HEAD_OTHER},
      {"XForPrediction", TAM_HEAD_OTHER},
      {"XModel", TAM_HEAD_BASE},
      {"XBackbone", TAM_HEAD_UNKNOWN},
      {"ForCausalLMX", TAM_HEAD_UNKNOWN},
      {"XForCausallm", TAM_HEAD_UNKNOWN},
      {"Xmodel", TAM_HEAD_UNKNOWN},
      {"", TAM_HEAD_UNKNOWN},
  };
  for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
    CHECK_INT(tam_model_class_head(tam_span_of(cases[i].name)), cases[i].head);
    CHECK(!tam_model_class_is_listed(tam_span_of(cases[i].name)));
  }
  CHECK(tam_model_class_is_listed(TAM_SPAN("ChatGLMModel")));
}

int main(void) {
  RUN(test_class_ends);
  return check_finish();
}
