// SPDX-License-Identifier: Apache-2.0
// GET /api/models: paging, projections, filters, orders and refusals.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { crawl, nextLink, ORIGIN, virtualHub } from './support.js';

const { hub, get } = virtualHub();

/** @param {string} link */
function decodedCursor(link) {
  const cursor = new URL(link).searchParams.get('cursor') ?? '';
  return JSON.parse(Buffer.from(cursor, 'base64').toString());
}

for (const sort of ['trendingScore', 'downloads', 'likes', 'createdAt', 'lastModified']) {
  for (const direction of ['', '&direction=-1', '&direction=1']) {
    test(`paging by ${sort}${direction} meets every id exactly once`, async () => {
      const { rows, pages } = await crawl(get,
        `/api/models?sort=${sort}&limit=97${direction}`);
      const ids = rows.map((row) => row.id ?? row.modelId);
      const visible = [...hub.index].filter(({ entry }) => !entry.private);
      assert.equal(ids.length, visible.length);
      assert.deepEqual(new Set(ids), new Set(visible.map(({ id }) => id)));
      assert.equal(pages, Math.ceil(visible.length / 97));
    });
  }
}

test('order: descending by default, rows without a value last', async () => {
  const { rows } = await crawl(get, '/api/models?sort=downloads&expand=downloads');
  const values = rows.map((row) => row.downloads ?? -1);
  assert.deepEqual(values, [...values].sort((a, b) => b - a));
  const ascending = await crawl(get,
    '/api/models?sort=downloads&direction=1&expand=downloads');
  const known = ascending.rows.map((row) => row.downloads)
    .filter((value) => typeof value === 'number');
  assert.deepEqual(known, [...known].sort((a, b) => a - b));
  assert.equal(ascending.rows.at(-1).downloads ?? null, null);
});

test('no sort means trendingScore', async () => {
  const { rows } = await crawl(get, '/api/models');
  const scores = rows.map((row) => row.trendingScore);
  assert.deepEqual(scores, [...scores].sort((a, b) => b - a));
});

test('the Link header: absolute, parameters repeated, cursor encoded', async () => {
  const { headers } = await get('/api/models?filter=onnx&limit=5&expand[]=config');
  const link = nextLink(headers) ?? '';
  assert.ok(link.startsWith(`${ORIGIN}/api/models?filter=onnx&limit=5&expand[]=config&cursor=`));
  assert.match(link, /%3D$|[^=]$/);
  assert.equal(headers.get('x-total-count'), null);
});

test('cursor shapes', async () => {
  const first = await get('/api/models?limit=1&sort=downloads');
  const { $or, ...rest } = decodedCursor(nextLink(first.headers) ?? '');
  const [row] = first.json();
  assert.deepEqual($or, [
    { downloads: row.downloads, _id: { $gt: row._id } },
    { downloads: { $lt: row.downloads } },
    { downloads: null },
  ]);
  assert.deepEqual(rest, {});

  const rising = await get('/api/models?limit=1&sort=downloads&direction=1');
  const [, second] = decodedCursor(nextLink(rising.headers) ?? '').$or;
  assert.deepEqual(Object.keys(second.downloads), ['$gt']);

  const search = await get('/api/models?limit=1&search=bert');
  assert.ok(decodedCursor(nextLink(search.headers) ?? '').searchSequenceToken);
});

test('the last page has no Link', async () => {
  const { headers } = await get('/api/models?author=closed');
  assert.equal(headers.get('link'), null);
});

test('a page has at most 1,000 rows', async () => {
  const big = virtualHub({ models: 1500 });
  for (const query of ['', '?limit=1000', '?limit=5000']) {
    const reply = await big.get(`/api/models${query}`);
    assert.equal(reply.json().length, 1000);
  }
});

test('default projection: keys in their order', async () => {
  const [row] = (await get('/api/models?filter=transformers.js&limit=1')).json();
  assert.deepEqual(Object.keys(row), [
    '_id', 'id', 'likes', 'trendingScore', 'private', 'downloads', 'tags',
    'pipeline_tag', 'library_name', 'createdAt', 'modelId',
  ]);
});

test('full, config and cardData add their keys', async () => {
  const query = '/api/models?author=openai-community&search=gpt2&limit=1';
  const keys = async (/** @type {string} */ more) =>
    new Set(Object.keys((await get(query + more)).json()[0]));
  const plain = await keys('');
  const added = async (/** @type {string} */ more) =>
    [...await keys(more)].filter((key) => !plain.has(key)).sort();
  assert.deepEqual(await added('&full=true'),
    ['author', 'gated', 'lastModified', 'sha', 'siblings']);
  assert.deepEqual(await added('&config=true'), ['config']);
  const [row] = (await get(`${query}&full=true`)).json();
  assert.deepEqual(Object.keys(row.siblings[0]), ['rfilename']);
});

test('expand: _id, id, the keys asked for and the sort key, no more', async () => {
  const query = '/api/models?filter=onnx&limit=1&sort=likes';
  for (const form of ['&expand=tags&expand=config', '&expand[]=tags&expand[]=config',
    '&expand=tags,config']) {
    const [row] = (await get(query + form)).json();
    assert.deepEqual(Object.keys(row).filter((key) => key !== 'config').sort(),
      ['_id', 'id', 'likes', 'tags']);
  }
});

test('keys without a value are absent, not null', async () => {
  const { rows } = await crawl(get,
    '/api/models?full=true&config=true&search=onnx&author=onnx-community');
  assert.ok(rows.length > 0);
  for (const row of rows) {
    assert.equal(Object.values(row).includes(null), false, row.id);
  }
});

test('an unknown expand key is refused in the words of the validator', async () => {
  const { status, json } = await get('/api/models?expand=siblings&expand=bogus');
  assert.equal(status, 400);
  assert.ok(json().error.startsWith(
    '✖ Invalid option: expected one of "author"|"baseModels"|"cardData"|"config"'));
});

for (const query of ['limit=0', 'limit=-1', 'limit=x', 'cursor=nonsense',
  'skip=100', 'offset=100', 'sort=bogus']) {
  test(`${query} is refused`, async () => {
    const { status, json } = await get(`/api/models?${query}`);
    assert.equal(status, 400);
    assert.equal(typeof json().error, 'string');
  });
}

test('filters are ANDed tags, repeated or in a comma list', async () => {
  const repeated = await crawl(get, '/api/models?filter=onnx&filter=bert');
  const list = await crawl(get, '/api/models?filter=onnx,bert');
  assert.ok(repeated.rows.length > 0);
  assert.deepEqual(repeated.rows, list.rows);
  for (const { tags } of repeated.rows) {
    assert.ok(tags.includes('onnx') && tags.includes('bert'));
  }
});

test('licence, task and library work as tags', async () => {
  for (const tag of ['license:mit', 'text-generation', 'transformers.js']) {
    const { rows } = await crawl(get, `/api/models?filter=${tag}`);
    assert.ok(rows.length > 0, tag);
    for (const row of rows) {
      assert.ok([row.pipeline_tag, row.library_name, ...row.tags].includes(tag));
    }
  }
});

test('library does not filter', async () => {
  const all = await crawl(get, '/api/models?limit=1000');
  const library = await crawl(get, '/api/models?library=transformers.js');
  assert.equal(library.rows.length, all.rows.length);
});

test('search, author, pipeline_tag and gated', async () => {
  const search = await crawl(get, '/api/models?search=QWEN');
  assert.ok(search.rows.length > 0);
  assert.ok(search.rows.every(({ id }) => /qwen/i.test(id)));
  const author = await crawl(get, '/api/models?author=odd-names');
  assert.ok(author.rows.every(({ id }) => id.startsWith('odd-names/')));
  const task = await crawl(get, '/api/models?pipeline_tag=fill-mask');
  assert.ok(task.rows.length > 0);
  assert.ok(task.rows.every((row) => row.pipeline_tag === 'fill-mask'));
  const gated = await crawl(get, '/api/models?gated=true&expand=gated');
  assert.ok(gated.rows.length > 0);
  assert.ok(gated.rows.every((row) => ['auto', 'manual'].includes(row.gated)));
  const open = await crawl(get, '/api/models?gated=false&expand=gated');
  assert.ok(open.rows.every((row) => row.gated === false));
});

test('private models are not listed', async () => {
  const { rows } = await crawl(get, '/api/models?author=closed');
  assert.ok(rows.length > 0);
  assert.ok(rows.every(({ id }) => id !== 'closed/private'));
});

test('scores that move during a crawl repeat one row and skip another', async () => {
  const moving = virtualHub({ models: 300 });
  const query = '/api/models?sort=downloads&expand=downloads';
  const order = await crawl(moving.get, query);
  const first = await moving.get(`${query}&limit=50`);
  const [sent, unsent] = [order.rows[10].id, order.rows[60].id];
  moving.hub.update(sent, { downloads: order.rows[49].downloads - 1 });
  moving.hub.update(unsent, { downloads: 1e9 });
  const rest = await crawl(moving.get, nextLink(first.headers) ?? '');
  const later = rest.rows.map(({ id }) => id);
  assert.ok(later.includes(sent));
  assert.ok(!later.includes(unsent));
});

test('config pages of 1,000 run to megabytes', async () => {
  const big = virtualHub({ models: 2500 });
  const reply = await big.get('/api/models?config=true&full=true&limit=1000&filter=onnx');
  assert.ok((reply.bytes.length) > 1_000_000);
});
