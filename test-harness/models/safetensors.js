// SPDX-License-Identifier: Apache-2.0
// Reads the safetensors format: the length of a header, the header in JSON, and
// the data.

/** Bytes of the header's length. */
const LENGTH_BYTES = 8;

/**
 * @param {Buffer} file
 * @returns {Map<string, Float32Array>} tensors by name
 */
export function readSafetensors(file) {
  const start = LENGTH_BYTES + Number(file.readBigUInt64LE(0));
  const header = JSON.parse(file.toString('utf8', LENGTH_BYTES, start));
  /** @type {Map<string, Float32Array>} */
  const tensors = new Map();
  for (const [name, { dtype, data_offsets: [from, to] }] of
    Object.entries(header)) {
    if (dtype !== 'F32') throw new Error(`${name} is ${dtype}, expected F32`);
    // A copy, because the place in the file need not be aligned.
    const bytes = Uint8Array.from(file.subarray(start + from, start + to));
    tensors.set(name, new Float32Array(bytes.buffer));
  }
  return tensors;
}
