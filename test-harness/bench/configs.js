// SPDX-License-Identifier: Apache-2.0
// Synthetic config.json documents, pretty-printed as transformers writes them,
// about 1.3 KB each.

/** @typedef {import('./pages.js').Random} Random */

const FAMILIES = [
  ['LlamaForCausalLM', 'llama'],
  ['Qwen2ForCausalLM', 'qwen2'],
  ['Gemma2ForCausalLM', 'gemma2'],
  ['T5ForConditionalGeneration', 't5'],
  ['BertForMaskedLM', 'bert'],
];

/** @param {Random} random @param {number} max */
function upTo(random, max) {
  return Math.floor(random() * max) + 1;
}

/** @param {Random} random */
function config(random) {
  const [architecture, modelType] =
    FAMILIES[Math.floor(random() * FAMILIES.length)];
  const labels = Array.from({ length: upTo(random, 6) }, (_, i) => [
    String(i),
    `LABEL_${i}`,
  ]);
  return {
    _name_or_path: `someone/${modelType}-${upTo(random, 70)}b-instruct`,
    architectures: [architecture],
    attention_bias: false,
    attention_dropout: 0.0,
    bos_token_id: upTo(random, 128000),
    eos_token_id: upTo(random, 128000),
    head_dim: 64,
    hidden_act: 'silu',
    hidden_size: 64 * upTo(random, 64),
    id2label: Object.fromEntries(labels),
    initializer_range: 0.02,
    intermediate_size: 256 * upTo(random, 64),
    is_decoder: false,
    label2id: Object.fromEntries(labels.map(([i, label]) => [label, Number(i)])),
    layer_norm_eps: 1e-12,
    max_position_embeddings: 131072,
    mlp_bias: false,
    model_type: modelType,
    num_attention_heads: upTo(random, 64),
    num_hidden_layers: upTo(random, 64),
    num_key_value_heads: upTo(random, 16),
    pad_token_id: null,
    pretraining_tp: 1,
    rms_norm_eps: 1e-5,
    rope_scaling: {
      factor: 32.0,
      high_freq_factor: 4.0,
      low_freq_factor: 1.0,
      original_max_position_embeddings: 8192,
      rope_type: 'llama3',
    },
    rope_theta: 500000.0,
    tie_word_embeddings: true,
    torch_dtype: 'bfloat16',
    transformers_version: '4.46.1',
    'transformers.js_config': {
      dtype: 'q4f16',
      use_external_data_format: { 'model.onnx': true, 'model_fp16.onnx': true },
    },
    use_cache: true,
    vocab_size: upTo(random, 256000),
  };
}

/**
 * @param {Random} random
 * @param {number} count
 * @returns {Uint8Array[]}
 */
export function configs(random, count) {
  const encoder = new TextEncoder();
  return Array.from({ length: count }, () =>
    encoder.encode(`${JSON.stringify(config(random), null, 2)}\n`),
  );
}
