// SPDX-License-Identifier: Apache-2.0
// Listings in Node: warm, cold, and what they take of memory.

import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

import { PACKAGE_DIR, wasm } from '../module-under-test.js';
import { compareListing } from './listing-speed.js';
import { median, medianRatio } from './measure.js';
import { PAGE_SETS } from './page-sets.js';

/**
 * @typedef {import('./report.js').Row} Row
 * @typedef {import('./report.js').Section} Section
 * @typedef {import('./report.js').Target} Target
 * @typedef {import('./listing-speed.js').Comparison} Comparison
 * @typedef {import('./page-sets.js').PageSet} PageSet
 *
 * @typedef {{ isQuick: boolean }} Options
 */

const ROUNDS = Object.freeze({ rounds: 15, warmUp: 5 });
const QUICK_ROUNDS = Object.freeze({ rounds: 5, warmUp: 3 });

const COLD_PROCESSES = 7;
const COLD_PROCESSES_QUICK = 3;

const MIB = 1024 * 1024;

const WASM_PATH = join(PACKAGE_DIR, 'tabagent.wasm');

/** Pages in the usual form; other forms have other targets. */
const USUAL_SETS = ['base', 'skew'];

/**
 * What is to be reached in Node.
 * @param {Comparison} comparison
 * @returns {Target | undefined}
 */
function nodeTarget({ pages, what }) {
  switch (what) {
    case 'all survivors':
      return USUAL_SETS.includes(pages) ? { floor: 8, aim: 10 } : undefined;
    case 'top 250':
      return USUAL_SETS.includes(pages)
        ? { floor: 10, aim: 12 } : { floor: 4, aim: 6 };
    case '16 KiB against 64 KiB pieces':
      return { floor: 1 / 1.3, aim: 1 / 1.15 };
    default:
      return undefined;
  }
}

/**
 * @param {Comparison} comparison
 * @param {(comparison: Comparison) => Target | undefined} targetOf
 * @returns {Row}
 */
export function rowOf(comparison, targetOf) {
  const { pages, megabytes, what, oursMs, peerMs, ratio } = comparison;
  return {
    what: `${pages} ${megabytes.toFixed(1)} MB, ${what}`,
    ours: `${oursMs.toFixed(2)} ms`,
    peer: `${peerMs.toFixed(1)} ms`,
    result: ratio,
    unit: 'x',
    target: targetOf(comparison),
  };
}

/** What both sides do, for the reader of the tables. */
export const LISTING_NOTES = Object.freeze([
  'ours: the shipped module, bytes copied in by pieces of 64 KiB, prefilter,',
  '      ranking, classification, table of models unpacked',
  'peer: JSON.parse(TextDecoder fatal), the same prefilter and ranking, a',
  '      classification by lookups',
  'Nobody listens to progress. Both make the same full records (checked); ratios are medians of rounds.',
]);

/** How many rounds a comparison takes. @param {Options} options */
export function roundsOf({ isQuick }) {
  return isQuick ? QUICK_ROUNDS : ROUNDS;
}

/**
 * @param {Options} options
 * @returns {Promise<Section>}
 */
export async function benchListing(options) {
  /** @type {Row[]} */
  const rows = [];
  for (const set of /** @type {PageSet[]} */ (Object.keys(PAGE_SETS))) {
    const comparisons = await compareListing(wasm, set, roundsOf(options));
    rows.push(...comparisons.map((comparison) => rowOf(comparison, nodeTarget)));
  }
  return {
    title: 'Listing 5,000 rows in 50 pages, Node',
    notes: [...LISTING_NOTES],
    rows,
  };
}

/**
 * Runs a file of this folder in a process of its own.
 * @param {string} file
 * @param {string[]} [args]
 * @param {string[]} [nodeOptions]
 * @returns {Promise<any>} the JSON that it prints
 */
async function inProcess(file, args = [], nodeOptions = []) {
  const path = fileURLToPath(new URL(file, import.meta.url));
  const { stdout } = await promisify(execFile)(
    process.execPath, [...nodeOptions, path, ...args]);
  return JSON.parse(stdout);
}

/**
 * @param {Options} options
 * @returns {Promise<Section>}
 */
export async function benchCold({ isQuick }) {
  /** @type {Row[]} */
  const rows = [];
  for (const set of USUAL_SETS) {
    /** @type {Record<string, number[]>} */
    const times = { ours: [], peer: [] };
    const processes = isQuick ? COLD_PROCESSES_QUICK : COLD_PROCESSES;
    for (let i = 0; i < processes; i += 1) {
      for (const side of i % 2 ? ['ours', 'peer'] : ['peer', 'ours']) {
        times[side].push(await inProcess('./cold-listing.js', [side, set, WASM_PATH]));
      }
    }
    rows.push({
      what: `${set}, top 250`,
      ours: `${median(times.ours).toFixed(1)} ms`,
      peer: `${median(times.peer).toFixed(1)} ms`,
      result: medianRatio(times.peer, times.ours),
      unit: 'x',
      target: { floor: 4 },
    });
  }
  return {
    title: 'The first listing of a process',
    notes: [
      'A fresh Node each time, from the import of the code to the records:',
      'ours reads, compiles and instantiates the module; the peer needs none.',
    ],
    rows,
  };
}

/** @returns {Promise<Section>} */
export async function benchMemory() {
  const results = await inProcess(
    './listing-memory.js', [WASM_PATH], ['--expose-gc']);
  /** @type {Row[]} */
  const rows = [];
  for (const { what, wasmBytes, retainedBytes, models } of results) {
    rows.push({
      what: `${what}, linear memory`,
      result: wasmBytes / MIB,
      unit: 'MiB',
      target: { floor: 3, isMost: true },
    }, {
      what: `${what}, heap that ${models} models keep`,
      result: retainedBytes / MIB,
      unit: 'MiB',
      target: { floor: 0.5, isMost: true },
    });
  }
  return {
    title: 'Memory of a listing with the default maxCandidates',
    notes: ['after the listing of 5,000 rows, each in a fresh instance'],
    rows,
  };
}
