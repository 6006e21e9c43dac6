// SPDX-License-Identifier: Apache-2.0
// A small model on the Hub of store_host.h, and questions about what became of
// it, for the tests of the store's operations.
#ifndef TAM_TEST_STORE_MODEL_H
#define TAM_TEST_STORE_MODEL_H

#include "store/file_record.h"
#include "store_host.h"

#define MIB (UINT32_C(1) << 20)

// The bytes of the files that q4 needs, without the graph.
#define SMALL_BYTES (300 + 40)

#define MESSAGE(action, members)                                               \
  "{\"action\":\"" action "\",\"id\":7,\"params\":{" members "}}"
#define MODEL_MEMBER "\"modelId\":\"" STORE_HOST_MODEL "\""

#define PLAN         MESSAGE("plan", MODEL_MEMBER ",\"dtype\":\"q4\"")
#define DOWNLOAD     MESSAGE("download", MODEL_MEMBER ",\"dtype\":\"q4\"")
#define VERIFY       MESSAGE("verifyModel", MODEL_MEMBER)
#define LOOK         MESSAGE("verifyModel", MODEL_MEMBER ",\"repair\":false")
#define DELETE       MESSAGE("deleteModel", MODEL_MEMBER)
#define CHECK_UPDATE MESSAGE("checkForUpdate", MODEL_MEMBER)
#define UPDATE       MESSAGE("updateModel", MODEL_MEMBER)
#define ROLLBACK     MESSAGE("rollbackModel", MODEL_MEMBER)
#define PIN          MESSAGE("pinModel", MODEL_MEMBER ",\"pinned\":true")
#define UNPIN        MESSAGE("pinModel", MODEL_MEMBER ",\"pinned\":false")
#define MODELS       MESSAGE("models", "")
#define STORAGE      MESSAGE("storage", "")

#define URL(path) STORE_HOST_URL "/" STORE_HOST_MODEL "/resolve/main/" path
#define FETCH_WITH(path, members)                                              \
  MESSAGE("fetchFile", "\"url\":\"" URL(path) "\"" members)
#define FETCH(path)           FETCH_WITH(path, "")
#define FETCH_AS(path, token) FETCH_WITH(path, ",\"hfToken\":\"" token "\"")

#define STORE_FILE(path) MESSAGE("storeFile", "\"url\":\"" URL(path) "\"")

#define OPEN_WITH(path, members)                                               \
  MESSAGE("openFile", MODEL_MEMBER ",\"path\":\"" path "\"" members)
#define OPEN(path) OPEN_WITH(path, "")

#define GRAPH         "onnx/model_q4.onnx"
#define GRAPH_CHUNK_0 STORE_HOST_MODEL "/" GRAPH "_chunk_0"
#define GRAPH_CHUNK_1 STORE_HOST_MODEL "/" GRAPH "_chunk_1"
#define GRAPH_CHUNK_2 STORE_HOST_MODEL "/" GRAPH "_chunk_2"
#define GRAPH_RECORD  "tabagent:file/" STORE_HOST_MODEL "/" GRAPH
#define REVISION_RECORD                                                        \
  "tabagent:revision/" STORE_HOST_MODEL "@" STORE_HOST_COMMIT

static inline void expect(const char *text, const char *part) {
  check_count++;
  if (text == NULL || strstr(text, part) == NULL) {
    check_failures++;
    printf("\"%s\" is not in %s\n", part, text);
  }
}

static inline void expect_not(const char *text, const char *part) {
  check_count++;
  if (text == NULL || strstr(text, part) != NULL) {
    check_failures++;
    printf("\"%s\" is in %s\n", part, text);
  }
}

// A Hub with a model whose graph has |graph_size| bytes.
static inline void model_begin(store_host *host, size_t graph_size) {
  memset(host, 0, sizeof(*host));
  CHECK_INT(store_host_init(host), 0);
  store_host_add_file(host, "README.md", 50, 1, 0);
  store_host_add_file(host, "config.json", 300, 2, 0);
  store_host_add_file(host, GRAPH, graph_size, 3, 1);
  store_host_add_file(host, "onnx/model.onnx", 5000, 4, 1);
  store_host_add_file(host, "tokenizer.json", 40, 5, 0);
}

static inline hub_file *hub_file_of(store_host *host, const char *path) {
  return store_host_find_file(&host->commits[host->main], path);
}

// Has the graph come in chunks of one MiB: its journal is there already.
static inline void use_small_chunks(store_host *host) {
  const hub_file *file = hub_file_of(host, GRAPH);
  tam_mem mem = tam_mem_default();
  tam_file_record record;
  tam_content_hash hash;
  uint8_t digest[TAM_CONTENT_DIGEST_MAX];
  tam_buf saved;
  tam_content_hash_init(&hash, TAM_FILE_HASH_SHA256, file->size);
  tam_content_hash_update(&hash, (tam_span){file->bytes, file->size});
  tam_content_hash_final(&hash, digest);
  CHECK_INT(tam_file_record_init(&record, file->size, MIB, TAM_FILE_HASH_SHA256,
                                 digest, &mem),
            0);
  tam_buf_init(&saved, &mem, TAM_FILE_RECORD_MAX);
  tam_file_record_save(&record, &saved);
  store_host_put(host, "files", GRAPH_RECORD, tam_buf_span(&saved), 0);
  tam_buf_free(&saved);
  tam_file_record_free(&record);
}

// Returns 1 when the chunks that are stored are, put together, |file|.
static inline int is_stored(const store_host *host, const char *group,
                            const hub_file *file, size_t chunk_size) {
  size_t at = 0;
  for (unsigned i = 0; at < file->size; i++) {
    char key[512];
    snprintf(key, sizeof(key), "%s_chunk_%u", group, i);
    const stored_entry *entry = store_host_find(host, "files", key);
    size_t len = file->size - at < chunk_size ? file->size - at : chunk_size;
    if (entry == NULL || !entry->is_content || entry->size != len ||
        memcmp(entry->bytes, file->bytes + at, len) != 0) {
      return 0;
    }
    at += len;
  }
  return 1;
}

static inline int graph_is_stored(store_host *host, size_t chunk_size) {
  return is_stored(host, STORE_HOST_MODEL "/" GRAPH, hub_file_of(host, GRAPH),
                   chunk_size);
}

static inline void damage(store_host *host, const char *key, size_t at) {
  stored_entry *entry = store_host_find(host, "files", key);
  CHECK(entry != NULL);
  if (entry != NULL) {
    entry->bytes[at] ^= 1;
  }
}

// Goes on for |steps| and cancels |op|, unless it has ended.
static inline void cancel_after(store_host *host, uint32_t op, unsigned steps) {
  for (unsigned i = 0; i < steps; i++) {
    store_host_step(host);
  }
  tam_event cancel = {.kind = TAM_EVENT_CANCEL, .op = op};
  if (fake_host_op(&host->host, op)->terminals == 0) {
    CHECK_INT(fake_host_feed(&host->host, &cancel), 0);
    expect(host->last, "\"code\":\"cancelled\"");
  }
}

#endif // TAM_TEST_STORE_MODEL_H
