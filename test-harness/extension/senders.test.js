// SPDX-License-Identifier: Apache-2.0
// Who is obeyed: what the platform says of a sender counts, nothing in the
// message does.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { isHost, isOwnPage, mayAsk }
  from '../../js-bindings/extension/senders.js';

const ORIGIN = 'chrome-extension://abc';

/** @type {any} */
const platform = {
  runtime: { id: 'abc', getURL: (/** @type {string} */ path) => (
    `${ORIGIN}/${path}`) },
};

const PANEL = { id: 'abc', url: `${ORIGIN}/panel.html`, origin: ORIGIN };
const SCRIPT = {
  id: 'abc', url: 'https://bank.example/', origin: 'https://bank.example',
  tab: { id: 1 }, frameId: 0,
};

describe('pages of the extension', () => {
  for (const sender of [
    PANEL, { ...PANEL, tab: { id: 1 } }, { id: 'abc', origin: ORIGIN },
    { id: 'abc', url: `${ORIGIN}/host.html#tabagent` },
  ]) {
    test(JSON.stringify(sender), () => {
      assert.equal(isOwnPage(platform, sender), true);
      assert.equal(mayAsk(platform, sender, { type: 'reset' }, []), true);
    });
  }
});

describe('nobody else', () => {
  for (const sender of /** @type {any[]} */ ([
    undefined, null, {}, { id: 'abc' }, SCRIPT,
    { ...PANEL, id: 'def' }, { url: PANEL.url, origin: ORIGIN },
    { id: 'abc', url: 'chrome-extension://abcd/panel.html' },
    { id: 'abc', url: `https://x.example/?${ORIGIN}/` },
    { id: 'abc', url: 'about:blank', origin: 'https://bank.example' },
    { id: 'abc', url: 'about:srcdoc', origin: ORIGIN },
    { id: 'abc', url: 'null', origin: 'null' },
    { id: 'abc', url: [PANEL.url] },
  ])) {
    test(JSON.stringify(sender) ?? 'no sender', () => {
      assert.equal(isOwnPage(platform, sender), false);
      assert.equal(mayAsk(platform, sender, { type: 'reset' }, []), false);
      assert.equal(isHost(platform, sender, 'panel.html'), false);
    });
  }

  test('whatever the message says of itself', () => {
    for (const claim of [PANEL, { ...PANEL, id: 'abc' }]) {
      assert.equal(mayAsk(platform, SCRIPT,
        { type: 'reset', sender: claim, senderId: 'sidepanel-x', ...claim }, []),
      false);
    }
  });
});

describe('a content script that may send some types', () => {
  const allowed = ['getModelWorkerState', 'huggingfaceLogin', 'login'];
  const may = (/** @type {any} */ message, sender = SCRIPT) => (
    mayAsk(platform, sender, message, allowed));

  test('sends those', () => {
    assert.equal(may({ type: 'getModelWorkerState' }), true);
    assert.equal(may({ type: 'getModelWorkerState', payload: {} }), true);
  });

  test('sends no others', () => {
    for (const message of [{ type: 'reset' }, {}, null, 'getModelWorkerState',
      { type: ['getModelWorkerState'] }]) assert.equal(may(message), false);
  });

  test('does not hide another request behind one of them', () => {
    for (const action of ['clearStore', 'login', '', null, 7]) {
      assert.equal(may({ type: 'getModelWorkerState', action }), false);
    }
  });

  test('says nothing about the account, even when it is listed', () => {
    assert.equal(may({ type: 'huggingfaceLogin', payload: {} }), false);
    assert.equal(may({ type: 'login', token: 'hf_x' }), false);
  });

  test('must be ours', () => {
    assert.equal(may({ type: 'getModelWorkerState' },
      { ...SCRIPT, id: 'def' }), false);
  });
});

test('the host is the page of that name, whatever stands behind it', () => {
  for (const [url, expected] of /** @type {const} */ ([
    ['host.html', true], ['host.html#tabagent', true], ['host.html?x=1', true],
    ['panel.html', false], ['panel.html?host.html', false],
    ['host.html/x', false], ['x/host.html', false],
  ])) {
    assert.equal(isHost(platform, { id: 'abc', url: `${ORIGIN}/${url}` },
      'host.html'), expected, url);
  }
});
