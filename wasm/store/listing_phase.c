// SPDX-License-Identifier: Apache-2.0
// Asks the Hub which commit a revision is, and which files the commit has. A
// commit never changes: what is known of it is not asked for again.
#include "core/json_tree.h"
#include "core/json_write.h"
#include "core/mem.h"
#include "core/percent.h"
#include "store/store_op.h"
#include "store/verbs.h"

#include <string.h>

// One small answer of the API.
#define API_TIMEOUT_MS 10000

// A page of the tree: the longest time without progress.
#define TREE_TIMEOUT_MS 20000

#define API_ATTEMPTS_MAX 4

// The most pages of a tree. The Hub puts a thousand files on a page; a server
// that always names a next one, with nothing on it, is stopped by this.
#define TREE_PAGES_MAX 1000

static int ask_api(tam_store_op *op, int is_streamed) {
  uint8_t text[TAM_NET_HEADERS_MAX];
  tam_buf headers;
  tam_buf_init_fixed(&headers, text, sizeof(text));
  tam_buf_append_text(&headers, "accept: application/json\r\n");
  tam_store_op_append_token(op, &headers);
  tam_net_request request = {
      .op = op->speaker.op,
      .bucket = TAM_BUCKET_API,
      .url = tam_buf_span(&op->listing.url),
      .headers = tam_buf_span(&headers),
      .timeout_ms = is_streamed ? TREE_TIMEOUT_MS : API_TIMEOUT_MS,
      .streamed = is_streamed,
      .attempts_max = API_ATTEMPTS_MAX,
  };
  int error =
      op->listing.url.error != 0 ? op->listing.url.error : headers.error;
  if (error == 0) {
    error = tam_store_op_open_net(op);
  }
  if (error == 0) {
    error = tam_net_submit(op->store->host.net, &request);
  }
  tam_mem_wipe(text, headers.len);
  return error;
}

// Begins the address of the repository's |route|.
static void begin_url(tam_store_op *op, const char *route, tam_span revision) {
  tam_buf_reset(&op->listing.url);
  tam_buf_append(&op->listing.url, op->store->host.hub_url);
  tam_buf_append_text(&op->listing.url, "/api/models/");
  tam_buf_append(&op->listing.url, op->params.model);
  tam_buf_append_text(&op->listing.url, route);
  tam_percent_encode(&op->listing.url, revision, 0);
}

// ---------------------------------------------------------------------------
// The commit

static tam_span commit_span(const tam_store_op *op) {
  return (tam_span){(const uint8_t *)op->commit,
                    op->commit[0] == '\0' ? 0 : TAM_COMMIT_SIZE};
}

// Returns the place of the stored revision that is |commit|, or the one that
// |label| stands for, the current one first; TAM_STORED_REVISIONS_MAX: none.
static size_t find_stored(const tam_store_op *op, tam_span commit,
                          tam_span label) {
  size_t found = TAM_STORED_REVISIONS_MAX;
  for (size_t i = 0; i < op->stored_count; i++) {
    const tam_revision *stored = &op->stored[i];
    if (commit.len > 0) {
      if (tam_span_eq(tam_revision_text(stored, stored->commit), commit)) {
        return i;
      }
    } else if (tam_span_eq(tam_revision_text(stored, stored->label), label) &&
               (found == TAM_STORED_REVISIONS_MAX ||
                (stored->flags & TAM_REVISION_CURRENT) != 0)) {
      found = i;
    }
  }
  return found;
}

// Makes the stored revision at |place| the one in work.
static void take_stored(tam_store_op *op, size_t place) {
  op->revision = op->stored[place];
  op->has_revision = 1;
  op->stored_count--;
  memmove(&op->stored[place], &op->stored[place + 1],
          (op->stored_count - place) * sizeof(op->stored[0]));
}

// A stored commit may have been asked for by another name. Its own name is
// found in any case, and "main" is what most people mean; of these it becomes
// one that the label does not stand for yet.
static int relabel(tam_store_op *op) {
  tam_revision *revision = &op->revision;
  tam_span asked = op->params.revision;
  tam_span label = tam_revision_text(revision, revision->label);
  if (tam_span_eq(asked, label) || tam_hub_revision_is_commit(asked) ||
      (!tam_hub_revision_is_commit(label) &&
       !tam_span_eq(asked, TAM_SPAN("main")))) {
    return TAM_PHASE_DONE;
  }
  revision->flags &= (uint8_t) ~(TAM_REVISION_CURRENT | TAM_REVISION_PREVIOUS);
  int error = tam_revision_set_label(revision, asked);
  return error != 0 ? error : TAM_PHASE_DONE;
}

// Takes the revision of the commit that was found, stored or new.
int tam_store_op_take_commit(tam_store_op *op) {
  size_t place = find_stored(op, commit_span(op), TAM_SPAN_NONE);
  if (place < op->stored_count) {
    take_stored(op, place);
    return relabel(op);
  }
  op->has_revision = 1;
  int error =
      tam_revision_init(&op->revision, op->params.model, commit_span(op),
                        op->params.revision, op->store->host.mem);
  if (error == 0) {
    // Others may share content that lies under TabAgent's keys.
    op->revision.flags = op->stored_count == 0 ? TAM_REVISION_FIRST : 0;
    op->revision.created_ms = (uint64_t)op->store->now_ms;
    error =
        tam_revision_set_task(&op->revision, tam_buf_span(&op->listing.task));
  }
  return error != 0 ? error : TAM_PHASE_DONE;
}

static int commit_start(tam_store_op *op) {
  if (op->has_revision) {
    return TAM_PHASE_DONE;
  }
  if (tam_hub_revision_is_commit(op->params.revision)) {
    memcpy(op->commit, op->params.revision.ptr, TAM_COMMIT_SIZE);
    return tam_store_op_take_commit(op);
  }
  begin_url(op, "/revision/", op->params.revision);
  tam_buf_append_text(&op->listing.url, "?expand=sha&expand=pipeline_tag");
  tam_buf_reset(&op->listing.body);
  return ask_api(op, 0);
}

// Returns 1 when the Hub spells the repository otherwise: an old name of it, or
// another case. What is stored already keeps the name that it has.
static int is_other_name(const tam_store_op *op, tam_span id) {
  return !op->is_renamed && op->stored_count == 0 && tam_repo_id_is_valid(id) &&
         !tam_span_eq(id, op->params.model);
}

// Takes what |root| says. Returns what a phase does.
static int take_answer(tam_store_op *op, const tam_json_node *root) {
  tam_span sha =
      tam_json_get_string(tam_json_get_member(root, TAM_SPAN("sha")));
  tam_span id = tam_json_get_string(tam_json_get_member(root, TAM_SPAN("id")));
  tam_span task =
      tam_json_get_string(tam_json_get_member(root, TAM_SPAN("pipeline_tag")));
  if (!tam_hub_revision_is_commit(sha)) {
    return TAM_ERR_UNEXPECTED_SHAPE;
  }
  if (is_other_name(op, id)) {
    return tam_store_op_rename(op, id);
  }
  memcpy(op->commit, sha.ptr, TAM_COMMIT_SIZE);
  if (task.len <= TAM_REVISION_TASK_MAX) { // else it is none
    tam_buf_append(&op->listing.task, task);
  }
  return op->listing.task.error != 0 ? op->listing.task.error
                                     : tam_store_op_take_commit(op);
}

static int read_commit(tam_store_op *op) {
  tam_json_node *root = NULL;
  int result = op->listing.body.error;
  if (result == 0) {
    result = tam_json_tree_parse(&root, tam_buf_span(&op->listing.body),
                                 op->store->host.mem);
  }
  if (result == 0) {
    result = take_answer(op, root);
  }
  tam_json_tree_free(root, op->store->host.mem);
  return result < 0 && op->why.len == 0
             ? tam_store_op_fail(op, result,
                                 "the Hub's answer about the revision cannot "
                                 "be read")
             : result;
}

// Without the Hub the store's own revision will do.
static int commit_failed(tam_store_op *op, const tam_net_report *report) {
  size_t place = find_stored(op, TAM_SPAN_NONE, op->params.revision);
  if (place < op->stored_count) {
    op->listing.is_offline = 1;
    take_stored(op, place);
    return TAM_PHASE_DONE;
  }
  int error = tam_store_op_net_failed(op, report);
  if (op->verb->is_serving && !op->verb->is_storing && error < 0) {
    op->transfers.error = error;
    op->phase = tam_unverified_phases;
    return (*op->phase)->start(op);
  }
  return error;
}

static int commit_on_net(tam_store_op *op, const tam_net_report *report) {
  switch (report->kind) {
  case TAM_NET_HEAD:
    return report->status == 200 ? TAM_PHASE_WAIT
                                 : tam_store_op_net_failed(op, report);
  case TAM_NET_DATA:
    tam_buf_append(&op->listing.body, report->data);
    return TAM_PHASE_WAIT;
  case TAM_NET_RESTART:
    tam_buf_reset(&op->listing.body);
    return TAM_PHASE_WAIT;
  case TAM_NET_END:
    return read_commit(op);
  case TAM_NET_FAILED:
    return commit_failed(op, report);
  default:
    return TAM_PHASE_WAIT;
  }
}

const tam_phase tam_commit_phase = {
    .stage = "revision",
    .start = commit_start,
    .on_net = commit_on_net,
};

// For what is served, the stored revision is good enough.
static int known_start(tam_store_op *op) {
  tam_span commit = tam_hub_revision_is_commit(op->params.revision)
                        ? op->params.revision
                        : TAM_SPAN_NONE;
  size_t place = find_stored(op, commit, op->params.revision);
  if (place < op->stored_count) {
    take_stored(op, place);
  }
  return TAM_PHASE_DONE;
}

const tam_phase tam_known_phase = {.stage = "store", .start = known_start};

// ---------------------------------------------------------------------------
// The files

static int on_file(void *user_data, const tam_tree_file *file) {
  tam_store_op *op = user_data;
  int error = tam_revision_find(&op->revision, file->path) == NULL
                  ? tam_revision_add_file(&op->revision, file)
                  : 0;
  // A file that does not fit: the list is not all there is.
  op->listing.is_cut |= error != 0;
  return tam_error_is_fatal(error) ? error : 0;
}

static int on_flaw(void *user_data, tam_tree_flaw flaw, tam_span path) {
  tam_store_op *op = user_data;
  (void)flaw;
  (void)path;
  op->listing.is_cut = 1;
  return 0;
}

static int tree_ask(tam_store_op *op) {
  if (op->listing.pages++ == TREE_PAGES_MAX) {
    return tam_store_op_fail(op, TAM_ERR_TOO_LARGE,
                             "the Hub's list of files has no end");
  }
  begin_url(op, "/tree/", commit_span(op));
  tam_buf_append_text(&op->listing.url, "?recursive=true");
  if (op->listing.cursor.len > 0) {
    tam_buf_append_text(&op->listing.url, "&cursor=");
    tam_buf_append(&op->listing.url, tam_buf_span(&op->listing.cursor));
  }
  return ask_api(op, 1);
}

static int tree_start(tam_store_op *op) {
  if ((op->revision.flags & TAM_REVISION_LISTED) != 0) {
    return TAM_PHASE_DONE;
  }
  tam_tree_sink sink = {on_file, on_flaw, op};
  tam_span commit = tam_revision_text(&op->revision, op->revision.commit);
  memcpy(op->commit, commit.ptr, TAM_COMMIT_SIZE);
  int error = tam_tree_scan_new(&op->listing.tree, &sink, op->store->host.mem);
  return error != 0 ? error : tree_ask(op);
}

// Of the address of the next page only the cursor counts, as it is spelled: the
// page is on the endpoint that was asked, whatever the Hub says.
static void read_cursor(tam_store_op *op, tam_span link) {
  tam_span query = tam_span_from(link, tam_span_find_byte(link, '?') + 1);
  tam_buf_reset(&op->listing.cursor);
  while (query.len > 0) {
    size_t end = tam_span_find_byte(query, '&');
    tam_span pair = tam_span_head(query, end);
    if (tam_span_starts_with(pair, TAM_SPAN("cursor="))) {
      tam_span cursor = tam_span_from(pair, sizeof("cursor=") - 1);
      if (tam_span_is_visible_ascii(cursor)) {
        tam_buf_append(&op->listing.cursor, cursor);
      }
    }
    query = tam_span_from(query, end + 1);
  }
}

// Says where the list could not be read.
static int tree_fail(tam_store_op *op, int error) {
  tam_store_op_fail(op, error,
                    "the Hub's list of files cannot be read at byte ");
  tam_text_append_number(&op->why, tam_tree_scan_offset(op->listing.tree));
  return error;
}

static int tree_on_end(tam_store_op *op) {
  int error = tam_tree_scan_end(op->listing.tree);
  if (error != 0) {
    return tree_fail(op, error);
  }
  if (op->listing.cursor.error != 0) {
    return op->listing.cursor.error;
  }
  if (op->listing.cursor.len > 0) {
    return tree_ask(op);
  }
  if (!op->listing.is_cut) {
    op->revision.flags |= TAM_REVISION_LISTED;
  }
  return TAM_PHASE_DONE;
}

// A page that broke off would be told twice: the listing begins anew. The pool
// asks for the first page again by itself, after a while.
static int tree_restart(tam_store_op *op) {
  int is_first = tam_span_find_byte(tam_buf_span(&op->listing.url), '&') ==
                 op->listing.url.len;
  tam_tree_scan_reset(op->listing.tree);
  op->listing.is_cut = 0;
  tam_buf_reset(&op->listing.cursor);
  if (is_first) {
    return TAM_PHASE_WAIT;
  }
  tam_net_cancel(op->store->host.net, op->speaker.op, 0);
  return ++op->listing.restarts < API_ATTEMPTS_MAX
             ? tree_ask(op)
             : tam_store_op_fail(op, TAM_ERR_NETWORK,
                                 "the Hub's list of files breaks off");
}

static int tree_on_net(tam_store_op *op, const tam_net_report *report) {
  int error;
  switch (report->kind) {
  case TAM_NET_HEAD:
    read_cursor(op, report->headers.next_url);
    return report->status == 200 ? TAM_PHASE_WAIT
                                 : tam_store_op_net_failed(op, report);
  case TAM_NET_DATA:
    error = tam_tree_scan_feed(op->listing.tree, report->data);
    return error == 0 ? TAM_PHASE_WAIT : tree_fail(op, error);
  case TAM_NET_RESTART:
    return tree_restart(op);
  case TAM_NET_END:
    return tree_on_end(op);
  case TAM_NET_FAILED: // some files may be known without the Hub
    return op->revision.count > 0 ? TAM_PHASE_DONE
                                  : tam_store_op_net_failed(op, report);
  default:
    return TAM_PHASE_WAIT;
  }
}

const tam_phase tam_tree_phase = {
    .stage = "files",
    .start = tree_start,
    .on_net = tree_on_net,
};
