// SPDX-License-Identifier: Apache-2.0
// Jobs that run: what is written of them, and what they say until it is.
#include "journal/journal.h"

#include "core/mem.h"
#include "core/names.h"
#include "journal/journal_state.h"
#include "store/store_key.h"

// Numbers of messages that a job may use before the next transaction.
#define RESERVED     128
#define RESERVED_LOW 32

// A storage that is silent for so long does not hold back messages any more.
#define PATIENCE_MS 5000.0

// An answer is written at most this often: who reads does not notice, and of
// the fastest models it costs a hundredth of the time.
#define PERIOD_MS 20.0

// The number of messages that wait for the end of their job.
#define AT_THE_END UINT32_MAX

// ---------------------------------------------------------------------------
// Life

int tam_journal_new(tam_journal **pjournal, const tam_journal_host *host) {
  tam_journal *journal = tam_mem_calloc(host->mem, 1, sizeof(*journal));
  if (journal == NULL) {
    return TAM_ERR_OUT_OF_MEMORY;
  }
  journal->host = *host;
  tam_action_queue_init(&journal->ready, host->mem);
  tam_buf_init(&journal->crashed, host->mem, TAM_JOURNAL_CRASHED_MAX);
  int error =
      tam_storage_new(&journal->storage, host->queue, TAM_STORAGE_ID_MAX,
                      TAM_JOURNAL_ID_MAX, host->mem);
  if (error != 0) {
    tam_journal_del(journal);
    return error;
  }
  *pjournal = journal;
  return 0;
}

static void job_del(tam_journal *journal, tam_job *job) {
  tam_action_queue_free(&job->held);
  tam_buf_free(&job->id);
  tam_buf_free(&job->request);
  tam_buf_free(&job->head);
  tam_buf_free(&job->rest);
  tam_buf_free(&job->last);
  tam_buf_free(&job->load);
  tam_mem_free(journal->host.mem, job);
}

void tam_journal_del(tam_journal *journal) {
  if (journal == NULL) {
    return;
  }
  const tam_mem *mem = journal->host.mem;
  while (journal->first != NULL) {
    tam_journal_remove(journal, journal->first);
  }
  tam_journal_end_list(journal);
  tam_action_queue_free(&journal->ready);
  tam_storage_del(journal->storage);
  tam_buf_free(&journal->crashed);
  tam_mem_free(mem, journal);
}

tam_job *tam_journal_add(tam_journal *journal, tam_span id) {
  const tam_mem *mem = journal->host.mem;
  tam_job *job = tam_mem_calloc(mem, 1, sizeof(*job));
  if (job == NULL) {
    return NULL;
  }
  tam_action_queue_init(&job->held, mem);
  tam_buf_init(&job->id, mem, TAM_CALLER_ID_MAX);
  tam_buf_init(&job->request, mem, TAM_STORAGE_RECORD_MAX);
  tam_buf_init(&job->head, mem, TAM_STORAGE_RECORD_MAX);
  tam_buf_init(&job->rest, mem, TAM_STORAGE_RECORD_MAX);
  tam_buf_init(&job->last, mem, TAM_STORAGE_RECORD_MAX);
  tam_buf_init(&job->load, mem, TAM_STORAGE_KEY_MAX);
  tam_buf_append(&job->id, id);
  if (job->id.error != 0) {
    job_del(journal, job);
    return NULL;
  }
  job->next = journal->first;
  journal->first = job;
  return job;
}

void tam_journal_remove(tam_journal *journal, tam_job *job) {
  tam_job **plink = &journal->first;
  while (*plink != job) {
    plink = &(*plink)->next;
  }
  *plink = job->next;
  job_del(journal, job);
}

tam_job *tam_journal_find(const tam_journal *journal, tam_span id,
                          int is_left) {
  tam_job *job = journal->first;
  while (job != NULL && (job->is_left != is_left ||
                         !tam_span_eq(tam_buf_span(&job->id), id))) {
    job = job->next;
  }
  return job;
}

static tam_job *find_op(const tam_journal *journal, uint32_t op) {
  tam_job *job = journal->first;
  while (job != NULL && (job->is_left || job->op != op)) {
    job = job->next;
  }
  return job;
}

// ---------------------------------------------------------------------------
// What is held back

// Hands on what is before |seq|. The number stood where a message has none.
static void let_go(tam_journal *journal, tam_job *job, uint32_t seq) {
  tam_action_node *node = job->held.first;
  while (node != NULL && node->action.request <= seq &&
         (seq == AT_THE_END || node->action.request < seq)) {
    tam_action_queue_remove(&job->held, node);
    node->action.request = 0;
    tam_action_queue_push(&journal->ready, node);
    node = job->held.first;
  }
}

// The job is not written down any more; what it says goes out.
static void give_up(tam_journal *journal, tam_job *job) {
  job->is_free = 1;
  let_go(journal, job, AT_THE_END);
}

static void finish(tam_journal *journal, tam_job *job) {
  let_go(journal, job, AT_THE_END);
  tam_journal_remove(journal, job);
}

// ---------------------------------------------------------------------------
// Writing

static void append_key(tam_buf *key, const char *prefix, tam_span rest) {
  tam_buf_append_text(key, prefix);
  tam_buf_append(key, rest);
}

void tam_journal_put(tam_batch *batch, const char *prefix, tam_span rest,
                     tam_span bytes) {
  uint8_t text[TAM_STORE_KEY_MAX];
  tam_buf key;
  tam_buf_init_fixed(&key, text, sizeof(text));
  append_key(&key, prefix, rest);
  tam_batch_put(batch, tam_buf_span(&key), bytes);
}

void tam_journal_delete(tam_batch *batch, const char *prefix, tam_span rest) {
  uint8_t text[TAM_STORE_KEY_MAX];
  tam_buf key;
  tam_buf_init_fixed(&key, text, sizeof(text));
  append_key(&key, prefix, rest);
  tam_batch_delete(batch, TAM_STORE_FILES, tam_buf_span(&key));
}

uint32_t tam_journal_write(tam_journal *journal, tam_batch *batch) {
  uint32_t request =
      tam_storage_write(journal->storage, (tam_storage_owner){0, 0}, batch);
  tam_batch_free(batch);
  return request;
}

static int is_answer(const tam_job *job) {
  return job->kind == TAM_JOB_ANSWER;
}

// Returns what the first record of |job| depends on; 0: nothing can be written.
static unsigned stage_of(const tam_journal *journal, const tam_job *job) {
  if (is_answer(job)) {
    return tam_chat_saved_stage(journal->host.chat, job->op);
  }
  return tam_store_is_paused(journal->host.store, job->op) ? 2 : 1;
}

static void put_job(tam_journal *journal, const tam_job *job, unsigned stage,
                    tam_batch *batch) {
  const tam_mem *mem = journal->host.mem;
  tam_buf head;
  tam_buf bytes;
  tam_buf_init(&head, mem, TAM_STORAGE_RECORD_MAX);
  tam_buf_init(&bytes, mem, TAM_STORAGE_RECORD_MAX);
  if (is_answer(job) && !job->is_ended) {
    tam_chat_save_head(journal->host.chat, job->op, &head);
  }
  tam_job_record record = {
      .kind = job->kind,
      .order = job->order,
      .is_paused = !is_answer(job) && stage == 2,
      .attempts = job->attempts,
      .seq = job->writing,
      .id = tam_buf_span(&job->id),
      .request = tam_buf_span(&job->request),
      .head = tam_buf_span(&head),
      .last = tam_buf_span(&job->last),
  };
  tam_job_record_write(&record, &bytes);
  tam_journal_put(batch, TAM_KEY_JOB, record.id, tam_buf_span(&bytes));
  if (head.error != 0 || bytes.error != 0 || job->last.error != 0) {
    batch->json.error = TAM_ERR_TOO_LARGE;
  }
  tam_buf_free(&head);
  tam_buf_free(&bytes);
}

static void put_said(tam_journal *journal, const tam_job *job,
                     tam_batch *batch) {
  const tam_mem *mem = journal->host.mem;
  tam_buf rest;
  tam_buf bytes;
  tam_buf_init(&rest, mem, TAM_STORAGE_RECORD_MAX);
  tam_buf_init(&bytes, mem, TAM_STORAGE_RECORD_MAX);
  tam_chat_save_rest(journal->host.chat, job->op, &rest);
  tam_said_record_write(job->order, job->writing, tam_buf_span(&rest), &bytes);
  tam_journal_put(batch, TAM_KEY_SAID, tam_buf_span(&job->id),
                  tam_buf_span(&bytes));
  if (rest.error != 0 || bytes.error != 0) {
    batch->json.error = TAM_ERR_TOO_LARGE;
  }
  tam_buf_free(&rest);
  tam_buf_free(&bytes);
}

static void ask(tam_journal *journal, tam_job *job, tam_batch *batch) {
  job->request_number = tam_journal_write(journal, batch);
  job->asked_ms = journal->now_ms;
  if (job->request_number == 0) {
    give_up(journal, job);
  }
}

static void write_job(tam_journal *journal, tam_job *job, unsigned stage) {
  tam_batch batch;
  tam_batch_init(&batch, journal->host.mem);
  job->writing = is_answer(job)
                     ? tam_chat_saved_seq(journal->host.chat, job->op)
                     : job->seq + RESERVED;
  if (is_answer(job) && job->attempts > 0 &&
      tam_chat_has_gone_on(journal->host.chat, job->op)) {
    job->attempts = 0; // this life has brought it further
    job->stage = 0;
  }
  if (!is_answer(job) || stage != job->stage) {
    put_job(journal, job, stage, &batch);
  }
  if (is_answer(job)) {
    put_said(journal, job, &batch);
  }
  job->stage = stage;
  ask(journal, job, &batch);
}

// Whether |message|, which waits for the end of |job|, is to be heard in any
// case: what it says itself, and the end that all hear. Pieces that all hear
// would be there twice, and stand in that end.
static int is_wanted(const tam_job *job, const tam_action *message) {
  return message->op == job->op || message->request == AT_THE_END;
}

// Writes down what is still to be heard: a kill behind it costs nothing. A
// listing has megabytes of that, and begins again instead.
static void write_last(tam_journal *journal, tam_job *job) {
  tam_batch batch;
  job->is_last = 1;
  if (job->kind == TAM_JOB_LISTING) {
    return;
  }
  tam_action_node *node = job->held.first;
  for (; node != NULL; node = node->next) {
    if (is_wanted(job, &node->action)) {
      tam_buf_append_u32(&job->last, node->action.op == 0
                                         ? TAM_JOB_FLAGS_FOR_ALL
                                         : node->action.flags);
      tam_buf_append_u32(&job->last, (uint32_t)node->action.first.len);
      tam_buf_append(&job->last, node->action.first);
    }
  }
  tam_batch_init(&batch, journal->host.mem);
  put_job(journal, job, 0, &batch);
  ask(journal, job, &batch);
}

static void write_end(tam_journal *journal, tam_job *job) {
  tam_batch batch;
  tam_batch_init(&batch, journal->host.mem);
  tam_journal_delete(&batch, TAM_KEY_JOB, tam_buf_span(&job->id));
  if (is_answer(job)) {
    tam_journal_delete(&batch, TAM_KEY_SAID, tam_buf_span(&job->id));
  }
  if (job->kind == TAM_JOB_LOAD) {
    tam_journal_forgive(journal, job, &batch);
  }
  job->is_deleting = 1;
  ask(journal, job, &batch);
}

// Returns when what |job| holds back may be written, or -1.
static double due_ms(const tam_job *job) {
  int is_waiting = job->held.first != NULL && job->request_number == 0 &&
                   !job->is_ended && !job->is_left;
  return is_waiting && is_answer(job) && job->stage != 0
             ? job->asked_ms + PERIOD_MS
             : -1;
}

// Returns 1 when there is something to write of a job that runs.
static int has_news(const tam_journal *journal, const tam_job *job,
                    unsigned stage) {
  if (stage == 0) {
    return 0;
  }
  return stage != job->stage ||
         (job->held.first != NULL && journal->now_ms >= due_ms(job)) ||
         (!is_answer(job) && job->durable < job->seq + RESERVED_LOW);
}

// Brings a job that has ended to its end, step by step.
static void work_end(tam_journal *journal, tam_job *job) {
  if (job->is_stored && !job->is_last && !job->is_free) {
    write_last(journal, job);
  }
  if (job->request_number == 0 && job->is_stored && !job->is_deleting) {
    if (job->kind != TAM_JOB_LISTING) {
      let_go(journal, job, AT_THE_END);
    }
    write_end(journal, job);
  }
  if (job->request_number == 0) {
    finish(journal, job);
  }
}

// Does what is due for |job|, which may be gone afterwards.
static void work(tam_journal *journal, tam_job *job) {
  unsigned stage;
  if (job->is_left || job->request_number != 0 || !journal->is_owner) {
    return;
  }
  if (job->is_ended) {
    work_end(journal, job);
    return;
  }
  stage = stage_of(journal, job);
  if (!job->is_free && has_news(journal, job, stage)) {
    write_job(journal, job, stage);
  }
}

static void on_written(tam_journal *journal, tam_job *job, int is_good) {
  job->request_number = 0;
  if (job->is_deleting) {
    finish(journal, job); // a record that stays is the lesser evil
    return;
  }
  if (is_good) {
    job->is_stored = 1;
    job->durable = job->writing;
    let_go(journal, job, job->durable);
  } else {
    give_up(journal, job);
  }
  work(journal, job);
}

// ---------------------------------------------------------------------------
// Beginning

static tam_span param_of(const tam_journal_request *request, const char *name) {
  return tam_json_get_string(
      tam_json_get_member(request->params, tam_span_of(name)));
}

// Of a load, notes which model in which dtype.
static void note_load(tam_job *job, const tam_journal_request *request) {
  tam_buf_append(&job->load, param_of(request, "modelId"));
  job->model_len = job->load.len;
  tam_buf_append_byte(&job->load, ':');
  tam_buf_append(&job->load, param_of(request, "dtype"));
}

static void begin_new(tam_journal *journal,
                      const tam_journal_request *request) {
  // What is left of another of the same id is overwritten.
  tam_job *left = tam_journal_find(journal, request->id, 1);
  if (left != NULL) {
    tam_journal_remove(journal, left);
  }
  tam_job *job = tam_journal_add(journal, request->id);
  if (job == NULL) {
    return; // it runs without a record
  }
  uint64_t now = journal->now_ms > 0 ? (uint64_t)journal->now_ms : 0;
  job->order = now > journal->last_order ? now : journal->last_order + 1;
  journal->last_order = job->order;
  job->kind = request->kind;
  job->op = request->op;
  job->attempts = 1;
  job->is_quiet = request->is_quiet;
  tam_job_write_request(request->text, &job->request, journal->host.mem);
  note_load(job, request);
  job->is_free = job->request.error != 0 || job->load.error != 0;
}

// The program has died too often in it.
static int refuse(tam_journal *journal, tam_job *job) {
  tam_batch batch;
  tam_batch_init(&batch, journal->host.mem);
  tam_journal_delete(&batch, TAM_KEY_JOB, tam_buf_span(&job->id));
  tam_journal_delete(&batch, TAM_KEY_SAID, tam_buf_span(&job->id));
  if (job->kind == TAM_JOB_LOAD) {
    tam_journal_blame(journal, job, &batch);
  }
  (void)tam_journal_write(journal, &batch);
  tam_journal_remove(journal, job);
  return TAM_ERR_LOAD_CRASHED;
}

// It had ended: what may not have been heard is said again.
static int say_last(tam_journal *journal, tam_job *job) {
  tam_span rest = tam_buf_span(&job->last);
  tam_span text;
  uint32_t flags;
  while (tam_job_record_take_last(&rest, &flags, &text)) {
    tam_action_node *node = tam_action_node_new(journal->host.mem, text.len);
    if (node == NULL) {
      return TAM_ERR_OUT_OF_MEMORY;
    }
    tam_text_copy((uint8_t *)(node + 1), text);
    node->action.kind = TAM_ACTION_MESSAGE;
    int is_for_all = flags == TAM_JOB_FLAGS_FOR_ALL;
    node->action.op = is_for_all ? 0 : job->op;
    node->action.flags = is_for_all ? 0 : flags | TAM_MESSAGE_FLAG_AGAIN;
    tam_action_queue_push(&job->held, node);
  }
  let_go(journal, job, AT_THE_END);
  job->is_ended = job->is_last = 1;
  return TAM_JOURNAL_ENDED;
}

static int begin_again(tam_journal *journal, const tam_journal_request *request,
                       tam_journal_start *start) {
  tam_job *job = tam_journal_find(journal, request->id, 1);
  if (job == NULL || job->kind != request->kind) {
    return TAM_ERR_UNKNOWN_JOB;
  }
  int can_crash = job->kind >= TAM_JOB_LOAD;
  tam_buf_reset(&job->load);
  note_load(job, request);
  if (can_crash && job->last.len == 0 &&
      job->attempts >= TAM_JOURNAL_ATTEMPTS_MAX) {
    start->first_seq = job->first_seq;
    return refuse(journal, job);
  }
  job->is_left = 0;
  job->is_stored = 1;
  job->op = request->op;
  job->is_quiet = request->is_quiet;
  if (job->last.len > 0) {
    return say_last(journal, job);
  }
  job->attempts = (uint8_t)(job->attempts + can_crash);
  *start = (tam_journal_start){
      .first_seq = is_answer(job) ? 0 : job->first_seq, // it counts itself
      .is_paused = job->is_paused,
      .head = tam_buf_span(&job->head),
      .rest = tam_buf_span(&job->rest),
  };
  return 0;
}

int tam_journal_begin(tam_journal *journal, const tam_journal_request *request,
                      tam_journal_start *pstart, double now_ms) {
  journal->now_ms = now_ms;
  *pstart = (tam_journal_start){0};
  tam_journal_ask_lock(journal);
  if (request->is_restored && tam_journal_is_crashed(journal, request)) {
    return TAM_ERR_LOAD_CRASHED;
  }
  if (request->is_resumed) {
    return begin_again(journal, request, pstart);
  }
  begin_new(journal, request);
  return 0;
}

void tam_journal_forget(tam_journal *journal, uint32_t op) {
  tam_job *job = find_op(journal, op);
  if (job != NULL) {
    tam_journal_remove(journal, job);
  }
}

// ---------------------------------------------------------------------------
// What passes

static void hold(tam_journal *journal, tam_job *job, tam_action_node *node,
                 uint32_t seq) {
  tam_action_queue_remove(journal->host.queue, node);
  node->action.request = seq;
  tam_action_queue_push(&job->held, node);
  work(journal, job);
}

// Whether what the message |seq| follows from is stored, and those before it
// are out.
static int is_known(const tam_job *job, uint32_t seq) {
  return job->held.first == NULL && seq < job->durable;
}

// What all hear of an answer: a part waits with the part that it repeats, or of
// a panel's answer, which has no others, in its place; the end with the end.
static int take_broadcast(tam_journal *journal, tam_action_node *node) {
  tam_job *job = find_op(journal, node->action.request);
  int is_end = (node->action.flags & TAM_MESSAGE_FLAG_TERMINAL) != 0;
  node->action.request = 0;
  node->action.flags &= ~TAM_MESSAGE_FLAG_TERMINAL;
  if (job == NULL) {
    return 0;
  }
  job->seq += job->is_quiet && !is_end;
  uint32_t seq = is_end ? AT_THE_END : job->seq - 1;
  if (!journal->is_owner || job->is_free || is_known(job, seq)) {
    return 0;
  }
  hold(journal, job, node, seq);
  return 1;
}

static int take_message(tam_journal *journal, tam_job *job,
                        tam_action_node *node) {
  int is_last = (node->action.flags & TAM_MESSAGE_FLAG_TERMINAL) != 0;
  if ((node->action.flags &
       (TAM_MESSAGE_FLAG_AGAIN | TAM_MESSAGE_FLAG_STANDING)) != 0) {
    return 0;
  }
  if (is_last && !journal->is_owner) {
    tam_journal_remove(journal, job);
    return 0;
  }
  if (is_last) {
    job->is_ended = 1;
    hold(journal, job, node, AT_THE_END);
    return 1;
  }
  uint32_t seq = job->seq++;
  if (!journal->is_owner || job->is_free || is_known(job, seq)) {
    return 0;
  }
  hold(journal, job, node, seq);
  return 1;
}

// Takes |node| out of the queue when it has to wait: returns 1 then.
static int take(tam_journal *journal, tam_action_node *node) {
  const tam_action *action = &node->action;
  tam_job *job = find_op(journal, action->op);
  switch (action->kind) {
  case TAM_ACTION_MESSAGE:
    return action->op == 0 ? take_broadcast(journal, node)
           : job != NULL   ? take_message(journal, job, node)
                           : 0;
  case TAM_ACTION_MODELS:
    if (job != NULL && journal->is_owner) {
      hold(journal, job, node, AT_THE_END);
      return 1;
    }
    return 0;
  default:
    return 0;
  }
}

const tam_action *tam_journal_next(tam_journal *journal) {
  tam_action_queue *queue = journal->host.queue;
  tam_action_queue_release(queue);
  tam_action_queue_release(&journal->ready);
  while (journal->ready.first == NULL && queue->first != NULL &&
         take(journal, queue->first)) {
  }
  return tam_action_queue_pop(journal->ready.first != NULL ? &journal->ready
                                                           : queue);
}

// ---------------------------------------------------------------------------
// Events

int tam_journal_feed(tam_journal *journal, const tam_event *event,
                     double now_ms) {
  tam_storage_report report;
  journal->now_ms = now_ms;
  int error = tam_storage_feed(journal->storage, event, &report);
  if (error != 0 || report.kind == TAM_STORAGE_NOTHING) {
    return error;
  }
  tam_job *job = journal->first;
  while (job != NULL && job->request_number != report.request) {
    job = job->next;
  }
  if (job != NULL) {
    on_written(journal, job, report.kind == TAM_STORAGE_END);
  } else {
    tam_journal_on_list(journal, &report);
  }
  return 0;
}

void tam_journal_advance(tam_journal *journal, double now_ms) {
  journal->now_ms = now_ms;
  tam_job *next;
  for (tam_job *job = journal->first; job != NULL; job = next) {
    next = job->next;
    if (job->request_number != 0 && now_ms >= job->asked_ms + PATIENCE_MS) {
      tam_storage_drop(journal->storage, job->request_number);
      on_written(journal, job, 0);
    } else {
      work(journal, job);
    }
  }
}

double tam_journal_deadline(const tam_journal *journal) {
  double at_ms = -1;
  for (const tam_job *job = journal->first; job != NULL; job = job->next) {
    double job_ms =
        job->request_number != 0 ? job->asked_ms + PATIENCE_MS : due_ms(job);
    if (job_ms >= 0 && (at_ms < 0 || job_ms < at_ms)) {
      at_ms = job_ms;
    }
  }
  return at_ms;
}

size_t tam_journal_busy(const tam_journal *journal) {
  size_t count = journal->list.is_running ? 1 : 0;
  for (const tam_job *job = journal->first; job != NULL; job = job->next) {
    count += job->is_ended && job->held.first != NULL;
  }
  return count;
}
