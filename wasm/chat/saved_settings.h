// SPDX-License-Identifier: Apache-2.0
// Settings that stand between a model's own and those of a request: for all
// models, for one, or for one in one dtype; the narrower ones win.
#ifndef TAM_CHAT_SAVED_SETTINGS_H
#define TAM_CHAT_SAVED_SETTINGS_H

#include "core/buf.h"
#include "core/json_tree.h"

// The most scopes: the models that somebody keeps, in a few dtypes.
#define TAM_SAVED_SCOPES_MAX 256

// Whose settings: of all models when both are empty. A dtype is that of a
// model.
typedef struct tam_settings_scope {
  tam_span model;
  tam_span dtype;
} tam_settings_scope;

typedef struct tam_saved_settings {
  const tam_mem *mem;
  struct tam_saved_scope *first;
  size_t count;
} tam_saved_settings;

// Makes |self| empty. |mem| is kept.
void tam_saved_settings_init(tam_saved_settings *self, const tam_mem *mem);
void tam_saved_settings_free(tam_saved_settings *self);

// Returns what was saved for |scope| as the text of a JSON object, "{}" when
// nothing was. Valid until the next change.
tam_span tam_saved_settings_get(const tam_saved_settings *self,
                                tam_settings_scope scope);

// Appends to |json| what is saved for |scope| once the members of |patch|, an
// object, have been laid over it; null takes one away. Errors show in |json|.
void tam_saved_settings_write_patched(const tam_saved_settings *self,
                                      tam_settings_scope scope,
                                      const tam_json_node *patch,
                                      tam_buf *json);

// Saves |text|, a JSON object, for |scope|. Errors: OUT_OF_MEMORY, TOO_LARGE
// (the text, or too many scopes); what was saved stays then.
int tam_saved_settings_put(tam_saved_settings *self, tam_settings_scope scope,
                           tam_span text);

#endif // TAM_CHAT_SAVED_SETTINGS_H
