// SPDX-License-Identifier: Apache-2.0
// Raw messages of panels: each is obeyed once and answered once, whoever is
// there and whoever comes and goes; who is not of this extension gets nothing.

import assert from 'node:assert/strict';
import { afterEach, describe, test } from 'node:test';

import { Claims } from '../../js-bindings/extension/claims.js';
import { quiet } from '../store/world.js';
import { FakeContext } from './fake-chrome.js';
import { HOST_PAGE, installExtension, plainMade, settle } from './world.js';

/** @typedef {ReturnType<typeof installExtension>} Extension */

const ASK = { type: 'getModelWorkerState' };

/** Ends every context of a test. @type {Extension[]} */
const all = [];

afterEach(() => {
  for (const { browser } of all.splice(0)) {
    for (const context of [...browser.contexts]) context.kill();
  }
});

/**
 * @param {(message: any, sender: any) => any} [answer]
 * @param {object} [background]
 */
function extensionWith(answer = () => ({ state: 'idle' }), background = {}) {
  /** @type {any[]} */
  const handled = [];
  /** @type {((message: any, isForChannel: boolean) => void)[]} */
  const says = [];
  const extension = installExtension({
    background,
    createManager: async ({ onMessage }) => {
      says.push(onMessage);
      return plainMade((message, sender) => {
        handled.push({ message, sender });
        return answer(message, sender);
      });
    },
  });
  all.push(extension);
  return {
    ...extension, handled,
    /** Whether the host has made its manager. */
    isMade: () => says.length > 0,
    /** What the core says to all. @param {any} message */
    say: (message, isForChannel = false) => (
      says.at(-1)?.(message, isForChannel)),
    requests: () => handled.map(({ message }) => message),
  };
}

/**
 * Opens the host and waits until it is there.
 * @param {Pick<Extension, 'browser'> & { isMade?: () => boolean }} extension
 */
async function openHost({ browser, isMade = () => true }) {
  const page = browser.openPage();
  await page.platform.runtime.sendMessage(
    { to: 'tabagent-router', want: 'host' });
  await settle(isMade);
  return page;
}

describe('a request', () => {
  test('opens a host that is not there, and is answered', async () => {
    const { browser, requests } = extensionWith();
    const page = browser.openPage();
    assert.deepEqual(
      await page.platform.runtime.sendMessage(ASK), { state: 'idle' });
    assert.equal(browser.created, 1);
    assert.deepEqual(requests(), [ASK]);
  });

  test('is answered by the host itself when it is there', async () => {
    const extension = extensionWith();
    const page = await openHost(extension);
    const { browser, requests } = extension;
    browser.worker?.hold();
    assert.deepEqual(
      await page.platform.runtime.sendMessage(ASK), { state: 'idle' });
    browser.worker?.letIn();
    await quiet(40);
    assert.deepEqual(requests(), [ASK]);
  });

  test('is obeyed once when it comes from the router first', async () => {
    const extension = extensionWith();
    const page = await openHost(extension);
    const { browser, requests } = extension;
    const host = browser.offscreen;
    assert.ok(host);
    // The direct way is the longer one.
    const { deliver } = host;
    let isFirst = true;
    host.deliver = (act) => {
      if (!isFirst) {
        deliver.call(host, act);
        return;
      }
      isFirst = false;
      settle(() => requests().length > 0)
        .then(() => deliver.call(host, act));
    };
    assert.deepEqual(
      await page.platform.runtime.sendMessage(ASK), { state: 'idle' });
    await quiet(40);
    assert.deepEqual(requests(), [ASK]);
  });

  test('twice in the same words is obeyed twice', async () => {
    let count = 0;
    const extension = extensionWith(() => ({ count: count += 1 }));
    const page = await openHost(extension);
    const { sendMessage } = page.platform.runtime;
    const answers = await Promise.all([sendMessage(ASK), sendMessage(ASK)]);
    await quiet(40);
    assert.deepEqual(answers.map(({ count }) => count).sort(), [1, 2]);
    assert.equal(extension.requests().length, 2);
  });

  test('of two panels in the same words is answered to each', async () => {
    const extension = extensionWith((_, { documentId }) => ({ documentId }));
    const pages = [await openHost(extension), extension.browser.openPage()];
    const answers = await Promise.all(pages.map(
      (page) => page.platform.runtime.sendMessage(ASK)));
    assert.deepEqual(answers.map(({ documentId }) => documentId),
      pages.map(({ documentId }) => documentId));
  });

  test('survives the end of the service worker', async () => {
    let release = () => {};
    const extension = extensionWith(() => new Promise((resolve) => {
      release = () => resolve({ success: true });
    }));
    const page = await openHost(extension);
    const answer = page.platform.runtime.sendMessage(ASK);
    await settle(() => extension.requests().length === 1);
    extension.browser.killWorker();
    release();
    assert.deepEqual(await answer, { success: true });
    assert.equal(extension.requests().length, 1);
  });

  test('is answered with a code when the host dies of it', async () => {
    const extension = extensionWith(() => new Promise(() => {}));
    const page = await openHost(extension);
    const answers = [
      page.platform.runtime.sendMessage(ASK),
      page.platform.runtime.sendMessage(
        { action: 'plan', id: 'p', params: {} }),
    ];
    await settle(() => extension.requests().length === 2);
    await quiet(20); // the router has been told who has it
    extension.browser.offscreen?.kill();
    const [one, other] = await Promise.all(answers);
    assert.deepEqual([one.success, one.code], [false, 'host_died']);
    assert.deepEqual([other.action, other.id, other.code],
      ['plan:error', 'p', 'host_died']);
  });

  test('that cannot be carried out says why', async () => {
    const extension = extensionWith(() => {
      throw Object.assign(new Error('not now'), { code: 'busy' });
    });
    const page = await openHost(extension);
    assert.deepEqual(await page.platform.runtime.sendMessage(ASK),
      { success: false, error: 'not now', code: 'busy' });
  });

  test('that is not ours gets no answer and opens nothing', async () => {
    const { browser, requests } = extensionWith();
    const page = browser.openPage();
    for (const message of [
      { type: 'DbGetSessionRequest' }, { type: 'native_host_message' },
      { action: 'openPopup' }, { type: 7 }, null, 'init', [], {},
      { to: 'somebody', type: 'init' },
    ]) {
      assert.equal(await page.platform.runtime.sendMessage(message), undefined);
    }
    assert.deepEqual(requests(), []);
    assert.equal(browser.created, 0);
  });
});

describe('who is obeyed', () => {
  test('no content script, unless it may', async () => {
    const extension = extensionWith(
      undefined, { allowContentScripts: ['getModelWorkerState'] });
    await openHost(extension);
    const { sendMessage } = extension.browser.openContentScript()
      .platform.runtime;
    assert.equal(await sendMessage({ type: 'reset' }), undefined);
    assert.equal(await sendMessage(
      { to: 'tabagent-host', take: { type: 'reset' } }), undefined);
    assert.equal(await sendMessage(
      { to: 'tabagent-router', want: 'state' }), undefined);
    assert.deepEqual(await sendMessage(ASK), { state: 'idle' });
    assert.deepEqual(extension.requests(), [ASK]);
  });

  test('no page of another extension, and none of the web', async () => {
    const extension = extensionWith();
    await openHost(extension);
    const { browser } = extension;
    for (const [url, id] of [
      ['chrome-extension://another/panel.html', 'another'],
      ['https://example.org/', browser.id],
      [`https://example.org/chrome-extension://${browser.id}/`, browser.id],
      [browser.urlOf('panel.html'), 'another'],
    ]) {
      const stranger = new FakeContext(browser, 'page', url, id);
      assert.equal(
        await stranger.platform.runtime.sendMessage(ASK), undefined, url);
      const port = stranger.platform.runtime.connect(
        { name: 'tabagent-client' });
      /** @type {any[]} */
      const heard = [];
      port.onMessage.addListener((/** @type {any} */ one) => heard.push(one));
      port.postMessage({ run: 1, message: '{"type":"reset"}' });
      await quiet(20);
      assert.deepEqual(heard, [], url);
    }
    assert.deepEqual(extension.requests(), []);
  });

  test('the welcome goes to the page of the host only', async () => {
    const extension = extensionWith();
    const page = await openHost(extension);
    const port = page.platform.runtime.connect({ name: 'tabagent-host' });
    /** @type {any[]} */
    const heard = [];
    port.onMessage.addListener((/** @type {any} */ one) => heard.push(one));
    await quiet(20);
    assert.deepEqual(heard, []);
  });
});

describe('what the core says to all', () => {
  test('reaches panels, and is no request', async () => {
    const extension = extensionWith();
    const page = await openHost(extension);
    /** @type {any[]} */
    const heard = [];
    page.onMessage.addListener((message) => { heard.push(message); });
    const update = { type: 'generationUpdate', payload: { token: 'a\u0000b' } };
    extension.say(update);
    extension.say({ type: 'manifestUpdated' }); // a request as well
    extension.say({ action: 'plan:progress', id: 'of a client' });
    extension.say({ type: 'listChatModels:progress', id: 1 });
    extension.say({ type: 'error', id: 2, error: 'of somebody' });
    await quiet(40);
    assert.deepEqual(heard, [update, { type: 'manifestUpdated' }]);
    assert.deepEqual(extension.requests(), []);
  });

  test('progress of a raw request reaches panels, its end the asker', async () => {
    /** @type {any} */
    let extension;
    extension = extensionWith((message) => {
      extension.say({ action: 'plan:progress', id: message.id, seq: 1 });
      const end = { action: 'plan:done', id: message.id, seq: 2 };
      extension.say(end);
      return end;
    });
    const page = await openHost(extension);
    /** @type {any[]} */
    const heard = [];
    page.onMessage.addListener((message) => { heard.push(message); });
    const end = await page.platform.runtime.sendMessage(
      { action: 'plan', id: 'p' });
    await quiet(20);
    assert.equal(end.action, 'plan:done');
    assert.deepEqual(heard.filter(({ to }) => !to)
      .map(({ action }) => action), ['plan:progress']);
  });
});

describe('the state of the background', () => {
  test('is changed member by member; null takes one away', async () => {
    const extension = extensionWith();
    await openHost(extension);
    const say = (/** @type {object} */ payload) => extension.say(
      { type: 'tabagent:remember', payload });
    say({ loading: { repoId: 'a/b' } });
    say({ lastLoadedModel: { repoId: 'a/b' }, loading: null });
    await quiet(40);
    assert.deepEqual(extension.browser.local.get('tabagent_background_state'),
      { lastLoadedModel: { repoId: 'a/b' } });
  });

  test('of a browser that runs is in its session only', async () => {
    const extension = extensionWith();
    await openHost(extension);
    extension.say({ type: 'tabagent:remember',
      payload: { session: { popups: [[1, 2]] } } });
    const { session, local } = extension.browser;
    await settle(() => session.size > 0);
    assert.deepEqual([[...session.values()], local.size],
      [[{ popups: [[1, 2]] }], 0]);
  });

  test('is kept by the router and given back to the core', async () => {
    const extension = extensionWith(({ payload }) => payload);
    const page = await openHost(extension);
    const { sendMessage } = page.platform.runtime;
    const session = { type: 'saveLastChatSession', payload: { sessionId: 's' } };
    assert.equal(await sendMessage(session), undefined);
    const lastLoadedModel = { repoId: 'a/b', quantPath: 'q4', loadedAt: 5 };
    extension.say({ type: 'tabagent:remember', payload: { lastLoadedModel } });
    await quiet(40);
    assert.deepEqual(extension.browser.local.get('tabagent_background_state'),
      { lastChatSessionId: 's', lastLoadedModel });
    extension.browser.killWorker();
    assert.deepEqual(await sendMessage({ type: 'restoreLastState' }),
      { lastChatSessionId: 's', lastLoadedModel });
  });
});

test('messages of the panels\' channel go to the core, others do not', async () => {
  const extension = extensionWith();
  const page = await openHost(extension);
  const channel = page.openChannel('tabagent-llm');
  const connected = { type: 'uiConnected', payload: { senderId: 'sidepanel-1' } };
  channel.postMessage(connected);
  channel.postMessage({ type: 'generate', payload: {} });
  channel.postMessage(null);
  await quiet(20);
  assert.deepEqual(extension.requests(), [connected]);
});

test('pings of the core go out on the panels\' channel, and only there',
  async () => {
    const extension = extensionWith();
    const page = await openHost(extension);
    /** @type {any[]} */
    const heard = [];
    page.onMessage.addListener((message) => { heard.push(message); });
    page.openChannel('tabagent-llm').addEventListener('message',
      (/** @type {any} */ { data }) => { heard.push(['channel', data]); });
    const ping = { type: 'uiPing', senderId: 'background', payload: {} };
    extension.say(ping, true);
    await quiet(20);
    assert.deepEqual(heard, [['channel', ping]]);
    assert.deepEqual(extension.requests(), []);
  });

test('the core is configured before it is asked anything', async () => {
  /** @type {any[]} */
  const asked = [];
  const extension = installExtension({
    background: { idle: { unloadGraceMs: 5 } },
    createManager: async () => ({
      ...plainMade(() => ({})),
      manager: {
        // There is no database: nothing of what follows needs it.
        resumeJobs: async () => { throw new Error('the store is blocked'); },
        handleMessage: async (/** @type {any} */ message) => {
          asked.push(message);
          return {};
        },
      },
    }),
  });
  all.push(extension);
  await extension.browser.openPage().platform.runtime.sendMessage(ASK);
  assert.deepEqual(asked,
    [{ type: 'tabagent:configure', payload: { unloadGraceMs: 5 } }, ASK]);
});

describe('the account', () => {
  const TOKEN = 'hf_aVerySecretToken';
  const login = { type: 'huggingfaceLogin', payload: { token: TOKEN } };
  /** @param {any} message what the core makes of it */
  const core = (message) => (message.action === 'login'
    ? { action: 'login:done', id: message.id, name: 'me', role: 'read' }
    : message.type === 'huggingfaceLogin'
      ? { success: true, name: 'me', role: 'read' }
    : message.action === 'logout' ? { action: 'logout:done', id: message.id }
      : { state: 'idle' });

  test('takes the token from the login to the host, and nowhere else',
    async () => {
      const extension = extensionWith(core);
      const page = await openHost(extension);
      const { sendMessage } = page.platform.runtime;
      assert.deepEqual(await sendMessage(login),
        { success: true, name: 'me', role: 'read' });
      assert.deepEqual(extension.requests(), [login]);
      const { sent, session, local } = extension.browser;
      const withToken = sent.filter(
        (one) => JSON.stringify(one).includes(TOKEN));
      assert.deepEqual(withToken, [{ from: 'page', message: login }]);
      assert.ok(JSON.stringify([...session]).includes(TOKEN));
      assert.equal(local.size, 0);
    });

  test('is given to the next host, whoever has died', async () => {
    const extension = extensionWith(core);
    const page = await openHost(extension);
    const { sendMessage } = page.platform.runtime;
    await sendMessage(login);
    extension.browser.offscreen?.kill();
    extension.browser.killWorker();
    await sendMessage(ASK);
    assert.deepEqual(extension.requests().map(({ params, type }) => (
      params ?? type)), ['huggingfaceLogin',
      { token: TOKEN, check: false, name: 'me', role: 'read' },
      'getModelWorkerState']);
    assert.deepEqual(await sendMessage({ type: 'huggingfaceLogout' }),
      { success: true });
    assert.equal(extension.browser.session.size, 0);
  });

  test('is not reached over the port of a client', async () => {
    const extension = extensionWith(core);
    const page = await openHost(extension);
    const port = page.platform.runtime.connect({ name: 'tabagent-client' });
    /** @type {any[]} */
    const heard = [];
    port.onMessage.addListener((/** @type {any} */ message) => {
      heard.push(message);
    });
    for (const [call, request] of [
      login, { action: 'login', id: 'a', params: { token: TOKEN } },
      { action: 'logout', id: 'b' }].entries()) {
      port.postMessage({ run: call, message: JSON.stringify(request) });
    }
    const ends = () => heard.filter(({ end }) => end !== undefined);
    await settle(() => ends().length === 3);
    assert.deepEqual(
      ends().map(({ end, error }) => [end, error?.code]),
      [0, 1, 2].map((call) => [call, 'invalid_argument']));
    assert.ok(!JSON.stringify(extension.requests()).includes('log'));
  });

  test('works when only the service worker has died', async () => {
    const extension = extensionWith(core);
    const page = await openHost(extension);
    extension.browser.killWorker();
    assert.deepEqual(await page.platform.runtime.sendMessage(
      { action: 'login', id: 'a', params: { token: TOKEN } }),
    { action: 'login:done', id: 'a', name: 'me', role: 'read' });
    assert.equal(extension.browser.created, 1);
  });

  test('keeps the background awake while the login page is open', async () => {
    /** @type {(token: string) => void} */
    let letIn = () => {};
    const extension = extensionWith(core, {
      oauth: () => new Promise((resolve) => { letIn = resolve; }),
    });
    const page = await openHost(extension);
    const end = page.platform.runtime.sendMessage(
      { action: 'login', id: 'a', params: {} });
    const { browser, timers } = extension;
    const calls = () => browser.worker?.calls;
    await settle(() => calls() === 1);
    timers.fire(20_000);
    timers.fire(20_000);
    assert.equal(calls(), 3);
    letIn(TOKEN);
    assert.equal((await end).name, 'me');
    timers.fire(20_000);
    assert.equal(calls(), 3);
  });

  test('is closed to content scripts, whatever they may send', async () => {
    const extension = extensionWith(
      core, { allowContentScripts: ['huggingfaceLogin'] });
    await openHost(extension);
    assert.equal(await extension.browser.openContentScript()
      .platform.runtime.sendMessage(login), undefined);
    assert.deepEqual(extension.requests(), []);
  });
});

describe('the page of the host', () => {
  test('is opened once, however many ask', async () => {
    const { browser, requests } = extensionWith();
    const pages = Array.from({ length: 8 }, () => browser.openPage());
    const answers = await Promise.all(pages.map(
      (page) => page.platform.runtime.sendMessage(ASK)));
    assert.deepEqual(answers, pages.map(() => ({ state: 'idle' })));
    assert.equal(browser.created, 1);
    assert.equal(requests().length, 8);
  });

  test('is joined when the app has just opened it', async () => {
    const { browser, requests } = extensionWith();
    const page = browser.openPage();
    const opened = page.platform.offscreen.createDocument(
      { url: HOST_PAGE, reasons: ['WORKERS'], justification: 'mine' });
    const answer = page.platform.runtime.sendMessage(ASK);
    await opened;
    assert.deepEqual(await answer, { state: 'idle' });
    assert.equal(browser.created, 1);
    assert.equal(requests().length, 1);
  });

  test('cannot be opened beside a document for something else', async () => {
    const { browser } = extensionWith();
    browser.pages.set('audio.html', () => {});
    const page = browser.openPage();
    await page.platform.offscreen.createDocument(
      { url: 'audio.html', reasons: ['AUDIO_PLAYBACK'], justification: 'x' });
    const { success, code, error } = await page.platform.runtime
      .sendMessage(ASK);
    assert.deepEqual([success, code], [false, 'host_unavailable']);
    assert.match(error, /audio\.html.*hostUrl/s);
  });

  test('that never starts is given up', async () => {
    const extension = installExtension({ hostScript: () => {} });
    all.push(extension);
    const page = extension.browser.openPage();
    const answer = page.platform.runtime.sendMessage(ASK);
    await settle(() => extension.timers.size > 0 && extension.browser.offscreen);
    await quiet(10);
    extension.timers.fire();
    const { code, error } = await answer;
    assert.equal(code, 'host_unavailable');
    assert.match(error, /did not start/);
  });

  test('that ends while it is being opened is opened again', async () => {
    const { browser } = extensionWith();
    const { createDocument } = browser;
    let failures = 2;
    browser.createDocument = async (options) => {
      if (failures === 0) {
        await createDocument(options);
        return;
      }
      failures -= 1;
      throw new Error('Offscreen document closed before fully loading.');
    };
    browser.killWorker(); // the next one sees it
    const { sendMessage } = browser.openPage().platform.runtime;
    assert.deepEqual(await sendMessage(ASK), { state: 'idle' });
    assert.equal(failures, 0);
  });

  test('that ends before it has said anything is opened again', async () => {
    const { browser, timers } = extensionWith();
    const script = /** @type {any} */ (browser.pages.get(HOST_PAGE));
    browser.pages.set(HOST_PAGE, () => {});
    const page = browser.openPage();
    await page.platform.offscreen.createDocument(
      { url: HOST_PAGE, reasons: ['WORKERS'], justification: 'mine' });
    browser.pages.set(HOST_PAGE, script);
    const answer = page.platform.runtime.sendMessage(ASK);
    await quiet(20);
    browser.offscreen?.kill(); // it has been joined
    timers.fire(1000);
    assert.deepEqual(await answer, { state: 'idle' });
    assert.equal(browser.created, 2);
  });

  test('closes when the core has nothing to do, and comes back', async () => {
    const extension = extensionWith();
    const page = await openHost(extension);
    extension.say({ type: 'tabagent:idle' });
    assert.equal(extension.browser.offscreen, undefined);
    assert.deepEqual(
      await page.platform.runtime.sendMessage(ASK), { state: 'idle' });
    assert.equal(extension.browser.created, 2);
  });

  test('that the app opened stays', async () => {
    const extension = extensionWith();
    const { browser } = extension;
    const page = browser.openPage();
    await page.platform.offscreen.createDocument(
      { url: HOST_PAGE, reasons: ['WORKERS'], justification: 'mine' });
    await page.platform.runtime.sendMessage(ASK);
    extension.say({ type: 'tabagent:idle' });
    assert.ok(browser.offscreen);
  });

  test('hears the router that died before it said anything', async () => {
    const extension = extensionWith();
    const { browser, timers } = extension;
    const page = browser.openPage();
    const opened = page.platform.offscreen.createDocument(
      { url: HOST_PAGE, reasons: ['WORKERS'], justification: 'mine' });
    await opened;
    browser.killWorker(); // the host has called it just now
    const answer = page.platform.runtime.sendMessage(ASK);
    await quiet(20);
    timers.fire();
    assert.deepEqual(await answer, { state: 'idle' });
  });
});

describe('claims', () => {
  const sender = { documentId: 'd' };

  test('in every order of arrival each message is obeyed once', () => {
    // D and R are the ways of each of two equal messages.
    for (const order of ['DDRR', 'DRDR', 'DRRD', 'RDDR', 'RDRD', 'RRDD']) {
      const claims = new Claims(() => 0);
      const obeyed = [...order].filter((way) => claims.claim(
        ASK, sender, way === 'D' ? 'direct' : 'relayed'));
      assert.equal(obeyed.length, 2, order);
    }
  });

  test('expire', () => {
    let now = 0;
    const claims = new Claims(() => now);
    assert.ok(claims.claim(ASK, sender, 'relayed'));
    now = 9_999;
    assert.ok(!claims.claim(ASK, sender, 'direct'));
    assert.ok(claims.claim(ASK, sender, 'relayed'));
    now = 20_000;
    assert.ok(claims.claim(ASK, sender, 'direct'));
  });

  test('are told apart by sender and by words', () => {
    const claims = new Claims(() => 0);
    assert.ok(claims.claim(ASK, sender, 'direct'));
    assert.ok(claims.claim(ASK, { documentId: 'e' }, 'relayed'));
    assert.ok(claims.claim({ ...ASK, payload: 1 }, sender, 'relayed'));
    assert.ok(!claims.claim(ASK, sender, 'relayed'));
  });
});
