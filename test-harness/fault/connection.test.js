// SPDX-License-Identifier: Apache-2.0
// Connections that hang, break, stall or crawl, in front of and within an
// answer. What can be had by asking again must be had.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { LISTED, classesByListing, list } from './listing.js';

const TIMEOUT_MS = 5_000;

const params = /** @type {const} */ ({
  fetchConfigs: 'all', maxCandidates: 60, pageSize: 250, timeoutMs: TIMEOUT_MS,
});
const { models: expected, traffic: ideal } = await list({ params });

/** Attempts made for one file or page before it is given up. */
const ATTEMPTS_MAX = 6;

/** Far beyond any sensible run; a test that needs more has hung. */
const maxMs = 3600_000;

/** @param {import('./listing.js').Outcome} outcome */
function checkNothingIsLost({ error, models, meta }) {
  assert.equal(error, undefined);
  assert.deepEqual(models, expected);
  assert.equal(meta.errorCount, 0, JSON.stringify(meta.errors));
  assert.equal(meta.partial, false);
  assert.equal(meta.fetched, LISTED);
}

describe('pages', () => {
  /** @type {[string, object][]} */
  const FAULTS = [
    ['never answered', { stallHead: true }],
    ['stalled before the first byte', { stallAfter: 0 }],
    ['stalled in the middle', { stallAfter: 100_000 }],
    ['broken at once', { resetAfter: 0 }],
    ['broken after a byte', { resetAfter: 1 }],
    ['broken in the middle', { resetAfter: 100_000 }],
    ['cut off cleanly at once', { endAfter: 0 }],
    ['cut off cleanly after a byte', { endAfter: 1 }],
    ['cut off cleanly in the middle', { endAfter: 100_000 }],
  ];
  for (const [name, fault] of FAULTS) {
    test(`${name}: asked for again`, async () => {
      const outcome = await list({
        params, maxMs, faults: [{ bucket: 'api', skip: 2, times: 1, ...fault }],
      });
      checkNothingIsLost(outcome);
      assert.equal(outcome.meta.dropped.duplicate, 0);
    });
  }

  test('that hang when they are large come in smaller pieces', async () => {
    const outcome = await list({
      params, maxMs,
      faults: [{ bucket: 'api', stallHead: true, limitAbove: 100 }],
    });
    checkNothingIsLost(outcome);
    const sizes = outcome.traffic.pages.map(({ url }) => (
      Number(new URL(url).searchParams.get('limit'))));
    assert.deepEqual(sizes.slice(0, 3), [250, 125, 62]);
    assert.ok(Math.max(...sizes.slice(2)) <= 100);
  });

  test('that crawl may take as long as they need', async () => {
    const outcome = await list({
      params, maxMs,
      faults: [{
        bucket: 'api', times: 1, slow: { bytes: 4096, everyMs: TIMEOUT_MS - 1 },
      }],
    });
    checkNothingIsLost(outcome);
    assert.ok(outcome.meta.durationMs > 10 * TIMEOUT_MS);
  });

  for (const [name, fault] of /** @type {[string, object][]} */ ([
    ['hang', { stallHead: true }],
    ['break', { resetAfter: 5_000 }],
  ])) {
    test(`that always ${name} leave what was listed before`, async () => {
      const { error, meta, models, traffic } = await list({
        params, maxMs, faults: [{ bucket: 'api', skip: 2, ...fault }],
      });
      assert.equal(error, undefined);
      assert.equal(meta.partial, true);
      assert.equal(meta.hasMore, true);
      assert.ok(meta.fetched >= 500 && meta.fetched < 520, `${meta.fetched}`);
      assert.ok(models.length > 0);
      assert.ok(meta.errorCount >= 1);
      assert.ok(traffic.pages.length <= 2 + 4 * ATTEMPTS_MAX);
    });
  }

  test('that always end early give their first rows', async () => {
    const { meta } = await list({
      params, maxMs, faults: [{ bucket: 'api', skip: 2, endAfter: 5_000 }],
    });
    assert.equal(meta.partial, true);
    assert.ok(meta.fetched > 500 && meta.fetched < 600, `${meta.fetched}`);
    for (const { code, message } of meta.errors) {
      assert.equal(code, 'json_truncated');
      assert.match(message, /at byte 5000$/);
    }
    assert.equal(meta.errorCount, 3);
  });
});

describe('files', () => {
  /** @type {[string, object][]} */
  const FAULTS = [
    ['never answered', { stallHead: true }],
    ['stalled in the body', { stallAfter: 10 }],
    ['broken in the body', { resetAfter: 10 }],
    ['cut off cleanly', { endAfter: 10 }],
  ];
  for (const [name, fault] of FAULTS) {
    test(`${name} now and then: asked for again`, async () => {
      const outcome = await list({
        params, maxMs,
        faults: [{ match: 'resolve-cache', skip: 10, times: 5, ...fault }],
      });
      checkNothingIsLost(outcome);
      assert.equal(outcome.traffic.files.length - ideal.files.length, 5);
    });

    test(`${name} always: an error of its model, in bounded time`, async () => {
      const byListing = await classesByListing(params);
      const { error, meta, models, traffic } = await list({
        params, maxMs, faults: [{ match: 'resolve-cache', ...fault }],
      });
      assert.equal(error, undefined);
      assert.equal(models.length, 60);
      for (const model of models) {
        if (model.fetchStatus === 'listing' || model.fetchStatus === 'no-config') {
          continue;
        }
        assert.equal(model.fetchStatus, 'error');
        assert.equal(model.classification, byListing.get(model.id));
        assert.ok(model.fetchError.message.length > 0);
      }
      assert.ok(meta.errorCount >= 50);
      assert.ok(traffic.files.length <= ATTEMPTS_MAX * 62);
      // As if each file took every attempt, in as many lanes as allowed.
      const lanes = 12;
      assert.ok(meta.durationMs
        <= (60 / lanes) * ATTEMPTS_MAX * (TIMEOUT_MS + 10_000));
    });
  }

  test('that crawl are given up when the time is over', async () => {
    const { meta } = await list({
      params, maxMs,
      faults: [{ match: 'resolve-cache', slow: { bytes: 1, everyMs: 1_000 } }],
    });
    assert.ok(meta.errorCount >= 50);
    assert.equal(meta.errors[0].code, 'timeout');
  });

  test('a few that hang do not hold up the others', async () => {
    const outcome = await list({
      params: { ...params, timeoutMs: 60_000 }, maxMs,
      faults: [{ match: '/resolve/', probability: 0.05, stallHead: true }],
    });
    checkNothingIsLost(outcome);
    assert.ok(outcome.meta.durationMs < 30_000, `${outcome.meta.durationMs}`);
  });
});

describe('no connection at all', () => {
  const OFFLINE = async () => { throw new TypeError('fetch failed'); };

  test('fails with the reason', async () => {
    const { error, meta } = await list({ manager: { fetch: OFFLINE }, maxMs });
    assert.equal(error.code, 'listing_failed');
    assert.equal(error.retryable, true);
    assert.equal(error.status, undefined);
    assert.match(error.message, /connection failed/);
    assert.equal(meta.errors.at(-1).code, 'network');
  });
});

describe('concurrency', () => {
  for (const concurrency of [1, 3, 12]) {
    test(`${concurrency} requests at a time, and no more`, async () => {
      const { traffic } = await list({ params: { ...params, concurrency } });
      assert.equal(traffic.mostOpen, concurrency);
    });
  }
});
