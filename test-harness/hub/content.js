// SPDX-License-Identifier: Apache-2.0
// Bytes of a file: held ones, or pseudo-random ones that follow from a key and
// an offset, so that a large file costs no memory and any range can be served.

import { createHash } from 'node:crypto';

import { hashText, mix32 } from './random.js';

/** Bytes per piece when a file is hashed or streamed. */
export const PIECE_BYTES = 262_144;

/** A generated file consists of blocks: windows onto one random noise. */
const BLOCK_BYTES = 1_048_576;

/** Hashes of generated files kept: they cost seconds per gigabyte. */
const KEPT_DIGESTS = 10_000;

/** @type {Map<string, string>} hash by algorithm and name of the content */
const digests = new Map();

/** @type {Uint8Array | undefined} two blocks, made when first needed */
let noise;

/**
 * @typedef {object} Content
 * @property {number} size
 * @property {(start: number, end: number) => Uint8Array} read half-open range
 * @property {string} [name] tells all bytes, if they are generated
 */

/** @typedef {{ size: number, seed: number | string }} Generated */

/** @typedef {Uint8Array | string | Generated} Upload a file to publish */

/**
 * @param {Upload} upload
 * @returns {Content}
 */
export function uploadedContent(upload) {
  if (typeof upload === 'string') return heldContent(Buffer.from(upload));
  if (upload instanceof Uint8Array) return heldContent(upload);
  return generatedContent(hashText(String(upload.seed)), upload.size);
}

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
 * Copying is all the work, so that a server is not held up by its content. The
 * step between windows is odd, so no two blocks of a file (up to 1 TiB) agree.
 * @param {number} key
 * @param {number} size
 * @returns {Content}
 */
export function generatedContent(key, size) {
  const step = mix32(key) | 1;
  return {
    size,
    name: `${key} ${size}`,
    read(start, end) {
      const pieces = [];
      for (let at = start; at < end;) {
        const block = Math.floor(at / BLOCK_BYTES);
        const first = block * BLOCK_BYTES;
        const stop = Math.min(end, first + BLOCK_BYTES);
        const window = (key + Math.imul(block, step)) & (BLOCK_BYTES - 1);
        pieces.push(readNoise(window + at - first, window + stop - first));
        at = stop;
      }
      return pieces.length === 1 ? pieces[0] : Buffer.concat(pieces);
    },
  };
}

/**
 * @param {number} start
 * @param {number} end
 */
function readNoise(start, end) {
  noise ??= makeNoise();
  return noise.slice(start, end);
}

function makeNoise() {
  const words = new Uint32Array(2 * BLOCK_BYTES / 4);
  for (let i = 0; i < words.length; i += 1) words[i] = mix32(i * 0x9e3779b9);
  return new Uint8Array(words.buffer);
}

/**
 * @param {Content} content
 * @param {'sha1' | 'sha256'} algorithm
 * @param {string} [prefix] hashed before the content
 * @returns {string} hexadecimal
 */
export function digestOf(content, algorithm, prefix = '') {
  const name = content.name && `${algorithm} ${prefix}${content.name}`;
  const known = name && digests.get(name);
  if (known) return known;
  const digest = computeDigest(content, algorithm, prefix);
  if (name && digests.size >= KEPT_DIGESTS) digests.clear();
  if (name) digests.set(name, digest);
  return digest;
}

/**
 * @param {Content} content
 * @param {'sha1' | 'sha256'} algorithm
 * @param {string} prefix
 */
function computeDigest(content, algorithm, prefix) {
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
        // Whole pieces of the file, so that none lies across two blocks.
        const next = Math.min(end, at - (at % PIECE_BYTES) + PIECE_BYTES);
        controller.enqueue(content.read(at, next));
        at = next;
      }
      if (at >= end) controller.close();
    },
  });
}
