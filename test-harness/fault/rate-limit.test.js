// SPDX-License-Identifier: Apache-2.0
// 429 in every form: windows, bursts and storms, with and without headers. No
// model may be lost, few requests may be wasted, and the caller is told.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { list, LISTED } from './listing.js';
import { itemsOf } from './message-rules.js';

/** A quota that the requests of these tests exceed twice. */
const QUOTA = 100;
const WINDOW_MS = 300_000;

/** Every survivor costs a request. */
const params = /** @type {const} */ ({ fetchConfigs: 'all', maxCandidates: 250 });

const { models: expected } = await list({ params, hub: { rateLimits: false } });

/** Share of refused requests that a client may cause without headers. */
const WASTE_MAX = 0.06;

/**
 * The answers that were 429.
 * @param {import('./listing.js').Outcome} outcome
 */
function refusals({ hub }) {
  return hub.requests.filter(({ status }) => status === 429);
}

/** @param {import('./listing.js').Outcome} outcome */
function checkNothingIsLost(outcome) {
  assert.equal(outcome.error, undefined);
  assert.deepEqual(outcome.models, expected);
  assert.equal(outcome.meta.partial, false);
  assert.equal(outcome.meta.errorCount, 0);
}

describe('a window smaller than the listing', () => {
  test('with headers costs no refused request', async () => {
    const outcome = await list({
      params: { fetchConfigs: 'never', pageSize: 50 },
      hub: { rateLimits: { quotas: { api: 9 } } },
    });
    assert.equal(outcome.meta.fetched, LISTED);
    assert.equal(refusals(outcome).length, 0);
    assert.equal(outcome.meta.rate_limited, true);
    const windows = Math.floor(outcome.traffic.pages.length / 9);
    assert.equal(windows, 2);
    assert.ok(outcome.meta.durationMs <= windows * WINDOW_MS + 10_000);
  });

  test('files of a window cost no refused request either', async () => {
    const outcome = await list({
      params, hub: { rateLimits: { quotas: { resolvers: QUOTA } } },
    });
    checkNothingIsLost(outcome);
    assert.equal(refusals(outcome).length, 0);
    assert.equal(outcome.meta.rate_limited, true);
  });

  test('the announced reset is the true one', async () => {
    /** @type {{ told: number, real: number }[]} */
    const resets = [];
    await list({
      params, hub: { rateLimits: { quotas: { resolvers: QUOTA } } },
      onProgress({ clock, hub }, { status, delta }) {
        if (status !== 'rate_limited') return;
        assert.equal(delta.bucket, 'resolvers');
        resets.push({
          told: delta.resetAtMs,
          real: clock.now() + (hub.rateLimiter?.msToReset ?? 0),
        });
      },
    });
    assert.equal(resets.length, 2);
    for (const { told, real } of resets) {
      // The header counts whole seconds, and clients return at random moments
      // so as not to meet each other.
      assert.ok(told >= real && told <= real + 1500, `${told} for ${real}`);
    }
  });

  for (const [name, hub] of /** @type {[string, any][]} */ ([
    ['without headers', { rateLimits: { headers: false } }],
    ['with Retry-After alone',
      { rateLimits: { headers: false, retryAfter: true } }],
    ['with headers that a page cannot read', { personality: 'page' }],
  ])) {
    test(`${name} wastes few requests`, async () => {
      const rateLimits = { quotas: { resolvers: QUOTA }, ...hub.rateLimits };
      const outcome = await list({ params, hub: { ...hub, rateLimits } });
      checkNothingIsLost(outcome);
      assert.equal(outcome.meta.rate_limited, true);
      const wasted = refusals(outcome).length / outcome.hub.requests.length;
      assert.ok(wasted > 0 && wasted <= WASTE_MAX, `${wasted}`);
      assert.equal(outcome.meta.telemetry.counters['configFetch.429'],
        refusals(outcome).length);
      assert.ok(itemsOf(outcome.progress, 'rate_limited').length > 0);
    });
  }
});

describe('another limit bites while requests are left', () => {
  for (const headers of [true, false]) {
    test(`headers ${headers ? 'readable' : 'hidden'}`, async () => {
      const outcome = await list({
        params,
        hub: { rateLimits: { headers, burst: { size: 20, perSecond: 5 } } },
      });
      checkNothingIsLost(outcome);
      const wasted = refusals(outcome).length / outcome.hub.requests.length;
      assert.ok(wasted > 0 && wasted <= WASTE_MAX, `${wasted}`);
    });
  }
});

describe('a storm of refusals', () => {
  for (const [name, rule] of /** @type {[string, object][]} */ ([
    ['without headers', { rateLimit: false }],
    ['that claims an empty window', { rateLimit: { r: 0, t: 30 } }],
    ['that claims a full window', { rateLimit: { r: 400, t: 200 } }],
    ['with Retry-After', { rateLimit: false, headers: { 'retry-after': '20' } }],
    ['with nonsense for headers', {
      headers: {
        ratelimit: '"resolvers";r=-5;t=1e99', 'ratelimit-policy': '""";;=',
        'retry-after': 'tomorrow',
      },
    }],
  ])) {
    test(name, async () => {
      const outcome = await list({
        params, hub: { rateLimits: false },
        faults: [{ bucket: 'resolvers', skip: 30, times: 40, status: 429, ...rule }],
      });
      checkNothingIsLost(outcome);
      assert.equal(refusals(outcome).length, 40);
      assert.equal(outcome.meta.rate_limited, true);
    });
  }

  test('on the listing itself loses no row', async () => {
    const outcome = await list({
      params, hub: { rateLimits: false },
      faults: [{ bucket: 'api', skip: 1, times: 5, status: 429, rateLimit: false }],
    });
    checkNothingIsLost(outcome);
    assert.equal(outcome.meta.telemetry.counters['listing.429'], 5);
    const [{ delta }] = itemsOf(outcome.progress, 'rate_limited');
    assert.equal(delta.bucket, 'api');
  });

  test('without end ends with the caller, after few attempts', async () => {
    const controller = new AbortController();
    const hour = 3600_000;
    const outcome = await list({
      params, hub: { rateLimits: false }, signal: controller.signal,
      faults: [{ bucket: 'resolvers', status: 429, rateLimit: false }],
      prepare: ({ clock }) => clock.setTimeout(() => controller.abort(), hour),
    });
    assert.equal(outcome.error.code, 'cancelled');
    assert.equal(outcome.meta.rate_limited, true);
    assert.equal(outcome.meta.filtered, 250);
    const perMinute = refusals(outcome).length / 60;
    assert.ok(perMinute <= 2.5, `${perMinute} a minute`);
  });
});
