// SPDX-License-Identifier: Apache-2.0
// Everything before the first token of an answer: what the cache holds already
// is kept, and the rest of the prompt is run in parts, between which the answer
// can be stopped.
#include "chat/answer.h"
#include "chat/run.h"

// Tokens of one part. Longer parts are hardly faster, and whoever wants to stop
// has to wait for one.
#define PART_MAX 256

// The steps, in this order; one that is not needed is over at once.
typedef enum prefill_step {
  STEP_CACHE = 0, // an empty one, or that of the turn before, cut
  STEP_ENCODER,   // reads the text
  STEP_UNCOND_CACHE,
  STEP_UNCOND, // what the model says without the prompt, for guidance
  STEP_PROMPT, // goes through the decoder, part after part
  STEP_DONE
} prefill_step;

// Returns how many tokens of the prompt the cache can stand for. One token has
// to be run in any case, for its logits.
static size_t reusable(const tam_chat_model *model,
                       const tam_chat_answer *answer) {
  const int32_t *cached = tam_answer_ids(&model->cached);
  const int32_t *wanted = tam_answer_ids(&answer->tokens);
  size_t count = tam_answer_count(&model->cached);
  size_t max = tam_answer_count(&answer->tokens) - 1;
  size_t same = 0;
  if (model->cache == 0 || answer->source.len > 0 ||
      tam_generation_params_get(&answer->settings, TAM_PARAM_USE_CACHE) == 0 ||
      !tam_span_eq(tam_buf_span(&model->chat_id),
                   tam_buf_span(&answer->chat_id))) {
    return 0;
  }
  while (same < count && same < max && cached[same] == wanted[same]) {
    same++;
  }
  // States that are a sum over all tokens have no shorter form.
  return same == count || tam_run_can_cut(model) ? same : 0;
}

static int prepare_cache(tam_chat_op *op) {
  tam_chat *chat = op->chat;
  tam_chat_model *model = chat->model;
  tam_chat_answer *answer = op->answer;
  size_t reused = reusable(model, answer);
  answer->reused_tokens = answer->past = reused;
  if (reused == 0) {
    tam_chat_model_drop_cache(model, chat);
    tam_buf_append(&model->chat_id, tam_buf_span(&answer->chat_id));
    return model->chat_id.error != 0 ? model->chat_id.error
                                     : tam_run_order_cache(op, op->chat->model);
  }
  answer->cache = model->cache;
  if (reused == tam_answer_count(&model->cached)) {
    return TAM_CHAT_NEXT;
  }
  model->cached.len = reused * sizeof(int32_t);
  return tam_run_order_cut(op, model, answer->cache, reused);
}

// Returns how many of |left| tokens go through the model at a time.
static size_t part_of(const tam_chat_op *op, size_t left) {
  size_t max = tam_run_is_single(op->chat->model) ? 1 : PART_MAX;
  return left < max ? left : max;
}

// Runs the next part of the prompt, or goes on.
static int run_part(tam_chat_op *op) {
  tam_chat_answer *answer = op->answer;
  size_t left = tam_answer_count(&answer->tokens) - answer->past;
  size_t count = part_of(op, left);
  if (left == 0) {
    return TAM_CHAT_NEXT;
  }
  return tam_run_start(
      op, &(tam_run){.model = op->chat->model,
                     .cache = answer->cache,
                     .tokens = tam_answer_ids(&answer->tokens) + answer->past,
                     .rows = 1,
                     .count = count,
                     .past = answer->past,
                     .source = tam_answer_count(&answer->source),
                     .takes_logits = count == left});
}

static int run_encoder(tam_chat_op *op) {
  tam_chat_answer *answer = op->answer;
  if (answer->source.len == 0) {
    return TAM_CHAT_NEXT;
  }
  return tam_run_start(op, &(tam_run){
                               .model = op->chat->model,
                               .cache = answer->cache,
                               .tokens = tam_answer_ids(&answer->source),
                               .rows = 1,
                               .count = tam_answer_count(&answer->source),
                               .is_encoder = 1,
                           });
}

// Runs what the model gets without the prompt: the last token of it, and the
// answer so far.
static int run_uncond(tam_chat_op *op) {
  tam_chat_answer *answer = op->answer;
  size_t all = 1 + answer->restored;
  size_t from = tam_answer_count(&answer->tokens) - all + answer->uncond_past;
  size_t left = all - answer->uncond_past;
  size_t count = part_of(op, left);
  if (left == 0) {
    return TAM_CHAT_NEXT;
  }
  return tam_run_start(
      op, &(tam_run){.model = op->chat->model,
                     .cache = answer->uncond_cache,
                     .tokens = tam_answer_ids(&answer->tokens) + from,
                     .rows = 1,
                     .count = count,
                     .past = answer->uncond_past,
                     .source = tam_answer_count(&answer->source),
                     .takes_logits = count == left});
}

static int do_step(tam_chat_op *op) {
  tam_chat_answer *answer = op->answer;
  int is_guided = tam_decoding_is_guided(answer->decoding);
  switch ((prefill_step)answer->step) {
  case STEP_CACHE:
    return prepare_cache(op);
  case STEP_ENCODER:
    return run_encoder(op);
  case STEP_UNCOND_CACHE:
    return is_guided ? tam_run_order_cache(op, op->chat->model) : TAM_CHAT_NEXT;
  case STEP_UNCOND:
    return is_guided ? run_uncond(op) : TAM_CHAT_NEXT;
  case STEP_PROMPT:
    return run_part(op);
  default:
    return TAM_CHAT_NEXT;
  }
}

// Goes through the steps until one has to wait.
static int go_on(tam_chat_op *op) {
  tam_chat_answer *answer = op->answer;
  int result = TAM_CHAT_NEXT;
  while (result == TAM_CHAT_NEXT && answer->step < STEP_DONE) {
    if (answer->is_stopping && answer->restored > 0) {
      int error = tam_decoding_stop(answer->decoding, TAM_END_STOPPED);
      return error != 0 ? error : TAM_CHAT_NEXT;
    }
    if (answer->is_stopping) {
      answer->reason = TAM_END_STOPPED;
      return TAM_CHAT_END;
    }
    result = do_step(op);
    answer->step += result == TAM_CHAT_NEXT;
  }
  return result;
}

static int prefill_start(tam_chat_op *op) {
  op->answer->step = 0;
  op->answer->rows = 1;
  if (tam_decoding_is_done(op->answer->decoding)) {
    return TAM_CHAT_NEXT; // what was chosen before was all of it
  }
  return go_on(op);
}

static void take_cache(tam_chat_op *op, uint32_t request) {
  tam_chat_answer *answer = op->answer;
  if (answer->step == STEP_CACHE) {
    if (answer->cache == 0) { // it was made, not cut
      op->chat->model->cache = answer->cache = request;
      tam_runtime_keep(op->chat->runtime, request);
    }
  } else {
    answer->uncond_cache = request;
  }
}

// A pass is over: the cache has its tokens.
static int take_pass(tam_chat_op *op) {
  tam_chat_answer *answer = op->answer;
  tam_chat_model *model = op->chat->model;
  if (answer->step == STEP_PROMPT) {
    const tam_run *run = &op->run;
    tam_buf_append(&model->cached, (tam_span){(const uint8_t *)run->tokens,
                                              run->count * sizeof(int32_t)});
    answer->past += run->count;
    return model->cached.error; // the step comes again
  }
  if (answer->step == STEP_UNCOND) {
    answer->uncond_past += op->run.count;
    return 0;
  }
  answer->step++;
  return 0;
}

static int prefill_on_runtime(tam_chat_op *op,
                              const tam_runtime_report *report) {
  tam_chat_answer *answer = op->answer;
  int error = 0;
  switch (report->kind) {
  case TAM_RUNTIME_FAILED:
    return tam_chat_op_runtime_failed(op, report);
  case TAM_RUNTIME_DATA:
    return tam_answer_take_logits(op, report, answer->step == STEP_UNCOND);
  case TAM_RUNTIME_END:
    break;
  default:
    return TAM_CHAT_WAIT;
  }
  if (answer->step == STEP_CACHE || answer->step == STEP_UNCOND_CACHE) {
    take_cache(op, report->request);
    answer->step++;
  } else {
    int result = tam_run_next(op);
    if (result != TAM_CHAT_NEXT) {
      return result;
    }
    error = take_pass(op);
  }
  return error != 0 ? error : go_on(op);
}

const tam_chat_phase tam_chat_prefill_phase = {
    .stage = "prefill",
    .start = prefill_start,
    .on_runtime = prefill_on_runtime,
};
