// SPDX-License-Identifier: Apache-2.0
// The files of a repository as the tree API tells them: what is a file, what is
// a flaw, and that it does not matter how the page is cut.
#include "store/tree_scan.h"

#include "core/hex.h"
#include "core/json_scan.h"
#include "scan_pieces.h"

#define OID_1 "b4d1e0a5c6f70819a2b3c4d5e6f708192a3b4c5d"
#define OID_2 "0000000000000000000000000000000000000000"
#define OID_L "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
#define OID_L2                                                                 \
  "ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff"

#define GIT_END    " " OID_1 "\n"
#define GIT_ROW    "\"type\":\"file\",\"size\":5,\"oid\":\"" OID_1 "\""
#define PATH_ROW   "\"type\":\"file\",\"path\":\"a\""
#define LFS_PREFIX PATH_ROW ",\"oid\":\"" OID_1 "\",\"size\":131,\"lfs\":"

// What was reported, a line each.
typedef struct tree_log {
  char text[8192];
  size_t len;
  int left;  // reports until one fails; negative: none does
  int error; // that one's
} tree_log;

static int log_line(tree_log *log, const char *word, tam_span path,
                    const char *rest) {
  size_t room = sizeof(log->text) - log->len;
  log->len += (size_t)snprintf(
      log->text + log->len, room, "%s %.*s%s", word, (int)path.len,
      path.len > 0 ? (const char *)path.ptr : "", rest);
  return log->left >= 0 && log->left-- == 0 ? log->error : 0;
}

static int on_file(void *user_data, const tam_tree_file *file) {
  char digest[2 * TAM_SHA256_SIZE + 1] = "";
  char rest[128];
  int is_lfs = file->digest_kind == TAM_TREE_SHA256;
  CHECK_INT(file->digest.len, is_lfs ? 32 : 20);
  CHECK_INT(tam_hub_path_check(file->path), 0);
  tam_hex_write((uint8_t *)digest, file->digest);
  snprintf(rest, sizeof(rest), " %llu %s\n", (unsigned long long)file->size,
           digest);
  return log_line(user_data, is_lfs ? "lfs" : "git", file->path, rest);
}

static int on_flaw(void *user_data, tam_tree_flaw flaw, tam_span path) {
  static const char *const words[] = {"no-type", "no-path", "no-size",
                                      "no-digest"};
  return log_line(user_data, words[flaw], path, "\n");
}

static tam_tree_scan *scan_new(tree_log *log) {
  static tam_mem mem; // the scanner keeps it
  mem = tam_mem_default();
  tam_tree_scan *scan = NULL;
  tam_tree_sink sink = {on_file, on_flaw, log};
  memset(log, 0, sizeof(*log));
  log->left = -1;
  CHECK_INT(tam_tree_scan_new(&scan, &sink, &mem), 0);
  return scan;
}

static int feed(void *scan, tam_span piece) {
  return tam_tree_scan_feed(scan, piece);
}

static void check_cut(tam_tree_scan *scan, tree_log *log, tam_span text,
                      size_t first, size_t step, const char *expected) {
  log->len = 0;
  log->text[0] = '\0';
  tam_tree_scan_reset(scan);
  CHECK_INT(feed_pieces(feed, scan, text, first, step), 0);
  CHECK(tam_tree_scan_offset(scan) == (double)text.len);
  CHECK_INT(tam_tree_scan_end(scan), 0);
  if (strcmp(log->text, expected) != 0) {
    printf("cut at %zu, then every %zu:\n%s", first, step, log->text);
    CHECK(0);
  }
}

// |json| gives |expected|, however it is cut.
static void check_page(const char *json, const char *expected) {
  tree_log log;
  tam_tree_scan *scan = scan_new(&log);
  tam_span text = tam_span_of(json);
  for (size_t first = 1; first <= text.len; first++) {
    check_cut(scan, &log, text, first, text.len, expected);
  }
  for (size_t step = 1; step <= 7; step++) {
    check_cut(scan, &log, text, step, step, expected);
  }
  tam_tree_scan_del(scan);
}

static void test_a_page_as_the_hub_sends_it(void) {
  check_page(
      "[{\"type\":\"directory\",\"oid\":\"" OID_2
      "\",\"size\":0,\"path\":\"onnx\"},"
      "{\"type\":\"file\",\"oid\":\"" OID_1 "\",\"size\":1519,"
      "\"path\":\".gitattributes\"},"
      "{\"type\":\"file\",\"oid\":\"" OID_2 "\",\"size\":655272,"
      "\"lfs\":{\"oid\":\"" OID_L "\",\"size\":655272,\"pointerSize\":131},"
      "\"xetHash\":\"" OID_L2 "\",\"path\":\"onnx/model_q4f16.onnx\"},"
      "{\"type\":\"file\",\"oid\":\"" OID_2 "\",\"size\":4990742016,"
      "\"lfs\":{\"oid\":\"" OID_L2 "\",\"size\":4990742016,"
      "\"pointerSize\":135},\"path\":\"onnx/model_q4f16.onnx_data\","
      "\"lastCommit\":{\"id\":\"x\",\"path\":\"no\",\"lfs\":{\"oid\":1}},"
      "\"securityFileStatus\":{\"status\":\"safe\",\"scans\":[[],{}]}}]",
      "git .gitattributes 1519 " OID_1 "\n"
      "lfs onnx/model_q4f16.onnx 655272 " OID_L "\n"
      "lfs onnx/model_q4f16.onnx_data 4990742016 " OID_L2 "\n");
}

static void test_an_empty_page(void) {
  check_page("[]", "");
  check_page(" [ ] \n", "");
  check_page("\xef\xbb\xbf[]", "");
}

static void test_members_in_another_order(void) {
  check_page("[{\"lfs\":{\"pointerSize\":1,\"size\":7,\"oid\":\"" OID_L "\"},"
             "\"path\":\"a\",\"size\":131,\"oid\":\"" OID_1
             "\",\"type\":\"file\"}]",
             "lfs a 7 " OID_L "\n");
}

static void test_the_size_is_that_of_the_file_and_not_of_its_pointer(void) {
  check_page("[{" LFS_PREFIX "{\"oid\":\"" OID_L "\",\"size\":9000,"
             "\"pointerSize\":131}}]",
             "lfs a 9000 " OID_L "\n");
  check_page("[{" PATH_ROW ",\"lfs\":{\"oid\":\"" OID_L "\",\"size\":0}}]",
             "lfs a 0 " OID_L "\n");
}

static void test_the_last_of_equal_members_counts(void) {
  check_page("[{" GIT_ROW ",\"path\":\"a\",\"path\":\"b\"}]",
             "git b 5" GIT_END);
  check_page("[{" GIT_ROW ",\"path\":\"a\",\"path\":7}]", "no-path \n");
  check_page("[{" GIT_ROW ",\"path\":\"a\",\"path\":\"../a\"}]", "no-path \n");
  check_page("[{" GIT_ROW ",\"path\":\"../a\",\"path\":\"a\"}]",
             "git a 5" GIT_END);
  check_page("[{" GIT_ROW ",\"path\":\"a\",\"size\":6}]", "git a 6" GIT_END);
  check_page("[{" GIT_ROW ",\"path\":\"a\",\"size\":null}]", "no-size a\n");
  check_page("[{" GIT_ROW ",\"path\":\"a\",\"oid\":\"" OID_2 "\"}]",
             "git a 5 " OID_2 "\n");
  check_page("[{" GIT_ROW ",\"path\":\"a\",\"oid\":[\"" OID_2 "\"]}]",
             "no-digest a\n");
  check_page("[{" GIT_ROW ",\"path\":\"a\",\"type\":\"directory\"}]", "");
  check_page("[{" GIT_ROW ",\"path\":\"a\",\"type\":{\"type\":\"file\"}}]",
             "no-type a\n");
}

static void test_the_last_lfs_counts_alone(void) {
  check_page("[{" LFS_PREFIX "{\"oid\":\"" OID_L "\",\"size\":7},"
             "\"lfs\":{\"oid\":\"" OID_L2 "\",\"size\":8}}]",
             "lfs a 8 " OID_L2 "\n");
  check_page("[{" LFS_PREFIX "{\"oid\":\"" OID_L "\",\"size\":7},"
             "\"lfs\":{\"oid\":\"" OID_L2 "\"}}]",
             "no-size a\n");
  check_page("[{" LFS_PREFIX "{\"oid\":\"" OID_L "\",\"size\":7},"
             "\"lfs\":null}]",
             "git a 131" GIT_END);
  check_page("[{" LFS_PREFIX "{\"oid\":\"" OID_L "\",\"oid\":\"" OID_1
             "\",\"size\":7}}]",
             "no-digest a\n");
  check_page("[{" LFS_PREFIX "{\"size\":{\"size\":1},\"oid\":\"" OID_L
             "\",\"size\":7}}]",
             "lfs a 7 " OID_L "\n");
}

// What means something in a row means nothing in its |lfs|.
static void test_other_members_of_lfs(void) {
  check_page("[{" LFS_PREFIX "{\"oid\":\"" OID_L "\",\"size\":7,"
             "\"path\":\"b\",\"type\":\"directory\",\"lfs\":{\"oid\":\"" OID_L2
             "\",\"size\":8}}}]",
             "lfs a 7 " OID_L "\n");
}

// The git digest is that of the pointer: never taken for that of the file.
static void test_an_lfs_of_no_use_is_not_ignored(void) {
  check_page("[{" LFS_PREFIX "{}}]", "no-size a\n");
  check_page("[{" LFS_PREFIX "{\"size\":7}}]", "no-digest a\n");
  check_page("[{" LFS_PREFIX "{\"oid\":\"" OID_L "\"}}]", "no-size a\n");
  check_page("[{" LFS_PREFIX "{\"oid\":\"" OID_1 "\",\"size\":7}}]",
             "no-digest a\n");
  check_page("[{" LFS_PREFIX "[{\"oid\":\"" OID_L "\",\"size\":7}]}]",
             "no-size a\n");
  check_page("[{" LFS_PREFIX "true}]", "no-size a\n");
  check_page("[{" LFS_PREFIX "\"" OID_L "\"}]", "no-size a\n");
}

static void test_rows_that_are_no_files(void) {
  check_page("[null,1.5,\"a\",true,[{" GIT_ROW ",\"path\":\"a\"}],{}]",
             "no-type \nno-type \nno-type \nno-type \nno-type \nno-type \n");
  check_page("[{\"path\":\"a\",\"size\":5,\"oid\":\"" OID_1 "\"}]",
             "no-type a\n");
  check_page("[{\"type\":\"commit\",\"path\":\"a\"},{\"type\":\"File\"},"
             "{\"type\":\"files\"},{\"type\":\"fil\"},{\"type\":\"\"}]",
             "no-type a\nno-type \nno-type \nno-type \nno-type \n");
  // Of a directory nothing else matters.
  check_page("[{\"type\":\"directory\"},{\"type\":\"directory\","
             "\"path\":\"..\",\"lfs\":[]}]",
             "");
}

static void test_paths_that_name_no_file(void) {
  static const char *const paths[] = {
      "null",         "1",           "{\"a\":1}",
      "[\"a\"]",      "\"\"",        "\"/a\"",
      "\"a/\"",       "\"a//b\"",    "\".\"",
      "\"..\"",       "\"a/../b\"",  "\"a/./b\"",
      "\"a\\\\b\"",   "\"a\\nb\"",   "\"\\u0000\"",
      "\"a\\u007f\"", "\"\\u0085\"", "\"a\\/..\\/b\"",
      "\"\\u002e.\""};
  for (size_t i = 0; i < sizeof(paths) / sizeof(*paths); i++) {
    char json[256];
    snprintf(json, sizeof(json), "[{" GIT_ROW ",\"path\":%s}]", paths[i]);
    check_page(json, "no-path \n");
  }
  check_page("[{" GIT_ROW "}]", "no-path \n");
}

static void test_escapes(void) {
  check_page("[{" GIT_ROW ",\"path\":\"a b\\u0020\\\"\\/\\u00e9\\ud83d\\ude00"
             "\xc3\xa9\"}]",
             "git a b \"/\xc3\xa9\xf0\x9f\x98\x80\xc3\xa9 5" GIT_END);
  check_page("[{" GIT_ROW ",\"path\":\"\\ud800x\"}]",
             "git \xef\xbf\xbdx 5" GIT_END);
  check_page("[{\"t\\u0079pe\":\"\\u0066ile\",\"\\u0070ath\":\"a\","
             "\"size\":1,\"oid\":\"\\u0062"
             "4d1e0a5c6f70819a2b3c4d5e6f708192a3b4c5d\"}]",
             "git a 1" GIT_END);
}

typedef struct size_row {
  const char *json;
  const char *expected;
} size_row;

static void test_sizes(void) {
  static const size_row rows[] = {
      {"0", "git a 0" GIT_END},
      {"-0", "git a 0" GIT_END},
      {"1e3", "git a 1000" GIT_END},
      {"5.0", "git a 5" GIT_END},
      {"4294967296", "git a 4294967296" GIT_END},
      {"9007199254740991", "git a 9007199254740991" GIT_END},
      {"9007199254740992", "no-size a\n"},
      {"18446744073709551616", "no-size a\n"},
      {"1e400", "no-size a\n"},
      {"-1", "no-size a\n"},
      {"0.5", "no-size a\n"},
      {"\"5\"", "no-size a\n"},
      {"[5]", "no-size a\n"},
      {"true", "no-size a\n"},
  };
  for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
    char json[256];
    snprintf(json, sizeof(json),
             "[{" PATH_ROW ",\"oid\":\"" OID_1 "\",\"size\":%s}]",
             rows[i].json);
    check_page(json, rows[i].expected);
  }
  check_page("[{" PATH_ROW ",\"oid\":\"" OID_1 "\"}]", "no-size a\n");
}

static void test_digests(void) {
  static const char *const digests[] = {
      "null",
      "\"\"",
      "\"" OID_L "\"",
      "\"" OID_1 "0\"",
      "\"B4d1e0a5c6f70819a2b3c4d5e6f708192a3b4c5d\"",
      "\"g4d1e0a5c6f70819a2b3c4d5e6f708192a3b4c5d\"",
      "\"4d1e0a5c6f70819a2b3c4d5e6f708192a3b4c5d\"",
      "{\"oid\":\"" OID_1 "\"}"};
  for (size_t i = 0; i < sizeof(digests) / sizeof(*digests); i++) {
    char json[256];
    snprintf(json, sizeof(json), "[{" PATH_ROW ",\"size\":1,\"oid\":%s}]",
             digests[i]);
    check_page(json, "no-digest a\n");
  }
  check_page("[{" PATH_ROW ",\"size\":1}]", "no-digest a\n");
}

// The longest path, each byte escaped, and one that is a byte longer.
static void test_the_cap_of_a_path(void) {
  static char json[8192];
  static char expected[2048];
  tree_log log;
  tam_tree_scan *scan = scan_new(&log);
  for (size_t len = TAM_HUB_PATH_MAX; len <= TAM_HUB_PATH_MAX + 1; len++) {
    size_t at =
        (size_t)snprintf(json, sizeof(json), "[{" GIT_ROW ",\"path\":\"");
    size_t start = (size_t)snprintf(expected, sizeof(expected), "git ");
    for (size_t i = 0; i < len; i++) {
      memcpy(json + at, "\\u0061", 6);
      at += 6;
    }
    snprintf(json + at, sizeof(json) - at, "\"}]");
    memset(expected + start, 'a', len);
    snprintf(expected + start + len, sizeof(expected) - start - len, " 5%s",
             GIT_END);
    tam_span text = tam_span_of(json);
    const char *wanted = len > TAM_HUB_PATH_MAX ? "no-path \n" : expected;
    check_cut(scan, &log, text, text.len, 1, wanted);
    check_cut(scan, &log, text, 1, 1, wanted);
    check_cut(scan, &log, text, 1000, 1000, wanted);
  }
  tam_tree_scan_del(scan);
}

static void check_error(tam_span text, int error, double offset) {
  tree_log log;
  tam_tree_scan *scan = scan_new(&log);
  for (size_t first = 1; first <= text.len; first++) {
    tam_tree_scan_reset(scan);
    feed_pieces(feed, scan, text, first, 1);
    CHECK_INT(tam_tree_scan_end(scan), error);
    CHECK(tam_tree_scan_offset(scan) == offset);
    // Until reset nothing else comes out of it.
    CHECK_INT(tam_tree_scan_feed(scan, TAM_SPAN("[]")), error);
    CHECK_INT(tam_tree_scan_end(scan), error);
    CHECK(tam_tree_scan_offset(scan) == offset);
  }
  tam_tree_scan_reset(scan);
  CHECK_INT(tam_tree_scan_feed(scan, TAM_SPAN("[]")), 0);
  CHECK_INT(tam_tree_scan_end(scan), 0);
  tam_tree_scan_del(scan);
}

static void test_errors(void) {
  check_error(TAM_SPAN("[{\"a\":NaN}]"), TAM_ERR_JSON_SYNTAX, 6);
  check_error(TAM_SPAN("[{\"path\":\"\xff\"}]"), TAM_ERR_JSON_UTF8, 10);
  check_error(TAM_SPAN("[{\"lfs\":{\"oid\":1,}}]"), TAM_ERR_JSON_SYNTAX, 17);
  check_error(TAM_SPAN("[{\"a\":1}"), TAM_ERR_JSON_TRUNCATED, 8);
  check_error(TAM_SPAN("["), TAM_ERR_JSON_TRUNCATED, 1);
  check_error(TAM_SPAN(" "), TAM_ERR_JSON_TRUNCATED, 1);
  check_error(TAM_SPAN("[],"), TAM_ERR_JSON_SYNTAX, 2);
  check_error(TAM_SPAN("<html>"), TAM_ERR_JSON_SYNTAX, 0);
  check_error(TAM_SPAN("{\"error\":\"x\"}"), TAM_ERR_UNEXPECTED_SHAPE, 1);
  check_error(TAM_SPAN("\"[]\""), TAM_ERR_UNEXPECTED_SHAPE, 4);
  check_error(TAM_SPAN("null"), TAM_ERR_UNEXPECTED_SHAPE, 4);
  check_error(TAM_SPAN("12"), TAM_ERR_UNEXPECTED_SHAPE, 2);
}

static void test_nothing_at_all(void) {
  tree_log log;
  tam_tree_scan *scan = scan_new(&log);
  CHECK_INT(tam_tree_scan_feed(scan, TAM_SPAN_NONE), 0);
  CHECK_INT(tam_tree_scan_end(scan), TAM_ERR_JSON_TRUNCATED);
  tam_tree_scan_del(scan);
}

static void test_the_cap_of_nesting(void) {
  static char json[TAM_JSON_DEPTH_MAX + 8];
  json[0] = '[';
  memset(json + 1, '[', TAM_JSON_DEPTH_MAX);
  tree_log log;
  tam_tree_scan *scan = scan_new(&log);
  tam_span text = {(const uint8_t *)json, TAM_JSON_DEPTH_MAX + 1};
  CHECK_INT(tam_tree_scan_feed(scan, text), TAM_ERR_JSON_DEPTH);
  CHECK(tam_tree_scan_offset(scan) == TAM_JSON_DEPTH_MAX);
  tam_tree_scan_del(scan);
}

// Both functions of the sink can stop the scan, right behind their row.
static void test_errors_of_the_sink(void) {
  static const char json[] =
      "[{" GIT_ROW ",\"path\":\"a\"},7,{" GIT_ROW ",\"path\":\"b\"}]";
  static const size_t row = sizeof("{" GIT_ROW ",\"path\":\"a\"}") - 1;
  const size_t ends[] = {1 + row, 1 + row + 2, 1 + row + 3 + row};
  tree_log log;
  tam_tree_scan *scan = scan_new(&log);
  for (int reports = 0; reports < 3; reports++) {
    for (size_t first = 1; first < sizeof(json); first++) {
      log.left = reports;
      log.error = TAM_ERR_CANCELLED;
      tam_tree_scan_reset(scan);
      CHECK_INT(feed_pieces(feed, scan, TAM_SPAN(json), first, 1),
                TAM_ERR_CANCELLED);
      CHECK(tam_tree_scan_offset(scan) == (double)ends[reports]);
      CHECK_INT(log.left, -1); // nobody was asked again
      log.len = 0;
      CHECK_INT(tam_tree_scan_feed(scan, TAM_SPAN(" ")), TAM_ERR_CANCELLED);
      CHECK_INT(tam_tree_scan_end(scan), TAM_ERR_CANCELLED);
      CHECK_INT(log.len, 0);
    }
  }
  tam_tree_scan_del(scan);
}

static int count_file(void *user_data, const tam_tree_file *file) {
  (void)user_data;
  (void)file;
  return 0;
}

static int count_flaw(void *user_data, tam_tree_flaw flaw, tam_span path) {
  (void)user_data;
  (void)flaw;
  (void)path;
  return 0;
}

static tam_tree_scan *counting_scan(const tam_mem *mem) {
  tam_tree_scan *scan = NULL;
  tam_tree_sink sink = {count_file, count_flaw, NULL};
  CHECK_INT(tam_tree_scan_new(&scan, &sink, mem), 0);
  return scan;
}

// Pages of one row of every kind in turn, until the listing is full.
static void test_the_cap_of_rows(void) {
  static const char *const pages[] = {"[{" GIT_ROW ",\"path\":\"a\"}]",
                                      "[{\"type\":\"directory\"}]", "[0]"};
  tam_mem mem = tam_mem_default();
  tam_tree_scan *scan = counting_scan(&mem);
  for (size_t i = 0; i < TAM_TREE_ROWS_MAX; i++) {
    if (tam_tree_scan_feed(scan, tam_span_of(pages[i % 3])) != 0 ||
        tam_tree_scan_end(scan) != 0) {
      CHECK(0);
      break;
    }
  }
  CHECK_INT(tam_tree_scan_feed(scan, TAM_SPAN("[]")), 0);
  CHECK_INT(tam_tree_scan_end(scan), 0);
  CHECK_INT(tam_tree_scan_feed(scan, tam_span_of(pages[0])), TAM_ERR_TOO_LARGE);
  CHECK_INT(tam_tree_scan_end(scan), TAM_ERR_TOO_LARGE);
  tam_tree_scan_reset(scan);
  CHECK_INT(tam_tree_scan_feed(scan, tam_span_of(pages[0])), 0);
  CHECK_INT(tam_tree_scan_end(scan), 0);
  tam_tree_scan_del(scan);
}

// A page of |len| bytes, most of them blanks, fed in pieces of |step|.
static void check_long_page(size_t len, size_t step, int error) {
  tam_mem mem = tam_mem_default();
  tam_tree_scan *scan = counting_scan(&mem);
  uint8_t *text = malloc(len);
  int result = 0;
  memset(text, ' ', len);
  memcpy(text, "[0", 2);
  memcpy(text + len - 4, ",{}]", 4);
  for (size_t at = 0; at < len && result == 0; at += step) {
    tam_span piece = tam_span_head((tam_span){text + at, len - at}, step);
    result = tam_tree_scan_feed(scan, piece);
  }
  CHECK_INT(result, error);
  CHECK_INT(tam_tree_scan_end(scan), error);
  CHECK(error == 0 || tam_tree_scan_offset(scan) == TAM_TREE_PAGE_MAX);
  free(text);
  tam_tree_scan_del(scan);
}

static void test_the_cap_of_a_page(void) {
  check_long_page(TAM_TREE_PAGE_MAX, 65521, 0);
  check_long_page(TAM_TREE_PAGE_MAX, TAM_TREE_PAGE_MAX, 0);
  check_long_page(TAM_TREE_PAGE_MAX + 1, 65521, TAM_ERR_TOO_LARGE);
  check_long_page(TAM_TREE_PAGE_MAX + 1, TAM_TREE_PAGE_MAX, TAM_ERR_TOO_LARGE);
  check_long_page(TAM_TREE_PAGE_MAX + 1, TAM_TREE_PAGE_MAX + 1,
                  TAM_ERR_TOO_LARGE);
}

// The byte behind the cap is not looked at, wherever the pieces end.
static void test_a_page_beyond_the_cap(void) {
  tam_mem mem = tam_mem_default();
  size_t steps[] = {65521, TAM_TREE_PAGE_MAX, TAM_TREE_PAGE_MAX + 2};
  size_t len = (size_t)TAM_TREE_PAGE_MAX + 2;
  uint8_t *text = malloc(len);
  memset(text, ' ', len);
  memcpy(text, "[0", 2);
  memcpy(text + len - 4, ",{}x", 4); // an error, behind the cap
  for (size_t i = 0; i < sizeof(steps) / sizeof(*steps); i++) {
    tam_tree_scan *scan = counting_scan(&mem);
    int result = 0;
    for (size_t at = 0; at < len && result == 0; at += steps[i]) {
      tam_span piece = {text + at, len - at};
      result = tam_tree_scan_feed(scan, tam_span_head(piece, steps[i]));
    }
    CHECK_INT(result, TAM_ERR_TOO_LARGE);
    CHECK(tam_tree_scan_offset(scan) == TAM_TREE_PAGE_MAX);
    tam_tree_scan_del(scan);
  }
  free(text);
}

static void test_failed_allocation(void) {
  check_heap heap = {.fail_at = 1};
  tam_mem mem = check_heap_mem(&heap);
  tam_tree_scan *scan = NULL;
  tam_tree_sink sink = {count_file, count_flaw, NULL};
  CHECK_INT(tam_tree_scan_new(&scan, &sink, &mem), TAM_ERR_OUT_OF_MEMORY);
  CHECK(scan == NULL);
  CHECK_INT(heap.live, 0);
  CHECK_INT(tam_tree_scan_new(&scan, &sink, &mem), 0);
  CHECK_INT(
      tam_tree_scan_feed(scan, TAM_SPAN("[{" GIT_ROW ",\"path\":\"a\"}]")), 0);
  CHECK_INT(tam_tree_scan_end(scan), 0);
  tam_tree_scan_del(scan);
  tam_tree_scan_del(NULL);
  CHECK_INT(heap.live, 0);
  CHECK_INT(heap.allocations, 2); // the failed one and the scanner
}

int main(void) {
  RUN(test_a_page_as_the_hub_sends_it);
  RUN(test_an_empty_page);
  RUN(test_members_in_another_order);
  RUN(test_the_size_is_that_of_the_file_and_not_of_its_pointer);
  RUN(test_the_last_of_equal_members_counts);
  RUN(test_the_last_lfs_counts_alone);
  RUN(test_other_members_of_lfs);
  RUN(test_an_lfs_of_no_use_is_not_ignored);
  RUN(test_rows_that_are_no_files);
  RUN(test_paths_that_name_no_file);
  RUN(test_escapes);
  RUN(test_sizes);
  RUN(test_digests);
  RUN(test_the_cap_of_a_path);
  RUN(test_errors);
  RUN(test_nothing_at_all);
  RUN(test_the_cap_of_nesting);
  RUN(test_errors_of_the_sink);
  RUN(test_the_cap_of_rows);
  RUN(test_the_cap_of_a_page);
  RUN(test_a_page_beyond_the_cap);
  RUN(test_failed_allocation);
  return check_finish();
}
