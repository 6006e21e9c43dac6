// SPDX-License-Identifier: Apache-2.0
// Two tables say which parameters there are; one function per kind reads them.
#include "hub/list_params.h"

#include "core/json_write.h"
#include "core/names.h"

#include <math.h>
#include <string.h>

// How much of a wrong value a message quotes.
#define QUOTE_MAX 80

// All strings of one request together.
#define TEXT_TOTAL_MAX ((TAM_LIST_FILTERS_MAX + 6) * TAM_LIST_TEXT_MAX)

// 2^53: counts beyond it are not exact.
#define COUNT_MAX 9007199254740992.0

// ---------------------------------------------------------------------------
// Saying what is wrong

static void append_head(tam_buf *why, tam_span text) {
  tam_buf_append(why, tam_span_head_utf8(text, QUOTE_MAX));
}

static void append_quote(tam_buf *why, const tam_json_node *value) {
  switch (tam_json_get_kind(value)) {
  case TAM_JSON_KIND_NUMBER:
    if (fabs(tam_json_get_number(value)) > COUNT_MAX) {
      tam_buf_append_text(why, "too large a number");
    } else {
      tam_text_append_value(why, tam_json_get_number(value));
    }
    break;
  case TAM_JSON_KIND_STRING:
    tam_buf_append_byte(why, '"');
    append_head(why, tam_json_get_string(value));
    tam_buf_append_byte(why, '"');
    break;
  case TAM_JSON_KIND_BOOL:
    tam_buf_append_text(why, tam_json_get_bool(value) ? "true" : "false");
    break;
  case TAM_JSON_KIND_ARRAY:
    tam_buf_append_text(why, "an array");
    break;
  case TAM_JSON_KIND_OBJECT:
    tam_buf_append_text(why, "an object");
    break;
  default:
    tam_buf_append_text(why, "null");
  }
}

// ---------------------------------------------------------------------------
// The tables

typedef enum param_kind {
  PARAM_NUMBER, // a whole number from 1 to |max|
  PARAM_ROWS,   // any number from 1 on, lowered to |max|
  PARAM_COUNT,  // any number from 0 on, or null for "no cap"
  PARAM_BOOL,
  PARAM_TEXT, // a string or null
  PARAM_SORT,
  PARAM_FETCH_CONFIGS,
  PARAM_FILTER,
  PARAM_QUERY,
  PARAM_LISTING
} param_kind;

typedef struct param_rule {
  uint16_t offset; // in tam_list_params
  uint8_t kind;    // a param_kind
  uint32_t max;
} param_rule;

typedef struct param_table {
  const char *names;
  const param_rule *rules; // in the order of the names
} param_table;

#define FIELD(name) offsetof(tam_list_params, name)

static const param_table params_table = {
    "maxCandidates\0"
    "concurrency\0"
    "timeoutMs\0"
    "maxListing\0"
    "pageSize\0"
    "maxParameters\0"
    "requireOnnx\0"
    "debug\0"
    "fetchConfigs\0"
    "hfToken\0"
    "cursor\0"
    "query\0"
    "listing\0",
    (const param_rule[]){
        {FIELD(max_candidates), PARAM_NUMBER, TAM_LIST_ROWS_MAX},
        {FIELD(concurrency), PARAM_NUMBER, TAM_LIST_CONCURRENCY_MAX},
        {FIELD(timeout_ms), PARAM_NUMBER, TAM_LIST_TIMEOUT_MAX_MS},
        {FIELD(max_listing), PARAM_ROWS, TAM_LIST_ROWS_MAX},
        {FIELD(page_size), PARAM_NUMBER, TAM_LIST_PAGE_MAX},
        {FIELD(max_parameters), PARAM_COUNT, 0},
        {FIELD(require_onnx), PARAM_BOOL, 0},
        {FIELD(debug), PARAM_BOOL, 0},
        {FIELD(fetch_configs), PARAM_FETCH_CONFIGS, 0},
        {FIELD(token), PARAM_TEXT, 0},
        {FIELD(cursor), PARAM_TEXT, 0},
        {0, PARAM_QUERY, 0},
        {0, PARAM_LISTING, 0},
    }};

static const param_table query_table = {
    "search\0"
    "author\0"
    "pipeline_tag\0"
    "sort\0"
    "filter\0",
    (const param_rule[]){
        {FIELD(search), PARAM_TEXT, 0},
        {FIELD(author), PARAM_TEXT, 0},
        {FIELD(pipeline_tag), PARAM_TEXT, 0},
        {FIELD(sort), PARAM_SORT, 0},
        {0, PARAM_FILTER, 0},
    }};

// The parameter being read.
typedef struct reader {
  tam_list_params *list;
  tam_buf *why;
  const char *prefix; // "" or "query."
  tam_span name;
  const param_rule *rule;
} reader;

static void *field_of(const reader *read) {
  return (uint8_t *)read->list + read->rule->offset;
}

// Says what is wrong: "maxListing is 0, but must be ...".
static int refuse(const reader *read, const tam_json_node *value,
                  const char *allowed) {
  tam_buf_append_text(read->why, read->prefix);
  tam_buf_append(read->why, read->name);
  tam_buf_append_text(read->why, " is ");
  append_quote(read->why, value);
  tam_buf_append_text(read->why, ", but must be ");
  tam_buf_append_text(read->why, allowed);
  return TAM_ERR_INVALID_PARAMS;
}

// ---------------------------------------------------------------------------
// One function per kind

static int is_null(const tam_json_node *value) {
  return tam_json_get_kind(value) == TAM_JSON_KIND_NULL;
}

static int read_number(const reader *read, const tam_json_node *value) {
  const param_rule *rule = read->rule;
  double number = tam_json_get_number(value);
  double min = rule->kind == PARAM_COUNT ? 0 : 1;
  double max = rule->kind == PARAM_NUMBER ? rule->max : COUNT_MAX;
  if (rule->kind == PARAM_COUNT && is_null(value)) {
    return 0;
  }
  if (tam_json_get_kind(value) != TAM_JSON_KIND_NUMBER || number < min ||
      number > max || number != (double)(int64_t)number) {
    refuse(read, value, "a whole number from ");
    tam_text_append_number(read->why, min);
    tam_buf_append_text(read->why, " to ");
    tam_text_append_number(read->why, max);
    if (rule->kind == PARAM_COUNT) {
      tam_buf_append_text(read->why, ", or null");
    }
    return TAM_ERR_INVALID_PARAMS;
  }
  if (rule->kind == PARAM_COUNT) {
    *(double *)field_of(read) = number;
  } else {
    *(uint32_t *)field_of(read) =
        number < rule->max ? (uint32_t)number : rule->max;
  }
  return 0;
}

static int read_bool(const reader *read, const tam_json_node *value) {
  if (tam_json_get_kind(value) != TAM_JSON_KIND_BOOL) {
    return refuse(read, value, "true or false");
  }
  *(int *)field_of(read) = tam_json_get_bool(value);
  return 0;
}

// Copies |text| into the block of strings, which never moves, and stores it
// into |*pkept|.
static int keep_text(const reader *read, tam_span text, tam_span *pkept) {
  tam_buf *block = &read->list->text;
  size_t start = block->len;
  tam_buf_append(block, text);
  *pkept = (tam_span){block->data + start, text.len};
  return block->error;
}

static int is_printable(tam_span text) {
  for (size_t i = 0; i < text.len; i++) {
    if (text.ptr[i] < 0x20 || text.ptr[i] == 0x7f) {
      return 0;
    }
  }
  return 1;
}

static int is_text(const tam_json_node *value) {
  tam_span text = tam_json_get_string(value);
  return tam_json_get_kind(value) == TAM_JSON_KIND_STRING &&
         text.len <= TAM_LIST_TEXT_MAX && is_printable(text);
}

static int read_text(const reader *read, const tam_json_node *value) {
  tam_span text = tam_json_get_string(value);
  int is_allowed = is_null(value) || is_text(value);
  if (read->rule->offset == FIELD(token) &&
      !(is_allowed && tam_span_is_visible_ascii(text))) {
    // It goes into a header. A secret is not quoted.
    tam_buf_append_text(read->why, "hfToken must be a string of visible "
                                   "ASCII characters, or null");
    return TAM_ERR_INVALID_PARAMS;
  }
  if (!is_allowed) {
    return refuse(read, value,
                  "a string of at most 2048 bytes without control "
                  "characters, or null");
  }
  return keep_text(read, text, field_of(read));
}

static int read_sort(const reader *read, const tam_json_node *value) {
  if (!is_null(value) && tam_names_find("trendingScore\0"
                                        "downloads\0"
                                        "likes\0"
                                        "createdAt\0"
                                        "lastModified\0",
                                        tam_json_get_string(value)) < 0) {
    return refuse(read, value,
                  "trendingScore, downloads, likes, createdAt, "
                  "lastModified or null");
  }
  return read_text(read, value);
}

static int read_fetch_configs(const reader *read, const tam_json_node *value) {
  int place = tam_names_find("missing\0"
                             "all\0"
                             "never\0",
                             tam_json_get_string(value));
  if (place < 0) {
    return refuse(read, value, "missing, all or never");
  }
  read->list->fetch_configs = (tam_fetch_configs)place;
  return 0;
}

static int add_filter(const reader *read, const tam_json_node *value) {
  tam_span text = tam_json_get_string(value);
  if (!is_text(value) || text.len == 0 ||
      read->list->filter_count == TAM_LIST_FILTERS_MAX) {
    return refuse(read, value, "a tag, an array of at most 16 tags, or null");
  }
  return keep_text(read, text,
                   &read->list->filters[read->list->filter_count++]);
}

static int read_filter(const reader *read, const tam_json_node *value) {
  read->list->filter_count = 0;
  if (tam_json_get_kind(value) != TAM_JSON_KIND_ARRAY) {
    return is_null(value) ? 0 : add_filter(read, value);
  }
  int error = 0;
  const tam_json_node *item = tam_json_get_first(value);
  for (; item != NULL && error == 0; item = tam_json_get_next(item)) {
    error = add_filter(read, item);
  }
  return error;
}

static int read_members(reader *read, const tam_json_node *object,
                        const param_table *table, int is_strict);

static int read_query(const reader *read, const tam_json_node *value) {
  if (is_null(value)) {
    return 0;
  }
  if (tam_json_get_kind(value) != TAM_JSON_KIND_OBJECT) {
    return refuse(read, value,
                  "an object with search, author, filter, "
                  "pipeline_tag or sort");
  }
  reader inner = {.list = read->list, .why = read->why, .prefix = "query."};
  return read_members(&inner, value, &query_table, 1);
}

static int read_param(const reader *read, const tam_json_node *value) {
  switch (read->rule->kind) {
  case PARAM_NUMBER:
  case PARAM_ROWS:
  case PARAM_COUNT:
    return read_number(read, value);
  case PARAM_BOOL:
    return read_bool(read, value);
  case PARAM_TEXT:
    return read_text(read, value);
  case PARAM_SORT:
    return read_sort(read, value);
  case PARAM_FETCH_CONFIGS:
    return read_fetch_configs(read, value);
  case PARAM_FILTER:
    return read_filter(read, value);
  case PARAM_QUERY:
    return read_query(read, value);
  default:
    // Rows travel beside the message; what is left here is not an array.
    return is_null(value)
               ? 0
               : refuse(read, value, "an array of Hub entries, or null");
  }
}

static int refuse_name(const reader *read, const param_table *table) {
  const char *names = table->names;
  tam_buf_append_text(read->why, read->prefix);
  append_head(read->why, read->name);
  tam_buf_append_text(read->why, " is not a parameter; known are ");
  tam_buf_append_text(read->why, names);
  while (*(names = tam_names_at(names, 1)) != '\0') {
    tam_buf_append_text(read->why, ", ");
    tam_buf_append_text(read->why, names);
  }
  return TAM_ERR_INVALID_PARAMS;
}

static int read_members(reader *read, const tam_json_node *object,
                        const param_table *table, int is_strict) {
  const tam_json_node *member = tam_json_get_first(object);
  int error = 0;
  for (; member != NULL && error == 0; member = tam_json_get_next(member)) {
    read->name = tam_json_get_key(member);
    int place = tam_names_find(table->names, read->name);
    if (place >= 0) {
      read->rule = &table->rules[place];
      error = read_param(read, member);
    } else if (is_strict) {
      error = refuse_name(read, table);
    }
  }
  return error;
}

// ---------------------------------------------------------------------------

static void set_defaults(tam_list_params *list) {
  list->max_candidates = 250;
  list->concurrency = 12;
  list->timeout_ms = 10000;
  list->max_listing = TAM_LIST_ROWS_MAX;
  list->page_size = TAM_LIST_PAGE_DEFAULT;
  list->max_parameters = -1;
  list->require_onnx = 1;
  list->filters[0] = TAM_SPAN("onnx");
  list->filter_count = 1;
  list->sort = TAM_SPAN("downloads");
}

int tam_list_params_parse(tam_list_params *list, const tam_json_node *params,
                          int is_strict, tam_buf *why, const tam_mem *mem) {
  memset(list, 0, sizeof(*list));
  tam_buf_init(&list->text, mem, TEXT_TOTAL_MAX);
  set_defaults(list);
  tam_json_kind kind = tam_json_get_kind(params);
  if (kind == TAM_JSON_KIND_MISSING || kind == TAM_JSON_KIND_NULL) {
    return 0;
  }
  reader read = {
      .list = list, .why = why, .prefix = "", .name = TAM_SPAN("params")};
  if (kind != TAM_JSON_KIND_OBJECT) {
    return refuse(&read, params, "an object");
  }
  // Spans point into the block, so it must not grow while it is filled.
  if (tam_buf_grow(&list->text, TEXT_TOTAL_MAX) == NULL) {
    return list->text.error;
  }
  tam_buf_reset(&list->text);
  return read_members(&read, params, &params_table, is_strict);
}

void tam_list_params_free(tam_list_params *list) {
  tam_buf_wipe(&list->text);
}
