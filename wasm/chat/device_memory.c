// SPDX-License-Identifier: Apache-2.0
#include "chat/device_memory.h"

#include "core/json_write.h"
#include "core/names.h"
#include "core/repo_id.h"

// The longest name of a failure: a model, a dtype, a rung.
#define NAME_MAX (TAM_REPO_ID_MAX + 64)

// How much of a reason is kept.
#define REASON_MAX 160

const char *tam_rung_name(tam_rung rung) {
  return tam_names_at("webgpu\0"
                      "wasm with threads\0"
                      "wasm\0",
                      rung);
}

static tam_span name_of(const tam_device_case *what, tam_rung rung,
                        uint8_t text[NAME_MAX]) {
  tam_buf name;
  tam_buf_init_fixed(&name, text, NAME_MAX);
  tam_buf_append(&name, what->model);
  tam_buf_append_byte(&name, ' ');
  tam_buf_append(&name, tam_span_head(what->dtype, 16));
  tam_buf_append_byte(&name, ' ');
  tam_buf_append_text(&name, tam_rung_name(rung));
  return tam_buf_span(&name);
}

static int is_same_machine(const tam_json_node *memory,
                           const tam_device_case *what) {
  return tam_span_eq(
      tam_json_get_string(tam_json_get_member(memory, TAM_SPAN("machine"))),
      what->machine);
}

static const tam_json_node *failures(const tam_json_node *memory) {
  return tam_json_get_member(memory, TAM_SPAN("failed"));
}

const char *tam_device_memory_find(const tam_json_node *memory,
                                   const tam_device_case *what, tam_rung rung) {
  uint8_t text[NAME_MAX];
  const tam_json_node *found =
      tam_json_get_member(failures(memory), name_of(what, rung, text));
  return tam_json_get_kind(found) == TAM_JSON_KIND_STRING &&
                 is_same_machine(memory, what)
             ? tam_json_get_text(found)
             : NULL;
}

// Takes away what is known of another machine, or too much.
static void write_forgotten(const tam_json_node *memory,
                            const tam_device_case *what, tam_buf *json) {
  size_t count = 0;
  const tam_json_node *at = tam_json_get_first(failures(memory));
  for (; at != NULL; at = tam_json_get_next(at)) {
    count++;
  }
  if (!is_same_machine(memory, what) || count >= TAM_DEVICE_MEMORY_MAX) {
    at = tam_json_get_first(failures(memory));
    for (; at != NULL; at = tam_json_get_next(at)) {
      tam_json_write_string(json, tam_json_get_key(at));
      tam_buf_append_text(json, ":null");
    }
  }
}

void tam_device_memory_write_patch(const tam_json_node *memory,
                                   const tam_device_case *what,
                                   const tam_span reasons[TAM_RUNG_COUNT],
                                   tam_rung works, tam_buf *json) {
  uint8_t text[NAME_MAX];
  tam_json_write_object_begin(json);
  tam_json_write_string_member(json, "machine", what->machine);
  tam_json_write_member_begin(json, "failed");
  write_forgotten(memory, what, json);
  for (tam_rung rung = TAM_RUNG_WEBGPU; rung < TAM_RUNG_COUNT; rung++) {
    if (reasons[rung].len > 0 || rung == works) {
      tam_json_write_string(json, name_of(what, rung, text));
      tam_buf_append_byte(json, ':');
      if (rung == works) {
        tam_json_write_null(json);
      } else {
        tam_json_write_string(json,
                              tam_span_head_utf8(reasons[rung], REASON_MAX));
      }
    }
  }
  tam_json_write_object_end(json);
  tam_json_write_object_end(json);
}
