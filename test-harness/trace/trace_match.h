// SPDX-License-Identifier: Apache-2.0
// Compares an action with what a trace expects of it.
#ifndef TAM_TRACE_TRACE_MATCH_H
#define TAM_TRACE_TRACE_MATCH_H

// Removes the blanks of the JSON text |text| in place, so that a trace may lay
// it out as it reads best.
void trace_compact_json(char *text);

// Returns 1 when |text| is what |pattern| describes: the same characters,
// where [[*]] stands for any, and [[1..2.5]] for a number in that range.
int trace_match(const char *pattern, const char *text);

#endif // TAM_TRACE_TRACE_MATCH_H
