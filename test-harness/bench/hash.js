// SPDX-License-Identifier: Apache-2.0
// Hashes of a download: ours (in the module of hash_module.c), node:crypto,
// WebCrypto, which cannot take a message in pieces, and xxhash-wasm.

import { createHash, webcrypto } from 'node:crypto';

import xxhash from 'xxhash-wasm';

import { HashModule, PIECE_MAX } from '../differential/hash-module.js';
import { interleaveAsync, median, medianRatio } from './measure.js';
import { randomFrom } from './pages.js';

/**
 * @typedef {import('./report.js').Section} Section
 * @typedef {import('../differential/hash-module.js').AnyAlgorithm} Algorithm
 * @typedef {import('xxhash-wasm').XXHashAPI} XXHashAPI
 */

const SEED = 20250104;

/** One chunk of the store. */
const BYTES = 16 << 20;

/** What a response body hands over at a time. */
const SMALL_PIECE = 16384;

const ROUNDS = Object.freeze({ rounds: 21, warmUp: 5 });
const QUICK_ROUNDS = Object.freeze({ rounds: 7, warmUp: 3 });

/** Never slower than a line of 1 Gbit/s. */
const TARGET = Object.freeze({ floor: 125, aim: 200 });

/** Every byte that is served is checked: a small part of what reading costs. */
const CHECKSUM_TARGET = Object.freeze({ floor: 1500, aim: 3000 });

function testBytes() {
  const random = randomFrom(SEED);
  const words = Uint32Array.from(
    { length: BYTES / 4 }, () => random() * 2 ** 32);
  return new Uint8Array(words.buffer);
}

/**
 * @param {Uint8Array} bytes
 * @param {number} size of the pieces
 * @param {(piece: Uint8Array) => void} take
 */
function feed(bytes, size, take) {
  for (let at = 0; at < bytes.length; at += size) {
    take(bytes.subarray(at, at + size));
  }
}

/**
 * The ways to hash `bytes`. All of one algorithm give the same.
 * @param {HashModule} module
 * @param {XXHashAPI} peer
 * @param {Uint8Array} bytes
 */
function waysOf(module, peer, bytes) {
  /** @type {(algorithm: Algorithm, size: number) => string} */
  const ours = (algorithm, size) => {
    module.init(algorithm);
    feed(bytes, size, (piece) => module.update(algorithm, piece));
    return module.final(algorithm);
  };
  /** @type {(algorithm: Algorithm) => string} */
  const node = (algorithm) => {
    const hash = createHash(algorithm);
    feed(bytes, PIECE_MAX, (piece) => hash.update(piece));
    return hash.digest('hex');
  };
  return {
    sha256: () => ours('sha256', PIECE_MAX),
    sha256Small: () => ours('sha256', SMALL_PIECE),
    sha256Node: () => node('sha256'),
    sha256Web: async () => Buffer.from(
      await webcrypto.subtle.digest('SHA-256', bytes)).toString('hex'),
    sha1: () => ours('sha1', PIECE_MAX),
    sha1Node: () => node('sha1'),
    xxh64: () => ours('xxh64', PIECE_MAX),
    xxh64Peer: () => {
      const sum = peer.create64();
      feed(bytes, PIECE_MAX, (piece) => sum.update(piece));
      return sum.digest().toString(16).padStart(16, '0');
    },
  };
}

/** @param {ReturnType<typeof waysOf>} ways */
async function checkAgreement(ways) {
  const expected = ways.sha256Node();
  for (const way of [ways.sha256, ways.sha256Small, ways.sha256Web]) {
    if (await way() !== expected) throw new Error('SHA-256 disagrees');
  }
  if (ways.sha1() !== ways.sha1Node()) throw new Error('SHA-1 disagrees');
  if (ways.xxh64() !== ways.xxh64Peer()) throw new Error('XXH64 disagrees');
}

/**
 * @param {{ isQuick: boolean }} options
 * @returns {Promise<Section>}
 */
export async function benchHash({ isQuick }) {
  const ways = waysOf(await HashModule.load(), await xxhash(), testBytes());
  await checkAgreement(ways);
  const times = await interleaveAsync(ways, isQuick ? QUICK_ROUNDS : ROUNDS);
  const timesOf = (/** @type {string} */ way) => times.get(way) ?? [];
  const speed = (/** @type {string} */ way) =>
    BYTES / 1e3 / median(timesOf(way));
  const text = (/** @type {string} */ way) => `${speed(way).toFixed(0)} MB/s`;
  /** @type {(what: string, ours: string, peer: string) => any} */
  const ratio = (what, ours, peer) => ({
    what, unit: 'x', ours: text(ours), peer: text(peer),
    result: medianRatio(timesOf(peer), timesOf(ours)),
  });
  return {
    title: 'Hash of a download',
    notes: [
      `${BYTES >> 20} MiB, in pieces of 64 KiB where nothing else is said`,
      'ours: copied into linear memory and hashed there; can be saved anywhere',
      'peers: the machine\'s own instructions; WebCrypto takes all at once',
    ],
    rows: [
      {
        what: 'SHA-256', unit: 'MB/s', result: speed('sha256'), target: TARGET,
      },
      {
        what: 'SHA-256, pieces of 16 KiB', unit: 'MB/s',
        result: speed('sha256Small'), target: TARGET,
      },
      ratio('SHA-256 against node:crypto', 'sha256', 'sha256Node'),
      ratio('SHA-256 against WebCrypto', 'sha256', 'sha256Web'),
      { what: 'SHA-1', unit: 'MB/s', result: speed('sha1') },
      ratio('SHA-1 against node:crypto', 'sha1', 'sha1Node'),
      {
        what: 'XXH64', unit: 'MB/s', result: speed('xxh64'),
        target: CHECKSUM_TARGET,
      },
      ratio('XXH64 against xxhash-wasm', 'xxh64', 'xxh64Peer'),
    ],
  };
}
