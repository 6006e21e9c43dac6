// SPDX-License-Identifier: Apache-2.0
#include "core/simd.h"

#define TIMES_16(x)                                                            \
  { x, x, x, x, x, x, x, x, x, x, x, x, x, x, x, x }

const uint8_t tam_json_needles[3][16] = {
    TIMES_16('"'),
    TIMES_16('\\'),
    TIMES_16(0x20),
};
