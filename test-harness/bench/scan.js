// SPDX-License-Identifier: Apache-2.0
// Measures the listing scanner alone, with the prefilter and without all that
// the product does with rows: how far is it from what a listing costs?
//
//   node test-harness/bench/scan.js [--rounds 15]

import { readArguments } from '../arguments.js';
import {
  MODE, PIECE_MAX, ScannerModule,
} from '../differential/scanner-module.js';
import { countByJsonParse } from './listing-peer.js';
import { interleave, median, medianRatio } from './measure.js';
import { PAGE_SETS } from './page-sets.js';

const SMALL_PIECE = 16384;
const WARM_UP = 5;

/**
 * One line of the table.
 * @param {ScannerModule} module
 * @param {Uint8Array[]} pages
 * @param {number} rounds
 */
function compare(module, pages, rounds) {
  const count = (/** @type {number} */ size) =>
    module.scanListing(pages, size, MODE.COUNT);
  const times = interleave({
    parse: () => countByJsonParse(pages),
    scan: () => count(PIECE_MAX),
    pieces: () => count(SMALL_PIECE),
  }, { rounds, warmUp: WARM_UP });
  const of = (/** @type {string} */ name) => times.get(name) ?? [];
  const bytes = pages.reduce((sum, page) => sum + page.length, 0);
  return {
    'MB': (bytes / 1e6).toFixed(1),
    'JSON.parse ms': median(of('parse')).toFixed(1),
    'scan ms': median(of('scan')).toFixed(2),
    'MB/s': Math.round(bytes / 1e3 / median(of('scan'))),
    'x': medianRatio(of('parse'), of('scan')).toFixed(1),
    'x in 16 KiB pieces': medianRatio(of('parse'), of('pieces')).toFixed(1),
    'pieces cost': medianRatio(of('pieces'), of('scan')).toFixed(2),
  };
}

const values = readArguments({ rounds: { type: 'string', default: '15' } });
const module = await ScannerModule.load();
console.table(Object.fromEntries(
  Object.entries(PAGE_SETS).map(([name, makePages]) =>
    [name, compare(module, makePages(), Number(values.rounds))])));
