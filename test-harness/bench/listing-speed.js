// SPDX-License-Identifier: Apache-2.0
// Compares listings of 5,000 rows in 50 pages: the module that ships against
// JSON.parse. Runs in Node and in browsers.
//
// Both sides start with the bytes of the pages in memory and end with the same
// records, which is checked before anything is measured. Ours includes the
// copy into linear memory, the classification, and the unpacking of the table of
// models; nobody listens to progress.

import { countByJsonParse, listByJsonParse } from './listing-peer.js';
import { ListingProduct, SMALL_PIECE } from './listing-product.js';
import { interleave, median, medianRatio } from './measure.js';
import { PAGE_SETS, PAGES } from './page-sets.js';
import { ROWS_PER_PAGE } from './pages.js';

/**
 * @typedef {import('./page-sets.js').PageSet} PageSet
 *
 * @typedef {object} Rounds
 * @property {number} rounds
 * @property {number} warmUp rounds before those, not measured
 *
 * @typedef {object} Comparison
 * @property {string} pages name of the set of pages
 * @property {number} megabytes of the set
 * @property {string} what was compared
 * @property {number} oursMs median
 * @property {number} peerMs median
 * @property {number} ratio how many times faster ours is, median of rounds
 */

/** More than there are rows. */
const ALL = PAGES * ROWS_PER_PAGE;

/** The default of `maxCandidates`. */
const BEST = 250;

/**
 * Stops unless both sides make the same records.
 * @param {ListingProduct} product
 * @param {Uint8Array[]} pages
 */
function checkAgreement(product, pages) {
  for (const maxCandidates of [BEST, ALL]) {
    const ours = product.list(pages, { maxCandidates }).models;
    const peers = listByJsonParse(pages, maxCandidates);
    const odd = peers.findIndex((record, i) =>
      JSON.stringify(record) !== JSON.stringify(ours[i]));
    if (odd >= 0 || ours.length !== peers.length) {
      throw new Error(`record ${odd} is not the same:\n`
        + `${JSON.stringify(ours[odd])}\n${JSON.stringify(peers[odd])}`);
    }
  }
}

/** What is compared, and against which way of the peer. */
const COMPARISONS = Object.freeze([
  { what: 'all survivors', ours: 'all', peer: 'parseAll' },
  { what: 'top 250', ours: 'top', peer: 'parseTop' },
  { what: 'top 250 against a mere count', ours: 'top', peer: 'parseCount' },
  { what: 'top 250, 16 KiB pieces', ours: 'pieces', peer: 'parseTop' },
  { what: '16 KiB against 64 KiB pieces', ours: 'pieces', peer: 'top' },
]);

/**
 * @param {import('./listing-product.js').WasmSource} wasm
 * @param {PageSet} set
 * @param {Rounds} rounds
 * @returns {Promise<Comparison[]>}
 */
export async function compareListing(wasm, set, rounds) {
  const pages = PAGE_SETS[set]();
  const product = await ListingProduct.load(wasm);
  checkAgreement(product, pages);
  const times = interleave({
    parseAll: () => listByJsonParse(pages, ALL),
    parseTop: () => listByJsonParse(pages, BEST),
    parseCount: () => countByJsonParse(pages),
    all: () => product.list(pages, { maxCandidates: ALL }),
    top: () => product.list(pages, { maxCandidates: BEST }),
    pieces: () => product.list(pages,
      { maxCandidates: BEST, pieceSize: SMALL_PIECE }),
  }, rounds);
  const timesOf = (/** @type {string} */ way) => times.get(way) ?? [];
  const bytes = pages.reduce((sum, page) => sum + page.length, 0);
  return COMPARISONS.map(({ what, ours, peer }) => ({
    pages: set,
    megabytes: bytes / 1e6,
    what,
    oursMs: median(timesOf(ours)),
    peerMs: median(timesOf(peer)),
    ratio: medianRatio(timesOf(peer), timesOf(ours)),
  }));
}
