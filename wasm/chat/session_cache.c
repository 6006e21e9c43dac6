// SPDX-License-Identifier: Apache-2.0
#include "chat/session_cache.h"

#include "core/names.h"

// ---------------------------------------------------------------------------
// Names

// What of an output's name becomes what of the input's; the first that occurs
// counts.
static const char renamed_from[] = "present_ssm\0"
                                   "present_conv\0"
                                   "present_recurrent\0"
                                   "present_compressor\0"
                                   "present_indexer\0"
                                   "present\0";
static const char renamed_to[] = "past_ssm\0"
                                 "past_conv\0"
                                 "past_recurrent\0"
                                 "past_compressor\0"
                                 "past_indexer\0"
                                 "past_key_values\0";

// Returns 1 when |text| with its first |from| replaced by |to| is |wanted|.
static int becomes(tam_span text, const char *from, const char *to,
                   tam_span wanted) {
  tam_span old = tam_span_of(from);
  tam_span fresh = tam_span_of(to);
  size_t at = tam_span_find_nocase(text, old);
  return at < text.len &&
         tam_span_eq(tam_span_head(text, at), tam_span_head(wanted, at)) &&
         tam_span_starts_with(tam_span_from(wanted, at), fresh) &&
         tam_span_eq(tam_span_from(text, at + old.len),
                     tam_span_from(wanted, at + fresh.len));
}

int tam_session_cache_is_present(tam_span name, tam_span input) {
  int rule = tam_names_find_within(renamed_from, name);
  return rule >= 0 && (becomes(name, tam_names_at(renamed_from, (size_t)rule),
                               tam_names_at(renamed_to, (size_t)rule), input) ||
                       // present_0 to past_0, as of older exporters.
                       becomes(name, "present", "past", input));
}

static int has_word(tam_span name, const char *word) {
  return tam_span_find_nocase(name, tam_span_of(word)) < name.len;
}

static tam_cache_kind cache_kind(tam_span name) {
  static const char words[] = ".encoder.\0"
                              "conv\0"
                              "ssm\0"
                              "recurrent\0"
                              "compressor\0"
                              "indexer\0"
                              "state\0";
  static const uint8_t kinds[] = {
      TAM_CACHE_ENCODER, TAM_CACHE_CONV,  TAM_CACHE_SSM,  TAM_CACHE_RECURRENT,
      TAM_CACHE_OTHER,   TAM_CACHE_OTHER, TAM_CACHE_OTHER};
  int place = tam_names_find_within(words, name);
  return place < 0 ? TAM_CACHE_KV : (tam_cache_kind)kinds[place];
}

// ---------------------------------------------------------------------------
// Shapes

static int is_kv(const tam_session_cache *cache) {
  return cache->kind == TAM_CACHE_KV || cache->kind == TAM_CACHE_ENCODER;
}

static int is_sequence_symbol(tam_span symbol) {
  return has_word(symbol, "past") || has_word(symbol, "seq");
}

// Keys and values together, [2, batch, ...] or [batch, 2, ...], say so with a
// number; else the rows come first.
static uint32_t find_batch_axis(const tam_session_value *input) {
  return input->rank == 5 && input->dims[0] == 2 ? 1 : 0;
}

// Returns the axis that grows, or -1: by its name, else the last but one, where
// all exporters but the oldest have it.
static int find_sequence_axis(const tam_session_value *input,
                              uint32_t batch_axis) {
  uint32_t usual = input->rank - 2;
  for (uint32_t i = batch_axis + 1; i < input->rank; i++) {
    if (is_sequence_symbol(input->symbols[i])) {
      return (int)i;
    }
  }
  // A number stands for a cache of a fixed length.
  return input->dims[usual] == TAM_SESSION_SIZE_UNKNOWN ? (int)usual : -1;
}

// Returns the size of keys or values that is |place|th from the end, the
// sequence not counted: of a head, or the number of heads.
static uint32_t kv_size(const tam_session_sizes *sizes,
                        const tam_session_cache *cache, uint32_t place) {
  int is_encoder =
      cache->kind == TAM_CACHE_ENCODER && sizes->encoder_head_dim > 0;
  if (place > 0) {
    return is_encoder ? sizes->encoder_heads : sizes->kv_heads;
  }
  uint32_t size = is_encoder ? sizes->encoder_head_dim : sizes->head_dim;
  return tam_span_ends_with(cache->input, TAM_SPAN("key_value")) ? 2 * size
                                                                 : size;
}

// Returns the size of the axis |axis| of a state of |kind|.
static uint32_t state_size(const tam_session_sizes *sizes, tam_cache_kind kind,
                           uint32_t axis) {
  const uint32_t table[3][3] = {
      {sizes->conv_channels, sizes->conv_kernel, 0},
      {sizes->ssm_heads, sizes->ssm_head_dim, sizes->ssm_state},
      {sizes->recurrent_heads, sizes->recurrent_key_dim,
       sizes->recurrent_value_dim}};
  return kind == TAM_CACHE_OTHER || axis > 3
             ? 0
             : table[kind - TAM_CACHE_CONV][axis - 1];
}

// The rows of old exports of bloom are those of each head: "batch_size x
// num_heads".
static uint32_t rows_size(const tam_session_sizes *sizes,
                          tam_session_cache *cache,
                          const tam_session_value *input) {
  cache->has_head_rows = has_word(input->symbols[cache->batch_axis], "head");
  return cache->has_head_rows ? kv_size(sizes, cache, 1) : 1;
}

// Fills in the dimensions of the empty |cache|, from the last to the first.
// Returns 0 when one of them is not known.
static int fill_dims(const tam_session_sizes *sizes, tam_session_cache *cache,
                     const tam_session_value *input) {
  uint32_t place = 0;
  for (uint32_t i = cache->rank; i-- > 0;) {
    uint32_t size = input->dims[i];
    if (i == cache->batch_axis) {
      size = rows_size(sizes, cache, input);
    } else if ((int)i == cache->sequence_axis) {
      continue; // 0
    } else if (size == TAM_SESSION_SIZE_UNKNOWN) {
      size = is_kv(cache) ? kv_size(sizes, cache, place)
                          : state_size(sizes, cache->kind, i);
    }
    if (i != cache->batch_axis) {
      place++;
    }
    cache->dims[i] = size;
    // Of a state that is not known, what has no size grows with use.
    if (size == 0 && cache->kind != TAM_CACHE_OTHER) {
      return 0;
    }
  }
  return 1;
}

const char *tam_session_cache_read(tam_session_cache *cache,
                                   const tam_session_value *input,
                                   tam_span output,
                                   const tam_session_sizes *sizes) {
  cache->input = input->name;
  cache->output = output;
  cache->kind = cache_kind(input->name);
  cache->rank = input->rank;
  cache->sequence_axis = -1;
  if (!tam_element_is_float(input->element)) {
    return "has an element type that is not understood";
  }
  cache->element = (tam_element)input->element;
  if (input->rank < (is_kv(cache) ? 3U : 2U)) {
    return "has a shape that is not understood";
  }
  cache->batch_axis = find_batch_axis(input);
  if (is_kv(cache)) {
    cache->sequence_axis = find_sequence_axis(input, cache->batch_axis);
    if (cache->sequence_axis < 0) {
      return "is a cache of a fixed length";
    }
  }
  return fill_dims(sizes, cache, input) ? NULL : "has a size that is not known";
}
