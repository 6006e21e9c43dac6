// SPDX-License-Identifier: Apache-2.0
// The journal: jobs that outlive the program that runs them.
//
// It stands between the operations and the host: every action goes through
// tam_journal_next. Messages of a job that is written down are held back until
// what they follow from is stored; then nothing is said twice or lost, whenever
// the program is killed:
//
// * of an answer everything that was chosen and said so far is written before a
//   message goes out; whoever goes on chooses the same once more, and what it
//   says of that is marked (TAM_MESSAGE_FLAG_AGAIN). What is said while a
//   transaction is under way shares the next one, so that the generation never
//   waits;
// * of the others only numbers of messages are written, a hundred ahead: they
//   begin again, under the same id, with a number that was not used;
// * at the end the last messages themselves are written, then said, and then
//   all is deleted. A kill in between leaves a job that says them once more,
//   marked; but the end that all hear, which holds the whole answer, is said as
//   it is: nobody loses it, and twice it says the same. A listing, whose end
//   has megabytes, is deleted before its end is said: a kill between the two
//   leaves no job.
//
// One context at a time keeps the journal: whoever holds its lock. Until it is
// got, and when the storage fails or is silent, jobs run as if there were none.
#ifndef TAM_JOURNAL_JOURNAL_H
#define TAM_JOURNAL_JOURNAL_H

#include "chat/chat.h"
#include "journal/job_record.h"
#include "store/store.h"

typedef struct tam_journal tam_journal;

// What the journal works with; everything outlives it.
typedef struct tam_journal_host {
  const tam_mem *mem;
  tam_action_queue *queue;
  tam_store *store;
  tam_chat *chat;
} tam_journal_host;

// A job that begins or goes on; everything is borrowed for the call.
typedef struct tam_journal_request {
  uint32_t op;
  tam_job_kind kind;
  tam_span id;                 // JSON text, not null
  tam_span text;               // of the request
  const tam_json_node *params; // of the request
  int is_resumed;              // it goes on
  int is_restored;             // a load that nobody asked for just now
  int is_quiet;                // it speaks to all, not to whoever began it
} tam_journal_request;

// With what an operation has to begin; spans are valid until its first message
// is taken.
typedef struct tam_journal_start {
  uint32_t first_seq;
  int is_paused;
  tam_span head;
  tam_span rest;
} tam_journal_start;

// Creates the journal. Errors: OUT_OF_MEMORY.
int tam_journal_new(tam_journal **pjournal, const tam_journal_host *host);

// Frees the journal and what it holds back, without a word; NULL is allowed.
void tam_journal_del(tam_journal *journal);

// tam_journal_begin has said what was left to say of a job that had ended.
#define TAM_JOURNAL_ENDED 1

// Takes in that the operation of |request| is about to begin; |*pstart| says
// with what. Returns 0, or TAM_JOURNAL_ENDED: it need not begin. Errors, after
// which it must not begin:
// * UNKNOWN_JOB: it is to go on, and nothing is known of it;
// * LOAD_CRASHED: the program died twice in it, or it is restored and has died
//   so before;
// * OUT_OF_MEMORY.
int tam_journal_begin(tam_journal *journal, const tam_journal_request *request,
                      tam_journal_start *pstart, double now_ms);

// Takes back the beginning of |op|, which could not be started.
void tam_journal_forget(tam_journal *journal, uint32_t op);

// Starts the operation |op|, which lists what can go on: it waits for the lock.
// Errors: OUT_OF_MEMORY; nothing is said then.
int tam_journal_list(tam_journal *journal, uint32_t op,
                     const tam_envelope *envelope, double now_ms);

// Takes in a STORE event with a number of the journal's. Errors: INVALID_STATE.
int tam_journal_feed(tam_journal *journal, const tam_event *event,
                     double now_ms);

// Returns 1 when |op| is a list that has not ended, or has ended and its last
// message is held back.
int tam_journal_has_op(const tam_journal *journal, uint32_t op);

// Cancels |op|, which the journal has, when it is a list.
void tam_journal_cancel(tam_journal *journal, uint32_t op, double now_ms);

// Writes down what has changed.
void tam_journal_advance(tam_journal *journal, double now_ms);

// Returns when advance has something to do, or -1.
double tam_journal_deadline(const tam_journal *journal);

// Returns the next action for the host, or NULL. It is valid until the next
// call.
const tam_action *tam_journal_next(tam_journal *journal);

// Returns how many operations have ended, but not for whoever listens.
size_t tam_journal_busy(const tam_journal *journal);

#endif // TAM_JOURNAL_JOURNAL_H
