// SPDX-License-Identifier: Apache-2.0
// Bytes of a file: held ones, or pseudo-random ones computed from a key and
// an offset, so that a large file costs no memory and any range can be served.

import { createHash } from 'node:crypto';

import { mix32 } from './random.js';

/** Bytes per piece when a file is hashed or streamed. */
export const PIECE_BYTES = 65_536;

/**
 * @typedef {object} Content
 * @property {number} size
 * @property {(start: number, end: number) => Uint8Array} read half-open range
 */

/**
 * @param {Uint8Array} bytes
 * @returns {Content}
 */
export function heldContent(bytes) {
  return {
    size: bytes.length,
    read: (start, end) => bytes.subarray(start, end),
  };
}

/**
 * @param {number} key
 * @param {number} size
 * @returns {Content}
 */
export function generatedContent(key, size) {
  return {
    size,
    read(start, end) {
      const first = Math.floor(start / 4);
      const words = new Uint32Array(Math.ceil(end / 4) - first);
      for (let i = 0; i < words.length; i += 1) {
        words[i] = mix32(key + Math.imul(first + i, 0x9e3779b9));
      }
      const skip = start - first * 4;
      return new Uint8Array(words.buffer, skip, end - start);
    },
  };
}

/**
 * @param {Content} content
 * @param {'sha1' | 'sha256'} algorithm
 * @param {string} [prefix] hashed before the content
 * @returns {string} hexadecimal
 */
export function digestOf(content, algorithm, prefix = '') {
  const hash = createHash(algorithm).update(prefix);
  for (let at = 0; at < content.size; at += PIECE_BYTES) {
    hash.update(content.read(at, Math.min(content.size, at + PIECE_BYTES)));
  }
  return hash.digest('hex');
}

/**
 * @param {Content} content
 * @param {number} start
 * @param {number} end
 * @returns {ReadableStream<Uint8Array>}
 */
export function streamOf(content, start, end) {
  let at = start;
  return new ReadableStream({
    pull(controller) {
      if (at < end) {
        const next = Math.min(end, at + PIECE_BYTES);
        controller.enqueue(content.read(at, next));
        at = next;
      }
      if (at >= end) controller.close();
    },
  });
}
