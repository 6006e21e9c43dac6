// SPDX-License-Identifier: Apache-2.0
// Each allocation of each operation fails once, and from many on all fail. The
// host holds the manager to its promises: one terminal message, no lock held,
// nothing kept, nothing leaked. What was stored stays whole, and works again
// when there is memory.
#include "store_model.h"

#define NEW_COMMIT "ffffffffffffffffffffffffffffffffffffffff"

#define DOWNLOAD_FP32 MESSAGE("download", MODEL_MEMBER ",\"dtype\":\"fp32\"")
#define DELETE_FP32   MESSAGE("deleteModel", MODEL_MEMBER ",\"dtype\":\"fp32\"")

typedef struct scenario {
  void (*prepare)(store_host *host);
  const char *message;
  size_t graph_size;
} scenario;

static void prepare_nothing(store_host *host) {
  (void)host;
}

static void prepare_chunks(store_host *host) {
  use_small_chunks(host);
}

static void prepare_stored(store_host *host) {
  expect(store_host_do(host, DOWNLOAD), "\"download:done\"");
}

static void prepare_damaged(store_host *host) {
  prepare_stored(host);
  damage(host, GRAPH_CHUNK_0, 10);
}

static void prepare_update(store_host *host) {
  prepare_stored(host);
  store_host_add_commit(host, NEW_COMMIT);
  store_host_add_file(host, "config.json", 310, 9, 0);
}

static void prepare_updated(store_host *host) {
  prepare_update(host);
  expect(store_host_do(host, UPDATE), "\"updateModel:done\"");
}

// No room, and a model that could make some.
static void prepare_full(store_host *host) {
  prepare_stored(host);
  expect(store_host_do(host, PIN), "\"pinModel:done\"");
  host->usage = 1;
  host->quota = 2;
}

static void prepare_faults(store_host *host) {
  host->fault = store_host_file_fault;
  host->fault_kind = HUB_FAULT_BREAK;
  host->fault_from = 1;
  host->fault_to = 3;
}

static void prepare_pages(store_host *host) {
  host->tree_page = 2;
  host->piece = 100;
}

static void prepare_two_dtypes(store_host *host) {
  prepare_stored(host);
  expect(store_host_do(host, DOWNLOAD_FP32), "\"download:done\"");
}

static const scenario scenarios[] = {
    {prepare_nothing, PLAN, 1000},
    {prepare_pages, PLAN, 1000},
    {prepare_nothing, DOWNLOAD, 1000},
    {prepare_faults, DOWNLOAD, 1000},
    {prepare_chunks, DOWNLOAD, MIB + 100},
    {prepare_stored, DOWNLOAD, 1000},
    {prepare_full, DOWNLOAD_FP32, 1000},
    {prepare_nothing, FETCH(GRAPH), 1000},
    {prepare_nothing, STORE_FILE(GRAPH), 1000},
    {prepare_stored, FETCH(GRAPH), 1000},
    {prepare_damaged, FETCH(GRAPH), 1000},
    {prepare_stored, OPEN(GRAPH), 1000},
    {prepare_damaged, OPEN(GRAPH), 1000},
    {prepare_stored, VERIFY, 1000},
    {prepare_damaged, VERIFY, 1000},
    {prepare_stored, PIN, 1000},
    {prepare_stored, MODELS, 1000},
    {prepare_stored, STORAGE, 1000},
    {prepare_update, CHECK_UPDATE, 1000},
    {prepare_update, UPDATE, 1000},
    {prepare_updated, ROLLBACK, 1000},
    {prepare_updated, DELETE, 1000},
    {prepare_two_dtypes, DELETE_FP32, 1000},
    {prepare_updated, MESSAGE("deleteModel", MODEL_MEMBER ",\"dtype\":\"q4\""),
     1000},
};

// What is served is right, whatever happened before.
static void check_served(store_host *host) {
  const hub_file *file = hub_file_of(host, GRAPH);
  CHECK(host->served_len <= file->size);
  CHECK(host->served_len == 0 ||
        memcmp(host->served, file->bytes, host->served_len) == 0);
}

// Returns 0 when the operation needs fewer allocations.
static int fail(const scenario *test, size_t nth, int fail_after) {
  store_host host;
  model_begin(&host, test->graph_size);
  test->prepare(&host);
  check_heap *heap = &host.host.heap;
  heap->fail_after = fail_after;
  heap->fail_at = heap->allocations + nth;
  const char *last = store_host_do(&host, test->message);
  int is_failed = heap->allocations >= heap->fail_at;
  // A command for which there is no memory at all is not even begun; and one
  // that ends without room ends so, with fewer words. What is done does not
  // fail because the panel did not hear of it.
  if (is_failed && last[0] != '\0' &&
      strstr(last, "\"download:done\"") == NULL &&
      strstr(last, "\"updateModel:done\"") == NULL &&
      strstr(last, "\"deleteModel:done\"") == NULL &&
      (test->prepare != prepare_full ||
       strstr(last, "\"quota_exceeded\"") == NULL)) {
    expect(last, "\"code\":\"out_of_memory\"");
  }
  heap->fail_after = 0;
  heap->fail_at = SIZE_MAX;
  check_served(&host);
  CHECK_INT(host.kept_count, 0);
  host.quota = 1e12;
  expect(store_host_do(&host, DOWNLOAD), "\"download:done\"");
  expect(store_host_do(&host, LOOK), "\"verifyModel:done\"");
  expect(store_host_do(&host, FETCH(GRAPH)), "\"outcome\":\"file\"");
  CHECK_INT(host.served_len, test->graph_size);
  check_served(&host);
  store_host_free(&host);
  return is_failed;
}

// Of large files every fourth allocation has to do: they take long.
static void check_scenario(const scenario *test) {
  size_t step = test->graph_size < MIB ? 1 : 4;
  size_t nth = 1;
  while (fail(test, nth, 0)) {
    if (nth % 4 == 0) {
      fail(test, nth, 1);
    }
    nth += step;
  }
  CHECK(nth > 20);
}

static void test_every_allocation(void) {
  for (size_t i = 0; i < sizeof(scenarios) / sizeof(scenarios[0]); i++) {
    check_scenario(&scenarios[i]);
  }
}

int main(void) {
  RUN(test_every_allocation);
  return check_finish();
}
