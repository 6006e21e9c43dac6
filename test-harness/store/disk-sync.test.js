// SPDX-License-Identifier: Apache-2.0
// The order in which the store on disk makes things durable: what a line of the
// log refers to comes before the line, and the line before the answer.

import assert from 'node:assert/strict';
import { readlinkSync } from 'node:fs';
import { mkdtemp, open, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { test } from 'node:test';

import { openStore } from '../../js-bindings/store/index.js';
import { content, record } from './values.js';

/** What all open files inherit from. */
async function handlePrototype() {
  const handle = await open(tmpdir());
  await handle.close();
  return Object.getPrototypeOf(handle);
}

/**
 * Notes which file is synced, from now on.
 * @param {string} dataDir
 */
async function watchSyncs(dataDir) {
  /** @type {string[]} */
  const synced = [];
  const prototype = await handlePrototype();
  for (const name of ['sync', 'datasync']) {
    const original = prototype[name];
    prototype[name] = async function sync() {
      const path = readlinkSync(`/proc/self/fd/${this.fd}`);
      await original.call(this);
      synced.push(relative(dataDir, path) || '.');
    };
  }
  return synced;
}

test('contents, their names, then the line, then the answer', {
  skip: process.platform !== 'linux' && 'there is no /proc',
}, async () => {
  const dataDir = await mkdtemp(join(tmpdir(), 'tabagent-store-'));
  const synced = await watchSyncs(dataDir);
  const store = await openStore({ dataDir });
  await store.write([record('r', [1])]);
  assert.deepEqual(synced.splice(0), ['.', 'index']);
  await store.write([content('a', [1]), record('r', [2]), content('b', [2])]);
  // A name may become durable before or after what is in the file.
  assert.deepEqual([synced.splice(0, 2).sort(), synced.splice(0, 2).sort()],
    [['content', 'content/1'], ['content', 'content/2']]);
  assert.deepEqual(synced.splice(0), ['index']);
  await store.write([{ kind: 'delete', store: 'files', key: 'a' }]);
  assert.deepEqual(synced.splice(0), ['index']);
  const bulk = new Uint8Array(900_000);
  await store.write([record('r', bulk)]);
  assert.deepEqual(synced.splice(0), ['index']);
  for (let i = 0; i < 2; i += 1) await store.write([record('r', bulk)]);
  store.close();
  const reopened = await openStore({ dataDir });
  synced.splice(0);
  for (let i = 0; i < 4; i += 1) await reopened.write([record('r', bulk)]);
  // Written anew at least once: the new log, then its name.
  const at = synced.indexOf('index.new');
  assert.deepEqual(synced.slice(at - 1, at + 2), ['index', 'index.new', '.']);
  reopened.close();
  await rm(dataDir, { recursive: true });
});

test('a line that does not become durable is taken back', async () => {
  const dataDir = await mkdtemp(join(tmpdir(), 'tabagent-store-'));
  const stores = [await openStore({ dataDir }), await openStore({ dataDir })];
  await stores[0].write([record('r', [1])]);
  await stores[1].keys('');
  const prototype = await handlePrototype();
  const original = prototype.datasync;
  prototype.datasync = async () => {
    prototype.datasync = original;
    // The other one may read it before that is known.
    await stores[1].get('files', 'r');
    throw Object.assign(new Error('as ordered'), { code: 'EIO' });
  };
  await assert.rejects(stores[0].write([record('r', [2])]), { code: 'EIO' });
  for (const store of stores) {
    assert.deepEqual(await store.get('files', 'r'), Uint8Array.of(1));
    store.close();
  }
  await rm(dataDir, { recursive: true });
});
