// SPDX-License-Identifier: Apache-2.0
// The generated networks are what they say: each convention runs on
// onnxruntime-web, and what the cache remembers is what a whole run computes.
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { GRAPHS } from './graphs.js';
import { GraphRun, openGraph } from './run-graph.js';
import { toHalves } from './weights.js';

const IDS = [1, 17, 250, 3, 99, 180, 42];

/**
 * Logits of all positions, with the ids in pieces of the given lengths.
 * @param {import('./graphs.js').NamedGraph} graph
 * @param {number[]} lengths
 */
async function logitsOf({ model, path, inputs }, lengths) {
  const session = await openGraph(model.files, path);
  const run = new GraphRun(session, model.config);
  const given = await inputs?.(model) ?? {};
  /** @type {number[]} */
  const logits = [];
  let from = 0;
  for (const length of lengths) {
    logits.push(...await run.step(IDS.slice(from, from + length), given));
    from += length;
  }
  await session.release();
  return logits;
}

/**
 * @param {number[]} actual
 * @param {number[]} expected
 */
function largestDifference(actual, expected) {
  assert.equal(actual.length, expected.length);
  return actual.reduce((most, x, i) => Math.max(most,
    Math.abs(x - expected[i])), 0);
}

for (const { name, make } of GRAPHS) {
  test(`${name}: the same logits with and without a cache`, async () => {
    const graph = make();
    const vocab = graph.model.config.vocab_size;
    const whole = await logitsOf(graph, [IDS.length]);
    assert.equal(whole.length, IDS.length * vocab);
    assert.ok(whole.every(Number.isFinite));
    assert.ok(Math.max(...whole) - Math.min(...whole) > 1, 'flat logits');
    for (const lengths of [[1, 1, 1, 1, 1, 1, 1], [4, 2, 1]]) {
      const pieces = await logitsOf(graph, lengths);
      assert.ok(largestDifference(pieces, whole) < 1e-3);
    }
  });
}

test('ids in another order have other logits', async () => {
  const { model, path } = GRAPHS[0].make();
  const session = await openGraph(model.files, path);
  const last = async (/** @type {number[]} */ ids) =>
    (await new GraphRun(session, model.config).step(ids))
      .slice(-model.config.vocab_size);
  const [there, back] = [await last([5, 6, 7]), await last([6, 5, 7])];
  assert.ok(largestDifference([...there], [...back]) > 1e-2);
});

test('float16 as IEEE 754 rounds to it', () => {
  for (const [value, bits] of [
    [0, 0x0000], [-0, 0x8000], [1, 0x3c00], [-2, 0xc000], [1 / 3, 0x3555],
    // The largest one, what is still rounded down to it, and what is not.
    [65504, 0x7bff], [65519, 0x7bff], [65520, 0x7c00], [-Infinity, 0xfc00],
    // Halfway between two: the one that ends in 0.
    [1 + 2 ** -11, 0x3c00], [1 + 3 * 2 ** -11, 0x3c02],
    // Up to the next exponent.
    [2048 - 0.5, 0x6800],
    // Subnormal ones: the largest, the smallest, and half of that.
    [1023 * 2 ** -24, 0x03ff], [2 ** -24, 0x0001], [2 ** -25, 0x0000],
  ]) {
    assert.deepEqual([...toHalves(Float32Array.of(value))], [bits], `${value}`);
  }
});
