// SPDX-License-Identifier: Apache-2.0
// What the class that "architectures" names puts on top of a network: listed
// by full name in model_word.def, or told by the end of its name.
#ifndef TAM_HUB_MODEL_CLASS_H
#define TAM_HUB_MODEL_CLASS_H

#include "hub/known_word.h"

// Returns the head of the class |class_name|: as listed, else as the end of
// its name tells ("...ForCausalLM"), else UNKNOWN.
tam_head tam_model_class_head(tam_span class_name);

// Returns 1 when |class_name| is listed by its full name, so that no type
// puts its head in doubt.
int tam_model_class_is_listed(tam_span class_name);

// Returns 1 when |class_name| speaks of speech, sound or music.
int tam_model_class_is_about_sound(tam_span class_name);

#endif // TAM_HUB_MODEL_CLASS_H
