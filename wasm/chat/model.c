// SPDX-License-Identifier: Apache-2.0
#include "chat/model.h"

#include "chat/chat_op.h"
#include "chat/reasoning.h"
#include "core/mem.h"
#include "core/repo_id.h"

// The longest commit, dtype, task and name of a provider.
#define NAME_MAX 512

#define WARNING_MAX 1024

#define TEMPLATES_MAX 4096

// All tokens of the largest vocabularies that are no text.
#define SPECIAL_MAX (UINT32_C(1) << 18)

tam_chat_model *tam_chat_model_new(const tam_mem *mem) {
  tam_chat_model *model = tam_mem_calloc(mem, 1, sizeof(*model));
  if (model == NULL) {
    return NULL;
  }
  model->mem = mem;
  tam_buf_init(&model->id, mem, TAM_REPO_ID_MAX);
  tam_buf_init(&model->asked_id, mem, TAM_REPO_ID_MAX);
  tam_buf_init(&model->commit, mem, NAME_MAX);
  tam_buf_init(&model->revision, mem, NAME_MAX);
  tam_buf_init(&model->dtype, mem, NAME_MAX);
  tam_buf_init(&model->asked_dtype, mem, NAME_MAX);
  tam_buf_init(&model->task, mem, NAME_MAX);
  tam_buf_init(&model->provider, mem, NAME_MAX);
  tam_buf_init(&model->warning, mem, WARNING_MAX);
  tam_buf_init(&model->generation_config, mem, TAM_JSON_TREE_LEN_MAX);
  tam_buf_init(&model->special, mem, SPECIAL_MAX * sizeof(int32_t));
  tam_buf_init(&model->tags, mem, SPECIAL_MAX);
  tam_buf_init(&model->templates, mem, TEMPLATES_MAX);
  tam_buf_init(&model->part_templates, mem, TEMPLATES_MAX);
  tam_buf_init(&model->cached, mem, TAM_CHAT_CONTEXT_MAX * sizeof(int32_t));
  tam_buf_init(&model->wide, mem, 2 * TAM_EVENT_RUNTIME_PAYLOAD_MAX);
  tam_buf_init(&model->chat_id, mem, TAM_JSON_TREE_LEN_MAX);
  return model;
}

tam_span tam_chat_model_said_dtype(const tam_chat_model *model) {
  return tam_buf_span(model->asked_dtype.len > 0 ? &model->asked_dtype
                                                 : &model->dtype);
}

void tam_chat_model_drop_cache(tam_chat_model *model, tam_chat *chat) {
  tam_runtime_drop(chat->runtime, model->cache);
  model->cache = 0;
  tam_buf_reset(&model->cached);
  tam_buf_reset(&model->chat_id);
}

void tam_chat_model_del(tam_chat_model *model, tam_chat *chat) {
  if (model == NULL) {
    return;
  }
  tam_chat_model_drop_cache(model, chat);
  for (size_t i = 0; i < model->session_count; i++) {
    tam_runtime_drop(chat->runtime, model->sessions[i].session);
    tam_session_plan_del(model->sessions[i].plan);
  }
  tam_runtime_drop(chat->runtime, model->tokenizer);
  tam_buf *texts[] = {
      &model->id,      &model->asked_id,       &model->revision,
      &model->commit,  &model->dtype,          &model->asked_dtype,
      &model->task,    &model->provider,       &model->warning,
      &model->special, &model->templates,      &model->generation_config,
      &model->cached,  &model->chat_id,        &model->tags,
      &model->wide,    &model->part_templates,
  };
  for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
    tam_buf_free(texts[i]);
  }
  tam_mem_free(model->mem, model);
}

// ---------------------------------------------------------------------------
// What is known of it

int tam_chat_model_take_special(tam_chat_model *model, tam_span lines) {
  while (lines.len > 0) {
    size_t end = tam_span_find_byte(lines, '\n');
    tam_span line = tam_span_head(lines, end);
    size_t blank = tam_span_find_byte(line, ' ');
    double id = -1;
    if (!tam_span_to_uint(tam_span_head(line, blank), &id) || id > INT32_MAX) {
      return TAM_ERR_UNEXPECTED_SHAPE;
    }
    tam_buf_append_u32(&model->special, (uint32_t)id);
    tam_buf_append_byte(&model->tags, (uint8_t)tam_reasoning_tag_of(
                                          tam_span_from(line, blank + 1)));
    lines = tam_span_from(lines, end + 1);
  }
  return model->special.error != 0 ? model->special.error : model->tags.error;
}

int tam_chat_model_special(const tam_chat_model *model, int32_t id, int *ptag) {
  const int32_t *ids = (const int32_t *)(const void *)model->special.data;
  size_t count = model->tags.len;
  size_t low = 0;
  size_t high = count;
  while (low < high) {
    size_t middle = low + (high - low) / 2;
    if (ids[middle] < id) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  int is_special = low < count && ids[low] == id;
  *ptag = is_special ? model->tags.data[low] : 0;
  return is_special;
}

// Stores the list |key| of |facts| into |names|.
static void take_names(const tam_json_node *facts, tam_span key,
                       tam_buf *names) {
  const tam_json_node *at = tam_json_get_first(tam_json_get_member(facts, key));
  for (; at != NULL; at = tam_json_get_next(at)) {
    tam_buf_append(names, tam_json_get_string(at));
    tam_buf_append_byte(names, 0);
  }
}

// A number among the facts that is an id, or -1.
static int32_t id_of(const tam_json_node *facts, const char *name) {
  const tam_json_node *node = tam_json_get_member(facts, tam_span_of(name));
  double id = tam_json_get_number(node);
  return tam_json_get_kind(node) == TAM_JSON_KIND_NUMBER && id >= 0 &&
                 id <= INT32_MAX
             ? (int32_t)id
             : -1;
}

// The shorter of what configuration and tokenizer say; some say a number that
// stands for "without end".
static uint32_t context_of(const tam_chat_model *model, double of_tokenizer) {
  double context = tam_model_config_context(&model->config);
  if (context <= 0) {
    context = of_tokenizer;
  }
  return context >= 1 && context <= TAM_CHAT_CONTEXT_MAX
             ? (uint32_t)context
             : TAM_CHAT_CONTEXT_DEFAULT;
}

int tam_chat_model_take_tokenizer(tam_chat_model *model, tam_span text) {
  tam_json_node *facts = NULL;
  int error = tam_json_tree_parse(&facts, text, model->mem);
  if (error != 0) {
    return error;
  }
  tam_tokenizer_facts tokenizer = {
      .eos = id_of(facts, "eosId"),
      .pad = id_of(facts, "padId"),
      .bos = id_of(facts, "bosId"),
      .tokenizer_class = tam_json_get_string(
          tam_json_get_member(facts, TAM_SPAN("tokenizerClass"))),
  };
  tam_model_config_ids(&model->config, &tokenizer, &model->ids);
  const tam_json_node *cleans =
      tam_json_get_member(facts, TAM_SPAN("cleansUp"));
  // A tokenizer that does not say wants it: it was the default of old versions.
  model->cleans_up = tam_json_get_kind(cleans) != TAM_JSON_KIND_BOOL ||
                     tam_json_get_bool(cleans);
  model->context_length = context_of(
      model,
      tam_json_get_number(tam_json_get_member(facts, TAM_SPAN("maxLength"))));
  take_names(facts, TAM_SPAN("templates"), &model->templates);
  take_names(facts, TAM_SPAN("partTemplates"), &model->part_templates);
  tam_json_tree_free(facts, model->mem);
  return model->templates.error != 0 ? model->templates.error
                                     : model->part_templates.error;
}

int32_t tam_chat_model_any_token(const tam_chat_model *model) {
  return model->ids.bos >= 0             ? model->ids.bos
         : model->ids.decoder_start >= 0 ? model->ids.decoder_start
         : model->ids.eos.count > 0      ? model->ids.eos.ids[0]
                                         : 0;
}

int tam_chat_model_has_encoder(const tam_chat_model *model) {
  return model->session_count > 0 &&
         model->sessions[0].role == TAM_SESSION_ENCODER;
}

static uint32_t size_of(double number) {
  return number >= 1 && number <= UINT32_MAX ? (uint32_t)number : 0;
}

// What the sessions may leave open.
static tam_session_sizes sizes_of(const tam_model_config *config) {
  tam_model_shape shape;
  tam_model_config_shape(config, &shape);
  tam_session_sizes sizes = {
      .kv_heads = size_of(shape.kv_heads),
      .head_dim = size_of(shape.head_dim),
      .encoder_heads = size_of(shape.encoder_heads),
      .encoder_head_dim = size_of(shape.encoder_head_dim),
      .conv_channels = size_of(shape.hidden),
      .conv_kernel = size_of(shape.conv_cache),
      .ssm_heads = size_of(shape.ssm_heads),
      .ssm_head_dim = size_of(shape.ssm_head_dim),
      .ssm_state = size_of(shape.ssm_state),
      .recurrent_heads = size_of(shape.linear_value_heads),
      .recurrent_key_dim = size_of(shape.linear_key_dim),
      .recurrent_value_dim = size_of(shape.linear_value_dim),
  };
  if (shape.ssm_inner > 0) { // of Mamba, whose states have other sizes
    sizes.conv_channels =
        size_of(shape.ssm_inner + 2 * shape.ssm_groups * shape.ssm_state);
    sizes.conv_kernel = size_of(shape.ssm_conv);
  } else if (shape.linear_conv > 0) {
    sizes.conv_channels =
        size_of(2 * shape.linear_key_heads * shape.linear_key_dim +
                shape.linear_value_heads * shape.linear_value_dim);
    sizes.conv_kernel = size_of(shape.linear_conv);
  }
  return sizes;
}

int tam_chat_model_plan(tam_chat_model *model, size_t place, tam_span metadata,
                        tam_buf *why) {
  tam_chat_session *session = &model->sessions[place];
  tam_session_sizes sizes = sizes_of(&model->config);
  tam_buf_reset(why);
  return tam_session_plan_new(&session->plan, metadata, session->role, &sizes,
                              why, model->mem);
}

static int has_name(const tam_buf *list, tam_span name) {
  tam_span names = tam_buf_span(list);
  while (names.len > 0) {
    size_t end = tam_span_find_byte(names, 0);
    if (tam_span_eq(tam_span_head(names, end), name)) {
      return 1;
    }
    names = tam_span_from(names, end + 1);
  }
  return 0;
}

tam_span tam_chat_model_template(const tam_chat_model *model, int with_tools) {
  static const char *const order[] = {"tool_use", "chat_template.jinja"};
  for (size_t i = with_tools ? 0 : 1; i < 2; i++) {
    if (has_name(&model->templates, tam_span_of(order[i]))) {
      return tam_span_of(order[i]);
    }
  }
  return TAM_SPAN("default");
}

int tam_chat_model_template_wants_parts(const tam_chat_model *model,
                                        tam_span name) {
  return has_name(&model->part_templates, name);
}
