// SPDX-License-Identifier: Apache-2.0
// The package over real HTTP: the simulator listens on a port, Node's own
// fetch asks, sockets really break.

import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';

import { list } from '../fault/listing.js';
import { checkMessages } from '../fault/message-rules.js';
import { generateCatalogue } from '../hub/catalogue.js';
import { readCatalogue, startHub } from '../hub/index.js';
import { createModelManager, wasm } from '../module-under-test.js';

const catalogue = generateCatalogue({ models: 600 }).models;

const params = /** @type {const} */ ({
  fetchConfigs: 'all', maxCandidates: 30, pageSize: 150, timeoutMs: 2000,
});
const { models: expected } = await list({ params, hub: { catalogue } });

/**
 * What has to be closed after the tests.
 * @type {(() => Promise<any>)[]}
 */
const closers = [];
after(async () => { for (const close of closers) await close(); });

/**
 * Lists from a served Hub and checks the messages.
 * @param {{ url: string }} server
 * @param {object} [options] of the manager
 * @param {{ signal?: AbortSignal, onProgress?: (message: any) => void }}
 *   [calls]
 * @returns {Promise<any>} the terminal message, and what was thrown
 */
async function listFrom({ url }, options, calls) {
  /** @type {any[]} */
  const deliveries = [];
  const manager = await createModelManager({
    wasm, hubUrl: url, seed: 1,
    onMessage: (message) => deliveries.push({ at: message.ts, message }),
    ...options,
  });
  const error = await manager.listChatModels(params, calls)
    .then(() => undefined, (reason) => reason);
  await manager.dispose();
  return { error, ...checkMessages(deliveries) };
}

/**
 * @param {object} [options]
 */
async function serve(options) {
  const server = await startHub({ catalogue, ...options });
  closers.push(server.close);
  return server;
}

describe('over HTTP', () => {
  test('the models are those of the in-process Hub', async () => {
    const server = await serve();
    const { models, meta } = await listFrom(server);
    assert.deepEqual(models, expected);
    assert.equal(meta.errorCount, 0);
    assert.ok(server.hub.requests.some(({ status }) => status === 307));
  });

  /** @type {[string, import('../hub/faults.js').Rule][]} */
  const FAULTS = [
    ['a socket reset in a page', { bucket: 'api', times: 1, resetAfter: 5000 }],
    ['a socket reset before the body of a page',
      { bucket: 'api', times: 1, resetAfter: 0 }],
    ['sockets reset in files', { match: 'resolve-cache', times: 4, resetAfter: 20 }],
    ['a page that ends early', { bucket: 'api', times: 1, endAfter: 9000 }],
    ['a length too large',
      { bucket: 'api', times: 1, headers: { 'content-length': '99999999' } }],
    ['a length too small',
      { bucket: 'api', times: 1, headers: { 'content-length': '100' } }],
    ['a server in trouble', { bucket: 'resolvers', times: 5, status: 502 }],
    ['a refusal', { bucket: 'resolvers', times: 1, status: 429, rateLimit: false }],
  ];
  for (const [name, fault] of FAULTS) {
    test(`${name} is made good`, async () => {
      const server = await serve();
      const rule = server.hub.faults.add(fault);
      const { error, models, meta } = await listFrom(server);
      assert.equal(rule.hits, fault.times);
      assert.equal(error, undefined);
      assert.deepEqual(models, expected);
      assert.equal(meta.errorCount, 0, JSON.stringify(meta.errors));
      assert.equal(meta.partial, false);
    });
  }

  test('cancelling does not wait for a server that hangs', async () => {
    const server = await serve();
    server.hub.faults.add({ bucket: 'resolvers', stallHead: true });
    const controller = new AbortController();
    const { error } = await listFrom(server, {}, {
      signal: controller.signal,
      onProgress: ({ status }) => {
        if (status === 'config_fetching') controller.abort();
      },
    });
    assert.equal(error.code, 'cancelled');
  });

  test('no server at all fails with the reason', async () => {
    const server = createServer();
    await new Promise((resolve) => { server.listen(0, '127.0.0.1', () => resolve(0)); });
    const { port } = /** @type {import('node:net').AddressInfo} */ (server.address());
    await new Promise((resolve) => { server.close(resolve); });
    const { error } = await listFrom({ url: `http://127.0.0.1:${port}` });
    assert.equal(error.code, 'listing_failed');
    assert.equal(error.retryable, true);
    assert.equal(error.meta.errors[0].code, 'network');
  });
});

test('a catalogue from a file is served and listed', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'catalogue-'));
  closers.push(() => rm(folder, { recursive: true }));
  const file = join(folder, 'rows.ndjson');
  const rows = catalogue.map(({ entry }) => JSON.stringify(entry));
  await writeFile(file, `${rows.join('\n')}\n`);
  const server = await serve({ catalogue: readCatalogue(file) });
  const { models, meta } = await listFrom(server);
  assert.equal(meta.partial, false);
  assert.deepEqual(models.map((/** @type {any} */ { id }) => id),
    expected.map(({ id }) => id));
});
