// SPDX-License-Identifier: Apache-2.0
// A mirror has the same content, and tells what it was sent.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { startMirrored } from '../index.js';
import { bearer } from './support.js';

const FILE = '/me/model/resolve/main/model.onnx';

/** @type {Awaited<ReturnType<typeof startMirrored>>} */
let pair;
before(async () => {
  pair = await startMirrored({ models: 60, repositories: [{
    id: 'me/model',
    files: new Map([['model.onnx', { size: 100_000, seed: 5 }]]),
  }] });
});
after(() => pair.close());

test('four origins, one content', async () => {
  const { main, mirror } = pair;
  const origins = [main.url, main.cdnUrl, mirror.url, mirror.cdnUrl];
  assert.equal(new Set(origins).size, 4);
  const [ours, theirs] = await Promise.all([main, mirror].map(async ({ url }) => {
    const file = await fetch(url + FILE);
    const tree = await fetch(`${url}/api/models/me/model/tree/main`);
    return {
      commit: (await (await fetch(`${url}/api/models/me/model`)).json()).sha,
      tree: await tree.json(), etag: file.headers.get('etag'),
      bytes: Buffer.from(await file.arrayBuffer()),
    };
  }));
  assert.deepEqual(theirs, ours);
});

test('a token that reaches another origin is noticed', async () => {
  const { main, mirror, leaks } = pair;
  await (await fetch(main.url + FILE, bearer('hf_reader'))).arrayBuffer();
  assert.deepEqual(leaks('hf_reader'), []);
  await (await fetch(mirror.url + FILE, bearer('hf_reader'))).arrayBuffer();
  await (await fetch(`${mirror.url}${FILE}?token=hf_reader`)).arrayBuffer();
  assert.deepEqual(leaks('hf_reader').map(({ url }) => url),
    [mirror.url + FILE, `${mirror.url}${FILE}?token=hf_reader`]);
});
