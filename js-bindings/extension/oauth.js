// SPDX-License-Identifier: Apache-2.0
// Brings a token by the Hub's own login page, for an extension that is
// registered there as a public app: authorization code with PKCE, no secret in
// the package. Needs the permission "identity".

import { TabAgentError } from '../errors.js';

/**
 * What is asked for by default: who it is, and files of repositories whose
 * terms the user has accepted. No private repository is opened by that.
 */
const SCOPES = 'openid profile gated-repos';

/** Characters of the verifier: of 32 random bytes. */
const VERIFIER_BYTES = 32;

/**
 * @typedef {object} OAuthOptions
 * @property {string} clientId of the app at the Hub
 * @property {string} [scopes] separated by blanks
 * @property {string} [hubUrl]
 * @property {{ getRedirectURL(): string, launchWebAuthFlow(details:
 *   { url: string, interactive: boolean }): Promise<string | undefined> }}
 *   identity `chrome.identity`
 * @property {typeof fetch} [fetch]
 */

/**
 * The option `oauth` of `startBackground`.
 * @param {OAuthOptions} options
 * @returns {() => Promise<string>} shows the login page and brings the token
 */
export function hubOAuth({
  clientId, scopes = SCOPES, hubUrl = 'https://huggingface.co', identity,
  fetch = (...args) => globalThis.fetch(...args),
}) {
  return async () => {
    const redirect = identity.getRedirectURL();
    const verifier = randomText();
    const state = randomText();
    const url = new URL(`${hubUrl}/oauth/authorize`);
    url.search = new URLSearchParams({
      client_id: clientId, redirect_uri: redirect, response_type: 'code',
      scope: scopes, state, code_challenge: await challengeOf(verifier),
      code_challenge_method: 'S256',
    }).toString();
    const back = await identity.launchWebAuthFlow(
      { url: url.href, interactive: true }).catch((error) => {
      throw failed('cancelled', `the login page was closed: ${error?.message}`);
    });
    const code = codeOf(back, redirect, state);
    return exchange(fetch, `${hubUrl}/oauth/token`, {
      grant_type: 'authorization_code', client_id: clientId, code,
      redirect_uri: redirect, code_verifier: verifier,
    });
  };
}

/**
 * @param {string | undefined} back where the login page led
 * @param {string} redirect
 * @param {string} state
 */
function codeOf(back, redirect, state) {
  const url = back?.startsWith(redirect) ? new URL(back) : null;
  const code = url?.searchParams.get('code');
  // Another state: it is the answer to somebody else's question.
  if (!code || url?.searchParams.get('state') !== state) {
    throw failed('unauthorized', 'the Hub did not let the app in');
  }
  return code;
}

/**
 * @param {typeof fetch} fetch
 * @param {string} url
 * @param {Record<string, string>} form
 * @returns {Promise<string>}
 */
async function exchange(fetch, url, form) {
  const response = await fetch(url, {
    method: 'POST', body: new URLSearchParams(form), credentials: 'omit',
    redirect: 'error',
  }).catch((error) => {
    throw failed('network', `the connection failed: ${error?.message}`);
  });
  const answer = await response.json().catch(() => null);
  if (!response.ok || typeof answer?.access_token !== 'string') {
    throw failed('unauthorized', 'the Hub gave no token');
  }
  return answer.access_token;
}

function randomText() {
  return base64Url(crypto.getRandomValues(new Uint8Array(VERIFIER_BYTES)));
}

/** @param {string} verifier */
async function challengeOf(verifier) {
  return base64Url(new Uint8Array(await crypto.subtle.digest(
    'SHA-256', new TextEncoder().encode(verifier))));
}

/** @param {Uint8Array} bytes */
function base64Url(bytes) {
  return btoa(String.fromCharCode(...bytes))
    .replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '');
}

/**
 * @param {string} code
 * @param {string} message
 */
function failed(code, message) {
  return new TabAgentError(code, message, { stage: 'login' });
}
