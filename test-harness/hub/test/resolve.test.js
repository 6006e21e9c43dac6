// SPDX-License-Identifier: Apache-2.0
// File content over both origins: redirects, ranges, conditions, hashes.

import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';

import { parseRange } from '../ranges.js';
import { bearer, ORIGIN, virtualHub } from './support.js';

const REPO = 'openai-community/gpt2';
const SMALL = `/${REPO}/resolve/main/config.json`;
const LARGE = `/${REPO}/resolve/main/onnx/model.onnx`;

const { clock, hub, get } = virtualHub();
const sha = hub.index.get(REPO)?.sha ?? '';

const manual = /** @type {RequestInit} */ ({ redirect: 'manual' });

/** @param {Uint8Array} bytes */
const sha256 = (bytes) => createHash('sha256').update(bytes).digest('hex');

/** @param {Uint8Array} bytes */
const gitSha1 = (bytes) => createHash('sha1')
  .update(`blob ${bytes.length}\0`).update(bytes).digest('hex');

test('a git file: 307 to the resolve cache, relative, with its hash', async () => {
  const hop = await get(SMALL, manual);
  assert.equal(hop.status, 307);
  const etag = hop.headers.get('x-linked-etag') ?? '';
  assert.equal(hop.headers.get('location'),
    `/api/resolve-cache/models/${REPO}/${sha}/config.json`
    + `?%2Fopenai-community%2Fgpt2%2Fresolve%2Fmain%2Fconfig.json=&etag=%22${
      etag.slice(1, -1)}%22`);
  assert.equal(hop.headers.get('x-repo-commit'), sha);
  assert.equal(hop.headers.get('accept-ranges'), 'bytes');
  assert.match(hop.headers.get('content-disposition') ?? '', /^inline/);

  const file = await get(SMALL);
  assert.equal(file.status, 200);
  assert.equal(file.headers.get('etag'), etag);
  assert.equal(etag, `"${gitSha1(file.bytes)}"`);
  assert.equal(file.headers.get('content-length'), String(file.bytes.length));
  assert.match(file.headers.get('content-type') ?? '', /^text\/plain/);
  assert.equal(JSON.parse(file.text).model_type, 'gpt2');
});

test('an LFS file: 302 to the second origin, described on the redirect', async () => {
  const hop = await get(LARGE, manual);
  assert.equal(hop.status, 302);
  const location = new URL(hop.headers.get('location') ?? '');
  assert.notEqual(location.origin, ORIGIN);
  assert.ok(location.searchParams.get('Signature'));
  assert.equal(hop.headers.get('cache-control'), 'no-store');
  assert.match(hop.headers.get('link') ?? '', /rel="xet-auth".*rel="xet-reconstruction-info"/);
  assert.notEqual(hop.headers.get('content-length'), hop.headers.get('x-linked-size'));

  const file = await get(LARGE);
  assert.equal(file.status, 200);
  assert.equal(hop.headers.get('x-linked-size'), String(file.bytes.length));
  assert.equal(hop.headers.get('x-linked-etag'), `"${sha256(file.bytes)}"`);
  const etag = file.headers.get('etag');
  assert.equal(etag, `"${hop.headers.get('x-xet-hash')}"`);
  assert.notEqual(etag, hop.headers.get('x-linked-etag'));
  assert.equal(file.headers.get('content-length'), String(file.bytes.length));
});

test('the same bytes every time, in any pieces', async () => {
  const whole = await get(LARGE);
  const again = virtualHub();
  assert.deepEqual((await again.get(LARGE)).bytes, whole.bytes);
  for (const [first, last] of [[0, 0], [1, 6], [4095, 70_001], [65_535, 65_537]]) {
    const part = await get(LARGE, { headers: { range: `bytes=${first}-${last}` } });
    assert.equal(part.status, 206);
    assert.deepEqual(part.bytes, whole.bytes.slice(first, last + 1));
    assert.equal(part.headers.get('content-range'),
      `bytes ${first}-${last}/${whole.bytes.length}`);
    assert.equal(part.headers.get('content-length'), String(last - first + 1));
  }
});

test('ranges: open, suffix, past the end, several, nonsense', () => {
  assert.deepEqual(parseRange('bytes=10-', 100), [10, 100]);
  assert.deepEqual(parseRange('bytes=-10', 100), [90, 100]);
  assert.deepEqual(parseRange('bytes=-200', 100), [0, 100]);
  assert.deepEqual(parseRange('bytes=90-200', 100), [90, 100]);
  assert.equal(parseRange('bytes=100-', 100), 'unsatisfiable');
  assert.equal(parseRange('bytes=-0', 100), 'unsatisfiable');
  assert.equal(parseRange('bytes=0-0', 0), 'unsatisfiable');
  assert.equal(parseRange('bytes=0-1,5-6', 100), null);
  assert.equal(parseRange('bytes=5-1', 100), null);
  assert.equal(parseRange('items=0-1', 100), null);
  assert.equal(parseRange(null, 100), null);
});

test('416 past the end and on an empty file', async () => {
  const past = await get(LARGE, { headers: { range: 'bytes=999999999-' } });
  assert.equal(past.status, 416);
  assert.match(past.headers.get('content-range') ?? '', /^bytes \*\/\d+$/);
  const empty = await get('/odd-configs/empty-file/resolve/main/config.json',
    { headers: { range: 'bytes=0-0' } });
  assert.equal(empty.status, 416);
});

test('If-None-Match gives 304 on both origins', async () => {
  for (const path of [SMALL, LARGE]) {
    const etag = (await get(path)).headers.get('etag') ?? '';
    const same = await get(path, { headers: { 'if-none-match': etag } });
    assert.equal(same.status, 304);
    assert.equal(same.bytes.length, 0);
    const other = await get(path, { headers: { 'if-none-match': '"other"' } });
    assert.equal(other.status, 200);
  }
});

test('If-Range with an old hash gives the whole file', async () => {
  const etag = (await get(LARGE)).headers.get('etag') ?? '';
  const range = 'bytes=0-9';
  const same = await get(LARGE, { headers: { range, 'if-range': etag } });
  assert.equal(same.status, 206);
  const changed = await get(LARGE, { headers: { range, 'if-range': '"old"' } });
  assert.equal(changed.status, 200);
});

test('HEAD has the headers and no body', async () => {
  const head = await get(LARGE, { method: 'HEAD' });
  const file = await get(LARGE);
  assert.equal(head.bytes.length, 0);
  assert.equal(head.headers.get('content-length'), String(file.bytes.length));
});

test('signatures expire after an hour, and cannot be made up', async () => {
  const timed = virtualHub();
  const hop = await timed.get(LARGE, manual);
  const location = hop.headers.get('location') ?? '';
  await timed.clock.advance(3_500_000);
  assert.equal((await timed.get(location)).status, 200);
  await timed.clock.advance(101_000);
  assert.equal((await timed.get(location)).status, 403);
  const forged = location.replace(/Expires=\d+/, 'Expires=99999999999');
  assert.equal((await timed.get(forged)).status, 403);
});

test('file info by content negotiation, without a redirect', async () => {
  const headers = {
    accept: 'application/vnd.xet-fileinfo+json, */*', range: 'bytes=0-0',
  };
  const info = await get(LARGE, { headers, redirect: 'error' });
  assert.equal(info.status, 200);
  assert.equal(info.headers.get('content-type'), 'application/vnd.xet-fileinfo+json');
  const file = await get(LARGE);
  assert.equal(info.headers.get('x-linked-size'), String(file.bytes.length));
  assert.equal(info.headers.get('x-linked-etag'), `"${sha256(file.bytes)}"`);
  assert.ok(info.headers.get('x-xet-hash'));

  const small = await get(SMALL, { headers });
  assert.equal(small.status, 206);
  assert.match(small.headers.get('content-range') ?? '', /^bytes 0-0\/\d+$/);
});

test('/raw serves the pointer of an LFS file', async () => {
  const pointer = await get(`/${REPO}/raw/main/onnx/model.onnx`);
  const file = await get(LARGE);
  assert.equal(pointer.text, 'version https://git-lfs.github.com/spec/v1\n'
    + `oid sha256:${sha256(file.bytes)}\nsize ${file.bytes.length}\n`);
  const small = await get(`/${REPO}/raw/main/config.json`);
  assert.deepEqual(small.bytes, (await get(SMALL)).bytes);
});

test('Content-Disposition can be asked away or changed', async () => {
  const none = await get(`${SMALL}?noContentDisposition=1`, manual);
  assert.equal(none.headers.get('content-disposition'), null);
  const download = await get(`${SMALL}?download=true`, manual);
  assert.match(download.headers.get('content-disposition') ?? '', /^attachment/);
});

test('revisions: branch, full and short hash, encoded reference', async () => {
  for (const revision of ['main', sha, sha.slice(0, 7)]) {
    const hop = await get(`/${REPO}/resolve/${revision}/config.json`, manual);
    assert.equal(hop.headers.get('x-repo-commit'), sha, revision);
  }
  const pull = await get(`/${REPO}/resolve/refs%2Fpr%2F1/config.json`, manual);
  assert.equal(pull.status, 307);
  assert.notEqual(pull.headers.get('x-repo-commit'), sha);
  const unencoded = await get(`/${REPO}/resolve/refs/pr/1/config.json`);
  assert.equal(unencoded.headers.get('x-error-code'), 'RevisionNotFound');
});

test('a token stays within the origin', async () => {
  /** @type {string[]} */
  const seen = [];
  const spied = virtualHub();
  const { handle } = spied.hub;
  spied.hub.handle = (request, signal) => {
    const { origin } = new URL(request.url);
    seen.push(`${origin} ${request.headers.has('authorization')}`);
    return handle(request, signal);
  };
  await spied.get(LARGE, bearer('hf_reader'));
  await spied.get(SMALL, bearer('hf_reader'));
  assert.deepEqual(seen, [`${ORIGIN} true`, `${spied.hub.cdn.origin} false`,
    `${ORIGIN} true`, `${ORIGIN} true`]);
});

test('config.json agrees with the digest of the listing', async () => {
  const models = [...hub.index].filter(({ entry, hidden }) =>
    entry.config?.model_type && !entry.gated && !entry.private && !entry.disabled
    && entry.siblings?.some((/** @type {any} */ file) =>
      file.rfilename === 'config.json') && hidden.truth?.source === 'listing');
  assert.ok(models.length > 100);
  for (const { id, entry } of models) {
    const { json } = await get(`/${id}/resolve/main/config.json`);
    for (const key of ['architectures', 'model_type', 'auto_map', 'quantization_config']) {
      assert.deepEqual(json()[key], entry.config[key], `${id} ${key}`);
    }
  }
});

test('configs the listing does not show are in the repository', async () => {
  const models = [...hub.index].filter(({ entry, hidden }) =>
    hidden.digest && !entry.gated && !entry.private);
  const places = new Set();
  for (const { id, entry, hidden } of models) {
    assert.equal(entry.config ?? null, null);
    const place = hidden.configPath ?? 'config.json';
    places.add(place);
    const { json } = await get(`/${id}/resolve/main/${place}`);
    assert.equal(json().model_type, hidden.digest?.model_type);
  }
  assert.deepEqual([...places].sort(),
    ['adapter_config.json', 'config.json', 'config/config.json']);
});

test('odd configs: invalid JSON, NaN, BOM, pointer', async () => {
  const config = async (/** @type {string} */ name) =>
    get(`/odd-configs/${name}/resolve/main/config.json`);
  assert.throws((await config('invalid-json')).json);
  assert.match((await config('nan')).text, /NaN/);
  assert.deepEqual([...(await config('bom')).bytes.slice(0, 3)], [0xef, 0xbb, 0xbf]);
  assert.match((await config('lfs-pointer')).text, /^version https:\/\/git-lfs/);
});

test('names with spaces, percent signs and other scripts', async () => {
  for (const id of ['odd-names/spaces-in-files', 'odd-names/percent',
    'odd-names/non-ascii-0', 'odd-names/non-ascii-5']) {
    const siblings = hub.index.get(id)?.entry.siblings ?? [];
    for (const { rfilename } of siblings) {
      const path = rfilename.split('/').map(encodeURIComponent).join('/');
      assert.equal((await get(`/${id}/resolve/main/${path}`)).status, 200, rfilename);
    }
  }
});

test('nothing waits on the clock when all is read', () => {
  assert.equal(clock.pendingTimers, 0);
});
