// SPDX-License-Identifier: Apache-2.0
// Where the background is a document, as in Firefox, the host is a frame in it:
// it says when it is needed, and ends with it.

import assert from 'node:assert/strict';
import { afterEach, test } from 'node:test';

import { quiet } from '../store/world.js';
import { installExtension, plainMade, settle } from './world.js';

const ASK = { type: 'getModelWorkerState' };

/** @type {ReturnType<typeof installExtension>[]} */
const all = [];

afterEach(() => {
  for (const { browser } of all.splice(0)) {
    for (const context of [...browser.contexts]) context.kill();
  }
});

/** @param {object} [background] options of startBackground */
function eventPageWith(background) {
  /** @type {any[]} */
  const asked = [];
  /** @type {((message: any) => void)[]} */
  const says = [];
  const extension = installExtension({
    background,
    createManager: async ({ onMessage }) => {
      says.push(onMessage);
      const made = plainMade(() => ({ state: 'idle' }));
      const { handleMessage } = made.manager;
      made.manager.handleMessage = async (/** @type {any} */ message) => {
        asked.push(message);
        return handleMessage(message);
      };
      return made;
    },
  });
  all.push(extension);
  extension.browser.useEventPage();
  const page = extension.browser.openPage();
  return {
    ...extension, asked, page,
    ask: () => page.platform.runtime.sendMessage(ASK),
    /** What the core says to all. @param {any} message */
    say: (message) => says.at(-1)?.(message),
  };
}

test('requests open one frame', async () => {
  const { ask, browser } = eventPageWith();
  assert.deepEqual(await Promise.all([ask(), ask()]),
    [{ state: 'idle' }, { state: 'idle' }]);
  assert.equal(browser.created, 1);
});

test('the core is told when the platform would end it', async () => {
  for (const [background, suspendAfterMs] of /** @type {const} */ ([
    [{}, 30_000], [{ idle: { suspendAfterMs: 3000 } }, 3000],
    [{ idle: { suspendAfterMs: null } }, null],
  ])) {
    const { ask, asked } = eventPageWith(background);
    await ask();
    assert.deepEqual(asked[0],
      { type: 'tabagent:configure', payload: { suspendAfterMs } });
  }
});

test('while it is needed the background itself calls the platform', async () => {
  const { ask, browser, page, say } = eventPageWith();
  await ask();
  await page.platform.runtime.sendMessage(
    { to: 'tabagent-router', busy: true }).catch(() => {});
  assert.equal(browser.worker?.calls, 0); // only the host may
  say({ type: 'tabagent:busy' });
  await settle(() => browser.worker?.calls === 1);
  await quiet(10);
  assert.equal(browser.worker?.calls, 1);
});

test('no page hears of it', async () => {
  const { ask, page, say } = eventPageWith();
  await ask();
  /** @type {any[]} */
  const heard = [];
  page.onMessage.addListener((message) => { heard.push(message.type); });
  say({ type: 'tabagent:busy' });
  say({ type: 'workerReady' });
  await settle(() => heard.includes('workerReady'));
  assert.ok(!heard.includes('tabagent:busy'));
});

test('the core hears that it will be ended, and is waited for', async () => {
  const { ask, asked, browser } = eventPageWith();
  await ask();
  await Promise.all(browser.frame?.onSuspend.fire() ?? []);
  assert.deepEqual(asked.at(-1), { type: 'tabagent:suspend' });
});

test('it comes back, with a frame, when somebody asks', async () => {
  const { ask, browser } = eventPageWith();
  await ask();
  browser.killWorker();
  assert.equal(browser.frame, undefined);
  assert.deepEqual(await ask(), { state: 'idle' });
  assert.equal(browser.created, 2);
});

test('without documents of either kind there is a reason', async () => {
  const extension = installExtension();
  all.push(extension);
  extension.browser.hasOffscreen = false;
  extension.browser.killWorker();
  const { code, error } = await extension.browser.openPage().platform.runtime
    .sendMessage(ASK);
  assert.equal(code, 'host_unavailable');
  assert.match(error, /permission "offscreen"/);
});
