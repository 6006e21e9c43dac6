// SPDX-License-Identifier: Apache-2.0
// What the files of the journal share: journal.c has the jobs that run,
// journal_list.c finds those that are left. Not for others.
#ifndef TAM_JOURNAL_JOURNAL_STATE_H
#define TAM_JOURNAL_JOURNAL_STATE_H

#include "core/speaker.h"
#include "journal/journal.h"
#include "store/storage.h"

// Lives of the program that may begin a job in vain: the one that began it, and
// one more.
#define TAM_JOURNAL_ATTEMPTS_MAX 2

// All models together that took the program down.
#define TAM_JOURNAL_CRASHED_MAX 65536

typedef struct tam_job {
  struct tam_job *next;
  tam_buf id; // JSON text
  tam_job_kind kind;
  uint32_t op;
  uint64_t order;
  tam_buf request; // as it is written down
  tam_buf load;    // "<model>:<dtype>", of a load
  size_t model_len;
  uint8_t attempts;

  int is_left;  // by a program that died: it does not run
  int is_quiet; // it speaks to all, not to whoever began it
  int is_paused;
  uint32_t first_seq; // from which it goes on
  tam_buf head;
  tam_buf rest;
  tam_buf last; // of a job that had ended

  uint32_t seq;            // of the next message that comes out of the queue
  uint32_t durable;        // messages before it may go out
  uint32_t writing;        // the same once the transaction is through
  uint32_t request_number; // of that, 0: none is under way
  double asked_ms;
  unsigned stage; // of the record as it is stored, or being stored
  int is_stored;
  int is_free;  // it is not written down
  int is_ended; // its last message came out of the queue
  int is_last;  // it was written down, or need not be
  int is_deleting;
  tam_action_queue held;
} tam_job;

typedef enum tam_journal_step {
  TAM_JOURNAL_LOCK = 0,
  TAM_JOURNAL_JOBS,
  TAM_JOURNAL_SAID,
  TAM_JOURNAL_CRASHED
} tam_journal_step;

struct tam_journal {
  tam_journal_host host;
  tam_storage *storage;
  tam_action_queue ready; // messages that were held back and may go out
  tam_job *first;
  uint64_t last_order;
  double now_ms;
  uint32_t lock; // the request for it
  int is_owner;
  tam_buf crashed; // "<model>:<dtype>" of each, behind a NUL
  struct {
    int is_running;
    tam_journal_step step;
    uint32_t request;
    tam_speaker speaker;
    tam_batch damaged; // what is to be deleted
    int is_damaged;
  } list;
};

// --- journal.c

// Adds a job; NULL: memory is short.
tam_job *tam_journal_add(tam_journal *journal, tam_span id);
void tam_journal_remove(tam_journal *journal, tam_job *job);

// Returns the job |id| that is left, or that runs, or NULL.
tam_job *tam_journal_find(const tam_journal *journal, tam_span id, int is_left);

// Add to |batch|; the key is |prefix| and |rest|.
void tam_journal_put(tam_batch *batch, const char *prefix, tam_span rest,
                     tam_span bytes);
void tam_journal_delete(tam_batch *batch, const char *prefix, tam_span rest);

// Submits |batch| and frees it. Returns the number of the request, or 0.
uint32_t tam_journal_write(tam_journal *journal, tam_batch *batch);

// --- journal_list.c

void tam_journal_ask_lock(tam_journal *journal);
void tam_journal_on_list(tam_journal *journal,
                         const tam_storage_report *report);
void tam_journal_end_list(tam_journal *journal);

// Notes that |job|, a load, took the program down; and that it did not.
void tam_journal_blame(tam_journal *journal, const tam_job *job,
                       tam_batch *batch);
void tam_journal_forgive(tam_journal *journal, const tam_job *job,
                         tam_batch *batch);
int tam_journal_is_crashed(const tam_journal *journal,
                           const tam_journal_request *request);

#endif // TAM_JOURNAL_JOURNAL_STATE_H
