// SPDX-License-Identifier: Apache-2.0
// Tensors that stay on the host: made of bytes, cut, and gathered by rows.

/**
 * @typedef {any} Tensor of onnxruntime-web
 * @typedef {any} Ort the module onnxruntime-web
 */

/**
 * What holds the elements of each type.
 * @type {Record<string, any>}
 */
const ARRAYS = {
  int64: BigInt64Array,
  int32: Int32Array,
  bool: Uint8Array,
  float32: Float32Array,
  float16: /** @type {any} */ (globalThis).Float16Array ?? Uint16Array,
};

/**
 * Makes a tensor of bytes; of zeros when there are none.
 * @param {Ort} ort
 * @param {string} type
 * @param {number[]} dims
 * @param {Uint8Array} [bytes]
 * @returns {Tensor}
 */
export function tensorOf(ort, type, dims, bytes) {
  const Elements = ARRAYS[type];
  if (!Elements) throw new TypeError(`there are no tensors of ${type} here`);
  return new ort.Tensor(type, bytes ? elementsOf(Elements, bytes)
    : new Elements(product(dims, 0)), dims);
}

/**
 * @param {any} Elements what holds them
 * @param {Uint8Array} bytes
 */
function elementsOf(Elements, bytes) {
  const size = Elements.BYTES_PER_ELEMENT;
  // Elements have to be aligned.
  const { buffer, byteOffset, byteLength }
    = bytes.byteOffset % size === 0 ? bytes : bytes.slice();
  return new Elements(buffer, byteOffset, byteLength / size);
}

/**
 * The elements of a tensor, wherever they are.
 * @param {Tensor} tensor
 */
function dataOf(tensor) {
  return tensor.location === 'cpu' || tensor.location === 'cpu-pinned'
    ? tensor.data : tensor.getData();
}

/**
 * Ends a tensor that nobody else uses, and frees its memory at once: each token
 * replaces the whole cache, and the collector would let copies of it pile up
 * before it stops the answer to clear them away.
 * @param {Tensor} tensor
 */
export function discard(tensor) {
  const { buffer, byteLength } = tensor.location === 'cpu' ? tensor.data : {};
  tensor.dispose();
  // A part of a larger memory is not the tensor's own.
  if (buffer instanceof ArrayBuffer && buffer.byteLength === byteLength) {
    /** @type {any} */ (buffer).transfer?.(0); // unknown to Node 20
  }
}

/**
 * The first `length` along `axis`.
 * @param {Ort} ort
 * @param {Tensor} tensor
 * @param {number} axis
 * @param {number} length
 * @returns {Promise<Tensor>}
 */
export async function cut(ort, tensor, axis, length) {
  const { type, dims } = tensor;
  if (length >= dims[axis]) return tensor;
  const source = await dataOf(tensor);
  const inner = product(dims, axis + 1);
  const from = dims[axis] * inner;
  const to = length * inner;
  const outer = product(dims, 0, axis);
  const data = new source.constructor(outer * to);
  for (let i = 0; i < outer; i += 1) {
    data.set(source.subarray(i * from, i * from + to), i * to);
  }
  return new ort.Tensor(type, data, withDim(dims, axis, length));
}

/**
 * The given rows along `axis`, in their order; a row may come several times.
 * @param {Ort} ort
 * @param {Tensor} tensor
 * @param {number} axis
 * @param {number[]} rows
 * @returns {Promise<Tensor>}
 */
export async function gather(ort, tensor, axis, rows) {
  const { type, dims } = tensor;
  const source = await dataOf(tensor);
  const inner = product(dims, axis + 1);
  const outer = product(dims, 0, axis);
  const data = new source.constructor(outer * rows.length * inner);
  for (let i = 0; i < outer; i += 1) {
    rows.forEach((row, at) => {
      const from = (i * dims[axis] + row) * inner;
      data.set(source.subarray(from, from + inner),
        (i * rows.length + at) * inner);
    });
  }
  return new ort.Tensor(type, data, withDim(dims, axis, rows.length));
}

/**
 * The last position of each row of [rows, positions, entries] or
 * [rows, entries], as bytes.
 * @param {Tensor} tensor
 * @returns {Promise<Uint8Array[]>}
 */
export async function lastPositions(tensor) {
  const { dims } = tensor;
  const data = await dataOf(tensor);
  const entries = dims.at(-1);
  const positions = dims.length > 2 ? dims.at(-2) : 1;
  const rows = data.length / entries / positions;
  return Array.from({ length: rows }, (_, row) => {
    const at = ((row + 1) * positions - 1) * entries;
    const { buffer, byteOffset, byteLength }
      = data.subarray(at, at + entries);
    return new Uint8Array(buffer, byteOffset, byteLength);
  });
}

/**
 * @param {readonly number[]} dims
 * @param {number} axis
 * @param {number} length
 */
function withDim(dims, axis, length) {
  return dims.map((dim, i) => (i === axis ? length : dim));
}

/**
 * @param {number[]} dims
 * @param {number} from
 * @param {number} [to]
 */
function product(dims, from, to) {
  return dims.slice(from, to).reduce((all, dim) => all * dim, 1);
}
