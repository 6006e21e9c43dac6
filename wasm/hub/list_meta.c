// SPDX-License-Identifier: Apache-2.0
// The summary at the end of a listing: what was found, dropped, and decided,
// what went wrong, and how long it took.
#include "hub/list_op.h"

#include "core/mem.h"
#include "core/names.h"

// By tam_list_counter, from TAM_LIST_CONFIG_TOTAL and TAM_LIST_PAGE_TOTAL on.
#define CONFIG_COUNTER_NAMES                                                   \
  "total\0"                                                                    \
  "200\0"                                                                      \
  "401\0"                                                                      \
  "403\0"                                                                      \
  "404\0"                                                                      \
  "429\0"                                                                      \
  "error\0"
#define PAGE_COUNTER_NAMES                                                     \
  "total\0"                                                                    \
  "error\0"                                                                    \
  "429\0"

// ---------------------------------------------------------------------------
// Durations

// Shell's sort with Knuth's gaps: a list of 5,000 takes some hundred thousand
// steps at the worst, where plain insertion takes millions.
static void sort(double *values, size_t count) {
  size_t gap = 1;
  while (gap < count) {
    gap = gap * 3 + 1;
  }
  for (; gap > 0; gap /= 3) {
    for (size_t i = gap; i < count; i++) {
      double value = values[i];
      size_t at = i;
      for (; at >= gap && values[at - gap] > value; at -= gap) {
        values[at] = values[at - gap];
      }
      values[at] = value;
    }
  }
}

// Stores how long the configuration requests took, sorted, into |values|;
// returns how many there were.
static size_t sort_durations(const tam_list_op *op, double *values) {
  size_t count = 0;
  for (size_t i = 0; i < op->candidates.count; i++) {
    double value = op->candidates.items[i]->fetch_ms;
    if (value >= 0) { // else no request was made
      values[count++] = value;
    }
  }
  sort(values, count);
  return count;
}

// Writes the nearest-rank percentile of |count| sorted values.
static void write_percentile(tam_buf *json, const char *key,
                             const double *values, size_t count,
                             size_t percent) {
  size_t rank = (count * percent + 99) / 100;
  tam_json_write_number_member(json, key, rank > 0 ? values[rank - 1] : 0);
}

// All zero when memory is short, which must not spoil the rest of the summary.
static void write_durations(const tam_list_op *op, tam_buf *json) {
  double *values =
      tam_mem_calloc(op->host.mem, op->candidates.count + 1, sizeof(*values));
  size_t count = values != NULL ? sort_durations(op, values) : 0;
  tam_json_write_member_begin(json, "configFetchMs");
  tam_json_write_number_member(json, "count", (double)count);
  write_percentile(json, "p50", values, count, 50);
  write_percentile(json, "p95", values, count, 95);
  write_percentile(json, "max", values, count, 100);
  tam_json_write_object_end(json);
  tam_mem_free(op->host.mem, values);
}

// ---------------------------------------------------------------------------
// Parts of meta

void tam_list_write_dropped(tam_list_op *op, tam_buf *json) {
  op->dropped[TAM_DROP_MAX_CANDIDATES] = (uint32_t)op->candidates.turned_away;
  tam_json_write_member_begin(json, "dropped");
  tam_json_write_counts(json, "", tam_names_at(tam_drop_names, 1),
                        op->dropped + 1);
  tam_json_write_object_end(json);
}

static void write_telemetry(tam_list_op *op, tam_buf *json) {
  tam_json_write_member_begin(json, "telemetry");
  tam_json_write_member_begin(json, "counters");
  tam_json_write_counts(json, "configFetch.", CONFIG_COUNTER_NAMES,
                        op->counters + TAM_LIST_CONFIG_TOTAL);
  tam_json_write_counts(json, "listing.", PAGE_COUNTER_NAMES,
                        op->counters + TAM_LIST_PAGE_TOTAL);
  tam_json_write_counts(json, "classification.", tam_classification_names,
                        op->counters + TAM_LIST_CLASSES);
  tam_json_write_object_end(json);
  write_durations(op, json);
  tam_json_write_object_end(json);
}

static void write_errors(const tam_list_op *op, tam_buf *json) {
  tam_json_write_key(json, "errors");
  tam_json_write_array_begin(json);
  if (op->errors.len > 0 && op->errors.error == 0) {
    tam_json_write_raw(json, tam_buf_span(&op->errors));
  }
  tam_json_write_array_end(json);
}

// Under "debug": every failed answer with its status and path.
static void write_raw(const tam_list_op *op, tam_buf *json) {
  size_t written = 0;
  tam_json_write_key(json, "raw");
  tam_json_write_array_begin(json);
  for (size_t i = 0; i < op->candidates.count; i++) {
    const tam_candidate *candidate = op->candidates.items[i];
    int has_failed =
        candidate->status_code >= 400 || candidate->fetch_message.len > 0;
    if (!has_failed || written == TAM_LIST_ERRORS_MAX) {
      continue;
    }
    written++;
    tam_json_write_object_begin(json);
    tam_json_write_string_member(json, "modelId", candidate->row.id);
    tam_json_write_number_member(json, "statusCode", candidate->status_code);
    tam_json_write_number_member(json, "pathsTried",
                                 candidate->config_path + 1);
    tam_json_write_number_member(json, "durationMs", candidate->fetch_ms);
    if (candidate->fetch_message.len > 0) {
      tam_json_write_string_member(json, "message",
                                   tam_buf_span(&candidate->fetch_message));
    }
    tam_json_write_object_end(json);
  }
  tam_json_write_array_end(json);
}

static void write_flag(tam_buf *json, const char *key, int value) {
  tam_json_write_key(json, key);
  tam_json_write_bool(json, value);
}

void tam_list_write_meta(tam_list_op *op, tam_buf *json, double now_ms) {
  tam_json_write_member_begin(json, "meta");
  tam_json_write_number_member(json, "fetched", op->rows);
  tam_json_write_number_member(json, "pages", op->pages);
  tam_json_write_number_member(json, "filtered", (double)op->candidates.count);
  tam_list_write_dropped(op, json);
  tam_json_write_member_begin(json, "classified");
  tam_json_write_counts(json, "", tam_classification_names,
                        op->counters + TAM_LIST_CLASSES);
  tam_json_write_object_end(json);
  write_errors(op, json);
  tam_json_write_number_member(json, "errorCount", op->error_count);
  tam_json_write_number_member(json, "durationMs", now_ms - op->started_ms);
  write_flag(json, "rate_limited",
             op->counters[TAM_LIST_PAGE_429] > 0 ||
                 op->counters[TAM_LIST_CONFIG_429] > 0 || op->was_limited);
  write_flag(json, "partial", op->is_partial);
  tam_json_write_known_member(json, "cursor", tam_buf_span(&op->page.cursor));
  write_flag(json, "hasMore", op->has_more);
  write_telemetry(op, json);
  if (op->params.debug) {
    write_raw(op, json);
  }
  tam_json_write_object_end(json);
}
