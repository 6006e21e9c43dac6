// SPDX-License-Identifier: Apache-2.0
// What whole listings take and leave, in a process of its own with
// --expose-gc; prints JSON.
//
//   node --expose-gc test-harness/bench/listing-memory.js MODULE

import { readFile } from 'node:fs/promises';

import { ListingProduct } from './listing-product.js';
import { median } from './measure.js';
import { PAGE_SETS, skewInPagesOf } from './page-sets.js';

const wasm = await readFile(process.argv[2]);

/** The engine's own garbage comes and goes: the median listing counts. */
const LISTINGS = 7;

/** Bytes of the heap that are in use. */
function heapBytes() {
  globalThis.gc?.();
  return process.memoryUsage().heapUsed;
}

/**
 * How much the heap shrinks when the result of a listing goes.
 * @param {ListingProduct} product
 * @param {Uint8Array[]} pages
 */
function retainedBytes(product, pages) {
  product.list(pages);
  const withListing = heapBytes(); // the product still holds it
  product.forget();
  return withListing - heapBytes();
}

/**
 * @param {string} what
 * @param {Uint8Array[]} pages
 */
async function measure(what, pages) {
  const product = await ListingProduct.load(wasm);
  const models = product.list(pages).models.length;
  const retained = Array.from({ length: LISTINGS },
    () => retainedBytes(product, pages));
  return {
    what, models, wasmBytes: product.memoryBytes,
    retainedBytes: median(retained),
  };
}

console.log(JSON.stringify([
  await measure('base', PAGE_SETS.base()),
  await measure('skew', PAGE_SETS.skew()),
  await measure('skew in pages of 25 rows', skewInPagesOf(25)),
  await measure('skew in pages of 1,000 rows', skewInPagesOf(1000)),
]));
