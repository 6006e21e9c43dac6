// SPDX-License-Identifier: Apache-2.0
// The beginning of jobs that outlive the program: what a command tells the
// journal, and what it is answered when it may not begin.
#ifndef TAM_PROTOCOL_JOB_COMMAND_H
#define TAM_PROTOCOL_JOB_COMMAND_H

#include "journal/journal.h"
#include "protocol/message.h"

// The requests that people know as jobs: what they have begun, and look for
// when they come back. Others are questions, answered at once, or what parts of
// the program tell each other.
#define TAM_JOB_NAMES                                                          \
  "listChatModels\0"                                                           \
  "download\0"                                                                 \
  "updateModel\0"                                                              \
  "verifyModel\0"                                                              \
  "importModel\0"                                                              \
  "importFiles\0"                                                              \
  "load\0"                                                                     \
  "init\0"                                                                     \
  "loadModel\0"                                                                \
  "restoreLastState\0"                                                         \
  "generate\0"                                                                 \
  "sendChatMessage\0"

typedef struct tam_job_host {
  const tam_mem *mem;
  tam_action_queue *queue;
  tam_journal *journal;
  tam_store *store;
  tam_chat *chat;
  double now_ms;
} tam_job_host;

// Begins the job that |message|, the |text| of the command |event|, asks for,
// if it does; |is_listed|: a running listing has its id. |*pstart| says with
// what the operation has to begin. Returns 0, 1 when nothing has to begin,
// since all there is to say has been said, or OUT_OF_MEMORY.
int tam_job_begin(const tam_job_host *host, const tam_message *message,
                  const tam_event *event, tam_span text, int is_listed,
                  tam_journal_start *pstart);

#endif // TAM_PROTOCOL_JOB_COMMAND_H
