// SPDX-License-Identifier: Apache-2.0
// Pages, service workers and whole browsers that end in the middle of a
// download, at any byte. Afterwards there are only right bytes, and what is
// fetched again is at most what was in flight.
//
//   TAM_BROWSER_KILLS=20 node --test test-harness/browser/manager-kill.test.js

import assert from 'node:assert/strict';
import { after, afterEach, before, beforeEach, describe, test }
  from 'node:test';

import { Random } from '../hub/random.js';
import {
  ask, call, CHUNK, MODEL, openManager, openStage, SLOTS, until, WEIGHTS_BYTES,
} from './manager-stage.js';

/** @typedef {import('playwright-core').Page} Page */

/** Kinds of ends, one after the other. */
const KILLS = Number(process.env.TAM_BROWSER_KILLS ?? 4);

const SEED = 20260103;

/** @type {import('./manager-stage.js').Stage} */
let stage;
/** @type {import('./browser-process.js').Chromium} */
let chromium;
/** @type {string} the SHA-256 of the weights */
let expected;

before(async () => {
  stage = await openStage();
  expected = await stage.sha256();
});

after(() => stage?.close());

beforeEach(async () => { chromium = await stage.start(); });

afterEach(async () => {
  stage.hub.faults.clear();
  await chromium.close();
});

/**
 * Downloads until the connection hangs, after |bytes| of the |part|th part of
 * the weights, then ends it by |end|.
 * @param {{ part: number, bytes: number }} place
 * @param {() => Promise<void>} begin
 * @param {() => Promise<void>} end
 * @returns {Promise<number>} bytes of the weights that were sent
 */
async function breakOff({ part, bytes }, begin, end) {
  const start = stage.hub.requests.length;
  const stall = stage.hub.faults.add(
    { match: stage.server.cdnUrl, content: true, skip: part, stallAfter: bytes });
  await begin();
  await until(() => stage.contentRequests(start)
    .some(({ bytesSent }) => bytesSent === bytes));
  await end();
  stall.remove();
  return stage.bytesSent(start);
}

/**
 * @param {Page} page where the download is begun anew
 * @param {number} sentBefore
 */
async function finish(page, sentBefore) {
  const start = stage.hub.requests.length;
  const { failure, resumedBytes } = await ask(page, 'download', MODEL);
  assert.equal(failure, undefined);
  assert.ok(resumedBytes < WEIGHTS_BYTES, 'nothing was broken off');
  const sent = stage.bytesSent(start);
  assert.ok(sentBefore + sent <= WEIGHTS_BYTES + SLOTS * CHUNK,
    `${sentBefore} and ${sent} bytes were sent, ${resumedBytes} were there`);
  await check(page);
}

/** @param {Page} page */
async function check(page) {
  const start = stage.hub.requests.length;
  const { sha256 } = await call(page, 'fetchFile',
    { url: stage.url, how: 'byob' });
  assert.equal(sha256, expected);
  assert.deepEqual(await ask(page, 'verifyModel', MODEL),
    { ok: true, damaged: [], repaired: 0 });
  assert.equal(stage.hub.requests.length, start);
}

describe('a download that is ended from outside', () => {
  const random = new Random(SEED);
  const between = (/** @type {number} */ end) => Math.floor(random.next() * end);

  for (let i = 0; i < KILLS; i += 1) {
    const what = i % 2 ? 'page' : 'browser';
    const place = { part: between(8), bytes: 1 + between(CHUNK - 1) };
    test(`${what} killed in part ${place.part} at byte ${place.bytes}`,
      async () => {
        const page = await openManager(stage, chromium);
        const sent = await breakOff(place,
          () => call(page, 'beginDownload', { modelId: MODEL }),
          async () => {
            if (what === 'page') return page.close();
            await chromium.kill();
            chromium = await stage.start();
          });
        const again = await openManager(stage, chromium);
        await finish(again, sent);
        await call(again, 'deleteDatabase');
      });
  }

  test('a service worker that is stopped', async () => {
    const page = await openManager(stage, chromium);
    const inWorker = (/** @type {string} */ name,
      /** @type {unknown} */ argument) => (
      call(page, 'askServiceWorker', { name, argument }));
    const open = () => inWorker('openManager', { hubUrl: stage.server.url });
    await open();
    const session = await chromium.context.newCDPSession(page);
    await session.send('ServiceWorker.enable');
    const sent = await breakOff({ part: 2, bytes: 1 << 20 },
      () => inWorker('beginDownload', { modelId: MODEL }),
      async () => { await session.send('ServiceWorker.stopAllWorkers'); });
    await open();
    const start = stage.hub.requests.length;
    const { failure } = await inWorker('callManager',
      { name: 'download', args: [MODEL] });
    assert.equal(failure, undefined);
    assert.ok(sent + stage.bytesSent(start) <= WEIGHTS_BYTES + SLOTS * CHUNK);
    await check(page);
    await call(page, 'deleteDatabase');
  });
});
