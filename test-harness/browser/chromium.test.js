// SPDX-License-Identifier: Apache-2.0
// The package in Chromium: a page, a worker and a service worker list from the
// simulator on another origin, so that the browser's own cross-origin rules
// hide what they hide.

import assert from 'node:assert/strict';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';

import { chromium } from 'playwright-core';

import { list } from '../fault/listing.js';
import { generateCatalogue } from '../hub/catalogue.js';
import { startHub } from '../hub/index.js';
import { ROOT } from '../paths.js';
import { startPageServer } from './page-server.js';

/** Where Debian's package puts it; others may say where theirs is. */
const CHROMIUM = process.env.CHROMIUM_PATH ?? '/usr/bin/chromium';

const SCREENSHOT_DIR = join(ROOT, 'build/browser');

const WASM_BYTES_MAX = 3 * 1024 * 1024;

const catalogue = generateCatalogue({ models: 600 }).models;

const params = /** @type {const} */ ({
  fetchConfigs: 'all', maxCandidates: 40, pageSize: 150,
});

/** Results as messages carry them: without keys that are undefined. */
const { models: expected } = JSON.parse(JSON.stringify(
  { models: (await list({ params, hub: { catalogue } })).models }));

/** @type {import('playwright-core').Browser} */
let browser;
/** @type {import('playwright-core').Page} */
let page;
/** @type {Awaited<ReturnType<typeof startPageServer>>} */
let site;
/** @type {Awaited<ReturnType<typeof startHub>>} */
let server;
/**
 * What the page complained about.
 * @type {string[]}
 */
const complaints = [];

/** What the console says of answers that were refused or broken on purpose. */
const ON_PURPOSE = /status of 4|ERR_CONNECTION|ERR_CONTENT_LENGTH|ERR_INCOMPLETE/;

before(async () => {
  await mkdir(SCREENSHOT_DIR, { recursive: true });
  site = await startPageServer();
  server = await startHub({ catalogue });
  browser = await chromium.launch({
    executablePath: CHROMIUM, args: ['--no-sandbox'],
  });
  page = await browser.newPage({ viewport: { width: 900, height: 700 } });
  page.on('pageerror', (error) => complaints.push(String(error)));
  page.on('console', (message) => {
    if (message.type() !== 'error' || ON_PURPOSE.test(message.text())) return;
    complaints.push(message.text());
  });
  await page.goto(`${site.url}/index.html`);
});

after(async () => {
  await browser?.close();
  await site?.close();
  await server?.close();
});

/**
 * Calls a function of the page with an order.
 * @param {'run' | 'runInWorker' | 'runInServiceWorker'} name
 * @param {object} [order]
 * @returns {Promise<any>}
 */
function call(name, order) {
  return page.evaluate(
    ([name, order]) => /** @type {any} */ (globalThis)[name](order),
    /** @type {const} */ ([name, { hubUrl: server.url, params, ...order }]));
}

describe('in Chromium', () => {
  test('a page lists what Node lists, and shows it', async () => {
    const { models, meta, wasmBytes } = await call('run');
    assert.deepEqual(models, expected);
    assert.equal(meta.errorCount, 0);
    assert.ok(wasmBytes <= WASM_BYTES_MAX, `${wasmBytes}`);
    assert.equal(await page.textContent('#counts'),
      `${meta.pages} pages, ${meta.fetched} rows, ${models.length} models`);
    assert.equal(await page.locator('#models tr').count(), models.length);
    await page.screenshot({ path: join(SCREENSHOT_DIR, 'listing.png') });
  });

  test('the page cannot read the quota headers, only the link', async () => {
    const url = `${server.url}/api/models?limit=1`;
    const { headers } = await fetch(url);
    assert.ok(headers.has('ratelimit') && headers.has('link'));
    const readable = await page.evaluate(
      (url) => /** @type {any} */ (globalThis).readableHeaders(url), url);
    assert.ok(readable.includes('link'));
    assert.equal(readable.includes('ratelimit'), false);
  });

  test('a storm of refusals it cannot foresee loses no model', async () => {
    const storm = server.hub.faults.add(
      { bucket: 'resolvers', skip: 10, times: 3, status: 429 });
    const { models, meta, progress } = await call('run');
    storm.remove();
    assert.deepEqual(models, expected);
    assert.equal(storm.hits, 3);
    assert.equal(meta.rate_limited, true);
    assert.equal(meta.telemetry.counters['configFetch.429'], 3);
    assert.ok(progress.some((/** @type {any} */ { status }) => (
      status === 'rate_limited')));
  });

  // What must still run when the message comes is held back.
  for (const { status, bucket } of /** @type {const} */ ([
    { status: 'listing_page', bucket: 'api' },
    { status: 'config_fetching', bucket: 'resolvers' },
  ])) {
    test(`an AbortSignal at ${status} ends it`, async () => {
      const skip = bucket === 'api' ? 1 : 0;
      const held = server.hub.faults.add({ bucket, skip, stallHead: true });
      const { error } = await call('run', { abortAt: status });
      held.remove();
      assert.equal(error.code, 'cancelled');
      assert.equal(error.meta.partial, true);
      assert.match(await page.textContent('#counts') ?? '', /^cancelled/);
    });
  }

  test('a token passes the preflight', async () => {
    const { models, meta } = await call('run', {
      params: { ...params, hfToken: 'hf_granted' },
    });
    assert.equal(models.length, expected.length);
    assert.equal(meta.errorCount, 0);
    assert.ok(server.hub.requests.some(({ method }) => method === 'OPTIONS'));
  });

  test('a connection that breaks is made good', async () => {
    const rules = [
      server.hub.faults.add({ bucket: 'api', times: 1, resetAfter: 5000 }),
      server.hub.faults.add({ match: 'resolve-cache', times: 3, resetAfter: 20 }),
    ];
    const { models, meta } = await call('run');
    for (const { hits, remove } of rules) {
      assert.ok(hits > 0);
      remove();
    }
    assert.deepEqual(models, expected);
    assert.equal(meta.errorCount, 0);
  });

  test('a worker lists the same', async () => {
    assert.deepEqual((await call('runInWorker')).models, expected);
  });

  test('a service worker lists the same', async () => {
    assert.deepEqual((await call('runInServiceWorker')).models, expected);
  });

  test('nothing was blocked or thrown on the way', () => {
    assert.deepEqual(complaints, []);
  });
});
