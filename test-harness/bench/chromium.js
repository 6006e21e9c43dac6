// SPDX-License-Identifier: Apache-2.0
// The comparison of listings inside headless Chromium, which runs the very
// modules that Node runs; the pages of rows are made there.

import { readFile } from 'node:fs/promises';
import { extname, join } from 'node:path';

import { chromium } from 'playwright-core';

import { PACKAGE_DIR } from '../module-under-test.js';
import { ROOT } from '../paths.js';
import { LISTING_NOTES, roundsOf, rowOf } from './listing.js';

/**
 * @typedef {import('./report.js').Row} Row
 * @typedef {import('./report.js').Section} Section
 * @typedef {import('./listing-speed.js').Comparison} Comparison
 */

/** Where Debian's package puts it; others may say where theirs is. */
const CHROMIUM = process.env.CHROMIUM_PATH ?? '/usr/bin/chromium';

/** Nothing is there: every request is answered from the disk. */
const ORIGIN = 'http://bench.test';
const WASM_URL = `${ORIGIN}/tabagent.wasm`;

const CONTENT_TYPES = new Map([
  ['.js', 'text/javascript'], ['.wasm', 'application/wasm'],
]);

/** @param {Comparison} comparison */
function targetOf({ what }) {
  return what === 'top 250' ? { floor: 6, aim: 8 } : undefined;
}

/** @param {import('playwright-core').Route} route */
async function answer(route) {
  const { pathname } = new URL(route.request().url());
  if (pathname === '/') {
    return route.fulfill({ contentType: 'text/html', body: '<!doctype html>' });
  }
  const folder = pathname === '/tabagent.wasm' ? PACKAGE_DIR : ROOT;
  return route.fulfill({
    contentType: CONTENT_TYPES.get(extname(pathname)),
    body: await readFile(join(folder, pathname)),
  });
}

/**
 * @param {import('./listing.js').Options} options
 * @returns {Promise<Section>}
 */
export async function benchChromium(options) {
  const browser = await chromium.launch({
    executablePath: CHROMIUM, args: ['--no-sandbox'],
  });
  try {
    const page = await browser.newPage();
    await page.route(`${ORIGIN}/**`, answer);
    await page.goto(`${ORIGIN}/`);
    /** @type {Row[]} */
    const rows = [];
    for (const set of ['base', 'skew']) {
      const comparisons = await page.evaluate(
        async ({ module, wasm, set, rounds }) => {
          const { compareListing } = await import(module);
          return compareListing(wasm, set, rounds);
        }, {
          module: `${ORIGIN}/test-harness/bench/listing-speed.js`,
          wasm: WASM_URL, set, rounds: roundsOf(options),
        });
      rows.push(...comparisons.map((/** @type {Comparison} */ comparison) =>
        rowOf(comparison, targetOf)));
    }
    return {
      title: `Listing 5,000 rows in 50 pages, Chromium ${browser.version()}`,
      notes: [...LISTING_NOTES],
      rows,
    };
  } finally {
    await browser.close();
  }
}
