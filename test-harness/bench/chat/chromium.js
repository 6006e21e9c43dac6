// SPDX-License-Identifier: Apache-2.0
// The chat in Chromium against transformers.js: answers, and what it takes to
// load a model that is stored.

import { makeProfile, startChromium } from '../../browser/browser-process.js';
import { startHub } from '../../hub/index.js';
import { median, medianRatio } from '../measure.js';
import { residentBytes } from '../store/store.js';
import { measureGeneration } from './measure.js';
import { modelId, repositoryOf } from './models.js';
import { startSite } from './server.js';

/** @typedef {import('./measure.js').SideName} SideName */

/** The build that reads weights where they are stored. */
const BUNDLE = 'ort.jspi.bundle.min.mjs';

const ROUNDS = 5;
const QUICK_ROUNDS = 3;

/** How often memory is looked at. */
const SAMPLE_MS = 10;

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

  /** @param {SideName} side */
  async close(side) {
    await this.#pages.get(side)?.close();
    this.#pages.delete(side);
  }

  /**
   * Loads the model of 200 MB in a fresh page, and watches the memory of the
   * renderers.
   * @param {SideName} side
   * @returns {Promise<{ milliseconds: number, peak: number }>}
   */
  async load(side) {
    await this.open(side);
    await this.call(side, 'collect');
    const pids = await this.chromium.renderers();
    const idle = residentBytes(pids);
    let peak = idle;
    const sampler = setInterval(() => {
      peak = Math.max(peak, residentBytes(pids));
    }, SAMPLE_MS);
    try {
      const milliseconds = await this.call(side, 'loadModel', modelId('huge'));
      return { milliseconds, peak: peak - idle };
    } finally {
      clearInterval(sampler);
      await this.close(side);
    }
  }
}

/**
 * @param {Stage} stage
 * @param {number} rounds
 * @returns {Promise<import('../report.js').Row[]>}
 */
async function measureLoads(stage, rounds) {
  /** @type {Record<SideName, { milliseconds: number, peak: number }[]>} */
  const loads = { ours: [], theirs: [] };
  const sides = /** @type {SideName[]} */ (['ours', 'theirs']);
  // The first one stores the files.
  for (let round = -1; round < rounds; round += 1) {
    for (const side of sides) {
      const load = await stage.load(side);
      if (round >= 0) loads[side].push(load);
    }
    sides.reverse();
  }
  const times = (/** @type {SideName} */ side) => (
    loads[side].map(({ milliseconds }) => milliseconds));
  const peaks = (/** @type {SideName} */ side) => (
    loads[side].map(({ peak }) => peak));
  const ms = (/** @type {SideName} */ side) => (
    `${median(times(side)).toFixed(0)} ms`);
  const mib = (/** @type {SideName} */ side) => (
    `${(median(peaks(side)) / MIB).toFixed(0)} MiB`);
  return [{
    what: 'time to load 200 MB', unit: 'x', ours: ms('ours'), peer: ms('theirs'),
    result: medianRatio(times('ours'), times('theirs')),
    target: { floor: 0.6, aim: 0.4, isMost: true },
  }, {
    what: 'peak of memory for that', unit: 'x',
    ours: mib('ours'), peer: mib('theirs'),
    result: medianRatio(peaks('ours'), peaks('theirs')),
    target: { floor: 0.5, aim: 0.35, isMost: true },
  }];
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
        answer: (side, ...args) => stage.call(side, 'answer', args),
        release: (side) => stage.close(side),
      }, rounds)],
    };
  } finally {
    await chromium.close();
    await Promise.all([hub.close(), site.close()]);
    await profile.remove();
  }
}
