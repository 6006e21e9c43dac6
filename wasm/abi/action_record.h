// SPDX-License-Identifier: Apache-2.0
// An action as the host reads it: little-endian 32-bit words in this order.
// Spans are an address in linear memory and a length in bytes.
#ifndef TAM_ABI_ACTION_RECORD_H
#define TAM_ABI_ACTION_RECORD_H

// TAM_ACTION_WORD(NAME, name in JavaScript)
#define TAM_ACTION_WORDS                                                       \
  TAM_ACTION_WORD(KIND, "kind")                                                \
  TAM_ACTION_WORD(OP, "op")                                                    \
  TAM_ACTION_WORD(REQUEST, "request")                                          \
  TAM_ACTION_WORD(FLAGS, "flags")                                              \
  TAM_ACTION_WORD(FIRST_PTR, "firstPtr")                                       \
  TAM_ACTION_WORD(FIRST_LEN, "firstLen")                                       \
  TAM_ACTION_WORD(SECOND_PTR, "secondPtr")                                     \
  TAM_ACTION_WORD(SECOND_LEN, "secondLen")

enum {
#define TAM_ACTION_WORD(name, js_name) TAM_ACTION_WORD_##name,
  TAM_ACTION_WORDS
#undef TAM_ACTION_WORD
};

#endif // TAM_ABI_ACTION_RECORD_H
