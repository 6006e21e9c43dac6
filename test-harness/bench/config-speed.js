// SPDX-License-Identifier: Apache-2.0
// Digests of config.json documents, by the scanner that ships (in the module
// of scanner_module.c) and by JSON.parse.

import { ScannerModule, PIECE_MAX } from '../differential/scanner-module.js';
import { digestOf } from '../reference/extract.js';
import { configs } from './configs.js';
import { interleave, median, medianRatio } from './measure.js';
import { randomFrom } from './pages.js';

/** @typedef {import('./report.js').Section} Section */

const DOCUMENTS = 250;
const SEED = 20250104;

const ROUNDS = Object.freeze({ rounds: 45, warmUp: 15 });
const QUICK_ROUNDS = Object.freeze({ rounds: 15, warmUp: 10 });

/**
 * @param {{ isQuick: boolean }} options
 * @returns {Promise<Section>}
 */
export async function benchConfig({ isQuick }) {
  const module = await ScannerModule.load();
  const documents = configs(randomFrom(SEED), DOCUMENTS);
  const decoder = new TextDecoder('utf-8', { fatal: true });
  const parse = (/** @type {Uint8Array} */ bytes) =>
    JSON.parse(decoder.decode(bytes));
  const times = interleave({
    ours: () => documents.map((bytes) =>
      module.scanConfig(bytes, PIECE_MAX, false)),
    parseClass: () => documents.map((bytes) => parse(bytes).architectures?.[0]),
    parseDigest: () => documents.map((bytes) => digestOf(parse(bytes))),
  }, isQuick ? QUICK_ROUNDS : ROUNDS);
  const timesOf = (/** @type {string} */ way) => times.get(way) ?? [];
  const each = (/** @type {string} */ way) =>
    median(timesOf(way)) * 1000 / DOCUMENTS;
  const text = (/** @type {string} */ way) => `${each(way).toFixed(2)} us`;
  const bytes = documents.reduce((sum, { length }) => sum + length, 0);
  return {
    title: 'Digest of a config.json',
    notes: [
      `${DOCUMENTS} documents, ${Math.round(bytes / DOCUMENTS)} bytes each`,
      'ours: copied into linear memory and scanned, all fields of the digest',
      'peer: JSON.parse(TextDecoder fatal), then the class or the same digest',
    ],
    rows: [
      {
        what: 'time per document', unit: 'us', result: each('ours'),
        target: { floor: 2, isMost: true },
      },
      {
        what: 'against reading the class', unit: 'x', ours: text('ours'),
        peer: text('parseClass'),
        result: medianRatio(timesOf('parseClass'), timesOf('ours')),
        target: { floor: 2.5, aim: 3.5 },
      },
      {
        what: 'against the same digest', unit: 'x', ours: text('ours'),
        peer: text('parseDigest'),
        result: medianRatio(timesOf('parseDigest'), timesOf('ours')),
      },
    ],
  };
}
