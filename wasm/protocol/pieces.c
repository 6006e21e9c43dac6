// SPDX-License-Identifier: Apache-2.0
#include "protocol/pieces.h"

#include <string.h>

void tam_pieces_init(tam_pieces *self, tam_action_queue *queue,
                     const tam_mem *mem) {
  memset(self, 0, sizeof(*self));
  self->mem = mem;
  self->queue = queue;
}

void tam_pieces_end(tam_pieces *self) {
  if (self->op != 0) {
    tam_buf_wipe(&self->text); // a token may be in it
    tam_speaker_free(&self->speaker);
    self->op = 0;
  }
}

void tam_pieces_fail(tam_pieces *self, int error, double now_ms) {
  tam_failure failure = {
      .error = error,
      .stage = "protocol",
      .message = error == TAM_ERR_TOO_LARGE
                     ? TAM_SPAN("a message has at most 8 MiB")
                     : TAM_SPAN("the message did not become complete"),
  };
  tam_speaker_fail(&self->speaker, &failure, now_ms);
  tam_pieces_end(self);
}

static int begin(tam_pieces *self, const tam_event *event) {
  // It is not read yet, but its first word tells who sent it.
  const tam_envelope envelope = {
      .id = TAM_SPAN("null"),
      .is_panel = tam_span_starts_with(event->payload, TAM_SPAN("{\"type\":"))};
  int error = tam_speaker_init(&self->speaker, self->queue, "command",
                               event->op, &envelope, self->mem);
  if (error != 0) {
    tam_speaker_free(&self->speaker);
    return error;
  }
  tam_buf_init(&self->text, self->mem, TAM_COMMAND_MAX);
  self->op = event->op;
  return 0;
}

int tam_pieces_take(tam_pieces *self, const tam_event *event, double now_ms) {
  int is_last = (event->flags & TAM_COMMAND_FLAG_MORE) == 0;
  int error = self->op == 0 ? begin(self, event) : 0;
  if (error != 0) {
    return error;
  }
  tam_buf_append(&self->text, event->payload);
  error = self->text.error; // of what is too long nothing more is kept
  if (error == TAM_ERR_OUT_OF_MEMORY || (error != 0 && is_last)) {
    tam_pieces_fail(self, error, now_ms);
    return 0;
  }
  return is_last;
}

tam_span tam_pieces_text(const tam_pieces *self) {
  return tam_buf_span(&self->text);
}
