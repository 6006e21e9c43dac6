// SPDX-License-Identifier: Apache-2.0
// The login page of the Hub, and what may go wrong on the way back.

import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';

import { hubOAuth } from '../../js-bindings/extension/oauth.js';

const BACK = 'https://abcdef.chromiumapp.org/';

/**
 * A Hub that lets everybody in.
 * @param {{ lead?: (asked: URL) => string | undefined, reply?: Response }}
 *   [options] lead: where the login page leads
 */
function fakeHub({
  lead = (asked) => `${BACK}?code=c1&state=${asked.searchParams.get('state')}`,
  reply = Response.json({ access_token: 'hf_oauth_x', token_type: 'bearer' }),
} = {}) {
  /** @type {URL[]} */
  const pages = [];
  /** @type {[string, any][]} */
  const posts = [];
  const login = hubOAuth({
    clientId: 'app-1', hubUrl: 'https://hub.test',
    identity: {
      getRedirectURL: () => BACK,
      async launchWebAuthFlow({ url, interactive }) {
        assert.equal(interactive, true);
        pages.push(new URL(url));
        return lead(new URL(url));
      },
    },
    fetch: async (url, init) => {
      posts.push([String(url), init]);
      return reply;
    },
  });
  return { login, pages, posts };
}

test('the code of the login page is exchanged for a token', async () => {
  const { login, pages, posts } = fakeHub();
  assert.equal(await login(), 'hf_oauth_x');
  const [page] = pages;
  assert.equal(page.origin + page.pathname, 'https://hub.test/oauth/authorize');
  const asked = Object.fromEntries(page.searchParams);
  assert.equal(asked.client_id, 'app-1');
  assert.equal(asked.redirect_uri, BACK);
  assert.equal(asked.response_type, 'code');
  assert.equal(asked.scope, 'openid profile gated-repos');
  assert.equal(asked.code_challenge_method, 'S256');
  const [[url, { method, body, redirect, credentials }]] = posts;
  assert.deepEqual([url, method, redirect, credentials],
    ['https://hub.test/oauth/token', 'POST', 'error', 'omit']);
  const form = Object.fromEntries(body);
  assert.equal(form.code, 'c1');
  assert.equal(form.grant_type, 'authorization_code');
  assert.equal(form.redirect_uri, BACK);
  assert.equal('client_secret' in form, false);
  assert.equal(createHash('sha256').update(form.code_verifier)
    .digest('base64url'), asked.code_challenge);
  assert.ok(form.code_verifier.length >= 43); // RFC 7636, 4.1
});

test('no two logins use the same secrets', async () => {
  const { login, pages } = fakeHub();
  await login();
  const other = fakeHub();
  await other.login();
  for (const name of ['state', 'code_challenge']) {
    assert.notEqual(pages[0].searchParams.get(name),
      other.pages[0].searchParams.get(name));
  }
});

/** @type {[string, Parameters<typeof fakeHub>[0], string, number][]} */
const CASES = [
  ['a page that was closed',
    { lead: () => { throw new Error('The user did not approve access.'); } },
    'cancelled', 0],
  ['no answer', { lead: () => undefined }, 'unauthorized', 0],
  ['a refusal', { lead: (asked) => (
    `${BACK}?error=access_denied&state=${asked.searchParams.get('state')}`) },
  'unauthorized', 0],
  ['the answer to another question',
    { lead: () => `${BACK}?code=c1&state=guessed` }, 'unauthorized', 0],
  ['an answer without a question', { lead: () => `${BACK}?code=c1` },
    'unauthorized', 0],
  ['an answer elsewhere', { lead: (asked) => (
    `https://evil.test/?code=c1&state=${asked.searchParams.get('state')}`) },
  'unauthorized', 0],
  ['a Hub that gives nothing', { reply: Response.json({}) },
    'unauthorized', 1],
  ['a Hub that refuses the code',
    { reply: Response.json({ error: 'invalid_grant' }, { status: 400 }) },
    'unauthorized', 1],
  ['a page instead of a token', { reply: new Response('<html>') },
    'unauthorized', 1],
];

for (const [name, options, code, exchanges] of CASES) {
  test(`${name} ends the login`, async () => {
    const { login, posts } = fakeHub(options);
    await assert.rejects(login(), { code, stage: 'login' });
    assert.equal(posts.length, exchanges);
  });
}
