// SPDX-License-Identifier: Apache-2.0
// Any bytes as the record of a revision, with the checksum that goes with them:
// no crash, and what loads saves to the same bytes and names its files.
#include "store/record.h"
#include "store/revision.h"

#include "../record_sum.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_file(const tam_revision *revision, uint32_t i) {
  uint8_t space[TAM_STORE_GROUP_MAX];
  tam_buf group;
  tam_span path = tam_revision_text(revision, revision->files[i].path);
  TAM_ASSERT(tam_hub_path_check(path) == 0);
  TAM_ASSERT(tam_revision_find(revision, path) == &revision->files[i]);
  tam_buf_init_fixed(&group, space, sizeof(space));
  tam_revision_append_group(revision, &revision->files[i], &group);
  TAM_ASSERT(group.error == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  tam_mem mem = tam_mem_default();
  tam_revision revision;
  tam_buf again;
  tam_buf saved = with_sum(data, size, &mem);
  tam_buf_init(&again, &mem, TAM_REVISION_RECORD_MAX);
  if (tam_revision_load(&revision, tam_buf_span(&saved), &mem) == 0) {
    for (uint32_t i = 0; i < revision.count; i++) {
      check_file(&revision, i);
    }
    tam_revision_save(&revision, &again);
    TAM_ASSERT(again.error == 0);
    TAM_ASSERT(tam_span_eq(tam_buf_span(&again), tam_buf_span(&saved)));
  }
  tam_revision_free(&revision);
  tam_buf_free(&again);
  tam_buf_free(&saved);
  return 0;
}
