// SPDX-License-Identifier: Apache-2.0
// Lets JavaScript ask what the inputs of a session mean: the role, the number
// of heads with a cache and the size of a head in decimal digits, with blanks
// between and a line feed behind, then the metadata as JSON, on standard input.
// The answer on standard output, with NUL behind, is the plan as JSON, or
// {"problem":...}.
#include "chat/session_plan.h"
#include "core/json_write.h"

#include <stdio.h>

#define TEXT_MAX 65536

static void write_feeds(const tam_session_plan *plan, tam_buf *json) {
  const tam_session_feed *feed;
  tam_json_write_key(json, "feeds");
  tam_json_write_array_begin(json);
  for (size_t i = 0; (feed = tam_session_plan_get_feed(plan, i)) != NULL; i++) {
    tam_json_write_object_begin(json);
    tam_json_write_string_member(json, "name", feed->name);
    tam_json_write_number_member(json, "meaning", feed->meaning);
    tam_json_write_name_member(json, "type", tam_element_name(feed->element));
    tam_json_write_number_member(json, "rank", feed->rank);
    tam_json_write_object_end(json);
  }
  tam_json_write_array_end(json);
}

static void write_plan(const tam_session_plan *plan, tam_buf *json) {
  const tam_session_facts *facts = tam_session_plan_get_facts(plan);
  tam_json_write_object_begin(json);
  tam_json_write_string_member(json, "output", facts->output);
  tam_json_write_number_member(json, "vocab", facts->vocab);
  tam_json_write_key(json, "canCut");
  tam_json_write_bool(json, facts->can_cut);
  write_feeds(plan, json);
  tam_json_write_key(json, "cache");
  tam_session_plan_write_cache(plan, 1, json);
  tam_json_write_key(json, "first");
  tam_session_plan_write_keep(plan, 1, json);
  tam_json_write_key(json, "later");
  tam_session_plan_write_keep(plan, 0, json);
  tam_json_write_key(json, "axes");
  tam_session_plan_write_cut_axes(plan, json);
  tam_json_write_object_end(json);
}

static void answer(tam_session_role role, const tam_session_sizes *sizes,
                   tam_span metadata) {
  tam_mem mem = tam_mem_default();
  tam_buf json;
  tam_buf problem;
  tam_session_plan *plan = NULL;
  tam_buf_init(&json, &mem, TEXT_MAX);
  tam_buf_init(&problem, &mem, TEXT_MAX);
  int error =
      tam_session_plan_new(&plan, metadata, role, sizes, &problem, &mem);
  if (error == 0) {
    write_plan(plan, &json);
  } else {
    tam_json_write_object_begin(&json);
    tam_json_write_string_member(&json, "problem", tam_buf_span(&problem));
    tam_json_write_object_end(&json);
  }
  fwrite(json.data, 1, json.len, stdout);
  putchar('\0');
  tam_session_plan_del(plan);
  tam_buf_free(&json);
  tam_buf_free(&problem);
}

int main(void) {
  static uint8_t text[TEXT_MAX];
  unsigned role;
  tam_session_sizes sizes = {0};
  if (scanf("%u %u %u", &role, &sizes.kv_heads, &sizes.head_dim) != 3) {
    return 1;
  }
  size_t len = fread(text, 1, sizeof(text), stdin);
  answer((tam_session_role)role, &sizes, (tam_span){text, len});
  return 0;
}
