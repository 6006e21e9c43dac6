// SPDX-License-Identifier: Apache-2.0
// A binary heap with the worst candidate on top: a full set answers "is this
// row good enough" with one comparison, and replacing costs log(max).
#include "hub/candidates.h"

#include "core/mem.h"
#include "core/names.h"
#include "core/span.h"
#include "core/trap.h"
#include "hub/prefilter.h"

#include <string.h>

// Strings of a fetched configuration: every one is capped, so is their sum.
#define CONFIG_TEXT_MAX ((TAM_ARCHITECTURES_MAX + 3) * TAM_CONFIG_NAME_MAX)

// A sentence about a failed fetch.
#define FETCH_MESSAGE_MAX 256

const char *tam_fetch_status_name(tam_fetch_status status) {
  return tam_names_at("pending\0"
                      "ok\0"
                      "listing\0"
                      "no-config\0"
                      "401\0"
                      "403\0"
                      "404\0"
                      "429\0"
                      "error\0",
                      status);
}

// ---------------------------------------------------------------------------
// Rank

// A number the row does not tell counts as 0, as which it is shown.
static double known_or_zero(double number) {
  return number > 0 ? number : 0;
}

static tam_rank rank_of(const tam_listing_row *row, uint32_t order) {
  return (tam_rank){tam_pipeline_preference(row->pipeline_tag), order,
                    known_or_zero(row->downloads), known_or_zero(row->likes)};
}

static int rank_is_better(const tam_rank *a, const tam_rank *b) {
  if (a->preference != b->preference) {
    return a->preference < b->preference;
  }
  if (a->downloads != b->downloads) {
    return a->downloads > b->downloads;
  }
  if (a->likes != b->likes) {
    return a->likes > b->likes;
  }
  return a->order < b->order;
}

static int item_is_worse(const tam_candidates *set, size_t a, size_t b) {
  return rank_is_better(&set->items[b]->rank, &set->items[a]->rank);
}

// ---------------------------------------------------------------------------
// Copying a row

// Copies texts to |to|, one behind the other, and lists of them to |lists|;
// when these are NULL it only adds up how long the texts are.
typedef struct mover {
  tam_span *lists;
  uint8_t *to;
  size_t len;
} mover;

static void move_text(mover *move, tam_span *text) {
  if (move->to != NULL) {
    tam_text_copy(move->to + move->len, *text);
    text->ptr = move->to + move->len;
  }
  move->len += text->len;
}

// Texts of a list that stand so close in a page are copied together with what
// is between them: pretty-printed files have forty bytes there.
#define GAP_MAX 48

// Returns how many bytes there are from the first to the last of the texts of
// |list| when they stand close behind each other, else 0.
static size_t list_extent(const tam_span *list, size_t count) {
  uintptr_t end = count > 0 ? (uintptr_t)list[0].ptr : 0;
  int is_apart = 0;
  for (size_t i = 0; i < count; i++) {
    is_apart |= (uintptr_t)list[i].ptr - end > GAP_MAX;
    end = (uintptr_t)list[i].ptr + list[i].len;
  }
  return is_apart || count == 0 ? 0 : end - (uintptr_t)list[0].ptr;
}

static void move_list(mover *move, const tam_span **plist, size_t count) {
  const tam_span *list = *plist;
  tam_span all = {NULL, list_extent(list, count)};
  if (all.len != 0) {
    all.ptr = list[0].ptr;
    move_text(move, &all);
  }
  for (size_t i = 0; i < count; i++) {
    tam_span text = list[i];
    if (all.len == 0) {
      move_text(move, &text);
    } else {
      text.ptr = all.ptr + (text.ptr - list[0].ptr);
    }
    if (move->lists != NULL) {
      move->lists[i] = text;
    }
  }
  if (move->lists != NULL) {
    *plist = move->lists;
    move->lists += count;
  }
}

static void move_config(mover *move, tam_config_digest *config) {
  move_text(move, &config->model_type);
  move_text(move, &config->text_model_type);
  move_text(move, &config->text_architecture);
  for (size_t i = 0; i < config->architecture_count; i++) {
    move_text(move, &config->architectures[i]);
  }
}

static void move_row(mover *move, tam_listing_row *row) {
  move_list(move, &row->tags, row->tag_count);
  move_list(move, &row->onnx_files, row->onnx_file_count);
  move_text(move, &row->id);
  move_text(move, &row->pipeline_tag);
  move_text(move, &row->library_name);
  move_text(move, &row->last_modified);
  move_config(move, &row->config);
}

// The block holds the struct, then the lists, then the text.
static tam_candidate *candidate_new(const tam_mem *mem,
                                    const tam_listing_row *row) {
  size_t list_count = row->tag_count + row->onnx_file_count;
  tam_listing_row copy = *row;
  mover move = {NULL, NULL, 0};
  move_row(&move, &copy);
  tam_candidate *candidate = tam_mem_malloc(
      mem, sizeof(*candidate) + list_count * sizeof(tam_span) + move.len);
  if (candidate == NULL) {
    return NULL;
  }
  memset(candidate, 0, sizeof(*candidate));
  move =
      (mover){candidate->lists, (uint8_t *)(candidate->lists + list_count), 0};
  move_row(&move, &copy);
  candidate->row = copy;
  candidate->fetch_ms = -1;
  tam_buf_init(&candidate->fetch_message, mem, FETCH_MESSAGE_MAX);
  tam_buf_init(&candidate->config_text, mem, CONFIG_TEXT_MAX);
  return candidate;
}

static void candidate_del(const tam_mem *mem, tam_candidate *candidate) {
  tam_config_scan_del(candidate->scan);
  tam_buf_free(&candidate->fetch_message);
  tam_buf_free(&candidate->config_text);
  tam_mem_free(mem, candidate);
}

int tam_candidate_set_config(tam_candidate *candidate,
                             const tam_config_digest *config) {
  tam_config_digest copy = *config;
  mover move = {NULL, NULL, 0};
  move_config(&move, &copy);
  tam_buf_reset(&candidate->config_text);
  move.to = tam_buf_grow(&candidate->config_text, move.len + 1);
  if (move.to == NULL) {
    return candidate->config_text.error;
  }
  move.len = 0;
  move_config(&move, &copy);
  candidate->row.config = copy;
  return 0;
}

// ---------------------------------------------------------------------------
// The heap

static void set_swap(tam_candidates *set, size_t a, size_t b) {
  tam_candidate *item = set->items[a];
  set->items[a] = set->items[b];
  set->items[b] = item;
}

static void set_sift_up(tam_candidates *set, size_t at) {
  while (at > 0 && item_is_worse(set, at, (at - 1) / 2)) {
    set_swap(set, at, (at - 1) / 2);
    at = (at - 1) / 2;
  }
}

static void set_sift_down(tam_candidates *set, size_t at, size_t count) {
  for (;;) {
    size_t worst = at;
    for (size_t child = 2 * at + 1; child <= 2 * at + 2; child++) {
      if (child < count && item_is_worse(set, child, worst)) {
        worst = child;
      }
    }
    if (worst == at) {
      return;
    }
    set_swap(set, at, worst);
    at = worst;
  }
}

int tam_candidates_init(tam_candidates *set, size_t max, const tam_mem *mem) {
  TAM_ASSERT(max > 0);
  memset(set, 0, sizeof(*set));
  set->mem = mem;
  set->max = max;
  set->items = tam_mem_calloc(mem, max, sizeof(tam_candidate *));
  return set->items == NULL ? TAM_ERR_OUT_OF_MEMORY : 0;
}

void tam_candidates_free(tam_candidates *set) {
  for (size_t i = 0; i < set->count; i++) {
    candidate_del(set->mem, set->items[i]);
  }
  tam_mem_free(set->mem, set->items);
  memset(set, 0, sizeof(*set));
}

int tam_candidates_offer(tam_candidates *set, const tam_listing_row *row,
                         uint32_t order) {
  tam_rank offered = rank_of(row, order);
  int is_full = set->count == set->max;
  if (is_full && !rank_is_better(&offered, &set->items[0]->rank)) {
    set->turned_away++;
    return 0;
  }
  tam_candidate *candidate = candidate_new(set->mem, row);
  if (candidate == NULL) {
    return TAM_ERR_OUT_OF_MEMORY;
  }
  candidate->rank = offered;
  if (is_full) {
    set->turned_away++;
    candidate_del(set->mem, set->items[0]);
    set->items[0] = candidate;
    set_sift_down(set, 0, set->count);
  } else {
    set->items[set->count++] = candidate;
    set_sift_up(set, set->count - 1);
  }
  return 0;
}

void tam_candidates_sort(tam_candidates *set) {
  // Heap sort: the worst on top goes to the end again and again. Ranks differ
  // in their order, so the result does not depend on how the heap was built.
  for (size_t rest = set->count; rest > 1; rest--) {
    set_swap(set, 0, rest - 1);
    set_sift_down(set, 0, rest - 1);
  }
}
