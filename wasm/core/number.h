// SPDX-License-Identifier: Apache-2.0
// Reads decimal numbers: the C library's strtod is large and slow in
// WebAssembly (it computes in 128-bit software floats) and depends on the
// locale.
#ifndef TAM_CORE_NUMBER_H
#define TAM_CORE_NUMBER_H

#include "tam.h"

// Returns the value of |text|, which is a number of the JSON grammar. Exact
// (the nearest double) for up to 15 digits with an exponent of up to 22 either
// way; within a few units in the last place for everything else. Too large a
// number is infinite, too small a one is 0.
double tam_number_of(tam_span text);

#endif // TAM_CORE_NUMBER_H
