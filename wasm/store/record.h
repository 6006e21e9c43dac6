// SPDX-License-Identifier: Apache-2.0
// The frame of everything that the store writes about files:
//
//   byte 0   0xc1, with which no UTF-8 text begins
//   byte 1   kind, a tam_record_kind
//   byte 2   version of the kind
//   body     numbers with their lowest byte first; a text is its length in four
//            bytes and its bytes
//   8 bytes  checksum (core/checksum.h) of all that comes before
//
// Every version keeps the frame, so that a record of a newer program can be
// told from a damaged one.
#ifndef TAM_STORE_RECORD_H
#define TAM_STORE_RECORD_H

#include "core/buf.h"

// The bytes of a record that are not its body.
#define TAM_RECORD_FRAME_SIZE 11

// The numbers are stored and never change.
typedef enum tam_record_kind {
  TAM_RECORD_FILE = 1,     // store/file_record.h
  TAM_RECORD_REVISION = 2, // store/revision.h
  TAM_RECORD_JOB = 3,      // journal/job_record.h
  TAM_RECORD_SAID = 4      // likewise
} tam_record_kind;

// ---------------------------------------------------------------------------
// Writing. Errors are those of the buffer.

// Begins a record of |kind| in |record|, which is emptied.
void tam_record_begin(tam_buf *record, tam_record_kind kind, uint8_t version);

// Ends it.
void tam_record_end(tam_buf *record);

void tam_record_put_u8(tam_buf *record, uint8_t value);
void tam_record_put_u32(tam_buf *record, uint32_t value);
void tam_record_put_u64(tam_buf *record, uint64_t value);
void tam_record_put_text(tam_buf *record, tam_span text);

// ---------------------------------------------------------------------------
// Reading. Errors are sticky: read freely, check once at the end. After an
// error every number is 0 and every text is empty.

typedef struct tam_record_reader {
  tam_span rest; // of the body
  int error;     // 0, INVALID_ARGUMENT or UNEXPECTED_SHAPE; the first one wins
} tam_record_reader;

// Begins to read |record|, which must outlive the reader and all that is read
// from it. Returns 0, which is then |reader|'s error, or
// * INVALID_ARGUMENT: the record is damaged, of another kind or of an older
//   version than |version|;
// * UNEXPECTED_SHAPE: it is whole and of a newer version.
int tam_record_open(tam_record_reader *reader, tam_span record,
                    tam_record_kind kind, uint8_t version);

// Return the next number; beyond the end it is INVALID_ARGUMENT.
uint8_t tam_record_get_u8(tam_record_reader *reader);
uint32_t tam_record_get_u32(tam_record_reader *reader);
uint64_t tam_record_get_u64(tam_record_reader *reader);

// Returns the next |len| bytes; beyond the end it is INVALID_ARGUMENT.
tam_span tam_record_get_bytes(tam_record_reader *reader, size_t len);

// Returns the next text; it is INVALID_ARGUMENT when it is longer than |max|
// bytes or goes beyond the end.
tam_span tam_record_get_text(tam_record_reader *reader, size_t max);

// Ends the reading. Returns the error; something left is INVALID_ARGUMENT.
int tam_record_close(tam_record_reader *reader);

#endif // TAM_STORE_RECORD_H
