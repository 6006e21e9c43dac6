// SPDX-License-Identifier: Apache-2.0
// A panel's manager: all that a manager can do, over a port, whoever dies in
// the meantime. Every request ends once.

import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, test } from 'node:test';

import { TabAgentError } from '../../js-bindings/errors.js';
import { CLIENT } from '../../js-bindings/extension/names.js';
import { FakeOrt } from '../chat/fake-ort.js';
import { END, MODEL, repositoryOf } from '../chat/world.js';
import { createHub } from '../hub/index.js';
import { makeLlama } from '../models/llama.js';
import { MemoryStore } from '../store/memory-store.js';
import { HUB_URL, quiet } from '../store/world.js';
import { installExtension, managerMaker, plainMade, settle } from './world.js';

const LETTER = 'a'.charCodeAt(0);
const GATED = 'acme/gated';

const ENDLESS = { message: 'Hi', settings: { max_new_tokens: 400 } };

/** @type {ReturnType<typeof installExtension>[]} */
const all = [];

afterEach(() => {
  for (const { browser } of all.splice(0)) {
    for (const context of [...browser.contexts]) context.kill();
  }
});

/** @param {Parameters<typeof installExtension>[0]} [options] */
function install(options) {
  const extension = installExtension(options);
  all.push(extension);
  return extension;
}

describe('with a real manager', () => {
  /** @type {FakeOrt} */
  let ort;
  /** @type {ReturnType<typeof createHub>} */
  let hub;
  /** @type {ReturnType<typeof install>} */
  let extension;
  /** @type {import('../../js-bindings/types/index.d.ts').ModelManager} */
  let client;
  /** The network does not answer. */
  let isStuck = false;

  beforeEach(() => {
    ort = new FakeOrt((tokens) => (tokens.length > 60 ? END : LETTER));
    hub = createHub({
      models: 60, rateLimits: false, latency: false,
      repositories: [{ id: MODEL, files: repositoryOf(makeLlama()) },
        { id: GATED, files: new Map([['config.json', '{"model_type":"x"}']]),
          entry: { gated: 'manual' } }],
    });
    extension = install({
      createManager: managerMaker(
        { store: new MemoryStore(), fetch: fetchOrNot, ort }),
    });
    ({ client } = extension.connect());
  });

  afterEach(() => client.dispose());

  /** @type {typeof fetch} */
  const fetchOrNot = (input, init) => (isStuck
    ? new Promise((_, reject) => {
      init?.signal?.addEventListener('abort', () => reject(init.signal?.reason));
    })
    : hub.fetch(input, init));

  test('does all that a manager does', async () => {
    /** @type {any[]} */
    const progress = [];
    const { models, meta } = await client.listChatModels(
      { maxCandidates: 20 }, { onProgress: (one) => progress.push(one) });
    assert.ok(models.length > 0 && models.length <= 20);
    assert.ok(meta.fetched > 0);
    assert.ok(progress.some(({ status }) => status === 'listing_done'));
    assert.deepEqual(progress.map(({ seq }) => seq),
      [...progress.map(({ seq }) => seq)].sort((a, b) => a - b));

    const plan = await client.plan(MODEL);
    assert.ok(plan.fits && plan.neededBytes === plan.totalBytes);
    const { bytes, fromCache } = await client.download(MODEL);
    assert.deepEqual([bytes, fromCache], [plan.totalBytes, false]);
    assert.deepEqual((await client.models()).map(({ modelId }) => modelId),
      [MODEL]);
    assert.equal((await client.verifyModel(MODEL)).ok, true);

    assert.equal((await client.load({ modelId: MODEL })).modelId, MODEL);
    /** @type {any[]} */
    const parts = [];
    const { text } = await client.generate(
      { message: 'Hi' }, { onToken: (part) => parts.push(part) });
    assert.match(text, /^a+$/);
    assert.equal(parts.map((part) => part.text).join(''), text);
    assert.deepEqual(Object.keys(parts[0]).includes('seq'), false);

    const settings = await client.updateSettings({ temperature: 0.5 });
    assert.equal(settings.temperature, 0.5);
    assert.equal((await client.state()).state, 'ready');
    const { wasmBytes, sessions, storeBytes } = await client.memory();
    assert.ok(wasmBytes > 0 && sessions.length === 1);
    assert.ok(storeBytes === null || storeBytes > 0);
    assert.deepEqual(await client.jobs(), []);
    await client.reset();
    await client.deleteModel(MODEL);
    assert.deepEqual(await client.models(), []);
  });

  test('streams', async () => {
    await client.load({ modelId: MODEL });
    let text = '';
    for await (const part of client.generateStream({ message: 'Hi' })) {
      text += part.text;
    }
    assert.match(text, /^a+$/);
    /** @type {string[]} */
    const actions = [];
    for await (const message of client.listChatModelsStream()) {
      actions.push(/** @type {any} */ (message).action);
    }
    assert.equal(actions.at(-1), 'listChatModels:done');
    assert.equal(actions.filter((one) => one.endsWith(':done')).length, 1);
  });

  test('ends as errors end, with all that they say', async () => {
    await assert.rejects(client.generate({ message: 'Hi' }), (error) => {
      assert.ok(error instanceof TabAgentError);
      const { code, userAction, retryable, stage } = /** @type {any} */ (error);
      assert.equal(code, 'no_model');
      assert.equal(retryable, false);
      assert.match(String(userAction), /Load/);
      assert.equal(typeof stage, 'string');
      return true;
    });
    await assert.rejects(client.plan('not a name'), { code: 'invalid_params' });
    // @ts-expect-error there is no such option
    await assert.rejects(client.load({ modelId: MODEL }, { no: 1 }),
      { code: 'invalid_argument' });
    // Values that messages cannot carry.
    await assert.rejects(client.plan(
      MODEL, { dtype: /** @type {any} */ (10n) }), { code: /./ });
  });

  test('texts survive, whatever is in them', async () => {
    await client.load({ modelId: MODEL });
    const odd = 'a\u0000b\ud800c\u2028👋';
    const { promptTokens } = await client.generate({ message: odd });
    const { promptTokens: plain } = await client.generate({ message: '' });
    // U+0000 is a byte, a lone surrogate the three of U+FFFD.
    assert.equal(promptTokens - plain,
      new TextEncoder().encode(odd).length);
  });

  test('aborting ends it there, too', async () => {
    const controller = new AbortController();
    const reason = new Error('enough');
    isStuck = true;
    const listing = client.listChatModels({}, { signal: controller.signal });
    await settle(async () => (await client.jobs()).length === 1);
    controller.abort(reason);
    await assert.rejects(listing, { code: 'cancelled', cause: reason });
    assert.deepEqual(await client.jobs(), []);
    isStuck = false;
    await assert.rejects(
      client.plan(MODEL, { signal: AbortSignal.abort() }),
      { code: 'cancelled' });
    await client.load({ modelId: MODEL });
    const stop = new AbortController();
    const { stopReason, newTokens } = await client.generate(
      { message: 'Hi', settings: { max_new_tokens: 400, eos_token_id: [] } },
      { signal: stop.signal, onToken: () => stop.abort() });
    assert.equal(stopReason, 'stopped');
    assert.ok(newTokens < 400);
  });

  test('files are read in the page, of the same store', async () => {
    await client.download(MODEL);
    const asked = hub.requests.length;
    const response = await client.fetch(
      `https://huggingface.co/${MODEL}/resolve/main/config.json`);
    assert.equal((await response.json()).model_type, 'llama');
    const cached = await client.cache.match(
      `https://huggingface.co/${MODEL}/resolve/main/tokenizer.json`);
    assert.equal((await cached?.json())?.version, '1.0');
    let bytes = 0;
    for await (const piece of /** @type {any} */ (client.exportModel(MODEL))) {
      bytes += piece.length;
    }
    assert.ok(bytes > (await client.models())[0].bytes);
    assert.equal(hub.requests.length, asked);
    const sent = JSON.stringify(extension.browser.sent);
    assert.ok(!sent.includes('model_type'));
  });

  test('a gated file is fetched by the host, which has the token', async () => {
    const url = `${HUB_URL}/${GATED}/resolve/main/config.json`;
    const refused = await client.fetch(url);
    assert.equal(refused.status, 401);
    assert.equal(refused.headers.get('x-error-code'), 'GatedRepo');
    await client.login('hf_granted');
    const before = hub.requests.length;
    assert.equal((await (await client.fetch(url)).json()).model_type, 'x');
    const withToken = hub.requests.slice(before).filter(
      ({ headers }) => headers.authorization === 'Bearer hf_granted');
    assert.equal(withToken.filter(({ url }) => url.includes('/resolve/')).length,
      1);
    const asked = hub.requests.length;
    const again = await client.fetch(url);
    assert.equal(again.headers.get('content-type'), 'application/json');
    await again.body?.cancel();
    assert.ok(await client.cache.match(url));
    assert.equal(hub.requests.length, asked);
    // The token left the page once, when it logged in.
    assert.equal(extension.browser.sent.filter(
      (one) => JSON.stringify(one).includes('hf_granted')).length, 1);
    // A token of one's own is for this one request only.
    await client.logout();
    await client.deleteModel(GATED);
    assert.equal((await client.fetch(url)).status, 401);
    const own = await client.fetch(
      url, { headers: { authorization: 'Bearer hf_granted' } });
    assert.equal(own.status, 200);
    await own.body?.cancel();
  });

  test('logs in by the router, which keeps the token', async () => {
    const { name, role } = await client.login('hf_granted');
    assert.ok(name && role);
    assert.deepEqual(await client.account(), { name, role });
    const { session, sent } = extension.browser;
    assert.ok([...session.values()].includes('hf_granted'));
    assert.equal(sent.filter(
      (one) => JSON.stringify(one).includes('hf_granted')).length, 1);
    await client.logout();
    assert.equal(await client.account(), null);
    assert.equal(session.size, 0);
    await assert.rejects(client.login('hf_unknown'),
      { code: 'unauthorized', name: 'TabAgentError' });
    assert.ok(Array.isArray((await client.log()).entries));
  });

  test('two panels are told apart', async () => {
    const { client: other } = extension.connect();
    await client.load({ modelId: MODEL });
    const answers = await Promise.all([
      client.generate({ message: 'one' }), other.generate({ message: 'two' }),
    ]);
    for (const { text } of answers) assert.match(text, /^a+$/);
    await other.dispose();
    await assert.rejects(other.state(), { code: 'invalid_state' });
    assert.equal((await client.state()).state, 'ready');
  });

  test('what a panel asked for goes on without it', async () => {
    await client.load({ modelId: MODEL });
    let release = () => {};
    ort.beforeRun = () => new Promise((resolve) => {
      release = () => resolve(undefined);
    });
    const { page, client: closing } = extension.connect();
    closing.generate({ message: 'Hi' }).catch(() => {});
    await settle(async () => (await client.jobs()).length === 1);
    page.kill();
    ort.beforeRun = () => {};
    release();
    await settle(async () => (await client.jobs()).length === 0);
    assert.ok(ort.takePasses().length > 2);
  });

  test('a manager that is disposed in the midst ends all', async () => {
    await client.load({ modelId: MODEL });
    ort.beforeRun = () => new Promise(() => {});
    const answer = client.generate(ENDLESS);
    const outcome = assert.rejects(answer, { code: 'cancelled' });
    await quiet();
    await client.dispose();
    await outcome;
  });

  // Each number of turns is another moment of whatever is under way.
  for (let turns = 0; turns < 24; turns += 1) {
    test(`the service worker dies ${turns} turns in`, async () => {
      const { browser } = extension;
      const kills = (async () => {
        for (let i = 0; i < 6; i += 1) {
          await quiet(turns);
          browser.killWorker();
          extension.timers.fire();
        }
      })();
      const { models } = await client.listChatModels({ maxCandidates: 5 });
      assert.ok(models.length > 0);
      await client.download(MODEL);
      await client.load({ modelId: MODEL });
      const { text } = await client.generate({ message: 'Hi' });
      assert.match(text, /^a+$/);
      await kills;
      assert.equal(browser.created, 1);
      assert.equal(browser.contexts.size, browser.worker?.isAlive ? 3 : 2);
    });
  }
});

describe('without a host', () => {
  test('requests fail with a code, and later ones may succeed', async () => {
    const extension = install({ hostScript: () => {} });
    const { client } = extension.connect();
    const outcome = assert.rejects(client.state(),
      { code: 'host_unavailable', message: /did not start/ });
    await settle(() => extension.browser.offscreen);
    await quiet(20);
    extension.timers.fire();
    await outcome;
  });

  test('whose manager cannot be made, all say why', async () => {
    const extension = install({
      createManager: async () => {
        throw new TabAgentError('network', 'cannot fetch tabagent.wasm');
      },
    });
    const { client } = extension.connect();
    await assert.rejects(client.state(),
      { code: 'network', message: /tabagent\.wasm/ });
    await assert.rejects(client.fetch('https://huggingface.co/a/b'),
      { code: 'network' });
  });

  test('an abort is heard while nobody is there', async () => {
    const extension = install({ hostScript: () => {} });
    const { client } = extension.connect();
    const controller = new AbortController();
    const outcome = assert.rejects(
      client.plan(MODEL, { signal: controller.signal }),
      { code: 'cancelled' });
    controller.abort();
    await outcome;
    await client.dispose();
  });

  test('no background answers', async () => {
    const extension = install();
    const { browser, timers } = extension;
    browser.killWorker();
    browser.wake = () => {};
    const { client } = extension.connect();
    let isOver = false;
    const outcome = assert.rejects(client.state(),
      { code: 'host_unavailable', retryable: true })
      .then(() => { isOver = true; });
    await settle(() => {
      timers.fire();
      return isOver;
    });
    await outcome;
  });
});

/** @type {[string, (panel: any) => void][]} */
const GOING = [
  ['is closed', ({ page }) => page.kill()],
  ['needs its client no more', ({ client }) => client.dispose()],
];

for (const [how, go] of GOING) {
  test(`a panel is told to the core, and when it ${how}`, async () => {
    /** @type {any[]} */
    const told = [];
    const extension = install({
      createManager: async () => plainMade((message) => {
        told.push(message);
        return {};
      }),
    });
    const panel = extension.connect();
    await panel.client.state();
    go(panel);
    await settle(() => told.length === 3);
    const [came, , went] = told;
    assert.equal(came.type, 'uiConnected');
    assert.equal(went.type, 'uiDisconnected');
    assert.equal(came.payload.senderId, went.payload.senderId);
    assert.match(came.payload.context, /panel\.html$/);
  });
}

test('a panel that gets another port is not gone with the first', async () => {
  /** @type {any[]} */
  const told = [];
  const extension = install({
    createManager: async () => plainMade((message) => {
      if (message.payload?.senderId) told.push(message);
      return {};
    }),
  });
  const { client, page } = extension.connect();
  await client.state();
  const port = page.platform.runtime.connect({ name: CLIENT });
  await settle(() => told.length === 2);
  port.disconnect();
  await settle(() => told.length === 3);
  const [first, second, gone] = told.map(({ payload }) => payload.senderId);
  assert.notEqual(first, second);
  assert.equal(gone, second);
  await client.dispose();
});

test('which popup belongs to a tab outlives the host', async () => {
  const make = managerMaker();
  const { browser } = install({
    createManager: async (options) => {
      const made = await make(options);
      // The locks of the dead stay with them in the store of this test.
      made.manager.resumeJobs = async () => [];
      return made;
    },
  });
  const { sendMessage } = browser.openPage().platform.runtime;
  await sendMessage({ type: 'popupCreated', tabId: 7, popupId: 9 });
  await settle(() => browser.session.size > 0);
  browser.offscreen?.kill();
  browser.killWorker();
  assert.deepEqual(await sendMessage({ type: 'getPopupForTab', tabId: 7 }),
    { popupId: 9 });
});
