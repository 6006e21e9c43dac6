// SPDX-License-Identifier: Apache-2.0
// What the parts of the host of chat_host.h share.
#ifndef TAM_TRACE_CHAT_HOST_PARTS_H
#define TAM_TRACE_CHAT_HOST_PARTS_H

#include "chat_host.h"

#include "core/json_tree.h"

// A graph of a model. The texts are JSON as the host gets it, or names.
typedef struct chat_graph {
  const char *path;
  const char *metadata;
  const char *feeds; // names, a blank behind each
  const char *ids;   // type of all feeds but switches
  const char *keep_first;
  const char *keep_later;
} chat_graph;

typedef struct chat_model {
  const char *config;
  chat_graph graphs[2];
  size_t count;
  const char *cache; // empty
  const char *cut_axes;
  const char *gather_axes;
} chat_model;

// The models, by chat_kind.
extern const chat_model chat_models[];

// What bytes are. A host has no text that is no UTF-8, so lies are none.
typedef enum chat_data {
  CHAT_DATA_BYTES = 0,
  CHAT_DATA_WHOLE, // that come in one piece
  CHAT_DATA_LOGITS,
  CHAT_DATA_TEXT
} chat_data;

// Feeds events about |order|, as far as it is alive. Lies are told here.
void chat_host_data(chat_host *host, const chat_order *order, uint32_t row,
                    tam_span bytes, chat_data data);
void chat_host_progress(chat_host *host, const chat_order *order,
                        const char *json);
void chat_host_end(chat_host *host, const chat_order *order, const char *json);
void chat_host_fail(chat_host *host, const chat_order *order,
                    const char *words);

// The answer to |order| is a thing, which is returned; it is there when the END
// was fed.
chat_thing *chat_host_make(chat_host *host, const chat_order *order,
                           fake_made kind);

// Returns the thing |request|, which must be of |kind|.
chat_thing *chat_host_thing(chat_host *host, double request, fake_made kind);
void chat_host_release(chat_thing *thing);

// Stops the program unless |kept|, or the host hears of orders that others
// caused.
void chat_host_require(const chat_host *host, int kept, const char *promise);

// Answers |order|.
void chat_host_answer(chat_host *host, const chat_order *order);

// The same for orders about sessions and caches; |root| is the order. Returns 0
// when it is of another kind.
int chat_host_answer_run(chat_host *host, const chat_order *order,
                         const tam_json_node *root);

// The member |name| of a tree, as a number or a text.
double chat_number(const tam_json_node *node, const char *name);
const char *chat_text(const tam_json_node *node, const char *name);

#endif // TAM_TRACE_CHAT_HOST_PARTS_H
