// SPDX-License-Identifier: Apache-2.0
// The store in Chromium against the other ways to keep a large file there:
// written from a server on this machine, read again, and how much memory of the
// renderer that takes.

import { spawnSync } from 'node:child_process';

import { makeProfile, startChromium } from '../../browser/browser-process.js';
import { watchMemory } from '../../browser/resident-memory.js';
import { medianRatio, median, turns } from '../measure.js';
import { startBenchHub } from './hub.js';

/**
 * @typedef {import('../report.js').Row} Row
 * @typedef {import('../report.js').Section} Section
 * @typedef {import('../report.js').Target} Target
 * @typedef {{ milliseconds: number[], peaks: number[] }} Times
 */

const FILE_BYTES = 256 << 20;

const ROUNDS = Object.freeze({ rounds: 5, warmUp: 1 });
const QUICK_ROUNDS = Object.freeze({ rounds: 2, warmUp: 1 });

/** Repetitions of what takes milliseconds. */
const SHORT_ROUNDS = 5;

const SMALL_MODELS = 50;

/** The bytes that were sent when a download is broken off. */
const BREAK_AFTER = 100 << 20;

const WEIGHTS = 'onnx/model_quantized.onnx';

const SMALL_FILES = [
  { path: 'config.json', bytes: 700 },
  { path: 'generation_config.json', bytes: 120 },
  { path: 'tokenizer.json', bytes: 90_000 },
  { path: 'tokenizer_config.json', bytes: 900 },
];

/** @param {string} repo */
function filesOf(repo) {
  return repo === 'bench/large' ? [{ path: WEIGHTS, bytes: FILE_BYTES }]
    : [...SMALL_FILES, { path: WEIGHTS, bytes: 40_000 }];
}

const WRITES = ['ours', 'executor', 'cache', 'blob', 'opfs'];

/** @type {[string, string, string][]} name, way, how */
const READS = [
  ['ours byob', 'ours', 'byob'],
  ['cache byob', 'cache', 'byob'],
  ['cache default', 'cache', 'default'],
  ['ours buffer', 'ours', 'buffer'],
  ['cache buffer', 'cache', 'buffer'],
  ['blob buffer', 'blob', 'buffer'],
  ['opfs buffer', 'opfs', 'buffer'],
];

class Bench {
  /** @type {Map<string, Times>} */
  times = new Map();

  /**
   * @param {import('../../browser/browser-process.js').Chromium} chromium
   * @param {Awaited<ReturnType<typeof startBenchHub>>} hub
   */
  constructor(chromium, hub) {
    this.chromium = chromium;
    this.hub = hub;
  }

  async open() {
    this.page = await this.chromium.open(`${this.hub.url}/`);
    return this.page;
  }

  /**
   * Calls a function of the page's module.
   * @param {string} name
   * @param {unknown} [argument]
   * @returns {Promise<any>}
   */
  call(name, argument) {
    return /** @type {import('playwright-core').Page} */ (this.page).evaluate(
      async ([name, argument]) => {
        const path = '/test-harness/bench/store/page.js';
        return (await import(path))[name](argument);
      }, /** @type {[string, any]} */ ([name, argument]));
  }

  /**
   * Does something, and watches the memory of the renderers.
   * @param {() => Promise<number>} work returns milliseconds
   */
  async measure(work) {
    await this.call('collect');
    const { result, peak } = await watchMemory(this.chromium, work);
    return { milliseconds: result, peak };
  }

  /**
   * @param {string} name
   * @param {{ milliseconds: number, peak: number }} result
   */
  note(name, { milliseconds, peak }) {
    const times = this.times.get(name) ?? { milliseconds: [], peaks: [] };
    times.milliseconds.push(milliseconds);
    times.peaks.push(peak);
    this.times.set(name, times);
  }

  /** @param {string} name */
  timesOf(name) {
    return this.times.get(name)?.milliseconds ?? [];
  }

  /** @param {string} name */
  speedOf(name) {
    return FILE_BYTES / 1e3 / median(this.timesOf(name));
  }

  /** @param {string} name */
  peakOf(name) {
    return median(this.times.get(name)?.peaks ?? []);
  }
}

/** @param {Bench} bench @param {{ rounds: number, warmUp: number }} rounds */
async function measureWrites(bench, rounds) {
  for (const { name, isMeasured } of turns(WRITES, rounds)) {
    await bench.call('clear', name);
    // What one way leaves to be written, the next would have to wait for.
    spawnSync('sync');
    const result = await bench.measure(
      () => bench.call('write', { way: name, bytes: FILE_BYTES }));
    await bench.call('clear', name);
    if (isMeasured) bench.note(`write ${name}`, result);
  }
}

/** @param {Bench} bench @param {{ rounds: number, warmUp: number }} rounds */
async function measureReads(bench, rounds) {
  for (const way of ['ours', 'cache', 'blob', 'opfs']) {
    await bench.call('write', { way, bytes: FILE_BYTES });
  }
  const names = READS.map(([name]) => name);
  for (const { name, isMeasured } of turns(names, rounds)) {
    const [, way, how] = READS[names.indexOf(name)];
    const result = await bench.measure(
      () => bench.call('read', { way, how, bytes: FILE_BYTES }));
    if (isMeasured) bench.note(`read ${name}`, result);
  }
  for (const way of ['ours', 'cache', 'blob', 'opfs']) {
    await bench.call('clear', way);
  }
}

/** @param {Bench} bench */
async function measureResume(bench) {
  /** @type {number[]} */
  const times = [];
  for (let i = 0; i < SHORT_ROUNDS; i += 1) {
    await bench.call('openManager');
    bench.hub.state.sent = 0;
    bench.hub.state.stallAfter = BREAK_AFTER;
    await bench.call('begin');
    while (bench.hub.state.sent < BREAK_AFTER) {
      await new Promise((resolve) => { setTimeout(resolve, 1); });
    }
    await bench.page?.close();
    bench.hub.state.stallAfter = Infinity;
    await bench.open();
    times.push(await bench.call('timeToResume'));
    await bench.page?.close();
    await bench.open();
    await bench.call('openManager');
    await bench.call('clear', 'ours');
  }
  return median(times);
}

/** @param {Bench} bench */
async function measureOpening(bench) {
  await bench.call('openManager');
  await bench.call('fill', SMALL_MODELS);
  /** @type {number[]} */
  const times = [];
  for (let i = 0; i < SHORT_ROUNDS; i += 1) {
    await bench.page?.close();
    await bench.open();
    const { milliseconds, count } = await bench.call('openAndList');
    if (count !== SMALL_MODELS) throw new Error(`${count} models are listed`);
    times.push(milliseconds);
  }
  return median(times);
}

/**
 * @param {Bench} bench
 * @returns {Row[]}
 */
function rowsOf(bench) {
  const text = (/** @type {string} */ name) => (
    `${bench.speedOf(name).toFixed(0)} MB/s`);
  const megabytes = (/** @type {number} */ bytes) => bytes / 2 ** 20;
  /**
   * @param {string} what
   * @param {string} ours
   * @param {string} peer
   * @param {Target} [target]
   * @returns {Row}
   */
  const ratio = (what, ours, peer, target) => ({
    what, unit: 'x', ours: text(ours), peer: text(peer),
    result: medianRatio(bench.timesOf(peer), bench.timesOf(ours)), target,
  });
  /** @type {(what: string, name: string, target?: Target) => Row} */
  const peak = (what, name, target) => ({
    what, unit: 'MB', result: megabytes(bench.peakOf(name)), target,
  });
  /** @type {Target} */
  const buffer = { floor: 1.1 * megabytes(FILE_BYTES), isMost: true };
  return [
    ratio('written without verification, against cache.put',
      'write executor', 'write cache', { floor: 0.75, aim: 0.95 }),
    ratio('… against one Blob in IndexedDB', 'write executor', 'write blob'),
    ratio('… against OPFS', 'write executor', 'write opfs'),
    {
      what: 'downloaded and verified', unit: 'MB/s',
      result: bench.speedOf('write ours'), target: { floor: 125, aim: 200 },
    },
    ratio('… against cache.put', 'write ours', 'write cache'),
    peak('peak memory of a download', 'write ours',
      { floor: 64, isMost: true }),
    peak('… of the executor alone', 'write executor'),
    peak('… of cache.put', 'write cache'),
    ratio('read as a stream (BYOB), against the Cache API',
      'read ours byob', 'read cache default', { floor: 1.3, aim: 1.6 }),
    ratio('… with BYOB there, too', 'read ours byob', 'read cache byob'),
    ratio('read as one buffer, against the Cache API',
      'read ours buffer', 'read cache buffer', { floor: 1.4, aim: 1.7 }),
    ratio('… against one Blob in IndexedDB',
      'read ours buffer', 'read blob buffer'),
    ratio('… against OPFS', 'read ours buffer', 'read opfs buffer'),
    peak('peak memory of the stream', 'read ours byob'),
    peak('… of one buffer', 'read ours buffer', buffer),
    peak('… of one buffer of the Cache API', 'read cache buffer'),
  ];
}

/**
 * @param {{ isQuick: boolean }} options
 * @returns {Promise<Section>}
 */
export async function benchStore({ isQuick }) {
  const rounds = isQuick ? QUICK_ROUNDS : ROUNDS;
  const hub = await startBenchHub(filesOf);
  const profile = await makeProfile();
  const chromium = await startChromium(profile.folder);
  try {
    const bench = new Bench(chromium, hub);
    await bench.open();
    await bench.call('openManager');
    await measureWrites(bench, rounds);
    await measureReads(bench, rounds);
    const rows = rowsOf(bench);
    const resume = await measureResume(bench);
    const opening = await measureOpening(bench);
    return {
      title: `The store in Chromium ${chromium.browser.version()}`,
      notes: [
        `a file of ${FILE_BYTES >> 20} MiB from a server on this machine`,
        'ours: parts into Blobs of IndexedDB; every byte read back and hashed,'
        + ' and checked again when it is served',
        'peers: nothing is verified',
      ],
      rows: [...rows, {
        what: 'from opening to the first missing byte asked for', unit: 'ms',
        result: resume, target: { floor: 300, isMost: true },
      }, {
        what: `list of ${SMALL_MODELS} models, database opened for it`,
        unit: 'ms', result: opening, target: { floor: 20, isMost: true },
      }],
    };
  } finally {
    await chromium.close();
    await profile.remove();
    await hub.close();
  }
}
