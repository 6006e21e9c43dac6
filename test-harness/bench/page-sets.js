// SPDX-License-Identifier: Apache-2.0
// The listings of the benchmarks: 5,000 rows in the usual forms and in forms
// that are hard for a scanner made for the usual ones.

import {
  compact, escaped, listing, pretty, randomFrom, shuffled, withBlobs,
  withCjkTags,
} from './pages.js';

export const PAGES = 50;

const SEED = 20250101;

/** Makers of the sets of pages, by name. */
export const PAGE_SETS = Object.freeze({
  base: () => baseRows().map(compact),
  skew: () => skewRows().map(escaped),
  pretty: () => baseRows().map(pretty),
  shuffled: () => {
    const random = randomFrom(SEED + 2);
    return baseRows().map((page) => compact(shuffled(page, random)));
  },
  'extra keys': () => {
    const random = randomFrom(SEED + 3);
    return baseRows().map((page) => compact(withBlobs(page, random)));
  },
  CJK: () => baseRows().map((page) => compact(withCjkTags(page))),
});

/** @typedef {keyof typeof PAGE_SETS} PageSet */

function baseRows() {
  return listing({ seed: SEED, pages: PAGES, isSkewed: false });
}

function skewRows() {
  return listing({ seed: SEED + 1, pages: PAGES, isSkewed: true });
}

/**
 * The rows of "skew" in pages of another size.
 * @param {number} rowsPerPage
 * @returns {Uint8Array[]}
 */
export function skewInPagesOf(rowsPerPage) {
  const rows = skewRows().flat();
  const pages = [];
  for (let at = 0; at < rows.length; at += rowsPerPage) {
    pages.push(escaped(rows.slice(at, at + rowsPerPage)));
  }
  return pages;
}
