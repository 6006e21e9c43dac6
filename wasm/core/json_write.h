// SPDX-License-Identifier: Apache-2.0
// Appends JSON text to a buffer. The byte before a value tells whether a comma
// is due, so texts written one after the other make up a list. A failed
// allocation shows in the buffer's sticky error.
#ifndef TAM_CORE_JSON_WRITE_H
#define TAM_CORE_JSON_WRITE_H

#include "core/buf.h"
#include "core/span.h"

void tam_json_write_object_begin(tam_buf *json);
void tam_json_write_object_end(tam_buf *json);
void tam_json_write_array_begin(tam_buf *json);
void tam_json_write_array_end(tam_buf *json);

// Writes the key of the next value; |key| is a constant that needs no escapes.
void tam_json_write_key(tam_buf *json, const char *key);

// Writes |text|, which must be well-formed UTF-8, as a string.
void tam_json_write_string(tam_buf *json, tam_span text);

// Writes |value| as tam_text_append_value does.
void tam_json_write_number(tam_buf *json, double value);

void tam_json_write_bool(tam_buf *json, int value);
void tam_json_write_null(tam_buf *json);

// Writes |text|, complete values or members of JSON, as it stands.
void tam_json_write_raw(tam_buf *json, tam_span text);

// Shorthands for one member of an object. The text of |known| is null when it
// is empty; |name| is a constant.
void tam_json_write_string_member(tam_buf *json, const char *key,
                                  tam_span text);
void tam_json_write_known_member(tam_buf *json, const char *key,
                                 tam_span known);
void tam_json_write_name_member(tam_buf *json, const char *key,
                                const char *name);
void tam_json_write_number_member(tam_buf *json, const char *key, double value);

// Writes the member |key| up to the inside of its object.
void tam_json_write_member_begin(tam_buf *json, const char *key);

// Writes a member for each of |names| (see core/names.h), with |prefix| before
// the name. The values are |counts|.
void tam_json_write_counts(tam_buf *json, const char *prefix, const char *names,
                           const uint32_t *counts);

// Appends |value|: whole numbers up to 2^53 as digits, others with three
// decimals, numbers that JSON does not know as null.
void tam_text_append_value(tam_buf *buf, double value);

// Appends |value|, a whole number up to 2^53, as digits.
void tam_text_append_number(tam_buf *buf, double value);

#endif // TAM_CORE_JSON_WRITE_H
