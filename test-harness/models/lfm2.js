// SPDX-License-Identifier: Apache-2.0
// Networks of the LFM2 kind: most layers are short convolutions that remember
// their last inputs, the others are attention.
import {
  END, attention, embedding, lastPositions, linear, maskBias, positionsOf,
  rmsNorm, rotary, rotate, splitHeads, tiedHead,
} from './blocks.js';
import { GraphBuilder } from './graph-builder.js';
import { KvCache } from './kv-cache.js';
import { gatedMlp } from './llama.js';
import { Weights } from './weights.js';

/** @typedef {import('./blocks.js').Net} Net */
/** @typedef {import('./llama.js').TestModel} TestModel */

/**
 * @typedef {object} Lfm2Options
 * @property {('conv' | 'full_attention')[]} layerTypes
 * @property {number} hidden
 * @property {number} intermediate
 * @property {number} heads
 * @property {number} kvHeads
 * @property {number} kernel inputs that a convolution sees
 * @property {number} vocab
 * @property {number} contextLength
 * @property {number} bos
 * @property {number} eos
 * @property {number} pad
 * @property {import('./weights.js').WeightSource} weights
 */

/** @type {Lfm2Options} */
const LFM2 = {
  layerTypes: ['conv', 'full_attention', 'conv'],
  hidden: 32,
  intermediate: 64,
  heads: 4,
  kvHeads: 2,
  kernel: 3,
  vocab: 320,
  contextLength: 512,
  bos: 1,
  eos: 2,
  pad: 0,
  weights: 1,
};

const EPSILON = 1e-5;
const THETA = 1000000;

/**
 * What the layers share.
 * @typedef {{ angles: { cos: string, sin: string }, bias: string,
 *   tokens: string, length: string, cache: KvCache }} Shared
 */

/**
 * A gated convolution over the last inputs of each channel.
 * @param {Net} net
 * @param {Lfm2Options} options
 * @param {string} x
 * @param {number} i of the layer
 * @param {Shared} shared
 */
function shortConv(net, { hidden, kernel }, x, i, { tokens, length }) {
  const { graph, weights } = net;
  const name = `model.layers.${i}.conv`;
  const shape = ['batch_size', hidden, kernel];
  // Padding must not be remembered.
  const clean = graph.node('Mul', [x, tokens]);
  const parts = graph.node('Transpose',
    [linear(net, clean, `${name}.in_proj`, hidden, 3 * hidden)],
    { perm: [0, 2, 1] });
  const [b, c, value] = graph.nodes('Split', [parts], { axis: 1 }, 3);
  const past = graph.input(`past_conv.${i}`, 'float32', shape);
  const all = graph.node('Concat', [past, graph.node('Mul', [b, value])],
    { axis: 2 });
  const last = (/** @type {string} */ of, /** @type {string} */ count) =>
    graph.node('Slice', [of, graph.node('Neg', [count]), graph.ints([END]),
      graph.ints([2])]);
  graph.output(last(all, graph.ints([kernel])), `present_conv.${i}`, 'float32',
    shape);
  const matrix = `${name}.conv.weight`;
  const seen = graph.node('Conv', [all, graph.weight(matrix,
    weights.get(matrix, [hidden, 1, kernel]), [hidden, 1, kernel])],
  { group: hidden, kernel_shape: [kernel] });
  const y = graph.node('Mul',
    [c, last(seen, graph.unsqueeze(length, [0]))]);
  return linear(net, graph.node('Transpose', [y], { perm: [0, 2, 1] }),
    `${name}.out_proj`, hidden, hidden);
}

/**
 * @param {Net} net
 * @param {Lfm2Options} options
 * @param {string} x
 * @param {number} i of the layer
 * @param {Shared} shared
 */
function selfAttention(net, { hidden, heads, kvHeads }, x, i,
  { angles, bias, cache }) {
  const { graph } = net;
  const name = `model.layers.${i}.self_attn`;
  const size = hidden / heads;
  const project = (/** @type {string} */ to, /** @type {number} */ count) =>
    graph.reshape(linear(net, x, `${name}.${to}_proj`, hidden, count * size),
      [0, 0, count, size]);
  const turn = (/** @type {string} */ to, /** @type {number} */ count) =>
    rotate(graph, graph.node('Transpose', [rmsNorm(net, project(to, count),
      `${name}.${to}_layernorm`, size, EPSILON)], { perm: [0, 2, 1, 3] }),
    angles);
  const q = turn('q', heads);
  const [k, v] = cache.append(i, turn('k', kvHeads), splitHeads(graph,
    linear(net, x, `${name}.v_proj`, hidden, kvHeads * size), kvHeads, size));
  const seen = attention(graph, { q, k, v, bias, heads, kvHeads, size });
  return linear(net, seen, `${name}.out_proj`, hidden, hidden);
}

/**
 * @param {GraphBuilder} graph
 * @param {Lfm2Options} options
 * @returns {Shared & { ids: string }}
 */
function addInputs(graph, { hidden, heads, kvHeads }) {
  const input = (/** @type {string} */ name, /** @type {string} */ length) =>
    graph.input(name, 'int64', ['batch_size', length]);
  const ids = input('input_ids', 'sequence_length');
  const mask = input('attention_mask',
    'past_sequence_length + sequence_length');
  const length = graph.size(ids, 1);
  const positions = positionsOf(graph, mask, length);
  const size = hidden / heads;
  return {
    ids,
    length,
    angles: rotary(graph, positions, size, THETA),
    bias: maskBias(graph, mask, length),
    tokens: lastPositions(graph,
      graph.cast(graph.unsqueeze(mask, [2]), 'float32'), length),
    cache: new KvCache(graph, {
      form: 'separate', type: 'float32', heads: kvHeads, size, symbolic: false,
    }),
  };
}

/**
 * @param {Net} net
 * @param {Lfm2Options} options
 */
function addNetwork(net, options) {
  const { hidden, vocab, layerTypes } = options;
  const { graph } = net;
  const shared = addInputs(graph, options);
  const table = embedding(net, 'model.embed_tokens.weight', vocab, hidden);
  let x = table.rows(shared.ids);
  layerTypes.forEach((type, i) => {
    const name = `model.layers.${i}`;
    const operator = type === 'conv' ? shortConv : selfAttention;
    const norm = rmsNorm(net, x, `${name}.operator_norm`, hidden, EPSILON);
    x = graph.node('Add', [x, operator(net, options, norm, i, shared)]);
    x = graph.node('Add', [x, gatedMlp(net, options,
      rmsNorm(net, x, `${name}.ffn_norm`, hidden, EPSILON),
      `${name}.feed_forward`, ['w1', 'w3', 'w2'])]);
  });
  x = rmsNorm(net, x, 'model.embedding_norm', hidden, EPSILON);
  graph.output(tiedHead(graph, x, table.matrix(), hidden, vocab), 'logits',
    'float32', ['batch_size', 'sequence_length', vocab]);
}

/**
 * Makes a network of the LFM2 kind.
 * @param {Partial<Lfm2Options>} [given]
 * @returns {TestModel}
 */
export function makeLfm2(given = {}) {
  const options = { ...LFM2, ...given };
  const graph = new GraphBuilder();
  addNetwork({
    graph, weights: new Weights(options.weights), quantised: false,
  }, options);
  const ids = {
    bos_token_id: options.bos,
    eos_token_id: options.eos,
    pad_token_id: options.pad,
  };
  return {
    config: {
      architectures: ['Lfm2ForCausalLM'],
      ...ids,
      conv_L_cache: options.kernel,
      conv_bias: false,
      hidden_size: options.hidden,
      intermediate_size: options.intermediate,
      layer_types: options.layerTypes,
      max_position_embeddings: options.contextLength,
      model_type: 'lfm2',
      norm_eps: EPSILON,
      num_attention_heads: options.heads,
      num_hidden_layers: options.layerTypes.length,
      num_key_value_heads: options.kvHeads,
      rope_theta: THETA,
      vocab_size: options.vocab,
    },
    generationConfig: ids,
    files: graph.files('onnx/model.onnx', false),
  };
}
