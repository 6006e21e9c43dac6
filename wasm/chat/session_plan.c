// SPDX-License-Identifier: Apache-2.0
// Theory of operation
// -------------------
// The metadata becomes two lists of values. Each input must be explained by one
// of these rules, in this order:
//
//   1. its name is that of a feed;
//   2. it takes what another session computes;
//   3. an output has a name that becomes its own: it is a cache.
#include "chat/session_plan.h"

#include "core/json_tree.h"
#include "core/json_write.h"
#include "core/mem.h"
#include "core/names.h"

#include <string.h>

// Positions of text are given three times where images have time, height and
// width, and a fourth time where these stand beside the plain position.
#define PLANES_MAX 4

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
  tam_session_value *inputs;
  size_t input_count;
  tam_session_value *outputs;
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

static int bad_input(const planner *self, const tam_session_value *input,
                     const char *how) {
  return unsupported(self, "the input", input->name, how);
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
static int take_ids(planner *self, const tam_session_value *input) {
  tam_session_facts *facts = &self->plan->facts;
  facts->rows = input->dims[0] == TAM_SESSION_SIZE_UNKNOWN ? 0 : input->dims[0];
  facts->tokens =
      input->dims[1] == TAM_SESSION_SIZE_UNKNOWN ? 0 : input->dims[1];
  return facts->tokens > 1
             ? bad_input(self, input, "takes a fixed number of tokens")
             : 0;
}

static int take_feed(planner *self, const tam_session_value *input,
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
    feed->planes =
        input->dims[0] == TAM_SESSION_SIZE_UNKNOWN ? 3 : input->dims[0];
    if (feed->planes < 1 || feed->planes > PLANES_MAX) {
      return bad_input(self, input, "has a shape that is not understood");
    }
  }
  return rule->meaning == TAM_FEED_IDS ? take_ids(self, input) : 0;
}

// ---------------------------------------------------------------------------
// Inputs and outputs

static const tam_session_value *find_present(const planner *self,
                                             const tam_session_value *input) {
  for (size_t i = 0; i < self->output_count; i++) {
    if (tam_session_cache_is_present(self->outputs[i].name, input->name)) {
      return &self->outputs[i];
    }
  }
  return NULL;
}

static int take_cache(planner *self, const tam_session_value *input,
                      tam_span output) {
  tam_session_plan *plan = self->plan;
  tam_session_cache *cache = &plan->caches[plan->cache_count++];
  const char *problem =
      tam_session_cache_read(cache, input, output, self->sizes);
  if (problem != NULL) {
    return bad_input(self, input, problem);
  }
  int grows = cache->sequence_axis >= 0;
  plan->facts.can_cut = plan->facts.can_cut && grows;
  plan->facts.can_gather = plan->facts.can_gather && !cache->has_head_rows;
  return 0;
}

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

static int take_input(planner *self, const tam_session_value *input) {
  const feed_rule *rule = feed_rule_of(input->name);
  if (rule != NULL) {
    return take_feed(self, input, rule);
  }
  if (is_handed_on(self, input->name)) {
    return 0;
  }
  const tam_session_value *output = find_present(self, input);
  return output != NULL ? take_cache(self, input, output->name)
                        : bad_input(self, input, "is not understood");
}

// Returns the output that the session is for: by its name, else the only one
// that can be it.
static const tam_session_value *find_output(const planner *self) {
  static const char names[] = "last_hidden_state\0"
                              "inputs_embeds\0"
                              "logits\0";
  const char *wanted = tam_names_at(names, self->plan->role);
  const tam_session_value *found = NULL;
  size_t count = 0;
  for (size_t i = 0; i < self->output_count; i++) {
    const tam_session_value *output = &self->outputs[i];
    if (tam_span_is(output->name, wanted)) {
      return output;
    }
    if (output->rank == 3 &&
        !tam_span_starts_with(output->name, TAM_SPAN("present"))) {
      found = output;
      count++;
    }
  }
  return count == 1 ? found : NULL;
}

static int take_output(planner *self) {
  tam_session_facts *facts = &self->plan->facts;
  const tam_session_value *output = find_output(self);
  if (output == NULL) {
    return unsupported(self, "the output", self->outputs[0].name,
                       "is not understood");
  }
  if (!tam_element_is_float(output->element) || output->rank != 3) {
    return unsupported(self, "the output", output->name,
                       "has a type or shape that is not understood");
  }
  facts->output = output->name;
  facts->element = (tam_element)output->element;
  facts->vocab =
      output->dims[2] == TAM_SESSION_SIZE_UNKNOWN ? 0 : output->dims[2];
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
  int error = tam_session_values_read(root, TAM_SPAN("inputs"), &self->inputs,
                                      &self->input_count, mem);
  if (error == 0) {
    error = tam_session_values_read(root, TAM_SPAN("outputs"), &self->outputs,
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
