// SPDX-License-Identifier: Apache-2.0
// Whatever is said to router and host, by whomever, they go on: nothing throws,
// nothing is left behind, and what comes next is answered.

import assert from 'node:assert/strict';
import { afterEach, test } from 'node:test';

import { quiet } from '../store/world.js';
import { FakeContext } from './fake-chrome.js';
import { HOST_PAGE, installExtension, plainMade, settle } from './world.js';

/** Messages of every shape. */
const MESSAGES = 3000;

/** Panels that come and go. */
const PANELS = 200;

/** @type {ReturnType<typeof installExtension>[]} */
const all = [];

afterEach(() => {
  for (const { browser } of all.splice(0)) {
    for (const context of [...browser.contexts]) context.kill();
  }
});

/** The same numbers for the same seed. @param {number} seed */
function random(seed) {
  let state = seed;
  return (/** @type {number} */ below) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

const NAMES = [
  'init', 'generate', 'reset', 'listChatModels', 'download', 'login', 'logout',
  'huggingfaceLogin', 'saveLastChatSession', 'restoreLastState', 'uiConnected',
  'tabagent:configure', 'tabagent:remember', 'tabagent:idle', 'uiPing',
  'constructor', '__proto__', 'toString', '', 'x'.repeat(100_000),
];

const MEMBERS = [
  'type', 'action', 'to', 'take', 'sender', 'ping', 'connect', 'want',
  'remember', 'id', 'payload', 'params', 'run', 'message', 'subscribe', 'jobId',
  'fromSeq', 'cancel', 'ask', 'what', 'isOwn', 'welcome', 'token', 'adopt',
  'answer', 'end', '__proto__',
];

/**
 * @param {ReturnType<typeof random>} pick
 * @param {number} depth
 * @returns {any}
 */
function anything(pick, depth = 0) {
  const values = [
    null, true, false, 0, -1, 1e300, 'tabagent-host', 'tabagent-router', 'host',
    'state', [], {}, '{"action":"state"}', '{', NAMES[pick(NAMES.length)],
  ];
  if (depth > 3 || pick(3) === 0) return values[pick(values.length)];
  if (pick(6) === 0) {
    return Array.from({ length: pick(4) }, () => anything(pick, depth + 1));
  }
  return Object.fromEntries(Array.from({ length: pick(6) }, () => (
    [MEMBERS[pick(MEMBERS.length)], anything(pick, depth + 1)])));
}

test('messages of any shape, from anybody, on every way', async () => {
  const extension = installExtension({
    createManager: async () => plainMade((message) => (
      { action: `${message?.action}:done`, id: message?.id })),
  });
  all.push(extension);
  const { browser } = extension;
  browser.pages.set('else.html', () => {});
  const panel = browser.openPage();
  const { sendMessage } = panel.platform.runtime;
  await sendMessage({ action: 'state', id: 0 });
  const host = browser.offscreen;
  const senders = [
    panel, browser.openContentScript(), browser.openPage('else.html'),
    new FakeContext(browser, 'page', 'https://example.org/', 'another'),
    new FakeContext(browser, 'page', browser.urlOf(HOST_PAGE)),
  ];
  const pick = random(1);
  /** @type {Map<FakeContext, any[]>} */
  const ports = new Map();
  for (let i = 0; i < MESSAGES; i += 1) {
    const sender = senders[pick(senders.length)];
    const message = anything(pick);
    const { runtime } = sender.platform;
    if (pick(2)) {
      runtime.sendMessage(message).catch(() => {});
    } else if (pick(2)) {
      sender.openChannel('tabagent-llm').postMessage(message);
    } else {
      const open = ports.get(sender) ?? ['tabagent-client', 'tabagent-host']
        .map((name) => runtime.connect({ name }));
      ports.set(sender, open);
      const port = open[pick(open.length)];
      if (port.isOpen) port.postMessage(message);
    }
    if (pick(20) === 0) await quiet(1);
  }
  await quiet(200);
  assert.equal(browser.offscreen, host);
  assert.deepEqual(await sendMessage({ action: 'state', id: 'after' }),
    { action: 'state:done', id: 'after' });
});

test('panels that come and go leave nothing behind', async () => {
  const extension = installExtension({
    createManager: async () => plainMade((message) => (
      { action: `${message?.action}:done`, id: message?.id, models: [] })),
  });
  all.push(extension);
  const { browser, timers } = extension;
  /** @type {number[]} */
  const ports = [];
  for (let i = 0; i < PANELS; i += 1) {
    const { page, client } = extension.connect();
    assert.deepEqual(await client.models(), []);
    if (i % 3 === 0) await client.dispose();
    page.kill();
    await quiet(2);
    ports.push(browser.offscreen?.ports.size ?? 0);
  }
  await settle(() => (browser.offscreen?.ports.size ?? 0) <= 1);
  assert.ok(Math.max(...ports) <= 3);
  assert.ok(timers.size <= 2);
  assert.equal(browser.created, 1);
  assert.equal(browser.contexts.size, 2);
});
