// SPDX-License-Identifier: Apache-2.0
// What is written down of a running job, as records of the store: the job, and
// of an answer besides that what was said so far, which changes with every
// token while the first does not.
#ifndef TAM_JOURNAL_JOB_RECORD_H
#define TAM_JOURNAL_JOB_RECORD_H

#include "core/buf.h"

// How their keys begin; the id of the job follows, as JSON text.
#define TAM_KEY_JOB  "tabagent:job/"
#define TAM_KEY_SAID "tabagent:said/"

// Behind this one stand a model and a dtype that took the program down.
#define TAM_KEY_CRASHED "tabagent:crashed/"

// Names of the kinds, see core/names.h: those of the requests. The numbers are
// stored and never change.
#define TAM_JOB_KINDS                                                          \
  "listChatModels\0"                                                           \
  "download\0"                                                                 \
  "load\0"                                                                     \
  "generate\0"

typedef enum tam_job_kind {
  TAM_JOB_LISTING = 0,
  TAM_JOB_DOWNLOAD,
  TAM_JOB_LOAD,
  TAM_JOB_ANSWER,
  TAM_JOB_KIND_COUNT
} tam_job_kind;

// Stands for the flags of an end that all hear.
#define TAM_JOB_FLAGS_FOR_ALL UINT32_MAX

typedef struct tam_job_record {
  tam_job_kind kind;
  uint64_t order;   // of all jobs, by their start; no two have the same
  int is_paused;    // a download
  uint8_t attempts; // lives of the program that have begun it in vain
  uint32_t seq;     // messages from this one on were not said
  tam_span id;      // JSON text
  tam_span request; // JSON text, without secrets
  tam_span head;    // of an answer, see chat/saved_answer.h
  // When the job has ended: its messages that may not have been heard, each as
  // its flags and its text, the last one last.
  tam_span last;
} tam_job_record;

// Makes |bytes| the record of |job|. Errors are those of the buffer.
void tam_job_record_write(const tam_job_record *job, tam_buf *bytes);

// Reads |bytes|, which must outlive |job|. Errors: INVALID_ARGUMENT (damaged),
// UNEXPECTED_SHAPE (of a newer program).
int tam_job_record_read(tam_job_record *job, tam_span bytes);

// Takes the first message off |*last|, as tam_job_record has them. Returns 0
// when there is none, or only a part of one.
int tam_job_record_take_last(tam_span *last, uint32_t *flags, tam_span *text);

// Looks into what was read: the host is told of it as JSON, and whoever wrote
// the record may have had something else in mind. Errors: INVALID_ARGUMENT,
// OUT_OF_MEMORY.
int tam_job_record_check(const tam_job_record *job, const tam_mem *mem);

// Write and read what was said by the job |order|, as the first two.
void tam_said_record_write(uint64_t order, uint32_t seq, tam_span rest,
                           tam_buf *bytes);
int tam_said_record_read(uint64_t *order, uint32_t *seq, tam_span *rest,
                         tam_span bytes);

// Writes |text|, a JSON document that has been read before, without the values
// of members that hold secrets: they are null. Errors are those of |json|.
void tam_job_write_request(tam_span text, tam_buf *json, const tam_mem *mem);

#endif // TAM_JOURNAL_JOB_RECORD_H
