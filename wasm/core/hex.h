// SPDX-License-Identifier: Apache-2.0
// Bytes as lower-case hexadecimal text, the form of digests and commit ids.
#ifndef TAM_CORE_HEX_H
#define TAM_CORE_HEX_H

#include "tam.h"

// Writes |bytes| as 2 * bytes.len digits to |text|, without NUL.
void tam_hex_write(uint8_t *text, tam_span bytes);

// Reads |text| into |len| bytes. Returns 1 when it is exactly 2 * |len| digits
// 0-9 and a-f, else 0; |bytes| holds nothing of use then. Upper case is
// refused: equal bytes have one text.
int tam_hex_read(tam_span text, uint8_t *bytes, size_t len);

#endif // TAM_CORE_HEX_H
