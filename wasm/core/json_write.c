// SPDX-License-Identifier: Apache-2.0
#include "core/json_write.h"

#include "core/names.h"

#include <math.h>

// Whole numbers up to here are exact in a double.
#define EXACT_MAX 9007199254740992.0

// The digits of 2^53 fit.
#define DIGITS_MAX 16

// Writes the comma between a value or key and what stands before it.
static void separate(tam_buf *json) {
  if (json->len > 0) {
    uint8_t last = json->data[json->len - 1];
    if (last != '{' && last != '[' && last != ':') {
      tam_buf_append_byte(json, ',');
    }
  }
}

static void open(tam_buf *json, uint8_t bracket) {
  separate(json);
  tam_buf_append_byte(json, bracket);
}

void tam_json_write_object_begin(tam_buf *json) {
  open(json, '{');
}

void tam_json_write_object_end(tam_buf *json) {
  tam_buf_append_byte(json, '}');
}

void tam_json_write_array_begin(tam_buf *json) {
  open(json, '[');
}

void tam_json_write_array_end(tam_buf *json) {
  tam_buf_append_byte(json, ']');
}

// Writes a key of two parts.
static void write_key(tam_buf *json, const char *prefix, const char *key) {
  open(json, '"');
  tam_buf_append_text(json, prefix);
  tam_buf_append_text(json, key);
  tam_buf_append_text(json, "\":");
}

void tam_json_write_key(tam_buf *json, const char *key) {
  write_key(json, "", key);
}

static void append_escape(tam_buf *buf, uint8_t byte) {
  static const char hex[] = "0123456789abcdef";
  uint8_t text[6] = {'\\', 'u', '0', '0', 0, 0};
  text[4] = (uint8_t)hex[byte >> 4];
  text[5] = (uint8_t)hex[byte & 15];
  tam_span escape = {text, sizeof(text)};
  if (byte == '"' || byte == '\\') {
    text[1] = byte;
    escape.len = 2;
  }
  tam_buf_append(buf, escape);
}

void tam_json_write_string(tam_buf *json, tam_span text) {
  open(json, '"');
  size_t plain = 0; // start of the run that needs no escape
  for (size_t i = 0; i < text.len; i++) {
    uint8_t byte = text.ptr[i];
    if (byte >= 0x20 && byte != '"' && byte != '\\') {
      continue;
    }
    tam_buf_append(json, (tam_span){text.ptr + plain, i - plain});
    append_escape(json, byte);
    plain = i + 1;
  }
  tam_buf_append(json, tam_span_from(text, plain));
  tam_buf_append_byte(json, '"');
}

// Appends |value| with |least| digits or more.
static void append_digits(tam_buf *buf, uint64_t value, unsigned least) {
  uint8_t digits[DIGITS_MAX];
  size_t at = sizeof(digits);
  while (value != 0 || at > sizeof(digits) - least) {
    digits[--at] = (uint8_t)('0' + value % 10);
    value /= 10;
  }
  tam_buf_append(buf, (tam_span){digits + at, sizeof(digits) - at});
}

static void append_sign(tam_buf *buf, double value) {
  if (value < 0) {
    tam_buf_append_byte(buf, '-');
  }
}

void tam_text_append_number(tam_buf *buf, double value) {
  append_sign(buf, value);
  append_digits(buf, (uint64_t)fabs(value), 1);
}

static void append_fraction(tam_buf *buf, double value) {
  uint64_t thousandths = (uint64_t)(fabs(value) * 1000 + 0.5);
  uint64_t fraction = thousandths % 1000;
  unsigned digits = 3;
  for (; digits > 1 && fraction % 10 == 0; digits--) {
    fraction /= 10;
  }
  append_sign(buf, value);
  append_digits(buf, thousandths / 1000, 1);
  tam_buf_append_byte(buf, '.');
  append_digits(buf, fraction, digits);
}

void tam_text_append_value(tam_buf *buf, double value) {
  if (!(fabs(value) <= EXACT_MAX)) {
    tam_buf_append_text(buf, "null");
  } else if (value == (double)(int64_t)value) {
    tam_text_append_number(buf, value);
  } else {
    append_fraction(buf, value);
  }
}

void tam_json_write_number(tam_buf *json, double value) {
  separate(json);
  tam_text_append_value(json, value);
}

void tam_json_write_bool(tam_buf *json, int value) {
  tam_json_write_raw(json, value ? TAM_SPAN("true") : TAM_SPAN("false"));
}

void tam_json_write_null(tam_buf *json) {
  tam_json_write_raw(json, TAM_SPAN("null"));
}

void tam_json_write_raw(tam_buf *json, tam_span text) {
  separate(json);
  tam_buf_append(json, text);
}

void tam_json_write_string_member(tam_buf *json, const char *key,
                                  tam_span text) {
  tam_json_write_key(json, key);
  tam_json_write_string(json, text);
}

void tam_json_write_known_member(tam_buf *json, const char *key,
                                 tam_span known) {
  tam_json_write_key(json, key);
  if (known.len > 0) {
    tam_json_write_string(json, known);
  } else {
    tam_json_write_null(json);
  }
}

void tam_json_write_name_member(tam_buf *json, const char *key,
                                const char *name) {
  tam_json_write_string_member(json, key, tam_span_of(name));
}

void tam_json_write_number_member(tam_buf *json, const char *key,
                                  double value) {
  tam_json_write_key(json, key);
  tam_json_write_number(json, value);
}

void tam_json_write_member_begin(tam_buf *json, const char *key) {
  tam_json_write_key(json, key);
  tam_json_write_object_begin(json);
}

void tam_json_write_counts(tam_buf *json, const char *prefix, const char *names,
                           const uint32_t *counts) {
  for (; *names != '\0'; names = tam_names_at(names, 1)) {
    write_key(json, prefix, names);
    tam_json_write_number(json, *counts++);
  }
}
