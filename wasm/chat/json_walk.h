// SPDX-License-Identifier: Apache-2.0
// Walks over JSON that is whole, without decoding it: keys and values are spans
// of the raw text. So text survives that no decoder keeps (U+0000, lone
// surrogates).
#ifndef TAM_CHAT_JSON_WALK_H
#define TAM_CHAT_JSON_WALK_H

#include "core/span.h"

typedef struct tam_json_walk {
  tam_span rest;
  int is_object;
} tam_json_walk;

// Returns the length of the object or array that |text| begins with, or 0 when
// it begins with none, or with one that is not whole and well-formed.
size_t tam_json_container_len(tam_span text);

// Returns 0 when |text| is one value of JSON, of any kind, blanks around it
// allowed; else JSON_SYNTAX, JSON_UTF8, JSON_DEPTH or JSON_TRUNCATED.
int tam_json_check(tam_span text);

// Begins to walk over |container|, a well-formed object or array; blanks around
// it are allowed.
void tam_json_walk_begin(tam_json_walk *walk, tam_span container);

// Stores the raw text between the quotes of the next key (empty in an array)
// and its value. Returns 0 when there is none.
int tam_json_walk_next(tam_json_walk *walk, tam_span *pkey, tam_span *pvalue);

// Returns the value of the last member |name| of |object|, a well-formed
// object; empty when it has none.
tam_span tam_json_walk_member(tam_span object, const char *name);

// Returns 1 when |value|, a raw string with its quotes, or |value| without
// quotes, as a key is, says |name|, which is at most 31 bytes long.
int tam_json_raw_is(tam_span value, const char *name);

#endif // TAM_CHAT_JSON_WALK_H
