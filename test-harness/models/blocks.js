// SPDX-License-Identifier: Apache-2.0
// What networks of the transformer kind are made of, as nodes of a graph.
import { quantise, transpose } from './weights.js';

/** @typedef {import('./graph-builder.js').GraphBuilder} GraphBuilder */
/** @typedef {import('./weights.js').Weights} Weights */

/** What a masked score gets: the lowest float32, as PyTorch has it. */
const LOWEST = -3.4028234663852886e38;

/** Where a slice that goes to the end ends. */
export const END = 2 ** 31 - 1;

/**
 * A graph in the making and what its weights are.
 * @typedef {{ graph: GraphBuilder, weights: Weights, quantised: boolean }} Net
 */

/**
 * x @ weight.T (+ bias), with |weight| of [to, from] as a torch Linear has it.
 * @param {Net} net
 * @param {string} x
 * @param {string} name of the layer
 * @param {number} from
 * @param {number} to
 * @param {{ bias?: boolean, conv1d?: boolean }} [kind] conv1d: the weight is
 *   [from, to], as in GPT-2
 */
export function linear({ graph, weights, quantised }, x, name, from, to,
  { bias = false, conv1d = false } = {}) {
  const given = weights.get(`${name}.weight`, conv1d ? [from, to] : [to, from]);
  const rows = conv1d ? transpose(given, from, to) : given;
  const matrix = `${name}.MatMul.weight`;
  let y;
  if (quantised) {
    const { values, scales } = quantise(rows, to, from);
    const columns = new Int8Array(values.length);
    for (let i = 0; i < values.length; i += 1) {
      columns[(i % from) * to + Math.floor(i / from)] = values[i];
    }
    y = graph.node('MatMul', [x, graph.node('DequantizeLinear', [
      graph.weight(`${matrix}_quantized`, columns, [from, to]),
      graph.weight(`${matrix}_scale`, scales, [to]),
    ], { axis: 1 })]);
  } else {
    y = graph.node('MatMul',
      [x, graph.weight(matrix, transpose(rows, to, from), [from, to])]);
  }
  return bias ? graph.node('Add', [y, vector(graph, weights, `${name}.bias`,
    to)]) : y;
}

/**
 * @param {GraphBuilder} graph
 * @param {Weights} weights
 * @param {string} name
 * @param {number} size
 */
function vector(graph, weights, name, size) {
  return graph.weight(name, weights.get(name, [size]), [size]);
}

/**
 * A table of embeddings, which may also be the head of the network.
 * @param {Net} net
 * @param {string} name of the weight
 * @param {number} rows
 * @param {number} columns
 */
export function embedding({ graph, weights, quantised }, name, rows, columns) {
  const data = weights.get(name, [rows, columns]);
  if (!quantised) {
    const table = graph.weight(name, data, [rows, columns]);
    return {
      /** @param {string} ids */
      rows: (ids) => graph.node('Gather', [table, ids]),
      matrix: () => table,
    };
  }
  const { values, scales } = quantise(data, rows, columns);
  const table = graph.weight(`${name}_quantized`, values, [rows, columns]);
  const column = graph.weight(`${name}_scale`, scales, [rows, 1]);
  return {
    /** @param {string} ids */
    rows: (ids) => graph.node('Mul', [
      graph.cast(graph.node('Gather', [table, ids]), 'float32'),
      graph.node('Gather', [column, ids]),
    ]),
    matrix: () => graph.node('DequantizeLinear',
      [table, graph.reshape(column, [rows])], { axis: 0 }),
  };
}

/**
 * Logits of [batch, sequence, vocab] by a matrix of [vocab, hidden].
 * @param {GraphBuilder} graph
 * @param {string} x [batch, sequence, hidden]
 * @param {string} matrix
 * @param {number} hidden
 * @param {number} vocab
 */
export function tiedHead(graph, x, matrix, hidden, vocab) {
  const flat = graph.node('Gemm', [graph.reshape(x, [-1, hidden]), matrix],
    { transB: 1 });
  const shape = graph.node('Concat', [
    graph.node('Slice', [graph.node('Shape', [x]), graph.ints([0]),
      graph.ints([2])]), graph.ints([vocab]),
  ], { axis: 0 });
  return graph.node('Reshape', [flat, shape]);
}

/**
 * The last |count| positions of [batch, sequence, hidden]; all of them when the
 * count, a scalar value, is 0.
 * @param {GraphBuilder} graph
 * @param {string} x
 * @param {string} count
 */
export function lastPositions(graph, x, count) {
  const start = graph.node('Neg', [graph.unsqueeze(count, [0])]);
  return graph.node('Slice',
    [x, start, graph.ints([END]), graph.ints([1])]);
}

/**
 * @param {Net} net
 * @param {string} x
 * @param {string} name
 * @param {number} size
 * @param {number} epsilon
 */
export function rmsNorm({ graph, weights }, x, name, size, epsilon) {
  const mean = graph.node('ReduceMean', [graph.node('Mul', [x, x])],
    { axes: [-1] });
  const root = graph.node('Sqrt',
    [graph.node('Add', [mean, graph.float(epsilon)])]);
  return graph.node('Mul', [graph.node('Div', [x, root]),
    vector(graph, weights, `${name}.weight`, size)]);
}

/**
 * @param {Net} net
 * @param {string} x
 * @param {string} name
 * @param {number} size
 */
export function layerNorm({ graph, weights }, x, name, size) {
  return graph.node('LayerNormalization', [
    x, vector(graph, weights, `${name}.weight`, size),
    vector(graph, weights, `${name}.bias`, size),
  ], { axis: -1, epsilon: { f: 1e-5 } });
}

/**
 * @param {GraphBuilder} graph
 * @param {string} x
 */
export function silu(graph, x) {
  return graph.node('Mul', [x, graph.node('Sigmoid', [x])]);
}

/**
 * Returns [from, from + 1, ..., to - 1] of two scalar values.
 * @param {GraphBuilder} graph
 * @param {string} from
 * @param {string} to
 */
function range(graph, from, to) {
  return graph.node('Range', [from, to, graph.ints(1)]);
}

/**
 * Distance of query and key, [sequence, total]: how far back the key lies.
 * @param {GraphBuilder} graph
 * @param {string} length of the sequence, a scalar
 * @param {string} total of the keys, a scalar
 */
export function distance(graph, length, total) {
  const past = graph.node('Sub', [total, length]);
  const queries = graph.unsqueeze(range(graph, past, total), [1]);
  return graph.node('Sub', [queries, range(graph, graph.ints(0), total)]);
}

/**
 * What is added to scores of [batch, heads, sequence, total]: nothing where a
 * key is |seen|, else the lowest number.
 * @param {GraphBuilder} graph
 * @param {string} seen of bools
 */
export function scoreBias(graph, seen) {
  return graph.node('Where', [seen, graph.float(0), graph.float(LOWEST)]);
}

/**
 * Which keys are no padding, [batch, 1, 1, total].
 * @param {GraphBuilder} graph
 * @param {string} mask [batch, total], 1 for a token, 0 for padding
 */
export function unpadded(graph, mask) {
  return graph.unsqueeze(graph.cast(mask, 'bool'), [1, 2]);
}

/**
 * The bias of keys that are padding or lie ahead.
 * @param {GraphBuilder} graph
 * @param {string} mask [batch, total]
 * @param {string} length of the sequence, a scalar
 */
export function maskBias(graph, mask, length) {
  const back = distance(graph, length, graph.size(mask, 1));
  return scoreBias(graph, graph.node('And',
    [graph.node('GreaterOrEqual', [back, graph.ints(0)]),
      unpadded(graph, mask)]));
}

/**
 * Positions of [batch, sequence] by the mask alone: the count of tokens before,
 * 0 for padding.
 * @param {GraphBuilder} graph
 * @param {string} mask
 * @param {string} length of the sequence, a scalar
 */
export function positionsOf(graph, mask, length) {
  const counted = graph.node('Sub',
    [graph.node('CumSum', [mask, graph.ints(1)]), graph.ints(1)]);
  return lastPositions(graph,
    graph.node('Max', [counted, graph.ints(0)]), length);
}

/**
 * Cosine and sine of rotary positions, [batch, 1, sequence, size].
 * @param {GraphBuilder} graph
 * @param {string} positions [batch, sequence]
 * @param {number} size of a head
 * @param {number} theta
 */
export function rotary(graph, positions, size, theta) {
  const frequencies = Float32Array.from({ length: size },
    (_, i) => theta ** (-2 * (i % (size / 2)) / size));
  const angles = graph.node('Mul', [
    graph.cast(graph.unsqueeze(positions, [1, 3]), 'float32'),
    graph.weight('rotary.inv_freq', frequencies, [size]),
  ]);
  return { cos: graph.node('Cos', [angles]), sin: graph.node('Sin', [angles]) };
}

/**
 * @param {GraphBuilder} graph
 * @param {string} x [batch, heads, sequence, size]
 * @param {{ cos: string, sin: string }} angles
 */
export function rotate(graph, x, { cos, sin }) {
  const [first, second] = graph.nodes('Split', [x], { axis: -1 }, 2);
  const half = graph.node('Concat', [graph.node('Neg', [second]), first],
    { axis: -1 });
  return graph.node('Add',
    [graph.node('Mul', [x, cos]), graph.node('Mul', [half, sin])]);
}

/**
 * [batch, sequence, heads * size] to [batch, heads, sequence, size].
 * @param {GraphBuilder} graph
 * @param {string} x
 * @param {number} heads
 * @param {number} size
 */
export function splitHeads(graph, x, heads, size) {
  return graph.node('Transpose', [graph.reshape(x, [0, 0, heads, size])],
    { perm: [0, 2, 1, 3] });
}

/**
 * Keys or values of [batch, kvHeads, total, size], one for each query head.
 * @param {GraphBuilder} graph
 * @param {string} x
 * @param {number} kvHeads
 * @param {number} heads
 * @param {number} size
 */
function repeatHeads(graph, x, kvHeads, heads, size) {
  if (kvHeads === heads) return x;
  const shape = graph.ints([1, 1, heads / kvHeads, 1, 1]);
  const repeated = graph.node('Expand', [graph.unsqueeze(x, [2]), shape]);
  return graph.reshape(repeated, [0, heads, -1, size]);
}

/**
 * Attention of queries [batch, heads, sequence, size]; returns [batch,
 * sequence, heads * size].
 * @param {GraphBuilder} graph
 * @param {{ q: string, k: string, v: string, bias: string, heads: number,
 *   kvHeads: number, size: number, scale?: number }} parts
 */
export function attention(graph,
  { q, k, v, bias, heads, kvHeads, size, scale = size ** -0.5 }) {
  const keys = graph.node('Transpose',
    [repeatHeads(graph, k, kvHeads, heads, size)], { perm: [0, 1, 3, 2] });
  const scores = graph.node('Mul',
    [graph.node('MatMul', [q, keys]), graph.float(scale)]);
  const weights = graph.node('Softmax',
    [graph.node('Add', [scores, bias])], { axis: -1 });
  const seen = graph.node('MatMul',
    [weights, repeatHeads(graph, v, kvHeads, heads, size)]);
  const together = graph.node('Transpose', [seen], { perm: [0, 2, 1, 3] });
  return graph.reshape(together, [0, 0, heads * size]);
}
