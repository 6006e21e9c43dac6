// SPDX-License-Identifier: Apache-2.0
#include "store/store_key.h"

#include "check.h"

#define COMMIT "0123456789abcdef0123456789abcdef01234567"

static void test_keys(void) {
  uint8_t space[TAM_STORE_KEY_MAX];
  tam_buf key;
  tam_buf_init_fixed(&key, space, sizeof(space));
  tam_store_key_revision(&key, TAM_SPAN("owner/name"), TAM_SPAN(COMMIT));
  CHECK_SPAN(tam_buf_span(&key), "tabagent:revision/owner/name@" COMMIT);
  tam_buf_reset(&key);
  tam_store_key_file(&key, TAM_SPAN("owner/name/onnx/model.onnx"));
  CHECK_SPAN(tam_buf_span(&key), "tabagent:file/owner/name/onnx/model.onnx");
  tam_buf_reset(&key);
  tam_store_key_chunk(&key, TAM_SPAN("owner/name/onnx/model.onnx"), 0);
  CHECK_SPAN(tam_buf_span(&key), "owner/name/onnx/model.onnx_chunk_0");
  tam_buf_reset(&key);
  tam_store_key_chunk(&key, TAM_SPAN("a"), 65535);
  CHECK_SPAN(tam_buf_span(&key), "a_chunk_65535");
}

static void test_the_longest_keys(void) {
  static uint8_t group[TAM_STORE_GROUP_MAX];
  uint8_t space[TAM_STORE_KEY_MAX];
  tam_buf key;
  memset(group, 'g', sizeof(group));
  tam_buf_init_fixed(&key, space, sizeof(space));
  tam_store_key_chunk(&key, (tam_span){group, sizeof(group)}, UINT32_MAX);
  CHECK_INT(key.error, 0);
  CHECK_INT(key.len, sizeof(group) + strlen("_chunk_4294967295"));
  tam_buf_reset(&key);
  tam_store_key_file(&key, (tam_span){group, sizeof(group)});
  CHECK_INT(key.error, 0);
  tam_buf_reset(&key);
  tam_store_key_revision(&key, (tam_span){group, TAM_REPO_ID_MAX},
                         TAM_SPAN(COMMIT));
  CHECK_INT(key.error, 0);
}

static int read_chunk(const char *key, tam_span *pgroup, double *pchunk) {
  return tam_store_key_read_chunk(tam_span_of(key), pgroup, pchunk);
}

static void test_reading(void) {
  tam_span group;
  double chunk;
  CHECK(read_chunk("a/b/x_chunk_1_chunk_65535", &group, &chunk));
  CHECK_SPAN(group, "a/b/x_chunk_1");
  CHECK(chunk == 65535);
  CHECK(read_chunk("_chunk_0", &group, &chunk));
  CHECK_INT(group.len, 0);
  CHECK(!read_chunk("a/b/x_chunk_", &group, &chunk));
  CHECK(!read_chunk("a/b/x_chunk_1a", &group, &chunk));
  CHECK(!read_chunk("a/b/x_chunk1", &group, &chunk));
  CHECK(!read_chunk("a/b/x_chunk_99999999999999999", &group, &chunk));
  CHECK(!read_chunk("", &group, &chunk));
}

int main(void) {
  RUN(test_keys);
  RUN(test_the_longest_keys);
  RUN(test_reading);
  return check_finish();
}
