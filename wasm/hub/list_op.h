// SPDX-License-Identifier: Apache-2.0
// The state of one listChatModels operation, shared by the files that make it
// up and by nobody else:
//
//   list_chat_models.c  the machine: what happens next
//   list_pages.c        the listing: pages in, candidates out
//   list_configs.c      configurations for the rows that carry none
//   list_messages.c     what the caller hears, and how often
//   list_meta.c         the summary at the end
#ifndef TAM_HUB_LIST_OP_H
#define TAM_HUB_LIST_OP_H

#include "core/json_write.h"
#include "core/speaker.h"
#include "hub/candidates.h"
#include "hub/config_scan.h"
#include "hub/list_chat_models.h"
#include "hub/listing_scan.h"
#include "hub/prefilter.h"
#include "hub/seen_ids.h"
#include "net/net.h"

// States; the comment says what the operation waits for.
typedef enum tam_list_state {
  TAM_LIST_STATE_PAGES = 0, // wait: a report about the current page
  TAM_LIST_STATE_SUPPLIED,  // wait: rows from the caller
  TAM_LIST_STATE_CONFIGS,   // wait: reports about configuration requests
  TAM_LIST_STATE_ENDED      // wait: nothing; the terminal message is out
} tam_list_state;

// Request tags: the page, or 1 + the number of a candidate.
#define TAM_LIST_TAG_PAGE 0U

// The longest URL of a page.
#define TAM_LIST_URL_MAX 8192

// The longest sentence about a page.
#define TAM_LIST_WHY_MAX 256U

// Errors kept word by word; the rest is counted.
#define TAM_LIST_ERRORS_MAX 100

// Counters of meta.telemetry.
typedef enum tam_list_counter {
  TAM_LIST_CONFIG_TOTAL = 0,
  TAM_LIST_CONFIG_200,
  TAM_LIST_CONFIG_401,
  TAM_LIST_CONFIG_403,
  TAM_LIST_CONFIG_404,
  TAM_LIST_CONFIG_429,
  TAM_LIST_CONFIG_ERROR,
  TAM_LIST_PAGE_TOTAL,
  TAM_LIST_PAGE_ERROR,
  TAM_LIST_PAGE_429,
  TAM_LIST_CLASSES, // the first of one per tam_classification
  TAM_LIST_COUNTER_COUNT = TAM_LIST_CLASSES + TAM_CLASS_AUTH_PROTECTED + 1
} tam_list_counter;

// The page in work.
typedef struct tam_list_page {
  uint32_t size;      // rows asked for
  uint32_t first_row; // distinct rows before it
  size_t bytes;       // of the body in this attempt
  uint32_t rows;      // rows of it that were looked at in this attempt
  uint32_t rows_before_restart; // of the attempt that broke off
  uint32_t new_rows;
  unsigned attempts; // failures of this page at its present size
  unsigned silences; // requests in a row to which not even a head came
  unsigned starts;   // of requests for this page, since the last refusal
  uint32_t status;   // of the answer to the last request, 0: none
  int is_broken;     // its JSON was malformed; the rest is ignored
  int has_bad_link;  // what should lead to the next page leads nowhere
  tam_buf url;       // of this page
  tam_buf next_url;  // of the following one, empty: none known
  tam_buf cursor;    // with which a later run can repeat this page
  tam_buf error;     // what went wrong last, of any page, for people
} tam_list_page;

// The kinds of progress, in the order in which they go out. The first ones are
// about the listing, the others about single models.
typedef enum tam_list_progress {
  TAM_LIST_PROGRESS_PAGE = 0,
  TAM_LIST_PROGRESS_LISTING_DONE,
  TAM_LIST_PROGRESS_PREFILTERED,
  TAM_LIST_PROGRESS_RATE_LIMITED, // the first of one per tam_bucket
  TAM_LIST_PROGRESS_FETCHING =
      TAM_LIST_PROGRESS_RATE_LIMITED + TAM_BUCKET_COUNT,
  TAM_LIST_PROGRESS_CLASSIFIED,
  TAM_LIST_PROGRESS_ERROR
} tam_list_progress;

#define TAM_LIST_ITEM_KINDS 3

// What there is to say about models, as JSON.
typedef struct tam_list_items {
  tam_buf json;
  unsigned count;
} tam_list_items;

// Progress on its way to the caller.
typedef struct tam_list_outbox {
  unsigned pending; // a bit per kind that waits for its turn
  double tokens;    // messages that may go out at once
  double refilled_at_ms;
  tam_list_items items[TAM_LIST_ITEM_KINDS]; // from FETCHING on
  double limited_reset_at_ms[TAM_BUCKET_COUNT];
} tam_list_outbox;

// What is used most stands first and what is large last: a small offset makes
// shorter code.
struct tam_list_op {
  tam_list_host host;
  tam_list_state state;
  tam_speaker speaker; // when it is quiet, progress is never pending

  uint32_t rows; // distinct rows so far
  uint32_t pages;
  unsigned stale_pages; // since the last new row: pages that repeated rows
  unsigned empty_pages; // and pages that had none
  int is_partial;       // rows are missing because of an error
  int was_limited;      // a wait for the Hub's budget was announced
  int has_more;         // the Hub has rows beyond the ones asked for
  size_t next_config;   // the next candidate to look at
  size_t outstanding;   // configuration requests submitted and not ended
  size_t unjudged;      // candidates without a verdict
  uint32_t error_count;
  tam_candidates candidates;
  tam_listing_scan *scan;
  tam_list_page page;
  tam_seen_ids seen;
  tam_prefilter prefilter;

  tam_list_outbox outbox;
  tam_buf config_url; // of the configuration that is asked for next
  tam_buf errors;     // JSON of meta.errors

  uint32_t dropped[TAM_DROP_COUNT];
  uint32_t counters[TAM_LIST_COUNTER_COUNT];
  double started_ms;
  tam_list_params params;
};

// --- list_chat_models.c

// Asks for what |tag| stands for, at |url|. Errors: the one of |url|, and those
// of tam_net_submit.
int tam_list_submit(tam_list_op *op, uint32_t tag, const tam_buf *url,
                    unsigned attempts_max);

// --- list_pages.c

// Builds the first URL and submits its request, or waits for supplied rows.
// Errors: OUT_OF_MEMORY, TOO_LARGE.
int tam_list_pages_start(tam_list_op *op);

// Takes in a report about the page's request. Returns 0 or an error that ends
// the operation. The listing is over when it returns 0 and the state changed.
int tam_list_pages_on_report(tam_list_op *op, const tam_net_report *report);

// Scans |rows|, bytes of a supplied listing.
int tam_list_pages_on_supplied(tam_list_op *op, tam_span rows);

// Says that the supplied listing is complete.
int tam_list_pages_on_supplied_end(tam_list_op *op);

// --- list_configs.c

// Judges the candidates whose rows say enough and requests the configuration
// of the others. Errors: OUT_OF_MEMORY, TOO_LARGE.
int tam_list_configs_start(tam_list_op *op);

int tam_list_configs_on_report(tam_list_op *op, const tam_net_report *report);

// --- list_chat_models.c

// Appends what went wrong with a request that FAILED, for people. The token is
// never quoted, whatever the platform says.
void tam_list_write_failure(const tam_list_op *op, const tam_net_report *report,
                            tam_buf *text);

// --- list_messages.c

// Makes the outbox empty, with the pace of a listing that begins now.
void tam_list_outbox_init(tam_list_op *op, double now_ms);
void tam_list_outbox_free(tam_list_op *op);

// Marks progress of the listing as pending; it goes out when the pace allows.
void tam_list_say(tam_list_op *op, tam_list_progress kind);

// Tell that |candidate| is being fetched, or was judged. Errors: OUT_OF_MEMORY,
// TOO_LARGE.
int tam_list_say_fetching(tam_list_op *op, const tam_candidate *candidate);
int tam_list_say_classified(tam_list_op *op, const tam_candidate *candidate);

// Records an error of |model| (may be empty): in meta, and as progress.
// Errors: OUT_OF_MEMORY.
int tam_list_say_error(tam_list_op *op, tam_span model, const char *code,
                       tam_span message);

// Sends pending progress: as much as the pace allows, or everything when
// |everything|. Errors: OUT_OF_MEMORY.
int tam_list_flush(tam_list_op *op, double now_ms, int everything);

// Returns when the next pending progress may go out, ms since the epoch, or -1.
double tam_list_outbox_deadline(const tam_list_op *op);

// Sends the models and the terminal "done" message. Errors: OUT_OF_MEMORY,
// TOO_LARGE.
int tam_list_send_done(tam_list_op *op, double now_ms);

// Sends the terminal error message, with meta when memory allows. Cannot fail.
void tam_list_send_error(tam_list_op *op, int error, tam_span message,
                         double now_ms);

// --- list_meta.c

// Writes the member "dropped": counts per prefilter rule.
void tam_list_write_dropped(tam_list_op *op, tam_buf *json);

// Writes the member "meta".
void tam_list_write_meta(tam_list_op *op, tam_buf *json, double now_ms);

#endif // TAM_HUB_LIST_OP_H
