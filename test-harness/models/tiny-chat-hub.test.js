// SPDX-License-Identifier: Apache-2.0
// The tiny chat model is found and stored like any other: by the command line
// on its own Hub, and by anybody on the Hub of `npm run hub`.

import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';

import { run } from '../cli/command-process.js';
import { startHub } from '../hub/index.js';
import { readDirectory } from '../hub/repository.js';
import { DIRECTORY, TINY_CHAT, tinyChat } from './tiny-chat.js';

const files = readDirectory(DIRECTORY);

/** @type {string} */
let data;
before(async () => { data = await mkdtemp(join(tmpdir(), 'tabagent-tiny-')); });
after(() => rm(data, { recursive: true }));

test('the Hub tells true sizes and hashes, and sends the bytes', async () => {
  const server = await startHub({ models: 0, repositories: [tinyChat()] });
  try {
    const reply = await fetch(
      `${server.url}/api/models/${TINY_CHAT}/tree/main?recursive=true`);
    /** @type {{ type: string, path: string, size: number, lfs?: any }[]} */
    const rows = await reply.json();
    const listed = rows.filter(({ type }) => type === 'file');
    assert.deepEqual(listed.map(({ path }) => path), [...files.keys()].sort());
    for (const { path, size, lfs } of listed) {
      const bytes = /** @type {Uint8Array} */ (files.get(path));
      assert.equal(size, bytes.length, path);
      assert.equal(lfs !== undefined, path.startsWith('onnx/'), path);
      const hash = createHash('sha256').update(bytes).digest('hex');
      if (lfs) assert.equal(lfs.oid, hash, path);
      const sent = await fetch(`${server.url}/${TINY_CHAT}/resolve/main/${path}`);
      assert.deepEqual(Buffer.from(await sent.arrayBuffer()), bytes, path);
    }
  } finally {
    await server.close();
  }
});

test('list finds it as a chat model with its variants', async () => {
  const { code, stdout } = await run(['list', '--search', 'tiny-chat', '--json']);
  assert.equal(code, 0);
  const found = JSON.parse(stdout).models
    .find((/** @type {any} */ { id }) => id === TINY_CHAT);
  assert.equal(found.classification, 'gen');
  assert.deepEqual(found.variants
    .map((/** @type {any} */ { dtype }) => dtype).sort(), ['fp16', 'fp32', 'q8']);
});

for (const { name, args, paths } of [
  {
    name: 'what browsers run best, when nothing is said', args: [],
    paths: ['onnx/model_quantized.onnx'],
  },
  {
    name: 'external data, too', args: ['--dtype', 'fp16'],
    paths: ['onnx/model_fp16.onnx', 'onnx/model_fp16.onnx_data'],
  },
]) {
  test(`download stores ${name}`, async () => {
    const { code, stdout } = await run(
      ['download', TINY_CHAT, '--data', data, '--json', ...args]);
    assert.equal(code, 0);
    const result = JSON.parse(stdout.trimEnd().split('\n').at(-1) ?? '');
    const stored = result.files.map((/** @type {any} */ { path }) => path);
    assert.deepEqual(stored
      .filter((/** @type {string} */ path) => path.startsWith('onnx/')).sort(),
    paths);
    for (const path of ['config.json', 'generation_config.json',
      'tokenizer.json', 'tokenizer_config.json']) {
      assert.ok(stored.includes(path), path);
    }
  });
}
