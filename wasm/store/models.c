// SPDX-License-Identifier: Apache-2.0
#include "store/models.h"

#include "core/checksum.h"
#include "core/json_write.h"
#include "core/mem.h"
#include "store/file_select.h"
#include "store/store_op.h"
#include "store/verbs.h"

#include <string.h>

#define USED_PREFIX "tabagent:used/"
#define PIN_PREFIX  "tabagent:pin/"

// Steps: what is being read.
enum { STEP_USED = 1, STEP_PINS, STEP_REVISIONS, STEP_OLD_KEYS };

void tam_models_init(tam_models *models, const tam_mem *mem) {
  memset(models, 0, sizeof(*models));
  tam_buf_init(&models->rows, mem, TAM_MODELS_JSON_MAX);
  tam_buf_init(&models->row_bytes, mem, TAM_MODELS_JSON_MAX);
  tam_buf_init(&models->json, mem, TAM_MODELS_JSON_MAX);
  tam_buf_init(&models->seen, mem, TAM_MODELS_JSON_MAX);
}

void tam_models_free(tam_models *models, const tam_mem *mem) {
  tam_mem_free(mem, models->list);
  tam_buf_free(&models->rows);
  tam_buf_free(&models->row_bytes);
  tam_buf_free(&models->json);
  tam_buf_free(&models->seen);
  models->seen_of = NULL;
  models->list = NULL;
  models->count = 0;
  models->row_count = 0;
}

static void append_key(const char *prefix, tam_span repo, tam_buf *key) {
  tam_buf_append_text(key, prefix);
  tam_buf_append(key, repo);
}

void tam_models_append_used_key(tam_span repo, tam_buf *key) {
  append_key(USED_PREFIX, repo, key);
}

void tam_models_append_pin_key(tam_span repo, tam_buf *key) {
  append_key(PIN_PREFIX, repo, key);
}

void tam_models_put_used(tam_span repo, double now_ms, tam_batch *batch) {
  uint8_t key_text[TAM_REPO_ID_MAX + sizeof(USED_PREFIX)];
  uint8_t digits[32];
  tam_buf key;
  tam_buf value;
  tam_buf_init_fixed(&key, key_text, sizeof(key_text));
  tam_buf_init_fixed(&value, digits, sizeof(digits));
  tam_models_append_used_key(repo, &key);
  tam_text_append_number(&value, now_ms > 0 ? (double)(uint64_t)now_ms : 0);
  tam_batch_put(batch, tam_buf_span(&key), tam_buf_span(&value));
}

// ---------------------------------------------------------------------------
// Reading

// Returns the model |repo|, a new one when it was not there; NULL when there is
// no room for it, or |repo| is no id.
static tam_model *find_or_add(tam_models *models, tam_span repo) {
  for (size_t i = 0; i < models->count; i++) {
    tam_model *model = &models->list[i];
    if (tam_span_eq((tam_span){model->repo, model->repo_len}, repo)) {
      return model;
    }
  }
  if (models->count == TAM_MODELS_MAX || !tam_repo_id_is_valid(repo)) {
    return NULL;
  }
  tam_model *model = &models->list[models->count++];
  memset(model, 0, sizeof(*model));
  memcpy(model->repo, repo.ptr, repo.len);
  model->repo_len = (uint8_t)repo.len;
  return model;
}

static int ask(tam_store_op *op, uint32_t step, const char *prefix) {
  op->models.waiting++;
  return tam_store_op_asked(
      tam_storage_list(op->store->storage, tam_store_op_owner(op, step),
                       TAM_STORE_FILES, tam_span_of(prefix)));
}

// All at once: each is a way to the database and back. Of the many keys only
// those are read by which TabAgent finds files.
static int ask_all(tam_store_op *op) {
  tam_storage *storage = op->store->storage;
  tam_storage_owner owner = tam_store_op_owner(op, STEP_OLD_KEYS);
  int error = ask(op, STEP_USED, USED_PREFIX);
  if (error == 0) {
    error = ask(op, STEP_PINS, PIN_PREFIX);
  }
  if (error == 0) {
    error = ask(op, STEP_REVISIONS, TAM_KEY_REVISION);
  }
  op->models.waiting += 2;
  if (error == 0) {
    error = tam_store_op_asked(
        tam_storage_keys(storage, owner, TAM_SPAN(TAM_KEY_ADDRESS)));
  }
  return error != 0 ? error
                    : tam_store_op_asked(tam_storage_keys_ending(
                          storage, owner, TAM_SPAN(TAM_KEY_MANIFEST)));
}

int tam_models_ask(tam_store_op *op) {
  tam_models *models = &op->models;
  const tam_mem *mem = op->store->host.mem;
  tam_models_free(models, mem);
  models->list = tam_mem_calloc(mem, TAM_MODELS_MAX, sizeof(tam_model));
  models->waiting = 0;
  return models->list == NULL ? TAM_ERR_OUT_OF_MEMORY : ask_all(op);
}

static void on_used(tam_models *models, const tam_storage_report *report) {
  tam_model *model =
      find_or_add(models, tam_span_from(report->key, sizeof(USED_PREFIX) - 1));
  if (model != NULL) {
    (void)tam_span_to_uint(report->data, &model->used_ms);
  }
}

static void on_pin(tam_models *models, const tam_storage_report *report) {
  tam_model *model =
      find_or_add(models, tam_span_from(report->key, sizeof(PIN_PREFIX) - 1));
  if (model != NULL) {
    model->is_pinned = 1;
  }
}

static int has_complete(const tam_revision *revision) {
  for (size_t i = 0; i < revision->count; i++) {
    if ((revision->files[i].flags & TAM_REVISION_FILE_COMPLETE) != 0) {
      return 1;
    }
  }
  return 0;
}

static void write_dtype_row(tam_buf *json, int dtype, double bytes,
                            int is_complete) {
  tam_json_write_object_begin(json);
  tam_json_write_name_member(json, "dtype", tam_dtype_name((tam_dtype)dtype));
  tam_json_write_name_member(json, "status",
                             is_complete ? "downloaded" : "available");
  tam_json_write_number_member(json, "bytes", bytes);
  tam_json_write_key(json, "complete");
  tam_json_write_bool(json, is_complete);
  tam_json_write_object_end(json);
}

// Writes what is there of |dtype|.
static void write_dtype(tam_revision *revision, int dtype, tam_buf *json) {
  double bytes = 0;
  int is_complete = 1;
  tam_store_op_choose_dtypes(revision, 1U << dtype);
  for (size_t i = 0; i < revision->count; i++) {
    const tam_revision_file *file = &revision->files[i];
    if ((file->flags & TAM_REVISION_FILE_CHOSEN) != 0) {
      int is_stored = (file->flags & TAM_REVISION_FILE_COMPLETE) != 0;
      is_complete &= is_stored;
      bytes += is_stored ? (double)file->size : 0;
    }
  }
  write_dtype_row(json, dtype, bytes, is_complete);
}

// What is known before all lists are there.
static void begin_row(tam_revision *revision, size_t place, tam_buf *json) {
  tam_text_append_number(json, (double)place);
  tam_buf_append_byte(json, ' ');
  tam_buf_append_byte(json, '{');
  tam_json_write_string_member(json, "modelId",
                               tam_revision_text(revision, revision->repo));
  tam_json_write_string_member(json, "revision",
                               tam_revision_text(revision, revision->label));
  tam_json_write_string_member(json, "commit",
                               tam_revision_text(revision, revision->commit));
  tam_json_write_key(json, "current");
  tam_json_write_bool(json, (revision->flags & TAM_REVISION_CURRENT) != 0);
  tam_json_write_key(json, "dtypes");
  tam_json_write_array_begin(json);
  unsigned dtypes =
      revision->dtypes |
      tam_file_select_flagged(revision, TAM_REVISION_FILE_COMPLETE);
  for (int dtype = 0; dtype < TAM_DTYPE_COUNT; dtype++) {
    if ((dtypes & (1U << dtype)) != 0) {
      write_dtype(revision, dtype, json);
    }
  }
  tam_json_write_array_end(json);
  tam_buf_append_byte(json, '\n');
}

static void end_row(const tam_model *model, double bytes, tam_buf *json) {
  tam_json_write_number_member(json, "bytes", bytes);
  tam_json_write_key(json, "lastUsedAt");
  if (model->used_ms > 0) {
    tam_json_write_number(json, model->used_ms);
  } else {
    tam_json_write_null(json);
  }
  tam_json_write_key(json, "pinned");
  tam_json_write_bool(json, model->is_pinned);
  tam_json_write_object_end(json);
}

static double *bytes_of(tam_models *models, uint32_t row) {
  return (double *)(void *)models->row_bytes.data + row;
}

static void write_rows(tam_models *models) {
  tam_span rest = tam_buf_span(&models->rows);
  for (uint32_t row = 0; rest.len > 0; row++) {
    double place = 0;
    size_t blank = tam_span_find_byte(rest, ' ');
    size_t end = tam_span_find_byte(rest, '\n');
    (void)tam_span_to_uint(tam_span_head(rest, blank), &place);
    tam_json_write_raw(&models->json,
                       tam_span_from(tam_span_head(rest, end), blank + 1));
    end_row(&models->list[(size_t)place], *bytes_of(models, row),
            &models->json);
    rest = tam_span_from(rest, end + 1);
  }
}

// A content that was seen, and the row that counts it.
typedef struct seen_content {
  uint64_t sum; // of its group
  uint32_t row;
  int is_current; // the row is one that a label stands for
} seen_content;

// Returns the content in |group| as it was seen before, or NULL. Revisions of a
// model come one behind the other, and share contents with no other model.
static seen_content *find_seen(tam_models *models, uint64_t sum) {
  seen_content *seen = (seen_content *)(void *)models->seen.data;
  for (size_t i = 0; i < models->seen.len / sizeof(*seen); i++) {
    if (seen[i].sum == sum) {
      return &seen[i];
    }
  }
  return NULL;
}

// Counts a content of |size| bytes for |row|. One that several revisions share
// is there once: it counts for the one that is in use.
static void count_content(tam_models *models, tam_model *model, tam_span group,
                          double size, seen_content row) {
  row.sum = tam_checksum_of(group);
  seen_content *seen = find_seen(models, row.sum);
  if (seen == NULL) {
    tam_buf_append(&models->seen, (tam_span){(uint8_t *)&row, sizeof(row)});
    model->bytes += size;
    *bytes_of(models, row.row) += size;
  } else if (row.is_current && !seen->is_current) {
    *bytes_of(models, seen->row) -= size;
    *bytes_of(models, row.row) += size;
    *seen = row;
  }
}

// Begins the row of |revision| and counts what is there of it.
static void add_row(tam_store_op *op, tam_model *model,
                    tam_revision *revision) {
  tam_models *models = &op->models;
  double none = 0;
  seen_content row = {
      .row = models->row_count++,
      .is_current = (revision->flags & TAM_REVISION_CURRENT) != 0,
  };
  if (models->seen_of != model) {
    models->seen_of = model;
    tam_buf_reset(&models->seen);
  }
  begin_row(revision, (size_t)(model - models->list), &models->rows);
  tam_buf_append(&models->row_bytes,
                 (tam_span){(uint8_t *)&none, sizeof(none)});
  for (size_t i = 0; i < revision->count && models->row_bytes.error == 0; i++) {
    const tam_revision_file *file = &revision->files[i];
    tam_buf_reset(&op->scratch);
    tam_revision_append_group(revision, file, &op->scratch);
    if ((file->flags & TAM_REVISION_FILE_COMPLETE) != 0) {
      count_content(models, model, tam_buf_span(&op->scratch),
                    (double)file->size, row);
    }
    if (op->scratch.error != 0 || models->seen.error != 0) {
      models->rows.error = TAM_ERR_OUT_OF_MEMORY;
    }
  }
}

static int on_revision(tam_store_op *op, const tam_storage_report *report) {
  tam_revision revision;
  int error = tam_revision_load(&revision, report->data, op->store->host.mem);
  tam_model *model =
      error == 0 ? find_or_add(&op->models,
                               tam_revision_text(&revision, revision.repo))
                 : NULL;
  if (model != NULL) {
    model->has_revision = 1;
    // One that was only looked at, or given up dtype by dtype, is no model.
    if (revision.dtypes != 0 || has_complete(&revision)) {
      add_row(op, model, &revision);
    }
  }
  tam_revision_free(&revision);
  return error == TAM_ERR_OUT_OF_MEMORY ? error : TAM_PHASE_WAIT;
}

// ---------------------------------------------------------------------------
// What TabAgent stored and nobody has asked for since

// Returns the repository of the file with |key|, and stores its path; empty for
// other keys.
static tam_span old_repo(tam_span key, tam_span *ppath) {
  tam_hub_file file;
  uint8_t text[TAM_HUB_FILE_TEXT_MAX];
  size_t slash = tam_span_find_byte(key, '/');
  if (tam_span_starts_with(key, TAM_SPAN(TAM_KEY_ADDRESS))) {
    tam_span rest = tam_span_from(key, sizeof(TAM_KEY_ADDRESS) - 1);
    tam_span endpoint = tam_span_head(key, sizeof(TAM_KEY_ADDRESS) - 2);
    if (tam_hub_file_parse(&file, text, endpoint, key) <= 0) {
      return TAM_SPAN_NONE;
    }
    *ppath = tam_span_from(key, key.len - file.path.len);
    return tam_span_head(rest, file.repo.len);
  }
  if (!tam_span_ends_with(key, TAM_SPAN(TAM_KEY_MANIFEST))) {
    return TAM_SPAN_NONE;
  }
  slash += 1 + tam_span_find_byte(tam_span_from(key, slash + 1), '/');
  *ppath = tam_span_head(tam_span_from(key, slash + 1),
                         key.len - slash - sizeof(TAM_KEY_MANIFEST));
  return tam_span_head(key, slash);
}

static void on_old_key(tam_models *models, tam_span key) {
  tam_span path = TAM_SPAN_NONE;
  tam_span repo = old_repo(key, &path);
  tam_model *model = repo.len > 0 ? find_or_add(models, repo) : NULL;
  if (model != NULL) {
    model->is_old = 1;
    if ((tam_file_kind(path) & TAM_FILE_ONNX) != 0) {
      model->old_dtypes |= 1U << tam_file_dtype(path);
    }
  }
}

static void write_old_row(const tam_model *model, tam_buf *json) {
  tam_json_write_object_begin(json);
  tam_json_write_string_member(json, "modelId",
                               (tam_span){model->repo, model->repo_len});
  tam_json_write_name_member(json, "revision", "main");
  tam_json_write_known_member(json, "commit", TAM_SPAN_NONE);
  tam_json_write_key(json, "current");
  tam_json_write_bool(json, 1);
  tam_json_write_key(json, "dtypes");
  tam_json_write_array_begin(json);
  for (int dtype = 0; dtype < TAM_DTYPE_COUNT; dtype++) {
    if ((model->old_dtypes & (1U << dtype)) != 0) {
      write_dtype_row(json, dtype, 0, 0);
    }
  }
  tam_json_write_array_end(json);
  tam_json_write_number_member(json, "bytes", 0);
  tam_json_write_known_member(json, "lastUsedAt", TAM_SPAN_NONE);
  tam_json_write_key(json, "pinned");
  tam_json_write_bool(json, model->is_pinned);
  tam_json_write_object_end(json);
}

static void write_old_rows(tam_models *models) {
  for (size_t i = 0; i < models->count; i++) {
    if (models->list[i].is_old && !models->list[i].has_revision) {
      write_old_row(&models->list[i], &models->json);
    }
  }
}

static int on_end(tam_store_op *op) {
  tam_models *models = &op->models;
  if (--models->waiting > 0) {
    return TAM_PHASE_WAIT;
  }
  int error =
      models->rows.error != 0 ? models->rows.error : models->row_bytes.error;
  if (error == 0) {
    write_rows(models);
    write_old_rows(models);
    error = models->json.error;
  }
  return error != 0 ? error : TAM_PHASE_DONE;
}

int tam_models_on_storage(tam_store_op *op, const tam_storage_report *report) {
  if (report->kind == TAM_STORAGE_FAILED) {
    return tam_store_op_storage_failed(op, report);
  }
  if (report->kind == TAM_STORAGE_END) {
    return on_end(op);
  }
  if (report->tag == STEP_REVISIONS) {
    return on_revision(op, report);
  }
  if (report->tag == STEP_OLD_KEYS) {
    on_old_key(&op->models, report->key);
    return TAM_PHASE_WAIT;
  }
  if (report->tag == STEP_USED) {
    on_used(&op->models, report);
  } else {
    on_pin(&op->models, report);
  }
  return TAM_PHASE_WAIT;
}

static int models_start(tam_store_op *op) {
  return tam_models_ask(op);
}

const tam_phase tam_models_phase = {
    .stage = "store",
    .start = models_start,
    .on_storage = tam_models_on_storage,
};

// ---------------------------------------------------------------------------
// Making room

static int is_before(const tam_model *a, const tam_model *b) {
  return a->used_ms < b->used_ms;
}

size_t tam_models_evict(tam_models *models, tam_span keep, double bytes) {
  size_t count = 0;
  for (size_t i = 0; i < models->count; i++) {
    tam_model model = models->list[i];
    if (model.is_pinned || model.bytes == 0 ||
        tam_span_eq((tam_span){model.repo, model.repo_len}, keep)) {
      continue;
    }
    size_t at = count++;
    models->list[i] = models->list[at];
    while (at > 0 && is_before(&model, &models->list[at - 1])) {
      models->list[at] = models->list[at - 1];
      at--;
    }
    models->list[at] = model;
  }
  for (size_t i = 0; i < count; i++) {
    bytes -= models->list[i].bytes;
    if (bytes <= 0) {
      return i + 1;
    }
  }
  return count;
}
