// SPDX-License-Identifier: Apache-2.0
// Networks of the Llama kind: rotary positions, grouped heads, RMS norms.
import {
  attention, embedding, lastPositions, linear, maskBias, positionsOf, rmsNorm,
  rotary, rotate, silu, splitHeads, tiedHead,
} from './blocks.js';
import { GraphBuilder } from './graph-builder.js';
import { KvCache } from './kv-cache.js';
import { Weights } from './weights.js';

/** @typedef {import('./blocks.js').Net} Net */
/** @typedef {import('./kv-cache.js').CacheForm} CacheForm */
/** @typedef {import('./weights.js').WeightSource} WeightSource */

/**
 * A repository: the two configurations and the files of the graph by path.
 * @typedef {{ config: Record<string, any>,
 *   generationConfig: Record<string, any>,
 *   files: Map<string, Uint8Array> }} TestModel
 */

/**
 * What is not given has the value of LLAMA.
 * @typedef {object} LlamaOptions
 * @property {number} layers
 * @property {number} hidden
 * @property {number} intermediate
 * @property {number} heads
 * @property {number} kvHeads a divisor of heads
 * @property {number} headDim
 * @property {number} vocab
 * @property {boolean} tied whether the head is the table of embeddings
 * @property {number} theta
 * @property {number} epsilon
 * @property {number} contextLength
 * @property {number} bos
 * @property {number | number[]} eos
 * @property {number} pad
 * @property {WeightSource} weights a seed, or tensors named as in the state
 *   dict: model.embed_tokens.weight, model.layers.0.self_attn.q_proj.weight, …
 * @property {'fp32' | 'fp16' | 'q8'} dtype of the weights of matrices; q8: 8
 *   bits for each of them. Computed is in float32.
 * @property {boolean} externalData whether weights lie in a file of their own
 * @property {'int64' | 'int32'} idType of ids, mask and positions
 * @property {boolean} positionIds whether the graph has that input
 * @property {boolean} logitsToKeep whether it has num_logits_to_keep
 * @property {CacheForm} cacheForm
 * @property {'float32' | 'float16'} cacheType
 * @property {boolean} symbolicCache whether the cache hides its sizes
 * @property {'float32' | 'float16'} logitsType
 * @property {string} path of the graph; by default that of the dtype
 */

/** @type {Omit<LlamaOptions, 'path' | 'headDim'>} */
const LLAMA = {
  layers: 2,
  hidden: 32,
  intermediate: 64,
  heads: 4,
  kvHeads: 2,
  vocab: 320,
  tied: true,
  theta: 10000,
  epsilon: 1e-5,
  contextLength: 512,
  bos: 1,
  eos: 2,
  pad: 0,
  weights: 1,
  dtype: 'fp32',
  externalData: false,
  idType: 'int64',
  positionIds: true,
  logitsToKeep: false,
  cacheForm: 'separate',
  cacheType: 'float32',
  symbolicCache: false,
  logitsType: 'float32',
};

const PATHS = {
  fp32: 'onnx/model.onnx', fp16: 'onnx/model_fp16.onnx',
  q8: 'onnx/model_quantized.onnx',
};

/**
 * @param {GraphBuilder} graph
 * @param {LlamaOptions} options
 */
function addInputs(graph, { idType, positionIds, logitsToKeep }) {
  const input = (/** @type {string} */ name, /** @type {string} */ length) =>
    graph.cast(graph.input(name, idType, ['batch_size', length]), 'int64');
  const ids = input('input_ids', 'sequence_length');
  const mask = input('attention_mask',
    'past_sequence_length + sequence_length');
  const length = graph.size(ids, 1);
  const positions = positionIds ? input('position_ids', 'sequence_length') :
    positionsOf(graph, mask, length);
  const keep = logitsToKeep ?
    graph.input('num_logits_to_keep', 'int64', []) : null;
  return { ids, mask, length, positions, keep };
}

/**
 * @param {Net} net
 * @param {LlamaOptions} options
 * @param {string} x
 * @param {number} i of the layer
 * @param {{ cache: KvCache, angles: { cos: string, sin: string },
 *   bias: string }} shared
 */
function selfAttention(net, options, x, i, { cache, angles, bias }) {
  const { hidden, heads, kvHeads, headDim } = options;
  const { graph } = net;
  const name = `model.layers.${i}.self_attn`;
  const project = (/** @type {string} */ to, /** @type {number} */ count) =>
    splitHeads(graph,
      linear(net, x, `${name}.${to}_proj`, hidden, count * headDim),
      count, headDim);
  const q = rotate(graph, project('q', heads), angles);
  const [k, v] = cache.append(i, rotate(graph, project('k', kvHeads), angles),
    project('v', kvHeads));
  const seen = attention(graph,
    { q, k, v, bias, heads, kvHeads, size: headDim });
  return linear(net, seen, `${name}.o_proj`, heads * headDim, hidden);
}

/**
 * @param {Net} net
 * @param {{ hidden: number, intermediate: number }} sizes
 * @param {string} x
 * @param {string} name
 * @param {[string, string, string]} names of gate, up and down
 */
export function gatedMlp(net, { hidden, intermediate }, x, name,
  [gate, up, down]) {
  const { graph } = net;
  const inner = graph.node('Mul', [
    silu(graph, linear(net, x, `${name}.${gate}`, hidden, intermediate)),
    linear(net, x, `${name}.${up}`, hidden, intermediate),
  ]);
  return linear(net, inner, `${name}.${down}`, intermediate, hidden);
}

/**
 * @param {Net} net
 * @param {LlamaOptions} options
 */
function addNetwork(net, options) {
  const { layers, hidden, headDim, vocab, epsilon, cacheForm } = options;
  const { graph } = net;
  const { ids, mask, length, positions, keep } = addInputs(graph, options);
  const table = embedding(net, 'model.embed_tokens.weight', vocab, hidden);
  const shared = {
    angles: rotary(graph, positions, headDim, options.theta),
    bias: maskBias(graph, mask, length),
    cache: new KvCache(graph, {
      form: cacheForm, type: options.cacheType, heads: options.kvHeads,
      size: headDim, symbolic: options.symbolicCache,
    }),
  };
  let x = table.rows(ids);
  for (let i = 0; i < layers; i += 1) {
    const name = `model.layers.${i}`;
    const norm = (/** @type {string} */ which) =>
      rmsNorm(net, x, `${name}.${which}`, hidden, epsilon);
    x = graph.node('Add', [x,
      selfAttention(net, options, norm('input_layernorm'), i, shared)]);
    x = graph.node('Add', [x, gatedMlp(net, options,
      norm('post_attention_layernorm'), `${name}.mlp`,
      ['gate_proj', 'up_proj', 'down_proj'])]);
  }
  x = rmsNorm(net, x, 'model.norm', hidden, epsilon);
  if (keep !== null) x = lastPositions(graph, x, keep);
  const logits = options.tied ?
    tiedHead(graph, x, table.matrix(), hidden, vocab) :
    linear(net, x, 'lm_head', hidden, vocab);
  const { logitsType } = options;
  graph.output(logitsType === 'float32' ? logits :
    graph.cast(logits, logitsType), 'logits', logitsType,
  ['batch_size', keep === null ? 'sequence_length' : 'num_logits', vocab]);
}

/** @param {LlamaOptions} options */
function configOf(options) {
  return {
    architectures: ['LlamaForCausalLM'],
    attention_bias: false,
    bos_token_id: options.bos,
    eos_token_id: options.eos,
    head_dim: options.headDim,
    hidden_act: 'silu',
    hidden_size: options.hidden,
    intermediate_size: options.intermediate,
    max_position_embeddings: options.contextLength,
    model_type: 'llama',
    num_attention_heads: options.heads,
    num_hidden_layers: options.layers,
    num_key_value_heads: options.kvHeads,
    pad_token_id: options.pad,
    rms_norm_eps: options.epsilon,
    rope_theta: options.theta,
    tie_word_embeddings: options.tied,
    torch_dtype: 'float32',
    vocab_size: options.vocab,
  };
}

/**
 * Makes a network of the Llama kind.
 * @param {Partial<LlamaOptions>} [given]
 * @returns {TestModel}
 */
export function makeLlama(given = {}) {
  const chosen = { ...LLAMA, ...given };
  const options = {
    headDim: chosen.hidden / chosen.heads, path: PATHS[chosen.dtype], ...chosen,
  };
  const graph = new GraphBuilder(
    '', null, { halves: options.dtype === 'fp16' });
  addNetwork({
    graph, weights: new Weights(options.weights),
    quantised: options.dtype === 'q8',
  }, options);
  return {
    config: configOf(options),
    generationConfig: {
      bos_token_id: options.bos,
      eos_token_id: options.eos,
      pad_token_id: options.pad,
    },
    files: graph.files(options.path, options.externalData),
  };
}
