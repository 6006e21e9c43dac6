// SPDX-License-Identifier: Apache-2.0
// JSON documents made to hurt a parser, streamed so that the simulator itself
// never holds them.

/** @typedef {'depth' | 'numbers' | 'utf8' | 'string'} HostileKind */

const PIECE_BYTES = 65_536;

/** Sizes used when a rule gives none. */
const DEFAULT_SIZES = {
  depth: 100_000, numbers: 1_000, utf8: 1, string: 100_000_000,
};

/**
 * @param {HostileKind} kind
 * @param {number} [size] levels, digits, bad bytes, or characters
 * @returns {ReadableStream<Uint8Array>}
 */
export function hostileBody(kind, size = DEFAULT_SIZES[kind]) {
  const parts = PARTS[kind](size);
  return new ReadableStream({
    pull(controller) {
      const { done, value } = parts.next();
      if (done) controller.close();
      else controller.enqueue(value);
    },
  });
}

/** @type {Record<HostileKind, (size: number) => Generator<Uint8Array>>} */
const PARTS = {
  /** Arrays within arrays. */
  * depth(levels) {
    yield* repeated('[', levels);
    yield* repeated(']', levels);
  },
  /** Numbers with absurdly many digits, and exponents beyond any double. */
  * numbers(digits) {
    yield bytes('[{"id":"a/b","downloads":');
    yield* repeated('9', digits);
    yield bytes(',"likes":1e999999,"trendingScore":-0.');
    yield* repeated('0', digits);
    yield bytes('1}]');
  },
  /** Bytes that are not UTF-8, inside a string. */
  * utf8(count) {
    yield bytes('[{"id":"a/');
    yield new Uint8Array(count).fill(0xff);
    yield bytes('"}]');
  },
  /** One very long string. */
  * string(characters) {
    yield bytes('[{"id":"');
    yield* repeated('x', characters);
    yield bytes('"}]');
  },
};

/**
 * @param {string} character
 * @param {number} count
 */
function* repeated(character, count) {
  const code = character.charCodeAt(0);
  for (let left = count; left > 0; left -= PIECE_BYTES) {
    yield new Uint8Array(Math.min(left, PIECE_BYTES)).fill(code);
  }
}

/** @param {string} text */
function bytes(text) {
  return new TextEncoder().encode(text);
}
