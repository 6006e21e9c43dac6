// SPDX-License-Identifier: Apache-2.0
// One small graph for each convention that a runner has to understand.
import { makeGpt2 } from './gpt2.js';
import { makeLfm2 } from './lfm2.js';
import { makeLlama } from './llama.js';
import { intTensor, openGraph } from './run-graph.js';
import { makeT5 } from './t5.js';

/** @typedef {import('./llama.js').TestModel} TestModel */
/** @typedef {import('onnxruntime-web').Tensor} Tensor */

/**
 * A model, the path of its decoder, and the inputs of other kinds.
 * @typedef {{ model: TestModel, path: string,
 *   inputs?: (model: TestModel) => Promise<Record<string, Tensor>> }} NamedGraph
 */

/** @param {TestModel} model with one graph */
function decoderOnly(model) {
  const [path] = model.files.keys();
  return { model, path };
}

/** @param {Partial<import('./llama.js').LlamaOptions>} options */
function llama(options) {
  return () => decoderOnly(makeLlama(options));
}

/** What the encoder of a test reads. */
export const SOURCE = [30, 5, 77, 201, 1];

/**
 * Runs the encoder.
 * @param {TestModel} model
 */
async function encode({ files }) {
  const session = await openGraph(files, 'onnx/encoder_model.onnx');
  const dims = [1, SOURCE.length];
  const mask = intTensor('int64', SOURCE.map(() => 1), dims);
  const { last_hidden_state: states } = await session.run(
    { input_ids: intTensor('int64', SOURCE, dims), attention_mask: mask });
  await session.release();
  return { encoder_hidden_states: states, encoder_attention_mask: mask };
}

/** @type {{ name: string, make: () => NamedGraph }[]} */
export const GRAPHS = [
  { name: 'llama', make: llama({}) },
  { name: 'llama with a head of its own', make: llama({ tied: false }) },
  { name: 'llama with external data', make: llama({ externalData: true }) },
  { name: 'llama of 8 bits', make: llama({ dtype: 'q8' }) },
  { name: 'llama of 16 bits', make: llama({ dtype: 'fp16' }) },
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
  { name: 'gpt2', make: () => decoderOnly(makeGpt2()) },
  {
    name: 'gpt2 of int32 with one cache for each layer',
    make: () => decoderOnly(makeGpt2({ idType: 'int32', cacheForm: 'past_i' })),
  },
  {
    name: 't5',
    make: () => ({
      model: makeT5(), path: 'onnx/decoder_model_merged.onnx', inputs: encode,
    }),
  },
  { name: 'lfm2', make: () => decoderOnly(makeLfm2()) },
];
