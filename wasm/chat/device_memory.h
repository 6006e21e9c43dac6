// SPDX-License-Identifier: Apache-2.0
// Which devices of this machine have failed with which models, kept in the
// store. Devices are ordered from best to worst, as the rungs of a ladder. A
// failure counts only for the same versions of browser, package and driver, so
// that an update gives every device another chance:
//
//   {"machine":m, "failed":{"<model> <dtype> <rung>":<why>, ...}}
#ifndef TAM_CHAT_DEVICE_MEMORY_H
#define TAM_CHAT_DEVICE_MEMORY_H

#include "core/buf.h"
#include "core/json_tree.h"

// The id of the object in the object store of the settings.
#define TAM_DEVICE_MEMORY_ID "tabagent:devices"

// The most failures that are kept. When there are more, all are forgotten:
// nobody has so many models.
#define TAM_DEVICE_MEMORY_MAX 64

// The best first.
typedef enum tam_rung {
  TAM_RUNG_WEBGPU = 0,
  TAM_RUNG_THREADS, // WebAssembly with threads
  TAM_RUNG_WASM,
  TAM_RUNG_COUNT
} tam_rung;

// Returns the name of |rung|, for people and for the store.
const char *tam_rung_name(tam_rung rung);

// What may have failed.
typedef struct tam_device_case {
  tam_span machine;
  tam_span model;
  tam_span dtype;
} tam_device_case;

// Returns why |rung| failed, as far as |memory| (the object, or NULL) knows, or
// NULL. Valid as long as |memory|.
const char *tam_device_memory_find(const tam_json_node *memory,
                                   const tam_device_case *what, tam_rung rung);

// Appends the merge patch (RFC 7386) that stores why each rung has failed now.
// A rung without a reason keeps what is stored of it, except |works|, whose
// failure is forgotten. Errors show in |json|.
void tam_device_memory_write_patch(const tam_json_node *memory,
                                   const tam_device_case *what,
                                   const tam_span reasons[TAM_RUNG_COUNT],
                                   tam_rung works, tam_buf *json);

#endif // TAM_CHAT_DEVICE_MEMORY_H
