// SPDX-License-Identifier: Apache-2.0
// One small graph for each convention that a runner has to understand.
import { makeLlama } from './llama.js';

/** @typedef {import('./llama.js').TestModel} TestModel */
/** @typedef {import('onnxruntime-web').Tensor} Tensor */

/**
 * A model, the path of its decoder, and the inputs of other kinds.
 * @typedef {{ model: TestModel, path: string,
 *   inputs?: (model: TestModel) => Promise<Record<string, Tensor>> }} NamedGraph
 */

/** @param {Partial<import('./llama.js').LlamaOptions>} options */
function llama(options) {
  return () => {
    const model = makeLlama(options);
    const [path] = model.files.keys();
    return { model, path };
  };
}

/** @type {{ name: string, make: () => NamedGraph }[]} */
export const GRAPHS = [
  { name: 'llama', make: llama({}) },
  { name: 'llama with a head of its own', make: llama({ tied: false }) },
  { name: 'llama with external data', make: llama({ externalData: true }) },
  { name: 'llama of 8 bits', make: llama({ dtype: 'q8' }) },
  { name: 'int32 ids', make: llama({ idType: 'int32' }) },
  { name: 'no position_ids', make: llama({ positionIds: false }) },
  { name: 'num_logits_to_keep', make: llama({ logitsToKeep: true }) },
  { name: 'float16 cache', make: llama({ cacheType: 'float16' }) },
  { name: 'float16 logits', make: llama({ logitsType: 'float16' }) },
  { name: 'symbolic cache', make: llama({ symbolicCache: true }) },
  { name: 'cache of 5 dimensions', make: llama({ cacheForm: 'past_i' }) },
  {
    name: 'cache of key_value',
    make: llama({ cacheForm: 'key_value', kvHeads: 1 }),
  },
];
