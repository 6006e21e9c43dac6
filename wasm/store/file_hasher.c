// SPDX-License-Identifier: Apache-2.0
#include "store/file_hasher.h"

#include "core/span.h"

#include <string.h>

// ---------------------------------------------------------------------------
// Beginning

static void hasher_begin(tam_file_hasher *hasher, tam_file_record *record,
                         uint32_t chunk, int is_check) {
  hasher->record = record;
  hasher->chunk = chunk;
  hasher->is_check = (uint8_t)is_check;
  hasher->is_damaged = 0;
  hasher->left = tam_chunk_map_length(&record->chunks, chunk);
  hasher->sum_at = tam_file_record_sums_before(record, chunk);
  tam_file_record_begin_hash(record, chunk, &hasher->hash);
  tam_checksum_init(&hasher->sum);
}

int tam_file_hasher_begin(tam_file_hasher *hasher, tam_file_record *record) {
  if (!tam_chunk_map_has(&record->chunks, record->hashed)) {
    return TAM_ERR_INVALID_STATE;
  }
  tam_file_record_trim(record); // what a chunk that did not end well has left
  hasher_begin(hasher, record, record->hashed, 0);
  return 0;
}

int tam_file_hasher_begin_check(tam_file_hasher *hasher,
                                tam_file_record *record, uint32_t chunk) {
  if (chunk >= record->hashed) {
    return TAM_ERR_INVALID_STATE;
  }
  hasher_begin(hasher, record, chunk, 1);
  return 0;
}

// ---------------------------------------------------------------------------
// Blocks

// The block is complete: keeps its checksum or compares it.
static void end_block(tam_file_hasher *hasher) {
  tam_buf *sums = &hasher->record->sums;
  const uint64_t sum = tam_checksum_final(&hasher->sum);
  if (!hasher->is_check) {
    tam_buf_append(sums, (tam_span){(const uint8_t *)&sum, sizeof(sum)});
  } else if (memcmp(sums->data + hasher->sum_at, &sum, sizeof(sum)) != 0) {
    hasher->is_damaged = 1;
  }
  hasher->sum_at += sizeof(sum);
  tam_checksum_init(&hasher->sum);
}

void tam_file_hasher_update(tam_file_hasher *hasher, tam_span bytes) {
  if (bytes.len > hasher->left) {
    hasher->is_damaged = 1;
  }
  if (hasher->is_damaged) {
    return;
  }
  hasher->left -= bytes.len;
  tam_content_hash_update(&hasher->hash, bytes);
  while (bytes.len > 0) {
    size_t room = (size_t)(TAM_CHECK_BLOCK_SIZE - hasher->sum.len);
    tam_span head = tam_span_head(bytes, room);
    tam_checksum_update(&hasher->sum, head);
    if (head.len == room) {
      end_block(hasher);
    }
    bytes = tam_span_from(bytes, head.len);
  }
}

// ---------------------------------------------------------------------------
// Ending

// Says whether the state is the one that the chunk once led to.
static int end_check(tam_file_hasher *hasher) {
  uint8_t saved[TAM_CONTENT_SAVED_MAX];
  tam_span before = tam_file_record_state(hasher->record, hasher->chunk);
  tam_content_hash_save(&hasher->hash, saved);
  return tam_span_eq(before, (tam_span){saved, before.len});
}

// Adds the chunk to what is hashed.
static int end_hash(tam_file_hasher *hasher) {
  tam_file_record *record = hasher->record;
  if (record->sums.error != 0) {
    return record->sums.error;
  }
  uint8_t *state = tam_buf_grow(&record->states,
                                tam_file_hash_saved_size(record->algorithm));
  if (state == NULL) {
    return record->states.error;
  }
  tam_content_hash_save(&hasher->hash, state);
  record->hashed++;
  return 1;
}

int tam_file_hasher_end(tam_file_hasher *hasher) {
  if (hasher->sum.len > 0) {
    end_block(hasher);
  }
  if (hasher->is_damaged || hasher->left > 0) {
    return 0;
  }
  return hasher->is_check ? end_check(hasher) : end_hash(hasher);
}
