// SPDX-License-Identifier: Apache-2.0
// Every knob does what its name says, to the requests it names and no others.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { crawl, nextLink, ORIGIN, virtualHub } from './support.js';

const LIST = '/api/models?limit=50';
const LARGE = '/openai-community/gpt2/resolve/main/onnx/model.onnx';

/** Enough for a page and a crawl, few enough for a Hub per test. */
const MODELS = 120;

/** @param {import('../faults.js').Rule[]} rules */
function faultyHub(...rules) {
  const world = virtualHub({ rateLimits: {}, models: MODELS });
  const added = rules.map((rule) => world.hub.faults.add(rule));
  return { ...world, rule: added[0] };
}

test('a 429 storm without headers, for a while', async () => {
  const { get, rule } = faultyHub(
    { match: '/api/models', status: 429, rateLimit: false, times: 3 });
  for (let i = 0; i < 3; i += 1) {
    const reply = await get(LIST);
    assert.equal(reply.status, 429);
    assert.equal(reply.headers.get('ratelimit'), null);
  }
  assert.equal((await get(LIST)).status, 200);
  assert.equal(rule.hits, 3);
});

test('a 429 with claimed headers', async () => {
  const { get } = faultyHub({
    status: 429, rateLimit: { r: 0, t: 42 }, headers: { 'retry-after': '42' },
  });
  const reply = await get(LIST);
  assert.equal(reply.headers.get('ratelimit'), '"api";r=0;t=42');
  assert.equal(reply.headers.get('retry-after'), '42');
});

test('a strict 429 keeps the true headers with r above 0', async () => {
  const { get } = faultyHub({ status: 429 });
  const reply = await get(LIST);
  assert.match(reply.headers.get('ratelimit') ?? '', /r=499/);
});

test('rules choose by pattern, method, bucket and order of arrival', async () => {
  const { get } = faultyHub(
    { match: '/gpt2\\/resolve/', status: 502 },
    { bucket: 'api', method: 'GET', skip: 1, times: 1, status: 503 });
  assert.deepEqual([
    (await get(LARGE)).status, (await get(LIST)).status,
    (await get(LIST)).status, (await get(LIST)).status,
  ], [502, 200, 503, 200]);
});

test('a share of requests, the same ones for the same seed', async () => {
  const statuses = async () => {
    const { get } = faultyHub({ status: 500, probability: 0.3 });
    const seen = [];
    for (let i = 0; i < 100; i += 1) seen.push((await get(LIST)).status);
    return seen;
  };
  const first = await statuses();
  assert.deepEqual(await statuses(), first);
  const failed = first.filter((status) => status === 500).length;
  assert.ok(failed > 15 && failed < 45, `${failed}`);
});

test('504 only for large pages', async () => {
  const { get } = faultyHub({ limitAbove: 100, status: 504 });
  assert.equal((await get('/api/models?limit=500')).status, 504);
  assert.equal((await get('/api/models')).status, 504);
  assert.equal((await get('/api/models?limit=100')).status, 200);
});

test('a late head, and one that never comes', async () => {
  const late = faultyHub({ delayHeadMs: 5000 });
  await late.get(LIST);
  assert.equal(late.clock.now(), 5000);

  const never = faultyHub({ stallHead: true });
  await assert.rejects(never.get(LIST), /no timer is pending/);
  assert.equal(never.hub.requests[0].status, 0);
});

test('a body that stalls can be aborted, and leaves nothing behind', async () => {
  const { clock, hub } = faultyHub({ stallAfter: 1000 });
  const controller = new AbortController();
  const response = await clock.run(
    hub.fetch(ORIGIN + LIST, { signal: controller.signal }));
  const reader = response.body?.getReader();
  const first = await clock.run(/** @type {Promise<any>} */ (reader?.read()));
  assert.equal(first.value.length, 1000);
  const second = /** @type {Promise<any>} */ (reader?.read());
  clock.setTimeout(() => controller.abort(), 50);
  await assert.rejects(clock.run(second), { name: 'AbortError' });
  assert.equal(clock.pendingTimers, 0);
});

test('a slow body takes its time, byte by byte exact', async () => {
  const plain = await virtualHub({ models: MODELS }).get(LIST);
  const { clock, get } = faultyHub({ slow: { bytes: 1000, everyMs: 10 } });
  const reply = await get(LIST);
  assert.deepEqual(reply.json(), plain.json());
  const pieces = Math.ceil((plain.bytes.length) / 1000);
  assert.equal(clock.now(), (pieces - 1) * 10 + 10);
});

test('aborting a slow body drops its timer', async () => {
  const { clock, hub } = faultyHub({ slow: { bytes: 1, everyMs: 1000 } });
  const controller = new AbortController();
  const response = await clock.run(
    hub.fetch(ORIGIN + LIST, { signal: controller.signal }));
  const text = /** @type {Promise<string>} */ (response.text());
  clock.setTimeout(() => controller.abort(), 2500);
  await assert.rejects(clock.run(text), { name: 'AbortError' });
  assert.equal(clock.now(), 2500);
  assert.equal(clock.pendingTimers, 0);
});

test('aborting before the head ends the wait at once', async () => {
  const { clock, hub } = virtualHub({ latency: { medianMs: 1000, sigma: 0 } });
  const controller = new AbortController();
  clock.setTimeout(() => controller.abort(), 100);
  await assert.rejects(clock.run(
    hub.fetch(ORIGIN + LIST, { signal: controller.signal })), { name: 'AbortError' });
  assert.equal(clock.now(), 100);
  assert.equal(clock.pendingTimers, 0);
  assert.equal(hub.requests.length, 0);
});

test('a reset breaks the body, a clean early end does not', async () => {
  const reset = faultyHub({ resetAfter: 100 });
  await assert.rejects(reset.get(LIST), TypeError);
  const ended = faultyHub({ endAfter: 100 });
  const reply = await ended.get(LIST);
  assert.equal(reply.bytes.length, 100);
  assert.equal(reply.headers.get('content-length'), null);
});

test('wrong and missing lengths, and other headers', async () => {
  const { get } = faultyHub(
    { match: LIST, headers: { 'content-length': '7', etag: '"changed"' } });
  const reply = await get(LIST);
  assert.equal(reply.headers.get('content-length'), '7');
  assert.equal(reply.headers.get('etag'), '"changed"');
  const missing = faultyHub({ headers: { 'content-length': null } });
  assert.equal((await missing.get(LIST)).headers.get('content-length'), null);
});

test('one byte made invalid at a given place', async () => {
  const { get } = faultyHub({ corruptAt: 777 });
  const good = await virtualHub({ models: MODELS }).get(LIST);
  const bad = await get(LIST);
  const different = [...bad.bytes]
    .flatMap((byte, i) => (byte === good.bytes[i] ? [] : [i]));
  assert.deepEqual(different, [777]);
});

test('hostile JSON: depth, numbers, bad UTF-8', async () => {
  const depth = faultyHub({ hostile: { kind: 'depth', size: 5000 } });
  assert.equal((await depth.get(LIST)).text, '['.repeat(5000) + ']'.repeat(5000));
  const numbers = faultyHub({ hostile: { kind: 'numbers', size: 400 } });
  const [row] = (await numbers.get(LIST)).json();
  assert.deepEqual([row.downloads, row.likes], [Infinity, Infinity]);
  const utf8 = faultyHub({ hostile: { kind: 'utf8' } });
  const reply = await utf8.get(LIST);
  assert.throws(() => new TextDecoder('utf-8', { fatal: true }).decode(reply.bytes));
});

test('a string of 100 MB is streamed, not held', async () => {
  const { clock, hub } = faultyHub({ hostile: { kind: 'string' } });
  const response = await clock.run(hub.fetch(ORIGIN + LIST));
  let bytes = 0;
  let largest = 0;
  for await (const piece of /** @type {any} */ (response.body)) {
    bytes += piece.length;
    largest = Math.max(largest, piece.length);
  }
  assert.ok(bytes > 100_000_000);
  assert.ok(largest <= 65_536);
});

test('pages that repeat or skip rows', async () => {
  const ids = async (/** @type {number} */ shiftPage) => {
    const { get } = faultyHub({ shiftPage });
    const { rows } = await crawl(get, '/api/models?limit=30');
    return rows.map(({ id }) => id);
  };
  const exact = await ids(0);
  const repeated = await ids(-3);
  assert.ok(repeated.length > exact.length);
  assert.deepEqual(new Set(repeated), new Set(exact));
  const skipped = await ids(3);
  assert.ok(new Set(skipped).size < exact.length);
});

test('a Link that leads back to its own page', async () => {
  const { get } = faultyHub({ linkLoop: true });
  const first = await get(LIST);
  const second = await get(nextLink(first.headers) ?? '');
  const third = await get(nextLink(second.headers) ?? '');
  assert.equal(second.text, third.text);
});

test('rules can be removed', async () => {
  const { get, hub, rule } = faultyHub({ status: 500 }, { status: 503 });
  assert.equal((await get(LIST)).status, 503);
  rule.remove();
  hub.faults.clear();
  assert.equal((await get(LIST)).status, 200);
});
