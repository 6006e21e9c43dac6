// SPDX-License-Identifier: Apache-2.0
// Cross-origin rules: what is sent, and what a page gets to see.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { startHub } from '../index.js';
import { bearer, ORIGIN, virtualHub } from './support.js';

const MODEL = '/api/models/openai-community/gpt2';
const SMALL = '/openai-community/gpt2/resolve/main/config.json';
const LARGE = '/openai-community/gpt2/resolve/main/onnx/model.onnx';
const EXPOSED = 'X-Repo-Commit,X-Request-Id,X-Error-Code,X-Error-Message,'
  + 'X-Total-Count,ETag,Link,Accept-Ranges,Content-Range,X-Linked-Size,'
  + 'X-Linked-ETag,X-Xet-Hash';

const extension = virtualHub({ rateLimits: {} });
const page = virtualHub({ rateLimits: {}, personality: 'page' });

test('the Hub echoes the origin and lists what is exposed', async () => {
  const plain = await extension.get(MODEL);
  assert.equal(plain.headers.get('access-control-allow-origin'), ORIGIN);
  const asked = await extension.get(MODEL, { headers: { origin: 'https://a.example' } });
  assert.equal(asked.headers.get('access-control-allow-origin'), 'https://a.example');
  assert.match(asked.headers.get('vary') ?? '', /Origin/);
  assert.equal(asked.headers.get('access-control-max-age'), '86400');
  assert.equal(asked.headers.get('access-control-expose-headers'), EXPOSED);
});

test('the second origin allows and exposes everything', async () => {
  const file = await extension.get(LARGE);
  assert.equal(file.headers.get('access-control-allow-origin'), '*');
  assert.equal(file.headers.get('access-control-expose-headers'), '*');
});

test('an extension reads the quota headers, a page does not', async () => {
  const names = ['ratelimit', 'ratelimit-policy', 'x-powered-by', 'vary'];
  const open = await extension.get(MODEL);
  const hidden = await page.get(MODEL);
  for (const name of names) {
    assert.ok(open.headers.get(name), name);
    assert.equal(hidden.headers.get(name), null, name);
  }
});

test('a page is not told when to come back either', async () => {
  const strict = virtualHub({
    personality: 'page', rateLimits: { quotas: { api: 0 }, retryAfter: true },
  });
  const refused = await strict.get(MODEL);
  assert.equal(refused.status, 429);
  assert.equal(refused.headers.get('retry-after'), null);
});

test('a page reads Link, error codes, lengths and types', async () => {
  const list = await page.get('/api/models?limit=1');
  assert.ok(list.headers.get('link'));
  assert.ok(list.headers.get('content-type'));
  assert.ok(list.headers.get('content-length'));
  const missing = await page.get('/openai-community/gpt2/resolve/main/none');
  assert.equal(missing.headers.get('x-error-code'), 'EntryNotFound');
  assert.ok(missing.headers.get('x-repo-commit'));
});

test('a page sees only the last hop of a redirect', async () => {
  const file = await page.get(LARGE);
  assert.equal(file.status, 200);
  assert.equal(file.headers.get('x-linked-size'), null);
  assert.ok(file.headers.get('etag'));
  const opaque = await page.clock.run(
    page.hub.fetch(ORIGIN + LARGE, { redirect: 'manual' }));
  assert.equal(opaque.status, 0);
});

test('Authorization asks first; a simple range does not', async () => {
  const methods = async (/** @type {RequestInit} */ init) => {
    const before = page.hub.requests.length;
    await page.get(SMALL, init);
    return page.hub.requests.slice(before).map(({ method }) => method);
  };
  assert.equal((await methods(bearer('hf_reader')))[0], 'OPTIONS');
  assert.equal((await methods({ headers: { range: 'bytes=0-9' } }))[0], 'GET');
  assert.equal((await methods({ headers: { 'if-none-match': '"x"' } }))[0], 'OPTIONS');
});

const ifRange = { headers: { 'range': 'bytes=0-9', 'if-range': '"x"' } };

/**
 * What a page asks for one file, as method and origin.
 * @param {ReturnType<typeof virtualHub>} world
 * @param {string} path
 * @param {RequestInit} init
 */
async function hopsOf({ hub, get }, path, init) {
  const before = hub.requests.length;
  await get(path, init).catch((error) => assert.ok(error instanceof TypeError));
  return hub.requests.slice(before).map(({ method, url, headers }) => `${method} ${
    url.startsWith(ORIGIN) ? 'hub' : 'cdn'} ${headers.origin}`);
}

test('a page asks each origin; the second one refuses by default', async () => {
  assert.deepEqual(await hopsOf(page, LARGE, ifRange), [
    'OPTIONS hub https://page.example', 'GET hub https://page.example',
    'OPTIONS cdn null']);
  await assert.rejects(page.get(LARGE, ifRange), TypeError);
  assert.equal((await page.get(SMALL, ifRange)).status, 200);
  assert.equal((await page.get(LARGE, { headers: { range: 'bytes=0-9' } })).status,
    206);
});

test('a second origin that answers preflights', async () => {
  const kind = virtualHub({ personality: 'page', cdnAllowsIfRange: true });
  assert.deepEqual(await hopsOf(kind, LARGE, ifRange), [
    'OPTIONS hub https://page.example', 'GET hub https://page.example',
    'OPTIONS cdn null', 'GET cdn null']);
  assert.equal((await kind.get(LARGE, ifRange)).status, 200);
});

test('a permission counts only with an ok status', async () => {
  const broken = virtualHub({ personality: 'page', cdnAllowsIfRange: true });
  broken.hub.faults.add({ method: 'OPTIONS', status: 500,
    headers: { 'access-control-allow-headers': 'if-range' } });
  await assert.rejects(broken.get(LARGE, ifRange), TypeError);
});

test('a token needs no permission of the origin that never gets it', async () => {
  assert.deepEqual(await hopsOf(page, LARGE, bearer('hf_reader')), [
    'OPTIONS hub https://page.example', 'GET hub https://page.example',
    'GET cdn null']);
});

test('a JSON body asks first, a form does not', async () => {
  const post = { method: 'POST', body: '{"paths":["config.json"]}' };
  const path = `${MODEL}/paths-info/main`;
  assert.deepEqual(await hopsOf(page, path,
    { ...post, headers: { 'content-type': 'application/json' } }),
  ['OPTIONS hub https://page.example', 'POST hub https://page.example']);
  assert.deepEqual(await hopsOf(page, path,
    { ...post, body: new URLSearchParams({ paths: 'config.json' }) }),
  ['POST hub https://page.example']);
});

test('preflights over HTTP: the Hub allows what is asked, the CDN nothing', async () => {
  const ask = {
    method: 'OPTIONS', headers: {
      'origin': 'https://a.example', 'access-control-request-method': 'GET',
      'access-control-request-headers': 'if-range',
    },
  };
  for (const cdnAllowsIfRange of [false, true]) {
    const server = await startHub({ models: 60, cdnAllowsIfRange });
    const hub = await fetch(server.url + LARGE, ask);
    assert.deepEqual([hub.status, hub.headers.get('access-control-allow-headers'),
      hub.headers.get('access-control-allow-origin')],
    [204, 'if-range', 'https://a.example']);
    const cdn = await fetch(`${server.cdnUrl}/xet-bridge-us/any`, ask);
    assert.deepEqual([cdn.ok, cdn.headers.get('access-control-allow-headers')],
      cdnAllowsIfRange ? [true, 'if-range'] : [false, null]);
    await server.close();
  }
});

test('preflights are not counted against a quota', async () => {
  const counted = virtualHub({ rateLimits: {}, personality: 'extension' });
  await counted.get(MODEL, {
    method: 'OPTIONS', headers: {
      origin: 'https://a.example', 'access-control-request-method': 'GET',
      'access-control-request-headers': 'authorization',
    },
  });
  const reply = await counted.get(MODEL);
  assert.match(reply.headers.get('ratelimit') ?? '', /r=499/);
});
