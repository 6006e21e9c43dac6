// SPDX-License-Identifier: Apache-2.0
// What the fuzzers of records share: no mutation would hit upon the right
// checksum, so it is put behind the bytes.
#ifndef TAM_TEST_RECORD_SUM_H
#define TAM_TEST_RECORD_SUM_H

#include "core/buf.h"
#include "core/trap.h"
#include "store/record.h"

// Returns |data| with its checksum behind it; the caller frees it.
static inline tam_buf with_sum(const uint8_t *data, size_t size,
                               const tam_mem *mem) {
  tam_buf saved;
  tam_buf_init(&saved, mem, SIZE_MAX / 2);
  tam_buf_append(&saved, (tam_span){data, size});
  tam_record_end(&saved);
  TAM_ASSERT(saved.error == 0);
  return saved;
}

#endif // TAM_TEST_RECORD_SUM_H
