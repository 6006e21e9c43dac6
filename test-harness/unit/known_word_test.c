// SPDX-License-Identifier: Apache-2.0
#include "check.h"

#include "hub/known_word.h"

static tam_head type_head(tam_span word) {
  return (tam_head)tam_known_word_find(TAM_WORD_TYPE, word)->head;
}

static void test_types_and_what_is_almost_one(void) {
  CHECK_INT(type_head(TAM_SPAN("llama")), TAM_HEAD_GEN);
  CHECK_INT(type_head(TAM_SPAN("qwen2_vl_text")), TAM_HEAD_GEN);
  CHECK_INT(type_head(TAM_SPAN("afmoe")), TAM_HEAD_GEN);
  CHECK_INT(type_head(TAM_SPAN("zoedepth")), TAM_HEAD_ENCODER);
  CHECK_INT(type_head(TAM_SPAN("qwen2_")), TAM_HEAD_UNKNOWN);
  CHECK_INT(type_head(TAM_SPAN("l")), TAM_HEAD_UNKNOWN);
  CHECK_INT(type_head(TAM_SPAN("llam")), TAM_HEAD_UNKNOWN);
  CHECK_INT(type_head(TAM_SPAN("llama ")), TAM_HEAD_UNKNOWN);
  CHECK_INT(type_head(TAM_SPAN("llama\0")), TAM_HEAD_UNKNOWN);
  CHECK_INT(type_head(TAM_SPAN("")), TAM_HEAD_UNKNOWN);
  CHECK_INT(type_head(TAM_SPAN_NONE), TAM_HEAD_UNKNOWN);
  CHECK_INT(type_head(TAM_SPAN("\xff")), TAM_HEAD_UNKNOWN);
}

static void test_kinds_are_apart(void) {
  CHECK_INT(tam_known_word_find(TAM_WORD_TASK, TAM_SPAN("llama"))->head,
            TAM_HEAD_UNKNOWN);
  CHECK_INT(type_head(TAM_SPAN("text-generation")), TAM_HEAD_UNKNOWN);
  CHECK_INT(
      tam_known_word_find(TAM_WORD_CLASS, TAM_SPAN("T5WithLMHeadModel"))->head,
      TAM_HEAD_GEN);
}

static void test_dashes(void) {
  CHECK_INT(type_head(TAM_SPAN("xlm-roberta")), TAM_HEAD_ENCODER_OR_GEN);
  CHECK_INT(type_head(TAM_SPAN("xlm_roberta")), TAM_HEAD_ENCODER_OR_GEN);
}

static void test_weights(void) {
  const tam_known_word *task =
      tam_known_word_find(TAM_WORD_TASK, TAM_SPAN("text-ranking"));
  CHECK_INT(task->head, TAM_HEAD_ENCODER);
  CHECK(task->beats_gen);
  CHECK(!tam_known_word_find(TAM_WORD_TASK, TAM_SPAN("fill-mask"))->beats_gen);
}

int main(void) {
  RUN(test_types_and_what_is_almost_one);
  RUN(test_kinds_are_apart);
  RUN(test_dashes);
  RUN(test_weights);
  return check_finish();
}
