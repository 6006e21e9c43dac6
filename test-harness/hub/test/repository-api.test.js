// SPDX-License-Identifier: Apache-2.0
// The JSON API of a repository agrees with the bytes the file routes serve.

import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';

import { bearer, crawl, nextLink, virtualHub } from './support.js';

const REPO = 'openai-community/gpt2';
const API = `/api/models/${REPO}`;
const { hub, get } = virtualHub();
const sha = hub.index.get(REPO)?.sha ?? '';

/** @param {string} path */
async function bytesOf(path) {
  return (await get(`/${REPO}/resolve/main/${path}`)).bytes;
}

test('the tree has the sizes and hashes of the served bytes', async () => {
  const rows = (await get(`${API}/tree/main?recursive=true`)).json();
  const files = rows.filter((/** @type {any} */ row) => row.type === 'file');
  assert.equal(files.length, hub.index.get(REPO)?.entry.siblings.length);
  for (const file of files) {
    const bytes = await bytesOf(file.path);
    assert.equal(file.size, bytes.length);
    if (file.lfs) {
      const sha256 = createHash('sha256').update(bytes).digest('hex');
      assert.deepEqual([file.lfs.oid, file.lfs.size], [sha256, bytes.length]);
      const pointer = (await get(`/${REPO}/raw/main/${file.path}`)).text;
      assert.equal(file.lfs.pointerSize, pointer.length);
      assert.equal(file.oid, createHash('sha1')
        .update(`blob ${pointer.length}\0${pointer}`).digest('hex'));
      assert.ok(file.xetHash);
    } else {
      assert.equal(file.oid, createHash('sha1')
        .update(`blob ${bytes.length}\0`).update(bytes).digest('hex'));
    }
  }
  const weights = files.find((/** @type {any} */ row) => row.path.endsWith('.onnx'));
  assert.ok(weights.lfs);
});

test('without recursive: one level, directories as rows', async () => {
  const rows = (await get(`${API}/tree/main`)).json();
  const directory = rows.find((/** @type {any} */ row) => row.path === 'onnx');
  assert.equal(directory.type, 'directory');
  assert.ok(rows.every((/** @type {any} */ row) => !row.path.includes('/')));
  const inner = (await get(`${API}/tree/main/onnx`)).json();
  assert.ok(inner.length > 0);
  assert.ok(inner.every((/** @type {any} */ row) => row.path.startsWith('onnx/')));
  assert.equal((await get(`${API}/tree/main/nowhere`)).status, 404);
});

test('tree pages: 1,000 rows, 50 when expanded, cursor of two layers', async () => {
  const big = '/api/models/mass-uploads/every-checkpoint/tree/main?recursive=true';
  const first = await get(big);
  assert.equal(first.json().length, 1000);
  const link = nextLink(first.headers) ?? '';
  const cursor = new URL(link).searchParams.get('cursor') ?? '';
  const [inner, limit] = Buffer.from(cursor, 'base64').toString().split(':');
  assert.equal(limit, '1000');
  const { file_name: name } = JSON.parse(Buffer.from(inner, 'base64').toString());
  assert.equal(name, first.json().at(-1).path);

  const expanded = await get(`${big}&expand=true`);
  assert.equal(expanded.json().length, 50);
  assert.ok(expanded.json()[0].lastCommit && expanded.json()[0].securityFileStatus);
});

test('following the tree meets every path once', async () => {
  const { rows } = await crawl(get, `${API}/tree/main?recursive=true&limit=2`);
  const paths = rows.map(({ path }) => path);
  assert.equal(new Set(paths).size, paths.length);
  const files = rows.filter(({ type }) => type === 'file');
  assert.equal(files.length, hub.index.get(REPO)?.entry.siblings.length);
});

test('paths-info: JSON and form bodies, missing paths left out', async () => {
  const paths = ['config.json', 'onnx/model.onnx', 'onnx', 'missing.bin'];
  const form = new URLSearchParams(paths.map((path) => ['paths', path]));
  for (const init of [
    { body: JSON.stringify({ paths }), headers: { 'content-type': 'application/json' } },
    { body: form },
  ]) {
    const rows = (await get(`${API}/paths-info/main`, { method: 'POST', ...init })).json();
    assert.deepEqual(rows.map((/** @type {any} */ row) => [row.path, row.type]),
      [['config.json', 'file'], ['onnx/model.onnx', 'file'], ['onnx', 'directory']]);
    assert.ok(rows[1].lfs.oid);
  }
});

test('paths-info takes at most 2,000 paths', async () => {
  const init = (/** @type {number} */ count) => ({
    method: 'POST', headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ paths: Array(count).fill('config.json') }),
  });
  assert.equal((await get(`${API}/paths-info/main`, init(2000))).status, 200);
  assert.equal((await get(`${API}/paths-info/main`, init(2001))).status, 400);
});

test('blobs=true adds sizes and hashes to the siblings', async () => {
  const { siblings } = (await get(`${API}?blobs=true`)).json();
  const tree = (await get(`${API}/tree/main?recursive=true`)).json();
  for (const { rfilename, size, blobId, lfs } of siblings) {
    const row = tree.find((/** @type {any} */ node) => node.path === rfilename);
    assert.deepEqual([size, blobId, lfs?.sha256], [row.size, row.oid, row.lfs?.oid]);
  }
  const plain = (await get(API)).json();
  assert.deepEqual(Object.keys(plain.siblings[0]), ['rfilename']);
});

test('model info: revision, expand, security status', async () => {
  const pull = (await get(`${API}/revision/refs%2Fpr%2F1`)).json();
  assert.notEqual(pull.sha, sha);
  const expanded = (await get(`${API}?expand=usedStorage&expand=tags`)).json();
  assert.deepEqual(Object.keys(expanded).sort(), ['_id', 'id', 'tags', 'usedStorage']);
  assert.ok(expanded.usedStorage > 0);
  assert.equal((await get(`${API}?expand=bogus`)).status, 400);
  const secure = (await get(`${API}?securityStatus=true`)).json();
  assert.ok(secure.securityRepoStatus);
});

test('refs', async () => {
  const { branches } = (await get(`${API}/refs`)).json();
  assert.deepEqual(branches,
    [{ name: 'main', ref: 'refs/heads/main', targetCommit: sha }]);
});

test('whoami-v2', async () => {
  const me = (await get('/api/whoami-v2', bearer('hf_reader'))).json();
  assert.equal(me.type, 'user');
  assert.equal(me.auth.accessToken.role, 'read');
  assert.ok(Array.isArray(me.orgs));
  assert.equal((await get('/api/whoami-v2')).status, 401);
});
