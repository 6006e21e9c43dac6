// SPDX-License-Identifier: Apache-2.0
// Where the weights of a test model come from: a seed, or a state dict.
import { Random } from '../hub/random.js';

/**
 * A seed, or tensors by their names in the state dict of the PyTorch model.
 * @typedef {number | string | Map<string, Float32Array>} WeightSource
 */

/**
 * Weights drawn from a seed: uniform around 0 with the variance 1 / fan-in, so
 * that values neither explode nor vanish. Norms stay near 1.
 * @param {number | string} seed
 * @param {string} name
 * @param {number[]} dims
 */
function drawWeight(seed, name, dims) {
  const random = new Random(`${seed}/${name}`);
  const data = new Float32Array(dims.reduce((a, b) => a * b, 1));
  const isNorm = dims.length === 1 && name.endsWith('.weight');
  const middle = isNorm ? 1 : 0;
  const range = dims.length === 1 ? 0.1 : Math.sqrt(3 / dims[dims.length - 1]);
  for (let i = 0; i < data.length; i += 1) {
    data[i] = middle + range * (2 * random.next() - 1);
  }
  return data;
}

/** Reads weights by name, in the layout of the state dict. */
export class Weights {
  #source;

  /** @param {WeightSource} source */
  constructor(source) {
    this.#source = source;
  }

  /** @param {string} name */
  has(name) {
    return this.#source instanceof Map && this.#source.has(name);
  }

  /**
   * @param {string} name
   * @param {number[]} dims what it must have
   */
  get(name, dims) {
    if (!(this.#source instanceof Map)) {
      return drawWeight(this.#source, name, dims);
    }
    const data = this.#source.get(name);
    const count = dims.reduce((a, b) => a * b, 1);
    if (data?.length !== count) {
      throw new Error(`${name}: ${data?.length} numbers, expected ${count}`);
    }
    return data;
  }
}

/**
 * Returns the matrix |data| of |rows| x |columns| with the two swapped.
 * @param {Float32Array} data
 * @param {number} rows
 * @param {number} columns
 */
export function transpose(data, rows, columns) {
  const swapped = new Float32Array(data.length);
  for (let row = 0; row < rows; row += 1) {
    for (let column = 0; column < columns; column += 1) {
      swapped[column * rows + row] = data[row * columns + column];
    }
  }
  return swapped;
}

/**
 * Rounds a matrix to 8 bits with one scale for each of its rows.
 * @param {Float32Array} data
 * @param {number} rows
 * @param {number} columns
 */
export function quantise(data, rows, columns) {
  const values = new Int8Array(data.length);
  const scales = new Float32Array(rows);
  for (let row = 0; row < rows; row += 1) {
    const line = data.subarray(row * columns, (row + 1) * columns);
    const peak = line.reduce((most, x) => Math.max(most, Math.abs(x)), 0);
    scales[row] = peak === 0 ? 1 : peak / 127;
    for (let i = 0; i < columns; i += 1) {
      values[row * columns + i] = Math.round(line[i] / scales[row]);
    }
  }
  return { values, scales };
}

/**
 * Rounds numbers to float16, to the nearest one, ties to even.
 * @param {Float32Array} data
 * @returns {Uint16Array} their bits
 */
export function toHalves(data) {
  return Uint16Array.from(data, halfOf);
}

/** Above the largest float16 by half a step: from here on it is infinity. */
const HALF_OVERFLOW = 65520;

/** The smallest exponent of a float16 that is not subnormal. */
const HALF_EXPONENT_MIN = -14;

/** @param {number} value not NaN */
function halfOf(value) {
  const sign = value < 0 || Object.is(value, -0) ? 0x8000 : 0;
  const size = Math.abs(value);
  if (size >= HALF_OVERFLOW) return sign | 0x7c00;
  const exponent = Math.max(HALF_EXPONENT_MIN, Math.floor(Math.log2(size)));
  // In units of the last place; 1024 of them more are the next exponent.
  const units = roundToEven(size / 2 ** (exponent - 10));
  return sign | (units + (exponent - HALF_EXPONENT_MIN) * 1024);
}

/** @param {number} value */
function roundToEven(value) {
  const below = Math.floor(value);
  const rest = value - below;
  if (rest !== 0.5) return rest < 0.5 ? below : below + 1;
  return below % 2 === 0 ? below : below + 1;
}
