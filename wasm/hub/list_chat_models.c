// SPDX-License-Identifier: Apache-2.0
// The machine of one listing. Its parts report an error by returning it; this
// file turns the first one into the terminal message and lets nothing happen
// afterwards.
#include "hub/list_chat_models.h"

#include "core/mem.h"
#include "hub/list_op.h"

// The headers of every request; a caller's token is a text like others.
#define HEADERS_MAX (TAM_LIST_TEXT_MAX + TAM_TOKEN_HEADER_MAX)

// What the terminal error says: a fixed sentence and what went wrong.
#define SENTENCE_MAX (TAM_LIST_WHY_MAX + 64U)

// ---------------------------------------------------------------------------
// Life

static void op_init_buffers(tam_list_op *op, const tam_mem *mem) {
  tam_buf_init(&op->config_url, mem, TAM_LIST_URL_MAX);
  tam_buf_init(&op->page.url, mem, TAM_LIST_URL_MAX);
  tam_buf_init(&op->page.next_url, mem, TAM_LIST_URL_MAX);
  tam_buf_init(&op->page.cursor, mem, TAM_LIST_URL_MAX);
  tam_buf_init(&op->page.error, mem, TAM_LIST_WHY_MAX);
}

static int op_init_sets(tam_list_op *op) {
  const tam_mem *mem = op->host.mem;
  uint64_t seed = ((uint64_t)tam_random_next(op->host.random) << 32) |
                  tam_random_next(op->host.random);
  int error = tam_seen_ids_init(&op->seen, op->params.max_listing, seed, mem);
  if (error == 0) {
    error =
        tam_candidates_init(&op->candidates, op->params.max_candidates, mem);
  }
  op->prefilter.require_onnx = op->params.require_onnx;
  op->prefilter.max_parameters = op->params.max_parameters;
  return error;
}

static int op_init(tam_list_op *op, const tam_list_request *request,
                   double now_ms) {
  int error = tam_speaker_init(&op->speaker, op->host.queue, TAM_LIST_ACTION,
                               request->op, &request->envelope, op->host.mem);
  op->speaker.is_quiet = (request->flags & TAM_COMMAND_FLAG_QUIET) != 0;
  tam_list_outbox_init(op, now_ms);
  if (error == 0) {
    error = op_init_sets(op);
  }
  if (error == 0) {
    error = tam_net_open_op(op->host.net, request->op, op->params.concurrency);
  }
  return error == 0 ? tam_list_pages_start(op) : error;
}

int tam_list_op_new(tam_list_op **pop, const tam_list_host *host,
                    const tam_list_request *request, double now_ms) {
  tam_list_op *op = tam_mem_calloc(host->mem, 1, sizeof(*op));
  if (op == NULL) {
    tam_list_params_free(request->params);
    return TAM_ERR_OUT_OF_MEMORY;
  }
  op->host = *host;
  op->params = *request->params;
  op->started_ms = now_ms;
  op->state = (request->flags & TAM_COMMAND_FLAG_LISTING) != 0
                  ? TAM_LIST_STATE_SUPPLIED
                  : TAM_LIST_STATE_PAGES;
  op_init_buffers(op, host->mem);
  int error = op_init(op, request, now_ms);
  if (error != 0) {
    tam_list_op_del(op);
    return error;
  }
  *pop = op;
  return 0;
}

void tam_list_op_del(tam_list_op *op) {
  const tam_mem *mem = op->host.mem;
  tam_net_close_op(op->host.net, op->speaker.op);
  tam_speaker_free(&op->speaker);
  tam_listing_scan_del(op->scan);
  tam_candidates_free(&op->candidates);
  tam_seen_ids_free(&op->seen);
  tam_list_outbox_free(op);
  tam_list_params_free(&op->params);
  tam_buf_free(&op->page.url);
  tam_buf_free(&op->page.next_url);
  tam_buf_free(&op->page.cursor);
  tam_buf_free(&op->page.error);
  tam_buf_free(&op->config_url);
  tam_mem_free(mem, op);
}

// ---------------------------------------------------------------------------
// Requests

int tam_list_submit(tam_list_op *op, uint32_t tag, const tam_buf *url,
                    unsigned attempts_max) {
  int is_page = tag == TAM_LIST_TAG_PAGE;
  uint8_t text[HEADERS_MAX];
  tam_buf headers;
  tam_buf_init_fixed(&headers, text, sizeof(text));
  tam_buf_append_text(&headers, "accept: application/json\r\n");
  tam_token_append_header(op->host.token, op->params.token, &headers);
  tam_net_request request = {
      .op = op->speaker.op,
      .tag = tag,
      .bucket = is_page ? TAM_BUCKET_API : TAM_BUCKET_RESOLVERS,
      .url = tam_buf_span(url),
      .headers = tam_buf_span(&headers),
      .timeout_ms = op->params.timeout_ms,
      .streamed = is_page,
      .attempts_max = attempts_max,
  };
  int error =
      url->error != 0 ? url->error : tam_net_submit(op->host.net, &request);
  tam_mem_wipe(text, headers.len);
  return error;
}

// ---------------------------------------------------------------------------
// The end

static const char *sentence_of(int error) {
  switch (error) {
  case TAM_ERR_CANCELLED:
    return "the listing was cancelled";
  case TAM_ERR_LISTING_FAILED:
    return "no model could be listed";
  case TAM_ERR_OUT_OF_MEMORY:
    return "not enough memory for the listing";
  default:
    return "the listing could not go on";
  }
}

// What happened, and for a listing that failed also why.
static void op_write_sentence(const tam_list_op *op, int error, tam_buf *text) {
  tam_buf_append_text(text, sentence_of(error));
  if (error == TAM_ERR_LISTING_FAILED && op->page.error.len > 0) {
    tam_buf_append_text(text, ": ");
    tam_buf_append(text, tam_buf_span(&op->page.error));
  }
}

// Ends with an error: nothing runs on, then one last message.
static void op_fail(tam_list_op *op, int error, double now_ms) {
  tam_net_close_op(op->host.net, op->speaker.op);
  // Progress still pending is worth less than the end: it may fail.
  (void)tam_list_flush(op, now_ms, 1);
  op->is_partial = 1;
  uint8_t text[SENTENCE_MAX];
  tam_buf sentence;
  tam_buf_init_fixed(&sentence, text, sizeof(text));
  op_write_sentence(op, error, &sentence);
  tam_list_send_error(op, error, tam_buf_span(&sentence), now_ms);
  op->state = TAM_LIST_STATE_ENDED;
}

static int op_finish(tam_list_op *op, double now_ms) {
  int error = tam_list_flush(op, now_ms, 1);
  if (error == 0) {
    error = tam_list_send_done(op, now_ms);
  }
  if (error == 0) {
    tam_net_close_op(op->host.net, op->speaker.op);
    op->state = TAM_LIST_STATE_ENDED;
  }
  return error;
}

// Does what follows from a step: ends, fails, or sends progress that is due.
static void op_settle(tam_list_op *op, int error, double now_ms) {
  if (error == 0 && op->state == TAM_LIST_STATE_CONFIGS && op->unjudged == 0) {
    error = op_finish(op, now_ms);
  } else if (error == 0) {
    error = tam_list_flush(op, now_ms, 0);
  }
  if (error != 0) {
    op_fail(op, error, now_ms);
  }
}

// ---------------------------------------------------------------------------
// Events

void tam_list_write_failure(const tam_list_op *op, const tam_net_report *report,
                            tam_buf *text) {
  switch (report->error) {
  case TAM_ERR_HTTP_STATUS:
    tam_buf_append_text(text, "the Hub answered with status ");
    tam_text_append_number(text, report->status);
    break;
  case TAM_ERR_TIMEOUT:
    tam_buf_append_text(text, "no answer in time");
    break;
  default:
    tam_buf_append_text(text, "the connection failed");
    tam_token_append_words(op->host.token, op->params.token, report->data,
                           text);
  }
}

static void op_on_rate_limited(tam_list_op *op, const tam_net_report *report) {
  op->was_limited = 1;
  op->outbox.limited_reset_at_ms[report->bucket] = report->reset_at_ms;
  tam_list_say(op, TAM_LIST_PROGRESS_RATE_LIMITED + report->bucket);
}

void tam_list_op_on_report(tam_list_op *op, const tam_net_report *report,
                           double now_ms) {
  int error = 0;
  if (op->state == TAM_LIST_STATE_ENDED) {
    return;
  }
  if (report->kind == TAM_NET_RATE_LIMITED) {
    op_on_rate_limited(op, report);
  } else if (report->kind == TAM_NET_REFUSED) {
    op->counters[report->tag == TAM_LIST_TAG_PAGE ? TAM_LIST_PAGE_429
                                                  : TAM_LIST_CONFIG_429]++;
    op->page.starts = 0; // a refusal is no loss
  } else if (report->tag == TAM_LIST_TAG_PAGE) {
    error = tam_list_pages_on_report(op, report);
  } else {
    error = tam_list_configs_on_report(op, report);
  }
  op_settle(op, error, now_ms);
}

int tam_list_op_feed_rows(tam_list_op *op, tam_span rows, double now_ms) {
  if (op->state != TAM_LIST_STATE_SUPPLIED) {
    return TAM_ERR_INVALID_STATE;
  }
  op_settle(op, tam_list_pages_on_supplied(op, rows), now_ms);
  return 0;
}

int tam_list_op_end_rows(tam_list_op *op, double now_ms) {
  if (op->state != TAM_LIST_STATE_SUPPLIED) {
    return TAM_ERR_INVALID_STATE;
  }
  op_settle(op, tam_list_pages_on_supplied_end(op), now_ms);
  return 0;
}

void tam_list_op_cancel(tam_list_op *op, double now_ms) {
  if (op->state != TAM_LIST_STATE_ENDED) {
    op_fail(op, TAM_ERR_CANCELLED, now_ms);
  }
}

void tam_list_op_advance(tam_list_op *op, double now_ms) {
  if (op->state != TAM_LIST_STATE_ENDED) {
    op_settle(op, 0, now_ms);
  }
}

double tam_list_op_deadline(const tam_list_op *op) {
  return op->state == TAM_LIST_STATE_ENDED ? -1 : tam_list_outbox_deadline(op);
}

int tam_list_op_is_ended(const tam_list_op *op) {
  return op->state == TAM_LIST_STATE_ENDED;
}

uint32_t tam_list_op_number(const tam_list_op *op) {
  return op->speaker.op;
}

tam_span tam_list_op_id(const tam_list_op *op) {
  return op->speaker.envelope.id;
}

// ---------------------------------------------------------------------------
// Requests that never became an operation

int tam_list_refuse(const tam_list_host *host, const tam_list_request *request,
                    int error, tam_span message, double now_ms) {
  tam_failure failure = {.error = error, .stage = "params", .message = message};
  tam_speaker speaker;
  int result = tam_speaker_init(&speaker, host->queue, TAM_LIST_ACTION,
                                request->op, &request->envelope, host->mem);
  if (result == 0) {
    tam_list_find_remedy(&failure);
    tam_speaker_fail(&speaker, &failure, now_ms);
  }
  tam_speaker_free(&speaker);
  return result;
}
