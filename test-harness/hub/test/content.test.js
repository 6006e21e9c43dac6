// SPDX-License-Identifier: Apache-2.0
// Generated files: large, different everywhere, and the same every time.

import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';

import { streamOf, uploadedContent } from '../content.js';
import { virtualHub } from './support.js';

const MIB = 1 << 20;

/** Not a multiple of anything, and beyond 32 bits. */
const HUGE = 5_000_000_011;

/** @param {number | string} seed */
const huge = (seed) => uploadedContent({ size: HUGE, seed });

/** @param {Uint8Array} bytes */
const sha256 = (bytes) => createHash('sha256').update(bytes).digest('hex');

test('any range has the bytes of the whole', async () => {
  const size = 3 * MIB + 5;
  const content = uploadedContent({ size, seed: 1 });
  const whole = content.read(0, size);
  assert.equal(whole.length, size);
  for (const [start, end] of [[0, 1], [MIB - 1, MIB + 1], [5, 3 * MIB],
    [2 * MIB, 3 * MIB], [size - 1, size], [7, 7]]) {
    assert.deepEqual(Buffer.from(content.read(start, end)),
      Buffer.from(whole.subarray(start, end)));
  }
  const pieces = [];
  for await (const piece of /** @type {any} */ (streamOf(content, 77, size))) {
    pieces.push(piece);
  }
  assert.deepEqual(Buffer.concat(pieces), Buffer.from(whole.subarray(77)));
});

test('no two blocks of a file are the same, nor two files', () => {
  const starts = [1, 2, 'name'].map((seed) => {
    const content = huge(seed);
    return Array.from({ length: Math.ceil(HUGE / MIB) }, (_, block) =>
      Buffer.from(content.read(block * MIB, block * MIB + 8)).toString('hex'));
  });
  for (const blocks of starts) assert.equal(new Set(blocks).size, blocks.length);
  assert.equal(new Set(starts.map(([first]) => first)).size, starts.length);
});

test('a reader may change what it got', () => {
  const content = huge(3);
  const first = content.read(0, 100);
  const copy = Uint8Array.from(first);
  first.fill(0);
  assert.deepEqual(Uint8Array.from(content.read(0, 100)), copy);
});

test('a repository of generated files: sizes, hashes and ranges agree', async () => {
  const size = 2 * MIB + 3;
  const { get } = virtualHub({ repositories: [{
    id: 'me/large', files: new Map(/** @type {[string, any][]} */ ([
      ['config.json', '{"model_type":"llama"}'],
      ['onnx/model.onnx', { size, seed: 9 }],
      ['onnx/model.onnx_data', { size: 2 * MIB, seed: 10 }],
    ])),
  }] });
  const rows = (await get('/api/models/me/large/tree/main?recursive=true')).json();
  const row = rows.find((/** @type {any} */ node) => node.path === 'onnx/model.onnx');
  const file = await get('/me/large/resolve/main/onnx/model.onnx');
  assert.equal(file.bytes.length, size);
  assert.deepEqual([row.size, row.lfs.oid], [size, sha256(file.bytes)]);
  const part = await get('/me/large/resolve/main/onnx/model.onnx',
    { headers: { range: `bytes=${MIB - 2}-${MIB + 1}` } });
  assert.deepEqual(part.bytes, file.bytes.slice(MIB - 2, MIB + 2));
  const info = (await get('/api/models/me/large')).json();
  assert.equal(info.config.model_type, 'llama');
});
