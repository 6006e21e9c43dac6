// SPDX-License-Identifier: Apache-2.0
// Reads the config digest out of a config.json, as its bytes arrive.
#ifndef TAM_HUB_CONFIG_SCAN_H
#define TAM_HUB_CONFIG_SCAN_H

#include "hub/config_digest.h"

typedef struct tam_config_scan tam_config_scan;

// Creates a reader. Errors: OUT_OF_MEMORY.
int tam_config_scan_new(tam_config_scan **pscan, const tam_mem *mem);
void tam_config_scan_del(tam_config_scan *scan);

// Makes the reader ready for a new document.
void tam_config_scan_reset(tam_config_scan *scan);

// Scans the next |data|. A byte order mark at the start is skipped. Returns 0
// or a sticky JSON_SYNTAX, JSON_UTF8, JSON_DEPTH.
int tam_config_scan_feed(tam_config_scan *scan, tam_span data);

// Says that the document is complete and stores its digest into |*pdigest|;
// the spans are valid until the next call with |scan|. Returns 0,
// JSON_TRUNCATED, UNEXPECTED_SHAPE (not an object) or the sticky error.
int tam_config_scan_end(tam_config_scan *scan, tam_config_digest *pdigest);

// Returns the offset in bytes at which the scan stands or failed.
double tam_config_scan_offset(const tam_config_scan *scan);

#endif // TAM_HUB_CONFIG_SCAN_H
