// SPDX-License-Identifier: Apache-2.0
// The URL of a file and back: what is a file of the Hub, what is none, and what
// is refused.
#include "store/hub_file.h"

#include "check.h"

#define HUB    "https://hub.test"
#define COMMIT "0123456789abcdef0123456789abcdef01234567"

// Reads |url| into |file| from a copy without a byte to spare on either side,
// so that a sanitizer sees every overrun.
static int parse(tam_hub_file *file, uint8_t *text, tam_span endpoint,
                 tam_span url) {
  uint8_t *copy = malloc(url.len > 0 ? url.len : 1);
  if (copy == NULL) {
    return TAM_ERR_OUT_OF_MEMORY;
  }
  memcpy(copy, url.ptr, url.len);
  int result =
      tam_hub_file_parse(file, text, endpoint, (tam_span){copy, url.len});
  memset(copy, 0, url.len);
  free(copy);
  return result;
}

static int file_eq(const tam_hub_file *a, const tam_hub_file *b) {
  return tam_span_eq(a->repo, b->repo) &&
         tam_span_eq(a->revision, b->revision) && tam_span_eq(a->path, b->path);
}

static tam_hub_file file_of(const char *repo, const char *revision,
                            const char *path) {
  return (tam_hub_file){tam_span_of(repo), tam_span_of(revision),
                        tam_span_of(path)};
}

// Writes the URL of |file| and reads it again.
static int comes_back(tam_span endpoint, const tam_hub_file *file) {
  static uint8_t space[256 + TAM_HUB_FILE_URL_MAX];
  uint8_t text[TAM_HUB_FILE_TEXT_MAX];
  tam_hub_file again;
  tam_buf url;
  tam_buf_init_fixed(&url, space, endpoint.len + TAM_HUB_FILE_URL_MAX);
  return tam_hub_file_append_url(&url, endpoint, file) == 0 &&
         parse(&again, text, endpoint, tam_buf_span(&url)) == 1 &&
         file_eq(&again, file);
}

typedef struct file_row {
  const char *url; // behind the endpoint
  const char *repo;
  const char *revision;
  const char *path;
} file_row;

static const file_row files[] = {
    {"/a/b/resolve/main/config.json", "a/b", "main", "config.json"},
    {"/gpt2/resolve/main/onnx/model.onnx", "gpt2", "main", "onnx/model.onnx"},
    {"/a/b/resolve/refs%2Fpr%2F1/x", "a/b", "refs/pr/1", "x"},
    {"/a/b/resolve/refs%2fpr%2f1/x", "a/b", "refs/pr/1", "x"},
    {"/a/b/resolve/" COMMIT "/x", "a/b", COMMIT, "x"},
    {"/a/b/resolve/v1.0/x", "a/b", "v1.0", "x"},
    // Queries and fragments say nothing about the file.
    {"/a/b/resolve/main/x?download=true", "a/b", "main", "x"},
    {"/a/b/resolve/main/x?a/../b%zz&c#d?e", "a/b", "main", "x"},
    {"/a/b/resolve/main/x#a?b", "a/b", "main", "x"},
    {"/a/b/resolve/main/x?", "a/b", "main", "x"},
    {"/a/b/resolve/main/x%3Fy%23z", "a/b", "main", "x?y#z"},
    // Plain or encoded, it is the same.
    {"/a/b/resolve/main/a%20b+c", "a/b", "main", "a b+c"},
    {"/a/b/resolve/main/a b+c", "a/b", "main", "a b+c"},
    {"/a/b/resolve/main/a ?x", "a/b", "main", "a "},
    {"/a/b/resolve/main/%C3%a9\xc3\xa9", "a/b", "main", "\xc3\xa9\xc3\xa9"},
    {"/a/b/resolve/%6dain/%78%2e", "a/b", "main", "x."},
    {"/a/b/resolve/main/%25", "a/b", "main", "%"},
    {"/a/b/resolve/main/%2525", "a/b", "main", "%25"},
    // The first and last characters of each length of UTF-8.
    {"/a/b/resolve/main/~\xc2\xa0\xdf\xbf\xe0\xa0\x80\xed\x9f\xbf\xee\x80\x80"
     "\xef\xbf\xbf\xf0\x90\x80\x80\xf4\x8f\xbf\xbf",
     "a/b", "main",
     "~\xc2\xa0\xdf\xbf\xe0\xa0\x80\xed\x9f\xbf\xee\x80\x80"
     "\xef\xbf\xbf\xf0\x90\x80\x80\xf4\x8f\xbf\xbf"},
    // Dots that are part of a name.
    {"/a/b/resolve/main/...", "a/b", "main", "..."},
    {"/a/b/resolve/main/.gitattributes", "a/b", "main", ".gitattributes"},
    {"/a/b/resolve/main/a..b/..c", "a/b", "main", "a..b/..c"},
    // "resolve" in every place where it is no route.
    {"/resolve/resolve/resolve/resolve", "resolve", "resolve", "resolve"},
    {"/resolve/b/resolve/main/resolve", "resolve/b", "main", "resolve"},
    {"/a/resolve/resolve/main/x", "a", "resolve", "main/x"},
    // Nearly a route.
    {"/apis/b/resolve/main/x", "apis/b", "main", "x"},
    {"/a/datasets/resolve/main/x", "a/datasets", "main", "x"},
    {"/a/b/resolve/refs%2Fx/x", "a/b", "refs/x", "x"},
    {"/a/b/resolve/main/refs", "a/b", "main", "refs"},
};

static void test_files(void) {
  static const char *const endpoints[] = {HUB, "http://127.0.0.1:8080",
                                          "https://mirror.test/hub"};
  for (size_t i = 0; i < sizeof(files) / sizeof(*files); i++) {
    const file_row *row = &files[i];
    tam_hub_file expected = file_of(row->repo, row->revision, row->path);
    for (size_t e = 0; e < sizeof(endpoints) / sizeof(*endpoints); e++) {
      tam_span endpoint = tam_span_of(endpoints[e]);
      char url[512];
      uint8_t text[TAM_HUB_FILE_TEXT_MAX];
      tam_hub_file file;
      snprintf(url, sizeof(url), "%s%s", endpoints[e], row->url);
      int result = parse(&file, text, endpoint, tam_span_of(url));
      CHECK_INT(result, 1);
      CHECK(result == 1 && file_eq(&file, &expected));
      CHECK(comes_back(endpoint, &expected));
    }
  }
}

typedef struct refusal_row {
  const char *url;
  int result;
} refusal_row;

#define INVALID TAM_ERR_INVALID_ARGUMENT

static const refusal_row refusals[] = {
    {"", 0},
    {HUB, 0},
    {HUB "/", 0},
    {HUB "//", 0},
    {HUB "/a", 0},
    {HUB "/a/b", 0},
    {HUB "/a/b/", 0},
    {HUB "/a/b/resolve", 0},
    {HUB "/a/b/resolve/", 0},
    {HUB "/a/b/resolve/main", 0},
    {HUB "/a/b/resolve/main/", 0},
    {HUB "/a/b/resolve/main?/x", 0},
    {HUB "/a/b/resolve/main/?x", 0},
    {HUB "/a/b/resolve/main/#x", 0},
    {HUB "/a/b?/resolve/main/x", 0},
    {HUB "/resolve/main/x", 0},
    {HUB "/a/resolve/main", 0},
    // Other hosts and folders.
    {"https://evil.test/a/b/resolve/main/x", 0},
    {"http://hub.test/a/b/resolve/main/x", 0},
    {"https://hub.test:8080/a/b/resolve/main/x", 0},
    {"https://hub.test.evil.test/a/b/resolve/main/x", 0},
    {"https://hub.test@evil.test/a/b/resolve/main/x", 0},
    {"https://evil.test/" HUB "/a/b/resolve/main/x", 0},
    {HUB "a/b/resolve/main/x", 0},
    {HUB ".a/b/resolve/main/x", 0},
    {HUB "@a/b/resolve/main/x", 0},
    {HUB ":a/b/resolve/main/x", 0},
    {HUB "\\a/b/resolve/main/x", 0},
    {HUB "?a/b/resolve/main/x", 0},
    {"/a/b/resolve/main/x", 0},
    {"a/b/resolve/main/x", 0},
    {" " HUB "/a/b/resolve/main/x", 0},
    {"HTTPS://hub.test/a/b/resolve/main/x", 0},
    // Other routes.
    {HUB "/a/b/raw/main/x", 0},
    {HUB "/a/b/blob/main/x", 0},
    {HUB "/a/b/tree/main/x", 0},
    {HUB "/a/b/Resolve/main/x", 0},
    {HUB "/a/b/resolv/main/x", 0},
    {HUB "/a/b/resolve%2Fmain/x", 0},
    {HUB "/a/b/%72esolve/main/x", 0},
    {HUB "/a/b/c/resolve/main/x", 0},
    {HUB "/api/models/a/b", 0},
    {HUB "/api/models?search=/a/b/resolve/main/x", 0},
    {HUB "/api/models/resolve/main/x", 0},
    {HUB "/api/models/a/b/tree/main/x", 0},
    {HUB "/api/resolve-cache/models/a/b/" COMMIT "/x", 0},
    {HUB "/datasets/a/b/resolve/main/x", 0},
    {HUB "/datasets/a/resolve/main/x", 0},
    {HUB "/datasets/resolve/main/x", 0},
    {HUB "/spaces/a/b/resolve/main/x", 0},
    {HUB "/spaces/a/resolve/main/x", 0},
    {HUB "/kernels/a/resolve/main/x", 0},
    {HUB "/buckets/a/resolve/main/x", 0},
    {HUB "/models/a/resolve/main/x", 0},
    // What names no repository.
    {HUB "/a//resolve/main/x", 0},
    {HUB "//b/resolve/main/x", 0},
    {HUB "/a/../resolve/main/x", 0},
    {HUB "/./b/resolve/main/x", 0},
    {HUB "/a/b.git/resolve/main/x", 0},
    {HUB "/a%2Fb/resolve/main/x", 0},
    {HUB "/a/b%20/resolve/main/x", 0},
    {HUB "/a\\b/resolve/main/x", 0},
    {HUB "/a/b\n/resolve/main/x", 0},
    // Files, but not one that has a name.
    {HUB "/a/b/resolve//x", INVALID},
    {HUB "/a/b/resolve/main//x", INVALID},
    {HUB "/a/b/resolve/main/x/", INVALID},
    {HUB "/a/b/resolve/main/x//y", INVALID},
    {HUB "/a/b/resolve/main/.", INVALID},
    {HUB "/a/b/resolve/main/..", INVALID},
    {HUB "/a/b/resolve/main/../x", INVALID},
    {HUB "/a/b/resolve/main/x/..", INVALID},
    {HUB "/a/b/resolve/main/x/./y", INVALID},
    {HUB "/a/b/resolve/main/%2e", INVALID},
    {HUB "/a/b/resolve/main/.%2E/x", INVALID},
    {HUB "/a/b/resolve/main/%2e%2e/x", INVALID},
    {HUB "/a/b/resolve/../x", INVALID},
    {HUB "/a/b/resolve/%2e%2e/x", INVALID},
    {HUB "/a/b/resolve/refs%2F..%2Fx/x", INVALID},
    {HUB "/a/b/resolve/refs%2F%2Fx/x", INVALID},
    {HUB "/a/b/resolve/%2Frefs/x", INVALID},
    {HUB "/a/b/resolve/refs%2F/x", INVALID},
    {HUB "/a/b/resolve/refs/pr/1/x", INVALID},
    {HUB "/a/b/resolve/main/x%2Fy", INVALID},
    {HUB "/a/b/resolve/main/x%2f", INVALID},
    {HUB "/a/b/resolve/main/x\\y", INVALID},
    {HUB "/a/b/resolve/main/x%5Cy", INVALID},
    {HUB "/a/b/resolve/main%5c/y", INVALID},
    {HUB "/a/b/resolve/main/x%00", INVALID},
    {HUB "/a/b/resolve/main%00/x", INVALID},
    {HUB "/a/b/resolve/main/x%1F", INVALID},
    {HUB "/a/b/resolve/main/x\ty", INVALID},
    {HUB "/a/b/resolve/main/x%0d%0ay", INVALID},
    {HUB "/a/b/resolve/main/x%7F", INVALID},
    {HUB "/a/b/resolve/main/x%C2%80", INVALID},
    {HUB "/a/b/resolve/main/x%C2%9F", INVALID},
    {HUB "/a/b/resolve/main/x ", INVALID},
    {HUB "/a/b/resolve/main/x?y ", INVALID},
    // Broken encoding.
    {HUB "/a/b/resolve/main/%", INVALID},
    {HUB "/a/b/resolve/main/x%2", INVALID},
    {HUB "/a/b/resolve/main/x%zz", INVALID},
    {HUB "/a/b/resolve/main/x%2g", INVALID},
    {HUB "/a/b/resolve/main/x%g2", INVALID},
    {HUB "/a/b/resolve/main/x%6g", INVALID},
    {HUB "/a/b/resolve/main/x%g0%90%80%80", INVALID},
    {HUB "/a/b/resolve/main%/x", INVALID},
    {HUB "/a/b/resolve/main%2/x", INVALID},
    {HUB "/a/b/resolve/main/x%?41", INVALID},
    // Broken UTF-8: alone, cut, overlong, surrogates, beyond the end.
    {HUB "/a/b/resolve/main/\x80", INVALID},
    {HUB "/a/b/resolve/main/\xbfx", INVALID},
    {HUB "/a/b/resolve/main/\xbf\xbf", INVALID},
    {HUB "/a/b/resolve/main/%C3", INVALID},
    {HUB "/a/b/resolve/main/%C3x", INVALID},
    {HUB "/a/b/resolve/main/\xc3/\xa9", INVALID},
    {HUB "/a/b/resolve/main/\xe2\x82", INVALID},
    {HUB "/a/b/resolve/main/\xf0\x9f\x98", INVALID},
    {HUB "/a/b/resolve/main/\xe2\x82x", INVALID},
    {HUB "/a/b/resolve/main/\xc0\xaf", INVALID},
    {HUB "/a/b/resolve/main/\xc1\xbf", INVALID},
    {HUB "/a/b/resolve/main/%C0%AE", INVALID},
    {HUB "/a/b/resolve/main/\xe0\x9f\xbf", INVALID},
    {HUB "/a/b/resolve/main/\xf0\x8f\xbf\xbf", INVALID},
    {HUB "/a/b/resolve/main/\xed\xa0\x80", INVALID},
    {HUB "/a/b/resolve/main/\xed\xbf\xbf", INVALID},
    {HUB "/a/b/resolve/main/\xf4\x90\x80\x80", INVALID},
    {HUB "/a/b/resolve/main/\xf8\x88\x80\x80\x80", INVALID},
    {HUB "/a/b/resolve/main/\xf8\x90\x80\x80", INVALID},
    {HUB "/a/b/resolve/main/\xff", INVALID},
    {HUB "/a/b/resolve/%FE/x", INVALID},
};

static void test_what_is_no_file(void) {
  for (size_t i = 0; i < sizeof(refusals) / sizeof(*refusals); i++) {
    const refusal_row *row = &refusals[i];
    uint8_t text[TAM_HUB_FILE_TEXT_MAX];
    tam_hub_file before = file_of("before", "before", "before");
    tam_hub_file file = before;
    int result = parse(&file, text, TAM_SPAN(HUB), tam_span_of(row->url));
    CHECK_INT(result, row->result);
    if (result != row->result) {
      printf("  %s\n", row->url);
    }
    CHECK(file_eq(&file, &before));
  }
}

// A folder of a mirror is a part of its name as any other.
static void test_what_is_outside_of_a_folder(void) {
  static const char *const urls[] = {
      "https://mirror.test/a/b/resolve/main/x",
      "https://mirror.test/hubs/a/resolve/main/x",
      "https://mirror.test/hub",
      "https://mirror.test/hub?/a/b/resolve/main/x",
      "https://mirror.test/HUB/a/b/resolve/main/x",
  };
  for (size_t i = 0; i < sizeof(urls) / sizeof(*urls); i++) {
    uint8_t text[TAM_HUB_FILE_TEXT_MAX];
    tam_hub_file file;
    CHECK_INT(parse(&file, text, TAM_SPAN("https://mirror.test/hub"),
                    tam_span_of(urls[i])),
              0);
  }
}

static void test_a_nul_byte_ends_nothing(void) {
  uint8_t text[TAM_HUB_FILE_TEXT_MAX];
  tam_hub_file file;
  CHECK_INT(
      parse(&file, text, TAM_SPAN(HUB), TAM_SPAN(HUB "/a/b/resolve/main/x\0y")),
      INVALID);
  CHECK_INT(
      parse(&file, text, TAM_SPAN(HUB), TAM_SPAN(HUB "/a/b\0/resolve/main/x")),
      0);
}

static void test_urls_that_are_written(void) {
  static const file_row rows[] = {
      {HUB "/a/b/resolve/main/onnx/model.onnx", "a/b", "main",
       "onnx/model.onnx"},
      {HUB "/gpt2/resolve/refs%2Fpr%2F1/x", "gpt2", "refs/pr/1", "x"},
      {HUB "/a/b/resolve/v1.0/a%20b%3F%23%25%2B.json", "a/b", "v1.0",
       "a b?#%+.json"},
      {HUB "/a/b/resolve/main/%C3%A9/~_-.x", "a/b", "main", "\xc3\xa9/~_-.x"},
  };
  for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
    uint8_t space[512];
    tam_buf url;
    tam_hub_file file = file_of(rows[i].repo, rows[i].revision, rows[i].path);
    tam_buf_init_fixed(&url, space, sizeof(space));
    CHECK_INT(tam_hub_file_append_url(&url, TAM_SPAN(HUB), &file), 0);
    CHECK(tam_span_eq(tam_buf_span(&url), tam_span_of(rows[i].url)));
  }
}

static void test_files_that_have_no_name(void) {
  static const file_row rows[] = {
      {NULL, "", "main", "x"},          {NULL, "a/b/c", "main", "x"},
      {NULL, "a/../b", "main", "x"},    {NULL, "datasets/a", "main", "x"},
      {NULL, "spaces", "main", "x"},    {NULL, "a/resolve", "main", "x"},
      {NULL, "a/b", "", "x"},           {NULL, "a/b", "refs", "x"},
      {NULL, "a/b", "a//b", "x"},       {NULL, "a/b", "..", "x"},
      {NULL, "a/b", "main\n", "x"},     {NULL, "a/b", "\xff", "x"},
      {NULL, "a/b", "main", ""},        {NULL, "a/b", "main", "/x"},
      {NULL, "a/b", "main", "x/../y"},  {NULL, "a/b", "main", "x\\y"},
      {NULL, "a/b", "main", "\xc2\x85"}};
  for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
    uint8_t space[64];
    tam_buf url;
    tam_hub_file file = file_of(rows[i].repo, rows[i].revision, rows[i].path);
    tam_buf_init_fixed(&url, space, sizeof(space));
    CHECK_INT(tam_hub_file_check(&file), INVALID);
    CHECK_INT(tam_hub_file_append_url(&url, TAM_SPAN(HUB), &file), INVALID);
    CHECK_INT(url.len, 0);
  }
}

// The longest of everything, in bytes that take the most room in a URL.
static void test_caps(void) {
  static uint8_t repo[TAM_REPO_ID_MAX];
  static uint8_t revision[TAM_HUB_REVISION_MAX + 1];
  static uint8_t path[TAM_HUB_PATH_MAX + 1];
  memset(repo, 'r', sizeof(repo));
  repo[TAM_REPO_NAME_MAX] = '/';
  memset(revision, '?', sizeof(revision));
  memset(path, '%', sizeof(path));
  tam_hub_file file = {{repo, sizeof(repo)},
                       {revision, TAM_HUB_REVISION_MAX},
                       {path, TAM_HUB_PATH_MAX}};
  CHECK_INT(tam_hub_file_check(&file), 0);
  CHECK(comes_back(TAM_SPAN(HUB), &file));

  static uint8_t space[256 + TAM_HUB_FILE_URL_MAX];
  tam_buf url;
  tam_buf_init_fixed(&url, space, sizeof(space));
  CHECK_INT(tam_hub_file_append_url(&url, TAM_SPAN(HUB), &file), 0);
  CHECK_INT(url.len, sizeof(HUB) - 1 + TAM_HUB_FILE_URL_MAX);

  file.path.len++;
  CHECK_INT(tam_hub_file_check(&file), TAM_ERR_TOO_LARGE);
  file.path.len--;
  file.revision.len++;
  CHECK_INT(tam_hub_file_check(&file), TAM_ERR_TOO_LARGE);
}

static int parse_long(size_t revision_len, size_t path_len) {
  static char url[8192];
  uint8_t text[TAM_HUB_FILE_TEXT_MAX];
  tam_hub_file file;
  size_t len = (size_t)snprintf(url, sizeof(url), HUB "/a/b/resolve/");
  memset(url + len, 'r', revision_len);
  len += revision_len;
  url[len++] = '/';
  memset(url + len, 'p', path_len);
  len += path_len;
  return parse(&file, text, TAM_SPAN(HUB), (tam_span){(uint8_t *)url, len});
}

static void test_caps_of_urls(void) {
  CHECK_INT(parse_long(TAM_HUB_REVISION_MAX, TAM_HUB_PATH_MAX), 1);
  CHECK_INT(parse_long(TAM_HUB_REVISION_MAX + 1, 1), TAM_ERR_TOO_LARGE);
  CHECK_INT(parse_long(1, TAM_HUB_PATH_MAX + 1), TAM_ERR_TOO_LARGE);
  CHECK_INT(parse_long(3000, 3000), TAM_ERR_TOO_LARGE);
}

static void test_urls_that_do_not_fit(void) {
  check_heap heap = {.fail_at = 1};
  tam_mem mem = check_heap_mem(&heap);
  tam_hub_file file = file_of("a/b", "main", "config.json");
  uint8_t space[32];
  tam_buf url;
  tam_buf_init(&url, &mem, 4096);
  CHECK_INT(tam_hub_file_append_url(&url, TAM_SPAN(HUB), &file),
            TAM_ERR_OUT_OF_MEMORY);
  tam_buf_free(&url);
  tam_buf_init_fixed(&url, space, sizeof(space));
  CHECK_INT(tam_hub_file_append_url(&url, TAM_SPAN(HUB), &file),
            TAM_ERR_TOO_LARGE);
  CHECK_INT(heap.live, 0);
}

static void test_commits(void) {
  static const char *const others[] = {
      "",
      "main",
      "0123456789abcdef0123456789abcdef0123456",
      COMMIT "0",
      "0123456789ABCDEF0123456789abcdef01234567",
      "0123456789abcdef0123456789abcdef0123456g"};
  CHECK_INT(tam_hub_revision_is_commit(TAM_SPAN(COMMIT)), 1);
  for (size_t i = 0; i < sizeof(others) / sizeof(*others); i++) {
    CHECK_INT(tam_hub_revision_is_commit(tam_span_of(others[i])), 0);
  }
}

// Every URL of the tables, cut at every byte and with every byte replaced: what
// is read comes back.
static void check_mutant(tam_span url) {
  uint8_t text[TAM_HUB_FILE_TEXT_MAX];
  tam_hub_file file;
  if (parse(&file, text, TAM_SPAN(HUB), url) == 1) {
    CHECK_INT(tam_hub_file_check(&file), 0);
    CHECK(comes_back(TAM_SPAN(HUB), &file));
  }
}

static void mutate(const char *path) {
  static const char interesting[] = "/%.?#\\ 2fFeE5c0:@\x80\xc3\xa9\xff";
  char url[512];
  size_t len = (size_t)snprintf(url, sizeof(url), HUB "%s", path);
  for (size_t at = 0; at < len; at++) {
    char kept = url[at];
    check_mutant((tam_span){(uint8_t *)url, at});
    for (size_t i = 0; i < sizeof(interesting); i++) { // its NUL as well
      url[at] = interesting[i];
      check_mutant((tam_span){(uint8_t *)url, len});
    }
    url[at] = kept;
  }
}

static void test_whatever_is_read_comes_back(void) {
  for (size_t i = 0; i < sizeof(files) / sizeof(*files); i++) {
    mutate(files[i].url);
  }
}

int main(void) {
  RUN(test_files);
  RUN(test_what_is_no_file);
  RUN(test_what_is_outside_of_a_folder);
  RUN(test_a_nul_byte_ends_nothing);
  RUN(test_urls_that_are_written);
  RUN(test_files_that_have_no_name);
  RUN(test_caps);
  RUN(test_caps_of_urls);
  RUN(test_urls_that_do_not_fit);
  RUN(test_commits);
  RUN(test_whatever_is_read_comes_back);
  return check_finish();
}
