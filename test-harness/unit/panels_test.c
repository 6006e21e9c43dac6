// SPDX-License-Identifier: Apache-2.0
// Who is there, and what follows from it: every rule of protocol/panels.h with
// times of its own.
#include "protocol/panels.h"

#include "check.h"

typedef struct world {
  check_heap heap;
  tam_mem mem;
  tam_action_queue queue;
  tam_panels panels;
  int is_busy;
  int is_loaded;
  double now_ms;
  unsigned pings;
  unsigned idles;
  unsigned busies;
} world;

static void begin(world *self) {
  memset(self, 0, sizeof(*self));
  self->mem = check_heap_mem(&self->heap);
  self->now_ms = 1e6;
  tam_action_queue_init(&self->queue, &self->mem);
  tam_panels_init(&self->panels, &self->queue);
}

static void end(world *self) {
  tam_action_queue_free(&self->queue);
  CHECK_INT(self->heap.live, 0);
}

// Counts what was said, and holds it to its shape.
static void drain(world *self) {
  const tam_action *action;
  while ((action = tam_action_queue_pop(&self->queue)) != NULL) {
    CHECK_INT(action->kind, TAM_ACTION_MESSAGE);
    CHECK_INT(action->op, 0);
    if (action->flags == TAM_MESSAGE_FLAG_CHANNEL) {
      char ping[256];
      snprintf(ping, sizeof(ping),
               "{\"type\":\"uiPing\",\"protocolVersion\":1,\"senderId\":"
               "\"background\",\"timestamp\":%.0f,\"payload\":{\"timestamp\":"
               "%.0f}}",
               self->now_ms, self->now_ms);
      CHECK(tam_span_eq(action->first, tam_span_of(ping)));
      self->pings++;
    } else if (tam_span_is(
                   action->first,
                   "{\"type\":\"tabagent:busy\",\"protocolVersion\":1}")) {
      CHECK_INT(action->flags, 0);
      self->busies++;
    } else {
      CHECK_INT(action->flags, 0);
      CHECK_SPAN(action->first,
                 "{\"type\":\"tabagent:idle\",\"protocolVersion\":1}");
      self->idles++;
    }
  }
}

// Lets |ms| pass. Returns whether the model is released.
static int pass(world *self, double ms) {
  self->now_ms += ms;
  int unloads = tam_panels_advance(&self->panels, self->is_busy,
                                   self->is_loaded, self->now_ms);
  self->is_loaded = self->is_loaded && !unloads;
  drain(self);
  return unloads;
}

// How long it is until something is due; -1: nothing is.
static double left(const world *self) {
  double at_ms = tam_panels_deadline(&self->panels);
  return at_ms < 0 ? -1 : at_ms - self->now_ms;
}

static void configure(world *self, double idle_ms, double grace_ms,
                      double suspend_ms) {
  const tam_panels_times times = {idle_ms, grace_ms, suspend_ms};
  tam_panels_configure(&self->panels, &times, self->now_ms);
  drain(self);
}

static void connect(world *self, const char *name, const char *context) {
  tam_panels_connect(&self->panels, tam_span_of(name), tam_span_of(context),
                     self->now_ms);
}

static void disconnect(world *self, const char *name) {
  tam_panels_disconnect(&self->panels, tam_span_of(name), self->now_ms);
}

static void pong(world *self, const char *name) {
  tam_panels_pong(&self->panels, tam_span_of(name), self->now_ms);
}

static void test_nobody_is_watched_unasked(void) {
  world self;
  begin(&self);
  self.is_loaded = 1;
  CHECK_INT(pass(&self, 1e9), 0);
  CHECK_INT(left(&self), -1);
  CHECK_INT(self.pings + self.idles + self.busies, 0);
  end(&self);
}

static void test_pings(void) {
  world self;
  begin(&self);
  connect(&self, "a", "MainUI");
  connect(&self, "b", "MainUI");
  (void)pass(&self, 0);
  CHECK_INT(left(&self), 120000);
  (void)pass(&self, 119999);
  CHECK_INT(self.pings, 0);
  (void)pass(&self, 1);
  CHECK_INT(self.pings, 1);
  CHECK_INT(left(&self), 5000);
  pong(&self, "a");
  (void)pass(&self, 4999);
  CHECK_INT(self.panels.count, 2);
  (void)pass(&self, 1);
  CHECK_INT(self.panels.count, 1); // b said nothing
  CHECK_INT(left(&self), 115000);
  (void)pass(&self, 115000);
  CHECK_INT(self.pings, 2);
  (void)pass(&self, 5000);
  CHECK_INT(self.panels.count, 0);
  end(&self);
}

// A popup never answers: it is there until it says goodbye.
static void test_popup(void) {
  world self;
  begin(&self);
  connect(&self, "popup", "MainUIPopup");
  self.is_loaded = 1;
  (void)pass(&self, 0);
  CHECK_INT(left(&self), TAM_PANELS_IDLE_MS);
  CHECK_INT(pass(&self, 600000), 0);
  CHECK_INT(self.pings, 0);
  pong(&self, "popup"); // this one does
  (void)pass(&self, 120000);
  CHECK_INT(self.pings, 1);
  pong(&self, "popup");
  (void)pass(&self, 5000);
  CHECK_INT(self.panels.count, 1);
  disconnect(&self, "popup");
  disconnect(&self, "popup");
  CHECK_INT(self.panels.count, 0);
  end(&self);
}

// The grace begins when the last one goes; whoever comes back ends it.
static void test_grace(void) {
  world self;
  begin(&self);
  self.is_loaded = 1;
  connect(&self, "a", "MainUI");
  connect(&self, "b", "MainUI");
  disconnect(&self, "a");
  CHECK_INT(pass(&self, 70000), 0);
  disconnect(&self, "b");
  CHECK_INT(pass(&self, 0), 0);
  CHECK_INT(left(&self), 60000);
  CHECK_INT(pass(&self, 59999), 0);
  connect(&self, "a", "MainUI");
  CHECK_INT(pass(&self, 1), 0);
  disconnect(&self, "a");
  CHECK_INT(pass(&self, 59999), 0);
  CHECK_INT(self.idles, 0);
  CHECK_INT(pass(&self, 1), 1);
  CHECK_INT(self.idles, 1);
  CHECK_INT(left(&self), -1); // 0 % CPU
  CHECK_INT(pass(&self, 1e9), 0);
  CHECK_INT(self.idles, 1);
  end(&self);
}

static void test_never_while_a_job_runs(void) {
  world self;
  begin(&self);
  self.is_loaded = 1;
  self.is_busy = 1;
  connect(&self, "a", "MainUI");
  disconnect(&self, "a");
  CHECK_INT(pass(&self, 1e9), 0);
  CHECK_INT(left(&self), -1);
  self.is_busy = 0;
  CHECK_INT(pass(&self, 0), 0);
  CHECK_INT(left(&self), 60000); // since it has ended
  CHECK_INT(pass(&self, 30000), 0);
  self.is_busy = 1;
  CHECK_INT(pass(&self, 20000), 0);
  self.is_busy = 0;
  CHECK_INT(pass(&self, 59999), 0);
  CHECK_INT(pass(&self, 1), 0);
  CHECK_INT(pass(&self, 59999), 1);
  end(&self);
}

static void test_idle_with_a_panel(void) {
  world self;
  begin(&self);
  connect(&self, "popup", "MainUIPopup");
  self.is_loaded = 1;
  CHECK_INT(pass(&self, 0), 0);
  CHECK_INT(pass(&self, TAM_PANELS_IDLE_MS - 1), 0);
  CHECK_INT(pass(&self, 1), 1);
  CHECK_INT(self.idles, 0); // somebody is there
  CHECK_INT(left(&self), -1);
  end(&self);
}

static void test_settings(void) {
  world self;
  begin(&self);
  configure(&self, 1000, 10, -1);
  CHECK_INT(self.pings, 1); // who is there?
  configure(&self, 2000, 10, -1);
  CHECK_INT(self.pings, 1);
  (void)pass(&self, 0);
  CHECK_INT(left(&self), 10);
  (void)pass(&self, 10);
  CHECK_INT(self.idles, 1);
  pong(&self, "a"); // somebody was there before we came
  self.is_loaded = 1;
  CHECK_INT(pass(&self, 0), 0);
  CHECK_INT(self.panels.count, 1);
  CHECK_INT(pass(&self, 1989), 0); // nothing runs since 10 ms before
  CHECK_INT(pass(&self, 1), 1);
  end(&self);
}

static void test_never(void) {
  world self;
  begin(&self);
  configure(&self, -1, -1, -1);
  self.is_loaded = 1;
  (void)pass(&self, 5000);
  CHECK_INT(left(&self), -1);
  CHECK_INT(pass(&self, 1e9), 0);
  CHECK_INT(self.idles, 0);
  end(&self);
}

// Where the platform ends a host that gives no sign, it gives one: while
// something runs, and while a model waits for its next question.
static void test_busy(void) {
  world self;
  begin(&self);
  configure(&self, -1, -1, 3000);
  (void)pass(&self, TAM_PANELS_PONG_MS); // who is there has said so
  CHECK_INT(left(&self), -1);            // nobody needs it
  CHECK_INT(self.busies, 0);
  self.is_busy = 1;
  (void)pass(&self, 0);
  CHECK_INT(self.busies, 1); // for the platform may be about to end it
  CHECK_INT(left(&self), 1000);
  (void)pass(&self, 999);
  CHECK_INT(self.busies, 1);
  (void)pass(&self, 1);
  CHECK_INT(self.busies, 2);
  self.is_busy = 0;
  self.is_loaded = 1;
  (void)pass(&self, 1000);
  CHECK_INT(self.busies, 3);
  self.is_loaded = 0;
  (void)pass(&self, 0);
  CHECK_INT(left(&self), -1);
  (void)pass(&self, 1e9);
  CHECK_INT(self.busies, 3);
  end(&self);
}

// Many short requests are one reason to stay.
static void test_busy_is_not_said_for_each_request(void) {
  world self;
  begin(&self);
  configure(&self, -1, -1, 3000);
  for (int i = 0; i < 50; i++) {
    self.is_busy = 1;
    (void)pass(&self, 10);
    self.is_busy = 0;
    (void)pass(&self, 10);
  }
  CHECK_INT(self.busies, 1); // in a second
  configure(&self, -1, -1, 0);
  self.is_busy = 1;
  (void)pass(&self, 10);
  CHECK_INT(self.busies, 2);
  CHECK_INT(left(&self), TAM_PANELS_BUSY_MIN_MS);
  end(&self);
}

// A model that is released is no reason to stay.
static void test_busy_until_the_model_goes(void) {
  world self;
  begin(&self);
  configure(&self, 4000, 2000, 3000);
  (void)pass(&self, TAM_PANELS_PONG_MS);
  self.is_loaded = 1;
  connect(&self, "popup", "MainUIPopup");
  self.is_busy = 1; // it has just been loaded
  (void)pass(&self, 0);
  self.is_busy = 0;
  (void)pass(&self, 0);
  self.busies = 0;
  for (int i = 1; i < 4; i++) {
    CHECK_INT(pass(&self, 1000), 0);
  }
  CHECK_INT(self.busies, 3);
  CHECK_INT(pass(&self, 1000), 1);
  CHECK_INT(self.busies, 3);
  CHECK_INT(left(&self), -1);
  end(&self);
}

static void test_many(void) {
  world self;
  begin(&self);
  char name[32];
  for (int i = 0; i < 2 * TAM_PANELS_MAX; i++) {
    snprintf(name, sizeof(name), "sidepanel-%d", i);
    connect(&self, name, "MainUI");
  }
  CHECK_INT(self.panels.count, TAM_PANELS_MAX);
  for (int i = 0; i < 2 * TAM_PANELS_MAX; i++) {
    snprintf(name, sizeof(name), "sidepanel-%d", i);
    disconnect(&self, name);
  }
  CHECK_INT(self.panels.count, 0);
  end(&self);
}

static void test_open_and_close_leaves_nothing(void) {
  world self;
  begin(&self);
  for (int i = 0; i < 200; i++) {
    connect(&self, "a", "MainUI");
    (void)pass(&self, 1000);
    disconnect(&self, "a");
    (void)pass(&self, 1000);
  }
  CHECK_INT(self.panels.count, 0);
  CHECK_INT(self.pings, 0);
  CHECK_INT(self.heap.live, 0);
  end(&self);
}

static void test_popups(void) {
  world self;
  begin(&self);
  CHECK_INT(tam_panels_popup(&self.panels, 7), -1);
  for (int i = 0; i <= TAM_PANELS_POPUPS_MAX; i++) {
    tam_panels_add_popup(&self.panels, i, 100 + i);
  }
  CHECK_INT(tam_panels_popup(&self.panels, 0), -1); // the oldest
  CHECK_INT(tam_panels_popup(&self.panels, 1), 101);
  tam_panels_add_popup(&self.panels, 1, 500);
  tam_panels_add_popup(&self.panels, 900, 501);
  CHECK_INT(tam_panels_popup(&self.panels, 1), 500);
  CHECK_INT(tam_panels_popup(&self.panels, 2), -1);
  CHECK_INT(tam_panels_popup(&self.panels, 900), 501);
  CHECK_INT(tam_panels_popup(&self.panels, TAM_PANELS_POPUPS_MAX),
            100 + TAM_PANELS_POPUPS_MAX);
  end(&self);
}

// A ping that could not be sent makes nobody late.
static void test_memory_may_be_short(void) {
  world self;
  begin(&self);
  connect(&self, "a", "MainUI");
  (void)pass(&self, 0);
  self.heap.fail_at = 1;
  self.heap.fail_after = 1;
  (void)pass(&self, 120000);
  CHECK_INT(self.pings, 0);
  (void)pass(&self, 5000);
  CHECK_INT(self.panels.count, 1);
  self.heap.fail_at = 0;
  (void)pass(&self, 115000);
  CHECK_INT(self.pings, 1);
  end(&self);
}

int main(void) {
  RUN(test_nobody_is_watched_unasked);
  RUN(test_pings);
  RUN(test_popup);
  RUN(test_grace);
  RUN(test_never_while_a_job_runs);
  RUN(test_idle_with_a_panel);
  RUN(test_settings);
  RUN(test_never);
  RUN(test_busy);
  RUN(test_busy_is_not_said_for_each_request);
  RUN(test_busy_until_the_model_goes);
  RUN(test_many);
  RUN(test_open_and_close_leaves_nothing);
  RUN(test_popups);
  RUN(test_memory_may_be_short);
  return check_finish();
}
