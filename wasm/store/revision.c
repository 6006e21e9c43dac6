// SPDX-License-Identifier: Apache-2.0
#include "store/revision.h"

#include "core/mem.h"
#include "core/span.h"
#include "store/record.h"

#include <string.h>

#define VERSION 1

// The first allocation: more than most models have.
#define CAPACITY_MIN 32

// The flags of a file that its record keeps.
#define SAVED_FLAGS (TAM_REVISION_FILE_WANTED | TAM_REVISION_FILE_COMPLETE)

// What a file takes in a record, without the bytes of its texts: their lengths,
// algorithm, flags, size and digest.
#define FILE_BYTES (4 + 4 + 1 + 1 + 8 + TAM_CONTENT_DIGEST_MAX)

_Static_assert(TAM_REVISION_TEXTS_MAX + TAM_REVISION_FILES_MAX * FILE_BYTES +
                       64 <=
                   TAM_REVISION_RECORD_MAX,
               "every revision can be saved");

// ---------------------------------------------------------------------------
// Texts

tam_span tam_revision_text(const tam_revision *revision,
                           tam_revision_place place) {
  return tam_span_head(tam_span_from(tam_buf_span(&revision->texts), place.at),
                       place.len);
}

// Keeps |text|. Returns 0, TOO_LARGE or OUT_OF_MEMORY; |*pplace| is unchanged
// then. The text that was there stays, until the revision is saved and loaded.
static int keep_text(tam_revision *revision, tam_span text,
                     tam_revision_place *pplace) {
  tam_buf *texts = &revision->texts;
  tam_revision_place place = {(uint32_t)texts->len, (uint32_t)text.len};
  tam_buf_append(texts, text);
  int error = texts->error;
  texts->error = 0;
  if (error == 0) {
    *pplace = place;
  }
  return error;
}

// ---------------------------------------------------------------------------
// Life

static void revision_clear(tam_revision *revision, const tam_mem *mem) {
  memset(revision, 0, sizeof(*revision));
  revision->mem = mem;
  tam_buf_init(&revision->texts, mem, TAM_REVISION_TEXTS_MAX);
}

static int keep_names(tam_revision *revision, tam_span repo, tam_span commit,
                      tam_span label) {
  tam_hub_file some_file = {repo, label, TAM_SPAN("x")};
  int error = tam_hub_file_check(&some_file);
  if (error == 0 && !tam_hub_revision_is_commit(commit)) {
    error = TAM_ERR_INVALID_ARGUMENT;
  }
  if (error == 0) {
    error = keep_text(revision, repo, &revision->repo);
  }
  if (error == 0) {
    error = keep_text(revision, commit, &revision->commit);
  }
  return error != 0 ? error : keep_text(revision, label, &revision->label);
}

int tam_revision_init(tam_revision *revision, tam_span repo, tam_span commit,
                      tam_span label, const tam_mem *mem) {
  revision_clear(revision, mem);
  return keep_names(revision, repo, commit, label);
}

void tam_revision_free(tam_revision *revision) {
  tam_mem_free(revision->mem, revision->files);
  tam_buf_free(&revision->texts);
  revision_clear(revision, revision->mem);
}

int tam_revision_set_label(tam_revision *revision, tam_span label) {
  return keep_text(revision, label, &revision->label);
}

int tam_revision_set_task(tam_revision *revision, tam_span task) {
  return task.len > TAM_REVISION_TASK_MAX
             ? TAM_ERR_TOO_LARGE
             : keep_text(revision, task, &revision->task);
}

// ---------------------------------------------------------------------------
// Files

static uint32_t path_hash(tam_span path) {
  return (uint32_t)tam_span_hash(path, 0);
}

void tam_revision_choose_none(tam_revision *revision) {
  for (uint32_t i = 0; i < revision->count; i++) {
    revision->files[i].flags &= (uint8_t)~TAM_REVISION_FILE_CHOSEN;
  }
}

int tam_revision_file_is_same(const tam_revision_file *a,
                              const tam_revision_file *b) {
  return a->size == b->size && a->algorithm == b->algorithm &&
         memcmp(a->digest, b->digest, sizeof(a->digest)) == 0;
}

tam_revision_file *tam_revision_find(const tam_revision *revision,
                                     tam_span path) {
  const uint32_t hash = path_hash(path);
  for (uint32_t i = 0; i < revision->count; i++) {
    tam_revision_file *file = &revision->files[i];
    if (file->path_hash == hash &&
        tam_span_eq(tam_revision_text(revision, file->path), path)) {
      return file;
    }
  }
  return NULL;
}

// Makes room for one more file. Returns 0, TOO_LARGE or OUT_OF_MEMORY.
static int reserve_file(tam_revision *revision) {
  if (revision->count == TAM_REVISION_FILES_MAX) {
    return TAM_ERR_TOO_LARGE;
  }
  if (revision->count < revision->capacity) {
    return 0;
  }
  uint32_t capacity =
      revision->capacity > 0 ? 2 * revision->capacity : CAPACITY_MIN;
  tam_revision_file *files =
      tam_mem_realloc(revision->mem, revision->files, capacity, sizeof(*files));
  if (files == NULL) {
    return TAM_ERR_OUT_OF_MEMORY;
  }
  revision->files = files;
  revision->capacity = capacity;
  return 0;
}

int tam_revision_add_file(tam_revision *revision, const tam_tree_file *file) {
  const uint8_t algorithm = file->digest_kind == TAM_TREE_SHA256
                                ? TAM_FILE_HASH_SHA256
                                : TAM_FILE_HASH_GIT_SHA1;
  if (tam_hub_path_check(file->path) != 0 || file->size > TAM_FILE_SIZE_MAX ||
      file->digest.len != tam_file_hash_digest_size(algorithm) ||
      tam_revision_find(revision, file->path) != NULL) {
    return TAM_ERR_INVALID_ARGUMENT;
  }
  int error = reserve_file(revision);
  if (error != 0) {
    return error;
  }
  tam_revision_file *added = &revision->files[revision->count];
  memset(added, 0, sizeof(*added));
  added->size = file->size;
  added->path_hash = path_hash(file->path);
  added->algorithm = algorithm;
  tam_text_copy(added->digest, file->digest);
  error = keep_text(revision, file->path, &added->path);
  revision->count += error == 0;
  return error;
}

int tam_revision_set_group(tam_revision *revision, tam_revision_file *file,
                           tam_span group) {
  return group.len > TAM_STORE_GROUP_MAX
             ? TAM_ERR_TOO_LARGE
             : keep_text(revision, group, &file->group);
}

void tam_revision_append_group(const tam_revision *revision,
                               const tam_revision_file *file, tam_buf *buf) {
  if (file->group.len > 0) {
    tam_buf_append(buf, tam_revision_text(revision, file->group));
    return;
  }
  tam_buf_append(buf, tam_revision_text(revision, revision->repo));
  if ((revision->flags & TAM_REVISION_FIRST) == 0) {
    tam_buf_append_byte(buf, '@');
    tam_buf_append(buf, tam_revision_text(revision, revision->commit));
  }
  tam_buf_append_byte(buf, '/');
  tam_buf_append(buf, tam_revision_text(revision, file->path));
}

// ---------------------------------------------------------------------------
// Saved form: repository, commit, label, task, flags, dtypes, time, number of
// files; of each file path, group, flags, size, algorithm, digest

static void save_text(const tam_revision *revision, tam_revision_place place,
                      tam_buf *buf) {
  tam_record_put_text(buf, tam_revision_text(revision, place));
}

static void save_file(const tam_revision *revision,
                      const tam_revision_file *file, tam_buf *buf) {
  save_text(revision, file->path, buf);
  save_text(revision, file->group, buf);
  tam_record_put_u8(buf, (uint8_t)(file->flags & SAVED_FLAGS));
  tam_record_put_u64(buf, file->size);
  tam_record_put_u8(buf, file->algorithm);
  tam_buf_append(buf, (tam_span){file->digest,
                                 tam_file_hash_digest_size(file->algorithm)});
}

void tam_revision_save(const tam_revision *revision, tam_buf *buf) {
  tam_record_begin(buf, TAM_RECORD_REVISION, VERSION);
  save_text(revision, revision->repo, buf);
  save_text(revision, revision->commit, buf);
  save_text(revision, revision->label, buf);
  save_text(revision, revision->task, buf);
  tam_record_put_u8(buf, revision->flags);
  tam_record_put_u32(buf, revision->dtypes);
  tam_record_put_u64(buf, revision->created_ms);
  tam_record_put_u32(buf, revision->count);
  for (uint32_t i = 0; i < revision->count; i++) {
    save_file(revision, &revision->files[i], buf);
  }
  tam_record_end(buf);
}

static int load_file(tam_revision *revision, tam_record_reader *reader) {
  tam_tree_file row;
  row.path = tam_record_get_text(reader, TAM_HUB_PATH_MAX);
  tam_span group = tam_record_get_text(reader, TAM_STORE_GROUP_MAX);
  uint8_t flags = tam_record_get_u8(reader);
  row.size = tam_record_get_u64(reader);
  uint8_t algorithm = tam_record_get_u8(reader);
  if (!tam_file_hash_is_known(algorithm) || (flags & ~SAVED_FLAGS) != 0) {
    return TAM_ERR_INVALID_ARGUMENT;
  }
  row.digest_kind =
      algorithm == TAM_FILE_HASH_SHA256 ? TAM_TREE_SHA256 : TAM_TREE_GIT_BLOB;
  row.digest =
      tam_record_get_bytes(reader, tam_file_hash_digest_size(algorithm));
  int error = tam_revision_add_file(revision, &row);
  if (error != 0) {
    return error;
  }
  tam_revision_file *file = &revision->files[revision->count - 1];
  file->flags = flags;
  return tam_revision_set_group(revision, file, group);
}

static int load_revision(tam_revision *revision, tam_record_reader *reader) {
  tam_span repo = tam_record_get_text(reader, TAM_REPO_ID_MAX);
  tam_span commit = tam_record_get_text(reader, TAM_HUB_REVISION_MAX);
  tam_span label = tam_record_get_text(reader, TAM_HUB_REVISION_MAX);
  int error = keep_names(revision, repo, commit, label);
  if (error == 0) {
    error = tam_revision_set_task(
        revision, tam_record_get_text(reader, TAM_REVISION_TASK_MAX));
  }
  revision->flags = tam_record_get_u8(reader);
  revision->dtypes = tam_record_get_u32(reader);
  revision->created_ms = tam_record_get_u64(reader);
  uint32_t count = tam_record_get_u32(reader);
  while (error == 0 && revision->count < count) {
    error = load_file(revision, reader);
  }
  return error != 0 ? error : tam_record_close(reader);
}

int tam_revision_load(tam_revision *revision, tam_span saved,
                      const tam_mem *mem) {
  tam_record_reader reader;
  revision_clear(revision, mem);
  int error = tam_record_open(&reader, saved, TAM_RECORD_REVISION, VERSION);
  if (error == 0) {
    error = load_revision(revision, &reader);
    // Nothing that was saved is beyond a cap.
    error = error == TAM_ERR_TOO_LARGE ? TAM_ERR_INVALID_ARGUMENT : error;
  }
  if (error != 0) {
    tam_revision_free(revision);
  }
  return error;
}
