// SPDX-License-Identifier: Apache-2.0
#include "chat/json_output.h"

#include <string.h>

void tam_json_output_init(tam_json_output *output, const tam_mem *mem) {
  memset(output, 0, offsetof(tam_json_output, scan));
  tam_buf_init(&output->held, mem, TAM_JSON_OUTPUT_HELD_MAX);
  tam_json_scan_init(&output->scan, NULL, 0);
}

void tam_json_output_free(tam_json_output *output) {
  tam_buf_free(&output->held);
}

// Runs the scanner over one byte; no token matters.
static int scan_byte(tam_json_scan *scan, uint8_t byte) {
  int token;
  tam_json_scan_input(scan, (tam_span){&byte, 1});
  do {
    token = tam_json_scan_next(scan);
  } while (token > 0);
  return token;
}

// Lets the held text through. The bracket that opens the value waits for what
// is in it: prose has brackets, too.
static void let_through(tam_json_output *output, int in_string, tam_buf *out) {
  if (!output->is_started &&
      tam_span_trim(tam_buf_span(&output->held)).len == 1) {
    return;
  }
  tam_buf_append(out, tam_buf_span(&output->held));
  tam_buf_reset(&output->held);
  output->in_string = in_string;
  output->is_started = 1;
}

static void begin(tam_json_output *output, uint8_t byte) {
  if (byte != '{' && byte != '[') {
    return;
  }
  tam_buf_reset(&output->held);
  tam_json_scan_reset(&output->scan);
  output->state = TAM_JSON_OUTPUT_OPEN;
  tam_buf_append_byte(&output->held, byte);
  (void)scan_byte(&output->scan, byte);
}

static void go_on(tam_json_output *output, uint8_t byte, tam_buf *out) {
  int in_string;
  tam_buf_append_byte(&output->held, byte);
  if (scan_byte(&output->scan, byte) < 0 || output->held.error != 0) {
    output->state = output->is_started || output->held.error != 0
                        ? TAM_JSON_OUTPUT_BROKEN
                        : TAM_JSON_OUTPUT_SEARCH;
    if (output->state == TAM_JSON_OUTPUT_SEARCH) {
      begin(output, byte);
    }
    return;
  }
  if (tam_json_scan_can_close(&output->scan, &in_string)) {
    let_through(output, in_string, out);
  }
  if (output->scan.depth == 0) {
    output->state = TAM_JSON_OUTPUT_COMPLETE;
  }
}

static void take_byte(tam_json_output *output, uint8_t byte, tam_buf *out) {
  if (output->state == TAM_JSON_OUTPUT_SEARCH) {
    begin(output, byte);
  } else if (output->state == TAM_JSON_OUTPUT_OPEN) {
    go_on(output, byte, out);
  }
}

tam_json_output_state tam_json_output_push(tam_json_output *output,
                                           tam_span piece, tam_buf *out) {
  for (size_t i = 0; i < piece.len; i++) {
    uint8_t byte = piece.ptr[i];
    if (byte == '\n' && output->in_string && output->held.len == 0) {
      // The commonest mistake: a text of several lines as it is.
      take_byte(output, '\\', out);
      byte = 'n';
    }
    take_byte(output, byte, out);
  }
  return output->state;
}

// Of what is held back nothing opened or closed a container: the scanner still
// knows what is open.
static void close_all(const tam_json_output *output, tam_buf *out) {
  if (output->in_string) {
    tam_buf_append_byte(out, '"');
  }
  for (size_t level = output->scan.depth; level > 0; level--) {
    unsigned bits = output->scan.nest[(level - 1) / 8];
    tam_buf_append_byte(out, (bits >> ((level - 1) % 8) & 1U) != 0 ? '}' : ']');
  }
}

void tam_json_output_end(tam_json_output *output, tam_buf *out) {
  if (!output->is_started) {
    tam_buf_append_text(out, TAM_JSON_OUTPUT_NONE);
  } else if (output->state != TAM_JSON_OUTPUT_COMPLETE) {
    close_all(output, out);
  }
  output->state = TAM_JSON_OUTPUT_COMPLETE;
  output->is_started = 1;
}
