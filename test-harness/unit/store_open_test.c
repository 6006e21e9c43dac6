// SPDX-License-Identifier: Apache-2.0
// Stored files as the host has them open: right in every byte, or an error.
#include "store_damage.h"

static const size_t pieces[] = {0, 4096, 257};

static int is_served(const store_host *host, const hub_file *file) {
  return host->served_len == file->size &&
         memcmp(host->served, file->bytes, file->size) == 0;
}

// All of it, in whichever pieces it is read; without the Hub.
static void test_whole(void) {
  for (size_t i = 0; i < sizeof(pieces) / sizeof(pieces[0]); i++) {
    store_host host;
    stored_begin(&host);
    host.is_offline = 1;
    host.piece = pieces[i];
    const char *done = store_host_do(&host, OPEN(GRAPH));
    expect(done, "\"openFile:done\"");
    expect(done, "\"commit\":\"" STORE_HOST_COMMIT "\",\"bytes\":2097652");
    CHECK(is_served(&host, hub_file_of(&host, GRAPH)));
    CHECK(store_host_find(&host, "files", "tabagent:used/" STORE_HOST_MODEL) !=
          NULL);
    store_host_free(&host);
  }
}

// An open file is right: the damaged chunk is fetched again, and one that is
// gone makes the file one that is not stored.
static void test_damaged(void) {
  for (size_t i = 0; i < sizeof(damage_kinds) / sizeof(damage_kinds[0]); i++) {
    store_host host;
    stored_begin(&host);
    damage_kinds[i].inflict(&host);
    const char *done =
        store_host_do(&host, OPEN_WITH(GRAPH, ",\"repair\":false"));
    if (damage_kinds[i].damaged == 0) {
      expect(done, "\"openFile:done\"");
    } else {
      expect(done, "\"openFile:error\"");
      CHECK_INT(host.served_len, 0);
    }
    CHECK_INT(host.file_bytes, 0);
    done = store_host_do(&host, OPEN(GRAPH));
    if (strstr(done, "\"not_stored\"") == NULL) {
      expect(done, "\"openFile:done\"");
      CHECK(is_served(&host, hub_file_of(&host, GRAPH)));
      // Of two that are swapped the second one is known to be wrong only when
      // the whole file is.
      CHECK(damage_kinds[i].damaged > 1 ||
            host.file_bytes <= damage_kinds[i].bytes_max);
      expect(store_host_do(&host, LOOK), "\"ok\":true");
    } else {
      CHECK(damage_kinds[i].damaged > 0);
    }
    store_host_free(&host);
  }
}

// Each byte of a block counts, also those at its borders.
static void test_flipped(void) {
  static const size_t places[] = {0, 1, MIB - 1, MIB - 2};
  for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
    store_host host;
    stored_begin(&host);
    damage(&host, GRAPH_CHUNK_1, places[i]);
    host.piece = 4096;
    expect(store_host_do(&host, OPEN_WITH(GRAPH, ",\"repair\":false")),
           "\"code\":\"store_damaged\"");
    expect(store_host_do(&host, OPEN(GRAPH)), "\"openFile:done\"");
    CHECK(is_served(&host, hub_file_of(&host, GRAPH)));
    CHECK_INT(host.file_bytes, MIB);
    store_host_free(&host);
  }
}

// Without a look at the bytes a length that is wrong is noticed all the same.
static void test_unread(void) {
  store_host host;
  stored_begin(&host);
  damage_byte(&host);
  unsigned orders_before = host.storage_orders;
  const char *done =
      store_host_do(&host, OPEN_WITH(GRAPH, ",\"verify\":false"));
  expect(done, "\"openFile:done\"");
  CHECK(host.storage_orders <= orders_before + 5); // no chunk is read
  CHECK_INT(host.served_len, hub_file_of(&host, GRAPH)->size);
  damage_length(&host);
  done = store_host_do(&host,
                       OPEN_WITH(GRAPH, ",\"verify\":false,\"repair\":false"));
  expect(done, "\"code\":\"store_damaged\"");
  done = store_host_do(&host, OPEN_WITH(GRAPH, ",\"verify\":false"));
  expect(done, "\"openFile:done\"");
  CHECK(is_served(&host, hub_file_of(&host, GRAPH)));
  store_host_free(&host);
}

static void test_not_stored(void) {
  store_host host;
  model_begin(&host, 1000);
  expect(store_host_do(&host, OPEN(GRAPH)), "\"code\":\"not_stored\"");
  store_host_do(&host, DOWNLOAD);
  expect(store_host_do(&host, OPEN("onnx/model.onnx")),
         "\"code\":\"not_stored\"");
  expect(store_host_do(&host, OPEN("none.json")), "\"code\":\"not_stored\"");
  expect(store_host_do(&host, MESSAGE("openFile", MODEL_MEMBER)),
         "\"code\":\"not_stored\"");
  expect(store_host_do(&host, MESSAGE("openFile", "\"path\":\"a\"")),
         "\"code\":\"invalid_params\"");
  expect(store_host_do(&host, OPEN_WITH(GRAPH, ",\"revision\":\"other\"")),
         "\"code\":\"not_stored\"");
  expect(
      store_host_do(
          &host, OPEN_WITH(GRAPH, ",\"revision\":\"" STORE_HOST_COMMIT "\"")),
      "\"openFile:done\"");
  CHECK(is_served(&host, hub_file_of(&host, GRAPH)));
  store_host_free(&host);
}

// Whatever the storage fails at, and whenever it is cancelled, nothing stays.
static void test_fails(void) {
  int is_over = 0;
  for (unsigned n = 1; !is_over; n++) {
    store_host host;
    stored_begin(&host);
    damage_byte(&host);
    host.fail_order = host.storage_orders + n;
    const char *done = store_host_do(&host, OPEN(GRAPH));
    is_over = host.storage_orders < host.fail_order;
    expect(done, "\"openFile:");
    CHECK_INT(host.opened_count, 0);
    CHECK(host.served_len == 0 || is_served(&host, hub_file_of(&host, GRAPH)));
    store_host_free(&host);
  }
}

static void test_cancelled(void) {
  for (unsigned steps = 0; steps < 30; steps++) {
    store_host host;
    stored_begin(&host);
    damage_byte(&host);
    uint32_t op = store_host_start(&host, OPEN(GRAPH));
    cancel_after(&host, op, steps);
    CHECK_INT(host.opened_count, 0);
    CHECK_INT(host.kept_count, 0);
    // What a repair has begun, a download completes.
    expect(store_host_do(&host, DOWNLOAD), "\"download:done\"");
    expect(store_host_do(&host, OPEN(GRAPH)), "\"openFile:done\"");
    CHECK(is_served(&host, hub_file_of(&host, GRAPH)));
    store_host_free(&host);
  }
}

int main(void) {
  RUN(test_whole);
  RUN(test_damaged);
  RUN(test_flipped);
  RUN(test_unread);
  RUN(test_not_stored);
  RUN(test_fails);
  RUN(test_cancelled);
  return check_finish();
}
