// SPDX-License-Identifier: Apache-2.0
#include "protocol/panels.h"

#include "core/event.h"
#include "core/event_names.h"

#include <string.h>

// A message to the channel.
#define MESSAGE_MAX 512

#define SENDER "background"

void tam_panels_init(tam_panels *self, tam_action_queue *queue) {
  memset(self, 0, sizeof(*self));
  self->queue = queue;
  self->times = (tam_panels_times){TAM_PANELS_IDLE_MS, TAM_PANELS_GRACE_MS, -1};
  self->ping_at_ms = -1;
  self->pong_at_ms = -1;
  self->gone_ms = -1;
  self->rest_ms = -1;
}

static int is_due(double at_ms, double now_ms) {
  return at_ms >= 0 && now_ms >= at_ms;
}

// ---------------------------------------------------------------------------
// Who is there

static tam_panel_entry *find(tam_panels *self, tam_span sender) {
  uint64_t id = tam_span_hash(sender, 0);
  for (size_t i = 0; i < self->count; i++) {
    if (self->list[i].id == id) {
      return &self->list[i];
    }
  }
  return NULL;
}

// More than there is room for are not told apart: as long as others are there,
// nothing is lost by it.
static tam_panel_entry *add(tam_panels *self, tam_span sender) {
  tam_panel_entry *entry = find(self, sender);
  if (entry == NULL && self->count < TAM_PANELS_MAX) {
    entry = &self->list[self->count++];
    *entry = (tam_panel_entry){.id = tam_span_hash(sender, 0)};
  }
  self->is_managed = 1;
  self->has_said_idle = 0;
  self->gone_ms = -1;
  return entry;
}

static int answers_pings(const tam_panels *self) {
  int does = 0;
  for (size_t i = 0; i < self->count; i++) {
    does |= self->list[i].answers;
  }
  return does;
}

static void settle(tam_panels *self, double now_ms) {
  if (!answers_pings(self)) {
    self->ping_at_ms = -1;
  } else if (self->ping_at_ms < 0) {
    self->ping_at_ms = now_ms + TAM_PANELS_PING_MS;
  }
  if (self->count == 0 && self->gone_ms < 0) {
    self->gone_ms = now_ms;
  }
}

void tam_panels_connect(tam_panels *self, tam_span sender, tam_span context,
                        double now_ms) {
  tam_panel_entry *entry = add(self, sender);
  if (entry != NULL) {
    entry->answers |= tam_span_is(context, "MainUI") != 0;
    entry->is_late = 0;
  }
  settle(self, now_ms);
}

void tam_panels_pong(tam_panels *self, tam_span sender, double now_ms) {
  tam_panel_entry *entry = add(self, sender);
  if (entry != NULL) {
    entry->answers = 1;
    entry->is_late = 0;
  }
  settle(self, now_ms);
}

void tam_panels_disconnect(tam_panels *self, tam_span sender, double now_ms) {
  tam_panel_entry *entry = find(self, sender);
  if (entry != NULL) {
    *entry = self->list[--self->count];
    settle(self, now_ms);
  }
}

// ---------------------------------------------------------------------------
// Pings

static void send_ping(tam_panels *self, double now_ms) {
  tam_buf json;
  tam_buf_init(&json, self->queue->mem, MESSAGE_MAX);
  tam_event_begin(&json, TAM_NAME_WORKER_UI_PING);
  tam_json_write_name_member(&json, "senderId", SENDER);
  tam_json_write_number_member(&json, "timestamp", now_ms);
  tam_json_write_member_begin(&json, "payload");
  tam_json_write_number_member(&json, "timestamp", now_ms);
  tam_json_write_object_end(&json);
  if (tam_event_send(self->queue, TAM_MESSAGE_FLAG_CHANNEL, &json) != 0) {
    return; // nobody has heard it, so nobody is late
  }
  for (size_t i = 0; i < self->count; i++) {
    self->list[i].is_late = self->list[i].answers;
  }
  self->pong_at_ms = now_ms + TAM_PANELS_PONG_MS;
}

static void drop_late(tam_panels *self, double now_ms) {
  size_t kept = 0;
  for (size_t i = 0; i < self->count; i++) {
    if (!self->list[i].is_late) {
      self->list[kept++] = self->list[i];
    }
  }
  self->count = kept;
  self->pong_at_ms = -1;
  settle(self, now_ms);
}

static void ping(tam_panels *self, double now_ms) {
  if (is_due(self->pong_at_ms, now_ms)) {
    drop_late(self, now_ms);
  }
  if (is_due(self->ping_at_ms, now_ms)) {
    self->ping_at_ms = now_ms + TAM_PANELS_PING_MS;
    send_ping(self, now_ms);
  }
}

void tam_panels_configure(tam_panels *self, const tam_panels_times *times,
                          double now_ms) {
  self->times = *times;
  if (!self->is_managed) {
    self->is_managed = 1;
    send_ping(self, now_ms);
    settle(self, now_ms);
  }
}

// ---------------------------------------------------------------------------
// What nobody needs

// Returns the time |after_ms| behind |since_ms|; -1 when either is none.
static double behind(double since_ms, double after_ms) {
  return since_ms < 0 || after_ms < 0 ? -1 : since_ms + after_ms;
}

// When nothing will have run and nobody will have been there for long enough.
static double gone_at(const tam_panels *self) {
  double since_ms = self->gone_ms > self->rest_ms && self->rest_ms >= 0
                        ? self->gone_ms
                        : self->rest_ms;
  return self->gone_ms < 0 ? -1 : behind(since_ms, self->times.grace_ms);
}

static double idle_at(const tam_panels *self) {
  return behind(self->rest_ms, self->times.idle_ms);
}

static void say(tam_panels *self, const char *type) {
  tam_buf json;
  tam_buf_init(&json, self->queue->mem, MESSAGE_MAX);
  tam_event_begin(&json, type);
  (void)tam_event_send(self->queue, 0, &json);
}

// When "tabagent:busy" is due.
static double busy_at(const tam_panels *self) {
  return self->is_needed && self->times.suspend_ms >= 0 ? self->busy_at_ms : -1;
}

// What is not heard once is said again in time.
static void say_busy(tam_panels *self, double now_ms) {
  double every_ms = self->times.suspend_ms / TAM_PANELS_BUSY_PARTS;
  if (is_due(busy_at(self), now_ms)) {
    say(self, TAM_NAME_HOST_BUSY);
    self->busy_at_ms =
        now_ms +
        (every_ms > TAM_PANELS_BUSY_MIN_MS ? every_ms : TAM_PANELS_BUSY_MIN_MS);
  }
}

int tam_panels_advance(tam_panels *self, int is_busy, int is_loaded,
                       double now_ms) {
  if (!self->is_managed) {
    return 0;
  }
  self->is_loaded = is_loaded != 0;
  if (is_busy) {
    self->rest_ms = -1;
    self->has_said_idle = 0;
  } else if (self->rest_ms < 0) {
    self->rest_ms = now_ms;
  }
  ping(self, now_ms);
  int is_gone = is_due(gone_at(self), now_ms);
  int unloads = is_loaded && (is_gone || is_due(idle_at(self), now_ms));
  self->is_loaded = is_loaded && !unloads;
  self->is_needed = is_busy || self->is_loaded;
  say_busy(self, now_ms);
  if (is_gone && !self->has_said_idle) {
    // A host that does not hear it stays: nothing is lost.
    say(self, TAM_NAME_HOST_IDLE);
    self->has_said_idle = 1;
  }
  return unloads;
}

static double sooner(double a_ms, double b_ms) {
  return a_ms < 0 || (b_ms >= 0 && b_ms < a_ms) ? b_ms : a_ms;
}

double tam_panels_deadline(const tam_panels *self) {
  double at_ms = sooner(self->ping_at_ms, self->pong_at_ms);
  at_ms = sooner(at_ms, busy_at(self));
  if (self->is_loaded) {
    at_ms = sooner(at_ms, idle_at(self));
  }
  return self->has_said_idle ? at_ms : sooner(at_ms, gone_at(self));
}

// ---------------------------------------------------------------------------
// Popups

void tam_panels_add_popup(tam_panels *self, double tab, double popup) {
  size_t kept = 0;
  for (size_t i = 0; i < self->popup_count; i++) {
    int is_oldest = i == 0 && self->popup_count == TAM_PANELS_POPUPS_MAX;
    if (self->popups[i].tab != tab && !is_oldest) {
      self->popups[kept++] = self->popups[i];
    }
  }
  self->popups[kept] = (tam_panel_popup){tab, popup};
  self->popup_count = kept + 1;
}

double tam_panels_popup(const tam_panels *self, double tab) {
  for (size_t i = 0; i < self->popup_count; i++) {
    if (self->popups[i].tab == tab) {
      return self->popups[i].popup;
    }
  }
  return -1;
}
