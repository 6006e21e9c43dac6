// SPDX-License-Identifier: Apache-2.0
// Theory of operation
// -------------------
// The tokens of a page go through a small machine. |context| names the object
// or array that the tokens are in; there is one function per context:
//
//   TOP -> ROWS -> ROW -> LFS -> ROW -> ROWS
//
// Members that do not count are skipped at their key, values of the wrong kind
// at their first token. The text of tokens lies in the piece or in the scratch
// buffer, so whatever is kept of it is saved at once. A member that comes again
// replaces what it said before, also with nothing; so a row is judged at its
// end.
#include "store/tree_scan.h"

#include "core/hex.h"
#include "core/json_scan.h"
#include "core/mem.h"
#include "core/number.h"
#include "core/span.h"

#include <string.h>

enum { CONTEXT_TOP = 0, CONTEXT_ROWS, CONTEXT_ROW, CONTEXT_LFS };

// The members that count.
enum {
  FIELD_OTHER = 0,
  FIELD_TYPE,
  FIELD_PATH,
  FIELD_SIZE,
  FIELD_OID,
  FIELD_LFS
};

enum { TYPE_OTHER = 0, TYPE_FILE, TYPE_DIRECTORY };

// The size of a file that has not said it.
#define SIZE_NONE (-1.0)

// What a file or its |lfs| says about the bytes.
typedef struct content {
  double size; // or SIZE_NONE
  int has_oid;
  uint8_t oid[TAM_SHA256_SIZE]; // the longest of them
} content;

// The row in work.
typedef struct tree_row {
  int type;
  size_t path_len; // 0: none, or one that no file can have
  content git;
  int has_lfs; // also when |lfs| is of the wrong kind: nothing is known then
  content lfs;
  uint8_t path[TAM_HUB_PATH_MAX];
} tree_row;

struct tam_tree_scan {
  const tam_mem *mem;
  tam_tree_sink sink;
  int error; // sticky
  int context;
  int field;         // of the last key
  size_t page_bytes; // of the page so far
  uint32_t rows;     // of the listing so far
  tree_row row;
  tam_json_scan json;
  uint8_t scratch[TAM_HUB_PATH_MAX * TAM_JSON_ESCAPE_RATIO];
};

// ---------------------------------------------------------------------------
// Tokens

// Returns the text of the last token, or nothing if |token| is not |wanted| or
// its text is longer than the longest path. All other texts are shorter.
static tam_span token_text(tam_tree_scan *scan, int token, int wanted) {
  tam_span text = TAM_SPAN_NONE;
  if (token != wanted ||
      !tam_json_scan_text(&scan->json, TAM_HUB_PATH_MAX, &text)) {
    return TAM_SPAN_NONE;
  }
  return text;
}

// Returns the size that the last token stands for, or SIZE_NONE.
static double token_size(tam_tree_scan *scan, int token) {
  tam_span text = token_text(scan, token, TAM_JSON_NUMBER);
  double size = tam_number_of(text);
  int is_size = text.len > 0 && size >= 0 &&
                size <= (double)TAM_FILE_SIZE_MAX &&
                size == (double)(uint64_t)size;
  return is_size ? size : SIZE_NONE;
}

// A container that nobody wants to look into.
static void skip_container(tam_tree_scan *scan, int token) {
  if (token == TAM_JSON_OBJECT || token == TAM_JSON_ARRAY) {
    tam_json_scan_skip(&scan->json);
  }
}

static int field_of(tam_span key) {
  static const char *const names[] = {"type", "path", "size", "oid", "lfs"};
  for (int i = 0; i < FIELD_LFS; i++) {
    if (tam_span_is(key, names[i])) {
      return FIELD_TYPE + i;
    }
  }
  return FIELD_OTHER;
}

// ---------------------------------------------------------------------------
// Rows

static void content_clear(content *about) {
  about->size = SIZE_NONE;
  about->has_oid = 0;
}

static void row_clear(tree_row *row) {
  row->type = TYPE_OTHER;
  row->path_len = 0;
  row->has_lfs = 0;
  content_clear(&row->git);
  content_clear(&row->lfs);
}

static int report_flaw(tam_tree_scan *scan, tam_tree_flaw flaw) {
  tam_span path = {scan->row.path, scan->row.path_len};
  return scan->sink.on_flaw(scan->sink.user_data, flaw, path);
}

static int report_file(tam_tree_scan *scan) {
  const tree_row *row = &scan->row;
  const content *about = row->has_lfs ? &row->lfs : &row->git;
  if (row->path_len == 0) {
    return report_flaw(scan, TAM_TREE_FLAW_PATH);
  }
  if (about->size < 0) {
    return report_flaw(scan, TAM_TREE_FLAW_SIZE);
  }
  if (!about->has_oid) {
    return report_flaw(scan, TAM_TREE_FLAW_DIGEST);
  }
  tam_tree_file file = {
      {row->path, row->path_len},
      (uint64_t)about->size,
      row->has_lfs ? TAM_TREE_SHA256 : TAM_TREE_GIT_BLOB,
      {about->oid, row->has_lfs ? TAM_SHA256_SIZE : TAM_SHA1_SIZE}};
  return scan->sink.on_file(scan->sink.user_data, &file);
}

// Judges the row and reports it.
static int end_row(tam_tree_scan *scan) {
  if (scan->rows == TAM_TREE_ROWS_MAX) {
    return TAM_ERR_TOO_LARGE;
  }
  scan->rows++;
  switch (scan->row.type) {
  case TYPE_FILE:
    return report_file(scan);
  case TYPE_DIRECTORY:
    return 0;
  default:
    return report_flaw(scan, TAM_TREE_FLAW_TYPE);
  }
}

// ---------------------------------------------------------------------------
// Values

static void take_type(tam_tree_scan *scan, int token) {
  tam_span type = token_text(scan, token, TAM_JSON_STRING);
  scan->row.type = tam_span_is(type, "file")        ? TYPE_FILE
                   : tam_span_is(type, "directory") ? TYPE_DIRECTORY
                                                    : TYPE_OTHER;
}

static void take_path(tam_tree_scan *scan, int token) {
  tam_span path = token_text(scan, token, TAM_JSON_STRING);
  scan->row.path_len = 0;
  if (tam_hub_path_check(path) == 0) {
    tam_text_copy(scan->row.path, path);
    scan->row.path_len = path.len;
  }
}

// Takes a size or a digest of |digest_len| bytes.
static void take_content(tam_tree_scan *scan, int token, content *about,
                         size_t digest_len) {
  if (scan->field == FIELD_SIZE) {
    about->size = token_size(scan, token);
  } else {
    tam_span text = token_text(scan, token, TAM_JSON_STRING);
    about->has_oid = tam_hex_read(text, about->oid, digest_len);
  }
}

// Only null is the same as no |lfs|. Of anything else but an object nothing is
// known: it must not pass for a file in git.
static void begin_lfs(tam_tree_scan *scan, int token) {
  scan->row.has_lfs = token != TAM_JSON_NULL;
  content_clear(&scan->row.lfs);
  if (token == TAM_JSON_OBJECT) {
    scan->context = CONTEXT_LFS;
  } else {
    skip_container(scan, token);
  }
}

static void take_row_value(tam_tree_scan *scan, int token) {
  switch (scan->field) {
  case FIELD_LFS:
    begin_lfs(scan, token);
    return;
  case FIELD_TYPE:
    take_type(scan, token);
    break;
  case FIELD_PATH:
    take_path(scan, token);
    break;
  default:
    take_content(scan, token, &scan->row.git, TAM_SHA1_SIZE);
    break;
  }
  skip_container(scan, token);
}

// ---------------------------------------------------------------------------
// Contexts

static void in_top(tam_tree_scan *scan, int token) {
  if (token == TAM_JSON_ARRAY) {
    scan->context = CONTEXT_ROWS;
  } else {
    scan->error = TAM_ERR_UNEXPECTED_SHAPE;
  }
}

// Other elements than objects are rows without a member.
static void in_rows(tam_tree_scan *scan, int token) {
  if (token == TAM_JSON_ARRAY_END) {
    return;
  }
  row_clear(&scan->row);
  if (token == TAM_JSON_OBJECT) {
    scan->context = CONTEXT_ROW;
    return;
  }
  skip_container(scan, token);
  scan->error = end_row(scan);
}

static void in_row(tam_tree_scan *scan, int token) {
  if (token == TAM_JSON_OBJECT_END) {
    scan->context = CONTEXT_ROWS;
    scan->error = end_row(scan);
  } else if (token == TAM_JSON_KEY) {
    scan->field = field_of(token_text(scan, token, TAM_JSON_KEY));
    if (scan->field == FIELD_OTHER) {
      tam_json_scan_skip(&scan->json);
    }
  } else {
    take_row_value(scan, token);
  }
}

static void in_lfs(tam_tree_scan *scan, int token) {
  if (token == TAM_JSON_OBJECT_END) {
    scan->context = CONTEXT_ROW;
  } else if (token == TAM_JSON_KEY) {
    scan->field = field_of(token_text(scan, token, TAM_JSON_KEY));
    if (scan->field != FIELD_SIZE && scan->field != FIELD_OID) {
      tam_json_scan_skip(&scan->json);
    }
  } else {
    take_content(scan, token, &scan->row.lfs, TAM_SHA256_SIZE);
    skip_container(scan, token);
  }
}

static void take_token(tam_tree_scan *scan, int token) {
  switch (scan->context) {
  case CONTEXT_TOP:
    in_top(scan, token);
    break;
  case CONTEXT_ROWS:
    in_rows(scan, token);
    break;
  case CONTEXT_ROW:
    in_row(scan, token);
    break;
  default:
    in_lfs(scan, token);
    break;
  }
}

// ---------------------------------------------------------------------------
// Interface

static void begin_page(tam_tree_scan *scan) {
  tam_json_scan_reset(&scan->json);
  scan->context = CONTEXT_TOP;
  scan->page_bytes = 0;
}

int tam_tree_scan_new(tam_tree_scan **pscan, const tam_tree_sink *sink,
                      const tam_mem *mem) {
  tam_tree_scan *scan = tam_mem_malloc(mem, sizeof(*scan));
  if (scan == NULL) {
    return TAM_ERR_OUT_OF_MEMORY;
  }
  scan->mem = mem;
  scan->sink = *sink;
  tam_json_scan_init(&scan->json, scan->scratch, sizeof(scan->scratch));
  tam_tree_scan_reset(scan);
  *pscan = scan;
  return 0;
}

void tam_tree_scan_del(tam_tree_scan *scan) {
  if (scan != NULL) {
    tam_mem_free(scan->mem, scan);
  }
}

void tam_tree_scan_reset(tam_tree_scan *scan) {
  scan->rows = 0;
  scan->error = 0;
  begin_page(scan);
}

// Scans |data|, which the cap allows.
static int scan_piece(tam_tree_scan *scan, tam_span data) {
  scan->page_bytes += data.len;
  tam_json_scan_input(&scan->json, data);
  for (;;) {
    int token = tam_json_scan_next(&scan->json);
    if (token <= 0) {
      return token;
    }
    take_token(scan, token);
    if (scan->error != 0) {
      return scan->error;
    }
  }
}

int tam_tree_scan_feed(tam_tree_scan *scan, tam_span data) {
  if (scan->error != 0) {
    return scan->error;
  }
  // All that the cap allows is scanned first: the cut of the pieces must not
  // change what is reported.
  tam_span head = tam_span_head(data, TAM_TREE_PAGE_MAX - scan->page_bytes);
  scan->error = scan_piece(scan, head);
  if (scan->error == 0 && head.len < data.len) {
    scan->error = TAM_ERR_TOO_LARGE;
  }
  return scan->error;
}

int tam_tree_scan_end(tam_tree_scan *scan) {
  if (scan->error == 0) {
    scan->error = tam_json_scan_end(&scan->json);
  }
  if (scan->error == 0 && scan->context == CONTEXT_TOP) {
    scan->error = TAM_ERR_UNEXPECTED_SHAPE; // a number
  }
  if (scan->error == 0) {
    begin_page(scan);
  }
  return scan->error;
}

double tam_tree_scan_offset(const tam_tree_scan *scan) {
  return tam_json_scan_offset(&scan->json);
}
