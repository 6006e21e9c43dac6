// SPDX-License-Identifier: Apache-2.0
#include "fake_host.h"

#include "fake_summary.h"

#include "core/json_tree.h"
#include "core/names.h"

// The concurrency of a listing that names none, and that of the store.
#define CONCURRENCY_DEFAULT 12
#define CONCURRENCY_STORE   3

void fake_host_broken(const char *promise) {
  fflush(stdout);
  fprintf(stderr, "broken promise: %s\n", promise);
  abort();
}

static void promise(int kept, const char *text) {
  if (!kept) {
    fake_host_broken(text);
  }
}

// ---------------------------------------------------------------------------
// Records

static void *grow(void *list, size_t count, size_t size) {
  // Grows at powers of two only.
  if ((count & (count - 1)) == 0) {
    list = realloc(list, (count == 0 ? 1 : count * 2) * size);
    promise(list != NULL, "the tests have memory");
  }
  return list;
}

static fake_op *find_op(fake_host *host, uint32_t number) {
  if (number == 0) {
    return &host->journal;
  }
  for (size_t i = host->op_count; i > 0; i--) {
    if (host->ops[i - 1].number == number) {
      return &host->ops[i - 1];
    }
  }
  return NULL;
}

const fake_op *fake_host_op(const fake_host *host, uint32_t number) {
  for (size_t i = host->op_count; i > 0; i--) {
    if (host->ops[i - 1].number == number) {
      return &host->ops[i - 1];
    }
  }
  return NULL;
}

static fake_request *find_live(const fake_host *host, uint32_t id) {
  for (size_t i = host->request_count; i > 0; i--) {
    fake_request *request = &host->requests[i - 1];
    if (request->is_live && request->id == id) {
      return request;
    }
  }
  return NULL;
}

const fake_request *fake_host_request(const fake_host *host, size_t order) {
  return order > 0 && order <= host->request_count ? &host->requests[order - 1]
                                                   : NULL;
}

size_t fake_host_order(const fake_host *host, uint32_t id) {
  const fake_request *request = find_live(host, id);
  return request == NULL ? 0 : (size_t)(request - host->requests) + 1;
}

// Finds what the host still has of the request |id|: that it runs, its lock, or
// what it brought.
static fake_request *find_open(const fake_host *host, uint32_t id) {
  for (size_t i = host->request_count; i > 0; i--) {
    fake_request *request = &host->requests[i - 1];
    if (request->id == id && (request->is_live || request->is_held ||
                              request->is_kept || request->is_made)) {
      return request;
    }
  }
  return NULL;
}

static unsigned is_fetch(const fake_request *request) {
  return !request->is_store && !request->is_runtime;
}

static void begin_request(fake_host *host, fake_op *op, fake_request request) {
  promise(find_open(host, request.id) == NULL,
          "a request has a number of its own");
  host->requests =
      grow(host->requests, host->request_count, sizeof(*host->requests));
  host->requests[host->request_count++] = request;
  op->in_flight++;
  op->fetches += is_fetch(&request);
}

static void end_request(fake_host *host, fake_request *request) {
  fake_op *op = find_op(host, request->op);
  request->is_live = 0;
  op->in_flight--;
  op->fetches -= is_fetch(request);
}

static void hold(fake_host *host, fake_request *request, int is_held) {
  request->is_held = is_held && request->is_lock;
  request->is_kept = is_held && request->is_keep;
  find_op(host, request->op)->holds +=
      (unsigned)(request->is_held + request->is_kept);
}

static void let_go(fake_host *host, fake_request *request) {
  find_op(host, request->op)->holds -=
      (unsigned)(request->is_held + request->is_kept);
  request->is_held = 0;
  request->is_kept = 0;
}

// ---------------------------------------------------------------------------
// Actions

static void take_fetch(fake_host *host, const tam_action *action) {
  fake_op *op = find_op(host, action->op);
  promise(action->op != 0 && op != NULL && op->terminals == 0,
          "only what runs sends requests");
  tam_span hub = tam_span_of(host->hub_url);
  promise(tam_span_starts_with(action->first, hub) &&
              tam_span_starts_with(tam_span_from(action->first, hub.len),
                                   TAM_SPAN("/")),
          "requests go to the Hub only");
  int has_token =
      tam_span_find_nocase(action->second, TAM_SPAN("authorization:")) <
      action->second.len;
  promise(has_token || !op->has_token, "the token is sent when there is one");
  promise(!has_token || op->has_token || op->is_login || host->is_logged_in,
          "nobody's token is sent when nobody is logged in");
  begin_request(host, op,
                (fake_request){
                    .id = action->request,
                    .op = action->op,
                    .is_live = 1,
                    .is_keep = (action->flags & TAM_FETCH_FLAG_KEEP) != 0,
                });
  promise(op->fetches <= op->concurrency, "concurrency is a limit");
}

static void take_store(fake_host *host, const tam_action *action) {
  fake_op *op = find_op(host, action->op);
  promise(op != NULL && op->terminals == 0, "only what runs asks the storage");
  begin_request(host, op,
                (fake_request){
                    .id = action->request,
                    .op = action->op,
                    .is_live = 1,
                    .is_store = 1,
                    .is_lock = tam_span_starts_with(
                        action->first, TAM_SPAN("{\"do\":\"lock\",")),
                    .is_keep = tam_span_ends_with(action->first,
                                                  TAM_SPAN("\"keep\":true}")),
                });
}

static fake_made made_by(tam_span order) {
  static const struct {
    const char *begin;
    fake_made made;
  } makers[] = {
      {"{\"do\":\"open\",", FAKE_MADE_FILE},
      {"{\"do\":\"splice\",", FAKE_MADE_FILE},
      {"{\"do\":\"tokenizer\",", FAKE_MADE_TOKENIZER},
      {"{\"do\":\"session\",", FAKE_MADE_SESSION},
      {"{\"do\":\"cache\",", FAKE_MADE_CACHE},
  };
  for (size_t i = 0; i < sizeof(makers) / sizeof(makers[0]); i++) {
    if (tam_span_starts_with(order, tam_span_of(makers[i].begin))) {
      return makers[i].made;
    }
  }
  return FAKE_MADE_NOTHING;
}

static void take_runtime(fake_host *host, const tam_action *action) {
  fake_op *op = find_op(host, action->op);
  promise(op != NULL && op->terminals == 0, "only what runs orders anything");
  promise(op->in_flight == 0, "an operation has one order at a time");
  begin_request(host, op,
                (fake_request){
                    .id = action->request,
                    .op = action->op,
                    .is_live = 1,
                    .is_runtime = 1,
                    .makes = made_by(action->first),
                });
}

size_t fake_host_made(const fake_host *host, fake_made kind) {
  size_t count = 0;
  for (size_t i = 0; i < host->request_count; i++) {
    count += host->requests[i].is_made && host->requests[i].makes == kind;
  }
  return count;
}

// What is left when nobody is at work is one loaded model, or nothing.
static void check_made(const fake_host *host) {
  size_t tokenizers = fake_host_made(host, FAKE_MADE_TOKENIZER);
  size_t sessions = fake_host_made(host, FAKE_MADE_SESSION);
  size_t caches = fake_host_made(host, FAKE_MADE_CACHE);
  promise(tokenizers <= 1, "there is one tokenizer");
  promise((tokenizers == 0) == (sessions == 0),
          "a tokenizer and sessions are there together");
  promise(caches <= tokenizers, "a model has one cache");
}

// Files, and what nobody kept, go with their operation.
static void check_files(const fake_host *host, uint32_t op) {
  for (size_t i = 0; i < host->request_count; i++) {
    const fake_request *request = &host->requests[i];
    promise(!request->is_made || request->op != op ||
                request->makes != FAKE_MADE_FILE,
            "files are released at the end");
  }
}

static void take_abort(fake_host *host, const tam_action *action) {
  fake_request *request = find_open(host, action->request);
  promise(request != NULL, "an abort names a request under way");
  if (request->is_live) {
    end_request(host, request);
  }
  request->is_made = 0;
  let_go(host, request);
  if ((action->flags & TAM_FETCH_FLAG_KEEP) != 0) {
    promise(request->is_keep && is_fetch(request), "what is kept is a body");
    hold(host, request, 1);
  }
}

static void take_forget(fake_host *host, const tam_action *action) {
  fake_request *request = find_open(host, action->request);
  promise(request != NULL && request->is_kept, "what is kept is forgotten");
  let_go(host, request);
}

static void take_deliver(fake_host *host, const tam_action *action) {
  fake_request *request = find_open(host, action->request);
  fake_op *op = find_op(host, action->op);
  promise(request != NULL && request->is_kept && request->is_store &&
              request->op == action->op,
          "what was read is delivered, to whom it was read for");
  promise(op->terminals == 0 && (op->is_pulled || op->deliveries == 0),
          "bytes behind the first are delivered to who waits for them");
  op->is_pulled = 0;
  op->deliveries++;
  let_go(host, request);
}

// Numbers and pace of the messages of a listing.
static void check_sequence(fake_host *host, fake_op *op,
                           const tam_json_node *message) {
  const tam_json_node *seq = tam_json_get_member(message, TAM_SPAN("seq"));
  if (seq != NULL && op->is_resumed) { // it may have ended meanwhile
    promise(tam_json_get_number(seq) >= op->messages, "numbers only grow");
    op->messages = tam_json_get_number(seq);
  } else if (seq != NULL) {
    promise(tam_json_get_number(seq) == op->messages,
            "messages are numbered without gaps");
  }
  double *latest =
      &op->said_ms[(size_t)op->messages % FAKE_HOST_MESSAGES_PER_S];
  promise(op->is_answer || op->messages < FAKE_HOST_MESSAGES_PER_S ||
              host->now_ms - *latest >= 1000,
          "at most 20 messages in a second");
  *latest = host->now_ms;
  op->messages++;
}

// Parses a message; one that is longer than the parser takes is nothing.
static tam_json_node *parse_message(tam_span text, const tam_mem *mem) {
  tam_json_node *message = NULL;
  if (text.len > TAM_JSON_TREE_LEN_MAX) {
    return NULL;
  }
  int error = tam_json_tree_parse(&message, text, mem);
  if (error != 0) {
    fprintf(stderr, "%.*s\n", (int)text.len, (const char *)text.ptr);
  }
  promise(error == 0, "messages are JSON");
  return message;
}

static void take_message(fake_host *host, const tam_action *action) {
  fake_op *op = find_op(host, action->op);
  promise(action->request == 0, "no message is about a request");
  if (action->op == 0) {
    promise((action->flags & TAM_MESSAGE_FLAG_TERMINAL) == 0,
            "what is said to all ends nothing");
    return;
  }
  promise(op != NULL && op->is_accepted, "messages go to whoever asked");
  promise(op->terminals == 0, "nothing is said after the last word");
  tam_mem mem = tam_mem_default();
  tam_json_node *message = parse_message(action->first, &mem);
  promise(!op->is_quiet || (action->flags & TAM_MESSAGE_FLAG_TERMINAL) != 0,
          "nothing but the end is said to those who do not listen");
  if ((action->flags & TAM_MESSAGE_FLAG_STANDING) == 0) {
    check_sequence(host, op, message);
  } else {
    promise(op->is_resumed && op->messages == 0,
            "how a job stands is said first, when it goes on");
  }
  op->classified += fake_count_classified(message);
  op->is_unread |= message == NULL;
  if ((action->flags & TAM_MESSAGE_FLAG_TERMINAL) != 0) {
    fake_check_summary(host, op, message);
    promise(host->models_of == 0 || message == NULL ||
                fake_is_good_end(message),
            "models come with a good end only");
    op->terminals++;
    if ((op->is_login && fake_is_good_end(message)) || op->is_logout) {
      host->is_logged_in = op->is_login;
    }
    if (op->number == host->command_of) { // it did not become complete
      host->command_len = 0;
      host->command_of = 0;
    }
    promise(op->in_flight == 0, "nothing runs on after the end");
    promise(op->holds == 0, "nothing is held or kept after the end");
    check_files(host, op->number);
  }
  tam_json_tree_free(message, &mem);
}

static void take(fake_host *host, const tam_action *action) {
  if (host->models_of != 0) {
    promise(action->kind == TAM_ACTION_MESSAGE &&
                action->op == host->models_of &&
                (action->flags & TAM_MESSAGE_FLAG_TERMINAL) != 0,
            "models come right before the last word");
  }
  switch (action->kind) {
  case TAM_ACTION_FETCH:
    take_fetch(host, action);
    break;
  case TAM_ACTION_ABORT:
    break; // after the listener, who wants to know which request it was
  case TAM_ACTION_MESSAGE:
    take_message(host, action);
    host->models_of = 0;
    break;
  case TAM_ACTION_MODELS:
    host->models_of = action->op;
    break;
  case TAM_ACTION_STORE:
    take_store(host, action);
    break;
  case TAM_ACTION_RUNTIME:
    take_runtime(host, action);
    break;
  case TAM_ACTION_FORGET:
    take_forget(host, action);
    break;
  case TAM_ACTION_DELIVER:
    take_deliver(host, action);
    break;
  case TAM_ACTION_REQUEST:
    promise(action->op == 0, "what follows from a request is none of its own");
    break;
  default:
    fake_host_broken("actions are of a known kind");
  }
  if (host->on_action != NULL) {
    host->on_action(host->user_data, action);
  }
  if (action->kind == TAM_ACTION_ABORT) {
    take_abort(host, action);
  }
}

static void drain(fake_host *host) {
  const tam_action *action;
  while ((action = tam_manager_next(host->manager)) != NULL) {
    take(host, action);
  }
  promise(host->models_of == 0, "models come right before the last word");
}

// ---------------------------------------------------------------------------
// Events

// Which operation the command asks for.
static void read_name(fake_op *op, const tam_json_node *root) {
  const tam_json_node *name = tam_json_get_member(root, TAM_SPAN("action"));
  if (tam_json_get_kind(name) != TAM_JSON_KIND_STRING) {
    name = tam_json_get_member(root, TAM_SPAN("type"));
  }
  tam_span text = tam_json_get_string(name);
  op->is_serving = tam_span_is(text, "fetchFile");
  op->is_queued =
      tam_span_is(text, "download") || tam_span_is(text, "updateModel");
  op->is_answer = tam_names_find("generate\0sendChatMessage\0", text) >= 0;
  op->is_login =
      tam_span_is(text, "login") || tam_span_is(text, "huggingfaceLogin");
  op->is_logout = tam_span_is(text, "logout");
  op->takes_turn = op->is_answer ||
                   tam_names_find("load\0reset\0clearCache\0init\0loadModel\0"
                                  "resetWorker\0restoreLastState\0",
                                  text) >= 0;
  if (!tam_span_is(text, "listChatModels")) {
    op->concurrency = CONCURRENCY_STORE;
  }
}

// What the command asks for, as far as it can be read.
static void read_command(fake_op *op, tam_span text) {
  tam_mem mem = tam_mem_default();
  tam_json_node *root = NULL;
  op->concurrency = CONCURRENCY_DEFAULT;
  if (tam_json_tree_parse(&root, text, &mem) != 0) {
    return;
  }
  read_name(op, root);
  op->is_resumed =
      tam_json_get_bool(tam_json_get_member(root, TAM_SPAN("resume")));
  const tam_json_node *params = tam_json_get_member(root, TAM_SPAN("params"));
  params = params == NULL ? root : params;
  const tam_json_node *limit =
      tam_json_get_member(params, TAM_SPAN("concurrency"));
  if (limit != NULL) {
    op->concurrency = tam_json_get_number(limit);
  }
  const tam_json_node *token = tam_json_get_member(params, TAM_SPAN("hfToken"));
  op->has_token = tam_json_get_string(token).len > 0;
  tam_json_tree_free(root, &mem);
}

static void forget_pieces(fake_host *host) {
  host->command_len = 0;
  host->command_of = 0;
}

static void keep_piece(fake_host *host, const tam_event *event) {
  size_t len = event->payload.len;
  host->command_of = event->op;
  host->command = realloc(host->command, host->command_len + len + 1);
  promise(host->command != NULL, "the tests have memory");
  tam_text_copy((uint8_t *)host->command + host->command_len, event->payload);
  host->command_len += len;
}

// A further piece of a message: the last one tells what it is.
static void note_piece(fake_host *host, const tam_event *event) {
  fake_op *op = find_op(host, event->op);
  keep_piece(host, event);
  if ((event->flags & TAM_COMMAND_FLAG_MORE) == 0) {
    tam_span text = {(const uint8_t *)host->command, host->command_len};
    op->wants_rows = (event->flags & TAM_COMMAND_FLAG_LISTING) != 0;
    op->is_quiet = (event->flags & TAM_COMMAND_FLAG_QUIET) != 0;
    read_command(op, text);
    forget_pieces(host);
  }
}

static fake_op *note_command(fake_host *host, const tam_event *event) {
  host->ops = grow(host->ops, host->op_count, sizeof(*host->ops));
  fake_op *op = &host->ops[host->op_count++];
  memset(op, 0, sizeof(*op));
  op->number = event->op;
  op->wants_rows = (event->flags & TAM_COMMAND_FLAG_LISTING) != 0;
  op->is_quiet = (event->flags & TAM_COMMAND_FLAG_QUIET) != 0;
  if ((event->flags & TAM_COMMAND_FLAG_MORE) != 0) {
    op->wants_rows = 0;
    op->concurrency = CONCURRENCY_DEFAULT;
    keep_piece(host, event);
  } else {
    read_command(op, event->payload);
  }
  return op;
}

// What the host knows before the manager does.
static void note_event(fake_host *host, const tam_event *event) {
  fake_request *request = find_live(host, event->request);
  fake_op *op = find_op(host, event->op);
  switch (event->kind) {
  case TAM_EVENT_HTTP_END:
  case TAM_EVENT_STORE_END:
    if (request != NULL && !request->is_runtime &&
        request->is_store == (event->kind == TAM_EVENT_STORE_END)) {
      end_request(host, request);
      hold(host, request, 1);
    }
    break;
  case TAM_EVENT_HTTP_FAIL:
  case TAM_EVENT_STORE_FAIL:
    if (request != NULL && !request->is_runtime &&
        request->is_store == (event->kind == TAM_EVENT_STORE_FAIL)) {
      end_request(host, request);
      hold(host, request,
           event->kind == TAM_EVENT_HTTP_FAIL && event->status > 0);
    }
    break;
  case TAM_EVENT_RUNTIME_END:
  case TAM_EVENT_RUNTIME_FAIL:
    if (request != NULL && request->is_runtime) {
      end_request(host, request);
      request->is_made = event->kind == TAM_EVENT_RUNTIME_END &&
                         request->makes != FAKE_MADE_NOTHING;
    }
    break;
  case TAM_EVENT_CANCEL:
    if (event->op == host->command_of) {
      forget_pieces(host);
    }
    break;
  case TAM_EVENT_PULL:
    if (op != NULL) {
      op->is_pulled = 1;
    }
    break;
  case TAM_EVENT_LISTING_END:
    if (op != NULL) {
      op->wants_rows = 0;
    }
    break;
  default:
    break;
  }
}

// Whether an operation of the chat that came before |op| has not ended.
static int waits_for_turn(const fake_host *host, const fake_op *op) {
  const fake_op *other = host->ops;
  while (other != op &&
         (!other->takes_turn || !other->is_accepted || other->terminals > 0)) {
    other++;
  }
  return op->takes_turn && other != op;
}

// Whether a download other than |op| is at work.
static int is_behind(const fake_host *host, const fake_op *op) {
  for (size_t i = 0; op->is_queued && i < host->op_count; i++) {
    const fake_op *other = &host->ops[i];
    if (other != op && other->is_queued && other->terminals == 0 &&
        other->in_flight > 0) {
      return 1;
    }
  }
  return 0;
}

static int is_waiting_for_nothing(const fake_host *host, const fake_op *op,
                                  double deadline) {
  return op->is_accepted && op->terminals == 0 && op->in_flight == 0 &&
         !op->wants_rows && op->number != host->command_of && deadline < 0 &&
         host->journal.in_flight == 0 && !(op->is_serving && !op->is_pulled) &&
         !is_behind(host, op) && !waits_for_turn(host, op);
}

static void check_waits(const fake_host *host, const tam_event *event) {
  double deadline = tam_manager_deadline(host->manager, host->now_ms);
  promise(event->kind != TAM_EVENT_TIMER || deadline != 0,
          "a timer that fired is not asked for again at once");
  size_t busy = 0;
  for (size_t i = 0; i < host->op_count; i++) {
    const fake_op *op = &host->ops[i];
    promise(!is_waiting_for_nothing(host, op, deadline),
            "what waits, waits for something");
    busy += op->is_accepted && op->terminals == 0;
  }
  promise(busy == tam_manager_busy(host->manager),
          "the manager is busy with what has not ended");
  if (busy == 0) {
    check_made(host);
  }
}

// An end that the pool will not take ends nothing.
static int is_taken_back(const tam_event *event, int result) {
  return result == TAM_ERR_INVALID_STATE && event->kind == TAM_EVENT_HTTP_END;
}

int fake_host_feed(fake_host *host, const tam_event *event) {
  const fake_request *live = find_live(host, event->request);
  size_t place = live == NULL ? 0 : (size_t)(live - host->requests) + 1;
  const fake_op *old = find_op(host, event->op);
  int is_free = event->op != 0 &&
                (old == NULL || !old->is_accepted || old->terminals > 0);
  int is_command = event->kind == TAM_EVENT_COMMAND;
  int is_piece =
      is_command && host->command_of != 0 && host->command_of == event->op;
  size_t command = 0;
  if (is_piece) {
    note_piece(host, event);
    command = (size_t)(old - host->ops) + 1;
  } else if (is_command && is_free && host->command_of == 0) {
    note_command(host, event);
    command = host->op_count;
  }
  note_event(host, event);
  if (host->on_event != NULL) {
    host->on_event(host->event_data, event, host->now_ms);
  }
  int result = tam_manager_feed(host->manager, event, host->now_ms);
  if (result == TAM_ERR_INVALID_STATE || result == TAM_ERR_INVALID_ARGUMENT ||
      result == TAM_ERR_NOT_OURS) {
    promise(tam_manager_next(host->manager) == NULL,
            "an event that is refused causes nothing");
  }
  if (is_taken_back(event, result) && place != 0) {
    fake_request *request = &host->requests[place - 1];
    let_go(host, request);
    request->is_live = 1;
    find_op(host, request->op)->in_flight++;
    find_op(host, request->op)->fetches++;
  }
  if (command != 0) {
    host->ops[command - 1].is_accepted = result == 0;
    if (result != 0) {
      forget_pieces(host);
    }
  }
  drain(host);
  if (result == 0) {
    check_waits(host, event);
  }
  return result;
}

// ---------------------------------------------------------------------------
// Life

int fake_host_init(fake_host *host, const char *hub_url) {
  check_heap heap = host->heap;
  fake_host_on_action on_action = host->on_action;
  void *user_data = host->user_data;
  memset(host, 0, sizeof(*host));
  host->heap = heap;
  host->on_action = on_action;
  host->user_data = user_data;
  host->mem = check_heap_mem(&host->heap);
  snprintf(host->hub_url, sizeof(host->hub_url), "%s", hub_url);
  tam_config config = {tam_span_of(host->hub_url), "a fixed seed..."};
  return tam_manager_new(&host->manager, &config, &host->mem);
}

void fake_host_free(fake_host *host) {
  tam_manager_del(host->manager);
  promise(host->heap.live == 0, "a deleted manager leaves no memory behind");
  free(host->requests);
  free(host->ops);
  free(host->command);
}
