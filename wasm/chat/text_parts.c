// SPDX-License-Identifier: Apache-2.0
#include "chat/text_parts.h"

void tam_text_parts_init(tam_text_parts *parts, const tam_mem *mem,
                         size_t max) {
  tam_buf_init(&parts->text, mem, max);
  tam_buf_init(&parts->list, mem, max * sizeof(tam_text_part));
}

void tam_text_parts_free(tam_text_parts *parts) {
  tam_buf_free(&parts->text);
  tam_buf_free(&parts->list);
}

void tam_text_parts_reset(tam_text_parts *parts) {
  tam_buf_reset(&parts->text);
  tam_buf_reset(&parts->list);
}

size_t tam_text_parts_count(const tam_text_parts *parts) {
  return parts->list.len / sizeof(tam_text_part);
}

static tam_text_part *part_at(const tam_text_parts *parts, size_t index) {
  return (tam_text_part *)(void *)parts->list.data + index;
}

void tam_text_parts_add(tam_text_parts *parts, tam_text_kind kind,
                        tam_span text) {
  size_t count = tam_text_parts_count(parts);
  tam_buf_append(&parts->text, text);
  if (text.len == 0 || parts->text.error != 0) {
    return;
  }
  if (count > 0 && part_at(parts, count - 1)->kind == (uint32_t)kind) {
    part_at(parts, count - 1)->len += (uint32_t)text.len;
    return;
  }
  tam_text_part part = {kind, (uint32_t)text.len};
  tam_buf_append(&parts->list,
                 (tam_span){(const uint8_t *)&part, sizeof(part)});
}

tam_span tam_text_parts_at(const tam_text_parts *parts, size_t index,
                           tam_text_kind *pkind) {
  size_t start = 0;
  for (size_t i = 0; i < index; i++) {
    start += part_at(parts, i)->len;
  }
  const tam_text_part *part = part_at(parts, index);
  *pkind = (tam_text_kind)part->kind;
  return tam_span_head(tam_span_from(tam_buf_span(&parts->text), start),
                       part->len);
}

int tam_text_parts_error(const tam_text_parts *parts) {
  return parts->text.error != 0 ? parts->text.error : parts->list.error;
}
