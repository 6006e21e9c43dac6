// SPDX-License-Identifier: Apache-2.0
// From a row of logits to a token: ours (in the module of decoding_module.c)
// and what transformers.js does between a run of the session and the next one,
// with its own classes. In Node its top-k runs in native ONNX Runtime.

import { readFile } from 'node:fs/promises';

import { interleaveAsync, median, medianRatio } from './measure.js';
import { randomFrom } from './pages.js';

/** @typedef {import('./report.js').Section} Section */
/** @typedef {import('./report.js').Row} Row */

const MODULE = new URL('../../build/wasm/decoding_module.wasm', import.meta.url);

/** Not among what the package exports, which is all of it in one file. */
const PEER = new URL(
  '../../node_modules/@huggingface/transformers/src/', import.meta.url);

const SEED = 20250105;

/** Tokens before the first one. */
const HISTORY = 1000;

/** Tokens that one measurement takes: every clock is coarse. */
const STEPS = 20;

const VOCAB = 151936;
const LARGE_VOCAB = 262144;

const ROUNDS = Object.freeze({ rounds: 21, warmUp: 5 });
const QUICK_ROUNDS = Object.freeze({ rounds: 7, warmUp: 3 });

const USUAL = Object.freeze({
  do_sample: true, repetition_penalty: 1.1, no_repeat_ngram_size: 3,
  temperature: 0.7, top_k: 50,
});

const EVERYTHING = Object.freeze({
  ...USUAL, top_h: 0.9, top_p: 0.95, min_p: 0.02, typical_p: 0.95,
  epsilon_cutoff: 0.0003, eta_cutoff: 0.0003,
});

const TOP_P = Object.freeze({ do_sample: true, top_k: 0, top_p: 0.95 });

/**
 * Logits of a model that is rather sure, or of one that knows nothing.
 * @param {number} vocab
 * @param {boolean} isPeaked
 */
function drawLogits(vocab, isPeaked) {
  const random = randomFrom(SEED);
  const gaussian = () =>
    Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
  return Float32Array.from({ length: vocab }, (_, i) => (isPeaked
    ? gaussian() * 2 + (i % 5000 === 7 ? 12 + gaussian() : 0)
    : gaussian() * 0.1));
}

/** @param {number} vocab */
function drawHistory(vocab) {
  const random = randomFrom(SEED + 1);
  return Int32Array.from({ length: HISTORY }, () => random() * vocab);
}

/**
 * Returns what takes STEPS tokens with our module.
 * @param {object} params
 * @param {Float32Array} logits
 */
async function ourWay(params, logits) {
  const { instance } = await WebAssembly.instantiate(await readFile(MODULE));
  const exports = /** @type {Record<string, any>} */ (instance.exports);
  exports._initialize();
  const vocab = logits.length;
  const request = Buffer.from(
    JSON.stringify({ ...params, seed: SEED, max_new_tokens: 1e6 }));
  const history = drawHistory(vocab);
  return () => {
    const { buffer } = exports.memory;
    new Uint8Array(buffer, exports.module_request()).set(request);
    new Int32Array(buffer, exports.module_row()).set(history);
    if (exports.module_begin(request.length, HISTORY, vocab) !== 0) {
      throw new Error('the request was refused');
    }
    const start = performance.now();
    for (let i = 0; i < STEPS; i += 1) {
      new Float32Array(exports.memory.buffer, exports.module_row(), vocab)
        .set(logits);
      if (exports.module_step() < 0) throw new Error('there is no token');
    }
    return performance.now() - start;
  };
}

/**
 * Returns what takes STEPS tokens with the classes of transformers.js.
 * @param {Record<string, any>} params
 * @param {Float32Array} logits
 */
async function peerWay(params, logits) {
  const load = (/** @type {string} */ file) => import(new URL(file, PEER).href);
  const process = await load('generation/logits_process.js');
  const { LogitsSampler } = await load('generation/logits_sampler.js');
  const { Tensor } = await load('utils/tensor.js');
  const list = new process.LogitsProcessorList();
  list.push(new process.RepetitionPenaltyLogitsProcessor(
    params.repetition_penalty));
  list.push(new process.NoRepeatNGramLogitsProcessor(
    params.no_repeat_ngram_size));
  list.push(new process.TemperatureLogitsWarper(params.temperature));
  const sampler = LogitsSampler.getSampler({ ...params, num_beams: 1 });
  const vocab = logits.length;
  const history = [...drawHistory(vocab)].map(BigInt);
  return async () => {
    const ids = [[...history]];
    const start = performance.now();
    for (let i = 0; i < STEPS; i += 1) {
      const outputs = new Tensor('float32', logits, [1, 1, vocab]);
      const scores = list(ids, outputs.slice(null, -1, null).to('float32'));
      const [[token]] = await sampler(scores[0]);
      ids[0].push(token);
    }
    return performance.now() - start;
  };
}

/**
 * @param {{ isQuick: boolean }} options
 * @returns {Promise<Section>}
 */
export async function benchDecoding({ isQuick }) {
  const peaked = drawLogits(VOCAB, true);
  const ways = {
    usual: await ourWay(USUAL, peaked),
    peer: await peerWay(USUAL, peaked),
    all: await ourWay(EVERYTHING, peaked),
    allLarge: await ourWay(EVERYTHING, drawLogits(LARGE_VOCAB, true)),
    topP: await ourWay(TOP_P, peaked),
    topPFlat: await ourWay(TOP_P, drawLogits(VOCAB, false)),
    greedy: await ourWay({}, peaked),
  };
  const times = await interleaveAsync(ways, isQuick ? QUICK_ROUNDS : ROUNDS);
  const timesOf = (/** @type {string} */ way) => times.get(way) ?? [];
  const micros = (/** @type {string} */ way) =>
    median(timesOf(way)) / STEPS * 1000;
  const text = (/** @type {string} */ way) => `${micros(way).toFixed(0)} us`;
  /** @type {(what: string, way: string, floor: number, aim?: number) => Row} */
  const most = (what, way, floor, aim) => ({
    what, unit: 'us', result: micros(way), target: { floor, aim, isMost: true },
  });
  return {
    title: 'From logits to a token',
    notes: [
      `a row of ${VOCAB} where nothing else is said, ${HISTORY} tokens before`,
      'ours: the row copied into linear memory and changed there',
      'peer: the classes of transformers.js, its top-k in native ONNX Runtime',
    ],
    rows: [
      {
        what: 'two penalties, temperature, top-k 50', unit: 'x',
        ours: text('usual'), peer: text('peer'),
        result: medianRatio(timesOf('peer'), timesOf('usual')),
        target: { floor: 15, aim: 20 },
      },
      most('all filters on top-k 50', 'all', 100, 80),
      most(`the same of ${LARGE_VOCAB}`, 'allLarge', 150),
      most('top-p of all, peaked', 'topP', 350),
      most('top-p of all, flat', 'topPFlat', 3500),
      { what: 'greedy', unit: 'us', result: micros('greedy') },
    ],
  };
}
