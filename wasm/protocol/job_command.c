// SPDX-License-Identifier: Apache-2.0
#include "protocol/job_command.h"

#include "core/names.h"
#include "core/speaker.h"

// Returns the kind of job that |message| asks for, or -1.
static int kind_of(const tam_message *message) {
  switch (message->name) {
  case TAM_REQUEST_LIST_CHAT_MODELS:
    return TAM_JOB_LISTING;
  case TAM_REQUEST_STORE:
    return tam_names_find(TAM_JOB_KINDS, message->name_text);
  case TAM_REQUEST_CHAT:
    return tam_names_find(TAM_JOB_KINDS,
                          tam_span_of(tam_chat_verb_name(message->chat_verb)));
  default:
    return -1;
  }
}

// Says the error of a job that does not begin. Returns 1 or OUT_OF_MEMORY.
static int refuse(const tam_job_host *host, const tam_message *message,
                  uint32_t op, uint32_t first_seq, int error) {
  tam_speaker speaker;
  tam_envelope envelope = message->envelope;
  tam_failure failure = {
      .error = error,
      .stage = "jobs",
      .message = error == TAM_ERR_UNKNOWN_JOB
                     ? TAM_SPAN("nothing is known of a job of this id")
                 : error == TAM_ERR_LOAD_CRASHED
                     ? TAM_SPAN("the program died when it loaded this model")
                     : TAM_SPAN("id: expected one that no running job has"),
      .remedy = tam_error_remedy(error),
  };
  const char *name = tam_names_at(TAM_JOB_KINDS, (size_t)kind_of(message));
  envelope.first_seq = first_seq;
  int result =
      tam_speaker_init(&speaker, host->queue, name, op, &envelope, host->mem);
  if (result == 0) {
    tam_speaker_fail(&speaker, &failure, host->now_ms);
  }
  tam_speaker_free(&speaker);
  return result != 0 ? result : 1;
}

// Returns 0, TAM_JOURNAL_ENDED, or why the job must not begin.
static int begin(const tam_job_host *host, const tam_message *message,
                 const tam_event *event, tam_span text, int is_listed,
                 tam_journal_start *pstart) {
  int kind = kind_of(message);
  tam_span id = message->envelope.id;
  if (kind < 0 || (kind == TAM_JOB_LISTING && is_listed)) {
    return 0; // a listing looks itself
  }
  if ((event->flags & TAM_COMMAND_FLAG_JOURNAL) == 0 ||
      tam_span_eq(id, TAM_SPAN("null"))) {
    return message->is_resumed ? TAM_ERR_UNKNOWN_JOB : 0;
  }
  if (is_listed || tam_store_has_id(host->store, id) ||
      tam_chat_has_id(host->chat, id)) {
    return TAM_ERR_INVALID_PARAMS;
  }
  tam_journal_request request = {
      .op = event->op,
      .kind = (tam_job_kind)kind,
      .id = id,
      .text = message->rest.len > 0 ? tam_buf_span(&message->rest) : text,
      .params = message->params,
      .is_resumed = message->is_resumed,
      .is_restored = message->is_restored,
      .is_quiet = message->envelope.is_panel,
  };
  return tam_journal_begin(host->journal, &request, pstart, host->now_ms);
}

int tam_job_begin(const tam_job_host *host, const tam_message *message,
                  const tam_event *event, tam_span text, int is_listed,
                  tam_journal_start *pstart) {
  int error = begin(host, message, event, text, is_listed, pstart);
  return error >= 0 || tam_error_is_fatal(error)
             ? error
             : refuse(host, message, event->op, pstart->first_seq, error);
}
