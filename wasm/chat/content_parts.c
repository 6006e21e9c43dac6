// SPDX-License-Identifier: Apache-2.0
// Texts are never decoded: what stands between their quotes is put between
// those of another string.
#include "chat/content_parts.h"

#include "chat/json_walk.h"

static int is_string(tam_span value) {
  return value.len > 0 && value.ptr[0] == '"';
}

// Returns the text of |part| with its quotes, or nothing when it is none; then
// |*ptype| is its type.
static tam_span text_of(tam_span part, tam_span *ptype) {
  *ptype = TAM_SPAN_NONE;
  if (part.len == 0 || part.ptr[0] != '{') {
    return TAM_SPAN_NONE;
  }
  *ptype = tam_json_walk_member(part, "type");
  tam_span text = tam_json_walk_member(part, "text");
  return tam_json_raw_is(*ptype, "text") && is_string(text) ? text
                                                            : TAM_SPAN_NONE;
}

int tam_content_parts_join(tam_span content, tam_buf *out,
                           tam_content_flaw *pflaw) {
  tam_json_walk walk;
  tam_span key;
  tam_span part;
  pflaw->index = 0;
  tam_buf_append_byte(out, '"');
  tam_json_walk_begin(&walk, content);
  while (tam_json_walk_next(&walk, &key, &part)) {
    tam_span text = text_of(part, &pflaw->type);
    if (text.len == 0) {
      return TAM_ERR_UNEXPECTED_SHAPE;
    }
    tam_buf_append_text(out, pflaw->index > 0 ? "\\n" : "");
    tam_buf_append(out, tam_span_head(tam_span_from(text, 1), text.len - 2));
    pflaw->index++;
  }
  tam_buf_append_byte(out, '"');
  return 0;
}

void tam_content_parts_wrap(tam_span content, tam_buf *out) {
  tam_buf_append_text(out, "[{\"type\":\"text\",\"text\":");
  tam_buf_append(out, content);
  tam_buf_append_text(out, "}]");
}
