// SPDX-License-Identifier: Apache-2.0
// The few facts of a model's configuration that decide its class. They come
// from the "config" field of a listing row or from a config.json.
#ifndef TAM_HUB_CONFIG_DIGEST_H
#define TAM_HUB_CONFIG_DIGEST_H

#include "tam.h"

// Architectures kept per model; real configurations name one, rarely two.
#define TAM_ARCHITECTURES_MAX 4

// The longest model_type or architecture kept, in bytes; longer ones are
// treated as absent (the longest real one has 60).
#define TAM_CONFIG_NAME_MAX 128

// What auto_map says about custom code.
#define TAM_AUTO_MAP_PRESENT   0x01U
#define TAM_AUTO_MAP_CAUSAL_LM 0x02U // AutoModelForCausalLM
#define TAM_AUTO_MAP_SEQ2SEQ   0x04U // AutoModelForSeq2SeqLM

typedef struct tam_config_digest {
  int present;         // 1 when there is a configuration object at all
  tam_span model_type; // empty when absent
  tam_span architectures[TAM_ARCHITECTURES_MAX];
  size_t architecture_count;
  unsigned auto_map; // TAM_AUTO_MAP_ bits
  int is_decoder;    // config.is_decoder is true
  // The nested text_config of multimodal models.
  tam_span text_model_type;
  tam_span text_architecture; // the first one
} tam_config_digest;

#endif // TAM_HUB_CONFIG_DIGEST_H
