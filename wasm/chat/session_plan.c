// SPDX-License-Identifier: Apache-2.0
// Theory of operation
// -------------------
// The metadata becomes two lists of values. Each input must be explained by one
// of these rules, in this order:
//
//   1. its name is that of a feed;
//   2. it takes what another session computes;
//   3. an output has a name that becomes its own: it is a cache.
//
// A cache's axes are found by the names of its dimensions where these say
// something ("past_sequence_length"), else by the place that exporters give
// them. Dimensions that are numbers stay as they are.
#include "chat/session_plan.h"

#include "core/json_tree.h"
#include "core/json_write.h"
#include "core/mem.h"
#include "core/names.h"

#include <string.h>

// The longest name of an input or output; exporters' are below 50 bytes.
#define NAME_LEN_MAX 256U

// The size of a dimension that the session does not tell. onnxruntime-web says
// 2^32 - 1 for one without a name.
#define SIZE_UNKNOWN UINT32_MAX

// Positions of text are given three times where images have time, height and
// width, and a fourth time where these stand beside the plain position.
#define PLANES_MAX 4

// A larger number is none.
#define SIZE_MAX_SENSIBLE 2147483647.0

// In the order of tam_element.
static const char element_names[] = "float32\0"
                                    "float16\0"
                                    "int64\0"
                                    "int32\0"
                                    "bool\0";

#define ELEMENT_UNKNOWN (-1)

// An input or output. The texts are those of the metadata.
typedef struct value_info {
  tam_span name;
  int element;
  uint32_t rank;
  uint32_t dims[TAM_SESSION_RANK_MAX];
  tam_span symbols[TAM_SESSION_RANK_MAX];
} value_info;

struct tam_session_plan {
  const tam_mem *mem;
  tam_session_role role;
  tam_session_facts facts;
  tam_session_feed *feeds;
  size_t feed_count;
  tam_session_cache *caches;
  size_t cache_count;
  uint8_t *names; // all texts
};

// A plan in the making.
typedef struct planner {
  tam_session_plan *plan;
  const tam_session_sizes *sizes;
  tam_buf *problem;
  value_info *inputs;
  size_t input_count;
  value_info *outputs;
  size_t output_count;
} planner;

// ---------------------------------------------------------------------------
// Problems

// Says that |what| the value |name| is |how|.
static int unsupported(const planner *self, const char *what, tam_span name,
                       const char *how) {
  tam_buf_append_text(self->problem, what);
  tam_buf_append_text(self->problem, " \"");
  tam_buf_append(self->problem, name);
  tam_buf_append_text(self->problem, "\" ");
  tam_buf_append_text(self->problem, how);
  return TAM_ERR_UNSUPPORTED_GRAPH;
}

static int bad_input(const planner *self, const value_info *input,
                     const char *how) {
  return unsupported(self, "the input", input->name, how);
}

// ---------------------------------------------------------------------------
// Metadata

static int read_shape(value_info *info, const tam_json_node *shape) {
  if (tam_json_get_kind(shape) != TAM_JSON_KIND_ARRAY) {
    return TAM_ERR_UNEXPECTED_SHAPE;
  }
  for (const tam_json_node *dim = tam_json_get_first(shape); dim != NULL;
       dim = tam_json_get_next(dim)) {
    if (info->rank == TAM_SESSION_RANK_MAX) {
      return TAM_ERR_UNEXPECTED_SHAPE;
    }
    double size = tam_json_get_number(dim);
    int is_size = tam_json_get_kind(dim) == TAM_JSON_KIND_NUMBER && size >= 0 &&
                  size <= SIZE_MAX_SENSIBLE;
    info->dims[info->rank] = is_size ? (uint32_t)size : SIZE_UNKNOWN;
    info->symbols[info->rank++] = tam_json_get_string(dim);
  }
  return 0;
}

static int read_value(value_info *info, const tam_json_node *node) {
  tam_span type =
      tam_json_get_string(tam_json_get_member(node, TAM_SPAN("type")));
  info->name = tam_json_get_string(tam_json_get_member(node, TAM_SPAN("name")));
  info->element = tam_names_find(element_names, type);
  if (info->name.len == 0 || info->name.len > NAME_LEN_MAX) {
    return TAM_ERR_UNEXPECTED_SHAPE;
  }
  return read_shape(info, tam_json_get_member(node, TAM_SPAN("shape")));
}

// Reads the list |key| of |root| into |*pvalues|, which the caller frees.
static int read_values(const tam_json_node *root, tam_span key,
                       value_info **pvalues, size_t *pcount,
                       const tam_mem *mem) {
  const tam_json_node *first =
      tam_json_get_first(tam_json_get_member(root, key));
  size_t count = 0;
  int error = 0;
  for (const tam_json_node *node = first; node != NULL;
       node = tam_json_get_next(node)) {
    count++;
  }
  if (count == 0 || count > TAM_SESSION_VALUES_MAX) {
    return TAM_ERR_UNEXPECTED_SHAPE;
  }
  *pvalues = tam_mem_calloc(mem, count, sizeof(**pvalues));
  if (*pvalues == NULL) {
    return TAM_ERR_OUT_OF_MEMORY;
  }
  for (const tam_json_node *node = first; node != NULL && error == 0;
       node = tam_json_get_next(node)) {
    error = read_value(&(*pvalues)[(*pcount)++], node);
  }
  return error;
}

// ---------------------------------------------------------------------------
// Feeds

// What is known by its name. Two numbers of dimensions are allowed, in this
// order; 15 stands for none.
typedef struct feed_rule {
  const char *name;
  uint8_t meaning;
  uint8_t rank;
  uint8_t other_rank;
} feed_rule;

#define RANK_NONE 15

static const feed_rule feed_rules[] = {
    {"input_ids", TAM_FEED_IDS, 2, RANK_NONE},
    {"decoder_input_ids", TAM_FEED_IDS, 2, RANK_NONE},
    {"attention_mask", TAM_FEED_MASK, 2, RANK_NONE},
    {"decoder_attention_mask", TAM_FEED_MASK, 2, RANK_NONE},
    {"position_ids", TAM_FEED_POSITIONS, 2, 3},
    {"num_logits_to_keep", TAM_FEED_LOGITS_TO_KEEP, 0, 1},
    {"logits_to_keep", TAM_FEED_LOGITS_TO_KEEP, 0, 1},
    {"use_cache_branch", TAM_FEED_CACHE_BRANCH, 1, RANK_NONE},
    {"encoder_attention_mask", TAM_FEED_ENCODER_MASK, 2, RANK_NONE},
};

static const feed_rule *feed_rule_of(tam_span name) {
  for (size_t i = 0; i < sizeof(feed_rules) / sizeof(*feed_rules); i++) {
    if (tam_span_is(name, feed_rules[i].name)) {
      return &feed_rules[i];
    }
  }
  return NULL;
}

static int is_feed_element(const feed_rule *rule, int element) {
  return rule->meaning == TAM_FEED_CACHE_BRANCH
             ? element == TAM_ELEMENT_BOOL
             : element == TAM_ELEMENT_INT64 || element == TAM_ELEMENT_INT32;
}

// Tokens say whether the graph is made for a certain number of rows or tokens.
static int take_ids(planner *self, const value_info *input) {
  tam_session_facts *facts = &self->plan->facts;
  facts->rows = input->dims[0] == SIZE_UNKNOWN ? 0 : input->dims[0];
  facts->tokens = input->dims[1] == SIZE_UNKNOWN ? 0 : input->dims[1];
  return facts->tokens > 1
             ? bad_input(self, input, "takes a fixed number of tokens")
             : 0;
}

static int take_feed(planner *self, const value_info *input,
                     const feed_rule *rule) {
  tam_session_plan *plan = self->plan;
  if (!is_feed_element(rule, input->element)) {
    return bad_input(self, input, "has an element type that is not understood");
  }
  if (input->rank != rule->rank && input->rank != rule->other_rank) {
    return bad_input(self, input, "has a shape that is not understood");
  }
  tam_session_feed *feed = &plan->feeds[plan->feed_count++];
  feed->name = input->name;
  feed->meaning = (tam_feed_meaning)rule->meaning;
  feed->element = (tam_element)input->element;
  feed->rank = input->rank;
  if (rule->meaning == TAM_FEED_POSITIONS && input->rank == 3) {
    feed->planes = input->dims[0] == SIZE_UNKNOWN ? 3 : input->dims[0];
    if (feed->planes < 1 || feed->planes > PLANES_MAX) {
      return bad_input(self, input, "has a shape that is not understood");
    }
  }
  return rule->meaning == TAM_FEED_IDS ? take_ids(self, input) : 0;
}

// ---------------------------------------------------------------------------
// Names of caches

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

// Returns 1 when the output |name| is the |input| of the next run.
static int is_present_of(tam_span name, tam_span input) {
  int rule = tam_names_find_within(renamed_from, name);
  return rule >= 0 && (becomes(name, tam_names_at(renamed_from, (size_t)rule),
                               tam_names_at(renamed_to, (size_t)rule), input) ||
                       // present_0 to past_0, as of older exporters.
                       becomes(name, "present", "past", input));
}

static const value_info *find_present(const planner *self,
                                      const value_info *input) {
  for (size_t i = 0; i < self->output_count; i++) {
    if (is_present_of(self->outputs[i].name, input->name)) {
      return &self->outputs[i];
    }
  }
  return NULL;
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
// Shapes of caches

static int is_kv(const tam_session_cache *cache) {
  return cache->kind == TAM_CACHE_KV || cache->kind == TAM_CACHE_ENCODER;
}

static int is_sequence_symbol(tam_span symbol) {
  return has_word(symbol, "past") || has_word(symbol, "seq");
}

// Keys and values together, [2, batch, ...] or [batch, 2, ...], say so with a
// number; else the rows come first.
static uint32_t find_batch_axis(const value_info *input) {
  return input->rank == 5 && input->dims[0] == 2 ? 1 : 0;
}

// Returns the axis that grows, or -1: by its name, else the last but one, where
// all exporters but the oldest have it.
static int find_sequence_axis(const value_info *input, uint32_t batch_axis) {
  uint32_t usual = input->rank - 2;
  for (uint32_t i = batch_axis + 1; i < input->rank; i++) {
    if (is_sequence_symbol(input->symbols[i])) {
      return (int)i;
    }
  }
  // A number stands for a cache of a fixed length.
  return input->dims[usual] == SIZE_UNKNOWN ? (int)usual : -1;
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
static uint32_t rows_size(planner *self, const tam_session_cache *cache,
                          const value_info *input) {
  if (!has_word(input->symbols[cache->batch_axis], "head")) {
    return 1;
  }
  self->plan->facts.can_gather = 0;
  return kv_size(self->sizes, cache, 1);
}

// Fills in the dimensions of the empty |cache|, from the last to the first.
// Returns 0 when one of them is not known.
static int fill_dims(planner *self, tam_session_cache *cache,
                     const value_info *input) {
  uint32_t place = 0;
  for (uint32_t i = cache->rank; i-- > 0;) {
    uint32_t size = input->dims[i];
    if (i == cache->batch_axis) {
      size = rows_size(self, cache, input);
    } else if ((int)i == cache->sequence_axis) {
      continue; // 0
    } else if (size == SIZE_UNKNOWN) {
      size = is_kv(cache) ? kv_size(self->sizes, cache, place)
                          : state_size(self->sizes, cache->kind, i);
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

static int take_cache(planner *self, const value_info *input,
                      const value_info *output) {
  tam_session_plan *plan = self->plan;
  tam_session_cache *cache = &plan->caches[plan->cache_count++];
  cache->input = input->name;
  cache->output = output->name;
  cache->kind = cache_kind(input->name);
  cache->rank = input->rank;
  cache->sequence_axis = -1;
  if (input->element != TAM_ELEMENT_FLOAT32 &&
      input->element != TAM_ELEMENT_FLOAT16) {
    return bad_input(self, input, "has an element type that is not understood");
  }
  cache->element = (tam_element)input->element;
  if (input->rank < (is_kv(cache) ? 3U : 2U)) {
    return bad_input(self, input, "has a shape that is not understood");
  }
  cache->batch_axis = find_batch_axis(input);
  if (is_kv(cache)) {
    cache->sequence_axis = find_sequence_axis(input, cache->batch_axis);
    if (cache->sequence_axis < 0) {
      return bad_input(self, input, "is a cache of a fixed length");
    }
  } else {
    plan->facts.can_cut = 0;
  }
  return fill_dims(self, cache, input)
             ? 0
             : bad_input(self, input, "has a size that is not known");
}

// ---------------------------------------------------------------------------
// Inputs and outputs

// What an encoder or an embedding makes goes to the decoder under this name.
static const char *handed_on(tam_session_role role) {
  return role == TAM_SESSION_ENCODER ? "encoder_hidden_states"
                                     : "inputs_embeds";
}

// Inputs of a decoder that other sessions make.
static int is_handed_on(const planner *self, tam_span name) {
  return self->plan->role == TAM_SESSION_DECODER &&
         (tam_span_is(name, handed_on(TAM_SESSION_ENCODER)) ||
          tam_span_is(name, handed_on(TAM_SESSION_EMBEDDING)));
}

static int take_input(planner *self, const value_info *input) {
  const feed_rule *rule = feed_rule_of(input->name);
  if (rule != NULL) {
    return take_feed(self, input, rule);
  }
  if (is_handed_on(self, input->name)) {
    return 0;
  }
  const value_info *output = find_present(self, input);
  return output != NULL ? take_cache(self, input, output)
                        : bad_input(self, input, "is not understood");
}

// Returns the output that the session is for: by its name, else the only one
// that can be it.
static const value_info *find_output(const planner *self) {
  static const char names[] = "last_hidden_state\0"
                              "inputs_embeds\0"
                              "logits\0";
  const char *wanted = tam_names_at(names, self->plan->role);
  const value_info *found = NULL;
  size_t count = 0;
  for (size_t i = 0; i < self->output_count; i++) {
    const value_info *output = &self->outputs[i];
    if (tam_span_is(output->name, wanted)) {
      return output;
    }
    if (output->rank == 3 && !has_word(output->name, "present")) {
      found = output;
      count++;
    }
  }
  return count == 1 ? found : NULL;
}

static int take_output(planner *self) {
  tam_session_facts *facts = &self->plan->facts;
  const value_info *output = find_output(self);
  if (output == NULL) {
    return unsupported(self, "the output", self->outputs[0].name,
                       "is not understood");
  }
  if ((output->element != TAM_ELEMENT_FLOAT32 &&
       output->element != TAM_ELEMENT_FLOAT16) ||
      output->rank != 3) {
    return unsupported(self, "the output", output->name,
                       "has a type or shape that is not understood");
  }
  facts->output = output->name;
  facts->element = (tam_element)output->element;
  facts->vocab = output->dims[2] == SIZE_UNKNOWN ? 0 : output->dims[2];
  facts->is_last_only = output->dims[1] == 1;
  return 0;
}

// A session that takes no tokens, nor what was made of them, computes nothing.
static int check_tokens(planner *self) {
  int takes_tokens = 0;
  for (size_t i = 0; i < self->input_count; i++) {
    const feed_rule *rule = feed_rule_of(self->inputs[i].name);
    takes_tokens |= (rule != NULL && rule->meaning == TAM_FEED_IDS) ||
                    tam_span_is(self->inputs[i].name, "inputs_embeds");
  }
  return takes_tokens ? 0
                      : bad_input(self, &self->inputs[0],
                                  "is there, and none that takes tokens");
}

// ---------------------------------------------------------------------------
// Making the plan

// Copies |*text| to |*pto| and lets it be the copy.
static void move_text(tam_span *text, uint8_t **pto) {
  memcpy(*pto, text->ptr, text->len);
  text->ptr = *pto;
  *pto += text->len;
}

// Makes the plan independent of the metadata.
static int keep_names(tam_session_plan *plan) {
  size_t len = plan->facts.output.len;
  for (size_t i = 0; i < plan->feed_count; i++) {
    len += plan->feeds[i].name.len;
  }
  for (size_t i = 0; i < plan->cache_count; i++) {
    len += plan->caches[i].input.len + plan->caches[i].output.len;
  }
  uint8_t *to = tam_mem_malloc(plan->mem, len);
  if (to == NULL) {
    return TAM_ERR_OUT_OF_MEMORY;
  }
  plan->names = to;
  move_text(&plan->facts.output, &to);
  for (size_t i = 0; i < plan->feed_count; i++) {
    move_text(&plan->feeds[i].name, &to);
  }
  for (size_t i = 0; i < plan->cache_count; i++) {
    move_text(&plan->caches[i].input, &to);
    move_text(&plan->caches[i].output, &to);
  }
  return 0;
}

static int plan_values(planner *self) {
  tam_session_plan *plan = self->plan;
  plan->feeds =
      tam_mem_calloc(plan->mem, self->input_count, sizeof(*plan->feeds));
  plan->caches =
      tam_mem_calloc(plan->mem, self->input_count, sizeof(*plan->caches));
  if (plan->feeds == NULL || plan->caches == NULL) {
    return TAM_ERR_OUT_OF_MEMORY;
  }
  plan->facts.can_cut = 1;
  plan->facts.can_gather = 1;
  int error = 0;
  for (size_t i = 0; i < self->input_count && error == 0; i++) {
    error = take_input(self, &self->inputs[i]);
  }
  if (error == 0) {
    error = check_tokens(self);
  }
  return error != 0 ? error : take_output(self);
}

static int plan_metadata(planner *self, const tam_json_node *root) {
  const tam_mem *mem = self->plan->mem;
  int error = read_values(root, TAM_SPAN("inputs"), &self->inputs,
                          &self->input_count, mem);
  if (error == 0) {
    error = read_values(root, TAM_SPAN("outputs"), &self->outputs,
                        &self->output_count, mem);
  }
  if (error == 0) {
    error = plan_values(self);
  }
  if (error == 0) {
    error = keep_names(self->plan);
  }
  tam_mem_free(mem, self->inputs);
  tam_mem_free(mem, self->outputs);
  return error;
}

int tam_session_plan_new(tam_session_plan **pself, tam_span metadata,
                         tam_session_role role, const tam_session_sizes *sizes,
                         tam_buf *problem, const tam_mem *mem) {
  tam_json_node *root = NULL;
  int error = tam_json_tree_parse(&root, metadata, mem);
  if (error != 0) {
    return error;
  }
  tam_session_plan *plan = tam_mem_calloc(mem, 1, sizeof(*plan));
  if (plan == NULL) {
    error = TAM_ERR_OUT_OF_MEMORY;
  } else {
    planner self = {.plan = plan, .sizes = sizes, .problem = problem};
    plan->mem = mem;
    plan->role = role;
    error = plan_metadata(&self, root);
  }
  tam_json_tree_free(root, mem);
  if (error != 0) {
    tam_session_plan_del(plan);
    return error;
  }
  *pself = plan;
  return 0;
}

void tam_session_plan_del(tam_session_plan *self) {
  if (self != NULL) {
    tam_mem_free(self->mem, self->feeds);
    tam_mem_free(self->mem, self->caches);
    tam_mem_free(self->mem, self->names);
    tam_mem_free(self->mem, self);
  }
}

// ---------------------------------------------------------------------------
// What the plan says

const tam_session_facts *
tam_session_plan_get_facts(const tam_session_plan *self) {
  return &self->facts;
}

const tam_session_feed *tam_session_plan_get_feed(const tam_session_plan *self,
                                                  size_t place) {
  return place < self->feed_count ? &self->feeds[place] : NULL;
}

const tam_session_cache *
tam_session_plan_get_cache(const tam_session_plan *self, size_t place) {
  return place < self->cache_count ? &self->caches[place] : NULL;
}

const char *tam_element_name(tam_element element) {
  return tam_names_at(element_names, element);
}

void tam_session_plan_write_cache(const tam_session_plan *self, uint32_t rows,
                                  tam_buf *json) {
  tam_json_write_array_begin(json);
  for (size_t i = 0; i < self->cache_count; i++) {
    const tam_session_cache *cache = &self->caches[i];
    tam_json_write_object_begin(json);
    tam_json_write_string_member(json, "name", cache->input);
    tam_json_write_name_member(json, "type", tam_element_name(cache->element));
    tam_json_write_key(json, "dims");
    tam_json_write_array_begin(json);
    for (uint32_t axis = 0; axis < cache->rank; axis++) {
      tam_json_write_number(json, axis == cache->batch_axis
                                      ? (double)cache->dims[axis] * rows
                                      : cache->dims[axis]);
    }
    tam_json_write_array_end(json);
    tam_json_write_object_end(json);
  }
  tam_json_write_array_end(json);
}

// Writes |name|, which the graph has chosen, as a key.
static void write_key(tam_buf *json, tam_span name) {
  tam_json_write_string(json, name);
  tam_buf_append_byte(json, ':');
}

void tam_session_plan_write_keep(const tam_session_plan *self, int is_first,
                                 tam_buf *json) {
  tam_json_write_object_begin(json);
  if (self->role != TAM_SESSION_DECODER) {
    write_key(json, self->facts.output);
    tam_json_write_string(json, tam_span_of(handed_on(self->role)));
  }
  for (size_t i = 0; i < self->cache_count; i++) {
    const tam_session_cache *cache = &self->caches[i];
    if (is_first || cache->kind != TAM_CACHE_ENCODER) {
      write_key(json, cache->output);
      tam_json_write_string(json, cache->input);
    }
  }
  tam_json_write_object_end(json);
}

void tam_session_plan_write_cut_axes(const tam_session_plan *self,
                                     tam_buf *json) {
  tam_json_write_object_begin(json);
  for (size_t i = 0; i < self->cache_count; i++) {
    const tam_session_cache *cache = &self->caches[i];
    if (cache->kind == TAM_CACHE_KV) {
      write_key(json, cache->input);
      tam_json_write_number(json, cache->sequence_axis);
    }
  }
  tam_json_write_object_end(json);
}

void tam_session_plan_write_gather_axes(const tam_session_plan *self,
                                        tam_buf *json) {
  tam_json_write_object_begin(json);
  for (size_t i = 0; i < self->cache_count; i++) {
    write_key(json, self->caches[i].input);
    tam_json_write_number(json, self->caches[i].batch_axis);
  }
  tam_json_write_object_end(json);
}
