// SPDX-License-Identifier: Apache-2.0
#include "core/speaker.h"

#include "core/mem.h"
#include "core/trap.h"

#include <string.h>

// What the panel is told besides success: ids, and when something was.
#define MEMBERS_MAX 4096

// The terminal error when memory is gone: names, numbers, a sentence and the
// caller's id.
#define LAST_WORDS_MAX 2048

static void keep_members(tam_speaker *self, const tam_envelope *envelope) {
  tam_buf_append(&self->members, envelope->done);
  tam_buf_append(&self->members, envelope->failed);
  tam_span both = tam_buf_span(&self->members);
  self->envelope.done = tam_span_head(both, envelope->done.len);
  self->envelope.failed = tam_span_from(both, envelope->done.len);
}

int tam_speaker_init(tam_speaker *self, tam_action_queue *queue,
                     const char *action, uint32_t op,
                     const tam_envelope *envelope, const tam_mem *mem) {
  memset(self, 0, sizeof(*self));
  self->queue = queue;
  self->action = action;
  self->op = op;
  tam_buf_init(&self->id, mem, TAM_CALLER_ID_MAX);
  tam_buf_init(&self->members, mem, MEMBERS_MAX);
  tam_buf_append(&self->id, envelope->id);
  self->envelope = *envelope;
  self->envelope.id = tam_buf_span(&self->id);
  keep_members(self, envelope);
  self->last_words = tam_action_node_new(mem, LAST_WORDS_MAX);
  return self->last_words == NULL ? TAM_ERR_OUT_OF_MEMORY
         : self->id.error != 0    ? self->id.error
                                  : self->members.error;
}

void tam_speaker_free(tam_speaker *self) {
  tam_mem_free(self->queue->mem, self->last_words);
  tam_buf_free(&self->id);
  tam_buf_free(&self->members);
}

// Whether the members of a DONE stand in an object of their own.
static int has_result(const tam_speaker *self) {
  return self->envelope.is_type_style && !self->envelope.is_panel;
}

void tam_speaker_begin(const tam_speaker *self, tam_answer kind, double now_ms,
                       tam_buf *json) {
  tam_buf_init(json, self->queue->mem, TAM_SPEAKER_MESSAGE_MAX);
  tam_answer_begin(json, &self->envelope, self->action, kind, self->seq,
                   now_ms);
  if (kind == TAM_ANSWER_DONE && has_result(self)) {
    tam_json_write_member_begin(json, "result");
  }
}

int tam_speaker_say(tam_speaker *self, tam_answer kind, tam_buf *json) {
  if (kind == TAM_ANSWER_DONE && has_result(self)) {
    tam_json_write_object_end(json);
  }
  tam_json_write_object_end(json);
  uint32_t flags = kind == TAM_ANSWER_PROGRESS ? 0 : TAM_MESSAGE_FLAG_TERMINAL;
  flags |= self->seq < self->again_seq ? TAM_MESSAGE_FLAG_AGAIN : 0;
  int error = tam_action_queue_put(self->queue, TAM_ACTION_MESSAGE, self->op,
                                   flags, json);
  self->seq += error == 0;
  tam_buf_free(json);
  return error;
}

int tam_speaker_say_standing(tam_speaker *self, tam_buf *json) {
  tam_json_write_key(json, "resumed");
  tam_json_write_bool(json, 1);
  tam_json_write_object_end(json);
  int error = tam_action_queue_put(self->queue, TAM_ACTION_MESSAGE, self->op,
                                   TAM_MESSAGE_FLAG_STANDING, json);
  tam_buf_free(json);
  return error;
}

// The same in memory that was set aside at the start.
static void say_last_words(tam_speaker *self, const tam_failure *failure,
                           double now_ms) {
  tam_action_node *node = self->last_words;
  tam_failure brief = *failure;
  tam_buf json;
  brief.more = TAM_SPAN_NONE;
  self->envelope.failed = TAM_SPAN_NONE;
  tam_buf_init_fixed(&json, (uint8_t *)(node + 1), LAST_WORDS_MAX);
  tam_answer_begin(&json, &self->envelope, self->action, TAM_ANSWER_ERROR,
                   self->seq, now_ms);
  tam_answer_write_error(&json, &self->envelope, &brief);
  tam_json_write_object_end(&json);
  TAM_ASSERT(json.error == 0);
  node->action.kind = TAM_ACTION_MESSAGE;
  node->action.op = self->op;
  node->action.flags = TAM_MESSAGE_FLAG_TERMINAL;
  node->action.first.len = json.len;
  tam_action_queue_push(self->queue, node);
  self->last_words = NULL;
}

void tam_speaker_fail(tam_speaker *self, const tam_failure *failure,
                      double now_ms) {
  tam_buf json;
  tam_speaker_begin(self, TAM_ANSWER_ERROR, now_ms, &json);
  tam_answer_write_error(&json, &self->envelope, failure);
  if (tam_speaker_say(self, TAM_ANSWER_ERROR, &json) != 0) {
    say_last_words(self, failure, now_ms);
  }
}
