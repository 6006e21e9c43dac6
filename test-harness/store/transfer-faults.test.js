// SPDX-License-Identifier: Apache-2.0
// What can go wrong on the way from the Hub into the store, in virtual time:
// a download ends with every byte right, or with a code and all that is kept.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { MemoryStore } from './memory-store.js';
import {
  assertStored, CHUNK, contentBytes, FILES, MODEL, pass, sizeOf, SMALL_FILES,
  virtualWorld,
} from './world.js';

/** @typedef {import('../hub/faults.js').Rule} Rule */

/** Requests for bytes, not those that lead there. */
const CDN = { match: 'xet-bridge', content: true };

/** So long nothing may happen; see wasm/store/transfer_phase.c. */
const PATIENCE_MS = 60_000;

/**
 * Downloads in spite of the faults, and checks every byte.
 * @param {Rule[]} faults
 * @param {{ files?: import('./world.js').Files, most?: number, hub?: object }}
 *   [options] most: bytes that may be fetched besides those of the files
 */
async function survives(faults, { files = FILES, most = CHUNK, hub } = {}) {
  const store = new MemoryStore();
  const world = await virtualWorld(store, { files, faults, hub });
  const { fetchedBytes } = await world.download();
  assert.ok(fetchedBytes >= sizeOf(files));
  const sent = contentBytes(world.hub);
  assert.ok(sent <= sizeOf(files) + most, `${sent} bytes`);
  assert.equal(world.clock.pendingTimers, 0);
  await world.manager.dispose();
  await assertStored(store.data, files);
  return world;
}

/**
 * Downloads until it is given up; then the faults end, and a download goes on.
 * @param {Rule[]} faults
 * @param {string} code
 * @param {{ kept?: number, files?: import('./world.js').Files }} [options]
 *   kept: bytes that are in the store at the end
 */
async function givesUp(faults, code, { kept, files = FILES } = {}) {
  const store = new MemoryStore();
  const world = await virtualWorld(store, { files, faults });
  const from = world.clock.now();
  const error = await world.download().then(() => null, (reason) => reason);
  assert.equal(error?.code, code);
  assert.equal(error.modelId, MODEL);
  const tookMs = world.clock.now() - from;
  assert.equal(world.clock.pendingTimers, 0);
  for (const path of Object.keys(files)) {
    const response = await world.manager.cache.match(
      `https://huggingface.co/${MODEL}/resolve/main/${path}`);
    await response?.body?.cancel();
    if (kept === 0) assert.equal(response, undefined);
  }
  world.hub.faults.clear();
  const { resumedBytes } = await world.download();
  if (kept !== undefined) assert.equal(resumedBytes, kept);
  await world.manager.dispose();
  await assertStored(store.data, files);
  return { ...world, error, tookMs };
}

const SMALL_BYTES = sizeOf(SMALL_FILES);

describe('a download survives', () => {
  /** @type {[string, Rule[], { most?: number }?][]} */
  const cases = [
    ['a server that is down for a while',
      [{ ...CDN, status: 503, times: 4 }]],
    ['a Hub that is down for a while',
      [{ match: '/resolve/', status: 500, times: 5 }]],
    ['a connection that breaks', [{ ...CDN, resetAfter: 100_000, times: 3 }]],
    ['a connection that breaks before the first byte',
      [{ ...CDN, resetAfter: 0, times: 3 }]],
    ['a body that hangs', [{ ...CDN, stallAfter: 50_000, times: 2 }]],
    ['a head that never comes', [{ ...CDN, stallHead: true, times: 1 }]],
    ['a head that is late', [{ ...CDN, delayHeadMs: 15_000 }]],
    ['a body that ends early', [{ ...CDN, endAfter: 70_000, times: 2 }]],
    ['a body that ends early with its length',
      [{ ...CDN, endAfter: 70_000, keepLength: true, times: 2 }]],
    ['the whole file instead of a part, once',
      [{ ...CDN, ignoreRange: true, times: 1 }]],
    ['another part than asked for',
      [{ ...CDN, shiftRange: 7, times: 2 }]],
    ['a part that claims to be another', [{ ...CDN, times: 2,
      headers: { 'content-range': `bytes 5-9/${CHUNK + 5}` } }]],
    ['a part of a file of another size', [{ ...CDN, times: 2,
      headers: { 'content-range': `bytes 0-${CHUNK - 1}/${CHUNK}` } }]],
    ['no Content-Range', [{ ...CDN, headers: { 'content-range': null } }]],
    ['no Content-Length', [{ headers: { 'content-length': null } }]],
    ['an ETag that changes once', [{ ...CDN, skip: 1, times: 1, etag: '"b"' }]],
    ['no ETag', [{ ...CDN, headers: { etag: null } }]],
    ['a very long ETag',
      [{ ...CDN, headers: { etag: `"${'e'.repeat(3000)}"` } }]],
    ['an address that works once', [{ match: '/resolve/', signedUses: 1 }]],
    ['an address that has run out', [
      { match: '/resolve/', signedSeconds: -1, times: 2 }]],
    ['a range that is refused once', [{ ...CDN, status: 416, times: 1 }]],
    ['files that come compressed', [{ gzip: true }]],
    ['a quota that is used up', [{ ...CDN, status: 429, times: 3 }]],
    // What comes as a whole is lost, the first time that it breaks off.
    ['a line that never holds for a chunk',
      [{ ...CDN, resetAfter: 3_000_000 }], { most: 3_200_000 }],
    ['a line that always falls silent in the midst of a chunk',
      [{ ...CDN, stallAfter: 3_000_000 }], { most: 3_200_000 }],
    ['a line that never holds, and a file that changes its ETag',
      [{ ...CDN, skip: 3, times: 1, etag: '"b"' },
        { ...CDN, resetAfter: 3_000_000 }]],
    ['a line that never holds, and sends whole files now and then',
      [{ ...CDN, skip: 3, times: 1, ignoreRange: true },
        { ...CDN, resetAfter: 3_000_000 }], { most: 2 * CHUNK }],
    ['a line that never holds, and sends other parts now and then',
      [{ ...CDN, skip: 3, times: 1, shiftRange: 7 },
        { ...CDN, resetAfter: 3_000_000 }]],
    ['a line that breaks off, and a byte that is wrong',
      [{ ...CDN, corruptAt: 1000, times: 1 },
        { ...CDN, resetAfter: 9_000_000, times: 3 }], { most: 3 * CHUNK }],
    ['a wrong byte, once',
      [{ ...CDN, corruptAt: 1000, times: 1 }], { most: 2 * CHUNK }],
    ['a small file that is wrong, once',
      [{ match: 'config.json', content: true, corruptAt: 3, times: 1 }]],
  ];
  for (const [name, faults, options] of cases) {
    test(name, async () => {
      const { hub } = await survives(faults, options);
      assert.ok(hub.faults.list().some(({ hits }) => hits > 0));
    });
  }

  test('refusals of many small files', async () => {
    const files = { ...SMALL_FILES, 'merges.txt': 'm', 'vocab.json': 'v',
      'added_tokens.json': 'a', 'onnx/model.onnx': 'a graph' };
    await survives(Object.keys(files).map((path) => (
      { match: path, content: true, status: 403, times: 1 })), { files });
  });

  test('a line on which bytes trickle in', async () => {
    const files = { ...SMALL_FILES, 'onnx/model.onnx': { size: 40_000, seed: 1 } };
    const { clock } = await survives(
      [{ ...CDN, slow: { bytes: 2_000, everyMs: 15_000 } }], { files });
    assert.ok(clock.now() > Date.UTC(2026, 0, 1) + 3 * PATIENCE_MS);
  });

  test('a network that is gone for less than a minute', async () => {
    const store = new MemoryStore();
    const world = await virtualWorld(store,
      { faults: [{ resetAfter: 0, skip: 4 }] });
    const downloading = world.download();
    await pass(world.clock, world.clock.run(
      () => world.hub.faults.list()[0].hits > 6));
    world.hub.faults.clear();
    await downloading;
    await assertStored(store.data);
  });
});

describe('a download gives up', () => {
  /** @type {[string, Rule[], string, { kept?: number }?][]} */
  const cases = [
    ['a server that stays down', [{ ...CDN, status: 503 }], 'http_status',
      { kept: SMALL_BYTES }],
    ['a connection that always breaks', [{ ...CDN, resetAfter: 0 }],
      'network', { kept: SMALL_BYTES }],
    ['a connection that always breaks at the same byte',
      [{ ...CDN, resetAfter: 3 }], 'network', { kept: SMALL_BYTES }],
    ['bodies that all hang', [{ ...CDN, stallAfter: 3 }], 'timeout',
      { kept: SMALL_BYTES }],
    ['bodies that all end early', [{ ...CDN, endAfter: 3 }],
      'unexpected_shape', { kept: SMALL_BYTES }],
    ['heads that never come', [{ ...CDN, stallHead: true }], 'timeout',
      { kept: SMALL_BYTES }],
    ['whole files only', [{ ...CDN, ignoreRange: true }],
      'range_unsupported', { kept: SMALL_BYTES }],
    ['other parts always', [{ ...CDN, shiftRange: 1 }], 'unexpected_shape',
      { kept: SMALL_BYTES }],
    ['signed addresses that never work',
      [{ match: '/resolve/', signedSeconds: -1 }], 'unauthorized',
      { kept: SMALL_BYTES }],
    ['ranges that are refused', [{ ...CDN, status: 416 }], 'http_status',
      { kept: SMALL_BYTES }],
    ['a file that is gone', [{ match: 'model.onnx', status: 404 }],
      'not_found'],
    ['bytes that are always wrong', [{ ...CDN, corruptAt: 7 }],
      'hash_mismatch', { kept: SMALL_BYTES }],
    ['a small file that is always wrong',
      [{ match: 'config.json', content: true, corruptAt: 3 }],
      'hash_mismatch'],
    ['a machine that goes offline', [{ resetAfter: 0, skip: 8 }], 'network'],
  ];
  for (const [name, faults, code, options] of cases) {
    test(name, async () => {
      const { tookMs } = await givesUp(faults, code, options);
      assert.ok(tookMs < 3 * PATIENCE_MS, `${tookMs} ms`);
    });
  }

  test('a list of files that is damaged, and it says where', async () => {
    const { error } = await givesUp(
      [{ match: '/tree/', corruptAt: 1 }], 'json_syntax');
    assert.match(error.message, /list of files cannot be read at byte 1$/);
  });

  /** @type {[string, object, string | null, [string, number], string][]} */
  const refusals = [
    ['gated', { gated: 'manual' }, null, ['unauthorized', 401], 'hf_granted'],
    ['gated for this token', { gated: 'manual' }, 'hf_reader',
      ['unauthorized', 403], 'hf_granted'],
    ['private', { private: true }, null, ['unauthorized', 401], 'hf_owner'],
    ['private for this token', { private: true }, 'hf_reader',
      ['not_found', 404], 'hf_owner'],
  ];
  for (const [name, entry, token, refusal, granted] of refusals) {
    test(`a repository that is ${name}`, async () => {
      const store = new MemoryStore();
      const world = await virtualWorld(store, { hub: { entry } });
      const error = await world.download({ hfToken: token })
        .then(() => null, (reason) => reason);
      assert.deepEqual([error?.code, error?.status], refusal);
      assert.equal(error.retryable, false);
      assert.deepEqual([...store.data.files.keys()].filter(
        (key) => key.includes('_chunk_')), []);
      await world.download({ hfToken: granted });
      await assertStored(store.data);
    });
  }
});

describe('wrong bytes', () => {
  test('cost the chunk in which they are, not the others', async () => {
    const { hub } = await survives(
      [{ ...CDN, corruptAt: 1000, times: 1 }], { most: CHUNK + 5 });
    // Once more each, for nobody knows which one it is.
    assert.equal(hub.requests.filter(
      ({ status, url }) => status === 206 && url.includes('xet')).length, 4);
  });

  test('of one file leave the others visible', async () => {
    const store = new MemoryStore();
    const world = await virtualWorld(store,
      { faults: [{ ...CDN, corruptAt: 7 }] });
    await assert.rejects(world.download(), { code: 'hash_mismatch' });
    assert.deepEqual([...store.data.files.keys()].filter(
      (key) => key.includes('model.onnx')), []);
    const [model] = await world.manager.models();
    assert.deepEqual([model.dtypes[0].complete, model.bytes],
      [false, SMALL_BYTES]);
    await assertStored(store.data, SMALL_FILES);
  });
});
