// SPDX-License-Identifier: Apache-2.0
// One group of beams: which of the candidates of a step go on, which are
// complete, and when nothing better can come. As the Python reference since its
// fifth version does it.
#ifndef TAM_CHAT_BEAM_SEARCH_H
#define TAM_CHAT_BEAM_SEARCH_H

#include "chat/generation_params.h"
#include "chat/token_history.h"

// Why a sequence ended.
typedef enum tam_end_reason {
  TAM_END_NONE = 0, // it goes on
  TAM_END_EOS,      // an end token
  TAM_END_LENGTH,   // max_length, max_new_tokens or the context
  TAM_END_TIME,     // max_time
  TAM_END_STOP,     // a stop string
  TAM_END_STOPPED   // somebody wanted it to end
} tam_end_reason;

typedef struct tam_beam_search_setup {
  size_t beams;
  tam_token_span eos;    // kept
  double length_penalty; // above 0 favours long sequences
  tam_early_stopping early_stopping;
  size_t max_new; // tokens of the longest answer
  int32_t pad;    // what a dead beam is continued with
} tam_beam_search_setup;

// A beam and a token that may follow it.
typedef struct tam_beam_candidate {
  double score; // logarithm of the probability of the whole answer
  double rank;  // what it is chosen by: the score, or one with luck in it
  int32_t token;
  uint32_t parent;
} tam_beam_candidate;

// A complete answer.
typedef struct tam_hypothesis {
  double score;    // by length
  int32_t *tokens; // without the prompt; NULL: none yet
  size_t len;
  tam_end_reason reason;
} tam_hypothesis;

typedef struct tam_beam_search {
  const tam_mem *mem;
  tam_beam_search_setup setup;
  size_t candidates_max;
  tam_beam_candidate *candidates; // of this step, the best rank first
  size_t candidates_len;
  double *scores;           // of the running beams; minus infinity: dead
  int32_t *tokens;          // what the last step appended to each
  uint32_t *parents;        // the beam that each continues
  tam_hypothesis *finished; // the best score first
  size_t finished_len;
  int is_improving; // a running beam may still beat a finished one
  int is_done;
} tam_beam_search;

// Whatever it returns, |self| must be freed. Returns 0 or OUT_OF_MEMORY. At
// first only beam 0 is alive: all would be continued alike.
int tam_beam_search_init(tam_beam_search *self,
                         const tam_beam_search_setup *setup,
                         const tam_mem *mem);
void tam_beam_search_free(tam_beam_search *self);

// Returns 1 when |beam| is alive.
int tam_beam_search_is_alive(const tam_beam_search *self, size_t beam);

// Offers |candidate|, whose parent is alive and whose score is the parent's and
// the logarithm of the token's probability together.
void tam_beam_search_offer(tam_beam_search *self,
                           const tam_beam_candidate *candidate);

// Chooses among what was offered; |beams| are the present histories, one for
// each. Afterwards |tokens| and |parents| say how the beams go on. Returns 1
// when the search is over, 0 when not, or OUT_OF_MEMORY.
int tam_beam_search_step(tam_beam_search *self, const tam_token_history *beams);

// Ends |beam|, whose |history| has the last token already, for |reason|.
// Returns 0 or OUT_OF_MEMORY; is_done says whether the search is over.
int tam_beam_search_end_beam(tam_beam_search *self, size_t beam,
                             const tam_token_history *history,
                             tam_end_reason reason);

// Ends all beams, which have the |histories|, for |reason|; the search is over.
// Returns 0 or OUT_OF_MEMORY.
int tam_beam_search_end(tam_beam_search *self,
                        const tam_token_history *histories,
                        tam_end_reason reason);

#endif // TAM_CHAT_BEAM_SEARCH_H
