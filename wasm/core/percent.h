// SPDX-License-Identifier: Apache-2.0
// Percent-encoding, as in URLs (RFC 3986).
#ifndef TAM_CORE_PERCENT_H
#define TAM_CORE_PERCENT_H

#include "core/buf.h"

// Appends |text| to |to|. Every byte is encoded that is not unreserved (a
// letter, a digit, '-', '.', '_' or '~') and not |also_plain|; pass 0 for no
// such byte.
void tam_percent_encode(tam_buf *to, tam_span text, uint8_t also_plain);

// Returns the byte for which the three bytes "%XX" at |offset| of |text| stand,
// or -1 when there is no such escape. Digits may be upper or lower case.
int tam_percent_byte_at(tam_span text, size_t offset);

#endif // TAM_CORE_PERCENT_H
