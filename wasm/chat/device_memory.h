// SPDX-License-Identifier: Apache-2.0
// What this machine could not do: the rungs of the ladder of devices on which a
// model failed, kept in the store. What is known counts only for the very
// machine (the versions of browser and package, the driver), so an update gives
// every device another chance:
//
//   {"machine":m, "failed":{"<model> <dtype> <rung>":<why>, ...}}
#ifndef TAM_CHAT_DEVICE_MEMORY_H
#define TAM_CHAT_DEVICE_MEMORY_H

#include "core/buf.h"
#include "core/json_tree.h"

// Under this name it lies among the settings.
#define TAM_DEVICE_MEMORY_ID "tabagent:devices"

// The most failures that are kept. Beyond it all are forgotten: nobody has as
// many models.
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

// Appends the merge patch (RFC 7386) that notes about each rung why it has
// failed now; one without a reason is left as it is, but |works|, which is
// taken for good. Errors show in |json|.
void tam_device_memory_write_patch(const tam_json_node *memory,
                                   const tam_device_case *what,
                                   const tam_span reasons[TAM_RUNG_COUNT],
                                   tam_rung works, tam_buf *json);

#endif // TAM_CHAT_DEVICE_MEMORY_H
