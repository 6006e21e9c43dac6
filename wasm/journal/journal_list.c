// SPDX-License-Identifier: Apache-2.0
// What a program that died has left: who may look at it, and what there is.
#include "core/json_write.h"
#include "core/mem.h"
#include "core/names.h"
#include "journal/journal_state.h"

#include <string.h>

#define LOCK_NAME "tabagent:jobs"

// The most jobs that are taken over; a host runs a handful.
#define LEFT_MAX 256

static tam_storage_owner owner(void) {
  return (tam_storage_owner){0, 0};
}

void tam_journal_ask_lock(tam_journal *journal) {
  if (journal->lock == 0) {
    journal->lock =
        tam_storage_lock(journal->storage, owner(), TAM_SPAN(LOCK_NAME));
  }
}

// ---------------------------------------------------------------------------
// Models that took the program down

// Finds |name| in the list; its length when it is not there.
static size_t find_crashed(const tam_journal *journal, tam_span name) {
  tam_span rest = tam_buf_span(&journal->crashed);
  while (rest.len > 0) {
    size_t len = tam_span_find_byte(rest, 0);
    if (tam_span_eq(tam_span_head(rest, len), name)) {
      return journal->crashed.len - rest.len;
    }
    rest = tam_span_from(rest, len + 1);
  }
  return journal->crashed.len;
}

static void add_crashed(tam_journal *journal, tam_span name) {
  if (find_crashed(journal, name) == journal->crashed.len) {
    tam_buf_append(&journal->crashed, name);
    tam_buf_append_byte(&journal->crashed, 0);
    journal->crashed.error = 0; // one that is not known is not refused
  }
}

void tam_journal_blame(tam_journal *journal, const tam_job *job,
                       tam_batch *batch) {
  tam_span name = tam_buf_span(&job->load);
  add_crashed(journal, name);
  tam_journal_put(batch, TAM_KEY_CRASHED, name, TAM_SPAN("1"));
}

void tam_journal_forgive(tam_journal *journal, const tam_job *job,
                         tam_batch *batch) {
  tam_span name = tam_buf_span(&job->load);
  size_t at = find_crashed(journal, name);
  if (at == journal->crashed.len ||
      !tam_chat_is_loaded(journal->host.chat,
                          tam_span_head(name, job->model_len),
                          tam_span_from(name, job->model_len + 1))) {
    return;
  }
  journal->crashed.data[at] = ':'; // no model has a name like that
  tam_journal_delete(batch, TAM_KEY_CRASHED, name);
}

int tam_journal_is_crashed(const tam_journal *journal,
                           const tam_journal_request *request) {
  uint8_t text[TAM_STORAGE_KEY_MAX];
  tam_buf name;
  tam_buf_init_fixed(&name, text, sizeof(text));
  tam_buf_append(&name, tam_json_get_string(tam_json_get_member(
                            request->params, TAM_SPAN("modelId"))));
  tam_buf_append_byte(&name, ':');
  tam_buf_append(&name, tam_json_get_string(tam_json_get_member(
                            request->params, TAM_SPAN("dtype"))));
  return find_crashed(journal, tam_buf_span(&name)) < journal->crashed.len;
}

// ---------------------------------------------------------------------------
// The operation

static int is_list(const tam_journal *journal, uint32_t op) {
  return journal->list.is_running && journal->list.speaker.op == op;
}

int tam_journal_has_op(const tam_journal *journal, uint32_t op) {
  const tam_job *job = journal->first;
  while (job != NULL &&
         (job->op != op || job->held.first == NULL || !job->is_ended)) {
    job = job->next;
  }
  return job != NULL || is_list(journal, op);
}

void tam_journal_end_list(tam_journal *journal) {
  if (journal->list.is_running) {
    tam_batch_free(&journal->list.damaged);
    tam_speaker_free(&journal->list.speaker);
    journal->list.is_running = 0;
  }
}

static void fail_list(tam_journal *journal, int error, const char *why) {
  tam_failure failure = {
      .error = error,
      .stage = "jobs",
      .message = tam_span_of(why),
      .is_retryable = tam_error_is_retryable(error),
      .remedy = tam_error_remedy(error),
  };
  tam_speaker_fail(&journal->list.speaker, &failure, journal->now_ms);
  tam_journal_end_list(journal);
}

void tam_journal_cancel(tam_journal *journal, uint32_t op, double now_ms) {
  journal->now_ms = now_ms;
  if (!is_list(journal, op)) {
    return;
  }
  if (journal->list.request != 0) {
    tam_storage_drop(journal->storage, journal->list.request);
  }
  fail_list(journal, TAM_ERR_CANCELLED, "the operation was cancelled");
}

static void write_job(const tam_job *job, tam_buf *json) {
  tam_json_write_object_begin(json);
  tam_json_write_key(json, "id");
  tam_json_write_raw(json, tam_buf_span(&job->id));
  tam_json_write_name_member(json, "kind",
                             tam_names_at(TAM_JOB_KINDS, job->kind));
  tam_json_write_key(json, "request");
  tam_json_write_raw(json, tam_buf_span(&job->request));
  tam_json_write_number_member(json, "lastSeq", (double)job->first_seq - 1);
  tam_json_write_key(json, "paused");
  tam_json_write_bool(json, job->is_paused);
  tam_json_write_object_end(json);
}

// Returns the job that is left and comes next behind |order|, or NULL.
static const tam_job *next_left(const tam_journal *journal, uint64_t order) {
  const tam_job *best = NULL;
  for (const tam_job *job = journal->first; job != NULL; job = job->next) {
    if (job->is_left && job->order > order &&
        (best == NULL || job->order < best->order)) {
      best = job;
    }
  }
  return best;
}

static void say_list(tam_journal *journal) {
  tam_buf json;
  const tam_job *job = NULL;
  tam_speaker *speaker = &journal->list.speaker;
  tam_speaker_begin(speaker, TAM_ANSWER_DONE, journal->now_ms, &json);
  tam_json_write_key(&json, "jobs");
  tam_json_write_array_begin(&json);
  while ((job = next_left(journal, job == NULL ? 0 : job->order)) != NULL) {
    write_job(job, &json);
  }
  tam_json_write_array_end(&json);
  int error = tam_speaker_say(speaker, TAM_ANSWER_DONE, &json);
  if (error != 0) {
    fail_list(journal, error, "the list could not be written");
  } else {
    tam_journal_end_list(journal);
  }
}

// ---------------------------------------------------------------------------
// Reading

// An answer and what was said of it are written together: one without the other
// is damaged.
static void drop_halves(tam_journal *journal) {
  tam_job *next;
  for (tam_job *job = journal->first; job != NULL; job = next) {
    next = job->next;
    if (job->is_left && job->kind == TAM_JOB_ANSWER && job->rest.len == 0 &&
        job->last.len == 0) {
      tam_journal_delete(&journal->list.damaged, TAM_KEY_JOB,
                         tam_buf_span(&job->id));
      journal->list.is_damaged = 1;
      tam_journal_remove(journal, job);
    }
  }
}

// Asks for the next kind of records, or ends the list.
static void list_next(tam_journal *journal) {
  static const char prefixes[] =
      "\0" TAM_KEY_JOB "\0" TAM_KEY_SAID "\0" TAM_KEY_CRASHED "\0";
  if (journal->list.step == TAM_JOURNAL_CRASHED) {
    drop_halves(journal);
    if (journal->list.is_damaged) {
      (void)tam_journal_write(journal, &journal->list.damaged);
    }
    say_list(journal);
    return;
  }
  journal->list.step++;
  journal->list.request =
      tam_storage_list(journal->storage, owner(), TAM_STORE_FILES,
                       tam_span_of(tam_names_at(prefixes, journal->list.step)));
  if (journal->list.request == 0) {
    fail_list(journal, TAM_ERR_OUT_OF_MEMORY, "memory is short");
  }
}

int tam_journal_list(tam_journal *journal, uint32_t op,
                     const tam_envelope *envelope, double now_ms) {
  journal->now_ms = now_ms;
  tam_speaker speaker;
  int error = tam_speaker_init(&speaker, journal->host.queue, "resumeJobs", op,
                               envelope, journal->host.mem);
  if (error != 0 || journal->list.is_running) {
    if (error == 0) {
      tam_failure failure = {.error = TAM_ERR_BUSY,
                             .stage = "jobs",
                             .message = TAM_SPAN("the jobs are being listed"),
                             .is_retryable = 1};
      tam_speaker_fail(&speaker, &failure, now_ms);
    }
    tam_speaker_free(&speaker);
    return error;
  }
  memset(&journal->list, 0, sizeof(journal->list));
  journal->list.speaker = speaker;
  journal->list.speaker.envelope.id = tam_buf_span(&journal->list.speaker.id);
  journal->list.is_running = 1;
  tam_batch_init(&journal->list.damaged, journal->host.mem);
  tam_job *next;
  for (tam_job *job = journal->first; job != NULL; job = next) {
    next = job->next;
    if (job->is_left) {
      tam_journal_remove(journal, job); // it is found again
    }
  }
  tam_journal_ask_lock(journal);
  if (journal->lock == 0) {
    fail_list(journal, TAM_ERR_OUT_OF_MEMORY, "memory is short");
  } else if (journal->is_owner) {
    list_next(journal);
  }
  return 0;
}

static void drop_damaged(tam_journal *journal, tam_span key) {
  tam_batch_delete(&journal->list.damaged, TAM_STORE_FILES, key);
  journal->list.is_damaged = 1;
}

static size_t count_left(const tam_journal *journal) {
  size_t count = 0;
  for (const tam_job *job = journal->first; job != NULL; job = job->next) {
    count += job->is_left != 0;
  }
  return count;
}

static void take_job(tam_journal *journal, const tam_storage_report *report) {
  tam_job_record record;
  int error = tam_job_record_read(&record, report->data);
  tam_span id = tam_span_from(report->key, sizeof(TAM_KEY_JOB) - 1);
  if (error == 0) {
    error = tam_job_record_check(&record, journal->host.mem);
  }
  if (error == TAM_ERR_UNEXPECTED_SHAPE || error == TAM_ERR_OUT_OF_MEMORY ||
      tam_journal_find(journal, id, 0)) {
    return; // a newer program may know what to do; what runs is ours
  }
  if (error != 0 || !tam_span_eq(record.id, id)) {
    drop_damaged(journal, report->key);
    return;
  }
  tam_job *job =
      count_left(journal) < LEFT_MAX ? tam_journal_add(journal, id) : NULL;
  if (job == NULL) {
    return; // it stays for the next time
  }
  tam_buf_append(&job->request, record.request);
  tam_buf_append(&job->head, record.head);
  tam_buf_append(&job->last, record.last);
  job->is_left = 1;
  job->kind = record.kind;
  job->order = record.order;
  job->is_paused = record.is_paused;
  job->attempts = record.attempts;
  job->first_seq = job->seq = record.seq;
  if (record.order > journal->last_order) {
    journal->last_order = record.order;
  }
  if (job->request.error != 0 || job->head.error != 0 || job->last.error != 0) {
    tam_journal_remove(journal, job);
  }
}

// What was said has to be known for sure: without it there is no job.
static void take_said(tam_journal *journal, const tam_storage_report *report) {
  uint64_t order;
  uint32_t seq;
  tam_span rest;
  int error = tam_said_record_read(&order, &seq, &rest, report->data);
  tam_span id = tam_span_from(report->key, sizeof(TAM_KEY_SAID) - 1);
  tam_job *job = tam_journal_find(journal, id, 1);
  if (error == TAM_ERR_UNEXPECTED_SHAPE || tam_journal_find(journal, id, 0)) {
    return;
  }
  if (error == 0 && job != NULL && job->order == order) {
    job->first_seq = job->seq = seq;
    tam_buf_append(&job->rest, rest);
    error = job->rest.error;
  } else {
    error = TAM_ERR_INVALID_ARGUMENT;
  }
  if (error == TAM_ERR_INVALID_ARGUMENT) {
    drop_damaged(journal, report->key);
    tam_journal_delete(&journal->list.damaged, TAM_KEY_JOB, id);
  }
  if (error != 0 && job != NULL) {
    tam_journal_remove(journal, job);
  }
}

static void take_value(tam_journal *journal, const tam_storage_report *report) {
  switch (journal->list.step) {
  case TAM_JOURNAL_JOBS:
    take_job(journal, report);
    break;
  case TAM_JOURNAL_SAID:
    take_said(journal, report);
    break;
  default:
    add_crashed(journal,
                tam_span_from(report->key, sizeof(TAM_KEY_CRASHED) - 1));
    break;
  }
}

static void on_lock(tam_journal *journal, const tam_storage_report *report) {
  if (report->kind == TAM_STORAGE_END) {
    journal->is_owner = 1;
  } else {
    journal->lock = 0; // the next one asks again
  }
}

void tam_journal_on_list(tam_journal *journal,
                         const tam_storage_report *report) {
  int is_lock = report->request == journal->lock;
  if (is_lock) {
    on_lock(journal, report);
  }
  if (!journal->list.is_running ||
      (!is_lock && report->request != journal->list.request)) {
    return;
  }
  switch (report->kind) {
  case TAM_STORAGE_VALUE:
    take_value(journal, report);
    break;
  case TAM_STORAGE_END:
    list_next(journal);
    break;
  default:
    fail_list(journal, report->error, "the storage cannot be read");
    break;
  }
}
