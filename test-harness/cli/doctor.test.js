// SPDX-License-Identifier: Apache-2.0
// `doctor` before a Hub that takes a request and never answers it.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { after, before, describe, test } from 'node:test';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

import { checkHub } from './doctor.js';

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc');

describe('a Hub that does not answer', { timeout: 10_000 }, () => {
  /** @type {import('node:http').Server} */
  let server;
  /** @type {any} */
  let session;

  before(async () => {
    server = createServer((request, response) => {
      if (request.url?.startsWith('/body/')) response.write('[');
      // A timer that nobody holds would be gone from here on.
      collectGarbage();
      setImmediate(collectGarbage);
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = /** @type {import('node:net').AddressInfo} */ (
      server.address());
    session = {
      hubUrl: `http://127.0.0.1:${port}`, simulator: null, token: null,
      fetch: globalThis.fetch,
    };
  });
  after(() => {
    server.close();
    server.closeAllConnections();
  });

  for (const part of ['head', 'body']) {
    test(`in its ${part} is a finding`, async () => {
      const hubUrl = `${session.hubUrl}/${part}`;
      const findings = await checkHub(
        { ...session, hubUrl }, new AbortController().signal, 200);
      assert.deepEqual(findings, [{
        check: 'hub', ok: false, message: `${hubUrl}: no answer within 200 ms`,
        fix: 'check the network, --hub, HF_ENDPOINT and the proxy variables',
      }]);
    });
  }

  test('is waited for until somebody cancels', async () => {
    const controller = new AbortController();
    const checking = checkHub(session, controller.signal, 1e6);
    await once(server, 'request');
    controller.abort();
    const [{ ok, message }] = await checking;
    assert.equal(ok, false);
    assert.match(message, /aborted/);
  });
});
