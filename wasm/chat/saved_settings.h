// SPDX-License-Identifier: Apache-2.0
// Settings that stand between a model's own and those of a request: for all
// models, for one, or for one in one dtype; the narrower ones win. They lie in
// the objects that TabAgent keeps, in its form:
//
//   {"id":"InferenceSettings", <settings>}                     of all models
//   {"repo":r, "inferenceSettings":{<settings>},               of a model
//    "quants":{<dtype>:{"inferenceSettings":{<settings>}}}}    of a dtype
//
// Among settings is "enabled", an object that says which of them are meant.
// Those of the prompt always are, and do_sample unless it says false. Where
// there is no "enabled", nothing else is.
#ifndef TAM_CHAT_SAVED_SETTINGS_H
#define TAM_CHAT_SAVED_SETTINGS_H

#include "core/buf.h"
#include "core/json_tree.h"

// Whose settings: of all models when both are empty. A dtype is that of a
// model.
typedef struct tam_settings_scope {
  tam_span model;
  tam_span dtype;
} tam_settings_scope;

// Scopes that an answer looks at, the widest first.
#define TAM_SETTINGS_SCOPES 3

// What was read of them.
typedef struct tam_saved_settings {
  tam_buf texts[TAM_SETTINGS_SCOPES]; // JSON objects: those that are meant
  tam_buf model;                      // whose they are
  tam_buf dtype;
  int is_known; // else they have to be read
  int is_stale; // somebody has changed them while they were being read
} tam_saved_settings;

// Makes |self| empty. |mem| is kept.
void tam_saved_settings_init(tam_saved_settings *self, const tam_mem *mem);
void tam_saved_settings_free(tam_saved_settings *self);

// Returns 1 when the settings for |scope| are known.
int tam_saved_settings_has(const tam_saved_settings *self,
                           tam_settings_scope scope);

// Somebody has changed them: they have to be read again.
void tam_saved_settings_forget(tam_saved_settings *self);

// They are about to be read.
void tam_saved_settings_begin(tam_saved_settings *self);

// Takes |object|, which TabAgent and we share (nothing: there is none): that of
// all models when |scope| names no model, else that of the model, which
// completes what is known. Errors: OUT_OF_MEMORY, TOO_LARGE.
int tam_saved_settings_take(tam_saved_settings *self, tam_settings_scope scope,
                            tam_span object);

// Appends the settings for |scope| that are meant to |json|, as an object.
// Errors show in |json|.
void tam_saved_settings_write(tam_span object, tam_settings_scope scope,
                              tam_buf *json);

// Appends what changes the settings, so that the members of |settings| are
// meant; null takes one away.
void tam_saved_settings_write_change(const tam_json_node *settings,
                                     tam_buf *json);

// Appends the merge patch (RFC 7386) that makes |change| for |scope| in
// |object|, as it is now.
void tam_saved_settings_write_patch(tam_span object, tam_settings_scope scope,
                                    tam_span change, tam_buf *json);

#endif // TAM_CHAT_SAVED_SETTINGS_H
