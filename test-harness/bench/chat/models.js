// SPDX-License-Identifier: Apache-2.0
// The models of random weights that both sides run.

import { byteTokenizer, PAD, START, TEMPLATE } from '../../chat/world.js';
import { makeLlama } from '../../models/llama.js';

/** Answers never end by themselves: no token has the id of their end. */
const ENDLESS = { bos: START, pad: PAD, eos: 1_000_000, contextLength: 4096 };

/** With a head of its own, as exports have it. */
const HEAD = { tied: false };

/**
 * So small that all that is not the network shows, with the vocabulary of a
 * real one.
 */
const small = () => makeLlama({
  ...ENDLESS, ...HEAD, vocab: 32_000, hidden: 32, intermediate: 64, layers: 2,
});

/** Large enough that a long prompt takes a while. */
const middle = () => makeLlama({
  ...ENDLESS, ...HEAD, vocab: 2000, hidden: 256, intermediate: 512, layers: 4,
});

/** 100 MB. */
const large = () => makeLlama({
  ...ENDLESS, ...HEAD, vocab: 4000, hidden: 512, intermediate: 1408, layers: 8,
  heads: 8, kvHeads: 4,
});

/** 200 MB. */
const huge = () => makeLlama({
  ...ENDLESS, ...HEAD, vocab: 4000, hidden: 1024, intermediate: 2816, layers: 4,
  heads: 16, kvHeads: 4,
});

const MODELS = { small, middle, large, huge };

/** @typedef {keyof typeof MODELS} ModelName */

/** @param {ModelName} name */
export function modelId(name) {
  return `bench/${name}`;
}

/**
 * The repository of a model, for the simulated Hub.
 * @param {ModelName} name
 */
export function repositoryOf(name) {
  const { config, generationConfig, files } = MODELS[name]();
  return {
    id: modelId(name),
    files: new Map(/** @type {[string, string | Uint8Array][]} */ ([
      ...files,
      ['config.json', JSON.stringify(config)],
      ['generation_config.json', JSON.stringify(generationConfig)],
      ['tokenizer.json', JSON.stringify(byteTokenizer())],
      ['tokenizer_config.json', JSON.stringify({
        tokenizer_class: 'PreTrainedTokenizerFast',
        bos_token: '<|start|>', pad_token: '<|pad|>', chat_template: TEMPLATE,
        clean_up_tokenization_spaces: false, model_max_length: 4096,
      })],
    ])),
  };
}
