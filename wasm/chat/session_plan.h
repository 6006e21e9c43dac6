// SPDX-License-Identifier: Apache-2.0
// What the inputs and outputs of a session mean, decided by what the session
// says about itself: names, element types, ranks and dimensions. The type of
// the model plays no part.
//
// What feeds a session is of two kinds. Values that the core makes for each run
// (tokens, masks, positions, switches) are the feeds. Everything else is kept
// by the host between runs, under the name of the input that takes it: caches,
// and what an earlier session of the model computes.
#ifndef TAM_CHAT_SESSION_PLAN_H
#define TAM_CHAT_SESSION_PLAN_H

#include "chat/session_cache.h"
#include "core/buf.h"

// What a graph is for, in the order in which they run.
typedef enum tam_session_role {
  TAM_SESSION_ENCODER = 0, // input_ids to encoder_hidden_states
  TAM_SESSION_EMBEDDING,   // input_ids to inputs_embeds
  TAM_SESSION_DECODER      // to logits
} tam_session_role;

// What a feed is. Dimensions: b rows, s new tokens, t tokens with those of the
// cache, e tokens that the encoder has read.
typedef enum tam_feed_meaning {
  TAM_FEED_IDS = 0,        // [b, s]
  TAM_FEED_MASK,           // [b, t]: 1 for a token, 0 for padding
  TAM_FEED_POSITIONS,      // [b, s], or [planes, b, s] where planes is not 0
  TAM_FEED_LOGITS_TO_KEEP, // a number, or [1] where rank is 1: 1, 0 for all
  TAM_FEED_CACHE_BRANCH,   // bool, [1]: the cache is not empty
  TAM_FEED_ENCODER_MASK    // [b, e], all 1
} tam_feed_meaning;

typedef struct tam_session_feed {
  tam_span name;
  tam_feed_meaning meaning;
  tam_element element;
  uint32_t rank;
  uint32_t planes; // of positions, equal ones for text; 0: there are none
} tam_session_feed;

typedef struct tam_session_facts {
  // The output that the session is for.
  tam_span output;
  tam_element element; // of it: float32 or float16
  uint32_t vocab;      // entries of a row of logits; 0: not told
  int can_cut;         // every cache that grows can be cut, and all of them do
  int can_gather;      // rows of all caches can be picked: beams are possible
  uint32_t rows;       // that a run must have; 0: any
  uint32_t tokens;     // new ones that a run must have, 1 or 0: any
} tam_session_facts;

typedef struct tam_session_plan tam_session_plan;

// Reads |metadata|, {"inputs":[{"name","type","shape":[number|string,...]},
// ...],"outputs":[...]}, of a session that is used as |role|. |sizes| and
// |metadata| are not needed afterwards; |mem| is kept. Errors: those of
// tam_json_tree_parse; UNEXPECTED_SHAPE (it is other JSON); UNSUPPORTED_GRAPH,
// and |*problem| gets a sentence that names the input or output that is not
// understood; OUT_OF_MEMORY.
int tam_session_plan_new(tam_session_plan **pself, tam_span metadata,
                         tam_session_role role, const tam_session_sizes *sizes,
                         tam_buf *problem, const tam_mem *mem);
void tam_session_plan_del(tam_session_plan *self);

// What these return is valid until |self| is deleted; NULL beyond the last one.
const tam_session_facts *
tam_session_plan_get_facts(const tam_session_plan *self);
const tam_session_feed *tam_session_plan_get_feed(const tam_session_plan *self,
                                                  size_t place);
const tam_session_cache *
tam_session_plan_get_cache(const tam_session_plan *self, size_t place);

// Write JSON for the host. Errors show in |json|.

// The empty caches of |rows| rows: [{"name","type","dims"},...].
void tam_session_plan_write_cache(const tam_session_plan *self, uint32_t rows,
                                  tam_buf *json);

// Which outputs of a run are kept as which inputs: {output:input,...}. With
// |is_first|, the cache is empty before the run: only then does an encoder's
// part of the cache come out. Of a session that is no decoder, its output.
void tam_session_plan_write_keep(const tam_session_plan *self, int is_first,
                                 tam_buf *json);

// The axis of the sequence of each cache that can be cut, and the axis of the
// rows of each cache: {input:axis,...}.
void tam_session_plan_write_cut_axes(const tam_session_plan *self,
                                     tam_buf *json);
void tam_session_plan_write_gather_axes(const tam_session_plan *self,
                                        tam_buf *json);

#endif // TAM_CHAT_SESSION_PLAN_H
