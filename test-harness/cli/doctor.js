// SPDX-License-Identifier: Apache-2.0
// `doctor`: what is needed, whether it is there, and what to do if not.

import { stat } from 'node:fs/promises';

import { openSession, proxyVariable, UsageError, WASM_URL }
  from './session.js';
import { duration, style } from './style.js';

/** The oldest Node that the harness runs on. */
const NODE_MAJOR = 20;

/** How long the Hub may take to answer one small request. */
const HUB_TIMEOUT_MS = 10_000;

/**
 * @typedef {{ check: string, ok: boolean, message: string,
 *   fix: string | null }} Finding
 */

/**
 * @param {string} check
 * @param {boolean} ok
 * @param {string} message
 * @param {string} [fix]
 * @returns {Finding}
 */
function finding(check, ok, message, fix) {
  return { check, ok, message, fix: ok ? null : fix ?? null };
}

/**
 * @param {import('./main.js').Options} options
 * @param {AbortSignal} signal
 */
export async function doctor(options, signal) {
  const findings = [checkNode(), ...await checkSession(options, signal)];
  signal.throwIfAborted();
  process.stdout.write(options.json
    ? `${JSON.stringify(findings, null, 2)}\n`
    : findings.map(formatFinding).join(''));
  const failed = findings.filter(({ ok }) => !ok).length;
  if (failed > 0) {
    throw new Error(`${failed} of ${findings.length} checks failed`);
  }
}

/** @param {Finding} finding */
function formatFinding({ check, ok, message, fix }) {
  const mark = ok ? style.good('ok  ') : style.bad('FAIL');
  const advice = fix ? `${' '.repeat(19)}${style.note(fix)}\n` : '';
  return `${mark} ${check.padEnd(14)}${message}\n${advice}`;
}

/** @returns {Finding} */
function checkNode() {
  const { node } = process.versions;
  return finding('node', Number.parseInt(node, 10) >= NODE_MAJOR,
    `version ${node}`, `install Node ${NODE_MAJOR} or newer`);
}

/**
 * @param {import('./main.js').Options} options
 * @param {AbortSignal} signal
 */
async function checkSession(options, signal) {
  let session;
  try {
    session = await openSession(options);
  } catch (error) {
    return [error instanceof UsageError
      ? finding('options', false, messageOf(error), 'see `npm start -- --help`')
      : finding('wasm', false, messageOf(error),
        '`npm run build` makes dist/ anew')];
  }
  try {
    return [
      await checkModule(session), ...await checkHub(session, signal),
      checkProxy(), checkToken(session),
    ];
  } finally {
    await session.close();
  }
}

/** @param {import('./session.js').Session} session */
async function checkModule(session) {
  const { size } = await stat(WASM_URL);
  return finding('wasm', true, `tabagent.wasm, ${(size / 1000).toFixed(1)} kB, `
    + `started in ${duration(session.loadMs)}`);
}

/**
 * @param {Pick<import('./session.js').Session,
 *   'hubUrl' | 'simulatedModels' | 'token' | 'fetch'>} session
 * @param {AbortSignal} signal
 * @param {number} [timeoutMs]
 */
export async function checkHub(session, signal, timeoutMs = HUB_TIMEOUT_MS) {
  const { hubUrl, simulatedModels, token, fetch } = session;
  const startMs = performance.now();
  const limit = limitedBy(signal, timeoutMs);
  try {
    const response = await fetch(`${hubUrl}/api/models?limit=1`, {
      headers: token ? { authorization: `Bearer ${token}` } : {},
      signal: limit.signal,
    });
    await response.arrayBuffer();
    const name = simulatedModels === null ? hubUrl : `${hubUrl} (simulated)`;
    return [
      finding('hub', response.ok, `${name} answered ${response.status} in `
        + duration(performance.now() - startMs), adviceFor(response.status)),
      describeLimits(response.headers),
    ];
  } catch (error) {
    return [finding('hub', false, `${hubUrl}: ${messageOf(error)}`,
      'check the network, --hub, HF_ENDPOINT and the proxy variables')];
  } finally {
    limit.release();
  }
}

/**
 * A signal that also ends after a time. Not `AbortSignal.any` of `timeout`:
 * Node 20 collects that timeout as garbage before it is over.
 * @param {AbortSignal} signal
 * @param {number} ms
 */
function limitedBy(signal, ms) {
  const controller = new AbortController();
  const abort = () => controller.abort(signal.reason);
  const timer = setTimeout(() => {
    controller.abort(new Error(`no answer within ${duration(ms)}`));
  }, ms);
  signal.addEventListener('abort', abort);
  if (signal.aborted) abort();
  return {
    signal: controller.signal,
    release() {
      clearTimeout(timer);
      signal.removeEventListener('abort', abort);
    },
  };
}

/** @param {number} status */
function adviceFor(status) {
  if (status === 401) return 'the token is not accepted';
  if (status === 429) return 'too many requests lately: wait five minutes';
  return 'is this address a Hub?';
}

/**
 * Unreadable limits are no failure: then requests are paced carefully.
 * @param {Headers} headers
 */
function describeLimits(headers) {
  const limit = headers.get('ratelimit');
  const left = limit?.match(/;r=(\d+)/)?.[1];
  const seconds = limit?.match(/;t=(\d+)/)?.[1];
  return finding('rate limit', true, left === undefined
    ? 'not told by this Hub; requests are paced without it'
    : `${left} requests left in the next ${seconds} s`);
}

function checkProxy() {
  const name = proxyVariable();
  return finding('proxy', true, name ? `$${name} is used` : 'none');
}

/** @param {import('./session.js').Session} session */
function checkToken({ token }) {
  return finding('token', true, token
    ? 'present; sent to the Hub only' : 'none; gated models stay closed');
}

/** @param {any} error */
function messageOf(error) {
  const cause = error?.cause?.message ?? error?.cause?.code;
  return cause ? `${error.message}: ${cause}` : String(error?.message ?? error);
}
