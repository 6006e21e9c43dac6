// SPDX-License-Identifier: Apache-2.0
// Reads the program that an input is: bytes, numbers and texts. Behind its end
// there are zeros, and nothing.
#ifndef TAM_FUZZ_FUZZ_INPUT_H
#define TAM_FUZZ_FUZZ_INPUT_H

#include "core/span.h"

typedef struct fuzz_input {
  const uint8_t *at;
  size_t left;
} fuzz_input;

static inline unsigned take_byte(fuzz_input *input) {
  if (input->left == 0) {
    return 0;
  }
  input->left--;
  return *input->at++;
}

// Two bytes, the lower one first.
static inline unsigned take_short(fuzz_input *input) {
  unsigned low = take_byte(input);
  return low | take_byte(input) << 8;
}

// A text, its length before it; at the most |max| bytes of it.
static inline tam_span take_text(fuzz_input *input, size_t max) {
  size_t len = take_short(input);
  len = len < input->left ? len : input->left;
  len = len < max ? len : max;
  tam_span text = {input->at, len};
  input->at += len;
  input->left -= len;
  return text;
}

#endif // TAM_FUZZ_FUZZ_INPUT_H
