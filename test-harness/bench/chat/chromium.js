// SPDX-License-Identifier: Apache-2.0
// The chat in Chromium against transformers.js: answers, and what it takes to
// load a model that is stored.

import { makeProfile, startChromium } from '../../browser/browser-process.js';
import { watchMemory } from '../../browser/resident-memory.js';
import { startHub } from '../../hub/index.js';
import { median, medianRatio } from '../measure.js';
import { measureGeneration } from './measure.js';
import { modelId, repositoryOf } from './models.js';
import { startSite } from './server.js';

/** @typedef {import('./measure.js').SideName} SideName */

/** The build that reads weights where they are stored. */
const BUNDLE = 'ort.jspi.bundle.min.mjs';

const ROUNDS = 5;
const QUICK_ROUNDS = 3;

const MIB = 1 << 20;

class Stage {
  /** @type {Map<SideName, import('playwright-core').Page>} */
  #pages = new Map();

  /**
   * @param {import('../../browser/browser-process.js').Chromium} chromium
   * @param {string} siteUrl
   * @param {string} hubUrl
   */
  constructor(chromium, siteUrl, hubUrl) {
    this.chromium = chromium;
    this.siteUrl = siteUrl;
    this.hubUrl = hubUrl;
  }

  /**
   * Calls a function of a side's page.
   * @param {SideName} side
   * @param {string} name
   * @param {unknown} [argument]
   * @returns {Promise<any>}
   */
  call(side, name, argument) {
    const page = this.#pages.get(side);
    if (!page) throw new Error(`no page is open for ${side}`);
    return page.evaluate(async ([name, argument]) => {
      const path = '/bench/page.js';
      return (await import(path))[name](argument);
    }, /** @type {[string, any]} */ ([name, argument]));
  }

  /** @param {SideName} side */
  async open(side) {
    const page = await this.chromium.open(`${this.siteUrl}/`);
    this.#pages.set(side, page);
    await this.call(side, 'openSide',
      { name: side, hubUrl: this.hubUrl, bundle: BUNDLE });
  }

  /**
   * @param {SideName} side
   * @param {unknown[]} args
   */
  async answer(side, args) {
    await this.#pages.get(side)?.bringToFront();
    return this.call(side, 'answer', args);
  }

  /** @param {SideName} side */
  async close(side) {
    await this.#pages.get(side)?.close();
    this.#pages.delete(side);
  }

  /**
   * Loads the model of 200 MB in a fresh page, and watches the memory of the
   * renderers.
   * @param {SideName} side
   * @param {import('./models.js').ModelName} [before] a model that is loaded
   *   first, which starts the runtime
   * @returns {Promise<{ milliseconds: number, peak: number }>}
   */
  async load(side, before) {
    await this.open(side);
    if (before) {
      await this.call(side, 'loadModel', modelId(before));
      await this.call(side, 'release');
    }
    await this.call(side, 'collect');
    try {
      const { result, peak } = await watchMemory(this.chromium,
        () => this.call(side, 'loadModel', modelId('huge')));
      return { milliseconds: result, peak };
    } finally {
      await this.close(side);
    }
  }
}

/**
 * @param {Stage} stage
 * @param {number} rounds
 * @param {import('./models.js').ModelName} [before]
 */
async function compareLoads(stage, rounds, before) {
  /** @type {Record<SideName, { milliseconds: number, peak: number }[]>} */
  const loads = { ours: [], theirs: [] };
  const sides = /** @type {SideName[]} */ (['ours', 'theirs']);
  // The first one stores the files.
  for (let round = -1; round < rounds; round += 1) {
    for (const side of sides) {
      const load = await stage.load(side, before);
      if (round >= 0) loads[side].push(load);
    }
    sides.reverse();
  }
  return {
    times: (/** @type {SideName} */ side) => (
      loads[side].map(({ milliseconds }) => milliseconds)),
    peaks: (/** @type {SideName} */ side) => (
      loads[side].map(({ peak }) => peak)),
  };
}

/**
 * @param {string} what
 * @param {(side: SideName) => number[]} valuesOf
 * @param {(value: number) => string} text
 * @param {import('../report.js').Target} target
 * @returns {import('../report.js').Row}
 */
function rowOf(what, valuesOf, text, target) {
  return {
    what, unit: 'x',
    ours: text(median(valuesOf('ours'))), peer: text(median(valuesOf('theirs'))),
    result: medianRatio(valuesOf('ours'), valuesOf('theirs')),
    target: { ...target, isMost: true },
  };
}

/**
 * @param {Stage} stage
 * @param {number} rounds
 */
async function measureLoads(stage, rounds) {
  const fresh = await compareLoads(stage, rounds);
  const running = await compareLoads(stage, rounds, 'small');
  const ms = (/** @type {number} */ value) => `${value.toFixed(0)} ms`;
  const mib = (/** @type {number} */ value) => (
    `${(value / MIB).toFixed(0)} MiB`);
  const time = { floor: 0.6, aim: 0.4 };
  return [
    rowOf('time to load 200 MB', fresh.times, ms, time),
    rowOf('the same, when the runtime runs', running.times, ms, time),
    rowOf('peak of memory to load 200 MB', fresh.peaks, mib,
      { floor: 0.5, aim: 0.35 }),
  ];
}

/**
 * @param {{ isQuick: boolean }} options
 * @returns {Promise<import('../report.js').Section>}
 */
export async function benchChatChromium({ isQuick }) {
  const repositories = /** @type {const} */ (
    ['small', 'middle', 'large', 'huge']).map(repositoryOf);
  const hub = await startHub(
    { models: 0, rateLimits: false, latency: false, repositories });
  const site = await startSite();
  const profile = await makeProfile();
  const chromium = await startChromium(profile.folder);
  const stage = new Stage(chromium, site.url, hub.url);
  const rounds = isQuick ? QUICK_ROUNDS : ROUNDS;
  try {
    const loads = await measureLoads(stage, rounds);
    return {
      title: 'Loads and answers in Chromium',
      notes: [
        `both on onnxruntime-web's ${BUNDLE}, one thread; random weights`,
        'loads: from the store or the Cache API in a fresh page, to ready',
        'memory: what the renderers take above a page with nothing but code',
      ],
      rows: [...loads, ...await measureGeneration({
        async load(side, model) {
          await stage.open(side);
          await stage.call(side, 'loadModel', modelId(model));
        },
        answer: (side, ...args) => stage.answer(side, args),
        release: (side) => stage.close(side),
      }, rounds)],
    };
  } finally {
    await chromium.close();
    await Promise.all([hub.close(), site.close()]);
    await profile.remove();
  }
}
