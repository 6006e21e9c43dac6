// SPDX-License-Identifier: Apache-2.0
// Runs a decoder on onnxruntime-web as plainly as possible: one row, greedy
// about nothing, every logit kept. The yardstick for the engine.
import * as ort from 'onnxruntime-web';

/** @typedef {import('./llama.js').TestModel} TestModel */
/** @typedef {ort.InferenceSession.TensorValueMetadata} Metadata */
/** @typedef {Map<string, ort.Tensor>} Caches */

/**
 * Opens the graph |path| of a model; the other files beside it are its external
 * data.
 * @param {Map<string, Uint8Array>} files
 * @param {string} path
 */
export function openGraph(files, path) {
  const graph = /** @type {Uint8Array} */ (files.get(path));
  const externalData = [...files]
    .filter(([name]) => name.startsWith(`${path}_data`))
    .map(([name, data]) => ({ path: name.replace(/.*\//, ''), data }));
  return ort.InferenceSession.create(graph, { externalData });
}

/**
 * @param {'int64' | 'int32'} type
 * @param {number[]} values
 * @param {number[]} dims
 */
export function intTensor(type, values, dims) {
  return type === 'int64' ?
    new ort.Tensor('int64', BigInt64Array.from(values, BigInt), dims) :
    new ort.Tensor('int32', Int32Array.from(values), dims);
}

/**
 * @param {string} type
 * @param {number} count
 */
function zeros(type, count) {
  return type === 'float16' ? new Uint16Array(count) : new Float32Array(count);
}

/** The name of the input that an output of this name becomes. */
const PAST_OF = /** @type {[RegExp, string][]} */ ([
  [/^present_conv/, 'past_conv'],
  [/^present_(\d+)$/, 'past_$1'],
  [/^present/, 'past_key_values'],
]);

/** @param {string} output */
function pastName(output) {
  for (const [pattern, replacement] of PAST_OF) {
    if (pattern.test(output)) return output.replace(pattern, replacement);
  }
  return null;
}

/** A sequence in the making on one session. */
export class GraphRun {
  #session;
  #config;
  /** @type {Caches} */
  #caches = new Map();
  #past = 0;

  /**
   * @param {ort.InferenceSession} session
   * @param {Record<string, any>} config of the model, for sizes that the
   *   metadata do not tell
   */
  constructor(session, config) {
    this.#session = session;
    this.#config = config;
  }

  /** @param {Metadata} about */
  #empty({ type, shape }) {
    const { num_key_value_heads: heads, head_dim: size } = this.#config;
    const known = /** @type {Record<string, number>} */ (
      { batch_size: 1, num_heads: heads, head_dim: size });
    const dims = shape.map((dim) =>
      typeof dim === 'number' ? dim : known[dim] ?? 0);
    const count = dims.reduce((a, b) => a * b, 1);
    return new ort.Tensor(/** @type {any} */ (type),
      /** @type {any} */ (zeros(type, count)), dims);
  }

  /**
   * @param {Metadata} about
   * @param {number[]} ids
   * @param {Record<string, ort.Tensor>} given
   */
  #value(about, ids, given) {
    const type = /** @type {'int64' | 'int32'} */ (about.type);
    const total = this.#past + ids.length;
    if (given[about.name]) return given[about.name];
    switch (about.name) {
      case 'input_ids':
        return intTensor(type, ids, [1, ids.length]);
      case 'attention_mask':
        return intTensor(type, Array(total).fill(1), [1, total]);
      case 'position_ids':
        return intTensor(type, ids.map((_, i) => this.#past + i),
          [1, ids.length]);
      case 'num_logits_to_keep':
        return intTensor(type, [0], []);
      case 'use_cache_branch':
        return new ort.Tensor('bool', [this.#past > 0], [1]);
      default:
        return this.#caches.get(about.name) ?? this.#empty(about);
    }
  }

  /**
   * Runs the graph on the next |ids| and returns the logits of each of them,
   * one after the other.
   * @param {number[]} ids
   * @param {Record<string, ort.Tensor>} [given] inputs of other kinds
   * @returns {Promise<Float32Array>}
   */
  async step(ids, given = {}) {
    const about = /** @type {readonly Metadata[]} */ (
      this.#session.inputMetadata);
    const results = await this.#session.run(Object.fromEntries(
      about.map((input) => [input.name, this.#value(input, ids, given)])));
    for (const [name, tensor] of Object.entries(results)) {
      const past = pastName(name);
      // The branch with a cache gives nothing for the encoder's part.
      if (past !== null && !(this.#past > 0 && past.includes('.encoder.'))) {
        this.#caches.set(past, tensor);
      }
    }
    this.#past += ids.length;
    return numbersOf(results.logits.data);
  }
}

/**
 * The number of 16 bits |half|; onnxruntime-web gives either the bits or, where
 * there is a Float16Array, the number itself.
 * @param {number} half
 */
function halfToFloat(half) {
  if (!Number.isInteger(half)) return half;
  const exponent = (half >> 10) & 31;
  const fraction = half & 1023;
  const size = exponent === 0 ? fraction * 2 ** -24 :
    (1 + fraction / 1024) * 2 ** (exponent - 15);
  return half & 0x8000 ? -size : size;
}

/**
 * What a tensor of float32 or float16 holds.
 * @param {any} data
 * @returns {Float32Array}
 */
export function numbersOf(data) {
  return data instanceof Float32Array ? data :
    Float32Array.from(data, halfToFloat);
}
