// SPDX-License-Identifier: Apache-2.0
// The record of a revision: its files and groups, the caps, one record written
// by hand and damaged ones, and memory that is short.
#include "store/revision.h"

#include "store/record.h"

#include "check.h"

#define REPO   TAM_SPAN("owner/name")
#define COMMIT "0123456789abcdef0123456789abcdef01234567"

static const uint8_t some_digest[TAM_SHA256_SIZE] = {
    1,  2,  3,  4,  5,  6,  7,  8,  9,  10, 11, 12, 13, 14, 15, 16,
    17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31, 32};

static tam_tree_file row(tam_span path, uint64_t size, tam_tree_digest kind) {
  tam_tree_file file = {
      path, size, kind, {some_digest, kind == TAM_TREE_SHA256 ? 32 : 20}};
  return file;
}

static int add(tam_revision *revision, const char *path, uint64_t size,
               tam_tree_digest kind) {
  tam_tree_file file = row(tam_span_of(path), size, kind);
  return tam_revision_add_file(revision, &file);
}

static int init(tam_revision *revision, const tam_mem *mem) {
  return tam_revision_init(revision, REPO, TAM_SPAN(COMMIT), TAM_SPAN("main"),
                           mem);
}

static tam_buf save(const tam_revision *revision, const tam_mem *mem) {
  tam_buf buf;
  tam_buf_init(&buf, mem, TAM_REVISION_RECORD_MAX);
  tam_revision_save(revision, &buf);
  CHECK_INT(buf.error, 0);
  return buf;
}

// Saves |revision| and makes it what comes back.
static void reload(tam_revision *revision, const tam_mem *mem) {
  tam_buf saved = save(revision, mem);
  tam_revision_free(revision);
  CHECK_INT(tam_revision_load(revision, tam_buf_span(&saved), mem), 0);
  tam_buf again = save(revision, mem);
  CHECK(tam_span_eq(tam_buf_span(&saved), tam_buf_span(&again)));
  tam_buf_free(&saved);
  tam_buf_free(&again);
}

#define CHECK_TEXT(revision, field, literal)                                   \
  CHECK_SPAN(tam_revision_text(&(revision), (revision).field), literal)

// ---------------------------------------------------------------------------
// Names

static void test_names(void) {
  check_heap heap = {0};
  tam_mem mem = check_heap_mem(&heap);
  tam_revision revision;
  CHECK_INT(init(&revision, &mem), 0);
  for (int i = 0; i < 2; i++) {
    CHECK_TEXT(revision, repo, "owner/name");
    CHECK_TEXT(revision, commit, COMMIT);
    CHECK_TEXT(revision, label, "main");
    CHECK_TEXT(revision, task, "");
    CHECK_INT(revision.count, 0);
    reload(&revision, &mem);
  }
  CHECK_INT(tam_revision_set_task(&revision, TAM_SPAN("translation")), 0);
  CHECK_INT(tam_revision_set_task(&revision, TAM_SPAN("text-generation")), 0);
  revision.flags = TAM_REVISION_CURRENT | TAM_REVISION_LISTED;
  revision.dtypes = 1U << TAM_DTYPE_Q4 | 1U << TAM_DTYPE_FP16;
  revision.created_ms = UINT64_C(1700000000123);
  reload(&revision, &mem);
  CHECK_TEXT(revision, task, "text-generation");
  CHECK_INT(revision.flags, TAM_REVISION_CURRENT | TAM_REVISION_LISTED);
  CHECK_INT(revision.dtypes, 1U << TAM_DTYPE_Q4 | 1U << TAM_DTYPE_FP16);
  CHECK_INT(revision.created_ms, UINT64_C(1700000000123));
  tam_revision_free(&revision);
  CHECK_INT(heap.live, 0);
}

static void test_names_that_are_refused(void) {
  static uint8_t letters[256];
  memset(letters, 'x', sizeof(letters));
  const tam_span main_label = TAM_SPAN("main");
  const tam_span commit = TAM_SPAN(COMMIT);
  const struct {
    tam_span repo;
    tam_span commit;
    tam_span label;
    int error;
  } rows[] = {
      {REPO, commit, TAM_SPAN("refs/pr/1"), 0},
      {REPO, commit, {letters, 255}, 0},
      {REPO, commit, {letters, 256}, TAM_ERR_TOO_LARGE},
      {REPO, commit, TAM_SPAN(""), TAM_ERR_INVALID_ARGUMENT},
      {REPO, commit, TAM_SPAN("a/../b"), TAM_ERR_INVALID_ARGUMENT},
      {REPO, TAM_SPAN("main"), main_label, TAM_ERR_INVALID_ARGUMENT},
      {REPO, tam_span_head(commit, 39), main_label, TAM_ERR_INVALID_ARGUMENT},
      {REPO, TAM_SPAN(COMMIT "0"), main_label, TAM_ERR_INVALID_ARGUMENT},
      {REPO, TAM_SPAN("0123456789ABCDEF0123456789abcdef01234567"), main_label,
       TAM_ERR_INVALID_ARGUMENT},
      {TAM_SPAN(""), commit, main_label, TAM_ERR_INVALID_ARGUMENT},
      {TAM_SPAN("a/b/c"), commit, main_label, TAM_ERR_INVALID_ARGUMENT},
  };
  for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
    tam_mem mem = tam_mem_default();
    tam_revision revision;
    CHECK_INT(tam_revision_init(&revision, rows[i].repo, rows[i].commit,
                                rows[i].label, &mem),
              rows[i].error);
    CHECK_INT(tam_revision_set_task(&revision, (tam_span){letters, 64}), 0);
    CHECK_INT(tam_revision_set_task(&revision, (tam_span){letters, 65}),
              TAM_ERR_TOO_LARGE);
    tam_revision_free(&revision);
  }
}

// ---------------------------------------------------------------------------
// Files

static void test_files(void) {
  check_heap heap = {0};
  tam_mem mem = check_heap_mem(&heap);
  tam_revision revision;
  CHECK_INT(init(&revision, &mem), 0);
  CHECK_INT(add(&revision, "config.json", 650, TAM_TREE_GIT_BLOB), 0);
  CHECK_INT(
      add(&revision, "onnx/model.onnx", TAM_FILE_SIZE_MAX, TAM_TREE_SHA256), 0);
  CHECK_INT(add(&revision, "empty", 0, TAM_TREE_GIT_BLOB), 0);
  revision.files[1].flags = TAM_REVISION_FILE_WANTED;
  for (int i = 0; i < 2; i++) {
    CHECK_INT(revision.count, 3);
    const tam_revision_file *config = &revision.files[0];
    const tam_revision_file *model = &revision.files[1];
    CHECK_SPAN(tam_revision_text(&revision, config->path), "config.json");
    CHECK_INT(config->size, 650);
    CHECK_INT(config->algorithm, TAM_FILE_HASH_GIT_SHA1);
    CHECK_INT(config->flags, 0);
    CHECK(memcmp(config->digest, some_digest, 20) == 0);
    CHECK_INT(config->digest[20], 0);
    CHECK_INT(config->digest[31], 0);
    CHECK_SPAN(tam_revision_text(&revision, model->path), "onnx/model.onnx");
    CHECK_INT(model->size, TAM_FILE_SIZE_MAX);
    CHECK_INT(model->algorithm, TAM_FILE_HASH_SHA256);
    CHECK_INT(model->flags, TAM_REVISION_FILE_WANTED);
    CHECK(memcmp(model->digest, some_digest, 32) == 0);
    CHECK(tam_revision_find(&revision, TAM_SPAN("config.json")) == config);
    CHECK(tam_revision_find(&revision, TAM_SPAN("onnx/model.onnx")) == model);
    CHECK(tam_revision_find(&revision, TAM_SPAN("config.jso")) == NULL);
    CHECK(tam_revision_find(&revision, TAM_SPAN("Config.json")) == NULL);
    CHECK(tam_revision_find(&revision, TAM_SPAN_NONE) == NULL);
    reload(&revision, &mem);
  }
  tam_revision_free(&revision);
  CHECK_INT(heap.live, 0);
}

static void test_files_that_are_refused(void) {
  tam_mem mem = tam_mem_default();
  tam_revision revision;
  CHECK_INT(init(&revision, &mem), 0);
  CHECK_INT(add(&revision, "a", 1, TAM_TREE_SHA256), 0);
  CHECK_INT(add(&revision, "a", 2, TAM_TREE_SHA256), TAM_ERR_INVALID_ARGUMENT);
  CHECK_INT(add(&revision, "", 1, TAM_TREE_SHA256), TAM_ERR_INVALID_ARGUMENT);
  CHECK_INT(add(&revision, "../b", 1, TAM_TREE_SHA256),
            TAM_ERR_INVALID_ARGUMENT);
  CHECK_INT(add(&revision, "b", TAM_FILE_SIZE_MAX + 1, TAM_TREE_SHA256),
            TAM_ERR_INVALID_ARGUMENT);
  tam_tree_file file = row(TAM_SPAN("b"), 1, TAM_TREE_SHA256);
  file.digest.len = 20;
  CHECK_INT(tam_revision_add_file(&revision, &file), TAM_ERR_INVALID_ARGUMENT);
  file = row(TAM_SPAN("b"), 1, TAM_TREE_GIT_BLOB);
  file.digest.len = 32;
  CHECK_INT(tam_revision_add_file(&revision, &file), TAM_ERR_INVALID_ARGUMENT);
  CHECK_INT(revision.count, 1);
  tam_revision_free(&revision);
}

static void test_groups(void) {
  tam_mem mem = tam_mem_default();
  static uint8_t longest[TAM_STORE_GROUP_MAX + 1];
  uint8_t space[TAM_STORE_GROUP_MAX];
  tam_revision revision;
  tam_buf group;
  memset(longest, 'g', sizeof(longest));
  tam_buf_init_fixed(&group, space, sizeof(space));
  CHECK_INT(init(&revision, &mem), 0);
  CHECK_INT(add(&revision, "onnx/model.onnx", 1, TAM_TREE_SHA256), 0);
  CHECK_INT(add(&revision, "b", 1, TAM_TREE_SHA256), 0);
  tam_revision_append_group(&revision, revision.files, &group);
  CHECK_SPAN(tam_buf_span(&group), "owner/name@" COMMIT "/onnx/model.onnx");
  revision.flags = TAM_REVISION_FIRST;
  tam_buf_reset(&group);
  tam_revision_append_group(&revision, revision.files, &group);
  CHECK_SPAN(tam_buf_span(&group), "owner/name/onnx/model.onnx");
  CHECK_INT(tam_revision_set_group(&revision, revision.files, TAM_SPAN("x/y")),
            0);
  reload(&revision, &mem);
  tam_buf_reset(&group);
  tam_revision_append_group(&revision, revision.files, &group);
  CHECK_SPAN(tam_buf_span(&group), "x/y");
  tam_buf_reset(&group);
  tam_revision_append_group(&revision, revision.files + 1, &group);
  CHECK_SPAN(tam_buf_span(&group), "owner/name/b");
  CHECK_INT(tam_revision_set_group(&revision, revision.files,
                                   (tam_span){longest, sizeof(longest)}),
            TAM_ERR_TOO_LARGE);
  CHECK_INT(tam_revision_set_group(&revision, revision.files,
                                   (tam_span){longest, TAM_STORE_GROUP_MAX}),
            0);
  reload(&revision, &mem);
  tam_buf_reset(&group);
  tam_revision_append_group(&revision, revision.files, &group);
  CHECK_INT(group.len, TAM_STORE_GROUP_MAX);
  tam_revision_free(&revision);
}

// The longest names there are make a default group that fits.
static void test_the_longest_group(void) {
  static uint8_t letters[TAM_HUB_PATH_MAX];
  uint8_t repo[TAM_REPO_ID_MAX];
  uint8_t space[TAM_STORE_GROUP_MAX];
  tam_mem mem = tam_mem_default();
  tam_revision revision;
  tam_buf group;
  memset(letters, 'x', sizeof(letters));
  memset(repo, 'x', sizeof(repo));
  repo[TAM_REPO_NAME_MAX] = '/';
  tam_buf_init_fixed(&group, space, sizeof(space));
  CHECK_INT(tam_revision_init(&revision, (tam_span){repo, sizeof(repo)},
                              TAM_SPAN(COMMIT), TAM_SPAN("main"), &mem),
            0);
  tam_tree_file file =
      row((tam_span){letters, sizeof(letters)}, 1, TAM_TREE_SHA256);
  CHECK_INT(tam_revision_add_file(&revision, &file), 0);
  tam_revision_append_group(&revision, revision.files, &group);
  CHECK_INT(group.error, 0);
  CHECK_INT(group.len, TAM_STORE_GROUP_MAX);
  tam_revision_free(&revision);
}

// Adds files with paths of |path_len| bytes until one is refused.
static int fill(tam_revision *revision, size_t path_len) {
  uint8_t path[TAM_HUB_PATH_MAX];
  memset(path, 'x', sizeof(path));
  for (unsigned i = 0;; i++) {
    for (int digit = 0; digit < 4; digit++) {
      path[digit] = (uint8_t)('a' + (i >> (4 * digit) & 15));
    }
    tam_tree_file file = row((tam_span){path, path_len}, i, TAM_TREE_SHA256);
    int error = tam_revision_add_file(revision, &file);
    if (error != 0) {
      return error;
    }
  }
}

static void test_caps(void) {
  static const struct {
    size_t path_len;
    uint32_t count;
  } rows[] = {
      {4, TAM_REVISION_FILES_MAX},
      {380, TAM_REVISION_FILES_MAX},
      // 3 MiB less the 54 bytes of the names
      {TAM_HUB_PATH_MAX, 3071},
  };
  for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
    check_heap heap = {0};
    tam_mem mem = check_heap_mem(&heap);
    tam_revision revision;
    CHECK_INT(init(&revision, &mem), 0);
    CHECK_INT(fill(&revision, rows[i].path_len), TAM_ERR_TOO_LARGE);
    CHECK_INT(revision.count, rows[i].count);
    // A shorter text may still fit.
    CHECK_INT(add(&revision, "s", 1, TAM_TREE_SHA256),
              revision.count < TAM_REVISION_FILES_MAX ? 0 : TAM_ERR_TOO_LARGE);
    revision.count = rows[i].count;
    reload(&revision, &mem);
    CHECK_INT(revision.count, rows[i].count);
    CHECK_INT(revision.files[rows[i].count - 1].size, rows[i].count - 1);
    tam_revision_free(&revision);
    CHECK_INT(heap.live, 0);
  }
}

// Paths of the same hash are told apart.
#define NAMES 200000

typedef struct hashed_name {
  uint32_t hash;
  char name[16];
} hashed_name;

static int compare_hashes(const void *a, const void *b) {
  const hashed_name *first = a;
  const hashed_name *second = b;
  return (first->hash > second->hash) - (first->hash < second->hash);
}

static void check_pair(const char *first, const char *second) {
  tam_mem mem = tam_mem_default();
  tam_revision revision;
  CHECK_INT(init(&revision, &mem), 0);
  CHECK_INT(add(&revision, first, 1, TAM_TREE_SHA256), 0);
  CHECK(tam_revision_find(&revision, tam_span_of(second)) == NULL);
  CHECK_INT(add(&revision, second, 2, TAM_TREE_SHA256), 0);
  CHECK_INT(revision.files[0].path_hash, revision.files[1].path_hash);
  CHECK(tam_revision_find(&revision, tam_span_of(first)) == revision.files);
  CHECK(tam_revision_find(&revision, tam_span_of(second)) ==
        revision.files + 1);
  tam_revision_free(&revision);
}

static void test_paths_of_the_same_hash(void) {
  int pairs = 0;
  hashed_name *names = malloc(NAMES * sizeof(*names));
  for (int i = 0; i < NAMES; i++) {
    snprintf(names[i].name, sizeof(names[i].name), "f%d", i);
    names[i].hash = (uint32_t)tam_span_hash(tam_span_of(names[i].name), 0);
  }
  qsort(names, NAMES, sizeof(*names), compare_hashes);
  for (int i = 1; i < NAMES; i++) {
    if (names[i].hash == names[i - 1].hash) {
      check_pair(names[i - 1].name, names[i].name);
      pairs++;
    }
  }
  CHECK(pairs > 0);
  free(names);
}

// ---------------------------------------------------------------------------
// Records

// What a record is made of, in pieces that a test may spoil.
typedef struct parts {
  uint8_t version;
  tam_span repo;
  tam_span commit;
  tam_span task;
  uint32_t count;
  tam_span path;
  tam_span group;
  uint64_t size;
  uint8_t algorithm;
  size_t digest_len;
  int files;
} parts;

static parts good_parts(void) {
  parts good = {1,
                REPO,
                TAM_SPAN(COMMIT),
                TAM_SPAN("text-generation"),
                1,
                TAM_SPAN("onnx/model.onnx"),
                TAM_SPAN("group"),
                12,
                TAM_FILE_HASH_SHA256,
                32,
                1};
  return good;
}

// Writes the record of |of|; returns what loading says.
static int load_parts(const parts *of, tam_buf *saved) {
  check_heap heap = {0};
  tam_mem mem = check_heap_mem(&heap);
  tam_revision revision;
  tam_record_begin(saved, TAM_RECORD_REVISION, of->version);
  tam_record_put_text(saved, of->repo);
  tam_record_put_text(saved, of->commit);
  tam_record_put_text(saved, TAM_SPAN("main"));
  tam_record_put_text(saved, of->task);
  tam_record_put_u8(saved, 0x85);
  tam_record_put_u32(saved, 0x21);
  tam_record_put_u64(saved, 77);
  tam_record_put_u32(saved, of->count);
  for (int i = 0; i < of->files; i++) {
    tam_record_put_text(saved, of->path);
    tam_record_put_text(saved, of->group);
    tam_record_put_u8(saved, 0x03);
    tam_record_put_u64(saved, of->size);
    tam_record_put_u8(saved, of->algorithm);
    tam_buf_append(saved, (tam_span){some_digest, of->digest_len});
  }
  tam_record_end(saved);
  int error = tam_revision_load(&revision, tam_buf_span(saved), &mem);
  CHECK(error == 0 || (heap.live == 0 && revision.count == 0));
  tam_revision_free(&revision);
  CHECK_INT(heap.live, 0);
  return error;
}

static void test_a_record(void) {
  tam_mem mem = tam_mem_default();
  uint8_t space[512];
  tam_buf saved;
  tam_revision revision;
  parts good = good_parts();
  tam_buf_init_fixed(&saved, space, sizeof(space));
  CHECK_INT(load_parts(&good, &saved), 0);
  CHECK_INT(tam_revision_load(&revision, tam_buf_span(&saved), &mem), 0);
  CHECK_TEXT(revision, repo, "owner/name");
  CHECK_TEXT(revision, commit, COMMIT);
  CHECK_TEXT(revision, label, "main");
  CHECK_TEXT(revision, task, "text-generation");
  CHECK_INT(revision.flags, 0x85);
  CHECK_INT(revision.dtypes, 0x21);
  CHECK_INT(revision.created_ms, 77);
  CHECK_INT(revision.count, 1);
  CHECK_TEXT(revision, files[0].path, "onnx/model.onnx");
  CHECK_TEXT(revision, files[0].group, "group");
  CHECK_INT(revision.files[0].flags, 0x03);
  CHECK_INT(revision.files[0].size, 12);
  tam_buf again = save(&revision, &mem);
  CHECK(tam_span_eq(tam_buf_span(&again), tam_buf_span(&saved)));
  tam_buf_free(&again);
  tam_revision_free(&revision);
}

#define SPOIL(field, value, expected)                                          \
  do {                                                                         \
    parts bad_ = good_parts();                                                 \
    bad_.field = (value);                                                      \
    CHECK_INT(load_parts(&bad_, &saved), expected);                            \
  } while (0)

static void test_damaged_records(void) {
  static uint8_t space[8192];
  static uint8_t longest[TAM_STORE_GROUP_MAX + 1];
  tam_buf saved;
  tam_buf_init_fixed(&saved, space, sizeof(space));
  memset(longest, 'x', sizeof(longest));
  SPOIL(version, 0, TAM_ERR_INVALID_ARGUMENT);
  SPOIL(version, 2, TAM_ERR_UNEXPECTED_SHAPE);
  SPOIL(repo, TAM_SPAN_NONE, TAM_ERR_INVALID_ARGUMENT);
  SPOIL(repo, TAM_SPAN("a b"), TAM_ERR_INVALID_ARGUMENT);
  SPOIL(repo, ((tam_span){longest, TAM_REPO_ID_MAX + 1}),
        TAM_ERR_INVALID_ARGUMENT);
  SPOIL(commit, TAM_SPAN("main"), TAM_ERR_INVALID_ARGUMENT);
  SPOIL(task, TAM_SPAN_NONE, 0);
  SPOIL(task, ((tam_span){longest, TAM_REVISION_TASK_MAX}), 0);
  SPOIL(task, ((tam_span){longest, TAM_REVISION_TASK_MAX + 1}),
        TAM_ERR_INVALID_ARGUMENT);
  SPOIL(count, 0, TAM_ERR_INVALID_ARGUMENT);
  SPOIL(count, 2, TAM_ERR_INVALID_ARGUMENT);
  SPOIL(count, UINT32_MAX, TAM_ERR_INVALID_ARGUMENT);
  SPOIL(path, TAM_SPAN_NONE, TAM_ERR_INVALID_ARGUMENT);
  SPOIL(path, TAM_SPAN("a/../b"), TAM_ERR_INVALID_ARGUMENT);
  SPOIL(path, ((tam_span){longest, TAM_HUB_PATH_MAX}), 0);
  SPOIL(path, ((tam_span){longest, TAM_HUB_PATH_MAX + 1}),
        TAM_ERR_INVALID_ARGUMENT);
  SPOIL(group, TAM_SPAN_NONE, 0);
  SPOIL(group, ((tam_span){longest, TAM_STORE_GROUP_MAX}), 0);
  SPOIL(group, ((tam_span){longest, TAM_STORE_GROUP_MAX + 1}),
        TAM_ERR_INVALID_ARGUMENT);
  SPOIL(size, TAM_FILE_SIZE_MAX, 0);
  SPOIL(size, TAM_FILE_SIZE_MAX + 1, TAM_ERR_INVALID_ARGUMENT);
  SPOIL(algorithm, 0, TAM_ERR_INVALID_ARGUMENT);
  SPOIL(algorithm, 3, TAM_ERR_INVALID_ARGUMENT);
  SPOIL(algorithm, TAM_FILE_HASH_GIT_SHA1, TAM_ERR_INVALID_ARGUMENT);
  SPOIL(digest_len, 31, TAM_ERR_INVALID_ARGUMENT);
  SPOIL(files, 0, TAM_ERR_INVALID_ARGUMENT);
  SPOIL(files, 2, TAM_ERR_INVALID_ARGUMENT);
  parts twice = good_parts();
  twice.files = 2;
  twice.count = 2;
  CHECK_INT(load_parts(&twice, &saved), TAM_ERR_INVALID_ARGUMENT);
}

// More files than there may be.
static void test_a_record_of_many_files(void) {
  for (uint32_t count = TAM_REVISION_FILES_MAX;
       count <= TAM_REVISION_FILES_MAX + 1; count++) {
    tam_mem mem = tam_mem_default();
    tam_revision revision;
    tam_buf saved;
    char path[16];
    tam_buf_init(&saved, &mem, TAM_REVISION_RECORD_MAX);
    tam_record_begin(&saved, TAM_RECORD_REVISION, 1);
    tam_record_put_text(&saved, REPO);
    tam_record_put_text(&saved, TAM_SPAN(COMMIT));
    tam_record_put_text(&saved, TAM_SPAN("main"));
    tam_record_put_text(&saved, TAM_SPAN_NONE);
    tam_record_put_u8(&saved, 0);
    tam_record_put_u32(&saved, 0);
    tam_record_put_u64(&saved, 0);
    tam_record_put_u32(&saved, count);
    for (uint32_t i = 0; i < count; i++) {
      snprintf(path, sizeof(path), "f%u", (unsigned)i);
      tam_record_put_text(&saved, tam_span_of(path));
      tam_record_put_text(&saved, TAM_SPAN_NONE);
      tam_record_put_u8(&saved, 0);
      tam_record_put_u64(&saved, 1);
      tam_record_put_u8(&saved, TAM_FILE_HASH_SHA256);
      tam_buf_append(&saved, (tam_span){some_digest, 32});
    }
    tam_record_end(&saved);
    CHECK_INT(tam_revision_load(&revision, tam_buf_span(&saved), &mem),
              count <= TAM_REVISION_FILES_MAX ? 0 : TAM_ERR_INVALID_ARGUMENT);
    tam_revision_free(&revision);
    tam_buf_free(&saved);
  }
}

// ---------------------------------------------------------------------------
// Memory

static int work_through(check_heap *heap) {
  tam_mem mem = check_heap_mem(heap);
  tam_revision revision;
  tam_revision loaded;
  tam_buf saved;
  char path[] = "onnx/model_00.onnx";
  tam_buf_init(&saved, &mem, TAM_REVISION_RECORD_MAX);
  int error = init(&revision, &mem);
  for (int i = 0; error == 0 && i < 100; i++) {
    path[11] = (char)('0' + i / 10);
    path[12] = (char)('0' + i % 10);
    error = add(&revision, path, 1, TAM_TREE_SHA256);
  }
  if (error == 0) {
    tam_revision_save(&revision, &saved);
    error = saved.error;
  }
  if (error == 0) {
    error = tam_revision_load(&loaded, tam_buf_span(&saved), &mem);
    CHECK_INT(loaded.count, error == 0 ? 100 : 0);
    tam_revision_free(&loaded);
  }
  tam_buf_free(&saved);
  tam_revision_free(&revision);
  CHECK_INT(heap->live, 0);
  return error;
}

static void test_memory_may_be_short(void) {
  check_heap whole = {0};
  CHECK_INT(work_through(&whole), 0);
  for (size_t i = 1; i <= whole.allocations; i++) {
    check_heap once = {.fail_at = i};
    check_heap ever = {.fail_at = i, .fail_after = 1};
    CHECK_INT(work_through(&once), TAM_ERR_OUT_OF_MEMORY);
    CHECK_INT(work_through(&ever), TAM_ERR_OUT_OF_MEMORY);
  }
}

int main(void) {
  RUN(test_names);
  RUN(test_names_that_are_refused);
  RUN(test_files);
  RUN(test_files_that_are_refused);
  RUN(test_groups);
  RUN(test_the_longest_group);
  RUN(test_caps);
  RUN(test_paths_of_the_same_hash);
  RUN(test_a_record);
  RUN(test_damaged_records);
  RUN(test_a_record_of_many_files);
  RUN(test_memory_may_be_short);
  return check_finish();
}
