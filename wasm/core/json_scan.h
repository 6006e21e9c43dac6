// SPDX-License-Identifier: Apache-2.0
// A JSON scanner that is fed in pieces and asked for tokens. It builds nothing:
// its memory is fixed, whatever the document. It accepts and rejects exactly
// what JSON.parse over a fatal UTF-8 decoder does (one byte order mark at the
// start is skipped, any kind of top-level value is allowed), except that
// nesting is capped.
//
//     tam_json_scan_input(scan, piece);
//     while ((token = tam_json_scan_next(scan)) > 0) { ... }
//     if (token < 0) { the document is bad } // else feed the next piece
//     ...
//     error = tam_json_scan_end(scan);
#ifndef TAM_CORE_JSON_SCAN_H
#define TAM_CORE_JSON_SCAN_H

#include "core/json_skip.h"
#include "tam.h"

// The deepest nesting of arrays and objects. Real configurations stay below
// ten; the cap bounds the memory of the scanner (a bit per level).
#define TAM_JSON_DEPTH_MAX 1024

// An escape sequence is at most this many times as long as what it stands for:
// a scratch buffer of n times this holds any raw text that decodes to n bytes.
#define TAM_JSON_ESCAPE_RATIO 6

// The longest rest of a piece that is copied to be walked over: what the margin
// of the guard leaves, and a member or two in front of it.
#define TAM_JSON_TAIL_MAX 768

typedef enum tam_json_token {
  TAM_JSON_MORE = 0, // the piece is used up
  TAM_JSON_KEY,
  TAM_JSON_STRING,
  TAM_JSON_NUMBER,
  TAM_JSON_TRUE,
  TAM_JSON_FALSE,
  TAM_JSON_NULL,
  TAM_JSON_OBJECT,
  TAM_JSON_ARRAY,
  TAM_JSON_OBJECT_END,
  TAM_JSON_ARRAY_END
} tam_json_token;

typedef struct tam_json_scan {
  const uint8_t *start; // the present piece
  const uint8_t *at;    // its next unread byte
  const uint8_t *end;
  const uint8_t *guard; // of the present piece, see core/json_skip.h
  uint8_t is_tail_walked;
  uint8_t is_in_tail; // a walk goes through |tail|
  double offset;      // bytes of all earlier pieces
  int error;          // sticky
  uint8_t state;
  uint8_t in_object; // what the innermost container is
  size_t depth;
  size_t quiet_depth; // tokens are not reported above this depth; 0: all are

  // The text of the present string or number: [text, at) of this piece, behind
  // |kept_len| bytes of earlier pieces in |scratch|.
  const uint8_t *text; // NULL outside of a string or number
  size_t text_len;     // of the last complete one
  uint8_t *scratch;
  size_t scratch_size;
  size_t kept_len;
  uint8_t is_kept;     // the text began in an earlier piece
  uint8_t is_overlong; // and did not fit into |scratch|
  uint8_t is_key;
  uint8_t is_escaped;

  uint8_t left; // bytes missing in a UTF-8 character or \u escape
  uint8_t utf8_min;
  uint8_t utf8_max;     // range of the next byte of the character
  const char *expected; // rest of a literal
  uint8_t literal_token;
  uint8_t nest[TAM_JSON_DEPTH_MAX / 8]; // a bit per level, 1: object

  // The rest of the piece behind the guard, with a guard of its own.
  uint8_t tail[TAM_JSON_TAIL_MAX + 1 + TAM_JSON_MARGIN];
} tam_json_scan;

// Makes |scan| ready for a document. |scratch| (|scratch_size| bytes, caller
// keeps it alive) holds strings that a piece border cuts or that have escapes.
void tam_json_scan_init(tam_json_scan *scan, uint8_t *scratch,
                        size_t scratch_size);

// Makes |scan| ready for a new document.
void tam_json_scan_reset(tam_json_scan *scan);

// Gives the next |piece| to the scanner; borrowed until all its tokens are
// taken. Legal when there is no piece yet or next returned TAM_JSON_MORE.
void tam_json_scan_input(tam_json_scan *scan, tam_span piece);

// Returns the next token, TAM_JSON_MORE at the end of the piece, or a sticky
// error: JSON_SYNTAX, JSON_UTF8, JSON_DEPTH. A number that is the whole
// document is not reported: only its end tells that it is complete.
int tam_json_scan_next(tam_json_scan *scan);

// After a key: its value is not reported; after the start of a container: the
// rest of it, its end included, is not reported. Both are still validated.
void tam_json_scan_skip(tam_json_scan *scan);

// Stores the text of the last token, a key, string or number, into |*ptext|,
// strings decoded (a lone surrogate becomes U+FFFD). The text is valid until
// the next call with |scan|. Returns 1, or 0 when it is longer than |max|
// bytes, which must be at most scratch_size / TAM_JSON_ESCAPE_RATIO.
int tam_json_scan_text(tam_json_scan *scan, size_t max, tam_span *ptext);

// Says that there are no more pieces. Returns 0, JSON_TRUNCATED when the
// document is not complete, or the sticky error.
int tam_json_scan_end(tam_json_scan *scan);

// Returns 1 when what was scanned so far, the piece being used up, becomes a
// document by closing what is open: a string that is a value (which
// |*pin_string| tells), and then |depth| containers. Else returns 0.
int tam_json_scan_can_close(const tam_json_scan *scan, int *pin_string);

// Returns the number of bytes scanned, or the offset of the error.
double tam_json_scan_offset(const tam_json_scan *scan);

// When the scanner stands directly behind an element or member and nothing is
// being skipped, a walk with core/json_skip.h may begin: returns 1 and stores
// where, and its guard. Near the end of the piece that is a copy of the rest.
// The walk must be ended by jump or advance. What it has found lies in the
// piece or in the scanner, until the next piece.
int tam_json_scan_walk(tam_json_scan *scan, const uint8_t **pat,
                       const uint8_t **pguard);

// Ends a walk at |at|, directly behind a value. |nest| tells in
// what the value is nested: bit i is set when level i (0 is the outermost of
// |depth|, at most 8) is an object.
void tam_json_scan_jump(tam_json_scan *scan, const uint8_t *at, size_t depth,
                        unsigned nest);

// As tam_json_scan_jump, in the container in which the scanner already stands.
void tam_json_scan_advance(tam_json_scan *scan, const uint8_t *at);

#endif // TAM_CORE_JSON_SCAN_H
