// SPDX-License-Identifier: Apache-2.0
// What a load has the store do: a model that is stored is there at once,
// whatever the Hub, the queue and other contexts are about; any other is
// downloaded.
#include "store_damage.h"

#include <limits.h>

#define ENSURE_DTYPE(dtype)                                                    \
  MESSAGE("ensureModel", MODEL_MEMBER ",\"dtype\":\"" dtype "\"")
#define ENSURE     ENSURE_DTYPE("q4")
#define NEW_COMMIT "ffffffffffffffffffffffffffffffffffffffff"

static void expect_nothing_asked(store_host *host, const char *message) {
  unsigned fetches = host->fetches;
  const char *done = store_host_do(host, message);
  expect(done, "\"ensureModel:done\"");
  expect(done, "\"commit\":\"" STORE_HOST_COMMIT "\",\"dtype\":\"q4\"");
  expect(done, "\"fromCache\":true");
  expect(done, "\"path\":\"" GRAPH "\"");
  expect(done, "\"path\":\"config.json\"");
  CHECK_INT(host->fetches, fetches);
}

static void test_stored(void) {
  store_host host;
  stored_begin(&host);
  expect_nothing_asked(&host, ENSURE);
  expect_nothing_asked(&host, ENSURE_DTYPE("q8,q4,auto"));
  expect_nothing_asked(
      &host,
      MESSAGE("ensureModel", MODEL_MEMBER
              ",\"dtype\":\"q4\",\"revision\":\"" STORE_HOST_COMMIT "\""));
  host.is_offline = 1;
  expect_nothing_asked(&host, ENSURE);
  store_host_free(&host);
}

// The caller asks for an update when it wants one.
static void test_branch_moved(void) {
  store_host host;
  stored_begin(&host);
  store_host_add_commit(&host, NEW_COMMIT);
  store_host_add_file(&host, "config.json", 310, 9, 0);
  expect_nothing_asked(&host, ENSURE);
  expect(store_host_do(&host, UPDATE), "\"commit\":\"" NEW_COMMIT "\"");
  unsigned fetches = host.fetches;
  expect(store_host_do(&host, ENSURE), "\"commit\":\"" NEW_COMMIT "\"");
  CHECK_INT(host.fetches, fetches);
  store_host_free(&host);
}

// A download that takes for ever keeps nobody from what is stored.
static void test_beside_download(void) {
  store_host host;
  stored_begin(&host);
  host.fault = store_host_file_fault;
  host.fault_kind = HUB_FAULT_STALL;
  host.fault_from = 1;
  host.fault_to = UINT_MAX;
  uint32_t download = store_host_start(
      &host, MESSAGE("download", MODEL_MEMBER ",\"dtype\":\"fp32\""));
  unsigned before = host.file_fetches;
  while (host.file_fetches == before) {
    store_host_step(&host);
  }
  uint32_t ensure = store_host_start(&host, ENSURE);
  while (fake_host_op(&host.host, ensure)->terminals == 0 &&
         store_host_step(&host)) {
  }
  expect(host.last, "\"ensureModel:done\"");
  CHECK_INT(fake_host_op(&host.host, download)->terminals, 0);
  store_host_free(&host);
}

// Another dtype, and a model that is not stored at all.
static void test_missing(void) {
  store_host host;
  model_begin(&host, 1000);
  const char *done = store_host_do(&host, ENSURE);
  expect(done, "\"ensureModel:done\"");
  expect(done, "\"fromCache\":false");
  CHECK(graph_is_stored(&host, 1000));
  expect(store_host_do(&host, ENSURE_DTYPE("fp32")), "\"dtype\":\"fp32\"");
  expect(store_host_do(&host, LOOK), "\"ok\":true");
  expect(store_host_do(&host, ENSURE_DTYPE("q8")),
         "\"code\":\"dtype_unavailable\"");
  store_host_free(&host);
}

// A chunk that is gone is fetched before the model is there.
static void test_chunk_gone(void) {
  store_host host;
  stored_begin(&host);
  damage_by_deleting(&host);
  expect(store_host_do(&host, ENSURE), "\"fromCache\":false");
  CHECK_INT(host.file_bytes, MIB);
  expect(store_host_do(&host, OPEN_WITH(GRAPH, ",\"repair\":false")),
         "\"openFile:done\"");
  store_host_free(&host);
}

// What cannot be told without reading is left to whoever opens the file.
static void test_damaged(void) {
  for (size_t i = 0; i < sizeof(damage_kinds) / sizeof(damage_kinds[0]); i++) {
    store_host host;
    stored_begin(&host);
    damage_kinds[i].inflict(&host);
    expect(store_host_do(&host, ENSURE), "\"ensureModel:done\"");
    CHECK(host.file_bytes <= damage_kinds[i].bytes_max ||
          damage_kinds[i].damaged > 1);
    store_host_free(&host);
  }
}

// Whatever fails on the way, it ends once, and works the next time.
static void test_failures(void) {
  for (unsigned fail = 1; fail < 20; fail++) {
    store_host host;
    stored_begin(&host);
    host.fail_order = host.storage_orders + fail;
    uint32_t op = store_host_start(&host, ENSURE);
    store_host_run(&host);
    CHECK_INT(fake_host_op(&host.host, op)->terminals, 1);
    host.fail_order = 0;
    expect_nothing_asked(&host, ENSURE);
    store_host_free(&host);
  }
}

int main(void) {
  RUN(test_stored);
  RUN(test_branch_moved);
  RUN(test_beside_download);
  RUN(test_missing);
  RUN(test_chunk_gone);
  RUN(test_damaged);
  RUN(test_failures);
  return check_finish();
}
