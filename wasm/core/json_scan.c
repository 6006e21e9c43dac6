// SPDX-License-Identifier: Apache-2.0
// Theory of operation
// -------------------
// A byte machine. |state| says what may come next; tam_json_scan_next is the
// dispatcher and there is one step function per state. A step is called with
// at least one unread byte. It consumes what it can and returns a token, an
// error, or STEP_AGAIN: look at the state (and at whether bytes are left)
// again. All that survives the end of a piece lives in tam_json_scan, so a
// piece may end anywhere, in the middle of an escape or of a character too.
//
//   START -> VALUE (a byte order mark may come first)
//   VALUE -> STRING | NUMBER_* | LITERAL | FIRST_KEY | FIRST_ELEMENT
//   FIRST_KEY, NEXT_KEY -> STRING -> COLON -> VALUE
//   any complete value -> AFTER_VALUE -> NEXT_KEY | VALUE | AFTER_VALUE
//   STRING <-> ESCAPE, HEX, UTF8
//
// At depth 0 AFTER_VALUE is the end of the document: only blanks may follow.
// Strings are run over sixteen bytes at a time and not copied. Only when a
// piece ends inside a string or number is its beginning saved into the scratch
// buffer; what does not fit there is dropped and the text counts as overlong.
#include "core/json_scan.h"

#include "core/json_text.h"
#include "core/simd.h"
#include "core/trap.h"

#include <stddef.h>
#include <string.h>

// What a step returns when it has no token yet.
#define STEP_AGAIN (-1)

enum {
  STATE_START = 0,
  STATE_VALUE,
  STATE_FIRST_ELEMENT,
  STATE_FIRST_KEY,
  STATE_NEXT_KEY,
  STATE_COLON,
  STATE_AFTER_VALUE,
  STATE_LITERAL,
  STATE_STRING,
  STATE_ESCAPE,
  STATE_HEX,
  STATE_UTF8,
  // What a number has had so far.
  STATE_NUMBER_MINUS,
  STATE_NUMBER_ZERO,
  STATE_NUMBER_INTEGER,
  STATE_NUMBER_POINT,
  STATE_NUMBER_FRACTION,
  STATE_NUMBER_E,
  STATE_NUMBER_E_SIGN,
  STATE_NUMBER_EXPONENT
};

// The literal that a byte order mark is treated as; it is not a token.
#define BYTE_ORDER_MARK "\xef\xbb\xbf"

static int is_digit(uint8_t byte) {
  return (uint8_t)(byte - '0') <= 9;
}

static int is_blank(uint8_t byte) {
  return byte == ' ' || byte == '\n' || byte == '\r' || byte == '\t';
}

// Returns the first byte of |scan| that is not a blank, or 0 when only blanks
// are left (a NUL byte is not legal anywhere either: the step then fails on
// it).
static uint8_t skip_blanks(tam_json_scan *scan) {
  const uint8_t *at = scan->at;
  while (at != scan->end && is_blank(*at)) {
    at++;
  }
  scan->at = at;
  return at != scan->end ? *at : 0;
}

static int fail(tam_json_scan *scan, int error) {
  scan->error = error;
  return error;
}

// A byte that cannot come here: an error, unless the piece just ended.
static int fail_syntax(tam_json_scan *scan) {
  return scan->at == scan->end ? STEP_AGAIN : fail(scan, TAM_ERR_JSON_SYNTAX);
}

// ---------------------------------------------------------------------------
// Nesting

static void load_container(tam_json_scan *scan) {
  size_t level = scan->depth - 1;
  unsigned bits = scan->depth > 0 ? scan->nest[level / 8] : 0U;
  scan->in_object = (uint8_t)((bits >> (level % 8)) & 1U);
}

static int enter(tam_json_scan *scan, int is_object) {
  if (scan->depth == TAM_JSON_DEPTH_MAX) {
    return fail(scan, TAM_ERR_JSON_DEPTH);
  }
  size_t level = scan->depth++;
  unsigned bit = 1U << (level % 8);
  unsigned bits = scan->nest[level / 8];
  scan->nest[level / 8] = (uint8_t)(is_object ? bits | bit : bits & ~bit);
  scan->in_object = (uint8_t)is_object;
  scan->at++;
  scan->state = is_object ? STATE_FIRST_KEY : STATE_FIRST_ELEMENT;
  return is_object ? TAM_JSON_OBJECT : TAM_JSON_ARRAY;
}

static int leave(tam_json_scan *scan) {
  int token = scan->in_object ? TAM_JSON_OBJECT_END : TAM_JSON_ARRAY_END;
  scan->depth--;
  load_container(scan);
  scan->at++;
  scan->state = STATE_AFTER_VALUE;
  return token;
}

// ---------------------------------------------------------------------------
// The text of strings and numbers

static void text_begin(tam_json_scan *scan) {
  scan->text = scan->at;
  scan->kept_len = 0;
  scan->is_kept = 0;
  scan->is_overlong = 0;
  scan->is_escaped = 0;
}

// Saves [text, at) into the scratch buffer. Skipped text is never asked for.
static void text_keep(tam_json_scan *scan) {
  size_t len = (size_t)(scan->at - scan->text);
  scan->is_kept = 1;
  if (scan->quiet_depth != 0 || len == 0) {
    return;
  }
  if (len > scan->scratch_size - scan->kept_len) {
    scan->is_overlong = 1;
    return;
  }
  memcpy(scan->scratch + scan->kept_len, scan->text, len);
  scan->kept_len += len;
}

// The text ends at |at|.
static void text_end(tam_json_scan *scan) {
  if (scan->is_kept) {
    text_keep(scan);
    scan->text = scan->scratch;
    scan->text_len = scan->kept_len;
  } else {
    scan->text_len = (size_t)(scan->at - scan->text);
  }
}

// ---------------------------------------------------------------------------
// Strings

static int string_begin(tam_json_scan *scan, int is_key) {
  scan->at++;
  scan->is_key = (uint8_t)is_key;
  scan->state = STATE_STRING;
  text_begin(scan);
  return STEP_AGAIN;
}

static int string_end(tam_json_scan *scan) {
  text_end(scan);
  scan->at++;
  scan->state = scan->is_key ? STATE_COLON : STATE_AFTER_VALUE;
  return scan->is_key ? TAM_JSON_KEY : TAM_JSON_STRING;
}

static const uint8_t *plain_text_end(const uint8_t *at, const uint8_t *end) {
  while (end - at >= 16) {
    uint32_t mask = tam_json_stop_mask(at);
    if (mask != 0) {
      return at + tam_mask_first(mask);
    }
    at += 16;
  }
  while (at != end && *at >= 0x20 && *at < 0x80 && *at != '"' && *at != '\\') {
    at++;
  }
  return at;
}

// The lead byte of a character: how many bytes follow and where the first of
// them may lie. Shorter forms of a character, surrogates and numbers above
// U+10FFFF are excluded by that range.
static int step_lead_byte(tam_json_scan *scan) {
  uint8_t lead = *scan->at;
  if (lead < 0xc2 || lead > 0xf4) {
    return fail(scan, TAM_ERR_JSON_UTF8);
  }
  scan->left = lead < 0xe0 ? 1 : lead < 0xf0 ? 2 : 3;
  scan->utf8_min = lead == 0xe0 ? 0xa0 : lead == 0xf0 ? 0x90 : 0x80;
  scan->utf8_max = lead == 0xed ? 0x9f : lead == 0xf4 ? 0x8f : 0xbf;
  scan->at++;
  scan->state = STATE_UTF8;
  return STEP_AGAIN;
}

static int step_utf8(tam_json_scan *scan) {
  while (scan->left > 0 && scan->at != scan->end) {
    if (*scan->at < scan->utf8_min || *scan->at > scan->utf8_max) {
      return fail(scan, TAM_ERR_JSON_UTF8);
    }
    scan->utf8_min = 0x80;
    scan->utf8_max = 0xbf;
    scan->at++;
    scan->left--;
  }
  if (scan->left == 0) {
    scan->state = STATE_STRING;
  }
  return STEP_AGAIN;
}

static int step_escape(tam_json_scan *scan) {
  switch (*scan->at) {
  case '"':
  case '\\':
  case '/':
  case 'b':
  case 'f':
  case 'n':
  case 'r':
  case 't':
    scan->state = STATE_STRING;
    break;
  case 'u':
    scan->state = STATE_HEX;
    scan->left = 4;
    break;
  default:
    return fail(scan, TAM_ERR_JSON_SYNTAX);
  }
  scan->at++;
  return STEP_AGAIN;
}

static int step_hex(tam_json_scan *scan) {
  while (scan->left > 0 && scan->at != scan->end) {
    uint8_t letter = (uint8_t)(*scan->at | 0x20);
    if (!is_digit(*scan->at) && !(letter >= 'a' && letter <= 'f')) {
      return fail(scan, TAM_ERR_JSON_SYNTAX);
    }
    scan->at++;
    scan->left--;
  }
  if (scan->left == 0) {
    scan->state = STATE_STRING;
  }
  return STEP_AGAIN;
}

static int step_string(tam_json_scan *scan) {
  scan->at = plain_text_end(scan->at, scan->end);
  if (scan->at == scan->end) {
    return STEP_AGAIN;
  }
  if (*scan->at == '"') {
    return string_end(scan);
  }
  if (*scan->at >= 0x80) {
    return step_lead_byte(scan);
  }
  if (*scan->at != '\\') {
    return fail(scan, TAM_ERR_JSON_SYNTAX);
  }
  scan->at++;
  scan->is_escaped = 1;
  scan->state = STATE_ESCAPE;
  return STEP_AGAIN;
}

// ---------------------------------------------------------------------------
// Numbers and literals

// Returns the state of a number in |state| after |byte|, or STATE_AFTER_VALUE
// when |byte| is not part of it.
static uint8_t number_next(uint8_t state, uint8_t byte) {
  switch (state) {
  case STATE_NUMBER_MINUS:
    return byte == '0'      ? STATE_NUMBER_ZERO
           : is_digit(byte) ? STATE_NUMBER_INTEGER
                            : STATE_AFTER_VALUE;
  case STATE_NUMBER_INTEGER:
    if (is_digit(byte)) {
      return STATE_NUMBER_INTEGER;
    }
    // fallthrough
  case STATE_NUMBER_ZERO:
    return byte == '.'            ? STATE_NUMBER_POINT
           : (byte | 0x20) == 'e' ? STATE_NUMBER_E
                                  : STATE_AFTER_VALUE;
  case STATE_NUMBER_FRACTION:
    if ((byte | 0x20) == 'e') {
      return STATE_NUMBER_E;
    }
    // fallthrough
  case STATE_NUMBER_POINT:
    return is_digit(byte) ? STATE_NUMBER_FRACTION : STATE_AFTER_VALUE;
  case STATE_NUMBER_E:
    if (byte == '+' || byte == '-') {
      return STATE_NUMBER_E_SIGN;
    }
    // fallthrough
  default:
    return is_digit(byte) ? STATE_NUMBER_EXPONENT : STATE_AFTER_VALUE;
  }
}

static int number_may_end(uint8_t state) {
  return state == STATE_NUMBER_ZERO || state == STATE_NUMBER_INTEGER ||
         state == STATE_NUMBER_FRACTION || state == STATE_NUMBER_EXPONENT;
}

static int step_number(tam_json_scan *scan) {
  uint8_t state = scan->state;
  while (scan->at != scan->end) {
    uint8_t next = number_next(state, *scan->at);
    if (next == STATE_AFTER_VALUE) {
      if (!number_may_end(state)) {
        return fail(scan, TAM_ERR_JSON_SYNTAX);
      }
      text_end(scan);
      scan->state = STATE_AFTER_VALUE;
      return TAM_JSON_NUMBER;
    }
    state = next;
    scan->at++;
  }
  scan->state = state;
  return STEP_AGAIN;
}

static int number_begin(tam_json_scan *scan, uint8_t state) {
  text_begin(scan);
  scan->at++;
  scan->state = state;
  return STEP_AGAIN;
}

static int literal_begin(tam_json_scan *scan, const char *literal, int token) {
  scan->expected = literal;
  scan->literal_token = (uint8_t)token;
  scan->state = STATE_LITERAL;
  return STEP_AGAIN;
}

static int step_literal(tam_json_scan *scan) {
  while (*scan->expected != 0) {
    if (scan->at == scan->end) {
      return STEP_AGAIN;
    }
    if (*scan->at != (uint8_t)*scan->expected) {
      return fail(scan, TAM_ERR_JSON_SYNTAX);
    }
    scan->at++;
    scan->expected++;
  }
  if (scan->literal_token == TAM_JSON_MORE) { // a byte order mark
    scan->state = STATE_VALUE;
    return STEP_AGAIN;
  }
  scan->state = STATE_AFTER_VALUE;
  return scan->literal_token;
}

// ---------------------------------------------------------------------------
// Structure

static int step_value(tam_json_scan *scan) {
  uint8_t byte = skip_blanks(scan);
  switch (byte) {
  case '"':
    return string_begin(scan, 0);
  case '{':
    return enter(scan, 1);
  case '[':
    return enter(scan, 0);
  case 't':
    return literal_begin(scan, "true", TAM_JSON_TRUE);
  case 'f':
    return literal_begin(scan, "false", TAM_JSON_FALSE);
  case 'n':
    return literal_begin(scan, "null", TAM_JSON_NULL);
  case '-':
    return number_begin(scan, STATE_NUMBER_MINUS);
  case '0':
    return number_begin(scan, STATE_NUMBER_ZERO);
  default:
    return is_digit(byte) ? number_begin(scan, STATE_NUMBER_INTEGER)
                          : fail_syntax(scan);
  }
}

static int step_start(tam_json_scan *scan) {
  if (*scan->at == (uint8_t)BYTE_ORDER_MARK[0]) {
    return literal_begin(scan, BYTE_ORDER_MARK, TAM_JSON_MORE);
  }
  scan->state = STATE_VALUE;
  return STEP_AGAIN;
}

static int step_first_element(tam_json_scan *scan) {
  if (skip_blanks(scan) == ']') {
    return leave(scan);
  }
  // Only blanks so far: the state stays until something else is seen.
  if (scan->at != scan->end) {
    scan->state = STATE_VALUE;
  }
  return STEP_AGAIN;
}

static int step_next_key(tam_json_scan *scan) {
  return skip_blanks(scan) == '"' ? string_begin(scan, 1) : fail_syntax(scan);
}

static int step_first_key(tam_json_scan *scan) {
  return skip_blanks(scan) == '}' ? leave(scan) : step_next_key(scan);
}

static int step_colon(tam_json_scan *scan) {
  if (skip_blanks(scan) != ':') {
    return fail_syntax(scan);
  }
  scan->at++;
  scan->state = STATE_VALUE;
  return STEP_AGAIN;
}

static int step_after_value(tam_json_scan *scan) {
  uint8_t byte = skip_blanks(scan);
  if (scan->depth == 0) {
    return fail_syntax(scan);
  }
  if (byte == ',') {
    scan->at++;
    scan->state = scan->in_object ? STATE_NEXT_KEY : STATE_VALUE;
    return STEP_AGAIN;
  }
  if (byte == (scan->in_object ? '}' : ']')) {
    return leave(scan);
  }
  return fail_syntax(scan);
}

static int step(tam_json_scan *scan) {
  switch (scan->state) {
  case STATE_START:
    return step_start(scan);
  case STATE_VALUE:
    return step_value(scan);
  case STATE_FIRST_ELEMENT:
    return step_first_element(scan);
  case STATE_FIRST_KEY:
    return step_first_key(scan);
  case STATE_NEXT_KEY:
    return step_next_key(scan);
  case STATE_COLON:
    return step_colon(scan);
  case STATE_AFTER_VALUE:
    return step_after_value(scan);
  case STATE_LITERAL:
    return step_literal(scan);
  case STATE_STRING:
    return step_string(scan);
  case STATE_ESCAPE:
    return step_escape(scan);
  case STATE_HEX:
    return step_hex(scan);
  case STATE_UTF8:
    return step_utf8(scan);
  default:
    return step_number(scan);
  }
}

// ---------------------------------------------------------------------------
// Interface

void tam_json_scan_init(tam_json_scan *scan, uint8_t *scratch,
                        size_t scratch_size) {
  memset(scan, 0, offsetof(tam_json_scan, tail));
  scan->scratch = scratch;
  scan->scratch_size = scratch_size;
}

void tam_json_scan_reset(tam_json_scan *scan) {
  tam_json_scan_init(scan, scan->scratch, scan->scratch_size);
}

static int is_in_text(const tam_json_scan *scan) {
  return scan->state >= STATE_STRING;
}

void tam_json_scan_input(tam_json_scan *scan, tam_span piece) {
  TAM_ASSERT(scan->at == scan->end || scan->error != 0);
  if (scan->error != 0) {
    return;
  }
  scan->offset += (double)(scan->at - scan->start);
  scan->start = piece.ptr;
  scan->at = piece.ptr;
  scan->end = piece.len > 0 ? piece.ptr + piece.len : piece.ptr;
  scan->guard = tam_json_guard(scan->at, scan->end);
  scan->is_tail_walked = 0;
  if (is_in_text(scan)) {
    scan->text = scan->at;
  }
}

// Returns 1 when |token| has to be kept quiet. The token that brings the depth
// back ends the silence.
static int is_quiet(tam_json_scan *scan) {
  if (scan->quiet_depth == 0) {
    return 0;
  }
  if (scan->depth < scan->quiet_depth) {
    scan->quiet_depth = 0;
  }
  return 1;
}

int tam_json_scan_next(tam_json_scan *scan) {
  if (scan->error != 0) {
    return scan->error;
  }
  while (scan->at != scan->end) {
    int token = step(scan);
    if (token < STEP_AGAIN || (token > 0 && !is_quiet(scan))) {
      return token;
    }
  }
  if (is_in_text(scan)) {
    text_keep(scan);
    scan->text = scan->at; // so that nothing is kept twice
  }
  return TAM_JSON_MORE;
}

void tam_json_scan_skip(tam_json_scan *scan) {
  scan->quiet_depth = scan->depth + (scan->state == STATE_COLON);
}

int tam_json_scan_text(tam_json_scan *scan, size_t max, tam_span *ptext) {
  TAM_ASSERT(max <= scan->scratch_size / TAM_JSON_ESCAPE_RATIO);
  tam_span text = {scan->text, scan->text_len};
  if (scan->is_escaped && !scan->is_overlong) {
    text.len = tam_json_unescape(text, scan->scratch, max);
    text.ptr = scan->scratch;
    scan->is_overlong = text.len == SIZE_MAX;
    scan->is_escaped = 0;
    scan->text = text.ptr;
    scan->text_len = text.len;
  }
  *ptext = text;
  return !scan->is_overlong && text.len <= max;
}

int tam_json_scan_end(tam_json_scan *scan) {
  if (scan->error != 0) {
    return scan->error;
  }
  if (scan->depth == 0 &&
      (scan->state == STATE_AFTER_VALUE || number_may_end(scan->state))) {
    return 0;
  }
  return fail(scan, TAM_ERR_JSON_TRUNCATED);
}

int tam_json_scan_can_close(const tam_json_scan *scan, int *pin_string) {
  *pin_string = scan->state == STATE_STRING && !scan->is_key;
  return scan->error == 0 &&
         (*pin_string || scan->state == STATE_AFTER_VALUE ||
          scan->state == STATE_FIRST_KEY ||
          scan->state == STATE_FIRST_ELEMENT || number_may_end(scan->state));
}

double tam_json_scan_offset(const tam_json_scan *scan) {
  return scan->offset + (double)(scan->at - scan->start);
}

// Copies the rest of the piece and puts a guard behind it.
static void copy_tail(tam_json_scan *scan, size_t len) {
  memcpy(scan->tail, scan->at, len);
  scan->tail[len] = '"';
  memset(scan->tail + len + 1, 0, TAM_JSON_MARGIN);
  scan->is_tail_walked = 1;
  scan->is_in_tail = 1;
}

int tam_json_scan_walk(tam_json_scan *scan, const uint8_t **pat,
                       const uint8_t **pguard) {
  if (scan->state != STATE_AFTER_VALUE || scan->depth == 0 ||
      scan->quiet_depth != 0) {
    return 0;
  }
  size_t len = (size_t)(scan->end - scan->at);
  if (len <= TAM_JSON_TAIL_MAX && !scan->is_tail_walked) {
    copy_tail(scan, len);
    *pat = scan->tail;
    *pguard = scan->tail + len;
    return 1;
  }
  *pat = scan->at;
  *pguard = scan->guard;
  return scan->at < scan->guard;
}

void tam_json_scan_advance(tam_json_scan *scan, const uint8_t *at) {
  scan->at = scan->is_in_tail ? scan->at + (at - scan->tail) : at;
  scan->is_in_tail = 0;
  scan->state = STATE_AFTER_VALUE;
  TAM_ASSERT(scan->at <= scan->end);
}

void tam_json_scan_jump(tam_json_scan *scan, const uint8_t *at, size_t depth,
                        unsigned nest) {
  scan->depth = depth;
  scan->nest[0] = (uint8_t)nest;
  load_container(scan);
  tam_json_scan_advance(scan, at);
}
