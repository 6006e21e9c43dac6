// SPDX-License-Identifier: Apache-2.0
// Configurations of the candidates whose rows do not say enough. Each is
// looked for under a few paths in turn; only "no such file" leads to the next
// one. A candidate is judged as soon as its answer is known.
#include "hub/list_op.h"
#include "hub/list_url.h"

// Where a configuration may be, in the order of likelihood.
static const char *const config_paths[] = {
    "config.json",
    "config/config.json",
    "adapter_config.json",
};
#define CONFIG_PATHS (sizeof(config_paths) / sizeof(config_paths[0]))

// Attempts per request after transient errors.
#define CONFIG_ATTEMPTS_MAX 6

// Bytes of one configuration: the largest digests measured have 35 KB, full
// files with long label tables a few hundred.
#define CONFIG_BYTES_MAX (4.0 * 1024 * 1024)

// Requests kept in the pool beyond the ones that may run, so that a wait for
// some never leaves a slot empty.
#define CONFIG_AHEAD 32

// ---------------------------------------------------------------------------
// Verdicts

static tam_classify_input input_of(const tam_candidate *candidate,
                                   int auth_denied) {
  tam_classify_input input = {
      .config = &candidate->row.config,
      .id = candidate->row.id,
      .pipeline_tag = candidate->row.pipeline_tag,
      .library_name = candidate->row.library_name,
      .tags = candidate->row.tags,
      .tag_count = candidate->row.tag_count,
      .gated = candidate->row.gated != TAM_GATED_FALSE,
      .auth_denied = auth_denied,
  };
  return input;
}

// Records the verdict of |candidate| and tells the caller.
static int op_note_verdict(tam_list_op *op, tam_candidate *candidate) {
  op->counters[TAM_LIST_CLASSES + candidate->verdict.classification]++;
  op->unjudged--;
  return tam_list_say_classified(op, candidate);
}

static int op_judge(tam_list_op *op, tam_candidate *candidate,
                    tam_fetch_status status, int auth_denied) {
  candidate->fetch_status = status;
  tam_classify_input input = input_of(candidate, auth_denied);
  tam_classify(&input, &candidate->verdict);
  return op_note_verdict(op, candidate);
}

// The verdict without an answer. The digest of the row will do; apart from that
// nothing is guessed: the row's own words about a model are evidence only when
// it is known that there is no better one.
static void judge_without_answer(tam_candidate *candidate) {
  if (candidate->row.config.present) {
    tam_classify_input input = input_of(candidate, 0);
    tam_classify(&input, &candidate->verdict);
    return;
  }
  candidate->verdict = (tam_verdict){
      .classification = TAM_CLASS_UNKNOWN,
      .confidence = TAM_CONFIDENCE_LOW,
      .why = {{"config-unavailable",
               tam_span_of(tam_fetch_status_name(candidate->fetch_status))}},
      .why_count = 1,
  };
}

// Ends without an answer because of |error|; |message| completes what the
// candidate's fetch_message says about it.
static int op_give_up(tam_list_op *op, tam_candidate *candidate,
                      tam_fetch_status status, int error, const char *message) {
  candidate->fetch_status = status;
  judge_without_answer(candidate);
  tam_buf *why = &candidate->fetch_message;
  tam_buf_append_text(why, message);
  if (why->error != 0) {
    return why->error;
  }
  int failed = tam_list_say_error(op, candidate->row.id, tam_strerror(error),
                                  tam_buf_span(why));
  return failed != 0 ? failed : op_note_verdict(op, candidate);
}

// ---------------------------------------------------------------------------
// Requests

static int needs_config(const tam_list_op *op, const tam_candidate *candidate) {
  switch (op->params.fetch_configs) {
  case TAM_FETCH_CONFIGS_NEVER:
    return 0;
  case TAM_FETCH_CONFIGS_ALL:
    break;
  default:
    if (candidate->row.config.present) {
      return 0;
    }
  }
  // Files of a gated repository are closed to those without a token: asking
  // would cost a request and say nothing new.
  return candidate->row.gated == TAM_GATED_FALSE || op->params.token.len > 0 ||
         op->host.token->len > 0;
}

static int config_submit(tam_list_op *op, const tam_candidate *candidate,
                         uint32_t tag) {
  tam_buf *url = &op->config_url;
  tam_buf_reset(url);
  tam_list_url_file(url, op->host.hub_url, candidate->row.id,
                    tam_span_of(config_paths[candidate->config_path]));
  int error = tam_list_submit(op, tag, url, CONFIG_ATTEMPTS_MAX);
  op->outstanding += error == 0;
  return error;
}

// Walks the candidates: judges those that need no request and submits
// requests for the others until the pool has enough.
static int configs_fill(tam_list_op *op) {
  size_t enough = op->params.concurrency * 2 + CONFIG_AHEAD;
  while (op->next_config < op->candidates.count && op->outstanding < enough) {
    tam_candidate *candidate = op->candidates.items[op->next_config++];
    int error = needs_config(op, candidate)
                    ? config_submit(op, candidate, (uint32_t)op->next_config)
                    : op_judge(op, candidate, TAM_FETCH_LISTING, 0);
    if (error != 0) {
      return error;
    }
  }
  return 0;
}

int tam_list_configs_start(tam_list_op *op) {
  op->unjudged = op->candidates.count;
  return configs_fill(op);
}

// ---------------------------------------------------------------------------
// Answers

// Said once, whatever is asked for again or elsewhere later on.
static int config_on_started(tam_list_op *op, tam_candidate *candidate) {
  if (candidate->is_announced) {
    return 0;
  }
  candidate->is_announced = 1;
  return tam_list_say_fetching(op, candidate);
}

static int config_on_head(tam_list_op *op, tam_candidate *candidate,
                          const tam_net_report *report) {
  op->counters[TAM_LIST_CONFIG_TOTAL]++;
  switch (report->status) {
  case 200:
    op->counters[TAM_LIST_CONFIG_200]++;
    break;
  case 401:
    op->counters[TAM_LIST_CONFIG_401]++;
    break;
  case 403:
    op->counters[TAM_LIST_CONFIG_403]++;
    break;
  case 404:
    op->counters[TAM_LIST_CONFIG_404]++;
    break;
  default:
    op->counters[TAM_LIST_CONFIG_ERROR]++;
  }
  candidate->status_code = report->status;
  candidate->hub_error = report->headers.hub_error;
  candidate->config_bytes = 0;
  if (report->status != 200) {
    return 0;
  }
  if (candidate->scan == NULL) {
    return tam_config_scan_new(&candidate->scan, op->host.mem);
  }
  tam_config_scan_reset(candidate->scan);
  return 0;
}

static void candidate_drop_scan(tam_candidate *candidate) {
  tam_config_scan_del(candidate->scan);
  candidate->scan = NULL;
}

// Says what is wrong with the file and where.
static int config_reject(tam_list_op *op, tam_candidate *candidate,
                         int config_error) {
  tam_buf *why = &candidate->fetch_message;
  tam_buf_append_text(why, config_paths[candidate->config_path]);
  switch (config_error) {
  case TAM_ERR_TOO_LARGE:
    tam_buf_append_text(why, " is longer than any configuration");
    break;
  case TAM_ERR_UNEXPECTED_SHAPE:
    tam_buf_append_text(why, " is not a JSON object");
    break;
  default:
    tam_buf_append_text(why, " is not valid JSON at byte ");
    tam_text_append_number(why, tam_config_scan_offset(candidate->scan));
  }
  candidate_drop_scan(candidate);
  return op_give_up(op, candidate, TAM_FETCH_ERROR, config_error, "");
}

static int config_on_data(tam_list_op *op, tam_candidate *candidate,
                          const tam_net_report *report) {
  if (candidate->status_code != 200) {
    return 0;
  }
  candidate->config_bytes += (double)report->data.len;
  int config_error = candidate->config_bytes > CONFIG_BYTES_MAX
                         ? TAM_ERR_TOO_LARGE
                         : tam_config_scan_feed(candidate->scan, report->data);
  if (config_error == 0 || tam_error_is_fatal(config_error)) {
    return config_error;
  }
  // Whatever follows cannot make it right, and may go on for long.
  tam_net_cancel(op->host.net, op->speaker.op, report->tag);
  op->outstanding--;
  return config_reject(op, candidate, config_error);
}

static int config_on_complete(tam_list_op *op, tam_candidate *candidate,
                              uint32_t tag) {
  tam_config_digest digest;
  int error = tam_config_scan_end(candidate->scan, &digest);
  if (error == TAM_ERR_JSON_TRUNCATED && !candidate->was_cut_off) {
    // The file is broken, or its transfer was: asking again tells.
    candidate->was_cut_off = 1;
    return config_submit(op, candidate, tag);
  }
  if (error != 0) {
    return tam_error_is_fatal(error) ? error
                                     : config_reject(op, candidate, error);
  }
  error = tam_candidate_set_config(candidate, &digest);
  candidate_drop_scan(candidate);
  return error == 0 ? op_judge(op, candidate, TAM_FETCH_OK, 0) : error;
}

// A missing file leads to the next path; a missing repository or revision
// has no other file either.
static int config_on_missing(tam_list_op *op, tam_candidate *candidate,
                             uint32_t tag) {
  if (candidate->hub_error == TAM_HUB_ERROR_REPO_NOT_FOUND ||
      candidate->hub_error == TAM_HUB_ERROR_REVISION_NOT_FOUND) {
    return op_give_up(op, candidate, TAM_FETCH_NOT_FOUND, TAM_ERR_HTTP_STATUS,
                      "the repository or its main revision is gone");
  }
  if (candidate->config_path + 1 < CONFIG_PATHS) {
    candidate->config_path++;
    return config_submit(op, candidate, tag);
  }
  return op_judge(op, candidate, TAM_FETCH_NO_CONFIG, 0);
}

static int config_on_denied(tam_list_op *op, tam_candidate *candidate) {
  tam_fetch_status status = candidate->status_code == 401
                                ? TAM_FETCH_UNAUTHORIZED
                                : TAM_FETCH_FORBIDDEN;
  if (candidate->hub_error == TAM_HUB_ERROR_GATED_REPO) {
    return op_judge(op, candidate, status, 1);
  }
  // The Hub answers 401 for repositories that do not exist, too.
  return op_give_up(op, candidate, status, TAM_ERR_UNAUTHORIZED,
                    "private, gone, or closed to this token");
}

static int config_on_end(tam_list_op *op, tam_candidate *candidate,
                         const tam_net_report *report) {
  op->outstanding--;
  candidate->fetch_ms = report->duration_ms;
  switch (candidate->status_code) {
  case 200:
    return config_on_complete(op, candidate, report->tag);
  case 401:
  case 403:
    return config_on_denied(op, candidate);
  case 404:
    return config_on_missing(op, candidate, report->tag);
  default:
    return op_give_up(op, candidate, TAM_FETCH_ERROR, TAM_ERR_HTTP_STATUS,
                      "unexpected status");
  }
}

static int config_on_failed(tam_list_op *op, tam_candidate *candidate,
                            const tam_net_report *report) {
  op->outstanding--;
  op->counters[TAM_LIST_CONFIG_TOTAL]++;
  op->counters[TAM_LIST_CONFIG_ERROR]++;
  candidate->status_code = report->status;
  tam_list_write_failure(op, report, &candidate->fetch_message);
  return op_give_up(op, candidate, TAM_FETCH_ERROR, report->error, "");
}

static int config_dispatch(tam_list_op *op, const tam_net_report *report) {
  tam_candidate *candidate = op->candidates.items[report->tag - 1];
  switch (report->kind) {
  case TAM_NET_STARTED:
    return config_on_started(op, candidate);
  case TAM_NET_HEAD:
    return config_on_head(op, candidate, report);
  case TAM_NET_DATA:
    return config_on_data(op, candidate, report);
  case TAM_NET_END:
    return config_on_end(op, candidate, report);
  case TAM_NET_FAILED:
    return config_on_failed(op, candidate, report);
  default:
    return 0; // RESTART: a new HEAD follows and starts afresh
  }
}

int tam_list_configs_on_report(tam_list_op *op, const tam_net_report *report) {
  int error = config_dispatch(op, report);
  return error != 0 ? error : configs_fill(op);
}
