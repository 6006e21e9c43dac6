// SPDX-License-Identifier: Apache-2.0
// One listing in a process that has done nothing before; prints how many
// milliseconds it took, from the import of the code to the records.
//
//   node test-harness/bench/cold-listing.js ours|peer base|skew MODULE

import { readFile } from 'node:fs/promises';

import { PAGE_SETS } from './page-sets.js';

const MAX_CANDIDATES = 250;

const [side, set, wasmPath] = process.argv.slice(2);
const pages = PAGE_SETS[/** @type {import('./page-sets.js').PageSet} */ (set)]();

async function listByModule() {
  const { ListingProduct } = await import('./listing-product.js');
  const product = await ListingProduct.load(await readFile(wasmPath));
  product.list(pages, { maxCandidates: MAX_CANDIDATES });
}

async function listByJsonParse() {
  const peer = await import('./listing-peer.js');
  peer.listByJsonParse(pages, MAX_CANDIDATES);
}

const startMs = performance.now();
await (side === 'ours' ? listByModule() : listByJsonParse());
console.log(performance.now() - startMs);
