// SPDX-License-Identifier: Apache-2.0
// Reads times as the Hub writes them.
#ifndef TAM_CORE_TIME_H
#define TAM_CORE_TIME_H

#include "tam.h"

// Returns the time that |text| names, in milliseconds since the epoch, or -1
// when it is not of the form 2024-05-01T12:00:00.000Z (the milliseconds may be
// missing), in which the Hub writes times, or is before 1970.
double tam_time_of(tam_span text);

#endif // TAM_CORE_TIME_H
