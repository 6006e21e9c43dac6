// SPDX-License-Identifier: Apache-2.0
// Percent-encoding, as in URLs (RFC 3986).
#ifndef TAM_CORE_PERCENT_H
#define TAM_CORE_PERCENT_H

#include "core/buf.h"

// Appends |text| to |to|, every byte encoded that is not unreserved (a letter,
// a digit, '-', '.', '_' or '~') and not |also_plain|; 0: there is no such
// byte.
void tam_percent_encode(tam_buf *to, tam_span text, uint8_t also_plain);

// Returns the value of the hexadecimal digit |byte| in either case, or -1 when
// it is none.
int tam_hex_digit(uint8_t byte);

#endif // TAM_CORE_PERCENT_H
