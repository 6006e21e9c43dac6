// SPDX-License-Identifier: Apache-2.0
// Theory of operation
// -------------------
// The tokens of a page go through a small machine. |context| names the object
// or array that the tokens are in; there is one function per context:
//
//   TOP -> ROWS -> ROW -> TAGS | SIBLINGS -> SIBLING | CONFIG | TOTAL -> ROW
//          ROWS -> NO_ROW -> ROWS
//
// Members that do not count are skipped at their key, values of the wrong kind
// at their first token. The text of tokens may lie in the scanner's scratch
// buffer, so whatever is kept of it is saved at once.
#include "hub/listing_scan.h"

#include "core/mem.h"
#include "core/span.h"
#include "hub/listing_build.h"
#include "hub/listing_fast.h"

#include <string.h>

enum {
  CONTEXT_TOP = 0,
  CONTEXT_ROWS,
  CONTEXT_ROW,
  CONTEXT_TAGS,
  CONTEXT_SIBLINGS,
  CONTEXT_SIBLING,
  CONTEXT_CONFIG,
  CONTEXT_TOTAL,
  CONTEXT_NO_ROW
};

struct tam_listing_scan {
  const tam_mem *mem;
  tam_listing_on_row on_row;
  void *user_data;
  int error; // sticky, of the shape or of on_row
  int context;
  tam_row_field field; // of the last key of the row
  size_t name_len;
  tam_json_scan json;
  tam_listing_build build;
  tam_listing_fast fast;
  uint8_t name[TAM_ROW_STRING_MAX]; // the file name of the sibling
  uint8_t scratch[TAM_ROW_STRING_MAX * TAM_JSON_ESCAPE_RATIO];
};

// ---------------------------------------------------------------------------
// Tokens

// Returns the text of the last token, or nothing if |token| is not |wanted| or
// its text is too long.
static tam_span token_text(tam_listing_scan *scan, int token, int wanted) {
  tam_span text = TAM_SPAN_NONE;
  if (token != wanted ||
      !tam_json_scan_text(&scan->json, TAM_ROW_STRING_MAX, &text)) {
    return TAM_SPAN_NONE;
  }
  return text;
}

// Returns the count that the last token stands for, or -1.
static double token_count(tam_listing_scan *scan, int token) {
  return tam_row_count_of(token_text(scan, token, TAM_JSON_NUMBER));
}

// A container that nobody wants to look into.
static void skip_container(tam_listing_scan *scan, int token) {
  if (token == TAM_JSON_OBJECT || token == TAM_JSON_ARRAY) {
    tam_json_scan_skip(&scan->json);
  }
}

// ---------------------------------------------------------------------------
// Contexts

static void in_top(tam_listing_scan *scan, int token) {
  if (token == TAM_JSON_ARRAY) {
    scan->context = CONTEXT_ROWS;
  } else {
    scan->error = TAM_ERR_UNEXPECTED_SHAPE;
  }
}

static void take_row_key(tam_listing_scan *scan) {
  scan->field = tam_row_field_of(token_text(scan, TAM_JSON_KEY, TAM_JSON_KEY));
  if (scan->field.kind == TAM_ROW_KIND_OTHER) {
    tam_json_scan_skip(&scan->json);
  }
}

// A value that is an array or object where one is wanted. Returns the context
// of what is inside, or CONTEXT_ROW.
static int enter_value(tam_listing_scan *scan, int token) {
  tam_listing_build *build = &scan->build;
  switch (scan->field.kind) {
  case TAM_ROW_KIND_TAGS:
    tam_listing_build_begin_tags(build);
    return token == TAM_JSON_ARRAY ? CONTEXT_TAGS : CONTEXT_ROW;
  case TAM_ROW_KIND_SIBLINGS:
    tam_listing_build_begin_siblings(build, token == TAM_JSON_ARRAY);
    return token == TAM_JSON_ARRAY ? CONTEXT_SIBLINGS : CONTEXT_ROW;
  case TAM_ROW_KIND_TOTAL:
    build->numbers[scan->field.index] = -1;
    return token == TAM_JSON_OBJECT ? CONTEXT_TOTAL : CONTEXT_ROW;
  case TAM_ROW_KIND_CONFIG:
    if (token == TAM_JSON_OBJECT) {
      tam_config_reader_begin(&build->config);
      return CONTEXT_CONFIG;
    }
    tam_config_reader_clear(&build->config);
    return CONTEXT_ROW;
  default:
    return CONTEXT_ROW;
  }
}

static void take_scalar(tam_listing_scan *scan, int token) {
  tam_listing_build *build = &scan->build;
  tam_span text;
  switch (scan->field.kind) {
  case TAM_ROW_KIND_TEXT:
    text = token_text(scan, token, TAM_JSON_STRING);
    tam_listing_build_set_text(build, scan->field.index, text);
    tam_listing_build_save(build);
    break;
  case TAM_ROW_KIND_NUMBER:
    build->numbers[scan->field.index] = token_count(scan, token);
    break;
  case TAM_ROW_KIND_FLAG:
    build->flags[scan->field.index] = token == TAM_JSON_TRUE;
    break;
  case TAM_ROW_KIND_GATED:
    build->gated = tam_row_gated_of(token_text(scan, token, TAM_JSON_STRING));
    break;
  default:
    break;
  }
}

static void end_row(tam_listing_scan *scan) {
  const tam_listing_row *row = tam_listing_build_row(&scan->build);
  scan->context = CONTEXT_ROWS;
  scan->error = scan->on_row(scan->user_data, row);
}

// Other elements than objects are rows without a member. They count like all
// others when they are over.
static void in_rows(tam_listing_scan *scan, int token) {
  if (scan->context == CONTEXT_NO_ROW) {
    end_row(scan);
  }
  if (token == TAM_JSON_ARRAY_END) {
    return;
  }
  tam_listing_build_reset(&scan->build);
  if (token == TAM_JSON_OBJECT) {
    scan->context = CONTEXT_ROW;
    return;
  }
  scan->context = CONTEXT_NO_ROW;
  skip_container(scan, token);
}

static void in_row(tam_listing_scan *scan, int token) {
  if (token == TAM_JSON_KEY) {
    take_row_key(scan);
    return;
  }
  if (token == TAM_JSON_OBJECT_END) {
    end_row(scan);
    return;
  }
  take_scalar(scan, token);
  scan->context = enter_value(scan, token);
  if (scan->context == CONTEXT_ROW) {
    skip_container(scan, token);
  }
}

static void in_tags(tam_listing_scan *scan, int token) {
  if (token == TAM_JSON_ARRAY_END) {
    scan->context = CONTEXT_ROW;
    return;
  }
  tam_span tag = token_text(scan, token, TAM_JSON_STRING);
  tam_listing_build_add_tag(&scan->build, tag);
  tam_listing_build_save(&scan->build);
  skip_container(scan, token);
}

static void in_siblings(tam_listing_scan *scan, int token) {
  if (token == TAM_JSON_ARRAY_END) {
    scan->context = CONTEXT_ROW;
  } else if (token == TAM_JSON_OBJECT) {
    scan->context = CONTEXT_SIBLING;
    scan->name_len = 0;
  } else {
    skip_container(scan, token);
  }
}

static void end_sibling(tam_listing_scan *scan) {
  tam_span name = {scan->name, scan->name_len};
  scan->context = CONTEXT_SIBLINGS;
  tam_listing_build_add_file(&scan->build, name, tam_file_kind(name));
  tam_listing_build_save(&scan->build);
}

static void in_sibling(tam_listing_scan *scan, int token) {
  if (token == TAM_JSON_OBJECT_END) {
    end_sibling(scan);
    return;
  }
  if (token == TAM_JSON_KEY) {
    tam_span key = token_text(scan, token, TAM_JSON_KEY);
    if (!tam_span_eq(key, TAM_SPAN("rfilename"))) {
      tam_json_scan_skip(&scan->json);
    }
    return;
  }
  tam_span name = token_text(scan, token, TAM_JSON_STRING);
  scan->name_len = name.len;
  if (name.len != 0) {
    memcpy(scan->name, name.ptr, name.len);
  }
  skip_container(scan, token);
}

static void in_config(tam_listing_scan *scan, int token) {
  if (tam_config_reader_take(&scan->build.config, &scan->json, token)) {
    scan->context = CONTEXT_ROW;
  }
}

static void in_total(tam_listing_scan *scan, int token) {
  if (token == TAM_JSON_OBJECT_END) {
    scan->context = CONTEXT_ROW;
    return;
  }
  if (token == TAM_JSON_KEY) {
    tam_span key = token_text(scan, token, TAM_JSON_KEY);
    if (!tam_span_eq(key, TAM_SPAN("total"))) {
      tam_json_scan_skip(&scan->json);
    }
    return;
  }
  scan->build.numbers[scan->field.index] = token_count(scan, token);
  skip_container(scan, token);
}

static void take_token(tam_listing_scan *scan, int token) {
  switch (scan->context) {
  case CONTEXT_TOP:
    in_top(scan, token);
    break;
  case CONTEXT_ROWS:
  case CONTEXT_NO_ROW:
    in_rows(scan, token);
    break;
  case CONTEXT_ROW:
    in_row(scan, token);
    break;
  case CONTEXT_TAGS:
    in_tags(scan, token);
    break;
  case CONTEXT_SIBLINGS:
    in_siblings(scan, token);
    break;
  case CONTEXT_SIBLING:
    in_sibling(scan, token);
    break;
  case CONTEXT_CONFIG:
    in_config(scan, token);
    break;
  default:
    in_total(scan, token);
    break;
  }
}

// ---------------------------------------------------------------------------
// The fast way

// Where the fast way may begin or has ended: the context, how deep it is
// nested, and in what (see tam_json_scan_jump).
static const struct {
  int context;
  unsigned depth;
  unsigned nest;
} places[] = {
    [TAM_LEVEL_ROWS] = {CONTEXT_ROWS, 1, 0x0},
    [TAM_LEVEL_ROW] = {CONTEXT_ROW, 2, 0x2},
    [TAM_LEVEL_TAGS] = {CONTEXT_TAGS, 3, 0x2},
    [TAM_LEVEL_SIBLINGS] = {CONTEXT_SIBLINGS, 3, 0x2},
};

static int is_fast_context(int context) {
  return context == CONTEXT_ROWS || context == CONTEXT_ROW ||
         context == CONTEXT_TAGS || context == CONTEXT_SIBLINGS;
}

static tam_listing_level level_of(int context) {
  switch (context) {
  case CONTEXT_ROWS:
    return TAM_LEVEL_ROWS;
  case CONTEXT_ROW:
    return TAM_LEVEL_ROW;
  case CONTEXT_TAGS:
    return TAM_LEVEL_TAGS;
  default:
    return TAM_LEVEL_SIBLINGS;
  }
}

// Walks over what lies whole in the piece, when the scan stands at a place
// where that can begin. Returns 1 when it got any further.
static int walk_listing(tam_listing_scan *scan) {
  tam_json_scan *json = &scan->json;
  tam_listing_fast *fast = &scan->fast;
  const uint8_t *at;
  const uint8_t *guard;
  if (!is_fast_context(scan->context) ||
      !tam_json_scan_walk(json, &at, &guard)) {
    return 0;
  }
  tam_listing_fast_walk(fast, at, guard, level_of(scan->context));
  scan->error = fast->error;
  scan->context = places[fast->level].context;
  tam_json_scan_jump(json, fast->at, places[fast->level].depth,
                     places[fast->level].nest);
  return fast->at != at && scan->error == 0;
}

static void walk(tam_listing_scan *scan) {
  if (scan->context == CONTEXT_CONFIG) {
    tam_config_reader_walk(&scan->build.config, &scan->json);
  }
  while (walk_listing(scan)) {
  }
}

// ---------------------------------------------------------------------------
// Interface

int tam_listing_scan_new(tam_listing_scan **pscan, tam_listing_on_row on_row,
                         void *user_data, const tam_mem *mem) {
  tam_listing_scan *scan = tam_mem_malloc(mem, sizeof(*scan));
  if (scan == NULL) {
    return TAM_ERR_OUT_OF_MEMORY;
  }
  scan->mem = mem;
  scan->on_row = on_row;
  scan->user_data = user_data;
  tam_json_scan_init(&scan->json, scan->scratch, sizeof(scan->scratch));
  tam_listing_build_init(&scan->build);
  tam_listing_fast_init(&scan->fast, &scan->build, on_row, user_data);
  tam_listing_scan_reset(scan);
  *pscan = scan;
  return 0;
}

void tam_listing_scan_del(tam_listing_scan *scan) {
  if (scan != NULL) {
    tam_mem_free(scan->mem, scan);
  }
}

void tam_listing_scan_reset(tam_listing_scan *scan) {
  tam_json_scan_reset(&scan->json);
  tam_listing_build_reset(&scan->build);
  scan->error = 0;
  scan->context = CONTEXT_TOP;
}

int tam_listing_scan_feed(tam_listing_scan *scan, tam_span data) {
  if (scan->error != 0) {
    return scan->error;
  }
  int token;
  tam_json_scan_input(&scan->json, data);
  do {
    walk(scan);
    if (scan->error != 0) {
      return scan->error;
    }
    token = tam_json_scan_next(&scan->json);
    if (token > 0) {
      take_token(scan, token);
    }
  } while (token > 0 && scan->error == 0);
  tam_listing_build_save(&scan->build);
  return scan->error != 0 ? scan->error : token;
}

int tam_listing_scan_end(tam_listing_scan *scan) {
  if (scan->error == 0) {
    scan->error = tam_json_scan_end(&scan->json);
  }
  if (scan->error == 0 && scan->context == CONTEXT_TOP) {
    scan->error = TAM_ERR_UNEXPECTED_SHAPE; // a number
  }
  return scan->error;
}

double tam_listing_scan_offset(const tam_listing_scan *scan) {
  return tam_json_scan_offset(&scan->json);
}
