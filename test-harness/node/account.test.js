// SPDX-License-Identifier: Apache-2.0
// Login: the Hub says whose the token is, and whatever asks the Hub afterwards
// is let in. The token is in headers to the Hub and nowhere else.

import assert from 'node:assert/strict';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { inspect } from 'node:util';

import { Core, loadCore } from '../../js-bindings/core.js';
import { Loop } from '../../js-bindings/loop.js';
import { ModelManager } from '../../js-bindings/model-manager.js';
import { readOptions } from '../../js-bindings/options.js';
import { startMirrored } from '../hub/index.js';
import { createModelManager, wasm } from '../module-under-test.js';
import { emptyData, MemoryStore } from '../store/memory-store.js';
import {
  assertBytes, createModelHub, FILES, HUB_URL, hubOptions, MODEL, urlOf,
} from '../store/world.js';

const TOKEN = 'hf_granted';
const WHOAMI = `${HUB_URL}/api/whoami-v2`;
const GATED = { entry: { gated: 'manual' } };

/**
 * A manager with all that it says, does and stores.
 * @param {{ hub?: ReturnType<typeof createModelHub>, options?: object }} [with_]
 */
async function openWorld({ hub = createModelHub(FILES, GATED), options } = {}) {
  /** @type {any[]} */
  const said = [];
  const data = emptyData();
  const { hubUrl, mirrors, seed, ...outside } = readOptions({
    fetch: hub.fetch, clock: hub.clock, seed: 1,
    onMessage: (message) => said.push(message),
    telemetry: (entry) => said.push(entry), ...options,
  });
  const exports = await loadCore(wasm);
  const core = new Core(exports,
    { hubUrl, mirrors, seed, now: () => outside.clock.now() });
  const store = new MemoryStore(data);
  const loop = new Loop(core, { ...outside, openStore: async () => store });
  const manager = new ModelManager(loop, hubUrl, outside.fetch);
  /** How often the token is in the memory of the core, stack and all. */
  const copies = () => Buffer.from(exports.memory.buffer)
    .toString('latin1').split(TOKEN).length - 1;
  return { manager, hub, said, data, copies };
}

/**
 * The requests of the Hub so far, and what they carried.
 * @param {import('../hub/hub.js').Hub} hub
 * @param {number} [from]
 */
function tokensOf(hub, from = 0) {
  return hub.requests.slice(from).map(({ url, headers }) => (
    { origin: new URL(url).origin, token: headers.authorization }));
}

/** @param {unknown} thing */
function everythingIn(thing) {
  return inspect(thing, { depth: Infinity, showHidden: true,
    maxStringLength: null, maxArrayLength: null });
}

describe('login', () => {
  test('asks the Hub once, with the token in a header', async () => {
    const { manager, hub } = await openWorld();
    assert.deepEqual(await manager.login(TOKEN),
      { name: 'granted', role: 'read' });
    assert.deepEqual(hub.requests.map(({ url, headers }) => (
      [url, headers.authorization])), [[WHOAMI, `Bearer ${TOKEN}`]]);
    await manager.dispose();
  });

  test('opens what is gated to all that ask afterwards', async () => {
    const { manager, hub } = await openWorld();
    await assert.rejects(manager.download(MODEL), { code: 'unauthorized' });
    await manager.login(TOKEN);
    const from = hub.requests.length;
    await manager.plan(MODEL);
    const response = await manager.fetch(urlOf('config.json'));
    assert.equal(response.status, 200);
    await response.arrayBuffer();
    await manager.download(MODEL);
    const served = await manager.fetch(urlOf('onnx/model.onnx'));
    assertBytes(await served.arrayBuffer(), FILES['onnx/model.onnx']);
    await manager.checkForUpdate(MODEL);
    await manager.listChatModels({ fetchConfigs: 'all' });
    for (const { origin, token } of tokensOf(hub, from)) {
      assert.equal(token, origin === HUB_URL ? `Bearer ${TOKEN}` : undefined);
    }
    assert.ok(tokensOf(hub, from).some(({ origin }) => origin !== HUB_URL));
    await manager.dispose();
  });

  test('opens what a load has to fetch', async () => {
    const { manager, hub } = await openWorld();
    await manager.login(TOKEN);
    // The files make no model; but they were let in.
    await assert.rejects(manager.load({ modelId: MODEL }),
      ({ code }) => code !== 'unauthorized');
    assert.ok(hub.requests.some(({ url, status }) => (
      url.includes('/resolve/') && status < 400)));
    await manager.dispose();
  });

  test('stands behind the token of a single request', async () => {
    const { manager, hub } = await openWorld();
    await manager.login(TOKEN);
    await manager.listChatModels({ hfToken: 'hf_reader' });
    assert.equal(tokensOf(hub).at(-1)?.token, 'Bearer hf_reader');
    await manager.listChatModels({ hfToken: null });
    assert.equal(tokensOf(hub).at(-1)?.token, `Bearer ${TOKEN}`);
    await manager.dispose();
  });

  test('that is not accepted changes nothing', async () => {
    const { manager, hub } = await openWorld();
    await manager.login(TOKEN);
    await assert.rejects(manager.login('hf_unknown'), {
      code: 'unauthorized', status: 401, stage: 'login', retryable: false,
    });
    await manager.listChatModels();
    assert.equal(tokensOf(hub).at(-1)?.token, `Bearer ${TOKEN}`);
    await manager.dispose();
  });

  for (const [name, value] of /** @type {[string, any][]} */ ([
    ['nothing', undefined], ['null', null], ['a number', 7], ['empty', ''],
    ['with a blank', `${TOKEN} `], ['with a line', `${TOKEN}\nx: y`],
    ['with its scheme', `Bearer ${TOKEN}`], ['long', `hf_${'a'.repeat(3000)}`],
  ])) {
    test(`of ${name} is refused without a request`, async () => {
      const { manager, hub, said } = await openWorld();
      const error = await manager.login(value).catch((reason) => reason);
      assert.equal(error.code, 'invalid_params');
      assert.deepEqual(hub.requests, []);
      assert.equal(everythingIn([error, said]).includes(TOKEN), false);
      await manager.dispose();
    });
  }

  test('can be cancelled', async () => {
    const { manager } = await openWorld();
    const controller = new AbortController();
    const login = manager.login(TOKEN, { signal: controller.signal });
    controller.abort();
    await assert.rejects(login, { code: 'cancelled' });
    await manager.dispose();
  });

  test('is not kept over a restart where nothing can keep it', async () => {
    const { manager, hub } = await openWorld();
    await assert.rejects(manager.login(TOKEN, { persist: true }),
      { code: 'invalid_argument', message: /persist/ });
    assert.deepEqual(hub.requests, []);
    await manager.login(TOKEN, { persist: false });
    await manager.dispose();
  });
});

describe('logout', () => {
  test('closes again, also what had begun', async () => {
    const { manager, hub } = await openWorld();
    await manager.login(TOKEN);
    const listing = manager.listChatModels({ fetchConfigs: 'all' }, {
      onProgress: () => {},
    });
    await manager.logout();
    const from = hub.requests.length;
    await listing;
    await assert.rejects(manager.download(MODEL), { code: 'unauthorized' });
    assert.ok(hub.requests.length > from);
    for (const { token } of tokensOf(hub, from)) {
      assert.equal(token, undefined);
    }
    await manager.logout();
    await manager.dispose();
  });

  test('leaves no copy in the memory of the core', async () => {
    const { manager, copies } = await openWorld();
    await manager.login(TOKEN);
    await manager.download(MODEL);
    await manager.listChatModels({ fetchConfigs: 'all' });
    assert.equal(copies(), 1);
    await manager.logout();
    assert.equal(copies(), 0);
    await manager.login(TOKEN);
    await manager.dispose();
    assert.equal(copies(), 0);
  });
});

/** @type {[string, import('../hub/faults.js').Rule[]][]} */
const CASES = [
  ['nothing', []],
  ['a Hub that repeats the token', [{ match: '/api/', status: 403, body: TOKEN,
    headers: { 'x-error-message': TOKEN, 'www-authenticate': TOKEN } }]],
  ['an account that is called like it', [{ match: 'whoami', status: 200,
    body: JSON.stringify({ name: `I am ${TOKEN}` }) }]],
  ['a server that is down', [{ match: 'whoami', status: 500 }]],
];

describe('the token is never told', () => {
  for (const [name, faults] of CASES) {
    test(name, async () => {
      const { manager, hub, said, data } = await openWorld();
      for (const fault of faults) hub.faults.add(fault);
      const errors = [
        await manager.login(TOKEN).then(() => null, (error) => error),
        await manager.download(MODEL).then(() => null, (error) => error),
      ];
      assert.equal(errors.some((error) => error !== null), faults.length > 0);
      const report = await manager.log();
      const text = everythingIn([said, errors, report, await manager.jobs(),
        await manager.memory()]) + everythingIn(data);
      assert.equal(text.includes(TOKEN), false);
      for (const { url } of hub.requests) {
        assert.equal(url.includes(TOKEN), false);
      }
      await manager.dispose();
    });
  }
});

describe('over HTTP', () => {
  test('servers of files, mirrors and the disk never get it', async () => {
    const servers = await startMirrored(hubOptions(FILES, GATED));
    const dataDir = await mkdtemp(join(tmpdir(), 'tabagent-account-'));
    const manager = await createModelManager({
      wasm, dataDir, hubUrl: servers.main.url, mirrors: [servers.mirror.url],
    });
    await manager.login(TOKEN);
    await manager.download(MODEL);
    assert.deepEqual(servers.leaks(TOKEN), []);
    await manager.dispose();
    for (const name of await readdir(dataDir, { recursive: true })) {
      const bytes = await readFile(join(dataDir, name)).catch(() => null);
      assert.equal(bytes?.includes(TOKEN) ?? false, false, name);
    }
    await servers.close();
    await rm(dataDir, { recursive: true });
  });

  test('a Hub that redirects elsewhere does not pass it on', async (context) => {
    /** @type {(string | undefined)[]} */
    const elsewhere = [];
    const other = createServer((request, response) => {
      elsewhere.push(request.headers.authorization);
      response.setHeader('content-type', 'application/json');
      response.end('{"name":"thief"}');
    });
    const hub = createServer((request, response) => {
      const { port } = /** @type {any} */ (other.address());
      response.writeHead(307,
        { location: `http://127.0.0.1:${port}${request.url}` }).end();
    });
    for (const server of [other, hub]) {
      await new Promise((resolve) => {
        server.listen(0, '127.0.0.1', () => resolve(undefined));
      });
      context.after(() => server.close());
    }
    const { port } = /** @type {any} */ (hub.address());
    const manager = await createModelManager({
      wasm, hubUrl: `http://127.0.0.1:${port}`, seed: 1,
    });
    assert.deepEqual(await manager.login(TOKEN), { name: 'thief', role: null });
    assert.deepEqual(elsewhere, [undefined]);
    await manager.dispose();
  });
});
