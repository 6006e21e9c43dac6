// SPDX-License-Identifier: Apache-2.0
#include "protocol/panel.h"

#include "chat/json_walk.h"
#include "core/event.h"
#include "core/event_names.h"
#include "core/names.h"

#include <math.h>

// What is said to all may be what somebody sent.
#define EVENT_MAX (UINT32_C(2) * TAM_JSON_TREE_LEN_MAX)

// The longest answer, and what of the saved state goes into it.
#define ANSWER_MAX 8192
#define STATE_MAX  1024

typedef struct call {
  const tam_panel_host *host;
  const tam_message *message;
  uint32_t op;
  uint32_t flags;
} call;

// ---------------------------------------------------------------------------
// Answers

static void answer_begin(const call *self, tam_buf *json) {
  tam_buf_init(json, self->host->mem, ANSWER_MAX);
  tam_json_write_object_begin(json);
}

static int answer_end(const call *self, tam_buf *json) {
  tam_json_write_object_end(json);
  int error = tam_action_queue_put(self->host->queue, TAM_ACTION_MESSAGE,
                                   self->op, TAM_MESSAGE_FLAG_TERMINAL, json);
  tam_buf_free(json);
  return error;
}

static void write_success(tam_buf *json, int is_good) {
  tam_json_write_key(json, "success");
  tam_json_write_bool(json, is_good);
}

static int answer_success(const call *self) {
  tam_buf json;
  answer_begin(self, &json);
  write_success(&json, 1);
  return answer_end(self, &json);
}

static int refuse(const call *self, const char *why) {
  tam_failure failure = {.error = TAM_ERR_INVALID_PARAMS,
                         .message = tam_span_of(why)};
  tam_buf json;
  answer_begin(self, &json);
  write_success(&json, 0);
  tam_answer_write_error(&json, &self->message->envelope, &failure);
  return answer_end(self, &json);
}

// Says |type| to all who listen; |payload| is JSON text or empty.
static int say(const call *self, const char *type, tam_span payload) {
  tam_buf json;
  if ((self->flags & TAM_COMMAND_FLAG_BROADCAST) == 0) {
    return 0;
  }
  tam_buf_init(&json, self->host->mem, EVENT_MAX);
  tam_event_begin(&json, type);
  if (payload.len > 0) {
    tam_json_write_key(&json, "payload");
    tam_json_write_raw(&json, payload);
  }
  return tam_event_send(self->host->queue, 0, &json);
}

static int say_and_answer(const call *self, const char *type,
                          tam_span payload) {
  int error = say(self, type, payload);
  return error != 0 ? error : answer_success(self);
}

// ---------------------------------------------------------------------------
// Parameters

static const tam_json_node *param(const call *self, const char *name) {
  return tam_json_get_member(self->message->params, tam_span_of(name));
}

// Returns the raw payload, empty when there is none.
static tam_span payload_of(const call *self) {
  const tam_message *message = self->message;
  return tam_json_get_member(message->root, TAM_SPAN("payload")) != NULL
             ? message->params_text
             : TAM_SPAN_NONE;
}

// Messages on the channel name their sender beside the payload, too.
static tam_span sender_of(const call *self) {
  tam_span sender = tam_json_get_string(param(self, "senderId"));
  return sender.len > 0 ? sender
                        : tam_json_get_string(tam_json_get_member(
                              self->message->root, TAM_SPAN("senderId")));
}

// ---------------------------------------------------------------------------
// The model

static int has_model(const tam_chat_facts *facts) {
  return facts->state == TAM_CHAT_READY || facts->state == TAM_CHAT_GENERATING;
}

static int answer_state(const call *self) {
  tam_chat_facts facts = tam_chat_get_facts(self->host->chat);
  tam_buf json;
  answer_begin(self, &json);
  tam_json_write_name_member(&json, "state",
                             has_model(&facts) ? TAM_NAME_STATE_MODEL_READY
                             : facts.state == TAM_CHAT_LOADING
                                 ? TAM_NAME_STATE_LOADING_MODEL
                                 : TAM_NAME_STATE_UNINITIALIZED);
  tam_json_write_known_member(&json, "modelId", facts.model);
  tam_json_write_known_member(&json, "dtype", facts.dtype);
  return answer_end(self, &json);
}

static int answer_ready(const call *self) {
  tam_buf json;
  answer_begin(self, &json);
  write_success(&json, 1);
  tam_json_write_key(&json, "ready");
  tam_json_write_bool(&json, 1);
  tam_json_write_name_member(&json, "message", "ready");
  return answer_end(self, &json);
}

// Writes the raw |value| as it was saved, when it is of a sane length.
static void write_saved(tam_buf *json, const char *key, tam_span value) {
  if (value.len > 0 && value.len <= STATE_MAX) {
    tam_json_write_key(json, key);
    tam_json_write_raw(json, value);
  }
}

// What restoreLastState answers; |model| is the one that is there now, empty
// when there is none.
static void write_restored(const call *self, tam_span model, tam_span dtype,
                           tam_buf *json) {
  tam_span state = self->message->params_text;
  tam_json_write_key(json, "modelRestored");
  tam_json_write_bool(json, model.len > 0);
  write_saved(json, "lastModel",
              tam_json_walk_member(state, "lastLoadedModel"));
  write_saved(json, "lastChatSession",
              tam_json_walk_member(state, "lastChatSessionId"));
  tam_json_write_member_begin(json, "currentModel");
  tam_json_write_known_member(json, "id", model);
  tam_json_write_known_member(json, "dtype", dtype);
  tam_json_write_key(json, "ready");
  tam_json_write_bool(json, model.len > 0);
  tam_json_write_object_end(json);
}

// A load that was begun and never ended: it took the process with it.
static int has_crashed(const call *self, const tam_chat_facts *wanted) {
  const tam_json_node *loading = param(self, "loading");
  tam_span repo =
      tam_json_get_string(tam_json_get_member(loading, TAM_SPAN("repoId")));
  tam_span dtype =
      tam_json_get_string(tam_json_get_member(loading, TAM_SPAN("quantPath")));
  return tam_span_eq(repo, wanted->model) &&
         (dtype.len == 0 || tam_span_eq(dtype, wanted->dtype));
}

static int load_wanted(const call *self, const tam_chat_facts *wanted,
                       const tam_envelope *envelope) {
  const tam_panel_host *host = self->host;
  tam_json_node *params = NULL;
  tam_buf json;
  tam_buf_init(&json, host->mem, ANSWER_MAX);
  tam_json_write_object_begin(&json);
  tam_json_write_string_member(&json, "modelId", wanted->model);
  tam_json_write_string_member(&json, "dtype", wanted->dtype);
  tam_json_write_object_end(&json);
  int error = json.error;
  if (error == 0) {
    error = tam_json_tree_parse(&params, tam_buf_span(&json), host->mem);
  }
  if (error == 0) {
    tam_chat_request request = {.op = self->op,
                                .envelope = *envelope,
                                .flags = self->flags,
                                .params = params,
                                .text = tam_buf_span(&json)};
    error = tam_chat_start(host->chat, tam_chat_find_verb(TAM_SPAN("load")),
                           &request, host->now_ms);
  }
  tam_json_tree_free(params, host->mem);
  tam_buf_free(&json);
  return error;
}

// Whether it goes well or not, the answer is a success: the panel also wants to
// know its last chat.
static int load_and_answer(const call *self, const tam_chat_facts *wanted) {
  tam_envelope envelope = self->message->envelope;
  tam_buf done;
  tam_buf failed;
  tam_buf_init(&done, self->host->mem, ANSWER_MAX);
  tam_buf_init(&failed, self->host->mem, ANSWER_MAX);
  write_restored(self, wanted->model, wanted->dtype, &done);
  write_restored(self, TAM_SPAN_NONE, TAM_SPAN_NONE, &failed);
  envelope.done = tam_buf_span(&done);
  envelope.failed = tam_buf_span(&failed);
  int error = done.error != 0 ? done.error : failed.error;
  if (error == 0) {
    error = load_wanted(self, wanted, &envelope);
  }
  tam_buf_free(&done);
  tam_buf_free(&failed);
  return error;
}

static int restore(const call *self) {
  tam_chat_facts wanted = tam_chat_get_facts(self->host->chat);
  const tam_json_node *last = param(self, "lastLoadedModel");
  int is_there = has_model(&wanted);
  if (wanted.state == TAM_CHAT_UNLOADED) {
    wanted.model =
        tam_json_get_string(tam_json_get_member(last, TAM_SPAN("repoId")));
    wanted.dtype =
        tam_json_get_string(tam_json_get_member(last, TAM_SPAN("quantPath")));
    if (has_crashed(self, &wanted)) {
      wanted.model = TAM_SPAN_NONE;
    }
  }
  if (wanted.model.len > STATE_MAX || wanted.dtype.len > STATE_MAX) {
    wanted.model = TAM_SPAN_NONE;
  }
  if (!is_there && wanted.model.len > 0) {
    return load_and_answer(self, &wanted);
  }
  tam_buf json;
  answer_begin(self, &json);
  write_success(&json, 1);
  write_restored(self, is_there ? wanted.model : TAM_SPAN_NONE,
                 is_there ? wanted.dtype : TAM_SPAN_NONE, &json);
  return answer_end(self, &json);
}

static int release(const call *self) {
  const tam_panel_host *host = self->host;
  if (tam_chat_busy(host->chat) == 0 &&
      tam_chat_get_facts(host->chat).state == TAM_CHAT_READY) {
    tam_chat_unload(host->chat);
    return say_and_answer(self, TAM_NAME_WORKER_RESET_COMPLETE, TAM_SPAN_NONE);
  }
  return answer_success(self);
}

// ---------------------------------------------------------------------------
// Panels

static int note_panel(const call *self) {
  const tam_panel_host *host = self->host;
  tam_span sender = sender_of(self);
  if (sender.len == 0) {
    return refuse(self, "senderId: expected a string");
  }
  switch (self->message->panel->action) {
  case TAM_PANEL_CONNECTED:
    tam_panels_connect(host->panels, sender,
                       tam_json_get_string(param(self, "context")),
                       host->now_ms);
    break;
  case TAM_PANEL_DISCONNECTED:
    tam_panels_disconnect(host->panels, sender, host->now_ms);
    break;
  default:
    tam_panels_pong(host->panels, sender, host->now_ms);
    break;
  }
  return answer_success(self);
}

// Reads a time span: null is never, none leaves it at |*pms|.
static int read_ms(const call *self, const char *name, double *pms) {
  const tam_json_node *node = param(self, name);
  double ms = tam_json_get_number(node);
  switch (tam_json_get_kind(node)) {
  case TAM_JSON_KIND_MISSING:
    return 1;
  case TAM_JSON_KIND_NULL:
    *pms = -1;
    return 1;
  case TAM_JSON_KIND_NUMBER:
    *pms = ms;
    return ms >= 0 && isfinite(ms);
  default:
    return 0;
  }
}

// Takes in what was remembered of popups: [[tab, popup], ...].
static void read_popups(const call *self) {
  const tam_json_node *pair = tam_json_get_first(param(self, "popups"));
  for (; pair != NULL; pair = tam_json_get_next(pair)) {
    const tam_json_node *tab = tam_json_get_first(pair);
    const tam_json_node *popup = tab == NULL ? NULL : tam_json_get_next(tab);
    if (tam_json_get_kind(tab) == TAM_JSON_KIND_NUMBER &&
        tam_json_get_kind(popup) == TAM_JSON_KIND_NUMBER) {
      tam_panels_add_popup(self->host->panels, tam_json_get_number(tab),
                           tam_json_get_number(popup));
    }
  }
}

static tam_span text_of(const tam_json_node *object, const char *key) {
  return tam_json_get_string(tam_json_get_member(object, tam_span_of(key)));
}

// Reads what was remembered of the model.
static tam_chat_wanted read_wanted(const call *self) {
  const tam_json_node *model = param(self, "model");
  return (tam_chat_wanted){
      .model = text_of(model, "modelId"),
      .dtype = text_of(model, "dtype"),
      .revision = text_of(model, "revision"),
  };
}

static int configure(const call *self) {
  tam_panels *panels = self->host->panels;
  tam_panels_times times = panels->times;
  int is_first = !panels->is_managed;
  if (!read_ms(self, "unloadAfterIdleMs", &times.idle_ms) ||
      !read_ms(self, "unloadGraceMs", &times.grace_ms) ||
      !read_ms(self, "suspendAfterMs", &times.suspend_ms)) {
    return refuse(self, "unloadAfterIdleMs, unloadGraceMs and suspendAfterMs: "
                        "expected milliseconds, or null for never");
  }
  tam_panels_configure(panels, &times, self->host->now_ms);
  read_popups(self);
  tam_chat_wanted wanted = read_wanted(self);
  tam_chat_expect(self->host->chat, &wanted);
  return is_first ? say_and_answer(self, TAM_NAME_WORKER_WORKER_ENV_READY,
                                   TAM_SPAN_NONE)
                  : answer_success(self);
}

// A popup outlives this process, but not the browser.
static int remember_popups(const call *self) {
  const tam_panels *panels = self->host->panels;
  tam_buf json;
  tam_buf_init(&json, self->host->mem, ANSWER_MAX);
  tam_json_write_object_begin(&json);
  tam_json_write_member_begin(&json, "session");
  tam_json_write_key(&json, "popups");
  tam_json_write_array_begin(&json);
  for (size_t i = 0; i < panels->popup_count; i++) {
    tam_json_write_array_begin(&json);
    tam_json_write_number(&json, panels->popups[i].tab);
    tam_json_write_number(&json, panels->popups[i].popup);
    tam_json_write_array_end(&json);
  }
  tam_json_write_array_end(&json);
  tam_json_write_object_end(&json);
  tam_json_write_object_end(&json);
  int error = json.error;
  if (error == 0) {
    error = say(self, TAM_NAME_HOST_REMEMBER, tam_buf_span(&json));
  }
  tam_buf_free(&json);
  return error;
}

static int add_popup(const call *self) {
  const tam_json_node *tab = param(self, "tabId");
  const tam_json_node *popup = param(self, "popupId");
  if (tam_json_get_kind(tab) != TAM_JSON_KIND_NUMBER ||
      tam_json_get_kind(popup) != TAM_JSON_KIND_NUMBER) {
    return refuse(self, "tabId and popupId: expected numbers");
  }
  tam_panels_add_popup(self->host->panels, tam_json_get_number(tab),
                       tam_json_get_number(popup));
  int error = remember_popups(self);
  return error != 0 ? error : answer_success(self);
}

static int answer_popup(const call *self) {
  double popup = tam_panels_popup(self->host->panels,
                                  tam_json_get_number(param(self, "tabId")));
  tam_buf json;
  answer_begin(self, &json);
  tam_json_write_key(&json, "popupId");
  if (popup < 0) {
    tam_json_write_null(&json);
  } else {
    tam_json_write_number(&json, popup);
  }
  return answer_end(self, &json);
}

// ---------------------------------------------------------------------------
// Logins

void tam_panel_write_waiting(const tam_message *message, tam_buf *json) {
  static const char *const members[][2] = {{"modelId", "modelId"},
                                           {"modelPath", "dtype"},
                                           {"task", "task"},
                                           {"loadId", "loadId"}};
  const tam_json_node *params = message->params;
  if (!message->envelope.is_panel ||
      tam_json_get_kind(tam_json_get_member(params, TAM_SPAN("modelId"))) !=
          TAM_JSON_KIND_STRING) {
    return;
  }
  tam_json_write_object_begin(json);
  tam_json_write_name_member(json, "type", TAM_NAME_WORKER_INIT);
  tam_json_write_member_begin(json, "payload");
  for (size_t i = 0; i < sizeof(members) / sizeof(members[0]); i++) {
    tam_span value = tam_json_get_string(
        tam_json_get_member(params, tam_span_of(members[i][0])));
    if (value.len > 0) {
      tam_json_write_string_member(json, members[i][1], value);
    }
  }
  tam_json_write_object_end(json);
  tam_json_write_object_end(json);
}

// ---------------------------------------------------------------------------

int tam_panel_answer(const tam_panel_host *host, const tam_message *message,
                     uint32_t op, uint32_t flags) {
  const call self = {host, message, op, flags};
  const tam_panel_request *request = message->panel;
  tam_span payload = payload_of(&self);
  switch ((tam_panel_action)request->action) {
  case TAM_PANEL_RELAY:
    return say_and_answer(&self, request->name, payload);
  case TAM_PANEL_MEMORY:
    return say_and_answer(&self, TAM_NAME_WORKER_MEMORY_STATS,
                          payload.len > 0 ? payload : TAM_SPAN("{}"));
  case TAM_PANEL_STATE:
    return answer_state(&self);
  case TAM_PANEL_READY:
    return answer_ready(&self);
  case TAM_PANEL_RESTORE:
    return restore(&self);
  case TAM_PANEL_POPUP_CREATED:
    return add_popup(&self);
  case TAM_PANEL_POPUP_OF_TAB:
    return answer_popup(&self);
  case TAM_PANEL_CONNECTED:
  case TAM_PANEL_DISCONNECTED:
  case TAM_PANEL_PONG:
    return note_panel(&self);
  case TAM_PANEL_CONFIGURE:
    return configure(&self);
  case TAM_PANEL_RELEASE:
    return release(&self);
  default:
    return answer_success(&self);
  }
}
