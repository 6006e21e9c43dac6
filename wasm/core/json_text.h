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

// Reads the well-formed \u escape at |*pat|, or the pair of them, before |end|,
// moves |*pat| behind it and returns the character: U+FFFD for a lone
// surrogate.
uint32_t tam_json_unicode_escape(const uint8_t **pat, const uint8_t *end);

#endif // TAM_CORE_JSON_TEXT_H
