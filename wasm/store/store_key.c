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
