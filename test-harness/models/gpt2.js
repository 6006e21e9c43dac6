// SPDX-License-Identifier: Apache-2.0
// Networks of the GPT-2 kind: learned positions, one matrix for queries, keys
// and values, biases everywhere.
import {
  attention, embedding, layerNorm, linear, maskBias, positionsOf, splitHeads,
  tiedHead,
} from './blocks.js';
import { GraphBuilder } from './graph-builder.js';
import { KvCache } from './kv-cache.js';
import { Weights } from './weights.js';

/** @typedef {import('./blocks.js').Net} Net */
/** @typedef {import('./llama.js').TestModel} TestModel */

/**
 * @typedef {object} Gpt2Options
 * @property {number} layers
 * @property {number} hidden
 * @property {number} heads
 * @property {number} vocab
 * @property {number} contextLength
 * @property {number} eos
 * @property {import('./weights.js').WeightSource} weights
 * @property {'int64' | 'int32'} idType
 * @property {boolean} positionIds
 * @property {import('./kv-cache.js').CacheForm} cacheForm
 */

/** @type {Gpt2Options} */
const GPT2 = {
  layers: 2,
  hidden: 32,
  heads: 4,
  vocab: 320,
  contextLength: 512,
  eos: 2,
  weights: 1,
  idType: 'int64',
  positionIds: true,
  cacheForm: 'separate',
};

/**
 * The tanh form of GELU, "gelu_new".
 * @param {GraphBuilder} graph
 * @param {string} x
 */
function gelu(graph, x) {
  const cube = graph.node('Mul', [graph.node('Mul', [x, x]), x]);
  const inner = graph.node('Mul', [
    graph.node('Add', [x, graph.node('Mul', [cube, graph.float(0.044715)])]),
    graph.float(Math.sqrt(2 / Math.PI)),
  ]);
  const gate = graph.node('Add', [graph.node('Tanh', [inner]), graph.float(1)]);
  return graph.node('Mul', [
    graph.node('Mul', [x, graph.float(0.5)]), gate]);
}

/**
 * @param {Net} net
 * @param {Gpt2Options} options
 * @param {string} x
 * @param {number} i of the layer
 * @param {KvCache} cache
 * @param {string} bias of the mask
 */
function selfAttention(net, { hidden, heads }, x, i, cache, bias) {
  const { graph } = net;
  const name = `transformer.h.${i}.attn`;
  const size = hidden / heads;
  const all = linear(net, x, `${name}.c_attn`, hidden, 3 * hidden,
    { bias: true, conv1d: true });
  const [q, fresh, values] = graph.nodes('Split', [all], { axis: -1 }, 3)
    .map((part) => splitHeads(graph, part, heads, size));
  const [k, v] = cache.append(i, fresh, values);
  const seen = attention(graph,
    { q, k, v, bias, heads, kvHeads: heads, size });
  return linear(net, seen, `${name}.c_proj`, hidden, hidden,
    { bias: true, conv1d: true });
}

/**
 * @param {Net} net
 * @param {Gpt2Options} options
 */
function addNetwork(net, options) {
  const { layers, hidden, heads, vocab, contextLength, idType } = options;
  const { graph } = net;
  const input = (/** @type {string} */ name, /** @type {string} */ length) =>
    graph.cast(graph.input(name, idType, ['batch_size', length]), 'int64');
  const ids = input('input_ids', 'sequence_length');
  const mask = input('attention_mask',
    'past_sequence_length + sequence_length');
  const length = graph.size(ids, 1);
  const positions = options.positionIds ?
    input('position_ids', 'sequence_length') : positionsOf(graph, mask, length);
  const cache = new KvCache(graph, {
    form: options.cacheForm, type: 'float32', heads, size: hidden / heads,
    symbolic: false,
  });
  const bias = maskBias(graph, mask, length);
  const words = embedding(net, 'transformer.wte.weight', vocab, hidden);
  const places = embedding(net, 'transformer.wpe.weight', contextLength,
    hidden);
  let x = graph.node('Add', [words.rows(ids), places.rows(positions)]);
  for (let i = 0; i < layers; i += 1) {
    const name = `transformer.h.${i}`;
    x = graph.node('Add', [x, selfAttention(net, options,
      layerNorm(net, x, `${name}.ln_1`, hidden), i, cache, bias)]);
    const wide = linear(net, layerNorm(net, x, `${name}.ln_2`, hidden),
      `${name}.mlp.c_fc`, hidden, 4 * hidden, { bias: true, conv1d: true });
    x = graph.node('Add', [x, linear(net, gelu(graph, wide),
      `${name}.mlp.c_proj`, 4 * hidden, hidden,
      { bias: true, conv1d: true })]);
  }
  x = layerNorm(net, x, 'transformer.ln_f', hidden);
  graph.output(tiedHead(graph, x, words.matrix(), hidden, vocab), 'logits',
    'float32', ['batch_size', 'sequence_length', vocab]);
}

/**
 * Makes a network of the GPT-2 kind.
 * @param {Partial<Gpt2Options>} [given]
 * @returns {TestModel}
 */
export function makeGpt2(given = {}) {
  const options = { ...GPT2, ...given };
  const graph = new GraphBuilder();
  addNetwork({
    graph, weights: new Weights(options.weights), quantised: false,
  }, options);
  return {
    config: {
      activation_function: 'gelu_new',
      architectures: ['GPT2LMHeadModel'],
      bos_token_id: options.eos,
      eos_token_id: options.eos,
      model_type: 'gpt2',
      n_ctx: options.contextLength,
      n_embd: options.hidden,
      n_head: options.heads,
      n_layer: options.layers,
      n_positions: options.contextLength,
      vocab_size: options.vocab,
    },
    generationConfig: {
      bos_token_id: options.eos,
      eos_token_id: options.eos,
    },
    files: graph.files('onnx/model.onnx', false),
  };
}
