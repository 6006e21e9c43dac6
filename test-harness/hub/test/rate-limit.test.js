// SPDX-License-Identifier: Apache-2.0
// Quotas in virtual time: buckets, windows, headers, bursts, strict routes.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { createVirtualClock } from '../index.js';
import { QUOTAS, RateLimiter } from '../rate-limit.js';
import { bearer, virtualHub } from './support.js';

const MODEL = '/api/models/openai-community/gpt2?expand=tags';
const CONFIG = '/openai-community/gpt2/resolve/main/config.json';

/** @param {import('../hub.js').HubOptions} [options] */
function limitedHub(options) {
  return virtualHub({ rateLimits: {}, ...options });
}

/** @param {Headers} headers */
function quota(headers) {
  const state = /"(\w+)";r=(\d+);t=(\d+)/.exec(headers.get('ratelimit') ?? '');
  const policy = /"fixed window";"(\w+)";q=(\d+);w=(\d+)/.exec(
    headers.get('ratelimit-policy') ?? '');
  return {
    bucket: state?.[1], r: Number(state?.[2]), t: Number(state?.[3]),
    q: Number(policy?.[2]), w: Number(policy?.[3]),
  };
}

test('the published quotas', () => {
  assert.deepEqual(QUOTAS.anonymous, { api: 500, resolvers: 3000, pages: 100 });
  assert.deepEqual(QUOTAS.free, { api: 1000, resolvers: 5000, pages: 200 });
  assert.deepEqual(QUOTAS.pro, { api: 2500, resolvers: 12000, pages: 400 });
  assert.deepEqual(QUOTAS.team, { api: 3000, resolvers: 20000, pages: 400 });
  assert.deepEqual(QUOTAS.enterprise, { api: 6000, resolvers: 50000, pages: 600 });
});

test('both headers on every reply, in the wire form', async () => {
  const { get } = limitedHub();
  const ok = await get(MODEL);
  assert.equal(ok.headers.get('ratelimit'), '"api";r=499;t=300');
  assert.equal(ok.headers.get('ratelimit-policy'),
    '"fixed window";"api";q=500;w=300');
  const missing = await get('/api/models/nobody/nothing');
  assert.equal(missing.status, 401);
  assert.equal(quota(missing.headers).r, 498);
});

test('behind a redirect the reply tells what is left', async () => {
  const { get } = limitedHub();
  const file = await get(CONFIG);
  assert.equal(file.status, 200);
  assert.deepEqual(quota(file.headers),
    { bucket: 'resolvers', r: 2999, t: 300, q: 3000, w: 300 });
});

test('three buckets are counted apart; redirect targets are not counted', async () => {
  const { get } = limitedHub();
  await get(MODEL);
  await get(CONFIG);
  const file = await get('/openai-community/gpt2/raw/main/config.json');
  assert.deepEqual(quota(file.headers),
    { bucket: 'resolvers', r: 2998, t: 300, q: 3000, w: 300 });
  const page = await get('/openai-community/gpt2');
  assert.equal(quota(page.headers).bucket, 'pages');
  const api = await get(MODEL);
  assert.equal(quota(api.headers).r, 498);
});

test('429 at zero until the window ends, then the full quota again', async () => {
  const { clock, get } = limitedHub({ rateLimits: { quotas: { api: 3 } } });
  await clock.advance(100_000);
  for (const r of [2, 1, 0]) {
    assert.equal(quota((await get(MODEL)).headers).r, r);
  }
  const refused = await get(MODEL);
  assert.equal(refused.status, 429);
  assert.deepEqual(quota(refused.headers),
    { bucket: 'api', r: 0, t: 200, q: 3, w: 300 });
  assert.equal(refused.headers.get('retry-after'), null);

  await clock.advance(199_999);
  assert.equal((await get(MODEL)).status, 429);
  await clock.advance(1);
  const renewed = await get(MODEL);
  assert.equal(renewed.status, 200);
  assert.deepEqual(quota(renewed.headers),
    { bucket: 'api', r: 2, t: 300, q: 3, w: 300 });
});

test('identities have their own windows and tiers', async () => {
  const { get } = limitedHub();
  await get(MODEL);
  const reader = await get(MODEL, bearer('hf_reader'));
  assert.deepEqual([quota(reader.headers).q,
    quota(reader.headers).r], [1000, 999]);
  const tier = limitedHub({ tier: 'enterprise' });
  assert.equal(quota((await tier.get(MODEL)).headers).q, 6000);
});

test('5,000 anonymous config requests meet 429 at 3,000', async () => {
  const limiter = new RateLimiter({}, () => 0);
  const identity = /** @type {const} */ ({ name: 'anonymous', tier: 'anonymous' });
  let allowed = 0;
  for (let i = 0; i < 5000; i += 1) {
    if (limiter.charge(identity, '/a/b/resolve/main/config.json', 'resolvers')
      .allowed) allowed += 1;
  }
  assert.equal(allowed, 3000);
});

test('others behind the same address can use up the quota', async () => {
  const { hub, get } = limitedHub();
  hub.rateLimiter?.spend('api', 380);
  assert.equal(quota((await get(MODEL)).headers).r, 119);
});

test('Retry-After only on request', async () => {
  const { get } = limitedHub({
    rateLimits: { quotas: { api: 0 }, retryAfter: true },
  });
  const refused = await get(MODEL);
  assert.equal(refused.status, 429);
  assert.equal(refused.headers.get('retry-after'), '300');
});

test('headers can be switched off', async () => {
  const { get } = limitedHub({ rateLimits: { quotas: { api: 0 }, headers: false } });
  const refused = await get(MODEL);
  assert.equal(refused.status, 429);
  assert.equal(refused.headers.get('ratelimit'), null);
  assert.equal(refused.headers.get('ratelimit-policy'), null);
});

test('a burst is refused while r is above 0, and refills', async () => {
  const { clock, get } = limitedHub({
    rateLimits: { burst: { size: 20, perSecond: 30 } },
  });
  const statuses = [];
  for (let i = 0; i < 25; i += 1) statuses.push((await get(MODEL)).status);
  assert.equal(statuses.filter((status) => status === 200).length, 20);
  const refused = await get(MODEL);
  assert.equal(refused.status, 429);
  assert.equal(quota(refused.headers).r, 480);
  await clock.advance(100);
  for (const status of [200, 200, 200, 429]) {
    assert.equal((await get(MODEL)).status, status);
  }
});

test('whoami-v2 is refused long before its bucket is empty', async () => {
  const { get } = limitedHub();
  let reply = await get('/api/whoami-v2', bearer('hf_reader'));
  for (let i = 0; i < 40; i += 1) {
    reply = await get('/api/whoami-v2', bearer('hf_reader'));
  }
  assert.equal(reply.status, 429);
  assert.ok(quota(reply.headers).r > 900);
  assert.equal((await get(MODEL, bearer('hf_reader'))).status, 200);
});

test('the window position can be chosen', () => {
  const clock = createVirtualClock(1_000_000);
  const limiter = new RateLimiter({ anchorMs: 1_000_000 - 180_000 }, clock.now);
  assert.equal(limiter.msToReset, 120_000);
});
