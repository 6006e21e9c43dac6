// SPDX-License-Identifier: Apache-2.0
// Each generated graph is run by nothing but C's plan of its session: the
// logits are those of a plain run, and so are those after a cache was cut.
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { Tensor } from 'onnxruntime-web';

import { runDriver } from '../differential/driver.js';
import { GRAPHS } from './graphs.js';
import { GraphRun, intTensor, numbersOf, openGraph } from './run-graph.js';

const IDS = [1, 17, 250, 3, 99, 180];
const DECODER = 2;

/** @typedef {import('onnxruntime-web').InferenceSession} Session */
/** @typedef {Map<string, Tensor>} Cache */

/**
 * @typedef {{ output: string, vocab: number, canCut: boolean,
 *   feeds: { name: string, meaning: number, type: 'int64' | 'int32',
 *   rank: number }[],
 *   cache: { name: string, type: 'float32' | 'float16', dims: number[] }[],
 *   first: Record<string, string>, later: Record<string, string>,
 *   axes: Record<string, number> }} Plan
 */

/**
 * Asks C for the plan of |session|.
 * @param {Session} session
 * @param {Record<string, any>} config
 * @returns {Plan}
 */
function planOf({ inputMetadata, outputMetadata }, config) {
  const sizes = [config.num_key_value_heads ?? 0, config.head_dim ?? 0];
  const metadata = { inputs: inputMetadata, outputs: outputMetadata };
  const [json] = runDriver('session_plan_driver', 'native',
    `${DECODER} ${sizes.join(' ')}\n${JSON.stringify(metadata)}`);
  const plan = JSON.parse(json);
  assert.equal(plan.problem, undefined);
  return plan;
}

/** @param {Plan['cache'][number]} about */
function emptyTensor({ type, dims }) {
  const count = dims.reduce((a, b) => a * b, 1);
  return type === 'float32' ?
    new Tensor(type, new Float32Array(count), dims) :
    new Tensor(type, new Uint16Array(count), dims);
}

/**
 * Values of a feed by its meaning, in the order of the enumeration.
 * @param {Plan['feeds'][number]} feed
 * @param {number[]} ids
 * @param {number} past
 * @param {number} source tokens that the encoder has read
 */
function feedValue({ meaning, type, rank }, ids, past, source) {
  const ones = (/** @type {number} */ count) =>
    intTensor(type, Array(count).fill(1), [1, count]);
  return [
    () => intTensor(type, ids, [1, ids.length]),
    () => ones(past + ids.length),
    () => intTensor(type, ids.map((_, i) => past + i), [1, ids.length]),
    () => intTensor(type, [0], rank === 0 ? [] : [1]),
    () => new Tensor('bool', [past > 0], [1]),
    () => ones(source),
  ][meaning]();
}

/**
 * Runs |ids| on top of |past| tokens in the cache.
 * @param {Session} session
 * @param {Plan} plan
 * @param {Cache} cache
 * @param {number[]} ids
 * @param {number} past
 */
async function step(session, plan, cache, ids, past) {
  const source = cache.get('encoder_hidden_states')?.dims[1] ?? 0;
  /** @type {Record<string, Tensor>} */
  const inputs = {};
  for (const [name, tensor] of cache) inputs[name] = tensor;
  for (const feed of plan.feeds) {
    inputs[feed.name] = feedValue(feed, ids, past, source);
  }
  const keep = Object.entries(past === 0 ? plan.first : plan.later);
  const outputs = await session.run(inputs,
    [plan.output, ...keep.map(([output]) => output)]);
  for (const [output, input] of keep) cache.set(input, outputs[output]);
  const { data, dims } = outputs[plan.output];
  assert.equal(dims[2], plan.vocab);
  return data;
}

/**
 * The first |length| places of |axis|.
 * @param {Tensor} tensor
 * @param {number} axis
 * @param {number} length
 */
function cut(tensor, axis, length) {
  const dims = [...tensor.dims];
  const inner = dims.slice(axis + 1).reduce((a, b) => a * b, 1);
  const [block, kept] = [dims[axis] * inner, length * inner];
  dims[axis] = length;
  const data = /** @type {any} */ (tensor.data).filter(
    (/** @type {unknown} */ _, /** @type {number} */ i) => i % block < kept);
  return new Tensor(/** @type {any} */ (tensor.type), data, dims);
}

for (const { name, make } of GRAPHS) {
  test(`${name}: the plan runs the graph`, async () => {
    const graph = make();
    const { config, files } = graph.model;
    const given = await graph.inputs?.(graph.model) ?? {};
    const session = await openGraph(files, graph.path);
    const plan = planOf(session, config);
    const run = new GraphRun(session, config);
    const expected = await run.step(IDS.slice(0, 4), given);
    const later = await run.step(IDS.slice(4), given);

    /** @type {Cache} */
    const cache = new Map(plan.cache.map((about) =>
      [about.name, emptyTensor(about)]));
    if (given.encoder_hidden_states) {
      cache.set('encoder_hidden_states', given.encoder_hidden_states);
    }
    const same = (/** @type {any} */ actual,
      /** @type {Float32Array} */ wanted) =>
      assert.deepEqual([...numbersOf(actual)], [...wanted]);
    same(await step(session, plan, cache, IDS.slice(0, 4), 0), expected);
    same(await step(session, plan, cache, IDS.slice(4), 4), later);
    assert.equal(plan.canCut, name !== 'lfm2');
    if (plan.canCut) {
      for (const [input, axis] of Object.entries(plan.axes)) {
        cache.set(input, cut(
          /** @type {Tensor} */ (cache.get(input)), axis, 4));
      }
      same(await step(session, plan, cache, IDS.slice(4), 4), later);
    }
    await session.release();
  });
}
