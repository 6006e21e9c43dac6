// SPDX-License-Identifier: Apache-2.0
// Damages documents: a few random changes of bytes, of the kinds that parsers
// get wrong.

/** @typedef {() => number} Random a generator of numbers in [0, 1) */

// Bytes that mean something somewhere in JSON, and some of UTF-8.
const TELLING = [
  ...new TextEncoder().encode('"\\{}[],:0123456789-+.eEtrufalsn \t\n\r/b'),
  0x00, 0x1f, 0x7f, 0x80, 0xbf, 0xc2, 0xe0, 0xed, 0xef, 0xf0, 0xf4, 0xff,
];

/** @param {Random} random @param {number} below */
function integer(random, below) {
  return Math.floor(random() * below);
}

/** @param {Random} random */
function byte(random) {
  return random() < 0.8
    ? TELLING[integer(random, TELLING.length)]
    : integer(random, 256);
}

/**
 * Returns `bytes` with `removed` bytes at `at` replaced by `inserted`.
 * @param {Uint8Array} bytes
 * @param {number} at
 * @param {number} removed
 * @param {ArrayLike<number>} inserted
 */
function splice(bytes, at, removed, inserted) {
  const end = Math.min(at + removed, bytes.length);
  const copy = new Uint8Array(bytes.length - (end - at) + inserted.length);
  copy.set(bytes.subarray(0, at));
  copy.set(inserted, at);
  copy.set(bytes.subarray(end), at + inserted.length);
  return copy;
}

/** @type {((bytes: Uint8Array, at: number, random: Random) => Uint8Array)[]} */
const CHANGES = [
  (bytes, at, random) => splice(bytes, at, 1, [byte(random)]),
  (bytes, at, random) => splice(bytes, at, 0, [byte(random)]),
  (bytes, at, random) => splice(bytes, at, integer(random, 4) + 1, []),
  (bytes, at, random) => {
    const from = integer(random, bytes.length);
    const part = bytes.subarray(from, from + integer(random, 24));
    return splice(bytes, at, 0, part);
  },
  (bytes, at) => splice(bytes, at, 2, bytes.slice(at, at + 2).reverse()),
  (bytes, at, random) =>
    splice(bytes, at, 1, [bytes[at] ^ (1 << integer(random, 8))]),
];

/**
 * Returns a damaged copy of `bytes`; now and then they stay as they are.
 * @param {Uint8Array} bytes
 * @param {Random} random
 * @returns {Uint8Array}
 */
export function mutate(bytes, random) {
  let copy = bytes;
  for (let changes = integer(random, 4); changes > 0; changes--) {
    const change = CHANGES[integer(random, CHANGES.length)];
    copy = copy.length > 0 ? change(copy, integer(random, copy.length), random) : copy;
  }
  return random() < 0.05
    ? copy.subarray(0, integer(random, copy.length + 1))
    : copy;
}
