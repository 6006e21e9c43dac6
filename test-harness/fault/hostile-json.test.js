// SPDX-License-Identifier: Apache-2.0
// JSON that is broken or made to hurt: the error says where, the rest of the
// run goes on, and memory stays small.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { LISTED, classesByListing, list } from './listing.js';

/** What a whole listing may take at the most. */
const WASM_BYTES_MAX = 3 * 1024 * 1024;

/** Nesting that the scanner follows. */
const DEPTH_MAX = 1024;

/** A body comes in pieces of this size where it matters. */
const PIECE_BYTES = 4096;

const params = /** @type {const} */ ({ pageSize: 250, maxCandidates: 60 });

/** @typedef {import('../hub/hostile.js').HostileKind} Kind */

describe('a page', () => {
  for (const corruptAt of [0, 1, 2, 777, 60_001]) {
    test(`spoilt at byte ${corruptAt} costs the rows behind it`, async () => {
      const { error, meta, traffic } = await list({
        params,
        faults: [{
          bucket: 'api', skip: 1, times: 1, corruptAt,
          slow: { bytes: PIECE_BYTES, everyMs: 1 },
        }],
      });
      assert.equal(error, undefined);
      assert.equal(meta.partial, true);
      assert.deepEqual(meta.errors, [{
        code: 'json_syntax',
        message: `listing page 2: malformed JSON at byte ${corruptAt}`,
      }]);
      assert.equal(traffic.pages.length, Math.ceil(LISTED / 250));
      assert.ok(meta.fetched >= LISTED - 250 && meta.fetched < LISTED);
      const { bytes } = traffic.pages[1];
      assert.ok(bytes <= corruptAt + PIECE_BYTES, 'the rest was read');
    });
  }

  /** @type {[Kind, number, string, string][]} */
  const BROKEN = [
    ['depth', 100_000, 'json_depth', `nested too deep at byte ${DEPTH_MAX}`],
    ['utf8', 1, 'json_utf8', 'malformed JSON at byte 10'],
    ['utf8', 1_000_000, 'json_utf8', 'malformed JSON at byte 10'],
  ];
  for (const [kind, size, code, what] of BROKEN) {
    test(`of the kind ${kind} ${size} is an error with its place`, async () => {
      const { meta, wasmBytes } = await list({
        params, faults: [{ bucket: 'api', skip: 1, hostile: { kind, size } }],
      });
      assert.deepEqual(meta.errors, [{
        code, message: `listing page 2: ${what}`,
      }]);
      assert.equal(meta.partial, true);
      assert.equal(meta.fetched, 250);
      assert.ok(wasmBytes <= WASM_BYTES_MAX, `${wasmBytes}`);
    });

    test(`of the kind ${kind} ${size} alone fails with its place`, async () => {
      const { error } = await list({
        faults: [{ bucket: 'api', hostile: { kind, size } }],
      });
      assert.equal(error.code, 'listing_failed');
      assert.ok(error.message.endsWith(what), error.message);
    });
  }

  test('with a string of 100 MB needs no memory for it', async () => {
    const { error, meta, wasmBytes } = await list({
      params,
      faults: [{
        bucket: 'api', skip: 1, hostile: { kind: 'string', size: 100_000_000 },
      }],
    });
    assert.equal(error, undefined);
    assert.equal(meta.fetched, 251);
    assert.equal(meta.dropped['invalid-id'], 1);
    assert.ok(wasmBytes <= WASM_BYTES_MAX, `${wasmBytes}`);
  });

  test('without end is cut off', async () => {
    const { meta, traffic, wasmBytes } = await list({
      params,
      faults: [{
        bucket: 'api', skip: 1, hostile: { kind: 'string', size: 2_000_000_000 },
      }],
    });
    assert.equal(meta.partial, true);
    assert.equal(meta.errors[0].code, 'too_large');
    assert.ok(traffic.pages[1].bytes <= 300_000_000);
    assert.ok(wasmBytes <= WASM_BYTES_MAX, `${wasmBytes}`);
  });

  for (const size of [1, 400, 1_000_000]) {
    test(`with numbers of ${size} digits gives finite numbers`, async () => {
      const { models, meta, wasmBytes } = await list({
        params: { maxCandidates: 10, fetchConfigs: 'never' },
        faults: [{ bucket: 'api', hostile: { kind: 'numbers', size } }],
      });
      assert.equal(meta.errorCount, 0);
      assert.equal(models[0].id, 'a/b');
      assert.ok(Number.isFinite(models[0].downloads), models[0].downloads);
      assert.ok(Number.isFinite(models[0].likes), models[0].likes);
      assert.ok(wasmBytes <= WASM_BYTES_MAX, `${wasmBytes}`);
    });
  }

  for (const body of ['', ' ', 'null', '{}', '{"error":"x"}', '"rows"', '[1]',
    '[null]', '[[]]', '[{}]', '[{"id":7}]', '<!doctype html>', '[{}',
    '[{"id":"a/b"}]]', '[{"id":"a/b"}] x']) {
    test(`that is ${JSON.stringify(body)} never makes up a model`, async () => {
      const { models, meta, error } = await list({
        faults: [{ bucket: 'api', status: 200, body }],
        params: { fetchConfigs: 'never' },
      });
      assert.ok((models ?? []).every((/** @type {any} */ { id }) => id === 'a/b'));
      assert.equal(error === undefined || error.code === 'listing_failed', true);
      assert.ok(error || meta.errorCount > 0 || meta.filtered === 0);
    });
  }
});

describe('a configuration', () => {
  /**
   * @param {object} fault
   */
  const fetchAll = (fault) => list({
    params: { ...params, fetchConfigs: 'all' },
    faults: [{ match: 'resolve-cache', skip: 5, times: 1, ...fault }],
  });

  for (const corruptAt of [0, 1, 20]) {
    test(`spoilt at byte ${corruptAt} is an error of its model`, async () => {
      const byListing = await classesByListing(params);
      const { models, meta } = await fetchAll({ corruptAt });
      const [{ modelId, code, message }] = meta.errors;
      assert.equal(meta.errorCount, 1);
      assert.equal(code, 'json_syntax');
      assert.equal(message,
        `config.json is not valid JSON at byte ${corruptAt}`);
      const model = models.find(({ id }) => id === modelId);
      assert.equal(model.fetchStatus, 'error');
      assert.equal(model.classification, byListing.get(modelId));
      assert.equal(model.fetchError.message, message);
    });
  }

  /** @type {[Kind, number, string][]} */
  const BROKEN = [
    ['depth', 1_000_000, 'json_depth'],
    ['utf8', 1, 'json_utf8'],
    ['string', 100_000_000, 'too_large'],
    ['numbers', 1_000_000, 'unexpected_shape'],
  ];
  for (const [kind, size, code] of BROKEN) {
    test(`of the kind ${kind} ${size} is given up early`, async () => {
      const { meta, traffic, wasmBytes } = await fetchAll({
        hostile: { kind, size },
      });
      assert.equal(meta.errorCount, 1);
      assert.equal(meta.errors[0].code, code);
      const most = Math.max(...traffic.files.map(({ bytes }) => bytes));
      assert.ok(most <= 5_000_000, `${most}`);
      assert.ok(wasmBytes <= WASM_BYTES_MAX, `${wasmBytes}`);
    });
  }
});
