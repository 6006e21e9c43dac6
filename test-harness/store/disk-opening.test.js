// SPDX-License-Identifier: Apache-2.0
// A directory that cannot be opened, and one that many want something of.

import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';

import { DiskStore } from '../../js-bindings/store/disk.js';

/** @type {string} */
let root;
before(async () => {
  root = await mkdtemp(join(tmpdir(), 'tabagent-opening-'));
  await writeFile(join(root, 'file'), '');
});
after(() => rm(root, { recursive: true, force: true }));

describe('a path that is no directory', () => {
  test('is told as such, each time', async () => {
    const store = new DiskStore(join(root, 'file'));
    for (let time = 0; time < 2; time += 1) {
      await assert.rejects(store.keys(''),
        { code: 'ENOTDIR', syscall: 'mkdir' });
    }
    store.close();
  });

  // Node's own mkdir, asked for the folders above as well, never ends here.
  test('where the system makes none is told as such', {
    skip: process.platform !== 'linux',
  }, async () => {
    const store = new DiskStore('/proc/tabagent/store');
    await assert.rejects(store.keys(''), { code: 'ENOENT', syscall: 'mkdir' });
    store.close();
  });

  test('may be let go before that is known', async () => {
    /** @type {unknown[]} */
    const unhandled = [];
    const note = (/** @type {unknown} */ error) => unhandled.push(error);
    process.on('unhandledRejection', note);
    const store = new DiskStore(join(root, 'file'));
    const keys = store.keys('');
    store.close();
    await assert.rejects(keys);
    await new Promise((resolve) => { setImmediate(resolve); });
    process.removeListener('unhandledRejection', note);
    assert.deepEqual(unhandled, []);
  });
});

test('many may wait for one lock', async (t) => {
  const warn = t.mock.method(process, 'emitWarning', () => {});
  const store = new DiskStore(join(root, 'store'));
  const free = await store.lock('one');
  const waiting = Array.from({ length: 20 }, () => store.lock('one'));
  await store.keys('');
  store.close();
  const ends = await Promise.allSettled(waiting);
  assert.ok(ends.every(({ status }) => status === 'rejected'));
  free();
  assert.equal(warn.mock.callCount(), 0);
});
