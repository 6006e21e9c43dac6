// SPDX-License-Identifier: Apache-2.0
// What may be wrong with storage, browser or manifest, as findings.
#ifndef TAM_STORE_DOCTOR_PHASE_H
#define TAM_STORE_DOCTOR_PHASE_H

#include "core/json_tree.h"
#include "store/phase.h"

// Adds a finding to those of |op|. |fix| is what to do when it is not ok.
void tam_store_write_check(tam_store_op *op, const char *check, int is_ok,
                           tam_span message, const char *fix);

// --- doctor_facts.c

// Adds the findings about |facts|, an object of the caller (see
// js-bindings/facts.js) or NULL.
void tam_store_write_facts(tam_store_op *op, const tam_json_node *facts);

#endif // TAM_STORE_DOCTOR_PHASE_H
