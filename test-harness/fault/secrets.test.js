// SPDX-License-Identifier: Apache-2.0
// The token goes to the Hub and to nobody else: no message, error, summary or
// counter may contain it, whatever happens.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { inspect } from 'node:util';

import { list } from './listing.js';

const TOKEN = 'hf_reader';
const HUB = 'https://huggingface.co';

const params = /** @type {const} */ ({
  hfToken: TOKEN, fetchConfigs: 'all', maxCandidates: 30, pageSize: 250,
  debug: true,
});

/**
 * All that a caller ever sees of a run, as one text.
 * @param {import('./listing.js').Outcome} outcome
 */
function everythingSaid({ deliveries, telemetry, error, models, meta }) {
  return JSON.stringify({ deliveries, telemetry, models, meta })
    + inspect(error, { depth: Infinity, showHidden: true });
}

/** @type {[string, import('../hub/faults.js').Rule[]][]} */
const CASES = [
  ['nothing', []],
  ['refused files', [{ bucket: 'resolvers', status: 403 }]],
  ['a server that is down', [{ status: 500 }]],
  ['a page that breaks', [{ bucket: 'api', skip: 1, resetAfter: 1000 }]],
  ['files that hang', [{ bucket: 'resolvers', stallHead: true }]],
  ['a server that repeats the token', [{
    bucket: 'resolvers', status: 401, body: TOKEN,
    headers: { 'x-error-message': TOKEN, 'x-error-code': TOKEN, 'www-authenticate': TOKEN },
  }]],
  ['a link that repeats the token', [{
    bucket: 'api', headers: { link: `<https://${TOKEN}.example/${TOKEN}>; rel="next"` },
  }]],
];

for (const [name, faults] of CASES) {
  test(`is never told: ${name}`, async () => {
    const outcome = await list({ params, faults });
    assert.equal(everythingSaid(outcome).includes(TOKEN), false);
    assert.ok(outcome.traffic.exchanges.length > 0);
    for (const { url, headers } of outcome.traffic.exchanges) {
      assert.equal(new URL(url).origin, HUB);
      assert.equal(headers.get('authorization'), `Bearer ${TOKEN}`);
      assert.equal(url.includes(TOKEN), false);
    }
  });
}

test('is not told when the listing is cancelled', async () => {
  const controller = new AbortController();
  const outcome = await list({
    params, signal: controller.signal,
    onProgress: (world, { seq }) => { if (seq === 2) controller.abort(); },
  });
  assert.equal(outcome.error.code, 'cancelled');
  assert.equal(everythingSaid(outcome).includes(TOKEN), false);
});

test('goes to the endpoint that the caller chose, whatever the Hub says',
  async () => {
    const { traffic } = await list({
      params, manager: { hubUrl: 'https://mirror.example' },
    });
    for (const { url } of traffic.exchanges) {
      assert.equal(new URL(url).origin, 'https://mirror.example');
    }
  });

test('without a token there is no Authorization', async () => {
  const { traffic } = await list({ params: { ...params, hfToken: null } });
  for (const { headers } of traffic.exchanges) {
    assert.equal(headers.has('authorization'), false);
  }
});

describe('a token that is refused is not repeated', () => {
  for (const [name, hfToken] of /** @type {[string, any][]} */ ([
    ['a line break', `${TOKEN}\r\nx-evil: 1`],
    ['a control character', `${TOKEN}\u0001`],
    ['a blank', `${TOKEN} ${TOKEN}`],
    ['not ASCII', `${TOKEN}é`],
    ['too long', TOKEN.repeat(1000)],
    ['a list', [TOKEN]],
    ['an object', { [TOKEN]: TOKEN }],
  ])) {
    test(name, async () => {
      const outcome = await list({ params: { ...params, hfToken } });
      assert.equal(outcome.error.code, 'invalid_params');
      assert.match(outcome.error.message, /hfToken/);
      assert.equal(everythingSaid(outcome).includes(TOKEN), false);
      assert.deepEqual(outcome.traffic.exchanges, []);
    });
  }
});
