// SPDX-License-Identifier: Apache-2.0
// Pages that overlap, leave gaps, go round in circles or point elsewhere, and
// listings that stop on purpose and go on later.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { generateCatalogue } from '../hub/catalogue.js';
import { list, LISTED } from './listing.js';

/** Every survivor is kept, so that results can be compared id by id. */
const params = /** @type {const} */ ({
  pageSize: 250, maxCandidates: 5000, fetchConfigs: 'never',
});
const { models: expected } = await list({ params });

/** @param {{ id: string }[]} models */
function idsOf(models) {
  return models.map(({ id }) => id).sort();
}

describe('pages that change under way', () => {
  test('repeated rows count once', async () => {
    const { models, meta } = await list({
      params, faults: [{ bucket: 'api', skip: 1, shiftPage: -20 }],
    });
    assert.deepEqual(idsOf(models), idsOf(expected));
    assert.equal(meta.fetched, LISTED);
    assert.ok(meta.dropped.duplicate >= 20 * 4, `${meta.dropped.duplicate}`);
  });

  test('skipped rows are missing, and nothing else', async () => {
    const { models, meta } = await list({
      params, faults: [{ bucket: 'api', skip: 1, times: 1, shiftPage: 20 }],
    });
    assert.equal(meta.fetched, LISTED - 20);
    assert.equal(meta.dropped.duplicate, 0);
    const all = new Set(idsOf(expected));
    for (const { id } of models) assert.ok(all.has(id), id);
  });

  test('a model that climbs in mid-crawl is listed once', async () => {
    const catalogue = generateCatalogue({ models: 1200 }).models;
    const crawl = async (/** @type {string} */ id, downloads = 0) => list({
      params, hub: { catalogue },
      onProgress({ hub }, { status, delta }) {
        if (status !== 'listing_page' || delta.pages !== 2) return;
        hub.update(id, { downloads });
      },
    });
    const rows = [...expected].sort((a, b) => b.downloads - a.downloads);
    const first = rows[3];
    const { meta, models } = await crawl(first.id, 0);
    assert.equal(meta.dropped.duplicate, 1);
    assert.equal(models.filter(({ id }) => id === first.id).length, 1);
  });

  test('going round in circles ends', async () => {
    const { error, meta, traffic } = await list({
      params, faults: [{ bucket: 'api', linkLoop: true }],
    });
    assert.equal(error, undefined);
    assert.equal(meta.fetched, 500);
    assert.equal(meta.partial, true);
    assert.ok(traffic.pages.length <= 5, `${traffic.pages.length}`);
  });

  /**
   * Pages that the Hub leaves empty, as one does that filters rows behind its
   * paging.
   * @param {number} [times]
   * @param {string} [more] what is added to the link
   */
  const empty = (times, more = '') => /** @type {const} */ ({
    bucket: 'api', times, status: 200, body: '[]', headers: {
      link: '<https://huggingface.co/api/models?filter=onnx&sort=downloads'
        + `&limit=250&full=true&config=true${more}>; rel="next"`,
    },
  });

  for (const times of [1, 4, 19]) {
    test(`${times} pages without rows are passed over`, async () => {
      const { meta } = await list({ params, faults: [empty(times)] });
      assert.equal(meta.fetched, LISTED);
      assert.equal(meta.partial, false);
      assert.equal(meta.errorCount, 0);
    });
  }

  test('pages without rows come to an end', async () => {
    const { error, models, meta, traffic } = await list({
      params, faults: [empty(Infinity, '&cursor=next')],
    });
    assert.equal(error, undefined);
    assert.deepEqual(models, []);
    assert.equal(traffic.pages.length, 20);
    assert.equal(meta.partial, true);
    assert.equal(meta.hasMore, true);
    assert.equal(meta.cursor, 'next');
    assert.deepEqual(meta.errors, [{
      code: 'unexpected_shape',
      message: 'listing page 20: page after page is empty',
    }]);
  });
});

describe('the link to the next page', () => {
  for (const link of [
    '<https://elsewhere.example/api/models?cursor=x>; rel="next"',
    '<//elsewhere.example/api/models?cursor=x>; rel="next"',
    '<https://huggingface.co.elsewhere.example/api/models?>; rel="next"',
    '<https://huggingface.co@elsewhere.example/api/models?>; rel="next"',
  ]) {
    test(`never leads elsewhere: ${link}`, async () => {
      const { traffic } = await list({
        params: { ...params, hfToken: 'hf_reader' },
        faults: [{ bucket: 'api', skip: 1, headers: { link } }],
      });
      for (const { url } of traffic.exchanges) {
        assert.equal(new URL(url).origin, 'https://huggingface.co');
      }
    });
  }

  for (const link of [
    '<https://huggingface.co/api/whoami-v2>; rel="next"',
    '<https://huggingface.co/api/models/../whoami-v2>; rel="next"',
    '<javascript:alert(1)>; rel="next"',
    `<https://huggingface.co/api/models?cursor=${'x'.repeat(8_150)}>; rel="next"`,
    `<https://huggingface.co/api/models?cursor=${'x'.repeat(20_000)}>; rel="next"`,
  ]) {
    test(`is an error when it is no page: ${link.slice(0, 60)}`, async () => {
      const { error, meta, traffic } = await list({
        params, faults: [{ bucket: 'api', skip: 1, headers: { link } }],
      });
      assert.equal(error, undefined);
      assert.equal(traffic.exchanges.length, 2);
      assert.equal(meta.fetched, 500);
      assert.equal(meta.partial, true);
      assert.equal(meta.hasMore, true);
      assert.deepEqual(meta.errors, [{
        code: 'unexpected_shape',
        message: 'listing page 2: the link to the next page is not one',
      }]);
      const again = await list({
        params: { ...params, cursor: meta.cursor },
      });
      assert.equal(again.meta.fetched, LISTED - 250);
    });
  }

  for (const link of [
    '<https://huggingface.co/other>; rel="prev", $; rel="next"',
    '$; title="a, b; c"; rel="next"',
    '$ ; REL=next',
  ]) {
    test(`is found in: ${link}`, async () => {
      const { meta, traffic } = await list({
        params: { ...params, maxListing: 500 },
        faults: [{
          bucket: 'api', times: 1, headers: {
            link: link.replace('$', '<https://huggingface.co/api/models?'
              + 'filter=onnx&sort=likes&full=true&config=true>'),
          },
        }],
      });
      assert.match(traffic.pages[1].url, /sort=likes/);
      assert.equal(meta.errorCount, 0);
    });
  }

  for (const link of [
    '<https://huggingface.co/api/models?cursor=x>; rel="prev"', 'next', '<', ';;,,<>',
    '<>; rel="next"',
    '<https://huggingface.co/api/models?cursor=x>; rel="nextish"',
  ]) {
    test(`is not there in: ${link}`, async () => {
      const { meta } = await list({
        params, faults: [{ bucket: 'api', headers: { link } }],
      });
      assert.equal(meta.pages, 1);
    });
  }
});

describe('pages too large for the server', () => {
  for (const largest of [249, 100, 25]) {
    test(`504 above ${largest} rows: all rows come`, async () => {
      const { models, meta, traffic } = await list({
        params, faults: [{ bucket: 'api', status: 504, limitAbove: largest }],
      });
      assert.deepEqual(models, expected);
      assert.equal(meta.fetched, LISTED);
      assert.equal(meta.partial, false);
      assert.equal(meta.errorCount, 0);
      const refused = traffic.pages.filter(({ url }) => (
        Number(new URL(url).searchParams.get('limit')) > largest));
      assert.ok(refused.length <= 5, `${refused.length}`);
    });
  }

  test('504 in the middle shrinks the rest only', async () => {
    const { models, meta } = await list({
      params, faults: [{ bucket: 'api', skip: 2, times: 1, status: 504 }],
    });
    assert.deepEqual(models, expected);
    assert.equal(meta.pages, 2 + Math.ceil((LISTED - 500) / 125));
  });
});

describe('a listing that stops on purpose', () => {
  for (const maxListing of [1, 250, 700, 1000]) {
    test(`after ${maxListing} rows goes on from its cursor`, async () => {
      const first = await list({ params: { ...params, maxListing } });
      assert.equal(first.meta.fetched, maxListing);
      assert.equal(first.meta.hasMore, true);
      assert.equal(first.meta.partial, false);
      const rest = await list({
        params: { ...params, cursor: first.meta.cursor },
      });
      assert.equal(rest.meta.fetched, LISTED - maxListing);
      assert.equal(rest.meta.hasMore, false);
      assert.equal(rest.meta.cursor, null);
      assert.deepEqual(idsOf([...first.models, ...rest.models]),
        idsOf(expected));
    });
  }

  test('exactly at the end has no more', async () => {
    const { meta } = await list({ params: { ...params, maxListing: LISTED } });
    assert.equal(meta.fetched, LISTED);
    assert.equal(meta.hasMore, false);
  });

  test('a cursor that is none fails', async () => {
    const { error } = await list({ params: { cursor: 'nonsense' } });
    assert.equal(error.code, 'listing_failed');
  });

  test('a query nobody answers to is an empty success', async () => {
    const { error, models, meta } = await list({
      params: { query: { search: 'no model has this in its name' } },
    });
    assert.equal(error, undefined);
    assert.deepEqual(models, []);
    assert.equal(meta.fetched, 0);
    assert.equal(meta.partial, false);
  });
});
