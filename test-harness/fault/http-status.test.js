// SPDX-License-Identifier: Apache-2.0
// Answers other than 200: servers in trouble, closed and missing repositories,
// tokens of every kind. What is known of each model must say which it was.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { LISTED, classesByListing, list } from './listing.js';

/** A row that tells nothing about the model's kind. */
const BARE_ROW = {
  tags: ['onnx'],
  siblings: [{ rfilename: 'model.onnx' }, { rfilename: 'tokenizer.json' }],
};

/**
 * Lists one row without config, so that its file is asked for.
 * @param {string} id
 * @param {import('./listing.js').Setting & { row?: object }} [setting]
 */
async function fetchOne(id, { row, ...setting } = {}) {
  const outcome = await list({
    ...setting,
    params: { ...setting.params, listing: [{ id, ...BARE_ROW, ...row }] },
  });
  assert.equal(outcome.models.length, 1);
  return { ...outcome, model: outcome.models[0] };
}

describe('a server in trouble', () => {
  const params = /** @type {const} */ ({ fetchConfigs: 'all', maxCandidates: 60 });

  for (const status of [408, 500, 502, 503, 504]) {
    test(`a burst of ${status} loses nothing`, async () => {
      const { models: expected } = await list({ params });
      const { models, meta } = await list({
        params,
        faults: [
          { bucket: 'resolvers', skip: 10, times: 30, status },
          { bucket: 'api', skip: 1, times: 2, status },
        ],
      });
      assert.deepEqual(models, expected);
      assert.equal(meta.errorCount, 0);
      assert.equal(meta.partial, false);
    });
  }

  test('Retry-After is obeyed', async () => {
    const { meta } = await list({
      params,
      faults: [{
        bucket: 'resolvers', times: 1, status: 503,
        headers: { 'retry-after': '30' },
      }],
    });
    assert.equal(meta.errorCount, 0);
    assert.ok(meta.durationMs >= 30_000 && meta.durationMs < 40_000);
  });

  test('files that never come are errors of their models', async () => {
    const byListing = await classesByListing(params);
    const { models, meta, traffic } = await list({
      params, faults: [{ bucket: 'resolvers', status: 503 }],
    });
    for (const model of models) {
      if (model.fetchStatus === 'listing') continue;
      assert.equal(model.fetchStatus, 'error');
      assert.equal(model.fetchError.statusCode, 503);
      assert.equal(model.classification, byListing.get(model.id));
    }
    assert.ok(meta.errorCount >= 59);
    assert.deepEqual(new Set(meta.errors.map((/** @type {any} */ e) => e.code)),
      new Set(['http_status']));
    assert.ok(traffic.files.length <= 10 * models.length);
  });

  test('a listing that breaks off is partial and can be resumed', async () => {
    const all = await list({ params: { pageSize: 250, maxCandidates: 5000 } });
    const first = await list({
      params: { pageSize: 250, maxCandidates: 5000 },
      faults: [{ bucket: 'api', skip: 2, status: 500 }],
    });
    assert.equal(first.meta.fetched, 500);
    assert.equal(first.meta.partial, true);
    assert.equal(first.meta.hasMore, true);
    assert.match(first.meta.errors[0].message, /page 3.*500/);
    const rest = await list({
      params: { pageSize: 250, maxCandidates: 5000, cursor: first.meta.cursor },
    });
    assert.equal(rest.meta.fetched, LISTED - 500);
    assert.equal(rest.meta.hasMore, false);
    const ids = [...first.models, ...rest.models].map(({ id }) => id);
    assert.deepEqual(ids.sort(), all.models.map(({ id }) => id).sort());
  });

  for (const status of [400, 403, 404, 418, 500, 504]) {
    test(`${status} for the first page fails and says so`, async () => {
      const { error, meta, traffic } = await list({
        faults: [{ bucket: 'api', status }],
      });
      assert.equal(error.code, 'listing_failed');
      assert.equal(error.meta.fetched, 0);
      assert.match(error.message, new RegExp(`${status}`));
      assert.equal(error.status, status);
      // A server in trouble may recover; a question it refuses stays refused.
      assert.equal(error.retryable, status >= 500);
      assert.match(meta.errors.at(-1).message, new RegExp(`${status}`));
      assert.ok(traffic.exchanges.length <= 12, `${traffic.exchanges.length}`);
    });
  }
});

describe('closed and missing repositories', () => {
  test('gated, no token: shown as protected without asking', async () => {
    const { model, traffic } = await fetchOne('closed/gated-without-config', {
      row: { gated: 'manual' },
    });
    assert.equal(model.classification, 'auth-protected');
    assert.equal(model.gated, 'manual');
    assert.deepEqual(traffic.exchanges, []);
  });

  test('gated although the listing does not say so', async () => {
    const { model, meta } = await fetchOne('closed/gated-without-config',
      { params: { debug: true } });
    assert.equal(model.classification, 'auth-protected');
    assert.equal(model.confidence, 'high');
    assert.equal(model.fetchStatus, '401');
    assert.equal(meta.telemetry.counters['configFetch.401'], 1);
    const [{ durationMs, ...raw }, ...more] = meta.raw;
    assert.ok(durationMs > 0);
    assert.deepEqual([raw, more],
      [{ modelId: model.id, statusCode: 401, pathsTried: 1 }, []]);
  });

  test('no configuration at any path', async () => {
    const { model, meta } = await fetchOne('open/without-config', {
      params: { debug: true },
      faults: [{ bucket: 'resolvers', status: 404,
        headers: { 'x-error-code': 'EntryNotFound' } }],
    });
    assert.equal(model.fetchStatus, 'no-config');
    assert.deepEqual(meta.raw.map((/** @type {any} */ { statusCode, pathsTried }) => (
      [statusCode, pathsTried])), [[404, 3]]);
  });

  test('gated, token without a grant', async () => {
    const { model } = await fetchOne('closed/gated-without-config', {
      row: { gated: 'manual' }, params: { hfToken: 'hf_reader' },
    });
    assert.equal(model.classification, 'auth-protected');
    assert.equal(model.fetchStatus, '403');
  });

  test('gated, token with a grant', async () => {
    const { model } = await fetchOne('closed/gated-without-config', {
      row: { gated: 'manual' }, params: { hfToken: 'hf_granted' },
    });
    assert.equal(model.classification, 'gen');
    assert.equal(model.fetchStatus, 'ok');
    assert.equal(model.gated, 'manual');
  });

  test('a gated row that carries a config is judged by it', async () => {
    const { model, traffic } = await fetchOne('closed/gated-auto', {
      row: {
        gated: 'auto',
        config: { architectures: ['BertModel'], model_type: 'bert' },
      },
    });
    assert.equal(model.classification, 'encoder');
    assert.equal(model.gated, 'auto');
    assert.deepEqual(traffic.exchanges, []);
  });

  /** @type {[string, string, object, string][]} */
  const UNKNOWN = [
    ['missing, no token', 'nobody/nothing', {}, '401'],
    ['missing, with a token', 'nobody/nothing', { hfToken: 'hf_reader' }, '404'],
    ['private, no token', 'closed/private', {}, '401'],
    ['private, foreign token', 'closed/private', { hfToken: 'hf_reader' }, '404'],
    ['disabled', 'closed/disabled', {}, '403'],
    ['token without the scope', 'odd-names/percent', { hfToken: 'hf_noscope' }, '403'],
    ['token that is none', 'odd-names/percent', { hfToken: 'hf_wrong' }, '401'],
  ];
  for (const [name, id, params, fetchStatus] of UNKNOWN) {
    test(`${name}: not taken for protected`, async () => {
      const { model, meta, traffic } = await fetchOne(id, { params });
      assert.equal(model.classification, 'unknown');
      assert.equal(model.confidence, 'low');
      assert.equal(model.fetchStatus, fetchStatus);
      assert.equal(model.fetchError.statusCode, Number(fetchStatus));
      assert.equal(meta.errorCount, 1);
      assert.equal(meta.errors[0].modelId, id);
      assert.equal(traffic.exchanges.length, 1);
    });
  }

  test('private, the owner\'s token', async () => {
    const { model } = await fetchOne('closed/private', {
      params: { hfToken: 'hf_owner' },
    });
    assert.equal(model.classification, 'gen');
    assert.equal(model.fetchStatus, 'ok');
  });

  test('main is missing: nothing else is tried', async () => {
    const { model, traffic } = await fetchOne('odd-names/percent', {
      faults: [{
        bucket: 'resolvers', status: 404, body: 'Invalid rev id: main',
        headers: { 'x-error-code': 'RevisionNotFound' },
      }],
    });
    assert.equal(model.classification, 'unknown');
    assert.equal(model.fetchStatus, '404');
    assert.equal(traffic.exchanges.length, 1);
  });

  test('renamed: the redirect is followed', async () => {
    const { model, hub } = await fetchOne('gpt2', {
      hub: { catalogue: undefined, models: 200 },
    });
    assert.equal(model.id, 'gpt2');
    assert.equal(model.classification, 'gen');
    assert.equal(model.fetchStatus, 'ok');
    assert.equal(hub.requests[0].status, 307);
    assert.match(hub.requests[1].url, /openai-community\/gpt2/);
  });

  test('without any config the three places are tried in order', async () => {
    const { model, traffic, meta } = await fetchOne('nobody/nothing', {
      row: { pipeline_tag: 'text-generation' },
      faults: [{
        bucket: 'resolvers', status: 404, body: 'Entry not found',
        headers: { 'x-error-code': 'EntryNotFound' },
      }],
    });
    assert.deepEqual(traffic.exchanges.map(({ url }) => (
      url.slice(url.indexOf('/main/') + 6))),
    ['config.json', 'config/config.json', 'adapter_config.json']);
    assert.equal(model.fetchStatus, 'no-config');
    assert.equal(model.classification, 'gen');
    assert.equal(meta.telemetry.counters['configFetch.404'], 3);
    assert.equal(meta.errorCount, 0);
  });

  test('only "no such file" leads to the next place', async () => {
    const { model, traffic } = await fetchOne('nobody/nothing', {
      faults: [{ bucket: 'resolvers', status: 410 }],
    });
    assert.equal(traffic.exchanges.length, 1);
    assert.equal(model.fetchStatus, 'error');
    assert.equal(model.fetchError.statusCode, 410);
  });
});

test('a token that is none fails the listing and says why', async () => {
  const { error, meta } = await list({ params: { hfToken: 'hf_wrong' } });
  assert.equal(error.code, 'listing_failed');
  assert.match(error.message, /401/);
  assert.equal(error.status, 401);
  assert.equal(error.retryable, false);
  assert.match(error.userAction, /token/);
  assert.equal(meta.errors.length, 1);
});
