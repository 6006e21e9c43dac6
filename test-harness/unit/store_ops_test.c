// SPDX-License-Identifier: Apache-2.0
// Whole operations of the store against a storage and a Hub in memory: what
// ends up where, in which pieces and whichever order the answers come.
#include "store_damage.h"

static const size_t pieces[] = {0, 4096, 257};
static const unsigned orders[] = {0, 1, 77, 78};

static void test_plan(void) {
  store_host host;
  model_begin(&host, 1000);
  const char *done = store_host_do(&host, PLAN);
  expect(done, "\"plan:done\"");
  expect(done, "\"commit\":\"" STORE_HOST_COMMIT "\",\"dtype\":\"q4\"");
  expect(done, "\"path\":\"" GRAPH "\",\"bytes\":1000");
  expect(done, "\"path\":\"config.json\",\"bytes\":300,\"cachedBytes\":0");
  expect_not(done, "README");
  expect_not(done, "onnx/model.onnx");
  expect(done, "\"totalBytes\":1340,\"neededBytes\":1340");
  expect(done, "\"fits\":true,\"evict\":[]");
  CHECK_INT(host.file_fetches, 0);
  CHECK_INT(host.entry_count, 0);
  store_host_free(&host);
}

static void test_download(void) {
  for (size_t i = 0; i < sizeof(pieces) / sizeof(pieces[0]); i++) {
    for (size_t j = 0; j < sizeof(orders) / sizeof(orders[0]); j++) {
      store_host host;
      model_begin(&host, 1000);
      host.piece = pieces[i];
      host.order = orders[j];
      const char *done = store_host_do(&host, DOWNLOAD);
      expect(done, "\"download:done\"");
      expect(done, "\"bytes\":1340,\"fromCache\":false,\"resumedBytes\":0,"
                   "\"fetchedBytes\":1340");
      CHECK(graph_is_stored(&host, 1000));
      CHECK(store_host_find(&host, "files",
                            STORE_HOST_MODEL "/" GRAPH ":manifest") != NULL);
      expect(store_host_do(&host, MODELS),
             "\"dtype\":\"q4\",\"status\":\"downloaded\",\"bytes\":1340,"
             "\"complete\":true");
      expect(store_host_do(&host, DOWNLOAD),
             "\"fromCache\":true,\"resumedBytes\":1340,\"fetchedBytes\":0");
      expect(store_host_do(&host, LOOK), "\"ok\":true,\"damaged\":[]");
      store_host_free(&host);
    }
  }
}

// Three chunks, in whichever order they come.
static void test_chunks(void) {
  for (size_t j = 0; j < sizeof(orders) / sizeof(orders[0]); j++) {
    store_host host;
    model_begin(&host, 2 * MIB + 500);
    use_small_chunks(&host);
    host.order = orders[j];
    expect(store_host_do(&host, DOWNLOAD), "\"download:done\"");
    CHECK(graph_is_stored(&host, MIB));
    CHECK_INT(host.file_bytes, 2 * MIB + 500 + SMALL_BYTES);
    expect(store_host_do(&host, LOOK), "\"ok\":true,\"damaged\":[]");
    store_host_free(&host);
  }
}

// Whatever storage request fails, what was stored is not fetched again.
static void test_resume(void) {
  for (unsigned n = 1; n < 100; n++) {
    store_host host;
    model_begin(&host, 2 * MIB + 500);
    use_small_chunks(&host);
    host.fail_order = n;
    host.fail_words = "QuotaExceededError: full";
    const char *done = store_host_do(&host, DOWNLOAD);
    if (strstr(done, "\"download:done\"") != NULL) {
      CHECK(n > 10);
      n = 100;
    } else {
      expect(done, "\"quota_exceeded\"");
    }
    uint64_t first = host.file_bytes;
    host.fail_order = 0;
    expect(store_host_do(&host, DOWNLOAD), "\"download:done\"");
    // What was in flight: three chunks at the most.
    CHECK(host.file_bytes <= 2 * (2 * MIB + 500 + SMALL_BYTES));
    CHECK(host.file_bytes >= first);
    CHECK(graph_is_stored(&host, MIB));
    expect(store_host_do(&host, LOOK), "\"ok\":true,\"damaged\":[]");
    store_host_free(&host);
  }
}

// A download that has a fault once comes to its end all the same.
static void test_faults(void) {
  static const hub_fault faults[] = {
      HUB_FAULT_RESET,      HUB_FAULT_BREAK,     HUB_FAULT_SHORT,
      HUB_FAULT_LONG,       HUB_FAULT_FLIP,      HUB_FAULT_WHOLE,
      HUB_FAULT_OTHER_PART, HUB_FAULT_FORBIDDEN, HUB_FAULT_SERVER,
      HUB_FAULT_LIMIT,      HUB_FAULT_SILENT,    HUB_FAULT_STALL,
  };
  for (size_t i = 0; i < sizeof(faults) / sizeof(faults[0]); i++) {
    for (unsigned nth = 1; nth <= 5; nth++) {
      store_host host;
      model_begin(&host, 2 * MIB + 500);
      use_small_chunks(&host);
      host.fault = store_host_file_fault;
      host.fault_kind = faults[i];
      host.fault_from = nth;
      host.fault_to = nth;
      host.order = nth;
      expect(store_host_do(&host, DOWNLOAD), "\"download:done\"");
      CHECK(graph_is_stored(&host, MIB));
      expect(store_host_do(&host, LOOK), "\"ok\":true,\"damaged\":[]");
      store_host_free(&host);
    }
  }
}

// A line that never holds for a chunk: what came before it broke off, or fell
// silent, is not fetched again, whichever file it is of.
static void test_parts(void) {
  static const hub_fault faults[] = {HUB_FAULT_BREAK, HUB_FAULT_STALL};
  for (size_t i = 0; i < 4; i++) {
    store_host host;
    model_begin(&host, i < 2 ? 2 * MIB + 500 : MIB);
    use_small_chunks(&host);
    host.fault = store_host_file_fault;
    host.fault_kind = faults[i % 2];
    host.fault_from = 1;
    host.fault_to = 9;
    host.latency_ms = 700; // no probe, and no short body comes as a whole
    expect(store_host_do(&host, DOWNLOAD), "\"download:done\"");
    CHECK(graph_is_stored(&host, MIB));
    CHECK_INT(host.kept_count, 0);
    // Of each fault what is shorter than a part, and what came as a whole.
    CHECK(host.file_bytes <=
          (i < 2 ? 2 * MIB + 500 : MIB) + SMALL_BYTES + 9 * 128 * 1024);
    expect(store_host_do(&host, LOOK), "\"ok\":true,\"damaged\":[]");
    store_host_free(&host);
  }
}

// One that has it for ever ends, with an error that says what it was.
static void test_lasting_faults(void) {
  static const struct {
    hub_fault fault;
    const char *code;
  } faults[] = {
      {HUB_FAULT_RESET, "\"code\":\"network\""},
      {HUB_FAULT_SHORT, "\"code\":\"unexpected_shape\""},
      {HUB_FAULT_LONG, "\"code\":\"unexpected_shape\""},
      {HUB_FAULT_FLIP, "\"code\":\"hash_mismatch\""},
      {HUB_FAULT_WHOLE, "\"code\":\"range_unsupported\""},
      {HUB_FAULT_OTHER_PART, "\"code\":\"unexpected_shape\""},
      {HUB_FAULT_NOT_FOUND, "\"code\":\"not_found\""},
      {HUB_FAULT_GATED, "\"code\":\"unauthorized\""},
      {HUB_FAULT_FORBIDDEN, "\"code\":\"unauthorized\""},
      {HUB_FAULT_SERVER, "\"code\":\"http_status\""},
      {HUB_FAULT_SILENT, "\"code\":\"timeout\""},
  };
  for (size_t i = 0; i < sizeof(faults) / sizeof(faults[0]); i++) {
    store_host host;
    model_begin(&host, 2 * MIB + 500);
    use_small_chunks(&host);
    host.fault = store_host_file_fault;
    host.fault_kind = faults[i].fault;
    host.fault_from = 1;
    host.fault_to = UINT32_MAX;
    host.latency_ms = 5;
    const char *done = store_host_do(&host, DOWNLOAD);
    expect(done, "\"download:error\"");
    expect(done, faults[i].code);
    expect(store_host_do(&host, MODELS), "\"complete\":false");
    host.fault = NULL;
    expect(store_host_do(&host, DOWNLOAD), "\"download:done\"");
    CHECK(graph_is_stored(&host, MIB));
    store_host_free(&host);
  }
}

// The list of files comes on several pages.
static void test_pages(void) {
  for (size_t page = 1; page <= 4; page++) {
    store_host host;
    model_begin(&host, 1000);
    host.tree_page = page;
    host.piece = 61;
    expect(store_host_do(&host, DOWNLOAD), "\"download:done\"");
    CHECK(graph_is_stored(&host, 1000));
    store_host_free(&host);
  }
}

// A list without an end is given up.
static void test_pages_without_end(void) {
  store_host host;
  model_begin(&host, 1000);
  host.is_tree_endless = 1;
  const char *done = store_host_do(&host, PLAN);
  expect(done, "\"plan:error\"");
  expect(done, "\"code\":\"too_large\"");
  store_host_free(&host);
}

// Faults of the Hub's API: none of them keeps it busy.
static void test_api_faults(void) {
  static const struct {
    hub_fault fault;
    const char *code;
  } faults[] = {
      {HUB_FAULT_RESET, "\"code\":\"network\""},
      {HUB_FAULT_BREAK, "\"code\":\"network\""},
      {HUB_FAULT_NOT_FOUND, "\"code\":\"not_found\""},
      {HUB_FAULT_GATED, "\"code\":\"unauthorized\""},
      {HUB_FAULT_FORBIDDEN, "\"code\":\"unauthorized\""},
      {HUB_FAULT_SERVER, "\"code\":\"http_status\""},
      {HUB_FAULT_SILENT, "\"code\":\"timeout\""},
  };
  static const char *const messages[] = {
      PLAN,
      MESSAGE("plan", MODEL_MEMBER ",\"revision\":\"" STORE_HOST_COMMIT "\""),
  };
  for (size_t i = 0; i < 2 * sizeof(faults) / sizeof(faults[0]); i++) {
    store_host host;
    model_begin(&host, 1000);
    host.api_fault = faults[i / 2].fault;
    const char *done = store_host_do(&host, messages[i % 2]);
    expect(done, "\"plan:error\"");
    expect(done, faults[i / 2].code);
    CHECK(host.fetches <= 8);
    store_host_free(&host);
  }
}

// A page that broke off after others makes the list begin anew, some times.
static void test_later_page_breaks(void) {
  store_host host;
  model_begin(&host, 1000);
  host.tree_page = 2;
  host.later_page_fault = HUB_FAULT_BREAK;
  const char *done = store_host_do(&host, PLAN);
  expect(done, "\"plan:error\"");
  expect(done, "\"code\":\"network\"");
  CHECK(host.fetches <= 20);
  host.later_page_fault = HUB_FAULT_NONE;
  expect(store_host_do(&host, PLAN), "\"totalBytes\":1340");
  store_host_free(&host);
}

// What is stored is planned and downloaded without the Hub.
static void test_offline(void) {
  store_host host;
  model_begin(&host, 1000);
  store_host_do(&host, DOWNLOAD);
  host.is_offline = 1;
  expect(store_host_do(&host, PLAN), "\"neededBytes\":0");
  expect(store_host_do(&host, DOWNLOAD), "\"fromCache\":true");
  expect(store_host_do(&host, FETCH(GRAPH)), "\"outcome\":\"file\"");
  CHECK_INT(host.served_len, 1000);
  // Whether there is an update nobody can say.
  expect(store_host_do(&host, CHECK_UPDATE), "\"code\":\"network\"");
  store_host_free(&host);
}

// Damage of every kind is found, repaired, and only it is fetched again.
static unsigned count_parts(const char *text, const char *part) {
  unsigned count = 0;
  while ((text = strstr(text, part)) != NULL) {
    count++;
    text++;
  }
  return count;
}

static void test_verify(void) {
  for (size_t i = 0; i < sizeof(damage_kinds) / sizeof(damage_kinds[0]); i++) {
    const damage_kind *kind = &damage_kinds[i];
    store_host host;
    stored_begin(&host);
    kind->inflict(&host);
    const char *done = store_host_do(&host, LOOK);
    expect(done, "\"verifyModel:done\"");
    expect(done, kind->damaged == 0 ? "\"ok\":true" : "\"ok\":false");
    CHECK((count_parts(done, "\"chunk\":") != 0) == (kind->damaged != 0));
    CHECK_INT(host.file_bytes, 0);
    done = store_host_do(&host, VERIFY);
    expect(done, "\"ok\":true");
    CHECK(host.file_bytes <= kind->bytes_max);
    done = store_host_do(&host, LOOK);
    expect(done, "\"ok\":true,\"damaged\":[]");
    expect(store_host_do(&host, FETCH(GRAPH)), "\"outcome\":\"file\"");
    hub_file *file = hub_file_of(&host, GRAPH);
    CHECK_INT(host.served_len, file->size);
    CHECK(host.served_len == file->size &&
          memcmp(host.served, file->bytes, file->size) == 0);
    store_host_free(&host);
  }
}

// What is damaged is never served: the right bytes come, or an error.
static void test_serve_damaged(void) {
  for (size_t i = 0; i < sizeof(damage_kinds) / sizeof(damage_kinds[0]); i++) {
    for (int offline = 0; offline <= 1; offline++) {
      store_host host;
      stored_begin(&host);
      damage_kinds[i].inflict(&host);
      host.is_offline = offline;
      hub_file *file = hub_file_of(&host, GRAPH);
      const char *done = store_host_do(&host, FETCH(GRAPH));
      CHECK(host.served_len <= file->size);
      CHECK(host.served_len == 0 ||
            memcmp(host.served, file->bytes, host.served_len) == 0);
      if (!offline || damage_kinds[i].damaged == 0) {
        expect(done, "\"outcome\":\"file\"");
        CHECK_INT(host.served_len, file->size);
      }
      store_host_free(&host);
    }
  }
}

// What is not to be fetched is not fetched, even to repair it.
static void test_only_cached(void) {
  store_host host;
  stored_begin(&host);
  damage_byte(&host);
  const char *done =
      store_host_do(&host, FETCH_WITH(GRAPH, ",\"onlyCached\":true"));
  expect(done, "\"code\":\"store_damaged\"");
  CHECK_INT(host.file_bytes, 0);
  store_host_free(&host);
}

// A repair that the Hub spoils twice leaves nothing that looks whole.
static void test_wrong_twice(void) {
  store_host host;
  stored_begin(&host);
  damage_byte(&host);
  host.fault = store_host_file_fault;
  host.fault_kind = HUB_FAULT_FLIP;
  host.fault_to = UINT32_MAX;
  expect(store_host_do(&host, VERIFY), "\"code\":\"hash_mismatch\"");
  CHECK(store_host_find(&host, "files", GRAPH_RECORD) == NULL);
  CHECK(store_host_find(&host, "files", GRAPH_CHUNK_0) == NULL);
  CHECK(store_host_find(&host, "files",
                        STORE_HOST_MODEL "/" GRAPH ":manifest") == NULL);
  expect(store_host_do(&host, MODELS), "\"complete\":false");
  store_host_free(&host);
}

static void test_delete(void) {
  store_host host;
  stored_begin(&host);
  expect(store_host_do(&host, PIN), "\"pinModel:done\"");
  store_host_put(&host, "files", STORE_HOST_MODEL "2/config.json_chunk_0",
                 TAM_SPAN("of another model"), 1);
  expect(store_host_do(&host, DELETE), "\"deleteModel:done\"");
  // TabAgent's entry about the model stays: the user may have added it.
  CHECK_INT(host.entry_count, 2);
  CHECK(store_host_find(&host, "manifest", STORE_HOST_MODEL) != NULL);
  expect(store_host_do(&host, MODELS), "\"models\":[]");
  expect(store_host_do(&host, LOOK), "\"code\":\"not_stored\"");
  store_host_free(&host);
}

static void test_delete_dtype(void) {
  store_host host;
  model_begin(&host, 1000);
  store_host_do(&host, DOWNLOAD);
  store_host_do(&host, MESSAGE("download", MODEL_MEMBER ",\"dtype\":\"fp32\""));
  expect(store_host_do(
             &host, MESSAGE("deleteModel", MODEL_MEMBER ",\"dtype\":\"fp32\"")),
         "\"deleteModel:done\"");
  CHECK(graph_is_stored(&host, 1000));
  CHECK(store_host_find(&host, "files",
                        STORE_HOST_MODEL "/onnx/model.onnx_chunk_0") == NULL);
  const char *done = store_host_do(&host, MODELS);
  expect(done, "\"dtype\":\"q4\"");
  expect_not(done, "\"dtype\":\"fp32\"");
  expect(store_host_do(&host, LOOK), "\"ok\":true,\"damaged\":[]");
  store_host_free(&host);
}

static void test_pin(void) {
  store_host host;
  model_begin(&host, 1000);
  expect(store_host_do(&host, PIN), "\"code\":\"not_stored\"");
  store_host_do(&host, DOWNLOAD);
  expect(store_host_do(&host, PIN), "\"pinModel:done\"");
  expect(store_host_do(&host, MODELS), "\"pinned\":true");
  expect(store_host_do(&host, UNPIN), "\"pinModel:done\"");
  expect(store_host_do(&host, MODELS), "\"pinned\":false");
  store_host_free(&host);
}

#define NEW_COMMIT "ffffffffffffffffffffffffffffffffffffffff"

static void test_update(void) {
  store_host host;
  model_begin(&host, 1000);
  store_host_do(&host, DOWNLOAD);
  expect(store_host_do(&host, CHECK_UPDATE),
         "\"current\":\"" STORE_HOST_COMMIT "\",\"latest\":"
         "\"" STORE_HOST_COMMIT "\",\"changedBytes\":0");
  store_host_add_commit(&host, NEW_COMMIT);
  store_host_add_file(&host, "config.json", 310, 9, 0);
  // The same content under a second path.
  store_host_add_file(&host, "tokenizer_config.json", 40, 5, 0);
  expect(store_host_do(&host, CHECK_UPDATE),
         "\"current\":\"" STORE_HOST_COMMIT "\",\"latest\":\"" NEW_COMMIT
         "\",\"changedBytes\":350"); // one file is another, one is new
  host.file_bytes = 0;
  const char *done = store_host_do(&host, UPDATE);
  expect(done, "\"updateModel:done\"");
  expect(done, "\"commit\":\"" NEW_COMMIT "\"");
  CHECK_INT(host.file_bytes, 310);
  CHECK(is_stored(&host, STORE_HOST_MODEL "@" NEW_COMMIT "/config.json",
                  hub_file_of(&host, "config.json"), MIB));
  expect(store_host_do(&host, LOOK), "\"ok\":true,\"damaged\":[]");
  store_host_do(&host, FETCH("config.json"));
  CHECK_INT(host.served_len, 310);
  expect(store_host_do(&host, ROLLBACK),
         "\"commit\":\"" STORE_HOST_COMMIT "\"");
  store_host_do(&host, FETCH("config.json"));
  CHECK_INT(host.served_len, 300);
  expect(store_host_do(&host, DELETE), "\"deleteModel:done\"");
  CHECK_INT(host.entry_count, 1);
  store_host_free(&host);
}

// TabAgent's manifest names each dtype by its own graph, after an update, too.
static void test_manifest(void) {
  store_host host;
  model_begin(&host, 1000);
  store_host_do(&host, DOWNLOAD);
  stored_entry *manifest = store_host_find(&host, "manifest", STORE_HOST_MODEL);
  CHECK(manifest != NULL);
  expect((char *)manifest->bytes, "\"" GRAPH "\":{");
  expect((char *)manifest->bytes, "\"status\":\"downloaded\",\"dtype\":"
                                  "\"q4\",\"hasExternalData\":false");
  store_host_add_commit(&host, NEW_COMMIT);
  store_host_add_file(&host, "config.json", 310, 9, 0);
  expect(store_host_do(&host, UPDATE), "\"dtype\":\"q4\"");
  manifest = store_host_find(&host, "manifest", STORE_HOST_MODEL);
  expect((char *)manifest->bytes, "\"dtype\":\"q4\"");
  store_host_free(&host);
}

static void test_quota(void) {
  store_host host;
  model_begin(&host, 1000);
  host.quota = 1000;
  const char *done = store_host_do(&host, DOWNLOAD);
  expect(done, "\"code\":\"quota_exceeded\"");
  expect(done, "\"totalBytes\":1340,\"neededBytes\":1340,\"freeBytes\":1000,"
               "\"quotaBytes\":1000,\"fits\":false");
  CHECK_INT(host.file_fetches, 0);
  expect(store_host_do(&host, STORAGE),
         "\"usedBytes\":0,\"quotaBytes\":1000,\"persisted\":true");
  host.quota = -1;
  expect(store_host_do(&host, STORAGE),
         "\"usedBytes\":null,\"quotaBytes\":null,\"persisted\":null");
  expect(store_host_do(&host, DOWNLOAD), "\"download:done\"");
  store_host_free(&host);
}

// Downloads go one after the other; whatever ends the one, the next begins.
static void test_queue(void) {
  for (unsigned fail = 0; fail < 20; fail++) {
    store_host host;
    model_begin(&host, 1000);
    host.fail_order = fail;
    host.order = 5;
    store_host_start(&host, DOWNLOAD);
    store_host_start(&host,
                     MESSAGE("download", MODEL_MEMBER ",\"dtype\":\"fp32\""));
    store_host_start(&host, MESSAGE("download", MODEL_MEMBER
                                    ",\"dtype\":\"q4\",\"priority\":2"));
    store_host_run(&host);
    for (size_t i = 0; i < host.host.op_count; i++) {
      CHECK_INT(host.host.ops[i].terminals, 1);
    }
    store_host_free(&host);
  }
}

// A download that ends because its time has come lets the next one begin, also
// one that has waited longer.
static void test_queue_in_time(void) {
  store_host host;
  model_begin(&host, 1000);
  host.fault = store_host_file_fault;
  host.fault_kind = HUB_FAULT_SERVER;
  host.fault_from = 4; // three are of the first download
  host.fault_to = 4;
  uint32_t first = store_host_start(&host, DOWNLOAD);
  store_host_start(&host, DOWNLOAD);
  uint32_t last =
      store_host_start(&host, MESSAGE("download", MODEL_MEMBER
                                      ",\"dtype\":\"fp32\",\"priority\":2"));
  while (host.file_fetches < 4) {
    store_host_step(&host);
  }
  CHECK_INT(fake_host_op(&host.host, first)->terminals, 1);
  CHECK_INT(host.order_count, 0);
  // Its second attempt finds no memory.
  host.host.heap.fail_at = host.host.heap.allocations + 1;
  host.host.heap.fail_after = 1;
  while (fake_host_op(&host.host, last)->terminals == 0) {
    store_host_step(&host);
  }
  host.host.heap.fail_at = SIZE_MAX;
  host.host.heap.fail_after = 0;
  store_host_run(&host);
  expect(host.last, "\"download:");
  CHECK_INT(tam_manager_busy(host.host.manager), 0);
  store_host_free(&host);
}

// Cancelled after any number of steps, and gone on with afterwards.
static void test_cancel(void) {
  for (unsigned steps = 0; steps < 60; steps++) {
    store_host host;
    model_begin(&host, 2 * MIB + 500);
    use_small_chunks(&host);
    uint32_t op = store_host_start(&host, DOWNLOAD);
    cancel_after(&host, op, steps);
    CHECK_INT(host.kept_count, 0);
    expect(store_host_do(&host, DOWNLOAD), "\"download:done\"");
    CHECK(graph_is_stored(&host, MIB));
    store_host_free(&host);
  }
}

int main(void) {
  RUN(test_plan);
  RUN(test_download);
  RUN(test_chunks);
  RUN(test_resume);
  RUN(test_faults);
  RUN(test_parts);
  RUN(test_lasting_faults);
  RUN(test_pages);
  RUN(test_pages_without_end);
  RUN(test_api_faults);
  RUN(test_later_page_breaks);
  RUN(test_offline);
  RUN(test_verify);
  RUN(test_serve_damaged);
  RUN(test_only_cached);
  RUN(test_wrong_twice);
  RUN(test_delete);
  RUN(test_delete_dtype);
  RUN(test_pin);
  RUN(test_update);
  RUN(test_manifest);
  RUN(test_quota);
  RUN(test_queue);
  RUN(test_queue_in_time);
  RUN(test_cancel);
  return check_finish();
}
