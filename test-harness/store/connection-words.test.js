// SPDX-License-Identifier: Apache-2.0
// A connection that fails is told in the platform's words, unless they have the
// token in them.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { createVirtualClock } from '../hub/virtual-clock.js';
import { MemoryStore } from './memory-store.js';
import { createModelHub, managerOf, MODEL, pass, urlOf } from './world.js';

/** @typedef {import('./world.js').Manager} Manager */

const TOKEN = 'hf_granted';

/** A name that does not resolve, as Node tells it. */
const lost = () => new TypeError('fetch failed', {
  cause: new Error('getaddrinfo ENOTFOUND huggingface.co'),
});

/** Words with a header in them. */
const repeating = () => new TypeError(`no header: Bearer ${TOKEN}`);

/** What is asked, and what is said before the platform's words. */
const REQUESTS = /** @type {[string, (manager: Manager) => Promise<unknown>,
  string][]} */ ([
  ['a login', (manager) => manager.login(TOKEN), 'the connection failed'],
  ['a download', (manager) => manager.download(MODEL, { hfToken: TOKEN }),
    'the connection failed'],
  ['a file', (manager) => manager.fetch(urlOf('config.json'),
    { headers: { authorization: `Bearer ${TOKEN}` } }),
  'the connection failed'],
]);

/**
 * @param {(manager: Manager) => Promise<unknown>} ask
 * @param {(input: any, init: any) => Promise<Response>} fetch
 * @returns {Promise<any>} the error
 */
async function errorOf(ask, fetch) {
  const clock = createVirtualClock(Date.UTC(2026, 0, 1));
  const manager = await managerOf(new MemoryStore(), { fetch, clock });
  const error = await pass(clock, ask(manager)
    .then(() => assert.fail('it went well'), (reason) => reason));
  await manager.dispose();
  return error;
}

describe('why the connection failed', () => {
  for (const [what, ask, sentence] of REQUESTS) {
    test(`is said of ${what}`, async () => {
      const { code, message } = await errorOf(ask, async () => { throw lost(); });
      assert.equal(code, 'network');
      assert.equal(message, `${sentence}: fetch failed: getaddrinfo ENOTFOUND `
        + 'huggingface.co');
    });

    test(`is not said of ${what} in words that repeat the token`, async () => {
      const { code, message } = await errorOf(
        ask, async () => { throw repeating(); });
      assert.equal(code, 'network');
      assert.equal(message, sentence);
    });
  }

  test('is said of a download that has begun', async () => {
    const hub = createModelHub();
    const { code, message } = await errorOf(
      (manager) => manager.download(MODEL), async (input, init) => {
        if (String(input).includes('/resolve/')) throw lost();
        return hub.fetch(input, init);
      });
    assert.equal(code, 'network');
    assert.equal(message, 'the download made no progress: fetch failed: '
      + 'getaddrinfo ENOTFOUND huggingface.co');
  });
});
