// SPDX-License-Identifier: Apache-2.0
// The parameters of a generation: merged from layers, checked, and reported
// back, both those that took effect and those that did not.
#ifndef TAM_CHAT_GENERATION_PARAMS_H
#define TAM_CHAT_GENERATION_PARAMS_H

#include "core/buf.h"
#include "core/json_tree.h"

// The most rows that are generated side by side. Each is a row of the model's
// caches, so memory ends long before.
#define TAM_GENERATION_ROWS_MAX 64

// Where a value comes from; a later layer wins.
typedef enum tam_params_layer {
  TAM_PARAMS_LAYER_DEFAULT = 0,
  TAM_PARAMS_LAYER_MODEL, // generation_config.json
  TAM_PARAMS_LAYER_SAVED, // saved settings
  TAM_PARAMS_LAYER_REQUEST
} tam_params_layer;

typedef enum tam_param {
#define TAM_PARAM(name, text, kind, min, max, initial, needs) TAM_PARAM_##name,
#include "chat/generation_param.def"
#undef TAM_PARAM
  TAM_PARAM_COUNT
} tam_param;

typedef enum tam_early_stopping {
  TAM_EARLY_STOPPING_FALSE = 0,
  TAM_EARLY_STOPPING_TRUE,
  TAM_EARLY_STOPPING_NEVER
} tam_early_stopping;

typedef struct tam_param_value {
  double number;
  uint32_t start; // of a list, in words
  uint32_t count; // its words
  uint8_t layer;  // a tam_params_layer
} tam_param_value;

typedef struct tam_generation_params {
  tam_param_value values[TAM_PARAM_COUNT];
  tam_buf words;    // lists: 32 bits each
  tam_buf text;     // of the stop strings
  tam_buf ignored;  // JSON objects
  uint8_t seed[16]; // of the generator of random numbers
  tam_span system;  // a setting of the prompt, used there; empty: none was
  int is_json;      // another one
} tam_generation_params;

// Some token ids; what they point to is the parameters'.
typedef struct tam_token_span {
  const int32_t *ids;
  size_t len;
} tam_token_span;

// A sequence and what is added to the logit of its last token.
typedef struct tam_biased_sequence {
  tam_token_span tokens; // one or more
  float bias;            // minus infinity bans it
} tam_biased_sequence;

// What is known of the model when the layers are complete.
typedef struct tam_generation_facts {
  size_t vocab;   // logits in a row; 0: not known yet
  int has_end;    // the model names an end token
  int is_encoder; // it has an encoder beside the decoder
} tam_generation_facts;

// Makes |self| hold the defaults of the reference. |mem| is kept.
void tam_generation_params_init(tam_generation_params *self,
                                const tam_mem *mem);
void tam_generation_params_free(tam_generation_params *self);

// Lays the members of |object| (NULL: none) over what is there; layers come in
// their order. Null is the same as not given. What cannot be honoured and
// unknown names are noted as ignored. In generation_config.json unknown names
// are normal. A wrong value there, or among saved settings, is ignored as well:
// others write those, too.
// Returns 0, OUT_OF_MEMORY, TOO_LARGE, or INVALID_PARAMS: |why| quotes name,
// value and range.
int tam_generation_params_merge(tam_generation_params *self,
                                tam_params_layer layer,
                                const tam_json_node *object, tam_buf *why);

// Resolves, after the last layer, what depends on each other: temperature 0
// turns sampling off, max_new_tokens stands over max_length (unless that comes
// from a later layer), and what has no meaning in the chosen mode goes back to
// its default and is noted as ignored when it was set to something else.
// Returns 0, OUT_OF_MEMORY, TOO_LARGE or INVALID_PARAMS, as above.
int tam_generation_params_settle(tam_generation_params *self,
                                 const tam_generation_facts *facts,
                                 tam_buf *why);

// Sets the seed unless a layer gave one: the host's random bytes.
void tam_generation_params_set_seed(tam_generation_params *self,
                                    const uint8_t seed[16]);

// Returns the value of a number, a bool (0 or 1), an id (-1: none) or
// early_stopping.
double tam_generation_params_get(const tam_generation_params *self,
                                 tam_param param);

// Returns 1 when a layer gave |param| and it was not ignored.
int tam_generation_params_is_given(const tam_generation_params *self,
                                   tam_param param);

// Returns the value of a list of ids, empty when there is none.
tam_token_span tam_generation_params_ids(const tam_generation_params *self,
                                         tam_param param);

// Returns the end tokens: those of the parameters, else the model's. A request
// may say that there are none; an empty list in generation_config.json says
// nothing.
tam_token_span tam_generation_params_eos(const tam_generation_params *self,
                                         tam_token_span model);

// Gives the sequence of SEQUENCE_BIAS, LOGIT_BIAS or BAD_WORDS_IDS at |*pat|,
// which begins with 0, and moves on. Returns 0 when there is no further one.
int tam_generation_params_next_sequence(const tam_generation_params *self,
                                        tam_param param, size_t *pat,
                                        tam_biased_sequence *sequence);

// Returns the number of stop strings, and one of them.
size_t tam_generation_params_stop_count(const tam_generation_params *self);
tam_span tam_generation_params_stop(const tam_generation_params *self,
                                    size_t i);

// Stores start and factor of exponential_decay_length_penalty; returns 0 when
// it is not given.
int tam_generation_params_decay(const tam_generation_params *self,
                                double *pstart, double *pfactor);

// Says what became of the settings of the prompt: |is_json|, and the system
// prompt |system|, which is kept, not copied. |unused|: why it was not used;
// NULL: it was. Errors show in write_ignored.
void tam_generation_params_note_prompt(tam_generation_params *self, int is_json,
                                       tam_span system, const char *unused);

// Writes the object of what took effect: everything given and not ignored, and
// the defaults that matter. Call after tam_generation_params_settle.
void tam_generation_params_write_effective(const tam_generation_params *self,
                                           tam_buf *json);

// Writes the list of what did not: [{"name":...,"reason":...}].
void tam_generation_params_write_ignored(const tam_generation_params *self,
                                         tam_buf *json);

#endif // TAM_CHAT_GENERATION_PARAMS_H
