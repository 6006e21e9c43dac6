// SPDX-License-Identifier: Apache-2.0
// The store on Chromium's own IndexedDB: the contract, and what other tabs and
// the browser do to it.

import assert from 'node:assert/strict';
import { after, afterEach, before, beforeEach, describe, test }
  from 'node:test';

import { chromium } from 'playwright-core';

import { contract } from '../store/contract.js';
import { startPageServer } from './page-server.js';

/** Where Debian's package puts it; others may say where theirs is. */
const CHROMIUM = process.env.CHROMIUM_PATH ?? '/usr/bin/chromium';

/** @typedef {import('playwright-core').Page} Page */

/** @type {import('playwright-core').Browser} */
let browser;
/** @type {import('playwright-core').BrowserContext} a profile of its own */
let context;
/** @type {Page} */
let page;
/** @type {Awaited<ReturnType<typeof startPageServer>>} */
let site;

before(async () => {
  site = await startPageServer();
  browser = await chromium.launch({
    executablePath: CHROMIUM, args: ['--no-sandbox'],
  });
});

after(async () => {
  await browser?.close();
  await site?.close();
});

beforeEach(async () => {
  context = await browser.newContext();
  page = await openPage();
});

afterEach(async () => { await context.close(); });

async function openPage() {
  const page = await context.newPage();
  await page.goto(`${site.url}/store.html`);
  return page;
}

/**
 * Calls a function of a page.
 * @param {Page} page
 * @param {string} name
 * @param {unknown} [argument]
 * @returns {Promise<any>}
 */
function call(page, name, argument) {
  return page.evaluate(
    ([name, argument]) => /** @type {any} */ (globalThis)[name](argument),
    /** @type {[string, any]} */ ([name, argument]));
}

/**
 * Calls a method of the page's store.
 * @param {Page} page
 * @param {string} name
 * @param {...any} args
 */
function ask(page, name, ...args) {
  return call(page, 'callStore', { name, args });
}

/**
 * Opens the database past the store, as another application would, and keeps
 * it open. It has these object stores at least, each with an entry.
 * @param {Page} page
 * @param {{ version: number, stores: Record<string, string>,
 *   mayClose: boolean }} what object stores with their key paths; whether it
 *   closes for others
 */
function openRaw(page, what) {
  return page.evaluate(({ version, stores, mayClose }) => (
    new Promise((resolve, reject) => {
      const request = indexedDB.open('TabAgentModels', version);
      request.onupgradeneeded = () => {
        for (const [name, keyPath] of Object.entries(stores)) {
          if (request.result.objectStoreNames.contains(name)) continue;
          request.result.createObjectStore(name, { keyPath })
            .put({ [keyPath]: 'old', blob: new Blob(['abc']) });
        }
      };
      request.onblocked = () => reject(new Error('blocked'));
      request.onerror = () => reject(request.error);
      request.onsuccess = () => {
        const { result } = request;
        if (mayClose) result.onversionchange = () => result.close();
        Object.assign(globalThis, { raw: result });
        resolve(undefined);
      };
    })), what);
}

/** @param {Page} page that has called `openRaw` */
function closeRaw(page) {
  return page.evaluate(() => /** @type {any} */ (globalThis).raw.close());
}

/** @param {Page} page */
function describeRaw(page) {
  return page.evaluate(() => {
    const { raw } = /** @type {any} */ (globalThis);
    return { version: raw.version, stores: [...raw.objectStoreNames] };
  });
}

describe('the store in Chromium', () => {
  for (const { title } of contract) {
    test(title, () => call(page, 'runCase', title));
  }

  test('a lock of another tab is waited for until the tab goes', async () => {
    const other = await openPage();
    await call(other, 'holdLock', 'model');
    let isOurs = false;
    const held = call(page, 'holdLock', 'model').then(() => { isOurs = true; });
    await ask(page, 'keys', '');
    assert.equal(isOurs, false);
    await other.close();
    await held;
  });

  test('a profile of version 2 keeps its store and gets ours', async () => {
    const other = await openPage();
    await openRaw(other,
      { version: 2, stores: { TabAgentModels: 'id' }, mayClose: true });
    await call(page, 'writeRecord', { key: 'a', bytes: [1] });
    await openRaw(other, { version: 3, stores: {}, mayClose: true });
    assert.deepEqual(await describeRaw(other), {
      version: 3,
      stores: ['TabAgentModels', 'files', 'inferenceSettings', 'manifest'],
    });
    const old = await other.evaluate(() => new Promise((resolve) => {
      const { raw } = /** @type {any} */ (globalThis);
      const request = raw.transaction('TabAgentModels')
        .objectStore('TabAgentModels').get('old');
      request.onsuccess = async () => resolve(await request.result.blob.text());
    }));
    assert.equal(old, 'abc');
  });

  test('a profile of version 3 opens as it is', async () => {
    const other = await openPage();
    await openRaw(other, {
      version: 3,
      stores: { files: 'url', manifest: 'repo', inferenceSettings: 'id' },
      mayClose: false,
    });
    assert.equal(await ask(page, 'size', 'old'), 3);
    assert.deepEqual(await ask(page, 'get', 'files', 'old'), [97, 98, 99]);
    assert.deepEqual(await ask(page, 'keys', ''), ['old']);
  });

  test('another tab upgrades past an open store', async () => {
    await call(page, 'writeRecord', { key: 'a', bytes: [1] });
    const other = await openPage();
    await openRaw(other, { version: 9, stores: { extra: 'id' }, mayClose: true });
    assert.deepEqual(await ask(page, 'get', 'files', 'a'), [1]);
    assert.equal((await describeRaw(other)).version, 9);
  });

  test('a tab that blocks the upgrade is reported, then the store opens',
    async () => {
      const other = await openPage();
      await openRaw(other,
        { version: 2, stores: { TabAgentModels: 'id' }, mayClose: false });
      for (let i = 0; i < 2; i += 1) {
        await assert.rejects(ask(page, 'keys', ''), /BlockedError/);
      }
      await closeRaw(other);
      // Opening waits behind the upgrade.
      await openRaw(other, { version: 3, stores: {}, mayClose: true });
      // The page hears of it a moment later.
      let keys;
      for (let i = 0; keys === undefined; i += 1) {
        keys = await ask(page, 'keys', '').catch((error) => {
          assert.match(String(error), /BlockedError/);
          assert.ok(i < 1000, 'it stays blocked');
        });
      }
      assert.deepEqual(keys, []);
    });

  test('a database deleted by another tab begins anew', async () => {
    await call(page, 'writeRecord', { key: 'a', bytes: [1] });
    const other = await openPage();
    await call(other, 'deleteDatabase');
    assert.equal(await ask(page, 'get', 'files', 'a'), null);
    await call(page, 'writeRecord', { key: 'b', bytes: [2] });
    assert.deepEqual(await ask(other, 'keys', ''), ['b']);
  });

  test('site data cleared by the user: the store begins anew', async () => {
    await call(page, 'writeRecord', { key: 'a', bytes: [1] });
    const session = await context.newCDPSession(page);
    await session.send('Storage.clearDataForOrigin',
      { origin: site.url, storageTypes: 'indexeddb' });
    await call(page, 'writeRecord', { key: 'b', bytes: [2] });
    assert.deepEqual(await ask(page, 'keys', ''), ['b']);
  });

  test('the estimate is the browser\'s', async () => {
    const { usage, quota, persisted } = await ask(page, 'estimate');
    assert.ok(quota > usage && usage >= 0, `${usage} of ${quota}`);
    assert.equal(persisted, false);
  });
});
