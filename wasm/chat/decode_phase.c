// SPDX-License-Identifier: Apache-2.0
// Chooses token after token, makes text of each, sends it, and runs the next
// pass.
#include "chat/answer.h"
#include "chat/run.h"
#include "core/json_write.h"

// What the phase waits for.
typedef enum decode_step {
  STEP_TEXT = 0, // of the token that was chosen
  STEP_GATHER,   // the cache gets the rows that go on
  STEP_GATHER_UNCOND,
  STEP_RUN,
  STEP_UNCOND,
  STEP_FLUSH,     // the text that was held back
  STEP_SEQUENCES, // the texts of several sequences, one after the other
  STEP_ROWS       // the texts of tokens of several rows, likewise
} decode_step;

static int end_answer(tam_chat_op *op);
static int choose(tam_chat_op *op);

// Returns 1 when the text of a window is awaited.
static int is_text(const tam_chat_answer *answer) {
  return answer->step == STEP_TEXT || answer->step >= STEP_FLUSH;
}

// Returns the stream whose text is being made.
static tam_text_stream *stream_of(tam_chat_answer *answer) {
  return answer->step == STEP_ROWS ? &answer->row_streams[answer->sequence]
                                   : &answer->stream;
}

// ---------------------------------------------------------------------------
// Running what was chosen

static int run_tokens(tam_chat_op *op, uint32_t cache, size_t past) {
  tam_chat_answer *answer = op->answer;
  return tam_run_start(
      op, &(tam_run){.model = op->chat->model,
                     .cache = cache,
                     .tokens = tam_decoding_tokens(answer->decoding),
                     .rows = answer->rows,
                     .count = 1,
                     .past = past,
                     .source = tam_answer_count(&answer->source),
                     .takes_logits = 1});
}

// With guidance, the logits of the run without the prompt must come first.
static int run_chosen(tam_chat_op *op) {
  tam_chat_answer *answer = op->answer;
  if (tam_decoding_is_guided(answer->decoding) && answer->step != STEP_UNCOND) {
    answer->step = STEP_UNCOND;
    return run_tokens(op, answer->uncond_cache, answer->uncond_past);
  }
  answer->step = STEP_RUN;
  return run_tokens(op, answer->cache, answer->past);
}

// Returns 1 when every row continues itself, so that the cache stays as it is.
static int is_in_place(const tam_chat_answer *answer, size_t rows) {
  const uint32_t *parents = tam_decoding_parents(answer->decoding);
  size_t i = 0;
  while (i < rows && parents[i] == i) {
    i++;
  }
  return i == rows && rows == answer->rows;
}

// In the first step all rows continue the one row of the prompt.
static int order_gather(tam_chat_op *op, uint32_t cache) {
  static const uint32_t first[TAM_GENERATION_ROWS_MAX];
  tam_chat_answer *answer = op->answer;
  return tam_run_order_gather(
      op, op->chat->model, cache,
      answer->rows == 1 ? first : tam_decoding_parents(answer->decoding),
      tam_decoding_rows(answer->decoding));
}

static int gather_rows(tam_chat_op *op) {
  tam_chat_answer *answer = op->answer;
  if (is_in_place(answer, tam_decoding_rows(answer->decoding))) {
    return run_chosen(op);
  }
  // The cache no longer holds a chat that another turn could continue.
  tam_buf_reset(&op->chat->model->cached);
  answer->step = STEP_GATHER;
  return order_gather(op, answer->cache);
}

static int gathered(tam_chat_op *op) {
  tam_chat_answer *answer = op->answer;
  if (tam_decoding_is_guided(answer->decoding) && answer->step == STEP_GATHER) {
    answer->step = STEP_GATHER_UNCOND;
    return order_gather(op, answer->uncond_cache);
  }
  answer->rows = tam_decoding_rows(answer->decoding);
  return run_chosen(op);
}

// ---------------------------------------------------------------------------
// Text

static int order_decode(tam_chat_op *op, const int32_t *ids, size_t count) {
  tam_buf *order = tam_chat_op_order(op, "decode");
  tam_json_write_number_member(order, "tokenizer", op->chat->model->tokenizer);
  tam_json_write_key(order, "ids");
  tam_json_write_array_begin(order);
  for (size_t i = 0; i < count; i++) {
    tam_json_write_number(order, ids[i]);
  }
  tam_json_write_array_end(order);
  return tam_chat_op_submit(op, TAM_SPAN_NONE);
}

static int push_token(tam_chat_op *op, int32_t id) {
  int tag = 0;
  int is_special = tam_chat_model_special(op->chat->model, id, &tag);
  return is_special && tag == 0
             ? 0
             : tam_text_stream_push(stream_of(op->answer), id, tag);
}

// Orders the next window to be decoded. Returns WAIT, NEXT when there is
// none, or an error.
static int decode_window(tam_chat_op *op) {
  const int32_t *ids;
  size_t count;
  return tam_text_stream_wants(stream_of(op->answer), &ids, &count)
             ? order_decode(op, ids, count)
             : TAM_CHAT_NEXT;
}

static int after_text(tam_chat_op *op) {
  tam_chat_answer *answer = op->answer;
  int error = tam_answer_say(op);
  if (error != 0) {
    return error;
  }
  if (tam_text_stream_is_done(&answer->stream) != TAM_TEXT_GOES_ON) {
    error = tam_decoding_stop(answer->decoding, TAM_END_STOP);
  } else if (answer->is_stopping) {
    error = tam_decoding_stop(answer->decoding, TAM_END_STOPPED);
  }
  if (error != 0) {
    return error;
  }
  return tam_decoding_is_done(answer->decoding) ? end_answer(op)
                                                : gather_rows(op);
}

// Takes the token of the only row, which becomes text at once.
static int take_token(tam_chat_op *op) {
  tam_chat_answer *answer = op->answer;
  int32_t token = tam_decoding_tokens(answer->decoding)[0];
  int is_end = tam_decoding_is_done(answer->decoding) &&
               tam_decoding_sequence(answer->decoding, 0).reason == TAM_END_EOS;
  answer->step = STEP_TEXT;
  tam_buf_append_u32(&answer->fresh_tokens, (uint32_t)token);
  int error = answer->fresh_tokens.error;
  if (error == 0 && !is_end) {
    error = push_token(op, token);
  }
  int result = error != 0 ? error : decode_window(op);
  return result == TAM_CHAT_NEXT ? after_text(op) : result;
}

// Adds the token of the present row to its stream, when the row goes on.
static int push_row(tam_chat_op *op) {
  tam_chat_answer *answer = op->answer;
  size_t row = answer->sequence;
  return row == tam_decoding_rows(answer->decoding) ||
                 tam_decoding_is_row_done(answer->decoding, row)
             ? 0
             : push_token(op, tam_decoding_tokens(answer->decoding)[row]);
}

// Ends the present row when its text says so. The result is written later, when
// all its text is there.
static int end_row(tam_chat_answer *answer) {
  tam_text_stream *stream = stream_of(answer);
  int error =
      stream->error != 0 ? stream->error : tam_text_parts_error(&stream->parts);
  tam_text_parts_reset(&stream->parts);
  return error != 0 || tam_text_stream_is_done(stream) == TAM_TEXT_GOES_ON
             ? error
             : tam_decoding_stop_row(answer->decoding, answer->sequence,
                                     TAM_END_STOP);
}

// Goes through the rows until the text of one has to be decoded.
static int rows_go_on(tam_chat_op *op) {
  tam_chat_answer *answer = op->answer;
  while (answer->sequence < tam_decoding_rows(answer->decoding)) {
    int result = decode_window(op);
    if (result != TAM_CHAT_NEXT) {
      return result;
    }
    int error = end_row(answer);
    answer->sequence++;
    if (error == 0) {
      error = push_row(op);
    }
    if (error != 0) {
      return error;
    }
  }
  return tam_decoding_is_done(answer->decoding) ? end_answer(op)
                                                : gather_rows(op);
}

static int take_rows(tam_chat_op *op) {
  tam_chat_answer *answer = op->answer;
  int error = tam_answer_begin_rows(op);
  if (error != 0 || answer->row_streams == NULL) {
    return error != 0 ? error : gather_rows(op);
  }
  answer->sequence = 0;
  answer->step = STEP_ROWS;
  error = push_row(op);
  return error != 0 ? error : rows_go_on(op);
}

static int choose(tam_chat_op *op) {
  tam_chat_answer *answer = op->answer;
  double now_ms = op->chat->now_ms;
  int result = tam_decoding_step(answer->decoding, now_ms);
  if (result == TAM_ERR_INVALID_STATE) {
    return tam_chat_op_fail(op, TAM_ERR_RUNTIME_FAILED,
                            "the session gave no logits");
  }
  if (result < 0) {
    return result;
  }
  answer->new_tokens++;
  answer->last_ms = now_ms;
  if (answer->first_ms == 0) {
    answer->first_ms = now_ms;
  }
  if (tam_decoding_rows(answer->decoding) == 1) {
    return take_token(op);
  }
  if (answer->is_stopping) {
    result = tam_decoding_stop(answer->decoding, TAM_END_STOPPED);
    return result != 0 ? result : end_answer(op);
  }
  return result > 0 ? end_answer(op) : take_rows(op);
}

static int decode_start(tam_chat_op *op) {
  return tam_decoding_is_done(op->answer->decoding) ? end_answer(op)
                                                    : choose(op);
}

// ---------------------------------------------------------------------------
// The end

// For one sequence: has the text decoded that was held back.
static int flush(tam_chat_op *op) {
  tam_chat_answer *answer = op->answer;
  int result = decode_window(op);
  if (result != TAM_CHAT_NEXT) {
    return result;
  }
  int error = tam_text_stream_end(&answer->stream);
  if (tam_text_stream_is_done(&answer->stream) != TAM_TEXT_GOES_ON &&
      answer->reason == TAM_END_LENGTH) {
    answer->reason = TAM_END_STOP; // with the last token, or behind it
  }
  if (error == 0) {
    error = tam_answer_say(op);
  }
  if (error == 0) {
    error = tam_answer_say_rest(op);
  }
  return error != 0 ? error : TAM_CHAT_END;
}

// For several sequences: begins the text of the next one, or ends.
static int next_sequence(tam_chat_op *op) {
  tam_chat_answer *answer = op->answer;
  if (answer->sequence == tam_decoding_sequences(answer->decoding)) {
    return TAM_CHAT_END;
  }
  tam_decoding_result result =
      tam_decoding_sequence(answer->decoding, answer->sequence);
  size_t len = result.tokens.len;
  len -= len > 0 && result.reason == TAM_END_EOS; // that token is no text
  int error = tam_answer_begin_text(op);
  for (size_t i = 0; error == 0 && i < len; i++) {
    error = push_token(op, result.tokens.ids[i]);
  }
  if (error == 0) {
    tam_text_stream_finish(&answer->stream);
  }
  return error != 0 ? error : TAM_CHAT_NEXT;
}

static int end_sequence(tam_chat_op *op) {
  tam_chat_answer *answer = op->answer;
  tam_decoding_result result =
      tam_decoding_sequence(answer->decoding, answer->sequence);
  int error = tam_text_stream_end(&answer->stream);
  if (answer->sequence == 0 &&
      tam_text_stream_is_done(&answer->stream) != TAM_TEXT_GOES_ON) {
    answer->reason = TAM_END_STOP;
  }
  if (error == 0) {
    error = tam_answer_take_sequence(op, answer->sequence, &result);
  }
  answer->sequence++;
  return error != 0 ? error : TAM_CHAT_NEXT;
}

// Goes through the sequences until a window of one has to be decoded.
static int sequences_go_on(tam_chat_op *op) {
  int result = decode_window(op);
  while (result == TAM_CHAT_NEXT) {
    result = end_sequence(op);
    if (result == TAM_CHAT_NEXT) {
      result = next_sequence(op);
    }
    if (result == TAM_CHAT_NEXT) {
      result = decode_window(op);
    }
  }
  return result;
}

static int end_answer(tam_chat_op *op) {
  tam_chat_answer *answer = op->answer;
  answer->reason = tam_decoding_sequence(answer->decoding, 0).reason;
  if (tam_decoding_rows(answer->decoding) == 1) {
    answer->step = STEP_FLUSH;
    tam_text_stream_finish(&answer->stream);
    return flush(op);
  }
  answer->step = STEP_SEQUENCES;
  answer->sequence = 0;
  int result = next_sequence(op);
  return result == TAM_CHAT_NEXT ? sequences_go_on(op) : result;
}

// ---------------------------------------------------------------------------
// The phase

// After a pass: its tokens are in the caches now.
static int take_pass(tam_chat_op *op) {
  tam_chat_answer *answer = op->answer;
  tam_chat_model *model = op->chat->model;
  if (answer->step == STEP_UNCOND) {
    answer->uncond_past++;
    return run_chosen(op);
  }
  answer->past++;
  if (tam_decoding_rows(answer->decoding) == 1) {
    tam_buf_append_u32(&model->cached,
                       (uint32_t)tam_decoding_tokens(answer->decoding)[0]);
  }
  return model->cached.error != 0 ? model->cached.error : choose(op);
}

// Takes the text of a window, which comes in one piece.
static int take_text(tam_chat_op *op, tam_span text) {
  tam_chat_answer *answer = op->answer;
  if (op->waits_for == 0) {
    return TAM_CHAT_WAIT;
  }
  op->waits_for = 0;
  return tam_text_stream_take(stream_of(answer), text);
}

static int no_text(tam_chat_op *op) {
  return tam_chat_op_fail(op, TAM_ERR_UNEXPECTED_SHAPE,
                          "the tokenizer gave no text");
}

static int on_end(tam_chat_op *op) {
  tam_chat_answer *answer = op->answer;
  int result;
  if (is_text(answer) && op->waits_for != 0) {
    return no_text(op);
  }
  switch ((decode_step)answer->step) {
  case STEP_GATHER:
  case STEP_GATHER_UNCOND:
    return gathered(op);
  case STEP_RUN:
  case STEP_UNCOND:
    result = tam_run_next(op);
    return result == TAM_CHAT_NEXT ? take_pass(op) : result;
  case STEP_FLUSH:
    return flush(op);
  case STEP_SEQUENCES:
    return sequences_go_on(op);
  case STEP_ROWS:
    return rows_go_on(op);
  default:
    result = decode_window(op);
    return result == TAM_CHAT_NEXT ? after_text(op) : result;
  }
}

static int decode_on_runtime(tam_chat_op *op,
                             const tam_runtime_report *report) {
  tam_chat_answer *answer = op->answer;
  switch (report->kind) {
  case TAM_RUNTIME_FAILED:
    return tam_chat_op_runtime_failed(op, report);
  case TAM_RUNTIME_DATA:
    return is_text(answer) ? take_text(op, report->data)
                           : tam_answer_take_logits(
                                 op, report, answer->step == STEP_UNCOND);
  case TAM_RUNTIME_END:
    return on_end(op);
  default:
    return TAM_CHAT_WAIT;
  }
}

// ---------------------------------------------------------------------------
// What was chosen before

// Takes the next token from before the kill. Returns as decode_window does.
static int repeat_token(tam_chat_op *op) {
  tam_chat_answer *answer = op->answer;
  int32_t token = answer->before.chosen.ids[answer->repeated++];
  int result = tam_decoding_repeat(answer->decoding, token);
  answer->new_tokens++;
  tam_buf_append_u32(&answer->fresh_tokens, (uint32_t)token);
  if (result < 0 || answer->fresh_tokens.error != 0) {
    return result < 0 ? result : answer->fresh_tokens.error;
  }
  int is_end = tam_decoding_is_done(answer->decoding) &&
               tam_decoding_sequence(answer->decoding, 0).reason == TAM_END_EOS;
  int error = is_end ? 0 : push_token(op, token);
  return error != 0 ? error : decode_window(op);
}

// Takes the text of such a token.
static int end_repeated(tam_chat_op *op) {
  tam_chat_answer *answer = op->answer;
  int error = tam_answer_say(op);
  if (error == 0 &&
      tam_text_stream_is_done(&answer->stream) != TAM_TEXT_GOES_ON) {
    error = tam_decoding_stop(answer->decoding, TAM_END_STOP);
  }
  return error;
}

// All of them have their text: from here on tokens are chosen.
static int end_repeating(tam_chat_op *op) {
  tam_chat_answer *answer = op->answer;
  const tam_saved_answer *before = &answer->before;
  if (before->chosen.len > 0) {
    tam_decoding_restore(answer->decoding, &before->state);
  }
  tam_answer_append(&answer->tokens, before->chosen);
  answer->restored = before->chosen.len;
  return answer->tokens.error != 0 ? answer->tokens.error : TAM_CHAT_NEXT;
}

// Goes through these tokens until a window has to be decoded; continues when
// the text of a window is there.
static int repeat_on(tam_chat_op *op) {
  tam_chat_answer *answer = op->answer;
  int result = TAM_CHAT_NEXT;
  while (result == TAM_CHAT_NEXT &&
         answer->repeated < answer->before.chosen.len &&
         !tam_decoding_is_done(answer->decoding)) {
    result = repeat_token(op);
    if (result == TAM_CHAT_NEXT) {
      int error = end_repeated(op);
      result = error != 0 ? error : result;
    }
  }
  return result == TAM_CHAT_NEXT ? end_repeating(op) : result;
}

static int repeat_start(tam_chat_op *op) {
  const tam_token_span chosen = op->answer->before.chosen;
  int is_right =
      chosen.len == 0 || tam_decoding_rows(op->answer->decoding) == 1;
  for (size_t i = 0; i < chosen.len && is_right; i++) {
    is_right =
        chosen.ids[i] >= 0 && (uint32_t)chosen.ids[i] < op->chat->model->vocab;
  }
  return is_right ? repeat_on(op)
                  : tam_chat_op_fail(op, TAM_ERR_INVALID_STATE,
                                     "the model is not the one of before");
}

static int repeat_on_runtime(tam_chat_op *op,
                             const tam_runtime_report *report) {
  int result;
  switch (report->kind) {
  case TAM_RUNTIME_FAILED:
    return tam_chat_op_runtime_failed(op, report);
  case TAM_RUNTIME_DATA:
    return take_text(op, report->data);
  case TAM_RUNTIME_END:
    break;
  default:
    return TAM_CHAT_WAIT;
  }
  if (op->waits_for != 0) {
    return no_text(op);
  }
  result = decode_window(op);
  if (result == TAM_CHAT_NEXT) {
    int error = end_repeated(op);
    result = error != 0 ? error : repeat_on(op);
  }
  return result;
}

const tam_chat_phase tam_chat_repeat_phase = {
    .stage = "repeat",
    .start = repeat_start,
    .on_runtime = repeat_on_runtime,
};

const tam_chat_phase tam_chat_decode_phase = {
    .stage = "decode",
    .start = decode_start,
    .on_runtime = decode_on_runtime,
};
