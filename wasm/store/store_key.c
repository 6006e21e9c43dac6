// SPDX-License-Identifier: Apache-2.0
#include "store/store_key.h"

#include "core/json_write.h"

void tam_store_key_revision(tam_buf *key, tam_span repo, tam_span commit) {
  tam_buf_append_text(key, TAM_KEY_REVISION);
  tam_buf_append(key, repo);
  tam_buf_append_byte(key, '@');
  tam_buf_append(key, commit);
}

void tam_store_key_file(tam_buf *key, tam_span group) {
  tam_buf_append_text(key, TAM_KEY_FILE);
  tam_buf_append(key, group);
}

void tam_store_key_chunk(tam_buf *key, tam_span group, uint32_t chunk) {
  tam_buf_append(key, group);
  tam_buf_append_text(key, TAM_KEY_CHUNK);
  tam_text_append_number(key, chunk);
}

void tam_store_key_manifest(tam_buf *key, tam_span group) {
  tam_buf_append(key, group);
  tam_buf_append_text(key, TAM_KEY_MANIFEST);
}

int tam_store_key_read_chunk(tam_span key, tam_span *pgroup, double *pchunk) {
  size_t len = key.len;
  while (len > 0 && key.ptr[len - 1] >= '0' && key.ptr[len - 1] <= '9') {
    len--;
  }
  tam_span head = tam_span_head(key, len);
  if (!tam_span_ends_with(head, TAM_SPAN(TAM_KEY_CHUNK)) ||
      !tam_span_to_uint(tam_span_from(key, len), pchunk)) {
    return 0;
  }
  *pgroup = tam_span_head(head, len - (sizeof(TAM_KEY_CHUNK) - 1));
  return 1;
}
