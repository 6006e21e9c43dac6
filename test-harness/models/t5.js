// SPDX-License-Identifier: Apache-2.0
// Networks of the T5 kind, as optimum merges them: an encoder, and a decoder
// with a branch for the first step and one for those with a cache. Simpler than T5:
// distances have one bucket each, and logits are not scaled.
import {
  attention, distance, embedding, linear, rmsNorm, scoreBias, splitHeads,
  tiedHead, unpadded,
} from './blocks.js';
import { GraphBuilder } from './graph-builder.js';
import { Weights } from './weights.js';

/** @typedef {import('./blocks.js').Net} Net */
/** @typedef {import('./llama.js').TestModel} TestModel */

/**
 * @typedef {object} T5Options
 * @property {number} layers of the encoder, and of the decoder
 * @property {number} hidden
 * @property {number} inner size of the layer between
 * @property {number} heads
 * @property {number} vocab
 * @property {number} eos
 * @property {number} pad also the decoder's first token
 * @property {import('./weights.js').WeightSource} weights
 */

/** @type {T5Options} */
const T5 = {
  layers: 2,
  hidden: 32,
  inner: 64,
  heads: 4,
  vocab: 320,
  eos: 1,
  pad: 0,
  weights: 1,
};

const EPSILON = 1e-6;

/** Distances that have a bias of their own. */
const BUCKETS = 64;

const BATCH = 'batch_size';
const ENCODED = 'encoder_sequence_length';
const DECODED = 'decoder_sequence_length';
const PAST = 'past_decoder_sequence_length';

/**
 * Keys and values of [batch, heads, total, size].
 * @typedef {{ k: string, v: string }} KeysAndValues
 */

/**
 * @param {Net} net
 * @param {T5Options} options
 * @param {string} x
 * @param {string} name of the attention
 */
function projector(net, { hidden, heads }, x, name) {
  return (/** @type {string} */ to) => splitHeads(net.graph,
    linear(net, x, `${name}.${to}`, hidden, hidden), heads, hidden / heads);
}

/**
 * @param {Net} net
 * @param {T5Options} options
 * @param {string} x
 * @param {string} name
 * @param {KeysAndValues} seen
 * @param {string} bias
 */
function attend(net, options, x, name, { k, v }, bias) {
  const { hidden, heads } = options;
  const q = projector(net, options, x, name)('q');
  const y = attention(net.graph, {
    q, k, v, bias, heads, kvHeads: heads, size: hidden / heads, scale: 1,
  });
  return linear(net, y, `${name}.o`, hidden, hidden);
}

/**
 * @param {Net} net
 * @param {T5Options} options
 * @param {string} x
 * @param {string} name of the layer
 */
function feedForward(net, { hidden, inner }, x, name) {
  const { graph } = net;
  const wide = linear(net,
    rmsNorm(net, x, `${name}.layer_norm`, hidden, EPSILON),
    `${name}.DenseReluDense.wi`, hidden, inner);
  return graph.node('Add', [x, linear(net, graph.node('Relu', [wide]),
    `${name}.DenseReluDense.wo`, inner, hidden)]);
}

/**
 * The bias of distances, [1, heads, sequence, total].
 * @param {Net} net
 * @param {T5Options} options
 * @param {string} name of the network
 * @param {string} back distances, [sequence, total]
 */
function distanceBias({ graph, weights }, { heads }, name, back) {
  const table = `${name}.block.0.layer.0.SelfAttention.` +
    'relative_attention_bias.weight';
  const data = weights.get(table, [BUCKETS, heads]);
  const bucket = graph.node('Min',
    [graph.node('Abs', [back]), graph.ints(BUCKETS - 1)]);
  const rows = graph.node('Gather',
    [graph.ownWeight(table, data, [BUCKETS, heads]), bucket]);
  return graph.unsqueeze(
    graph.node('Transpose', [rows], { perm: [2, 0, 1] }), [0]);
}

/**
 * @param {Weights} weights
 * @param {T5Options} options
 */
function encoderGraph(weights, options) {
  const { layers, hidden, vocab } = options;
  const graph = new GraphBuilder();
  const net = { graph, weights, quantised: false };
  const ids = graph.input('input_ids', 'int64', [BATCH, ENCODED]);
  const mask = graph.input('attention_mask', 'int64', [BATCH, ENCODED]);
  const length = graph.size(ids, 1);
  const bias = graph.node('Add', [scoreBias(graph, unpadded(graph, mask)),
    distanceBias(net, options, 'encoder', distance(graph, length, length))]);
  let x = embedding(net, 'shared.weight', vocab, hidden).rows(ids);
  for (let i = 0; i < layers; i += 1) {
    const name = `encoder.block.${i}.layer`;
    const norm = rmsNorm(net, x, `${name}.0.layer_norm`, hidden, EPSILON);
    const project = projector(net, options, norm, `${name}.0.SelfAttention`);
    const seen = { k: project('k'), v: project('v') };
    x = graph.node('Add', [x, attend(net, options, norm,
      `${name}.0.SelfAttention`, seen, bias)]);
    x = feedForward(net, options, x, `${name}.1`);
  }
  graph.output(rmsNorm(net, x, 'encoder.final_layer_norm', hidden, EPSILON),
    'last_hidden_state', 'float32', [BATCH, ENCODED, hidden]);
  return graph;
}

/** @param {number} i of the layer; the names of what it remembers, in order */
function cacheNames(i) {
  return [`${i}.decoder.key`, `${i}.decoder.value`, `${i}.encoder.key`,
    `${i}.encoder.value`];
}

/**
 * What layer |i| of a branch sees of the decoder and of the encoder.
 * @param {Net} net
 * @param {T5Options} options
 * @param {string} x normalised input of the layer
 * @param {number} i
 * @param {boolean} withPast
 * @returns {[KeysAndValues, KeysAndValues]}
 */
function seenBy(net, options, x, i, withPast) {
  const { graph } = net;
  const name = `decoder.block.${i}.layer`;
  const own = projector(net, options, x, `${name}.0.SelfAttention`);
  if (!withPast) {
    const other = projector(net, options, 'encoder_hidden_states',
      `${name}.1.EncDecAttention`);
    return [{ k: own('k'), v: own('v') }, { k: other('k'), v: other('v') }];
  }
  const [key, value, encoderKey, encoderValue] = cacheNames(i)
    .map((part) => `past_key_values.${part}`);
  const join = (/** @type {string} */ past, /** @type {string} */ fresh) =>
    graph.node('Concat', [past, fresh], { axis: 2 });
  return [{ k: join(key, own('k')), v: join(value, own('v')) },
    { k: encoderKey, v: encoderValue }];
}

/**
 * One branch of the decoder. With a past, nothing comes out for the encoder:
 * whoever runs it has to keep what the first step gave.
 * @param {GraphBuilder} outer
 * @param {Weights} weights
 * @param {T5Options} options
 * @param {boolean} withPast
 */
function decoderBranch(outer, weights, options, withPast) {
  const { layers, hidden, heads, vocab } = options;
  const graph = new GraphBuilder(withPast ? 'then.' : 'else.', outer);
  const net = { graph, weights, quantised: false };
  const shape = [BATCH, heads, 'length', hidden / heads];
  const length = graph.size('input_ids', 1);
  const total = withPast ? graph.node('Add',
    [length, graph.size('past_key_values.0.decoder.key', 2)]) : length;
  const back = distance(graph, length, total);
  const bias = graph.node('Add', [scoreBias(graph,
    graph.node('GreaterOrEqual', [back, graph.ints(0)])),
  distanceBias(net, options, 'decoder', back)]);
  const cross = scoreBias(graph, unpadded(graph, 'encoder_attention_mask'));
  const table = embedding(net, 'shared.weight', vocab, hidden);
  /** @type {string[]} */
  const presents = [];
  let x = table.rows('input_ids');
  for (let i = 0; i < layers; i += 1) {
    const name = `decoder.block.${i}.layer`;
    const norm = (/** @type {number} */ which) =>
      rmsNorm(net, x, `${name}.${which}.layer_norm`, hidden, EPSILON);
    const first = norm(0);
    const [own, other] = seenBy(net, options, first, i, withPast);
    x = graph.node('Add', [x, attend(net, options, first,
      `${name}.0.SelfAttention`, own, bias)]);
    x = graph.node('Add', [x, attend(net, options, norm(1),
      `${name}.1.EncDecAttention`, other, cross)]);
    x = feedForward(net, options, x, `${name}.2`);
    const kept = [other.k, other.v].map((value) => withPast ?
      graph.node('Slice', [value, graph.ints([0]), graph.ints([0]),
        graph.ints([2])]) : value);
    presents.push(own.k, own.v, ...kept);
  }
  x = rmsNorm(net, x, 'decoder.final_layer_norm', hidden, EPSILON);
  const prefix = withPast ? 'then' : 'else';
  graph.output(tiedHead(graph, x, table.matrix(), hidden, vocab),
    `${prefix}.logits`, 'float32', [BATCH, DECODED, vocab]);
  presents.forEach((value, i) =>
    graph.output(value, `${prefix}.present.${i}`, 'float32', shape));
  return graph;
}

/**
 * @param {Weights} weights
 * @param {T5Options} options
 */
function decoderGraph(weights, options) {
  const { layers, hidden, heads, vocab } = options;
  const graph = new GraphBuilder();
  const names = Array.from({ length: layers }, (_, i) => cacheNames(i)).flat();
  /** @param {string} name @param {string} own */
  const shape = (name, own) => [BATCH, heads,
    name.includes('encoder') ? ENCODED : own, hidden / heads];
  graph.input('encoder_attention_mask', 'int64', [BATCH, ENCODED]);
  graph.input('input_ids', 'int64', [BATCH, DECODED]);
  graph.input('encoder_hidden_states', 'float32', [BATCH, ENCODED, hidden]);
  for (const name of names) {
    graph.input(`past_key_values.${name}`, 'float32', shape(name, PAST));
  }
  const branch = graph.input('use_cache_branch', 'bool', [1]);
  const [logits, ...presents] = graph.nodes('If', [branch], {
    then_branch: decoderBranch(graph, weights, options, true),
    else_branch: decoderBranch(graph, weights, options, false),
  }, 1 + names.length);
  graph.output(logits, 'logits', 'float32', [BATCH, DECODED, vocab]);
  names.forEach((name, i) => graph.output(presents[i], `present.${name}`,
    'float32', shape(name, `${PAST} + 1`)));
  return graph;
}

/**
 * Makes a network of the T5 kind.
 * @param {Partial<T5Options>} [given]
 * @returns {TestModel}
 */
export function makeT5(given = {}) {
  const options = { ...T5, ...given };
  const weights = new Weights(options.weights);
  const ids = {
    decoder_start_token_id: options.pad,
    eos_token_id: options.eos,
    pad_token_id: options.pad,
  };
  return {
    config: {
      architectures: ['T5ForConditionalGeneration'],
      ...ids,
      d_ff: options.inner,
      d_kv: options.hidden / options.heads,
      d_model: options.hidden,
      feed_forward_proj: 'relu',
      is_encoder_decoder: true,
      layer_norm_epsilon: EPSILON,
      model_type: 't5',
      n_positions: 512,
      num_decoder_layers: options.layers,
      num_heads: options.heads,
      num_layers: options.layers,
      tie_word_embeddings: true,
      vocab_size: options.vocab,
    },
    generationConfig: ids,
    files: new Map([
      ...encoderGraph(weights, options)
        .files('onnx/encoder_model.onnx', false),
      ...decoderGraph(weights, options)
        .files('onnx/decoder_model_merged.onnx', false),
    ]),
  };
}
