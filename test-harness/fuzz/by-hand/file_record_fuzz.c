// SPDX-License-Identifier: Apache-2.0
// Any bytes as the record of a file, with the checksum that goes with them: no
// crash, and what loads saves to the same bytes and can be worked with.
#include "store/file_hasher.h"
#include "store/record.h"

#include "../record_sum.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

// Does everything that reads what is hashed.
static void work(tam_file_record *record) {
  static const uint8_t bytes[64];
  tam_file_hasher hasher;
  (void)tam_file_record_check(record);
  for (uint32_t i = 0; i <= record->hashed; i++) {
    uint32_t last = tam_file_record_blocks(record, i) - 1;
    (void)tam_file_record_has_sum(record, i, last, 0);
    if (tam_file_hasher_begin_check(&hasher, record, i) == 0) {
      tam_file_hasher_update(&hasher, (tam_span){bytes, sizeof(bytes)});
      TAM_ASSERT(tam_file_hasher_end(&hasher) >= 0);
    }
  }
  if (tam_file_hasher_begin(&hasher, record) == 0) {
    tam_file_hasher_update(&hasher, (tam_span){bytes, sizeof(bytes)});
    TAM_ASSERT(tam_file_hasher_end(&hasher) >= 0);
  }
  tam_file_record_forget_from(record, record->hashed / 2);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  tam_mem mem = tam_mem_default();
  tam_file_record record;
  tam_buf again;
  tam_buf saved = with_sum(data, size, &mem);
  tam_buf_init(&again, &mem, TAM_FILE_RECORD_MAX);
  if (tam_file_record_load(&record, tam_buf_span(&saved), &mem) == 0) {
    tam_file_record_save(&record, &again);
    TAM_ASSERT(again.error == 0);
    TAM_ASSERT(tam_span_eq(tam_buf_span(&again), tam_buf_span(&saved)));
    work(&record);
    tam_file_record_save(&record, &saved);
    TAM_ASSERT(saved.error == 0);
    tam_file_record_free(&record);
    TAM_ASSERT(tam_file_record_load(&record, tam_buf_span(&saved), &mem) == 0);
  }
  tam_file_record_free(&record);
  tam_buf_free(&again);
  tam_buf_free(&saved);
  return 0;
}
