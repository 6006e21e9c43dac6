// SPDX-License-Identifier: Apache-2.0
#include "hub/config_scan.h"

#include "core/mem.h"
#include "hub/config_reader.h"

struct tam_config_scan {
  const tam_mem *mem;
  tam_json_scan json;
  tam_config_digest digest;
  tam_config_reader reader;
  int is_object; // the document is an object
  int is_other;  // it is something else
  uint8_t scratch[TAM_CONFIG_NAME_MAX * TAM_JSON_ESCAPE_RATIO];
};

int tam_config_scan_new(tam_config_scan **pscan, const tam_mem *mem) {
  tam_config_scan *scan = tam_mem_malloc(mem, sizeof(*scan));
  if (scan == NULL) {
    return TAM_ERR_OUT_OF_MEMORY;
  }
  scan->mem = mem;
  tam_json_scan_init(&scan->json, scan->scratch, sizeof(scan->scratch));
  tam_config_reader_init(&scan->reader, &scan->digest);
  tam_config_scan_reset(scan);
  *pscan = scan;
  return 0;
}

void tam_config_scan_del(tam_config_scan *scan) {
  if (scan != NULL) {
    tam_mem_free(scan->mem, scan);
  }
}

void tam_config_scan_reset(tam_config_scan *scan) {
  tam_json_scan_reset(&scan->json);
  tam_config_reader_clear(&scan->reader);
  scan->is_object = 0;
  scan->is_other = 0;
}

// The first token says what the document is; of an object every further one
// but the last belongs to the reader, of anything else none counts.
static void take_token(tam_config_scan *scan, int token) {
  if (scan->is_object) {
    tam_config_reader_take(&scan->reader, &scan->json, token);
  } else if (!scan->is_other && token == TAM_JSON_OBJECT) {
    scan->is_object = 1;
    tam_config_reader_begin(&scan->reader);
  } else {
    scan->is_other = 1;
  }
}

int tam_config_scan_feed(tam_config_scan *scan, tam_span data) {
  int token;
  tam_json_scan_input(&scan->json, data);
  do {
    if (scan->is_object) {
      tam_config_reader_walk(&scan->reader, &scan->json);
    }
    token = tam_json_scan_next(&scan->json);
    if (token > 0) {
      take_token(scan, token);
    }
  } while (token > 0);
  tam_config_reader_save(&scan->reader);
  return token;
}

int tam_config_scan_end(tam_config_scan *scan, tam_config_digest *pdigest) {
  int error = tam_json_scan_end(&scan->json);
  if (error != 0) {
    return error;
  }
  if (!scan->is_object) {
    return TAM_ERR_UNEXPECTED_SHAPE;
  }
  *pdigest = scan->digest;
  return 0;
}

double tam_config_scan_offset(const tam_config_scan *scan) {
  return tam_json_scan_offset(&scan->json);
}
