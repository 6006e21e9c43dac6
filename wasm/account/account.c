// SPDX-License-Identifier: Apache-2.0
#include "account/account.h"

#include "account/whoami.h"
#include "core/json_write.h"
#include "core/mem.h"
#include "core/names.h"
#include "core/speaker.h"

#include <string.h>

// One small answer; whoever waits for it looks at a dialog.
#define TIMEOUT_MS   10000
#define ATTEMPTS_MAX 3

struct tam_account {
  tam_account_host host;
  tam_speaker speaker; // of the login under way, when |is_busy|
  int is_busy;
  uint32_t status;       // the Hub's answer
  tam_token claimed;     // what the login is about
  tam_whoami whoami;     // whose that is
  tam_action_node *then; // the request that waits for it, or NULL
  tam_whoami_name name;  // of who is logged in, empty: not known
  tam_whoami_name role;
};

static const char verb_names[] = "login\0"
                                 "logout\0"
                                 "account\0";

tam_account_verb tam_account_find_verb(tam_span name) {
  return (tam_account_verb)(tam_names_find(verb_names, name) + 1);
}

int tam_account_new(tam_account **paccount, const tam_account_host *host) {
  tam_account *account = tam_mem_calloc(host->mem, 1, sizeof(*account));
  if (account == NULL) {
    return TAM_ERR_OUT_OF_MEMORY;
  }
  account->host = *host;
  *paccount = account;
  return 0;
}

// ---------------------------------------------------------------------------
// The end of a login

static void login_close(tam_account *account) {
  tam_net_close_op(account->host.net, account->speaker.op);
  tam_token_forget(&account->claimed);
  tam_mem_wipe(&account->whoami, sizeof(account->whoami));
  tam_speaker_free(&account->speaker);
  tam_mem_free(account->host.mem, account->then);
  account->then = NULL;
  account->is_busy = 0;
}

static void login_fail(tam_account *account, int error, tam_span text,
                       double now_ms) {
  uint32_t status = account->status;
  tam_failure failure = {
      .error = error,
      .stage = error == TAM_ERR_INVALID_PARAMS ? "params" : "login",
      .message = text,
      .status = status == 200 ? 0 : status,
      .is_retryable = tam_error_is_retryable(error),
      .remedy = error == TAM_ERR_UNAUTHORIZED
                    ? "Make a new token in the settings of the account."
                    : tam_error_remedy(error),
  };
  tam_net_close_op(account->host.net, account->speaker.op);
  tam_speaker_fail(&account->speaker, &failure, now_ms);
  login_close(account);
}

void tam_account_cancel(tam_account *account, double now_ms) {
  if (account->is_busy) {
    account->status = 0;
    login_fail(account, TAM_ERR_CANCELLED, TAM_SPAN("the login was cancelled"),
               now_ms);
  }
}

void tam_account_del(tam_account *account) {
  if (account == NULL) {
    return;
  }
  if (account->is_busy) {
    login_close(account);
  }
  tam_token_forget(account->host.token);
  tam_mem_free(account->host.mem, account);
}

// Takes the token that is kept out of what waits to be sent.
static void forget(tam_account *account) {
  uint8_t text[TAM_TOKEN_HEADER_MAX];
  tam_buf header;
  tam_buf_init_fixed(&header, text, sizeof(text));
  tam_token_append_header(account->host.token, TAM_SPAN_NONE, &header);
  if (header.len > 0) {
    tam_net_drop_header(account->host.net, tam_buf_span(&header));
  }
  tam_mem_wipe(text, header.len);
  tam_token_forget(account->host.token);
  account->name.len = 0;
  account->role.len = 0;
}

static void write_account(const tam_whoami_name *name,
                          const tam_whoami_name *role, tam_buf *json) {
  tam_json_write_known_member(json, "name", tam_whoami_text(name));
  tam_json_write_known_member(json, "role", tam_whoami_text(role));
}

static void write_who(const tam_account *account, tam_buf *json) {
  if (account->host.token->len == 0) {
    tam_json_write_key(json, "account");
    tam_json_write_null(json);
    return;
  }
  tam_json_write_member_begin(json, "account");
  write_account(&account->name, &account->role, json);
  tam_json_write_object_end(json);
}

static void login_done(tam_account *account, double now_ms) {
  tam_buf json;
  tam_speaker_begin(&account->speaker, TAM_ANSWER_DONE, now_ms, &json);
  write_account(&account->whoami.name, &account->whoami.role, &json);
  if (tam_speaker_say(&account->speaker, TAM_ANSWER_DONE, &json) != 0) {
    login_fail(account, TAM_ERR_OUT_OF_MEMORY, TAM_SPAN("not enough memory"),
               now_ms);
    return;
  }
  forget(account);
  tam_token_keep(account->host.token, tam_token_text(&account->claimed));
  account->name = account->whoami.name;
  account->role = account->whoami.role;
  if (account->then != NULL) {
    tam_action_queue_push(account->host.queue, account->then);
    account->then = NULL; // the queue's
  }
  login_close(account);
}

// ---------------------------------------------------------------------------
// The Hub's answer

// Names go into messages: one that repeats the token is none.
static void check_name(const tam_account *account, tam_whoami_name *name) {
  if (tam_token_is_within(&account->claimed, TAM_SPAN_NONE,
                          tam_whoami_text(name))) {
    name->len = 0;
  }
}

static void check_names(tam_account *account) {
  check_name(account, &account->whoami.name);
  check_name(account, &account->whoami.role);
}

static void on_end(tam_account *account, double now_ms) {
  int error = tam_whoami_end(&account->whoami);
  check_names(account);
  if (error != 0 || account->whoami.name.len == 0) {
    login_fail(account, TAM_ERR_UNEXPECTED_SHAPE,
               TAM_SPAN("the answer names no account; is this address a Hub?"),
               now_ms);
    return;
  }
  login_done(account, now_ms);
}

static void on_refused(tam_account *account, double now_ms) {
  if (account->status == 401 || account->status == 403) {
    login_fail(account, TAM_ERR_UNAUTHORIZED,
               TAM_SPAN("the Hub does not accept this token"), now_ms);
  } else {
    login_fail(account, TAM_ERR_HTTP_STATUS,
               TAM_SPAN("the Hub does not say whose the token is"), now_ms);
  }
}

static void on_failed(tam_account *account, const tam_net_report *report,
                      double now_ms) {
  uint8_t text[TAM_TOKEN_WORDS_MAX + 64];
  tam_buf why;
  tam_buf_init_fixed(&why, text, sizeof(text));
  tam_buf_append_text(&why, report->error == TAM_ERR_TIMEOUT
                                ? "no answer in time"
                            : report->status != 0 ? "the Hub has a fault"
                                                  : "the connection failed");
  tam_token_append_words(&account->claimed, TAM_SPAN_NONE, report->data, &why);
  account->status = report->status;
  login_fail(account, report->error, tam_buf_span(&why), now_ms);
}

void tam_account_on_net(tam_account *account, const tam_net_report *report,
                        double now_ms) {
  switch (report->kind) {
  case TAM_NET_HEAD:
    account->status = report->status;
    if (report->status != 200) {
      on_refused(account, now_ms);
    }
    break;
  case TAM_NET_DATA:
    tam_whoami_feed(&account->whoami, report->data);
    break;
  case TAM_NET_RESTART:
    tam_whoami_init(&account->whoami);
    break;
  case TAM_NET_END:
    on_end(account, now_ms);
    break;
  case TAM_NET_RATE_LIMITED:
    // Minutes: nobody waits that long before a dialog.
    login_fail(account, TAM_ERR_RATE_LIMITED,
               TAM_SPAN("the Hub takes no more requests for now"), now_ms);
    break;
  case TAM_NET_FAILED:
    on_failed(account, report, now_ms);
    break;
  default:
    break;
  }
}

// ---------------------------------------------------------------------------
// Requests

static int login_ask(tam_account *account) {
  uint8_t header_text[TAM_TOKEN_HEADER_MAX + 64];
  uint8_t url_text[TAM_NET_URL_MAX];
  tam_buf headers;
  tam_buf url;
  tam_buf_init_fixed(&headers, header_text, sizeof(header_text));
  tam_buf_append_text(&headers, "accept: application/json\r\n");
  tam_token_append_header(&account->claimed, TAM_SPAN_NONE, &headers);
  tam_buf_init_fixed(&url, url_text, sizeof(url_text));
  tam_buf_append(&url, account->host.hub_url);
  tam_buf_append_text(&url, "/api/whoami-v2");
  tam_net_request request = {
      .op = account->speaker.op,
      .bucket = TAM_BUCKET_API,
      .url = tam_buf_span(&url),
      .headers = tam_buf_span(&headers),
      .timeout_ms = TIMEOUT_MS,
      .attempts_max = ATTEMPTS_MAX,
  };
  int error = tam_net_open_op(account->host.net, account->speaker.op, 1);
  if (error == 0) {
    error = tam_net_submit(account->host.net, &request);
  }
  tam_mem_wipe(header_text, headers.len);
  return error;
}

typedef struct login_params {
  tam_span token;
  int check;
  tam_span name; // of an account that need not be asked for
  tam_span role;
} login_params;

// Returns what is wrong with the parameters, or NULL.
static const char *read_params(const tam_account_request *request,
                               login_params *params) {
  *params = (login_params){.check = 1};
  for (const tam_json_node *at = tam_json_get_first(request->params);
       at != NULL; at = tam_json_get_next(at)) {
    tam_json_kind kind = tam_json_get_kind(at);
    tam_span key = tam_json_get_key(at);
    if (tam_span_is(key, "token")) {
      params->token = tam_json_get_string(at);
    } else if (tam_span_is(key, "check")) {
      params->check = tam_json_get_bool(at) || kind != TAM_JSON_KIND_BOOL;
    } else if (tam_span_is(key, "name")) {
      params->name = tam_json_get_string(at);
    } else if (tam_span_is(key, "role")) {
      params->role = tam_json_get_string(at);
    } else if (request->params_are_nested) {
      return "no parameters but token, check, name and role are known";
    }
  }
  // A secret is not quoted.
  return tam_token_is_valid(params->token)
             ? NULL
             : "token: expected an access token of the Hub, which begins with "
               "hf_ and has letters, digits, _, - and . only";
}

static void keep_name(tam_whoami_name *name, tam_span text) {
  if (text.len <= TAM_WHOAMI_NAME_MAX) {
    tam_text_copy(name->text, text);
    name->len = text.len;
  }
}

static void login_start(tam_account *account,
                        const tam_account_request *request, double now_ms) {
  login_params params;
  const char *flaw = read_params(request, &params);
  if (flaw != NULL) {
    login_fail(account, TAM_ERR_INVALID_PARAMS, tam_span_of(flaw), now_ms);
    return;
  }
  tam_whoami_init(&account->whoami);
  tam_token_keep(&account->claimed, params.token);
  if (!params.check) {
    keep_name(&account->whoami.name, params.name);
    keep_name(&account->whoami.role, params.role);
    check_names(account);
    login_done(account, now_ms);
    return;
  }
  int error = login_ask(account);
  if (error != 0) {
    login_fail(account, error, TAM_SPAN("the Hub cannot be asked now"), now_ms);
  }
}

// Says the end of what is done at once: a logout, or who is logged in.
static int say_at_once(tam_account *account, tam_account_verb verb,
                       tam_speaker *speaker, double now_ms) {
  tam_buf json;
  tam_speaker_begin(speaker, TAM_ANSWER_DONE, now_ms, &json);
  if (verb == TAM_ACCOUNT_WHO) {
    write_who(account, &json);
  }
  int error = tam_speaker_say(speaker, TAM_ANSWER_DONE, &json);
  tam_speaker_free(speaker);
  return error;
}

// The request that waits for the login, ready to be queued.
static int make_then(const tam_account *account, tam_span then,
                     tam_action_node **pnode) {
  *pnode = NULL;
  if (then.len > 0) {
    tam_action_node *node = tam_action_node_new(account->host.mem, then.len);
    if (node == NULL) {
      return TAM_ERR_OUT_OF_MEMORY;
    }
    node->action.kind = TAM_ACTION_REQUEST;
    tam_text_copy((uint8_t *)(node + 1), then);
    *pnode = node;
  }
  return 0;
}

int tam_account_start(tam_account *account, tam_account_verb verb,
                      const tam_account_request *request, double now_ms) {
  tam_speaker speaker;
  tam_action_node *then = NULL;
  int error = tam_speaker_init(
      &speaker, account->host.queue, tam_names_at(verb_names, (size_t)verb - 1),
      request->op, &request->envelope, account->host.mem);
  if (error == 0 && verb == TAM_ACCOUNT_LOGIN) {
    error = make_then(account, request->then, &then);
  }
  if (error != 0) {
    tam_speaker_free(&speaker);
    return error;
  }
  if (verb != TAM_ACCOUNT_WHO) {
    tam_account_cancel(account, now_ms);
  }
  if (verb == TAM_ACCOUNT_LOGOUT) {
    forget(account);
  }
  if (verb != TAM_ACCOUNT_LOGIN) {
    return say_at_once(account, verb, &speaker, now_ms);
  }
  account->speaker = speaker;
  account->then = then;
  account->is_busy = 1;
  account->status = 0;
  login_start(account, request, now_ms);
  return 0;
}

int tam_account_has_op(const tam_account *account, uint32_t op) {
  return account->is_busy && account->speaker.op == op;
}

size_t tam_account_busy(const tam_account *account) {
  return account->is_busy != 0;
}
