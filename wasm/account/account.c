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
  uint32_t status;   // the Hub's answer
  tam_token claimed; // what the login is about
  tam_whoami whoami;
};

tam_account_verb tam_account_find_verb(tam_span name) {
  return (tam_account_verb)(tam_names_find("login\0"
                                           "logout\0",
                                           name) +
                            1);
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
  account->is_busy = 0;
}

static void login_fail(tam_account *account, int error, const char *text,
                       double now_ms) {
  uint32_t status = account->status;
  tam_failure failure = {
      .error = error,
      .stage = error == TAM_ERR_INVALID_PARAMS ? "params" : "login",
      .message = tam_span_of(text),
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
    login_fail(account, TAM_ERR_CANCELLED, "the login was cancelled", now_ms);
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
}

static void login_done(tam_account *account, tam_span name, tam_span role,
                       double now_ms) {
  tam_buf json;
  tam_speaker_begin(&account->speaker, TAM_ANSWER_DONE, now_ms, &json);
  tam_json_write_known_member(&json, "name", name);
  tam_json_write_known_member(&json, "role", role);
  if (tam_speaker_say(&account->speaker, TAM_ANSWER_DONE, &json) != 0) {
    login_fail(account, TAM_ERR_OUT_OF_MEMORY, "not enough memory", now_ms);
    return;
  }
  forget(account);
  tam_token_keep(account->host.token, tam_token_span(&account->claimed));
  login_close(account);
}

// ---------------------------------------------------------------------------
// The Hub's answer

// Returns a name of the answer, which goes into a message; nothing when it
// repeats the token.
static tam_span name_of(const tam_account *account,
                        const tam_whoami_name *name) {
  tam_span text = tam_whoami_text(name);
  return tam_token_is_within(&account->claimed, TAM_SPAN_NONE, text)
             ? TAM_SPAN_NONE
             : text;
}

static void on_end(tam_account *account, double now_ms) {
  tam_span name = name_of(account, &account->whoami.name);
  if (tam_whoami_end(&account->whoami) != 0 || name.len == 0) {
    login_fail(account, TAM_ERR_UNEXPECTED_SHAPE,
               "the answer names no account; is this address a Hub?", now_ms);
    return;
  }
  login_done(account, name, name_of(account, &account->whoami.role), now_ms);
}

static void on_refused(tam_account *account, double now_ms) {
  if (account->status == 401 || account->status == 403) {
    login_fail(account, TAM_ERR_UNAUTHORIZED,
               "the Hub does not accept this token", now_ms);
  } else {
    login_fail(account, TAM_ERR_HTTP_STATUS,
               "the Hub does not say whose the token is", now_ms);
  }
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
               "the Hub takes no more requests for now", now_ms);
    break;
  case TAM_NET_FAILED:
    account->status = report->status;
    login_fail(account, report->error,
               report->error == TAM_ERR_TIMEOUT ? "no answer in time"
               : report->status != 0            ? "the Hub has a fault"
                                                : "the connection failed",
               now_ms);
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
  tam_whoami_init(&account->whoami);
  int error = tam_net_open_op(account->host.net, account->speaker.op, 1);
  if (error == 0) {
    error = tam_net_submit(account->host.net, &request);
  }
  tam_mem_wipe(header_text, headers.len);
  return error;
}

// Returns what is wrong with the parameters, or NULL.
static const char *read_params(const tam_account_request *request,
                               tam_span *ptoken, int *pcheck) {
  *pcheck = 1;
  for (const tam_json_node *at = tam_json_get_first(request->params);
       at != NULL; at = tam_json_get_next(at)) {
    tam_json_kind kind = tam_json_get_kind(at);
    if (tam_span_is(tam_json_get_key(at), "token")) {
      *ptoken = tam_json_get_string(at);
    } else if (tam_span_is(tam_json_get_key(at), "check")) {
      *pcheck = tam_json_get_bool(at) || kind != TAM_JSON_KIND_BOOL;
    } else if (request->params_are_nested) {
      return "no parameters but token and check are known";
    }
  }
  // A secret is not quoted.
  return tam_token_is_valid(*ptoken)
             ? NULL
             : "token: expected an access token of the Hub, which begins with "
               "hf_ and has letters, digits, _, - and . only";
}

static void login_start(tam_account *account,
                        const tam_account_request *request, double now_ms) {
  tam_span token = TAM_SPAN_NONE;
  int check;
  const char *flaw = read_params(request, &token, &check);
  if (flaw != NULL) {
    login_fail(account, TAM_ERR_INVALID_PARAMS, flaw, now_ms);
    return;
  }
  tam_token_keep(&account->claimed, token);
  if (!check) {
    login_done(account, TAM_SPAN_NONE, TAM_SPAN_NONE, now_ms);
    return;
  }
  int error = login_ask(account);
  if (error != 0) {
    login_fail(account, error, "the Hub cannot be asked now", now_ms);
  }
}

static int logout_start(tam_account *account, tam_speaker *speaker,
                        double now_ms) {
  tam_buf json;
  forget(account);
  tam_speaker_begin(speaker, TAM_ANSWER_DONE, now_ms, &json);
  int error = tam_speaker_say(speaker, TAM_ANSWER_DONE, &json);
  tam_speaker_free(speaker);
  return error;
}

int tam_account_start(tam_account *account, tam_account_verb verb,
                      const tam_account_request *request, double now_ms) {
  tam_speaker speaker;
  int error =
      tam_speaker_init(&speaker, account->host.queue,
                       verb == TAM_ACCOUNT_LOGIN ? "login" : "logout",
                       request->op, &request->envelope, account->host.mem);
  if (error != 0) {
    tam_speaker_free(&speaker);
    return error;
  }
  tam_account_cancel(account, now_ms);
  if (verb == TAM_ACCOUNT_LOGOUT) {
    return logout_start(account, &speaker, now_ms);
  }
  account->speaker = speaker;
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
