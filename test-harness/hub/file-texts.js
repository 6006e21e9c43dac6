// SPDX-License-Identifier: Apache-2.0
// Texts of the small files of generated repositories. They agree with the
// listing entry: config.json says what the digest of the listing says.

import { hashText } from './random.js';

/** @typedef {import('./model.js').Model} Model */

/** The vocabulary of every generated tokenizer: one token per byte. */
const VOCABULARY = Object.fromEntries(Array.from({ length: 256 },
  (_, i) => [`<0x${i.toString(16).toUpperCase().padStart(2, '0')}>`, i]));

/** Types whose language model is configured in a nested object. */
const NESTED_TYPES = new RegExp('^(gemma3|gemma3n|idefics3|smolvlm|llava.*|'
  + 'qwen2_vl|qwen2_5_vl|qwen3_vl|florence2|paligemma|mllama|mistral3)$');

/**
 * @param {Model} model
 * @param {string} path
 * @returns {string | Uint8Array | undefined} undefined: not a known text file
 */
export function textOf(model, path) {
  const { hidden } = model;
  if (path === (hidden.configPath ?? 'config.json')) {
    return hidden.config ?? pretty(configOf(model));
  }
  const name = path.slice(path.lastIndexOf('/') + 1);
  return WRITERS[name]?.(model);
}

/** @type {Record<string, (model: Model) => string>} */
const WRITERS = {
  '.gitattributes': () => ['*.onnx', '*.onnx_data*', '*.bin', '*.safetensors',
    '*.h5', '*.msgpack', '*.model']
    .map((pattern) => `${pattern} filter=lfs diff=lfs merge=lfs -text\n`).join(''),
  'README.md': ({ id, entry }) => `---\n${Object.entries(entry.cardData ?? {})
    .map(([key, value]) => `${key}: ${JSON.stringify(value)}\n`).join('')
  }---\n\n# ${id}\n`,
  'generation_config.json': () => pretty({
    bos_token_id: 1, eos_token_id: 2, do_sample: true, temperature: 0.7,
    top_k: 50, transformers_version: '4.57.0',
  }),
  'tokenizer_config.json': (model) => pretty({
    bos_token: '<s>', eos_token: '<|im_end|>', model_max_length: 8192,
    ...model.entry.config?.tokenizer_config,
    chat_template: model.entry.config?.tokenizer_config?.chat_template
      ?? model.hidden.chatTemplate,
  }),
  'chat_template.jinja': (model) => model.hidden.chatTemplate ?? '{{ messages }}',
  'special_tokens_map.json': () => pretty({ bos_token: '<s>', eos_token: '<|im_end|>' }),
  'tokenizer.json': () => JSON.stringify({
    version: '1.0', truncation: null, padding: null, added_tokens: [],
    normalizer: null, pre_tokenizer: null, post_processor: null, decoder: null,
    model: { type: 'BPE', vocab: VOCABULARY, merges: [] },
  }),
  'vocab.json': () => JSON.stringify(VOCABULARY),
  'vocab.txt': () => `${Object.keys(VOCABULARY).join('\n')}\n`,
  'merges.txt': () => '#version: 0.2\n',
};

/**
 * A whole config.json around the digest of the listing.
 * @param {Model} model
 */
function configOf(model) {
  const { entry, hidden, id } = model;
  const { tokenizer_config: _t, chat_template_jinja: _c, ...digest } =
    entry.config ?? hidden.digest ?? {};
  const size = 64 * (4 + (hashText(id) % 60));
  const dimensions = {
    hidden_size: size, num_hidden_layers: 6 + (size % 27),
    num_attention_heads: Math.max(1, size / 64), intermediate_size: size * 4,
    vocab_size: 32_000 + (size % 7) * 16_384, max_position_embeddings: 8192,
  };
  const type = digest.model_type;
  const body = NESTED_TYPES.test(type)
    ? { text_config: { model_type: `${type}_text`, ...dimensions } } : dimensions;
  return {
    ...digest, ...body, bos_token_id: 1, eos_token_id: 2,
    torch_dtype: 'bfloat16', transformers_version: '4.57.0',
  };
}

/** @param {object} value */
function pretty(value) {
  return `${JSON.stringify(value, null, 2)}\n`;
}
