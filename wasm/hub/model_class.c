// SPDX-License-Identifier: Apache-2.0
#include "hub/model_class.h"

#include "core/names.h"

int tam_model_class_is_listed(tam_span class_name) {
  return tam_known_word_find(TAM_WORD_CLASS, class_name)->head !=
         TAM_HEAD_UNKNOWN;
}

// The ends of class names, the first that fits counts.
static const struct {
  const char *ends;
  tam_head head;
} class_ends[] = {
    {"CausalLM\0"
     "LMHeadModel\0"
     "WithLMHead\0"
     "ForConditionalGeneration\0"
     "DoubleHeadsModel\0"
     "MTModel\0"
     "Seq2SeqLM\0"
     "Vision2Seq\0"
     "ImageTextToText\0",
     TAM_HEAD_GEN},
    {"ForMaskedLM\0"
     "ForPreTraining\0"
     "Classification\0"
     "QuestionAnswering\0"
     "ForMultipleChoice\0"
     "ForNextSentencePrediction\0"
     "ForRetrieval\0"
     "ForCTC\0"
     "ForObjectDetection\0"
     "Segmentation\0"
     "DepthEstimation\0"
     "EncoderModel\0",
     TAM_HEAD_ENCODER},
    {"ForTextToSpeech\0"
     "ForSpeechToText\0"
     "ForSpeechToSpeech\0"
     "SpeechSeq2Seq\0"
     "ForPrediction\0",
     TAM_HEAD_OTHER},
    {"Model\0", TAM_HEAD_BASE},
};

static tam_head head_by_end(tam_span class_name) {
  for (size_t i = 0; i < sizeof(class_ends) / sizeof(*class_ends); i++) {
    if (tam_names_find_end(class_ends[i].ends, class_name) >= 0) {
      return class_ends[i].head;
    }
  }
  return TAM_HEAD_UNKNOWN;
}

tam_head tam_model_class_head(tam_span class_name) {
  tam_head head = tam_known_word_find(TAM_WORD_CLASS, class_name)->head;
  return head != TAM_HEAD_UNKNOWN ? head : head_by_end(class_name);
}

int tam_model_class_is_about_sound(tam_span class_name) {
  return tam_names_find_within("speech\0"
                               "whisper\0"
                               "asr\0"
                               "tts\0"
                               "music\0",
                               class_name) >= 0;
}
