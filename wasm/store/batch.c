// SPDX-License-Identifier: Apache-2.0
#include "store/batch.h"

#include "core/json_write.h"

// The text of the operations; the most are deletions of all chunks of a model.
#define JSON_MAX (UINT32_C(32) << 20)

void tam_batch_init(tam_batch *batch, const tam_mem *mem) {
  tam_buf_init(&batch->json, mem, JSON_MAX);
  tam_buf_init(&batch->bytes, mem, TAM_BATCH_BYTES_MAX);
}

void tam_batch_free(tam_batch *batch) {
  tam_buf_free(&batch->json);
  tam_buf_free(&batch->bytes);
}

static void begin(tam_batch *batch, const char *kind, const char *store,
                  tam_span key) {
  tam_json_write_object_begin(&batch->json);
  tam_json_write_name_member(&batch->json, "kind", kind);
  tam_json_write_name_member(&batch->json, "store", store);
  tam_json_write_string_member(&batch->json, "key", key);
}

static void write_bytes(tam_batch *batch, tam_span bytes) {
  tam_json_write_number_member(&batch->json, "bytes", (double)bytes.len);
  tam_buf_append(&batch->bytes, bytes);
}

void tam_batch_put(tam_batch *batch, tam_span key, tam_span bytes) {
  begin(batch, "record", TAM_STORE_FILES, key);
  write_bytes(batch, bytes);
  tam_json_write_object_end(&batch->json);
}

void tam_batch_put_content(tam_batch *batch, tam_span key, tam_span bytes,
                           const char *type) {
  begin(batch, "content", TAM_STORE_FILES, key);
  tam_json_write_name_member(&batch->json, "type", type);
  write_bytes(batch, bytes);
  tam_json_write_object_end(&batch->json);
}

void tam_batch_put_bodies(tam_batch *batch, tam_span key,
                          const tam_action_node *parts, uint32_t request) {
  begin(batch, "content", TAM_STORE_FILES, key);
  tam_json_write_key(&batch->json, "bodies");
  tam_json_write_array_begin(&batch->json);
  for (; parts != NULL; parts = parts->next) {
    tam_json_write_number(&batch->json, parts->action.request);
  }
  tam_json_write_number(&batch->json, request);
  tam_json_write_array_end(&batch->json);
  tam_json_write_object_end(&batch->json);
}

void tam_batch_move(tam_batch *batch, tam_span key, tam_span from) {
  begin(batch, "content", TAM_STORE_FILES, key);
  tam_json_write_string_member(&batch->json, "from", from);
  tam_json_write_object_end(&batch->json);
  tam_batch_delete(batch, TAM_STORE_FILES, from);
}

void tam_batch_delete(tam_batch *batch, const char *store, tam_span key) {
  begin(batch, "delete", store, key);
  tam_json_write_object_end(&batch->json);
}

void tam_batch_merge(tam_batch *batch, const char *store, tam_span key,
                     tam_span patch) {
  begin(batch, "merge", store, key);
  write_bytes(batch, patch);
  tam_json_write_object_end(&batch->json);
}
