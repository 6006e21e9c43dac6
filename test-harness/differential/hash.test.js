// SPDX-License-Identifier: Apache-2.0
// The hashes against node:crypto and xxhash-wasm: messages of random lengths and all short
// ones, cut at random places, with states that are carried over to another
// instance of the module in between. TAM_MESSAGES sets the number of random
// messages, TAM_SEED another seed.

import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { before, describe, it } from 'node:test';

import xxhash from 'xxhash-wasm';

import { randomFrom } from '../bench/pages.js';
import { HashModule } from './hash-module.js';

/** @typedef {import('./hash-module.js').Algorithm} Algorithm */

const MESSAGES = Number(process.env.TAM_MESSAGES ?? 2000);
const SEED = Number(process.env.TAM_SEED ?? 1);

/** All lengths up to here are tried: five blocks and the borders around. */
const SHORT_MAX = 330;

/** Random messages are at most that long: more than one piece of the module. */
const LENGTH_MAX = 200000;

/** @type {Algorithm[]} */
const ALGORITHMS = ['sha256', 'sha1'];

/** @type {HashModule[]} */
let modules;

before(async () => {
  modules = await Promise.all([HashModule.load(), HashModule.load()]);
});

/** @param {() => number} random */
function message(random) {
  // Short ones are as likely as long ones.
  const length = Math.floor(LENGTH_MAX ** random());
  return Uint8Array.from({ length }, () => random() * 256);
}

/**
 * Yields the bytes in pieces of random length, some of them empty.
 * @param {Uint8Array} bytes
 * @param {() => number} random
 */
function* pieces(bytes, random) {
  for (let at = 0; at < bytes.length; ) {
    const length = Math.floor(random() ** 3 * 1.1 * bytes.length);
    yield bytes.subarray(at, at + length);
    at += length;
  }
}

/**
 * The digest by our code. After some pieces the state goes over to the other
 * instance.
 * @param {Algorithm} algorithm
 * @param {Uint8Array} bytes
 * @param {() => number} random
 * @param {(module: HashModule) => void} begin
 */
function digest(algorithm, bytes, random, begin) {
  let [module, other] = modules;
  begin(module);
  for (const piece of pieces(bytes, random)) {
    module.update(algorithm, piece);
    if (random() < 0.5) {
      assert.equal(other.load(algorithm, module.save(algorithm)), 0);
      [module, other] = [other, module];
    }
  }
  return module.final(algorithm);
}

/**
 * @param {string} algorithm
 * @param {(string | Uint8Array)[]} parts
 */
function expected(algorithm, ...parts) {
  const hash = createHash(algorithm);
  for (const part of parts) hash.update(part);
  return hash.digest('hex');
}

for (const algorithm of ALGORITHMS) {
  describe(algorithm, () => {
    it('agrees on every short length', () => {
      const random = randomFrom(SEED);
      for (let length = 0; length <= SHORT_MAX; length++) {
        const bytes = Uint8Array.from({ length }, () => random() * 256);
        assert.equal(
          digest(algorithm, bytes, random, (module) => module.init(algorithm)),
          expected(algorithm, bytes), `${length} bytes`);
      }
    });

    it(`agrees on ${MESSAGES} random messages`, () => {
      const random = randomFrom(SEED);
      for (let i = 0; i < MESSAGES; i++) {
        const bytes = message(random);
        assert.equal(
          digest(algorithm, bytes, random, (module) => module.init(algorithm)),
          expected(algorithm, bytes), `message ${i}, ${bytes.length} bytes`);
      }
    });
  });
}

describe('name of a git blob', () => {
  it(`agrees on ${MESSAGES} random files`, () => {
    const random = randomFrom(SEED + 1);
    for (let i = 0; i < MESSAGES; i++) {
      const bytes = message(random);
      const begin = (/** @type {HashModule} */ module) =>
        module.initGitBlob(bytes.length);
      assert.equal(digest('sha1', bytes, random, begin),
        expected('sha1', `blob ${bytes.length}\0`, bytes),
        `file ${i}, ${bytes.length} bytes`);
    }
  });
});

describe('xxh64', () => {
  /** @param {Uint8Array} bytes @param {() => number} random */
  const sumOf = (bytes, random) => {
    const [module] = modules;
    module.init('xxh64');
    for (const piece of pieces(bytes, random)) module.update('xxh64', piece);
    return BigInt(`0x${module.final('xxh64')}`);
  };

  it('agrees on every short length', async () => {
    const { h64Raw } = await xxhash();
    const random = randomFrom(SEED);
    for (let length = 0; length <= SHORT_MAX; length++) {
      const bytes = Uint8Array.from({ length }, () => random() * 256);
      assert.equal(sumOf(bytes, random), h64Raw(bytes), `${length} bytes`);
    }
  });

  it(`agrees on ${MESSAGES} random messages`, async () => {
    const { h64Raw } = await xxhash();
    const random = randomFrom(SEED);
    for (let i = 0; i < MESSAGES; i++) {
      const bytes = message(random);
      assert.equal(sumOf(bytes, random), h64Raw(bytes),
        `message ${i}, ${bytes.length} bytes`);
    }
  });
});

describe('saved states', () => {
  it('are not taken up by another algorithm', () => {
    const [module] = modules;
    for (const algorithm of ALGORITHMS) {
      module.init(algorithm);
    }
    assert.notEqual(module.load('sha1', module.save('sha256')), 0);
    assert.notEqual(module.load('sha256', module.save('sha1')), 0);
  });
});
