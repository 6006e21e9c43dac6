// SPDX-License-Identifier: Apache-2.0
// A tensor that goes from one run of a session to the next: what it is, by its
// name, and how large it is when it is empty.
//
// Axes are found by the names of dimensions where these say something
// ("past_sequence_length"), else by the place that exporters give them.
// Dimensions that are numbers stay as they are.
#ifndef TAM_CHAT_SESSION_CACHE_H
#define TAM_CHAT_SESSION_CACHE_H

#include "chat/session_value.h"

typedef enum tam_cache_kind {
  TAM_CACHE_KV = 0,    // keys or values: grows with the sequence
  TAM_CACHE_ENCODER,   // the same of the encoder: computed once
  TAM_CACHE_CONV,      // the last inputs of a convolution
  TAM_CACHE_SSM,       // the state of a state space layer
  TAM_CACHE_RECURRENT, // the state of a linear attention
  TAM_CACHE_OTHER      // a state of another kind
} tam_cache_kind;

// A tensor that goes from one run to the next.
typedef struct tam_session_cache {
  tam_span input;
  tam_span output; // that becomes the input
  tam_cache_kind kind;
  tam_element element;
  uint32_t rank;
  // Of the empty cache of one row.
  uint32_t dims[TAM_SESSION_RANK_MAX];
  uint32_t batch_axis;
  int has_head_rows; // a row is that of a head: rows cannot be picked
  int sequence_axis; // -1: it is a state, which cannot be cut
} tam_session_cache;

// Sizes from the model's configuration, for dimensions that the session does
// not tell; 0 where the configuration says nothing.
typedef struct tam_session_sizes {
  uint32_t kv_heads;
  uint32_t head_dim;
  uint32_t encoder_heads; // of keys and values of an encoder; 0: as above
  uint32_t encoder_head_dim;
  uint32_t conv_channels;
  uint32_t conv_kernel;
  uint32_t ssm_heads;
  uint32_t ssm_head_dim;
  uint32_t ssm_state;
  uint32_t recurrent_heads;
  uint32_t recurrent_key_dim;
  uint32_t recurrent_value_dim;
} tam_session_sizes;

// Returns 1 when the output |name| is the |input| of the next run.
int tam_session_cache_is_present(tam_span name, tam_span input);

// Fills in |cache|, which goes in as |input| and comes out as |output|; the
// texts stay those of the two. Returns NULL, or what is wrong with the input,
// as the end of a sentence.
const char *tam_session_cache_read(tam_session_cache *cache,
                                   const tam_session_value *input,
                                   tam_span output,
                                   const tam_session_sizes *sizes);

#endif // TAM_CHAT_SESSION_CACHE_H
