// SPDX-License-Identifier: Apache-2.0
// Models that the caller hands in: an archive that was exported, or files of
// his own. The list of files comes first, in the form of the Hub's tree (see
// store/tree_scan.h), then their bytes, in the order of the transfers. What
// they must be is in the list, so they are verified as those of the Hub are.
#include "store/file_select.h"
#include "store/store_op.h"
#include "store/verbs.h"

#include <string.h>

// A file that is known already must be the same one.
static int on_file(void *user_data, const tam_tree_file *file) {
  tam_store_op *op = user_data;
  tam_revision *revision = &op->revision;
  tam_revision_file *known = tam_revision_find(revision, file->path);
  int error = 0;
  if (known == NULL) {
    error = tam_revision_add_file(revision, file);
    known = error == 0 ? &revision->files[revision->count - 1] : NULL;
  } else if (known->size != file->size ||
             memcmp(known->digest, file->digest.ptr, file->digest.len) != 0) {
    error = TAM_ERR_HASH_MISMATCH;
  }
  if (error == 0) {
    known->flags |= TAM_REVISION_FILE_CHOSEN;
  }
  return error;
}

// Returns the file that the caller means by |path|, or NULL: a browser tells
// the name of a file that was picked, and its folder only when that was picked.
static tam_revision_file *find_meant(const tam_revision *revision,
                                     tam_span path) {
  tam_revision_file *found = tam_revision_find(revision, path);
  if (found != NULL || tam_span_find_byte(path, '/') < path.len) {
    return found;
  }
  for (uint32_t i = 0; i < revision->count; i++) {
    tam_span known = tam_revision_text(revision, revision->files[i].path);
    if (tam_span_ends_with(known, path) && known.len > path.len &&
        known.ptr[known.len - path.len - 1] == '/') {
      if (found != NULL) {
        return NULL; // nobody knows which
      }
      found = &revision->files[i];
    }
  }
  return found;
}

// A file of the caller's own comes without a digest: the Hub has said which it
// must have. One that the Hub does not know, or cannot have, is left out.
static int on_flaw(void *user_data, tam_tree_flaw flaw, tam_span path) {
  tam_store_op *op = user_data;
  tam_revision_file *known = find_meant(&op->revision, path);
  if ((flaw != TAM_TREE_FLAW_DIGEST && flaw != TAM_TREE_FLAW_PATH) ||
      (op->revision.flags & TAM_REVISION_LISTED) == 0) {
    return TAM_ERR_UNEXPECTED_SHAPE;
  }
  if (known != NULL) {
    known->flags |= TAM_REVISION_FILE_CHOSEN;
  }
  return 0;
}

static int scan_rows(tam_store_op *op) {
  tam_tree_sink sink = {on_file, on_flaw, op};
  int error = tam_tree_scan_new(&op->listing.tree, &sink, op->store->host.mem);
  if (error == 0) {
    error = tam_tree_scan_feed(op->listing.tree, tam_buf_span(&op->rows));
  }
  if (error == 0) {
    error = tam_tree_scan_end(op->listing.tree);
  }
  tam_buf_reset(&op->rows);
  return error == 0 || tam_error_is_fatal(error)
             ? error
             : tam_store_op_fail(op, error,
                                 "the list of files cannot be read, or "
                                 "contradicts what is stored");
}

// Takes the stored revision of the commit, or makes a new one.
static int take_revision(tam_store_op *op) {
  if (!tam_hub_revision_is_commit(op->params.commit)) {
    return tam_store_op_fail(op, TAM_ERR_INVALID_PARAMS,
                             "commit: expected 40 hexadecimal digits");
  }
  memcpy(op->commit, op->params.commit.ptr, TAM_COMMIT_SIZE);
  tam_buf_append(&op->listing.task, op->params.task);
  return tam_store_op_take_commit(op);
}

static int rows_go_on(tam_store_op *op) {
  if (!op->has_rows) {
    return TAM_PHASE_WAIT;
  }
  int error = op->rows.error;
  if (error == 0 && !op->has_revision) {
    error = take_revision(op);
  }
  if (error >= 0) {
    tam_revision_choose_none(&op->revision);
    error = scan_rows(op);
  }
  if (error != 0) {
    return error;
  }
  // The model is there in the dtypes of the graphs that were handed in.
  op->revision.dtypes |=
      tam_file_select_flagged(&op->revision, TAM_REVISION_FILE_CHOSEN);
  int result = tam_store_op_take_chosen(op);
  return result < 0 || op->transfers.count > 0
             ? result
             : tam_store_op_fail(op, TAM_ERR_NOT_FOUND,
                                 "none of the files belongs to the model");
}

const tam_phase tam_rows_phase = {
    .stage = "import",
    .start = rows_go_on,
    .on_rows = rows_go_on,
};
