// SPDX-License-Identifier: Apache-2.0
// Decodes the text between the quotes of a JSON string.
#ifndef TAM_CORE_JSON_TEXT_H
#define TAM_CORE_JSON_TEXT_H

#include "tam.h"

// Decodes |raw|, whose escapes and UTF-8 are known to be well-formed, into
// |out|, which has room for |max| bytes and may be where |raw| is. A lone
// surrogate becomes U+FFFD. Returns the length, or SIZE_MAX when the text is
// longer than |max| bytes.
size_t tam_json_unescape(tam_span raw, uint8_t *out, size_t max);

#endif // TAM_CORE_JSON_TEXT_H
