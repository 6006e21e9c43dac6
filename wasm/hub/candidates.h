// SPDX-License-Identifier: Apache-2.0
// The survivors of the prefilter: the best |max| rows of a listing, whatever
// its length. A row that is worse than all of a full set costs no memory.
#ifndef TAM_HUB_CANDIDATES_H
#define TAM_HUB_CANDIDATES_H

#include "core/buf.h"
#include "hub/classify.h"
#include "hub/config_scan.h"
#include "hub/listing_row.h"
#include "net/headers.h"

// How the configuration of a candidate was come by.
typedef enum tam_fetch_status {
  TAM_FETCH_PENDING = 0,
  TAM_FETCH_OK,           // a configuration file was read
  TAM_FETCH_LISTING,      // the listing row was enough
  TAM_FETCH_NO_CONFIG,    // the repository has none of the known files
  TAM_FETCH_UNAUTHORIZED, // 401
  TAM_FETCH_FORBIDDEN,    // 403
  TAM_FETCH_NOT_FOUND,    // 404 for the repository itself
  TAM_FETCH_RATE_LIMITED, // 429 to the end
  TAM_FETCH_ERROR
} tam_fetch_status;

// Returns the name in messages: "ok", "listing", "no-config", "401", ...
const char *tam_fetch_status_name(tam_fetch_status status);

// What decides who is kept.
typedef struct tam_rank {
  unsigned preference; // of the pipeline tag, 0 is best
  uint32_t order;      // place in the listing, from 0: decides last
  double downloads;
  double likes;
} tam_rank;

// One survivor. The row is a deep copy: its spans live in the same block.
typedef struct tam_candidate {
  tam_listing_row row;
  tam_rank rank;
  tam_fetch_status fetch_status;
  double fetch_ms;      // duration of the last request, -1: none was made
  uint32_t status_code; // of a failed fetch, 0: no answer
  unsigned config_path; // number of the path being tried
  int is_announced;     // the caller knows that its configuration is fetched
  tam_hub_error hub_error;
  tam_config_scan *scan; // while an answer arrives, else NULL
  int was_cut_off;       // an answer ended in the middle of its JSON
  double config_bytes;   // of the answer so far
  tam_buf fetch_message; // why the fetch failed, for people
  tam_buf config_text;   // holds the strings of a fetched configuration
  tam_verdict verdict;
  tam_span lists[]; // the row's tags and files; text follows
} tam_candidate;

typedef struct tam_candidates {
  const tam_mem *mem;
  tam_candidate **items; // a heap with the worst first, until sorted
  size_t count;
  size_t max;
  size_t turned_away; // offers that lost their place to better ones
} tam_candidates;

// Prepares a set of at most |max| candidates. Errors: OUT_OF_MEMORY.
int tam_candidates_init(tam_candidates *set, size_t max, const tam_mem *mem);
void tam_candidates_free(tam_candidates *set);

// Offers a row that passed the prefilter; it is copied when it belongs to the
// best so far. Errors: OUT_OF_MEMORY (the set is unchanged).
int tam_candidates_offer(tam_candidates *set, const tam_listing_row *row,
                         uint32_t order);

// Puts the best first: by pipeline preference, downloads, likes, then listing
// order. No offers afterwards.
void tam_candidates_sort(tam_candidates *set);

// Copies the strings of |config| into |candidate|, in place of its row's
// configuration. Errors: OUT_OF_MEMORY.
int tam_candidate_set_config(tam_candidate *candidate,
                             const tam_config_digest *config);

#endif // TAM_HUB_CANDIDATES_H
