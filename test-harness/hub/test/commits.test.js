// SPDX-License-Identifier: Apache-2.0
// Repositories that move on: new commits, and the old ones beside them.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { startHub } from '../index.js';
import { virtualHub } from './support.js';

const ID = 'me/moves';
const API = `/api/models/${ID}`;

function movingHub() {
  const world = virtualHub({ models: 60, repositories: [{
    id: ID, files: new Map([
      ['config.json', '{"model_type":"llama"}'], ['README.md', 'first'],
      ['onnx/model.onnx', 'one'], ['onnx/model.onnx_data', 'weights'],
    ]), entry: { pipeline_tag: 'text-generation' },
  }] });
  /** @param {string} revision */
  const tree = async (revision) => {
    const rows = (await world.get(`${API}/tree/${revision}?recursive=true`)).json();
    return new Map(rows.map((/** @type {any} */ row) => [row.path, row]));
  };
  return { ...world, tree };
}

test('main moves; the old commit stays as it was', async () => {
  const { hub, get, tree } = movingHub();
  const before = (await get(API)).json().sha;
  const old = await tree('main');
  const after = hub.commit(ID, { files: {
    'onnx/model.onnx': 'two', 'README.md': null, 'LICENSE': 'free',
  } });
  assert.notEqual(after, before);

  const now = await tree('main');
  assert.deepEqual([...now.keys()].sort(), ['LICENSE', 'config.json', 'onnx',
    'onnx/model.onnx', 'onnx/model.onnx_data']);
  assert.deepEqual(await tree(before), old);
  assert.deepEqual(now.get('onnx/model.onnx_data'), old.get('onnx/model.onnx_data'));
  assert.deepEqual(now.get('config.json'), old.get('config.json'));
  assert.notEqual(now.get('onnx/model.onnx').lfs.oid,
    old.get('onnx/model.onnx').lfs.oid);

  for (const [revision, sha, text] of [['main', after, 'two'],
    [before, before, 'one'], [after.slice(0, 9), after, 'two']]) {
    const path = `/${ID}/resolve/${revision}/onnx/model.onnx`;
    const hop = await get(path, { redirect: 'manual' });
    assert.equal(hop.headers.get('x-repo-commit'), sha);
    assert.equal((await get(path)).text, text);
  }
  assert.equal((await get(`/${ID}/resolve/main/README.md`)).status, 404);
  assert.equal((await get(`/${ID}/resolve/${before}/README.md`)).text, 'first');
});

test('info, refs, listing and paths-info follow', async () => {
  const { hub, get } = movingHub();
  const before = (await get(API)).json().sha;
  hub.commit(ID, { files: { 'LICENSE': 'free' } });
  const after = hub.commit(ID, { files: { 'README.md': null } });
  const info = (await get(API)).json();
  assert.equal(info.sha, after);
  assert.deepEqual(info.siblings.map((/** @type {any} */ file) => file.rfilename)
    .sort(), ['LICENSE', 'config.json', 'onnx/model.onnx', 'onnx/model.onnx_data']);
  const old = (await get(`${API}/revision/${before}`)).json();
  assert.equal(old.sha, before);
  assert.ok(old.siblings.some((/** @type {any} */ file) =>
    file.rfilename === 'README.md'));
  const [branch] = (await get(`${API}/refs`)).json().branches;
  assert.equal(branch.targetCommit, after);
  const [row] = (await get('/api/models?author=me&expand=sha')).json();
  assert.equal(row.sha, after);
  const paths = async (/** @type {string} */ revision) => (await get(
    `${API}/paths-info/${revision}`, {
      method: 'POST', body: new URLSearchParams({ paths: 'README.md' }),
    })).json().length;
  assert.deepEqual([await paths('main'), await paths(before)], [0, 1]);
});

test('what a client resolves a revision with is small', async () => {
  const { hub, get } = movingHub();
  const sha = hub.commit(ID, { files: { 'LICENSE': 'free' } });
  for (const key of ['expand', 'expand[]', 'expand%5B%5D']) {
    const reply = await get(
      `${API}/revision/main?${key}=sha&${key}=pipeline_tag`);
    const { _id: objectId, ...rest } = reply.json();
    assert.match(objectId, /^[0-9a-f]{24}$/);
    assert.deepEqual(rest, { id: ID, pipeline_tag: 'text-generation', sha });
  }
});

test('wrong case leads to the present name, on every route', async () => {
  const { get } = movingHub();
  for (const [asked, present] of [
    ['/api/models/ME/Moves/revision/main?expand=sha',
      `${API}/revision/main?expand=sha`],
    ['/api/models/Me/moves/tree/main?recursive=true',
      `${API}/tree/main?recursive=true`],
    ['/ME/MOVES/resolve/main/config.json', `/${ID}/resolve/main/config.json`],
  ]) {
    const hop = await get(asked, { redirect: 'manual' });
    assert.deepEqual([hop.status, hop.headers.get('location')], [307, present]);
    assert.equal((await get(asked)).status, 200);
  }
});

test('a commit outlives the cache of repositories', async () => {
  const { hub, get } = movingHub();
  hub.commit(ID, { files: { 'README.md': 'second' } });
  for (const model of hub.index) hub.repository(model);
  const generated = virtualHub({ models: 200 });
  generated.hub.commit('openai-community/gpt2', { files: { 'README.md': 'second' } });
  for (const model of generated.hub.index) generated.hub.repository(model);
  const path = '/openai-community/gpt2/resolve/main/README.md';
  assert.equal((await generated.get(path)).text, 'second');
  assert.equal((await get(`/${ID}/resolve/main/README.md`)).text, 'second');
});

test('another process can commit', async () => {
  const server = await startHub({ models: 60, repositories: [
    { id: ID, files: new Map([['README.md', 'first']]) }] });
  const reply = await fetch(`${server.url}/__control/commit`, {
    method: 'POST', headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ id: ID, files: {
      'README.md': 'second', 'model.onnx': { size: 1000, seed: 1 },
    } }),
  });
  const { sha } = await reply.json();
  const rows = await (await fetch(`${server.url}${API}/tree/${sha}`)).json();
  assert.deepEqual(rows.map((/** @type {any} */ { path, size }) => [path, size]),
    [['README.md', 6], ['model.onnx', 1000]]);
  await server.close();
});
