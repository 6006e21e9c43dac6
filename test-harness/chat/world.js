// SPDX-License-Identifier: Apache-2.0
// A Hub with one small model of random weights, and a manager that can chat
// with it.

import * as ort from 'onnxruntime-web';

import { createHub } from '../hub/index.js';
import { byteAlphabet } from '../differential/tokenizers.js';
import { MemoryStore } from '../store/memory-store.js';
import { managerOf } from '../store/world.js';

/** @typedef {import('../models/llama.js').TestModel} TestModel */
/** @typedef {import('../../js-bindings/types/index.d.ts').ModelManager} Manager */

export const MODEL = 'acme/tiny-chat';

/** Tokens behind those of the 256 bytes. */
export const SPECIAL = ['<|start|>', '<|end|>', '<|pad|>'];

/** Ids of those tokens. */
export const START = 256;
export const END = 257;
export const PAD = 258;

/** Plain enough to be written by hand in a test. */
export const TEMPLATE = '{% for m in messages %}<|start|>{{ m.role }}\n'
  + '{{ m.content }}<|end|>\n{% endfor %}'
  + '{% if add_generation_prompt %}<|start|>assistant\n{% endif %}';

/** A tokenizer whose tokens are bytes, as the file of a repository. */
export function byteTokenizer() {
  return {
    version: '1.0', truncation: null, padding: null, normalizer: null,
    post_processor: null,
    pre_tokenizer: {
      type: 'ByteLevel', add_prefix_space: false, trim_offsets: true,
      use_regex: true,
    },
    decoder: { type: 'ByteLevel' },
    added_tokens: SPECIAL.map((content, i) => ({
      id: 256 + i, content, special: true, single_word: false, lstrip: false,
      rstrip: false, normalized: false,
    })),
    model: {
      type: 'BPE', merges: [], unk_token: null,
      vocab: Object.fromEntries(byteAlphabet().map((char, i) => [char, i])),
    },
  };
}

/**
 * The files of a repository.
 * @param {TestModel} model
 * @param {object} [tokenizerConfig]
 * @returns {Map<string, string | Uint8Array>}
 */
export function repositoryOf(
  { config, generationConfig, files }, tokenizerConfig,
) {
  return new Map(/** @type {[string, string | Uint8Array][]} */ ([
    ...files,
    ['config.json', JSON.stringify(config)],
    ['generation_config.json', JSON.stringify(generationConfig)],
    ['tokenizer.json', JSON.stringify(byteTokenizer())],
    ['tokenizer_config.json', JSON.stringify({
      bos_token: '<|start|>', eos_token: '<|end|>', pad_token: '<|pad|>',
      chat_template: TEMPLATE, clean_up_tokenization_spaces: false,
      ...tokenizerConfig,
    })],
  ]));
}

/**
 * A manager for whom the Hub has `model` under the name MODEL.
 * @typedef {{ tokenizerConfig?: object, ort?: any,
 *   onMessage?: (message: any, isForChannel: boolean) => void,
 *   files?: Record<string, string>, entry?: object,
 *   openRuntime?: import('../../js-bindings/loop.js').Outside['openRuntime'] }}
 *   ChatOptions files: in place of those of the repository; entry: more of
 *   what the Hub says of it
 *
 * @param {TestModel} model
 * @param {ChatOptions} [options]
 */
export async function chatManager(
  model, {
    tokenizerConfig, files = {}, ort: runtime = ort, onMessage, openRuntime,
    entry,
  } = {},
) {
  const hub = createHub({
    catalogue: [], rateLimits: false, latency: false,
    repositories: [{
      id: MODEL, entry,
      files: new Map([...repositoryOf(model, tokenizerConfig),
        ...Object.entries(files)]),
    }],
  });
  const manager = await managerOf(
    new MemoryStore(),
    { fetch: hub.fetch, ort: runtime, onMessage, openRuntime });
  return { hub, manager };
}

/**
 * The bytes of a text as tokens.
 * @param {string} text
 */
export function tokensOf(text) {
  return [...Buffer.from(text)];
}
