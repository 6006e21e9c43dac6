// SPDX-License-Identifier: Apache-2.0
// The cheap rules that drop a row before anything is fetched for it, and the
// rank that decides which survivors are kept.
#ifndef TAM_HUB_PREFILTER_H
#define TAM_HUB_PREFILTER_H

#include "hub/listing_row.h"

// The rules in the order they are applied; the first that matches counts.
typedef enum tam_drop {
  TAM_DROP_NONE = 0,
  TAM_DROP_INVALID_ID,   // no id, or one that cannot name a repository
  TAM_DROP_DUPLICATE,    // seen before in this listing (decided by the caller)
  TAM_DROP_UNAVAILABLE,  // disabled by the Hub
  TAM_DROP_PIPELINE_TAG, // feature-extraction, fill-mask, ...
  TAM_DROP_ID_PATTERN,   // sentence-transformers/, ...
  TAM_DROP_NO_TOKENIZER,
  TAM_DROP_NO_ONNX,
  TAM_DROP_TOO_LARGE,      // more parameters than asked for
  TAM_DROP_MAX_CANDIDATES, // others outrank it (decided by the candidates)
  TAM_DROP_COUNT
} tam_drop;

typedef struct tam_prefilter {
  int require_onnx;
  double max_parameters; // -1: no cap
} tam_prefilter;

// Returns the rule that drops |row|, or TAM_DROP_NONE. What a row does not
// say is not held against it: without "siblings" the rules about files do not
// apply, without a count of parameters the cap does not. Private rows pass:
// the Hub lists them only for those who may read them.
tam_drop tam_prefilter_apply(const tam_prefilter *prefilter,
                             const tam_listing_row *row);

// The names of the rules in messages (see core/names.h), by tam_drop.
extern const char tam_drop_names[];

// Returns the preference of |pipeline_tag| among survivors, 0 being best:
// text-generation, image-text-to-text, text2text-generation, conversational,
// summarization and translation, none, any other.
unsigned tam_pipeline_preference(tam_span pipeline_tag);

#endif // TAM_HUB_PREFILTER_H
