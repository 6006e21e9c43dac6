// SPDX-License-Identifier: Apache-2.0
// Which panels are open, and what follows from it: a panel that is gone without
// a word is noticed, a model that nobody needs is released, a host that is
// needed is kept, and one that has nothing left to do may close.
//
//   a panel opens or answers a ping -> it is there
//   it closes, or one that answers pings stays silent for 5 s -> it is gone
//   nothing runs, for unloadAfterIdleMs -> the model goes
//   nothing runs, and no panel is there, for unloadGraceMs -> the model goes,
//   and "tabagent:idle" says that the host may close
//   something runs, or a model is there, and the platform ends a host that it
//   takes for idle -> "tabagent:busy" says in time that it is not
//
// Nothing of this happens before somebody has configured it or a panel has
// connected: a page that uses the product by itself is left alone.
#ifndef TAM_PROTOCOL_PANELS_H
#define TAM_PROTOCOL_PANELS_H

#include "core/action_queue.h"

// The most panels: one for each window, and popups.
#define TAM_PANELS_MAX 64

// The most popups whose tab is remembered; then the oldest is forgotten.
#define TAM_PANELS_POPUPS_MAX 64

#define TAM_PANELS_PING_MS 120000.0
#define TAM_PANELS_PONG_MS 5000.0

// Somebody who reads for a quarter of an hour has finished; a panel is opened
// again within a minute when it was closed by mistake.
#define TAM_PANELS_IDLE_MS  900000.0
#define TAM_PANELS_GRACE_MS 60000.0

// How often "tabagent:busy" is said: three times before the host would be
// ended, for timers and messages are late on a machine that computes; but no
// more than ten times a second, whatever the platform is said to do.
#define TAM_PANELS_BUSY_PARTS  3
#define TAM_PANELS_BUSY_MIN_MS 100.0

// Milliseconds; -1: never.
typedef struct tam_panels_times {
  double idle_ms;    // without a request, until the model goes
  double grace_ms;   // without a panel, until it goes
  double suspend_ms; // without a sign, until the platform ends the host
} tam_panels_times;

typedef struct tam_panel_entry {
  uint64_t id;     // a hash of the sender's
  uint8_t answers; // pings are for it, and ...
  uint8_t is_late; // ... it has not answered the last one
} tam_panel_entry;

typedef struct tam_panel_popup {
  double tab;
  double popup;
} tam_panel_popup;

typedef struct tam_panels {
  tam_action_queue *queue;
  tam_panel_entry list[TAM_PANELS_MAX];
  size_t count;
  tam_panel_popup popups[TAM_PANELS_POPUPS_MAX]; // the newest last
  size_t popup_count;
  tam_panels_times times;
  // Times; -1: none.
  double ping_at_ms;  // when the next ping is due
  double pong_at_ms;  // when the last one is to be answered
  double gone_ms;     // since when there is no panel
  double rest_ms;     // since when nothing runs
  double busy_at_ms;  // before it, "tabagent:busy" need not be said again
  uint8_t is_managed; // see above
  uint8_t is_loaded;  // as told last
  uint8_t is_needed;  // something runs, or a model is there
  uint8_t has_said_idle;
} tam_panels;

void tam_panels_init(tam_panels *self, tam_action_queue *queue);

// The panel |sender| is there. One of the context "MainUI" answers pings;
// others do once they have.
void tam_panels_connect(tam_panels *self, tam_span sender, tam_span context,
                        double now_ms);
void tam_panels_disconnect(tam_panels *self, tam_span sender, double now_ms);
void tam_panels_pong(tam_panels *self, tam_span sender, double now_ms);

// Begins to manage, with |times|, and asks who is there.
void tam_panels_configure(tam_panels *self, const tam_panels_times *times,
                          double now_ms);

// Takes in what is going on: whether anything runs, and whether a model is
// loaded. Pings, and says when the host is needed and when it may close.
// Returns 1 when the model is to be released; it is taken for released then. A
// message for which there is no memory is not sent.
int tam_panels_advance(tam_panels *self, int is_busy, int is_loaded,
                       double now_ms);

// Returns when advance has something to do, or -1.
double tam_panels_deadline(const tam_panels *self);

// Notes that |popup| belongs to |tab|; returns the popup of |tab|, or -1.
void tam_panels_add_popup(tam_panels *self, double tab, double popup);
double tam_panels_popup(const tam_panels *self, double tab);

#endif // TAM_PROTOCOL_PANELS_H
