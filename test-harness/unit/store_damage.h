// SPDX-License-Identifier: Apache-2.0
// A stored model of three chunks, and every kind of damage to it.
#ifndef TAM_TEST_STORE_DAMAGE_H
#define TAM_TEST_STORE_DAMAGE_H

#include "store_model.h"

static inline void stored_begin(store_host *host) {
  model_begin(host, 2 * MIB + 500);
  use_small_chunks(host);
  expect(store_host_do(host, DOWNLOAD), "\"download:done\"");
  host->file_bytes = 0;
}

static inline void damage_nothing(store_host *host) {
  (void)host;
}
static inline void damage_byte(store_host *host) {
  damage(host, GRAPH_CHUNK_1, 12345);
}
static inline void damage_length(store_host *host) {
  store_host_find(host, "files", GRAPH_CHUNK_1)->size--;
}
static inline void damage_by_deleting(store_host *host) {
  store_host_delete(host, "files", GRAPH_CHUNK_1);
}
static inline void damage_by_record(store_host *host) {
  store_host_put(host, "files", GRAPH_CHUNK_1, TAM_SPAN("no content"), 0);
}
static inline void damage_by_swapping(store_host *host) {
  stored_entry *a = store_host_find(host, "files", GRAPH_CHUNK_0);
  stored_entry *b = store_host_find(host, "files", GRAPH_CHUNK_1);
  uint8_t *bytes = a->bytes;
  a->bytes = b->bytes;
  b->bytes = bytes;
}
static inline void damage_journal(store_host *host) {
  damage(host, GRAPH_RECORD, 60);
}
static inline void damage_journal_by_deleting(store_host *host) {
  store_host_delete(host, "files", GRAPH_RECORD);
}
static inline void damage_journal_by_old_one(store_host *host) {
  use_small_chunks(host);
}
static inline void damage_revision_by_manifest(store_host *host) {
  store_host_delete(host, "files", STORE_HOST_MODEL "/" GRAPH ":manifest");
}

typedef struct damage_kind {
  void (*inflict)(store_host *host);
  unsigned damaged;   // chunks
  uint64_t bytes_max; // that have to be fetched again
} damage_kind;

static const damage_kind damage_kinds[] = {
    {damage_nothing, 0, 0},
    {damage_byte, 1, MIB},
    {damage_length, 1, MIB},
    {damage_by_deleting, 1, MIB},
    {damage_by_record, 1, MIB},
    {damage_by_swapping, 2, 2 * MIB},
    {damage_journal, 3, 2 * MIB + 500},
    {damage_journal_by_deleting, 3, 2 * MIB + 500},
    {damage_journal_by_old_one, 3, 2 * MIB + 500},
    {damage_revision_by_manifest, 0, 0},
};

#endif // TAM_TEST_STORE_DAMAGE_H
