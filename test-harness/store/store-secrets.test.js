// SPDX-License-Identifier: Apache-2.0
// The token of a download goes to the Hub's origin and nowhere else: to no
// server of large files, into no record, message, counter or error.

import assert from 'node:assert/strict';
import { readdir, readFile as readRaw, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { inspect } from 'node:util';

import { startMirrored } from '../hub/index.js';
import { createModelManager, wasm } from '../module-under-test.js';
import { emptyData, MemoryStore } from './memory-store.js';
import {
  assertBytes, CHUNK, createModelHub, FILES, HUB_URL, hubOptions, managerOf,
  MODEL, pass, urlOf, virtualWorld,
} from './world.js';

const TOKEN = 'hf_granted';

const GATED = { entry: { gated: 'manual' } };

/**
 * Everything that lies in a store, as text.
 * @param {import('./memory-store.js').Data} data
 */
async function everythingStored(data) {
  let text = '';
  for (const entries of Object.values(data)) {
    for (const [key, entry] of entries) {
      text += `${key}\n`;
      if (entry instanceof Blob) {
        if (entry.size < CHUNK) text += await entry.text();
      } else if (entry instanceof Uint8Array) {
        text += Buffer.from(entry).toString('latin1');
      } else text += JSON.stringify(entry);
    }
  }
  return text;
}

/** @type {[string, import('../hub/faults.js').Rule[]][]} */
const CASES = [
  ['nothing', []],
  ['a server that is down', [{ content: true, status: 500 }]],
  ['a signed address that has run out',
    [{ match: '/resolve/', signedSeconds: -1 }]],
  ['a connection that breaks', [{ content: true, resetAfter: 100 }]],
  ['a Hub that repeats the token', [{
    match: '/resolve/', status: 403, body: TOKEN,
    headers: { 'x-error-message': TOKEN, 'x-error-code': TOKEN, etag: TOKEN },
  }]],
  ['a revision that repeats the token', [{ match: '/revision/', status: 401,
    headers: { 'x-error-message': TOKEN, 'www-authenticate': TOKEN } }]],
  ['a list of files that repeats it', [{ match: '/tree/', status: 403,
    body: TOKEN }]],
  ['wrong bytes', [{ match: 'xet', content: true, corruptAt: 5 }]],
];

describe('the token is never told', () => {
  for (const [name, faults] of CASES) {
    test(name, async () => {
      /** @type {any[]} */
      const said = [];
      const data = emptyData();
      const { clock, hub } = await virtualWorld(
        new MemoryStore(), { hub: GATED, faults });
      const manager = await managerOf(new MemoryStore(data), {
        fetch: hub.fetch, clock,
        onMessage: (message) => said.push(message),
        telemetry: (entry) => said.push(entry),
      });
      const error = await pass(clock, manager.download(MODEL, {
        hfToken: TOKEN, onProgress: (message) => said.push(message),
      }).then((result) => { said.push(result); }, (reason) => reason));
      assert.equal(error === undefined, faults.length === 0);
      const text = JSON.stringify(said)
        + inspect(error, { depth: Infinity, showHidden: true })
        + await everythingStored(data);
      assert.equal(text.includes(TOKEN), false);
      assert.ok(hub.requests.length > 0);
      for (const { url, headers } of hub.requests) {
        const isHub = new URL(url).origin === HUB_URL;
        assert.equal(headers.authorization,
          isHub ? `Bearer ${TOKEN}` : undefined, url);
        assert.equal(url.includes(TOKEN), false);
      }
      await manager.dispose();
    });
  }
});

test('the token of a request is taken for its file', async () => {
  const hub = createModelHub(FILES, GATED);
  const data = emptyData();
  const manager = await managerOf(new MemoryStore(data), { fetch: hub.fetch });
  for (const path of /** @type {const} */ (['config.json', 'onnx/model.onnx'])) {
    const response = await manager.fetch(urlOf(path),
      { headers: { authorization: `Bearer ${TOKEN}` } });
    assert.equal(response.status, 200);
    assertBytes(await response.arrayBuffer(), FILES[path]);
  }
  // Without one it comes out of the store, and nobody is asked.
  const from = hub.requests.length;
  const response = await manager.fetch(urlOf('config.json'));
  assert.equal(response.status, 200);
  await response.arrayBuffer();
  assert.equal(hub.requests.length, from);
  await manager.dispose();
  assert.equal((await everythingStored(data)).includes(TOKEN), false);
});

test('over HTTP, no other origin gets it', async () => {
  const servers = await startMirrored(hubOptions(FILES, GATED));
  const dataDir = await mkdtemp(join(tmpdir(), 'tabagent-secrets-'));
  const manager = await createModelManager({
    wasm, dataDir, hubUrl: servers.main.url,
  });
  await manager.download(MODEL, { hfToken: TOKEN });
  assert.deepEqual(servers.leaks(TOKEN), []);
  assert.ok(servers.main.hub.requests.some(({ url, headers }) => (
    !url.startsWith(servers.main.url) && headers.range)));
  await manager.dispose();
  for (const name of await readdir(dataDir, { recursive: true })) {
    const bytes = await readRaw(join(dataDir, name)).catch(() => Buffer.of());
    assert.equal(bytes.includes(TOKEN), false, name);
  }
  await servers.close();
  await rm(dataDir, { recursive: true });
});
