// SPDX-License-Identifier: Apache-2.0
// Lists of names as one string constant: every name ends with NUL, and so does
// the list ("one\0" "two\0"). A name is known by its place, from 0.
#ifndef TAM_CORE_NAMES_H
#define TAM_CORE_NAMES_H

#include "tam.h"

// Returns the name at |place|, which the list must have, NUL-terminated.
const char *tam_names_at(const char *names, size_t place);

// Returns the place of |name|, or -1.
int tam_names_find(const char *names, tam_span name);

// Returns the place of the first name that |text| ends with, or -1.
int tam_names_find_end(const char *names, tam_span text);

// Returns the place of the first name that occurs in |text|, in any ASCII case,
// or -1. The names must be lower case.
int tam_names_find_within(const char *names, tam_span text);

#endif // TAM_CORE_NAMES_H
