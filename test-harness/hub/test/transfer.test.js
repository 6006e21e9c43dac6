// SPDX-License-Identifier: Apache-2.0
// What goes wrong with the transfer of a file, the same behind both fronts.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { uploadedContent } from '../content.js';
import { createHub, startHub } from '../index.js';

const SIZE = 700_001;
const BYTES = Buffer.from(uploadedContent({ size: SIZE, seed: 4 }).read(0, SIZE));
const TEXT = JSON.stringify({ model_type: 'llama', padding: ' '.repeat(3000) });
const LARGE = '/me/model/resolve/main/model.onnx';
const SMALL = '/me/model/resolve/main/config.json';
const OPTIONS = /** @type {import('../hub.js').HubOptions} */ ({
  models: 60, latency: false, repositories: [{ id: 'me/model', files: new Map(
    /** @type {[string, any][]} */ ([['model.onnx', { size: SIZE, seed: 4 }],
      ['config.json', TEXT]])) }],
});

/** @typedef {(path: string, init?: RequestInit) => Promise<Response>} Get */
/** @typedef {{ hub: import('../hub.js').Hub, get: Get, over: string }} World */

/**
 * @param {string} name
 * @param {(world: World) => Promise<void>} body
 */
function onBothFronts(name, body) {
  describe(name, () => {
    test('in process', async () => {
      const hub = createHub(OPTIONS);
      const get = /** @type {Get} */ (async (path, init) => hub.fetch(
        new URL(path, 'https://huggingface.co').href, init));
      await body({ hub, get, over: 'process' });
    });
    test('over HTTP', async () => {
      const { hub, url, close } = await startHub(OPTIONS);
      const get = /** @type {Get} */ (async (path, init) =>
        fetch(new URL(path, url), init));
      await body({ hub, get, over: 'http' }).finally(close);
    });
  });
}

/** @param {Response} response */
const bytesOf = async (response) => Buffer.from(await response.arrayBuffer());

/** @param {string} range */
const ranged = (range, more = {}) => ({ headers: { range, ...more } });

onBothFronts('a 200 with the whole file to a Range request', async ({ hub, get }) => {
  hub.faults.add({ content: true, ignoreRange: true, times: 1 });
  const whole = await get(LARGE, ranged('bytes=1000-1999'));
  assert.deepEqual([whole.status, whole.headers.get('content-range'),
    whole.headers.get('content-length')], [200, null, String(SIZE)]);
  assert.deepEqual(await bytesOf(whole), BYTES);
  const part = await get(LARGE, ranged('bytes=1000-1999'));
  assert.equal(part.status, 206);
  assert.deepEqual(await bytesOf(part), BYTES.subarray(1000, 2000));
});

onBothFronts('another range than asked', async ({ hub, get }) => {
  hub.faults.add({ content: true, shiftRange: 500 });
  const shifted = await get(LARGE, ranged('bytes=1000-1999'));
  assert.deepEqual([shifted.status, shifted.headers.get('content-range')],
    [206, `bytes 1500-2499/${SIZE}`]);
  assert.deepEqual(await bytesOf(shifted), BYTES.subarray(1500, 2500));
});

onBothFronts('a 206 that lies about its range, or says none', async ({ hub, get }) => {
  hub.faults.add({ content: true, times: 1,
    headers: { 'content-range': `bytes 0-999/${SIZE}` } });
  hub.faults.add({ content: true, skip: 1, headers: { 'content-range': null } });
  for (const claim of [`bytes 0-999/${SIZE}`, null]) {
    const part = await get(LARGE, ranged('bytes=1000-1999'));
    assert.deepEqual([part.status, part.headers.get('content-range')], [206, claim]);
    assert.deepEqual(await bytesOf(part), BYTES.subarray(1000, 2000));
  }
});

onBothFronts('another ETag from some request on', async ({ hub, get }) => {
  hub.faults.add({ content: true, skip: 1, etag: '"changed"' });
  const first = await get(LARGE, ranged('bytes=0-9'));
  await first.arrayBuffer();
  const etag = first.headers.get('etag') ?? '';
  const second = await get(LARGE, ranged('bytes=10-19', { 'if-range': etag }));
  assert.deepEqual([second.status, second.headers.get('etag')], [200, '"changed"']);
  await second.arrayBuffer();
  const third = await get(LARGE, ranged('bytes=10-19', { 'if-range': '"changed"' }));
  assert.equal(third.status, 206);
  await third.arrayBuffer();
});

onBothFronts('a weak ETag never satisfies If-Range', async ({ hub, get }) => {
  hub.faults.add({ content: true, etag: 'W/"weak"' });
  const reply = await get(LARGE, ranged('bytes=10-19', { 'if-range': 'W/"weak"' }));
  assert.equal(reply.status, 200);
  await reply.arrayBuffer();
});

/**
 * @param {Get} get
 * @returns {Promise<string>} signed address of the large file
 */
async function signedAddress(get) {
  const hop = await get(LARGE, { redirect: 'manual' });
  await hop.arrayBuffer();
  return hop.headers.get('location') ?? '';
}

/** @param {Response} reply */
async function assertExpired(reply) {
  assert.equal(reply.status, 403);
  assert.equal(reply.headers.get('x-error-code'), null);
  assert.match(reply.headers.get('content-type') ?? '', /xml/);
  assert.match(await reply.text(), /^<\?xml.*<Error>/s);
}

onBothFronts('an address that is good for two requests', async ({ hub, get }) => {
  hub.faults.add({ match: '/resolve/', signedUses: 2, times: 2 });
  const old = await signedAddress(get);
  for (let use = 0; use < 2; use += 1) {
    assert.equal((await bytesOf(await get(old, ranged('bytes=0-9')))).length, 10);
  }
  await assertExpired(await get(old, ranged('bytes=0-9')));
  assert.deepEqual(await bytesOf(await get(await signedAddress(get))), BYTES);
  assert.deepEqual(await bytesOf(await get(LARGE)), BYTES);
});

onBothFronts('an address that has expired', async ({ hub, get }) => {
  hub.faults.add({ match: '/resolve/', signedSeconds: 0, times: 1 });
  await assertExpired(await get(LARGE));
  assert.deepEqual(await bytesOf(await get(LARGE)), BYTES);
});

onBothFronts('a small file compressed', async ({ hub, get }) => {
  hub.faults.add({ content: true, gzip: true });
  const reply = await get(SMALL);
  assert.equal(reply.headers.get('content-encoding'), 'gzip');
  assert.ok(Number(reply.headers.get('content-length')) < TEXT.length / 2);
  assert.equal(await reply.text(), TEXT);
  const part = await get(SMALL, ranged('bytes=0-9'));
  assert.deepEqual([part.headers.get('content-encoding'), await part.text()],
    [null, TEXT.slice(0, 10)]);
});

onBothFronts('no Content-Length, small and large', async ({ hub, get }) => {
  hub.faults.add({ content: true, headers: { 'content-length': null } });
  for (const [path, size] of [[SMALL, TEXT.length], [LARGE, SIZE]]) {
    const reply = await get(String(path));
    assert.equal(reply.headers.get('content-length'), null);
    assert.equal((await bytesOf(reply)).length, size);
  }
});

onBothFronts('a body that ends too early, with its Content-Length', async (world) => {
  world.hub.faults.add({ content: true, endAfter: 300_000, keepLength: true });
  const reply = await world.get(LARGE);
  assert.equal(reply.headers.get('content-length'), String(SIZE));
  // A connection shows that something is missing; the other front leaves the
  // counting to the client.
  if (world.over === 'http') await assert.rejects(reply.arrayBuffer(), TypeError);
  else assert.deepEqual(await bytesOf(reply), BYTES.subarray(0, 300_000));
});

onBothFronts('a reset delivers what was sent before', async ({ hub, get }) => {
  hub.faults.add({ content: true, resetAfter: 300_000 });
  const reply = await get(LARGE);
  /** @type {Uint8Array[]} */
  const pieces = [];
  await assert.rejects(async () => {
    for await (const piece of /** @type {any} */ (reply.body)) pieces.push(piece);
  }, TypeError);
  const got = Buffer.concat(pieces);
  assert.deepEqual(got, BYTES.subarray(0, got.length));
  assert.ok(got.length > 0 && got.length <= 300_000, `${got.length}`);
  assert.equal(hub.requests.at(-1)?.bytesSent, 300_000);
});

onBothFronts('a wrong byte, right length, even where it was that byte', async (world) => {
  const at = BYTES.indexOf(1);
  world.hub.faults.add({ content: true, corruptAt: at });
  const got = await bytesOf(await world.get(LARGE));
  assert.equal(got.length, SIZE);
  const wrong = [...got.keys()].filter((i) => got[i] !== BYTES[i]);
  assert.deepEqual(wrong, [at]);
});

onBothFronts('refusals for the content only', async ({ hub, get }) => {
  for (const status of [416, 500, 503]) {
    hub.faults.add({ content: true, status, times: 1 });
    const reply = await get(LARGE, ranged('bytes=0-9'));
    assert.deepEqual([reply.status, reply.redirected], [status, true]);
    await reply.arrayBuffer();
    assert.equal((await bytesOf(await get(LARGE))).length, SIZE);
  }
});

onBothFronts('the log tells what was asked and what was sent', async ({ hub, get }) => {
  const rule = hub.faults.add({ content: true, skip: 1, times: 1, endAfter: 4000 });
  await bytesOf(await get(LARGE, ranged('bytes=100-299', { 'if-range': '"old"' })));
  await bytesOf(await get(LARGE));
  await get(LARGE, { method: 'HEAD' });
  rule.remove();
  const content = hub.requests.filter(({ url }) => url.startsWith(hub.cdn.origin));
  assert.deepEqual(content.map(({ method, status, headers, bytesSent }) =>
    [method, status, headers.range, headers['if-range'], bytesSent]), [
    ['GET', 200, 'bytes=100-299', '"old"', SIZE],
    ['GET', 200, undefined, undefined, 4000],
    ['HEAD', 200, undefined, undefined, 0],
  ]);
});

onBothFronts('a client that stops reading is not sent the rest', async ({ hub, get }) => {
  hub.faults.add({ content: true, slow: { bytes: 1000, everyMs: 1 } });
  const controller = new AbortController();
  const reply = await get(LARGE, { signal: controller.signal });
  const reader = /** @type {ReadableStream} */ (reply.body).getReader();
  await reader.read();
  controller.abort();
  await assert.rejects(reader.read(), { name: 'AbortError' });
  const { bytesSent } = hub.requests[hub.requests.length - 1];
  assert.ok(bytesSent > 0 && bytesSent < SIZE, `${bytesSent}`);
});
