// SPDX-License-Identifier: Apache-2.0
// Descriptions of sessions for the tests of their plans, short. A value is
//
//   name:type[dimension,...]
//
// with a blank behind; dimensions that begin with a digit are numbers, "?" is
// one without a name, and "+" stands for a blank in a name.
#ifndef TAM_TEST_SESSION_NOTATION_H
#define TAM_TEST_SESSION_NOTATION_H

#include "chat/session_plan.h"
#include "core/json_write.h"

#include "check.h"

#define JSON_MAX 65536

#define IDS "input_ids:int64[batch_size,sequence_length] "
#define MASK                                                                   \
  "attention_mask:int64[batch_size,past_sequence_length+++sequence_length] "
#define POSITIONS "position_ids:int64[batch_size,sequence_length] "
#define LOGITS    "logits:float32[batch_size,sequence_length,320] "
#define KV        "[batch_size,2,past_sequence_length,8] "
#define KV_NEXT   "[batch_size,2,past_sequence_length+++sequence_length,8] "

// What the configuration says; each number stands in one place.
static const tam_session_sizes plan_sizes = {
    .kv_heads = 3,
    .head_dim = 16,
    .encoder_heads = 13,
    .encoder_head_dim = 14,
    .conv_channels = 48,
    .conv_kernel = 5,
    .ssm_heads = 6,
    .ssm_head_dim = 7,
    .ssm_state = 9,
    .recurrent_heads = 10,
    .recurrent_key_dim = 11,
    .recurrent_value_dim = 12,
};

// ---------------------------------------------------------------------------
// From the notation to metadata

static inline const char *take_until(const char *text, const char *ends,
                                     tam_span *ppart) {
  size_t len = strcspn(text, ends);
  *ppart = (tam_span){(const uint8_t *)text, len};
  return text + len + 1;
}

static inline void write_name(tam_buf *json, tam_span name) {
  char text[128] = {0};
  CHECK(name.len < sizeof(text));
  for (size_t i = 0; i < name.len; i++) {
    text[i] = name.ptr[i] == '+' ? ' ' : (char)name.ptr[i];
  }
  tam_json_write_string(json, tam_span_of(text));
}

static inline void write_dim(tam_buf *json, tam_span dim) {
  if (tam_span_is(dim, "?")) {
    tam_json_write_number(json, 4294967295.0);
  } else if (dim.ptr[0] >= '0' && dim.ptr[0] <= '9') {
    tam_json_write_number(json, atoi((const char *)dim.ptr));
  } else {
    write_name(json, dim);
  }
}

static inline void write_values(tam_buf *json, const char *values) {
  tam_json_write_array_begin(json);
  while (*values != '\0') {
    tam_span part;
    tam_json_write_object_begin(json);
    values = take_until(values, ":", &part);
    tam_json_write_string_member(json, "name", part);
    values = take_until(values, "[", &part);
    tam_json_write_string_member(json, "type", part);
    tam_json_write_key(json, "shape");
    tam_json_write_array_begin(json);
    while (values[-1] != ']') {
      values = take_until(values, ",]", &part);
      if (part.len > 0) {
        write_dim(json, part);
      }
    }
    tam_json_write_array_end(json);
    tam_json_write_object_end(json);
    values++; // the blank
  }
  tam_json_write_array_end(json);
}

static inline tam_buf metadata_of(const char *inputs, const char *outputs,
                                  const tam_mem *mem) {
  tam_buf json;
  tam_buf_init(&json, mem, JSON_MAX);
  tam_json_write_object_begin(&json);
  tam_json_write_key(&json, "inputs");
  write_values(&json, inputs);
  tam_json_write_key(&json, "outputs");
  write_values(&json, outputs);
  tam_json_write_object_end(&json);
  CHECK_INT(json.error, 0);
  return json;
}

// ---------------------------------------------------------------------------
// From the plan to the notation

static inline void put_text(tam_buf *text, const char *part) {
  tam_buf_append_text(text, part);
}

static inline void put_number(tam_buf *text, long long number) {
  char digits[24];
  snprintf(digits, sizeof(digits), "%lld", number);
  tam_buf_append_text(text, digits);
}

static inline void put_feeds(tam_buf *text, const tam_session_plan *plan) {
  static const char *const meanings[] = {"ids",  "mask",   "positions",
                                         "keep", "branch", "encoder_mask"};
  const tam_session_feed *feed;
  for (size_t i = 0; (feed = tam_session_plan_get_feed(plan, i)) != NULL; i++) {
    tam_buf_append(text, feed->name);
    put_text(text, "=");
    put_text(text, meanings[feed->meaning]);
    put_text(text, ":");
    put_text(text, tam_element_name(feed->element));
    put_text(text, "/");
    put_number(text, feed->rank);
    if (feed->planes > 0) {
      put_text(text, "*");
      put_number(text, feed->planes);
    }
    put_text(text, " ");
  }
}

static inline void put_cache(tam_buf *text, const tam_session_cache *cache) {
  static const char *const kinds[] = {"kv",  "encoder",   "conv",
                                      "ssm", "recurrent", "other"};
  tam_buf_append(text, cache->input);
  put_text(text, "<-");
  tam_buf_append(text, cache->output);
  put_text(text, ":");
  put_text(text, kinds[cache->kind]);
  put_text(text, ":");
  put_text(text, tam_element_name(cache->element));
  for (uint32_t i = 0; i < cache->rank; i++) {
    put_text(text, i == 0 ? "[" : ",");
    put_number(text, cache->dims[i]);
  }
  put_text(text, "]b");
  put_number(text, cache->batch_axis);
  put_text(text, "s");
  if (cache->sequence_axis < 0) {
    put_text(text, "-");
  } else {
    put_number(text, cache->sequence_axis);
  }
  put_text(text, " ");
}

static inline void put_facts(tam_buf *text, const tam_session_facts *facts) {
  tam_buf_append(text, facts->output);
  put_text(text, ":");
  put_text(text, tam_element_name(facts->element));
  put_text(text, ",");
  put_number(text, facts->vocab);
  put_text(text, facts->can_cut ? " cut" : "");
  put_text(text, facts->can_gather ? " gather" : "");
  if (facts->rows > 0) {
    put_text(text, " rows");
    put_number(text, facts->rows);
  }
  if (facts->tokens > 0) {
    put_text(text, " tokens");
    put_number(text, facts->tokens);
  }
}

// Compares |text|, which is freed, with |expected|.
static inline void check_text(tam_buf text, const char *what,
                              const char *expected) {
  CHECK_INT(text.error, 0);
  int is_same = tam_span_eq(tam_buf_span(&text), tam_span_of(expected));
  CHECK(is_same);
  if (!is_same) {
    printf("%s:\n  is       %.*s\n  expected %s\n", what, (int)text.len,
           (const char *)text.data, expected);
  }
  tam_buf_free(&text);
}

static inline tam_buf text_begin(const tam_mem *mem) {
  tam_buf text;
  tam_buf_init(&text, mem, JSON_MAX);
  tam_buf_grow(&text, 0);
  return text;
}

// Makes the plan of |metadata|, which is freed; says why not in |problem|.
static inline int plan_of(tam_session_plan **pplan, tam_buf metadata,
                          tam_session_role role, tam_buf *problem,
                          const tam_mem *mem) {
  int error = tam_session_plan_new(pplan, tam_buf_span(&metadata), role,
                                   &plan_sizes, problem, mem);
  // A plan that still points there would read this.
  memset(metadata.data, 'x', metadata.len);
  tam_buf_free(&metadata);
  return error;
}

#endif // TAM_TEST_SESSION_NOTATION_H
