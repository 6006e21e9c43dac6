// SPDX-License-Identifier: Apache-2.0
// The table of generation_param.def and what reading (generation_params.c) and
// reporting (generation_report.c) share. Not for others.
#ifndef TAM_CHAT_GENERATION_RULES_H
#define TAM_CHAT_GENERATION_RULES_H

#include "chat/generation_params.h"

typedef enum tam_param_kind {
  TAM_PARAM_KIND_BOOL = 0,
  TAM_PARAM_KIND_NUMBER,        // from min to max
  TAM_PARAM_KIND_ABOVE,         // above min, to max
  TAM_PARAM_KIND_BELOW,         // from min, below max
  TAM_PARAM_KIND_COUNT,         // a whole number from min to max
  TAM_PARAM_KIND_ID,            // a token
  TAM_PARAM_KIND_IDS,           // a token or a list of them
  TAM_PARAM_KIND_SEED,          // a whole number or sixteen bytes
  TAM_PARAM_KIND_EARLY,         // true, false or "never"
  TAM_PARAM_KIND_SEQUENCE_BIAS, // [[[id, ...], bias], ...]
  TAM_PARAM_KIND_LOGIT_BIAS,    // {"id": bias, ...}
  TAM_PARAM_KIND_BAD_WORDS,     // [[id, ...], ...]
  TAM_PARAM_KIND_DECAY,         // [start, factor]
  TAM_PARAM_KIND_TEXTS          // a string or a list of them
} tam_param_kind;

// What must be so for a parameter to have a meaning.
typedef enum tam_param_needs {
  TAM_PARAM_NEEDS_NOTHING = 0,
  TAM_PARAM_NEEDS_SAMPLE,
  TAM_PARAM_NEEDS_BEAMS,
  TAM_PARAM_NEEDS_GROUPS,
  TAM_PARAM_NEEDS_END,
  TAM_PARAM_NEEDS_ENCODER,
  TAM_PARAM_NEEDS_NO_ENCODER
} tam_param_needs;

typedef struct tam_param_rule {
  float min;
  float max;
  float initial;
  uint8_t kind;  // a tam_param_kind
  uint8_t needs; // a tam_param_needs
} tam_param_rule;

// The largest finite number, and the largest count and id.
#define TAM_PARAM_ANY  3.402823466e38F
#define TAM_PARAM_MANY 16777216.0F

// In the order of tam_param; the names as in core/names.h.
extern const tam_param_rule tam_param_rules[TAM_PARAM_COUNT];
extern const char tam_param_names[];

// The parameters whose names the text of |param| is said by.
const char *tam_param_name(tam_param param);

// Notes |name| as ignored.
void tam_generation_ignore(tam_generation_params *self, tam_span name,
                           const char *reason);

// Appends |value| with the fewest digits that read back as the same number.
void tam_generation_append_number(tam_buf *buf, double value);

// Appends what |rule| allows: "a number from 0 to 1".
void tam_generation_append_range(tam_buf *buf, const tam_param_rule *rule);

#endif // TAM_CHAT_GENERATION_RULES_H
