// SPDX-License-Identifier: Apache-2.0
// A file of more than 2 GB in Chromium's own IndexedDB: downloaded, broken off
// by the death of the browser, gone on with, read near its end, verified. The
// page stays small all the time. By hand, some minutes; it needs three times
// the file's size on the disk of the profile:
//
//   TAM_LARGE_MB=3072 node --test test-harness/browser/large-file.js

import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { statfs } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { test } from 'node:test';

import { digestOf, uploadedContent } from '../hub/content.js';
import {
  ask, call, CHUNK, MODEL, openManager, openStage, SLOTS, until, WEIGHTS,
} from './manager-stage.js';
import { watchMemory } from './resident-memory.js';

const MIB = 1 << 20;

const SIZE = Number(process.env.TAM_LARGE_MB ?? 3072) * MIB + 12_345;

/** What a page may take besides what it takes when it does nothing. */
const PEAK_BYTES = 64 * MIB;

/** Chromium stages what it writes; the rest is for what else is on the disk. */
const DISK_BYTES = 3 * SIZE;

const UPLOAD = { size: SIZE, seed: 'large' };

/** Ranges of what is not in the first 2 GB, and around its border. */
const RANGES = [
  [2 ** 31 - 1000, 2 ** 31 + 1000],
  [SIZE - 5 * MIB, SIZE - 5 * MIB + 100_000],
  [SIZE - 1000, SIZE],
].filter(([start]) => start >= 0 && start < SIZE);

test(`${Math.round(SIZE / MIB)} MB in IndexedDB`, async (t) => {
  const { bavail, bsize } = await statfs(tmpdir());
  assert.ok(bavail * bsize > DISK_BYTES,
    `${tmpdir()} needs ${DISK_BYTES / MIB} MiB of room`);
  const content = uploadedContent(UPLOAD);
  digestOf(content, 'sha256'); // takes seconds, in which nobody is answered

  const stage = await openStage({
    repositories: [{
      id: MODEL,
      files: new Map(/** @type {[string, any][]} */ ([
        ['config.json', '{"model_type":"llama"}'], [WEIGHTS, UPLOAD],
      ])),
    }],
  });
  t.after(() => stage.close());
  let chromium = await stage.start();
  t.after(() => chromium.close());

  /**
   * Does something with a page whose memory is watched.
   * @template T
   * @param {string} what
   * @param {() => Promise<T>} work
   */
  const watch = async (what, work) => {
    const startMs = Date.now();
    const { result, peak } = await watchMemory(chromium, work);
    t.diagnostic(`${what}: ${Math.round(peak / MIB)} MiB above idle, `
      + `${Math.round((Date.now() - startMs) / 1000)} s`);
    assert.ok(peak <= PEAK_BYTES, `${what}: ${peak / MIB} MiB above idle`);
    return result;
  };

  let page = await openManager(stage, chromium);
  await watch('a third', async () => {
    await call(page, 'beginDownload', { modelId: MODEL });
    await until(() => stage.bytesSent() > SIZE / 3);
  });
  await chromium.kill();
  const sent = stage.bytesSent();

  chromium = await stage.start();
  page = await openManager(stage, chromium);
  const start = stage.hub.requests.length;
  const { failure, bytes, resumedBytes, fetchedBytes } = await watch('the rest',
    () => ask(page, 'download', MODEL));
  assert.equal(failure, undefined);
  assert.equal(resumedBytes + fetchedBytes, bytes);
  assert.ok(sent + stage.bytesSent(start) <= SIZE + SLOTS * CHUNK,
    `${sent} and ${stage.bytesSent(start)} bytes were sent`);

  const end = stage.hub.requests.length;
  for (const [from, to] of RANGES) {
    const { status, headers, ...body } = await watch(`from ${from} on`,
      () => call(page, 'fetchFile', {
        url: stage.url, init: { headers: { range: `bytes=${from}-${to - 1}` } },
      }));
    assert.equal(status, 206);
    assert.equal(headers['content-range'], `bytes ${from}-${to - 1}/${SIZE}`);
    assert.deepEqual(body, {
      bytes: to - from,
      sha256: createHash('sha256').update(content.read(from, to)).digest('hex'),
    });
  }
  assert.deepEqual(await watch('verifying', () => ask(page, 'verifyModel', MODEL)),
    { ok: true, damaged: [], repaired: 0 });
  assert.equal(stage.hub.requests.length, end, 'the network was asked');
});
