// SPDX-License-Identifier: Apache-2.0
// Any bytes as the messages of a chat and as a configuration: no crash, the
// same result in pieces and whole, what is written is JSON, and fitting it
// ends.
#include "chat/json_walk.h"
#include "chat/model_config.h"
#include "chat/prompt.h"

#include "../scan_split.h"

#define ROUNDS_MAX 1000

static int feed_prompt(void *prompt, tam_span piece) {
  return tam_prompt_feed(prompt, piece);
}

static int feed_config(void *scan, tam_span piece) {
  return tam_model_config_scan_feed(scan, piece);
}

// Counts tokens that depend on what is written, and on |wavering| alone.
static void check_fitting(tam_prompt *prompt, uint8_t wavering) {
  tam_mem mem = tam_mem_default();
  tam_buf json;
  int result;
  int rounds = 0;
  tam_buf_init(&json, &mem, 1U << 24);
  do {
    tam_buf_reset(&json);
    tam_prompt_write(prompt, &json);
    TAM_ASSERT(json.error == 0);
    TAM_ASSERT(tam_json_check(tam_buf_span(&json)) == 0);
    size_t tokens = json.len ^ (wavering & (unsigned)rounds * 37U);
    result = tam_prompt_fit(prompt, tokens, (size_t)wavering * 8);
    rounds++;
    TAM_ASSERT(rounds < ROUNDS_MAX);
  } while (result > 0);
  tam_buf_free(&json);
}

static int run_prompt(tam_span text, const uint8_t *split, unsigned options,
                      uint64_t *phash) {
  static tam_prompt prompt;
  tam_mem mem = tam_mem_default();
  tam_buf json;
  tam_prompt_setup setup = {
      .with_default = options & 1,
      .json = options >> 1 & 1,
      .policy = (tam_prompt_policy)((options >> 2) % 3),
      .with_parts = options >> 4 & 1,
  };
  tam_prompt_init(&prompt, &mem);
  int error = split != NULL ? feed_split(feed_prompt, &prompt, text, split)
                            : tam_prompt_feed(&prompt, text);
  if (error == 0) {
    error = tam_prompt_end(&prompt, &setup);
  }
  *phash = 0;
  if (error == 0) {
    tam_buf_init(&json, &mem, 1U << 24);
    tam_prompt_write(&prompt, &json);
    *phash = tam_span_hash(tam_buf_span(&json), 0);
    tam_buf_free(&json);
    check_fitting(&prompt, (uint8_t)(options >> 4));
  }
  tam_prompt_free(&prompt);
  return error;
}

static int run_config(tam_span text, const uint8_t *split, unsigned options,
                      tam_model_config *config) {
  tam_model_config_scan *scan = malloc(sizeof(*scan));
  TAM_ASSERT(scan != NULL);
  tam_model_config_init(config);
  tam_model_config_scan_init(
      scan, (options & 1) != 0 ? TAM_MODEL_CONFIG : TAM_MODEL_GENERATION,
      config);
  int error = split != NULL ? feed_split(feed_config, scan, text, split)
                            : tam_model_config_scan_feed(scan, text);
  if (error == 0) {
    error = tam_model_config_scan_end(scan);
  }
  free(scan);
  return error;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  if (size <= SPLIT_LEN) {
    return 0;
  }
  static tam_model_config whole_config;
  static tam_model_config split_config;
  static tam_model_shape shape;
  unsigned options = data[SPLIT_LEN];
  tam_span text = {data + SPLIT_LEN + 1, size - SPLIT_LEN - 1};
  uint64_t whole;
  uint64_t pieces;
  int error = run_prompt(text, NULL, options, &whole);
  TAM_ASSERT(run_prompt(text, data, options, &pieces) == error);
  TAM_ASSERT(whole == pieces);

  error = run_config(text, NULL, options, &whole_config);
  TAM_ASSERT(run_config(text, data, options, &split_config) == error);
  if (error == 0) {
    TAM_ASSERT(memcmp(&whole_config, &split_config, sizeof(whole_config)) == 0);
    tam_model_config_shape(&whole_config, &shape);
  }
  return 0;
}
