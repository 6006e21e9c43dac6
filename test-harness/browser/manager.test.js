// SPDX-License-Identifier: Apache-2.0
// The manager's store in Chromium, on its own IndexedDB.

import assert from 'node:assert/strict';
import { after, afterEach, before, beforeEach, describe, test }
  from 'node:test';

import {
  ask, call, CHUNK, MODEL, openManager, openStage, until, WEIGHTS,
  WEIGHTS_BYTES,
} from './manager-stage.js';

/** @typedef {import('playwright-core').Page} Page */

/** A read that hangs must not hang the tests. */
const HANG_MS = 60_000;

/** @type {import('./manager-stage.js').Stage} */
let stage;
/** @type {import('./browser-process.js').Chromium} */
let chromium;
/** @type {Page} */
let page;
/** @type {string} the SHA-256 of the weights */
let expected;

before(async () => {
  stage = await openStage();
  expected = await stage.sha256();
  chromium = await stage.start();
});

after(async () => {
  await chromium?.close();
  await stage?.close();
});

beforeEach(async () => { page = await openManager(stage, chromium); });

afterEach(async () => {
  await call(page, 'deleteDatabase');
  await page.close();
});

/**
 * @param {string} how the body is read
 * @param {RequestInit} [init]
 */
function read(how, init) {
  return call(page, 'fetchFile', { url: stage.url, how, init });
}

/** How many requests the Hub has had. */
function mark() {
  return stage.hub.requests.length;
}

describe('a stored model', () => {
  test('is listed, served in every way, verified and deleted', async () => {
    const { bytes, fetchedBytes, fromCache } = await ask(page, 'download', MODEL);
    assert.equal(fetchedBytes, bytes);
    assert.equal(fromCache, false);
    const start = mark();

    const [model] = await ask(page, 'models');
    assert.equal(model.modelId, MODEL);
    assert.deepEqual(model.dtypes,
      [{ dtype: 'q8', status: 'downloaded', bytes, complete: true }]);

    for (const how of ['arrayBuffer', 'blob', 'byob', 'default']) {
      const { status, headers, ...body } = await read(how);
      assert.equal(status, 200, how);
      assert.equal(headers['content-length'], String(WEIGHTS_BYTES));
      assert.deepEqual(body, { bytes: WEIGHTS_BYTES, sha256: expected }, how);
    }
    assert.equal(await call(page, 'matchFile', stage.url), expected);
    assert.deepEqual(await ask(page, 'verifyModel', MODEL),
      { ok: true, damaged: [], repaired: 0 });
    assert.equal(mark(), start, 'the network was asked');

    await ask(page, 'deleteModel', MODEL);
    assert.deepEqual(await ask(page, 'models'), []);
    assert.equal(await call(page, 'matchFile', stage.url), undefined);
  });

  test('answers HEAD and Range as the Hub does', async () => {
    await ask(page, 'download', MODEL);
    const head = await read('arrayBuffer', { method: 'HEAD' });
    assert.equal(head.headers['content-length'], String(WEIGHTS_BYTES));
    assert.equal(head.bytes, 0);
    // Across the border of two chunks.
    const from = CHUNK - 1000;
    const range = `bytes=${from}-${CHUNK + 999}`;
    const ours = await read('byob', { headers: { range } });
    assert.equal(ours.status, 206);
    assert.equal(ours.headers['content-range'],
      `bytes ${from}-${CHUNK + 999}/${WEIGHTS_BYTES}`);
    const theirs = await page.evaluate(async ([url, range]) => {
      const response = await fetch(url, { headers: { range } });
      const digest = await crypto.subtle.digest(
        'SHA-256', await response.arrayBuffer());
      return [...new Uint8Array(digest)]
        .map((byte) => byte.toString(16).padStart(2, '0')).join('');
    }, [stage.url, range]);
    assert.equal(ours.sha256, theirs);
  });

  test('a reader that leaves in the middle leaves nothing behind', async () => {
    await ask(page, 'download', MODEL);
    const count = await call(page, 'readBeginning',
      { url: stage.url, bytes: CHUNK + 1 });
    assert.ok(count > CHUNK && count < WEIGHTS_BYTES);
    assert.deepEqual(await ask(page, 'jobs'), []);
    assert.equal((await read('byob')).sha256, expected);
  });

  test('a miss is downloaded once and served', async () => {
    const start = mark();
    const [first, second] = await Promise.all([read('byob'), read('default')]);
    assert.equal(first.sha256, expected);
    assert.equal(second.sha256, expected);
    assert.equal(stage.bytesSent(start), WEIGHTS_BYTES);
  });

  test('a damaged chunk is not served, but fetched again', async () => {
    await ask(page, 'download', MODEL);
    const start = mark();
    await call(page, 'damage', `${MODEL}/onnx/model_quantized.onnx_chunk_2`);
    assert.equal((await read('byob')).sha256, expected);
    assert.equal(stage.bytesSent(start), CHUNK);
    assert.deepEqual(await ask(page, 'verifyModel', MODEL),
      { ok: true, damaged: [], repaired: 0 });
  });
});

describe('a stored file that is opened', () => {
  const key = `${MODEL}/${WEIGHTS}_chunk_`;

  /** @param {object} [params] */
  const open = (params) => call(page, 'openFile', {
    hubUrl: stage.server.url,
    params: { modelId: MODEL, path: WEIGHTS, ...params },
  });

  const assertRight = async () => {
    for (const how of ['blob', 'byob', 'default']) {
      assert.deepEqual(await call(page, 'readOpened', how),
        { bytes: WEIGHTS_BYTES, sha256: expected }, how);
    }
  };

  test('has its bytes, and asks nobody for them', async () => {
    await ask(page, 'download', MODEL);
    const start = mark();
    assert.equal(await open(), 'open');
    await assertRight();
    assert.equal(await open({ verify: false }), 'open');
    await assertRight();
    assert.equal(mark(), start, 'the network was asked');
    assert.equal(await open({ path: 'none.json' }), 'not_stored');
  });

  test('is repaired where it is damaged', async () => {
    await ask(page, 'download', MODEL);
    const start = mark();
    await call(page, 'damage', `${key}3`);
    assert.equal(await open({ repair: false }), 'store_damaged');
    assert.equal(await open(), 'open');
    await assertRight();
    assert.equal(stage.bytesSent(start), CHUNK);
  });

  test('outlives what is stored', async () => {
    await ask(page, 'download', MODEL);
    assert.equal(await open(), 'open');
    await call(page, 'damage', `${key}0`);
    await assertRight();
    await ask(page, 'deleteModel', MODEL);
    await assertRight();
    await call(page, 'deleteDatabase');
    await assertRight();
    assert.equal(await open(), 'not_stored');
  });
});

// A read of a Blob whose reader only the pending promise refers to never ends
// when the collector runs.
describe('while garbage is collected all the time', () => {
  test('nothing hangs', { timeout: HANG_MS }, async () => {
    await call(page, 'keepCollecting');
    await ask(page, 'download', MODEL);
    for (const how of ['byob', 'default', 'arrayBuffer', 'blob']) {
      assert.equal((await read(how)).sha256, expected, how);
    }
    assert.equal((await ask(page, 'verifyModel', MODEL)).ok, true);
    assert.equal(await call(page, 'openFile', {
      hubUrl: stage.server.url, params: { modelId: MODEL, path: WEIGHTS },
    }), 'open');
  });
});

describe('a browser without streams of bytes', () => {
  /** As Safari's. */
  const withoutByteStreams = () => {
    const { getReader } = ReadableStream.prototype;
    /** @param {any} [options] @returns {any} */
    ReadableStream.prototype.getReader = function getReaderWithoutMode(options) {
      if (options?.mode) throw new TypeError('there are no such readers');
      return getReader.call(this);
    };
    globalThis.ReadableStream = new Proxy(ReadableStream, {
      construct(Stream, [source, strategy]) {
        if (source.type) throw new RangeError('there are no such streams');
        return new Stream(source, strategy);
      },
    });
  };

  test('stores, serves and repairs a model all the same', async () => {
    await page.evaluate(withoutByteStreams);
    const { bytes, fetchedBytes } = await ask(page, 'download', MODEL);
    assert.equal(fetchedBytes, bytes);
    for (const how of ['arrayBuffer', 'blob', 'default']) {
      assert.equal((await read(how)).sha256, expected, how);
    }
    await call(page, 'damage', `${MODEL}/onnx/model_quantized.onnx_chunk_1`);
    assert.equal((await read('default')).sha256, expected);
    assert.deepEqual(await ask(page, 'verifyModel', MODEL),
      { ok: true, damaged: [], repaired: 0 });
  });
});

describe('two tabs', () => {
  /** @type {Page} */
  let other;

  beforeEach(async () => { other = await openManager(stage, chromium); });

  afterEach(async () => { await other.close(); });

  test('download the same model once', async () => {
    const start = mark();
    const results = await Promise.all(
      [page, other].map((tab) => ask(tab, 'download', MODEL)));
    assert.equal(stage.bytesSent(start), WEIGHTS_BYTES);
    const [{ bytes }] = results;
    assert.equal(results[0].fetchedBytes + results[1].fetchedBytes, bytes);
    assert.deepEqual(results.map(({ fromCache }) => fromCache).sort(),
      [false, true]);
  });

  test('fetch the same file once', async () => {
    const start = mark();
    const files = await Promise.all([page, other].map(
      (tab) => call(tab, 'fetchFile', { url: stage.url, how: 'byob' })));
    assert.deepEqual(files.map(({ sha256 }) => sha256), [expected, expected]);
    assert.equal(stage.bytesSent(start), WEIGHTS_BYTES);
  });

  test('one takes over when the other is closed', async () => {
    const stalled = stage.hub.faults.add(
      { content: true, skip: 2 + 4, stallAfter: 1000 });
    await call(page, 'beginDownload', { modelId: MODEL });
    await until(() => stalled.hits > 0);
    const waiting = ask(other, 'download', MODEL);
    await page.close();
    stalled.remove();
    const { resumedBytes, bytes } = await waiting;
    assert.ok(resumedBytes <= bytes);
    const file = await call(other, 'fetchFile', { url: stage.url, how: 'byob' });
    assert.equal(file.sha256, expected);
    page = await openManager(stage, chromium);
  });

  test('one deletes the database under the other\'s download', async () => {
    const slow = stage.hub.faults.add(
      { content: true, slow: { bytes: 1 << 18, everyMs: 4 } });
    await call(page, 'beginDownload', { modelId: MODEL });
    await page.waitForFunction(([modelId, bytes]) => (
      /** @type {any} */ (globalThis).loadedOf(modelId) > bytes),
    /** @type {const} */ ([MODEL, 2 * CHUNK]));
    await call(other, 'deleteDatabase');
    slow.remove();
    const { failure } = await call(page, 'endOfDownload', MODEL);
    if (failure) assert.match(failure.code, /^store_/);
    // Whatever it said: nothing is missing or wrong afterwards.
    const again = await ask(page, 'download', MODEL);
    assert.equal(again.failure, undefined);
    if (!failure) assert.equal(again.fromCache, true);
    assert.equal((await read('byob')).sha256, expected);
  });
});

/**
 * What the browser lets the pages of the site store.
 * @param {import('./manager-stage.js').Stage} stage
 * @param {Page} page
 * @param {number} [quotaSize] bytes; the browser's own by default
 */
async function setQuota(stage, page, quotaSize) {
  const session = await page.context().newCDPSession(page);
  await session.send('Storage.overrideQuotaForOrigin',
    { origin: stage.site.url, quotaSize });
}

describe('when the quota', () => {
  test('is too low, not a byte is fetched', async () => {
    const stage = await openStage();
    // Else an estimate tells pages of a quota that is nobody's.
    const chromium = await stage.start(['--disable-features=StaticStorageQuota']);
    const page = await openManager(stage, chromium);
    await setQuota(stage, page, CHUNK);
    const plan = await ask(page, 'plan', MODEL);
    assert.equal(plan.fits, false);
    const { failure } = await ask(page, 'download', MODEL);
    assert.equal(failure.code, 'quota_exceeded');
    assert.equal(failure.neededBytes, plan.neededBytes);
    assert.equal(failure.quotaBytes, CHUNK);
    assert.ok(failure.freeBytes <= CHUNK);
    assert.deepEqual(stage.contentRequests(), []);
    await chromium.close();
    await stage.close();
  });

  // A new browser, for one that has written asks for the quota only twice a
  // minute.
  test('ends in the middle, what is stored stays', async () => {
    const stage = await openStage();
    const chromium = await stage.start();
    const page = await openManager(stage, chromium);
    await setQuota(stage, page, 2.5 * CHUNK);
    const { failure } = await ask(page, 'download', MODEL);
    assert.equal(failure.code, 'quota_exceeded');
    await setQuota(stage, page);
    const { resumedBytes, fetchedBytes, bytes } =
      await ask(page, 'download', MODEL);
    assert.ok(resumedBytes >= CHUNK, `${resumedBytes}`);
    assert.equal(resumedBytes + fetchedBytes, bytes);
    const { sha256 } = await call(page, 'fetchFile',
      { url: stage.url, how: 'byob' });
    assert.equal(sha256, expected);
    await chromium.close();
    await stage.close();
  });
});

describe('a page of another origin than the Hub\'s', () => {
  // It knows the ETag of a file that it goes on with; the origin of large files
  // lets no page send If-Range.
  for (const missing of [1, 2, 3]) {
    test(`goes on with ${missing} chunks`, async () => {
      await ask(page, 'download', MODEL);
      await page.evaluate(([key, count]) => (
        /** @type {any} */ (globalThis).remove(key, count)),
      /** @type {[string, number]} */ (
        [`${MODEL}/onnx/model_quantized.onnx_chunk_`, missing]));
      const start = mark();
      const result = await ask(page, 'download', MODEL);
      assert.equal(result.failure, undefined);
      assert.equal(result.fetchedBytes, missing * CHUNK);
      const refused = stage.hub.requests.slice(start)
        .filter(({ status }) => status === 403);
      assert.ok(refused.length > 0 && refused.length <= missing,
        `${refused.length} were refused`);
      assert.equal((await read('byob')).sha256, expected);
    });
  }
});
