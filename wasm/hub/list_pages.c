// SPDX-License-Identifier: Apache-2.0
// The listing of one operation: follows pages, feeds their bytes to the
// scanner, and offers what passes the prefilter to the candidates.
//
// What can go wrong with a page, and what is done:
//   504 or no progress   ask again for half as many rows, down to a minimum
//   not a byte, thrice   the Hub does not answer: as for anything else
//   broken off           ask again; rows already seen are passed over
//   malformed JSON       record where, go on with the next page
//   anything else        keep what there is; nothing at all is a failure
#include "hub/list_op.h"
#include "hub/list_url.h"

#include <string.h>

// The smallest page worth asking for.
#define PAGE_SIZE_MIN 25

// How often a page of one size is asked for.
#define PAGE_ATTEMPTS_MAX 4

// Requests in a row that may end in their timeout without a byte. A Hub that
// was asked for too much answers when it is asked for a quarter; one that does
// not answer at all shall not cost the user a timeout for every page size.
#define PAGE_SILENCES_MAX 3

// Bytes of "limit=" and its number, which are put into the URL of a next page.
#define LIMIT_MAX 16U

// A listing that repeats rows, or cannot be read, for so many pages goes round
// in circles.
#define STALE_PAGES_MAX 3

// Empty pages that lead on are legal where rows are filtered behind the paging.
// So many in a row are ten thousand rows of which none is wanted: the user
// should hear that, and may go on from the cursor.
#define EMPTY_PAGES_MAX 20

// Bytes of one page: a thousand of the average row and a few of the largest
// ever measured (1.7 MB) stay far below. More is an attack or an accident.
#define PAGE_BYTES_MAX (256U << 20)

// ---------------------------------------------------------------------------
// Rows

static int op_take_row(tam_list_op *op, const tam_listing_row *row) {
  tam_drop drop = TAM_DROP_NONE;
  // Rows of an attempt that broke off come again; they are no duplicates.
  int is_repeated = ++op->page.rows <= op->page.rows_before_restart;
  int is_old =
      row->id.len == 0 ? is_repeated : !tam_seen_ids_add(&op->seen, row->id);
  if (is_old) {
    op->dropped[TAM_DROP_DUPLICATE] += !is_repeated;
    return 0;
  }
  op->rows++;
  op->page.new_rows++;
  drop = tam_prefilter_apply(&op->prefilter, row);
  if (drop != TAM_DROP_NONE) {
    op->dropped[drop]++;
    return 0;
  }
  return tam_candidates_offer(&op->candidates, row, op->rows - 1);
}

// Rows beyond the ones asked for are not looked at, but show that there are
// more, unless they only repeat themselves.
static int on_row(void *user_data, const tam_listing_row *row) {
  tam_list_op *op = user_data;
  if (op->rows >= op->params.max_listing) {
    op->has_more |= !tam_seen_ids_has(&op->seen, row->id);
    return 0;
  }
  return op_take_row(op, row);
}

// ---------------------------------------------------------------------------
// Pages

static int page_submit(tam_list_op *op) {
  op->page.status = 0;
  return tam_list_submit(op, TAM_LIST_TAG_PAGE, &op->page.url,
                         PAGE_ATTEMPTS_MAX);
}

// Never asks for more rows than are still wanted, so that the next page of a
// listing that stops here begins where this one ended.
static uint32_t page_limit(const tam_list_op *op) {
  uint32_t wanted = op->params.max_listing - op->page.first_row;
  return wanted < op->page.size ? wanted : op->page.size;
}

static void page_begin(tam_list_op *op) {
  // After a page that had to be asked for with fewer rows, this one begins
  // with rows that the first attempt had shown.
  int is_short = op->page.rows_before_restart > op->page.rows;
  op->page.rows_before_restart =
      is_short && !op->page.is_broken
          ? op->page.rows_before_restart - op->page.rows
          : 0;
  op->page.first_row = op->rows;
  op->page.rows = 0;
  op->page.new_rows = 0;
  op->page.attempts = 0;
  op->page.starts = 0;
  op->page.bytes = 0;
  op->page.is_broken = 0;
  tam_listing_scan_reset(op->scan);
}

// Forgets what the attempt in progress read, except which rows it saw.
static void page_rewind(tam_list_op *op) {
  if (op->page.rows > op->page.rows_before_restart) {
    op->page.rows_before_restart = op->page.rows;
  }
  op->page.rows = 0;
  op->page.bytes = 0;
  tam_listing_scan_reset(op->scan);
}

static int page_repeat(tam_list_op *op) {
  tam_buf *spare = &op->page.next_url;
  tam_buf_reset(spare);
  tam_list_url_with_limit(spare, tam_buf_span(&op->page.url), page_limit(op));
  if (spare->error != 0) {
    return spare->error;
  }
  tam_buf_reset(&op->page.url);
  tam_buf_append(&op->page.url, tam_buf_span(spare));
  tam_buf_reset(spare);
  page_rewind(op);
  return page_submit(op);
}

// Begins the sentence about an error: which part of the listing it is about.
static tam_buf *page_error_begin(tam_list_op *op) {
  tam_buf *why = &op->page.error;
  tam_buf_reset(why);
  if (op->state == TAM_LIST_STATE_SUPPLIED) {
    tam_buf_append_text(why, "the supplied listing: ");
  } else {
    tam_buf_append_text(why, "listing page ");
    tam_text_append_number(why, op->pages + 1);
    tam_buf_append_text(why, ": ");
  }
  return why;
}

static int page_error_end(tam_list_op *op, int error) {
  tam_buf *why = &op->page.error;
  op->counters[TAM_LIST_PAGE_ERROR]++;
  return why->error != 0
             ? why->error
             : tam_list_say_error(op, TAM_SPAN_NONE, tam_strerror(error),
                                  tam_buf_span(why));
}

// Says that |what| happened to the page: |error|, with a |number| unless that
// is negative.
static int page_say_error(tam_list_op *op, int error, const char *what,
                          int32_t number) {
  tam_buf *why = page_error_begin(op);
  tam_buf_append_text(why, what);
  if (number >= 0) {
    tam_buf_append_byte(why, ' ');
    tam_text_append_number(why, number);
  }
  return page_error_end(op, error);
}

static int listing_finish(tam_list_op *op) {
  if (op->page.next_url.len > 0) {
    op->has_more = 1;
  }
  tam_candidates_sort(&op->candidates);
  tam_list_say(op, TAM_LIST_PROGRESS_LISTING_DONE);
  tam_list_say(op, TAM_LIST_PROGRESS_PREFILTERED);
  op->state = TAM_LIST_STATE_CONFIGS;
  return tam_list_configs_start(op);
}

// The listing cannot go on: with rows in hand that is a partial success.
static int listing_break_off(tam_list_op *op) {
  op->is_partial = 1;
  if (op->rows == 0) {
    return TAM_ERR_LISTING_FAILED;
  }
  op->has_more = 1;
  return listing_finish(op);
}

static void page_count(tam_list_op *op) {
  if (op->page.new_rows > 0) {
    op->stale_pages = 0;
    op->empty_pages = 0;
  } else if (op->page.rows > 0 || op->page.is_broken) {
    op->stale_pages++;
  } else {
    op->empty_pages++;
  }
}

// Returns why the Hub has more rows but what it calls the next page does not
// lead there, or NULL.
static const char *page_dead_end(const tam_list_op *op) {
  if (op->rows >= op->params.max_listing) {
    return NULL;
  }
  if (op->page.has_bad_link) {
    return "the link to the next page is not one";
  }
  if (op->page.next_url.len == 0) {
    return NULL;
  }
  if (op->stale_pages >= STALE_PAGES_MAX) {
    return "the pages bring nothing new";
  }
  return op->empty_pages >= EMPTY_PAGES_MAX ? "page after page is empty" : NULL;
}

// A later run need not see this page again. It must when rows of the page were
// left out, or when nothing leads on from it.
static int page_pass(tam_list_op *op) {
  tam_buf_reset(&op->page.cursor);
  tam_list_url_cursor(&op->page.cursor, tam_buf_span(&op->page.next_url));
  return op->page.cursor.error;
}

// The page is read as far as it can be: goes on to the next one, or ends the
// listing.
static int page_finish(tam_list_op *op) {
  page_count(op);
  const char *dead_end = page_dead_end(op);
  int error = 0;
  if (dead_end != NULL) {
    op->is_partial = 1;
    op->has_more =
        op->page.next_url.len == 0 || op->stale_pages >= STALE_PAGES_MAX;
    error = page_say_error(op, TAM_ERR_UNEXPECTED_SHAPE, dead_end, -1);
  }
  if (error == 0 && !op->has_more) {
    error = page_pass(op);
  }
  if (error != 0) {
    return error;
  }
  op->pages++;
  tam_list_say(op, TAM_LIST_PROGRESS_PAGE);
  if (dead_end != NULL || op->page.next_url.len == 0 ||
      op->rows >= op->params.max_listing) {
    if (op->rows == 0 && op->error_count > 0 &&
        op->empty_pages < EMPTY_PAGES_MAX) {
      return TAM_ERR_LISTING_FAILED;
    }
    return listing_finish(op);
  }
  page_begin(op);
  tam_buf_reset(&op->page.url);
  tam_list_url_with_limit(&op->page.url, tam_buf_span(&op->page.next_url),
                          page_limit(op));
  return page_submit(op);
}

// ---------------------------------------------------------------------------
// Reports about the page's request

// Whoever waits shall hear of an attempt that was lost, though there is nothing
// new to say of the listing.
static void page_on_started(tam_list_op *op) {
  if (op->page.starts++ > 0) {
    tam_list_say(op, TAM_LIST_PROGRESS_PAGE);
  }
}

static int page_on_head(tam_list_op *op, const tam_net_report *report) {
  tam_buf *next_url = &op->page.next_url;
  op->counters[TAM_LIST_PAGE_TOTAL]++;
  op->page.silences = 0;
  op->page.status = report->status;
  op->page.has_bad_link = 0;
  tam_buf_reset(next_url);
  tam_span next = report->headers.next_url;
  if (report->status != 200 || next.len == 0) {
    return 0;
  }
  if (!tam_list_url_next(next_url, op->host.hub_url, next) ||
      next_url->error == TAM_ERR_TOO_LARGE ||
      next_url->len > TAM_LIST_URL_MAX - LIMIT_MAX) {
    op->page.has_bad_link = 1;
    tam_buf_reset(next_url);
  }
  return next_url->error;
}

// Records that the text of the page cannot be read from here on.
static int page_break(tam_list_op *op, int error) {
  // At most PAGE_BYTES_MAX and the last piece.
  int32_t offset = (int32_t)tam_listing_scan_offset(op->scan);
  const char *what = "malformed JSON at byte";
  if (error == TAM_ERR_TOO_LARGE) {
    what = "longer than any page at byte";
  } else if (error == TAM_ERR_JSON_DEPTH) {
    what = "nested too deep at byte";
  } else if (error == TAM_ERR_JSON_TRUNCATED) {
    what = "the body ends at byte";
  } else if (error == TAM_ERR_UNEXPECTED_SHAPE) {
    what = "the body is not a list";
    offset = -1; // it is the whole of it
  }
  op->page.is_broken = 1;
  op->is_partial = 1;
  return page_say_error(op, error, what, offset);
}

// Scans |data|; malformed JSON is recorded and makes the page broken.
static int page_scan(tam_list_op *op, tam_span data) {
  op->page.bytes += data.len;
  int error = op->page.bytes > PAGE_BYTES_MAX
                  ? TAM_ERR_TOO_LARGE
                  : tam_listing_scan_feed(op->scan, data);
  if (error == 0 || tam_error_is_fatal(error)) {
    return error;
  }
  return page_break(op, error);
}

static int page_on_data(tam_list_op *op, tam_span data) {
  if (op->page.status != 200) {
    return 0;
  }
  int error = page_scan(op, data);
  if (error != 0 || !op->page.is_broken) {
    return error;
  }
  // The rest of the page is lost, the next page is not.
  tam_net_cancel(op->host.net, op->speaker.op, TAM_LIST_TAG_PAGE);
  return page_finish(op);
}

static int page_on_end(tam_list_op *op) {
  if (op->page.status != 200) {
    int error =
        page_say_error(op, TAM_ERR_HTTP_STATUS, "the Hub answered with status",
                       (int32_t)op->page.status);
    return error != 0 ? error : listing_break_off(op);
  }
  int error = tam_listing_scan_end(op->scan);
  if (error == TAM_ERR_JSON_TRUNCATED &&
      ++op->page.attempts < PAGE_ATTEMPTS_MAX) {
    return page_repeat(op);
  }
  if (error != 0) {
    error = page_break(op, error);
  }
  return error != 0 ? error : page_finish(op);
}

static int page_on_failed(tam_list_op *op, const tam_net_report *report) {
  int is_late = report->error == TAM_ERR_TIMEOUT;
  int is_silent = is_late && op->page.status == 0;
  op->page.silences = is_silent ? op->page.silences + 1 : 0;
  op->page.status = report->status;
  int is_overload = (is_late && op->page.silences < PAGE_SILENCES_MAX) ||
                    report->status == 504;
  if (is_overload && op->page.size > PAGE_SIZE_MIN) {
    uint32_t half = op->page.size / 2;
    op->page.size = half < PAGE_SIZE_MIN ? PAGE_SIZE_MIN : half;
    op->page.attempts = 0;
    return page_repeat(op);
  }
  if (is_overload && ++op->page.attempts < PAGE_ATTEMPTS_MAX) {
    return page_repeat(op);
  }
  tam_list_write_failure(op, report, page_error_begin(op));
  int error = page_error_end(op, report->error);
  return error != 0 ? error : listing_break_off(op);
}

int tam_list_pages_on_report(tam_list_op *op, const tam_net_report *report) {
  switch (report->kind) {
  case TAM_NET_STARTED:
    page_on_started(op);
    return 0;
  case TAM_NET_HEAD:
    return page_on_head(op, report);
  case TAM_NET_DATA:
    return page_on_data(op, report->data);
  case TAM_NET_END:
    return page_on_end(op);
  case TAM_NET_RESTART:
    page_rewind(op);
    return 0;
  case TAM_NET_FAILED:
    return page_on_failed(op, report);
  default:
    return 0;
  }
}

// ---------------------------------------------------------------------------
// Start

int tam_list_pages_start(tam_list_op *op) {
  int error = tam_listing_scan_new(&op->scan, on_row, op, op->host.mem);
  if (error != 0 || op->state == TAM_LIST_STATE_SUPPLIED) {
    return error;
  }
  op->page.size = op->params.page_size;
  tam_list_url_first(&op->page.url, op->host.hub_url, &op->params,
                     page_limit(op));
  tam_buf_append(&op->page.cursor, op->params.cursor);
  return op->page.cursor.error != 0 ? op->page.cursor.error : page_submit(op);
}

// ---------------------------------------------------------------------------
// Rows supplied by the caller

int tam_list_pages_on_supplied(tam_list_op *op, tam_span rows) {
  return op->page.is_broken ? 0 : page_scan(op, rows);
}

int tam_list_pages_on_supplied_end(tam_list_op *op) {
  int error = op->page.is_broken ? 0 : tam_listing_scan_end(op->scan);
  if (error != 0) {
    error = page_break(op, error);
  }
  if (error != 0) {
    return error;
  }
  if (op->rows == 0 && op->is_partial) {
    return TAM_ERR_LISTING_FAILED;
  }
  return listing_finish(op);
}
