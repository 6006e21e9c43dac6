// SPDX-License-Identifier: Apache-2.0
// The record of one revision of a repository: its files as the Hub listed them,
// which of them are wanted and complete, and where their content is kept.
#ifndef TAM_STORE_REVISION_H
#define TAM_STORE_REVISION_H

#include "core/model_files.h"
#include "store/content_hash.h"
#include "store/store_key.h"
#include "store/tree_scan.h"

// The length of a commit's name.
#define TAM_COMMIT_SIZE 40

// The most files of a revision. Of some 30,000 repositories, those of models
// stay far below; the ones above hold data.
#define TAM_REVISION_FILES_MAX 8192

// The longest task (the Hub's pipeline_tag) in bytes: twice the longest one.
#define TAM_REVISION_TASK_MAX 64

// The most bytes of all texts of a revision: some 380 for each file.
#define TAM_REVISION_TEXTS_MAX (UINT32_C(3) << 20)

// The longest record in bytes.
#define TAM_REVISION_RECORD_MAX (UINT32_C(4) << 20)

// Flags of a revision.
#define TAM_REVISION_CURRENT  0x01U // the one that is used
#define TAM_REVISION_PREVIOUS 0x02U // the one to go back to
#define TAM_REVISION_LISTED   0x04U // the files are all that the Hub has
#define TAM_REVISION_FIRST    0x08U // of its model: groups have no commit

// Flags of a file.
#define TAM_REVISION_FILE_WANTED   0x01U
#define TAM_REVISION_FILE_COMPLETE 0x02U // stored, and its digest is right
#define TAM_REVISION_FILE_CHOSEN   0x04U // of the operation at work; not saved

// Where a text is, see tam_revision_text.
typedef struct tam_revision_place {
  uint32_t at;
  uint32_t len; // in bytes
} tam_revision_place;

typedef struct tam_revision_file {
  tam_revision_place path;
  tam_revision_place group; // empty: tam_revision_append_group says which
  uint64_t size;            // in bytes
  uint32_t path_hash;       // for tam_revision_find
  uint8_t algorithm;        // a tam_file_hash
  uint8_t flags;            // the caller's
  uint8_t digest[TAM_CONTENT_DIGEST_MAX]; // zeros behind its end
} tam_revision_file;

// Read the fields at will. |flags|, |dtypes| and |created_ms| are the caller's;
// all else is changed by the functions only. They copy the texts they are
// given, which must not be texts of the revision itself.
typedef struct tam_revision {
  const tam_mem *mem;
  tam_buf texts;
  tam_revision_place repo;
  tam_revision_place commit; // 40 hexadecimal digits
  tam_revision_place label;  // the revision as it was asked for: "main"
  tam_revision_place task;   // may be empty: nobody said
  uint64_t created_ms;       // time of the record, from the host's clock
  uint32_t dtypes;           // that were asked for, as bits 1U << tam_dtype
  uint32_t count;            // of files
  uint32_t capacity;
  tam_revision_file *files;
  uint8_t flags;
} tam_revision;

// Makes |revision| one without files. |mem| is kept. Whatever it returns,
// tam_revision_free may be called. Returns 0 or
// * INVALID_ARGUMENT: |repo| and |label| cannot name a file (see
//   tam_hub_file_check), or |commit| is no full name of a commit;
// * TOO_LARGE: |label| is longer than TAM_HUB_REVISION_MAX;
// * OUT_OF_MEMORY.
int tam_revision_init(tam_revision *revision, tam_span repo, tam_span commit,
                      tam_span label, const tam_mem *mem);

void tam_revision_free(tam_revision *revision);

// Returns a text of |revision|, valid until it is changed.
tam_span tam_revision_text(const tam_revision *revision,
                           tam_revision_place place);

// Sets the label, one that tam_revision_init would take. Returns 0, TOO_LARGE
// (the texts of the revision are too long) or OUT_OF_MEMORY.
int tam_revision_set_label(tam_revision *revision, tam_span label);

// Sets the task. Returns 0, TOO_LARGE (longer than TAM_REVISION_TASK_MAX, or
// the texts of the revision are too long) or OUT_OF_MEMORY.
int tam_revision_set_task(tam_revision *revision, tam_span task);

// Adds |file| without flags. Returns 0 or
// * INVALID_ARGUMENT: there is a file with this path, or a field is not what
//   store/tree_scan.h says;
// * TOO_LARGE: there are TAM_REVISION_FILES_MAX files, or the texts of the
//   revision are too long;
// * OUT_OF_MEMORY.
int tam_revision_add_file(tam_revision *revision, const tam_tree_file *file);

// Chooses no file.
void tam_revision_choose_none(tam_revision *revision);

// Returns 1 when both have the same content, by size and digest.
int tam_revision_file_is_same(const tam_revision_file *a,
                              const tam_revision_file *b);

// Returns the file with |path|, or NULL; valid until a file is added.
tam_revision_file *tam_revision_find(const tam_revision *revision,
                                     tam_span path);

// Says that the content of |file|, one of |revision|, is kept under |group|.
// Returns 0, TOO_LARGE (longer than TAM_STORE_GROUP_MAX, or the texts of the
// revision are too long) or OUT_OF_MEMORY.
int tam_revision_set_group(tam_revision *revision, tam_revision_file *file,
                           tam_span group);

// Appends the group of |file|, one of |revision|, to |buf|; errors are those of
// |buf|. Unless another was set, it is "<repo>/<path>" for a revision with
// TAM_REVISION_FIRST, else "<repo>@<commit>/<path>".
void tam_revision_append_group(const tam_revision *revision,
                               const tam_revision_file *file, tam_buf *buf);

// Writes |revision| into |buf|, which is emptied, as a record of
// store/record.h: at most TAM_REVISION_RECORD_MAX bytes. Errors are those of
// |buf|.
void tam_revision_save(const tam_revision *revision, tam_buf *buf);

// Makes |revision| what was saved as |saved|, which is used during the call
// only. |mem| is kept. Whatever it returns, tam_revision_free may be called.
// Returns 0 or
// * UNEXPECTED_SHAPE: the record is one of a newer program;
// * INVALID_ARGUMENT: it is damaged, something else, or beyond a cap;
// * OUT_OF_MEMORY.
int tam_revision_load(tam_revision *revision, tam_span saved,
                      const tam_mem *mem);

#endif // TAM_STORE_REVISION_H
